//! The console service: who lives, how the machines are doing, and striking an actor down where that is allowed.
//!
//! Only looks. What it shows belongs to the supervisor, the board and the uplink.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backroom_actors::device::DeviceView;
use backroom_actors::store::Store;
use backroom_actors::supervisor::{ChildState, ChildView};
use backroom_core::ids::CommandId;
use backroom_protocol::v1::console as wire;
use backroom_protocol::v1::console::console_service_server::ConsoleService;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::Answer;
use super::errors::status;
use super::parse::command_id_bytes;

/// How often a watcher looks. The supervisor tells nobody on its own, so that screens can not slow it down.
const LOOK: Duration = Duration::from_millis(250);
/// A caller asks again within seconds, not after hundreds of other strikes.
const STRIKES_REMEMBERED: usize = 256;
/// So that what only grows older (how long an actor is up) moves on the screen too.
const HEARTBEAT: Duration = Duration::from_secs(5);

pub struct Console {
    pub store: Store,
    pub allow_faults: bool,
    pub struck: Struck,
}

/// The strikes that were carried out last, so that one said twice strikes once.
#[derive(Clone, Debug, Default)]
pub struct Struck(Arc<Mutex<VecDeque<CommandId>>>);

impl Struck {
    /// Whether this id was not heard before; from now on it was.
    fn is_new(&self, id: CommandId) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.contains(&id) {
            return false;
        }
        if last.len() >= STRIKES_REMEMBERED {
            last.pop_front();
        }
        last.push_back(id);
        true
    }

    /// It hit nothing, so it may be said again.
    fn forget(&self, id: CommandId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|known| *known != id);
    }
}

#[tonic::async_trait]
impl ConsoleService for Console {
    async fn list_actors(&self, _request: Request<wire::ListActorsRequest>) -> Answer<wire::ListActorsResponse> {
        let actors = self.store.actors().await.into_iter().map(actor).collect();
        Ok(Response::new(wire::ListActorsResponse { actors }))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<wire::WatchResponse, Status>> + Send>>;

    async fn watch(&self, _request: Request<wire::WatchRequest>) -> Answer<Self::WatchStream> {
        let (out, stream) = mpsc::channel(4);
        let console = Console {
            store: self.store.clone(),
            allow_faults: self.allow_faults,
            struck: self.struck.clone(),
        };
        tokio::spawn(async move { console.show(out).await });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn strike_actor(&self, request: Request<wire::StrikeActorRequest>) -> Answer<wire::StrikeActorResponse> {
        if !self.allow_faults {
            return Err(status(
                "faults_not_allowed",
                "this box does not allow faults; start it with allow_faults = true to try them",
            ));
        }
        let said = request.into_inner();
        let id = command_id_bytes(said.command.as_ref().map(|command| command.command_id.as_slice()))?;
        let name: String = said.name.chars().take(80).collect();
        if !self.struck.is_new(id) {
            return Ok(Response::new(wire::StrikeActorResponse {}));
        }
        if self.store.strike(name.clone()).await {
            tracing::warn!(actor = %name, "struck down on purpose");
            Ok(Response::new(wire::StrikeActorResponse {}))
        } else {
            self.struck.forget(id);
            Err(status("unknown_actor", format!("there is no actor {name:?}; list them first")))
        }
    }
}

impl Console {
    /// Feeds one screen until it leaves.
    async fn show(&self, out: mpsc::Sender<Result<wire::WatchResponse, Status>>) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shown: Option<(wire::WatchResponse, Instant)> = None;
        loop {
            tokio::select! {
                _ = look.tick() => {}
                () = out.closed() => return,
            }
            let now = self.look().await;
            let fresh = shown
                .as_ref()
                .is_none_or(|(before, at)| at.elapsed() >= HEARTBEAT || ageless(&now) != ageless(before));
            if !fresh {
                continue;
            }
            if out.send(Ok(now.clone())).await.is_err() {
                return;
            }
            shown = Some((now, Instant::now()));
        }
    }

    async fn look(&self) -> wire::WatchResponse {
        let actors = self.store.actors().await.into_iter().map(actor).collect();
        let devices = self.store.shop().board.list().into_iter().map(device).collect();
        wire::WatchResponse {
            actors,
            devices,
            store: Some(self.store_line()),
        }
    }

    fn store_line(&self) -> wire::StoreLine {
        let (identity, head) = (self.store.identity(), self.store.head());
        let link = self.store.link().borrow().clone();
        wire::StoreLine {
            store: identity.address.store.to_string(),
            store_name: identity.name.clone(),
            epoch: head.epoch.0,
            seq: head.seq.0,
            held_by_hq: link.held,
            unheld: link.unheld,
            hq_connected: link.connected,
            faults_allowed: self.allow_faults,
            trouble: link.trouble,
        }
    }
}

/// What was seen, without what changes by standing still.
fn ageless(seen: &wire::WatchResponse) -> wire::WatchResponse {
    let mut seen = seen.clone();
    for actor in &mut seen.actors {
        actor.up_ms = 0;
    }
    seen
}

fn actor(child: ChildView) -> wire::ActorView {
    wire::ActorView {
        name: child.name,
        state: match child.state {
            ChildState::Running => wire::ActorState::Running,
            ChildState::Restarting => wire::ActorState::Restarting,
            ChildState::Quarantined => wire::ActorState::Quarantined,
            ChildState::Stopped => wire::ActorState::Stopped,
        }
        .into(),
        restarts: child.restarts,
        waiting: child.waiting as u64,
        last_error: child.last_error,
        up_ms: child.up.map_or(0, |up| u64::try_from(up.as_millis()).unwrap_or(u64::MAX).max(1)),
        restarts_last_hour: child.restarts_of_late as u64,
    }
}

fn device(line: DeviceView) -> wire::DeviceLine {
    wire::DeviceLine {
        name: line.config.name.to_string(),
        kind: line.config.kind.word().into(),
        state: line.state.word().into(),
        words: line.words,
        waiting: line.waiting,
        register: line.config.register.map(|register| register.to_string()).unwrap_or_default(),
        address: line.config.address,
    }
}
