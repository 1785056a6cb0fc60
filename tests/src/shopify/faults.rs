//! What the stand-in is told to do wrong, for the next so many questions.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// One way to fail. `name` in JSON: `{"fault": "drop_answer", "times": 2, "only": "orderCreate"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// HTTP 200 with the error THROTTLED; nothing happens.
    Throttle,
    /// HTTP 429 with Retry-After; nothing happens.
    TooMany,
    /// HTTP 503; nothing happens.
    Unavailable,
    /// HTTP 502, though it was done.
    UnavailableAfter,
    /// It is done, and the connection breaks before the answer.
    DropAnswer,
    /// The connection breaks before anything is done.
    DropQuestion,
    /// It is done at once, and answered after `ms`.
    SlowAnswer,
    /// HTTP 401; nothing happens.
    Unauthorized,
    /// HTTP 200 with a user error, the first that fits the mutation; nothing happens.
    Refuse,
    /// The user error that the same key is being worked on; nothing happens.
    Concurrent,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub fault: Kind,
    #[serde(default = "once")]
    pub times: u32,
    /// The mutation or query it is for, `orderCreate`; any if not said.
    pub only: Option<String>,
    #[serde(default)]
    pub ms: u64,
}

fn once() -> u32 {
    1
}

/// Faults that wait for their question, oldest first.
#[derive(Debug, Default)]
pub struct Faults(VecDeque<Fault>);

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        if fault.times > 0 {
            self.0.push_back(fault);
        }
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn waiting(&self) -> Vec<Fault> {
        self.0.iter().cloned().collect()
    }

    /// The fault for a question that asks for these root fields, used up by one.
    pub fn take(&mut self, asked: &[String]) -> Option<Fault> {
        let fits = |fault: &Fault| fault.only.as_ref().is_none_or(|only| asked.contains(only));
        let place = self.0.iter().position(fits)?;
        let fault = self.0.get_mut(place)?;
        fault.times -= 1;
        let taken = fault.clone();
        if taken.times == 0 {
            self.0.remove(place);
        }
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_waits_for_its_question_and_is_used_up() {
        let mut faults = Faults::default();
        let fault = |only: Option<&str>, times| Fault {
            fault: Kind::Throttle,
            times,
            only: only.map(str::to_owned),
            ms: 0,
        };
        faults.add(fault(Some("orderCreate"), 2));
        assert!(faults.take(&["shop".into()]).is_none());
        assert!(faults.take(&["orderCreate".into()]).is_some());
        assert!(faults.take(&["orderCreate".into()]).is_some());
        assert!(faults.take(&["orderCreate".into()]).is_none());
    }
}
