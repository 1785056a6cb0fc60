//! The HTTP port: health, readiness and metrics; the pages and what they ask for stand in `web`.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, web};
use backroom_actors::store::Store;
use backroom_actors::supervisor::ChildState;
use serde_json::json;

use crate::serve::STOP_PATIENCE;
use crate::web::House;
use crate::{metrics, notify};

/// The actors without which nobody can sell.
const NEEDED: [&str; 6] = ["journal", "worklog", "catalog", "stock", "tills", "staff"];
/// A disk this slow is not ready for customers.
const JOURNAL_ANSWERS_WITHIN: Duration = Duration::from_secs(2);

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

/// The process lives and answers; whether it can sell is another question.
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({"ok": true}))
}

/// Ready while registers can be served: the journal answers, and everything a sale needs runs. A register or a machine that is set aside is
/// named, and does not make the others wait.
async fn readyz(house: web::Data<House>) -> HttpResponse {
    let store = &house.store;
    let mut why = Vec::new();
    if house.closing.is_cancelled() {
        why.push("the box is stopping".to_owned());
    }
    let mut out_of_service = Vec::new();
    for actor in store.actors().await {
        let state = match actor.state {
            ChildState::Running => continue,
            ChildState::Restarting => "restarting",
            ChildState::Quarantined => "quarantined",
            ChildState::Stopped => "stopped",
        };
        if NEEDED.contains(&actor.name.as_str()) {
            why.push(format!("{} is {state}: {}", actor.name, actor.last_error));
        }
        out_of_service.push(json!({"actor": actor.name, "state": state, "why": actor.last_error}));
    }
    if why.is_empty() && !notify::answers(store, JOURNAL_ANSWERS_WITHIN).await {
        why.push(format!("the journal does not answer within {JOURNAL_ANSWERS_WITHIN:?}"));
    }
    let body = json!({"ready": why.is_empty(), "why": why, "out_of_service": out_of_service});
    if why.is_empty() {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

async fn metrics(store: web::Data<Store>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(metrics::page(&store).await)
}
