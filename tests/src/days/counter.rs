//! What a person does to one open ticket: goods in any order, second thoughts, discounts, customers, rests, and registers that fall in between.

use backroom_core::facts::{AgeDecision, Approval, ApprovedAction, Seated};
use backroom_core::ids::{CommandId, ReadingId, ReceiptNo, TicketId};
use backroom_core::money::{Money, Quantity, Rounding};
use backroom_core::tax::Exemption;
use backroom_core::ticket::change::Doing;
use backroom_core::ticket::{Decided, Event, Mode, Open, Opening, Permit, Put, Reading, Refusal};

use super::pay::Paid;
use super::store::{BEER, DEPARTMENT, GIN, Place, discount, text};
use super::{Broken, Shop};

/// A ticket somebody works on.
pub struct Held {
    pub open: Open,
    /// What the work log would hold.
    pub events: Vec<Event>,
    pub place: Place,
    /// Commands that are in force on it and in no entry yet.
    pub commands: Vec<CommandId>,
    pub paid: Vec<Paid>,
    /// Parts of receipts that come back on it: which receipt, which line, how much.
    pub back: Vec<(ReceiptNo, u32, i64)>,
    /// It holds other lines than those.
    pub others: bool,
    /// A receipt that it takes back at once.
    pub whole: Option<ReceiptNo>,
}

impl Held {
    pub fn apply(&mut self, event: Event) -> Result<(), Broken> {
        self.open.apply(event.clone());
        let of_money = matches!(
            event,
            Event::TenderTaken(_)
                | Event::TenderVoided { .. }
                | Event::CardAsked(_)
                | Event::CardEnded { .. }
                | Event::BalanceAsked(_)
                | Event::BalanceEnded { .. }
        );
        // Said twice it must be recognised, or the money would count twice.
        if of_money && !self.open.knows(&event) {
            return Err(format!("a ticket does not know what just happened to it: {event:?}"));
        }
        self.events.push(event);
        Ok(())
    }
}

/// Refusals that are never a person's doing.
fn is_fault(refusal: &Refusal) -> bool {
    matches!(refusal.code(), "money" | "taxes_turned" | "no_tax_class" | "other_catalog") || matches!(refusal, Refusal::Tax(_))
}

impl Shop<'_> {
    pub fn begin(&mut self, place: Place, mode: Mode) -> Result<Held, Broken> {
        let at = self.book.later(5)?;
        let opening = Opening {
            ticket: TicketId(self.book.id()),
            register: place.register,
            till: place.till,
            shift: self.shift(place)?,
            opened_at: at,
            currency: self.store.currency,
            prices: self.store.catalog.file().prices,
            cash_step: self.store.step,
            cash_rounding: Rounding::default(),
            mode,
            pinned: None,
            session: 1,
        };
        Ok(Held {
            open: Open::new(opening.clone()),
            events: vec![Event::Opened(opening)],
            place,
            commands: Vec::new(),
            paid: Vec::new(),
            back: Vec::new(),
            others: false,
            whole: None,
        })
    }

    pub fn refuse(&mut self, id: CommandId, call: &'static str, refusal: &Refusal) -> Result<(), Broken> {
        if is_fault(refusal) {
            return Err(format!("{call} is refused as {}: {refusal}", refusal.code()));
        }
        self.book.refused(id, call);
        self.met("refusals");
        Ok(())
    }

    /// Says yes, sometimes twice because the first answer was lost.
    pub fn ack(&mut self, id: CommandId, call: &'static str) {
        self.book.acked(id, call);
        if self.chance.percent(8) {
            self.met("said_twice");
            self.book.asked_again(id, call);
            self.book.acked(id, call);
        }
    }

    /// Makes a decision about the basket true; whether there was one.
    pub fn decided(
        &mut self,
        held: &mut Held,
        id: CommandId,
        call: &'static str,
        decided: Result<Decided, Refusal>,
    ) -> Result<bool, Broken> {
        match decided {
            Err(refusal) => self.refuse(id, call, &refusal).map(|()| false),
            Ok(decided) => {
                held.events.push(decided.event.clone());
                held.open.accept(decided);
                held.commands.push(id);
                self.ack(id, call);
                if self.chance.percent(4) {
                    self.fall(held)?;
                }
                Ok(true)
            }
        }
    }

    /// The register falls; the ticket is built again from what was written down.
    pub fn fall(&mut self, held: &mut Held) -> Result<(), Broken> {
        let mut again = Open::new(held.open.opening.clone());
        for event in &held.events {
            again.apply(event.clone());
        }
        if again != held.open {
            return Err(format!(
                "a ticket built again from its events is another:\n{again:?}\n{:?}",
                held.open
            ));
        }
        held.open = again;
        self.met("registers_fallen");
        Ok(())
    }

    pub fn doing(&mut self, held: &Held, call: &'static str) -> Result<Doing, Broken> {
        Ok(Doing {
            staff: held.place.staff,
            command_id: self.book.asked(call),
            at: self.book.later(1)?,
        })
    }

    pub fn permit(&mut self, held: &Held, action: ApprovedAction, line: Option<u32>) -> Result<Permit, Broken> {
        if self.chance.percent(50) {
            return Ok(Permit::Own);
        }
        Ok(Permit::Approved(Approval {
            id: CommandId(self.book.id()),
            action,
            line,
            by: text("lead")?,
            staff: held.place.staff,
        }))
    }

    /// Goods and second thoughts. At least one line is there in the end, unless nothing can be sold.
    pub fn fill(&mut self, held: &mut Held) -> Result<(), Broken> {
        held.others = true;
        let lines = self.chance.between(1, 5);
        for _ in 0..lines {
            self.add(held)?;
            if self.chance.percent(30) {
                self.change(held)?;
            }
        }
        if held.open.lines().iter().all(|line| line.voided.is_some()) {
            let good = self.store.goods.iter().find(|good| !good.open_price && good.sku != GIN);
            let sku = good.map_or(BEER, |good| good.sku.as_str()).to_owned();
            self.scan(held, &sku, 1000)?;
        }
        Ok(())
    }

    fn scan(&mut self, held: &mut Held, code: &str, quantity: i64) -> Result<bool, Broken> {
        let doing = self.doing(held, "scan")?;
        let counter = self.store.counter();
        let decided = held.open.scan(&counter, code, Quantity(quantity), doing.command_id, doing.at);
        self.decided(held, doing.command_id, "scan", decided)
    }

    fn add(&mut self, held: &mut Held) -> Result<(), Broken> {
        let counter = self.store.counter();
        match self.chance.below(20) {
            0 => {
                self.met("bottle_refunds");
                let quantity = self.chance.between(1, 4) as i64 * 1000;
                let doing = self.doing(held, "refund_bottles")?;
                let decided = held
                    .open
                    .refund_bottles(&counter, BEER, Quantity(quantity), doing.command_id, doing.at);
                self.decided(held, doing.command_id, "refund_bottles", decided)?;
            }
            1 => {
                let price = Money(self.chance.between(1, 9000) as i64);
                let unknown = self.chance.percent(50).then_some("UNKNOWN-17");
                let doing = self.doing(held, "sell_by_department")?;
                let decided = held
                    .open
                    .sell_by_department(&counter, &text(DEPARTMENT)?, price, unknown, doing.command_id, doing.at);
                self.decided(held, doing.command_id, "sell_by_department", decided)?;
            }
            2 => {
                let doing = self.doing(held, "check_age")?;
                let old = if self.chance.percent(80) {
                    AgeDecision::Passed
                } else {
                    AgeDecision::Refused
                };
                let (event, refused) = held
                    .open
                    .check_age(&counter, GIN, old, doing.staff, doing.command_id, doing.at)
                    .map_err(|why| format!("check_age: {why}"))?;
                held.apply(event)?;
                held.commands.push(doing.command_id);
                if let Some(refused) = refused {
                    // It is a fact of its own, beside the command that is on the ticket.
                    self.commit_by_the_box(held, backroom_core::facts::TicketFact::SaleRefused(refused))?;
                }
                self.ack(doing.command_id, "check_age");
                self.scan(held, GIN, 1000)?;
            }
            3 => drop(self.scan(held, "NOTHING-LIKE-THIS", 1000)?),
            _ => {
                let good = self.store.good(&mut self.chance)?.clone();
                let quantity = if good.measured {
                    self.chance.between(1, 3000) as i64
                } else {
                    self.chance.between(1, 4) as i64 * 1000
                };
                let price = good.open_price.then(|| Money(self.chance.between(1, 3000) as i64));
                let weighed = good.measured && self.chance.percent(50);
                let weight = weighed.then(|| Reading {
                    id: ReadingId(self.book.id()),
                    gross: Quantity(quantity + 20),
                    tare: Quantity(20),
                });
                let put = Put {
                    quantity: if weighed { Quantity::ONE } else { Quantity(quantity) },
                    price,
                    weight,
                    ..Put::scan(&good.sku, Quantity::ONE)
                };
                let doing = self.doing(held, "scan")?;
                let decided = held.open.put(&counter, &put, doing.command_id, doing.at);
                self.decided(held, doing.command_id, "scan", decided)?;
            }
        }
        Ok(())
    }

    /// Some second thought about the basket.
    fn change(&mut self, held: &mut Held) -> Result<(), Broken> {
        let counter = self.store.counter();
        let line = self.chance.between(1, held.open.lines().len() as u64 + 1) as u32;
        let reason = text("damaged")?;
        match self.chance.below(11) {
            0..=1 => {
                let doing = self.doing(held, "void_line")?;
                let decided = held.open.void_line(&counter, line, doing.command_id, doing.at);
                self.decided(held, doing.command_id, "void_line", decided)?;
            }
            2..=3 => {
                let quantity = Quantity(self.chance.between(1, 5) as i64 * 1000);
                let doing = self.doing(held, "change_quantity")?;
                let decided = held
                    .open
                    .change_quantity(&counter, line, quantity, doing.staff, doing.command_id, doing.at);
                self.decided(held, doing.command_id, "change_quantity", decided)?;
            }
            4 => {
                let price = Money(self.chance.below(2500) as i64);
                let permit = self.permit(held, ApprovedAction::PriceOverride, Some(line))?;
                let doing = self.doing(held, "override_price")?;
                let decided = held.open.override_price(&counter, line, price, reason, permit, doing);
                self.decided(held, doing.command_id, "override_price", decided)?;
            }
            5 => {
                let given = discount(&mut self.chance)?;
                let permit = self.permit(held, ApprovedAction::LineDiscount, Some(line))?;
                let doing = self.doing(held, "discount_line")?;
                let decided = held.open.discount_line(&counter, line, Some(given), reason, permit, doing);
                self.decided(held, doing.command_id, "discount_line", decided)?;
            }
            6 => {
                let given = discount(&mut self.chance)?;
                let permit = self.permit(held, ApprovedAction::TicketDiscount, None)?;
                let doing = self.doing(held, "discount_ticket")?;
                let decided = held.open.discount_ticket(&counter, Some(given), reason, permit, doing);
                self.decided(held, doing.command_id, "discount_ticket", decided)?;
            }
            7 => {
                let code = self.chance.pick(&["SAVE", "TEN"]).copied().unwrap_or("TEN");
                let doing = self.doing(held, "coupon")?;
                let decided = if self.chance.percent(75) {
                    held.open.take_coupon(&counter, code, doing)
                } else {
                    held.open.drop_coupon(&counter, code, doing)
                };
                self.decided(held, doing.command_id, "coupon", decided)?;
            }
            8 => self.name_customer(held)?,
            9 => {
                let taxes = if self.chance.percent(60) {
                    Vec::new()
                } else {
                    vec!["state".to_owned()]
                };
                let exemption = self.chance.percent(80).then(|| Exemption {
                    taxes,
                    reason: "diplomat".to_owned(),
                });
                let permit = self.permit(held, ApprovedAction::TaxExemption, None)?;
                let doing = self.doing(held, "exempt")?;
                let decided = held.open.exempt(&counter, exemption, permit, doing);
                if self.decided(held, doing.command_id, "exempt", decided)? {
                    self.met("exemptions");
                }
            }
            _ => {
                let note = self.chance.percent(50).then_some(line);
                let doing = self.doing(held, "note")?;
                let decided = held.open.note(&counter, note, reason, doing);
                self.decided(held, doing.command_id, "note", decided)?;
            }
        }
        Ok(())
    }

    pub fn name_customer(&mut self, held: &mut Held) -> Result<(), Broken> {
        let groups = [self.chance.pick(&["staff", "club"]).copied().unwrap_or("club").to_owned()];
        let doing = self.doing(held, "name_customer")?;
        let decided = held.open.name_customer(&self.store.counter(), Some(text("c1")?), &groups, doing);
        self.decided(held, doing.command_id, "name_customer", decided).map(drop)
    }

    /// Puts the ticket aside. Whether it rests.
    pub fn suspend(&mut self, held: &mut Held) -> Result<bool, Broken> {
        let doing = self.doing(held, "suspend")?;
        match held.open.suspend(None, doing.staff, doing.command_id, doing.at) {
            Err(refusal) => self.refuse(doing.command_id, "suspend", &refusal).map(|()| false),
            Ok(event) => {
                held.apply(event)?;
                held.commands.push(doing.command_id);
                self.ack(doing.command_id, "suspend");
                self.met("suspended");
                Ok(true)
            }
        }
    }

    /// Goes on with it at some register, which need not be the one it was begun at.
    pub fn go_on(&mut self, held: &mut Held, place: Place, takes_over: bool) -> Result<bool, Broken> {
        let seat = Seated {
            register: place.register,
            till: place.till,
            shift: self.shift(place)?,
            session: held.open.opening.session + 1,
            staff: place.staff,
        };
        let call = if takes_over { "take_over" } else { "resume" };
        let doing = self.doing(held, call)?;
        let event = match takes_over {
            true => held.open.take_over(seat, doing.command_id, doing.at),
            false => held.open.resume(seat, doing.command_id, doing.at),
        };
        match event {
            Err(refusal) => self.refuse(doing.command_id, call, &refusal).map(|()| false),
            Ok(event) => {
                held.apply(event)?;
                held.place = place;
                held.commands.push(doing.command_id);
                self.ack(doing.command_id, call);
                Ok(true)
            }
        }
    }
}
