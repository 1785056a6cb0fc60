//! The craft of the real thing: entries with header and SHA-256, messages as protobuf with Ed25519 signatures, read by the code that
//! reads them in the shop.

use std::cell::RefCell;
use std::collections::HashMap;

use backroom_core::directive::{BatchHead, Signed};
use backroom_core::federation::receiver::Link;
use backroom_core::federation::sim::address;
use backroom_core::federation::sim::craft::{Craft, Hand, Letter};
use backroom_core::federation::sim::slip::Slip;
use backroom_core::federation::sim::wire::{Batch, What, Written};
use backroom_core::journal::{Entry, Epoch, FiscalBlock, Hash, Header, Retention, Seq};
use backroom_core::time::{BusinessDay, Instant};
use backroom_protocol::messages::{self, Hello, MessageError, Received};
use ed25519_dalek::{SigningKey, VerifyingKey};

/// Field 1000, a number: nobody knows it.
const TOMORROW: [u8; 3] = [0xc0, 0x3e, 0x07];

pub struct Bytes {
    keys: RefCell<HashMap<u8, SigningKey>>,
}

impl Bytes {
    pub fn new() -> Bytes {
        Bytes { keys: RefCell::default() }
    }

    fn key(&self, shop: usize, hand: Hand) -> SigningKey {
        let number = match hand {
            Hand::Store => shop as u8 + 1,
            Hand::Office => 100,
            Hand::Forger => 200,
        };
        let mut keys = self.keys.borrow_mut();
        keys.entry(number).or_insert_with(|| SigningKey::from_bytes(&[number; 32])).clone()
    }

    fn believed<T: Signed>(received: Result<Received<T>, MessageError>, key: &VerifyingKey) -> Option<T> {
        let Received { message, signature } = received.ok()?;
        message.check(&signature, key).ok()?;
        Some(message)
    }
}

fn entry(shop: usize, epoch: Epoch, seq: Seq, before: &Hash, slip: &Slip) -> Option<Entry> {
    let address = address(shop)?;
    let header = Header {
        tenant: address.tenant,
        store: address.store,
        epoch,
        seq,
        prev_hash: *before,
        at: Instant::from_micros(1_795_000_000_000_000).ok()?,
        time_trusted: true,
        business_day: BusinessDay::from_days(20_775).ok()?,
        kind: slip.kind(),
        command_id: None,
        device: None,
        staff: None,
        retention: Retention::EVER,
        fiscal: FiscalBlock::default(),
    };
    Some(Entry::write(header, &slip.bytes()))
}

impl Craft for Bytes {
    fn hash(&self, shop: usize, epoch: Epoch, seq: Seq, before: &Hash, slip: &Slip) -> Hash {
        entry(shop, epoch, seq, before, slip).map_or(Hash::ZERO, |entry| entry.hash)
    }

    fn carry(&self, letter: Letter) -> Option<What> {
        let Letter {
            shop,
            hand,
            what,
            tomorrow,
        } = letter;
        let key = self.key(shop, hand);
        let trusted = self.key(shop, what.signer()).verifying_key();
        let sent = |mut bytes: Vec<u8>| {
            bytes.extend_from_slice(if tomorrow { &TOMORROW } else { &[] });
            bytes
        };
        match what {
            What::Batch(batch) => {
                let message = batch.message;
                let head = BatchHead {
                    address: address(shop)?,
                    epoch: message.epoch,
                    first: message.first,
                    last: message.last,
                    round: message.round,
                    last_hash: batch.entries.last()?.link.hash,
                };
                let bytes = |written: &Written| {
                    let Written { link, slip } = written;
                    Some(entry(shop, message.epoch, link.seq, &link.prev_hash, slip)?.bytes)
                };
                let entries = batch.entries.iter().map(bytes).collect::<Option<_>>()?;
                let read = messages::read_batch(&sent(messages::write_batch(&head, entries, &key))).ok()?;
                read.message.head.check(&read.signature, &trusted).ok()?;
                let written = |entry: &Entry| {
                    let link = Link {
                        seq: entry.header.seq,
                        prev_hash: entry.header.prev_hash,
                        hash: entry.hash,
                    };
                    let slip = Slip::from_bytes(entry.payload())?;
                    Some(Written { link, slip })
                };
                let entries = read.message.entries.iter().map(written).collect::<Option<_>>()?;
                Some(What::Batch(Batch { message, entries }))
            }
            What::Hello { number, heads } => {
                let hello = Hello {
                    address: address(shop)?,
                    heads,
                    directives_through: 0,
                    version: "sim".into(),
                };
                let bytes = sent(messages::write_hello(&hello, &key));
                let heads = Bytes::believed(messages::read_hello(&bytes), &trusted)?.heads;
                Some(What::Hello { number, heads })
            }
            What::Welcome { number, marks } => {
                let through = |mark| {
                    let bytes = sent(messages::write_watermark(&mark, &key));
                    Bytes::believed(messages::read_watermark(&bytes), &trusted)
                };
                let marks = marks.into_iter().map(through).collect::<Option<_>>()?;
                Some(What::Welcome { number, marks })
            }
            What::Watermark(mark) => {
                let bytes = sent(messages::write_watermark(&mark, &key));
                Bytes::believed(messages::read_watermark(&bytes), &trusted).map(What::Watermark)
            }
            What::Resend(resend) => {
                let bytes = sent(messages::write_resend(&resend, &key));
                Bytes::believed(messages::read_resend(&bytes), &trusted).map(What::Resend)
            }
            What::Acked(_) | What::Failed(_) | What::Tomorrow { .. } => (hand != Hand::Forger).then_some(what),
        }
    }
}
