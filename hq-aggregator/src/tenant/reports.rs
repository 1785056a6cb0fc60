//! Sales listed and summed by day, from the projections.

use serde::Serialize;

use crate::db::DbError;

use super::TenantDb;

/// One sale or return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SaleLine {
    pub store: String,
    /// Where its entry stands in the store's journal.
    pub epoch: i64,
    pub seq: i64,
    pub receipt: String,
    pub end: String,
    pub at: String,
    pub business_day: String,
    pub till: String,
    pub net: i64,
    pub tax: i64,
    pub cash_rounding: i64,
    pub due: i64,
    pub currency: String,
}

/// Where a page of sales ends: newest first, so the next page lies before this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleCursor {
    pub at: i64,
    pub store: String,
    pub epoch: i64,
    pub seq: i64,
}

/// Sums of one day in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DayTotals {
    pub currency: String,
    pub sales: i64,
    pub returns: i64,
    pub net: i64,
    pub tax: i64,
    pub cash_rounding: i64,
    pub due: i64,
    pub taxes: Vec<DayTax>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct DayTax {
    pub tax_class: String,
    pub rate: String,
    pub net: i64,
    pub tax: i64,
}

#[derive(sqlx::FromRow)]
struct SaleRow {
    store: String,
    epoch: i64,
    seq: i64,
    register: String,
    series: i64,
    number: i64,
    ended: String,
    at: i64,
    business_day: String,
    till: String,
    net: i64,
    tax: i64,
    cash_rounding: i64,
    due: i64,
    currency: String,
}

impl TenantDb {
    /// Newest first; empty filters match everything. The cursor is that of the last line, if there may be more.
    pub async fn sales(
        &self,
        store: Option<&str>,
        day: Option<&str>,
        before: Option<&SaleCursor>,
        limit: u32,
    ) -> Result<(Vec<SaleLine>, Option<SaleCursor>), DbError> {
        let start = SaleCursor {
            at: i64::MAX,
            store: String::new(),
            epoch: 0,
            seq: 0,
        };
        let before = before.unwrap_or(&start);
        let sql = "select store, epoch, seq, register, series, number, ended, at, business_day, till, net, tax, cash_rounding, due, currency \
                   from sale where ($1 is null or store = $1) and ($2 is null or business_day = $2) \
                   and (at, store, epoch, seq) < ($3, $4, $5, $6) order by at desc, store desc, epoch desc, seq desc limit $7";
        let rows: Vec<SaleRow> = sqlx::query_as(sql)
            .bind(store)
            .bind(day)
            .bind(before.at)
            .bind(&before.store)
            .bind(before.epoch)
            .bind(before.seq)
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(DbError::doing("list sales"))?;
        let full = rows.len() == limit as usize;
        let cursor = rows.last().filter(|_| full).map(|row| SaleCursor {
            at: row.at,
            store: row.store.clone(),
            epoch: row.epoch,
            seq: row.seq,
        });
        Ok((rows.into_iter().map(sale_line).collect(), cursor))
    }

    /// The day's sums, one per currency.
    pub async fn day(&self, day: &str, store: Option<&str>) -> Result<Vec<DayTotals>, DbError> {
        let doing = DbError::doing("sum a day");
        let mut db = self.snapshot().await?;
        let sql = "select currency, count(*) filter (where ended = 'sale'), count(*) filter (where ended = 'return'), \
                   cast(sum(net) as bigint), cast(sum(tax) as bigint), cast(sum(cash_rounding) as bigint), cast(sum(due) as bigint) \
                   from sale where business_day = $1 and ($2 is null or store = $2) group by currency order by currency";
        type Row = (String, i64, i64, i64, i64, i64, i64);
        let query = sqlx::query_as(sql).bind(day).bind(store);
        let rows: Vec<Row> = query.fetch_all(&mut *db).await.map_err(&doing)?;
        let mut totals = Vec::with_capacity(rows.len());
        for (currency, sales, returns, net, tax, cash_rounding, due) in rows {
            let sql = "select tax_class, rate, cast(sum(one.net) as bigint) as net, cast(sum(one.tax) as bigint) as tax from sale_tax one \
                       join sale on sale.store = one.store and sale.epoch = one.epoch and sale.seq = one.seq and sale.branch = one.branch \
                       where business_day = $1 and ($2 is null or sale.store = $2) and currency = $3 \
                       group by tax_class, rate order by tax_class, rate";
            let query = sqlx::query_as(sql).bind(day).bind(store).bind(&currency);
            let taxes = query.fetch_all(&mut *db).await.map_err(&doing)?;
            totals.push(DayTotals {
                currency,
                sales,
                returns,
                net,
                tax,
                cash_rounding,
                due,
                taxes,
            });
        }
        Ok(totals)
    }
}

fn sale_line(row: SaleRow) -> SaleLine {
    SaleLine {
        receipt: format!("{}/{}/{}", row.register, row.series, row.number),
        at: shown(row.at),
        store: row.store,
        epoch: row.epoch,
        seq: row.seq,
        end: row.ended,
        business_day: row.business_day,
        till: row.till,
        net: row.net,
        tax: row.tax,
        cash_rounding: row.cash_rounding,
        due: row.due,
        currency: row.currency,
    }
}

/// An instant for people and programs (RFC 3339).
pub(crate) fn shown(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| "beyond the calendar".to_owned(), |stamp| stamp.to_string())
}
