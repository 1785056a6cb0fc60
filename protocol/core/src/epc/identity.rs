//! The name of a thing, apart from any tag: `urn:epc:id:...`.
//!
//! Owns which texts are names, and the GS1 key a name stands for. Knows nothing of bits and filters.

use std::{fmt, str::FromStr};

use crate::barcode::{ElementString, Gtin, check_digit, is_component_text, is_gs1_text};
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

    /// The name of the one thing that a barcode names: a key and, for the kinds that have one, its serial number. How many
    /// digits of the key are the company's prefix can not be seen from it, so the caller has to know.
    pub fn from_elements(label: &ElementString, prefix_digits: usize) -> Result<Self, EpcError> {
        if !(6..=12).contains(&prefix_digits) {
            return Err(EpcError::PrefixLength { length: prefix_digits });
        }
        let find = |wanted: &str| {
            let element = label.elements().iter().find(|element| element.ai.to_string() == wanted)?;
            Some(element.value.as_str())
        };
        let key = |ai: &str| find(ai).filter(|value| value.is_ascii());
        let part = |value: &str, from: usize, to: usize| value.get(from..to).unwrap_or_default().to_owned();
        let rest = |value: &str, from: usize| value.get(from..).unwrap_or_default().to_owned();
        let none = || EpcError::NamesNoSingleThing;
        let serial = || find("21").map(str::to_owned).ok_or_else(none);
        // Goods and parcels: the first digit belongs to the reference, the last is the check digit.
        let led = |value: &str, length: usize| {
            (
                part(value, 1, 1 + prefix_digits),
                format!("{}{}", part(value, 0, 1), part(value, 1 + prefix_digits, length - 1)),
            )
        };
        let (kind, fields) = if let Some(value) = key("00") {
            let (prefix, reference) = led(value, 18);
            (Kind::Sscc, vec![prefix, reference])
        } else if let Some(value) = key("01") {
            let (prefix, reference) = led(value, 14);
            (Kind::Sgtin, vec![prefix, reference, serial()?])
        } else if let Some(value) = key("8006") {
            let (prefix, reference) = led(value, 14);
            let (piece, total) = (part(value, 14, 16), part(value, 16, 18));
            (Kind::Itip, vec![prefix, reference, piece, total, serial()?])
        } else if let Some(value) = key("414") {
            let extension = find("254").unwrap_or("0").to_owned();
            (
                Kind::Sgln,
                vec![part(value, 0, prefix_digits), part(value, prefix_digits, 12), extension],
            )
        } else if let Some(value) = key("8003") {
            let prefix = part(value, 1, 1 + prefix_digits);
            (Kind::Grai, vec![prefix, part(value, 1 + prefix_digits, 13), rest(value, 14)])
        } else if let Some(value) = key("8004") {
            (Kind::Giai, vec![part(value, 0, prefix_digits), rest(value, prefix_digits)])
        } else if let Some((ai, value)) = ["253", "255"].into_iter().find_map(|ai| Some((ai, key(ai)?))) {
            let kind = if ai == "253" { Kind::Gdti } else { Kind::Sgcn };
            (
                kind,
                vec![part(value, 0, prefix_digits), part(value, prefix_digits, 12), rest(value, 13)],
            )
        } else if let Some((ai, value)) = ["8017", "8018"].into_iter().find_map(|ai| Some((ai, key(ai)?))) {
            let kind = if ai == "8017" { Kind::Gsrnp } else { Kind::Gsrn };
            (kind, vec![part(value, 0, prefix_digits), part(value, prefix_digits, 17)])
        } else if let Some(value) = key("8010") {
            let serial = find("8011").ok_or_else(none)?.to_owned();
            (Kind::Cpi, vec![part(value, 0, prefix_digits), rest(value, prefix_digits), serial])
        } else {
            return Err(none());
        };
        let has_serial = !matches!(kind, Kind::Grai | Kind::Gdti | Kind::Sgcn) || fields.get(2).is_some_and(|serial| !serial.is_empty());
        if has_serial { Self::new(kind, fields) } else { Err(none()) }
    }

    /// The same name as a barcode says it. A GID, a DoD and an aircraft name have none, nor has a piece that is no piece of
    /// its total.
    #[must_use]
    pub fn elements(&self) -> Option<ElementString> {
        let body = self.body();
        let check = check_digit(body.as_bytes());
        let third = self.field(2);
        let pairs: Vec<(&str, String)> = match self.kind {
            Kind::Sgtin => vec![("01", format!("{body}{check}")), ("21", third.to_owned())],
            Kind::Sscc => vec![("00", format!("{body}{check}"))],
            Kind::Sgln if third == "0" => vec![("414", format!("{body}{check}"))],
            Kind::Sgln => vec![("414", format!("{body}{check}")), ("254", third.to_owned())],
            Kind::Grai => vec![("8003", format!("0{body}{check}{third}"))],
            Kind::Giai => vec![("8004", body)],
            Kind::Gdti => vec![("253", format!("{body}{check}{third}"))],
            Kind::Gsrn => vec![("8018", format!("{body}{check}"))],
            Kind::Gsrnp => vec![("8017", format!("{body}{check}"))],
            Kind::Cpi => vec![("8010", body), ("8011", third.to_owned())],
            Kind::Sgcn => vec![("255", format!("{body}{check}{third}"))],
            Kind::Itip => vec![
                ("8006", format!("{body}{check}{third}{}", self.field(3))),
                ("21", self.field(4).to_owned()),
            ],
            Kind::Gid | Kind::Usdod | Kind::Adi => return None,
        };
        ElementString::from_pairs(pairs.iter().map(|(ai, value)| (*ai, value.as_str()))).ok()
    }

    /// The same for people: `(01)80614141123458(21)6789`.
    #[must_use]
    pub fn element_string(&self) -> Option<String> {
        self.elements().map(|label| label.to_string())
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
        let rest = text::without_urn(uri)
            .and_then(|rest| rest.strip_prefix("id:"))
            .ok_or(EpcError::NotAnEpcUri)?;
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
