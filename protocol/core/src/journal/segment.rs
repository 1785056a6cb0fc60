//! A signed stretch of the journal: whoever holds one can verify from its first entry on, without what went before, and can be shown
//! that an entry is in it.
//!
//! Owns its bytes, its JSON and what is signed. Which entries make a segment is the writer's choice; the box cuts after every
//! `Segment::LEN` entries of an epoch. A shorter one over the newest entries may be signed at any time, for a proof.

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::facts::{Fact, TicketEnd};
use crate::ids::{StoreId, TenantId};
use crate::money::{Money, MoneyError};

use super::entry::Fields;
use super::merkle::Tree;
use super::{Entry, Epoch, Hash, Head, JournalError, Retention, Seal, Seq};

const MAGIC: [u8; 4] = *b"BKRS";
const FORMAT: u16 = 1;
/// Everything that is signed.
const SIGNED_LEN: usize = 203;

/// Why entries and a segment do not belong together, or a segment can not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    #[error("these {len} bytes are not the {bytes} of a segment", bytes = Segment::BYTES)]
    Length { len: usize },
    #[error("the segment does not begin with BKRS, or is of a format newer than this program")]
    Format,
    #[error("the segment names {what} that can not be")]
    Field { what: &'static str },
    #[error("the segment {first}..{last} says another {what} than follows from its entries")]
    Differs { first: Seq, last: Seq, what: &'static str },
    #[error("a segment without entries can not be signed")]
    Empty,
    #[error("entry {epoch}:{seq} is of another store than the segment")]
    OtherStore { epoch: Epoch, seq: Seq },
    #[error(transparent)]
    Entry(#[from] JournalError),
    #[error("the sums of the segment do not fit: {0}")]
    Money(#[from] MoneyError),
}

/// What the entries of a segment come to. Money is summed over closed tickets alone, whose kind every version knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    pub entries: u64,
    /// Of headers and payloads.
    pub bytes: u64,
    pub receipts: u64,
    /// Due of all sales, of all returns (negative), and the tax in both.
    pub sales: Money,
    pub returns: Money,
    pub tax: Money,
}

impl Sums {
    fn add(&mut self, entry: &Entry, fact: Option<&Fact>) -> Result<(), MoneyError> {
        self.entries = self.entries.checked_add(1).ok_or(MoneyError::TooLarge)?;
        self.bytes = self.bytes.checked_add(entry.bytes.len() as u64).ok_or(MoneyError::TooLarge)?;
        let Some(Fact::TicketClosed(ticket)) = fact else { return Ok(()) };
        let sum = match ticket.end {
            TicketEnd::Sale => &mut self.sales,
            TicketEnd::Return => &mut self.returns,
            TicketEnd::Cancelled => return Ok(()),
        };
        *sum = sum.checked_add(ticket.due)?;
        self.tax = self.tax.checked_add(ticket.tax)?;
        self.receipts = self
            .receipts
            .checked_add(u64::from(ticket.receipt.is_some()))
            .ok_or(MoneyError::TooLarge)?;
        Ok(())
    }
}

/// The head of a segment, with the store's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    pub tenant: TenantId,
    pub store: StoreId,
    pub epoch: Epoch,
    pub first: Seq,
    pub last: Seq,
    /// The hash before `first`.
    pub before: Hash,
    /// The hash of `last`.
    pub hash: Hash,
    /// Root of the tree over the hashes of all entries.
    pub root: Hash,
    /// The strictest class of all entries.
    pub retention: u8,
    pub sums: Sums,
    /// Ed25519 over all of the above.
    pub signature: Seal,
}

impl Segment {
    /// So many entries make a segment.
    pub const LEN: u64 = 1024;
    /// The length of its bytes.
    pub const BYTES: usize = SIGNED_LEN + 64;

    /// Whether the store with this key has signed it.
    pub fn verify(&self, key: &VerifyingKey, tenant: TenantId, store: StoreId) -> Result<(), JournalError> {
        let wrong = JournalError::Signature {
            first: self.first,
            last: self.last,
        };
        if (self.tenant, self.store) != (tenant, store) {
            return Err(wrong);
        }
        let signature = Signature::from_bytes(&self.signature.0);
        key.verify(&self.signed_bytes(), &signature).map_err(|_| wrong)
    }

    /// Where the chain stands before its first entry: from here on it can be verified without what went before.
    pub fn before(&self) -> Head {
        Head {
            epoch: self.epoch,
            seq: Seq(self.first.0.saturating_sub(1)),
            hash: self.before,
        }
    }

    pub fn contains(&self, epoch: Epoch, seq: Seq) -> bool {
        self.epoch == epoch && self.first <= seq && seq <= self.last
    }

    /// Whether these are its entries, all of them. Says which figure differs. The signature is a matter of its own.
    pub fn is_over(&self, built: &Builder) -> Result<(), SegmentError> {
        let (first, last) = (self.first, self.last);
        let differs = |what| SegmentError::Differs { first, last, what };
        let root = built.tree.root().ok_or(SegmentError::Empty)?;
        let figures = [
            (
                "range",
                (self.epoch, self.first, self.last) == (built.head.epoch, built.first, built.head.seq),
            ),
            ("hash before its first entry", self.before == built.before),
            ("last hash", self.hash == built.head.hash),
            ("root", self.root == root),
            ("retention class", self.retention == built.retention.0),
            ("sum", self.sums == built.sums),
        ];
        match figures.iter().find(|(_, same)| !same) {
            Some((what, _)) => Err(differs(what)),
            None => Ok(()),
        }
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Segment::BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT.to_be_bytes());
        bytes.extend_from_slice(&self.tenant.to_bytes());
        bytes.extend_from_slice(&self.store.to_bytes());
        bytes.extend_from_slice(&self.epoch.0.to_be_bytes());
        bytes.extend_from_slice(&self.first.0.to_be_bytes());
        bytes.extend_from_slice(&self.last.0.to_be_bytes());
        bytes.extend_from_slice(&self.before.0);
        bytes.extend_from_slice(&self.hash.0);
        bytes.extend_from_slice(&self.root.0);
        bytes.push(self.retention);
        for count in [self.sums.entries, self.sums.bytes, self.sums.receipts] {
            bytes.extend_from_slice(&count.to_be_bytes());
        }
        for sum in [self.sums.sales, self.sums.returns, self.sums.tax] {
            bytes.extend_from_slice(&sum.0.to_be_bytes());
        }
        bytes
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.signed_bytes();
        bytes.extend_from_slice(&self.signature.0);
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Segment, SegmentError> {
        if bytes.len() != Segment::BYTES {
            return Err(SegmentError::Length { len: bytes.len() });
        }
        let mut fields = Fields { rest: bytes };
        if fields.take::<4>() != MAGIC || u16::from_be_bytes(fields.take()) != FORMAT {
            return Err(SegmentError::Format);
        }
        let field = |what| move |_| SegmentError::Field { what };
        let tenant = TenantId::from_bytes(fields.take()).map_err(field("a company"))?;
        let store = StoreId::from_bytes(fields.take()).map_err(field("a store"))?;
        let epoch = Epoch(u32::from_be_bytes(fields.take()));
        let first = Seq(u64::from_be_bytes(fields.take()));
        let last = Seq(u64::from_be_bytes(fields.take()));
        let (before, hash, root) = (Hash(fields.take()), Hash(fields.take()), Hash(fields.take()));
        let [retention] = fields.take::<1>();
        let mut count = || u64::from_be_bytes(fields.take());
        let (entries, size, receipts) = (count(), count(), count());
        let mut sum = || Money(i64::from_be_bytes(fields.take()));
        let (sales, returns, tax) = (sum(), sum(), sum());
        let segment = Segment {
            tenant,
            store,
            epoch,
            first,
            last,
            before,
            hash,
            root,
            retention,
            sums: Sums {
                entries,
                bytes: size,
                receipts,
                sales,
                returns,
                tax,
            },
            signature: Seal(fields.take()),
        };
        segment.sound()?;
        Ok(segment)
    }

    /// Range, count and beginning fit each other.
    pub fn sound(&self) -> Result<(), SegmentError> {
        let span = self.last.0.checked_sub(self.first.0).and_then(|span| span.checked_add(1));
        if self.first.0 == 0 || span != Some(self.sums.entries) {
            return Err(SegmentError::Field { what: "a range" });
        }
        if (self.first == Seq(1)) != (self.before == Hash::ZERO) {
            return Err(SegmentError::Field {
                what: "a hash before its first entry",
            });
        }
        Ok(())
    }
}

/// A segment that is being filled: a few hashes and sums, however many entries it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builder {
    address: Option<(TenantId, StoreId)>,
    first: Seq,
    before: Hash,
    head: Head,
    tree: Tree,
    retention: Retention,
    sums: Sums,
}

impl Builder {
    /// The next entry is the one that follows `head`.
    pub fn after(head: Head) -> Builder {
        Builder {
            address: None,
            first: Seq(head.seq.0.saturating_add(1)),
            before: head.hash,
            head,
            tree: Tree::default(),
            retention: Retention::default(),
            sums: Sums::default(),
        }
    }

    /// `fact`: what the payload says, `None` if this version does not know.
    pub fn push(&mut self, entry: &Entry, fact: Option<&Fact>) -> Result<(), SegmentError> {
        let address = (entry.header.tenant, entry.header.store);
        let (epoch, seq) = entry.position();
        if *self.address.get_or_insert(address) != address {
            return Err(SegmentError::OtherStore { epoch, seq });
        }
        self.head.follow(entry)?;
        self.sums.add(entry, fact)?;
        self.tree.push(&entry.hash);
        self.retention = match self.sums.entries {
            1 => entry.header.retention,
            _ => self.retention.stricter(entry.header.retention),
        };
        Ok(())
    }

    pub fn head(&self) -> Head {
        self.head
    }

    /// It is time to sign it and to begin the next.
    pub fn is_full(&self) -> bool {
        self.head.seq.0 > 0 && self.head.seq.0.is_multiple_of(Segment::LEN)
    }

    pub fn sign(&self, key: &SigningKey) -> Result<Segment, SegmentError> {
        let (Some((tenant, store)), Some(root)) = (self.address, self.tree.root()) else {
            return Err(SegmentError::Empty);
        };
        let mut segment = Segment {
            tenant,
            store,
            epoch: self.head.epoch,
            first: self.first,
            last: self.head.seq,
            before: self.before,
            hash: self.head.hash,
            root,
            retention: self.retention.0,
            sums: self.sums,
            signature: Seal([0; 64]),
        };
        segment.signature = Seal(key.sign(&segment.signed_bytes()).to_bytes());
        Ok(segment)
    }
}

#[cfg(test)]
#[path = "segment_tests.rs"]
pub mod tests;
