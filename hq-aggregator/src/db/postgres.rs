//! A database that is a schema on a PostgreSQL server: each connection is born in its schema and never leaves it.
//!
//! Who writes takes the schema's advisory lock first and holds it until the commit, so writers come one after the other, in
//! however many processes they are: the same promise which SQLite's write lock gives. The commit is on the server's disk when
//! it returns. Connections that broke are made anew by the pool; what was under way on them fails and is undone.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _};

use super::{Connection, Database, DbError, Engine, READERS, WAIT_FOR_READER, WAIT_FOR_WRITER};

/// The lock comes before the first look, so that look shows everything that was committed by whoever had the lock before.
pub const BEGIN: &str = "begin isolation level read committed; select pg_advisory_xact_lock(hashtextextended(current_schema(), 7421))";
pub const SNAPSHOT: &str = "begin isolation level repeatable read, read only";

/// A server that was told not to wait for its disk is told otherwise; one that waits for more than its own disk is left alone.
const DURABLE: &str = "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'";
/// Two processes that set up at once take turns; anything may stand there as long as both use it.
const SET_UP: &str = "begin; select pg_advisory_xact_lock(7421, 1)";

/// Nobody sells at night: idle connections are given back, since the server allows only so many.
const IDLE: Duration = Duration::from_secs(60);

/// The address of a PostgreSQL database. It may hold a password, so it is never shown whole.
#[derive(Clone)]
pub struct ServerUrl(AnyConnectOptions);

impl FromStr for ServerUrl {
    type Err = DbError;

    /// The error never repeats the text.
    fn from_str(text: &str) -> Result<ServerUrl, DbError> {
        let options: AnyConnectOptions = text.trim().parse().map_err(|_| DbError::Address)?;
        let url = &options.database_url;
        let named = matches!(url.scheme(), "postgres" | "postgresql") && url.path().len() > 1;
        if named { Ok(ServerUrl(options)) } else { Err(DbError::Address) }
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.0.database_url;
        write!(f, "{}", url.path().trim_start_matches('/'))?;
        match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => write!(f, " at {host}:{port}"),
            (Some(host), None) => write!(f, " at {host}"),
            (None, _) => Ok(()),
        }
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerUrl({self})")
    }
}

impl ServerUrl {
    fn with(&self, settings: &[(&str, &str)]) -> AnyConnectOptions {
        let mut options = self.0.clone();
        let mut pairs = options.database_url.query_pairs_mut();
        for (name, value) in settings {
            pairs.append_pair(&format!("options[{name}]"), value);
        }
        drop(pairs);
        options
    }
}

pub async fn open(url: &ServerUrl, schema: &str, migrations: &Migrator) -> Result<Database, DbError> {
    let place = || format!("{url}, schema {schema}");
    let failed = |source| DbError::Open { place: place(), source };
    let path = format!("\"{schema}\"");
    let ours = [("search_path", path.as_str())];
    // A process that hangs in the middle of writing must not keep the others out for ever.
    let alone = [ours[0], ("lock_timeout", "60s"), ("idle_in_transaction_session_timeout", "60s")];
    let read_only = [ours[0], ("default_transaction_read_only", "on")];
    let writer = AnyPoolOptions::new()
        .max_connections(1)
        .min_connections(0)
        .acquire_timeout(WAIT_FOR_WRITER)
        .idle_timeout(IDLE)
        .after_connect(|connection, _| Box::pin(async move { sqlx::raw_sql(DURABLE).execute(connection).await.map(drop) }))
        .connect_lazy_with(url.with(&alone));
    let mut first = writer.acquire().await.map_err(failed)?;
    let encoding: String = sqlx::query_scalar("select current_setting('server_encoding')")
        .fetch_one(&mut *first)
        .await
        .map_err(failed)?;
    if encoding != "UTF8" {
        return Err(DbError::Encoding { place: place(), encoding });
    }
    make_schema(&mut first, &path).await.map_err(failed)?;
    migrations
        .run(&mut *first)
        .await
        .map_err(|source| DbError::Migrate { place: place(), source })?;
    drop(first);
    let readers = AnyPoolOptions::new()
        .max_connections(READERS)
        .min_connections(0)
        .acquire_timeout(WAIT_FOR_READER)
        .idle_timeout(IDLE)
        .connect_lazy_with(url.with(&read_only));
    Ok(Database {
        writer,
        readers,
        engine: Engine::Postgres,
    })
}

/// Someone who may use the schema but not make one gets by when it is there already.
async fn make_schema(connection: &mut Connection, path: &str) -> Result<(), sqlx::Error> {
    let mut alone = connection.begin_with(SET_UP).await?;
    let found: Option<String> = sqlx::query_scalar("select cast(current_schema() as text)")
        .fetch_one(&mut *alone)
        .await?;
    if found.is_none() {
        // The name is made of a code of ours, which has no quotes.
        let sql = format!("create schema {path}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *alone).await?;
    }
    alone.commit().await
}

/// For fuzzers: any text is a server's address or refused without repeating it; what is shown of one holds no password.
#[cfg(test)]
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match text.parse::<ServerUrl>() {
        Ok(url) => {
            let password = url.0.database_url.password().unwrap_or_default();
            let shown = format!("{url} {url:?}");
            assert!(password.len() < 8 || !shown.contains(password), "{shown}");
        }
        Err(error) => assert_eq!(error.to_string(), DbError::Address.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_address_shows_its_password(bytes in prop::collection::vec(any::<u8>(), 0..60), url in "postgres(ql)?://[a-z@:/?%0-9]{0,30}", password in "[A-Z]{8,20}") {
            fuzz_one(&bytes);
            fuzz_one(url.as_bytes());
            fuzz_one(format!("postgres://me:{password}@db.example.com:5432/shops").as_bytes());
        }
    }
}
