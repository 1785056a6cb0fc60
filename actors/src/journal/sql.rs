//! The journal's SQL: opening the file and one function per question. Knows rows, not rules.

use std::path::Path;

use backroom_core::ids::{CommandId, DeviceId, ReceiptNo, TicketId};
use backroom_core::journal::{Entry, Epoch, Hash, Head, JournalError, Seq};
use backroom_core::till::Till;
use sqlx::{Row, SqliteConnection};

use super::BodyHash;
use crate::file::{self, FileError, Flush};

/// Opens a journal file for its one writer: WAL, every commit flushed.
pub async fn open_writer(file: &Path) -> Result<SqliteConnection, FileError> {
    static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/journal");
    file::writer(file, Flush::Always, &MIGRATIONS).await
}

fn entry_from(row: &sqlx::sqlite::SqliteRow) -> Result<Entry, FileError> {
    let entry = Entry::read(row.try_get("bytes")?)?;
    let stored: Vec<u8> = row.try_get("hash")?;
    if stored != entry.hash.0 {
        let (epoch, seq) = entry.position();
        return Err(JournalError::Altered { epoch, seq }.into());
    }
    Ok(entry)
}

/// The newest entries, oldest of them first.
pub async fn tail(db: &mut SqliteConnection, count: i64) -> Result<Vec<Entry>, FileError> {
    let sql = "select bytes, hash from (select position, bytes, hash from entry order by position desc limit ?) order by position";
    let rows = sqlx::query(sql).bind(count).fetch_all(db).await?;
    rows.iter().map(entry_from).collect()
}

/// Entries of an epoch in seq order, at most `limit`.
pub async fn range(db: &mut SqliteConnection, epoch: Epoch, first: Seq, limit: u32) -> Result<Vec<Entry>, FileError> {
    let sql = "select bytes, hash from entry where epoch = ? and seq >= ? order by seq limit ?";
    let rows = sqlx::query(sql)
        .bind(i64::from(epoch.0))
        .bind(first.0 as i64)
        .bind(limit)
        .fetch_all(db)
        .await?;
    rows.iter().map(entry_from).collect()
}

/// Entries by position, without looking at their content: for verification, which does that itself.
pub async fn raw_after(db: &mut SqliteConnection, position: i64, limit: u32) -> Result<Vec<(i64, i64, i64, Vec<u8>, Vec<u8>)>, FileError> {
    let sql = "select position, epoch, seq, bytes, hash from entry where position > ? order by position limit ?";
    let rows = sqlx::query(sql).bind(position).bind(limit).fetch_all(db).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?)))
        .collect()
}

pub async fn by_position(db: &mut SqliteConnection, position: i64) -> Result<Option<Entry>, FileError> {
    let row = sqlx::query("select bytes, hash from entry where position = ?")
        .bind(position)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(entry_from).transpose()
}

pub async fn by_ticket(db: &mut SqliteConnection, ticket: TicketId) -> Result<Option<Entry>, FileError> {
    let row = sqlx::query("select bytes, hash from entry where ticket = ?")
        .bind(&ticket.to_bytes()[..])
        .fetch_optional(db)
        .await?;
    row.as_ref().map(entry_from).transpose()
}

pub async fn by_receipt(db: &mut SqliteConnection, receipt: ReceiptNo) -> Result<Option<Entry>, FileError> {
    let row = sqlx::query("select bytes, hash from entry where receipt = ?")
        .bind(receipt.to_string())
        .fetch_optional(db)
        .await?;
    row.as_ref().map(entry_from).transpose()
}

/// All entries of a kind that is rare, oldest first.
pub async fn rare(db: &mut SqliteConnection, kind: backroom_core::facts::Kind) -> Result<Vec<Entry>, FileError> {
    let sql = "select bytes, hash from entry where kind = ? and kind not in (8, 9, 13, 14, 15, 17, 18) order by position";
    let rows = sqlx::query(sql).bind(kind as u16).fetch_all(db).await?;
    rows.iter().map(entry_from).collect()
}

/// Where a command's outcome stands, and what the command was.
pub async fn command(db: &mut SqliteConnection, id: CommandId) -> Result<Option<(BodyHash, Entry)>, FileError> {
    let sql = "select body_hash, bytes, hash from command join entry using (position) where command_id = ?";
    let row = sqlx::query(sql).bind(&id.to_bytes()[..]).fetch_optional(db).await?;
    let Some(row) = row else { return Ok(None) };
    let hash: Vec<u8> = row.try_get("body_hash")?;
    let hash = hash
        .try_into()
        .map_err(|_| FileError::Content("a command without a proper hash".into()))?;
    Ok(Some((hash, entry_from(&row)?)))
}

/// Money taken for a ticket that was not closed yet.
pub async fn open_tenders(db: &mut SqliteConnection, ticket: TicketId) -> Result<Vec<Entry>, FileError> {
    let sql = "select bytes, hash from open_tender join entry using (position) where open_tender.ticket = ? order by position";
    let rows = sqlx::query(sql).bind(&ticket.to_bytes()[..]).fetch_all(db).await?;
    rows.iter().map(entry_from).collect()
}

/// A machine's job without an end: the entry that wants it, and the one that says the machine is asked next.
#[derive(Clone, Debug)]
pub struct OpenJob {
    pub wanted: Entry,
    pub begun: Option<Entry>,
}

/// What was asked of a machine and has no end yet, oldest first.
pub async fn open_jobs(db: &mut SqliteConnection, device: DeviceId) -> Result<Vec<OpenJob>, FileError> {
    let sql = "select position, begun from open_job where device = ? order by position";
    let rows: Vec<(i64, Option<i64>)> = sqlx::query_as(sql).bind(device.as_str()).fetch_all(&mut *db).await?;
    let mut jobs = Vec::with_capacity(rows.len());
    for (wanted, begun) in rows {
        let missing = || FileError::Content("a machine's job without its entry; run `store-server prove`".into());
        let wanted = by_position(db, wanted).await?.ok_or_else(missing)?;
        let begun = match begun {
            Some(begun) => Some(by_position(db, begun).await?.ok_or_else(missing)?),
            None => None,
        };
        jobs.push(OpenJob { wanted, begun });
    }
    Ok(jobs)
}

/// What was asked of any machine, also of one that is no longer there, and has no end yet, oldest first.
pub async fn wanted_jobs(db: &mut SqliteConnection) -> Result<Vec<Entry>, FileError> {
    let rows = sqlx::query("select bytes, hash from open_job join entry using (position) order by position")
        .fetch_all(db)
        .await?;
    rows.iter().map(entry_from).collect()
}

/// Whether this job still has no end.
pub async fn is_open_job(db: &mut SqliteConnection, name: &str) -> Result<bool, FileError> {
    let sql = "select 1 from open_job where name = ?";
    let found: Option<i64> = sqlx::query_scalar(sql).bind(name).fetch_optional(db).await?;
    Ok(found.is_some())
}

/// Head of every epoch, oldest first.
pub async fn heads(db: &mut SqliteConnection) -> Result<Vec<Head>, FileError> {
    let sql = "select epoch, seq, hash from entry e where seq = (select max(seq) from entry x where x.epoch = e.epoch) order by epoch";
    let rows = sqlx::query(sql).fetch_all(db).await?;
    let head = |row: &sqlx::sqlite::SqliteRow| {
        let hash: Vec<u8> = row.try_get(2)?;
        let hash = Hash::from_slice(&hash).ok_or_else(|| FileError::Content("an entry without a proper hash".into()))?;
        Ok(Head {
            epoch: Epoch(row.try_get(0)?),
            seq: Seq(row.try_get::<i64, _>(1)? as u64),
            hash,
        })
    };
    rows.iter().map(head).collect()
}

pub async fn tills(db: &mut SqliteConnection) -> Result<Vec<(u64, Till)>, FileError> {
    let rows = sqlx::query("select till, version, state from till order by till")
        .fetch_all(db)
        .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let text: String = row.try_get("state")?;
        let till = serde_json::from_str(&text).map_err(|error| FileError::Content(format!("a till that can not be read: {error}")))?;
        Ok((row.try_get::<i64, _>("version")? as u64, till))
    };
    rows.iter().map(read).collect()
}

pub async fn stock(db: &mut SqliteConnection) -> Result<Vec<(String, i64)>, FileError> {
    Ok(sqlx::query_as("select sku, on_hand from stock order by sku").fetch_all(db).await?)
}

pub async fn counters(db: &mut SqliteConnection) -> Result<Vec<(String, i64, i64)>, FileError> {
    Ok(sqlx::query_as("select register, series, last from counter").fetch_all(db).await?)
}

/// The receipts that took something of this one back.
pub async fn returned(db: &mut SqliteConnection, receipt: ReceiptNo) -> Result<Vec<String>, FileError> {
    let sql = "select by_receipt from returned where receipt = ? order by by_receipt";
    Ok(sqlx::query_scalar(sql).bind(receipt.to_string()).fetch_all(db).await?)
}

pub async fn all_returned(db: &mut SqliteConnection) -> Result<Vec<(String, String)>, FileError> {
    Ok(sqlx::query_as("select receipt, by_receipt from returned").fetch_all(db).await?)
}

pub async fn segments(db: &mut SqliteConnection) -> Result<Vec<String>, FileError> {
    Ok(sqlx::query_scalar("select body from segment order by epoch, first")
        .fetch_all(db)
        .await?)
}

/// A whole batch for one table, as JSON text: the statement stays the same however many rows there are.
pub struct BatchRows {
    pub entries: String,
    pub commands: String,
    pub counters: String,
    pub tills: String,
    pub stock: String,
    /// Rare rows, empty most of the time.
    pub open_tenders: String,
    pub closed_tickets: String,
    pub returned: String,
    pub segments: String,
    /// Jobs of machines that are wanted, begun, and ended.
    pub jobs: String,
    pub begun_jobs: String,
    pub ended_jobs: String,
}

/// Writes a batch and flushes it: one statement, see the trigger `write_batch` in the migration. A conflict takes all of it back; after
/// any other error nothing is known.
pub async fn write(db: &mut SqliteConnection, rows: &BatchRows) -> Result<(), FileError> {
    let sql = "insert into batch (entries, commands, counters, tills, stock, open_tenders, closed_tickets, returned, segments, jobs, begun_jobs, ended_jobs)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let BatchRows {
        entries,
        commands,
        counters,
        tills,
        stock,
        open_tenders,
        closed_tickets,
        returned,
        segments,
        jobs,
        begun_jobs,
        ended_jobs,
    } = rows;
    let mut query = sqlx::query(sql);
    for rows in [
        entries,
        commands,
        counters,
        tills,
        stock,
        open_tenders,
        closed_tickets,
        returned,
        segments,
        jobs,
        begun_jobs,
        ended_jobs,
    ] {
        query = query.bind(rows);
    }
    query.execute(db).await?;
    Ok(())
}
