//! Stories of the catalog: finding, changing prices, and mistakes that are named.

use proptest::prelude::*;
use serde_json::{Value, json};

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
    assert_eq!(catalog.by_gtin(gtin).unwrap().sku_text(), "TEE-M");
    assert_eq!(catalog.by_text("TEE").unwrap().sku_text(), "TEE-M");
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
        "code \"TEE\" belongs to both TEE-M and MUG; take it from one of them"
    );
    let mut negative = file();
    negative.items[0].price = Money(-1);
    assert!(matches!(Catalog::new(negative), Err(CatalogError::Price { .. })));
    let mut class = file();
    class.items[0].tax_class = "Z".into();
    assert!(matches!(Catalog::new(class), Err(CatalogError::UnknownTaxClass { .. })));
}

/// A file with these items.
fn with(items: Value) -> Result<Catalog, CatalogError> {
    Catalog::new(read(items).unwrap())
}

fn read(items: Value) -> Result<CatalogFile, serde_json::Error> {
    serde_json::from_value(json!({
        "version": 1, "currency": "EUR", "prices": "exclusive",
        "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}],
        "units": [{"code": "kg", "name": "kilogram"}],
        "items": items,
    }))
}

fn item(sku: &str, more: Value) -> Value {
    let mut item = json!({"sku": sku, "name": sku, "tax_class": "A", "price": 100});
    for (field, value) in more.as_object().unwrap() {
        item[field] = value.clone();
    }
    item
}

#[test]
fn every_property_of_an_item_is_kept() {
    let image = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let catalog = with(json!([
        item("BOTTLE", json!({"discountable": false})),
        item(
            "WINE",
            json!({"name": "Wein \u{1f377} 0,75 l", "codes": ["4006381333931", "96385074", "HOUSE-1"], "category": "drinks/wine/red",
            "sold_by": "measure", "unit": "kg", "min_age": 18, "track": "lot", "open_price": true, "deposit": "BOTTLE", "image": image})
        ),
        item(
            "BOX",
            json!({"bundle": [{"sku": "WINE", "quantity": 1500}, {"sku": "BOTTLE", "quantity": 6000}]})
        )
    ]))
    .unwrap();
    let wine = catalog.by_text("HOUSE-1").unwrap();
    assert_eq!((wine.sku().as_str(), wine.name()), ("WINE", "Wein \u{1f377} 0,75 l"));
    assert_eq!(wine.codes().collect::<Vec<_>>(), ["4006381333931", "96385074", "HOUSE-1"]);
    assert_eq!(
        (wine.category(), wine.unit(), wine.min_age()),
        (Some("drinks/wine/red"), Some("kg"), Some(18))
    );
    assert_eq!(
        (wine.sold_by(), wine.track(), wine.open_price(), wine.discountable()),
        (SoldBy::Measure, Track::Lot, true, true)
    );
    assert_eq!(
        (wine.deposit().unwrap().sku_text(), wine.image().unwrap().to_string()),
        ("BOTTLE", image.to_owned())
    );
    assert_eq!((wine.tax_class().code.as_str(), wine.list_price()), ("A", Money(100)));
    let plain = catalog.by_text("BOTTLE").unwrap();
    assert_eq!(
        (plain.category(), plain.unit(), plain.min_age(), plain.track(), plain.discountable()),
        (None, None, None, Track::None, false)
    );
    let parts: Vec<_> = catalog
        .by_text("BOX")
        .unwrap()
        .bundle()
        .map(|(part, quantity)| (part.sku(), quantity.0))
        .collect();
    assert_eq!(parts, [("WINE".parse().unwrap(), 1500), ("BOTTLE".parse().unwrap(), 6000)]);
    assert_eq!(catalog.items().map(Item::sku_text).collect::<Vec<_>>(), ["BOTTLE", "WINE", "BOX"]);
    assert_eq!(catalog.by_gtin("96385074".parse().unwrap()), Some(wine));
}

#[test]
fn sizes_and_colours_are_found_by_their_options() {
    let tee = |sku: &str, size: &str, colour: &str| item(sku, json!({"variant_of": "TEE", "options": {"size": size, "colour": colour}}));
    let catalog = with(json!([
        tee("TEE-M-RED", "M", "red"),
        item("TEE", json!({})),
        tee("TEE-M-BLUE", "M", "blue"),
        tee("TEE-L-RED", "L", "red")
    ]))
    .unwrap();
    let parent = catalog.by_text("TEE").unwrap();
    let skus = |items: &mut dyn Iterator<Item = Item<'_>>| -> Vec<String> { items.map(|item| item.sku_text().to_owned()).collect() };
    assert_eq!(skus(&mut parent.variants()), ["TEE-M-RED", "TEE-M-BLUE", "TEE-L-RED"]);
    assert_eq!(skus(&mut parent.variants_with(&[("size", "M")])), ["TEE-M-RED", "TEE-M-BLUE"]);
    assert_eq!(skus(&mut parent.variants_with(&[("size", "L"), ("colour", "red")])), ["TEE-L-RED"]);
    assert!(skus(&mut parent.variants_with(&[("size", "XL")])).is_empty());
    let red = catalog.by_text("TEE-M-RED").unwrap();
    assert_eq!(red.variant_of(), Some(parent));
    assert_eq!(red.options().collect::<Vec<_>>(), [("colour", "red"), ("size", "M")]);
}

#[test]
fn mistakes_in_items_are_named_by_item() {
    let says = |items: Value, sentence: &str| assert_eq!(with(items).unwrap_err().to_string(), sentence);
    let one = |more: Value| json!([item("X", more), item("Y", json!({}))]);
    says(
        one(json!({"unit": "lb"})),
        "item X: unit \"lb\" is empty, too long, or not one of the catalog's units",
    );
    says(one(json!({"min_age": 0})), "item X: its age limit 0 is not between 1 and 99");
    says(
        one(json!({"category": "a/"})),
        "item X: category \"a/\" is no path; write it like drinks/beer, at most 100 letters",
    );
    says(
        one(json!({"codes": [""]})),
        "item X: code \"\" is empty, not printable or longer than 100 letters",
    );
    says(one(json!({"codes": vec!["1"; 101]})), "item X: it has more than 100 codes");
    says(
        one(json!({"variant_of": "Z"})),
        "item X: it is a variant of Z, which is not in the catalog",
    );
    says(
        one(json!({"variant_of": "X"})),
        "item X: it is a variant of X, which is itself a variant or this item",
    );
    says(
        one(json!({"options": {"size": "M"}})),
        "item X: it has options but is no variant; name the item with variant_of",
    );
    says(
        one(json!({"deposit": "X"})),
        "item X: its deposit X is not in the catalog, has a deposit itself, or is this item",
    );
    says(
        one(json!({"bundle": [{"sku": "Y", "quantity": 1500}]})),
        "item X: its bundle holds 1500 thousandths of Y, which is no quantity of it",
    );
    says(
        one(json!({"bundle": [{"sku": "Z", "quantity": 1000}]})),
        "item X: its bundle holds Z, which is not in the catalog, a bundle itself, or named twice",
    );
    let chain = |field: &str| json!([item("X", json!({field: "Y"})), item("Y", json!({field: "Z"})), item("Z", json!({}))]);
    says(
        chain("variant_of"),
        "item X: it is a variant of Y, which is itself a variant or this item",
    );
    says(
        chain("deposit"),
        "item X: its deposit Y is not in the catalog, has a deposit itself, or is this item",
    );
    let variants = |other: Value| {
        json!([
            item("P", json!({})),
            item("X", json!({"variant_of": "P", "options": {"size": "M"}})),
            item("Y", json!({"variant_of": "P", "options": other}))
        ])
    };
    says(variants(json!({"size": "M"})), "item Y: it has the same options as X");
    says(
        variants(json!({"colour": "red"})),
        "item Y: its options are named otherwise than those of X; give all variants of an item the same options",
    );
    says(
        json!([item("X", json!({})), item("X", json!({}))]),
        "item X is in the catalog twice; leave one of them out",
    );
    // The same product number in another form is the same code.
    says(
        json!([
            item("X", json!({"codes": ["614141000036"]})),
            item("Y", json!({"codes": ["0614141000036"]}))
        ]),
        "code \"0614141000036\" belongs to both X and Y; take it from one of them",
    );
    assert!(with(json!([item("X", json!({"codes": ["614141000036", "0614141000036", "A", "A"]}))])).is_ok());
    let unknown = read(one(json!({"colour": "red"}))).unwrap_err().to_string();
    assert!(unknown.starts_with("unknown field `colour`"), "{unknown}");
}

#[test]
fn a_copy_with_a_new_price_shares_the_items() {
    let catalog = Catalog::new(file()).unwrap();
    let mut copy = catalog.clone();
    let change = |price: i64, second: i64| PriceChange {
        sku: "MUG".parse().unwrap(),
        price: Money(price),
        currency: catalog.currency(),
        effective_at: at(second),
    };
    copy.schedule(2, &change(700, 100)).unwrap();
    copy.schedule(3, &change(600, 100)).unwrap();
    copy.schedule(1, &change(500, 50)).unwrap();
    assert!(Arc::ptr_eq(catalog.shelf(), copy.shelf()));
    let price = |catalog: &Catalog, second: i64| {
        let (price, version) = catalog.price(catalog.by_text("MUG").unwrap(), at(second));
        (price.0, version.directive)
    };
    assert_eq!(price(&catalog, 100), (850, 0));
    assert_eq!(
        [49, 50, 99, 100].map(|second| price(&copy, second)),
        [(850, 0), (500, 1), (500, 1), (600, 3)]
    );
}

proptest! {
    #[test]
    fn what_is_put_on_the_shelf_is_found_and_nothing_else(
        skus in prop::collection::btree_set("[A-Z]{1,3}", 1..60),
        codes in prop::collection::btree_set("[a-z0-9]{1,3}", 0..60),
        asked in prop::collection::vec("[A-Za-z0-9]{1,3}", 20),
    ) {
        let mut codes = codes.iter();
        let items: Vec<Value> = skus.iter().map(|sku| {
            let own: Vec<&String> = codes.by_ref().take(2).collect();
            item(sku, json!({"codes": own}))
        }).collect();
        let file = read(json!(items)).unwrap();
        let catalog = Catalog::new(file.clone()).unwrap();
        for asked in asked.iter().chain(&skus) {
            let by_code = file.items.iter().find(|item| item.codes.contains(asked));
            let expected = by_code.or(file.items.iter().find(|item| item.sku.as_str() == asked.as_str()));
            prop_assert_eq!(catalog.by_text(asked).map(|item| item.sku()), expected.map(|item| item.sku.clone()));
        }
        for item in &file.items {
            let found = catalog.by_sku(&item.sku).unwrap();
            prop_assert_eq!(found.codes().collect::<Vec<_>>(), item.codes.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_file_is_written_as_it_was_read(price in 0..10_000_i64, age in prop::option::of(1..99_u8)) {
        let mut items = json!([item("X", json!({"price": price, "category": "a/b", "codes": ["q"]})), item("Y", json!({"deposit": "X"}))]);
        if let Some(age) = age {
            items[0]["min_age"] = json!(age);
        }
        let file = read(items).unwrap();
        let text = serde_json::to_string(&file).unwrap();
        prop_assert_eq!(serde_json::from_str::<CatalogFile>(&text).unwrap(), file);
    }
}
