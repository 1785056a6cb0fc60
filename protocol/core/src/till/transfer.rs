//! Cash out of one till into another: a drop into the safe, change for a drawer, a bag for the bank.
//!
//! One fact for both tills, so that what leaves one arrives in the other. How much a till may hold is not asked: the coins are in somebody's
//! hand already, and a refusal would tell a blind counter what is expected.

use super::flow::{self, CurrencySum, Flow, ForeignCash, add};
use super::{Refusal, Till, TillKind, amount_above_nothing, reason_of};
use crate::facts::CashTransferred;
use crate::ids::{StaffId, TillId};
use crate::money::{Currency, Money, MoneyError};

/// Somebody carries cash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub sums: Vec<CurrencySum>,
    pub by: StaffId,
    pub witness: Option<StaffId>,
    pub reason: String,
}

/// From which sum on a second person must see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WitnessRule {
    Never,
    /// At this sum of the store's own currency or more, and for foreign cash always.
    From(Money),
}

impl WitnessRule {
    fn asks_for_one(self, currency: Currency, sums: &[CurrencySum]) -> bool {
        match self {
            WitnessRule::Never => false,
            WitnessRule::From(least) => sums.iter().any(|sum| sum.currency != currency || sum.amount >= least),
        }
    }
}

impl Till {
    /// Both tills change with the one fact. `currency` is the store's own.
    pub fn transfer_to(&self, to: &Till, currency: Currency, rule: WitnessRule, transfer: Transfer) -> Result<CashTransferred, Refusal> {
        let Transfer { sums, by, witness, reason } = transfer;
        if self.till == to.till {
            return Err(Refusal::SameTill { till: self.till });
        }
        for side in [self, to] {
            // Between shifts a drawer stands closed: what lies in it waits for its next person.
            if side.kind == TillKind::Drawer && side.shift.is_none() && !side.holds_rest() {
                return Err(Refusal::NoShift { till: side.till });
            }
        }
        if sums.is_empty() {
            return Err(Refusal::Amount);
        }
        for (place, sum) in sums.iter().enumerate() {
            amount_above_nothing(sum.amount)?;
            if sums[..place].iter().any(|before| before.currency == sum.currency) {
                return Err(Refusal::CurrencyTwice { currency: sum.currency });
            }
        }
        if witness == Some(by) {
            return Err(Refusal::WitnessIsSelf);
        }
        if witness.is_none() && rule.asks_for_one(currency, &sums) {
            return Err(Refusal::WitnessNeeded);
        }
        Ok(CashTransferred {
            from: self.till,
            to: to.till,
            from_shift: self.shift.as_ref().map(|shift| shift.shift),
            to_shift: to.shift.as_ref().map(|shift| shift.shift),
            currency,
            sums,
            by,
            witness,
            reason: reason_of(&reason)?,
        })
    }

    pub(super) fn apply_transfer(&mut self, moved: &CashTransferred) -> Result<(), MoneyError> {
        for sum in &moved.sums {
            if moved.from == self.till {
                self.with_flow(moved.currency, *sum, |totals| &mut totals.drops, |flow| &mut flow.drops)?;
            }
            if moved.to == self.till {
                self.with_flow(moved.currency, *sum, |totals| &mut totals.received, |flow| &mut flow.received)?;
            }
        }
        self.disturb_count();
        Ok(())
    }

    fn with_flow(
        &mut self,
        own: Currency,
        sum: CurrencySum,
        in_totals: fn(&mut super::Totals) -> &mut Money,
        in_flow: fn(&mut Flow) -> &mut Money,
    ) -> Result<(), MoneyError> {
        let place = match (&mut self.shift, sum.currency == own) {
            (Some(shift), true) => in_totals(&mut shift.totals),
            (Some(shift), false) => in_flow(flow::foreign(&mut shift.totals.foreign, sum.currency)),
            (None, true) => in_flow(&mut self.rest.local),
            (None, false) => in_flow(flow::foreign(&mut self.rest.foreign, sum.currency)),
        };
        add(place, sum.amount)
    }

    /// What lies in the till while no shift is open: of the store's own currency, and of others.
    pub fn resting(&self) -> (Flow, &[ForeignCash]) {
        (self.rest.local, &self.rest.foreign)
    }
}

/// The tills a transfer happens to.
pub fn sides(moved: &CashTransferred) -> [TillId; 2] {
    [moved.from, moved.to]
}
