//! How tickets are paid and money goes back: split over every kind of tender, cards that are declined, unknown or late, second thoughts about
//! a tender, and the end of the ticket.

use backroom_core::facts::{
    ApprovedAction, BalanceAsked, BalanceEnd, BalanceEnded, CardAsked, CardEnd, CardEnded, ClosedTicket, Fact, FoundCapture, RefundAsked,
    Tender, TenderKind, TenderTaken, TenderVoided, TicketFact,
};
use backroom_core::ids::{AccountId, CommandId};
use backroom_core::money::Money;
use backroom_core::ticket::balance::{BalanceWish, GivesBack};
use backroom_core::ticket::returns::RefundPart;
use backroom_core::ticket::{CardWish, Event, Mode, Voucher};
use backroom_core::till::Foreign;

use super::book::By;
use super::counter::Held;
use super::store::text;
use super::{Broken, Shop};

/// What the one at the register knows of a payment: what was asked and granted, in the shop's own money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paid {
    pub id: CommandId,
    pub kind: TenderKind,
    pub amount: i64,
    pub tip: i64,
}

/// A ticket that is over, or still there.
pub type End = Option<Box<ClosedTicket>>;

fn fault<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> Broken {
    move |why| format!("{what}: {why}")
}

impl Shop<'_> {
    fn by(&self, held: &Held, command: Option<CommandId>) -> By {
        By {
            command,
            register: held.place.register,
            staff: held.place.staff,
        }
    }

    pub fn commit_by_the_box(&mut self, held: &Held, fact: TicketFact) -> Result<(), Broken> {
        let by = self.by(held, None);
        self.book.commit(Fact::Ticket(fact), by).map(drop)
    }

    /// Pays until it is settled, or gives the money back.
    pub fn pay(&mut self, held: &mut Held) -> Result<ClosedTicket, Broken> {
        for _ in 0..8 {
            let due = held.open.due().map_err(fault("due"))?.0;
            let given = held.open.given().map_err(fault("given"))?.0;
            if due < 0 {
                return self.give_back(held);
            }
            if given >= due {
                return self.settle(held);
            }
            let end = match self.chance.below(16) {
                0..=5 => self.cash(held, due - given, true)?,
                6..=7 => self.cash(held, due - given, false)?,
                8..=10 => self.card(held)?,
                11 => self.voucher(held)?,
                12..=13 => self.balance(held)?,
                14 => self.foreign(held)?,
                _ => {
                    self.void_tender(held)?;
                    None
                }
            };
            if let Some(closed) = end {
                return Ok(*closed);
            }
            if self.chance.percent(4) && held.open.card_under_way().is_none() {
                self.fall(held)?;
            }
        }
        self.rest_in_cash(held)
    }

    fn rest_in_cash(&mut self, held: &mut Held) -> Result<ClosedTicket, Broken> {
        let due = held.open.due().map_err(fault("due"))?.0;
        let given = held.open.given().map_err(fault("given"))?.0;
        if given >= due {
            return self.settle(held);
        }
        match self.cash(held, due - given, true)? {
            Some(closed) => Ok(*closed),
            None => self.settle(held),
        }
    }

    pub fn settle(&mut self, held: &mut Held) -> Result<ClosedTicket, Broken> {
        let doing = self.doing(held, "settle")?;
        let closed = held.open.settle(&self.store.counter()).map_err(fault("settle"))?;
        self.close(held, closed, Some(doing.command_id), "settle")
    }

    /// Notes a tender that an entry of its own tells of.
    fn took(&mut self, held: &mut Held, tender: Tender, command: Option<CommandId>) -> Result<(), Broken> {
        held.paid.push(Paid {
            id: tender.command_id,
            kind: tender.kind,
            amount: tender.amount.0,
            tip: tender.details.tip.0,
        });
        let fact = Fact::TenderTaken(TenderTaken {
            ticket: held.open.opening.ticket,
            tender: tender.clone(),
        });
        let by = self.by(held, command);
        self.book.commit(fact, by)?;
        held.apply(Event::TenderTaken(tender))
    }

    /// Takes cash: all of the rest and perhaps more, or a part of it.
    fn cash(&mut self, held: &mut Held, rest: i64, all: bool) -> Result<End, Broken> {
        let amount = match all {
            true if self.chance.percent(50) => rest,
            true => rest + self.chance.below(2000) as i64,
            false => self.chance.between(1, rest.max(1) as u64) as i64,
        };
        let doing = self.doing(held, "tender")?;
        let tender = match held.open.tender(Money(amount), doing.command_id, doing.at) {
            Ok(tender) => tender,
            Err(refusal) => return self.refuse(doing.command_id, "tender", &refusal).map(|()| None),
        };
        if tender.amount.0 != amount {
            return Err(format!("cash of {amount} was taken as {}", tender.amount.0));
        }
        if all && self.chance.percent(60) {
            return self.pays_and_closes(held, tender).map(|closed| Some(Box::new(closed)));
        }
        self.took(held, tender, Some(doing.command_id))?;
        self.ack(doing.command_id, "tender");
        Ok(None)
    }

    /// The tender and the end of the ticket are one command and one entry.
    fn pays_and_closes(&mut self, held: &mut Held, tender: Tender) -> Result<ClosedTicket, Broken> {
        let id = tender.command_id;
        held.paid.push(Paid {
            id,
            kind: tender.kind,
            amount: tender.amount.0,
            tip: 0,
        });
        held.apply(Event::TenderTaken(tender))?;
        let closed = held.open.settle(&self.store.counter()).map_err(fault("settle"))?;
        self.close(held, closed, Some(id), "tender")
    }

    fn voucher(&mut self, held: &mut Held) -> Result<End, Broken> {
        let remaining = held.open.remaining_exact().map_err(fault("remaining"))?.0;
        let worth = self.chance.between(1, remaining.max(1) as u64 + 300) as i64;
        let code = format!("V-{}", self.chance.below(1_000_000_000));
        let doing = self.doing(held, "voucher")?;
        let voucher = Voucher { code, worth: Money(worth) };
        match held.open.tender_voucher(voucher, &self.store.policy, doing.command_id, doing.at) {
            Err(refusal) => self.refuse(doing.command_id, "voucher", &refusal)?,
            Ok(tender) => {
                self.met("vouchers");
                self.took(held, tender, Some(doing.command_id))?;
                self.ack(doing.command_id, "voucher");
            }
        }
        Ok(None)
    }

    fn foreign(&mut self, held: &mut Held) -> Result<End, Broken> {
        let (currency, rate, per_unit, decimals) = *self
            .chance
            .pick(&[
                ("USD", "0.92", 9200, 2),
                ("GBP", "1.1547", 11547, 2),
                ("JPY", "0.0062", 62, 0),
                ("KWD", "2.99", 29_900, 3),
            ])
            .ok_or("no foreign money")?;
        let amount = self.chance.between(50, 9000) as i64;
        let foreign = Foreign {
            currency: text(currency)?,
            amount: Money(amount),
            rate: text(rate)?,
        };
        let doing = self.doing(held, "foreign")?;
        match held.open.tender_foreign(foreign, doing.command_id, doing.at) {
            Err(refusal) => self.refuse(doing.command_id, "foreign", &refusal)?,
            Ok(tender) => {
                // Units of the other currency times the rate, in cents, down.
                let worth = i128::from(amount) * i128::from(per_unit) * 100 / (10_000 * 10_i128.pow(decimals));
                if i128::from(tender.amount.0) != worth {
                    return Err(format!("{amount} {currency} at {rate} came to {}, not {worth}", tender.amount.0));
                }
                self.met("foreign_cash");
                self.took(held, tender, Some(doing.command_id))?;
                self.ack(doing.command_id, "foreign");
            }
        }
        Ok(None)
    }

    pub fn void_tender(&mut self, held: &mut Held) -> Result<bool, Broken> {
        let Some(at) = held.paid.iter().rposition(|paid| paid.kind != TenderKind::Card) else {
            return Ok(false);
        };
        let id = held.paid[at].id;
        let Some(tender) = held.open.tenders().iter().find(|tender| tender.command_id == id).cloned() else {
            return Err(format!("tender {id} is gone"));
        };
        let doing = self.doing(held, "void_tender")?;
        match held.open.void_tender(id, doing.command_id, doing.at) {
            Err(refusal) => self.refuse(doing.command_id, "void_tender", &refusal).map(|()| false),
            Ok(event) => {
                if let Event::TenderVoided { voided, .. } = &event {
                    let fact = TenderVoided {
                        ticket: held.open.opening.ticket,
                        tender,
                        voided: *voided,
                    };
                    let by = self.by(held, Some(doing.command_id));
                    self.book.commit(Fact::Ticket(TicketFact::TenderVoided(fact)), by)?;
                }
                held.apply(event)?;
                held.paid.remove(at);
                self.ack(doing.command_id, "void_tender");
                self.met("voided_tenders");
                Ok(true)
            }
        }
    }

    fn card(&mut self, held: &mut Held) -> Result<End, Broken> {
        let remaining = held.open.remaining_exact().map_err(fault("remaining"))?.0;
        let goods = if self.chance.percent(60) {
            remaining
        } else {
            self.chance.between(1, remaining.max(1) as u64) as i64
        };
        let tip = if self.chance.percent(20) {
            self.chance.between(0, goods.max(0) as u64 / 10) as i64
        } else {
            0
        };
        let settle = goods == remaining && self.chance.percent(70);
        let doing = self.doing(held, "card")?;
        let wish = CardWish {
            ask: doing.command_id,
            at: doing.at,
            terminal: text("pay1")?,
            amount: Money(goods + tip),
            settle,
            tip: Money(tip),
            refund_of: None,
        };
        let wish = match held.open.ask_card(wish) {
            Ok(wish) => wish,
            Err(refusal) => return self.refuse(doing.command_id, "card", &refusal).map(|()| None),
        };
        let asked = Fact::CardAsked(CardAsked {
            ask: wish.ask,
            ticket: held.open.opening.ticket,
            register: held.place.register,
            till: held.place.till,
            terminal: wish.terminal,
            amount: wish.amount,
            settle,
            tip: wish.tip,
        });
        let by = self.by(held, Some(wish.ask));
        self.book.commit(asked, by)?;
        held.apply(Event::CardAsked(wish.clone()))?;
        self.ack(wish.ask, "card");
        match self.chance.below(10) {
            0..=1 => self.card_ended(held, &wish, CardEnd::Declined, "declined")?,
            2..=3 => return self.unknown(held, &wish),
            _ => {
                if !self.card_paid(held, &wish)? {
                    return Err(format!("a card paid {} and the ticket does not want it", wish.amount.0));
                }
                self.met("cards");
                if tip > 0 {
                    self.met("tips");
                }
                return self.closes_by_itself(held);
            }
        }
        Ok(None)
    }

    fn closes_by_itself(&mut self, held: &mut Held) -> Result<End, Broken> {
        if !held.open.closes_by_card() && !held.open.closes_by_balance() {
            return Ok(None);
        }
        let closed = held.open.settle(&self.store.counter()).map_err(fault("settle"))?;
        self.close(held, closed, None, "card").map(|closed| Some(Box::new(closed)))
    }

    /// The terminal says that it moved the money; whether the ticket still wants it.
    fn card_paid(&mut self, held: &mut Held, wish: &CardWish) -> Result<bool, Broken> {
        let at = self.book.later(1)?;
        let attempt = format!("pay1-{}", self.book.records.len());
        let Some(tender) = held.open.card_paid(wish.ask, &attempt, wish.amount, at) else {
            return Ok(false);
        };
        self.took(held, tender, None)?;
        Ok(true)
    }

    fn card_ended(&mut self, held: &mut Held, wish: &CardWish, end: CardEnd, why: &str) -> Result<(), Broken> {
        let fact = CardEnded {
            ask: wish.ask,
            ticket: held.open.opening.ticket,
            terminal: wish.terminal,
            end,
            attempt: None,
            why: why.to_owned(),
        };
        let by = self.by(held, None);
        self.book.commit(Fact::CardEnded(fact), by)?;
        held.apply(Event::CardEnded {
            ask: wish.ask,
            why: why.to_owned(),
        })
    }

    /// Nobody knows how the card payment went; the customer pays otherwise or waits, and the answer comes late.
    fn unknown(&mut self, held: &mut Held, wish: &CardWish) -> Result<End, Broken> {
        self.met("unknown_cards");
        held.open.card_unknown(wish.ask, true);
        if self.chance.percent(50) {
            let due = held.open.due().map_err(fault("due"))?.0;
            let given = held.open.given().map_err(fault("given"))?.0;
            let whole = self.chance.percent(60);
            if due > given
                && let Some(closed) = self.cash(held, due - given, whole)?
            {
                // The ticket is closed: what the terminal took is given back, or found.
                self.late_for_nothing(held, wish)?;
                return Ok(Some(closed));
            }
        }
        match self.chance.below(3) {
            0 => self.card_ended(held, wish, CardEnd::NotPaid, "not_paid")?,
            _ => {
                if self.card_paid(held, wish)? {
                    self.met("late_cards_taken");
                    return self.closes_by_itself(held);
                }
                self.met("late_cards_reversed");
                self.card_ended(held, wish, CardEnd::Reversed, "late")?;
            }
        }
        Ok(None)
    }

    fn late_for_nothing(&mut self, held: &mut Held, wish: &CardWish) -> Result<(), Broken> {
        self.met("late_cards_reversed");
        let found = self.chance.percent(30);
        let attempt = format!("pay1-{}", self.book.records.len());
        let ended = CardEnded {
            ask: wish.ask,
            ticket: held.open.opening.ticket,
            terminal: wish.terminal,
            end: if found { CardEnd::Found } else { CardEnd::Reversed },
            attempt: Some(attempt.clone()),
            why: "late".to_owned(),
        };
        let by = self.by(held, None);
        self.book.commit(Fact::CardEnded(ended), by)?;
        if found {
            let capture = FoundCapture {
                ask: wish.ask,
                terminal: wish.terminal,
                attempt,
                amount: wish.amount,
            };
            self.book.commit(Fact::FoundCapture(capture), by)?;
        }
        Ok(())
    }

    fn balance(&mut self, held: &mut Held) -> Result<End, Broken> {
        let remaining = held.open.remaining_exact().map_err(fault("remaining"))?.0;
        let amount = if self.chance.percent(50) {
            remaining
        } else {
            self.chance.between(1, remaining.max(1) as u64) as i64
        };
        let kinds = [
            TenderKind::GiftCard,
            TenderKind::StoreCredit,
            TenderKind::OnAccount,
            TenderKind::Points,
        ];
        let kind = self.chance.pick(&kinds).copied().unwrap_or(TenderKind::GiftCard);
        let settle = amount == remaining && self.chance.percent(50);
        self.ask_balance(held, kind, amount, settle, None, None)?;
        self.closes_by_itself(held)
    }

    /// Asks a balance to pay or to take money back; whether it did.
    fn ask_balance(
        &mut self,
        held: &mut Held,
        kind: TenderKind,
        amount: i64,
        settle: bool,
        gives_back: Option<GivesBack>,
        account: Option<AccountId>,
    ) -> Result<bool, Broken> {
        let back = gives_back.is_some();
        let doing = self.doing(held, "balance")?;
        let wish = BalanceWish {
            ask: doing.command_id,
            at: doing.at,
            kind,
            account: account.unwrap_or(AccountId(self.book.id())),
            amount: Money(amount),
            settle,
            gives_back,
        };
        let wish = match held.open.ask_balance(wish) {
            Ok(wish) => wish,
            Err(refusal) => return self.refuse(doing.command_id, "balance", &refusal).map(|()| false),
        };
        let asked = BalanceAsked {
            ask: wish.ask,
            ticket: held.open.opening.ticket,
            register: held.place.register,
            till: held.place.till,
            kind,
            account: wish.account,
            amount: Money(if back { -amount } else { amount }),
            settle,
        };
        let by = self.by(held, Some(wish.ask));
        self.book.commit(Fact::Ticket(TicketFact::BalanceAsked(asked)), by)?;
        held.apply(Event::BalanceAsked(wish.clone()))?;
        self.ack(wish.ask, "balance");
        let granted = self.chance.percent(85) || back;
        let at = self.book.later(1)?;
        let tender = if granted { held.open.balance_granted(wish.ask, at) } else { None };
        match tender {
            Some(tender) => {
                self.met("balances");
                self.took(held, tender, None)?;
                Ok(true)
            }
            None if granted => Err(format!("a balance granted {amount} and the ticket does not want it")),
            None => {
                let why = "not_enough".to_owned();
                let ended = BalanceEnded {
                    ask: wish.ask,
                    ticket: held.open.opening.ticket,
                    account: wish.account,
                    end: BalanceEnd::Declined,
                    why: why.clone(),
                };
                self.commit_by_the_box(held, TicketFact::BalanceEnded(ended))?;
                held.apply(Event::BalanceEnded { ask: wish.ask, why })?;
                Ok(false)
            }
        }
    }

    /// Money goes back: by the shop's plan, or all of it in cash because somebody allowed it.
    fn give_back(&mut self, held: &mut Held) -> Result<ClosedTicket, Broken> {
        let plan = held.open.refund_plan(&self.store.policy).map_err(fault("refund_plan"))?;
        if self.chance.percent(70) {
            for part in plan {
                self.give_back_part(held, part)?;
            }
        }
        let left = held.open.due().map_err(fault("due"))?.0 - held.open.given().map_err(fault("given"))?.0;
        if left == 0 {
            return self.settle(held);
        }
        if left > 0 {
            return self.rest_in_cash(held);
        }
        let form = plan_form(held, &self.store.policy)?;
        if form != TenderKind::Cash {
            let owed = held.open.to_give_back().map_err(fault("to_give_back"))?.0;
            if !self.ask_balance(held, form, owed, false, Some(GivesBack::AsCredit), None)? {
                return Err(format!("{owed} can not be given back as {}", form.word()));
            }
            return self.settle(held);
        }
        let permit = self.permit(held, ApprovedAction::RefundOtherwise, None)?;
        let doing = self.doing(held, "refund_cash")?;
        let tender = held.open.refund_cash(Some(permit), doing).map_err(fault("refund_cash"))?;
        if tender.amount.0 != left {
            return Err(format!("{} is handed out in coins, {left} is left", tender.amount.0));
        }
        if self.chance.percent(50) {
            return self.pays_and_closes(held, tender);
        }
        self.took(held, tender, Some(doing.command_id))?;
        self.ack(doing.command_id, "refund_cash");
        self.settle(held)
    }

    fn give_back_part(&mut self, held: &mut Held, part: RefundPart) -> Result<(), Broken> {
        match (part.kind, part.of) {
            (TenderKind::Cash, _) => {
                let doing = self.doing(held, "refund_cash")?;
                let tender = match held.open.refund_cash(None, doing) {
                    Ok(tender) => tender,
                    // A card's part was declined before.
                    Err(refusal) => return self.refuse(doing.command_id, "refund_cash", &refusal),
                };
                if tender.amount.0 != -part.amount.0 {
                    return Err(format!("the plan hands out {}, the till {}", part.amount.0, -tender.amount.0));
                }
                self.took(held, tender, Some(doing.command_id))?;
                self.ack(doing.command_id, "refund_cash");
            }
            (TenderKind::Card, Some(of)) => {
                let doing = self.doing(held, "refund_card")?;
                let wish = CardWish {
                    ask: doing.command_id,
                    at: doing.at,
                    terminal: text("pay1")?,
                    amount: part.amount,
                    settle: false,
                    tip: Money::ZERO,
                    refund_of: Some(of.clone()),
                };
                let wish = held.open.ask_card(wish).map_err(fault("refund_card"))?;
                let asked = RefundAsked {
                    ask: wish.ask,
                    ticket: held.open.opening.ticket,
                    register: held.place.register,
                    till: held.place.till,
                    terminal: wish.terminal,
                    amount: wish.amount,
                    of,
                    settle: false,
                };
                let by = self.by(held, Some(wish.ask));
                self.book.commit(Fact::Ticket(TicketFact::RefundAsked(asked)), by)?;
                held.apply(Event::CardAsked(wish.clone()))?;
                self.ack(wish.ask, "refund_card");
                if self.chance.percent(15) {
                    return self.card_ended(held, &wish, CardEnd::Declined, "declined");
                }
                if !self.card_paid(held, &wish)? {
                    return Err("a card took money back and the ticket does not want it".to_owned());
                }
                self.met("card_refunds");
            }
            (kind, of) => {
                let gives_back = of.map_or(GivesBack::AsCredit, GivesBack::To);
                if !self.ask_balance(held, kind, part.amount.0, false, Some(gives_back), part.account)? {
                    return Err(format!(
                        "the plan gives {} back as {}, and it is refused",
                        part.amount.0,
                        kind.word()
                    ));
                }
            }
        }
        Ok(())
    }

    /// Gives the ticket up, with all money that was taken handed back. Whether that could be.
    pub fn give_up(&mut self, held: &mut Held) -> Result<bool, Broken> {
        while self.void_tender(held)? {}
        let doing = self.doing(held, "cancel")?;
        match held.open.cancel() {
            Err(refusal) => self.refuse(doing.command_id, "cancel", &refusal).map(|()| false),
            Ok(closed) => {
                self.met("given_up");
                self.close(held, closed, Some(doing.command_id), "cancel").map(|_| true)
            }
        }
    }

    /// Some money is taken before the customer walks away.
    pub fn pay_some(&mut self, held: &mut Held) -> Result<(), Broken> {
        let due = held.open.due().map_err(fault("due"))?.0;
        if due > 1 && held.open.opening.mode == Mode::Selling {
            self.cash(held, due - 1, false)?;
        }
        Ok(())
    }
}

/// How what the plan leaves is given back.
fn plan_form(held: &Held, policy: &backroom_core::ticket::Policy) -> Result<TenderKind, Broken> {
    let plan = held.open.refund_plan(policy).map_err(fault("refund_plan"))?;
    let last = plan.last().filter(|part| part.of.is_none() && part.kind != TenderKind::Cash);
    let without = held
        .open
        .lines()
        .iter()
        .any(|line| line.voided.is_none() && line.details.without_receipt.is_some());
    Ok(match last {
        Some(part) if without => part.kind,
        _ => TenderKind::Cash,
    })
}
