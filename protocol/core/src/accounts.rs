//! Balances that more than one store may want to spend: gift cards, store credit, loyalty points, account customers.
//!
//! **Who may spend.** An account's value is in exactly one place at a time: free at head office, or lent to one store's epoch as a *lease*.
//! Selling a card, or issuing a credit, puts value in at that store, as a lease of its own; handing back moves it to head office; a grant
//! moves it to a store. A store spends only what it holds, so stores cut off from each other can not overdraw together, whoever falls.
//! Online, head office decides: a payment asks it for a lease of just what is missing.
//!
//! - [`leased::Leased`] is the store's side, [`book::Book`] head office's. Both are folds of facts and decide into facts.
//! - [`loyalty`] says how many points a basket earns and what they are worth, [`card_number`] what stands on the plastic,
//!   [`directory`] which account a number means, [`legs`] what a ledger posts.
//!
//! **What a superseded epoch does.** Its leases spend nothing more; its facts count for ever. A box that opens a new epoch before it sells
//! can not overdraw by construction: what its old leases still had stays out at head office until a person says what paper knows. A box that
//! was set back and sold on *in the same epoch* spends twice what it holds; both facts count, and what exceeds the lease is a debt of that
//! store ([`book::Book::debts`]).
//!
//! Makes no ids, reads no clock, sends nothing, knows no names.

pub mod book;
pub mod card_number;
pub mod directory;
pub mod leased;
pub mod legs;
pub mod loyalty;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::card_number::CardMark;
use crate::ids::{AccountId, LeaseId, StoreId};
use crate::journal::Epoch;
use crate::money::{Currency, LARGEST_AMOUNT};

/// What kind of promise an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    GiftCard,
    StoreCredit,
    Points,
    /// A customer who pays later, up to a limit.
    OnAccount,
}

impl AccountKind {
    pub fn word(self) -> &'static str {
        match self {
            AccountKind::GiftCard => "gift_card",
            AccountKind::StoreCredit => "store_credit",
            AccountKind::Points => "points",
            AccountKind::OnAccount => "on_account",
        }
    }
}

/// What an account counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Unit {
    Money(Currency),
    Points,
}

impl Unit {
    pub fn word(self) -> &'static str {
        match self {
            Unit::Money(currency) => currency.code(),
            Unit::Points => "points",
        }
    }

    /// `12.50 EUR` or `120 points`, for people.
    pub fn show(self, amount: Value) -> String {
        match self {
            Unit::Money(currency) => currency.show(crate::money::Money(amount.get())),
            Unit::Points => format!("{} points", amount.get()),
        }
    }
}

impl PartialOrd for Unit {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Unit {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.word().cmp(other.word())
    }
}

impl TryFrom<String> for Unit {
    type Error = crate::money::MoneyError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "points" {
            Ok(Unit::Points)
        } else {
            text.parse().map(Unit::Money)
        }
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> String {
        unit.word().to_owned()
    }
}

/// One account, with what must never be mistaken about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    #[serde(rename = "account")]
    pub id: AccountId,
    #[serde(rename = "account_kind")]
    pub kind: AccountKind,
    pub unit: Unit,
}

impl Account {
    /// `gift_card/0192...`, the key of the projection.
    pub fn key(&self) -> String {
        format!("{}/{}", self.kind.word(), self.id)
    }
}

/// For fuzzers: any bytes are the number of a card, a PIN, what an account counts or an amount it may hold, or refused by name.
pub fn fuzz_one(bytes: &[u8]) {
    card_number::fuzz_one(bytes);
    if let Some(eight) = bytes.first_chunk()
        && let Ok(value) = Value::try_from(i64::from_be_bytes(*eight))
    {
        assert!((Value::ZERO..=Value::LARGEST).contains(&value));
        let _ = (value.checked_add(value), value.less(Value::LARGEST));
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    if let Ok(unit) = Unit::try_from(text.clone()) {
        assert_eq!(unit.word(), text);
    }
    if let Ok(four) = text.parse::<card_number::LastFour>() {
        assert_eq!(four.to_string(), text);
    }
}

/// So much of what an account counts: whole minor units or whole points, never negative, never beyond any shop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Value(i64);

impl Value {
    pub const ZERO: Value = Value(0);
    pub const LARGEST: Value = Value(LARGEST_AMOUNT);

    pub const fn new(amount: i64) -> Option<Value> {
        if amount < 0 || amount > LARGEST_AMOUNT {
            None
        } else {
            Some(Value(amount))
        }
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    pub fn wide(self) -> i128 {
        i128::from(self.0)
    }

    /// What is left of a sum for a person: nothing below zero, nothing above the largest.
    pub(crate) fn clamped(amount: i128) -> Value {
        Value(i64::try_from(amount.clamp(0, i128::from(LARGEST_AMOUNT))).unwrap_or_default())
    }

    pub fn checked_add(self, other: Value) -> Option<Value> {
        Value::new(self.0.checked_add(other.0)?)
    }

    /// Never below zero.
    pub fn less(self, other: Value) -> Value {
        Value(self.0.saturating_sub(other.0).max(0))
    }
}

impl TryFrom<i64> for Value {
    type Error = Refusal;
    fn try_from(amount: i64) -> Result<Self, Refusal> {
        Value::new(amount).ok_or(Refusal::Absurd { amount })
    }
}

impl From<Value> for i64 {
    fn from(value: Value) -> i64 {
        value.0
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why an account may not do this, and what the person at the till or desk can do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{amount} is no amount an account can hold; check what was keyed")]
    Absurd { amount: i64 },
    #[error("an amount of nothing moves nothing; key the amount")]
    Nothing,
    #[error("the account holds more than any shop can; split it over several")]
    TooFull,
    #[error("this store may spend {} of this account while it is cut off, not {}; take another tender or try when head office is reached", unit.show(*room), unit.show(*asked))]
    NotEnoughHere { unit: Unit, room: Value, asked: Value },
    #[error("{} is left on this account, not {}; take the rest with another tender", unit.show(*free), unit.show(*asked))]
    NotEnough { unit: Unit, free: Value, asked: Value },
    #[error("the account is blocked; keep the card and ask head office")]
    Blocked,
    #[error("no such account is known; check the number")]
    UnknownAccount,
    #[error("a {} can not be {what}; choose another account", kind.word())]
    WrongKind { kind: AccountKind, what: &'static str },
    #[error("the account counts {have}, not {asked}; choose another account")]
    OtherUnit { have: &'static str, asked: &'static str },
    #[error("this command was used for something else; begin again")]
    CommandReused,
    #[error("head office answered this payment already and it was not made; begin the payment again")]
    AskEnded,
    #[error("no payment with this id was made here since the box was last set up; ask head office to correct the account")]
    NoSuchPayment,
    #[error("the payment was given back already; nothing is left to undo")]
    AlreadyReversed,
    #[error("this store's epoch {asked} is not the one head office knows ({known}); it is asked again when the journal has arrived")]
    Epoch { asked: Epoch, known: Epoch },
    #[error("head office was restored and has not heard from store {store} yet; sell from what this store holds, or wait")]
    Recovering { store: StoreId },
    #[error("head office knows no store {store}; add it first")]
    UnknownStore { store: StoreId },
    #[error("head office knows no open lease {lease}; read the list of leases again")]
    UnknownLease { lease: LeaseId },
    #[error("the store may still spend from lease {lease}; wait until it ends, or until the store has a new box")]
    LeaseAlive { lease: LeaseId },
    #[error("{} was spent according to paper, but the lease has only {} open; count again", unit.show(*paper), unit.show(*open))]
    PaperExceeds { unit: Unit, paper: Value, open: Value },
    #[error("line {line} earned points for less than comes back; check the receipt")]
    OverReturn { line: u32 },
    #[error("the rules of the points are wrong: {why}")]
    Rules { why: &'static str },
}

impl Refusal {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Absurd { .. } => "absurd_amount",
            Refusal::Nothing => "no_amount",
            Refusal::TooFull => "account_too_full",
            Refusal::NotEnoughHere { .. } => "lease_too_small",
            Refusal::NotEnough { .. } => "balance_too_small",
            Refusal::Blocked => "account_blocked",
            Refusal::UnknownAccount => "unknown_account",
            Refusal::WrongKind { .. } => "wrong_account_kind",
            Refusal::OtherUnit { .. } => "other_unit",
            Refusal::CommandReused => "command_id_reused",
            Refusal::AskEnded => "ask_ended",
            Refusal::NoSuchPayment => "no_such_payment",
            Refusal::AlreadyReversed => "already_reversed",
            Refusal::Epoch { .. } => "epoch_not_known",
            Refusal::Recovering { .. } => "head_office_recovering",
            Refusal::UnknownStore { .. } => "unknown_store",
            Refusal::UnknownLease { .. } => "unknown_lease",
            Refusal::LeaseAlive { .. } => "lease_alive",
            Refusal::PaperExceeds { .. } => "paper_exceeds_lease",
            Refusal::OverReturn { .. } => "over_return",
            Refusal::Rules { .. } => "points_rules",
        }
    }
}
