//! One company's database. Whoever holds a [`TenantDb`] reaches this company and no other: no query needs to name it.
//!
//! Owns the file and its connections. The queries are in the rooms below, each beside the type it returns.

pub mod catalog;
pub mod directives;
pub mod journal;
pub mod progress;
pub mod projections;
pub mod quarantine;
pub mod reports;
pub mod stores;

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::{SqliteConnection, SqlitePool, SqliteTransaction};
use tokio::sync::MutexGuard;

use backroom_core::ids::TenantId;

use crate::db::{DbError, Files};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite/tenant");

#[derive(Debug)]
pub struct TenantDb {
    tenant: TenantId,
    files: Files,
}

impl TenantDb {
    pub async fn open(path: &Path, tenant: TenantId) -> Result<TenantDb, DbError> {
        Ok(TenantDb {
            tenant,
            files: Files::open(path, &MIGRATIONS).await?,
        })
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub(crate) async fn writer(&self) -> MutexGuard<'_, SqliteConnection> {
        self.files.writer().await
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        self.files.readers()
    }

    /// Everything read through it is of one moment, whatever is written meanwhile.
    pub async fn snapshot(&self) -> Result<SqliteTransaction<'static>, DbError> {
        self.readers().begin().await.map_err(DbError::doing("begin to read"))
    }
}
