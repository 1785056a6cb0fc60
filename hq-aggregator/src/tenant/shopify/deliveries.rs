//! Messages from Shopify: each kept once before it is answered, and worked on later.

use serde::Serialize;

use crate::db::{DbError, now_micros, text};
use crate::tenant::TenantDb;
use crate::tenant::reports::shown;

/// A message whose signature was right.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Delivery {
    pub webhook_id: String,
    pub topic: String,
    pub body: Vec<u8>,
}

/// A message, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    pub webhook_id: String,
    pub topic: String,
    pub received_at: String,
    /// Null while it waits.
    pub said: Option<String>,
}

impl TenantDb {
    /// False when the message came before.
    pub async fn shopify_receive(&self, delivery: &Delivery) -> Result<bool, DbError> {
        let sql = "insert into shopify_delivery (webhook_id, topic, body, received_at) values ($1, $2, $3, $4) \
                   on conflict (webhook_id) do nothing";
        let done = sqlx::query(sql)
            .bind(text(&delivery.webhook_id))
            .bind(text(&delivery.topic))
            .bind(&delivery.body)
            .bind(now_micros())
            .execute(self.writer())
            .await
            .map_err(DbError::doing("keep a message from Shopify"))?;
        Ok(done.rows_affected() > 0)
    }

    pub async fn shopify_received(&self, most: u32) -> Result<Vec<Delivery>, DbError> {
        let sql = "select webhook_id, topic, body from shopify_delivery where done_at is null order by received_at, webhook_id limit $1";
        sqlx::query_as(sql)
            .bind(i64::from(most))
            .fetch_all(self.readers())
            .await
            .map_err(DbError::doing("read messages from Shopify"))
    }

    pub async fn shopify_worked_on(&self, webhook_id: &str, said: &str) -> Result<(), DbError> {
        // The body is not needed any more; the id is, for repeats.
        let sql = "update shopify_delivery set said = $2, done_at = $3, body = $4 where webhook_id = $1";
        sqlx::query(sql)
            .bind(webhook_id)
            .bind(text(said))
            .bind(now_micros())
            .bind(Vec::<u8>::new())
            .execute(self.writer())
            .await
            .map_err(DbError::doing("write what became of a message from Shopify"))?;
        Ok(())
    }

    pub async fn shopify_deliveries(&self, most: u32) -> Result<Vec<Said>, DbError> {
        let sql = "select webhook_id, topic, received_at, said from shopify_delivery order by received_at desc, webhook_id limit $1";
        let rows: Vec<(String, String, i64, Option<String>)> = sqlx::query_as(sql)
            .bind(i64::from(most))
            .fetch_all(self.readers())
            .await
            .map_err(DbError::doing("list messages from Shopify"))?;
        let said = |(webhook_id, topic, received_at, said)| Said {
            webhook_id,
            topic,
            received_at: shown(received_at),
            said,
        };
        Ok(rows.into_iter().map(said).collect())
    }
}
