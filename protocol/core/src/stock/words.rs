//! The words stock is spoken of in: serials, lots, tags, cartons, reasons, places. Each is a type that exists only when it is right.
//!
//! Names things, decides nothing. What a serial may do is in `units`, which carton belongs to which order in `purchase`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::barcode::check_digit;
use crate::catalog::Sku;
use crate::epc::EpcId;
use crate::money::Quantity;

/// Why a text is not one of these words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    #[error("{text:?} is not {what}; use 1 to {longest} printable characters without a space at either end")]
    Text { text: String, what: &'static str, longest: usize },
    #[error("{text:?} is not the name of a reason; use 1 to 32 of a-z, 0-9 and '_', beginning with a letter")]
    Reason { text: String },
    #[error("{text:?} is not the number of a carton: eighteen digits, of which the last checks the others; scan the label again")]
    Sscc { text: String },
    #[error("{text:?} is not the name of a tag: {why}")]
    Epc { text: String, why: String },
}

fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

fn is_plain(text: &str, longest: usize) -> bool {
    let length = text.chars().count();
    (1..=longest).contains(&length) && text.trim() == text && !text.chars().any(char::is_control)
}

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = WordError;
            fn from_str(text: &str) -> Result<Self, WordError> {
                let check: fn(&str) -> Result<Box<str>, WordError> = $check;
                check(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = WordError;
            fn try_from(text: String) -> Result<Self, WordError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> String {
                word.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

fn plain(text: &str, what: &'static str, longest: usize) -> Result<Box<str>, WordError> {
    if is_plain(text, longest) {
        Ok(text.into())
    } else {
        Err(WordError::Text {
            text: shown(text),
            what,
            longest,
        })
    }
}

word!(/** The maker's number of one piece; only together with the item it names one. */ Serial, |text| plain(text, "a serial number", 40));
word!(/** What was made together; only together with the item it names one. */ LotNo, |text| plain(text, "a lot number", 40));
word!(/** The number of an order to a supplier. */ OrderNo, |text| plain(text, "an order number", 40));
word!(/** A supplier, by the number the company gave it. */ SupplierCode, |text| plain(text, "a supplier's number", 40));
word!(/** A shelf, a zone, a back room: where somebody counts. */ Place, |text| plain(text, "the name of a place", 40));
word!(/** Why a person put the books right: one of the shop's own list, never free text. */ ReasonCode, reason);
word!(/** The number on a carton: eighteen digits with a check digit. */ Sscc, sscc);
word!(/** The name a tag carries, as a URI: `urn:epc:id:...`. */ EpcName, epc);

fn reason(text: &str) -> Result<Box<str>, WordError> {
    let clean = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if clean && (1..=32).contains(&text.len()) && text.starts_with(|first: char| first.is_ascii_lowercase()) {
        Ok(text.into())
    } else {
        Err(WordError::Reason { text: shown(text) })
    }
}

fn sscc(text: &str) -> Result<Box<str>, WordError> {
    let digits: Option<Vec<u8>> = text.bytes().map(|b| b.is_ascii_digit().then_some(b & 0x0f)).collect();
    let right = digits.filter(|digits| digits.len() == 18 && digits.split_last().is_some_and(|(last, rest)| check_digit(rest) == *last));
    match right {
        Some(_) => Ok(text.into()),
        None => Err(WordError::Sscc { text: shown(text) }),
    }
}

fn epc(text: &str) -> Result<Box<str>, WordError> {
    match text.parse::<EpcId>() {
        Ok(id) => Ok(id.to_string().into()),
        Err(error) => Err(WordError::Epc {
            text: shown(text),
            why: error.to_string(),
        }),
    }
}

/// So much of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portion {
    pub sku: Sku,
    pub quantity: Quantity,
}

/// Which ones of an item: one piece by serial or tag, or so much of a lot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Serial(Serial),
    Epc(EpcName),
    Lot(LotPart),
}

/// So much of one lot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LotPart {
    pub lot: LotNo,
    pub quantity: Quantity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_before: Option<Date>,
}

impl Unit {
    /// How much of the item this is, never negative for one that makes sense.
    pub fn quantity(&self) -> Quantity {
        match self {
            Unit::Serial(_) | Unit::Epc(_) => Quantity::ONE,
            Unit::Lot(part) => part.quantity,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unit::Serial(serial) => write!(f, "serial {serial}"),
            Unit::Epc(epc) => write!(f, "tag {epc}"),
            Unit::Lot(part) => write!(f, "lot {}", part.lot),
        }
    }
}

/// For fuzzers: any text is one of these words or refused by name, and a word reads back as itself.
pub(super) fn fuzz_one(bytes: &[u8]) {
    fn same<T: FromStr + fmt::Display + PartialEq + fmt::Debug>(text: &str) {
        if let Ok(word) = text.parse::<T>() {
            assert_eq!(word.to_string().parse::<T>().ok(), Some(word));
        }
    }
    let text = String::from_utf8_lossy(bytes);
    same::<Serial>(&text);
    same::<LotNo>(&text);
    same::<OrderNo>(&text);
    same::<SupplierCode>(&text);
    same::<Place>(&text);
    same::<ReasonCode>(&text);
    same::<Sscc>(&text);
    same::<EpcName>(&text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_carton_number_needs_its_check_digit() {
        assert!("106141412345678908".parse::<Sscc>().is_ok());
        for wrong in ["106141412345678907", "10614141234567890", "10614141234567890x", ""] {
            assert!(wrong.parse::<Sscc>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reason_is_a_word_of_the_shops_list_and_never_a_sentence() {
        assert!("taken_as_sample".parse::<ReasonCode>().is_ok());
        assert!("Mrs Miller dropped it".parse::<ReasonCode>().is_err());
        assert!("7up".parse::<ReasonCode>().is_err());
    }

    #[test]
    fn a_tag_is_a_name_and_not_any_text() {
        assert!("urn:epc:id:sgtin:0614141.812345.6789".parse::<EpcName>().is_ok());
        assert!("urn:epc:id:sgtin:0614141".parse::<EpcName>().is_err());
    }

    #[test]
    fn units_have_a_json_of_their_own() {
        let part = LotPart {
            lot: "L7".parse().unwrap(),
            quantity: Quantity(2000),
            best_before: Some(jiff::civil::date(2026, 12, 1)),
        };
        let units = vec![Unit::Serial("A1".parse().unwrap()), Unit::Lot(part)];
        let text = serde_json::to_string(&units).unwrap();
        assert_eq!(
            text,
            r#"[{"serial":"A1"},{"lot":{"lot":"L7","quantity":2000,"best_before":"2026-12-01"}}]"#
        );
        assert_eq!(serde_json::from_str::<Vec<Unit>>(&text).unwrap(), units);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_word_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            fuzz_one(&bytes);
        }

        #[test]
        fn any_short_text_is_a_word_or_refused(text in "[ -~]{0,45}") {
            fuzz_one(text.as_bytes());
        }
    }
}
