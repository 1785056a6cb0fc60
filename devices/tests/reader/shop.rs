//! A shelf of goods with a reader over it, and the patience of the tests.

use std::collections::BTreeSet;
use std::time::Duration;

use backroom_core::barcode::Gtin;
use backroom_core::epc::{Epc, EpcId, Scheme};
use backroom_devices::link::reader::{InventoryPlan, ReaderDown, ReaderEvent, ReaderLink, ReaderSettings, TagSeen};
use backroom_devices::sim::reader::{Args, Running, start};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;

/// Far more than anything here takes; only a hang reaches it.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const SHIRT: &str = "04012345678901";

/// One piece of goods: its GTIN, whose company has seven digits, and its serial number, on a tag of 96 bits.
pub fn tag(gtin: &str, serial: u64) -> String {
    let gtin: Gtin = gtin.parse().unwrap();
    let id = EpcId::sgtin(gtin, 7, &serial.to_string()).unwrap();
    Epc::new(id, Scheme::Sgtin96, 1).unwrap().to_hex()
}

pub fn shirts(count: u64) -> BTreeSet<String> {
    (1..=count).map(|serial| tag(SHIRT, serial)).collect()
}

pub struct Shop {
    pub reader: Running,
    folder: TempDir,
}

impl Shop {
    /// A reader over these tags, whose ledger can be looked at.
    pub async fn with(tags: &BTreeSet<String>, rate: u32, duplicates: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tags.txt");
        let lines: Vec<&str> = tags.iter().map(String::as_str).collect();
        std::fs::write(&file, lines.join("\n")).unwrap();
        let mut args = Args {
            tags: Some(file),
            rate,
            duplicates,
            ..Args::default()
        };
        args.common.device = Some("r1".to_owned());
        args.common.ledger = Some(folder.path().join("r1.jsonl"));
        let reader = start(args).await.unwrap();
        Self { reader, folder }
    }

    pub fn address(&self) -> String {
        self.reader.address.to_string()
    }

    pub async fn connect(&self) -> Result<ReaderLink, ReaderDown> {
        ReaderLink::connect(&self.address(), settings()).await
    }

    /// A link whose inventory runs.
    pub async fn counting(&self) -> ReaderLink {
        let mut link = self.connect().await.unwrap();
        link.start_inventory(InventoryPlan::default()).await.unwrap();
        link
    }

    pub fn turn(&self, line: &str) {
        self.reader.turn(line).unwrap_or_else(|why| panic!("{line}: {why}"));
    }

    pub fn state(&self, field: &str) -> Value {
        self.reader.turn("state").unwrap()[field].clone()
    }

    pub async fn wait_until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let waiting = async {
            while !holds(self) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never so: {what}"));
    }

    /// Lines of the ledger that tell of this.
    pub fn ledger(&self, event: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("r1.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["event"] == event).collect()
    }
}

/// Patient enough for a busy machine, and no more.
pub fn settings() -> ReaderSettings {
    ReaderSettings {
        request_timeout: Duration::from_secs(10),
        keepalive: Duration::from_secs(10),
        ..ReaderSettings::default()
    }
}

/// For tests of silence.
pub fn impatient() -> ReaderSettings {
    ReaderSettings {
        request_timeout: Duration::from_millis(300),
        keepalive: Duration::from_millis(100),
        ..ReaderSettings::default()
    }
}

pub async fn next(link: &mut ReaderLink) -> Result<ReaderEvent, ReaderDown> {
    timeout(PATIENCE, link.next())
        .await
        .expect("the reader tells something, or its end")
}

/// What a count does: however often a tag is told, it is one thing.
#[derive(Default)]
pub struct Count {
    pub tags: BTreeSet<String>,
    pub told: u64,
}

impl Count {
    pub fn add(&mut self, tags: Vec<TagSeen>) {
        for tag in tags {
            self.told += 1;
            self.tags.insert(tag.epc_hex());
        }
    }

    /// Until so many are counted.
    pub async fn reach(&mut self, link: &mut ReaderLink, wanted: usize) -> Result<(), ReaderDown> {
        while self.tags.len() < wanted {
            if let ReaderEvent::Tags(tags) = next(link).await? {
                self.add(tags);
            }
        }
        Ok(())
    }

    /// What is still told after the stop.
    pub async fn finish(&mut self, link: &mut ReaderLink) {
        loop {
            match next(link).await.unwrap() {
                ReaderEvent::Tags(tags) => self.add(tags),
                ReaderEvent::InventoryEnded => return,
                _ => {}
            }
        }
    }
}

/// The end of a link, whatever it still tells before.
pub async fn down(link: &mut ReaderLink) -> ReaderDown {
    loop {
        if let Err(down) = next(link).await {
            return down;
        }
    }
}
