//! What the demo's shops are founded with: two companies, three stores, what they sell, what lies in stock and who works there.
//!
//! Nothing here is anybody's: the barcodes begin with 952, which is kept for demonstrations, and people have the names of their work.

use anyhow::{Context, Result};
use serde::Deserialize;

/// A company at head office.
#[derive(Debug)]
pub struct Company {
    pub tenant: &'static str,
    pub name: &'static str,
    pub user: &'static str,
    pub catalog: &'static str,
    pub stock: &'static str,
    pub staff: &'static str,
    /// Each piece carries an RFID tag.
    pub has_tags: bool,
}

/// A store of a company.
#[derive(Debug)]
pub struct Store {
    pub company: &'static Company,
    pub code: &'static str,
    pub name: &'static str,
    pub zone: &'static str,
    pub currency: &'static str,
}

pub static THREAD: Company = Company {
    tenant: "thread",
    name: "Thread, clothing",
    user: "manager",
    catalog: include_str!("../../seed/clothing/catalog.json"),
    stock: include_str!("../../seed/clothing/stock.json"),
    staff: include_str!("../../seed/clothing/staff.json"),
    has_tags: true,
};

pub static HARVEST: Company = Company {
    tenant: "harvest",
    name: "Harvest, groceries",
    user: "manager",
    catalog: include_str!("../../seed/grocer/catalog.json"),
    stock: include_str!("../../seed/grocer/stock.json"),
    staff: include_str!("../../seed/grocer/staff.json"),
    has_tags: false,
};

pub static COMPANIES: [&Company; 2] = [&THREAD, &HARVEST];

pub static STORES: [Store; 3] = [
    Store {
        company: &THREAD,
        code: "berlin",
        name: "Thread Berlin",
        zone: "Europe/Berlin",
        currency: "EUR",
    },
    Store {
        company: &THREAD,
        code: "munich",
        name: "Thread Munich",
        zone: "Europe/Berlin",
        currency: "EUR",
    },
    Store {
        company: &HARVEST,
        code: "leeds",
        name: "Harvest Leeds",
        zone: "Europe/London",
        currency: "GBP",
    },
];

/// Both currencies of the demo have them.
pub const DECIMALS: u32 = 2;

/// An item as far as the demo cares.
#[derive(Clone, Debug, Deserialize)]
pub struct Item {
    pub sku: String,
    pub name: String,
    pub codes: Vec<String>,
    pub price: i64,
}

impl Item {
    /// What a scanner reads from it.
    pub fn code(&self) -> &str {
        self.codes.first().map_or(&self.sku, |code| code)
    }
}

/// Somebody who works there.
#[derive(Clone, Debug, Deserialize)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub pin: String,
}

impl Company {
    pub fn items(&self) -> Result<Vec<Item>> {
        #[derive(Deserialize)]
        struct Catalog {
            items: Vec<Item>,
        }
        let catalog: Catalog = serde_json::from_str(self.catalog).with_context(|| format!("the catalog of {}", self.tenant))?;
        Ok(catalog.items)
    }

    pub fn people(&self) -> Result<Vec<Person>> {
        serde_json::from_str(self.staff).with_context(|| format!("the staff of {}", self.tenant))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use backroom_core::barcode::Gtin;
    use backroom_core::catalog::{Catalog, CatalogFile};
    use backroom_core::money::Quantity;

    use super::*;

    fn range(company: &Company) -> Catalog {
        let file: CatalogFile = serde_json::from_str(company.catalog).unwrap();
        Catalog::new(file).unwrap()
    }

    #[test]
    fn every_item_has_an_invented_barcode_with_a_right_check_digit() {
        for company in COMPANIES {
            let range = range(company);
            for item in range.items() {
                let codes: Vec<&str> = item.codes().collect();
                let [code] = codes[..] else {
                    panic!("{} has {} codes", item.sku_text(), codes.len())
                };
                assert!(code.len() == 13 && code.starts_with("952"), "{code}");
                code.parse::<Gtin>().unwrap();
            }
        }
    }

    #[test]
    fn both_ranges_are_large_enough_to_look_like_a_shop() {
        assert!(THREAD.items().unwrap().len() >= 60);
        assert!(HARVEST.items().unwrap().len() >= 80);
        for company in COMPANIES {
            assert!((2..=3).contains(&range(company).tax_classes().len()));
        }
    }

    #[test]
    fn all_stock_is_of_items_that_are_sold() {
        #[derive(Deserialize)]
        struct OnHand {
            sku: String,
            on_hand: Quantity,
        }
        for company in COMPANIES {
            let stock: Vec<OnHand> = serde_json::from_str(company.stock).unwrap();
            let stocked: BTreeSet<_> = stock.iter().map(|held| held.sku.as_str()).collect();
            let items = company.items().unwrap();
            assert_eq!(stocked, items.iter().map(|item| item.sku.as_str()).collect());
            assert!(stock.iter().all(|held| held.on_hand > Quantity::default()), "{}", company.tenant);
        }
    }

    #[test]
    fn stores_keep_the_currency_of_their_catalog() {
        for store in &STORES {
            assert_eq!(range(store.company).currency().code(), store.currency);
        }
    }

    #[test]
    fn nobody_shares_a_pin() {
        for company in COMPANIES {
            let people = company.people().unwrap();
            let pins: BTreeSet<_> = people.iter().map(|person| &person.pin).collect();
            assert_eq!((people.len(), pins.len()), (3, 3), "{}", company.tenant);
        }
    }
}
