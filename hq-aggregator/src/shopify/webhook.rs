//! Messages from Shopify: whether the signature is right, what they say, and what head office does about it.
//!
//! Receiving is HTTP's business (`rest::shopify`); here nothing waits for anybody. Messages come at least once and in no order.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use backroom_core::catalog::{PriceChange, Sku};
use backroom_core::money::{Currency, LARGEST_AMOUNT, Money};
use backroom_core::time::Instant;

use crate::db::{DbError, now_micros};
use crate::room::Room;
use crate::tenant::directives::{Answered, Once};
use crate::tenant::shopify::deliveries::Delivery;
use crate::tenant::shopify::{Item, Link};

/// Who orders a price that was changed at Shopify.
const LOGIN: &str = "shopify";
const AT_A_TIME: u32 = 20;

/// Whether one of the secrets made the signature, compared in constant time.
pub fn is_signed(secrets: &[String], body: &[u8], signature: &str) -> bool {
    let Ok(signature) = BASE64.decode(signature.as_bytes()) else {
        return false;
    };
    let made_by = |secret: &String| {
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).is_ok_and(|mut mac| {
            mac.update(body);
            mac.verify_slice(&signature).is_ok()
        })
    };
    !signature.is_empty() && secrets.iter().filter(|secret| made_by(secret)).count() > 0
}

/// `products/create` and `products/update`, as far as it is used.
#[derive(Debug, Deserialize)]
struct Product {
    #[serde(default)]
    title: String,
    updated_at: jiff::Timestamp,
    #[serde(default)]
    variants: Vec<Variant>,
}

#[derive(Debug, Deserialize)]
struct Variant {
    id: u64,
    inventory_item_id: Option<u64>,
    sku: Option<String>,
    price: Option<String>,
}

/// Works on what came in. What it does twice because it was killed in between, it does once: each order of prices has a key.
pub async fn work(room: &Room, link: &Link) -> Result<(), DbError> {
    loop {
        let received = room.db.shopify_received(AT_A_TIME).await?;
        if received.is_empty() {
            return Ok(());
        }
        for delivery in received {
            let said = match delivery.topic.as_str() {
                "products/create" | "products/update" => product(room, link, &delivery).await?,
                other => format!("nothing is done for {}", other.chars().take(60).collect::<String>()),
            };
            tracing::info!(tenant = %room.db.tenant(), webhook = delivery.webhook_id, topic = delivery.topic, said, "a message from Shopify");
            room.db.shopify_worked_on(&delivery.webhook_id, &said).await?;
        }
    }
}

async fn product(room: &Room, link: &Link, delivery: &Delivery) -> Result<String, DbError> {
    let product: Product = match serde_json::from_slice(&delivery.body) {
        Ok(product) => product,
        Err(error) => return Ok(format!("the message can not be read: {error}")),
    };
    let mut said = Vec::new();
    for variant in &product.variants {
        let Some(sku) = variant.sku.as_deref().filter(|sku| !sku.is_empty()) else {
            continue;
        };
        let item = Item {
            sku: sku.chars().take(255).collect(),
            variant: format!("gid://shopify/ProductVariant/{}", variant.id),
            item: format!("gid://shopify/InventoryItem/{}", variant.inventory_item_id.unwrap_or_default()),
            title: product.title.chars().take(255).collect(),
            price: variant.price.clone().unwrap_or_default().chars().take(40).collect(),
            said_at: product.updated_at.as_microsecond(),
        };
        if !room.db.shopify_keep_item(&item).await? {
            said.push(format!("{sku}: something newer is known"));
            continue;
        }
        room.db.shopify_hurry(sku).await?;
        said.push(format!("{sku}: {}", price(room, link, delivery, sku, &item.price).await?));
    }
    if said.is_empty() {
        said.push("no variant has an item number".to_owned());
    }
    Ok(said.join("; "))
}

/// Orders a price in the connected shops where it is another one.
async fn price(room: &Room, link: &Link, delivery: &Delivery, sku: &str, price: &str) -> Result<String, DbError> {
    let known = match sku.parse::<Sku>() {
        Ok(sku) if room.db.has_product(&sku).await? => Some(sku),
        _ => None,
    };
    let Some(sku) = known else {
        return Ok("not in the catalog; it is listed".to_owned());
    };
    let Some(currency) = room.db.currency().await? else {
        return Ok("head office has no catalog yet".to_owned());
    };
    if link.currency.as_deref() != Some(currency.code()) {
        return Ok(format!("the price is not in {}; nothing was ordered", currency.code()));
    }
    let Some(wanted) = minor_units(price, currency) else {
        return Ok(format!("{price:?} is no price; nothing was ordered"));
    };
    let stores: Vec<_> = room
        .db
        .prices_in_connected_stores(sku.as_str())
        .await?
        .into_iter()
        .filter(|(_, price)| *price != wanted.0)
        .map(|(store, _)| store)
        .collect();
    if stores.is_empty() {
        return Ok("the price is as it was".to_owned());
    }
    let change = PriceChange {
        sku: sku.clone(),
        price: wanted,
        currency,
        effective_at: Instant::from_micros(now_micros()).unwrap_or(Instant::EPOCH),
    };
    let key = format!("{}:{sku}", delivery.webhook_id);
    let asked = json!({ "sku": sku, "price": wanted.0 }).to_string();
    let once = Once {
        login: LOGIN,
        key: &key,
        asked: &asked,
    };
    let answered = room
        .db
        .order_price(&stores, &change, LOGIN, Some(once), |made| json!(made).to_string())
        .await?;
    Ok(match answered {
        Answered::Now(made) => {
            room.orders.notify_one();
            format!("{} ordered in {} shops", currency.show(wanted), made.len())
        }
        Answered::Before(_) | Answered::OtherQuestion => "the price was ordered before".to_owned(),
    })
}

/// `12.50` in the currency's minor units; digits beyond them may only be zeros.
fn minor_units(text: &str, currency: Currency) -> Option<Money> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) {
        return None;
    }
    let decimals = currency.decimals() as usize;
    let (kept, beyond) = part.split_at(part.len().min(decimals));
    if beyond.bytes().any(|digit| digit != b'0') {
        return None;
    }
    let amount: i64 = format!("{whole}{kept:0<decimals$}").parse().ok()?;
    (amount <= LARGEST_AMOUNT).then_some(Money(amount))
}

/// For fuzzers: any bytes are a message of Shopify with its price or refused, and nobody who lacks the secret signs one.
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert!(!is_signed(&["a secret of this test".to_owned()], bytes, &text));
    drop(serde_json::from_slice::<Product>(bytes));
    for currency in ["JPY", "EUR", "KWD", "CLF"].iter().filter_map(|code| code.parse::<Currency>().ok()) {
        if let Some(price) = minor_units(&text, currency) {
            assert_eq!(minor_units(&currency.digits(price), currency), Some(price));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_right_secret_over_the_very_bytes_counts() {
        // Computed with openssl dgst -sha256 -hmac.
        let signature = "A971iWIMgT8Zj9A9eWfikrFj7wQ16/Qwcc4OlRl2PLc=";
        let secrets = ["old".to_owned(), "secret".to_owned()];
        let body = br#"{"id":1}"#;
        let ours = {
            let mut mac = Hmac::<Sha256>::new_from_slice(b"secret").unwrap();
            mac.update(body);
            BASE64.encode(&mac.finalize().into_bytes())
        };
        assert_eq!(ours, signature);
        assert!(is_signed(&secrets, body, signature));
        assert!(!is_signed(&secrets, br#"{"id":2}"#, signature));
        assert!(!is_signed(&["other".to_owned()], body, signature));
        for wrong in ["", "no base64 at all!", "AAAA"] {
            assert!(!is_signed(&secrets, body, wrong), "{wrong:?}");
        }
        assert!(!is_signed(&[], body, signature));
    }

    #[test]
    fn a_price_is_exact_in_the_currency_or_none() {
        let euro: Currency = "EUR".parse().unwrap();
        let yen: Currency = "JPY".parse().unwrap();
        assert_eq!(minor_units("12.5", euro), Some(Money(1250)));
        assert_eq!(minor_units("12", euro), Some(Money(1200)));
        assert_eq!(minor_units("500.00", yen), Some(Money(500)));
        for wrong in ["", ".5", "-1.00", "1.005", "1e3", "99999999999999999999"] {
            assert_eq!(minor_units(wrong, euro), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn any_message_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), price in "[0-9.+-]{0,24}", number in any::<i64>()) {
            fuzz_one(&bytes);
            fuzz_one(price.as_bytes());
            let body = format!(r#"{{"title":"T","updated_at":"2026-11-21T10:00:00Z","variants":[{{"id":{number},"sku":"A","price":"{price}"}}]}}"#);
            fuzz_one(body.as_bytes());
        }
    }
}
