//! A database that is a file in the data folder: write-ahead log, every commit flushed, one writer.

use std::path::Path;

use data_encoding::HEXUPPER;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;

use super::{Database, DbError, Engine, READERS, WAIT_FOR_READER, WAIT_FOR_WRITER};

pub const BEGIN: &str = "begin immediate";
/// A reader's picture is of the moment of its first question.
pub const SNAPSHOT: &str = "begin";

/// A command in another process may hold the write lock for a moment; nobody holds it for long.
const WRITER: &str = "pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on";
const READER: &str = "pragma busy_timeout = 10000";

pub async fn open(path: &Path, migrations: &Migrator) -> Result<Database, DbError> {
    let place = || path.display().to_string();
    let failed = |source| DbError::Open { place: place(), source };
    let writer = AnyPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(WAIT_FOR_WRITER)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(async move { sqlx::raw_sql(WRITER).execute(connection).await.map(drop) }))
        .connect_with(options(path, "rwc").map_err(failed)?)
        .await
        .map_err(failed)?;
    let migrated = migrations.run(&writer).await;
    migrated.map_err(|source| DbError::Migrate { place: place(), source })?;
    let readers = AnyPoolOptions::new()
        .max_connections(READERS)
        .min_connections(0)
        .acquire_timeout(WAIT_FOR_READER)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(async move { sqlx::raw_sql(READER).execute(connection).await.map(drop) }))
        .connect_lazy_with(options(path, "ro").map_err(failed)?);
    Ok(Database {
        writer,
        readers,
        engine: Engine::Sqlite,
    })
}

/// The path as an address, with everything escaped that an address would read as something else.
fn options(path: &Path, mode: &str) -> Result<AnyConnectOptions, sqlx::Error> {
    let escaped = path.as_os_str().as_encoded_bytes().iter().map(|byte| match byte {
        b'/' | b'.' | b'-' | b'_' => char::from(*byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        _ => format!("%{}", HEXUPPER.encode(&[*byte])),
    });
    format!("sqlite://{}?mode={mode}", escaped.collect::<String>()).parse()
}
