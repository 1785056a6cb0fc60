//! What must be true at the end of a schedule, whatever happened in it.
//!
//! Law 8 in the form it has when disks are set back and copied: whatever a box still has is at head office with the same hash, as a
//! whole chain, and the box knows it. Where nobody touched a store's disk both sets are the same. What head office holds beyond
//! a box was once written by a box of this store. Two chains of one epoch are both kept, flagged, and looked at by a person. What is
//! lost for ever is attested, and nothing else is. The projections are the fold of what is held, but for what waits in quarantine.

use std::collections::{BTreeMap, BTreeSet};

use crate::federation::receiver::{Branch, Stretch};
use crate::journal::{Epoch, Head, Seq};

use super::World;
use super::craft::Craft;
use super::shop::ShopBox;
use super::slip::{Books, NEW, Projection, Reading, Slip};

pub fn check<C: Craft>(world: &World<C>) -> Result<(), String> {
    for (shop, site) in world.shops.iter().enumerate() {
        let table = &world.office.tables[shop];
        for (at, shop_box) in site.boxes.iter().enumerate() {
            has_all_proven(world, shop, shop_box).map_err(|broken| format!("store {shop}, box {at}: {broken}"))?;
        }
        if !site.tampered {
            same_set(world, shop)?;
        }
        for ((epoch, seq, hash), row) in &table.rows {
            if world.stage.written[shop].slip(*epoch, *seq, hash) != Some(&row.slip) {
                return Err(format!("store {shop} never wrote {epoch}:{seq} as head office has it"));
            }
        }
        projections_are_the_fold(world, shop).map_err(|broken| format!("store {shop}: {broken}"))?;
        if let Some((epoch, tip, _)) = world.office.open_branches(shop).first() {
            return Err(format!("store {shop}: nobody has looked at the second chain up to {epoch}:{tip}"));
        }
        if let Some((epoch, first, _)) = world.office.gaps(shop).first() {
            return Err(format!(
                "store {shop}: the gap before {epoch}:{first} was neither closed nor attested"
            ));
        }
        flagged_where_disputed(world, shop)?;
        remembers_what_is_stored(world, shop)?;
    }
    Ok(())
}

/// Nobody touched its disk: both sides hold the same entries, and the projections are the fold of the store's own.
fn same_set<C: Craft>(world: &World<C>, shop: usize) -> Result<(), String> {
    let table = &world.office.tables[shop];
    let (mut ours, mut fold) = (0, Books::default());
    for shop_box in &world.shops[shop].boxes {
        for (epoch, chain) in &shop_box.disk.journal {
            for (at, (hash, slip)) in chain.iter().enumerate() {
                let seq = Seq(at as u64 + 1);
                if !table.rows.contains_key(&(*epoch, seq, *hash)) {
                    return Err(format!("store {shop} has {epoch}:{seq}, head office has not"));
                }
                ours += 1;
                Projection::ALL.iter().for_each(|projection| fold.take(*projection, slip));
            }
        }
    }
    if ours != table.rows.len() {
        return Err(format!("store {shop} wrote {ours} entries, head office has {}", table.rows.len()));
    }
    if world.office.version >= NEW && fold != table.books {
        return Err(format!(
            "the entries of store {shop} come to {fold:?}, head office says {:?}",
            table.books
        ));
    }
    Ok(())
}

/// Every entry that is held is in the sums once, or there is a reason why not.
fn projections_are_the_fold<C: Craft>(world: &World<C>, shop: usize) -> Result<(), String> {
    let table = &world.office.tables[shop];
    let mut fold = Books::default();
    let mut stopped: BTreeSet<(Epoch, Branch, usize)> = BTreeSet::new();
    let mut waiting = BTreeSet::new();
    for ((epoch, seq, hash), row) in &table.rows {
        for (at, projection) in Projection::ALL.into_iter().enumerate() {
            let chain = (*epoch, row.branch, at);
            let reading = row.slip.read(projection, world.office.version);
            if row.taken[at] {
                fold.take(projection, &row.slip);
            } else if reading == Reading::Unreadable {
                let first = stopped.insert(chain);
                waiting.extend(first.then_some((*epoch, *seq, *hash)));
            } else if reading == Reading::Mine && !stopped.contains(&chain) {
                return Err(format!("{epoch}:{seq} {:?} is held and could be taken in, but was not", row.slip));
            }
        }
    }
    if fold != table.books {
        return Err(format!(
            "what was taken in comes to {fold:?}, the projections say {:?}",
            table.books
        ));
    }
    if waiting.iter().any(|place| !table.quarantine.contains(place)) {
        return Err("an entry stops a projection and is not in quarantine".into());
    }
    let unread = |place: &(Epoch, Seq, crate::journal::Hash)| {
        let row = table.rows.get(place);
        row.is_some_and(|row| matches!(row.slip, Slip::Smudged { .. }) && !row.taken[0])
    };
    match table.quarantine.iter().find(|place| !unread(place)) {
        Some((epoch, seq, _)) => Err(format!("{epoch}:{seq} was read and is still in quarantine")),
        None => Ok(()),
    }
}

fn has_all_proven<C: Craft>(world: &World<C>, shop: usize, shop_box: &ShopBox) -> Result<(), String> {
    let Some(sender) = &shop_box.sender else {
        return Err("is not running".into());
    };
    if sender.head_office() != Some(world.office.incarnation) {
        return Err("believes a head office that is no more".into());
    }
    for (epoch, chain) in &shop_box.disk.journal {
        let last = Seq(chain.len() as u64);
        let Some((hash, _)) = chain.last() else { continue };
        if sender.held(*epoch) != Some(last) {
            return Err(format!("epoch {epoch} has {last} entries, proven are {:?}", sender.held(*epoch)));
        }
        let head = Head {
            epoch: *epoch,
            seq: last,
            hash: *hash,
        };
        world.office.tables[shop]
            .holds_chain(&head)
            .map_err(|why| format!("epoch {epoch} is called proven up to {last}, but {why}"))?;
    }
    Ok(())
}

fn flagged_where_disputed<C: Craft>(world: &World<C>, shop: usize) -> Result<(), String> {
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
fn remembers_what_is_stored<C: Craft>(world: &World<C>, shop: usize) -> Result<(), String> {
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
pub fn backlog<C: Craft>(world: &World<C>) -> String {
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
