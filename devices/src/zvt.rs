//! Payment terminals that speak ZVT (13.x), the way most card terminals of Germany, Austria and Switzerland do.
//!
//! Owns the bytes of both sides, so that the register's link and the simulated terminal read one grammar: the frames ([`apdu`]), the
//! fields in them ([`fields`], [`tlv`]), whole messages ([`packet`]), the register's side of one exchange ([`machine`]), and what the
//! terminal's last transaction says about a payment whose end nobody saw ([`attempt`]). Sockets and time belong to the link.
//!
//! Card numbers, tracks, expiry dates and everything else about a card or its holder are stepped over and dropped while reading:
//! there is no place here that could keep, log or show them. Only what is named in [`fields::Fields`] survives decoding.

pub mod apdu;
pub mod attempt;
pub mod digits;
pub mod fields;
pub mod machine;
pub mod packet;
pub mod tlv;
pub mod words;

use crate::zvt::apdu::{Apdu, ApduError, Decoder};
use crate::zvt::packet::Packet;

/// For fuzzers: any bytes, in pieces of any size, are read without a panic and to the same end; and what was understood once is
/// written and understood again as the same.
pub fn fuzz_one(bytes: &[u8]) {
    let piece = 1 + bytes.iter().map(|&byte| usize::from(byte)).sum::<usize>() % 7;
    let whole = read_in_pieces(bytes, bytes.len().max(1));
    assert_eq!(whole, read_in_pieces(bytes, piece));
    let own = bytes.split_first_chunk::<2>().map(|(control, data)| Apdu {
        control: *control,
        data: data.to_vec(),
    });
    for apdu in whole.0.into_iter().chain(own) {
        let Ok(packet) = Packet::decode(&apdu) else { continue };
        let again = packet.encode();
        assert_eq!(Packet::decode(&again).as_ref(), Ok(&packet), "{again:?}");
        if let Ok(bytes) = again.to_bytes() {
            assert_eq!(read_in_pieces(&bytes, 1).0, [again]);
        }
    }
}

fn read_in_pieces(bytes: &[u8], piece: usize) -> (Vec<Apdu>, Option<ApduError>) {
    let mut decoder = Decoder::default();
    let mut apdus = Vec::new();
    for piece in bytes.chunks(piece) {
        decoder.feed(piece);
        loop {
            match decoder.take() {
                Ok(Some(apdu)) => apdus.push(apdu),
                Ok(None) => break,
                Err(wrong) => return (apdus, Some(wrong)),
            }
        }
    }
    (apdus, None)
}
