//! What one store sends: checked, stored and taken in with one commit, and only then answered.
//!
//! Drives core's receiver against the tenant's database. Opens no connection and decides nothing about chains; what is
//! to be said afterwards is handed back as finished bytes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ed25519_dalek::{SigningKey, VerifyingKey};
use uuid::Uuid;

use backroom_core::directive::{Address, Directive, Forged, Resend, Signed, Watermark};
use backroom_core::federation::receiver::{Announced, Branch, Input, Limits, Link, Output, Receiver, Stretch};
use backroom_core::journal::{Epoch, Head, Seq};
use backroom_protocol::messages::{self, Batch, Hello, MessageError};

use crate::db::{self, Connection, DbError};
use crate::tenant::TenantDb;
use crate::tenant::journal;
use crate::tenant::progress::{self, Progress};
use crate::tenant::projections::{self, Stopped};
use crate::tenant::quarantine::{self, Reason};

/// No journal gets there; beyond it, numbers would no longer fit the database.
const HIGHEST_SEQ: u64 = 1 << 60;

#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Nothing was stored, and trying again would not help.
    #[error("the message cannot be read: {0}")]
    Unreadable(#[from] MessageError),
    #[error(transparent)]
    Forged(#[from] Forged),
    #[error("the message names {named:?} but came from {came_from:?}; it was dropped")]
    OtherStore { named: Address, came_from: Address },
    #[error("the message names entry {0}, which no journal reaches; it was dropped")]
    Beyond(Seq),
    /// Nothing was stored; the same message may be taken later.
    #[error("the message could not be stored; it is asked for again")]
    Db(#[from] DbError),
}

/// What head office signs with, and how a watermark says which head office it comes from.
pub struct Issuer {
    key: SigningKey,
    /// New at each start: whatever database this process opened, stores must not take it for the one they know.
    incarnation: Uuid,
    counter: AtomicU64,
}

impl Issuer {
    pub fn new(key: SigningKey) -> Issuer {
        Issuer {
            key,
            incarnation: Uuid::now_v7(),
            counter: AtomicU64::new(0),
        }
    }

    fn watermark(&self, address: Address, head: Head, applied: Seq) -> Vec<u8> {
        let counter = self.counter.fetch_add(1, Ordering::Relaxed) + 1;
        let Head { epoch, seq: held, hash } = head;
        let mark = Watermark {
            address,
            incarnation: self.incarnation,
            counter,
            epoch,
            held,
            applied,
            hash,
        };
        messages::write_watermark(&mark, &self.key)
    }

    fn resend(&self, resend: &Resend) -> Vec<u8> {
        messages::write_resend(resend, &self.key)
    }

    pub fn directive(&self, directive: &Directive) -> Vec<u8> {
        messages::write_directive(directive, &self.key)
    }
}

/// To be sent to the store, in this order, after the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    Watermark(Vec<u8>),
    /// Only to whoever asked: one message for each.
    Welcome(Vec<Vec<u8>>),
    Resend(Vec<u8>),
}

/// The counter for one store.
pub struct Intake {
    address: Address,
    key: VerifyingKey,
    db: Arc<TenantDb>,
    issuer: Arc<Issuer>,
    state: State,
}

/// A copy of what the database says; dropped when a commit failed, or when another process has written since.
struct State {
    receiver: Receiver,
    progress: BTreeMap<(Epoch, Branch), Progress>,
    /// How many times entries of this store had been taken in when the copy was made.
    version: u64,
    stale: bool,
}

impl Intake {
    pub async fn open(address: Address, key: VerifyingKey, db: Arc<TenantDb>, issuer: Arc<Issuer>) -> Result<Intake, DbError> {
        let state = State {
            receiver: Receiver::restore(address, Limits::default(), Vec::new()),
            progress: BTreeMap::new(),
            version: 0,
            stale: true,
        };
        let mut intake = Intake {
            address,
            key,
            db,
            issuer,
            state,
        };
        intake.restore().await?;
        Ok(intake)
    }

    /// Takes a batch in. The answers are to be sent after this returned, since all of it is committed by then.
    pub async fn batch(&mut self, now_ms: u64, bytes: &[u8]) -> Result<Vec<Say>, IntakeError> {
        let received = messages::read_batch(bytes)?;
        self.check_sender(received.message.head.address)?;
        received.message.head.check(&received.signature, &self.key)?;
        if received.message.head.last.0 > HIGHEST_SEQ {
            return Err(IntakeError::Beyond(received.message.head.last));
        }
        self.restore().await?;
        self.state.stale = true; // Until the commit is through.
        let outputs = self.store(now_ms, &received.message).await?;
        self.state.stale = false;
        Ok(self.say(&outputs, &[]))
    }

    /// Answers an announcement. Also says what the store claims to have answered, for the orders that wait for it.
    pub async fn hello(&mut self, now_ms: u64, bytes: &[u8]) -> Result<(Hello, Vec<Say>), IntakeError> {
        let received = messages::read_hello(bytes)?;
        let hello = received.message;
        self.check_sender(hello.address)?;
        hello.check(&received.signature, &self.key)?;
        if let Some(head) = hello.heads.iter().find(|head| head.seq.0 > HIGHEST_SEQ) {
            return Err(IntakeError::Beyond(head.seq));
        }
        self.db.announced(&hello).await?;
        self.state.stale |= journal::intakes(self.db.readers(), self.address.store).await? != self.state.version;
        self.restore().await?;
        let mut announced = Vec::with_capacity(hello.heads.len());
        let mut snapshot = self.db.snapshot().await?;
        for head in hello.heads.iter().take(Limits::default().epochs) {
            let stored = journal::branch_of(&mut snapshot, self.address.store, head.epoch, head.seq, head.hash).await?;
            announced.push(Announced { head: *head, stored });
        }
        let outputs = self.state.receiver.step(now_ms, Input::Hello { heads: announced.clone() });
        let says = self.say(&outputs, &announced);
        Ok((hello, says))
    }

    /// To be called about once a second: asks for what is missing.
    pub async fn tick(&mut self, now_ms: u64) -> Result<Vec<Say>, IntakeError> {
        self.restore().await?;
        let outputs = self.state.receiver.step(now_ms, Input::Tick);
        Ok(self.say(&outputs, &[]))
    }

    /// The watermark of the newest epoch, said again so that a store notices what head office lacks.
    pub fn newest_watermark(&self) -> Option<Vec<u8>> {
        let newest = self.state.receiver.stretches().map(|(epoch, _)| epoch).max()?;
        let head = self.state.receiver.held(newest).filter(|_| !self.state.stale)?;
        Some(self.issuer.watermark(self.address, head, self.applied(head, Branch::MAIN)))
    }

    fn check_sender(&self, named: Address) -> Result<(), IntakeError> {
        if named == self.address {
            Ok(())
        } else {
            Err(IntakeError::OtherStore {
                named,
                came_from: self.address,
            })
        }
    }

    /// Reads the database again if the last commit failed, and lets every projection try again what it stopped at.
    async fn restore(&mut self) -> Result<(), DbError> {
        if !self.state.stale {
            return Ok(());
        }
        let mut transaction = self.db.begin().await?;
        let version = journal::count_intake(&mut transaction, self.address.store).await?;
        let (state, stopped) = self.read_again(&mut transaction, version).await?;
        db::commit(transaction).await?;
        self.state = State { stale: false, ..state };
        self.sound_alarms(&stopped);
        Ok(())
    }

    async fn read_again(&self, db: &mut Connection, version: u64) -> Result<(State, Vec<Stopped>), DbError> {
        let stretches = journal::stretches(db, self.address.store).await?;
        let mut state = State {
            receiver: Receiver::restore(self.address, Limits::default(), stretches),
            progress: progress::load(db, self.address.store).await?,
            version,
            stale: true,
        };
        let stopped = catch_up(db, self.address, &mut state, None).await?;
        Ok((state, stopped))
    }

    async fn store(&mut self, now_ms: u64, batch: &Batch) -> Result<Vec<Output>, DbError> {
        let store = self.address.store;
        let head = batch.head;
        let mut transaction = self.db.begin().await?;
        let version = journal::count_intake(&mut transaction, store).await?;
        let mut stopped = Vec::new();
        if version != self.state.version + 1 {
            tracing::info!(%store, "another head office has taken entries in; looking again");
            (self.state, stopped) = self.read_again(&mut transaction, version).await?;
        }
        self.state.version = version;
        let stored = journal::stored(&mut transaction, store, head.epoch, Seq(head.first.0 - 1), head.last).await?;
        let link = |entry: &backroom_core::journal::Entry| Link {
            seq: entry.header.seq,
            prev_hash: entry.header.prev_hash,
            hash: entry.hash,
        };
        let entries = batch.entries.iter().map(link).collect();
        let outputs = self.state.receiver.step(now_ms, Input::Batch { head, entries, stored });
        for output in &outputs {
            self.write(&mut transaction, batch, output).await?;
        }
        stopped.extend(catch_up(&mut transaction, self.address, &mut self.state, Some(head.epoch)).await?);
        db::commit(transaction).await?;
        self.sound_alarms(&stopped);
        Ok(outputs)
    }

    async fn write(&self, db: &mut Connection, batch: &Batch, output: &Output) -> Result<(), DbError> {
        let Address { tenant, store } = self.address;
        match output {
            Output::Store { branch, first, last, .. } => {
                for entry in batch.entries.iter().filter(|entry| (*first..=*last).contains(&entry.header.seq)) {
                    journal::insert(db, store, *branch, entry).await?;
                }
            }
            Output::Relabel { epoch, from, to } => journal::relabel(db, store, *epoch, *from, *to).await?,
            Output::Conflict {
                epoch,
                branch,
                first,
                last,
            } => {
                let why = format!("entries {first} to {last} of epoch {epoch} exist twice and differ; two boxes may share one identity");
                if quarantine::add(db, store, (*epoch, *branch, *first), Reason::Conflict, &why).await? {
                    tracing::error!(%tenant, %store, %epoch, %first, %last, branch = branch.0, "alarm: two chains of one journal");
                }
            }
            Output::Refused { epoch, first, last, why } => {
                tracing::error!(%tenant, %store, %epoch, %first, %last, %why, "alarm: a batch was refused");
            }
            Output::Held(_) | Output::Welcome(_) | Output::AskResend(_) => {}
        }
        Ok(())
    }

    fn sound_alarms(&self, stopped: &[Stopped]) {
        let Address { tenant, store } = self.address;
        for Stopped { epoch, seq, why, .. } in stopped {
            tracing::error!(%tenant, %store, %epoch, %seq, %why, "alarm: an entry cannot be read and lies in quarantine");
        }
    }

    fn say(&self, outputs: &[Output], announced: &[Announced]) -> Vec<Say> {
        let mark = |head: &Head| {
            let branch = announced
                .iter()
                .find(|one| one.head == *head)
                .and_then(|one| one.stored)
                .unwrap_or_default();
            self.issuer.watermark(self.address, *head, self.applied(*head, branch))
        };
        let said = |output: &Output| match output {
            Output::Held(head) => Some(Say::Watermark(mark(head))),
            Output::Welcome(heads) => {
                // Newest epoch first: a box that has to open another one must know which are taken.
                let mut heads = heads.clone();
                heads.sort_by_key(|head| std::cmp::Reverse(head.epoch));
                Some(Say::Welcome(heads.iter().map(mark).collect()))
            }
            Output::AskResend(resend) => {
                let Resend {
                    epoch, first, last, round, ..
                } = resend;
                tracing::info!(tenant = %self.address.tenant, store = %self.address.store, %epoch, %first, %last, round, "asking again for entries");
                Some(Say::Resend(self.issuer.resend(resend)))
            }
            Output::Store { .. } | Output::Relabel { .. } | Output::Conflict { .. } | Output::Refused { .. } => None,
        };
        outputs.iter().filter_map(said).collect()
    }

    fn applied(&self, head: Head, branch: Branch) -> Seq {
        let progress = self.state.progress.get(&(head.epoch, branch));
        progress.map_or(Seq(0), Progress::all).min(head.seq)
    }
}

/// Takes in what is new in every chain that reaches down to its first entry; loose stretches wait for their gap to close.
async fn catch_up(db: &mut Connection, address: Address, state: &mut State, only: Option<Epoch>) -> Result<Vec<Stopped>, DbError> {
    let mut epochs: BTreeMap<Epoch, Vec<Stretch>> = BTreeMap::new();
    for (epoch, stretch) in state
        .receiver
        .stretches()
        .filter(|(epoch, _)| only.is_none_or(|only| only == *epoch))
    {
        epochs.entry(epoch).or_default().push(*stretch);
    }
    let rooted = |(epoch, all): &(Epoch, Vec<Stretch>)| {
        let held = all.iter().filter(|stretch| journal::is_rooted(all, stretch.branch));
        held.map(|stretch| (*epoch, stretch.branch, stretch.last)).collect::<Vec<_>>()
    };
    let chains: Vec<(Epoch, Branch, Seq)> = epochs.into_iter().flat_map(|epoch| rooted(&epoch)).collect();
    let mut stopped = Vec::new();
    for (epoch, branch, last) in chains {
        let progress = state.progress.entry((epoch, branch)).or_default();
        if progress.next_from().is_some_and(|from| from < last) {
            stopped.extend(projections::catch_up(db, address.store, epoch, branch, progress).await?);
        }
    }
    Ok(stopped)
}
