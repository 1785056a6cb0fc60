//! A small honest world of shops, built by hand: what boxes, head office and clients would write down, so that a test can spoil
//! one thing and see the law named.
//!
//! Keeps its own sums while it sells, so that the checker's folds are compared with something that is not the checker. How that is
//! written down stands in `written`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// One entry before it is bytes.
#[derive(Clone)]
pub struct Spec {
    pub epoch: u32,
    pub kind: u16,
    pub command: Option<u128>,
    pub body: Value,
    /// For a broken chain: what to name instead of the hash before.
    pub prev_hash: Option<[u8; 32]>,
}

#[derive(Clone, Default)]
pub struct Shift {
    pub id: u128,
    pub float: i64,
    pub cash_taken: i64,
    pub change: i64,
    pub cash_refunds: i64,
    pub paid_in: i64,
    pub paid_out: i64,
    pub drops: i64,
    pub counted: Option<i64>,
    // Only for the Z report.
    sales: u64,
    returns: u64,
    cancelled: u64,
    net: i64,
    tax: i64,
    rounding: i64,
    sales_due: i64,
    returns_due: i64,
    taxes: BTreeMap<String, (i64, i64)>,
    /// First and last number of each series.
    receipts: Vec<[Value; 2]>,
}

impl Shift {
    pub fn expected(&self) -> i64 {
        self.float + self.cash_taken + self.paid_in - self.change - self.cash_refunds - self.paid_out - self.drops
    }
}

/// One shop with one register and one till.
#[derive(Clone)]
pub struct ShopWorld {
    pub tenant: &'static str,
    pub store: &'static str,
    pub specs: Vec<Spec>,
    pub open_tickets: Vec<Value>,
    pub log: Vec<Value>,
    pub stock: BTreeMap<String, i64>,
    pub shifts: Vec<Shift>,
    pub sales: BTreeMap<String, Value>,
    /// Added to the next receipt number; the world stays honest about it.
    pub next_number: i64,
    pub series: u32,
    pub inclusive: bool,
    epoch: u32,
    ids: u128,
    z: u64,
    perpetual: (i64, i64),
}

pub fn uuid(id: u128) -> String {
    uuid::Uuid::from_u128(id).to_string()
}

/// What is scanned: sku, thousandths, unit price, tax class, voided.
pub type Scan = (&'static str, i64, i64, &'static str, bool);

pub const TEE: Scan = ("TEE-M", 1000, 1990, "A", false);
pub const APPLES: Scan = ("APPLE", 1330, 249, "B", false);
pub const MUG_VOIDED: Scan = ("MUG", 2000, 700, "A", true);

fn rate(class: &str) -> (&'static str, i64) {
    if class == "A" { ("0.19", 19) } else { ("0.07", 7) }
}

fn rounded(numerator: i64, denominator: i64) -> i64 {
    (2 * numerator + denominator).div_euclid(2 * denominator)
}

impl ShopWorld {
    pub fn new(tenant: &'static str, store: &'static str, ids: u128) -> Self {
        let mut shop = Self {
            tenant,
            store,
            specs: Vec::new(),
            open_tickets: Vec::new(),
            log: Vec::new(),
            stock: BTreeMap::new(),
            shifts: Vec::new(),
            sales: BTreeMap::new(),
            next_number: 1,
            series: 1,
            inclusive: true,
            epoch: 1,
            ids,
            z: 0,
            perpetual: (0, 0),
        };
        shop.fact(
            None,
            1,
            json!({"fact": "epoch_opened", "reason": "new_store", "previous": null, "series": 1, "currency": "EUR", "zone": "Europe/Berlin", "day_end": "02:00"}),
        );
        shop.fact(
            None,
            2,
            json!({"fact": "catalog_applied", "version": 3, "hash": "ab".repeat(32), "items": 3}),
        );
        let mut moves = Vec::new();
        for (sku, held) in [("APPLE", 90_000), ("MUG", 4_000), ("TEE-M", 20_000)] {
            shop.stock.insert(sku.into(), held);
            moves.push(json!({"sku": sku, "delta": held, "reason": "opening"}));
        }
        shop.fact(None, 3, json!({"fact": "stock_opened", "moves": moves}));
        let command = shop.ask("enrol", json!({"ok": true}));
        shop.fact(
            Some(command),
            4,
            json!({"fact": "register_enrolled", "register": "r1", "till": "t1"}),
        );
        shop.sign_in();
        shop
    }

    /// From here on other commands than in the life it was cloned from.
    pub fn another_life(&mut self) {
        self.ids += 1 << 32;
    }

    fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }

    /// A command in the client's log: asked and answered.
    pub fn ask(&mut self, call: &str, result: Value) -> u128 {
        let id = self.id();
        self.log_command(id, call, result);
        id
    }

    fn log_command(&mut self, id: u128, call: &str, result: Value) {
        let at = "2026-11-18T12:00:00Z";
        self.log
            .push(json!({"asked": at, "command_id": uuid(id), "at": at, "call": call, "result": null}));
        self.log
            .push(json!({"acked": true, "command_id": uuid(id), "at": at, "call": call, "result": result}));
    }

    /// Puts a fact into the journal and returns where.
    pub fn fact(&mut self, command: Option<u128>, kind: u16, body: Value) -> usize {
        self.specs.push(Spec {
            epoch: self.epoch,
            kind,
            command,
            body,
            prev_hash: None,
        });
        self.specs.len() - 1
    }

    pub fn sign_in(&mut self) -> usize {
        let command = self.ask("sign_in", json!({"ok": true}));
        self.fact(
            Some(command),
            5,
            json!({"fact": "signed_in", "register": "r1", "staff": "s101", "session": 4}),
        )
    }

    /// An order of head office, followed.
    pub fn directive(&mut self, number: u64) -> usize {
        let change = json!({"sku": "MUG", "price": 700, "currency": "EUR", "effective_at": "2026-11-18T12:00:00Z"});
        self.fact(None, 11, json!({"fact": "price_directed", "directive": number, "change": change}))
    }

    /// An order of head office that this box can not follow.
    pub fn refuse(&mut self, number: u64) -> usize {
        let why = "item HAT is not in the catalog";
        self.fact(None, 12, json!({"fact": "directive_refused", "directive": number, "why": why}))
    }

    /// The box was set back: its next entries belong to a new epoch. The end is that of what was told so far.
    pub fn open_epoch(&mut self, series: u32) -> usize {
        let lines = self.lines();
        let last = lines.last().unwrap();
        let previous = json!({"epoch": last["epoch"], "seq": last["seq"], "hash": last["hash"]});
        self.epoch += 1;
        self.series = series;
        self.next_number = 1;
        self.fact(
            None,
            1,
            json!({"fact": "epoch_opened", "reason": "rollback", "previous": previous, "series": series, "currency": "EUR", "zone": "Europe/Berlin", "day_end": "02:00"}),
        )
    }

    pub fn open_shift(&mut self, float: i64) -> usize {
        let id = self.ask("open_shift", json!({"ok": true}));
        self.shifts.push(Shift {
            id,
            float,
            ..Shift::default()
        });
        self.fact(
            Some(id),
            6,
            json!({"fact": "shift_opened", "shift": uuid(id), "till": "t1", "register": "r1", "float": float}),
        )
    }

    fn shift(&mut self) -> &mut Shift {
        self.shifts.last_mut().unwrap()
    }

    pub fn move_cash(&mut self, kind: &str, amount: i64) -> usize {
        let command = self.ask(kind, json!({"ok": true}));
        let shift = self.shift();
        match kind {
            "paid_in" => shift.paid_in += amount,
            "paid_out" => shift.paid_out += amount,
            _ => shift.drops += amount,
        }
        let shift = uuid(shift.id);
        self.fact(
            Some(command),
            7,
            json!({"fact": "cash_moved", "shift": shift, "till": "t1", "move": kind, "amount": amount, "reason": "safe"}),
        )
    }

    fn scan_lines(&mut self, scans: &[Scan]) -> Vec<Value> {
        let mut lines = Vec::new();
        for (at, (sku, quantity, unit_price, class, voided)) in scans.iter().copied().enumerate() {
            let command = self.ask("Scan", json!({"ok": true}));
            let amount = rounded(unit_price * quantity, 1000);
            let (rate, percent) = rate(class);
            let (net, tax) = if self.inclusive {
                let tax = rounded(amount * percent, 100 + percent);
                (amount - tax, tax)
            } else {
                (amount, rounded(amount * percent, 100))
            };
            let voided = voided.then(|| {
                let command = self.ask("void_line", json!({"ok": true}));
                json!({"command_id": uuid(command), "at": "2026-11-18T12:00:01.5Z"})
            });
            lines.push(json!({
                "line": at + 1, "command_id": uuid(command), "at": "2026-11-18T12:00:00Z", "sku": sku, "name": sku, "code": sku, "quantity": quantity,
                "unit_price": unit_price, "amount": amount,
                "reasons": [{"reason": "list_price", "amount": amount, "version": {"catalog": 3, "directive": 0}}],
                "tax_class": class, "rate": rate, "net": net, "tax": tax, "voided": voided,
            }));
        }
        lines
    }

    fn ticket(&mut self, end: &str, lines: Vec<Value>) -> Value {
        let ticket = self.id();
        let shift = self.shift().id;
        json!({
            "fact": "ticket_closed", "ticket": uuid(ticket), "end": end, "receipt": null, "original": null, "register": "r1", "till": "t1", "shift": uuid(shift),
            "opened_at": "2026-11-18T12:00:00Z", "currency": "EUR", "prices": if self.inclusive { "inclusive" } else { "exclusive" },
            "lines": lines, "taxes": [], "net": 0, "tax": 0, "cash_rounding": 0, "due": 0, "tenders": [], "change": 0, "moves": [],
        })
    }

    fn number(&mut self) -> Value {
        let number = self.next_number;
        self.next_number += 1;
        json!({"register": "r1", "series": self.series, "number": number})
    }

    /// Sells for cash: the first of `given` in an entry of its own, the last with the closing. Rounds to five cents.
    pub fn sell(&mut self, scans: &[Scan], given: &[i64]) -> usize {
        let lines = self.scan_lines(scans);
        let mut body = self.ticket("sale", lines);
        let command = self.id();
        let mut tenders = Vec::new();
        for (at, amount) in given.iter().enumerate() {
            let last = at + 1 == given.len();
            let id = if last { command } else { self.ask("tender", json!({"ok": true})) };
            let tender = json!({"command_id": uuid(id), "at": "2026-11-18T12:00:02Z", "tender": "cash", "amount": amount});
            if !last {
                let taken = json!({"fact": "tender_taken", "ticket": body["ticket"], "tender": tender});
                self.fact(Some(id), 8, taken);
            }
            tenders.push(tender);
        }
        let counted: Vec<Value> = body["lines"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|line| line["voided"].is_null())
            .cloned()
            .collect();
        let sum = |field: &str| counted.iter().map(|line| line[field].as_i64().unwrap()).sum::<i64>();
        let (net, tax) = (sum("net"), sum("tax"));
        let due = rounded(net + tax, 5) * 5;
        let change = given.iter().sum::<i64>() - due;
        assert!(change >= 0, "give at least {due}");
        let mut taxes: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for line in &counted {
            let class = taxes.entry(line["tax_class"].as_str().unwrap().into()).or_default();
            *class = (class.0 + line["net"].as_i64().unwrap(), class.1 + line["tax"].as_i64().unwrap());
        }
        body["receipt"] = self.number();
        body["taxes"] = taxes_json(&taxes);
        for (field, amount) in [
            ("net", net),
            ("tax", tax),
            ("cash_rounding", due - net - tax),
            ("due", due),
            ("change", change),
        ] {
            body[field] = json!(amount);
        }
        body["tenders"] = json!(tenders);
        body["moves"] = counted
            .iter()
            .map(|line| json!({"sku": line["sku"], "delta": -line["quantity"].as_i64().unwrap(), "reason": "sale"}))
            .collect();
        self.close(command, "tender", body)
    }

    /// Takes the sale at `sale` back.
    pub fn take_back(&mut self, sale: usize) -> usize {
        let sold = self.specs[sale].body.clone();
        let negated = |value: &Value| json!(-value.as_i64().unwrap());
        let mut lines = Vec::new();
        for line in sold["lines"].as_array().unwrap().iter().filter(|line| line["voided"].is_null()) {
            let mut back = line.clone();
            back["line"] = json!(lines.len() + 1);
            back["command_id"] = Value::Null;
            for field in ["quantity", "amount", "net", "tax"] {
                back[field] = negated(&line[field]);
            }
            back["reasons"] = json!([{"reason": "returned", "amount": back["amount"], "version": {"catalog": 3, "directive": 0}}]);
            lines.push(back);
        }
        let mut body = self.ticket("return", lines);
        let command = self.id();
        body["receipt"] = self.number();
        body["original"] = sold["receipt"].clone();
        for field in ["net", "tax", "cash_rounding", "due"] {
            body[field] = negated(&sold[field]);
        }
        let taxes = sold["taxes"].as_array().unwrap().iter().map(|class| {
            let mut class = class.clone();
            class["net"] = negated(&class["net"]);
            class["tax"] = negated(&class["tax"]);
            class
        });
        body["taxes"] = taxes.collect();
        body["tenders"] = json!([{"command_id": uuid(command), "at": "2026-11-18T12:00:02Z", "tender": "cash", "amount": body["due"]}]);
        body["moves"] = sold["moves"]
            .as_array()
            .unwrap()
            .iter()
            .map(|moved| json!({"sku": moved["sku"], "delta": negated(&moved["delta"]), "reason": "return"}))
            .collect();
        self.close(command, "return_sale", body)
    }

    /// Journals a ticket with its number and counts it everywhere, as a box would.
    fn close(&mut self, command: u128, call: &str, body: Value) -> usize {
        let amount = |field: &str| body[field].as_i64().unwrap();
        let receipt = &body["receipt"];
        let number = format!(
            "{}/{}/{}",
            receipt["register"].as_str().unwrap(),
            receipt["series"],
            receipt["number"]
        );
        self.log_command(
            command,
            call,
            json!({"ok": true, "receipt": number, "due": body["due"], "change": body["change"]}),
        );
        let given: i64 = body["tenders"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tender| tender["amount"].as_i64().unwrap())
            .sum();
        let due = amount("due");
        let is_sale = body["end"] == "sale";
        for moved in body["moves"].as_array().unwrap() {
            *self.stock.get_mut(moved["sku"].as_str().unwrap()).unwrap() += moved["delta"].as_i64().unwrap();
        }
        if is_sale {
            self.perpetual.0 += due;
        } else {
            self.perpetual.1 += due;
        }
        let (net, tax, rounding, change) = (amount("net"), amount("tax"), amount("cash_rounding"), amount("change"));
        self.sales.insert(
            number,
            json!({"end": body["end"], "business_day": "2026-11-18", "net": net, "tax": tax, "cash_rounding": rounding, "due": due, "currency": "EUR"}),
        );
        let shift = self.shift();
        if is_sale {
            shift.sales += 1;
            shift.sales_due += due;
            shift.cash_taken += given;
            shift.change += change;
        } else {
            shift.returns += 1;
            shift.returns_due += due;
            shift.cash_refunds -= given;
        }
        shift.net += net;
        shift.tax += tax;
        shift.rounding += rounding;
        for class in body["taxes"].as_array().unwrap() {
            let sum = shift.taxes.entry(class["tax_class"].as_str().unwrap().into()).or_default();
            *sum = (sum.0 + class["net"].as_i64().unwrap(), sum.1 + class["tax"].as_i64().unwrap());
        }
        match shift.receipts.last_mut() {
            Some([first, last]) if first["series"] == receipt["series"] => last.clone_from(receipt),
            _ => shift.receipts.push([receipt.clone(), receipt.clone()]),
        }
        self.fact(Some(command), 9, body)
    }

    pub fn cancel(&mut self, scans: &[Scan]) -> usize {
        let lines = self.scan_lines(scans);
        let body = self.ticket("cancelled", lines);
        self.shift().cancelled += 1;
        let command = self.ask("cancel_ticket", json!({"ok": true}));
        self.fact(Some(command), 9, body)
    }

    /// A ticket that is still open, with money on it if `paid` is more than nothing.
    pub fn leave_open(&mut self, scans: &[Scan], paid: i64) {
        let lines = self.scan_lines(scans);
        let body = self.ticket("sale", lines);
        let lines = body["lines"].as_array().unwrap();
        let mut ids: Vec<Value> = lines.iter().map(|line| line["command_id"].clone()).collect();
        let voids = lines.iter().map(|line| &line["voided"]["command_id"]);
        ids.extend(voids.filter(|id| id.is_string()).cloned());
        let mut tenders = Vec::new();
        if paid > 0 {
            let command = self.ask("tender", json!({"ok": true}));
            let tender = json!({"command_id": uuid(command), "at": "2026-11-18T12:00:02Z", "tender": "cash", "amount": paid});
            self.fact(
                Some(command),
                8,
                json!({"fact": "tender_taken", "ticket": body["ticket"], "tender": tender}),
            );
            ids.push(tender["command_id"].clone());
            tenders.push(tender);
        }
        self.open_tickets.push(json!({
            "ticket": body["ticket"], "version": ids.len(), "register": "r1", "till": "t1", "shift": body["shift"], "opened_at": body["opened_at"],
            "command_ids": ids, "lines": body["lines"], "tenders": tenders,
        }));
    }

    pub fn close_shift(&mut self, over_short: i64) -> usize {
        self.z += 1;
        let (z, perpetual) = (self.z, self.perpetual);
        let command = self.ask("close_shift", json!({"ok": true}));
        let shift = self.shift();
        let expected = shift.expected();
        shift.counted = Some(expected + over_short);
        let span = |[first, last]: &[Value; 2]| json!({"first": first, "last": last});
        let receipts: Vec<Value> = shift.receipts.iter().map(span).collect();
        let totals = json!({
            "sales": shift.sales, "returns": shift.returns, "cancelled": shift.cancelled, "net": shift.net, "tax": shift.tax, "taxes": taxes_json(&shift.taxes),
            "cash_rounding": shift.rounding, "sales_due": shift.sales_due, "returns_due": shift.returns_due, "cash_taken": shift.cash_taken,
            "change": shift.change, "cash_refunds": shift.cash_refunds, "paid_in": shift.paid_in, "paid_out": shift.paid_out, "drops": shift.drops,
            "receipts": receipts,
        });
        let z = json!({
            "number": z, "opened_at": "2026-11-18T08:00:00Z", "closed_at": "2026-11-18T20:00:00Z", "float": shift.float, "totals": totals,
            "expected": expected, "counted": expected + over_short, "over_short": over_short, "perpetual_sales": perpetual.0,
            "perpetual_returns": perpetual.1,
        });
        let body = json!({"fact": "shift_closed", "shift": uuid(shift.id), "till": "t1", "z": z});
        self.fact(Some(command), 10, body)
    }
}

fn taxes_json(taxes: &BTreeMap<String, (i64, i64)>) -> Value {
    let line = |(class, (net, tax)): (&String, &(i64, i64))| json!({"tax_class": class, "rate": rate(class).0, "net": net, "tax": tax});
    taxes.iter().map(line).collect()
}
