//! A head office and a store as far as the broker sees them, for the stories beside this file.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_nats::jetstream::{self, stream};
use async_nats::{AuthError, Client, ConnectOptions, Event, HeaderMap};
use nkeys::KeyPair;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use backroom_core::ids::TenantId;
use backroom_protocol::subjects;
use hq_aggregator::broker::accounts::{Directory, Terms};
use hq_aggregator::broker::keys::{Keys, StoreCredentials};
use hq_aggregator::broker::server::{Embedded, Options};

pub const DEADLINE: Duration = Duration::from_secs(30);

/// A head office with nothing but a broker room.
pub struct Office {
    pub home: TempDir,
    pub keys: Arc<Keys>,
    pub broker: Embedded,
    pub directory: Directory,
}

impl Office {
    pub const DISK_BYTES: u64 = 256 << 20;

    pub async fn open() -> Office {
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

    pub fn broker_dir(&self) -> PathBuf {
        self.home.path().join("broker")
    }

    pub async fn ensure(&self, id: &str, terms: &Terms) -> Client {
        self.directory.ensure_tenant(tenant(id), terms).await.unwrap()
    }

    pub fn credentials(&self, of: &str, store: &str) -> StoreCredentials {
        self.keys.mint_store(tenant(of), store.parse().unwrap()).unwrap()
    }

    pub async fn store(&self, of: &str, store: &str) -> Store {
        self.store_with(store, &self.credentials(of, store)).await.unwrap()
    }

    pub async fn store_with(&self, store: &str, credentials: &StoreCredentials) -> Result<Store, async_nats::ConnectError> {
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
    pub async fn restart_after(self, meanwhile: impl FnOnce(&Path)) -> Office {
        let dir = self.broker_dir();
        self.broker.stop().await;
        meanwhile(&dir);
        let broker = Embedded::start(&dir, &self.keys, options()).await.unwrap();
        Office { broker, ..self }
    }
}

/// A store's uplink.
pub struct Store {
    pub client: Client,
    pub events: mpsc::UnboundedReceiver<Event>,
}

impl Store {
    pub async fn send_batch(
        &self,
        tenant: &str,
        store: &str,
        id: &str,
    ) -> Result<jetstream::publish::PublishAck, jetstream::context::PublishError> {
        self.send(tenant, store, id, b"entries".to_vec()).await
    }

    pub async fn send(
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

    pub async fn refused(&mut self, what: &str, subject: &str) {
        let words = format!("permissions violation for {what} to \"{}\"", subject.to_lowercase());
        self.sees(&words, |event| event.to_string().to_lowercase().contains(&words)).await;
    }

    pub async fn sees(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) {
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

pub fn tenant(id: &str) -> TenantId {
    id.parse().unwrap()
}

pub fn terms() -> Terms {
    Terms {
        quota_bytes: 16 << 20,
        keep_days: 14,
        revoked: BTreeMap::new(),
    }
}

pub fn options() -> Options {
    Options {
        disk_bytes: Office::DISK_BYTES,
        ..Options::new(nats_server())
    }
}

/// The pinned server which `cargo verify` fetches, or the one that is named. Without one nothing here can be proven.
pub fn nats_server() -> PathBuf {
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

pub async fn messages_kept(hq: &Client) -> u64 {
    let mut up: stream::Stream = jetstream::new(hq.clone()).get_stream(subjects::UP_STREAM).await.unwrap();
    up.info().await.unwrap().state.messages
}

pub async fn listens(address: SocketAddr) -> bool {
    tokio::net::TcpStream::connect(address).await.is_ok()
}

pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < deadline, "waited {DEADLINE:?} in vain until {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
