//! The first thing a manager sees: today in every shop, beside the day before, by the clock of each shop.
//!
//! Sums are made in `tenant`; nothing here adds two currencies, and nothing hides that a shop's figures may be old.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use backroom_core::time::Instant;

use crate::control::Store;
use crate::db::now_micros;
use crate::tenant::reports::shown;
use crate::tenant::{clocks, hours};

use super::Portal;
use super::problem::Problem;
use super::session::Session;

pub async fn today(session: Session, portal: web::Data<Portal>) -> Result<HttpResponse, Problem> {
    let now = Instant::from_micros(now_micros()).map_err(|_| Problem::fault())?;
    let mut shops = Vec::new();
    for store in portal.control.stores(session.room.db.tenant()).await? {
        shops.push(shop(&session, &store, now).await?);
    }
    Ok(HttpResponse::Ok().json(json!({ "at": shown(now.as_micros()), "stores": shops })))
}

async fn shop(session: &Session, store: &Store, now: Instant) -> Result<Value, Problem> {
    let room = &session.room;
    let standing = room.db.standing(store.store).await?;
    let mut moment = room.db.snapshot().await?;
    let mut shop = json!({
        "store": store.store,
        "name": store.name,
        "connected": room.is_connected(store.store),
        "last_seen": room.last_heard(store.store).max(standing.announced_at).map(shown),
        "waiting": standing.head.0 - standing.held.0,
        "unread": standing.held.0 - standing.applied.0.min(standing.held.0),
        "quarantine": standing.open_cases,
        "held_to": clocks::held_to(&mut moment, store.store).await?.map(|at| shown(at.as_micros())),
        "zone": null, "currency": null, "day": null, "day_before": null, "first_hour": 0,
        "today": [], "before_by_now": [], "before": [], "hours": [], "hours_before": [],
    });
    // A shop that was never heard of has no clock, hence no today.
    if let Some(clock) = clocks::clock(&mut moment, store.store).await? {
        let then = clock.a_day_before(now);
        let (day, before) = (clock.business_day(now).to_string(), clock.business_day(then).to_string());
        shop["today"] = json!(hours::trade(&mut moment, store.store, &day, None).await?);
        shop["before_by_now"] = json!(hours::trade(&mut moment, store.store, &before, Some(then)).await?);
        shop["before"] = json!(hours::trade(&mut moment, store.store, &before, None).await?);
        shop["hours"] = json!(hours::hours(&mut moment, store.store, &day, &clock).await?);
        shop["hours_before"] = json!(hours::hours(&mut moment, store.store, &before, &clock).await?);
        shop["zone"] = json!(clock.zone);
        shop["currency"] = json!(clock.currency);
        shop["first_hour"] = json!(clock.first_hour);
        shop["day"] = json!(day);
        shop["day_before"] = json!(before);
    }
    Ok(shop)
}
