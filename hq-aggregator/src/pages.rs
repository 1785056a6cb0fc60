//! The portal's pages: which addresses they answer. How a file is sent stands in `protocol/web/serve.rs`, what it shows in `web/`.
//!
//! The app reads the address itself, so each of its addresses gets the same file. They are listed: an address that is nobody's stays a 404,
//! and nothing below /api or /webhooks can ever be answered with a page.

#[path = "../../protocol/web/serve.rs"]
mod serve;

use actix_web::{HttpRequest, HttpResponse};

/// First parts of the app's addresses; `web/src/app.tsx` has the same.
const APP: [&str; 6] = ["", "stores", "sales", "products", "shopify", "help"];
const SHELL: &str = "/index.html";

/// `None` when no page is there.
pub fn answer(request: &HttpRequest) -> Option<HttpResponse> {
    let first = request.path().split('/').nth(1).unwrap_or_default();
    serve::answer(request, APP.contains(&first).then_some(SHELL))
}
