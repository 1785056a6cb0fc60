//! The control database: which tenants, stores and people there are, and who is signed in.
//!
//! Owns its queries. Holds public keys and hashes only; decides nothing about passwords or rights.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use ed25519_dalek::VerifyingKey;
use sqlx::migrate::Migrator;

use backroom_core::ids::{StoreId, TenantId};

use crate::broker::accounts::Terms;
use crate::db::{self, Database, Databases, DbError, Description, now_micros, signed, unsigned};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite/control");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres/control");

/// Its name in the data folder, where it is a file.
pub const FILE: &str = "control.db";

/// What the broker keeps for a tenant while head office is away; the journals in the stores outlive it in any case.
const QUOTA_BYTES: u64 = 64 << 20;
const KEEP_DAYS: u32 = 14;

#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("there is no tenant {0}; add it first with: hq-aggregator tenant add")]
    NoTenant(TenantId),
    #[error("tenant {0} is there already")]
    TenantThere(TenantId),
    #[error("store {store} of tenant {tenant} is there already; its join file was written when it was added")]
    StoreThere { tenant: TenantId, store: StoreId },
    #[error("user {login} of tenant {tenant} is there already")]
    LoginThere { tenant: TenantId, login: String },
    #[error(
        "these books belong to another head office, whose key all its stores know; use the data folder with its hq.key, or another database"
    )]
    OtherOffice,
    #[error("a name is 1 to 80 printable characters")]
    Name,
}

/// A shop as head office knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    pub store: StoreId,
    pub name: String,
    /// What its batches and announcements must be signed with.
    pub signing_key: VerifyingKey,
}

/// Who a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub tenant: TenantId,
    pub login: String,
}

#[derive(Debug)]
pub struct ControlDb {
    database: Database,
}

impl ControlDb {
    pub async fn open(databases: &Databases) -> Result<ControlDb, DbError> {
        let description = Description {
            file: FILE.into(),
            schema: "control".into(),
            sqlite: &SQLITE,
            postgres: &POSTGRES,
        };
        Ok(ControlDb {
            database: databases.open(description).await?,
        })
    }

    /// A data folder with another key than the one the stores were told to trust would never be heard by any of them.
    pub async fn belongs_to(&self, hq: &VerifyingKey) -> Result<(), ControlError> {
        let doing = DbError::doing("see whose books these are");
        let ours = HEXLOWER.encode(hq.as_bytes());
        let sql = "select public_key from identity";
        let known: Option<String> = sqlx::query_scalar(sql)
            .fetch_optional(self.database.readers())
            .await
            .map_err(&doing)?;
        let known: String = match known {
            Some(known) => known,
            None => {
                sqlx::query("insert into identity (\"only\", public_key) values (1, $1) on conflict do nothing")
                    .bind(&ours)
                    .execute(self.database.writer())
                    .await
                    .map_err(&doing)?;
                sqlx::query_scalar(sql).fetch_one(self.database.readers()).await.map_err(&doing)?
            }
        };
        if known == ours { Ok(()) } else { Err(ControlError::OtherOffice) }
    }

    pub async fn add_tenant(&self, tenant: TenantId, name: &str) -> Result<(), ControlError> {
        let name = checked_name(name)?;
        let sql = "insert into tenant (tenant, name, quota_bytes, keep_days, added_at) values ($1, $2, $3, $4, $5) on conflict do nothing";
        let query = sqlx::query(sql)
            .bind(tenant.as_str())
            .bind(name)
            .bind(signed(QUOTA_BYTES))
            .bind(i64::from(KEEP_DAYS))
            .bind(now_micros());
        let done = query
            .execute(self.database.writer())
            .await
            .map_err(DbError::doing("add a tenant"))?;
        if done.rows_affected() == 0 {
            Err(ControlError::TenantThere(tenant))
        } else {
            Ok(())
        }
    }

    pub async fn tenants(&self) -> Result<Vec<TenantId>, DbError> {
        let rows: Vec<String> = sqlx::query_scalar("select tenant from tenant order by tenant")
            .fetch_all(self.database.readers())
            .await
            .map_err(DbError::doing("list the tenants"))?;
        rows.into_iter().map(|text| parse("a tenant", text)).collect()
    }

    pub async fn tenant_name(&self, tenant: TenantId) -> Result<String, DbError> {
        let query = sqlx::query_scalar("select name from tenant where tenant = $1").bind(tenant.as_str());
        let name: Option<String> = query
            .fetch_optional(self.database.readers())
            .await
            .map_err(DbError::doing("read a tenant's name"))?;
        Ok(name.unwrap_or_else(|| tenant.to_string()))
    }

    pub async fn has_tenant(&self, tenant: TenantId) -> Result<(), ControlError> {
        let found = sqlx::query("select 1 from tenant where tenant = $1")
            .bind(tenant.as_str())
            .fetch_optional(self.database.readers())
            .await
            .map_err(DbError::doing("look for a tenant"))?;
        found.map(|_| ()).ok_or(ControlError::NoTenant(tenant))
    }

    /// What the broker shall grant a tenant, whole.
    pub async fn terms(&self, tenant: TenantId) -> Result<Terms, ControlError> {
        let doing = DbError::doing("read what a tenant is granted");
        let (quota_bytes, keep_days): (i64, i64) = sqlx::query_as("select quota_bytes, keep_days from tenant where tenant = $1")
            .bind(tenant.as_str())
            .fetch_optional(self.database.readers())
            .await
            .map_err(&doing)?
            .ok_or(ControlError::NoTenant(tenant))?;
        let revoked: Vec<(String, i64)> = sqlx::query_as("select nats_key, until from revoked_login where tenant = $1")
            .bind(tenant.as_str())
            .fetch_all(self.database.readers())
            .await
            .map_err(&doing)?;
        let revoked: BTreeMap<String, u64> = revoked.into_iter().map(|(key, until)| (key, unsigned(until))).collect();
        let keep_days = u32::try_from(keep_days).unwrap_or(KEEP_DAYS);
        Ok(Terms {
            quota_bytes: unsigned(quota_bytes),
            keep_days,
            revoked,
        })
    }

    pub async fn add_store(&self, tenant: TenantId, store: &Store, nats_key: &str) -> Result<(), ControlError> {
        let name = checked_name(&store.name)?;
        let sql = "insert into store (tenant, store, name, signing_key, nats_key, added_at) values ($1, $2, $3, $4, $5, $6) \
                   on conflict do nothing";
        let query = sqlx::query(sql)
            .bind(tenant.as_str())
            .bind(store.store.as_str())
            .bind(name)
            .bind(HEXLOWER.encode(store.signing_key.as_bytes()))
            .bind(nats_key)
            .bind(now_micros());
        let done = query.execute(self.database.writer()).await.map_err(DbError::doing("add a store"))?;
        if done.rows_affected() == 0 {
            return Err(ControlError::StoreThere {
                tenant,
                store: store.store,
            });
        }
        Ok(())
    }

    pub async fn has_store(&self, tenant: TenantId, store: StoreId) -> Result<bool, DbError> {
        let found = sqlx::query("select 1 from store where tenant = $1 and store = $2")
            .bind(tenant.as_str())
            .bind(store.as_str())
            .fetch_optional(self.database.readers())
            .await
            .map_err(DbError::doing("look for a store"))?;
        Ok(found.is_some())
    }

    pub async fn stores(&self, tenant: TenantId) -> Result<Vec<Store>, DbError> {
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("select store, name, signing_key from store where tenant = $1 order by store")
                .bind(tenant.as_str())
                .fetch_all(self.database.readers())
                .await
                .map_err(DbError::doing("list the stores"))?;
        let store = |(store, name, key): (String, String, String)| {
            let bytes = HEXLOWER
                .decode(key.as_bytes())
                .ok()
                .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            let signing_key = bytes.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
            let signing_key = signing_key.ok_or_else(|| DbError::damaged("a store's public key", &key))?;
            Ok(Store {
                store: parse("a store", store)?,
                name,
                signing_key,
            })
        };
        rows.into_iter().map(store).collect()
    }

    pub async fn add_login(&self, tenant: TenantId, login: &str, password_hash: &str) -> Result<(), ControlError> {
        let sql = "insert into login (tenant, login, password_hash, added_at) values ($1, $2, $3, $4) on conflict do nothing";
        let query = sqlx::query(sql)
            .bind(tenant.as_str())
            .bind(login)
            .bind(password_hash)
            .bind(now_micros());
        let done = query.execute(self.database.writer()).await.map_err(DbError::doing("add a user"))?;
        if done.rows_affected() == 0 {
            return Err(ControlError::LoginThere {
                tenant,
                login: login.to_owned(),
            });
        }
        Ok(())
    }

    pub async fn password_hash(&self, tenant: TenantId, login: &str) -> Result<Option<String>, DbError> {
        sqlx::query_scalar("select password_hash from login where tenant = $1 and login = $2")
            .bind(tenant.as_str())
            .bind(db::text(login))
            .fetch_optional(self.database.readers())
            .await
            .map_err(DbError::doing("look for a user"))
    }

    /// Writes a token's hash down and forgets those which have run out.
    pub async fn add_token(&self, token_hash: &[u8], owner: &SignedIn, expires_at: i64) -> Result<(), DbError> {
        let doing = DbError::doing("keep a token");
        let mut transaction = self.database.begin().await?;
        sqlx::query("delete from token where expires_at <= $1")
            .bind(now_micros())
            .execute(&mut *transaction)
            .await
            .map_err(&doing)?;
        sqlx::query("insert into token (token_hash, tenant, login, expires_at) values ($1, $2, $3, $4)")
            .bind(token_hash)
            .bind(owner.tenant.as_str())
            .bind(&owner.login)
            .bind(expires_at)
            .execute(&mut *transaction)
            .await
            .map_err(&doing)?;
        db::commit(transaction).await
    }

    /// The token opens nothing any more.
    pub async fn drop_token(&self, token_hash: &[u8]) -> Result<(), DbError> {
        let query = sqlx::query("delete from token where token_hash = $1").bind(token_hash);
        query
            .execute(self.database.writer())
            .await
            .map_err(DbError::doing("forget a token"))?;
        Ok(())
    }

    pub async fn token_expires(&self, token_hash: &[u8]) -> Result<Option<i64>, DbError> {
        let query = sqlx::query_scalar("select expires_at from token where token_hash = $1").bind(token_hash);
        query
            .fetch_optional(self.database.readers())
            .await
            .map_err(DbError::doing("see how long a token lasts"))
    }

    pub async fn token_owner(&self, token_hash: &[u8], now: i64) -> Result<Option<SignedIn>, DbError> {
        let row: Option<(String, String)> = sqlx::query_as("select tenant, login from token where token_hash = $1 and expires_at > $2")
            .bind(token_hash)
            .bind(now)
            .fetch_optional(self.database.readers())
            .await
            .map_err(DbError::doing("look for a token"))?;
        row.map(|(tenant, login)| {
            Ok(SignedIn {
                tenant: parse("a tenant", tenant)?,
                login,
            })
        })
        .transpose()
    }
}

fn checked_name(name: &str) -> Result<&str, ControlError> {
    let fits = (1..=80).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(name) } else { Err(ControlError::Name) }
}

fn parse<T: std::str::FromStr>(what: &'static str, text: String) -> Result<T, DbError> {
    text.parse().map_err(|_| DbError::damaged(what, &text))
}
