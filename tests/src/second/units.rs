//! A line of the basket while promotions look at it.

use super::number;
use super::paper::{BasketLine, Item, Reason, SoldBy};

pub struct Line<'a> {
    pub number: usize,
    pub item: &'a Item,
    pub wanted: &'a BasketLine,
    pub quantity: i128,
    pub unit_price: i128,
    pub amount: i128,
    pub saved: i128,
    /// Units no promotion of the first round has claimed; a line sold by measure is one unit.
    pub free: i128,
    pub has_alone: bool,
    pub eligible: bool,
    pub reasons: Vec<Reason>,
}

pub fn whole_units(item: &Item, quantity: i128) -> i128 {
    match item.sold_by {
        SoldBy::Piece => (quantity / 1000).max(0),
        SoldBy::Measure => i128::from(quantity > 0),
    }
}

impl Line<'_> {
    pub fn measured(&self) -> bool {
        self.item.sold_by == SoldBy::Measure
    }

    pub fn left(&self) -> i128 {
        self.amount - self.saved
    }

    /// Takes a saving off; nothing is not a reason.
    pub fn give(&mut self, reason: &str, source: Option<&str>, saving: i128) {
        if saving == 0 {
            return;
        }
        self.saved += saving;
        let same = |known: &&mut Reason| known.reason == reason && known.source.as_deref() == source;
        match self.reasons.iter_mut().find(same) {
            Some(known) => known.amount -= saving,
            None => self.reasons.push(Reason {
                reason: reason.to_owned(),
                amount: -saving,
                source: source.map(str::to_owned),
            }),
        }
    }

    /// So much per whole unit of what is in this line.
    pub fn per_unit(&self, each: i128, units: i128) -> i128 {
        if self.measured() {
            number::times(each, self.quantity)
        } else {
            each * units
        }
    }
}
