//! The stand-in's HTTP: Shopify's one address, and a few of its own by which it is told what to do.
//!
//! `POST /admin/api/{version}/graphql.json` is Shopify's. `/` shows what is there. `/control/...` is for tests and the demo:
//! `faults`, `webhook`, `product`, `level`, `forget-keys`, `search-lag` and `state`.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::web::{self, Bytes, Data, Json};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::deliveries::{self, Delivered, Delivery};
use super::faults::{Fault, Faults, Kind};
use super::graphql::{Graph, Question, Told};
use super::page;
use super::shop::Shop;

/// The versions that were supported when this was written.
const VERSIONS: [&str; 4] = ["2026-01", "2026-04", "2026-07", "2026-10"];
const LARGEST_QUESTION: usize = 1 << 20;

/// How the stand-in is set up.
#[derive(Debug)]
pub struct Setup {
    pub shop: Shop,
    pub token: String,
    pub secret: String,
    /// Where webhooks go.
    pub webhook: Option<String>,
    /// Points a question costs come back at this rate.
    pub points_per_second: u64,
}

struct Desk {
    inner: Mutex<Inner>,
    graph: Graph,
    token: String,
    secret: String,
    points_per_second: u64,
    client: reqwest::Client,
}

struct Inner {
    shop: Shop,
    faults: Faults,
    webhook: Option<String>,
    bucket: Bucket,
}

/// What a caller has left to ask with; it fills up again by and by.
struct Bucket {
    left: f64,
    at: Instant,
}

impl Desk {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn most_points(&self) -> f64 {
        self.points_per_second as f64 * 20.0
    }

    /// Takes the points of a question, or says no.
    fn pay(&self, bucket: &mut Bucket, points: u64) -> bool {
        let filled = bucket.left + bucket.at.elapsed().as_secs_f64() * self.points_per_second as f64;
        bucket.left = filled.min(self.most_points());
        bucket.at = Instant::now();
        let enough = bucket.left >= points as f64;
        if enough {
            bucket.left -= points as f64;
        }
        enough
    }

    fn cost(&self, bucket: &Bucket, points: u64, actual: Option<u64>) -> Value {
        json!({
            "requestedQueryCost": points, "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": self.most_points(), "currentlyAvailable": bucket.left.floor(), "restoreRate": self.points_per_second,
            },
        })
    }
}

/// Serves until the process is told to stop. Says the address once it listens.
pub async fn serve(listen: SocketAddr, setup: Setup, ready: impl FnOnce(SocketAddr)) -> Result<()> {
    ensure!(
        listen.ip().is_loopback(),
        "the stand-in listens on this machine only; use an address such as 127.0.0.1:0"
    );
    let listener = TcpListener::bind(listen).with_context(|| format!("could not listen on {listen}"))?;
    let address = listener.local_addr()?;
    let desk = Data::new(Desk {
        inner: Mutex::new(Inner {
            shop: setup.shop,
            faults: Faults::default(),
            webhook: setup.webhook,
            bucket: Bucket {
                left: setup.points_per_second as f64 * 20.0,
                at: Instant::now(),
            },
        }),
        graph: Graph::new()?,
        token: setup.token,
        secret: setup.secret,
        points_per_second: setup.points_per_second,
        client: reqwest::Client::builder().build().context("could not make an HTTP client")?,
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(desk.clone())
            .app_data(web::PayloadConfig::new(LARGEST_QUESTION))
            .app_data(web::JsonConfig::default().limit(LARGEST_QUESTION))
            .route("/", web::get().to(show))
            .route("/admin/api/{version}/graphql.json", web::post().to(ask))
            .route("/control/state", web::get().to(state))
            .route("/control/faults", web::post().to(add_faults))
            .route("/control/faults", web::delete().to(clear_faults))
            .route("/control/webhook", web::post().to(subscribe))
            .route("/control/product", web::post().to(product))
            .route("/control/level", web::post().to(level))
            .route("/control/forget-keys", web::post().to(forget_keys))
            .route("/control/search-lag", web::post().to(search_lag))
    });
    let server = server.workers(2).shutdown_timeout(1).listen(listener)?.run();
    ready(address);
    server.await.context("the stand-in ended by itself")
}

async fn ask(desk: Data<Desk>, request: HttpRequest, version: web::Path<String>, body: Bytes) -> HttpResponse {
    let token = request
        .headers()
        .get("x-shopify-access-token")
        .and_then(|token| token.to_str().ok());
    if token != Some(desk.token.as_str()) {
        return HttpResponse::Unauthorized().json(json!({ "errors": "[API] Invalid API key or access token" }));
    }
    if !VERSIONS.contains(&version.as_str()) {
        return HttpResponse::NotFound().json(json!({ "errors": "Not Found" }));
    }
    let Ok(question) = serde_json::from_slice::<Question>(&body) else {
        return HttpResponse::BadRequest().json(json!({ "errors": "the body is no question in GraphQL over JSON" }));
    };
    let checked = match desk.graph.check(question) {
        Ok(checked) => checked,
        Err(wrong) => return answered(&version, &wrong),
    };
    let (answer, fault) = {
        let mut inner = desk.inner();
        let inner = &mut *inner;
        let fault = inner.faults.take(&checked.asks);
        let kind = fault.as_ref().map(|fault| fault.fault);
        match kind {
            Some(Kind::TooMany) => {
                return HttpResponse::TooManyRequests()
                    .insert_header((header::RETRY_AFTER, "1.0"))
                    .json(json!({ "errors": "Too many" }));
            }
            Some(Kind::Unavailable) => return HttpResponse::ServiceUnavailable().body("away for a moment"),
            Some(Kind::Unauthorized) => return HttpResponse::Unauthorized().json(json!({ "errors": "the token has run out" })),
            Some(Kind::DropQuestion) => return broken_off(),
            _ => {}
        }
        if kind == Some(Kind::Throttle) || !desk.pay(&mut inner.bucket, checked.points) {
            let errors = json!([{ "message": "Throttled", "extensions": { "code": "THROTTLED" } }]);
            let cost = desk.cost(&inner.bucket, checked.points, None);
            return answered(&version, &json!({ "errors": errors, "extensions": { "cost": cost } }));
        }
        let told = match kind {
            Some(Kind::Refuse) if checked.is_mutation => Told::Refuse,
            Some(Kind::Concurrent) if checked.is_mutation => Told::Concurrent,
            _ => Told::Work,
        };
        let mut answer = match desk.graph.answer(&mut inner.shop, &checked, told) {
            Ok(answer) => answer,
            Err(broken) => {
                eprintln!("fake-shopify: {broken:#}");
                return HttpResponse::InternalServerError().body(broken.to_string());
            }
        };
        answer["extensions"] = json!({ "cost": desk.cost(&inner.bucket, checked.points, Some(checked.points)) });
        (answer, fault)
    };
    match fault.as_ref().map(|fault| fault.fault) {
        Some(Kind::UnavailableAfter) => HttpResponse::BadGateway().body("the answer went missing"),
        Some(Kind::DropAnswer) => broken_off(),
        Some(Kind::SlowAnswer) => {
            sleep(Duration::from_millis(fault.map_or(0, |fault| fault.ms))).await;
            answered(&version, &answer)
        }
        _ => answered(&version, &answer),
    }
}

fn answered(version: &str, answer: &Value) -> HttpResponse {
    HttpResponse::Ok().insert_header(("X-Shopify-API-Version", version)).json(answer)
}

/// The head of an answer, and then the connection is gone.
fn broken_off() -> HttpResponse<BoxBody> {
    let gone = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("told to break off")) });
    HttpResponse::Ok().no_chunking(1000).streaming(gone)
}

async fn show(desk: Data<Desk>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(page::page(&desk.inner().shop))
}

async fn state(desk: Data<Desk>) -> HttpResponse {
    let inner = desk.inner();
    let mut state = inner.shop.state();
    state["faults"] = json!(inner.faults.waiting());
    HttpResponse::Ok().json(state)
}

async fn add_faults(desk: Data<Desk>, fault: Json<Fault>) -> HttpResponse {
    desk.inner().faults.add(fault.into_inner());
    HttpResponse::NoContent().finish()
}

async fn clear_faults(desk: Data<Desk>) -> HttpResponse {
    desk.inner().faults.clear();
    HttpResponse::NoContent().finish()
}

/// Where messages go from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscription {
    url: String,
}

async fn subscribe(desk: Data<Desk>, subscription: Json<Subscription>) -> HttpResponse {
    desk.inner().webhook = Some(subscription.into_inner().url);
    HttpResponse::NoContent().finish()
}

/// A merchant changes a product, and Shopify tells about it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    sku: String,
    title: Option<String>,
    price: Option<String>,
    /// How often the same message is delivered.
    #[serde(default = "one")]
    deliveries: u32,
    /// The signature is made with another secret.
    #[serde(default)]
    wrong_signature: bool,
}

fn one() -> u32 {
    1
}

async fn product(desk: Data<Desk>, edit: Json<Edit>) -> HttpResponse {
    match change_product(&desk, edit.into_inner()).await {
        Ok(delivered) => HttpResponse::Ok().json(json!({ "delivered": delivered })),
        Err(error) => HttpResponse::UnprocessableEntity().json(json!({ "error": format!("{error:#}") })),
    }
}

async fn change_product(desk: &Desk, edit: Edit) -> Result<Vec<Delivered>> {
    let secret = if edit.wrong_signature { "another secret" } else { &desk.secret };
    let delivery = {
        let mut inner = desk.inner();
        let variant = inner.shop.put_product(&edit.sku, edit.title.as_deref(), edit.price.as_deref())?;
        let what = json!({ "sku": variant.sku, "title": variant.title, "price": variant.price });
        inner.shop.ledger.write("product_changed", &what)?;
        let Some(url) = inner.webhook.clone() else { return Ok(Vec::new()) };
        let body = deliveries::product(&variant).to_string().into_bytes();
        Delivery::new(&url, "products/update", &inner.shop.domain, VERSIONS[3], secret, body)?
    };
    let mut delivered = Vec::new();
    for _ in 0..edit.deliveries {
        let one = delivery.send(&desk.client).await;
        let what = json!({ "webhook_id": one.webhook_id, "topic": delivery.topic, "status": one.status });
        desk.inner().shop.ledger.write("webhook_sent", &what)?;
        delivered.push(one);
    }
    Ok(delivered)
}

/// Somebody counts or sells at Shopify itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    sku: String,
    location: String,
    on_hand: i64,
}

async fn level(desk: Data<Desk>, count: Json<Count>) -> HttpResponse {
    let mut inner = desk.inner();
    let Some(item) = inner.shop.variant(&count.sku).map(super::shop::Variant::item) else {
        return HttpResponse::NotFound().json(json!({ "error": "there is no such product" }));
    };
    inner.shop.levels.insert((item, count.location.clone()), count.on_hand);
    HttpResponse::NoContent().finish()
}

async fn forget_keys(desk: Data<Desk>) -> HttpResponse {
    desk.inner().shop.keys.clear();
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lag {
    questions: u32,
}

async fn search_lag(desk: Data<Desk>, lag: Json<Lag>) -> HttpResponse {
    desk.inner().shop.search_lag = lag.questions;
    HttpResponse::NoContent().finish()
}
