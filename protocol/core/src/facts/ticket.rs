//! Facts about baskets beyond the plain sale: what a line, a tender and a ticket may tell in addition, sales that were refused, money that
//! was asked for elsewhere, and goods put aside.
//!
//! What is told in addition is left out where there is nothing to tell, so that a plain sale has the same JSON and the same bytes as ever.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{ClosedLine, Kind, Tender, TenderKind, TicketEnd, Voided};
use crate::catalog::{PriceVersion, Sku};
use crate::fiscal::Series;
use crate::ids::{
    AccountId, CommandId, CustomerId, DeviceId, LayawayId, ReadingId, ReasonCode, ReceiptNo, RegisterId, ShiftId, StaffId, TicketId, TillId,
};
use crate::money::{Currency, Money, Quantity};
use crate::price::Discount;
use crate::tax::Exemption;
use crate::time::Instant;

/// The facts of this room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum TicketFact {
    SaleRefused(SaleRefused),
    TenderVoided(TenderVoided),
    RefundAsked(RefundAsked),
    BalanceAsked(BalanceAsked),
    BalanceEnded(BalanceEnded),
    LayawayOpened(Box<LayawayOpened>),
    LayawayEnded(LayawayEnded),
}

impl TicketFact {
    pub fn kind(&self) -> Kind {
        match self {
            TicketFact::SaleRefused(_) => Kind::SaleRefused,
            TicketFact::TenderVoided(_) => Kind::TenderVoided,
            TicketFact::RefundAsked(_) => Kind::RefundAsked,
            TicketFact::BalanceAsked(_) => Kind::BalanceAsked,
            TicketFact::BalanceEnded(_) => Kind::BalanceEnded,
            TicketFact::LayawayOpened(_) => Kind::LayawayOpened,
            TicketFact::LayawayEnded(_) => Kind::LayawayEnded,
        }
    }
}

/// A sale that was refused for the customer's age. No birth date is kept, only which day was the limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleRefused {
    pub ticket: TicketId,
    pub register: RegisterId,
    pub sku: Sku,
    pub min_age: u8,
    /// The shop's civil date on which the check was made.
    pub day: Date,
}

/// Money that was taken for an open ticket and handed back before it was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderVoided {
    pub ticket: TicketId,
    pub tender: Tender,
    pub voided: Voided,
}

/// A card is to be given money back; flushed before the terminal is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundAsked {
    pub ask: CommandId,
    pub ticket: TicketId,
    pub register: RegisterId,
    pub till: TillId,
    pub terminal: DeviceId,
    /// More than nothing.
    pub amount: Money,
    pub of: RefundOf,
    pub settle: bool,
}

/// A balance is to pay; flushed before head office, or the lease, is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceAsked {
    pub ask: CommandId,
    pub ticket: TicketId,
    pub register: RegisterId,
    pub till: TillId,
    #[serde(rename = "tender")]
    pub kind: TenderKind,
    pub account: AccountId,
    /// Less than nothing where the balance is given something back.
    pub amount: Money,
    pub settle: bool,
}

/// The question to a balance ended without a tender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceEnded {
    pub ask: CommandId,
    pub ticket: TicketId,
    pub account: AccountId,
    pub end: BalanceEnd,
    /// A stable word of the accounts, such as `not_enough`.
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceEnd {
    Declined,
    /// It was granted too late, and given back.
    Released,
}

/// Goods put aside for a customer at these prices. What is paid towards them are tickets of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayawayOpened {
    pub layaway: LayawayId,
    pub form: LayawayForm,
    pub register: RegisterId,
    pub customer: CustomerId,
    pub currency: Currency,
    pub opened_at: Instant,
    /// The last civil date on which the goods are kept.
    pub keep_until: Date,
    pub lines: Vec<ClosedLine>,
    pub total: Money,
    /// What had to be paid on the first day.
    pub deposit_least: Money,
    /// What is kept back when it is given up or runs out.
    pub fee: Money,
    /// What the stock room sets aside. Empty for an order of goods that are not here.
    pub reserve: Vec<Reserve>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayawayForm {
    /// The goods are here and set aside.
    Layaway,
    /// The goods are to come.
    Order,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    pub sku: Sku,
    pub quantity: Quantity,
}

/// The goods were picked up, or are free again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayawayEnded {
    pub layaway: LayawayId,
    pub end: LayawayEnd,
    /// The ticket that sold the goods or gave the money back; none when nothing had been paid.
    pub ticket: Option<TicketId>,
    pub fee: Money,
    /// What is no longer set aside.
    pub release: Vec<Reserve>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayawayEnd {
    PickedUp,
    Cancelled,
    Expired,
}

/// What a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineRole {
    #[default]
    Goods,
    /// A deposit that goes along with a line of goods.
    Deposit,
    /// An empty that came back.
    BottleRefund,
    /// Sold by department, at a price that was keyed in.
    Department,
    /// Paid towards goods put aside; less than nothing where it is counted against them.
    Prepayment,
    /// A fee of the shop.
    Fee,
}

/// What a line tells beyond item, quantity and price.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDetails {
    #[serde(default, skip_serializing_if = "is_default")]
    pub role: LineRole,
    /// The line this one goes along with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weighed: Option<Weighed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epc: Option<String>,
    /// Head office should look at this line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<LineException>,
    /// Set by a person; the line's unit price is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyed: Option<KeyedPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<HandDiscount>,
    /// Which line of which receipt is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns: Option<ReturnOf>,
    /// The goods put aside that this line sells, or pays towards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layaway: Option<LayawayId>,
    /// Taken back without a receipt, at the lowest price of the last days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_receipt: Option<WithoutReceipt>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<ReasonCode>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What the scale said; the line's quantity is the net weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weighed {
    pub reading: ReadingId,
    pub gross: Quantity,
    pub tare: Quantity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineException {
    /// Nothing in the catalog carries the code; it was sold by department.
    UnknownCode,
}

/// Why a line's price was keyed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedPrice {
    pub source: KeyedSource,
    pub price: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonCode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyedSource {
    /// Instead of the shop's price.
    Override,
    /// The item has no price of its own.
    Open,
    /// The bar code holds it.
    Embedded,
}

/// A discount that a person gave: `{"percent": "10", "reason": "damaged"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandDiscount {
    #[serde(flatten)]
    pub discount: Discount,
    pub reason: ReasonCode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReturnOf {
    pub receipt: ReceiptNo,
    pub line: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithoutReceipt {
    pub reason: ReasonCode,
}

/// What a tender tells beyond its kind and amount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderDetails {
    /// The part of the amount that is for the staff and not for the goods.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tip: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The code of a voucher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<String>,
    /// The tender whose money this gives back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_of: Option<RefundOf>,
    /// On whose word it was given back in another form than it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
}

/// The tender of a sale to which money goes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundOf {
    pub receipt: ReceiptNo,
    pub tender: CommandId,
    /// How the terminal named the payment that took the money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
}

/// What a ticket tells beyond lines, sums and tenders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketDetails {
    /// The catalog and the last directive when the first line was scanned; prices and promotions are theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<PriceVersion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The price groups the customer had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupons: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<HandDiscount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exemption: Option<Exemption>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub age_checks: Vec<AgeCheck>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<ReasonCode>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voided_tenders: Vec<VoidedTender>,
    /// Towards which goods put aside this ticket pays, or which of them it sells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layaway: Option<LayawayId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted: Option<Quoted>,
    /// The civil date whose taxes these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_day: Option<Date>,
    /// Every other command there was on this ticket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Happened>,
}

/// Somebody looked whether the customer is old enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeCheck {
    pub command_id: CommandId,
    pub at: Instant,
    pub staff: StaffId,
    pub min_age: u8,
    /// The shop's civil date.
    pub day: Date,
    pub decision: AgeDecision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgeDecision {
    Passed,
    Refused,
}

/// A second person allowed one action on one line, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub id: CommandId,
    pub action: ApprovedAction,
    /// None where the action is about the whole ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Who allowed it.
    pub by: StaffId,
    /// For whom.
    pub staff: StaffId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovedAction {
    PriceOverride,
    LineDiscount,
    TicketDiscount,
    TaxExemption,
    ReturnWithoutReceipt,
    CancelSale,
    RefundOtherwise,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidedTender {
    #[serde(flatten)]
    pub tender: Tender,
    pub voided: Voided,
}

/// What was offered; nothing was sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    pub net: Money,
    pub tax: Money,
    /// The last civil date on which the offer holds.
    pub holds_until: Date,
}

/// One command on a ticket that left no line or tender of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    pub command_id: CommandId,
    pub at: Instant,
    pub what: What,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<StaffId>,
    /// Where the ticket is from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<RegisterId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    QuantityChanged,
    PriceOverridden,
    Discounted,
    Captured,
    Noted,
    CustomerNamed,
    CouponTaken,
    CouponDropped,
    Exempted,
    Suspended,
    Resumed,
    TakenOver,
}

impl TicketEnd {
    /// Where its receipt number comes from; `None` for a ticket without one.
    pub fn series(self) -> Option<Series> {
        match self {
            TicketEnd::Sale | TicketEnd::Return | TicketEnd::Exchange | TicketEnd::Cancellation => Some(Series::Receipts),
            TicketEnd::Training => Some(Series::Training),
            TicketEnd::Quotation => Some(Series::Quotations),
            TicketEnd::Cancelled => None,
        }
    }

    /// Whether money and goods changed hands: only these count in tills, stock, accounts and reports.
    pub fn counts(self) -> bool {
        self.series() == Some(Series::Receipts)
    }
}

/// Who sits where: the one whom the latest session epoch lets act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seated {
    pub register: RegisterId,
    pub till: TillId,
    pub shift: ShiftId,
    pub session: u64,
    pub staff: StaffId,
}

/// Each word of an enum both ways, as the bytes and the exports have it.
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $name {
            pub fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }

            /// `None` for a word of a newer version.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some($name::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words!(BalanceEnd { Declined = "declined", Released = "released" });
words!(LayawayForm { Layaway = "layaway", Order = "order" });
words!(LayawayEnd { PickedUp = "picked_up", Cancelled = "cancelled", Expired = "expired" });
words!(LineRole { Goods = "goods", Deposit = "deposit", BottleRefund = "bottle_refund", Department = "department", Prepayment = "prepayment", Fee = "fee" });
words!(LineException { UnknownCode = "unknown_code" });
words!(KeyedSource { Override = "override", Open = "open", Embedded = "embedded" });
words!(AgeDecision { Passed = "passed", Refused = "refused" });
words!(ApprovedAction { PriceOverride = "price_override", LineDiscount = "line_discount", TicketDiscount = "ticket_discount", TaxExemption = "tax_exemption", ReturnWithoutReceipt = "return_without_receipt", CancelSale = "cancel_sale", RefundOtherwise = "refund_otherwise" });
words!(What { QuantityChanged = "quantity_changed", PriceOverridden = "price_overridden", Discounted = "discounted", Captured = "captured", Noted = "noted", CustomerNamed = "customer_named", CouponTaken = "coupon_taken", CouponDropped = "coupon_dropped", Exempted = "exempted", Suspended = "suspended", Resumed = "resumed", TakenOver = "taken_over" });
words!(TenderKind { Cash = "cash", Card = "card", GiftCard = "gift_card", StoreCredit = "store_credit", Voucher = "voucher", OnAccount = "on_account", Points = "points" });
words!(TicketEnd { Sale = "sale", Return = "return", Cancelled = "cancelled", Exchange = "exchange", Cancellation = "cancellation", Training = "training", Quotation = "quotation" });
