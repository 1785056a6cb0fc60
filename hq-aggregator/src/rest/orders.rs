//! What the portal may change: prices, by a directive to each store.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;

use backroom_core::catalog::{PriceChange, Sku};
use backroom_core::ids::StoreId;
use backroom_core::money::{LARGEST_AMOUNT, Money};
use backroom_core::time::Instant;

use crate::db::now_micros;
use crate::tenant::directives::{Answered, Made, Once};

use super::Portal;
use super::problem::Problem;
use super::session::Session;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Minor units of the catalog's currency.
    price: i64,
    /// Now, if not said.
    effective_at: Option<Instant>,
    /// All stores, if not said.
    stores: Option<Vec<String>>,
}

pub async fn set_price(
    request: HttpRequest,
    session: Session,
    portal: web::Data<Portal>,
    sku: web::Path<String>,
    question: web::Json<Question>,
) -> Result<HttpResponse, Problem> {
    let db = &session.room.db;
    let question = question.into_inner();
    let sku: Sku = sku.parse().map_err(|error| Problem::new(404, "unknown_item", format!("{error}")))?;
    if !(0..=LARGEST_AMOUNT).contains(&question.price) {
        return Err(Problem::new(
            422,
            "price",
            format!("a price is between 0 and {LARGEST_AMOUNT} minor units"),
        ));
    }
    let Some(currency) = db.currency().await? else {
        return Err(Problem::new(
            409,
            "no_catalog",
            "head office has no catalog yet; take one in with: hq-aggregator catalog import",
        ));
    };
    if !db.has_product(&sku).await? {
        return Err(Problem::new(404, "unknown_item", format!("item {sku} is not in the catalog")));
    }
    let stores = chosen_stores(&portal, &session, question.stores.as_deref()).await?;
    let now = Instant::from_micros(now_micros()).map_err(|_| Problem::fault())?;
    let change = PriceChange {
        sku: sku.clone(),
        price: Money(question.price),
        currency,
        effective_at: question.effective_at.unwrap_or(now),
    };

    let key = idempotency_key(&request)?;
    let asked = json!({ "sku": sku, "question": question }).to_string();
    let once = key.as_deref().map(|key| Once {
        login: &session.login,
        key,
        asked: &asked,
    });
    let answer = |made: &[Made]| json!({ "change": change, "directives": made }).to_string();
    let answered = db.order_price(&stores, &change, &session.login, once, answer).await?;
    let body = match answered {
        Answered::Now(made) => {
            session.room.orders.notify_one();
            answer(&made)
        }
        Answered::Before(body) => body,
        Answered::OtherQuestion => {
            let detail = "this Idempotency-Key was used for another request; use a new one for each";
            return Err(Problem::new(422, "idempotency_key_reused", detail));
        }
    };
    Ok(HttpResponse::Ok().content_type("application/json").body(body))
}

/// Those that were named, each once, in their order; or all there are.
async fn chosen_stores(portal: &Portal, session: &Session, named: Option<&[String]>) -> Result<Vec<StoreId>, Problem> {
    let all: Vec<StoreId> = portal
        .control
        .stores(session.room.db.tenant())
        .await?
        .into_iter()
        .map(|store| store.store)
        .collect();
    let Some(named) = named else {
        return match all.is_empty() {
            true => Err(Problem::new(
                409,
                "no_stores",
                "there are no stores yet; add one with: hq-aggregator store add",
            )),
            false => Ok(all),
        };
    };
    let mut chosen = Vec::with_capacity(named.len().min(all.len()));
    for name in named {
        let store = name.parse().ok().filter(|store| all.contains(store));
        let unknown = || {
            Problem::new(
                422,
                "unknown_store",
                format!("there is no store {:?}", name.chars().take(40).collect::<String>()),
            )
        };
        let store = store.ok_or_else(unknown)?;
        if !chosen.contains(&store) {
            chosen.push(store);
        }
    }
    if chosen.is_empty() {
        return Err(Problem::new(
            422,
            "no_stores",
            "name at least one store, or leave stores out for all",
        ));
    }
    Ok(chosen)
}

/// The header's draft wants a quoted string, most clients send it bare; both are taken.
fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if (1..=255).contains(&key.len()) {
        Ok(Some(key.to_owned()))
    } else {
        Err(Problem::new(
            400,
            "idempotency_key",
            "an Idempotency-Key is 1 to 255 plain characters",
        ))
    }
}
