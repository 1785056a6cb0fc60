//! The journal: the only writer of the store's facts. Gathers what waits into one flush, gives seq and receipt numbers, answers after the flush.
//!
//! Decides nothing about sales; it only checks what a decision stood on (an open shift, a receipt not yet taken back). Asks nobody.
//! A commit that was begun runs in a task of its own and outlives this actor; whoever asked and heard nothing asks again with the
//! same command id. After any I/O error the file is closed, reopened and its tail verified before anything is acknowledged.

pub mod reader;
pub mod sql;
pub mod verify;
pub mod writer;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use backroom_core::directive::Address;
use backroom_core::facts::{EpochReason, Fact};
use backroom_core::ids::{CommandId, ReceiptNo, RegisterId, ShiftId, StaffId, TillId};
use backroom_core::journal::{Epoch, Head};
use backroom_core::till::Till;
use backroom_core::time::{BusinessDay, Calendar, Instant};
use ed25519_dalek::SigningKey;
use tokio::sync::{oneshot, watch};

use crate::clock::Clock;
use crate::door::AskError;
use crate::figures::Durations;
use crate::lane::Lane;
use crate::supervisor::Child;
use writer::Writer;

/// The first half of the SHA-256 of a command as it was parsed: the same id with another body is refused.
pub type BodyHash = [u8; 16];

/// A fact that somebody wants to be true.
#[derive(Debug)]
pub struct Append {
    pub command_id: Option<CommandId>,
    pub body_hash: BodyHash,
    pub device: Option<RegisterId>,
    pub staff: Option<StaffId>,
    pub fact: Fact,
    /// What the decision stood on.
    pub expects: Vec<Expect>,
    /// Give the ticket the next receipt number of this register.
    pub number_for: Option<RegisterId>,
    /// Earlier commands of the same ticket, whose outcome this entry holds.
    pub also: Vec<(CommandId, BodyHash)>,
    /// What follows from the fact and is written with it or not at all, each an entry of its own.
    pub with: Vec<Fact>,
    /// Closes a ticket of which the journal already holds tenders or card payments.
    pub had_money: bool,
    /// Only while this job of a machine has no end.
    pub ends: Option<String>,
}

impl Append {
    /// What the box does on its own account.
    pub fn by_the_box(fact: Fact) -> Self {
        Self {
            command_id: None,
            body_hash: [0; 16],
            device: None,
            staff: None,
            fact,
            expects: Vec::new(),
            number_for: None,
            also: Vec::new(),
            with: Vec::new(),
            had_money: false,
            ends: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    OpenShift {
        till: TillId,
        shift: ShiftId,
    },
    /// Nothing happened to this till since the decision.
    Till {
        till: TillId,
        version: u64,
    },
    /// So many tickets took something of this receipt back, and no other did meanwhile.
    TakenBack {
        receipt: ReceiptNo,
        times: usize,
    },
}

/// A fact that is true: flushed, with its place.
#[derive(Clone, Debug)]
pub struct Committed {
    pub head: Head,
    pub at: Instant,
    pub business_day: BusinessDay,
    pub fact: Arc<Fact>,
    /// The command had been carried out before; this is what came of it then.
    pub replayed: bool,
}

/// Why a fact was not appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    #[error("this command id was used before for something else; make a new one")]
    CommandReused,
    #[error("the shift of till {till} was closed meanwhile; open a shift and try again")]
    ShiftClosed { till: TillId },
    #[error("till {till} moved on meanwhile; read it again")]
    TillMoved { till: TillId },
    #[error("receipt {receipt} was already taken back with {by}")]
    AlreadyReturned { receipt: ReceiptNo, by: String },
    #[error("goods of receipt {receipt} were taken back elsewhere meanwhile; void those lines and take them back again")]
    TakenBackMeanwhile { receipt: ReceiptNo },
    #[error("this ticket was closed meanwhile; read it again")]
    TicketClosed,
    #[error("this job of a machine has ended already")]
    JobEnded,
    #[error("no further epoch can be opened; this box must be set up again")]
    NoEpoch,
    #[error("the sums would no longer fit: {0}")]
    Money(#[from] backroom_core::money::MoneyError),
    #[error(transparent)]
    Away(#[from] AskError),
}

/// Where the journal lies and whose it is.
#[derive(Clone)]
pub struct JournalSettings {
    pub file: PathBuf,
    pub address: Address,
    pub calendar: Calendar,
    pub signing_key: SigningKey,
    pub clock: Clock,
}

pub enum Job {
    /// Answered when everything before it is decided.
    Barrier { reply: oneshot::Sender<()> },
    Append {
        append: Box<Append>,
        reply: oneshot::Sender<Result<Committed, AppendError>>,
    },
    OpenEpoch {
        reason: EpochReason,
        at_least: Epoch,
        /// So many series are left out, because a life nobody told of may have used them.
        skip_series: u32,
        reply: oneshot::Sender<Result<Committed, AppendError>>,
    },
}

/// What others may read without asking.
#[derive(Clone, Debug, Default)]
pub struct Books {
    pub tills: BTreeMap<TillId, (u64, Till)>,
}

type Listener = Box<dyn Fn(&Committed) + Send + Sync>;

/// What the writer shows after each flush.
pub struct Published {
    head: watch::Sender<Head>,
    books: watch::Sender<Arc<Books>>,
    /// Commits, each one flush, since the start.
    flushes: AtomicU64,
    flush_durations: Durations,
    /// Told of each committed fact, in order.
    listener: OnceLock<Listener>,
}

/// The handle everyone holds.
#[derive(Clone)]
pub struct Journal {
    lane: Lane<Writer>,
    published: Arc<Published>,
}

impl Journal {
    pub fn new(settings: JournalSettings) -> Self {
        let published = Published {
            head: watch::Sender::new(Head::start(Epoch(0))),
            books: watch::Sender::new(Arc::default()),
            flushes: AtomicU64::new(0),
            flush_durations: Durations::default(),
            listener: OnceLock::new(),
        };
        let published = Arc::new(published);
        Self {
            lane: Lane::new(writer::Settings {
                journal: settings,
                published: published.clone(),
            }),
            published,
        }
    }

    /// Who hears of each fact after its flush. Set once, before the actor starts; a second one would be a mistake in the
    /// composition, the first stays.
    pub fn on_commit(&self, listener: impl Fn(&Committed) + Send + Sync + 'static) {
        let _ = self.published.listener.set(Box::new(listener));
    }

    pub fn child(&self) -> Child {
        self.lane.child("journal")
    }

    pub fn settings(&self) -> &JournalSettings {
        &self.lane.settings().journal
    }

    pub fn head(&self) -> Head {
        *self.published.head.borrow()
    }

    pub fn watch_head(&self) -> watch::Receiver<Head> {
        self.published.head.subscribe()
    }

    /// How often the journal was flushed since the start; many commands share one.
    pub fn flushes(&self) -> u64 {
        self.published.flushes.load(Ordering::Relaxed)
    }

    /// How long the flushes took.
    pub fn flush_durations(&self) -> &Durations {
        &self.published.flush_durations
    }

    /// A till as of the last commit, with its version.
    pub fn till(&self, till: TillId) -> (u64, Till) {
        self.published
            .books
            .borrow()
            .tills
            .get(&till)
            .cloned()
            .unwrap_or_else(|| (0, Till::new(till)))
    }

    /// Makes a fact true; answered after the flush.
    pub async fn append(&self, append: Append) -> Result<Committed, AppendError> {
        self.lane
            .submit(|reply| Job::Append {
                append: Box::new(append),
                reply,
            })
            .await?
    }

    /// Returns when everything that was submitted before is in the journal, or never will be.
    pub async fn settle(&self) -> Result<(), AskError> {
        self.lane.submit(|reply| Job::Barrier { reply }).await
    }

    /// Opens a new epoch and with it a new receipt series.
    pub async fn open_epoch(&self, reason: EpochReason, at_least: Epoch) -> Result<Committed, AppendError> {
        self.open_epoch_after(reason, at_least, 0).await
    }

    /// Like `open_epoch`, leaving out so many receipt series.
    pub async fn open_epoch_after(&self, reason: EpochReason, at_least: Epoch, skip_series: u32) -> Result<Committed, AppendError> {
        let job = |reply| Job::OpenEpoch {
            reason,
            at_least,
            skip_series,
            reply,
        };
        self.lane.submit(job).await?
    }
}

impl Published {
    fn show(&self, head: Head, books: Arc<Books>) {
        self.books.send_replace(books);
        self.head.send_replace(head);
    }

    fn flushed(&self, took: Duration) {
        self.flush_durations.count(took);
        self.flushes.fetch_add(1, Ordering::Relaxed);
    }

    fn tell(&self, committed: &Committed) {
        if let Some(listener) = self.listener.get() {
            listener(committed);
        }
    }
}
