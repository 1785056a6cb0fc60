//! Lets cashiers work, holds them between two commands, or sends them home.

use std::sync::Arc;

use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Held,
    Ended,
}

/// One for a whole crew.
#[derive(Clone, Debug)]
pub struct Gate {
    state: Arc<watch::Sender<State>>,
    /// How many stand before the closed gate.
    waiting: Arc<watch::Sender<usize>>,
}

impl Gate {
    pub fn open() -> Self {
        Self {
            state: Arc::new(watch::Sender::new(State::Open)),
            waiting: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Asked before each command; `false` when it is time to go home.
    pub async fn pass(&self) -> bool {
        let mut state = self.state.subscribe();
        loop {
            match *state.borrow_and_update() {
                State::Open => return true,
                State::Ended => return false,
                State::Held => {}
            }
            self.waiting.send_modify(|waiting| *waiting += 1);
            let changed = state.changed().await;
            self.waiting.send_modify(|waiting| *waiting -= 1);
            if changed.is_err() {
                return false;
            }
        }
    }

    /// Holds everybody between two commands and waits until so many of them are.
    pub async fn hold(&self, cashiers: usize) {
        self.state.send_replace(State::Held);
        let mut waiting = self.waiting.subscribe();
        let _ = waiting.wait_for(|waiting| *waiting >= cashiers).await;
    }

    pub fn release(&self) {
        self.state.send_replace(State::Open);
    }

    pub fn end(&self) {
        self.state.send_replace(State::Ended);
    }

    pub fn has_ended(&self) -> bool {
        *self.state.borrow() == State::Ended
    }
}
