//! What happened to a device, one JSON line each, written at the moment it happens and before anybody is told.
//!
//! Money has moved when the terminal says so here, and paper is printed when the printer says so here; what a link heard of
//! it is another matter, and comparing the two is the point. A file is only ever added to, so a simulator that starts again
//! goes on in it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

#[derive(Clone, Debug)]
pub struct Ledger {
    device: Arc<str>,
    book: Arc<Mutex<Book>>,
}

#[derive(Debug, Default)]
struct Book {
    file: Option<File>,
    lines: u64,
}

impl Ledger {
    /// Without a path, lines are only counted.
    pub fn open(path: Option<&Path>, device: &str) -> io::Result<Self> {
        let file = path
            .map(|path| OpenOptions::new().create(true).append(true).open(path))
            .transpose()?;
        Ok(Self {
            device: device.into(),
            book: Arc::new(Mutex::new(Book { file, lines: 0 })),
        })
    }

    pub fn happened(&self, event: &str, more: Map<String, Value>) -> io::Result<()> {
        let mut line = Map::new();
        line.insert("at".into(), jiff::Timestamp::now().to_string().into());
        line.insert("device".into(), (*self.device).into());
        line.insert("event".into(), event.into());
        line.extend(more);
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &mut book.file {
            // One write of the whole line: a reader beside it never sees half of one, nor does another writer split it.
            file.write_all(text.as_bytes())?;
            file.flush()?;
        }
        book.lines += 1;
        Ok(())
    }

    /// Lines since this simulator started.
    pub fn lines(&self) -> u64 {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).lines
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_ledger_goes_on_where_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p1.jsonl");
        for job in ["a", "b"] {
            let ledger = Ledger::open(Some(&path), "p1").unwrap();
            ledger.happened("pulse", Map::from_iter([("job".into(), job.into())])).unwrap();
            assert_eq!(ledger.lines(), 1);
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let jobs: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .inspect(|line| {
                assert_eq!((&line["device"], &line["event"]), (&json!("p1"), &json!("pulse")));
                assert!(line["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
            })
            .map(|line| line["job"].clone())
            .collect();
        assert_eq!(jobs, ["a", "b"]);
    }
}
