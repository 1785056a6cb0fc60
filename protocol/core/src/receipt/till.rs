//! Papers of a till: the look into an open shift, the report that closes one, and the slip of a count.

use super::sale::tender_words;
use super::{Document, Page, Sheet};
use crate::facts::{TaxSum, TillCounted};
use crate::money::{Currency, Money};
use crate::till::{Flow, PeriodTotals, Periods, Tally, Totals, XReport, ZReport};
use crate::time::Instant;

/// The report that closes a shift.
pub fn z_report(z: &ZReport, till: &str, currency: Currency, page: &Page<'_>) -> Document {
    let words = page.language.words();
    let mut sheet = Sheet::begin(page, format!("{} {} - {} {till}", words.z_report, z.number, words.till));
    let (opened, closed) = (sheet.local(z.opened_at), sheet.local(z.closed_at));
    sheet.figure(words.opened, opened);
    sheet.figure(words.closed, closed);
    sheet.totals(&z.totals, z.float, currency);
    sheet.total(words.expected, currency.show(z.expected));
    sheet.figure(words.counted, currency.digits(z.counted));
    sheet.total(words.over_short, currency.show(z.over_short));
    if let Some(detail) = &z.detail {
        for foreign in &detail.foreign {
            sheet.rule();
            sheet.figure(words.expected, foreign.currency.show(foreign.expected));
            sheet.figure(words.counted, foreign.currency.show(foreign.counted));
            sheet.figure(words.over_short, foreign.currency.show(foreign.over_short));
        }
        sheet.tally(&detail.tally, detail.currency);
        sheet.figure(words.counted_by, detail.counted_by.to_string());
        if let Some(next) = &detail.handed_to {
            sheet.figure(words.handed_to, next.to_string());
        }
        if let Some(difference) = &detail.difference {
            sheet.text(difference.reason.clone());
        }
        sheet.periods(&detail.periods, currency);
    }
    sheet.rule();
    sheet.spans(&z.totals);
    sheet.figure(words.sales_ever, currency.digits(z.perpetual_sales));
    sheet.figure(words.returns_ever, currency.digits(z.perpetual_returns));
    sheet.end()
}

/// A look into an open shift. It has no number and closes nothing.
pub fn x_report(x: &XReport, currency: Currency, page: &Page<'_>) -> Document {
    let words = page.language.words();
    let mut sheet = Sheet::begin(page, format!("{} - {} {}", words.x_report, words.till, x.till));
    let (opened, taken) = (sheet.local(x.opened_at), sheet.local(x.taken_at));
    sheet.figure(words.opened, opened);
    sheet.figure(words.taken, taken);
    sheet.totals(&x.totals, x.float, currency);
    sheet.total(words.expected, currency.show(x.expected));
    for sum in &x.foreign {
        sheet.figure(words.expected, sum.currency.show(sum.amount));
    }
    sheet.periods(&x.periods, currency);
    sheet.rule();
    sheet.spans(&x.totals);
    sheet.end()
}

/// What was found in a till, for the bag or the folder, with room to sign. What was expected is not on it.
pub fn count_slip(counted: &TillCounted, at: Instant, page: &Page<'_>) -> Document {
    let words = page.language.words();
    let mut sheet = Sheet::begin(page, format!("{} - {} {}", words.count, words.till, counted.till));
    let local = sheet.local(at);
    sheet.figure(words.counted_by, counted.by.to_string());
    sheet.figure(words.date, local);
    sheet.tally(&counted.tally, counted.currency);
    sheet.rule();
    sheet.text(words.blind_note);
    sheet.text(format!("{}: ____________________", words.signature));
    if counted.witness.is_some() {
        sheet.text(format!("{}: ____________________", words.signature));
    }
    sheet.end()
}

/// Zero is not written as minus zero, and what is beyond a number is not written at all.
fn less(amount: Money) -> Money {
    amount.negated().unwrap_or(amount)
}

impl Sheet<'_> {
    fn totals(&mut self, t: &Totals, float: Money, currency: Currency) {
        let words = self.words;
        self.rule();
        self.figure(format!("{} {}", t.sales, words.sales), currency.digits(t.sales_due));
        self.figure(format!("{} {}", t.returns, words.returns), currency.digits(t.returns_due));
        self.figure(format!("{} {}", t.cancelled, words.cancelled_count), String::new());
        self.figure(words.net, currency.digits(t.net));
        self.tax_sums(&t.taxes, currency);
        self.figure(words.cash_rounding, currency.digits(t.cash_rounding));
        self.rule();
        self.figure(words.paid_by_card, currency.digits(t.card_taken));
        for sum in &t.tenders {
            let kind = tender_words(sum.tender, words);
            self.figure(kind, currency.digits(sum.taken));
            if sum.refunded != Money::ZERO {
                self.figure(format!("  {}", words.refunded), currency.digits(less(sum.refunded)));
            }
        }
        self.flow(&t.local(float), currency);
        for foreign in &t.foreign {
            self.rule();
            self.text(foreign.currency.code());
            self.flow(&foreign.flow, foreign.currency);
        }
    }

    fn tax_sums(&mut self, sums: &[TaxSum], currency: Currency) {
        for sum in sums {
            let of = format!(
                "{} {} {} {} {}",
                self.words.tax,
                sum.tax_class,
                sum.rate,
                self.words.of,
                currency.digits(sum.net)
            );
            self.figure(of, currency.digits(sum.tax));
            for part in &sum.parts {
                self.figure(format!("  {} {}", part.tax, part.rate), currency.digits(part.amount));
            }
        }
    }

    fn flow(&mut self, flow: &Flow, currency: Currency) {
        let words = self.words;
        for (text, amount) in [
            (words.float, flow.float),
            (words.cash_taken, flow.taken),
            (words.change_given, less(flow.change)),
            (words.cash_refunds, less(flow.refunds)),
            (words.paid_in, flow.paid_in),
            (words.paid_out, less(flow.paid_out)),
        ] {
            self.figure(text, currency.digits(amount));
        }
        if flow.received != Money::ZERO {
            self.figure(words.received, currency.digits(flow.received));
        }
        self.figure(words.drops, currency.digits(less(flow.drops)));
    }

    fn tally(&mut self, tally: &Tally, own: Currency) {
        for count in tally.counts() {
            let currency = count.currency();
            self.rule();
            for pieces in count.pieces() {
                let worth = i64::try_from(pieces.pieces)
                    .ok()
                    .and_then(|number| number.checked_mul(pieces.value.0));
                let row = format!("{} x {}", pieces.pieces, currency.digits(pieces.value));
                self.figure(row, worth.map(|worth| currency.digits(Money(worth))).unwrap_or_default());
            }
            self.total(self.words.counted, currency.show(count.total()));
        }
        for declared in tally.tenders() {
            let words = tender_words(declared.tender, self.words);
            self.figure(words, own.digits(declared.amount));
        }
    }

    fn periods(&mut self, periods: &Periods, currency: Currency) {
        self.rule();
        let words = self.words;
        let sum = |totals: &PeriodTotals| totals.sales_due.checked_add(totals.returns_due).unwrap_or(totals.sales_due);
        let day = periods.business_day.0;
        for (text, totals) in [
            (format!("{} {day}", words.day_total), &periods.day),
            (format!("{} {}", words.month_total, day.strftime("%Y-%m")), &periods.month),
            (format!("{} {}", words.year_total, day.year()), &periods.year),
        ] {
            self.figure(text, currency.digits(sum(totals)));
        }
    }

    fn spans(&mut self, totals: &Totals) {
        for span in &totals.receipts {
            let (first, last) = (
                format!("{} {}", self.words.receipts, span.first),
                format!("{} {}", self.words.to, span.last),
            );
            self.figure(first, last);
        }
    }
}
