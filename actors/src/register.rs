//! One register: its open tickets, and every command on them, one after the other.
//!
//! A command that comes twice has the same outcome; one that comes late, for a ticket that moved on, is refused. After a restart the
//! tickets are rebuilt from the work log, less what the journal says is closed. Asks the journal and the work log; nobody here asks
//! another register.
//!
//! `change` is what a person changes about a basket, `back` are goods that come back, `rest` are tickets that rest or move.

mod back;
mod change;
mod rest;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use backroom_core::barcode::StoreMadeRules;
use backroom_core::catalog::{Catalog, PriceVersion};
use backroom_core::facts::{
    AgeDecision, CardAsked, CardEnded, ClosedTicket, Does, EffectWanted, Fact, Tender, TenderKind, TenderTaken, TenderVoided, TicketEnd,
    TicketFact,
};
use backroom_core::ids::{CommandId, ReasonCode, ReceiptNo, RegisterId, ShiftId, StaffId, TicketId, TillId};
use backroom_core::money::{Money, Quantity};
use backroom_core::ticket::{self, CardWish, Counter, Decided, Event, Mode, Open, Opening, Refusal, ReturnDesk};
use backroom_core::time::Instant;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use crate::device::DeviceKind;
use crate::door::{AskError, Door};
use crate::file::FileError;
use crate::journal::writer::committed_from;
use crate::journal::{Append, AppendError, BodyHash, Committed, Expect};
use crate::shop::{Screen, Shop};
use crate::supervisor::Child;
use crate::worklog::{Step, StepError, WorkLog};

/// A signed-in person wants something of this register.
#[derive(Clone, Debug)]
pub struct Command {
    pub id: CommandId,
    pub body: BodyHash,
    pub staff: StaffId,
    /// The number of the person's session at this register.
    pub session: u64,
    /// Practice: a ticket that begins with this moves nothing.
    pub training: bool,
    pub action: Action,
}

#[derive(Clone, Debug)]
pub enum Action {
    Scan {
        ticket: TicketId,
        expected: u64,
        code: String,
        quantity: Quantity,
    },
    VoidLine {
        ticket: TicketId,
        expected: u64,
        line: u32,
    },
    Tender {
        ticket: TicketId,
        expected: u64,
        amount: Money,
        settle: bool,
    },
    /// Asks the terminal at this register; answered when the wish is flushed, not when it is paid.
    Card {
        ticket: TicketId,
        expected: u64,
        amount: Money,
        settle: bool,
    },
    Settle {
        ticket: TicketId,
        expected: u64,
    },
    Cancel {
        ticket: TicketId,
        expected: u64,
    },
    Return {
        ticket: TicketId,
        receipt: ReceiptNo,
    },
    Change {
        ticket: TicketId,
        expected: u64,
        change: Change,
    },
    /// Lines of a receipt come back on this ticket; all that is left of it when none is named.
    TakeBack {
        ticket: TicketId,
        expected: u64,
        receipt: ReceiptNo,
        lines: Vec<(u32, Quantity)>,
    },
    /// What the ticket owes is handed out in cash.
    Refund {
        ticket: TicketId,
        expected: u64,
        settle: bool,
    },
    /// Money that was taken is handed back before the ticket is settled.
    VoidTender {
        ticket: TicketId,
        expected: u64,
        tender: CommandId,
    },
    Suspend {
        ticket: TicketId,
        expected: u64,
        reason: Option<ReasonCode>,
    },
    /// Goes on here with a ticket that rests, or that another register held.
    GoOn {
        ticket: TicketId,
        expected: u64,
    },
}

impl Action {
    /// The ticket another register has to give up before this is done.
    pub(crate) fn moves(&self) -> Option<TicketId> {
        match self {
            Action::GoOn { ticket, .. } => Some(*ticket),
            _ => None,
        }
    }

    /// Whether a ticket nobody knows may begin with it.
    fn begins(&self) -> bool {
        match self {
            Action::Scan { expected: 0, .. } | Action::TakeBack { expected: 0, .. } => true,
            Action::Change { expected: 0, change, .. } => change.begins(),
            _ => false,
        }
    }

    fn ticket(&self) -> TicketId {
        match self {
            Action::Scan { ticket, .. }
            | Action::VoidLine { ticket, .. }
            | Action::Tender { ticket, .. }
            | Action::Card { ticket, .. }
            | Action::Settle { ticket, .. }
            | Action::Cancel { ticket, .. }
            | Action::Return { ticket, .. }
            | Action::Change { ticket, .. }
            | Action::TakeBack { ticket, .. }
            | Action::Refund { ticket, .. }
            | Action::VoidTender { ticket, .. }
            | Action::Suspend { ticket, .. }
            | Action::GoOn { ticket, .. } => *ticket,
        }
    }
}

/// What came of it: the ticket as it stands now.
#[derive(Clone, Debug)]
pub enum Outcome {
    Open {
        version: u64,
        ticket: Arc<Open>,
        line: Option<u32>,
    },
    Closed {
        committed: Committed,
    },
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Till(#[from] backroom_core::till::Refusal),
    #[error("the ticket is at version {actual}, not {expected}; read it again")]
    Version { expected: u64, actual: u64 },
    #[error("this ticket is not open on this register; start a new one with its first scan")]
    UnknownTicket,
    #[error("this ticket is already closed; start a new one")]
    Closed,
    #[error("this register has {MOST_TICKETS} open tickets; settle or cancel one first")]
    TooManyTickets,
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("the box could not read or write its files; ask again with the same command to learn what happened")]
    File(#[from] FileError),
}

impl From<StepError> for CommandError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Overtaken => CommandError::Ask(AskError::Unknown { name: "the work log" }),
            StepError::Away(error) => CommandError::Ask(error),
        }
    }
}

pub use self::change::Change;

const MOST_TICKETS: usize = 50;

#[derive(Debug)]
pub enum Message {
    Do {
        command: Box<Command>,
        reply: RpcReplyPort<Result<Outcome, CommandError>>,
    },
    /// The ticket as it stands; `None` when it is not open here.
    Look {
        ticket: TicketId,
        reply: RpcReplyPort<Option<Outcome>>,
    },
    ListOpen {
        reply: RpcReplyPort<Vec<Outcome>>,
    },
    /// The terminal took the money of a wish. `false`: no ticket needs it any more, give it back.
    CardPaid {
        paid: CardPaid,
        reply: RpcReplyPort<Result<bool, CommandError>>,
    },
    /// The wish ended without money; the journal says so already.
    CardEnded {
        ticket: TicketId,
        ask: CommandId,
        why: String,
    },
    /// Another register goes on with this ticket.
    GiveUp {
        ticket: TicketId,
        reply: RpcReplyPort<()>,
    },
    /// Nobody knows how the payment ended, or somebody does again.
    CardUnknown {
        ticket: TicketId,
        ask: CommandId,
        unknown: bool,
    },
    Strike,
}

/// What a terminal says of a payment that was made.
#[derive(Clone, Debug)]
pub struct CardPaid {
    pub ticket: TicketId,
    pub ask: CommandId,
    pub attempt: String,
    pub amount: Money,
}

/// Who this register is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    pub register: RegisterId,
    pub till: TillId,
}

/// The actor.
pub struct Register;

pub struct State {
    shop: Shop,
    seat: Seat,
    tickets: HashMap<TicketId, Held>,
    /// Something was begun whose end was not heard: read everything again before anything else happens.
    stale: bool,
    store_made: StoreMadeRules,
    policy: ticket::Policy,
}

/// An open ticket and the commands that made it what it is.
struct Held {
    version: u64,
    ticket: Arc<Open>,
    commands: HashMap<CommandId, (BodyHash, Option<u32>)>,
    /// The catalog it was begun with; it keeps its prices and taxes until it ends.
    prices: Arc<Catalog>,
}

/// How the root keeps a register alive.
pub fn child(shop: Shop, seat: Seat, door: Arc<Door<Message>>) -> Child {
    let own = door.clone();
    door.child(
        format!("register/{}", seat.register),
        || Message::Strike,
        move || (Register, (shop.clone(), seat, own.clone())),
    )
}

impl Actor for Register {
    type Msg = Message;
    type State = State;
    type Arguments = (Shop, Seat, Arc<Door<Message>>);

    async fn pre_start(&self, me: ActorRef<Message>, (shop, seat, door): Self::Arguments) -> Result<State, ActorProcessingErr> {
        let mut state = State {
            shop,
            seat,
            tickets: HashMap::new(),
            stale: true,
            store_made: StoreMadeRules::default(),
            policy: ticket::Policy::default(),
        };
        state.rebuild().await?;
        door.opened_by(me);
        Ok(state)
    }

    async fn handle(&self, _me: ActorRef<Message>, message: Message, state: &mut State) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Do { command, reply } => drop(reply.send(state.carry_out(*command).await)), // The asker may have left.
            Message::Look { ticket, reply } => drop(reply.send(state.tickets.get(&ticket).map(|held| held.outcome(None)))),
            Message::ListOpen { reply } => drop(reply.send(state.tickets.values().map(|held| held.outcome(None)).collect())),
            Message::CardPaid { paid, reply } => drop(reply.send(state.card_paid(&paid).await)),
            Message::GiveUp { ticket, reply } => {
                state.give_up(ticket);
                let _ = reply.send(()); // The asker may have left.
            }
            Message::CardEnded { ticket, ask, why } => state.card_ended(ticket, ask, why).await,
            Message::CardUnknown { ticket, ask, unknown } => state.card_unknown(ticket, ask, unknown),
            Message::Strike => panic!("struck down on purpose"),
        }
        Ok(())
    }
}

impl Held {
    fn outcome(&self, line: Option<u32>) -> Outcome {
        Outcome::Open {
            version: self.version,
            ticket: self.ticket.clone(),
            line,
        }
    }

    fn expect(&self, expected: u64) -> Result<(), CommandError> {
        if expected == self.version {
            Ok(())
        } else {
            Err(CommandError::Version {
                expected,
                actual: self.version,
            })
        }
    }

    /// Makes a step true; with what was worked out when it was decided, if it was just now.
    fn apply(&mut self, step: Step, decided: Option<Decided>) {
        let line = step.event.new_line();
        self.version = step.version;
        let before = self.commands.get(&step.command_id).and_then(|(_, line)| *line);
        self.commands.insert(step.command_id, (step.body_hash, line.or(before)));
        let ticket = Arc::make_mut(&mut self.ticket);
        match decided {
            Some(decided) => ticket.accept(decided),
            None => ticket.apply(step.event),
        }
    }
}

impl State {
    /// The open tickets from the work log, less those the journal knows to be closed.
    async fn rebuild(&mut self) -> Result<(), CommandError> {
        // Whatever was begun before must be over before it is looked at.
        self.shop.worklog.write(Vec::new()).await?;
        self.shop.journal.settle().await?;
        self.tickets.clear();
        let prices = self.prices();
        for step in WorkLog::read(self.shop.worklog.file(), Some(self.seat.register)).await? {
            self.shop.recent.remember(step.command_id, step.body_hash);
            match self.tickets.get_mut(&step.ticket) {
                Some(held) => held.apply(step, None),
                None => {
                    let Event::Opened(opening) = step.event else { continue };
                    let commands = HashMap::from([(step.command_id, (step.body_hash, None))]);
                    self.tickets.insert(
                        step.ticket,
                        Held {
                            version: step.version,
                            ticket: Arc::new(Open::new(opening)),
                            commands,
                            prices: prices.clone(),
                        },
                    );
                }
            }
        }
        let tickets: Vec<TicketId> = self.tickets.keys().copied().collect();
        for ticket in tickets {
            if self.shop.reader.by_ticket(ticket).await?.is_some() {
                self.tickets.remove(&ticket);
                self.forget(ticket);
                continue;
            }
            self.take_over_money(ticket).await?;
        }
        self.stale = false;
        self.close_what_is_paid().await
    }

    /// Money, and wishes for it, that were flushed to the journal but did not reach the work log. They are written there now, so that
    /// the version a register is told stays true after the next fall too.
    async fn take_over_money(&mut self, ticket: TicketId) -> Result<(), CommandError> {
        for entry in self.shop.reader.open_tenders(ticket).await? {
            let Some(held) = self.tickets.get(&ticket) else { continue };
            let at = entry.header.at;
            let (command_id, event) = match &*committed_from(&entry)?.fact {
                Fact::TenderTaken(taken) => (taken.tender.command_id, Event::TenderTaken(taken.tender.clone())),
                Fact::CardAsked(asked) => (asked.ask, Event::CardAsked(wish(asked, at))),
                Fact::CardEnded(ended) => (ended.ask, card_ended(ended)),
                Fact::Ticket(TicketFact::TenderVoided(voided)) => {
                    let event = Event::TenderVoided {
                        tender: voided.tender.command_id,
                        voided: voided.voided,
                    };
                    (voided.voided.command_id, event)
                }
                _ => continue,
            };
            if held.ticket.knows(&event) {
                continue;
            }
            let Some((body_hash, _)) = self.shop.reader.command(command_id).await? else {
                continue;
            };
            let step = Step {
                ticket,
                version: held.version + 1,
                register: self.seat.register,
                command_id,
                body_hash,
                event,
            };
            self.shop.worklog.write(vec![step.clone()]).await?;
            if let Some(held) = self.tickets.get_mut(&ticket) {
                held.apply(step, None);
            }
        }
        Ok(())
    }

    /// Tickets whose card payment was to close them, and did pay: the box fell between the two.
    async fn close_what_is_paid(&mut self) -> Result<(), CommandError> {
        let paid = self.tickets.iter().filter(|(_, held)| held.ticket.closes_by_card());
        let paid: Vec<TicketId> = paid.map(|(ticket, _)| *ticket).collect();
        for ticket in paid {
            self.close_by_card(ticket).await?;
        }
        Ok(())
    }

    /// A failure here is made good by the next rebuild.
    async fn close_by_card(&mut self, ticket: TicketId) -> Result<(), CommandError> {
        let Some(held) = self.tickets.get(&ticket) else { return Ok(()) };
        let closed = match held.ticket.settle(&self.counter(&held.prices)) {
            Ok(closed) => self.close(None, closed, true).await,
            Err(refused) => Err(refused.into()),
        };
        match closed {
            Ok(outcome) => self.show(outcome),
            // Without a shift, or where a rule forbids it now, the ticket waits, paid; a person makes it good and settles it.
            Err(
                CommandError::Till(_)
                | CommandError::Refused(_)
                | CommandError::Append(AppendError::ShiftClosed { .. } | AppendError::TakenBackMeanwhile { .. }),
            ) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn carry_out(&mut self, command: Command) -> Result<Outcome, CommandError> {
        if self.stale {
            self.rebuild().await?;
        }
        if let Some(before) = self.said_before(&command).await? {
            return Ok(before);
        }
        let (id, body) = (command.id, command.body);
        let outcome = self.decide_and_record(command).await;
        // Only a rule or an outcome is certain.
        self.stale = matches!(
            &outcome,
            Err(CommandError::Ask(_) | CommandError::File(_) | CommandError::Append(AppendError::Away(_)))
        );
        let outcome = outcome?;
        self.shop.recent.remember(id, body);
        self.show(outcome.clone());
        Ok(outcome)
    }

    fn show(&self, outcome: Outcome) {
        let register = self.seat.register;
        let _ = self.shop.screens.send(Screen::Ticket { register, outcome }); // Nobody may be looking.
    }

    fn show_open(&self, ticket: TicketId) {
        if let Some(held) = self.tickets.get(&ticket) {
            self.show(held.outcome(None));
        }
    }

    /// Money from a card becomes a tender, in the journal first; with it the ticket may be closed.
    async fn card_paid(&mut self, paid: &CardPaid) -> Result<bool, CommandError> {
        if self.stale {
            self.rebuild().await?;
        }
        let taken = self.take_card(paid).await;
        self.stale |= taken.is_err();
        let taken = taken?;
        if taken && self.tickets.get(&paid.ticket).is_some_and(|held| held.ticket.closes_by_card()) {
            self.stale = self.close_by_card(paid.ticket).await.is_err();
        }
        Ok(taken)
    }

    async fn take_card(&mut self, paid: &CardPaid) -> Result<bool, CommandError> {
        let is_this = |tender: &Tender| tender.command_id == paid.ask && tender.attempt.as_deref() == Some(paid.attempt.as_str());
        let Some(held) = self.tickets.get(&paid.ticket) else {
            // The ticket ended meanwhile: with this payment, when the answer was lost, or without it.
            let entry = self.shop.reader.by_ticket(paid.ticket).await?;
            let closed = entry.as_ref().map(committed_from).transpose()?;
            return Ok(closed.is_some_and(|closed| match &*closed.fact {
                Fact::TicketClosed(ticket) => ticket.tenders.iter().any(is_this),
                _ => false,
            }));
        };
        if held.ticket.tenders().iter().any(is_this) {
            return Ok(true);
        }
        let Some(tender) = held.ticket.card_paid(paid.ask, &paid.attempt, paid.amount, self.shop.clock.now()) else {
            return Ok(false);
        };
        let fact = Fact::TenderTaken(TenderTaken {
            ticket: paid.ticket,
            tender: tender.clone(),
        });
        let append = Append {
            device: Some(self.seat.register),
            ends: Some(paid.ask.to_string()),
            ..Append::by_the_box(fact)
        };
        self.shop.journal.append(append).await?;
        self.write_card(paid.ticket, paid.ask, Event::TenderTaken(tender)).await?;
        self.show_open(paid.ticket);
        Ok(true)
    }

    /// An event of a card payment, which bears the command that asked for it.
    async fn write_card(&mut self, ticket: TicketId, ask: CommandId, event: Event) -> Result<(), CommandError> {
        let Some(held) = self.tickets.get(&ticket) else { return Ok(()) };
        let Some(body_hash) = held.commands.get(&ask).map(|(body, _)| *body) else {
            return Ok(());
        };
        let step = Step {
            ticket,
            version: held.version + 1,
            register: self.seat.register,
            command_id: ask,
            body_hash,
            event,
        };
        self.shop.worklog.write(vec![step.clone()]).await?;
        if let Some(held) = self.tickets.get_mut(&ticket) {
            held.apply(step, None);
        }
        Ok(())
    }

    async fn card_ended(&mut self, ticket: TicketId, ask: CommandId, why: String) {
        let event = Event::CardEnded { ask, why };
        let news = self.tickets.get(&ticket).is_some_and(|held| !held.ticket.knows(&event));
        if news && self.write_card(ticket, ask, event).await.is_err() {
            // The journal has it; the next rebuild finds it there.
            self.stale = true;
        }
        self.show_open(ticket);
    }

    fn card_unknown(&mut self, ticket: TicketId, ask: CommandId, unknown: bool) {
        if let Some(held) = self.tickets.get_mut(&ticket) {
            Arc::make_mut(&mut held.ticket).card_unknown(ask, unknown);
        }
        self.show_open(ticket);
    }

    /// The outcome of the same command when it came before.
    async fn said_before(&self, command: &Command) -> Result<Option<Outcome>, CommandError> {
        let held = self.tickets.get(&command.action.ticket());
        if let Some((body, line)) = held.and_then(|held| held.commands.get(&command.id)) {
            if *body != command.body {
                return Err(AppendError::CommandReused.into());
            }
            return Ok(held.map(|held| held.outcome(*line)));
        }
        let recent = self.shop.recent.body_of(command.id);
        if recent.is_some_and(|body| body != command.body) {
            return Err(AppendError::CommandReused.into());
        }
        // A command on an open ticket that is not among the ticket's own is new, and so is a first scan of a ticket nobody knows; for all
        // others the journal is asked.
        let starts = held.is_none() && command.action.begins();
        let is_closed = starts && self.shop.reader.by_ticket(command.action.ticket()).await?.is_some();
        let is_new = held.is_some() || (starts && !is_closed);
        if is_new && recent.is_none() {
            return Ok(None);
        }
        match self.shop.said_before(command.id, command.body).await? {
            Some(outcome) => Ok(Some(Outcome::Closed { committed: outcome? })),
            None if is_closed => Err(CommandError::Closed),
            None => Ok(None),
        }
    }

    async fn decide_and_record(&mut self, command: Command) -> Result<Outcome, CommandError> {
        match command.action.clone() {
            Action::Scan {
                ticket,
                expected,
                code,
                quantity,
            } => self.scan(command, ticket, expected, &code, quantity).await,
            Action::VoidLine { ticket, expected, line } => {
                let held = self.held(ticket, expected).await?;
                let now = self.shop.clock.now();
                let decided = held.ticket.void_line(&self.counter(&held.prices), line, command.id, now)?;
                self.write_decided(&command, ticket, Vec::new(), decided).await
            }
            Action::Tender {
                ticket,
                expected,
                amount,
                settle,
            } => self.tender(command, ticket, expected, amount, settle).await,
            Action::Card {
                ticket,
                expected,
                amount,
                settle,
            } => self.ask_card(command, ticket, expected, amount, settle).await,
            Action::Settle { ticket, expected } => {
                let held = self.held(ticket, expected).await?;
                let closed = held.ticket.settle(&self.counter(&held.prices))?;
                self.close(Some(&command), closed, true).await
            }
            Action::Cancel { ticket, expected } => {
                let closed = self.held(ticket, expected).await?.ticket.cancel()?;
                self.close(Some(&command), closed, false).await
            }
            Action::Return { ticket, receipt } => self.take_back(command, ticket, receipt).await,
            Action::Change { ticket, expected, change } => self.change(command, ticket, expected, change).await,
            Action::TakeBack {
                ticket,
                expected,
                receipt,
                lines,
            } => self.take_lines_back(command, ticket, expected, receipt, &lines).await,
            Action::Refund { ticket, expected, settle } => self.refund(command, ticket, expected, settle).await,
            Action::VoidTender { ticket, expected, tender } => self.void_tender(command, ticket, expected, tender).await,
            Action::Suspend { ticket, expected, reason } => self.suspend(command, ticket, expected, reason).await,
            Action::GoOn { ticket, expected } => self.go_on(command, ticket, expected).await,
        }
    }

    /// The open ticket at the version the caller has seen.
    async fn held(&self, ticket: TicketId, expected: u64) -> Result<&Held, CommandError> {
        let Some(held) = self.tickets.get(&ticket) else {
            let closed = self.shop.reader.by_ticket(ticket).await?.is_some();
            return Err(if closed {
                CommandError::Closed
            } else {
                CommandError::UnknownTicket
            });
        };
        held.expect(expected)?;
        Ok(held)
    }

    fn open_shift(&self) -> Result<ShiftId, CommandError> {
        let (_, till) = self.shop.journal.till(self.seat.till);
        let shift = till.shift.ok_or(backroom_core::till::Refusal::NoShift { till: self.seat.till })?;
        Ok(shift.shift)
    }

    async fn scan(
        &mut self,
        command: Command,
        ticket: TicketId,
        expected: u64,
        code: &str,
        quantity: Quantity,
    ) -> Result<Outcome, CommandError> {
        let (base, prices, before) = self.at_hand(&command, ticket, expected, true).await?;
        let decided = base.scan(&self.counter(&prices), code, quantity, command.id, self.shop.clock.now())?;
        self.write_decided(&command, ticket, before, decided).await
    }

    /// The ticket as the caller has seen it, or a new one that this command begins: with its prices, and with what must be written first.
    async fn at_hand(
        &self,
        command: &Command,
        ticket: TicketId,
        expected: u64,
        begins: bool,
    ) -> Result<(Arc<Open>, Arc<Catalog>, Vec<Event>), CommandError> {
        if self.tickets.contains_key(&ticket) || expected != 0 || !begins {
            let held = self.held(ticket, expected).await?;
            return Ok((held.ticket.clone(), held.prices.clone(), Vec::new()));
        }
        if self.tickets.len() >= MOST_TICKETS {
            return Err(CommandError::TooManyTickets);
        }
        let catalog = self.prices();
        let opening = Opening {
            ticket,
            register: self.seat.register,
            till: self.seat.till,
            shift: self.open_shift()?,
            opened_at: self.shop.clock.now(),
            currency: catalog.currency(),
            prices: catalog.file().prices,
            cash_step: self.shop.policy.cash_step,
            cash_rounding: self.shop.policy.cash_rounding,
            mode: if command.training { Mode::Training } else { Mode::Selling },
            pinned: Some(PriceVersion {
                catalog: catalog.version(),
                directive: catalog.last_directive(),
            }),
            session: command.session,
        };
        let before = vec![Event::Opened(opening.clone())];
        Ok((Arc::new(Open::new(opening)), catalog, before))
    }

    /// The snapshot of prices and taxes a ticket that begins now is sold by.
    fn prices(&self) -> Arc<Catalog> {
        self.shop.catalog.borrow().clone()
    }

    fn counter<'a>(&'a self, prices: &'a Catalog) -> Counter<'a> {
        Counter {
            catalog: prices,
            taxes: prices.taxes(),
            rules: &self.store_made,
            calendar: &self.shop.policy.calendar,
            store: Some(self.shop.policy.store),
            policy: &self.policy,
        }
    }

    async fn write(&mut self, command: &Command, ticket: TicketId, events: Vec<Event>) -> Result<Outcome, CommandError> {
        self.write_all(command, ticket, events, None).await
    }

    async fn write_decided(
        &mut self,
        command: &Command,
        ticket: TicketId,
        before: Vec<Event>,
        decided: Decided,
    ) -> Result<Outcome, CommandError> {
        let events = before.into_iter().chain([decided.event.clone()]).collect();
        self.write_all(command, ticket, events, Some(decided)).await
    }

    /// Writes events of a ticket to the work log, then makes them true. The last of them may have been decided just now.
    async fn write_all(
        &mut self,
        command: &Command,
        ticket: TicketId,
        events: Vec<Event>,
        mut decided: Option<Decided>,
    ) -> Result<Outcome, CommandError> {
        let before = self.tickets.get(&ticket).map_or(0, |held| held.version);
        let steps: Vec<Step> = (before + 1..)
            .zip(events)
            .map(|(version, event)| Step {
                ticket,
                version,
                register: self.seat.register,
                command_id: command.id,
                body_hash: command.body,
                event,
            })
            .collect();
        match self.shop.worklog.write(steps.clone()).await {
            // A ticket that is new here and there already is open on another register.
            Err(StepError::Overtaken) if before == 0 => return Err(CommandError::UnknownTicket),
            written => written?,
        }
        let mut line = None;
        let last = before + steps.len() as u64;
        for step in steps {
            line = step.event.new_line().or(line);
            let worked_out = if step.version == last { decided.take() } else { None };
            let prices = match &step.event {
                Event::Opened(_) => Some(self.prices()),
                _ => None,
            };
            match (self.tickets.get_mut(&ticket), &step.event) {
                (Some(held), _) => held.apply(step, worked_out),
                (None, Event::Opened(opening)) => {
                    let Some(prices) = prices else { continue };
                    let commands = HashMap::from([(step.command_id, (step.body_hash, None))]);
                    self.tickets.insert(
                        ticket,
                        Held {
                            version: step.version,
                            ticket: Arc::new(Open::new(opening.clone())),
                            commands,
                            prices,
                        },
                    );
                }
                (None, _) => {}
            }
        }
        self.tickets
            .get(&ticket)
            .map(|held| held.outcome(line))
            .ok_or(CommandError::UnknownTicket)
    }

    async fn tender(
        &mut self,
        command: Command,
        ticket: TicketId,
        expected: u64,
        amount: Money,
        settle: bool,
    ) -> Result<Outcome, CommandError> {
        let now = self.shop.clock.now();
        let held = self.held(ticket, expected).await?;
        let tender = held.ticket.tender(amount, command.id, now)?;
        if settle {
            let mut paid = Open::clone(&held.ticket);
            paid.apply(Event::TenderTaken(tender));
            let closed = paid.settle(&self.counter(&held.prices))?;
            return self.close(Some(&command), closed, true).await;
        }
        self.open_shift()?;
        let fact = Fact::TenderTaken(TenderTaken {
            ticket,
            tender: tender.clone(),
        });
        self.shop.journal.append(self.append(&command, fact)).await?;
        self.write(&command, ticket, vec![Event::TenderTaken(tender)]).await
    }

    async fn void_tender(&mut self, command: Command, ticket: TicketId, expected: u64, tender: CommandId) -> Result<Outcome, CommandError> {
        let held = self.held(ticket, expected).await?;
        let event = held.ticket.void_tender(tender, command.id, self.shop.clock.now())?;
        let taken = held.ticket.tenders().iter().find(|taken| taken.command_id == tender).cloned();
        let (Event::TenderVoided { voided, .. }, Some(taken)) = (&event, taken) else {
            return Err(Refusal::NoSuchTender.into());
        };
        self.open_shift()?;
        let fact = Fact::Ticket(TicketFact::TenderVoided(TenderVoided {
            ticket,
            tender: taken,
            voided: *voided,
        }));
        self.shop.journal.append(self.append(&command, fact)).await?;
        self.write(&command, ticket, vec![event]).await
    }

    /// The wish stands in the journal before the terminal is asked; its actor hears of it after the flush.
    async fn ask_card(
        &mut self,
        command: Command,
        ticket: TicketId,
        expected: u64,
        amount: Money,
        settle: bool,
    ) -> Result<Outcome, CommandError> {
        let held = self.held(ticket, expected).await?;
        let terminal = self.shop.board.of_register(self.seat.register, DeviceKind::Terminal);
        let wish = held.ticket.ask_card(CardWish {
            ask: command.id,
            at: self.shop.clock.now(),
            terminal: terminal.ok_or(Refusal::NoTerminal)?.name,
            amount,
            settle,
            tip: Money::ZERO,
            refund_of: None,
        })?;
        self.open_shift()?;
        let fact = Fact::CardAsked(CardAsked {
            ask: command.id,
            ticket,
            register: self.seat.register,
            till: self.seat.till,
            terminal: wish.terminal,
            amount,
            settle,
            tip: wish.tip,
        });
        self.shop.journal.append(self.append(&command, fact)).await?;
        self.write(&command, ticket, vec![Event::CardAsked(wish)]).await
    }

    fn append(&self, command: &Command, fact: Fact) -> Append {
        Append {
            command_id: Some(command.id),
            body_hash: command.body,
            device: Some(self.seat.register),
            staff: Some(command.staff),
            ..Append::by_the_box(fact)
        }
    }

    /// What the machines on this counter do when a ticket ends: the receipt, and the drawer where cash changes hands.
    fn effects(&self, closed: &ClosedTicket, cause: &str) -> Vec<Fact> {
        let Some(printer) = self.shop.board.of_register(self.seat.register, DeviceKind::Printer) else {
            return Vec::new();
        };
        let effect = |does: Does, word: &str| {
            Fact::EffectWanted(EffectWanted {
                effect: format!("{cause}/{word}"),
                device: printer.name,
                does,
                receipt: None,
                copy: false,
            })
        };
        let cash = closed
            .tenders
            .iter()
            .any(|tender| tender.kind == TenderKind::Cash && tender.amount != Money::ZERO);
        let pulse = cash.then(|| effect(Does::Pulse, "pulse"));
        let printed = closed.end != TicketEnd::Cancelled;
        pulse.into_iter().chain(printed.then(|| effect(Does::Print, "print"))).collect()
    }

    /// Puts a ticket that ended into the journal; it belongs to the shift that is open now.
    /// Without a command the box does it by itself, because a card payment that was to close it did pay it.
    async fn close(&mut self, command: Option<&Command>, closed: ClosedTicket, numbered: bool) -> Result<Outcome, CommandError> {
        let (ticket, till) = (closed.ticket, closed.till);
        let shift = self.open_shift()?;
        // What made the ticket what it is and has no entry of its own.
        let of_lines = closed
            .lines
            .iter()
            .flat_map(|line| [line.command_id, line.voided.map(|voided| voided.command_id)])
            .flatten();
        let of_history = closed.details.history.iter().map(|happened| happened.command_id);
        let of_checks = closed
            .details
            .age_checks
            .iter()
            .filter(|check| check.decision == AgeDecision::Passed)
            .map(|check| check.command_id);
        let own: BTreeSet<CommandId> = of_lines.chain(of_history).chain(of_checks).collect();
        let commands = self.tickets.get(&ticket).map(|held| &held.commands);
        let also = own
            .iter()
            .filter_map(|id| commands?.get(id).map(|(body, _)| (*id, *body)))
            .collect();
        let mut expects = self.expects_back(&closed).await?;
        expects.push(Expect::OpenShift { till, shift });
        let cause = command.map_or_else(|| ticket.to_string(), |command| command.id.to_string());
        let with = self.effects(&closed, &cause);
        let had_money = self.tickets.get(&ticket).is_some_and(|held| held.ticket.had_money());
        let fact = Fact::TicketClosed(Box::new(ClosedTicket { shift, ..closed }));
        let by_whom = match command {
            Some(command) => self.append(command, fact),
            None => Append {
                device: Some(self.seat.register),
                ..Append::by_the_box(fact)
            },
        };
        let append = Append {
            expects,
            number_for: numbered.then_some(self.seat.register),
            also,
            with,
            had_money,
            ..by_whom
        };
        let committed = self.shop.journal.append(append).await?;
        self.tickets.remove(&ticket);
        self.forget(ticket);
        Ok(Outcome::Closed { committed })
    }

    async fn take_back(&mut self, command: Command, ticket: TicketId, receipt: ReceiptNo) -> Result<Outcome, CommandError> {
        let sale = self.receipt(receipt).await?;
        let (_, times) = self.given_back(receipt).await?;
        if times > 0 {
            // Whole means whole: what is left of it comes back line by line.
            return Err(Refusal::AlreadyReturned { receipt }.into());
        }
        let shift = self.open_shift()?;
        let Seat { register, till } = self.seat;
        let desk = ReturnDesk {
            ticket,
            register,
            till,
            shift,
            command_id: command.id,
            at: self.shop.clock.now(),
        };
        let closed = ticket::return_whole(&sale, desk)?;
        let append = Append {
            expects: vec![Expect::OpenShift { till, shift }, Expect::TakenBack { receipt, times: 0 }],
            number_for: Some(register),
            with: self.effects(&closed, &command.id.to_string()),
            ..self.append(&command, Fact::TicketClosed(Box::new(closed)))
        };
        let committed = self.shop.journal.append(append).await?;
        Ok(Outcome::Closed { committed })
    }

    /// Lets the work log drop the rows of a closed ticket, whenever it has time; if it never does, the next rebuild does.
    fn forget(&self, ticket: TicketId) {
        let worklog = self.shop.worklog.clone();
        tokio::spawn(async move {
            let _ = worklog.forget(ticket).await; // Rows that stay are recognised by the journal and dropped at the next start.
        });
    }
}

fn wish(asked: &CardAsked, at: Instant) -> CardWish {
    CardWish {
        ask: asked.ask,
        at,
        terminal: asked.terminal,
        amount: asked.amount,
        settle: asked.settle,
        tip: asked.tip,
        refund_of: None,
    }
}

fn card_ended(ended: &CardEnded) -> Event {
    Event::CardEnded {
        ask: ended.ask,
        why: ended.why.clone(),
    }
}
