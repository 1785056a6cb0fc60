//! What is due and how it is paid: cash, foreign cash, vouchers, and what is handed back before the ticket is settled.
//!
//! Cards and balances pay to the cent; what is left for cash is rounded to the smallest coin, for refunds too. Cards and balances that
//! must be asked first are in `card` and `balance`.

use super::{Event, MOST_TENDERS, Open, Policy, Refusal};
use crate::barcode::{InStoreCode, looks_like_card};
use crate::facts::{ClosedLine, Tender, TenderDetails, TenderKind, Voided};
use crate::ids::CommandId;
use crate::money::{LARGEST_AMOUNT, Money};
use crate::till::Foreign;
use crate::time::Instant;

/// A voucher that was looked at: it is real, unspent, and worth so much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voucher {
    pub code: String,
    pub worth: Money,
}

impl Open {
    pub fn tenders(&self) -> &[Tender] {
        &self.tenders
    }

    /// Whether the journal holds money or wishes for it of this ticket already.
    pub fn had_money(&self) -> bool {
        self.card.is_some() || self.balance.is_some() || !self.tenders.is_empty() || !self.about.voided_tenders.is_empty()
    }

    /// What was paid to the cent: everything but cash, and without what is for the staff.
    fn paid_exactly(&self) -> Result<Money, Refusal> {
        let exact = self.tenders.iter().filter(|tender| tender.kind != TenderKind::Cash);
        let mut sum = Money::ZERO;
        for tender in exact {
            sum = sum.checked_add(tender.amount)?.checked_sub(tender.details.tip)?;
        }
        Ok(sum)
    }

    /// What is to be paid; below nothing when it is to be given back. Cards and balances pay to the cent, and what is left for cash is
    /// rounded to the smallest coin. Goods that come back bring the rounding of then along, so that all part returns of a receipt add up to what was paid.
    pub fn due(&self) -> Result<Money, Refusal> {
        let exact = self.paid_exactly()?;
        Ok(self.coins_due(exact)?.checked_add(exact)?)
    }

    /// What falls to coins when so much is paid to the cent.
    fn coins_due(&self, exact: Money) -> Result<Money, Refusal> {
        let rest = self.total()?.checked_sub(exact)?;
        if rest == Money::ZERO {
            return Ok(rest);
        }
        let rest = rest.checked_sub(self.carry())?;
        Ok(rest.to_step_by(self.opening.cash_step, self.opening.cash_rounding)?)
    }

    /// What is handed out in coins once so much has gone back elsewhere.
    pub(super) fn coins_back(&self, elsewhere: Money) -> Result<Money, Refusal> {
        let cash = self.tenders.iter().filter(|tender| tender.kind == TenderKind::Cash);
        let given = Money::sum(cash.map(|tender| tender.amount))?;
        let due = self.coins_due(self.paid_exactly()?.checked_sub(elsewhere)?)?;
        Ok(given.checked_sub(due)?.max(Money::ZERO))
    }

    /// Only a ticket that does nothing but take one receipt back gives its rounding back.
    fn carry(&self) -> Money {
        let Some(first) = self.carries.first() else { return Money::ZERO };
        let of_receipt = |line: &ClosedLine| line.voided.is_some() || line.details.returns.is_some_and(|of| of.receipt == first.receipt);
        if self.carries.len() == 1 && self.lines.iter().all(of_receipt) {
            first.rounding
        } else {
            Money::ZERO
        }
    }

    /// What a card would have to pay: nothing is rounded.
    pub fn remaining_exact(&self) -> Result<Money, Refusal> {
        Ok(self.total()?.checked_sub(self.given()?)?.max(Money::ZERO))
    }

    /// What is still to be given back, to the cent.
    pub fn to_give_back(&self) -> Result<Money, Refusal> {
        Ok(self.given()?.checked_sub(self.total()?)?.max(Money::ZERO))
    }

    /// What was given for the goods, less what was given back; tips are the staff's.
    pub fn given(&self) -> Result<Money, Refusal> {
        let all = Money::sum(self.tenders.iter().map(|tender| tender.amount))?;
        let tips = Money::sum(self.tenders.iter().map(|tender| tender.details.tip))?;
        Ok(all.checked_sub(tips)?)
    }

    pub(super) fn is_paid(&self) -> bool {
        match (self.due(), self.given()) {
            (Ok(due), Ok(given)) if due < Money::ZERO => given == due,
            (Ok(due), Ok(given)) => given >= due,
            _ => false,
        }
    }

    /// As long as a terminal or a balance is being asked nothing else is taken; once nobody knows, other money is.
    pub(super) fn may_be_paid_otherwise(&self) -> Result<(), Refusal> {
        self.not_suspended()?;
        match &self.card {
            Some(card) if card.stage == super::CardStage::Unknown => {}
            _ => self.no_card_under_way()?,
        }
        match &self.balance {
            Some(asked) if asked.stage == super::CardStage::Unknown => Ok(()),
            _ => self.no_balance_under_way(),
        }
    }

    fn may_take(&self, amount: Money) -> Result<(), Refusal> {
        self.may_be_paid_otherwise()?;
        if self.live == 0 {
            return Err(Refusal::EmptyBasket);
        }
        // A basket of free things is settled with nothing given.
        let due = self.due()?;
        let least = if due == Money::ZERO { 0 } else { 1 };
        if !(least..=LARGEST_AMOUNT).contains(&amount.0) {
            return Err(Refusal::Amount { amount: self.show(amount) });
        }
        if due < Money::ZERO {
            return Err(Refusal::RefundFirst {
                amount: self.show(due.negated()?),
            });
        }
        if self.tenders.len() >= MOST_TENDERS {
            return Err(Refusal::TooManyTenders);
        }
        self.given()?.checked_add(amount)?;
        Ok(())
    }

    /// Takes cash; it may be less than is due, then more is to come.
    pub fn tender(&self, amount: Money, command_id: CommandId, at: Instant) -> Result<Tender, Refusal> {
        self.may_take(amount)?;
        Ok(Tender::cash(command_id, at, amount))
    }

    /// Takes cash of another country at the shop's rate; change is given in the shop's own money.
    pub fn tender_foreign(&self, foreign: Foreign, command_id: CommandId, at: Instant) -> Result<Tender, Refusal> {
        let own = self.opening.currency;
        if foreign.currency == own {
            return Err(Refusal::OwnCurrency { currency: own.code() });
        }
        if !(1..=LARGEST_AMOUNT).contains(&foreign.amount.0) {
            return Err(Refusal::Amount {
                amount: foreign.currency.show(foreign.amount),
            });
        }
        let worth = foreign.worth(own)?;
        self.may_take(worth)?;
        Ok(Tender {
            foreign: Some(foreign),
            ..Tender::cash(command_id, at, worth)
        })
    }

    /// Takes a voucher: a code that counts once. What it is worth beyond the goods is handed out up to the shop's limit.
    pub fn tender_voucher(&self, voucher: Voucher, policy: &Policy, command_id: CommandId, at: Instant) -> Result<Tender, Refusal> {
        if looks_like_card(&voucher.code) || InStoreCode::parse(&voucher.code).is_err() {
            return Err(Refusal::Voucher);
        }
        let of_this = |tender: &Tender| tender.details.voucher.as_deref() == Some(voucher.code.as_str());
        if self.tenders.iter().any(of_this) {
            return Err(Refusal::VoucherTwice { code: voucher.code });
        }
        self.may_take(voucher.worth)?;
        let remaining = self.remaining_exact()?;
        let most = policy.voucher_change_most;
        if voucher.worth.checked_sub(remaining)? > most {
            return Err(Refusal::VoucherTooMuch {
                worth: self.show(voucher.worth),
                remaining: self.show(remaining),
                most: self.show(most),
            });
        }
        Ok(Tender {
            kind: TenderKind::Voucher,
            details: TenderDetails {
                voucher: Some(voucher.code),
                ..TenderDetails::default()
            },
            ..Tender::cash(command_id, at, voucher.worth)
        })
    }

    /// Hands a payment back before the ticket is settled. A card's is not undone here: its terminal has the money.
    pub fn void_tender(&self, tender: CommandId, command_id: CommandId, at: Instant) -> Result<Event, Refusal> {
        self.may_be_paid_otherwise()?;
        let found = self.tenders.iter().find(|known| known.command_id == tender);
        match found.ok_or(Refusal::NoSuchTender)?.kind {
            TenderKind::Card => Err(Refusal::TenderStays),
            _ => Ok(Event::TenderVoided {
                tender,
                voided: Voided { command_id, at },
            }),
        }
    }
}
