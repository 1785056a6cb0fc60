//! Counting places with RFID readers: the open counts, what readers see for them, and what the next count is compared with.
//!
//! Owns the file of counts and says which readers shall read. Moves no stock: what was counted is a fact of its own. New tags are in the file
//! within a second, so that a count goes on after a fall; a tag that was not yet there is read again, for readers repeat themselves.

mod counting;
mod keeping;
mod sold;
pub mod state;
pub mod tags;

pub use counting::{Counting, ReaderNow};

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use backroom_core::ids::{CommandId, DeviceId, RegisterId, StaffId};
use backroom_core::time::Instant;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use crate::device::DeviceKind;
use crate::door::{AskError, Door};
use crate::file::FileError;
use crate::journal::{AppendError, BodyHash, Committed};
use crate::shop::Shop;
use crate::stock;
use crate::supervisor::Child;
use sold::Sold;
use state::{Count, Kept, Place, Reading, Stage, View};
use tags::{Ended, Saved, Tags};

/// How often new tags are written to the file, and the journal is looked at for what was sold.
const TICK: Duration = Duration::from_secs(1);
/// Open counts; people walk through a shop with a few readers.
const MOST_OPEN: usize = 32;

/// Begins a count of a place, or goes on with the one that is open there.
#[derive(Clone, Debug)]
pub struct Start {
    pub id: CommandId,
    pub body: BodyHash,
    pub place: Place,
    /// None means all of the store.
    pub readers: BTreeSet<DeviceId>,
}

/// Keeps what was counted.
#[derive(Clone, Debug)]
pub struct Keep {
    pub id: CommandId,
    pub body: BodyHash,
    pub count: CommandId,
    pub staff: StaffId,
    pub register: RegisterId,
}

/// Why a count does not do what somebody wants.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    #[error("this store has no RFID reader; name one in the box's devices")]
    NoReader,
    #[error("there is no RFID reader {reader} in this store; choose one of the list")]
    UnknownReader { reader: DeviceId },
    #[error("reader {reader} is counting {place}; pause that count first")]
    ReaderBusy { reader: DeviceId, place: Place },
    #[error("{MOST_OPEN} counts are open; keep or drop one first")]
    TooMany,
    #[error("this count is not known; start a new one")]
    Unknown,
    #[error("the count of {place} was already {how}; start a new one", how = if *ended == Ended::Kept { "kept" } else { "dropped" })]
    Ended { place: Place, ended: Ended },
    #[error("the count of {place} is being kept; wait a moment")]
    BeingKept { place: Place },
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("the box could not read or write its files; ask again with the same command to learn what happened")]
    File(#[from] FileError),
}

impl CountError {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            CountError::NoReader => "no_reader",
            CountError::UnknownReader { .. } => "unknown_reader",
            CountError::ReaderBusy { .. } => "reader_busy",
            CountError::TooMany => "too_many_counts",
            CountError::Unknown => "unknown_count",
            CountError::Ended { .. } => "count_ended",
            CountError::BeingKept { .. } => "busy",
            CountError::Append(_) | CountError::Ask(_) | CountError::File(_) => "unknown_outcome",
        }
    }
}

/// A count as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    Open(Box<View>),
    Ended { ended: Ended, place: Place },
}

/// A place that was counted, or is being counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceLine {
    pub place: Place,
    pub last_kept: Option<Instant>,
    /// How many tags were read then.
    pub tags: u64,
    pub open: Option<CommandId>,
}

#[derive(Debug)]
pub enum Message {
    Start {
        start: Start,
        reply: RpcReplyPort<Result<CommandId, CountError>>,
    },
    Pause {
        count: CommandId,
        reply: RpcReplyPort<Result<(), CountError>>,
    },
    Keep {
        keep: Keep,
        reply: RpcReplyPort<Result<Committed, CountError>>,
    },
    Drop {
        count: CommandId,
        reply: RpcReplyPort<Result<(), CountError>>,
    },
    Look {
        count: CommandId,
        reply: RpcReplyPort<Result<Look, CountError>>,
    },
    Places {
        reply: RpcReplyPort<Vec<PlaceLine>>,
    },
    /// A reader saw tags. Answered when they are counted; said twice, they count once.
    Read {
        reader: DeviceId,
        tags: Vec<Reading>,
        reply: RpcReplyPort<()>,
    },
    Tick,
    Strike,
}

/// What the actor needs.
#[derive(Clone)]
pub struct Settings {
    pub shop: Shop,
    pub file: PathBuf,
    pub stock: Arc<Door<stock::Message>>,
    pub counting: Counting,
}

/// How the root keeps the counts alive.
pub fn child(settings: Settings) -> Child {
    let door = settings.counting.door.clone();
    door.child("counts", || Message::Strike, move || (Counts, settings.clone()))
}

/// The actor.
pub struct Counts;

pub struct State {
    settings: Settings,
    file: Tags,
    open: BTreeMap<CommandId, Count>,
    /// The command that shall keep a count, while nobody knows yet whether it did.
    keeping: BTreeMap<CommandId, CommandId>,
    kept: BTreeMap<Place, Arc<Kept>>,
    sold: Sold,
}

impl Actor for Counts {
    type Msg = Message;
    type State = State;
    type Arguments = Settings;

    async fn pre_start(&self, me: ActorRef<Message>, settings: Settings) -> Result<State, ActorProcessingErr> {
        let state = State::open(settings).await?;
        state.settings.counting.door.opened_by(me.clone());
        me.send_message(Message::Tick)?;
        me.send_interval(TICK, || Message::Tick);
        Ok(state)
    }

    async fn handle(&self, _me: ActorRef<Message>, message: Message, state: &mut State) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Start { start, reply } => answer(reply, state.start(start).await),
            Message::Pause { count, reply } => answer(reply, state.pause(count).await),
            Message::Keep { keep, reply } => answer(reply, state.keep(keep).await),
            Message::Drop { count, reply } => answer(reply, state.drop(count).await),
            Message::Look { count, reply } => answer(reply, state.look(count).await),
            Message::Places { reply } => {
                drop(reply.send(state.places())); // The asker may have left.
                Ok(())
            }
            Message::Read { reader, tags, reply } => {
                state.read(reader, tags);
                drop(reply.send(()));
                Ok(())
            }
            Message::Tick => Ok(state.tick().await?),
            Message::Strike => panic!("struck down on purpose"),
        }
    }
}

/// A file that failed is opened anew, and what is in it read again.
fn answer<T>(reply: RpcReplyPort<Result<T, CountError>>, outcome: Result<T, CountError>) -> Result<(), ActorProcessingErr> {
    let fault = match &outcome {
        Err(CountError::File(error)) => Some(error.to_string()),
        _ => None,
    };
    drop(reply.send(outcome)); // The asker may have left.
    fault.map_or(Ok(()), |fault| Err(fault.into()))
}

impl State {
    async fn open(settings: Settings) -> Result<State, FileError> {
        let shop = &settings.shop;
        let (head, now) = (shop.journal.head(), shop.clock.now());
        let mut file = Tags::open(&settings.file, (head.epoch, head.seq), now).await?;
        let catalog = shop.catalog.borrow().clone();
        let mut kept = BTreeMap::new();
        for row in file.all_kept().await? {
            let tags = file.tags_of(row.count).await?.into_iter().map(|saved| saved.tag).collect();
            kept.insert(row.place, Arc::new(Kept::new(row.count, row.at, row.position, tags, &catalog)));
        }
        let (mut open, mut keeping) = (BTreeMap::new(), BTreeMap::new());
        for saved in file.open_counts().await? {
            let before = kept.get(&saved.place).cloned();
            let mut count = Count::new(saved.id, saved.place, saved.readers, saved.started_at, before);
            (count.stage, count.reads) = (saved.stage, saved.reads);
            for tag in file.tags_of(saved.id).await? {
                count.restore(tag.tag, tag.antenna, tag.rssi_dbm, tag.at, &catalog);
            }
            if let Some(command) = saved.keep_command {
                keeping.insert(saved.id, command);
            }
            open.insert(saved.id, count);
        }
        let sold = Sold::open(&mut file).await?;
        let state = State {
            settings,
            file,
            open,
            keeping,
            kept,
            sold,
        };
        state.want();
        Ok(state)
    }

    /// Tells the readers which of them shall read.
    fn want(&self) {
        let reading = self.open.values().filter(|count| count.stage == Stage::Reading);
        let wanted: BTreeSet<DeviceId> = reading.flat_map(|count| count.readers.iter().copied()).collect();
        self.settings.counting.wanted.send_if_modified(|known| {
            let changed = *known != wanted;
            *known = wanted;
            changed
        });
    }

    async fn start(&mut self, start: Start) -> Result<CommandId, CountError> {
        if let Some((body, count)) = self.file.started(start.id).await? {
            return if body == start.body {
                Ok(count)
            } else {
                Err(AppendError::CommandReused.into())
            };
        }
        if self.settings.shop.said_before(start.id, start.body).await?.is_some() {
            return Err(AppendError::CommandReused.into());
        }
        let readers = self.readers(start.readers)?;
        self.free(&readers, &start.place)?;
        self.resolve().await?;
        let here = self.open.values().find(|count| count.place == start.place);
        if let Some(count) = here
            && count.stage == Stage::Keeping
        {
            return Err(CountError::BeingKept { place: start.place });
        }
        if here.is_none() && self.open.len() >= MOST_OPEN {
            return Err(CountError::TooMany);
        }
        let now = self.settings.shop.clock.now();
        let saved = Saved {
            id: here.map_or(start.id, |count| count.id),
            place: start.place.clone(),
            stage: Stage::Reading,
            readers: readers.clone(),
            started_at: here.map_or(now, |count| count.started_at),
            reads: 0,
            keep_command: None,
        };
        self.file.start(start.id, start.body, &saved).await?;
        let before = self.kept.get(&start.place).cloned();
        let fresh = || Count::new(start.id, start.place.clone(), BTreeSet::new(), now, before);
        let count = self.open.entry(saved.id).or_insert_with(fresh);
        (count.stage, count.readers) = (Stage::Reading, readers);
        self.want();
        Ok(saved.id)
    }

    /// The readers a person chose, or all.
    fn readers(&self, chosen: BTreeSet<DeviceId>) -> Result<BTreeSet<DeviceId>, CountError> {
        let board = self.settings.shop.board.list();
        let readers = board.iter().filter(|line| line.config.kind == DeviceKind::Reader);
        let known: BTreeSet<DeviceId> = readers.map(|line| line.config.name).collect();
        if known.is_empty() {
            return Err(CountError::NoReader);
        }
        if chosen.is_empty() {
            return Ok(known);
        }
        match chosen.iter().find(|reader| !known.contains(reader)) {
            Some(reader) => Err(CountError::UnknownReader { reader: *reader }),
            None => Ok(chosen),
        }
    }

    /// A tag lies in one place only, so a reader reads for one count at a time.
    fn free(&self, readers: &BTreeSet<DeviceId>, place: &Place) -> Result<(), CountError> {
        for count in self
            .open
            .values()
            .filter(|count| count.stage == Stage::Reading && count.place != *place)
        {
            if let Some(reader) = count.readers.intersection(readers).next() {
                return Err(CountError::ReaderBusy {
                    reader: *reader,
                    place: count.place.clone(),
                });
            }
        }
        Ok(())
    }

    fn read(&mut self, reader: DeviceId, tags: Vec<Reading>) {
        let now = self.settings.shop.clock.now();
        let reading = |count: &&mut Count| count.stage == Stage::Reading && count.readers.contains(&reader);
        // What comes when no count wants it any more belongs to none.
        let Some(count) = self.open.values_mut().find(reading) else {
            return;
        };
        let catalog = self.settings.shop.catalog.borrow().clone();
        for tag in tags {
            count.read(tag, now, &catalog);
        }
    }

    async fn tick(&mut self) -> Result<(), FileError> {
        for count in self.open.values_mut() {
            save(&mut self.file, count).await?;
        }
        self.resolve().await?;
        self.sold.catch_up(&self.settings.shop, &mut self.file).await
    }

    /// An open count, or why there is none.
    async fn find(&mut self, count: CommandId) -> Result<&mut Count, CountError> {
        self.resolve().await?;
        match self.open.get_mut(&count) {
            Some(open) => Ok(open),
            None => Err(match self.file.ended(count).await? {
                Some((ended, place)) => CountError::Ended { place, ended },
                None => CountError::Unknown,
            }),
        }
    }

    async fn pause(&mut self, id: CommandId) -> Result<(), CountError> {
        let count = self.find(id).await?;
        if count.stage == Stage::Keeping {
            let place = count.place.clone();
            return Err(CountError::BeingKept { place });
        }
        count.stage = Stage::Paused;
        self.file.paused(id).await?;
        self.want();
        Ok(())
    }

    /// Said twice it is dropped once.
    async fn drop(&mut self, id: CommandId) -> Result<(), CountError> {
        match self.find(id).await {
            Ok(count) if count.stage == Stage::Keeping => {
                let place = count.place.clone();
                Err(CountError::BeingKept { place })
            }
            Ok(_) => {
                self.file.dropped(id).await?;
                self.open.remove(&id);
                self.want();
                Ok(())
            }
            Err(CountError::Ended { ended: Ended::Dropped, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn look(&mut self, id: CommandId) -> Result<Look, CountError> {
        self.sold.catch_up(&self.settings.shop, &mut self.file).await?;
        let now = self.settings.shop.clock.now();
        match self.find(id).await {
            Ok(_) => {}
            Err(CountError::Ended { place, ended }) => return Ok(Look::Ended { ended, place }),
            Err(error) => return Err(error),
        }
        let count = self.open.get_mut(&id).ok_or(CountError::Unknown)?;
        Ok(Look::Open(Box::new(count.view(now, self.sold.sales()))))
    }

    fn places(&self) -> Vec<PlaceLine> {
        let open = |place: &Place| self.open.values().find(|count| count.place == *place).map(|count| count.id);
        let mut lines: Vec<PlaceLine> = self
            .kept
            .iter()
            .map(|(place, kept)| PlaceLine {
                place: place.clone(),
                last_kept: Some(kept.at),
                tags: kept.tags,
                open: open(place),
            })
            .collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.last_kept));
        let first = self.open.values().filter(|count| !self.kept.contains_key(&count.place));
        lines.extend(first.map(|count| PlaceLine {
            place: count.place.clone(),
            last_kept: None,
            tags: 0,
            open: Some(count.id),
        }));
        lines
    }
}

async fn save(file: &mut Tags, count: &mut Count) -> Result<(), FileError> {
    let fresh = count.take_unsaved();
    if fresh.is_empty() {
        return Ok(());
    }
    file.add(count.id, &fresh, count.reads).await
}
