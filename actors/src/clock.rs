//! The box's clock, handed to everyone who needs the time.
//!
//! The journal never lets time run before its last entry; here is only where the time comes from.

use std::time::{SystemTime, UNIX_EPOCH};

use backroom_core::time::Instant;

/// Before this (2025-01-01) the clock was never set.
const OLDEST_TRUSTED_MICROS: i64 = 1_735_689_600_000_000;

/// Where the time comes from. The operating system, through ordinary calls, so that outside clock tools work.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

impl Clock {
    pub fn now(self) -> Instant {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Instant::from_micros(i64::try_from(since.as_micros()).unwrap_or(0)).unwrap_or(Instant::EPOCH)
    }

    /// False while the clock was obviously never set.
    pub fn trusted(self) -> bool {
        self.now().as_micros() >= OLDEST_TRUSTED_MICROS
    }
}
