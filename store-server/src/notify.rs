//! Tells the service manager how the box is: ready, its status in one line, stopping, and that it still lives.
//!
//! systemd's protocol: one datagram of `NAME=value` lines to the socket named by `NOTIFY_SOCKET`. Nobody is told where nobody asked.
//! Only a journal whose actor answers counts as life; whether it must be restarted is the service manager's to decide.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use backroom_actors::store::Store;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often the status line is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The way to the service manager, if there is one.
#[derive(Debug, Default)]
pub struct Notify {
    to: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notify {
    pub fn from_env() -> Notify {
        let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Notify::default();
        };
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        // Meant for another process: one that started this one.
        let for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC")
            .filter(|micros| for_us && *micros > 0)
            .map(Duration::from_micros);
        match open(name.as_bytes()) {
            Ok(to) => Notify { to: Some(to), watchdog },
            Err(error) => {
                tracing::warn!(%error, socket = ?name, "the service manager can not be told how the box is");
                Notify::default()
            }
        }
    }

    pub fn ready(&self, status: &str) {
        self.say(&format!("READY=1\n{}", line(status)));
    }

    pub fn stopping(&self) {
        self.say("STOPPING=1\nSTATUS=stopping: what was begun is finished");
    }

    fn say(&self, words: &str) {
        if let Some((socket, to)) = &self.to
            && let Err(error) = socket.send_to_addr(words.as_bytes(), to)
        {
            tracing::debug!(%error, "the service manager did not hear");
        }
    }

    /// Keeps telling, until the box stops.
    pub async fn keep_telling(self: std::sync::Arc<Self>, store: Store, stopping: CancellationToken) {
        if self.to.is_none() {
            return;
        }
        // Several tries within the time that is given, so that one busy moment is no death.
        let every = self.watchdog.map_or(LOOK, |time| (time / 4).min(LOOK));
        let mut look = tokio::time::interval(every);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = String::new();
        loop {
            tokio::select! {
                _ = look.tick() => {}
                () = stopping.cancelled() => return,
            }
            if self.watchdog.is_some() && answers(&store, every).await {
                self.say("WATCHDOG=1");
            }
            let status = status(&store);
            if status != told {
                self.say(&line(&status));
                told = status;
            }
        }
    }
}

/// Whether the journal's actor answers: it opened its file and takes work.
pub async fn answers(store: &Store, within: Duration) -> bool {
    matches!(tokio::time::timeout(within, store.shop().journal.settle()).await, Ok(Ok(())))
}

/// How the box is, for a person who looks at the list of services.
pub fn status(store: &Store) -> String {
    let down = store.down();
    if !down.is_empty() {
        return format!("out of service: {}", down.join(", "));
    }
    let registers = store.shop().passes.borrow().seats().count();
    let sales = store.shop().figures.sales();
    let link = store.link().borrow().clone();
    let mut words = format!("sells: {registers} registers, {sales} sales since the start");
    if link.unheld > 0 {
        words.push_str(&format!(", {} entries not yet at head office", link.unheld));
    }
    if !link.trouble.is_empty() {
        words.push_str(&format!("; {}", link.trouble));
    }
    words
}

fn line(status: &str) -> String {
    let one_line: String = status
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    format!("STATUS={one_line}")
}

/// A path, or with `@` before it a name that is in no folder.
fn open(name: &[u8]) -> std::io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        [b'/', ..] => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name))?,
        _ => return Err(std::io::Error::other("it is neither a path nor an abstract name")),
    };
    let socket = UnixDatagram::unbound()?;
    // A manager that does not read must not hold up the shop.
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}
