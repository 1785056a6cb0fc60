//! The payload of a journal entry: facts of core to the bytes of `backroom.journal.v1` and back.
//!
//! Reading parses: what comes out is a fact of core or a sentence saying what is wrong with the bytes.

use backroom_core::catalog::{PriceChange, PriceVersion};
use backroom_core::facts::{
    CashMove, CashMoved, CatalogApplied, ClosedLine, ClosedTicket, DirectiveRefused, EpochEnd, EpochOpened, EpochReason, Fact, Kind,
    PriceDirected, PriceReason, ReasonKind, RegisterEnrolled, ShiftClosed, ShiftOpened, SignedIn, StockOpened, TaxSum, Tender, TenderKind,
    TenderTaken, TicketEnd, Voided,
};
use backroom_core::ids::{CommandId, ReceiptNo, ShiftId, TicketId};
use backroom_core::journal::{Entry, Epoch, Hash, Seq};
use backroom_core::money::{Money, Quantity};
use backroom_core::stock::{MoveReason, StockMove};
use backroom_core::tax::PriceMode;
use backroom_core::till::{ReceiptSpan, Totals, ZReport};
use backroom_core::time::Instant;
use prost::Message;

use crate::v1::journal as wire;

mod counter;

/// Why payload bytes are not the fact their header announces.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    #[error("the payload is not protobuf")]
    Protobuf(#[from] prost::DecodeError),
    #[error("{field} is missing")]
    Missing { field: &'static str },
    #[error("{field} is {value:?}, which this version does not know")]
    Word { field: &'static str, value: String },
    #[error("{field} is wrong: {why}")]
    Field { field: &'static str, why: String },
}

type Parsed<T> = Result<T, PayloadError>;

/// The bytes of a fact.
pub fn encode(fact: &Fact) -> Vec<u8> {
    match fact {
        Fact::EpochOpened(fact) => epoch_opened(fact).encode_to_vec(),
        Fact::CatalogApplied(fact) => wire::CatalogApplied {
            version: fact.version,
            hash: fact.hash.0.to_vec(),
            items: fact.items,
        }
        .encode_to_vec(),
        Fact::StockOpened(fact) => wire::StockOpened {
            moves: fact.moves.iter().map(stock_move).collect(),
        }
        .encode_to_vec(),
        Fact::RegisterEnrolled(fact) => wire::RegisterEnrolled {
            register: fact.register.to_string(),
            till: fact.till.to_string(),
        }
        .encode_to_vec(),
        Fact::SignedIn(fact) => wire::SignedIn {
            register: fact.register.to_string(),
            staff: fact.staff.to_string(),
            session: fact.session,
        }
        .encode_to_vec(),
        Fact::ShiftOpened(fact) => wire::ShiftOpened {
            shift: fact.shift.to_bytes().to_vec(),
            till: fact.till.to_string(),
            register: fact.register.to_string(),
            float_minor: fact.float.0,
        }
        .encode_to_vec(),
        Fact::CashMoved(fact) => wire::CashMoved {
            shift: fact.shift.to_bytes().to_vec(),
            till: fact.till.to_string(),
            r#move: cash_move_word(fact.kind).into(),
            amount_minor: fact.amount.0,
            reason: fact.reason.clone(),
        }
        .encode_to_vec(),
        Fact::TenderTaken(fact) => wire::TenderTaken {
            ticket: fact.ticket.to_bytes().to_vec(),
            tender: Some(tender(&fact.tender)),
        }
        .encode_to_vec(),
        Fact::TicketClosed(fact) => closed_ticket(fact).encode_to_vec(),
        Fact::ShiftClosed(fact) => wire::ShiftClosed {
            shift: fact.shift.to_bytes().to_vec(),
            till: fact.till.to_string(),
            z: Some(z_report(&fact.z)),
        }
        .encode_to_vec(),
        Fact::PriceDirected(fact) => wire::PriceDirected {
            directive: fact.directive,
            sku: fact.change.sku.to_string(),
            price_minor: fact.change.price.0,
            currency: fact.change.currency.code().into(),
            effective_at_micros: fact.change.effective_at.as_micros(),
        }
        .encode_to_vec(),
        Fact::DirectiveRefused(fact) => wire::DirectiveRefused {
            directive: fact.directive,
            why: fact.why.clone(),
        }
        .encode_to_vec(),
        Fact::CardAsked(fact) => counter::card_asked(fact).encode_to_vec(),
        Fact::CardBegun(fact) => counter::card_begun(fact).encode_to_vec(),
        Fact::CardEnded(fact) => counter::card_ended(fact).encode_to_vec(),
        Fact::FoundCapture(fact) => counter::found_capture(fact).encode_to_vec(),
        Fact::EffectWanted(fact) => counter::effect_wanted(fact).encode_to_vec(),
        Fact::EffectEnded(fact) => counter::effect_ended(fact).encode_to_vec(),
        Fact::ShelfCounted(fact) => counter::shelf_counted(fact).encode_to_vec(),
    }
}

/// The fact in an entry; `None` for a kind of a newer version, which is carried as it is.
pub fn fact(entry: &Entry) -> Parsed<Option<Fact>> {
    decode(entry.header.kind, entry.payload())
}

/// The fact in payload bytes of a kind.
pub fn decode(kind: u16, bytes: &[u8]) -> Parsed<Option<Fact>> {
    let Some(kind) = Kind::from_number(kind) else { return Ok(None) };
    let fact = match kind {
        Kind::EpochOpened => Fact::EpochOpened(read_epoch_opened(wire::EpochOpened::decode(bytes)?)?),
        Kind::CatalogApplied => {
            let read = wire::CatalogApplied::decode(bytes)?;
            Fact::CatalogApplied(CatalogApplied {
                version: read.version,
                hash: hash("hash", &read.hash)?,
                items: read.items,
            })
        }
        Kind::StockOpened => Fact::StockOpened(StockOpened {
            moves: read_all(wire::StockOpened::decode(bytes)?.moves, read_stock_move)?,
        }),
        Kind::RegisterEnrolled => {
            let read = wire::RegisterEnrolled::decode(bytes)?;
            Fact::RegisterEnrolled(RegisterEnrolled {
                register: parse("register", &read.register)?,
                till: parse("till", &read.till)?,
            })
        }
        Kind::SignedIn => {
            let read = wire::SignedIn::decode(bytes)?;
            let (register, staff) = (parse("register", &read.register)?, parse("staff", &read.staff)?);
            Fact::SignedIn(SignedIn {
                register,
                staff,
                session: read.session,
            })
        }
        Kind::ShiftOpened => {
            let read = wire::ShiftOpened::decode(bytes)?;
            Fact::ShiftOpened(ShiftOpened {
                shift: shift(&read.shift)?,
                till: parse("till", &read.till)?,
                register: parse("register", &read.register)?,
                float: Money(read.float_minor),
            })
        }
        Kind::CashMoved => {
            let read = wire::CashMoved::decode(bytes)?;
            Fact::CashMoved(CashMoved {
                shift: shift(&read.shift)?,
                till: parse("till", &read.till)?,
                kind: read_cash_move(read.r#move)?,
                amount: Money(read.amount_minor),
                reason: read.reason,
            })
        }
        Kind::TenderTaken => {
            let read = wire::TenderTaken::decode(bytes)?;
            let ticket = id("ticket", TicketId::from_slice(&read.ticket))?;
            Fact::TenderTaken(TenderTaken {
                ticket,
                tender: read_tender(needed("tender", read.tender)?)?,
            })
        }
        Kind::TicketClosed => Fact::TicketClosed(Box::new(read_closed_ticket(wire::ClosedTicket::decode(bytes)?)?)),
        Kind::ShiftClosed => {
            let read = wire::ShiftClosed::decode(bytes)?;
            let z = read_z_report(needed("z", read.z)?)?;
            Fact::ShiftClosed(Box::new(ShiftClosed {
                shift: shift(&read.shift)?,
                till: parse("till", &read.till)?,
                z,
            }))
        }
        Kind::PriceDirected => {
            let read = wire::PriceDirected::decode(bytes)?;
            let change = PriceChange {
                sku: parse("sku", &read.sku)?,
                price: Money(read.price_minor),
                currency: parse("currency", &read.currency)?,
                effective_at: instant(read.effective_at_micros)?,
            };
            Fact::PriceDirected(PriceDirected {
                directive: read.directive,
                change,
            })
        }
        Kind::DirectiveRefused => {
            let read = wire::DirectiveRefused::decode(bytes)?;
            Fact::DirectiveRefused(DirectiveRefused {
                directive: read.directive,
                why: read.why,
            })
        }
        Kind::CardAsked => Fact::CardAsked(counter::read_card_asked(wire::CardAsked::decode(bytes)?)?),
        Kind::CardBegun => Fact::CardBegun(counter::read_card_begun(wire::CardBegun::decode(bytes)?)?),
        Kind::CardEnded => Fact::CardEnded(counter::read_card_ended(wire::CardEnded::decode(bytes)?)?),
        Kind::FoundCapture => Fact::FoundCapture(counter::read_found_capture(wire::FoundCapture::decode(bytes)?)?),
        Kind::EffectWanted => Fact::EffectWanted(counter::read_effect_wanted(wire::EffectWanted::decode(bytes)?)?),
        Kind::EffectEnded => Fact::EffectEnded(counter::read_effect_ended(wire::EffectEnded::decode(bytes)?)?),
        Kind::ShelfCounted => Fact::ShelfCounted(Box::new(counter::read_shelf_counted(wire::ShelfCounted::decode(bytes)?)?)),
    };
    Ok(Some(fact))
}

/// For fuzzers: any bytes of any kind are read or refused, never a panic; what was read writes back to the same fact.
pub fn fuzz_one(bytes: &[u8]) {
    for kind in Kind::ALL.iter().copied() {
        if let Ok(Some(read)) = decode(kind as u16, bytes) {
            let again = decode(kind as u16, &encode(&read)).ok().flatten();
            assert_eq!(again.as_ref(), Some(&read));
        }
    }
}

fn epoch_opened(fact: &EpochOpened) -> wire::EpochOpened {
    wire::EpochOpened {
        reason: match fact.reason {
            EpochReason::NewStore => "new_store".into(),
            EpochReason::Rollback => "rollback".into(),
        },
        previous: fact.previous.map(|end| wire::EpochEnd {
            epoch: end.epoch.0,
            seq: end.seq.0,
            hash: end.hash.0.to_vec(),
        }),
        series: fact.series,
        currency: fact.currency.code().into(),
        zone: fact.zone.clone(),
        day_end: fact.day_end.clone(),
    }
}

fn read_epoch_opened(read: wire::EpochOpened) -> Parsed<EpochOpened> {
    let end = |end: wire::EpochEnd| -> Parsed<EpochEnd> {
        Ok(EpochEnd {
            epoch: Epoch(end.epoch),
            seq: Seq(end.seq),
            hash: hash("previous", &end.hash)?,
        })
    };
    Ok(EpochOpened {
        reason: match read.reason.as_str() {
            "new_store" => EpochReason::NewStore,
            "rollback" => EpochReason::Rollback,
            _ => {
                return Err(PayloadError::Word {
                    field: "reason",
                    value: read.reason,
                });
            }
        },
        previous: read.previous.map(end).transpose()?,
        series: read.series,
        currency: parse("currency", &read.currency)?,
        zone: read.zone,
        day_end: read.day_end,
    })
}

fn stock_move(moved: &StockMove) -> wire::StockMove {
    let reason = match moved.reason {
        MoveReason::Opening => "opening",
        MoveReason::Sale => "sale",
        MoveReason::Return => "return",
    };
    wire::StockMove {
        sku: moved.sku.to_string(),
        delta_milli: moved.delta.0,
        reason: reason.into(),
    }
}

fn read_stock_move(read: wire::StockMove) -> Parsed<StockMove> {
    let reason = match read.reason.as_str() {
        "opening" => MoveReason::Opening,
        "sale" => MoveReason::Sale,
        "return" => MoveReason::Return,
        _ => {
            return Err(PayloadError::Word {
                field: "stock reason",
                value: read.reason,
            });
        }
    };
    Ok(StockMove {
        sku: parse("sku", &read.sku)?,
        delta: Quantity(read.delta_milli),
        reason,
    })
}

fn cash_move_word(kind: CashMove) -> &'static str {
    match kind {
        CashMove::PaidIn => "paid_in",
        CashMove::PaidOut => "paid_out",
        CashMove::Drop => "drop",
    }
}

fn read_cash_move(word: String) -> Parsed<CashMove> {
    match word.as_str() {
        "paid_in" => Ok(CashMove::PaidIn),
        "paid_out" => Ok(CashMove::PaidOut),
        "drop" => Ok(CashMove::Drop),
        _ => Err(PayloadError::Word {
            field: "move",
            value: word,
        }),
    }
}

fn tender(tender: &Tender) -> wire::Tender {
    let kind = match tender.kind {
        TenderKind::Cash => "cash",
        TenderKind::Card => "card",
    };
    let command_id = tender.command_id.to_bytes().to_vec();
    wire::Tender {
        command_id,
        at_micros: tender.at.as_micros(),
        kind: kind.into(),
        amount_minor: tender.amount.0,
        attempt: tender.attempt.clone().unwrap_or_default(),
    }
}

fn read_tender(read: wire::Tender) -> Parsed<Tender> {
    let kind = match read.kind.as_str() {
        "cash" => TenderKind::Cash,
        "card" => TenderKind::Card,
        _ => {
            return Err(PayloadError::Word {
                field: "tender",
                value: read.kind,
            });
        }
    };
    Ok(Tender {
        command_id: command_id(&read.command_id)?,
        at: instant(read.at_micros)?,
        kind,
        amount: Money(read.amount_minor),
        attempt: Some(read.attempt).filter(|attempt| !attempt.is_empty()),
    })
}

fn receipt(receipt: ReceiptNo) -> wire::Receipt {
    wire::Receipt {
        register: receipt.register.to_string(),
        series: receipt.series,
        number: receipt.number,
    }
}

fn read_receipt(read: wire::Receipt) -> Parsed<ReceiptNo> {
    Ok(ReceiptNo {
        register: parse("receipt", &read.register)?,
        series: read.series,
        number: read.number,
    })
}

fn closed_ticket(fact: &ClosedTicket) -> wire::ClosedTicket {
    wire::ClosedTicket {
        ticket: fact.ticket.to_bytes().to_vec(),
        end: match fact.end {
            TicketEnd::Sale => "sale".into(),
            TicketEnd::Return => "return".into(),
            TicketEnd::Cancelled => "cancelled".into(),
        },
        receipt: fact.receipt.map(receipt),
        original: fact.original.map(receipt),
        register: fact.register.to_string(),
        till: fact.till.to_string(),
        shift: fact.shift.to_bytes().to_vec(),
        opened_at_micros: fact.opened_at.as_micros(),
        currency: fact.currency.code().into(),
        prices: match fact.prices {
            PriceMode::Inclusive => "inclusive".into(),
            PriceMode::Exclusive => "exclusive".into(),
        },
        lines: fact.lines.iter().map(closed_line).collect(),
        taxes: fact.taxes.iter().map(tax_sum).collect(),
        net_minor: fact.net.0,
        tax_minor: fact.tax.0,
        cash_rounding_minor: fact.cash_rounding.0,
        due_minor: fact.due.0,
        tenders: fact.tenders.iter().map(tender).collect(),
        change_minor: fact.change.0,
        moves: fact.moves.iter().map(stock_move).collect(),
    }
}

fn read_closed_ticket(read: wire::ClosedTicket) -> Parsed<ClosedTicket> {
    Ok(ClosedTicket {
        ticket: id("ticket", TicketId::from_slice(&read.ticket))?,
        end: match read.end.as_str() {
            "sale" => TicketEnd::Sale,
            "return" => TicketEnd::Return,
            "cancelled" => TicketEnd::Cancelled,
            _ => {
                return Err(PayloadError::Word {
                    field: "end",
                    value: read.end,
                });
            }
        },
        receipt: read.receipt.map(read_receipt).transpose()?,
        original: read.original.map(read_receipt).transpose()?,
        register: parse("register", &read.register)?,
        till: parse("till", &read.till)?,
        shift: shift(&read.shift)?,
        opened_at: instant(read.opened_at_micros)?,
        currency: parse("currency", &read.currency)?,
        prices: match read.prices.as_str() {
            "inclusive" => PriceMode::Inclusive,
            "exclusive" => PriceMode::Exclusive,
            _ => {
                return Err(PayloadError::Word {
                    field: "prices",
                    value: read.prices,
                });
            }
        },
        lines: read_all(read.lines, read_closed_line)?,
        taxes: read_all(read.taxes, read_tax_sum)?,
        net: Money(read.net_minor),
        tax: Money(read.tax_minor),
        cash_rounding: Money(read.cash_rounding_minor),
        due: Money(read.due_minor),
        tenders: read_all(read.tenders, read_tender)?,
        change: Money(read.change_minor),
        moves: read_all(read.moves, read_stock_move)?,
    })
}

fn closed_line(line: &ClosedLine) -> wire::ClosedLine {
    let reason = |reason: &PriceReason| wire::PriceReason {
        reason: reason.reason.word().into(),
        amount_minor: reason.amount.0,
        catalog: reason.version.catalog,
        directive: reason.version.directive,
        source: reason.source.clone().unwrap_or_default(),
    };
    wire::ClosedLine {
        line: line.line,
        command_id: line.command_id.map(|id| id.to_bytes().to_vec()).unwrap_or_default(),
        at_micros: line.at.as_micros(),
        sku: line.sku.to_string(),
        name: line.name.clone(),
        code: line.code.clone(),
        quantity_milli: line.quantity.0,
        unit_price_minor: line.unit_price.0,
        amount_minor: line.amount.0,
        reasons: line.reasons.iter().map(reason).collect(),
        tax_class: line.tax_class.clone(),
        rate: line.rate.into(),
        net_minor: line.net.0,
        tax_minor: line.tax.0,
        voided: line.voided.map(|voided| wire::Voided {
            command_id: voided.command_id.to_bytes().to_vec(),
            at_micros: voided.at.as_micros(),
        }),
    }
}

fn read_closed_line(read: wire::ClosedLine) -> Parsed<ClosedLine> {
    let voided = |read: wire::Voided| -> Parsed<Voided> {
        Ok(Voided {
            command_id: command_id(&read.command_id)?,
            at: instant(read.at_micros)?,
        })
    };
    Ok(ClosedLine {
        line: read.line,
        command_id: if read.command_id.is_empty() {
            None
        } else {
            Some(command_id(&read.command_id)?)
        },
        at: instant(read.at_micros)?,
        sku: parse("sku", &read.sku)?,
        name: read.name,
        code: read.code,
        quantity: Quantity(read.quantity_milli),
        unit_price: Money(read.unit_price_minor),
        amount: Money(read.amount_minor),
        reasons: read_all(read.reasons, read_reason)?,
        tax_class: read.tax_class,
        rate: rate(read.rate)?,
        net: Money(read.net_minor),
        tax: Money(read.tax_minor),
        voided: read.voided.map(voided).transpose()?,
    })
}

fn read_reason(read: wire::PriceReason) -> Parsed<PriceReason> {
    let Some(reason) = ReasonKind::from_word(&read.reason) else {
        return Err(PayloadError::Word {
            field: "price reason",
            value: read.reason,
        });
    };
    Ok(PriceReason {
        reason,
        amount: Money(read.amount_minor),
        version: PriceVersion {
            catalog: read.catalog,
            directive: read.directive,
        },
        source: Some(read.source).filter(|source| !source.is_empty()),
    })
}

fn tax_sum(sum: &TaxSum) -> wire::TaxSum {
    wire::TaxSum {
        tax_class: sum.tax_class.clone(),
        rate: sum.rate.into(),
        net_minor: sum.net.0,
        tax_minor: sum.tax.0,
    }
}

fn read_tax_sum(read: wire::TaxSum) -> Parsed<TaxSum> {
    Ok(TaxSum {
        tax_class: read.tax_class,
        rate: rate(read.rate)?,
        net: Money(read.net_minor),
        tax: Money(read.tax_minor),
    })
}

fn z_report(z: &ZReport) -> wire::ZReport {
    let t = &z.totals;
    let span = |span: &ReceiptSpan| wire::ReceiptSpan {
        first: Some(receipt(span.first)),
        last: Some(receipt(span.last)),
    };
    wire::ZReport {
        number: z.number,
        opened_at_micros: z.opened_at.as_micros(),
        closed_at_micros: z.closed_at.as_micros(),
        float_minor: z.float.0,
        totals: Some(wire::Totals {
            sales: t.sales,
            returns: t.returns,
            cancelled: t.cancelled,
            net_minor: t.net.0,
            tax_minor: t.tax.0,
            taxes: t.taxes.iter().map(tax_sum).collect(),
            cash_rounding_minor: t.cash_rounding.0,
            sales_due_minor: t.sales_due.0,
            returns_due_minor: t.returns_due.0,
            cash_taken_minor: t.cash_taken.0,
            change_minor: t.change.0,
            cash_refunds_minor: t.cash_refunds.0,
            paid_in_minor: t.paid_in.0,
            paid_out_minor: t.paid_out.0,
            drops_minor: t.drops.0,
            receipts: t.receipts.iter().map(span).collect(),
            card_taken_minor: t.card_taken.0,
        }),
        expected_minor: z.expected.0,
        counted_minor: z.counted.0,
        over_short_minor: z.over_short.0,
        perpetual_sales_minor: z.perpetual_sales.0,
        perpetual_returns_minor: z.perpetual_returns.0,
    }
}

fn read_z_report(read: wire::ZReport) -> Parsed<ZReport> {
    let t = needed("totals", read.totals)?;
    let span = |span: wire::ReceiptSpan| {
        Ok(ReceiptSpan {
            first: read_receipt(needed("first", span.first)?)?,
            last: read_receipt(needed("last", span.last)?)?,
        })
    };
    Ok(ZReport {
        number: read.number,
        opened_at: instant(read.opened_at_micros)?,
        closed_at: instant(read.closed_at_micros)?,
        float: Money(read.float_minor),
        totals: Totals {
            sales: t.sales,
            returns: t.returns,
            cancelled: t.cancelled,
            net: Money(t.net_minor),
            tax: Money(t.tax_minor),
            taxes: read_all(t.taxes, read_tax_sum)?,
            cash_rounding: Money(t.cash_rounding_minor),
            sales_due: Money(t.sales_due_minor),
            returns_due: Money(t.returns_due_minor),
            cash_taken: Money(t.cash_taken_minor),
            change: Money(t.change_minor),
            cash_refunds: Money(t.cash_refunds_minor),
            paid_in: Money(t.paid_in_minor),
            paid_out: Money(t.paid_out_minor),
            drops: Money(t.drops_minor),
            receipts: read_all(t.receipts, span)?,
            card_taken: Money(t.card_taken_minor),
        },
        expected: Money(read.expected_minor),
        counted: Money(read.counted_minor),
        over_short: Money(read.over_short_minor),
        perpetual_sales: Money(read.perpetual_sales_minor),
        perpetual_returns: Money(read.perpetual_returns_minor),
    })
}

fn read_all<W, T>(many: Vec<W>, read: impl Fn(W) -> Parsed<T>) -> Parsed<Vec<T>> {
    many.into_iter().map(read).collect()
}

fn needed<T>(field: &'static str, value: Option<T>) -> Parsed<T> {
    value.ok_or(PayloadError::Missing { field })
}

fn parse<T>(field: &'static str, text: &str) -> Parsed<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| PayloadError::Field {
        field,
        why: error.to_string(),
    })
}

fn id<T>(field: &'static str, read: Result<T, backroom_core::ids::IdError>) -> Parsed<T> {
    read.map_err(|error| PayloadError::Field {
        field,
        why: error.to_string(),
    })
}

fn command_id(bytes: &[u8]) -> Parsed<CommandId> {
    id("command_id", CommandId::from_slice(bytes))
}

fn shift(bytes: &[u8]) -> Parsed<ShiftId> {
    id("shift", ShiftId::from_slice(bytes))
}

fn hash(field: &'static str, bytes: &[u8]) -> Parsed<Hash> {
    Hash::from_slice(bytes).ok_or_else(|| PayloadError::Field {
        field,
        why: format!("{} bytes are no SHA-256", bytes.len()),
    })
}

fn instant(microseconds: i64) -> Parsed<Instant> {
    Instant::from_micros(microseconds).map_err(|error| PayloadError::Field {
        field: "time",
        why: error.to_string(),
    })
}

fn rate(text: String) -> Parsed<backroom_core::tax::Rate> {
    text.try_into().map_err(|error: backroom_core::tax::RateError| PayloadError::Field {
        field: "rate",
        why: error.to_string(),
    })
}

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;
