//! Frames: two bytes that say what it is, a length, and that many bytes. What is in them is not looked at here.
//!
//! A length byte of 0xFF is followed by the real length in two bytes, the smaller one first. The length belongs to whoever sends it:
//! nothing is set aside before the bytes are there, and never more than the limit.

/// The longest frame taken unless the owner of the link says otherwise. The longest honest ones, printed receipts, stay far below.
pub const DEFAULT_LIMIT: usize = 32 << 10;

const EXTENDED: u8 = 0xff;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apdu {
    /// Class and instruction.
    pub control: [u8; 2],
    pub data: Vec<u8>,
}

impl Apdu {
    pub fn to_bytes(&self) -> Result<Vec<u8>, ApduError> {
        let length = self.data.len();
        let Ok(long) = u16::try_from(length) else {
            return Err(ApduError::TooLong {
                length,
                limit: usize::from(u16::MAX),
            });
        };
        let mut bytes = Vec::with_capacity(length + 5);
        bytes.extend(self.control);
        match u8::try_from(length) {
            Ok(short) if short != EXTENDED => bytes.push(short),
            _ => {
                bytes.push(EXTENDED);
                bytes.extend(long.to_le_bytes());
            }
        }
        bytes.extend(&self.data);
        Ok(bytes)
    }
}

/// Why a stream cannot go on. Nobody knows any more where the next frame begins: the connection is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApduError {
    #[error("a message of {length} bytes is more than the {limit} a payment terminal may send at once; check that one is at this address")]
    TooLong { length: usize, limit: usize },
}

/// Cuts a stream, in whatever pieces it comes, into frames.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    held: Vec<u8>,
    wrong: Option<ApduError>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }
}

impl Decoder {
    /// `limit` counts the bytes after the length.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            held: Vec::new(),
            wrong: None,
        }
    }

    /// Keeps a piece. Whoever feeds takes all there is before feeding again, so no more is held than one frame and one piece.
    pub fn feed(&mut self, piece: &[u8]) {
        if self.wrong.is_none() {
            self.held.extend(piece);
        }
    }

    /// The next whole frame, or `None` when more bytes are needed. Once the stream was wrong, it stays wrong with the same reason.
    pub fn take(&mut self) -> Result<Option<Apdu>, ApduError> {
        if let Some(wrong) = &self.wrong {
            return Err(wrong.clone());
        }
        let (start, length) = match self.held.as_slice() {
            [_, _, EXTENDED, low, high, ..] => (5, usize::from(u16::from_le_bytes([*low, *high]))),
            [_, _, EXTENDED, ..] | [] | [_] | [_, _] => return Ok(None),
            [_, _, length, ..] => (3, usize::from(*length)),
        };
        if length > self.limit {
            let wrong = ApduError::TooLong { length, limit: self.limit };
            self.wrong = Some(wrong.clone());
            self.held = Vec::new();
            return Err(wrong);
        }
        let Some(data) = self.held.get(start..start + length) else {
            return Ok(None);
        };
        let apdu = Apdu {
            control: [self.held[0], self.held[1]],
            data: data.to_vec(),
        };
        self.held.drain(..start + length);
        Ok(Some(apdu))
    }
}
