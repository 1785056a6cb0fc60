//! The bytes of what lines, tenders and tickets tell in addition, and of the facts about baskets beyond the plain sale.
//!
//! Where there is nothing to tell there are no bytes, so a plain sale is written as it ever was.

use std::fmt::Display;
use std::str::FromStr;

use backroom_core::catalog::{PriceVersion, Sku};
use backroom_core::facts::{
    AgeCheck, AgeDecision, Approval, ApprovedAction, BalanceAsked, BalanceEnd, BalanceEnded, HandDiscount, Happened, KeyedPrice,
    KeyedSource, LayawayEnd, LayawayEnded, LayawayForm, LayawayOpened, LineDetails, LineException, LineRole, Quoted, RefundAsked, RefundOf,
    Reserve, ReturnOf, SaleRefused, TenderDetails, TenderKind, TenderVoided, TicketDetails, TicketFact, Voided, VoidedTender, Weighed,
    What, WithoutReceipt,
};
use backroom_core::ids::{AccountId, IdError, LayawayId, ReadingId, TicketId};
use backroom_core::money::{Money, Quantity};
use backroom_core::price::Discount;
use backroom_core::tax::Exemption;
use prost::Message;

use super::{
    Parsed, PayloadError, closed_line, command_id, id, instant, needed, parse, read_all, read_closed_line, read_receipt, read_tender,
    receipt, tender,
};
use crate::v1::journal as wire;

/// A word of this version.
pub fn word<T>(field: &'static str, word: String, read: impl Fn(&str) -> Option<T>) -> Parsed<T> {
    read(&word).ok_or(PayloadError::Word { field, value: word })
}

/// Nothing for an empty text.
fn maybe<T>(field: &'static str, text: &str) -> Parsed<Option<T>>
where
    T: FromStr,
    T::Err: Display,
{
    if text.is_empty() { Ok(None) } else { parse(field, text).map(Some) }
}

fn maybe_id<T>(field: &'static str, bytes: &[u8], read: impl Fn(&[u8]) -> Result<T, IdError>) -> Parsed<Option<T>> {
    if bytes.is_empty() {
        Ok(None)
    } else {
        id(field, read(bytes)).map(Some)
    }
}

fn text<T: Display>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn all<T, E>(field: &'static str, texts: &[String]) -> Parsed<Vec<T>>
where
    T: FromStr<Err = E>,
    E: Display,
{
    texts.iter().map(|text| parse(field, text)).collect()
}

fn small(field: &'static str, number: u32) -> Parsed<u8> {
    u8::try_from(number).map_err(|_| PayloadError::Field {
        field,
        why: format!("{number} is no age"),
    })
}

/// The bytes of a fact of this room.
pub fn encode(fact: &TicketFact) -> Vec<u8> {
    match fact {
        TicketFact::SaleRefused(fact) => wire::SaleRefused {
            ticket: fact.ticket.to_bytes().to_vec(),
            register: fact.register.to_string(),
            sku: fact.sku.to_string(),
            min_age: fact.min_age.into(),
            day: fact.day.to_string(),
        }
        .encode_to_vec(),
        TicketFact::TenderVoided(fact) => wire::TenderVoided {
            ticket: fact.ticket.to_bytes().to_vec(),
            tender: Some(tender(&fact.tender)),
            voided: Some(voided(fact.voided)),
        }
        .encode_to_vec(),
        TicketFact::RefundAsked(fact) => wire::RefundAsked {
            ask: fact.ask.to_bytes().to_vec(),
            ticket: fact.ticket.to_bytes().to_vec(),
            register: fact.register.to_string(),
            till: fact.till.to_string(),
            terminal: fact.terminal.to_string(),
            amount_minor: fact.amount.0,
            of: Some(refund_of(&fact.of)),
            settle: fact.settle,
        }
        .encode_to_vec(),
        TicketFact::BalanceAsked(fact) => wire::BalanceAsked {
            ask: fact.ask.to_bytes().to_vec(),
            ticket: fact.ticket.to_bytes().to_vec(),
            register: fact.register.to_string(),
            till: fact.till.to_string(),
            tender: fact.kind.word().into(),
            account: fact.account.to_bytes().to_vec(),
            amount_minor: fact.amount.0,
            settle: fact.settle,
        }
        .encode_to_vec(),
        TicketFact::BalanceEnded(fact) => wire::BalanceEnded {
            ask: fact.ask.to_bytes().to_vec(),
            ticket: fact.ticket.to_bytes().to_vec(),
            account: fact.account.to_bytes().to_vec(),
            end: fact.end.word().into(),
            why: fact.why.clone(),
        }
        .encode_to_vec(),
        TicketFact::LayawayOpened(fact) => layaway_opened(fact).encode_to_vec(),
        TicketFact::LayawayEnded(fact) => wire::LayawayEnded {
            layaway: fact.layaway.to_bytes().to_vec(),
            end: fact.end.word().into(),
            ticket: fact.ticket.map(|ticket| ticket.to_bytes().to_vec()).unwrap_or_default(),
            fee_minor: fact.fee.0,
            release: fact.release.iter().map(reserve).collect(),
        }
        .encode_to_vec(),
    }
}

pub fn read_sale_refused(bytes: &[u8]) -> Parsed<TicketFact> {
    let read = wire::SaleRefused::decode(bytes)?;
    Ok(TicketFact::SaleRefused(SaleRefused {
        ticket: id("ticket", TicketId::from_slice(&read.ticket))?,
        register: parse("register", &read.register)?,
        sku: parse("sku", &read.sku)?,
        min_age: small("min_age", read.min_age)?,
        day: parse("day", &read.day)?,
    }))
}

pub fn read_tender_voided(bytes: &[u8]) -> Parsed<TicketFact> {
    let read = wire::TenderVoided::decode(bytes)?;
    Ok(TicketFact::TenderVoided(TenderVoided {
        ticket: id("ticket", TicketId::from_slice(&read.ticket))?,
        tender: read_tender(needed("tender", read.tender)?)?,
        voided: read_voided(needed("voided", read.voided)?)?,
    }))
}

pub fn read_refund_asked(bytes: &[u8]) -> Parsed<TicketFact> {
    let read = wire::RefundAsked::decode(bytes)?;
    Ok(TicketFact::RefundAsked(RefundAsked {
        ask: command_id(&read.ask)?,
        ticket: id("ticket", TicketId::from_slice(&read.ticket))?,
        register: parse("register", &read.register)?,
        till: parse("till", &read.till)?,
        terminal: parse("terminal", &read.terminal)?,
        amount: Money(read.amount_minor),
        of: read_refund_of(needed("of", read.of)?)?,
        settle: read.settle,
    }))
}

pub fn read_balance_asked(bytes: &[u8]) -> Parsed<TicketFact> {
    let read = wire::BalanceAsked::decode(bytes)?;
    Ok(TicketFact::BalanceAsked(BalanceAsked {
        ask: command_id(&read.ask)?,
        ticket: id("ticket", TicketId::from_slice(&read.ticket))?,
        register: parse("register", &read.register)?,
        till: parse("till", &read.till)?,
        kind: word("tender", read.tender, TenderKind::from_word)?,
        account: id("account", AccountId::from_slice(&read.account))?,
        amount: Money(read.amount_minor),
        settle: read.settle,
    }))
}

pub fn read_balance_ended(bytes: &[u8]) -> Parsed<TicketFact> {
    let read = wire::BalanceEnded::decode(bytes)?;
    Ok(TicketFact::BalanceEnded(BalanceEnded {
        ask: command_id(&read.ask)?,
        ticket: id("ticket", TicketId::from_slice(&read.ticket))?,
        account: id("account", AccountId::from_slice(&read.account))?,
        end: word("end", read.end, BalanceEnd::from_word)?,
        why: read.why,
    }))
}

fn layaway_opened(fact: &LayawayOpened) -> wire::LayawayOpened {
    wire::LayawayOpened {
        layaway: fact.layaway.to_bytes().to_vec(),
        form: fact.form.word().into(),
        register: fact.register.to_string(),
        customer: fact.customer.to_string(),
        currency: fact.currency.code().into(),
        opened_at_micros: fact.opened_at.as_micros(),
        keep_until: fact.keep_until.to_string(),
        lines: fact.lines.iter().map(closed_line).collect(),
        total_minor: fact.total.0,
        deposit_least_minor: fact.deposit_least.0,
        fee_minor: fact.fee.0,
        reserve: fact.reserve.iter().map(reserve).collect(),
    }
}

pub fn read_layaway_opened(bytes: &[u8]) -> Parsed<TicketFact> {
    let read = wire::LayawayOpened::decode(bytes)?;
    Ok(TicketFact::LayawayOpened(Box::new(LayawayOpened {
        layaway: id("layaway", LayawayId::from_slice(&read.layaway))?,
        form: word("form", read.form, LayawayForm::from_word)?,
        register: parse("register", &read.register)?,
        customer: parse("customer", &read.customer)?,
        currency: parse("currency", &read.currency)?,
        opened_at: instant(read.opened_at_micros)?,
        keep_until: parse("keep_until", &read.keep_until)?,
        lines: read_all(read.lines, read_closed_line)?,
        total: Money(read.total_minor),
        deposit_least: Money(read.deposit_least_minor),
        fee: Money(read.fee_minor),
        reserve: read_all(read.reserve, read_reserve)?,
    })))
}

pub fn read_layaway_ended(bytes: &[u8]) -> Parsed<TicketFact> {
    let read = wire::LayawayEnded::decode(bytes)?;
    Ok(TicketFact::LayawayEnded(LayawayEnded {
        layaway: id("layaway", LayawayId::from_slice(&read.layaway))?,
        end: word("end", read.end, LayawayEnd::from_word)?,
        ticket: maybe_id("ticket", &read.ticket, TicketId::from_slice)?,
        fee: Money(read.fee_minor),
        release: read_all(read.release, read_reserve)?,
    }))
}

fn reserve(reserve: &Reserve) -> wire::Reserve {
    wire::Reserve {
        sku: reserve.sku.to_string(),
        quantity_milli: reserve.quantity.0,
    }
}

fn read_reserve(read: wire::Reserve) -> Parsed<Reserve> {
    Ok(Reserve {
        sku: parse::<Sku>("sku", &read.sku)?,
        quantity: Quantity(read.quantity_milli),
    })
}

fn voided(voided: Voided) -> wire::Voided {
    wire::Voided {
        command_id: voided.command_id.to_bytes().to_vec(),
        at_micros: voided.at.as_micros(),
    }
}

fn read_voided(read: wire::Voided) -> Parsed<Voided> {
    Ok(Voided {
        command_id: command_id(&read.command_id)?,
        at: instant(read.at_micros)?,
    })
}

/// What a line tells in addition; nothing where it tells nothing.
pub fn line(details: &LineDetails) -> Option<wire::LineDetails> {
    if *details == LineDetails::default() {
        return None;
    }
    let role = Some(details.role).filter(|role| *role != LineRole::default());
    Some(wire::LineDetails {
        role: role.map(|role| role.word().into()).unwrap_or_default(),
        follows: details.follows.unwrap_or_default(),
        weighed: details.weighed.map(|weighed| wire::Weighed {
            reading: weighed.reading.to_bytes().to_vec(),
            gross_milli: weighed.gross.0,
            tare_milli: weighed.tare.0,
        }),
        serial: details.serial.clone().unwrap_or_default(),
        lot: details.lot.clone().unwrap_or_default(),
        epc: details.epc.clone().unwrap_or_default(),
        exception: details.exception.map(|what| what.word().into()).unwrap_or_default(),
        keyed: details.keyed.map(|keyed| wire::KeyedPrice {
            source: keyed.source.word().into(),
            price_minor: keyed.price.0,
            reason: text(keyed.reason),
        }),
        discount: details.discount.as_ref().map(discount),
        returns: details.returns.map(|of| wire::ReturnOf {
            receipt: Some(receipt(of.receipt)),
            line: of.line,
        }),
        layaway: details.layaway.map(|layaway| layaway.to_bytes().to_vec()).unwrap_or_default(),
        without_receipt: text(details.without_receipt.map(|without| without.reason)),
        notes: details.notes.iter().map(ToString::to_string).collect(),
    })
}

pub fn read_line(read: Option<wire::LineDetails>) -> Parsed<LineDetails> {
    let Some(read) = read else { return Ok(LineDetails::default()) };
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let weighed = |read: wire::Weighed| -> Parsed<Weighed> {
        Ok(Weighed {
            reading: id("reading", ReadingId::from_slice(&read.reading))?,
            gross: Quantity(read.gross_milli),
            tare: Quantity(read.tare_milli),
        })
    };
    let keyed = |read: wire::KeyedPrice| -> Parsed<KeyedPrice> {
        Ok(KeyedPrice {
            source: word("source", read.source, KeyedSource::from_word)?,
            price: Money(read.price_minor),
            reason: maybe("reason", &read.reason)?,
        })
    };
    let returns = |read: wire::ReturnOf| -> Parsed<ReturnOf> {
        Ok(ReturnOf {
            receipt: read_receipt(needed("receipt", read.receipt)?)?,
            line: read.line,
        })
    };
    let exception = some(read.exception).map(|what| word("exception", what, LineException::from_word));
    Ok(LineDetails {
        role: some(read.role)
            .map(|role| word("role", role, LineRole::from_word))
            .transpose()?
            .unwrap_or_default(),
        follows: Some(read.follows).filter(|line| *line != 0),
        weighed: read.weighed.map(weighed).transpose()?,
        serial: some(read.serial),
        lot: some(read.lot),
        epc: some(read.epc),
        exception: exception.transpose()?,
        keyed: read.keyed.map(keyed).transpose()?,
        discount: read.discount.map(read_discount).transpose()?,
        returns: read.returns.map(returns).transpose()?,
        layaway: maybe_id("layaway", &read.layaway, LayawayId::from_slice)?,
        without_receipt: maybe("without_receipt", &read.without_receipt)?.map(|reason| WithoutReceipt { reason }),
        notes: all("note", &read.notes)?,
    })
}

fn discount(given: &HandDiscount) -> wire::HandDiscount {
    let (percent, amount) = match given.discount {
        Discount::Percent(percent) => (String::from(percent), Money::ZERO),
        Discount::Amount(amount) => (String::new(), amount),
    };
    wire::HandDiscount {
        percent,
        amount_minor: amount.0,
        reason: given.reason.to_string(),
    }
}

fn read_discount(read: wire::HandDiscount) -> Parsed<HandDiscount> {
    let percent = || read.percent.clone().try_into().map(Discount::Percent);
    let wrong = |error: backroom_core::price::PercentError| PayloadError::Field {
        field: "percent",
        why: error.to_string(),
    };
    Ok(HandDiscount {
        discount: if read.percent.is_empty() {
            Discount::Amount(Money(read.amount_minor))
        } else {
            percent().map_err(wrong)?
        },
        reason: parse("reason", &read.reason)?,
    })
}

pub fn refund_of(of: &RefundOf) -> wire::RefundOf {
    wire::RefundOf {
        receipt: Some(receipt(of.receipt)),
        tender: of.tender.to_bytes().to_vec(),
        attempt: of.attempt.clone().unwrap_or_default(),
    }
}

fn read_refund_of(read: wire::RefundOf) -> Parsed<RefundOf> {
    Ok(RefundOf {
        receipt: read_receipt(needed("receipt", read.receipt)?)?,
        tender: command_id(&read.tender)?,
        attempt: Some(read.attempt).filter(|attempt| !attempt.is_empty()),
    })
}

fn approval(approval: &Approval) -> wire::Approval {
    wire::Approval {
        id: approval.id.to_bytes().to_vec(),
        action: approval.action.word().into(),
        line: approval.line.unwrap_or_default(),
        by: approval.by.to_string(),
        staff: approval.staff.to_string(),
    }
}

fn read_approval(read: wire::Approval) -> Parsed<Approval> {
    Ok(Approval {
        id: command_id(&read.id)?,
        action: word("action", read.action, ApprovedAction::from_word)?,
        line: Some(read.line).filter(|line| *line != 0),
        by: parse("by", &read.by)?,
        staff: parse("staff", &read.staff)?,
    })
}

/// What a tender tells in addition; nothing where it tells nothing.
pub fn tender_details(details: &TenderDetails) -> Option<wire::TenderDetails> {
    (*details != TenderDetails::default()).then(|| wire::TenderDetails {
        tip_minor: details.tip.0,
        account: details.account.map(|account| account.to_bytes().to_vec()).unwrap_or_default(),
        voucher: details.voucher.clone().unwrap_or_default(),
        refund_of: details.refund_of.as_ref().map(refund_of),
        approval: details.approval.as_ref().map(approval),
    })
}

pub fn read_tender_details(read: Option<wire::TenderDetails>) -> Parsed<TenderDetails> {
    let Some(read) = read else { return Ok(TenderDetails::default()) };
    Ok(TenderDetails {
        tip: Money(read.tip_minor),
        account: maybe_id("account", &read.account, AccountId::from_slice)?,
        voucher: Some(read.voucher).filter(|voucher| !voucher.is_empty()),
        refund_of: read.refund_of.map(read_refund_of).transpose()?,
        approval: read.approval.map(read_approval).transpose()?,
    })
}

/// What a ticket tells in addition; nothing where it tells nothing.
pub fn ticket(details: &TicketDetails) -> Option<wire::TicketDetails> {
    (*details != TicketDetails::default()).then(|| wire::TicketDetails {
        pinned: details.pinned.map(|pinned| wire::Pinned {
            catalog: pinned.catalog,
            directive: pinned.directive,
        }),
        customer: text(details.customer),
        groups: details.groups.clone(),
        coupons: details.coupons.clone(),
        discount: details.discount.as_ref().map(discount),
        exemption: details.exemption.as_ref().map(|exemption| wire::Exemption {
            taxes: exemption.taxes.clone(),
            reason: exemption.reason.clone(),
        }),
        age_checks: details.age_checks.iter().map(age_check).collect(),
        approvals: details.approvals.iter().map(approval).collect(),
        notes: details.notes.iter().map(ToString::to_string).collect(),
        voided_tenders: details.voided_tenders.iter().map(voided_tender).collect(),
        layaway: details.layaway.map(|layaway| layaway.to_bytes().to_vec()).unwrap_or_default(),
        quoted: details.quoted.map(|quoted| wire::Quoted {
            net_minor: quoted.net.0,
            tax_minor: quoted.tax.0,
            holds_until: quoted.holds_until.to_string(),
        }),
        tax_day: text(details.tax_day),
        history: details.history.iter().map(happened).collect(),
    })
}

pub fn read_ticket(read: Option<wire::TicketDetails>) -> Parsed<TicketDetails> {
    let Some(read) = read else { return Ok(TicketDetails::default()) };
    let quoted = |read: wire::Quoted| -> Parsed<Quoted> {
        Ok(Quoted {
            net: Money(read.net_minor),
            tax: Money(read.tax_minor),
            holds_until: parse("holds_until", &read.holds_until)?,
        })
    };
    let voided_tender = |read: wire::VoidedTender| -> Parsed<VoidedTender> {
        Ok(VoidedTender {
            tender: read_tender(needed("tender", read.tender)?)?,
            voided: read_voided(needed("voided", read.voided)?)?,
        })
    };
    Ok(TicketDetails {
        pinned: read.pinned.map(|pinned| PriceVersion {
            catalog: pinned.catalog,
            directive: pinned.directive,
        }),
        customer: maybe("customer", &read.customer)?,
        groups: read.groups,
        coupons: read.coupons,
        discount: read.discount.map(read_discount).transpose()?,
        exemption: read.exemption.map(|exemption| Exemption {
            taxes: exemption.taxes,
            reason: exemption.reason,
        }),
        age_checks: read_all(read.age_checks, read_age_check)?,
        approvals: read_all(read.approvals, read_approval)?,
        notes: all("note", &read.notes)?,
        voided_tenders: read_all(read.voided_tenders, voided_tender)?,
        layaway: maybe_id("layaway", &read.layaway, LayawayId::from_slice)?,
        quoted: read.quoted.map(quoted).transpose()?,
        tax_day: maybe("tax_day", &read.tax_day)?,
        history: read_all(read.history, read_happened)?,
    })
}

fn voided_tender(gone: &VoidedTender) -> wire::VoidedTender {
    wire::VoidedTender {
        tender: Some(tender(&gone.tender)),
        voided: Some(voided(gone.voided)),
    }
}

fn age_check(check: &AgeCheck) -> wire::AgeCheck {
    wire::AgeCheck {
        command_id: check.command_id.to_bytes().to_vec(),
        at_micros: check.at.as_micros(),
        staff: check.staff.to_string(),
        min_age: check.min_age.into(),
        day: check.day.to_string(),
        decision: check.decision.word().into(),
    }
}

fn read_age_check(read: wire::AgeCheck) -> Parsed<AgeCheck> {
    Ok(AgeCheck {
        command_id: command_id(&read.command_id)?,
        at: instant(read.at_micros)?,
        staff: parse("staff", &read.staff)?,
        min_age: small("min_age", read.min_age)?,
        day: parse("day", &read.day)?,
        decision: word("decision", read.decision, AgeDecision::from_word)?,
    })
}

fn happened(happened: &Happened) -> wire::Happened {
    wire::Happened {
        command_id: happened.command_id.to_bytes().to_vec(),
        at_micros: happened.at.as_micros(),
        what: happened.what.word().into(),
        line: happened.line.unwrap_or_default(),
        staff: text(happened.staff),
        register: text(happened.register),
    }
}

fn read_happened(read: wire::Happened) -> Parsed<Happened> {
    Ok(Happened {
        command_id: command_id(&read.command_id)?,
        at: instant(read.at_micros)?,
        what: word("what", read.what, What::from_word)?,
        line: Some(read.line).filter(|line| *line != 0),
        staff: maybe("staff", &read.staff)?,
        register: maybe("register", &read.register)?,
    })
}
