//! The journal: entries of a fixed header and the bytes of a fact, each chained by hash to the one before; segments signed by the
//! store; and what follows from them: a verifier, proofs a stranger can check, epochs and branches, escrow logs, attested breaks,
//! the fold that gives the state as of any instant.
//!
//! Knows no database, and but for the fold reads no payloads: an entry of a newer kind is carried, hashed and verified like any
//! other. The layout is a promise to the outside (docs/contracts.md) and has frozen examples.

mod archive;
mod chain_break;
mod entry;
pub mod epochs;
pub mod escrow;
mod head;
pub mod merkle;
pub mod opening;
mod place;
pub mod proof;
pub mod replay;
pub mod segment;
pub mod verify;

use crate::ids::IdError;
use crate::time::TimeError;

pub use archive::{Archive, NotArchived};
pub use chain_break::{BreakCause, ChainBreak};
pub use entry::{Entry, FiscalBlock, Header, Retention};
pub use head::Head;
pub use place::{Epoch, Hash, Seal, Seq, fixed_from_hex, from_hex, to_hex};
pub use segment::Segment;

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

/// For fuzzers: any bytes are read as an entry, a segment, a proof, a hash or a seal, or refused, never a panic; what was read writes back the same.
pub fn fuzz_one(bytes: &[u8]) {
    if let Ok(entry) = Entry::read(bytes.to_vec()) {
        assert_eq!(Entry::write(entry.header, entry.payload()).bytes, bytes);
    }
    if let Ok(segment) = Segment::from_bytes(bytes) {
        assert_eq!(segment.to_bytes(), bytes);
    }
    if let Ok(proof) = proof::Proof::from_bytes(bytes) {
        assert_eq!(proof.to_bytes(), bytes);
        drop(proof.check_with_own_key());
    }
    let text = String::from_utf8_lossy(bytes);
    if let Some(read) = from_hex(&text) {
        assert_eq!(to_hex(&read), text.to_ascii_lowercase());
    }
    if let Ok(hash) = Hash::try_from(text.clone().into_owned()) {
        assert_eq!(hash.to_string(), text.to_ascii_lowercase());
    }
    drop(Seal::try_from(text.into_owned()));
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
