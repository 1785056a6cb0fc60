//! The small values of an export: ids, hashes, instants and days, read from their text and shown as the export shows them.
//!
//! Written anew on purpose: nothing here comes from the parts that write exports, so that a mistake there is not repeated here.

use std::fmt;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A UUID: a command, a ticket or a shift.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub [u8; 16]);

impl Id {
    pub fn parse(text: &str) -> Option<Id> {
        let (mut digits, mut at) = ([0; 32], 0);
        for (place, byte) in text.bytes().enumerate() {
            if matches!(place, 8 | 13 | 18 | 23) {
                (byte == b'-').then_some(())?;
            } else {
                *digits.get_mut(at)? = byte;
                at += 1;
            }
        }
        hex(&digits[..at]).map(Id)
    }

    pub fn from_slice(bytes: &[u8]) -> Option<Id> {
        bytes.try_into().ok().map(Id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = HEXLOWER.encode(&self.0);
        write!(f, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

/// Exactly so many bytes in hex.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let fits = digits.len() == 2 * N;
    let read = fits.then(|| HEXLOWER_PERMISSIVE.decode_mut(digits, &mut bytes).ok()).flatten()?;
    (read == N).then_some(bytes)
}

/// SHA-256.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    pub const ZERO: Hash = Hash([0; 32]);

    pub fn parse(text: &str) -> Option<Hash> {
        hex(text.as_bytes()).map(Hash)
    }

    pub fn from_slice(bytes: &[u8]) -> Option<Hash> {
        bytes.try_into().ok().map(Hash)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// Microseconds since 1970 (UTC), in exports an RFC 3339 text.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros(pub i64);

impl Micros {
    pub fn parse(text: &str) -> Option<Micros> {
        let (date, rest) = text.split_at_checked(10)?;
        let days = i64::from(Day::parse(date)?.0);
        let clock = rest.strip_prefix(['T', 't', ' '])?;
        let (hms, mut rest) = clock.split_at_checked(8)?;
        let mut parts = hms.split(':').map(number);
        let (Some(Some(hour)), Some(Some(minute)), Some(Some(second)), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let mut micros = ((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000;
        if let Some(fraction) = rest.strip_prefix('.') {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            let (shown, after) = fraction.split_at(digits);
            let kept = shown.get(..digits.min(6))?;
            micros += number(kept)? * 10_i64.pow(6 - kept.len() as u32);
            rest = after;
        }
        let offset_minutes = match rest {
            "Z" | "z" => 0,
            _ => {
                let (hours, minutes) = rest.get(1..)?.split_once(':')?;
                let minutes = number(hours)? * 60 + number(minutes)?;
                match rest.as_bytes()[0] {
                    b'+' => minutes,
                    b'-' => -minutes,
                    _ => return None,
                }
            }
        };
        Some(Micros(micros - offset_minutes * 60_000_000))
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day_micros = 86_400_000_000;
        let day = Day(self.0.div_euclid(day_micros) as i32);
        let within = self.0.rem_euclid(day_micros);
        let seconds = within / 1_000_000;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{day}T{hour:02}:{minute:02}:{second:02}.{:06}Z", within % 1_000_000)
    }
}

/// Days since 1970, in exports a date.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub i32);

impl Day {
    pub fn parse(text: &str) -> Option<Day> {
        let mut parts = text.split('-').map(number);
        let (Some(Some(year)), Some(Some(month)), Some(Some(day)), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return None;
        };
        let read = Day(days_from_civil(year, month, day));
        // A 31st of June would land on another day: only what reads back is a date.
        (read.to_string() == text).then_some(read)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(i64::from(self.0));
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Howard Hinnant's calendar: eras of 400 years that begin in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era - 719_468) as i32
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

fn number(digits: &str) -> Option<i64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

macro_rules! by_text {
    ($name:ident, $what:literal) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::parse(text).ok_or_else(|| E::custom(format!("{text:?} is not {}", $what)))
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}

by_text!(Id, "a UUID");
by_text!(Hash, "64 hex digits");
by_text!(Micros, "an RFC 3339 time");
by_text!(Day, "a date");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_read_and_show_the_same_moment() {
        for (text, micros) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.5Z", -500_000),
            ("2024-02-29T12:00:00.000001Z", 1_709_208_000_000_001),
            ("2026-11-21T10:00:00+01:00", 1_795_251_600_000_000),
        ] {
            assert_eq!(Micros::parse(text), Some(Micros(micros)), "{text}");
            assert_eq!(Micros::parse(&Micros(micros).to_string()), Some(Micros(micros)));
        }
        for text in [
            "",
            "2026-11-21",
            "2026-13-01T00:00:00Z",
            "2026-11-21T10:00:00",
            "2026-11-21T10:00Z",
            "2026-02-30T00:00:00Z",
        ] {
            assert_eq!(Micros::parse(text), None, "{text}");
        }
    }

    #[test]
    fn ids_and_hashes_read_back() {
        let id = "0193a6c2-7b1e-7000-8000-00000000002a";
        assert_eq!(Id::parse(id).map(|id| id.to_string()).as_deref(), Some(id));
        assert_eq!(Id::parse("0193a6c27b1e7000800000000000002a"), None);
        assert_eq!(Hash::parse(&"0f".repeat(32)), Some(Hash([15; 32])));
        assert_eq!(Hash::parse("0f"), None);
    }
}
