//! Pieces that are known one by one, by serial or tag: where each is, and which step may follow.
//!
//! A serial names a piece only together with its item. Most steps are moves of stock that name the piece; the few that move nothing
//! (missed, found, looked at and put back) are marks. What happened is taken in whatever it is; what is asked for is checked here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::catalog::Sku;
use crate::facts::UnitsMarked;
use crate::ids::StaffId;
use crate::money::Quantity;
use crate::stock::room::{Items, Stockroom, Tracking, known, line_count};
use crate::stock::{EpcName, MoveReason, Refusal, Serial, StockMove, Unit};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitState {
    InStock,
    /// Held for a customer, by name of the piece.
    Reserved,
    Sold,
    /// Left for another store.
    InTransit,
    /// Should be here and was not seen.
    Missing,
    /// Was missing, and turned up; not yet back in its place.
    Found,
    Damaged,
    /// A customer brought it back; nobody looked at it yet.
    Returned,
    /// Written off or sent back to the supplier.
    Gone,
}

/// What happens to a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitStep {
    Received,
    Sold,
    Returned,
    Dispatched,
    Damaged,
    Mended,
    SentToVendor,
    WrittenOff,
    WrittenOn,
    Reserved,
    Released,
    Missed,
    Found,
    /// Looked at and put back where it is sold.
    Restocked,
}

impl UnitState {
    fn word(self) -> &'static str {
        match self {
            UnitState::InStock => "in stock",
            UnitState::Reserved => "reserved",
            UnitState::Sold => "sold",
            UnitState::InTransit => "in transit",
            UnitState::Missing => "missing",
            UnitState::Found => "found and not yet put back",
            UnitState::Damaged => "damaged",
            UnitState::Returned => "returned and not yet looked at",
            UnitState::Gone => "written off",
        }
    }

    /// Whether the piece is part of what the books have on hand.
    pub fn is_on_hand(self) -> bool {
        matches!(
            self,
            UnitState::InStock | UnitState::Reserved | UnitState::Missing | UnitState::Found | UnitState::Returned
        )
    }
}

impl fmt::Display for UnitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl UnitStep {
    fn of(moved: &StockMove) -> UnitStep {
        let more = moved.delta.0 > 0;
        match (moved.reason, more) {
            (MoveReason::Opening | MoveReason::Receipt | MoveReason::TransferIn, true) => UnitStep::Received,
            (MoveReason::Return | MoveReason::Sale | MoveReason::Layaway, true) => UnitStep::Returned,
            (MoveReason::Sale | MoveReason::Layaway | MoveReason::Return, false) => UnitStep::Sold,
            (MoveReason::TransferOut, false) => UnitStep::Dispatched,
            (MoveReason::Damage, false) => UnitStep::Damaged,
            (MoveReason::Damage, true) => UnitStep::Mended,
            (MoveReason::ReturnToVendor, false) => UnitStep::SentToVendor,
            (_, true) => UnitStep::WrittenOn,
            (_, false) => UnitStep::WrittenOff,
        }
    }

    /// Where the piece is afterwards.
    fn leads_to(self) -> UnitState {
        match self {
            UnitStep::Received | UnitStep::Mended | UnitStep::WrittenOn | UnitStep::Released | UnitStep::Restocked => UnitState::InStock,
            UnitStep::Sold => UnitState::Sold,
            UnitStep::Returned => UnitState::Returned,
            UnitStep::Dispatched => UnitState::InTransit,
            UnitStep::Damaged => UnitState::Damaged,
            UnitStep::SentToVendor | UnitStep::WrittenOff => UnitState::Gone,
            UnitStep::Reserved => UnitState::Reserved,
            UnitStep::Missed => UnitState::Missing,
            UnitStep::Found => UnitState::Found,
        }
    }

    /// The table of steps. `None` is a piece this store never heard of: it may come in, and a customer may bring one that another
    /// store sold.
    fn may_follow(self, state: Option<UnitState>) -> bool {
        use UnitState::{Damaged, Found, Gone, InStock, InTransit, Missing, Reserved, Returned, Sold};
        match self {
            UnitStep::Received => matches!(state, None | Some(InTransit | Gone)),
            // What the customer holds in his hands is not missing.
            UnitStep::Sold => matches!(state, Some(InStock | Reserved | Missing | Found)),
            UnitStep::Returned => matches!(state, None | Some(Sold | InTransit)),
            UnitStep::Dispatched => matches!(state, Some(InStock | Found | Returned)),
            UnitStep::Damaged => matches!(state, Some(InStock | Reserved | Found | Returned)),
            UnitStep::Mended => matches!(state, Some(Damaged)),
            UnitStep::SentToVendor => matches!(state, Some(InStock | Found | Returned)),
            UnitStep::WrittenOff => matches!(state, Some(InStock | Reserved | Missing | Found | Returned)),
            UnitStep::WrittenOn => matches!(state, None | Some(Sold | InTransit | Gone)),
            UnitStep::Reserved => matches!(state, Some(InStock)),
            UnitStep::Released => matches!(state, Some(Reserved)),
            UnitStep::Missed => matches!(state, Some(InStock | Reserved | Found | Returned)),
            UnitStep::Found => matches!(state, Some(Missing)),
            UnitStep::Restocked => matches!(state, Some(Found | Returned)),
        }
    }

    fn is_mark(self) -> bool {
        matches!(
            self,
            UnitStep::Reserved | UnitStep::Released | UnitStep::Missed | UnitStep::Found | UnitStep::Restocked
        )
    }
}

impl fmt::Display for UnitStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UnitStep::Received => "received",
            UnitStep::Sold => "sold",
            UnitStep::Returned => "returned",
            UnitStep::Dispatched => "sent to another store",
            UnitStep::Damaged => "damaged",
            UnitStep::Mended => "mended",
            UnitStep::SentToVendor => "sent back to the supplier",
            UnitStep::WrittenOff => "written off",
            UnitStep::WrittenOn => "added",
            UnitStep::Reserved => "reserved",
            UnitStep::Released => "released",
            UnitStep::Missed => "missed",
            UnitStep::Found => "found",
            UnitStep::Restocked => "put back",
        })
    }
}

/// What names one piece.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Serial(Serial),
    Epc(EpcName),
}

impl Name {
    fn of(unit: &Unit) -> Option<Name> {
        match unit {
            Unit::Serial(serial) => Some(Name::Serial(serial.clone())),
            Unit::Epc(epc) => Some(Name::Epc(epc.clone())),
            Unit::Lot(_) => None,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Units(BTreeMap<Name, BTreeMap<Sku, UnitState>>);

impl Units {
    fn state(&self, name: &Name, sku: &Sku) -> Option<UnitState> {
        self.0.get(name)?.get(sku).copied()
    }

    /// An item other than this one that has a piece of this name here, or had.
    fn other(&self, name: &Name, sku: &Sku) -> Option<&Sku> {
        self.0.get(name)?.keys().find(|other| *other != sku)
    }

    fn set(&mut self, name: Name, sku: &Sku, state: UnitState) {
        self.0.entry(name).or_default().insert(sku.clone(), state);
    }

    pub(super) fn moved(&mut self, moves: &[StockMove]) {
        for moved in moves {
            let state = UnitStep::of(moved).leads_to();
            for name in moved.units.iter().filter_map(Name::of) {
                self.set(name, &moved.sku, state);
            }
        }
    }

    pub(super) fn marked(&mut self, fact: &UnitsMarked) {
        for name in fact.units.iter().filter_map(Name::of) {
            self.set(name, &fact.sku, fact.step.leads_to());
        }
    }
}

impl Stockroom {
    pub fn unit(&self, sku: &Sku, unit: &Unit) -> Option<UnitState> {
        self.units.state(&Name::of(unit)?, sku)
    }

    /// Pieces of an item in a state; for lists and for proving that the pieces are as many as the books say.
    pub fn units_of(&self, sku: &Sku) -> impl Iterator<Item = UnitState> {
        self.units.0.values().filter_map(|of| of.get(sku).copied())
    }

    /// Marks pieces that did not move in the books.
    pub fn mark_units(
        &self,
        sku: &Sku,
        step: UnitStep,
        units: &[Unit],
        by: Option<StaffId>,
        items: &dyn Items,
    ) -> Result<UnitsMarked, Refusal> {
        line_count(units.len())?;
        known(items, sku)?;
        if !step.is_mark() {
            return Err(Refusal::NotAMark { step });
        }
        let mut asked = Asked::new(self);
        for unit in units {
            asked.piece(sku, unit, step)?;
        }
        Ok(UnitsMarked {
            sku: sku.clone(),
            step,
            by,
            units: units.to_vec(),
        })
    }

    /// Whether these moves name the pieces they must, and each piece may go that way. The moves of one fact are looked at in order.
    pub(super) fn check_units(&self, moves: &[StockMove], items: &dyn Items) -> Result<(), Refusal> {
        let mut asked = Asked::new(self);
        for moved in moves {
            let rule = known(items, &moved.sku)?;
            let quantity = Quantity(moved.delta.0.saturating_abs());
            let named = moved.units.iter().fold(0i64, |sum, unit| sum.saturating_add(unit.quantity().0));
            let wants = |unit: &&Unit| {
                matches!(
                    (rule.tracking, unit),
                    (Tracking::Piece, Unit::Lot(_)) | (Tracking::Lot, Unit::Serial(_) | Unit::Epc(_))
                )
            };
            let complete = rule.tracking == Tracking::Quantity || named == quantity.0;
            if named > quantity.0 || !complete || moved.units.iter().any(|unit| wants(&unit)) {
                return Err(Refusal::UnitsMissing {
                    sku: moved.sku.clone(),
                    named: Quantity(named),
                    moved: quantity,
                });
            }
            asked.next_move();
            for unit in &moved.units {
                match unit {
                    Unit::Lot(part) => asked.lot(moved, part)?,
                    Unit::Serial(_) | Unit::Epc(_) => asked.piece(&moved.sku, unit, UnitStep::of(moved))?,
                }
            }
        }
        Ok(())
    }
}

/// What a set of moves does to pieces and lots, before it is a fact.
struct Asked<'a> {
    room: &'a Stockroom,
    states: BTreeMap<(Name, Sku), UnitState>,
    lots: BTreeMap<(Sku, super::LotNo), Quantity>,
    in_this_move: BTreeSet<Name>,
}

impl<'a> Asked<'a> {
    fn new(room: &'a Stockroom) -> Self {
        Self {
            room,
            states: BTreeMap::new(),
            lots: BTreeMap::new(),
            in_this_move: BTreeSet::new(),
        }
    }

    fn next_move(&mut self) {
        self.in_this_move.clear();
    }

    fn piece(&mut self, sku: &Sku, unit: &Unit, step: UnitStep) -> Result<(), Refusal> {
        let Some(name) = Name::of(unit) else {
            return Err(Refusal::UnitUnknown {
                unit: unit.clone(),
                sku: sku.clone(),
            });
        };
        if !self.in_this_move.insert(name.clone()) {
            return Err(Refusal::UnitTwice { unit: unit.clone() });
        }
        let place = (name, sku.clone());
        let state = self.states.get(&place).copied().or_else(|| self.room.units.state(&place.0, sku));
        if !step.may_follow(state) {
            return Err(self.why(&place.0, sku, unit, state, step));
        }
        // A tag is one thing in the whole world; a maker's serial may come again on another item.
        let other = self.room.units.other(&place.0, sku).filter(|_| matches!(unit, Unit::Epc(_)));
        if let Some(other) = other {
            return Err(of_other(unit, sku, other));
        }
        self.states.insert(place, step.leads_to());
        Ok(())
    }

    fn why(&self, name: &Name, sku: &Sku, unit: &Unit, state: Option<UnitState>, step: UnitStep) -> Refusal {
        match (state, self.room.units.other(name, sku)) {
            (Some(state), _) => Refusal::UnitState {
                unit: unit.clone(),
                sku: sku.clone(),
                state,
                step,
            },
            (None, Some(other)) => of_other(unit, sku, other),
            (None, None) => Refusal::UnitUnknown {
                unit: unit.clone(),
                sku: sku.clone(),
            },
        }
    }

    fn lot(&mut self, moved: &StockMove, part: &super::LotPart) -> Result<(), Refusal> {
        super::room::positive(&moved.sku, part.quantity)?;
        let place = (moved.sku.clone(), part.lot.clone());
        let on_hand = match self.lots.get(&place) {
            Some(left) => *left,
            None => self.room.lots.on_hand(&moved.sku, &part.lot),
        };
        let sign = moved.delta.0.signum();
        let left = Quantity(on_hand.0.saturating_add(part.quantity.0.saturating_mul(sign)));
        // A customer holds the goods in his hands: what the label says goes, and the lot is shown below nothing.
        let sold = matches!(moved.reason, MoveReason::Sale | MoveReason::Layaway);
        if left.0 < 0 && sign < 0 && !sold {
            return Err(Refusal::LotShort {
                sku: moved.sku.clone(),
                lot: part.lot.clone(),
                on_hand,
                wanted: part.quantity,
            });
        }
        self.lots.insert(place, left);
        Ok(())
    }
}

fn of_other(unit: &Unit, sku: &Sku, other: &Sku) -> Refusal {
    Refusal::UnitOfOther {
        unit: unit.clone(),
        sku: sku.clone(),
        other: other.clone(),
    }
}
