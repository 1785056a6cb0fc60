//! Facts about customers: what the shop's rules need of them, by code. Nothing here says who they are.

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::customers::Terms;
use crate::ids::CustomerId;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum CustomersFact {
    CustomerChanged(CustomerChanged),
}

impl CustomersFact {
    pub fn kind(&self) -> Kind {
        match self {
            CustomersFact::CustomerChanged(_) => Kind::CustomerChanged,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerChanged {
    pub customer: CustomerId,
    #[serde(flatten)]
    pub now: CustomerNow,
}

/// How the customer stands from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "now", rename_all = "snake_case")]
pub enum CustomerNow {
    /// All terms, not only those that changed.
    Kept(Terms),
    /// The record of the person is gone. The code stays in old entries and means nobody.
    Erased,
    /// Two codes were one person; this one is not used any more.
    Merged { into: CustomerId },
}
