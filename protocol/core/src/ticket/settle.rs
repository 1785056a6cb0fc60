//! How a ticket ends: paid, or given up before it was.

use super::pricing::{given_tax, taxable, taxes};
use super::{Counter, Mode, Open, Opening, Refusal};
use crate::facts::{ClosedLine, ClosedTicket, LineRole, TaxSum, TicketEnd};
use crate::ids::ReceiptNo;
use crate::money::{Money, Quantity};
use crate::stock::{MoveReason, StockMove};
use crate::tax;

/// Tax per class over the lines that count, in the order of the classes' codes.
pub fn sum_taxes(lines: &[ClosedLine]) -> Result<Vec<TaxSum>, Refusal> {
    Ok(TaxSum::of_lines(lines)?)
}

/// What a line takes from the shop's stock or brings back.
fn moved(line: &ClosedLine) -> Option<StockMove> {
    match line.details.role {
        LineRole::Goods | LineRole::Deposit | LineRole::BottleRefund => {
            let reason = if line.quantity.0 < 0 {
                MoveReason::Return
            } else {
                MoveReason::Sale
            };
            Some(StockMove::new(line.sku.clone(), Quantity(line.quantity.0.saturating_neg()), reason))
        }
        LineRole::Department | LineRole::Prepayment | LineRole::Fee => None,
    }
}

impl Open {
    /// The ticket as it will stand in the journal once it is paid. The receipt number is given by the journal.
    pub fn settle(&self, counter: &Counter<'_>) -> Result<ClosedTicket, Refusal> {
        self.may_be_paid_otherwise()?;
        if self.live == 0 {
            return Err(Refusal::EmptyBasket);
        }
        let due = self.due()?;
        let given = self.given()?;
        if due < Money::ZERO && given != due {
            return Err(Refusal::RefundFirst {
                amount: self.show(given.checked_sub(due)?),
            });
        }
        let change = given.checked_sub(due)?;
        if change < Money::ZERO {
            return Err(Refusal::NotEnough {
                given: self.show(given),
                due: self.show(due),
            });
        }
        let end = self.ends_as();
        let rounding = due.checked_sub(self.total()?)?;
        let closed = self.closed(end)?;
        let (lines, sums) = self.taxed(counter)?;
        let live = lines.iter().filter(|line| line.voided.is_none());
        Ok(ClosedTicket {
            original: self.original(),
            cash_rounding: rounding,
            due,
            change,
            moves: if end.counts() {
                live.filter_map(moved).collect()
            } else {
                Vec::new()
            },
            lines,
            taxes: sums,
            ..closed
        })
    }

    fn ends_as(&self) -> TicketEnd {
        if self.opening.mode == Mode::Training {
            return TicketEnd::Training;
        }
        if let Some(end) = self.closes_as {
            return end;
        }
        let live = || self.lines.iter().filter(|line| line.voided.is_none());
        let came_back = live().any(|line| line.details.returns.is_some() || line.details.without_receipt.is_some());
        let sold = live().any(|line| line.quantity.0 > 0);
        match (came_back, sold) {
            (true, true) => TicketEnd::Exchange,
            (false, true) => TicketEnd::Sale,
            (_, false) => TicketEnd::Return,
        }
    }

    /// The receipt that is taken back, where it is one only.
    fn original(&self) -> Option<ReceiptNo> {
        let mut receipts = self
            .lines
            .iter()
            .filter(|line| line.voided.is_none())
            .filter_map(|line| line.details.returns.map(|of| of.receipt));
        let first = receipts.next()?;
        receipts.all(|other| other == first).then_some(first)
    }

    /// The lines with what each bears of the document's taxes, and the sums.
    pub(super) fn taxed(&self, counter: &Counter<'_>) -> Result<(Vec<ClosedLine>, Vec<TaxSum>), Refusal> {
        let circumstances = tax::Circumstances {
            day: self.about.tax_day.unwrap_or_else(|| counter.day(self.opening.opened_at)),
            exemption: self.about.exemption.clone(),
        };
        let mut lines = self.lines.clone();
        let mut given = Vec::with_capacity(lines.len());
        for line in &self.lines {
            given.push(given_tax(line, self.opening.prices)?);
        }
        let live = self.lines.iter().zip(&given).filter(|(line, _)| line.voided.is_none());
        let documented: Vec<_> = live.map(|(line, given)| taxable(line, given.as_ref())).collect();
        let document = tax::document(&documented, counter.taxes, &circumstances).map_err(taxes)?;
        if (document.net, document.tax) != (self.net, self.tax) {
            return self.taxed_as_told();
        }
        let counting = lines.iter_mut().filter(|line| line.voided.is_none());
        for (line, taxed) in counting.zip(document.lines) {
            line.rate = taxed.rate;
            line.net = taxed.net;
            line.tax = taxed.tax;
            line.taxes = taxed.recorded(&line.tax_class);
        }
        let sums = document.sums.into_iter().map(TaxSum::recorded).collect();
        Ok((lines, sums))
    }

    /// Other rules came since the ticket was begun, or its day turned after money was taken: it is closed as it was told to the customer.
    fn taxed_as_told(&self) -> Result<(Vec<ClosedLine>, Vec<TaxSum>), Refusal> {
        let sums = sum_taxes(&self.lines)?;
        let net = Money::sum(sums.iter().map(|sum| sum.net))?;
        let tax = Money::sum(sums.iter().map(|sum| sum.tax))?;
        if (net, tax) == (self.net, self.tax) {
            Ok((self.lines.clone(), sums))
        } else {
            Err(Refusal::TaxesTurned)
        }
    }

    /// The ticket given up before it was paid.
    pub fn cancel(&self) -> Result<ClosedTicket, Refusal> {
        self.nothing_under_way()?;
        if !self.tenders.is_empty() {
            return Err(Refusal::AlreadyPaid);
        }
        Ok(ClosedTicket {
            net: Money::ZERO,
            tax: Money::ZERO,
            taxes: Vec::new(),
            ..self.closed(TicketEnd::Cancelled)?
        })
    }

    pub(super) fn closed(&self, end: TicketEnd) -> Result<ClosedTicket, Refusal> {
        let Opening {
            ticket,
            register,
            till,
            shift,
            opened_at,
            currency,
            prices,
            ..
        } = self.opening;
        Ok(ClosedTicket {
            ticket,
            end,
            receipt: None,
            original: None,
            register,
            till,
            shift,
            opened_at,
            currency,
            prices,
            taxes: sum_taxes(&self.lines)?,
            lines: self.lines.clone(),
            net: self.net,
            tax: self.tax,
            cash_rounding: Money::ZERO,
            due: Money::ZERO,
            tenders: self.tenders.clone(),
            change: Money::ZERO,
            moves: Vec::new(),
            details: self.about.clone(),
        })
    }
}
