//! Stock moves and what is on hand: the fold of all moves, per item.
//!
//! Only the box moves its stock; nothing here asks whether a sale is allowed. What left the shop has left it, so a count may
//! go below zero and is shown as such. Reservations, transfers and counts are not here yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::Sku;
use crate::money::{MoneyError, Quantity};

/// Why something moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveReason {
    /// What the shop held when the box began to count.
    Opening,
    Sale,
    Return,
}

/// One item, so many more or fewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockMove {
    pub sku: Sku,
    pub delta: Quantity,
    pub reason: MoveReason,
}

/// What is on hand, per item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock(BTreeMap<Sku, Quantity>);

impl Stock {
    pub fn on_hand(&self, sku: &Sku) -> Quantity {
        self.0.get(sku).copied().unwrap_or_default()
    }

    pub fn set(&mut self, sku: Sku, on_hand: Quantity) {
        self.0.insert(sku, on_hand);
    }

    pub fn apply(&mut self, moved: &StockMove) -> Result<Quantity, MoneyError> {
        let held = self.0.entry(moved.sku.clone()).or_default();
        held.0 = held.0.checked_add(moved.delta.0).ok_or(MoneyError::TooLarge)?;
        Ok(*held)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Sku, Quantity)> {
        self.0.iter().map(|(sku, quantity)| (sku, *quantity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sold_and_brought_back_is_on_hand_again() {
        let sku: Sku = "TEE-M".parse().unwrap();
        let mut stock = Stock::default();
        for (delta, reason) in [(5000, MoveReason::Opening), (-2000, MoveReason::Sale), (2000, MoveReason::Return)] {
            stock
                .apply(&StockMove {
                    sku: sku.clone(),
                    delta: Quantity(delta),
                    reason,
                })
                .unwrap();
        }
        assert_eq!(stock.on_hand(&sku), Quantity(5000));
    }
}
