//! GS1 Digital Link: an element string as a web address, `https://example.com/01/09506000134352/10/ABC?17=261231`.
//!
//! Any domain will do and nothing is fetched. A product number may be written with 8, 12, 13 or 14 digits. The words for
//! identifiers (`/gtin/.../lot/...`), which the standard has withdrawn, still stand on packages and are read. A compressed
//! link is refused as such: what it holds needs tables that change. A batch in the query, where the standard wants it in the
//! path, is understood.

use std::fmt::Write as _;

use crate::barcode::ai::Ai;
use crate::barcode::elements::{Element, ElementString, beginning};
use crate::barcode::{BarcodeError, Gtin};

/// The withdrawn words and the identifiers they stood for.
const WORDS: [(&str, &str); 21] = [
    ("sscc", "00"),
    ("gtin", "01"),
    ("lot", "10"),
    ("exp", "17"),
    ("ser", "21"),
    ("cpv", "22"),
    ("gdti", "253"),
    ("glnx", "254"),
    ("gcn", "255"),
    ("ginc", "401"),
    ("gsin", "402"),
    ("gln", "414"),
    ("payto", "415"),
    ("grai", "8003"),
    ("giai", "8004"),
    ("itip", "8006"),
    ("cpid", "8010"),
    ("cpsn", "8011"),
    ("gsrnp", "8017"),
    ("gsrn", "8018"),
    ("refno", "8020"),
];

/// Whether the text is a web address at all.
pub(super) fn is_web_address(text: &str) -> bool {
    after_scheme(text).is_some()
}

fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    (scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")).then_some(rest)
}

/// Reads the values from path and query of a web address.
pub(super) fn parse(text: &str) -> Result<ElementString, BarcodeError> {
    let rest = after_scheme(text).ok_or(BarcodeError::NotADigitalLink)?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (domain, path) = place.split_once('/').ok_or(BarcodeError::NotADigitalLink)?;
    let is_domain = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'.' | b'_' | b'~' | b':' | b'[' | b']' | b'@');
    if domain.is_empty() || !domain.bytes().all(is_domain) {
        return Err(BarcodeError::NotADigitalLink);
    }
    let segments: Vec<&str> = path.split('/').collect();
    let mut elements = path_elements(&segments).map_err(|why| match segments.last() {
        Some(last) if why == BarcodeError::NotADigitalLink && is_compressed(last) => BarcodeError::CompressedLink,
        _ => why,
    })?;
    for pair in query.split('&') {
        let Some((name, value)) = pair.split_once('=') else { continue };
        // Other words belong to the shop behind the address, not to the label.
        let name = if name == "exp" { "17" } else { name };
        if name.is_empty() || !name.bytes().all(|digit| digit.is_ascii_digit()) {
            continue;
        }
        // In a query a plus sign is a blank, which no value may hold; a real one is written %2B.
        elements.push(element(name, &value.replace('+', " "))?);
    }
    ElementString::from_elements(elements)
}

/// The digits of an identifier that is written as a word.
fn without_word(name: &str) -> &str {
    WORDS
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(name))
        .map_or(name, |(_, digits)| digits)
}

/// Whether a last segment is what the standard's compression makes: long base64 for web addresses that begins with the
/// digits of a key, four bits each, or with one of the codes for a common row of identifiers.
fn is_compressed(segment: &str) -> bool {
    let sextet = |letter: u8| {
        Some(match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        })
    };
    let letters = segment.as_bytes();
    let (Some(first), Some(second)) = (letters.first().copied().and_then(sextet), letters.get(1).copied().and_then(sextet)) else {
        return false;
    };
    let front = first << 2 | second >> 4;
    letters.len() >= 10
        && letters.iter().all(|letter| sextet(*letter).is_some())
        && letters.iter().any(u8::is_ascii_uppercase)
        && matches!(front, 0x00 | 0x01 | 0x25 | 0x40 | 0x41 | 0x80 | 0x0a..=0x0f | 0x1a..=0x1f | 0x2a..=0x2f | 0x3a..=0x3f)
}

/// The key is the first segment from which on everything reads as pairs of identifier and value.
fn path_elements(segments: &[&str]) -> Result<Vec<Element>, BarcodeError> {
    let mut why = BarcodeError::NotADigitalLink;
    for (at, name) in segments.iter().enumerate() {
        let Some(qualifiers) = Ai::exactly(without_word(name)).and_then(|(ai, _)| ai.link_qualifiers()) else {
            continue;
        };
        let tail = segments.get(at..).unwrap_or_default();
        if !tail.len().is_multiple_of(2) {
            why = BarcodeError::LinkPairs;
            continue;
        }
        match pairs(tail, qualifiers) {
            Ok(elements) => return Ok(elements),
            Err(wrong) => why = wrong,
        }
    }
    Err(why)
}

fn pairs(segments: &[&str], qualifiers: &[&[u16]]) -> Result<Vec<Element>, BarcodeError> {
    let mut elements: Vec<Element> = Vec::with_capacity(segments.len() / 2);
    for pair in segments.chunks_exact(2) {
        let &[name, value] = pair else { continue };
        elements.push(element(without_word(name), value)?);
    }
    let after_key = elements.get(1..).unwrap_or_default();
    let mut wrong = None;
    for allowed in qualifiers {
        let mut left = allowed.iter();
        match after_key.iter().find(|element| !left.any(|number| *number == element.ai.number())) {
            None => return Ok(elements),
            Some(element) => wrong = wrong.or(Some(element.ai)),
        }
    }
    match wrong {
        Some(ai) => Err(BarcodeError::LinkQualifier { ai }),
        None => Ok(elements),
    }
}

fn element(name: &str, value: &str) -> Result<Element, BarcodeError> {
    let Some((ai, rule)) = Ai::exactly(name) else {
        return Err(BarcodeError::UnknownAi { text: beginning(name) });
    };
    if !ai.in_links() {
        return Err(BarcodeError::LinkQualifier { ai });
    }
    let mut value = percent_decoded(value)?;
    if matches!(ai, Ai::GTIN | Ai::CONTENT) && matches!(value.len(), 8 | 12 | 13) {
        // Eight digits here are a GTIN-8: a link has no UPC-E.
        value = format!("{value:0>14}");
        Gtin::parse(&value)?;
    }
    Element::checked(ai, rule, &value)
}

fn percent_decoded(text: &str) -> Result<String, BarcodeError> {
    let mut decoded = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            decoded.push(letter);
            continue;
        }
        let mut digit = || letters.next().and_then(|digit| digit.to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(BarcodeError::PercentSign);
        };
        // What is not plain ASCII is no letter of any value, and is refused there by name.
        decoded.push(char::from_u32(high << 4 | low).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    Ok(decoded)
}

/// Writes an element string as a web address: key and what qualifies it in the path, the rest in the query. `None` where
/// nothing in it can lead a link, or where something may not stand in one.
pub(super) fn write(elements: &[Element], domain: &str) -> Option<String> {
    let key = elements.iter().find(|element| element.ai.link_qualifiers().is_some())?;
    if elements.iter().any(|element| !element.ai.in_links()) {
        return None;
    }
    let find = |number: u16| elements.iter().find(|element| element.ai.number() == number);
    // Where there is a choice, the row that takes in more of what is there.
    let rows = key.ai.link_qualifiers()?;
    let row = rows
        .iter()
        .rev()
        .max_by_key(|row| row.iter().filter(|number| find(**number).is_some()).count())?;
    let mut link = format!("https://{domain}/{}/", key.ai);
    percent_encode(&key.value, &mut link);
    let qualifiers: Vec<&Element> = row.iter().filter_map(|number| find(*number)).collect();
    for element in &qualifiers {
        // Writing into a String can not fail.
        let _ = write!(link, "/{}/", element.ai);
        percent_encode(&element.value, &mut link);
    }
    let mut sign = '?';
    for element in elements {
        if element.ai == key.ai || qualifiers.iter().any(|used| used.ai == element.ai) {
            continue;
        }
        let _ = write!(link, "{sign}{}=", element.ai);
        percent_encode(&element.value, &mut link);
        sign = '&';
    }
    Some(link)
}

fn percent_encode(text: &str, link: &mut String) {
    for letter in text.bytes() {
        if letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'.' | b'_' | b'~') {
            link.push(char::from(letter));
        } else {
            let _ = write!(link, "%{letter:02X}");
        }
    }
}
