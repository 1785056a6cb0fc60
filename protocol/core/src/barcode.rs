//! What a scanner sends, turned into a type once: product numbers, element strings, web addresses of products, codes the
//! shop made itself, receipts.
//!
//! Owns the meaning of the text of a barcode. Does not know the catalog (whether such a product is sold), nor how the
//! scanner is attached, nor RFID (that is `epc`).
//!
//! How a text is read, in this order; the first that applies decides:
//! 1. Blanks and line ends around it are dropped. A stripe card's track is refused.
//! 2. A symbology identifier in front (`]C1`, as scanners can be told to send) says what kind of symbol it was:
//!    `]E0` `]E3` a product number (eight digits are then a UPC-E; of `]E3` the add-on is dropped), `]E4` a GTIN-8, `]C1`
//!    `]d2` `]Q3` `]e0` `]J1` an element string. All others only say that it is no GS1 symbol: digits in them are a product
//!    number where the check digit is right, else a code of the shop.
//! 3. A web address must be a Digital Link.
//! 4. A separator (FNC1, 0x1d) anywhere: an element string. A bracketed identifier in front: the same as people write it.
//!    `^` in front of an identifier: the same, with `^` for each separator, as some tools print it.
//! 5. The shape of a receipt code: a receipt, and its check digits must be right.
//! 6. 8, 12, 13 or 14 digits: a product number, and its check digit must be right.
//! 7. Digits beginning `00`, `01` or `02` and long enough for that key: an element string, which must be right. Beginning
//!    with another key that has a check digit (03, 253, 255, 402, 410 to 417, 8003, 8006, 8017, 8018): an element string where all
//!    of it is right. No other unmarked text is taken for one: many numbers would pass by chance.
//! 8. A card number is refused.
//! 9. Else it is a code of the shop, if it is printable and short.

mod ai;
mod card;
mod elements;
mod gtin;
mod link;
mod receipt_code;
mod store_made;
#[cfg(test)]
mod tests;

use std::fmt;

pub use ai::Ai;
pub use card::looks_like_card;
pub use elements::{Element, ElementString, FNC1, ShortDate};
pub use gtin::{Gtin, GtinForm, ScannedGtin, check_digit};
pub use receipt_code::ReceiptCode;
pub use store_made::{Measure, StoreMade, StoreMadeRule, StoreMadeRules};

pub(crate) use ai::{is_component_text, is_gs1_text};

/// The longest text that is read at all; a symbol holds no more than some thousand characters, a label far fewer.
const LONGEST_TEXT: usize = 2_000;

/// The longest code a shop may make for itself.
const LONGEST_IN_STORE: usize = 48;

/// What was scanned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scanned {
    /// A product number.
    Gtin(ScannedGtin),
    /// A code the shop made, with price, weight or count in it.
    StoreMade(StoreMade),
    /// A product number or another key with batch, date, weight, serial ...
    Elements(ElementString),
    /// The same as a web address.
    DigitalLink(ElementString),
    /// One of our receipts.
    Receipt(ReceiptCode),
    /// Anything else that is safe to look up.
    InStore(InStoreCode),
}

/// A code that only the shop knows: 1 to 48 printable ASCII characters which are no card's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InStoreCode(Box<str>);

impl InStoreCode {
    pub fn parse(text: &str) -> Result<Self, BarcodeError> {
        if text.is_empty() {
            return Err(BarcodeError::Empty);
        }
        if looks_like_card(text) {
            return Err(BarcodeError::Card);
        }
        if let Some((at, _)) = text.char_indices().find(|(_, letter)| !matches!(letter, ' '..='~')) {
            return Err(BarcodeError::NotPrintable { place: at + 1 });
        }
        if text.len() > LONGEST_IN_STORE {
            return Err(BarcodeError::TooLong { most: LONGEST_IN_STORE });
        }
        Ok(Self(text.into()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InStoreCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Scanned {
    /// Reads a text as the head of this file says. Codes the shop made stay plain numbers; see [`Scanned::parse_with`].
    pub fn parse(text: &str) -> Result<Self, BarcodeError> {
        let text = text.trim_matches(|letter: char| letter.is_ascii_whitespace());
        if text.is_empty() {
            return Err(BarcodeError::Empty);
        }
        if text.len() > LONGEST_TEXT {
            return Err(BarcodeError::TooLong { most: LONGEST_TEXT });
        }
        if card::holds_track(text) {
            return Err(BarcodeError::Card);
        }
        match symbology(text) {
            Some((kind, content)) => by_symbology(kind, content),
            None => by_content(text),
        }
    }

    /// Reads a text, and the price, weight or count in a product number by the shop's own rules.
    pub fn parse_with(text: &str, rules: &StoreMadeRules) -> Result<Self, BarcodeError> {
        let scanned = Self::parse(text)?;
        let Self::Gtin(ScannedGtin { gtin, .. }) = scanned else {
            return Ok(scanned);
        };
        Ok(rules.read(gtin)?.map_or(scanned, Self::StoreMade))
    }

    /// The product number to look up, where the code holds one.
    #[must_use]
    pub fn gtin(&self) -> Option<Gtin> {
        match self {
            Self::Gtin(scanned) => Some(scanned.gtin),
            Self::StoreMade(made) => Some(made.item),
            Self::Elements(elements) | Self::DigitalLink(elements) => elements.gtin(),
            Self::Receipt(_) | Self::InStore(_) => None,
        }
    }
}

/// What a symbology identifier says of the text behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symbology {
    Ean,
    EanWithAddOn,
    AddOnAlone,
    Ean8,
    Elements,
    Other,
}

/// `]`, a letter for the kind of symbol and a letter or digit for its variant (ISO/IEC 15424).
fn symbology(text: &str) -> Option<(Symbology, &str)> {
    let rest = text.strip_prefix(']')?;
    let (mark, content) = rest.split_at_checked(2)?;
    if !mark.bytes().next()?.is_ascii_alphabetic() || !mark.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
        return None;
    }
    let kind = match mark {
        "E0" => Symbology::Ean,
        "E1" | "E2" => Symbology::AddOnAlone,
        "E3" => Symbology::EanWithAddOn,
        "E4" => Symbology::Ean8,
        "C1" | "d2" | "Q3" | "e0" | "J1" => Symbology::Elements,
        _ => Symbology::Other,
    };
    Some((kind, content))
}

fn by_symbology(kind: Symbology, content: &str) -> Result<Scanned, BarcodeError> {
    match kind {
        Symbology::Ean if content.len() == 8 => Gtin::parse_upc_e(content).map(|gtin| {
            Scanned::Gtin(ScannedGtin {
                gtin,
                form: GtinForm::UpcE,
            })
        }),
        Symbology::Ean => ScannedGtin::parse(content).map(Scanned::Gtin),
        Symbology::EanWithAddOn => ScannedGtin::parse(content.get(..13).unwrap_or(content)).map(Scanned::Gtin),
        Symbology::AddOnAlone => Err(BarcodeError::AddOnAlone),
        Symbology::Ean8 => ScannedGtin::parse_gtin8(content).map(Scanned::Gtin),
        Symbology::Elements => ElementString::parse(content).map(Scanned::Elements),
        Symbology::Other => marked_by_content(content).unwrap_or_else(|| {
            let number = ScannedGtin::parse(content).map(Scanned::Gtin);
            number.or_else(|_| InStoreCode::parse(content).map(Scanned::InStore))
        }),
    }
}

/// Texts that say themselves what they are.
fn marked_by_content(text: &str) -> Option<Result<Scanned, BarcodeError>> {
    if link::is_web_address(text) {
        return Some(link::parse(text).map(Scanned::DigitalLink));
    }
    if text.contains(FNC1) {
        return Some(ElementString::parse(text).map(Scanned::Elements));
    }
    let bracketed = text
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(')'))
        .map_or("", |(ai, _)| ai);
    if (1..=4).contains(&bracketed.len()) && bracketed.bytes().all(|digit| digit.is_ascii_digit()) {
        return Some(ElementString::parse_bracketed(text).map(Scanned::Elements));
    }
    if let Some(rest) = text.strip_prefix('^')
        && rest.bytes().take(2).filter(u8::is_ascii_digit).count() == 2
    {
        return Some(ElementString::parse(&rest.replace('^', "\u{1d}")).map(Scanned::Elements));
    }
    receipt_code::has_shape(text).then(|| text.parse().map(Scanned::Receipt))
}

fn by_content(text: &str) -> Result<Scanned, BarcodeError> {
    if let Some(scanned) = marked_by_content(text) {
        return scanned;
    }
    let all_digits = text.bytes().all(|digit| digit.is_ascii_digit());
    if all_digits && matches!(text.len(), 8 | 12 | 13 | 14) {
        return ScannedGtin::parse(text).map(Scanned::Gtin);
    }
    if let Some(elements) = unmarked_elements(text) {
        return elements.map(Scanned::Elements);
    }
    InStoreCode::parse(text).map(Scanned::InStore)
}

/// An element string that begins with a key whose check digit proves it.
fn unmarked_elements(text: &str) -> Option<Result<ElementString, BarcodeError>> {
    const SURE: [(&str, usize); 3] = [("00", 18), ("01", 14), ("02", 14)];
    const PERHAPS: [&str; 16] = [
        "03", "253", "255", "402", "410", "411", "412", "413", "414", "415", "416", "417", "8003", "8006", "8017", "8018",
    ];
    for (ai, length) in SURE {
        let Some(rest) = text.strip_prefix(ai) else { continue };
        let key = rest.get(..length)?;
        let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
        let right = digits(key) && gtin::check_last_digit(key.as_bytes()).is_ok();
        return (right || digits(rest)).then(|| ElementString::parse(text));
    }
    let perhaps = text.len() > 14 && PERHAPS.iter().any(|ai| text.starts_with(ai));
    perhaps.then(|| ElementString::parse(text)).filter(Result::is_ok)
}

/// Why a text is not a barcode we can use. Each says what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BarcodeError {
    #[error("nothing was scanned; scan again")]
    Empty,
    #[error("the code is longer than {most} characters; scan the product's own barcode")]
    TooLong { most: usize },
    #[error("there is an unreadable character at place {place}; scan again")]
    NotPrintable { place: usize },
    #[error("this is a payment card; use the card terminal")]
    Card,
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
    #[error("this is only the add-on beside a barcode; scan the large barcode")]
    AddOnAlone,
    #[error(
        "{text:?} begins with no known application identifier; a separator may be missing in the label, scan the product's own barcode"
    )]
    UnknownAi { text: String },
    #[error("the value of ({ai}) has {found} characters, {missing} too few; the label is incomplete, scan the product's own barcode")]
    AiTooShort { ai: Ai, found: usize, missing: usize },
    #[error(
        "the value of ({ai}) has {found} characters and may have {most}; a separator may be missing in the label, scan the product's own barcode"
    )]
    AiTooLong { ai: Ai, most: usize, found: usize },
    #[error("{letter:?} can not stand in the value of ({ai}); the label is wrong, scan the product's own barcode")]
    AiCharacter { ai: Ai, letter: char },
    #[error(
        "the check digit in the value of ({ai}) is {found} and should be {expected}; the label is wrong, scan the product's own barcode"
    )]
    AiCheckDigit { ai: Ai, expected: u8, found: u8 },
    #[error("the value of ({ai}) {why}; the label is wrong, scan the product's own barcode")]
    AiRule { ai: Ai, why: &'static str },
    #[error("({ai}) stands twice with different values; the label is wrong, scan the product's own barcode")]
    AiTwice { ai: Ai },
    #[error("write each value with its identifier in brackets before it, as in (01)09506000134352(10)ABC")]
    Brackets,
    #[error("this web address names no product; scan the product's own barcode")]
    NotADigitalLink,
    #[error("this is a compressed web address, which is not read here; scan the product's own barcode")]
    CompressedLink,
    #[error("the web address has an identifier without a value; the label is wrong, scan the product's own barcode")]
    LinkPairs,
    #[error("({ai}) can not stand at this place of the web address; the label is wrong, scan the product's own barcode")]
    LinkQualifier { ai: Ai },
    #[error("a % in the web address is not followed by two hexadecimal digits; the label is wrong, scan the product's own barcode")]
    PercentSign,
    #[error("the inner check digit is {found} and should be {expected}; weigh or price the item again")]
    InnerCheckDigit { expected: u8, found: u8 },
    #[error("{text:?} is no rule for store-made codes; write for example: 22 PPPPPPCVVVVV price 2")]
    StoreMadeRule { text: String },
    #[error("this is not a receipt code; it looks like R-register-series-number-check")]
    NotAReceipt,
    #[error("the receipt code should end in {expected:02}; scan again or key it in again")]
    ReceiptCheck { expected: u32 },
}

/// Feeds any bytes to every reader of this room, and checks that what was read can be written and read back the same.
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let rules: StoreMadeRules = StoreMadeRules::new(
        ["22 PPPPPPCVVVVV price 2!".parse(), "23 PPPPPPPPVVVV weight 3".parse()]
            .into_iter()
            .flatten()
            .collect(),
    );
    drop(text.parse::<StoreMadeRule>());
    if let Ok(gtin) = Gtin::parse(&text) {
        assert_eq!(Gtin::parse(&gtin.to_string()), Ok(gtin));
    }
    for elements in [ElementString::parse(&text), ElementString::parse_bracketed(&text)]
        .into_iter()
        .flatten()
    {
        assert_eq!(ElementString::parse(&elements.to_scanned_text()).as_ref(), Ok(&elements));
        if let Some(link) = elements.to_digital_link("example.com") {
            let Ok(Scanned::DigitalLink(read)) = Scanned::parse(&link) else {
                panic!("{link} of {elements} is no link");
            };
            assert!(
                elements
                    .elements()
                    .iter()
                    .all(|element| read.get(element.ai) == Some(&element.value)),
                "{link} of {elements} is {read}"
            );
        }
    }
    match Scanned::parse_with(&text, &rules) {
        Ok(Scanned::Elements(elements) | Scanned::DigitalLink(elements)) => {
            assert_eq!(ElementString::parse(&elements.to_scanned_text()).as_ref(), Ok(&elements));
            let dates = elements.elements().iter().filter_map(Element::date);
            assert!(dates.into_iter().all(|date| date.read_in(2026).is_some()), "{elements}");
            let _ = (elements.gtin(), elements.measure(310), elements.last_day());
        }
        Ok(Scanned::Receipt(code)) => assert_eq!(code.to_string().parse(), Ok(code)),
        Ok(Scanned::StoreMade(made)) => assert!(made.amount().is_some(), "{made:?}"),
        Ok(Scanned::Gtin(_) | Scanned::InStore(_)) | Err(_) => {}
    }
}
