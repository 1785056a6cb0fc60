//! The answer: what the basket costs, and why.

use std::collections::BTreeMap;

use backroom_core::catalog::{Catalog, Item};
use backroom_core::facts::{PriceReason, ReasonKind, TaxSum};
use backroom_core::money::{Currency, Money, MoneyError, Quantity};
use backroom_core::price::{Engine, PricedLine};
use backroom_core::tax::{PriceMode, Rate, TaxPart};
use serde::Serialize;

use super::Wrong;
use super::ask::Basket;
use super::taxes::{Priced, taxes};

#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The version of the catalog.
    pub catalog: u64,
    pub currency: Currency,
    pub prices: PriceMode,
    pub lines: Vec<Line>,
    pub taxes: Vec<TaxSum>,
    pub promotions: Vec<Promotion>,
    pub net: Money,
    pub tax: Money,
    pub total: Money,
    pub cash_rounding: Money,
    pub due: Money,
    pub say: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub line: u32,
    pub sku: String,
    pub name: String,
    pub quantity: Quantity,
    pub unit_price: Money,
    pub amount: Money,
    pub reasons: Vec<PriceReason>,
    pub tax_class: String,
    pub rate: Rate,
    pub taxes: Vec<TaxPart>,
    pub net: Money,
    pub tax: Money,
    /// Tax in the price which an exempt customer does not pay.
    #[serde(skip_serializing_if = "is_nothing")]
    pub waived: Money,
    /// Such as `kg`; empty for pieces.
    #[serde(skip)]
    pub unit: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Promotion {
    pub id: String,
    pub name: String,
    pub times: u64,
    pub saving: Money,
}

fn is_nothing(amount: &Money) -> bool {
    *amount == Money::ZERO
}

impl Answer {
    pub fn of(catalog: &Catalog, engine: &Engine, basket: &Basket) -> Result<Self, Wrong> {
        let wrong = |error: MoneyError| Wrong::refused(&error, "money", None);
        let priced = engine.lines();
        let mut items = Vec::with_capacity(priced.len());
        for goods in engine.goods() {
            // The engine has found each of them before.
            if let Some(item) = catalog.by_sku(&goods.sku) {
                items.push((item, goods.quantity));
            }
        }
        let amounts: Vec<_> = items
            .iter()
            .zip(&priced)
            .map(|((item, _), line)| Priced {
                class: &item.tax_class().code,
                amount: line.amount,
                unit_price: line.unit_price,
            })
            .collect();
        let taxed = taxes(catalog, &amounts, basket)?;
        let names: BTreeMap<String, String> = engine
            .promotions()
            .into_iter()
            .map(|given| (given.id.to_string(), given.name))
            .collect();
        let speaker = Speaker {
            currency: catalog.currency(),
            names,
        };
        let mut say = Vec::with_capacity(priced.len());
        let mut lines = Vec::with_capacity(priced.len());
        for (((item, quantity), priced), tax) in items.into_iter().zip(priced).zip(taxed.lines) {
            say.push(speaker.line(item, quantity, &priced));
            lines.push(Line {
                line: priced.line,
                sku: item.sku_text().to_owned(),
                name: item.name().to_owned(),
                quantity,
                unit_price: priced.unit_price,
                amount: priced.amount,
                reasons: priced.reasons,
                tax_class: item.tax_class().code.clone(),
                rate: item.tax_class().rate,
                taxes: tax.parts,
                net: tax.net,
                tax: tax.tax,
                waived: tax.waived,
                unit: item.unit().unwrap_or_default().to_owned(),
            });
        }
        let (net, tax) = (taxed.net, taxed.tax);
        let total = net.checked_add(tax).map_err(wrong)?;
        let due = total
            .to_step_by(basket.cash_step.unwrap_or(1), basket.cash_rounding)
            .map_err(wrong)?;
        let given = engine.promotions().into_iter().map(|given| Promotion {
            id: given.id.to_string(),
            name: given.name,
            times: given.times,
            saving: given.saving,
        });
        Ok(Self {
            catalog: catalog.version(),
            currency: catalog.currency(),
            prices: catalog.file().prices,
            lines,
            taxes: taxed.sums,
            promotions: given.collect(),
            net,
            tax,
            total,
            cash_rounding: due.checked_sub(total).map_err(wrong)?,
            due,
            say,
        })
    }
}

/// Explains lines in sentences.
struct Speaker {
    currency: Currency,
    /// Of promotions, by their ids.
    names: BTreeMap<String, String>,
}

impl Speaker {
    fn line(&self, item: Item<'_>, quantity: Quantity, line: &PricedLine) -> String {
        let digits = |amount: Money| self.currency.digits(amount);
        let of = match item.unit() {
            Some(unit) => format!("{unit} of {}", item.name()),
            None => item.name().to_owned(),
        };
        let mut parts = line.reasons.iter();
        let mut said = format!("line {}: {quantity} {of} at {}", line.line, digits(line.unit_price));
        if let Some(first) = parts.next() {
            said.push_str(&format!(" ({}) make {}", price_from(first), digits(first.amount)));
        }
        for reason in parts {
            let off = digits(Money(-reason.amount.0));
            said.push_str(&format!("; {} takes off {off}", self.taken_by(reason)));
        }
        if line.reasons.len() > 1 {
            said.push_str(&format!("; {} is left", digits(line.amount)));
        }
        said
    }

    fn taken_by(&self, reason: &PriceReason) -> String {
        let source = reason.source.as_deref();
        match (reason.reason, source) {
            (ReasonKind::Promotion, Some(id)) => match self.names.get(id) {
                Some(name) => format!("promotion {id} ({name})"),
                None => format!("promotion {id}"),
            },
            (ReasonKind::LineDiscount, Some(why)) => format!("a discount by hand ({why})"),
            (ReasonKind::LineDiscount, None) => "a discount by hand".to_owned(),
            (ReasonKind::TicketDiscount, _) => "its share of the discount on the whole ticket".to_owned(),
            (other, _) => other.word().replace('_', " "),
        }
    }
}

fn price_from(reason: &PriceReason) -> String {
    match (reason.reason, reason.source.as_deref()) {
        (ReasonKind::Book, Some(book)) => format!("price book {book} of {}", reason.version),
        (ReasonKind::Override, Some(why)) => format!("set by hand: {why}"),
        (ReasonKind::Override, None) => "set by hand".to_owned(),
        (ReasonKind::OpenPrice, _) => "keyed in".to_owned(),
        _ => format!("list price of {}", reason.version),
    }
}
