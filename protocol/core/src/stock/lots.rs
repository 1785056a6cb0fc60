//! Lots: how much of each is on hand, which one goes first, and where a lot came from and went to when it is called back.
//!
//! The books by item are what counts; a lot says where a part of them is. A lot may go below nothing when the wrong label was scanned.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::catalog::Sku;
use crate::ids::{DeliveryId, ReceiptNo, StoreId};
use crate::money::Quantity;
use crate::stock::room::Stockroom;
use crate::stock::{LotNo, MoveReason, OrderNo, StockMove, Unit};

/// Where a lot came from or went to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    Purchase {
        delivery: DeliveryId,
        order: Option<OrderNo>,
    },
    Transfer {
        delivery: DeliveryId,
        from: StoreId,
    },
    /// A customer's receipt.
    Receipt(ReceiptNo),
    Other,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LotState {
    pub on_hand: Quantity,
    pub damaged: Quantity,
    pub best_before: Option<Date>,
    came_with: BTreeSet<Source>,
    went_with: BTreeSet<ReceiptNo>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Lots(BTreeMap<Sku, BTreeMap<LotNo, LotState>>);

/// So much of one lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    pub lot: LotNo,
    pub quantity: Quantity,
    pub best_before: Option<Date>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picks {
    pub picks: Vec<Pick>,
    /// What no lot that is still good can give.
    pub missing: Quantity,
    /// Lots on hand that are past their date, to be taken off the shelf.
    pub expired: Vec<Pick>,
}

/// Everything known of a lot that is called back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recall {
    pub on_hand: Quantity,
    pub damaged: Quantity,
    /// Deliveries it came with.
    pub came_with: Vec<Source>,
    /// Receipts of the customers who have it.
    pub sold_with: Vec<ReceiptNo>,
}

impl Stockroom {
    pub fn lot(&self, sku: &Sku, lot: &LotNo) -> Option<&LotState> {
        self.lots.0.get(sku)?.get(lot)
    }

    /// First expired, first out: which lots to take for so much. What is past its date today is never suggested.
    pub fn suggest_lots(&self, sku: &Sku, wanted: Quantity, today: Date) -> Picks {
        let mut lots: Vec<_> = self
            .lots
            .0
            .get(sku)
            .into_iter()
            .flatten()
            .filter(|(_, lot)| lot.on_hand.0 > 0)
            .collect();
        lots.sort_by_key(|(number, lot)| (lot.best_before.is_none(), lot.best_before, *number));
        let mut found = Picks {
            missing: Quantity(wanted.0.max(0)),
            ..Picks::default()
        };
        for (number, lot) in lots {
            let pick = |quantity| Pick {
                lot: number.clone(),
                quantity,
                best_before: lot.best_before,
            };
            if lot.best_before.is_some_and(|last| last < today) {
                found.expired.push(pick(lot.on_hand));
                continue;
            }
            let taken = lot.on_hand.min(found.missing);
            if taken.0 > 0 {
                found.missing.0 -= taken.0;
                found.picks.push(pick(taken));
            }
        }
        found
    }

    /// Where a lot is and was. None for one this store never had.
    pub fn recall(&self, sku: &Sku, lot: &LotNo) -> Option<Recall> {
        let found = self.lot(sku, lot)?;
        Some(Recall {
            on_hand: found.on_hand,
            damaged: found.damaged,
            came_with: found.came_with.iter().cloned().collect(),
            sold_with: found.went_with.iter().copied().collect(),
        })
    }
}

impl Lots {
    pub(super) fn on_hand(&self, sku: &Sku, lot: &LotNo) -> Quantity {
        let found = self.0.get(sku).and_then(|lots| lots.get(lot));
        found.map(|lot| lot.on_hand).unwrap_or_default()
    }

    pub(super) fn moved(&mut self, moves: &[StockMove], source: Source) {
        for moved in moves {
            let parts = moved.units.iter().filter_map(|unit| match unit {
                Unit::Lot(part) => Some(part),
                Unit::Serial(_) | Unit::Epc(_) => None,
            });
            for part in parts {
                let lot = self.0.entry(moved.sku.clone()).or_default().entry(part.lot.clone()).or_default();
                let sign = moved.delta.0.signum();
                lot.on_hand.0 = lot.on_hand.0.saturating_add(part.quantity.0.saturating_mul(sign));
                if moved.reason == MoveReason::Damage {
                    lot.damaged.0 = lot.damaged.0.saturating_sub(part.quantity.0.saturating_mul(sign));
                }
                // Of two labels the earlier date is the careful one.
                lot.best_before = match (lot.best_before, part.best_before) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
                match (&source, moved.delta.0 < 0) {
                    (Source::Receipt(receipt), true) => drop(lot.went_with.insert(*receipt)),
                    (Source::Purchase { .. } | Source::Transfer { .. }, _) => drop(lot.came_with.insert(source.clone())),
                    (Source::Receipt(_), false) | (Source::Other, _) => {}
                }
            }
        }
    }
}
