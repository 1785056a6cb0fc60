//! Errors of the portal as RFC 9457 documents: a stable code for programs, a sentence for people, an id for the log.
//!
//! Nothing in them comes from a database or a file: such faults go to the log, and the asker hears that it is our fault.

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::error::JsonPayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;

use crate::db::DbError;
use crate::uplink::whole;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: u16,
    code: &'static str,
    detail: String,
    retry_after_seconds: Option<u64>,
}

impl Problem {
    pub fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem {
            status,
            code,
            detail: detail.into(),
            retry_after_seconds: None,
        }
    }

    pub fn bad_request(what: &str, why: &dyn std::fmt::Display) -> Problem {
        Problem::new(400, "bad_request", format!("the {what} of the request is wrong: {why}"))
    }

    pub fn not_signed_in() -> Problem {
        Problem::new(
            401,
            "not_signed_in",
            "sign in first: POST /api/v1/login, then send its token as a Bearer token",
        )
    }

    pub fn too_many(retry_after_seconds: u64) -> Problem {
        let detail = format!("too many attempts; try again in {retry_after_seconds} seconds");
        Problem {
            retry_after_seconds: Some(retry_after_seconds),
            ..Problem::new(429, "too_many_attempts", detail)
        }
    }

    pub fn busy() -> Problem {
        Problem {
            retry_after_seconds: Some(1),
            ..Problem::new(503, "busy", "head office is busy; try again in a moment")
        }
    }

    pub fn fault() -> Problem {
        Problem::new(
            500,
            "fault",
            "head office could not do this; nothing was changed. The log has the cause under this request id",
        )
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn body(&self, request_id: Option<&str>) -> String {
        let title = self.status().canonical_reason().unwrap_or("Error");
        let mut body = json!({
            "type": "about:blank", "title": title, "status": self.status, "code": self.code, "detail": self.detail,
        });
        if let Some(id) = request_id {
            body["request_id"] = json!(id);
        }
        body.to_string()
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status());
        response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
        if let Some(seconds) = self.retry_after_seconds {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.status == 401 {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        let mut response = response.body(self.body(None));
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Problem {
        tracing::error!(error = %whole(&error), "a request met a fault of the database");
        Problem::fault()
    }
}

/// What serde says about a body names the field; that is what the caller needs.
pub fn of_json(error: &JsonPayloadError) -> Problem {
    match error {
        JsonPayloadError::OverflowKnownLength { limit, .. } | JsonPayloadError::Overflow { limit } => Problem::new(
            413,
            "too_large",
            format!("the body is larger than the {limit} bytes that are taken"),
        ),
        JsonPayloadError::ContentType => Problem::new(415, "not_json", "the body must be JSON; send Content-Type: application/json"),
        JsonPayloadError::Deserialize(error) if error.is_data() => Problem::new(422, "wrong_body", format!("the body is wrong: {error}")),
        other => Problem::bad_request("body", other),
    }
}

/// Puts the request's id into an error; one that the web library made gets our form.
pub fn with_request_id(mut response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let problem = response.response_mut().extensions_mut().remove::<Problem>();
    let is_ours = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json");
    let problem = match problem {
        Some(problem) => problem,
        None if is_ours => return response,
        None => Problem::new(
            status.as_u16(),
            "refused",
            "the request cannot be answered; see docs/contracts.md for how to ask",
        ),
    };
    let body = problem.body(Some(id));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response.map_body(|_, _| BoxBody::new(body))
}
