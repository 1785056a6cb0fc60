//! One account in head office's book: what came in, what left, what is out with stores; lots of points, invoices that are open.
//!
//! Sums only, so that the order in which stores' facts arrive leaves no trace.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::accounts::{AccountKind, Unit, Value};
use crate::facts::accounts::{AccountMoved, Change, Moved};
use crate::ids::CommandId;
use crate::time::BusinessDay;

/// Points of one earning that are not taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lot {
    /// The last day on which they can be spent.
    pub expires: Option<BusinessDay>,
    pub points: i128,
}

/// A charge to a customer's account that is not paid in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenInvoice {
    /// The movement that charged it.
    pub invoice: CommandId,
    pub charged: Value,
    pub open: Value,
}

/// The value of the `accounts` projection, for exports and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub unit: Unit,
    pub put_in: i128,
    pub taken_out: i128,
    pub balance: i128,
    /// Of it, with stores.
    pub out: i128,
    pub blocked: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    blocked: bool,
    limit: i128,
    put_in: i128,
    taken_out: i128,
    /// With stores, to spend.
    pub(super) out: i128,
    lots: BTreeMap<CommandId, Lot>,
    /// Points that left by being spent or by running out: they were the oldest.
    used_up: i128,
    charges: BTreeMap<CommandId, i128>,
    paid: BTreeMap<CommandId, i128>,
    paid_unnamed: i128,
}

impl Balance {
    pub fn blocked(&self) -> bool {
        self.blocked
    }

    /// How far an account customer may owe.
    pub fn limit(&self) -> i128 {
        self.limit
    }

    pub fn put_in(&self) -> i128 {
        self.put_in
    }

    pub fn taken_out(&self) -> i128 {
        self.taken_out
    }

    /// What the customer has, or (below zero) owes.
    pub fn balance(&self) -> i128 {
        self.put_in - self.taken_out
    }

    /// What is with stores, to spend.
    pub fn out(&self) -> i128 {
        self.out
    }

    pub fn shown(&self, unit: Unit) -> Shown {
        Shown {
            unit,
            put_in: self.put_in,
            taken_out: self.taken_out,
            balance: self.balance(),
            out: self.out,
            blocked: self.blocked,
        }
    }

    /// What head office may lend. Below zero when something was spent that was not there, or a limit was lowered.
    pub fn free(&self) -> i128 {
        self.limit + self.balance() - self.out
    }

    /// Points that ran out before this day and were not spent: what was spent counts against the oldest.
    pub fn points_due(&self, day: BusinessDay) -> i128 {
        let over = self.lots.values().filter(|lot| lot.expires.is_some_and(|last| last.0 < day.0));
        (over.map(|lot| lot.points).sum::<i128>() - self.used_up).max(0)
    }

    /// What is left of each lot, the ones that run out first at the head.
    pub fn lots(&self) -> Vec<(CommandId, Lot)> {
        let mut lots: Vec<(CommandId, Lot)> = self.lots.iter().map(|(earned, lot)| (*earned, *lot)).collect();
        lots.sort_by_key(|(earned, lot)| (lot.expires.is_none(), lot.expires.map(|day| day.0), *earned));
        let mut used_up = self.used_up.max(0);
        for (_, lot) in &mut lots {
            let used = used_up.min(lot.points.max(0));
            lot.points -= used;
            used_up -= used;
        }
        lots.retain(|(_, lot)| lot.points != 0);
        lots
    }

    /// Charges not paid in full, oldest first: named payments go to their invoice, the rest to the oldest.
    pub fn open_invoices(&self) -> Vec<OpenInvoice> {
        let named = |invoice: &CommandId| self.paid.get(invoice).copied().unwrap_or_default();
        let too_much = |(invoice, paid): (&CommandId, &i128)| (paid - self.charges.get(invoice).copied().unwrap_or_default()).max(0);
        let mut loose = self.paid_unnamed + self.paid.iter().map(too_much).sum::<i128>();
        let mut open = Vec::new();
        for (invoice, charged) in &self.charges {
            let rest = (charged - named(invoice)).max(0);
            let settled = rest.min(loose.max(0));
            loose -= settled;
            if rest > settled {
                open.push(OpenInvoice {
                    invoice: *invoice,
                    charged: Value::clamped(*charged),
                    open: Value::clamped(rest - settled),
                });
            }
        }
        open
    }

    pub(super) fn change(&mut self, change: &Change) {
        match change {
            Change::Blocked => self.blocked = true,
            Change::Unblocked => self.blocked = false,
            Change::CreditLimit { limit } => self.limit = limit.wide(),
        }
    }

    pub(super) fn opened(&mut self, balance: i64) {
        self.put_in += i128::from(balance.max(0));
        self.taken_out += -i128::from(balance.min(0));
    }

    /// Value from a card that this one replaces.
    pub(super) fn arrived(&mut self, amount: Value) {
        self.put_in += amount.wide();
    }

    pub(super) fn moved(&mut self, fact: &AccountMoved) {
        let amount = fact.amount.wide();
        match &fact.moved {
            Moved::Sold | Moved::Reloaded | Moved::Issued | Moved::CorrectedIn => self.put_in += amount,
            Moved::RefundedTo => {
                self.put_in += amount;
                self.paid_unnamed += amount;
            }
            Moved::Paid { invoices } => {
                self.put_in += amount;
                let named: i128 = invoices.iter().map(|paid| paid.amount.wide()).sum();
                self.paid_unnamed += amount - named;
                for paid in invoices {
                    *self.paid.entry(paid.invoice).or_default() += paid.amount.wide();
                }
            }
            Moved::Earned { expires, .. } => {
                self.put_in += amount;
                let lot = self.lots.entry(fact.command).or_default();
                lot.expires = *expires;
                lot.points += amount;
            }
            Moved::TakenBack { of, .. } => {
                self.taken_out += amount;
                self.lots.entry(*of).or_default().points -= amount;
            }
            Moved::Spent(_) => {
                self.taken_out += amount;
                self.used_up += amount;
                self.charge(fact, fact.command, amount);
            }
            Moved::Reversed { of, .. } => {
                self.taken_out -= amount;
                self.used_up -= amount;
                self.charge(fact, *of, -amount);
            }
            Moved::Expired | Moved::CorrectedOut { .. } | Moved::Replaced { .. } => {
                self.taken_out += amount;
                self.used_up += amount;
            }
        }
    }

    /// Only an account customer has invoices.
    fn charge(&mut self, fact: &AccountMoved, invoice: CommandId, amount: i128) {
        if fact.account.kind == AccountKind::OnAccount {
            *self.charges.entry(invoice).or_default() += amount;
        }
    }
}
