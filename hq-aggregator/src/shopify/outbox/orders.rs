//! Sales and what was taken back of them. `orderCreate` knows no key, so a lost answer is looked for before anything is repeated.

use serde_json::{Value, json};

use crate::db::DbError;
use crate::shopify::client::Client;
use crate::shopify::operations;
use crate::shopify::order::{Refund, SALE_FIELD};
use crate::tenant::shopify::outbox::{End, Row};

use super::stock::{LookUp, look_up};
use super::{NOTHING, SECOND_MICROS, Sender, Stopped, Told, user_error};

/// After a lost answer Shopify is asked so often, so far apart, before the order counts as not made.
const LOOKS: i64 = 2;
const LOOK_AGAIN_MICROS: i64 = 2 * SECOND_MICROS;
/// Refunds' errors have no code. One may only say that the first question is still being worked on.
const MOST_REFUND_TRIES: i64 = 4;

pub async fn order(sender: &Sender, client: &Client, row: &Row, location: &str) -> Result<(), Stopped> {
    if row.is_asked {
        if let Some(known) = known_order(client, &row.key).await? {
            return sender.end(row, End::Done, Some(&known), None).await;
        }
        if row.looked + 1 < LOOKS {
            return Ok(sender.room.db.shopify_looked(row.number, LOOK_AGAIN_MICROS).await?);
        }
    }
    let mut order: Value = serde_json::from_str(&row.body).map_err(|_| DbError::damaged("an order for Shopify", &row.body))?;
    name_products(sender, client, &mut order, location).await?;
    let options = json!({ "inventoryBehaviour": "BYPASS", "sendReceipt": false, "sendFulfillmentReceipt": false });
    let variables = json!({ "order": order, "options": options });
    let told = sender.ask(client, row, &operations::ORDER, &variables, "").await;
    let payload = match told {
        Ok(Told::Answer(payload)) => payload,
        Ok(Told::Settled) => return Ok(()),
        Err(stopped) => {
            // Whatever it did, it may be doing it still.
            sender.room.db.shopify_put_off(row.number, LOOK_AGAIN_MICROS, None).await?;
            return Err(stopped);
        }
    };
    if let Some(id) = payload["order"]["id"].as_str() {
        return sender.end(row, End::Done, Some(id), None).await;
    }
    let Some(error) = user_error(&payload).filter(|error| error.code != NOTHING) else {
        return sender.put_off(row, "Shopify named no order and did not say why").await;
    };
    // The no may mean that the sale is an order already: our field takes each value once.
    match known_order(client, &row.key).await? {
        Some(known) => sender.end(row, End::Done, Some(&known), None).await,
        None => {
            let why = format!("Shopify refused the order: {}", error.message);
            sender.end(row, End::Refused, None, Some(&why)).await
        }
    }
}

async fn known_order(client: &Client, sale_id: &str) -> Result<Option<String>, Stopped> {
    let variables = json!({
        "identifier": { "customId": { "key": SALE_FIELD, "value": sale_id } },
        "query": format!("source_identifier:\"{sale_id}\""),
    });
    let answer = client.ask(&operations::KNOWN_ORDER, &variables).await?;
    if let Some(id) = answer["orderByIdentifier"]["id"].as_str() {
        return Ok(Some(id.to_owned()));
    }
    let nodes = answer["orders"]["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = nodes.iter().find(|node| node["sourceIdentifier"] == sale_id);
    Ok(found.and_then(|node| node["id"].as_str()).map(str::to_owned))
}

/// Says which of Shopify's products each line is, where Shopify knows it. A line without is an order line all the same.
async fn name_products(sender: &Sender, client: &Client, order: &mut Value, location: &str) -> Result<(), Stopped> {
    let Some(lines) = order["lineItems"].as_array_mut() else {
        return Ok(());
    };
    for line in lines {
        let sku = line["sku"].as_str().unwrap_or_default().to_owned();
        let variant = match sender.room.db.shopify_item(&sku).await? {
            Some(item) => Some(item.variant),
            None => match look_up(client, &sku, location).await? {
                LookUp::Found(found) => {
                    sender.room.db.shopify_keep_item(&found.item).await?;
                    Some(found.item.variant)
                }
                LookUp::Unknown | LookUp::Several => None,
            },
        };
        if let Some(variant) = variant {
            line["variantId"] = json!(variant);
        }
    }
    Ok(())
}

pub async fn refund(sender: &Sender, client: &Client, row: &Row) -> Result<(), Stopped> {
    let mut built = None;
    if row.sent.is_none() {
        let refund: Refund = serde_json::from_str(&row.body).map_err(|_| DbError::damaged("a refund for Shopify", &row.body))?;
        let order = match sender.room.db.shopify_order_of(&row.store, &refund.original).await? {
            Some((state, Some(order))) if state == "done" => order,
            Some((state, _)) if state == "waiting" || state == "asked" => {
                return sender.put_off(row, "it waits until its sale is an order").await;
            }
            Some(_) => return sender.end(row, End::Refused, None, Some("its sale is no order at Shopify")).await,
            None => {
                let why = "the sale was made before Shopify was connected; only the stock was told";
                return sender.end(row, End::Skipped, None, Some(why)).await;
            }
        };
        let answer = client.ask(&operations::SOLD, &json!({ "order": order })).await?;
        if answer["order"].is_null() {
            return sender.end(row, End::Refused, None, Some("its order is gone from Shopify")).await;
        }
        built = Some(refund_input(&refund, &order, &answer["order"]));
    }
    let Told::Answer(payload) = sender.ask_keyed(client, row, &operations::REFUND, built).await? else {
        return Ok(());
    };
    match user_error(&payload) {
        None => sender.end(row, End::Done, payload["refund"]["id"].as_str(), None).await,
        Some(error) if error.code == NOTHING || row.tries < MOST_REFUND_TRIES => sender.put_off(row, &error.message).await,
        Some(error) => {
            let why = format!("Shopify refused the refund: {}", error.message);
            sender.end(row, End::Refused, None, Some(&why)).await
        }
    }
}

/// Points at the order's own lines and payment. The goods are back on the shelf by a change of stock, not by the refund.
fn refund_input(refund: &Refund, order: &str, sold: &Value) -> Value {
    let nodes = sold["lineItems"]["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut left: Vec<(&Value, i64)> = nodes
        .iter()
        .map(|node| (node, node["quantity"].as_i64().unwrap_or_default()))
        .collect();
    let mut lines = Vec::new();
    for line in &refund.lines {
        let fits = |(node, left): &&mut (&Value, i64)| node["sku"] == line.sku.as_str() && *left >= line.quantity;
        if let Some((node, left)) = left.iter_mut().find(fits) {
            *left -= line.quantity;
            lines.push(json!({ "lineItemId": node["id"], "quantity": line.quantity, "restockType": "NO_RESTOCK" }));
        }
    }
    let payments = sold["transactions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let parent = payments
        .iter()
        .find(|payment| payment["kind"] == "SALE")
        .map(|payment| payment["id"].clone());
    let transactions: Vec<Value> = refund
        .given_back
        .iter()
        .map(|given| json!({ "orderId": order, "parentId": parent, "kind": "REFUND", "gateway": given.gateway, "amount": given.amount }))
        .collect();
    json!({ "input": {
        "orderId": order, "note": refund.note, "processedAt": refund.processed_at, "currency": refund.currency, "notify": false,
        "refundLineItems": lines, "transactions": transactions,
    }})
}
