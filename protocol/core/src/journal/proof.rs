//! A proof that one entry, such as a receipt, stands in a store's journal: checked by a stranger, from the proof and the store's
//! public key alone.
//!
//! Owns its bytes, its JSON and the check. What the entry says is in its payload, which `protocol` reads.

use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::entry::Fields;
use super::merkle;
use super::segment::{Builder, Segment, SegmentError};
use super::{Entry, Epoch, Hash, Head, Header, JournalError, LARGEST_PAYLOAD, Seq, fixed_from_hex, from_hex, to_hex};
use crate::facts::Fact;

const MAGIC: [u8; 4] = *b"BKRP";
const FORMAT: u16 = 1;
/// A segment of so many levels would hold more entries than any shop ever wrote.
const LONGEST_PATH: usize = 64;

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error("these bytes are not a proof of a receipt: {why}")]
    Form { why: &'static str },
    #[error("the key in the proof is not the one you trust; ask the shop for its public key and compare it")]
    OtherKey,
    #[error("the key in the proof is no Ed25519 key")]
    NoKey,
    #[error("the segment head was changed: {0}")]
    Segment(SegmentError),
    #[error("the segment head was not signed by this store")]
    Signature,
    #[error("the entry was changed: {0}")]
    Entry(JournalError),
    #[error("the entry belongs to {store}, the segment to another store")]
    OtherStore { store: String },
    #[error("entry {epoch}:{seq} is not in the range of the segment")]
    OutOfRange { epoch: Epoch, seq: Seq },
    #[error("the entry or the path was changed: together they do not lead to the root that the store signed")]
    Path,
    #[error("entry {epoch}:{seq} is not among the entries the proof is to be made of")]
    NotThere { epoch: Epoch, seq: Seq },
}

impl ProofError {
    pub fn code(&self) -> &'static str {
        match self {
            ProofError::Form { .. } => "form",
            ProofError::OtherKey => "other_key",
            ProofError::NoKey => "no_key",
            ProofError::Segment(_) => "segment",
            ProofError::Signature => "signature",
            ProofError::Entry(_) => "entry",
            ProofError::OtherStore { .. } => "other_store",
            ProofError::OutOfRange { .. } => "out_of_range",
            ProofError::Path => "path",
            ProofError::NotThere { .. } => "not_there",
        }
    }
}

/// Everything a stranger needs but the key he trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Proof {
    /// The entry as it was written.
    pub entry: Vec<u8>,
    /// From the entry up to the root.
    pub path: Vec<Hash>,
    pub segment: Segment,
    /// The public key which the shop says is its own. Only a hint: the key that counts comes from elsewhere.
    pub key: [u8; 32],
}

/// The JSON form.
#[derive(Clone, Serialize, Deserialize)]
struct Written {
    proof: String,
    entry: String,
    path: Vec<Hash>,
    segment: Segment,
    key: String,
}

const NAME: &str = "backroom receipt 1";

impl From<Proof> for Written {
    fn from(proof: Proof) -> Written {
        Written {
            proof: NAME.into(),
            entry: to_hex(&proof.entry),
            path: proof.path,
            segment: proof.segment,
            key: to_hex(&proof.key),
        }
    }
}

impl TryFrom<Written> for Proof {
    type Error = String;

    fn try_from(written: Written) -> Result<Proof, String> {
        if written.proof != NAME {
            return Err(format!("this is not a {NAME:?}; a newer program may read it"));
        }
        if written.path.len() > LONGEST_PATH {
            return Err("the path is longer than any".into());
        }
        Ok(Proof {
            entry: from_hex(&written.entry).ok_or("the entry is not in hex digits")?,
            path: written.path,
            segment: written.segment,
            key: fixed_from_hex(&written.key)?,
        })
    }
}

impl Proof {
    /// Proves the entry at `index` of all entries of a signed segment.
    pub fn of(entries: &[Entry], index: usize, segment: &Segment, key: &VerifyingKey) -> Result<Proof, ProofError> {
        let (epoch, seq) = (segment.epoch, Seq(segment.first.0.saturating_add(index as u64)));
        let hashes: Vec<Hash> = entries.iter().map(|entry| entry.hash).collect();
        let (Some(entry), Some(path)) = (entries.get(index), merkle::path(&hashes, index)) else {
            return Err(ProofError::NotThere { epoch, seq });
        };
        let proof = Proof {
            entry: entry.bytes.clone(),
            path,
            segment: segment.clone(),
            key: key.to_bytes(),
        };
        proof.check(key)?; // A proof that does not hold is not handed out.
        Ok(proof)
    }

    /// The same for the newest entries, which no segment holds yet: signs a shorter one for it. `before` is where the chain stands
    /// before the first of them.
    pub fn of_newest(before: Head, entries: &[(Entry, Option<Fact>)], index: usize, key: &SigningKey) -> Result<Proof, ProofError> {
        let mut built = Builder::after(before);
        for (entry, fact) in entries {
            built.push(entry, fact.as_ref()).map_err(ProofError::Segment)?;
        }
        let segment = built.sign(key).map_err(ProofError::Segment)?;
        let entries: Vec<Entry> = entries.iter().map(|(entry, _)| entry.clone()).collect();
        Proof::of(&entries, index, &segment, &key.verifying_key())
    }

    /// The entry, if the store with this key has signed a segment that holds it. Needs nothing else, and no network.
    pub fn check(&self, key: &VerifyingKey) -> Result<Entry, ProofError> {
        if self.key != key.to_bytes() {
            return Err(ProofError::OtherKey);
        }
        let segment = &self.segment;
        segment.sound().map_err(ProofError::Segment)?;
        let signed = segment.verify(key, segment.tenant, segment.store);
        signed.map_err(|_| ProofError::Signature)?;
        let header = Header::of(&self.entry).map_err(ProofError::Entry)?;
        if (header.tenant, header.store) != (segment.tenant, segment.store) {
            let store = format!("{}/{}", header.tenant, header.store);
            return Err(ProofError::OtherStore { store });
        }
        let (epoch, seq) = (header.epoch, header.seq);
        if !segment.contains(epoch, seq) {
            return Err(ProofError::OutOfRange { epoch, seq });
        }
        let entry = Entry::read(self.entry.clone()).map_err(ProofError::Entry)?;
        let index = seq.0 - segment.first.0;
        match merkle::climb(&entry.hash, index, segment.sums.entries, &self.path) {
            Some(root) if root == segment.root => Ok(entry),
            _ => Err(ProofError::Path),
        }
    }

    /// Whether the proof fits itself. Proves nothing about who made it.
    pub fn check_with_own_key(&self) -> Result<Entry, ProofError> {
        let key = VerifyingKey::from_bytes(&self.key).map_err(|_| ProofError::NoKey)?;
        self.check(&key)
    }

    /// `BKRP`, format, key, segment, length and hashes of the path, entry.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&FORMAT.to_be_bytes());
        bytes.extend_from_slice(&self.key);
        bytes.extend_from_slice(&self.segment.to_bytes());
        bytes.push(u8::try_from(self.path.len()).unwrap_or(u8::MAX)); // Never more than 64.
        self.path.iter().for_each(|hash| bytes.extend_from_slice(&hash.0));
        bytes.extend_from_slice(&self.entry);
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Proof, ProofError> {
        const HEAD: usize = 4 + 2 + 32 + Segment::BYTES + 1;
        let form = |why| ProofError::Form { why };
        let (head, rest) = bytes.split_at_checked(HEAD).ok_or(form("it is too short"))?;
        let mut fields = Fields { rest: head };
        if fields.take::<4>() != MAGIC || u16::from_be_bytes(fields.take()) != FORMAT {
            return Err(form("it does not begin with BKRP and format 1"));
        }
        let key = fields.take();
        let segment = Segment::from_bytes(&fields.take::<{ Segment::BYTES }>()).map_err(ProofError::Segment)?;
        let [steps] = fields.take::<1>();
        let steps = usize::from(steps);
        let (hashes, entry) = rest.split_at_checked(steps * 32).ok_or(form("its path is cut short"))?;
        if steps > LONGEST_PATH || entry.len() > super::HEADER_LEN + LARGEST_PAYLOAD {
            return Err(form("it is longer than any"));
        }
        Ok(Proof {
            entry: entry.to_vec(),
            path: hashes.chunks_exact(32).filter_map(Hash::from_slice).collect(),
            segment,
            key,
        })
    }
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
