//! Signing in: a password for a token that runs out. Programs get the token in the answer; a page gets it as a cookie that no script can read.
//!
//! Somebody who does not exist is answered like somebody who mistyped: same words, same time.

use std::time::{Duration, Instant};

use actix_web::cookie::time::Duration as CookieAge;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse, web};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use backroom_core::ids::TenantId;

use crate::control::SignedIn;
use crate::db::now_micros;
use crate::office;
use crate::password;
use crate::tenant::reports::shown;

use super::Portal;
use super::problem::Problem;
use super::session::{self, COOKIE, Session, token_hash};

/// Below `/api/v1`: a token for programs.
pub const PATH: &str = "/login";
/// Below `/api/v1`: the session of a page; POST signs in, GET says who is signed in, DELETE signs out.
pub const SESSION_PATH: &str = "/session";
const TOKEN_HOURS: i64 = 8;
const WAIT_FOR_TURN: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    tenant: String,
    user: String,
    password: String,
}

struct SignIn {
    owner: SignedIn,
    token: String,
    expires_at: i64,
}

pub async fn login(request: HttpRequest, portal: web::Data<Portal>, question: web::Json<Question>) -> Result<HttpResponse, Problem> {
    let SignIn { token, expires_at, .. } = sign_in(&request, &portal, question.into_inner()).await?;
    Ok(HttpResponse::Ok().json(json!({ "token": token, "expires_at": shown(expires_at) })))
}

/// For a page on our own origin: the token never reaches its script.
pub async fn enter(request: HttpRequest, portal: web::Data<Portal>, question: web::Json<Question>) -> Result<HttpResponse, Problem> {
    session::from_our_page(request.headers())?;
    let SignIn { owner, token, expires_at } = sign_in(&request, &portal, question.into_inner()).await?;
    let cookie = cookie(&request, token).max_age(CookieAge::hours(TOKEN_HOURS)).finish();
    let name = portal.control.tenant_name(owner.tenant).await?;
    let who = json!({ "tenant": owner.tenant, "company": name, "user": owner.login, "expires_at": shown(expires_at) });
    Ok(HttpResponse::Ok().cookie(cookie).json(who))
}

pub async fn who(session: Session, portal: web::Data<Portal>) -> Result<HttpResponse, Problem> {
    let tenant = session.room.db.tenant();
    let name = portal.control.tenant_name(tenant).await?;
    let expires_at = portal.control.token_expires(&session.token_hash).await?.map(shown);
    Ok(HttpResponse::Ok().json(json!({ "tenant": tenant, "company": name, "user": session.login, "expires_at": expires_at })))
}

/// The token is void from now on, wherever a copy of it may be.
pub async fn leave(request: HttpRequest, session: Session, portal: web::Data<Portal>) -> Result<HttpResponse, Problem> {
    portal.control.drop_token(&session.token_hash).await?;
    let mut gone = cookie(&request, String::new()).finish();
    gone.make_removal();
    Ok(HttpResponse::NoContent().cookie(gone).finish())
}

fn cookie(request: &HttpRequest, token: String) -> actix_web::cookie::CookieBuilder<'static> {
    Cookie::build(COOKIE, token)
        .path("/api/v1")
        .http_only(true)
        .same_site(SameSite::Strict)
        // On loopback there is no TLS, and not every browser keeps a secure cookie without it.
        .secure(request.app_config().secure())
}

async fn sign_in(request: &HttpRequest, portal: &Portal, question: Question) -> Result<SignIn, Problem> {
    let Question { tenant, user, password } = question;
    let address = request.peer_addr().map(|address| address.ip());
    let attempt = portal
        .throttle
        .pay(clipped(&tenant), clipped(&user), address, Instant::now())
        .map_err(Problem::too_many)?;
    let tenant = tenant.parse::<TenantId>().ok();
    let stored = match tenant {
        Some(tenant) => portal.control.password_hash(tenant, &user).await?,
        None => None,
    };
    let turn = timeout(WAIT_FOR_TURN, portal.passwords.acquire())
        .await
        .map_err(|_| Problem::busy())?;
    let fits = web::block(move || password.chars().count() <= password::LONGEST && password::fits(&password, stored.as_deref()))
        .await
        .map_err(|_| Problem::busy())?;
    drop(turn);
    let Some(tenant) = tenant.filter(|_| fits) else {
        return Err(Problem::new(401, "wrong_login", "tenant, user and password do not fit together"));
    };
    portal.throttle.refund(&attempt, Instant::now());

    let token = BASE64URL_NOPAD.encode(&office::random::<32>().map_err(|_| Problem::fault())?);
    let expires_at = now_micros() + TOKEN_HOURS * 3_600_000_000;
    let owner = SignedIn { tenant, login: user };
    portal.control.add_token(&token_hash(&token), &owner, expires_at).await?;
    Ok(SignIn { owner, token, expires_at })
}

/// A name of any length must not fill the memory of the throttle.
fn clipped(name: &str) -> &str {
    name.char_indices().nth(64).map_or(name, |(end, _)| &name[..end])
}
