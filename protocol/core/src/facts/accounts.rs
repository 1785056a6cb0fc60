//! Facts about balances that more than one store may want to spend: gift cards, store credit, points, account customers.
//!
//! Value leaves an account only by a fact in a store's own journal, and only out of leases that store holds (or at a declared risk):
//! so a head office that forgot is told again by the stores, and stores cut off from each other never spend the same cent. Head office's
//! own facts (granted, closed, limits, corrections) stand in a journal of its own. No names, no card numbers, no PINs.

use serde::{Deserialize, Serialize};

use crate::accounts::{Account, CardMark, Value};
use crate::ids::{CommandId, CustomerId, LeaseId, ReceiptNo, StoreId, TicketId};
use crate::journal::Epoch;
use crate::money::{Currency, Money, Quantity};
use crate::time::{BusinessDay, Instant};

use super::Kind;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum AccountsFact {
    AccountOpened(AccountOpened),
    AccountMoved(Box<AccountMoved>),
    AccountChanged(AccountChanged),
    LeaseAsked(LeaseAsked),
    LeaseGranted(LeaseGranted),
    LeaseTaken(LeaseTaken),
    LeaseReturned(LeaseReturned),
    LeaseClosed(LeaseClosed),
    OfficeSeen(OfficeSeen),
}

impl AccountsFact {
    pub fn kind(&self) -> Kind {
        match self {
            AccountsFact::AccountOpened(_) => Kind::AccountOpened,
            AccountsFact::AccountMoved(_) => Kind::AccountMoved,
            AccountsFact::AccountChanged(_) => Kind::AccountChanged,
            AccountsFact::LeaseAsked(_) => Kind::LeaseAsked,
            AccountsFact::LeaseGranted(_) => Kind::LeaseGranted,
            AccountsFact::LeaseTaken(_) => Kind::LeaseTaken,
            AccountsFact::LeaseReturned(_) => Kind::LeaseReturned,
            AccountsFact::LeaseClosed(_) => Kind::LeaseClosed,
            AccountsFact::OfficeSeen(_) => Kind::OfficeSeen,
        }
    }
}

/// An account exists. Holds no value yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountOpened {
    #[serde(flatten)]
    pub account: Account,
    /// What stands on the plastic, as a keyed hash and its last four digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardMark>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
}

/// Value came into an account or left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountMoved {
    /// Names this movement for ever; saying it twice does it once.
    pub command: CommandId,
    #[serde(flatten)]
    pub account: Account,
    pub amount: Value,
    /// The ticket it belongs to, and its receipt once it has a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptNo>,
    #[serde(flatten)]
    pub moved: Moved,
}

/// What moved it. Value that comes in at a store is that store's own lease, named by the movement's command, until it is handed back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "moved", rename_all = "snake_case")]
pub enum Moved {
    /// A gift card was bought.
    Sold,
    Reloaded,
    /// A return was paid back to it.
    RefundedTo,
    /// Store credit for a return.
    Issued,
    /// An account customer paid; named invoices first, the rest goes to the oldest.
    Paid {
        invoices: Vec<InvoicePaid>,
    },
    /// Points for a sale, line by line, so that a return can take back its share.
    Earned {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<BusinessDay>,
        lines: Vec<PointsLine>,
    },
    /// The customer paid with it: redeemed, spent, burned, or charged to the account.
    Spent(Outflow),
    /// Points of a sale that was returned, whole or in part.
    TakenBack {
        of: CommandId,
        lines: Vec<PointsLine>,
        #[serde(flatten)]
        out: Outflow,
    },
    /// A spending whose ticket was cancelled. What a lease had paid is this store's own lease again; what was at risk goes back.
    Reversed {
        of: CommandId,
        covered: Value,
        uncovered: Value,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        worth: Option<Worth>,
    },
    /// Its time ran out. Only head office says so, and only of what no store holds.
    Expired,
    /// Moved to the card that replaces this one. The value on the new one is this store's own lease.
    Replaced {
        by: Account,
        #[serde(flatten)]
        out: Outflow,
    },
    /// A person at head office brings in what paper says and no journal holds any more.
    CorrectedIn,
    CorrectedOut {
        /// The lease it was spent from, if that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<LeaseName>,
    },
}

/// Which leases paid, and what nobody had lent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outflow {
    pub draws: Vec<Draw>,
    /// Spent at the shop's own risk, within its declared limit; or points taken back that are gone already.
    pub uncovered: Value,
    /// What points were worth at the till.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worth: Option<Worth>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    pub lease: LeaseId,
    pub amount: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worth {
    pub amount: Money,
    pub currency: Currency,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicePaid {
    /// The movement that charged it.
    pub invoice: CommandId,
    pub amount: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointsLine {
    pub line: u32,
    pub quantity: Quantity,
    pub points: Value,
}

/// A lease anywhere in the company, bound to one life of one box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LeaseName {
    pub store: StoreId,
    pub epoch: Epoch,
    pub lease: LeaseId,
}

/// What an account may do changed. Head office decides; a store that hears of it writes the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountChanged {
    #[serde(flatten)]
    pub account: Account,
    #[serde(flatten)]
    pub change: Change,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    Blocked,
    Unblocked,
    /// How far an account customer may owe.
    CreditLimit {
        limit: Value,
    },
}

/// A store asks head office for room to spend; written before it asks, so that after any fall it knows what has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseAsked {
    pub lease: LeaseId,
    #[serde(flatten)]
    pub account: Account,
    pub amount: Value,
    /// The payment that waits for it; none for room in stock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
}

/// A payment that waits for head office's answer. The part the ask does not name is kept free in the leases held already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub ticket: TicketId,
    pub whole: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worth: Option<Worth>,
}

/// Head office lends room. In its own journal, before the answer leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseGranted {
    pub lease: LeaseId,
    #[serde(flatten)]
    pub account: Account,
    pub store: StoreId,
    pub epoch: Epoch,
    pub amount: Value,
    /// After this the store spends nothing more from it.
    pub until: Instant,
    /// Which life of head office says so.
    pub incarnation: u32,
}

/// The room is in the store's hands; taken again with a later end, it was renewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseTaken {
    pub lease: LeaseId,
    #[serde(flatten)]
    pub account: Account,
    pub amount: Value,
    pub until: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseEnd {
    HandedBack,
    /// Its time ran out.
    Expired,
    /// Head office said no; nothing was taken.
    Refused,
    /// The ticket no longer needs it; an answer that comes later is not taken.
    GivenUp,
}

/// The store will not spend from this lease any more. What is left of it is head office's again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseReturned {
    pub lease: LeaseId,
    #[serde(flatten)]
    pub account: Account,
    /// What was left. Zero for one that was never taken.
    pub amount: Value,
    pub end: LeaseEnd,
}

/// Head office takes back what a lost box had, on a person's word about what was spent there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseClosed {
    #[serde(flatten)]
    pub name: LeaseName,
    #[serde(flatten)]
    pub account: Account,
    pub released: Value,
}

/// Which life of head office is in force. What an older life granted and a store had not taken by then is void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeSeen {
    pub incarnation: u32,
    #[serde(flatten)]
    pub seen: Seen,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "seen", rename_all = "snake_case")]
pub enum Seen {
    /// Head office: it was restored from a backup, or begins for the first time.
    Began,
    /// A store: it heard, and takes nothing from an older life from here on.
    Heard,
    /// Head office: a person answers for a store whose word is not enough, because its box was set back too.
    Vouched { store: StoreId },
}
