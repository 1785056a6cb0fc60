//! The world's lines as files would hold them, to be spoiled line by line, and the one place that knows the checker's API.

use std::path::{Path, PathBuf};

use backroom_tests::laws::{ClientLog, Evidence, Export, HqEvidence, Law, Ledger, Options, Report, StoreEvidence};
use serde_json::{Value, json};

use super::world::ShopWorld;

pub struct Case {
    pub shops: Vec<ShopLines>,
    /// Head office's export of the tenant, if it is evidence.
    pub hq: Option<Vec<Value>>,
    pub logs: Vec<Vec<Value>>,
    pub ledgers: Vec<Vec<Value>>,
}

pub struct ShopLines {
    pub export: Vec<Value>,
    pub tickets: Option<Vec<Value>>,
    pub state: Option<Vec<Value>>,
}

impl Case {
    /// Everything the shops know, and head office holding all of it.
    pub fn of(shops: &[ShopWorld]) -> Self {
        let lines = |shop: &ShopWorld| ShopLines {
            export: shop.lines(),
            tickets: Some(shop.open_tickets.clone()),
            state: Some([shop.stock_lines(), shop.tills()].concat()),
        };
        Self {
            shops: shops.iter().map(lines).collect(),
            hq: Some(hq_lines(shops)),
            logs: shops.iter().map(|shop| shop.log.clone()).collect(),
            ledgers: Vec::new(),
        }
    }

    pub fn hq(&mut self) -> &mut Vec<Value> {
        self.hq.as_mut().unwrap()
    }

    /// Head office's line with this projection and key.
    pub fn projection(&mut self, projection: &str, key: &str) -> &mut Value {
        let found = |line: &&mut Value| line["projection"] == projection && line["key"].as_str().unwrap().starts_with(key);
        self.hq().iter_mut().find(found).unwrap()
    }

    pub fn evidence(&self) -> Evidence {
        let projections = |lines: &Vec<Value>| lines.iter().map(|line| serde_json::from_value(line.clone()).unwrap()).collect();
        let store = |shop: &ShopLines| StoreEvidence {
            export: Export::read(text(&shop.export).as_bytes(), "journal.jsonl".into()).unwrap(),
            open_tickets: shop
                .tickets
                .as_ref()
                .map(|lines| lines.iter().map(|line| serde_json::from_value(line.clone()).unwrap()).collect()),
            state: shop.state.as_ref().map(projections),
        };
        Evidence {
            stores: self.shops.iter().map(store).collect(),
            hqs: self
                .hq
                .iter()
                .map(|lines| HqEvidence {
                    export: Export::read(text(lines).as_bytes(), "hq.jsonl".into()).unwrap(),
                })
                .collect(),
            client_logs: self
                .logs
                .iter()
                .map(|lines| ClientLog::read(text(lines).as_bytes(), "client.log".into()).unwrap())
                .collect(),
            ledgers: self
                .ledgers
                .iter()
                .map(|lines| Ledger::read(text(lines).as_bytes(), "ledger.jsonl".into()).unwrap())
                .collect(),
        }
    }

    pub fn check_with(&self, options: Options) -> Report {
        backroom_tests::laws::check(&self.evidence(), options)
    }

    pub fn check(&self) -> Report {
        self.check_with(Options::default())
    }
}

/// Exactly this law is broken, and what is said of it names `place` and `why`.
#[track_caller]
pub fn breaks(report: &Report, law: Law, place: &str, why: &str) {
    assert_eq!(report.broken(), [law], "\n{report}");
    let named = report
        .violations()
        .any(|violation| violation.place.contains(place) && violation.sentence.contains(why));
    assert!(named, "nothing names {place:?} and {why:?}\n{report}");
}

pub fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

pub fn hq_lines(shops: &[ShopWorld]) -> Vec<Value> {
    let mut lines = Vec::new();
    for shop in shops {
        for mut line in shop.lines() {
            line["store"] = json!(shop.store);
            lines.push(line);
        }
    }
    for shop in shops {
        lines.extend(
            [
                shop.sales_lines(),
                shop.stock_lines(),
                shop.tills(),
                watermarks(shop.store, &shop.lines()),
            ]
            .concat(),
        );
    }
    lines
}

/// One per epoch, over these entries.
pub fn watermarks(store: &str, entries: &[Value]) -> Vec<Value> {
    let ends = entries
        .chunk_by(|one, next| one["epoch"] == next["epoch"])
        .map(|epoch| epoch.last().unwrap());
    let line = |end: &Value| {
        let value = json!({"held": end["seq"], "applied": end["seq"], "hash": end["hash"]});
        json!({"projection": "watermark", "key": format!("{store}/{}", end["epoch"]), "value": value})
    };
    ends.map(line).collect()
}

/// The case as files; gone with this value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn write(case: &Case) -> Self {
        let path = std::env::temp_dir().join(format!("backroom-laws-{}", uuid::Uuid::now_v7()));
        let put = |name: String, lines: &[Value]| {
            let file = path.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text(lines)).unwrap();
        };
        for (at, shop) in case.shops.iter().enumerate() {
            put(format!("stores/{at}/journal.jsonl"), &shop.export);
            put(format!("stores/{at}/tickets.jsonl"), shop.tickets.as_ref().unwrap());
            put(format!("stores/{at}/state.jsonl"), shop.state.as_ref().unwrap());
        }
        put("hq/thread.jsonl".into(), case.hq.as_ref().unwrap());
        for (at, log) in case.logs.iter().enumerate() {
            put(format!("clients/{at}.log"), log);
        }
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0)); // A left-over in the temporary folder harms nobody.
    }
}
