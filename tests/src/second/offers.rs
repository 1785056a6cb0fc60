//! Promotions, tried on every free unit one after the other.

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::Problem;
use super::number::{self, Fraction};
use super::paper::{Basket, Catalog};
use super::units::Line;

#[derive(Clone, Debug, Deserialize)]
pub struct Promotion {
    pub id: String,
    pub priority: i64,
    #[serde(default)]
    pub from: Option<Timestamp>,
    #[serde(default)]
    pub to: Option<Timestamp>,
    #[serde(default)]
    pub days: Vec<String>,
    #[serde(default)]
    pub hours: Vec<Hours>,
    #[serde(default)]
    pub stores: Vec<String>,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub coupon: Option<String>,
    #[serde(default)]
    pub limit: Option<i128>,
    #[serde(default)]
    pub combine: Combine,
    #[serde(flatten)]
    pub gives: Gives,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Hours {
    pub from: Time,
    pub to: Time,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    #[default]
    Claims,
    Stacks,
    Alone,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Gives {
    Percent {
        percent: Fraction,
        on: On,
    },
    Amount {
        amount: i64,
        on: On,
    },
    FixedPrice {
        price: i64,
        on: On,
    },
    BuyGet {
        buy: Part,
        get: Part,
        percent: Fraction,
    },
    MixMatch {
        on: On,
        quantity: i64,
        #[serde(flatten)]
        for_it: ForIt,
    },
    Bundle {
        parts: Vec<Part>,
        price: i64,
    },
    Threshold {
        on: On,
        minimum: i64,
        #[serde(flatten)]
        off: Off,
    },
    Basket(Off),
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct On {
    #[serde(default)]
    pub skus: Vec<String>,
    #[serde(default)]
    pub categories: Vec<String>,
    #[serde(default)]
    pub all: bool,
    #[serde(default)]
    pub except: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    pub on: On,
    pub quantity: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ForIt {
    #[serde(default)]
    pub price: Option<i64>,
    #[serde(default)]
    pub percent: Option<Fraction>,
    #[serde(default)]
    pub amount: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Off {
    #[serde(default)]
    pub percent: Option<Fraction>,
    #[serde(default)]
    pub amount: Option<i64>,
}

impl Off {
    fn of(&self, sum: i128) -> i128 {
        match (self.percent, self.amount) {
            (Some(percent), _) => number::percent(sum, percent),
            (None, Some(amount)) => i128::from(amount).min(sum),
            (None, None) => 0,
        }
    }
}

impl On {
    fn fits(&self, line: &Line<'_>) -> bool {
        let item = line.item;
        if self.except.contains(&item.sku) {
            return false;
        }
        let under = |branch: &String| {
            item.category
                .as_ref()
                .is_some_and(|own| own == branch || own.strip_prefix(branch.as_str()).is_some_and(|rest| rest.starts_with('/')))
        };
        self.all || self.skus.contains(&item.sku) || self.categories.iter().any(under)
    }
}

/// What one promotion would take, tried on the units that are free.
struct Trial {
    /// Per line: units taken, saving given.
    lines: Vec<(i128, i128)>,
}

impl Trial {
    fn saving(&self) -> i128 {
        self.lines.iter().map(|line| line.1).sum()
    }
}

/// The promotions that hold for this basket, in order of their ids.
pub struct Offers<'a>(Vec<&'a Promotion>);

impl<'a> Offers<'a> {
    pub fn active(catalog: &'a Catalog, basket: &Basket) -> Result<Self, Problem> {
        let zone = basket.zone.as_deref().unwrap_or("UTC");
        let zone = TimeZone::get(zone).map_err(|error| error.to_string())?;
        let local = basket.at.to_zoned(zone).datetime();
        let mut active = Vec::new();
        for promotion in &catalog.promotions {
            let time = promotion.from.is_none_or(|from| from <= basket.at) && promotion.to.is_none_or(|to| basket.at < to);
            let store = promotion.stores.is_empty() || basket.store.as_ref().is_some_and(|store| promotion.stores.contains(store));
            let group = promotion.groups.is_empty() || basket.groups.iter().any(|group| promotion.groups.contains(group));
            let coupon = promotion.coupon.as_ref().is_none_or(|code| basket.coupons.contains(code));
            let today = local.date().weekday();
            let yesterday = today.previous();
            let day = |weekday: Weekday| promotion.days.is_empty() || promotion.days.iter().any(|day| day == short(weekday));
            let now = local.time();
            let hour = |hours: &Hours| {
                if hours.from <= hours.to {
                    hours.from <= now && now < hours.to && day(today)
                } else {
                    (hours.from <= now && day(today)) || (now < hours.to && day(yesterday))
                }
            };
            let clock = if promotion.hours.is_empty() {
                day(today)
            } else {
                promotion.hours.iter().any(hour)
            };
            if time && store && group && coupon && clock {
                active.push(promotion);
            }
        }
        active.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Self(active))
    }

    fn by_priority(&self, fits: impl Fn(&Promotion) -> bool) -> Vec<&'a Promotion> {
        let mut some: Vec<&Promotion> = self.0.iter().copied().filter(|promotion| fits(promotion)).collect();
        some.sort_by_key(|promotion| std::cmp::Reverse(promotion.priority));
        some
    }

    pub fn first_round(&self, lines: &mut [Line<'_>]) -> Result<(), Problem> {
        let mut waiting = self.by_priority(|promotion| promotion.combine != Combine::Stacks && !promotion.gives.is_of_the_basket());
        while let Some(highest) = waiting.first().map(|promotion| promotion.priority) {
            let mut best: Option<(i128, usize, Trial)> = None;
            for (at, promotion) in waiting.iter().enumerate().filter(|(_, promotion)| promotion.priority == highest) {
                let trial = try_on(promotion, lines);
                let saving = trial.saving();
                // They stand in order of their ids, so an equal one comes too late.
                if saving > 0 && best.as_ref().is_none_or(|(most, _, _)| saving > *most) {
                    best = Some((saving, at, trial));
                }
            }
            let Some((_, at, trial)) = best else {
                waiting.retain(|promotion| promotion.priority != highest);
                continue;
            };
            let promotion = waiting.remove(at);
            for (line, (units, saving)) in lines.iter_mut().zip(trial.lines) {
                line.free -= units;
                line.has_alone |= units > 0 && promotion.combine == Combine::Alone;
                line.give("promotion", Some(&promotion.id), saving);
            }
        }
        Ok(())
    }

    pub fn second_round(&self, lines: &mut [Line<'_>]) -> Result<(), Problem> {
        for promotion in self.by_priority(|promotion| promotion.combine == Combine::Stacks && !promotion.gives.is_of_the_basket()) {
            for line in lines.iter_mut().filter(|line| line.eligible && !line.has_alone) {
                let left = line.left();
                let units = super::units::whole_units(line.item, line.quantity);
                let saving = match &promotion.gives {
                    Gives::Percent { percent, on } if on.fits(line) => number::percent(left, *percent),
                    Gives::Amount { amount, on } if on.fits(line) => line.per_unit(i128::from(*amount), units).min(left),
                    Gives::FixedPrice { price, on } if on.fits(line) => (left - line.per_unit(i128::from(*price), units)).max(0),
                    _ => 0,
                };
                line.give("promotion", Some(&promotion.id), saving);
            }
        }
        Ok(())
    }

    pub fn third_round(&self, lines: &mut [Line<'_>]) -> Result<(), Problem> {
        let of = |combine: Combine| self.by_priority(|promotion| promotion.combine == combine && promotion.gives.is_of_the_basket());
        let mut any = lines.iter().any(|line| line.saved > 0);
        any |= give_best(&of(Combine::Claims), lines);
        for promotion in of(Combine::Stacks) {
            any |= give_best(&[promotion], lines);
        }
        if !any {
            give_best(&of(Combine::Alone), lines);
        }
        Ok(())
    }
}

/// One of these promotions over the whole basket: the highest priority that saves anything, the largest saving, the lowest id.
fn give_best(some: &[&Promotion], lines: &mut [Line<'_>]) -> bool {
    let mut best: Option<(i64, i128, &Promotion)> = None;
    for promotion in some {
        let saving = over_the_basket(promotion, lines);
        if saving > 0 && best.is_none_or(|(priority, most, _)| (promotion.priority, saving) > (priority, most)) {
            best = Some((promotion.priority, saving, promotion));
        }
    }
    let Some((_, saving, promotion)) = best else { return false };
    let fitting = promotion.gives.goods(lines);
    let left: Vec<i128> = fitting.iter().map(|at| lines[*at].left()).collect();
    for (at, part) in fitting.into_iter().zip(number::share(saving, &left)) {
        lines[at].give("promotion", Some(&promotion.id), part);
    }
    true
}

fn over_the_basket(promotion: &Promotion, lines: &[Line<'_>]) -> i128 {
    let sum: i128 = promotion.gives.goods(lines).into_iter().map(|at| lines[at].left()).sum();
    match &promotion.gives {
        Gives::Threshold { minimum, off, .. } if sum >= i128::from(*minimum) && sum > 0 => off.of(sum),
        Gives::Basket(off) if sum > 0 => off.of(sum),
        _ => 0,
    }
}

impl Gives {
    fn is_of_the_basket(&self) -> bool {
        matches!(self, Gives::Threshold { .. } | Gives::Basket(_))
    }

    /// The lines a promotion over the basket looks at.
    fn goods(&self, lines: &[Line<'_>]) -> Vec<usize> {
        let fits = |line: &Line<'_>| match self {
            Gives::Threshold { on, .. } => on.fits(line),
            _ => true,
        };
        let open = |at: &usize| lines[*at].eligible && !lines[*at].has_alone && fits(&lines[*at]);
        (0..lines.len()).filter(open).collect()
    }
}

fn short(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "mon",
        Weekday::Tuesday => "tue",
        Weekday::Wednesday => "wed",
        Weekday::Thursday => "thu",
        Weekday::Friday => "fri",
        Weekday::Saturday => "sat",
        Weekday::Sunday => "sun",
    }
}

/// Tries one promotion in full on what is free.
fn try_on(promotion: &Promotion, lines: &[Line<'_>]) -> Trial {
    let limit = promotion.limit.unwrap_or(i128::MAX);
    match &promotion.gives {
        Gives::Percent { percent, on } => unit_by_unit(lines, on, limit, |line, units| {
            number::percent(if line.measured() { line.amount } else { line.unit_price * units }, *percent)
        }),
        Gives::Amount { amount, on } => unit_by_unit(lines, on, limit, |line, units| {
            if line.measured() {
                line.per_unit(i128::from(*amount).min(line.unit_price), 1)
            } else {
                i128::from(*amount).min(line.unit_price) * units
            }
        }),
        Gives::FixedPrice { price, on } => unit_by_unit(lines, on, limit, |line, units| {
            if line.measured() {
                (line.amount - line.per_unit(i128::from(*price), 1)).max(0)
            } else {
                (line.unit_price - i128::from(*price)).max(0) * units
            }
        }),
        Gives::BuyGet { buy, get, percent } => sets(lines, limit, |free| {
            let paid = take(lines, free, &buy.on, pieces(buy.quantity), Dear::First)?;
            let given = take(lines, free, &get.on, pieces(get.quantity), Dear::Last)?;
            let saving = number::percent(worth(lines, &given), *percent);
            Some(([paid, given].concat(), saving))
        }),
        Gives::MixMatch { on, quantity, for_it } => sets(lines, limit, |free| {
            let taken = take(lines, free, on, pieces(*quantity), Dear::First)?;
            let sum = worth(lines, &taken);
            let saving = match (for_it.price, for_it.percent, for_it.amount) {
                (Some(price), _, _) => sum - i128::from(price),
                (_, Some(percent), _) => number::percent(sum, percent),
                (_, _, Some(amount)) => i128::from(amount).min(sum),
                _ => 0,
            };
            Some((taken, saving))
        }),
        Gives::Bundle { parts, price } => sets(lines, limit, |free| {
            let mut taken = Vec::new();
            for part in parts {
                taken.extend(take(lines, free, &part.on, pieces(part.quantity), Dear::First)?);
            }
            let saving = worth(lines, &taken) - i128::from(*price);
            Some((taken, saving))
        }),
        Gives::Threshold { .. } | Gives::Basket(_) => Trial {
            lines: vec![(0, 0); lines.len()],
        },
    }
}

/// Quantities of sets are written in thousandths and are whole pieces.
fn pieces(thousandths: i64) -> i128 {
    i128::from(thousandths / 1000)
}

/// The lines in the order in which units are looked at: the dearest first, then as they stand.
fn dearest_first(lines: &[Line<'_>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|at| (std::cmp::Reverse(lines[*at].unit_price), *at));
    order
}

fn unit_by_unit(lines: &[Line<'_>], on: &On, limit: i128, saving: impl Fn(&Line<'_>, i128) -> i128) -> Trial {
    let mut taken = vec![(0, 0); lines.len()];
    let mut left = limit;
    for at in dearest_first(lines) {
        let line = &lines[at];
        let units = line.free.min(left);
        if !line.eligible || line.unit_price == 0 || !on.fits(line) || units <= 0 {
            continue;
        }
        let saved = saving(line, units);
        // Units on which nothing is saved stay free.
        if saved > 0 {
            taken[at] = (units, saved);
            left -= units;
        }
    }
    Trial { lines: taken }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dear {
    First,
    Last,
}

/// Single units of countable goods, as line indexes; `None` when there are too few.
fn take(lines: &[Line<'_>], free: &mut [i128], on: &On, quantity: i128, dear: Dear) -> Option<Vec<usize>> {
    let mut order = dearest_first(lines);
    if dear == Dear::Last {
        order.reverse();
    }
    let mut taken = Vec::new();
    for at in order {
        let line = &lines[at];
        if !line.eligible || line.unit_price == 0 || line.measured() || !on.fits(line) {
            continue;
        }
        while free[at] > 0 && (taken.len() as i128) < quantity {
            free[at] -= 1;
            taken.push(at);
        }
    }
    (taken.len() as i128 == quantity).then_some(taken)
}

fn worth(lines: &[Line<'_>], units: &[usize]) -> i128 {
    units.iter().map(|at| lines[*at].unit_price).sum()
}

/// Sets, one after the other, until one can not be made or saves nothing.
fn sets(lines: &[Line<'_>], limit: i128, make: impl Fn(&mut [i128]) -> Option<(Vec<usize>, i128)>) -> Trial {
    let mut taken = vec![(0, 0); lines.len()];
    let mut free: Vec<i128> = lines.iter().map(|line| line.free).collect();
    let mut made = 0;
    while made < limit {
        let mut trial = free.clone();
        let Some((units, saving)) = make(&mut trial) else { break };
        if saving <= 0 {
            break;
        }
        let weights: Vec<i128> = (0..lines.len())
            .map(|at| units.iter().filter(|unit| **unit == at).count() as i128 * lines[at].unit_price)
            .collect();
        for (at, part) in number::share(saving, &weights).into_iter().enumerate() {
            taken[at].0 += free[at] - trial[at];
            taken[at].1 += part;
        }
        free = trial;
        made += 1;
    }
    Trial { lines: taken }
}
