//! All items of a catalog, packed: texts behind each other in one piece of memory, one short row an item, and the rare
//! properties aside, so that a million items fit a small box.
//!
//! Checks everything a file says of its items. Knows no prices beyond the list price.

mod packing;

use std::collections::{BTreeMap, HashMap};

use self::packing::Packing;
use super::Sku;
use super::category::{Categories, NO_CATEGORY};
use super::fault::{CatalogError, ItemFault};
use super::file::{BundlePart, FileItem, SoldBy, Track, Unit};
use super::index::Index;
use super::item::Item;
use crate::barcode::Gtin;
use crate::journal::Hash;
use crate::money::{Money, Quantity};
use crate::tax::TaxClass;
use crate::ticket::LARGEST_QUANTITY;

pub const MOST_ITEMS: usize = 5_000_000;
pub const MOST_CODES: usize = 100;
/// In letters; a longer text is no code anybody prints.
pub const LONGEST_CODE: usize = 100;
pub const MOST_OPTIONS: usize = 8;
pub const MOST_PARTS: usize = 50;
const LONGEST_NAME: usize = 80;
const LONGEST_WORD: usize = 40;
const LONGEST_UNIT: usize = 16;

/// What most items consist of.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub price: Money,
    /// Where its texts begin: number, name, codes.
    pub text: u32,
    pub category: u32,
    /// Its place among the rare properties.
    pub more: u32,
    pub class: u16,
    pub name_len: u16,
    pub codes: u8,
    pub sku_len: u8,
    pub sold_by: SoldBy,
    pub flags: u8,
}

pub(super) const OPEN_PRICE: u8 = 1;
pub(super) const DISCOUNTABLE: u8 = 2;
const NONE: u32 = u32::MAX;

/// What few items have.
#[derive(Clone, Debug, Default)]
pub(super) struct More {
    pub options: Box<[(Box<str>, Box<str>)]>,
    pub bundle: Box<[(u32, Quantity)]>,
    pub image: Option<Box<Hash>>,
    pub unit: Option<Box<str>>,
    pub variant_of: Option<u32>,
    pub deposit: Option<u32>,
    pub min_age: Option<u8>,
    pub track: Track,
}

#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    text: Box<str>,
    rows: Box<[Row]>,
    more: Box<[More]>,
    pub(super) categories: Categories,
    classes: Vec<TaxClass>,
    by_sku: Index,
    by_gtin: Index,
    by_text: Index,
    variants: BTreeMap<u32, Vec<u32>>,
}

fn printable(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

/// An item whose properties name others, until all are on the shelf.
struct Waiting {
    at: u32,
    sku: Sku,
    item: FileItem,
}

impl Shelf {
    pub fn new(items: Vec<FileItem>, classes: Vec<TaxClass>, units: &[Unit]) -> Result<Self, CatalogError> {
        if items.len() > MOST_ITEMS {
            return Err(CatalogError::TooLarge);
        }
        let class_numbers = number_classes(&classes)?;
        check_units(units)?;
        let is_gtin = |code: &&String| code.parse::<Gtin>().is_ok();
        let all_codes = || items.iter().flat_map(|item| &item.codes);
        let gtins = all_codes().filter(is_gtin).count();
        let texts = all_codes().count() - gtins;
        let letters = |item: &FileItem| {
            let codes: usize = item.codes.iter().map(|code| code.len() + 1).sum();
            item.sku.as_str().len() + item.name.len() + codes
        };
        let mut packing = Packing {
            text: String::with_capacity(items.iter().map(letters).sum()),
            rows: Vec::with_capacity(items.len()),
            more: Vec::new(),
            categories: Categories::default(),
            class_numbers,
        };
        let (mut by_sku, mut by_gtin, mut by_text) = (Index::with_room(items.len()), Index::with_room(gtins), Index::with_room(texts));
        let mut waiting = Vec::new();
        for (at, item) in items.into_iter().enumerate() {
            let at = at as u32;
            let special = packing.put(&item, units)?;
            if by_sku
                .find(item.sku.as_str().as_bytes(), |other| packing.sku(other) == item.sku.as_str())
                .is_some()
            {
                return Err(CatalogError::SkuTwice { sku: item.sku });
            }
            by_sku.note(item.sku.as_str().as_bytes(), at);
            for code in &item.codes {
                let gtin = code.parse::<Gtin>().ok().map(|gtin| gtin.number().to_le_bytes());
                let (index, key) = match &gtin {
                    Some(number) => (&mut by_gtin, number.as_slice()),
                    None => (&mut by_text, code.as_bytes()),
                };
                match index.find(key, |other| packing.carries(other, code)) {
                    Some(other) if other != at => {
                        return Err(CatalogError::CodeTwice {
                            code: code.clone(),
                            first: packing.sku(other).parse()?,
                            second: item.sku,
                        });
                    }
                    // The item names it twice.
                    Some(_) => {}
                    None => index.note(key, at),
                }
            }
            if special {
                waiting.push(Waiting {
                    at,
                    sku: item.sku.clone(),
                    item,
                });
            }
        }
        let mut shelf = Self {
            text: packing.text.into_boxed_str(),
            rows: packing.rows.into_boxed_slice(),
            more: packing.more.into_boxed_slice(),
            categories: packing.categories,
            classes,
            by_sku,
            by_gtin,
            by_text,
            variants: BTreeMap::new(),
        };
        shelf.join(&waiting)?;
        Ok(shelf)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn item(&self, at: u32) -> Option<Item<'_>> {
        ((at as usize) < self.rows.len()).then_some(Item { shelf: self, at })
    }

    pub fn by_sku(&self, sku: &str) -> Option<u32> {
        self.by_sku.find(sku.as_bytes(), |at| self.sku(at) == sku)
    }

    pub fn by_gtin(&self, gtin: Gtin) -> Option<u32> {
        let carries = |at| self.codes(at).any(|code| code.parse() == Ok(gtin));
        self.by_gtin.find(&gtin.number().to_le_bytes(), carries)
    }

    /// By a code that is no product number, or else by the item number.
    pub fn by_text(&self, text: &str) -> Option<u32> {
        let by_code = self.by_text.find(text.as_bytes(), |at| self.codes(at).any(|code| code == text));
        by_code.or_else(|| self.by_sku(text))
    }

    pub fn classes(&self) -> &[TaxClass] {
        &self.classes
    }

    pub fn variants(&self, parent: u32) -> &[u32] {
        self.variants.get(&parent).map_or(&[], Vec::as_slice)
    }

    pub(super) fn row(&self, at: u32) -> &Row {
        &self.rows[at as usize]
    }

    pub(super) fn more(&self, at: u32) -> Option<&More> {
        self.more.get(self.row(at).more as usize)
    }

    pub(super) fn class(&self, at: u32) -> &TaxClass {
        &self.classes[usize::from(self.row(at).class)]
    }

    pub fn sku(&self, at: u32) -> &str {
        sku(&self.text, self.row(at))
    }

    pub(super) fn name(&self, at: u32) -> &str {
        let row = self.row(at);
        let begin = row.text as usize + usize::from(row.sku_len);
        &self.text[begin..begin + usize::from(row.name_len)]
    }

    pub(super) fn codes(&self, at: u32) -> impl Iterator<Item = &str> {
        codes(&self.text, self.row(at))
    }

    /// The number of a category, also of one in which nothing lies yet. The text `is_path`.
    pub fn category_number(&mut self, path: &str) -> u32 {
        self.categories.number(path)
    }

    /// The category of an item and all in which that lies.
    pub fn upwards(&self, at: u32) -> impl Iterator<Item = u32> {
        self.category(at).into_iter().flat_map(|category| self.categories.upwards(category))
    }

    pub fn category(&self, at: u32) -> Option<u32> {
        Some(self.row(at).category).filter(|category| *category != NO_CATEGORY)
    }

    /// Ties items to those they name, now that all are there.
    fn join(&mut self, waiting: &[Waiting]) -> Result<(), CatalogError> {
        let mut told_apart: HashMap<(u32, &BTreeMap<String, String>), u32> = HashMap::new();
        for Waiting { at, sku, item } in waiting {
            let fault = |why| CatalogError::Item { sku: sku.clone(), why };
            let variant_of = self.parent(*at, item).map_err(fault)?;
            let deposit = self.deposit(*at, item).map_err(fault)?;
            let bundle = self.bundle(*at, item).map_err(fault)?;
            if let Some(parent) = variant_of {
                let others = self.variants.entry(parent).or_default();
                let same_names = |other: &u32| {
                    let names = self.more.get(self.rows[*other as usize].more as usize).map(|more| &more.options);
                    names.is_some_and(|names| names.iter().map(|(name, _)| name.as_ref()).eq(item.options.keys()))
                };
                if let Some(other) = others.first().filter(|other| !same_names(other)) {
                    let other = sku_at(&self.text, &self.rows, *other)?;
                    return Err(fault(ItemFault::OtherOptions { other }));
                }
                if let Some(other) = told_apart.insert((parent, &item.options), *at) {
                    let other = sku_at(&self.text, &self.rows, other)?;
                    return Err(fault(ItemFault::SameOptions { other }));
                }
                others.push(*at);
            }
            if let Some(more) = self.more.get_mut(self.rows[*at as usize].more as usize) {
                (more.variant_of, more.deposit, more.bundle) = (variant_of, deposit, bundle);
            }
        }
        // A chain shows only when all ties are known.
        for Waiting { at, sku, item } in waiting {
            let fault = |why| CatalogError::Item { sku: sku.clone(), why };
            let Some(more) = self.more(*at) else { continue };
            let tied = |other: Option<u32>| other.and_then(|other| self.more(other));
            if let (Some(_), Some(parent)) = (tied(more.variant_of).and_then(|more| more.variant_of), &item.variant_of) {
                return Err(fault(ItemFault::Parent { parent: parent.clone() }));
            }
            if let (Some(_), Some(deposit)) = (tied(more.deposit).and_then(|more| more.deposit), &item.deposit) {
                return Err(fault(ItemFault::Deposit { deposit: deposit.clone() }));
            }
            for ((part, _), named) in more.bundle.iter().zip(&item.bundle) {
                if self.more(*part).is_some_and(|more| !more.bundle.is_empty()) {
                    return Err(fault(ItemFault::Part { part: named.sku.clone() }));
                }
            }
        }
        Ok(())
    }

    fn parent(&self, at: u32, item: &FileItem) -> Result<Option<u32>, ItemFault> {
        let Some(parent) = &item.variant_of else {
            return if item.options.is_empty() {
                Ok(None)
            } else {
                Err(ItemFault::OptionsWithoutParent)
            };
        };
        match self.by_sku(parent.as_str()) {
            None => Err(ItemFault::NoParent { parent: parent.clone() }),
            Some(found) if found == at => Err(ItemFault::Parent { parent: parent.clone() }),
            Some(found) => Ok(Some(found)),
        }
    }

    fn deposit(&self, at: u32, item: &FileItem) -> Result<Option<u32>, ItemFault> {
        let Some(deposit) = &item.deposit else { return Ok(None) };
        let found = self.by_sku(deposit.as_str()).filter(|found| *found != at);
        found.map(Some).ok_or_else(|| ItemFault::Deposit { deposit: deposit.clone() })
    }

    fn bundle(&self, at: u32, item: &FileItem) -> Result<Box<[(u32, Quantity)]>, ItemFault> {
        let mut parts: Vec<(u32, Quantity)> = Vec::with_capacity(item.bundle.len());
        for BundlePart { sku, quantity } in &item.bundle {
            let unknown = || ItemFault::Part { part: sku.clone() };
            let part = self.by_sku(sku.as_str()).filter(|part| *part != at).ok_or_else(unknown)?;
            if parts.iter().any(|(before, _)| *before == part) {
                return Err(unknown());
            }
            let whole = self.row(part).sold_by == SoldBy::Measure || quantity.0 % Quantity::ONE.0 == 0;
            if !whole || !(1..=LARGEST_QUANTITY).contains(&quantity.0) {
                return Err(ItemFault::PartQuantity {
                    part: sku.clone(),
                    quantity: quantity.0,
                });
            }
            parts.push((part, *quantity));
        }
        Ok(parts.into())
    }
}

fn sku<'a>(text: &'a str, row: &Row) -> &'a str {
    let begin = row.text as usize;
    &text[begin..begin + usize::from(row.sku_len)]
}

fn sku_at(text: &str, rows: &[Row], at: u32) -> Result<Sku, CatalogError> {
    sku(text, &rows[at as usize]).parse()
}

/// Each code stands behind one letter that tells its length in bytes.
fn codes<'a>(text: &'a str, row: &Row) -> impl Iterator<Item = &'a str> {
    let begin = row.text as usize + usize::from(row.sku_len) + usize::from(row.name_len);
    let mut rest = &text[begin..];
    (0..row.codes).map_while(move |_| {
        let len = usize::from(*rest.as_bytes().first()?);
        let code = rest.get(1..=len)?;
        rest = rest.get(1 + len..)?;
        Some(code)
    })
}

fn number_classes(classes: &[TaxClass]) -> Result<HashMap<String, u16>, CatalogError> {
    let mut numbers = HashMap::with_capacity(classes.len());
    for (number, class) in classes.iter().enumerate() {
        let number = u16::try_from(number).map_err(|_| CatalogError::TooLarge)?;
        if numbers.insert(class.code.clone(), number).is_some() {
            return Err(CatalogError::TaxClassTwice { code: shown(&class.code) });
        }
    }
    Ok(numbers)
}

fn check_units(units: &[Unit]) -> Result<(), CatalogError> {
    for (number, unit) in units.iter().enumerate() {
        let twice = units[..number].iter().any(|before| before.code == unit.code);
        if twice || !printable(&unit.code, LONGEST_UNIT) || !printable(&unit.name, LONGEST_WORD) {
            return Err(CatalogError::Unit { code: shown(&unit.code) });
        }
    }
    Ok(())
}
