//! Epochs and branches of one store: which epoch may be opened, what a superseded box still may, and second chains until a person
//! has looked at each.
//!
//! An epoch is one life of a box. Fencing takes rights away, never facts: what a superseded epoch or a second chain holds counts.

use std::collections::BTreeMap;

use crate::facts::chain::{BranchClosed, BranchName, BranchRecorded, ChainFact, EpochSuperseded};
use crate::facts::{EpochEnd, EpochReason, Fact};
use crate::ids::StaffId;

use super::{ChainBreak, Epoch, Hash, Head, Header, Seq};

/// Why an epoch or a branch can not be opened, recorded or closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this box has a journal already; a new store begins on an empty folder")]
    NotNew,
    #[error("this box has no journal; set it up as a new store, or put a backup back")]
    NothingToFollow,
    #[error("no epoch comes after {epoch}; call for help")]
    LastEpoch { epoch: Epoch },
    #[error("epoch {epoch} is not superseded by {by}; only a newer one takes over")]
    NotNewer { epoch: Epoch, by: Epoch },
    #[error("epoch {epoch} is known to be superseded already")]
    KnownSuperseded { epoch: Epoch },
    #[error("the branch at {epoch}:{first} does not end after it begins")]
    Tip { epoch: Epoch, first: Seq },
    #[error("the branch at {epoch}:{first} is recorded up to {tip} already")]
    KnownBranch { epoch: Epoch, first: Seq, tip: Seq },
    #[error("no branch begins at {epoch}:{first}; look at the list of open branches")]
    NoSuchBranch { epoch: Epoch, first: Seq },
    #[error("the branch at {epoch}:{first} has grown to {tip}; look at the new entries, then close it")]
    Grown { epoch: Epoch, first: Seq, tip: Seq },
    #[error("the branch at {epoch}:{first} was closed by {by} already")]
    Closed { epoch: Epoch, first: Seq, by: StaffId },
    #[error("entries {epoch}:{before} and {after} are no two ends of a gap")]
    NoGap { epoch: Epoch, before: Seq, after: Seq },
    #[error("the break after {epoch}:{before} is attested already")]
    KnownBreak { epoch: Epoch, before: Seq },
}

impl Refusal {
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::NotNew => "not_new",
            Refusal::NothingToFollow => "nothing_to_follow",
            Refusal::LastEpoch { .. } => "last_epoch",
            Refusal::NotNewer { .. } => "not_newer",
            Refusal::KnownSuperseded { .. } => "known_superseded",
            Refusal::Tip { .. } => "branch_tip",
            Refusal::KnownBranch { .. } => "known_branch",
            Refusal::NoSuchBranch { .. } => "no_such_branch",
            Refusal::Grown { .. } => "branch_grown",
            Refusal::Closed { .. } => "branch_closed",
            Refusal::NoGap { .. } => "no_gap",
            Refusal::KnownBreak { .. } => "known_break",
        }
    }
}

/// What a box may do that only one box of a store may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Leases, directives and new numbers are its own.
    Current,
    /// It sells on and its facts count, but it has no leases, follows no directives and grants nothing.
    Superseded { by: Epoch },
}

/// A second chain, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    pub tip: Seq,
    pub tip_hash: Hash,
    /// Up to where a person has looked, and who.
    pub closed: Option<(Seq, StaffId)>,
}

impl Branch {
    /// Nobody has looked at all of it yet.
    pub fn is_open(&self) -> bool {
        self.closed.is_none_or(|(tip, _)| tip < self.tip)
    }
}

/// The lives of a store, as its journal tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Epochs {
    /// The last entry of each.
    heads: BTreeMap<Epoch, (Seq, Option<EpochEnd>)>,
    superseded: Option<EpochSuperseded>,
    branches: BTreeMap<BranchName, Branch>,
    breaks: Vec<ChainBreak>,
}

impl Epochs {
    /// The epoch that may be opened, and the end of the one before that its first entry must name. `seen`: the newest epoch anybody
    /// told of. `head`: where this box's journal ends.
    pub fn open(&self, reason: EpochReason, head: Option<Head>, seen: Epoch) -> Result<(Epoch, Option<EpochEnd>), Refusal> {
        let previous = head.map(|head| EpochEnd {
            epoch: head.epoch,
            seq: head.seq,
            hash: head.hash,
        });
        match (reason, previous) {
            (EpochReason::NewStore, Some(_)) => return Err(Refusal::NotNew),
            (EpochReason::Rollback | EpochReason::Restored, None) => return Err(Refusal::NothingToFollow),
            (EpochReason::NewStore, None) if seen > Epoch(0) => return Err(Refusal::NotNew),
            _ => {}
        }
        let known = self.heads.keys().next_back().copied().unwrap_or_default();
        let newest = known.max(seen).max(previous.map_or(Epoch(0), |end| end.epoch));
        let next = newest.0.checked_add(1).ok_or(Refusal::LastEpoch { epoch: newest })?;
        Ok((Epoch(next), previous))
    }

    pub fn standing(&self) -> Standing {
        let newest = self.heads.keys().next_back().copied().unwrap_or_default();
        match self.superseded {
            Some(told) if told.by > newest => Standing::Superseded { by: told.by },
            _ => Standing::Current,
        }
    }

    /// Head office told of a newer epoch than any of ours.
    pub fn superseded(&self, by: Epoch) -> Result<ChainFact, Refusal> {
        let epoch = self.heads.keys().next_back().copied().unwrap_or_default();
        if by <= epoch {
            return Err(Refusal::NotNewer { epoch, by });
        }
        if self.superseded.is_some_and(|told| told.by >= by) {
            return Err(Refusal::KnownSuperseded { epoch });
        }
        Ok(ChainFact::EpochSuperseded(EpochSuperseded { epoch, by }))
    }

    /// A second chain was found, or has grown since.
    pub fn record(&self, branch: BranchName, tip: Seq, tip_hash: Hash) -> Result<ChainFact, Refusal> {
        let (epoch, first) = (branch.epoch, branch.first);
        if first == Seq(0) || tip < first {
            return Err(Refusal::Tip { epoch, first });
        }
        match self.branches.get(&branch) {
            Some(known) if known.tip >= tip => Err(Refusal::KnownBranch {
                epoch,
                first,
                tip: known.tip,
            }),
            _ => Ok(ChainFact::BranchRecorded(BranchRecorded { branch, tip, tip_hash })),
        }
    }

    /// A person has looked at a second chain, up to the tip he was shown.
    pub fn close(&self, branch: BranchName, tip: Seq, by: StaffId) -> Result<ChainFact, Refusal> {
        let (epoch, first) = (branch.epoch, branch.first);
        let known = self.branches.get(&branch).ok_or(Refusal::NoSuchBranch { epoch, first })?;
        if known.tip != tip {
            return Err(Refusal::Grown {
                epoch,
                first,
                tip: known.tip,
            });
        }
        match known.closed {
            Some((closed, by)) if closed >= tip => Err(Refusal::Closed { epoch, first, by }),
            _ => Ok(ChainFact::BranchClosed(BranchClosed { branch, tip, by })),
        }
    }

    /// A person says that entries are lost for ever. The break is signed already.
    pub fn attest(&self, gap: ChainBreak) -> Result<ChainFact, Refusal> {
        let (epoch, before, after) = (gap.epoch, gap.before, gap.after);
        if gap.lost().is_none() {
            return Err(Refusal::NoGap { epoch, before, after });
        }
        let same =
            |known: &ChainBreak| (known.epoch, known.before, known.after, known.named_hash) == (epoch, before, after, gap.named_hash);
        if self.breaks.iter().any(same) {
            return Err(Refusal::KnownBreak { epoch, before });
        }
        Ok(ChainFact::ChainBroken(gap))
    }

    /// Branches that wait for a person.
    pub fn open_branches(&self) -> impl Iterator<Item = (&BranchName, &Branch)> {
        self.branches.iter().filter(|(_, branch)| branch.is_open())
    }

    pub fn breaks(&self) -> &[ChainBreak] {
        &self.breaks
    }

    /// Epochs by number, with their last entry and the end of the one before as their first entry names it.
    pub fn epochs(&self) -> impl Iterator<Item = (Epoch, Seq, Option<EpochEnd>)> {
        self.heads.iter().map(|(epoch, (seq, before))| (*epoch, *seq, *before))
    }

    pub fn apply(&mut self, header: &Header, fact: Option<&Fact>) {
        let life = self.heads.entry(header.epoch).or_default();
        life.0 = life.0.max(header.seq);
        match fact {
            Some(Fact::EpochOpened(opened)) => life.1 = opened.previous,
            Some(Fact::Chain(ChainFact::EpochSuperseded(told))) => self.superseded = Some(*told),
            Some(Fact::Chain(ChainFact::BranchRecorded(recorded))) => {
                let fresh = Branch {
                    tip: recorded.tip,
                    tip_hash: recorded.tip_hash,
                    closed: None,
                };
                let branch = self.branches.entry(recorded.branch).or_insert(fresh);
                (branch.tip, branch.tip_hash) = (recorded.tip, recorded.tip_hash);
            }
            Some(Fact::Chain(ChainFact::BranchClosed(closed))) => {
                if let Some(branch) = self.branches.get_mut(&closed.branch) {
                    branch.closed = Some((closed.tip, closed.by));
                }
            }
            Some(Fact::Chain(ChainFact::ChainBroken(gap))) => self.breaks.push(*gap),
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "epochs_tests.rs"]
mod tests;
