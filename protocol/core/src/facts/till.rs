//! Facts about containers of cash beyond a shift's own: what a till is, cash on its way from one into another, and counts.

use serde::{Deserialize, Serialize};

use crate::ids::{ShiftId, StaffId, TillId};
use crate::money::Currency;
use crate::till::{CountResult, CurrencySum, Tally, TillKind};

/// What can happen to a till that is neither a sale nor a shift's begin or end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum TillFact {
    TillDeclared(TillDeclared),
    CashTransferred(CashTransferred),
    TillCounted(Box<TillCounted>),
}

/// What a till is. A till nobody declared is a drawer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillDeclared {
    pub till: TillId,
    pub kind: TillKind,
}

/// Cash went out of one till and into another: one fact, so that no sum is ever under way between two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashTransferred {
    pub from: TillId,
    pub to: TillId,
    /// The open shifts it belongs to, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_shift: Option<ShiftId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_shift: Option<ShiftId>,
    /// The store's own currency; every other one in `sums` is foreign cash.
    pub currency: Currency,
    pub sums: Vec<CurrencySum>,
    pub by: StaffId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<StaffId>,
    /// One of the shop's own reasons, or the number of the bag; not a free text about a person.
    pub reason: String,
}

/// A blind count. Within a shift it says only what was found; the report that closes the shift says what was expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillCounted {
    pub till: TillId,
    /// None for a till without an open shift, such as a safe: then the count stands at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<ShiftId>,
    pub currency: Currency,
    pub tally: Tally,
    /// Only for a till without an open shift.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<CountResult>,
    pub by: StaffId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<StaffId>,
}
