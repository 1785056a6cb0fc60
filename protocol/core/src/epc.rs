//! What an RFID tag says, by the GS1 Tag Data Standard 1.13: the bits on the tag, the tag's URI, and the name of the thing.
//!
//! Three forms, each a type that exists only when it is right:
//! - the bits, as hexadecimal text: `3074257bf7194e4000001a85`;
//! - [`Epc`], a tag: `urn:epc:tag:sgtin-96:3.0614141.812345.6789`, a name with the scheme and filter of its tag;
//! - [`EpcId`], the name alone: `urn:epc:id:sgtin:0614141.812345.6789`.
//!
//! Each has exactly one text for each of the others, so reading and writing are inverse; what would break this (a filter
//! above its bits, a serial with leading zeros on a 96-bit tag, a bit in the padding) is refused by name. Knows nothing of
//! readers (that is `devices/llrp`) or of what is in stock. A GTIN's company prefix is never guessed: it comes as an argument.

mod binary;
mod bits;
mod identity;
mod scheme;
#[cfg(test)]
mod tests;
mod text;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::barcode::Gtin;

pub use identity::EpcId;
pub use scheme::{Kind, Scheme};

/// The longest text that can be a tag; anything longer is refused unread.
const LONGEST_TEXT: usize = 300;

/// What one tag says: the name of a thing, and how it is written on the tag. Exists only if it can be written.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Epc {
    id: EpcId,
    scheme: Scheme,
    filter: u8,
    bytes: Vec<u8>,
}

impl Epc {
    /// Writes a name on a tag of this scheme. Filter is 0 for a GID, which has none.
    pub fn new(id: EpcId, scheme: Scheme, filter: u8) -> Result<Self, EpcError> {
        if id.kind() != scheme.kind() {
            return Err(EpcError::OtherKind {
                kind: id.kind().name(),
                scheme: scheme.name(),
            });
        }
        let bytes = binary::write(&id, scheme, filter)?;
        Ok(Self { id, scheme, filter, bytes })
    }

    /// Writes a name on the shortest tag it fits.
    pub fn shortest(id: EpcId, filter: u8) -> Result<Self, EpcError> {
        let mut why = EpcError::UnknownScheme;
        for scheme in id.kind().schemes() {
            match binary::write(&id, scheme, filter) {
                Ok(bytes) => return Ok(Self { id, scheme, filter, bytes }),
                Err(wrong) => why = wrong,
            }
        }
        Err(why)
    }

    /// Reads the bits of a tag's EPC memory, filled up with zeros to whole bytes or to words of sixteen bits.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EpcError> {
        binary::read(bytes)
    }

    /// Reads the bits as hexadecimal digits, large or small, filled up with zeros to no more than words of sixteen bits.
    pub fn from_hex(hex: &str) -> Result<Self, EpcError> {
        if hex.len() > LONGEST_TEXT {
            return Err(EpcError::TextTooLong { most: LONGEST_TEXT });
        }
        let mut bytes = Vec::with_capacity(hex.len() / 2 + 1);
        let digit = |letter: u8| char::from(letter).to_digit(16).map(|digit| digit as u8);
        for pair in hex.as_bytes().chunks(2) {
            let (high, low) = match *pair {
                [high, low] => (digit(high), digit(low)),
                [high] => (digit(high), Some(0)),
                _ => (None, None),
            };
            let (Some(high), Some(low)) = (high, low) else {
                return Err(not_hex(hex));
            };
            bytes.push(high << 4 | low);
        }
        if let Some(scheme) = bytes.first().and_then(|header| Scheme::from_header(*header))
            && let Some(bits) = scheme.bits()
            && !(bits.div_ceil(4)..=bits.next_multiple_of(16) / 4).contains(&hex.len())
        {
            return Err(EpcError::HexLength {
                scheme: scheme.name(),
                expected: bits.next_multiple_of(16) / 4,
                found: hex.len(),
            });
        }
        binary::read(&bytes)
    }

    /// The tag's bits as small hexadecimal digits, in whole words of sixteen bits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        let digit = |four: u8| char::from(if four < 10 { b'0' + four } else { b'a' + four - 10 });
        let mut hex = String::with_capacity(self.bytes.len() * 2);
        for byte in &self.bytes {
            hex.push(digit(byte >> 4));
            hex.push(digit(byte & 0x0f));
        }
        hex
    }

    /// The tag's bits, filled up with zeros to words of sixteen.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[must_use]
    pub const fn id(&self) -> &EpcId {
        &self.id
    }

    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// What is packed (piece, case, pallet); `None` for a GID.
    #[must_use]
    pub const fn filter(&self) -> Option<u8> {
        if self.scheme.filter_bits() == 0 { None } else { Some(self.filter) }
    }

    /// The product, for goods.
    #[must_use]
    pub fn gtin(&self) -> Option<Gtin> {
        self.id.gtin()
    }

    /// The serial number, for the names which have one.
    #[must_use]
    pub fn serial(&self) -> Option<&str> {
        self.id.serial()
    }
}

/// The tag URI.
impl fmt::Display for Epc {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = String::with_capacity(40);
        self.id.write_fields(&mut fields);
        match self.filter() {
            Some(filter) => write!(out, "urn:epc:tag:{}:{filter}.{fields}", self.scheme.name()),
            None => write!(out, "urn:epc:tag:{}:{fields}", self.scheme.name()),
        }
    }
}

impl fmt::Debug for Epc {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Epc({self})")
    }
}

/// Reads a tag URI, or a raw URI.
impl FromStr for Epc {
    type Err = EpcError;

    fn from_str(uri: &str) -> Result<Self, EpcError> {
        if uri.len() > LONGEST_TEXT {
            return Err(EpcError::TextTooLong { most: LONGEST_TEXT });
        }
        let rest = text::without_urn(uri).ok_or(EpcError::NotAnEpcUri)?;
        if let Some(raw) = rest.strip_prefix("raw:") {
            return read_raw(raw);
        }
        let rest = rest.strip_prefix("tag:").ok_or(EpcError::NotAnEpcUri)?;
        let (word, rest) = rest.split_once(':').ok_or(EpcError::NotAnEpcUri)?;
        let scheme = Scheme::ALL
            .into_iter()
            .find(|scheme| scheme.name() == word)
            .ok_or(EpcError::UnknownScheme)?;
        let (filter, fields) = if scheme.filter_bits() == 0 {
            (0, rest)
        } else {
            let (filter, fields) = rest.split_once('.').ok_or(EpcError::NotAnEpcUri)?;
            (filter_value(filter, scheme)?, fields)
        };
        Self::new(EpcId::read_fields(scheme.kind(), fields)?, scheme, filter)
    }
}

/// Names the first character that is no hexadecimal digit.
fn not_hex(hex: &str) -> EpcError {
    let wrong = hex.chars().enumerate().find(|(_, letter)| !letter.is_ascii_hexdigit());
    let (at, letter) = wrong.unwrap_or_default();
    EpcError::HexDigit { letter, place: at + 1 }
}

/// The bits of a tag as `96.x3074257BF7194E4000001A85`, which is how software passes on what it can not read itself.
fn read_raw(raw: &str) -> Result<Epc, EpcError> {
    let (said, hex) = raw.split_once(".x").ok_or(EpcError::NotAnEpcUri)?;
    let plain = said.bytes().all(|digit| digit.is_ascii_digit()) && !said.starts_with('0');
    let bits: usize = said.parse().ok().filter(|_| plain).ok_or(EpcError::NotAnEpcUri)?;
    if hex.len() != bits.div_ceil(4) {
        return Err(EpcError::RawLength {
            said: said.chars().take(6).collect(),
            found: hex.len(),
        });
    }
    Epc::from_hex(hex)
}

fn filter_value(text: &str, scheme: Scheme) -> Result<u8, EpcError> {
    let most = (1_u16 << scheme.filter_bits()) - 1;
    if text.is_empty() {
        return Err(EpcError::EmptyPart { field: "filter" });
    }
    if let Some(letter) = text.chars().find(|letter| !letter.is_ascii_digit()) {
        return Err(EpcError::Character { field: "filter", letter });
    }
    identity::no_leading_zero("filter", text)?;
    let value = text.parse().unwrap_or(u64::MAX);
    match u8::try_from(value) {
        Ok(filter) if u16::from(filter) <= most => Ok(filter),
        _ => Err(EpcError::Filter { found: value, most }),
    }
}

/// As the tag URI, which says everything the tag says.
impl Serialize for Epc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Epc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Why bits or a text are no tag. Each says what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EpcError {
    #[error("{letter:?} at place {place} is not a hexadecimal digit; read the tag again")]
    HexDigit { letter: char, place: usize },
    #[error("a {scheme} tag has {expected} hexadecimal digits, this one {found}; read the whole tag")]
    HexLength {
        scheme: &'static str,
        expected: usize,
        found: usize,
    },
    #[error("a {scheme} tag has {expected} bits, this one {found}; read the whole tag")]
    TagLength {
        scheme: &'static str,
        expected: usize,
        found: usize,
    },
    #[error("the tag ends before its name does; read the whole tag")]
    TooShort,
    #[error("a {scheme} tag ends earlier; read the tag again without what follows")]
    TrailingBits { scheme: &'static str },
    #[error("the tag was never programmed (header 0x00); write a number on it first")]
    Unprogrammed,
    #[error("header {header:#04x} {}", scheme::what_header_means(*header))]
    UnknownHeader { header: u8 },
    #[error("the raw tag says it has {said} bits and shows {found} hexadecimal digits; read the whole tag")]
    RawLength { said: String, found: usize },
    #[error("this barcode names a kind of thing, not one thing; it needs a serial number to be written on a tag")]
    NamesNoSingleThing,
    #[error("partition 7 is not allowed (0 to 6 are); the tag is wrongly encoded")]
    Partition,
    #[error("filter {found} is more than {most}; use a filter from 0 to {most}")]
    Filter { found: u64, most: u16 },
    #[error("a company prefix has 6 to 12 digits, not {length}; look it up in the GS1 prefix list")]
    PrefixLength { length: usize },
    #[error("the {field} needs {expected} characters here, not {found}; check it together with the company prefix")]
    Length {
        field: &'static str,
        expected: usize,
        found: usize,
    },
    #[error("the {field} may have at most {max} characters here, not {found}; shorten it or use a longer tag")]
    TooLong { field: &'static str, max: usize, found: usize },
    #[error("the {field} has more than the {digits} digits its partition allows; the tag is wrongly encoded")]
    TooManyDigits { field: &'static str, digits: usize },
    #[error("the {field} does not fit {bits} bits; use a smaller number or a longer tag")]
    TooLarge { field: &'static str, bits: usize },
    #[error("the {field} begins with a zero, which this tag can not keep; leave it out or use a longer tag")]
    LeadingZero { field: &'static str },
    #[error("the {field} lacks the 1 that stands before its digits; the tag is wrongly encoded")]
    NoLeadingOne { field: &'static str },
    #[error("the {field} is missing; complete the name")]
    EmptyPart { field: &'static str },
    #[error("{letter:?} can not stand in the {field}; correct it")]
    Character { field: &'static str, letter: char },
    #[error("{letter:?} in the {field} has to be written as % and two hexadecimal digits; write %2F for a slash")]
    NotEscaped { field: &'static str, letter: char },
    #[error("a % in the {field} is not followed by the two digits of a character that needs it; write %25 for a %")]
    Escape { field: &'static str },
    #[error("{what} should be all zeros; the tag is wrongly encoded")]
    NotZero { what: &'static str },
    #[error("not an EPC; it should begin with urn:epc:id: or urn:epc:tag: and name its scheme")]
    NotAnEpcUri,
    #[error("this EPC scheme has no tag known here; see the list in the manual of backroom decode")]
    UnknownScheme,
    #[error("the name has {found} parts separated by full stops and needs {expected}; complete it, or take out a full stop")]
    Parts { expected: usize, found: usize },
    #[error("a {kind} can not be written on a {scheme} tag; choose a scheme of its kind")]
    OtherKind { kind: &'static str, scheme: &'static str },
    #[error("the text is longer than {most} characters, which no EPC is; give one tag at a time")]
    TextTooLong { most: usize },
}

/// Feeds any bytes to every reader of this room, and checks that what was read can be written and read back the same.
pub fn fuzz_one(bytes: &[u8]) {
    if let Ok(epc) = Epc::from_bytes(bytes) {
        assert_eq!(Epc::new(epc.id.clone(), epc.scheme, epc.filter).as_ref(), Ok(&epc));
        assert_eq!(Epc::from_hex(&epc.to_hex()).as_ref(), Ok(&epc));
        assert_eq!(epc.to_string().parse().as_ref(), Ok(&epc));
        assert_eq!(epc.id().to_string().parse().as_ref(), Ok(epc.id()));
        if let (Some(label), Some(prefix)) = (epc.id().elements(), epc.id().company_prefix()) {
            assert_eq!(EpcId::from_elements(&label, prefix.len()).as_ref(), Ok(epc.id()));
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(epc) = Epc::from_hex(text) {
        assert_eq!(epc.to_string().parse().as_ref(), Ok(&epc));
    }
    if let Ok(epc) = text.parse::<Epc>() {
        assert_eq!(Epc::from_hex(&epc.to_hex()).as_ref(), Ok(&epc));
    }
    if let Ok(id) = text.parse::<EpcId>() {
        assert_eq!(id.to_string().parse().as_ref(), Ok(&id));
        if let Ok(epc) = Epc::shortest(id.clone(), 0) {
            assert_eq!(Epc::from_bytes(epc.as_bytes()).as_ref().map(Epc::id), Ok(&id));
        }
    }
}
