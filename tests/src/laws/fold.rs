//! What a list of entries adds up to, computed plainly: stock per item, money per till and shift, and the sales by number. The
//! projections of a store and of head office are compared with it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::entry::Entry;
use super::evidence::Projection;
use super::facts::{Fact, Ticket};
use super::report::Findings;
use super::words::Id;

/// Whose projection is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Box,
    HeadOffice,
}

#[derive(Default)]
pub struct Fold {
    pub stock: BTreeMap<String, i128>,
    pub shifts: BTreeMap<(String, Id), ShiftSums>,
    /// By register, series and number.
    pub sales: BTreeMap<String, Map<String, Value>>,
}

/// The cash of one till in one shift.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShiftSums {
    pub float: i128,
    pub cash_taken: i128,
    pub change: i128,
    pub cash_refunds: i128,
    pub paid_in: i128,
    pub paid_out: i128,
    pub drops: i128,
    /// Out of another till.
    pub received: i128,
    pub counted: Option<i128>,
}

impl ShiftSums {
    /// What the drawer should hold.
    pub fn expected(&self) -> i128 {
        self.float + self.cash_taken + self.paid_in + self.received - self.change - self.cash_refunds - self.paid_out - self.drops
    }

    pub fn add_ticket(&mut self, ticket: &Ticket) {
        if !ticket.counts() {
            return;
        }
        for tender in ticket
            .tenders
            .iter()
            .filter(|tender| tender.kind == "cash" && tender.foreign.is_none())
        {
            let amount = i128::from(tender.amount);
            match amount < 0 {
                true => self.cash_refunds -= amount,
                false => self.cash_taken += amount,
            }
        }
        self.change += i128::from(ticket.change);
    }

    /// Whether `kind` is a way cash can move.
    pub fn add_move(&mut self, kind: &str, amount: i64) -> bool {
        let sum = match kind {
            "paid_in" => &mut self.paid_in,
            "paid_out" => &mut self.paid_out,
            "drop" => &mut self.drops,
            _ => return false,
        };
        *sum += i128::from(amount);
        true
    }

    fn value(&self) -> Map<String, Value> {
        let fields = [
            ("float", self.float),
            ("cash_taken", self.cash_taken),
            ("change", self.change),
            ("cash_refunds", self.cash_refunds),
            ("paid_in", self.paid_in),
            ("paid_out", self.paid_out),
            ("drops", self.drops),
            ("expected", self.expected()),
        ];
        let mut value: Map<String, Value> = fields.into_iter().map(|(key, amount)| (key.to_owned(), figure(amount))).collect();
        value.insert("counted".into(), self.counted.map_or(Value::Null, figure));
        value.insert("open".into(), json!(self.counted.is_none()));
        value
    }
}

/// Beyond an i64 no projection can agree, so its text does as well.
fn figure(amount: i128) -> Value {
    i64::try_from(amount).map_or_else(|_| json!(amount.to_string()), |amount| json!(amount))
}

impl Fold {
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Fold {
        let mut fold = Fold::default();
        for entry in entries {
            fold.add(entry);
        }
        fold
    }

    fn add(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::StockOpened(fact) => self.add_stock(&fact.moves),
            Fact::ShiftOpened(fact) => {
                self.shift(&fact.till, fact.shift).float = i128::from(fact.float);
            }
            Fact::CashMoved(fact) => {
                self.shift(&fact.till, fact.shift).add_move(&fact.kind, fact.amount);
            }
            Fact::ShiftClosed(fact) => {
                self.shift(&fact.till, fact.shift).counted = Some(i128::from(fact.z.counted));
            }
            Fact::TicketClosed(ticket) => {
                self.add_stock(&ticket.moves);
                if ticket.counts() {
                    self.shift(&ticket.till, ticket.shift).add_ticket(ticket);
                }
                let Some(receipt) = &ticket.receipt else { return };
                let value = json!({
                    "end": ticket.end, "business_day": entry.header.business_day, "net": ticket.net, "tax": ticket.tax,
                    "cash_rounding": ticket.cash_rounding, "due": ticket.due, "currency": ticket.currency,
                });
                if let Value::Object(value) = value {
                    self.sales.insert(receipt.to_string(), value);
                }
            }
            _ => {}
        }
    }

    fn add_stock(&mut self, moves: &[super::facts::StockMove]) {
        for moved in moves {
            if let Some(held) = self.stock.get_mut(&moved.sku) {
                *held += i128::from(moved.delta);
            } else {
                self.stock.insert(moved.sku.clone(), i128::from(moved.delta));
            }
        }
    }

    fn shift(&mut self, till: &str, shift: Id) -> &mut ShiftSums {
        self.shifts.entry((till.to_owned(), shift)).or_default()
    }

    /// Compares one projection's lines with what the entries add up to.
    pub fn compare(&self, findings: &mut Findings, what: &str, store: &str, whose: Whose, lines: &[Projection]) {
        let mut expected: BTreeMap<String, Map<String, Value>> = match what {
            "stock" => {
                let line = |(sku, on_hand): (&String, &i128)| {
                    let value = Map::from_iter([("on_hand".to_owned(), figure(*on_hand))]);
                    (format!("{store}/{sku}"), value)
                };
                self.stock.iter().map(line).collect()
            }
            "tills" => {
                let line = |((till, shift), sums): (&(String, Id), &ShiftSums)| (format!("{store}/{till}/{shift}"), sums.value());
                self.shifts.iter().map(line).collect()
            }
            _ => {
                let line = |(number, value): (&String, &Map<String, Value>)| (format!("{store}/{number}"), value.clone());
                self.sales.iter().map(line).collect()
            }
        };
        let place = |key: &str| match whose {
            Whose::Box => format!("{store}'s own state, {what} {key}"),
            Whose::HeadOffice => format!("head office, {what} {key}"),
        };
        let of_store = |line: &&Projection| line.key.strip_prefix(store).is_some_and(|rest| rest.starts_with('/'));
        for line in lines.iter().filter(|line| line.projection == what).filter(of_store) {
            findings.looked();
            let Some(fields) = expected.remove(&line.key) else {
                // An item that never moved may be listed as none on hand.
                let empty = what == "stock" && line.value.get("on_hand") == Some(&json!(0));
                findings.demand(
                    empty,
                    || place(&line.key),
                    || "is projected twice, or stands for nothing that the entries tell".to_owned(),
                );
                continue;
            };
            for (field, value) in fields {
                let said = line.value.get(&field).unwrap_or(&Value::Null);
                findings.demand(
                    *said == value,
                    || place(&line.key),
                    || format!("{field} is {said}, the entries add up to {value}"),
                );
            }
        }
        for (key, fields) in expected {
            let may_lack = match whose {
                // A box only remembers the shift that is open.
                Whose::Box if what == "tills" => fields.get("open") == Some(&json!(false)),
                _ => what == "stock" && fields.get("on_hand") == Some(&json!(0)),
            };
            findings.demand(
                may_lack,
                || place(&key),
                || format!("is missing; the entries add up to {}", Value::Object(fields.clone())),
            );
        }
    }
}
