//! Facts about the journal itself: an epoch that was superseded, a second chain and its end, entries that are lost for ever.

use serde::{Deserialize, Serialize};

use crate::ids::StaffId;
use crate::journal::{ChainBreak, Epoch, Hash, Seq};

use super::{Fact, Kind};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum ChainFact {
    EpochSuperseded(EpochSuperseded),
    BranchRecorded(BranchRecorded),
    BranchClosed(BranchClosed),
    ChainBroken(ChainBreak),
}

/// Head office holds a newer epoch of this store: another box took over. What this box still writes counts in money and stock, but it
/// has lost its rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochSuperseded {
    pub epoch: Epoch,
    pub by: Epoch,
}

/// A second chain of one epoch, named by the first entry which it does not share with the main one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BranchName {
    pub epoch: Epoch,
    pub first: Seq,
    pub hash: Hash,
}

/// A second chain is known and waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchRecorded {
    pub branch: BranchName,
    /// How far it goes as yet.
    pub tip: Seq,
    pub tip_hash: Hash,
}

/// A person has looked at a second chain up to `tip`. Its entries go on counting; only the flag is gone. Never written to that chain
/// itself, which would grow by it: a box that writes it opens a new epoch first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchClosed {
    pub branch: BranchName,
    pub tip: Seq,
    pub by: StaffId,
}

impl ChainFact {
    pub fn kind(&self) -> Kind {
        match self {
            ChainFact::EpochSuperseded(_) => Kind::EpochSuperseded,
            ChainFact::BranchRecorded(_) => Kind::BranchRecorded,
            ChainFact::BranchClosed(_) => Kind::BranchClosed,
            ChainFact::ChainBroken(_) => Kind::ChainBroken,
        }
    }
}

impl From<ChainFact> for Fact {
    fn from(fact: ChainFact) -> Fact {
        Fact::Chain(fact)
    }
}
