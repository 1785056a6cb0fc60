//! What stands on a gift card: sixteen digits with two check digits, and the PIN under the scratch field.
//!
//! Sixteen digits that begin with 9, which no bank card does, and never right by the check a bank card has: so the wall that keeps card
//! numbers out of the shop never takes one for a bank card, and nobody types one where the other belongs. Neither number nor PIN is
//! ever in a fact: facts hold a keyed hash and the last four digits. Whoever holds the key and the table can try all numbers, so the key
//! lives apart from both. Makes no numbers by itself: the serial is handed in, and should be random, so that nobody can guess the next card's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::AccountId;
use crate::journal::Hash;

/// Why this is no gift card's number or PIN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    #[error("a gift card's number has 16 digits and begins with 9; type it again")]
    NotAGiftCard,
    #[error("the gift card's number is mistyped; type it again")]
    CheckDigits,
    #[error("a PIN has 4 to 8 digits; type it again")]
    NotAPin,
    #[error("no card is made from this serial number; draw another")]
    Serial,
}

const SERIALS: u64 = 10_u64.pow(13);
const FIRST: u64 = 9 * 10_u64.pow(15);

/// A gift card's printed number whose check digits are right. Never serialised, and masked when shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CardNumber(u64);

impl CardNumber {
    /// The number of a serial below 10^13. One serial in ten makes none, because it would pass a bank card's check.
    pub fn from_serial(serial: u64) -> Result<CardNumber, CardError> {
        if serial >= SERIALS {
            return Err(CardError::Serial);
        }
        let body = FIRST + serial * 100;
        let number = CardNumber(body + 98 - body % 97);
        if number.passes_as_bank_card() {
            Err(CardError::Serial)
        } else {
            Ok(number)
        }
    }

    /// For the printer of the card and nobody else.
    pub fn to_print(&self) -> String {
        let digits = format!("{:016}", self.0);
        format!("{} {} {} {}", &digits[..4], &digits[4..8], &digits[8..12], &digits[12..])
    }

    pub fn last_four(&self) -> LastFour {
        LastFour(u16::try_from(self.0 % 10_000).unwrap_or_default())
    }

    fn passes_as_bank_card(&self) -> bool {
        let mut rest = self.0;
        let mut sum = 0;
        let mut doubled = false;
        while rest > 0 {
            let digit = (rest % 10) << u32::from(doubled);
            sum += digit / 10 + digit % 10;
            doubled = !doubled;
            rest /= 10;
        }
        sum.is_multiple_of(10)
    }
}

impl FromStr for CardNumber {
    type Err = CardError;

    /// As typed or scanned: blanks and hyphens between the digits do no harm.
    fn from_str(text: &str) -> Result<CardNumber, CardError> {
        if text.len() > 40 {
            return Err(CardError::NotAGiftCard);
        }
        let digits: String = text.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
        let shaped = digits.len() == 16 && digits.starts_with('9') && digits.bytes().all(|digit| digit.is_ascii_digit());
        let number = digits
            .parse()
            .ok()
            .filter(|_| shaped)
            .map(CardNumber)
            .ok_or(CardError::NotAGiftCard)?;
        if number.0 % 97 != 1 || number.0 % 100 < 2 || number.passes_as_bank_card() {
            return Err(CardError::CheckDigits);
        }
        Ok(number)
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardNumber(************{})", self.last_four())
    }
}

/// For fuzzers: any bytes are a number or refused, never a panic; a number reads back from its print.
pub fn fuzz_one(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(number) = text.parse::<CardNumber>() {
        assert_eq!(number.to_print().parse(), Ok(number));
        assert!(!crate::barcode::looks_like_card(&number.to_print()));
    }
    let _ = text.parse::<Pin>();
}

/// For the screen and the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LastFour(u16);

impl fmt::Display for LastFour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

impl FromStr for LastFour {
    type Err = CardError;
    fn from_str(text: &str) -> Result<LastFour, CardError> {
        let digits = text.len() == 4 && text.bytes().all(|digit| digit.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        number.map(LastFour).ok_or(CardError::NotAGiftCard)
    }
}

impl TryFrom<String> for LastFour {
    type Error = CardError;
    fn try_from(text: String) -> Result<LastFour, CardError> {
        text.parse()
    }
}

impl From<LastFour> for String {
    fn from(last_four: LastFour) -> String {
        last_four.to_string()
    }
}

/// What facts hold of a card's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardMark {
    /// Of the number, under the company's key.
    #[serde(rename = "card_hash")]
    pub hash: Hash,
    pub last_four: LastFour,
}

/// A PIN as typed. Never serialised, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(String);

impl FromStr for Pin {
    type Err = CardError;
    fn from_str(text: &str) -> Result<Pin, CardError> {
        let digits = (4..=8).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
        if digits {
            Ok(Pin(text.to_owned()))
        } else {
            Err(CardError::NotAPin)
        }
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(****)")
    }
}

/// What is kept of a PIN, in a table beside the accounts and never in a fact. Wrong tries are counted by whoever asks.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PinSeal(Hash);

impl fmt::Debug for PinSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinSeal(****)")
    }
}

/// The company's key for numbers and PINs; handed in by whoever may hold it.
#[derive(Clone)]
pub struct CardKey([u8; 32]);

impl CardKey {
    pub const fn new(key: [u8; 32]) -> CardKey {
        CardKey(key)
    }

    pub fn mark(&self, number: CardNumber) -> CardMark {
        CardMark {
            hash: self.keyed(&[b"gift card number", &number.0.to_be_bytes()]),
            last_four: number.last_four(),
        }
    }

    /// Sealed to its account, so that equal PINs look different.
    pub fn seal(&self, account: AccountId, pin: &Pin) -> PinSeal {
        PinSeal(self.keyed(&[b"gift card pin", &account.to_bytes(), pin.0.as_bytes()]))
    }

    /// Takes the same time whether the first or the last byte differs.
    pub fn is_pin(&self, account: AccountId, pin: &Pin, seal: &PinSeal) -> bool {
        let typed = self.seal(account, pin);
        let differing = typed
            .0
            .0
            .iter()
            .zip(seal.0.0)
            .fold(0, |all, (typed, sealed)| all | (typed ^ sealed));
        differing == 0
    }

    /// HMAC (RFC 2104) over SHA-256; each part with its length before it.
    fn keyed(&self, parts: &[&[u8]]) -> Hash {
        let pad = |with: u8| {
            let mut block = [with; 64];
            block.iter_mut().zip(self.0).for_each(|(byte, key)| *byte ^= key);
            block
        };
        let mut inner = Sha256::new();
        inner.update(pad(0x36));
        for part in parts {
            inner.update((part.len() as u64).to_be_bytes());
            inner.update(part);
        }
        let mut outer = Sha256::new();
        outer.update(pad(0x5c));
        outer.update(inner.finalize());
        Hash(outer.finalize().into())
    }
}

impl fmt::Debug for CardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardKey(****)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::barcode::looks_like_card;

    fn a_number(serial: u64) -> CardNumber {
        (serial..).find_map(|serial| CardNumber::from_serial(serial).ok()).unwrap()
    }

    #[test]
    fn a_mistyped_digit_or_two_digits_swapped_are_noticed() {
        let digits = a_number(4_711_000_815).to_print().replace(' ', "");
        for at in 0..16 {
            for digit in b'0'..=b'9' {
                let mut typed = digits.clone().into_bytes();
                if std::mem::replace(&mut typed[at], digit) != digit {
                    let typed = String::from_utf8(typed).unwrap();
                    assert!(typed.parse::<CardNumber>().is_err(), "{typed} for {digits}");
                }
            }
            let mut swapped = digits.clone().into_bytes();
            swapped.swap(at, (at + 1) % 16);
            let swapped = String::from_utf8(swapped).unwrap();
            assert!(
                swapped == digits || swapped.parse::<CardNumber>().is_err(),
                "{swapped} for {digits}"
            );
        }
    }

    #[test]
    fn neither_number_nor_pin_shows_in_a_log() {
        let number = a_number(1_234_567_890_123);
        let shown = format!("{number:?} {:?} {:?}", "12345".parse::<Pin>().unwrap(), CardKey::new([7; 32]));
        assert_eq!(
            shown,
            format!("CardNumber(************{}) Pin(****) CardKey(****)", number.last_four())
        );
    }

    #[test]
    fn a_pin_is_right_for_its_own_card_under_its_own_key() {
        let (mine, other) = (AccountId(uuid::Uuid::from_u128(1)), AccountId(uuid::Uuid::from_u128(2)));
        let key = CardKey::new([1; 32]);
        let pin: Pin = "0420".parse().unwrap();
        let seal = key.seal(mine, &pin);
        assert!(key.is_pin(mine, &pin, &seal));
        assert!(!key.is_pin(mine, &"0421".parse().unwrap(), &seal));
        assert!(!key.is_pin(other, &pin, &seal));
        assert!(!CardKey::new([2; 32]).is_pin(mine, &pin, &seal));
        for wrong in ["123", "123456789", "12a4", "", "١٢٣٤"] {
            assert!(wrong.parse::<Pin>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_keyed_hash_is_an_hmac() {
        // RFC 4231's way of padding: one part, recomputed the long way round with sha2 alone.
        let key = CardKey::new([0x0b; 32]);
        let message = [&2_u64.to_be_bytes()[..], b"hi"].concat();
        let inner = Sha256::digest([&[0x0b ^ 0x36; 32][..], &[0x36; 32], &message].concat());
        let outer = Sha256::digest([&[0x0b ^ 0x5c; 32][..], &[0x5c; 32], &inner].concat());
        assert_eq!(key.keyed(&[b"hi"]), Hash(outer.into()));
    }

    proptest! {
        #[test]
        fn the_wall_against_bank_cards_never_takes_a_gift_card_for_one(serial in 0..SERIALS) {
            if let Ok(number) = CardNumber::from_serial(serial) {
                let print = number.to_print();
                prop_assert!(!looks_like_card(&print));
                prop_assert!(!looks_like_card(&print.replace(' ', "")));
                prop_assert!(!looks_like_card(&print.replace(' ', "-")));
                prop_assert!(!number.passes_as_bank_card());
                prop_assert_eq!(print.parse(), Ok(number));
                let key = CardKey::new([3; 32]);
                prop_assert_eq!(key.mark(number).last_four, number.last_four());
            } else {
                prop_assert!(CardNumber::from_serial(serial) == Err(CardError::Serial));
            }
        }

        #[test]
        fn different_numbers_have_different_hashes(one in 0..SERIALS, other in 0..SERIALS) {
            let key = CardKey::new([9; 32]);
            if let (Ok(one), Ok(other)) = (CardNumber::from_serial(one), CardNumber::from_serial(other)) {
                prop_assert_eq!(one == other, key.mark(one).hash == key.mark(other).hash);
            }
        }

        #[test]
        fn any_text_is_a_number_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            fuzz_one(&bytes);
        }

        #[test]
        fn anything_like_a_number_is_a_number_or_refused(text in "9[0-9 -]{10,25}") {
            fuzz_one(text.as_bytes());
        }
    }
}
