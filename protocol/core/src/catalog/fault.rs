//! What can be wrong with a catalog, named by the item, book or promotion it is wrong with.

use super::shelf::{LONGEST_CODE, MOST_CODES, MOST_ITEMS, MOST_OPTIONS, MOST_PARTS};
use super::{LONGEST_CATEGORY, Sku};
use crate::money::LARGEST_AMOUNT;
use crate::price::{BookFault, OfferId, PromotionFault};
use crate::tax::TaxError;

/// Why a catalog or a price change can not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    #[error("{text:?} is not an item number; use 1 to 32 letters, digits, '.', '_' or '-'")]
    Sku { text: String },
    #[error("item {sku} is in the catalog twice; leave one of them out")]
    SkuTwice { sku: Sku },
    #[error("code {code:?} belongs to both {first} and {second}; take it from one of them")]
    CodeTwice { code: String, first: Sku, second: Sku },
    #[error("item {sku} names tax class {class:?}, which the catalog does not define; add the class or name another")]
    UnknownTaxClass { sku: Sku, class: String },
    #[error("item {sku} has a name that is empty, too long or not printable; write what shall stand on the receipt")]
    Name { sku: Sku },
    #[error("item {sku} has price {price}; a price is between 0 and {LARGEST_AMOUNT} minor units")]
    Price { sku: Sku, price: i64 },
    #[error("item {sku} is not in the catalog; check the number or add the item")]
    UnknownItem { sku: Sku },
    #[error("the price is in {given}, the catalog in {ours}; tell the price in {ours}")]
    OtherCurrency { given: String, ours: String },
    #[error("the catalog holds more than {MOST_ITEMS} items or too much text; leave out what is not sold")]
    TooLarge,
    #[error("tax class {code:?} is in the catalog twice; leave one of them out")]
    TaxClassTwice { code: String },
    #[error("unit {code:?} is in the catalog twice, or its code or name is empty, too long or not printable; correct the list of units")]
    Unit { code: String },
    #[error("item {sku}: {why}")]
    Item { sku: Sku, why: ItemFault },
    #[error("price book {id}: {why}")]
    Book { id: OfferId, why: BookFault },
    #[error("promotion {id}: {why}")]
    Promotion { id: OfferId, why: PromotionFault },
    #[error("{0}")]
    Tax(#[from] TaxError),
}

impl CatalogError {
    /// Stable for programs, where the sentence may be worded better one day.
    pub fn code(&self) -> &'static str {
        match self {
            CatalogError::Sku { .. } => "sku",
            CatalogError::SkuTwice { .. } => "sku_twice",
            CatalogError::CodeTwice { .. } => "code_twice",
            CatalogError::UnknownTaxClass { .. } => "unknown_tax_class",
            CatalogError::Name { .. } => "name",
            CatalogError::Price { .. } => "price",
            CatalogError::UnknownItem { .. } => "unknown_item",
            CatalogError::OtherCurrency { .. } => "other_currency",
            CatalogError::TooLarge => "catalog_too_large",
            CatalogError::TaxClassTwice { .. } => "tax_class_twice",
            CatalogError::Unit { .. } => "unit",
            CatalogError::Item { .. } => "item",
            CatalogError::Book { .. } => "price_book",
            CatalogError::Promotion { .. } => "promotion",
            CatalogError::Tax(error) => error.code(),
        }
    }
}

/// What is wrong with one item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemFault {
    #[error("it has more than {MOST_CODES} codes")]
    TooManyCodes,
    #[error("code {code:?} is empty, not printable or longer than {LONGEST_CODE} letters")]
    Code { code: String },
    #[error("category {path:?} is no path; write it like drinks/beer, at most {LONGEST_CATEGORY} letters")]
    Category { path: String },
    #[error("unit {unit:?} is empty, too long, or not one of the catalog's units")]
    Unit { unit: String },
    #[error("its age limit {age} is not between 1 and 99")]
    MinAge { age: u8 },
    #[error("it is a variant of {parent}, which is not in the catalog")]
    NoParent { parent: Sku },
    #[error("it is a variant of {parent}, which is itself a variant or this item")]
    Parent { parent: Sku },
    #[error("it has options but is no variant; name the item with variant_of")]
    OptionsWithoutParent,
    #[error("option {name:?} is {value:?}; give each a name and a word of at most 40 letters, and at most {MOST_OPTIONS} of them")]
    Option { name: String, value: String },
    #[error("its options are named otherwise than those of {other}; give all variants of an item the same options")]
    OtherOptions { other: Sku },
    #[error("it has the same options as {other}")]
    SameOptions { other: Sku },
    #[error("its bundle has more than {MOST_PARTS} parts")]
    TooManyParts,
    #[error("its bundle holds {part}, which is not in the catalog, a bundle itself, or named twice")]
    Part { part: Sku },
    #[error("its bundle holds {quantity} thousandths of {part}, which is no quantity of it")]
    PartQuantity { part: Sku, quantity: i64 },
    #[error("its deposit {deposit} is not in the catalog, has a deposit itself, or is this item")]
    Deposit { deposit: Sku },
}
