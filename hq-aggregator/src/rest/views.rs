//! What the portal shows: stores, products, sales, the day, the quarantine.

use actix_web::{HttpResponse, web};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::json;

use backroom_core::ids::StoreId;

use crate::tenant::clocks;
use crate::tenant::reports::{SaleCursor, shown};

use super::Portal;
use super::problem::Problem;
use super::session::Session;

const PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;

pub async fn stores(session: Session, portal: web::Data<Portal>) -> Result<HttpResponse, Problem> {
    let room = &session.room;
    let mut stores = Vec::new();
    for store in portal.control.stores(room.db.tenant()).await? {
        let standing = room.db.standing(store.store).await?;
        let mut moment = room.db.snapshot().await?;
        let clock = clocks::clock(&mut moment, store.store).await?;
        let held_to = clocks::held_to(&mut moment, store.store).await?;
        drop(moment);
        let last_seen = room.last_heard(store.store).max(standing.announced_at);
        stores.push(json!({
            "store": store.store,
            "name": store.name,
            "connected": room.is_connected(store.store),
            "last_seen": last_seen.map(shown),
            "epoch": standing.epoch,
            "head": standing.head,
            "held": standing.held,
            "applied": standing.applied,
            "lag_entries": standing.head.0 - standing.held.0,
            "directives_through": standing.directives_through,
            "directives_pending": standing.directives_pending,
            "quarantine": standing.open_cases,
            "zone": clock.as_ref().map(|clock| &clock.zone),
            "currency": clock.as_ref().map(|clock| &clock.currency),
            "held_to": held_to.map(|at| shown(at.as_micros())),
        }));
    }
    Ok(HttpResponse::Ok().json(json!({ "stores": stores })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductsQuestion {
    #[serde(default)]
    q: String,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub async fn products(session: Session, question: web::Query<ProductsQuestion>) -> Result<HttpResponse, Problem> {
    let limit = page(question.limit)?;
    let after = match &question.cursor {
        Some(cursor) => text(cursor)?,
        None => String::new(),
    };
    if question.q.chars().count() > 100 {
        return Err(Problem::bad_request("query", &"q has more than 100 characters"));
    }
    let products = session.room.db.products(&question.q, &after, limit).await?;
    let full = products.len() == limit as usize;
    let next = products
        .last()
        .filter(|_| full)
        .map(|last| BASE64URL_NOPAD.encode(last.sku.as_bytes()));
    Ok(HttpResponse::Ok().json(json!({ "products": products, "next_cursor": next })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SalesQuestion {
    store: Option<String>,
    day: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub async fn sales(session: Session, question: web::Query<SalesQuestion>) -> Result<HttpResponse, Problem> {
    let limit = page(question.limit)?;
    let store = question.store.as_deref().map(store).transpose()?;
    let day = question.day.as_deref().map(day).transpose()?;
    let before = question.cursor.as_deref().map(sale_cursor).transpose()?;
    let store = store.as_ref().map(StoreId::as_str);
    let (sales, next) = session.room.db.sales(store, day.as_deref(), before.as_ref(), limit).await?;
    let next = next.map(|end| {
        let parts = (end.at, end.store, end.epoch, end.seq);
        BASE64URL_NOPAD.encode(json!(parts).to_string().as_bytes())
    });
    Ok(HttpResponse::Ok().json(json!({ "sales": sales, "next_cursor": next })))
}

/// The same without pages: a file has all rows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SheetQuestion {
    pub store: Option<String>,
    pub day: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayQuestion {
    day: String,
    store: Option<String>,
}

pub async fn daily(session: Session, question: web::Query<DayQuestion>) -> Result<HttpResponse, Problem> {
    let day = day(&question.day)?;
    let store = question.store.as_deref().map(store).transpose()?;
    let totals = session.room.db.day(&day, store.as_ref().map(StoreId::as_str)).await?;
    Ok(HttpResponse::Ok().json(json!({ "day": day, "store": store, "totals": totals })))
}

pub async fn quarantine(session: Session) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(json!({ "cases": session.room.db.open_cases().await? })))
}

fn page(limit: Option<u32>) -> Result<u32, Problem> {
    match limit.unwrap_or(PAGE) {
        limit @ 1..=LARGEST_PAGE => Ok(limit),
        _ => Err(Problem::bad_request("query", &format!("limit is 1 to {LARGEST_PAGE}"))),
    }
}

pub fn store(text: &str) -> Result<StoreId, Problem> {
    text.parse().map_err(|error| Problem::bad_request("query", &error))
}

pub fn day(text: &str) -> Result<String, Problem> {
    let day: Result<jiff::civil::Date, _> = text.parse();
    day.map(|day| day.to_string())
        .map_err(|_| Problem::bad_request("query", &"day is a date such as 2026-11-21"))
}

fn text(cursor: &str) -> Result<String, Problem> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| Problem::bad_request("query", &"cursor is not one that was handed out"))
}

fn sale_cursor(cursor: &str) -> Result<SaleCursor, Problem> {
    let (at, store, epoch, seq) =
        serde_json::from_str(&text(cursor)?).map_err(|_| Problem::bad_request("query", &"cursor is not one that was handed out"))?;
    Ok(SaleCursor { at, store, epoch, seq })
}
