//! What one step found, and the closing lines of the whole run.
//!
//! Owns the arithmetic of passed, failed and skipped, and the promise about the last ten lines: every skip with its reason,
//! then the count alone on the last line. Runs nothing.

use std::time::Duration;

/// Skips that still fit into the last ten lines beside the count and a line for the rest.
const SKIPS_SHOWN: usize = 8;

/// What one step found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    /// One sentence for each failed thing, or for several that share a cause.
    pub faults: Vec<String>,
    pub skips: Vec<Skip>,
}

/// Something that was not looked at, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    pub what: String,
    pub reason: String,
    pub count: u64,
}

/// A step that is over.
pub struct Done {
    pub name: &'static str,
    pub tally: Tally,
    pub took: Duration,
}

impl Tally {
    pub fn failure(fault: impl Into<String>) -> Self {
        let mut tally = Self::default();
        tally.fail(fault);
        tally
    }

    pub fn skipped(what: &str, reason: &str) -> Self {
        let skip = Skip {
            what: what.to_owned(),
            reason: reason.to_owned(),
            count: 1,
        };
        Self {
            skips: vec![skip],
            ..Self::default()
        }
    }

    pub fn pass(&mut self) {
        self.passed += 1;
    }

    pub fn fail(&mut self, fault: impl Into<String>) {
        self.failed += 1;
        self.faults.push(fault.into());
    }

    /// One check: it passed when nothing was found, else it failed once for all that was found.
    pub fn check(&mut self, what: &str, found: &[String]) {
        const SHOWN: usize = 20;
        if found.is_empty() {
            return self.pass();
        }
        let mut fault = format!("{what}:");
        for one in found.iter().take(SHOWN) {
            fault.push_str("\n    ");
            fault.push_str(one);
        }
        if found.len() > SHOWN {
            fault.push_str(&format!("\n    and {} more", found.len() - SHOWN));
        }
        self.fail(fault);
    }

    pub fn skipped_count(&self) -> u64 {
        self.skips.iter().map(|skip| skip.count).sum()
    }

    /// True when others may rely on this step: something was checked, and nothing failed or was left out whole.
    pub fn is_clean(&self) -> bool {
        self.failed == 0 && self.passed > 0
    }

    pub fn counts(&self) -> String {
        counts(self.passed, self.failed, self.skipped_count())
    }
}

pub fn all_passed(done: &[Done]) -> bool {
    let passed: u64 = done.iter().map(|step| step.tally.passed).sum();
    passed > 0 && done.iter().all(|step| step.tally.failed == 0)
}

/// The last lines of a run: a table of the steps, what failed, what was skipped, and the count.
pub fn closing(done: &[Done], took: Duration) -> Vec<String> {
    let mut lines = Vec::new();
    for step in done {
        let verdict = match &step.tally {
            tally if tally.failed > 0 => "FAILED",
            tally if tally.passed == 0 => "skipped",
            _ => "ok",
        };
        lines.push(format!(
            "{:<10} {:<7} {:>7.1} s  {}",
            step.name,
            verdict,
            step.took.as_secs_f64(),
            step.tally.counts()
        ));
    }
    lines.push(format!("{:<10} {:<7} {:>7.1} s", "all", "", took.as_secs_f64()));
    for step in done {
        for fault in &step.tally.faults {
            lines.push(format!("FAILED {}: {}", step.name, fault.lines().next().unwrap_or_default()));
        }
    }
    let skips: Vec<&Skip> = done.iter().flat_map(|step| &step.tally.skips).collect();
    for skip in skips.iter().take(SKIPS_SHOWN) {
        lines.push(format!("SKIPPED {}: {}", skip.what, skip.reason));
    }
    if skips.len() > SKIPS_SHOWN {
        lines.push(format!(
            "SKIPPED {} more: each is printed with its step above",
            skips.len() - SKIPS_SHOWN
        ));
    }
    let passed = done.iter().map(|step| step.tally.passed).sum();
    let failed = done.iter().map(|step| step.tally.failed).sum();
    let skipped = done.iter().map(|step| step.tally.skipped_count()).sum();
    lines.push(counts(passed, failed, skipped));
    lines
}

fn counts(passed: u64, failed: u64, skipped: u64) -> String {
    match skipped {
        0 => format!("{passed} passed, {failed} failed"),
        _ => format!("{passed} passed, {failed} failed, {skipped} skipped"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(tally: Tally) -> Done {
        Done {
            name: "test",
            tally,
            took: Duration::from_secs(1),
        }
    }

    #[test]
    fn the_last_line_is_the_count_alone() {
        let passed = Tally {
            passed: 3,
            ..Tally::default()
        };
        let lines = closing(&[done(passed), done(Tally::failure("the till was shut"))], Duration::ZERO);
        assert_eq!(lines.last().unwrap(), "3 passed, 1 failed");
    }

    #[test]
    fn many_skips_stay_within_the_last_ten_lines() {
        let steps: Vec<Done> = (0..30).map(|_| done(Tally::skipped("postgres", "it is not installed"))).collect();
        let lines = closing(&steps, Duration::ZERO);
        let first_skip = lines.iter().position(|line| line.starts_with("SKIPPED")).unwrap();
        assert_eq!(lines.len() - first_skip, 10);
        assert_eq!(lines.last().unwrap(), "0 passed, 0 failed, 30 skipped");
    }

    #[test]
    fn a_run_that_checked_nothing_has_not_passed() {
        assert!(!all_passed(&[]));
        assert!(!all_passed(&[done(Tally::skipped("all", "no reason"))]));
        assert!(all_passed(&[done(Tally {
            passed: 1,
            ..Tally::default()
        })]));
        assert!(!all_passed(&[
            done(Tally {
                passed: 1,
                ..Tally::default()
            }),
            done(Tally::failure("no"))
        ]));
    }

    #[test]
    fn one_check_counts_once_however_much_it_found() {
        let mut tally = Tally::default();
        tally.check("nothing wrong", &[]);
        tally.check("two things wrong", &["first".to_owned(), "second".to_owned()]);
        assert_eq!((tally.passed, tally.failed), (1, 1));
        assert!(tally.faults[0].contains("first") && tally.faults[0].contains("second"));
    }
}
