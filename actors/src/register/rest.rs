//! Tickets that rest, and tickets that go on at another register.
//!
//! Whoever holds a ticket gives it up first, in its own turn, so that no two registers ever hold one. The work log has all events of it; the
//! next one says where it is from now on.

use std::collections::HashMap;
use std::sync::Arc;

use backroom_core::facts::Seated;
use backroom_core::ids::{ReasonCode, TicketId};
use backroom_core::ticket::{Event, Open};

use super::{Command, CommandError, Held, MOST_TICKETS, Outcome, State};
use crate::worklog::WorkLog;

impl State {
    pub(super) async fn suspend(
        &mut self,
        command: Command,
        ticket: TicketId,
        expected: u64,
        reason: Option<ReasonCode>,
    ) -> Result<Outcome, CommandError> {
        let at = self.shop.clock.now();
        let event = self
            .held(ticket, expected)
            .await?
            .ticket
            .suspend(reason, command.staff, command.id, at)?;
        self.write(&command, ticket, vec![event]).await
    }

    /// Goes on with a ticket here: one that rests, or one whose register fell silent.
    pub(super) async fn go_on(&mut self, command: Command, ticket: TicketId, expected: u64) -> Result<Outcome, CommandError> {
        if !self.tickets.contains_key(&ticket) {
            if self.tickets.len() >= MOST_TICKETS {
                return Err(CommandError::TooManyTickets);
            }
            let Some(fetched) = self.fetch(ticket).await? else {
                return self.held(ticket, expected).await.map(|held| held.outcome(None));
            };
            fetched.expect(expected)?;
            self.tickets.insert(ticket, fetched);
        }
        let seat = Seated {
            register: self.seat.register,
            till: self.seat.till,
            shift: self.open_shift()?,
            session: command.session,
            staff: command.staff,
        };
        let at = self.shop.clock.now();
        let held = self.held(ticket, expected).await?;
        let ours = held.ticket.opening.register == self.seat.register;
        let event = if held.ticket.is_suspended() {
            held.ticket.resume(seat, command.id, at)
        } else {
            held.ticket.take_over(seat, command.id, at)
        };
        let gone_on = match event {
            Ok(event) => self.write(&command, ticket, vec![event]).await,
            Err(refused) => Err(refused.into()),
        };
        if gone_on.is_err() && !ours {
            // It is still where it was; its register finds it in the work log.
            self.tickets.remove(&ticket);
        }
        gone_on
    }

    /// A ticket as the work log has it, wherever it was.
    async fn fetch(&self, ticket: TicketId) -> Result<Option<Held>, CommandError> {
        if self.shop.reader.by_ticket(ticket).await?.is_some() {
            return Ok(None);
        }
        let mut held: Option<Held> = None;
        for step in WorkLog::read_ticket(self.shop.worklog.file(), ticket).await? {
            match (&mut held, &step.event) {
                (Some(held), _) => held.apply(step, None),
                (None, Event::Opened(opening)) => {
                    held = Some(Held {
                        version: step.version,
                        ticket: Arc::new(Open::new(opening.clone())),
                        commands: HashMap::from([(step.command_id, (step.body_hash, None))]),
                        prices: self.prices(),
                    });
                }
                (None, _) => {}
            }
        }
        Ok(held)
    }

    /// Another register wants this ticket: it is no longer held here. What is written of it is read anew before the next command.
    pub(super) fn give_up(&mut self, ticket: TicketId) {
        if self.tickets.remove(&ticket).is_some() {
            self.stale = true;
        }
    }
}
