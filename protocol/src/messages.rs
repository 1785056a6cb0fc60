//! The signed messages between store and head office: types of core to the bytes of `backroom.directive.v1` and back.
//!
//! Reading checks the form; whether a signature is right is asked of `backroom_core::directive::Signed::check`, with the
//! signature handed out beside the message.

use backroom_core::catalog::PriceChange;
use backroom_core::directive::{Address, BatchHead, Directive, Order, Resend, Signed, Watermark};
use backroom_core::journal::{Entry, Epoch, Hash, Head, Seq};
use backroom_core::money::Money;
use backroom_core::time::Instant;
use ed25519_dalek::SigningKey;
use prost::Message;
use uuid::Uuid;

use crate::v1::directive as wire;

/// Why bytes from the other side are no message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    #[error("the message is not protobuf")]
    Protobuf(#[from] prost::DecodeError),
    #[error("{field} is wrong: {why}")]
    Field { field: &'static str, why: String },
    #[error("the batch announces {first}..{last} but holds something else: {why}")]
    Batch { first: Seq, last: Seq, why: String },
}

/// A message with the signature that came with it, still to be checked.
#[derive(Clone, Debug)]
pub struct Received<T> {
    pub message: T,
    pub signature: Vec<u8>,
}

/// More entries than a batch may carry.
pub const LARGEST_BATCH: usize = 512;

/// A batch and the entries it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub head: BatchHead,
    pub entries: Vec<Entry>,
}

/// A store's announcement: where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    pub address: Address,
    pub heads: Vec<Head>,
    pub directives_through: u64,
    pub version: String,
}

impl Signed for Hello {
    const WHAT: &'static str = "hello";

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"backroom hello v1\0".to_vec();
        bytes.extend_from_slice(&self.address.tenant.to_bytes());
        bytes.extend_from_slice(&self.address.store.to_bytes());
        bytes.extend_from_slice(&self.directives_through.to_be_bytes());
        for head in &self.heads {
            bytes.extend_from_slice(&head.epoch.0.to_be_bytes());
            bytes.extend_from_slice(&head.seq.0.to_be_bytes());
            bytes.extend_from_slice(&head.hash.0);
        }
        bytes
    }
}

/// Writes a batch; `entries` are the bytes as they stand in the journal.
pub fn write_batch(head: &BatchHead, entries: Vec<Vec<u8>>, key: &SigningKey) -> Vec<u8> {
    let (tenant, store) = names(&head.address);
    let BatchHead {
        epoch,
        first,
        last,
        round,
        last_hash,
        ..
    } = *head;
    wire::JournalBatch {
        tenant,
        store,
        epoch: epoch.0,
        first: first.0,
        last: last.0,
        round,
        last_hash: last_hash.0.to_vec(),
        entries,
        signature: head.sign(key).to_vec(),
    }
    .encode_to_vec()
}

/// Reads a batch: every entry belongs to the address, follows the one before and ends in the hash that was signed.
pub fn read_batch(bytes: &[u8]) -> Result<Received<Batch>, MessageError> {
    let read = wire::JournalBatch::decode(bytes)?;
    let head = BatchHead {
        address: address(&read.tenant, &read.store)?,
        epoch: Epoch(read.epoch),
        first: Seq(read.first),
        last: Seq(read.last),
        round: read.round,
        last_hash: hash(&read.last_hash)?,
    };
    let wrong = |why: String| MessageError::Batch {
        first: head.first,
        last: head.last,
        why,
    };
    if read.entries.is_empty() || read.entries.len() > LARGEST_BATCH || head.first.0 == 0 {
        return Err(wrong(format!("{} entries", read.entries.len())));
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(read.entries.len());
    for bytes in read.entries {
        let entry = Entry::read(bytes).map_err(|error| wrong(error.to_string()))?;
        let belongs =
            entry.header.tenant == head.address.tenant && entry.header.store == head.address.store && entry.header.epoch == head.epoch;
        if !belongs {
            return Err(wrong("an entry of another store or epoch".into()));
        }
        let expected_seq = entries.last().map_or(head.first.0, |before| before.header.seq.0.saturating_add(1));
        let chained = entries.last().is_none_or(|before| before.hash == entry.header.prev_hash);
        if entry.header.seq.0 != expected_seq || !chained {
            return Err(wrong(format!("entry {} does not follow", entry.header.seq)));
        }
        entries.push(entry);
    }
    let ends_right = entries
        .last()
        .is_some_and(|last| last.header.seq == head.last && last.hash == head.last_hash);
    if !ends_right {
        return Err(wrong("another end than was signed".into()));
    }
    Ok(Received {
        message: Batch { head, entries },
        signature: read.signature,
    })
}

pub fn write_hello(hello: &Hello, key: &SigningKey) -> Vec<u8> {
    let (tenant, store) = names(&hello.address);
    let heads = hello
        .heads
        .iter()
        .map(|head| wire::EpochHead {
            epoch: head.epoch.0,
            seq: head.seq.0,
            hash: head.hash.0.to_vec(),
        })
        .collect();
    let (directives_through, version) = (hello.directives_through, hello.version.clone());
    wire::Hello {
        tenant,
        store,
        heads,
        directives_through,
        version,
        signature: hello.sign(key).to_vec(),
    }
    .encode_to_vec()
}

pub fn read_hello(bytes: &[u8]) -> Result<Received<Hello>, MessageError> {
    let read = wire::Hello::decode(bytes)?;
    if read.heads.len() > 1000 || read.version.len() > 60 {
        return Err(MessageError::Field {
            field: "heads",
            why: "more than any store has".into(),
        });
    }
    let head = |head: wire::EpochHead| {
        Ok(Head {
            epoch: Epoch(head.epoch),
            seq: Seq(head.seq),
            hash: hash(&head.hash)?,
        })
    };
    let heads = read.heads.into_iter().map(head).collect::<Result<_, MessageError>>()?;
    let address = address(&read.tenant, &read.store)?;
    let message = Hello {
        address,
        heads,
        directives_through: read.directives_through,
        version: read.version,
    };
    Ok(Received {
        message,
        signature: read.signature,
    })
}

pub fn write_watermark(mark: &Watermark, key: &SigningKey) -> Vec<u8> {
    let (tenant, store) = names(&mark.address);
    wire::Watermark {
        tenant,
        store,
        incarnation: mark.incarnation.as_bytes().to_vec(),
        counter: mark.counter,
        epoch: mark.epoch.0,
        held: mark.held.0,
        applied: mark.applied.0,
        hash: mark.hash.0.to_vec(),
        signature: mark.sign(key).to_vec(),
    }
    .encode_to_vec()
}

pub fn read_watermark(bytes: &[u8]) -> Result<Received<Watermark>, MessageError> {
    let read = wire::Watermark::decode(bytes)?;
    let message = Watermark {
        address: address(&read.tenant, &read.store)?,
        incarnation: Uuid::from_slice(&read.incarnation).map_err(|error| field("incarnation", error))?,
        counter: read.counter,
        epoch: Epoch(read.epoch),
        held: Seq(read.held),
        applied: Seq(read.applied),
        hash: hash(&read.hash)?,
    };
    Ok(Received {
        message,
        signature: read.signature,
    })
}

pub fn write_resend(resend: &Resend, key: &SigningKey) -> Vec<u8> {
    let (tenant, store) = names(&resend.address);
    let Resend {
        epoch, first, last, round, ..
    } = *resend;
    let signature = resend.sign(key).to_vec();
    wire::Resend {
        tenant,
        store,
        epoch: epoch.0,
        first: first.0,
        last: last.0,
        round,
        signature,
    }
    .encode_to_vec()
}

pub fn read_resend(bytes: &[u8]) -> Result<Received<Resend>, MessageError> {
    let read = wire::Resend::decode(bytes)?;
    let address = address(&read.tenant, &read.store)?;
    let message = Resend {
        address,
        epoch: Epoch(read.epoch),
        first: Seq(read.first),
        last: Seq(read.last),
        round: read.round,
    };
    Ok(Received {
        message,
        signature: read.signature,
    })
}

pub fn write_directive(directive: &Directive, key: &SigningKey) -> Vec<u8> {
    let (tenant, store) = names(&directive.address);
    let order = match &directive.order {
        Order::Price(change) => wire::directive::Order::Price(wire::PriceOrder {
            sku: change.sku.to_string(),
            price_minor: change.price.0,
            currency: change.currency.code().into(),
            effective_at_micros: change.effective_at.as_micros(),
        }),
    };
    let signature = directive.sign(key).to_vec();
    wire::Directive {
        tenant,
        store,
        number: directive.number,
        order: Some(order),
        signature,
    }
    .encode_to_vec()
}

pub fn read_directive(bytes: &[u8]) -> Result<Received<Directive>, MessageError> {
    let read = wire::Directive::decode(bytes)?;
    let order = match read.order {
        Some(wire::directive::Order::Price(price)) => Order::Price(PriceChange {
            sku: price.sku.parse().map_err(|error| field("sku", error))?,
            price: Money(price.price_minor),
            currency: price.currency.parse().map_err(|error| field("currency", error))?,
            effective_at: Instant::from_micros(price.effective_at_micros).map_err(|error| field("effective_at", error))?,
        }),
        None => return Err(field("order", "missing or newer than this program; update it")),
    };
    let message = Directive {
        address: address(&read.tenant, &read.store)?,
        number: read.number,
        order,
    };
    Ok(Received {
        message,
        signature: read.signature,
    })
}

/// For fuzzers: any bytes are read or refused, never a panic; what was read writes back to the same message, and whoever wrote it, these
/// are not the keys it was signed with.
pub fn fuzz_one(bytes: &[u8]) {
    let key = SigningKey::from_bytes(&[7; 32]);
    if let Ok(Received { message, .. }) = read_batch(bytes) {
        let entries = message.entries.iter().map(|entry| entry.bytes.clone()).collect();
        let again = read_batch(&write_batch(&message.head, entries, &key));
        assert_eq!(again.ok().map(|again| again.message), Some(message));
    }
    if let Ok(Received { message, .. }) = read_hello(bytes) {
        let again = read_hello(&write_hello(&message, &key));
        assert_eq!(again.ok().map(|again| again.message), Some(message));
    }
    if let Ok(Received { message, signature }) = read_watermark(bytes) {
        assert!(message.check(&signature, &key.verifying_key()).is_err());
        let again = read_watermark(&write_watermark(&message, &key));
        assert_eq!(again.ok().map(|again| again.message), Some(message));
    }
    if let Ok(Received { message, signature }) = read_resend(bytes) {
        assert!(message.check(&signature, &key.verifying_key()).is_err());
        let again = read_resend(&write_resend(&message, &key));
        assert_eq!(again.ok().map(|again| again.message), Some(message));
    }
    if let Ok(Received { message, signature }) = read_directive(bytes) {
        assert!(message.check(&signature, &key.verifying_key()).is_err());
        let again = read_directive(&write_directive(&message, &key));
        assert_eq!(again.ok().map(|again| again.message), Some(message));
    }
}

fn names(address: &Address) -> (String, String) {
    (address.tenant.to_string(), address.store.to_string())
}

fn address(tenant: &str, store: &str) -> Result<Address, MessageError> {
    Ok(Address {
        tenant: tenant.parse().map_err(|error| field("tenant", error))?,
        store: store.parse().map_err(|error| field("store", error))?,
    })
}

fn hash(bytes: &[u8]) -> Result<Hash, MessageError> {
    Hash::from_slice(bytes).ok_or_else(|| field("hash", format!("{} bytes", bytes.len())))
}

fn field(field: &'static str, why: impl std::fmt::Display) -> MessageError {
    MessageError::Field {
        field,
        why: why.to_string(),
    }
}

#[cfg(test)]
#[path = "messages_tests.rs"]
mod tests;
