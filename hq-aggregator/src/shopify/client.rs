//! One question to Shopify and its answer: the address, the token, and what each way of failing means.
//!
//! Knows nothing of what is asked and repeats nothing by itself; whoever asks knows what a lost answer means.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use super::operations::Operation;

const ANSWER_WITHIN: Duration = Duration::from_secs(20);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const LARGEST_ANSWER: usize = 4 << 20;
const SHORTEST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("Shopify asks for fewer questions; going on in a moment")]
    TooFast { wait: Duration },
    #[error("Shopify does not take the access token; connect again with a new one: hq-aggregator shopify connect")]
    Token,
    #[error("Shopify answered {0}: the shop is closed, or this app may not do that; look at the app's rights in Shopify")]
    Closed(u16),
    #[error("Shopify could not be reached, or its answer was lost ({0}); trying again")]
    Away(String),
    #[error("Shopify did not understand what it was asked: {0}")]
    Question(String),
}

impl Trouble {
    /// Whether it is certain that Shopify did nothing.
    pub fn nothing_happened(&self) -> bool {
        matches!(self, Trouble::TooFast { .. } | Trouble::Token | Trouble::Closed(_))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no address of a shop; use one such as https://name.myshopify.com")]
pub struct AddressError(String);

/// Where a shop answers. Off this machine only with TLS: the token goes along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopUrl(Url);

impl FromStr for ShopUrl {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<ShopUrl, AddressError> {
        let wrong = || AddressError(text.chars().take(80).collect());
        let url = Url::parse(text).map_err(|_| wrong())?;
        let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.path() == "/";
        let shop = ShopUrl(url);
        let is_safe = shop.0.scheme() == "https" || (shop.0.scheme() == "http" && shop.is_here());
        if is_plain && is_safe && shop.0.has_host() {
            Ok(shop)
        } else {
            Err(wrong())
        }
    }
}

impl ShopUrl {
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    fn is_here(&self) -> bool {
        self.host()
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
    }
}

pub struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    pub fn new(shop: &ShopUrl, api_version: &str, token: &str) -> Result<Client, Trouble> {
        let mut builder = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            .connect_timeout(CONNECT_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("backroom/", env!("CARGO_PKG_VERSION")));
        if shop.is_here() {
            builder = builder.no_proxy();
        }
        Ok(Client {
            http: builder.build().map_err(away)?,
            url: format!("{}/admin/api/{api_version}/graphql.json", shop.as_str()),
            token: token.to_owned(),
        })
    }

    /// The `data` of the answer. A user error is an answer too.
    pub async fn ask(&self, operation: &Operation, variables: &Value) -> Result<Value, Trouble> {
        let question = json!({ "query": operation.text, "variables": variables });
        let sent = self
            .http
            .post(&self.url)
            .header("X-Shopify-Access-Token", &self.token)
            .json(&question)
            .send();
        let mut response = sent.await.map_err(away)?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(away)? {
            if body.len() + part.len() > LARGEST_ANSWER {
                return Err(Trouble::Away("the answer is larger than any should be".to_owned()));
            }
            body.extend_from_slice(&part);
        }
        read(status, retry_after.as_deref(), &body)
    }
}

fn away(error: reqwest::Error) -> Trouble {
    // Without the address, and with the innermost cause: that is what a person can do something about.
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Trouble::Away(cause.to_string())
}

fn read(status: StatusCode, retry_after: Option<&str>, body: &[u8]) -> Result<Value, Trouble> {
    match status.as_u16() {
        200..=299 => {}
        401 => return Err(Trouble::Token),
        429 | 430 => {
            let seconds = retry_after.and_then(|text| text.parse::<f64>().ok()).unwrap_or(2.0);
            return Err(Trouble::TooFast { wait: wait(seconds) });
        }
        423 | 500..=599 => return Err(Trouble::Away(format!("status {}", status.as_u16()))),
        other => return Err(Trouble::Closed(other)),
    }
    let mut answer: Value = serde_json::from_slice(body).map_err(|_| Trouble::Away("the answer is not JSON".to_owned()))?;
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let code = |error: &Value| error["extensions"]["code"].as_str().unwrap_or_default().to_owned();
    if errors.iter().any(|error| code(error) == "THROTTLED") {
        return Err(Trouble::TooFast {
            wait: wait(seconds_until_paid(&answer["extensions"]["cost"])),
        });
    }
    if errors.iter().any(|error| code(error) == "INTERNAL_SERVER_ERROR") {
        return Err(Trouble::Away("an error inside Shopify".to_owned()));
    }
    if errors.iter().any(|error| code(error) == "ACCESS_DENIED") {
        return Err(Trouble::Closed(403));
    }
    if let Some(first) = errors.first() {
        let message = first["message"].as_str().unwrap_or("without saying why");
        return Err(Trouble::Question(message.chars().take(300).collect()));
    }
    // An answer may be any JSON; only an object has fields to take.
    match answer.get_mut("data").map(Value::take) {
        None | Some(Value::Null) => Err(Trouble::Away("the answer holds nothing".to_owned())),
        Some(data) => Ok(data),
    }
}

/// How long until the points are there that the question costs; computed from what Shopify says, not guessed.
fn seconds_until_paid(cost: &Value) -> f64 {
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let throttle = &cost["throttleStatus"];
    let missing = number(&cost["requestedQueryCost"]) - number(&throttle["currentlyAvailable"]);
    let rate = number(&throttle["restoreRate"]).max(1.0);
    missing.max(0.0) / rate
}

fn wait(seconds: f64) -> Duration {
    let wait = Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_WAIT);
    wait.clamp(SHORTEST_WAIT, LONGEST_WAIT)
}

/// For fuzzers: any bytes are a shop's address or an answer of Shopify, or refused by name; an address reads back the same and is safe.
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(shop) = text.parse::<ShopUrl>() {
        assert_eq!(shop.as_str().parse::<ShopUrl>().ok(), Some(shop.clone()));
        assert!(shop.0.scheme() == "https" || shop.is_here(), "{text}");
    }
    for status in [StatusCode::OK, StatusCode::TOO_MANY_REQUESTS, StatusCode::BAD_GATEWAY] {
        if let Err(Trouble::TooFast { wait }) = read(status, Some(&text), bytes) {
            assert!((SHORTEST_WAIT..=LONGEST_WAIT).contains(&wait));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(status: u16, body: &str) -> Result<Value, Trouble> {
        read(StatusCode::from_u16(status).unwrap(), Some("3"), body.as_bytes())
    }

    #[test]
    fn a_token_never_leaves_the_machine_unencrypted() {
        for good in ["https://name.myshopify.com", "http://127.0.0.1:9000", "http://[::1]:9000/"] {
            assert!(good.parse::<ShopUrl>().is_ok(), "{good}");
        }
        for wrong in [
            "http://name.myshopify.com",
            "https://user:word@name.myshopify.com",
            "https://name.myshopify.com/admin",
            "http://127.0.0.1.evil.example",
            "name.myshopify.com",
        ] {
            assert!(wrong.parse::<ShopUrl>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_way_of_failing_is_told_apart() {
        let throttled = r#"{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":{"cost":
            {"requestedQueryCost":110,"throttleStatus":{"currentlyAvailable":10,"restoreRate":50}}}}"#;
        assert_eq!(
            check(200, throttled),
            Err(Trouble::TooFast {
                wait: Duration::from_secs(2)
            })
        );
        assert_eq!(
            check(429, ""),
            Err(Trouble::TooFast {
                wait: Duration::from_secs(3)
            })
        );
        assert_eq!(check(401, ""), Err(Trouble::Token));
        assert_eq!(check(402, ""), Err(Trouble::Closed(402)));
        assert!(matches!(check(503, ""), Err(Trouble::Away(_))));
        assert!(matches!(check(200, "<html>"), Err(Trouble::Away(_))));
        assert!(matches!(check(200, r#"{"data":null}"#), Err(Trouble::Away(_))));
        assert!(matches!(
            check(200, r#"{"errors":[{"message":"no field x"}]}"#),
            Err(Trouble::Question(_))
        ));
        assert_eq!(check(200, r#"{"data":{"shop":1}}"#), Ok(json!({ "shop": 1 })));
    }

    #[test]
    fn only_a_clear_no_counts_as_nothing_having_happened() {
        assert!(Trouble::Token.nothing_happened());
        assert!(!Trouble::Away("status 502".into()).nothing_happened());
    }

    #[test]
    fn an_answer_that_is_no_object_is_no_answer() {
        for body in [
            "[]",
            "[1]",
            "\"data\"",
            "5",
            "null",
            "true",
            "{}",
            "{\"data\":null}",
            "{\"errors\":{}}",
            "{\"errors\":[5]}",
            "",
        ] {
            assert!(check(200, body).is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_and_any_address_is_read_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            parts in prop::collection::vec(prop::sample::select(vec!["{", "}", "[", "]", ":", ",", "\"data\"", "\"errors\"", "\"extensions\"", "\"code\"", "null", "5", "-1e9"]), 0..20),
            url in "(https?|nats)://[a-z.@:/?0-9-]{0,20}",
        ) {
            fuzz_one(&bytes);
            fuzz_one(parts.concat().as_bytes());
            fuzz_one(url.as_bytes());
        }
    }
}
