//! The steps in running order: cheap looks at text first, then what must be compiled, then what must be run.
//!
//! Owns the list, and the steps that are one outside command each. All of them use one profile, the whole workspace and
//! the same locked dependencies, so that one step finds built what another has built.

use std::time::Duration;

use crate::counts::{self, Counts};
use crate::run::{Place, Ran};
use crate::summary::{Skip, Tally};
use crate::{fences, files, licences, text, tools, web};

pub struct Step {
    pub name: &'static str,
    pub about: &'static str,
    /// Steps that must have passed before.
    pub needs: &'static [&'static str],
    pub deadline: Duration,
    pub run: fn(&mut Place, &Step) -> Tally,
}

const USUAL: Duration = Duration::from_secs(15 * 60);

/// Everything is compiled here when the target folder is empty, or another cargo holds its lock.
const COMPILING: Duration = Duration::from_secs(25 * 60);

pub const STEPS: &[Step] = &[
    Step {
        name: "tools",
        about: "brings the NATS server and PostgreSQL",
        needs: &[],
        deadline: USUAL,
        run: tools::step,
    },
    Step {
        name: "fmt",
        about: "source looks as rustfmt writes it",
        needs: &[],
        deadline: USUAL,
        run: fmt,
    },
    Step {
        name: "headers",
        about: "each source file says what it owns",
        needs: &[],
        deadline: USUAL,
        run: text::headers,
    },
    Step {
        name: "words",
        about: "nothing unfinished, no path of one machine",
        needs: &[],
        deadline: USUAL,
        run: text::words,
    },
    Step {
        name: "files",
        about: "the crates, their programs and manifests",
        needs: &[],
        deadline: USUAL,
        run: files::step,
    },
    Step {
        name: "fences",
        about: "who may know whom",
        needs: &[],
        deadline: USUAL,
        run: fences::step,
    },
    Step {
        name: "licences",
        about: "what the project may be built from",
        needs: &[],
        deadline: USUAL,
        run: licences::step,
    },
    Step {
        name: "pages",
        about: "the pages are generated, judged and built",
        needs: &[],
        deadline: USUAL,
        run: web::pages,
    },
    Step {
        name: "clippy",
        about: "no warning in any target",
        needs: &[],
        deadline: COMPILING,
        run: clippy,
    },
    Step {
        name: "build",
        about: "all programs and tests",
        needs: &[],
        deadline: COMPILING,
        run: build,
    },
    Step {
        name: "test",
        about: "all tests",
        needs: &["tools", "build"],
        deadline: COMPILING,
        run: test,
    },
    Step {
        name: "browser",
        about: "the pages in a browser, on the programs as built",
        needs: &["tools", "pages", "build"],
        deadline: USUAL,
        run: web::browser,
    },
    Step {
        name: "doc",
        about: "the documentation has no broken link",
        needs: &[],
        deadline: COMPILING,
        run: doc,
    },
    Step {
        name: "crash",
        about: "kill -9 of the box under load",
        needs: &["build"],
        deadline: USUAL,
        run: crash,
    },
    Step {
        name: "panics",
        about: "every actor of the box is struck down under load",
        needs: &["build"],
        deadline: USUAL,
        run: panics,
    },
    Step {
        name: "broker",
        about: "the broker is cut, killed and emptied",
        needs: &["tools", "build"],
        deadline: USUAL,
        run: broker,
    },
    Step {
        name: "journal",
        about: "a long journal is verified, a flipped bit is named",
        needs: &["build"],
        deadline: USUAL,
        run: journal,
    },
    Step {
        name: "federation",
        about: "schedules of stores and head office with every fault",
        needs: &["build"],
        deadline: USUAL,
        run: federation,
    },
    Step {
        name: "laws",
        about: "random baskets against a second calculation, and whole days against the laws",
        needs: &["build"],
        deadline: USUAL,
        run: laws,
    },
    Step {
        name: "checkout",
        about: "figures of a checkout, in a debug build",
        needs: &["build"],
        deadline: USUAL,
        run: checkout,
    },
    Step {
        name: "demo",
        about: "the demo, by itself, for thirty seconds",
        needs: &["tools", "build"],
        deadline: USUAL,
        run: demo,
    },
];

/// Names the files only: `cargo fmt` writes them anew anyway.
fn fmt(place: &mut Place, step: &Step) -> Tally {
    cargo(
        place,
        step,
        &["fmt", "--all", "--", "--check", "--files-with-diff", "--color", "never"],
    )
}

fn clippy(place: &mut Place, step: &Step) -> Tally {
    cargo(
        place,
        step,
        &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    )
}

/// Programs and tests in one go: the tests run these programs, and both are built from the same dependencies only if cargo
/// is asked for both at once.
fn build(place: &mut Place, step: &Step) -> Tally {
    cargo(place, step, &["build", "--workspace", "--bins", "--tests", "--locked"])
}

fn doc(place: &mut Place, step: &Step) -> Tally {
    let mut command = place.command("cargo", &["doc", "--workspace", "--no-deps", "--locked"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    one_check(place.run(step.name, command, step.deadline), step)
}

fn crash(place: &mut Place, step: &Step) -> Tally {
    program(place, step, "measure", &["crash", "--quick", "--json"])
}

fn panics(place: &mut Place, step: &Step) -> Tally {
    program(place, step, "measure", &["panics", "--quick", "--json"])
}

fn broker(place: &mut Place, step: &Step) -> Tally {
    program(place, step, "measure", &["broker", "--quick", "--json"])
}

fn journal(place: &mut Place, step: &Step) -> Tally {
    program(place, step, "measure", &["journal-verify", "--quick", "--json"])
}

fn federation(place: &mut Place, step: &Step) -> Tally {
    program(place, step, "measure", &["federation-sim", "--quick", "--json"])
}

fn laws(place: &mut Place, step: &Step) -> Tally {
    program(place, step, "measure", &["laws", "--quick", "--json"])
}

fn checkout(place: &mut Place, step: &Step) -> Tally {
    program(place, step, "measure", &["checkout", "--quick", "--json"])
}

fn demo(place: &mut Place, step: &Step) -> Tally {
    program(place, step, "backroom", &["demo", "--headless", "--seconds", "30", "--no-build"])
}

fn cargo(place: &Place, step: &Step, words: &[&str]) -> Tally {
    one_check(place.run(step.name, place.command("cargo", words), step.deadline), step)
}

/// Runs one of our own programs and shows what it says last, which are its figures.
fn program(place: &Place, step: &Step, name: &str, words: &[&str]) -> Tally {
    let path = place.target.join("debug").join(name);
    let ran = place.run(step.name, place.command(&path.to_string_lossy(), words), step.deadline);
    if let Ok(ran) = &ran
        && ran.succeeded()
    {
        ran.print_tail(64);
    }
    let skips = ran.as_ref().map_or_else(|_| Vec::new(), |ran| counts::skips(&ran.output));
    Tally {
        skips,
        ..one_check(ran, step)
    }
}

/// A command whose exit code is the whole verdict.
fn one_check(ran: Result<Ran, String>, step: &Step) -> Tally {
    match ran {
        Ok(ran) if ran.succeeded() => Tally {
            passed: 1,
            ..Tally::default()
        },
        Ok(ran) => {
            ran.print_tail(120);
            Tally::failure(format!(
                "{} {}; all it said is in target/verify/{}.log",
                step.name,
                ran.ending(),
                step.name
            ))
        }
        Err(fault) => Tally::failure(fault),
    }
}

fn test(place: &mut Place, step: &Step) -> Tally {
    let asked = place.ask(step.name, place.command("cargo", &["nextest", "--version"]), step.deadline);
    if !asked.is_ok_and(|ran| ran.succeeded()) {
        let words = ["test", "--workspace", "--locked", "--no-fail-fast", "--", "--show-output"];
        let ran = place.run(step.name, place.command("cargo", &words), step.deadline);
        return tests_ran(ran, counts::cargo_test, Fewest::One);
    }
    let mut command = place.command("cargo", &["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]);
    command.args([
        "--config-file",
        "tests/verify/nextest.toml",
        "--success-output",
        "immediate",
        "--failure-output",
        "final",
    ]);
    let mut tally = tests_ran(place.run(step.name, command, step.deadline), counts::nextest, Fewest::One);
    // nextest leaves out the examples in the documentation.
    let examples = place.command("cargo", &["test", "--workspace", "--locked", "--no-fail-fast", "--doc"]);
    let examples = tests_ran(place.run(step.name, examples, step.deadline), counts::cargo_test, Fewest::None);
    tally.passed += examples.passed;
    tally.failed += examples.failed;
    tally.faults.extend(examples.faults);
    tally.skips.extend(examples.skips);
    tally
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fewest {
    None,
    One,
}

fn tests_ran(ran: Result<Ran, String>, read: fn(&str) -> Option<Counts>, fewest: Fewest) -> Tally {
    match ran {
        Ok(ran) => {
            let mut tally = judge(
                read(&ran.output),
                ran.succeeded(),
                &ran.ending(),
                counts::skips(&ran.output),
                fewest,
            );
            if tally.failed > 0 {
                ran.print_tail(150);
                // Named for whoever reads only the closing lines; they are counted already.
                tally.faults.extend(counts::failures(&ran.output));
            }
            tally
        }
        Err(fault) => Tally::failure(fault),
    }
}

/// The verdict over a test run: both its exit code and its closing line must speak for it.
fn judge(counts: Option<Counts>, succeeded: bool, ending: &str, skips: Vec<Skip>, fewest: Fewest) -> Tally {
    let Some(counts) = counts else {
        return Tally::failure(format!(
            "the test runner {ending} without a closing line that could be read; see target/verify/test.log"
        ));
    };
    // A test that says of itself that it was skipped is counted by the runner as passed.
    let said = u64::try_from(skips.len()).unwrap_or(u64::MAX);
    let mut tally = Tally {
        passed: counts.passed.saturating_sub(said),
        skips,
        ..Tally::default()
    };
    if counts.skipped > 0 {
        let reason = "they are marked as ignored or left out of the default run".to_owned();
        tally.skips.push(Skip {
            what: format!("{} tests", counts.skipped),
            reason,
            count: counts.skipped,
        });
    }
    if counts.failed > 0 {
        tally.fail(format!(
            "{} tests failed; what they said is in target/verify/test.log",
            counts.failed
        ));
        tally.failed = counts.failed;
    } else if !succeeded {
        tally.fail(format!("no test failed, yet the test runner {ending}; see target/verify/test.log"));
    } else if fewest == Fewest::One && counts.passed == 0 {
        tally.fail("not one test ran");
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(counts: Option<(u64, u64, u64)>, succeeded: bool) -> Tally {
        let counts = counts.map(|(passed, failed, skipped)| Counts { passed, failed, skipped });
        judge(counts, succeeded, "ended with exit code 100", Vec::new(), Fewest::One)
    }

    #[test]
    fn tests_that_passed_are_counted_each() {
        let tally = judged(Some((7, 0, 0)), true);
        assert_eq!((tally.passed, tally.failed), (7, 0));
    }

    #[test]
    fn a_run_without_a_closing_line_or_without_a_test_has_failed() {
        assert_eq!(judged(None, true).failed, 1);
        assert_eq!(judged(Some((0, 0, 0)), true).failed, 1);
        assert_eq!(judged(Some((0, 0, 9)), true).failed, 1);
    }

    #[test]
    fn exit_code_and_closing_line_must_agree() {
        assert_eq!(judged(Some((7, 0, 0)), false).failed, 1);
        assert_eq!(judged(Some((7, 3, 0)), true).failed, 3);
        assert_eq!(judged(Some((7, 3, 0)), false).failed, 3);
    }

    #[test]
    fn examples_in_the_documentation_may_be_none() {
        let tally = judge(Some(Counts::default()), true, "", Vec::new(), Fewest::None);
        assert_eq!((tally.passed, tally.failed), (0, 0));
    }

    #[test]
    fn a_test_that_skipped_itself_did_not_pass() {
        let skips = counts::skips("SKIPPED postgres: it is not installed\n");
        let tally = judge(
            Some(Counts {
                passed: 5,
                failed: 0,
                skipped: 2,
            }),
            true,
            "",
            skips,
            Fewest::One,
        );
        assert_eq!((tally.passed, tally.failed, tally.skipped_count()), (4, 0, 3));
    }
}
