//! A till, the container of cash: what should be in it, shift by shift, and the Z report that closes one.
//!
//! A till stands apart from register, person and shift: a drawer is one, so are the safe, the change fund and the bag for the bank. Which
//! denominations there are stands in `count`, the formula of the expected sum in `flow`, the sums of tickets in `totals`, the reports in
//! `report`, cash from till to till in `transfer`, ends and handovers of shifts in `close`. Who may do what is not decided here.

mod close;
mod count;
mod flow;
mod foreign;
mod report;
mod totals;
mod transfer;

pub use close::{ClosePolicy, Closing, Counted, Opening};
pub use count::{Count, CountError, Denominations, Pieces, Tally, TenderDeclared};
pub use flow::{CurrencySum, Flow, ForeignCash};
pub use foreign::{ExchangeRate, ExchangeRateError, Foreign, fuzz_one};
pub use report::{CountResult, Difference, PeriodTotals, Periods, TenderResult, XReport, ZDetail, ZReport};
pub use totals::{ReceiptSpan, TenderSum, Totals};
pub use transfer::{Transfer, WitnessRule, sides};

use serde::{Deserialize, Serialize};

use self::flow::add;
use crate::barcode::looks_like_card;
use crate::facts::{CashMove, CashMoved, ClosedTicket, Fact, ShiftClosed, ShiftOpened, TicketEnd, TillCounted, TillDeclared, TillFact};
use crate::ids::{RegisterId, ShiftId, TillId};
use crate::money::{Currency, LARGEST_AMOUNT, Money, MoneyError};
use crate::time::Instant;

/// What a till says to the one who wants to open, close or move cash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("till {till} already has an open shift; close it first")]
    ShiftOpen { till: TillId },
    #[error("till {till} has no open shift; open one first")]
    NoShift { till: TillId },
    #[error("shift {shift} is not the open shift of till {till}; read the till again")]
    OtherShift { shift: ShiftId, till: TillId },
    #[error("an amount must be between nothing and {LARGEST_AMOUNT} minor units; check what was keyed")]
    Amount,
    #[error("a reason is 1 to 60 printable characters; write it shorter and on one line")]
    Reason,
    #[error("the reason holds what looks like a card number; leave it out")]
    Card,
    #[error("the sums of this shift do not fit: {0}")]
    Money(#[from] MoneyError),
    #[error("cash goes from one till into another; {till} is both")]
    SameTill { till: TillId },
    #[error("{} stands there twice, or is the shop's own currency among the foreign ones; give each currency once", .currency.code())]
    CurrencyTwice { currency: Currency },
    #[error("a sum as large as this needs a second person who sees it; enter who it is")]
    WitnessNeeded,
    #[error("the witness must be somebody else; ask another person to look")]
    WitnessIsSelf,
    #[error("till {till} was not counted, or cash moved since; count it")]
    NotCounted { till: TillId },
    #[error("a till is handed on to somebody else; close the shift instead")]
    SamePerson,
    #[error("till {till} holds cash or has an open shift; empty and count it before it becomes something else")]
    InUse { till: TillId },
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
            Refusal::SameTill { .. } => "same_till",
            Refusal::CurrencyTwice { .. } => "currency_twice",
            Refusal::WitnessNeeded => "witness_needed",
            Refusal::WitnessIsSelf => "witness_is_self",
            Refusal::NotCounted { .. } => "not_counted",
            Refusal::SamePerson => "same_person",
            Refusal::InUse { .. } => "till_in_use",
        }
    }
}

/// What a till is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TillKind {
    /// Stands at a register and has shifts.
    #[default]
    Drawer,
    Safe,
    /// Coins and small notes for the drawers.
    ChangeFund,
    /// Sealed, on its way to the bank.
    BankBag,
    /// The bank as the shop sees it: takes bags and gives change, and is never counted.
    Bank,
}

/// A shift that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    pub shift: ShiftId,
    pub register: RegisterId,
    pub opened_at: Instant,
    pub float: Money,
    pub totals: Totals,
    /// A blind count that still stands: no cash moved since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tally: Option<Box<Tally>>,
}

/// What lies in a till while no shift is open: in a safe always, in a drawer overnight.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Rest {
    /// False until somebody counted the till or brought cash into it.
    known: bool,
    local: Flow,
    foreign: Vec<ForeignCash>,
}

/// A till with its open shift, if any, and what never starts again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Till {
    pub till: TillId,
    pub last_z: u64,
    pub perpetual_sales: Money,
    pub perpetual_returns: Money,
    pub shift: Option<Shift>,
    #[serde(default)]
    pub kind: TillKind,
    /// Totals through the last Z.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    periods: Option<Box<Periods>>,
    #[serde(default)]
    rest: Rest,
}

impl Shift {
    /// What the drawer should hold of the store's own currency.
    pub fn expected(&self) -> Result<Money, MoneyError> {
        self.totals.local(self.float).expected()
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
            kind: TillKind::default(),
            periods: None,
            rest: Rest::default(),
        }
    }

    /// Says what a till is. A till that holds cash stays what it is.
    pub fn declare(&self, kind: TillKind) -> Result<TillDeclared, Refusal> {
        let holds = self.holds_rest() && self.rest.local.expected()? != Money::ZERO;
        if kind != self.kind && (self.shift.is_some() || holds) {
            return Err(Refusal::InUse { till: self.till });
        }
        Ok(TillDeclared { till: self.till, kind })
    }

    fn holds_rest(&self) -> bool {
        self.rest.known
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
            staff: None,
            foreign: Vec::new(),
            left: Vec::new(),
        })
    }

    pub fn move_cash(&self, kind: CashMove, amount: Money, reason: &str) -> Result<CashMoved, Refusal> {
        let shift = self.shift.as_ref().ok_or(Refusal::NoShift { till: self.till })?;
        amount_above_nothing(amount)?;
        let reason = reason_of(reason)?;
        Ok(CashMoved {
            shift: shift.shift,
            till: self.till,
            kind,
            amount,
            reason,
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
            detail: None,
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
            Fact::ShiftOpened(opened) if opened.till == self.till => self.apply_open(opened, at),
            Fact::CashMoved(moved) if moved.till == self.till => self.apply_move(moved)?,
            Fact::TicketClosed(ticket) if ticket.till == self.till => self.apply_ticket(ticket)?,
            Fact::ShiftClosed(closed) if closed.till == self.till => self.apply_close(closed),
            Fact::Till(TillFact::TillDeclared(declared)) if declared.till == self.till => self.kind = declared.kind,
            Fact::Till(TillFact::CashTransferred(moved)) if sides(moved).contains(&self.till) => self.apply_transfer(moved)?,
            Fact::Till(TillFact::TillCounted(counted)) if counted.till == self.till => self.apply_count(counted),
            _ => {}
        }
        Ok(())
    }

    fn apply_open(&mut self, opened: &ShiftOpened, at: Instant) {
        let mut totals = Totals::default();
        for sum in &opened.foreign {
            flow::foreign(&mut totals.foreign, sum.currency).float = sum.amount;
        }
        self.rest = Rest::default();
        self.shift = Some(Shift {
            shift: opened.shift,
            register: opened.register,
            opened_at: at,
            float: opened.float,
            totals,
            tally: None,
        });
    }

    fn apply_move(&mut self, moved: &CashMoved) -> Result<(), MoneyError> {
        let Some(shift) = self.shift.as_mut() else { return Ok(()) };
        let sum = match moved.kind {
            CashMove::PaidIn => &mut shift.totals.paid_in,
            CashMove::PaidOut => &mut shift.totals.paid_out,
            CashMove::Drop => &mut shift.totals.drops,
        };
        add(sum, moved.amount)?;
        self.disturb_count();
        Ok(())
    }

    fn apply_ticket(&mut self, ticket: &ClosedTicket) -> Result<(), MoneyError> {
        let Some(shift) = self.shift.as_mut() else { return Ok(()) };
        shift.totals.add_ticket(ticket)?;
        match ticket.end {
            TicketEnd::Cancelled | TicketEnd::Training | TicketEnd::Quotation => return Ok(()),
            TicketEnd::Exchange if ticket.due < Money::ZERO => add(&mut self.perpetual_returns, ticket.due)?,
            TicketEnd::Sale | TicketEnd::Exchange => add(&mut self.perpetual_sales, ticket.due)?,
            TicketEnd::Return | TicketEnd::Cancellation => add(&mut self.perpetual_returns, ticket.due)?,
        }
        self.disturb_count();
        Ok(())
    }

    /// A count before something moved says nothing about the till after it.
    fn disturb_count(&mut self) {
        match &mut self.shift {
            Some(shift) => shift.tally = None,
            None => self.rest.known = true,
        }
    }

    fn apply_count(&mut self, counted: &TillCounted) {
        match &mut self.shift {
            Some(shift) if counted.shift == Some(shift.shift) => shift.tally = Some(Box::new(counted.tally.clone())),
            None if counted.shift.is_none() => self.rest = Rest::found(counted.currency, &counted.tally),
            _ => {}
        }
    }

    /// Only the open shift can be closed; a report that comes twice changes nothing.
    fn apply_close(&mut self, closed: &ShiftClosed) {
        if self.shift.take_if(|shift| shift.shift == closed.shift).is_none() {
            return;
        }
        self.last_z = closed.z.number;
        self.rest = match &closed.z.detail {
            Some(detail) => {
                self.periods = Some(Box::new(detail.periods.clone()));
                Rest::found(detail.currency, &detail.tally)
            }
            None => Rest {
                known: true,
                local: Flow::resting(closed.z.counted),
                foreign: Vec::new(),
            },
        };
    }
}

impl Rest {
    fn found(own: Currency, tally: &Tally) -> Self {
        let mut rest = Rest {
            known: true,
            local: Flow::resting(tally.total(own)),
            foreign: Vec::new(),
        };
        for count in tally.counts().iter().filter(|count| count.currency() != own) {
            flow::foreign(&mut rest.foreign, count.currency()).float = count.total();
        }
        rest
    }
}

fn amount_above_nothing(amount: Money) -> Result<(), Refusal> {
    if (1..=LARGEST_AMOUNT).contains(&amount.0) {
        Ok(())
    } else {
        Err(Refusal::Amount)
    }
}

/// One of the shop's own reasons: short, printable, no card number.
fn reason_of(reason: &str) -> Result<String, Refusal> {
    let printable = !reason.is_empty() && reason.chars().count() <= 60 && !reason.chars().any(char::is_control);
    if !printable {
        return Err(Refusal::Reason);
    }
    if looks_like_card(reason) {
        return Err(Refusal::Card);
    }
    Ok(reason.to_owned())
}

#[cfg(test)]
mod tests;
