//! A receipt in the hands of a stranger: reads a proof from a file and says what the receipt says, or why it proves nothing.
//!
//! The proof itself is core's; here are its file and the meaning of its entry.

use backroom_core::facts::{ClosedTicket, Fact};
use backroom_core::journal::proof::{Proof, ProofError};
use backroom_core::journal::{Header, fixed_from_hex};
use ed25519_dalek::VerifyingKey;

use crate::payload::{self, PayloadError};

/// No proof is larger: an entry of the largest size, twice for hex digits, and the rest.
pub const LARGEST_FILE: usize = 9 * 1024 * 1024;

/// Why a file proves no receipt.
#[derive(Debug, thiserror::Error)]
pub enum NotProven {
    #[error("{len} bytes are more than any proof has")]
    TooLarge { len: usize },
    #[error("the file is no proof: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{text:?} is no public key: use the 64 hex digits the shop tells")]
    Key { text: String },
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error("the entry is genuine, but this program can not read it: {0}")]
    Payload(#[from] PayloadError),
    #[error("the entry is genuine, but it is no receipt; it is of kind {kind}")]
    NotAReceipt { kind: u16 },
}

impl NotProven {
    pub fn code(&self) -> &'static str {
        match self {
            NotProven::TooLarge { .. } => "too_large",
            NotProven::Json(_) => "form",
            NotProven::Key { .. } => "key",
            NotProven::Proof(error) => error.code(),
            NotProven::Payload(_) => "payload",
            NotProven::NotAReceipt { .. } => "not_a_receipt",
        }
    }
}

/// What stands in the store's journal, proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenReceipt {
    pub header: Header,
    pub ticket: Box<ClosedTicket>,
}

/// A proof in its JSON form or in its bytes.
pub fn read(file: &[u8]) -> Result<Proof, NotProven> {
    if file.len() > LARGEST_FILE {
        return Err(NotProven::TooLarge { len: file.len() });
    }
    if file.starts_with(b"BKRP") {
        return Ok(Proof::from_bytes(file)?);
    }
    Ok(serde_json::from_slice(file)?)
}

pub fn key(text: &str) -> Result<VerifyingKey, NotProven> {
    let wrong = || NotProven::Key {
        text: text.chars().take(80).collect(),
    };
    let bytes = fixed_from_hex::<32>(text.trim()).map_err(|_| wrong())?;
    VerifyingKey::from_bytes(&bytes).map_err(|_| wrong())
}

/// What the receipt says, if the store with this key has it in its journal.
pub fn check(proof: &Proof, key: &VerifyingKey) -> Result<ProvenReceipt, NotProven> {
    let entry = proof.check(key)?;
    match payload::fact(&entry)? {
        Some(Fact::TicketClosed(ticket)) if ticket.receipt.is_some() => Ok(ProvenReceipt {
            header: entry.header,
            ticket,
        }),
        _ => Err(NotProven::NotAReceipt { kind: entry.header.kind }),
    }
}

/// For fuzzers: any bytes are a proof or not, never a panic.
pub fn fuzz_one(bytes: &[u8]) {
    if let Ok(proof) = read(bytes)
        && let Ok(key) = VerifyingKey::from_bytes(&proof.key)
    {
        drop(check(&proof, &key));
    }
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
