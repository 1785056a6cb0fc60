//! Running low: an item that falls to the point at which it is ordered again is told once, however often it moves below.
//!
//! What was told is in the journal, so neither a restart nor a point that is changed tells it twice or not at all. Orders nothing.

use std::collections::BTreeSet;

use crate::catalog::Sku;
use crate::facts::{Crossing, StockCrossed};
use crate::money::Quantity;
use crate::stock::room::Stockroom;

#[derive(Clone, Debug, Default)]
pub(super) struct Low {
    told: BTreeSet<Sku>,
}

impl Stockroom {
    /// Whether an item crossed its point since that was told last; asked after its moves are taken in.
    pub fn crossing(&self, sku: &Sku, point: Quantity) -> Option<StockCrossed> {
        let on_hand = self.stock.on_hand(sku);
        let crossing = match (on_hand <= point, self.low.told.contains(sku)) {
            (true, false) => Crossing::Down,
            (false, true) => Crossing::Up,
            _ => return None,
        };
        Some(StockCrossed {
            sku: sku.clone(),
            crossing,
            on_hand,
            point,
        })
    }
}

impl Low {
    pub(super) fn crossed(&mut self, fact: &StockCrossed) {
        match fact.crossing {
            Crossing::Down => drop(self.told.insert(fact.sku.clone())),
            Crossing::Up => drop(self.told.remove(&fact.sku)),
        }
    }
}
