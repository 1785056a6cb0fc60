//! The clock of each shop, as its own journal tells it: zone, end of day, currency. And how recent what is held of it is.
//!
//! Nobody types these at head office: the first entry of every epoch says them. Owns no figures.

use jiff::ToSpan;
use jiff::tz::TimeZone;

use backroom_core::facts::Fact;
use backroom_core::ids::StoreId;
use backroom_core::journal::Entry;
use backroom_core::time::{BusinessDay, Calendar, Instant};
use backroom_protocol::payload;

use crate::db::{Connection, DbError};

/// What a shop's journal says about its time and money.
#[derive(Clone, Debug)]
pub struct Clock {
    pub zone: String,
    pub currency: String,
    /// The hour at which a business day begins, 0 to 12: a sale before it still belongs to the evening before.
    pub first_hour: i8,
    calendar: Calendar,
    here: TimeZone,
}

impl Clock {
    pub fn business_day(&self, at: Instant) -> BusinessDay {
        self.calendar.business_day(at)
    }

    /// The hour on the shop's wall: 0 to 23.
    pub fn hour(&self, at: Instant) -> i8 {
        at.timestamp().to_zoned(self.here.clone()).hour()
    }

    /// The same time by the shop's wall clock, one day before.
    pub fn a_day_before(&self, at: Instant) -> Instant {
        let before = at.timestamp().to_zoned(self.here.clone()).checked_sub(1.day());
        let before = before
            .ok()
            .and_then(|time| Instant::from_micros(time.timestamp().as_microsecond()).ok());
        before.unwrap_or(at)
    }
}

/// As its newest epoch says; `None` while nothing of it is held.
pub async fn clock(db: &mut Connection, store: StoreId) -> Result<Option<Clock>, DbError> {
    let sql = "select bytes from entry where store = $1 and seq = 1 and branch = 0 order by epoch desc limit 1";
    let query = sqlx::query_scalar(sql).bind(store.as_str());
    let bytes: Option<Vec<u8>> = query
        .fetch_optional(db)
        .await
        .map_err(DbError::doing("read a store's first entry"))?;
    let Some(Fact::EpochOpened(opened)) = bytes.and_then(|bytes| Entry::read(bytes).ok()).and_then(fact) else {
        return Ok(None);
    };
    let calendar = Calendar::new(&opened.zone, &opened.day_end).ok();
    let here = TimeZone::get(&opened.zone).ok();
    let first_hour = opened.day_end.get(..2).and_then(|hour| hour.parse().ok()).unwrap_or_default();
    Ok(calendar.zip(here).map(|(calendar, here)| Clock {
        zone: opened.zone,
        currency: opened.currency.code().to_owned(),
        first_hour,
        calendar,
        here,
    }))
}

/// When the newest entry that is held was written, by the box's clock.
pub async fn held_to(db: &mut Connection, store: StoreId) -> Result<Option<Instant>, DbError> {
    let sql = "select bytes from entry where store = $1 and branch = 0 order by epoch desc, seq desc limit 1";
    let query = sqlx::query_scalar(sql).bind(store.as_str());
    let bytes: Option<Vec<u8>> = query
        .fetch_optional(db)
        .await
        .map_err(DbError::doing("read a store's newest entry"))?;
    Ok(bytes.and_then(|bytes| Entry::read(bytes).ok()).map(|entry| entry.header.at))
}

/// An entry as it lies in the main chain.
pub async fn entry(db: &mut Connection, store: StoreId, epoch: u32, seq: i64) -> Result<Option<Entry>, DbError> {
    let sql = "select bytes from entry where store = $1 and epoch = $2 and seq = $3 order by branch limit 1";
    let query = sqlx::query_scalar(sql).bind(store.as_str()).bind(i64::from(epoch)).bind(seq);
    let bytes: Option<Vec<u8>> = query.fetch_optional(db).await.map_err(DbError::doing("read an entry"))?;
    Ok(bytes.and_then(|bytes| Entry::read(bytes).ok()))
}

/// What an entry says, if this version can read it.
pub fn fact(entry: Entry) -> Option<Fact> {
    payload::fact(&entry).ok().flatten()
}
