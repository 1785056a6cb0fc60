//! A till, the container of cash: what should be in it, shift by shift, and the Z report that closes one.
//!
//! Knows cash in the store's own currency. Denominations, foreign cash, safes and bank bags are not here yet.

mod foreign;

use serde::{Deserialize, Serialize};

use crate::barcode::looks_like_card;
use crate::facts::{CashMove, CashMoved, ClosedTicket, Fact, ShiftClosed, ShiftOpened, TaxSum, TenderKind, TicketEnd};
use crate::ids::{ReceiptNo, RegisterId, ShiftId, TillId};
use crate::money::{LARGEST_AMOUNT, Money, MoneyError};
use crate::time::Instant;

pub use self::foreign::{ExchangeRate, ExchangeRateError, Foreign};

/// What a till says to the one who wants to open, close or move cash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("till {till} already has an open shift; close it first")]
    ShiftOpen { till: TillId },
    #[error("till {till} has no open shift; open one first")]
    NoShift { till: TillId },
    #[error("shift {shift} is not the open shift of till {till}; read the till again")]
    OtherShift { shift: ShiftId, till: TillId },
    #[error("an amount must be between nothing and {LARGEST_AMOUNT} minor units")]
    Amount,
    #[error("a reason is 1 to 60 printable characters")]
    Reason,
    #[error("the reason holds what looks like a card number; leave it out")]
    Card,
    #[error("the sums of this shift do not fit: {0}")]
    Money(#[from] MoneyError),
}

impl Refusal {
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::ShiftOpen { .. } => "shift_open",
            Refusal::NoShift { .. } => "no_shift",
            Refusal::OtherShift { .. } => "other_shift",
            Refusal::Amount => "amount",
            Refusal::Reason => "reason",
            Refusal::Card => "card_data",
            Refusal::Money(_) => "money",
        }
    }
}

/// First and last number a register printed in a shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptSpan {
    pub first: ReceiptNo,
    pub last: ReceiptNo,
}

/// Running sums of one shift.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub sales: u64,
    pub returns: u64,
    pub cancelled: u64,
    /// Net and tax of sales minus returns.
    pub net: Money,
    pub tax: Money,
    pub taxes: Vec<TaxSum>,
    pub cash_rounding: Money,
    /// Due of all sales, and of all returns (negative).
    pub sales_due: Money,
    pub returns_due: Money,
    /// Paid by card; it is in no drawer.
    #[serde(default)]
    pub card_taken: Money,
    /// Cash given by customers, before change.
    pub cash_taken: Money,
    pub change: Money,
    /// Cash handed back for returns, as a positive figure.
    pub cash_refunds: Money,
    pub paid_in: Money,
    pub paid_out: Money,
    pub drops: Money,
    pub receipts: Vec<ReceiptSpan>,
}

/// A shift that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    pub shift: ShiftId,
    pub register: RegisterId,
    pub opened_at: Instant,
    pub float: Money,
    pub totals: Totals,
}

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
}

/// A till with its open shift, if any, and what never starts again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Till {
    pub till: TillId,
    pub last_z: u64,
    pub perpetual_sales: Money,
    pub perpetual_returns: Money,
    pub shift: Option<Shift>,
}

impl Shift {
    /// What the drawer should hold.
    pub fn expected(&self) -> Result<Money, MoneyError> {
        let t = &self.totals;
        let into = [self.float, t.cash_taken, t.paid_in];
        let out = [t.change, t.cash_refunds, t.paid_out, t.drops];
        Money::sum(into)?.checked_sub(Money::sum(out)?)
    }
}

impl Till {
    pub fn new(till: TillId) -> Self {
        Self {
            till,
            last_z: 0,
            perpetual_sales: Money::ZERO,
            perpetual_returns: Money::ZERO,
            shift: None,
        }
    }

    pub fn open_shift(&self, shift: ShiftId, register: RegisterId, float: Money) -> Result<ShiftOpened, Refusal> {
        if self.shift.is_some() {
            return Err(Refusal::ShiftOpen { till: self.till });
        }
        if !(0..=LARGEST_AMOUNT).contains(&float.0) {
            return Err(Refusal::Amount);
        }
        Ok(ShiftOpened {
            shift,
            till: self.till,
            register,
            float,
        })
    }

    pub fn move_cash(&self, kind: CashMove, amount: Money, reason: &str) -> Result<CashMoved, Refusal> {
        let shift = self.shift.as_ref().ok_or(Refusal::NoShift { till: self.till })?;
        if !(1..=LARGEST_AMOUNT).contains(&amount.0) {
            return Err(Refusal::Amount);
        }
        let printable = !reason.is_empty() && reason.chars().count() <= 60 && !reason.chars().any(char::is_control);
        if !printable {
            return Err(Refusal::Reason);
        }
        if looks_like_card(reason) {
            return Err(Refusal::Card);
        }
        Ok(CashMoved {
            shift: shift.shift,
            till: self.till,
            kind,
            amount,
            reason: reason.to_owned(),
        })
    }

    /// Closes the shift with what was counted, blind: the expected sum is only told with the report.
    pub fn close_shift(&self, counted: Money, at: Instant) -> Result<ShiftClosed, Refusal> {
        let shift = self.shift.as_ref().ok_or(Refusal::NoShift { till: self.till })?;
        if !(0..=LARGEST_AMOUNT).contains(&counted.0) {
            return Err(Refusal::Amount);
        }
        let expected = shift.expected()?;
        let z = ZReport {
            number: self.last_z + 1,
            opened_at: shift.opened_at,
            closed_at: at,
            float: shift.float,
            totals: shift.totals.clone(),
            expected,
            counted,
            over_short: counted.checked_sub(expected)?,
            perpetual_sales: self.perpetual_sales,
            perpetual_returns: self.perpetual_returns,
        };
        Ok(ShiftClosed {
            shift: shift.shift,
            till: self.till,
            z,
        })
    }

    /// Makes a fact of this till true. Facts of other tills change nothing.
    pub fn apply(&mut self, fact: &Fact, at: Instant) -> Result<(), MoneyError> {
        match fact {
            Fact::ShiftOpened(opened) if opened.till == self.till => {
                let ShiftOpened {
                    shift, register, float, ..
                } = *opened;
                self.shift = Some(Shift {
                    shift,
                    register,
                    opened_at: at,
                    float,
                    totals: Totals::default(),
                });
            }
            Fact::CashMoved(moved) if moved.till == self.till => {
                let Some(shift) = self.shift.as_mut() else { return Ok(()) };
                let sum = match moved.kind {
                    CashMove::PaidIn => &mut shift.totals.paid_in,
                    CashMove::PaidOut => &mut shift.totals.paid_out,
                    CashMove::Drop => &mut shift.totals.drops,
                };
                *sum = sum.checked_add(moved.amount)?;
            }
            Fact::TicketClosed(ticket) if ticket.till == self.till => self.apply_ticket(ticket)?,
            Fact::ShiftClosed(closed) if closed.till == self.till => {
                self.shift = None;
                self.last_z = closed.z.number;
            }
            _ => {}
        }
        Ok(())
    }

    fn apply_ticket(&mut self, ticket: &ClosedTicket) -> Result<(), MoneyError> {
        let Some(shift) = self.shift.as_mut() else { return Ok(()) };
        let totals = &mut shift.totals;
        let cash = ticket.tendered(TenderKind::Cash)?;
        match ticket.end {
            TicketEnd::Cancelled => {
                totals.cancelled += 1;
                return Ok(());
            }
            TicketEnd::Training | TicketEnd::Quotation => return Ok(()),
            // An exchange counts by the way its balance went.
            TicketEnd::Exchange if ticket.due < Money::ZERO => {
                totals.returns += 1;
                totals.returns_due = totals.returns_due.checked_add(ticket.due)?;
                totals.cash_refunds = totals.cash_refunds.checked_sub(cash)?;
                self.perpetual_returns = self.perpetual_returns.checked_add(ticket.due)?;
            }
            TicketEnd::Sale | TicketEnd::Exchange => {
                totals.sales += 1;
                totals.sales_due = totals.sales_due.checked_add(ticket.due)?;
                totals.cash_taken = totals.cash_taken.checked_add(cash)?;
                totals.card_taken = totals.card_taken.checked_add(ticket.tendered(TenderKind::Card)?)?;
                totals.change = totals.change.checked_add(ticket.change)?;
                self.perpetual_sales = self.perpetual_sales.checked_add(ticket.due)?;
            }
            TicketEnd::Return | TicketEnd::Cancellation => {
                totals.returns += 1;
                totals.returns_due = totals.returns_due.checked_add(ticket.due)?;
                totals.cash_refunds = totals.cash_refunds.checked_sub(cash)?;
                self.perpetual_returns = self.perpetual_returns.checked_add(ticket.due)?;
            }
        }
        totals.net = totals.net.checked_add(ticket.net)?;
        totals.tax = totals.tax.checked_add(ticket.tax)?;
        totals.cash_rounding = totals.cash_rounding.checked_add(ticket.cash_rounding)?;
        totals.taxes = TaxSum::merged(totals.taxes.iter().chain(&ticket.taxes).cloned())?;
        if let Some(receipt) = ticket.receipt {
            match totals
                .receipts
                .iter_mut()
                .find(|span| (span.last.register, span.last.series) == (receipt.register, receipt.series))
            {
                Some(span) => span.last = receipt,
                None => totals.receipts.push(ReceiptSpan {
                    first: receipt,
                    last: receipt,
                }),
            }
        }
        Ok(())
    }
}
