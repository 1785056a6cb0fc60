//! Gathers what the laws are checked against: exports of the boxes and of head office, and the clients' logs, as files in one folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::hq::HeadOffice;
use crate::shop::Shop;

/// Lays the evidence out as `stores/NAME/{journal,tickets,state}.jsonl`, `hq/TENANT.jsonl` and `clients/*.jsonl`.
///
/// The clients must be at rest: their logs and three exports are not one snapshot.
pub async fn gather(folder: &Path, shops: &[Shop], logs: &Path, hq: Option<&HeadOffice>) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    for shop in shops {
        let name = shop.folder().file_name().context("a shop without a folder")?;
        let into = made(folder.join("stores").join(name))?;
        for (words, file) in [
            (&["tickets", "export"][..], "tickets.jsonl"),
            (&["journal", "export"][..], "journal.jsonl"),
            (&["state"][..], "state.jsonl"),
        ] {
            fs::write(into.join(file), shop.tool(words).await?)?;
        }
    }
    if let Some(hq) = hq {
        let into = made(folder.join("hq"))?;
        for tenant in hq.tenants() {
            fs::write(into.join(format!("{tenant}.jsonl")), hq.export(tenant).await?)?;
        }
    }
    let into = made(folder.join("clients"))?;
    for log in fs::read_dir(logs).with_context(|| format!("could not list {}", logs.display()))? {
        let log = log?;
        fs::copy(log.path(), into.join(log.file_name()))?;
    }
    Ok(())
}

fn made(folder: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    Ok(folder)
}
