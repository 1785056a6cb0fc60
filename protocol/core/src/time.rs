//! Instants and the business day: a shop's day ends when the shop says so, not at midnight.
//!
//! Reads no clock. The box hands the instant in, computes the day once, and the journal keeps both.

use std::str::FromStr;

use jiff::Span;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Why a shop's calendar can not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    #[error("time zone {name:?} is unknown; use a name such as Europe/Berlin")]
    UnknownZone { name: String },
    #[error("day end {text:?} is not a time between 00:00 and 12:00")]
    DayEnd { text: String },
    #[error("instant {microseconds} is beyond the calendar")]
    Instant { microseconds: i64 },
}

/// A moment, in whole microseconds since 1970 (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(Timestamp);

impl Instant {
    /// 1970-01-01, what an unset clock says.
    pub const EPOCH: Instant = Instant(Timestamp::UNIX_EPOCH);
    /// Before all others.
    pub const EARLIEST: Instant = Instant(Timestamp::MIN);

    pub fn from_micros(microseconds: i64) -> Result<Self, TimeError> {
        Timestamp::from_microsecond(microseconds)
            .map(Self)
            .map_err(|_| TimeError::Instant { microseconds })
    }

    pub fn as_micros(self) -> i64 {
        self.0.as_microsecond()
    }

    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let stamp: Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Instant::from_micros(stamp.as_microsecond()).map_err(serde::de::Error::custom)
    }
}

/// The day a sale belongs to in the shop's books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BusinessDay(pub Date);

impl BusinessDay {
    /// Days since 1970-01-01, as the journal header holds it.
    pub fn to_days(self) -> i32 {
        (self.0 - Date::constant(1970, 1, 1)).get_days()
    }

    pub fn from_days(days: i32) -> Result<Self, TimeError> {
        let out_of_range = || TimeError::Instant {
            microseconds: i64::from(days),
        };
        let span = Span::new().try_days(days).map_err(|_| out_of_range())?;
        Date::constant(1970, 1, 1).checked_add(span).map(Self).map_err(|_| out_of_range())
    }
}

impl std::fmt::Display for BusinessDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A shop's zone and the hour at which its day ends.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    day_end_minutes: i64,
}

impl Calendar {
    /// `day_end` such as `02:00`: a sale at 01:30 still belongs to the evening before.
    pub fn new(zone: &str, day_end: &str) -> Result<Self, TimeError> {
        let zone = TimeZone::get(zone).map_err(|_| TimeError::UnknownZone {
            name: zone.chars().take(60).collect(),
        })?;
        let wrong = || TimeError::DayEnd {
            text: day_end.chars().take(20).collect(),
        };
        let time = jiff::civil::Time::from_str(day_end).map_err(|_| wrong())?;
        let day_end_minutes = i64::from(time.hour()) * 60 + i64::from(time.minute());
        if day_end_minutes > 12 * 60 {
            return Err(wrong());
        }
        Ok(Self { zone, day_end_minutes })
    }

    /// By the wall clock of the shop, so a night with 23 or 25 hours still belongs to one day.
    pub fn business_day(&self, at: Instant) -> BusinessDay {
        let local = at.0.to_zoned(self.zone.clone()).datetime();
        let minutes = i64::from(local.hour()) * 60 + i64::from(local.minute());
        if minutes < self.day_end_minutes {
            BusinessDay(local.date().yesterday().unwrap_or(local.date()))
        } else {
            BusinessDay(local.date())
        }
    }

    /// What the clock on the shop's wall shows.
    pub fn wall_clock(&self, at: Instant) -> jiff::civil::DateTime {
        at.0.to_zoned(self.zone.clone()).datetime()
    }

    /// `2026-11-21 14:05`, by the shop's wall clock, for receipts.
    pub fn local(&self, at: Instant) -> String {
        at.0.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(zone: &str, end: &str, at: &str) -> String {
        let at = Instant(at.parse().unwrap());
        Calendar::new(zone, end).unwrap().business_day(at).to_string()
    }

    #[test]
    fn a_sale_after_midnight_belongs_to_the_evening_before() {
        assert_eq!(day("Europe/Berlin", "02:00", "2026-11-21T00:30:00Z"), "2026-11-20");
        assert_eq!(day("Europe/Berlin", "02:00", "2026-11-21T01:00:00Z"), "2026-11-21");
        assert_eq!(day("Europe/Berlin", "00:00", "2026-11-20T23:00:00Z"), "2026-11-21");
    }

    #[test]
    fn the_night_with_twenty_five_hours_is_one_day() {
        // 2026-10-25: at 03:00 summer time the clock goes back to 02:00, so 02:30 happens twice.
        assert_eq!(day("Europe/Berlin", "03:00", "2026-10-25T00:30:00Z"), "2026-10-24");
        assert_eq!(day("Europe/Berlin", "03:00", "2026-10-25T01:30:00Z"), "2026-10-24");
        assert_eq!(day("Europe/Berlin", "03:00", "2026-10-25T02:00:00Z"), "2026-10-25");
    }

    #[test]
    fn days_count_from_1970_and_back() {
        let today = BusinessDay(Date::constant(2026, 11, 21));
        assert_eq!(BusinessDay::from_days(today.to_days()), Ok(today));
        assert!(BusinessDay::from_days(i32::MAX).is_err());
    }

    #[test]
    fn a_zone_or_day_end_that_does_not_exist_is_named() {
        assert_eq!(
            Calendar::new("Mars/Base", "00:00").unwrap_err().to_string(),
            "time zone \"Mars/Base\" is unknown; use a name such as Europe/Berlin"
        );
        assert!(Calendar::new("UTC", "25:00").is_err());
    }
}
