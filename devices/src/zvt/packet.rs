//! Whole messages, of the register ("ECR" in the standard) and of the terminal ("PT").
//!
//! Decoding keeps what is named here and nothing else, so a message that was read is safe to show and to log. Messages that are not
//! used yet come out as [`Packet::Other`], without their contents.

use crate::zvt::apdu::Apdu;
use crate::zvt::digits::{self, Password};
use crate::zvt::fields::{self, Fields, Malformed};

/// Bits of a registration's configuration byte: the terminal tells how a payment goes on.
pub const TELLS_PROGRESS: u8 = 0x08;
/// Only the register starts payments, nobody keys an amount in at the terminal.
pub const REGISTER_PAYS: u8 = 0x10;
/// Only the register starts administration.
pub const REGISTER_ADMINISTERS: u8 = 0x20;

/// Service bits of Repeat Receipt: the terminal sends its last transaction again, and prints nothing.
pub const REPEAT_STATUS: u8 = 0x01;
pub const REPEAT_WITHOUT_PRINT: u8 = 0x02;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// 06 00.
    Registration {
        password: Password,
        config: u8,
        currency: Option<u16>,
        fields: Fields,
    },
    /// 06 01.
    Authorization(Fields),
    /// 06 02.
    LogOff,
    /// 06 20.
    RepeatReceipt {
        password: Password,
        fields: Fields,
    },
    /// 06 30.
    Reversal {
        password: Password,
        fields: Fields,
    },
    /// 06 31.
    Refund {
        password: Password,
        fields: Fields,
    },
    /// 06 50.
    EndOfDay {
        password: Password,
    },
    /// 06 B0: the register would like the payment under way to end.
    Abort,
    /// 05 01.
    StatusEnquiry {
        password: Password,
        fields: Fields,
    },
    /// 04 0F: what came of a transaction.
    Status(Fields),
    /// 04 FF: what the terminal waits for, and for how long at most.
    Progress {
        code: u8,
        minutes: Option<u8>,
        fields: Fields,
    },
    /// 06 0F: the exchange is over. Says nothing about success.
    Completed(Fields),
    /// 06 1E: the exchange is over without having been done.
    Failed {
        code: u8,
        fields: Fields,
    },
    /// 06 D1, 06 D3: lines for the register's printer.
    Print,
    /// 80 00.
    Ack,
    /// 84 xx.
    Refused {
        code: u8,
    },
    Other {
        control: [u8; 2],
    },
}

impl Packet {
    pub fn decode(apdu: &Apdu) -> Result<Self, Malformed> {
        let data = apdu.data.as_slice();
        Ok(match apdu.control {
            [0x06, 0x00] => {
                let (password, rest) = take_password(data)?;
                let (&config, rest) = rest.split_first().ok_or(Malformed::Short)?;
                // The currency has no number in front of it, and fields follow only where there is one.
                let (currency, fields) = match rest.split_first_chunk::<2>() {
                    Some((currency, rest)) => (digits::read(currency), rest),
                    None => (None, rest),
                };
                let currency = currency.and_then(|number| u16::try_from(number).ok());
                let fields = if currency.is_some() {
                    Fields::decode(fields)?
                } else {
                    Fields::default()
                };
                Self::Registration {
                    password,
                    config,
                    currency,
                    fields,
                }
            }
            [0x06, 0x01] => Self::Authorization(Fields::decode(data)?),
            [0x06, 0x02] => Self::LogOff,
            [0x06, 0x20] => {
                let (password, fields) = take_both(data)?;
                Self::RepeatReceipt { password, fields }
            }
            [0x06, 0x30] => {
                let (password, fields) = take_both(data)?;
                Self::Reversal { password, fields }
            }
            [0x06, 0x31] => {
                let (password, fields) = take_both(data)?;
                Self::Refund { password, fields }
            }
            [0x06, 0x50] => Self::EndOfDay {
                password: take_password(data)?.0,
            },
            [0x06, 0xb0] => Self::Abort,
            [0x05, 0x01] => {
                let (password, fields) = take_both(data)?;
                Self::StatusEnquiry { password, fields }
            }
            [0x04, 0x0f] => Self::Status(Fields::decode(data)?),
            [0x04, 0xff] => {
                let (&code, rest) = data.split_first().ok_or(Malformed::Short)?;
                let (minutes, rest) = match rest {
                    [minutes, rest @ ..] => (Some(*minutes), rest),
                    [] => (None, rest),
                };
                Self::Progress {
                    code,
                    minutes,
                    fields: Fields::decode(rest)?,
                }
            }
            [0x06, 0x0f] => Self::Completed(completion(data)?),
            [0x06, 0x1e] => {
                let (&code, rest) = data.split_first().ok_or(Malformed::Short)?;
                Self::Failed {
                    code,
                    fields: Fields::decode(rest)?,
                }
            }
            [0x06, 0xd1 | 0xd3] => Self::Print,
            [0x80, 0x00] => Self::Ack,
            [0x84, code] => Self::Refused { code },
            control => Self::Other { control },
        })
    }

    pub fn encode(&self) -> Apdu {
        let (control, data) = match self {
            Self::Registration {
                password,
                config,
                currency,
                fields,
            } => {
                let mut data = password.bytes().to_vec();
                data.push(*config);
                if let Some(currency) = currency {
                    data.extend(digits::write::<2>(u64::from(*currency)));
                    data.extend(fields.encode());
                }
                ([0x06, 0x00], data)
            }
            Self::Authorization(fields) => ([0x06, 0x01], fields.encode()),
            Self::LogOff => ([0x06, 0x02], Vec::new()),
            Self::RepeatReceipt { password, fields } => ([0x06, 0x20], both(*password, fields)),
            Self::Reversal { password, fields } => ([0x06, 0x30], both(*password, fields)),
            Self::Refund { password, fields } => ([0x06, 0x31], both(*password, fields)),
            Self::EndOfDay { password } => ([0x06, 0x50], password.bytes().to_vec()),
            Self::Abort => ([0x06, 0xb0], Vec::new()),
            Self::StatusEnquiry { password, fields } => ([0x05, 0x01], both(*password, fields)),
            Self::Status(fields) => ([0x04, 0x0f], fields.encode()),
            Self::Progress { code, minutes, fields } => {
                let mut data = vec![*code];
                data.extend(minutes);
                data.extend(fields.encode());
                ([0x04, 0xff], data)
            }
            Self::Completed(fields) => ([0x06, 0x0f], fields.encode()),
            Self::Failed { code, fields } => {
                let mut data = vec![*code];
                data.extend(fields.encode());
                ([0x06, 0x1e], data)
            }
            Self::Print => ([0x06, 0xd1], Vec::new()),
            Self::Ack => ([0x80, 0x00], Vec::new()),
            Self::Refused { code } => ([0x84, *code], Vec::new()),
            Self::Other { control } => (*control, Vec::new()),
        };
        Apdu { control, data }
    }
}

fn take_password(data: &[u8]) -> Result<(Password, &[u8]), Malformed> {
    let (password, rest) = data.split_first_chunk::<3>().ok_or(Malformed::Short)?;
    Ok((Password::from_bytes(*password), rest))
}

fn take_both(data: &[u8]) -> Result<(Password, Fields), Malformed> {
    let (password, rest) = take_password(data)?;
    Ok((password, Fields::decode(rest)?))
}

fn both(password: Password, fields: &Fields) -> Vec<u8> {
    let mut data = password.bytes().to_vec();
    data.extend(fields.encode());
    data
}

/// The answer to a status enquiry begins with a version and a bare byte of state; neither is used, and what follows is not needed.
fn completion(data: &[u8]) -> Result<Fields, Malformed> {
    match data {
        [first, _, ..] if *first != 0xf0 && fields::is_known(*first) => Fields::decode(data),
        _ => Ok(Fields::default()),
    }
}
