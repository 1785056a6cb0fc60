//! Head office as a running server: broker, a line per company, the portal, and their orderly end.
//!
//! Notices companies and stores which a command adds meanwhile. What each part does is its own business.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use backroom_core::ids::TenantId;

use crate::broker::accounts::Directory;
use crate::broker::keys::Keys;
use crate::broker::server::{Embedded, Options, find_nats_server};
use crate::config::Place;
use crate::control::ControlDb;
use crate::db::Databases;
use crate::intake::Issuer;
use crate::rest::{self, Portal};
use crate::room::{Room, Rooms};
use crate::shopify::outbox::Sender;
use crate::shopify::vault::Vault;
use crate::tenant::TenantDb;
use crate::uplink::{Uplink, whole};

const LOOK_FOR_TENANTS: Duration = Duration::from_millis(500);
const LINES_END_WITHIN: Duration = Duration::from_secs(10);

/// Runs until SIGTERM or SIGINT.
pub async fn run(place: &Place, http: SocketAddr, nats: SocketAddr) -> anyhow::Result<()> {
    rest::check_loopback(http)?;
    rest::check_loopback(nats)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (office, databases) = place.open()?;
    let (key, keys) = {
        let lock = office.set_up()?;
        (office.signing_key(&lock)?, Arc::new(Keys::load_or_create(&office.broker_dir())?))
    };
    let control = Arc::new(ControlDb::open(&databases).await?);
    control.belongs_to(&key.verifying_key()).await?;
    let listener = rest::listen(http)?;
    let http = listener.local_addr()?;

    let options = Options {
        listen: nats,
        ..Options::new(find_nats_server()?)
    };
    let disk_bytes = options.disk_bytes;
    let broker = Embedded::start(&office.broker_dir(), &keys, options).await?;
    office.remember_broker_url(&broker.client_url())?;
    let directory = Arc::new(Directory::connect(&broker.client_url(), keys, Some(disk_bytes)).await?);

    let (stop, stopped) = watch::channel(false);
    let rooms = Rooms::default();
    let vault = Vault::new(office.shopify_dir());
    let portal = Arc::new(Portal::new(control.clone(), rooms.clone(), broker.health(), vault.clone()));
    let server = rest::serve(listener, portal).context("could not start the portal")?;
    let server_handle = server.handle();
    let mut serving = tokio::spawn(server);
    let mut lines = Lines {
        databases,
        control,
        directory,
        issuer: Arc::new(Issuer::new(key)),
        broker: broker.health(),
        stop: stopped,
        rooms,
        vault,
        opened: BTreeSet::new(),
        running: JoinSet::new(),
    };
    lines.open_new().await;
    let ready = json!({
        "ready": true, "name": "hq-aggregator", "http": format!("http://{http}"), "nats": broker.client_url(),
        "nats_pid": broker.pid(), "pid": std::process::id(),
    });
    println!("{ready}");

    let ended = loop {
        tokio::select! {
            _ = terminate.recv() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
            ended = &mut serving => {
                break Err(anyhow::anyhow!("the portal ended by itself ({ended:?}); start head office again"));
            }
            () = sleep(LOOK_FOR_TENANTS) => lines.open_new().await,
        }
    };
    tracing::info!("stopping");
    server_handle.stop(true).await;
    stop.send_replace(true);
    if timeout(LINES_END_WITHIN, lines.running.join_all()).await.is_err() {
        tracing::warn!("some lines did not end in time; what they had not committed is sent again");
    }
    broker.stop().await;
    tracing::info!("stopped");
    ended
}

/// The lines of all companies.
struct Lines {
    databases: Databases,
    control: Arc<ControlDb>,
    directory: Arc<Directory>,
    issuer: Arc<Issuer>,
    broker: watch::Receiver<crate::broker::server::Health>,
    stop: watch::Receiver<bool>,
    rooms: Rooms,
    vault: Vault,
    opened: BTreeSet<TenantId>,
    running: JoinSet<()>,
}

impl Lines {
    /// One company whose database cannot be opened does not hold up the others; it is tried again each time.
    async fn open_new(&mut self) {
        let tenants = match self.control.tenants().await {
            Ok(tenants) => tenants,
            Err(error) => return tracing::error!(error = %whole(&error), "the control database cannot be read"),
        };
        for tenant in tenants
            .into_iter()
            .filter(|tenant| !self.opened.contains(tenant))
            .collect::<Vec<_>>()
        {
            match TenantDb::open(&self.databases, tenant).await {
                Ok(db) => self.open(tenant, db),
                Err(error) => tracing::error!(%tenant, error = %whole(&error), "a company's database cannot be opened"),
            }
        }
    }

    fn open(&mut self, tenant: TenantId, db: TenantDb) {
        let room = Arc::new(Room::new(db));
        self.rooms.insert(tenant, room.clone());
        self.opened.insert(tenant);
        let (sender_room, vault, stop) = (room.clone(), self.vault.clone(), self.stop.clone());
        let sender = move || Sender::new(sender_room.clone(), vault.clone(), stop.clone()).run();
        self.running.spawn(keep_running(tenant, sender));
        let uplink = Uplink {
            room,
            control: self.control.clone(),
            directory: self.directory.clone(),
            issuer: self.issuer.clone(),
            broker: self.broker.clone(),
            stop: self.stop.clone(),
        };
        self.running.spawn(keep_running(tenant, move || uplink.clone().run()));
    }
}

/// A bug that one company's messages bring to light must not silence that company until somebody looks.
async fn keep_running<F: Future<Output = ()> + Send + 'static>(tenant: TenantId, line: impl Fn() -> F + Send) {
    loop {
        match tokio::spawn(line()).await {
            Ok(()) => return,
            Err(error) => tracing::error!(%tenant, %error, "alarm: the line of a company failed; starting it again"),
        }
        sleep(Duration::from_secs(1)).await;
    }
}
