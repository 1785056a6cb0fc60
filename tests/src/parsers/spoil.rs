//! Bytes that nobody meant: noise, and good examples with something wrong in them.

use crate::chance::Chance;

/// No bite is larger: a parser's own limits on length have tests of their own.
const LARGEST: u64 = 2_000;

/// Texts in the place of a number, a word or a letter that parsers have been known to trip over.
const ODD: &[&[u8]] = &[
    b"0",
    b"-0",
    b"+1",
    b"-1",
    b"00000000000000000001",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"340282366920938463463374607431768211456",
    b"1e308",
    b"1e999999999",
    b"0.1",
    b"0.0000000000000000000000000000000001",
    b"1_000",
    b"NaN",
    b"null",
    b"true",
    b"{}",
    b"[[[[[[[[[[[[[[[[",
    b"\"\"",
    b"\0",
    b"\r\n",
    b"\x1d",
    b"%",
    b"%00",
    b"%f0%9f",
    b"\\u0000",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    "\u{0664}\u{0662}".as_bytes(), // 42 in Arabic digits, which are digits to Unicode and none to a shop.
    "\u{ff11}".as_bytes(),         // A full-width 1.
    "\u{202e}".as_bytes(),         // From here on from right to left.
    "e\u{301}".as_bytes(),
    "\u{1f9fe}".as_bytes(),
    b"2026-02-30",
    b"9999-12-31T23:59:59.999999999Z",
    b"-009999-01-01T00:00:00Z",
    b"Europe/Nowhere",
    b"XXX",
    b"eur",
];

#[derive(Debug)]
pub struct Spoiler<'a> {
    chance: Chance,
    examples: &'a [Vec<u8>],
}

impl<'a> Spoiler<'a> {
    pub fn new(chance: Chance, examples: &'a [Vec<u8>]) -> Self {
        Self { chance, examples }
    }

    pub fn next(&mut self) -> Vec<u8> {
        if self.chance.percent(10) {
            return self.noise();
        }
        let mut bytes = self.chance.pick(self.examples).cloned().unwrap_or_default();
        // Mostly one slip: after many nothing of the example is left, and the first check refuses it.
        let slips = if self.chance.percent(70) { 1 } else { self.chance.between(2, 6) };
        for _ in 0..slips {
            self.slip(&mut bytes);
        }
        bytes.truncate(LARGEST as usize);
        bytes
    }

    fn noise(&mut self) -> Vec<u8> {
        let length = if self.chance.percent(80) {
            self.chance.below(40)
        } else {
            self.chance.below(LARGEST)
        };
        let printable = self.chance.percent(50);
        let (low, high) = if printable { (0x20, 0x7e) } else { (0, 0xff) };
        (0..length).map(|_| self.chance.between(low, high) as u8).collect()
    }

    fn slip(&mut self, bytes: &mut Vec<u8>) {
        let (from, to) = self.stretch(bytes);
        match self.chance.below(10) {
            // A bit falls over.
            0 => {
                if let Some(byte) = bytes.get_mut(from) {
                    *byte ^= 1 << self.chance.below(8);
                }
            }
            1 => {
                if let Some(byte) = bytes.get_mut(from) {
                    *byte = self.chance.below(256) as u8;
                }
            }
            // The end is missing, or a part in the middle.
            2 => bytes.truncate(from),
            3 => drop(bytes.drain(from..to)),
            // A part comes twice, or a hundred times.
            4 | 5 => {
                let part = bytes[from..to].to_vec();
                let times = if self.chance.percent(80) { 1 } else { self.chance.between(2, 100) };
                for _ in 0..times.min(LARGEST / (part.len() as u64 + 1)) {
                    bytes.splice(from..from, part.iter().copied());
                }
            }
            // A part of another example.
            6 => {
                let other = self.chance.pick(self.examples).cloned().unwrap_or_default();
                let (begin, end) = self.stretch(&other);
                bytes.splice(from..to, other[begin..end].iter().copied());
            }
            7 => {
                let odd = self.chance.pick(ODD).copied().unwrap_or_default();
                bytes.splice(from..from, odd.iter().copied());
            }
            // The number that stands here is another one.
            _ => {
                let is_digit = |byte: &u8| byte.is_ascii_digit();
                let Some(begin) = bytes[from..].iter().position(is_digit).map(|at| from + at) else {
                    return;
                };
                let end = bytes[begin..]
                    .iter()
                    .position(|byte| !is_digit(byte))
                    .map_or(bytes.len(), |at| begin + at);
                let odd = self.chance.pick(ODD).copied().unwrap_or_default();
                bytes.splice(begin..end, odd.iter().copied());
            }
        }
    }

    /// Somewhere in the bytes, usually short.
    fn stretch(&mut self, bytes: &[u8]) -> (usize, usize) {
        let from = self.chance.below(bytes.len() as u64) as usize;
        let longest = if self.chance.percent(80) { 8 } else { bytes.len() as u64 };
        let to = from + self.chance.below(longest + 1) as usize;
        (from, to.min(bytes.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_spoils_the_same_and_most_of_an_example_is_left() {
        let examples = [b"urn:epc:tag:sgtin-96:3.0614141.812345.6789".to_vec()];
        let spoil = |seed| {
            let mut spoiler = Spoiler::new(Chance::seeded(seed), &examples);
            (0..200).map(|_| spoiler.next()).collect::<Vec<_>>()
        };
        assert_eq!(spoil(1), spoil(1));
        assert_ne!(spoil(1), spoil(2));
        let begins = spoil(1).iter().filter(|bytes| bytes.starts_with(b"urn:epc:")).count();
        assert!((80..190).contains(&begins), "{begins} of 200 still begin as the example");
    }
}
