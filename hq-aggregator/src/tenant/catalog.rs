//! The catalog as head office knows it: what can be sold, and which prices were ordered where.
//!
//! A box gets its catalog at set-up and prices by directive; delivering whole catalogs is not here yet.

use serde::Serialize;

use backroom_core::catalog::{Catalog, CatalogError, CatalogFile, Sku};
use backroom_core::journal::Hash;
use backroom_core::money::Currency;
use backroom_core::tax::PriceMode;

use crate::db::{self, DbError, now_micros, signed, unsigned};

use super::TenantDb;

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("the catalog can not be used: {0}")]
    Catalog(#[from] CatalogError),
    #[error("catalog version {given} is not newer than {held}, which is here already; raise its version")]
    NotNewer { given: u64, held: u64 },
    #[error("catalog version {0} is here already with other content; raise its version")]
    OtherContent(u64),
}

/// One thing that can be sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Product {
    pub sku: String,
    pub name: String,
    pub codes: Vec<String>,
    pub tax_class: String,
    /// The catalog's price; what was ordered for single stores is in `changes`.
    pub price: i64,
    pub currency: String,
    pub changes: Vec<Change>,
}

/// The latest price order of one store for an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub store: String,
    pub directive: i64,
    pub price: i64,
    pub effective_at: String,
    pub state: String,
}

type ProductRow = (String, String, String, String, i64);
type ChangeRow = (String, i64, i64, i64, String);

impl TenantDb {
    /// Takes a catalog in, whole. The same file again changes nothing.
    pub async fn import_catalog(&self, file: CatalogFile, content: &[u8]) -> Result<(), ImportError> {
        let doing = DbError::doing("take a catalog in");
        let hash = Hash::of(content).to_string();
        let catalog = Catalog::new(file)?;
        let file = catalog.file();
        let mut transaction = self.begin().await?;
        let held: Option<(i64, String)> = sqlx::query_as("select version, hash from catalog where \"only\" = 1")
            .fetch_optional(&mut *transaction)
            .await
            .map_err(&doing)?;
        match held {
            Some((version, held)) if unsigned(version) == file.version && held == hash => return Ok(()),
            Some((version, _)) if unsigned(version) == file.version => return Err(ImportError::OtherContent(file.version)),
            Some((version, _)) if unsigned(version) > file.version => {
                return Err(ImportError::NotNewer {
                    given: file.version,
                    held: unsigned(version),
                });
            }
            _ => {}
        }
        sqlx::query("delete from product")
            .execute(&mut *transaction)
            .await
            .map_err(&doing)?;
        for item in catalog.items() {
            let codes: Vec<&str> = item.codes().collect();
            sqlx::query("insert into product (sku, name, codes, tax_class, price) values ($1, $2, $3, $4, $5)")
                .bind(item.sku_text())
                .bind(db::text(item.name()))
                .bind(serde_json::to_string(&codes).unwrap_or_default())
                .bind(db::text(&item.tax_class().code))
                .bind(item.list_price().0)
                .execute(&mut *transaction)
                .await
                .map_err(&doing)?;
        }
        let prices = match file.prices {
            PriceMode::Inclusive => "inclusive",
            PriceMode::Exclusive => "exclusive",
        };
        let sql = "insert into catalog (\"only\", version, hash, currency, prices, imported_at) values (1, $1, $2, $3, $4, $5) \
                   on conflict (\"only\") do update set version = excluded.version, hash = excluded.hash, currency = excluded.currency, \
                   prices = excluded.prices, imported_at = excluded.imported_at";
        sqlx::query(sql)
            .bind(signed(file.version))
            .bind(hash)
            .bind(file.currency.code())
            .bind(prices)
            .bind(now_micros())
            .execute(&mut *transaction)
            .await
            .map_err(&doing)?;
        Ok(db::commit(transaction).await?)
    }

    pub async fn currency(&self) -> Result<Option<Currency>, DbError> {
        let code: Option<String> = sqlx::query_scalar("select currency from catalog where \"only\" = 1")
            .fetch_optional(self.readers())
            .await
            .map_err(DbError::doing("read the catalog's currency"))?;
        code.map(|code| code.parse().map_err(|_| DbError::damaged("a currency", &code)))
            .transpose()
    }

    pub async fn has_product(&self, sku: &Sku) -> Result<bool, DbError> {
        let found: Option<i64> = sqlx::query_scalar("select 1 from product where sku = $1")
            .bind(sku.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(DbError::doing("look for a product"))?;
        Ok(found.is_some())
    }

    /// Products whose number, name or codes hold `q`, after the number `after`.
    pub async fn products(&self, q: &str, after: &str, limit: u32) -> Result<Vec<Product>, DbError> {
        let doing = DbError::doing("list products");
        let currency = self.currency().await?.map_or("", Currency::code);
        let like = format!("%{}%", q.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
        let sql = "select sku, name, codes, tax_class, price from product where sku > $1 \
                   and (lower(sku) like lower($2) escape '\\' or lower(name) like lower($2) escape '\\' or lower(codes) like lower($2) escape '\\') \
                   order by sku limit $3";
        let query = sqlx::query_as(sql)
            .bind(db::text(after))
            .bind(db::text(&like))
            .bind(i64::from(limit));
        let rows: Vec<ProductRow> = query.fetch_all(self.readers()).await.map_err(&doing)?;
        let mut products = Vec::with_capacity(rows.len());
        for (sku, name, codes, tax_class, price) in rows {
            let sql = "select store, number, price, effective_at, state from directive one where sku = $1 and number = \
                       (select max(number) from directive other where other.store = one.store and other.sku = one.sku) order by store";
            let changes: Vec<ChangeRow> = sqlx::query_as(sql).bind(&sku).fetch_all(self.readers()).await.map_err(&doing)?;
            let changes = changes.into_iter().map(change).collect();
            let codes = serde_json::from_str(&codes).map_err(|_| DbError::damaged("an item's codes", &codes))?;
            products.push(Product {
                sku,
                name,
                codes,
                tax_class,
                price,
                currency: currency.to_owned(),
                changes,
            });
        }
        Ok(products)
    }
}

fn change((store, directive, price, effective_at, state): ChangeRow) -> Change {
    Change {
        store,
        directive,
        price,
        effective_at: super::reports::shown(effective_at),
        state,
    }
}
