//! Signing in: a password for a token that runs out.
//!
//! Somebody who does not exist is answered like somebody who mistyped: same words, same time.

use std::time::{Duration, Instant};

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
use super::session::token_hash;

/// Below `/api/v1`; the only route there that needs no token.
pub const PATH: &str = "/login";
const TOKEN_HOURS: i64 = 8;
const WAIT_FOR_TURN: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    tenant: String,
    user: String,
    password: String,
}

pub async fn login(request: HttpRequest, portal: web::Data<Portal>, question: web::Json<Question>) -> Result<HttpResponse, Problem> {
    let Question { tenant, user, password } = question.into_inner();
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
    portal
        .control
        .add_token(&token_hash(&token), &SignedIn { tenant, login: user }, expires_at)
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "token": token, "expires_at": shown(expires_at) })))
}

/// A name of any length must not fill the memory of the throttle.
fn clipped(name: &str) -> &str {
    name.char_indices().nth(64).map_or(name, |(end, _)| &name[..end])
}
