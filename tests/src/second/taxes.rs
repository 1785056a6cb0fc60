//! Taxes as fractions of whole numbers, by the page's three policies.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Problem;
use super::number::{self, Halves, MILLION, rounded};
use super::paper::{Answer, AnswerLine, Basket, CashRounding, Catalog, Mode, Reason, Rounding, TaxPart};
use super::units::Line;

/// Factors have twelve decimals.
const ONE: i128 = MILLION * MILLION;
/// Exact taxes of a document are added with nine decimals.
const BILLION: i128 = 1_000_000_000;

/// One tax of a class: its name and its factor, nothing where it is not in force.
type Taxes = Vec<(String, i128)>;

/// The taxes of a class where those for which `off` holds are not in force.
fn factors(catalog: &Catalog, code: &str, off: impl Fn(usize, &str) -> bool) -> Result<Taxes, Problem> {
    let class = catalog.class(code)?;
    let single = class.rate.iter().filter(|_| class.taxes.is_empty());
    let single = single.map(|rate| (class.code.clone(), rate.0, false));
    let listed = class.taxes.iter().map(|tax| (tax.tax.clone(), tax.rate.0, tax.compound));
    let mut before = 0;
    let mut named = Vec::new();
    for (place, (tax, rate, compound)) in single.chain(listed).enumerate() {
        let rate = rate * MILLION;
        let factor = match (off(place, &tax), compound) {
            (true, _) => 0,
            (false, true) => rounded(rate * (ONE + before), ONE, Halves::Away),
            (false, false) => rate,
        };
        before += factor;
        named.push((tax, factor));
    }
    Ok(named)
}

/// The places of the taxes which a holiday takes off this line, as bits.
fn relieved(catalog: &Catalog, line: &Line<'_>, day: Date) -> Result<u32, Problem> {
    let class = catalog.class(&line.item.tax_class)?;
    let mut names: Vec<&str> = class.taxes.iter().map(|tax| tax.tax.as_str()).collect();
    if names.is_empty() {
        names.push(&class.code);
    }
    let mut places = 0;
    for holiday in &catalog.tax_holidays {
        let today = holiday.from <= day && day <= holiday.to;
        let fits = holiday.classes.contains(&class.code) && holiday.max_unit_price.is_none_or(|most| line.unit_price <= most);
        for (place, name) in names.iter().enumerate().filter(|_| today && fits) {
            if holiday.taxes.is_empty() || holiday.taxes.iter().any(|named| named == name) {
                places |= 1 << place;
            }
        }
    }
    Ok(places)
}

/// Lines that are taxed alike.
struct Group {
    taxes: Taxes,
    bottom: i128,
    members: Vec<usize>,
    left: Vec<i128>,
}

impl Group {
    fn sum(&self) -> i128 {
        self.left.iter().sum()
    }
}

pub fn settle(catalog: &Catalog, basket: &Basket, lines: Vec<Line<'_>>) -> Result<Answer, Problem> {
    let zone = TimeZone::get(basket.zone.as_deref().unwrap_or("UTC")).map_err(|error| error.to_string())?;
    let day = basket.at.to_zoned(zone).date();
    let exempt = |tax: &str| {
        let named = |exempt: &super::paper::Exempt| exempt.taxes.is_empty() || exempt.taxes.iter().any(|named| named == tax);
        basket.exempt.as_ref().is_some_and(named)
    };
    let inclusive = catalog.prices == Mode::Inclusive;
    // Sold before returned, then by class, then by the taxes a holiday takes off: the order in which cents are shared.
    let mut groups: BTreeMap<(bool, &str, u32), Group> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        let places = relieved(catalog, line, day)?;
        let class = line.item.tax_class.as_str();
        let taxes = factors(catalog, class, |place, tax| {
            places & (1 << place) != 0 || (!inclusive && exempt(tax))
        })?;
        let whole: i128 = taxes.iter().map(|(_, factor)| factor).sum();
        let group = groups.entry((line.left() < 0, class, places)).or_insert_with(|| Group {
            taxes,
            bottom: if inclusive { ONE + whole } else { ONE },
            members: Vec::new(),
            left: Vec::new(),
        });
        group.members.push(at);
        group.left.push(line.left());
    }
    let mut parts: Vec<Vec<TaxPart>> = vec![Vec::new(); lines.len()];
    for (at, tax, amount) in charge(catalog, &groups) {
        parts[at].push(TaxPart { tax, amount });
    }
    // The price holds the tax of everybody; who is exempt is not charged it, and the net price stays.
    let waived: Vec<i128> = parts
        .iter_mut()
        .map(|taxes| {
            let waived = taxes.iter_mut().filter(|part| inclusive && exempt(&part.tax));
            waived.map(|part| std::mem::take(&mut part.amount)).sum()
        })
        .collect();
    let coins = (basket.cash_step.unwrap_or(1), basket.cash_rounding);
    Ok(answer(catalog.prices, coins, lines, parts, &waived))
}

/// Each tax of each line, rounded where the policy says.
fn charge(catalog: &Catalog, groups: &BTreeMap<(bool, &str, u32), Group>) -> Vec<(usize, String, i128)> {
    let halves = catalog.tax_policy.halves;
    let mut charged = Vec::new();
    let mut over_lines = |group: &Group, tax: &str, whole: i128| {
        for (at, part) in group.members.iter().zip(number::share(whole, &group.left)) {
            charged.push((*at, tax.to_owned(), part));
        }
    };
    match catalog.tax_policy.rounding {
        Rounding::Line => {
            for group in groups.values() {
                for (at, left) in group.members.iter().zip(&group.left) {
                    for (tax, factor) in &group.taxes {
                        charged.push((*at, tax.clone(), rounded(left * factor, group.bottom, halves)));
                    }
                }
            }
        }
        Rounding::Tax => {
            for group in groups.values() {
                for (tax, factor) in &group.taxes {
                    over_lines(group, tax, rounded(group.sum() * factor, group.bottom, halves));
                }
            }
        }
        Rounding::Document => {
            for side in [false, true] {
                let mut exact = Vec::new();
                for ((_, _, _), group) in groups.iter().filter(|((returned, _, _), _)| *returned == side) {
                    for (tax, factor) in &group.taxes {
                        let figure = rounded(group.sum() * factor * BILLION, group.bottom, Halves::Away);
                        exact.push((group, tax, figure));
                    }
                }
                let figures: Vec<i128> = exact.iter().map(|(_, _, figure)| *figure).collect();
                let whole = rounded(figures.iter().sum(), BILLION, halves);
                for ((group, tax, _), part) in exact.iter().zip(number::share(whole, &figures)) {
                    over_lines(group, tax, part);
                }
            }
        }
    }
    charged
}

fn answer(mode: Mode, (cash_step, way): (i128, CashRounding), lines: Vec<Line<'_>>, parts: Vec<Vec<TaxPart>>, waived: &[i128]) -> Answer {
    let mut savings: BTreeMap<String, i128> = BTreeMap::new();
    let mut told = Vec::new();
    for ((line, taxes), waived) in lines.into_iter().zip(parts).zip(waived) {
        for Reason { reason, amount, source } in &line.reasons {
            if let (true, Some(source)) = (reason == "promotion", source) {
                *savings.entry(source.clone()).or_default() -= amount;
            }
        }
        let tax = taxes.iter().map(|part| part.amount).sum();
        let amount = line.left();
        told.push(AnswerLine {
            line: line.number,
            sku: line.item.sku.clone(),
            unit_price: line.unit_price,
            amount,
            net: if mode == Mode::Inclusive { amount - tax - waived } else { amount },
            reasons: line.reasons,
            taxes,
            tax,
        });
    }
    let net = told.iter().map(|line| line.net).sum();
    let tax = told.iter().map(|line| line.tax).sum();
    let total = net + tax;
    let due = if cash_step > 1 { way.to_coins(total, cash_step) } else { total };
    Answer {
        lines: told,
        net,
        tax,
        total,
        cash_rounding: due - total,
        due,
        savings,
    }
}
