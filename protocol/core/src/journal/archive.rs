//! Which segments may leave the journal's file for a compressed one, and that none ever vanishes.
//!
//! A segment may be archived when head office holds it: when a watermark covers its last entry and names a hash of this very chain.
//! In version 1 nothing is ever deleted, whatever its retention class; an archived segment is known by the hash of its file.

use std::collections::BTreeMap;

use super::{Epoch, Hash, Segment, Seq};
use crate::directive::Watermark;

/// Why a segment must stay where it is, or why the shelf does not add up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotArchived {
    #[error("head office holds epoch {epoch} up to {held}, the segment ends at {last}; wait until it holds more")]
    NotHeld { epoch: Epoch, held: Seq, last: Seq },
    #[error("head office holds another chain than this one at {epoch}:{held}; a person must look before anything is archived")]
    OtherChain { epoch: Epoch, held: Seq },
    #[error("the mark is of another store or epoch than the segment")]
    OtherStore,
    #[error("segment {epoch}:{first} is not on the list; run the verifier")]
    Unknown { epoch: Epoch, first: Seq },
    #[error("segment {epoch}:{first} is archived in a file with another hash; keep both files and call for help")]
    OtherFile { epoch: Epoch, first: Seq },
    #[error("epoch {epoch} has no segment that holds {seq}: it vanished; restore the file it was archived in")]
    Vanished { epoch: Epoch, seq: Seq },
    #[error("segment {epoch}:{first} begins inside another one; run the verifier")]
    Overlap { epoch: Epoch, first: Seq },
}

impl NotArchived {
    pub fn code(&self) -> &'static str {
        match self {
            NotArchived::NotHeld { .. } => "not_held",
            NotArchived::OtherChain { .. } => "other_chain",
            NotArchived::OtherStore => "other_store",
            NotArchived::Unknown { .. } => "unknown_segment",
            NotArchived::OtherFile { .. } => "other_file",
            NotArchived::Vanished { .. } => "segment_vanished",
            NotArchived::Overlap { .. } => "segment_overlap",
        }
    }
}

/// All segments a box ever signed, and where their entries lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive(BTreeMap<(Epoch, Seq), Kept>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    segment: Segment,
    /// SHA-256 of the compressed file; none while the entries lie in the journal itself.
    file: Option<Hash>,
}

impl Archive {
    pub fn signed(&mut self, segment: Segment) {
        let at = (segment.epoch, segment.first);
        self.0.entry(at).or_insert(Kept { segment, file: None });
    }

    /// Where the entries of a segment lie.
    pub fn file(&self, epoch: Epoch, first: Seq) -> Option<Hash> {
        self.0.get(&(epoch, first))?.file
    }

    /// Whether a segment may be archived now. `ours`: the hash our own journal has where the mark says `held`.
    pub fn may_archive(segment: &Segment, mark: &Watermark, ours: Option<Hash>) -> Result<(), NotArchived> {
        let same_store = (mark.address.tenant, mark.address.store) == (segment.tenant, segment.store);
        if !same_store || mark.epoch != segment.epoch {
            return Err(NotArchived::OtherStore);
        }
        let (epoch, held, last) = (segment.epoch, mark.held, segment.last);
        if held < last {
            return Err(NotArchived::NotHeld { epoch, held, last });
        }
        if ours != Some(mark.hash) || (held == last && mark.hash != segment.hash) {
            return Err(NotArchived::OtherChain { epoch, held });
        }
        Ok(())
    }

    /// The entries now lie in a file as well, which was read back and verified. Saying it again changes nothing.
    pub fn archived(&mut self, epoch: Epoch, first: Seq, mark: &Watermark, ours: Option<Hash>, file: Hash) -> Result<(), NotArchived> {
        let kept = self.0.get_mut(&(epoch, first)).ok_or(NotArchived::Unknown { epoch, first })?;
        match kept.file {
            Some(before) if before == file => Ok(()),
            Some(_) => Err(NotArchived::OtherFile { epoch, first }),
            None => {
                Archive::may_archive(&kept.segment, mark, ours)?;
                kept.file = Some(file);
                Ok(())
            }
        }
    }

    /// Whether the segments cover every epoch from its first entry on without a hole. Says how far each goes.
    pub fn whole(&self) -> Result<BTreeMap<Epoch, Seq>, NotArchived> {
        let mut reach: BTreeMap<Epoch, Seq> = BTreeMap::new();
        for ((epoch, first), kept) in &self.0 {
            let end = reach.entry(*epoch).or_default();
            let next = Seq(end.0.saturating_add(1));
            if *first > next {
                return Err(NotArchived::Vanished { epoch: *epoch, seq: next });
            }
            if *first < next {
                return Err(NotArchived::Overlap {
                    epoch: *epoch,
                    first: *first,
                });
            }
            *end = kept.segment.last;
        }
        Ok(reach)
    }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
