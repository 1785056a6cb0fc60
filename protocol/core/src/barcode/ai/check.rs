//! What the value of an application identifier must satisfy beside its length: characters, check digit, date, currency.
//!
//! Knows no identifiers; which of them needs which check is the table in `ai`.

use crate::barcode::BarcodeError;
use crate::barcode::ai::Ai;
use crate::barcode::gtin::check_digit;

/// Which characters a part may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    Digits,
    /// The 82 characters.
    Text,
    /// Digits, capitals and `# - /`.
    Component,
    /// Base64 for web addresses.
    Base64,
}

/// What a part must satisfy beside its length and characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    Nothing,
    Digit,
    /// Two check characters at the end of a text.
    Pair,
    /// Year, month, day; day 00 stands for the end of the month.
    MonthOrDay,
    Day,
    /// The same with a year of four digits.
    LongDay,
    DayAndHour,
    HourAndMinute,
    MinuteOrSecond,
    Currency,
    PieceOfTotal,
    Zero,
    NotZero,
    NoLeadingZero,
    YesOrNo,
    Winding,
    Sex,
    /// The one letter that tells importers apart.
    ImporterIndex,
    /// The second of three twins is `2/3`.
    PositionInBirth,
    PercentEscapes,
    Minus,
    Countries,
    Iban,
    Latitude,
    Longitude,
}

impl Letters {
    pub(super) fn hold(self, letter: char) -> bool {
        match self {
            Self::Digits => letter.is_ascii_digit(),
            Self::Text => is_gs1_text(letter),
            Self::Component => is_component_text(letter),
            Self::Base64 => letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '='),
        }
    }
}

/// Whether it is one of the 82 characters of GS1's character set.
pub(crate) const fn is_gs1_text(letter: char) -> bool {
    matches!(letter, '!' | '"' | '%'..='?' | 'A'..='Z' | '_' | 'a'..='z')
}

/// Whether it may stand in the part number of a component.
pub(crate) const fn is_component_text(letter: char) -> bool {
    matches!(letter, 'A'..='Z' | '0'..='9' | '-' | '/' | '#')
}

impl Check {
    pub(super) fn run(self, ai: Ai, value: &str) -> Result<(), BarcodeError> {
        let fails = |why| Err(BarcodeError::AiRule { ai, why });
        match self {
            Self::Nothing => Ok(()),
            Self::Digit => match value.as_bytes().split_last() {
                Some((last, rest)) if check_digit(rest) != last & 0x0f => Err(BarcodeError::AiCheckDigit {
                    ai,
                    expected: check_digit(rest),
                    found: last & 0x0f,
                }),
                _ => Ok(()),
            },
            Self::Pair if value.len() < 3 => fails("ends before its two check characters"),
            Self::Pair if !has_check_pair(value) => fails("has wrong check characters at its end"),
            Self::MonthOrDay if !is_date(value, true) => fails("is no date (year, month, day in two digits each)"),
            Self::Day if !is_date(value, false) => fails("is no date (year, month, day in two digits each)"),
            Self::LongDay if !is_long_date(value) => fails("is no date (year in four, month and day in two digits each)"),
            Self::DayAndHour if !is_day_and_hour(value) => fails("is no date and hour"),
            Self::HourAndMinute if !is_clock(value, 24) => fails("is no time of the day"),
            Self::MinuteOrSecond if !is_clock(value, 60) => fails("is no minute and second"),
            Self::Currency if !is_currency(value) => fails("begins with no currency number of ISO 4217"),
            Self::PieceOfTotal if !is_piece_of_total(value) => fails("is no piece of a total"),
            Self::Zero if value != "0" => fails("has to begin with 0"),
            Self::NotZero if value.bytes().all(|digit| digit == b'0') => fails("may not be zero"),
            Self::NoLeadingZero if value.len() > 1 && value.starts_with('0') => fails("may not begin with a zero"),
            Self::YesOrNo if !matches!(value, "0" | "1") => fails("is neither 0 nor 1"),
            Self::Winding if !matches!(value, "0" | "1" | "9") => fails("has a winding direction other than 0, 1 or 9"),
            Self::Sex if !matches!(value, "0" | "1" | "2" | "9") => fails("is none of 0, 1, 2 and 9"),
            Self::ImporterIndex
                if !value
                    .bytes()
                    .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_')) =>
            {
                fails("has an importer other than a letter, a digit, - or _")
            }
            Self::PositionInBirth if !is_position(value) => fails("is no place in a birth, as in 1/2"),
            Self::PercentEscapes if !has_right_escapes(value) => fails("has a % that is not followed by two hexadecimal digits"),
            Self::Minus if value != "-" => fails("may end in a minus only"),
            Self::Countries if !value.len().is_multiple_of(3) => fails("is no row of three-digit countries"),
            Self::Iban if !is_iban(value) => fails("is no IBAN"),
            Self::Latitude if below(value, 1_800_000_001).is_none() => fails("is beyond the poles"),
            Self::Longitude if below(value, 3_600_000_001).is_none() => fails("is beyond a full turn"),
            _ => Ok(()),
        }
    }
}

fn below(digits: &str, end: u64) -> Option<u64> {
    digits.parse().ok().filter(|value| *value < end)
}

fn two_digits(value: &str, at: usize) -> Option<u8> {
    value.get(at..at + 2)?.parse().ok()
}

/// `yymmdd`. Every century but one in four begins without a 29 February; labels speak of 1951 to 2050, and 2000 had one.
fn is_date(value: &str, month_will_do: bool) -> bool {
    let (Some(year), Some(month), Some(day)) = (two_digits(value, 0), two_digits(value, 2), two_digits(value, 4)) else {
        return false;
    };
    days_in(month, year % 4 == 0).is_some_and(|days| day <= days && (day > 0 || month_will_do))
}

const fn days_in(month: u8, leap_year: bool) -> Option<u8> {
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap_year => 29,
        2 => 28,
        _ => return None,
    })
}

/// `yyyymmdd`.
fn is_long_date(value: &str) -> bool {
    let year: Option<u16> = value.get(..4).and_then(|year| year.parse().ok());
    let (Some(year), Some(month), Some(day)) = (year, two_digits(value, 4), two_digits(value, 6)) else {
        return false;
    };
    let leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    days_in(month, leap_year).is_some_and(|days| (1..=days).contains(&day))
}

fn is_day_and_hour(value: &str) -> bool {
    is_date(value, false) && two_digits(value, 6).is_some_and(|hour| hour < 24)
}

/// Pairs of digits: the first below `first_end`, the others below sixty.
fn is_clock(value: &str, first_end: u8) -> bool {
    if !matches!(value.len(), 2 | 4) {
        return false;
    }
    two_digits(value, 0).is_some_and(|first| first < first_end)
        && (value.len() == 2 || two_digits(value, 2).is_some_and(|second| second < 60))
}

fn is_currency(value: &str) -> bool {
    value.parse().ok().and_then(iso_currency::Currency::from_numeric).is_some()
}

fn is_piece_of_total(value: &str) -> bool {
    match (two_digits(value, 0), two_digits(value, 2)) {
        (Some(piece), Some(total)) => piece > 0 && piece <= total,
        _ => false,
    }
}

fn is_position(value: &str) -> bool {
    match value.as_bytes() {
        [place @ b'1'..=b'9', b'/', of @ b'1'..=b'9'] => place <= of,
        _ => false,
    }
}

fn has_right_escapes(value: &str) -> bool {
    value
        .split('%')
        .skip(1)
        .all(|after| after.len() >= 2 && after.bytes().take(2).all(|digit| digit.is_ascii_hexdigit()))
}

/// The check pair of GS1 (General Specifications, section 7.9.5): each character counts by its place among the 82, times a
/// prime that falls towards the end, modulo 1021; the rest is written in two of 32 characters.
fn has_check_pair(value: &str) -> bool {
    const PRIMES: [u32; 23] = [
        2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83,
    ];
    const PAIR: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let Some((text, pair)) = value.split_at_checked(value.len().saturating_sub(2)) else {
        return false;
    };
    let mut sum = 0;
    for (letter, prime) in text.chars().rev().zip(PRIMES) {
        // Text longer than the primes is longer than any value; the length is checked before.
        sum += place_among_82(letter) * prime;
    }
    let rest = (sum % 1021) as usize;
    let expected = [PAIR.get(rest / 32), PAIR.get(rest % 32)];
    pair.as_bytes().iter().map(Some).eq(expected)
}

/// `!` is 0, `z` is 81, in the order of ASCII.
fn place_among_82(letter: char) -> u32 {
    ('!'..letter).filter(|earlier| is_gs1_text(*earlier)).count() as u32
}

fn is_iban(value: &str) -> bool {
    let Some((head, rest)) = value.split_at_checked(4) else {
        return false;
    };
    if rest.is_empty() {
        return false;
    }
    let mut sum: u32 = 0;
    for letter in rest.chars().chain(head.chars()) {
        sum = match letter {
            '0'..='9' => sum * 10 + (letter as u32 - '0' as u32),
            'A'..='Z' => sum * 100 + (letter as u32 - 'A' as u32 + 10),
            _ => return false,
        } % 97;
    }
    sum == 1
}
