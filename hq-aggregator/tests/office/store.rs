//! A small store: writes a journal with real entries, sends it with the login of its join file, hears what head office says.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::{AuthError, Client, ConnectOptions, HeaderMap};
use data_encoding::HEXLOWER;
use ed25519_dalek::{SigningKey, VerifyingKey};
use futures_util::StreamExt;
use nkeys::KeyPair;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use backroom_core::directive::{Address, BatchHead, Directive, Resend, Signed, Watermark};
use backroom_core::facts::{
    CashMove, CashMoved, ClosedTicket, EpochEnd, EpochOpened, EpochReason, Fact, ShiftClosed, ShiftOpened, StockOpened, TaxSum, Tender,
    TicketEnd,
};
use backroom_core::ids::{CommandId, ReceiptNo, ShiftId, TicketId};
use backroom_core::journal::{Entry, Epoch, FiscalBlock, Hash, Head, Header, Retention, Seq};
use backroom_core::money::{Money, Quantity};
use backroom_core::stock::{MoveReason, StockMove};
use backroom_core::tax::PriceMode;
use backroom_core::till::{Totals, ZReport};
use backroom_core::time::{BusinessDay, Instant as At};
use backroom_protocol::messages::{self, Hello};
use backroom_protocol::payload;
use backroom_protocol::subjects::{self, Down};
use hq_aggregator::join::JoinFile;

use crate::{DEADLINE, eventually};

/// 2026-11-21, noon in UTC.
pub const NOON: i64 = 1_795_262_400_000_000;
pub const SHIFT: u128 = 0x51;

/// A journal being written: one epoch of one store.
#[derive(Clone)]
pub struct Journal {
    pub address: Address,
    pub epoch: Epoch,
    pub entries: Vec<Entry>,
    pub receipts: u64,
}

impl Journal {
    pub fn new(address: Address) -> Journal {
        Journal {
            address,
            epoch: Epoch(1),
            entries: Vec::new(),
            receipts: 0,
        }
    }

    pub fn head(&self) -> Head {
        let start = Head::start(self.epoch);
        self.entries.last().map_or(start, |entry| Head {
            epoch: self.epoch,
            seq: entry.header.seq,
            hash: entry.hash,
        })
    }

    pub fn write(&mut self, fact: &Fact) {
        self.write_raw(fact.kind() as u16, &payload::encode(fact));
    }

    pub fn write_raw(&mut self, kind: u16, payload: &[u8]) {
        let Head { epoch, seq, hash } = self.head();
        let seq = Seq(seq.0 + 1);
        let header = Header {
            tenant: self.address.tenant,
            store: self.address.store,
            epoch,
            seq,
            prev_hash: hash,
            at: At::from_micros(NOON + seq.0 as i64).unwrap(),
            time_trusted: true,
            business_day: BusinessDay::from_days(20_778).unwrap(),
            kind,
            command_id: Some(CommandId(Uuid::from_u128(u128::from(epoch.0) << 64 | u128::from(seq.0)))),
            device: Some("r1".parse().unwrap()),
            staff: Some("s101".parse().unwrap()),
            retention: Retention(1),
            fiscal: FiscalBlock::default(),
        };
        self.entries.push(Entry::write(header, payload));
    }

    /// Epoch, stock of 100 mugs, a shift with 100.00 in the drawer: three entries.
    pub fn open(&mut self) {
        self.write(&Fact::EpochOpened(EpochOpened {
            reason: EpochReason::NewStore,
            previous: None,
            series: 1,
            currency: "EUR".parse().unwrap(),
            zone: "Europe/Berlin".into(),
            day_end: "02:00".into(),
        }));
        self.write(&Fact::StockOpened(StockOpened {
            moves: vec![mugs(100, MoveReason::Opening)],
        }));
        self.write(&Fact::ShiftOpened(ShiftOpened {
            shift: ShiftId(Uuid::from_u128(SHIFT)),
            till: "t1".parse().unwrap(),
            register: "r1".parse().unwrap(),
            float: Money(10_000),
            staff: None,
            foreign: Vec::new(),
            left: Vec::new(),
        }));
    }

    /// One mug for 10.00 paid with a twenty.
    pub fn sell(&mut self) {
        self.ticket(TicketEnd::Sale, 1);
    }

    pub fn sell_many(&mut self, count: usize) {
        (0..count).for_each(|_| self.sell());
    }

    pub fn take_back(&mut self) {
        self.ticket(TicketEnd::Return, -1);
    }

    pub fn cancel(&mut self) {
        let mut ticket = ticket(self.epoch, TicketEnd::Cancelled, 1, 0);
        ticket.receipt = None;
        (ticket.moves, ticket.tenders, ticket.change) = (Vec::new(), Vec::new(), Money::ZERO);
        self.write(&Fact::TicketClosed(Box::new(ticket)));
    }

    fn ticket(&mut self, end: TicketEnd, sign: i64) {
        self.receipts += 1;
        self.write(&Fact::TicketClosed(Box::new(ticket(self.epoch, end, sign, self.receipts))));
    }

    pub fn move_cash(&mut self, kind: CashMove, amount: i64) {
        let (shift, till) = (ShiftId(Uuid::from_u128(SHIFT)), "t1".parse().unwrap());
        self.write(&Fact::CashMoved(CashMoved {
            shift,
            till,
            kind,
            amount: Money(amount),
            reason: "float".into(),
        }));
    }

    pub fn close_shift(&mut self, counted: i64) {
        let at = At::from_micros(NOON).unwrap();
        let z = ZReport {
            number: 1,
            opened_at: at,
            closed_at: at,
            float: Money(10_000),
            totals: Totals::default(),
            expected: Money(counted),
            counted: Money(counted),
            over_short: Money::ZERO,
            perpetual_sales: Money::ZERO,
            perpetual_returns: Money::ZERO,
            detail: None,
        };
        self.write(&Fact::ShiftClosed(Box::new(ShiftClosed {
            shift: ShiftId(Uuid::from_u128(SHIFT)),
            till: "t1".parse().unwrap(),
            z,
        })));
    }

    /// The next epoch, after this one was set back to `seq`.
    pub fn next_epoch(&self, seq: u64) -> Journal {
        let last = &self.entries[seq as usize - 1];
        let previous = EpochEnd {
            epoch: self.epoch,
            seq: Seq(seq),
            hash: last.hash,
        };
        let mut next = Journal {
            epoch: Epoch(self.epoch.0 + 1),
            entries: Vec::new(),
            receipts: 0,
            ..self.clone()
        };
        next.write(&Fact::EpochOpened(EpochOpened {
            reason: EpochReason::Rollback,
            previous: Some(previous),
            series: self.epoch.0 + 1,
            currency: "EUR".parse().unwrap(),
            zone: "Europe/Berlin".into(),
            day_end: "02:00".into(),
        }));
        next
    }
}

fn mugs(count: i64, reason: MoveReason) -> StockMove {
    StockMove::new("MUG".parse().unwrap(), Quantity(count * 1000), reason)
}

fn ticket(epoch: Epoch, end: TicketEnd, sign: i64, number: u64) -> ClosedTicket {
    let at = At::from_micros(NOON).unwrap();
    let reason = if sign > 0 { MoveReason::Sale } else { MoveReason::Return };
    let tendered = if sign > 0 { 2000 } else { -1000 };
    let command_id = CommandId(Uuid::from_u128(u128::from(number)));
    ClosedTicket {
        ticket: TicketId(Uuid::from_u128(u128::from(number))),
        end,
        receipt: Some(ReceiptNo {
            register: "r1".parse().unwrap(),
            series: epoch.0,
            number,
        }),
        original: None,
        register: "r1".parse().unwrap(),
        till: "t1".parse().unwrap(),
        shift: ShiftId(Uuid::from_u128(SHIFT)),
        opened_at: at,
        currency: "EUR".parse().unwrap(),
        prices: PriceMode::Inclusive,
        lines: Vec::new(),
        taxes: vec![TaxSum {
            tax_class: "A".into(),
            rate: "0.19".to_owned().try_into().unwrap(),
            net: Money(840 * sign),
            tax: Money(160 * sign),
            parts: Vec::new(),
        }],
        net: Money(840 * sign),
        tax: Money(160 * sign),
        cash_rounding: Money::ZERO,
        due: Money(1000 * sign),
        tenders: vec![Tender::cash(command_id, at, Money(tendered))],
        change: Money(if sign > 0 { 1000 } else { 0 }),
        moves: vec![mugs(-sign, reason)],
        details: Default::default(),
    }
}

/// What head office said, signatures checked.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    pub watermarks: Vec<Watermark>,
    pub resends: Vec<Resend>,
    pub directives: Vec<Directive>,
}

/// The line of a store to its head office.
pub struct Store {
    pub address: Address,
    pub key: SigningKey,
    hq: VerifyingKey,
    client: Client,
    heard: Arc<Mutex<Heard>>,
    round: u64,
}

impl Store {
    pub async fn join(join: &JoinFile, broker_url: &str) -> Store {
        let bytes = |hex: &str| <[u8; 32]>::try_from(HEXLOWER.decode(hex.as_bytes()).unwrap()).unwrap();
        let login = Arc::new(KeyPair::from_seed(&join.user_seed).unwrap());
        let client = ConnectOptions::with_jwt(join.user_jwt.clone(), move |nonce| {
            let login = login.clone();
            async move { login.sign(&nonce).map_err(AuthError::new) }
        })
        .custom_inbox_prefix(subjects::inbox_prefix(join.store.as_str()))
        .max_reconnects(None)
        .reconnect_delay_callback(|_| Duration::from_millis(50))
        .request_timeout(Some(Duration::from_secs(2)));
        // The company's account is handed to the broker a moment after it was added.
        let deadline = Instant::now() + DEADLINE;
        let client = loop {
            match client.clone().connect(broker_url).await {
                Ok(client) => break client,
                Err(error) => assert!(Instant::now() < deadline, "the broker does not let the store in: {error}"),
            }
        };
        let mut store = Store {
            address: Address {
                tenant: join.tenant,
                store: join.store,
            },
            key: SigningKey::from_bytes(&bytes(&join.signing_seed)),
            hq: VerifyingKey::from_bytes(&bytes(&join.hq_public_key)).unwrap(),
            client,
            heard: Arc::default(),
            round: 0,
        };
        store.listen().await;
        store
    }

    async fn listen(&mut self) {
        let (tenant, store) = (self.address.tenant, self.address.store);
        let mut said = self
            .client
            .subscribe(subjects::down_all(tenant.as_str(), store.as_str()))
            .await
            .unwrap();
        self.client.flush().await.unwrap();
        let (heard, hq) = (self.heard.clone(), self.hq);
        let of = |what| subjects::down(tenant.as_str(), store.as_str(), what);
        let (mark, resend, directive) = (of(Down::Watermark), of(Down::Resend), of(Down::Directive));
        tokio::spawn(async move {
            while let Some(message) = said.next().await {
                let mut heard = heard.lock().unwrap();
                let subject = message.subject.as_str();
                if subject == mark {
                    heard
                        .watermarks
                        .push(checked(messages::read_watermark(&message.payload).unwrap(), &hq));
                } else if subject == resend {
                    heard.resends.push(checked(messages::read_resend(&message.payload).unwrap(), &hq));
                } else if subject == directive {
                    heard
                        .directives
                        .push(checked(messages::read_directive(&message.payload).unwrap(), &hq));
                }
            }
        });
    }

    /// Hangs up.
    pub async fn leave(self) {
        self.client.drain().await.unwrap();
    }

    pub fn heard(&self) -> Heard {
        self.heard.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        *self.heard.lock().unwrap() = Heard::default();
    }

    /// The highest that was said to be held of an epoch since the last `forget`.
    pub fn held(&self, epoch: Epoch) -> u64 {
        let heard = self.heard.lock().unwrap();
        heard
            .watermarks
            .iter()
            .filter(|mark| mark.epoch == epoch)
            .map(|mark| mark.held.0)
            .max()
            .unwrap_or(0)
    }

    /// Entries `first` to `last` as one batch, with an id the broker has not seen. False if the broker did not take it.
    pub async fn send(&mut self, journal: &Journal, first: u64, last: u64) -> bool {
        let bytes = self.batch(journal, first, last, &self.key.clone());
        self.send_bytes(bytes).await
    }

    pub fn batch(&mut self, journal: &Journal, first: u64, last: u64, key: &SigningKey) -> Vec<u8> {
        self.round += 1;
        let entries = &journal.entries[first as usize - 1..last as usize];
        let head = BatchHead {
            address: journal.address,
            epoch: journal.epoch,
            first: Seq(first),
            last: Seq(last),
            round: self.round,
            last_hash: entries.last().map_or(Hash::ZERO, |entry| entry.hash),
        };
        messages::write_batch(&head, entries.iter().map(|entry| entry.bytes.clone()).collect(), key)
    }

    pub async fn send_bytes(&mut self, bytes: Vec<u8>) -> bool {
        self.round += 1;
        let mut headers = HeaderMap::new();
        headers.insert(
            subjects::MESSAGE_ID_HEADER,
            format!("{}:{}", self.address.store, self.round).as_str(),
        );
        let subject = subjects::up_journal(self.address.tenant.as_str(), self.address.store.as_str());
        let jetstream = jetstream::new(self.client.clone());
        match timeout(
            Duration::from_secs(3),
            jetstream.publish_with_headers(subject, headers, bytes.into()),
        )
        .await
        {
            Ok(Ok(acknowledgement)) => matches!(timeout(Duration::from_secs(3), acknowledgement).await, Ok(Ok(_))),
            _ => false,
        }
    }

    /// Announces these journals; the first answers, newest epoch first, or none within two seconds.
    pub async fn hello(&mut self, journals: &[&Journal], directives_through: u64) -> Vec<Watermark> {
        let heads = journals.iter().map(|journal| journal.head()).collect();
        let hello = Hello {
            address: self.address,
            heads,
            directives_through,
            version: "test".into(),
        };
        let inbox = self.client.new_inbox();
        let mut answers = self.client.subscribe(inbox.clone()).await.unwrap();
        let subject = subjects::up_hello(self.address.tenant.as_str(), self.address.store.as_str());
        let bytes = messages::write_hello(&hello, &self.key);
        self.client.publish_with_reply(subject, inbox, bytes.into()).await.unwrap();
        let mut marks = Vec::new();
        let mut patience = Duration::from_secs(2);
        while let Ok(Some(answer)) = timeout(patience, answers.next()).await {
            if answer.status.is_some() {
                break; // Nobody listens.
            }
            marks.push(checked(messages::read_watermark(&answer.payload).unwrap(), &self.hq));
            patience = Duration::from_millis(100);
        }
        marks
    }

    /// As a store's uplink: announces itself and sends what is not held, until all is.
    pub async fn sync(&mut self, journal: &Journal) {
        let deadline = Instant::now() + DEADLINE;
        let head = journal.head();
        loop {
            let marks = self.hello(&[journal], 0).await;
            let held = marks.iter().find(|mark| mark.epoch == journal.epoch).map(|mark| mark.held.0);
            if held == Some(head.seq.0) {
                return;
            }
            assert!(Instant::now() < deadline, "head office holds {held:?} of {}", head.seq);
            let mut first = held.unwrap_or(0) + 1;
            while held.is_some() && first <= head.seq.0 {
                let last = (first + 49).min(head.seq.0);
                self.send(journal, first, last).await;
                first = last + 1;
            }
        }
    }

    pub async fn waits_until_held(&self, journal: &Journal) {
        let head = journal.head();
        eventually("all entries are held", async || self.held(head.epoch) >= head.seq.0).await;
    }
}

fn checked<T: Signed>(received: messages::Received<T>, hq: &VerifyingKey) -> T {
    received.message.check(&received.signature, hq).unwrap();
    received.message
}
