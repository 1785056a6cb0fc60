//! Where an item lies by its number or code: one flat table of hashes, eight bytes a place.
//!
//! Keeps no keys; whoever asks says whether the found item really carries the key. Knows nothing of items.

use std::hash::{DefaultHasher, Hasher};

/// A place holds half of the hash and the item's position plus one; 0 is an empty place.
#[derive(Clone, Debug)]
pub(super) struct Index {
    places: Box<[u64]>,
}

/// The same for the same bytes on every machine and in every run.
fn hash(key: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(key);
    hasher.finish()
}

impl Index {
    /// Room for so many keys; a third of the places stays empty.
    pub fn with_room(keys: usize) -> Self {
        Self {
            places: vec![0; keys + keys / 2 + 1].into_boxed_slice(),
        }
    }

    fn first_place(&self, hash: u64) -> usize {
        // The upper half of the hash chooses the place, the lower half is kept in it.
        ((u128::from(hash) * self.places.len() as u128) >> 64) as usize
    }

    /// The first item under this key that `carries` it.
    pub fn find(&self, key: &[u8], carries: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = hash(key);
        let mut place = self.first_place(hash);
        for _ in 0..self.places.len() {
            let held = self.places[place];
            if held == 0 {
                return None;
            }
            let at = (held as u32).wrapping_sub(1);
            if held >> 32 == hash & 0xffff_ffff && carries(at) {
                return Some(at);
            }
            place = if place + 1 == self.places.len() { 0 } else { place + 1 };
        }
        None
    }

    /// Notes that the item at this position carries the key. The caller has asked before whether another does.
    pub fn note(&mut self, key: &[u8], at: u32) {
        let hash = hash(key);
        let mut place = self.first_place(hash);
        for _ in 0..self.places.len() {
            if self.places[place] == 0 {
                self.places[place] = (hash << 32) | u64::from(at + 1);
                return;
            }
            place = if place + 1 == self.places.len() { 0 } else { place + 1 };
        }
    }
}
