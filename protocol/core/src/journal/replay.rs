//! The fold of a journal: what its entries come to, and what they came to at any instant before.
//!
//! A *room* is one part of that state; each takes from a fact what is its own. A new room is one line in the list below. Facts of a
//! kind this version does not know change nothing and are counted. Reads no bytes: who has an entry reads its fact first.

use std::collections::BTreeMap;

use crate::catalog::{PriceChange, Sku};
use crate::facts::opening::OpeningFact;
use crate::facts::{CardAsked, CardBegun, CatalogApplied, Fact};
use crate::ids::{CommandId, RegisterId, StaffId, TillId};
use crate::money::{Money, MoneyError};
use crate::stock::Stock;
use crate::till::Till;
use crate::time::Instant;

use super::epochs::Epochs;
use super::escrow::Escrows;
use super::opening::Opening;
use super::{Epoch, Header, Seq};

/// An entry whose fact was read; `None` for a kind of a newer version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub header: Header,
    pub fact: Option<Fact>,
}

/// A fold that can not go on: the figures are beyond any shop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{epoch}:{seq} can not be taken into {room}: {why}")]
pub struct Unfolded {
    pub epoch: Epoch,
    pub seq: Seq,
    pub room: &'static str,
    pub why: MoneyError,
}

/// One part of the state.
pub trait Room {
    fn take(&mut self, header: &Header, fact: &Fact) -> Result<(), MoneyError>;
}

macro_rules! rooms {
    ($($(#[$about:meta])* $name:ident: $room:ty,)*) => {
        /// What a journal comes to, room by room.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct State {
            $($(#[$about])* pub $name: $room,)*
            /// Entries that were taken in, and those of them which this version does not know.
            pub entries: u64,
            pub unknown: u64,
        }

        impl State {
            fn each(&mut self, header: &Header, fact: &Fact) -> Result<(), Unfolded> {
                $(Room::take(&mut self.$name, header, fact).map_err(|why| Unfolded {
                    epoch: header.epoch,
                    seq: header.seq,
                    room: stringify!($name),
                    why,
                })?;)*
                Ok(())
            }
        }
    };
}

rooms! {
    /// Which catalog counts, and which prices were ordered since.
    prices: Prices,
    /// What is on hand.
    stock: Stock,
    /// What each drawer should hold, and its Z reports.
    tills: Tills,
    /// Who sits at which register.
    people: People,
    /// Card payments without an end.
    cards: Cards,
    /// Epochs, branches and breaks.
    epochs: Epochs,
    /// Registers that may sell without the box.
    escrows: Escrows,
    /// What was brought along from the old books.
    opening: Opening,
}

impl State {
    pub fn take(&mut self, entry: &Recorded) -> Result<(), Unfolded> {
        self.entries = self.entries.saturating_add(1);
        match &entry.fact {
            Some(fact) => self.each(&entry.header, fact),
            None => {
                self.unknown = self.unknown.saturating_add(1);
                Ok(())
            }
        }
    }
}

/// What all these entries come to, oldest first.
pub fn replay<'a>(entries: impl IntoIterator<Item = &'a Recorded>) -> Result<State, Unfolded> {
    let mut state = State::default();
    for entry in entries {
        state.take(entry)?;
    }
    Ok(state)
}

/// What the journal came to at an instant. Time never runs backwards in a journal, so these are its first entries, and reading ends
/// with the first one after.
pub fn as_of<'a>(entries: impl IntoIterator<Item = &'a Recorded>, instant: Instant) -> Result<State, Unfolded> {
    replay(entries.into_iter().take_while(|entry| entry.header.at <= instant))
}

impl Room for Stock {
    fn take(&mut self, _: &Header, fact: &Fact) -> Result<(), MoneyError> {
        for moved in fact.stock_moves() {
            self.apply(moved)?;
        }
        Ok(())
    }
}

/// Every till that was ever used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tills(BTreeMap<TillId, Till>);

impl Tills {
    pub fn get(&self, till: TillId) -> Option<&Till> {
        self.0.get(&till)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Till> {
        self.0.values()
    }
}

impl Room for Tills {
    fn take(&mut self, header: &Header, fact: &Fact) -> Result<(), MoneyError> {
        let till = match fact {
            Fact::ShiftOpened(opened) => opened.till,
            Fact::CashMoved(moved) => moved.till,
            Fact::TicketClosed(ticket) => ticket.till,
            Fact::ShiftClosed(closed) => closed.till,
            Fact::Opening(OpeningFact::TillsOpened(opened)) => {
                for before in &opened.tills {
                    let till = self.0.entry(before.till).or_insert_with(|| Till::new(before.till));
                    till.last_z = before.last_z;
                    till.perpetual_sales = before.perpetual_sales;
                    till.perpetual_returns = before.perpetual_returns;
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.0.entry(till).or_insert_with(|| Till::new(till)).apply(fact, header.at)
    }
}

/// The catalog's name and the prices that were ordered on top of it. The catalog itself lies beside the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    catalog: Option<CatalogApplied>,
    ordered: BTreeMap<Sku, Vec<(u64, PriceChange)>>,
}

impl Prices {
    pub fn catalog(&self) -> Option<&CatalogApplied> {
        self.catalog.as_ref()
    }

    /// Every price that was ordered, with its directive's number, item by item.
    pub fn all_ordered(&self) -> impl Iterator<Item = (u64, &PriceChange)> {
        self.ordered.values().flatten().map(|(directive, change)| (*directive, change))
    }

    /// The price a directive set which counts at an instant, and the directive's number. `None`: the catalog's own price counts.
    pub fn ordered(&self, sku: &Sku, at: Instant) -> Option<(Money, u64)> {
        let changes = self.ordered.get(sku)?.iter();
        let counting = changes.filter(|(_, change)| change.effective_at <= at);
        let last = counting.max_by_key(|(directive, change)| (change.effective_at, *directive))?;
        Some((last.1.price, last.0))
    }
}

impl Room for Prices {
    fn take(&mut self, _: &Header, fact: &Fact) -> Result<(), MoneyError> {
        match fact {
            // What was ordered before goes on counting, as it does at the box.
            Fact::CatalogApplied(applied) => self.catalog = Some(applied.clone()),
            Fact::PriceDirected(directed) => {
                let changes = self.ordered.entry(directed.change.sku.clone()).or_default();
                changes.push((directed.directive, directed.change.clone()));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Which registers there are, and who was the last to sign in at each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People(BTreeMap<RegisterId, (TillId, Option<(StaffId, u64)>)>);

impl People {
    /// The person and the session.
    pub fn at(&self, register: RegisterId) -> Option<(StaffId, u64)> {
        self.0.get(&register)?.1
    }

    pub fn registers(&self) -> impl Iterator<Item = RegisterId> {
        self.0.keys().copied()
    }
}

impl Room for People {
    fn take(&mut self, _: &Header, fact: &Fact) -> Result<(), MoneyError> {
        match fact {
            Fact::RegisterEnrolled(enrolled) => {
                self.0.insert(enrolled.register, (enrolled.till, None));
            }
            Fact::SignedIn(signed) => {
                if let Some(register) = self.0.get_mut(&signed.register) {
                    register.1 = Some((signed.staff, signed.session));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// A card payment that was wished for and has no end yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardWish {
    pub asked: CardAsked,
    pub begun: Option<CardBegun>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cards(BTreeMap<CommandId, CardWish>);

impl Cards {
    pub fn open(&self) -> impl Iterator<Item = &CardWish> {
        self.0.values()
    }
}

impl Room for Cards {
    fn take(&mut self, _: &Header, fact: &Fact) -> Result<(), MoneyError> {
        match fact {
            Fact::CardAsked(asked) => {
                let wish = CardWish {
                    asked: asked.clone(),
                    begun: None,
                };
                self.0.insert(asked.ask, wish);
            }
            Fact::CardBegun(begun) => {
                if let Some(wish) = self.0.get_mut(&begun.ask) {
                    wish.begun = Some(begun.clone());
                }
            }
            Fact::CardEnded(ended) => drop(self.0.remove(&ended.ask)),
            Fact::TenderTaken(taken) => drop(self.0.remove(&taken.tender.command_id)),
            _ => {}
        }
        Ok(())
    }
}

impl Room for Epochs {
    fn take(&mut self, header: &Header, fact: &Fact) -> Result<(), MoneyError> {
        self.apply(header, Some(fact));
        Ok(())
    }
}

impl Room for Escrows {
    fn take(&mut self, _: &Header, fact: &Fact) -> Result<(), MoneyError> {
        self.apply(fact);
        Ok(())
    }
}

impl Room for Opening {
    fn take(&mut self, _: &Header, fact: &Fact) -> Result<(), MoneyError> {
        self.apply(fact)
    }
}

#[cfg(test)]
#[path = "replay_tests.rs"]
mod tests;
