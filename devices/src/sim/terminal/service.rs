//! How the simulated terminal serves its register: which connection counts, which command it takes, and what it does with it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::sim::terminal::Device;
use crate::sim::terminal::books::Kind;
use crate::sim::terminal::knobs::{Cut, Hold, Verdict};
use crate::sim::terminal::payment::{self, Wish, failed, tell_result};
use crate::sim::terminal::wire::Wire;
use crate::zvt::apdu::Decoder;
use crate::zvt::fields::Fields;
use crate::zvt::packet::{self, Packet};
use crate::zvt::tlv::KnownReceipt;

const BUSY: u8 = 0x9c;
const NOT_POSSIBLE: u8 = 0x83;
const NOT_REGISTERED: u8 = 0x6b;
const WRONG_CURRENCY: u8 = 0x6f;
const NOT_UNDERSTOOD: u8 = 0x9a;

impl Device {
    pub async fn listen(self: Arc<Self>, listener: TcpListener) {
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
}
