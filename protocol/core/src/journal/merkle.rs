//! A tree of hashes over entries: one root stands for all of them, and a short path shows that one of them is among them.
//!
//! The shape is the one of RFC 6962: a leaf is hashed behind a zero byte, two nodes behind a one, and a tree of `n` leaves is cut at
//! the largest power of two below `n`. So a leaf can never be passed off as a node.

use sha2::{Digest, Sha256};

use super::Hash;

fn leaf(entry: &Hash) -> Hash {
    let mut sha = Sha256::new();
    sha.update([0]);
    sha.update(entry.0);
    Hash(sha.finalize().into())
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut sha = Sha256::new();
    sha.update([1]);
    sha.update(left.0);
    sha.update(right.0);
    Hash(sha.finalize().into())
}

/// A tree that grows leaf by leaf and remembers one hash per bit of its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    leaves: u64,
    /// Whole trees of falling size, one for each bit of `leaves` that is set.
    peaks: Vec<Hash>,
}

impl Tree {
    pub fn push(&mut self, entry: &Hash) {
        let mut grown = leaf(entry);
        let mut size = self.leaves;
        while size & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                grown = node(&left, &grown);
            }
            size >>= 1;
        }
        self.peaks.push(grown);
        self.leaves = self.leaves.saturating_add(1);
    }

    pub fn leaves(&self) -> u64 {
        self.leaves
    }

    /// `None` for a tree without leaves.
    pub fn root(&self) -> Option<Hash> {
        let mut peaks = self.peaks.iter().rev();
        let last = *peaks.next()?;
        Some(peaks.fold(last, |right, left| node(left, &right)))
    }
}

/// What must be hashed together with leaf `index` to reach the root, from the bottom up; `None` if there is no such leaf.
pub fn path(entries: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= entries.len() {
        return None;
    }
    let mut row: Vec<Hash> = entries.iter().map(leaf).collect();
    let mut at = index;
    let mut path = Vec::new();
    while row.len() > 1 {
        if let Some(beside) = row.get(at ^ 1) {
            path.push(*beside);
        }
        let above = |pair: &[Hash]| match pair {
            [left, right] => node(left, right),
            alone => alone.first().copied().unwrap_or_default(), // It rises as it is.
        };
        row = row.chunks(2).map(above).collect();
        at /= 2;
    }
    Some(path)
}

/// The root that follows from a leaf and its path in a tree of so many leaves; `None` if the path has another length than it must.
pub fn climb(entry: &Hash, index: u64, leaves: u64, path: &[Hash]) -> Option<Hash> {
    if index >= leaves {
        return None;
    }
    let mut beside = path.iter();
    let mut reached = leaf(entry);
    let (mut at, mut last) = (index, leaves - 1);
    while last > 0 {
        if at % 2 == 1 {
            reached = node(beside.next()?, &reached);
        } else if at < last {
            reached = node(&reached, beside.next()?);
        }
        at /= 2;
        last /= 2;
    }
    beside.next().is_none().then_some(reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|number| Hash::of(&number.to_be_bytes())).collect()
    }

    /// Straight from the definition, to have a second opinion.
    fn by_definition(entries: &[Hash]) -> Hash {
        match entries {
            [one] => leaf(one),
            many => {
                let cut = many.len().next_power_of_two() / 2;
                node(&by_definition(&many[..cut]), &by_definition(&many[cut..]))
            }
        }
    }

    #[test]
    fn every_leaf_of_every_small_tree_climbs_to_the_root() {
        for count in 1..=70 {
            let entries = leaves(count);
            let mut tree = Tree::default();
            entries.iter().for_each(|entry| tree.push(entry));
            let root = tree.root().unwrap();
            assert_eq!(root, by_definition(&entries));
            for (index, entry) in entries.iter().enumerate() {
                let path = path(&entries, index).unwrap();
                assert_eq!(climb(entry, index as u64, count, &path), Some(root));
                assert_ne!(climb(&Hash::ZERO, index as u64, count, &path), Some(root));
                if count > 1 {
                    assert_ne!(climb(entry, (index as u64 + 1) % count, count, &path), Some(root));
                    assert_eq!(climb(entry, index as u64, count, &path[1..]), None);
                }
                let longer = [&path[..], &[Hash::ZERO]].concat();
                assert_eq!(climb(entry, index as u64, count, &longer), None);
            }
        }
        assert_eq!(Tree::default().root(), None);
        assert_eq!(path(&leaves(3), 3), None);
    }
}
