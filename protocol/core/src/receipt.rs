//! The receipt as a document, before any printer: lines of text with a meaning, which a printer or a page lays out.
//!
//! Owns what a receipt, an invoice, an offer or a report of a till says, in the customer's language. Fonts, cutting, code pages and how a bar
//! code is drawn belong to `devices`. Every figure is taken from the journal's fact; nothing is computed anew.

mod invoice;
mod offer;
mod sale;
mod till;
mod width;
mod words;

use serde::{Deserialize, Serialize};

use crate::facts::ClosedTicket;
use crate::money::Currency;
use crate::till::ZReport;
use crate::time::{Calendar, Instant};

pub use invoice::{Invoice, InvoiceError, InvoiceNo, Invoices, Party, fuzz_one, invoice};
pub use offer::{Layaway, Offer, layaway, quotation};
pub use sale::{cancellation, gift, sale};
pub use till::{count_slip, x_report, z_report};
pub use words::{Direction, Language, Spoken, Words};

/// First print or a repeated one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Copy {
    Original,
    Copy,
}

/// Whether money and goods changed hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Real,
    Training,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "row", rename_all = "snake_case")]
pub enum Row {
    Title {
        text: String,
    },
    Text {
        text: String,
    },
    /// Words where the row begins, a figure where it ends.
    Figure {
        left: String,
        right: String,
    },
    Total {
        left: String,
        right: String,
    },
    Rule,
    /// Words for a scanner: a printer draws a bar code and writes the words below it.
    Code {
        text: String,
    },
}

/// A receipt or report, ready to be laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub rows: Vec<Row>,
    /// Which way all its rows run: from right to left, words stand at the right edge and figures at the left one, and the digits of a figure
    /// still run from left to right.
    #[serde(default, skip_serializing_if = "is_default")]
    pub direction: Direction,
}

fn is_default(direction: &Direction) -> bool {
    *direction == Direction::default()
}

impl From<Vec<Row>> for Document {
    fn from(rows: Vec<Row>) -> Document {
        let direction = Direction::default();
        Document { rows, direction }
    }
}

impl Document {
    /// As text of `width` columns: for a terminal, a log, a test. Letters stay in the order in which they are read; turning Arabic round is
    /// what a terminal or a printer does.
    pub fn to_text(&self, width: usize) -> String {
        let mut text = String::new();
        for row in &self.rows {
            text.push_str(self.line(row, width).trim_end());
            text.push('\n');
        }
        text
    }

    fn line(&self, row: &Row, width: usize) -> String {
        let space = |columns: usize| " ".repeat(columns);
        match row {
            Row::Title { text } | Row::Code { text } => space(width.saturating_sub(width::of(text)) / 2) + text,
            Row::Text { text } => match self.direction {
                Direction::LeftToRight => text.clone(),
                Direction::RightToLeft => space(width.saturating_sub(width::of(text))) + text,
            },
            Row::Figure { left, right } | Row::Total { left, right } => {
                let room = width.saturating_sub(width::of(right) + 1);
                let words = width::cut(left, room);
                let gap = space(room.saturating_sub(width::of(words)));
                match self.direction {
                    Direction::LeftToRight => format!("{words}{gap} {right}"),
                    Direction::RightToLeft => format!("{right} {gap}{words}"),
                }
            }
            Row::Rule => "-".repeat(width),
        }
    }
}

/// What the shop prints on top.
#[derive(Clone, Copy, Debug)]
pub struct Heading<'a> {
    pub shop: &'a str,
    pub calendar: &'a Calendar,
}

/// How a document is to be written, whatever it says.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    pub heading: Heading<'a>,
    pub language: Language,
    pub copy: Copy,
    pub purpose: Purpose,
}

impl<'a> Page<'a> {
    /// An original in English.
    pub fn new(heading: Heading<'a>) -> Self {
        Self {
            heading,
            language: Language::En,
            copy: Copy::Original,
            purpose: Purpose::Real,
        }
    }

    pub fn in_language(self, language: Language) -> Self {
        Self { language, ..self }
    }

    pub fn copied(self, copy: Copy) -> Self {
        Self { copy, ..self }
    }

    pub fn for_training(self) -> Self {
        let purpose = Purpose::Training;
        Self { purpose, ..self }
    }
}

/// A document that is being written.
struct Sheet<'a> {
    page: Page<'a>,
    words: &'static Words,
    rows: Vec<Row>,
}

impl<'a> Sheet<'a> {
    /// The head of every page: the shop, what marks the page, what it is.
    fn begin(page: &Page<'a>, title: impl Into<String>) -> Self {
        let mut sheet = Sheet {
            page: *page,
            words: page.language.words(),
            rows: Vec::new(),
        };
        sheet.title(page.heading.shop);
        sheet.mark_training();
        if page.copy == Copy::Copy {
            sheet.title(sheet.words.copy);
        }
        sheet.title(title);
        sheet
    }

    /// The foot: a training page says so where it was torn off, too.
    fn end(mut self) -> Document {
        self.mark_training();
        Document {
            rows: self.rows,
            direction: self.page.language.direction(),
        }
    }

    fn mark_training(&mut self) {
        if self.page.purpose == Purpose::Training {
            self.title(self.words.training);
            self.text(self.words.training_note);
        }
    }

    fn title(&mut self, text: impl Into<String>) {
        self.rows.push(Row::Title { text: text.into() });
    }

    fn text(&mut self, text: impl Into<String>) {
        self.rows.push(Row::Text { text: text.into() });
    }

    fn figure(&mut self, left: impl Into<String>, right: impl Into<String>) {
        let (left, right) = (left.into(), right.into());
        self.rows.push(Row::Figure { left, right });
    }

    fn total(&mut self, left: impl Into<String>, right: impl Into<String>) {
        let (left, right) = (left.into(), right.into());
        self.rows.push(Row::Total { left, right });
    }

    fn rule(&mut self) {
        self.rows.push(Row::Rule);
    }

    fn local(&self, at: Instant) -> String {
        self.page.heading.calendar.local(at)
    }
}

/// The customer's receipt of a sale or a return, in English.
pub fn of_ticket(ticket: &ClosedTicket, settled_at: Instant, copy: Copy, heading: &Heading<'_>) -> Document {
    sale(ticket, settled_at, &Page::new(*heading).copied(copy))
}

/// The report that closes a shift, in English.
pub fn of_z(z: &ZReport, till: &str, currency: Currency, heading: &Heading<'_>) -> Document {
    z_report(z, till, currency, &Page::new(*heading))
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
