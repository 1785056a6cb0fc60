//! Head office's databases: where they lie, how they are opened, read and written, and what goes wrong with them.
//!
//! Knows no table. There are two engines behind one API: SQLite files in the data folder (`db/sqlite.rs`) and schemas on a
//! PostgreSQL server (`db/postgres.rs`). Each query is written once and stands beside the type it returns; what differs
//! between the engines is in those two files and in the two folders of migrations, nowhere else.
//!
//! # How to write a query that runs on both
//!
//! - Placeholders are `$1`, `$2`, ...; one may stand in several places and is bound once.
//! - Bind and read `i64`, `String`/`&str`, `Vec<u8>`/`&[u8]` and options of them; nothing else. Numbers go in as [`signed`] and
//!   come out as [`unsigned`], truth as 0 or 1, instants as microseconds. Columns are `bigint`, `text` and `blob` in SQLite;
//!   `bigint`, `text collate "C"` (so that both sort and compare by bytes) and `bytea` in PostgreSQL.
//! - Text that came from outside and was not parsed passes through [`text`] first: PostgreSQL keeps no NUL.
//! - In `on conflict (...) do update` name the table on the right: `set at = excluded.at, n = stock.n + excluded.n`.
//! - Sums are cast, `cast(sum(net) as bigint)`, since PostgreSQL widens them. The larger of two is a `case`: `max(a, b)` is
//!   SQLite's alone, `greatest` PostgreSQL's. `like` is written `lower(x) like lower($1) escape '\'`.
//! - A column that is called like a word of SQL is quoted on both: `"only"`.
//! - A new table comes with the next number in `migrations/sqlite/...` and `migrations/postgres/...`, never by editing one.
//!
//! # Reading and writing
//!
//! - Read one thing: `.fetch_all(database.readers())`. A reader cannot write.
//! - Read several things of one moment: `let mut moment = database.snapshot().await?` and `.fetch_all(&mut *moment)`.
//! - Write with one statement: `.execute(database.writer())`.
//! - Write several things, or read and then write: `let mut writing = database.begin().await?`, then `&mut *writing`, then
//!   [`commit`]. Who holds it is alone: everyone else who writes to this database waits, in other processes too. So never ask for
//!   the writer a second time while holding it. Dropped without a commit, all of it is undone.

mod postgres;
mod sqlite;

use std::path::PathBuf;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};

pub use postgres::ServerUrl;

/// A connection to either engine.
pub type Connection = sqlx::AnyConnection;
pub type Pool = sqlx::AnyPool;
pub type Transaction = sqlx::Transaction<'static, sqlx::Any>;

/// How long one waits for whoever writes. A catalog of a million items is one commit.
const WAIT_FOR_WRITER: Duration = Duration::from_secs(60);
/// How long one waits to read, which is as long as a question hangs while the server is away.
const WAIT_FOR_READER: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error("could not open the database {place}; check that it is whole, and that head office may read and write there")]
    Open { place: String, source: sqlx::Error },
    #[error("the database {place} does not fit this version of the program; use the newer program, or restore a backup")]
    Migrate { place: String, source: MigrateError },
    #[error("the database {place} keeps text as {encoding}; make one with the encoding UTF8")]
    Encoding { place: String, encoding: String },
    #[error("the database could not {doing}")]
    Query { doing: &'static str, source: sqlx::Error },
    #[error("the database holds {found:?} where {what} should be; restore it from a backup")]
    Damaged { what: &'static str, found: String },
    #[error("the address of the database cannot be read; it looks like postgres://user:password@host:5432/name")]
    Address,
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

/// Where all of head office's databases are.
#[derive(Clone, Debug)]
pub enum Databases {
    /// SQLite files below the data folder.
    Folder(PathBuf),
    /// Schemas in one database of a PostgreSQL server.
    Server(ServerUrl),
}

/// One of them: what it is called on either engine, and how its tables are made.
#[derive(Debug)]
pub struct Description {
    /// Below the data folder.
    pub file: PathBuf,
    pub schema: String,
    pub sqlite: &'static Migrator,
    pub postgres: &'static Migrator,
}

/// One connection that writes, and a few that read.
#[derive(Debug)]
pub struct Database {
    writer: Pool,
    readers: Pool,
    engine: Engine,
}

#[derive(Clone, Copy, Debug)]
enum Engine {
    Sqlite,
    Postgres,
}

impl Databases {
    /// Opens one, and makes it or brings its tables up to date where needed.
    pub async fn open(&self, what: Description) -> Result<Database, DbError> {
        sqlx::any::install_default_drivers();
        match self {
            Databases::Folder(dir) => sqlite::open(&dir.join(&what.file), what.sqlite).await,
            Databases::Server(url) => postgres::open(url, &what.schema, what.postgres).await,
        }
    }
}

impl Database {
    /// For a single statement that writes. It waits for whoever is writing.
    pub fn writer(&self) -> &Pool {
        &self.writer
    }

    pub fn readers(&self) -> &Pool {
        &self.readers
    }

    /// A transaction which is alone from its start, so that it never fails half way for want of a lock, and sees all that was
    /// committed before.
    pub async fn begin(&self) -> Result<Transaction, DbError> {
        let statement = match self.engine {
            Engine::Sqlite => sqlite::BEGIN,
            Engine::Postgres => postgres::BEGIN,
        };
        self.writer.begin_with(statement).await.map_err(DbError::doing("begin to write"))
    }

    /// Everything read through it is of one moment, whatever is written meanwhile.
    pub async fn snapshot(&self) -> Result<Transaction, DbError> {
        let statement = match self.engine {
            Engine::Sqlite => sqlite::SNAPSHOT,
            Engine::Postgres => postgres::SNAPSHOT,
        };
        self.readers.begin_with(statement).await.map_err(DbError::doing("begin to read"))
    }
}

/// After this returned, what was written survives a power cut.
pub async fn commit(transaction: Transaction) -> Result<(), DbError> {
    transaction.commit().await.map_err(DbError::doing("commit"))
}

/// Neither engine knows unsigned numbers. What does not fit is beyond any shop and was refused where it came in.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Text as both engines keep it: PostgreSQL refuses the character NUL, and no word of a shop has one.
pub fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

pub fn now_micros() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
