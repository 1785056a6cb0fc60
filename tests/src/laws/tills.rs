//! Law 6: each till's shifts follow one another, each sale lies in exactly one of them, and each Z report says what they add up to; cash from
//! till to till arrives where it went, foreign cash counts in its own currency, and each Z lies in exactly one day.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::entry::Entry;
use super::facts::{
    CashTransferred, CountResult, DayNumbered, Fact, PeriodTotals, ReceiptSpan, ShiftClosed, TaxSum, Ticket, TillCounted, ZRef, ZReport,
};
use super::fold::{Fold, ShiftSums, Whose};
use super::report::Findings;
use super::shop::{History, Shop};
use super::words::Id;

pub fn check(findings: &mut Findings, shop: &Shop<'_>) {
    for history in shop.histories() {
        walk(findings, &history);
        if let Some(store) = history.store
            && let Some(state) = &store.state
        {
            let fold = Fold::of(history.entries.iter().copied());
            fold.compare(findings, "tills", shop.store.as_str(), Whose::Box, state);
        }
    }
}

/// A till on its way through the journal.
#[derive(Default)]
struct Till {
    open: Option<Open>,
    last_z: u64,
    perpetual_sales: i128,
    perpetual_returns: i128,
    /// Everything its shifts came to.
    ever: Sums,
    /// What lies in it between shifts, by currency; `None` until somebody counted it or brought cash.
    rest: Option<BTreeMap<String, i128>>,
}

/// What the reports of a day, a month or of ever are made of.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sums {
    zs: i128,
    sales: i128,
    returns: i128,
    net: i128,
    tax: i128,
    cash_rounding: i128,
    sales_due: i128,
    returns_due: i128,
    taxes: BTreeMap<(String, String), (i128, i128)>,
}

#[derive(Default)]
struct Open {
    shift: Id,
    cash: ShiftSums,
    sales: i128,
    returns: i128,
    cancelled: i128,
    net: i128,
    tax: i128,
    cash_rounding: i128,
    sales_due: i128,
    returns_due: i128,
    card_taken: i128,
    taxes: BTreeMap<(String, String), (i128, i128)>,
    receipts: Vec<ReceiptSpan>,
    /// What is neither cash nor a card's payment: taken and given back.
    tenders: BTreeMap<String, (i128, i128)>,
    /// Foreign cash by currency: begin, taken, received, drops.
    foreign: BTreeMap<String, [i128; 4]>,
}

fn walk(findings: &mut Findings, history: &History<'_>) {
    let mut tills: HashMap<&str, Till> = HashMap::new();
    let mut days = Days::default();
    let of_the_store = "none".to_owned();
    for (at, entry) in history.entries.iter().enumerate() {
        let news = at >= history.news_from;
        let (till, faults) = match &entry.fact {
            Fact::ShiftOpened(fact) => (&fact.till, step(tills.entry(&fact.till).or_default(), entry)),
            Fact::CashMoved(fact) => (&fact.till, step(tills.entry(&fact.till).or_default(), entry)),
            Fact::TicketClosed(fact) => (&fact.till, step(tills.entry(&fact.till).or_default(), entry)),
            Fact::ShiftClosed(fact) => {
                days.z(fact);
                (&fact.till, step(tills.entry(&fact.till).or_default(), entry))
            }
            Fact::TillCounted(fact) => (&fact.till, tills.entry(&fact.till).or_default().count(fact)),
            Fact::CashTransferred(fact) => {
                let mut faults = tills.entry(&fact.from).or_default().transfer(fact, fact.from_shift, -1);
                faults.extend(tills.entry(&fact.to).or_default().transfer(fact, fact.to_shift, 1));
                (&fact.from, faults)
            }
            Fact::DayNumbered(fact) => (&of_the_store, days.number(fact)),
            _ => continue,
        };
        if !news {
            continue;
        }
        findings.looked();
        for fault in faults {
            findings.broken(|| format!("{}, till {till}", entry.place()), || fault);
        }
    }
}

/// The days of a store: each Z in exactly one.
#[derive(Default)]
struct Days {
    last: u64,
    zs: HashMap<ZRef, Sums>,
    told: HashSet<ZRef>,
}

impl Days {
    fn z(&mut self, fact: &ShiftClosed) {
        let z = ZRef {
            till: fact.till.clone(),
            number: fact.z.number,
            shift: fact.shift,
        };
        self.zs.insert(z, Sums::of_z(&fact.z));
    }

    fn number(&mut self, fact: &DayNumbered) -> Vec<String> {
        let mut faults = Vec::new();
        let next = self.last.saturating_add(1);
        if fact.number != next {
            faults.push(format!("day {} is numbered, {next} is next", fact.number));
        }
        self.last = fact.number;
        let mut sums = Sums::default();
        for z in &fact.zs {
            match self.zs.get(z) {
                Some(own) => sums.add(own),
                None => faults.push(format!(
                    "day {} names Z {} of till {}, which is none",
                    fact.number, z.number, z.till
                )),
            }
            if !self.told.insert(z.clone()) {
                faults.push(format!(
                    "Z {} of till {} lies in two days, again in {}",
                    z.number, z.till, fact.number
                ));
            }
        }
        faults.extend(sums.compare(&format!("day {}", fact.number), &fact.totals));
        faults
    }
}

impl Sums {
    fn of_z(z: &ZReport) -> Sums {
        let t = &z.totals;
        Sums {
            zs: 1,
            sales: i128::from(t.sales),
            returns: i128::from(t.returns),
            net: i128::from(t.net),
            tax: i128::from(t.tax),
            cash_rounding: i128::from(t.cash_rounding),
            sales_due: i128::from(t.sales_due),
            returns_due: i128::from(t.returns_due),
            taxes: by_class(&t.taxes),
        }
    }

    fn add(&mut self, more: &Sums) {
        self.zs += more.zs;
        self.sales += more.sales;
        self.returns += more.returns;
        self.net += more.net;
        self.tax += more.tax;
        self.cash_rounding += more.cash_rounding;
        self.sales_due += more.sales_due;
        self.returns_due += more.returns_due;
        for (class, (net, tax)) in &more.taxes {
            let sum = self.taxes.entry(class.clone()).or_default();
            *sum = (sum.0 + net, sum.1 + tax);
        }
    }

    fn compare(&self, whose: &str, said: &PeriodTotals) -> Vec<String> {
        let figures = [
            ("zs", i128::from(said.zs), self.zs),
            ("sales", i128::from(said.sales), self.sales),
            ("returns", i128::from(said.returns), self.returns),
            ("net", i128::from(said.net), self.net),
            ("tax", i128::from(said.tax), self.tax),
            ("cash_rounding", i128::from(said.cash_rounding), self.cash_rounding),
            ("sales_due", i128::from(said.sales_due), self.sales_due),
            ("returns_due", i128::from(said.returns_due), self.returns_due),
        ];
        let wrong = figures.into_iter().filter(|(_, said, real)| said != real);
        let mut faults: Vec<String> = wrong
            .map(|(what, said, real)| format!("{whose}: {what} is {said}, its Zs add up to {real}"))
            .collect();
        if by_class(&said.taxes) != self.taxes {
            faults.push(format!("{whose}: its taxes are not those of its Zs"));
        }
        faults
    }
}

fn by_class(taxes: &[TaxSum]) -> BTreeMap<(String, String), (i128, i128)> {
    let mut all: BTreeMap<(String, String), (i128, i128)> = BTreeMap::new();
    for TaxSum {
        tax_class, rate, net, tax, ..
    } in taxes
    {
        let class = all.entry((tax_class.clone(), rate.clone())).or_default();
        *class = (class.0 + i128::from(*net), class.1 + i128::from(*tax));
    }
    all
}

impl Till {
    /// Cash that leaves (`sign` below nothing) or comes.
    fn transfer(&mut self, fact: &CashTransferred, shift: Option<Id>, sign: i128) -> Vec<String> {
        let open = self.open.as_ref().map(|open| open.shift);
        if open != shift {
            let told = |shift: Option<Id>| shift.map_or_else(|| "none".to_owned(), |shift| shift.to_string());
            return vec![format!("cash goes as in shift {}, but open is {}", told(shift), told(open))];
        }
        for sum in &fact.sums {
            let amount = i128::from(sum.amount);
            match &mut self.open {
                Some(open) if sum.currency == fact.currency && sign < 0 => open.cash.drops += amount,
                Some(open) if sum.currency == fact.currency => open.cash.received += amount,
                Some(open) => {
                    let flow = open.foreign.entry(sum.currency.clone()).or_default();
                    flow[if sign < 0 { 3 } else { 2 }] += amount;
                }
                None => *self.rest.get_or_insert_default().entry(sum.currency.clone()).or_default() += sign * amount,
            }
        }
        Vec::new()
    }

    /// Between shifts a count stands at once, and says what was expected.
    fn count(&mut self, fact: &TillCounted) -> Vec<String> {
        if fact.shift.is_some() {
            return Vec::new();
        }
        let mut faults = Vec::new();
        let rest = self.rest.take();
        for result in &fact.results {
            // Of a till that nobody counted yet nothing is known.
            let real = rest.as_ref().map(|rest| rest.get(&result.currency).copied().unwrap_or_default());
            if let Some(real) = real.filter(|real| i128::from(result.expected) != *real) {
                faults.push(format!(
                    "its count expects {} {}, {real} should lie there",
                    result.expected, result.currency
                ));
            }
            faults.extend(found(result));
        }
        let counts = fact.tally.counts.iter();
        self.rest = Some(counts.map(|count| (count.currency.clone(), i128::from(count.total))).collect());
        faults
    }
}

fn found(result: &CountResult) -> Option<String> {
    let over = i128::from(result.counted) - i128::from(result.expected);
    (i128::from(result.over_short) != over).then(|| format!("{} {} over or short, found were {over}", result.over_short, result.currency))
}

fn step(till: &mut Till, entry: &Entry) -> Vec<String> {
    let no_shift = |open: &Option<Open>, shift: Id, what: &str| match open {
        Some(open) if open.shift == shift => None,
        Some(open) => Some(format!("{what} in shift {shift}, but {} is open", open.shift)),
        None => Some(format!("{what} in shift {shift}, but no shift is open")),
    };
    match &entry.fact {
        Fact::ShiftOpened(fact) => {
            let fault = till.open.as_ref().map(|open| format!("opens a shift while {} is open", open.shift));
            till.open = Some(Open {
                shift: fact.shift,
                cash: ShiftSums {
                    float: i128::from(fact.float),
                    ..ShiftSums::default()
                },
                foreign: fact
                    .foreign
                    .iter()
                    .map(|sum| (sum.currency.clone(), [i128::from(sum.amount), 0, 0, 0]))
                    .collect(),
                ..Open::default()
            });
            till.rest = None;
            fault.into_iter().collect()
        }
        Fact::CashMoved(fact) => {
            let fault = no_shift(&till.open, fact.shift, "moves cash");
            let known = till.open.as_mut().is_none_or(|open| open.cash.add_move(&fact.kind, fact.amount));
            let unknown = (!known).then(|| format!("moves cash by {:?}, which no till knows", fact.kind));
            fault.into_iter().chain(unknown).collect()
        }
        Fact::TicketClosed(ticket) if ticket.end == "cancelled" => {
            // No money moved; it counts in whichever shift is open, if any.
            if let Some(open) = &mut till.open {
                open.cancelled += 1;
            }
            Vec::new()
        }
        // Practice and offers count nowhere.
        Fact::TicketClosed(ticket) if !ticket.counts() => Vec::new(),
        Fact::TicketClosed(ticket) => {
            let fault = no_shift(&till.open, ticket.shift, &format!("closes a {}", ticket.end));
            let due = i128::from(ticket.due);
            match ticket.counts_as_return() {
                false => till.perpetual_sales += due,
                true => till.perpetual_returns += due,
            }
            if let Some(open) = &mut till.open {
                open.add(ticket);
            }
            fault.into_iter().collect()
        }
        Fact::ShiftClosed(fact) => close(till, fact),
        _ => Vec::new(),
    }
}

impl Open {
    fn add(&mut self, ticket: &Ticket) {
        let due = i128::from(ticket.due);
        match ticket.counts_as_return() {
            false => {
                self.sales += 1;
                self.sales_due += due;
            }
            true => {
                self.returns += 1;
                self.returns_due += due;
            }
        }
        for tender in &ticket.tenders {
            let amount = i128::from(tender.amount);
            match (tender.kind.as_str(), &tender.foreign) {
                ("cash", Some(foreign)) => {
                    self.foreign.entry(foreign.currency.clone()).or_default()[1] += i128::from(foreign.amount);
                }
                ("cash", None) => {}
                ("card", _) if amount >= 0 => self.card_taken += amount,
                (kind, _) => {
                    let sum = self.tenders.entry(kind.to_owned()).or_default();
                    *sum = (sum.0 + amount.max(0), sum.1 + (-amount).max(0));
                }
            }
        }
        self.cash.add_ticket(ticket);
        self.net += i128::from(ticket.net);
        self.tax += i128::from(ticket.tax);
        self.cash_rounding += i128::from(ticket.cash_rounding);
        for TaxSum {
            tax_class, rate, net, tax, ..
        } in &ticket.taxes
        {
            let class = self.taxes.entry((tax_class.clone(), rate.clone())).or_default();
            *class = (class.0 + i128::from(*net), class.1 + i128::from(*tax));
        }
        let Some(receipt) = &ticket.receipt else { return };
        let same = |span: &&mut ReceiptSpan| (&span.last.register, span.last.series) == (&receipt.register, receipt.series);
        match self.receipts.iter_mut().find(same) {
            Some(span) => span.last = receipt.clone(),
            None => self.receipts.push(ReceiptSpan {
                first: receipt.clone(),
                last: receipt.clone(),
            }),
        }
    }
}

/// Compares every figure of a Z report with what the shift adds up to.
fn close(till: &mut Till, fact: &ShiftClosed) -> Vec<String> {
    let z = &fact.z;
    let mut faults = Vec::new();
    let number = till.last_z.saturating_add(1);
    till.last_z = z.number;
    let mut equal = |what: &str, said: i64, real: i128| {
        if i128::from(said) != real {
            faults.push(format!("Z {}: {what} is {said}, the shift adds up to {real}", z.number));
        }
    };
    let Some(open) = till.open.take().filter(|open| open.shift == fact.shift) else {
        return vec![format!("Z {} closes shift {}, which is not open", z.number, fact.shift)];
    };
    let t = &z.totals;
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    equal("its number", count(z.number), i128::from(number));
    equal("float", z.float, open.cash.float);
    equal("sales", count(t.sales), open.sales);
    equal("returns", count(t.returns), open.returns);
    equal("cancelled", count(t.cancelled), open.cancelled);
    equal("net", t.net, open.net);
    equal("tax", t.tax, open.tax);
    equal("cash_rounding", t.cash_rounding, open.cash_rounding);
    equal("sales_due", t.sales_due, open.sales_due);
    equal("returns_due", t.returns_due, open.returns_due);
    equal("card_taken", t.card_taken, open.card_taken);
    equal("cash_taken", t.cash_taken, open.cash.cash_taken);
    equal("change", t.change, open.cash.change);
    equal("cash_refunds", t.cash_refunds, open.cash.cash_refunds);
    equal("paid_in", t.paid_in, open.cash.paid_in);
    equal("paid_out", t.paid_out, open.cash.paid_out);
    equal("drops", t.drops, open.cash.drops);
    equal("received", t.received, open.cash.received);
    equal("expected", z.expected, open.cash.expected());
    equal("over_short", z.over_short, i128::from(z.counted) - i128::from(z.expected));
    equal("perpetual_sales", z.perpetual_sales, till.perpetual_sales);
    equal("perpetual_returns", z.perpetual_returns, till.perpetual_returns);
    faults.extend(lists(z, &open));
    faults.extend(others(z, &open));
    till.ever.add(&Sums::of_z(z));
    // A Z of the first version does not say in which currency it counts.
    till.rest = z.detail.as_ref().map(|detail| {
        let foreign = detail
            .foreign
            .iter()
            .map(|found| (found.currency.clone(), i128::from(found.counted)));
        std::iter::once((detail.currency.clone(), i128::from(z.counted)))
            .chain(foreign)
            .collect()
    });
    if let Some(detail) = &z.detail {
        faults.extend(till.ever.compare(&format!("Z {} since ever", z.number), &detail.periods.perpetual));
    }
    faults
}

/// What lies in no drawer, and foreign cash in its own currency.
fn others(z: &ZReport, open: &Open) -> Vec<String> {
    let mut faults = Vec::new();
    let said: BTreeMap<String, (i128, i128)> = z
        .totals
        .tenders
        .iter()
        .map(|sum| (sum.tender.clone(), (i128::from(sum.taken), i128::from(sum.refunded))))
        .collect();
    if said != open.tenders {
        faults.push(format!(
            "Z {}: tenders are {said:?}, the shift adds up to {:?}",
            z.number, open.tenders
        ));
    }
    let flow = |cash: &super::facts::ForeignCash| {
        let flow = &cash.flow;
        let known = [flow.float, flow.taken, flow.received, flow.drops].map(i128::from);
        (cash.currency.clone(), known)
    };
    let said: BTreeMap<String, [i128; 4]> = z.totals.foreign.iter().map(flow).collect();
    if said != open.foreign {
        faults.push(format!(
            "Z {}: foreign cash is {said:?}, the shift adds up to {:?}",
            z.number, open.foreign
        ));
    }
    let Some(detail) = &z.detail else { return faults };
    for result in &detail.foreign {
        let [float, taken, received, drops] = open.foreign.get(&result.currency).copied().unwrap_or_default();
        let real = float + taken + received - drops;
        if i128::from(result.expected) != real {
            faults.push(format!(
                "Z {}: expects {} {}, the shift adds up to {real}",
                z.number, result.expected, result.currency
            ));
        }
        faults.extend(found(result));
    }
    let told: HashSet<&str> = detail.foreign.iter().map(|result| result.currency.as_str()).collect();
    let unsaid = open.foreign.keys().filter(|currency| !told.contains(currency.as_str()));
    faults.extend(unsaid.map(|currency| format!("Z {}: does not say what was found of {currency}", z.number)));
    faults
}

/// Taxes and receipt numbers, in whatever order they stand.
fn lists(z: &ZReport, open: &Open) -> Vec<String> {
    let mut faults = Vec::new();
    let mut said: Vec<_> = z
        .totals
        .taxes
        .iter()
        .map(|sum| {
            (
                (sum.tax_class.clone(), sum.rate.clone()),
                (i128::from(sum.net), i128::from(sum.tax)),
            )
        })
        .collect();
    said.sort();
    let real: Vec<_> = open.taxes.clone().into_iter().collect();
    if said != real {
        faults.push(format!("Z {}: taxes are {said:?}, the shift adds up to {real:?}", z.number));
    }
    let show = |spans: &[ReceiptSpan]| {
        let mut spans: Vec<_> = spans.iter().map(|span| format!("{} to {}", span.first, span.last)).collect();
        spans.sort();
        spans.join(", ")
    };
    let (said, real) = (show(&z.totals.receipts), show(&open.receipts));
    if said != real {
        faults.push(format!("Z {}: its receipts are {said:?}, the shift's are {real:?}", z.number));
    }
    faults
}
