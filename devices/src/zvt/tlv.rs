//! The container of newer fields (BMP 06): tag, length, value, in which only the few that are used here are looked at.
//!
//! The others are stepped over, whatever they hold; some of them hold card data.

use crate::zvt::digits;
use crate::zvt::fields::Malformed;
use crate::zvt::words::Words;

const RECEIPT_OF_REGISTER: u32 = 0x1f1f;
const ERROR_TEXT: u32 = 0x1f17;
const DISPLAY: u32 = 0x24;
const LINE: u32 = 0x07;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tlv {
    /// The last receipt number the register knows of, so that the terminal can see whether both are in step.
    pub known_receipt: Option<KnownReceipt>,
    /// The terminal's own words for an error that has no number.
    pub error_text: Option<Words>,
    /// What stands on the terminal's display, line by line.
    pub display: Vec<Words>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownReceipt {
    /// The register has seen none yet.
    NoneYet,
    Number(u16),
}

impl Tlv {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads the inside of a container.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, Malformed> {
        let mut tlv = Self::default();
        while let Some((tag, value)) = take_object(&mut bytes)? {
            match tag {
                RECEIPT_OF_REGISTER if value.is_empty() => tlv.known_receipt = Some(KnownReceipt::NoneYet),
                RECEIPT_OF_REGISTER => {
                    let number = digits::read(value).and_then(|number| u16::try_from(number).ok());
                    tlv.known_receipt = number.filter(|&number| number <= 9999).map(KnownReceipt::Number);
                }
                ERROR_TEXT => tlv.error_text = Some(Words::read(value)).filter(|words| !words.is_empty()),
                DISPLAY => {
                    let mut inside = value;
                    while let Some((tag, value)) = take_object(&mut inside)? {
                        if tag == LINE {
                            tlv.display.push(Words::read(value));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(tlv)
    }

    /// Writes the inside of a container.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.known_receipt {
            Some(KnownReceipt::NoneYet) => put(&mut bytes, &[0x1f, 0x1f], &[]),
            Some(KnownReceipt::Number(number)) => put(&mut bytes, &[0x1f, 0x1f], &digits::write::<2>(u64::from(number))),
            None => {}
        }
        if let Some(text) = &self.error_text {
            put(&mut bytes, &[0x1f, 0x17], &text.write());
        }
        if !self.display.is_empty() {
            let mut lines = Vec::new();
            for line in &self.display {
                put(&mut lines, &[0x07], &line.write());
            }
            put(&mut bytes, &[0x24], &lines);
        }
        bytes
    }
}

/// The length of a value, as one, two or three bytes.
pub fn put_length(bytes: &mut Vec<u8>, length: usize) {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=0x7f), _) => bytes.push(short),
        (Ok(short), _) => bytes.extend([0x81, short]),
        // Nothing written here comes near 64 KiB; a frame could not carry it.
        (Err(_), long) => {
            bytes.push(0x82);
            bytes.extend(long.unwrap_or(u16::MAX).to_be_bytes());
        }
    }
}

pub fn take_length(bytes: &mut &[u8]) -> Result<usize, Malformed> {
    let (length, rest) = match *bytes {
        [short @ 0..=0x7f, rest @ ..] | [0x81, short, rest @ ..] => (usize::from(*short), rest),
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return Err(Malformed::Length),
    };
    *bytes = rest;
    Ok(length)
}

fn put(bytes: &mut Vec<u8>, tag: &[u8], value: &[u8]) {
    bytes.extend(tag);
    put_length(bytes, value.len());
    bytes.extend(value);
}

fn take_object<'a>(bytes: &mut &'a [u8]) -> Result<Option<(u32, &'a [u8])>, Malformed> {
    // Zero bytes between objects are allowed as filling.
    while let [0, rest @ ..] = *bytes {
        *bytes = rest;
    }
    let Some((&first, mut rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let mut tag = u32::from(first);
    let mut more = first & 0x1f == 0x1f;
    while more {
        let Some((&next, after)) = rest.split_first() else {
            return Err(Malformed::Short);
        };
        if tag > 0xffff {
            return Err(Malformed::Tag);
        }
        (tag, rest, more) = (tag << 8 | u32::from(next), after, next & 0x80 != 0);
    }
    let length = take_length(&mut rest)?;
    let (value, rest) = rest.split_at_checked(length).ok_or(Malformed::Short)?;
    *bytes = rest;
    Ok(Some((tag, value)))
}
