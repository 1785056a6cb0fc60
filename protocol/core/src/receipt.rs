//! The receipt as a document, before any printer: lines of text with a meaning, which a printer or a page lays out.
//!
//! Owns what a receipt says. Fonts, cutting, code pages and how a bar code is drawn belong to `devices`. Other languages, invoices and gift
//! receipts are not here yet.

use serde::{Deserialize, Serialize};

use crate::barcode::ReceiptCode;
use crate::facts::{ClosedTicket, TenderKind, TicketEnd};
use crate::money::{Currency, Money};
use crate::till::ZReport;
use crate::time::{Calendar, Instant};

/// First print or a repeated one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Copy {
    Original,
    Copy,
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
    /// Words to the left, a figure to the right.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub rows: Vec<Row>,
}

impl Document {
    /// As text of `width` columns: for a terminal, a log, a test.
    pub fn to_text(&self, width: usize) -> String {
        let mut text = String::new();
        for row in &self.rows {
            match row {
                Row::Title { text: centred } | Row::Code { text: centred } => text.push_str(&format!("{centred:^width$}")),
                Row::Text { text: words } => text.push_str(words),
                Row::Figure { left, right } | Row::Total { left, right } => {
                    let room = width.saturating_sub(right.chars().count() + 1);
                    let left: String = left.chars().take(room).collect();
                    text.push_str(&format!("{left:<room$} {right}"));
                }
                Row::Rule => text.push_str(&"-".repeat(width)),
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text
    }
}

/// What the shop prints on top.
#[derive(Clone, Copy, Debug)]
pub struct Heading<'a> {
    pub shop: &'a str,
    pub calendar: &'a Calendar,
}

fn figure(left: impl Into<String>, right: String) -> Row {
    Row::Figure { left: left.into(), right }
}

/// The customer's receipt of a sale or a return.
pub fn of_ticket(ticket: &ClosedTicket, settled_at: Instant, copy: Copy, heading: &Heading<'_>) -> Document {
    let currency = ticket.currency;
    let mut rows = vec![Row::Title {
        text: heading.shop.to_owned(),
    }];
    if copy == Copy::Copy {
        rows.push(Row::Title { text: "COPY".into() });
    }
    rows.push(Row::Title {
        text: match ticket.end {
            TicketEnd::Sale => "RECEIPT".into(),
            TicketEnd::Return => "RETURN".into(),
            TicketEnd::Cancelled => "CANCELLED".into(),
            TicketEnd::Exchange => "EXCHANGE".into(),
            TicketEnd::Cancellation => "CANCELLATION".into(),
            TicketEnd::Training => "TRAINING - NO RECEIPT".into(),
            TicketEnd::Quotation => "QUOTATION".into(),
        },
    });
    if let Some(receipt) = ticket.receipt {
        rows.push(figure(format!("No. {receipt}"), heading.calendar.local(settled_at)));
    }
    if let Some(original) = ticket.original {
        rows.push(Row::Text {
            text: format!("for receipt {original}"),
        });
    }
    rows.push(Row::Rule);
    for line in ticket.lines.iter().filter(|line| line.voided.is_none()) {
        rows.push(figure(
            line.name.clone(),
            format!("{} {}", currency.digits(line.amount), line.tax_class),
        ));
        if line.quantity != crate::money::Quantity::ONE {
            rows.push(Row::Text {
                text: format!("  {} x {}", line.quantity, currency.digits(line.unit_price)),
            });
        }
    }
    rows.push(Row::Rule);
    push_sums(&mut rows, ticket, currency);
    // At the foot, where a hand that brings the goods back does not cover it.
    if let Some(receipt) = ticket.receipt {
        rows.push(Row::Code {
            text: ReceiptCode::new(receipt).to_string(),
        });
    }
    Document { rows }
}

fn push_sums(rows: &mut Vec<Row>, ticket: &ClosedTicket, currency: Currency) {
    if ticket.cash_rounding != Money::ZERO {
        rows.push(figure("rounding", currency.digits(ticket.cash_rounding)));
    }
    rows.push(Row::Total {
        left: "TOTAL".into(),
        right: currency.show(ticket.due),
    });
    for tender in &ticket.tenders {
        let words = match tender.kind {
            TenderKind::Cash if tender.amount < Money::ZERO => "cash back",
            TenderKind::Cash => "cash",
            TenderKind::Card => "card",
            TenderKind::GiftCard => "gift card",
            TenderKind::StoreCredit => "store credit",
            TenderKind::Voucher => "voucher",
            TenderKind::OnAccount => "on account",
            TenderKind::Points => "points",
        };
        rows.push(figure(words, currency.digits(tender.amount)));
        if let Some(attempt) = &tender.attempt {
            rows.push(Row::Text {
                text: format!("  {attempt}"),
            });
        }
    }
    if ticket.change != Money::ZERO {
        rows.push(figure("change", currency.digits(ticket.change)));
    }
    rows.push(Row::Rule);
    for sum in &ticket.taxes {
        let words = format!("{} {} of {}", sum.tax_class, sum.rate, currency.digits(sum.net));
        rows.push(figure(words, currency.digits(sum.tax)));
    }
}

/// The report that closes a shift.
pub fn of_z(z: &ZReport, till: &str, currency: Currency, heading: &Heading<'_>) -> Document {
    let show = |amount: Money| currency.digits(amount);
    let t = &z.totals;
    let mut rows = vec![
        Row::Title {
            text: heading.shop.to_owned(),
        },
        Row::Title {
            text: format!("Z REPORT {} - till {till}", z.number),
        },
        figure("opened", heading.calendar.local(z.opened_at)),
        figure("closed", heading.calendar.local(z.closed_at)),
        Row::Rule,
        figure(format!("{} sales", t.sales), show(t.sales_due)),
        figure(format!("{} returns", t.returns), show(t.returns_due)),
        figure(format!("{} cancelled", t.cancelled), String::new()),
        figure("net", show(t.net)),
    ];
    for sum in &t.taxes {
        rows.push(figure(
            format!("tax {} {} of {}", sum.tax_class, sum.rate, show(sum.net)),
            show(sum.tax),
        ));
    }
    rows.push(figure("cash rounding", show(t.cash_rounding)));
    rows.push(Row::Rule);
    rows.push(figure("paid by card", show(t.card_taken)));
    for (words, amount) in [
        ("float", z.float),
        ("cash taken", t.cash_taken),
        ("change given", Money(-t.change.0)),
        ("cash refunds", Money(-t.cash_refunds.0)),
        ("paid in", t.paid_in),
        ("paid out", Money(-t.paid_out.0)),
        ("drops", Money(-t.drops.0)),
    ] {
        rows.push(figure(words, show(amount)));
    }
    rows.push(Row::Total {
        left: "expected".into(),
        right: currency.show(z.expected),
    });
    rows.push(figure("counted", show(z.counted)));
    rows.push(Row::Total {
        left: "over / short".into(),
        right: currency.show(z.over_short),
    });
    rows.push(Row::Rule);
    for span in &t.receipts {
        rows.push(figure(format!("receipts {}", span.first), format!("to {}", span.last)));
    }
    rows.push(figure("sales since the till began", show(z.perpetual_sales)));
    rows.push(figure("returns since the till began", show(z.perpetual_returns)));
    Document { rows }
}
