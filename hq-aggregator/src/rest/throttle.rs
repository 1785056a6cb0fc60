//! Slows down whoever guesses passwords: per user and per address.
//!
//! An attempt is paid for before it is looked at and refunded when it was right, so asking many times at once gains nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// So many wrong attempts at once, then one per so many seconds.
struct Allowance {
    at_once: f64,
    every_seconds: f64,
}

const PER_USER: Allowance = Allowance {
    at_once: 10.0,
    every_seconds: 15.0,
};
const PER_ADDRESS: Allowance = Allowance {
    at_once: 50.0,
    every_seconds: 2.0,
};
/// Beyond this, allowances which are full again are forgotten.
const MOST_REMEMBERED: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    User(String),
    Address(Option<IpAddr>),
}

#[derive(Clone, Copy, Debug)]
struct Left {
    attempts: f64,
    at: Instant,
}

#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<Who, Left>>);

/// One attempt that was paid for.
#[derive(Debug)]
pub struct Attempt([Who; 2]);

impl Throttle {
    /// Pays for an attempt, or says in how many seconds one can be made.
    pub fn pay(&self, tenant: &str, user: &str, address: Option<IpAddr>, now: Instant) -> Result<Attempt, u64> {
        let whose = [Who::User(format!("{tenant}\0{user}")), Who::Address(address)];
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > MOST_REMEMBERED {
            all.retain(|who, left| left.now(who, now) < who.allowance().at_once);
        }
        let left = |who: &Who| all.get(who).map_or(who.allowance().at_once, |left| left.now(who, now));
        let wait = |who: &Who| (1.0 - left(who)).max(0.0) * who.allowance().every_seconds;
        let longest = whose.iter().map(wait).fold(0.0, f64::max);
        if longest > 0.0 {
            return Err((longest - 0.001).ceil().max(1.0) as u64);
        }
        for who in &whose {
            let attempts = left_after(all.get(who), who, now, -1.0);
            all.insert(who.clone(), Left { attempts, at: now });
        }
        Ok(Attempt(whose))
    }

    /// It was the right password.
    pub fn refund(&self, attempt: &Attempt, now: Instant) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for who in &attempt.0 {
            let attempts = left_after(all.get(who), who, now, 1.0);
            all.insert(who.clone(), Left { attempts, at: now });
        }
    }
}

fn left_after(left: Option<&Left>, who: &Who, now: Instant, change: f64) -> f64 {
    let most = who.allowance().at_once;
    (left.map_or(most, |left| left.now(who, now)) + change).clamp(0.0, most)
}

impl Who {
    fn allowance(&self) -> &'static Allowance {
        match self {
            Who::User(_) => &PER_USER,
            Who::Address(_) => &PER_ADDRESS,
        }
    }
}

impl Left {
    fn now(&self, who: &Who, now: Instant) -> f64 {
        let Allowance { at_once, every_seconds } = who.allowance();
        (self.attempts + now.saturating_duration_since(self.at).as_secs_f64() / every_seconds).min(*at_once)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn wrong_passwords_run_out_and_come_back_slowly() {
        let throttle = Throttle::default();
        let start = Instant::now();
        let try_at = |seconds| throttle.pay("nord", "mia", None, start + Duration::from_secs(seconds));
        for _ in 0..10 {
            try_at(0).unwrap();
        }
        assert_eq!(try_at(0).unwrap_err(), 15);
        assert_eq!(try_at(10).unwrap_err(), 5);
        try_at(15).unwrap();
        assert!(try_at(15).is_err());
        throttle.pay("nord", "ben", None, start).unwrap();
    }

    #[test]
    fn right_passwords_cost_nothing() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for _ in 0..100 {
            let attempt = throttle.pay("nord", "mia", None, now).unwrap();
            throttle.refund(&attempt, now);
        }
    }

    #[test]
    fn one_address_cannot_try_everybody() {
        let throttle = Throttle::default();
        let now = Instant::now();
        let tries = (0..100)
            .filter(|n| throttle.pay("nord", &format!("user{n}"), None, now).is_ok())
            .count();
        assert_eq!(tries, 50);
    }
}
