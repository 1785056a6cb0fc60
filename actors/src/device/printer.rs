//! A receipt printer's worker, and that of the drawer behind it: does what the journal wants done, each thing once.
//!
//! What a job in the hands of the printer comes to is journaled as confirmed, failed or unknown. Before its first byte leaves, its name is
//! written to a file and flushed: after a fall of the box, a job that stands there may have happened and ends as unknown, one that does not
//! is done now. A drawer opens for the customer who is there, at once or not at all; a receipt waits for paper, but not for ever.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use backroom_core::facts::{Does, EffectCause, EffectEnd, EffectEnded, EffectWanted, Fact};
use backroom_core::receipt::{self, Copy, Heading};
use backroom_core::time::Instant;
use backroom_devices::escpos::drawer::{Pin, Pulse};
use backroom_devices::escpos::job_id::JobId;
use backroom_devices::escpos::{Profile, layout};
use backroom_devices::link::printer::{PaperState, PrinterLink, PrinterSettings, PrinterState};
use backroom_devices::link::{Cause, Ended, LinkDown};
use backroom_protocol::payload;

use super::machine::{Hands, Worker};
use super::{DeviceConfig, DeviceState};
use crate::file::FileError;
use crate::journal::writer::committed_from;
use crate::journal::{Append, AppendError};
use crate::shop::Shop;

/// A drawer that opens later than this opens for nobody.
const PULSE_LIVES: Duration = Duration::from_secs(10);
/// The customer of a receipt that could not be printed for so long has gone; it can be printed as a copy.
const PRINT_LIVES: Duration = Duration::from_secs(30 * 60);
const PAUSES: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_millis(700),
    Duration::from_millis(1500),
];
/// Milliseconds of current a drawer's coil likes.
const PULSE_ON: u16 = 100;
const PULSE_OFF: u16 = 400;

#[derive(Clone)]
pub struct Settings {
    pub config: DeviceConfig,
    pub shop: Shop,
    /// Where the name of the job in hand is kept.
    pub folder: PathBuf,
}

pub fn worker(settings: Settings) -> Worker {
    Arc::new(move |hands| {
        let mut desk = Desk {
            in_hand: settings.folder.join(format!("{}.begun", settings.config.name)),
            settings: settings.clone(),
            link: None,
            hands,
            tries: 0,
        };
        Box::pin(async move { desk.work().await })
    })
}

struct Desk {
    settings: Settings,
    in_hand: PathBuf,
    link: Option<PrinterLink>,
    hands: Hands,
    tries: usize,
}

struct Job {
    wanted: EffectWanted,
    at: Instant,
    /// Where it stands in the journal: what the printer is told as the job's name.
    number: u64,
}

impl Desk {
    async fn work(&mut self) {
        if let Err(error) = self.end_what_was_in_hand().await {
            tracing::error!(%error, "a printer's last job could not be looked at");
        }
        while !self.hands.stopping() {
            match self.jobs().await {
                Ok(jobs) if jobs.is_empty() => self.watch().await,
                Ok(jobs) => self.take_one(jobs).await,
                Err(error) => {
                    tracing::error!(%error, "a printer's jobs could not be read");
                    self.pause().await;
                }
            }
        }
    }

    async fn jobs(&self) -> Result<Vec<Job>, FileError> {
        let name = self.settings.config.name;
        let open = self.settings.shop.reader.open_jobs(name).await?;
        self.settings.shop.board.set_waiting(name, open.len());
        let mut jobs = Vec::with_capacity(open.len());
        for job in open {
            let fact = payload::fact(&job.wanted).map_err(|error| FileError::Content(error.to_string()))?;
            let Some(Fact::EffectWanted(wanted)) = fact else {
                return Err(FileError::Content("a printer's job is no effect; run `store-server prove`".into()));
            };
            let (epoch, seq) = job.wanted.position();
            jobs.push(Job {
                wanted,
                at: job.wanted.header.at,
                // Distinct for any epochs and entries a printer sees within a roll of paper.
                number: u64::from(epoch.0) * 5_000_011 + seq.0,
            });
        }
        Ok(jobs)
    }

    /// The box fell with a job in the printer's hands: nobody knows what came of it.
    async fn end_what_was_in_hand(&self) -> Result<(), FileError> {
        let Ok(effect) = std::fs::read_to_string(&self.in_hand) else {
            return Ok(());
        };
        let open = self.jobs().await?.into_iter().any(|job| job.wanted.effect == effect);
        if open {
            let why = "the box fell while the printer was busy with it";
            self.end(&effect, EffectEnd::Unknown, Some(EffectCause::Box), why).await;
        }
        Ok(())
    }

    /// Nothing to do: keeps an eye on the printer.
    async fn watch(&mut self) {
        if self.link.is_none() && !self.connect().await {
            let hands = self.hands.clone();
            tokio::select! {
                () = self.pause() => {}
                () = hands.work() => {}
            }
            return;
        }
        let Some(link) = &mut self.link else { return };
        let seen = tokio::select! {
            () = self.hands.work() => return,
            () = self.hands.stopped() => return,
            seen = link.changed() => seen,
        };
        match seen {
            Ok(state) => self.show(&state),
            Err(down) => self.lost(&down),
        }
    }

    /// The drawer first: the cashier waits for it.
    async fn take_one(&mut self, mut jobs: Vec<Job>) {
        let pulse = jobs.iter().position(|job| job.wanted.does == Does::Pulse);
        let job = jobs.swap_remove(pulse.unwrap_or(0));
        let now = self.settings.shop.clock.now();
        let age = Duration::from_micros(u64::try_from(now.as_micros() - job.at.as_micros()).unwrap_or(0));
        let (lives, too_late) = match job.wanted.does {
            Does::Pulse => (PULSE_LIVES, "the drawer could not be opened in time; open it with its key"),
            Does::Print => (
                PRINT_LIVES,
                "it could not be printed in time; print it as a copy if it is still wanted",
            ),
        };
        if age > lives {
            return self.end(&job.wanted.effect, EffectEnd::Failed, None, too_late).await;
        }
        let bytes = match self.bytes(&job.wanted).await {
            Ok(bytes) => bytes,
            Err(why) => return self.end(&job.wanted.effect, EffectEnd::Failed, None, &why).await,
        };
        if self.link.is_none() && !self.connect().await {
            return self.pause().await;
        }
        if let Err(error) = put_in_hand(&self.in_hand, &job.wanted.effect) {
            tracing::error!(%error, "a printer's job could not be noted and is not begun");
            return self.pause().await;
        }
        let Some(link) = &mut self.link else { return };
        let ended = link.perform(JobId::from_number(job.number), &bytes).await;
        let effect = &job.wanted.effect;
        match ended {
            Ended::Confirmed => {
                self.tries = 0;
                self.end(effect, EffectEnd::Confirmed, None, "").await;
                if let Some(state) = self.link.as_ref().map(|link| *link.states().borrow()) {
                    self.show(&state);
                }
            }
            Ended::Unknown { cause, why } => {
                let cause = match cause {
                    Cause::Device => EffectCause::Device,
                    Cause::Link => EffectCause::Link,
                };
                self.link = None;
                self.set(DeviceState::Away, &why);
                self.end(effect, EffectEnd::Unknown, Some(cause), &why).await;
            }
            // Nothing happened: it stays wanted until its time is over.
            Ended::Failed { why } => {
                let state = self.link.as_ref().map(|link| *link.states().borrow());
                match state.filter(|state| state.trouble().is_some()) {
                    Some(state) => self.show(&state),
                    None => self.lost(&LinkDown::new(why)),
                }
                let _ = std::fs::remove_file(&self.in_hand); // A name that stays only makes a later fall more careful.
                self.pause().await;
            }
        }
    }

    async fn bytes(&self, wanted: &EffectWanted) -> Result<Vec<u8>, String> {
        if wanted.does == Does::Pulse {
            let pulse = Pulse::new(Pin::Two, PULSE_ON, PULSE_OFF).map_err(|error| error.to_string())?;
            return Ok(pulse.to_bytes().to_vec());
        }
        let shop = &self.settings.shop;
        let receipt = wanted.receipt.ok_or("there is no receipt to print")?;
        let entry = shop.reader.by_receipt(receipt).await.map_err(|error| error.to_string())?;
        let entry = entry.ok_or_else(|| format!("receipt {receipt} is not in the journal"))?;
        let committed = committed_from(&entry).map_err(|error| error.to_string())?;
        let Fact::TicketClosed(ticket) = &*committed.fact else {
            return Err(format!("receipt {receipt} is no ticket"));
        };
        let heading = Heading {
            shop: &shop.policy.name,
            calendar: &shop.policy.calendar,
        };
        let copy = if wanted.copy { Copy::Copy } else { Copy::Original };
        let document = receipt::of_ticket(ticket, committed.at, copy, &heading);
        let job = layout::lay_out(&document, &Profile::default());
        if !job.replaced.is_empty() {
            tracing::warn!(printer = %self.settings.config.name, characters = ?job.replaced, "characters this printer does not know were printed as ?");
        }
        Ok(job.bytes)
    }

    async fn connect(&mut self) -> bool {
        match PrinterLink::connect(&self.settings.config.address, PrinterSettings::default()).await {
            Ok(link) => {
                let state = *link.states().borrow();
                self.link = Some(link);
                self.tries = 0;
                self.show(&state);
                true
            }
            Err(down) => {
                self.lost(&down);
                false
            }
        }
    }

    fn lost(&mut self, down: &LinkDown) {
        self.link = None;
        self.set(DeviceState::Away, &down.why);
    }

    fn show(&self, state: &PrinterState) {
        match state.trouble() {
            Some(trouble) => self.set(DeviceState::Trouble, trouble),
            None if state.drawer_open == Some(true) => self.set(DeviceState::Attention, "the drawer is open"),
            None if state.paper == PaperState::Low => self.set(DeviceState::Attention, "paper is low; have a roll at hand"),
            None => self.set(DeviceState::Ready, "ready"),
        }
    }

    fn set(&self, state: DeviceState, words: &str) {
        self.settings.shop.board.set(self.settings.config.name, state, words);
    }

    /// How a job ended, in the journal; tried until it stands there, because nothing else may be begun before.
    async fn end(&self, effect: &str, end: EffectEnd, cause: Option<EffectCause>, why: &str) {
        let ended = EffectEnded {
            effect: effect.to_owned(),
            end,
            cause,
            why: why.to_owned(),
        };
        loop {
            let append = Append {
                ends: Some(effect.to_owned()),
                ..Append::by_the_box(Fact::EffectEnded(ended.clone()))
            };
            match self.settings.shop.journal.append(append).await {
                Ok(_) | Err(AppendError::JobEnded) => return,
                // The name is still in the file: the next start says "unknown", which is true.
                Err(error) if self.hands.stopping() => return tracing::warn!(%error, effect, "how a job ended could not be written"),
                Err(_) => tokio::time::sleep(PAUSES[0]).await,
            }
        }
    }

    async fn pause(&mut self) {
        let pause = PAUSES[self.tries.min(PAUSES.len() - 1)];
        self.tries += 1;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.hands.stopped() => {}
        }
    }
}

/// Survives a power cut before the printer hears of the job.
fn put_in_hand(file: &Path, effect: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::File::create(file)?;
    file.write_all(effect.as_bytes())?;
    file.sync_data()
}
