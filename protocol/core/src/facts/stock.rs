//! Facts about stock: what was put right, held, sent, received, counted, and which pieces went where.
//!
//! Every fact that changes what is on hand says so in its `moves`; whoever only wants to know what is on hand adds those up and needs
//! nothing else. People stand here by code, reasons as words of a list.

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::catalog::Sku;
use crate::ids::{CommandId, CountId, DeliveryId, ReservationId, StaffId, StockRequestId, StoreId, TicketId, TransferId};
use crate::money::{Money, Quantity};
use crate::stock::{
    CountRules, CountScope, Mark, OrderNo, Place, Portion, Purpose, ReasonCode, ReleaseReason, Sscc, StockMove, SupplierCode, Unit,
    UnitStep,
};
use crate::time::Instant;

/// One fact about stock, one journal entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum StockFact {
    StockAdjusted(StockAdjusted),
    StockRequestRefused(StockRequestRefused),
    StockReserved(StockReserved),
    ReservationReleased(ReservationReleased),
    ReservationConsumed(ReservationConsumed),
    TransferDispatched(TransferDispatched),
    TransferReceived(TransferReceived),
    TransferClosed(TransferClosed),
    PurchaseOrdered(PurchaseOrdered),
    PurchaseReceived(PurchaseReceived),
    PurchaseClosed(PurchaseClosed),
    CountStarted(CountStarted),
    CountEntered(CountEntered),
    CountEnded(CountEnded),
    CountApproved(CountApproved),
    UnitsMarked(UnitsMarked),
    StockCrossed(StockCrossed),
}

impl StockFact {
    pub fn kind(&self) -> Kind {
        match self {
            StockFact::StockAdjusted(_) => Kind::StockAdjusted,
            StockFact::StockRequestRefused(_) => Kind::StockRequestRefused,
            StockFact::StockReserved(_) => Kind::StockReserved,
            StockFact::ReservationReleased(_) => Kind::ReservationReleased,
            StockFact::ReservationConsumed(_) => Kind::ReservationConsumed,
            StockFact::TransferDispatched(_) => Kind::TransferDispatched,
            StockFact::TransferReceived(_) => Kind::TransferReceived,
            StockFact::TransferClosed(_) => Kind::TransferClosed,
            StockFact::PurchaseOrdered(_) => Kind::PurchaseOrdered,
            StockFact::PurchaseReceived(_) => Kind::PurchaseReceived,
            StockFact::PurchaseClosed(_) => Kind::PurchaseClosed,
            StockFact::CountStarted(_) => Kind::CountStarted,
            StockFact::CountEntered(_) => Kind::CountEntered,
            StockFact::CountEnded(_) => Kind::CountEnded,
            StockFact::CountApproved(_) => Kind::CountApproved,
            StockFact::UnitsMarked(_) => Kind::UnitsMarked,
            StockFact::StockCrossed(_) => Kind::StockCrossed,
        }
    }

    /// What this fact does to what is on hand.
    pub fn moves(&self) -> &[StockMove] {
        match self {
            StockFact::StockAdjusted(fact) => &fact.moves,
            StockFact::TransferDispatched(fact) => &fact.moves,
            StockFact::TransferReceived(fact) => &fact.moves,
            StockFact::PurchaseReceived(fact) => &fact.moves,
            StockFact::CountApproved(fact) => &fact.moves,
            StockFact::StockRequestRefused(_)
            | StockFact::StockReserved(_)
            | StockFact::ReservationReleased(_)
            | StockFact::ReservationConsumed(_)
            | StockFact::TransferClosed(_)
            | StockFact::PurchaseOrdered(_)
            | StockFact::PurchaseClosed(_)
            | StockFact::CountStarted(_)
            | StockFact::CountEntered(_)
            | StockFact::CountEnded(_)
            | StockFact::UnitsMarked(_)
            | StockFact::StockCrossed(_) => &[],
        }
    }
}

/// The books were put right, or goods left or came for a reason that is no sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockAdjusted {
    pub adjustment: CommandId,
    /// None where a request from outside was accepted; head office knows who asked.
    pub by: Option<StaffId>,
    pub reason: ReasonCode,
    /// The request that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<StockRequestId>,
    pub moves: Vec<StockMove>,
}

/// A change somebody outside the box asked for and did not get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRequestRefused {
    pub request: StockRequestId,
    pub sku: Sku,
    pub delta: Quantity,
    /// The refusal's stable code, and its sentence.
    pub code: String,
    pub why: String,
}

/// Goods are held for somebody, bundles taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReserved {
    pub reservation: ReservationId,
    pub purpose: Purpose,
    pub lines: Vec<Portion>,
    /// From this instant on nothing is held any more.
    pub until: Option<Instant>,
    /// Items of which more is promised than there is, as their policy allows.
    pub oversold: Vec<Sku>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationReleased {
    pub reservation: ReservationId,
    pub why: ReleaseReason,
}

/// What was held was sold with this ticket; what the ticket did not take is free again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationConsumed {
    pub reservation: ReservationId,
    pub ticket: TicketId,
}

/// Goods left for another store. The moves say what they cost, so that they arrive there at that cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferDispatched {
    pub transfer: TransferId,
    pub from: StoreId,
    pub to: StoreId,
    pub by: StaffId,
    pub moves: Vec<StockMove>,
}

/// Goods came from another store; perhaps not all, perhaps before anybody here knew that they left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferReceived {
    pub transfer: TransferId,
    pub delivery: DeliveryId,
    pub from: StoreId,
    pub to: StoreId,
    pub by: StaffId,
    pub lines: Vec<ArrivedLine>,
    pub moves: Vec<StockMove>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivedLine {
    pub sku: Sku,
    /// All that came, damaged ones too.
    pub arrived: Quantity,
    pub damaged: Quantity,
}

/// Nothing more will come of this transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferClosed {
    pub transfer: TransferId,
    pub from: StoreId,
    pub to: StoreId,
    pub by: StaffId,
    pub lost: Vec<LostLine>,
}

/// What was on its way and never came; negative where more came than was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostLine {
    pub sku: Sku,
    pub quantity: Quantity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
}

/// An order to a supplier that the store will receive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseOrdered {
    pub order: OrderNo,
    pub supplier: SupplierCode,
    pub lines: Vec<OrderLine>,
    /// What the supplier said is in which carton, if he did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cartons: Vec<Carton>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub line: u32,
    pub sku: Sku,
    pub quantity: Quantity,
    /// What all of the line costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carton {
    pub sscc: Sscc,
    pub lines: Vec<CartonLine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartonLine {
    /// The line of the order.
    pub line: u32,
    pub quantity: Quantity,
}

/// Goods came from a supplier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseReceived {
    pub delivery: DeliveryId,
    /// None for goods nobody ordered in writing.
    pub order: Option<OrderNo>,
    pub by: StaffId,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cartons: Vec<Sscc>,
    pub lines: Vec<PurchasedLine>,
    pub moves: Vec<StockMove>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchasedLine {
    /// The line of the order; none without an order.
    pub line: Option<u32>,
    pub sku: Sku,
    pub arrived: Quantity,
    pub damaged: Quantity,
    /// What all that arrived cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
}

/// Nothing more is expected of this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseClosed {
    pub order: OrderNo,
    pub by: StaffId,
    /// What never came, by line of the order.
    pub short: Vec<CartonLine>,
}

/// Somebody began to count; the shop sells on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountStarted {
    pub count: CountId,
    pub by: StaffId,
    pub scope: CountScope,
    pub rules: CountRules,
    /// The position: the last entry whose moves are in what was on hand when the count began.
    pub base: Mark,
}

/// One person counted in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountEntered {
    pub count: CountId,
    pub place: Place,
    pub by: StaffId,
    pub lines: Vec<CountedLine>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedLine {
    pub sku: Sku,
    pub counted: Quantity,
    /// The last entry before the counting, and what the books had on hand then.
    pub at: Mark,
    pub on_hand: Quantity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountEnd {
    /// Waits for a person's approval; nothing has moved.
    Closed,
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountEnded {
    pub count: CountId,
    pub by: StaffId,
    pub end: CountEnd,
    pub proposed: Vec<Proposed>,
    /// Items that should have been counted again and stay as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Sku>,
}

/// An item of which the shelf and the books differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    pub sku: Sku,
    pub counted: Quantity,
    /// On hand by the books at the instant of the counting.
    pub on_hand: Quantity,
    pub at: Mark,
}

/// A person looked at what a count proposes; these were put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountApproved {
    pub count: CountId,
    pub by: StaffId,
    pub moves: Vec<StockMove>,
}

/// Pieces changed their state without moving in the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitsMarked {
    pub sku: Sku,
    pub step: UnitStep,
    /// None where a reader or the box itself found it out.
    pub by: Option<StaffId>,
    pub units: Vec<Unit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crossing {
    /// On hand fell to the point or below it.
    Down,
    /// On hand is above the point again; the next fall is told again.
    Up,
}

/// An item crossed the point at which it is ordered again. Each crossing is told once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockCrossed {
    pub sku: Sku,
    pub crossing: Crossing,
    pub on_hand: Quantity,
    pub point: Quantity,
}
