//! What a ledger posts for a fact: pairs of account word and signed amount that sum to zero in each unit. Debits are positive.
//!
//! Only movements of value have legs: leases move who may spend, not who owes. The other side of what a customer pays or gets stands in the
//! ticket, so both post against `ticket_clearing`, which is empty when each ticket and its movements are in the books.

use super::{Account, AccountKind, Unit};
use crate::facts::accounts::{AccountMoved, AccountsFact, Moved, Worth};
use crate::ledger::Account as LedgerAccount;

/// One leg: minor units of a currency, or points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    pub account: LedgerAccount,
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
        let own = || owed(self.account);
        let across = |other: LedgerAccount| pair(self.account.unit, own(), other, amount);
        // What customers hold grows on the credit side, so value that comes in has the minus on the account's own leg.
        let back = |other: LedgerAccount| pair(self.account.unit, other, own(), amount);
        let points = self.account.kind == AccountKind::Points;
        let till = if points {
            LedgerAccount::PointsGiven
        } else {
            LedgerAccount::TicketClearing
        };
        let breakage = if points {
            LedgerAccount::PointsGiven
        } else {
            LedgerAccount::GiftCardBreakage
        };
        let corrections = if points {
            LedgerAccount::PointsGiven
        } else {
            LedgerAccount::AccountCorrections
        };
        match &self.moved {
            Moved::Sold | Moved::Reloaded | Moved::RefundedTo | Moved::Issued | Moved::Paid { .. } | Moved::Earned { .. } => back(till),
            Moved::Spent(out) => [across(till), worth(points, out.worth, 1)].concat(),
            Moved::Reversed { worth: given, .. } => [back(till), worth(points, *given, -1)].concat(),
            Moved::TakenBack { .. } => across(till),
            Moved::Expired => across(breakage),
            Moved::Replaced { by, .. } => pair(self.account.unit, own(), owed(*by), amount),
            Moved::CorrectedIn => back(corrections),
            Moved::CorrectedOut { .. } => across(corrections),
        }
    }
}

fn owed(account: Account) -> LedgerAccount {
    match account.kind {
        AccountKind::GiftCard => LedgerAccount::GiftCardsOwed,
        AccountKind::StoreCredit => LedgerAccount::StoreCreditOwed,
        AccountKind::Points => LedgerAccount::PointsOutstanding,
        AccountKind::OnAccount => LedgerAccount::CustomersOwe,
    }
}

fn pair(unit: Unit, debit: LedgerAccount, credit: LedgerAccount, amount: i64) -> Vec<Leg> {
    let leg = |account, amount| Leg { account, unit, amount };
    vec![leg(debit, amount), leg(credit, amount.saturating_neg())]
}

/// Points pay a ticket with money the programme gives.
fn worth(points: bool, worth: Option<Worth>, sign: i64) -> Vec<Leg> {
    match worth {
        // Kept clear of the one amount whose negative does not exist, so that the two legs cancel whatever a fact holds.
        Some(worth) if points => {
            let amount = worth.amount.0.clamp(-i64::MAX, i64::MAX).saturating_mul(sign);
            pair(
                Unit::Money(worth.currency),
                LedgerAccount::PointsRedeemed,
                LedgerAccount::TicketClearing,
                amount,
            )
        }
        _ => Vec::new(),
    }
}
