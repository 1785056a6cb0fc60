//! What a shop sells and for how much: an immutable snapshot that many readers hold, and price changes that begin at an instant.
//!
//! Looking up by any scanned code is one hash lookup. Promotions, variants and price books are not here yet.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::barcode::Gtin;
use crate::money::{Currency, LARGEST_AMOUNT, Money};
use crate::tax::{PriceMode, TaxClass};
use crate::time::Instant;

/// Our own number of an item: 1 to 32 of letters, digits, `.`, `_`, `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sku(Box<str>);

impl Sku {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Sku {
    type Err = CatalogError;
    fn from_str(text: &str) -> Result<Self, CatalogError> {
        let clean = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if clean && (1..=32).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(CatalogError::Sku {
                text: text.chars().take(40).collect(),
            })
        }
    }
}

impl TryFrom<String> for Sku {
    type Error = CatalogError;
    fn try_from(text: String) -> Result<Self, CatalogError> {
        text.parse()
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> String {
        sku.0.into()
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why a catalog or a price change can not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    #[error("{text:?} is not an item number; use 1 to 32 letters, digits, '.', '_' or '-'")]
    Sku { text: String },
    #[error("item {sku} is in the catalog twice")]
    SkuTwice { sku: Sku },
    #[error("code {code:?} belongs to both {first} and {second}")]
    CodeTwice { code: String, first: Sku, second: Sku },
    #[error("item {sku} names tax class {class:?}, which the catalog does not define")]
    UnknownTaxClass { sku: Sku, class: String },
    #[error("item {sku} has a name that is empty, too long or not printable")]
    Name { sku: Sku },
    #[error("item {sku} has price {price}; a price is between 0 and {LARGEST_AMOUNT} minor units")]
    Price { sku: Sku, price: i64 },
    #[error("item {sku} is not in the catalog")]
    UnknownItem { sku: Sku },
    #[error("the price is in {given}, the catalog in {ours}")]
    OtherCurrency { given: String, ours: String },
}

/// One thing that can be sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    pub sku: Sku,
    pub name: String,
    /// Every code a scanner may read for it: GTINs of any length, in-store codes.
    #[serde(default)]
    pub codes: Vec<String>,
    pub tax_class: String,
    pub price: Money,
    #[serde(default)]
    pub sold_by: SoldBy,
}

/// Whether parts of a unit can be sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoldBy {
    #[default]
    Piece,
    /// By weight or length: thousandths of the unit in which the price is.
    Measure,
}

/// The catalog as a file: what head office writes, what lies beside the journal under its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogFile {
    pub version: u64,
    pub currency: Currency,
    pub prices: PriceMode,
    pub tax_classes: Vec<TaxClass>,
    pub items: Vec<Item>,
}

/// A price that begins at an instant, set by a directive of head office.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceChange {
    pub sku: Sku,
    pub price: Money,
    pub currency: Currency,
    pub effective_at: Instant,
}

/// Which price list a price came from: the catalog's version and the directive that changed it, if one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PriceVersion {
    pub catalog: u64,
    pub directive: u64,
}

impl fmt::Display for PriceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.directive {
            0 => write!(f, "catalog {}", self.catalog),
            number => write!(f, "catalog {} with directive {number}", self.catalog),
        }
    }
}

#[derive(Clone, Debug)]
struct Scheduled {
    from: Instant,
    directive: u64,
    price: Money,
}

/// The snapshot registers sell from. Replacing it is swapping one `Arc`.
#[derive(Clone, Debug)]
pub struct Catalog {
    file: CatalogFile,
    by_gtin: HashMap<Gtin, u32>,
    by_text: HashMap<Box<str>, u32>,
    by_sku: HashMap<Sku, u32>,
    scheduled: HashMap<u32, Vec<Scheduled>>,
    last_directive: u64,
}

impl Catalog {
    pub fn new(file: CatalogFile) -> Result<Self, CatalogError> {
        let mut catalog = Self {
            by_gtin: HashMap::with_capacity(file.items.len()),
            by_text: HashMap::new(),
            by_sku: HashMap::with_capacity(file.items.len()),
            scheduled: HashMap::new(),
            last_directive: 0,
            file,
        };
        for index in 0..catalog.file.items.len() {
            catalog.index(index)?;
        }
        Ok(catalog)
    }

    fn index(&mut self, index: usize) -> Result<(), CatalogError> {
        let item = &self.file.items[index];
        let sku = item.sku.clone();
        let name_fits = (1..=80).contains(&item.name.chars().count()) && !item.name.chars().any(char::is_control);
        if !name_fits {
            return Err(CatalogError::Name { sku });
        }
        if !(0..=LARGEST_AMOUNT).contains(&item.price.0) {
            return Err(CatalogError::Price { sku, price: item.price.0 });
        }
        if !self.file.tax_classes.iter().any(|class| class.code == item.tax_class) {
            return Err(CatalogError::UnknownTaxClass {
                sku,
                class: item.tax_class.clone(),
            });
        }
        let at = index as u32;
        for code in &item.codes {
            let before = match code.parse::<Gtin>() {
                Ok(gtin) => self.by_gtin.insert(gtin, at),
                Err(_) => self.by_text.insert(code.as_str().into(), at),
            };
            if let Some(before) = before.filter(|before| *before != at) {
                let first = self.file.items[before as usize].sku.clone();
                return Err(CatalogError::CodeTwice {
                    code: code.clone(),
                    first,
                    second: sku,
                });
            }
        }
        match self.by_sku.insert(sku.clone(), at) {
            Some(_) => Err(CatalogError::SkuTwice { sku }),
            None => Ok(()),
        }
    }

    pub fn file(&self) -> &CatalogFile {
        &self.file
    }

    pub fn currency(&self) -> Currency {
        self.file.currency
    }

    pub fn by_gtin(&self, gtin: Gtin) -> Option<&Item> {
        self.by_gtin.get(&gtin).map(|at| &self.file.items[*at as usize])
    }

    /// By an in-store code or, when nothing carries that code, by the item number itself.
    pub fn by_text(&self, text: &str) -> Option<&Item> {
        if let Some(at) = self.by_text.get(text) {
            return Some(&self.file.items[*at as usize]);
        }
        text.parse().ok().and_then(|sku| self.by_sku(&sku))
    }

    pub fn by_sku(&self, sku: &Sku) -> Option<&Item> {
        self.by_sku.get(sku).map(|at| &self.file.items[*at as usize])
    }

    /// Items of which each of the words is in the name, or begins the item number or one of its codes; all items without words.
    pub fn search(&self, words: &str) -> impl Iterator<Item = &Item> {
        let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        let fits = move |item: &&Item| {
            let (name, sku) = (item.name.to_lowercase(), item.sku.to_string().to_lowercase());
            let found = |word: &String| {
                name.contains(word.as_str())
                    || sku.starts_with(word.as_str())
                    || item.codes.iter().any(|code| code.starts_with(word.as_str()))
            };
            words.iter().all(found)
        };
        self.file.items.iter().filter(fits)
    }

    pub fn tax_class(&self, code: &str) -> Option<&TaxClass> {
        self.file.tax_classes.iter().find(|class| class.code == code)
    }

    /// The price at an instant: a ticket asks with the instant of its first line, so that a change never meets a half-sold basket.
    pub fn price(&self, item: &Item, at: Instant) -> (Money, PriceVersion) {
        let base = PriceVersion {
            catalog: self.file.version,
            directive: 0,
        };
        let changes = self.by_sku.get(&item.sku).and_then(|index| self.scheduled.get(index));
        let current = changes
            .into_iter()
            .flatten()
            .filter(|change| change.from <= at)
            .max_by_key(|change| (change.from, change.directive));
        match current {
            Some(change) => (
                change.price,
                PriceVersion {
                    directive: change.directive,
                    ..base
                },
            ),
            None => (item.price, base),
        }
    }

    /// Checks a price change without applying it.
    pub fn check(&self, change: &PriceChange) -> Result<(), CatalogError> {
        if self.by_sku(&change.sku).is_none() {
            return Err(CatalogError::UnknownItem { sku: change.sku.clone() });
        }
        if change.currency != self.file.currency {
            return Err(CatalogError::OtherCurrency {
                given: change.currency.code().into(),
                ours: self.file.currency.code().into(),
            });
        }
        if !(0..=LARGEST_AMOUNT).contains(&change.price.0) {
            return Err(CatalogError::Price {
                sku: change.sku.clone(),
                price: change.price.0,
            });
        }
        Ok(())
    }

    /// Takes a checked price change in; of two for the same instant the later directive counts.
    pub fn schedule(&mut self, directive: u64, change: &PriceChange) -> Result<(), CatalogError> {
        self.check(change)?;
        let Some(index) = self.by_sku.get(&change.sku) else {
            return Err(CatalogError::UnknownItem { sku: change.sku.clone() });
        };
        let scheduled = Scheduled {
            from: change.effective_at,
            directive,
            price: change.price,
        };
        self.scheduled.entry(*index).or_default().push(scheduled);
        self.last_directive = self.last_directive.max(directive);
        Ok(())
    }

    pub fn last_directive(&self) -> u64 {
        self.last_directive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> CatalogFile {
        serde_json::from_value(serde_json::json!({
            "version": 3, "currency": "EUR", "prices": "inclusive",
            "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}],
            "items": [
                {"sku": "TEE-M", "name": "T-shirt M", "codes": ["4006381333931", "TEE"], "tax_class": "A", "price": 1990},
                {"sku": "MUG", "name": "Mug", "tax_class": "A", "price": 850}
            ]
        }))
        .unwrap()
    }

    fn at(second: i64) -> Instant {
        Instant::from_micros(second * 1_000_000).unwrap()
    }

    #[test]
    fn an_item_is_found_by_each_of_its_codes() {
        let catalog = Catalog::new(file()).unwrap();
        let gtin = "4006381333931".parse().unwrap();
        assert_eq!(catalog.by_gtin(gtin).unwrap().sku.as_str(), "TEE-M");
        assert_eq!(catalog.by_text("TEE").unwrap().sku.as_str(), "TEE-M");
        assert_eq!(catalog.by_text("MUG").unwrap().name, "Mug");
        assert!(catalog.by_text("NOPE").is_none());
    }

    #[test]
    fn a_price_change_begins_at_its_instant_and_says_which_directive_set_it() {
        let mut catalog = Catalog::new(file()).unwrap();
        let change = PriceChange {
            sku: "MUG".parse().unwrap(),
            price: Money(700),
            currency: catalog.currency(),
            effective_at: at(100),
        };
        catalog.schedule(7, &change).unwrap();
        let mug = catalog.by_text("MUG").unwrap();
        assert_eq!(catalog.price(mug, at(99)), (Money(850), PriceVersion { catalog: 3, directive: 0 }));
        assert_eq!(catalog.price(mug, at(100)), (Money(700), PriceVersion { catalog: 3, directive: 7 }));
    }

    #[test]
    fn mistakes_in_a_catalog_are_named() {
        let mut twice = file();
        twice.items[1].codes.push("TEE".into());
        assert_eq!(
            Catalog::new(twice).unwrap_err().to_string(),
            "code \"TEE\" belongs to both TEE-M and MUG"
        );
        let mut negative = file();
        negative.items[0].price = Money(-1);
        assert!(matches!(Catalog::new(negative), Err(CatalogError::Price { .. })));
        let mut class = file();
        class.items[0].tax_class = "Z".into();
        assert!(matches!(Catalog::new(class), Err(CatalogError::UnknownTaxClass { .. })));
    }
}
