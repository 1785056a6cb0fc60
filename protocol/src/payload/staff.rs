//! The bytes of facts about people: roles, approvals, working times, wrong PINs.

use std::collections::BTreeMap;

use backroom_core::facts::{
    ApprovalGiven, ApprovalUsed, ClockCorrected, Clocked, PinRefused, RoleSet, RolesGiven, StaffBlocked, StaffFact,
};
use backroom_core::ids::TicketId;
use backroom_core::money::Money;
use backroom_core::staff::{ClockMark, Limits, Role, Rule, Size, Subject, Verdict};
use prost::Message;

use super::counter::{read_word, word};
use super::till::read_day;
use super::{Fact, Kind, Parsed, PayloadError, command_id, id, instant, needed, parse, read_all};
use crate::v1::journal as wire;

const VERDICTS: [(Verdict, &str); 3] = [(Verdict::Allow, "allow"), (Verdict::Approval, "approval"), (Verdict::Deny, "deny")];
const MARKS: [(ClockMark, &str); 4] = [
    (ClockMark::In, "in"),
    (ClockMark::BreakBegun, "break_begun"),
    (ClockMark::BreakEnded, "break_ended"),
    (ClockMark::Out, "out"),
];

pub fn encode(fact: &StaffFact) -> Vec<u8> {
    match fact {
        StaffFact::RoleSet(fact) => role_set(fact).encode_to_vec(),
        StaffFact::RolesGiven(fact) => wire::RolesGiven {
            staff: fact.staff.to_string(),
            roles: fact.roles.iter().map(ToString::to_string).collect(),
        }
        .encode_to_vec(),
        StaffFact::StaffBlocked(fact) => wire::StaffBlocked {
            staff: fact.staff.to_string(),
            by: fact.by.to_string(),
            blocked: fact.blocked,
        }
        .encode_to_vec(),
        StaffFact::ApprovalGiven(fact) => wire::ApprovalGiven {
            approval: fact.approval.to_bytes().to_vec(),
            action: fact.action.clone(),
            subject: Some(subject(&fact.subject)),
            size: Some(wire::Limits {
                percent_hundredths: fact.size.percent_hundredths,
                amount_minor: fact.size.amount.map(|amount| amount.0),
            }),
            asked_by: fact.asked_by.to_string(),
            approved_by: fact.approved_by.to_string(),
            register: fact.register.to_string(),
            expires_at_micros: fact.expires_at.as_micros(),
        }
        .encode_to_vec(),
        StaffFact::ApprovalUsed(fact) => wire::ApprovalUsed {
            approval: fact.approval.to_bytes().to_vec(),
            used_by: fact.used_by.to_bytes().to_vec(),
            asked_by: fact.asked_by.to_string(),
            approved_by: fact.approved_by.to_string(),
        }
        .encode_to_vec(),
        StaffFact::Clocked(fact) => wire::Clocked {
            staff: fact.staff.to_string(),
            stint: fact.stint.to_bytes().to_vec(),
            mark: word(&MARKS, fact.mark),
        }
        .encode_to_vec(),
        StaffFact::ClockCorrected(fact) => wire::ClockCorrected {
            staff: fact.staff.to_string(),
            stint: fact.stint.to_bytes().to_vec(),
            started_at_micros: fact.started_at.as_micros(),
            ended_at_micros: fact.ended_at.as_micros(),
            by: fact.by.to_string(),
            reason: fact.reason.clone(),
        }
        .encode_to_vec(),
        StaffFact::PinRefused(fact) => wire::PinRefused {
            staff: fact.staff.to_string(),
            register: fact.register.to_string(),
        }
        .encode_to_vec(),
    }
}

pub fn decode(kind: Kind, bytes: &[u8]) -> Parsed<Option<Fact>> {
    let fact = match kind {
        Kind::RoleSet => StaffFact::RoleSet(Box::new(read_role_set(wire::RoleSet::decode(bytes)?)?)),
        Kind::RolesGiven => {
            let read = wire::RolesGiven::decode(bytes)?;
            StaffFact::RolesGiven(RolesGiven {
                staff: parse("staff", &read.staff)?,
                roles: read_all(read.roles, |role| parse("role", &role))?,
            })
        }
        Kind::StaffBlocked => {
            let read = wire::StaffBlocked::decode(bytes)?;
            StaffFact::StaffBlocked(StaffBlocked {
                staff: parse("staff", &read.staff)?,
                by: parse("by", &read.by)?,
                blocked: read.blocked,
            })
        }
        Kind::ApprovalGiven => {
            let read = wire::ApprovalGiven::decode(bytes)?;
            let size = needed("size", read.size)?;
            StaffFact::ApprovalGiven(Box::new(ApprovalGiven {
                approval: command_id(&read.approval)?,
                action: read.action,
                subject: read_subject(needed("subject", read.subject)?)?,
                size: Size {
                    percent_hundredths: size.percent_hundredths,
                    amount: size.amount_minor.map(Money),
                },
                asked_by: parse("asked_by", &read.asked_by)?,
                approved_by: parse("approved_by", &read.approved_by)?,
                register: parse("register", &read.register)?,
                expires_at: instant(read.expires_at_micros)?,
            }))
        }
        Kind::ApprovalUsed => {
            let read = wire::ApprovalUsed::decode(bytes)?;
            StaffFact::ApprovalUsed(ApprovalUsed {
                approval: command_id(&read.approval)?,
                used_by: command_id(&read.used_by)?,
                asked_by: parse("asked_by", &read.asked_by)?,
                approved_by: parse("approved_by", &read.approved_by)?,
            })
        }
        Kind::Clocked => {
            let read = wire::Clocked::decode(bytes)?;
            StaffFact::Clocked(Clocked {
                staff: parse("staff", &read.staff)?,
                stint: command_id(&read.stint)?,
                mark: read_word("mark", &MARKS, read.mark)?,
            })
        }
        Kind::ClockCorrected => {
            let read = wire::ClockCorrected::decode(bytes)?;
            StaffFact::ClockCorrected(ClockCorrected {
                staff: parse("staff", &read.staff)?,
                stint: command_id(&read.stint)?,
                started_at: instant(read.started_at_micros)?,
                ended_at: instant(read.ended_at_micros)?,
                by: parse("by", &read.by)?,
                reason: read.reason,
            })
        }
        Kind::PinRefused => {
            let read = wire::PinRefused::decode(bytes)?;
            StaffFact::PinRefused(PinRefused {
                staff: parse("staff", &read.staff)?,
                register: parse("register", &read.register)?,
            })
        }
        _ => return Ok(None),
    };
    Ok(Some(Fact::Staff(fact)))
}

fn limits(limits: &Limits) -> wire::Limits {
    wire::Limits {
        percent_hundredths: limits.percent_hundredths,
        amount_minor: limits.amount.map(|amount| amount.0),
    }
}

fn read_limits(read: wire::Limits) -> Limits {
    Limits {
        percent_hundredths: read.percent_hundredths,
        amount: read.amount_minor.map(Money),
    }
}

fn role_set(fact: &RoleSet) -> wire::RoleSet {
    let rule = |(action, rule): (&String, &Rule)| {
        let (verdict, within, above) = rule.parts();
        wire::Rule {
            action: action.clone(),
            verdict: word(&VERDICTS, verdict),
            limits: Some(limits(&within)),
            above: word(&VERDICTS, above),
        }
    };
    let approves = |(action, up_to): (&String, &Limits)| wire::Approves {
        action: action.clone(),
        limits: Some(limits(up_to)),
    };
    wire::RoleSet {
        role: fact.role.to_string(),
        rules: fact.rules.rules.iter().map(rule).collect(),
        approves: fact.rules.approves.iter().map(approves).collect(),
    }
}

/// A verdict of a newer version denies, as in core.
fn read_verdict(text: String) -> Verdict {
    read_word("verdict", &VERDICTS, text).unwrap_or(Verdict::Deny)
}

fn read_role_set(read: wire::RoleSet) -> Parsed<RoleSet> {
    let mut rules = BTreeMap::new();
    for rule in read.rules {
        let within = read_limits(needed("limits", rule.limits)?);
        let read = Rule::within(within, read_verdict(rule.verdict), read_verdict(rule.above));
        let read = read.map_err(|error| PayloadError::Field {
            field: "rule",
            why: error.to_string(),
        })?;
        rules.insert(rule.action, read);
    }
    let mut approves = BTreeMap::new();
    for one in read.approves {
        approves.insert(one.action, read_limits(needed("limits", one.limits)?));
    }
    Ok(RoleSet {
        role: parse("role", &read.role)?,
        rules: Role { rules, approves },
    })
}

fn subject(subject: &Subject) -> wire::Subject {
    let on = |word: &str| wire::Subject {
        on: word.into(),
        ..wire::Subject::default()
    };
    let named = |word, name: String| wire::Subject { name, ..on(word) };
    match subject {
        Subject::Line { ticket, line } => wire::Subject {
            ticket: ticket.to_bytes().to_vec(),
            line: *line,
            ..on("line")
        },
        Subject::Ticket { ticket } => wire::Subject {
            ticket: ticket.to_bytes().to_vec(),
            ..on("ticket")
        },
        Subject::Receipt { receipt } => wire::Subject {
            receipt: receipt.to_string(),
            ..on("receipt")
        },
        Subject::Till { till } => named("till", till.to_string()),
        Subject::Register { register } => named("register", register.to_string()),
        Subject::Day { day } => wire::Subject {
            day: day.to_days(),
            ..on("day")
        },
        Subject::Item { sku } => named("item", sku.to_string()),
        Subject::Person { staff } => named("person", staff.to_string()),
    }
}

fn read_subject(read: wire::Subject) -> Parsed<Subject> {
    let ticket = |bytes: &[u8]| id("ticket", TicketId::from_slice(bytes));
    Ok(match read.on.as_str() {
        "line" => Subject::Line {
            ticket: ticket(&read.ticket)?,
            line: read.line,
        },
        "ticket" => Subject::Ticket {
            ticket: ticket(&read.ticket)?,
        },
        "receipt" => Subject::Receipt {
            receipt: parse("receipt", &read.receipt)?,
        },
        "till" => Subject::Till {
            till: parse("till", &read.name)?,
        },
        "register" => Subject::Register {
            register: parse("register", &read.name)?,
        },
        "day" => Subject::Day { day: read_day(read.day)? },
        "item" => Subject::Item {
            sku: parse("item", &read.name)?,
        },
        "person" => Subject::Person {
            staff: parse("person", &read.name)?,
        },
        _ => {
            return Err(PayloadError::Word {
                field: "on",
                value: read.on,
            });
        }
    })
}
