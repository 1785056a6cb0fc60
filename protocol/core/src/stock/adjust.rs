//! Putting the books right: by a person here, with a reason from the shop's list, or by a request from elsewhere that the box answers.
//!
//! A request says what it changes, why, and which stock it was made for. It is refused when the item was corrected since (somebody may
//! have done the same already); sales since do not matter, because a difference stays a difference.

use std::collections::BTreeSet;

use crate::catalog::Sku;
use crate::facts::{StockAdjusted, StockFact, StockRequestRefused};
use crate::ids::{CommandId, StaffId, StockRequestId};
use crate::money::{Money, Quantity};
use crate::stock::refusal::LARGEST_QUANTITY;
use crate::stock::room::{Items, Mark, Stockroom, known, line_count, positive};
use crate::stock::{Held, MoveReason, ReasonCode, Refusal, StockMove, Unit, minus, negated};
use crate::time::Instant;

/// What a person wants changed of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// So many more or fewer.
    By(Quantity),
    /// So many are really there, counted just now.
    Counted(Quantity),
    /// Out of the shelf, still in the shop.
    Damaged(Quantity),
    /// Damaged before, can be sold again.
    Mended(Quantity),
    /// Damaged before, thrown away.
    Scrapped(Quantity),
    ToVendor(Quantity),
    DamagedToVendor(Quantity),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditLine {
    pub sku: Sku,
    pub edit: Edit,
    /// What goods that come in cost in all, where known.
    pub cost: Option<Money>,
    pub units: Vec<Unit>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    pub adjustment: CommandId,
    pub by: StaffId,
    pub reason: ReasonCode,
    pub lines: Vec<EditLine>,
}

/// Somebody outside the box (head office, the web shop) wants the stock changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockRequest {
    pub request: StockRequestId,
    /// The box's name for its answer.
    pub answer: CommandId,
    pub sku: Sku,
    pub delta: Quantity,
    pub reason: ReasonCode,
    /// The last entry of the box that whoever asks had seen.
    pub base: Mark,
}

impl Stockroom {
    pub fn adjust(&self, wanted: &Adjustment, reasons: &BTreeSet<ReasonCode>, items: &dyn Items) -> Result<StockAdjusted, Refusal> {
        line_count(wanted.lines.len())?;
        on_the_list(&wanted.reason, reasons)?;
        let mut after = self.stock.only(wanted.lines.iter().map(|line| &line.sku));
        let mut moves = Vec::new();
        for line in &wanted.lines {
            known(items, &line.sku)?;
            for moved in edited(line, after.held(&line.sku))? {
                after.apply(&moved)?;
                moves.push(moved);
            }
        }
        self.check_units(&moves, items)?;
        Ok(StockAdjusted {
            adjustment: wanted.adjustment,
            by: Some(wanted.by),
            reason: wanted.reason.clone(),
            request: None,
            moves,
        })
    }

    /// Accepts a request or refuses it with why; either is a fact. Only one that was answered before gets no second answer.
    pub fn answer(
        &self,
        request: &StockRequest,
        reasons: &BTreeSet<ReasonCode>,
        at: Instant,
        items: &dyn Items,
    ) -> Result<StockFact, Refusal> {
        if self.answered.contains_key(&request.request) {
            return Err(Refusal::RequestAnswered { request: request.request });
        }
        let fact = match self.grant(request, reasons, at, items) {
            Ok(moved) => StockFact::StockAdjusted(StockAdjusted {
                adjustment: request.answer,
                by: None,
                reason: request.reason.clone(),
                request: Some(request.request),
                moves: vec![moved],
            }),
            Err(refusal) => StockFact::StockRequestRefused(StockRequestRefused {
                request: request.request,
                sku: request.sku.clone(),
                delta: request.delta,
                code: refusal.code().to_owned(),
                why: refusal.to_string(),
            }),
        };
        Ok(fact)
    }

    fn grant(&self, request: &StockRequest, reasons: &BTreeSet<ReasonCode>, at: Instant, items: &dyn Items) -> Result<StockMove, Refusal> {
        let StockRequest { sku, delta, base, .. } = request;
        known(items, sku)?;
        on_the_list(&request.reason, reasons)?;
        if *base > self.head {
            return Err(Refusal::BaseAhead);
        }
        if self.corrected.get(sku).is_some_and(|corrected| corrected > base) {
            return Err(Refusal::StaleBase { sku: sku.clone() });
        }
        let moves = [by(sku, *delta, self.stock.held(sku))?];
        let reserved = self.reservations.held(sku, at, None);
        let left = self.try_moves(&moves)?.on_hand(sku);
        if delta.0 < 0 && left < reserved {
            return Err(Refusal::WouldBreakPromise {
                sku: sku.clone(),
                reserved,
                delta: *delta,
            });
        }
        self.check_units(&moves, items)?;
        let [moved] = moves;
        Ok(moved)
    }
}

fn on_the_list(reason: &ReasonCode, reasons: &BTreeSet<ReasonCode>) -> Result<(), Refusal> {
    match reasons.contains(reason) {
        true => Ok(()),
        false => Err(Refusal::UnknownReason { reason: reason.clone() }),
    }
}

/// A change by so many, within reason and not below nothing. What went below before may be brought nearer.
fn by(sku: &Sku, delta: Quantity, held: Held) -> Result<StockMove, Refusal> {
    if delta.0 == 0 {
        return Err(Refusal::NothingChanges { sku: sku.clone() });
    }
    if !(-LARGEST_QUANTITY..=LARGEST_QUANTITY).contains(&delta.0) {
        return Err(Refusal::Quantity {
            sku: sku.clone(),
            quantity: delta,
        });
    }
    if delta.0 < 0 {
        enough(sku, negated(delta)?, held)?;
    }
    Ok(StockMove::new(sku.clone(), delta, MoveReason::Adjustment))
}

fn enough(sku: &Sku, quantity: Quantity, held: Held) -> Result<(), Refusal> {
    match held.on_hand >= quantity {
        true => Ok(()),
        false => Err(Refusal::WouldGoNegative {
            sku: sku.clone(),
            on_hand: held.on_hand,
            delta: negated(quantity)?,
        }),
    }
}

fn edited(line: &EditLine, held: Held) -> Result<Vec<StockMove>, Refusal> {
    let sku = &line.sku;
    if line.cost.is_some_and(|cost| cost < Money::ZERO) {
        return Err(Refusal::Cost { sku: sku.clone() });
    }
    let units = || line.units.clone();
    let moved = |delta: Quantity, reason| StockMove {
        units: units(),
        cost: line.cost.filter(|_| delta.0 > 0),
        ..StockMove::new(sku.clone(), delta, reason)
    };
    let leaves = |quantity, reason| -> Result<Vec<StockMove>, Refusal> {
        positive(sku, quantity)?;
        enough(sku, quantity, held)?;
        Ok(vec![moved(negated(quantity)?, reason)])
    };
    // Out of the damaged: first back to what can be sold, then on; the damaged are always moved by the same pair.
    let mended = |quantity| -> Result<StockMove, Refusal> {
        positive(sku, quantity)?;
        if quantity > held.damaged {
            return Err(Refusal::NotDamaged {
                sku: sku.clone(),
                damaged: held.damaged,
                asked: quantity,
            });
        }
        Ok(StockMove {
            cost: None,
            ..moved(quantity, MoveReason::Damage)
        })
    };
    match line.edit {
        Edit::By(delta) => {
            let reason = by(sku, delta, held)?.reason;
            Ok(vec![moved(delta, reason)])
        }
        Edit::Counted(counted) => {
            if !(0..=LARGEST_QUANTITY).contains(&counted.0) {
                return Err(Refusal::Quantity {
                    sku: sku.clone(),
                    quantity: counted,
                });
            }
            match minus(counted, held.on_hand)? {
                Quantity(0) => Err(Refusal::NothingChanges { sku: sku.clone() }),
                difference => Ok(vec![moved(difference, MoveReason::Count)]),
            }
        }
        Edit::Damaged(quantity) => leaves(quantity, MoveReason::Damage),
        Edit::ToVendor(quantity) => leaves(quantity, MoveReason::ReturnToVendor),
        Edit::Mended(quantity) => Ok(vec![mended(quantity)?]),
        Edit::Scrapped(quantity) => Ok(vec![mended(quantity)?, moved(negated(quantity)?, MoveReason::Adjustment)]),
        Edit::DamagedToVendor(quantity) => Ok(vec![mended(quantity)?, moved(negated(quantity)?, MoveReason::ReturnToVendor)]),
    }
}
