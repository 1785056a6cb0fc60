//! Facts of the day on which a shop goes live: what accounts and tills held before. Stock has `stock_opened`.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, TillId};
use crate::journal::Hash;
use crate::money::{Money, Quantity};

use super::{Fact, Kind};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum OpeningFact {
    AccountsOpened(AccountsOpened),
    TillsOpened(TillsOpened),
    WentLive(WentLive),
}

/// What an account was worth in the shop's old books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountsOpened {
    /// SHA-256 of the file it was read from.
    pub source: Hash,
    pub accounts: Vec<OpenedAccount>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenedKind {
    GiftCard,
    StoreCredit,
    Points,
    /// What a customer owes (negative) or has paid ahead.
    OnAccount,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedAccount {
    pub account: AccountId,
    pub kind: OpenedKind,
    /// Minor units of the shop's currency, or points.
    pub balance: i64,
}

/// Where the tills stood in the shop's old books, so that Z numbers and perpetual totals go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillsOpened {
    pub source: Hash,
    pub tills: Vec<OpenedTill>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedTill {
    pub till: TillId,
    pub last_z: u64,
    pub perpetual_sales: Money,
    pub perpetual_returns: Money,
}

/// The opening is over, and these are its sums, which a person compared with the old books. Nothing is opened after this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WentLive {
    pub items: u64,
    pub on_hand: Quantity,
    pub accounts: u64,
    /// Sum of all accounts that hold money, and of those that hold points.
    pub money: Money,
    pub points: i64,
    pub tills: u64,
    pub perpetual_sales: Money,
    pub perpetual_returns: Money,
}

impl OpeningFact {
    pub fn kind(&self) -> Kind {
        match self {
            OpeningFact::AccountsOpened(_) => Kind::AccountsOpened,
            OpeningFact::TillsOpened(_) => Kind::TillsOpened,
            OpeningFact::WentLive(_) => Kind::WentLive,
        }
    }
}

impl From<OpeningFact> for Fact {
    fn from(fact: OpeningFact) -> Fact {
        Fact::Opening(fact)
    }
}
