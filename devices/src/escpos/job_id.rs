//! The mark of a print job: four characters which the printer says back once all before them is printed (`GS ( H`).
//!
//! Owns the characters and the bytes of asking and answering. Who counts jobs, and what a missing answer means, belongs to
//! others.

use std::fmt;

use crate::escpos::GS;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many numbers have an id of their own.
const IDS: u64 = 62 * 62 * 62 * 62;

/// First bytes of the answer; four characters and a zero follow.
pub(super) const ANSWER_HEAD: [u8; 2] = [0x37, 0x22];

/// Four printable characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId([u8; 4]);

impl JobId {
    /// Ids of one printer differ for as long as its numbers lie within 14.7 million of each other.
    pub fn from_number(number: u64) -> Self {
        let mut rest = number % IDS;
        let mut characters = [0; 4];
        for place in characters.iter_mut().rev() {
            let digit = usize::try_from(rest % 62).unwrap_or_default();
            *place = DIGITS[digit];
            rest /= 62;
        }
        Self(characters)
    }

    /// As a printer heard them: any four characters from space to tilde.
    pub fn heard(characters: [u8; 4]) -> Option<Self> {
        characters
            .iter()
            .all(|character| (b' '..=b'~').contains(character))
            .then_some(Self(characters))
    }

    /// Asks the printer to say this id once everything before it is done.
    pub fn request(self) -> Vec<u8> {
        let mut bytes = vec![GS, b'(', b'H', 6, 0, 48, 48];
        bytes.extend(self.0);
        bytes
    }

    /// What the printer says then.
    pub fn answer(self) -> Vec<u8> {
        let mut bytes = ANSWER_HEAD.to_vec();
        bytes.extend(self.0);
        bytes.push(0);
        bytes
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&character| write!(out, "{}", char::from(character)))
    }
}
