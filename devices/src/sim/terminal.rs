//! A payment terminal without the metal: a real ZVT peer on TCP, with customer, card and bank inside.
//!
//! It behaves as terminals do where it matters to money: a payment goes on when the register's connection is gone, a terminal in the
//! middle of one refuses everything else as busy, one connection is served and a newer one takes its place, and Repeat Receipt
//! tells the last transaction. What happened stands in its ledger (`books`), which is also its memory. It never handles a card number.

mod books;
mod knobs;
mod payment;
mod service;
mod wire;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::sim::control::{self, Controlled};
use crate::sim::terminal::books::Books;
use crate::sim::terminal::knobs::{Cut, HELP, Hold, Knobs, Verdict};
use crate::sim::terminal::wire::Wire;
use crate::sim::{Common, ready};
use crate::zvt::digits::Password;

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub common: Common,
    /// How long customer and bank take for a payment
    #[arg(long, default_value_t = 400)]
    pub think_ms: u64,
    /// Six digits that the register has to know
    #[arg(long, default_value = "000000")]
    pub password: Password,
    /// Eight digits
    #[arg(long, default_value_t = 52_500_001, value_parser = clap::value_parser!(u32).range(1..=99_999_999))]
    pub terminal_id: u32,
    /// A knob to turn before the start, such as "next decline 78"; may be given several times
    #[arg(long = "knob", value_name = "LINE")]
    pub knobs: Vec<String>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            common: Common::default(),
            think_ms: 0,
            password: Password::from_bytes([0; 3]),
            terminal_id: 52_500_001,
            knobs: Vec::new(),
        }
    }
}

/// A terminal that runs within this process until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    pub device: String,
    pub address: SocketAddr,
    pub control: SocketAddr,
    end: CancellationToken,
    alive: mpsc::Receiver<()>,
}

impl Running {
    /// Dies at once, in the middle of whatever it does. When this returns, nothing of it is left.
    pub async fn stop(mut self) {
        self.end.cancel();
        while self.alive.recv().await.is_some() {}
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

/// The inside of the terminal, which outlives every connection.
struct Device {
    password: Password,
    knobs: watch::Sender<Knobs>,
    inside: Mutex<Inside>,
    end: CancellationToken,
    /// Each task holds one; when all are gone, the terminal is dead.
    alive: mpsc::Sender<()>,
}

struct Inside {
    books: Books,
    /// Of the registration; `None` until a register came.
    currency: Option<u16>,
    /// Moving money, or about to.
    paying: bool,
    /// Cancels the payment under way, for as long as the bank has not decided.
    stop: Option<CancellationToken>,
    wire: CancellationToken,
    connections: u64,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let running = start(args).await?;
    let (address, control) = (running.address.to_string(), running.control.to_string());
    ready::say_ready("terminal", &running.device, &address, &control, Map::new());
    ready::asked_to_end().await?;
    running.stop().await;
    Ok(())
}

pub async fn start(args: Args) -> anyhow::Result<Running> {
    let Common {
        device,
        listen,
        control,
        ledger,
    } = args.common;
    let device = device.unwrap_or_else(|| "card1".to_owned());
    let mut knobs = Knobs {
        think: Duration::from_millis(args.think_ms),
        ..Knobs::default()
    };
    for line in &args.knobs {
        knobs.turn(line).map_err(anyhow::Error::msg)?;
    }
    let books = Books::open(ledger.as_deref(), &device, args.terminal_id).context("could not open the terminal's ledger")?;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("could not listen at {listen}"))?;
    let controls = TcpListener::bind(control)
        .await
        .with_context(|| format!("could not listen at {control}"))?;
    let (address, control) = (listener.local_addr()?, controls.local_addr()?);
    let (holds, alive) = mpsc::channel(1);
    let end = CancellationToken::new();
    let inside = Inside {
        books,
        currency: None,
        paying: false,
        stop: None,
        wire: CancellationToken::new(),
        connections: 0,
    };
    let terminal = Arc::new(Device {
        password: args.password,
        knobs: watch::Sender::new(knobs),
        inside: Mutex::new(inside),
        end: end.clone(),
        alive: holds,
    });
    let controlled = Arc::clone(&terminal) as Arc<dyn Controlled>;
    terminal.spawn(control::serve(controls, controlled));
    let listening = Arc::clone(&terminal);
    terminal.spawn(async move { listening.listen(listener).await });
    Ok(Running {
        device,
        address,
        control,
        end,
        alive,
    })
}

impl Device {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let (end, alive) = (self.end.clone(), self.alive.clone());
        tokio::spawn(async move {
            end.run_until_cancelled_owned(task).await;
            drop(alive);
        });
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds the inside of the terminal: `work` asks the device for nothing else.
    fn with_books<T>(&self, work: impl FnOnce(&mut Books) -> T) -> T {
        work(&mut self.inside().books)
    }

    fn currency(&self) -> u16 {
        self.inside().currency.unwrap_or_default()
    }

    fn knobs(&self) -> Knobs {
        self.knobs.borrow().clone()
    }

    fn next_verdict(&self) -> Verdict {
        let mut next = None;
        self.knobs.send_modify(|knobs| next = knobs.next.pop_front());
        next.unwrap_or(Verdict::Approve)
    }

    /// Closes the door for wishes to stop; whether none came in time.
    fn too_late_to_stop(&self, stop: &CancellationToken) -> bool {
        self.inside().stop = None;
        !stop.is_cancelled()
    }

    fn free(&self) {
        let mut inside = self.inside();
        inside.paying = false;
        inside.stop = None;
    }

    /// Waits for as long as payments are held here.
    async fn released(&self, here: Hold) {
        // Fails only when the knobs are gone, and with them the terminal.
        let _ = self.knobs.subscribe().wait_for(|knobs| knobs.hold != here).await;
    }

    fn cuts(&self, here: Cut) -> bool {
        self.knobs.send_if_modified(|knobs| {
            let cuts = knobs.cut == Some(here);
            if cuts && knobs.cut_once {
                knobs.cut = None;
            }
            cuts
        })
    }

    async fn cut_at(&self, here: Cut, wire: &Wire) {
        if self.cuts(here) {
            wire.cut().await;
        }
    }
}

impl Controlled for Device {
    fn control(&self, line: &str) -> Result<Map<String, Value>, String> {
        match line {
            "help" => return Ok(Map::from_iter([("knobs".to_owned(), HELP.into())])),
            "state" => {}
            line => {
                let mut turned = Ok(());
                self.knobs.send_modify(|knobs| turned = knobs.turn(line));
                turned?;
            }
        }
        let mut state = self.knobs().state();
        let inside = self.inside();
        state.insert("paying".into(), inside.paying.into());
        state.insert("registered".into(), inside.currency.is_some().into());
        state.insert("connections".into(), inside.connections.into());
        state.insert("trace".into(), inside.books.last_trace().into());
        state.insert("receipt".into(), inside.books.last().map(|last| last.receipt).into());
        Ok(state)
    }
}
