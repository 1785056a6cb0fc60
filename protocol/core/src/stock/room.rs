//! The stockroom: the fold of one store's facts about goods, and the questions every rule of stock asks of it.
//!
//! `apply` takes in what has happened and refuses only figures beyond any shop. The decisions stand in the rooms beside this one, each
//! as methods of [`Stockroom`] that look, change nothing, and answer with a fact or a refusal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::Sku;
use crate::facts::{Fact, StockFact};
use crate::ids::{DeliveryId, StockRequestId, StoreId};
use crate::journal::{Epoch, Seq};
use crate::money::{Money, MoneyError, Quantity};
use crate::stock::count_fold::Counts;
use crate::stock::lots::{Lots, Source};
use crate::stock::low::Low;
use crate::stock::purchase::Purchases;
use crate::stock::refusal::{LARGEST_QUANTITY, MOST_LINES};
use crate::stock::reserve::Reservations;
use crate::stock::transfer::Transfers;
use crate::stock::units::Units;
use crate::stock::{MoveReason, Portion, Refusal, Stock, StockMove, Unit};
use crate::time::Instant;

/// A place in the journal of one store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    pub epoch: Epoch,
    pub seq: Seq,
}

/// What happens when more of an item is wanted than is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oversell {
    Block,
    /// The customer stands there with the goods in hand: the books may be wrong.
    #[default]
    AllowAndFlag,
}

/// How exactly an item is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tracking {
    /// Only how many there are. Serials, tags and lots may be named and are then kept.
    #[default]
    Quantity,
    /// Each piece by its serial or tag.
    Piece,
    Lot,
}

/// What catalog and settings say about an item, as far as stock asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemRule<'a> {
    pub oversell: Oversell,
    pub tracking: Tracking,
    /// What one unit of a bundle is made of; empty for an item that is kept itself.
    pub parts: &'a [Portion],
}

/// Whoever knows the items; none for an item that is not in the catalog.
pub trait Items {
    fn rule(&self, sku: &Sku) -> Option<ItemRule<'_>>;
}

/// What there is of an item at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub on_hand: Quantity,
    pub reserved: Quantity,
    /// On hand and not reserved; negative when more was promised or sold than there was.
    pub available: Quantity,
    /// On its way here; negative when it came before the box heard that it was sent.
    pub in_transit: Quantity,
    pub damaged: Quantity,
    /// What the goods on hand cost.
    pub value: Money,
}

/// One store's goods.
#[derive(Clone, Debug)]
pub struct Stockroom {
    pub(super) store: StoreId,
    pub(super) head: Mark,
    pub(super) stock: Stock,
    /// The last entry in which a person or a count put an item right.
    pub(super) corrected: BTreeMap<Sku, Mark>,
    pub(super) answered: BTreeMap<StockRequestId, Mark>,
    pub(super) deliveries: BTreeMap<DeliveryId, Mark>,
    pub(super) reservations: Reservations,
    pub(super) transfers: Transfers,
    pub(super) purchases: Purchases,
    pub(super) counts: Counts,
    pub(super) units: Units,
    pub(super) lots: Lots,
    pub(super) low: Low,
}

impl Stockroom {
    pub fn new(store: StoreId) -> Self {
        Self {
            store,
            head: Mark::default(),
            stock: Stock::default(),
            corrected: BTreeMap::new(),
            answered: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            reservations: Reservations::default(),
            transfers: Transfers::default(),
            purchases: Purchases::default(),
            counts: Counts::default(),
            units: Units::default(),
            lots: Lots::default(),
            low: Low::default(),
        }
    }

    /// The last entry taken in.
    pub fn head(&self) -> Mark {
        self.head
    }

    pub fn stock(&self) -> &Stock {
        &self.stock
    }

    pub fn position(&self, sku: &Sku, at: Instant) -> Position {
        let held = self.stock.held(sku);
        let reserved = self.reservations.held(sku, at, None);
        Position {
            on_hand: held.on_hand,
            reserved,
            available: self.available(sku, at),
            in_transit: self.transfers.in_transit_to(self.store, sku),
            damaged: held.damaged,
            value: held.worth.value(),
        }
    }

    /// Takes in an entry of this store's journal. One that was taken in before changes nothing; an error changes nothing.
    pub fn apply(&mut self, mark: Mark, fact: &Fact) -> Result<(), MoneyError> {
        if mark <= self.head {
            return Ok(());
        }
        let moves = fact.stock_moves();
        self.stock.apply_all(moves)?;
        self.head = mark;
        self.counts.moved(mark, moves);
        self.units.moved(moves);
        self.lots.moved(moves, source(fact));
        for moved in moves {
            if matches!(moved.reason, MoveReason::Adjustment | MoveReason::Count) {
                self.corrected.insert(moved.sku.clone(), mark);
            }
        }
        if let Fact::Stock(fact) = fact {
            self.apply_stock(mark, fact);
        }
        Ok(())
    }

    fn apply_stock(&mut self, mark: Mark, fact: &StockFact) {
        match fact {
            StockFact::StockAdjusted(fact) => self.answered.extend(fact.request.map(|request| (request, mark))),
            StockFact::StockRequestRefused(fact) => drop(self.answered.insert(fact.request, mark)),
            StockFact::StockReserved(fact) => self.reservations.reserved(fact),
            StockFact::ReservationReleased(fact) => self.reservations.released(fact),
            StockFact::ReservationConsumed(fact) => self.reservations.consumed(fact),
            StockFact::TransferDispatched(_) | StockFact::TransferClosed(_) => self.transfers.apply(fact),
            StockFact::TransferReceived(received) => {
                self.deliveries.insert(received.delivery, mark);
                self.transfers.apply(fact);
            }
            StockFact::PurchaseOrdered(fact) => self.purchases.ordered(fact),
            StockFact::PurchaseReceived(fact) => {
                self.deliveries.insert(fact.delivery, mark);
                self.purchases.received(fact);
            }
            StockFact::PurchaseClosed(fact) => self.purchases.closed(fact),
            StockFact::CountStarted(fact) => self.counts.started(mark, fact),
            StockFact::CountEntered(fact) => self.counts.entered(fact),
            StockFact::CountEnded(fact) => self.counts.ended(fact),
            StockFact::CountApproved(fact) => self.counts.approved(fact),
            StockFact::UnitsMarked(fact) => self.units.marked(fact),
            StockFact::StockCrossed(fact) => self.low.crossed(fact),
        }
    }

    /// Whether moves may be written: the pieces they name may go that way, and the figures fit.
    pub fn may_move(&self, moves: &[StockMove], items: &dyn Items) -> Result<(), Refusal> {
        self.check_units(moves, items)?;
        self.try_moves(moves).map(drop)
    }

    /// The touched items as they will be.
    pub(super) fn try_moves(&self, moves: &[StockMove]) -> Result<Stock, Refusal> {
        let mut after = self.stock.only(moves.iter().map(|moved| &moved.sku));
        after.apply_all(moves)?;
        Ok(after)
    }

    pub(super) fn available(&self, sku: &Sku, at: Instant) -> Quantity {
        let reserved = self.reservations.held(sku, at, None);
        Quantity(self.stock.on_hand(sku).0.saturating_sub(reserved.0))
    }

    pub(super) fn new_delivery(&self, delivery: DeliveryId) -> Result<(), Refusal> {
        match self.deliveries.contains_key(&delivery) {
            true => Err(Refusal::DeliveryTaken { delivery }),
            false => Ok(()),
        }
    }
}

fn source(fact: &Fact) -> Source {
    match fact {
        Fact::TicketClosed(ticket) => ticket.receipt.map_or(Source::Other, Source::Receipt),
        Fact::Stock(StockFact::PurchaseReceived(fact)) => Source::Purchase {
            delivery: fact.delivery,
            order: fact.order.clone(),
        },
        Fact::Stock(StockFact::TransferReceived(fact)) => Source::Transfer {
            delivery: fact.delivery,
            from: fact.from,
        },
        _ => Source::Other,
    }
}

/// A quantity somebody wants, sends or counted: more than nothing, within reason.
pub(super) fn positive(sku: &Sku, quantity: Quantity) -> Result<(), Refusal> {
    match quantity.0 {
        1..=LARGEST_QUANTITY => Ok(()),
        _ => Err(Refusal::Quantity {
            sku: sku.clone(),
            quantity,
        }),
    }
}

pub(super) fn line_count(lines: usize) -> Result<(), Refusal> {
    match lines {
        0 => Err(Refusal::Empty),
        1..=MOST_LINES => Ok(()),
        _ => Err(Refusal::TooManyLines),
    }
}

pub(super) fn known<'a>(items: &'a dyn Items, sku: &Sku) -> Result<ItemRule<'a>, Refusal> {
    items.rule(sku).ok_or_else(|| Refusal::UnknownItem { sku: sku.clone() })
}

/// What came in, and what of it goes to the damaged: two moves that every arrival of goods makes.
pub(super) fn arrived(
    sku: &Sku,
    (arrived, damaged): (Quantity, Quantity),
    reason: MoveReason,
    cost: Option<Money>,
    units: &[Unit],
    damaged_units: &[Unit],
) -> Result<Vec<StockMove>, Refusal> {
    positive(sku, arrived)?;
    if damaged.0 < 0 || damaged > arrived {
        return Err(Refusal::DamagedMore {
            sku: sku.clone(),
            arrived,
            damaged,
        });
    }
    let mut moves = vec![StockMove {
        cost,
        units: units.to_vec(),
        ..StockMove::new(sku.clone(), arrived, reason)
    }];
    if damaged.0 > 0 {
        moves.push(StockMove {
            units: damaged_units.to_vec(),
            ..StockMove::new(sku.clone(), super::negated(damaged)?, MoveReason::Damage)
        });
    }
    Ok(moves)
}
