//! Whether this machine is ours at the moment: a loop of known length on every core, compared with its best.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

const ROUNDS: u64 = 30_000_000;
/// Below this share of the best, somebody else had the core.
pub const DISTURBED_BELOW: f64 = 0.85;

/// Rounds per second of the slowest core, all cores at once.
pub fn rounds_per_second() -> f64 {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let spinning: Vec<_> = (0..cores).map(|_| thread::spawn(one_core)).collect();
    spinning
        .into_iter()
        .filter_map(|core| core.join().ok())
        .fold(f64::INFINITY, f64::min)
}

fn one_core() -> f64 {
    let began = Instant::now();
    let mut value = 1_u64;
    for round in 0..ROUNDS {
        value = black_box(value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round));
    }
    black_box(value);
    ROUNDS as f64 / began.elapsed().as_secs_f64()
}

/// The spin checks of one run.
#[derive(Clone, Debug, Default)]
pub struct Spins(Vec<f64>);

impl Spins {
    pub fn check(&mut self) -> f64 {
        let rate = rounds_per_second();
        self.0.push(rate);
        rate
    }

    pub fn best(&self) -> f64 {
        self.0.iter().copied().fold(0.0, f64::max)
    }

    /// The worst of these rates as a share of the best of the whole run.
    pub fn share(&self, rates: &[f64]) -> f64 {
        rates.iter().copied().fold(f64::INFINITY, f64::min) / self.best()
    }
}
