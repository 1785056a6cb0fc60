//! The batches on their way: published, acknowledged, to be published again; and the ranges head office asked for.
//!
//! Bounded, and knows nothing of epochs, marks or what is held: the sender says when a batch is done.

use super::{Limits, Message};
use crate::journal::{Epoch, Seq};

#[derive(Debug, Clone, Default)]
pub struct Outbox {
    flights: Vec<Flight>,
    /// To be sent again before anything new, lowest first, none touching another.
    asked: Vec<Range>,
    round: u64,
}

#[derive(Debug, Clone, Copy)]
struct Flight {
    message: Message,
    state: State,
    patience_ms: u64,
    /// Head office asked for it, and will ask again for as long as it misses it. Not waiting for a mark here keeps a gap from
    /// being stuck behind later batches which are themselves waiting for that gap.
    until_ack: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be published at that time.
    Due(u64),
    Flying {
        since_ms: u64,
    },
    Acked {
        since_ms: u64,
    },
}

#[derive(Debug, Clone, Copy)]
pub struct Range {
    pub epoch: Epoch,
    pub first: Seq,
    pub last: Seq,
}

impl Outbox {
    /// Acknowledgements of the old connection will not come any more.
    pub fn reconnected(&mut self, now_ms: u64) {
        for flight in &mut self.flights {
            if let State::Flying { .. } = flight.state {
                flight.state = State::Due(now_ms);
            }
        }
    }

    /// Everything goes up anew, and the broker may still know the ids of before.
    pub fn start_over(&mut self) {
        self.flights.clear();
        self.asked.clear();
        self.round = self.round.saturating_add(1);
    }

    /// `done`: no mark needs to be waited for.
    pub fn acked(&mut self, now_ms: u64, message: Message, done: bool) {
        let Some(at) = self.flights.iter().position(|flight| flight.message == message) else {
            return;
        };
        if done || self.flights[at].until_ack {
            self.flights.remove(at);
        } else {
            self.flights[at].state = State::Acked { since_ms: now_ms };
        }
    }

    pub fn failed(&mut self, again_ms: u64, message: Message) {
        if let Some(flight) = self.flights.iter_mut().find(|flight| flight.message == message) {
            flight.state = State::Due(again_ms);
        }
    }

    pub fn cut(&mut self, message: Message, last: Seq) {
        let Some(flight) = self.flights.iter_mut().find(|flight| flight.message == message) else {
            return;
        };
        if last >= message.first && last < message.last {
            flight.message.last = last;
            let (epoch, first, last) = (message.epoch, Seq(last.0 + 1), message.last);
            self.queue(Range { epoch, first, last }); // At most one per flight, so the queue stays bounded.
        }
    }

    /// A mark covers this epoch up to `held`.
    pub fn covered(&mut self, epoch: Epoch, held: Seq) {
        let covered = |flight: &Flight| flight.message.epoch == epoch && flight.message.last <= held;
        self.flights.retain(|flight| flight.until_ack || !covered(flight));
    }

    /// Nothing of this epoch is on its way any more.
    pub fn abandon(&mut self, epoch: Epoch) {
        self.flights.retain(|flight| flight.message.epoch != epoch);
        self.asked.retain(|range| range.epoch != epoch);
        // What goes up anew is cut otherwise, and the broker may know the old ids.
        self.round = self.round.saturating_add(1);
    }

    /// No mark will ever cover what is left of this epoch.
    pub fn expect_no_marks(&mut self, epoch: Epoch) {
        let acked = |flight: &Flight| matches!(flight.state, State::Acked { .. });
        self.flights.retain(|flight| flight.message.epoch != epoch || !acked(flight));
    }

    pub fn any_overdue(&self, now_ms: u64) -> bool {
        self.flights.iter().any(|flight| flight.overdue(now_ms))
    }

    /// Head office is there and did not get these: the stream must have lost them.
    pub fn send_overdue_again(&mut self, now_ms: u64, limits: &Limits) {
        for flight in self.flights.iter_mut().filter(|flight| flight.overdue(now_ms)) {
            self.round = self.round.saturating_add(1);
            flight.message.round = self.round;
            flight.state = State::Due(now_ms);
            flight.patience_ms = (flight.patience_ms * 2).min(limits.longest_patience_ms);
        }
    }

    /// Head office lacks a range. When too many wait already it is forgotten; head office will ask again.
    pub fn ask(&mut self, range: Range, round: u64, limits: &Limits) {
        if self.asked.len() >= limits.asked_ranges {
            return;
        }
        self.queue(range);
        self.round = self.round.saturating_add(1).max(round);
        self.flights.retain(|flight| !range.contains(&flight.message));
    }

    fn queue(&mut self, mut range: Range) {
        self.asked.retain(|other| {
            let touches = other.epoch == range.epoch && other.first.0 <= range.last.0 + 1 && range.first.0 <= other.last.0 + 1;
            if touches {
                (range.first, range.last) = (range.first.min(other.first), range.last.max(other.last));
            }
            !touches
        });
        let before = |other: &Range| (other.epoch, other.first) < (range.epoch, range.first);
        self.asked.insert(self.asked.partition_point(before), range);
    }

    /// The next batch of what was asked for, if there is one and room for it.
    pub fn next_asked(&mut self, limits: &Limits) -> Option<Range> {
        let under_way = self.flights.iter().filter(|flight| flight.until_ack).count();
        let next = self.asked.first_mut().filter(|_| under_way < limits.in_flight)?;
        let last = next.last.min(Seq(next.first.0 + limits.batch_entries.max(1) - 1));
        let taken = Range { last, ..*next };
        next.first = Seq(last.0 + 1);
        if next.first > next.last {
            self.asked.remove(0);
        }
        Some(taken)
    }

    pub fn room_for_new(&self, limits: &Limits) -> bool {
        self.flights.iter().filter(|flight| !flight.until_ack).count() < limits.in_flight
    }

    pub fn send(&mut self, now_ms: u64, range: Range, until_ack: bool, limits: &Limits) -> Message {
        let Range { epoch, first, last } = range;
        let round = self.round;
        let message = Message { epoch, first, last, round };
        let state = State::Flying { since_ms: now_ms };
        let patience_ms = limits.patience_ms;
        self.flights.push(Flight {
            message,
            state,
            patience_ms,
            until_ack,
        });
        message
    }

    /// What failed, or was not answered by the broker in time, under its old id: it may be there or not.
    pub fn repeat(&mut self, now_ms: u64, limits: &Limits) -> Vec<Message> {
        let again = |flight: &&mut Flight| match flight.state {
            State::Due(at_ms) => at_ms <= now_ms,
            State::Flying { since_ms } => now_ms.saturating_sub(since_ms) >= limits.ack_ms,
            State::Acked { .. } => false,
        };
        let fly = |flight: &mut Flight| {
            flight.state = State::Flying { since_ms: now_ms };
            flight.message
        };
        self.flights.iter_mut().filter(again).map(fly).collect()
    }
}

impl Flight {
    fn overdue(&self, now_ms: u64) -> bool {
        matches!(self.state, State::Acked { since_ms } if now_ms.saturating_sub(since_ms) >= self.patience_ms)
    }
}

impl Range {
    fn contains(&self, message: &Message) -> bool {
        self.epoch == message.epoch && self.first <= message.first && message.last <= self.last
    }
}
