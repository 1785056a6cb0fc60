//! The papers of a closed ticket: receipt, return, cancellation, and the gift receipt that shows no price.

use super::offer::{Offer, quotation};
use super::{Document, Page, Purpose, Row, Sheet, Words};
use crate::barcode::ReceiptCode;
use crate::facts::{ClosedLine, ClosedTicket, PriceReason, ReasonKind, TenderKind, TicketEnd};
use crate::ids::ReceiptNo;
use crate::money::{Currency, Money, Quantity};
use crate::tax::PriceMode;
use crate::time::Instant;

/// The customer's receipt of a sale or a return.
pub fn sale(ticket: &ClosedTicket, settled_at: Instant, page: &Page<'_>) -> Document {
    if let (TicketEnd::Quotation, Some(quoted)) = (ticket.end, ticket.details.quoted) {
        let offer = Offer {
            net: quoted.net,
            tax: quoted.tax,
            holds_until: quoted.holds_until,
        };
        return quotation(ticket, &offer, settled_at, page);
    }
    if ticket.end == TicketEnd::Cancellation {
        return cancellation(ticket, settled_at, page);
    }
    let page = match ticket.end {
        TicketEnd::Training => page.for_training(),
        _ => *page,
    };
    let mut sheet = Sheet::begin(&page, title(ticket.end, page.language.words()));
    sheet.numbered(ticket, settled_at);
    if let Some(original) = ticket.original {
        sheet.text(format!("{} {original}", sheet.words.for_receipt));
    }
    sheet.whole_ticket(ticket);
    sheet.end()
}

/// What undoes a paid sale: the same sums the other way round, under its own number.
pub fn cancellation(ticket: &ClosedTicket, settled_at: Instant, page: &Page<'_>) -> Document {
    let mut sheet = Sheet::begin(page, page.language.words().cancellation);
    sheet.numbered(ticket, settled_at);
    if let Some(original) = ticket.original {
        sheet.text(format!("{} {original}", sheet.words.cancels_receipt));
    }
    sheet.whole_ticket(ticket);
    sheet.end()
}

/// For whoever gets the goods as a present: what and when, and not for how much. `lines` are the numbers of the lines on it; all when none are
/// named.
pub fn gift(ticket: &ClosedTicket, settled_at: Instant, lines: &[u32], page: &Page<'_>) -> Document {
    let mut sheet = Sheet::begin(page, page.language.words().gift_receipt);
    sheet.numbered(ticket, settled_at);
    sheet.rule();
    let chosen = |line: &&ClosedLine| lines.is_empty() || lines.contains(&line.line);
    for line in ticket.lines.iter().filter(|line| line.voided.is_none()).filter(chosen) {
        sheet.text(line.name.clone());
        if line.quantity != Quantity::ONE {
            sheet.text(format!("  {} x", line.quantity));
        }
    }
    sheet.rule();
    sheet.text(sheet.words.gift_note);
    sheet.code(ticket.receipt);
    sheet.end()
}

fn title(end: TicketEnd, words: &Words) -> &'static str {
    match end {
        TicketEnd::Sale => words.receipt,
        TicketEnd::Return => words.returned,
        TicketEnd::Cancelled => words.cancelled,
        TicketEnd::Exchange => words.exchange,
        TicketEnd::Cancellation => words.cancellation,
        // The page says above and below that it was practice.
        TicketEnd::Training => words.receipt,
        TicketEnd::Quotation => words.quotation,
    }
}

/// How it was paid.
pub(super) fn tender_words(kind: TenderKind, words: &Words) -> &'static str {
    match kind {
        TenderKind::Cash => words.cash,
        TenderKind::Card => words.card,
        TenderKind::GiftCard => words.gift_card,
        TenderKind::StoreCredit => words.store_credit,
        TenderKind::Voucher => words.voucher,
        TenderKind::OnAccount => words.on_account,
        TenderKind::Points => words.points,
    }
}

/// What changed a price; nothing for what a price simply is.
fn reason_words(reason: &PriceReason, words: &Words) -> Option<&'static str> {
    match reason.reason {
        ReasonKind::ListPrice | ReasonKind::Returned => None,
        ReasonKind::Book => Some(words.price_book),
        ReasonKind::Override => Some(words.price_set),
        ReasonKind::OpenPrice => Some(words.price_keyed),
        ReasonKind::Promotion => Some(words.promotion),
        ReasonKind::LineDiscount => Some(words.line_discount),
        ReasonKind::TicketDiscount => Some(words.ticket_discount),
    }
}

impl Sheet<'_> {
    fn numbered(&mut self, ticket: &ClosedTicket, settled_at: Instant) {
        if let Some(receipt) = ticket.receipt {
            let local = self.local(settled_at);
            self.figure(format!("{} {receipt}", self.words.number), local);
        }
    }

    fn whole_ticket(&mut self, ticket: &ClosedTicket) {
        self.rule();
        self.lines(&ticket.lines, ticket.currency);
        self.rule();
        self.sums(ticket);
        self.tenders(ticket);
        self.rule();
        self.taxes(ticket);
        // At the foot, where a hand that brings the goods back does not cover it.
        self.code(ticket.receipt);
    }

    pub(super) fn lines(&mut self, lines: &[ClosedLine], currency: Currency) {
        for line in lines.iter().filter(|line| line.voided.is_none()) {
            self.figure(line.name.clone(), format!("{} {}", currency.digits(line.amount), line.tax_class));
            if line.quantity != Quantity::ONE {
                self.text(format!("  {} x {}", line.quantity, currency.digits(line.unit_price)));
            }
            if let Some(weighed) = line.details.weighed.filter(|weighed| weighed.tare != Quantity::ZERO) {
                let (gross, tare) = (weighed.gross, weighed.tare);
                self.text(format!("  {} {gross}, {} {tare}", self.words.gross_weight, self.words.tare));
            }
            for reason in &line.reasons {
                if let Some(words) = reason_words(reason, self.words) {
                    let words = match &reason.source {
                        Some(source) => format!("  {words}: {source}"),
                        None => format!("  {words}"),
                    };
                    self.figure(words, currency.digits(reason.amount));
                }
            }
        }
    }

    fn sums(&mut self, ticket: &ClosedTicket) {
        let currency = ticket.currency;
        match ticket.prices {
            PriceMode::Exclusive => {
                self.figure(self.words.subtotal, currency.digits(ticket.net));
                self.figure(self.words.tax, currency.digits(ticket.tax));
            }
            PriceMode::Inclusive => {
                // The lines show prices with tax; who is exempt sees what is taken off again.
                let lines = ticket.lines.iter().filter(|line| line.voided.is_none());
                let shown = Money::sum(lines.map(|line| line.amount)).ok();
                let kept = ticket.net.checked_add(ticket.tax).ok();
                let waived = shown.zip(kept).and_then(|(shown, kept)| kept.checked_sub(shown).ok());
                if let Some(waived) = waived.filter(|waived| *waived != Money::ZERO && ticket.end != TicketEnd::Cancelled) {
                    self.figure(self.words.not_charged, currency.digits(waived));
                }
            }
        }
        if let Some(exemption) = &ticket.details.exemption {
            self.text(format!("{}: {}", self.words.exempt, exemption.reason));
        }
        if ticket.cash_rounding != Money::ZERO {
            self.figure(self.words.rounding, currency.digits(ticket.cash_rounding));
        }
        self.total(self.words.total, currency.show(ticket.due));
    }

    fn tenders(&mut self, ticket: &ClosedTicket) {
        let currency = ticket.currency;
        for tender in &ticket.tenders {
            let back = tender.kind == TenderKind::Cash && tender.amount < Money::ZERO;
            let words = if back {
                self.words.cash_back
            } else {
                tender_words(tender.kind, self.words)
            };
            self.figure(words, currency.digits(tender.amount));
            if let Some(attempt) = &tender.attempt {
                self.text(format!("  {attempt}"));
            }
            if let Some(foreign) = &tender.foreign {
                let given = foreign.currency.show(foreign.amount);
                self.text(format!("  {given} x {}", String::from(foreign.rate)));
            }
            if tender.details.tip != Money::ZERO {
                self.figure(format!("  {}", self.words.tip), currency.digits(tender.details.tip));
            }
        }
        if ticket.change != Money::ZERO {
            self.figure(self.words.change, currency.digits(ticket.change));
        }
    }

    /// One row per class and rate, and below it its taxes where there are several.
    pub(super) fn taxes(&mut self, ticket: &ClosedTicket) {
        let currency = ticket.currency;
        for sum in &ticket.taxes {
            let words = format!("{} {} {} {}", sum.tax_class, sum.rate, self.words.of, currency.digits(sum.net));
            self.figure(words, currency.digits(sum.tax));
            for part in &sum.parts {
                self.figure(format!("  {} {}", part.tax, part.rate), currency.digits(part.amount));
            }
        }
    }

    /// What is practised with must not be brought back.
    fn code(&mut self, receipt: Option<ReceiptNo>) {
        if let Some(receipt) = receipt.filter(|_| self.page.purpose == Purpose::Real) {
            self.rows.push(Row::Code {
                text: ReceiptCode::new(receipt).to_string(),
            });
        }
    }
}
