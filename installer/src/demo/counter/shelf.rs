//! A shelf with tags: the first items of a store's range, a few pieces of each, every piece with a number of its own.

use anyhow::{Context, Result};
use backroom_core::barcode::Gtin;
use backroom_core::epc::{Epc, EpcId, Scheme};

use super::super::seed::{STORES, Store};

const ITEMS: usize = 20;
const PIECES: usize = 3;
/// Of the seed's barcodes, which are nobody's.
const PREFIX_DIGITS: usize = 7;
/// A single piece for sale.
const FILTER: u8 = 1;

/// The tags as URIs; no two stores have the same piece.
pub fn tags(store: &Store) -> Result<Vec<String>> {
    let place = STORES.iter().position(|other| other.code == store.code).unwrap_or_default();
    let mut tags = Vec::with_capacity(ITEMS * PIECES);
    for item in store.company.items()?.iter().take(ITEMS) {
        let gtin: Gtin = item.code().parse().with_context(|| format!("the barcode of {}", item.sku))?;
        for piece in 1..=PIECES {
            let serial = ((place + 1) * 1_000 + piece).to_string();
            let name = EpcId::sgtin(gtin, PREFIX_DIGITS, &serial).with_context(|| format!("a tag for {}", item.sku))?;
            let tag = Epc::new(name, Scheme::Sgtin96, FILTER).with_context(|| format!("a tag for {}", item.sku))?;
            tags.push(tag.to_string());
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_piece_of_both_shops_has_a_tag_of_its_own_that_names_its_item() {
        let mut seen = BTreeSet::new();
        for store in STORES.iter().filter(|store| store.company.has_tags) {
            for tag in tags(store).unwrap() {
                let epc: Epc = tag.parse().unwrap();
                let gtin = epc.gtin().unwrap().to_string();
                let items = store.company.items().unwrap();
                assert!(items.iter().any(|item| gtin.ends_with(item.code())), "{gtin}");
                assert!(seen.insert(tag.clone()), "{tag}");
            }
        }
        assert_eq!(seen.len(), 2 * ITEMS * PIECES);
    }
}
