//! Orders to stores: numbered, kept until the store's own journal shows that it followed or refused them.
//!
//! Signing and sending is the uplink's. A number is used once: after head office was restored from a backup, what stores have
//! followed meanwhile takes its number back, and an order which stood there gets a new one.

use serde::Serialize;

use backroom_core::catalog::PriceChange;
use backroom_core::directive::{Address, Directive, Order};
use backroom_core::facts::Fact;
use backroom_core::ids::StoreId;
use backroom_core::money::Money;
use backroom_core::time::Instant;

use crate::db::{self, Connection, DbError, now_micros, signed, unsigned};

use super::TenantDb;

/// What was made for one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Made {
    pub store: StoreId,
    pub number: u64,
}

/// A caller's Idempotency-Key, and what was asked with it.
#[derive(Clone, Copy, Debug)]
pub struct Once<'a> {
    pub login: &'a str,
    pub key: &'a str,
    /// The whole question in one canonical text.
    pub asked: &'a str,
}

/// What became of a question that is answered once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    Now(Vec<Made>),
    /// The answer from last time, as it was given.
    Before(String),
    /// The key was used for another question.
    OtherQuestion,
}

impl TenantDb {
    /// One price directive for each of the stores, all or none, answered once per key.
    pub async fn order_price(
        &self,
        stores: &[StoreId],
        change: &PriceChange,
        login: &str,
        once: Option<Once<'_>>,
        answer: impl FnOnce(&[Made]) -> String,
    ) -> Result<Answered, DbError> {
        let mut transaction = self.begin().await?;
        if let Some(before) = answered_before(&mut transaction, once).await? {
            return Ok(before);
        }
        let mut made = Vec::with_capacity(stores.len());
        for store in stores {
            let number = next_number(&mut transaction, *store).await?;
            insert(&mut transaction, *store, number, change, login).await?;
            made.push(Made { store: *store, number });
        }
        if let Some(once) = once {
            remember_answer(&mut transaction, once, &answer(&made)).await?;
        }
        db::commit(transaction).await?;
        Ok(Answered::Now(made))
    }

    /// The oldest orders a store has not answered, in their order.
    pub async fn pending(&self, address: Address, most: u32) -> Result<Vec<Directive>, DbError> {
        let rows: Vec<(i64, String, i64, String, i64)> = sqlx::query_as(
            "select number, sku, price, currency, effective_at from directive where store = $1 and state = 'pending' \
             order by number limit $2",
        )
        .bind(address.store.as_str())
        .bind(i64::from(most))
        .fetch_all(self.readers())
        .await
        .map_err(DbError::doing("read directives"))?;
        let directive = |(number, sku, price, currency, at): (i64, String, i64, String, i64)| {
            let change = PriceChange {
                sku: sku.parse().map_err(|_| DbError::damaged("an item number", &sku))?,
                price: Money(price),
                currency: currency.parse().map_err(|_| DbError::damaged("a currency", &currency))?,
                effective_at: Instant::from_micros(at).map_err(|_| DbError::damaged("an instant", at))?,
            };
            Ok(Directive {
                address,
                number: unsigned(number),
                order: Order::Price(change),
            })
        };
        rows.into_iter().map(directive).collect()
    }

    /// The stores which have orders to hear.
    pub async fn stores_with_pending(&self) -> Result<Vec<StoreId>, DbError> {
        let rows: Vec<String> = sqlx::query_scalar("select distinct store from directive where state = 'pending'")
            .fetch_all(self.readers())
            .await
            .map_err(DbError::doing("look for directives"))?;
        rows.into_iter()
            .map(|text| text.parse().map_err(|_| DbError::damaged("a store", &text)))
            .collect()
    }
}

/// A store's journal shows what it did with an order.
pub async fn answered(db: &mut Connection, store: StoreId, fact: &Fact) -> Result<(), DbError> {
    match fact {
        Fact::PriceDirected(fact) => {
            make_room(db, store, fact.directive, Some(&fact.change)).await?;
            settle(db, store, fact.directive, Some(&fact.change), None).await
        }
        Fact::DirectiveRefused(fact) => settle(db, store, fact.directive, None, Some(&fact.why)).await,
        _ => Ok(()),
    }
}

/// If another order than the one that was followed holds the number, that one moves to the end.
async fn make_room(db: &mut Connection, store: StoreId, number: u64, followed: Option<&PriceChange>) -> Result<(), DbError> {
    let doing = DbError::doing("compare a directive");
    let sql = "select sku, price, currency, effective_at, ordered_by from directive where store = $1 and number = $2 and state = 'pending'";
    let query = sqlx::query_as(sql).bind(store.as_str()).bind(signed(number));
    let found: Option<(String, i64, String, i64, Option<String>)> = query.fetch_optional(&mut *db).await.map_err(&doing)?;
    let Some((sku, price, currency, at, by)) = found else {
        return Ok(());
    };
    let same = followed.is_some_and(|change| {
        (
            change.sku.as_str(),
            change.price.0,
            change.currency.code(),
            change.effective_at.as_micros(),
        ) == (&*sku, price, &*currency, at)
    });
    if same {
        return Ok(());
    }
    let next = next_number(db, store).await?;
    tracing::warn!(%store, number, next, "a store followed another order under this number; ours gets a new one");
    let sql = "insert into directive (store, number, sku, price, currency, effective_at, ordered_by, ordered_at, state) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, 'pending')";
    sqlx::query(sql)
        .bind(store.as_str())
        .bind(signed(next))
        .bind(sku)
        .bind(price)
        .bind(currency)
        .bind(at)
        .bind(by)
        .bind(now_micros())
        .execute(db)
        .await
        .map_err(doing)?;
    Ok(())
}

async fn settle(
    db: &mut Connection,
    store: StoreId,
    number: u64,
    change: Option<&PriceChange>,
    refused: Option<&str>,
) -> Result<(), DbError> {
    let state = if refused.is_some() { "refused" } else { "followed" };
    let sql = "insert into directive (store, number, sku, price, currency, effective_at, ordered_at, state, why) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (store, number) do update set state = excluded.state, why = excluded.why, \
               sku = coalesce(excluded.sku, directive.sku), price = coalesce(excluded.price, directive.price), \
               currency = coalesce(excluded.currency, directive.currency), effective_at = coalesce(excluded.effective_at, directive.effective_at)";
    sqlx::query(sql)
        .bind(store.as_str())
        .bind(signed(number))
        .bind(change.map(|change| change.sku.as_str()))
        .bind(change.map(|change| change.price.0))
        .bind(change.map(|change| change.currency.code()))
        .bind(change.map(|change| change.effective_at.as_micros()))
        .bind(now_micros())
        .bind(state)
        .bind(refused.map(db::text))
        .execute(db)
        .await
        .map_err(DbError::doing("write a store's answer to a directive"))?;
    Ok(())
}

/// Beyond all that were ordered, and beyond what the store says it has answered: our memory may be a restored one.
async fn next_number(db: &mut Connection, store: StoreId) -> Result<u64, DbError> {
    let sql = "select coalesce(max(number), 0) + 1 from (select number from directive where store = $1 \
               union all select directives_through from announced where store = $1) as used";
    let query = sqlx::query_scalar(sql).bind(store.as_str());
    let number: i64 = query.fetch_one(db).await.map_err(DbError::doing("number a directive"))?;
    Ok(unsigned(number))
}

async fn insert(db: &mut Connection, store: StoreId, number: u64, change: &PriceChange, login: &str) -> Result<(), DbError> {
    let sql = "insert into directive (store, number, sku, price, currency, effective_at, ordered_by, ordered_at, state) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, 'pending')";
    sqlx::query(sql)
        .bind(store.as_str())
        .bind(signed(number))
        .bind(change.sku.as_str())
        .bind(change.price.0)
        .bind(change.currency.code())
        .bind(change.effective_at.as_micros())
        .bind(login)
        .bind(now_micros())
        .execute(db)
        .await
        .map_err(DbError::doing("write a directive"))?;
    Ok(())
}

async fn answered_before(db: &mut Connection, once: Option<Once<'_>>) -> Result<Option<Answered>, DbError> {
    let Some(Once { login, key, asked }) = once else { return Ok(None) };
    let query = sqlx::query_as("select asked, answer from answered where login = $1 and key = $2")
        .bind(login)
        .bind(key);
    let found: Option<(String, String)> = query
        .fetch_optional(db)
        .await
        .map_err(DbError::doing("look for an earlier answer"))?;
    Ok(found.map(|(before, answer)| {
        if before == asked {
            Answered::Before(answer)
        } else {
            Answered::OtherQuestion
        }
    }))
}

async fn remember_answer(db: &mut Connection, once: Once<'_>, answer: &str) -> Result<(), DbError> {
    sqlx::query("insert into answered (login, key, asked, answer, at) values ($1, $2, $3, $4, $5)")
        .bind(once.login)
        .bind(once.key)
        .bind(once.asked)
        .bind(answer)
        .bind(now_micros())
        .execute(db)
        .await
        .map_err(DbError::doing("keep an answer"))?;
    Ok(())
}
