//! The link to one payment terminal over TCP: connects, registers, asks for payments and says how each ended.
//!
//! One command at a time. After anything that did not end in order the connection is closed, so that a late answer is never taken for
//! the answer to the next question; the future of a command may be dropped at any point with the same effect. Nothing is sent twice and
//! no payment is taken back here: an outcome that is unknown stays so until the terminal was asked ([`TerminalLink::last`],
//! [`resolve`]). What is journaled before and after belongs to the box.

mod outcome;

use std::fmt;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

pub use crate::link::terminal::outcome::Outcome;
pub use crate::zvt::attempt::{Approval, Last, OpenAttempt, Resolved, TerminalTime, attempt_name, resolve, resolve_reversal};
pub use crate::zvt::digits::Password;
pub use crate::zvt::machine::Patience;

use crate::link::{Cause, LinkDown};
use crate::zvt::apdu::Decoder;
use crate::zvt::fields::Fields;
use crate::zvt::machine::{End, Exchange, Step};
use crate::zvt::packet::{self, Packet};
use crate::zvt::tlv::{KnownReceipt, Tlv};
use crate::zvt::words;

/// The largest amount that twelve digits can say is far beyond; this is where a payment is surely a mistake.
const LARGEST_AMOUNT_MINOR: i64 = 99_999_999_999;

/// How to reach a terminal and how patient to be with it.
#[derive(Clone)]
pub struct TerminalSettings {
    /// `host:port`; terminals listen on port 20007.
    pub address: String,
    pub password: Password,
    /// ISO 4217 number, such as 978 for the euro.
    pub currency: u16,
    pub connect_timeout: Duration,
    /// T3 and T4.
    pub patience: Patience,
    /// A payment that takes longer than this is given up as unknown, however busily the terminal reports.
    pub longest: Duration,
    /// Tells the terminal with each payment the last receipt number known here. Off unless the shop's provider asks for it: a terminal
    /// that is told a number one behind takes its last payment back by itself, and here only a person or the box's rules do that.
    pub mirrors_receipts: bool,
}

impl TerminalSettings {
    pub fn new(address: impl Into<String>, password: Password, currency: u16) -> Self {
        Self {
            address: address.into(),
            password,
            currency,
            connect_timeout: Duration::from_secs(5),
            patience: Patience::default(),
            longest: Duration::from_secs(15 * 60),
            mirrors_receipts: false,
        }
    }
}

impl fmt::Debug for TerminalSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TerminalSettings")
            .field("address", &self.address)
            .field("currency", &self.currency)
            .finish_non_exhaustive()
    }
}

/// What the one at the till may be shown while a payment runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Plain words: "insert or hold the card", "enter the PIN".
    Words(String),
}

#[derive(Debug)]
pub struct TerminalLink {
    settings: TerminalSettings,
    /// Gone as soon as something did not end in order.
    line: Option<Line>,
    known_receipt: Option<KnownReceipt>,
}

#[derive(Debug)]
struct Line {
    stream: TcpStream,
    decoder: Decoder,
}

/// How an exchange ended on this side.
enum Ending {
    /// The terminal cannot have read the whole command.
    NotSent {
        why: String,
    },
    Ended(End),
    Broken {
        cause: Cause,
        why: String,
    },
}

/// What of an exchange is of use beside its end.
struct Watch<'a> {
    progress: Option<mpsc::Sender<Progress>>,
    abort: &'a CancellationToken,
}

impl TerminalLink {
    /// Connects and registers. A terminal that is still busy with a payment refuses; try again later.
    pub async fn connect(settings: &TerminalSettings) -> Result<Self, LinkDown> {
        let address = &settings.address;
        let stream = match timeout(settings.connect_timeout, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(fault)) => {
                return Err(LinkDown::new(format!(
                    "the payment terminal at {address} cannot be reached: {fault}"
                )));
            }
            Err(_) => {
                return Err(LinkDown::new(format!(
                    "the payment terminal at {address} does not answer; is it switched on?"
                )));
            }
        };
        // Acknowledgements are three bytes and waited for.
        if let Err(fault) = stream.set_nodelay(true) {
            return Err(LinkDown::new(format!("the connection to {address} broke at once: {fault}")));
        }
        let decoder = Decoder::default();
        let mut link = Self {
            settings: settings.clone(),
            line: Some(Line { stream, decoder }),
            known_receipt: None,
        };
        let registration = Packet::Registration {
            password: settings.password,
            config: packet::TELLS_PROGRESS | packet::REGISTER_PAYS | packet::REGISTER_ADMINISTERS,
            currency: Some(settings.currency),
            fields: Fields::default(),
        };
        link.ask(registration).await?;
        Ok(link)
    }

    /// Whether the connection ended in order so far. A connection that broke since is noticed with the next command.
    pub fn is_up(&self) -> bool {
        self.line.is_some()
    }

    /// Asks the terminal to take this amount from a card. `progress` gets words to show; those for which there is no room are
    /// left out. Cancelling `abort` asks the terminal to stop, and the outcome still is what the terminal says.
    pub async fn authorize(&mut self, amount_minor: i64, progress: mpsc::Sender<Progress>, abort: CancellationToken) -> Outcome {
        let amount = match whole_amount(amount_minor) {
            Ok(amount) => amount,
            Err(why) => return Outcome::NotSent { why },
        };
        let known_receipt = self.known_receipt.filter(|_| self.settings.mirrors_receipts);
        let command = Packet::Authorization(Fields {
            amount: Some(amount),
            currency: Some(self.settings.currency),
            tlv: Tlv {
                known_receipt,
                ..Tlv::default()
            },
            ..Fields::default()
        });
        let watch = Watch {
            progress: Some(progress),
            abort: &abort,
        };
        self.transact(command, watch, Some(amount_minor)).await
    }

    /// What the terminal's last transaction was; `None` if there has been none. A terminal that does not tell counts as out of reach,
    /// because what it was asked to do could never be known.
    pub async fn last(&mut self) -> Result<Option<Last>, LinkDown> {
        let command = Packet::RepeatReceipt {
            password: self.settings.password,
            fields: Fields {
                service: Some(packet::REPEAT_STATUS | packet::REPEAT_WITHOUT_PRINT),
                ..Fields::default()
            },
        };
        let last = match self.ask(command).await? {
            Some(status) => Some(Last::read(&status).map_err(|lacks| {
                self.line = None;
                LinkDown::new(lacks.to_string())
            })?),
            None => None,
        };
        self.known_receipt = Some(
            last.as_ref()
                .map_or(KnownReceipt::NoneYet, |last| KnownReceipt::Number(last.receipt)),
        );
        Ok(last)
    }

    /// Takes back the payment with this receipt number.
    pub async fn reverse(&mut self, receipt: u16) -> Outcome {
        let command = Packet::Reversal {
            password: self.settings.password,
            fields: Fields {
                receipt: Some(receipt),
                ..Fields::default()
            },
        };
        self.transact(
            command,
            Watch {
                progress: None,
                abort: &CancellationToken::new(),
            },
            None,
        )
        .await
    }

    /// Gives money to a card without taking a payment back.
    pub async fn refund(&mut self, amount_minor: i64) -> Outcome {
        let amount = match whole_amount(amount_minor) {
            Ok(amount) => amount,
            Err(why) => return Outcome::NotSent { why },
        };
        let command = Packet::Refund {
            password: self.settings.password,
            fields: Fields {
                amount: Some(amount),
                currency: Some(self.settings.currency),
                ..Fields::default()
            },
        };
        let watch = Watch {
            progress: None,
            abort: &CancellationToken::new(),
        };
        self.transact(command, watch, Some(amount_minor)).await
    }

    /// Whether the terminal is there and answers; moves nothing.
    pub async fn enquire(&mut self) -> Result<(), LinkDown> {
        let command = Packet::StatusEnquiry {
            password: self.settings.password,
            fields: Fields::default(),
        };
        self.ask(command).await.map(|_| ())
    }

    async fn transact(&mut self, command: Packet, watch: Watch<'_>, amount_minor: Option<i64>) -> Outcome {
        let outcome = match self.exchange(command, watch).await {
            Ending::NotSent { why } => Outcome::NotSent { why },
            Ending::Broken { cause, why } => Outcome::Unknown { cause, why },
            Ending::Ended(end) => outcome::of(end, amount_minor),
        };
        match &outcome {
            Outcome::Approved(approval) => self.known_receipt = Some(KnownReceipt::Number(approval.receipt)),
            // Some terminals give declined payments a number, others do not: unknown until asked.
            Outcome::Declined { .. } => self.known_receipt = None,
            Outcome::NotSent { .. } => {}
            Outcome::Unknown { .. } => self.line = None,
        }
        outcome
    }

    /// A command that moves no money; the status it brought, if any.
    async fn ask(&mut self, command: Packet) -> Result<Option<Fields>, LinkDown> {
        let watch = Watch {
            progress: None,
            abort: &CancellationToken::new(),
        };
        let why = match self.exchange(command, watch).await {
            Ending::Ended(End::Completed { status }) => return Ok(status.map(|status| *status)),
            Ending::Ended(End::Failed { why, .. }) => format!("the terminal does not answer that: {why}"),
            Ending::Ended(End::Refused { code }) => words::of_result(code).to_owned(),
            Ending::NotSent { why } | Ending::Ended(End::Unclear { why }) | Ending::Broken { why, .. } => why,
        };
        self.line = None;
        Err(LinkDown { why })
    }

    async fn exchange(&mut self, command: Packet, watch: Watch<'_>) -> Ending {
        // Taken out, so that the connection is gone if this future is dropped in the middle.
        let Some(mut line) = self.line.take() else {
            return Ending::NotSent {
                why: "the connection to the terminal is gone; connect again".to_owned(),
            };
        };
        if let Err(why) = line.is_quiet() {
            return Ending::NotSent { why };
        }
        // A command that the system did not take whole cannot have been read whole, and half of one does nothing.
        if let Err(why) = line.send(&command, self.settings.patience.acknowledge).await {
            return Ending::NotSent { why };
        }
        let ending = line.hear_out(&self.settings, watch).await;
        if matches!(ending, Ending::Ended(_)) {
            self.line = Some(line);
        }
        ending
    }
}

impl Line {
    /// Before a command there is nothing to hear. A terminal that closed, or talks out of turn, is not asked for money.
    fn is_quiet(&self) -> Result<(), String> {
        match self.stream.try_read(&mut [0]) {
            Err(fault) if fault.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
            Ok(0) => Err("the terminal has closed the connection; connect again".to_owned()),
            Ok(_) => Err("the terminal talks out of turn; connect again".to_owned()),
            Err(fault) => Err(format!("the connection to the terminal broke: {fault}; connect again")),
        }
    }

    async fn send(&mut self, packet: &Packet, patience: Duration) -> Result<(), String> {
        let bytes = packet.encode().to_bytes().map_err(|fault| fault.to_string())?;
        match timeout(patience, self.stream.write_all(&bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(fault)) => Err(format!("the connection to the terminal broke: {fault}")),
            Err(_) => Err("the terminal takes nothing in; look at its display".to_owned()),
        }
    }

    async fn hear_out(&mut self, settings: &TerminalSettings, watch: Watch<'_>) -> Ending {
        let patience = settings.patience;
        let mut exchange = Exchange::begin(patience);
        let give_up = Instant::now() + settings.longest;
        let mut deadline = Instant::now() + patience.acknowledge;
        let mut stop_asked = false;
        let mut piece = [0; 4096];
        loop {
            let mut steps = match self.take() {
                Ok(Some(packet)) => exchange.hear(packet),
                Err(why) => return Ending::Broken { cause: Cause::Device, why },
                Ok(None) => tokio::select! {
                    () = watch.abort.cancelled(), if !stop_asked => {
                        stop_asked = true;
                        exchange.stop()
                    }
                    () = sleep_until(deadline.min(give_up)) => exchange.silent(),
                    read = self.stream.read(&mut piece) => match read {
                        Ok(0) => return broken("the terminal closed the connection in the middle"),
                        Ok(length) => {
                            self.decoder.feed(&piece[..length]);
                            continue;
                        }
                        Err(fault) => return broken(&format!("the connection to the terminal broke in the middle: {fault}")),
                    },
                },
            };
            if Instant::now() >= give_up && !steps.iter().any(|step| matches!(step, Step::End(_))) {
                steps = exchange.silent();
            }
            for step in steps {
                match step {
                    Step::Send(packet) => {
                        if let Err(why) = self.send(&packet, patience.acknowledge).await {
                            return broken(&why);
                        }
                    }
                    Step::Wait(wait) => deadline = Instant::now() + wait,
                    Step::Show(words) => {
                        if let Some(progress) = &watch.progress {
                            // Nobody listening, or not fast enough: a payment does not wait for a display.
                            let _ = progress.try_send(Progress::Words(words));
                        }
                    }
                    Step::End(End::Unclear { why }) => return Ending::Broken { cause: Cause::Device, why },
                    Step::End(end) => return Ending::Ended(end),
                }
            }
        }
    }

    fn take(&mut self) -> Result<Option<Packet>, String> {
        let Some(apdu) = self.decoder.take().map_err(|fault| fault.to_string())? else {
            return Ok(None);
        };
        Packet::decode(&apdu).map(Some).map_err(|fault| fault.to_string())
    }
}

fn broken(why: &str) -> Ending {
    Ending::Broken {
        cause: Cause::Link,
        why: why.to_owned(),
    }
}

fn whole_amount(amount_minor: i64) -> Result<u64, String> {
    match u64::try_from(amount_minor) {
        Ok(amount) if (1..=LARGEST_AMOUNT_MINOR).contains(&amount_minor) => Ok(amount),
        _ => Err(format!("a terminal cannot move {amount_minor}; ask for an amount above zero")),
    }
}
