//! Figures of a running box, counted since its start: for metrics and the status line. Facts stand in the journal; nothing is decided by these.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backroom_core::facts::{Fact, TicketEnd};

/// Upper ends of a flush's durations, in microseconds: from a fast disk with a battery to one that is about to die.
const FLUSH_UP_TO_MICROS: [u64; 12] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000, 2_000_000,
];

/// How long something took, counted by classes.
#[derive(Debug, Default)]
pub struct Durations {
    /// One more than there are ends: what took longer than the last.
    classes: [AtomicU64; FLUSH_UP_TO_MICROS.len() + 1],
    total_micros: AtomicU64,
}

impl Durations {
    pub fn count(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let class = FLUSH_UP_TO_MICROS.partition_point(|end| *end < micros);
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        self.total_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Each class's upper end in seconds, with all that took at most so long; then how many there were, and their seconds together.
    pub fn so_far(&self) -> (Vec<(f64, u64)>, u64, f64) {
        let mut sum = 0;
        let mut classes = Vec::with_capacity(FLUSH_UP_TO_MICROS.len());
        for (end, counted) in FLUSH_UP_TO_MICROS.iter().zip(&self.classes) {
            sum += counted.load(Ordering::Relaxed);
            classes.push((*end as f64 / 1e6, sum));
        }
        let longer = self.classes[FLUSH_UP_TO_MICROS.len()].load(Ordering::Relaxed);
        (classes, sum + longer, self.total_micros.load(Ordering::Relaxed) as f64 / 1e6)
    }
}

/// Shared by whoever counts and whoever shows.
#[derive(Debug, Default)]
pub struct Figures {
    sales: AtomicU64,
    returns: AtomicU64,
    refused: Mutex<BTreeMap<String, u64>>,
}

impl Figures {
    /// The journal committed this.
    pub fn committed(&self, fact: &Fact) {
        let Fact::TicketClosed(ticket) = fact else { return };
        let counter = match ticket.end {
            TicketEnd::Sale | TicketEnd::Exchange => &self.sales,
            TicketEnd::Return | TicketEnd::Cancellation => &self.returns,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// A command was refused with this code, which is one of the table of refusals.
    pub fn refused(&self, code: &str) {
        let Ok(mut refused) = self.refused.lock() else { return };
        match refused.get_mut(code) {
            Some(times) => *times += 1,
            None => drop(refused.insert(code.to_owned(), 1)),
        }
    }

    pub fn sales(&self) -> u64 {
        self.sales.load(Ordering::Relaxed)
    }

    pub fn returns(&self) -> u64 {
        self.returns.load(Ordering::Relaxed)
    }

    pub fn refusals(&self) -> BTreeMap<String, u64> {
        self.refused.lock().map(|refused| refused.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_in_its_class_and_all_above() {
        let durations = Durations::default();
        for micros in [50, 100, 101, 3_000, 10_000_000] {
            durations.count(Duration::from_micros(micros));
        }
        let (classes, count, seconds) = durations.so_far();
        assert_eq!(classes[0], (0.0001, 2));
        assert_eq!(classes[1], (0.0002, 3));
        assert_eq!(classes[5], (0.005, 4));
        assert_eq!(
            classes.last().copied(),
            Some((2.0, 4)),
            "what took longest is in no class but the one without an end"
        );
        assert_eq!(count, 5);
        assert!((seconds - 10.003_251).abs() < 1e-9);
    }
}
