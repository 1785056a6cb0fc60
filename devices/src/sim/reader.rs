//! A stand-in for an RFID reader: speaks LLRP on a socket, reads a shelf of tags, and fails when it is told to.
//!
//! Owns the sockets, the clock and the start; what the reader is and does is in `device`, and how it talks in `connection`. Keeps in
//! its ledger the first reading of each tag for each inventory, not the thousands after it. Does not read or write the memory of
//! tags, and knows nothing of goods: a tag is bits.

mod about;
mod answers;
mod connection;
mod control;
mod device;
mod orders;
mod reading;
mod shelf;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use self::device::Device;
use super::ledger::Ledger;
use super::{Common, control as knobs, ready};

/// How finely time passes at the reader.
const TICK: Duration = Duration::from_millis(10);

/// An RFID reader over a shelf of tags.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub common: Common,
    /// File with the tags on the shelf: an EPC a line, as hexadecimal digits or urn:epc:..., and after a space its antenna if it matters
    #[arg(long)]
    pub tags: Option<PathBuf>,
    /// How many antennas the reader has
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub antennas: u16,
    /// Tags read in a second, again and again
    #[arg(long, default_value_t = 300)]
    pub rate: u32,
    /// Of a hundred readings, how many are reported twice
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub duplicates: u8,
    /// The same seed gives the same order and strength of readings
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            common: Common::default(),
            tags: None,
            antennas: 2,
            rate: 300,
            duplicates: 0,
            seed: 1,
        }
    }
}

/// A reader that runs within this program. It is gone when this is dropped.
pub struct Running {
    pub address: SocketAddr,
    pub control: SocketAddr,
    name: String,
    device: Arc<Device>,
    tasks: JoinSet<()>,
}

impl Running {
    /// As it calls itself in its ledger.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Turns a knob, as a line on the control socket does.
    pub fn turn(&self, line: &str) -> Result<Map<String, Value>, String> {
        knobs::Controlled::control(&*self.device, line)
    }

    /// Says goodbye to the client and ends.
    pub async fn end(mut self) {
        self.device.goodbye();
        let patience = Duration::from_secs(1);
        if tokio::time::timeout(patience, self.device.nobody_connected()).await.is_err() {
            tracing::warn!("the client did not take the goodbye");
        }
        self.tasks.shutdown().await;
    }
}

pub async fn start(args: Args) -> anyhow::Result<Running> {
    let name = args.common.device.clone().unwrap_or_else(|| "reader".to_owned());
    let ledger = Ledger::open(args.common.ledger.as_deref(), &name).context("could not open the ledger")?;
    let device = Arc::new(Device::new(&args, ledger));
    if let Some(path) = &args.tags {
        let text = tokio::fs::read_to_string(path).await;
        let text = text.with_context(|| format!("could not read the tags in {}", path.display()))?;
        device
            .put_on_shelf(&text)
            .map_err(|wrong| anyhow::anyhow!("{}: {wrong}", path.display()))?;
    }
    let listener = listen(args.common.listen).await?;
    let control = listen(args.common.control).await?;
    let mut running = Running {
        address: listener.local_addr()?,
        control: control.local_addr()?,
        name,
        device: Arc::clone(&device),
        tasks: JoinSet::new(),
    };
    running.tasks.spawn(connection::accept(listener, Arc::clone(&device)));
    running
        .tasks
        .spawn(knobs::serve(control, Arc::clone(&device) as Arc<dyn knobs::Controlled>));
    running.tasks.spawn(pass_time(device));
    Ok(running)
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("could not listen at {address}; choose another port, or 0 for a free one"))
}

async fn pass_time(device: Arc<Device>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        device.pass_time(Instant::now());
    }
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let running = start(args).await?;
    ready::say_ready(
        "reader",
        running.name(),
        &running.address.to_string(),
        &running.control.to_string(),
        Map::new(),
    );
    ready::asked_to_end().await?;
    running.end().await;
    Ok(())
}
