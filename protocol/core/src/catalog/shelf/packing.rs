//! Putting items on the shelf one by one: each is checked by itself and packed behind the others.
//!
//! What one item says of others is looked at when all are there.

use std::collections::HashMap;

use super::{
    DISCOUNTABLE, LONGEST_CODE, LONGEST_NAME, LONGEST_UNIT, LONGEST_WORD, MOST_CODES, MOST_OPTIONS, MOST_PARTS, More, NONE, OPEN_PRICE,
    Row, codes, printable, shown, sku,
};
use crate::barcode::Gtin;
use crate::catalog::category::{Categories, NO_CATEGORY, is_path};
use crate::catalog::clean_sku;
use crate::catalog::fault::{CatalogError, ItemFault};
use crate::catalog::file::{FileItem, Track, Unit};
use crate::money::LARGEST_AMOUNT;

/// The shelf while items are put on it.
pub(super) struct Packing {
    pub text: String,
    pub rows: Vec<Row>,
    pub more: Vec<More>,
    pub categories: Categories,
    pub class_numbers: HashMap<String, u16>,
}

impl Packing {
    pub fn sku(&self, at: u32) -> &str {
        sku(&self.text, &self.rows[at as usize])
    }

    /// Whether an item carries this code, or the product number it stands for.
    pub fn carries(&self, at: u32, code: &str) -> bool {
        let gtin = code.parse::<Gtin>().ok();
        codes(&self.text, &self.rows[at as usize]).any(|own| match gtin {
            Some(gtin) => own.parse() == Ok(gtin),
            None => own == code,
        })
    }

    /// Checks an item by itself and puts it behind the others; tells whether it has rare properties.
    pub fn put(&mut self, item: &FileItem, units: &[Unit]) -> Result<bool, CatalogError> {
        let sku = || item.sku.clone();
        if !clean_sku(item.sku.as_str()) {
            return Err(CatalogError::Sku {
                text: shown(item.sku.as_str()),
            });
        }
        if !printable(&item.name, LONGEST_NAME) {
            return Err(CatalogError::Name { sku: sku() });
        }
        if !(0..=LARGEST_AMOUNT).contains(&item.price.0) {
            return Err(CatalogError::Price {
                sku: sku(),
                price: item.price.0,
            });
        }
        let Some(class) = self.class_numbers.get(&item.tax_class) else {
            return Err(CatalogError::UnknownTaxClass {
                sku: sku(),
                class: shown(&item.tax_class),
            });
        };
        check(item, units).map_err(|why| CatalogError::Item { sku: sku(), why })?;
        let category = item.category.as_deref().map_or(NO_CATEGORY, |path| self.categories.number(path));
        let text = u32::try_from(self.text.len()).map_err(|_| CatalogError::TooLarge)?;
        let special = is_special(item);
        let more = if special {
            self.more.push(More {
                options: item
                    .options
                    .iter()
                    .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
                    .collect(),
                image: item.image.map(Box::new),
                unit: item.unit.as_deref().map(Into::into),
                min_age: item.min_age,
                track: item.track,
                ..More::default()
            });
            self.more.len() as u32 - 1
        } else {
            NONE
        };
        self.rows.push(Row {
            price: item.price,
            text,
            category,
            more,
            class: *class,
            name_len: item.name.len() as u16,
            codes: item.codes.len() as u8,
            sku_len: item.sku.as_str().len() as u8,
            sold_by: item.sold_by,
            flags: if item.open_price { OPEN_PRICE } else { 0 } | if item.discountable { DISCOUNTABLE } else { 0 },
        });
        self.text.push_str(item.sku.as_str());
        self.text.push_str(&item.name);
        for code in &item.codes {
            self.text.push(char::from(code.len() as u8));
            self.text.push_str(code);
        }
        Ok(special)
    }
}

fn is_special(item: &FileItem) -> bool {
    item.unit.is_some()
        || item.variant_of.is_some()
        || !item.options.is_empty()
        || !item.bundle.is_empty()
        || item.min_age.is_some()
        || item.track != Track::None
        || item.deposit.is_some()
        || item.image.is_some()
}

/// What can be said of an item without the others.
fn check(item: &FileItem, units: &[Unit]) -> Result<(), ItemFault> {
    if item.codes.len() > MOST_CODES {
        return Err(ItemFault::TooManyCodes);
    }
    // In bytes, so that one letter below 128 can tell the length.
    let wrong = |code: &&String| !printable(code, LONGEST_CODE) || code.len() > LONGEST_CODE;
    if let Some(code) = item.codes.iter().find(wrong) {
        return Err(ItemFault::Code { code: shown(code) });
    }
    if let Some(path) = item.category.as_ref().filter(|path| !is_path(path)) {
        return Err(ItemFault::Category { path: shown(path) });
    }
    let known = |unit: &str| printable(unit, LONGEST_UNIT) && (units.is_empty() || units.iter().any(|known| known.code == unit));
    if let Some(unit) = item.unit.as_ref().filter(|unit| !known(unit)) {
        return Err(ItemFault::Unit { unit: shown(unit) });
    }
    if let Some(age) = item.min_age.filter(|age| !(1..=99).contains(age)) {
        return Err(ItemFault::MinAge { age });
    }
    let odd = |(name, value): &(&String, &String)| !printable(name, LONGEST_WORD) || !printable(value, LONGEST_WORD);
    let extra = item.options.iter().nth(MOST_OPTIONS);
    if let Some((name, value)) = item.options.iter().find(odd).or(extra) {
        return Err(ItemFault::Option {
            name: shown(name),
            value: shown(value),
        });
    }
    if item.bundle.len() > MOST_PARTS {
        return Err(ItemFault::TooManyParts);
    }
    Ok(())
}
