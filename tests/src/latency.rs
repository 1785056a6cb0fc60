//! How long things took: every single value is kept, so that a percentile is one that really happened.

use std::time::Duration;

/// Durations in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<u32>);

impl Latencies {
    pub fn push(&mut self, took: Duration) {
        self.0.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn merge(&mut self, other: Latencies) {
        self.0.extend(other.0);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value below which so many of a thousand lie; `None` when nothing was measured.
    pub fn permille(&self, permille: usize) -> Option<Duration> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = (sorted.len() * permille).div_ceil(1000).saturating_sub(1);
        sorted.get(at).map(|micros| Duration::from_micros(u64::from(*micros)))
    }

    pub fn p50_ms(&self) -> f64 {
        self.ms(500)
    }

    pub fn p99_ms(&self) -> f64 {
        self.ms(990)
    }

    pub fn max_ms(&self) -> f64 {
        self.ms(1000)
    }

    fn ms(&self, permille: usize) -> f64 {
        self.permille(permille).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3)
    }
}

/// The middle one; of two the mean.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[len / 2],
        len => (sorted[len / 2 - 1] + sorted[len / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_happened() {
        let mut latencies = Latencies::default();
        for ms in 1..=100 {
            latencies.push(Duration::from_millis(ms));
        }
        assert_eq!(latencies.permille(500), Some(Duration::from_millis(50)));
        assert_eq!(latencies.permille(990), Some(Duration::from_millis(99)));
        assert_eq!(latencies.permille(1000), Some(Duration::from_millis(100)));
        assert!(Latencies::default().permille(500).is_none());
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
    }
}
