//! The HTTP port: health, readiness and metrics; the pages and what they ask for stand in `web`.

use std::net::{SocketAddr, TcpListener};

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, web};
use backroom_actors::store::Store;
use backroom_actors::supervisor::ChildState;

use crate::serve::STOP_PATIENCE;
use crate::web::House;

/// Serves on a listener that is bound already, so that the ready line can name its port.
pub fn serve(listener: TcpListener, house: House) -> std::io::Result<(ServerHandle, SocketAddr)> {
    let address = listener.local_addr()?;
    let store = web::Data::new(house.store.clone());
    let house = web::Data::new(house);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(store.clone())
            .app_data(house.clone())
            .route("/healthz", web::get().to(healthz))
            .route("/readyz", web::get().to(readyz))
            .route("/metrics", web::get().to(metrics))
            .configure(crate::web::routes)
            .wrap(from_fn(crate::web::at_home))
            .wrap(crate::web::manners())
    })
    .workers(2)
    // A page that was closed is noticed at once, and with it its streams end.
    .h1_allow_half_closed(false)
    .shutdown_timeout(STOP_PATIENCE.as_secs())
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok((handle, address))
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"ok": true}))
}

/// Ready while every actor runs; else the failing ones are named.
async fn readyz(store: web::Data<Store>) -> HttpResponse {
    let down: Vec<String> = store
        .actors()
        .await
        .into_iter()
        .filter(|actor| actor.state != ChildState::Running)
        .map(|actor| actor.name)
        .collect();
    let body = serde_json::json!({"ready": down.is_empty(), "down": down});
    if down.is_empty() {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

async fn metrics(store: web::Data<Store>) -> HttpResponse {
    let link = store.link().borrow().clone();
    let head = store.head();
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, value: u64| {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"));
    };
    gauge("backroom_journal_epoch", "Epoch of the journal.", u64::from(head.epoch.0));
    gauge("backroom_journal_entries", "Entries of the current epoch.", head.seq.0);
    gauge(
        "backroom_journal_unheld_entries",
        "Entries that are not proven to be at head office.",
        link.unheld,
    );
    gauge(
        "backroom_hq_connected",
        "1 while head office's broker can be reached.",
        u64::from(link.connected),
    );
    text.push_str("# HELP backroom_journal_flushes_total Flushes of the journal; commands that wait share one.\n# TYPE backroom_journal_flushes_total counter\n");
    text.push_str(&format!("backroom_journal_flushes_total {}\n", store.shop().journal.flushes()));
    let actors = store.actors().await;
    text.push_str("# HELP backroom_actor_restarts_total Restarts of an actor since the start of the box.\n# TYPE backroom_actor_restarts_total counter\n");
    for actor in actors {
        // Registers are few and their names are codes of a-z, 0-9 and '-'.
        text.push_str(&format!(
            "backroom_actor_restarts_total{{actor=\"{}\"}} {}\n",
            actor.name, actor.restarts
        ));
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text)
}
