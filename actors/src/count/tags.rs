//! The file of counts: open ones with their tags, the kept one of each place, and which things were sold by their own number.
//!
//! Flushed at each commit: once the journal says that a count was kept, its tags must be there after a power cut too. The journal decides
//! what was kept and sold; this file only remembers so that nobody reads all of it again.

use std::collections::BTreeSet;
use std::path::Path;

use backroom_core::ids::{CommandId, DeviceId, ReceiptNo};
use backroom_core::journal::{Epoch, Seq};
use backroom_core::time::Instant;
use serde_json::json;
use sqlx::{Connection, Row, SqliteConnection};

use super::state::{Place, Position, Sale, Sales, Seen, Stage, Tag, Thing};
use crate::file::{self, FileError, Flush};
use crate::hex::hex;
use crate::journal::BodyHash;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/tags");

/// How long an ended count is remembered.
const REMEMBERED_MICROS: i64 = 30 * 86_400 * 1_000_000;

/// How an ended count ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Kept,
    Dropped,
}

/// A count as it stands in the file.
pub struct Saved {
    pub id: CommandId,
    pub place: Place,
    pub stage: Stage,
    pub readers: BTreeSet<DeviceId>,
    pub started_at: Instant,
    pub reads: u64,
    pub keep_command: Option<CommandId>,
}

/// A tag of a count, with where and when it was first read.
pub struct SavedTag {
    pub tag: Tag,
    pub antenna: u16,
    pub rssi_dbm: Option<i8>,
    pub at: Instant,
}

/// The count of a place that was kept last.
pub struct KeptRow {
    pub place: Place,
    pub count: CommandId,
    pub at: Instant,
    pub position: Position,
    pub tags: u64,
}

/// What of a sale or return matters here.
pub enum Traded {
    Sold(Thing, Sale),
    TakenBack(ReceiptNo),
}

pub struct Tags {
    db: SqliteConnection,
}

impl Tags {
    /// A new file knows what was sold from `now` on: before it nothing was kept that could be missed.
    pub async fn open(file: &Path, now: Position, at: Instant) -> Result<Tags, FileError> {
        let mut db = file::writer(file, Flush::Always, &MIGRATIONS).await?;
        sqlx::query("insert into read_through (only_one, epoch, seq) values (1, ?, ?) on conflict do nothing")
            .bind(i64::from(now.0.0))
            .bind(now.1.0 as i64)
            .execute(&mut db)
            .await?;
        let mut tags = Tags { db };
        tags.tidy(at).await?;
        Ok(tags)
    }

    /// Gives up every count that has no end. For a box that was put back: what its readers saw since is not in this file.
    pub async fn drop_unfinished(file: &Path) -> Result<(), FileError> {
        let mut db = file::writer(file, Flush::Always, &MIGRATIONS).await?;
        let sql = "update count set stage = 'dropped' where stage in ('reading', 'paused', 'keeping')";
        sqlx::query(sql).execute(&mut db).await?;
        Ok(db.close().await?)
    }

    async fn tidy(&mut self, now: Instant) -> Result<(), FileError> {
        let before = now.as_micros() - REMEMBERED_MICROS;
        let mut change = self.db.begin().await?;
        let old = "delete from count where stage in ('kept', 'dropped') and started_micros < ? and id not in (select count from kept)";
        sqlx::query(old).bind(before).execute(&mut *change).await?;
        sqlx::query("delete from start where count not in (select id from count)")
            .execute(&mut *change)
            .await?;
        sqlx::query("delete from tag where count not in (select id from count where stage <> 'dropped')")
            .execute(&mut *change)
            .await?;
        Ok(change.commit().await?)
    }

    /// What a command began or went on with, if it was heard before.
    pub async fn started(&mut self, command: CommandId) -> Result<Option<(BodyHash, CommandId)>, FileError> {
        let row = sqlx::query("select body_hash, count from start where command = ?")
            .bind(&command.to_bytes()[..])
            .fetch_optional(&mut self.db)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let hash: Vec<u8> = row.try_get(0)?;
        let hash = hash.try_into().map_err(|_| wrong("a command without a proper hash"))?;
        Ok(Some((hash, id(row.try_get(1)?)?)))
    }

    /// A command begins a count, or goes on with one.
    pub async fn start(&mut self, command: CommandId, body: BodyHash, count: &Saved) -> Result<(), FileError> {
        let readers: Vec<&str> = count.readers.iter().map(DeviceId::as_str).collect();
        let mut change = self.db.begin().await?;
        let sql = "insert into count (id, place, stage, readers, started_micros, reads) values (?, ?, 'reading', ?, ?, 0)
            on conflict do update set stage = 'reading', readers = excluded.readers, keep_command = null";
        sqlx::query(sql)
            .bind(&count.id.to_bytes()[..])
            .bind(count.place.as_str())
            .bind(json!(readers).to_string())
            .bind(count.started_at.as_micros())
            .execute(&mut *change)
            .await?;
        sqlx::query("insert into start (command, body_hash, count) values (?, ?, ?)")
            .bind(&command.to_bytes()[..])
            .bind(&body[..])
            .bind(&count.id.to_bytes()[..])
            .execute(&mut *change)
            .await?;
        Ok(change.commit().await?)
    }

    /// New tags of a count, and how often it read so far.
    pub async fn add(&mut self, count: CommandId, tags: &[(Tag, Seen)], reads: u64) -> Result<(), FileError> {
        let row = |(tag, seen): &(Tag, Seen)| json!([hex(&tag.0), seen.at.as_micros(), seen.antenna, seen.rssi_dbm]);
        let rows: Vec<_> = tags.iter().map(row).collect();
        let mut change = self.db.begin().await?;
        let sql = "insert into tag (count, epc, seen_micros, antenna, rssi_dbm)
            select ?1, unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3 from json_each(?2) where true on conflict do nothing";
        sqlx::query(sql)
            .bind(&count.to_bytes()[..])
            .bind(json!(rows).to_string())
            .execute(&mut *change)
            .await?;
        sqlx::query("update count set reads = ? where id = ?")
            .bind(reads as i64)
            .bind(&count.to_bytes()[..])
            .execute(&mut *change)
            .await?;
        Ok(change.commit().await?)
    }

    pub async fn paused(&mut self, count: CommandId) -> Result<(), FileError> {
        sqlx::query("update count set stage = 'paused', keep_command = null where id = ?")
            .bind(&count.to_bytes()[..])
            .execute(&mut self.db)
            .await?;
        Ok(())
    }

    /// From here on the journal decides whether the count is kept.
    pub async fn keeping(&mut self, count: CommandId, command: CommandId) -> Result<(), FileError> {
        sqlx::query("update count set stage = 'keeping', keep_command = ? where id = ?")
            .bind(&command.to_bytes()[..])
            .bind(&count.to_bytes()[..])
            .execute(&mut self.db)
            .await?;
        Ok(())
    }

    /// The journal says so: this is what the next count of the place is compared with.
    pub async fn kept(&mut self, kept: &KeptRow) -> Result<(), FileError> {
        let mut change = self.db.begin().await?;
        let sql = "insert into kept (place, count, at_micros, epoch, seq, tags) values (?, ?, ?, ?, ?, ?)
            on conflict do update set count = excluded.count, at_micros = excluded.at_micros, epoch = excluded.epoch, seq = excluded.seq,
                tags = excluded.tags";
        sqlx::query(sql)
            .bind(kept.place.as_str())
            .bind(&kept.count.to_bytes()[..])
            .bind(kept.at.as_micros())
            .bind(i64::from(kept.position.0.0))
            .bind(kept.position.1.0 as i64)
            .bind(kept.tags as i64)
            .execute(&mut *change)
            .await?;
        sqlx::query("update count set stage = 'kept' where id = ?")
            .bind(&kept.count.to_bytes()[..])
            .execute(&mut *change)
            .await?;
        // The tags of the count before are no longer compared with anything.
        sqlx::query("delete from tag where count in (select id from count where stage = 'kept' and id not in (select count from kept))")
            .execute(&mut *change)
            .await?;
        Ok(change.commit().await?)
    }

    pub async fn dropped(&mut self, count: CommandId) -> Result<(), FileError> {
        let mut change = self.db.begin().await?;
        sqlx::query("update count set stage = 'dropped' where id = ?")
            .bind(&count.to_bytes()[..])
            .execute(&mut *change)
            .await?;
        sqlx::query("delete from tag where count = ?")
            .bind(&count.to_bytes()[..])
            .execute(&mut *change)
            .await?;
        Ok(change.commit().await?)
    }

    /// How a count ended; `None` for one that goes on, or that nobody remembers.
    pub async fn ended(&mut self, count: CommandId) -> Result<Option<(Ended, Place)>, FileError> {
        let row = sqlx::query("select stage, place from count where id = ?")
            .bind(&count.to_bytes()[..])
            .fetch_optional(&mut self.db)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let ended = match row.try_get::<&str, _>(0)? {
            "kept" => Ended::Kept,
            "dropped" => Ended::Dropped,
            _ => return Ok(None),
        };
        Ok(Some((ended, place(row.try_get(1)?)?)))
    }

    pub async fn open_counts(&mut self) -> Result<Vec<Saved>, FileError> {
        let sql = "select id, place, stage, readers, started_micros, reads, keep_command from count where stage in ('reading', 'paused', 'keeping')";
        let rows = sqlx::query(sql).fetch_all(&mut self.db).await?;
        let saved = |row: &sqlx::sqlite::SqliteRow| {
            let readers: Vec<DeviceId> = serde_json::from_str(row.try_get(3)?).map_err(|error| wrong(&error))?;
            let keep_command: Option<&[u8]> = row.try_get(6)?;
            Ok(Saved {
                id: id(row.try_get(0)?)?,
                place: place(row.try_get(1)?)?,
                stage: match row.try_get::<&str, _>(2)? {
                    "reading" => Stage::Reading,
                    "keeping" => Stage::Keeping,
                    _ => Stage::Paused,
                },
                readers: readers.into_iter().collect(),
                started_at: instant(row.try_get(4)?)?,
                reads: row.try_get::<i64, _>(5)? as u64,
                keep_command: keep_command.map(id).transpose()?,
            })
        };
        rows.iter().map(saved).collect()
    }

    /// In the order in which they were read first.
    pub async fn tags_of(&mut self, count: CommandId) -> Result<Vec<SavedTag>, FileError> {
        let sql = "select epc, seen_micros, antenna, rssi_dbm from tag where count = ? order by seen_micros, epc";
        let rows = sqlx::query(sql).bind(&count.to_bytes()[..]).fetch_all(&mut self.db).await?;
        let saved = |row: &sqlx::sqlite::SqliteRow| {
            Ok(SavedTag {
                tag: Tag(row.try_get::<&[u8], _>(0)?.into()),
                at: instant(row.try_get(1)?)?,
                antenna: u16::try_from(row.try_get::<i64, _>(2)?).unwrap_or(0),
                rssi_dbm: row.try_get::<Option<i64>, _>(3)?.and_then(|rssi| i8::try_from(rssi).ok()),
            })
        };
        rows.iter().map(saved).collect()
    }

    pub async fn all_kept(&mut self) -> Result<Vec<KeptRow>, FileError> {
        let rows = sqlx::query("select place, count, at_micros, epoch, seq, tags from kept")
            .fetch_all(&mut self.db)
            .await?;
        let kept = |row: &sqlx::sqlite::SqliteRow| {
            Ok(KeptRow {
                place: place(row.try_get(0)?)?,
                count: id(row.try_get(1)?)?,
                at: instant(row.try_get(2)?)?,
                position: position(row.try_get(3)?, row.try_get(4)?),
                tags: row.try_get::<i64, _>(5)? as u64,
            })
        };
        rows.iter().map(kept).collect()
    }

    pub async fn read_through(&mut self) -> Result<Position, FileError> {
        let row = sqlx::query("select epoch, seq from read_through").fetch_one(&mut self.db).await?;
        Ok(position(row.try_get(0)?, row.try_get(1)?))
    }

    /// What the journal says up to a position.
    pub async fn traded(&mut self, traded: &[Traded], through: Position) -> Result<(), FileError> {
        let mut change = self.db.begin().await?;
        for traded in traded {
            match traded {
                Traded::Sold(thing, sale) => {
                    let sql = "insert into sold (gtin, serial, receipt, at_micros, epoch, seq) values (?, ?, ?, ?, ?, ?)
                        on conflict do update set receipt = excluded.receipt, at_micros = excluded.at_micros, epoch = excluded.epoch, seq = excluded.seq";
                    sqlx::query(sql)
                        .bind(thing.gtin.to_string())
                        .bind(&thing.serial)
                        .bind(sale.receipt.to_string())
                        .bind(sale.at.as_micros())
                        .bind(i64::from(sale.position.0.0))
                        .bind(sale.position.1.0 as i64)
                        .execute(&mut *change)
                        .await?;
                }
                Traded::TakenBack(receipt) => {
                    sqlx::query("delete from sold where receipt = ?")
                        .bind(receipt.to_string())
                        .execute(&mut *change)
                        .await?;
                }
            }
        }
        sqlx::query("update read_through set epoch = ?, seq = ?")
            .bind(i64::from(through.0.0))
            .bind(through.1.0 as i64)
            .execute(&mut *change)
            .await?;
        Ok(change.commit().await?)
    }

    pub async fn sales(&mut self) -> Result<Sales, FileError> {
        let rows = sqlx::query("select gtin, serial, receipt, at_micros, epoch, seq from sold")
            .fetch_all(&mut self.db)
            .await?;
        let sale = |row: &sqlx::sqlite::SqliteRow| {
            let thing = Thing {
                gtin: row.try_get::<&str, _>(0)?.parse().map_err(|error| wrong(&error))?,
                serial: row.try_get(1)?,
            };
            let sale = Sale {
                receipt: row.try_get::<&str, _>(2)?.parse().map_err(|error| wrong(&error))?,
                at: instant(row.try_get(3)?)?,
                position: position(row.try_get(4)?, row.try_get(5)?),
            };
            Ok((thing, sale))
        };
        rows.iter().map(sale).collect()
    }
}

fn wrong(why: impl std::fmt::Display) -> FileError {
    FileError::Content(format!("the file of counts: {why}"))
}

fn id(bytes: &[u8]) -> Result<CommandId, FileError> {
    CommandId::from_slice(bytes).map_err(wrong)
}

fn place(text: &str) -> Result<Place, FileError> {
    Place::parse(text).map_err(wrong)
}

fn instant(micros: i64) -> Result<Instant, FileError> {
    Instant::from_micros(micros).map_err(wrong)
}

fn position(epoch: i64, seq: i64) -> Position {
    (Epoch(u32::try_from(epoch).unwrap_or(0)), Seq(seq as u64))
}
