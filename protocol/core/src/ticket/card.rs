//! Card payments of a ticket, and money given back to a card: a wish first, then a tender or no money.

use serde::{Deserialize, Serialize};

use super::{MOST_TENDERS, Mode, Open, Refusal};
use crate::facts::{RefundOf, Tender, TenderDetails, TenderKind};
use crate::ids::{CommandId, DeviceId};
use crate::money::Money;
use crate::time::Instant;

/// A card payment that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardWish {
    pub ask: CommandId,
    pub at: Instant,
    pub terminal: DeviceId,
    /// What the terminal is to move; more than nothing either way.
    pub amount: Money,
    /// Close the ticket when it is paid with this.
    pub settle: bool,
    /// The part of the amount that is for the staff.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub tip: Money,
    /// The money goes back to the card that paid this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_of: Option<RefundOf>,
}

fn is_nothing(amount: &Money) -> bool {
    *amount == Money::ZERO
}

/// The last card payment of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub wish: CardWish,
    pub stage: CardStage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardStage {
    UnderWay,
    /// The link broke; the terminal is asked what became of it. Not an event: after a restart it is found out again.
    Unknown,
    Paid,
    NotPaid {
        why: String,
    },
}

impl CardStage {
    pub(super) fn is_open(&self) -> bool {
        matches!(self, CardStage::UnderWay | CardStage::Unknown)
    }
}

impl Open {
    /// The last card payment, however it stands.
    pub fn card(&self) -> Option<&Card> {
        self.card.as_ref()
    }

    pub fn card_under_way(&self) -> Option<&CardWish> {
        self.card.as_ref().filter(|card| card.stage.is_open()).map(|card| &card.wish)
    }

    pub(super) fn no_card_under_way(&self) -> Result<(), Refusal> {
        match self.card_under_way() {
            Some(wish) => Err(Refusal::CardUnderWay {
                amount: self.show(wish.amount),
            }),
            None => Ok(()),
        }
    }

    /// The terminal's link broke, or is back.
    pub fn card_unknown(&mut self, ask: CommandId, unknown: bool) {
        let open = |card: &&mut Card| card.wish.ask == ask && card.stage.is_open();
        if let Some(card) = self.card.as_mut().filter(open) {
            card.stage = if unknown { CardStage::Unknown } else { CardStage::UnderWay };
        }
    }

    /// A customer wants to pay by card; the terminal is asked once this is in the journal.
    pub fn ask_card(&self, wish: CardWish) -> Result<CardWish, Refusal> {
        self.not_suspended()?;
        if self.live == 0 {
            return Err(Refusal::EmptyBasket);
        }
        if self.opening.mode == Mode::Training {
            return Err(Refusal::Training);
        }
        self.nothing_under_way()?;
        if !(1..=crate::money::LARGEST_AMOUNT).contains(&wish.amount.0) {
            return Err(Refusal::Amount {
                amount: self.show(wish.amount),
            });
        }
        if self.tenders.len() >= MOST_TENDERS {
            return Err(Refusal::TooManyTenders);
        }
        match &wish.refund_of {
            Some(of) => self.may_refund(wish.amount, TenderKind::Card, of)?,
            None => {
                let goods = wish.amount.checked_sub(wish.tip)?;
                if wish.tip < Money::ZERO || wish.tip > goods {
                    return Err(Refusal::Tip { tip: self.show(wish.tip) });
                }
                let remaining = self.remaining_exact()?;
                if goods > remaining {
                    return Err(Refusal::CardTooMuch {
                        amount: self.show(goods),
                        remaining: self.show(remaining),
                    });
                }
            }
        }
        Ok(wish)
    }

    /// The terminal moved the money of this wish. `None` when the ticket no longer needs it: then it is to be moved back.
    pub fn card_paid(&self, ask: CommandId, attempt: &str, amount: Money, at: Instant) -> Option<Tender> {
        let wish = self.card_under_way().filter(|wish| wish.ask == ask && wish.amount == amount)?;
        let (amount, wanted) = match &wish.refund_of {
            Some(_) => (amount.negated().ok()?, amount <= self.to_give_back().ok()?),
            None => (amount, amount.checked_sub(wish.tip).ok()? <= self.remaining_exact().ok()?),
        };
        wanted.then(|| Tender {
            command_id: wish.ask,
            at,
            kind: TenderKind::Card,
            amount,
            attempt: Some(attempt.to_owned()),
            foreign: None,
            details: TenderDetails {
                tip: wish.tip,
                refund_of: wish.refund_of.clone(),
                ..TenderDetails::default()
            },
        })
    }

    /// Whether a card payment that was to close the ticket paid the rest of it.
    pub fn closes_by_card(&self) -> bool {
        let wanted = self
            .card
            .as_ref()
            .is_some_and(|card| card.stage == CardStage::Paid && card.wish.settle);
        wanted && self.is_paid()
    }
}
