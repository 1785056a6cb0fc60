//! Facts about registers that sold while they had lost the box: what they may do, and their log when it was handed over.
//!
//! The sales themselves are ordinary closed tickets under their own command ids.

use serde::{Deserialize, Serialize};

use crate::ids::{CommandId, RegisterId};
use crate::journal::Hash;
use crate::money::Money;
use crate::time::Instant;

use super::{Fact, Kind};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum EscrowFact {
    EscrowGranted(EscrowGranted),
    EscrowTaken(EscrowTaken),
    EscrowRefused(EscrowRefused),
}

/// A register may sell for cash while it has lost the box, within these limits and in a receipt series of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscrowGranted {
    pub grant: CommandId,
    pub register: RegisterId,
    pub series: u32,
    /// At most so many sales, so much money in all and in one sale, until then.
    pub sales: u32,
    pub total: Money,
    pub largest: Money,
    pub until: Instant,
}

/// A log was handed over and merged. A grant ends with this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscrowTaken {
    pub grant: CommandId,
    pub register: RegisterId,
    /// The hash that the register's log ends in.
    pub log: Hash,
    pub sales: u32,
    pub total: Money,
    /// Sales that this box had not; the others were here already under the same command id.
    pub merged: u32,
}

/// A log was not taken. It stays on the register until a person has looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscrowRefused {
    pub grant: CommandId,
    pub register: RegisterId,
    pub log: Hash,
    /// The code of the refusal.
    pub why: String,
}

impl EscrowFact {
    pub fn kind(&self) -> Kind {
        match self {
            EscrowFact::EscrowGranted(_) => Kind::EscrowGranted,
            EscrowFact::EscrowTaken(_) => Kind::EscrowTaken,
            EscrowFact::EscrowRefused(_) => Kind::EscrowRefused,
        }
    }
}

impl From<EscrowFact> for Fact {
    fn from(fact: EscrowFact) -> Fact {
        Fact::Escrow(fact)
    }
}
