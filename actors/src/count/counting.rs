//! The handle of everyone who counts: people by their pages, readers by their tags. Holds nothing that must not be lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use backroom_core::ids::{CommandId, DeviceId};
use tokio::sync::watch;

use super::state::Reading;
use super::{CountError, Keep, Look, Message, PlaceLine, Start};
use crate::door::{AskError, Door};
use crate::journal::Committed;

const PATIENCE: Duration = Duration::from_secs(20);

/// What a reader does right now, for screens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReaderNow {
    /// Those that are connected.
    pub antennas: BTreeSet<u16>,
    pub reading: bool,
}

/// The handle of everyone who counts: people by their pages, readers by their tags.
#[derive(Clone)]
pub struct Counting {
    pub(super) door: Arc<Door<Message>>,
    pub(super) wanted: Arc<watch::Sender<BTreeSet<DeviceId>>>,
    readers: Arc<watch::Sender<BTreeMap<DeviceId, ReaderNow>>>,
}

impl Default for Counting {
    fn default() -> Self {
        Self {
            door: Door::new("the counts", 256),
            wanted: Arc::new(watch::Sender::new(BTreeSet::new())),
            readers: Arc::new(watch::Sender::new(BTreeMap::new())),
        }
    }
}

impl Counting {
    pub async fn start(&self, start: Start) -> Result<CommandId, CountError> {
        self.door.ask(|reply| Message::Start { start, reply }, PATIENCE).await?
    }

    pub async fn pause(&self, count: CommandId) -> Result<(), CountError> {
        self.door.ask(|reply| Message::Pause { count, reply }, PATIENCE).await?
    }

    pub async fn keep(&self, keep: Keep) -> Result<Committed, CountError> {
        self.door.ask(|reply| Message::Keep { keep, reply }, PATIENCE).await?
    }

    pub async fn drop(&self, count: CommandId) -> Result<(), CountError> {
        self.door.ask(|reply| Message::Drop { count, reply }, PATIENCE).await?
    }

    pub async fn look(&self, count: CommandId) -> Result<Look, CountError> {
        self.door.ask(|reply| Message::Look { count, reply }, PATIENCE).await?
    }

    /// The last one that was kept comes first.
    pub async fn places(&self) -> Result<Vec<PlaceLine>, AskError> {
        self.door.ask(|reply| Message::Places { reply }, PATIENCE).await
    }

    /// What a reader saw; an error means that it may not have been counted.
    pub async fn saw(&self, reader: DeviceId, tags: Vec<Reading>) -> Result<(), AskError> {
        self.door.ask(|reply| Message::Read { reader, tags, reply }, PATIENCE).await
    }

    /// Which readers shall read.
    pub fn wanted(&self) -> watch::Receiver<BTreeSet<DeviceId>> {
        self.wanted.subscribe()
    }

    pub fn reader(&self, reader: DeviceId) -> ReaderNow {
        self.readers.borrow().get(&reader).cloned().unwrap_or_default()
    }

    pub fn reader_is(&self, reader: DeviceId, now: ReaderNow) {
        self.readers
            .send_if_modified(|readers| readers.insert(reader, now.clone()).as_ref() != Some(&now));
    }
}
