//! Stories of the catalog: finding, changing prices, and mistakes that are named.

use super::*;

fn file() -> CatalogFile {
    serde_json::from_value(serde_json::json!({
        "version": 3, "currency": "EUR", "prices": "inclusive",
        "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}],
        "items": [
            {"sku": "TEE-M", "name": "T-shirt M", "codes": ["4006381333931", "TEE"], "tax_class": "A", "price": 1990},
            {"sku": "MUG", "name": "Mug", "tax_class": "A", "price": 850}
        ]
    }))
    .unwrap()
}

fn at(second: i64) -> Instant {
    Instant::from_micros(second * 1_000_000).unwrap()
}

#[test]
fn an_item_is_found_by_each_of_its_codes() {
    let catalog = Catalog::new(file()).unwrap();
    let gtin = "4006381333931".parse().unwrap();
    assert_eq!(catalog.by_gtin(gtin).unwrap().sku().as_str(), "TEE-M");
    assert_eq!(catalog.by_text("TEE").unwrap().sku().as_str(), "TEE-M");
    assert_eq!(catalog.by_text("MUG").unwrap().name(), "Mug");
    assert!(catalog.by_text("NOPE").is_none());
}

#[test]
fn a_price_change_begins_at_its_instant_and_says_which_directive_set_it() {
    let mut catalog = Catalog::new(file()).unwrap();
    let change = PriceChange {
        sku: "MUG".parse().unwrap(),
        price: Money(700),
        currency: catalog.currency(),
        effective_at: at(100),
    };
    catalog.schedule(7, &change).unwrap();
    let mug = catalog.by_text("MUG").unwrap();
    assert_eq!(catalog.price(mug, at(99)), (Money(850), PriceVersion { catalog: 3, directive: 0 }));
    assert_eq!(catalog.price(mug, at(100)), (Money(700), PriceVersion { catalog: 3, directive: 7 }));
}

#[test]
fn mistakes_in_a_catalog_are_named() {
    let mut twice = file();
    twice.items[1].codes.push("TEE".into());
    assert_eq!(
        Catalog::new(twice).unwrap_err().to_string(),
        "code \"TEE\" belongs to both TEE-M and MUG"
    );
    let mut negative = file();
    negative.items[0].price = Money(-1);
    assert!(matches!(Catalog::new(negative), Err(CatalogError::Price { .. })));
    let mut class = file();
    class.items[0].tax_class = "Z".into();
    assert!(matches!(Catalog::new(class), Err(CatalogError::UnknownTaxClass { .. })));
}
