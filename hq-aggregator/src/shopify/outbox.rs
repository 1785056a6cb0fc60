//! Tells Shopify what waits to be told, one thing after the other, until each has an answer.
//!
//! Everything it knows stands in the database: it may be killed between any two lines and goes on from there. Before a question
//! goes out that changes something, the row says so; what an answer means for the next try is decided here and nowhere else.

mod orders;
mod stock;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::db::{DbError, now_micros};
use crate::room::Room;
use crate::tenant::shopify::Link;
use crate::tenant::shopify::outbox::{End, Kind, Row};
use crate::uplink::whole;

use super::client::{Client, Trouble};
use super::operations::{self, Operation};
use super::order::SALE_FIELD;
use super::vault::Vault;
use super::webhook;

/// A bell rings when something is new; this is for what was put off, and for a connection that was just made.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const FIRST_BACK_OFF: Duration = Duration::from_millis(250);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);
const AFTER_FAULT: Duration = Duration::from_secs(5);
/// Rows of one look; what comes in meanwhile does not wait longer than these take.
const AT_A_TIME: u32 = 50;
/// Shopify does not promise how long it remembers a key. A question older than this is not repeated.
const KEY_COUNTS_MICROS: i64 = 20 * 3_600 * 1_000_000;
/// One row waits 1, 2, 4 ... seconds between tries, and never longer than this.
const LONGEST_PUT_OFF_MICROS: i64 = 300 * 1_000_000;
const SECOND_MICROS: i64 = 1_000_000;

/// Why a round ended early. All of it concerns the whole line, never one row.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// The connection was set up wrong; a person has to look.
    #[error("{0}")]
    Wrong(String),
}

/// What a row's question came to.
enum Told {
    /// Shopify answered; the payload of the mutation.
    Answer(Value),
    /// Put off or ended already.
    Settled,
}

/// One company's line to Shopify. Runs until it is told to stop; does nothing while there is no connection.
pub struct Sender {
    room: Arc<Room>,
    vault: Vault,
    stop: watch::Receiver<bool>,
    client: Option<Open>,
}

/// A client, and what it was made of.
struct Open {
    made_of: (String, String, String),
    client: Arc<Client>,
}

impl Sender {
    pub fn new(room: Arc<Room>, vault: Vault, stop: watch::Receiver<bool>) -> Sender {
        Sender {
            room,
            vault,
            stop,
            client: None,
        }
    }

    pub async fn run(mut self) {
        let room = self.room.clone();
        let mut stop = self.stop.clone();
        let mut back_off = FIRST_BACK_OFF;
        loop {
            // Left in the middle it is as after a kill, from which it goes on just as well.
            let round = tokio::select! {
                round = self.round() => round,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let (wait, hears_bell) = match round {
                Ok(()) => {
                    back_off = FIRST_BACK_OFF;
                    (LOOK_AGAIN, true)
                }
                Err(stopped) => {
                    let wait = self.wait_after(stopped, back_off).await;
                    back_off = (back_off * 2).min(LONGEST_BACK_OFF);
                    (wait, false)
                }
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = room.shopify.notified(), if hears_bell => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Shows what is wrong, and says how long to leave Shopify alone.
    async fn wait_after(&self, stopped: Stopped, back_off: Duration) -> Duration {
        let tenant = self.room.db.tenant();
        if let Stopped::Trouble(Trouble::TooFast { wait }) = stopped {
            return wait;
        }
        if let Stopped::Db(error) = &stopped {
            tracing::error!(%tenant, error = %whole(error), "what is told to Shopify can not be read or written");
            return AFTER_FAULT;
        }
        tracing::warn!(%tenant, trouble = %stopped, "the line to Shopify is down");
        if let Err(error) = self.room.db.shopify_trouble(Some(&stopped.to_string())).await {
            tracing::error!(%tenant, error = %whole(&error), "the trouble with Shopify could not be written down");
        }
        back_off
    }

    /// Everything that can be done now.
    async fn round(&mut self) -> Result<(), Stopped> {
        let Some(link) = self.room.db.shopify_link().await? else {
            return Ok(());
        };
        if link.currency.is_some() {
            webhook::work(&self.room, &link).await?;
        }
        let client = self.client(&link)?;
        if link.checked_at.is_none() || link.trouble.is_some() {
            self.check(&client, &link).await?;
        }
        loop {
            let rows = self.room.db.shopify_next(AT_A_TIME).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                self.tell(&client, &row).await?;
            }
        }
    }

    fn client(&mut self, link: &Link) -> Result<Arc<Client>, Stopped> {
        let secrets = self
            .vault
            .read(self.room.db.tenant())
            .map_err(|error| Stopped::Wrong(error.to_string()))?;
        let made_of = (link.url.clone(), link.api_version.clone(), secrets.token);
        if let Some(open) = self.client.as_ref().filter(|open| open.made_of == made_of) {
            return Ok(open.client.clone());
        }
        let url = link
            .url
            .parse()
            .map_err(|error: super::client::AddressError| Stopped::Wrong(error.to_string()))?;
        let client = Arc::new(Client::new(&url, &made_of.1, &made_of.2)?);
        self.client = Some(Open {
            made_of,
            client: client.clone(),
        });
        Ok(client)
    }

    /// Whether the shop is the one that was meant, and ready for our orders. Clears the trouble when all is well.
    async fn check(&self, client: &Client, link: &Link) -> Result<(), Stopped> {
        let answer = client.ask(&operations::SHOP, &json!({})).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (name, domain, currency) = (
            text(&answer["shop"]["name"]),
            text(&answer["shop"]["myshopifyDomain"]),
            text(&answer["shop"]["currencyCode"]),
        );
        if domain != link.domain {
            let why = format!(
                "{} answers as {domain}, not as {}; connect again with the right shop",
                link.url, link.domain
            );
            return Err(Stopped::Wrong(why));
        }
        if let Some(ours) = self.room.db.currency().await?.filter(|ours| ours.code() != currency) {
            let why = format!(
                "the shop counts in {currency}, the catalog in {}; one of them has to change",
                ours.code()
            );
            return Err(Stopped::Wrong(why));
        }
        let known: Vec<String> = answer["locations"]["nodes"]
            .as_array()
            .map(|nodes| nodes.iter().map(|node| text(&node["id"])).collect())
            .unwrap_or_default();
        for (store, location) in self.room.db.shopify_locations().await? {
            if !known.contains(&location) {
                let why = format!("Shopify has no place {location} for shop {store}; connect again with one it has");
                return Err(Stopped::Wrong(why));
            }
        }
        let definition = json!({
            "name": "Backroom sale", "key": SALE_FIELD, "type": "id", "ownerType": "ORDER",
            "capabilities": { "uniqueValues": { "enabled": true } },
        });
        let made = client.ask(&operations::SALE_ID, &json!({ "definition": definition })).await?;
        if let Some(error) = user_error(&made[operations::SALE_ID.field]).filter(|error| error.code != "TAKEN") {
            let why = format!("Shopify does not let us mark orders with their sale: {}", error.message);
            return Err(Stopped::Wrong(why));
        }
        self.room.db.shopify_checked(&name, &currency).await?;
        self.room.db.shopify_trouble(None).await?;
        tracing::info!(tenant = %self.room.db.tenant(), shop = name, "connected to Shopify");
        Ok(())
    }

    async fn tell(&self, client: &Client, row: &Row) -> Result<(), Stopped> {
        let is_old = row.asked_at.is_some_and(|at| now_micros() - at > KEY_COUNTS_MICROS);
        if row.is_asked && row.kind != Kind::Order && is_old {
            let why = "its answer was lost too long ago to ask again; compare with Shopify by hand";
            return self.end(row, End::Unclear, None, Some(why)).await;
        }
        let Some(location) = &row.location else {
            return self.end(row, End::Skipped, None, Some("the shop is not connected any more")).await;
        };
        match row.kind {
            Kind::Level => stock::level(self, client, row, location).await,
            Kind::Change => stock::change(self, client, row, location).await,
            Kind::Order => orders::order(self, client, row, location).await,
            Kind::Refund => orders::refund(self, client, row).await,
        }
    }

    /// Sends a change that carries a key. A repeat is word for word what went out first, so `build` is only asked when nothing did.
    async fn ask_keyed(&self, client: &Client, row: &Row, operation: &Operation, built: Option<Value>) -> Result<Told, Stopped> {
        let mut variables: Value = match (&row.sent, built) {
            (Some(sent), _) => serde_json::from_str(sent).map_err(|_| DbError::damaged("a question to Shopify", sent))?,
            (None, Some(built)) => built,
            (None, None) => return Ok(Told::Settled),
        };
        let sent = variables.to_string();
        variables["key"] = json!(row.attempt_key());
        self.ask(client, row, operation, &variables, &sent).await
    }

    /// Notes that the row is being asked, asks, and notes what a failure means for it.
    async fn ask(&self, client: &Client, row: &Row, operation: &Operation, variables: &Value, sent: &str) -> Result<Told, Stopped> {
        self.room.db.shopify_asking(row.number, sent).await?;
        match client.ask(operation, variables).await {
            Ok(mut answer) => Ok(Told::Answer(answer[operation.field].take())),
            Err(Trouble::Question(why)) => {
                let why = Trouble::Question(why).to_string();
                tracing::error!(tenant = %self.room.db.tenant(), row = row.number, why, "alarm: Shopify does not understand us");
                self.put_off(row, &why).await?;
                Ok(Told::Settled)
            }
            Err(trouble) if trouble.nothing_happened() && !row.is_asked => {
                self.room.db.shopify_not_asked(row.number).await?;
                Err(trouble.into())
            }
            Err(trouble) => Err(trouble.into()),
        }
    }

    async fn end(&self, row: &Row, end: End, answer: Option<&str>, why: Option<&str>) -> Result<(), Stopped> {
        if let Some(why) = why {
            tracing::warn!(tenant = %self.room.db.tenant(), row = row.number, kind = row.kind.word(), ?end, why, "not told to Shopify");
        }
        Ok(self.room.db.shopify_end(row.number, end, answer, why).await?)
    }

    async fn put_off(&self, row: &Row, why: &str) -> Result<(), Stopped> {
        Ok(self
            .room
            .db
            .shopify_put_off(row.number, put_off_micros(row.tries), Some(why))
            .await?)
    }

    async fn begin_anew(&self, row: &Row) -> Result<(), Stopped> {
        // Somebody else may be counting at the same moment: the first new try comes at once.
        let wait = if row.tries == 0 { 0 } else { put_off_micros(row.tries) };
        Ok(self.room.db.shopify_anew(row.number, wait).await?)
    }
}

/// An answer without anything in it says nothing of what happened.
const NOTHING: &str = "NOTHING";

/// Shopify's polite no.
struct UserError {
    code: String,
    message: String,
}

/// The first one of a payload; a payload that is missing altogether is one too.
fn user_error(payload: &Value) -> Option<UserError> {
    let text = |value: &Value| value.as_str().unwrap_or_default().chars().take(300).collect::<String>();
    if payload.is_null() {
        return Some(UserError {
            code: NOTHING.to_owned(),
            message: "Shopify answered nothing".to_owned(),
        });
    }
    let first = payload["userErrors"].as_array()?.first()?;
    Some(UserError {
        code: text(&first["code"]),
        message: text(&first["message"]),
    })
}

fn put_off_micros(tries: i64) -> i64 {
    let doubled = u32::try_from(tries).ok().and_then(|tries| 1_i64.checked_shl(tries.min(20)));
    (SECOND_MICROS * doubled.unwrap_or(1)).min(LONGEST_PUT_OFF_MICROS)
}
