//! What stock says to the one who asked for something that can not be: one word for machines, one sentence for people.

use crate::catalog::Sku;
use crate::ids::{CountId, DeliveryId, ReservationId, StockRequestId, StoreId, TicketId, TransferId};
use crate::money::{MoneyError, Quantity};
use crate::stock::{LotNo, OrderNo, ReasonCode, Sscc, Unit, UnitState, UnitStep};

/// No single quantity may exceed this (in thousandths); sums of many still fit an `i64` with room to spare.
pub const LARGEST_QUANTITY: i64 = 1_000_000_000_000;
/// More lines than any delivery; what is larger is split by whoever sends it.
pub const MOST_LINES: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("item {sku} is not in the catalog; scan it again or ask head office to add it")]
    UnknownItem { sku: Sku },
    #[error("{quantity} of item {sku} is not a quantity; use more than nothing and at most a billion")]
    Quantity { sku: Sku, quantity: Quantity },
    #[error("nothing is named; add a line first")]
    Empty,
    #[error("these are more than {MOST_LINES} lines; split them")]
    TooManyLines,
    #[error("bundle {sku} contains itself or is packed too deep; correct it in the catalog")]
    BundleLoop { sku: Sku },
    #[error("{wanted} of item {sku} are wanted and {available} are free; take less or another item")]
    NotAvailable { sku: Sku, wanted: Quantity, available: Quantity },

    #[error("reservation {reservation} exists already; use a new id for a new one")]
    ReservationExists { reservation: ReservationId },
    #[error("reservation {reservation} is not known here; look for it by its order")]
    ReservationUnknown { reservation: ReservationId },
    #[error("reservation {reservation} was released; sell the goods as any others")]
    ReservationReleased { reservation: ReservationId },
    #[error("reservation {reservation} was used by ticket {ticket}; a reservation is used once")]
    ReservationConsumed { reservation: ReservationId, ticket: TicketId },
    #[error("reservation {reservation} has run out; sell the goods as any others if they are still there")]
    ReservationExpired { reservation: ReservationId },
    #[error("reservation {reservation} has not run out yet; release it if it is no longer wanted")]
    ReservationStands { reservation: ReservationId },
    #[error("a reservation must end later than now; choose a later time")]
    UntilPast,

    #[error("reason {reason} is not on the shop's list; choose one that is")]
    UnknownReason { reason: ReasonCode },
    #[error("nothing about item {sku} would change; key in what is different")]
    NothingChanges { sku: Sku },
    #[error("{delta} of item {sku} would leave less than nothing of the {on_hand} on hand; count the item instead")]
    WouldGoNegative { sku: Sku, on_hand: Quantity, delta: Quantity },
    #[error("{delta} of item {sku} would take goods that are promised: {reserved} are reserved; release a reservation first")]
    WouldBreakPromise { sku: Sku, reserved: Quantity, delta: Quantity },
    #[error("{asked} of item {sku} are more than the {damaged} that are damaged; mend at most those")]
    NotDamaged { sku: Sku, damaged: Quantity, asked: Quantity },
    #[error("item {sku} was corrected after the stock this change was made for; look at it again and ask anew")]
    StaleBase { sku: Sku },
    #[error("this change was made for a stock this box never had; look at it again and ask anew")]
    BaseAhead,
    #[error("request {request} was answered before; ask anew if more is wanted")]
    RequestAnswered { request: StockRequestId },

    #[error("a store sends nothing to itself; name another store")]
    ToItself,
    #[error("transfer {transfer} was sent before; make a new one")]
    TransferExists { transfer: TransferId },
    #[error("nobody here knows yet what transfer {transfer} holds; close it when its dispatch has arrived")]
    TransferUnknown { transfer: TransferId },
    #[error("transfer {transfer} is closed; book what still comes as an adjustment")]
    TransferClosed { transfer: TransferId },
    #[error("transfer {transfer} goes to store {to}; send it on")]
    OtherDestination { transfer: TransferId, to: StoreId },
    #[error("transfer {transfer} comes from store {from}; look at its papers again")]
    OtherOrigin { transfer: TransferId, from: StoreId },
    #[error("delivery {delivery} was booked before; there is nothing left to do")]
    DeliveryTaken { delivery: DeliveryId },
    #[error("{damaged} of item {sku} can not be damaged when {arrived} came; count what is damaged again")]
    DamagedMore { sku: Sku, arrived: Quantity, damaged: Quantity },

    #[error("order {order} exists already; give the new one a number of its own")]
    OrderExists { order: OrderNo },
    #[error("order {order} is not known here; receive without an order")]
    OrderUnknown { order: OrderNo },
    #[error("order {order} is closed; receive without an order")]
    OrderClosed { order: OrderNo },
    #[error("line {line} is named twice; add its quantities together")]
    LineTwice { line: u32 },
    #[error("order {order} has no line {line}; look at its papers again")]
    LineUnknown { order: OrderNo, line: u32 },
    #[error("a line of a delivery that nobody ordered names no line of an order")]
    LineWithoutOrder,
    #[error("item {sku} is not on order {order}; receive it without an order or send it back")]
    NotOnOrder { order: OrderNo, sku: Sku },
    #[error("nothing is open on order {order}; close it")]
    NothingOpen { order: OrderNo },
    #[error("carton {carton} is not on order {order}; open it and receive line by line")]
    CartonUnknown { order: OrderNo, carton: Sscc },
    #[error("carton {carton} was received before; leave it out")]
    CartonTaken { carton: Sscc },
    #[error("the cost of item {sku} must not be negative; check the invoice")]
    Cost { sku: Sku },

    #[error("count {count} exists already; use a new id for a new one")]
    CountExists { count: CountId },
    #[error("count {count} is not known here; start one first")]
    CountUnknown { count: CountId },
    #[error("count {count} is over; start another")]
    CountOver { count: CountId },
    #[error("count {count} is still open; close it first")]
    CountOpen { count: CountId },
    #[error("a count is made by one person or by two who must agree")]
    Counters,
    #[error("item {sku} is not part of this count; put it aside, or count it in one of its own")]
    NotInCount { sku: Sku },
    #[error("place {place} is not part of this count; choose one of its places")]
    PlaceNotInCount { place: crate::stock::Place },
    #[error("item {sku} is named twice; add its pieces up first")]
    CountedTwice { sku: Sku },
    #[error("item {sku} was counted before the count began or after the last entry of the box; count it again")]
    CountedWhen { sku: Sku },
    #[error("{items} items wait to be counted again, {sku} among them; count them or leave them as they are")]
    CountUnfinished { sku: Sku, items: usize },
    #[error("count {count} proposes nothing for item {sku}; nothing there is to be approved")]
    NotProposed { count: CountId, sku: Sku },
    #[error("whoever counted does not approve; ask another person")]
    SelfApproval,
    #[error("item {sku} was corrected since it was counted; count it again")]
    CorrectedMeanwhile { sku: Sku },

    #[error("{unit} is named twice; name each once")]
    UnitTwice { unit: Unit },
    #[error("item {sku} is kept piece by piece or lot by lot: {named} are named and {moved} move; scan each")]
    UnitsMissing { sku: Sku, named: Quantity, moved: Quantity },
    #[error("{unit} is not known for item {sku}; scan it again")]
    UnitUnknown { unit: Unit, sku: Sku },
    #[error("{unit} belongs to item {other}, not to {sku}; scan the right item")]
    UnitOfOther { unit: Unit, sku: Sku, other: Sku },
    #[error("{unit} of item {sku} is {state}, so it can not be {step}; check which one it is")]
    UnitState {
        unit: Unit,
        sku: Sku,
        state: UnitState,
        step: UnitStep,
    },
    #[error("{step} is booked by moving stock, not by marking")]
    NotAMark { step: UnitStep },
    #[error("lot {lot} of item {sku} has {on_hand} left and {wanted} are wanted; look at the label again")]
    LotShort {
        sku: Sku,
        lot: LotNo,
        on_hand: Quantity,
        wanted: Quantity,
    },
    #[error("the figures do not fit: {0}")]
    Money(#[from] MoneyError),
}

impl Refusal {
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::UnknownItem { .. } => "unknown_item",
            Refusal::Quantity { .. } => "quantity",
            Refusal::Empty => "empty",
            Refusal::TooManyLines => "too_many_lines",
            Refusal::BundleLoop { .. } => "bundle_loop",
            Refusal::NotAvailable { .. } => "not_available",
            Refusal::ReservationExists { .. } => "reservation_exists",
            Refusal::ReservationUnknown { .. } => "reservation_unknown",
            Refusal::ReservationReleased { .. } => "reservation_released",
            Refusal::ReservationConsumed { .. } => "reservation_consumed",
            Refusal::ReservationExpired { .. } => "reservation_expired",
            Refusal::ReservationStands { .. } => "reservation_stands",
            Refusal::UntilPast => "until_past",
            Refusal::UnknownReason { .. } => "unknown_reason",
            Refusal::NothingChanges { .. } => "nothing_changes",
            Refusal::WouldGoNegative { .. } => "would_go_negative",
            Refusal::WouldBreakPromise { .. } => "would_break_promise",
            Refusal::NotDamaged { .. } => "not_damaged",
            Refusal::StaleBase { .. } => "stale_base",
            Refusal::BaseAhead => "base_ahead",
            Refusal::RequestAnswered { .. } => "request_answered",
            Refusal::ToItself => "to_itself",
            Refusal::TransferExists { .. } => "transfer_exists",
            Refusal::TransferUnknown { .. } => "transfer_unknown",
            Refusal::TransferClosed { .. } => "transfer_closed",
            Refusal::OtherDestination { .. } => "other_destination",
            Refusal::OtherOrigin { .. } => "other_origin",
            Refusal::DeliveryTaken { .. } => "delivery_taken",
            Refusal::DamagedMore { .. } => "damaged_more",
            Refusal::OrderExists { .. } => "order_exists",
            Refusal::OrderUnknown { .. } => "order_unknown",
            Refusal::OrderClosed { .. } => "order_closed",
            Refusal::LineTwice { .. } => "line_twice",
            Refusal::LineUnknown { .. } => "line_unknown",
            Refusal::LineWithoutOrder => "line_without_order",
            Refusal::NotOnOrder { .. } => "not_on_order",
            Refusal::NothingOpen { .. } => "nothing_open",
            Refusal::CartonUnknown { .. } => "carton_unknown",
            Refusal::CartonTaken { .. } => "carton_taken",
            Refusal::Cost { .. } => "cost",
            Refusal::CountExists { .. } => "count_exists",
            Refusal::CountUnknown { .. } => "count_unknown",
            Refusal::CountOver { .. } => "count_over",
            Refusal::CountOpen { .. } => "count_open",
            Refusal::Counters => "counters",
            Refusal::NotInCount { .. } => "not_in_count",
            Refusal::PlaceNotInCount { .. } => "place_not_in_count",
            Refusal::CountedTwice { .. } => "counted_twice",
            Refusal::CountedWhen { .. } => "counted_when",
            Refusal::CountUnfinished { .. } => "count_unfinished",
            Refusal::NotProposed { .. } => "not_proposed",
            Refusal::SelfApproval => "self_approval",
            Refusal::CorrectedMeanwhile { .. } => "corrected_meanwhile",
            Refusal::UnitTwice { .. } => "unit_twice",
            Refusal::UnitsMissing { .. } => "units_missing",
            Refusal::UnitUnknown { .. } => "unit_unknown",
            Refusal::UnitOfOther { .. } => "unit_of_other",
            Refusal::UnitState { .. } => "unit_state",
            Refusal::NotAMark { .. } => "not_a_mark",
            Refusal::LotShort { .. } => "lot_short",
            Refusal::Money(_) => "money",
        }
    }
}
