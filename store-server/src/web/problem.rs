//! What went wrong, as a page hears it: an RFC 9457 document with the sentence and the stable code of the gRPC error.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use tonic::{Code, Status};

use crate::grpc::errors::CODE;

/// A refusal with a code for programs and a sentence for people.
pub fn response(status: u16, code: &str, sentence: &str) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.body(serde_json::json!({"title": sentence, "status": status, "code": code}).to_string())
}

/// The same refusal a native register would hear.
pub fn of(status: &Status) -> HttpResponse {
    let code = status.metadata().get(CODE).and_then(|code| code.to_str().ok()).unwrap_or("fault");
    let http = match status.code() {
        _ if code == "throttled" => 429,
        Code::InvalidArgument => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::FailedPrecondition => 409,
        Code::Unavailable => 503,
        _ => 500,
    };
    response(http, code, status.message())
}
