//! What a printer sends back, cut into answers.
//!
//! Real printers answer several kinds of question on one wire and push their status in between, so each kind is known by its
//! fixed bits: `0xx1xx10` an answer to `DLE EOT`, `0xx1xx00` the first of four bytes of status, 0x37 the mark of a job,
//! 0x5f words about itself up to a zero, `0xx0xxxx` an answer to `GS r`. Any bytes are read; what is none of these is counted.

use crate::escpos::job_id::{self, JobId};

/// No answer of a printer is longer; more without an end is noise.
const LONGEST_BLOCK: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To `DLE EOT n`; which n was asked is not said.
    RealTime(u8),
    /// Status that came by itself.
    Automatic([u8; 4]),
    /// Everything before this mark is printed.
    Done(JobId),
    /// To `GS r`.
    Paper(u8),
    /// To `GS I`, or of a kind this crate does not ask for.
    Block(Vec<u8>),
    /// No answer of a printer.
    Noise(u8),
}

/// Reads a stream in whatever pieces it comes.
#[derive(Debug, Default)]
pub struct Answers {
    held: Vec<u8>,
}

impl Answers {
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Answer> {
        let mut answers = Vec::new();
        for &byte in bytes {
            self.held.push(byte);
            // Bytes that turn out to be noise leave others that may begin an answer.
            while !self.held.is_empty() {
                let Some((answer, length)) = first(&self.held) else { break };
                self.held.drain(..length);
                answers.push(answer);
            }
        }
        answers
    }
}

/// The first answer and its length; `None` while bytes of it are missing.
fn first(held: &[u8]) -> Option<(Answer, usize)> {
    let head = *held.first()?;
    if matches!(head, 0x35 | 0x37 | 0x3b | 0x3d | 0x5f) {
        return block(held);
    }
    if head & 0x93 == 0x12 {
        return Some((Answer::RealTime(head), 1));
    }
    if head & 0x93 == 0x10 {
        let sound = held.iter().skip(1).take(3).all(|byte| byte & 0x90 == 0);
        return match held {
            _ if !sound => Some((Answer::Noise(head), 1)),
            &[first, second, third, fourth, ..] => Some((Answer::Automatic([first, second, third, fourth]), 4)),
            _ => None,
        };
    }
    if head & 0x90 == 0 {
        return Some((Answer::Paper(head), 1));
    }
    Some((Answer::Noise(head), 1))
}

fn block(held: &[u8]) -> Option<(Answer, usize)> {
    let Some(end) = held.iter().position(|&byte| byte == 0) else {
        return (held.len() >= LONGEST_BLOCK).then(|| (Answer::Noise(held[0]), 1));
    };
    let words = &held[..end];
    let mark = words
        .strip_prefix(&job_id::ANSWER_HEAD)
        .and_then(|mark| mark.try_into().ok())
        .and_then(JobId::heard);
    let answer = mark.map_or_else(|| Answer::Block(words.to_vec()), Answer::Done);
    Some((answer, end + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hear(bytes: &[u8], piece: usize) -> Vec<Answer> {
        let mut answers = Answers::default();
        bytes.chunks(piece).flat_map(|piece| answers.feed(piece)).collect()
    }

    #[test]
    fn answers_of_all_kinds_are_told_apart() {
        let bytes = b"\x12\x1c\x00\x0f\x00\x377\x227\x00\x37\x22ab c\x00\x5fEPSON\x00\x00\x7e\xff\x14\x00";
        let expected = [
            Answer::RealTime(0x12),
            Answer::Automatic([0x1c, 0, 0x0f, 0]),
            Answer::Block(b"77\"7".to_vec()),
            Answer::Done(JobId::heard(*b"ab c").unwrap()),
            Answer::Block(b"_EPSON".to_vec()),
            Answer::Paper(0),
            Answer::RealTime(0x7e),
            Answer::Noise(0xff),
        ];
        for piece in 1..bytes.len() {
            assert_eq!(hear(bytes, piece), expected, "in pieces of {piece}");
        }
        // A broken status is noise, but what follows it is not.
        assert_eq!(
            hear(b"\x10\x00\x12", 1),
            [Answer::Noise(0x10), Answer::Paper(0), Answer::RealTime(0x12)]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_alike_in_any_pieces(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\x10\x12\x37\x22\x5f\x00".as_slice())], 0..600), piece in 1_usize..9) {
            prop_assert_eq!(hear(&bytes, piece), hear(&bytes, bytes.len().max(1)));
        }

        #[test]
        fn a_job_is_known_by_its_answer(number in any::<u64>()) {
            let job = JobId::from_number(number);
            prop_assert_eq!(hear(&job.answer(), 3), [Answer::Done(job)]);
            prop_assert_ne!(job, JobId::from_number(number.wrapping_add(1)));
        }
    }
}
