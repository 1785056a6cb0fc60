//! Taxes of a document: which ones a line bears, what each comes to, and where the rounding happens.
//!
//! The rules are docs/pricing.md section 5. Register, receipt, journal and head office share one policy, and whole numbers all the way: a
//! factor has twelve decimals, an exact tax is a fraction of whole numbers, and it is rounded once, where the policy says. Where rates come
//! from, and what a tax office wants to be told, is not known here.

mod class;
mod document;
mod rules;
mod running;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::{Money, MoneyError, Rounding, plain_decimal};

pub use class::{MOST_TAXES, Tax, TaxClass};
pub(crate) use document::recorded;
pub use document::{Document, LineTax, Taxable, document};
pub use rules::{Circumstances, Exemption, Holiday, Policy, RoundingPlace, Rules};
pub(crate) use running::add_parts;
pub use running::{Running, Totals};

/// Why a tax can not be told. The stable code is `code()`, the sentence is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaxError {
    #[error("tax class {code:?} {why}")]
    Class { code: String, why: &'static str },
    #[error("tax class {code:?} is in the catalog twice; give each its own code")]
    ClassTwice { code: String },
    #[error("tax class {code:?} is not in the catalog; ask head office to mend it")]
    UnknownClass { code: String },
    #[error("no tax of these goods is called {tax:?}; use a name from the catalog's tax classes")]
    UnknownTax { tax: String },
    #[error("tax holiday {name:?} {why}")]
    Holiday { name: String, why: &'static str },
    #[error("an exemption needs a reason code of 1 to 40 printable characters")]
    Reason,
    #[error("the line is not on this document; read the ticket again")]
    NotThere,
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl TaxError {
    /// Stable for programs, where the sentence may be worded better one day.
    pub fn code(&self) -> &'static str {
        match self {
            TaxError::Class { .. } => "tax_class",
            TaxError::ClassTwice { .. } => "tax_class_twice",
            TaxError::UnknownClass { .. } => "no_tax_class",
            TaxError::UnknownTax { .. } => "unknown_tax",
            TaxError::Holiday { .. } => "tax_holiday",
            TaxError::Reason => "exemption_reason",
            TaxError::NotThere => "no_such_line",
            TaxError::Money(_) => "money",
        }
    }
}

/// All taxes of a class together are at most four times the price, so that no exact figure outgrows its number.
const LARGEST_RATE: i64 = 4;
/// The decimals factors are carried with.
const DECIMALS: u32 = 12;
/// One, with twelve decimals.
const ONE: i128 = 1_000_000_000_000;

/// A rate such as `0.19`, kept as decimal text on the wire and in the journal. A class's rate is the sum of its taxes' factors, so it can be
/// longer than what anybody writes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(Decimal);

/// Why a text is no tax rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a tax rate; write 19 % as 0.19")]
pub struct RateError {
    text: String,
}

impl Rate {
    pub const ZERO: Rate = Rate(Decimal::ZERO);

    fn from_trillionths(trillionths: i128) -> Result<Rate, MoneyError> {
        let largest = i128::from(LARGEST_RATE) * ONE;
        if !(0..=largest).contains(&trillionths) {
            return Err(MoneyError::TooLarge);
        }
        Ok(Rate(Decimal::from_i128_with_scale(trillionths, DECIMALS).normalize()))
    }

    /// With twelve decimals, as a whole number.
    fn trillionths(self) -> i128 {
        // `scale` is at most twelve, or it would not be a rate.
        self.0.mantissa() * 10_i128.pow(DECIMALS.saturating_sub(self.0.scale()))
    }
}

impl TryFrom<String> for Rate {
    type Error = RateError;
    fn try_from(text: String) -> Result<Self, RateError> {
        let wrong = || RateError {
            text: text.chars().take(20).collect(),
        };
        let rate = plain_decimal(&text).ok_or_else(wrong)?.normalize();
        if rate > Decimal::from(LARGEST_RATE) || rate.scale() > DECIMALS {
            return Err(wrong());
        }
        Ok(Self(rate))
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> String {
        rate.0.to_string()
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}%", (self.0 * Decimal::ONE_HUNDRED).normalize())
    }
}

/// Whether shelf prices already hold the tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceMode {
    Inclusive,
    Exclusive,
}

/// One tax of a line or of a class: what is owed to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPart {
    pub tax: String,
    /// As the class has it; a compound tax's factor is larger.
    pub rate: Rate,
    pub amount: Money,
}

/// A line's amount, cut into what the shop keeps and what it owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    pub net: Money,
    pub tax: Money,
}

/// Cuts `amount` (price times quantity, after discounts) of a line with one tax, rounded on this line, half a cent away from zero.
pub fn split(amount: Money, rate: Rate, mode: PriceMode) -> Result<Split, MoneyError> {
    let factor = rate.trillionths();
    match mode {
        PriceMode::Inclusive => {
            let tax = amount.scaled(factor, ONE + factor, Rounding::HALF_AWAY)?;
            Ok(Split {
                net: amount.checked_sub(tax)?,
                tax,
            })
        }
        PriceMode::Exclusive => Ok(Split {
            net: amount,
            tax: amount.scaled(factor, ONE, Rounding::HALF_AWAY)?,
        }),
    }
}

/// For fuzzers: any text is a rate, a class with such a rate or refused by name; a rate reads back the same, and no rate makes an amount
/// that its parts do not add up to.
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let Ok(rate) = Rate::try_from(text.clone()) else {
        drop(TaxClass::simple(&text, &text, Rate::ZERO));
        return;
    };
    assert_eq!(Rate::try_from(String::from(rate)), Ok(rate));
    drop(TaxClass::simple("A", &text, rate));
    for amount in [i64::MIN, -1999, 0, 1999, i64::MAX].map(Money) {
        if let Ok(parts) = split(amount, rate, PriceMode::Inclusive) {
            assert_eq!(parts.net.checked_add(parts.tax), Ok(amount));
        }
        drop(split(amount, rate, PriceMode::Exclusive));
    }
}

#[cfg(test)]
#[path = "tax_tests.rs"]
mod tests;
