//! A reader of protobuf bytes, small enough to be read in one go: field numbers and values, no generated code.
//!
//! Knows no message; what a field means stands in `facts`.

use super::words::{Hash, Id, Micros};

/// One value as it lies in the bytes.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Four or eight fixed bytes: no field of the journal is written so, a newer one may be.
    Fixed,
}

/// What a message type is made of.
pub trait Message: Sized + Default {
    /// Takes one field; a number it does not know is left alone.
    fn field(&mut self, number: u64, value: Value<'_>) -> Result<(), String>;

    fn read(mut bytes: &[u8]) -> Result<Self, String> {
        let mut message = Self::default();
        while !bytes.is_empty() {
            let key = varint(&mut bytes)?;
            let value = match key & 7 {
                0 => Value::Number(varint(&mut bytes)?),
                1 => take(&mut bytes, 8).map(|_| Value::Fixed)?,
                2 => {
                    let length = varint(&mut bytes)?;
                    let length = usize::try_from(length).map_err(|_| "a field is longer than its message".to_owned())?;
                    Value::Bytes(take(&mut bytes, length)?)
                }
                5 => take(&mut bytes, 4).map(|_| Value::Fixed)?,
                other => return Err(format!("wire type {other} does not exist here")),
            };
            let number = key >> 3;
            if number == 0 {
                return Err("field number 0 does not exist".to_owned());
            }
            message.field(number, value).map_err(|why| format!("field {number}: {why}"))?;
        }
        Ok(message)
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], String> {
    let (head, rest) = bytes
        .split_at_checked(length)
        .ok_or_else(|| "a field is longer than its message".to_owned())?;
    *bytes = rest;
    Ok(head)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0_u64;
    for at in 0..10 {
        let [byte] = *take(bytes, 1)? else { break };
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err("a number runs on for more than ten bytes".to_owned())
}

impl<'a> Value<'a> {
    pub fn unsigned(self) -> Result<u64, String> {
        match self {
            Value::Number(number) => Ok(number),
            _ => Err("should be a number".to_owned()),
        }
    }

    pub fn small(self) -> Result<u32, String> {
        u32::try_from(self.unsigned()?).map_err(|_| "is larger than 32 bits".to_owned())
    }

    /// An amount, zig-zag coded.
    pub fn signed(self) -> Result<i64, String> {
        let number = self.unsigned()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub fn bytes(self) -> Result<&'a [u8], String> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err("should be bytes".to_owned()),
        }
    }

    pub fn text(self) -> Result<String, String> {
        let text = std::str::from_utf8(self.bytes()?).map_err(|_| "should be UTF-8".to_owned())?;
        Ok(text.to_owned())
    }

    pub fn id(self) -> Result<Id, String> {
        Id::from_slice(self.bytes()?).ok_or_else(|| "should be the 16 bytes of an id".to_owned())
    }

    pub fn hash(self) -> Result<Hash, String> {
        Hash::from_slice(self.bytes()?).ok_or_else(|| "should be the 32 bytes of a hash".to_owned())
    }

    pub fn micros(self) -> Result<Micros, String> {
        self.signed().map(Micros)
    }

    pub fn message<M: Message>(self) -> Result<M, String> {
        M::read(self.bytes()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Pair {
        amount: i64,
        name: String,
    }

    impl Message for Pair {
        fn field(&mut self, number: u64, value: Value<'_>) -> Result<(), String> {
            match number {
                1 => self.amount = value.signed()?,
                2 => self.name = value.text()?,
                _ => {}
            }
            Ok(())
        }
    }

    #[test]
    fn fields_are_read_and_unknown_ones_left_alone() {
        let bytes = [0x08, 0x03, 0x12, 0x02, b'h', b'i', 0x1d, 1, 2, 3, 4, 0x20, 0xff, 0x01];
        assert_eq!(
            Pair::read(&bytes),
            Ok(Pair {
                amount: -2,
                name: "hi".into()
            })
        );
    }

    #[test]
    fn broken_bytes_are_refused_with_the_field() {
        assert_eq!(
            Pair::read(&[0x12, 0x05, b'h']),
            Err("a field is longer than its message".to_owned())
        );
        assert_eq!(Pair::read(&[0x10, 0x05]), Err("field 2: should be bytes".to_owned()));
        assert!(Pair::read(&[0x08; 1]).is_err());
        assert!(Pair::read(&[0xff; 11]).is_err());
    }
}
