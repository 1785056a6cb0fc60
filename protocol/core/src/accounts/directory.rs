//! Which account a card's number means, at head office and at every store that was told. A fold of openings and replacements.

use std::collections::BTreeMap;

use super::{Account, CardMark};
use crate::facts::accounts::{AccountsFact, Moved};
use crate::ids::CustomerId;
use crate::journal::Hash;

/// What is known of an account apart from its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub account: Account,
    pub card: Option<CardMark>,
    pub customer: Option<CustomerId>,
    /// The card that took its place; this one is not worth asking any more.
    pub replaced_by: Option<Account>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    accounts: BTreeMap<Account, Known>,
    cards: BTreeMap<Hash, Account>,
}

impl Directory {
    pub fn find(&self, card: Hash) -> Option<&Known> {
        self.accounts.get(self.cards.get(&card)?)
    }

    pub fn get(&self, account: Account) -> Option<&Known> {
        self.accounts.get(&account)
    }

    pub fn of_customer(&self, customer: CustomerId) -> impl Iterator<Item = &Known> {
        self.accounts.values().filter(move |known| known.customer == Some(customer))
    }

    /// The first opening of an account or a card counts; a second one changes nothing.
    pub fn apply(&mut self, fact: &AccountsFact) {
        match fact {
            AccountsFact::AccountOpened(opened) => {
                self.accounts.entry(opened.account).or_insert(Known {
                    account: opened.account,
                    card: opened.card,
                    customer: opened.customer,
                    replaced_by: None,
                });
                if let Some(card) = opened.card {
                    self.cards.entry(card.hash).or_insert(opened.account);
                }
            }
            AccountsFact::AccountMoved(moved) => {
                if let (Moved::Replaced { by, .. }, Some(known)) = (&moved.moved, self.accounts.get_mut(&moved.account)) {
                    known.replaced_by = Some(*by);
                }
            }
            _ => {}
        }
    }
}
