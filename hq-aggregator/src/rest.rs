//! The portal's HTTP interface, `/api/v1`: who may ask, what is answered, and how an error looks.
//!
//! Owns routes and limits. The tenant of a request comes from its token and from nowhere else. Queries and rules live in
//! `tenant`; pages stand in `pages`.

mod closer;
mod login;
mod orders;
pub mod problem;
mod session;
mod sheets;
mod shopify;
mod throttle;
mod today;
mod views;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::json;
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

use crate::broker::server::Health;
use crate::control::ControlDb;
use crate::pages;
use crate::room::Rooms;
use crate::shopify::vault::Vault;

use self::problem::Problem;
use self::throttle::Throttle;

const LARGEST_BODY: usize = 256 << 10;
/// Hashing a password takes memory and a core; more at a time would only wait for each other.
const PASSWORDS_AT_A_TIME: usize = 2;
const CLIENT_WITHIN: Duration = Duration::from_secs(10);
const STOP_WITHIN_SECONDS: u64 = 5;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("{0} can be reached from other machines; until TLS is there, listen on a loopback address such as 127.0.0.1:7420")]
    NotLoopback(SocketAddr),
    #[error("could not listen on {address}; stop what uses it, or choose another --http address")]
    Taken { address: SocketAddr, source: std::io::Error },
}

/// What every request can reach.
pub struct Portal {
    pub control: Arc<ControlDb>,
    pub rooms: Rooms,
    pub broker: watch::Receiver<Health>,
    pub vault: Vault,
    throttle: Throttle,
    passwords: Semaphore,
}

impl Portal {
    pub fn new(control: Arc<ControlDb>, rooms: Rooms, broker: watch::Receiver<Health>, vault: Vault) -> Portal {
        Portal {
            control,
            rooms,
            broker,
            vault,
            throttle: Throttle::default(),
            passwords: Semaphore::new(PASSWORDS_AT_A_TIME),
        }
    }
}

pub fn check_loopback(address: SocketAddr) -> Result<(), ListenError> {
    if address.ip().is_loopback() {
        Ok(())
    } else {
        Err(ListenError::NotLoopback(address))
    }
}

pub fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    check_loopback(address)?;
    TcpListener::bind(address).map_err(|source| ListenError::Taken { address, source })
}

/// The server; it runs once it is awaited, and stops in order through its handle.
pub fn serve(listener: TcpListener, portal: Arc<Portal>) -> std::io::Result<Server> {
    let portal = web::Data::from(portal);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(portal.clone())
            .app_data(web::PayloadConfig::new(LARGEST_BODY))
            .app_data(
                web::JsonConfig::default()
                    .limit(LARGEST_BODY)
                    .error_handler(|error, _| problem::of_json(&error).into()),
            )
            .app_data(web::QueryConfig::default().error_handler(|error, _| Problem::bad_request("query", &error).into()))
            .app_data(web::PathConfig::default().error_handler(|error, _| Problem::bad_request("path", &error).into()))
            .wrap(from_fn(dress))
            .configure(routes)
            .default_service(web::to(page_or_nothing))
    });
    let server = server
        .workers(1)
        .disable_signals()
        .client_request_timeout(CLIENT_WITHIN)
        .shutdown_timeout(STOP_WITHIN_SECONDS)
        .listen(listener)?;
    Ok(server.run())
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/healthz", web::get().to(healthz))
        .route("/readyz", web::get().to(readyz))
        .route("/webhooks/shopify/{tenant}", web::post().to(shopify::receive))
        .service(
            web::scope("/api/v1")
                .wrap(from_fn(session::required))
                .service(
                    web::resource(login::PATH)
                        .route(web::post().to(login::login))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource(login::SESSION_PATH)
                        .route(web::post().to(login::enter))
                        .route(web::get().to(login::who))
                        .route(web::delete().to(login::leave))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/stores")
                        .route(web::get().to(views::stores))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/products")
                        .route(web::get().to(views::products))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/products/{sku}")
                        .route(web::get().to(closer::product))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/products/{sku}/price")
                        .route(web::put().to(orders::set_price))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/sales")
                        .route(web::get().to(views::sales))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/sales.csv")
                        .route(web::get().to(sheets::sales))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/sales/{store}/{epoch}/{seq}")
                        .route(web::get().to(closer::sale))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/reports/today")
                        .route(web::get().to(today::today))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/reports/daily")
                        .route(web::get().to(views::daily))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/shopify")
                        .route(web::get().to(shopify::standing))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/quarantine")
                        .route(web::get().to(views::quarantine))
                        .default_service(web::to(wrong_method)),
                )
                .default_service(web::to(nothing_here)),
        );
}

/// Outside of the interface there are the pages.
async fn page_or_nothing(request: HttpRequest) -> Result<HttpResponse, Problem> {
    match pages::answer(&request) {
        Some(page) => Ok(page),
        None => nothing_here().await,
    }
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::new(
        404,
        "not_found",
        "there is nothing at this address; see docs/contracts.md for what there is",
    ))
}

async fn wrong_method() -> Result<HttpResponse, Problem> {
    Err(Problem::new(
        405,
        "method_not_allowed",
        "this address does not take that method; see docs/contracts.md",
    ))
}

/// The process runs.
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "ok": true }))
}

/// It can do its work; if not, says what fails.
async fn readyz(portal: web::Data<Portal>) -> HttpResponse {
    let mut failing = Vec::new();
    if !matches!(*portal.broker.borrow(), Health::Running { .. }) {
        failing.push("broker");
    }
    if portal.control.tenants().await.is_err() {
        failing.push("database");
    }
    let ok = failing.is_empty();
    let mut answer = if ok {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    answer.json(json!({ "ok": ok, "failing": failing }))
}

/// Gives each request an id, each error its form, and writes one line per request into the log.
async fn dress(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let id = Uuid::now_v7().to_string();
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let response = next.call(request).await?.map_into_boxed_body();
    let mut response = problem::with_request_id(response, &id);
    let status = response.status().as_u16();
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A page says itself how long it may be kept; answers about a company are kept by nobody.
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(request_id = id, %method, path, status, took_ms, "answered");
    Ok(response)
}
