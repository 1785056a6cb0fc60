//! Law 7: what moved is what was sold, brought back or held at the beginning, and the moves add up to what store and head office
//! say is on hand.

use std::collections::BTreeMap;

use super::evidence::Evidence;
use super::facts::{Fact, StockMove, Ticket};
use super::fold::{Fold, Whose};
use super::headoffice;
use super::report::Findings;
use super::shop::Shop;

pub fn check(findings: &mut Findings, shop: &Shop<'_>) {
    for told in &shop.entries {
        let entry = told.entry;
        let fault = match &entry.fact {
            Fact::StockOpened(fact) => reasons(&fact.moves, "opening"),
            Fact::TicketClosed(ticket) => moves_of(ticket),
            _ => continue,
        };
        findings.looked();
        if let Some(fault) = fault {
            findings.broken(|| entry.place(), || fault);
        }
    }
    for store in &shop.boxes {
        let Some(state) = &store.state else { continue };
        let fold = Fold::of(&store.export.entries);
        fold.compare(findings, "stock", shop.store.as_str(), Whose::Box, state);
    }
}

/// Head office's figures, as far as it has applied the entries it holds.
pub fn at_hq(findings: &mut Findings, evidence: &Evidence) {
    for (copy, projections) in headoffice::copies(evidence) {
        copy.fold()
            .compare(findings, "stock", copy.store.as_str(), Whose::HeadOffice, projections);
    }
}

fn reasons(moves: &[StockMove], reason: &str) -> Option<String> {
    let wrong = moves.iter().find(|moved| moved.reason != reason)?;
    Some(format!(
        "moves {} {} for the reason {:?} instead of {reason}",
        wrong.delta, wrong.sku, wrong.reason
    ))
}

/// A ticket moves exactly what its lines say, per item. What comes back is a return, whatever the ticket is.
fn moves_of(ticket: &Ticket) -> Option<String> {
    let mut left: BTreeMap<&str, i128> = BTreeMap::new();
    if ticket.counts() {
        for line in ticket.counted_lines().filter(|line| line.is_goods()) {
            *left.entry(&line.sku).or_default() -= i128::from(line.quantity);
        }
    }
    for moved in &ticket.moves {
        *left.entry(&moved.sku).or_default() -= i128::from(moved.delta);
    }
    if let Some((sku, difference)) = left.into_iter().find(|(_, difference)| *difference != 0) {
        return Some(format!("moves {difference} thousandths of {sku} less than its lines say"));
    }
    let (back, sold): (Vec<StockMove>, Vec<StockMove>) = ticket.moves.iter().cloned().partition(|moved| moved.delta > 0);
    reasons(&back, "return").or_else(|| reasons(&sold, "sale"))
}
