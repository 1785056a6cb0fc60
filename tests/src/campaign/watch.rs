//! The campaign's eyes: every command's life as its register saw it, and the moment something happens.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::timeout_at;
use uuid::Uuid;

use crate::load::witness::{Event, What};

/// One command from the first word to the answer.
#[derive(Clone, Debug)]
pub struct Life {
    pub register: usize,
    pub call: &'static str,
    pub asked: Timestamp,
    /// When it was answered, and at which try.
    pub acked: Option<(Timestamp, u32)>,
}

pub struct Watch {
    events: mpsc::UnboundedReceiver<Event>,
    pub lives: HashMap<Uuid, Life>,
    pub acked: u64,
    /// How long each call usually takes here, as a moving average.
    usual: HashMap<&'static str, Duration>,
}

impl Watch {
    pub fn new() -> (mpsc::UnboundedSender<Event>, Self) {
        let (sender, events) = mpsc::unbounded_channel();
        let watch = Self {
            events,
            lives: HashMap::new(),
            acked: 0,
            usual: HashMap::new(),
        };
        (sender, watch)
    }

    /// The next event that fits; earlier ones are noted and passed over.
    pub async fn wait_for(&mut self, what: &str, within: Duration, mut fits: impl FnMut(&Event) -> bool) -> Result<Event> {
        let until = Instant::now() + within;
        loop {
            let event = match timeout_at(until.into(), self.events.recv()).await {
                Ok(Some(event)) => event,
                Ok(None) => bail!("all registers have gone while waiting for {what}"),
                Err(_) => bail!("no {what} within {within:?}"),
            };
            self.note(&event);
            if fits(&event) {
                return Ok(event);
            }
        }
    }

    /// Notes what goes on for so long.
    pub async fn look_on(&mut self, time: Duration, mut each: impl FnMut(&Event)) {
        let until = Instant::now() + time;
        while let Ok(Some(event)) = timeout_at(until.into(), self.events.recv()).await {
            self.note(&event);
            each(&event);
        }
    }

    /// From the first word to the answer, when nothing comes between.
    pub fn usually_takes(&self, call: &str) -> Duration {
        self.usual.get(call).copied().unwrap_or(Duration::from_millis(2))
    }

    /// Notes everything that has happened so far.
    pub fn catch_up(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.note(&event);
        }
    }

    fn note(&mut self, event: &Event) {
        match event.what {
            What::Asked => {
                self.lives.insert(
                    event.command_id,
                    Life {
                        register: event.register,
                        call: event.call,
                        asked: event.time,
                        acked: None,
                    },
                );
            }
            What::Acked { attempts, .. } => {
                self.acked += 1;
                let Some(life) = self.lives.get_mut(&event.command_id) else {
                    return;
                };
                life.acked = Some((event.time, attempts));
                let took = event.time.duration_since(life.asked);
                if let (1, Ok(took)) = (attempts, Duration::try_from(took)) {
                    let usual = self.usual.entry(event.call).or_insert(took);
                    *usual = (*usual * 7 + took) / 8;
                }
            }
        }
    }
}

/// Whether somebody has sold something.
pub fn is_sale(event: &Event) -> bool {
    matches!(event.what, What::Acked { done: true, .. }) && matches!(event.call, "tender" | "settle")
}
