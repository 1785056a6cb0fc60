//! One counter of a test: a box of its own, the `till` program with its folder, and their log.

use std::path::{Path, PathBuf};
use std::time::Duration;

use backroom_tests::processes::{self, Workplace};
use backroom_tests::shop::{self, Founding, STAFF, Shop};
use installer::client::log::{LogFile, Notes};
use serde_json::Value;

const WITHIN: Duration = Duration::from_secs(60);

pub struct Counter {
    pub shop: Shop,
    place: Workplace,
    codes: Vec<String>,
}

impl Counter {
    /// A box that runs and a register where somebody is signed in.
    pub async fn open() -> Self {
        let place = Workplace::new("till-test").unwrap();
        let founding = Founding {
            items: 20,
            ..Founding::plain()
        };
        let mut shop = Shop::found(place.path(), &founding).await.unwrap();
        shop.start().await.unwrap();
        std::fs::create_dir(place.path().join("logs")).unwrap();
        let counter = Self {
            shop,
            place,
            codes: shop::codes(20),
        };
        let (staff, pin) = STAFF[0];
        std::fs::write(counter.folder().join("pin"), pin).unwrap();
        let code = counter.shop.pair().await.unwrap();
        counter
            .done(&["enrol", "--box", &counter.shop.address(), "--code", &code, "--register", "r1"])
            .await;
        let pin_file = counter.folder().join("pin").display().to_string();
        counter.done(&["sign-in", "--staff", staff, "--pin-file", &pin_file]).await;
        counter
    }

    pub fn folder(&self) -> &Path {
        self.place.path()
    }

    pub fn logs(&self) -> PathBuf {
        self.folder().join("logs")
    }

    pub fn log(&self) -> Box<dyn Notes> {
        Box::new(LogFile::open(&self.logs().join("till.jsonl")).unwrap())
    }

    pub fn code(&self, item: usize) -> &str {
        &self.codes[item]
    }

    pub async fn price(&self, item: usize) -> i64 {
        self.done(&["price", self.code(item)]).await["price"].as_i64().unwrap()
    }

    pub fn session_token(&self) -> String {
        let text = std::fs::read_to_string(self.folder().join("state/till.json")).unwrap();
        let notes: Value = serde_json::from_str(&text).unwrap();
        notes["session"]["token"].as_str().unwrap().to_owned()
    }

    fn args(&self, words: &[&str]) -> Vec<String> {
        let file = |name: &str| self.folder().join(name).display().to_string();
        let mut args: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        args.extend([
            "--json".into(),
            "--state".into(),
            file("state"),
            "--log".into(),
            file("logs/till.jsonl"),
        ]);
        args
    }

    /// Exit code and JSON of one run.
    pub async fn till(&self, words: &[&str]) -> (i32, Value) {
        let till = processes::binary("till").unwrap();
        let output = processes::output(&till, &self.args(words), WITHIN).await.unwrap();
        let told = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code().unwrap_or(-1), told)
    }

    /// Runs a till and kills it; true when it had ended well before.
    pub async fn till_killed_after(&self, after: Duration, words: &[&str]) -> bool {
        let till = processes::binary("till").unwrap();
        let log = self.folder().join("killed.log");
        processes::start_and_kill(&till, &self.args(words), &log, after).await.is_err()
    }

    pub async fn done(&self, words: &[&str]) -> Value {
        let (status, told) = self.till(words).await;
        assert_eq!((status, &told["ok"]), (0, &Value::Bool(true)), "till {words:?}: {told}");
        told
    }

    pub async fn refused(&self, words: &[&str]) -> Value {
        let (status, told) = self.till(words).await;
        assert_eq!((status, &told["ok"]), (3, &Value::Bool(false)), "till {words:?}: {told}");
        told
    }
}
