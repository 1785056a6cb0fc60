//! What a person has to look at: entries which could not be read, and second chains of one journal.
//!
//! Keeps the list. Nothing here stops or repairs anything.

use serde::Serialize;

use backroom_core::federation::receiver::Branch;
use backroom_core::ids::StoreId;
use backroom_core::journal::{Epoch, Seq};

use crate::db::{self, Connection, DbError, now_micros, signed};

use super::TenantDb;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The bytes are kept, but this version can not read them.
    Unreadable,
    /// A second chain claims places which another chain has.
    Conflict,
}

impl Reason {
    fn word(self) -> &'static str {
        match self {
            Reason::Unreadable => "unreadable",
            Reason::Conflict => "conflict",
        }
    }
}

/// One line of the list, as the console shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Case {
    pub store: String,
    pub epoch: i64,
    pub branch: i64,
    pub seq: i64,
    pub reason: String,
    pub why: String,
}

/// True when it is new.
pub async fn add(db: &mut Connection, store: StoreId, at: (Epoch, Branch, Seq), reason: Reason, why: &str) -> Result<bool, DbError> {
    let (epoch, branch, seq) = at;
    let sql = "insert into quarantine (store, epoch, branch, seq, reason, why, found_at) values ($1, $2, $3, $4, $5, $6, $7) \
               on conflict do nothing";
    let done = sqlx::query(sql)
        .bind(store.as_str())
        .bind(i64::from(epoch.0))
        .bind(i64::from(branch.0))
        .bind(signed(seq.0))
        .bind(reason.word())
        .bind(db::text(why))
        .bind(now_micros())
        .execute(db)
        .await
        .map_err(DbError::doing("put an entry in quarantine"))?;
    Ok(done.rows_affected() > 0)
}

/// A newer version of the program could read it after all.
pub async fn resolve(db: &mut Connection, store: StoreId, at: (Epoch, Branch, Seq), reason: Reason) -> Result<(), DbError> {
    let (epoch, branch, seq) = at;
    let sql = "update quarantine set resolved_at = $1 \
               where store = $2 and epoch = $3 and branch = $4 and seq = $5 and reason = $6 and resolved_at is null";
    sqlx::query(sql)
        .bind(now_micros())
        .bind(store.as_str())
        .bind(i64::from(epoch.0))
        .bind(i64::from(branch.0))
        .bind(signed(seq.0))
        .bind(reason.word())
        .execute(db)
        .await
        .map_err(DbError::doing("take an entry out of quarantine"))?;
    Ok(())
}

impl TenantDb {
    pub async fn open_cases(&self) -> Result<Vec<Case>, DbError> {
        let sql = "select store, epoch, branch, seq, reason, why from quarantine where resolved_at is null \
                   order by store, epoch, branch, seq";
        sqlx::query_as(sql)
            .fetch_all(self.readers())
            .await
            .map_err(DbError::doing("list the quarantine"))
    }
}
