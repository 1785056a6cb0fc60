//! One cashier at one register: serves customers through the real client, and keeps count of the drawer by hand.
//!
//! What is on the board is what the register was told, never what the box's files say. Which shop sells when is decided above.

pub mod card;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use backroom_protocol::v1::register as wire;
use tokio::sync::watch;
use uuid::Uuid;

use super::seed::{Item, Person};
use crate::client::ask::Command;
use crate::client::log::{LogFile, Notes, Outcome};
use crate::client::make::{self, TicketRef};
use crate::client::patience::Patience;
use crate::client::{Client, Failure};

/// What lies in the drawer in the morning, in minor units.
pub const FLOAT: i64 = 10_000;
/// Receipts remembered for taking back; older customers have lost theirs.
const REMEMBERED: usize = 20;

/// What one register has done and was told.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub sales: u64,
    pub returns: u64,
    pub voids: u64,
    pub cancelled: u64,
    /// Of sales less returns.
    pub takings: i64,
    /// Commands the box said no to.
    pub refused: u64,
    /// Commands that were answered.
    pub acked: u64,
    /// Of these, the ones that had to be said more than once, with the same id.
    pub again: u64,
    /// A command was asked and is not answered yet.
    pub is_waiting: bool,
    pub told: Told,
}

/// What the box last said of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub epoch: u32,
    pub seq: u64,
    pub held_by_hq: u64,
    pub hq_connected: bool,
}

/// One register's figures, for all to see.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<Figures>>);

impl Board {
    pub fn read(&self) -> Figures {
        self.write().clone()
    }

    fn write(&self) -> MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the client log, and notes on the board what is asked and answered.
struct Witness {
    log: LogFile,
    board: Board,
}

impl Notes for Witness {
    fn asked(&mut self, call: &'static str, command_id: Uuid) -> std::io::Result<()> {
        self.log.asked(call, command_id)?;
        self.board.write().is_waiting = true;
        Ok(())
    }

    fn acked(&mut self, call: &'static str, command_id: Uuid, outcome: &Outcome, attempts: u32) -> std::io::Result<()> {
        self.log.acked(call, command_id, outcome, attempts)?;
        let mut figures = self.board.write();
        figures.is_waiting = false;
        figures.acked += 1;
        figures.again += u64::from(attempts > 1);
        figures.refused += u64::from(outcome.refused.is_some());
        Ok(())
    }
}

/// How busy a shop is: pauses in milliseconds, from and to.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub customers: (u64, u64),
    pub scans: (u64, u64),
}

impl Pace {
    /// A sale every couple of seconds in a store with two registers.
    pub const TRICKLE: Pace = Pace {
        customers: (1_500, 4_000),
        scans: (150, 500),
    };
    pub const BUSY: Pace = Pace {
        customers: (50, 400),
        scans: (10, 80),
    };
}

/// Chance enough for customers.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        // The last bits of such an id are random; never zero, or nothing would ever come of it.
        Self(Uuid::now_v7().as_u64_pair().1 | 1)
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        least + self.0 % (most - least + 1)
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.between(1, 100) <= chance
    }
}

/// Where a cashier works.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    pub address: &'a str,
    pub currency: &'a str,
    pub register: &'a str,
    pub pairing_code: &'a str,
    pub log: &'a Path,
    pub patience: Duration,
}

pub struct Cashier {
    client: Client,
    currency: String,
    items: Vec<Item>,
    receipts: Vec<String>,
    dice: Dice,
    /// What must lie in the drawer, added up note by note.
    drawer: i64,
    pub board: Board,
}

/// What came of one command.
enum Said<T> {
    Done(T),
    /// The box said no; the cashier gives the ticket up and goes on.
    Refused,
}

/// What a count of the drawer came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub counted: i64,
    pub over_short: i64,
}

impl Cashier {
    /// From a bare device to an open shift.
    pub async fn begin(place: &Place<'_>, person: &Person, items: Vec<Item>) -> Result<Self> {
        let board = Board::default();
        let log = LogFile::open(place.log).with_context(|| format!("could not open the client log {}", place.log.display()))?;
        let notes = Witness { log, board: board.clone() };
        let patience = Patience::of(place.patience).with_longest_pause(Duration::from_millis(200));
        let mut client = Client::new(place.address, patience)?.with_notes(Box::new(notes));
        let enrolled = client.command(&make::enrol(place.pairing_code, place.register, None)).await?;
        client.carry(&enrolled.device_token)?;
        let signed_in = client.command(&make::sign_in(&person.id, &person.pin, None)).await?;
        client.carry(&signed_in.session_token)?;
        client.command(&make::open_shift(FLOAT, place.currency)).await?;
        Ok(Self {
            client,
            currency: place.currency.to_owned(),
            items,
            receipts: Vec::new(),
            dice: Dice::new(),
            drawer: FLOAT,
            board,
        })
    }

    /// Customer after customer, until it is time to go home.
    pub async fn work(&mut self, pace: Pace, mut go_home: watch::Receiver<bool>) -> Result<()> {
        while !*go_home.borrow_and_update() {
            self.serve(pace).await?;
            self.look_at_the_box().await?;
            let pause = self.dice.between(pace.customers.0, pace.customers.1);
            // A changed gate is looked at in the next round; whoever holds it may also have left.
            let _ = tokio::time::timeout(Duration::from_millis(pause), go_home.changed()).await;
        }
        Ok(())
    }

    /// Asks the box how it is.
    pub async fn look_at_the_box(&mut self) -> Result<Told> {
        let status = self.client.read(&wire::GetStatusRequest {}).await?;
        let position = status.position.unwrap_or_default();
        let told = Told {
            epoch: position.epoch,
            seq: position.seq,
            held_by_hq: status.held_by_hq,
            hq_connected: status.hq_connected,
        };
        self.board.write().told = told;
        Ok(told)
    }

    async fn serve(&mut self, pace: Pace) -> Result<()> {
        if !self.receipts.is_empty() && self.dice.percent(8) {
            return self.take_back().await;
        }
        let lines = self.dice.between(1, 5);
        let Some(mut view) = self.fill(lines, pace).await? else {
            return Ok(());
        };
        if lines > 1 && self.dice.percent(12) {
            let line = u32::try_from(self.dice.between(1, lines))?;
            match self.say(&make::void_line(TicketRef::of(&view), line)).await? {
                Said::Done(answer) => view = answer.ticket.context("a voided line was answered without the ticket")?,
                Said::Refused => return self.clear_up().await,
            }
            self.board.write().voids += 1;
        }
        if self.dice.percent(3) {
            self.say(&make::cancel(TicketRef::of(&view))).await?;
            self.board.write().cancelled += 1;
            return Ok(());
        }
        self.pay(&view).await.map(drop)
    }

    async fn fill(&mut self, lines: u64, pace: Pace) -> Result<Option<wire::TicketView>> {
        let mut ticket = TicketRef::begin();
        let mut view = None;
        for _ in 0..lines {
            let which = usize::try_from(self.dice.between(0, self.items.len() as u64 - 1))?;
            let code = self.items[which].code().to_owned();
            let quantity_milli = if self.dice.percent(15) { 2_000 } else { 0 };
            match self.say(&make::scan(ticket, &code, quantity_milli)).await? {
                Said::Done(answer) => {
                    let seen = answer.ticket.context("a scan was answered without the ticket")?;
                    ticket = TicketRef::of(&seen);
                    view = Some(seen);
                }
                Said::Refused => return self.clear_up().await.map(|()| None),
            }
            let pause = self.dice.between(pace.scans.0, pace.scans.1);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        Ok(view)
    }

    /// Half of them have the exact sum, the others pay with notes. The receipt's number, if it came to one.
    async fn pay(&mut self, view: &wire::TicketView) -> Result<Option<String>> {
        let due = minor(view.remaining.as_ref());
        let given = if self.dice.percent(50) { due } else { (due / 1_000 + 1) * 1_000 };
        let tender = make::tender_and_settle(TicketRef::of(view), given, &self.currency);
        let Said::Done(answer) = self.say(&tender).await? else {
            return self.clear_up().await.map(|()| None);
        };
        let sold = answer.ticket.context("a tender was answered without the ticket")?;
        ensure!(
            sold.state() == wire::TicketState::Sold,
            "a paid ticket is {:?}, not sold",
            sold.state()
        );
        ensure!(!sold.receipt.is_empty(), "a sold ticket has no receipt number");
        self.drawer += given - minor(answer.change.as_ref());
        {
            let mut figures = self.board.write();
            figures.sales += 1;
            figures.takings += minor(sold.due.as_ref());
        }
        if self.receipts.len() >= REMEMBERED {
            self.receipts.remove(0);
        }
        self.receipts.push(sold.receipt.clone());
        Ok(Some(sold.receipt))
    }

    /// One or two items, without a second thought.
    pub async fn fill_basket(&mut self, pace: Pace) -> Result<wire::TicketView> {
        let lines = self.dice.between(1, 2);
        self.fill(lines, pace).await?.context("the box refused an item it sells")
    }

    /// Cash for all of it; the receipt's number.
    pub async fn pay_in_cash(&mut self, view: &wire::TicketView) -> Result<String> {
        self.pay(view).await?.context("the box refused the money")
    }

    /// Until the next customer comes.
    pub async fn breathe(&mut self, pace: Pace) {
        let pause = self.dice.between(pace.customers.0, pace.customers.1);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }

    /// Jobs and payments that machines on this counter still have to do.
    pub async fn waiting_machines(&mut self) -> Result<u32> {
        let status = self.client.read(&wire::GetStatusRequest {}).await?;
        Ok(status.devices.iter().map(|device| device.waiting).sum())
    }

    /// Counts a place by radio; how many tags were kept.
    pub async fn count_shelf(&mut self, place: &str, tags: u64, within: Duration) -> Result<u64> {
        let kept = self.client.count(place, tags, within).await?;
        let kept = kept.with_context(|| format!("{tags} tags were not read within {} s", within.as_secs()))?;
        Ok(kept.tags)
    }

    async fn take_back(&mut self) -> Result<()> {
        let which = usize::try_from(self.dice.between(0, self.receipts.len() as u64 - 1))?;
        let receipt = self.receipts.swap_remove(which);
        if let Said::Done(answer) = self.say(&make::return_sale(&receipt)).await? {
            let refund = minor(answer.refund.as_ref());
            self.drawer -= refund;
            let mut figures = self.board.write();
            figures.returns += 1;
            figures.takings -= refund;
        }
        Ok(())
    }

    /// What the box says an item costs now.
    pub async fn price(&mut self, code: &str) -> Result<i64> {
        let item = self.client.read(&wire::FindItemRequest { code: code.to_owned() }).await?;
        Ok(minor(item.price.as_ref()))
    }

    /// Sells one piece of one item: the price on its line, and the receipt.
    pub async fn sell_one(&mut self, code: &str) -> Result<(i64, String)> {
        let Said::Done(answer) = self.say(&make::scan(TicketRef::begin(), code, 0)).await? else {
            bail!("the box does not sell {code}");
        };
        let view = answer.ticket.context("a scan was answered without the ticket")?;
        let line = view.lines.last().context("a scan was answered without a line")?;
        let price = minor(line.unit_price.as_ref());
        let receipt = self.pay(&view).await?.context("the box refused the money")?;
        Ok((price, receipt))
    }

    /// Counts the drawer and closes the shift. The box tells what it expected only afterwards.
    pub async fn count_and_close(&mut self) -> Result<Counted> {
        let closed = self.client.command(&make::close_shift(self.drawer, &self.currency)).await?;
        Ok(Counted {
            counted: self.drawer,
            over_short: minor(closed.over_short.as_ref()),
        })
    }

    /// After a refusal the register asks what is open and gives it up, as a person would. With money in it, it is settled.
    async fn clear_up(&mut self) -> Result<()> {
        let tickets = self.client.read(&wire::ListOpenTicketsRequest {}).await?.tickets;
        for view in tickets {
            match view.tenders.is_empty() {
                true => drop(self.say(&make::cancel(TicketRef::of(&view))).await?),
                false => drop(self.say(&make::settle(TicketRef::of(&view))).await?),
            }
        }
        Ok(())
    }

    async fn say<C: Command>(&mut self, command: &C) -> Result<Said<C::Answer>> {
        match self.client.command(command).await {
            Ok(answer) => Ok(Said::Done(answer)),
            Err(Failure::Refused { code, message }) => {
                if matches!(code.as_str(), "command_id_reused" | "not_signed_in" | "session_fenced") {
                    bail!("{} was refused with {code}: {message}", C::CALL);
                }
                Ok(Said::Refused)
            }
            Err(failure) => Err(failure).with_context(|| format!("{} {}", C::CALL, command.command_id())),
        }
    }
}

fn minor(money: Option<&wire::Money>) -> i64 {
    money.map_or(0, |money| money.minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_stay_in_their_range_and_show_every_side() {
        let mut dice = Dice::new();
        let mut seen = [0; 6];
        for _ in 0..2_000 {
            seen[usize::try_from(dice.between(1, 6)).unwrap() - 1] += 1;
        }
        assert!(seen.iter().all(|times| *times > 150), "{seen:?}");
    }
}
