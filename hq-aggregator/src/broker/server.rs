//! The embedded nats-server: started, watched, restarted and stopped by head office as its child.
//!
//! Owns the process and the address it listens on. Does not know tenants: an empty server lets nobody in but the system
//! account, until `accounts` has handed in the papers.
//!
//! The address never changes while head office runs, and is tried again after a restart of head office, because stores have
//! written it down.

mod child;
mod config;
mod find;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use self::find::find_nats_server;

use self::child::Child;
use super::BrokerError;
use super::keys::{Keys, private_dir};

/// Where the server keeps the account papers it was given.
pub(super) const ACCOUNTS_DIR: &str = "accounts";

const BACK_OFF_FIRST: Duration = Duration::from_millis(100);
const BACK_OFF_MOST: Duration = Duration::from_secs(5);
/// A server which ran this long was in order; its next restart is prompt again.
const IN_ORDER_AFTER: Duration = Duration::from_secs(1);

/// How the embedded server is run.
#[derive(Clone, Debug)]
pub struct Options {
    pub binary: PathBuf,
    /// Loopback only, since the embedded server speaks without encryption. Port 0 takes the port of the last run if it is
    /// free, else any free one.
    pub listen: SocketAddr,
    /// When messages reach the disk; with [`SyncInterval::Always`] an acknowledged message survives a power cut.
    pub sync_interval: SyncInterval,
    /// Disk for the messages of all tenants together.
    pub disk_bytes: u64,
    pub max_payload_bytes: u32,
    /// How long a server may take until it answers. It reads all streams first, which takes seconds with thousands of tenants.
    pub ready_within: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncInterval {
    Always,
    Every(Duration),
}

impl Options {
    /// Loopback, any port, every message on disk before it is acknowledged.
    pub fn new(binary: PathBuf) -> Options {
        Options {
            binary,
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            sync_interval: SyncInterval::Always,
            disk_bytes: 8 << 30,
            max_payload_bytes: 1 << 20,
            ready_within: Duration::from_secs(60),
        }
    }
}

/// What the server is doing right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// `start` counts the starts since head office came up, from 1. After each of them the accounts want to be ensured again,
    /// since what was on the server's disk may be gone.
    Running { pid: u32, start: u64 },
    /// Died; the next attempt is on its way.
    Down,
    /// Stopped by us, for good.
    Stopped,
}

/// A running server. Dropping it kills the server; [`Embedded::stop`] lets it finish first.
pub struct Embedded {
    address: SocketAddr,
    health: watch::Receiver<Health>,
    orders: mpsc::Sender<Order>,
    watcher: JoinHandle<()>,
}

enum Order {
    Stop(oneshot::Sender<()>),
    Kill,
}

impl Embedded {
    /// Starts the server with its files in `dir` and waits until it answers.
    ///
    /// A server which an earlier head office left running there is ended first; a second head office on the same folder
    /// is refused.
    pub async fn start(dir: &Path, keys: &Keys, options: Options) -> Result<Embedded, BrokerError> {
        if !options.listen.ip().is_loopback() {
            return Err(BrokerError::OffLoopback(options.listen));
        }
        private_dir(dir)?;
        let dir = fs::canonicalize(dir).map_err(BrokerError::file("find", dir))?;
        let lock = lock(&dir)?;
        child::end_leftover(&dir).await?;
        let mut run = Run {
            config: config::Config::new(&dir, keys, &options)?,
            dir,
            options: Arc::new(options),
            _lock: lock,
        };
        let child = run.first_start().await?;
        let address = child.address;
        let (health_out, health) = watch::channel(Health::Running { pid: child.pid, start: 1 });
        let (orders, orders_in) = mpsc::channel(4);
        let watcher = tokio::spawn(run.watch(child, health_out, orders_in));
        Ok(Embedded {
            address,
            health,
            orders,
            watcher,
        })
    }

    /// What clients connect to.
    pub fn client_url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Where it listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process, unless it is down just now.
    pub fn pid(&self) -> Option<u32> {
        match *self.health.borrow() {
            Health::Running { pid, .. } => Some(pid),
            Health::Down | Health::Stopped => None,
        }
    }

    /// To follow restarts.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// Lets the server write what it holds and end. Killed when it takes too long.
    pub async fn stop(mut self) {
        let (done, stopped) = oneshot::channel();
        if self.orders.send(Order::Stop(done)).await.is_ok() {
            let _watcher_is_gone_too = stopped.await;
            // Only then is the folder free for the next one.
            let _let_go_of_the_lock = (&mut self.watcher).await;
        }
    }

    /// As a crash would: no goodbye. The server is started again, as after any death.
    pub async fn kill(&self) {
        let mut health = self.health.clone();
        health.borrow_and_update();
        if self.orders.send(Order::Kill).await.is_ok() {
            let _watcher_is_gone = health.changed().await;
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if !matches!(*self.health.borrow(), Health::Stopped) {
            self.watcher.abort(); // and with it goes the child, which is killed when it is dropped
        }
    }
}

struct Run {
    dir: PathBuf,
    config: config::Config,
    options: Arc<Options>,
    /// Held as long as this head office owns the folder; the system lets go of it even after a kill -9.
    _lock: fs::File,
}

impl Run {
    /// Port 0 prefers the port which the stores know from the last run.
    async fn first_start(&mut self) -> Result<Child, BrokerError> {
        let asked = self.options.listen.port();
        let known = if asked == 0 { self.config.last_port() } else { None };
        if let Some(port) = known {
            match self.launch(port).await {
                Ok(child) => return Ok(child),
                Err(error) => tracing::warn!(port, %error, "the broker's last port is taken; stores have to learn a new one"),
            }
        }
        self.launch(asked).await
    }

    async fn launch(&mut self, port: u16) -> Result<Child, BrokerError> {
        self.config.write(port)?;
        let child = Child::launch(&self.dir, &self.options).await?;
        self.config.remember_port(child.address.port())?;
        Ok(child)
    }

    async fn watch(mut self, child: Child, health: watch::Sender<Health>, mut orders: mpsc::Receiver<Order>) {
        let port = child.address.port();
        let mut running = Some(child);
        let mut start = 1;
        let mut back_off = BACK_OFF_FIRST;
        loop {
            if let Some(mut child) = running.take() {
                let since = Instant::now();
                if let Some(done) = attend(&mut child, &mut orders).await {
                    child.stop().await;
                    health.send_replace(Health::Stopped);
                    let _asker_may_have_left = done.send(());
                    return;
                }
                health.send_replace(Health::Down);
                if since.elapsed() >= IN_ORDER_AFTER {
                    back_off = BACK_OFF_FIRST;
                }
            }
            if let Some(done) = pause(back_off, &mut orders).await {
                health.send_replace(Health::Stopped);
                let _asker_may_have_left = done.send(());
                return;
            }
            back_off = (back_off * 2).min(BACK_OFF_MOST);
            match self.launch(port).await {
                Ok(child) => {
                    start += 1;
                    tracing::info!(pid = child.pid, start, "the broker runs again");
                    health.send_replace(Health::Running { pid: child.pid, start });
                    running = Some(child);
                }
                Err(error) => tracing::error!(%error, "the broker did not come back yet"),
            }
        }
    }
}

/// Until the child died (`None`) or somebody wants it stopped.
async fn attend(child: &mut Child, orders: &mut mpsc::Receiver<Order>) -> Option<oneshot::Sender<()>> {
    loop {
        tokio::select! {
            how = child.wait() => {
                tracing::error!(pid = child.pid, %how, "the broker died; starting it again");
                return None;
            }
            order = orders.recv() => match order {
                Some(Order::Stop(done)) => return Some(done),
                Some(Order::Kill) => child.kill(),
                None => { child.wait().await; return None; }
            },
        }
    }
}

/// Waits before the next attempt, unless somebody wants it stopped.
async fn pause(back_off: Duration, orders: &mut mpsc::Receiver<Order>) -> Option<oneshot::Sender<()>> {
    let until = Instant::now() + back_off;
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(until) => return None,
            Some(order) = orders.recv() => match order {
                Order::Stop(done) => return Some(done),
                Order::Kill => {} // It is dead already.
            },
        }
    }
}

fn lock(dir: &Path) -> Result<fs::File, BrokerError> {
    let path = dir.join("lock");
    let file = fs::File::create(&path).map_err(BrokerError::file("write", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(BrokerError::AlreadyRunning(dir.to_owned())),
        Err(fs::TryLockError::Error(error)) => Err(BrokerError::file("lock", &path)(error)),
    }
}
