//! What is to be told to Shopify: written together with the journal entry it comes from, told later, each row once.
//!
//! Writing happens inside the transaction of the intake; everything else is single statements by the one who tells
//! (`shopify::outbox`), each committed before the next question goes out.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use backroom_core::catalog::Sku;
use backroom_core::facts::{ClosedTicket, TicketEnd};
use backroom_core::ids::StoreId;
use backroom_core::journal::{Entry, Hash};
use backroom_core::stock::{MoveReason, StockMove};

use crate::db::{Connection, DbError, now_micros, text};
use crate::shopify::order;
use crate::tenant::TenantDb;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What a shop holds of an item, all of it.
    Level,
    /// So many more or fewer.
    Change,
    /// A sale.
    Order,
    /// A sale that was taken back.
    Refund,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Level => "level",
            Kind::Change => "change",
            Kind::Order => "order",
            Kind::Refund => "refund",
        }
    }

    fn of(word: &str) -> Result<Kind, DbError> {
        [Kind::Level, Kind::Change, Kind::Order, Kind::Refund]
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or_else(|| DbError::damaged("what is told to Shopify", word))
    }
}

/// How a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    /// Shopify said no; a person has to look.
    Refused,
    /// Nobody knows whether Shopify did it, and it can not be asked any more.
    Unclear,
    /// There is nothing to tell.
    Skipped,
}

impl End {
    fn word(self) -> &'static str {
        match self {
            End::Done => "done",
            End::Refused => "refused",
            End::Unclear => "unclear",
            End::Skipped => "skipped",
        }
    }
}

/// One thing to tell that is not told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub number: i64,
    pub key: String,
    pub kind: Kind,
    pub store: String,
    pub location: Option<String>,
    pub sku: String,
    pub body: String,
    /// It was sent, and what became of it is not known.
    pub is_asked: bool,
    /// Counts the keys this row has used up.
    pub attempt: i64,
    /// How often it was put off; for the time until the next try.
    pub tries: i64,
    /// How often Shopify was asked whether it knows the order already.
    pub looked: i64,
    pub sent: Option<String>,
    pub asked_at: Option<i64>,
}

impl Row {
    /// The idempotency key of this attempt.
    pub fn attempt_key(&self) -> String {
        match self.attempt {
            0 => self.key.clone(),
            attempt => derived(&[self.key.as_bytes(), &attempt.to_be_bytes()]).to_string(),
        }
    }
}

pub struct NewRow<'a> {
    pub key: Uuid,
    pub kind: Kind,
    pub store: StoreId,
    pub sku: &'a str,
    pub receipt: &'a str,
    pub body: &'a str,
    /// It is plain from the start that it can not be told.
    pub refused: Option<&'a str>,
}

/// Writes down what entries mean for Shopify, within one transaction. Nothing at all for a shop that is not connected.
pub struct Outbox {
    store: StoreId,
    location: Option<Option<String>>,
    number: Option<i64>,
}

impl Outbox {
    pub fn new(store: StoreId) -> Outbox {
        Outbox {
            store,
            location: None,
            number: None,
        }
    }

    /// A sale becomes an order, a return a refund of one.
    pub async fn closed(&mut self, db: &mut Connection, entry: &Entry, ticket: &ClosedTicket) -> Result<(), DbError> {
        let Some(location) = self.location(db).await? else { return Ok(()) };
        let receipt = |receipt: Option<backroom_core::ids::ReceiptNo>| receipt.map(|receipt| receipt.to_string()).unwrap_or_default();
        let (kind, key, body) = match ticket.end {
            TicketEnd::Sale => {
                let key = key_of(entry.hash, Kind::Order, "");
                let order = order::order(&entry.header, ticket, &location, &key.to_string());
                (Kind::Order, key, order.map(|order| order.to_string()))
            }
            TicketEnd::Return | TicketEnd::Cancellation => {
                let refund = order::refund(&entry.header, ticket).map(|refund| serde_json::json!(refund).to_string());
                (Kind::Refund, key_of(entry.hash, Kind::Refund, ""), refund)
            }
            // An exchange is two things at once there; a person settles it in the web shop's own pages.
            TicketEnd::Cancelled | TicketEnd::Exchange | TicketEnd::Training | TicketEnd::Quotation => return Ok(()),
        };
        let refused = body.as_ref().err().copied();
        let row = NewRow {
            key,
            kind,
            store: self.store,
            sku: "",
            receipt: &receipt(ticket.receipt),
            body: body.as_deref().unwrap_or_default(),
            refused,
        };
        self.add(db, &row).await
    }

    /// Stock moved. What a shop began with is told as a level, everything else as a difference.
    pub async fn moved(
        &mut self,
        db: &mut Connection,
        entry: &Entry,
        moves: &[StockMove],
        on_hand: impl Fn(&Sku) -> i64,
    ) -> Result<(), DbError> {
        if self.location(db).await?.is_none() {
            return Ok(());
        }
        let mut sums: BTreeMap<&Sku, (i64, Kind)> = BTreeMap::new();
        for moved in moves {
            let sum = sums.entry(&moved.sku).or_insert((0, Kind::Change));
            sum.0 = sum.0.saturating_add(moved.delta.0);
            if moved.reason == MoveReason::Opening {
                sum.1 = Kind::Level;
            }
        }
        for (sku, (delta, kind)) in sums {
            let amount = if kind == Kind::Level { on_hand(sku) } else { delta };
            if kind == Kind::Change && delta == 0 {
                continue;
            }
            let row = NewRow {
                key: key_of(entry.hash, kind, sku.as_str()),
                kind,
                store: self.store,
                sku: sku.as_str(),
                receipt: "",
                body: &amount.to_string(),
                refused: None,
            };
            self.add(db, &row).await?;
        }
        Ok(())
    }

    async fn location(&mut self, db: &mut Connection) -> Result<Option<String>, DbError> {
        if let Some(known) = &self.location {
            return Ok(known.clone());
        }
        let found: Option<String> = sqlx::query_scalar("select location from shopify_location where store = $1")
            .bind(self.store.as_str())
            .fetch_optional(db)
            .await
            .map_err(DbError::doing("look for a place at Shopify"))?;
        self.location = Some(found.clone());
        Ok(found)
    }

    async fn add(&mut self, db: &mut Connection, row: &NewRow<'_>) -> Result<(), DbError> {
        let number = match self.number {
            Some(number) => number,
            None => next_number(db).await?,
        };
        insert(db, number, row).await?;
        self.number = Some(number + 1);
        Ok(())
    }
}

/// Numbers order the rows; whoever asks holds the writer.
pub async fn next_number(db: &mut Connection) -> Result<i64, DbError> {
    sqlx::query_scalar("select coalesce(max(number), 0) + 1 from shopify_outbox")
        .fetch_one(db)
        .await
        .map_err(DbError::doing("number what is told to Shopify"))
}

/// An entry that was written before keeps its row.
pub async fn insert(db: &mut Connection, number: i64, row: &NewRow<'_>) -> Result<(), DbError> {
    let sql = "insert into shopify_outbox (number, key, kind, store, sku, receipt, body, state, attempt, tries, looked, next_at, why, \
               made_at) values ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, 0, $9, $10) on conflict (key) do nothing";
    sqlx::query(sql)
        .bind(number)
        .bind(row.key.to_string())
        .bind(row.kind.word())
        .bind(row.store.as_str())
        .bind(row.sku)
        .bind(row.receipt)
        .bind(text(row.body))
        .bind(if row.refused.is_some() { "refused" } else { "waiting" })
        .bind(row.refused)
        .bind(now_micros())
        .execute(db)
        .await
        .map_err(DbError::doing("write down what to tell Shopify"))?;
    Ok(())
}

/// The same entry has the same key wherever and whenever it is taken in.
fn key_of(hash: Hash, kind: Kind, sku: &str) -> Uuid {
    derived(&[&hash.0, kind.word().as_bytes(), sku.as_bytes()])
}

fn derived(parts: &[&[u8]]) -> Uuid {
    let mut digest = Sha256::new_with_prefix(b"backroom shopify");
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let digest = digest.finalize();
    let mut bytes = [0; 16];
    for (byte, from) in bytes.iter_mut().zip(digest.iter()) {
        *byte = *from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[derive(sqlx::FromRow)]
struct Kept {
    number: i64,
    key: String,
    kind: String,
    store: String,
    location: Option<String>,
    sku: String,
    body: String,
    state: String,
    attempt: i64,
    tries: i64,
    looked: i64,
    sent: Option<String>,
    asked_at: Option<i64>,
}

impl TenantDb {
    /// What can be told now. Sales and changes come before levels, a level that holds up a change before one that does not; and of
    /// one item in one shop never two at a time: a change stands on the level before it.
    pub async fn shopify_next(&self, most: u32) -> Result<Vec<Row>, DbError> {
        let sql = "select o.number, o.key, o.kind, o.store, l.location, o.sku, o.body, o.state, o.attempt, o.tries, o.looked, o.sent, \
                   o.asked_at from shopify_outbox o left join shopify_location l on l.store = o.store \
                   where o.state in ('waiting', 'asked') and o.next_at <= $1 and (o.sku = '' or not exists (select 1 from shopify_outbox e \
                   where e.store = o.store and e.sku = o.sku and e.state in ('waiting', 'asked') and e.number < o.number)) \
                   order by case when o.kind <> 'level' then 0 when exists (select 1 from shopify_outbox c where c.store = o.store and \
                   c.sku = o.sku and c.state in ('waiting', 'asked') and c.number > o.number) then 1 else 2 end, o.number limit $2";
        let rows: Vec<Kept> = sqlx::query_as(sql)
            .bind(now_micros())
            .bind(i64::from(most))
            .fetch_all(self.readers())
            .await
            .map_err(DbError::doing("look for what to tell Shopify"))?;
        let row = |kept: Kept| {
            Ok(Row {
                number: kept.number,
                key: kept.key,
                kind: Kind::of(&kept.kind)?,
                store: kept.store,
                location: kept.location,
                sku: kept.sku,
                body: kept.body,
                is_asked: kept.state == "asked",
                attempt: kept.attempt,
                tries: kept.tries,
                looked: kept.looked,
                sent: kept.sent,
                asked_at: kept.asked_at,
            })
        };
        rows.into_iter().map(row).collect()
    }

    /// To be committed before the question goes out: from here on, whether it was done is not known.
    pub async fn shopify_asking(&self, number: i64, sent: &str) -> Result<(), DbError> {
        let sql = "update shopify_outbox set state = 'asked', sent = $2, asked_at = coalesce(asked_at, $3), looked = 0 where number = $1";
        let query = sqlx::query(sql).bind(number).bind(text(sent)).bind(now_micros());
        self.shopify_write(query, "note that Shopify is being asked").await
    }

    /// Shopify said clearly that it did nothing: as if it had not been asked.
    pub async fn shopify_not_asked(&self, number: i64) -> Result<(), DbError> {
        let query = sqlx::query("update shopify_outbox set state = 'waiting', asked_at = null where number = $1").bind(number);
        self.shopify_write(query, "note that Shopify did nothing").await
    }

    pub async fn shopify_end(&self, number: i64, end: End, answer: Option<&str>, why: Option<&str>) -> Result<(), DbError> {
        let sql = "update shopify_outbox set state = $2, answer = $3, why = $4, ended_at = $5 where number = $1";
        let query = sqlx::query(sql)
            .bind(number)
            .bind(end.word())
            .bind(answer.map(text))
            .bind(why.map(text))
            .bind(now_micros());
        self.shopify_write(query, "write what became of what was told to Shopify").await
    }

    /// Once more later, as it is.
    pub async fn shopify_put_off(&self, number: i64, wait_micros: i64, why: Option<&str>) -> Result<(), DbError> {
        let sql = "update shopify_outbox set tries = tries + 1, next_at = $2, why = $3 where number = $1";
        let query = sqlx::query(sql).bind(number).bind(now_micros() + wait_micros).bind(why.map(text));
        self.shopify_write(query, "put off what to tell Shopify").await
    }

    /// Once more with a new key: what was sent with the old one did not happen and will not.
    pub async fn shopify_anew(&self, number: i64, wait_micros: i64) -> Result<(), DbError> {
        let sql = "update shopify_outbox set state = 'waiting', attempt = attempt + 1, tries = tries + 1, sent = null, asked_at = null, \
                   next_at = $2 where number = $1";
        let query = sqlx::query(sql).bind(number).bind(now_micros() + wait_micros);
        self.shopify_write(query, "begin anew to tell Shopify").await
    }

    /// Shopify was asked for an order and does not know it, or not yet.
    pub async fn shopify_looked(&self, number: i64, wait_micros: i64) -> Result<(), DbError> {
        let sql = "update shopify_outbox set looked = looked + 1, next_at = $2 where number = $1";
        let query = sqlx::query(sql).bind(number).bind(now_micros() + wait_micros);
        self.shopify_write(query, "note that Shopify does not know an order").await
    }

    /// A product was made or changed at Shopify: what waits for it need not wait longer.
    pub async fn shopify_hurry(&self, sku: &str) -> Result<(), DbError> {
        let query = sqlx::query("update shopify_outbox set next_at = 0 where sku = $1 and state = 'waiting'").bind(sku.to_owned());
        self.shopify_write(query, "hurry what waits for a product").await
    }

    /// The order a sale became: its state, and its name at Shopify once it is there.
    pub async fn shopify_order_of(&self, store: &str, receipt: &str) -> Result<Option<(String, Option<String>)>, DbError> {
        let sql = "select state, answer from shopify_outbox where store = $1 and receipt = $2 and kind = 'order' order by number limit 1";
        sqlx::query_as(sql)
            .bind(store)
            .bind(receipt)
            .fetch_optional(self.readers())
            .await
            .map_err(DbError::doing("look for the order of a sale"))
    }

    async fn shopify_write<'q>(
        &self,
        query: sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>,
        doing: &'static str,
    ) -> Result<(), DbError> {
        query.execute(self.writer()).await.map_err(DbError::doing(doing))?;
        Ok(())
    }
}
