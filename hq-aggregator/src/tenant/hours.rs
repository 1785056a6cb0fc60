//! A shop's trading within one business day: the sums up to a moment, and hour by hour on the shop's own wall clock.
//!
//! Each is a sum over the same rows that the sales list shows, so that they always agree. Never adds two currencies.

use std::collections::BTreeMap;

use serde::Serialize;

use backroom_core::ids::StoreId;
use backroom_core::time::Instant;

use crate::db::{Connection, DbError};

use super::clocks::Clock;

/// Every zone on earth is a whole number of quarters of an hour away from UTC, so hours of any wall clock are made of these.
const QUARTER_MICROS: i64 = 900_000_000;

/// Sums in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Trade {
    pub currency: String,
    pub sales: i64,
    pub returns: i64,
    /// What customers paid less what they got back: sales minus returns, with tax and cash rounding.
    pub due: i64,
    pub net: i64,
    pub tax: i64,
    /// Of sales alone, without what was taken back.
    pub sold: i64,
}

/// One hour on the shop's wall clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hour {
    pub hour: i8,
    pub currency: String,
    pub sales: i64,
    pub returns: i64,
    pub due: i64,
}

/// What was traded on a business day, up to and with the moment `until`.
pub async fn trade(db: &mut Connection, store: StoreId, day: &str, until: Option<Instant>) -> Result<Vec<Trade>, DbError> {
    let sql = "select currency, count(*) filter (where ended = 'sale') as sales, count(*) filter (where ended = 'return') as returns, \
               cast(sum(due) as bigint) as due, cast(sum(net) as bigint) as net, cast(sum(tax) as bigint) as tax, \
               cast(sum(case when ended = 'sale' then due else 0 end) as bigint) as sold \
               from sale where store = $1 and business_day = $2 and at <= $3 group by currency order by currency";
    let query = sqlx::query_as(sql)
        .bind(store.as_str())
        .bind(day)
        .bind(until.map_or(i64::MAX, Instant::as_micros));
    query.fetch_all(db).await.map_err(DbError::doing("sum a shop's day"))
}

/// The same hour by hour, in the order of the day; an hour in which nothing was sold is left out.
pub async fn hours(db: &mut Connection, store: StoreId, day: &str, clock: &Clock) -> Result<Vec<Hour>, DbError> {
    type Row = (i64, String, i64, i64, i64);
    let sql = "select at / $3, currency, count(*) filter (where ended = 'sale'), count(*) filter (where ended = 'return'), \
               cast(sum(due) as bigint) from sale where store = $1 and business_day = $2 group by 1, currency order by 1, currency";
    let query = sqlx::query_as(sql).bind(store.as_str()).bind(day).bind(QUARTER_MICROS);
    let rows: Vec<Row> = query.fetch_all(db).await.map_err(DbError::doing("sum a shop's hours"))?;
    // By their first quarter, because a day that ends after midnight does not begin at hour 0.
    let mut order: Vec<(i8, String)> = Vec::new();
    let mut sums: BTreeMap<(i8, String), Hour> = BTreeMap::new();
    for (quarter, currency, sales, returns, due) in rows {
        let start = Instant::from_micros(quarter * QUARTER_MICROS).map_err(|_| DbError::damaged("the time of a sale", quarter))?;
        let key = (clock.hour(start), currency.clone());
        let hour = sums.entry(key.clone()).or_insert_with(|| {
            order.push(key);
            Hour {
                hour: clock.hour(start),
                currency,
                sales: 0,
                returns: 0,
                due: 0,
            }
        });
        hour.sales += sales;
        hour.returns += returns;
        hour.due += due;
    }
    Ok(order.into_iter().filter_map(|key| sums.remove(&key)).collect())
}
