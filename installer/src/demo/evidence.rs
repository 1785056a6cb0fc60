//! What the ten laws are checked against: exports of the boxes and of head office beside the registers' own logs.
//!
//! The check is `measure laws`, run as a program, because it must share no code with anything that is checked.

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
    /// Why this is no success, if it is none. Laws 9 and 10 speak of devices, and the demo's counters have none.
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
        let of_devices = |law: &&Law| matches!(&*law.law, "L9" | "L10");
        let idle = |law: &&Law| law.verdict == Verdict::NothingToCheck && !of_devices(law);
        let idle: Vec<_> = self.laws.iter().filter(idle).map(|law| &*law.law).collect();
        match (self.laws.len(), idle.is_empty()) {
            (10, true) => None,
            (10, false) => Some(format!("nothing was found to check for {}", idle.join(", "))),
            (other, _) => Some(format!("{other} laws were checked instead of ten")),
        }
    }
}

/// Exports everything and has it checked. Nobody may be selling: logs and exports must be of one moment.
pub async fn check(town: &Town) -> Result<Laws> {
    let folder = town.folder.made("evidence")?;
    let write = |name: String, bytes: Vec<u8>| -> Result<PathBuf> {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("could not write {}", path.display()))?;
        Ok(path)
    };
    let mut stores = Vec::new();
    for shop in &town.shops {
        for (flag, words) in [
            ("--store-export", &["journal", "export"][..]),
            ("--tickets", &["tickets", "export"][..]),
            ("--state", &["state"][..]),
        ] {
            let exported = shop.tool(&town.starter, words).await?;
            stores.push((flag, write(format!("{}{flag}.jsonl", shop.store.code), exported)?));
        }
    }
    let mut call = Call::new(town.programs.measure()).words(["laws", "--json", "--converged"]);
    for (flag, path) in &stores {
        call = call.flag(flag, path);
    }
    for company in COMPANIES {
        let exported = town.office()?.export(&town.starter, company).await?;
        call = call.flag("--hq-export", write(format!("hq-{}.jsonl", company.tenant), exported)?);
    }
    let logs = town.folder.made("tills")?;
    for log in fs::read_dir(&logs).with_context(|| format!("could not list {}", logs.display()))? {
        call = call.flag("--log", log?.path());
    }
    let (status, printed, said) = town.starter.try_run(&call, CHECK_WITHIN).await?;
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
    fn only_device_laws_may_have_nothing_to_check() {
        let mut verdicts = ["holds"; 10];
        assert_eq!(laws(verdicts).trouble(), None);
        verdicts[8] = "nothing_to_check";
        verdicts[9] = "nothing_to_check";
        assert_eq!(laws(verdicts).trouble(), None);
        verdicts[7] = "nothing_to_check";
        assert!(laws(verdicts).trouble().unwrap().contains("L8"));
        verdicts[3] = "broken";
        assert_eq!(laws(verdicts).trouble().unwrap(), "broken: L4");
    }

    #[test]
    fn nine_laws_are_not_ten() {
        let mut nine = laws(["holds"; 10]);
        nine.laws.pop();
        assert!(nine.trouble().is_some());
    }
}
