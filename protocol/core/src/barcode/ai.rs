//! The application identifiers of GS1: which there are, how long their values may be and what a value must satisfy.
//!
//! The figures are those of the GS1 General Specifications (release 25, section 3) and of the identifiers that GS1 has
//! added to its list since (717, 8040 to 8043). Checked are length, characters, check digits and check pairs, dates, times,
//! currencies, "piece of total", percent escapes and IBAN. Not checked: lists of countries, package types and media types,
//! the inside of coupons (8110, 8112), and which identifiers have to come together; a wrong country on a label is no reason
//! to send a customer away.

mod check;

use std::fmt;

use self::check::{Check, Letters};
use crate::barcode::BarcodeError;

pub(crate) use self::check::{is_component_text, is_gs1_text};

/// An application identifier that exists, such as `01` or `3103`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ai {
    number: u16,
    digits: u8,
}

impl fmt::Display for Ai {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:0digits$}", self.number, digits = usize::from(self.digits))
    }
}

impl fmt::Debug for Ai {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Ai({self})")
    }
}

impl Ai {
    pub const SSCC: Self = Self { number: 0, digits: 2 };
    pub const GTIN: Self = Self { number: 1, digits: 2 };
    pub const CONTENT: Self = Self { number: 2, digits: 2 };
    pub const LOT: Self = Self { number: 10, digits: 2 };
    pub const BEST_BEFORE: Self = Self { number: 15, digits: 2 };
    pub const SELL_BY: Self = Self { number: 16, digits: 2 };
    pub const USE_BY: Self = Self { number: 17, digits: 2 };
    pub const SERIAL: Self = Self { number: 21, digits: 2 };
    pub const PIECE_OF_GOODS: Self = Self { number: 8006, digits: 4 };

    /// How many digits this identifier has when written.
    #[must_use]
    pub const fn digits(self) -> usize {
        self.digits as usize
    }

    /// The identifier and its rule at the front of a text.
    pub(super) fn at_front(text: &str) -> Option<(Self, &'static Rule)> {
        (2..=4).find_map(|digits| Self::exactly(text.get(..digits)?))
    }

    /// The identifier that is this whole text, and its rule.
    pub(super) fn exactly(text: &str) -> Option<(Self, &'static Rule)> {
        if !(2..=4).contains(&text.len()) || !text.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let number: u16 = text.parse().ok()?;
        let digits = text.len() as u8;
        let rule = RULES
            .iter()
            .find(|rule| rule.digits == digits && (rule.first..=rule.last).contains(&number))?;
        Some((Self { number, digits }, rule))
    }

    /// How many decimals the value has, for measures, amounts and prices: their last digit says it.
    #[must_use]
    pub const fn decimals(self) -> Option<u32> {
        match self.number {
            3100..=3699 | 3900..=3959 if self.digits == 4 => Some((self.number % 10) as u32),
            _ => None,
        }
    }

    /// The number without its last digit for the families in which that digit counts decimals: 310 for 3103.
    #[must_use]
    pub const fn family(self) -> u16 {
        if self.decimals().is_some() { self.number / 10 } else { self.number }
    }

    /// Whether the value begins with a date (year, month, day; day 00 is the end of the month).
    #[must_use]
    pub const fn is_date(self) -> bool {
        matches!(
            (self.digits, self.number),
            (2, 11..=17) | (4, 4324..=4326 | 7003 | 7006 | 7007 | 7011)
        )
    }

    /// For a key with which a Digital Link may begin: the identifiers that may follow in its path, each a list in order.
    pub(super) const fn link_qualifiers(self) -> Option<&'static [&'static [u16]]> {
        Some(match self.number {
            0 | 253 | 255 | 401 | 402 | 8003 | 8013 => &[&[]],
            1 => &[&[22, 10, 21], &[235]],
            414 => &[&[254], &[7040]],
            415 => &[&[8020]],
            417 | 8004 => &[&[7040]],
            8006 => &[&[22, 10, 21]],
            8010 => &[&[8011]],
            8017 | 8018 => &[&[8019]],
            _ => return None,
        })
    }

    /// Whether it may stand in a Digital Link: not the two that only describe made-to-order medical devices.
    pub(super) const fn in_links(self) -> bool {
        !matches!(self.number, 3 | 8014)
    }

    pub(super) const fn number(self) -> u16 {
        self.number
    }
}

#[derive(Clone, Copy, Debug)]
struct Part {
    letters: Letters,
    least: usize,
    most: usize,
    optional: bool,
    check: Check,
}

impl Part {
    const fn check(self, check: Check) -> Self {
        Self { check, ..self }
    }

    const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
}

/// What the standard says of one identifier or a row of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    first: u16,
    last: u16,
    digits: u8,
    /// Its length is known beforehand, so that no separator has to follow.
    pub(super) predefined: bool,
    parts: &'static [Part],
}

const fn letters(letters: Letters, least: usize, most: usize) -> Part {
    Part {
        letters,
        least,
        most,
        optional: false,
        check: Check::Nothing,
    }
}

/// Exactly so many digits.
const fn n(length: usize) -> Part {
    letters(Letters::Digits, length, length)
}

/// One to so many digits.
const fn n_to(most: usize) -> Part {
    letters(Letters::Digits, 1, most)
}

/// Exactly so many characters.
const fn x(length: usize) -> Part {
    letters(Letters::Text, length, length)
}

/// One to so many characters.
const fn x_to(most: usize) -> Part {
    letters(Letters::Text, 1, most)
}

const fn rule(digits: u8, first: u16, last: u16, parts: &'static [Part]) -> Rule {
    Rule {
        first,
        last,
        digits,
        predefined: false,
        parts,
    }
}

const fn fixed(digits: u8, first: u16, last: u16, parts: &'static [Part]) -> Rule {
    Rule {
        first,
        last,
        digits,
        predefined: true,
        parts,
    }
}

const CHECKED_13: Part = n(13).check(Check::Digit);
const CHECKED_14: Part = n(14).check(Check::Digit);
const CHECKED_18: Part = n(18).check(Check::Digit);
const DATE: Part = n(6).check(Check::MonthOrDay);
const DAY: Part = n(6).check(Check::Day);
const TIME: Part = n(4).check(Check::HourAndMinute);
const CURRENCY: Part = n(3).check(Check::Currency);
const PIECE: Part = n(4).check(Check::PieceOfTotal);
const MINUS: Part = x(1).check(Check::Minus).optional();
const BIRTHDAY: Part = n(8).check(Check::LongDay);
const ADDRESS_35: Part = x_to(35).check(Check::PercentEscapes);
const ADDRESS_40: Part = x_to(40).check(Check::PercentEscapes);
const ADDRESS_70: Part = x_to(70).check(Check::PercentEscapes);

static RULES: &[Rule] = &[
    fixed(2, 0, 0, &[CHECKED_18]),
    fixed(2, 1, 3, &[CHECKED_14]),
    rule(2, 10, 10, &[x_to(20)]),
    fixed(2, 11, 13, &[DATE]),
    fixed(2, 15, 17, &[DATE]),
    fixed(2, 20, 20, &[n(2)]),
    rule(2, 21, 22, &[x_to(20)]),
    rule(3, 235, 235, &[x_to(28)]),
    rule(3, 240, 241, &[x_to(30)]),
    rule(3, 242, 242, &[n_to(6)]),
    rule(3, 243, 243, &[x_to(20)]),
    rule(3, 250, 251, &[x_to(30)]),
    rule(3, 253, 253, &[CHECKED_13, x_to(17).optional()]),
    rule(3, 254, 254, &[x_to(20)]),
    rule(3, 255, 255, &[CHECKED_13, n_to(12).optional()]),
    rule(2, 30, 30, &[n_to(8)]),
    fixed(4, 3100, 3105, &[n(6)]),
    fixed(4, 3110, 3115, &[n(6)]),
    fixed(4, 3120, 3125, &[n(6)]),
    fixed(4, 3130, 3135, &[n(6)]),
    fixed(4, 3140, 3145, &[n(6)]),
    fixed(4, 3150, 3155, &[n(6)]),
    fixed(4, 3160, 3165, &[n(6)]),
    fixed(4, 3200, 3205, &[n(6)]),
    fixed(4, 3210, 3215, &[n(6)]),
    fixed(4, 3220, 3225, &[n(6)]),
    fixed(4, 3230, 3235, &[n(6)]),
    fixed(4, 3240, 3245, &[n(6)]),
    fixed(4, 3250, 3255, &[n(6)]),
    fixed(4, 3260, 3265, &[n(6)]),
    fixed(4, 3270, 3275, &[n(6)]),
    fixed(4, 3280, 3285, &[n(6)]),
    fixed(4, 3290, 3295, &[n(6)]),
    fixed(4, 3300, 3305, &[n(6)]),
    fixed(4, 3310, 3315, &[n(6)]),
    fixed(4, 3320, 3325, &[n(6)]),
    fixed(4, 3330, 3335, &[n(6)]),
    fixed(4, 3340, 3345, &[n(6)]),
    fixed(4, 3350, 3355, &[n(6)]),
    fixed(4, 3360, 3365, &[n(6)]),
    fixed(4, 3370, 3375, &[n(6)]),
    fixed(4, 3400, 3405, &[n(6)]),
    fixed(4, 3410, 3415, &[n(6)]),
    fixed(4, 3420, 3425, &[n(6)]),
    fixed(4, 3430, 3435, &[n(6)]),
    fixed(4, 3440, 3445, &[n(6)]),
    fixed(4, 3450, 3455, &[n(6)]),
    fixed(4, 3460, 3465, &[n(6)]),
    fixed(4, 3470, 3475, &[n(6)]),
    fixed(4, 3480, 3485, &[n(6)]),
    fixed(4, 3490, 3495, &[n(6)]),
    fixed(4, 3500, 3505, &[n(6)]),
    fixed(4, 3510, 3515, &[n(6)]),
    fixed(4, 3520, 3525, &[n(6)]),
    fixed(4, 3530, 3535, &[n(6)]),
    fixed(4, 3540, 3545, &[n(6)]),
    fixed(4, 3550, 3555, &[n(6)]),
    fixed(4, 3560, 3565, &[n(6)]),
    fixed(4, 3570, 3575, &[n(6)]),
    fixed(4, 3600, 3605, &[n(6)]),
    fixed(4, 3610, 3615, &[n(6)]),
    fixed(4, 3620, 3625, &[n(6)]),
    fixed(4, 3630, 3635, &[n(6)]),
    fixed(4, 3640, 3645, &[n(6)]),
    fixed(4, 3650, 3655, &[n(6)]),
    fixed(4, 3660, 3665, &[n(6)]),
    fixed(4, 3670, 3675, &[n(6)]),
    fixed(4, 3680, 3685, &[n(6)]),
    fixed(4, 3690, 3695, &[n(6)]),
    rule(2, 37, 37, &[n_to(8)]),
    rule(4, 3900, 3909, &[n_to(15)]),
    rule(4, 3910, 3919, &[CURRENCY, n_to(15)]),
    rule(4, 3920, 3929, &[n_to(15)]),
    rule(4, 3930, 3939, &[CURRENCY, n_to(15)]),
    rule(4, 3940, 3943, &[n(4)]),
    rule(4, 3950, 3955, &[n(6)]),
    rule(3, 400, 401, &[x_to(30)]),
    rule(3, 402, 402, &[n(17).check(Check::Digit)]),
    rule(3, 403, 403, &[x_to(30)]),
    fixed(3, 410, 417, &[CHECKED_13]),
    rule(3, 420, 420, &[x_to(20)]),
    rule(3, 421, 421, &[n(3), x_to(9)]),
    rule(3, 422, 422, &[n(3)]),
    rule(3, 423, 423, &[n_to(15).check(Check::Countries)]),
    rule(3, 424, 424, &[n(3)]),
    rule(3, 425, 425, &[n_to(15).check(Check::Countries)]),
    rule(3, 426, 426, &[n(3)]),
    rule(3, 427, 427, &[x_to(3)]),
    rule(4, 4300, 4301, &[ADDRESS_35]),
    rule(4, 4302, 4306, &[ADDRESS_70]),
    rule(4, 4307, 4307, &[x(2)]),
    rule(4, 4308, 4308, &[x_to(30)]),
    rule(4, 4309, 4309, &[n(10).check(Check::Latitude), n(10).check(Check::Longitude)]),
    rule(4, 4310, 4311, &[ADDRESS_35]),
    rule(4, 4312, 4316, &[ADDRESS_70]),
    rule(4, 4317, 4317, &[x(2)]),
    rule(4, 4318, 4318, &[x_to(20)]),
    rule(4, 4319, 4319, &[x_to(30)]),
    rule(4, 4320, 4320, &[ADDRESS_35]),
    rule(4, 4321, 4323, &[n(1).check(Check::YesOrNo)]),
    rule(4, 4324, 4325, &[DATE, TIME]),
    rule(4, 4326, 4326, &[DAY]),
    rule(4, 4330, 4333, &[n(6), MINUS]),
    rule(4, 7001, 7001, &[n(13)]),
    rule(4, 7002, 7002, &[x_to(30)]),
    rule(4, 7003, 7003, &[DAY, TIME]),
    rule(4, 7004, 7004, &[n_to(4)]),
    rule(4, 7005, 7005, &[x_to(12)]),
    rule(4, 7006, 7006, &[DAY]),
    rule(4, 7007, 7007, &[DAY, DAY.optional()]),
    rule(4, 7008, 7008, &[x_to(3)]),
    rule(4, 7009, 7009, &[x_to(10)]),
    rule(4, 7010, 7010, &[x_to(2)]),
    rule(4, 7011, 7011, &[DAY, TIME.optional()]),
    rule(4, 7020, 7022, &[x_to(20)]),
    rule(4, 7023, 7023, &[x_to(30)]),
    rule(4, 7030, 7039, &[n(3), x_to(27)]),
    rule(4, 7040, 7040, &[n(1), x(2), x(1).check(Check::ImporterIndex)]),
    rule(4, 7041, 7041, &[x_to(4)]),
    rule(3, 710, 717, &[x_to(20)]),
    rule(4, 7230, 7239, &[x(2), x_to(28)]),
    rule(4, 7240, 7240, &[x_to(20)]),
    rule(4, 7241, 7241, &[n(2)]),
    rule(4, 7242, 7242, &[x_to(25)]),
    rule(4, 7250, 7250, &[BIRTHDAY]),
    rule(4, 7251, 7251, &[BIRTHDAY, TIME]),
    rule(4, 7252, 7252, &[n(1).check(Check::Sex)]),
    rule(4, 7253, 7254, &[ADDRESS_40]),
    rule(4, 7255, 7255, &[x_to(10)]),
    rule(4, 7256, 7256, &[x_to(90).check(Check::PercentEscapes)]),
    rule(4, 7257, 7257, &[ADDRESS_70]),
    rule(4, 7258, 7258, &[x(3).check(Check::PositionInBirth)]),
    rule(4, 7259, 7259, &[ADDRESS_40]),
    rule(
        4,
        8001,
        8001,
        &[
            n(4).check(Check::NotZero),
            n(5).check(Check::NotZero),
            n(3).check(Check::NotZero),
            n(1).check(Check::Winding),
            n(1),
        ],
    ),
    rule(4, 8002, 8002, &[x_to(20)]),
    rule(4, 8003, 8003, &[n(1).check(Check::Zero), CHECKED_13, x_to(16).optional()]),
    rule(4, 8004, 8004, &[x_to(30)]),
    rule(4, 8005, 8005, &[n(6)]),
    rule(4, 8006, 8006, &[CHECKED_14, PIECE]),
    rule(4, 8007, 8007, &[x_to(34).check(Check::Iban)]),
    rule(
        4,
        8008,
        8008,
        &[n(8).check(Check::DayAndHour), n_to(4).check(Check::MinuteOrSecond).optional()],
    ),
    rule(4, 8009, 8009, &[x_to(50)]),
    rule(4, 8010, 8010, &[letters(Letters::Component, 1, 30)]),
    rule(4, 8011, 8011, &[n_to(12).check(Check::NoLeadingZero)]),
    rule(4, 8012, 8012, &[x_to(20)]),
    rule(4, 8013, 8014, &[x_to(25).check(Check::Pair)]),
    rule(4, 8017, 8018, &[CHECKED_18]),
    rule(4, 8019, 8019, &[n_to(10)]),
    rule(4, 8020, 8020, &[x_to(25)]),
    rule(4, 8026, 8026, &[CHECKED_14, PIECE]),
    rule(4, 8030, 8030, &[letters(Letters::Base64, 1, 90)]),
    rule(4, 8040, 8041, &[n(15)]),
    rule(4, 8042, 8042, &[n(32)]),
    rule(4, 8043, 8043, &[n(18), n_to(2).optional()]),
    rule(4, 8110, 8110, &[x_to(70)]),
    rule(4, 8111, 8111, &[n(4)]),
    rule(4, 8112, 8112, &[x_to(70)]),
    rule(4, 8200, 8200, &[x_to(70)]),
    rule(2, 90, 90, &[x_to(30)]),
    rule(2, 91, 99, &[x_to(90)]),
];

impl Rule {
    /// The length of the value where it is known beforehand.
    pub(super) fn length(&self) -> usize {
        self.parts.iter().map(|part| part.most).sum()
    }

    /// Whether the value satisfies the standard.
    pub(super) fn check(&self, ai: Ai, value: &str) -> Result<(), BarcodeError> {
        let mut rest = value;
        for part in self.parts {
            if part.optional && rest.is_empty() {
                continue;
            }
            if rest.len() < part.least {
                let missing = part.least - rest.len();
                return Err(BarcodeError::AiTooShort {
                    ai,
                    found: value.len(),
                    missing,
                });
            }
            let Some((here, after)) = rest.split_at_checked(rest.len().min(part.most)) else {
                return Err(BarcodeError::AiRule {
                    ai,
                    why: "may hold plain letters and digits only",
                });
            };
            if let Some(letter) = here.chars().find(|letter| !part.letters.hold(*letter)) {
                return Err(BarcodeError::AiCharacter { ai, letter });
            }
            part.check.run(ai, here)?;
            rest = after;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(BarcodeError::AiTooLong {
                ai,
                most: self.length(),
                found: value.len(),
            })
        }
    }
}
