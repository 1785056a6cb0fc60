//! The line to Shopify over HTTP: how it stands, for the portal; and Shopify's own messages, which need no session but a signature.
//!
//! A message is checked, kept and answered here; what it means is worked on later, by the company's sender.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use backroom_core::ids::TenantId;

use crate::shopify::webhook;
use crate::tenant::reports::shown;
use crate::tenant::shopify::deliveries::Delivery;

use super::Portal;
use super::problem::Problem;
use super::session::Session;

/// A product with two thousand variants has a few megabytes.
const LARGEST_MESSAGE: usize = 4 << 20;
const LONGEST_HEADER: usize = 255;
const MOST_LISTED: u32 = 50;

pub async fn standing(session: Session) -> Result<HttpResponse, Problem> {
    let db = &session.room.db;
    let Some(link) = db.shopify_link().await? else {
        return Ok(HttpResponse::Ok().json(json!({ "configured": false, "connected": false })));
    };
    let mut waiting = json!({ "level": 0, "change": 0, "order": 0, "refund": 0 });
    let mut told = waiting.clone();
    let (mut all_waiting, mut not_told) = (0, 0);
    for count in db.shopify_counts().await? {
        match count.state.as_str() {
            "waiting" | "asked" => {
                all_waiting += count.rows;
                waiting[&count.kind] = json!(waiting[&count.kind].as_i64().unwrap_or_default() + count.rows);
            }
            "done" => told[&count.kind] = json!(count.rows),
            _ => not_told += count.rows,
        }
    }
    let locations = db.shopify_locations().await?;
    let locations: Vec<_> = locations
        .into_iter()
        .map(|(store, location)| json!({ "store": store, "location": location }))
        .collect();
    let error = link
        .trouble
        .as_ref()
        .map(|trouble| json!({ "sentence": trouble, "since": link.trouble_at.map(shown) }));
    Ok(HttpResponse::Ok().json(json!({
        "configured": true,
        "connected": link.checked_at.is_some() && link.trouble.is_none(),
        "shop": link.shop_name,
        "domain": link.domain,
        "url": link.url,
        "api_version": link.api_version,
        "currency": link.currency,
        "connected_at": shown(link.connected_at),
        "checked_at": link.checked_at.map(shown),
        "locations": locations,
        "waiting": waiting,
        "waiting_all": all_waiting,
        "told": told,
        "not_told": not_told,
        "last_error": error,
        "stuck": db.shopify_stuck(MOST_LISTED).await?,
        "unknown_products": db.shopify_unknown(MOST_LISTED).await?,
        "messages": db.shopify_deliveries(MOST_LISTED).await?,
    })))
}

/// Whoever can not sign learns nothing: not whether the company exists, not whether it is connected.
pub async fn receive(
    request: HttpRequest,
    portal: web::Data<Portal>,
    tenant: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let headers = request.headers();
    let (Some(signature), Some(webhook_id), Some(topic), Some(domain)) = (
        header(headers, "x-shopify-hmac-sha256"),
        header(headers, "x-shopify-webhook-id"),
        header(headers, "x-shopify-topic"),
        header(headers, "x-shopify-shop-domain"),
    ) else {
        return Err(not_signed());
    };
    let tenant: TenantId = tenant.parse().map_err(|_| not_signed())?;
    let room = portal.rooms.get(tenant).ok_or_else(not_signed)?;
    let link = room.db.shopify_link().await?.ok_or_else(not_signed)?;
    let secrets = portal.vault.read(tenant).map_err(|_| not_signed())?;
    let Ok(body) = body.to_bytes_limited(LARGEST_MESSAGE).await else {
        return Err(Problem::new(
            413,
            "too_large",
            format!("the message is larger than the {LARGEST_MESSAGE} bytes that are taken"),
        ));
    };
    let body = body.map_err(|_| Problem::new(400, "broken_off", "the message did not come whole; send it again"))?;
    // The name is not signed, but one secret may sign for several shops.
    if !webhook::is_signed(&secrets.webhook, &body, signature) || domain != link.domain {
        return Err(not_signed());
    }
    let delivery = Delivery {
        webhook_id: webhook_id.to_owned(),
        topic: topic.to_owned(),
        body: body.to_vec(),
    };
    if room.db.shopify_receive(&delivery).await? {
        room.shopify.notify_one();
    }
    Ok(HttpResponse::Ok().json(json!({})))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?;
    (1..=LONGEST_HEADER).contains(&value.len()).then_some(value)
}

fn not_signed() -> Problem {
    Problem::new(
        401,
        "signature",
        "the message is not signed with the secret of this shop; check the secret given to: hq-aggregator shopify connect",
    )
}
