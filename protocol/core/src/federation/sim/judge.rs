//! What must be true at the end of a schedule, whatever happened in it.
//!
//! Law 8 in the form it has when disks are set back and copied: whatever a box still has is at head office with the same hash, as a
//! whole chain, and the box knows it. Where nobody touched a store's disk both sets are the same. What head office holds beyond
//! a box was once written by a box of this store. Two chains of one epoch are both kept and flagged.

use std::collections::{BTreeMap, BTreeSet};

use crate::federation::receiver::{Branch, Stretch};
use crate::journal::{Epoch, Head, Seq};

use super::World;
use super::shop::ShopBox;

pub fn check(world: &World) -> Result<(), String> {
    for (shop, site) in world.shops.iter().enumerate() {
        let table = &world.office.tables[shop];
        for (at, shop_box) in site.boxes.iter().enumerate() {
            has_all_proven(world, shop, shop_box).map_err(|broken| format!("store {shop}, box {at}: {broken}"))?;
        }
        if !site.tampered {
            let ours: usize = site
                .boxes
                .iter()
                .flat_map(|shop_box| shop_box.disk.journal.values())
                .map(Vec::len)
                .sum();
            if ours != table.rows.len() {
                return Err(format!("store {shop} wrote {ours} entries, head office has {}", table.rows.len()));
            }
        }
        flagged_where_disputed(world, shop)?;
        remembers_what_is_stored(world, shop)?;
    }
    Ok(())
}

fn has_all_proven(world: &World, shop: usize, shop_box: &ShopBox) -> Result<(), String> {
    let Some(sender) = &shop_box.sender else {
        return Err("is not running".into());
    };
    if sender.head_office() != Some(world.office.incarnation) {
        return Err("believes a head office that is no more".into());
    }
    for (epoch, chain) in &shop_box.disk.journal {
        let last = Seq(chain.len() as u64);
        let Some(hash) = chain.last() else { continue };
        if sender.held(*epoch) != Some(last) {
            return Err(format!("epoch {epoch} has {last} entries, proven are {:?}", sender.held(*epoch)));
        }
        if !world.office.tables[shop].holds_chain(&Head {
            epoch: *epoch,
            seq: last,
            hash: *hash,
        }) {
            return Err(format!("epoch {epoch} is called proven up to {last}, but is not at head office"));
        }
    }
    Ok(())
}

fn flagged_where_disputed(world: &World, shop: usize) -> Result<(), String> {
    let table = &world.office.tables[shop];
    let mut places: BTreeMap<(Epoch, Seq), Vec<Branch>> = BTreeMap::new();
    for ((epoch, seq, _), row) in &table.rows {
        places.entry((*epoch, *seq)).or_default().push(row.branch);
    }
    let mut disputed = BTreeSet::new();
    for ((epoch, seq), branches) in places {
        if branches.iter().filter(|branch| **branch == Branch::MAIN).count() > 1 {
            return Err(format!("two entries of store {shop} are main at {epoch}:{seq}"));
        }
        if branches.len() > 1 {
            disputed.extend(
                branches
                    .into_iter()
                    .filter(|branch| *branch != Branch::MAIN)
                    .map(|branch| (epoch, branch)),
            );
        }
    }
    if disputed == table.flagged {
        Ok(())
    } else {
        Err(format!(
            "store {shop}: disputed are {disputed:?}, but somebody was told about {:?}",
            table.flagged
        ))
    }
}

/// The receiver's memory is the same as a fresh start from the database would have.
fn remembers_what_is_stored(world: &World, shop: usize) -> Result<(), String> {
    let Some(receivers) = &world.office.receivers else {
        return Err("head office is not running".into());
    };
    let flat = |epochs: Vec<(Epoch, Vec<Stretch>)>| -> Vec<(Epoch, Stretch)> {
        epochs
            .into_iter()
            .flat_map(|(epoch, all)| all.into_iter().map(move |stretch| (epoch, stretch)))
            .collect()
    };
    let stored = flat(world.office.stored_stretches(shop));
    let known: Vec<(Epoch, Stretch)> = receivers[shop].stretches().map(|(epoch, stretch)| (epoch, *stretch)).collect();
    if stored == known {
        Ok(())
    } else {
        Err(format!("store {shop}: head office remembers {known:?}, but stored is {stored:?}"))
    }
}

/// For the message when a schedule does not end.
pub fn backlog(world: &World) -> String {
    let boxes = world
        .shops
        .iter()
        .enumerate()
        .flat_map(|(shop, site)| site.boxes.iter().map(move |shop_box| (shop, shop_box)));
    let waiting = boxes.filter(|(_, shop_box)| !shop_box.proven(world.office.incarnation));
    waiting
        .map(|(shop, shop_box)| format!("store {shop}: {:?}\n", shop_box.sender))
        .collect()
}
