//! Looks into the books after something was broken: the ten laws over the evidence, and each part's own proof.

use std::path::Path;

use anyhow::Result;

use crate::laws::{Evidence, Law, Options, Report, Sync, Verdict, check as check_laws};
use crate::shop::Shop;

/// Whether head office must hold everything by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Converged {
    No,
    Yes,
}

/// What the laws say.
#[derive(Clone, Debug)]
pub struct Books {
    pub holds: bool,
    pub broken: usize,
    pub checked: usize,
    /// The whole report, for people.
    pub told: String,
    first: Option<String>,
}

impl Books {
    fn of(report: &Report) -> Self {
        let idle = |law: &&Law| !matches!(report.verdict(**law), Verdict::NothingToCheck { .. });
        Self {
            holds: report.holds(),
            broken: report.broken().len(),
            checked: Law::ALL.iter().filter(idle).count(),
            told: report.to_string(),
            first: report.violations().next().map(ToString::to_string),
        }
    }

    pub fn in_short(&self) -> String {
        match &self.first {
            None => format!("{} laws hold", self.checked),
            Some(first) => format!("{} LAWS BROKEN, first: {first}", self.broken),
        }
    }
}

/// Checks the laws over a folder of evidence.
pub fn check(folder: &Path, converged: Converged) -> Result<Books> {
    let sync = match converged {
        Converged::No => Sync::UnderWay,
        Converged::Yes => Sync::Converged,
    };
    let evidence = Evidence::read_folder(folder)?;
    let options = Options {
        sync,
        ..Options::default()
    };
    Ok(Books::of(&check_laws(&evidence, options)))
}

/// The box's own look at its journal.
pub async fn verify(shop: &Shop) -> Result<()> {
    shop.tool(&["journal", "verify"]).await.map(drop)
}
