//! The name of a thing, apart from any tag: `urn:epc:id:...`.
//!
//! Owns which texts are names, and the GS1 key a name stands for. Knows nothing of bits and filters.

use std::{fmt, str::FromStr};

use crate::barcode::{Gtin, check_digit, is_component_text, is_gs1_text};
use crate::epc::scheme::{Kind, Part};
use crate::epc::{EpcError, LONGEST_TEXT, text};

/// The name of one thing. Exists only if every part of it fits the standard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EpcId {
    kind: Kind,
    /// The parts as plain text, not as they are written in a URI.
    fields: Vec<String>,
}

impl EpcId {
    /// A name made of its parts as plain text, in the order of the URI.
    pub fn new(kind: Kind, fields: Vec<String>) -> Result<Self, EpcError> {
        let parts = kind.parts();
        if fields.len() != parts.len() {
            return Err(EpcError::Parts {
                expected: parts.len(),
                found: fields.len(),
            });
        }
        let prefix = fields.first().map_or(0, String::len);
        for ((name, part), value) in parts.iter().zip(&fields) {
            check_part(name, *part, value, prefix)?;
        }
        Ok(Self { kind, fields })
    }

    /// The name of one piece of goods. How many digits of the GTIN are the company's prefix can not be seen from the
    /// GTIN, so the caller has to know; a UPC's prefix counts its leading zero.
    pub fn sgtin(gtin: Gtin, prefix_digits: usize, serial: &str) -> Result<Self, EpcError> {
        if !(6..=12).contains(&prefix_digits) {
            return Err(EpcError::PrefixLength { length: prefix_digits });
        }
        let digits: String = gtin.to_gtin14().iter().map(|digit| char::from(*digit)).collect();
        let (indicator, rest) = digits.split_at(1);
        let (prefix, item) = rest.split_at(prefix_digits);
        let item = item.get(..12 - prefix_digits).unwrap_or_default();
        Self::new(
            Kind::Sgtin,
            vec![prefix.to_owned(), format!("{indicator}{item}"), serial.to_owned()],
        )
    }

    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The parts as plain text, in the order of the URI.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    fn field(&self, at: usize) -> &str {
        self.fields.get(at).map_or("", String::as_str)
    }

    /// The GS1 company prefix, for the names which have one.
    #[must_use]
    pub fn company_prefix(&self) -> Option<&str> {
        self.kind
            .parts()
            .first()
            .is_some_and(|(_, part)| *part == Part::Prefix)
            .then(|| self.field(0))
    }

    /// The serial number, for the names which have one.
    #[must_use]
    pub fn serial(&self) -> Option<&str> {
        let at = self.kind.parts().iter().position(|(name, _)| *name == "serial")?;
        Some(self.field(at))
    }

    /// The product, for goods.
    #[must_use]
    pub fn gtin(&self) -> Option<Gtin> {
        let (Kind::Sgtin | Kind::Itip) = self.kind else { return None };
        Gtin::from_digits_without_check(&self.body()).ok()
    }

    /// The digits of the key without check digit: for goods and parcels the first digit of the reference leads.
    fn body(&self) -> String {
        let (prefix, reference) = (self.field(0), self.field(1));
        match self.kind {
            Kind::Sgtin | Kind::Itip | Kind::Sscc => match reference.split_at_checked(1) {
                Some((lead, rest)) => format!("{lead}{prefix}{rest}"),
                None => prefix.to_owned(),
            },
            _ => format!("{prefix}{reference}"),
        }
    }

    /// The same name as a barcode says it, for people: `(01)80614141123458(21)6789`. A GID, a DoD and an aircraft name
    /// have none.
    #[must_use]
    pub fn element_string(&self) -> Option<String> {
        let body = self.body();
        let key = format!("{body}{}", check_digit(body.as_bytes()));
        let third = self.field(2);
        Some(match self.kind {
            Kind::Sgtin => format!("(01){key}(21){third}"),
            Kind::Sscc => format!("(00){key}"),
            Kind::Sgln if third == "0" => format!("(414){key}"),
            Kind::Sgln => format!("(414){key}(254){third}"),
            Kind::Grai => format!("(8003)0{key}{third}"),
            Kind::Giai => format!("(8004){body}"),
            Kind::Gdti => format!("(253){key}{third}"),
            Kind::Gsrn => format!("(8018){key}"),
            Kind::Gsrnp => format!("(8017){key}"),
            Kind::Cpi => format!("(8010){body}(8011){third}"),
            Kind::Sgcn => format!("(255){key}{third}"),
            Kind::Itip => format!("(8006){key}{third}{}(21){}", self.field(3), self.field(4)),
            Kind::Gid | Kind::Usdod | Kind::Adi => return None,
        })
    }

    /// The parts as the end of a URI.
    pub(super) fn write_fields(&self, uri: &mut String) {
        for (at, field) in self.fields.iter().enumerate() {
            if at > 0 {
                uri.push('.');
            }
            text::escape(field, uri);
        }
    }

    /// Reads the parts from the end of a URI.
    pub(super) fn read_fields(kind: Kind, uri: &str) -> Result<Self, EpcError> {
        let parts = kind.parts();
        // The last part may itself hold full stops where it is text.
        let mut fields = Vec::with_capacity(parts.len());
        for ((name, _), field) in parts.iter().zip(uri.splitn(parts.len(), '.')) {
            fields.push(text::unescape(name, field)?);
        }
        Self::new(kind, fields)
    }
}

impl FromStr for EpcId {
    type Err = EpcError;

    fn from_str(uri: &str) -> Result<Self, EpcError> {
        if uri.len() > LONGEST_TEXT {
            return Err(EpcError::TextTooLong { most: LONGEST_TEXT });
        }
        let rest = uri.strip_prefix("urn:epc:id:").ok_or(EpcError::NotAnEpcUri)?;
        let (word, fields) = rest.split_once(':').ok_or(EpcError::NotAnEpcUri)?;
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.name() == word)
            .ok_or(EpcError::UnknownScheme)?;
        Self::read_fields(kind, fields)
    }
}

impl fmt::Display for EpcId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = String::new();
        self.write_fields(&mut fields);
        write!(out, "urn:epc:id:{}:{fields}", self.kind.name())
    }
}

fn check_part(field: &'static str, part: Part, value: &str, prefix: usize) -> Result<(), EpcError> {
    match part {
        Part::Prefix => {
            digits(field, value)?;
            if (6..=12).contains(&value.len()) {
                Ok(())
            } else {
                Err(EpcError::PrefixLength { length: value.len() })
            }
        }
        Part::Reference { total } => {
            digits(field, value)?;
            let expected = total.saturating_sub(prefix);
            if value.len() == expected {
                Ok(())
            } else {
                Err(EpcError::Length {
                    field,
                    expected,
                    found: value.len(),
                })
            }
        }
        Part::TextReference { total } => {
            letters(field, value, is_gs1_text)?;
            length(field, value, 1, total.saturating_sub(prefix))
        }
        Part::Component { total } => {
            letters(field, value, is_component_text)?;
            length(field, value, 1, total.saturating_sub(prefix))
        }
        Part::Text { max } => {
            letters(field, value, is_gs1_text)?;
            length(field, value, 1, max)
        }
        Part::Number { digits: max } => {
            digits(field, value)?;
            length(field, value, 1, max)?;
            no_leading_zero(field, value)
        }
        Part::TwoDigits => {
            digits(field, value)?;
            if value.len() == 2 {
                Ok(())
            } else {
                Err(EpcError::Length {
                    field,
                    expected: 2,
                    found: value.len(),
                })
            }
        }
        Part::Digits { max } => {
            digits(field, value)?;
            length(field, value, 1, max)
        }
        Part::Cage => {
            letters(field, value, text::is_cage_text)?;
            length(field, value, 5, 6)
        }
        Part::AircraftReference { max } => {
            letters(field, value, |letter| letter != '#' && is_component_text(letter))?;
            length(field, value, 0, max)
        }
        Part::AircraftSerial { max } => {
            let plain = value.strip_prefix('#').unwrap_or(value);
            letters(field, plain, |letter| letter != '#' && is_component_text(letter))?;
            length(field, plain, 1, max)?;
            length(field, value, 1, max)
        }
    }
}

fn digits(field: &'static str, value: &str) -> Result<(), EpcError> {
    letters(field, value, |letter| letter.is_ascii_digit())
}

fn letters(field: &'static str, value: &str, allowed: impl Fn(char) -> bool) -> Result<(), EpcError> {
    match value.chars().find(|letter| !allowed(*letter)) {
        Some(letter) => Err(EpcError::Character { field, letter }),
        None => Ok(()),
    }
}

fn length(field: &'static str, value: &str, min: usize, max: usize) -> Result<(), EpcError> {
    if value.is_empty() && min > 0 {
        Err(EpcError::EmptyPart { field })
    } else if value.len() < min {
        Err(EpcError::Length {
            field,
            expected: min,
            found: value.len(),
        })
    } else if value.len() > max {
        Err(EpcError::TooLong {
            field,
            max,
            found: value.len(),
        })
    } else {
        Ok(())
    }
}

pub(super) fn no_leading_zero(field: &'static str, value: &str) -> Result<(), EpcError> {
    if value.len() > 1 && value.starts_with('0') {
        Err(EpcError::LeadingZero { field })
    } else {
        Ok(())
    }
}
