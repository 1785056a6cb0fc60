//! What was found: per law how much was checked and every place where it is broken, for people and for programs.
//!
//! A law that had nothing to check says so and why; it is never counted among those that hold.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

/// The ten laws, in the order of docs/contracts.md, section 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Law {
    L1,
    L2,
    L3,
    L4,
    L5,
    L6,
    L7,
    L8,
    L9,
    L10,
}

impl Law {
    pub const ALL: [Law; 10] = [
        Law::L1,
        Law::L2,
        Law::L3,
        Law::L4,
        Law::L5,
        Law::L6,
        Law::L7,
        Law::L8,
        Law::L9,
        Law::L10,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Law::L1 => "acknowledged is kept, once",
            Law::L2 => "nothing is invented",
            Law::L3 => "receipt numbers have no gap",
            Law::L4 => "the chain holds",
            Law::L5 => "each sale adds up",
            Law::L6 => "each till adds up",
            Law::L7 => "each item's stock adds up",
            Law::L8 => "store and head office agree",
            Law::L9 => "captures and card tenders match",
            Law::L10 => "prints and pulses are confirmed or honestly unknown",
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}"))
    }
}

/// One place where a law is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    pub law: Law,
    pub place: String,
    pub sentence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is broken at {}: {}", self.law, self.place, self.sentence)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Holds { checked: u64 },
    Broken { checked: u64, times: u64 },
    NothingToCheck { why: String },
}

/// One law's result. Of many violations only the first are kept; `Verdict::Broken` counts them all.
#[derive(Clone, Debug)]
pub struct LawReport {
    pub law: Law,
    pub verdict: Verdict,
    pub violations: Vec<Violation>,
}

/// All ten laws' results, in order.
#[derive(Clone, Debug)]
pub struct Report {
    pub laws: Vec<LawReport>,
}

impl Report {
    /// Whether no law is broken. Laws with nothing to check do not count against it.
    pub fn holds(&self) -> bool {
        self.broken().is_empty()
    }

    pub fn broken(&self) -> Vec<Law> {
        let broken = |law: &&LawReport| matches!(law.verdict, Verdict::Broken { .. });
        self.laws.iter().filter(broken).map(|law| law.law).collect()
    }

    pub fn verdict(&self, law: Law) -> &Verdict {
        &self.laws[law as usize].verdict
    }

    pub fn violations(&self) -> impl Iterator<Item = &Violation> {
        self.laws.iter().flat_map(|law| &law.violations)
    }

    /// Stops a test, with the whole report, when a law is broken or one of `must_have_checked` had nothing to check.
    #[track_caller]
    pub fn assert_holds(&self, must_have_checked: &[Law]) {
        let idle = |law: &&Law| matches!(self.verdict(**law), Verdict::NothingToCheck { .. });
        let idle: Vec<&Law> = must_have_checked.iter().filter(idle).collect();
        assert!(self.holds(), "broken: {:?}\n{self}", self.broken());
        assert!(
            idle.is_empty(),
            "nothing to check for {idle:?}, though something was expected\n{self}"
        );
    }

    pub fn to_json(&self) -> Value {
        let law = |law: &LawReport| {
            let (verdict, checked, times, why) = match &law.verdict {
                Verdict::Holds { checked } => ("holds", *checked, 0, None),
                Verdict::Broken { checked, times } => ("broken", *checked, *times, None),
                Verdict::NothingToCheck { why } => ("nothing_to_check", 0, 0, Some(why)),
            };
            json!({
                "law": law.law, "title": law.law.title(), "verdict": verdict, "checked": checked, "broken": times, "why": why,
                "violations": law.violations,
            })
        };
        json!({ "holds": self.holds(), "laws": self.laws.iter().map(law).collect::<Vec<_>>() })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for LawReport { law, verdict, .. } in &self.laws {
            write!(f, "{law:<4}{:<53}", law.title())?;
            match verdict {
                Verdict::Holds { checked } => writeln!(f, "holds ({checked} checked)")?,
                Verdict::Broken { checked, times } => writeln!(f, "BROKEN {times} times ({checked} checked)")?,
                Verdict::NothingToCheck { why } => writeln!(f, "nothing to check ({why})")?,
            }
        }
        for LawReport { violations, verdict, law } in &self.laws {
            for violation in violations {
                writeln!(f, "  {violation}")?;
            }
            let kept = violations.len() as u64;
            if let Verdict::Broken { times, .. } = verdict
                && *times > kept
            {
                writeln!(f, "  {law}: {} more not shown", times - kept)?;
            }
        }
        Ok(())
    }
}

/// Collects what one law finds.
pub struct Findings {
    law: Law,
    keep: usize,
    checked: u64,
    times: u64,
    violations: Vec<Violation>,
}

impl Findings {
    pub fn new(law: Law, keep: usize) -> Self {
        Self {
            law,
            keep,
            checked: 0,
            times: 0,
            violations: Vec::new(),
        }
    }

    /// One more item was looked at; whatever is wrong with it is told by `broken`.
    pub fn looked(&mut self) {
        self.checked += 1;
    }

    pub fn broken(&mut self, place: impl FnOnce() -> String, sentence: impl FnOnce() -> String) {
        self.times += 1;
        if self.violations.len() < self.keep {
            self.violations.push(Violation {
                law: self.law,
                place: place(),
                sentence: sentence(),
            });
        }
    }

    pub fn demand(&mut self, holds: bool, place: impl FnOnce() -> String, sentence: impl FnOnce() -> String) {
        if !holds {
            self.broken(place, sentence);
        }
    }

    /// `why` is told when there was nothing to look at.
    pub fn finish(self, why: &str) -> LawReport {
        let verdict = match (self.checked, self.times) {
            (0, 0) => Verdict::NothingToCheck { why: why.to_owned() },
            (checked, 0) => Verdict::Holds { checked },
            (checked, times) => Verdict::Broken { checked, times },
        };
        LawReport {
            law: self.law,
            verdict,
            violations: self.violations,
        }
    }
}
