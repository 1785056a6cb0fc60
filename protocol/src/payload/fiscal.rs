//! The bytes of facts about the signature device.

use backroom_core::facts::{FiscalEnded, FiscalFact, FiscalWanted};
use backroom_core::fiscal::{FiscalDocument, FiscalEnd, Profile, Series};
use backroom_core::ids::TicketId;
use prost::Message;

use super::counter::{read_word, word};
use super::{Fact, Kind, Parsed, PayloadError, command_id, hash, id, instant, needed, parse};
use crate::v1::journal as wire;

const SERIES: [(Series, &str); 4] = [
    (Series::Receipts, "receipts"),
    (Series::Training, "training"),
    (Series::Quotations, "quotations"),
    (Series::Invoices, "invoices"),
];

pub fn encode(fact: &FiscalFact) -> Vec<u8> {
    match fact {
        FiscalFact::FiscalWanted(fact) => wire::FiscalWanted {
            wish: fact.wish.to_bytes().to_vec(),
            document: Some(document(&fact.document)),
            profile: u32::from(fact.profile.number()),
            series: word(&SERIES, fact.series),
            digest: fact.digest.0.to_vec(),
            above: fact.above,
            deadline_micros: fact.deadline.as_micros(),
        }
        .encode_to_vec(),
        FiscalFact::FiscalEnded(fact) => {
            let ended = |end: &str| wire::FiscalEnded {
                wish: fact.wish.to_bytes().to_vec(),
                end: end.into(),
                ..wire::FiscalEnded::default()
            };
            let ended = match &fact.end {
                FiscalEnd::Signed { counter, signature } => wire::FiscalEnded {
                    counter: *counter,
                    signature: signature.0.to_vec(),
                    ..ended("signed")
                },
                FiscalEnd::DeviceFailed { why } => wire::FiscalEnded {
                    why: why.clone(),
                    ..ended("device_failed")
                },
                FiscalEnd::Unknown => ended("unknown"),
            };
            ended.encode_to_vec()
        }
    }
}

pub fn decode(kind: Kind, bytes: &[u8]) -> Parsed<Option<Fact>> {
    let fact = match kind {
        Kind::FiscalWanted => {
            let read = wire::FiscalWanted::decode(bytes)?;
            FiscalFact::FiscalWanted(FiscalWanted {
                wish: command_id(&read.wish)?,
                document: read_document(needed("document", read.document)?)?,
                profile: profile(read.profile)?,
                series: read_word("series", &SERIES, read.series)?,
                digest: hash("digest", &read.digest)?,
                above: read.above,
                deadline: instant(read.deadline_micros)?,
            })
        }
        Kind::FiscalEnded => {
            let read = wire::FiscalEnded::decode(bytes)?;
            let end = match read.end.as_str() {
                "signed" => FiscalEnd::Signed {
                    counter: read.counter,
                    signature: hash("signature", &read.signature)?,
                },
                "device_failed" => FiscalEnd::DeviceFailed { why: read.why },
                "unknown" => FiscalEnd::Unknown,
                _ => {
                    return Err(PayloadError::Word {
                        field: "end",
                        value: read.end,
                    });
                }
            };
            FiscalFact::FiscalEnded(FiscalEnded {
                wish: command_id(&read.wish)?,
                end,
            })
        }
        _ => return Ok(None),
    };
    Ok(Some(Fact::Fiscal(fact)))
}

fn profile(number: u32) -> Parsed<Profile> {
    let known = u16::try_from(number).ok().and_then(Profile::from_number);
    known.ok_or_else(|| PayloadError::Field {
        field: "profile",
        why: format!("this version knows no fiscal profile {number}"),
    })
}

fn document(document: &FiscalDocument) -> wire::FiscalDocument {
    let of = |word: &str| wire::FiscalDocument {
        document: word.into(),
        ..wire::FiscalDocument::default()
    };
    match document {
        FiscalDocument::Ticket { ticket } => wire::FiscalDocument {
            ticket: ticket.to_bytes().to_vec(),
            ..of("ticket")
        },
        FiscalDocument::TillZ { till, number } => wire::FiscalDocument {
            till: till.to_string(),
            number: *number,
            ..of("till_z")
        },
        FiscalDocument::DayZ { number } => wire::FiscalDocument {
            number: *number,
            ..of("day_z")
        },
    }
}

fn read_document(read: wire::FiscalDocument) -> Parsed<FiscalDocument> {
    Ok(match read.document.as_str() {
        "ticket" => FiscalDocument::Ticket {
            ticket: id("ticket", TicketId::from_slice(&read.ticket))?,
        },
        "till_z" => FiscalDocument::TillZ {
            till: parse("till", &read.till)?,
            number: read.number,
        },
        "day_z" => FiscalDocument::DayZ { number: read.number },
        _ => {
            return Err(PayloadError::Word {
                field: "document",
                value: read.document,
            });
        }
    })
}
