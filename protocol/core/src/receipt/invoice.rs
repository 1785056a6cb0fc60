//! The VAT invoice of a receipt: the same figures with the names of both parties, under a number of its own series, made once per receipt.
//!
//! Only the number goes into the journal. Who the customer is comes in with each print and is kept nowhere here; a second asking gets the
//! same number.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Document, Page, Sheet};
use crate::facts::{ClosedLine, ClosedTicket, Fact, InvoiceNumbered, ReceiptFact};
use crate::ids::{ReceiptNo, digits};
use crate::money::{Currency, Money, Quantity};
use crate::time::Instant;

/// A number of the store's invoices: gapless per series. A restored box opens a new series with its new epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InvoiceNo {
    pub series: u32,
    pub number: u64,
}

impl fmt::Display for InvoiceNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INV/{}/{}", self.series, self.number)
    }
}

impl FromStr for InvoiceNo {
    type Err = InvoiceError;
    fn from_str(text: &str) -> Result<Self, InvoiceError> {
        let numbers = text.strip_prefix("INV/").and_then(|rest| rest.split_once('/'));
        let parsed = numbers.and_then(|(series, number)| Some((digits(series)?, digits(number)?)));
        let (series, number) = parsed.ok_or_else(|| InvoiceError::NotANumber {
            text: text.chars().take(40).collect(),
        })?;
        Ok(Self { series, number })
    }
}

/// Why there is no invoice. The stable code is `code()`, the sentence is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvoiceError {
    #[error("{text:?} is not an invoice's number; it looks like INV/1/12")]
    NotANumber { text: String },
    #[error("the ticket was never settled; an invoice is made of a receipt")]
    NoReceipt,
    #[error(
        "an invoice needs a name and an address in printable characters, at most {MOST_LINES} lines of {LONGEST_LINE} each; shorten the lines"
    )]
    Party,
    #[error("the box does not know its series of invoices yet; ask again when it has started")]
    NoSeries,
}

impl InvoiceError {
    pub fn code(&self) -> &'static str {
        match self {
            InvoiceError::NotANumber { .. } => "not_an_invoice",
            InvoiceError::NoReceipt => "no_receipt",
            InvoiceError::Party => "invoice_party",
            InvoiceError::NoSeries => "no_series",
        }
    }
}

/// Which receipts have an invoice, and the next number. Built from the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invoices {
    series: Option<u32>,
    last: u64,
    by_receipt: BTreeMap<ReceiptNo, InvoiceNo>,
}

impl Invoices {
    /// The invoice a receipt has.
    pub fn of(&self, receipt: ReceiptNo) -> Option<InvoiceNo> {
        self.by_receipt.get(&receipt).copied()
    }

    /// The number for this receipt: the one it has, or the next one, which must be in the journal before anything is printed.
    pub fn number(&self, ticket: &ClosedTicket) -> Result<InvoiceNumbered, InvoiceError> {
        let receipt = ticket.receipt.filter(|_| ticket.end.counts()).ok_or(InvoiceError::NoReceipt)?;
        if let Some(invoice) = self.of(receipt) {
            return Ok(InvoiceNumbered { invoice, receipt });
        }
        let series = self.series.ok_or(InvoiceError::NoSeries)?;
        let number = self.last + 1;
        Ok(InvoiceNumbered {
            invoice: InvoiceNo { series, number },
            receipt,
        })
    }

    /// Makes a fact true. A number that stands in the journal twice changes nothing.
    pub fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::EpochOpened(opened) if self.series != Some(opened.series) => {
                self.series = Some(opened.series);
                self.last = 0;
            }
            Fact::Receipt(ReceiptFact::InvoiceNumbered(numbered)) => {
                self.by_receipt.entry(numbered.receipt).or_insert(numbered.invoice);
                if self.series == Some(numbered.invoice.series) {
                    self.last = self.last.max(numbered.invoice.number);
                }
            }
            _ => {}
        }
    }
}

const MOST_LINES: usize = 6;
const LONGEST_LINE: usize = 60;

/// A name and an address as they are printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    lines: Vec<String>,
    tax_number: Option<String>,
}

impl Party {
    /// The name first.
    pub fn new(lines: &[&str], tax_number: Option<&str>) -> Result<Self, InvoiceError> {
        let printable = |text: &str| {
            let length = text.chars().count();
            (1..=LONGEST_LINE).contains(&length) && !text.trim().is_empty() && !text.chars().any(char::is_control)
        };
        let fits = (2..=MOST_LINES).contains(&lines.len()) && lines.iter().copied().all(printable) && tax_number.is_none_or(printable);
        if !fits {
            return Err(InvoiceError::Party);
        }
        Ok(Self {
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            tax_number: tax_number.map(str::to_owned),
        })
    }
}

/// For fuzzers: any text is an invoice's number or who it is for, or refused by name; a number reads back the same.
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(number) = text.parse::<InvoiceNo>() {
        assert_eq!(number.to_string().parse(), Ok(number));
    }
    let lines: Vec<&str> = text.split('\n').collect();
    if let Ok(party) = Party::new(&lines, lines.last().copied()) {
        assert_eq!(party.lines, lines);
    }
}

/// What makes an invoice of a receipt.
#[derive(Clone, Copy, Debug)]
pub struct Invoice<'a> {
    pub number: InvoiceNo,
    pub seller: &'a Party,
    pub customer: &'a Party,
    pub made_at: Instant,
}

/// The invoice, or for goods that came back the credit note.
pub fn invoice(invoice: &Invoice<'_>, ticket: &ClosedTicket, settled_at: Instant, page: &Page<'_>) -> Result<Document, InvoiceError> {
    let receipt = ticket.receipt.ok_or(InvoiceError::NoReceipt)?;
    let words = page.language.words();
    let title = if ticket.due < Money::ZERO {
        words.credit_note
    } else {
        words.invoice
    };
    let currency = ticket.currency;
    let mut sheet = Sheet::begin(page, title);
    let made = sheet.local(invoice.made_at);
    sheet.figure(format!("{} {}", words.number, invoice.number), made);
    let settled = sheet.local(settled_at);
    sheet.figure(format!("{} {receipt}", words.for_receipt), settled);
    if let Some(original) = ticket.original {
        sheet.text(format!("{} {original}", words.for_receipt));
    }
    sheet.party(words.seller, invoice.seller);
    sheet.party(words.customer, invoice.customer);
    sheet.rule();
    for line in ticket.lines.iter().filter(|line| line.voided.is_none()) {
        sheet.invoice_line(line, currency);
    }
    sheet.rule();
    sheet.figure(words.net, currency.digits(ticket.net));
    sheet.taxes(ticket);
    if ticket.cash_rounding != Money::ZERO {
        sheet.figure(words.rounding, currency.digits(ticket.cash_rounding));
    }
    sheet.total(words.total, currency.show(ticket.due));
    Ok(sheet.end())
}

impl Sheet<'_> {
    fn party(&mut self, role: &str, party: &Party) {
        self.rule();
        self.text(role);
        for line in &party.lines {
            self.text(format!("  {line}"));
        }
        if let Some(number) = &party.tax_number {
            self.text(format!("  {} {number}", self.words.tax_number));
        }
    }

    /// Net prices: what the customer may deduct is the tax beside them.
    fn invoice_line(&mut self, line: &ClosedLine, currency: Currency) {
        self.figure(line.name.clone(), format!("{} {}", currency.digits(line.net), line.tax_class));
        if line.quantity != Quantity::ONE {
            self.text(format!("  {} x", line.quantity));
        }
        self.figure(format!("  {} {}", self.words.tax, line.rate), currency.digits(line.tax));
    }
}
