//! Foreign money at the till: an exchange rate as it was said, and what it makes of an amount.
//!
//! The rate is kept beside every amount that went through it, so nobody has to ask later what it was that day. Where rates come from is
//! not known here.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Currency, Money, MoneyError, Rounding, plain_decimal};

/// No currency is worth more units of another one than this.
const LARGEST_RATE: i64 = 1_000_000_000;
const MOST_DECIMALS: u32 = 12;

/// One unit of `from` is worth `rate` units of `to` (both in their major unit).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct ExchangeRate {
    from: Currency,
    to: Currency,
    rate: Decimal,
}

/// A rate as files and facts hold it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    from: Currency,
    to: Currency,
    rate: String,
}

/// An amount that went through an exchange rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanged {
    /// In the rate's `from`.
    pub given: Money,
    pub rate: ExchangeRate,
    /// In the rate's `to`.
    pub worth: Money,
}

impl ExchangeRate {
    /// `rate` is decimal text, such as `1.0837`.
    pub fn new(from: Currency, to: Currency, rate: &str) -> Result<Self, MoneyError> {
        let wrong = || MoneyError::ExchangeRate {
            text: rate.chars().take(30).collect(),
        };
        if from == to {
            return Err(MoneyError::SameCurrency { code: from.code() });
        }
        let rate = plain_decimal(rate).ok_or_else(wrong)?.normalize();
        if rate <= Decimal::ZERO || rate > Decimal::from(LARGEST_RATE) || rate.scale() > MOST_DECIMALS {
            return Err(wrong());
        }
        Ok(Self { from, to, rate })
    }

    pub fn from(&self) -> Currency {
        self.from
    }

    pub fn to(&self) -> Currency {
        self.to
    }

    /// What `given` (in `from`) is worth in `to`.
    pub fn exchange(&self, given: Money, rounding: Rounding) -> Result<Exchanged, MoneyError> {
        let (numerator, denominator) = self.minor_ratio();
        Ok(Exchanged {
            given,
            rate: *self,
            worth: given.scaled(numerator, denominator, rounding)?.in_bounds()?,
        })
    }

    /// How much of `from` is needed for `wanted` (in `to`): what a tourist asks. With `Rounding::Up` it is surely enough.
    pub fn needed_for(&self, wanted: Money, rounding: Rounding) -> Result<Money, MoneyError> {
        let (numerator, denominator) = self.minor_ratio();
        wanted.scaled(denominator, numerator, rounding)?.in_bounds()
    }

    /// Minor units of `to` per minor unit of `from`. At most 22 digits each, by the bounds of a rate and four decimals.
    fn minor_ratio(&self) -> (i128, i128) {
        let numerator = self.rate.mantissa() * 10_i128.pow(self.to.decimals());
        let denominator = 10_i128.pow(self.rate.scale()) * 10_i128.pow(self.from.decimals());
        (numerator, denominator)
    }
}

impl std::fmt::Display for ExchangeRate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "1 {} = {} {}", self.from.code(), self.rate, self.to.code())
    }
}

impl TryFrom<Written> for ExchangeRate {
    type Error = MoneyError;
    fn try_from(written: Written) -> Result<Self, MoneyError> {
        ExchangeRate::new(written.from, written.to, &written.rate)
    }
}

impl From<ExchangeRate> for Written {
    fn from(rate: ExchangeRate) -> Written {
        Written {
            from: rate.from,
            to: rate.to,
            rate: rate.rate.to_string(),
        }
    }
}
