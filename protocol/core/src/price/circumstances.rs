//! When, where and for whom a basket is priced, and what an offer asks of these.
//!
//! Reads no clock: the instant and what the wall clock shows then are handed in.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::civil::{DateTime, Weekday};
use serde::{Deserialize, Serialize};

use crate::ids::StoreId;
use crate::time::{Calendar, Instant};

/// The name of a price book or a promotion: 1 to 40 of letters, digits, `.`, `_`, `-`. Compared by its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OfferId(Box<str>);

/// Why a text names no offer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no name of a price book or promotion; use 1 to 40 letters, digits, '.', '_' or '-'")]
pub struct OfferIdError {
    text: String,
}

impl OfferId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OfferId {
    type Err = OfferIdError;
    fn from_str(text: &str) -> Result<Self, OfferIdError> {
        let clean = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if clean && (1..=40).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(OfferIdError {
                text: text.chars().take(60).collect(),
            })
        }
    }
}

impl TryFrom<String> for OfferId {
    type Error = OfferIdError;
    fn try_from(text: String) -> Result<Self, OfferIdError> {
        text.parse()
    }
}

impl From<OfferId> for String {
    fn from(id: OfferId) -> String {
        id.0.into()
    }
}

impl fmt::Display for OfferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Everything that decides which offers hold, besides the goods. The instant is that of the ticket's first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    pub at: Instant,
    /// What the clock on the shop's wall shows at that instant.
    pub wall_clock: DateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreId>,
    /// The groups the customer belongs to.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
    /// The codes of the coupons that were handed in. Each counts once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub coupons: BTreeSet<String>,
}

impl Circumstances {
    /// An unknown customer without coupons.
    pub fn new(at: Instant, calendar: &Calendar, store: Option<StoreId>) -> Self {
        Self {
            at,
            wall_clock: calendar.civil(at),
            store,
            groups: BTreeSet::new(),
            coupons: BTreeSet::new(),
        }
    }

    /// Whether an offer with these instants, stores and groups holds; an empty list asks for nothing.
    pub(crate) fn fit(&self, from: Option<Instant>, to: Option<Instant>, stores: &[StoreId], groups: &[String]) -> bool {
        from.is_none_or(|from| from <= self.at)
            && to.is_none_or(|to| self.at < to)
            && (stores.is_empty() || self.store.is_some_and(|store| stores.contains(&store)))
            && (groups.is_empty() || groups.iter().any(|group| self.groups.contains(group)))
    }

    /// Whether the wall clock is in one of these hours of one of these days. Hours that run over midnight belong to the day on which
    /// they began.
    pub(crate) fn in_hours(&self, days: &[Day], hours: &[Hours]) -> bool {
        let today = Day::of(self.wall_clock.weekday());
        let yesterday = Day::of(self.wall_clock.weekday().previous());
        let on = |day: Day| days.is_empty() || days.contains(&day);
        if hours.is_empty() {
            return on(today);
        }
        let now = self.wall_clock.time();
        // Whole minutes are enough: both ends are whole minutes.
        let now = ClockTime(now.hour() as u16 * 60 + now.minute() as u16);
        hours.iter().any(|hours| {
            if hours.from < hours.to {
                on(today) && hours.from <= now && now < hours.to
            } else {
                (on(today) && hours.from <= now) || (on(yesterday) && now < hours.to)
            }
        })
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    fn of(day: Weekday) -> Day {
        match day {
            Weekday::Monday => Day::Mon,
            Weekday::Tuesday => Day::Tue,
            Weekday::Wednesday => Day::Wed,
            Weekday::Thursday => Day::Thu,
            Weekday::Friday => Day::Fri,
            Weekday::Saturday => Day::Sat,
            Weekday::Sunday => Day::Sun,
        }
    }
}

/// From one time of the wall clock up to, but not with, another; over midnight where the second is the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    pub from: ClockTime,
    pub to: ClockTime,
}

/// Hours and minutes on the wall clock, as minutes since midnight; `16:00` in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime(u16);

/// Why a text is no time of day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time between 00:00 and 23:59; write hours and minutes, such as 16:00")]
pub struct ClockTimeError {
    text: String,
}

impl TryFrom<String> for ClockTime {
    type Error = ClockTimeError;
    fn try_from(text: String) -> Result<Self, ClockTimeError> {
        let number = |digits: &[u8]| match digits {
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some(u16::from(tens - b'0') * 10 + u16::from(ones - b'0')),
            _ => None,
        };
        let time = match text.as_bytes() {
            [h1, h2, b':', m1, m2] => number(&[*h1, *h2]).zip(number(&[*m1, *m2])),
            _ => None,
        };
        match time {
            Some((hour, minute)) if hour < 24 && minute < 60 => Ok(Self(hour * 60 + minute)),
            _ => Err(ClockTimeError {
                text: text.chars().take(20).collect(),
            }),
        }
    }
}

impl From<ClockTime> for String {
    fn from(time: ClockTime) -> String {
        format!("{:02}:{:02}", time.0 / 60, time.0 % 60)
    }
}
