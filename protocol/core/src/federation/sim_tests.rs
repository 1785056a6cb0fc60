//! The quick form of the simulation: a few hundred schedules. The long form, `measure federation-sim`, plays many more of the same.

use super::*;

const QUICK: u64 = 400;

#[test]
fn whatever_breaks_everything_a_box_still_has_is_proven_in_the_end() {
    let mut all = Reached::default();
    for seed in 0..QUICK {
        let outcome = run(seed);
        if let Some(broken) = &outcome.broken {
            panic!("seed {seed}: {broken}");
        }
        assert!(outcome.entries >= ENTRIES && outcome.faults >= FAULTS);
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

#[test]
fn a_trace_tells_the_same_schedule_line_by_line() {
    let (outcome, lines) = trace(77, Plain);
    assert_eq!(outcome, run(77));
    assert!(lines.iter().any(|line| line.contains("FAULT")) && lines.iter().any(|line| line.contains("held 1:")));
}

#[test]
fn every_slip_reads_back_from_its_bytes() {
    let hash = Hash([3; 32]);
    for slip in [
        Slip::Opened,
        Slip::Moved { item: 1, by: -2 },
        Slip::Paid { amount: -7 },
        Slip::Lent { amount: 9 },
        Slip::Smudged { item: 3, by: 300 },
        Slip::Broken {
            epoch: Epoch(1),
            after: Seq(9),
            named: hash,
        },
        Slip::BranchClosed {
            epoch: Epoch(2),
            tip: Seq(8),
            hash,
        },
    ] {
        assert_eq!(Slip::from_bytes(&slip.bytes()), Some(slip));
    }
}
