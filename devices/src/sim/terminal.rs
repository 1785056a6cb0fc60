//! A payment terminal without the metal: a real ZVT peer on TCP, with customer, card and bank inside.
//!
//! It behaves as terminals do where it matters to money: a payment goes on when the register's connection is gone, a terminal in the
//! middle of one refuses everything else as busy, one connection is served and a newer one takes its place, and Repeat Receipt
//! tells the last transaction. What happened stands in its ledger ([`books`]), which is also its memory. It never handles a card number.

mod books;
mod knobs;
mod payment;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Map, Value};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::sim::control::{self, Controlled};
use crate::sim::terminal::books::{Books, Kind};
use crate::sim::terminal::knobs::{Cut, HELP, Hold, Knobs, Verdict};
use crate::sim::terminal::payment::{Wish, failed, tell_result};
use crate::sim::terminal::wire::Wire;
use crate::sim::{Common, ready};
use crate::zvt::apdu::Decoder;
use crate::zvt::digits::Password;
use crate::zvt::fields::Fields;
use crate::zvt::packet::{self, Packet};
use crate::zvt::tlv::KnownReceipt;

const BUSY: u8 = 0x9c;
const NOT_POSSIBLE: u8 = 0x83;
const NOT_REGISTERED: u8 = 0x6b;
const WRONG_CURRENCY: u8 = 0x6f;
const NOT_UNDERSTOOD: u8 = 0x9a;

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

    async fn listen(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) if self.knobs.borrow().refuse => drop(stream),
                Ok((stream, from)) => {
                    tracing::debug!(%from, "a register connects");
                    let terminal = Arc::clone(&self);
                    self.spawn(async move { terminal.serve(stream).await });
                }
                Err(fault) => {
                    tracing::warn!(%fault, "could not accept a register");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) {
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let gone = self.end.child_token();
        {
            // A terminal serves one register, and the newer connection is the one that is alive.
            let mut inside = self.inside();
            inside.connections += 1;
            std::mem::replace(&mut inside.wire, gone.clone()).cancel();
        }
        let (reader, writer) = stream.into_split();
        let wire = Wire::new(writer, self.knobs.subscribe(), gone);
        if let Err(fault) = self.read(reader, &wire).await {
            tracing::debug!(%fault, "a register's connection ended");
        }
        wire.cut().await;
    }

    async fn read(self: &Arc<Self>, mut reader: OwnedReadHalf, wire: &Wire) -> io::Result<()> {
        let mut decoder = Decoder::default();
        let mut piece = [0; 1024];
        loop {
            let read = tokio::select! {
                biased;
                () = wire.gone.cancelled() => return Ok(()),
                read = reader.read(&mut piece) => read?,
            };
            if read == 0 {
                return Ok(());
            }
            decoder.feed(&piece[..read]);
            while let Some(apdu) = decoder.take().map_err(io::Error::other)? {
                if self.knobs.borrow().mute {
                    continue;
                }
                match Packet::decode(&apdu) {
                    Ok(packet) => self.hear(packet, wire).await?,
                    Err(_) => wire.answer(&Packet::Refused { code: NOT_UNDERSTOOD }).await,
                }
                if wire.gone.is_cancelled() {
                    return Ok(());
                }
            }
        }
    }

    async fn hear(self: &Arc<Self>, packet: Packet, wire: &Wire) -> io::Result<()> {
        match packet {
            Packet::Ack | Packet::Refused { .. } => wire.heard_ack(),
            Packet::Abort => {
                let stop = self.inside().stop.clone();
                let answer = match stop {
                    Some(stop) => {
                        stop.cancel();
                        Packet::Ack
                    }
                    None => Packet::Refused { code: NOT_POSSIBLE },
                };
                wire.answer(&answer).await;
            }
            command => match self.admit(&command, wire) {
                Ok(()) => self.obey(command, wire).await?,
                Err(code) => wire.answer(&Packet::Refused { code }).await,
            },
        }
        Ok(())
    }

    /// Whether the terminal takes a command now. One that it takes makes it busy until it is carried out ([`Device::free`]).
    fn admit(&self, command: &Packet, wire: &Wire) -> Result<(), u8> {
        let password = match command {
            Packet::Registration { password, .. }
            | Packet::RepeatReceipt { password, .. }
            | Packet::Reversal { password, .. }
            | Packet::Refund { password, .. }
            | Packet::StatusEnquiry { password, .. } => Some(*password),
            Packet::Authorization(_) => None,
            _ => return Err(NOT_POSSIBLE),
        };
        let mut inside = self.inside();
        // A command that was read, but not begun, dies with its connection: the register asks on the newer one what became of it.
        if inside.paying || wire.gone.is_cancelled() || self.knobs.borrow().busy {
            return Err(BUSY);
        }
        if password.is_some_and(|password| password != self.password) {
            return Err(NOT_POSSIBLE);
        }
        if inside.currency.is_none() && !matches!(command, Packet::Registration { .. }) {
            return Err(NOT_REGISTERED);
        }
        inside.paying = true;
        if matches!(command, Packet::Authorization(_) | Packet::Refund { .. }) {
            inside.stop = Some(CancellationToken::new());
        }
        Ok(())
    }

    async fn obey(self: &Arc<Self>, command: Packet, wire: &Wire) -> io::Result<()> {
        let pays = matches!(command, Packet::Authorization(_) | Packet::Refund { .. } | Packet::Reversal { .. });
        if pays {
            if self.cuts(Cut::OnCommand) {
                self.free();
                wire.cut().await;
                return Ok(());
            }
            self.cut_at(Cut::BeforeAck, wire).await;
        }
        wire.answer(&Packet::Ack).await;
        if pays {
            self.cut_at(Cut::AfterAck, wire).await;
        }
        // In a task of its own: the reader goes on hearing acknowledgements, and the terminal goes on without a reader.
        let (terminal, wire) = (Arc::clone(self), wire.clone());
        self.spawn(async move {
            if let Err(fault) = terminal.carry_out(command, &wire).await {
                tracing::error!(%fault, "the ledger cannot be written; the terminal stops");
                terminal.end.cancel();
            }
        });
        Ok(())
    }

    async fn carry_out(&self, command: Packet, wire: &Wire) -> io::Result<()> {
        let currency = self.currency();
        match command {
            Packet::Registration { currency: wanted, .. } => {
                let completion = {
                    let mut inside = self.inside();
                    inside.currency = Some(wanted.unwrap_or(978));
                    Fields {
                        terminal_id: Some(inside.books.terminal_id()),
                        currency: inside.currency,
                        ..Fields::default()
                    }
                };
                self.end_with(&Packet::Completed(completion), wire).await;
            }
            Packet::Authorization(fields) => {
                if let Some(KnownReceipt::Number(known)) = fields.tlv.known_receipt {
                    self.with_books(|books| books.take_back_unheard(known))?;
                }
                self.pay(Kind::Payment, &fields, wire).await?;
            }
            Packet::Refund { fields, .. } => self.pay(Kind::Refund, &fields, wire).await?,
            Packet::Reversal { fields, .. } => self.take_back(fields.receipt, wire).await?,
            Packet::RepeatReceipt { fields, .. } => {
                let tells = fields.service.is_some_and(|service| service & packet::REPEAT_STATUS != 0);
                let status = self.with_books(|books| books.last().map(|last| books.status(last, currency)));
                if let Some(status) = status.filter(|_| tells) {
                    wire.tell(&Packet::Status(status)).await;
                }
                self.end_with(&Packet::Completed(Fields::default()), wire).await;
            }
            _ => self.end_with(&Packet::Completed(Fields::default()), wire).await,
        }
        Ok(())
    }

    async fn pay(&self, kind: Kind, fields: &Fields, wire: &Wire) -> io::Result<()> {
        let Some(amount) = fields.amount.filter(|&amount| amount > 0) else {
            self.end_with(&failed(NOT_UNDERSTOOD), wire).await;
            return Ok(());
        };
        if fields.currency.is_some_and(|currency| currency != self.currency()) {
            self.end_with(&failed(WRONG_CURRENCY), wire).await;
            return Ok(());
        }
        let stop = self.inside().stop.clone().unwrap_or_default();
        payment::run(self, wire, Wish { kind, amount, stop }).await
    }

    async fn take_back(&self, receipt: Option<u16>, wire: &Wire) -> io::Result<()> {
        let verdict = self.next_verdict();
        let done = match (receipt, verdict) {
            (None, _) => Err(NOT_UNDERSTOOD),
            (Some(_), Verdict::Decline(code) | Verdict::Abort(code)) => Err(code),
            (Some(receipt), Verdict::Approve) => self.with_books(|books| books.reverse(receipt))?,
        };
        match done {
            Ok(transaction) => {
                let currency = self.currency();
                let status = self.with_books(|books| books.status(&transaction, currency));
                self.released(Hold::After).await;
                tell_result(self, wire, &Packet::Status(status), 0).await;
            }
            Err(code) => self.end_with(&failed(code), wire).await,
        }
        Ok(())
    }

    /// Free before the last word: the register may ask for the next thing at once.
    async fn end_with(&self, packet: &Packet, wire: &Wire) {
        self.free();
        wire.tell(packet).await;
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
