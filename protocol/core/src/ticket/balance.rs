//! Payments out of balances that head office keeps: gift cards, store credit, points, accounts, and vouchers it must be asked about.
//!
//! Like a card's, such a payment is a wish first; while nobody knows how it ended the ticket may be paid otherwise, and what is granted
//! late is given back to the balance. Who may spend what is decided in `accounts`.

use serde::{Deserialize, Serialize};

use super::{CardStage, MOST_TENDERS, Mode, Open, Refusal};
use crate::facts::{RefundOf, Tender, TenderDetails, TenderKind};
use crate::ids::{AccountId, CommandId};
use crate::money::Money;
use crate::time::Instant;

/// A payment that a balance was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceWish {
    pub ask: CommandId,
    pub at: Instant,
    #[serde(rename = "tender")]
    pub kind: TenderKind,
    pub account: AccountId,
    /// More than nothing either way.
    pub amount: Money,
    pub settle: bool,
    /// The money goes back to the balance: to the tender it came from, or, as store credit, to a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives_back: Option<GivesBack>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivesBack {
    To(RefundOf),
    /// What is owed is put on a credit of the shop's.
    AsCredit,
}

/// The last payment a balance was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    pub wish: BalanceWish,
    pub stage: CardStage,
}

/// The kinds whose money lies in a balance.
pub(super) fn is_balance(kind: TenderKind) -> bool {
    match kind {
        TenderKind::GiftCard | TenderKind::StoreCredit | TenderKind::OnAccount | TenderKind::Points => true,
        TenderKind::Cash | TenderKind::Card | TenderKind::Voucher => false,
    }
}

/// For people.
pub(super) fn word(kind: TenderKind) -> &'static str {
    match kind {
        TenderKind::Cash => "cash",
        TenderKind::Card => "a card",
        TenderKind::GiftCard => "a gift card",
        TenderKind::StoreCredit => "store credit",
        TenderKind::Voucher => "a voucher",
        TenderKind::OnAccount => "an account",
        TenderKind::Points => "points",
    }
}

impl Open {
    /// The last payment a balance was asked for, however it stands.
    pub fn balance(&self) -> Option<&Balance> {
        self.balance.as_ref()
    }

    pub fn balance_under_way(&self) -> Option<&BalanceWish> {
        self.balance.as_ref().filter(|asked| asked.stage.is_open()).map(|asked| &asked.wish)
    }

    pub(super) fn no_balance_under_way(&self) -> Result<(), Refusal> {
        match self.balance_under_way() {
            Some(wish) => Err(Refusal::BalanceUnderWay {
                amount: self.show(wish.amount),
            }),
            None => Ok(()),
        }
    }

    /// No answer came, or the line is back.
    pub fn balance_unknown(&mut self, ask: CommandId, unknown: bool) {
        let open = |asked: &&mut Balance| asked.wish.ask == ask && asked.stage.is_open();
        if let Some(asked) = self.balance.as_mut().filter(open) {
            asked.stage = if unknown { CardStage::Unknown } else { CardStage::UnderWay };
        }
    }

    /// A balance is to pay, or to be given something back; whoever keeps it is asked once this is in the journal.
    pub fn ask_balance(&self, wish: BalanceWish) -> Result<BalanceWish, Refusal> {
        self.not_suspended()?;
        if self.live == 0 {
            return Err(Refusal::EmptyBasket);
        }
        if self.opening.mode == Mode::Training {
            return Err(Refusal::Training);
        }
        self.nothing_under_way()?;
        if !is_balance(wish.kind) {
            return Err(Refusal::NoAccount);
        }
        if !(1..=crate::money::LARGEST_AMOUNT).contains(&wish.amount.0) {
            return Err(Refusal::Amount {
                amount: self.show(wish.amount),
            });
        }
        if self.tenders.len() >= MOST_TENDERS {
            return Err(Refusal::TooManyTenders);
        }
        match &wish.gives_back {
            Some(GivesBack::To(of)) => self.may_refund(wish.amount, wish.kind, of)?,
            Some(GivesBack::AsCredit) => self.may_give_back_as(wish.amount, wish.kind)?,
            None => self.no_more_than_remains(wish.kind, wish.amount)?,
        }
        Ok(wish)
    }

    pub(super) fn no_more_than_remains(&self, kind: TenderKind, amount: Money) -> Result<(), Refusal> {
        let remaining = self.remaining_exact()?;
        if amount > remaining {
            return Err(Refusal::TooMuch {
                kind: word(kind),
                amount: self.show(amount),
                remaining: self.show(remaining),
            });
        }
        Ok(())
    }

    /// The balance granted the wish. `None` when the ticket no longer needs it: then it is to be given back.
    pub fn balance_granted(&self, ask: CommandId, at: Instant) -> Option<Tender> {
        let wish = self.balance_under_way().filter(|wish| wish.ask == ask)?;
        let (amount, wanted) = match &wish.gives_back {
            Some(_) => (wish.amount.negated().ok()?, wish.amount <= self.to_give_back().ok()?),
            None => (wish.amount, wish.amount <= self.remaining_exact().ok()?),
        };
        let refund_of = match &wish.gives_back {
            Some(GivesBack::To(of)) => Some(of.clone()),
            _ => None,
        };
        wanted.then(|| Tender {
            command_id: wish.ask,
            at,
            kind: wish.kind,
            amount,
            attempt: None,
            foreign: None,
            details: TenderDetails {
                account: Some(wish.account),
                refund_of,
                ..TenderDetails::default()
            },
        })
    }

    /// Whether a payment from a balance that was to close the ticket paid the rest of it.
    pub fn closes_by_balance(&self) -> bool {
        let wanted = self
            .balance
            .as_ref()
            .is_some_and(|asked| asked.stage == CardStage::Paid && asked.wish.settle);
        wanted && self.is_paid()
    }
}
