//! Goods put aside for a customer, or ordered: opened from a basket, paid in parts, picked up, given up or run out.
//!
//! Each payment is a ticket of its own with one prepayment line; when the goods are picked up, or the money goes back, those lines come
//! again below nothing with just the tax they bore. So every ticket adds up, every till is right, and nothing is taxed twice. What the goods
//! cost was agreed on the first day. Setting goods aside is the stock's room: the facts say what.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::change::Doing;
use super::pricing::Step;
use super::returns::refundable;
use super::{Back, BasketChanged, Counter, Decided, Event, GivenBack, Open, Refusal, Terms};
use crate::catalog::Sku;
use crate::facts::{
    ClosedLine, ClosedTicket, LayawayEnd, LayawayEnded, LayawayForm, LayawayOpened, LineDetails, LineRole, PriceReason, ReasonKind,
    Reserve, TicketDetails, TicketEnd,
};
use crate::ids::{LayawayId, TicketId};
use crate::money::{LARGEST_AMOUNT, Money, Quantity};
use crate::time::Instant;

/// Goods put aside, as the facts about them say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layaway {
    opened: LayawayOpened,
    /// The tickets that paid towards it.
    payments: Vec<ClosedTicket>,
    paid: Money,
    ended: Option<LayawayEnd>,
}

impl Layaway {
    pub fn new(opened: LayawayOpened) -> Self {
        Self {
            opened,
            payments: Vec::new(),
            paid: Money::ZERO,
            ended: None,
        }
    }

    pub fn opened(&self) -> &LayawayOpened {
        &self.opened
    }

    pub fn paid(&self) -> Money {
        self.paid
    }

    /// What is still to be paid, at the prices of the first day.
    pub fn open(&self) -> Result<Money, Refusal> {
        Ok(self.opened.total.checked_sub(self.paid)?)
    }

    pub fn ended(&self) -> Option<LayawayEnd> {
        self.ended
    }

    /// Takes a ticket in. Those that do not pay towards it change nothing.
    pub fn add(&mut self, ticket: &ClosedTicket) -> Result<(), Refusal> {
        let of_this = |line: &&ClosedLine| is_payment(line) && line.details.layaway == Some(self.opened.layaway);
        let own: Vec<&ClosedLine> = ticket.lines.iter().filter(of_this).collect();
        if own.is_empty() || !ticket.end.counts() || self.payments.iter().any(|known| known.ticket == ticket.ticket) {
            return Ok(());
        }
        for line in own {
            self.paid = self.paid.checked_add(line.net)?.checked_add(line.tax)?;
        }
        self.payments.push(ticket.clone());
        Ok(())
    }

    /// Makes its end true; of two the first counts.
    pub fn end(&mut self, ended: &LayawayEnded) {
        if ended.layaway == self.opened.layaway && self.ended.is_none() {
            self.ended = Some(ended.end);
        }
    }

    fn still_open(&self) -> Result<(), Refusal> {
        match self.ended {
            None => Ok(()),
            Some(_) => Err(Refusal::LayawayEnded {
                layaway: self.opened.layaway,
            }),
        }
    }

    /// The fact that ends it, beside the ticket that sold the goods or gave the money back.
    pub fn ending(&self, end: LayawayEnd, ticket: Option<TicketId>, today: Date) -> Result<LayawayEnded, Refusal> {
        self.still_open()?;
        self.may_run_out(end, today)?;
        if ticket.is_none() && (end == LayawayEnd::PickedUp || self.paid > Money::ZERO) {
            return Err(Refusal::RefundFirst {
                amount: self.opened.currency.show(self.paid),
            });
        }
        Ok(LayawayEnded {
            layaway: self.opened.layaway,
            end,
            ticket,
            fee: match end {
                LayawayEnd::PickedUp => Money::ZERO,
                LayawayEnd::Cancelled | LayawayEnd::Expired => self.opened.fee.min(self.paid),
            },
            release: self.opened.reserve.clone(),
        })
    }

    fn may_run_out(&self, end: LayawayEnd, today: Date) -> Result<(), Refusal> {
        let until = self.opened.keep_until;
        match end {
            LayawayEnd::Expired if today <= until => Err(Refusal::NotExpired { until }),
            LayawayEnd::PickedUp if today > until => Err(Refusal::Expired { until }),
            _ => Ok(()),
        }
    }
}

fn is_payment(line: &ClosedLine) -> bool {
    line.voided.is_none() && line.details.role == LineRole::Prepayment && line.quantity.0 > 0
}

/// A share of an amount in hundredths of a percent, down to the whole minor unit.
fn share(amount: Money, hundredths: u16) -> Result<Money, Refusal> {
    let part = amount.0.max(0).checked_mul(i64::from(hundredths.min(10_000)));
    Ok(part.map(|part| Money(part / 10_000)).ok_or(crate::money::MoneyError::TooLarge)?)
}

impl Open {
    /// Puts the goods of this basket aside at today's prices. The basket itself ends without a sale; payments are tickets of their own.
    pub fn lay_away(
        &self,
        counter: &Counter<'_>,
        layaway: LayawayId,
        form: LayawayForm,
        keep_until: Date,
        at: Instant,
    ) -> Result<(LayawayOpened, ClosedTicket), Refusal> {
        self.may_change_lines(counter)?;
        if self.live == 0 {
            return Err(Refusal::EmptyBasket);
        }
        let customer = self.about.customer.ok_or(Refusal::CustomerNeeded)?;
        let live: Vec<&ClosedLine> = self.lines.iter().filter(|line| line.voided.is_none()).collect();
        let goods = |line: &&ClosedLine| matches!(line.details.role, LineRole::Goods | LineRole::Deposit) && line.quantity.0 > 0;
        if self.opening.mode == super::Mode::Training || !live.iter().all(goods) {
            return Err(Refusal::LayawayGoodsOnly);
        }
        let days = counter.policy.kept_days;
        let today = counter.day(at);
        let latest = today.checked_add(i32::from(days).days()).unwrap_or(Date::MAX);
        if keep_until < today || keep_until > latest {
            return Err(Refusal::KeptTooLong { days });
        }
        let total = self.total()?;
        let reserve = match form {
            LayawayForm::Layaway => reserve(&live),
            LayawayForm::Order => Vec::new(),
        };
        let opened = LayawayOpened {
            layaway,
            form,
            register: self.opening.register,
            customer,
            currency: self.opening.currency,
            opened_at: at,
            keep_until,
            lines: live.into_iter().cloned().collect(),
            total,
            deposit_least: share(total, counter.policy.deposit_least)?,
            fee: share(total, counter.policy.restocking_fee)?,
            reserve,
        };
        let cancelled = self.cancel()?;
        let ended = ClosedTicket {
            details: TicketDetails {
                layaway: Some(layaway),
                ..cancelled.details
            },
            ..cancelled
        };
        Ok((opened, ended))
    }

    fn begins_for(&self, counter: &Counter<'_>, layaway: &Layaway) -> Result<Terms, Refusal> {
        self.may_change_lines(counter)?;
        layaway.still_open()?;
        if self.live > 0 || self.opening.mode == super::Mode::Training || self.opening.currency != layaway.opened.currency {
            return Err(Refusal::LayawayGoodsOnly);
        }
        Ok(Terms {
            customer: Some(layaway.opened.customer),
            layaway: Some(layaway.opened.layaway),
            ..self.terms()
        })
    }

    /// A payment towards goods put aside, on a ticket of its own.
    pub fn prepay(
        &self,
        counter: &Counter<'_>,
        layaway: &Layaway,
        prepayment: &Sku,
        amount: Money,
        doing: Doing,
    ) -> Result<Decided, Refusal> {
        let terms = self.begins_for(counter, layaway)?;
        if !(1..=LARGEST_AMOUNT).contains(&amount.0) {
            return Err(Refusal::Amount { amount: self.show(amount) });
        }
        let open = layaway.open()?;
        if amount > open {
            return Err(Refusal::LayawayOverpaid {
                amount: self.show(amount),
                open: self.show(open),
            });
        }
        let least = layaway.opened.deposit_least.min(open);
        if layaway.paid == Money::ZERO && amount < least {
            return Err(Refusal::DepositLeast {
                least: self.show(least),
                paid: self.show(amount),
            });
        }
        let line = self.own_line(
            counter,
            (prepayment, LineRole::Prepayment),
            layaway,
            self.next_line(),
            amount,
            doing,
        )?;
        let told = BasketChanged {
            terms: Some(Box::new(terms)),
            ..BasketChanged::default()
        };
        self.lines_change(counter, vec![line], Step::None, told)
    }

    /// A line of the shop's own: a payment, a fee.
    fn own_line(
        &self,
        counter: &Counter<'_>,
        (sku, role): (&Sku, LineRole),
        layaway: &Layaway,
        number: u32,
        amount: Money,
        doing: Doing,
    ) -> Result<ClosedLine, Refusal> {
        let item = super::line::by_sku(counter, sku)?;
        let (_, version) = counter.catalog.price(item, self.opening.opened_at);
        let class = item.tax_class();
        Ok(ClosedLine {
            line: number,
            command_id: Some(doing.command_id),
            at: doing.at,
            sku: item.sku(),
            name: item.name().to_owned(),
            code: item.sku_text().to_owned(),
            quantity: Quantity::ONE,
            unit_price: amount,
            amount,
            reasons: vec![PriceReason {
                reason: ReasonKind::OpenPrice,
                amount,
                version,
                source: None,
            }],
            tax_class: class.code.clone(),
            rate: class.rate,
            net: Money::ZERO,
            tax: Money::ZERO,
            taxes: Vec::new(),
            voided: None,
            details: LineDetails {
                role,
                layaway: Some(layaway.opened.layaway),
                ..LineDetails::default()
            },
        })
    }

    /// The goods are picked up: sold at the prices agreed, taxed as of today, less what was paid.
    pub fn pick_up(&self, counter: &Counter<'_>, layaway: &Layaway, doing: Doing) -> Result<Decided, Refusal> {
        let mut terms = self.begins_for(counter, layaway)?;
        let today = counter.day(doing.at);
        layaway.may_run_out(LayawayEnd::PickedUp, today)?;
        terms.tax_day = Some(today);
        let mut numbers = BTreeMap::new();
        let mut lines = Vec::new();
        for line in &layaway.opened.lines {
            let number = self.next_line() + lines.len() as u32;
            numbers.insert(line.line, number);
            lines.push(ClosedLine {
                line: number,
                command_id: Some(doing.command_id),
                at: doing.at,
                details: LineDetails {
                    layaway: Some(layaway.opened.layaway),
                    follows: line.details.follows.and_then(|goods| numbers.get(&goods).copied()),
                    ..line.details.clone()
                },
                ..line.clone()
            });
        }
        self.payments_back(layaway, &mut lines, doing)?;
        if self.lines.len().saturating_add(lines.len()) > super::MOST_LINES {
            return Err(Refusal::TooManyLines);
        }
        let told = BasketChanged {
            terms: Some(Box::new(terms)),
            back: Some(Box::new(Back {
                refundable: paid_with(layaway)?,
                ..self.back()
            })),
            ..BasketChanged::default()
        };
        self.lines_change(counter, lines, Step::None, told)
    }

    /// The layaway is given up, or ran out: what was paid goes back to where it came from, less the shop's fee.
    pub fn give_up(&self, counter: &Counter<'_>, layaway: &Layaway, end: LayawayEnd, fee: &Sku, doing: Doing) -> Result<Decided, Refusal> {
        let terms = self.begins_for(counter, layaway)?;
        layaway.may_run_out(end, counter.day(doing.at))?;
        let told = BasketChanged {
            terms: Some(Box::new(terms)),
            back: Some(Box::new(Back {
                refundable: paid_with(layaway)?,
                closes_as: Some(TicketEnd::Return),
                ..self.back()
            })),
            ..BasketChanged::default()
        };
        let mut lines = Vec::new();
        self.payments_back(layaway, &mut lines, doing)?;
        if lines.is_empty() {
            return Err(Refusal::EmptyBasket);
        }
        let kept = layaway.opened.fee.min(layaway.paid);
        if kept > Money::ZERO {
            let number = self.next_line() + lines.len() as u32;
            lines.push(self.own_line(counter, (fee, LineRole::Fee), layaway, number, kept, doing)?);
        }
        let decided = self.lines_change(counter, lines.clone(), Step::None, told.clone())?;
        // Where tax comes on top of the fee, the customer still never owes more than was paid.
        let over = match &decided.event {
            Event::BasketChanged(changed) => changed.net.checked_add(changed.tax)?,
            _ => Money::ZERO,
        };
        if over <= Money::ZERO {
            return Ok(decided);
        }
        if let Some(fee) = lines.last_mut() {
            fee.amount = fee.amount.checked_sub(over)?.max(Money::ZERO);
            fee.unit_price = fee.amount;
            for reason in &mut fee.reasons {
                reason.amount = fee.amount;
            }
        }
        self.lines_change(counter, lines, Step::None, told)
    }

    /// Every payment once more, below nothing, with the tax it bore.
    fn payments_back(&self, layaway: &Layaway, lines: &mut Vec<ClosedLine>, doing: Doing) -> Result<(), Refusal> {
        for ticket in &layaway.payments {
            let own = |line: &&ClosedLine| is_payment(line) && line.details.layaway == Some(layaway.opened.layaway);
            for line in ticket.lines.iter().filter(own) {
                let taxed = line.line_tax(ticket.prices)?.negated()?;
                let mut reasons = line.reasons.clone();
                for reason in &mut reasons {
                    reason.amount = reason.amount.negated()?;
                }
                lines.push(ClosedLine {
                    line: self.next_line() + lines.len() as u32,
                    command_id: Some(doing.command_id),
                    at: doing.at,
                    quantity: Quantity(line.quantity.0.saturating_neg()),
                    amount: line.amount.negated()?,
                    reasons,
                    net: taxed.net,
                    tax: taxed.tax,
                    taxes: taxed.recorded(&line.tax_class),
                    ..line.clone()
                });
            }
        }
        Ok(())
    }
}

/// Where the payments came from.
fn paid_with(layaway: &Layaway) -> Result<Vec<super::Refundable>, Refusal> {
    let mut all = Vec::new();
    for ticket in &layaway.payments {
        let Some(receipt) = ticket.receipt else { continue };
        all.extend(refundable(ticket, &GivenBack::new(receipt))?);
    }
    Ok(all)
}

/// What the stock room sets aside, each item once.
fn reserve(lines: &[&ClosedLine]) -> Vec<Reserve> {
    let mut quantities: BTreeMap<&Sku, i64> = BTreeMap::new();
    for line in lines {
        let sum = quantities.entry(&line.sku).or_default();
        *sum = sum.saturating_add(line.quantity.0);
    }
    let one = |(sku, quantity): (&Sku, i64)| Reserve {
        sku: sku.clone(),
        quantity: Quantity(quantity),
    };
    quantities.into_iter().map(one).collect()
}
