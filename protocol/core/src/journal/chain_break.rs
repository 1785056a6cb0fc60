//! A break of a chain that nobody can mend, attested: entries are lost for ever, a person says so, and both ends of the gap are named.
//!
//! An attested break is no hole: whoever verifies finds exactly the named ends on both sides, or the break is not this one. What is
//! not attested stays a gap that head office asks for.

use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::directive::{Address, Forged, Signed};
use crate::ids::StaffId;
use crate::time::Instant;

use super::{Epoch, Hash, Head, Seal, Seq};

/// Why entries are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakCause {
    /// The disk can not be read there any more.
    Disk,
    /// The box is gone, with what it had not handed on.
    BoxLost,
    /// A file was cut short or changed by somebody.
    Tampering,
}

/// Both ends of a gap, and who looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainBreak {
    pub epoch: Epoch,
    /// The last entry that stands before the gap; 0 with a zero hash when the epoch's beginning is lost.
    pub before: Seq,
    pub before_hash: Hash,
    /// The first entry that stands after the gap, and the hash it names as the one before it.
    pub after: Seq,
    pub named_hash: Hash,
    pub cause: BreakCause,
    pub by: StaffId,
    pub at: Instant,
    /// The store's Ed25519 signature over all of this.
    pub signature: Seal,
}

impl ChainBreak {
    /// With the store's signature in place of whatever stands there.
    pub fn signed(self, key: &SigningKey, address: Address) -> ChainBreak {
        let signature = Seal(Of(&self, address).sign(key));
        ChainBreak { signature, ..self }
    }

    pub fn check(&self, key: &VerifyingKey, address: Address) -> Result<(), Forged> {
        Of(self, address).check(&self.signature.0, key)
    }

    /// How many entries are lost. `None` if the ends are no ends of a gap.
    pub fn lost(&self) -> Option<u64> {
        let lost = self.after.0.checked_sub(self.before.0)?.checked_sub(1)?;
        let begins = (self.before == Seq(0)) == (self.before_hash == Hash::ZERO);
        (lost > 0 && begins && self.named_hash != Hash::ZERO).then_some(lost)
    }

    /// Whether a chain that stands at `head` goes on behind the gap with the entry at `seq` that names `named`.
    pub fn bridges(&self, head: &Head, seq: Seq, named: Hash) -> bool {
        let from_here = (self.epoch, self.before, self.before_hash) == (head.epoch, head.seq, head.hash);
        from_here && (self.after, self.named_hash) == (seq, named) && self.lost().is_some()
    }
}

/// A break of one store's chain; the fact itself does not repeat what the header of its entry says.
struct Of<'a>(&'a ChainBreak, Address);

impl Signed for Of<'_> {
    const WHAT: &'static str = "chain break";

    fn signed_bytes(&self) -> Vec<u8> {
        let Of(gap, address) = self;
        let mut bytes = address.start(Self::WHAT);
        bytes.extend_from_slice(&gap.epoch.0.to_be_bytes());
        bytes.extend_from_slice(&gap.before.0.to_be_bytes());
        bytes.extend_from_slice(&gap.before_hash.0);
        bytes.extend_from_slice(&gap.after.0.to_be_bytes());
        bytes.extend_from_slice(&gap.named_hash.0);
        bytes.push(match gap.cause {
            BreakCause::Disk => 1,
            BreakCause::BoxLost => 2,
            BreakCause::Tampering => 3,
        });
        bytes.extend_from_slice(&gap.by.to_bytes());
        bytes.extend_from_slice(&gap.at.as_micros().to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap() -> ChainBreak {
        ChainBreak {
            epoch: Epoch(1),
            before: Seq(4),
            before_hash: Hash([4; 32]),
            after: Seq(8),
            named_hash: Hash([7; 32]),
            cause: BreakCause::Disk,
            by: "s101".parse().unwrap(),
            at: Instant::EPOCH,
            signature: Seal([0; 64]),
        }
    }

    #[test]
    fn an_attested_break_names_its_store_its_ends_and_who_looked() {
        let key = SigningKey::from_bytes(&[5; 32]);
        let address = Address {
            tenant: "thread".parse().unwrap(),
            store: "berlin".parse().unwrap(),
        };
        let signed = gap().signed(&key, address);
        signed.check(&key.verifying_key(), address).unwrap();
        let elsewhere = Address {
            store: "munich".parse().unwrap(),
            ..address
        };
        assert!(signed.check(&key.verifying_key(), elsewhere).is_err());
        for other in [
            ChainBreak { epoch: Epoch(2), ..signed },
            ChainBreak { before: Seq(3), ..signed },
            ChainBreak {
                before_hash: Hash([5; 32]),
                ..signed
            },
            ChainBreak { after: Seq(9), ..signed },
            ChainBreak {
                named_hash: Hash([5; 32]),
                ..signed
            },
            ChainBreak {
                cause: BreakCause::BoxLost,
                ..signed
            },
            ChainBreak {
                by: "s102".parse().unwrap(),
                ..signed
            },
            ChainBreak {
                at: Instant::from_micros(1).unwrap(),
                ..signed
            },
        ] {
            assert!(other.check(&key.verifying_key(), address).is_err(), "{other:?}");
        }
    }

    #[test]
    fn only_the_named_ends_bridge_a_gap() {
        let head = Head {
            epoch: Epoch(1),
            seq: Seq(4),
            hash: Hash([4; 32]),
        };
        assert_eq!(gap().lost(), Some(3));
        assert!(gap().bridges(&head, Seq(8), Hash([7; 32])));
        assert!(!gap().bridges(&head, Seq(9), Hash([7; 32])));
        assert!(!gap().bridges(&head, Seq(8), Hash([8; 32])));
        assert!(!gap().bridges(&Head { seq: Seq(3), ..head }, Seq(8), Hash([7; 32])));
        assert_eq!(ChainBreak { after: Seq(5), ..gap() }.lost(), None, "nothing is missing there");
        assert_eq!(ChainBreak { after: Seq(1), ..gap() }.lost(), None);
    }
}
