//! One company's database. Whoever holds a [`TenantDb`] reaches this company and no other: no query needs to name it.
//!
//! Owns its connections, which reach one file or one schema. The queries are in the rooms below, each beside the type it returns.

pub mod catalog;
pub mod clocks;
pub mod directives;
pub mod hours;
pub mod journal;
pub mod prices;
pub mod progress;
pub mod projections;
pub mod quarantine;
pub mod reports;
pub mod shopify;
pub mod stores;

use sqlx::migrate::Migrator;

use backroom_core::ids::TenantId;

use crate::db::{Database, Databases, DbError, Description, Pool, Transaction};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite/tenant");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres/tenant");

#[derive(Debug)]
pub struct TenantDb {
    tenant: TenantId,
    database: Database,
}

impl TenantDb {
    pub async fn open(databases: &Databases, tenant: TenantId) -> Result<TenantDb, DbError> {
        let description = Description {
            file: format!("tenants/{tenant}.db").into(),
            schema: format!("tenant_{tenant}"),
            sqlite: &SQLITE,
            postgres: &POSTGRES,
        };
        let database = databases.open(description).await?;
        Ok(TenantDb { tenant, database })
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// For one statement; see `db.rs`.
    pub(crate) fn writer(&self) -> &Pool {
        self.database.writer()
    }

    pub(crate) fn readers(&self) -> &Pool {
        self.database.readers()
    }

    /// To write alone until it is committed.
    pub(crate) async fn begin(&self) -> Result<Transaction, DbError> {
        self.database.begin().await
    }

    /// Everything read through it is of one moment, whatever is written meanwhile.
    pub async fn snapshot(&self) -> Result<Transaction, DbError> {
        self.database.snapshot().await
    }
}
