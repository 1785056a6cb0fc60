//! All price books and promotions of a catalog: checked once, sorted by the order in which they count, and found by the goods they name.
//!
//! Part of the catalog's snapshot. Decides nothing about a basket.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::book::{Book, Books};
use super::circumstances::{Circumstances, OfferId};
use super::fits::{Fit, Fits};
use super::promotion::{On, Promotion, PromotionFault, Round};
use crate::catalog::{CatalogError, Shelf};
use crate::money::{Money, Quantity};

/// More promotions than any shop runs.
pub const MOST_PROMOTIONS: usize = 100_000;
/// Items and categories that all promotions name together.
pub const MOST_WORDS: usize = 5_000_000;

/// A part of a promotion.
#[derive(Clone, Copy, Debug)]
struct Naming {
    promotion: u32,
    part: u8,
}

/// What a catalog offers beyond its list prices.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    version: u64,
    books: Books,
    /// The one that goes first at the front: by priority, then by id. A promotion's number is its place here.
    promotions: Vec<Promotion>,
    by_item: HashMap<u32, Vec<Naming>>,
    by_category: HashMap<u32, Vec<Naming>>,
    for_all: Vec<Naming>,
    /// Goods that a part leaves out.
    excepted: BTreeSet<(u32, u8, u32)>,
}

impl Offers {
    pub(crate) fn new(version: u64, books: Vec<Book>, mut promotions: Vec<Promotion>, shelf: &mut Shelf) -> Result<Self, CatalogError> {
        promotions.sort_by(|a, b| (Reverse(a.priority), &a.id).cmp(&(Reverse(b.priority), &b.id)));
        let mut offers = Self {
            version,
            books: Books::new(books, shelf)?,
            ..Self::default()
        };
        let mut seen = BTreeSet::new();
        let mut words = 0;
        for (number, promotion) in promotions.iter().enumerate() {
            let fault = |why| CatalogError::Promotion {
                id: promotion.id.clone(),
                why,
            };
            if !seen.insert(&promotion.id) {
                return Err(fault(PromotionFault::Twice));
            }
            promotion.check().map_err(fault)?;
            for (part, on) in promotion.parts().iter().enumerate() {
                words += on.skus.len() + on.categories.len() + on.except.len();
                if number >= MOST_PROMOTIONS || words > MOST_WORDS {
                    return Err(fault(PromotionFault::TooMany));
                }
                let naming = Naming {
                    promotion: number as u32,
                    part: part as u8,
                };
                offers.note(naming, on, shelf).map_err(fault)?;
            }
        }
        drop(seen);
        offers.promotions = promotions;
        Ok(offers)
    }

    fn note(&mut self, naming: Naming, on: &On, shelf: &mut Shelf) -> Result<(), PromotionFault> {
        for sku in &on.except {
            let unknown = || PromotionFault::UnknownItem { sku: sku.clone() };
            let item = shelf.by_sku(sku.as_str()).ok_or_else(unknown)?;
            self.excepted.insert((naming.promotion, naming.part, item));
        }
        for sku in &on.skus {
            let unknown = || PromotionFault::UnknownItem { sku: sku.clone() };
            let item = shelf.by_sku(sku.as_str()).ok_or_else(unknown)?;
            self.by_item.entry(item).or_default().push(naming);
        }
        for path in &on.categories {
            let category = shelf.category_number(path);
            self.by_category.entry(category).or_default().push(naming);
        }
        if on.all {
            self.for_all.push(naming);
        }
        Ok(())
    }

    /// The version of the catalog in which they stand.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// How many promotions there are, whether they hold now or not.
    pub fn promotions(&self) -> usize {
        self.promotions.len()
    }

    pub(super) fn promotion(&self, number: u32) -> &Promotion {
        &self.promotions[number as usize]
    }

    pub(super) fn book_price(&self, item: u32, quantity: Quantity, circumstances: &Circumstances) -> Option<(Money, &OfferId)> {
        self.books.price(item, quantity, circumstances)
    }

    /// The promotions that hold now and look at this item. Asks only those that name it, its categories, or everything.
    pub(super) fn fits(&self, item: u32, shelf: &Shelf, circumstances: &Circumstances) -> Fits {
        let mut named: Vec<Naming> = self.by_item.get(&item).cloned().unwrap_or_default();
        for category in shelf.upwards(item) {
            named.extend(self.by_category.get(&category).into_iter().flatten());
        }
        named.extend(&self.for_all);
        named.retain(|naming| !self.excepted.contains(&(naming.promotion, naming.part, item)));
        named.sort_unstable_by_key(|naming| naming.promotion);
        let mut fits = Fits::default();
        for same in named.chunk_by(|a, b| a.promotion == b.promotion) {
            let number = same[0].promotion;
            let promotion = self.promotion(number);
            if !promotion.holds(circumstances) {
                continue;
            }
            match promotion.round() {
                Round::Units => fits.units.push(Fit {
                    promotion: number,
                    parts: same.iter().fold(0, |parts, naming| parts | 1 << naming.part),
                    rival: false,
                }),
                Round::Stacks => fits.stacks.push(number),
                Round::Basket => fits.basket.push(number),
            }
        }
        fits.find_rivals(|number| self.promotion(number).priority);
        fits
    }
}
