//! A lane to a file with one writer: gathers what waits into one commit, survives the fall of its actor.
//!
//! Owns queueing, waking and the order of commits. What a commit is belongs to the writer it carries. Callers hear the outcome from the
//! writer; a caller whose job was lost in a fall hears "unknown" and asks again.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::door::{AskError, Door};
use crate::file::FileError;
use crate::supervisor::Child;

/// Most jobs that may wait; more hear "busy".
const QUEUE: usize = 1024;
/// Most jobs of one commit.
const BATCH: usize = 64;
/// A disk that takes longer than this for one batch is answered with "unknown, ask again".
const PATIENCE: Duration = Duration::from_secs(30);

/// The one who writes a file.
pub trait BatchWriter: Send + Sized + 'static {
    type Job: Send + 'static;
    type Settings: Clone + Send + Sync + 'static;
    /// For sentences: `the journal`.
    const NAME: &'static str;

    /// Opens the file and checks what it can; nothing is acknowledged before this returned.
    fn open(settings: &Self::Settings) -> impl Future<Output = Result<Self, FileError>> + Send;

    /// Commits the jobs and answers each of them. An error drops the writer: the file is opened again.
    fn write(&mut self, jobs: Vec<Self::Job>) -> impl Future<Output = Result<(), FileError>> + Send;
}

/// The handle callers hold.
pub struct Lane<W: BatchWriter> {
    shared: Arc<Shared<W>>,
}

impl<W: BatchWriter> Clone for Lane<W> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

struct Shared<W: BatchWriter> {
    settings: W::Settings,
    jobs: mpsc::Sender<W::Job>,
    queue: Mutex<mpsc::Receiver<W::Job>>,
    woken: AtomicBool,
    waiting: AtomicUsize,
    door: Arc<Door<Message>>,
    /// One commit at a time, also across a restart of the actor.
    committing: Arc<Mutex<()>>,
}

#[derive(Debug)]
pub enum Message {
    /// Something waits in the queue.
    Wake,
    Strike,
}

impl<W: BatchWriter> Lane<W> {
    pub fn new(settings: W::Settings) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let shared = Shared {
            settings,
            jobs,
            queue: Mutex::new(queue),
            woken: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            door: Door::new(W::NAME, QUEUE),
            committing: Arc::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    pub fn settings(&self) -> &W::Settings {
        &self.shared.settings
    }

    /// Puts a job into the queue and waits until the writer answered it.
    pub async fn submit<R>(&self, make: impl FnOnce(oneshot::Sender<R>) -> W::Job) -> Result<R, AskError> {
        let name = W::NAME;
        let (reply, answer) = oneshot::channel();
        self.shared.jobs.try_send(make(reply)).map_err(|_| AskError::Busy { name })?;
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        self.wake();
        let answered = tokio::time::timeout(PATIENCE, answer).await;
        self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
        match answered {
            Ok(Ok(outcome)) => Ok(outcome),
            _ => Err(AskError::Unknown { name }),
        }
    }

    fn wake(&self) {
        if !self.shared.woken.swap(true, Ordering::AcqRel) {
            self.shared.door.tell(Message::Wake);
        }
    }

    /// How the root keeps this lane's actor alive.
    pub fn child(&self, name: &str) -> Child {
        let (spawning, striking, counting) = (self.clone(), self.shared.door.clone(), self.shared.clone());
        let gone = self.shared.door.clone();
        Child {
            name: name.to_owned(),
            spawn: Box::new(move |root| {
                let lane = spawning.clone();
                Box::pin(async move {
                    let (actor, _) = root.spawn_linked(None, LaneActor(std::marker::PhantomData), lane).await?;
                    Ok(actor.get_cell())
                })
            }),
            gone: Box::new(move || gone.closed()),
            strike: Box::new(move || striking.tell(Message::Strike)),
            waiting: Box::new(move || counting.waiting.load(Ordering::Relaxed)),
        }
    }
}

/// The actor at the end of a lane.
struct LaneActor<W>(std::marker::PhantomData<fn() -> W>);

struct State<W: BatchWriter> {
    lane: Lane<W>,
    writer: Option<W>,
}

impl<W: BatchWriter> Actor for LaneActor<W> {
    type Msg = Message;
    type State = State<W>;
    type Arguments = Lane<W>;

    async fn pre_start(&self, me: ActorRef<Message>, lane: Lane<W>) -> Result<State<W>, ActorProcessingErr> {
        let shared = &lane.shared;
        // A commit that the one before me began must be over before I look at the file.
        let before_me = shared.committing.clone().lock_owned().await;
        let writer = W::open(&shared.settings).await?;
        drop(before_me);
        shared.door.opened_by(me.clone());
        // Work may have been waiting for me.
        shared.woken.store(true, Ordering::Release);
        me.send_message(Message::Wake)?;
        Ok(State {
            lane: lane.clone(),
            writer: Some(writer),
        })
    }

    async fn handle(&self, _me: ActorRef<Message>, message: Message, state: &mut State<W>) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Wake => state.drain().await,
            Message::Strike => panic!("struck down on purpose"),
        }
    }
}

impl<W: BatchWriter> State<W> {
    /// Commits whatever waits, batch by batch; nobody waits for a batch to fill.
    async fn drain(&mut self) -> Result<(), ActorProcessingErr> {
        let shared = self.lane.shared.clone();
        shared.woken.store(false, Ordering::Release);
        let mut queue = shared.queue.lock().await;
        loop {
            let mut jobs = Vec::new();
            while jobs.len() < BATCH {
                match queue.try_recv() {
                    Ok(job) => jobs.push(job),
                    Err(_) => break,
                }
            }
            if jobs.is_empty() {
                return Ok(());
            }
            let Some(mut writer) = self.writer.take() else {
                return Err("the file is closed after an error".into());
            };
            let turn = shared.committing.clone().lock_owned().await;
            // In a task of its own: a commit that was begun outlives this actor.
            let commit = tokio::spawn(async move {
                let outcome = writer.write(jobs).await.map(|()| writer);
                drop(turn);
                outcome
            });
            self.writer = Some(commit.await??);
        }
    }
}
