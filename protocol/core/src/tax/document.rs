//! The taxes of a whole document, line by line: each line's share of what was rounded, so that lines and sums agree to the cent.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::class::MOST_TAXES;
use super::rules::{Circumstances, RoundingPlace, Rules};
use super::running::{Charged, GroupKey, Running};
use super::{PriceMode, Rate, TaxError, TaxPart};
use crate::facts::TaxSum;
use crate::money::{Money, MoneyError, Rounding};

/// A line as taxes see it.
#[derive(Clone, Copy, Debug)]
pub struct Taxable<'a> {
    /// The code of its tax class.
    pub class: &'a str,
    /// Price times quantity after all discounts; below nothing when it comes back.
    pub amount: Money,
    pub unit_price: Money,
    /// What it bore when it was sold, for a line that comes back with its receipt: then nothing is computed.
    pub given: Option<&'a LineTax>,
}

/// What a line keeps and owes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineTax {
    /// The class's rate.
    pub rate: Rate,
    pub net: Money,
    /// What is charged: the sum of the parts.
    pub tax: Money,
    /// Tax in the price which an exempt customer does not pay; nothing where prices hold no tax.
    pub waived: Money,
    /// Every tax of the class, also those that are nothing today.
    pub parts: Vec<TaxPart>,
}

/// A document with its taxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// One per line handed in, in the same order.
    pub lines: Vec<LineTax>,
    /// One per class and rate, in the order of the codes.
    pub sums: Vec<TaxSum>,
    pub net: Money,
    pub tax: Money,
}

impl LineTax {
    /// What the customer pays for the line.
    pub fn to_pay(&self) -> Result<Money, MoneyError> {
        self.net.checked_add(self.tax)
    }

    /// The same, given back.
    pub fn negated(&self) -> Result<LineTax, MoneyError> {
        self.each(|amount| amount.negated())
    }

    fn each(&self, change: impl Fn(Money) -> Result<Money, MoneyError>) -> Result<LineTax, MoneyError> {
        let part = |part: &TaxPart| -> Result<TaxPart, MoneyError> {
            Ok(TaxPart {
                amount: change(part.amount)?,
                ..part.clone()
            })
        };
        Ok(LineTax {
            rate: self.rate,
            net: change(self.net)?,
            tax: change(self.tax)?,
            waived: change(self.waived)?,
            parts: self.parts.iter().map(part).collect::<Result<_, _>>()?,
        })
    }

    /// The stretch `from..to` of a line that was sold as `whole` (in thousandths): part returns in any sizes add up to the line, tax by tax.
    pub fn slice(&self, from: u64, to: u64, whole: u64, mode: PriceMode) -> Result<LineTax, MoneyError> {
        let cut = |amount: Money| amount.slice(from, to, whole).ok_or(MoneyError::TooLarge);
        let mut slice = self.each(cut)?;
        // The parts were cut one by one; what they add up to is the tax, and a price with tax in it is kept whole.
        slice.tax = Money::sum(slice.parts.iter().map(|part| part.amount))?;
        if mode == PriceMode::Inclusive {
            let amount = cut(self.to_pay()?.checked_add(self.waived)?)?;
            slice.net = amount.checked_sub(slice.tax)?.checked_sub(slice.waived)?;
        }
        Ok(slice)
    }

    /// The parts as the journal keeps them: none where there is just the class's own tax.
    pub fn recorded(&self, class: &str) -> Vec<TaxPart> {
        recorded(&self.parts, class)
    }
}

impl TaxSum {
    /// The sum as the journal keeps it: without parts where there is just the class's own tax.
    pub fn recorded(mut self) -> TaxSum {
        self.parts = recorded(&self.parts, &self.tax_class);
        self
    }
}

/// Without parts where there is just the class's own tax.
pub(crate) fn recorded(parts: &[TaxPart], class: &str) -> Vec<TaxPart> {
    match parts {
        [only] if only.tax == class => Vec::new(),
        parts => parts.to_vec(),
    }
}

/// The taxes of these lines, as docs/pricing.md section 5 has them.
pub fn document(lines: &[Taxable<'_>], rules: &Rules, circumstances: &Circumstances) -> Result<Document, TaxError> {
    let mut running = Running::new(Arc::new(rules.clone()), circumstances.clone())?;
    let mut members: BTreeMap<GroupKey, Vec<usize>> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        running.add(line)?;
        if let Some(key) = running.key(line)? {
            members.entry(key).or_default().push(at);
        }
    }
    let charged = running.charged()?;
    let mut taxed: Vec<Option<LineTax>> = lines.iter().map(|line| line.given.cloned()).collect();
    for (key, charge) in charged {
        let (Some(group), Some(members)) = (running.group(key), members.get(&key)) else {
            continue;
        };
        let shares = match rules.policy().rounding {
            RoundingPlace::Line => {
                let rounding = Rounding::Half(rules.policy().halves);
                let rounded = |at: &usize| group.rounded(lines[*at].amount, rounding);
                members.iter().map(rounded).collect::<Result<Vec<Charged>, _>>()?
            }
            RoundingPlace::Tax | RoundingPlace::Document => {
                let amounts: Vec<Money> = members.iter().map(|at| lines[*at].amount).collect();
                share(&charge, &amounts)?
            }
        };
        for (at, taxes) in members.iter().zip(shares) {
            taxed[*at] = Some(group.line_tax(rules, key, lines[*at].amount, &taxes)?);
        }
    }
    let totals = running.totals()?;
    Ok(Document {
        // Each line either brought its own or is in a group.
        lines: taxed.into_iter().flatten().collect(),
        sums: running.sums()?,
        net: totals.net,
        tax: totals.tax,
    })
}

/// Each tax of a group over its lines, in proportion to their amounts.
fn share(charge: &Charged, amounts: &[Money]) -> Result<Vec<Charged>, MoneyError> {
    let mut lines = vec![[Money::ZERO; MOST_TAXES]; amounts.len()];
    for (place, tax) in charge.iter().enumerate() {
        let parts = tax.share_by(amounts).ok_or(MoneyError::TooLarge)?;
        for (line, part) in lines.iter_mut().zip(parts) {
            line[place] = part;
        }
    }
    Ok(lines)
}
