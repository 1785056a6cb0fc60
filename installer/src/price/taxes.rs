//! The one place where `backroom price` asks for taxes: amounts of lines in, their taxes and sums out.

use std::collections::BTreeMap;

use backroom_core::money::{Money, MoneyError};
use backroom_core::tax::{self, PriceMode, Rate, TaxClass};
use serde::Serialize;

use super::Wrong;
use super::ask::Basket;

/// One tax of a line or a sum.
#[derive(Clone, Debug, Serialize)]
pub struct TaxPart {
    pub tax: String,
    pub rate: Rate,
    pub amount: Money,
}

/// A line's amount, cut into what the shop keeps and what it owes.
#[derive(Clone, Debug)]
pub struct LineTax {
    pub taxes: Vec<TaxPart>,
    pub net: Money,
    pub tax: Money,
}

/// All lines of one class.
#[derive(Clone, Debug, Serialize)]
pub struct ClassSum {
    pub tax_class: String,
    pub rate: Rate,
    pub net: Money,
    pub tax: Money,
    pub parts: Vec<TaxPart>,
}

/// The document's taxes, in the order of its lines and of the classes' codes.
#[derive(Clone, Debug)]
pub struct Taxed {
    pub lines: Vec<LineTax>,
    pub classes: Vec<ClassSum>,
}

/// Each line rounded by itself, half a minor unit away from zero; no exemptions.
pub fn taxes(lines: &[(&TaxClass, Money)], prices: PriceMode, basket: &Basket) -> Result<Taxed, Wrong> {
    if basket.exempt.is_some() {
        let why = "exemptions from tax are not computed yet; leave \"exempt\" out";
        return Err(Wrong::refused(why, "exempt", None));
    }
    let wrong = |error: MoneyError| Wrong::refused(&error, "money", None);
    let mut own = Vec::with_capacity(lines.len());
    let mut sums: BTreeMap<&str, (&TaxClass, Money, Money)> = BTreeMap::new();
    for (class, amount) in lines {
        let split = tax::split(*amount, class.rate, prices).map_err(wrong)?;
        let sum = sums.entry(&class.code).or_insert((class, Money::ZERO, Money::ZERO));
        sum.1 = sum.1.checked_add(split.net).map_err(wrong)?;
        sum.2 = sum.2.checked_add(split.tax).map_err(wrong)?;
        own.push(LineTax {
            taxes: vec![part(class, split.tax)],
            net: split.net,
            tax: split.tax,
        });
    }
    let sum = |(class, net, tax): (&TaxClass, Money, Money)| ClassSum {
        tax_class: class.code.clone(),
        rate: class.rate,
        net,
        tax,
        parts: vec![part(class, tax)],
    };
    Ok(Taxed {
        lines: own,
        classes: sums.into_values().map(sum).collect(),
    })
}

/// A class with one rate has one tax, named like its code.
fn part(class: &TaxClass, amount: Money) -> TaxPart {
    TaxPart {
        tax: class.code.clone(),
        rate: class.rate,
        amount,
    }
}
