//! Element strings: a product number with batch, dates, weight, serial and more in one barcode.
//!
//! Owns the three ways they are written (with FNC1 between, with brackets, as a web address, which is in `link`), and what
//! a shop asks of them. The identifiers themselves are in `ai`.

use std::fmt::{self, Write as _};

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::barcode::ai::Ai;
use crate::barcode::{BarcodeError, Gtin};

/// The separator between values as scanners send it.
pub const FNC1: char = '\u{1d}';

/// Values with their identifiers, each checked. Exists only if all of it is right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ElementString {
    elements: Vec<Element>,
}

/// One value and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Element {
    pub ai: Ai,
    pub value: String,
}

impl Element {
    pub(super) fn checked(ai: Ai, rule: &super::ai::Rule, value: &str) -> Result<Self, BarcodeError> {
        rule.check(ai, value)?;
        Ok(Self {
            ai,
            value: value.to_owned(),
        })
    }

    /// The date a value begins with.
    #[must_use]
    pub fn date(&self) -> Option<ShortDate> {
        if !self.ai.is_date() {
            return None;
        }
        let two = |at: usize| self.value.get(at..at + 2)?.parse().ok();
        Some(ShortDate {
            year: two(0)?,
            month: two(2)?,
            day: two(4)?,
        })
    }

    /// The number of a measure, amount or price, with its decimals: `3103` and `000450` are 0.450. A currency number
    /// before an amount is left out.
    #[must_use]
    pub fn decimal(&self) -> Option<Decimal> {
        let decimals = self.ai.decimals()?;
        let digits = match self.ai.family() {
            391 | 393 => self.value.get(3..)?,
            _ => &self.value,
        };
        Decimal::try_new(digits.parse().ok()?, decimals).ok()
    }
}

/// A date with a year of two digits. Which century is meant depends on the year in which it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShortDate {
    pub year: i8,
    pub month: i8,
    /// 0 stands for the last day of the month.
    pub day: i8,
}

impl ShortDate {
    /// The date meant when read in `this_year`: at most 49 years back and 50 ahead.
    #[must_use]
    pub fn read_in(self, this_year: i16) -> Option<Date> {
        let century = this_year.div_euclid(100) * 100;
        let ahead = i16::from(self.year) - this_year.rem_euclid(100);
        let year = century + i16::from(self.year);
        let year = if ahead > 50 {
            year - 100
        } else if ahead < -49 {
            year + 100
        } else {
            year
        };
        let first = Date::new(year, self.month, 1).ok()?;
        if self.day == 0 {
            Some(first.last_of_month())
        } else {
            Date::new(year, self.month, self.day).ok()
        }
    }
}

impl ElementString {
    /// Reads what a scanner sends for a GS1 symbol: values one after the other, FNC1 (0x1d) after those whose length is not
    /// known beforehand. A separator too many does no harm.
    pub fn parse(text: &str) -> Result<Self, BarcodeError> {
        let mut elements = Vec::new();
        let mut rest = text.trim_start_matches(FNC1);
        while !rest.is_empty() {
            let Some((ai, rule)) = Ai::at_front(rest) else {
                return Err(BarcodeError::UnknownAi { text: beginning(rest) });
            };
            rest = rest.get(ai.digits()..).unwrap_or_default();
            let until_separator = rest.find(FNC1).unwrap_or(rest.len());
            let end = if rule.predefined {
                until_separator.min(rule.length())
            } else {
                until_separator
            };
            let Some((value, after)) = rest.split_at_checked(end) else {
                return Err(BarcodeError::AiRule {
                    ai,
                    why: "may hold plain letters and digits only",
                });
            };
            elements.push(Element::checked(ai, rule, value)?);
            rest = after.trim_start_matches(FNC1);
        }
        Self::from_elements(elements)
    }

    /// Reads the form for people: `(01)09506000134352(10)ABC`. A value begins a new element where a known identifier
    /// stands in brackets; a bracket that belongs to the value itself may be written `\(`.
    pub fn parse_bracketed(text: &str) -> Result<Self, BarcodeError> {
        let mut elements = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let Some((ai, rule, after)) = bracketed_ai(rest) else {
                return Err(match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
                    Some((ai, _)) => BarcodeError::UnknownAi { text: beginning(ai) },
                    None => BarcodeError::Brackets,
                });
            };
            let mut value = String::new();
            let mut letters = after.char_indices();
            let mut end = after.len();
            while let Some((at, letter)) = letters.next() {
                if letter == '(' && bracketed_ai(after.get(at..).unwrap_or_default()).is_some() {
                    end = at;
                    break;
                }
                if letter == '\\' && after.get(at + 1..).is_some_and(|rest| rest.starts_with('(')) {
                    letters.next();
                    value.push('(');
                } else {
                    value.push(letter);
                }
            }
            elements.push(Element::checked(ai, rule, &value)?);
            rest = after.get(end..).unwrap_or_default();
        }
        Self::from_elements(elements)
    }

    /// Values given one by one, each with the digits of its identifier.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, BarcodeError> {
        let mut elements = Vec::new();
        for (name, value) in pairs {
            let Some((ai, rule)) = Ai::exactly(name) else {
                return Err(BarcodeError::UnknownAi { text: beginning(name) });
            };
            elements.push(Element::checked(ai, rule, value)?);
        }
        Self::from_elements(elements)
    }

    pub(super) fn from_elements(elements: Vec<Element>) -> Result<Self, BarcodeError> {
        if elements.is_empty() {
            return Err(BarcodeError::Empty);
        }
        let mut kept: Vec<Element> = Vec::with_capacity(elements.len());
        for element in elements {
            match kept.iter().find(|earlier| earlier.ai == element.ai) {
                None => kept.push(element),
                Some(earlier) if *earlier == element => {} // Said twice, but the same.
                Some(_) => return Err(BarcodeError::AiTwice { ai: element.ai }),
            }
        }
        Ok(Self { elements: kept })
    }

    #[must_use]
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    #[must_use]
    pub fn get(&self, ai: Ai) -> Option<&str> {
        self.elements
            .iter()
            .find(|element| element.ai == ai)
            .map(|element| element.value.as_str())
    }

    /// The product: its own number, else that of the set of which it is a piece. What a pallet holds (02) is not the
    /// thing that was scanned.
    #[must_use]
    pub fn gtin(&self) -> Option<Gtin> {
        let digits = self.get(Ai::GTIN).or_else(|| self.get(Ai::PIECE_OF_GOODS)?.get(..14))?;
        Gtin::parse(digits).ok()
    }

    #[must_use]
    pub fn serial(&self) -> Option<&str> {
        self.get(Ai::SERIAL)
    }

    #[must_use]
    pub fn lot(&self) -> Option<&str> {
        self.get(Ai::LOT)
    }

    /// The last day on which it may be sold or eaten, if the label says one: use by, else sell by, else best before.
    #[must_use]
    pub fn last_day(&self) -> Option<ShortDate> {
        [Ai::USE_BY, Ai::SELL_BY, Ai::BEST_BEFORE]
            .into_iter()
            .find_map(|ai| self.elements.iter().find(|element| element.ai == ai))
            .and_then(Element::date)
    }

    /// The number in one of the families whose last digit counts decimals: 310 is the net weight in kg.
    #[must_use]
    pub fn measure(&self, family: u16) -> Option<Decimal> {
        self.elements
            .iter()
            .find(|element| element.ai.decimals().is_some() && element.ai.family() == family)?
            .decimal()
    }

    /// As a web address of this domain. `None` where nothing in it can lead one.
    #[must_use]
    pub fn to_digital_link(&self, domain: &str) -> Option<String> {
        super::link::write(&self.elements, domain)
    }

    /// As a scanner would send it.
    #[must_use]
    pub fn to_scanned_text(&self) -> String {
        let mut text = String::new();
        for (at, element) in self.elements.iter().enumerate() {
            text.push_str(&element.ai.to_string());
            text.push_str(&element.value);
            let predefined = Ai::at_front(&element.ai.to_string()).is_some_and(|(_, rule)| rule.predefined);
            if at + 1 < self.elements.len() && !predefined {
                text.push(FNC1);
            }
        }
        text
    }
}

/// The form for people, with brackets. A bracket in a value that would read as an identifier is written `\(`.
impl fmt::Display for ElementString {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for element in &self.elements {
            write!(out, "({})", element.ai)?;
            for (at, letter) in element.value.char_indices() {
                if letter == '(' && bracketed_ai(element.value.get(at..).unwrap_or_default()).is_some() {
                    out.write_char('\\')?;
                }
                out.write_char(letter)?;
            }
        }
        Ok(())
    }
}

fn bracketed_ai(text: &str) -> Option<(Ai, &'static super::ai::Rule, &str)> {
    let (ai, after) = text.strip_prefix('(')?.split_once(')')?;
    let (ai, rule) = Ai::exactly(ai)?;
    Some((ai, rule, after))
}

/// The first few characters, for a refusal.
pub(super) fn beginning(text: &str) -> String {
    text.chars().take(4).collect()
}
