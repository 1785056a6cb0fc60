//! Whole numbers and fractions of them; no decimals, no library.

use serde::Deserialize;

use super::Problem;

/// A decimal text such as `0.19` or `12.5`, as a whole number of millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Fraction(pub i128);

pub const MILLION: i128 = 1_000_000;

impl TryFrom<String> for Fraction {
    type Error = Problem;
    fn try_from(text: String) -> Result<Self, Problem> {
        let wrong = || format!("{text:?} is no decimal text");
        let (whole, digits) = text.split_once('.').unwrap_or((&text, ""));
        if digits.len() > 6 || whole.is_empty() {
            return Err(wrong());
        }
        let whole: i128 = whole.parse().map_err(|_| wrong())?;
        let part: i128 = format!("{digits:0<6}").parse().map_err(|_| wrong())?;
        Ok(Self(whole * MILLION + part))
    }
}

/// How a half is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Halves {
    #[default]
    Away,
    Even,
    Down,
}

/// `top / bottom` to the nearest whole number. `bottom` is more than nothing.
pub fn rounded(top: i128, bottom: i128, halves: Halves) -> i128 {
    let (whole, rest) = (top.abs() / bottom, top.abs() % bottom);
    let up = match (rest * 2).cmp(&bottom) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => match halves {
            Halves::Away => true,
            Halves::Even => whole % 2 == 1,
            Halves::Down => false,
        },
    };
    (whole + i128::from(up)) * top.signum()
}

/// A price for so many thousandths.
pub fn times(price: i128, thousandths: i128) -> i128 {
    rounded(price * thousandths, 1000, Halves::Away)
}

/// So many percent of an amount.
pub fn percent(amount: i128, percent: Fraction) -> i128 {
    rounded(amount * percent.0, 100 * MILLION, Halves::Away)
}

/// An amount cut into parts by weights: the k-th running total is cut down toward nothing.
pub fn share(amount: i128, weights: &[i128]) -> Vec<i128> {
    let all: i128 = weights.iter().sum();
    let (mut weight, mut given) = (0, 0);
    let mut parts = Vec::new();
    for part in weights {
        weight += part;
        let until_here = if all == 0 { 0 } else { amount * weight / all };
        parts.push(until_here - given);
        given = until_here;
    }
    parts
}
