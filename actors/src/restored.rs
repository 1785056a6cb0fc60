//! A box that was put back from a backup: what it does at its first start, before anything is sold.
//!
//! Nobody knows what the box did after the backup was made, so nothing of that time is done again: a new epoch and receipt series, and an
//! honest "nobody knows" for everything that was in the hands of a machine. Putting the files in place is the work of `store-server restore`.

use std::path::Path;

use backroom_core::facts::{CardEnd, CardEnded, EffectCause, EffectEnd, EffectEnded, EpochEnd, EpochReason, Fact};
use backroom_core::journal::Epoch;
use backroom_core::time::Instant;
use serde::{Deserialize, Serialize};

use crate::count::tags::Tags;
use crate::file::FileError;
use crate::journal::reader::Reader;
use crate::journal::writer::committed_from;
use crate::journal::{Append, AppendError, Journal};
use crate::store::Folder;

/// Lies in the data folder from the restore until the box has begun anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Where the journal ended when the backup was made.
    pub end: EpochEnd,
    pub made_at: Instant,
    pub restored_at: Instant,
    /// The epoch to open at least: a person knows of lives this backup has not seen.
    pub at_least: Epoch,
}

/// Why a box could not begin anew. It is tried again with the next start.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    #[error("could not read or remove {file}: {source}")]
    Mark { file: String, source: std::io::Error },
    #[error("{file} is damaged: {source}; restore the box again")]
    Damaged { file: String, source: serde_json::Error },
    #[error("the journal ends in epoch {ours}, before the backup's {theirs}; restore the box again")]
    OtherJournal { ours: Epoch, theirs: Epoch },
    #[error("what was under way could not be ended")]
    Append(#[from] AppendError),
    #[error(transparent)]
    File(#[from] FileError),
}

impl Mark {
    /// Receipt series to leave out. Whoever puts the same backup back twice gets other numbers each time, also without head office:
    /// a life in between had at most a series a minute.
    fn skip_series(&self) -> u32 {
        let micros = self.restored_at.as_micros().saturating_sub(self.made_at.as_micros());
        u32::try_from(micros.max(0) / 60_000_000).unwrap_or(0)
    }
}

/// Does nothing on a box that was not put back. May be cut off anywhere and is done to its end by the next start.
pub async fn begin_anew(folder: &Folder, journal: &Journal, reader: &Reader) -> Result<(), BeginError> {
    let path = folder.restored();
    let Some(mark) = read(&path)? else { return Ok(()) };
    let ours = journal.head().epoch;
    if ours < mark.end.epoch {
        let theirs = mark.end.epoch;
        return Err(BeginError::OtherJournal { ours, theirs });
    }
    if ours == mark.end.epoch {
        let opened = journal
            .open_epoch_after(EpochReason::Restored, mark.at_least, mark.skip_series())
            .await?;
        tracing::warn!(epoch = %opened.head.epoch, "this box was put back from a backup; it begins a new epoch and receipt series");
    }
    end_jobs(journal, reader).await?;
    if folder.tags().exists() {
        Tags::drop_unfinished(&folder.tags()).await?;
    }
    remove(&path).map_err(|source| mark_error(&path, source))
}

/// What a machine was asked for may have happened after the backup, so it is not asked again.
async fn end_jobs(journal: &Journal, reader: &Reader) -> Result<(), BeginError> {
    for entry in reader.wanted_jobs().await? {
        let append = match &*committed_from(&entry)?.fact {
            Fact::EffectWanted(wanted) => Append {
                ends: Some(wanted.effect.clone()),
                ..Append::by_the_box(Fact::EffectEnded(EffectEnded {
                    effect: wanted.effect.clone(),
                    end: EffectEnd::Unknown,
                    cause: Some(EffectCause::Box),
                    why: "the box was put back from a backup; print it as a copy if it is still wanted".into(),
                }))
            },
            Fact::CardAsked(asked) => Append {
                device: Some(asked.register),
                ends: Some(asked.ask.to_string()),
                ..Append::by_the_box(Fact::CardEnded(CardEnded {
                    ask: asked.ask,
                    ticket: asked.ticket,
                    terminal: asked.terminal,
                    end: CardEnd::NotPaid,
                    attempt: None,
                    why: "the box was put back from a backup and took no money for this; compare the terminal's own list".into(),
                }))
            },
            _ => continue,
        };
        match journal.append(append).await {
            Ok(_) | Err(AppendError::JobEnded) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Option<Mark>, BeginError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(mark_error(path, source)),
    };
    let mark = serde_json::from_slice(&text).map_err(|source| BeginError::Damaged {
        file: path.display().to_string(),
        source,
    })?;
    Ok(Some(mark))
}

fn remove(path: &Path) -> std::io::Result<()> {
    std::fs::remove_file(path)?;
    match path.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn mark_error(path: &Path, source: std::io::Error) -> BeginError {
    BeginError::Mark {
        file: path.display().to_string(),
        source,
    }
}
