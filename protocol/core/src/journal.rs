//! The journal entry: a fixed header, the bytes of a fact, the hash that chains it to the one before, and signed segments.
//!
//! Knows no database and does not read payloads: an entry of a newer kind is carried, hashed and verified like any other.
//! The layout is a promise to the outside (docs/contracts.md) and has frozen examples.

use std::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::{CommandId, IdError, RegisterId, StaffId, StoreId, TenantId};
use crate::time::{BusinessDay, Instant, TimeError};

/// `BKRJ`, at the head of every entry.
pub const MAGIC: [u8; 4] = *b"BKRJ";
pub const FORMAT: u16 = 1;
pub const HEADER_LEN: usize = 200;
/// A payload may not be larger; a ticket of 2,000 lines stays far below.
pub const LARGEST_PAYLOAD: usize = 4 * 1024 * 1024;

/// Why bytes are not an entry, or not the one that should follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    #[error("{len} bytes are too short for an entry header of {HEADER_LEN}")]
    Short { len: usize },
    #[error("the entry does not begin with BKRJ")]
    Magic,
    #[error("format {format} is newer than this program; update it")]
    Format { format: u16 },
    #[error("the header announces {announced} payload bytes, {found} follow")]
    Length { announced: u64, found: usize },
    #[error("reserved bytes of the header are not zero")]
    Reserved,
    #[error("the header holds a bad id")]
    Id(#[from] IdError),
    #[error("the header holds a bad time")]
    Time(#[from] TimeError),
    #[error("entry {epoch}:{seq} does not follow {expected_epoch}:{expected_seq}")]
    Order {
        epoch: Epoch,
        seq: Seq,
        expected_epoch: Epoch,
        expected_seq: Seq,
    },
    #[error("entry {epoch}:{seq} names {found} as the hash before it, but that is {expected}")]
    Chain {
        epoch: Epoch,
        seq: Seq,
        found: Hash,
        expected: Hash,
    },
    #[error("entry {epoch}:{seq} does not hash to what was stored with it")]
    Altered { epoch: Epoch, seq: Seq },
    #[error("the signature of segment {first}..{last} is not this store's")]
    Signature { first: Seq, last: Seq },
}

/// One life of a store's box. A restore, replacement or detected rollback opens the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u32);

/// 1, 2, 3 ... within an epoch, without gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// SHA-256.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first entry of an epoch names as the hash before it.
    pub const ZERO: Hash = Hash([0; 32]);

    pub fn of(bytes: &[u8]) -> Hash {
        Hash(Sha256::digest(bytes).into())
    }

    pub fn from_slice(bytes: &[u8]) -> Option<Hash> {
        bytes.try_into().ok().map(Hash)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> String {
        hash.to_string()
    }
}

impl TryFrom<String> for Hash {
    type Error = String;
    fn try_from(text: String) -> Result<Hash, String> {
        let wrong = || format!("{text:?} is not 64 hex digits");
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Hash(bytes))
    }
}

/// How long an entry must be kept; read by whoever archives, never a reason to delete in version 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention(pub u8);

/// What a country's fiscal device said, in a fixed place. Profile 0 is "none": all zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FiscalBlock {
    pub profile: u16,
    pub state: u16,
    pub counter: u64,
    pub signature_hash: Hash,
}

/// The fixed head of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub tenant: TenantId,
    pub store: StoreId,
    pub epoch: Epoch,
    pub seq: Seq,
    pub prev_hash: Hash,
    pub at: Instant,
    /// False while the box does not trust its own clock.
    pub time_trusted: bool,
    pub business_day: BusinessDay,
    pub kind: u16,
    /// None for what the box does on its own account.
    pub command_id: Option<CommandId>,
    pub device: Option<RegisterId>,
    pub staff: Option<StaffId>,
    pub retention: Retention,
    pub fiscal: FiscalBlock,
}

/// An entry as it is stored: bytes are written once and never encoded again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub header: Header,
    pub bytes: Vec<u8>,
    pub hash: Hash,
}

impl Entry {
    pub fn write(header: Header, payload: &[u8]) -> Entry {
        let mut bytes = Vec::with_capacity(HEADER_LEN + payload.len());
        header.write(payload.len(), &mut bytes);
        bytes.extend_from_slice(payload);
        let hash = Hash::of(&bytes);
        Entry { header, bytes, hash }
    }

    /// Reads one entry which fills `bytes` exactly.
    pub fn read(bytes: Vec<u8>) -> Result<Entry, JournalError> {
        let (header, announced) = Header::read(&bytes)?;
        let found = bytes.len() - HEADER_LEN;
        if announced != found as u64 || found > LARGEST_PAYLOAD {
            return Err(JournalError::Length { announced, found });
        }
        let hash = Hash::of(&bytes);
        Ok(Entry { header, bytes, hash })
    }

    pub fn payload(&self) -> &[u8] {
        &self.bytes[HEADER_LEN..]
    }

    pub fn position(&self) -> (Epoch, Seq) {
        (self.header.epoch, self.header.seq)
    }
}

impl Header {
    fn write(&self, payload_len: usize, out: &mut Vec<u8>) {
        let code = |id: Option<[u8; 16]>| id.unwrap_or_default();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT.to_be_bytes());
        out.extend_from_slice(&self.kind.to_be_bytes());
        out.extend_from_slice(&self.tenant.to_bytes());
        out.extend_from_slice(&self.store.to_bytes());
        out.extend_from_slice(&self.epoch.0.to_be_bytes());
        out.push(self.retention.0);
        out.push(u8::from(self.time_trusted));
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.seq.0.to_be_bytes());
        out.extend_from_slice(&self.prev_hash.0);
        out.extend_from_slice(&self.at.as_micros().to_be_bytes());
        out.extend_from_slice(&self.business_day.to_days().to_be_bytes());
        out.extend_from_slice(&code(self.command_id.map(CommandId::to_bytes)));
        out.extend_from_slice(&code(self.device.map(RegisterId::to_bytes)));
        out.extend_from_slice(&code(self.staff.map(StaffId::to_bytes)));
        out.extend_from_slice(&self.fiscal.profile.to_be_bytes());
        out.extend_from_slice(&self.fiscal.state.to_be_bytes());
        out.extend_from_slice(&self.fiscal.counter.to_be_bytes());
        out.extend_from_slice(&self.fiscal.signature_hash.0);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&(payload_len as u32).to_be_bytes());
    }

    /// The header and the payload length it announces.
    fn read(bytes: &[u8]) -> Result<(Header, u64), JournalError> {
        let mut fields = Fields {
            rest: bytes.get(..HEADER_LEN).ok_or(JournalError::Short { len: bytes.len() })?,
        };
        if fields.take::<4>() != MAGIC {
            return Err(JournalError::Magic);
        }
        let format = u16::from_be_bytes(fields.take());
        if format != FORMAT {
            return Err(JournalError::Format { format });
        }
        let kind = u16::from_be_bytes(fields.take());
        let tenant = TenantId::from_bytes(fields.take())?;
        let store = StoreId::from_bytes(fields.take())?;
        let epoch = Epoch(u32::from_be_bytes(fields.take()));
        let [retention] = fields.take::<1>();
        let [flags] = fields.take::<1>();
        let reserved = fields.take::<2>();
        let seq = Seq(u64::from_be_bytes(fields.take()));
        let prev_hash = Hash(fields.take());
        let at = Instant::from_micros(i64::from_be_bytes(fields.take()))?;
        let business_day = BusinessDay::from_days(i32::from_be_bytes(fields.take()))?;
        let command_id = some_unless_zero(fields.take())
            .map(|bytes| CommandId::from_slice(&bytes))
            .transpose()?;
        let device = some_unless_zero(fields.take()).map(RegisterId::from_bytes).transpose()?;
        let staff = some_unless_zero(fields.take()).map(StaffId::from_bytes).transpose()?;
        let fiscal = FiscalBlock {
            profile: u16::from_be_bytes(fields.take()),
            state: u16::from_be_bytes(fields.take()),
            counter: u64::from_be_bytes(fields.take()),
            signature_hash: Hash(fields.take()),
        };
        let tail = fields.take::<4>();
        let announced = u64::from(u32::from_be_bytes(fields.take()));
        if reserved != [0; 2] || tail != [0; 4] || flags > 1 {
            return Err(JournalError::Reserved);
        }
        let retention = Retention(retention);
        let time_trusted = flags == 1;
        Ok((
            Header {
                tenant,
                store,
                epoch,
                seq,
                prev_hash,
                at,
                time_trusted,
                business_day,
                kind,
                command_id,
                device,
                staff,
                retention,
                fiscal,
            },
            announced,
        ))
    }
}

/// Takes fixed fields off a slice that is known to be long enough.
struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut field = [0; N];
        if let Some((head, rest)) = self.rest.split_at_checked(N) {
            field.copy_from_slice(head);
            self.rest = rest;
        }
        field
    }
}

fn some_unless_zero(bytes: [u8; 16]) -> Option<[u8; 16]> {
    (bytes != [0; 16]).then_some(bytes)
}

/// Where a chain stands: the last entry that was seen, or the start of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub epoch: Epoch,
    pub seq: Seq,
    pub hash: Hash,
}

impl Head {
    pub fn start(epoch: Epoch) -> Head {
        Head {
            epoch,
            seq: Seq(0),
            hash: Hash::ZERO,
        }
    }

    /// Checks that `entry` is the one that follows, and moves on to it.
    pub fn follow(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let (epoch, seq) = entry.position();
        let expected_seq = Seq(self.seq.0 + 1);
        if (epoch, seq) != (self.epoch, expected_seq) {
            return Err(JournalError::Order {
                epoch,
                seq,
                expected_epoch: self.epoch,
                expected_seq,
            });
        }
        if entry.header.prev_hash != self.hash {
            return Err(JournalError::Chain {
                epoch,
                seq,
                found: entry.header.prev_hash,
                expected: self.hash,
            });
        }
        *self = Head {
            epoch,
            seq,
            hash: entry.hash,
        };
        Ok(())
    }
}

/// A signed stretch of the journal: whoever holds it can verify from its first entry on, without what came before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    pub epoch: Epoch,
    pub first: Seq,
    pub last: Seq,
    /// The hash before `first`.
    pub before: Hash,
    /// The hash of `last`.
    pub hash: Hash,
    /// Hex of the Ed25519 signature over the fields above with tenant and store.
    pub signature: String,
}

impl Segment {
    /// So many entries make a segment.
    pub const LEN: u64 = 1024;

    pub fn sign(key: &SigningKey, tenant: TenantId, store: StoreId, first: Seq, before: Hash, head: Head) -> Segment {
        let mut segment = Segment {
            epoch: head.epoch,
            first,
            last: head.seq,
            before,
            hash: head.hash,
            signature: String::new(),
        };
        let signature = key.sign(&segment.signed_bytes(tenant, store));
        segment.signature = signature.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        segment
    }

    pub fn verify(&self, key: &VerifyingKey, tenant: TenantId, store: StoreId) -> Result<(), JournalError> {
        let wrong = JournalError::Signature {
            first: self.first,
            last: self.last,
        };
        let Some(signature) = signature_from_hex(&self.signature) else {
            return Err(wrong);
        };
        key.verify(&self.signed_bytes(tenant, store), &signature).map_err(|_| wrong)
    }

    fn signed_bytes(&self, tenant: TenantId, store: StoreId) -> Vec<u8> {
        let mut bytes = b"backroom segment v1".to_vec();
        bytes.extend_from_slice(&tenant.to_bytes());
        bytes.extend_from_slice(&store.to_bytes());
        bytes.extend_from_slice(&self.epoch.0.to_be_bytes());
        bytes.extend_from_slice(&self.first.0.to_be_bytes());
        bytes.extend_from_slice(&self.last.0.to_be_bytes());
        bytes.extend_from_slice(&self.before.0);
        bytes.extend_from_slice(&self.hash.0);
        bytes
    }
}

fn signature_from_hex(text: &str) -> Option<Signature> {
    if text.len() != 128 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 64];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(Signature::from_bytes(&bytes))
}

/// For fuzzers: any bytes are read or refused, never a panic.
pub fn fuzz_one(bytes: &[u8]) {
    if let Ok(entry) = Entry::read(bytes.to_vec()) {
        assert_eq!(Entry::write(entry.header, entry.payload()).bytes, bytes);
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
