//! Goods that come back: with a receipt, whole or in part, each line with its own share of amount, reasons, net and taxes; without one
//! within limits; a whole sale cancelled in its shift. And where the money goes.
//!
//! A part is a stretch of the line it comes from, so parts in any sizes and any order add up to the line to the cent. What was given back
//! before is a fold of the earlier tickets, handed in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::change::Doing;
use super::find;
use super::pricing::{Step, version_of};
use super::{Back, BasketChanged, Carry, Counter, Decided, MOST_TENDERS, Open, Permit, Policy, Refusal};
use crate::catalog::{Sku, SoldBy};
use crate::facts::{
    ApprovedAction, ClosedLine, ClosedTicket, LineDetails, LineRole, PriceReason, ReasonKind, RefundOf, ReturnOf, Tender, TenderDetails,
    TenderKind, TicketEnd, WithoutReceipt,
};
use crate::ids::{AccountId, CommandId, ReasonCode, ReceiptNo, RegisterId, ShiftId, TicketId, TillId};
use crate::money::{LARGEST_AMOUNT, Money, Quantity};
use crate::stock::{MoveReason, StockMove};
use crate::tax::TaxPart;
use crate::time::Instant;

/// What was given back of one receipt so far: the fold of the tickets that did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenBack {
    receipt: ReceiptNo,
    lines: BTreeMap<u32, Quantity>,
    rounding: Money,
    tenders: BTreeMap<CommandId, Money>,
    whole: bool,
}

impl GivenBack {
    /// Nothing yet.
    pub fn new(receipt: ReceiptNo) -> Self {
        Self {
            receipt,
            lines: BTreeMap::new(),
            rounding: Money::ZERO,
            tenders: BTreeMap::new(),
            whole: false,
        }
    }

    /// Takes an earlier ticket in. Tickets of other receipts change nothing.
    pub fn add(&mut self, ticket: &ClosedTicket) -> Result<(), Refusal> {
        if !ticket.end.counts() {
            return Ok(());
        }
        let of_this = |line: &&ClosedLine| line.voided.is_none() && line.details.returns.is_some_and(|of| of.receipt == self.receipt);
        let own: Vec<&ClosedLine> = ticket.lines.iter().filter(of_this).collect();
        if own.is_empty() {
            // Boxes before the part returns took a receipt back whole, and wrote only its number.
            let before = ticket.original == Some(self.receipt) && ticket.end == TicketEnd::Return;
            self.whole |= before && ticket.lines.iter().all(|line| line.details.returns.is_none());
            return Ok(());
        }
        let pure = own.len() == ticket.lines.iter().filter(|line| line.voided.is_none()).count();
        for line in own {
            let Some(of) = line.details.returns else { continue };
            let back = self.lines.entry(of.line).or_default();
            back.0 = back.0.saturating_add(line.quantity.0.saturating_neg());
        }
        if pure {
            self.rounding = self.rounding.checked_add(ticket.cash_rounding)?;
        }
        for tender in &ticket.tenders {
            let Some(of) = tender.details.refund_of.as_ref().filter(|of| of.receipt == self.receipt) else {
                continue;
            };
            let back = self.tenders.entry(of.tender).or_default();
            *back = back.checked_sub(tender.amount)?;
        }
        Ok(())
    }

    pub fn is_nothing(&self) -> bool {
        !self.whole && self.lines.is_empty()
    }

    /// How much of a line is still with the customer.
    pub fn left(&self, line: &ClosedLine) -> Quantity {
        if self.whole || line.voided.is_some() {
            return Quantity::default();
        }
        let back = self.lines.get(&line.line).copied().unwrap_or_default();
        Quantity(line.quantity.0.saturating_sub(back.0).max(0))
    }
}

/// A tender of the sale to which money can go back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refundable {
    #[serde(rename = "tender")]
    pub kind: TenderKind,
    pub of: RefundOf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    pub left: Money,
}

/// One step of giving money back. A card's and a balance's are wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundPart {
    pub kind: TenderKind,
    /// More than nothing.
    pub amount: Money,
    pub of: Option<RefundOf>,
    pub account: Option<AccountId>,
}

/// A line of a receipt as it is shown for a present: no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiftLine {
    pub line: u32,
    pub sku: Sku,
    pub name: String,
    pub left: Quantity,
}

/// What of a receipt can still come back, without what it cost.
pub fn gift_lines(sale: &ClosedTicket, before: &GivenBack) -> Vec<GiftLine> {
    let can = sale.lines.iter().filter(|line| returnable(line) && before.left(line).0 > 0);
    can.map(|line| GiftLine {
        line: line.line,
        sku: line.sku.clone(),
        name: line.name.clone(),
        left: before.left(line),
    })
    .collect()
}

/// Goods and their deposits come back; what was itself taken back, fees and prepayments do not.
fn returnable(line: &ClosedLine) -> bool {
    let goods = matches!(line.details.role, LineRole::Goods | LineRole::Department | LineRole::Deposit);
    goods && line.voided.is_none() && line.quantity.0 > 0
}

/// Goods somebody brings without a receipt.
#[derive(Clone, Copy, Debug)]
pub struct Brought<'a> {
    pub code: &'a str,
    pub quantity: Quantity,
    /// What it cost least in the last days, where the shop knows.
    pub lowest: Option<Money>,
    pub reason: ReasonCode,
}

impl Open {
    /// Takes lines of a receipt back, each with its own share to the cent.
    pub fn take_back(
        &self,
        counter: &Counter<'_>,
        sale: &ClosedTicket,
        before: &GivenBack,
        wanted: &[(u32, Quantity)],
        doing: Doing,
    ) -> Result<Decided, Refusal> {
        self.may_add(counter)?;
        let told = BasketChanged {
            back: Some(Box::new(self.back_with(sale, before)?)),
            ..BasketChanged::default()
        };
        let lines = self.lines_back(counter, sale, before, wanted, doing)?;
        self.lines_change(counter, lines, Step::None, told)
    }

    /// Undoes a whole sale in the shift in which it was made: a receipt of its own, on a ticket of its own.
    pub fn cancel_sale(
        &self,
        counter: &Counter<'_>,
        sale: &ClosedTicket,
        before: &GivenBack,
        permit: Permit,
        doing: Doing,
    ) -> Result<Decided, Refusal> {
        self.may_add(counter)?;
        let receipt = sale.receipt.ok_or(Refusal::EmptyBasket)?;
        if self.live > 0 {
            return Err(Refusal::CancelAlone);
        }
        if sale.end != TicketEnd::Sale {
            return Err(Refusal::NotASale { receipt });
        }
        if sale.shift != self.opening.shift {
            return Err(Refusal::OtherShift { receipt });
        }
        if before.whole {
            return Err(Refusal::AlreadyReturned { receipt });
        }
        if !before.is_nothing() {
            return Err(Refusal::PartlyReturned { receipt });
        }
        let approval = self.permitted(permit, ApprovedAction::CancelSale, None, doing.staff)?;
        let live = sale.lines.iter().filter(|line| line.voided.is_none());
        if let Some(line) = live.clone().find(|line| !returnable(line)) {
            return Err(Refusal::NotReturnable { receipt, line: line.line });
        }
        let wanted: Vec<(u32, Quantity)> = live.map(|line| (line.line, line.quantity)).collect();
        let lines = self.lines_back(counter, sale, before, &wanted, doing)?;
        let told = BasketChanged {
            approval,
            back: Some(Box::new(Back {
                closes_as: Some(TicketEnd::Cancellation),
                ..self.back_with(sale, before)?
            })),
            ..BasketChanged::default()
        };
        self.lines_change(counter, lines, Step::None, told)
    }

    fn lines_back(
        &self,
        counter: &Counter<'_>,
        sale: &ClosedTicket,
        before: &GivenBack,
        wanted: &[(u32, Quantity)],
        doing: Doing,
    ) -> Result<Vec<ClosedLine>, Refusal> {
        let receipt = sale.receipt.ok_or(Refusal::EmptyBasket)?;
        if !matches!(sale.end, TicketEnd::Sale | TicketEnd::Exchange) {
            return Err(Refusal::NotASale { receipt });
        }
        if sale.currency != self.opening.currency {
            return Err(Refusal::OtherCurrency {
                receipt,
                theirs: sale.currency.code(),
                ours: self.opening.currency.code(),
            });
        }
        if before.whole {
            return Err(Refusal::AlreadyReturned { receipt });
        }
        if wanted.is_empty() {
            return Err(Refusal::EmptyBasket);
        }
        if self.lines.len().saturating_add(wanted.len()) > super::MOST_LINES {
            return Err(Refusal::TooManyLines);
        }
        let mut lines: Vec<ClosedLine> = Vec::with_capacity(wanted.len());
        for (number, quantity) in wanted {
            let of = ReturnOf { receipt, line: *number };
            let original = sale.lines.iter().find(|line| line.line == *number && line.voided.is_none());
            let original = original.ok_or(Refusal::NotOnReceipt { receipt, line: *number })?;
            if !returnable(original) {
                return Err(Refusal::NotReturnable { receipt, line: *number });
            }
            let here = |line: &ClosedLine| line.voided.is_none() && line.details.returns == Some(of);
            if self.lines.iter().chain(&lines).any(here) {
                return Err(Refusal::ReturnedTwice { receipt, line: *number });
            }
            let left = before.left(original);
            let whole = counter
                .catalog
                .by_sku(&original.sku)
                .is_none_or(|item| item.sold_by() == SoldBy::Piece);
            let parts_of_a_piece = whole && original.quantity.0 % Quantity::ONE.0 == 0 && quantity.0 % Quantity::ONE.0 != 0;
            if quantity.0 < 1 || parts_of_a_piece {
                return Err(Refusal::Quantity { quantity: *quantity });
            }
            if *quantity > left {
                return Err(Refusal::OverReturn {
                    receipt,
                    line: *number,
                    asked: *quantity,
                    left,
                });
            }
            let from = original.quantity.0.saturating_sub(left.0);
            let line = part_back(original, sale, of, from, *quantity)?;
            lines.push(ClosedLine {
                line: self.next_line() + lines.len() as u32,
                command_id: Some(doing.command_id),
                at: doing.at,
                ..line
            });
        }
        Ok(lines)
    }

    /// Where the money of this receipt came from, beside what is here already.
    fn back_with(&self, sale: &ClosedTicket, before: &GivenBack) -> Result<Back, Refusal> {
        let mut back = self.back();
        let Some(receipt) = sale.receipt else { return Ok(back) };
        if back.carries.iter().any(|carry| carry.receipt == receipt) {
            return Ok(back);
        }
        back.carries.push(Carry {
            receipt,
            rounding: sale.cash_rounding.checked_add(before.rounding)?,
        });
        back.refundable.extend(refundable(sale, before)?);
        Ok(back)
    }

    /// Takes goods back without a receipt: at the lowest price of the last days, with an approval, up to the shop's limit.
    pub fn take_back_without_receipt(
        &self,
        counter: &Counter<'_>,
        brought: Brought<'_>,
        permit: Permit,
        doing: Doing,
    ) -> Result<Decided, Refusal> {
        let Brought {
            code,
            quantity,
            lowest,
            reason,
        } = brought;
        self.may_add(counter)?;
        let (item, _) = find::read(counter.catalog, counter.rules, code)?;
        super::line::check_quantity(&item, quantity)?;
        let name = || item.name().to_owned();
        let lowest = lowest
            .filter(|price| (0..=LARGEST_AMOUNT).contains(&price.0))
            .ok_or_else(|| Refusal::NoLowestPrice { name: name() })?;
        let line = self.next_line();
        let approval = self.permitted(permit, ApprovedAction::ReturnWithoutReceipt, Some(line), doing.staff)?;
        let amount = lowest.times(quantity)?;
        let without = self
            .lines
            .iter()
            .filter(|line| line.voided.is_none() && line.details.without_receipt.is_some());
        let all = Money::sum(without.map(|line| line.amount))?.negated()?.checked_add(amount)?;
        if all > counter.policy.without_receipt_most {
            return Err(Refusal::WithoutReceiptLimit {
                most: self.show(counter.policy.without_receipt_most),
                amount: self.show(all),
            });
        }
        let (_, version) = counter.catalog.price(item, self.opening.opened_at);
        let amount = amount.negated()?;
        let class = item.tax_class();
        let back = ClosedLine {
            line,
            command_id: Some(doing.command_id),
            at: doing.at,
            sku: item.sku(),
            name: name(),
            code: code.chars().take(60).collect(),
            quantity: Quantity(-quantity.0),
            unit_price: lowest,
            amount,
            reasons: vec![PriceReason {
                reason: ReasonKind::Returned,
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
                without_receipt: Some(WithoutReceipt { reason }),
                ..LineDetails::default()
            },
        };
        let told = BasketChanged {
            approval,
            back: Some(Box::new(Back {
                form: Some(counter.policy.without_receipt_form),
                ..self.back()
            })),
            ..BasketChanged::default()
        };
        self.lines_change(counter, vec![back], Step::None, told)
    }

    /// How the money goes back: to the tenders it came from in the shop's order, and the rest in cash or in the form that is prescribed.
    pub fn refund_plan(&self, policy: &Policy) -> Result<Vec<RefundPart>, Refusal> {
        let mut left = self.to_give_back()?;
        let mut plan = Vec::new();
        for kind in &policy.refund_order {
            for refundable in self.refundable.iter().filter(|refundable| refundable.kind == *kind) {
                let amount = left.min(self.left_of(refundable)?);
                if amount <= Money::ZERO {
                    continue;
                }
                left = left.checked_sub(amount)?;
                // A voucher counts once; what it had paid becomes a credit.
                plan.push(match kind {
                    TenderKind::Voucher => RefundPart {
                        kind: TenderKind::StoreCredit,
                        amount,
                        of: None,
                        account: None,
                    },
                    kind => RefundPart {
                        kind: *kind,
                        amount,
                        of: Some(refundable.of.clone()),
                        account: refundable.account,
                    },
                });
            }
        }
        let form = self.form.unwrap_or(TenderKind::Cash);
        let amount = match form {
            // What is left for coins is rounded, just as `due` will say once the others have gone back.
            TenderKind::Cash => {
                let elsewhere = self.to_give_back()?.checked_sub(left)?;
                self.coins_back(elsewhere)?
            }
            _ => left,
        };
        if amount > Money::ZERO {
            plan.push(RefundPart {
                kind: form,
                amount,
                of: None,
                account: None,
            });
        }
        Ok(plan)
    }

    /// What of a tender can still be given back, here too.
    fn left_of(&self, refundable: &Refundable) -> Result<Money, Refusal> {
        let here = self
            .tenders
            .iter()
            .filter(|tender| tender.details.refund_of.as_ref() == Some(&refundable.of));
        let back = Money::sum(here.map(|tender| tender.amount))?;
        Ok(refundable.left.checked_add(back)?.max(Money::ZERO))
    }

    pub(super) fn may_refund(&self, amount: Money, kind: TenderKind, of: &RefundOf) -> Result<(), Refusal> {
        self.no_more_than_owed(amount)?;
        let found = self
            .refundable
            .iter()
            .find(|refundable| refundable.kind == kind && refundable.of == *of);
        let left = self.left_of(found.ok_or(Refusal::NoSuchTender)?)?;
        if amount > left {
            return Err(Refusal::RefundBeyondTender {
                asked: self.show(amount),
                left: self.show(left),
            });
        }
        Ok(())
    }

    pub(super) fn may_give_back_as(&self, amount: Money, kind: TenderKind) -> Result<(), Refusal> {
        self.no_more_than_owed(amount)?;
        if kind == TenderKind::StoreCredit || Some(kind) == self.form {
            return Ok(());
        }
        Err(Refusal::RefundForm {
            form: super::balance::word(self.form.unwrap_or(TenderKind::StoreCredit)),
        })
    }

    fn no_more_than_owed(&self, amount: Money) -> Result<(), Refusal> {
        let left = self.to_give_back()?;
        if amount > left {
            return Err(Refusal::RefundTooMuch {
                asked: self.show(amount),
                left: self.show(left),
            });
        }
        Ok(())
    }

    /// Hands out in cash what is still owed. Money that came from a card or a balance goes back there, unless somebody allows it otherwise.
    pub fn refund_cash(&self, permit: Option<Permit>, doing: Doing) -> Result<Tender, Refusal> {
        self.may_be_paid_otherwise()?;
        if self.live == 0 {
            return Err(Refusal::EmptyBasket);
        }
        if let Some(form) = self.form.filter(|form| *form != TenderKind::Cash) {
            return Err(Refusal::RefundForm {
                form: super::balance::word(form),
            });
        }
        let amount = self.given()?.checked_sub(self.due()?)?;
        if amount <= Money::ZERO || self.due()? >= Money::ZERO {
            return Err(Refusal::Amount { amount: self.show(amount) });
        }
        if self.tenders.len() >= MOST_TENDERS {
            return Err(Refusal::TooManyTenders);
        }
        let mut elsewhere = Money::ZERO;
        for refundable in &self.refundable {
            elsewhere = elsewhere.checked_add(self.left_of(refundable)?)?;
        }
        let approval = match (elsewhere > Money::ZERO, permit) {
            (false, _) => None,
            (true, None) => return Err(Refusal::ApprovalNeeded),
            (true, Some(permit)) => self.permitted(permit, ApprovedAction::RefundOtherwise, None, doing.staff)?,
        };
        Ok(Tender {
            details: TenderDetails {
                approval,
                ..TenderDetails::default()
            },
            ..Tender::cash(doing.command_id, doing.at, amount.negated()?)
        })
    }
}

/// The tenders of a sale that are not cash, with what is left on each.
pub(super) fn refundable(sale: &ClosedTicket, before: &GivenBack) -> Result<Vec<Refundable>, Refusal> {
    let Some(receipt) = sale.receipt else { return Ok(Vec::new()) };
    // Change came out of the cash; only what cash did not cover came out of a voucher.
    let cash = sale.tendered(TenderKind::Cash)?;
    let mut change = sale.change.checked_sub(cash)?.max(Money::ZERO);
    let mut all = Vec::new();
    for tender in sale
        .tenders
        .iter()
        .filter(|tender| tender.kind != TenderKind::Cash && tender.amount > Money::ZERO)
    {
        let back = before.tenders.get(&tender.command_id).copied().unwrap_or_default();
        let mut left = tender.amount.checked_sub(tender.details.tip)?.checked_sub(back)?;
        if tender.kind == TenderKind::Voucher {
            let handed_out = change.min(left);
            left = left.checked_sub(handed_out)?;
            change = change.checked_sub(handed_out)?;
        }
        if left > Money::ZERO {
            all.push(Refundable {
                kind: tender.kind,
                of: RefundOf {
                    receipt,
                    tender: tender.command_id,
                    attempt: tender.attempt.clone(),
                },
                account: tender.details.account,
                left,
            });
        }
    }
    Ok(all)
}

/// The stretch of a line that comes back.
fn part_back(original: &ClosedLine, sale: &ClosedTicket, of: ReturnOf, from: i64, quantity: Quantity) -> Result<ClosedLine, Refusal> {
    let too_large = || Refusal::Money(crate::money::MoneyError::TooLarge);
    let whole = original.quantity.0.unsigned_abs();
    let from = u64::try_from(from).map_err(|_| too_large())?;
    let to = from.checked_add(quantity.0.unsigned_abs()).ok_or_else(too_large)?;
    let cut = |amount: Money| amount.slice(from, to, whole).ok_or_else(too_large);
    let amount = cut(original.amount)?.negated()?;
    let mut rest = amount;
    let mut reasons = Vec::with_capacity(original.reasons.len());
    for (at, reason) in original.reasons.iter().enumerate() {
        // The last reason takes what the others leave, so that each reason's parts add up over all parts too.
        let share = if at + 1 == original.reasons.len() {
            rest
        } else {
            cut(reason.amount)?.negated()?
        };
        rest = rest.checked_sub(share)?;
        reasons.push(PriceReason {
            amount: share,
            ..reason.clone()
        });
    }
    let taxed = original.line_tax(sale.prices)?.slice(from, to, whole, sale.prices)?.negated()?;
    Ok(ClosedLine {
        quantity: Quantity(-quantity.0),
        amount,
        reasons,
        net: taxed.net,
        tax: taxed.tax,
        taxes: taxed.recorded(&original.tax_class),
        details: LineDetails {
            role: original.details.role,
            serial: original.details.serial.clone(),
            lot: original.details.lot.clone(),
            epc: original.details.epc.clone(),
            returns: Some(of),
            ..LineDetails::default()
        },
        ..original.clone()
    })
}

/// Who takes a receipt back, where and when.
#[derive(Clone, Copy, Debug)]
pub struct ReturnDesk {
    pub ticket: TicketId,
    pub register: RegisterId,
    pub till: TillId,
    pub shift: ShiftId,
    pub command_id: CommandId,
    pub at: Instant,
}

/// Takes a whole sale back for cash in one step: each line's own share to the cent, the same tax, cash out of the till. What coins could not
/// pay then is not paid back now.
pub fn return_whole(sale: &ClosedTicket, desk: ReturnDesk) -> Result<ClosedTicket, Refusal> {
    let Some(original) = sale.receipt else {
        return Err(Refusal::EmptyBasket);
    };
    if sale.end != TicketEnd::Sale {
        return Err(Refusal::NotASale { receipt: original });
    }
    if sale.tenders.iter().any(|tender| tender.kind != TenderKind::Cash) {
        return Err(Refusal::PaidByCard { receipt: original });
    }
    let back = |amount: Money| amount.negated();
    let tax_back = |part: &TaxPart| -> Result<TaxPart, Refusal> {
        Ok(TaxPart {
            amount: part.amount.negated()?,
            ..part.clone()
        })
    };
    let mut lines = Vec::new();
    for line in sale.lines.iter().filter(|line| line.voided.is_none()) {
        if !returnable(line) {
            return Err(Refusal::NotReturnable {
                receipt: original,
                line: line.line,
            });
        }
        let amount = back(line.amount)?;
        lines.push(ClosedLine {
            line: lines.len() as u32 + 1,
            command_id: None,
            at: desk.at,
            quantity: Quantity(-line.quantity.0),
            amount,
            reasons: vec![PriceReason {
                reason: ReasonKind::Returned,
                amount,
                version: version_of(line),
                source: None,
            }],
            net: back(line.net)?,
            tax: back(line.tax)?,
            taxes: line.taxes.iter().map(tax_back).collect::<Result<_, _>>()?,
            details: LineDetails {
                role: line.details.role,
                serial: line.details.serial.clone(),
                lot: line.details.lot.clone(),
                epc: line.details.epc.clone(),
                ..LineDetails::default()
            },
            ..line.clone()
        });
    }
    let moved = |line: &ClosedLine| StockMove::new(line.sku.clone(), Quantity(-line.quantity.0), MoveReason::Return);
    let goods = lines.iter().filter(|line| line.details.role != LineRole::Department);
    let moves = goods.map(moved).collect();
    let due = sale.due.negated()?;
    Ok(ClosedTicket {
        ticket: desk.ticket,
        end: TicketEnd::Return,
        receipt: None,
        original: Some(original),
        register: desk.register,
        till: desk.till,
        shift: desk.shift,
        opened_at: desk.at,
        currency: sale.currency,
        prices: sale.prices,
        taxes: super::sum_taxes(&lines)?,
        net: sale.net.negated()?,
        tax: sale.tax.negated()?,
        cash_rounding: sale.cash_rounding.negated()?,
        due,
        tenders: vec![Tender::cash(desk.command_id, desk.at, due)],
        change: Money::ZERO,
        moves,
        lines,
        details: crate::facts::TicketDetails::default(),
    })
}
