//! What head office writes down for Shopify, on both engines: with the entry, once, and never for a shop that is not connected.
//! Also the door for Shopify's messages. That all of it arrives is tried elsewhere, against a stand-in.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use data_encoding::BASE64;
use ed25519_dalek::SigningKey;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;

use backroom_core::directive::{Address, BatchHead};
use backroom_core::journal::Seq;
use backroom_protocol::messages;
use hq_aggregator::intake::{Intake, Issuer};
use hq_aggregator::prove::{Proof, prove};
use hq_aggregator::tenant::TenantDb;
use hq_aggregator::tenant::shopify::deliveries::Delivery;
use hq_aggregator::tenant::shopify::outbox::{End, Kind, Row};
use hq_aggregator::tenant::shopify::{ConnectError, Item, NewLink};

use crate::engine::{Books, Engine, on_both_engines};
use crate::eventually;
use crate::head_office::HeadOffice;
use crate::http::Answer;
use crate::store::Journal;

on_both_engines! {
    what_is_to_be_told_is_written_once_with_its_entry,
    a_shop_that_is_not_connected_tells_nothing,
    what_a_shop_holds_when_it_is_connected_is_told_first,
    a_row_keeps_its_key_until_shopify_says_that_nothing_happened,
    messages_and_products_are_kept_once_and_newest_last,
    only_a_signed_message_comes_in_and_no_secret_comes_out,
}

const PLACE: &str = "gid://shopify/Location/1";

/// One company's books and the counter of its only store.
struct Office {
    db: Arc<TenantDb>,
    intake: Intake,
    key: SigningKey,
    address: Address,
    _books: Books,
    _home: TempDir,
}

impl Office {
    async fn open(engine: Engine) -> Office {
        let home = tempfile::tempdir().unwrap();
        let books = Books::new(engine, home.path());
        let address = Address {
            tenant: "nord".parse().unwrap(),
            store: "harbour".parse().unwrap(),
        };
        let key = SigningKey::from_bytes(&[7; 32]);
        let db = Arc::new(TenantDb::open(&books.databases(), address.tenant).await.unwrap());
        let issuer = Arc::new(Issuer::new(SigningKey::from_bytes(&[9; 32])));
        let intake = Intake::open(address, key.verifying_key(), db.clone(), issuer).await.unwrap();
        Office {
            db,
            intake,
            key,
            address,
            _books: books,
            _home: home,
        }
    }

    async fn connect(&self) {
        self.db.connect_shopify(&self.link("name.myshopify.com")).await.unwrap();
    }

    fn link(&self, domain: &str) -> NewLink {
        NewLink {
            url: format!("https://{domain}"),
            domain: domain.to_owned(),
            api_version: "2026-10".to_owned(),
            locations: vec![(self.address.store, PLACE.to_owned())],
        }
    }

    async fn hears(&mut self, journal: &Journal, first: u64, last: u64) {
        let entries = &journal.entries[first as usize - 1..last as usize];
        let head = BatchHead {
            address: self.address,
            epoch: journal.epoch,
            first: Seq(first),
            last: Seq(last),
            round: 1,
            last_hash: entries.last().unwrap().hash,
        };
        let bytes = messages::write_batch(&head, entries.iter().map(|entry| entry.bytes.clone()).collect(), &self.key);
        self.intake.batch(0, &bytes).await.unwrap();
    }

    /// `kind/state` and how many.
    async fn counts(&self) -> Vec<(String, i64)> {
        let counts = self.db.shopify_counts().await.unwrap();
        counts
            .into_iter()
            .map(|count| (format!("{}/{}", count.kind, count.state), count.rows))
            .collect()
    }

    async fn next(&self) -> Row {
        self.db.shopify_next(1).await.unwrap().remove(0)
    }
}

fn counted(of: &[(&str, i64)]) -> Vec<(String, i64)> {
    of.iter().map(|(what, rows)| ((*what).to_owned(), *rows)).collect()
}

async fn what_is_to_be_told_is_written_once_with_its_entry(engine: Engine) {
    let mut office = Office::open(engine).await;
    office.connect().await;
    let mut journal = Journal::new(office.address);
    journal.open();
    journal.sell_many(2);
    journal.take_back();
    journal.cancel();
    office.hears(&journal, 1, 4).await;
    office.hears(&journal, 1, 4).await;
    office.hears(&journal, 3, 7).await;
    // The tickets of these stores have no lines, which no order can be made of: that is said at once and holds up nothing.
    let all = counted(&[
        ("change/waiting", 3),
        ("level/waiting", 1),
        ("order/refused", 2),
        ("refund/refused", 1),
    ]);
    assert_eq!(office.counts().await, all);
    let first = office.next().await;
    assert_eq!(
        (first.kind, first.sku.as_str(), first.body.as_str()),
        (Kind::Level, "MUG", "100000")
    );
    assert_eq!(first.location.as_deref(), Some(PLACE));
    assert_eq!(
        office.db.shopify_next(50).await.unwrap().len(),
        1,
        "a change waits for the level before it"
    );
    office.db.shopify_end(first.number, End::Done, Some("gid"), None).await.unwrap();
    let changes: Vec<String> = {
        let mut changes = Vec::new();
        for _ in 0..3 {
            let change = office.next().await;
            office.db.shopify_end(change.number, End::Done, None, None).await.unwrap();
            changes.push(change.body);
        }
        changes
    };
    assert_eq!(changes, ["-1000", "-1000", "1000"], "in the order in which they happened");
    assert!(matches!(prove(&office.db).await.unwrap(), Proof::Right { .. }));
}

async fn a_shop_that_is_not_connected_tells_nothing(engine: Engine) {
    let mut office = Office::open(engine).await;
    let mut journal = Journal::new(office.address);
    journal.open();
    journal.sell();
    office.hears(&journal, 1, 4).await;
    assert_eq!(office.counts().await, []);
    assert_eq!(office.db.shopify_link().await.unwrap(), None);
}

async fn what_a_shop_holds_when_it_is_connected_is_told_first(engine: Engine) {
    let mut office = Office::open(engine).await;
    let mut journal = Journal::new(office.address);
    journal.open();
    journal.sell();
    office.hears(&journal, 1, 4).await;
    office.connect().await;
    office.connect().await;
    journal.sell();
    office.hears(&journal, 5, 5).await;
    assert_eq!(
        office.counts().await,
        counted(&[("change/waiting", 1), ("level/waiting", 1), ("order/refused", 1)])
    );
    assert_eq!(office.next().await.body, "99000");
    let other = office.link("other.myshopify.com");
    assert!(matches!(office.db.connect_shopify(&other).await, Err(ConnectError::OtherShop(_))));
}

async fn a_row_keeps_its_key_until_shopify_says_that_nothing_happened(engine: Engine) {
    let mut office = Office::open(engine).await;
    office.connect().await;
    let mut journal = Journal::new(office.address);
    journal.open();
    office.hears(&journal, 1, 3).await;
    let row = office.next().await;
    let number = row.number;
    assert!(!row.is_asked && row.sent.is_none());

    office.db.shopify_asking(number, "{\"a\":1}").await.unwrap();
    let asked = office.next().await;
    assert!(asked.is_asked && asked.asked_at.is_some());
    assert_eq!((asked.sent.as_deref(), asked.attempt_key()), (Some("{\"a\":1}"), row.attempt_key()));

    office.db.shopify_not_asked(number).await.unwrap();
    let again = office.next().await;
    assert_eq!(
        (again.is_asked, again.asked_at, again.sent),
        (false, None, asked.sent),
        "word for word the same, should it go out"
    );

    office.db.shopify_put_off(number, 3_600_000_000, Some("it waits")).await.unwrap();
    assert_eq!(office.db.shopify_next(5).await.unwrap(), []);
    let stuck = office.db.shopify_stuck(5).await.unwrap();
    assert_eq!((stuck[0].why.as_str(), stuck[0].sku.as_str()), ("it waits", "MUG"));
    office.db.shopify_hurry("MUG").await.unwrap();
    assert_eq!(office.next().await.tries, 1);

    office.db.shopify_anew(number, 0).await.unwrap();
    let anew = office.next().await;
    assert_eq!((anew.attempt, anew.sent.as_deref()), (1, None));
    assert_ne!(anew.attempt_key(), row.attempt_key());
    office.db.shopify_looked(number, 0).await.unwrap();
    assert_eq!(office.next().await.looked, 1);
    office
        .db
        .shopify_end(number, End::Unclear, None, Some("nobody knows"))
        .await
        .unwrap();
    assert_eq!(office.counts().await, counted(&[("level/unclear", 1)]));
}

async fn messages_and_products_are_kept_once_and_newest_last(engine: Engine) {
    let office = Office::open(engine).await;
    let delivery = Delivery {
        webhook_id: "w1".into(),
        topic: "products/update".into(),
        body: b"{\"a\":\"\xff\"}".to_vec(),
    };
    assert!(office.db.shopify_receive(&delivery).await.unwrap());
    assert!(!office.db.shopify_receive(&delivery).await.unwrap());
    assert_eq!(office.db.shopify_received(9).await.unwrap(), std::slice::from_ref(&delivery));
    office.db.shopify_worked_on("w1", "done").await.unwrap();
    assert!(!office.db.shopify_receive(&delivery).await.unwrap(), "a repeat is known for ever");
    assert_eq!(office.db.shopify_received(9).await.unwrap(), []);
    assert_eq!(office.db.shopify_deliveries(9).await.unwrap()[0].said.as_deref(), Some("done"));

    let item = |price: &str, said_at| Item {
        sku: "MUG".into(),
        variant: "v".into(),
        item: "i".into(),
        title: "Mug\0".into(),
        price: price.into(),
        said_at,
    };
    let keep = async |price, said_at| office.db.shopify_keep_item(&item(price, said_at)).await.unwrap();
    assert!(keep("1.00", 50).await);
    assert!(!keep("2.00", 40).await, "an older message does not undo a newer one");
    assert!(keep("3.00", 0).await, "what Shopify answers counts");
    assert!(!keep("4.00", 45).await, "and does not make old messages new");
    assert_eq!(office.db.shopify_item("MUG").await.unwrap().unwrap().price, "3.00");
    assert_eq!(office.db.shopify_unknown(9).await.unwrap()[0].sku, "MUG");
    assert_eq!(office.db.prices_in_connected_stores("MUG").await.unwrap(), []);
    office.db.shopify_forget_item("MUG").await.unwrap();
    assert_eq!(office.db.shopify_item("MUG").await.unwrap(), None);
}

/// A head office that is connected to a shop which does not answer.
async fn connected(engine: Engine) -> HeadOffice {
    let office = HeadOffice::open(engine).await;
    office.add_store("nord", "harbour").await;
    let file = |name: &str, text: &str| {
        let path = office.home().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (token, secret) = (file("token", "shpat_geheim"), file("secret", "new-geheim\nold-geheim\n"));
    let place = format!("harbour={PLACE}");
    let shop = ["--shop", "http://127.0.0.1:9", "--domain", "name.myshopify.com"];
    let files = ["--token-file", &token, "--secret-file", &secret, "--location", &place];
    let words = [&["shopify", "connect", "--tenant", "nord"][..], &shop, &files].concat();
    let printed = office.must(&words).await;
    assert!(!printed.contains("geheim"), "{printed}");
    office
}

fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    BASE64.encode(&mac.finalize().into_bytes())
}

async fn deliver(office: &HeadOffice, path: &str, id: &str, domain: &str, signature: &str, body: &str) -> Answer {
    let headers = [
        ("x-shopify-topic", "products/update".to_owned()),
        ("x-shopify-webhook-id", id.to_owned()),
        ("x-shopify-shop-domain", domain.to_owned()),
        ("x-shopify-hmac-sha256", signature.to_owned()),
    ];
    office.ask_with("POST", path, &headers, Some(body)).await
}

async fn only_a_signed_message_comes_in_and_no_secret_comes_out(engine: Engine) {
    let office = connected(engine).await;
    let token = office.sign_in("nord").await;
    let standing = async || office.ask("GET", "/api/v1/shopify", Some(&token), None).await.body;
    eventually("the shop that does not answer is shown", async || {
        standing().await["last_error"]["sentence"].is_string()
    })
    .await;
    assert_eq!(standing().await["connected"], false);
    assert_eq!(office.ask("GET", "/api/v1/shopify", None, None).await.status, 401);

    let (path, domain, body) = ("/webhooks/shopify/nord", "name.myshopify.com", r#"{"id":1}"#);
    let (right, old) = (signature("new-geheim", body), signature("old-geheim", body));
    for (id, signature) in [("w1", &right), ("w1", &right), ("w2", &old)] {
        let answer = deliver(&office, path, id, domain, signature, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let wrong = signature("shpat_geheim", body);
    let without_body = signature("new-geheim", "");
    for (path, domain, signature) in [
        (path, domain, wrong.as_str()),
        (path, domain, without_body.as_str()),
        (path, domain, "none"),
        (path, "other.myshopify.com", right.as_str()),
        ("/webhooks/shopify/sued", domain, right.as_str()),
        ("/webhooks/shopify/..", domain, right.as_str()),
    ] {
        let answer = deliver(&office, path, "w3", domain, signature, body).await;
        assert!(
            [401, 404].contains(&answer.status),
            "{path} {domain} {signature}: {}",
            answer.status
        );
    }
    assert_eq!(
        office.ask("POST", path, None, Some(&json!({}))).await.status,
        401,
        "without any of the headers"
    );
    let huge = " ".repeat((4 << 20) + 1);
    let answer = deliver(&office, path, "w4", domain, &signature("new-geheim", &huge), &huge).await;
    assert!([413, 0].contains(&answer.status), "{}", answer.status);
    let messages = standing().await["messages"].clone();
    let mut kept: Vec<&str> = messages
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["webhook_id"].as_str().unwrap())
        .collect();
    kept.sort_unstable();
    assert_eq!(kept, ["w1", "w2"], "each right one once, nothing of the wrong ones");

    let seen = [
        standing().await.to_string(),
        office.log(),
        String::from_utf8_lossy(&office.books().bytes()).into_owned(),
    ];
    assert!(seen.iter().all(|text| !text.contains("geheim")), "a secret is seen");
    let vault = office.data().join("shopify");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&vault), mode(&vault.join("nord.json"))), (0o700, 0o600));
    let kept: Value = serde_json::from_slice(&std::fs::read(vault.join("nord.json")).unwrap()).unwrap();
    assert_eq!(kept["webhook"], json!(["new-geheim", "old-geheim"]));
}
