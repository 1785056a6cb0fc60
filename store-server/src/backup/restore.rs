//! `restore`: a box from a backup, in an empty folder. Nothing is in place before everything is proven.
//!
//! The box keeps who it is: codes, keys, devices, people. What it was in the middle of it does not keep: the old box may have gone on after the
//! backup, and sold what is open here. So open tickets are set aside for a person to look at, and a mark makes the first start
//! begin a new epoch and receipt series (see `backroom_actors::restored`).

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use backroom_actors::clock::Clock;
use backroom_actors::restored::Mark;
use backroom_actors::store::Folder;
use backroom_core::journal::Epoch;
use serde_json::json;

use super::pack::{Manifest, unpack};
use super::{Refused, private, private_folder, private_folder_all, prove, sync_folder};
use crate::{setup, tools};

/// Where everything waits until it is proven. Ours alone, so one that a cut-off restore left behind is no content.
const WAITING: &str = ".restoring";
/// Written last when a box is set up, moved last here: a folder without it is no store.
const LAST: &str = "store.json";
const SET_ASIDE: &str = "set-aside.jsonl";

#[derive(Debug, clap::Args)]
pub struct Restore {
    /// A file that `backup` made
    file: PathBuf,
    /// The folder that will hold everything of the store; empty, or not there yet
    #[arg(long, env = "BACKROOM_DATA")]
    data: PathBuf,
    /// Go on with the tickets that were open. Only when the old box did nothing more after this backup, or they may be sold twice
    #[arg(long)]
    keep_open_tickets: bool,
    /// The epoch to begin at least, where head office knows of newer ones than the backup does
    #[arg(long, default_value_t = 0)]
    epoch: u32,
}

pub async fn restore(asked: Restore) -> anyhow::Result<()> {
    let Restore {
        file,
        data,
        keep_open_tickets,
        epoch,
    } = asked;
    let waiting = data.join(WAITING);
    make_room(&data, &waiting)?;
    let restored = prepare(&file, &waiting, keep_open_tickets, Epoch(epoch)).await;
    let told = match restored {
        Ok((manifest, told)) => move_in(&waiting, &data).map(|()| (manifest, told)),
        Err(error) => Err(error),
    };
    // Empty by now, or what is in it was found wrong.
    let _ = fs::remove_dir_all(&waiting);
    let (manifest, tickets) = told?;
    let told = json!({
        "restored": true,
        "tenant": manifest.tenant,
        "store": manifest.store,
        "epoch": manifest.end.epoch,
        "seq": manifest.end.seq,
        "entries": manifest.entries,
        "made_at": manifest.made_at,
        "open_tickets": tickets.kept,
        "set_aside": tickets.set_aside,
        "set_aside_with_money": tickets.with_money,
    });
    println!("{told}");
    Ok(())
}

fn make_room(data: &Path, waiting: &Path) -> anyhow::Result<()> {
    if !data.exists() {
        private_folder_all(data)?;
    }
    let _ = fs::remove_dir_all(waiting); // Mostly there is none; one that stays makes the next step fail.
    let mut found = fs::read_dir(data).with_context(|| format!("could not list {}", data.display()))?;
    if found.next().is_some() {
        return Err(Refused::NotEmpty(data.to_owned()).into());
    }
    private_folder(waiting)
}

/// How it went with what was open.
#[derive(Default)]
struct Tickets {
    kept: usize,
    set_aside: usize,
    with_money: usize,
}

async fn prepare(file: &Path, waiting: &Path, keep: bool, at_least: Epoch) -> anyhow::Result<(Manifest, Tickets)> {
    let (manifest, _) = unpack(file, &mut |line| {
        let path = waiting.join(&line.name);
        if let Some(folder) = path.parent() {
            private_folder_all(folder)?;
        }
        Ok(Box::new(private(fs::OpenOptions::new().create_new(true).write(true), &path)?))
    })?;
    let folder = Folder(waiting.to_owned());
    let found = prove(&folder)
        .await
        .with_context(|| format!("{} can not be used", file.display()))?;
    if (found.tenant, found.store, found.end, found.entries) != (manifest.tenant, manifest.store, manifest.end, manifest.entries) {
        bail!("{} holds another journal than it says", file.display());
    }
    let open = tools::open_tickets(waiting).await?;
    let mut tickets = Tickets::default();
    if keep {
        tickets.kept = open.len();
    } else {
        set_aside(&folder, &open, &mut tickets)?;
    }
    let mark = Mark {
        end: manifest.end,
        made_at: manifest.made_at,
        restored_at: Clock.now(),
        at_least,
    };
    setup::write_private(&folder.restored(), &serde_json::to_vec(&mark)?)?;
    Ok((manifest, tickets))
}

fn set_aside(folder: &Folder, open: &[serde_json::Value], tickets: &mut Tickets) -> anyhow::Result<()> {
    if folder.worklog().exists() {
        fs::remove_file(folder.worklog())?;
    }
    tickets.set_aside = open.len();
    let has_money = |ticket: &&serde_json::Value| ticket["tenders"].as_array().is_some_and(|tenders| !tenders.is_empty());
    tickets.with_money = open.iter().filter(has_money).count();
    if open.is_empty() {
        return Ok(());
    }
    let mut out = private(fs::OpenOptions::new().create(true).append(true), &folder.path().join(SET_ASIDE))?;
    for ticket in open {
        writeln!(out, "{ticket}")?;
    }
    Ok(())
}

/// Every file flushed, then moved; the one that makes a folder a store comes last.
fn move_in(waiting: &Path, data: &Path) -> anyhow::Result<()> {
    flush_all(waiting)?;
    let mut names = Vec::new();
    for found in fs::read_dir(waiting)? {
        let name = found?.file_name();
        // Reading a database may leave a log without content beside it.
        let text = name.to_string_lossy();
        if !text.ends_with("-wal") && !text.ends_with("-shm") {
            names.push(name);
        }
    }
    names.sort_by_key(|name| *name == *LAST);
    for name in &names {
        let to = data.join(name);
        fs::rename(waiting.join(name), &to).with_context(|| format!("could not put {} in place", to.display()))?;
        if *name == *LAST {
            continue;
        }
        sync_folder(&to)?;
    }
    sync_folder(&data.join(LAST))
}

fn flush_all(folder: &Path) -> anyhow::Result<()> {
    for found in fs::read_dir(folder)? {
        let found = found?;
        if found.file_type()?.is_dir() {
            flush_all(&found.path())?;
        }
        fs::File::open(found.path())?.sync_all()?;
    }
    Ok(fs::File::open(folder)?.sync_all()?)
}
