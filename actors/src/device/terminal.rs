//! A payment terminal's worker: one card wish after the other, from the journal's wish to an end the journal knows.
//!
//! The terminal's last payment is asked for and journaled before it is asked for money, so that afterwards its memory alone tells what
//! became of a payment nobody saw the end of. While that is not known, nothing else is asked of it and nothing is sent twice. Money no
//! ticket needs any more is given back, once; what can not be given back becomes a `FoundCapture`.

use std::sync::Arc;
use std::time::Duration;

use backroom_core::facts::{CardAsked, CardBegun, CardEnd, CardEnded, Fact, FoundCapture};
use backroom_core::journal::Entry;
use backroom_core::money::Money;
use backroom_core::time::Instant;
use backroom_devices::link::LinkDown;
use backroom_devices::link::terminal::{
    Approval, Last, OpenAttempt, Outcome, Progress, Resolved, TerminalLink, TerminalSettings, attempt_name, resolve, resolve_reversal,
};
use backroom_protocol::payload;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::machine::{Hands, Worker};
use super::{DeviceConfig, DeviceState};
use crate::door::AskError;
use crate::file::FileError;
use crate::journal::{Append, AppendError};
use crate::register::{CardPaid, Message};
use crate::shop::Shop;
use crate::store::Registers;

/// A customer does not wait longer than this for a terminal that can not be reached.
const REACH_WITHIN: Duration = Duration::from_secs(15);
/// A wish the box slept over is not sprung on a customer who may have left.
const WISH_LIVES: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_secs(5);
const ASK_REGISTER: Duration = Duration::from_secs(10);
const PAUSES: [Duration; 5] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

#[derive(Clone)]
pub struct Settings {
    pub config: DeviceConfig,
    pub terminal: TerminalSettings,
    pub shop: Shop,
    pub registers: Registers,
}

pub fn worker(settings: Settings) -> Worker {
    Arc::new(move |hands| {
        let mut desk = Desk {
            settings: settings.clone(),
            link: None,
            hands,
        };
        Box::pin(async move { desk.work().await })
    })
}

struct Desk {
    settings: Settings,
    link: Option<TerminalLink>,
    hands: Hands,
}

/// A wish, and what the terminal's memory was before it was asked.
struct Wish {
    asked: CardAsked,
    at: Instant,
    begun: Option<(CardBegun, Instant)>,
}

impl Desk {
    async fn work(&mut self) {
        while !self.hands.stopping() {
            match self.next().await {
                Ok(Some(wish)) => self.carry_out(wish).await,
                Ok(None) => self.wait().await,
                Err(error) => {
                    tracing::error!(%error, "a terminal's wishes could not be read");
                    self.pause(2).await;
                }
            }
        }
    }

    async fn next(&self) -> Result<Option<Wish>, FileError> {
        let jobs = self.settings.shop.reader.open_jobs(self.settings.config.name).await?;
        self.settings.shop.board.set_waiting(self.settings.config.name, jobs.len());
        let Some(job) = jobs.into_iter().next() else { return Ok(None) };
        let Fact::CardAsked(asked) = read(&job.wanted)? else {
            return Err(FileError::Content(
                "a terminal's job is no card wish; run `store-server prove`".into(),
            ));
        };
        let begun = match &job.begun {
            Some(entry) => match read(entry)? {
                Fact::CardBegun(begun) => Some((begun, entry.header.at)),
                _ => return Err(FileError::Content("a card wish was begun by another kind of fact".into())),
            },
            None => None,
        };
        Ok(Some(Wish {
            asked,
            at: job.wanted.header.at,
            begun,
        }))
    }

    /// Until there is work; looks after the terminal meanwhile.
    async fn wait(&mut self) {
        if self.link.is_none() {
            match self.connect().await {
                Ok(()) => {}
                Err(down) => self.away(&down),
            }
        }
        tokio::select! {
            () = self.hands.work() => {}
            () = self.hands.stopped() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {
                if let Some(link) = &mut self.link
                    && let Err(down) = link.enquire().await
                {
                    self.link = None;
                    self.away(&down);
                }
            }
        }
    }

    async fn connect(&mut self) -> Result<(), LinkDown> {
        self.link = Some(TerminalLink::connect(&self.settings.terminal).await?);
        self.set(DeviceState::Ready, "ready for a card");
        Ok(())
    }

    /// A link that is up, made anew when it is not.
    async fn link(&mut self) -> Result<&mut TerminalLink, LinkDown> {
        if !self.link.as_ref().is_some_and(TerminalLink::is_up) {
            self.connect().await?;
        }
        self.link.as_mut().ok_or_else(|| LinkDown::new("the terminal went away"))
    }

    async fn last(&mut self) -> Result<Option<Last>, LinkDown> {
        let last = self.link().await?.last().await;
        if last.is_err() {
            self.link = None;
        }
        last
    }

    async fn carry_out(&mut self, wish: Wish) {
        let Wish { asked, at, begun } = wish;
        self.hands.forget_given_up();
        if let Some((begun, at)) = begun {
            return self.find_out(&asked, &begun, at).await;
        }
        let now = self.settings.shop.clock.now();
        let age = Duration::from_micros(u64::try_from(now.as_micros() - at.as_micros()).unwrap_or(0));
        if age > WISH_LIVES {
            let why = "the box was away while the customer waited; nothing was charged, ask the card again";
            return self.end(&asked, CardEnd::NotPaid, None, why).await;
        }
        self.say(&asked, false, "reaching the terminal");
        let last = match self.reach(&asked).await {
            Ok(last) => last,
            Err(why) => return self.end(&asked, CardEnd::NotPaid, None, &why).await,
        };
        let begun = CardBegun {
            ask: asked.ask,
            terminal: asked.terminal,
            last_trace: last.as_ref().map(|last| last.trace),
            last_receipt: last.as_ref().map(|last| u32::from(last.receipt)),
        };
        let append = Append {
            ends: Some(asked.ask.to_string()),
            ..Append::by_the_box(Fact::CardBegun(begun.clone()))
        };
        // Without this in the journal not a byte of the payment leaves. When the answer is lost, the next look finds it there.
        let Ok(committed) = self.settings.shop.journal.append(append).await else {
            return self.pause(1).await;
        };
        match self.authorize(&asked).await {
            Outcome::Approved(approval) => self.paid(&asked, approval).await,
            Outcome::Declined { why, .. } => self.end(&asked, CardEnd::Declined, None, &why).await,
            Outcome::NotSent { why } => {
                self.link = None;
                self.end(&asked, CardEnd::NotPaid, None, &why).await;
            }
            Outcome::Unknown { why, .. } => {
                tracing::warn!(terminal = %asked.terminal, %why, "the end of a card payment was not seen");
                self.find_out(&asked, &begun, committed.at).await;
            }
        }
    }

    /// The terminal's last payment, asked for before this one; or why it can not be asked for money now.
    async fn reach(&mut self, asked: &CardAsked) -> Result<Option<Last>, String> {
        let deadline = tokio::time::Instant::now() + REACH_WITHIN;
        let mut tries = 0;
        let hands = self.hands.clone();
        loop {
            let down = tokio::select! {
                last = self.last() => match last {
                    Ok(last) => return Ok(last),
                    Err(down) => down,
                },
                () = hands.given_up(asked.ticket) => {
                    self.link = None;
                    return Err("given up before the terminal was asked".into());
                }
            };
            self.away(&down);
            if tokio::time::Instant::now() > deadline || self.hands.stopping() {
                return Err(format!("{down}; nothing was charged"));
            }
            self.pause(tries).await;
            tries += 1;
        }
    }

    async fn authorize(&mut self, asked: &CardAsked) -> Outcome {
        let (progress, mut said) = mpsc::channel(16);
        let abort = CancellationToken::new();
        let cards = self.settings.shop.cards.clone();
        let hands = self.hands.clone();
        self.set(DeviceState::Ready, "busy with a payment");
        let ticket = asked.ticket;
        self.say(asked, false, "asking the terminal");
        let link = match self.link().await {
            Ok(link) => link,
            Err(down) => return Outcome::NotSent { why: down.why },
        };
        let mut paying = std::pin::pin!(link.authorize(asked.amount.0, progress, abort.clone()));
        loop {
            tokio::select! {
                outcome = &mut paying => return outcome,
                Some(Progress::Words(words)) = said.recv() => cards.say(ticket, false, words),
                () = hands.given_up(ticket), if !abort.is_cancelled() => {
                    cards.say(ticket, false, "asking the terminal to give up");
                    abort.cancel();
                }
            }
        }
    }

    /// The end of a payment was not seen: the terminal is asked until it says what became of it.
    async fn find_out(&mut self, asked: &CardAsked, begun: &CardBegun, at: Instant) {
        let open = OpenAttempt {
            amount_minor: asked.amount.0,
            trace_before: begun.last_trace,
            receipt_before: begun.last_receipt.and_then(|receipt| u16::try_from(receipt).ok()),
            started_at: timestamp(at),
        };
        self.tell_unknown(asked, true);
        self.say(asked, true, "asking the terminal what became of the payment");
        let mut tries = 0;
        while !self.hands.stopping() {
            match self.last().await {
                Ok(last) => match resolve(&open, last.as_ref()) {
                    Resolved::Paid(approval) => {
                        self.tell_unknown(asked, false);
                        return self.paid(asked, approval).await;
                    }
                    Resolved::NotPaid { why } => return self.end(asked, CardEnd::NotPaid, None, &why).await,
                    Resolved::StillUnknown { why } => {
                        self.set(DeviceState::Trouble, &why);
                        self.say(asked, true, &why);
                    }
                },
                Err(down) => {
                    self.away(&down);
                    self.say(
                        asked,
                        true,
                        "the terminal can not be reached; it is asked again what became of the payment",
                    );
                }
            }
            self.pause(tries).await;
            tries += 1;
        }
    }

    /// The money moved. The ticket takes it, or it goes back.
    async fn paid(&mut self, asked: &CardAsked, approval: Approval) {
        let attempt = attempt_name(asked.terminal.as_str(), approval.trace);
        let mut tries = 0;
        while !self.hands.stopping() {
            let paid = CardPaid {
                ticket: asked.ticket,
                ask: asked.ask,
                attempt: attempt.clone(),
                amount: Money(approval.amount_minor),
            };
            let door = self
                .settings
                .registers
                .lock()
                .ok()
                .and_then(|doors| doors.get(&asked.register).cloned());
            let taken = match door {
                Some(door) => door.ask(|reply| Message::CardPaid { paid, reply }, ASK_REGISTER).await,
                // Its actor is not up yet; an enrolled register always comes.
                None => Err(AskError::Away { name: "the register" }),
            };
            match taken {
                Ok(Ok(true)) => {
                    self.settings.shop.cards.over(asked.ticket);
                    return self.set(DeviceState::Ready, "ready for a card");
                }
                Ok(Ok(false)) => return self.give_back(asked, &approval, attempt).await,
                Ok(Err(error)) => tracing::warn!(%error, attempt, "a register could not take a card payment yet"),
                Err(error) => tracing::warn!(%error, attempt, "a register could not take a card payment yet"),
            }
            self.pause(tries).await;
            tries += 1;
        }
    }

    async fn give_back(&mut self, asked: &CardAsked, approval: &Approval, attempt: String) {
        tracing::warn!(attempt, "a card paid for a ticket that no longer needs it; it is given back");
        let open = OpenAttempt {
            amount_minor: approval.amount_minor,
            trace_before: Some(approval.trace),
            receipt_before: Some(approval.receipt),
            started_at: timestamp(self.settings.shop.clock.now()),
        };
        let outcome = match self.link().await {
            Ok(link) => link.reverse(approval.receipt).await,
            Err(down) => Outcome::NotSent { why: down.why },
        };
        let mut known = match outcome {
            Outcome::Approved(_) => Some(Ok(())),
            Outcome::Declined { why, .. } => Some(Err(why)),
            // It may be tried again: the wish is still open, and is looked at from the beginning.
            Outcome::NotSent { .. } => return self.pause(1).await,
            Outcome::Unknown { .. } => None,
        };
        let mut tries = 0;
        while known.is_none() && !self.hands.stopping() {
            known = match self.last().await {
                Ok(last) => match resolve_reversal(&open, approval.trace, last.as_ref()) {
                    Resolved::Paid(_) => Some(Ok(())),
                    Resolved::NotPaid { why } => Some(Err(why)),
                    Resolved::StillUnknown { .. } => None,
                },
                Err(_) => None,
            };
            self.pause(tries).await;
            tries += 1;
        }
        match known {
            Some(Ok(())) => {
                let why = "paid after the ticket no longer needed it; given back to the card";
                self.end(asked, CardEnd::Reversed, Some(attempt), why).await;
            }
            Some(Err(why)) => {
                let why = format!("paid after the ticket no longer needed it, and the terminal would not give it back: {why}");
                self.end(asked, CardEnd::Found, Some(attempt), &why).await;
            }
            None => {}
        }
    }

    /// The wish ended without money for the ticket: in the journal, then at the register.
    async fn end(&mut self, asked: &CardAsked, end: CardEnd, attempt: Option<String>, why: &str) {
        let found = attempt.clone().filter(|_| end == CardEnd::Found).map(|attempt| {
            Fact::FoundCapture(FoundCapture {
                ask: asked.ask,
                terminal: asked.terminal,
                attempt,
                amount: asked.amount,
            })
        });
        let ended = CardEnded {
            ask: asked.ask,
            ticket: asked.ticket,
            terminal: asked.terminal,
            end,
            attempt,
            why: why.to_owned(),
        };
        let mut tries = 0;
        loop {
            let append = Append {
                device: Some(asked.register),
                ends: Some(asked.ask.to_string()),
                with: found.iter().cloned().collect(),
                ..Append::by_the_box(Fact::CardEnded(ended.clone()))
            };
            match self.settings.shop.journal.append(append).await {
                Ok(_) | Err(AppendError::JobEnded) => break,
                Err(error) if self.hands.stopping() => return tracing::warn!(%error, "a card payment's end waits for the next start"),
                Err(_) => {}
            }
            self.pause(tries).await;
            tries += 1;
        }
        self.settings.shop.cards.over(asked.ticket);
        self.tell(
            asked,
            Message::CardEnded {
                ticket: asked.ticket,
                ask: asked.ask,
                why: why.to_owned(),
            },
        );
        if self.link.as_ref().is_some_and(TerminalLink::is_up) {
            self.set(DeviceState::Ready, "ready for a card");
        }
    }

    fn tell_unknown(&self, asked: &CardAsked, unknown: bool) {
        self.tell(
            asked,
            Message::CardUnknown {
                ticket: asked.ticket,
                ask: asked.ask,
                unknown,
            },
        );
    }

    /// A register that is away reads it in the journal when it is back.
    fn tell(&self, asked: &CardAsked, message: Message) {
        let door = self
            .settings
            .registers
            .lock()
            .ok()
            .and_then(|doors| doors.get(&asked.register).cloned());
        if let Some(door) = door {
            door.tell(message);
        }
    }

    fn say(&self, asked: &CardAsked, unknown: bool, words: &str) {
        self.settings.shop.cards.say(asked.ticket, unknown, words);
    }

    fn away(&self, down: &LinkDown) {
        self.set(DeviceState::Away, &down.why);
    }

    fn set(&self, state: DeviceState, words: &str) {
        self.settings.shop.board.set(self.settings.config.name, state, words);
    }

    async fn pause(&self, tries: usize) {
        let pause = PAUSES[tries.min(PAUSES.len() - 1)];
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.hands.stopped() => {}
        }
    }
}

fn timestamp(at: Instant) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default()
}

fn read(entry: &Entry) -> Result<Fact, FileError> {
    let fact = payload::fact(entry).map_err(|error| FileError::Content(format!("entry {}: {error}", entry.header.seq)))?;
    fact.ok_or_else(|| FileError::Content(format!("entry {} is of a newer kind", entry.header.seq)))
}
