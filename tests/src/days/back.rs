//! What comes back: receipts in parts of any size and order until nothing is left, whole sales undone, exchanges, goods without a receipt; and
//! goods put aside, paid for and picked up or given up.

use std::collections::BTreeMap;

use backroom_core::facts::{ApprovedAction, ClosedTicket, LayawayEnd, LayawayForm, LineRole, TenderKind, TicketEnd, TicketFact};
use backroom_core::ids::{LayawayId, ReceiptNo};
use backroom_core::money::{Money, Quantity};
use backroom_core::ticket::layaway::Layaway;
use backroom_core::ticket::returns::ReturnDesk;
use backroom_core::ticket::{Brought, GivenBack, Mode, return_whole};

use super::counter::Held;
use super::pay::Paid;
use super::store::{FEE, PREPAID, Place, text};
use super::{Broken, Shop};

/// A receipt the customer holds, and what of it is still with them by the second calculation.
pub struct Sold {
    pub sale: ClosedTicket,
    pub given: GivenBack,
    /// Of each line: quantity, amount, net, tax, and each tax by name.
    pub left: BTreeMap<u32, Left>,
    /// Cash rounding that was not given back yet.
    pub carry: i64,
    /// Something came back beside other goods, or to another tender than coins.
    pub mixed: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Left {
    pub quantity: i64,
    figures: [i64; 3],
    taxes: BTreeMap<String, i64>,
}

impl Sold {
    pub fn new(sale: ClosedTicket, receipt: ReceiptNo) -> Sold {
        let mut left = BTreeMap::new();
        for line in sale.lines.iter().filter(|line| line.voided.is_none() && line.quantity.0 > 0) {
            if matches!(line.details.role, LineRole::Goods | LineRole::Department | LineRole::Deposit) {
                let taxes = line.taxes.iter().map(|part| (part.tax.clone(), part.amount.0)).collect();
                left.insert(
                    line.line,
                    Left {
                        quantity: line.quantity.0,
                        figures: [line.amount.0, line.net.0, line.tax.0],
                        taxes,
                    },
                );
            }
        }
        Sold {
            carry: sale.cash_rounding.0,
            given: GivenBack::new(receipt),
            left,
            sale,
            mixed: false,
        }
    }

    fn is_whole_back(&self) -> bool {
        self.left.values().all(|left| left.quantity == 0)
    }
}

impl Shop<'_> {
    /// Chooses what of a receipt comes back: a part of a line, whole lines, or all that is left.
    fn parts(&mut self, at: usize) -> Vec<(u32, Quantity)> {
        let sold = &self.sold[at];
        let all = self.chance.percent(25);
        let mut parts = Vec::new();
        for (line, left) in sold.left.iter().filter(|(_, left)| left.quantity > 0) {
            if !all && self.chance.percent(45) {
                continue;
            }
            let original = sold.sale.lines.iter().find(|original| original.line == *line);
            let sku = original.map(|original| &original.sku);
            let by_measure = sku
                .and_then(|sku| self.store.goods.iter().find(|good| good.sku == sku.as_str()))
                .is_some_and(|good| good.measured);
            let part = match by_measure {
                _ if all => left.quantity,
                true => self.chance.between(1, left.quantity as u64) as i64,
                false => (self.chance.between(1, (left.quantity / 1000).max(1) as u64) * 1000) as i64,
            };
            parts.push((*line, Quantity(part)));
        }
        // In any order.
        for place in (1..parts.len()).rev() {
            parts.swap(place, self.chance.below(place as u64 + 1) as usize);
        }
        parts
    }

    /// A receipt of which something is left.
    fn some_receipt(&mut self) -> Option<usize> {
        let open: Vec<usize> = (0..self.sold.len())
            .filter(|at| !self.sold[*at].is_whole_back() && self.sold[*at].sale.end != TicketEnd::Cancellation)
            .collect();
        self.chance.pick(&open).copied()
    }

    /// Puts lines of a receipt on the ticket. Whether any came.
    fn take_back(&mut self, held: &mut Held, at: usize) -> Result<bool, Broken> {
        let counter = self.store.counter();
        if self.chance.percent(15) {
            self.too_much_back(held, at)?;
        }
        let parts = self.parts(at);
        if parts.is_empty() {
            return Ok(false);
        }
        let doing = self.doing(held, "take_back")?;
        let sold = &self.sold[at];
        let decided = held.open.take_back(&counter, &sold.sale, &sold.given, &parts, doing);
        if !self.decided(held, doing.command_id, "take_back", decided)? {
            return Ok(false);
        }
        if let Some(receipt) = self.sold[at].sale.receipt {
            held.back.extend(parts.iter().map(|(line, quantity)| (receipt, *line, quantity.0)));
        }
        Ok(true)
    }

    /// More than is left, and of what is gone: always refused.
    fn too_much_back(&mut self, held: &mut Held, at: usize) -> Result<(), Broken> {
        let sold = &self.sold[at];
        let lines: Vec<(u32, i64)> = sold.left.iter().map(|(line, left)| (*line, left.quantity)).collect();
        let Some((line, left)) = self.chance.pick(&lines).copied() else {
            return Ok(());
        };
        let doing = self.doing(held, "take_back")?;
        let sold = &self.sold[at];
        let asked = [(line, Quantity(left + 1000))];
        match held.open.take_back(&self.store.counter(), &sold.sale, &sold.given, &asked, doing) {
            Ok(_) => Err(format!("{} thousandths of line {line} came back, {left} were left", left + 1000)),
            Err(refusal) => {
                self.met("over_returns_refused");
                self.refuse(doing.command_id, "take_back", &refusal)
            }
        }
    }

    pub fn return_parts(&mut self, place: Place) -> Result<(), Broken> {
        let Some(at) = self.some_receipt() else { return Ok(()) };
        if self.sold[at].given.is_nothing() && self.chance.percent(15) {
            return self.return_whole(place, at);
        }
        let mut held = self.begin(place, Mode::Selling)?;
        if !self.take_back(&mut held, at)? {
            return Ok(());
        }
        // Two receipts at once, sometimes.
        if self.chance.percent(12)
            && let Some(other) = self.some_receipt().filter(|other| *other != at)
        {
            self.take_back(&mut held, other)?;
        }
        self.pay(&mut held).map(drop)
    }

    /// A whole sale in coins at once, without a basket: one command, one entry.
    fn return_whole(&mut self, place: Place, at: usize) -> Result<(), Broken> {
        let mut held = self.begin(place, Mode::Selling)?;
        let doing = self.doing(&held, "return")?;
        let opening = &held.open.opening;
        let desk = ReturnDesk {
            ticket: opening.ticket,
            register: opening.register,
            till: opening.till,
            shift: opening.shift,
            command_id: doing.command_id,
            at: doing.at,
        };
        let sold = &self.sold[at];
        match return_whole(&sold.sale, desk) {
            Err(refusal) => self.refuse(doing.command_id, "return", &refusal),
            Ok(closed) => {
                held.paid.push(Paid {
                    id: doing.command_id,
                    kind: TenderKind::Cash,
                    amount: -sold.sale.due.0,
                    tip: 0,
                });
                held.whole = sold.sale.receipt;
                self.met("whole_returns");
                self.close(&mut held, closed, Some(doing.command_id), "return").map(drop)
            }
        }
    }

    pub fn exchange(&mut self, place: Place) -> Result<(), Broken> {
        let Some(at) = self.some_receipt() else { return Ok(()) };
        let mut held = self.begin(place, Mode::Selling)?;
        self.fill(&mut held)?;
        if self.take_back(&mut held, at)? {
            self.pay(&mut held).map(drop)
        } else {
            self.give_up(&mut held).map(drop)
        }
    }

    /// Undoes a whole sale, if it may.
    pub fn cancel_sale(&mut self, place: Place) -> Result<(), Broken> {
        let Some(at) = self.some_receipt() else { return Ok(()) };
        let mut held = self.begin(place, Mode::Selling)?;
        let permit = self.permit(&held, ApprovedAction::CancelSale, None)?;
        let doing = self.doing(&held, "cancel_sale")?;
        let sold = &self.sold[at];
        let decided = held.open.cancel_sale(&self.store.counter(), &sold.sale, &sold.given, permit, doing);
        if !self.decided(&mut held, doing.command_id, "cancel_sale", decided)? {
            return Ok(());
        }
        let sold = &self.sold[at];
        if let Some(receipt) = sold.sale.receipt {
            held.back = sold.left.iter().map(|(line, left)| (receipt, *line, left.quantity)).collect();
        }
        self.pay(&mut held).map(drop)
    }

    pub fn without_receipt(&mut self, place: Place) -> Result<(), Broken> {
        let mut held = self.begin(place, Mode::Selling)?;
        held.others = true;
        let good = self.store.good(&mut self.chance)?.clone();
        let line = held.open.lines().len() as u32 + 1;
        let permit = self.permit(&held, ApprovedAction::ReturnWithoutReceipt, Some(line))?;
        let doing = self.doing(&held, "without_receipt")?;
        let brought = Brought {
            code: &good.sku,
            quantity: Quantity(self.chance.between(1, 3) as i64 * 1000),
            lowest: Some(Money(good.price)),
            reason: text("gift")?,
        };
        let decided = held.open.take_back_without_receipt(&self.store.counter(), brought, permit, doing);
        if self.decided(&mut held, doing.command_id, "without_receipt", decided)? {
            self.met("without_receipt");
            self.pay(&mut held)?;
        }
        Ok(())
    }

    /// Compares what came back with what was left of each line, and takes it off.
    pub fn came_back(&mut self, held: &Held, closed: &ClosedTicket) -> Result<(), Broken> {
        let only = held.back.first().map(|(receipt, ..)| *receipt);
        let pure = !held.others && held.back.iter().all(|(receipt, ..)| Some(*receipt) == only);
        let coins = closed.tenders.iter().all(|tender| tender.kind == TenderKind::Cash);
        for (receipt, line, quantity) in &held.back {
            let sold = self.sold.iter_mut().find(|sold| sold.sale.receipt == Some(*receipt));
            let sold = sold.ok_or_else(|| format!("receipt {receipt} was never given out"))?;
            let of_this = |back: &&backroom_core::facts::ClosedLine| {
                back.voided.is_none() && back.details.returns.is_some_and(|of| of.receipt == *receipt && of.line == *line)
            };
            let back = closed
                .lines
                .iter()
                .find(of_this)
                .ok_or_else(|| format!("line {line} of {receipt} did not come back"))?;
            if back.quantity.0 != -quantity {
                return Err(format!(
                    "{} of line {line} of {receipt} came back, {quantity} were brought",
                    -back.quantity.0
                ));
            }
            let left = sold.left.entry(*line).or_default();
            left.quantity -= quantity;
            for (figure, back) in left.figures.iter_mut().zip([back.amount.0, back.net.0, back.tax.0]) {
                *figure += back;
            }
            for part in &back.taxes {
                *left.taxes.entry(part.tax.clone()).or_default() += part.amount.0;
            }
            let something = left.figures.iter().chain(left.taxes.values()).any(|figure| *figure != 0);
            if left.quantity < 0 || (left.quantity == 0 && something) {
                return Err(format!(
                    "all of line {line} of receipt {receipt} came back, and this is left: {left:?}"
                ));
            }
            sold.mixed |= !pure || !coins;
        }
        if let Some(receipt) = held.whole {
            return self.wholly_back(receipt, closed);
        }
        if !held.back.is_empty() {
            self.met("returns");
        }
        let Some(sold) = only.and_then(|only| self.sold.iter_mut().find(|sold| sold.sale.receipt == Some(only))) else {
            return Ok(());
        };
        if pure {
            sold.carry += closed.cash_rounding.0;
        }
        let is_whole = sold.is_whole_back();
        let paid_in_coins = sold.sale.tenders.iter().all(|tender| tender.kind == TenderKind::Cash);
        let all_lines = sold
            .sale
            .lines
            .iter()
            .filter(|line| line.voided.is_none())
            .all(|line| sold.left.contains_key(&line.line));
        if is_whole && all_lines && paid_in_coins && !sold.mixed && sold.carry != 0 {
            return Err(format!(
                "all of receipt {:?} came back in coins, and {} was not given back",
                only, sold.carry
            ));
        }
        if is_whole {
            self.met("receipts_wholly_back");
        } else {
            self.met("part_returns");
        }
        Ok(())
    }

    /// Nothing is left of a receipt that came back at once, and all that was paid for it went back.
    fn wholly_back(&mut self, receipt: ReceiptNo, closed: &ClosedTicket) -> Result<(), Broken> {
        let sold = self.sold.iter_mut().find(|sold| sold.sale.receipt == Some(receipt));
        let sold = sold.ok_or_else(|| format!("receipt {receipt} was never given out"))?;
        sold.carry += closed.cash_rounding.0;
        for left in sold.left.values_mut() {
            *left = Left::default();
        }
        if closed.due.0 != -sold.sale.due.0 || sold.carry != 0 {
            return Err(format!("receipt {receipt} of {} came back for {}", sold.sale.due.0, closed.due.0));
        }
        self.met("returns");
        self.met("receipts_wholly_back");
        Ok(())
    }

    /// One step of goods put aside: begin, pay, pick up or give up.
    pub fn layaway(&mut self, place: Place) -> Result<(), Broken> {
        let open: Vec<usize> = (0..self.layaways.len()).filter(|at| self.layaways[*at].ended().is_none()).collect();
        let Some(at) = self.chance.pick(&open).copied().filter(|_| self.chance_percent(75)) else {
            return self.put_aside(place);
        };
        let left = self.layaways[at].open().map_err(|why| format!("layaway: {why}"))?.0;
        match self.chance.below(10) {
            0..=4 if left > 0 => self.prepay(place, at, left),
            5..=7 => self.pick_up(place, at),
            _ => self.give_up_layaway(place, at),
        }
    }

    fn chance_percent(&mut self, percent: u64) -> bool {
        self.chance.percent(percent)
    }

    fn put_aside(&mut self, place: Place) -> Result<(), Broken> {
        let mut held = self.begin(place, Mode::Selling)?;
        self.fill(&mut held)?;
        self.name_customer(&mut held)?;
        let doing = self.doing(&held, "lay_away")?;
        let day = self.store.calendar.civil_date(self.book.now);
        let keep_until = day.checked_add(jiff::ToSpan::days(20)).map_err(|why| why.to_string())?;
        let layaway = LayawayId(self.book.id());
        let form = if self.chance.percent(70) {
            LayawayForm::Layaway
        } else {
            LayawayForm::Order
        };
        match held.open.lay_away(&self.store.counter(), layaway, form, keep_until, doing.at) {
            Err(refusal) => {
                self.refuse(doing.command_id, "lay_away", &refusal)?;
                self.give_up(&mut held).map(drop)
            }
            Ok((opened, closed)) => {
                self.close(&mut held, closed, Some(doing.command_id), "lay_away")?;
                self.commit_by_the_box(&held, TicketFact::LayawayOpened(Box::new(opened.clone())))?;
                self.layaways.push(Layaway::new(opened));
                self.met("layaways");
                Ok(())
            }
        }
    }

    fn prepay(&mut self, place: Place, at: usize, left: i64) -> Result<(), Broken> {
        let amount = if self.chance.percent(40) {
            left
        } else {
            self.chance.between(1, left as u64) as i64
        };
        let mut held = self.begin(place, Mode::Selling)?;
        held.others = true;
        let doing = self.doing(&held, "prepay")?;
        let decided = held
            .open
            .prepay(&self.store.counter(), &self.layaways[at], &text(PREPAID)?, Money(amount), doing);
        if self.decided(&mut held, doing.command_id, "prepay", decided)? {
            self.pay(&mut held)?;
            self.met("layaway_payments");
        }
        Ok(())
    }

    fn pick_up(&mut self, place: Place, at: usize) -> Result<(), Broken> {
        let mut held = self.begin(place, Mode::Selling)?;
        held.others = true;
        let doing = self.doing(&held, "pick_up")?;
        let decided = held.open.pick_up(&self.store.counter(), &self.layaways[at], doing);
        if self.decided(&mut held, doing.command_id, "pick_up", decided)? {
            let closed = self.pay(&mut held)?;
            self.end_layaway(&held, at, LayawayEnd::PickedUp, Some(&closed))?;
            self.met("layaways_picked_up");
        }
        Ok(())
    }

    fn give_up_layaway(&mut self, place: Place, at: usize) -> Result<(), Broken> {
        let mut held = self.begin(place, Mode::Selling)?;
        held.others = true;
        if self.layaways[at].paid() == Money::ZERO {
            return Ok(()); // Nothing is to be given back; it only stays.
        }
        let doing = self.doing(&held, "give_up")?;
        let decided = held
            .open
            .give_up(&self.store.counter(), &self.layaways[at], LayawayEnd::Cancelled, &text(FEE)?, doing);
        if self.decided(&mut held, doing.command_id, "give_up", decided)? {
            let closed = self.pay(&mut held)?;
            self.end_layaway(&held, at, LayawayEnd::Cancelled, Some(&closed))?;
            self.met("layaways_given_up");
        }
        Ok(())
    }

    fn end_layaway(&mut self, held: &Held, at: usize, end: LayawayEnd, closed: Option<&ClosedTicket>) -> Result<(), Broken> {
        let today = self.store.calendar.civil_date(self.book.now);
        let ended = self.layaways[at]
            .ending(end, closed.map(|closed| closed.ticket), today)
            .map_err(|why| format!("layaway ends: {why}"))?;
        self.layaways[at].end(&ended);
        self.commit_by_the_box(held, TicketFact::LayawayEnded(ended))
    }
}
