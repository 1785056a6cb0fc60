//! gRPC-web: a page's call is handed to the services that native registers meet, in this process, and the answer streams back.
//!
//! Owns the two versions of the HTTP types between which a call is carried, the limits of a call, and the cookie that stands in for
//! a token. Frames and trailers are tonic's, what a call means belongs to the services.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::StreamExt;
use http_body_util::{BodyExt, Full};
use tonic::Status;
use tonic::codegen::{Bytes, http};
use tonic_web::GrpcWebLayer;
use tower::{Layer, ServiceExt};

use super::{House, problem, session};
use crate::grpc::CALL_DEADLINE;
use crate::grpc::errors::status;
use crate::serve::LARGEST_REQUEST;

/// Where calls arrive: `/backroom.register.v1.RegisterService/Scan`.
pub const ADDRESS: &str = r"/{service:backroom\.[a-zA-Z0-9.]+}/{method:[a-zA-Z0-9]+}";

const GRPC_WEB: &str = "application/grpc-web+proto";
/// Of a request: what belongs to the connection, or to the browser alone.
const STAYS_HERE: [&str; 6] = ["host", "cookie", "connection", "content-length", "transfer-encoding", "origin"];

pub async fn call(request: HttpRequest, body: Payload, house: Data<House>) -> HttpResponse {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !matches!(kind, Some("application/grpc-web" | GRPC_WEB)) {
        let sentence = "calls are gRPC-web with content-type application/grpc-web+proto; native gRPC has its own port";
        return problem::response(415, "not_grpc_web", sentence);
    }
    // The five bytes before a message are not part of it.
    let body = match body.to_bytes_limited(LARGEST_REQUEST + 5).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => {
            return refused(status("bad_field", format!("the request broke off: {error}")));
        }
        Err(_) => {
            let sentence = format!("the request is larger than {LARGEST_REQUEST} bytes");
            return refused(status("too_large", sentence));
        }
    };
    let deadline = asked_deadline(&request).map_or(CALL_DEADLINE, |asked| asked.min(CALL_DEADLINE));
    let call = match carry_in(&request, body, &house) {
        Ok(call) => call,
        Err(error) => return refused(status("bad_field", error)),
    };
    let service = GrpcWebLayer::new().layer(house.routes.clone());
    match tokio::time::timeout(deadline, service.oneshot(call)).await {
        Ok(Ok(answer)) => carry_out(answer, &house),
        Ok(Err(never)) => match never {},
        Err(_) => {
            let sentence = "the box did not answer in time; ask again with the same command to learn what happened";
            refused(status("unknown_outcome", sentence))
        }
    }
}

/// The call as tonic knows it. Without a token of its own it gets the one of the browser's session.
fn carry_in(request: &HttpRequest, body: Bytes, house: &House) -> Result<http::Request<Full<Bytes>>, http::Error> {
    let mut call = http::Request::post(request.path());
    for (name, value) in request.headers() {
        if !STAYS_HERE.contains(&name.as_str()) {
            call = call.header(name.as_str(), value.as_bytes());
        }
    }
    if !request.headers().contains_key(header::AUTHORIZATION)
        && let Some(token) = session::cookie(request, &session::session_cookie(house))
    {
        call = call.header("authorization", format!("Bearer {token}"));
    }
    call.body(Full::new(body))
}

/// The answer as actix knows it. A stream ends when the page leaves, for its body is dropped then, or when the box stops.
fn carry_out(answer: http::Response<tonic::body::Body>, house: &House) -> HttpResponse {
    let (parts, body) = answer.into_parts();
    let mut response = start(parts.status, &parts.headers);
    let stream = body.into_data_stream().take_until(house.closing.clone().cancelled_owned());
    response.streaming(stream)
}

/// An answer that is nothing but its end.
fn refused(status: Status) -> HttpResponse {
    let (parts, ()) = status.into_http::<()>().into_parts();
    let mut response = start(parts.status, &parts.headers);
    response.insert_header((header::CONTENT_TYPE, GRPC_WEB));
    response.finish()
}

fn start(status: http::StatusCode, headers: &http::HeaderMap) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    for (name, value) in headers {
        response.append_header((name.as_str(), value.as_bytes()));
    }
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

/// `grpc-timeout`: up to eight digits and a letter for the unit.
fn asked_deadline(request: &HttpRequest) -> Option<Duration> {
    let text = request.headers().get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}
