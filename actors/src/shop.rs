//! What the actors of one store share: handles to the journal and the work log, snapshots, the clock. No state of its own.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use backroom_core::catalog::Catalog;
use backroom_core::ids::{CommandId, RegisterId};
use backroom_core::time::Calendar;
use tokio::sync::{broadcast, watch};

use crate::clock::Clock;
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
}

/// Something changed on a register.
#[derive(Clone, Debug)]
pub struct Screen {
    pub register: RegisterId,
    pub outcome: Outcome,
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
