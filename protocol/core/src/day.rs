//! Closing a business day: tills counted, open tickets carried over by name, terminals settled, a Z per till, the day's own Z, the seal.
//!
//! Each step is a fact, and what comes next follows from the facts alone, so a close that was interrupted goes on where it stood and a
//! command said twice changes nothing. A terminal whose end of day is unknown is asked about it, never asked to do it again. Every Z is in
//! exactly one day; what is late goes into the next. Who may close is not decided here.

mod apply;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::facts::{
    ClosedTicket, DayCloseBegun, DayFact, DayNumbered, DaySealed, DocumentMarked, SettlementEnded, SettlementWanted, TicketEnd,
    TicketsCarried,
};
use crate::ids::{CommandId, DeviceId, ReceiptNo, RegisterId, ShiftId, StaffId, TicketId, TillId};
use crate::money::{Money, MoneyError};
use crate::till::PeriodTotals;
use crate::time::BusinessDay;

/// What the one who closes the day is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the close of {day} is not finished; go on with it")]
    Closing { day: BusinessDay },
    #[error("no day is being closed; begin the close first")]
    NotClosing,
    #[error("the close of {day} is not there yet; next: {next}")]
    NotYet { day: BusinessDay, next: String },
    #[error("terminal {terminal} does not belong to this close; read it again")]
    OtherTerminal { terminal: DeviceId },
    #[error("nobody knows how the end of day of terminal {terminal} went; ask the terminal, or leave it open")]
    AskTerminal { terminal: DeviceId },
    #[error("receipt {document} is not set aside; look at what is, in the list of the day")]
    NotSetAside { document: ReceiptNo },
    #[error("a reason is 1 to 60 printable characters; write it shorter and on one line")]
    Reason,
    #[error("the sums of this day do not fit: {0}")]
    Money(#[from] MoneyError),
}

impl Refusal {
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Closing { .. } => "day_closing",
            Refusal::NotClosing => "not_closing",
            Refusal::NotYet { .. } => "not_yet",
            Refusal::OtherTerminal { .. } => "other_terminal",
            Refusal::AskTerminal { .. } => "ask_terminal",
            Refusal::NotSetAside { .. } => "not_set_aside",
            Refusal::Reason => "reason",
            Refusal::Money(_) => "money",
        }
    }
}

/// A shift that belongs to a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenShift {
    pub till: TillId,
    pub shift: ShiftId,
}

/// A ticket that was open at the close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedTicket {
    pub ticket: TicketId,
    pub register: RegisterId,
    /// What was on it then.
    pub total: Money,
}

/// Names one Z of one till.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZRef {
    pub till: TillId,
    pub number: u64,
    pub shift: ShiftId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettlementEnd {
    Done,
    /// It surely did not happen; it may be wanted again.
    NotDone,
    /// It may have happened.
    Unknown,
    /// A person closes the day without it.
    Left,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    SetAside,
    PutRight,
}

/// What a command comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Do(DayFact),
    /// It stands already; the answer is the same as the first time.
    Done,
}

/// What the close waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// No day is being closed.
    Nothing,
    Count(Vec<OpenShift>),
    Carry,
    Settle(DeviceId),
    /// It was asked for, or its end is unknown.
    AskTerminal(DeviceId, CommandId),
    CloseShifts(Vec<OpenShift>),
    Number,
    Seal,
}

impl std::fmt::Display for Next {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tills = |shifts: &[OpenShift]| shifts.iter().map(|open| open.till.to_string()).collect::<Vec<_>>().join(", ");
        match self {
            Next::Nothing => write!(f, "nothing"),
            Next::Count(shifts) => write!(f, "count till {}", tills(shifts)),
            Next::Carry => write!(f, "carry the open tickets over"),
            Next::Settle(terminal) => write!(f, "settle terminal {terminal}"),
            Next::AskTerminal(terminal, _) => write!(f, "ask terminal {terminal} how its end of day went"),
            Next::CloseShifts(shifts) => write!(f, "close the shift of till {}", tills(shifts)),
            Next::Number => write!(f, "number the day"),
            Next::Seal => write!(f, "seal the day"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "stands")]
enum Settling {
    Untouched,
    Wanted { settlement: CommandId },
    Ended { settlement: CommandId, end: SettlementEnd },
}

/// A day on its way to its seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Close {
    day: BusinessDay,
    /// Not yet closed, and whether each was counted.
    shifts: Vec<(OpenShift, bool)>,
    carried: bool,
    terminals: BTreeMap<DeviceId, Settling>,
    numbered: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    z: ZRef,
    day: BusinessDay,
    totals: PeriodTotals,
}

/// The days of one store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    sealed: Option<BusinessDay>,
    last_number: u64,
    close: Option<Close>,
    /// Every open shift with the day it belongs to.
    open: Vec<(OpenShift, BusinessDay)>,
    /// Zs that are in no day yet.
    pending: Vec<Pending>,
    carried: Vec<CarriedTicket>,
    set_aside: BTreeMap<String, (ReceiptNo, String)>,
}

impl Days {
    pub fn sealed(&self) -> Option<BusinessDay> {
        self.sealed
    }

    /// The day something belongs to that happens on this calendar day: never one whose books are closed.
    pub fn trading_day(&self, calendar_day: BusinessDay) -> BusinessDay {
        let closing = self.close.as_ref().map(|close| close.day);
        match self.sealed.max(closing) {
            Some(closed) if calendar_day <= closed => tomorrow(closed),
            _ => calendar_day,
        }
    }

    /// The day the Z of this shift goes into: a shift that was open when the close began still belongs to it.
    pub fn day_of(&self, shift: ShiftId, calendar_day: BusinessDay) -> BusinessDay {
        let close = self.close.as_ref().filter(|close| close.numbered.is_none());
        match close {
            Some(close) if close.shifts.iter().any(|(open, _)| open.shift == shift) => close.day,
            _ => self.trading_day(calendar_day),
        }
    }

    /// Tickets that were open at a close and are still open.
    pub fn carried(&self) -> &[CarriedTicket] {
        &self.carried
    }

    /// Documents somebody has to put right, with what is wrong with each.
    pub fn set_aside(&self) -> impl Iterator<Item = (ReceiptNo, &str)> {
        self.set_aside.values().map(|(document, why)| (*document, why.as_str()))
    }

    /// Zs that are in no day yet.
    pub fn pending(&self) -> impl Iterator<Item = ZRef> {
        self.pending.iter().map(|pending| pending.z)
    }

    pub fn begin(&self, day: BusinessDay, by: StaffId, terminals: Vec<DeviceId>) -> Result<Step, Refusal> {
        if self.sealed.is_some_and(|sealed| day <= sealed) {
            return Ok(Step::Done);
        }
        if let Some(close) = &self.close {
            return if close.day == day {
                Ok(Step::Done)
            } else {
                Err(Refusal::Closing { day: close.day })
            };
        }
        let own = self.open.iter().filter(|(_, opened)| *opened <= day);
        Ok(Step::Do(DayFact::DayCloseBegun(Box::new(DayCloseBegun {
            day,
            by,
            shifts: own.map(|(open, _)| *open).collect(),
            terminals,
        }))))
    }

    /// What the close waits for. The same after every restart.
    pub fn next(&self) -> Next {
        let Some(close) = &self.close else { return Next::Nothing };
        let uncounted: Vec<_> = close.shifts.iter().filter(|(_, counted)| !counted).map(|(open, _)| *open).collect();
        if !uncounted.is_empty() {
            return Next::Count(uncounted);
        }
        if !close.carried {
            return Next::Carry;
        }
        for (terminal, settling) in &close.terminals {
            match *settling {
                Settling::Untouched => return Next::Settle(*terminal),
                Settling::Wanted { settlement } => return Next::AskTerminal(*terminal, settlement),
                Settling::Ended { settlement, end } => match end {
                    SettlementEnd::Done | SettlementEnd::Left => {}
                    SettlementEnd::NotDone => return Next::Settle(*terminal),
                    SettlementEnd::Unknown => return Next::AskTerminal(*terminal, settlement),
                },
            }
        }
        if !close.shifts.is_empty() {
            return Next::CloseShifts(close.shifts.iter().map(|(open, _)| *open).collect());
        }
        match close.numbered {
            None => Next::Number,
            Some(_) => Next::Seal,
        }
    }

    /// Names the open tickets; they go on in the next day.
    pub fn carry(&self, day: BusinessDay, tickets: Vec<CarriedTicket>) -> Result<Step, Refusal> {
        let Some(close) = self.closing(day)? else { return Ok(Step::Done) };
        if close.carried {
            return Ok(Step::Done);
        }
        self.at(close, |next| *next == Next::Carry)?;
        Ok(Step::Do(DayFact::TicketsCarried(TicketsCarried { day, tickets })))
    }

    /// The terminal is asked for its end of day once this is written down.
    pub fn settle(&self, day: BusinessDay, terminal: DeviceId, settlement: CommandId) -> Result<Step, Refusal> {
        let Some(close) = self.closing(day)? else { return Ok(Step::Done) };
        let settling = close.terminals.get(&terminal).ok_or(Refusal::OtherTerminal { terminal })?;
        match settling {
            Settling::Ended {
                end: SettlementEnd::Done | SettlementEnd::Left,
                ..
            } => return Ok(Step::Done),
            Settling::Wanted { settlement: same } | Settling::Ended { settlement: same, .. } if *same == settlement => {
                return Ok(Step::Done);
            }
            Settling::Wanted { .. }
            | Settling::Ended {
                end: SettlementEnd::Unknown,
                ..
            } => return Err(Refusal::AskTerminal { terminal }),
            Settling::Untouched
            | Settling::Ended {
                end: SettlementEnd::NotDone,
                ..
            } => {}
        }
        self.at(close, |next| matches!(next, Next::Settle(_) | Next::AskTerminal(..)))?;
        Ok(Step::Do(DayFact::SettlementWanted(SettlementWanted { day, terminal, settlement })))
    }

    /// What the terminal, or a person before it, says about a wish.
    pub fn settled(
        &self,
        day: BusinessDay,
        terminal: DeviceId,
        settlement: CommandId,
        end: SettlementEnd,
        why: &str,
    ) -> Result<Step, Refusal> {
        let Some(close) = self.closing(day)? else { return Ok(Step::Done) };
        let settling = close.terminals.get(&terminal).ok_or(Refusal::OtherTerminal { terminal })?;
        let fits = match settling {
            Settling::Wanted { settlement: known } => *known == settlement || end == SettlementEnd::Left,
            // A person may leave out a terminal that nobody can reach.
            Settling::Untouched => end == SettlementEnd::Left,
            Settling::Ended { end: known, .. } if *known == end => return Ok(Step::Done),
            Settling::Ended {
                end: SettlementEnd::Done | SettlementEnd::Left,
                ..
            } => return Ok(Step::Done),
            Settling::Ended { settlement: known, .. } => *known == settlement || end == SettlementEnd::Left,
        };
        if !fits {
            return Err(Refusal::AskTerminal { terminal });
        }
        Ok(Step::Do(DayFact::SettlementEnded(SettlementEnded {
            day,
            terminal,
            settlement,
            end,
            why: reason_of(why)?,
        })))
    }

    /// The day's own Z over every Z that is in no day yet.
    pub fn number(&self, day: BusinessDay) -> Result<Step, Refusal> {
        let Some(close) = self.closing(day)? else { return Ok(Step::Done) };
        if close.numbered.is_some() {
            return Ok(Step::Done);
        }
        self.at(close, |next| *next == Next::Number)?;
        let own = self.pending.iter().filter(|pending| pending.day <= day);
        let mut totals = PeriodTotals::default();
        let mut zs = Vec::new();
        for pending in own {
            totals = totals.plus(&pending.totals)?;
            zs.push(pending.z);
        }
        let unsettled = close.terminals.iter().filter(|(_, settling)| {
            let done = matches!(
                settling,
                Settling::Ended {
                    end: SettlementEnd::Done,
                    ..
                }
            );
            !done
        });
        Ok(Step::Do(DayFact::DayNumbered(Box::new(DayNumbered {
            day,
            number: self.last_number.saturating_add(1),
            zs,
            totals,
            set_aside: self.set_aside.values().map(|(document, _)| *document).collect(),
            unsettled: unsettled.map(|(terminal, _)| *terminal).collect(),
        }))))
    }

    pub fn seal(&self, day: BusinessDay) -> Result<Step, Refusal> {
        let Some(close) = self.closing(day)? else { return Ok(Step::Done) };
        let Some(number) = close.numbered else {
            return Err(not_yet(close, &self.next()));
        };
        Ok(Step::Do(DayFact::DaySealed(DaySealed { day, number })))
    }

    /// A document that does not add up keeps nobody from closing: it is named, and stays in the totals.
    pub fn mark(&self, document: ReceiptNo, mark: Mark, why: &str) -> Result<Step, Refusal> {
        let known = self.set_aside.contains_key(&document.to_string());
        match mark {
            Mark::SetAside if known => return Ok(Step::Done),
            Mark::PutRight if !known => return Err(Refusal::NotSetAside { document }),
            _ => {}
        }
        Ok(Step::Do(DayFact::DocumentMarked(DocumentMarked {
            document,
            mark,
            why: reason_of(why)?,
        })))
    }

    /// The close under way; `None` when this day is sealed, and then everything about it is answered as done.
    fn closing(&self, day: BusinessDay) -> Result<Option<&Close>, Refusal> {
        if self.sealed.is_some_and(|sealed| day <= sealed) {
            return Ok(None);
        }
        match &self.close {
            Some(close) if close.day == day => Ok(Some(close)),
            Some(close) => Err(Refusal::Closing { day: close.day }),
            None => Err(Refusal::NotClosing),
        }
    }

    fn at(&self, close: &Close, right: impl Fn(&Next) -> bool) -> Result<(), Refusal> {
        let next = self.next();
        if right(&next) { Ok(()) } else { Err(not_yet(close, &next)) }
    }
}

/// What is wrong with a document, as a stable code. Nothing for one that adds up.
pub fn fault_of(ticket: &ClosedTicket) -> Option<&'static str> {
    if ticket.end == TicketEnd::Cancelled {
        return None;
    }
    let sum = |parts: &mut dyn Iterator<Item = Money>| parts.map(|part| i128::from(part.0)).sum::<i128>();
    let due = sum(&mut [ticket.net, ticket.tax, ticket.cash_rounding].into_iter());
    if due != i128::from(ticket.due.0) {
        return Some("due");
    }
    // What is for the staff is no part of what the goods were paid with.
    let given = sum(&mut ticket.tenders.iter().map(|tender| tender.amount));
    let tips = sum(&mut ticket.tenders.iter().map(|tender| tender.details.tip));
    if given - tips - i128::from(ticket.change.0) != due {
        return Some("tenders");
    }
    for line in ticket.lines.iter().filter(|line| line.voided.is_none()) {
        if sum(&mut line.reasons.iter().map(|reason| reason.amount)) != i128::from(line.amount.0) {
            return Some("line_reasons");
        }
    }
    None
}

fn not_yet(close: &Close, next: &Next) -> Refusal {
    Refusal::NotYet {
        day: close.day,
        next: next.to_string(),
    }
}

fn tomorrow(day: BusinessDay) -> BusinessDay {
    day.0.tomorrow().map_or(day, BusinessDay)
}

fn reason_of(reason: &str) -> Result<String, Refusal> {
    let printable = !reason.is_empty() && reason.chars().count() <= 60 && !reason.chars().any(char::is_control);
    if printable { Ok(reason.to_owned()) } else { Err(Refusal::Reason) }
}

#[cfg(test)]
mod tests;
