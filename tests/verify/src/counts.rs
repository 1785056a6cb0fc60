//! Reads the closing lines of the test runners.
//!
//! Owns the three formats, nextest's, libtest's and Node's. An output without a closing line, or one with words that are not known
//! here, gives no count at all: the step then fails instead of quietly counting nothing.

use crate::summary::Skip;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

/// nextest's closing line, as in `     Summary [   0.005s] 3 tests run: 2 passed (1 slow), 1 failed, 0 skipped`.
pub fn nextest(output: &str) -> Option<Counts> {
    // nextest sets its own words right-aligned in twelve columns and indents what a test printed by four, so a test that
    // prints such a line itself is not mistaken for the runner.
    let line = output.lines().rfind(|line| line.starts_with("     Summary ["))?;
    let (_, after_time) = line.split_once(']')?;
    let (run, verdicts) = after_time.split_once(':')?;
    let run = run.trim().strip_suffix(" run")?;
    let run = run.strip_suffix(" tests").or_else(|| run.strip_suffix(" test"))?;
    let (run, planned) = match run.split_once('/') {
        Some((run, planned)) => (run.parse::<u64>().ok()?, planned.parse::<u64>().ok()?),
        None => (run.parse().ok()?, run.parse().ok()?),
    };
    let mut counts = Counts::default();
    for verdict in without_brackets(verdicts).split(',') {
        let (number, word) = verdict.trim().split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match word.trim() {
            "passed" => counts.passed += number,
            "failed" | "timed out" | "exec failed" => counts.failed += number,
            "skipped" => counts.skipped += number,
            _ => return None,
        }
    }
    if counts.passed + counts.failed != run {
        return None;
    }
    // A run that was cut short has not passed.
    counts.failed += planned.checked_sub(run)?;
    Some(counts)
}

/// The closing lines of `cargo test`, one for each test binary, added up.
pub fn cargo_test(output: &str) -> Option<Counts> {
    let mut sum: Option<Counts> = None;
    for line in output.lines() {
        let Some(rest) = line.strip_prefix("test result: ") else { continue };
        let (_, numbers) = rest.split_once(". ")?;
        let counts = sum.get_or_insert_default();
        for part in numbers.split(';') {
            let part = part.trim();
            if part.starts_with("finished in") {
                continue;
            }
            let (number, word) = part.split_once(' ')?;
            let number: u64 = number.parse().ok()?;
            match word {
                "passed" | "measured" => counts.passed += number,
                "failed" => counts.failed += number,
                "ignored" => counts.skipped += number,
                "filtered out" => {}
                _ => return None,
            }
        }
    }
    sum
}

/// The closing lines of Node's own runner, as in `ℹ pass 12` or `# pass 12`, of the last run that has them.
pub fn node(output: &str) -> Option<Counts> {
    let number = |word: &str| {
        let of_word = |line: &str| {
            let rest = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# "))?;
            rest.strip_prefix(word)?.strip_prefix(' ')?.trim().parse::<u64>().ok()
        };
        output.lines().rev().find_map(of_word)
    };
    Some(Counts {
        passed: number("pass")?,
        failed: number("fail")? + number("cancelled")?,
        skipped: number("skipped")? + number("todo")?,
    })
}

/// The names of the tests that failed, as either runner lists them.
pub fn failures(output: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut after_summary = false;
    for line in output.lines() {
        after_summary |= line.starts_with("     Summary [");
        let name = match line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            Some(name) => Some(name),
            None if after_summary => nextest_failure(line),
            None => None,
        };
        found.extend(name.map(str::to_owned).filter(|name| !found.contains(name)));
    }
    found
}

/// nextest lists what failed once more after its closing line, as in `        FAIL [   0.1s] (2/9) till till::tests::shut`.
fn nextest_failure(line: &str) -> Option<&str> {
    let (verdict, rest) = line.split_once(" [")?;
    let is_verdict = line.starts_with(' ')
        && verdict
            .trim()
            .chars()
            .all(|letter| letter.is_ascii_uppercase() || " +-".contains(letter));
    let (_, name) = rest.split_once("] ")?;
    let name = match name.strip_prefix('(') {
        Some(numbered) => numbered.split_once(") ")?.1,
        None => name,
    };
    (is_verdict && !verdict.trim().is_empty()).then_some(name.trim())
}

/// What said of itself that it was not done: lines `SKIPPED what: reason`, of a test or of one of our programs.
pub fn skips(output: &str) -> Vec<Skip> {
    let mut found = Vec::new();
    for line in output.lines() {
        let Some((what, reason)) = line.trim().strip_prefix("SKIPPED ").and_then(|rest| rest.split_once(": ")) else {
            continue;
        };
        found.push(Skip {
            what: what.to_owned(),
            reason: reason.to_owned(),
            count: 1,
        });
    }
    found
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(letter),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, passed: u64, failed: u64, skipped: u64) {
        assert_eq!(nextest(line), Some(Counts { passed, failed, skipped }), "{line}");
    }

    #[test]
    fn nodes_closing_lines_are_counted_and_a_run_that_was_cut_short_has_none() {
        let whole = "✔ a page (12ms)\nℹ tests 4\nℹ suites 0\nℹ pass 2\nℹ fail 1\nℹ cancelled 1\nℹ skipped 0\nℹ todo 0\n";
        let expected = Counts {
            passed: 2,
            failed: 2,
            skipped: 0,
        };
        assert_eq!(node(whole), Some(expected));
        assert_eq!(node(&whole.replace('ℹ', "#")), Some(expected));
        assert_eq!(node("✔ a page (12ms)\n"), None);
    }

    #[test]
    fn nextest_closing_lines_are_counted() {
        check("     Summary [   0.005s] 3 tests run: 3 passed, 0 skipped", 3, 0, 0);
        check("     Summary [   0.005s] 1 test run: 1 passed, 0 skipped", 1, 0, 0);
        check(
            "     Summary [   9.005s] 6 tests run: 3 passed (1 slow, 1 leaky), 2 failed, 1 timed out, 4 skipped",
            3,
            3,
            4,
        );
        check("     Summary [   9.005s] 2 tests run: 1 passed, 1 exec failed, 0 skipped", 1, 1, 0);
        check("     Summary [   9.005s] 0 tests run: 0 passed, 7 skipped", 0, 0, 7);
    }

    #[test]
    fn tests_that_were_never_reached_count_as_failed() {
        check("     Summary [   1.005s] 4/10 tests run: 3 passed, 1 failed, 0 skipped", 3, 7, 0);
    }

    #[test]
    fn the_last_closing_line_of_the_runner_itself_counts() {
        let output = "    Starting 2 tests\n         Summary [ 1s] 9 tests run: 9 passed, 0 skipped\n     Summary [   0.1s] 2 tests run: 1 passed, 1 failed, 0 skipped\n        FAIL [   0.1s] till shut\n         Summary [ 1s] 8 tests run: 8 passed, 0 skipped\n";
        check(output, 1, 1, 0);
    }

    #[test]
    fn what_nextest_never_said_is_not_guessed() {
        assert_eq!(nextest(""), None);
        assert_eq!(nextest("error: could not compile `backroom-core`"), None);
        assert_eq!(
            nextest("     Summary [   0.005s] 3 tests run: 2 passed, 0 skipped"),
            None,
            "one of three is missing"
        );
        assert_eq!(nextest("     Summary [   0.005s] 3 tests run: 3 pondered"), None);
    }

    #[test]
    fn the_binaries_of_cargo_test_are_added_up() {
        let output = "running 2 tests\ntest a ... ok\n\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             test result: FAILED. 1 passed; 3 failed; 0 ignored; 0 measured; 4 filtered out; finished in 1.00s\n";
        assert_eq!(
            cargo_test(output),
            Some(Counts {
                passed: 3,
                failed: 3,
                skipped: 1
            })
        );
        assert_eq!(cargo_test("error: could not compile"), None);
        assert_eq!(cargo_test("test result: ok. some passed"), None);
    }

    #[test]
    fn failed_tests_are_named_once() {
        let nextest = "        FAIL [   0.1s] (1/9) till early\n     Summary [   0.1s] 9 tests run: 6 passed, 3 failed, 0 skipped\n\
             \x20       FAIL [   0.1s] ( 2/9) till drawer::tests::shut\n    stderr: [x] y\n FAIL + LEAK [   0.4s] (3/9) hq::broker left\n\
             \x20    TIMEOUT [ 240.0s] till slow\nerror: test run failed\n";
        assert_eq!(failures(nextest), ["till drawer::tests::shut", "hq::broker left", "till slow"]);
        let libtest = "test a::b ... ok\ntest a::c ... FAILED\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored";
        assert_eq!(failures(libtest), ["a::c"]);
    }

    #[test]
    fn a_skip_says_what_and_why() {
        let found = skips("  \n    SKIPPED receipts as pictures: no font is installed\nSKIPPED nothing\n");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].what, "receipts as pictures");
        assert_eq!(found[0].reason, "no font is installed");
    }
}
