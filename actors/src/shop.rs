//! What the actors of one store share: handles to the journal and the work log, snapshots, the clock. No state of its own.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use backroom_core::catalog::Catalog;
use backroom_core::ids::{CommandId, DeviceId, RegisterId, StoreId, TicketId};
use backroom_core::money::Rounding;
use backroom_core::time::Calendar;
use tokio::sync::{broadcast, watch};

use crate::clock::Clock;
use crate::device::Board;
use crate::figures::Figures;
use crate::file::FileError;
use crate::journal::reader::Reader;
use crate::journal::writer::committed_from;
use crate::journal::{AppendError, BodyHash, Committed, Journal};
use crate::register::Outcome;
use crate::staff::Passes;
use crate::worklog::WorkLog;

/// How this shop sells, fixed when the box was set up.
#[derive(Clone, Debug)]
pub struct Policy {
    pub name: String,
    /// Smallest coin in minor units.
    pub cash_step: i64,
    pub cash_rounding: Rounding,
    /// Which store this is: some prices hold only in some stores.
    pub store: StoreId,
    pub calendar: Calendar,
}

/// Handed to every actor.
#[derive(Clone)]
pub struct Shop {
    pub journal: Journal,
    pub reader: Reader,
    pub worklog: WorkLog,
    pub catalog: watch::Receiver<Arc<Catalog>>,
    pub passes: watch::Receiver<Arc<Passes>>,
    pub clock: Clock,
    pub policy: Arc<Policy>,
    pub recent: Arc<Recent>,
    /// What screens may show. A screen that is slow misses some and reads again; facts never travel here.
    pub screens: broadcast::Sender<Screen>,
    /// Each fact after its flush, for those who read the journal again when they have missed one.
    pub commits: broadcast::Sender<Committed>,
    /// How the machines are doing.
    pub board: Board,
    /// What terminals say about payments under way.
    pub cards: Cards,
    /// Counted since the start, for those who watch over the box.
    pub figures: Arc<Figures>,
}

/// Something changed on a register.
#[derive(Clone, Debug)]
pub enum Screen {
    Ticket {
        register: RegisterId,
        outcome: Outcome,
    },
    /// A scanner of this counter read something; the register decides what to do with it.
    Scanned {
        register: RegisterId,
        scanner: DeviceId,
        code: String,
    },
}

/// What a terminal says while a payment is under way, per ticket. For screens; facts stand in the journal.
#[derive(Clone)]
pub struct Cards {
    under_way: Arc<watch::Sender<HashMap<TicketId, CardWords>>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardWords {
    /// Nobody knows how it ended; the terminal is being asked.
    pub unknown: bool,
    pub words: String,
}

impl Default for Cards {
    fn default() -> Self {
        Self {
            under_way: Arc::new(watch::Sender::new(HashMap::new())),
        }
    }
}

impl Cards {
    pub fn say(&self, ticket: TicketId, unknown: bool, words: impl Into<String>) {
        let now = CardWords {
            unknown,
            words: words.into(),
        };
        self.under_way
            .send_if_modified(|cards| cards.insert(ticket, now.clone()).as_ref() != Some(&now));
    }

    pub fn over(&self, ticket: TicketId) {
        self.under_way.send_if_modified(|cards| cards.remove(&ticket).is_some());
    }

    pub fn of(&self, ticket: TicketId) -> Option<CardWords> {
        self.under_way.borrow().get(&ticket).cloned()
    }

    pub fn watch(&self) -> watch::Receiver<HashMap<TicketId, CardWords>> {
        self.under_way.subscribe()
    }
}

impl Shop {
    /// The outcome of a command that was carried out before, if it was; `Err` when its id belongs to something else.
    pub async fn said_before(&self, id: CommandId, body: BodyHash) -> Result<Option<Result<Committed, AppendError>>, FileError> {
        if self.recent.body_of(id).is_some_and(|known| known != body) {
            return Ok(Some(Err(AppendError::CommandReused)));
        }
        let Some((hash, entry)) = self.reader.command(id).await? else {
            return Ok(None);
        };
        if hash != body {
            return Ok(Some(Err(AppendError::CommandReused)));
        }
        Ok(Some(Ok(committed_from(&entry)?)))
    }
}

/// The ids of the last commands, so that one that is used again for something else is refused before it does anything. Older ones are found by
/// the journal's own table at the latest when the ticket is closed.
#[derive(Default)]
pub struct Recent {
    known: Mutex<(HashMap<CommandId, BodyHash>, VecDeque<CommandId>)>,
}

/// About a megabyte.
const REMEMBERED: usize = 20_000;

impl Recent {
    pub fn remember(&self, id: CommandId, body: BodyHash) {
        let Ok(mut known) = self.known.lock() else { return };
        let (hashes, order) = &mut *known;
        if hashes.insert(id, body).is_none() {
            order.push_back(id);
        }
        if order.len() > REMEMBERED
            && let Some(oldest) = order.pop_front()
        {
            hashes.remove(&oldest);
        }
    }

    pub fn body_of(&self, id: CommandId) -> Option<BodyHash> {
        self.known.lock().ok()?.0.get(&id).copied()
    }
}
