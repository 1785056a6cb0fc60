//! GS1 Digital Link: an element string as a web address, `https://example.com/01/09506000134352/10/ABC?17=261231`.
//!
//! Any domain will do and nothing is fetched. A product number may be written with 8, 12, 13 or 14 digits. Compressed
//! links are not read. Words for identifiers (`/gtin/...`), which the standard has withdrawn, are still understood.

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
    let (_, path) = place.split_once('/').ok_or(BarcodeError::NotADigitalLink)?;
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let mut elements = path_elements(&segments)?;
    for pair in query.split(['&', ';']) {
        let Some((name, value)) = pair.split_once('=') else { continue };
        // Words belong to the shop behind the address, not to the label.
        if name.is_empty() || !name.bytes().all(|digit| digit.is_ascii_digit()) {
            continue;
        }
        elements.push(element(name, value)?);
    }
    ElementString::from_elements(elements)
}

/// The key is the first segment from which on everything reads as pairs of identifier and value.
fn path_elements(segments: &[&str]) -> Result<Vec<Element>, BarcodeError> {
    let mut why = BarcodeError::NotADigitalLink;
    for (at, name) in segments.iter().enumerate() {
        let Some(qualifiers) = known(name).and_then(Ai::link_qualifiers) else {
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
    let Some(ai) = known(name) else {
        return Err(BarcodeError::UnknownAi { text: beginning(name) });
    };
    let Some((ai, rule)) = Ai::exactly(&ai.to_string()) else {
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

fn known(name: &str) -> Option<Ai> {
    let digits = match name {
        "gtin" => "01",
        "itip" => "8006",
        "cpid" => "8010",
        "gmn" => "8013",
        "gln" => "414",
        "payTo" => "415",
        "glnProd" => "416",
        "party" => "417",
        "gsrnp" => "8017",
        "gsrn" => "8018",
        "gcn" => "255",
        "sscc" => "00",
        "gdti" => "253",
        "ginc" => "401",
        "gsin" => "402",
        "grai" => "8003",
        "giai" => "8004",
        "cpv" => "22",
        "lot" => "10",
        "ser" => "21",
        "cpsn" => "8011",
        "glnx" => "254",
        "refno" => "8020",
        "srin" => "8019",
        digits => digits,
    };
    Ai::exactly(digits).map(|(ai, _)| ai)
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
