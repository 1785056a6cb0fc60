//! Law 8: below its watermark head office holds what the store holds, and its projections are a fold of it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::entry::Entry;
use super::evidence::{Evidence, Projection};
use super::fold::{Fold, Whose};
use super::header::Code;
use super::report::Findings;
use super::shop::Shop;
use super::words::Hash;

/// How far both sides must have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    /// Entries may still be on their way.
    #[default]
    UnderWay,
    /// Head office must hold and have applied everything.
    Converged,
}

/// Head office's copy of one store, as one export tells it.
pub struct Copy<'a> {
    pub tenant: Code,
    pub store: String,
    export: &'a str,
    entries: Vec<&'a Entry>,
    marks: BTreeMap<u32, Mark>,
}

struct Mark {
    held: u64,
    applied: u64,
    hash: Option<Hash>,
}

/// Every copy in the evidence, with the projections of its export.
pub fn copies(evidence: &Evidence) -> Vec<(Copy<'_>, &[Projection])> {
    let mut all = Vec::new();
    for hq in &evidence.hqs {
        let Some(tenant) = hq.tenant() else { continue };
        let mut stores: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in hq.export.entries.iter().filter(|entry| entry.header.tenant == tenant) {
            stores.entry(entry.header.store.as_str()).or_default().push(entry);
        }
        for projection in &hq.export.projections {
            let store = projection.key.split('/').next().unwrap_or_default();
            stores.entry(store).or_default();
        }
        for (store, entries) in stores {
            let copy = Copy {
                tenant,
                store: store.to_owned(),
                export: &hq.export.name,
                entries,
                marks: marks(store, &hq.export.projections),
            };
            all.push((copy, hq.export.projections.as_slice()));
        }
    }
    all
}

fn marks(store: &str, projections: &[Projection]) -> BTreeMap<u32, Mark> {
    let mark = |line: &Projection| {
        let epoch = line.key.strip_prefix(store)?.strip_prefix('/')?.parse().ok()?;
        let number = |field: &str| line.value.get(field).and_then(Value::as_u64);
        let mark = Mark {
            held: number("held")?,
            applied: number("applied")?,
            hash: line.value.get("hash").and_then(Value::as_str).and_then(Hash::parse),
        };
        Some((epoch, mark))
    };
    let lines = projections.iter().filter(|line| line.projection == "watermark");
    lines.filter_map(mark).collect()
}

/// Where an entry stands to its epoch's watermark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// On the chain which the watermark ends.
    Main,
    /// On a chain of its own: another box, or another life of this one.
    Branch,
    /// After the watermark.
    Beyond,
}

impl Copy<'_> {
    /// What the applied entries add up to. A branch is counted as far as it is held.
    pub fn fold(&self) -> Fold {
        let stands = self.stands();
        let applied = |entry: &&Entry| {
            let Some(mark) = self.marks.get(&entry.header.epoch) else {
                return false;
            };
            match stands.get(&entry.hash) {
                Some(Stand::Main) | None => entry.header.seq <= mark.applied,
                Some(Stand::Branch) => true,
                Some(Stand::Beyond) => false,
            }
        };
        Fold::of(self.entries.iter().copied().filter(applied))
    }

    /// Of an epoch whose watermark names no held hash nothing is said.
    fn stands(&self) -> HashMap<Hash, Stand> {
        let by_hash: HashMap<Hash, &Entry> = self.entries.iter().map(|entry| (entry.hash, *entry)).collect();
        let mut stands = HashMap::new();
        for mark in self.marks.values() {
            let mut at = mark.hash.and_then(|hash| by_hash.get(&hash));
            while let Some(entry) = at {
                stands.insert(entry.hash, Stand::Main);
                at = by_hash.get(&entry.header.prev_hash);
            }
        }
        let ends: HashSet<Hash> = self.marks.values().filter_map(|mark| mark.hash).collect();
        let known: HashSet<u32> = self
            .entries
            .iter()
            .filter(|entry| ends.contains(&entry.hash))
            .map(|entry| entry.header.epoch)
            .collect();
        let mut rising = self.entries.clone();
        rising.sort_by_key(|entry| entry.position());
        for entry in rising.into_iter().filter(|entry| known.contains(&entry.header.epoch)) {
            let before = entry.header.prev_hash;
            let beyond = ends.contains(&before) || stands.get(&before) == Some(&Stand::Beyond);
            let stand = if beyond { Stand::Beyond } else { Stand::Branch };
            stands.entry(entry.hash).or_insert(stand);
        }
        stands
    }

    fn place(&self, what: impl std::fmt::Display) -> String {
        format!("{}/{} {what} at head office ({})", self.tenant, self.store, self.export)
    }
}

pub fn check(findings: &mut Findings, evidence: &Evidence, shops: &[Shop<'_>], sync: Sync) {
    for hq in &evidence.hqs {
        let Some(tenant) = hq.tenant() else { continue };
        for entry in hq.export.entries.iter().filter(|entry| entry.header.tenant != tenant) {
            findings.broken(
                || entry.place(),
                || format!("lies in head office's export of tenant {tenant} ({})", hq.export.name),
            );
        }
    }
    let copies = copies(evidence);
    for (copy, projections) in &copies {
        watermarks(findings, copy);
        let shop = shops
            .iter()
            .find(|shop| (shop.tenant, shop.store.as_str()) == (copy.tenant, copy.store.as_str()));
        if let Some(shop) = shop.filter(|shop| !shop.boxes.is_empty()) {
            same_entries(findings, copy, shop, sync);
        }
        let fold = copy.fold();
        for what in ["sales", "tills"] {
            fold.compare(findings, what, &copy.store, Whose::HeadOffice, projections);
        }
    }
    if sync == Sync::Converged && !evidence.hqs.is_empty() {
        for shop in shops.iter().filter(|shop| !shop.boxes.is_empty()) {
            let known = copies
                .iter()
                .any(|(copy, _)| (copy.tenant, copy.store.as_str()) == (shop.tenant, shop.store.as_str()));
            findings.demand(known, || shop.name(), || "head office holds nothing of this store".to_owned());
        }
    }
}

/// What head office says it holds it does hold, up to the hash.
fn watermarks(findings: &mut Findings, copy: &Copy<'_>) {
    let mut seqs: BTreeMap<u32, BTreeMap<u64, Vec<Hash>>> = BTreeMap::new();
    for entry in &copy.entries {
        let (epoch, seq) = entry.position();
        seqs.entry(epoch).or_default().entry(seq).or_default().push(entry.hash);
    }
    let none = BTreeMap::new();
    for (epoch, mark) in &copy.marks {
        findings.looked();
        let held = seqs.get(epoch).unwrap_or(&none);
        let through = held.keys().zip(1_u64..).take_while(|(seq, next)| **seq == *next).count() as u64;
        let place = || copy.place(format_args!("{epoch}:{}", mark.held));
        findings.demand(
            mark.held <= through,
            || copy.place(format_args!("{epoch}:{}", through + 1)),
            || format!("is missing, though the watermark says that {} are held", mark.held),
        );
        findings.demand(mark.applied <= mark.held, place, || {
            format!("{} are applied, more than the {} that are held", mark.applied, mark.held)
        });
        if let Some(real) = held.get(&mark.held) {
            findings.demand(mark.hash.is_some_and(|hash| real.contains(&hash)), place, || {
                let said = mark.hash.map_or_else(|| "nothing".to_owned(), |hash| hash.to_string());
                format!("the watermark says {said} is its hash, but it is {}", real[0])
            });
        }
    }
}

/// No entry differs, none is head office's own invention, and once converged none is missing. What a box that was set back has
/// forgotten is a branch: by then the box has opened a newer epoch.
fn same_entries(findings: &mut Findings, copy: &Copy<'_>, shop: &Shop<'_>, sync: Sync) {
    let own = || shop.boxes.iter().flat_map(|store| &store.export.entries);
    let mut known: HashMap<(u32, u64), Vec<Hash>> = HashMap::new();
    for entry in own() {
        known.entry(entry.position()).or_default().push(entry.hash);
    }
    let mut held = HashSet::new();
    for entry in &copy.entries {
        findings.looked();
        let (epoch, seq) = entry.position();
        let place = || copy.place(format_args!("{epoch}:{seq}"));
        let first = held.insert((epoch, seq, entry.hash));
        findings.demand(first, place, || "is held twice".to_owned());
        let branch = epoch < shop.newest_epoch();
        match known.get(&entry.position()) {
            Some(hashes) => findings.demand(branch || hashes.contains(&entry.hash), place, || {
                format!("hashes to {}, in the store to {}", entry.hash, hashes[0])
            }),
            None => findings.demand(branch, place, || "is an entry that the store does not have".to_owned()),
        }
    }
    if sync == Sync::UnderWay {
        return;
    }
    let mut last: BTreeMap<u32, u64> = BTreeMap::new();
    for entry in own() {
        let (epoch, seq) = entry.position();
        let last = last.entry(epoch).or_default();
        *last = seq.max(*last);
        findings.demand(
            held.contains(&(epoch, seq, entry.hash)),
            || entry.place(),
            || "is not held at head office, though everything should have arrived".to_owned(),
        );
    }
    for (epoch, last) in last {
        let (held, applied) = copy.marks.get(&epoch).map_or((0, 0), |mark| (mark.held, mark.applied));
        // Where there are branches, the watermark speaks of one of them only.
        let branch = epoch < shop.newest_epoch();
        findings.demand(
            applied >= held && (branch || held >= last),
            || copy.place(format_args!("{epoch}:{last}")),
            || format!("the watermark stands at held {held}, applied {applied}, though everything should have arrived"),
        );
    }
}
