//! The bytes of facts about the close of a day.

use backroom_core::day::{CarriedTicket, Mark, OpenShift, SettlementEnd, ZRef};
use backroom_core::facts::{
    DayCloseBegun, DayFact, DayNumbered, DaySealed, DocumentMarked, SettlementEnded, SettlementWanted, TicketsCarried,
};
use backroom_core::ids::TicketId;
use backroom_core::money::Money;
use prost::Message;

use super::counter::{read_word, word};
use super::till::{period, read_day, read_period};
use super::{Fact, Kind, Parsed, command_id, id, needed, parse, read_all, read_receipt, receipt, shift};
use crate::v1::journal as wire;

const ENDS: [(SettlementEnd, &str); 4] = [
    (SettlementEnd::Done, "done"),
    (SettlementEnd::NotDone, "not_done"),
    (SettlementEnd::Unknown, "unknown"),
    (SettlementEnd::Left, "left"),
];
const MARKS: [(Mark, &str); 2] = [(Mark::SetAside, "set_aside"), (Mark::PutRight, "put_right")];

pub fn encode(fact: &DayFact) -> Vec<u8> {
    match fact {
        DayFact::DayCloseBegun(fact) => {
            let open = |open: &OpenShift| wire::OpenShift {
                till: open.till.to_string(),
                shift: open.shift.to_bytes().to_vec(),
            };
            wire::DayCloseBegun {
                day: fact.day.to_days(),
                by: fact.by.to_string(),
                shifts: fact.shifts.iter().map(open).collect(),
                terminals: fact.terminals.iter().map(ToString::to_string).collect(),
            }
            .encode_to_vec()
        }
        DayFact::TicketsCarried(fact) => {
            let ticket = |carried: &CarriedTicket| wire::CarriedTicket {
                ticket: carried.ticket.to_bytes().to_vec(),
                register: carried.register.to_string(),
                total_minor: carried.total.0,
            };
            wire::TicketsCarried {
                day: fact.day.to_days(),
                tickets: fact.tickets.iter().map(ticket).collect(),
            }
            .encode_to_vec()
        }
        DayFact::SettlementWanted(fact) => wire::SettlementWanted {
            day: fact.day.to_days(),
            terminal: fact.terminal.to_string(),
            settlement: fact.settlement.to_bytes().to_vec(),
        }
        .encode_to_vec(),
        DayFact::SettlementEnded(fact) => wire::SettlementEnded {
            day: fact.day.to_days(),
            terminal: fact.terminal.to_string(),
            settlement: fact.settlement.to_bytes().to_vec(),
            end: word(&ENDS, fact.end),
            why: fact.why.clone(),
        }
        .encode_to_vec(),
        DayFact::DayNumbered(fact) => {
            let z = |z: &ZRef| wire::ZRef {
                till: z.till.to_string(),
                number: z.number,
                shift: z.shift.to_bytes().to_vec(),
            };
            wire::DayNumbered {
                day: fact.day.to_days(),
                number: fact.number,
                zs: fact.zs.iter().map(z).collect(),
                totals: Some(period(&fact.totals)),
                set_aside: fact.set_aside.iter().copied().map(receipt).collect(),
                unsettled: fact.unsettled.iter().map(ToString::to_string).collect(),
            }
            .encode_to_vec()
        }
        DayFact::DaySealed(fact) => wire::DaySealed {
            day: fact.day.to_days(),
            number: fact.number,
        }
        .encode_to_vec(),
        DayFact::DocumentMarked(fact) => wire::DocumentMarked {
            document: Some(receipt(fact.document)),
            mark: word(&MARKS, fact.mark),
            why: fact.why.clone(),
        }
        .encode_to_vec(),
    }
}

pub fn decode(kind: Kind, bytes: &[u8]) -> Parsed<Option<Fact>> {
    let fact = match kind {
        Kind::DayCloseBegun => {
            let read = wire::DayCloseBegun::decode(bytes)?;
            let open = |open: wire::OpenShift| {
                Ok(OpenShift {
                    till: parse("till", &open.till)?,
                    shift: shift(&open.shift)?,
                })
            };
            DayFact::DayCloseBegun(Box::new(DayCloseBegun {
                day: read_day(read.day)?,
                by: parse("by", &read.by)?,
                shifts: read_all(read.shifts, open)?,
                terminals: read_all(read.terminals, |terminal| parse("terminal", &terminal))?,
            }))
        }
        Kind::TicketsCarried => {
            let read = wire::TicketsCarried::decode(bytes)?;
            let ticket = |carried: wire::CarriedTicket| {
                Ok(CarriedTicket {
                    ticket: id("ticket", TicketId::from_slice(&carried.ticket))?,
                    register: parse("register", &carried.register)?,
                    total: Money(carried.total_minor),
                })
            };
            DayFact::TicketsCarried(TicketsCarried {
                day: read_day(read.day)?,
                tickets: read_all(read.tickets, ticket)?,
            })
        }
        Kind::SettlementWanted => {
            let read = wire::SettlementWanted::decode(bytes)?;
            DayFact::SettlementWanted(SettlementWanted {
                day: read_day(read.day)?,
                terminal: parse("terminal", &read.terminal)?,
                settlement: command_id(&read.settlement)?,
            })
        }
        Kind::SettlementEnded => {
            let read = wire::SettlementEnded::decode(bytes)?;
            DayFact::SettlementEnded(SettlementEnded {
                day: read_day(read.day)?,
                terminal: parse("terminal", &read.terminal)?,
                settlement: command_id(&read.settlement)?,
                end: read_word("end", &ENDS, read.end)?,
                why: read.why,
            })
        }
        Kind::DayNumbered => {
            let read = wire::DayNumbered::decode(bytes)?;
            let z = |z: wire::ZRef| {
                Ok(ZRef {
                    till: parse("till", &z.till)?,
                    number: z.number,
                    shift: shift(&z.shift)?,
                })
            };
            DayFact::DayNumbered(Box::new(DayNumbered {
                day: read_day(read.day)?,
                number: read.number,
                zs: read_all(read.zs, z)?,
                totals: read_period(needed("totals", read.totals)?)?,
                set_aside: read_all(read.set_aside, read_receipt)?,
                unsettled: read_all(read.unsettled, |terminal| parse("terminal", &terminal))?,
            }))
        }
        Kind::DaySealed => {
            let read = wire::DaySealed::decode(bytes)?;
            DayFact::DaySealed(DaySealed {
                day: read_day(read.day)?,
                number: read.number,
            })
        }
        Kind::DocumentMarked => {
            let read = wire::DocumentMarked::decode(bytes)?;
            DayFact::DocumentMarked(DocumentMarked {
                document: read_receipt(needed("document", read.document)?)?,
                mark: read_word("mark", &MARKS, read.mark)?,
                why: read.why,
            })
        }
        _ => return Ok(None),
    };
    Ok(Some(Fact::Day(fact)))
}
