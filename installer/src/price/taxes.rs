//! The one place where `backroom price` asks for taxes: priced lines in, the document's taxes out.

use backroom_core::catalog::Catalog;
use backroom_core::money::Money;
use backroom_core::tax::{self, Circumstances, Document, TaxError, Taxable};

use super::Wrong;
use super::ask::Basket;

/// A priced line: its class, what it costs after all discounts, and the price of its unit.
pub struct Priced<'a> {
    pub class: &'a str,
    pub amount: Money,
    pub unit_price: Money,
}

/// The taxes of a basket that is settled when it is priced.
pub fn taxes(catalog: &Catalog, lines: &[Priced<'_>], basket: &Basket) -> Result<Document, Wrong> {
    let taxable: Vec<Taxable<'_>> = lines
        .iter()
        .map(|line| Taxable {
            class: line.class,
            amount: line.amount,
            unit_price: line.unit_price,
            given: None,
        })
        .collect();
    let circumstances = Circumstances {
        day: basket.day()?,
        exemption: basket.exempt.clone(),
    };
    tax::document(&taxable, catalog.taxes(), &circumstances).map_err(|error: TaxError| Wrong::refused(&error, error.code(), None))
}
