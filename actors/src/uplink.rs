//! The uplink: brings the journal to head office and hears what head office says. Selling never waits for it.
//!
//! What to send again, and what is proven to be held, is decided by core's `federation::sender`; here is the waiting, loading, signing and
//! checking. The network is behind [`Carrier`]. A restart starts from the journal and the remembered watermarks alone.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backroom_core::directive::{Address, BatchHead, Signed, Watermark};
use backroom_core::facts::EpochReason;
use backroom_core::federation::sender::{Input, Limits, Mark, Message as Flight, Output, Sender};
use backroom_core::journal::{Epoch, Head, Seq};
use backroom_protocol::messages::{self, Hello, Received};
use ed25519_dalek::{SigningKey, VerifyingKey};
use futures_util::future::BoxFuture;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::watch;

use crate::catalog;
use crate::door::Door;
use crate::journal::Journal;
use crate::journal::reader::Reader;
use crate::supervisor::Child;

/// The way to head office. One connection; answers arrive as [`Message`]s at the door the carrier was given.
pub trait Carrier: Send + Sync + 'static {
    /// Publishes a batch under an id; done when the broker's stream acknowledged it.
    fn publish(&self, id: String, bytes: Vec<u8>) -> BoxFuture<'static, Result<(), String>>;
    /// Announces the store; each answer comes back as [`Message::Welcome`] with this number.
    fn announce(&self, number: u64, bytes: Vec<u8>) -> BoxFuture<'static, Result<(), String>>;
}

#[derive(Debug)]
pub enum Message {
    Connected,
    Disconnected,
    /// The answer to an announcement: one watermark.
    Welcome {
        number: u64,
        bytes: Vec<u8>,
    },
    Watermark {
        bytes: Vec<u8>,
    },
    Resend {
        bytes: Vec<u8>,
    },
    Directive {
        bytes: Vec<u8>,
    },
    /// The journal grew.
    Grew,
    Published {
        flight: Flight,
        cut: Option<Seq>,
        outcome: Result<(), String>,
    },
    Tick,
    Strike,
}

/// What the rest of the box may know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkStatus {
    pub connected: bool,
    /// Proven to be at head office, of the current epoch.
    pub held: u64,
    /// Entries of all epochs that exist only here.
    pub unheld: u64,
    pub trouble: String,
}

/// What the actor needs.
#[derive(Clone)]
pub struct Settings {
    pub address: Address,
    pub signing_key: SigningKey,
    pub head_office: VerifyingKey,
    pub journal: Journal,
    pub reader: Reader,
    pub carrier: Arc<dyn Carrier>,
    pub catalog: Arc<Door<catalog::Message>>,
    pub directives_through: watch::Receiver<u64>,
    /// Where watermarks are remembered. Losing the file costs sending again, nothing else.
    pub memory: PathBuf,
    pub status: watch::Sender<LinkStatus>,
}

/// How the root keeps the uplink alive.
pub fn child(settings: Settings, door: Arc<Door<Message>>) -> Child {
    let own = door.clone();
    door.child("uplink", || Message::Strike, move || (Uplink, (settings.clone(), own.clone())))
}

/// The actor.
pub struct Uplink;

pub struct State {
    settings: Settings,
    me: ActorRef<Message>,
    sender: Sender,
    started: Instant,
    marks: Vec<Watermark>,
    connected: bool,
    trouble: String,
}

/// The broker takes a megabyte; some of it is framing.
const LARGEST_MESSAGE: usize = 700_000;
const TICK: Duration = Duration::from_millis(200);

impl Actor for Uplink {
    type Msg = Message;
    type State = State;
    type Arguments = (Settings, Arc<Door<Message>>);

    async fn pre_start(&self, me: ActorRef<Message>, (settings, door): Self::Arguments) -> Result<State, ActorProcessingErr> {
        let heads = settings.reader.heads().await?;
        let marks = read_memory(&settings.memory);
        let mut known = Vec::new();
        for mark in &marks {
            known.push(mark_with_ours(&settings.reader, *mark).await?);
        }
        let sender = Sender::restore(settings.address, Limits::default(), &heads, &known);
        let connected = settings.status.borrow().connected;
        let mut state = State {
            settings,
            me: me.clone(),
            sender,
            started: Instant::now(),
            marks,
            connected: false,
            trouble: String::new(),
        };
        door.opened_by(me.clone());
        if connected {
            state.step(Input::Connected).await?;
            state.connected = true;
        }
        me.send_interval(TICK, || Message::Tick);
        state.watch_journal();
        Ok(state)
    }

    async fn handle(&self, _me: ActorRef<Message>, message: Message, state: &mut State) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Connected => state.link(true).await?,
            Message::Disconnected => state.link(false).await?,
            Message::Welcome { number, bytes } => state.welcome(number, &bytes).await?,
            Message::Watermark { bytes } => state.watermark(&bytes).await?,
            Message::Resend { bytes } => state.resend(&bytes).await?,
            Message::Directive { bytes } => state.directive(&bytes),
            Message::Grew => state.step(Input::Journal(state.settings.journal.head())).await?,
            Message::Published { flight, cut, outcome } => state.published(flight, cut, outcome).await?,
            Message::Tick => state.step(Input::Tick).await?,
            Message::Strike => panic!("struck down on purpose"),
        }
        state.show();
        Ok(())
    }
}

impl State {
    /// Tells me when the journal grew, however often that happens in between.
    fn watch_journal(&self) {
        let mut head = self.settings.journal.watch_head();
        let me = self.me.clone();
        tokio::spawn(async move {
            while head.changed().await.is_ok() {
                head.mark_unchanged();
                if me.send_message(Message::Grew).is_err() {
                    return;
                }
                // A batch of sales is one message; a quarter of the tick is soon enough for head office.
                tokio::time::sleep(TICK / 4).await;
            }
        });
    }

    async fn link(&mut self, connected: bool) -> Result<(), ActorProcessingErr> {
        self.connected = connected;
        self.step(if connected { Input::Connected } else { Input::Disconnected }).await
    }

    /// Feeds the machine and does what it says, in its order.
    async fn step(&mut self, input: Input) -> Result<(), ActorProcessingErr> {
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        for output in self.sender.step(now_ms, input) {
            match output {
                Output::Publish(flight) => self.publish(flight),
                Output::Announce { number } => self.announce(number),
                Output::Remember(mark) => {
                    self.marks.retain(|known| known.epoch != mark.epoch);
                    self.marks.push(mark);
                    self.write_memory();
                }
                Output::Forget => {
                    self.marks.clear();
                    self.write_memory();
                }
                Output::BehindHeadOffice { epoch, seen, .. } => self.open_epoch(epoch, seen).await?,
                Output::Superseded { by } => {
                    self.trouble =
                        format!("head office knows epoch {by} of this store: another box took over, or this disk is an old copy");
                    tracing::error!(%by, "superseded");
                }
            }
        }
        Ok(())
    }

    fn publish(&self, flight: Flight) {
        let (settings, me) = (self.settings.clone(), self.me.clone());
        tokio::spawn(async move {
            let (cut, outcome) = match load(&settings, flight).await {
                Ok((last, id, bytes)) => {
                    let cut = (last != flight.last).then_some(last);
                    (cut, settings.carrier.publish(id, bytes).await)
                }
                Err(why) => (None, Err(why)),
            };
            let _ = me.send_message(Message::Published { flight, cut, outcome }); // After a restart everything in flight is sent again.
        });
    }

    async fn published(&mut self, flight: Flight, cut: Option<Seq>, outcome: Result<(), String>) -> Result<(), ActorProcessingErr> {
        let mut flown = flight;
        if let Some(last) = cut {
            self.step(Input::Cut { message: flight, last }).await?;
            flown.last = last;
        }
        match outcome {
            Ok(()) => self.step(Input::Acked(flown)).await,
            Err(error) => {
                tracing::debug!(%error, first = flown.first.0, last = flown.last.0, "batch not acknowledged");
                self.step(Input::Failed(flown)).await
            }
        }
    }

    fn announce(&self, number: u64) {
        let hello = Hello {
            address: self.settings.address,
            heads: self.sender.heads().collect(),
            directives_through: *self.settings.directives_through.borrow(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        let sent = self
            .settings
            .carrier
            .announce(number, messages::write_hello(&hello, &self.settings.signing_key));
        tokio::spawn(async move {
            if let Err(error) = sent.await {
                tracing::debug!(%error, "could not announce the store; it is tried again");
            }
        });
    }

    async fn welcome(&mut self, number: u64, bytes: &[u8]) -> Result<(), ActorProcessingErr> {
        let Some(mark) = self.checked(messages::read_watermark(bytes)) else {
            return Ok(());
        };
        let mark = mark_with_ours(&self.settings.reader, mark).await?;
        self.step(Input::Welcome { number, marks: vec![mark] }).await
    }

    async fn watermark(&mut self, bytes: &[u8]) -> Result<(), ActorProcessingErr> {
        let Some(mark) = self.checked(messages::read_watermark(bytes)) else {
            return Ok(());
        };
        let mark = mark_with_ours(&self.settings.reader, mark).await?;
        self.step(Input::Watermark(mark)).await
    }

    async fn resend(&mut self, bytes: &[u8]) -> Result<(), ActorProcessingErr> {
        let Some(resend) = self.checked(messages::read_resend(bytes)) else {
            return Ok(());
        };
        self.step(Input::Resend(resend)).await
    }

    /// Handed on to the catalog, which knows its turn by its number. Not waited for: head office sends it again until the journal shows it.
    fn directive(&self, bytes: &[u8]) {
        let Some(directive) = self.checked(messages::read_directive(bytes)) else {
            return;
        };
        if directive.number <= *self.settings.directives_through.borrow() {
            return;
        }
        let catalog = self.settings.catalog.clone();
        tokio::spawn(async move {
            let make = |reply| catalog::Message::Directive {
                directive: Box::new(directive),
                reply,
            };
            if let Err(error) = catalog.ask(make, Duration::from_secs(30)).await {
                tracing::warn!(%error, "a directive waits");
            }
        });
    }

    /// The message, when it is for this store and head office signed it.
    fn checked<T: Signed + ForStore>(&self, received: Result<Received<T>, messages::MessageError>) -> Option<T> {
        let received = match received {
            Ok(received) => received,
            Err(error) => {
                tracing::warn!(%error, "an unreadable message from the broker was dropped");
                return None;
            }
        };
        if received.message.address() != self.settings.address {
            tracing::warn!(what = T::WHAT, "a message for another store was dropped");
            return None;
        }
        match received.message.check(&received.signature, &self.settings.head_office) {
            Ok(()) => Some(received.message),
            Err(error) => {
                tracing::warn!(%error, "forged");
                None
            }
        }
    }

    async fn open_epoch(&mut self, epoch: Epoch, seen: Seq) -> Result<(), ActorProcessingErr> {
        let next = self.sender.next_epoch();
        tracing::error!(%epoch, %seen, opens = %next, "head office holds entries this box does not have: its disk was set back");
        let committed = self.settings.journal.open_epoch(EpochReason::Rollback, next).await?;
        self.trouble = format!(
            "this box was set back; epoch {} and a new receipt series were opened",
            committed.head.epoch
        );
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        // What follows from the new epoch is done with the next tick.
        let _ = self.sender.step(now_ms, Input::Journal(committed.head));
        Ok(())
    }

    fn show(&self) {
        let head = self.settings.journal.head();
        let status = LinkStatus {
            connected: self.connected,
            held: self.sender.held(head.epoch).unwrap_or_default().0,
            unheld: self.sender.unheld(),
            trouble: self.trouble.clone(),
        };
        self.settings.status.send_if_modified(|known| {
            let changed = *known != status;
            if changed {
                *known = status;
            }
            changed
        });
    }

    fn write_memory(&self) {
        let key = &self.settings.signing_key;
        // The framing of the wire serves as a file format; the signature in it is our own and means nothing here.
        let lines: Vec<String> = self
            .marks
            .iter()
            .map(|mark| crate::hex::hex(&messages::write_watermark(mark, key)))
            .collect();
        let fresh = self.settings.memory.with_extension("new");
        let written = std::fs::write(&fresh, lines.join("\n")).and_then(|()| std::fs::rename(&fresh, &self.settings.memory));
        if let Err(error) = written {
            tracing::warn!(%error, "watermarks could not be remembered; they will be asked for again");
        }
    }
}

/// A message that names the store it is for.
trait ForStore {
    fn address(&self) -> Address;
}

impl ForStore for Watermark {
    fn address(&self) -> Address {
        self.address
    }
}

impl ForStore for backroom_core::directive::Resend {
    fn address(&self) -> Address {
        self.address
    }
}

impl ForStore for backroom_core::directive::Directive {
    fn address(&self) -> Address {
        self.address
    }
}

/// What was remembered; a damaged file is as good as none.
fn read_memory(path: &std::path::Path) -> Vec<Watermark> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let read = |line: &str| {
        let bytes: Option<Vec<u8>> = (0..line.len() / 2)
            .map(|at| u8::from_str_radix(line.get(at * 2..at * 2 + 2)?, 16).ok())
            .collect();
        messages::read_watermark(&bytes?).ok().map(|received| received.message)
    };
    text.lines().filter_map(read).collect()
}

/// A mark beside what our own journal has at its place.
async fn mark_with_ours(reader: &Reader, mark: Watermark) -> Result<Mark, ActorProcessingErr> {
    let ours = match mark.held {
        Seq(0) => None,
        held => reader
            .range(mark.epoch, held, 1)
            .await?
            .first()
            .filter(|entry| entry.header.seq == held)
            .map(|entry| entry.hash),
    };
    Ok(Mark { mark, ours })
}

/// Loads and signs a batch; it may end earlier when its bytes would be too many.
async fn load(settings: &Settings, flight: Flight) -> Result<(Seq, String, Vec<u8>), String> {
    let wanted = u32::try_from(flight.last.0 + 1 - flight.first.0).map_err(|error| error.to_string())?;
    let entries = settings
        .reader
        .range(flight.epoch, flight.first, wanted)
        .await
        .map_err(|error| error.to_string())?;
    let mut batch: Vec<backroom_core::journal::Entry> = Vec::with_capacity(entries.len());
    let mut size = 0;
    for entry in entries {
        size += entry.bytes.len() + 8;
        // One entry always goes, however large.
        if size > LARGEST_MESSAGE && !batch.is_empty() {
            break;
        }
        batch.push(entry);
    }
    let Some(Head { seq: last, hash, .. }) = batch.last().map(|entry| Head {
        epoch: flight.epoch,
        seq: entry.header.seq,
        hash: entry.hash,
    }) else {
        return Err(format!("entry {}:{} is not in the journal", flight.epoch, flight.first));
    };
    let head = BatchHead {
        address: settings.address,
        epoch: flight.epoch,
        first: flight.first,
        last,
        round: flight.round,
        last_hash: hash,
    };
    let id = Flight { last, ..flight }.id(settings.address.store, &hash);
    let bytes = messages::write_batch(&head, batch.into_iter().map(|entry| entry.bytes).collect(), &settings.signing_key);
    Ok((last, id, bytes))
}
