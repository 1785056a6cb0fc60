//! What a ledger posts for a fact: pairs of account word and signed amount that sum to zero in each unit. Debits are positive.
//!
//! Only movements of value have legs: leases move who may spend, not who owes. The other side of what a customer pays or gets stands in the
//! ticket, so both post against `ticket_clearing`, which is empty when each ticket and its movements are in the books.

use super::{Account, AccountKind, Unit};
use crate::facts::accounts::{AccountMoved, AccountsFact, Moved, Worth};

/// The word of a ledger account. Texts are a promise; a ledger maps them to its own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Word {
    GiftCardsOwed,
    StoreCreditOwed,
    /// In points: what customers hold.
    PointsOutstanding,
    /// In points: what the programme gave away.
    PointsGiven,
    CustomersOwe,
    TicketClearing,
    /// What points took off tickets, in money.
    PointsRedeemed,
    /// Balances that ran out.
    Breakage,
    Corrections,
}

impl Word {
    pub fn as_str(self) -> &'static str {
        match self {
            Word::GiftCardsOwed => "gift_cards_owed",
            Word::StoreCreditOwed => "store_credit_owed",
            Word::PointsOutstanding => "points_outstanding",
            Word::PointsGiven => "points_given",
            Word::CustomersOwe => "customers_owe",
            Word::TicketClearing => "ticket_clearing",
            Word::PointsRedeemed => "points_redeemed",
            Word::Breakage => "gift_card_breakage",
            Word::Corrections => "account_corrections",
        }
    }
}

/// One leg: minor units of a currency, or points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    pub word: Word,
    pub unit: Unit,
    pub amount: i64,
}

impl AccountsFact {
    /// Empty when nothing is to be posted. Sums to zero in each unit.
    pub fn legs(&self) -> Vec<Leg> {
        match self {
            AccountsFact::AccountMoved(moved) => moved.legs(),
            _ => Vec::new(),
        }
    }
}

impl AccountMoved {
    pub fn legs(&self) -> Vec<Leg> {
        let amount = self.amount.get();
        let own = owed(self.account);
        let across = |other: Word| pair(self.account.unit, own, other, amount);
        // What customers hold grows on the credit side, so value that comes in has the minus on the account's own leg.
        let back = |other: Word| pair(self.account.unit, other, own, amount);
        let points = self.account.kind == AccountKind::Points;
        let till = if points { Word::PointsGiven } else { Word::TicketClearing };
        let breakage = if points { Word::PointsGiven } else { Word::Breakage };
        let corrections = if points { Word::PointsGiven } else { Word::Corrections };
        match &self.moved {
            Moved::Sold | Moved::Reloaded | Moved::RefundedTo | Moved::Issued | Moved::Paid { .. } | Moved::Earned { .. } => back(till),
            Moved::Spent(out) => [across(till), worth(points, out.worth, 1)].concat(),
            Moved::Reversed { worth: given, .. } => [back(till), worth(points, *given, -1)].concat(),
            Moved::TakenBack { .. } => across(till),
            Moved::Expired => across(breakage),
            Moved::Replaced { by, .. } => pair(self.account.unit, own, owed(*by), amount),
            Moved::CorrectedIn => back(corrections),
            Moved::CorrectedOut { .. } => across(corrections),
        }
    }
}

fn owed(account: Account) -> Word {
    match account.kind {
        AccountKind::GiftCard => Word::GiftCardsOwed,
        AccountKind::StoreCredit => Word::StoreCreditOwed,
        AccountKind::Points => Word::PointsOutstanding,
        AccountKind::OnAccount => Word::CustomersOwe,
    }
}

fn pair(unit: Unit, debit: Word, credit: Word, amount: i64) -> Vec<Leg> {
    let leg = |word, amount| Leg { word, unit, amount };
    vec![leg(debit, amount), leg(credit, amount.saturating_neg())]
}

/// Points pay a ticket with money the programme gives.
fn worth(points: bool, worth: Option<Worth>, sign: i64) -> Vec<Leg> {
    match worth {
        // Kept clear of the one amount whose negative does not exist, so that the two legs cancel whatever a fact holds.
        Some(worth) if points => {
            let amount = worth.amount.0.clamp(-i64::MAX, i64::MAX).saturating_mul(sign);
            pair(Unit::Money(worth.currency), Word::PointsRedeemed, Word::TicketClearing, amount)
        }
        _ => Vec::new(),
    }
}
