//! Law 3: receipt numbers per register and series run 1, 2, 3 ... in the order of the journal. Training and quotations have series of their
//! own, so that no receipt is missing where somebody practised.

use std::collections::HashMap;

use super::facts::Fact;
use super::report::Findings;
use super::shop::Shop;

pub fn check(findings: &mut Findings, shop: &Shop<'_>) {
    let mut next: HashMap<(&str, u32), u64> = HashMap::new();
    let mut series_of: HashMap<u32, u32> = HashMap::new();
    for told in &shop.entries {
        let entry = told.entry;
        let place = || entry.place();
        let epoch = entry.header.epoch;
        match &entry.fact {
            Fact::EpochOpened(opened) => {
                let before = series_of.iter().find(|(_, series)| **series == opened.series);
                findings.demand(before.is_none(), place, || {
                    format!("opens series {} again; a new epoch needs a new series", opened.series)
                });
                series_of.insert(epoch, opened.series);
            }
            Fact::TicketClosed(ticket) => {
                let Some(receipt) = &ticket.receipt else {
                    findings.demand(ticket.end == "cancelled", place, || {
                        format!("a {} without a receipt number", ticket.end)
                    });
                    continue;
                };
                findings.looked();
                findings.demand(receipt.register == ticket.register, place, || {
                    format!("receipt {receipt} was given out on register {}", ticket.register)
                });
                let series = series_of.get(&epoch).map(|series| series.saturating_add(row_of(&ticket.end)));
                findings.demand(series.is_none_or(|series| series == receipt.series), place, || {
                    format!(
                        "receipt {receipt} is not of the series {:?} that epoch {epoch} opened",
                        series.unwrap_or(0)
                    )
                });
                let expected = next.entry((&receipt.register, receipt.series)).or_insert(1);
                let (number, due) = (receipt.number, *expected);
                findings.demand(number == due, place, || {
                    let what = if number < due { "is used again" } else { "leaves a gap" };
                    format!("receipt {receipt} {what}, {due} is next")
                });
                // After a gap the count goes on from there, so that one hole is told once.
                *expected = number.max(due.saturating_sub(1)).saturating_add(1);
            }
            _ => {}
        }
    }
}

/// How far above the receipts' series the numbers of such a ticket lie.
fn row_of(end: &str) -> u32 {
    match end {
        "training" => 1_000_000_000,
        "quotation" => 2_000_000_000,
        _ => 0,
    }
}
