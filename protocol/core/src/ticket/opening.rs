//! Where a ticket begins, who may act on it, and its rests: suspending, resuming, taking it over, training, quoting.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Counter, Event, Open, Refusal};
use crate::catalog::PriceVersion;
use crate::facts::{ClosedTicket, Happened, LineRole, Quoted, Seated, TicketDetails, TicketEnd, What};
use crate::ids::{CommandId, ReasonCode, RegisterId, ShiftId, StaffId, TicketId, TillId};
use crate::money::{Currency, Money, Rounding};
use crate::tax::PriceMode;
use crate::time::Instant;

/// What every ticket knows from its first scan on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub ticket: TicketId,
    pub register: RegisterId,
    pub till: TillId,
    pub shift: ShiftId,
    pub opened_at: Instant,
    pub currency: Currency,
    pub prices: PriceMode,
    /// Smallest coin in minor units; 1 where every cent exists.
    pub cash_step: i64,
    /// Which way what is left for cash goes to that coin.
    #[serde(default, skip_serializing_if = "is_to_the_nearest_coin")]
    pub cash_rounding: Rounding,
    #[serde(default, skip_serializing_if = "is_selling")]
    pub mode: Mode,
    /// The catalog and its last directive now: prices and promotions stay those until the ticket ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<PriceVersion>,
    /// The session epoch of the register that began it.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub session: u64,
}

fn is_to_the_nearest_coin(rounding: &Rounding) -> bool {
    *rounding == Rounding::HALF_AWAY
}

fn is_selling(mode: &Mode) -> bool {
    *mode == Mode::Selling
}

fn is_none_yet(session: &u64) -> bool {
    *session == 0
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    Selling,
    /// Practice; ends in numbers of its own and moves nothing.
    Training,
}

/// A ticket that rests, or goes on somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    pub command_id: CommandId,
    pub at: Instant,
    pub what: RestKind,
    pub staff: StaffId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonCode>,
    /// Where it goes on; none while it is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat: Option<Seated>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestKind {
    Suspended,
    Resumed,
    TakenOver,
}

impl Open {
    /// Whether this session of this register may act: whoever held the ticket before is fenced off.
    pub fn may_act(&self, register: RegisterId, session: u64) -> Result<(), Refusal> {
        if register != self.opening.register {
            return Err(Refusal::Fenced {
                register: self.opening.register,
            });
        }
        if session < self.opening.session {
            return Err(Refusal::OldSession);
        }
        Ok(())
    }

    pub fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// Puts the ticket aside; any register of the shop may resume it.
    pub fn suspend(&self, reason: Option<ReasonCode>, staff: StaffId, command_id: CommandId, at: Instant) -> Result<Event, Refusal> {
        self.may_change()?;
        if self.live == 0 {
            return Err(Refusal::EmptyBasket);
        }
        Ok(Event::Rested(Rest {
            command_id,
            at,
            what: RestKind::Suspended,
            staff,
            reason,
            seat: None,
        }))
    }

    /// Goes on with a suspended ticket, here.
    pub fn resume(&self, seat: Seated, command_id: CommandId, at: Instant) -> Result<Event, Refusal> {
        if !self.suspended {
            return Err(Refusal::NotSuspended);
        }
        Ok(self.goes_on(RestKind::Resumed, seat, command_id, at))
    }

    /// Another register, or a later session of this one, goes on with a ticket that is not suspended: its own register fell silent. A card
    /// under way stays with the ticket and its terminal.
    pub fn take_over(&self, seat: Seated, command_id: CommandId, at: Instant) -> Result<Event, Refusal> {
        if self.suspended {
            return Err(Refusal::Suspended);
        }
        if seat.register == self.opening.register && seat.session <= self.opening.session {
            return Err(Refusal::OldSession);
        }
        if seat.till != self.opening.till && self.tenders.iter().any(|tender| tender.kind == crate::facts::TenderKind::Cash) {
            return Err(Refusal::CashInOtherTill { till: self.opening.till });
        }
        Ok(self.goes_on(RestKind::TakenOver, seat, command_id, at))
    }

    fn goes_on(&self, what: RestKind, seat: Seated, command_id: CommandId, at: Instant) -> Event {
        Event::Rested(Rest {
            command_id,
            at,
            what,
            staff: seat.staff,
            reason: None,
            seat: Some(seat),
        })
    }

    pub(super) fn apply_rest(&mut self, rest: Rest) {
        self.suspended = rest.what == RestKind::Suspended;
        if let Some(seat) = rest.seat {
            self.opening.register = seat.register;
            self.opening.till = seat.till;
            self.opening.shift = seat.shift;
            self.opening.session = seat.session;
        }
        self.about.notes.extend(rest.reason);
        self.about.history.push(Happened {
            command_id: rest.command_id,
            at: rest.at,
            what: match rest.what {
                RestKind::Suspended => What::Suspended,
                RestKind::Resumed => What::Resumed,
                RestKind::TakenOver => What::TakenOver,
            },
            line: None,
            staff: Some(rest.staff),
            register: rest.seat.map(|seat| seat.register),
        });
    }

    /// The ticket as an offer that holds until a day. Nothing is sold, moved or owed; the sums stand in `quoted`, and the lines bear their
    /// taxes as they would when it is settled.
    pub fn quote(&self, counter: &Counter<'_>, holds_until: Date) -> Result<ClosedTicket, Refusal> {
        self.may_change()?;
        if self.live == 0 {
            return Err(Refusal::EmptyBasket);
        }
        let offered = |role: LineRole| matches!(role, LineRole::Goods | LineRole::Deposit | LineRole::Department | LineRole::Fee);
        let mut counting = self.lines.iter().filter(|line| line.voided.is_none());
        if self.opening.mode == Mode::Training || !counting.all(|line| offered(line.details.role) && line.quantity.0 > 0) {
            return Err(Refusal::NotQuotable);
        }
        let closed = self.closed(TicketEnd::Quotation)?;
        let (lines, _) = self.taxed(counter)?;
        Ok(ClosedTicket {
            lines,
            net: Money::ZERO,
            tax: Money::ZERO,
            taxes: Vec::new(),
            details: TicketDetails {
                quoted: Some(Quoted {
                    net: self.net,
                    tax: self.tax,
                    holds_until,
                }),
                ..closed.details
            },
            ..closed
        })
    }
}
