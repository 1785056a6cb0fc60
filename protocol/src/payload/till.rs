//! The bytes of facts about tills: what they are, cash between them, counts, and the detail of a Z.

use backroom_core::facts::{CashTransferred, TenderKind, TillCounted, TillDeclared, TillFact};
use backroom_core::ids::{CommandId, ShiftId, StaffId};
use backroom_core::money::Money;
use backroom_core::till::{
    Count, CountError, CountResult, CurrencySum, Difference, Flow, Foreign, ForeignCash, PeriodTotals, Periods, Pieces, Tally,
    TenderDeclared, TenderResult, TenderSum, TillKind, ZDetail,
};
use backroom_core::time::BusinessDay;
use prost::Message;

use super::counter::{read_word, word};
use super::{Fact, Kind, Parsed, PayloadError, command_id, needed, parse, read_all, read_tax_sum, shift, tax_sum, ticket};
use crate::v1::journal as wire;

const TILL_KINDS: [(TillKind, &str); 5] = [
    (TillKind::Drawer, "drawer"),
    (TillKind::Safe, "safe"),
    (TillKind::ChangeFund, "change_fund"),
    (TillKind::BankBag, "bank_bag"),
    (TillKind::Bank, "bank"),
];

pub fn encode(fact: &TillFact) -> Vec<u8> {
    match fact {
        TillFact::TillDeclared(fact) => wire::TillDeclared {
            till: fact.till.to_string(),
            kind: word(&TILL_KINDS, fact.kind),
        }
        .encode_to_vec(),
        TillFact::CashTransferred(fact) => wire::CashTransferred {
            from: fact.from.to_string(),
            to: fact.to.to_string(),
            from_shift: shift_bytes(fact.from_shift),
            to_shift: shift_bytes(fact.to_shift),
            currency: fact.currency.code().into(),
            sums: sums(&fact.sums),
            by: fact.by.to_string(),
            witness: maybe_staff(fact.witness),
            reason: fact.reason.clone(),
        }
        .encode_to_vec(),
        TillFact::TillCounted(fact) => wire::TillCounted {
            till: fact.till.to_string(),
            shift: shift_bytes(fact.shift),
            currency: fact.currency.code().into(),
            tally: Some(tally(&fact.tally)),
            results: fact.results.iter().map(result).collect(),
            by: fact.by.to_string(),
            witness: maybe_staff(fact.witness),
        }
        .encode_to_vec(),
    }
}

pub fn decode(kind: Kind, bytes: &[u8]) -> Parsed<Option<Fact>> {
    let fact = match kind {
        Kind::TillDeclared => {
            let read = wire::TillDeclared::decode(bytes)?;
            TillFact::TillDeclared(TillDeclared {
                till: parse("till", &read.till)?,
                kind: read_word("kind", &TILL_KINDS, read.kind)?,
            })
        }
        Kind::CashTransferred => {
            let read = wire::CashTransferred::decode(bytes)?;
            TillFact::CashTransferred(CashTransferred {
                from: parse("from", &read.from)?,
                to: parse("to", &read.to)?,
                from_shift: read_shift(&read.from_shift)?,
                to_shift: read_shift(&read.to_shift)?,
                currency: parse("currency", &read.currency)?,
                sums: read_sums(read.sums)?,
                by: parse("by", &read.by)?,
                witness: read_maybe_staff("witness", &read.witness)?,
                reason: read.reason,
            })
        }
        Kind::TillCounted => {
            let read = wire::TillCounted::decode(bytes)?;
            TillFact::TillCounted(Box::new(TillCounted {
                till: parse("till", &read.till)?,
                shift: read_shift(&read.shift)?,
                currency: parse("currency", &read.currency)?,
                tally: read_tally(needed("tally", read.tally)?)?,
                results: read_all(read.results, read_result)?,
                by: parse("by", &read.by)?,
                witness: read_maybe_staff("witness", &read.witness)?,
            }))
        }
        _ => return Ok(None),
    };
    Ok(Some(Fact::Till(fact)))
}

fn shift_bytes(id: Option<ShiftId>) -> Vec<u8> {
    id.map(|id| id.to_bytes().to_vec()).unwrap_or_default()
}

fn read_shift(bytes: &[u8]) -> Parsed<Option<ShiftId>> {
    if bytes.is_empty() { Ok(None) } else { shift(bytes).map(Some) }
}

pub fn maybe_staff(staff: Option<StaffId>) -> String {
    staff.map(|staff| staff.to_string()).unwrap_or_default()
}

pub fn read_maybe_staff(field: &'static str, text: &str) -> Parsed<Option<StaffId>> {
    if text.is_empty() { Ok(None) } else { parse(field, text).map(Some) }
}

pub fn sums(all: &[CurrencySum]) -> Vec<wire::CurrencySum> {
    let sum = |sum: &CurrencySum| wire::CurrencySum {
        currency: sum.currency.code().into(),
        amount_minor: sum.amount.0,
    };
    all.iter().map(sum).collect()
}

pub fn read_sums(all: Vec<wire::CurrencySum>) -> Parsed<Vec<CurrencySum>> {
    let sum = |read: wire::CurrencySum| {
        Ok(CurrencySum {
            currency: parse("currency", &read.currency)?,
            amount: Money(read.amount_minor),
        })
    };
    read_all(all, sum)
}

pub fn foreign(foreign: &Foreign) -> wire::Foreign {
    wire::Foreign {
        currency: foreign.currency.code().into(),
        amount_minor: foreign.amount.0,
        rate: foreign.rate.into(),
    }
}

pub fn read_foreign(read: wire::Foreign) -> Parsed<Foreign> {
    Ok(Foreign {
        currency: parse("currency", &read.currency)?,
        amount: Money(read.amount_minor),
        rate: parse("rate", &read.rate)?,
    })
}

pub fn foreign_cash(cash: &ForeignCash) -> wire::ForeignCash {
    let flow = &cash.flow;
    wire::ForeignCash {
        currency: cash.currency.code().into(),
        flow: Some(wire::Flow {
            float_minor: flow.float.0,
            taken_minor: flow.taken.0,
            change_minor: flow.change.0,
            refunds_minor: flow.refunds.0,
            paid_in_minor: flow.paid_in.0,
            paid_out_minor: flow.paid_out.0,
            received_minor: flow.received.0,
            drops_minor: flow.drops.0,
        }),
    }
}

pub fn read_foreign_cash(read: wire::ForeignCash) -> Parsed<ForeignCash> {
    let flow = needed("flow", read.flow)?;
    Ok(ForeignCash {
        currency: parse("currency", &read.currency)?,
        flow: Flow {
            float: Money(flow.float_minor),
            taken: Money(flow.taken_minor),
            change: Money(flow.change_minor),
            refunds: Money(flow.refunds_minor),
            paid_in: Money(flow.paid_in_minor),
            paid_out: Money(flow.paid_out_minor),
            received: Money(flow.received_minor),
            drops: Money(flow.drops_minor),
        },
    })
}

pub fn tender_sum(sum: &TenderSum) -> wire::TenderSum {
    wire::TenderSum {
        tender: sum.tender.word().into(),
        taken_minor: sum.taken.0,
        refunded_minor: sum.refunded.0,
    }
}

pub fn read_tender_sum(read: wire::TenderSum) -> Parsed<TenderSum> {
    Ok(TenderSum {
        tender: ticket::word("tender", read.tender, TenderKind::from_word)?,
        taken: Money(read.taken_minor),
        refunded: Money(read.refunded_minor),
    })
}

fn tally(tally: &Tally) -> wire::Tally {
    let pieces = |pieces: &Pieces| wire::Pieces {
        value_minor: pieces.value.0,
        pieces: pieces.pieces,
    };
    let count = |count: &Count| wire::Count {
        currency: count.currency().code().into(),
        pieces: count.pieces().iter().map(pieces).collect(),
        total_minor: count.total().0,
    };
    let declared = |declared: &TenderDeclared| wire::TenderDeclared {
        tender: declared.tender.word().into(),
        amount_minor: declared.amount.0,
    };
    wire::Tally {
        counts: tally.counts().iter().map(count).collect(),
        tenders: tally.tenders().iter().map(declared).collect(),
    }
}

fn read_tally(read: wire::Tally) -> Parsed<Tally> {
    let wrong = |error: CountError| PayloadError::Field {
        field: "count",
        why: error.to_string(),
    };
    let pieces = |read: wire::Pieces| {
        Ok(Pieces {
            value: Money(read.value_minor),
            pieces: read.pieces,
        })
    };
    let count = |read: wire::Count| {
        let counted = read_all(read.pieces, pieces)?;
        Count::read(parse("currency", &read.currency)?, counted, Money(read.total_minor)).map_err(wrong)
    };
    let declared = |read: wire::TenderDeclared| {
        Ok(TenderDeclared {
            tender: ticket::word("tender", read.tender, TenderKind::from_word)?,
            amount: Money(read.amount_minor),
        })
    };
    Tally::new(read_all(read.counts, count)?, read_all(read.tenders, declared)?).map_err(wrong)
}

fn result(result: &CountResult) -> wire::CountResult {
    wire::CountResult {
        currency: result.currency.code().into(),
        expected_minor: result.expected.0,
        counted_minor: result.counted.0,
        over_short_minor: result.over_short.0,
    }
}

fn read_result(read: wire::CountResult) -> Parsed<CountResult> {
    Ok(CountResult {
        currency: parse("currency", &read.currency)?,
        expected: Money(read.expected_minor),
        counted: Money(read.counted_minor),
        over_short: Money(read.over_short_minor),
    })
}

pub fn detail(detail: &ZDetail) -> wire::ZDetail {
    let tender = |tender: &TenderResult| wire::TenderResult {
        tender: tender.tender.word().into(),
        expected_minor: tender.expected.0,
        declared_minor: tender.declared.0,
    };
    let difference = |difference: &Difference| wire::Difference {
        limit_minor: difference.limit.0,
        reason: difference.reason.clone(),
        approval: difference.approval.map(|id| id.to_bytes().to_vec()).unwrap_or_default(),
    };
    wire::ZDetail {
        currency: detail.currency.code().into(),
        periods: Some(periods(&detail.periods)),
        tally: Some(tally(&detail.tally)),
        foreign: detail.foreign.iter().map(result).collect(),
        tenders: detail.tenders.iter().map(tender).collect(),
        counted_by: detail.counted_by.to_string(),
        handed_to: maybe_staff(detail.handed_to),
        difference: detail.difference.as_ref().map(difference),
    }
}

pub fn read_detail(read: wire::ZDetail) -> Parsed<ZDetail> {
    let tender = |read: wire::TenderResult| {
        Ok(TenderResult {
            tender: ticket::word("tender", read.tender, TenderKind::from_word)?,
            expected: Money(read.expected_minor),
            declared: Money(read.declared_minor),
        })
    };
    let difference = |read: wire::Difference| -> Parsed<Difference> {
        Ok(Difference {
            limit: Money(read.limit_minor),
            reason: read.reason,
            approval: read_maybe_command(&read.approval)?,
        })
    };
    Ok(ZDetail {
        currency: parse("currency", &read.currency)?,
        periods: read_periods(needed("periods", read.periods)?)?,
        tally: read_tally(needed("tally", read.tally)?)?,
        foreign: read_all(read.foreign, read_result)?,
        tenders: read_all(read.tenders, tender)?,
        counted_by: parse("counted_by", &read.counted_by)?,
        handed_to: read_maybe_staff("handed_to", &read.handed_to)?,
        difference: read.difference.map(difference).transpose()?,
    })
}

fn read_maybe_command(bytes: &[u8]) -> Parsed<Option<CommandId>> {
    if bytes.is_empty() { Ok(None) } else { command_id(bytes).map(Some) }
}

fn periods(periods: &Periods) -> wire::Periods {
    wire::Periods {
        business_day: periods.business_day.to_days(),
        day: Some(period(&periods.day)),
        month: Some(period(&periods.month)),
        year: Some(period(&periods.year)),
        perpetual: Some(period(&periods.perpetual)),
    }
}

fn read_periods(read: wire::Periods) -> Parsed<Periods> {
    Ok(Periods {
        business_day: read_day(read.business_day)?,
        day: read_period(needed("day", read.day)?)?,
        month: read_period(needed("month", read.month)?)?,
        year: read_period(needed("year", read.year)?)?,
        perpetual: read_period(needed("perpetual", read.perpetual)?)?,
    })
}

pub fn read_day(days: i32) -> Parsed<BusinessDay> {
    BusinessDay::from_days(days).map_err(|error| PayloadError::Field {
        field: "day",
        why: error.to_string(),
    })
}

pub fn period(sums: &PeriodTotals) -> wire::PeriodTotals {
    wire::PeriodTotals {
        zs: sums.zs,
        sales: sums.sales,
        returns: sums.returns,
        net_minor: sums.net.0,
        tax_minor: sums.tax.0,
        taxes: sums.taxes.iter().map(tax_sum).collect(),
        cash_rounding_minor: sums.cash_rounding.0,
        sales_due_minor: sums.sales_due.0,
        returns_due_minor: sums.returns_due.0,
    }
}

pub fn read_period(read: wire::PeriodTotals) -> Parsed<PeriodTotals> {
    Ok(PeriodTotals {
        zs: read.zs,
        sales: read.sales,
        returns: read.returns,
        net: Money(read.net_minor),
        tax: Money(read.tax_minor),
        taxes: read_all(read.taxes, read_tax_sum)?,
        cash_rounding: Money(read.cash_rounding_minor),
        sales_due: Money(read.sales_due_minor),
        returns_due: Money(read.returns_due_minor),
    })
}
