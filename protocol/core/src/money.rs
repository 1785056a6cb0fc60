//! Money as whole minor units, quantities as whole thousandths, and the one place where either is rounded.
//!
//! Knows no currency conversion and no printing for people beyond the plain decimal text.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy;
use serde::{Deserialize, Serialize};

/// Why a number is no money. Each is a figure beyond any shop or a text that is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("the amount is beyond what a shop can sell; check quantity and price")]
    TooLarge,
    #[error("{text:?} is not a currency; use three letters such as EUR")]
    UnknownCurrency { text: String },
}

/// No single amount may exceed this (in minor units); sums of many still fit an `i64` with room to spare.
pub const LARGEST_AMOUNT: i64 = 1_000_000_000_000;

/// Whole minor units (cents) of the document's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub i64);

impl Money {
    pub const ZERO: Money = Money(0);

    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.0.checked_add(other.0).map(Money).ok_or(MoneyError::TooLarge)
    }

    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.0.checked_sub(other.0).map(Money).ok_or(MoneyError::TooLarge)
    }

    pub fn negated(self) -> Result<Money, MoneyError> {
        self.0.checked_neg().map(Money).ok_or(MoneyError::TooLarge)
    }

    pub fn sum(amounts: impl IntoIterator<Item = Money>) -> Result<Money, MoneyError> {
        amounts.into_iter().try_fold(Money::ZERO, Money::checked_add)
    }

    /// This price for so many thousandths of a unit, half a cent away from zero.
    pub fn times(self, quantity: Quantity) -> Result<Money, MoneyError> {
        let exact = i128::from(self.0) * i128::from(quantity.0);
        let half = if exact < 0 { -500 } else { 500 };
        let amount = i64::try_from((exact + half) / 1000).map_err(|_| MoneyError::TooLarge)?;
        if amount.abs() > LARGEST_AMOUNT {
            Err(MoneyError::TooLarge)
        } else {
            Ok(Money(amount))
        }
    }

    /// Half a minor unit away from zero: the one rounding the skeleton knows.
    pub fn rounded(exact: Decimal) -> Result<Money, MoneyError> {
        let whole = exact.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        i64::try_from(whole).map(Money).map_err(|_| MoneyError::TooLarge)
    }

    /// To the nearest multiple of `step` (5 for five-cent coins), a half away from zero.
    pub fn to_step(self, step: i64) -> Result<Money, MoneyError> {
        if step <= 1 {
            return Ok(self);
        }
        let half = if self.0 < 0 { -(step / 2) } else { step / 2 };
        let shifted = self.0.checked_add(half).ok_or(MoneyError::TooLarge)?;
        Ok(Money(shifted / step * step))
    }

    /// Shares `self` in proportion to `weights`. The parts always add up to `self`, also for refunds.
    /// `None` when there is nothing to share by, or the numbers are beyond any shop.
    pub fn share(self, weights: &[u64]) -> Option<Vec<Money>> {
        let total: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
        let mut weight_so_far = 0;
        let mut given = 0;
        let mut parts = Vec::with_capacity(weights.len());
        for &weight in weights {
            weight_so_far += i128::from(weight);
            let due = i128::from(self.0).checked_mul(weight_so_far)?.checked_div(total)?;
            parts.push(Money(i64::try_from(due - given).ok()?));
            given = due;
        }
        (given == i128::from(self.0)).then_some(parts)
    }
}

/// Thousandths of a unit: 1000 is one piece, 250 is 250 g of something sold by the kilogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(pub i64);

impl Quantity {
    pub const ONE: Quantity = Quantity(1000);
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Decimal::new(self.0, 3).normalize())
    }
}

/// An ISO 4217 currency with its number of decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

impl Currency {
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// ISO 4217's number, such as 978 for the euro.
    pub fn numeric(self) -> u16 {
        self.0.numeric()
    }

    /// 2 for euro, 0 for yen, 3 for Kuwaiti dinar.
    pub fn decimals(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }

    /// `12.50 EUR`, for people and receipts; never parsed back.
    pub fn show(self, amount: Money) -> String {
        format!("{} {}", self.digits(amount), self.code())
    }

    /// `12.50`, without the currency.
    pub fn digits(self, amount: Money) -> String {
        Decimal::new(amount.0, self.decimals()).to_string()
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(text)
            .map(Self)
            .ok_or_else(|| MoneyError::UnknownCurrency {
                text: text.chars().take(10).collect(),
            })
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_cent_goes_away_from_zero() {
        assert_eq!(Money(333).times(Quantity(1500)), Ok(Money(500)));
        assert_eq!(Money(-333).times(Quantity(1500)), Ok(Money(-500)));
        assert_eq!(Money::rounded(Decimal::new(25, 1)), Ok(Money(3)));
        assert_eq!(Money::rounded(Decimal::new(-25, 1)), Ok(Money(-3)));
    }

    #[test]
    fn five_cent_coins_round_both_ways_and_both_signs() {
        for (amount, rounded) in [
            (1002, 1000),
            (1003, 1005),
            (1007, 1005),
            (1008, 1010),
            (-1003, -1005),
            (-1002, -1000),
        ] {
            assert_eq!(Money(amount).to_step(5), Ok(Money(rounded)), "{amount}");
        }
    }

    #[test]
    fn yen_have_no_decimals_and_dinars_three() {
        let show = |code: &str, amount| code.parse::<Currency>().unwrap().show(Money(amount));
        assert_eq!(show("JPY", 1250), "1250 JPY");
        assert_eq!(show("KWD", 1250), "1.250 KWD");
        assert_eq!(show("EUR", -5), "-0.05 EUR");
        assert!("EURO".parse::<Currency>().is_err());
    }

    #[test]
    fn a_price_beyond_any_shop_is_refused_not_wrapped() {
        assert_eq!(Money(i64::MAX).times(Quantity(i64::MAX)), Err(MoneyError::TooLarge));
        assert_eq!(Money(i64::MAX).checked_add(Money(1)), Err(MoneyError::TooLarge));
    }

    proptest! {
        #[test]
        fn shares_add_up_for_sales_and_refunds(amount in -1_000_000_000i64..1_000_000_000, weights in prop::collection::vec(0u64..10_000, 1..20)) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let parts = Money(amount).share(&weights).unwrap();
            prop_assert_eq!(Money::sum(parts).unwrap(), Money(amount));
        }
    }
}
