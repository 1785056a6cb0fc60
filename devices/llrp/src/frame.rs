//! Frames: the ten bytes in front of every LLRP message, and the cutting of a stream into whole messages.
//!
//! A frame is `reserved:3 version:3 type:10 length:u32 id:u32 body`, big endian; the length counts the header. The length belongs to
//! whoever sends it: nothing is set aside before the bytes are there, and never more than the limit. What is in a body is not
//! looked at here.

use crate::message_type::MessageType;

/// The bytes of a header, and so of the shortest message.
pub const HEADER_LEN: usize = 10;

/// The longest message taken unless the owner of the link says otherwise. The longest honest ones, reports of a whole
/// portal of tags, stay far below.
pub const DEFAULT_LIMIT: u32 = 4 << 20;

/// Which end of the wire we are. The standard asks readers to be strict with reserved bits, and clients to ignore them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Reader,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V1_0_1,
    V1_1,
}

impl Version {
    fn bits(self) -> u8 {
        match self {
            Self::V1_0_1 => 1,
            Self::V1_1 => 2,
        }
    }

    fn of_header(first: u8) -> Result<Self, FrameError> {
        match first >> 2 & 0b111 {
            1 => Ok(Self::V1_0_1),
            2 => Ok(Self::V1_1),
            version => Err(FrameError::Version { version }),
        }
    }
}

/// One whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub version: Version,
    pub kind: MessageType,
    /// A response carries the id of its request.
    pub id: u32,
    pub body: Vec<u8>,
}

impl Message {
    pub fn to_bytes(&self) -> Result<Vec<u8>, FrameError> {
        let whole = HEADER_LEN.saturating_add(self.body.len());
        let Ok(length) = u32::try_from(whole) else {
            return Err(FrameError::TooLong {
                length: u32::MAX,
                limit: u32::MAX,
            });
        };
        let mut bytes = Vec::with_capacity(whole);
        bytes.extend((u16::from(self.version.bits()) << 10 | self.kind.number()).to_be_bytes());
        bytes.extend(length.to_be_bytes());
        bytes.extend(self.id.to_be_bytes());
        bytes.extend(&self.body);
        Ok(bytes)
    }
}

/// Why a stream cannot be LLRP. After any of these nobody knows where the next frame begins: the connection is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of LLRP version {version} came where 1 (1.0.1) and 2 (1.1) are spoken; check that an RFID reader is at this address")]
    Version { version: u8 },
    #[error("a frame with reserved bits {bits} came; they have to be zero, check the program that sent it")]
    Reserved { bits: u8 },
    #[error("a frame says it is {length} bytes long, but its header alone has 10; check that an RFID reader is at this address")]
    TooShort { length: u32 },
    #[error("a frame of {length} bytes is more than the {limit} taken at once; let the reader report more often")]
    TooLong { length: u32, limit: u32 },
}

/// What a piece of the stream brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// A whole message. The piece may hold more: ask again.
    Message(Message),
    /// Not enough yet. The piece is used up; at least `bytes` more are needed before there is anything to say.
    NeedsMore { bytes: usize },
}

/// Cuts a stream, in whatever pieces it comes, into messages.
#[derive(Debug)]
pub struct Decoder {
    side: Side,
    limit: u32,
    header: Vec<u8>,
    body: Vec<u8>,
    wrong: Option<FrameError>,
}

impl Decoder {
    pub fn new(side: Side) -> Self {
        Self::with_limit(side, DEFAULT_LIMIT)
    }

    /// `limit` counts the whole message with its header.
    pub fn with_limit(side: Side, limit: u32) -> Self {
        Self {
            side,
            limit,
            header: Vec::with_capacity(HEADER_LEN),
            body: Vec::new(),
            wrong: None,
        }
    }

    /// Takes from the front of `piece` what belongs to the next message, and leaves the rest. Once the stream was wrong, it stays
    /// wrong with the same reason.
    pub fn take(&mut self, piece: &mut &[u8]) -> Result<Taken, FrameError> {
        if let Some(wrong) = &self.wrong {
            return Err(wrong.clone());
        }
        self.take_next(piece).inspect_err(|wrong| {
            self.wrong = Some(wrong.clone());
            self.body = Vec::new();
        })
    }

    fn take_next(&mut self, piece: &mut &[u8]) -> Result<Taken, FrameError> {
        let missing = HEADER_LEN - self.header.len();
        self.header.extend(split_front(piece, missing));
        self.check_header()?;
        let Some((version, kind, whole, id)) = self.whole_header()? else {
            return Ok(Taken::NeedsMore {
                bytes: HEADER_LEN - self.header.len(),
            });
        };
        let missing = whole - HEADER_LEN - self.body.len();
        let part = split_front(piece, missing);
        if self.body.capacity() - self.body.len() < part.len() {
            // Grows with what came, not with what was announced, and never beyond this message.
            self.body.reserve_exact(missing.min(part.len().max(self.body.len())));
        }
        self.body.extend(part);
        if part.len() < missing {
            return Ok(Taken::NeedsMore {
                bytes: missing - part.len(),
            });
        }
        self.header.clear();
        let body = std::mem::take(&mut self.body);
        Ok(Taken::Message(Message { version, kind, id, body }))
    }

    /// Refuses a header at its first wrong byte, so that a web browser or a garbled line is not waited for.
    fn check_header(&self) -> Result<(), FrameError> {
        let Some(&first) = self.header.first() else {
            return Ok(());
        };
        let bits = first >> 5;
        if bits != 0 && self.side == Side::Reader {
            return Err(FrameError::Reserved { bits });
        }
        Version::of_header(first)?;
        let Some(length) = self.header.get(2..6).and_then(u32_of) else {
            return Ok(());
        };
        if length < HEADER_LEN as u32 {
            return Err(FrameError::TooShort { length });
        }
        if length > self.limit {
            return Err(FrameError::TooLong { length, limit: self.limit });
        }
        Ok(())
    }

    fn whole_header(&self) -> Result<Option<(Version, MessageType, usize, u32)>, FrameError> {
        let [first, second, rest @ ..] = self.header.as_slice() else {
            return Ok(None);
        };
        let (Some(length), Some(id)) = (rest.get(..4).and_then(u32_of), rest.get(4..8).and_then(u32_of)) else {
            return Ok(None);
        };
        let kind = MessageType::of_header([*first, *second]);
        Ok(Some((Version::of_header(*first)?, kind, length as usize, id)))
    }
}

fn split_front<'a>(piece: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (front, rest) = piece.split_at(most.min(piece.len()));
    *piece = rest;
    front
}

fn u32_of(four: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_length_sets_nothing_aside_and_a_message_never_holds_more_than_itself() {
        let mut decoder = Decoder::new(Side::Client);
        let header = [0x04, 0x3d, 0, 0x30, 0, 0, 0, 0, 0, 1];
        assert_eq!(decoder.take(&mut &header[..]), Ok(Taken::NeedsMore { bytes: 0x30_0000 - 10 }));
        assert_eq!(decoder.body.capacity(), 0);
        for _ in 0..100 {
            decoder.take(&mut &[7; 1000][..]).unwrap();
            assert!(decoder.body.capacity() <= decoder.body.len() * 2);
        }
        let rest = vec![7; 0x30_0000 - 10 - 100_000 + 3];
        let mut piece = &rest[..];
        let Ok(Taken::Message(message)) = decoder.take(&mut piece) else {
            panic!("the message is there")
        };
        assert_eq!(message.body.capacity(), 0x30_0000 - 10);
        assert_eq!((piece.len(), decoder.body.capacity()), (3, 0));
    }
}
