//! What every part of a schedule needs: the clock, the dice, what was reached, the craft, and everything that was ever written.

use std::collections::BTreeMap;

use crate::journal::{Epoch, Hash, Seq};

use super::STORES;
use super::chance::Chance;
use super::craft::Craft;
use super::reached::Reached;
use super::slip::Slip;

#[derive(Debug)]
pub struct Stage<C> {
    pub now_ms: u64,
    pub chance: Chance,
    pub reached: Reached,
    pub craft: C,
    /// Every entry that any box of a store ever wrote, also on disks that are gone.
    pub written: Vec<Written>,
    /// `None` unless somebody wants to read it.
    pub trace: Option<Vec<String>>,
}

#[derive(Debug, Clone, Default)]
pub struct Written(BTreeMap<(Epoch, Seq), Vec<(Hash, Slip)>>);

impl Written {
    pub fn slip(&self, epoch: Epoch, seq: Seq, hash: &Hash) -> Option<&Slip> {
        let all = self.0.get(&(epoch, seq))?;
        all.iter().find(|(written, _)| written == hash).map(|(_, slip)| slip)
    }
}

impl<C: Craft> Stage<C> {
    pub fn new(seed: u64, craft: C, traced: bool) -> Stage<C> {
        Stage {
            now_ms: 0,
            chance: Chance::new(seed),
            reached: Reached::default(),
            craft,
            written: vec![Written::default(); STORES],
            trace: traced.then(Vec::new),
        }
    }

    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>9} ms  {}", self.now_ms, line()));
        }
    }

    /// The hash of an entry that a box is about to write.
    pub fn write(&mut self, shop: usize, epoch: Epoch, seq: Seq, before: &Hash, slip: Slip) -> Hash {
        let hash = self.craft.hash(shop, epoch, seq, before, &slip);
        let places = self.written[shop].0.entry((epoch, seq)).or_default();
        if places.iter().all(|(written, _)| *written != hash) {
            self.reached.reused_sequence += u64::from(!places.is_empty());
            places.push((hash, slip));
        }
        hash
    }
}
