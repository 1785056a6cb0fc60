//! Recognises what a payment card says, so that it never enters: stripe tracks and card numbers.
//!
//! Asked only for texts that are no product, so that a GTIN which happens to look like a card stays goods.

/// Whether the text holds a stripe's track, or a number of 13 to 19 digits with an issuer's range and a right check digit.
#[must_use]
pub fn looks_like_card(text: &str) -> bool {
    holds_track(text) || holds_card_number(text)
}

/// Track 1 begins `%B` and a number; track 2 is `;`, a number and `=`.
pub(super) fn holds_track(text: &str) -> bool {
    let digits_after = |rest: &str| rest.bytes().take_while(u8::is_ascii_digit).count();
    let track_1 = text.match_indices("%B").chain(text.match_indices("%b")).any(|(at, mark)| {
        let digits = digits_after(text.get(at + mark.len()..).unwrap_or_default());
        if at == 0 { digits > 0 } else { digits >= 12 }
    });
    let track_2 = text.match_indices(';').any(|(at, mark)| {
        let rest = text.get(at + mark.len()..).unwrap_or_default();
        let digits = digits_after(rest);
        digits > 0 && matches!(rest.as_bytes().get(digits), Some(b'=' | b'D')) && (at == 0 || digits >= 12)
    });
    track_1 || track_2
}

/// Digits may stand in groups with blanks or hyphens between.
fn holds_card_number(text: &str) -> bool {
    let mut digits: Vec<u8> = Vec::new();
    let mut last_was_gap = false;
    for letter in text.bytes().chain([b'.']) {
        match letter {
            b'0'..=b'9' => {
                digits.push(letter & 0x0f);
                last_was_gap = false;
            }
            b' ' | b'-' if !last_was_gap && !digits.is_empty() => last_was_gap = true,
            _ => {
                if is_card_number(&digits) {
                    return true;
                }
                digits.clear();
                last_was_gap = false;
            }
        }
    }
    false
}

fn is_card_number(digits: &[u8]) -> bool {
    (13..=19).contains(&digits.len()) && is_issuer(digits) && luhn(digits)
}

/// The ranges and lengths of the large card schemes.
fn is_issuer(digits: &[u8]) -> bool {
    let front = |count: usize| digits.iter().take(count).fold(0_u32, |sum, digit| sum * 10 + u32::from(*digit));
    let length = digits.len();
    match front(1) {
        4 => matches!(length, 13 | 16 | 19),
        2 => (2221..=2720).contains(&front(4)) && length == 16,
        3 => match front(2) {
            34 | 37 => length == 15,
            30 => (300..=305).contains(&front(3)) && (14..=19).contains(&length),
            36 | 38 | 39 => (14..=19).contains(&length),
            35 => (3528..=3589).contains(&front(4)) && (16..=19).contains(&length),
            _ => false,
        },
        5 => (50..=58).contains(&front(2)),
        6 => true,
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_and_card_numbers_are_recognised() {
        for text in [
            "%B4242424242424242^DOE/JANE^29121010000000000?",
            ";4242424242424242=29121010000000000?",
            "4242424242424242",
            "4242 4242 4242 4242",
            "3782-822463-10005",
            "no. 5555555555554444 please",
            "2223003122003222",
            "%B1",
            ";1=",
        ] {
            assert!(looks_like_card(text), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for text in [
            "4242424242424241",
            "1234567890123456",
            "ABC-123",
            "a;b=c",
            "100%BIO",
            "R-r1-2-17-38",
            "157035381410375177",
            "00112233445566778899",
        ] {
            assert!(!looks_like_card(text), "{text}");
        }
    }
}
