//! The broker room against a real nats-server: who may do what, and what it survives.
//!
//! Looks at it only as head office and a store's uplink do. Which messages travel is none of its business.

#![expect(clippy::unwrap_used, reason = "a test may simply stop")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_nats::connection::State;
use async_nats::jetstream::{self, stream};
use async_nats::{AuthError, Client, ConnectOptions, Event, HeaderMap};
use futures_util::StreamExt;
use nkeys::KeyPair;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use backroom_core::ids::TenantId;
use backroom_protocol::subjects::{self, Down};
use hq_aggregator::broker::BrokerError;
use hq_aggregator::broker::accounts::{Directory, Terms};
use hq_aggregator::broker::keys::{Keys, StoreCredentials};
use hq_aggregator::broker::server::{Embedded, Health, Options};

const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_store_publishes_its_journal_and_gets_the_acknowledgement() {
    let office = Office::open().await;
    let hq = office.ensure("nord", &terms()).await;
    let store = office.store("nord", "harbour").await;

    let first = store.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();
    assert_eq!((first.sequence, first.duplicate), (1, false));
    let again = store.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();
    assert_eq!(
        (again.sequence, again.duplicate),
        (1, true),
        "the same batch must not be kept twice"
    );
    let asked_for = store.send_batch("nord", "harbour", "harbour:1:1-20:1").await.unwrap();
    assert!(!asked_for.duplicate, "a resend which head office asked for must pass");
    assert_eq!(messages_kept(&hq).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_announces_itself_and_hears_only_what_is_meant_for_it() {
    let office = Office::open().await;
    let hq = office.ensure("nord", &terms()).await;
    let harbour = office.store("nord", "harbour").await;
    let station = office.store("nord", "station").await;
    let mut at_harbour = harbour.client.subscribe(subjects::down_all("nord", "harbour")).await.unwrap();
    let mut at_station = station.client.subscribe(subjects::down_all("nord", "station")).await.unwrap();
    let mut hellos = hq.subscribe(subjects::up_hellos("nord")).await.unwrap();
    for client in [&harbour.client, &station.client, &hq] {
        client.flush().await.unwrap();
    }

    let asking = tokio::spawn({
        let client = harbour.client.clone();
        async move { client.request(subjects::up_hello("nord", "harbour"), "here I am".into()).await }
    });
    let hello = timeout(DEADLINE, hellos.next()).await.unwrap().unwrap();
    assert_eq!(subjects::sender(&hello.subject), Some(("nord", "harbour", "hello")));
    hq.publish(hello.reply.unwrap(), "welcome".into()).await.unwrap();
    assert_eq!(timeout(DEADLINE, asking).await.unwrap().unwrap().unwrap().payload, "welcome");

    hq.publish(subjects::down("nord", "station", Down::Watermark), "20".into())
        .await
        .unwrap();
    hq.publish(subjects::down("nord", "harbour", Down::Directive), "price".into())
        .await
        .unwrap();
    assert_eq!(timeout(DEADLINE, at_station.next()).await.unwrap().unwrap().payload, "20");
    assert_eq!(timeout(DEADLINE, at_harbour.next()).await.unwrap().unwrap().payload, "price");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_can_neither_speak_nor_listen_elsewhere() {
    let office = Office::open().await;
    let hq = office.ensure("nord", &terms()).await;
    let mut overheard = hq.subscribe("br.>").await.unwrap();
    hq.flush().await.unwrap();
    let mut store = office.store("nord", "harbour").await;

    let for_others_to_say = [
        subjects::up_journal("nord", "station"),
        subjects::up_journal("sued", "harbour"),
        subjects::down("nord", "harbour", Down::Watermark),
        subjects::down("nord", "station", Down::Directive),
        "br.v1.nord.harbour".to_owned(),
        "_INBOX_station.abc".to_owned(),
        format!("$JS.API.STREAM.DELETE.{}", subjects::UP_STREAM),
        "$SYS.REQ.CLAIMS.LIST".to_owned(),
    ];
    for subject in for_others_to_say {
        store.client.publish(subject.clone(), "forged".into()).await.unwrap();
        store.refused("publish", &subject).await;
    }
    let for_others_to_hear = [
        ">".to_owned(),
        "br.>".to_owned(),
        subjects::down_all("nord", "station"),
        subjects::down_all("nord", "*"),
        subjects::up_journals("nord"),
        subjects::inbox_all("station"),
        "_INBOX.>".to_owned(),
        "$SYS.>".to_owned(),
    ];
    for subject in for_others_to_hear {
        let _listening = store.client.subscribe(subject.clone()).await.unwrap();
        store.refused("subscription", &subject).await;
    }

    store.send_batch("nord", "harbour", "harbour:1:1-1:0").await.unwrap();
    let heard = timeout(DEADLINE, overheard.next()).await.unwrap().unwrap();
    assert_eq!(
        heard.subject.as_str(),
        subjects::up_journal("nord", "harbour"),
        "a forged message came through"
    );
    assert_eq!(messages_kept(&hq).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_do_not_see_each_other() {
    let office = Office::open().await;
    let nord = office.ensure("nord", &terms()).await;
    let sued = office.ensure("sued", &terms()).await;
    let mut heard_by_sued = sued.subscribe(">").await.unwrap();
    sued.flush().await.unwrap();

    // The same store id with both: only the account tells them apart.
    let of_nord = office.store("nord", "harbour").await;
    let of_sued = office.store("sued", "harbour").await;
    of_nord.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();
    of_sued.send_batch("sued", "harbour", "harbour:1:1-20:0").await.unwrap();

    let heard = timeout(DEADLINE, heard_by_sued.next()).await.unwrap().unwrap();
    assert_eq!(heard.subject.as_str(), subjects::up_journal("sued", "harbour"));
    assert_eq!((messages_kept(&nord).await, messages_kept(&sued).await), (1, 1));

    let pried = nord.request("$SYS.REQ.CLAIMS.LIST", "".into()).await;
    assert!(pried.is_err(), "a tenant may not list the others");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_comes_back_on_the_same_port_with_everything_it_acknowledged() {
    let office = Office::open().await;
    let hq = office.ensure("nord", &terms()).await;
    let store = office.store("nord", "harbour").await;
    for batch in 1..=20 {
        store
            .send_batch("nord", "harbour", &format!("harbour:1:{batch}-{batch}:0"))
            .await
            .unwrap();
    }
    let (url, pid) = (office.broker.client_url(), office.broker.pid().unwrap());

    office.broker.kill().await;
    let mut health = office.broker.health();
    let back = timeout(
        DEADLINE,
        health.wait_for(|health| matches!(health, Health::Running { start: 2, .. })),
    )
    .await;
    assert!(back.is_ok(), "the broker did not come back");
    assert_eq!(office.broker.client_url(), url);
    assert_ne!(office.broker.pid().unwrap(), pid);

    let same_hq = office.ensure("nord", &terms()).await;
    eventually("the store sends again by itself", async || {
        store.send_batch("nord", "harbour", "harbour:1:21-21:0").await.is_ok()
    })
    .await;
    assert_eq!(messages_kept(&same_hq).await, 21);
    eventually("head office's old connection is back too", async || {
        hq.connection_state() == State::Connected
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_message_folder_heals_when_the_tenant_is_ensured() {
    let office = Office::open().await;
    office.ensure("nord", &terms()).await;
    let store = office.store("nord", "harbour").await;
    store.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();
    let url = office.broker.client_url();

    let office = office
        .restart_after(|dir| std::fs::remove_dir_all(dir.join("jetstream")).unwrap())
        .await;
    assert_eq!(office.broker.client_url(), url, "stores have written the address down");

    let hq = office.ensure("nord", &terms()).await;
    assert_eq!(messages_kept(&hq).await, 0);
    eventually("the store sends again with the login it had", async || {
        store.send_batch("nord", "harbour", "harbour:1:1-20:1").await.is_ok()
    })
    .await;
    assert_eq!(messages_kept(&hq).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_account_folder_heals_when_the_tenant_is_ensured() {
    let office = Office::open().await;
    office.ensure("nord", &terms()).await;
    let credentials = office.credentials("nord", "harbour");
    let store = office.store_with("harbour", &credentials).await.unwrap();
    store.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();

    // Under a running broker first: it notices nothing, so neither may the store.
    std::fs::remove_dir_all(office.broker_dir().join("accounts")).unwrap();
    std::fs::create_dir(office.broker_dir().join("accounts")).unwrap();
    office.ensure("nord", &terms()).await;
    store.send_batch("nord", "harbour", "harbour:1:21-40:0").await.unwrap();

    let office = office
        .restart_after(|dir| std::fs::remove_dir_all(dir.join("accounts")).unwrap())
        .await;
    assert!(
        office.store_with("harbour", &credentials).await.is_err(),
        "nobody told this broker about the tenant yet"
    );
    let hq = office.ensure("nord", &terms()).await;
    assert_eq!(messages_kept(&hq).await, 2, "the messages belong to the account and were kept");
    eventually("the store is back with the login it had", async || {
        store.send_batch("nord", "harbour", "harbour:1:41-60:0").await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_store_is_dropped_and_stays_out() {
    let office = Office::open().await;
    let hq = office.ensure("nord", &terms()).await;
    let stolen_login = office.credentials("nord", "harbour");
    let mut stolen = office.store_with("harbour", &stolen_login).await.unwrap();
    let station = office.store("nord", "station").await;
    stolen.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();

    let nord = tenant("nord");
    let refused = office
        .directory
        .revoke_store(nord, &terms(), &stolen_login.public_key)
        .await
        .unwrap_err();
    assert!(matches!(refused, BrokerError::NotWrittenDown { .. }), "{refused}");
    let revoked = Terms {
        revoked: BTreeMap::from([(stolen_login.public_key.clone(), unix_now())]),
        ..terms()
    };
    office
        .directory
        .revoke_store(nord, &revoked, &stolen_login.public_key)
        .await
        .unwrap();

    stolen.sees("its link cut", |event| matches!(event, Event::Disconnected)).await;
    assert!(
        office.store_with("harbour", &stolen_login).await.is_err(),
        "the stolen login still opens the door"
    );
    office.ensure("nord", &revoked).await;
    assert!(
        office.store_with("harbour", &stolen_login).await.is_err(),
        "ensuring the tenant let the stolen login in again"
    );

    station.send_batch("nord", "station", "station:1:1-20:0").await.unwrap();
    let new_box = office.store("nord", "harbour").await;
    new_box.send_batch("nord", "harbour", "harbour:2:1-20:0").await.unwrap();
    assert_eq!(messages_kept(&hq).await, 3);
    assert_eq!(hq.connection_state(), State::Connected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_can_be_raised_and_lowered_while_stores_send() {
    let office = Office::open().await;
    let hq = office.ensure("nord", &terms()).await;
    let store = office.store("nord", "harbour").await;
    store.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();
    for (round, megabytes) in [64, 2, 32].into_iter().enumerate() {
        office
            .ensure(
                "nord",
                &Terms {
                    quota_bytes: megabytes << 20,
                    ..terms()
                },
            )
            .await;
        let stream = jetstream::new(hq.clone()).get_stream(subjects::UP_STREAM).await.unwrap();
        assert_eq!(stream.cached_info().config.max_bytes, (megabytes << 20) as i64 / 8 * 7);
        store
            .send_batch("nord", "harbour", &format!("harbour:1:{round}-{round}:9"))
            .await
            .unwrap();
    }
    assert_eq!(messages_kept(&hq).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stream_drops_the_oldest_and_takes_the_newest() {
    let office = Office::open().await;
    let hq = office
        .ensure(
            "nord",
            &Terms {
                quota_bytes: 1 << 20,
                ..terms()
            },
        )
        .await;
    let store = office.store("nord", "harbour").await;
    for batch in 1..=24 {
        let id = format!("harbour:1:{batch}-{batch}:0");
        store.send("nord", "harbour", &id, vec![0; 100_000]).await.unwrap();
    }
    let stream = jetstream::new(hq).get_stream(subjects::UP_STREAM).await.unwrap();
    let state = &stream.cached_info().state;
    assert_eq!(state.last_sequence, 24);
    assert!(state.first_sequence > 1 && state.bytes <= 1 << 20, "{state:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_disk_than_there_is_cannot_be_promised() {
    let office = Office::open().await;
    let most = Terms {
        quota_bytes: Office::DISK_BYTES - (1 << 20),
        ..terms()
    };
    office.ensure("nord", &most).await;
    let refused = office
        .directory
        .ensure_tenant(
            tenant("sued"),
            &Terms {
                quota_bytes: 2 << 20,
                ..terms()
            },
        )
        .await
        .unwrap_err();
    assert!(matches!(refused, BrokerError::DiskPromised { left: 1_048_576, .. }), "{refused}");
    office.ensure("nord", &terms()).await;
    office
        .ensure(
            "sued",
            &Terms {
                quota_bytes: 2 << 20,
                ..terms()
            },
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_broker_is_gone_and_a_second_head_office_on_the_same_folder_is_refused() {
    let office = Office::open().await;
    let refused = Embedded::start(&office.broker_dir(), &office.keys, options()).await.err().unwrap();
    assert!(matches!(refused, BrokerError::AlreadyRunning(_)), "{refused}");
    let address = office.broker.address();
    assert!(listens(address).await);
    office.broker.stop().await;
    assert!(!listens(address).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_broker_is_killed() {
    let office = Office::open().await;
    let address = office.broker.address();
    drop(office.broker);
    eventually("nobody listens any more", async || !listens(address).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_which_an_earlier_head_office_left_behind_is_ended() {
    let office = Office::open().await;
    let dir = office.broker_dir();
    office.broker.stop().await;
    let mut leftover = tokio::process::Command::new(nats_server())
        .arg("--config")
        .arg(dir.join("nats-server.conf"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let pid = leftover.id().unwrap().to_string();
    let pid_file = dir.join("nats-server.pid");
    eventually("the leftover wrote its pid", async || {
        std::fs::read_to_string(&pid_file).is_ok_and(|text| text == pid)
    })
    .await;

    let broker = Embedded::start(&dir, &office.keys, options()).await.unwrap();
    eventually("the leftover is dead", async || leftover.try_wait().unwrap().is_some()).await;
    assert!(listens(broker.address()).await);
    broker.stop().await;
}

/// Runs itself a second time: that process is the head office which gets killed.
#[test]
fn a_broker_does_not_outlive_a_killed_head_office() {
    const HOME: &str = "BACKROOM_TEST_HEAD_OFFICE_HOME";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(home) = std::env::var_os(HOME) {
        let home = PathBuf::from(home);
        runtime.block_on(async {
            let keys = Keys::load_or_create(&home).unwrap();
            let broker = Embedded::start(&home, &keys, options()).await.unwrap();
            std::fs::write(home.join("address.draft"), broker.address().to_string()).unwrap();
            std::fs::rename(home.join("address.draft"), home.join("address")).unwrap();
            std::future::pending::<()>().await;
        });
    }
    let home = tempfile::tempdir().unwrap();
    let mut head_office = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_broker_does_not_outlive_a_killed_head_office"])
        .env(HOME, home.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    runtime.block_on(async {
        let address = home.path().join("address");
        eventually("the other head office is open", async || address.exists()).await;
        let address: SocketAddr = std::fs::read_to_string(address).unwrap().parse().unwrap();
        assert!(listens(address).await);
        head_office.kill().unwrap();
        eventually("its broker is gone with it", async || !listens(address).await).await;
    });
    head_office.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_which_cannot_start_says_why() {
    let home = tempfile::tempdir().unwrap();
    let keys = Keys::load_or_create(home.path()).unwrap();
    let missing = Embedded::start(home.path(), &keys, Options::new("/nowhere/nats-server".into()))
        .await
        .err()
        .unwrap();
    assert!(missing.to_string().contains("/nowhere/nats-server"), "{missing}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = Options {
        listen: taken.local_addr().unwrap(),
        ..options()
    };
    let refused = Embedded::start(home.path(), &keys, busy).await.err().unwrap().to_string();
    assert!(refused.contains("address already in use"), "{refused}");

    // The port of the last run is a wish, not a must.
    std::fs::write(home.path().join("last-port"), taken.local_addr().unwrap().port().to_string()).unwrap();
    let broker = Embedded::start(home.path(), &keys, options()).await.unwrap();
    assert_ne!(broker.address(), taken.local_addr().unwrap());
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_with_other_keys_is_not_let_in() {
    let office = Office::open().await;
    office.ensure("nord", &terms()).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let strange = Arc::new(Keys::load_or_create(elsewhere.path()).unwrap());
    let credentials = strange.mint_store(tenant("nord"), "harbour".parse().unwrap()).unwrap();
    assert!(office.store_with("harbour", &credentials).await.is_err());
    let refused = Directory::connect(&office.broker.client_url(), strange, None).await.err().unwrap();
    assert!(matches!(refused, BrokerError::Login { .. }), "{refused}");
}

/// A head office with nothing but a broker room.
struct Office {
    home: TempDir,
    keys: Arc<Keys>,
    broker: Embedded,
    directory: Directory,
}

impl Office {
    const DISK_BYTES: u64 = 256 << 20;

    async fn open() -> Office {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("broker");
        let keys = Arc::new(Keys::load_or_create(&dir).unwrap());
        let broker = Embedded::start(&dir, &keys, options()).await.unwrap();
        let directory = Directory::connect(&broker.client_url(), keys.clone(), Some(Self::DISK_BYTES))
            .await
            .unwrap();
        Office {
            home,
            keys,
            broker,
            directory,
        }
    }

    fn broker_dir(&self) -> PathBuf {
        self.home.path().join("broker")
    }

    async fn ensure(&self, id: &str, terms: &Terms) -> Client {
        self.directory.ensure_tenant(tenant(id), terms).await.unwrap()
    }

    fn credentials(&self, of: &str, store: &str) -> StoreCredentials {
        self.keys.mint_store(tenant(of), store.parse().unwrap()).unwrap()
    }

    async fn store(&self, of: &str, store: &str) -> Store {
        self.store_with(store, &self.credentials(of, store)).await.unwrap()
    }

    async fn store_with(&self, store: &str, credentials: &StoreCredentials) -> Result<Store, async_nats::ConnectError> {
        let key = Arc::new(KeyPair::from_seed(&credentials.user_seed).unwrap());
        let (told, events) = mpsc::unbounded_channel();
        let client = ConnectOptions::with_jwt(credentials.user_jwt.clone(), move |nonce| {
            let key = key.clone();
            async move { key.sign(&nonce).map_err(AuthError::new) }
        })
        .custom_inbox_prefix(subjects::inbox_prefix(store))
        .max_reconnects(None)
        .reconnect_delay_callback(|_| Duration::from_millis(50))
        .event_callback(move |event| {
            let _test_is_over = told.send(event);
            async {}
        })
        .connect(self.broker.client_url())
        .await?;
        Ok(Store { client, events })
    }

    /// Stops the broker, does something to its folder, and starts it again. The directory stays connected.
    async fn restart_after(self, meanwhile: impl FnOnce(&Path)) -> Office {
        let dir = self.broker_dir();
        self.broker.stop().await;
        meanwhile(&dir);
        let broker = Embedded::start(&dir, &self.keys, options()).await.unwrap();
        Office { broker, ..self }
    }
}

/// A store's uplink.
struct Store {
    client: Client,
    events: mpsc::UnboundedReceiver<Event>,
}

impl Store {
    async fn send_batch(
        &self,
        tenant: &str,
        store: &str,
        id: &str,
    ) -> Result<jetstream::publish::PublishAck, jetstream::context::PublishError> {
        self.send(tenant, store, id, b"entries".to_vec()).await
    }

    async fn send(
        &self,
        tenant: &str,
        store: &str,
        id: &str,
        batch: Vec<u8>,
    ) -> Result<jetstream::publish::PublishAck, jetstream::context::PublishError> {
        let jetstream = jetstream::new(self.client.clone());
        let mut headers = HeaderMap::new();
        headers.insert(subjects::MESSAGE_ID_HEADER, id);
        jetstream
            .publish_with_headers(subjects::up_journal(tenant, store), headers, batch.into())
            .await?
            .await
    }

    async fn refused(&mut self, what: &str, subject: &str) {
        let words = format!("permissions violation for {what} to \"{}\"", subject.to_lowercase());
        self.sees(&words, |event| event.to_string().to_lowercase().contains(&words)).await;
    }

    async fn sees(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) {
        let mut seen = Vec::new();
        let looking = async {
            while let Some(event) = self.events.recv().await {
                if wanted(&event) {
                    return;
                }
                seen.push(event.to_string());
            }
        };
        assert!(
            timeout(DEADLINE, looking).await.is_ok(),
            "the store never saw {what}, only {seen:?}"
        );
    }
}

fn tenant(id: &str) -> TenantId {
    id.parse().unwrap()
}

fn terms() -> Terms {
    Terms {
        quota_bytes: 16 << 20,
        keep_days: 14,
        revoked: BTreeMap::new(),
    }
}

fn options() -> Options {
    Options {
        disk_bytes: Office::DISK_BYTES,
        ..Options::new(nats_server())
    }
}

/// The pinned server which `cargo verify` fetches, or the one that is named. Without one nothing here can be proven.
fn nats_server() -> PathBuf {
    if let Some(named) = std::env::var_os("BACKROOM_NATS_SERVER") {
        return named.into();
    }
    let program = std::env::current_exe().unwrap();
    let fetched = program
        .ancestors()
        .map(|dir| dir.join("tools/nats-server"))
        .find(|place| place.is_file());
    fetched.expect("no nats-server in target/tools: run `cargo verify`, which fetches it, or name one in BACKROOM_NATS_SERVER")
}

async fn messages_kept(hq: &Client) -> u64 {
    let mut up: stream::Stream = jetstream::new(hq.clone()).get_stream(subjects::UP_STREAM).await.unwrap();
    up.info().await.unwrap().state.messages
}

async fn listens(address: SocketAddr) -> bool {
    tokio::net::TcpStream::connect(address).await.is_ok()
}

async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < deadline, "waited {DEADLINE:?} in vain until {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
