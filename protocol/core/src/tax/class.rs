//! A kind of goods as the tax office sees it: up to four taxes, one after the other, some of them on top of those before.

use serde::{Deserialize, Serialize};

use super::{DECIMALS, ONE, Rate, TaxError};
use crate::money::Rounding;

/// Country, province, county, city.
pub const MOST_TAXES: usize = 4;

/// A rate somebody writes down has at most so many decimals.
const WRITTEN_DECIMALS: u32 = 6;

/// One tax of a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    /// As the receipt names it: `GST`.
    pub tax: String,
    pub rate: Rate,
    /// Taken of the price with the taxes before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compound: bool,
}

/// A kind of goods as the tax office sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct TaxClass {
    /// Short, as printed beside a line: `A`, `B`.
    pub code: String,
    pub name: String,
    /// All its taxes together, on the net price.
    pub rate: Rate,
    taxes: Vec<Tax>,
}

/// A class as catalog files hold it: one `rate`, or `taxes`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    code: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate: Option<Rate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taxes: Option<Vec<Tax>>,
}

/// Which of a class's taxes, by their place: bit 0 is the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Places(u8);

impl Places {
    pub fn with(self, place: usize) -> Places {
        Places(self.0 | 1 << place)
    }

    pub fn and(self, other: Places) -> Places {
        Places(self.0 | other.0)
    }

    pub fn holds(self, place: usize) -> bool {
        self.0 >> place & 1 == 1
    }
}

/// What each tax comes to on one unit of net price, in trillionths; nothing where there is no such tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Factors(pub [i128; MOST_TAXES]);

impl Factors {
    pub fn sum(&self) -> i128 {
        self.0.iter().sum()
    }

    fn of(taxes: &[Tax], without: Places) -> Factors {
        let mut factors = [0; MOST_TAXES];
        let mut before = 0;
        for (place, tax) in taxes.iter().enumerate().take(MOST_TAXES) {
            if without.holds(place) {
                continue;
            }
            let rate = tax.rate.trillionths();
            // At most 1 times 5, both with twelve decimals: far inside the number, so the division has an answer.
            let compound = || Rounding::HALF_AWAY.divide(rate * (ONE + before), ONE).unwrap_or(rate);
            factors[place] = if tax.compound { compound() } else { rate };
            before += factors[place];
        }
        Factors(factors)
    }
}

fn printable(text: &str, longest: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= longest && !text.chars().any(char::is_control)
}

impl TaxClass {
    /// A class with one tax, named like its code.
    pub fn simple(code: &str, name: &str, rate: Rate) -> Result<Self, TaxError> {
        let tax = Tax {
            tax: code.to_owned(),
            rate,
            compound: false,
        };
        TaxClass::new(code, name, vec![tax])
    }

    pub fn new(code: &str, name: &str, taxes: Vec<Tax>) -> Result<Self, TaxError> {
        let wrong = |why| TaxError::Class {
            code: code.chars().take(20).collect(),
            why,
        };
        if !printable(code, 20) {
            return Err(wrong("has a code that is empty, too long or not printable; use a letter or two"));
        }
        if name.chars().count() > 80 || name.chars().any(char::is_control) {
            return Err(wrong("has a name that is too long or not printable"));
        }
        if taxes.is_empty() || taxes.len() > MOST_TAXES {
            return Err(wrong("needs one to four taxes; goods without tax have one of rate 0"));
        }
        let mut total: i128 = 0;
        for (place, tax) in taxes.iter().enumerate() {
            if !printable(&tax.tax, 40) {
                return Err(wrong("has a tax without a printable name of at most 40 characters"));
            }
            if taxes[..place].iter().any(|before| before.tax == tax.tax) {
                return Err(wrong("has two taxes of one name; name them apart"));
            }
            if tax.rate.trillionths() > ONE || tax.rate.trillionths() % 10_i128.pow(DECIMALS - WRITTEN_DECIMALS) != 0 {
                return Err(wrong("has a rate above 1 or with more than six decimals; write 19 % as 0.19"));
            }
        }
        total += Factors::of(&taxes, Places::default()).sum();
        let rate = Rate::from_trillionths(total).map_err(|_| wrong("has taxes of more than four times the price"))?;
        Ok(Self {
            code: code.to_owned(),
            name: name.to_owned(),
            rate,
            taxes,
        })
    }

    /// One to four.
    pub fn taxes(&self) -> &[Tax] {
        &self.taxes
    }

    pub(super) fn factors(&self, without: Places) -> Factors {
        Factors::of(&self.taxes, without)
    }

    /// The places of the taxes with these names; all when no name is given.
    pub(super) fn places(&self, names: &[String]) -> Places {
        let named = |tax: &Tax| names.is_empty() || names.contains(&tax.tax);
        let places = self.taxes.iter().enumerate().filter(|(_, tax)| named(tax));
        places.fold(Places::default(), |places, (place, _)| places.with(place))
    }
}

impl TryFrom<Written> for TaxClass {
    type Error = TaxError;
    fn try_from(written: Written) -> Result<Self, TaxError> {
        match (written.rate, written.taxes) {
            (Some(rate), None) => TaxClass::simple(&written.code, &written.name, rate),
            (None, Some(taxes)) => TaxClass::new(&written.code, &written.name, taxes),
            _ => Err(TaxError::Class {
                code: written.code.chars().take(20).collect(),
                why: "needs either a rate or taxes",
            }),
        }
    }
}

impl From<TaxClass> for Written {
    fn from(class: TaxClass) -> Written {
        let simple = class.taxes.len() == 1 && class.taxes[0].tax == class.code && !class.taxes[0].compound;
        Written {
            rate: simple.then_some(class.rate),
            taxes: (!simple).then_some(class.taxes),
            code: class.code,
            name: class.name,
        }
    }
}
