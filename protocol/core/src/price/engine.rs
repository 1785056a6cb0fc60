//! The price of one basket while it fills. A plan tells what a change would do; applying it makes it so and can not fail.
//!
//! A change prices again only what it can reach: lines are tied to each other by the sets, limits and rivalries of promotions that look at
//! several of them, and what is not tied to the changed line keeps its price. The third round keeps running sums, so that
//! thresholds nobody reaches cost nothing. A basket-wide saving is shared over all lines, and then all lines do change.
//!
//! An engine keeps the offers of the catalog it was last handed. With a newer one the whole basket is priced again; a ticket that wants
//! to keep its prices hands in the snapshot it began with.

mod line;
mod reach;
mod rounds;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::circumstances::{Circumstances, OfferId};
use super::discount::Discount;
use super::offers::Offers;
use super::{Goods, Plan, PriceError, PricedLine};
use crate::catalog::{Catalog, Shelf};
use crate::money::Money;
use crate::ticket::MOST_LINES;

use self::line::{Line, Outcome};
use self::rounds::{early_rounds, late_rounds, late_rounds_needed};

/// What one promotion gave in the whole basket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub id: OfferId,
    pub name: String,
    /// Units or sets in the first round, lines in the second, 1 in the third.
    pub times: u64,
    pub saving: Money,
}

/// One basket, priced.
#[derive(Clone)]
pub struct Engine {
    circumstances: Circumstances,
    discount: Option<Discount>,
    /// `None` until something lies in the basket.
    snapshot: Option<Snapshot>,
    lines: BTreeMap<u32, Line>,
    /// On which lines each promotion of the first round looks.
    looked_at: BTreeMap<u32, BTreeSet<u32>>,
    /// On how many lines a promotion has a rival.
    rivalries: BTreeMap<u32, u32>,
    sums: Sums,
    /// Whether lines hold shares that depend on all other lines.
    shared: bool,
    total: i64,
    /// Counts the steps, so that a plan made for another state is noticed.
    revision: u64,
}

/// What of the catalog an engine keeps.
#[derive(Clone)]
struct Snapshot {
    shelf: Arc<Shelf>,
    offers: Arc<Offers>,
}

impl Snapshot {
    fn of(catalog: &Catalog) -> Self {
        Self {
            shelf: catalog.shelf().clone(),
            offers: catalog.offers().clone(),
        }
    }

    fn is_of(&self, catalog: &Catalog) -> bool {
        Arc::ptr_eq(&self.shelf, catalog.shelf()) && Arc::ptr_eq(&self.offers, catalog.offers())
    }
}

/// Kept up with each step, so that the third round need not look at every line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sums {
    /// What is left, after two rounds, of the goods each promotion of the third looks at.
    basket: BTreeMap<u32, i64>,
    /// Lines on which an earlier round gave something.
    given: usize,
}

impl Sums {
    fn add(&mut self, line: &Line, outcome: &Outcome, sign: i64) {
        if outcome.given() {
            self.given = self.given.saturating_add_signed(sign as isize);
        }
        if outcome.alone {
            return;
        }
        for number in &line.fits.basket {
            *self.basket.entry(*number).or_default() += sign * outcome.left;
        }
    }
}

/// How a plan changes an engine.
#[derive(Clone)]
pub(super) enum Step {
    Part(Box<Part>),
    Whole(Box<Engine>),
}

#[derive(Clone)]
pub(super) struct Part {
    revision: u64,
    put: Option<Line>,
    taken: Option<u32>,
    discount: Option<Discount>,
    outcomes: Vec<(u32, Outcome)>,
    sums: Sums,
    shared: bool,
    snapshot: Option<Snapshot>,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Part(part) => write!(f, "Part({} lines)", part.outcomes.len()),
            Step::Whole(engine) => write!(f, "Whole({engine:?})"),
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("lines", &self.lines.len())
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Engine {
    /// The same basket at the same prices for the same reasons, however it came to be.
    fn eq(&self, other: &Self) -> bool {
        self.circumstances == other.circumstances
            && self.discount == other.discount
            && self.goods().eq(other.goods())
            && self.lines() == other.lines()
    }
}

impl Eq for Engine {}

impl Engine {
    /// An empty basket.
    pub fn new(circumstances: Circumstances) -> Self {
        Self {
            circumstances,
            discount: None,
            snapshot: None,
            lines: BTreeMap::new(),
            looked_at: BTreeMap::new(),
            rivalries: BTreeMap::new(),
            sums: Sums::default(),
            shared: false,
            total: 0,
            revision: 0,
        }
    }

    /// A basket as it stands, priced at once: after a restart, or with another catalog.
    pub fn rebuild(
        catalog: &Catalog,
        circumstances: Circumstances,
        goods: impl IntoIterator<Item = Goods>,
        discount: Option<Discount>,
    ) -> Result<Self, PriceError> {
        if let Some(discount) = discount {
            discount.check()?;
        }
        let mut engine = Self {
            discount,
            snapshot: Some(Snapshot::of(catalog)),
            ..Self::new(circumstances)
        };
        for goods in goods {
            let line = Line::new(catalog, goods, &engine.circumstances)?;
            engine.untie(line.goods.line);
            engine.tie(line);
            if engine.lines.len() > MOST_LINES {
                return Err(PriceError::TooManyLines);
            }
        }
        engine.price_all();
        Ok(engine)
    }

    pub fn circumstances(&self) -> &Circumstances {
        &self.circumstances
    }

    /// What a person gave on the whole ticket.
    pub fn discount(&self) -> Option<Discount> {
        self.discount
    }

    /// What lies in the basket, in line order.
    pub fn goods(&self) -> impl Iterator<Item = &Goods> {
        self.lines.values().map(|line| &line.goods)
    }

    pub fn line(&self, number: u32) -> Option<PricedLine> {
        let line = self.lines.get(&number)?;
        Some(self.priced(line, &line.outcome))
    }

    /// All lines in their order.
    pub fn lines(&self) -> Vec<PricedLine> {
        self.lines.values().map(|line| self.priced(line, &line.outcome)).collect()
    }

    /// What all lines cost.
    pub fn total(&self) -> Money {
        Money(self.total)
    }

    /// What each promotion gave, the one that goes first at the front.
    pub fn promotions(&self) -> Vec<Given> {
        let Some(Snapshot { offers, .. }) = &self.snapshot else {
            return Vec::new();
        };
        let mut given: BTreeMap<u32, (u64, i64)> = BTreeMap::new();
        let mut add = |number: u32, times: u64, saving: i64| {
            let sum = given.entry(number).or_default();
            sum.0 += times;
            sum.1 += saving;
        };
        for line in self.lines.values() {
            for claim in &line.outcome.claims {
                add(claim.promotion, u64::from(claim.units), claim.saving);
            }
            for share in &line.outcome.stacked {
                add(share.promotion, 1, share.saving);
            }
            for share in &line.outcome.shares {
                add(share.promotion, 0, share.saving);
            }
        }
        let of = |(number, (times, saving)): (u32, (u64, i64))| {
            let promotion = offers.promotion(number);
            let times = match promotion.set_size() {
                Some(size) => times / u64::from(size.max(1)),
                None => times.max(1),
            };
            Given {
                id: promotion.id.clone(),
                name: promotion.name.clone(),
                times,
                saving: Money(saving),
            }
        };
        given.into_iter().map(of).collect()
    }

    /// What it would cost with these goods on their line, whether that is new or not.
    pub fn plan_put(&self, catalog: &Catalog, goods: Goods) -> Result<Plan, PriceError> {
        let number = goods.line;
        if self.lines.len() >= MOST_LINES && !self.lines.contains_key(&number) {
            return Err(PriceError::TooManyLines);
        }
        if self.snapshot.as_ref().is_some_and(|snapshot| !snapshot.is_of(catalog)) {
            let others = self.goods().filter(|other| other.line != number).cloned();
            let goods: Vec<Goods> = others.chain([goods]).collect();
            let next = Self::rebuild(catalog, self.circumstances.clone(), goods, self.discount)?;
            return Ok(self.plan_whole(next, Some(number)));
        }
        let line = Line::new(catalog, goods, &self.circumstances)?;
        let snapshot = self.snapshot.clone().unwrap_or_else(|| Snapshot::of(catalog));
        Ok(self.plan_part(snapshot, Some(line), None, self.discount))
    }

    /// What it would cost without this line.
    pub fn plan_take(&self, number: u32) -> Result<Plan, PriceError> {
        match &self.snapshot {
            Some(snapshot) if self.lines.contains_key(&number) => Ok(self.plan_part(snapshot.clone(), None, Some(number), self.discount)),
            _ => Err(PriceError::NoSuchLine { line: number }),
        }
    }

    /// What it would cost at another time, for another customer or with other coupons: everything is priced again.
    pub fn plan_circumstances(&self, catalog: &Catalog, circumstances: Circumstances) -> Result<Plan, PriceError> {
        let next = Self::rebuild(catalog, circumstances, self.goods().cloned(), self.discount)?;
        Ok(self.plan_whole(next, None))
    }

    /// What it would cost with this discount on the whole ticket, or with none.
    pub fn plan_discount(&self, discount: Option<Discount>) -> Result<Plan, PriceError> {
        if let Some(discount) = discount {
            discount.check()?;
        }
        match &self.snapshot {
            Some(snapshot) => Ok(self.plan_part(snapshot.clone(), None, None, discount)),
            None => Ok(self.plan_whole(Self { discount, ..self.clone() }, None)),
        }
    }

    /// Makes a plan true.
    pub fn apply(&mut self, plan: Plan) {
        let revision = self.revision + 1;
        match plan.step {
            Step::Whole(next) => *self = *next,
            Step::Part(part) => self.apply_part(*part),
        }
        self.revision = revision;
    }

    fn apply_part(&mut self, part: Part) {
        let fresh = part.revision == self.revision;
        self.discount = part.discount;
        self.snapshot = part.snapshot;
        if let Some(number) = part.taken {
            self.untie(number);
        }
        if let Some(line) = part.put {
            self.untie(line.goods.line);
            self.tie(line);
        }
        if !fresh {
            // Made before another step; what it meant to do is done, and all is priced again.
            return self.price_all();
        }
        for (number, outcome) in part.outcomes {
            if let Some(line) = self.lines.get_mut(&number) {
                self.total += outcome.amount - line.outcome.amount;
                line.outcome = outcome;
            }
        }
        self.sums = part.sums;
        self.shared = part.shared;
    }

    /// Puts a line in with what it is tied to, its old price not yet replaced.
    fn tie(&mut self, line: Line) {
        let number = line.goods.line;
        for fit in &line.fits.units {
            self.looked_at.entry(fit.promotion).or_default().insert(number);
            if fit.rival {
                *self.rivalries.entry(fit.promotion).or_default() += 1;
            }
        }
        self.total += line.outcome.amount;
        self.lines.insert(number, line);
    }

    fn untie(&mut self, number: u32) {
        let Some(line) = self.lines.remove(&number) else { return };
        self.total -= line.outcome.amount;
        for fit in &line.fits.units {
            if let Some(lines) = self.looked_at.get_mut(&fit.promotion) {
                lines.remove(&number);
            }
            if fit.rival
                && let Some(count) = self.rivalries.get_mut(&fit.promotion)
            {
                *count = count.saturating_sub(1);
            }
        }
    }

    /// Prices everything from the beginning.
    fn price_all(&mut self) {
        let Some(Snapshot { offers, .. }) = self.snapshot.clone() else {
            return;
        };
        let lines: Vec<&Line> = self.lines.values().collect();
        let early = early_rounds(&offers, &lines);
        let mut sums = Sums::default();
        for (line, outcome) in lines.iter().zip(&early) {
            sums.add(line, outcome, 1);
        }
        let shared = late_rounds_needed(&offers, &sums, self.discount);
        let mut together: Vec<(&Line, Outcome)> = lines.into_iter().zip(early).collect();
        late_rounds(&offers, &mut together, sums.given > 0, self.discount);
        let outcomes: Vec<Outcome> = together.into_iter().map(|(_, outcome)| outcome).collect();
        self.total = outcomes.iter().map(|outcome| outcome.amount).sum();
        for (line, outcome) in self.lines.values_mut().zip(outcomes) {
            line.outcome = outcome;
        }
        (self.sums, self.shared) = (sums, shared);
    }

    /// The plan of a step that changes one line, or the discount of the ticket.
    fn plan_part(&self, snapshot: Snapshot, put: Option<Line>, taken: Option<u32>, discount: Option<Discount>) -> Plan {
        let offers = &snapshot.offers;
        let changed = put.as_ref().map(|line| line.goods.line).or(taken);
        let reached = self.reached(offers, put.as_ref(), changed);
        let own = |number: &u32| match &put {
            Some(line) if line.goods.line == *number => Some(line),
            _ if changed == Some(*number) => None,
            _ => self.lines.get(number),
        };
        // The first two rounds, as far as the change reaches.
        let near: Vec<&Line> = reached.iter().filter_map(own).collect();
        let early = early_rounds(offers, &near);
        let mut sums = self.sums.clone();
        for number in &reached {
            if let Some(old) = self.lines.get(number) {
                sums.add(old, &old.outcome, -1);
            }
        }
        for (line, outcome) in near.iter().zip(&early) {
            sums.add(line, outcome, 1);
        }
        // What looks at all lines, only where it gives anything or did.
        let shared = late_rounds_needed(offers, &sums, discount);
        let mut together: Vec<(&Line, Outcome)> = near.into_iter().zip(early).collect();
        if shared || self.shared {
            let far = self.lines.iter().filter(|(number, _)| !reached.contains(number));
            together.extend(far.map(|(_, line)| (line, line.outcome.clone())));
            together.sort_by_key(|(line, _)| line.goods.line);
        }
        late_rounds(offers, &mut together, sums.given > 0, discount);
        let mut total = self.total
            - taken
                .and_then(|number| self.lines.get(&number))
                .map_or(0, |line| line.outcome.amount);
        let mut lines = Vec::new();
        let mut kept = Vec::with_capacity(together.len());
        for (line, outcome) in together {
            let number = line.goods.line;
            let old = self.lines.get(&number).map(|line| &line.outcome);
            total += outcome.amount - old.map_or(0, |old| old.amount);
            let is_put = put.as_ref().is_some_and(|put| put.goods.line == number);
            if is_put || old.is_none_or(|old| !old.reads_like(&outcome)) {
                lines.push(line.priced(offers, &outcome));
            }
            kept.push((number, outcome));
        }
        Plan {
            lines,
            taken,
            total: Money(total),
            step: Step::Part(Box::new(Part {
                revision: self.revision,
                put,
                taken,
                discount,
                outcomes: kept,
                sums,
                shared,
                snapshot: Some(snapshot),
            })),
        }
    }

    /// The plan of a step after which nothing may be as it was.
    fn plan_whole(&self, next: Engine, put: Option<u32>) -> Plan {
        let mut lines = next.lines();
        lines.retain(|line| put == Some(line.line) || self.line(line.line).as_ref() != Some(line));
        Plan {
            lines,
            taken: None,
            total: next.total(),
            step: Step::Whole(Box::new(next)),
        }
    }

    fn priced(&self, line: &Line, outcome: &Outcome) -> PricedLine {
        match &self.snapshot {
            Some(snapshot) => line.priced(&snapshot.offers, outcome),
            None => line.priced(&Offers::default(), outcome),
        }
    }
}
