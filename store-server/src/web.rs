//! The pages of the box and what they ask for, all on one origin: the files, the sessions of browsers, and gRPC-web.
//!
//! Owns who may ask at all: a browser that stands on another page, or was led here under another name, is refused before
//! anything is read. What is asked is answered by the same services as for native registers.

pub mod bridge;
pub mod pages;
pub mod problem;
#[path = "../../protocol/web/serve.rs"]
mod serve;
pub mod session;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::{DefaultHeaders, Next};
use actix_web::{Error, web};
use backroom_actors::store::Store;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// What a page's request meets.
#[derive(Clone)]
pub struct House {
    pub store: Store,
    /// The services, as native registers meet them.
    pub routes: Routes,
    pub allow_faults: bool,
    /// Ends the streams, which have no end of their own, when the box stops.
    pub closing: CancellationToken,
}

/// The routes of the pages. Health and metrics stand before them; whatever else is asked for is a page.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(session::scope())
        .route(bridge::ADDRESS, web::post().to(bridge::call))
        .default_service(web::to(pages::page));
}

/// What every answer says, whatever it is; pages say more.
pub fn manners() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add(("cross-origin-resource-policy", "same-origin"))
}

/// Lets through who is at home here: the name in `Host` is this machine, and a page that asks came from here.
/// Any page of the world can send its visitors' requests to 127.0.0.1, and a name of its own can be made to point there.
pub async fn at_home(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse<BoxBody>, Error> {
    let bound = request.app_config().local_addr();
    match stranger(request.headers(), bound) {
        None => Ok(next.call(request).await?.map_into_boxed_body()),
        Some((code, sentence)) => {
            tracing::warn!(code, path = %request.path(), "a stranger's request was refused");
            let refusal = problem::response(403, code, sentence);
            Ok(request.into_response(refusal))
        }
    }
}

/// Why this request is not from one of our own pages or programs.
fn stranger(headers: &HeaderMap, bound: SocketAddr) -> Option<(&'static str, &'static str)> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(header::HOST).unwrap_or_default();
    if !is_ours(host, bound.ip()) {
        return Some((
            "foreign_host",
            "this box is not known by that name; open it by its address, such as http://127.0.0.1:7401",
        ));
    }
    let origin = text(header::ORIGIN)?;
    let own = ["http://", "https://"]
        .into_iter()
        .any(|scheme| origin.strip_prefix(scheme) == Some(host));
    (!own).then_some((
        "foreign_origin",
        "a page from elsewhere asked; only pages of this box may, so open it by its own address",
    ))
}

/// Whether a `Host` header names this machine: loopback, or the address it listens on.
fn is_ours(host: &str, bound: IpAddr) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((six, _)) => six,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    match name.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || address == bound,
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    }
}
