//! Parameters: what the body of a message is made of, one level at a time.
//!
//! Two forms. TLV: `0 reserved:5 type:10 length:u16 value`, the length counting these four bytes. TV: `1 type:7 value`, whose length
//! only the standard's table knows. So an unknown TLV can be stepped over, an unknown TV ends the walk. What a value means
//! is left to who asks; some parameters begin with fields of fixed length before they hold further parameters.

use crate::frame::Side;

/// The numbers that this crate gives a meaning to, by the standard's names.
pub mod kind {
    pub const ANTENNA_ID: u16 = 1;
    pub const FIRST_SEEN_UTC: u16 = 2;
    pub const FIRST_SEEN_UPTIME: u16 = 3;
    pub const LAST_SEEN_UTC: u16 = 4;
    pub const LAST_SEEN_UPTIME: u16 = 5;
    pub const PEAK_RSSI: u16 = 6;
    pub const TAG_SEEN_COUNT: u16 = 8;
    pub const ROSPEC_ID: u16 = 9;
    pub const EPC_96: u16 = 13;
    pub const TAG_REPORT_DATA: u16 = 240;
    pub const EPC_DATA: u16 = 241;
}

/// The first number that is a TLV; those below are TV.
pub(crate) const FIRST_TLV: u16 = 128;
const TLV_HEADER_LEN: usize = 4;

/// One parameter: its number and the bytes after its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    pub kind: u16,
    pub value: &'a [u8],
}

/// Why the rest of a body cannot be read. `at` counts bytes from the start of the level that is walked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    #[error("parameter {kind} at byte {at} is of the short form, and the standard does not say how long it is; check the reader's version")]
    UnknownTv { kind: u16, at: usize },
    #[error("parameter {kind} at byte {at} is of the long form, which begins at number 128")]
    NotTlv { kind: u16, at: usize },
    #[error("the parameter at byte {at} has reserved bits set; they have to be zero")]
    Reserved { at: usize },
    #[error("parameter {kind} at byte {at} says it is {length} bytes long, but its header alone has 4")]
    TooShort { kind: u16, length: u16, at: usize },
    #[error("the parameter at byte {at} needs {needs} bytes, and {has} are left")]
    Cut { needs: usize, has: usize, at: usize },
}

/// The parameters of one level, in order. Ends after the first thing that is wrong.
pub fn walk(bytes: &[u8], side: Side) -> Parameters<'_> {
    Parameters { side, whole: bytes, at: 0 }
}

/// See [`walk`].
#[derive(Clone, Debug)]
pub struct Parameters<'a> {
    pub(crate) side: Side,
    pub(crate) whole: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Result<Parameter<'a>, ParameterError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.whole.get(self.at..)?;
        let first = *rest.first()?;
        let next = if first & 0x80 == 0 { self.tlv(rest) } else { self.tv(first, rest) };
        match next {
            Ok((parameter, length)) => {
                self.at += length;
                Some(Ok(parameter))
            }
            Err(wrong) => {
                self.at = self.whole.len();
                Some(Err(wrong))
            }
        }
    }
}

impl<'a> Parameters<'a> {
    fn tv(&self, first: u8, rest: &'a [u8]) -> Result<(Parameter<'a>, usize), ParameterError> {
        let kind = u16::from(first & 0x7f);
        let length = 1 + tv_len(kind).ok_or(ParameterError::UnknownTv { kind, at: self.at })?;
        let value = self.part(rest, 1, length)?;
        Ok((Parameter { kind, value }, length))
    }

    fn tlv(&self, rest: &'a [u8]) -> Result<(Parameter<'a>, usize), ParameterError> {
        let at = self.at;
        let [first, second, long, short, ..] = *rest else {
            return Err(ParameterError::Cut {
                needs: TLV_HEADER_LEN,
                has: rest.len(),
                at,
            });
        };
        if first & 0b1111_1100 != 0 && self.side == Side::Reader {
            return Err(ParameterError::Reserved { at });
        }
        let kind = u16::from_be_bytes([first & 0b11, second]);
        if kind < FIRST_TLV {
            return Err(ParameterError::NotTlv { kind, at });
        }
        let length = u16::from_be_bytes([long, short]);
        if usize::from(length) < TLV_HEADER_LEN {
            return Err(ParameterError::TooShort { kind, length, at });
        }
        let value = self.part(rest, TLV_HEADER_LEN, usize::from(length))?;
        Ok((Parameter { kind, value }, usize::from(length)))
    }

    fn part(&self, rest: &'a [u8], from: usize, to: usize) -> Result<&'a [u8], ParameterError> {
        rest.get(from..to).ok_or(ParameterError::Cut {
            needs: to,
            has: rest.len(),
            at: self.at,
        })
    }
}

/// Bytes of a TV's value, by the table of 1.0.1; 19 and 20 came with 1.1.
fn tv_len(kind: u16) -> Option<usize> {
    match kind {
        // PeakRSSI
        6 => Some(1),
        // AntennaID, ChannelIndex, TagSeenCount, InventoryParameterSpecID, C1G2CRC, C1G2PC, SpecIndex, ClientRequestOpSpecResult,
        // OpSpecID, C1G2XPCW1, C1G2XPCW2
        1 | 7 | 8 | 10 | 11 | 12 | 14 | 15 | 17 | 19 | 20 => Some(2),
        // ROSpecID, AccessSpecID, C1G2SingulationDetails
        9 | 16 | 18 => Some(4),
        // First and last seen, by the clock and since the start
        2..=5 => Some(8),
        // EPC-96
        13 => Some(12),
        _ => None,
    }
}
