//! Words: those that terminals send, made safe to show, and ours for the numbers they send.

/// Text from a terminal: printable, on one line, and without anything that could be a card's number.
///
/// Terminals write the old PC character set (CP437); of its upper half only the letters of German words are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(String);

const UPPER_HALF: [(u8, char); 7] = [
    (0x81, 'ü'),
    (0x84, 'ä'),
    (0x8e, 'Ä'),
    (0x94, 'ö'),
    (0x99, 'Ö'),
    (0x9a, 'Ü'),
    (0xe1, 'ß'),
];

/// From so many digits in a row on, a number may be a card's. Only the last four stay, as on any receipt.
const DIGITS_OF_A_CARD: usize = 12;
const DIGITS_SHOWN: usize = 4;

impl Words {
    pub fn new(text: &str) -> Self {
        Self::from_chars(text.chars())
    }

    pub fn read(bytes: &[u8]) -> Self {
        let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        Self::from_chars(bytes[..end].iter().map(|&byte| {
            match byte {
                0x00..=0x7f => char::from(byte),
                _ => UPPER_HALF
                    .iter()
                    .find(|(upper, _)| *upper == byte)
                    .map_or('?', |(_, letter)| *letter),
            }
        }))
    }

    fn from_chars(chars: impl Iterator<Item = char>) -> Self {
        let mut chars: Vec<char> = chars
            .map(|char| match char {
                ' '..='~' => char,
                '\0'..='\u{1f}' => ' ',
                _ if byte_of(char).is_some() => char,
                _ => '?',
            })
            .collect();
        hide_card_numbers(&mut chars);
        Self(chars.into_iter().collect())
    }

    pub fn write(&self) -> Vec<u8> {
        self.0.chars().map(|char| byte_of(char).unwrap_or(b'?')).collect()
    }

    pub fn at_most(self, chars: usize) -> Self {
        match self.0.char_indices().nth(chars) {
            Some((end, _)) => Self(self.0[..end].to_owned()),
            None => self,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn byte_of(char: char) -> Option<u8> {
    if (' '..='~').contains(&char) {
        return u8::try_from(char).ok();
    }
    UPPER_HALF.iter().find(|(_, letter)| *letter == char).map(|(upper, _)| *upper)
}

fn hide_card_numbers(chars: &mut [char]) {
    let mut at = 0;
    while at < chars.len() {
        if !chars[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        // Digits, with one blank or dash between groups of them.
        let mut end = at;
        let mut places = Vec::new();
        while let Some(char) = chars.get(end) {
            let goes_on = chars.get(end + 1).is_some_and(char::is_ascii_digit);
            match char {
                char if char.is_ascii_digit() => places.push(end),
                ' ' | '-' if goes_on => {}
                _ => break,
            }
            end += 1;
        }
        if places.len() >= DIGITS_OF_A_CARD {
            for &place in &places[..places.len() - DIGITS_SHOWN] {
                chars[place] = '*';
            }
        }
        at = end;
    }
}

/// What a result code (BMP 27, 06 1E, 84 xx) means to the one at the till.
pub fn of_result(code: u8) -> &'static str {
    match code {
        0x00 => "done",
        0x64 | 0x65 => "the card could not be read; try again or take another card",
        0x66 => "the card reader had a problem; try again",
        0x67 | 0x68 | 0xd2 => "this cannot be done with this kind of card; take another one",
        0x6a | 0xb1 | 0xb2 => "the terminal's memory is full; close its day",
        0x6b => "the terminal does not know this register any more; connect again",
        0x6c => "cancelled, or nobody acted in time",
        0x6e | 0x76 => "this card is not admitted; take another one",
        0x6f | 0xc6 | 0xcb => "the terminal does not take this currency",
        0x71 => "there is not enough money on the card; take another one",
        0x72 | 0x73 => "the card's chip is faulty; take another card",
        0x77 => "the terminal cannot close its day now; try later",
        0x78 => "the card has expired; take another one",
        0x79 => "the card is not valid yet; take another one",
        0x7a => "the terminal does not know this card; take another one",
        0x7b | 0x7c | 0x7e => "the chip has to be used, the stripe will not do",
        0x7d | 0x9b | 0xa1 | 0xa3 => "the terminal did not reach the bank; try again",
        0x83 => "the terminal cannot do this",
        0x85 | 0x89 | 0xeb | 0xec | 0xed => "the terminal cannot take a PIN; have it serviced",
        0x9a => "the terminal did not understand the register; have its settings checked",
        0x9c | 0xa0 => "the terminal is busy; wait until it is done",
        0xb4 => "the payment was taken back already",
        0xb5 => "the payment cannot be taken back; give the money back as a refund",
        0xb7 => "the terminal does not take this amount",
        0xc2 => "the terminal asks for a diagnosis; start one at the terminal",
        0xc3 => "the amount is higher than the terminal allows",
        0xc5 => "the terminal does not take this way of paying",
        0xc8 | 0xc9 => "the amount is lower than the terminal allows",
        0xcc => "the terminal's printer is not ready; look at its paper",
        0xdc => "there is still a card in the terminal; take it out",
        0xdd | 0xde | 0xe2 | 0xe3 => "the card slot is blocked or faulty; look at the terminal",
        0xe0 => "the terminal is being serviced from afar; wait",
        0xe4 => "the terminal has to be activated first",
        0xf0 => "the terminal's last day is not closed; close it first",
        0xfc => "a part of the terminal is missing or faulty; have it serviced",
        _ => "declined",
    }
}

/// What an intermediate status (04 FF) means to the one at the till.
pub fn of_progress(code: u8) -> &'static str {
    // From 40 on the same is said together with "take the card out".
    match code & !0x40 {
        _ if code == 0x68 => "the card is in",
        0x00 => "confirm the amount at the terminal",
        0x01 | 0x02 => "enter the PIN",
        0x03 => "not accepted",
        0x04 => "asking the bank",
        0x05 => "the terminal takes its last payment back",
        0x06 => "the terminal catches up with older payments",
        0x07 => "this card is not admitted",
        0x08 => "the terminal does not know this card",
        0x09 => "the card has expired",
        0x0a => "insert or hold the card",
        0x0b => "take the card out",
        0x0c => "the card cannot be read",
        0x0d => "the terminal had a problem with the card",
        0x0e | 0x17 => "please wait",
        0x0f => "the terminal closes its day",
        0x10 | 0x19 => "the card is not valid",
        0x12 => "the terminal has a fault",
        0x13 => "this payment is not possible",
        0x14 | 0x16 => "there is not enough money on the card",
        0x15 => "the PIN was wrong",
        0x18 => "the PIN was wrong too often",
        0x1a => "the terminal is being serviced",
        0x1b | 0x1c => "approved",
        0x1d => "declined",
        0x28 => "choose the currency at the terminal",
        0x29 => "choose the language at the terminal",
        0x2c => "choose how to pay at the terminal",
        _ => match code {
            0xc8 => "the terminal waits for the cashier",
            0xc9 | 0xca => "the terminal checks itself",
            0xcb => "the terminal's memory is full; close its day",
            0xcc => "this card needs a PIN",
            0xd2 | 0xd3 | 0xf2 => "asking the bank",
            0xe0 => "choose how to pay at the terminal",
            0xe1 => "choose the language at the terminal",
            0xf1 | 0xf3 => "the terminal works without the bank",
            _ => "the terminal is at work",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_in_a_text_is_hidden_but_for_its_end() {
        let check = |input: &str, expected: &str| {
            assert_eq!(Words::new(input).as_str(), expected);
            assert_eq!(Words::new(expected).as_str(), expected);
        };
        check("card 0000 1111 2222 3333 ok", "card **** **** **** 3333 ok");
        check("0000-1111-2222", "****-****-2222");
        check("000011112222333344445555x", "********************5555x");
        check("terminal 12345678 receipt 0042", "terminal 12345678 receipt 0042");
        check("line\none\t", "line one ");
    }

    #[test]
    fn letters_of_german_words_survive_the_old_character_set() {
        let words = Words::new("Zahlung für größere Äpfel Ö Ü ö ä");
        assert_eq!(Words::read(&words.write()), words);
        assert_eq!(Words::read(b"girocard\0\0").as_str(), "girocard");
        assert_eq!(Words::read(&[0xff, b'a']).as_str(), "?a");
    }

    #[test]
    fn every_code_has_words() {
        for code in 0..=u8::MAX {
            assert!(!of_result(code).is_empty() && !of_progress(code).is_empty());
        }
        assert_eq!(of_progress(0x4a), of_progress(0x0a));
        assert_eq!(of_progress(0xd2), "asking the bank");
    }
}
