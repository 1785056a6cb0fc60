//! Which address shows which page: one app for register, clerk and console, which reads the address itself.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};

use super::{problem, serve};

/// Also answers whatever else is asked of the HTTP port.
pub async fn page(request: HttpRequest) -> HttpResponse {
    if let Some(page) = serve::answer(&request, Some("/index.html")) {
        return page;
    }
    let sentence = "there is nothing at this address; open / for the pages, or try /session, /healthz, /readyz or /metrics";
    match *request.method() {
        Method::GET | Method::HEAD => problem::response(404, "not_found", sentence),
        _ => problem::response(405, "not_allowed", sentence),
    }
}
