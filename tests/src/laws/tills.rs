//! Law 6: each till's shifts follow one another, each sale lies in exactly one of them, and each Z report says what they add up to.

use std::collections::{BTreeMap, HashMap};

use super::entry::Entry;
use super::facts::{Fact, ReceiptSpan, ShiftClosed, TaxSum, Ticket, ZReport};
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
}

fn walk(findings: &mut Findings, history: &History<'_>) {
    let mut tills: HashMap<&str, Till> = HashMap::new();
    for (at, entry) in history.entries.iter().enumerate() {
        let news = at >= history.news_from;
        let till = match &entry.fact {
            Fact::ShiftOpened(fact) => &fact.till,
            Fact::CashMoved(fact) => &fact.till,
            Fact::TicketClosed(fact) => &fact.till,
            Fact::ShiftClosed(fact) => &fact.till,
            _ => continue,
        };
        let faults = step(tills.entry(till).or_default(), entry);
        if !news {
            continue;
        }
        findings.looked();
        for fault in faults {
            findings.broken(|| format!("{}, till {till}", entry.place()), || fault);
        }
    }
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
                ..Open::default()
            });
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
        Fact::TicketClosed(ticket) => {
            let fault = no_shift(&till.open, ticket.shift, &format!("closes a {}", ticket.end));
            let due = i128::from(ticket.due);
            match ticket.end.as_str() {
                "sale" => till.perpetual_sales += due,
                _ => till.perpetual_returns += due,
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
        match ticket.end.as_str() {
            "sale" => {
                let cards = ticket.tenders.iter().filter(|tender| tender.kind == "card");
                self.card_taken += cards.map(|tender| i128::from(tender.amount)).sum::<i128>();
                self.sales += 1;
                self.sales_due += due;
            }
            _ => {
                self.returns += 1;
                self.returns_due += due;
            }
        }
        self.cash.add_ticket(ticket);
        self.net += i128::from(ticket.net);
        self.tax += i128::from(ticket.tax);
        self.cash_rounding += i128::from(ticket.cash_rounding);
        for TaxSum { tax_class, rate, net, tax } in &ticket.taxes {
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
    equal("expected", z.expected, open.cash.expected());
    equal("over_short", z.over_short, i128::from(z.counted) - i128::from(z.expected));
    equal("perpetual_sales", z.perpetual_sales, till.perpetual_sales);
    equal("perpetual_returns", z.perpetual_returns, till.perpetual_returns);
    faults.extend(lists(z, &open));
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
