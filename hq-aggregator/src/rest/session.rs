//! Who asks: the token of a request becomes a session, which holds the one database this request may reach.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, ResponseError, web};
use sha2::{Digest, Sha256};

use crate::db::now_micros;
use crate::room::Room;

use super::problem::Problem;
use super::{Portal, login};

/// A request of somebody who is signed in.
#[derive(Clone)]
pub struct Session {
    pub login: String,
    pub room: Arc<Room>,
}

/// Lets a request through that carries a token, and the login. A new route cannot forget this: it stands around all of them.
pub async fn required(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if request.path().strip_prefix("/api/v1") != Some(login::PATH) {
        match session(&request).await {
            Ok(session) => {
                request.extensions_mut().insert(session);
            }
            Err(problem) => return Ok(request.into_response(problem.error_response())),
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

async fn session(request: &ServiceRequest) -> Result<Session, Problem> {
    let portal = request.app_data::<web::Data<Portal>>().ok_or_else(Problem::fault)?;
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or_else(Problem::not_signed_in)?;
    let owner = portal.control.token_owner(&token_hash(token), now_micros()).await?;
    let owner = owner.ok_or_else(Problem::not_signed_in)?;
    let room = portal.rooms.get(owner.tenant).ok_or_else(Problem::busy)?;
    Ok(Session { login: owner.login, room })
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
