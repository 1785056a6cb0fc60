//! Where a chain stands, and whether an entry is the one that follows.

use super::{Entry, Epoch, Hash, JournalError, Seq};

/// Where a chain stands: the last entry that was seen, or the start of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub epoch: Epoch,
    pub seq: Seq,
    pub hash: Hash,
}

impl Head {
    pub fn start(epoch: Epoch) -> Head {
        Head {
            epoch,
            seq: Seq(0),
            hash: Hash::ZERO,
        }
    }

    /// Checks that `entry` is the one that follows, and moves on to it.
    pub fn follow(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let (epoch, seq) = entry.position();
        let expected_seq = Seq(self.seq.0 + 1);
        if (epoch, seq) != (self.epoch, expected_seq) {
            return Err(JournalError::Order {
                epoch,
                seq,
                expected_epoch: self.epoch,
                expected_seq,
            });
        }
        if entry.header.prev_hash != self.hash {
            return Err(JournalError::Chain {
                epoch,
                seq,
                found: entry.header.prev_hash,
                expected: self.hash,
            });
        }
        *self = Head {
            epoch,
            seq,
            hash: entry.hash,
        };
        Ok(())
    }
}
