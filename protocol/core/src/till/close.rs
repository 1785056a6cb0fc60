//! Closing a shift with a count, and handing a till on from one person to the next.
//!
//! A close is never refused for a difference: beyond the limit it wants a reason and an approval, and without them it closes flagged.

use super::count::Tally;
use super::flow::CurrencySum;
use super::report::{CountResult, Difference, Periods, TenderResult, XReport, ZDetail, ZReport};
use super::{Refusal, Shift, Till, reason_of};
use crate::facts::{ShiftClosed, ShiftOpened, TillCounted};
use crate::ids::{CommandId, RegisterId, ShiftId, StaffId};
use crate::money::{Currency, LARGEST_AMOUNT, Money};
use crate::time::{BusinessDay, Instant};

/// What the shop holds to be a difference worth a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosePolicy {
    /// The store's own currency.
    pub currency: Currency,
    /// Over or short by more than this wants a reason and an approval. Foreign cash has no room at all.
    pub limit: Money,
}

/// The word that stands where nobody gave a reason.
const UNEXPLAINED: &str = "unexplained";

/// What was counted: now, or before with a count of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    Now(Tally),
    /// The blind count already made, if no cash moved since.
    Before,
}

/// One person ends a shift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    pub counted: Counted,
    pub by: StaffId,
    pub at: Instant,
    /// The day the shop still trades in: the calendar's, or the next one once that is sealed.
    pub day: BusinessDay,
    pub reason: Option<String>,
    pub approval: Option<CommandId>,
}

/// One person begins a shift with what they say is in the till.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    pub shift: ShiftId,
    pub register: RegisterId,
    pub staff: StaffId,
    pub float: Money,
    pub foreign: Vec<CurrencySum>,
}

impl Till {
    /// Begins a shift with its own declared float. What the till was left with stands beside it, so that a difference between
    /// two people is seen.
    pub fn open_with(&self, currency: Currency, opening: Opening) -> Result<ShiftOpened, Refusal> {
        let left = self.left(currency)?;
        let opened = self.open_shift(opening.shift, opening.register, opening.float)?;
        for (place, sum) in opening.foreign.iter().enumerate() {
            let again = opening.foreign[..place].iter().any(|before| before.currency == sum.currency);
            if again || sum.currency == currency {
                return Err(Refusal::CurrencyTwice { currency: sum.currency });
            }
            if !(0..=LARGEST_AMOUNT).contains(&sum.amount.0) {
                return Err(Refusal::Amount);
            }
        }
        Ok(ShiftOpened {
            staff: Some(opening.staff),
            foreign: opening.foreign,
            left,
            ..opened
        })
    }

    fn left(&self, currency: Currency) -> Result<Vec<CurrencySum>, Refusal> {
        let Some(own) = self.rest.known.then(|| self.rest.local.expected()).transpose()? else {
            return Ok(Vec::new());
        };
        let mut left = vec![CurrencySum { currency, amount: own }];
        for cash in &self.rest.foreign {
            left.push(CurrencySum {
                currency: cash.currency,
                amount: cash.flow.expected()?,
            });
        }
        Ok(left)
    }

    /// A blind count. In a shift it is kept for the close; in a till without one, such as a safe, it stands at once.
    pub fn count(&self, currency: Currency, tally: Tally, by: StaffId, witness: Option<StaffId>) -> Result<TillCounted, Refusal> {
        if witness == Some(by) {
            return Err(Refusal::WitnessIsSelf);
        }
        let shift = self.shift.as_ref().map(|shift| shift.shift);
        let results = match shift {
            Some(_) => Vec::new(),
            None => {
                let (own, others) = self.resting();
                let mut results = vec![CountResult::of(currency, own.expected()?, tally.total(currency))?];
                let others: Vec<CurrencySum> = others.iter().map(expected_foreign).collect::<Result<_, _>>()?;
                results.extend(foreign_results(currency, &others, &tally)?);
                results
            }
        };
        Ok(TillCounted {
            till: self.till,
            shift,
            currency,
            tally,
            results,
            by,
            witness,
        })
    }

    /// A look that changes nothing.
    pub fn x(&self, at: Instant, day: BusinessDay) -> Result<XReport, Refusal> {
        let shift = self.shift.as_ref().ok_or(Refusal::NoShift { till: self.till })?;
        Ok(XReport {
            till: self.till,
            shift: shift.shift,
            register: shift.register,
            opened_at: shift.opened_at,
            taken_at: at,
            float: shift.float,
            totals: shift.totals.clone(),
            expected: shift.expected()?,
            foreign: shift.expected_foreign()?,
            periods: Periods::after(self.periods.as_deref(), day, &shift.totals)?,
        })
    }

    /// Closes the shift. Refused only where there is nothing to close or nothing was counted.
    pub fn close(&self, policy: ClosePolicy, closing: Closing) -> Result<ShiftClosed, Refusal> {
        let shift = self.shift.as_ref().ok_or(Refusal::NoShift { till: self.till })?;
        let tally = match closing.counted {
            Counted::Now(tally) => tally,
            Counted::Before => shift.tally.as_deref().cloned().ok_or(Refusal::NotCounted { till: self.till })?,
        };
        let closed = self.close_shift(tally.total(policy.currency), closing.at)?;
        let foreign = foreign_results(policy.currency, &shift.expected_foreign()?, &tally)?;
        let beyond = closed.z.over_short.0.unsigned_abs() > policy.limit.0.unsigned_abs();
        let strange = foreign.iter().any(|result| result.over_short != Money::ZERO);
        let reason = closing.reason.as_deref().map(reason_of).transpose()?;
        let difference = (beyond || strange || reason.is_some()).then(|| Difference {
            limit: policy.limit,
            reason: reason.unwrap_or_else(|| UNEXPLAINED.to_owned()),
            approval: closing.approval,
        });
        let tenders = tally.tenders().iter().map(|declared| TenderResult::of(&shift.totals, declared));
        let detail = ZDetail {
            currency: policy.currency,
            periods: Periods::after(self.periods.as_deref(), closing.day, &shift.totals)?,
            foreign,
            tenders: tenders.collect::<Result<_, _>>()?,
            counted_by: closing.by,
            handed_to: None,
            difference,
            tally,
        };
        Ok(ShiftClosed {
            z: ZReport {
                detail: Some(Box::new(detail)),
                ..closed.z
            },
            ..closed
        })
    }

    /// One person counts, the next takes over the same till with their own float. Both facts belong into one commit.
    pub fn hand_over(&self, policy: ClosePolicy, closing: Closing, next: Opening) -> Result<(ShiftClosed, ShiftOpened), Refusal> {
        if closing.by == next.staff {
            return Err(Refusal::SamePerson);
        }
        let mut closed = self.close(policy, closing)?;
        if let Some(detail) = &mut closed.z.detail {
            detail.handed_to = Some(next.staff);
        }
        let mut after = self.clone();
        after.apply_close(&closed);
        let opened = after.open_with(policy.currency, next)?;
        Ok((closed, opened))
    }
}

impl Shift {
    /// What the drawer should hold of other currencies.
    pub fn expected_foreign(&self) -> Result<Vec<CurrencySum>, Refusal> {
        self.totals.foreign.iter().map(expected_foreign).collect()
    }
}

fn expected_foreign(cash: &super::ForeignCash) -> Result<CurrencySum, Refusal> {
    Ok(CurrencySum {
        currency: cash.currency,
        amount: cash.flow.expected()?,
    })
}

/// Expected and found, for every currency that is either.
fn foreign_results(own: Currency, expected: &[CurrencySum], tally: &Tally) -> Result<Vec<CountResult>, Refusal> {
    let mut results = Vec::new();
    for sum in expected {
        results.push(CountResult::of(sum.currency, sum.amount, tally.total(sum.currency))?);
    }
    for count in tally.counts() {
        let known = count.currency() == own || expected.iter().any(|sum| sum.currency == count.currency());
        if !known {
            results.push(CountResult::of(count.currency(), Money::ZERO, count.total())?);
        }
    }
    results.sort_by_key(|result| result.currency.code());
    Ok(results)
}
