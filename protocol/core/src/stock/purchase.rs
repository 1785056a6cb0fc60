//! Goods from a supplier: what was ordered, what came of it, carton by carton or line by line, and what is still open.
//!
//! Parts of an order add up over any number of deliveries; a delivery is booked once. What differs (short, over, damaged) never stops
//! the goods from being booked: it is named. Makes no orders and pays nobody.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Sku;
use crate::facts::{Carton, CartonLine, OrderLine, PurchaseClosed, PurchaseOrdered, PurchaseReceived, PurchasedLine};
use crate::ids::{DeliveryId, StaffId};
use crate::money::{Money, Quantity};
use crate::stock::room::{Items, Stockroom, arrived, known, line_count, positive};
use crate::stock::{MoveReason, OrderNo, Refusal, Sscc, SupplierCode, Unit, cost};

/// An order the store is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPlacement {
    pub order: OrderNo,
    pub supplier: SupplierCode,
    pub lines: Vec<OrderLine>,
    pub cartons: Vec<Carton>,
}

/// Goods stand at the back door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiving {
    pub delivery: DeliveryId,
    pub order: Option<OrderNo>,
    pub by: StaffId,
    pub came: Delivered,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// Everything that was still open, without looking at each.
    InTotal,
    /// These cartons, with what the supplier said is in them.
    Cartons(Vec<Sscc>),
    Lines(Vec<ReceivingLine>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivingLine {
    /// The line of the order; none without an order.
    pub line: Option<u32>,
    pub sku: Sku,
    /// All that came, and what of it is damaged.
    pub arrived: Quantity,
    pub damaged: Quantity,
    /// What all of it cost; none for the order's price.
    pub cost: Option<Money>,
    pub units: Vec<Unit>,
    pub damaged_units: Vec<Unit>,
}

/// One line of an order as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderState {
    pub sku: Sku,
    pub ordered: Quantity,
    pub arrived: Quantity,
    /// Of what arrived.
    pub damaged: Quantity,
    cost: Option<Money>,
}

impl OrderState {
    /// Still expected; nothing when more came.
    pub fn open(&self) -> Quantity {
        Quantity(self.ordered.0.saturating_sub(self.arrived.0).max(0))
    }

    pub fn over(&self) -> Quantity {
        Quantity(self.arrived.0.saturating_sub(self.ordered.0).max(0))
    }

    /// What the next so many cost by the order: all parts add up to what was agreed.
    fn cost_of(&self, arriving: Quantity) -> Result<Option<Money>, Refusal> {
        let Some(agreed) = self.cost else { return Ok(None) };
        let before = cost::part(agreed, self.arrived.0, self.ordered.0)?;
        let after = cost::part(agreed, super::plus(self.arrived, arriving)?.0, self.ordered.0)?;
        Ok(Some(after.checked_sub(before)?))
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Purchases {
    orders: BTreeMap<OrderNo, Order>,
    cartons_in: BTreeSet<Sscc>,
}

#[derive(Clone, Debug)]
struct Order {
    lines: BTreeMap<u32, OrderState>,
    cartons: BTreeMap<Sscc, Vec<CartonLine>>,
    closed: bool,
}

impl Stockroom {
    /// The lines of an order with what came of each.
    pub fn order(&self, order: &OrderNo) -> impl Iterator<Item = (u32, &OrderState)> {
        let lines = self.purchases.orders.get(order).into_iter().flat_map(|order| &order.lines);
        lines.map(|(line, state)| (*line, state))
    }

    pub fn expect(&self, wanted: &OrderPlacement, items: &dyn Items) -> Result<PurchaseOrdered, Refusal> {
        line_count(wanted.lines.len())?;
        let order = || wanted.order.clone();
        if self.purchases.orders.contains_key(&wanted.order) {
            return Err(Refusal::OrderExists { order: order() });
        }
        let mut lines = BTreeSet::new();
        for line in &wanted.lines {
            known(items, &line.sku)?;
            positive(&line.sku, line.quantity)?;
            no_debt(&line.sku, line.cost)?;
            if !lines.insert(line.line) {
                return Err(Refusal::LineTwice { line: line.line });
            }
        }
        let mut cartons = BTreeSet::new();
        for carton in &wanted.cartons {
            line_count(carton.lines.len())?;
            if !cartons.insert(&carton.sscc) || self.purchases.cartons_in.contains(&carton.sscc) {
                return Err(Refusal::CartonTaken {
                    carton: carton.sscc.clone(),
                });
            }
            for part in &carton.lines {
                let Some(line) = wanted.lines.iter().find(|line| line.line == part.line) else {
                    return Err(Refusal::LineUnknown {
                        order: order(),
                        line: part.line,
                    });
                };
                positive(&line.sku, part.quantity)?;
            }
        }
        Ok(PurchaseOrdered {
            order: order(),
            supplier: wanted.supplier.clone(),
            lines: wanted.lines.clone(),
            cartons: wanted.cartons.clone(),
        })
    }

    pub fn receive(&self, wanted: &Receiving, items: &dyn Items) -> Result<PurchaseReceived, Refusal> {
        self.new_delivery(wanted.delivery)?;
        let order = wanted.order.as_ref().map(|order| self.purchases.open(order)).transpose()?;
        let mut states = order.map(|order| order.lines.clone()).unwrap_or_default();
        let (came, cartons) = match (&wanted.came, &wanted.order, order) {
            (Delivered::Lines(lines), ..) => (lines.clone(), Vec::new()),
            (_, None, _) | (_, _, None) => return Err(Refusal::Empty),
            (Delivered::InTotal, Some(number), Some(order)) => (order.rest(number)?, Vec::new()),
            (Delivered::Cartons(cartons), Some(number), Some(order)) => (self.packed(cartons, number, order)?, cartons.clone()),
        };
        line_count(came.len())?;
        let mut moves = Vec::new();
        let mut lines = Vec::with_capacity(came.len());
        for line in &came {
            known(items, &line.sku)?;
            positive(&line.sku, line.arrived)?;
            no_debt(&line.sku, line.cost)?;
            let cost = match &wanted.order {
                Some(order) => ordered_cost(&mut states, order, line)?,
                None if line.line.is_some() => return Err(Refusal::LineWithoutOrder),
                None => line.cost,
            };
            let quantities = (line.arrived, line.damaged);
            moves.extend(arrived(
                &line.sku,
                quantities,
                MoveReason::Receipt,
                cost,
                &line.units,
                &line.damaged_units,
            )?);
            lines.push(PurchasedLine {
                line: line.line,
                sku: line.sku.clone(),
                arrived: line.arrived,
                damaged: line.damaged,
                cost,
            });
        }
        self.may_move(&moves, items)?;
        Ok(PurchaseReceived {
            delivery: wanted.delivery,
            order: wanted.order.clone(),
            by: wanted.by,
            cartons,
            lines,
            moves,
        })
    }

    /// Nothing more is expected; what is open now never came.
    pub fn close_order(&self, order: &OrderNo, by: StaffId) -> Result<PurchaseClosed, Refusal> {
        let open = self.purchases.open(order)?;
        let short = open.lines.iter().filter(|(_, state)| state.open().0 > 0);
        Ok(PurchaseClosed {
            order: order.clone(),
            by,
            short: short
                .map(|(line, state)| CartonLine {
                    line: *line,
                    quantity: state.open(),
                })
                .collect(),
        })
    }

    fn packed(&self, cartons: &[Sscc], number: &OrderNo, order: &Order) -> Result<Vec<ReceivingLine>, Refusal> {
        let mut seen = BTreeSet::new();
        let mut lines: BTreeMap<u32, Quantity> = BTreeMap::new();
        for carton in cartons {
            if self.purchases.cartons_in.contains(carton) || !seen.insert(carton) {
                return Err(Refusal::CartonTaken { carton: carton.clone() });
            }
            let Some(parts) = order.cartons.get(carton) else {
                return Err(Refusal::CartonUnknown {
                    order: number.clone(),
                    carton: carton.clone(),
                });
            };
            for part in parts {
                let sum = lines.entry(part.line).or_default();
                *sum = super::plus(*sum, part.quantity)?;
            }
        }
        let found = lines.into_iter().filter_map(|(line, quantity)| {
            let state = order.lines.get(&line)?;
            Some(plain_line(line, &state.sku, quantity))
        });
        Ok(found.collect())
    }
}

impl Purchases {
    fn open(&self, order: &OrderNo) -> Result<&Order, Refusal> {
        match self.orders.get(order) {
            None => Err(Refusal::OrderUnknown { order: order.clone() }),
            Some(found) if found.closed => Err(Refusal::OrderClosed { order: order.clone() }),
            Some(found) => Ok(found),
        }
    }

    pub(super) fn ordered(&mut self, fact: &PurchaseOrdered) {
        let state = |line: &OrderLine| OrderState {
            sku: line.sku.clone(),
            ordered: line.quantity,
            arrived: Quantity(0),
            damaged: Quantity(0),
            cost: line.cost,
        };
        let cartons = fact.cartons.iter().map(|carton| (carton.sscc.clone(), carton.lines.clone()));
        let order = Order {
            lines: fact.lines.iter().map(|line| (line.line, state(line))).collect(),
            cartons: cartons.collect(),
            closed: false,
        };
        self.orders.entry(fact.order.clone()).or_insert(order);
    }

    pub(super) fn received(&mut self, fact: &PurchaseReceived) {
        self.cartons_in.extend(fact.cartons.iter().cloned());
        let Some(order) = fact.order.as_ref().and_then(|order| self.orders.get_mut(order)) else {
            return;
        };
        for came in &fact.lines {
            if let Some(state) = came.line.and_then(|line| order.lines.get_mut(&line)) {
                state.arrived.0 = state.arrived.0.saturating_add(came.arrived.0);
                state.damaged.0 = state.damaged.0.saturating_add(came.damaged.0);
            }
        }
    }

    pub(super) fn closed(&mut self, fact: &PurchaseClosed) {
        if let Some(order) = self.orders.get_mut(&fact.order) {
            order.closed = true;
        }
    }
}

impl Order {
    fn rest(&self, number: &OrderNo) -> Result<Vec<ReceivingLine>, Refusal> {
        let open = self.lines.iter().filter(|(_, state)| state.open().0 > 0);
        let lines: Vec<ReceivingLine> = open.map(|(line, state)| plain_line(*line, &state.sku, state.open())).collect();
        match lines.is_empty() {
            true => Err(Refusal::NothingOpen { order: number.clone() }),
            false => Ok(lines),
        }
    }
}

fn plain_line(line: u32, sku: &Sku, arrived: Quantity) -> ReceivingLine {
    ReceivingLine {
        line: Some(line),
        sku: sku.clone(),
        arrived,
        damaged: Quantity(0),
        cost: None,
        units: Vec::new(),
        damaged_units: Vec::new(),
    }
}

/// What a line of a delivery cost by its order, which is taken on by it.
fn ordered_cost(states: &mut BTreeMap<u32, OrderState>, order: &OrderNo, came: &ReceivingLine) -> Result<Option<Money>, Refusal> {
    let not_on = || Refusal::NotOnOrder {
        order: order.clone(),
        sku: came.sku.clone(),
    };
    let line = came.line.ok_or_else(not_on)?;
    let Some(state) = states.get_mut(&line) else {
        return Err(Refusal::LineUnknown {
            order: order.clone(),
            line,
        });
    };
    if state.sku != came.sku {
        return Err(not_on());
    }
    let agreed = state.cost_of(came.arrived)?;
    state.arrived = super::plus(state.arrived, came.arrived)?;
    Ok(came.cost.or(agreed))
}

fn no_debt(sku: &Sku, cost: Option<Money>) -> Result<(), Refusal> {
    match cost.is_some_and(|cost| cost < Money::ZERO) {
        true => Err(Refusal::Cost { sku: sku.clone() }),
        false => Ok(()),
    }
}
