//! The facts a journal entry can hold. What stands here has happened; nothing here decides anything.
//!
//! The JSON of these types is the `body` of an exported entry (docs/contracts.md), so a field is added, never renamed.

mod counter;

pub use counter::{
    CardAsked, CardBegun, CardEnd, CardEnded, CountedItem, Does, EffectCause, EffectEnd, EffectEnded, EffectWanted, FoundCapture,
    ShelfCounted,
};

use serde::{Deserialize, Serialize};

use crate::catalog::{PriceChange, PriceVersion, Sku};
use crate::ids::{CommandId, ReceiptNo, RegisterId, ShiftId, StaffId, TicketId, TillId};
use crate::journal::{Epoch, Hash, Seq};
use crate::money::{Currency, Money, MoneyError, Quantity};
use crate::stock::StockMove;
use crate::tax::{PriceMode, Rate};
use crate::till::ZReport;
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
}

/// How a ticket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketEnd {
    Sale,
    Return,
    /// Given up before it was paid: no receipt number, no stock, no money.
    Cancelled,
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
}

impl ClosedTicket {
    /// What was given in this way.
    pub fn tendered(&self, kind: TenderKind) -> Result<Money, MoneyError> {
        let own = self.tenders.iter().filter(|tender| tender.kind == kind);
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
    pub voided: Option<Voided>,
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
