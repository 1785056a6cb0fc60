//! What store and head office say to each other and sign: batches up; watermarks, resend requests and directives down.
//!
//! Owns which bytes are signed and how a signature is checked. How the messages are framed is `protocol`'s matter.

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalog::PriceChange;
use crate::ids::{StoreId, TenantId};
use crate::journal::{Epoch, Hash, Seq};

/// A message was not signed by the one it claims to come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature of this {what} does not belong to its sender; it was dropped")]
pub struct Forged {
    pub what: &'static str,
}

/// A thing both sides can sign: says exactly which bytes count.
pub trait Signed {
    const WHAT: &'static str;
    fn signed_bytes(&self) -> Vec<u8>;

    fn sign(&self, key: &SigningKey) -> [u8; 64] {
        key.sign(&self.signed_bytes()).to_bytes()
    }

    fn check(&self, signature: &[u8], key: &VerifyingKey) -> Result<(), Forged> {
        let forged = Forged { what: Self::WHAT };
        let signature = Signature::from_slice(signature).map_err(|_| forged)?;
        key.verify(&self.signed_bytes(), &signature).map_err(|_| forged)
    }
}

/// Where a message comes from or goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    pub tenant: TenantId,
    pub store: StoreId,
}

impl Address {
    pub(crate) fn start(&self, what: &str) -> Vec<u8> {
        let mut bytes = format!("backroom {what} v1\0").into_bytes();
        bytes.extend_from_slice(&self.tenant.to_bytes());
        bytes.extend_from_slice(&self.store.to_bytes());
        bytes
    }
}

/// A run of entries on its way up. The entries themselves are chained, so signing the last hash signs them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHead {
    pub address: Address,
    pub epoch: Epoch,
    pub first: Seq,
    pub last: Seq,
    /// How often head office has asked again: the transport's dedup must never swallow a resend.
    pub round: u64,
    pub last_hash: Hash,
}

impl Signed for BatchHead {
    const WHAT: &'static str = "batch";

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = self.address.start(Self::WHAT);
        bytes.extend_from_slice(&self.epoch.0.to_be_bytes());
        bytes.extend_from_slice(&self.first.0.to_be_bytes());
        bytes.extend_from_slice(&self.last.0.to_be_bytes());
        bytes.extend_from_slice(&self.last_hash.0);
        bytes
    }
}

/// Head office's receipt: it holds everything of this epoch up to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermark {
    pub address: Address,
    /// New whenever head office's database is; a restored one may hold less than its predecessor said.
    pub incarnation: Uuid,
    /// Rises with each watermark of an incarnation.
    pub counter: u64,
    pub epoch: Epoch,
    pub held: Seq,
    pub applied: Seq,
    /// The chain hash at `held`.
    pub hash: Hash,
}

impl Signed for Watermark {
    const WHAT: &'static str = "watermark";

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = self.address.start(Self::WHAT);
        bytes.extend_from_slice(self.incarnation.as_bytes());
        bytes.extend_from_slice(&self.counter.to_be_bytes());
        bytes.extend_from_slice(&self.epoch.0.to_be_bytes());
        bytes.extend_from_slice(&self.held.0.to_be_bytes());
        bytes.extend_from_slice(&self.applied.0.to_be_bytes());
        bytes.extend_from_slice(&self.hash.0);
        bytes
    }
}

/// Head office lacks these entries and asks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resend {
    pub address: Address,
    pub epoch: Epoch,
    pub first: Seq,
    pub last: Seq,
    pub round: u64,
}

impl Signed for Resend {
    const WHAT: &'static str = "resend request";

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = self.address.start(Self::WHAT);
        bytes.extend_from_slice(&self.epoch.0.to_be_bytes());
        bytes.extend_from_slice(&self.first.0.to_be_bytes());
        bytes.extend_from_slice(&self.last.0.to_be_bytes());
        bytes.extend_from_slice(&self.round.to_be_bytes());
        bytes
    }
}

/// What a directive asks of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    Price(PriceChange),
}

/// An order of head office to one store. Numbered per store, so that each is followed once and in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    pub address: Address,
    pub number: u64,
    pub order: Order,
}

impl Signed for Directive {
    const WHAT: &'static str = "directive";

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = self.address.start(Self::WHAT);
        bytes.extend_from_slice(&self.number.to_be_bytes());
        match &self.order {
            Order::Price(change) => {
                bytes.push(1);
                bytes.push(change.sku.as_str().len() as u8);
                bytes.extend_from_slice(change.sku.as_str().as_bytes());
                bytes.extend_from_slice(&change.price.0.to_be_bytes());
                bytes.extend_from_slice(change.currency.code().as_bytes());
                bytes.extend_from_slice(&change.effective_at.as_micros().to_be_bytes());
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watermark_for_another_store_or_with_other_figures_is_forged() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let address = Address {
            tenant: "thread".parse().unwrap(),
            store: "berlin".parse().unwrap(),
        };
        let mark = Watermark {
            address,
            incarnation: Uuid::from_u128(1),
            counter: 4,
            epoch: Epoch(1),
            held: Seq(10),
            applied: Seq(9),
            hash: Hash([3; 32]),
        };
        let signature = mark.sign(&key);
        mark.check(&signature, &key.verifying_key()).unwrap();
        let other_store = Watermark {
            address: Address {
                store: "munich".parse().unwrap(),
                ..address
            },
            ..mark
        };
        assert_eq!(
            other_store.check(&signature, &key.verifying_key()),
            Err(Forged { what: "watermark" })
        );
        assert!(Watermark { held: Seq(11), ..mark }.check(&signature, &key.verifying_key()).is_err());
        assert!(mark.check(&signature[..63], &key.verifying_key()).is_err());
    }
}
