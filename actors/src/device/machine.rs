//! The actor of one machine on a counter: keeps its worker at work, and is what falls when something in it goes wrong.
//!
//! The worker holds the link and does one job after the other, each from what the journal wants to how it ended. It outlives an actor that
//! is struck down until the job in its hands has an end, and its successor waits for it: two never speak to one machine.

use std::sync::Arc;

use backroom_core::ids::{DeviceId, TicketId};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::{Notify, watch};

use crate::door::Door;
use crate::supervisor::Child;

#[derive(Debug)]
pub enum Message {
    /// The journal wants something of this machine.
    Work,
    /// A person wants the payment of this ticket given up.
    GiveUp {
        ticket: TicketId,
    },
    WorkerEnded,
    Strike,
}

/// What the worker hears while it works.
#[derive(Clone)]
pub struct Hands {
    work: Arc<Notify>,
    give_up: watch::Receiver<Option<TicketId>>,
    stop: watch::Receiver<bool>,
}

impl Hands {
    /// Waits until there may be something to do. At once when something came since the last wait.
    pub async fn work(&self) {
        self.work.notified().await;
    }

    pub fn stopping(&self) -> bool {
        *self.stop.borrow() || self.stop.has_changed().is_err()
    }

    /// Returns when the actor has gone.
    pub async fn stopped(&self) {
        let mut stop = self.stop.clone();
        let _ = stop.wait_for(|stop| *stop).await; // An actor that is gone altogether means the same.
    }

    /// What was given up before belongs to payments before.
    pub fn forget_given_up(&mut self) {
        self.give_up.mark_unchanged();
    }

    /// Returns when a person wants this ticket's payment given up.
    pub async fn given_up(&self, ticket: TicketId) {
        let mut give_up = self.give_up.clone();
        while give_up.changed().await.is_ok() {
            if *give_up.borrow_and_update() == Some(ticket) {
                return;
            }
        }
        std::future::pending::<()>().await;
    }
}

/// What a machine's worker does from its start until it is told to stop.
pub type Worker = Arc<dyn Fn(Hands) -> BoxFuture<'static, ()> + Send + Sync>;

/// The actor.
pub struct Machine;

pub struct State {
    work: Arc<Notify>,
    give_up: watch::Sender<Option<TicketId>>,
    stop: watch::Sender<bool>,
}

pub struct Arguments {
    worker: Worker,
    door: Arc<Door<Message>>,
    /// Held by the worker: one at a time, whatever falls.
    desk: Arc<tokio::sync::Mutex<()>>,
}

/// How the root keeps a machine's actor alive.
pub fn child(device: DeviceId, door: &Arc<Door<Message>>, worker: Worker) -> Child {
    let desk = Arc::new(tokio::sync::Mutex::new(()));
    let own = door.clone();
    door.child(
        format!("device/{device}"),
        || Message::Strike,
        move || {
            let arguments = Arguments {
                worker: worker.clone(),
                door: own.clone(),
                desk: desk.clone(),
            };
            (Machine, arguments)
        },
    )
}

impl Actor for Machine {
    type Msg = Message;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(&self, me: ActorRef<Message>, arguments: Arguments) -> Result<State, ActorProcessingErr> {
        let Arguments { worker, door, desk } = arguments;
        let state = State {
            work: Arc::new(Notify::new()),
            give_up: watch::Sender::new(None),
            stop: watch::Sender::new(false),
        };
        let hands = Hands {
            work: state.work.clone(),
            give_up: state.give_up.subscribe(),
            stop: state.stop.subscribe(),
        };
        // What the journal wanted before this start is looked at first.
        state.work.notify_one();
        let told = me.clone();
        tokio::spawn(async move {
            let _desk = desk.lock().await;
            if !hands.stopping() {
                let worked = std::panic::AssertUnwindSafe(worker(hands)).catch_unwind().await;
                if worked.is_err() {
                    tracing::error!("a machine's worker panicked");
                }
            }
            let _ = told.send_message(Message::WorkerEnded); // The actor may be the one that ended.
        });
        door.opened_by(me);
        Ok(state)
    }

    async fn handle(&self, _me: ActorRef<Message>, message: Message, state: &mut State) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Work => state.work.notify_one(),
            Message::GiveUp { ticket } => drop(state.give_up.send_replace(Some(ticket))),
            Message::WorkerEnded => return Err("its worker ended".into()),
            Message::Strike => panic!("struck down on purpose"),
        }
        Ok(())
    }

    async fn post_stop(&self, _me: ActorRef<Message>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.stop.send_replace(true);
        Ok(())
    }
}
