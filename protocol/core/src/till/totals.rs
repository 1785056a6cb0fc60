//! The running sums of a shift: what every closed ticket adds to them.
//!
//! A training ticket adds nothing. Cash in the store's own currency, foreign cash and all other tenders are kept apart.

use serde::{Deserialize, Serialize};

use super::flow::{self, Flow, ForeignCash, add};
use crate::facts::{ClosedTicket, TaxSum, Tender, TenderKind, TicketEnd};
use crate::ids::ReceiptNo;
use crate::money::{Money, MoneyError};

/// First and last number a register printed in a shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptSpan {
    pub first: ReceiptNo,
    pub last: ReceiptNo,
}

/// Running sums of one shift.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub sales: u64,
    pub returns: u64,
    pub cancelled: u64,
    /// Net and tax of sales minus returns.
    pub net: Money,
    pub tax: Money,
    pub taxes: Vec<TaxSum>,
    pub cash_rounding: Money,
    /// Due of all sales, and of all returns (negative).
    pub sales_due: Money,
    pub returns_due: Money,
    /// Paid by card; it is in no drawer.
    #[serde(default)]
    pub card_taken: Money,
    /// Cash given by customers, before change.
    pub cash_taken: Money,
    pub change: Money,
    /// Cash handed back for returns, as a positive figure.
    pub cash_refunds: Money,
    pub paid_in: Money,
    pub paid_out: Money,
    /// Cash out of the till into a safer one, or for good.
    pub drops: Money,
    pub receipts: Vec<ReceiptSpan>,
    /// Cash out of another till.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub received: Money,
    /// Tenders that lie in no drawer and are no card payment: card refunds, gift cards, accounts. In the order of their first use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenders: Vec<TenderSum>,
    /// Cash of other currencies, by code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<ForeignCash>,
}

fn is_zero(amount: &Money) -> bool {
    *amount == Money::ZERO
}

/// What was taken and given back in one way of paying, both as positive figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderSum {
    pub tender: TenderKind,
    pub taken: Money,
    pub refunded: Money,
}

impl Totals {
    /// The store's own cash.
    pub fn local(&self, float: Money) -> Flow {
        Flow {
            float,
            taken: self.cash_taken,
            change: self.change,
            refunds: self.cash_refunds,
            paid_in: self.paid_in,
            paid_out: self.paid_out,
            received: self.received,
            drops: self.drops,
        }
    }

    pub(super) fn add_ticket(&mut self, ticket: &ClosedTicket) -> Result<(), MoneyError> {
        match ticket.end {
            TicketEnd::Cancelled => {
                self.cancelled += 1;
                return Ok(());
            }
            TicketEnd::Training | TicketEnd::Quotation => return Ok(()),
            // An exchange counts by the way its balance went.
            TicketEnd::Exchange if ticket.due < Money::ZERO => {
                self.returns += 1;
                add(&mut self.returns_due, ticket.due)?;
            }
            TicketEnd::Sale | TicketEnd::Exchange => {
                self.sales += 1;
                add(&mut self.sales_due, ticket.due)?;
            }
            TicketEnd::Return | TicketEnd::Cancellation => {
                self.returns += 1;
                add(&mut self.returns_due, ticket.due)?;
            }
        }
        for tender in &ticket.tenders {
            self.add_tender(tender)?;
        }
        add(&mut self.change, ticket.change)?;
        add(&mut self.net, ticket.net)?;
        add(&mut self.tax, ticket.tax)?;
        add(&mut self.cash_rounding, ticket.cash_rounding)?;
        self.taxes = merge_taxes(&self.taxes, &ticket.taxes)?;
        if let Some(receipt) = ticket.receipt {
            self.add_receipt(receipt);
        }
        Ok(())
    }

    fn add_tender(&mut self, tender: &Tender) -> Result<(), MoneyError> {
        let (taken, refunded) = match tender.kind {
            TenderKind::Cash => {
                if let Some(given) = &tender.foreign {
                    // Customers get their change and their money back in the shop's own coins.
                    return add(&mut flow::foreign(&mut self.foreign, given.currency).taken, given.amount);
                }
                (&mut self.cash_taken, &mut self.cash_refunds)
            }
            TenderKind::Card if tender.amount >= Money::ZERO => return add(&mut self.card_taken, tender.amount),
            kind => {
                let sum = tender_sum(&mut self.tenders, kind);
                (&mut sum.taken, &mut sum.refunded)
            }
        };
        if tender.amount < Money::ZERO {
            add(refunded, tender.amount.negated()?)
        } else {
            add(taken, tender.amount)
        }
    }

    fn add_receipt(&mut self, receipt: ReceiptNo) {
        let same = |span: &&mut ReceiptSpan| (span.last.register, span.last.series) == (receipt.register, receipt.series);
        match self.receipts.iter_mut().find(same) {
            Some(span) => span.last = receipt,
            None => self.receipts.push(ReceiptSpan {
                first: receipt,
                last: receipt,
            }),
        }
    }

    /// What should have been taken in this way: for a look at slips and vouchers, never part of the cash.
    pub fn expected_of(&self, kind: TenderKind) -> Result<Money, MoneyError> {
        let other = self.tenders.iter().find(|sum| sum.tender == kind);
        let other = other.map_or(Ok(Money::ZERO), |sum| sum.taken.checked_sub(sum.refunded))?;
        match kind {
            TenderKind::Card => other.checked_add(self.card_taken),
            _ => Ok(other),
        }
    }
}

fn tender_sum(all: &mut Vec<TenderSum>, tender: TenderKind) -> &mut TenderSum {
    let place = all.iter().position(|sum| sum.tender == tender).unwrap_or(all.len());
    if place == all.len() {
        let (taken, refunded) = (Money::ZERO, Money::ZERO);
        all.push(TenderSum { tender, taken, refunded });
    }
    &mut all[place]
}

pub(super) fn merge_taxes(before: &[TaxSum], more: &[TaxSum]) -> Result<Vec<TaxSum>, MoneyError> {
    TaxSum::merged(before.iter().chain(more).cloned())
}
