//! What a store was told about taxes: its classes, its policy, its tax holidays; and what holds for one document.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::class::{Places, TaxClass};
use super::{PriceMode, TaxError};
use crate::money::{Halves, LARGEST_AMOUNT, Money};

/// Where the one rounding happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundingPlace {
    /// Each tax of each line.
    #[default]
    Line,
    /// Each tax of each class.
    Tax,
    /// The sum of all taxes of the document.
    Document,
}

/// One per store; nothing else decides about a cent of tax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    #[serde(default)]
    pub rounding: RoundingPlace,
    #[serde(default)]
    pub halves: Halves,
}

/// Days on which some taxes of some goods are nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    pub name: String,
    /// Civil dates of the shop, both included.
    pub from: Date,
    pub to: Date,
    pub classes: Vec<String>,
    /// All taxes of the classes when none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<String>,
    /// Only for goods whose unit price is at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_unit_price: Option<Money>,
}

/// A customer who does not pay some taxes, and the code of the reason why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// All taxes when none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<String>,
    pub reason: String,
}

/// What holds for one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// The shop's civil date on which the document is settled.
    pub day: Date,
    pub exemption: Option<Exemption>,
}

impl Circumstances {
    /// A day like any other.
    pub fn on(day: Date) -> Self {
        Self { day, exemption: None }
    }
}

/// All that decides about taxes in a store, checked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    mode: PriceMode,
    policy: Policy,
    holidays: Vec<Holiday>,
    /// In the order of their codes, which is the order of every sum.
    classes: Vec<TaxClass>,
    places: BTreeMap<String, usize>,
}

/// A holiday that holds today, as one class sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Relief {
    taxes: Places,
    max_unit_price: Option<Money>,
}

/// One class on one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Today {
    reliefs: Vec<Relief>,
    pub exempt: Places,
}

impl Today {
    /// The taxes that are nothing today for goods of this unit price.
    pub fn relieved(&self, unit_price: Money) -> Places {
        let fits = |relief: &&Relief| relief.max_unit_price.is_none_or(|most| unit_price <= most);
        let holding = self.reliefs.iter().filter(fits);
        holding.fold(Places::default(), |places, relief| places.and(relief.taxes))
    }
}

impl Rules {
    pub fn new(mode: PriceMode, policy: Policy, classes: &[TaxClass], holidays: &[Holiday]) -> Result<Self, TaxError> {
        let mut classes = classes.to_vec();
        classes.sort_by(|a, b| a.code.cmp(&b.code));
        let mut places = BTreeMap::new();
        for (place, class) in classes.iter().enumerate() {
            if places.insert(class.code.clone(), place).is_some() {
                return Err(TaxError::ClassTwice { code: class.code.clone() });
            }
        }
        let rules = Self {
            mode,
            policy,
            holidays: holidays.to_vec(),
            classes,
            places,
        };
        for holiday in &rules.holidays {
            rules.check(holiday)?;
        }
        Ok(rules)
    }

    fn check(&self, holiday: &Holiday) -> Result<(), TaxError> {
        let wrong = |why| {
            Err(TaxError::Holiday {
                name: holiday.name.chars().take(40).collect(),
                why,
            })
        };
        let printable = !holiday.name.trim().is_empty() && !holiday.name.chars().any(char::is_control);
        if !printable || holiday.name.chars().count() > 80 {
            return wrong("needs a printable name of at most 80 characters");
        }
        if holiday.from > holiday.to {
            return wrong("ends before it begins; swap the dates");
        }
        if holiday.classes.is_empty() {
            return wrong("names no tax class; say which goods it is for");
        }
        if holiday.max_unit_price.is_some_and(|most| !(0..=LARGEST_AMOUNT).contains(&most.0)) {
            return wrong("has a highest unit price that no goods can have");
        }
        let mut named = Vec::with_capacity(holiday.classes.len());
        for code in &holiday.classes {
            named.push(self.class(code)?);
        }
        known_taxes(&holiday.taxes, &named)
    }

    pub fn mode(&self) -> PriceMode {
        self.mode
    }

    pub fn policy(&self) -> Policy {
        self.policy
    }

    pub fn holidays(&self) -> &[Holiday] {
        &self.holidays
    }

    /// In the order of their codes.
    pub fn classes(&self) -> &[TaxClass] {
        &self.classes
    }

    pub fn class(&self, code: &str) -> Result<&TaxClass, TaxError> {
        self.place(code).map(|place| &self.classes[place])
    }

    pub(super) fn place(&self, code: &str) -> Result<usize, TaxError> {
        self.places.get(code).copied().ok_or_else(|| TaxError::UnknownClass {
            code: code.chars().take(20).collect(),
        })
    }

    /// Each class as these circumstances leave it.
    pub(super) fn today(&self, circumstances: &Circumstances) -> Result<Vec<Today>, TaxError> {
        if let Some(exemption) = &circumstances.exemption {
            let printable = !exemption.reason.trim().is_empty() && !exemption.reason.chars().any(char::is_control);
            if !printable || exemption.reason.chars().count() > 40 {
                return Err(TaxError::Reason);
            }
            let all: Vec<&TaxClass> = self.classes.iter().collect();
            known_taxes(&exemption.taxes, &all)?;
        }
        let class_today = |class: &TaxClass| {
            let holds =
                |holiday: &&Holiday| (holiday.from..=holiday.to).contains(&circumstances.day) && holiday.classes.contains(&class.code);
            let relief = |holiday: &Holiday| Relief {
                taxes: class.places(&holiday.taxes),
                max_unit_price: holiday.max_unit_price,
            };
            Today {
                reliefs: self.holidays.iter().filter(holds).map(relief).collect(),
                exempt: match &circumstances.exemption {
                    Some(exemption) => class.places(&exemption.taxes),
                    None => Places::default(),
                },
            }
        };
        Ok(self.classes.iter().map(class_today).collect())
    }
}

fn known_taxes(names: &[String], classes: &[&TaxClass]) -> Result<(), TaxError> {
    for name in names {
        let known = classes.iter().any(|class| class.taxes().iter().any(|tax| tax.tax == *name));
        if !known {
            return Err(TaxError::UnknownTax {
                tax: name.chars().take(40).collect(),
            });
        }
    }
    Ok(())
}
