//! Stock: what a shop holds when it is connected, and each difference after that.

use serde_json::{Value, json};

use backroom_core::money::Quantity;

use crate::db::DbError;
use crate::shopify::client::Client;
use crate::shopify::operations::{self, Operation};
use crate::tenant::shopify::Item;
use crate::tenant::shopify::outbox::{End, Row};

use super::{NOTHING, Sender, Stopped, Told, UserError, user_error};

/// An item that Shopify does not know is looked for again after this, or once Shopify says that a product has changed.
const LOOK_FOR_ITEM_MICROS: i64 = 600 * 1_000_000;
/// New keys a row may use up on things that should not happen twice.
const MOST_REPAIRS: i64 = 3;

/// An item as Shopify knows it, and its level at the place that was asked for.
pub struct Found {
    pub item: Item,
    pub on_hand: Option<i64>,
}

pub async fn level(sender: &Sender, client: &Client, row: &Row, location: &str) -> Result<(), Stopped> {
    let mut built = None;
    if row.sent.is_none() {
        let Some(wanted) = whole_pieces(sender, row).await? else {
            return Ok(());
        };
        if wanted < 0 {
            let why = format!(
                "the shop's count of {} is below zero, which Shopify does not take; count it",
                row.sku
            );
            return sender.end(row, End::Refused, None, Some(&why)).await;
        }
        let Some(found) = find(sender, client, row, location).await? else {
            return Ok(());
        };
        let base = match found.on_hand {
            Some(base) => base,
            None => match activate(sender, client, row, location, &found.item).await? {
                Some(base) => base,
                None => return Ok(()),
            },
        };
        if base == wanted {
            return sender.end(row, End::Done, None, None).await;
        }
        built = Some(json!({ "input": {
            "name": "on_hand", "reason": "correction", "referenceDocumentUri": format!("gid://backroom/Count/{}", row.key),
            "quantities": [{
                "inventoryItemId": found.item.item, "locationId": location, "quantity": wanted, "changeFromQuantity": base,
            }],
        }}));
    }
    tell(sender, client, row, location, &operations::LEVEL, built).await
}

pub async fn change(sender: &Sender, client: &Client, row: &Row, location: &str) -> Result<(), Stopped> {
    let mut built = None;
    if row.sent.is_none() {
        let Some(delta) = whole_pieces(sender, row).await? else {
            return Ok(());
        };
        let item = match sender.room.db.shopify_item(&row.sku).await? {
            Some(item) => item,
            None => match find(sender, client, row, location).await? {
                Some(found) => found.item,
                None => return Ok(()),
            },
        };
        // The goods have left the shop or come back, whatever Shopify thought it had: the change stands on nothing.
        built = Some(json!({ "input": {
            "name": "available", "reason": if delta < 0 { "other" } else { "restock" },
            "referenceDocumentUri": format!("gid://backroom/Transaction/{}", row.key),
            "changes": [{ "inventoryItemId": item.item, "locationId": location, "delta": delta, "changeFromQuantity": Value::Null }],
        }}));
    }
    tell(sender, client, row, location, &operations::CHANGE, built).await
}

async fn tell(
    sender: &Sender,
    client: &Client,
    row: &Row,
    location: &str,
    operation: &Operation,
    built: Option<Value>,
) -> Result<(), Stopped> {
    let Told::Answer(payload) = sender.ask_keyed(client, row, operation, built).await? else {
        return Ok(());
    };
    match user_error(&payload) {
        None => {
            let answer = payload["inventoryAdjustmentGroup"]["id"].as_str();
            sender.end(row, End::Done, answer, None).await
        }
        Some(error) => refused(sender, client, row, location, &error).await,
    }
}

/// What a user error means for the next try.
async fn refused(sender: &Sender, client: &Client, row: &Row, location: &str, error: &UserError) -> Result<(), Stopped> {
    match error.code.as_str() {
        // The first question is still being worked on: the same key, a moment later.
        "IDEMPOTENCY_CONCURRENT_REQUEST" | NOTHING => sender.put_off(row, &error.message).await,
        // It did not happen, and with this key it never will.
        "CHANGE_FROM_QUANTITY_STALE" | "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED" | "SERVICE_UNAVAILABLE" | "ADJUST_QUANTITIES_FAILED" => {
            sender.begin_anew(row).await
        }
        "IDEMPOTENCY_KEY_PARAMETER_MISMATCH" => {
            let why = "Shopify has heard something else under this key; compare with Shopify by hand";
            sender.end(row, End::Unclear, None, Some(why)).await
        }
        // What Shopify called it may be an old name.
        "INVALID_INVENTORY_ITEM" if row.attempt < MOST_REPAIRS => {
            sender.room.db.shopify_forget_item(&row.sku).await?;
            sender.begin_anew(row).await
        }
        // Not counted at that place yet.
        "INVALID_LOCATION" if row.attempt < MOST_REPAIRS => {
            let Some(found) = find(sender, client, row, location).await? else {
                return Ok(());
            };
            if found.on_hand.is_none() && activate(sender, client, row, location, &found.item).await?.is_none() {
                return Ok(());
            }
            sender.begin_anew(row).await
        }
        _ => {
            let why = format!("Shopify refused it: {}", error.message);
            sender.end(row, End::Refused, None, Some(&why)).await
        }
    }
}

/// The row's amount in pieces; what is sold by weight ends here.
async fn whole_pieces(sender: &Sender, row: &Row) -> Result<Option<i64>, Stopped> {
    let thousandths: i64 = row.body.parse().map_err(|_| DbError::damaged("an amount of stock", &row.body))?;
    if thousandths % Quantity::ONE.0 == 0 {
        return Ok(Some(thousandths / Quantity::ONE.0));
    }
    let why = format!(
        "{} of {} is no whole number of pieces, and Shopify counts nothing else",
        Quantity(thousandths),
        row.sku
    );
    sender.end(row, End::Skipped, None, Some(&why)).await?;
    Ok(None)
}

/// Asks Shopify for the row's item. One that it does not know is put off: somebody may make the product yet.
async fn find(sender: &Sender, client: &Client, row: &Row, location: &str) -> Result<Option<Found>, Stopped> {
    match look_up(client, &row.sku, location).await? {
        LookUp::Found(found) => {
            sender.room.db.shopify_keep_item(&found.item).await?;
            Ok(Some(found))
        }
        LookUp::Unknown => {
            let why = format!("Shopify has no product with the number {}; it is told once there is one", row.sku);
            sender.room.db.shopify_put_off(row.number, LOOK_FOR_ITEM_MICROS, Some(&why)).await?;
            Ok(None)
        }
        LookUp::Several => {
            let why = format!("Shopify has several products with the number {}; leave it to one of them", row.sku);
            sender.room.db.shopify_put_off(row.number, LOOK_FOR_ITEM_MICROS, Some(&why)).await?;
            Ok(None)
        }
    }
}

pub enum LookUp {
    Found(Found),
    Unknown,
    Several,
}

/// The search brings back more than what was asked for; only the very number counts.
pub async fn look_up(client: &Client, sku: &str, location: &str) -> Result<LookUp, Stopped> {
    let variables = json!({ "query": format!("sku:\"{sku}\""), "location": location });
    let answer = client.ask(&operations::ITEM, &variables).await?;
    let nodes = answer[operations::ITEM.field]["nodes"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut exact = nodes.iter().filter(|node| node["sku"] == sku);
    let (Some(node), another) = (exact.next(), exact.next()) else {
        return Ok(LookUp::Unknown);
    };
    if another.is_some() {
        return Ok(LookUp::Several);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let item = Item {
        sku: sku.to_owned(),
        variant: text(&node["id"]),
        item: text(&node["inventoryItem"]["id"]),
        title: text(&node["displayName"]),
        price: text(&node["price"]),
        said_at: 0,
    };
    let on_hand = on_hand(&node["inventoryItem"]["inventoryLevel"]);
    Ok(LookUp::Found(Found { item, on_hand }))
}

/// Lets the item be counted at the place; what it then holds there. `None` when the row was settled instead.
async fn activate(sender: &Sender, client: &Client, row: &Row, location: &str, item: &Item) -> Result<Option<i64>, Stopped> {
    let key = format!("{}-activate-{}", row.attempt_key(), row.tries);
    let variables = json!({ "item": item.item, "location": location, "key": key });
    let answer = client.ask(&operations::ACTIVATE, &variables).await?;
    let payload = &answer[operations::ACTIVATE.field];
    match user_error(payload) {
        None => Ok(Some(on_hand(&payload["inventoryLevel"]).unwrap_or_default())),
        Some(error) => {
            let why = format!("Shopify does not count {} at that place: {}", row.sku, error.message);
            sender.put_off(row, &why).await?;
            Ok(None)
        }
    }
}

fn on_hand(level: &Value) -> Option<i64> {
    let quantities = level["quantities"].as_array()?;
    quantities.iter().find(|quantity| quantity["name"] == "on_hand")?["quantity"].as_i64()
}
