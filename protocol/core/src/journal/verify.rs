//! The verifier: reads a journal entry by entry, in bounded memory, and names the first place that does not hold and what is wrong
//! with it.
//!
//! Trusts nothing that stands beside the bytes: hashes, order and chain are computed again. When an entry does not hash to what was
//! stored with it, the entry after it is the witness that says which of the two was changed.

use std::collections::BTreeMap;

use crate::ids::{StoreId, TenantId};

use super::segment::{Builder, Segment, SegmentError};
use super::{ChainBreak, Entry, Epoch, Hash, Head, Header, JournalError, Seq};
use crate::facts::Fact;

/// One entry as a file, a table or an export holds it.
#[derive(Clone, Copy, Debug)]
pub struct Row<B> {
    pub epoch: Epoch,
    pub seq: Seq,
    /// The hash of the entry before, where it is kept beside the bytes.
    pub prev_hash: Option<Hash>,
    pub hash: Hash,
    pub bytes: B,
}

/// What is wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("its bytes can not be read: {0}")]
    Unreadable(JournalError),
    #[error("its bytes were changed: they hash to {computed}, but {stored} was stored with them and is named by the entry after it")]
    Bytes { stored: Hash, computed: Hash },
    #[error("the hash stored with it was changed: it says {stored}, but the bytes hash to {computed} and the entry after it names that")]
    StoredHash { stored: Hash, computed: Hash },
    #[error("its bytes hash to {computed}, but {stored} was stored with them")]
    Altered { stored: Hash, computed: Hash },
    #[error("its bytes were changed: as the hash before it they name {named}, which is not the hash of the entry before")]
    PrevInBytes { named: Hash },
    #[error("the hash of the entry before which was stored with it was changed: it says {stored}, its bytes name {named}")]
    StoredPrev { stored: Hash, named: Hash },
    #[error("it is stored here but holds entry {epoch}:{seq}")]
    Misplaced { epoch: Epoch, seq: Seq },
    #[error("it belongs to another store: {tenant}/{store}")]
    OtherStore { tenant: TenantId, store: StoreId },
    #[error("it does not follow: {expected} was to come, so entries are missing or doubled")]
    Order { expected: Seq },
    #[error("it names {named} as the hash before it, but that is {expected}: the chain is broken here")]
    Chain { named: Hash, expected: Hash },
}

/// The first place that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{epoch}:{seq} {flaw}")]
pub struct Broken {
    pub epoch: Epoch,
    pub seq: Seq,
    pub flaw: Flaw,
}

/// What a journal comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub entries: u64,
    pub bytes: u64,
    /// Where each epoch ends, in the order of their numbers.
    pub heads: BTreeMap<Epoch, Head>,
    /// Attested breaks that were found where they were attested, and how many entries are lost in them.
    pub breaks: u64,
    pub lost: u64,
}

/// Reads entry after entry; epochs may follow each other or lie interleaved.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    done: Verified,
    address: Option<(TenantId, StoreId)>,
    attested: Vec<ChainBreak>,
    suspect: Option<Suspect>,
}

/// An entry that does not hash to what was stored with it; the next one says which of the two is right.
#[derive(Clone, Copy, Debug)]
struct Suspect {
    epoch: Epoch,
    seq: Seq,
    stored: Hash,
    computed: Hash,
    /// The bytes name another hash as the one before than the entry before has.
    prev: Option<Hash>,
}

impl Verifier {
    /// From the first entry of every epoch on.
    pub fn new() -> Verifier {
        Verifier::default()
    }

    /// From the first entry of a segment on, without what went before. Its signature is a matter of its own.
    pub fn from_segment(segment: &Segment) -> Verifier {
        Verifier {
            address: Some((segment.tenant, segment.store)),
            ..Verifier::after(segment.before())
        }
    }

    /// From the entry on that follows `head`, which is known to be right from elsewhere.
    pub fn after(head: Head) -> Verifier {
        let mut verifier = Verifier::default();
        verifier.done.heads.insert(head.epoch, head);
        verifier
    }

    /// Breaks which a person attested; their signatures were checked. Exactly these gaps are passed over.
    pub fn attested(mut self, breaks: &[ChainBreak]) -> Verifier {
        self.attested.extend_from_slice(breaks);
        self
    }

    /// Looks at the next entry, and hands out what it holds; `None` while it waits for the entry after it as a witness, which can
    /// only end in an error. After an error nothing more is to be asked.
    pub fn push<B: AsRef<[u8]>>(&mut self, row: &Row<B>) -> Result<Option<(Header, Hash)>, Broken> {
        let bytes = row.bytes.as_ref();
        let header = Header::of(bytes);
        if let Some(suspect) = self.suspect.take() {
            return Err(suspect.judged(header.as_ref().ok()));
        }
        let (epoch, seq) = (row.epoch, row.seq);
        let broken = |flaw| Broken { epoch, seq, flaw };
        let header = header.map_err(|why| broken(Flaw::Unreadable(why)))?;
        let computed = Hash::of(bytes);
        let head = self.done.heads.get(&header.epoch).copied().unwrap_or(Head::start(header.epoch));
        if computed != row.hash {
            let right_place = (header.epoch, header.seq) == (epoch, seq) && head.seq.0.checked_add(1) == Some(seq.0);
            self.suspect = Some(Suspect {
                epoch,
                seq,
                stored: row.hash,
                computed,
                prev: (right_place && header.prev_hash != head.hash).then_some(header.prev_hash),
            });
            return Ok(None);
        }
        if (header.epoch, header.seq) != (epoch, seq) {
            let (epoch, seq) = (header.epoch, header.seq);
            return Err(broken(Flaw::Misplaced { epoch, seq }));
        }
        if let Some(stored) = row.prev_hash.filter(|stored| *stored != header.prev_hash) {
            let named = header.prev_hash;
            return Err(broken(Flaw::StoredPrev { stored, named }));
        }
        let address = (header.tenant, header.store);
        if *self.address.get_or_insert(address) != address {
            let (tenant, store) = address;
            return Err(broken(Flaw::OtherStore { tenant, store }));
        }
        self.follow(head, &header).map_err(broken)?;
        let hash = computed;
        self.done.heads.insert(epoch, Head { epoch, seq, hash });
        self.done.entries = self.done.entries.saturating_add(1);
        self.done.bytes = self.done.bytes.saturating_add(bytes.len() as u64);
        Ok(Some((header, hash)))
    }

    /// There are no more entries.
    pub fn finish(self) -> Result<Verified, Broken> {
        match self.suspect {
            Some(suspect) => Err(suspect.judged(None)),
            None => Ok(self.done),
        }
    }

    /// Where an epoch stands now.
    pub fn head(&self, epoch: Epoch) -> Option<Head> {
        self.done.heads.get(&epoch).copied()
    }

    fn follow(&mut self, head: Head, header: &Header) -> Result<(), Flaw> {
        let expected = Seq(head.seq.0.saturating_add(1));
        if header.seq != expected {
            let bridged = self.attested.iter().find(|gap| gap.bridges(&head, header.seq, header.prev_hash));
            let Some(lost) = bridged.and_then(ChainBreak::lost) else {
                return Err(Flaw::Order { expected });
            };
            self.done.breaks = self.done.breaks.saturating_add(1);
            self.done.lost = self.done.lost.saturating_add(lost);
            return Ok(());
        }
        if header.prev_hash != head.hash {
            return Err(Flaw::Chain {
                named: header.prev_hash,
                expected: head.hash,
            });
        }
        Ok(())
    }
}

impl Suspect {
    fn judged(self, next: Option<&Header>) -> Broken {
        let Suspect {
            epoch,
            seq,
            stored,
            computed,
            prev,
        } = self;
        let follows = |next: &&Header| next.epoch == epoch && seq.0.checked_add(1) == Some(next.seq.0);
        let witness = next.filter(follows).map(|next| next.prev_hash);
        let flaw = match (prev, witness) {
            (Some(named), _) => Flaw::PrevInBytes { named },
            (None, Some(named)) if named == stored => Flaw::Bytes { stored, computed },
            (None, Some(named)) if named == computed => Flaw::StoredHash { stored, computed },
            _ => Flaw::Altered { stored, computed },
        };
        Broken { epoch, seq, flaw }
    }
}

/// Verifies all rows. `Ok` when every one of them holds.
pub fn verify<B: AsRef<[u8]>>(rows: impl IntoIterator<Item = Row<B>>) -> Result<Verified, Broken> {
    let mut verifier = Verifier::new();
    for row in rows {
        verifier.push(&row)?;
    }
    verifier.finish()
}

/// Why a segment and its entries do not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotThisSegment {
    #[error(transparent)]
    Entry(#[from] Broken),
    #[error(transparent)]
    Segment(#[from] SegmentError),
}

/// Verifies the entries of one segment from its head alone: each entry, the chain, and that they are all of them and no other. `read`
/// says what a payload holds, `None` for what this version does not know.
pub fn verify_segment<B: AsRef<[u8]>>(
    segment: &Segment,
    rows: impl IntoIterator<Item = Row<B>>,
    read: impl Fn(&Entry) -> Option<Fact>,
) -> Result<Verified, NotThisSegment> {
    segment.sound()?;
    let mut verifier = Verifier::from_segment(segment);
    let mut built = Builder::after(segment.before());
    for row in rows {
        if let Some((header, hash)) = verifier.push(&row)? {
            let bytes = row.bytes.as_ref().to_vec();
            let entry = Entry { header, bytes, hash };
            built.push(&entry, read(&entry).as_ref())?;
        }
    }
    let verified = verifier.finish()?;
    segment.is_over(&built)?;
    Ok(verified)
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
