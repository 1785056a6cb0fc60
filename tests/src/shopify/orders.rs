//! Orders in the stand-in's shop: a sale comes in, a sale is given back, and a field that makes sales unique.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::money::{hundredths, shown};
use super::shop::{Line, No, Order, Shop, Transaction, UserError};

/// `metafieldDefinitionCreate`, for orders.
pub fn define(shop: &mut Shop, arguments: &Value) -> Result<Value, No> {
    let definition = &arguments["definition"];
    let key = text(definition, "key");
    if text(definition, "ownerType") != "ORDER" || text(definition, "type") != "id" {
        return Err(No::Question("this stand-in knows fields of the type id on orders only".to_owned()));
    }
    if definition["capabilities"]["uniqueValues"]["enabled"] != json!(true) {
        let message = "the type id needs the capability of unique values";
        return Err(UserError::new("CAPABILITY_REQUIRED_BUT_DISABLED", &["definition"], message).into());
    }
    if shop.unique_fields.contains(&key) {
        return Err(UserError::new("TAKEN", &["definition", "key"], "the key is in use").into());
    }
    shop.ledger.write("definition_created", &json!({ "key": key }))?;
    shop.unique_fields.push(key);
    Ok(json!({ "createdDefinition": { "id": shop.new_id("MetafieldDefinition") }, "userErrors": [] }))
}

/// `orderCreate`. It takes no key: asked twice, it makes two, unless a unique field says no.
pub fn create(shop: &mut Shop, arguments: &Value) -> Result<Value, No> {
    let order = &arguments["order"];
    if !matches!(arguments["options"]["inventoryBehaviour"].as_str(), None | Some("BYPASS")) {
        return Err(No::Question("this stand-in lets no order move stock".to_owned()));
    }
    let metafields = unique_values(shop, order)?;
    let lines = lines(shop, order)?;
    let total = total(order, &lines)?;
    let transactions = transactions(shop, order)?;
    let processed_at = processed_at(order)?;
    if let Some(location) = order["fulfillment"]["locationId"].as_str()
        && !shop.has_location(location)
    {
        return Err(invalid(&["order", "fulfillment"], "the location does not exist"));
    }
    let order = Order {
        id: shop.new_id("Order"),
        name: format!("#{}", 1001 + shop.orders.len()),
        source_identifier: order["sourceIdentifier"].as_str().map(str::to_owned),
        note: order["note"].as_str().map(str::to_owned),
        processed_at,
        total,
        refunded: 0,
        lines,
        transactions,
        metafields,
        hidden_from_search: shop.search_lag,
    };
    let line = |line: &Line| json!({ "sku": line.sku, "title": line.title, "quantity": line.quantity, "price": shown(line.price) });
    let paid = |paid: &Transaction| json!({ "kind": paid.kind, "gateway": paid.gateway, "amount": shown(paid.amount) });
    let what = json!({
        "order": order.id, "name": order.name, "source_identifier": order.source_identifier, "note": order.note,
        "total": shown(total), "currency": shop.currency, "lines": order.lines.iter().map(line).collect::<Vec<_>>(),
        "transactions": order.transactions.iter().map(paid).collect::<Vec<_>>(),
    });
    shop.ledger.write("order_created", &what)?;
    let answer = json!({ "order": shown_order(&order), "userErrors": [] });
    shop.orders.push(order);
    Ok(answer)
}

/// `refundCreate`.
pub fn refund(shop: &mut Shop, arguments: &Value, key: &str) -> Result<Value, No> {
    let input = &arguments["input"];
    let id = shop.new_id("Refund");
    let wanted = text(input, "orderId");
    let none = Vec::new();
    let asked_lines = input["refundLineItems"].as_array().unwrap_or(&none);
    let asked_money = input["transactions"].as_array().unwrap_or(&none);
    let Some(order) = shop.orders.iter_mut().find(|order| order.id == wanted) else {
        return Err(invalid(&["input", "orderId"], "the order does not exist"));
    };
    let mut changed = order.clone();
    for asked in asked_lines {
        let (line, quantity) = (text(asked, "lineItemId"), asked["quantity"].as_i64().unwrap_or_default());
        let found = changed.lines.iter_mut().find(|known| known.id == line);
        let found = found.ok_or_else(|| invalid(&["input", "refundLineItems"], "the line does not exist"))?;
        found.refunded += quantity;
        if quantity < 1 || found.refunded > found.quantity {
            return Err(invalid(&["input", "refundLineItems"], "more than was sold can not be taken back"));
        }
    }
    let mut amount = 0;
    for asked in asked_money {
        let wrong = || invalid(&["input", "transactions"], "the payment does not fit the order");
        let parent = asked["parentId"].as_str();
        if parent.is_some_and(|parent| !order.transactions.iter().any(|paid| paid.id == parent)) || text(asked, "kind") != "REFUND" {
            return Err(wrong());
        }
        amount += hundredths(&text(asked, "amount")).ok_or_else(wrong)?;
    }
    changed.refunded += amount;
    if changed.refunded > changed.total && input["allowOverRefunding"] != json!(true) {
        return Err(invalid(&["input", "transactions"], "more than was paid can not be given back"));
    }
    let what =
        json!({ "refund": id, "order": changed.id, "source_identifier": changed.source_identifier, "amount": shown(amount), "key": key });
    shop.ledger.write("refund_created", &what)?;
    *order = changed;
    Ok(json!({ "refund": { "id": id }, "userErrors": [] }))
}

/// The order whose unique field holds a value, or that has an id.
pub fn by_identifier(shop: &Shop, identifier: &Value) -> Result<Value, No> {
    if identifier["id"].is_null() == identifier["customId"].is_null() {
        return Err(No::Question("an identifier is an id or a customId, and not both".to_owned()));
    }
    if let Some(id) = identifier["id"].as_str() {
        return Ok(shop.order(id).map_or(Value::Null, shown_order));
    }
    let (key, value) = (text(&identifier["customId"], "key"), text(&identifier["customId"], "value"));
    if !shop.unique_fields.contains(&key) {
        return Err(No::Question(format!("there is no unique field {key}")));
    }
    let found = shop
        .orders
        .iter()
        .find(|order| order.metafields.iter().any(|held| *held == (key.clone(), value.clone())));
    Ok(found.map_or(Value::Null, shown_order))
}

/// The search, which may lag behind. Takes `source_identifier:...` and nothing else.
pub fn search(shop: &mut Shop, query: &str) -> Result<Vec<Value>, No> {
    let Some(wanted) = query.strip_prefix("source_identifier:") else {
        return Err(No::Question(format!("this stand-in can not search for {query:?}")));
    };
    let wanted = wanted.trim_matches('"');
    let mut found = Vec::new();
    for order in &mut shop.orders {
        if order.source_identifier.as_deref() != Some(wanted) {
            continue;
        }
        match order.hidden_from_search {
            0 => found.push(shown_order(order)),
            _ => order.hidden_from_search -= 1,
        }
    }
    Ok(found)
}

pub fn shown_order(order: &Order) -> Value {
    let line = |line: &Line| json!({ "id": line.id, "sku": line.sku, "quantity": line.quantity });
    let paid = |paid: &Transaction| json!({ "id": paid.id, "kind": paid.kind });
    json!({
        "id": order.id, "name": order.name, "sourceIdentifier": order.source_identifier,
        "lineItems": { "nodes": order.lines.iter().map(line).collect::<Vec<_>>() },
        "transactions": order.transactions.iter().map(paid).collect::<Vec<_>>(),
    })
}

fn text(of: &Value, name: &str) -> String {
    of[name].as_str().unwrap_or_default().to_owned()
}

fn invalid(field: &[&str], message: &str) -> No {
    UserError::new("INVALID", field, message).into()
}

fn unique_values(shop: &Shop, order: &Value) -> Result<Vec<(String, String)>, No> {
    let none = Vec::new();
    let mut values = Vec::new();
    for metafield in order["metafields"].as_array().unwrap_or(&none) {
        let held = (text(metafield, "key"), text(metafield, "value"));
        let taken = shop.orders.iter().any(|order| order.metafields.contains(&held));
        if shop.unique_fields.contains(&held.0) && taken {
            return Err(invalid(&["order", "metafields"], "the value is in use"));
        }
        values.push(held);
    }
    Ok(values)
}

fn lines(shop: &mut Shop, order: &Value) -> Result<Vec<Line>, No> {
    let asked = order["lineItems"].as_array().cloned().unwrap_or_default();
    if asked.is_empty() {
        return Err(invalid(&["order", "lineItems"], "an order has at least one line"));
    }
    let has_own_taxes = asked.iter().any(|line| !line["taxLines"].is_null());
    if has_own_taxes && !order["taxLines"].is_null() {
        return Err(invalid(
            &["order", "taxLines"],
            "taxes stand on the order or on its lines, not on both",
        ));
    }
    let mut lines = Vec::with_capacity(asked.len());
    for line in &asked {
        let variant = match line["variantId"].as_str() {
            Some(id) => {
                let found = shop.variants.iter().find(|variant| variant.id() == id);
                Some(
                    found
                        .cloned()
                        .ok_or_else(|| invalid(&["order", "lineItems"], "the variant does not exist"))?,
                )
            }
            None => None,
        };
        let title = line["title"]
            .as_str()
            .map(str::to_owned)
            .or_else(|| variant.as_ref().map(|variant| variant.title.clone()));
        let title = title.ok_or_else(|| invalid(&["order", "lineItems"], "a line needs a title or a variant"))?;
        let price = match (amount(shop, &line["priceSet"])?, &variant) {
            (Some(price), _) => price,
            (None, Some(variant)) => hundredths(&variant.price).unwrap_or_default(),
            (None, None) => return Err(invalid(&["order", "lineItems"], "a line needs a price or a variant")),
        };
        let quantity = line["quantity"].as_i64().unwrap_or_default();
        if quantity < 1 {
            return Err(invalid(&["order", "lineItems"], "a line's quantity is at least one"));
        }
        let sku = line["sku"]
            .as_str()
            .map(str::to_owned)
            .or_else(|| variant.map(|variant| variant.sku));
        lines.push(Line {
            id: shop.new_id("LineItem"),
            sku,
            title,
            quantity,
            refunded: 0,
            price,
        });
    }
    Ok(lines)
}

/// The amount of a `MoneyBagInput`, if one is there.
fn amount(shop: &Shop, bag: &Value) -> Result<Option<i64>, No> {
    if bag.is_null() {
        return Ok(None);
    }
    let money = &bag["shopMoney"];
    let found = match &money["amount"] {
        Value::String(text) => hundredths(text),
        Value::Number(number) => hundredths(&number.to_string()),
        _ => None,
    };
    let found = found.ok_or_else(|| invalid(&["order"], "an amount is no amount"))?;
    if text(money, "currencyCode") != shop.currency {
        return Err(invalid(&["order"], "an amount is in another currency than the shop's"));
    }
    Ok(Some(found))
}

fn total(order: &Value, lines: &[Line]) -> Result<i64, No> {
    let goods: i64 = lines.iter().map(|line| line.price * line.quantity).sum();
    let none = Vec::new();
    let mut taxes = 0;
    for tax in order["taxLines"].as_array().unwrap_or(&none) {
        let rate = tax["rate"].as_str().unwrap_or_default();
        if rate.is_empty() || !rate.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            let message = "a rate is a decimal such as 0.19";
            return Err(UserError::new("TAX_LINE_RATE_MISSING", &["order", "taxLines"], message).into());
        }
        let amount = tax["priceSet"]["shopMoney"]["amount"].as_str().and_then(hundredths);
        taxes += amount.ok_or_else(|| invalid(&["order", "taxLines"], "a tax is no amount"))?;
    }
    Ok(if order["taxesIncluded"] == json!(true) {
        goods
    } else {
        goods + taxes
    })
}

fn transactions(shop: &mut Shop, order: &Value) -> Result<Vec<Transaction>, No> {
    let mut all = Vec::new();
    for paid in order["transactions"].as_array().cloned().unwrap_or_default() {
        let amount = amount(shop, &paid["amountSet"])?.ok_or_else(|| invalid(&["order", "transactions"], "a payment needs an amount"))?;
        all.push(Transaction {
            id: shop.new_id("OrderTransaction"),
            kind: text(&paid, "kind"),
            gateway: text(&paid, "gateway"),
            amount,
        });
    }
    Ok(all)
}

/// The true time of the sale; one in the future is taken as now.
fn processed_at(order: &Value) -> Result<String, No> {
    let now = Timestamp::now();
    let Some(text) = order["processedAt"].as_str() else {
        return Ok(now.to_string());
    };
    let at: Timestamp = text.parse().map_err(|_| {
        No::from(UserError::new(
            "PROCESSED_AT_INVALID",
            &["order", "processedAt"],
            "the time can not be read",
        ))
    })?;
    Ok(at.min(now).to_string())
}
