//! The characters a name may hold, and how they are written in a URI.
//!
//! Only some characters are escaped in an EPC URI, and only those may be: `%2F` is a slash, `%41` is a mistake. Text is
//! un-escaped once, from left to right, so that a serial which itself holds `%2F` comes back as it was.

use crate::epc::EpcError;

/// Whether it may stand in a CAGE code: no I and no O, which look like 1 and 0.
pub(super) const fn is_cage_text(letter: char) -> bool {
    letter.is_ascii_digit() || (letter.is_ascii_uppercase() && !matches!(letter, 'I' | 'O'))
}

/// What follows `urn:epc:`; capitals do not matter in these two words, only there.
pub(super) fn without_urn(uri: &str) -> Option<&str> {
    let (front, rest) = uri.split_at_checked(8)?;
    front.eq_ignore_ascii_case("urn:epc:").then_some(rest)
}

const fn is_escaped(letter: u8) -> bool {
    matches!(letter, b'"' | b'%' | b'&' | b'/' | b'<' | b'>' | b'?' | b'#')
}

pub(super) fn escape(text: &str, uri: &mut String) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for letter in text.chars() {
        match u8::try_from(letter) {
            Ok(code) if is_escaped(code) => {
                uri.push('%');
                uri.push(HEX[usize::from(code >> 4)]);
                uri.push(HEX[usize::from(code & 0x0f)]);
            }
            _ => uri.push(letter),
        }
    }
}

pub(super) fn unescape(field: &'static str, uri: &str) -> Result<String, EpcError> {
    let mut text = String::with_capacity(uri.len());
    let mut letters = uri.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            if u8::try_from(letter).is_ok_and(is_escaped) {
                return Err(EpcError::NotEscaped { field, letter });
            }
            text.push(letter);
            continue;
        }
        let mut digit = || letters.next().and_then(|digit| digit.to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(EpcError::Escape { field });
        };
        match u8::try_from(high << 4 | low) {
            Ok(code) if is_escaped(code) => text.push(char::from(code)),
            _ => return Err(EpcError::Escape { field }),
        }
    }
    Ok(text)
}
