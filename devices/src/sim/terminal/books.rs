//! What the simulated terminal remembers of its transactions, and how its ledger tells them.
//!
//! The ledger is the memory: a line is written when money moves, and a terminal that starts again reads its own lines back. So a
//! transaction survives the terminal's death, and trace and receipt numbers go on.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use jiff::Zoned;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::sim::ledger::Ledger;
use crate::zvt::attempt::attempt_name;
use crate::zvt::fields::{Date, Fields, Time};
use crate::zvt::words::Words;

const LAST_TRACE: u32 = 999_999;
const LAST_RECEIPT: u16 = 9999;

/// For an approval whose capture was never written: the terminal died in between, and no money moved.
const SYSTEM_ERROR: u8 = 0xff;
const NOT_REVERSIBLE: u8 = 0xb5;
const REVERSED_ALREADY: u8 = 0xb4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Payment,
    Refund,
    Reversal { of: u32 },
}

#[derive(Clone, Debug)]
pub struct Transaction {
    pub kind: Kind,
    pub trace: u32,
    pub receipt: u16,
    pub amount: u64,
    pub at: Zoned,
    pub result: u8,
    reversed: bool,
}

#[derive(Debug)]
pub struct Books {
    device: String,
    terminal_id: u32,
    ledger: Ledger,
    by_trace: BTreeMap<u32, Transaction>,
    last: Option<u32>,
}

impl Books {
    pub fn open(path: Option<&Path>, device: &str, terminal_id: u32) -> io::Result<Self> {
        let told = match path.map(std::fs::read_to_string) {
            Some(Ok(text)) => text,
            Some(Err(fault)) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
            _ => String::new(),
        };
        let mut books = Self {
            device: device.to_owned(),
            terminal_id,
            ledger: Ledger::open(path, device)?,
            by_trace: BTreeMap::new(),
            last: None,
        };
        for line in told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            if line["device"] == device {
                books.remember(&line);
            }
        }
        Ok(books)
    }

    /// One line of an earlier life.
    fn remember(&mut self, line: &Value) -> Option<()> {
        let number = |field: &str| line[field].as_u64();
        let trace = u32::try_from(number("trace")?).ok()?;
        let at: jiff::Timestamp = line["at"].as_str()?.parse().ok()?;
        let kind = match line["event"].as_str()? {
            "authorize" => Kind::Payment,
            "refund" => Kind::Refund,
            "reverse" => Kind::Reversal {
                of: u32::try_from(number("original_trace")?).ok()?,
            },
            "capture" => {
                self.by_trace.get_mut(&trace)?.result = 0;
                return Some(());
            }
            _ => return None,
        };
        let code = u8::try_from(number("code")?).ok()?;
        let result = if kind == Kind::Payment && code == 0 { SYSTEM_ERROR } else { code };
        if let (Kind::Reversal { of }, 0) = (kind, result) {
            self.by_trace.get_mut(&of)?.reversed = true;
        }
        let transaction = Transaction {
            kind,
            trace,
            receipt: u16::try_from(number("receipt")?).ok()?,
            amount: number("amount")?,
            at: at.to_zoned(TimeZone::system()),
            result,
            reversed: false,
        };
        self.last = Some(trace);
        self.by_trace.insert(trace, transaction);
        Some(())
    }

    pub fn last(&self) -> Option<&Transaction> {
        self.by_trace.get(&self.last?)
    }

    pub fn terminal_id(&self) -> u32 {
        self.terminal_id
    }

    pub fn last_trace(&self) -> Option<u32> {
        self.last
    }

    /// A payment or refund that the bank decided about. When this returns, the money has moved or surely has not.
    pub fn decide(&mut self, kind: Kind, amount: u64, code: u8) -> io::Result<Transaction> {
        let receipt = self.next_receipt();
        self.enter(kind, amount, code, receipt)
    }

    /// Takes back the payment with this receipt number, or says with a code why not.
    pub fn reverse(&mut self, receipt: u16) -> io::Result<Result<Transaction, u8>> {
        let payments = self.by_trace.values().filter(|own| own.kind == Kind::Payment && own.result == 0);
        let Some(original) = payments.filter(|own| own.receipt == receipt).max_by_key(|own| own.at.timestamp()) else {
            return Ok(Err(NOT_REVERSIBLE));
        };
        if original.reversed {
            return Ok(Err(REVERSED_ALREADY));
        }
        let (of, amount) = (original.trace, original.amount);
        let receipt = self.next_receipt();
        self.enter(Kind::Reversal { of }, amount, 0, receipt).map(Ok)
    }

    /// The register knows a receipt number one behind: it never heard of the last payment, which therefore goes back. The number is
    /// used again.
    pub fn take_back_unheard(&mut self, known_receipt: u16) -> io::Result<()> {
        let Some(last) = self.last() else { return Ok(()) };
        let paid = last.kind == Kind::Payment && last.result == 0 && !last.reversed;
        if paid && after_receipt(known_receipt) == last.receipt {
            let (of, amount, receipt) = (last.trace, last.amount, known_receipt);
            self.enter(Kind::Reversal { of }, amount, 0, receipt)?;
        }
        Ok(())
    }

    /// The one way money moves: the line is in the ledger before anything else knows.
    fn enter(&mut self, kind: Kind, amount: u64, result: u8, receipt: u16) -> io::Result<Transaction> {
        let trace = match self.last {
            Some(last) if last < LAST_TRACE => last + 1,
            _ => 1,
        };
        let transaction = Transaction {
            kind,
            trace,
            receipt,
            amount,
            at: Zoned::now(),
            result,
            reversed: false,
        };
        match kind {
            Kind::Payment => {
                self.tell("authorize", &transaction, trace)?;
                if result == 0 {
                    self.tell("capture", &transaction, trace)?;
                }
            }
            Kind::Refund => self.tell("refund", &transaction, trace)?,
            Kind::Reversal { of } => {
                self.tell("reverse", &transaction, of)?;
                if let Some(original) = self.by_trace.get_mut(&of) {
                    original.reversed = true;
                }
            }
        }
        self.last = Some(trace);
        self.by_trace.insert(trace, transaction.clone());
        Ok(transaction)
    }

    fn tell(&self, event: &str, transaction: &Transaction, named: u32) -> io::Result<()> {
        let mut more = Map::new();
        more.insert("attempt".into(), attempt_name(&self.device, named).into());
        more.insert("amount".into(), transaction.amount.into());
        let outcome = if transaction.result == 0 { "approved" } else { "declined" };
        more.insert("outcome".into(), outcome.into());
        more.insert("code".into(), transaction.result.into());
        more.insert("trace".into(), transaction.trace.into());
        more.insert("receipt".into(), transaction.receipt.into());
        if let Kind::Reversal { of } = transaction.kind {
            more.insert("original_trace".into(), of.into());
        }
        self.ledger.happened(event, more)
    }

    /// A payment that ended before the bank was asked. It has no number.
    pub fn gave_up(&self, amount: u64, code: u8) -> io::Result<()> {
        let more = [("amount".to_owned(), amount.into()), ("code".to_owned(), code.into())];
        self.ledger.happened("give_up", Map::from_iter(more))
    }

    fn next_receipt(&self) -> u16 {
        self.last().map_or(1, |last| after_receipt(last.receipt))
    }

    /// How the terminal tells a transaction to its register.
    pub fn status(&self, transaction: &Transaction, currency: u16) -> Fields {
        // Each part of a date or time is below a hundred.
        let part = |part: i8| part.unsigned_abs();
        let at = &transaction.at;
        Fields {
            amount: Some(transaction.amount),
            trace: Some(transaction.trace),
            time: Some(Time {
                hour: part(at.hour()),
                minute: part(at.minute()),
                second: part(at.second()),
            }),
            date: Some(Date {
                month: part(at.month()),
                day: part(at.day()),
            }),
            result: Some(transaction.result),
            terminal_id: Some(self.terminal_id),
            original_trace: match transaction.kind {
                Kind::Reversal { of } => Some(of),
                Kind::Payment | Kind::Refund => None,
            },
            currency: Some(currency),
            receipt: Some(transaction.receipt),
            card_type: Some(5),
            card_name: Some(Words::new("girocard")),
            ..Fields::default()
        }
    }
}

fn after_receipt(receipt: u16) -> u16 {
    if receipt >= LAST_RECEIPT { 1 } else { receipt + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_that_starts_again_remembers_its_transactions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t1.jsonl");
        let open = || Books::open(Some(&path), "t1", 12_345_678).unwrap();
        let mut books = open();
        assert!(books.last().is_none());
        books.decide(Kind::Payment, 500, 0).unwrap();
        books.decide(Kind::Payment, 700, 0x6c).unwrap();
        let mut books = open();
        let last = books.last().unwrap();
        assert_eq!((last.trace, last.receipt, last.amount, last.result), (2, 2, 700, 0x6c));
        assert_eq!(books.reverse(2).unwrap().unwrap_err(), NOT_REVERSIBLE);
        assert_eq!(books.reverse(1).unwrap().unwrap().trace, 3);
        let mut books = open();
        assert_eq!(books.last().unwrap().kind, Kind::Reversal { of: 1 });
        assert_eq!(books.reverse(1).unwrap().unwrap_err(), REVERSED_ALREADY);
        assert_eq!(books.decide(Kind::Refund, 100, 0).unwrap().trace, 4);
    }

    #[test]
    fn an_approval_without_its_capture_moved_no_money() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t1.jsonl");
        Books::open(Some(&path), "t1", 1).unwrap().decide(Kind::Payment, 500, 0).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.lines().next().unwrap()).unwrap();
        let books = Books::open(Some(&path), "t1", 1).unwrap();
        assert_eq!(books.last().unwrap().result, SYSTEM_ERROR);
    }

    #[test]
    fn a_register_one_behind_makes_the_last_payment_go_back() {
        let mut books = Books::open(None, "t1", 1).unwrap();
        books.decide(Kind::Payment, 500, 0).unwrap();
        books.decide(Kind::Payment, 600, 0).unwrap();
        books.take_back_unheard(2).unwrap();
        assert_eq!(books.last().unwrap().trace, 2);
        books.take_back_unheard(1).unwrap();
        assert_eq!(books.last().unwrap().kind, Kind::Reversal { of: 2 });
        assert_eq!(books.decide(Kind::Payment, 600, 0).unwrap().receipt, 2);
    }
}
