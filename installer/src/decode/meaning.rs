//! What one text means, as `backroom decode` prints it.
//!
//! Owns how a text is told to be a tag or a barcode, and the names of the fields, which scripts depend on. The meaning itself
//! is in core.
//!
//! A text is, by the first that applies:
//! 1. beginning `urn:`, an EPC URI (a tag URI, a raw URI or a pure identity);
//! 2. of hexadecimal digits only (`0x` in front and blanks, hyphens or colons between groups of two or four do not matter): a tag's bits, where the first two digits are a known header and the length is that
//!    header's, also when all digits are decimal; or where it has one of the letters a to f and is long for a barcode (16
//!    digits with a known header, 24 without); or 24 zeros and more, which is a tag nobody has written on. Such a text is then
//!    read as a tag or refused, never as a barcode;
//! 3. beginning with a known header and 24 or more letters and digits of which at most two are not hexadecimal: a tag's
//!    bits with a slip, refused;
//! 4. a barcode, as the head of `backroom_core::barcode` says.
//!
//! A pure identity does not say how its tag is written. Its tag fields are those of the shortest tag that can hold it with
//! filter 0 (sgtin-96 where the serial allows, else sgtin-198), and `assumed` names what was chosen.
//!
//! The line of a refused payment card shows no more than its last four digits.

use std::collections::BTreeMap;

use backroom_core::barcode::{BarcodeError, ElementString, Gtin, GtinForm, Scanned, StoreMadeRule, StoreMadeRules, looks_like_card};
use backroom_core::epc::{Epc, EpcError, EpcId, Scheme};
use serde::Serialize;

/// Whose web addresses are shown; any other would do.
const DOMAIN: &str = "id.gs1.org";

/// How much of a line that is too long is shown.
const SHOWN_OF_LONG: usize = 100;

/// What one code means. Fields that do not apply are left out.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Decoded {
    input: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pure_identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gtin: Option<Gtin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company_prefix: Option<String>,
    /// The same as people write it, with identifiers in brackets.
    #[serde(skip_serializing_if = "Option::is_none")]
    element_string: Option<String>,
    /// The same as a web address of GS1's own domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    digital_link: Option<String>,
    /// Values by application identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    ais: Option<BTreeMap<String, String>>,
    /// The number means something only in one country, company or shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    restricted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_made: Option<StoreMadeFields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<ReceiptFields>,
    /// A code only the shop knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assumed: Option<Assumed>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct StoreMadeFields {
    item: Gtin,
    measure: &'static str,
    amount: String,
}

#[derive(Clone, Debug, Serialize)]
struct ReceiptFields {
    register: String,
    series: u32,
    number: u64,
}

/// What a pure identity leaves open and was chosen here.
#[derive(Clone, Debug, Serialize)]
struct Assumed {
    scheme: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<u8>,
}

impl Decoded {
    pub(super) fn for_people(&self) -> String {
        let mut line = String::new();
        // A code may hold bytes that would move the cursor or change colours.
        for letter in self.input.chars() {
            match letter {
                '\u{1d}' => line.push_str("<FNC1>"),
                letter if letter.is_control() => line.extend(letter.escape_default()),
                letter => line.push(letter),
            }
        }
        if let Some(why) = &self.refused {
            return format!("{line}: refused, {why}");
        }
        line.push(':');
        let parts = [
            self.scheme.map(str::to_owned),
            self.gtin.map(|gtin| format!("product {gtin}")),
            self.serial.as_ref().map(|serial| format!("serial {serial}")),
            self.store_made
                .as_ref()
                .map(|made| format!("item {}, {} {}", made.item, made.measure, made.amount)),
            self.receipt.as_ref().map(|receipt| {
                format!(
                    "register {}, series {}, number {}",
                    receipt.register, receipt.series, receipt.number
                )
            }),
            self.element_string.clone(),
            self.tag_uri.clone(),
            self.hex.clone(),
            self.assumed.as_ref().map(|_| "(shortest tag and filter 0 assumed)".to_owned()),
            self.restricted
                .map(|_| "(means something only in one country, company or shop)".to_owned()),
        ];
        for part in parts.into_iter().flatten() {
            line.push(' ');
            line.push_str(&part);
        }
        line
    }
}

fn refused(input: &str, why: impl ToString) -> Decoded {
    Decoded {
        input: input.to_owned(),
        refused: Some(why.to_string()),
        ..Decoded::default()
    }
}

pub(super) fn too_long(input: &str, most: usize) -> Decoded {
    let shown: String = input.chars().take(SHOWN_OF_LONG).collect();
    let mut shown = if looks_like_card(&shown) { without_card(&shown) } else { shown };
    shown.push('…');
    refused(&shown, format!("the line is longer than {most} bytes; no code is"))
}

pub(super) fn not_text(input: &str) -> Decoded {
    refused(input, "the line is not UTF-8 text; feed codes as text, one per line")
}

/// Reads codes by the rules given on the command line.
pub(super) struct Reader {
    rules: StoreMadeRules,
    prefix_digits: Option<u8>,
}

impl Reader {
    pub(super) fn new(rules: Vec<StoreMadeRule>, prefix_digits: Option<u8>) -> Self {
        Self {
            rules: StoreMadeRules::new(rules),
            prefix_digits,
        }
    }

    pub(super) fn decode(&self, input: &str) -> Decoded {
        let text = input.trim_matches(|letter: char| letter.is_ascii_whitespace());
        let tag = if text.get(..4).is_some_and(|front| front.eq_ignore_ascii_case("urn:")) {
            Some(from_uri(input, text))
        } else if is_tag_hex(text) {
            Some(Epc::from_hex(text).map(|epc| from_epc(input, &epc)))
        } else {
            grouped_hex(text)
                .filter(|hex| is_tag_hex(hex))
                .map(|hex| Epc::from_hex(&hex).map(|epc| from_epc(input, &epc)))
        };
        match tag {
            Some(tag) => tag.unwrap_or_else(|why| refused(input, why)),
            None => match Scanned::parse_with(text, &self.rules) {
                Ok(scanned) => self.barcode(input, scanned),
                Err(why) if why == BarcodeError::Card || (looks_like_card(text) && !is_product_length(text)) => {
                    refused(&without_card(input), why)
                }
                Err(why) => refused(input, why),
            },
        }
    }

    fn barcode(&self, input: &str, scanned: Scanned) -> Decoded {
        let plain = Decoded {
            input: input.to_owned(),
            ..Decoded::default()
        };
        match scanned {
            Scanned::Gtin(scanned) => Decoded {
                scheme: Some(scanned.form.name()),
                gtin: Some(scanned.gtin),
                restricted: scanned
                    .gtin
                    .is_restricted()
                    .then_some(true)
                    .filter(|_| scanned.form != GtinForm::UpcE),
                ..plain
            },
            Scanned::StoreMade(made) => Decoded {
                scheme: Some("store-made"),
                gtin: Some(made.scanned),
                store_made: Some(StoreMadeFields {
                    item: made.item,
                    measure: made.measure.name(),
                    amount: made.amount().map_or_else(String::new, |amount| amount.to_string()),
                }),
                ..plain
            },
            Scanned::Elements(elements) => {
                let scheme = if input.trim_start().starts_with("]C1") {
                    "gs1-128"
                } else {
                    "gs1-element-string"
                };
                self.elements(plain, scheme, &elements)
            }
            Scanned::DigitalLink(elements) => self.elements(plain, "gs1-digital-link", &elements),
            Scanned::Receipt(code) => {
                let receipt = code.receipt();
                Decoded {
                    scheme: Some("receipt"),
                    receipt: Some(ReceiptFields {
                        register: receipt.register.to_string(),
                        series: receipt.series,
                        number: receipt.number,
                    }),
                    ..plain
                }
            }
            Scanned::InStore(code) => Decoded {
                scheme: Some("in-store"),
                code: Some(code.to_string()),
                ..plain
            },
        }
    }

    fn elements(&self, plain: Decoded, scheme: &'static str, elements: &ElementString) -> Decoded {
        let tag = self.tag_of(elements);
        Decoded {
            scheme: Some(scheme),
            gtin: elements.gtin(),
            serial: elements.serial().map(str::to_owned),
            element_string: Some(elements.to_string()),
            digital_link: elements.to_digital_link(DOMAIN),
            ais: Some(by_identifier(elements)),
            company_prefix: tag.as_ref().and_then(|epc| epc.id().company_prefix().map(str::to_owned)),
            filter: tag.as_ref().and_then(Epc::filter),
            pure_identity: tag.as_ref().map(|epc| epc.id().to_string()),
            tag_uri: tag.as_ref().map(Epc::to_string),
            hex: tag.as_ref().map(Epc::to_hex),
            assumed: tag.as_ref().map(assumed),
            ..plain
        }
    }

    /// The tag that names the same thing; the length of the company prefix is not in a barcode.
    fn tag_of(&self, elements: &ElementString) -> Option<Epc> {
        let id = EpcId::from_elements(elements, usize::from(self.prefix_digits?)).ok()?;
        Epc::shortest(id, 0).ok()
    }
}

fn from_uri(input: &str, uri: &str) -> Result<Decoded, EpcError> {
    // In the first two words of a URN capitals do not matter, so whoever reads it decides.
    if !uri.get(8..).is_some_and(|rest| rest.starts_with("id:")) {
        return uri.parse().map(|epc| from_epc(input, &epc));
    }
    let epc = Epc::shortest(uri.parse()?, 0)?;
    Ok(Decoded {
        assumed: Some(assumed(&epc)),
        ..from_epc(input, &epc)
    })
}

fn by_identifier(elements: &ElementString) -> BTreeMap<String, String> {
    let pairs = elements.elements().iter();
    pairs.map(|element| (element.ai.to_string(), element.value.clone())).collect()
}

fn from_epc(input: &str, epc: &Epc) -> Decoded {
    let label = epc.id().elements();
    Decoded {
        input: input.to_owned(),
        scheme: Some(epc.scheme().name()),
        tag_uri: Some(epc.to_string()),
        pure_identity: Some(epc.id().to_string()),
        hex: Some(epc.to_hex()),
        gtin: epc.gtin(),
        serial: epc.serial().map(str::to_owned),
        filter: epc.filter(),
        company_prefix: epc.id().company_prefix().map(str::to_owned),
        element_string: label.as_ref().map(ToString::to_string),
        digital_link: label.as_ref().and_then(|label| label.to_digital_link(DOMAIN)),
        ais: label.as_ref().map(by_identifier),
        ..Decoded::default()
    }
}

fn assumed(epc: &Epc) -> Assumed {
    Assumed {
        scheme: epc.scheme().name(),
        filter: epc.filter(),
    }
}

/// Whether the text is meant as the bits of a tag; see the head of this file.
fn is_tag_hex(text: &str) -> bool {
    let header = text
        .get(..2)
        .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        .and_then(Scheme::from_header);
    let slips = text.bytes().filter(|letter| !letter.is_ascii_hexdigit()).count();
    if slips > 0 {
        let letters_and_digits = text.bytes().all(|letter| letter.is_ascii_alphanumeric());
        return header.is_some() && slips <= 2 && text.len() >= 24 && letters_and_digits;
    }
    let right_length = header
        .and_then(Scheme::bits)
        .is_some_and(|bits| (bits.div_ceil(4)..=bits.next_multiple_of(16) / 4).contains(&text.len()));
    let letters = text.bytes().any(|letter| letter.is_ascii_alphabetic());
    let blank = text.len() >= 24 && text.bytes().all(|digit| digit == b'0');
    right_length || blank || (letters && text.len() >= if header.is_some() { 16 } else { 24 })
}

/// Hexadecimal digits as some readers print them: `0x` in front, or in groups of two or four. `None` for all other texts.
fn grouped_hex(text: &str) -> Option<String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let mut groups = digits.split([' ', '-', ':']);
    let alone = groups.clone().nth(1).is_none();
    let hex = |group: &str| group.bytes().all(|digit| digit.is_ascii_hexdigit());
    let grouped = groups.all(|group| hex(group) && (alone || matches!(group.len(), 2 | 4)));
    (grouped && (!alone || digits.len() < text.len())).then(|| digits.replace([' ', '-', ':'], ""))
}

/// The text with stars for what must not be shown: of a card number all but the last four digits, of a stripe everything.
fn without_card(text: &str) -> String {
    let stripe = text.contains(['%', ';']);
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let mut seen = 0;
    text.chars()
        .map(|letter| {
            seen += usize::from(letter.is_ascii_digit());
            let hidden = if stripe {
                letter.is_alphanumeric()
            } else {
                letter.is_ascii_digit() && seen + 4 <= digits
            };
            if hidden { '*' } else { letter }
        })
        .collect()
}

/// A product number with a slip in it is shown as it was keyed; cards of that length are no longer issued.
fn is_product_length(text: &str) -> bool {
    matches!(text.len(), 8 | 12 | 13 | 14) && text.bytes().all(|byte| byte.is_ascii_digit())
}
