//! The root of the tree: starts actors in order, brings back those that fall, and stops them in reverse order.
//!
//! Restarts at once, then with growing pauses; an actor that keeps falling is quarantined and shown, and tried again later, so that
//! no other till notices. Knows nothing of what its children do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SpawnErr, SupervisionEvent};

/// So many falls within the window, and an actor is set aside.
const FALLS_ALLOWED: usize = 12;
const FALLS_WINDOW: Duration = Duration::from_secs(20);
const QUARANTINE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How far back the actor page counts restarts of late. Pauses and quarantine keep them to about a thousand.
const OF_LATE: Duration = Duration::from_secs(3600);

/// Where a child stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildState {
    Running,
    Restarting,
    Quarantined,
    Stopped,
}

/// A line of the actor page.
#[derive(Clone, Debug)]
pub struct ChildView {
    pub name: String,
    pub state: ChildState,
    pub restarts: u64,
    /// Of those, the ones within the last hour.
    pub restarts_of_late: usize,
    /// Since it was started or restarted; `None` while it is not running.
    pub up: Option<Duration>,
    pub waiting: usize,
    pub last_error: String,
}

/// Starts the actor under the given supervisor. Called again for each restart.
pub type Spawn = Box<dyn Fn(ActorCell) -> BoxFuture<'static, Result<ActorCell, SpawnErr>> + Send + Sync>;

/// How to keep one actor alive.
pub struct Child {
    pub name: String,
    pub spawn: Spawn,
    /// The actor is gone: shut its door until it is back.
    pub gone: Box<dyn Fn() + Send + Sync>,
    /// Makes it panic on purpose.
    pub strike: Box<dyn Fn() + Send + Sync>,
    pub waiting: Box<dyn Fn() -> usize + Send + Sync>,
}

pub enum Message {
    /// Start this child and keep it. A name that is there already is left alone.
    Adopt {
        child: Child,
        reply: RpcReplyPort<Result<(), String>>,
    },
    Restart {
        name: String,
    },
    List {
        reply: RpcReplyPort<Vec<ChildView>>,
    },
    /// `false` when there is no such child.
    Strike {
        name: String,
        reply: RpcReplyPort<bool>,
    },
    /// Stops all children, last started first.
    Stop {
        patience: Duration,
        reply: RpcReplyPort<()>,
    },
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Message::Adopt { .. } => "Adopt",
            Message::Restart { .. } => "Restart",
            Message::List { .. } => "List",
            Message::Strike { .. } => "Strike",
            Message::Stop { .. } => "Stop",
        })
    }
}

/// The supervisor itself has no settings.
pub struct Supervisor;

struct Kept {
    child: Child,
    cell: Option<ActorCell>,
    state: ChildState,
    restarts: u64,
    restarted_at: Vec<Instant>,
    running_since: Instant,
    falls: Vec<Instant>,
    last_error: String,
}

pub struct State {
    children: Vec<Kept>,
    by_id: HashMap<ActorId, String>,
    stopping: bool,
    /// What the tree looks like, readable without asking.
    seed: u64,
}

/// Which of a store's actors do not run right now, for the status line.
#[derive(Clone, Default)]
pub struct Trouble(Arc<Mutex<Vec<String>>>);

impl Trouble {
    pub fn names(&self) -> Vec<String> {
        self.0.lock().map(|names| names.clone()).unwrap_or_default()
    }

    fn set(&self, name: &str, present: bool) {
        if let Ok(mut names) = self.0.lock() {
            names.retain(|known| known != name);
            if present {
                names.push(name.to_owned());
            }
        }
    }
}

impl Actor for Supervisor {
    type Msg = Message;
    type State = (State, Trouble);
    type Arguments = Trouble;

    async fn pre_start(&self, _me: ActorRef<Message>, trouble: Trouble) -> Result<Self::State, ActorProcessingErr> {
        Ok((
            State {
                children: Vec::new(),
                by_id: HashMap::new(),
                stopping: false,
                seed: 0x9e37_79b9_7f4a_7c15,
            },
            trouble,
        ))
    }

    async fn handle(&self, me: ActorRef<Message>, message: Message, (state, trouble): &mut Self::State) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Adopt { child, reply } => drop(reply.send(state.adopt(&me, child).await)),
            Message::Restart { name } => state.start(&me, trouble, &name).await,
            Message::List { reply } => drop(reply.send(state.list())),
            Message::Strike { name, reply } => drop(reply.send(state.strike(&name))),
            Message::Stop { patience, reply } => {
                state.stop(patience).await;
                drop(reply.send(()));
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<Message>,
        event: SupervisionEvent,
        (state, trouble): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) => state.fell(&me, trouble, cell.get_id(), error.to_string()),
            SupervisionEvent::ActorTerminated(cell, _, reason) => {
                state.fell(&me, trouble, cell.get_id(), reason.unwrap_or_else(|| "it stopped".into()))
            }
            _ => {}
        }
        Ok(())
    }
}

impl State {
    async fn adopt(&mut self, me: &ActorRef<Message>, child: Child) -> Result<(), String> {
        if self.children.iter().any(|kept| kept.child.name == child.name) {
            return Ok(());
        }
        let name = child.name.clone();
        let cell = (child.spawn)(me.get_cell())
            .await
            .map_err(|error| format!("{name} could not start: {error}"))?;
        self.by_id.insert(cell.get_id(), name);
        let kept = Kept {
            child,
            cell: Some(cell),
            state: ChildState::Running,
            restarts: 0,
            restarted_at: Vec::new(),
            running_since: Instant::now(),
            falls: Vec::new(),
            last_error: String::new(),
        };
        self.children.push(kept);
        Ok(())
    }

    /// A child is gone. Decides when it comes back.
    fn fell(&mut self, me: &ActorRef<Message>, trouble: &Trouble, id: ActorId, error: String) {
        let Some(name) = self.by_id.remove(&id) else { return };
        let stopping = self.stopping;
        let jitter = self.jitter();
        let Some(kept) = self.children.iter_mut().find(|kept| kept.child.name == name) else {
            return;
        };
        (kept.child.gone)();
        kept.cell = None;
        if stopping {
            kept.state = ChildState::Stopped;
            return;
        }
        tracing::error!(actor = %name, %error, restarts = kept.restarts, "actor fell");
        kept.last_error = error;
        let pause = kept.pause(jitter);
        trouble.set(&name, true);
        if pause.is_zero() {
            let _ = me.send_message(Message::Restart { name }); // The root is alive, it runs this line.
        } else {
            me.send_after(pause, move || Message::Restart { name });
        }
    }

    async fn start(&mut self, me: &ActorRef<Message>, trouble: &Trouble, name: &str) {
        if self.stopping {
            return;
        }
        let jitter = self.jitter();
        let Some(kept) = self.children.iter_mut().find(|kept| kept.child.name == name && kept.cell.is_none()) else {
            return;
        };
        kept.restarts += 1;
        let now = Instant::now();
        kept.restarted_at.retain(|at| now.duration_since(*at) < OF_LATE);
        kept.restarted_at.push(now);
        match (kept.child.spawn)(me.get_cell()).await {
            Ok(cell) => {
                self.by_id.insert(cell.get_id(), name.to_owned());
                kept.cell = Some(cell);
                kept.state = ChildState::Running;
                kept.running_since = Instant::now();
                trouble.set(name, false);
                tracing::info!(actor = %name, restarts = kept.restarts, "actor is back");
            }
            Err(error) => {
                kept.last_error = error.to_string();
                let pause = kept.pause(jitter).max(Duration::from_millis(20));
                tracing::error!(actor = %name, error = %kept.last_error, ?pause, "actor could not be restarted");
                trouble.set(name, true);
                let name = name.to_owned();
                me.send_after(pause, move || Message::Restart { name });
            }
        }
    }

    fn list(&self) -> Vec<ChildView> {
        let now = Instant::now();
        let view = |kept: &Kept| ChildView {
            name: kept.child.name.clone(),
            state: kept.state,
            restarts: kept.restarts,
            restarts_of_late: kept.restarted_at.iter().filter(|at| now.duration_since(**at) < OF_LATE).count(),
            up: kept.cell.as_ref().map(|_| now.duration_since(kept.running_since)),
            waiting: (kept.child.waiting)(),
            last_error: kept.last_error.clone(),
        };
        self.children.iter().map(view).collect()
    }

    fn strike(&self, name: &str) -> bool {
        let found = self.children.iter().find(|kept| kept.child.name == name);
        if let Some(kept) = found {
            (kept.child.strike)();
        }
        found.is_some()
    }

    async fn stop(&mut self, patience: Duration) {
        self.stopping = true;
        for kept in self.children.iter_mut().rev() {
            let Some(cell) = kept.cell.take() else { continue };
            let stopped = cell.stop_and_wait(Some("the box is stopping".into()), Some(patience)).await;
            if stopped.is_err() {
                tracing::warn!(actor = %kept.child.name, "actor did not stop in time and is killed");
                cell.kill();
            }
            (kept.child.gone)();
            kept.state = ChildState::Stopped;
        }
    }

    /// Spreads restarts of many actors; needs no good randomness.
    fn jitter(&mut self) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % 50
    }
}

impl Kept {
    /// At once after a first fall, then 10, 20, 40 ms ...; set aside when it keeps falling.
    fn pause(&mut self, jitter_percent: u64) -> Duration {
        let now = Instant::now();
        self.falls.retain(|fall| now.duration_since(*fall) < FALLS_WINDOW);
        self.falls.push(now);
        let falls = self.falls.len();
        if falls > FALLS_ALLOWED {
            self.state = ChildState::Quarantined;
            self.falls.clear();
            return QUARANTINE;
        }
        self.state = ChildState::Restarting;
        if falls <= 1 {
            return Duration::ZERO;
        }
        let pause = Duration::from_millis(10 << (falls - 2).min(9)).min(LONGEST_PAUSE);
        pause + pause * u32::try_from(jitter_percent).unwrap_or(0) / 100
    }
}
