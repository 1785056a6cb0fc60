//! One thing looked at closely: an item with all its price orders, a sale with its lines.

use actix_web::{HttpResponse, web};
use serde_json::json;

use backroom_core::catalog::Sku;
use backroom_core::facts::Fact;
use backroom_core::ids::StoreId;

use crate::tenant::clocks;
use crate::tenant::reports::shown;

use super::problem::Problem;
use super::session::Session;

pub async fn product(session: Session, sku: web::Path<String>) -> Result<HttpResponse, Problem> {
    let sku: Sku = sku.parse().map_err(|error| Problem::new(404, "unknown_item", format!("{error}")))?;
    let product = session.room.db.product(&sku).await?;
    let product = product.ok_or_else(|| Problem::new(404, "unknown_item", format!("item {sku} is not in the catalog")))?;
    let orders = session.room.db.price_orders(&sku).await?;
    Ok(HttpResponse::Ok().json(json!({ "product": product, "orders": orders })))
}

/// The closed ticket as the store's journal has it.
pub async fn sale(session: Session, place: web::Path<(String, u32, i64)>) -> Result<HttpResponse, Problem> {
    let (store, epoch, seq) = place.into_inner();
    let unknown = || Problem::new(404, "unknown_sale", "there is no such sale");
    let store: StoreId = store.parse().map_err(|_| unknown())?;
    let mut moment = session.room.db.snapshot().await?;
    let clock = clocks::clock(&mut moment, store).await?;
    let entry = clocks::entry(&mut moment, store, epoch, seq).await?.ok_or_else(unknown)?;
    let (header, hash) = (entry.header, entry.hash);
    let Some(Fact::TicketClosed(ticket)) = clocks::fact(entry) else {
        return Err(unknown());
    };
    Ok(HttpResponse::Ok().json(json!({
        "store": store,
        "epoch": epoch,
        "seq": seq,
        "at": shown(header.at.as_micros()),
        "business_day": header.business_day.to_string(),
        "zone": clock.map(|clock| clock.zone),
        "staff": header.staff.map(|staff| staff.to_string()),
        "hash": hash.to_string(),
        "receipt": ticket.receipt.as_ref().map(ToString::to_string),
        "original": ticket.original.as_ref().map(ToString::to_string),
        "ticket": ticket,
    })))
}
