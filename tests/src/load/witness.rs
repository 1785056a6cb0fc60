//! Sees every command of one register: writes the client log and tells the campaign at which moment what was asked and answered.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use installer::client::log::{LogFile, Notes, Outcome};
use jiff::Timestamp;
use tokio::sync::mpsc;
use uuid::Uuid;

/// A moment in the life of a command.
#[derive(Clone, Debug)]
pub struct Event {
    pub register: usize,
    pub call: &'static str,
    pub command_id: Uuid,
    pub at: Instant,
    /// By the wall clock, which the box shares.
    pub time: Timestamp,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It stands in the log and is sent next.
    Asked,
    Acked {
        done: bool,
        attempts: u32,
    },
}

pub struct Witness {
    register: usize,
    log: Option<LogFile>,
    events: Option<mpsc::UnboundedSender<Event>>,
}

impl Witness {
    pub fn new(register: usize, log: Option<PathBuf>, events: Option<mpsc::UnboundedSender<Event>>) -> Result<Self> {
        let open = |path: PathBuf| LogFile::open(&path).with_context(|| format!("could not open the client log {}", path.display()));
        Ok(Self {
            register,
            log: log.map(open).transpose()?,
            events,
        })
    }

    pub fn register(&self) -> usize {
        self.register
    }

    fn tell(&self, call: &'static str, command_id: Uuid, what: What) {
        if let Some(events) = &self.events {
            // A campaign that has ended listens no more.
            let _ = events.send(Event {
                register: self.register,
                call,
                command_id,
                at: Instant::now(),
                time: Timestamp::now(),
                what,
            });
        }
    }
}

impl Notes for Witness {
    fn asked(&mut self, call: &'static str, command_id: Uuid) -> io::Result<()> {
        if let Some(log) = &mut self.log {
            log.asked(call, command_id)?;
        }
        self.tell(call, command_id, What::Asked);
        Ok(())
    }

    fn acked(&mut self, call: &'static str, command_id: Uuid, outcome: &Outcome, attempts: u32) -> io::Result<()> {
        if let Some(log) = &mut self.log {
            log.acked(call, command_id, outcome, attempts)?;
        }
        let done = outcome.refused.is_none();
        self.tell(call, command_id, What::Acked { done, attempts });
        Ok(())
    }
}
