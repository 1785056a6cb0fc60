//! Who asks: the token of a request becomes a session, which holds the one database this request may reach.
//!
//! The token comes in a header (programs) or in a cookie (our own pages). A browser sends cookies with requests that other pages made,
//! so with a cookie nothing is changed unless the request carries a header which only our own page can set.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, ResponseError, web};
use sha2::{Digest, Sha256};

use crate::db::now_micros;
use crate::room::Room;

use super::problem::Problem;
use super::{Portal, login};

/// The cookie of a page's session.
pub const COOKIE: &str = "backroom_portal";
/// Another origin could send it only after asking us first, and we never agree.
const OUR_PAGE: &str = "x-backroom-page";

/// A request of somebody who is signed in.
#[derive(Clone)]
pub struct Session {
    pub login: String,
    pub room: Arc<Room>,
    pub token_hash: [u8; 32],
}

/// Lets a request through that carries a token, and the login. A new route cannot forget this: it stands around all of them.
pub async fn required(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if !signs_in(&request) {
        match session(&request).await {
            Ok(session) => {
                request.extensions_mut().insert(session);
            }
            Err(problem) => return Ok(request.into_response(problem.error_response())),
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// The only two questions that are answered to anybody.
fn signs_in(request: &ServiceRequest) -> bool {
    match request.path().strip_prefix("/api/v1") {
        Some(login::PATH) => true,
        Some(login::SESSION_PATH) => request.method() == Method::POST,
        _ => false,
    }
}

async fn session(request: &ServiceRequest) -> Result<Session, Problem> {
    let portal = request.app_data::<web::Data<Portal>>().ok_or_else(Problem::fault)?;
    let header = request.headers().get(AUTHORIZATION);
    let token_hash = match header {
        // Who says a token in the header means that one, whatever cookies the browser adds.
        Some(header) => {
            let token = header.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
            token_hash(token.ok_or_else(Problem::not_signed_in)?)
        }
        None => {
            let cookie = request.cookie(COOKIE).ok_or_else(Problem::not_signed_in)?;
            if !matches!(*request.method(), Method::GET | Method::HEAD) {
                from_our_page(request.headers())?;
            }
            token_hash(cookie.value())
        }
    };
    let owner = portal.control.token_owner(&token_hash, now_micros()).await?;
    let owner = owner.ok_or_else(Problem::not_signed_in)?;
    let room = portal.rooms.get(owner.tenant).ok_or_else(Problem::busy)?;
    Ok(Session {
        login: owner.login,
        room,
        token_hash,
    })
}

/// Refuses what another page may have made a browser send.
pub fn from_our_page(headers: &HeaderMap) -> Result<(), Problem> {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if headers.contains_key(OUR_PAGE) && site.is_none_or(|site| site == "same-origin") {
        Ok(())
    } else {
        Err(Problem::new(
            403,
            "not_our_page",
            "with a cookie only head office's own pages may change things; programs send their token as a Bearer token",
        ))
    }
}

pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

impl FromRequest for Session {
    type Error = Problem;
    type Future = Ready<Result<Session, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Session>().cloned().ok_or_else(Problem::not_signed_in))
    }
}
