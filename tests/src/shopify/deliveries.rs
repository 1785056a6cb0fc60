//! Webhooks on their way out: the body, its signature and headers, and what the receiver said.

use std::time::Duration;

use anyhow::{Context, Result};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use super::shop::Variant;

/// Shopify gives a receiver this long.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// One message for one receiver.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub url: String,
    pub topic: &'static str,
    pub domain: String,
    pub api_version: String,
    pub webhook_id: String,
    pub body: Vec<u8>,
    pub signature: String,
}

/// What the receiver answered; no status when it did not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivered {
    pub webhook_id: String,
    pub status: Option<u16>,
}

impl Delivery {
    pub fn new(url: &str, topic: &'static str, domain: &str, api_version: &str, secret: &str, body: Vec<u8>) -> Result<Self> {
        Ok(Self {
            url: url.to_owned(),
            topic,
            domain: domain.to_owned(),
            api_version: api_version.to_owned(),
            webhook_id: Uuid::now_v7().to_string(),
            signature: sign(secret, &body)?,
            body,
        })
    }

    pub async fn send(&self, client: &reqwest::Client) -> Delivered {
        let sent = client
            .post(&self.url)
            .timeout(ANSWER_WITHIN)
            .header("Content-Type", "application/json")
            .header("X-Shopify-Topic", self.topic)
            .header("X-Shopify-Hmac-Sha256", &self.signature)
            .header("X-Shopify-Shop-Domain", &self.domain)
            .header("X-Shopify-API-Version", &self.api_version)
            .header("X-Shopify-Webhook-Id", &self.webhook_id)
            .header("X-Shopify-Event-Id", Uuid::now_v7().to_string())
            .header("X-Shopify-Triggered-At", Timestamp::now().to_string())
            .body(self.body.clone())
            .send()
            .await;
        Delivered {
            webhook_id: self.webhook_id.clone(),
            status: sent.ok().map(|answer| answer.status().as_u16()),
        }
    }
}

/// Base64 of the HMAC-SHA256 over the body as it goes out.
pub fn sign(secret: &str, body: &[u8]) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).context("the secret can not be used")?;
    mac.update(body);
    Ok(BASE64.encode(&mac.finalize().into_bytes()))
}

/// The body of `products/update`.
pub fn product(variant: &Variant) -> Value {
    json!({
        "id": variant.number, "admin_graphql_api_id": variant.product(), "title": variant.title, "updated_at": Timestamp::now(),
        "variants": [{
            "id": variant.number, "admin_graphql_api_id": variant.id(), "product_id": variant.number, "title": "Default Title",
            "sku": variant.sku, "price": variant.price, "inventory_item_id": variant.number,
        }],
    })
}
