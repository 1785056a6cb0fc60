//! GS1 Digital Link: an element string as a web address, `https://example.com/01/09506000134352/10/ABC?17=261231`.
//!
//! Any domain will do and nothing is fetched. A product number may be written with 8, 12, 13 or 14 digits. Compressed
//! links and words for identifiers (`/gtin/...`), which the standard has withdrawn, are not read. A batch in the query,
//! where the standard wants it in the path, is understood.

use crate::barcode::ai::Ai;
use crate::barcode::elements::{Element, ElementString, beginning};
use crate::barcode::{BarcodeError, Gtin};

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
    let mut elements = path_elements(&segments)?;
    for pair in query.split('&') {
        let Some((name, value)) = pair.split_once('=') else { continue };
        // Words belong to the shop behind the address, not to the label.
        if name.is_empty() || !name.bytes().all(|digit| digit.is_ascii_digit()) {
            continue;
        }
        // In a query a plus sign is a blank, which no value may hold; a real one is written %2B.
        elements.push(element(name, &value.replace('+', " "))?);
    }
    ElementString::from_elements(elements)
}

/// The key is the first segment from which on everything reads as pairs of identifier and value.
fn path_elements(segments: &[&str]) -> Result<Vec<Element>, BarcodeError> {
    let mut why = BarcodeError::NotADigitalLink;
    for (at, name) in segments.iter().enumerate() {
        let Some(qualifiers) = Ai::exactly(name).and_then(|(ai, _)| ai.link_qualifiers()) else {
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
        elements.push(element(name, value)?);
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
