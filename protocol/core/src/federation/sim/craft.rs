//! How entries get their hashes and messages their signatures. The schedule does not care, so most of them run with cheap stand-ins
//! and a sample with the real thing.

use crate::journal::{Epoch, Hash, Seq};

use super::chance::mix;
use super::slip::Slip;
use super::wire::What;

/// Who has signed a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    Store,
    Office,
    /// Somebody who has neither key.
    Forger,
}

/// A message between the one who signs and the one who checks.
#[derive(Debug, Clone)]
pub struct Letter {
    pub shop: usize,
    pub hand: Hand,
    pub what: What,
    /// The sender is of version N and adds fields which N-1 has never heard of.
    pub tomorrow: bool,
}

pub trait Craft {
    /// The hash of an entry: depends on all before it and is never zero.
    fn hash(&self, shop: usize, epoch: Epoch, seq: Seq, before: &Hash, slip: &Slip) -> Hash;

    /// What the receiver reads and believes; `None` if it was not signed by whom it should be. Called where a message is received.
    fn carry(&self, letter: Letter) -> Option<What>;
}

/// Stand-ins for SHA-256 and Ed25519: good against accidents, not against people.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Craft for Plain {
    fn hash(&self, shop: usize, epoch: Epoch, seq: Seq, before: &Hash, slip: &Slip) -> Hash {
        let mut seed = mix(slip.digest() ^ shop as u64) ^ mix(u64::from(epoch.0) << 40 ^ seq.0);
        for word in before.0.chunks(8) {
            seed = mix(word.iter().fold(seed, |sum, byte| sum.rotate_left(8) ^ u64::from(*byte)));
        }
        let mut bytes = [1; 32];
        for (at, word) in bytes.chunks_mut(8).enumerate() {
            word.copy_from_slice(&mix(seed.wrapping_add(at as u64 + 1)).to_be_bytes());
        }
        Hash(bytes)
    }

    fn carry(&self, letter: Letter) -> Option<What> {
        let key = |hand: Hand| match hand {
            Hand::Store => mix(letter.shop as u64 + 1),
            Hand::Office => mix(100),
            Hand::Forger => mix(200),
        };
        let signed = letter.what.digest();
        let signature = mix(signed ^ key(letter.hand));
        (signature == mix(signed ^ key(letter.what.signer()))).then_some(letter.what)
    }
}
