//! Facts about the country's signature device: what it was asked to sign, and how that ended.

use serde::{Deserialize, Serialize};

use crate::fiscal::{FiscalDocument, FiscalEnd, Profile, Series};
use crate::ids::CommandId;
use crate::journal::Hash;
use crate::time::Instant;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum FiscalFact {
    FiscalWanted(FiscalWanted),
    FiscalEnded(FiscalEnded),
}

/// A document is to be signed; written together with the document, before the device is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiscalWanted {
    /// The name of this wish.
    pub wish: CommandId,
    pub document: FiscalDocument,
    pub profile: Profile,
    pub series: Series,
    /// SHA-256 of what is signed.
    pub digest: Hash,
    /// A signature of this document has a counter above this one.
    pub above: u64,
    pub deadline: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiscalEnded {
    pub wish: CommandId,
    #[serde(flatten)]
    pub end: FiscalEnd,
}
