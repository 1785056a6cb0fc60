//! The company's web shop at Shopify as the database knows it: the line itself, its places and products, and how it stands.
//!
//! Secrets are not here but in files (`shopify::vault`). What waits to be told is in `outbox`, what came in in `deliveries`.

pub mod deliveries;
pub mod outbox;

use serde::Serialize;
use uuid::Uuid;

use backroom_core::ids::StoreId;

use crate::db::{self, Connection, DbError, now_micros, text};

use super::TenantDb;
use super::reports::shown;
use outbox::{Kind, NewRow};

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("this company is connected to {0}; what waits for that shop must not go to another one")]
    OtherShop(String),
}

/// The line to the shop.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Link {
    pub url: String,
    /// `name.myshopify.com`, as Shopify signs its messages.
    pub domain: String,
    pub api_version: String,
    pub connected_at: i64,
    pub shop_name: Option<String>,
    pub currency: Option<String>,
    pub checked_at: Option<i64>,
    pub trouble: Option<String>,
    pub trouble_at: Option<i64>,
}

/// What a person says when connecting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLink {
    pub url: String,
    pub domain: String,
    pub api_version: String,
    pub locations: Vec<(StoreId, String)>,
}

/// What Shopify calls something that is sold.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Item {
    pub sku: String,
    pub variant: String,
    pub item: String,
    pub title: String,
    pub price: String,
    /// When Shopify said so, by its own clock; 0 if it was asked.
    pub said_at: i64,
}

/// How many rows of a kind are in a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Count {
    pub kind: String,
    pub state: String,
    pub rows: i64,
}

/// Something that was not told, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stuck {
    pub kind: String,
    pub state: String,
    pub store: String,
    pub sku: String,
    pub receipt: String,
    pub why: String,
    pub since: String,
}

/// A product that was changed at Shopify and is not in the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Unknown {
    pub sku: String,
    pub title: String,
    pub price: String,
}

impl TenantDb {
    /// Connects, or changes how. What each newly named shop holds is told first; from then on every change of it is.
    pub async fn connect_shopify(&self, link: &NewLink) -> Result<(), ConnectError> {
        let mut writing = self.begin().await?;
        let before: Option<String> = sqlx::query_scalar("select domain from shopify_link where one = 1")
            .fetch_optional(&mut *writing)
            .await
            .map_err(DbError::doing("read the line to Shopify"))?;
        if let Some(before) = before.filter(|before| *before != link.domain) {
            return Err(ConnectError::OtherShop(before));
        }
        write_link(&mut writing, link).await?;
        for (store, location) in &link.locations {
            if write_location(&mut writing, *store, location).await? {
                tell_levels(&mut writing, *store).await?;
            }
        }
        Ok(db::commit(writing).await?)
    }

    pub async fn shopify_link(&self) -> Result<Option<Link>, DbError> {
        let sql = "select url, domain, api_version, connected_at, shop_name, currency, checked_at, trouble, trouble_at \
                   from shopify_link where one = 1";
        sqlx::query_as(sql)
            .fetch_optional(self.readers())
            .await
            .map_err(DbError::doing("read the line to Shopify"))
    }

    /// Shopify answered: this is who it is.
    pub async fn shopify_checked(&self, shop_name: &str, currency: &str) -> Result<(), DbError> {
        sqlx::query("update shopify_link set shop_name = $1, currency = $2, checked_at = $3 where one = 1")
            .bind(text(shop_name))
            .bind(text(currency))
            .bind(now_micros())
            .execute(self.writer())
            .await
            .map_err(DbError::doing("write what Shopify said of itself"))?;
        Ok(())
    }

    /// What is wrong with the line, or that it is in order again.
    pub async fn shopify_trouble(&self, trouble: Option<&str>) -> Result<(), DbError> {
        sqlx::query("update shopify_link set trouble = $1, trouble_at = $2 where one = 1")
            .bind(trouble.map(text))
            .bind(trouble.map(|_| now_micros()))
            .execute(self.writer())
            .await
            .map_err(DbError::doing("write what is wrong with the line to Shopify"))?;
        Ok(())
    }

    pub async fn shopify_locations(&self) -> Result<Vec<(String, String)>, DbError> {
        sqlx::query_as("select store, location from shopify_location order by store")
            .fetch_all(self.readers())
            .await
            .map_err(DbError::doing("list the places at Shopify"))
    }

    pub async fn shopify_item(&self, sku: &str) -> Result<Option<Item>, DbError> {
        sqlx::query_as("select sku, variant, item, title, price, said_at from shopify_item where sku = $1")
            .bind(sku)
            .fetch_optional(self.readers())
            .await
            .map_err(DbError::doing("look for a product of Shopify"))
    }

    /// Keeps what was heard last. False when something newer is known.
    pub async fn shopify_keep_item(&self, item: &Item) -> Result<bool, DbError> {
        let sql = "insert into shopify_item (sku, variant, item, title, price, said_at) values ($1, $2, $3, $4, $5, $6) \
                   on conflict (sku) do update set variant = excluded.variant, item = excluded.item, title = excluded.title, \
                   price = excluded.price, said_at = case when excluded.said_at = 0 then shopify_item.said_at else excluded.said_at end \
                   where shopify_item.said_at <= excluded.said_at or excluded.said_at = 0";
        let done = sqlx::query(sql)
            .bind(text(&item.sku))
            .bind(text(&item.variant))
            .bind(text(&item.item))
            .bind(text(&item.title))
            .bind(text(&item.price))
            .bind(item.said_at)
            .execute(self.writer())
            .await
            .map_err(DbError::doing("keep a product of Shopify"))?;
        Ok(done.rows_affected() > 0)
    }

    /// It is not there any more under what it was called.
    pub async fn shopify_forget_item(&self, sku: &str) -> Result<(), DbError> {
        sqlx::query("delete from shopify_item where sku = $1")
            .bind(sku)
            .execute(self.writer())
            .await
            .map_err(DbError::doing("forget a product of Shopify"))?;
        Ok(())
    }

    /// What an item costs in each connected shop, as far as head office ordered it: its last order, or the catalog.
    pub async fn prices_in_connected_stores(&self, sku: &str) -> Result<Vec<(StoreId, i64)>, DbError> {
        let sql = "select l.store, coalesce((select d.price from directive d where d.store = l.store and d.number = \
                   (select max(e.number) from directive e where e.store = l.store and e.sku = $1 and e.state <> 'refused')), p.price) \
                   from shopify_location l, product p where p.sku = $1 order by l.store";
        let rows: Vec<(String, i64)> = sqlx::query_as(sql)
            .bind(sku)
            .fetch_all(self.readers())
            .await
            .map_err(DbError::doing("compare prices with Shopify"))?;
        let store = |(store, price): (String, i64)| Ok((store.parse().map_err(|_| DbError::damaged("a store", &store))?, price));
        rows.into_iter().map(store).collect()
    }

    pub async fn shopify_counts(&self) -> Result<Vec<Count>, DbError> {
        let sql = "select kind, state, count(*) as rows from shopify_outbox group by kind, state order by kind, state";
        sqlx::query_as(sql)
            .fetch_all(self.readers())
            .await
            .map_err(DbError::doing("count what is told to Shopify"))
    }

    /// What needs a person, and what waits for a reason, newest first.
    pub async fn shopify_stuck(&self, most: u32) -> Result<Vec<Stuck>, DbError> {
        let sql = "select kind, state, store, sku, receipt, why, made_at from shopify_outbox \
                   where why is not null and state <> 'done' order by number desc limit $1";
        let rows: Vec<(String, String, String, String, String, String, i64)> = sqlx::query_as(sql)
            .bind(i64::from(most))
            .fetch_all(self.readers())
            .await
            .map_err(DbError::doing("list what was not told to Shopify"))?;
        let stuck = |(kind, state, store, sku, receipt, why, made_at)| Stuck {
            kind,
            state,
            store,
            sku,
            receipt,
            why,
            since: shown(made_at),
        };
        Ok(rows.into_iter().map(stuck).collect())
    }

    pub async fn shopify_unknown(&self, most: u32) -> Result<Vec<Unknown>, DbError> {
        let sql = "select i.sku, i.title, i.price from shopify_item i where not exists (select 1 from product p where p.sku = i.sku) \
                   order by i.sku limit $1";
        sqlx::query_as(sql)
            .bind(i64::from(most))
            .fetch_all(self.readers())
            .await
            .map_err(DbError::doing("list products that only Shopify knows"))
    }
}

async fn write_link(db: &mut Connection, link: &NewLink) -> Result<(), DbError> {
    let sql = "insert into shopify_link (one, url, domain, api_version, connected_at) values (1, $1, $2, $3, $4) \
               on conflict (one) do update set url = excluded.url, api_version = excluded.api_version, \
               connected_at = excluded.connected_at, checked_at = null, trouble = null, trouble_at = null";
    sqlx::query(sql)
        .bind(text(&link.url))
        .bind(text(&link.domain))
        .bind(text(&link.api_version))
        .bind(now_micros())
        .execute(db)
        .await
        .map_err(DbError::doing("write the line to Shopify"))?;
    Ok(())
}

/// Whether the shop was not at this place before.
async fn write_location(db: &mut Connection, store: StoreId, location: &str) -> Result<bool, DbError> {
    let sql = "insert into shopify_location (store, location) values ($1, $2) \
               on conflict (store) do update set location = excluded.location where shopify_location.location <> excluded.location";
    let done = sqlx::query(sql)
        .bind(store.as_str())
        .bind(text(location))
        .execute(db)
        .await
        .map_err(DbError::doing("write a place at Shopify"))?;
    Ok(done.rows_affected() > 0)
}

async fn tell_levels(db: &mut Connection, store: StoreId) -> Result<(), DbError> {
    let held: Vec<(String, i64)> = sqlx::query_as("select sku, on_hand from stock where store = $1 order by sku")
        .bind(store.as_str())
        .fetch_all(&mut *db)
        .await
        .map_err(DbError::doing("read what is on hand"))?;
    let mut number = outbox::next_number(db).await?;
    for (sku, on_hand) in held {
        let row = NewRow {
            key: Uuid::now_v7(),
            kind: Kind::Level,
            store,
            sku: &sku,
            receipt: "",
            body: &on_hand.to_string(),
            refused: None,
        };
        outbox::insert(db, number, &row).await?;
        number += 1;
    }
    Ok(())
}
