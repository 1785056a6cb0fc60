//! Instants and the business day: a shop's day ends when the shop says so, not at midnight.
//!
//! Reads no clock. The box hands the instant in, computes the day once, and the journal keeps both.

use std::str::FromStr;

use jiff::Span;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use serde::{Deserialize, Serialize};

/// Why a shop's calendar can not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    #[error("time zone {name:?} is unknown; use a name such as Europe/Berlin")]
    UnknownZone { name: String },
    #[error("day end {text:?} is not a time between 00:00 and 12:00; write hours and minutes, such as 02:00")]
    DayEnd { text: String },
    #[error("instant {microseconds} is beyond the calendar; check the clock")]
    Instant { microseconds: i64 },
    #[error("the date is beyond the calendar; check the year")]
    OutOfCalendar,
}

impl TimeError {
    /// Stable for programs, where the sentence may be worded better one day.
    pub fn code(&self) -> &'static str {
        match self {
            TimeError::UnknownZone { .. } => "unknown_zone",
            TimeError::DayEnd { .. } => "day_end",
            TimeError::Instant { .. } | TimeError::OutOfCalendar => "out_of_calendar",
        }
    }
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
    day_end: Time,
}

/// What a wall-clock time of the shop is: in the nights when the clock is changed it may come twice, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WallClock {
    Once(Instant),
    Twice {
        first: Instant,
        second: Instant,
    },
    /// The clock jumped over it, at this moment.
    Never {
        jumped: Instant,
    },
}

impl WallClock {
    /// When something that is set for this time takes effect: as soon as the clock says so for the first time, or, when it never does, as
    /// soon as it says more. So nothing is skipped and nothing happens twice.
    pub fn effective(self) -> Instant {
        match self {
            WallClock::Once(at) => at,
            WallClock::Twice { first, .. } => first,
            WallClock::Never { jumped } => jumped,
        }
    }
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
        // Only `02:00`: the parser of times would also take a date with it, or `T02`.
        let plain = matches!(day_end.as_bytes(), [a, b, b':', c, d] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()));
        let day_end = Time::from_str(day_end).ok().filter(|_| plain).ok_or_else(wrong)?;
        if day_end > Time::constant(12, 0, 0, 0) {
            return Err(wrong());
        }
        Ok(Self { zone, day_end })
    }

    /// By the wall clock of the shop, so a night with 23 or 25 hours still belongs to one day. A day that has begun is never left again for
    /// the one before, also when the clock goes back over the hour at which it began.
    pub fn business_day(&self, at: Instant) -> BusinessDay {
        let date = self.civil_date(at);
        let begun = match self.begins(BusinessDay(date)) {
            Ok(begin) => at >= begin,
            Err(_) => true,
        };
        if begun {
            BusinessDay(date)
        } else {
            BusinessDay(date.yesterday().unwrap_or(date))
        }
    }

    /// The first moment of a business day.
    pub fn begins(&self, day: BusinessDay) -> Result<Instant, TimeError> {
        Ok(self.wall_clock(day.0.to_datetime(self.day_end))?.effective())
    }

    /// The moments from the first of this day to the first of the next.
    pub fn span(&self, day: BusinessDay) -> Result<std::ops::Range<Instant>, TimeError> {
        let next = day.0.tomorrow().map_err(|_| TimeError::OutOfCalendar)?;
        Ok(self.begins(day)?..self.begins(BusinessDay(next))?)
    }

    /// What the clock on the wall and the calendar beside it say.
    pub fn civil(&self, at: Instant) -> DateTime {
        self.zone.to_datetime(at.0)
    }

    /// The date on the calendar: for ages and tax holidays, which end at midnight and not with the business day.
    pub fn civil_date(&self, at: Instant) -> Date {
        self.civil(at).date()
    }

    /// The moment, or moments, at which the clock on the wall says this.
    pub fn wall_clock(&self, local: DateTime) -> Result<WallClock, TimeError> {
        let exact = |offset: Offset| offset.to_timestamp(local).map(Instant).map_err(|_| TimeError::OutOfCalendar);
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => Ok(WallClock::Once(exact(offset)?)),
            AmbiguousOffset::Fold { before, after } => Ok(WallClock::Twice {
                first: exact(before)?,
                second: exact(after)?,
            }),
            AmbiguousOffset::Gap { before, after } => {
                // By the offset after the jump this time lies before it, and the other way round.
                let (earlier, later) = (exact(after)?, exact(before)?);
                let jump = self.zone.following(earlier.0).next().map(|jump| Instant(jump.timestamp()));
                Ok(WallClock::Never {
                    jumped: jump.filter(|jump| *jump <= later).unwrap_or(later),
                })
            }
        }
    }

    /// `2026-11-21 14:05`, by the shop's wall clock, for receipts.
    pub fn local(&self, at: Instant) -> String {
        at.0.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }
}

/// Whether somebody born on `birth` is `years` old on a civil date. Who was born on the 29th of February is so on the 1st of March in years
/// without that day. Nothing of this is kept: the birth date is looked at and forgotten.
pub fn old_enough(birth: Date, on: Date, years: u8) -> bool {
    let Some(year) = birth.year().checked_add(i16::from(years)) else {
        return false;
    };
    // As three numbers, so a birthday that a year does not have lies between the days around it.
    (on.year(), on.month(), on.day()) >= (year, birth.month(), birth.day())
}

/// Whoever was born on this date or before is `years` old on a civil date: what a register shows beside the goods. `None` before the calendar
/// begins.
pub fn born_by(on: Date, years: u8) -> Option<Date> {
    on.checked_sub(Span::new().years(years)).ok()
}

/// For fuzzers: any bytes are a moment, a day or a shop's calendar (zone and day end on two lines), or refused by name.
pub fn fuzz_one(bytes: &[u8]) {
    if let Some(eight) = bytes.first_chunk()
        && let Ok(at) = Instant::from_micros(i64::from_be_bytes(*eight))
    {
        assert_eq!(Instant::from_micros(at.as_micros()), Ok(at));
    }
    if let Some(four) = bytes.first_chunk()
        && let Ok(day) = BusinessDay::from_days(i32::from_be_bytes(*four))
    {
        assert_eq!(BusinessDay::from_days(day.to_days()), Ok(day));
    }
    let text = String::from_utf8_lossy(bytes);
    let (zone, day_end) = text.split_once('\n').unwrap_or((&text, "02:00"));
    let Ok(calendar) = Calendar::new(zone, day_end) else { return };
    for at in [Instant::EARLIEST, Instant::EPOCH, Instant(Timestamp::MAX)] {
        let _ = (
            calendar.business_day(at),
            calendar.span(calendar.business_day(at)),
            calendar.local(at),
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        for day_end in [
            "25:00",
            "12:01",
            "02:00:30",
            "02:00:00",
            "",
            "-1:00",
            "noon",
            "T02:00",
            "0200",
            "2026-11-21T02:00",
            "٠٢:٠٠",
        ] {
            assert!(Calendar::new("UTC", day_end).is_err(), "{day_end}");
        }
        assert!(Calendar::new("UTC", "12:00").is_ok());
    }

    #[test]
    fn a_day_that_has_begun_is_not_left_again_when_the_clock_goes_back() {
        // 02:40 summer time is already Sunday's; at 03:00 it is 02:00 again, and still Sunday.
        for (at, expected) in [
            ("00:20", "2026-10-24"),
            ("00:40", "2026-10-25"),
            ("01:10", "2026-10-25"),
            ("01:40", "2026-10-25"),
        ] {
            assert_eq!(day("Europe/Berlin", "02:30", &format!("2026-10-25T{at}:00Z")), expected, "{at}");
        }
    }

    #[test]
    fn a_day_end_that_the_clock_jumps_over_is_the_jump() {
        // 2026-03-29: at 02:00 the clock goes to 03:00, so 02:30 never comes.
        assert_eq!(day("Europe/Berlin", "02:30", "2026-03-29T00:59:59Z"), "2026-03-28");
        assert_eq!(day("Europe/Berlin", "02:30", "2026-03-29T01:00:00Z"), "2026-03-29");
        // Beirut jumps at midnight itself.
        assert_eq!(day("Asia/Beirut", "00:00", "2026-03-28T21:59:59Z"), "2026-03-28");
        assert_eq!(day("Asia/Beirut", "00:00", "2026-03-28T22:00:00Z"), "2026-03-29");
    }

    #[test]
    fn what_is_set_for_a_time_of_the_wall_clock_happens_once() {
        let calendar = Calendar::new("Europe/Berlin", "00:00").unwrap();
        let wall = |local: &str| calendar.wall_clock(local.parse().unwrap()).unwrap();
        let utc = |text: &str| Instant(text.parse().unwrap());
        assert_eq!(wall("2026-11-21T08:00"), WallClock::Once(utc("2026-11-21T07:00:00Z")));
        let twice = wall("2026-10-25T02:30");
        assert_eq!(
            twice,
            WallClock::Twice {
                first: utc("2026-10-25T00:30:00Z"),
                second: utc("2026-10-25T01:30:00Z")
            }
        );
        assert_eq!(twice.effective(), utc("2026-10-25T00:30:00Z"));
        assert_eq!(
            wall("2026-03-29T02:30"),
            WallClock::Never {
                jumped: utc("2026-03-29T01:00:00Z")
            }
        );
        assert_eq!(calendar.civil_date(utc("2026-11-20T23:30:00Z")).to_string(), "2026-11-21");
        assert!(calendar.wall_clock(DateTime::MAX).is_err());
        // A whole day on Samoa never was.
        let samoa = Calendar::new("Pacific/Apia", "00:00").unwrap();
        let lost = BusinessDay(Date::constant(2011, 12, 30));
        let span = samoa.span(lost).unwrap();
        assert_eq!(span.start, span.end);
    }

    #[test]
    fn nobody_is_old_enough_a_day_too_early() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        for (birth, on, years, expected) in [
            ("2008-11-21", "2026-11-21", 18, true),
            ("2008-11-22", "2026-11-21", 18, false),
            ("2008-02-29", "2026-02-28", 18, false),
            ("2008-02-29", "2026-03-01", 18, true),
            ("2008-02-29", "2028-02-29", 20, true),
            ("2008-02-29", "2028-02-28", 20, false),
            ("2026-11-22", "2026-11-21", 0, false),
            ("2026-11-21", "2026-11-21", 0, true),
            ("9999-12-31", "9999-12-31", 255, false),
        ] {
            assert_eq!(old_enough(date(birth), date(on), years), expected, "{birth} on {on}");
        }
        assert_eq!(born_by(date("2026-11-21"), 18), Some(date("2008-11-21")));
        assert_eq!(born_by(date("2028-02-29"), 18), Some(date("2010-02-28")));
    }

    fn shops() -> impl Strategy<Value = Calendar> {
        let zones = [
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Asia/Beirut",
            "America/Havana",
            "Pacific/Apia",
            "UTC",
            "Asia/Kolkata",
        ];
        let ends = ["00:00", "00:30", "02:00", "02:30", "03:00", "12:00"];
        (prop::sample::select(zones.to_vec()), prop::sample::select(ends.to_vec()))
            .prop_map(|(zone, end)| Calendar::new(zone, end).unwrap())
    }

    /// Any moment from 2005 to 2040, or one near the next change of that shop's clock.
    fn moments() -> impl Strategy<Value = (Calendar, Instant)> {
        let any = (shops(), 1_104_537_600i64..2_208_988_800, prop::option::of(-300i64..300));
        any.prop_map(|(shop, second, near)| {
            let mut second = second;
            let at = Instant::from_micros(second * 1_000_000).unwrap();
            let change = shop.zone.following(at.0).next().map(|change| change.timestamp().as_second());
            if let (Some(minutes), Some(change)) = (near, change) {
                second = change + minutes * 60;
            }
            (shop, Instant::from_micros(second * 1_000_000).unwrap())
        })
    }

    proptest! {
        #[test]
        fn every_moment_is_in_the_span_of_its_business_day((shop, at) in moments()) {
            let day = shop.business_day(at);
            let span = shop.span(day).unwrap();
            prop_assert!(span.contains(&at), "{at} is not in {day}, {span:?}");
        }

        #[test]
        fn business_days_never_go_back((shop, at) in moments(), minutes in 0i64..300) {
            let later = Instant::from_micros(at.as_micros() + minutes * 60_000_000).unwrap();
            prop_assert!(shop.business_day(later) >= shop.business_day(at));
        }

        #[test]
        fn an_instants_wall_clock_leads_back_to_it((shop, at) in moments()) {
            let back = shop.wall_clock(shop.civil(at)).unwrap();
            let found = match back {
                WallClock::Once(once) => once == at,
                WallClock::Twice { first, second } => first == at || second == at,
                WallClock::Never { .. } => false,
            };
            prop_assert!(found, "{at} became {back:?}");
        }

        #[test]
        fn the_last_birth_date_that_is_old_enough_is_just_so(days in 0i32..30_000, years in 0u8..100) {
            let on = BusinessDay::from_days(days).unwrap().0;
            let born = born_by(on, years).unwrap();
            prop_assert!(old_enough(born, on, years));
            prop_assert!(!old_enough(born.tomorrow().unwrap(), on, years));
        }
    }
}
