//! Stock in the stand-in's shop: an item is counted at a place, its level is set, its level is changed.
//!
//! Nothing is ever committed to an order here, so what is available is what is on hand.

use std::collections::btree_map::Entry;

use serde_json::{Value, json};

use super::shop::{No, Shop, UserError};

/// The reasons Shopify lists for a change that an app makes.
const REASONS: [&str; 8] = [
    "correction",
    "cycle_count_available",
    "damaged",
    "other",
    "promotion",
    "received",
    "restock",
    "shrinkage",
];
const LARGEST_LEVEL: i64 = 1_000_000_000;
const LARGEST_DELTA: i64 = 2_000_000_000;
const MOST_ENTRIES: usize = 250;

/// `inventoryActivate`.
pub fn activate(shop: &mut Shop, arguments: &Value) -> Result<Value, No> {
    let (item, location) = (text(arguments, "inventoryItemId"), text(arguments, "locationId"));
    let sku = known(shop, &item, &location)?;
    let counted = (item.clone(), location.clone());
    if let Entry::Vacant(free) = shop.levels.entry(counted) {
        free.insert(0);
        shop.ledger.write("activated", &json!({ "sku": sku, "location": location }))?;
    }
    Ok(json!({ "inventoryLevel": level(shop, &item, &location), "userErrors": [] }))
}

/// `inventorySetQuantities`.
pub fn set(shop: &mut Shop, arguments: &Value, key: &str) -> Result<Value, No> {
    let input = &arguments["input"];
    if !["available", "on_hand"].contains(&text(input, "name").as_str()) {
        return Err(UserError::new("INVALID_NAME", &["input", "name"], "the quantity name must be available or on_hand").into());
    }
    check_document(input)?;
    let entries = entries(input, "quantities")?;
    let mut to_do = Vec::with_capacity(entries.len());
    for entry in entries {
        let (item, location) = (text(entry, "inventoryItemId"), text(entry, "locationId"));
        let sku = known(shop, &item, &location)?;
        let from = counted(shop, &item, &location)?;
        check_base(entry, from)?;
        let to = entry["quantity"].as_i64().unwrap_or_default();
        if to < 0 {
            return Err(UserError::new("INVALID_QUANTITY_NEGATIVE", &["input", "quantities"], "the quantity is negative").into());
        }
        if to > LARGEST_LEVEL {
            return Err(UserError::new("INVALID_QUANTITY_TOO_HIGH", &["input", "quantities"], "the quantity is too high").into());
        }
        to_do.push((item, location, sku, from, to));
    }
    for (item, location, sku, from, to) in to_do {
        let what =
            json!({ "sku": sku, "location": location, "from": from, "to": to, "key": key, "document": input["referenceDocumentUri"] });
        shop.ledger.write("level_set", &what)?;
        shop.levels.insert((item, location), to);
    }
    Ok(adjusted(shop))
}

/// `inventoryAdjustQuantities`.
pub fn adjust(shop: &mut Shop, arguments: &Value, key: &str) -> Result<Value, No> {
    let input = &arguments["input"];
    if text(input, "name") != "available" {
        return Err(UserError::new("INVALID_QUANTITY_NAME", &["input", "name"], "only available can be adjusted here").into());
    }
    check_document(input)?;
    let entries = entries(input, "changes")?;
    let mut to_do = Vec::with_capacity(entries.len());
    for entry in entries {
        if !entry["ledgerDocumentUri"].is_null() {
            return Err(UserError::new(
                "INVALID_AVAILABLE_DOCUMENT",
                &["input", "changes"],
                "available takes no ledger document",
            )
            .into());
        }
        let (item, location) = (text(entry, "inventoryItemId"), text(entry, "locationId"));
        let sku = known(shop, &item, &location)?;
        let from = counted(shop, &item, &location)?;
        check_base(entry, from)?;
        let delta = entry["delta"].as_i64().unwrap_or_default();
        if delta.abs() > LARGEST_DELTA {
            return Err(UserError::new("INVALID_QUANTITY_TOO_HIGH", &["input", "changes"], "the change is too large").into());
        }
        to_do.push((item, location, sku, delta));
    }
    for (item, location, sku, delta) in to_do {
        let counted = (item, location);
        let after = shop.levels.get(&counted).copied().unwrap_or_default() + delta;
        let what = json!({
            "sku": sku, "location": counted.1, "delta": delta, "after": after, "key": key, "document": input["referenceDocumentUri"],
        });
        shop.ledger.write("level_changed", &what)?;
        shop.levels.insert(counted, after);
    }
    Ok(adjusted(shop))
}

/// An `InventoryLevel`, or null where the item is not counted.
pub fn level(shop: &Shop, item: &str, location: &str) -> Value {
    match shop.levels.get(&(item.to_owned(), location.to_owned())) {
        Some(on_hand) => json!({ "on_hand": on_hand, "available": on_hand }),
        None => Value::Null,
    }
}

fn adjusted(shop: &mut Shop) -> Value {
    json!({ "inventoryAdjustmentGroup": { "id": shop.new_id("InventoryAdjustmentGroup") }, "userErrors": [] })
}

fn text(of: &Value, name: &str) -> String {
    of[name].as_str().unwrap_or_default().to_owned()
}

fn entries<'a>(input: &'a Value, name: &str) -> Result<&'a Vec<Value>, No> {
    let entries = input[name].as_array().ok_or_else(|| No::Question(format!("{name} is no list")))?;
    if entries.len() > MOST_ENTRIES {
        return Err(No::Question(format!("the list {name} has more than {MOST_ENTRIES} entries")));
    }
    Ok(entries)
}

fn check_document(input: &Value) -> Result<(), No> {
    if !REASONS.contains(&text(input, "reason").as_str()) {
        return Err(UserError::new("INVALID_REASON", &["input", "reason"], "the reason is not one of Shopify's").into());
    }
    let document = text(input, "referenceDocumentUri");
    let fits = input["referenceDocumentUri"].is_null()
        || (document.starts_with("gid://") && !document.starts_with("gid://shopify/") && document.split('/').count() >= 5);
    if !fits {
        let message = "the document is no address of another program";
        return Err(UserError::new("INVALID_REFERENCE_DOCUMENT", &["input", "referenceDocumentUri"], message).into());
    }
    Ok(())
}

/// The item's number, when both it and the place exist.
fn known(shop: &Shop, item: &str, location: &str) -> Result<String, No> {
    let Some(variant) = shop.variant_by_item(item) else {
        return Err(UserError::new("INVALID_INVENTORY_ITEM", &["input"], format!("there is no inventory item {item}")).into());
    };
    if !shop.has_location(location) {
        return Err(UserError::new("INVALID_LOCATION", &["input"], format!("there is no location {location}")).into());
    }
    Ok(variant.sku.clone())
}

fn counted(shop: &Shop, item: &str, location: &str) -> Result<i64, No> {
    let found = shop.levels.get(&(item.to_owned(), location.to_owned())).copied();
    found.ok_or_else(|| UserError::new("INVALID_LOCATION", &["input"], format!("{item} is not stocked at {location}")).into())
}

/// Since 2026-04 it must be said what the change stands on, if only that one does not care (null).
fn check_base(entry: &Value, from: i64) -> Result<(), No> {
    match entry.get("changeFromQuantity") {
        None => Err(No::Question("changeFromQuantity must be given, a number or null".to_owned())),
        Some(Value::Null) => Ok(()),
        Some(base) if base.as_i64() == Some(from) => Ok(()),
        Some(base) => {
            let message = format!("changeFromQuantity is {base}, but {from} are there");
            Err(UserError::new("CHANGE_FROM_QUANTITY_STALE", &["input"], message).into())
        }
    }
}
