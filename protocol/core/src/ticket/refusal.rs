//! What the shop says to the one at the till when something can not be done.

use jiff::civil::Date;

use super::{LARGEST_QUANTITY, MOST_LINES, MOST_TENDERS};
use crate::catalog::Sku;
use crate::ids::{LayawayId, ReceiptNo, RegisterId, TillId};
use crate::money::{MoneyError, Quantity};
use crate::price::PriceError;
use crate::tax::TaxError;

/// The stable code is `code()`, the sentence is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("nothing carries the code {code:?}; check the label, search for the item by name, or sell it by department")]
    UnknownCode { code: String },
    #[error("{why}")]
    UnreadableCode { why: String },
    #[error("quantity {quantity} can not be sold; use more than 0 and at most {}", LARGEST_QUANTITY / 1000)]
    Quantity { quantity: Quantity },
    #[error("{name} is sold by the piece; {quantity} of it is no number of pieces, key in a whole number")]
    NoPieces { name: String, quantity: Quantity },
    #[error("the ticket has {MOST_LINES} lines; settle it and open another")]
    TooManyLines,
    #[error("line {line} is not on this ticket; read it again")]
    NoSuchLine { line: u32 },
    #[error("line {line} is already voided; scan the item again to sell it")]
    AlreadyVoided { line: u32 },
    #[error("line {line} goes along with line {goods}; change that one")]
    GoesAlong { line: u32, goods: u32 },
    #[error("line {line} is taken back from a receipt and stays as it is; void it to leave it out")]
    TakenBackLine { line: u32 },
    #[error("line {line} was weighed; void it and weigh again")]
    WeighedLine { line: u32 },
    #[error("the basket is empty; scan an item first")]
    EmptyBasket,
    #[error("money was already taken for this ticket; settle it, then take it back as a return, or hand the money back first")]
    AlreadyPaid,
    #[error("{given} is not enough, {due} is due; take the rest first")]
    NotEnough { given: String, due: String },
    #[error("an amount of {amount} can not be taken; give more than nothing")]
    Amount { amount: String },
    #[error("receipt {receipt} was already taken back; nothing is left to give back for it")]
    AlreadyReturned { receipt: ReceiptNo },
    #[error("receipt {receipt} is itself a return; only a sale can be taken back")]
    NotASale { receipt: ReceiptNo },
    #[error("receipt {receipt} is not known in this store; check the number")]
    UnknownReceipt { receipt: ReceiptNo },
    #[error("a card payment of {amount} is under way; wait for its end or give it up at the terminal")]
    CardUnderWay { amount: String },
    #[error("{amount} is more than the {remaining} that is left to pay; a card gives no change")]
    CardTooMuch { amount: String, remaining: String },
    #[error("no payment terminal stands at this register; take cash, or name one in the box's devices")]
    NoTerminal,
    #[error("no receipt printer stands at this register; name one in the box's devices")]
    NoPrinter,
    #[error(
        "receipt {receipt} was paid by card, and money can not be given back to a card yet; return it where the card was charged, or ask your manager"
    )]
    PaidByCard { receipt: ReceiptNo },
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Price(#[from] PriceError),
    #[error(transparent)]
    Tax(#[from] TaxError),
    #[error("item {sku} has no tax class any more; ask head office to mend the catalog")]
    NoTaxClass { sku: Sku },
    #[error(
        "this ticket was begun with catalog {pinned} and the box sells from {given} now; settle it as it is, or cancel it and scan again"
    )]
    OtherCatalog { pinned: u64, given: u64 },
    #[error("{name} has no price of its own; key it in")]
    PriceNeeded { name: String },
    #[error("{name} has a price of its own; ask for a price override instead")]
    HasPrice { name: String },
    #[error("a price of {price} can not be keyed in; use {least} to {most}")]
    PriceLimit { price: String, least: String, most: String },
    #[error("{name} is not sold by weight; scan it without the scale")]
    NotWeighed { name: String },
    #[error("the tare of {tare} is more than the {gross} on the scale; take the container off or key in the right tare")]
    Tare { tare: Quantity, gross: Quantity },
    #[error("nothing is on the scale; put the goods on it and wait until it is steady")]
    NothingWeighed,
    #[error("this weight was already used for a line; take the goods off and weigh again")]
    ReadingUsed,
    #[error("{name} is sold with its {what}; scan or key it in")]
    CaptureNeeded { name: String, what: &'static str },
    #[error("{name} with {what} {text:?} is already on this ticket; it can be sold once only")]
    CapturedTwice { name: String, what: &'static str, text: String },
    #[error("{name} has its own {what} each; scan them one by one")]
    OneByOne { name: String, what: &'static str },
    #[error("this is no {what}; use 1 to 48 printable characters and no card number")]
    Capture { what: &'static str },
    #[error("{name} is only sold to people of {min_age} and older, born on {born_by} or before; look, and record the check")]
    AgeCheck { name: String, min_age: u8, born_by: Date },
    #[error("the age check for {name} was refused on this ticket; leave it out")]
    AgeRefused { name: String },
    #[error("{name} has no age limit; just scan it")]
    NoAgeLimit { name: String },
    #[error("this needs an approval; ask somebody who may give it")]
    ApprovalNeeded,
    #[error("this approval is for another action or another line; ask for one for this")]
    OtherApproval,
    #[error("this approval was used already; each holds once, ask for another")]
    ApprovalUsed,
    #[error("line {line} can not have a discount; give it on goods that are sold")]
    NoDiscount { line: u32 },
    #[error("coupon {code:?} is already on this ticket; each counts once")]
    CouponTwice { code: String },
    #[error("coupon {code:?} is not on this ticket; there is nothing to take off")]
    NoSuchCoupon { code: String },
    #[error("this is no coupon; use 1 to 48 printable characters and no card number")]
    Coupon,
    #[error("the ticket has {most} {what}; that is the most it can hold")]
    TooMany { what: &'static str, most: usize },
    #[error("{name} carries no deposit; nothing can be given back for it")]
    NoDeposit { name: String },
    #[error("the ticket is suspended; resume it first")]
    Suspended,
    #[error("the ticket is not suspended; just go on")]
    NotSuspended,
    #[error("this ticket was taken over by register {register}; go on there, or take it over")]
    Fenced { register: RegisterId },
    #[error("another session has taken this ticket since; read it again and take it over if you still need it")]
    OldSession,
    #[error("cash for this ticket lies in till {till}; hand it back there, or finish the ticket there")]
    CashInOtherTill { till: TillId },
    #[error("this is a training ticket; it takes practice cash only")]
    Training,
    #[error("{amount} is more than the {remaining} that is left to pay; {kind} gives no change")]
    TooMuch {
        kind: &'static str,
        amount: String,
        remaining: String,
    },
    #[error("the {currency} is the shop's own money; take it as cash")]
    OwnCurrency { currency: &'static str },
    #[error("a tip of {tip} can not be taken; a tip is at most what is paid with it")]
    Tip { tip: String },
    #[error("voucher {code:?} is already on this ticket; it counts once")]
    VoucherTwice { code: String },
    #[error(
        "the voucher is worth {worth} and {remaining} is left to pay; at most {most} is handed out in change, so add goods or pay otherwise"
    )]
    VoucherTooMuch { worth: String, remaining: String, most: String },
    #[error("this is no voucher; use 1 to 48 printable characters and no card number")]
    Voucher,
    #[error("a payment of {amount} from a balance is being asked for; wait for the answer")]
    BalanceUnderWay { amount: String },
    #[error("this way to pay needs a customer or a card; name one first")]
    NoAccount,
    #[error("{MOST_TENDERS} payments are on this ticket; that is the most it can hold")]
    TooManyTenders,
    #[error("this payment is not on the ticket; read it again")]
    NoSuchTender,
    #[error("what a card paid is not undone here; settle the ticket and take it back as a return")]
    TenderStays,
    #[error("{amount} is to be given back; choose how before the ticket is closed")]
    RefundFirst { amount: String },
    #[error("{asked} is more than the {left} that is still to be given back; give back at most that")]
    RefundTooMuch { asked: String, left: String },
    #[error("{asked} is more than the {left} left of what was paid this way; give the rest back another way")]
    RefundBeyondTender { asked: String, left: String },
    #[error("this is given back as {form}; choose that")]
    RefundForm { form: &'static str },
    #[error("line {line} of receipt {receipt} has {left} left; {asked} can not come back")]
    OverReturn {
        receipt: ReceiptNo,
        line: u32,
        asked: Quantity,
        left: Quantity,
    },
    #[error("line {line} is not on receipt {receipt}, or was voided there; check the line on the receipt")]
    NotOnReceipt { receipt: ReceiptNo, line: u32 },
    #[error("line {line} of receipt {receipt} is on this ticket already; void it there to change it")]
    ReturnedTwice { receipt: ReceiptNo, line: u32 },
    #[error("line {line} of receipt {receipt} can not come back; only goods can")]
    NotReturnable { receipt: ReceiptNo, line: u32 },
    #[error("receipt {receipt} is in {theirs}, this ticket in {ours}; take it back on a ticket of its own")]
    OtherCurrency {
        receipt: ReceiptNo,
        theirs: &'static str,
        ours: &'static str,
    },
    #[error("without a receipt at most {most} is given back on one ticket, this would be {amount}; look for the receipt")]
    WithoutReceiptLimit { most: String, amount: String },
    #[error("nothing is known of a price of {name} in the last days; look for the receipt")]
    NoLowestPrice { name: String },
    #[error("receipt {receipt} belongs to another shift; take it back as a return")]
    OtherShift { receipt: ReceiptNo },
    #[error("receipt {receipt} was returned in part; take the rest back as a return")]
    PartlyReturned { receipt: ReceiptNo },
    #[error("a cancellation takes a whole receipt on a ticket of its own; start a new one")]
    CancelAlone,
    #[error("a quotation is of goods; leave out what is taken back or paid")]
    NotQuotable,
    #[error("layaway {layaway} has ended; look at its receipts")]
    LayawayEnded { layaway: LayawayId },
    #[error("goods are kept for a customer; name one first")]
    CustomerNeeded,
    #[error("the first payment is at least {least}; {paid} is not enough")]
    DepositLeast { least: String, paid: String },
    #[error("{amount} is more than the {open} still open on the layaway; pick the goods up instead")]
    LayawayOverpaid { amount: String, open: String },
    #[error("the layaway is kept until {until}; it can only run out after that day")]
    NotExpired { until: Date },
    #[error("the layaway ran out after {until}; ask a manager whether it is opened anew")]
    Expired { until: Date },
    #[error("goods are kept for at most {days} days; choose an earlier day")]
    KeptTooLong { days: u16 },
    #[error("the taxes of this ticket were told by other rules than today's; void a line and scan it again, or cancel the ticket")]
    TaxesTurned,
    #[error("a layaway takes goods only; settle what else is on the ticket by itself")]
    LayawayGoodsOnly,
}

impl Refusal {
    /// Stable for programs, where the sentence may be worded better one day.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::UnknownCode { .. } => "unknown_code",
            Refusal::UnreadableCode { .. } => "unreadable_code",
            Refusal::Quantity { .. } => "quantity",
            Refusal::NoPieces { .. } => "quantity",
            Refusal::TooManyLines => "too_many_lines",
            Refusal::NoSuchLine { .. } => "no_such_line",
            Refusal::AlreadyVoided { .. } => "already_voided",
            Refusal::GoesAlong { .. } => "goes_along",
            Refusal::TakenBackLine { .. } => "taken_back_line",
            Refusal::WeighedLine { .. } => "weighed_line",
            Refusal::EmptyBasket => "empty_basket",
            Refusal::AlreadyPaid => "already_paid",
            Refusal::NotEnough { .. } => "not_enough",
            Refusal::Amount { .. } => "amount",
            Refusal::AlreadyReturned { .. } => "already_returned",
            Refusal::NotASale { .. } => "not_a_sale",
            Refusal::UnknownReceipt { .. } => "unknown_receipt",
            Refusal::CardUnderWay { .. } => "card_under_way",
            Refusal::CardTooMuch { .. } => "card_too_much",
            Refusal::NoTerminal => "no_terminal",
            Refusal::NoPrinter => "no_printer",
            Refusal::PaidByCard { .. } => "paid_by_card",
            Refusal::Money(_) => "money",
            Refusal::Price(error) => error.code(),
            Refusal::Tax(error) => error.code(),
            Refusal::NoTaxClass { .. } => "no_tax_class",
            Refusal::OtherCatalog { .. } => "other_catalog",
            Refusal::PriceNeeded { .. } => "price_needed",
            Refusal::HasPrice { .. } => "has_price",
            Refusal::PriceLimit { .. } => "price_limit",
            Refusal::NotWeighed { .. } => "not_weighed",
            Refusal::Tare { .. } => "tare",
            Refusal::NothingWeighed => "nothing_weighed",
            Refusal::ReadingUsed => "reading_used",
            Refusal::CaptureNeeded { .. } => "capture_needed",
            Refusal::CapturedTwice { .. } => "captured_twice",
            Refusal::OneByOne { .. } => "one_by_one",
            Refusal::Capture { .. } => "capture",
            Refusal::AgeCheck { .. } => "age_check",
            Refusal::AgeRefused { .. } => "age_refused",
            Refusal::NoAgeLimit { .. } => "no_age_limit",
            Refusal::ApprovalNeeded => "approval_needed",
            Refusal::OtherApproval => "other_approval",
            Refusal::ApprovalUsed => "approval_used",
            Refusal::NoDiscount { .. } => "no_discount",
            Refusal::CouponTwice { .. } => "coupon_twice",
            Refusal::NoSuchCoupon { .. } => "no_such_coupon",
            Refusal::Coupon => "coupon",
            Refusal::TooMany { .. } => "too_many",
            Refusal::NoDeposit { .. } => "no_deposit",
            Refusal::Suspended => "suspended",
            Refusal::NotSuspended => "not_suspended",
            Refusal::Fenced { .. } => "ticket_fenced",
            Refusal::OldSession => "old_session",
            Refusal::CashInOtherTill { .. } => "cash_in_other_till",
            Refusal::Training => "training",
            Refusal::TooMuch { .. } => "too_much",
            Refusal::OwnCurrency { .. } => "own_currency",
            Refusal::Tip { .. } => "tip",
            Refusal::VoucherTwice { .. } => "voucher_twice",
            Refusal::VoucherTooMuch { .. } => "voucher_too_much",
            Refusal::Voucher => "voucher",
            Refusal::BalanceUnderWay { .. } => "balance_under_way",
            Refusal::NoAccount => "no_account",
            Refusal::TooManyTenders => "too_many_tenders",
            Refusal::NoSuchTender => "no_such_tender",
            Refusal::TenderStays => "tender_stays",
            Refusal::RefundFirst { .. } => "refund_first",
            Refusal::RefundTooMuch { .. } => "refund_too_much",
            Refusal::RefundBeyondTender { .. } => "refund_beyond_tender",
            Refusal::RefundForm { .. } => "refund_form",
            Refusal::OverReturn { .. } => "over_return",
            Refusal::NotOnReceipt { .. } => "not_on_receipt",
            Refusal::ReturnedTwice { .. } => "returned_twice",
            Refusal::NotReturnable { .. } => "not_returnable",
            Refusal::OtherCurrency { .. } => "other_currency",
            Refusal::WithoutReceiptLimit { .. } => "without_receipt_limit",
            Refusal::NoLowestPrice { .. } => "no_lowest_price",
            Refusal::OtherShift { .. } => "other_shift",
            Refusal::PartlyReturned { .. } => "partly_returned",
            Refusal::CancelAlone => "cancel_alone",
            Refusal::NotQuotable => "not_quotable",
            Refusal::LayawayEnded { .. } => "layaway_ended",
            Refusal::CustomerNeeded => "customer_needed",
            Refusal::DepositLeast { .. } => "deposit_least",
            Refusal::LayawayOverpaid { .. } => "layaway_overpaid",
            Refusal::NotExpired { .. } => "not_expired",
            Refusal::Expired { .. } => "expired",
            Refusal::KeptTooLong { .. } => "kept_too_long",
            Refusal::TaxesTurned => "taxes_turned",
            Refusal::LayawayGoodsOnly => "layaway_goods_only",
        }
    }
}
