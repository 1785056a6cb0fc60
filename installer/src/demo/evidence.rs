//! What the ten laws are checked against: exports of the boxes and of head office beside the registers' own logs and the ledgers of the machines.
//!
//! The check is `measure laws`, run as a program, because it must share no code with anything that is checked. Laws 9 and 10 speak of one
//! counter each: receipts and payments are numbered per store, so every store is checked against its own machines.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::processes::Call;
use super::seed::COMPANIES;
use super::town::Town;

const CHECK_WITHIN: Duration = Duration::from_secs(300);

/// What `measure laws --json` says.
#[derive(Clone, Debug, Deserialize)]
pub struct Laws {
    pub holds: bool,
    pub laws: Vec<Law>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Law {
    pub law: String,
    pub title: String,
    pub verdict: Verdict,
    #[serde(default)]
    pub checked: u64,
    #[serde(default)]
    pub broken: u64,
    pub why: Option<String>,
    #[serde(default)]
    pub violations: Vec<Violation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Holds,
    Broken,
    NothingToCheck,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Violation {
    pub place: String,
    pub sentence: String,
}

impl Laws {
    /// Why this is no success, if it is none.
    pub fn trouble(&self) -> Option<String> {
        let broken: Vec<_> = self
            .laws
            .iter()
            .filter(|law| law.verdict == Verdict::Broken)
            .map(|law| &*law.law)
            .collect();
        if !broken.is_empty() || !self.holds {
            return Some(format!("broken: {}", broken.join(", ")));
        }
        let idle = self.laws.iter().filter(|law| law.verdict == Verdict::NothingToCheck);
        let idle: Vec<_> = idle.map(|law| &*law.law).collect();
        match (self.laws.len(), idle.is_empty()) {
            (10, true) => None,
            (10, false) => Some(format!("nothing was found to check for {}", idle.join(", "))),
            (other, _) => Some(format!("{other} laws were checked instead of ten")),
        }
    }

    /// Puts what was found at each counter in the place of what can not be said of all together.
    fn with_counters(mut self, counters: Vec<Laws>) -> Self {
        for law in self.laws.iter_mut().filter(|law| is_of_machines(&law.law)) {
            let found = counters
                .iter()
                .flat_map(|counter| &counter.laws)
                .filter(|found| found.law == law.law);
            let found: Vec<&Law> = found.collect();
            let any = |verdict| found.iter().any(|found| found.verdict == verdict);
            law.verdict = match () {
                () if any(Verdict::Broken) => Verdict::Broken,
                () if found.is_empty() || any(Verdict::NothingToCheck) => Verdict::NothingToCheck,
                () => Verdict::Holds,
            };
            law.why = found.iter().find_map(|found| found.why.clone());
            law.checked = found.iter().map(|found| found.checked).sum();
            law.broken = found.iter().map(|found| found.broken).sum();
            law.violations = found.iter().flat_map(|found| found.violations.clone()).collect();
        }
        self.holds = !self.laws.iter().any(|law| law.verdict == Verdict::Broken);
        self
    }
}

fn is_of_machines(law: &str) -> bool {
    matches!(law, "L9" | "L10")
}

/// Exports everything and has it checked. Nobody may be selling: logs and exports must be of one moment.
pub async fn check(town: &Town) -> Result<Laws> {
    let folder = town.folder.made("evidence")?;
    let write = |name: String, bytes: Vec<u8>| -> Result<PathBuf> {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("could not write {}", path.display()))?;
        Ok(path)
    };
    let mut all = Call::new(town.programs.measure()).words(["laws", "--json", "--converged"]);
    let mut counters = Vec::new();
    for shop in &town.shops {
        let mut counter = Call::new(town.programs.measure()).words(["laws", "--json"]);
        for (flag, words) in [
            ("--store-export", &["journal", "export"][..]),
            ("--tickets", &["tickets", "export"][..]),
            ("--state", &["state"][..]),
        ] {
            let exported = shop.tool(&town.starter, words).await?;
            let path = write(format!("{}{flag}.jsonl", shop.store.code), exported)?;
            all = all.flag(flag, &path);
            counter = counter.flag(flag, &path);
        }
        for machine in shop.counter.machines.iter().filter(|machine| machine.ledger.exists()) {
            counter = counter.flag("--ledger", &machine.ledger);
        }
        counters.push(counter);
    }
    for company in COMPANIES {
        let exported = town.office()?.export(&town.starter, company).await?;
        all = all.flag("--hq-export", write(format!("hq-{}.jsonl", company.tenant), exported)?);
    }
    let logs = town.folder.made("tills")?;
    for log in fs::read_dir(&logs).with_context(|| format!("could not list {}", logs.display()))? {
        all = all.flag("--log", log?.path());
    }
    let laws = measure(town, &all).await?;
    let found = futures_util::future::try_join_all(counters.iter().map(|counter| measure(town, counter))).await?;
    Ok(laws.with_counters(found))
}

async fn measure(town: &Town, call: &Call) -> Result<Laws> {
    let (status, printed, said) = town.starter.try_run(call, CHECK_WITHIN).await?;
    let laws: Laws = match serde_json::from_slice(&printed) {
        Ok(laws) => laws,
        Err(_) => bail!("`measure laws` ended with {status} and no report: {}", said.trim()),
    };
    if laws.holds != status.success() {
        bail!("`measure laws` says holds = {} and ended with {status}", laws.holds);
    }
    Ok(laws)
}

/// Each part's own proof of its books.
pub async fn prove(town: &Town) -> Result<()> {
    for shop in &town.shops {
        shop.tool(&town.starter, &["prove"]).await?;
    }
    town.office()?.prove(&town.starter).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laws(verdicts: [&str; 10]) -> Laws {
        let laws: Vec<_> = verdicts
            .iter()
            .enumerate()
            .map(|(at, verdict)| serde_json::json!({"law": format!("L{}", at + 1), "title": "", "verdict": verdict, "why": null}))
            .collect();
        serde_json::from_value(serde_json::json!({"holds": !verdicts.contains(&"broken"), "laws": laws})).unwrap()
    }

    #[test]
    fn a_law_with_nothing_to_check_is_no_success() {
        let mut verdicts = ["holds"; 10];
        assert_eq!(laws(verdicts).trouble(), None);
        verdicts[9] = "nothing_to_check";
        assert!(laws(verdicts).trouble().unwrap().contains("L10"));
        verdicts[3] = "broken";
        assert_eq!(laws(verdicts).trouble().unwrap(), "broken: L4");
    }

    #[test]
    fn the_laws_of_machines_are_those_of_the_counters() {
        let mut together = ["holds"; 10];
        together[9] = "broken";
        let counter = |ninth, tenth| {
            let mut verdicts = ["nothing_to_check"; 10];
            (verdicts[8], verdicts[9]) = (ninth, tenth);
            laws(verdicts)
        };
        let good = || counter("holds", "holds");
        assert_eq!(laws(together).with_counters(vec![good(), good()]).trouble(), None);
        let idle = laws(together).with_counters(vec![good(), counter("nothing_to_check", "holds")]);
        assert!(idle.trouble().unwrap().contains("L9"));
        let broken = laws(together).with_counters(vec![counter("holds", "broken"), good()]);
        assert_eq!(broken.trouble().unwrap(), "broken: L10");
    }

    #[test]
    fn nine_laws_are_not_ten() {
        let mut nine = laws(["holds"; 10]);
        nine.laws.pop();
        assert!(nine.trouble().is_some());
    }
}
