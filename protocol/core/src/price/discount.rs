//! Percents and the discounts that a person gives.
//!
//! A percent is kept in ten-thousandths of a percent, so that no fraction of it is ever lost.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::{LARGEST_AMOUNT, Money, Quantity, plain_decimal};
use crate::price::PriceError;

/// More than nothing and at most everything, with up to four decimals; decimal text such as `12.5` in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Percent(u32);

const WHOLE: u32 = 100 * 10_000;

/// Why a text is no percent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a percent; write more than 0 and at most 100, such as 12.5")]
pub struct PercentError {
    text: String,
}

impl Percent {
    pub const ALL: Percent = Percent(WHOLE);

    /// This percent of an amount that is not below nothing, half a minor unit up.
    pub(crate) fn of(self, amount: i64) -> i64 {
        let exact = i128::from(amount.max(0)) * i128::from(self.0);
        // At most the amount itself, so it fits.
        i64::try_from((exact + i128::from(WHOLE / 2)) / i128::from(WHOLE)).unwrap_or(i64::MAX)
    }
}

impl FromStr for Percent {
    type Err = PercentError;
    fn from_str(text: &str) -> Result<Self, PercentError> {
        let wrong = || PercentError {
            text: text.chars().take(20).collect(),
        };
        let percent = plain_decimal(text).ok_or_else(wrong)?;
        let parts = percent.checked_mul(Decimal::from(10_000)).ok_or_else(wrong)?.normalize();
        let parts = (parts.scale() == 0).then_some(parts).and_then(|parts| u32::try_from(parts).ok());
        match parts {
            Some(parts) if (1..=WHOLE).contains(&parts) => Ok(Self(parts)),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Percent {
    type Error = PercentError;
    fn try_from(text: String) -> Result<Self, PercentError> {
        text.parse()
    }
}

impl From<Percent> for String {
    fn from(percent: Percent) -> String {
        Decimal::new(i64::from(percent.0), 4).normalize().to_string()
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", String::from(*self))
    }
}

/// What a person takes off: `{"percent": "10"}` or `{"amount": 100}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discount {
    Percent(Percent),
    Amount(Money),
}

impl Discount {
    pub(crate) fn check(self) -> Result<(), PriceError> {
        match self {
            Discount::Amount(Money(amount)) if !(1..=LARGEST_AMOUNT).contains(&amount) => Err(PriceError::Discount { amount }),
            _ => Ok(()),
        }
    }

    /// What it takes off so much: never more than there is.
    pub(crate) fn of(self, left: i64) -> i64 {
        match self {
            Discount::Percent(percent) => percent.of(left),
            Discount::Amount(Money(amount)) => amount.min(left.max(0)),
        }
    }
}

/// Price times quantity, rounded, where both are within what a shop can have and not below nothing.
pub(crate) fn times(price: i64, quantity: Quantity) -> i64 {
    let exact = i128::from(price) * i128::from(quantity.0);
    i64::try_from((exact + 500) / 1000).unwrap_or(i64::MAX)
}
