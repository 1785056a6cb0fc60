//! The prices of one item: what the catalog says, and every order that was given for it, with what each store did with it.

use serde::Serialize;

use backroom_core::catalog::Sku;

use crate::db::DbError;

use super::TenantDb;
use super::catalog::Product;
use super::reports::shown;

/// More orders than a person looks through.
const NEWEST: i64 = 500;

/// One store's part of a price order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriceOrder {
    pub store: String,
    pub directive: i64,
    pub price: i64,
    pub effective_at: String,
    pub ordered_by: Option<String>,
    pub ordered_at: String,
    /// `pending`, `followed` or `refused`.
    pub state: String,
    pub why: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    store: String,
    number: i64,
    price: i64,
    effective_at: i64,
    ordered_by: Option<String>,
    ordered_at: i64,
    state: String,
    why: Option<String>,
}

impl TenantDb {
    pub async fn product(&self, sku: &Sku) -> Result<Option<Product>, DbError> {
        let sql = "select sku, name, codes, tax_class, price, (select currency from catalog) from product where sku = $1";
        type Found = (String, String, String, String, i64, String);
        let query = sqlx::query_as(sql).bind(sku.as_str());
        let found: Option<Found> = query
            .fetch_optional(self.readers())
            .await
            .map_err(DbError::doing("read a product"))?;
        let product = |(sku, name, codes, tax_class, price, currency): Found| {
            Ok(Product {
                codes: serde_json::from_str(&codes).map_err(|_| DbError::damaged("an item's codes", &codes))?,
                sku,
                name,
                tax_class,
                price,
                currency,
                changes: Vec::new(),
            })
        };
        found.map(product).transpose()
    }

    /// Newest first.
    pub async fn price_orders(&self, sku: &Sku) -> Result<Vec<PriceOrder>, DbError> {
        let sql = "select store, number, price, effective_at, ordered_by, ordered_at, state, why from directive \
                   where sku = $1 and price is not null and effective_at is not null \
                   order by ordered_at desc, number desc, store limit $2";
        let query = sqlx::query_as(sql).bind(sku.as_str()).bind(NEWEST);
        let rows: Vec<Row> = query.fetch_all(self.readers()).await.map_err(DbError::doing("list price orders"))?;
        let order = |row: Row| PriceOrder {
            store: row.store,
            directive: row.number,
            price: row.price,
            effective_at: shown(row.effective_at),
            ordered_by: row.ordered_by,
            ordered_at: shown(row.ordered_at),
            state: row.state,
            why: row.why,
        };
        Ok(rows.into_iter().map(order).collect())
    }
}
