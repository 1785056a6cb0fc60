//! How head office's SQLite files are opened, and what goes wrong with them.
//!
//! Owns durability (WAL, every commit flushed) and the wording of a database fault. Knows no table: each type keeps its own
//! queries beside it, so that another engine changes those and this file, nothing else.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqliteTransaction};

/// A command in another process may hold the write lock for a moment; nobody holds it for long.
const WAIT_FOR_LOCK: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error("could not open the database {}; check that the file is whole, readable and writable", path.display())]
    Open { path: PathBuf, source: sqlx::Error },
    #[error("the database {} does not fit this version of the program; use the newer program, or restore a backup", path.display())]
    Migrate { path: PathBuf, source: MigrateError },
    #[error("the database could not {doing}")]
    Query { doing: &'static str, source: sqlx::Error },
    #[error("the database holds {found:?} where {what} should be; restore it from a backup")]
    Damaged { what: &'static str, found: String },
}

impl DbError {
    /// For `map_err`: what was being done.
    pub fn doing(doing: &'static str) -> impl Fn(sqlx::Error) -> DbError {
        move |source| DbError::Query { doing, source }
    }

    pub fn damaged(what: &'static str, found: impl ToString) -> DbError {
        DbError::Damaged {
            what,
            found: found.to_string(),
        }
    }
}

/// One connection that writes, and a few that read.
#[derive(Debug)]
pub struct Files {
    writer: tokio::sync::Mutex<SqliteConnection>,
    readers: SqlitePool,
}

impl Files {
    pub async fn open(path: &Path, migrations: &Migrator) -> Result<Files, DbError> {
        let failed = |source| DbError::Open {
            path: path.to_owned(),
            source,
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(WAIT_FOR_LOCK);
        let mut writer = options.connect().await.map_err(failed)?;
        migrations.run(&mut writer).await.map_err(|source| DbError::Migrate {
            path: path.to_owned(),
            source,
        })?;
        let read_only = options.create_if_missing(false).read_only(true);
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            .connect_lazy_with(read_only);
        Ok(Files {
            writer: tokio::sync::Mutex::new(writer),
            readers,
        })
    }

    /// The writer, waiting for whoever has it.
    pub async fn writer(&self) -> tokio::sync::MutexGuard<'_, SqliteConnection> {
        self.writer.lock().await
    }

    pub fn readers(&self) -> &SqlitePool {
        &self.readers
    }
}

/// A transaction which holds the write lock from the start, so that it never fails half way for want of it.
pub async fn begin(writer: &mut SqliteConnection) -> Result<SqliteTransaction<'_>, DbError> {
    writer.begin_with("begin immediate").await.map_err(DbError::doing("begin to write"))
}

pub async fn commit(transaction: SqliteTransaction<'_>) -> Result<(), DbError> {
    transaction.commit().await.map_err(DbError::doing("commit"))
}

/// SQLite knows no unsigned numbers. What does not fit is beyond any shop and was refused where it came in.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub fn now_micros() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
