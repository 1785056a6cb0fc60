//! The names of things: who, where, which. Every kind of id is its own type, so that a till can not be mistaken for a register.
//!
//! Makes no ids: they are born at the edge (a client, a box, head office) and come in as text or bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is no short code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("{text:?} is not a code: use 1 to 16 of a-z, 0-9 and '-', beginning with a letter")]
    NotACode { text: String },
    #[error("{text:?} is not a UUID; give 32 hexadecimal digits")]
    NotAUuid { text: String },
    #[error("an id must be 16 bytes, not {len}; make a new UUIDv7")]
    Length { len: usize },
    #[error("receipt number {text:?} is not register/series/number; write it as on the receipt, such as r1/1/17")]
    NotAReceipt { text: String },
}

/// Sixteen bytes of `a-z 0-9 -`: short enough for a fixed header, safe in a NATS subject, a file name and a log line.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Code([u8; 16]);

impl Code {
    fn parse(text: &str) -> Result<Self, IdError> {
        let bytes = text.as_bytes();
        let fits = !bytes.is_empty() && bytes.len() <= 16 && bytes[0].is_ascii_lowercase();
        let clean = bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-');
        if !fits || !clean {
            return Err(IdError::NotACode {
                text: text.chars().take(40).collect(),
            });
        }
        let mut code = [0; 16];
        code[..bytes.len()].copy_from_slice(bytes);
        Ok(Self(code))
    }

    fn as_str(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(16);
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }
}

macro_rules! code_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Code);

        impl $name {
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The fixed sixteen bytes of the journal header, padded with zeros.
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.0
            }

            pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, IdError> {
                let end = bytes.iter().position(|b| *b == 0).unwrap_or(16);
                let padded = bytes[end..].iter().all(|b| *b == 0);
                match std::str::from_utf8(&bytes[..end]) {
                    Ok(text) if padded => text.parse(),
                    _ => Err(IdError::NotACode { text: String::from_utf8_lossy(&bytes).into_owned() }),
                }
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Code::parse(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.as_str())
            }
        }
    };
}

code_id!(/** One company at head office. */ TenantId);
code_id!(/** One shop, hence one box. */ StoreId);
code_id!(/** One register, the place where a cashier sells. Also the `device` of a journal entry. */ RegisterId);
code_id!(/** A container of cash: drawer, safe, change fund. Apart from register, person and shift. */ TillId);
code_id!(/** A machine on a counter or in the shop: a printer, a terminal, a scanner, a reader. */ DeviceId);
code_id!(/** One of the shop's own reasons, as in its list; never a free text. */ ReasonCode);
code_id!(/** A person, by code. Never a name: names live in a table that can be erased. */ StaffId);
code_id!(/** What a person may do: a cashier, a lead, an owner. */ RoleId);

code_id!(/** A customer, by code. Never a name: names live in a record that can be erased. */ CustomerId);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            pub fn from_slice(bytes: &[u8]) -> Result<Self, IdError> {
                Uuid::from_slice(bytes).map(Self).map_err(|_| IdError::Length { len: bytes.len() })
            }

            pub fn to_bytes(self) -> [u8; 16] {
                *self.0.as_bytes()
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError::NotAUuid { text: text.chars().take(60).collect() })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

uuid_id!(/** Made by the caller of a command; the same id means the same command, for ever. */ CommandId);
uuid_id!(/** One sale from the first scan to its end; made by the register. */ TicketId);
uuid_id!(/** One shift of one till; the command id that opened it. */ ShiftId);
uuid_id!(/** A balance that more than one store may want to spend: a gift card, a store credit, points, an account customer. */ AccountId);
uuid_id!(/** One stable reading of a scale; it serves one line once. */ ReadingId);
uuid_id!(/** Goods put aside for a customer; made by the register. */ LayawayId);
uuid_id!(/** Room to spend that head office lent to one store; the command id that asked for it, or that put the value in there. */ LeaseId);
uuid_id!(/** Goods held for somebody: an order, a layaway, a web order. */ ReservationId);
uuid_id!(/** Goods on their way from one store to another; both stores know it by this. */ TransferId);
uuid_id!(/** One arrival of goods, of a transfer or from a supplier; the same id is the same arrival. */ DeliveryId);
uuid_id!(/** A change of stock that somebody outside the box asks for. */ StockRequestId);
uuid_id!(/** One stock count, from its start to its approval. */ CountId);

/// A number of digits only: no sign before it.
pub(crate) fn digits<T: FromStr>(text: &str) -> Option<T> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// A receipt's number: gapless per register and series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReceiptNo {
    pub register: RegisterId,
    /// A restored box opens a new series, so that no number is used twice.
    pub series: u32,
    pub number: u64,
}

impl fmt::Display for ReceiptNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.register, self.series, self.number)
    }
}

impl FromStr for ReceiptNo {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::NotAReceipt {
            text: text.chars().take(60).collect(),
        };
        let mut parts = text.split('/');
        let (Some(register), Some(series), Some(number), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        Ok(Self {
            register: register.parse()?,
            series: digits(series).ok_or_else(wrong)?,
            number: digits(number).ok_or_else(wrong)?,
        })
    }
}

/// For fuzzers: any bytes are an id or refused by name; an id shows and reads back the same.
pub fn fuzz_one(bytes: &[u8]) {
    fn same<T: FromStr + fmt::Display + PartialEq + fmt::Debug>(text: &str) {
        if let Ok(id) = text.parse::<T>() {
            assert_eq!(id.to_string().parse::<T>().ok(), Some(id));
        }
    }
    let text = String::from_utf8_lossy(bytes);
    // All codes are one macro, and so are all ids of sixteen bytes.
    same::<StoreId>(&text);
    same::<CommandId>(&text);
    same::<ReceiptNo>(&text);
    if let Ok(fixed) = <[u8; 16]>::try_from(bytes)
        && let Ok(code) = StoreId::from_bytes(fixed)
    {
        assert_eq!(code.to_bytes(), fixed);
    }
    if let Ok(id) = CommandId::from_slice(bytes) {
        assert_eq!(id.to_bytes(), bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_survives_the_sixteen_bytes_of_the_header() {
        for text in ["a", "r1", "berlin-mitte-001"] {
            let id: StoreId = text.parse().unwrap();
            assert_eq!(StoreId::from_bytes(id.to_bytes()), Ok(id));
            assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn a_code_that_could_break_a_subject_or_a_path_is_refused() {
        for text in ["", "A", "1a", "a.b", "a*", "a>", "../x", "a b", "abcdefghijklmnopq", "a\n", "ä"] {
            assert!(text.parse::<StoreId>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_receipt_number_reads_back() {
        let receipt: ReceiptNo = "r1/2/17".parse().unwrap();
        assert_eq!(receipt.to_string(), "r1/2/17");
        for wrong in [
            "r1/2",
            "r1/2/3/4",
            "r1/2/+3",
            "r1/+2/3",
            "r1/2/-3",
            "r1/2/",
            "r1/2/٣",
            "r1/2/18446744073709551616",
        ] {
            assert!(wrong.parse::<ReceiptNo>().is_err(), "{wrong}");
        }
    }
}
