//! Papers on which nothing was sold yet: a quotation, and the slip of goods that are put aside.

use jiff::civil::Date;

use super::{Document, Page, Sheet};
use crate::facts::{ClosedLine, ClosedTicket};
use crate::money::{Currency, Money};
use crate::tax::PriceMode;
use crate::time::Instant;

/// What an offer comes to, and how long it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    pub net: Money,
    pub tax: Money,
    /// The last civil date.
    pub holds_until: Date,
}

/// A ticket as an offer, under its number in the series of quotations. No code for the scanner: there is nothing to bring back.
pub fn quotation(ticket: &ClosedTicket, offer: &Offer, made_at: Instant, page: &Page<'_>) -> Document {
    let currency = ticket.currency;
    let mut sheet = Sheet::begin(page, page.language.words().quotation);
    if let Some(number) = ticket.receipt {
        let local = sheet.local(made_at);
        sheet.figure(format!("{} {number}", sheet.words.number), local);
    }
    sheet.figure(sheet.words.valid_until, offer.holds_until.to_string());
    sheet.rule();
    sheet.lines(&ticket.lines, currency);
    sheet.rule();
    if ticket.prices == PriceMode::Exclusive {
        sheet.figure(sheet.words.subtotal, currency.digits(offer.net));
    }
    sheet.figure(sheet.words.tax, currency.digits(offer.tax));
    let total = offer.net.checked_add(offer.tax).unwrap_or(offer.net);
    sheet.total(sheet.words.total, currency.show(total));
    sheet.rule();
    sheet.taxes(ticket);
    sheet.text(sheet.words.not_an_invoice);
    sheet.end()
}

/// Goods put aside for a customer, as the slip tells of them.
#[derive(Clone, Copy, Debug)]
pub struct Layaway<'a> {
    /// As the shop finds it again.
    pub number: &'a str,
    pub lines: &'a [ClosedLine],
    pub currency: Currency,
    pub total: Money,
    /// With what was paid today.
    pub paid: Money,
    /// The last civil date on which the goods are kept.
    pub keep_until: Date,
}

/// What the customer takes home instead of the goods.
pub fn layaway(layaway: &Layaway<'_>, at: Instant, page: &Page<'_>) -> Document {
    let currency = layaway.currency;
    let mut sheet = Sheet::begin(page, page.language.words().layaway);
    let local = sheet.local(at);
    sheet.figure(format!("{} {}", sheet.words.number, layaway.number), local);
    sheet.figure(sheet.words.kept_until, layaway.keep_until.to_string());
    sheet.rule();
    sheet.lines(layaway.lines, currency);
    sheet.rule();
    sheet.total(sheet.words.total, currency.show(layaway.total));
    sheet.figure(sheet.words.paid_so_far, currency.digits(layaway.paid));
    let remaining = layaway.total.checked_sub(layaway.paid).unwrap_or(layaway.total);
    sheet.total(sheet.words.remaining, currency.show(remaining));
    sheet.end()
}
