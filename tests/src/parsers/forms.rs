//! What arrives as JSON and is read by serde alone: catalogs, facts, roles, orders.
//!
//! Each form that was read is written and read again as the same, and a catalog that may be used is used.

use backroom_core::accounts::loyalty::Programme;
use backroom_core::catalog::{Catalog, CatalogFile};
use backroom_core::directive::Order;
use backroom_core::facts::Fact;
use backroom_core::journal::proof::Proof;
use backroom_core::staff::Role;
use backroom_core::stock::StockMove;
use backroom_core::ticket::Policy;
use backroom_core::till::Foreign;
use backroom_core::till::Tally;
use backroom_core::time::Instant;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Any bytes are one of the forms, or refused by name.
pub fn fuzz_one(bytes: &[u8]) {
    same::<Fact>(bytes);
    same::<Order>(bytes);
    same::<Role>(bytes);
    same::<Tally>(bytes);
    same::<Policy>(bytes);
    same::<StockMove>(bytes);
    same::<Foreign>(bytes);
    same::<Programme>(bytes);
    same::<Proof>(bytes);
    if let Some(file) = same::<CatalogFile>(bytes)
        && let Ok(catalog) = Catalog::new(file)
    {
        for item in catalog.items() {
            let (price, _) = catalog.price(item, Instant::EPOCH);
            assert!(price.0 >= 0 && price.in_bounds().is_ok(), "{item:?} costs {price:?}");
            assert!(item.codes().all(|code| catalog.by_text(code).is_some() || !code.is_empty()));
        }
        let _ = catalog.search("a b").count();
    }
}

fn same<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(bytes: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(bytes).ok()?;
    let written = match serde_json::to_string(&read) {
        Ok(written) => written,
        Err(why) => panic!("{read:?} can not be written: {why}"),
    };
    match serde_json::from_str::<T>(&written) {
        Ok(again) => assert_eq!(again, read),
        Err(why) => panic!("{written} can not be read again: {why}"),
    }
    Some(read)
}
