//! The client's own log: what was asked, on disk before the box hears it, and what was answered.
//!
//! It is the other half of the evidence for the ten laws, so it is written by the one who asks and never read back here.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use backroom_protocol::v1::register::Position;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Someone who is told of every command, before it is sent and after it was answered.
pub trait Notes: Send {
    fn asked(&mut self, call: &'static str, command_id: Uuid) -> io::Result<()>;
    fn acked(&mut self, call: &'static str, command_id: Uuid, outcome: &Outcome, attempts: u32) -> io::Result<()>;
}

/// For a register that keeps no log.
#[derive(Clone, Copy, Debug)]
pub struct NoNotes;

impl Notes for NoNotes {
    fn asked(&mut self, _call: &'static str, _command_id: Uuid) -> io::Result<()> {
        Ok(())
    }

    fn acked(&mut self, _call: &'static str, _command_id: Uuid, _outcome: &Outcome, _attempts: u32) -> io::Result<()> {
        Ok(())
    }
}

/// What an answer comes down to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// `None` when it was done.
    pub refused: Option<String>,
    pub receipt: Option<String>,
    pub due: Option<i64>,
    pub change: Option<i64>,
    pub position: Option<Position>,
}

impl Outcome {
    pub fn refused(code: &str) -> Self {
        Self {
            refused: Some(code.to_owned()),
            ..Self::default()
        }
    }

    fn to_json(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("ok".into(), self.refused.is_none().into());
        if let Some(code) = &self.refused {
            fields.insert("code".into(), code.as_str().into());
        }
        if let Some(receipt) = &self.receipt {
            fields.insert("receipt".into(), receipt.as_str().into());
        }
        if let Some(due) = self.due {
            fields.insert("due".into(), due.into());
        }
        if let Some(change) = self.change {
            fields.insert("change".into(), change.into());
        }
        if let Some(position) = &self.position {
            fields.insert("epoch".into(), position.epoch.into());
            fields.insert("seq".into(), position.seq.into());
        }
        Value::Object(fields)
    }
}

/// The log as a file of JSON lines; an older log is continued.
#[derive(Debug)]
pub struct LogFile {
    file: File,
}

impl LogFile {
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file })
    }

    /// One write per line, so that a client that is killed leaves no half line before a whole one.
    fn write(&mut self, line: &Value) -> io::Result<()> {
        self.file.write_all(format!("{line}\n").as_bytes())
    }
}

impl Notes for LogFile {
    fn asked(&mut self, call: &'static str, command_id: Uuid) -> io::Result<()> {
        let now = Timestamp::now();
        self.write(&json!({"asked": now, "command_id": command_id, "at": now, "call": call, "result": null}))?;
        self.file.sync_data()
    }

    fn acked(&mut self, call: &'static str, command_id: Uuid, outcome: &Outcome, _attempts: u32) -> io::Result<()> {
        let now = Timestamp::now();
        self.write(&json!({"acked": now, "command_id": command_id, "at": now, "call": call, "result": outcome.to_json()}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_names_the_command_and_how_it_ended() {
        let path = std::env::temp_dir().join(format!("till-log-{}", Uuid::now_v7()));
        let id = Uuid::now_v7();
        let mut log = LogFile::open(&path).unwrap();
        log.asked("tender", id).unwrap();
        let outcome = Outcome {
            receipt: Some("r1/1/1".into()),
            due: Some(995),
            change: Some(5),
            position: Some(Position {
                epoch: 1,
                seq: 9,
                hash: vec![],
            }),
            ..Outcome::default()
        };
        log.acked("tender", id, &outcome, 2).unwrap();
        log.acked("scan", id, &Outcome::refused("unknown_code"), 1).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["command_id"], id.to_string());
        assert_eq!(lines[0]["result"], Value::Null);
        assert_eq!(
            lines[1]["result"],
            json!({"ok": true, "receipt": "r1/1/1", "due": 995, "change": 5, "epoch": 1, "seq": 9})
        );
        assert_eq!(lines[2]["result"], json!({"ok": false, "code": "unknown_code"}));
    }
}
