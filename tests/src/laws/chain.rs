//! Law 4: every line agrees with its bytes, every hash with the bytes it covers, and each entry with the one before, per branch
//! and across epochs.

use std::collections::HashMap;

use super::entry::Entry;
use super::evidence::{Export, HqEvidence, StoreEvidence};
use super::facts::Fact;
use super::header::Code;
use super::report::Findings;
use super::shop::Shop;
use super::words::Hash;

/// A box's own export: oldest first, without a hole.
pub fn of_store(findings: &mut Findings, store: &StoreEvidence) {
    lines(findings, &store.export);
    let Some(address) = store.address() else { return };
    let mut before: Option<&Entry> = None;
    for entry in &store.export.entries {
        let own = (entry.header.tenant, entry.header.store);
        findings.demand(
            own == address,
            || entry.place(),
            || format!("lies in the export of {}/{}", address.0, address.1),
        );
        follows(findings, before, entry);
        before = Some(entry);
    }
}

/// Head office's copy, which may hold several branches of an epoch and lack entries that are still on their way: what it does hold
/// before an entry must be what the entry names.
pub fn of_hq(findings: &mut Findings, hq: &HqEvidence) {
    lines(findings, &hq.export);
    let mut held: HashMap<(Code, u32, u64), Vec<&Entry>> = HashMap::new();
    for entry in &hq.export.entries {
        let (epoch, seq) = entry.position();
        held.entry((entry.header.store, epoch, seq)).or_default().push(entry);
    }
    for entry in &hq.export.entries {
        let (epoch, seq) = entry.position();
        if seq <= 1 {
            opens(findings, entry);
        } else if let Some(before) = held.get(&(entry.header.store, epoch, seq - 1)) {
            let named = before.iter().any(|before| before.hash == entry.header.prev_hash);
            findings.demand(named, || entry.place(), || names_another(entry, before[0]));
        }
    }
}

fn lines(findings: &mut Findings, export: &Export) {
    for why in &export.unreadable {
        findings.looked();
        findings.broken(|| export.name.clone(), || why.clone());
    }
    for entry in &export.entries {
        findings.looked();
        for fault in &entry.faults {
            findings.broken(|| format!("{} in {}", entry.place(), export.name), || fault.clone());
        }
    }
}

fn follows(findings: &mut Findings, before: Option<&Entry>, entry: &Entry) {
    let (epoch, seq) = entry.position();
    let place = || entry.place();
    if seq == 1 {
        opens(findings, entry);
    }
    let Some(before) = before.filter(|before| before.header.epoch >= epoch) else {
        findings.demand(seq == 1, place, || format!("epoch {epoch} begins with seq {seq} instead of 1"));
        return;
    };
    let (last_epoch, last) = before.position();
    if (last_epoch, last.saturating_add(1)) == (epoch, seq) {
        findings.demand(entry.header.prev_hash == before.hash, place, || names_another(entry, before));
    } else {
        findings.broken(place, || {
            format!(
                "stands after {}, so the export has a hole, a repeat or another order",
                before.place()
            )
        });
    }
}

fn opens(findings: &mut Findings, entry: &Entry) {
    let place = || entry.place();
    findings.demand(entry.header.prev_hash == Hash::ZERO, place, || {
        "is the first of its epoch, so zeros must stand for the hash before it".to_owned()
    });
    findings.demand(matches!(entry.fact, Fact::EpochOpened(_) | Fact::Unreadable), place, || {
        "is the first of its epoch, but does not open it".to_owned()
    });
}

fn names_another(entry: &Entry, before: &Entry) -> String {
    format!(
        "names {} as the hash before it, but {} hashes to {}",
        entry.header.prev_hash,
        before.place(),
        before.hash
    )
}

/// The first entry of each epoch names the end of the one before, as far as that end is told of anywhere.
pub fn across_epochs(findings: &mut Findings, shop: &Shop<'_>) {
    let mut hashes: HashMap<(u32, u64), Vec<Hash>> = HashMap::new();
    for told in &shop.entries {
        hashes.entry(told.entry.position()).or_default().push(told.entry.hash);
    }
    for told in &shop.entries {
        let entry = told.entry;
        let Fact::EpochOpened(opened) = &entry.fact else { continue };
        let place = || entry.place();
        let epoch = entry.header.epoch;
        let Some(end) = &opened.previous else {
            let first = opened.reason == "new_store";
            findings.demand(first, place, || {
                format!("epoch {epoch} ({}) names no end of the epoch before", opened.reason)
            });
            continue;
        };
        findings.demand(end.epoch < epoch, place, || {
            format!("epoch {epoch} claims to follow epoch {}", end.epoch)
        });
        if let Some(real) = hashes.get(&(end.epoch, end.seq)) {
            findings.demand(real.contains(&end.hash), place, || {
                format!(
                    "names {} as the hash of {}:{}, but that is {}",
                    end.hash, end.epoch, end.seq, real[0]
                )
            });
        }
    }
    for store in &shop.boxes {
        let mut last: HashMap<u32, u64> = HashMap::new();
        for entry in &store.export.entries {
            let (epoch, seq) = entry.position();
            if let Fact::EpochOpened(opened) = &entry.fact
                && let Some(end) = &opened.previous
                && let Some(last) = last.get(&end.epoch)
            {
                findings.demand(
                    end.seq >= *last,
                    || entry.place(),
                    || {
                        format!(
                            "names {}:{} as the end of the epoch before, but its own journal goes on to seq {last}",
                            end.epoch, end.seq
                        )
                    },
                );
            }
            last.entry(epoch).and_modify(|known| *known = seq.max(*known)).or_insert(seq);
        }
    }
}
