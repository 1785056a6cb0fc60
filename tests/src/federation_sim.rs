//! Whole schedules of stores and a head office, many of them: the long form of the simulation in `protocol/core`.
//!
//! Owns how many, on how many cores, with which craft, and the figures. Most schedules run with stand-ins for hashes and signatures;
//! a sample runs with the real bytes of entries and messages and real signatures.

mod bytes;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use backroom_core::federation::sim::craft::Plain;
use backroom_core::federation::sim::{self, ENTRIES, FAULTS, Outcome, Reached};

use crate::figure::Figure;

use self::bytes::Bytes;

/// How many schedules.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seeds: u64,
    /// So many of them, spread evenly, with real bytes and signatures.
    pub sample: u64,
}

impl Plan {
    pub fn quick() -> Plan {
        Plan { seeds: 300, sample: 2 }
    }

    pub fn of(seeds: u64) -> Plan {
        let sample = (seeds / 1_000).clamp(4.min(seeds), 200);
        Plan { seeds, sample }
    }

    /// Whether this one is of the sample.
    fn is_real(&self, seed: u64) -> bool {
        self.sample > 0 && seed.is_multiple_of((self.seeds / self.sample).max(1))
    }
}

/// What all schedules came to.
#[derive(Debug)]
pub struct Report {
    pub figures: Vec<Figure>,
    pub reached: Reached,
    /// The lowest seed that broke a law, how, and all that happened.
    pub broken: Option<(u64, String, Vec<String>)>,
    pub holds: bool,
}

#[derive(Default)]
struct Sums {
    reached: Reached,
    played: u64,
    real: u64,
    entries: u64,
    faults: u64,
    longest_ms: u64,
    short: u64,
    broken: Option<(u64, String)>,
}

impl Sums {
    fn add(&mut self, outcome: &Outcome, real: bool) {
        self.reached.add(&outcome.reached);
        self.played += 1;
        self.real += u64::from(real);
        self.entries += u64::from(outcome.entries);
        self.faults += u64::from(outcome.faults);
        self.longest_ms = self.longest_ms.max(outcome.healed_ms);
        self.short += u64::from(outcome.entries < ENTRIES || outcome.faults < FAULTS);
        if let Some(broken) = &outcome.broken
            && self.broken.as_ref().is_none_or(|(seed, _)| outcome.seed < *seed)
        {
            self.broken = Some((outcome.seed, broken.clone()));
        }
    }
}

pub fn run(plan: &Plan, progress: impl Fn(String) + Sync) -> Report {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let sums = Mutex::new(Sums::default());
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= plan.seeds {
                        break;
                    }
                    let real = plan.is_real(seed);
                    let outcome = if real { sim::run_with(seed, Bytes::new()) } else { sim::run(seed) };
                    if outcome.broken.is_some() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    if seed > 0 && seed.is_multiple_of(10_000) {
                        progress(format!("{seed} schedules, {:.0} s", began.elapsed().as_secs_f64()));
                    }
                    match sums.lock() {
                        Ok(mut sums) => sums.add(&outcome, real),
                        Err(_) => stop.store(true, Ordering::Relaxed), // Another thread panicked and tells it itself.
                    }
                }
            });
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    report(plan, &sums.into_inner().unwrap_or_default(), seconds, cores)
}

/// The same schedule again, with all that happens in it; twice, so that it is seen to be the same.
pub fn replay(seed: u64, real: bool) -> (Outcome, Vec<String>, bool) {
    let play = || {
        if real {
            sim::trace(seed, Bytes::new())
        } else {
            sim::trace(seed, Plain)
        }
    };
    let (outcome, lines) = play();
    let same = play() == (outcome.clone(), lines.clone());
    (outcome, lines, same)
}

fn report(plan: &Plan, sums: &Sums, seconds: f64, cores: usize) -> Report {
    let rate = sums.played as f64 / seconds.max(1e-9);
    let minutes = 100_000.0 / rate.max(1e-9) / 60.0;
    let mut figures = vec![
        Figure::exactly("schedules_played", sums.played as f64, "count", plan.seeds as f64),
        Figure::raw("cores", cores as f64, "count"),
        Figure::raw("schedules_per_second", rate, "1/s"),
        // A debug build, or a machine that does other things, is slower; that is told and breaks no law.
        Figure {
            goal: Some("<= 10".into()),
            ok: Some(minutes <= 10.0),
            ..Figure::raw("minutes_for_100000", minutes, "min")
        },
        Figure::raw("schedules_with_real_bytes", sums.real as f64, "count"),
        Figure::raw("entries", sums.entries as f64, "count"),
        Figure::raw("faults", sums.faults as f64, "count"),
        Figure::raw("longest_healing", sums.longest_ms as f64 / 1e3, "s"),
        Figure::exactly("too_short_schedules", sums.short as f64, "count", 0.0),
    ];
    let mut never = false;
    for (name, times) in sums.reached.each() {
        never |= times == 0;
        figures.push(Figure {
            goal: Some(">= 1".into()),
            ok: Some(times > 0),
            ..Figure::raw(&format!("reached_{name}"), times as f64, "count")
        });
    }
    let broken = sums.broken.clone().map(|(seed, why)| {
        let (_, lines, same) = replay(seed, plan.is_real(seed));
        let why = if same {
            why
        } else {
            format!("{why}; and the seed does not replay the same")
        };
        (seed, why, lines)
    });
    Report {
        holds: broken.is_none() && !never && sums.short == 0 && sums.played == plan.seeds,
        figures,
        reached: sums.reached,
        broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_over_all_schedules() {
        let real = |plan: Plan| (0..plan.seeds).filter(|seed| plan.is_real(*seed)).count() as u64;
        assert_eq!(real(Plan::quick()), 2);
        assert_eq!(real(Plan::of(100_000)), 100);
        assert_eq!(real(Plan::of(1)), 1);
    }

    #[test]
    fn real_bytes_and_signatures_play_the_same_laws_and_replay() {
        let (outcome, lines, same) = replay(3, true);
        assert_eq!(outcome.broken, None, "{}", lines.join("\n"));
        assert!(same && outcome.reached.unknown_fields + outcome.reached.forged > 0);
    }
}
