//! The way in to an actor: counts who waits, says "busy" in time, and survives the actor behind it.
//!
//! Owns no state of the shop. An actor may die and come back; the door stays, and who asks meanwhile waits a little or hears
//! why it can not be answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ractor::{Actor, ActorRef, Message, RpcReplyPort};
use tokio::sync::{oneshot, watch};

use crate::supervisor::Child;

/// Why a question was not answered. In each case the caller may ask again with the same command id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error("{name} has more work than it can take; try again in a moment")]
    Busy { name: &'static str },
    #[error("{name} is being restarted; try again in a moment")]
    Away { name: &'static str },
    #[error("{name} stopped before it answered; ask again with the same command to learn what happened")]
    Unknown { name: &'static str },
}

/// A door to one actor.
pub struct Door<M: Message> {
    /// What kind of actor this is, for sentences: `journal`, `register`.
    kind: &'static str,
    actor: watch::Sender<Option<ActorRef<M>>>,
    waiting: AtomicUsize,
    limit: usize,
}

impl<M: Message> Door<M> {
    pub fn new(kind: &'static str, limit: usize) -> Arc<Self> {
        Arc::new(Self {
            kind,
            actor: watch::Sender::new(None),
            waiting: AtomicUsize::new(0),
            limit,
        })
    }

    /// The actor behind the door was started (again).
    pub fn opened_by(&self, actor: ActorRef<M>) {
        self.actor.send_replace(Some(actor));
    }

    pub fn closed(&self) {
        self.actor.send_replace(None);
    }

    /// Questions let in and not answered yet.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Asks and waits for the answer, at most `patience`.
    pub async fn ask<R: Send + 'static>(&self, make: impl FnOnce(RpcReplyPort<R>) -> M, patience: Duration) -> Result<R, AskError> {
        let name = self.kind;
        let _guest = Guest::enter(&self.waiting, self.limit).ok_or(AskError::Busy { name })?;
        let deadline = tokio::time::Instant::now() + patience;
        let at_home = self.actor.borrow().clone();
        let actor = match at_home {
            Some(actor) => actor,
            None => {
                let mut seat = self.actor.subscribe();
                let come_back = seat.wait_for(Option::is_some);
                match tokio::time::timeout_at(deadline, come_back).await {
                    Ok(Ok(actor)) => actor.clone().ok_or(AskError::Away { name })?,
                    _ => return Err(AskError::Away { name }),
                }
            }
        };
        let (reply, answer) = oneshot::channel();
        actor.send_message(make(reply.into())).map_err(|_| AskError::Away { name })?;
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            _ => Err(AskError::Unknown { name }),
        }
    }

    /// Tells without waiting; lost when nobody is there, so never the only way a fact travels.
    pub fn tell(&self, message: M) {
        if let Some(actor) = self.actor.borrow().as_ref() {
            let _ = actor.send_message(message); // The actor may be on its way out; it rereads its state when it is back.
        }
    }
}

impl<M: Message> Door<M> {
    /// How the root keeps the actor behind this door alive; `make` gives the actor and its arguments for each start.
    pub fn child<A: Actor<Msg = M>>(
        self: &Arc<Self>,
        name: impl Into<String>,
        strike: fn() -> M,
        make: impl Fn() -> (A, A::Arguments) + Send + Sync + 'static,
    ) -> Child {
        let (gone, struck, counted) = (self.clone(), self.clone(), self.clone());
        Child {
            name: name.into(),
            spawn: Box::new(move |root| {
                let (actor, arguments) = make();
                Box::pin(async move {
                    let (actor, _) = root.spawn_linked(None, actor, arguments).await?;
                    Ok(actor.get_cell())
                })
            }),
            gone: Box::new(move || gone.closed()),
            strike: Box::new(move || struck.tell(strike())),
            waiting: Box::new(move || counted.waiting()),
        }
    }
}

/// One who was let in; leaving is automatic.
struct Guest<'a>(&'a AtomicUsize);

impl<'a> Guest<'a> {
    fn enter(waiting: &'a AtomicUsize, limit: usize) -> Option<Self> {
        let guest = Guest(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < limit).then_some(guest)
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
