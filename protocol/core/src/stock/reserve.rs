//! Goods held for somebody: how much of an item is still free, who gets the last one, and how a promise ends.
//!
//! Available is on hand less reserved. All lines of a basket count together and bundles are taken apart first, so that two lines never
//! share the last piece. A reservation ends once: used by one ticket, released, or run out at an instant that is handed in.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::catalog::Sku;
use crate::facts::{ReservationConsumed, ReservationReleased, StockReserved};
use crate::ids::{ReservationId, TicketId};
use crate::money::Quantity;
use crate::stock::room::{Items, Oversell, Stockroom, known, line_count, positive};
use crate::stock::{Portion, Refusal};
use crate::time::Instant;

/// A bundle in a bundle in a bundle is as deep as catalogs go.
const DEEPEST_BUNDLE: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Order,
    Layaway,
    WebOrder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    Cancelled,
    Expired,
}

/// Somebody wants goods held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub reservation: ReservationId,
    pub purpose: Purpose,
    pub lines: Vec<Portion>,
    pub until: Option<Instant>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Reservations {
    all: BTreeMap<ReservationId, Reservation>,
    /// Who holds something of an item; only live reservations stand here.
    of_item: BTreeMap<Sku, BTreeSet<ReservationId>>,
    /// When live reservations run out.
    ends: BTreeSet<(Instant, ReservationId)>,
}

#[derive(Clone, Debug)]
struct Reservation {
    /// Empty once it ended.
    lines: BTreeMap<Sku, Quantity>,
    until: Option<Instant>,
    end: Option<End>,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Released,
    Consumed(TicketId),
}

impl Stockroom {
    /// Holds goods, or says which are missing. Whoever comes first wins: each wish is decided on what those before it left.
    pub fn reserve(&self, wish: &Wish, at: Instant, items: &dyn Items) -> Result<StockReserved, Refusal> {
        if self.reservations.all.contains_key(&wish.reservation) {
            return Err(Refusal::ReservationExists {
                reservation: wish.reservation,
            });
        }
        if wish.until.is_some_and(|until| until <= at) {
            return Err(Refusal::UntilPast);
        }
        let apart = take_apart(&wish.lines, items)?;
        let oversold = self.oversold(&apart, None, at, items)?;
        let lines = apart.into_iter().map(|(sku, quantity)| Portion { sku, quantity }).collect();
        Ok(StockReserved {
            reservation: wish.reservation,
            purpose: wish.purpose,
            lines,
            until: wish.until,
            oversold,
        })
    }

    /// Whether a basket may be sold; its own reservation counts as free for it. Answers with the items to be flagged because more is
    /// sold than is free, as their policy allows.
    pub fn may_sell(&self, basket: &[Portion], own: Option<ReservationId>, at: Instant, items: &dyn Items) -> Result<Vec<Sku>, Refusal> {
        self.oversold(&take_apart(basket, items)?, own, at, items)
    }

    pub fn release(&self, reservation: ReservationId, why: ReleaseReason, at: Instant) -> Result<ReservationReleased, Refusal> {
        let live = self.reservations.live(reservation)?;
        if why == ReleaseReason::Expired && !live.ran_out(at) {
            return Err(Refusal::ReservationStands { reservation });
        }
        Ok(ReservationReleased { reservation, why })
    }

    /// The ticket that sells what was held uses it up. What ran out is not used any more: it may be sold to somebody else already.
    pub fn consume(&self, reservation: ReservationId, ticket: TicketId, at: Instant) -> Result<ReservationConsumed, Refusal> {
        if self.reservations.live(reservation)?.ran_out(at) {
            return Err(Refusal::ReservationExpired { reservation });
        }
        Ok(ReservationConsumed { reservation, ticket })
    }

    /// What ran out by now. It holds nothing already; these facts only say so.
    pub fn ran_out(&self, at: Instant) -> Vec<ReservationReleased> {
        let over = self.reservations.ends.iter().take_while(|(until, _)| *until <= at);
        over.map(|(_, reservation)| ReservationReleased {
            reservation: *reservation,
            why: ReleaseReason::Expired,
        })
        .collect()
    }

    fn oversold(
        &self,
        apart: &BTreeMap<Sku, Quantity>,
        own: Option<ReservationId>,
        at: Instant,
        items: &dyn Items,
    ) -> Result<Vec<Sku>, Refusal> {
        let mut flagged = Vec::new();
        for (sku, wanted) in apart {
            let others = self.reservations.held(sku, at, own);
            let available = Quantity(self.stock.on_hand(sku).0.saturating_sub(others.0));
            if *wanted <= available {
                continue;
            }
            match known(items, sku)?.oversell {
                Oversell::AllowAndFlag => flagged.push(sku.clone()),
                Oversell::Block => {
                    return Err(Refusal::NotAvailable {
                        sku: sku.clone(),
                        wanted: *wanted,
                        available,
                    });
                }
            }
        }
        Ok(flagged)
    }
}

impl Reservations {
    /// Held of an item at an instant, apart from one reservation.
    pub(super) fn held(&self, sku: &Sku, at: Instant, apart_from: Option<ReservationId>) -> Quantity {
        let holders = self.of_item.get(sku).into_iter().flatten();
        let live = holders
            .filter(|id| Some(**id) != apart_from)
            .filter_map(|id| self.all.get(id))
            .filter(|reservation| !reservation.ran_out(at));
        let sum = live.filter_map(|reservation| reservation.lines.get(sku));
        Quantity(sum.fold(0i64, |sum, quantity| sum.saturating_add(quantity.0)))
    }

    fn live(&self, reservation: ReservationId) -> Result<&Reservation, Refusal> {
        let Some(found) = self.all.get(&reservation) else {
            return Err(Refusal::ReservationUnknown { reservation });
        };
        match found.end {
            None => Ok(found),
            Some(End::Released) => Err(Refusal::ReservationReleased { reservation }),
            Some(End::Consumed(ticket)) => Err(Refusal::ReservationConsumed { reservation, ticket }),
        }
    }

    pub(super) fn reserved(&mut self, fact: &StockReserved) {
        let mut lines: BTreeMap<Sku, Quantity> = BTreeMap::new();
        for line in &fact.lines {
            let held = lines.entry(line.sku.clone()).or_default();
            held.0 = held.0.saturating_add(line.quantity.0);
            self.of_item.entry(line.sku.clone()).or_default().insert(fact.reservation);
        }
        self.ends.extend(fact.until.map(|until| (until, fact.reservation)));
        let reservation = Reservation {
            lines,
            until: fact.until,
            end: None,
        };
        self.all.insert(fact.reservation, reservation);
    }

    pub(super) fn released(&mut self, fact: &ReservationReleased) {
        self.end(fact.reservation, End::Released);
    }

    pub(super) fn consumed(&mut self, fact: &ReservationConsumed) {
        self.end(fact.reservation, End::Consumed(fact.ticket));
    }

    fn end(&mut self, id: ReservationId, end: End) {
        let Some(reservation) = self.all.get_mut(&id) else { return };
        reservation.end.get_or_insert(end);
        if let Some(until) = reservation.until {
            self.ends.remove(&(until, id));
        }
        for sku in std::mem::take(&mut reservation.lines).into_keys() {
            if let Some(holders) = self.of_item.get_mut(&sku) {
                holders.remove(&id);
                if holders.is_empty() {
                    self.of_item.remove(&sku);
                }
            }
        }
    }
}

impl Reservation {
    fn ran_out(&self, at: Instant) -> bool {
        self.until.is_some_and(|until| until <= at)
    }
}

/// What a basket takes of each item that is kept: lines of the same item together, bundles in their parts.
pub fn take_apart(basket: &[Portion], items: &dyn Items) -> Result<BTreeMap<Sku, Quantity>, Refusal> {
    line_count(basket.len())?;
    let mut apart = BTreeMap::new();
    for Portion { sku, quantity } in basket {
        positive(sku, *quantity)?;
        add_parts(&mut apart, sku, *quantity, items, DEEPEST_BUNDLE)?;
    }
    for (sku, quantity) in &apart {
        positive(sku, *quantity)?;
    }
    Ok(apart)
}

fn add_parts(apart: &mut BTreeMap<Sku, Quantity>, sku: &Sku, quantity: Quantity, items: &dyn Items, deeper: usize) -> Result<(), Refusal> {
    let rule = known(items, sku)?;
    if rule.parts.is_empty() {
        let sum = apart.entry(sku.clone()).or_default();
        *sum = super::plus(*sum, quantity)?;
        return Ok(());
    }
    if deeper == 0 || rule.parts.len() > 100 {
        return Err(Refusal::BundleLoop { sku: sku.clone() });
    }
    for part in rule.parts {
        let exact = i128::from(part.quantity.0) * i128::from(quantity.0);
        let wanted = Quantity(i64::try_from(exact / 1000).unwrap_or(i64::MAX));
        if exact % 1000 != 0 {
            return Err(Refusal::Quantity {
                sku: sku.clone(),
                quantity,
            });
        }
        positive(&part.sku, wanted)?;
        add_parts(apart, &part.sku, wanted, items, deeper - 1)?;
    }
    Ok(())
}
