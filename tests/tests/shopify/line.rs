//! A company that sells in one shop and is connected to the stand-in for Shopify: box, till, head office, all as programs.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use backroom_tests::campaign::hq::HeadOffice;
use backroom_tests::processes::{self, Workplace};
use backroom_tests::shop::{self, Founding, STAFF, Shop};
use backroom_tests::shopify::stand_in::StandIn;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

pub const TENANT: &str = "thread";
pub const STORE: &str = "berlin";
pub const PLACE: &str = "gid://shopify/Location/1";
const USER: &str = "owner";
const PASSWORD: &str = "a long password for tests";
const WITHIN: Duration = Duration::from_secs(60);
/// For everything that a working line does by itself.
const DEADLINE: Duration = Duration::from_secs(45);

pub struct Line {
    pub hq: HeadOffice,
    pub shop: Shop,
    pub shopify: StandIn,
    place: Workplace,
    codes: Vec<String>,
    http: reqwest::Client,
}

impl Line {
    /// Everything runs, somebody is at the till; Shopify is not connected yet and knows the first `known` of the items.
    pub async fn open(items: usize, known: usize) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok(); // Another test may have done so.
        let place = Workplace::new("shopify-test").unwrap();
        let file = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let mut hq = HeadOffice::found(place.path(), &[TENANT]).await.unwrap();
        let password = file("password", PASSWORD);
        hq.tool(&["user", "add", "--tenant", TENANT, "--user", USER, "--password-file", &password])
            .await
            .unwrap();
        let catalog = file("hq-catalog.json", &shop::catalog(items).to_string());
        hq.tool(&["catalog", "import", "--tenant", TENANT, &catalog]).await.unwrap();
        let join = hq.add_store(TENANT, STORE).await.unwrap();
        hq.start().await.unwrap();
        let founding = Founding {
            items,
            join: Some(join),
            ..Founding::plain()
        };
        let mut shop = Shop::found(place.path(), &founding).await.unwrap();
        shop.nats = Some(format!("nats://{}", hq.nats().unwrap()));
        shop.start().await.unwrap();
        std::fs::create_dir(place.path().join("logs")).unwrap();
        let products = file("products.json", &shop::catalog(known).to_string());
        let shopify = StandIn::start(place.path(), Path::new(&products), None).await.unwrap();
        let line = Self {
            hq,
            shop,
            shopify,
            place,
            codes: shop::codes(items),
            http: reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap(),
        };
        line.man_the_till().await;
        line
    }

    async fn man_the_till(&self) {
        let (staff, pin) = STAFF[0];
        std::fs::write(self.folder().join("pin"), pin).unwrap();
        let code = self.shop.pair().await.unwrap();
        self.till(&["enrol", "--box", &self.shop.address(), "--code", &code, "--register", "r1"])
            .await;
        let pin_file = self.folder().join("pin").display().to_string();
        self.till(&["sign-in", "--staff", staff, "--pin-file", &pin_file]).await;
        self.till(&["open", "--float", "100.00"]).await;
    }

    pub fn folder(&self) -> &Path {
        self.place.path()
    }

    /// `hq-aggregator shopify connect`, and where messages go.
    pub async fn connect(&self) {
        let file = |name: &str| self.folder().join(name).display().to_string();
        let location = format!("{STORE}={PLACE}");
        let words = [
            "shopify",
            "connect",
            "--tenant",
            TENANT,
            "--shop",
            self.shopify.url(),
            "--domain",
            "stand-in.myshopify.com",
            "--token-file",
            &file("shopify-token"),
            "--secret-file",
            &file("shopify-secret"),
            "--location",
            &location,
        ];
        self.hq.tool(&words).await.unwrap();
        self.subscribe().await;
    }

    /// Head office listens elsewhere after each start.
    pub async fn subscribe(&self) {
        let url = format!("{}/webhooks/shopify/{TENANT}", self.hq.http().unwrap());
        self.shopify.tell("webhook", &json!({ "url": url })).await.unwrap();
    }

    /// Runs the till to its end; it must succeed.
    pub async fn till(&self, words: &[&str]) -> Value {
        let till = processes::binary("till").unwrap();
        let file = |name: &str| self.folder().join(name).display().to_string();
        let mut args: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        args.extend([
            "--json".into(),
            "--state".into(),
            file("state"),
            "--log".into(),
            file("logs/till.jsonl"),
        ]);
        let output = processes::output(&till, &args, WITHIN).await.unwrap();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_eq!(told["ok"], true, "till {words:?}: {told}");
        told
    }

    /// One of each of these items, paid exactly; its receipt.
    pub async fn sell(&self, items: &[usize]) -> String {
        let codes: Vec<&str> = items.iter().map(|item| self.codes[*item].as_str()).collect();
        let mut words = vec!["sell", "--scan"];
        words.extend(codes);
        words.extend(["--cash", "exact"]);
        self.till(&words).await["receipt"].as_str().unwrap().to_owned()
    }

    /// What head office says of the line.
    pub async fn standing(&self) -> Value {
        self.ask("shopify").await
    }

    pub async fn ask(&self, path: &str) -> Value {
        let api = format!("{}/api/v1", self.hq.http().unwrap());
        let who = json!({ "tenant": TENANT, "user": USER, "password": PASSWORD });
        let login = self.http.post(format!("{api}/login")).json(&who).send().await.unwrap();
        let login: Value = login.json().await.unwrap();
        let token = login["token"].as_str().unwrap();
        let answer = self.http.get(format!("{api}/{path}")).bearer_auth(token).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// Until head office holds all that the shop has journaled, and has told all of it.
    pub async fn all_told(&self, orders: i64) {
        eventually("everything is told", || async {
            let standing = self.standing().await;
            let told = standing["told"]["order"].as_i64().unwrap_or_default() >= orders && standing["waiting_all"] == 0;
            told.then_some(()).ok_or(standing)
        })
        .await;
    }

    /// Orders, changes and levels at Shopify are those of the shop, each once, by the stand-in's own books.
    pub async fn books_agree(&self, sales: usize, pieces: usize) {
        let orders = self.shopify.happened("order_created").unwrap();
        assert_eq!(orders.len(), sales, "orders: {orders:#?}");
        let mut sources: Vec<_> = orders.iter().map(|order| order["source_identifier"].as_str().unwrap()).collect();
        sources.sort_unstable();
        sources.dedup();
        assert_eq!(sources.len(), sales, "each order is another sale");
        let changes = self.shopify.happened("level_changed").unwrap();
        assert_eq!(changes.len(), pieces, "changes: {changes:#?}");
        let ours = self.stock_at_hq().await;
        let state = self.shopify.state().await.unwrap();
        for level in state["levels"].as_array().unwrap() {
            let sku = level["sku"].as_str().unwrap();
            let held = ours.iter().find(|(known, _)| known == sku).map(|(_, on_hand)| *on_hand);
            assert_eq!(level["on_hand"].as_i64().map(|pieces| pieces * 1000), held, "{sku}");
        }
    }

    async fn stock_at_hq(&self) -> Vec<(String, i64)> {
        let export = self.hq.export(TENANT).await.unwrap();
        let lines = String::from_utf8(export).unwrap();
        let stock = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            let (_, sku) = line["key"].as_str()?.split_once('/')?;
            (line["projection"] == "stock").then(|| (sku.to_owned(), line["value"]["on_hand"].as_i64().unwrap()))
        };
        lines.lines().filter_map(stock).collect()
    }
}

/// Waits for a condition; the error of the last try says how far it came.
pub async fn eventually<T, E: std::fmt::Debug, F: Future<Output = Result<T, E>>>(what: &str, mut check: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match check().await {
            Ok(found) => return found,
            Err(last) => assert!(Instant::now() < deadline, "{what} did not happen; last: {last:#?}"),
        }
        sleep(Duration::from_millis(50)).await;
    }
}
