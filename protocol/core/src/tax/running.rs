//! The taxes of a document while it grows: adding or removing a line costs the same for line 200 as for line 1.
//!
//! Lines are only kept as sums of those that are taxed alike (class, holiday, sold or returned), and the totals are told from these sums. What
//! a single line bears is told by `document`, which uses the same groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::class::{Factors, MOST_TAXES, Places};
use super::document::{LineTax, Taxable};
use super::rules::{Circumstances, RoundingPlace, Rules, Today};
use super::{ONE, PriceMode, Rate, TaxError, TaxPart};
use crate::facts::TaxSum;
use crate::money::{LARGEST_AMOUNT, Money, MoneyError, Rounding};

/// All sold (or all returned) lines of a document together. Exact figures of such a sum still fit their numbers.
const LARGEST_DOCUMENT: i64 = 100 * LARGEST_AMOUNT;
/// Exact taxes are added with nine decimals of a minor unit.
const BILLION: i128 = 1_000_000_000;

/// Lines that are taxed alike. The order is the order in which a rounded sum is shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupKey {
    returned: bool,
    class: usize,
    relieved: Places,
}

/// The lines of one group, as sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    lines: u64,
    amount: Money,
    /// What each tax is taken with, and what it is divided by.
    factors: Factors,
    divisor: i128,
    /// Taxes a customer does not pay though they are in the price.
    exempt: Places,
    /// Sums of what was rounded line by line.
    by_line: [Money; MOST_TAXES],
}

/// What a document comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub net: Money,
    pub tax: Money,
}

impl Totals {
    /// What the customer pays, before coins are thought of.
    pub fn to_pay(&self) -> Result<Money, MoneyError> {
        self.net.checked_add(self.tax)
    }
}

/// The taxes of a document that still changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    rules: Arc<Rules>,
    circumstances: Circumstances,
    today: Vec<Today>,
    groups: BTreeMap<GroupKey, Group>,
    /// Lines that bring their own tax with them, because they were sold before.
    given: BTreeMap<(String, Rate), (u64, TaxSum)>,
    /// The amounts of all sold and of all returned lines.
    sides: [Money; 2],
}

/// The taxes of one group, as they are charged in the end.
pub(super) type Charged = [Money; MOST_TAXES];

impl Group {
    fn new(rules: &Rules, today: &Today, key: GroupKey) -> Group {
        let class = &rules.classes()[key.class];
        let (factors, divisor, exempt) = match rules.mode() {
            // Who is exempt is simply not charged.
            PriceMode::Exclusive => (class.factors(key.relieved.and(today.exempt)), ONE, Places::default()),
            // The price holds the tax of everybody; who is exempt gets it off the price.
            PriceMode::Inclusive => {
                let factors = class.factors(key.relieved);
                (factors, ONE + factors.sum(), today.exempt)
            }
        };
        Group {
            lines: 0,
            amount: Money::ZERO,
            factors,
            divisor,
            exempt,
            by_line: [Money::ZERO; MOST_TAXES],
        }
    }

    /// Each tax of an amount of this group, rounded.
    pub fn rounded(&self, amount: Money, rounding: Rounding) -> Result<Charged, MoneyError> {
        let mut taxes = [Money::ZERO; MOST_TAXES];
        for (tax, factor) in taxes.iter_mut().zip(self.factors.0) {
            *tax = amount.scaled(factor, self.divisor, rounding)?;
        }
        Ok(taxes)
    }

    /// Each tax of this group, in billionths of a minor unit.
    fn exact(&self) -> Result<[i128; MOST_TAXES], MoneyError> {
        let mut exact = [0; MOST_TAXES];
        for (tax, factor) in exact.iter_mut().zip(self.factors.0) {
            let billionths = i128::from(self.amount.0) * BILLION;
            let numerator = billionths.checked_mul(factor).ok_or(MoneyError::TooLarge)?;
            *tax = Rounding::HALF_AWAY.divide(numerator, self.divisor).ok_or(MoneyError::TooLarge)?;
        }
        Ok(exact)
    }

    fn change(&mut self, line: &Taxable<'_>, rounding: Rounding, direction: Direction) -> Result<(), MoneyError> {
        self.amount = direction.apply(self.amount, line.amount)?;
        let rounded = self.rounded(line.amount, rounding)?;
        for (sum, tax) in self.by_line.iter_mut().zip(rounded) {
            *sum = direction.apply(*sum, tax)?;
        }
        self.lines = match direction {
            Direction::Add => self.lines + 1,
            Direction::Remove => self.lines.checked_sub(1).ok_or(MoneyError::TooLarge)?,
        };
        Ok(())
    }

    /// What one amount of this group keeps and owes, when its taxes are these.
    pub fn line_tax(&self, rules: &Rules, key: GroupKey, amount: Money, taxes: &Charged) -> Result<LineTax, MoneyError> {
        let class = &rules.classes()[key.class];
        let mut parts = Vec::with_capacity(class.taxes().len());
        let mut waived = Money::ZERO;
        for (place, tax) in class.taxes().iter().enumerate() {
            let exempt = self.exempt.holds(place);
            if exempt {
                waived = waived.checked_add(taxes[place])?;
            }
            parts.push(TaxPart {
                tax: tax.tax.clone(),
                rate: tax.rate,
                amount: if exempt { Money::ZERO } else { taxes[place] },
            });
        }
        let tax = Money::sum(parts.iter().map(|part| part.amount))?;
        let net = match rules.mode() {
            PriceMode::Exclusive => amount,
            PriceMode::Inclusive => amount.checked_sub(tax)?.checked_sub(waived)?,
        };
        Ok(LineTax {
            rate: class.rate,
            net,
            tax,
            waived,
            parts,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Add,
    Remove,
}

impl Direction {
    fn apply(self, sum: Money, amount: Money) -> Result<Money, MoneyError> {
        match self {
            Direction::Add => sum.checked_add(amount),
            Direction::Remove => sum.checked_sub(amount),
        }
    }
}

impl Running {
    pub fn new(rules: Arc<Rules>, circumstances: Circumstances) -> Result<Self, TaxError> {
        let today = rules.today(&circumstances)?;
        Ok(Self {
            rules,
            circumstances,
            today,
            groups: BTreeMap::new(),
            given: BTreeMap::new(),
            sides: [Money::ZERO; 2],
        })
    }

    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    pub fn circumstances(&self) -> &Circumstances {
        &self.circumstances
    }

    /// Takes a line in. A refusal leaves everything as it was.
    pub fn add(&mut self, line: &Taxable<'_>) -> Result<(), TaxError> {
        self.change(line, Direction::Add)
    }

    /// Takes a line out that was added with just these figures.
    pub fn remove(&mut self, line: &Taxable<'_>) -> Result<(), TaxError> {
        self.change(line, Direction::Remove)
    }

    /// `None` for a line that brings its own tax.
    pub(super) fn key(&self, line: &Taxable<'_>) -> Result<Option<GroupKey>, TaxError> {
        line.amount.in_bounds()?;
        if line.given.is_some() {
            return Ok(None);
        }
        let class = self.rules.place(line.class)?;
        Ok(Some(GroupKey {
            returned: line.amount < Money::ZERO,
            class,
            relieved: self.today[class].relieved(line.unit_price),
        }))
    }

    pub(super) fn group(&self, key: GroupKey) -> Option<&Group> {
        self.groups.get(&key)
    }

    fn change(&mut self, line: &Taxable<'_>, direction: Direction) -> Result<(), TaxError> {
        let Some(key) = self.key(line)? else {
            return self.change_given(line, direction);
        };
        let side = direction.apply(self.sides[usize::from(key.returned)], line.amount)?;
        if side.0.unsigned_abs() > LARGEST_DOCUMENT.unsigned_abs() {
            return Err(MoneyError::TooLarge.into());
        }
        let mut group = match (self.groups.get(&key), direction) {
            (Some(group), _) => group.clone(),
            (None, Direction::Add) => Group::new(&self.rules, &self.today[key.class], key),
            (None, Direction::Remove) => return Err(TaxError::NotThere),
        };
        group.change(line, Rounding::Half(self.rules.policy().halves), direction)?;
        if group.lines == 0 {
            self.groups.remove(&key);
        } else {
            self.groups.insert(key, group);
        }
        self.sides[usize::from(key.returned)] = side;
        Ok(())
    }

    fn change_given(&mut self, line: &Taxable<'_>, direction: Direction) -> Result<(), TaxError> {
        let Some(given) = line.given else { return Ok(()) };
        let key = (line.class.to_owned(), given.rate);
        let (lines, mut sum) = match (self.given.get(&key), direction) {
            (Some(known), _) => known.clone(),
            (None, Direction::Add) => (0, empty_sum(line.class, given.rate)),
            (None, Direction::Remove) => return Err(TaxError::NotThere),
        };
        let lines = match direction {
            Direction::Add => lines + 1,
            Direction::Remove => lines - 1,
        };
        match direction {
            Direction::Add => add_to(&mut sum, given)?,
            Direction::Remove => add_to(&mut sum, &given.negated()?)?,
        }
        if lines == 0 {
            self.given.remove(&key);
        } else {
            self.given.insert(key, (lines, sum));
        }
        Ok(())
    }

    /// The taxes of each group as the policy rounds them.
    pub(super) fn charged(&self) -> Result<Vec<(GroupKey, Charged)>, TaxError> {
        let policy = self.rules.policy();
        let rounding = Rounding::Half(policy.halves);
        match policy.rounding {
            RoundingPlace::Line => Ok(self.groups.iter().map(|(key, group)| (*key, group.by_line)).collect()),
            RoundingPlace::Tax => {
                let rounded = |(key, group): (&GroupKey, &Group)| Ok((*key, group.rounded(group.amount, rounding)?));
                self.groups.iter().map(rounded).collect()
            }
            RoundingPlace::Document => {
                let mut charged = self.charged_once(false, rounding)?;
                charged.extend(self.charged_once(true, rounding)?);
                Ok(charged)
            }
        }
    }

    /// All sold, or all returned, lines: one rounding, shared over classes and taxes in the order of the codes.
    fn charged_once(&self, returned: bool, rounding: Rounding) -> Result<Vec<(GroupKey, Charged)>, MoneyError> {
        let mut exact = Vec::new();
        for (key, group) in self.groups.iter().filter(|(key, _)| key.returned == returned) {
            exact.push((*key, group.exact()?));
        }
        let all: i128 = exact.iter().flat_map(|(_, taxes)| taxes).sum();
        let total = rounding.divide(all, BILLION).ok_or(MoneyError::TooLarge)?;
        let mut shared = Vec::with_capacity(exact.len());
        let (mut so_far, mut given) = (0, 0);
        for (key, taxes) in exact {
            let mut charged = [Money::ZERO; MOST_TAXES];
            for (charge, tax) in charged.iter_mut().zip(taxes) {
                so_far += tax;
                let product = total.checked_mul(so_far).ok_or(MoneyError::TooLarge)?;
                // Both are of one sign, so this is cut down toward zero; where nothing is owed there is nothing to share.
                let due = product.checked_div(all).unwrap_or(0);
                *charge = Money(i64::try_from(due - given).map_err(|_| MoneyError::TooLarge)?);
                given = due;
            }
            shared.push((key, charged));
        }
        Ok(shared)
    }

    /// What the document comes to.
    pub fn totals(&self) -> Result<Totals, TaxError> {
        let mut totals = Totals::default();
        let mut add = |net: Money, tax: Money| -> Result<(), MoneyError> {
            totals.net = totals.net.checked_add(net)?;
            totals.tax = totals.tax.checked_add(tax)?;
            Ok(())
        };
        for (key, charged) in self.charged()? {
            let Some(group) = self.groups.get(&key) else { continue };
            let kept = |(place, tax): (usize, &Money)| if group.exempt.holds(place) { Money::ZERO } else { *tax };
            let tax = Money::sum(charged.iter().enumerate().map(kept))?;
            let net = match self.rules.mode() {
                PriceMode::Exclusive => group.amount,
                PriceMode::Inclusive => group.amount.checked_sub(Money::sum(charged)?)?,
            };
            add(net, tax)?;
        }
        for (_, sum) in self.given.values() {
            add(sum.net, sum.tax)?;
        }
        Ok(totals)
    }

    /// What each class comes to, in the order of the codes, then of the rates.
    pub fn sums(&self) -> Result<Vec<TaxSum>, TaxError> {
        let mut sums = BTreeMap::new();
        for (key, charged) in self.charged()? {
            let Some(group) = self.groups.get(&key) else { continue };
            let class = &self.rules.classes()[key.class];
            let tax = group.line_tax(&self.rules, key, group.amount, &charged)?;
            let sum = sums
                .entry((class.code.clone(), class.rate))
                .or_insert_with(|| empty_sum(&class.code, class.rate));
            add_to(sum, &tax)?;
        }
        for (key, (_, given)) in &self.given {
            let sum = sums.entry(key.clone()).or_insert_with(|| empty_sum(&key.0, key.1));
            add_to(
                sum,
                &LineTax {
                    rate: given.rate,
                    net: given.net,
                    tax: given.tax,
                    waived: Money::ZERO,
                    parts: given.parts.clone(),
                },
            )?;
        }
        Ok(sums.into_values().collect())
    }
}

fn empty_sum(code: &str, rate: Rate) -> TaxSum {
    TaxSum {
        tax_class: code.to_owned(),
        rate,
        net: Money::ZERO,
        tax: Money::ZERO,
        parts: Vec::new(),
    }
}

fn add_to(sum: &mut TaxSum, line: &LineTax) -> Result<(), MoneyError> {
    sum.net = sum.net.checked_add(line.net)?;
    sum.tax = sum.tax.checked_add(line.tax)?;
    add_parts(&mut sum.parts, &line.parts)
}

/// Adds taxes to others of the same name and rate.
pub(crate) fn add_parts(parts: &mut Vec<TaxPart>, more: &[TaxPart]) -> Result<(), MoneyError> {
    for part in more {
        match parts.iter_mut().find(|known| known.tax == part.tax && known.rate == part.rate) {
            Some(known) => known.amount = known.amount.checked_add(part.amount)?,
            None => parts.push(part.clone()),
        }
    }
    Ok(())
}
