//! All evidence about one store, brought together: its own exports, head office's copy, and the set of entries both tell of.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::entry::Entry;
use super::evidence::{Evidence, StoreEvidence};
use super::facts::Fact;
use super::header::Code;
use super::words::Hash;

/// One store and what is known of it.
pub struct Shop<'a> {
    pub tenant: Code,
    pub store: Code,
    pub boxes: Vec<&'a StoreEvidence>,
    /// Every entry that is told of, once, by epoch and seq. Head office's entries beyond a hole are left out: what is missing
    /// before them is still on its way.
    pub entries: Vec<Told<'a>>,
}

/// A store's exports and everything that is told of it, repeats included.
type Found<'a> = (Vec<&'a StoreEvidence>, Vec<Told<'a>>);

/// An entry, and whether a box tells of it; if not, only head office does: the box was set back.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    pub entry: &'a Entry,
    pub by_box: bool,
}

impl<'a> Shop<'a> {
    pub fn name(&self) -> String {
        format!("{}/{}", self.tenant, self.store)
    }

    pub fn all(evidence: &'a Evidence) -> Vec<Shop<'a>> {
        let mut shops: BTreeMap<(Code, Code), Found> = BTreeMap::new();
        for store in &evidence.stores {
            let Some(address) = store.address() else { continue };
            let (boxes, told) = shops.entry(address).or_default();
            boxes.push(store);
            told.extend(store.export.entries.iter().map(|entry| Told { entry, by_box: true }));
        }
        for entry in evidence.hqs.iter().flat_map(|hq| &hq.export.entries) {
            let address = (entry.header.tenant, entry.header.store);
            shops.entry(address).or_default().1.push(Told { entry, by_box: false });
        }
        let shop = |((tenant, store), (boxes, told))| Shop {
            tenant,
            store,
            boxes,
            entries: once(told),
        };
        shops.into_iter().map(shop).collect()
    }

    /// The epoch its boxes live in.
    pub fn newest_epoch(&self) -> u32 {
        let own = self.entries.iter().rfind(|told| told.by_box);
        own.map_or(0, |told| told.entry.header.epoch)
    }

    /// The store's history as a box lived it, one for each export. A box that was set back leaves a branch which only head office
    /// tells of: that is one more history, back to the beginning, of which only the last part is news. So is all that is
    /// known of a store whose boxes tell nothing.
    pub fn histories(&self) -> Vec<History<'a>> {
        let mut histories: Vec<History> = self
            .boxes
            .iter()
            .map(|store| History {
                entries: store.export.entries.iter().collect(),
                news_from: 0,
                store: Some(store),
            })
            .collect();
        if self.entries.iter().all(|told| told.by_box) {
            return histories;
        }
        let by_hash: HashMap<Hash, &Entry> = self.entries.iter().map(|told| (told.entry.hash, told.entry)).collect();
        let mut reported: HashSet<Hash> = self.entries.iter().filter(|told| told.by_box).map(|told| told.entry.hash).collect();
        // From the last one back, so that a chain is met at its end first.
        for (at, told) in self.entries.iter().enumerate().rev() {
            if reported.contains(&told.entry.hash) {
                continue;
            }
            let entries = self.back_from(at, &by_hash);
            let news_from = entries.iter().take_while(|entry| reported.contains(&entry.hash)).count();
            reported.extend(entries.iter().map(|entry| entry.hash));
            histories.push(History {
                entries,
                news_from,
                store: None,
            });
        }
        histories
    }

    /// The entries that led to this one. Where a hash is broken, which law 4 says, the place in the order must do.
    fn back_from(&self, last: usize, by_hash: &HashMap<Hash, &'a Entry>) -> Vec<&'a Entry> {
        let mut entry = self.entries[last].entry;
        let mut history = vec![entry];
        loop {
            let named = match &entry.fact {
                Fact::EpochOpened(opened) => opened.previous.as_ref().map(|end| end.hash),
                _ => Some(entry.header.prev_hash),
            };
            let position = entry.position();
            let by_place = || {
                let at = self.entries.partition_point(|told| told.entry.position() < position);
                at.checked_sub(1).map(|at| self.entries[at].entry)
            };
            let before = named.and_then(|hash| by_hash.get(&hash).copied()).or_else(by_place);
            // A forged link must not lead round in a circle.
            let Some(before) = before.filter(|before| before.position() < position) else {
                break;
            };
            entry = before;
            history.push(entry);
        }
        history.reverse();
        history
    }
}

/// Entries that followed one another in one life of a store.
pub struct History<'a> {
    pub entries: Vec<&'a Entry>,
    pub news_from: usize,
    /// The box that tells it.
    pub store: Option<&'a StoreEvidence>,
}

fn once(mut told: Vec<Told<'_>>) -> Vec<Told<'_>> {
    // A box's own entry comes before head office's copy of it.
    told.sort_by_key(|told| (told.entry.position(), !told.by_box));
    let newest = told.iter().rfind(|told| told.by_box).map_or(0, |told| told.entry.header.epoch);
    let mut seen = HashSet::new();
    let mut boxed = None;
    let mut last = (0, 0);
    told.retain(|told| {
        let (epoch, seq) = told.entry.position();
        if told.by_box {
            boxed = Some((epoch, seq));
        } else if boxed == Some((epoch, seq)) && epoch == newest {
            return false; // Where a copy differs, law 8 says so; the box's word counts.
        }
        let follows = told.by_box || seq <= 1 || (last.0 == epoch && last.1 + 1 >= seq);
        if follows {
            last = (epoch, seq);
        }
        follows && seen.insert((told.entry.position(), told.entry.hash))
    });
    told
}
