//! The first round: each unit of each line is claimed by at most one promotion.
//!
//! The promotions with the highest priority go first. Those of the same priority are each tried on what is free, and the one that
//! saves most claims; then the others are tried again. Greedy on purpose: it can be explained at the counter.
//!
//! Lines come with their numbers ascending and are spoken of by their place in that order.

use std::collections::BTreeMap;

use super::discount::times;
use super::fits::Fit;
use super::offers::Offers;
use super::promotion::{Kind, Promotion, SetPrice};
use crate::money::{Money, Quantity};

/// What the first round needs to know of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sold<'a> {
    pub unit_price: i64,
    pub quantity: Quantity,
    /// Unit price times quantity, rounded.
    pub amount: i64,
    /// How many units can be claimed; goods by measure are one.
    pub units: u32,
    pub by_measure: bool,
    pub fits: &'a [Fit],
}

/// What a promotion gives a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub promotion: u32,
    pub units: u32,
    pub saving: i64,
}

/// The claims on each line, by priority, then id.
pub(super) fn claims(offers: &Offers, lines: &[Sold<'_>]) -> Vec<Vec<Claim>> {
    let mut table = Table::new(offers, lines);
    let promotions: Vec<u32> = table.candidates.keys().copied().collect();
    for level in promotions.chunk_by(|a, b| offers.promotion(*a).priority == offers.promotion(*b).priority) {
        table.share_out(level);
    }
    for claims in &mut table.claims {
        claims.sort_unstable_by_key(|claim| claim.promotion);
    }
    table.claims
}

/// A line on which a promotion can claim units.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    line: usize,
    parts: u16,
}

struct Table<'a> {
    offers: &'a Offers,
    lines: &'a [Sold<'a>],
    free: Vec<u32>,
    /// For each promotion its lines, the dearest unit first, then the lower line number.
    candidates: BTreeMap<u32, Vec<Candidate>>,
    claims: Vec<Vec<Claim>>,
}

/// What a promotion would claim of what is free.
#[derive(Clone, Debug, Default)]
struct Try {
    saving: i64,
    /// Line, units, saving.
    lines: Vec<(usize, u32, i64)>,
}

impl<'a> Table<'a> {
    fn new(offers: &'a Offers, lines: &'a [Sold<'a>]) -> Self {
        let mut dearest_first: Vec<usize> = (0..lines.len()).filter(|line| lines[*line].unit_price > 0).collect();
        dearest_first.sort_by_key(|line| std::cmp::Reverse(lines[*line].unit_price));
        let mut candidates: BTreeMap<u32, Vec<Candidate>> = BTreeMap::new();
        for line in dearest_first {
            for fit in lines[line].fits {
                let candidate = Candidate { line, parts: fit.parts };
                candidates.entry(fit.promotion).or_default().push(candidate);
            }
        }
        Self {
            offers,
            lines,
            free: lines.iter().map(|line| line.units).collect(),
            candidates,
            claims: vec![Vec::new(); lines.len()],
        }
    }

    /// Lets the promotions of one priority claim.
    fn share_out(&mut self, level: &[u32]) {
        let mut waiting: Vec<(u32, Try)> = level.iter().map(|number| (*number, self.attempt(*number))).collect();
        loop {
            // With fewer units free one by one saves less, but sets may save more: the cheap units that made a set worthless are gone.
            waiting.retain(|(number, attempt)| attempt.saving > 0 || self.offers.promotion(*number).set_size().is_some());
            // Of equal savings the first is kept, and that is the lower id.
            let mut best: Option<usize> = None;
            for (at, (_, attempt)) in waiting.iter().enumerate() {
                if attempt.saving > best.map_or(0, |best: usize| waiting[best].1.saving) {
                    best = Some(at);
                }
            }
            let Some(best) = best else { return };
            let (number, attempt) = waiting.remove(best);
            let mut touched = vec![false; self.lines.len()];
            for (line, units, saving) in attempt.lines {
                self.free[line] -= units;
                touched[line] = true;
                self.claims[line].push(Claim {
                    promotion: number,
                    units,
                    saving,
                });
            }
            for (number, attempt) in &mut waiting {
                let looks_at = self.candidates.get(number).map_or(&[][..], Vec::as_slice);
                if looks_at.iter().any(|candidate| touched[candidate.line]) {
                    *attempt = self.attempt(*number);
                }
            }
        }
    }

    fn attempt(&self, number: u32) -> Try {
        let candidates = self.candidates.get(&number).map_or(&[][..], Vec::as_slice);
        let promotion = self.offers.promotion(number);
        match promotion.set_size() {
            None => self.one_by_one(promotion, candidates),
            Some(_) => Sets::new(self, promotion, candidates).make(),
        }
    }

    /// Percent, amount and fixed price: unit by unit, the dearest first.
    fn one_by_one(&self, promotion: &Promotion, candidates: &[Candidate]) -> Try {
        let mut attempt = Try::default();
        let mut left = promotion.limit.unwrap_or(u32::MAX);
        for Candidate { line, .. } in candidates {
            if left == 0 {
                break;
            }
            let units = self.free[*line].min(left);
            let saving = if units == 0 {
                0
            } else {
                saving_on_units(&promotion.kind, &self.lines[*line], units)
            };
            // A line on which nothing is saved is left to others.
            if saving > 0 {
                attempt.saving += saving;
                attempt.lines.push((*line, units, saving));
                left -= units;
            }
        }
        attempt
    }
}

/// What so many units of a line save, each by itself.
fn saving_on_units(kind: &Kind, line: &Sold<'_>, units: u32) -> i64 {
    // Goods by measure are one unit: all of the line.
    let quantity = if line.by_measure {
        line.quantity
    } else {
        Quantity(i64::from(units) * Quantity::ONE.0)
    };
    let full = if line.by_measure {
        line.amount
    } else {
        times(line.unit_price, quantity)
    };
    match kind {
        Kind::Percent { percent, .. } => percent.of(full),
        Kind::Amount { amount, .. } => times(amount.0.min(line.unit_price), quantity),
        Kind::FixedPrice { price, .. } => full - times(price.0.min(line.unit_price), quantity),
        _ => 0,
    }
}

/// Making sets of free units, one after the other.
struct Sets<'a> {
    promotion: &'a Promotion,
    lines: &'a [Sold<'a>],
    candidates: &'a [Candidate],
    /// Free units of each candidate; none of goods by measure.
    left: Vec<u32>,
    /// The part, its number of units, and from which end they are taken.
    wants: Vec<(u16, u32, End)>,
    /// The first candidate, seen from its end, that can still have units for a part.
    begin: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Dearest,
    Cheapest,
}

/// The units of one set: candidate, units, and how many of them are the ones that `percent` is taken off.
#[derive(Clone, Debug, Default)]
struct Set {
    units: Vec<(usize, u32, u32)>,
}

impl<'a> Sets<'a> {
    fn new(table: &Table<'a>, promotion: &'a Promotion, candidates: &'a [Candidate]) -> Self {
        let wants = match &promotion.kind {
            Kind::BuyGet { buy, get, .. } => vec![(1, buy.pieces(), End::Dearest), (2, get.pieces(), End::Cheapest)],
            Kind::MixMatch { set, .. } => vec![(1, set.pieces(), End::Dearest)],
            Kind::Bundle { parts, .. } => {
                let want = |(at, part): (usize, &super::promotion::Part)| (1 << at, part.pieces(), End::Dearest);
                parts.iter().enumerate().map(want).collect()
            }
            _ => Vec::new(),
        };
        let units = |candidate: &Candidate| {
            if table.lines[candidate.line].by_measure {
                0
            } else {
                table.free[candidate.line]
            }
        };
        Self {
            promotion,
            lines: table.lines,
            candidates,
            left: candidates.iter().map(units).collect(),
            begin: vec![0; wants.len()],
            wants,
        }
    }

    fn make(mut self) -> Try {
        let mut made: BTreeMap<usize, (u32, i64)> = BTreeMap::new();
        let mut attempt = Try::default();
        let mut room = self.promotion.limit.unwrap_or(u32::MAX);
        while room > 0 {
            let Some(set) = self.next_set() else { break };
            let saving = self.saving(&set);
            if saving <= 0 {
                break;
            }
            // The next sets are the same as long as each of these lines has enough units for another.
            let again = set.units.iter().map(|(at, units, _)| self.left[*at] / units).min().unwrap_or(0);
            let sets = again.min(room - 1) + 1;
            room -= sets;
            attempt.saving += saving * i64::from(sets);
            for (at, units, part) in self.shares(&set, saving) {
                self.left[at] -= units * (sets - 1);
                let line = made.entry(self.candidates[at].line).or_default();
                line.0 += units * sets;
                line.1 += part * i64::from(sets);
            }
        }
        attempt.lines = made.into_iter().map(|(line, (units, saving))| (line, units, saving)).collect();
        attempt
    }

    /// Takes the units of one more set out of what is left. What an unfinished set took is not missed: there is no set after it.
    fn next_set(&mut self) -> Option<Set> {
        let mut set = Set::default();
        for want in 0..self.wants.len() {
            let (part, mut missing, end) = self.wants[want];
            while missing > 0 {
                let seen = self.begin[want];
                if seen == self.candidates.len() {
                    return None;
                }
                let at = match end {
                    End::Dearest => seen,
                    End::Cheapest => self.candidates.len() - 1 - seen,
                };
                let units = if self.candidates[at].parts & part == 0 {
                    0
                } else {
                    self.left[at].min(missing)
                };
                if units == 0 {
                    self.begin[want] += 1;
                    continue;
                }
                self.left[at] -= units;
                missing -= units;
                let reduced = if end == End::Cheapest { units } else { 0 };
                match set.units.iter_mut().find(|(other, _, _)| *other == at) {
                    Some(own) => {
                        own.1 += units;
                        own.2 += reduced;
                    }
                    None => set.units.push((at, units, reduced)),
                }
            }
        }
        Some(set)
    }

    fn unit_price(&self, at: usize) -> i64 {
        self.lines[self.candidates[at].line].unit_price
    }

    fn saving(&self, set: &Set) -> i64 {
        let full: i64 = set
            .units
            .iter()
            .map(|(at, units, _)| self.unit_price(*at) * i64::from(*units))
            .sum();
        match &self.promotion.kind {
            Kind::BuyGet { percent, .. } => {
                let reduced = set.units.iter().map(|(at, _, reduced)| self.unit_price(*at) * i64::from(*reduced));
                percent.of(reduced.sum())
            }
            Kind::MixMatch { costs, .. } => match costs {
                SetPrice::Together(price) => full - price.0,
                SetPrice::Percent(percent) => percent.of(full),
                SetPrice::Amount(amount) => amount.0.min(full),
            },
            Kind::Bundle { price, .. } => full - price.0,
            _ => 0,
        }
    }

    /// A set's saving over its lines in ascending order, each by the price of its units: candidate, units, share.
    fn shares(&self, set: &Set, saving: i64) -> Vec<(usize, u32, i64)> {
        let mut units = set.units.clone();
        units.sort_by_key(|(at, _, _)| self.candidates[*at].line);
        let weight = |(at, units, _): &(usize, u32, u32)| self.unit_price(*at).unsigned_abs() * u64::from(*units);
        let weights: Vec<u64> = units.iter().map(weight).collect();
        // Nothing to share by would mean units without a price, and those are never looked at.
        let shares = Money(saving).share(&weights).unwrap_or_default();
        let with_share = units.iter().zip(shares);
        with_share.map(|((at, units, _), share)| (*at, *units, share.0)).collect()
    }
}
