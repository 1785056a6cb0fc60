//! One cashier at one register: sells, and now and then does whatever else happens at a counter.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use backroom_protocol::v1::register as wire;
use installer::client::ask::Command;
use installer::client::make::{self, TicketRef};
use installer::client::patience::Patience;
use installer::client::{Client, Failure};

use super::Tally;
use super::gate::Gate;
use super::witness::Witness;
use crate::chance::Chance;

const CURRENCY: &str = "EUR";
/// Receipts remembered for taking back; older customers have lost theirs.
const REMEMBERED: usize = 50;

/// How often, in percent of the tickets, something else happens than a plain sale.
#[derive(Clone, Debug)]
pub struct Habits {
    pub fewest_lines: u64,
    pub most_lines: u64,
    pub void: u64,
    pub cancel: u64,
    pub take_back: u64,
    /// Paid in two parts, closed by a command of its own.
    pub pay_in_parts: u64,
    pub move_cash: u64,
    pub sign_in: u64,
    pub new_shift: u64,
    /// The longest pause between two tickets.
    pub pause: Duration,
}

impl Habits {
    /// The sale that figures speak of: five scans, one tender with the exact cash.
    pub fn plain() -> Self {
        Self {
            fewest_lines: 5,
            most_lines: 5,
            void: 0,
            cancel: 0,
            take_back: 0,
            pay_in_parts: 0,
            move_cash: 0,
            sign_in: 0,
            new_shift: 0,
            pause: Duration::ZERO,
        }
    }

    pub fn lively() -> Self {
        Self {
            fewest_lines: 1,
            most_lines: 6,
            void: 15,
            cancel: 6,
            take_back: 8,
            pay_in_parts: 10,
            move_cash: 4,
            sign_in: 4,
            new_shift: 3,
            pause: Duration::from_millis(2),
        }
    }

    /// A trickle: a shop on a quiet morning.
    pub fn quiet() -> Self {
        Self {
            pause: Duration::from_millis(60),
            ..Self::lively()
        }
    }
}

pub struct Cashier {
    client: Client,
    register: usize,
    device_token: String,
    staff: (String, String),
    receipts: Vec<String>,
    chance: Chance,
    pub codes: Vec<String>,
    pub habits: Habits,
    pub tally: Tally,
}

/// What came of one command.
enum Said<T> {
    Done(T),
    /// The box said no; the cashier shrugs and goes on.
    Refused,
}

impl Cashier {
    pub fn new(address: &str, patience: Patience, witness: Witness, chance: Chance) -> Result<Self> {
        let register = witness.register();
        Ok(Self {
            client: Client::new(address, patience)?.with_notes(Box::new(witness)),
            register,
            device_token: String::new(),
            staff: Default::default(),
            receipts: Vec::new(),
            chance,
            codes: Vec::new(),
            habits: Habits::plain(),
            tally: Tally::default(),
        })
    }

    pub fn number(&self) -> usize {
        self.register
    }

    /// From a bare device to an open shift.
    pub async fn begin(&mut self, pairing_code: &str, register: &str, staff: &str, pin: &str) -> Result<()> {
        let enrolled = self.client.command(&make::enrol(pairing_code, register, None)).await?;
        self.device_token = enrolled.device_token;
        self.staff = (staff.to_owned(), pin.to_owned());
        self.sign_in().await?;
        self.client.command(&make::open_shift(10_000, CURRENCY)).await?;
        self.tally = Tally::default();
        Ok(())
    }

    /// Anew, as after somebody put the box back from a backup.
    pub async fn sign_in(&mut self) -> Result<()> {
        self.client.carry(&self.device_token)?;
        let request = make::sign_in(&self.staff.0, &self.staff.1, self.client.seen());
        let answer = self.client.command(&request).await.context("could not sign in")?;
        self.tally.acked += 1;
        self.client.carry(&answer.session_token)?;
        Ok(())
    }

    pub async fn status(&mut self) -> Result<wire::GetStatusResponse> {
        Ok(self.client.read(&wire::GetStatusRequest {}).await?)
    }

    /// Ticket after ticket until the gate is closed for good. Goes home between two commands, so a ticket may stay open.
    pub async fn work(&mut self, gate: Gate) -> Result<()> {
        while gate.pass().await {
            self.one_ticket(&gate).await?;
            let pause = self.chance.below(self.habits.pause.as_micros() as u64 + 1);
            if pause > 0 {
                tokio::time::sleep(Duration::from_micros(pause)).await;
            }
        }
        Ok(())
    }

    async fn one_ticket(&mut self, gate: &Gate) -> Result<()> {
        let habits = self.habits.clone();
        if self.chance.percent(habits.sign_in) {
            self.sign_in().await?;
        }
        if self.chance.percent(habits.move_cash) {
            self.move_cash().await?;
        }
        if self.chance.percent(habits.new_shift) {
            self.new_shift().await?;
        }
        if self.chance.percent(habits.take_back) && !self.receipts.is_empty() {
            return self.take_back().await;
        }
        let lines = self.chance.between(habits.fewest_lines, habits.most_lines);
        let Some(view) = self.fill(lines, gate).await? else { return Ok(()) };
        if !gate.pass().await {
            return Ok(());
        }
        if self.chance.percent(habits.cancel) {
            return self.say(&make::cancel(TicketRef::of(&view))).await.map(drop);
        }
        self.pay(view).await
    }

    /// A basket of so many lines; sometimes one of them is taken off again.
    async fn fill(&mut self, lines: u64, gate: &Gate) -> Result<Option<wire::TicketView>> {
        let mut ticket = TicketRef::begin();
        let mut view = None;
        for _ in 0..lines {
            if view.is_some() && !gate.pass().await {
                return Ok(None);
            }
            let code = self.chance.pick(&self.codes).cloned().context("the shop sells nothing")?;
            let asked = Instant::now();
            match self.say(&make::scan(ticket, &code, 0)).await? {
                Said::Done(answer) => {
                    self.tally.scans.push(asked.elapsed());
                    let seen = answer.ticket.context("a scan was answered without the ticket")?;
                    ticket = TicketRef::of(&seen);
                    view = Some(seen);
                }
                Said::Refused => return self.clear_up().await.map(|()| None),
            }
        }
        if lines > 1 && self.chance.percent(self.habits.void) {
            let line = self.chance.between(1, lines) as u32;
            match self.say(&make::void_line(ticket, line)).await? {
                Said::Done(answer) => view = answer.ticket,
                Said::Refused => return self.clear_up().await.map(|()| None),
            }
        }
        Ok(view)
    }

    async fn pay(&mut self, mut view: wire::TicketView) -> Result<()> {
        let due = view.remaining.as_ref().map_or(0, |money| money.minor);
        if due > 1 && self.chance.percent(self.habits.pay_in_parts) {
            for part in [due / 2, due - due / 2] {
                match self.say(&make::tender(TicketRef::of(&view), part, CURRENCY)).await? {
                    Said::Done(answer) => view = answer.ticket.context("a tender was answered without the ticket")?,
                    Said::Refused => return self.clear_up().await,
                }
            }
            return match self.say(&make::settle(TicketRef::of(&view))).await? {
                Said::Done(answer) => self.sold(answer.ticket),
                Said::Refused => self.clear_up().await,
            };
        }
        // Mostly exact, now and then with a note too large; a campaign wants change in the books.
        let given = match self.habits.void > 0 && self.chance.percent(30) {
            true => (due / 500 + 1) * 500,
            false => due,
        };
        let asked = Instant::now();
        match self.say(&make::tender_and_settle(TicketRef::of(&view), given, CURRENCY)).await? {
            Said::Done(answer) => {
                self.tally.tenders.push(asked.elapsed());
                self.sold(answer.ticket)
            }
            Said::Refused => self.clear_up().await,
        }
    }

    fn sold(&mut self, view: Option<wire::TicketView>) -> Result<()> {
        let view = view.context("a paid sale was answered without the ticket")?;
        ensure!(
            view.state() == wire::TicketState::Sold,
            "a paid ticket is {:?}, not sold",
            view.state()
        );
        ensure!(!view.receipt.is_empty(), "a sold ticket has no receipt number");
        self.tally.sales += 1;
        if self.habits.take_back > 0 {
            if self.receipts.len() >= REMEMBERED {
                self.receipts.remove(0);
            }
            self.receipts.push(view.receipt);
        }
        Ok(())
    }

    async fn take_back(&mut self) -> Result<()> {
        let which = self.chance.below(self.receipts.len() as u64) as usize;
        let receipt = self.receipts.swap_remove(which);
        self.say(&make::return_sale(&receipt)).await.map(drop)
    }

    async fn move_cash(&mut self) -> Result<()> {
        let kinds = [wire::CashMoveKind::PaidIn, wire::CashMoveKind::PaidOut, wire::CashMoveKind::Drop];
        let kind = self.chance.pick(&kinds).copied().unwrap_or(wire::CashMoveKind::PaidIn);
        let amount = self.chance.between(1, 500) as i64;
        self.say(&make::move_cash(kind, amount, CURRENCY, "change for the drawer"))
            .await
            .map(drop)
    }

    async fn new_shift(&mut self) -> Result<()> {
        let counted = self.chance.between(0, 100_000) as i64;
        match self.say(&make::close_shift(counted, CURRENCY)).await? {
            Said::Done(_) => self.say(&make::open_shift(10_000, CURRENCY)).await.map(drop),
            Said::Refused => Ok(()),
        }
    }

    /// After a refusal the register asks what is open and gives it up, as a person would. With money in it, it is settled.
    pub async fn clear_up(&mut self) -> Result<()> {
        let tickets = self.client.read(&wire::ListOpenTicketsRequest {}).await?.tickets;
        for view in tickets {
            let ticket = TicketRef::of(&view);
            let remaining = view.remaining.as_ref().map_or(0, |money| money.minor);
            match view.tenders.is_empty() {
                true => drop(self.say(&make::cancel(ticket)).await?),
                false if remaining > 0 => drop(self.say(&make::tender_and_settle(ticket, remaining, CURRENCY)).await?),
                false => drop(self.say(&make::settle(ticket)).await?),
            }
        }
        Ok(())
    }

    async fn say<C: Command>(&mut self, command: &C) -> Result<Said<C::Answer>> {
        match self.client.command(command).await {
            Ok(answer) => {
                self.tally.acked += 1;
                Ok(Said::Done(answer))
            }
            Err(Failure::Refused { code, message }) => {
                *self.tally.refusals.entry(format!("{} {code}", C::CALL)).or_default() += 1;
                if matches!(code.as_str(), "command_id_reused" | "not_signed_in" | "session_fenced") {
                    bail!("{} {} was refused with {code}: {message}", C::CALL, command.command_id());
                }
                Ok(Said::Refused)
            }
            Err(failure) => Err(failure).with_context(|| format!("{} {}", C::CALL, command.command_id())),
        }
    }
}
