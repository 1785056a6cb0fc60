//! Tax of one line: inclusive or exclusive, rounded once per line.
//!
//! The policy (rounding per line, half a cent away from zero) is stated here and shared by register, receipt, journal and
//! head office. Several jurisdictions and other roundings are not here yet.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::{Money, MoneyError};

/// A rate such as `0.19`, kept as decimal text on the wire and in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(Decimal);

/// Why a text is no tax rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a tax rate; write 19 % as 0.19")]
pub struct RateError {
    text: String,
}

impl TryFrom<String> for Rate {
    type Error = RateError;
    fn try_from(text: String) -> Result<Self, RateError> {
        match text.parse::<Decimal>() {
            Ok(rate) if rate >= Decimal::ZERO && rate <= Decimal::ONE && rate.scale() <= 6 => Ok(Self(rate.normalize())),
            _ => Err(RateError {
                text: text.chars().take(20).collect(),
            }),
        }
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

/// A kind of goods as the tax office sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxClass {
    /// Short, as printed beside a line: `A`, `B`.
    pub code: String,
    pub name: String,
    pub rate: Rate,
}

/// Whether shelf prices already hold the tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceMode {
    Inclusive,
    Exclusive,
}

/// A line's amount, cut into what the shop keeps and what it owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    pub net: Money,
    pub tax: Money,
}

/// Cuts `amount` (price times quantity, after discounts) of a line.
pub fn split(amount: Money, rate: Rate, mode: PriceMode) -> Result<Split, MoneyError> {
    let exact = Decimal::from(amount.0);
    match mode {
        PriceMode::Inclusive => {
            let net = exact.checked_div(Decimal::ONE + rate.0).ok_or(MoneyError::TooLarge)?;
            let tax = Money::rounded(exact - net)?;
            Ok(Split {
                net: amount.checked_sub(tax)?,
                tax,
            })
        }
        PriceMode::Exclusive => {
            let tax = Money::rounded(exact.checked_mul(rate.0).ok_or(MoneyError::TooLarge)?)?;
            Ok(Split { net: amount, tax })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(amount: i64, rate: &str, mode: PriceMode, net: i64, tax: i64) {
        let rate = Rate::try_from(rate.to_owned()).unwrap();
        assert_eq!(
            split(Money(amount), rate, mode),
            Ok(Split {
                net: Money(net),
                tax: Money(tax)
            }),
            "{amount} at {rate}"
        );
    }

    #[test]
    fn tax_inside_and_on_top_of_a_price() {
        check(1190, "0.19", PriceMode::Inclusive, 1000, 190);
        check(999, "0.07", PriceMode::Inclusive, 934, 65);
        check(1000, "0.19", PriceMode::Exclusive, 1000, 190);
        check(150, "0.19", PriceMode::Exclusive, 150, 29);
        check(-150, "0.19", PriceMode::Exclusive, -150, -29);
        check(0, "0.19", PriceMode::Inclusive, 0, 0);
        check(500, "0", PriceMode::Inclusive, 500, 0);
    }

    #[test]
    fn absurd_rates_are_refused() {
        for text in ["-0.1", "1.5", "NaN", "", "19%", "0.12345678"] {
            assert!(Rate::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn inclusive_parts_add_up_and_a_return_mirrors_the_sale(amount in -1_000_000_000i64..1_000_000_000, percent in 0i64..100) {
            let rate = Rate::try_from(Decimal::new(percent, 2).to_string()).unwrap();
            let sale = split(Money(amount), rate, PriceMode::Inclusive).unwrap();
            prop_assert_eq!(sale.net.0 + sale.tax.0, amount);
            let back = split(Money(-amount), rate, PriceMode::Inclusive).unwrap();
            prop_assert_eq!((back.net.0, back.tax.0), (-sale.net.0, -sale.tax.0));
        }
    }
}
