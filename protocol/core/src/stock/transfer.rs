//! Goods between two stores: what left one, what came to the other, and what is on its way, counted exactly once.
//!
//! Each store writes its own side. [`Transfers`] is the fold of both: at head office over all stores, at a box over its own facts and
//! the dispatches it was told of. The two sides come in any order; goods that arrive before their dispatch is known are on their way
//! a negative number of times, which is shown, until it is. What each side does to its own stock stands in the moves of its facts.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Sku;
use crate::facts::{ArrivedLine, LostLine, StockFact, TransferClosed, TransferDispatched, TransferReceived};
use crate::ids::{DeliveryId, StaffId, StoreId, TransferId};
use crate::money::{Money, Quantity};
use crate::stock::room::{Items, Oversell, Stockroom, arrived, known, line_count, positive};
use crate::stock::{MoveReason, Refusal, StockMove, Unit, cost, negated};
use crate::time::Instant;

/// Goods are to leave for another store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    pub transfer: TransferId,
    pub to: StoreId,
    pub by: StaffId,
    pub lines: Vec<DispatchLine>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchLine {
    pub sku: Sku,
    pub quantity: Quantity,
    pub units: Vec<Unit>,
}

/// Goods came from another store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub transfer: TransferId,
    pub delivery: DeliveryId,
    pub from: StoreId,
    pub by: StaffId,
    pub lines: Vec<ArrivalLine>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivalLine {
    pub sku: Sku,
    /// All that came, and what of it is damaged.
    pub arrived: Quantity,
    pub damaged: Quantity,
    pub units: Vec<Unit>,
    pub damaged_units: Vec<Unit>,
}

/// What is known of one item of a transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parcel {
    pub dispatched: Quantity,
    pub arrived: Quantity,
    /// Of what arrived.
    pub damaged: Quantity,
    /// Given up when the transfer was closed.
    pub lost: Quantity,
    cost: Option<Money>,
}

impl Parcel {
    /// Still on its way; negative when more came than is known to have left.
    pub fn in_transit(&self) -> Quantity {
        Quantity(self.dispatched.0.saturating_sub(self.arrived.0).saturating_sub(self.lost.0))
    }

    /// More came than was sent, when positive; less, when negative. Said of a transfer of which no more is expected.
    pub fn over(&self) -> Quantity {
        Quantity(self.arrived.0.saturating_sub(self.dispatched.0))
    }

    /// What the next so many cost: all shares of a transfer add up to what was sent.
    fn cost_of(&self, arriving: Quantity) -> Result<Option<Money>, Refusal> {
        let Some(cost) = self.cost.filter(|_| self.dispatched.0 > 0) else {
            return Ok(None);
        };
        let before = cost::part(cost, self.arrived.0, self.dispatched.0)?;
        let after = cost::part(cost, super::plus(self.arrived, arriving)?.0, self.dispatched.0)?;
        Ok(Some(after.checked_sub(before)?))
    }
}

/// Every transfer somebody told of.
#[derive(Clone, Debug, Default)]
pub struct Transfers {
    /// A store names its own transfers: the same id from another store is another transfer.
    all: BTreeMap<(TransferId, StoreId), Transfer>,
    /// Per destination and item.
    in_transit: BTreeMap<(StoreId, Sku), Quantity>,
}

#[derive(Clone, Debug, Default)]
struct Transfer {
    /// Where it goes to, once its dispatch is known.
    to: Option<StoreId>,
    parcels: BTreeMap<Sku, Parcel>,
    deliveries: BTreeSet<DeliveryId>,
    closed: bool,
}

impl Transfers {
    /// Takes in a side of a transfer. Facts of other business, and the same fact again, change nothing.
    pub fn apply(&mut self, fact: &StockFact) {
        match fact {
            StockFact::TransferDispatched(fact) => self.dispatched(fact),
            StockFact::TransferReceived(fact) => self.received(fact),
            StockFact::TransferClosed(fact) => self.closed(fact),
            _ => {}
        }
    }

    pub fn in_transit_to(&self, store: StoreId, sku: &Sku) -> Quantity {
        self.in_transit.get(&(store, sku.clone())).copied().unwrap_or_default()
    }

    /// On its way to anywhere.
    pub fn in_transit(&self, sku: &Sku) -> Quantity {
        let own = self.in_transit.iter().filter(|((_, of), _)| of == sku);
        Quantity(own.fold(0i64, |sum, (_, quantity)| sum.saturating_add(quantity.0)))
    }

    /// Items of which more arrived than anybody said was sent: a dispatch is still to come, or something is wrong.
    pub fn negative(&self) -> impl Iterator<Item = (StoreId, &Sku, Quantity)> {
        let below = self.in_transit.iter().filter(|(_, quantity)| quantity.0 < 0);
        below.map(|((store, sku), quantity)| (*store, sku, *quantity))
    }

    /// What is known of a transfer, item by item: short, over and damaged stand in the figures.
    pub fn parcels(&self, transfer: TransferId, from: StoreId) -> impl Iterator<Item = (&Sku, &Parcel)> {
        self.all.get(&(transfer, from)).into_iter().flat_map(|transfer| &transfer.parcels)
    }

    pub fn is_closed(&self, transfer: TransferId, from: StoreId) -> bool {
        self.all.get(&(transfer, from)).is_some_and(|transfer| transfer.closed)
    }

    fn dispatched(&mut self, fact: &TransferDispatched) {
        let transfer = self.all.entry((fact.transfer, fact.from)).or_default();
        if transfer.to.is_some() {
            return;
        }
        transfer.to = Some(fact.to);
        for moved in &fact.moves {
            let sent = Quantity(moved.delta.0.saturating_neg());
            let parcel = transfer.parcels.entry(moved.sku.clone()).or_default();
            // A line without a cost among lines with one: the cost of the whole is not known.
            let known = parcel.dispatched.0 == 0 || parcel.cost.is_some();
            let sum = moved.cost.and_then(|cost| parcel.cost.unwrap_or_default().checked_add(cost).ok());
            parcel.cost = sum.filter(|_| known);
            parcel.dispatched.0 = parcel.dispatched.0.saturating_add(sent.0);
            add(&mut self.in_transit, fact.to, &moved.sku, sent);
        }
    }

    fn received(&mut self, fact: &TransferReceived) {
        let transfer = self.all.entry((fact.transfer, fact.from)).or_default();
        if !transfer.deliveries.insert(fact.delivery) {
            return;
        }
        for line in &fact.lines {
            let parcel = transfer.parcels.entry(line.sku.clone()).or_default();
            parcel.arrived.0 = parcel.arrived.0.saturating_add(line.arrived.0);
            parcel.damaged.0 = parcel.damaged.0.saturating_add(line.damaged.0);
            add(&mut self.in_transit, fact.to, &line.sku, Quantity(line.arrived.0.saturating_neg()));
        }
    }

    fn closed(&mut self, fact: &TransferClosed) {
        let transfer = self.all.entry((fact.transfer, fact.from)).or_default();
        if std::mem::replace(&mut transfer.closed, true) {
            return;
        }
        for line in &fact.lost {
            let parcel = transfer.parcels.entry(line.sku.clone()).or_default();
            parcel.lost.0 = parcel.lost.0.saturating_add(line.quantity.0);
            add(&mut self.in_transit, fact.to, &line.sku, Quantity(line.quantity.0.saturating_neg()));
        }
    }

    fn open(&self, transfer: TransferId, from: StoreId) -> Result<Option<&Transfer>, Refusal> {
        match self.all.get(&(transfer, from)) {
            Some(found) if found.closed => Err(Refusal::TransferClosed { transfer }),
            found => Ok(found),
        }
    }

    /// A store other than the one named that is known to have sent a transfer of this id here.
    fn other_origin(&self, transfer: TransferId, named: StoreId, here: StoreId) -> Option<StoreId> {
        let mut others = self.all.iter().filter(|((id, from), _)| *id == transfer && *from != named);
        others.find(|(_, sent)| sent.to == Some(here)).map(|((_, from), _)| *from)
    }
}

fn add(in_transit: &mut BTreeMap<(StoreId, Sku), Quantity>, to: StoreId, sku: &Sku, quantity: Quantity) {
    let place = (to, sku.clone());
    let sum = in_transit.get(&place).copied().unwrap_or_default().0.saturating_add(quantity.0);
    match sum {
        0 => drop(in_transit.remove(&place)),
        sum => drop(in_transit.insert(place, Quantity(sum))),
    }
}

impl Stockroom {
    /// Another store says what it sent here. It moves nothing: it is what the box will expect.
    pub fn announce(&mut self, fact: &TransferDispatched) {
        if fact.to == self.store {
            self.transfers.dispatched(fact);
        }
    }

    pub fn transfers(&self) -> &Transfers {
        &self.transfers
    }

    pub fn dispatch(&self, wanted: &Dispatch, at: Instant, items: &dyn Items) -> Result<TransferDispatched, Refusal> {
        line_count(wanted.lines.len())?;
        if wanted.to == self.store {
            return Err(Refusal::ToItself);
        }
        if self.transfers.all.contains_key(&(wanted.transfer, self.store)) {
            return Err(Refusal::TransferExists { transfer: wanted.transfer });
        }
        let mut after = self.stock.only(wanted.lines.iter().map(|line| &line.sku));
        let mut moves = Vec::with_capacity(wanted.lines.len());
        for DispatchLine { sku, quantity, units } in &wanted.lines {
            let rule = known(items, sku)?;
            positive(sku, *quantity)?;
            let available = Quantity(after.on_hand(sku).0.saturating_sub(self.reservations.held(sku, at, None).0));
            if rule.oversell == Oversell::Block && *quantity > available {
                return Err(Refusal::NotAvailable {
                    sku: sku.clone(),
                    wanted: *quantity,
                    available,
                });
            }
            let mut moved = StockMove::new(sku.clone(), negated(*quantity)?, MoveReason::TransferOut);
            moved.cost = after.book(&moved)?.cost.map(Money::negated).transpose()?;
            moved.units.clone_from(units);
            moves.push(moved);
        }
        self.check_units(&moves, items)?;
        Ok(TransferDispatched {
            transfer: wanted.transfer,
            from: self.store,
            to: wanted.to,
            by: wanted.by,
            moves,
        })
    }

    /// Books what came, whether or not anybody here knew of it. What differs from the dispatch stands in the parcels.
    pub fn arrive(&self, came: &Arrival, items: &dyn Items) -> Result<TransferReceived, Refusal> {
        line_count(came.lines.len())?;
        self.new_delivery(came.delivery)?;
        if came.from == self.store {
            return Err(Refusal::ToItself);
        }
        let transfer = came.transfer;
        let open = self.transfers.open(transfer, came.from)?;
        match open.and_then(|open| open.to) {
            Some(to) if to != self.store => return Err(Refusal::OtherDestination { transfer, to }),
            Some(_) => {}
            None => {
                if let Some(from) = self.transfers.other_origin(transfer, came.from, self.store) {
                    return Err(Refusal::OtherOrigin { transfer, from });
                }
            }
        }
        let mut parcels = open.map(|open| open.parcels.clone()).unwrap_or_default();
        let mut moves = Vec::new();
        let mut lines = Vec::with_capacity(came.lines.len());
        for line in &came.lines {
            known(items, &line.sku)?;
            positive(&line.sku, line.arrived)?;
            let parcel = parcels.entry(line.sku.clone()).or_default();
            let cost = parcel.cost_of(line.arrived)?;
            parcel.arrived = super::plus(parcel.arrived, line.arrived)?;
            let quantities = (line.arrived, line.damaged);
            moves.extend(arrived(
                &line.sku,
                quantities,
                MoveReason::TransferIn,
                cost,
                &line.units,
                &line.damaged_units,
            )?);
            lines.push(ArrivedLine {
                sku: line.sku.clone(),
                arrived: line.arrived,
                damaged: line.damaged,
            });
        }
        self.may_move(&moves, items)?;
        Ok(TransferReceived {
            transfer,
            delivery: came.delivery,
            from: came.from,
            to: self.store,
            by: came.by,
            lines,
            moves,
        })
    }

    /// Gives up what never came. Afterwards nothing of this transfer is on its way.
    pub fn close_transfer(&self, transfer: TransferId, from: StoreId, by: StaffId) -> Result<TransferClosed, Refusal> {
        let open = self.transfers.open(transfer, from)?;
        let Some((open, to)) = open.and_then(|open| Some((open, open.to?))) else {
            return Err(Refusal::TransferUnknown { transfer });
        };
        if to != self.store {
            return Err(Refusal::OtherDestination { transfer, to });
        }
        let mut lost = Vec::new();
        for (sku, parcel) in &open.parcels {
            let rest = parcel.in_transit();
            if rest.0 != 0 {
                lost.push(LostLine {
                    sku: sku.clone(),
                    quantity: rest,
                    cost: parcel.cost_of(rest)?,
                });
            }
        }
        Ok(TransferClosed {
            transfer,
            from,
            to,
            by,
            lost,
        })
    }
}
