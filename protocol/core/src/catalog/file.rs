//! The catalog as a file: what head office writes, what lies beside the journal under its hash.
//!
//! Only its shape; what must be true of it is checked when the snapshot is made from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Sku;
use crate::journal::Hash;
use crate::money::{Currency, Money, Quantity};
use crate::price::{Book, Promotion};
use crate::tax::{self, PriceMode, TaxClass};

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogFile {
    pub version: u64,
    pub currency: Currency,
    pub prices: PriceMode,
    pub tax_classes: Vec<TaxClass>,
    pub items: Vec<FileItem>,
    /// The units the shop measures in. When the list is given, items name no others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<Unit>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub price_books: Vec<Book>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<Promotion>,
    /// One per store; register, receipt, journal and head office share it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tax_policy: tax::Policy,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tax_holidays: Vec<tax::Holiday>,
}

impl CatalogFile {
    /// A file in which nothing is sold yet.
    pub fn empty(version: u64, currency: Currency, prices: PriceMode) -> Self {
        Self {
            version,
            currency,
            prices,
            tax_classes: Vec::new(),
            items: Vec::new(),
            units: Vec::new(),
            price_books: Vec::new(),
            promotions: Vec::new(),
            tax_policy: tax::Policy::default(),
            tax_holidays: Vec::new(),
        }
    }
}

/// A unit of measure, such as `kg`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    pub code: String,
    pub name: String,
}

/// One thing that can be sold, as the file says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileItem {
    pub sku: Sku,
    pub name: String,
    /// Every code a scanner may read for it: GTINs of any length, in-store codes.
    #[serde(default)]
    pub codes: Vec<String>,
    pub tax_class: String,
    pub price: Money,
    #[serde(default)]
    pub sold_by: SoldBy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// A path such as `drinks/beer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_of: Option<Sku>,
    /// What sets this variant apart: `{"size": "M", "colour": "red"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bundle: Vec<BundlePart>,
    /// Only for people of this age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_age: Option<u8>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub track: Track,
    /// A person keys the price in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub open_price: bool,
    /// Whether promotions may touch it.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub discountable: bool,
    /// The item that is sold along as its deposit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<Sku>,
    /// The SHA-256 of its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Hash>,
}

impl FileItem {
    /// A thing sold by the piece, with nothing special about it.
    pub fn plain(sku: Sku, name: &str, tax_class: &str, price: Money) -> Self {
        Self {
            sku,
            name: name.to_owned(),
            codes: Vec::new(),
            tax_class: tax_class.to_owned(),
            price,
            sold_by: SoldBy::Piece,
            unit: None,
            category: None,
            variant_of: None,
            options: BTreeMap::new(),
            bundle: Vec::new(),
            min_age: None,
            track: Track::None,
            open_price: false,
            discountable: true,
            deposit: None,
            image: None,
        }
    }
}

fn yes() -> bool {
    true
}

fn is_yes(answer: &bool) -> bool {
    *answer
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Whether parts of a unit can be sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoldBy {
    #[default]
    Piece,
    /// By weight or length: thousandths of the unit in which the price is.
    Measure,
}

/// What has to be known of each piece that is sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    #[default]
    None,
    Serial,
    Lot,
    Epc,
}

/// So much of another item lies in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundlePart {
    pub sku: Sku,
    pub quantity: Quantity,
}
