//! A signature device that can be checked by anybody: counter and SHA-256 over the signature before, per series.
//!
//! Like real devices it signs whatever it is asked to, as often as it is asked. Not asking twice is the desk's work.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Record, Series};
use crate::journal::Hash;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulator {
    records: BTreeMap<Series, Vec<Record>>,
}

impl Simulator {
    pub fn sign(&mut self, series: Series, digest: Hash) -> Record {
        let chain = self.records.entry(series).or_default();
        let record = next(chain.last(), series, digest);
        chain.push(record);
        record
    }

    /// Everything it signed in a series above a counter: how a box learns what happened while it was away.
    pub fn above(&self, series: Series, counter: u64) -> Vec<Record> {
        let chain = self.records.get(&series).map_or(&[][..], Vec::as_slice);
        chain.iter().filter(|record| record.counter > counter).copied().collect()
    }

    pub fn all(&self) -> impl Iterator<Item = &Record> {
        self.records.values().flatten()
    }
}

fn next(last: Option<&Record>, series: Series, digest: Hash) -> Record {
    let (counter, before) = last.map_or((1, Hash::default()), |last| (last.counter.saturating_add(1), last.signature));
    Record {
        series,
        counter,
        digest,
        signature: signature(series, counter, before, digest),
    }
}

fn signature(series: Series, counter: u64, before: Hash, digest: Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"backroom fiscal simulator 1");
    hash.update([series as u8]);
    hash.update(counter.to_be_bytes());
    hash.update(before.0);
    hash.update(digest.0);
    Hash(hash.finalize().into())
}

/// Where a series of signatures is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signature {counter} does not follow from the one before; somebody changed the records")]
pub struct ChainError {
    pub counter: u64,
}

/// Recomputes one series from its first signature on.
pub fn verify(records: &[Record]) -> Result<(), ChainError> {
    let mut last = None;
    for record in records {
        if *record != next(last, record.series, record.digest) || last.is_some_and(|last: &Record| last.series != record.series) {
            return Err(ChainError { counter: record.counter });
        }
        last = Some(record);
    }
    Ok(())
}
