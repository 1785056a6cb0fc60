//! A virtual receipt printer with a drawer on a TCP port: strict about bytes, honest about paper, and made to fail.
//!
//! Owns the sockets and tasks around the `machine`. As a real one it serves one caller at a time; the next one waits. Receipts
//! are saved as pictures when asked for.

mod codes;
mod job;
mod knobs;
mod letters;
mod machine;
mod paper;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Map, Value};
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::sim::control::{self, Controlled};
use crate::sim::ledger::Ledger;
use crate::sim::printer::knobs::{HELP, Knobs, Turned};
use crate::sim::printer::machine::{Build, Caller, Machine, Out};
use crate::sim::{Common, ready};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum PinHighWhen {
    #[default]
    Closed,
    Open,
}

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub common: Common,
    /// Folder that gets a picture of each receipt
    #[arg(long, value_name = "DIR")]
    pub paper_dir: Option<PathBuf>,
    /// Characters to a line: 32, 42 or 48 are usual
    #[arg(long, default_value_t = 42, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(16..=64))]
    pub columns: usize,
    /// Somebody pushes the drawer shut so long after it opened
    #[arg(long, value_name = "MS")]
    pub drawer_closes_after: Option<u64>,
    /// When the third pin of the drawer's plug is high
    #[arg(long, value_enum, default_value_t)]
    pub drawer_pin_high_when: PinHighWhen,
    /// A knob to turn before the start, such as "paper low"; may be given several times
    #[arg(long = "knob", value_name = "LINE")]
    pub knobs: Vec<String>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            common: Common::default(),
            paper_dir: None,
            columns: 42,
            drawer_closes_after: None,
            drawer_pin_high_when: PinHighWhen::default(),
            knobs: Vec::new(),
        }
    }
}

/// A printer that runs within this process until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    pub device: String,
    pub address: SocketAddr,
    pub control: SocketAddr,
    tasks: JoinSet<()>,
}

impl Running {
    /// As a power cut: connections break, what was not cut off is gone.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let running = start(args).await?;
    ready::say_ready(
        "printer",
        &running.device,
        &running.address.to_string(),
        &running.control.to_string(),
        Map::new(),
    );
    ready::asked_to_end().await.context("could not wait for signals")?;
    running.stop().await;
    Ok(())
}

pub async fn start(args: Args) -> anyhow::Result<Running> {
    let device = args.common.device.unwrap_or_else(|| "p1".to_owned());
    let mut knobs = Knobs::default();
    let mut drawer_open = false;
    for line in &args.knobs {
        match knobs.turn(line).map_err(anyhow::Error::msg)? {
            Turned::Drawer { open } => drawer_open = open,
            Turned::Knob => {}
            Turned::State | Turned::Help => anyhow::bail!("{line:?} asks, it turns no knob"),
        }
    }
    if let Some(folder) = &args.paper_dir {
        std::fs::create_dir_all(folder).with_context(|| format!("could not make the folder {} for receipts", folder.display()))?;
    }
    let ledger = Ledger::open(args.common.ledger.as_deref(), &device).context("could not open the ledger")?;
    let listener = listen(args.common.listen).await?;
    let address = listener.local_addr()?;
    let control_listener = listen(args.common.control).await?;
    let control = control_listener.local_addr()?;
    let build = Build {
        device: device.clone(),
        columns: args.columns,
        paper_dir: args.paper_dir,
        pin_high_when_open: args.drawer_pin_high_when == PinHighWhen::Open,
        drawer_closes_after: args.drawer_closes_after.map(Duration::from_millis),
    };
    let refuse = knobs.refuse;
    let mut machine = Machine::new(build, ledger, knobs);
    machine.move_drawer(drawer_open);
    let printer = Arc::new(Printer {
        address,
        machine: Mutex::new(machine),
        door: Mutex::new(Door {
            listener: (!refuse).then_some(listener),
            waker: None,
        }),
        changes: watch::Sender::new(()),
        room: watch::Sender::new(()),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(Arc::clone(&printer).work());
    tasks.spawn(Arc::clone(&printer).serve());
    tasks.spawn(control::serve(control_listener, printer));
    Ok(Running {
        device,
        address,
        control,
        tasks,
    })
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("could not listen on {address}; is another one running?"))
}

struct Printer {
    address: SocketAddr,
    machine: Mutex<Machine>,
    door: Mutex<Door>,
    /// Touched whenever the machine may have something else to do.
    changes: watch::Sender<()>,
    /// Touched whenever callers may send on.
    room: watch::Sender<()>,
}

/// Where callers come in; shut while calls are refused.
struct Door {
    listener: Option<TcpListener>,
    waker: Option<Waker>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Printer {
    /// The head: works for as long as there is something to do.
    async fn work(self: Arc<Self>) {
        let mut changes = self.changes.subscribe();
        loop {
            // Before looking: what changes from here on is seen in time.
            changes.mark_unchanged();
            let (rest, closes_at) = {
                let mut machine = lock(&self.machine);
                if machine.drawer_closes_at().is_some_and(|at| at <= Instant::now()) {
                    machine.move_drawer(false);
                }
                (machine.work(), machine.drawer_closes_at())
            };
            self.room.send_replace(());
            match rest {
                Some(rest) if rest.is_zero() => tokio::task::yield_now().await,
                Some(rest) => tokio::time::sleep(rest).await,
                None => tokio::select! {
                    _ = changes.changed() => {}
                    () = until(closes_at) => {}
                },
            }
        }
    }

    async fn serve(self: Arc<Self>) {
        let mut caller: Caller = 0;
        loop {
            match poll_fn(|context| self.poll_accept(context)).await {
                Ok(stream) => {
                    caller += 1;
                    self.attend(caller, stream).await;
                }
                Err(fault) => {
                    tracing::warn!(%fault, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn poll_accept(&self, context: &mut std::task::Context<'_>) -> Poll<io::Result<TcpStream>> {
        let mut door = lock(&self.door);
        let Some(listener) = &door.listener else {
            door.waker = Some(context.waker().clone());
            return Poll::Pending;
        };
        let polled = listener.poll_accept(context).map_ok(|(stream, _)| stream);
        // To be woken too when the door is shut and opened again.
        door.waker = Some(context.waker().clone());
        polled
    }

    async fn attend(&self, caller: Caller, stream: TcpStream) {
        let (out, mut outbox) = mpsc::unbounded_channel();
        lock(&self.machine).called(caller, out);
        let ended = self.converse(caller, &stream, &mut outbox).await;
        lock(&self.machine).left(caller);
        self.changes.send_replace(());
        match ended {
            Ok(End::Left) => {}
            Ok(End::Reset) => {
                if let Err(fault) = stream.set_zero_linger() {
                    tracing::warn!(%fault, "the connection ends more gently than it should");
                }
            }
            Err(fault) => tracing::debug!(%fault, "a connection broke"),
        }
    }

    async fn converse(&self, caller: Caller, stream: &TcpStream, outbox: &mut mpsc::UnboundedReceiver<Out>) -> io::Result<End> {
        stream.set_nodelay(true)?;
        let mut freed = self.room.subscribe();
        loop {
            let room = lock(&self.machine).room();
            tokio::select! {
                biased;
                out = outbox.recv() => match out {
                    Some(Out::Bytes(bytes)) => send(stream, &bytes).await?,
                    Some(Out::Reset) | None => return Ok(End::Reset),
                },
                ready = stream.ready(Interest::READABLE), if room > 0 => {
                    ready?;
                    // A knob may have been turned since.
                    let room = lock(&self.machine).room();
                    if room == 0 {
                        continue;
                    }
                    let mut piece = vec![0; room.min(4096)];
                    match stream.try_read(&mut piece) {
                        Ok(0) => return Ok(End::Left),
                        Ok(length) => {
                            lock(&self.machine).receive(caller, &piece[..length]);
                            self.changes.send_replace(());
                        }
                        Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {}
                        Err(fault) => return Err(fault),
                    }
                }
                _ = freed.changed(), if room == 0 => {}
                // Nothing can be read, but whoever hung up makes room for the next caller.
                () = hung_up(stream), if room == 0 && !lock(&self.machine).knobs.stall => return Ok(End::Left),
            }
        }
    }

    fn shut(&self) {
        lock(&self.door).listener = None;
        lock(&self.machine).reset_all();
    }

    fn open(&self) -> Result<(), String> {
        let mut door = lock(&self.door);
        if door.listener.is_some() {
            return Ok(());
        }
        let bound = std::net::TcpListener::bind(self.address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        });
        door.listener = Some(bound.map_err(|fault| format!("{} could not be listened on again: {fault}", self.address))?);
        if let Some(waker) = door.waker.take() {
            waker.wake();
        }
        Ok(())
    }
}

enum End {
    Left,
    Reset,
}

async fn send(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

async fn hung_up(stream: &TcpStream) {
    loop {
        match stream.ready(Interest::READABLE).await {
            Ok(ready) if ready.is_read_closed() => return,
            Ok(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(_) => return,
        }
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

impl Controlled for Printer {
    fn control(&self, line: &str) -> Result<Map<String, Value>, String> {
        let mut machine = lock(&self.machine);
        let before = machine.knobs.refuse;
        let turned = machine.knobs.turn(line)?;
        match turned {
            Turned::State => return Ok(machine.state()),
            Turned::Help => return Ok(Map::from_iter([("help".to_owned(), HELP.into())])),
            Turned::Drawer { open } => machine.move_drawer(open),
            Turned::Knob => machine.tell_changes(),
        }
        let refuse = machine.knobs.refuse;
        drop(machine);
        match (before, refuse) {
            (false, true) => self.shut(),
            (true, false) => self.open()?,
            _ => {}
        }
        self.changes.send_replace(());
        self.room.send_replace(());
        Ok(Map::new())
    }
}
