//! The facts a journal entry can hold. What stands here has happened; nothing here decides anything.
//!
//! The JSON of these types is the `body` of an exported entry (docs/contracts.md), so a field is added, never renamed.

pub mod accounts;
pub mod chain;
mod counter;
pub mod customers;
mod day;
pub mod escrow;
mod fiscal;
pub mod opening;
mod receipt;
mod staff;
mod stock;
mod ticket;
mod till;

pub use chain::ChainFact;
pub use counter::{
    CardAsked, CardBegun, CardEnd, CardEnded, CountedItem, Does, EffectCause, EffectEnd, EffectEnded, EffectWanted, FoundCapture,
    ShelfCounted,
};
pub use day::{DayCloseBegun, DayFact, DayNumbered, DaySealed, DocumentMarked, SettlementEnded, SettlementWanted, TicketsCarried};
pub use escrow::EscrowFact;
pub use fiscal::{FiscalEnded, FiscalFact, FiscalWanted};
pub use opening::OpeningFact;
pub use receipt::{InvoiceNumbered, ReceiptFact};
pub use staff::{ApprovalGiven, ApprovalUsed, ClockCorrected, Clocked, PinRefused, RoleSet, RolesGiven, StaffBlocked, StaffFact};
pub use stock::{
    ArrivedLine, Carton, CartonLine, CountApproved, CountEnd, CountEnded, CountEntered, CountStarted, CountedLine, Crossing, LostLine,
    OrderLine, Proposed, PurchaseClosed, PurchaseOrdered, PurchaseReceived, PurchasedLine, ReservationConsumed, ReservationReleased,
    StockAdjusted, StockCrossed, StockFact, StockRequestRefused, StockReserved, TransferClosed, TransferDispatched, TransferReceived,
    UnitsMarked,
};
pub use ticket::{
    AgeCheck, AgeDecision, Approval, ApprovedAction, BalanceAsked, BalanceEnd, BalanceEnded, HandDiscount, Happened, KeyedPrice,
    KeyedSource, LayawayEnd, LayawayEnded, LayawayForm, LayawayOpened, LineDetails, LineException, LineRole, Quoted, RefundAsked, RefundOf,
    Reserve, ReturnOf, SaleRefused, Seated, TenderDetails, TenderVoided, TicketDetails, TicketFact, VoidedTender, Weighed, What,
    WithoutReceipt,
};
pub use till::{CashTransferred, TillCounted, TillDeclared, TillFact};

use std::collections::BTreeSet;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use self::accounts::AccountsFact;
use self::customers::CustomersFact;
use crate::catalog::{PriceChange, PriceVersion, Sku};
use crate::ids::{CommandId, ReceiptNo, RegisterId, ShiftId, StaffId, TicketId, TillId};
use crate::journal::{Epoch, Hash, Seq};
use crate::money::{Currency, Money, MoneyError, Quantity};
use crate::stock::StockMove;
use crate::tax::{self, LineTax, PriceMode, Rate, TaxPart};
use crate::till::{CurrencySum, Foreign, ZReport};
use crate::time::Instant;

/// One fact, one journal entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    EpochOpened(EpochOpened),
    CatalogApplied(CatalogApplied),
    StockOpened(StockOpened),
    RegisterEnrolled(RegisterEnrolled),
    SignedIn(SignedIn),
    ShiftOpened(ShiftOpened),
    CashMoved(CashMoved),
    TenderTaken(TenderTaken),
    TicketClosed(Box<ClosedTicket>),
    ShiftClosed(Box<ShiftClosed>),
    PriceDirected(PriceDirected),
    DirectiveRefused(DirectiveRefused),
    CardAsked(CardAsked),
    CardBegun(CardBegun),
    CardEnded(CardEnded),
    FoundCapture(FoundCapture),
    EffectWanted(EffectWanted),
    EffectEnded(EffectEnded),
    ShelfCounted(Box<ShelfCounted>),
    #[serde(untagged)]
    Till(TillFact),
    #[serde(untagged)]
    Staff(StaffFact),
    #[serde(untagged)]
    Day(DayFact),
    #[serde(untagged)]
    Fiscal(FiscalFact),
    #[serde(untagged)]
    Receipt(ReceiptFact),
    #[serde(untagged)]
    Ticket(TicketFact),
    #[serde(untagged)]
    Accounts(AccountsFact),
    #[serde(untagged)]
    Customers(CustomersFact),
    #[serde(untagged)]
    Stock(StockFact),
    #[serde(untagged)]
    Chain(ChainFact),
    #[serde(untagged)]
    Escrow(EscrowFact),
    #[serde(untagged)]
    Opening(OpeningFact),
}

/// The number of a fact in the entry header. Numbers are never used again for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Kind {
    EpochOpened = 1,
    CatalogApplied = 2,
    StockOpened = 3,
    RegisterEnrolled = 4,
    SignedIn = 5,
    ShiftOpened = 6,
    CashMoved = 7,
    TenderTaken = 8,
    TicketClosed = 9,
    ShiftClosed = 10,
    PriceDirected = 11,
    DirectiveRefused = 12,
    CardAsked = 13,
    CardBegun = 14,
    CardEnded = 15,
    FoundCapture = 16,
    EffectWanted = 17,
    EffectEnded = 18,
    ShelfCounted = 19,
    StockAdjusted = 20,
    StockRequestRefused = 21,
    StockReserved = 22,
    ReservationReleased = 23,
    ReservationConsumed = 24,
    TransferDispatched = 25,
    TransferReceived = 26,
    TransferClosed = 27,
    PurchaseOrdered = 28,
    PurchaseReceived = 29,
    PurchaseClosed = 30,
    CountStarted = 31,
    CountEntered = 32,
    CountEnded = 33,
    CountApproved = 34,
    UnitsMarked = 35,
    StockCrossed = 36,
    TillDeclared = 40,
    CashTransferred = 41,
    TillCounted = 42,
    RoleSet = 43,
    RolesGiven = 44,
    StaffBlocked = 45,
    ApprovalGiven = 46,
    ApprovalUsed = 47,
    Clocked = 48,
    ClockCorrected = 49,
    PinRefused = 50,
    DayCloseBegun = 51,
    TicketsCarried = 52,
    SettlementWanted = 53,
    SettlementEnded = 54,
    DayNumbered = 55,
    DaySealed = 56,
    DocumentMarked = 57,
    FiscalWanted = 58,
    FiscalEnded = 59,
    AccountOpened = 60,
    AccountMoved = 61,
    AccountChanged = 62,
    LeaseAsked = 63,
    LeaseGranted = 64,
    LeaseTaken = 65,
    LeaseReturned = 66,
    LeaseClosed = 67,
    OfficeSeen = 68,
    CustomerChanged = 69,
    SaleRefused = 70,
    TenderVoided = 71,
    RefundAsked = 72,
    BalanceAsked = 73,
    BalanceEnded = 74,
    LayawayOpened = 75,
    LayawayEnded = 76,
    InvoiceNumbered = 89,
    EpochSuperseded = 90,
    BranchRecorded = 91,
    BranchClosed = 92,
    ChainBroken = 93,
    EscrowGranted = 94,
    EscrowTaken = 95,
    EscrowRefused = 96,
    AccountsOpened = 97,
    TillsOpened = 98,
    WentLive = 99,
}

impl Kind {
    pub const ALL: &[Kind] = &[
        Kind::EpochOpened,
        Kind::CatalogApplied,
        Kind::StockOpened,
        Kind::RegisterEnrolled,
        Kind::SignedIn,
        Kind::ShiftOpened,
        Kind::CashMoved,
        Kind::TenderTaken,
        Kind::TicketClosed,
        Kind::ShiftClosed,
        Kind::PriceDirected,
        Kind::DirectiveRefused,
        Kind::CardAsked,
        Kind::CardBegun,
        Kind::CardEnded,
        Kind::FoundCapture,
        Kind::EffectWanted,
        Kind::EffectEnded,
        Kind::ShelfCounted,
        Kind::StockAdjusted,
        Kind::StockRequestRefused,
        Kind::StockReserved,
        Kind::ReservationReleased,
        Kind::ReservationConsumed,
        Kind::TransferDispatched,
        Kind::TransferReceived,
        Kind::TransferClosed,
        Kind::PurchaseOrdered,
        Kind::PurchaseReceived,
        Kind::PurchaseClosed,
        Kind::CountStarted,
        Kind::CountEntered,
        Kind::CountEnded,
        Kind::CountApproved,
        Kind::UnitsMarked,
        Kind::StockCrossed,
        Kind::TillDeclared,
        Kind::CashTransferred,
        Kind::TillCounted,
        Kind::RoleSet,
        Kind::RolesGiven,
        Kind::StaffBlocked,
        Kind::ApprovalGiven,
        Kind::ApprovalUsed,
        Kind::Clocked,
        Kind::ClockCorrected,
        Kind::PinRefused,
        Kind::DayCloseBegun,
        Kind::TicketsCarried,
        Kind::SettlementWanted,
        Kind::SettlementEnded,
        Kind::DayNumbered,
        Kind::DaySealed,
        Kind::DocumentMarked,
        Kind::FiscalWanted,
        Kind::FiscalEnded,
        Kind::AccountOpened,
        Kind::AccountMoved,
        Kind::AccountChanged,
        Kind::LeaseAsked,
        Kind::LeaseGranted,
        Kind::LeaseTaken,
        Kind::LeaseReturned,
        Kind::LeaseClosed,
        Kind::OfficeSeen,
        Kind::CustomerChanged,
        Kind::SaleRefused,
        Kind::TenderVoided,
        Kind::RefundAsked,
        Kind::BalanceAsked,
        Kind::BalanceEnded,
        Kind::LayawayOpened,
        Kind::LayawayEnded,
        Kind::InvoiceNumbered,
        Kind::EpochSuperseded,
        Kind::BranchRecorded,
        Kind::BranchClosed,
        Kind::ChainBroken,
        Kind::EscrowGranted,
        Kind::EscrowTaken,
        Kind::EscrowRefused,
        Kind::AccountsOpened,
        Kind::TillsOpened,
        Kind::WentLive,
    ];

    /// `None` for a kind of a newer version: such an entry is carried as it is.
    pub fn from_number(number: u16) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| *kind as u16 == number)
    }

    /// The word in exports and reports.
    pub fn word(self) -> &'static str {
        match self {
            Kind::EpochOpened => "epoch_opened",
            Kind::CatalogApplied => "catalog_applied",
            Kind::StockOpened => "stock_opened",
            Kind::RegisterEnrolled => "register_enrolled",
            Kind::SignedIn => "signed_in",
            Kind::ShiftOpened => "shift_opened",
            Kind::CashMoved => "cash_moved",
            Kind::TenderTaken => "tender_taken",
            Kind::TicketClosed => "ticket_closed",
            Kind::ShiftClosed => "shift_closed",
            Kind::PriceDirected => "price_directed",
            Kind::DirectiveRefused => "directive_refused",
            Kind::CardAsked => "card_asked",
            Kind::CardBegun => "card_begun",
            Kind::CardEnded => "card_ended",
            Kind::FoundCapture => "found_capture",
            Kind::EffectWanted => "effect_wanted",
            Kind::EffectEnded => "effect_ended",
            Kind::ShelfCounted => "shelf_counted",
            Kind::TillDeclared => "till_declared",
            Kind::CashTransferred => "cash_transferred",
            Kind::TillCounted => "till_counted",
            Kind::RoleSet => "role_set",
            Kind::RolesGiven => "roles_given",
            Kind::StaffBlocked => "staff_blocked",
            Kind::ApprovalGiven => "approval_given",
            Kind::ApprovalUsed => "approval_used",
            Kind::Clocked => "clocked",
            Kind::ClockCorrected => "clock_corrected",
            Kind::PinRefused => "pin_refused",
            Kind::DayCloseBegun => "day_close_begun",
            Kind::TicketsCarried => "tickets_carried",
            Kind::SettlementWanted => "settlement_wanted",
            Kind::SettlementEnded => "settlement_ended",
            Kind::DayNumbered => "day_numbered",
            Kind::DaySealed => "day_sealed",
            Kind::DocumentMarked => "document_marked",
            Kind::FiscalWanted => "fiscal_wanted",
            Kind::FiscalEnded => "fiscal_ended",
            Kind::InvoiceNumbered => "invoice_numbered",
            Kind::SaleRefused => "sale_refused",
            Kind::TenderVoided => "tender_voided",
            Kind::RefundAsked => "refund_asked",
            Kind::BalanceAsked => "balance_asked",
            Kind::BalanceEnded => "balance_ended",
            Kind::LayawayOpened => "layaway_opened",
            Kind::LayawayEnded => "layaway_ended",
            Kind::AccountOpened => "account_opened",
            Kind::AccountMoved => "account_moved",
            Kind::AccountChanged => "account_changed",
            Kind::LeaseAsked => "lease_asked",
            Kind::LeaseGranted => "lease_granted",
            Kind::LeaseTaken => "lease_taken",
            Kind::LeaseReturned => "lease_returned",
            Kind::LeaseClosed => "lease_closed",
            Kind::OfficeSeen => "office_seen",
            Kind::CustomerChanged => "customer_changed",
            Kind::StockAdjusted => "stock_adjusted",
            Kind::StockRequestRefused => "stock_request_refused",
            Kind::StockReserved => "stock_reserved",
            Kind::ReservationReleased => "reservation_released",
            Kind::ReservationConsumed => "reservation_consumed",
            Kind::TransferDispatched => "transfer_dispatched",
            Kind::TransferReceived => "transfer_received",
            Kind::TransferClosed => "transfer_closed",
            Kind::PurchaseOrdered => "purchase_ordered",
            Kind::PurchaseReceived => "purchase_received",
            Kind::PurchaseClosed => "purchase_closed",
            Kind::CountStarted => "count_started",
            Kind::CountEntered => "count_entered",
            Kind::CountEnded => "count_ended",
            Kind::CountApproved => "count_approved",
            Kind::UnitsMarked => "units_marked",
            Kind::StockCrossed => "stock_crossed",
            Kind::EpochSuperseded => "epoch_superseded",
            Kind::BranchRecorded => "branch_recorded",
            Kind::BranchClosed => "branch_closed",
            Kind::ChainBroken => "chain_broken",
            Kind::EscrowGranted => "escrow_granted",
            Kind::EscrowTaken => "escrow_taken",
            Kind::EscrowRefused => "escrow_refused",
            Kind::AccountsOpened => "accounts_opened",
            Kind::TillsOpened => "tills_opened",
            Kind::WentLive => "went_live",
        }
    }
}

impl Tender {
    pub fn cash(command_id: CommandId, at: Instant, amount: Money) -> Self {
        Self {
            command_id,
            at,
            kind: TenderKind::Cash,
            amount,
            attempt: None,
            foreign: None,
            details: TenderDetails::default(),
        }
    }
}

impl Fact {
    pub fn kind(&self) -> Kind {
        match self {
            Fact::EpochOpened(_) => Kind::EpochOpened,
            Fact::CatalogApplied(_) => Kind::CatalogApplied,
            Fact::StockOpened(_) => Kind::StockOpened,
            Fact::RegisterEnrolled(_) => Kind::RegisterEnrolled,
            Fact::SignedIn(_) => Kind::SignedIn,
            Fact::ShiftOpened(_) => Kind::ShiftOpened,
            Fact::CashMoved(_) => Kind::CashMoved,
            Fact::TenderTaken(_) => Kind::TenderTaken,
            Fact::TicketClosed(_) => Kind::TicketClosed,
            Fact::ShiftClosed(_) => Kind::ShiftClosed,
            Fact::PriceDirected(_) => Kind::PriceDirected,
            Fact::DirectiveRefused(_) => Kind::DirectiveRefused,
            Fact::CardAsked(_) => Kind::CardAsked,
            Fact::CardBegun(_) => Kind::CardBegun,
            Fact::CardEnded(_) => Kind::CardEnded,
            Fact::FoundCapture(_) => Kind::FoundCapture,
            Fact::EffectWanted(_) => Kind::EffectWanted,
            Fact::EffectEnded(_) => Kind::EffectEnded,
            Fact::ShelfCounted(_) => Kind::ShelfCounted,
            Fact::Till(TillFact::TillDeclared(_)) => Kind::TillDeclared,
            Fact::Till(TillFact::CashTransferred(_)) => Kind::CashTransferred,
            Fact::Till(TillFact::TillCounted(_)) => Kind::TillCounted,
            Fact::Staff(StaffFact::RoleSet(_)) => Kind::RoleSet,
            Fact::Staff(StaffFact::RolesGiven(_)) => Kind::RolesGiven,
            Fact::Staff(StaffFact::StaffBlocked(_)) => Kind::StaffBlocked,
            Fact::Staff(StaffFact::ApprovalGiven(_)) => Kind::ApprovalGiven,
            Fact::Staff(StaffFact::ApprovalUsed(_)) => Kind::ApprovalUsed,
            Fact::Staff(StaffFact::Clocked(_)) => Kind::Clocked,
            Fact::Staff(StaffFact::ClockCorrected(_)) => Kind::ClockCorrected,
            Fact::Staff(StaffFact::PinRefused(_)) => Kind::PinRefused,
            Fact::Day(DayFact::DayCloseBegun(_)) => Kind::DayCloseBegun,
            Fact::Day(DayFact::TicketsCarried(_)) => Kind::TicketsCarried,
            Fact::Day(DayFact::SettlementWanted(_)) => Kind::SettlementWanted,
            Fact::Day(DayFact::SettlementEnded(_)) => Kind::SettlementEnded,
            Fact::Day(DayFact::DayNumbered(_)) => Kind::DayNumbered,
            Fact::Day(DayFact::DaySealed(_)) => Kind::DaySealed,
            Fact::Day(DayFact::DocumentMarked(_)) => Kind::DocumentMarked,
            Fact::Fiscal(FiscalFact::FiscalWanted(_)) => Kind::FiscalWanted,
            Fact::Fiscal(FiscalFact::FiscalEnded(_)) => Kind::FiscalEnded,
            Fact::Receipt(fact) => fact.kind(),
            Fact::Ticket(fact) => fact.kind(),
            Fact::Accounts(fact) => fact.kind(),
            Fact::Customers(fact) => fact.kind(),
            Fact::Stock(fact) => fact.kind(),
            Fact::Chain(fact) => fact.kind(),
            Fact::Escrow(fact) => fact.kind(),
            Fact::Opening(fact) => fact.kind(),
        }
    }

    /// What this fact does to what is on hand. The stock of a store is the sum of these.
    pub fn stock_moves(&self) -> &[StockMove] {
        match self {
            Fact::StockOpened(fact) => &fact.moves,
            Fact::TicketClosed(fact) => &fact.moves,
            Fact::Stock(fact) => fact.moves(),
            _ => &[],
        }
    }
}

/// The first entry of every epoch: who this store is, and where the epoch before ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochOpened {
    pub reason: EpochReason,
    pub previous: Option<EpochEnd>,
    /// Receipt series that is new with this epoch.
    pub series: u32,
    pub currency: Currency,
    pub zone: String,
    pub day_end: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpochReason {
    /// The box was set up.
    NewStore,
    /// Head office holds entries which this box has not: its disk was set back.
    Rollback,
    /// A backup was put back by hand.
    Restored,
    /// Another box took this store's place.
    Replaced,
    /// A follower took over, by hand.
    Promoted,
}

/// The last entry of an epoch, as far as this box knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochEnd {
    pub epoch: Epoch,
    pub seq: Seq,
    pub hash: Hash,
}

/// A catalog lies beside the journal under this hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogApplied {
    pub version: u64,
    pub hash: Hash,
    pub items: u64,
}

/// What the shop held when the box began to count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockOpened {
    pub moves: Vec<StockMove>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterEnrolled {
    pub register: RegisterId,
    pub till: TillId,
}

/// A person took a register; the session epoch fences off whoever held it before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    pub register: RegisterId,
    pub staff: StaffId,
    pub session: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftOpened {
    pub shift: ShiftId,
    pub till: TillId,
    pub register: RegisterId,
    pub float: Money,
    /// Whose shift it is, where the till was handed on or opened by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<StaffId>,
    /// Foreign cash in the float.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<CurrencySum>,
    /// What the till was left with, as far as the box knows; the float is what the new person says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<CurrencySum>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CashMove {
    PaidIn,
    PaidOut,
    Drop,
}

/// Cash into or out of a till that is no sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashMoved {
    pub shift: ShiftId,
    pub till: TillId,
    #[serde(rename = "move")]
    pub kind: CashMove,
    pub amount: Money,
    /// One of the shop's own reasons, not a free text about a person.
    pub reason: String,
}

/// Money taken for a ticket that is still open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderTaken {
    pub ticket: TicketId,
    pub tender: Tender,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenderKind {
    Cash,
    Card,
    GiftCard,
    StoreCredit,
    Voucher,
    OnAccount,
    Points,
}

/// What the customer gave. Negative when the shop gives money back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tender {
    pub command_id: CommandId,
    pub at: Instant,
    #[serde(rename = "tender")]
    pub kind: TenderKind,
    pub amount: Money,
    /// How the terminal names the payment; only cards have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    /// Cash of another currency; the amount above is what it was worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Foreign>,
    #[serde(flatten)]
    pub details: TenderDetails,
}

/// How a ticket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketEnd {
    Sale,
    Return,
    /// Given up before it was paid: no receipt number, no stock, no money.
    Cancelled,
    /// Goods came back and others were sold, with one balance.
    Exchange,
    /// A whole sale was undone in the shift in which it was made.
    Cancellation,
    /// Practice: moves no stock, no money, no accounts.
    Training,
    /// An offer; nothing was sold.
    Quotation,
}

/// A whole ticket, written once when it ended: voided lines, times and command ids too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedTicket {
    pub ticket: TicketId,
    pub end: TicketEnd,
    /// None only for a cancelled ticket.
    pub receipt: Option<ReceiptNo>,
    /// What a return takes back.
    pub original: Option<ReceiptNo>,
    pub register: RegisterId,
    pub till: TillId,
    pub shift: ShiftId,
    pub opened_at: Instant,
    pub currency: Currency,
    pub prices: PriceMode,
    pub lines: Vec<ClosedLine>,
    pub taxes: Vec<TaxSum>,
    pub net: Money,
    pub tax: Money,
    /// What was left out or added because coins are missing.
    pub cash_rounding: Money,
    /// net + tax + cash_rounding.
    pub due: Money,
    pub tenders: Vec<Tender>,
    pub change: Money,
    pub moves: Vec<StockMove>,
    #[serde(flatten)]
    pub details: TicketDetails,
}

impl ClosedTicket {
    /// The receipts of which something comes back with this ticket.
    pub fn takes_back(&self) -> BTreeSet<ReceiptNo> {
        if !self.end.counts() {
            return BTreeSet::new();
        }
        let of_lines = self.lines.iter().filter(|line| line.voided.is_none());
        let of_lines: BTreeSet<ReceiptNo> = of_lines.filter_map(|line| Some(line.details.returns?.receipt)).collect();
        // Boxes before the part returns took a receipt back whole, and wrote only its number.
        match self.original {
            Some(original) if of_lines.is_empty() && self.end == TicketEnd::Return => BTreeSet::from([original]),
            _ => of_lines,
        }
    }

    /// What of the tenders is for the staff.
    pub fn tips(&self) -> Result<Money, MoneyError> {
        Money::sum(self.tenders.iter().map(|tender| tender.details.tip))
    }

    /// What was given in this way, in the store's own currency; foreign cash is counted in its own.
    pub fn tendered(&self, kind: TenderKind) -> Result<Money, MoneyError> {
        let own = self.tenders.iter().filter(|tender| tender.kind == kind && tender.foreign.is_none());
        Money::sum(own.map(|tender| tender.amount))
    }
}

/// One line as it was sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedLine {
    pub line: u32,
    /// The scan that made it. A return's lines carry the return's own command id in the header only.
    pub command_id: Option<CommandId>,
    pub at: Instant,
    pub sku: Sku,
    pub name: String,
    /// As it was scanned.
    pub code: String,
    pub quantity: Quantity,
    pub unit_price: Money,
    /// Sum of the reasons: price times quantity, after all discounts.
    pub amount: Money,
    pub reasons: Vec<PriceReason>,
    pub tax_class: String,
    pub rate: Rate,
    pub net: Money,
    pub tax: Money,
    /// Each of the class's taxes; empty where it has just one, named like its code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxPart>,
    pub voided: Option<Voided>,
    #[serde(flatten)]
    pub details: LineDetails,
}

impl ClosedLine {
    /// What this line bore, tax by tax: what a return gives back.
    pub fn line_tax(&self, prices: PriceMode) -> Result<LineTax, MoneyError> {
        let paid = self.net.checked_add(self.tax)?;
        Ok(LineTax {
            rate: self.rate,
            net: self.net,
            tax: self.tax,
            waived: match prices {
                PriceMode::Inclusive => self.amount.checked_sub(paid)?,
                PriceMode::Exclusive => Money::ZERO,
            },
            parts: self.tax_parts(),
        })
    }

    /// Each tax of the line, also where there is just one.
    pub fn tax_parts(&self) -> Vec<TaxPart> {
        parts_or_only(&self.taxes, &self.tax_class, self.rate, self.tax)
    }
}

fn parts_or_only(parts: &[TaxPart], class: &str, rate: Rate, amount: Money) -> Vec<TaxPart> {
    if parts.is_empty() {
        let tax = class.to_owned();
        vec![TaxPart { tax, rate, amount }]
    } else {
        parts.to_vec()
    }
}

/// Where a part of a line's price comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceReason {
    pub reason: ReasonKind,
    pub amount: Money,
    pub version: PriceVersion,
    /// Which price book or promotion, or the shop's code for why a person did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    ListPrice,
    /// The same share as on the receipt that is taken back.
    Returned,
    /// From a price book.
    Book,
    /// A person set another price.
    Override,
    /// Keyed in for an item without a price of its own, or read from the bar code.
    OpenPrice,
    Promotion,
    /// Given by a person on the line.
    LineDiscount,
    /// The line's share of what a person gave on the whole ticket.
    TicketDiscount,
}

impl ReasonKind {
    pub const ALL: &[ReasonKind] = &[
        ReasonKind::ListPrice,
        ReasonKind::Returned,
        ReasonKind::Book,
        ReasonKind::Override,
        ReasonKind::OpenPrice,
        ReasonKind::Promotion,
        ReasonKind::LineDiscount,
        ReasonKind::TicketDiscount,
    ];

    /// The word in exports and on the wire.
    pub fn word(self) -> &'static str {
        match self {
            ReasonKind::ListPrice => "list_price",
            ReasonKind::Returned => "returned",
            ReasonKind::Book => "book",
            ReasonKind::Override => "override",
            ReasonKind::OpenPrice => "open_price",
            ReasonKind::Promotion => "promotion",
            ReasonKind::LineDiscount => "line_discount",
            ReasonKind::TicketDiscount => "ticket_discount",
        }
    }

    /// `None` for a word of a newer version.
    pub fn from_word(word: &str) -> Option<ReasonKind> {
        ReasonKind::ALL.iter().copied().find(|kind| kind.word() == word)
    }
}

/// For fuzzers: any bytes are the number of a kind or one of the words of facts, or none of them. Facts themselves arrive as protobuf or
/// JSON and are fed there.
pub fn fuzz_one(bytes: &[u8]) {
    if let Some(two) = bytes.first_chunk() {
        let number = u16::from_be_bytes(*two);
        assert!(Kind::from_number(number).is_none_or(|kind| kind as u16 == number));
    }
    let word = String::from_utf8_lossy(bytes);
    assert!(ReasonKind::from_word(&word).is_none_or(|reason| reason.word() == word));
    assert!(crate::stock::MoveReason::from_word(&word).is_none_or(|reason| reason.word() == word));
    assert!(crate::staff::Action::from_word(&word).is_none_or(|action| action.word() == word));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voided {
    pub command_id: CommandId,
    pub at: Instant,
}

/// Tax of one class over the whole ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxSum {
    pub tax_class: String,
    pub rate: Rate,
    pub net: Money,
    pub tax: Money,
    /// Each of the class's taxes; empty where it has just one, named like its code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<TaxPart>,
}

impl TaxSum {
    /// The taxes of lines that were sold, per class and rate, in the order of the codes. Voided lines count nowhere.
    pub fn of_lines<'a>(lines: impl IntoIterator<Item = &'a ClosedLine>) -> Result<Vec<TaxSum>, MoneyError> {
        let counting = lines.into_iter().filter(|line| line.voided.is_none());
        TaxSum::merged(counting.map(|line| TaxSum {
            tax_class: line.tax_class.clone(),
            rate: line.rate,
            net: line.net,
            tax: line.tax,
            parts: line.taxes.clone(),
        }))
    }

    /// Sums put together, per class and rate, in the order of the codes.
    pub fn merged(sums: impl IntoIterator<Item = TaxSum>) -> Result<Vec<TaxSum>, MoneyError> {
        let mut merged: BTreeMap<(String, Rate), TaxSum> = BTreeMap::new();
        for sum in sums {
            match merged.entry((sum.tax_class.clone(), sum.rate)) {
                Entry::Vacant(free) => {
                    free.insert(sum);
                }
                Entry::Occupied(mut known) => known.get_mut().add(&sum)?,
            }
        }
        Ok(merged.into_values().collect())
    }

    fn add(&mut self, more: &TaxSum) -> Result<(), MoneyError> {
        let mut parts = self.all_parts();
        tax::add_parts(&mut parts, &more.all_parts())?;
        self.parts = tax::recorded(&parts, &self.tax_class);
        self.net = self.net.checked_add(more.net)?;
        self.tax = self.tax.checked_add(more.tax)?;
        Ok(())
    }

    /// Each tax of the class, also where there is just one.
    pub fn all_parts(&self) -> Vec<TaxPart> {
        parts_or_only(&self.parts, &self.tax_class, self.rate, self.tax)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftClosed {
    pub shift: ShiftId,
    pub till: TillId,
    pub z: ZReport,
}

/// Head office set a price; it counts from its instant on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceDirected {
    pub directive: u64,
    pub change: PriceChange,
}

/// A directive this box can not follow, and why. Head office sees it and a person decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectiveRefused {
    pub directive: u64,
    pub why: String,
}
