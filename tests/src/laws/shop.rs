//! All evidence about one store, brought together: its own exports, head office's copy, and the set of entries both tell of.

use std::collections::{BTreeMap, HashSet};

use super::entry::Entry;
use super::evidence::{Evidence, StoreEvidence};
use super::header::Code;

/// One store and what is known of it.
pub struct Shop<'a> {
    pub tenant: Code,
    pub store: Code,
    pub boxes: Vec<&'a StoreEvidence>,
    /// Every entry that is told of, once, by epoch and seq. Head office's entries beyond a hole are left out: what is missing
    /// before them is still on its way.
    pub entries: Vec<Told<'a>>,
}

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
        let mut shops: BTreeMap<(Code, Code), (Vec<&StoreEvidence>, Vec<Told>)> = BTreeMap::new();
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

    /// The store's history as a box lived it, one for each export; where no box tells anything, head office's entries are it. A
    /// box that was set back leaves a branch, which only head office tells of: that is one more history, of which only the
    /// entries from the second number on are news.
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
        if histories.is_empty() {
            histories.push(History {
                entries: self.entries.iter().map(|told| told.entry).collect(),
                news_from: 0,
                store: None,
            });
            return histories;
        }
        for branch in self.entries.chunk_by(|one, next| one.entry.header.epoch == next.entry.header.epoch) {
            let Some(first) = branch.iter().find(|told| !told.by_box) else {
                continue;
            };
            let fork = first.entry.position();
            let before = |told: &&Told| told.by_box && told.entry.position() < fork;
            let mut entries: Vec<&Entry> = self.entries.iter().filter(before).map(|told| told.entry).collect();
            let news_from = entries.len();
            entries.extend(branch.iter().filter(|told| !told.by_box).map(|told| told.entry));
            histories.push(History {
                entries,
                news_from,
                store: None,
            });
        }
        histories
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
    let mut seen = HashSet::new();
    let mut boxed = None;
    let mut last = (0, 0);
    told.retain(|told| {
        let (epoch, seq) = told.entry.position();
        if told.by_box {
            boxed = Some((epoch, seq));
        } else if boxed == Some((epoch, seq)) {
            return false; // Where the copy differs, law 8 says so; the box's word counts.
        }
        let follows = told.by_box || seq <= 1 || (last.0 == epoch && last.1 + 1 >= seq);
        if follows {
            last = (epoch, seq);
        }
        follows && seen.insert((told.entry.position(), told.entry.hash))
    });
    told
}
