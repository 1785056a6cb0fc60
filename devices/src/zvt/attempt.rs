//! What the terminal's last transaction says about an attempt whose end nobody saw.
//!
//! Before each attempt the box asks the terminal for its last transaction and writes down its numbers. When the end stays unknown it
//! asks again, and [`resolve`] compares. The trace number decides what is newer: terminals count with it whatever they do. Their
//! clock names no year and no zone and is often wrong, so time only tells a terminal that was exchanged or set back, a day or more off.
//! Whatever does not fit stays unknown, and a person looks at the terminal: no second payment and no reversal follows from a guess.

use std::fmt;

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

use crate::zvt::fields::{Date, Fields, Time};
use crate::zvt::words;

/// Trace numbers have six digits and then begin again.
const TRACES: u32 = 1_000_000;

/// Twelve hours of zone and a wrong summer time either way, and a little.
const CLOCKS_DIFFER_AT_MOST: jiff::SignedDuration = jiff::SignedDuration::from_hours(26);

/// The name of a card transaction everywhere: in the journal, and in the terminal's own ledger.
pub fn attempt_name(device: &str, trace: u32) -> String {
    format!("{device}-{trace:06}")
}

/// The terminal's own clock: its local time, and no year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalTime {
    pub date: Date,
    pub time: Time,
}

impl fmt::Display for TerminalTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, time } = self;
        write!(out, "{:02}-{:02} ", date.month, date.day)?;
        write!(out, "{:02}:{:02}:{:02}", time.hour, time.minute, time.second)
    }
}

impl TerminalTime {
    fn is_near(self, instant: Timestamp) -> bool {
        let there = instant.to_zoned(TimeZone::UTC).datetime();
        let years = [there.year() - 1, there.year(), there.year() + 1];
        years.into_iter().any(|year| {
            let Self { date, time } = self;
            let parts = [date.month, date.day, time.hour, time.minute, time.second].map(|part| i8::try_from(part).unwrap_or(-1));
            let [month, day, hour, minute, second] = parts;
            civil::DateTime::new(year, month, day, hour, minute, second, 0)
                .is_ok_and(|here| there.duration_since(here).abs() <= CLOCKS_DIFFER_AT_MOST)
        })
    }
}

/// Money moved: what the terminal calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub receipt: u16,
    pub trace: u32,
    pub amount_minor: i64,
    pub at: Option<TerminalTime>,
    pub terminal_id: String,
    /// Of the kind of card, such as "girocard"; empty if the terminal names none.
    pub card_name: String,
}

/// The last transaction that a terminal remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    pub receipt: u16,
    pub trace: u32,
    pub amount_minor: i64,
    pub at: Option<TerminalTime>,
    /// 0 is success.
    pub result: u8,
    /// It takes back the transaction with this trace number.
    pub takes_back: Option<u32>,
    pub terminal_id: String,
    pub card_name: String,
}

/// A status information lacks a number that every transaction has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the terminal's answer lacks its {0}; look at the terminal's own journal")]
pub struct Lacks(pub &'static str);

impl Last {
    pub fn read(fields: &Fields) -> Result<Self, Lacks> {
        let amount = fields.amount.and_then(|amount| i64::try_from(amount).ok());
        Ok(Self {
            receipt: fields.receipt.ok_or(Lacks("receipt number"))?,
            trace: fields.trace.ok_or(Lacks("trace number"))?,
            amount_minor: amount.ok_or(Lacks("amount"))?,
            at: fields.date.zip(fields.time).map(|(date, time)| TerminalTime { date, time }),
            result: fields.result.ok_or(Lacks("result"))?,
            takes_back: fields.original_trace,
            terminal_id: fields.terminal_id.map(|id| format!("{id:08}")).unwrap_or_default(),
            card_name: fields.card_name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default(),
        })
    }

    pub fn approval(self) -> Approval {
        Approval {
            receipt: self.receipt,
            trace: self.trace,
            amount_minor: self.amount_minor,
            at: self.at,
            terminal_id: self.terminal_id,
            card_name: self.card_name,
        }
    }
}

/// An attempt that was begun and whose end nobody saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAttempt {
    pub amount_minor: i64,
    /// Of the terminal's last transaction when the attempt began; `None` only if it said that there was none.
    pub trace_before: Option<u32>,
    pub receipt_before: Option<u16>,
    pub started_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// The money moved.
    Paid(Approval),
    /// Surely no money moved, or it went back.
    NotPaid { why: String },
    /// A person has to look.
    StillUnknown { why: String },
}

/// What the terminal's last transaction says about a payment, or about a refund, which looks the same.
pub fn resolve(open: &OpenAttempt, last: Option<&Last>) -> Resolved {
    let last = match newer(open, last) {
        Ok(last) => last,
        Err(resolved) => return resolved,
    };
    let same_amount = last.amount_minor == open.amount_minor;
    match last.takes_back {
        Some(taken) if same_amount && last.result == 0 && is_newer(open.trace_before, taken) => {
            return not_paid("the terminal took the payment back by itself");
        }
        Some(_) => return still_unknown("the terminal has taken something back since; look at its journal"),
        None => {}
    }
    if !same_amount {
        return still_unknown("the terminal's last payment has another amount; look at its journal");
    }
    if last.result == 0 {
        Resolved::Paid(last.clone().approval())
    } else {
        not_paid(words::of_result(last.result))
    }
}

/// The same about taking back the transaction with this trace number; paid means that it was taken back.
pub fn resolve_reversal(open: &OpenAttempt, original_trace: u32, last: Option<&Last>) -> Resolved {
    let last = match newer(open, last) {
        Ok(last) => last,
        Err(resolved) => return resolved,
    };
    match (last.takes_back == Some(original_trace), last.result) {
        (true, 0) => Resolved::Paid(last.clone().approval()),
        (true, code) => not_paid(words::of_result(code)),
        (false, _) => still_unknown("the terminal's last transaction is another one; look at its journal"),
    }
}

/// The last transaction, if it surely came after the attempt began.
fn newer<'a>(open: &OpenAttempt, last: Option<&'a Last>) -> Result<&'a Last, Resolved> {
    let Some(last) = last else {
        return Err(match open.trace_before {
            None => not_paid("the terminal has not taken any payment yet"),
            Some(_) => still_unknown("the terminal no longer knows its last payment; look at its journal"),
        });
    };
    if open.trace_before == Some(last.trace) {
        return Err(match open.receipt_before {
            Some(receipt) if receipt != last.receipt => {
                still_unknown("the terminal gives its last payment another receipt number than before; look at its journal")
            }
            _ => not_paid("the terminal has done nothing since"),
        });
    }
    if !is_newer(open.trace_before, last.trace) {
        return Err(still_unknown("the terminal has begun to count anew; look at its journal"));
    }
    if last.at.is_some_and(|at| !at.is_near(open.started_at)) {
        return Err(still_unknown(
            "the terminal's last payment is of another day; look at its journal and its clock",
        ));
    }
    Ok(last)
}

fn is_newer(before: Option<u32>, trace: u32) -> bool {
    before.is_none_or(|before| {
        let ahead = (trace + TRACES - before % TRACES) % TRACES;
        (1..TRACES / 2).contains(&ahead)
    })
}

fn not_paid(why: &str) -> Resolved {
    Resolved::NotPaid { why: why.to_owned() }
}

fn still_unknown(why: &str) -> Resolved {
    Resolved::StillUnknown { why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(trace_before: Option<u32>) -> OpenAttempt {
        OpenAttempt {
            amount_minor: 1299,
            trace_before,
            receipt_before: trace_before.map(|trace| (trace % 10_000) as u16),
            started_at: "2026-11-05T10:00:00Z".parse().unwrap(),
        }
    }

    fn last(trace: u32) -> Last {
        Last {
            receipt: (trace % 10_000) as u16,
            trace,
            amount_minor: 1299,
            at: Some(at(11, 5, 11)),
            result: 0,
            takes_back: None,
            terminal_id: "12345678".to_owned(),
            card_name: "girocard".to_owned(),
        }
    }

    fn at(month: u8, day: u8, hour: u8) -> TerminalTime {
        TerminalTime {
            date: Date { month, day },
            time: Time {
                hour,
                minute: 0,
                second: 9,
            },
        }
    }

    #[track_caller]
    fn check(open: &OpenAttempt, last: Option<Last>, expected: &str) {
        let resolved = resolve(open, last.as_ref());
        let got = match &resolved {
            Resolved::Paid(approval) if Some(approval.trace) == last.as_ref().map(|last| last.trace) => "paid",
            Resolved::Paid(_) => "paid with another trace",
            Resolved::NotPaid { .. } => "not paid",
            Resolved::StillUnknown { .. } => "unknown",
        };
        assert_eq!(got, expected, "{open:?} {last:?} {resolved:?}");
    }

    #[test]
    fn an_older_payment_of_the_same_amount_is_never_taken_for_this_one() {
        check(&open(Some(41)), Some(last(41)), "not paid");
        check(&open(Some(41)), Some(last(42)), "paid");
        check(&open(None), Some(last(1)), "paid");
        check(&open(None), None, "not paid");
        check(&open(Some(999_999)), Some(last(1)), "paid");
        check(&open(Some(41)), Some(last(7)), "unknown");
        check(&open(Some(41)), None, "unknown");
        check(&open(Some(41)), Some(Last { receipt: 9, ..last(41) }), "unknown");
    }

    #[test]
    fn amount_result_and_what_was_taken_back_count() {
        check(
            &open(Some(41)),
            Some(Last {
                amount_minor: 1300,
                ..last(42)
            }),
            "unknown",
        );
        check(&open(Some(41)), Some(Last { result: 0x6c, ..last(42) }), "not paid");
        check(
            &open(Some(41)),
            Some(Last {
                takes_back: Some(42),
                ..last(43)
            }),
            "not paid",
        );
        check(
            &open(Some(41)),
            Some(Last {
                takes_back: Some(41),
                ..last(43)
            }),
            "unknown",
        );
        check(
            &open(Some(41)),
            Some(Last {
                takes_back: Some(42),
                result: 0xb5,
                ..last(43)
            }),
            "unknown",
        );
    }

    #[test]
    fn a_payment_of_another_day_is_not_this_one() {
        let with = |at| Some(Last { at, ..last(42) });
        check(&open(Some(41)), with(Some(at(11, 4, 23))), "paid");
        check(&open(Some(41)), with(Some(at(11, 3, 23))), "unknown");
        check(&open(Some(41)), with(Some(at(11, 8, 1))), "unknown");
        check(&open(Some(41)), with(Some(at(2, 29, 1))), "unknown");
        check(&open(Some(41)), with(None), "paid");
        let new_year = OpenAttempt {
            started_at: "2026-12-31T23:30:00Z".parse().unwrap(),
            ..open(Some(41))
        };
        check(&new_year, with(Some(at(1, 1, 0))), "paid");
    }

    #[test]
    fn a_reversal_is_known_by_what_it_takes_back() {
        let taken = |trace, takes_back, result| Last {
            takes_back,
            result,
            ..last(trace)
        };
        let resolved = |last: Last| resolve_reversal(&open(Some(41)), 40, Some(&last));
        assert!(matches!(resolved(taken(42, Some(40), 0)), Resolved::Paid(_)));
        assert!(matches!(resolved(taken(42, Some(40), 0xb5)), Resolved::NotPaid { .. }));
        assert!(matches!(resolved(taken(42, Some(39), 0)), Resolved::StillUnknown { .. }));
        assert!(matches!(resolved(taken(42, None, 0)), Resolved::StillUnknown { .. }));
        assert!(matches!(resolved(taken(41, None, 0)), Resolved::NotPaid { .. }));
    }

    #[test]
    fn an_attempt_has_one_name_everywhere() {
        assert_eq!(attempt_name("card1", 42), "card1-000042");
    }
}
