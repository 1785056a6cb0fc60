//! What a till remembers between two starts: its device, the session, the ticket it is on, and the command it was saying.
//!
//! A command stands here, id and body, before it is sent. A till that is killed says it again with the same id, so nothing is
//! sold twice. The file holds tokens, so only its owner may read it; one till at a time has it.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use backroom_protocol::v1::register::Position;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::make::TicketRef;

const FILE: &str = "till.json";
const LOCK: &str = "lock";

#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    #[error("could not use the till's folder {}; name another with --state", .path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("another till works with {}; close it, or name another folder with --state", .path.display())]
    InUse { path: PathBuf },
    #[error("{} can not be read; move it away and enrol this register again", .path.display())]
    Unreadable { path: PathBuf, source: serde_json::Error },
}

/// Who this device is to its box.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    pub address: String,
    pub register: String,
    pub token: String,
    pub store: String,
    pub store_name: String,
    pub currency: String,
    pub decimals: u32,
}

/// Who stands at it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    pub token: String,
    pub staff: String,
    pub staff_name: String,
}

/// A command that was perhaps sent and perhaps done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub call: String,
    pub command_id: Uuid,
    /// The request's bytes in base64.
    pub body: String,
}

/// A ticket that is open as far as this till knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTicket {
    pub id: Uuid,
    pub version: u64,
}

impl From<OpenTicket> for TicketRef {
    fn from(ticket: OpenTicket) -> Self {
        Self {
            id: ticket.id,
            version: ticket.version,
        }
    }
}

/// A scripted sale on its way: what was to be done, and how much of it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    pub scans: Vec<String>,
    pub cash: String,
    pub scanned: usize,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Seen {
    pub epoch: u32,
    pub seq: u64,
    pub hash: String,
}

/// All of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Notebook {
    pub device: Option<Device>,
    pub session: Option<Session>,
    pub seen: Option<Seen>,
    pub ticket: Option<OpenTicket>,
    pub script: Option<Script>,
    pub pending: Option<Pending>,
}

impl Notebook {
    pub fn position(&self) -> Option<Position> {
        let seen = self.seen.as_ref()?;
        let hash = data_encoding::HEXLOWER.decode(seen.hash.as_bytes()).ok()?;
        Some(Position {
            epoch: seen.epoch,
            seq: seen.seq,
            hash,
        })
    }

    pub fn saw(&mut self, position: Option<&Position>) {
        if let Some(position) = position {
            self.seen = Some(Seen {
                epoch: position.epoch,
                seq: position.seq,
                hash: data_encoding::HEXLOWER.encode(&position.hash),
            });
        }
    }
}

/// The notebook and the folder it lies in.
#[derive(Debug)]
pub struct Memory {
    folder: PathBuf,
    pub notes: Notebook,
    _lock: File,
}

impl Memory {
    pub fn open(folder: &Path) -> Result<Self, MemoryError> {
        let failed = |source| MemoryError::Folder {
            path: folder.to_owned(),
            source,
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let lock = private_file(&folder.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(MemoryError::InUse { path: folder.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let path = folder.join(FILE);
        let notes = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| MemoryError::Unreadable { path, source })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Notebook::default(),
            Err(source) => return Err(failed(source)),
        };
        Ok(Self {
            folder: folder.to_owned(),
            notes,
            _lock: lock,
        })
    }

    /// Replaces the file as a whole; after this returned, the notes survive a power cut.
    pub fn keep(&self) -> Result<(), MemoryError> {
        self.write().map_err(|source| MemoryError::Folder {
            path: self.folder.clone(),
            source,
        })
    }

    fn write(&self) -> io::Result<()> {
        let fresh = self.folder.join("till.json.new");
        let mut file = private_file(&fresh)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.set_len(0)?;
        serde_json::to_writer(&mut file, &self.notes)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&fresh, self.folder.join(FILE))?;
        File::open(&self.folder)?.sync_all()
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        std::env::temp_dir().join(format!("till-memory-{}", Uuid::now_v7()))
    }

    #[test]
    fn a_till_that_was_killed_finds_what_it_was_saying() {
        let folder = folder();
        let pending = Pending {
            call: "scan".into(),
            command_id: Uuid::now_v7(),
            body: "AAEC".into(),
        };
        {
            let mut memory = Memory::open(&folder).unwrap();
            memory.notes.pending = Some(pending.clone());
            memory.keep().unwrap();
        }
        let memory = Memory::open(&folder).unwrap();
        assert_eq!(memory.notes.pending, Some(pending));
        let mode = fs::metadata(folder.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "others could read the tokens");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn two_tills_do_not_share_one_notebook() {
        let folder = folder();
        let first = Memory::open(&folder).unwrap();
        assert!(matches!(Memory::open(&folder), Err(MemoryError::InUse { .. })));
        drop(first);
        assert!(Memory::open(&folder).is_ok());
        fs::remove_dir_all(folder).unwrap();
    }
}
