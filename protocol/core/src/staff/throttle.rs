//! Slows down guessing: after some wrong PINs a person, a device and the whole store have to wait, longer each time.
//!
//! The tallies are rebuilt from facts, so a restart forgives nothing. What a PIN is and whether it was right is not known here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::facts::{Fact, PinRefused, StaffFact};
use crate::ids::{RegisterId, StaffId};
use crate::time::Instant;

/// Wrong tries that cost nothing: people slip.
pub const FORGIVEN_PERSON: i64 = 5;
pub const FORGIVEN_DEVICE: i64 = 10;
pub const FORGIVEN_STORE: i64 = 50;
/// No pause is longer.
pub const LONGEST_PAUSE_SECONDS: i64 = 900;

/// A slip of one outweighs as many in the whole store, so that those of a year never add up.
const STORE_FORGIVES: i64 = 2;

/// Wrong tries of one person, at one device, or in the whole store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub failures: i64,
    pub blocked_until: Instant,
}

impl Tally {
    /// One more wrong try.
    pub fn after_failure(before: Option<Tally>, forgiven: i64, now: Instant) -> Tally {
        // What is older than the longest pause no longer counts.
        let fresh = before.filter(|tally| seconds_since(tally.blocked_until, now) < LONGEST_PAUSE_SECONDS);
        let failures = fresh.map_or(0, |tally| tally.failures).saturating_add(1);
        let pause = match failures.saturating_sub(forgiven) {
            over if over < 0 => 0,
            over => (5i64 << over.min(10)).min(LONGEST_PAUSE_SECONDS),
        };
        Tally {
            failures,
            blocked_until: super::later(now, pause),
        }
    }

    /// Seconds still to wait, if any. A clock that was set back never makes it longer than the longest pause.
    pub fn wait(&self, now: Instant) -> Option<i64> {
        let micros = self.blocked_until.as_micros().saturating_sub(now.as_micros());
        (micros > 0).then(|| (micros / 1_000_000 + 1).min(LONGEST_PAUSE_SECONDS))
    }

    /// Somebody's right PIN, seen from the store.
    pub fn forgiven_by_store(self) -> Tally {
        Tally {
            failures: (self.failures - STORE_FORGIVES).max(0),
            ..self
        }
    }
}

fn seconds_since(then: Instant, now: Instant) -> i64 {
    now.as_micros().saturating_sub(then.as_micros()).div_euclid(1_000_000)
}

/// All tallies of one store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    people: BTreeMap<StaffId, Tally>,
    devices: BTreeMap<RegisterId, Tally>,
    store: Option<Tally>,
}

impl Throttle {
    /// Asked before a PIN is looked at, so that a pause tells nothing about it.
    pub fn may_try(&self, staff: StaffId, register: RegisterId, now: Instant) -> Result<(), Refusal> {
        let tallies = [self.people.get(&staff), self.devices.get(&register), self.store.as_ref()];
        let longest = tallies.into_iter().flatten().filter_map(|tally| tally.wait(now)).max();
        match longest {
            Some(seconds) => Err(Refusal::Throttled { seconds }),
            None => Ok(()),
        }
    }

    pub fn refused(&self, staff: StaffId, register: RegisterId) -> PinRefused {
        PinRefused { staff, register }
    }

    /// Wrong PINs count; a sign-in or an approval shows that the PIN was right.
    pub fn apply(&mut self, fact: &Fact, at: Instant) {
        match fact {
            Fact::Staff(StaffFact::PinRefused(refused)) => self.count(refused.staff, refused.register, at),
            Fact::SignedIn(signed_in) => self.forgive(signed_in.staff, signed_in.register),
            Fact::Staff(StaffFact::ApprovalGiven(given)) => self.forgive(given.approved_by, given.register),
            _ => {}
        }
    }

    fn count(&mut self, staff: StaffId, register: RegisterId, at: Instant) {
        let person = Tally::after_failure(self.people.get(&staff).copied(), FORGIVEN_PERSON, at);
        let device = Tally::after_failure(self.devices.get(&register).copied(), FORGIVEN_DEVICE, at);
        // Guesses at made-up people must not fill the memory: what no longer counts is dropped.
        let counts = |tally: &Tally| seconds_since(tally.blocked_until, at) < LONGEST_PAUSE_SECONDS;
        self.people.retain(|_, tally| counts(tally));
        self.devices.retain(|_, tally| counts(tally));
        self.people.insert(staff, person);
        self.devices.insert(register, device);
        self.store = Some(Tally::after_failure(self.store, FORGIVEN_STORE, at));
    }

    fn forgive(&mut self, staff: StaffId, register: RegisterId) {
        self.people.remove(&staff);
        self.devices.remove(&register);
        self.store = self.store.map(Tally::forgiven_by_store);
    }
}
