//! The session of a browser: pairing it, signing in and out, and what a page may know about who it is.
//!
//! Tokens stay in HttpOnly cookies, which no script can read. Pairing and signing in are the same calls as a native register's, so the same
//! command id has the same outcome whichever way it came.

use actix_web::cookie::time::Duration as CookieTime;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::error::JsonPayloadError;
use actix_web::http::header;
use actix_web::web::{self, Data, Json, JsonConfig};
use actix_web::{HttpRequest, HttpResponse, Scope};
use backroom_actors::register::Seat;
use backroom_actors::staff::{Session, Token};
use backroom_protocol::v1::register as wire;
use backroom_protocol::v1::register::register_service_server::RegisterService;
use serde::Deserialize;
use tonic::metadata::MetadataValue;
use tonic::{Request, Status};
use uuid::Uuid;

use super::{House, problem};
use crate::grpc::RegisterDesk;
use crate::grpc::errors::bad_field;

/// Nobody has more to say here.
const LARGEST_BODY: usize = 4096;
/// A device stays a register until it is paired again; browsers keep no cookie longer than this.
const DEVICE_DAYS: i64 = 400;

pub fn scope() -> Scope {
    web::scope("/session")
        .app_data(JsonConfig::default().limit(LARGEST_BODY).error_handler(|error, _| {
            let refusal = not_understood(&error);
            actix_web::error::InternalError::from_response(error, refusal).into()
        }))
        .route("", web::get().to(look))
        .route("/pair", web::post().to(pair))
        .route("/sign-in", web::post().to(sign_in))
        .route("/sign-out", web::post().to(sign_out))
        .default_service(web::to(nothing_here))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    command_id: Uuid,
    pairing_code: String,
    register: String,
    #[serde(default)]
    till: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    command_id: Uuid,
    staff: String,
    pin: String,
    /// The highest position this register has seen, if it kept one.
    #[serde(default)]
    seen: Option<Seen>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    epoch: u32,
    seq: u64,
    /// Hexadecimal.
    hash: String,
}

async fn look(request: HttpRequest, house: Data<House>) -> HttpResponse {
    let (device, session) = (device(&request, &house), person(&request, &house));
    describe(&house, device, session).await
}

async fn pair(house: Data<House>, body: Json<Pair>) -> HttpResponse {
    let said = body.into_inner();
    let enrol = wire::EnrolRequest {
        command: command(said.command_id),
        pairing_code: said.pairing_code,
        register: said.register,
        till: said.till,
    };
    let enrolled = match desk(&house).enrol(Request::new(enrol)).await {
        Ok(enrolled) => enrolled.into_inner(),
        Err(status) => return problem::of(&status),
    };
    let seat = token(&enrolled.device_token).and_then(|token| house.store.shop().passes.borrow().device(&token).ok());
    let mut answer = describe(&house, seat, None).await;
    keep_device(&mut answer, &house, &enrolled.device_token);
    // Whoever was signed in was so at another register.
    forget(&mut answer, session_cookie(&house));
    answer
}

async fn sign_in(request: HttpRequest, house: Data<House>, body: Json<SignIn>) -> HttpResponse {
    let said = body.into_inner();
    let Some(device) = cookie(&request, &device_cookie(&house)) else {
        return problem::of(&crate::grpc::errors::pass(backroom_actors::staff::PassError::NotEnrolled));
    };
    let asked = said_in(said, &device);
    let signed_in = match asked {
        Ok(asked) => desk(&house).sign_in(asked).await,
        Err(status) => Err(status),
    };
    let signed_in = match signed_in {
        Ok(signed_in) => signed_in.into_inner(),
        Err(status) => return problem::of(&status),
    };
    let mut answer = HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(serde_json::json!({"staff_name": signed_in.staff_name, "shift_open": !signed_in.shift_id.is_empty()}));
    keep_device(&mut answer, &house, &device);
    keep(&mut answer, cookie_with(session_cookie(&house), signed_in.session_token));
    answer
}

fn said_in(said: SignIn, device: &str) -> Result<Request<wire::SignInRequest>, Status> {
    let position = |seen: Seen| {
        let hash = data_encoding::HEXLOWER_PERMISSIVE.decode(seen.hash.as_bytes());
        let hash = hash.map_err(|error| bad_field("seen.hash", error))?;
        Ok::<_, Status>(wire::Position {
            epoch: seen.epoch,
            seq: seen.seq,
            hash,
        })
    };
    let mut asked = Request::new(wire::SignInRequest {
        command: command(said.command_id),
        staff: said.staff,
        pin: said.pin,
        seen: said.seen.map(position).transpose()?,
    });
    let bearer = MetadataValue::try_from(format!("Bearer {device}")).map_err(|error| bad_field("cookie", error))?;
    asked.metadata_mut().insert("authorization", bearer);
    Ok(asked)
}

/// The browser forgets the session. The box does not end it: whoever signs in next fences it off.
async fn sign_out(request: HttpRequest, house: Data<House>) -> HttpResponse {
    let mut answer = describe(&house, device(&request, &house), None).await;
    forget(&mut answer, session_cookie(&house));
    answer
}

async fn nothing_here() -> HttpResponse {
    let sentence = "there is nothing at this address; GET /session, or POST to /session/pair, /session/sign-in or /session/sign-out";
    problem::response(404, "not_found", sentence)
}

async fn describe(house: &House, device: Option<Seat>, session: Option<Session>) -> HttpResponse {
    let (store, identity) = (&house.store, house.store.identity());
    let currency = store.shop().catalog.borrow().currency();
    let device = device.map(|seat| serde_json::json!({"register": seat.register, "till": seat.till}));
    let person = match session {
        Some(session) => match store.staff_name(session.staff).await {
            Ok(name) => Some(serde_json::json!({
                "staff": session.staff, "name": name.unwrap_or_else(|| session.staff.to_string()), "session": session.number,
            })),
            Err(error) => return problem::of(&crate::grpc::errors::ask(error)),
        },
        None => None,
    };
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(serde_json::json!({
            "store": identity.address.store,
            "store_name": identity.name,
            "currency": currency.code(),
            "currency_decimals": currency.decimals(),
            "device": device,
            "person": person,
            "faults_allowed": house.allow_faults,
        }))
}

/// The register this browser is, if it still is one.
fn device(request: &HttpRequest, house: &House) -> Option<Seat> {
    let token = token(&cookie(request, &device_cookie(house))?)?;
    house.store.shop().passes.borrow().device(&token).ok()
}

/// Who is signed in on this browser, if nobody took over.
fn person(request: &HttpRequest, house: &House) -> Option<Session> {
    let token = token(&cookie(request, &session_cookie(house))?)?;
    house.store.shop().passes.borrow().session(&token).ok()
}

/// Browsers do not tell the ports of one machine apart, so boxes that share one need cookies of different names.
fn device_cookie(house: &House) -> String {
    let address = house.store.identity().address;
    format!("backroom-device.{}.{}", address.tenant, address.store)
}

pub fn session_cookie(house: &House) -> String {
    let address = house.store.identity().address;
    format!("backroom-session.{}.{}", address.tenant, address.store)
}

pub fn cookie(request: &HttpRequest, name: &str) -> Option<String> {
    request.cookie(name).map(|cookie| cookie.value().to_owned())
}

fn token(hex: &str) -> Option<Token> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?.try_into().ok()
}

fn cookie_with(name: String, value: String) -> Cookie<'static> {
    // Not `Secure`: pages are served on loopback only, and some browsers keep no secure cookie there.
    Cookie::build(name, value)
        .http_only(true)
        .same_site(SameSite::Strict)
        .path("/")
        .finish()
}

fn keep(answer: &mut HttpResponse, cookie: Cookie<'static>) {
    // Names and values are codes and hexadecimal, which always fit a header.
    let _ = answer.add_cookie(&cookie);
}

fn keep_device(answer: &mut HttpResponse, house: &House, token: &str) {
    let mut cookie = cookie_with(device_cookie(house), token.to_owned());
    cookie.set_max_age(CookieTime::days(DEVICE_DAYS));
    keep(answer, cookie);
}

fn forget(answer: &mut HttpResponse, name: String) {
    let mut cookie = cookie_with(name, String::new());
    cookie.set_max_age(CookieTime::ZERO);
    keep(answer, cookie);
}

fn desk(house: &House) -> RegisterDesk {
    RegisterDesk {
        store: house.store.clone(),
    }
}

fn command(id: Uuid) -> Option<wire::Command> {
    Some(wire::Command {
        command_id: id.as_bytes().to_vec(),
    })
}

/// What serde says names the field. It may quote what was sent, so it goes back to the sender and into no log.
fn not_understood(error: &JsonPayloadError) -> HttpResponse {
    match error {
        JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => {
            problem::response(413, "too_large", &format!("the body is larger than {LARGEST_BODY} bytes"))
        }
        JsonPayloadError::ContentType => problem::response(415, "not_json", "the body must be JSON; send Content-Type: application/json"),
        other => problem::response(400, "bad_field", &format!("the body is wrong: {other}")),
    }
}
