//! The bytes of facts about accounts and leases.

use backroom_core::accounts::{Account, AccountKind, CardMark, Value};
use backroom_core::facts::Kind;
use backroom_core::facts::accounts::{
    AccountChanged, AccountMoved, AccountOpened, AccountsFact, Change, Draw, InvoicePaid, LeaseAsked, LeaseClosed, LeaseEnd, LeaseGranted,
    LeaseName, LeaseReturned, LeaseTaken, Moved, OfficeSeen, Outflow, Payment, PointsLine, Seen, Worth,
};
use backroom_core::ids::{AccountId, LeaseId, TicketId};
use backroom_core::journal::Epoch;
use backroom_core::money::{Money, Quantity};
use backroom_core::time::BusinessDay;
use prost::Message;

use super::counter::{read_word, word};
use super::{Parsed, PayloadError, command_id, hash, id, instant, needed, parse, read_all, read_receipt, receipt};
use crate::v1::journal as wire;

const KINDS: [(AccountKind, &str); 4] = [
    (AccountKind::GiftCard, "gift_card"),
    (AccountKind::StoreCredit, "store_credit"),
    (AccountKind::Points, "points"),
    (AccountKind::OnAccount, "on_account"),
];
const LEASE_ENDS: [(LeaseEnd, &str); 4] = [
    (LeaseEnd::HandedBack, "handed_back"),
    (LeaseEnd::Expired, "expired"),
    (LeaseEnd::Refused, "refused"),
    (LeaseEnd::GivenUp, "given_up"),
];

pub fn encode(fact: &AccountsFact) -> Vec<u8> {
    match fact {
        AccountsFact::AccountOpened(fact) => wire::AccountOpened {
            account: Some(account(fact.account)),
            card_hash: fact.card.map(|card| card.hash.0.to_vec()).unwrap_or_default(),
            last_four: fact.card.map(|card| card.last_four.to_string()).unwrap_or_default(),
            customer: fact.customer.map(|customer| customer.to_string()).unwrap_or_default(),
        }
        .encode_to_vec(),
        AccountsFact::AccountMoved(fact) => moved(fact).encode_to_vec(),
        AccountsFact::AccountChanged(fact) => {
            let (change, limit) = match fact.change {
                Change::Blocked => ("blocked", 0),
                Change::Unblocked => ("unblocked", 0),
                Change::CreditLimit { limit } => ("credit_limit", limit.get()),
            };
            wire::AccountChanged {
                account: Some(account(fact.account)),
                change: change.into(),
                limit,
            }
            .encode_to_vec()
        }
        AccountsFact::LeaseAsked(fact) => wire::LeaseAsked {
            lease: fact.lease.to_bytes().to_vec(),
            account: Some(account(fact.account)),
            amount: fact.amount.get(),
            payment: fact.payment.map(|payment| wire::AccountPayment {
                ticket: payment.ticket.to_bytes().to_vec(),
                whole: payment.whole.get(),
                worth: payment.worth.map(worth),
            }),
        }
        .encode_to_vec(),
        AccountsFact::LeaseGranted(fact) => wire::LeaseGranted {
            name: Some(wire::LeaseName {
                store: fact.store.to_string(),
                epoch: fact.epoch.0,
                lease: fact.lease.to_bytes().to_vec(),
            }),
            account: Some(account(fact.account)),
            amount: fact.amount.get(),
            until_micros: fact.until.as_micros(),
            incarnation: fact.incarnation,
        }
        .encode_to_vec(),
        AccountsFact::LeaseTaken(fact) => wire::LeaseTaken {
            lease: fact.lease.to_bytes().to_vec(),
            account: Some(account(fact.account)),
            amount: fact.amount.get(),
            until_micros: fact.until.as_micros(),
        }
        .encode_to_vec(),
        AccountsFact::LeaseReturned(fact) => wire::LeaseReturned {
            lease: fact.lease.to_bytes().to_vec(),
            account: Some(account(fact.account)),
            amount: fact.amount.get(),
            end: word(&LEASE_ENDS, fact.end),
        }
        .encode_to_vec(),
        AccountsFact::LeaseClosed(fact) => wire::LeaseClosed {
            name: Some(lease_name(fact.name)),
            account: Some(account(fact.account)),
            released: fact.released.get(),
        }
        .encode_to_vec(),
        AccountsFact::OfficeSeen(fact) => {
            let (seen, store) = match fact.seen {
                Seen::Began => ("began", String::new()),
                Seen::Heard => ("heard", String::new()),
                Seen::Vouched { store } => ("vouched", store.to_string()),
            };
            wire::OfficeSeen {
                incarnation: fact.incarnation,
                seen: seen.into(),
                store,
            }
            .encode_to_vec()
        }
    }
}

/// `None` for a kind that is none of these.
pub fn decode(kind: Kind, bytes: &[u8]) -> Parsed<Option<AccountsFact>> {
    Ok(Some(match kind {
        Kind::AccountOpened => AccountsFact::AccountOpened(read_opened(wire::AccountOpened::decode(bytes)?)?),
        Kind::AccountMoved => AccountsFact::AccountMoved(Box::new(read_moved(wire::AccountMoved::decode(bytes)?)?)),
        Kind::AccountChanged => AccountsFact::AccountChanged(read_changed(wire::AccountChanged::decode(bytes)?)?),
        Kind::LeaseAsked => {
            let read = wire::LeaseAsked::decode(bytes)?;
            AccountsFact::LeaseAsked(LeaseAsked {
                lease: lease(&read.lease)?,
                account: read_account("account", read.account)?,
                amount: value("amount", read.amount)?,
                payment: read.payment.map(read_payment).transpose()?,
            })
        }
        Kind::LeaseGranted => {
            let read = wire::LeaseGranted::decode(bytes)?;
            let LeaseName { store, epoch, lease } = read_lease_name(needed("name", read.name)?)?;
            AccountsFact::LeaseGranted(LeaseGranted {
                lease,
                account: read_account("account", read.account)?,
                store,
                epoch,
                amount: value("amount", read.amount)?,
                until: instant(read.until_micros)?,
                incarnation: read.incarnation,
            })
        }
        Kind::LeaseTaken => {
            let read = wire::LeaseTaken::decode(bytes)?;
            AccountsFact::LeaseTaken(LeaseTaken {
                lease: lease(&read.lease)?,
                account: read_account("account", read.account)?,
                amount: value("amount", read.amount)?,
                until: instant(read.until_micros)?,
            })
        }
        Kind::LeaseReturned => {
            let read = wire::LeaseReturned::decode(bytes)?;
            AccountsFact::LeaseReturned(LeaseReturned {
                lease: lease(&read.lease)?,
                account: read_account("account", read.account)?,
                amount: value("amount", read.amount)?,
                end: read_word("end", &LEASE_ENDS, read.end)?,
            })
        }
        Kind::LeaseClosed => {
            let read = wire::LeaseClosed::decode(bytes)?;
            AccountsFact::LeaseClosed(LeaseClosed {
                name: read_lease_name(needed("name", read.name)?)?,
                account: read_account("account", read.account)?,
                released: value("released", read.released)?,
            })
        }
        Kind::OfficeSeen => AccountsFact::OfficeSeen(read_seen(wire::OfficeSeen::decode(bytes)?)?),
        _ => return Ok(None),
    }))
}

fn account(account: Account) -> wire::AccountRef {
    wire::AccountRef {
        account: account.id.to_bytes().to_vec(),
        kind: account.kind.word().into(),
        unit: account.unit.word().into(),
    }
}

fn read_account(field: &'static str, read: Option<wire::AccountRef>) -> Parsed<Account> {
    let read = needed(field, read)?;
    Ok(Account {
        id: id(field, AccountId::from_slice(&read.account))?,
        kind: read_word("account kind", &KINDS, read.kind)?,
        unit: read.unit.try_into().map_err(|why| wrong("unit", &why))?,
    })
}

fn read_opened(read: wire::AccountOpened) -> Parsed<AccountOpened> {
    let card = if read.card_hash.is_empty() {
        None
    } else {
        Some(CardMark {
            hash: hash("card hash", &read.card_hash)?,
            last_four: parse("last four", &read.last_four)?,
        })
    };
    Ok(AccountOpened {
        account: read_account("account", read.account)?,
        card,
        customer: (!read.customer.is_empty()).then(|| parse("customer", &read.customer)).transpose()?,
    })
}

fn moved(fact: &AccountMoved) -> wire::AccountMoved {
    let mut bytes = wire::AccountMoved {
        command: fact.command.to_bytes().to_vec(),
        account: Some(account(fact.account)),
        amount: fact.amount.get(),
        ticket: fact.ticket.map(|ticket| ticket.to_bytes().to_vec()).unwrap_or_default(),
        receipt: fact.receipt.map(receipt),
        ..wire::AccountMoved::default()
    };
    let word = match &fact.moved {
        Moved::Sold => "sold",
        Moved::Reloaded => "reloaded",
        Moved::RefundedTo => "refunded_to",
        Moved::Issued => "issued",
        Moved::Paid { invoices } => {
            let paid = |paid: &InvoicePaid| wire::InvoicePaid {
                invoice: paid.invoice.to_bytes().to_vec(),
                amount: paid.amount.get(),
            };
            bytes.invoices = invoices.iter().map(paid).collect();
            "paid"
        }
        Moved::Earned { expires, lines } => {
            bytes.expires_days = expires.map(BusinessDay::to_days);
            bytes.lines = lines.iter().map(points_line).collect();
            "earned"
        }
        Moved::Spent(out) => {
            bytes.out = Some(outflow(out));
            "spent"
        }
        Moved::TakenBack { of, lines, out } => {
            bytes.of = of.to_bytes().to_vec();
            bytes.lines = lines.iter().map(points_line).collect();
            bytes.out = Some(outflow(out));
            "taken_back"
        }
        Moved::Reversed {
            of,
            covered,
            uncovered,
            worth: given,
        } => {
            bytes.of = of.to_bytes().to_vec();
            bytes.covered = covered.get();
            bytes.uncovered = uncovered.get();
            bytes.worth = given.map(worth);
            "reversed"
        }
        Moved::Expired => "expired",
        Moved::Replaced { by, out } => {
            bytes.by = Some(account(*by));
            bytes.out = Some(outflow(out));
            "replaced"
        }
        Moved::CorrectedIn => "corrected_in",
        Moved::CorrectedOut { from } => {
            bytes.from = from.map(lease_name);
            "corrected_out"
        }
    };
    bytes.moved = word.into();
    bytes
}

fn read_moved(read: wire::AccountMoved) -> Parsed<AccountMoved> {
    let out = |out: Option<wire::AccountOutflow>| read_outflow(needed("out", out)?);
    let moved = match read.moved.as_str() {
        "sold" => Moved::Sold,
        "reloaded" => Moved::Reloaded,
        "refunded_to" => Moved::RefundedTo,
        "issued" => Moved::Issued,
        "paid" => Moved::Paid {
            invoices: read_all(read.invoices, |paid| {
                Ok(InvoicePaid {
                    invoice: command_id(&paid.invoice)?,
                    amount: value("invoice amount", paid.amount)?,
                })
            })?,
        },
        "earned" => Moved::Earned {
            expires: read.expires_days.map(day).transpose()?,
            lines: read_all(read.lines, read_points_line)?,
        },
        "spent" => Moved::Spent(out(read.out)?),
        "taken_back" => Moved::TakenBack {
            of: command_id(&read.of)?,
            lines: read_all(read.lines, read_points_line)?,
            out: out(read.out)?,
        },
        "reversed" => Moved::Reversed {
            of: command_id(&read.of)?,
            covered: value("covered", read.covered)?,
            uncovered: value("uncovered", read.uncovered)?,
            worth: read.worth.map(read_worth).transpose()?,
        },
        "expired" => Moved::Expired,
        "replaced" => Moved::Replaced {
            by: read_account("by", read.by)?,
            out: out(read.out)?,
        },
        "corrected_in" => Moved::CorrectedIn,
        "corrected_out" => Moved::CorrectedOut {
            from: read.from.map(read_lease_name).transpose()?,
        },
        _ => return Err(unknown("moved", read.moved)),
    };
    Ok(AccountMoved {
        command: command_id(&read.command)?,
        account: read_account("account", read.account)?,
        amount: value("amount", read.amount)?,
        ticket: (!read.ticket.is_empty()).then(|| ticket(&read.ticket)).transpose()?,
        receipt: read.receipt.map(read_receipt).transpose()?,
        moved,
    })
}

fn outflow(out: &Outflow) -> wire::AccountOutflow {
    let draw = |draw: &Draw| wire::LeaseDraw {
        lease: draw.lease.to_bytes().to_vec(),
        amount: draw.amount.get(),
    };
    wire::AccountOutflow {
        draws: out.draws.iter().map(draw).collect(),
        uncovered: out.uncovered.get(),
        worth: out.worth.map(worth),
    }
}

fn read_outflow(read: wire::AccountOutflow) -> Parsed<Outflow> {
    let draw = |draw: wire::LeaseDraw| {
        Ok(Draw {
            lease: lease(&draw.lease)?,
            amount: value("draw", draw.amount)?,
        })
    };
    Ok(Outflow {
        draws: read_all(read.draws, draw)?,
        uncovered: value("uncovered", read.uncovered)?,
        worth: read.worth.map(read_worth).transpose()?,
    })
}

fn points_line(line: &PointsLine) -> wire::PointsLine {
    wire::PointsLine {
        line: line.line,
        quantity_milli: line.quantity.0,
        points: line.points.get(),
    }
}

fn read_points_line(read: wire::PointsLine) -> Parsed<PointsLine> {
    Ok(PointsLine {
        line: read.line,
        quantity: Quantity(read.quantity_milli),
        points: value("points", read.points)?,
    })
}

fn worth(worth: Worth) -> wire::AccountWorth {
    wire::AccountWorth {
        amount_minor: worth.amount.0,
        currency: worth.currency.code().into(),
    }
}

fn read_worth(read: wire::AccountWorth) -> Parsed<Worth> {
    Ok(Worth {
        amount: Money(read.amount_minor),
        currency: parse("currency", &read.currency)?,
    })
}

fn read_payment(read: wire::AccountPayment) -> Parsed<Payment> {
    Ok(Payment {
        ticket: ticket(&read.ticket)?,
        whole: value("whole", read.whole)?,
        worth: read.worth.map(read_worth).transpose()?,
    })
}

fn lease_name(name: LeaseName) -> wire::LeaseName {
    wire::LeaseName {
        store: name.store.to_string(),
        epoch: name.epoch.0,
        lease: name.lease.to_bytes().to_vec(),
    }
}

fn read_lease_name(read: wire::LeaseName) -> Parsed<LeaseName> {
    Ok(LeaseName {
        store: parse("store", &read.store)?,
        epoch: Epoch(read.epoch),
        lease: lease(&read.lease)?,
    })
}

fn read_changed(read: wire::AccountChanged) -> Parsed<AccountChanged> {
    let change = match read.change.as_str() {
        "blocked" => Change::Blocked,
        "unblocked" => Change::Unblocked,
        "credit_limit" => Change::CreditLimit {
            limit: value("limit", read.limit)?,
        },
        _ => return Err(unknown("change", read.change)),
    };
    let account = read_account("account", read.account)?;
    Ok(AccountChanged { account, change })
}

fn read_seen(read: wire::OfficeSeen) -> Parsed<OfficeSeen> {
    let seen = match read.seen.as_str() {
        "began" => Seen::Began,
        "heard" => Seen::Heard,
        "vouched" => Seen::Vouched {
            store: parse("store", &read.store)?,
        },
        _ => return Err(unknown("seen", read.seen)),
    };
    Ok(OfficeSeen {
        incarnation: read.incarnation,
        seen,
    })
}

fn value(field: &'static str, amount: i64) -> Parsed<Value> {
    Value::try_from(amount).map_err(|why| wrong(field, &why))
}

fn day(days: i32) -> Parsed<BusinessDay> {
    BusinessDay::from_days(days).map_err(|why| wrong("expires", &why))
}

fn lease(bytes: &[u8]) -> Parsed<LeaseId> {
    id("lease", LeaseId::from_slice(bytes))
}

fn ticket(bytes: &[u8]) -> Parsed<TicketId> {
    id("ticket", TicketId::from_slice(bytes))
}

fn wrong(field: &'static str, why: &dyn std::fmt::Display) -> PayloadError {
    PayloadError::Field {
        field,
        why: why.to_string(),
    }
}

fn unknown(field: &'static str, value: String) -> PayloadError {
    PayloadError::Word { field, value }
}
