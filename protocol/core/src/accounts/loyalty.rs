//! Points: how many a basket earns, what they are worth, when they run out, and how many go back with a return.
//!
//! Whole points only, rounded down once over the whole basket and shared over its lines, so that the parts add up. Who holds how many stands
//! in the accounts; this room is arithmetic and rules.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Span;
use serde::{Deserialize, Serialize};

use super::{Refusal, Value};
use crate::facts::accounts::PointsLine;
use crate::money::{Money, Quantity};
use crate::time::BusinessDay;

/// The rules of a programme, checked once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Rules", into = "Rules")]
pub struct Programme(Rules);

/// As they are written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// So many points for each `per` spent.
    pub points: u32,
    pub per: Money,
    /// Categories of goods that earn nothing, such as tobacco, books at fixed prices, or gift cards.
    pub excluded: BTreeSet<String>,
    /// Any order; the highest that was reached counts.
    pub tiers: Vec<Tier>,
    /// So many points pay `burn_worth`, in whole multiples of `burn_points`.
    pub burn_points: u32,
    pub burn_worth: Money,
    /// Days after the one on which they were earned; none: they never run out.
    pub valid_days: Option<u32>,
}

/// Who earned much, earns faster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    pub code: String,
    /// Points earned in the shop's period.
    pub from_points: Value,
    /// 100 is as much as anybody earns.
    pub percent: u32,
}

/// A line as it was sold, after all discounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoldLine {
    pub line: u32,
    pub quantity: Quantity,
    pub amount: Money,
    pub category: Option<String>,
}

/// So much of a line comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineBack {
    pub line: u32,
    pub quantity: Quantity,
}

impl TryFrom<Rules> for Programme {
    type Error = Refusal;

    fn try_from(rules: Rules) -> Result<Programme, Refusal> {
        let wrong = |why| Err(Refusal::Rules { why });
        if rules.per.0 <= 0 {
            return wrong("points are earned per an amount above zero");
        }
        if rules.burn_points == 0 || rules.burn_worth.0 <= 0 {
            return wrong("points are worth an amount above zero");
        }
        if rules.tiers.iter().any(|tier| tier.percent > 10_000) {
            return wrong("a tier earns at most a hundred times as much");
        }
        Ok(Programme(rules))
    }
}

impl From<Programme> for Rules {
    fn from(programme: Programme) -> Rules {
        programme.0
    }
}

impl Programme {
    pub fn rules(&self) -> &Rules {
        &self.0
    }

    /// The tier of who earned so much in the shop's period.
    pub fn tier(&self, earned: Value) -> Option<&Tier> {
        let reached = self.0.tiers.iter().filter(|tier| tier.from_points <= earned);
        reached.max_by_key(|tier| (tier.from_points, tier.percent))
    }

    /// What a basket earns, line by line; only lines that earn are named. Lines that come back in the same basket are taken back by
    /// themselves.
    pub fn earn(&self, lines: &[SoldLine], tier: Option<&Tier>) -> Result<Vec<PointsLine>, Refusal> {
        let percent = i128::from(tier.map_or(100, |tier| tier.percent));
        let rate = i128::from(self.0.points) * percent;
        let per = i128::from(self.0.per.0) * 100;
        let (mut spent, mut given) = (0_i128, 0_i128);
        let mut earned = Vec::new();
        for line in lines.iter().filter(|line| self.earns(line)) {
            spent += i128::from(line.amount.0);
            let due = spent.checked_mul(rate).ok_or(Refusal::TooFull)? / per;
            let points = i64::try_from(due - given).ok().and_then(Value::new).ok_or(Refusal::TooFull)?;
            if points > Value::ZERO {
                earned.push(PointsLine {
                    line: line.line,
                    quantity: line.quantity,
                    points,
                });
            }
            given = due;
        }
        Ok(earned)
    }

    fn earns(&self, line: &SoldLine) -> bool {
        let excluded = line.category.as_ref().is_some_and(|category| self.0.excluded.contains(category));
        line.amount.0 > 0 && line.quantity.0 > 0 && !excluded
    }

    /// What so many points pay. Points beyond a whole multiple pay nothing, so take a multiple.
    pub fn worth(&self, points: Value) -> Result<Money, Refusal> {
        let times = points.get() / i64::from(self.0.burn_points);
        let worth = times.checked_mul(self.0.burn_worth.0).map(Money);
        worth.ok_or(Refusal::TooFull)
    }

    /// The most points that pay towards `due` without paying more than it, out of those that are there.
    pub fn most_for(&self, due: Money, room: Value) -> Value {
        let by_due = due.0.max(0) / self.0.burn_worth.0;
        let by_room = room.get() / i64::from(self.0.burn_points);
        let points = i128::from(by_due.min(by_room)) * i128::from(self.0.burn_points);
        Value::clamped(points)
    }

    /// The last day on which points earned today can be spent.
    pub fn expires(&self, today: BusinessDay) -> Option<BusinessDay> {
        let days = Span::new().try_days(self.0.valid_days?).ok()?;
        today.0.checked_add(days).ok().map(BusinessDay)
    }
}

/// What goes back with a return: each line in proportion to what comes back of it, so that all part returns of a line, in whatever steps,
/// take back exactly what it earned. `before` are the lines of all earlier takings of the same sale.
pub fn take_back(earned: &[PointsLine], before: &[PointsLine], back: &[LineBack]) -> Result<Vec<PointsLine>, Refusal> {
    let mut gone: BTreeMap<u32, i128> = BTreeMap::new();
    for line in before {
        *gone.entry(line.line).or_default() += i128::from(line.quantity.0);
    }
    let mut taken = Vec::new();
    for LineBack { line, quantity } in back.iter().copied() {
        let Some(sold) = earned.iter().find(|sold| sold.line == line) else {
            continue;
        };
        let whole = i128::from(sold.quantity.0);
        let was = gone.get(&line).copied().unwrap_or_default();
        let is = was + i128::from(quantity.0);
        if quantity.0 <= 0 || whole <= 0 || was < 0 || is > whole {
            return Err(Refusal::OverReturn { line });
        }
        let points = sold.points.wide() * is / whole - sold.points.wide() * was / whole;
        gone.insert(line, is);
        taken.push(PointsLine {
            line,
            quantity,
            points: Value::clamped(points),
        });
    }
    Ok(taken)
}
