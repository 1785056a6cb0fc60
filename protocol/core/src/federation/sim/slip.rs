//! What the simulated entries hold: small enough for millions of them, rich enough that a fold can be wrong.

use crate::journal::{Epoch, Hash, Seq};

use super::chance::mix;

/// Items that are moved.
pub const ITEMS: usize = 4;

/// Two versions of the programs: N-1 and N.
pub type Version = u8;
pub const OLD: Version = 0;
pub const NEW: Version = 1;

/// One fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// The first of an epoch.
    Opened,
    Moved {
        item: u8,
        by: i16,
    },
    Paid {
        amount: i32,
    },
    /// A kind that version N has brought; N-1 carries it and leaves it alone.
    Lent {
        amount: i32,
    },
    /// A kind both know, in a form that only N can read: at N-1 it waits in quarantine.
    Smudged {
        item: u8,
        by: i16,
    },
    /// A person attests that what lies before `after` is lost.
    Broken {
        epoch: Epoch,
        after: Seq,
        named: Hash,
    },
    /// A person has looked at a second chain up to this entry.
    BranchClosed {
        epoch: Epoch,
        tip: Seq,
        hash: Hash,
    },
}

/// A projection at head office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projection {
    Goods,
    Money,
}

impl Projection {
    pub const ALL: [Projection; 2] = [Projection::Goods, Projection::Money];
}

/// What reading an entry comes to for a projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It is no business of this projection.
    NotMine,
    /// A kind of a newer version: carried, and taken in after an update.
    Carried,
    /// It is mine and can not be read: stop here.
    Unreadable,
    Mine,
}

impl Slip {
    /// The number in an entry's header.
    pub fn kind(&self) -> u16 {
        match self {
            Slip::Opened => 1,
            Slip::Moved { .. } | Slip::Smudged { .. } => 3,
            Slip::Paid { .. } => 8,
            Slip::Lent { .. } => 60_000,
            Slip::Broken { .. } => 93,
            Slip::BranchClosed { .. } => 92,
        }
    }

    pub fn read(&self, projection: Projection, version: Version) -> Reading {
        match (self, projection) {
            (Slip::Moved { .. }, Projection::Goods) | (Slip::Paid { .. }, Projection::Money) => Reading::Mine,
            (Slip::Lent { .. }, Projection::Money) if version < NEW => Reading::Carried,
            (Slip::Smudged { .. }, Projection::Goods) if version < NEW => Reading::Unreadable,
            (Slip::Lent { .. }, Projection::Money) | (Slip::Smudged { .. }, Projection::Goods) => Reading::Mine,
            _ => Reading::NotMine,
        }
    }

    /// The payload.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(48);
        let place = |bytes: &mut Vec<u8>, epoch: Epoch, seq: Seq, hash: &Hash| {
            bytes.extend_from_slice(&epoch.0.to_be_bytes());
            bytes.extend_from_slice(&seq.0.to_be_bytes());
            bytes.extend_from_slice(&hash.0);
        };
        match self {
            Slip::Opened => bytes.push(0),
            Slip::Moved { item, by } => bytes.extend_from_slice(&[1, *item, by.to_be_bytes()[0], by.to_be_bytes()[1]]),
            Slip::Smudged { item, by } => bytes.extend_from_slice(&[2, *item, by.to_be_bytes()[0], by.to_be_bytes()[1]]),
            Slip::Paid { amount } => {
                bytes.push(3);
                bytes.extend_from_slice(&amount.to_be_bytes());
            }
            Slip::Lent { amount } => {
                bytes.push(4);
                bytes.extend_from_slice(&amount.to_be_bytes());
            }
            Slip::Broken { epoch, after, named } => {
                bytes.push(5);
                place(&mut bytes, *epoch, *after, named);
            }
            Slip::BranchClosed { epoch, tip, hash } => {
                bytes.push(6);
                place(&mut bytes, *epoch, *tip, hash);
            }
        }
        bytes
    }

    /// What `bytes` wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Slip> {
        let (tag, rest) = bytes.split_first()?;
        let small = || {
            <[u8; 3]>::try_from(rest)
                .ok()
                .map(|[item, high, low]| (item, i16::from_be_bytes([high, low])))
        };
        let amount = || rest.try_into().ok().map(i32::from_be_bytes);
        let place = || {
            let (epoch, rest) = rest.split_first_chunk::<4>()?;
            let (seq, hash) = rest.split_first_chunk::<8>()?;
            Some((
                Epoch(u32::from_be_bytes(*epoch)),
                Seq(u64::from_be_bytes(*seq)),
                Hash::from_slice(hash)?,
            ))
        };
        Some(match tag {
            0 if rest.is_empty() => Slip::Opened,
            1 => small().map(|(item, by)| Slip::Moved { item, by })?,
            2 => small().map(|(item, by)| Slip::Smudged { item, by })?,
            3 => amount().map(|amount| Slip::Paid { amount })?,
            4 => amount().map(|amount| Slip::Lent { amount })?,
            5 => place().map(|(epoch, after, named)| Slip::Broken { epoch, after, named })?,
            6 => place().map(|(epoch, tip, hash)| Slip::BranchClosed { epoch, tip, hash })?,
            _ => return None,
        })
    }

    /// Two slips that differ have different digests, as good as always.
    pub fn digest(&self) -> u64 {
        let hash = |hash: &Hash| hash.0.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let of = |tag: u64, parts: [u64; 3]| parts.iter().fold(mix(tag), |sum, part| mix(sum ^ part));
        match self {
            Slip::Opened => mix(1),
            Slip::Moved { item, by } => of(2, [u64::from(*item), by.cast_unsigned().into(), 0]),
            Slip::Smudged { item, by } => of(3, [u64::from(*item), by.cast_unsigned().into(), 0]),
            Slip::Paid { amount } => of(4, [amount.cast_unsigned().into(), 0, 0]),
            Slip::Lent { amount } => of(5, [amount.cast_unsigned().into(), 0, 0]),
            Slip::Broken { epoch, after, named } => of(6, [epoch.0.into(), after.0, hash(named)]),
            Slip::BranchClosed {
                epoch,
                tip,
                hash: tip_hash,
            } => of(7, [epoch.0.into(), tip.0, hash(tip_hash)]),
        }
    }
}

/// Sums over slips, the projections of head office.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Books {
    pub goods: [i64; ITEMS],
    pub money: i64,
}

impl Books {
    pub fn take(&mut self, projection: Projection, slip: &Slip) {
        match (slip, projection) {
            (Slip::Moved { item, by } | Slip::Smudged { item, by }, Projection::Goods) => {
                if let Some(sum) = self.goods.get_mut(usize::from(*item)) {
                    *sum += i64::from(*by);
                }
            }
            (Slip::Paid { amount } | Slip::Lent { amount }, Projection::Money) => self.money += i64::from(*amount),
            _ => {}
        }
    }
}
