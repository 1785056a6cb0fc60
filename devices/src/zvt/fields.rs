//! The fields of a message ("bitmaps", BMP): a number, and a value whose length follows from the number.
//!
//! [`Fields`] names all that is kept. Every other field of the published table is stepped over by its length rule, and so dropped;
//! that is how card numbers, tracks and expiry dates are dealt with. A number that is not in the table ends the reading, for nobody knows
//! where the next one begins; what was read before it counts. A kept field whose digits are no digits counts as absent.

use crate::zvt::digits;
use crate::zvt::tlv::{self, Tlv};
use crate::zvt::words::Words;

/// The longest text whose length fits in two digits, less the zero byte that ends a card's name.
pub const LONGEST_NAME: usize = 98;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// BMP 03; what its bits mean depends on the command.
    pub service: Option<u8>,
    /// BMP 04, minor units.
    pub amount: Option<u64>,
    /// BMP 0B: counts what the terminal does; six digits, then from the start again.
    pub trace: Option<u32>,
    /// BMP 0C.
    pub time: Option<Time>,
    /// BMP 0D.
    pub date: Option<Date>,
    /// BMP 27; 0 is success.
    pub result: Option<u8>,
    /// BMP 29, eight digits.
    pub terminal_id: Option<u32>,
    /// BMP 37: the trace number of the transaction that this one takes back.
    pub original_trace: Option<u32>,
    /// BMP 3C.
    pub text: Option<Words>,
    /// BMP 49, as ISO 4217 numbers them.
    pub currency: Option<u16>,
    /// BMP 87: four digits, then from the start again.
    pub receipt: Option<u16>,
    /// BMP 8A: the kind of card, such as girocard; not whose.
    pub card_type: Option<u8>,
    /// BMP 8B: the name of the kind of card.
    pub card_name: Option<Words>,
    /// BMP 06.
    pub tlv: Tlv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

/// Terminals name no year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    pub month: u8,
    pub day: u8,
}

/// Why the inside of a message cannot be read. Says nothing of what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("a field of a message ends before it should; check that a payment terminal is at this address")]
    Short,
    #[error("a field of a message has a length that is none; check that a payment terminal is at this address")]
    Length,
    #[error("a field of a message has a tag of more than three bytes; check that a payment terminal is at this address")]
    Tag,
}

/// How long a field's value is.
#[derive(Clone, Copy)]
enum Rule {
    Fixed(usize),
    /// As many digits, each the lower half of a byte, then that many bytes.
    Digits(usize),
    Container,
}

fn rule(number: u8) -> Option<Rule> {
    Some(match number {
        0x01..=0x03 | 0x05 | 0x19 | 0x27 | 0x72..=0x75 | 0x8a | 0x8c | 0xa0 | 0xd0 | 0xd2 | 0xd3 => Rule::Fixed(1),
        0xe0 | 0xe9 | 0xea | 0xf0 | 0xf9..=0xfd => Rule::Fixed(1),
        0x0d | 0x0e | 0x17 | 0x3a | 0x49 | 0x87 => Rule::Fixed(2),
        0x0b | 0x0c | 0x37 | 0x3d | 0x88 | 0xaa => Rule::Fixed(3),
        0x29 | 0x70 | 0x71 => Rule::Fixed(4),
        0xba => Rule::Fixed(5),
        0x04 => Rule::Fixed(6),
        0x3b | 0xeb => Rule::Fixed(8),
        0x2a => Rule::Fixed(15),
        0x22 | 0x23 | 0x2d | 0x8b | 0xa7 | 0xd1 | 0xe1..=0xe8 | 0xf1..=0xf8 => Rule::Digits(2),
        0x24 | 0x2e | 0x3c | 0x60 | 0x92 | 0x9a | 0xaf => Rule::Digits(3),
        0x06 => Rule::Container,
        _ => return None,
    })
}

/// Whether the published table has this number.
pub fn is_known(number: u8) -> bool {
    rule(number).is_some()
}

impl Fields {
    pub fn decode(mut bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Self::default();
        while let Some((&number, rest)) = bytes.split_first() {
            let Some(rule) = rule(number) else { break };
            bytes = rest;
            let length = match rule {
                Rule::Fixed(length) => length,
                Rule::Digits(count) => take_digits(&mut bytes, count)?,
                Rule::Container => tlv::take_length(&mut bytes)?,
            };
            let (value, rest) = bytes.split_at_checked(length).ok_or(Malformed::Short)?;
            bytes = rest;
            fields.keep(number, value)?;
        }
        Ok(fields)
    }

    fn keep(&mut self, number: u8, value: &[u8]) -> Result<(), Malformed> {
        let digits = || digits::read(value);
        let short = || digits().and_then(|number| u16::try_from(number).ok());
        let long = || digits().and_then(|number| u32::try_from(number).ok());
        let words = || Some(Words::read(value)).filter(|words| !words.is_empty());
        let byte = || value.first().copied();
        match number {
            0x03 => self.service = byte(),
            0x04 => self.amount = digits(),
            0x06 => self.tlv = Tlv::decode(value)?,
            0x0b => self.trace = long(),
            0x0c => self.time = Time::read(value),
            0x0d => self.date = Date::read(value),
            0x27 => self.result = byte(),
            0x29 => self.terminal_id = long(),
            0x37 => self.original_trace = long(),
            0x3c => self.text = words(),
            0x49 => self.currency = short(),
            0x87 => self.receipt = short(),
            0x8a => self.card_type = byte(),
            0x8b => self.card_name = words().map(|words| words.at_most(LONGEST_NAME)),
            _ => {}
        }
        Ok(())
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut put = |number: u8, value: Option<&[u8]>| {
            if let Some(value) = value {
                bytes.push(number);
                bytes.extend(value);
            }
        };
        put(0x03, self.service.map(|byte| [byte]).as_ref().map(<[u8; 1]>::as_slice));
        put(0x04, self.amount.map(digits::write::<6>).as_ref().map(<[u8; 6]>::as_slice));
        put(0x0b, three(self.trace).as_ref().map(<[u8; 3]>::as_slice));
        put(0x0c, self.time.map(Time::write).as_ref().map(<[u8; 3]>::as_slice));
        put(0x0d, self.date.map(Date::write).as_ref().map(<[u8; 2]>::as_slice));
        put(0x27, self.result.map(|byte| [byte]).as_ref().map(<[u8; 1]>::as_slice));
        let terminal = self.terminal_id.map(|id| digits::write::<4>(u64::from(id)));
        put(0x29, terminal.as_ref().map(<[u8; 4]>::as_slice));
        put(0x37, three(self.original_trace).as_ref().map(<[u8; 3]>::as_slice));
        put(0x49, two(self.currency).as_ref().map(<[u8; 2]>::as_slice));
        put(0x87, two(self.receipt).as_ref().map(<[u8; 2]>::as_slice));
        put(0x8a, self.card_type.map(|byte| [byte]).as_ref().map(<[u8; 1]>::as_slice));
        if let Some(name) = &self.card_name {
            let mut value = name.clone().at_most(LONGEST_NAME).write();
            value.push(0);
            put_digits(&mut bytes, 0x8b, 2, &value);
        }
        if let Some(text) = &self.text {
            put_digits(&mut bytes, 0x3c, 3, &text.write());
        }
        if !self.tlv.is_empty() {
            let inside = self.tlv.encode();
            bytes.push(0x06);
            tlv::put_length(&mut bytes, inside.len());
            bytes.extend(inside);
        }
        bytes
    }
}

fn two(number: Option<u16>) -> Option<[u8; 2]> {
    number.map(|number| digits::write(u64::from(number)))
}

fn three(number: Option<u32>) -> Option<[u8; 3]> {
    number.map(|number| digits::write(u64::from(number)))
}

impl Time {
    fn read(value: &[u8]) -> Option<Self> {
        let number = digits::read(value)?;
        let [hour, minute, second] = [number / 10_000, number / 100 % 100, number % 100].map(|part| part as u8);
        (hour < 24 && minute < 60 && second < 60).then_some(Self { hour, minute, second })
    }

    fn write(self) -> [u8; 3] {
        [self.hour, self.minute, self.second].map(|part| digits::write::<1>(u64::from(part))[0])
    }
}

impl Date {
    fn read(value: &[u8]) -> Option<Self> {
        let number = digits::read(value)?;
        let [month, day] = [number / 100, number % 100].map(|part| part as u8);
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Self { month, day })
    }

    fn write(self) -> [u8; 2] {
        [self.month, self.day].map(|part| digits::write::<1>(u64::from(part))[0])
    }
}

fn take_digits(bytes: &mut &[u8], count: usize) -> Result<usize, Malformed> {
    let (digits, rest) = bytes.split_at_checked(count).ok_or(Malformed::Short)?;
    *bytes = rest;
    digits.iter().try_fold(0, |length, digit| match digit & 0x0f {
        digit @ 0..=9 => Ok(length * 10 + usize::from(digit)),
        _ => Err(Malformed::Length),
    })
}

fn put_digits(bytes: &mut Vec<u8>, number: u8, count: u32, value: &[u8]) {
    bytes.push(number);
    for place in (0..count).rev() {
        // One decimal digit.
        let digit = (value.len() / 10usize.pow(place) % 10) as u8;
        bytes.push(0xf0 | digit);
    }
    bytes.extend(value);
}
