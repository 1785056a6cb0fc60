//! Stock: what moved and why, what is on hand and what it cost, and every rule by which goods come, wait, travel, are counted and go.
//!
//! Only the box moves its stock. What has happened can not be refused: what left the shop has left it, so an item may go below zero
//! and is shown as such. What is *asked for* is decided here, by the rooms below, and becomes a fact or a refusal with a name:
//!
//! - `words`: serials, lots, tags, cartons, reasons as types; `cost`: the moving average;
//! - `room`: the [`Stockroom`], the fold of one store's facts, and what may be asked of it;
//! - `reserve`, `adjust`, `transfer`, `purchase`, `count`, `units`, `lots`, `low`: one piece of business each.
//!
//! Knows no prices, no customers and no clock. Where in the shop a thing lies is known only while it is counted.

mod adjust;
#[cfg(test)]
mod adjust_tests;
mod cost;
mod count;
mod count_fold;
mod count_log;
#[cfg(test)]
mod count_tests;
#[cfg(test)]
mod laws_tests;
mod lots;
mod low;
mod purchase;
#[cfg(test)]
mod purchase_tests;
mod refusal;
mod reserve;
#[cfg(test)]
mod reserve_tests;
mod room;
#[cfg(test)]
mod shop_for_tests;
mod transfer;
#[cfg(test)]
mod transfer_tests;
mod units;
#[cfg(test)]
mod units_tests;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::Sku;
use crate::money::{Money, MoneyError, Quantity};

pub use adjust::{Adjustment, Edit, EditLine, StockRequest};
pub use cost::{Booked, Worth};
pub use count::{Approver, CountRules, CountScope, CountStart, Counting, Reading, Verdict, WhyAgain};
pub use lots::{LotState, Pick, Picks, Recall, Source};
pub use purchase::{Delivered, OrderPlacement, OrderState, Receiving, ReceivingLine};
pub use refusal::Refusal;
pub use reserve::{Purpose, ReleaseReason, Wish, take_apart};
pub use room::{ItemRule, Items, Mark, Oversell, Position, Stockroom, Tracking};
pub use transfer::{Arrival, ArrivalLine, Dispatch, DispatchLine, Parcel, Transfers};
pub use units::{UnitState, UnitStep};
pub use words::{EpcName, LotNo, LotPart, OrderNo, Place, Portion, ReasonCode, Serial, Sscc, SupplierCode, Unit, WordError};

/// Why something moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveReason {
    /// What the shop held when the box began to count.
    Opening,
    Sale,
    Return,
    /// Came from a supplier.
    Receipt,
    /// A person, or a request the box accepted, put the books right.
    Adjustment,
    /// Left for another store, and came from one.
    TransferOut,
    TransferIn,
    /// A count was approved.
    Count,
    /// Out of what can be sold into what is damaged (negative), and back (positive).
    Damage,
    ReturnToVendor,
    /// Handed over when a layaway was paid up. Until then a layaway only holds goods, by a reservation.
    Layaway,
}

impl MoveReason {
    pub const ALL: [MoveReason; 11] = [
        MoveReason::Opening,
        MoveReason::Sale,
        MoveReason::Return,
        MoveReason::Receipt,
        MoveReason::Adjustment,
        MoveReason::TransferOut,
        MoveReason::TransferIn,
        MoveReason::Count,
        MoveReason::Damage,
        MoveReason::ReturnToVendor,
        MoveReason::Layaway,
    ];

    /// The word in facts and exports.
    pub fn word(self) -> &'static str {
        match self {
            MoveReason::Opening => "opening",
            MoveReason::Sale => "sale",
            MoveReason::Return => "return",
            MoveReason::Receipt => "receipt",
            MoveReason::Adjustment => "adjustment",
            MoveReason::TransferOut => "transfer_out",
            MoveReason::TransferIn => "transfer_in",
            MoveReason::Count => "count",
            MoveReason::Damage => "damage",
            MoveReason::ReturnToVendor => "return_to_vendor",
            MoveReason::Layaway => "layaway",
        }
    }

    pub fn from_word(word: &str) -> Option<MoveReason> {
        MoveReason::ALL.into_iter().find(|reason| reason.word() == word)
    }
}

/// One item, so many more or fewer on hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockMove {
    pub sku: Sku,
    pub delta: Quantity,
    pub reason: MoveReason,
    /// What all of it cost, where known. The whole and not the unit, because three for a euro have no unit cost in cents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// Which ones: serials, tags, lots, where the item has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<Unit>,
}

impl StockMove {
    pub fn new(sku: Sku, delta: Quantity, reason: MoveReason) -> Self {
        Self {
            sku,
            delta,
            reason,
            cost: None,
            units: Vec::new(),
        }
    }

    /// What one unit cost, for people; the books go by the whole.
    pub fn unit_cost(&self) -> Option<Money> {
        let per_unit = cost::part(self.cost?, Quantity::ONE.0, i64::try_from(self.delta.0.unsigned_abs()).ok()?);
        per_unit.ok()
    }
}

/// What is held of one item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub on_hand: Quantity,
    /// Still in the shop and not for sale; not part of `on_hand`.
    pub damaged: Quantity,
    pub worth: Worth,
}

impl Held {
    /// Sold or sent before the books knew of it. A count or a receipt puts it right.
    pub fn is_negative(&self) -> bool {
        self.on_hand.0 < 0
    }

    fn moved(mut self, moved: &StockMove) -> Result<(Held, Booked), MoneyError> {
        let (worth, booked) = self.worth.moved(self.on_hand, moved.delta, moved.cost)?;
        self.on_hand = plus(self.on_hand, moved.delta)?;
        if moved.reason == MoveReason::Damage {
            self.damaged = minus(self.damaged, moved.delta)?;
        }
        self.worth = worth;
        Ok((self, booked))
    }
}

/// What is on hand, per item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock(BTreeMap<Sku, Held>);

impl Stock {
    pub fn on_hand(&self, sku: &Sku) -> Quantity {
        self.held(sku).on_hand
    }

    pub fn held(&self, sku: &Sku) -> Held {
        self.0.get(sku).copied().unwrap_or_default()
    }

    pub fn set(&mut self, sku: Sku, on_hand: Quantity) {
        self.0.entry(sku).or_default().on_hand = on_hand;
    }

    pub fn apply(&mut self, moved: &StockMove) -> Result<Quantity, MoneyError> {
        self.book(moved)?;
        Ok(self.on_hand(&moved.sku))
    }

    /// Takes a move in and says what it was worth. An error changes nothing.
    pub fn book(&mut self, moved: &StockMove) -> Result<Booked, MoneyError> {
        let (held, booked) = self.held(&moved.sku).moved(moved)?;
        self.0.insert(moved.sku.clone(), held);
        Ok(booked)
    }

    /// All moves of a fact or none.
    pub fn apply_all(&mut self, moves: &[StockMove]) -> Result<(), MoneyError> {
        let mut after = self.only(moves.iter().map(|moved| &moved.sku));
        for moved in moves {
            after.book(moved)?;
        }
        self.0.extend(after.0);
        Ok(())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Sku, Quantity)> {
        self.0.iter().map(|(sku, held)| (sku, held.on_hand))
    }

    /// A copy of a few items, to try something out.
    fn only<'a>(&self, skus: impl IntoIterator<Item = &'a Sku>) -> Stock {
        Stock(skus.into_iter().map(|sku| (sku.clone(), self.held(sku))).collect())
    }
}

/// For fuzzers: any bytes are a serial, a lot, a carton, a tag, a reason or a place, or refused by name.
pub fn fuzz_one(bytes: &[u8]) {
    words::fuzz_one(bytes);
}

fn plus(a: Quantity, b: Quantity) -> Result<Quantity, MoneyError> {
    a.0.checked_add(b.0).map(Quantity).ok_or(MoneyError::TooLarge)
}

fn minus(a: Quantity, b: Quantity) -> Result<Quantity, MoneyError> {
    a.0.checked_sub(b.0).map(Quantity).ok_or(MoneyError::TooLarge)
}

fn negated(quantity: Quantity) -> Result<Quantity, MoneyError> {
    quantity.0.checked_neg().map(Quantity).ok_or(MoneyError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sku() -> Sku {
        "TEE-M".parse().unwrap()
    }

    #[test]
    fn what_is_sold_and_brought_back_is_on_hand_again() {
        let mut stock = Stock::default();
        for (delta, reason) in [(5000, MoveReason::Opening), (-2000, MoveReason::Sale), (2000, MoveReason::Return)] {
            stock.apply(&StockMove::new(sku(), Quantity(delta), reason)).unwrap();
        }
        assert_eq!(stock.on_hand(&sku()), Quantity(5000));
    }

    #[test]
    fn damaged_goods_leave_what_can_be_sold_and_come_back_when_mended() {
        let mut stock = Stock::default();
        for (delta, reason) in [(5000, MoveReason::Opening), (-2000, MoveReason::Damage), (1000, MoveReason::Damage)] {
            stock.apply(&StockMove::new(sku(), Quantity(delta), reason)).unwrap();
        }
        assert_eq!(stock.held(&sku()).on_hand, Quantity(4000));
        assert_eq!(stock.held(&sku()).damaged, Quantity(1000));
    }

    #[test]
    fn a_move_without_cost_and_units_is_written_as_it_always_was() {
        let moved = StockMove::new(sku(), Quantity(-1000), MoveReason::Sale);
        let text = serde_json::to_string(&moved).unwrap();
        assert_eq!(text, r#"{"sku":"TEE-M","delta":-1000,"reason":"sale"}"#);
        assert_eq!(serde_json::from_str::<StockMove>(&text).unwrap(), moved);
    }

    #[test]
    fn every_reason_has_the_word_its_json_has() {
        for reason in MoveReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.word());
            assert_eq!(MoveReason::from_word(reason.word()), Some(reason));
        }
    }

    #[test]
    fn of_many_moves_all_count_or_none() {
        let mut stock = Stock::default();
        let other: Sku = "MUG".parse().unwrap();
        let moves = [
            StockMove::new(other.clone(), Quantity(1000), MoveReason::Opening),
            StockMove::new(sku(), Quantity(i64::MAX), MoveReason::Opening),
            StockMove::new(sku(), Quantity(1), MoveReason::Opening),
        ];
        assert_eq!(stock.apply_all(&moves), Err(MoneyError::TooLarge));
        assert_eq!(stock.on_hand(&other), Quantity(0));
    }
}
