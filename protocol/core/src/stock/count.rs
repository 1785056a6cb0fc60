//! Counting while the shop sells: what is on the shelf, what the books say it should have been at that instant, and what a person
//! may approve.
//!
//! - Nothing is frozen. Each item is compared with what was on hand at the instant of *its* counting; what moved before or after
//!   makes no difference. Goods in open baskets have left the shelf and not yet the books, so they are handed in and added.
//! - An item counted in several places while it was sold can not be added up: nobody knows from which place it was taken. It is to be
//!   counted again in one go, never guessed.
//! - What nobody counted stays as it is, in a full count too. To say that nothing is left, nothing is counted: zero.
//! - Closing proposes; only a person's approval moves stock, and only what nobody corrected in the meantime.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::catalog::Sku;
use crate::facts::{CountApproved, CountEnd, CountEnded, CountEntered, CountStarted, CountedLine, Proposed, ShelfCounted};
use crate::ids::{CountId, StaffId};
use crate::money::Quantity;
use crate::stock::count_fold::State;
use crate::stock::refusal::LARGEST_QUANTITY;
use crate::stock::room::{Items, Mark, Stockroom, known, line_count};
use crate::stock::{MoveReason, Place, Refusal, StockMove, Unit, minus, plus};

/// What a count is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountScope {
    Everything,
    Items(BTreeSet<Sku>),
    /// All places in which the counted goods lie. Where else a thing lies nobody knows, so nothing is concluded before each was counted.
    Places(BTreeSet<Place>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approver {
    #[default]
    Anybody,
    /// Somebody who did not count.
    NotACounter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountRules {
    /// Whoever counts is not told what the books say.
    pub blind: bool,
    /// A larger difference is counted again before it is believed.
    pub recount_above: Option<Quantity>,
    /// One, or two different people whose counts must agree.
    pub counters: u32,
    pub approver: Approver,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountStart {
    pub count: CountId,
    pub by: StaffId,
    pub scope: CountScope,
    pub rules: CountRules,
}

/// One item, counted in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub sku: Sku,
    pub counted: Quantity,
    /// Of this item in open baskets at that instant: off the shelf and still on the books.
    pub in_baskets: Quantity,
    /// The box's last entry at the instant of counting.
    pub at: Mark,
}

/// What the count says of an item so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Matches,
    Differs(Proposed),
    Again(WhyAgain),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyAgain {
    /// The difference is larger than the limit, and was seen once.
    AboveLimit,
    /// A second person has not counted yet.
    OneCounter,
    /// Two people counted differently.
    Disagree,
    /// It moved between the countings of its places.
    MovedMeanwhile,
    /// A place of the count was not counted yet, and the item may lie there too.
    PlaceMissing,
}

/// What happens to items that should be counted again when a count is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// The count can not be closed before.
    Finish,
    /// They stay as they are.
    LeaveRest,
}

impl CountScope {
    pub(super) fn has_item(&self, sku: &Sku) -> bool {
        match self {
            CountScope::Items(skus) => skus.contains(sku),
            CountScope::Everything | CountScope::Places(_) => true,
        }
    }

    pub(super) fn has_place(&self, place: &Place) -> bool {
        match self {
            CountScope::Places(places) => places.contains(place),
            CountScope::Everything | CountScope::Items(_) => true,
        }
    }
}

impl Stockroom {
    pub fn start_count(&self, wanted: &CountStart, items: &dyn Items) -> Result<CountStarted, Refusal> {
        let count = wanted.count;
        if self.counts.all.contains_key(&count) {
            return Err(Refusal::CountExists { count });
        }
        if !(1..=2).contains(&wanted.rules.counters) {
            return Err(Refusal::Counters);
        }
        match &wanted.scope {
            CountScope::Everything => {}
            CountScope::Places(places) => line_count(places.len())?,
            CountScope::Items(skus) => {
                line_count(skus.len())?;
                skus.iter().try_for_each(|sku| known(items, sku).map(drop))?;
            }
        }
        Ok(CountStarted {
            count,
            by: wanted.by,
            scope: wanted.scope.clone(),
            rules: wanted.rules,
            base: self.head,
        })
    }

    /// Books what one person counted in one place, also that nothing lies there. Counting the same item there again replaces what was
    /// said before.
    pub fn enter_count(
        &self,
        count: CountId,
        place: &Place,
        by: StaffId,
        readings: &[Reading],
        items: &dyn Items,
    ) -> Result<CountEntered, Refusal> {
        line_count(readings.len().max(1))?;
        let open = self.counts.open(count)?;
        if !open.scope.has_place(place) {
            return Err(Refusal::PlaceNotInCount { place: place.clone() });
        }
        let mut named = BTreeSet::new();
        let mut lines = Vec::with_capacity(readings.len());
        for reading in readings {
            let sku = || reading.sku.clone();
            if !named.insert(&reading.sku) {
                return Err(Refusal::CountedTwice { sku: sku() });
            }
            known(items, &reading.sku)?;
            if !open.scope.has_item(&reading.sku) {
                return Err(Refusal::NotInCount { sku: sku() });
            }
            for quantity in [reading.counted, reading.in_baskets] {
                if !(0..=LARGEST_QUANTITY).contains(&quantity.0) {
                    return Err(Refusal::Quantity { sku: sku(), quantity });
                }
            }
            if reading.at < open.since || reading.at > self.head {
                return Err(Refusal::CountedWhen { sku: sku() });
            }
            let now = self.stock.on_hand(&reading.sku);
            lines.push(CountedLine {
                sku: sku(),
                counted: plus(reading.counted, reading.in_baskets)?,
                at: reading.at,
                on_hand: self.counts.log.on_hand_at(&reading.sku, reading.at, now),
            });
        }
        Ok(CountEntered {
            count,
            place: place.clone(),
            by,
            lines,
        })
    }

    /// A shelf that was read by radio feeds a count: each item with a tag there, at the entry that was the last when it was read.
    /// Items the count is not about are passed over.
    pub fn enter_shelf(
        &self,
        count: CountId,
        place: &Place,
        by: StaffId,
        shelf: &ShelfCounted,
        at: Mark,
        items: &dyn Items,
    ) -> Result<CountEntered, Refusal> {
        let open = self.counts.open(count)?;
        let own = shelf.lines.iter().filter(|line| open.scope.has_item(&line.sku));
        let reading = |line: &crate::facts::CountedItem| Reading {
            sku: line.sku.clone(),
            counted: Quantity(i64::try_from(line.counted).unwrap_or(i64::MAX).saturating_mul(1000)),
            in_baskets: Quantity(0),
            at,
        };
        let readings: Vec<Reading> = own.map(reading).collect();
        self.enter_count(count, place, by, &readings, items)
    }

    /// What the books say should be there, for whoever counts; none while nobody may know.
    pub fn count_expects(&self, count: CountId, sku: &Sku) -> Result<Option<Quantity>, Refusal> {
        let open = self.counts.open(count)?;
        Ok((!open.rules.blind).then(|| self.stock.on_hand(sku)))
    }

    /// What the count says so far, item by item. Items nobody counted are not in it.
    pub fn verdicts(&self, count: CountId) -> Result<BTreeMap<&Sku, Verdict>, Refusal> {
        let open = self.counts.open(count)?;
        let verdict = |(sku, places)| Ok((sku, open.verdict(sku, places, &self.counts.log)?));
        open.readings.iter().map(verdict).collect()
    }

    /// Items of the count that are on hand by the books and that nobody counted yet.
    pub fn not_counted(&self, count: CountId) -> Result<Vec<&Sku>, Refusal> {
        let open = self.counts.open(count)?;
        let on_hand = self.stock.iter().filter(|(_, on_hand)| on_hand.0 != 0).map(|(sku, _)| sku);
        Ok(match &open.scope {
            CountScope::Items(skus) => skus.iter().filter(|sku| !open.readings.contains_key(*sku)).collect(),
            // Where a thing lies is not known, so nobody can say what is missing in a place.
            CountScope::Places(_) => Vec::new(),
            CountScope::Everything => on_hand.filter(|sku| !open.readings.contains_key(*sku)).collect(),
        })
    }

    /// Closes the counting and proposes what to put right. Nothing has moved yet.
    pub fn close_count(&self, count: CountId, by: StaffId, how: Counting) -> Result<CountEnded, Refusal> {
        let (mut proposed, mut left) = (Vec::new(), Vec::new());
        for (sku, verdict) in self.verdicts(count)? {
            match verdict {
                Verdict::Matches => {}
                Verdict::Differs(difference) => proposed.push(difference),
                Verdict::Again(_) => left.push(sku.clone()),
            }
        }
        if let (Counting::Finish, Some(sku)) = (how, left.first()) {
            return Err(Refusal::CountUnfinished {
                sku: sku.clone(),
                items: left.len(),
            });
        }
        Ok(CountEnded {
            count,
            by,
            end: CountEnd::Closed,
            proposed,
            left,
        })
    }

    /// Gives a count up, open or waiting for approval. Nothing moves.
    pub fn cancel_count(&self, count: CountId, by: StaffId) -> Result<CountEnded, Refusal> {
        match self.counts.find(count)?.state {
            State::Over => Err(Refusal::CountOver { count }),
            State::Open | State::Closed(_) => Ok(CountEnded {
                count,
                by,
                end: CountEnd::Cancelled,
                proposed: Vec::new(),
                left: Vec::new(),
            }),
        }
    }

    pub fn proposed(&self, count: CountId) -> Result<&[Proposed], Refusal> {
        match &self.counts.find(count)?.state {
            State::Closed(proposed) => Ok(proposed),
            State::Open => Err(Refusal::CountOpen { count }),
            State::Over => Err(Refusal::CountOver { count }),
        }
    }

    /// Puts right what a person chose of what is proposed, with the pieces where an item is known piece by piece. The rest is dropped.
    pub fn approve_count(
        &self,
        count: CountId,
        by: StaffId,
        chosen: &BTreeMap<Sku, Vec<Unit>>,
        items: &dyn Items,
    ) -> Result<CountApproved, Refusal> {
        let proposed = self.proposed(count)?;
        let found = self.counts.find(count)?;
        if found.rules.approver == Approver::NotACounter && found.counters.contains(&by) {
            return Err(Refusal::SelfApproval);
        }
        let mut moves = Vec::with_capacity(chosen.len());
        for (sku, units) in chosen {
            let Some(line) = proposed.iter().find(|line| line.sku == *sku) else {
                return Err(Refusal::NotProposed { count, sku: sku.clone() });
            };
            if self.corrected.get(sku).is_some_and(|corrected| *corrected > line.at) {
                return Err(Refusal::CorrectedMeanwhile { sku: sku.clone() });
            }
            let delta = minus(line.counted, line.on_hand)?;
            let mut moved = StockMove::new(sku.clone(), delta, MoveReason::Count);
            moved.units.clone_from(units);
            moves.push(moved);
        }
        self.may_move(&moves, items)?;
        Ok(CountApproved { count, by, moves })
    }
}
