//! Bits in order, most significant first, as a tag's memory holds them.
//!
//! Knows nothing of schemes.

use crate::epc::EpcError;

/// Reads bits from the front.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn left(&self) -> usize {
        (self.bytes.len() * 8).saturating_sub(self.at)
    }

    /// The next `count` bits (at most 64) as a number.
    pub(super) fn take(&mut self, count: usize) -> Result<u64, EpcError> {
        if count > self.left() || count > 64 {
            return Err(EpcError::TooShort);
        }
        let mut value: u64 = 0;
        let mut missing = count;
        // A byte at a time; the first and the last may be needed in part.
        while missing > 0 {
            let byte = self.bytes.get(self.at / 8).copied().unwrap_or_default();
            let here = 8 - self.at % 8;
            let step = here.min(missing);
            let bits = u64::from(byte) >> (here - step) & ((1 << step) - 1);
            value = value << step | bits;
            self.at += step;
            missing -= step;
        }
        Ok(value)
    }

    /// Takes `count` bits which have to be zero.
    pub(super) fn zeros(&mut self, mut count: usize, what: &'static str) -> Result<(), EpcError> {
        while count > 0 {
            let step = count.min(64);
            if self.take(step)? != 0 {
                return Err(EpcError::NotZero { what });
            }
            count -= step;
        }
        Ok(())
    }
}

/// Collects bits and hands them out in whole words of sixteen, filled up with zeros.
#[derive(Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    length: usize,
}

impl BitWriter {
    /// Appends the lowest `count` bits of `value`.
    pub(super) fn put(&mut self, value: u64, count: usize) {
        let mut missing = count;
        while missing > 0 {
            if self.length.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let room = 8 - self.length % 8;
            let step = room.min(missing);
            missing -= step;
            let bits = if missing < 64 { value >> missing & ((1 << step) - 1) } else { 0 };
            if let Some(last) = self.bytes.last_mut() {
                // At most `room` bits, so they fit.
                *last |= (bits << (room - step)) as u8;
            }
            self.length += step;
        }
    }

    /// Appends zeros until `length` bits are written.
    pub(super) fn fill_to(&mut self, length: usize) {
        self.put(0, length.saturating_sub(self.length));
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn into_words(mut self) -> Vec<u8> {
        self.fill_to(self.length.next_multiple_of(16));
        self.bytes
    }
}
