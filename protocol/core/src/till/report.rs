//! Reports of a till: X looks, Z closes. A Z carries the totals of its business day, month and year and those that never start again.
//!
//! A Z belongs whole to the day it is closed in, so the Zs of a month add up to the month.

use serde::{Deserialize, Serialize};

use super::count::{Tally, TenderDeclared};
use super::flow::CurrencySum;
use super::totals::{Totals, merge_taxes};
use crate::facts::{TaxSum, TenderKind};
use crate::ids::{CommandId, RegisterId, ShiftId, StaffId, TillId};
use crate::money::{Currency, Money, MoneyError};
use crate::time::{BusinessDay, Instant};

/// The report that closes a shift; every sale is in exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZReport {
    /// 1, 2, 3 ... per till.
    pub number: u64,
    pub opened_at: Instant,
    pub closed_at: Instant,
    pub float: Money,
    pub totals: Totals,
    pub expected: Money,
    pub counted: Money,
    /// Counted minus expected: negative when cash is missing.
    pub over_short: Money,
    /// Sales and returns since the till was first used; these never start again.
    pub perpetual_sales: Money,
    pub perpetual_returns: Money,
    /// None in reports of the first version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<ZDetail>>,
}

/// What a Z says beyond the sums of its shift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZDetail {
    /// The store's own currency: every other one in the tally is foreign cash.
    pub currency: Currency,
    pub periods: Periods,
    pub tally: Tally,
    /// One line a foreign currency that was expected or found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<CountResult>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenders: Vec<TenderResult>,
    pub counted_by: StaffId,
    /// Who takes over the till, when it is handed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_to: Option<StaffId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
}

/// One currency, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountResult {
    pub currency: Currency,
    pub expected: Money,
    pub counted: Money,
    pub over_short: Money,
}

impl CountResult {
    pub fn of(currency: Currency, expected: Money, counted: Money) -> Result<Self, MoneyError> {
        Ok(Self {
            currency,
            expected,
            counted,
            over_short: counted.checked_sub(expected)?,
        })
    }
}

/// A tender that is no cash, compared with what the person found of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderResult {
    pub tender: TenderKind,
    pub expected: Money,
    pub declared: Money,
}

impl TenderResult {
    pub(super) fn of(totals: &Totals, declared: &TenderDeclared) -> Result<Self, MoneyError> {
        Ok(Self {
            tender: declared.tender,
            expected: totals.expected_of(declared.tender)?,
            declared: declared.amount,
        })
    }
}

/// A difference that went beyond the shop's limit. It never keeps a till from closing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub limit: Money,
    /// One of the shop's own reasons, or `unexplained`.
    pub reason: String,
    /// The approval it closed with; without one the Z is flagged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<CommandId>,
}

impl Difference {
    /// Nobody approved it: head office sees it.
    pub fn flagged(&self) -> bool {
        self.approval.is_none()
    }
}

/// Sums of a business day, a month, a year, or of ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodTotals {
    pub zs: u64,
    pub sales: u64,
    pub returns: u64,
    pub net: Money,
    pub tax: Money,
    pub taxes: Vec<TaxSum>,
    pub cash_rounding: Money,
    pub sales_due: Money,
    pub returns_due: Money,
}

impl PeriodTotals {
    /// The sums of one shift.
    pub fn of_shift(totals: &Totals) -> Self {
        Self {
            zs: 1,
            sales: totals.sales,
            returns: totals.returns,
            net: totals.net,
            tax: totals.tax,
            taxes: totals.taxes.clone(),
            cash_rounding: totals.cash_rounding,
            sales_due: totals.sales_due,
            returns_due: totals.returns_due,
        }
    }

    pub fn plus(&self, more: &PeriodTotals) -> Result<Self, MoneyError> {
        let count = |one: u64, other: u64| one.checked_add(other).ok_or(MoneyError::TooLarge);
        Ok(Self {
            zs: count(self.zs, more.zs)?,
            sales: count(self.sales, more.sales)?,
            returns: count(self.returns, more.returns)?,
            net: self.net.checked_add(more.net)?,
            tax: self.tax.checked_add(more.tax)?,
            taxes: merge_taxes(&self.taxes, &more.taxes)?,
            cash_rounding: self.cash_rounding.checked_add(more.cash_rounding)?,
            sales_due: self.sales_due.checked_add(more.sales_due)?,
            returns_due: self.returns_due.checked_add(more.returns_due)?,
        })
    }
}

/// The four totals of a till through the end of a Z, by the shop's business day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Periods {
    pub business_day: BusinessDay,
    pub day: PeriodTotals,
    pub month: PeriodTotals,
    pub year: PeriodTotals,
    pub perpetual: PeriodTotals,
}

impl Periods {
    /// With one more shift. What begins anew with `day` begins at nothing; a day earlier than the last one counts as the last one.
    pub fn after(before: Option<&Periods>, day: BusinessDay, totals: &Totals) -> Result<Periods, MoneyError> {
        let shift = PeriodTotals::of_shift(totals);
        let Some(before) = before else {
            let first = PeriodTotals::default().plus(&shift)?;
            return Ok(Periods {
                business_day: day,
                day: first.clone(),
                month: first.clone(),
                year: first.clone(),
                perpetual: first,
            });
        };
        let day = day.max(before.business_day);
        let (was, is) = (before.business_day.0, day.0);
        let same_year = was.year() == is.year();
        let same_month = same_year && was.month() == is.month();
        let nothing = PeriodTotals::default();
        let with = |same: bool, sums: &PeriodTotals| if same { sums } else { &nothing }.plus(&shift);
        Ok(Periods {
            business_day: day,
            day: with(was == is, &before.day)?,
            month: with(same_month, &before.month)?,
            year: with(same_year, &before.year)?,
            perpetual: before.perpetual.plus(&shift)?,
        })
    }
}

/// A look at an open shift. Changes nothing, has no number, and may be taken as often as somebody likes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct XReport {
    pub till: TillId,
    pub shift: ShiftId,
    pub register: RegisterId,
    pub opened_at: Instant,
    pub taken_at: Instant,
    pub float: Money,
    pub totals: Totals,
    /// Not for the one who is to count blind; who may see it is a permission.
    pub expected: Money,
    pub foreign: Vec<CurrencySum>,
    /// As they would stand if the shift were closed now.
    pub periods: Periods,
}
