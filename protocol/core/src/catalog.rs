//! What a shop sells and for how much: an immutable snapshot that many readers hold, and price changes that begin at an instant.
//!
//! Looking up by any scanned code is one look into a table of hashes, at a million items too. How price books and promotions make a
//! price of it is in `price`.

mod category;
mod fault;
mod file;
mod index;
mod item;
mod shelf;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::category::LONGEST_CATEGORY;
pub(crate) use self::category::is_path;
pub use self::fault::{CatalogError, ItemFault};
pub use self::file::{BundlePart, CatalogFile, FileItem, SoldBy, Track, Unit};
pub use self::item::Item;
pub(crate) use self::shelf::Shelf;
use crate::barcode::Gtin;
use crate::money::{Currency, LARGEST_AMOUNT, Money};
use crate::price::Offers;
use crate::tax::{self, PriceMode, TaxClass};
use crate::time::Instant;

/// Our own number of an item: 1 to 32 of letters, digits, `.`, `_`, `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sku(Box<str>);

fn clean_sku(text: &str) -> bool {
    let clean = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    clean && (1..=32).contains(&text.len())
}

impl Sku {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Sku {
    type Err = CatalogError;
    fn from_str(text: &str) -> Result<Self, CatalogError> {
        if clean_sku(text) {
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

/// For fuzzers: any text is an item number or a category, or refused by name; an item number reads back the same. The whole file arrives as
/// JSON and is fed there.
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(sku) = text.parse::<Sku>() {
        assert_eq!(sku.as_str(), text);
    }
    if is_path(&text) {
        let mut categories = category::Categories::default();
        let number = categories.number(&text);
        assert_eq!(categories.path(number), Some(&*text));
    }
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

/// What a catalog says of itself, without its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    pub version: u64,
    pub currency: Currency,
    pub prices: PriceMode,
    pub units: Vec<Unit>,
}

/// The snapshot registers sell from. A copy shares the items; replacing it is swapping one `Arc`.
#[derive(Clone, Debug)]
pub struct Catalog {
    heading: Arc<Heading>,
    shelf: Arc<Shelf>,
    offers: Arc<Offers>,
    taxes: Arc<tax::Rules>,
    /// Prices set by directives: by item, instant and directive, so that the last one before an instant counts.
    scheduled: BTreeMap<(u32, Instant, u64), Money>,
    last_directive: u64,
}

impl Catalog {
    pub fn new(file: CatalogFile) -> Result<Self, CatalogError> {
        let taxes = tax::Rules::new(file.prices, file.tax_policy, &file.tax_classes, &file.tax_holidays);
        let mut shelf = Shelf::new(file.items, file.tax_classes, &file.units)?;
        let offers = Offers::new(file.version, file.price_books, file.promotions, &mut shelf)?;
        let heading = Heading {
            version: file.version,
            currency: file.currency,
            prices: file.prices,
            units: file.units,
        };
        Ok(Self {
            heading: Arc::new(heading),
            shelf: Arc::new(shelf),
            offers: Arc::new(offers),
            // After the shelf, whose words for a class that is there twice name the catalog.
            taxes: Arc::new(taxes?),
            scheduled: BTreeMap::new(),
            last_directive: 0,
        })
    }

    /// The catalog's own words; its items are asked one by one.
    pub fn file(&self) -> &Heading {
        &self.heading
    }

    pub fn version(&self) -> u64 {
        self.heading.version
    }

    pub fn currency(&self) -> Currency {
        self.heading.currency
    }

    /// The price books and promotions, ready to be asked.
    pub fn offers(&self) -> &Arc<Offers> {
        &self.offers
    }

    /// All that decides about taxes in this store.
    pub fn taxes(&self) -> &Arc<tax::Rules> {
        &self.taxes
    }

    pub(crate) fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.shelf.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All items in the order of the file.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        (0..self.len()).filter_map(|at| self.shelf.item(at as u32))
    }

    pub fn by_gtin(&self, gtin: Gtin) -> Option<Item<'_>> {
        self.shelf.item(self.shelf.by_gtin(gtin)?)
    }

    /// By an in-store code or, when nothing carries that code, by the item number itself.
    pub fn by_text(&self, text: &str) -> Option<Item<'_>> {
        self.shelf.item(self.shelf.by_text(text)?)
    }

    pub fn by_sku(&self, sku: &Sku) -> Option<Item<'_>> {
        self.shelf.item(self.shelf.by_sku(sku.as_str())?)
    }

    /// Items of which each of the words is in the name, or begins the item number or one of its codes; all items without words.
    pub fn search(&self, words: &str) -> impl Iterator<Item = Item<'_>> {
        let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        let fits = move |item: &Item<'_>| {
            let (name, sku) = (item.name().to_lowercase(), item.sku_text().to_lowercase());
            let found = |word: &String| {
                name.contains(word.as_str()) || sku.starts_with(word.as_str()) || item.codes().any(|code| code.starts_with(word.as_str()))
            };
            words.iter().all(found)
        };
        self.items().filter(fits)
    }

    pub fn tax_class(&self, code: &str) -> Option<&TaxClass> {
        self.tax_classes().iter().find(|class| class.code == code)
    }

    pub fn tax_classes(&self) -> &[TaxClass] {
        self.shelf.classes()
    }

    /// The list price at an instant, or the one a directive has set: a ticket asks with the instant of its first line, so that a change
    /// never meets a half-sold basket. Price books are asked in `price`.
    pub fn price(&self, item: Item<'_>, at: Instant) -> (Money, PriceVersion) {
        let base = PriceVersion {
            catalog: self.version(),
            directive: 0,
        };
        // Told by the number, as the item may come from another copy.
        let found = if self.scheduled.is_empty() {
            None
        } else {
            self.shelf.by_sku(item.sku_text())
        };
        let current = found.and_then(|found| {
            let until = self.scheduled.range((found, Instant::EARLIEST, 0)..=(found, at, u64::MAX));
            until.last()
        });
        match current {
            Some(((_, _, directive), price)) => (
                *price,
                PriceVersion {
                    directive: *directive,
                    ..base
                },
            ),
            None => (item.list_price(), base),
        }
    }

    /// Checks a price change without applying it.
    pub fn check(&self, change: &PriceChange) -> Result<(), CatalogError> {
        self.item_of(change).map(|_| ())
    }

    fn item_of(&self, change: &PriceChange) -> Result<u32, CatalogError> {
        let Some(at) = self.shelf.by_sku(change.sku.as_str()) else {
            return Err(CatalogError::UnknownItem { sku: change.sku.clone() });
        };
        if change.currency != self.currency() {
            return Err(CatalogError::OtherCurrency {
                given: change.currency.code().into(),
                ours: self.currency().code().into(),
            });
        }
        if !(0..=LARGEST_AMOUNT).contains(&change.price.0) {
            return Err(CatalogError::Price {
                sku: change.sku.clone(),
                price: change.price.0,
            });
        }
        Ok(at)
    }

    /// Takes a checked price change in; of two for the same instant the later directive counts.
    pub fn schedule(&mut self, directive: u64, change: &PriceChange) -> Result<(), CatalogError> {
        let at = self.item_of(change)?;
        self.scheduled.insert((at, change.effective_at, directive), change.price);
        self.last_directive = self.last_directive.max(directive);
        Ok(())
    }

    pub fn last_directive(&self) -> u64 {
        self.last_directive
    }
}
