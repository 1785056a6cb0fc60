//! How long and how often a register asks again: short pauses first, longer ones later, never all registers at once.

use std::time::{Duration, Instant};

use uuid::Uuid;

const FIRST_PAUSE: Duration = Duration::from_millis(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The time in which one command must be answered, with all its tries.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    total: Duration,
    longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self::of(Duration::from_secs(60))
    }
}

impl Patience {
    pub fn of(total: Duration) -> Self {
        Self {
            total,
            longest_pause: LONGEST_PAUSE,
        }
    }

    /// A client that measures how soon a box is back must not sleep through its return.
    pub fn with_longest_pause(mut self, longest: Duration) -> Self {
        self.longest_pause = longest;
        self
    }

    pub fn total(&self) -> Duration {
        self.total
    }

    pub(super) fn begin(&self) -> Waiting {
        Waiting {
            patience: *self,
            since: Instant::now(),
            pause: FIRST_PAUSE,
        }
    }
}

/// One command's patience, running out.
pub(super) struct Waiting {
    patience: Patience,
    since: Instant,
    pause: Duration,
}

impl Waiting {
    pub fn waited(&self) -> Duration {
        self.since.elapsed()
    }

    /// Waits a little; `false` when the patience is at its end.
    pub async fn pause(&mut self) -> bool {
        let left = self.patience.total.saturating_sub(self.waited());
        if left.is_zero() {
            return false;
        }
        tokio::time::sleep(jittered(self.pause).min(left)).await;
        self.pause = (self.pause * 2).min(self.patience.longest_pause);
        true
    }
}

/// Between half and the whole of a pause, so that eight tills do not return in the same instant.
fn jittered(pause: Duration) -> Duration {
    // The low bits of a UUIDv7 are random, which is all the randomness a register needs.
    let random = (Uuid::now_v7().as_u128() & 0xffff) as u32;
    pause / 2 + pause / 2 * random / 0x10000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_shortened_by_at_most_half() {
        for _ in 0..100 {
            let pause = jittered(Duration::from_millis(100));
            assert!(
                (Duration::from_millis(50)..Duration::from_millis(100)).contains(&pause),
                "{pause:?}"
            );
        }
    }

    #[tokio::test]
    async fn patience_ends() {
        let mut waiting = Patience::of(Duration::from_millis(20)).begin();
        let mut pauses = 0;
        while waiting.pause().await {
            pauses += 1;
        }
        assert!((1..=4).contains(&pauses), "{pauses}");
    }
}
