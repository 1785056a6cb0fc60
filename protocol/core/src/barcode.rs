//! What a scanner sends, turned into a type once: product numbers, element strings, store-made codes, receipts.
//!
//! Owns the meaning of the text of a barcode. Does not know the catalog (whether such a product is sold), nor how the
//! scanner is attached, nor RFID (that is `epc`).

mod gtin;

pub use gtin::{Gtin, GtinForm, ScannedGtin, check_digit};

/// Why a text is not a barcode we can use. Each says what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BarcodeError {
    #[error("nothing was scanned; scan again")]
    Empty,
    #[error("{letter:?} at place {place} is not a digit; scan again or key in the digits")]
    NotADigit { letter: char, place: usize },
    #[error("a product number has 8, 12, 13 or 14 digits, this one {length}; scan again or key in all digits")]
    GtinLength { length: usize },
    #[error("a UPC-E has 8 digits, this one {length}; scan again")]
    UpcELength { length: usize },
    #[error("a UPC-E begins with 0 or 1, this one with {system}; scan again")]
    UpcESystem { system: char },
    #[error("the check digit is {found} and should be {expected}; scan again or key in the digits")]
    CheckDigit { expected: u8, found: u8 },
}
