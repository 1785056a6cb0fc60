//! What the simulated reader is: its shelf, its orders, its one client, and the knobs that make it fail. Time passes when it is told.
//!
//! Owns all state behind one lock; what reading does to it is in `reading`, what the client asks in `answers`. Orders outlive a broken connection, and what is read meanwhile is kept for the next client, as
//! real readers do; a client that does not expect this counts yesterday's tags.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use backroom_llrp::config::{EventType, KeepaliveTrigger};
use backroom_llrp::event::{
    AntennaEvent, AntennaEventType, ConnectionAttempt, ConnectionAttemptEvent, ConnectionCloseEvent, ReaderEventNotificationData,
};
use backroom_llrp::frame::{FrameError, Message, Version};
use backroom_llrp::message::{ErrorMessage, Keepalive, ReaderEventNotification, Said};
use backroom_llrp::status::{LlrpStatus, StatusCode};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::super::ledger::Ledger;
use super::Args;
use super::about::Config;
use super::orders::Orders;
use super::shelf::{Chance, Shelf, read_line};

/// A client that leaves so many keepalives unanswered is taken for dead.
const MOST_UNACKNOWLEDGED: u32 = 3;

/// Bytes handed to a connection at once.
const HANDFUL: usize = 256 * 1024;

#[derive(Debug)]
pub struct Knobs {
    pub busy: bool,
    pub mute: bool,
    pub split: bool,
    pub keepalive: bool,
    pub garble: bool,
    pub rate: u32,
    pub duplicates: u8,
}

/// Whoever is connected.
#[derive(Debug)]
pub struct Client {
    number: u64,
    pub version: Version,
    pub negotiated: bool,
    /// Its reports wait until it asks for them.
    pub holding: bool,
    pub outbox: VecDeque<Vec<u8>>,
    keepalive_due: Option<Instant>,
    pub unacknowledged: u32,
    /// After what is in the outbox, the connection ends.
    pub closing: bool,
    wake: Arc<Notify>,
}

pub struct State {
    pub shelf: Shelf,
    pub orders: Orders,
    pub config: Config,
    pub knobs: Knobs,
    pub client: Option<Client>,
    pub chance: Chance,
    ledger: Ledger,
    /// Reports for the next client.
    pub held: VecDeque<Said>,
    clients: u64,
    last_id: u32,
    last_tick: Option<Instant>,
}

pub struct Device {
    state: Mutex<State>,
    left: Notify,
}

/// A client's place at the reader.
pub struct Seat {
    pub number: u64,
    /// Rung when there is something to send, or the seat is lost.
    pub wake: Arc<Notify>,
}

/// How it stands with a connection.
pub enum Door {
    Open {
        mute: bool,
        split: bool,
    },
    /// To be closed once all is sent.
    Closing {
        split: bool,
    },
    Gone,
}

impl Device {
    pub fn new(args: &Args, ledger: Ledger) -> Self {
        let state = State {
            shelf: Shelf::new(args.seed, args.antennas),
            orders: Orders::default(),
            config: Config::default(),
            knobs: Knobs {
                busy: false,
                mute: false,
                split: false,
                keepalive: true,
                garble: false,
                rate: args.rate,
                duplicates: args.duplicates,
            },
            client: None,
            chance: Chance::new(args.seed),
            ledger,
            held: VecDeque::new(),
            clients: 0,
            last_id: 0,
            last_tick: None,
        };
        Self {
            state: Mutex::new(state),
            left: Notify::new(),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the tags of a file.
    pub fn put_on_shelf(&self, text: &str) -> Result<(), String> {
        let mut state = self.lock();
        for (number, line) in (1..).zip(text.lines()) {
            let tag = read_line(line).map_err(|wrong| format!("line {number}: {wrong}"))?;
            if let Some((epc, antenna)) = tag {
                state.shelf.add(epc, antenna);
            }
        }
        Ok(())
    }

    /// A place for who has just connected, or the words that there is none.
    pub fn seat(&self, peer: &str) -> Result<Seat, Vec<u8>> {
        let mut state = self.lock();
        if state.knobs.busy || state.client.is_some() {
            state.note("refused", json!({"peer": peer}));
            state.tell(attempt(ConnectionAttempt::AnotherConnectionAttempted));
            let refusal = Said::from(attempt(ConnectionAttempt::ClientInitiatedConnectionExists));
            return Err(state.bytes(&refusal, Version::V1_0_1, None));
        }
        state.clients += 1;
        let wake = Arc::new(Notify::new());
        let number = state.clients;
        let holding = state.config.hold_upon_reconnect;
        state.client = Some(Client {
            number,
            version: Version::V1_0_1,
            negotiated: false,
            holding,
            outbox: VecDeque::new(),
            keepalive_due: None,
            unacknowledged: 0,
            closing: false,
            wake: Arc::clone(&wake),
        });
        state.note("connected", json!({"peer": peer}));
        state.tell(attempt(ConnectionAttempt::Success));
        if !holding {
            state.release_held();
        }
        state.schedule_keepalive(Instant::now());
        Ok(Seat { number, wake })
    }

    /// What this client says. A mute reader does not listen either.
    pub fn hear(&self, number: u64, message: Message) {
        let mut state = self.lock();
        if state.is_seated(number) && !state.knobs.mute {
            state.answer(&message, Instant::now());
        }
    }

    /// Nobody knows where the next message would begin.
    pub fn cannot_read(&self, number: u64, wrong: &FrameError) {
        let mut state = self.lock();
        if !state.is_seated(number) {
            return;
        }
        let code = match wrong {
            FrameError::Version { .. } => StatusCode::UNSUPPORTED_VERSION,
            _ => StatusCode::PARAMETER_ERROR,
        };
        let status = LlrpStatus::failure(code, &wrong.to_string());
        state.reply(&ErrorMessage { status }.into(), 0);
        state.close();
    }

    /// Moves what is to be sent to the end of `pending`.
    pub fn outgoing(&self, number: u64, pending: &mut Vec<u8>) -> Door {
        let mut state = self.lock();
        let (mute, split) = (state.knobs.mute, state.knobs.split);
        let State { client, knobs, .. } = &mut *state;
        let Some(client) = client.as_mut().filter(|client| client.number == number) else {
            return Door::Gone;
        };
        while !mute
            && pending.len() < HANDFUL
            && let Some(mut bytes) = client.outbox.pop_front()
        {
            if std::mem::take(&mut knobs.garble)
                && let Some(first) = bytes.first_mut()
            {
                // A version that does not exist.
                *first |= 0x1c;
            }
            pending.extend(bytes);
        }
        if client.closing && client.outbox.is_empty() {
            return Door::Closing { split };
        }
        Door::Open { mute, split }
    }

    pub fn gone(&self, number: u64, why: &str) {
        let mut state = self.lock();
        if state.is_seated(number) {
            state.drop_client(why);
        }
        self.left.notify_waiters();
    }

    pub fn goodbye(&self) {
        let mut state = self.lock();
        let ids = state.orders.active();
        for id in ids {
            if let Ok(turns) = state.orders.stop(id) {
                state.take_turns(turns, "the reader is switched off");
            }
        }
        let mut event = ReaderEventNotificationData::at(now_us());
        event.close = Some(ConnectionCloseEvent {});
        state.tell(ReaderEventNotification { event });
        state.close();
    }

    pub async fn nobody_connected(&self) {
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            // Before looking, so that who leaves in between is not missed.
            left.as_mut().enable();
            if self.lock().client.is_none() {
                return;
            }
            left.await;
        }
    }

    pub fn pass_time(&self, now: Instant) {
        let mut state = self.lock();
        let passed = state.last_tick.map_or(Duration::ZERO, |last| now - last);
        state.last_tick = Some(now);
        if state.knobs.mute {
            return;
        }
        for id in state.orders.active() {
            state.read_for(id, passed.min(Duration::from_secs(1)), now);
        }
        state.keep_alive(now);
    }
}

impl State {
    fn is_seated(&self, number: u64) -> bool {
        self.client.as_ref().is_some_and(|client| client.number == number)
    }

    pub fn note(&self, event: &str, more: Value) {
        let more = match more {
            Value::Object(more) => more,
            _ => Map::new(),
        };
        if let Err(fault) = self.ledger.happened(event, more) {
            tracing::error!(%fault, event, "could not write the ledger");
        }
    }

    fn bytes(&mut self, said: &Said, version: Version, answers: Option<u32>) -> Vec<u8> {
        let id = answers.unwrap_or_else(|| {
            self.last_id = self.last_id.wrapping_add(1);
            self.last_id
        });
        let message = said.message(version, id).map_err(|wrong| wrong.to_string());
        let bytes = message.and_then(|message| message.to_bytes().map_err(|wrong| wrong.to_string()));
        bytes.unwrap_or_else(|wrong| {
            // Only an answer that repeats a request of nearly 64 KiB can be too long.
            tracing::error!(wrong, kind = %said.kind(), "could not be said");
            Vec::new()
        })
    }

    fn send(&mut self, said: &Said, answers: Option<u32>) {
        let Some(version) = self.client.as_ref().map(|client| client.version) else {
            return;
        };
        let bytes = self.bytes(said, version, answers);
        if let Some(client) = &mut self.client {
            client.outbox.push_back(bytes);
            client.wake.notify_one();
        }
    }

    /// An answer to the client's message of this id.
    pub fn reply(&mut self, said: &Said, id: u32) {
        self.send(said, Some(id));
    }

    /// Tells the client, if there is one.
    pub fn tell(&mut self, said: impl Into<Said>) {
        self.send(&said.into(), None);
    }

    /// Tells of an event, if the client wants to know of its kind.
    pub fn tell_event(&mut self, kind: EventType, set: impl FnOnce(&mut ReaderEventNotificationData)) {
        if self.config.told.contains(&kind) {
            let mut event = ReaderEventNotificationData::at(now_us());
            set(&mut event);
            self.tell(ReaderEventNotification { event });
        }
    }

    pub fn release_held(&mut self) {
        if let Some(client) = &mut self.client {
            client.holding = false;
        }
        while let Some(report) = self.held.pop_front() {
            self.tell(report);
        }
    }

    pub fn close(&mut self) {
        if let Some(client) = &mut self.client {
            client.closing = true;
            client.wake.notify_one();
        }
    }

    /// The connection is over at once, whatever was to be sent.
    pub fn drop_client(&mut self, why: &str) -> bool {
        let Some(client) = self.client.take() else { return false };
        client.wake.notify_one();
        self.note("disconnected", json!({"why": why}));
        true
    }

    /// As after a loss of power: no client, no orders, nothing set.
    pub fn lose_power(&mut self) {
        for id in self.orders.active() {
            if let Ok(turns) = self.orders.stop(id) {
                self.take_turns(turns, "the reader lost power");
            }
        }
        self.drop_client("the reader lost power");
        self.held.clear();
        self.orders.forget();
        self.config = Config::default();
    }

    pub fn schedule_keepalive(&mut self, now: Instant) {
        let keepalive = &self.config.keepalive;
        let period = (keepalive.trigger == KeepaliveTrigger::Periodic).then(|| Duration::from_millis(keepalive.period_ms.max(1).into()));
        if let Some(client) = &mut self.client {
            client.keepalive_due = period.map(|period| now + period);
        }
    }

    fn keep_alive(&mut self, now: Instant) {
        let Some(client) = &mut self.client else { return };
        if client.keepalive_due.is_none_or(|due| due > now) || client.closing {
            return;
        }
        if client.unacknowledged >= MOST_UNACKNOWLEDGED {
            self.drop_client("it answers no keepalives");
            return;
        }
        if self.knobs.keepalive {
            client.unacknowledged += 1;
            self.tell(Keepalive {});
        }
        self.schedule_keepalive(now);
    }

    pub fn connect_antenna(&mut self, antenna: u16, connected: bool) -> Option<bool> {
        let changed = self.shelf.connect_antenna(antenna, connected)?;
        if changed {
            let event = if connected {
                AntennaEventType::Connected
            } else {
                AntennaEventType::Disconnected
            };
            self.note("antenna", json!({"antenna": antenna, "connected": connected}));
            self.tell_event(EventType::Antenna, |told| told.antenna = Some(AntennaEvent { event, antenna }));
        }
        Some(changed)
    }

    /// Lets the connection look again at what it may send.
    pub fn wake(&self) {
        if let Some(client) = &self.client {
            client.wake.notify_one();
        }
    }
}

fn attempt(status: ConnectionAttempt) -> ReaderEventNotification {
    let mut event = ReaderEventNotificationData::at(now_us());
    event.attempt = Some(ConnectionAttemptEvent { status });
    ReaderEventNotification { event }
}

/// Microseconds since 1970.
pub fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
