//! Opening SQLite files, and what can go wrong with them. Speaks to the one who repairs.

use std::path::Path;
use std::time::Duration;

use backroom_core::journal::JournalError;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

/// A file can not be read or written, or does not hold what it should.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("the file {file} can not be opened: {source}")]
    Open { file: String, source: sqlx::Error },
    #[error("the file {file} was made by another version of this program; use that one or a newer")]
    Migrate {
        file: String,
        source: Box<sqlx::migrate::MigrateError>,
    },
    #[error("a statement failed: {0}")]
    Statement(#[from] sqlx::Error),
    #[error("the journal does not hold together: {0}; restore it or ask head office for what it holds")]
    Journal(#[from] JournalError),
    #[error("the file does not hold together: {0}")]
    Content(String),
}

impl FileError {
    /// A row that the rules of the tables refused: a repeated command, a ticket closed twice.
    pub fn is_conflict(&self) -> bool {
        matches!(self, FileError::Statement(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Each commit is flushed: survives a power cut.
    Always,
    /// Written, not flushed: survives kill -9.
    Written,
}

fn options(file: &Path, flush: Flush) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match flush {
            Flush::Always => SqliteSynchronous::Full,
            Flush::Written => SqliteSynchronous::Normal,
        })
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging()
}

/// The one connection that writes.
pub async fn writer(file: &Path, flush: Flush, migrator: &Migrator) -> Result<SqliteConnection, FileError> {
    let name = || file.display().to_string();
    let options = options(file, flush).create_if_missing(true);
    let mut db = SqliteConnection::connect_with(&options)
        .await
        .map_err(|source| FileError::Open { file: name(), source })?;
    let migrated = migrator.run_direct(None, &mut db, false).await;
    migrated.map_err(|source| FileError::Migrate {
        file: name(),
        source: Box::new(source),
    })?;
    Ok(db)
}

/// A few connections that only read. The file must exist.
pub async fn readers(file: &Path) -> Result<SqlitePool, FileError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new()
        .max_connections(3)
        .test_before_acquire(false)
        .connect_with(options)
        .await;
    pool.map_err(|source| FileError::Open {
        file: file.display().to_string(),
        source,
    })
}

/// A copy of a file as one moment of it, while others may go on writing. The copy is whole and has no log beside it.
pub async fn copy(from: &Path, to: &Path) -> Result<(), FileError> {
    let mut db = reader(from).await?;
    let copied = sqlx::query("vacuum into ?").bind(to.display().to_string()).execute(&mut db).await;
    db.close().await?;
    copied?;
    Ok(())
}

/// Whether every page, index and rule of the file holds.
pub async fn check(file: &Path) -> Result<(), FileError> {
    let mut db = reader(file).await?;
    let found: Result<Vec<String>, _> = sqlx::query_scalar("pragma integrity_check(3)").fetch_all(&mut db).await;
    db.close().await?;
    let found = found?;
    if found != ["ok"] {
        return Err(FileError::Content(format!("{}: {}", file.display(), found.join("; "))));
    }
    Ok(())
}

async fn reader(file: &Path) -> Result<SqliteConnection, FileError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging();
    SqliteConnection::connect_with(&options).await.map_err(|source| FileError::Open {
        file: file.display().to_string(),
        source,
    })
}
