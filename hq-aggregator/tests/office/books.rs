//! The databases themselves: what head office may rely on, whichever engine keeps its books.

use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use serde_json::json;
use sqlx::migrate::Migrator;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::timeout;

use backroom_core::catalog::PriceChange;
use backroom_core::directive::{Address, BatchHead};
use backroom_core::facts::CashMove;
use backroom_core::ids::TenantId;
use backroom_core::journal::Seq;
use backroom_core::money::Money;
use backroom_core::time::Instant;
use backroom_protocol::messages::{self, Hello};
use hq_aggregator::control::{ControlDb, ControlError, SignedIn, Store as Shop};
use hq_aggregator::db::{self, Database, Databases, Description, now_micros};
use hq_aggregator::intake::{Intake, Issuer};
use hq_aggregator::prove::{Proof, prove};
use hq_aggregator::tenant::TenantDb;
use hq_aggregator::tenant::directives::Answered;

use crate::engine::{Books, Engine, on_both_engines};
use crate::head_office::HeadOffice;
use crate::store::{Journal, NOON, Store};
use crate::{DEADLINE, eventually};

on_both_engines! {
    what_is_added_in_one_process_is_seen_in_another,
    a_token_opens_until_it_runs_out,
    what_was_not_committed_is_undone_and_holds_up_nobody,
    a_commit_is_on_the_disk_and_a_reader_cannot_write,
    text_is_compared_by_its_bytes,
    two_head_offices_on_the_same_books_count_every_entry_once,
    orders_given_at_the_same_moment_get_numbers_of_their_own,
    the_books_of_another_head_office_are_refused,
}

fn nord() -> TenantId {
    "nord".parse().unwrap()
}

fn books(engine: Engine) -> (Books, TempDir) {
    let home = tempfile::tempdir().unwrap();
    (Books::new(engine, home.path()), home)
}

/// A database without any table of head office's.
async fn empty(databases: &Databases) -> Database {
    static NONE: Migrator = Migrator::DEFAULT;
    let description = Description {
        file: "empty.db".into(),
        schema: "empty".into(),
        sqlite: &NONE,
        postgres: &NONE,
    };
    databases.open(description).await.unwrap()
}

async fn what_is_added_in_one_process_is_seen_in_another(engine: Engine) {
    let (books, _home) = books(engine);
    let (databases, nord) = (books.databases(), nord());
    let command = ControlDb::open(&databases).await.unwrap();
    let server = ControlDb::open(&databases).await.unwrap();
    command.add_tenant(nord, "Nordwind").await.unwrap();
    let signing_key = SigningKey::from_bytes(&[7; 32]).verifying_key();
    let shop = Shop {
        store: "harbour".parse().unwrap(),
        name: "Harbour".into(),
        signing_key,
    };
    command.add_store(nord, &shop, "UABC").await.unwrap();
    assert_eq!(server.tenants().await.unwrap(), [nord]);
    assert_eq!(server.stores(nord).await.unwrap(), std::slice::from_ref(&shop));
    assert!(matches!(server.add_tenant(nord, "x").await, Err(ControlError::TenantThere(_))));
    assert!(matches!(
        server.add_store(nord, &shop, "UABC").await,
        Err(ControlError::StoreThere { .. })
    ));
}

async fn a_token_opens_until_it_runs_out(engine: Engine) {
    let (books, _home) = books(engine);
    let control = ControlDb::open(&books.databases()).await.unwrap();
    let nord = nord();
    control.add_tenant(nord, "Nordwind").await.unwrap();
    control.add_login(nord, "mia", "hash").await.unwrap();
    let owner = SignedIn {
        tenant: nord,
        login: "mia".into(),
    };
    control.add_token(b"0123", &owner, now_micros() + 1_000_000).await.unwrap();
    assert_eq!(control.token_owner(b"0123", now_micros()).await.unwrap(), Some(owner));
    assert_eq!(control.token_owner(b"0123", now_micros() + 2_000_000).await.unwrap(), None);
    assert_eq!(control.token_owner(b"0124", now_micros()).await.unwrap(), None);
    assert_eq!(control.password_hash(nord, "mia\0").await.unwrap(), None);
}

async fn what_was_not_committed_is_undone_and_holds_up_nobody(engine: Engine) {
    let (books, _home) = books(engine);
    let here = empty(&books.databases()).await;
    let elsewhere = empty(&books.databases()).await;
    let count = async |database: &Database| -> i64 {
        let count = sqlx::query_scalar("select count(*) from t").fetch_one(database.readers());
        count.await.unwrap()
    };
    sqlx::query("create table t (n bigint not null)")
        .execute(here.writer())
        .await
        .unwrap();

    let mut writing = here.begin().await.unwrap();
    sqlx::query("insert into t values (1)").execute(&mut *writing).await.unwrap();
    let mut second = Box::pin(elsewhere.begin());
    assert!(timeout(Duration::from_millis(300), &mut second).await.is_err(), "two write at once");
    assert_eq!(count(&elsewhere).await, 0);
    drop(writing);
    // Whoever waited goes on by itself, though nobody uses the first connection again.
    let mut writing = timeout(DEADLINE, second).await.unwrap().unwrap();
    assert_eq!(count(&elsewhere).await, 0);

    sqlx::query("insert into t values (2)").execute(&mut *writing).await.unwrap();
    let mut moment = here.snapshot().await.unwrap();
    let seen: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&mut *moment).await.unwrap();
    db::commit(writing).await.unwrap();
    let later: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&mut *moment).await.unwrap();
    assert_eq!((seen, later, count(&here).await), (0, 0, 1));
}

async fn a_commit_is_on_the_disk_and_a_reader_cannot_write(engine: Engine) {
    let (books, _home) = books(engine);
    let database = empty(&books.databases()).await;
    match engine {
        Engine::Sqlite => {
            let wal: String = sqlx::query_scalar("pragma journal_mode")
                .fetch_one(database.writer())
                .await
                .unwrap();
            let synchronous: i64 = sqlx::query_scalar("pragma synchronous").fetch_one(database.writer()).await.unwrap();
            assert_eq!((&*wal, synchronous), ("wal", 2));
        }
        Engine::Postgres => {
            // The server of these tests would not wait for its disk.
            let sql = "select current_setting('synchronous_commit')";
            let (ours, servers): (String, String) = (
                sqlx::query_scalar(sql).fetch_one(database.writer()).await.unwrap(),
                sqlx::query_scalar(sql).fetch_one(database.readers()).await.unwrap(),
            );
            assert_eq!((&*ours, &*servers), ("on", "off"));
        }
    }
    sqlx::query("create table t (n bigint not null)")
        .execute(database.writer())
        .await
        .unwrap();
    let refused = sqlx::query("insert into t values (1)")
        .execute(database.readers())
        .await
        .unwrap_err();
    assert!(refused.to_string().to_lowercase().contains("read"), "{refused}");
}

/// The server of these tests sorts as dictionaries do, where nobody says otherwise.
async fn text_is_compared_by_its_bytes(engine: Engine) {
    let (books, _home) = books(engine);
    let control = ControlDb::open(&books.databases()).await.unwrap();
    for tenant in ["b-2", "b1", "a", "ba", "b-a"] {
        control.add_tenant(tenant.parse().unwrap(), tenant).await.unwrap();
    }
    let tenants: Vec<String> = control.tenants().await.unwrap().into_iter().map(|one| one.to_string()).collect();
    assert_eq!(tenants, ["a", "b-2", "b-a", "b1", "ba"]);
    // Each with a database of its own, hyphen or not.
    for tenant in ["b-2", "b1"] {
        let db = TenantDb::open(&books.databases(), tenant.parse().unwrap()).await.unwrap();
        assert_eq!(db.open_cases().await.unwrap(), []);
    }
}

/// Not how it is run today, but how it may be one day, and how it is by mistake: nothing may be counted twice.
async fn two_head_offices_on_the_same_books_count_every_entry_once(engine: Engine) {
    let (books, _home) = books(engine);
    let key = SigningKey::from_bytes(&[7; 32]);
    let address = Address {
        tenant: nord(),
        store: "harbour".parse().unwrap(),
    };
    let mut journal = Journal::new(address);
    journal.open();
    for _ in 0..10 {
        journal.sell();
        journal.move_cash(CashMove::PaidIn, 100);
        journal.sell();
    }
    let hello = || {
        let hello = Hello {
            address,
            heads: vec![journal.head()],
            directives_through: 0,
            version: "te\0st".into(),
        };
        messages::write_hello(&hello, &key)
    };
    let batch = |first: u64, last: u64| {
        let entries = &journal.entries[first as usize - 1..last as usize];
        let head = BatchHead {
            address,
            epoch: journal.epoch,
            first: Seq(first),
            last: Seq(last),
            round: 1,
            last_hash: entries.last().unwrap().hash,
        };
        messages::write_batch(&head, entries.iter().map(|entry| entry.bytes.clone()).collect(), &key)
    };
    let mut offices = Vec::new();
    for _ in 0..2 {
        let db = Arc::new(TenantDb::open(&books.databases(), address.tenant).await.unwrap());
        let issuer = Arc::new(Issuer::new(SigningKey::from_bytes(&[9; 32])));
        let intake = Intake::open(address, key.verifying_key(), db.clone(), issuer).await.unwrap();
        offices.push((intake, db));
    }
    for first in (1..=33).step_by(3) {
        let [(one, _), (two, _)] = &mut offices[..] else { unreachable!() };
        // Both know where the journal stands. Then one takes an entry in, the other what follows, and both the rest.
        one.hello(0, &hello()).await.unwrap();
        two.hello(0, &hello()).await.unwrap();
        one.batch(0, &batch(first, first)).await.unwrap();
        two.batch(0, &batch(first + 1, first + 1)).await.unwrap();
        let rest = batch(first + 2, first + 2);
        let (a, b) = tokio::join!(one.batch(0, &rest), two.batch(0, &rest));
        a.unwrap();
        b.unwrap();
    }
    let (second, db) = &mut offices[1];
    let (_, said) = second.hello(0, &hello()).await.unwrap();
    assert_eq!(said.len(), 1, "all is held, nothing is asked for: {said:?}");
    let standing = db.standing(address.store).await.unwrap();
    assert_eq!((standing.held, standing.applied), (Seq(33), Seq(33)), "one chain without a gap");
    let right = Proof::Right {
        stores: 1,
        entries: 33,
        waiting: 0,
    };
    assert_eq!(prove(db).await.unwrap(), right);
}

async fn orders_given_at_the_same_moment_get_numbers_of_their_own(engine: Engine) {
    let (books, _home) = books(engine);
    let mut orders = JoinSet::new();
    for office in 0..2 {
        let db = Arc::new(TenantDb::open(&books.databases(), nord()).await.unwrap());
        for order in 0..10 {
            let db = db.clone();
            let change = PriceChange {
                sku: "MUG".parse().unwrap(),
                price: Money(office * 100 + order),
                currency: "EUR".parse().unwrap(),
                effective_at: Instant::from_micros(NOON).unwrap(),
            };
            orders.spawn(async move {
                let harbour = ["harbour".parse().unwrap()];
                match db.order_price(&harbour, &change, "mia", None, |_| String::new()).await.unwrap() {
                    Answered::Now(made) => made[0].number,
                    other => panic!("{other:?}"),
                }
            });
        }
    }
    let mut numbers = timeout(DEADLINE, orders.join_all()).await.unwrap();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<u64>>());
}

async fn the_books_of_another_head_office_are_refused(engine: Engine) {
    let office = HeadOffice::closed(engine).await;
    // Somebody lost the keys and hopes that new ones do.
    std::fs::remove_file(office.data().join("hq.key")).unwrap();
    std::fs::remove_dir_all(office.data().join("broker")).unwrap_or_default();
    for words in [&["tenant", "add", "--tenant", "west", "--name", "x"][..], &["run"]] {
        let output = office.command(words).await;
        assert_eq!(output.status.code(), Some(3), "{words:?}");
        assert!(
            said(&output).contains("these books belong to another head office"),
            "{}",
            said(&output)
        );
    }
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_away_nothing_is_confirmed_and_then_all_is() {
    let mut office = HeadOffice::open(Engine::Postgres).await;
    let join = office.add_store("nord", "harbour").await;
    let mut store = Store::join(&join, office.broker_url()).await;
    let mut journal = Journal::new(store.address);
    journal.open();
    store.sync(&journal).await;
    store.forget();
    office.books_mut().server().unwrap().stop();
    journal.sell_many(5);
    assert!(store.send(&journal, 4, 8).await, "the broker takes it all the same");
    eventually("the fault is in the log", async || {
        office.log().contains("a batch could not be stored; nothing of it is confirmed")
    })
    .await;
    assert_eq!(
        office.ask("GET", "/readyz", None, None).await.body,
        json!({ "ok": false, "failing": ["database"] })
    );
    assert!(store.held(journal.epoch) <= 3);
    office.books_mut().server().unwrap().resume().unwrap();
    store.waits_until_held(&journal).await; // Without being sent again.
    assert_eq!(
        office.must(&["prove"]).await,
        "nord: right; 8 entries of 1 stores, 0 cases in quarantine\n"
    );
    assert_no_password_in(&mut office, "");
}

fn assert_no_password_in(office: &mut HeadOffice, more: &str) {
    let said = office.log() + more;
    for password in office.books_mut().server().unwrap().passwords() {
        assert!(!said.contains(password), "the password of the database was said");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_named_by_flag_or_file_and_its_password_by_nobody() {
    let mut office = HeadOffice::closed(Engine::Postgres).await;
    let url = office.books().url().unwrap();
    let config = office.home().join("hq.toml");
    std::fs::write(&config, format!("data = {:?}\ndatabase = {url:?}\n", office.data())).unwrap();
    let run = async |words: &[&str]| {
        let mut command = office.program();
        command.args(words).env("BACKROOM_LOG", "trace");
        command.env_remove("BACKROOM_DATA").env_remove("BACKROOM_DATABASE");
        timeout(DEADLINE, command.output()).await.unwrap().unwrap()
    };
    let (data, config) = (office.data(), config.to_str().unwrap().to_owned());
    let data = data.to_str().unwrap();
    let right = "nord: right; 0 entries of 0 stores, 0 cases in quarantine\n";
    let mut all = String::new();
    for words in [&["prove", "--data", data, "--database", &url][..], &["prove", "--config", &config]] {
        let output = run(words).await;
        assert_eq!(String::from_utf8_lossy(&output.stdout), right, "{}", said(&output));
        all += &said(&output);
    }
    let wrong_password = url.replacen("geheim", "falsch", 1);
    let elsewhere = url.replace("/postgres", "/nowhere");
    let no_address = url.replace("postgres://", "mysql://");
    let wrong = [
        (&wrong_password, 1, "password authentication failed"),
        (&elsewhere, 1, "could not open the database nowhere at "),
        (&no_address, 2, "it looks like postgres://user:password@host:5432/name"),
    ];
    for (url, code, sentence) in wrong {
        let output = run(&["prove", "--data", data, "--database", url]).await;
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(said(&output).contains(sentence), "{}", said(&output));
        all += &said(&output);
    }
    assert!(!all.contains("falsch"), "a password was said");
    assert!(!office.data().join("control.db").exists(), "the books are in one place only");
    assert_no_password_in(&mut office, &all);
}
