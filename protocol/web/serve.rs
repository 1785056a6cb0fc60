//! Built pages, answered from the binary itself: a request becomes a file, in the form the browser takes, with the rules it is shown under.
//!
//! One file that both servers mount as a module (`#[path = "../../protocol/web/serve.rs"] mod serve;`), so that their pages follow the
//! same rules; the protocol crate itself knows nothing of the web. Owns content types' delivery, caching and the content security policy.
//! Which address shows which page is the caller's.

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

/// A file of the pages, with what was computed of it at build time.
#[derive(Debug)]
pub struct Page {
    /// As in an address: `/index.html`.
    pub path: &'static str,
    pub kind: &'static str,
    /// Differs when the content does.
    pub mark: &'static str,
    /// Its name changes with its content.
    pub for_ever: bool,
    pub plain: &'static [u8],
    pub brotli: Option<&'static [u8]>,
    pub gzip: Option<&'static [u8]>,
}

/// What was built when this binary was; empty when no pages were.
pub static PAGES: &[Page] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// Everything comes from the page's own origin, nothing is inline, and nobody may put the page into a frame.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; connect-src 'self'; \
     manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\
     <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Backroom: pages not built</title></head>\n<body>\n<main>\n\
     <h1>The pages were not built into this program</h1>\n\
     <p>Everything else works. To build them, in the folder of the project:</p>\n\
     <pre>npm ci\nnpm run build\ncargo build</pre>\n</main>\n</body>\n</html>\n";

/// The file at exactly this address.
pub fn file(path: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.path == path)
}

/// Answers a GET or HEAD with the file of its address, else with `shell` (such as `/index.html`: an app that reads the address itself), else
/// `None`. An address with a dot in its last part is a file's, and never answered with a shell.
pub fn answer(request: &HttpRequest, shell: Option<&str>) -> Option<HttpResponse> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let path = request.path();
    let names_a_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    if PAGES.is_empty() {
        return (shell.is_some() && !names_a_file).then(not_built);
    }
    let page = file(path).or_else(|| shell.filter(|_| !names_a_file).and_then(file))?;
    Some(shown(request, page))
}

fn shown(request: &HttpRequest, page: &'static Page) -> HttpResponse {
    let (bytes, packed) = form(page, text(request, header::ACCEPT_ENCODING));
    // The mark is of what is sent: a cache must not mix forms.
    let mark = format!("\"{}{}\"", page.mark, packed.map_or(String::new(), |form| format!("-{form}")));
    let known = text(request, header::IF_NONE_MATCH)
        .split(',')
        .any(|one| one.trim().trim_start_matches("W/") == mark);
    let mut response = HttpResponse::build(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    dress(&mut response);
    response.insert_header((header::ETAG, mark));
    response.insert_header((header::VARY, "accept-encoding"));
    let keep = if page.for_ever {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response.insert_header((header::CACHE_CONTROL, keep));
    if known {
        return response.finish();
    }
    if let Some(form) = packed {
        response.insert_header((header::CONTENT_ENCODING, form));
    }
    // A HEAD gets the same head; actix leaves the body out.
    response.content_type(page.kind).body(bytes)
}

fn not_built() -> HttpResponse {
    let mut response = HttpResponse::ServiceUnavailable();
    dress(&mut response);
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.content_type("text/html; charset=utf-8").body(NOT_BUILT)
}

fn dress(response: &mut HttpResponseBuilder) {
    response.insert_header((header::CONTENT_SECURITY_POLICY, POLICY));
    response.insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    response.insert_header((header::REFERRER_POLICY, "no-referrer"));
    response.insert_header((header::X_FRAME_OPTIONS, "DENY"));
    response.insert_header(("cross-origin-opener-policy", "same-origin"));
    response.insert_header(("cross-origin-resource-policy", "same-origin"));
    response.insert_header(("permissions-policy", "camera=(), microphone=(), geolocation=()"));
}

/// The smallest form that the asker says it takes.
fn form(page: &'static Page, accepted: &str) -> (&'static [u8], Option<&'static str>) {
    let takes = |name: &str| {
        accepted.split(',').any(|one| {
            let (form, weight) = one.split_once(';').unwrap_or((one, ""));
            form.trim().eq_ignore_ascii_case(name) && !is_zero(weight)
        })
    };
    match (page.brotli, page.gzip) {
        (Some(bytes), _) if takes("br") => (bytes, Some("br")),
        (_, Some(bytes)) if takes("gzip") => (bytes, Some("gzip")),
        _ => (page.plain, None),
    }
}

/// `q=0`, `q=0.000`: not wanted at all.
fn is_zero(weight: &str) -> bool {
    let weight = weight.trim().strip_prefix("q=").unwrap_or_default();
    !weight.is_empty() && weight.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

fn text(request: &HttpRequest, name: header::HeaderName) -> &str {
    request
        .headers()
        .get(name)
        .map(HeaderValue::to_str)
        .and_then(Result::ok)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    static PAGE: Page = Page {
        path: "/index.html",
        kind: "text/html; charset=utf-8",
        mark: "0123",
        for_ever: false,
        plain: b"plain",
        brotli: Some(b"br"),
        gzip: Some(b"gz"),
    };

    #[test]
    fn the_smallest_form_that_is_taken_is_sent() {
        let cases: [(&str, &[u8]); 6] = [
            ("gzip, deflate, br", b"br"),
            ("gzip", b"gz"),
            ("br;q=0, gzip;q=0.5", b"gz"),
            ("br;q=0.000", b"plain"),
            ("identity", b"plain"),
            ("", b"plain"),
        ];
        for (accepted, bytes) in cases {
            assert_eq!(form(&PAGE, accepted).0, bytes, "{accepted}");
        }
    }

    #[test]
    fn what_the_browser_holds_is_not_sent_again() {
        let asked = |held: &str| {
            let request = TestRequest::get()
                .insert_header(("accept-encoding", "br"))
                .insert_header(("if-none-match", held));
            shown(&request.to_http_request(), &PAGE)
        };
        let first = asked("");
        assert_eq!(first.status(), 200);
        assert_eq!(first.headers().get("etag").unwrap(), "\"0123-br\"");
        assert_eq!(asked("\"other\", W/\"0123-br\"").status(), 304);
        assert_eq!(asked("\"0123\"").status(), 200);
        assert!(first.headers().contains_key("content-security-policy"));
    }

    #[test]
    fn only_reading_shows_a_page() {
        assert!(answer(&TestRequest::post().uri("/stores").to_http_request(), Some("/index.html")).is_none());
        assert!(answer(&TestRequest::get().uri("/nothing.js").to_http_request(), Some("/index.html")).is_none());
        assert!(answer(&TestRequest::get().uri("/stores").to_http_request(), Some("/index.html")).is_some());
    }
}
