//! The language of RFID readers, LLRP 1.0.1 and 1.1, as bytes: frames, parameters, and what a tag report says.
//!
//! Does no I/O: a link hands in the pieces of a stream as they come, and takes messages out. Connecting, keepalives, timeouts and
//! the plan of an inventory belong to whoever owns the link; the meaning of an EPC belongs to `backroom-core`. Reads and writes what
//! an inventory needs, for a client and for a reader; the other messages come out as a type, an id and a body whose parameters can
//! be walked.
//!
//! - [`frame`]: a stream in pieces becomes whole messages;
//! - [`message_type`]: what a message is called;
//! - [`parameter`]: a body becomes its parameters;
//! - [`layout`]: how the inside of each message and parameter is laid out, written down once for reading and writing;
//! - [`message`]: the messages of an inventory with their meaning, made of [`rospec`], [`event`], [`config`], [`capabilities`], [`status`];
//! - [`report`]: an RO_ACCESS_REPORT becomes the tags that were seen.

pub mod capabilities;
pub mod config;
#[cfg(test)]
mod dice;
pub mod event;
pub mod frame;
pub mod layout;
pub mod message;
#[cfg(test)]
mod message_tests;
pub mod message_type;
pub mod parameter;
pub mod report;
pub mod rospec;
pub mod status;

use crate::frame::{Decoder, FrameError, Message, Side, Taken};
use crate::message::Said;

/// For fuzzers: any bytes are read or refused, never a panic; however they are cut into pieces, the same messages come out; and each
/// of them is written as it was read.
pub fn fuzz_one(bytes: &[u8]) {
    let piece = 1 + bytes.iter().map(|&byte| usize::from(byte)).sum::<usize>() % 17;
    for side in [Side::Client, Side::Reader] {
        let whole = decode_in_pieces(side, bytes, bytes.len().max(1));
        assert_eq!(whole, decode_in_pieces(side, bytes, piece));
        for message in whole.0 {
            let written = message.to_bytes().unwrap_or_default();
            let (read, wrong) = decode_in_pieces(side, &written, 1);
            assert!(read.iter().eq([&message]) && wrong.is_none(), "{message:?} was not read as written");
            walk(&message.body, side);
            understand(&message, side);
        }
        walk(bytes, side);
    }
}

fn decode_in_pieces(side: Side, bytes: &[u8], piece: usize) -> (Vec<Message>, Option<FrameError>) {
    let mut decoder = Decoder::new(side);
    let mut messages = Vec::new();
    for mut piece in bytes.chunks(piece) {
        loop {
            match decoder.take(&mut piece) {
                Ok(Taken::Message(message)) => messages.push(message),
                Ok(Taken::NeedsMore { .. }) => break,
                Err(wrong) => return (messages, Some(wrong)),
            }
        }
    }
    (messages, None)
}

/// What was understood is written so that it is understood the same again.
fn understand(message: &Message, side: Side) {
    let Ok(Some(said)) = Said::read(message, side) else {
        return;
    };
    let written = said.message(message.version, message.id);
    let read = written.map(|written| Said::read(&written, Side::Reader));
    assert!(
        read.as_ref().is_ok_and(|read| read.as_ref() == Ok(&Some(said))),
        "{message:?} was not understood as written: {read:?}"
    );
}

/// The parameters of a level never hold more than the level.
fn walk(bytes: &[u8], side: Side) {
    let held: usize = parameter::walk(bytes, side).flatten().map(|parameter| parameter.value.len()).sum();
    assert!(held <= bytes.len());
    for tag in report::tag_reports(bytes).flatten() {
        assert_eq!(tag.epc.bytes().len(), usize::from(tag.epc.bits()).div_ceil(8));
    }
}
