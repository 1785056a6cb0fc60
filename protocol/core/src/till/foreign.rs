//! Foreign cash at the till: what a note of another currency is worth here. The rate stays with the tender; change is local money.
//!
//! Knows no market: the rate is the shop's own, given from outside.

use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use crate::money::{Currency, LARGEST_AMOUNT, Money, MoneyError, plain_decimal};

/// How much of the store's own currency one unit of the other is worth, such as `0.92`. Decimal text on the wire and in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExchangeRate(Decimal);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an exchange rate; write what one unit is worth here, such as 0.92")]
pub struct ExchangeRateError {
    text: String,
}

impl FromStr for ExchangeRate {
    type Err = ExchangeRateError;
    fn from_str(text: &str) -> Result<Self, ExchangeRateError> {
        match plain_decimal(text) {
            Some(rate) if rate > Decimal::ZERO && rate <= Decimal::from(1_000_000) && rate.scale() <= 10 => Ok(Self(rate.normalize())),
            _ => Err(ExchangeRateError {
                text: text.chars().take(30).collect(),
            }),
        }
    }
}

impl TryFrom<String> for ExchangeRate {
    type Error = ExchangeRateError;
    fn try_from(text: String) -> Result<Self, ExchangeRateError> {
        text.parse()
    }
}

impl From<ExchangeRate> for String {
    fn from(rate: ExchangeRate) -> String {
        rate.0.to_string()
    }
}

/// Cash of another currency, as the customer gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    pub currency: Currency,
    pub amount: Money,
    pub rate: ExchangeRate,
}

impl Foreign {
    /// What it is worth in the store's own currency, down to the whole minor unit: the shop never gives change it did not get.
    pub fn worth(&self, own: Currency) -> Result<Money, MoneyError> {
        let units = Decimal::try_new(self.amount.0, self.currency.decimals()).map_err(|_| MoneyError::TooLarge)?;
        let here = units.checked_mul(self.rate.0).ok_or(MoneyError::TooLarge)?;
        let minor = here
            .checked_mul(Decimal::from(10u64.pow(own.decimals().min(4))))
            .ok_or(MoneyError::TooLarge)?;
        let whole = minor.round_dp_with_strategy(0, RoundingStrategy::ToZero);
        let worth = i64::try_from(whole).map_err(|_| MoneyError::TooLarge)?;
        if worth.unsigned_abs() > LARGEST_AMOUNT.unsigned_abs() {
            return Err(MoneyError::TooLarge);
        }
        Ok(Money(worth))
    }
}

/// For fuzzers: any text is an exchange rate or refused by name; a rate reads back the same, and what a note is worth is within any shop or
/// refused. Counts arrive as JSON or protobuf and are fed there.
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(rate) = text.parse::<ExchangeRate>() else { return };
    assert_eq!(String::from(rate).parse(), Ok(rate));
    for currency in ["JPY", "EUR", "KWD", "CLF"].into_iter().filter_map(|code| code.parse().ok()) {
        for amount in [i64::MIN, -1, 1, i64::MAX].map(Money) {
            if let Ok(worth) = (Foreign { currency, amount, rate }).worth(currency) {
                assert_eq!(worth.in_bounds(), Ok(worth));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_worth_what_the_shop_says_in_every_number_of_decimals() {
        for (from, amount, rate, own, worth) in [
            ("USD", 2000, "0.92", "EUR", 1840),
            ("USD", 1999, "0.925", "EUR", 1849),
            ("EUR", 1000, "161.5", "JPY", 1615),
            ("JPY", 10_000, "0.0062", "EUR", 6200),
            ("KWD", 5000, "2.99", "EUR", 1495),
            ("EUR", 1495, "0.334", "KWD", 4993),
        ] {
            let given = Foreign {
                currency: from.parse().unwrap(),
                amount: Money(amount),
                rate: rate.parse().unwrap(),
            };
            assert_eq!(given.worth(own.parse().unwrap()), Ok(Money(worth)), "{amount} {from} at {rate}");
        }
        for wrong in ["0", "-1", "abc", "1e9", ""] {
            assert!(wrong.parse::<ExchangeRate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_sum_beyond_any_shop_is_refused() {
        let rich = Foreign {
            currency: "EUR".parse().unwrap(),
            amount: Money(i64::MAX),
            rate: "1000000".parse().unwrap(),
        };
        assert_eq!(rich.worth("KWD".parse().unwrap()), Err(MoneyError::TooLarge));
    }
}
