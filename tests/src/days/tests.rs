//! Honest days keep all laws, and a day that was spoiled breaks the one that looks there.

use super::*;

#[test]
fn whole_days_keep_all_laws_and_meet_everything() {
    let mut met = Met::new();
    let mut broken = Vec::new();
    for seed in 1..=400 {
        match play(seed, 30) {
            Ok(outcome) => outcome
                .met
                .into_iter()
                .for_each(|(what, times)| *met.entry(what).or_default() += times),
            Err(why) => broken.push(format!("seed {seed}: {why}")),
        }
    }
    assert!(broken.is_empty(), "{} of 400\n{}", broken.len(), broken.join("\n"));
    let never: Vec<_> = MUST_MEET.iter().filter(|what| !met.contains_key(*what)).collect();
    assert!(never.is_empty(), "never met: {never:?}\n{met:?}");
}
