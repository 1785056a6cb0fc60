//! Money as whole minor units, and the roundings by name: nothing is rounded anywhere but through one of these.
//!
//! Foreign cash is in `till/foreign.rs`, pieces and measures in `quantity.rs`. Knows no printing for people beyond the plain decimal
//! text.

use std::fmt;
use std::str::FromStr;

use iso_currency::Currency as Iso;
use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy;
use serde::{Deserialize, Serialize};

pub use crate::quantity::{Quantity, QuantityError, Unit, UnitKind};

/// Why a number is no money. Each is a figure beyond any shop or a text that is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("the amount is beyond what a shop can sell; check quantity and price")]
    TooLarge,
    #[error("{text:?} is not a currency; use three letters such as EUR")]
    UnknownCurrency { text: String },
    #[error("{text:?} is not an amount; write digits with a point, such as 12.50")]
    NotAnAmount { text: String },
    #[error("{text:?} has too many decimals; {currency} has {decimals}")]
    TooManyDecimals {
        text: String,
        currency: &'static str,
        decimals: u32,
    },
    #[error("{text:?} is not a way to round; use up, down, half, half_even or half_down")]
    UnknownRounding { text: String },
}

impl MoneyError {
    /// Stable for programs, where the sentence may be worded better one day.
    pub fn code(&self) -> &'static str {
        match self {
            MoneyError::TooLarge => "amount_too_large",
            MoneyError::UnknownCurrency { .. } => "unknown_currency",
            MoneyError::NotAnAmount { .. } => "not_an_amount",
            MoneyError::TooManyDecimals { .. } => "too_many_decimals",
            MoneyError::UnknownRounding { .. } => "unknown_rounding",
        }
    }
}

/// Where exactly half a unit goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Halves {
    /// Away from zero, so that a refund mirrors the sale.
    #[default]
    Away,
    /// To the even neighbour.
    Even,
    /// Toward zero.
    Down,
}

/// How a figure that does not fit is made to fit. All of them mirror: what holds for a sale holds for its refund with the sign changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Rounding {
    /// Away from zero.
    Up,
    /// Toward zero.
    Down,
    /// To the nearest, and a half as said.
    Half(Halves),
}

impl Rounding {
    pub const HALF_AWAY: Rounding = Rounding::Half(Halves::Away);

    pub const ALL: [Rounding; 5] = [
        Rounding::Up,
        Rounding::Down,
        Rounding::HALF_AWAY,
        Rounding::Half(Halves::Even),
        Rounding::Half(Halves::Down),
    ];

    /// As settings and catalogs name it.
    pub fn word(self) -> &'static str {
        match self {
            Rounding::Up => "up",
            Rounding::Down => "down",
            Rounding::Half(Halves::Away) => "half",
            Rounding::Half(Halves::Even) => "half_even",
            Rounding::Half(Halves::Down) => "half_down",
        }
    }

    /// `numerator / denominator` as a whole number. `None` without a denominator or beyond what a machine can count.
    pub fn divide(self, numerator: i128, denominator: i128) -> Option<i128> {
        let whole = numerator.checked_div(denominator)?;
        let rest = numerator.checked_rem(denominator)?;
        if rest == 0 {
            return Some(whole);
        }
        let away = if (numerator < 0) == (denominator < 0) { 1 } else { -1 };
        let goes_away = match self {
            Rounding::Up => true,
            Rounding::Down => false,
            Rounding::Half(halves) => {
                let rest = rest.unsigned_abs();
                let other = denominator.unsigned_abs() - rest;
                match rest.cmp(&other) {
                    std::cmp::Ordering::Greater => true,
                    std::cmp::Ordering::Less => false,
                    std::cmp::Ordering::Equal => match halves {
                        Halves::Away => true,
                        Halves::Even => whole % 2 != 0,
                        Halves::Down => false,
                    },
                }
            }
        };
        if goes_away { whole.checked_add(away) } else { Some(whole) }
    }
}

impl Default for Rounding {
    fn default() -> Self {
        Self::HALF_AWAY
    }
}

impl fmt::Display for Rounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Rounding {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let named = Self::ALL.into_iter().find(|rounding| rounding.word() == text);
        named.ok_or_else(|| MoneyError::UnknownRounding {
            text: text.chars().take(20).collect(),
        })
    }
}

impl TryFrom<String> for Rounding {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Rounding> for String {
    fn from(rounding: Rounding) -> String {
        rounding.word().to_owned()
    }
}

/// No single amount may exceed this (in minor units); sums of many still fit an `i64` with room to spare.
pub const LARGEST_AMOUNT: i64 = 1_000_000_000_000;

/// No rate has more digits.
const LONGEST_DECIMAL: usize = 30;

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

    /// An amount a shop can have: not more than `LARGEST_AMOUNT` on either side of zero.
    pub fn in_bounds(self) -> Result<Money, MoneyError> {
        if self.0.unsigned_abs() > LARGEST_AMOUNT.unsigned_abs() {
            Err(MoneyError::TooLarge)
        } else {
            Ok(self)
        }
    }

    /// This price for so many thousandths of a unit, half a cent away from zero.
    pub fn times(self, quantity: Quantity) -> Result<Money, MoneyError> {
        self.scaled(i128::from(quantity.0), 1000, Rounding::HALF_AWAY)?.in_bounds()
    }

    /// `self * numerator / denominator` through one named rounding.
    pub fn scaled(self, numerator: i128, denominator: i128, rounding: Rounding) -> Result<Money, MoneyError> {
        let exact = i128::from(self.0).checked_mul(numerator).ok_or(MoneyError::TooLarge)?;
        let whole = rounding.divide(exact, denominator).ok_or(MoneyError::TooLarge)?;
        i64::try_from(whole).map(Money).map_err(|_| MoneyError::TooLarge)
    }

    /// Half a minor unit away from zero.
    pub fn rounded(exact: Decimal) -> Result<Money, MoneyError> {
        Money::rounded_by(exact, Halves::Away)
    }

    /// To whole minor units, a half as said.
    pub fn rounded_by(exact: Decimal, halves: Halves) -> Result<Money, MoneyError> {
        let strategy = match halves {
            Halves::Away => RoundingStrategy::MidpointAwayFromZero,
            Halves::Even => RoundingStrategy::MidpointNearestEven,
            Halves::Down => RoundingStrategy::MidpointTowardZero,
        };
        let whole = exact.round_dp_with_strategy(0, strategy);
        i64::try_from(whole).map(Money).map_err(|_| MoneyError::TooLarge)
    }

    /// To the nearest multiple of `step` (5 for five-cent coins), a half away from zero.
    pub fn to_step(self, step: i64) -> Result<Money, MoneyError> {
        self.to_step_by(step, Rounding::HALF_AWAY)
    }

    /// To a multiple of `step` as said; `Up` and `Down` mean away from and toward zero, so a refund is rounded like its sale.
    pub fn to_step_by(self, step: i64, rounding: Rounding) -> Result<Money, MoneyError> {
        if step <= 1 {
            return Ok(self);
        }
        let steps = rounding.divide(i128::from(self.0), i128::from(step)).ok_or(MoneyError::TooLarge)?;
        i64::try_from(steps * i128::from(step)).map(Money).map_err(|_| MoneyError::TooLarge)
    }

    /// Shares `self` in proportion to `weights`. The parts always add up to `self`, also for refunds.
    /// `None` when there is nothing to share by, or the numbers are beyond any shop. Sharing nothing needs no weights.
    pub fn share(self, weights: &[u64]) -> Option<Vec<Money>> {
        let total: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
        if self == Money::ZERO {
            return Some(vec![Money::ZERO; weights.len()]);
        }
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

    /// Shares `self` in proportion to amounts of one sign (all sold or all returned); only their size counts.
    /// `None` also where some are above and some below nothing: a share of such a mixture can not be explained.
    pub fn share_by(self, weights: &[Money]) -> Option<Vec<Money>> {
        let mixed = weights.iter().any(|weight| weight.0 > 0) && weights.iter().any(|weight| weight.0 < 0);
        if mixed {
            return None;
        }
        let sizes: Vec<u64> = weights.iter().map(|weight| weight.0.unsigned_abs()).collect();
        self.share(&sizes)
    }

    /// What of `self` falls on the stretch `from..to` of `whole`: slices that follow each other add up to `self` exactly, so part
    /// returns in any sizes give back what was paid. `None` when the stretch is not inside the whole.
    pub fn slice(self, from: u64, to: u64, whole: u64) -> Option<Money> {
        if from > to || to > whole {
            return None;
        }
        let upto = |at: u64| i128::from(self.0).checked_mul(i128::from(at))?.checked_div(i128::from(whole));
        i64::try_from(upto(to)? - upto(from)?).ok().map(Money)
    }
}

/// Digits with a point between them or none, as `0.19`, exactly as written: no sign, no blanks, nothing to round or to skip.
pub(crate) fn plain_decimal(text: &str) -> Option<Decimal> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    };
    Decimal::from_str_exact(text)
        .ok()
        .filter(|_| plain && text.len() <= LONGEST_DECIMAL)
}

/// An ISO 4217 currency with its number of decimals. Metals, test codes and the like have none and are no money of a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(Iso);

impl Currency {
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// ISO 4217's number, such as 978 for the euro.
    pub fn numeric(self) -> u16 {
        self.0.numeric()
    }

    /// 2 for euro, 0 for yen, 3 for Kuwaiti dinar, 4 for Chile's unit of account.
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

    /// `12.50` or `-3` to minor units, exactly. More decimals than the currency has are refused, also zeros: whoever wrote them means
    /// another currency or another unit.
    pub fn parse_amount(self, text: &str) -> Result<Money, MoneyError> {
        let wrong = || MoneyError::NotAnAmount {
            text: text.chars().take(30).collect(),
        };
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((_, "")) => return Err(wrong()),
            Some(parts) => parts,
            None => (unsigned, ""),
        };
        let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits_only(whole) || !digits_only(fraction) {
            return Err(wrong());
        }
        let decimals = self.decimals() as usize;
        if fraction.len() > decimals {
            return Err(MoneyError::TooManyDecimals {
                text: text.chars().take(30).collect(),
                currency: self.code(),
                decimals: self.decimals(),
            });
        }
        let mut minor: i64 = 0;
        let padding = std::iter::repeat_n(b'0', decimals - fraction.len());
        for digit in whole.bytes().chain(fraction.bytes()).chain(padding) {
            minor = minor.checked_mul(10).ok_or(MoneyError::TooLarge)?;
            minor = minor.checked_add(i64::from(digit - b'0')).ok_or(MoneyError::TooLarge)?;
        }
        let signed = if text.starts_with('-') { -minor } else { minor };
        Money(signed).in_bounds()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        Iso::from_code(text)
            .filter(|currency| currency.exponent().is_some())
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

/// For fuzzers: any text is a currency, an amount of each or a way to round, or refused by name; what was read shows and reads back the same.
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(currency) = text.parse::<Currency>() {
        assert_eq!(currency.code().parse(), Ok(currency));
    }
    // None, two, three and four decimals.
    for currency in [Iso::JPY, Iso::EUR, Iso::KWD, Iso::CLF].map(Currency) {
        if let Ok(amount) = currency.parse_amount(&text) {
            assert_eq!(amount.in_bounds(), Ok(amount));
            assert_eq!(currency.parse_amount(&currency.digits(amount)), Ok(amount));
        }
    }
    if let Ok(rounding) = text.parse::<Rounding>() {
        assert_eq!(rounding.word(), text);
    }
    drop(text.parse::<Unit>());
}

#[cfg(test)]
#[path = "money_tests.rs"]
mod tests;
