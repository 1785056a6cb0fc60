//! The quick form of the simulation: a thousand schedules. The long form plays many more of the same.

use super::*;

const QUICK: u64 = 1_000;

#[test]
fn whatever_breaks_everything_a_box_still_has_is_proven_in_the_end() {
    let mut all = Reached::default();
    for seed in 0..QUICK {
        let outcome = run(seed);
        if let Some(broken) = &outcome.broken {
            panic!("seed {seed}: {broken}");
        }
        all.add(&outcome.reached);
    }
    let never: Vec<_> = all.each().into_iter().filter(|(_, times)| *times == 0).collect();
    assert!(
        never.is_empty(),
        "these were never tried in {QUICK} schedules: {never:?}; all: {all:#?}"
    );
}

#[test]
fn a_seed_plays_the_same_schedule_again() {
    for seed in [1, 77, 4711] {
        assert_eq!(run(seed), run(seed));
        assert_ne!(run(seed).digest, run(seed + 1).digest);
    }
}
