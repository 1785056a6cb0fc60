//! What a scanner read, found in the catalog: the item, and what else the code says of it.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{Goods, Refusal};
use crate::barcode::{BarcodeError, ElementString, Gtin, Measure, Scanned, StoreMade, StoreMadeRules, looks_like_card};
use crate::catalog::Catalog;
use crate::epc::{Epc, EpcId};
use crate::money::{Money, Quantity};

/// What a code says beside the item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    pub price: Option<Money>,
    /// By weight or count.
    pub quantity: Option<Quantity>,
    pub serial: Option<String>,
    pub lot: Option<String>,
    /// The tag, where the code was one.
    pub epc: Option<String>,
}

/// A tag's identity, written as hexadecimal or as a URI.
fn epc(code: &str) -> Option<EpcId> {
    if let Ok(id) = code.parse::<EpcId>() {
        return Some(id);
    }
    let hexadecimal = code.len() >= 24 && code.len().is_multiple_of(2) && code.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !hexadecimal {
        return None;
    }
    Epc::from_hex(code).ok().map(|epc| epc.id().clone())
}

/// Finds what a scanner read.
pub fn find<'a>(catalog: &'a Catalog, code: &str) -> Result<Goods<'a>, Refusal> {
    read(catalog, &StoreMadeRules::default(), code).map(|(item, _)| item)
}

/// Finds what a scanner read, and what its label says, by the shop's own rules for codes it makes itself.
pub fn read<'a>(catalog: &'a Catalog, rules: &StoreMadeRules, code: &str) -> Result<(Goods<'a>, Label), Refusal> {
    // An in-store code or item number is looked up as it stands: the shop chose it.
    if let Some(item) = catalog.by_text(code) {
        return Ok((item, Label::default()));
    }
    let unknown = || Refusal::UnknownCode {
        code: code.chars().take(60).collect(),
    };
    // A tag of the item itself, as an RFID reader or a label names it.
    if let Some(id) = epc(code)
        && let Some(gtin) = id.gtin()
    {
        let label = Label {
            serial: id.serial().map(str::to_owned),
            epc: Some(id.to_string()),
            ..Label::default()
        };
        return catalog.by_gtin(gtin).map(|item| (item, label)).ok_or_else(unknown);
    }
    let unreadable = |error: BarcodeError| Refusal::UnreadableCode { why: error.to_string() };
    let scanned = Scanned::parse(code).map_err(unreadable)?;
    if let Scanned::Gtin(number) = &scanned {
        // The whole number may be an item of its own; only then is it read as one with a price or weight in it.
        if let Some(item) = catalog.by_gtin(number.gtin) {
            return Ok((item, Label::default()));
        }
        if let Some(made) = rules.read(number.gtin).map_err(unreadable)? {
            let item = catalog.by_gtin(made.item).ok_or_else(unknown)?;
            return Ok((item, by_store(catalog, &made).ok_or_else(unknown)?));
        }
    }
    let label = match &scanned {
        Scanned::Elements(elements) | Scanned::DigitalLink(elements) => {
            // A right product number must not carry a card into the journal.
            let card = |value: &str| looks_like_card(value) && value.len() > 14;
            if elements.elements().iter().any(|element| card(&element.value)) {
                return Err(unreadable(BarcodeError::Card));
            }
            by_elements(catalog, elements).ok_or_else(|| Refusal::UnreadableCode {
                why: format!(
                    "the price or weight on the label can not be told in {} and grams; key in the item and its price",
                    catalog.currency()
                ),
            })?
        }
        _ => Label::default(),
    };
    let gtin: Option<Gtin> = scanned.gtin();
    let item = gtin.and_then(|gtin| catalog.by_gtin(gtin)).ok_or_else(unknown)?;
    Ok((item, label))
}

fn by_store(catalog: &Catalog, made: &StoreMade) -> Option<Label> {
    let amount = made.amount()?;
    Some(match made.measure {
        Measure::Price => Label {
            price: Some(minor(catalog, amount)?),
            ..Label::default()
        },
        Measure::Weight | Measure::Count => Label {
            quantity: Some(thousandths(amount)?),
            ..Label::default()
        },
    })
}

/// `None` where the label names a price or a weight that can not be sold by; to sell by another one would be a guess.
fn by_elements(catalog: &Catalog, elements: &ElementString) -> Option<Label> {
    // 392n is a price in the shop's own money, 310n a net weight in kilograms.
    let price = elements.measure(392).map(|price| minor(catalog, price));
    let quantity = elements.measure(310).map(thousandths);
    if price == Some(None) || quantity == Some(None) {
        return None;
    }
    Some(Label {
        price: price.flatten(),
        quantity: quantity.flatten(),
        serial: elements.serial().map(str::to_owned),
        lot: elements.lot().map(str::to_owned),
        epc: None,
    })
}

fn minor(catalog: &Catalog, amount: Decimal) -> Option<Money> {
    let shift = Decimal::from(10u64.pow(catalog.currency().decimals().min(4)));
    let exact = amount.checked_mul(shift)?;
    exact.is_integer().then(|| exact.to_i64().map(Money)).flatten()
}

fn thousandths(amount: Decimal) -> Option<Quantity> {
    amount.checked_mul(Decimal::ONE_THOUSAND)?.round().to_i64().map(Quantity)
}
