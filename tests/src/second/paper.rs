//! The two documents that come in and the one that goes out, as far as the calculation needs them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::number::{self, Fraction, Halves};
use super::{Problem, offers};

#[derive(Clone, Debug, Deserialize)]
pub struct Catalog {
    pub prices: Mode,
    pub tax_classes: Vec<TaxClass>,
    pub items: Vec<Item>,
    #[serde(default)]
    pub price_books: Vec<Book>,
    #[serde(default)]
    pub promotions: Vec<offers::Promotion>,
    #[serde(default)]
    pub tax_policy: Policy,
    #[serde(default)]
    pub tax_holidays: Vec<Holiday>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Inclusive,
    Exclusive,
}

#[derive(Clone, Debug, Deserialize)]
pub struct TaxClass {
    pub code: String,
    #[serde(default)]
    pub rate: Option<Fraction>,
    #[serde(default)]
    pub taxes: Vec<Tax>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Tax {
    pub tax: String,
    pub rate: Fraction,
    #[serde(default)]
    pub compound: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Item {
    pub sku: String,
    #[serde(default)]
    pub codes: Vec<String>,
    pub tax_class: String,
    pub price: i128,
    #[serde(default)]
    pub sold_by: SoldBy,
    #[serde(default)]
    pub category: Option<String>,
    #[serde(default)]
    pub open_price: bool,
    #[serde(default = "yes")]
    pub discountable: bool,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoldBy {
    #[default]
    Piece,
    Measure,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Book {
    pub id: String,
    pub priority: i64,
    #[serde(default)]
    pub stores: Vec<String>,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub from: Option<Timestamp>,
    #[serde(default)]
    pub to: Option<Timestamp>,
    pub prices: Vec<BookPrice>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct BookPrice {
    pub sku: String,
    pub price: i128,
    #[serde(default)]
    pub min_quantity: i128,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Policy {
    #[serde(default)]
    pub rounding: Rounding,
    #[serde(default)]
    pub halves: Halves,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    #[default]
    Line,
    Tax,
    Document,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Holiday {
    pub from: Date,
    pub to: Date,
    pub classes: Vec<String>,
    #[serde(default)]
    pub taxes: Vec<String>,
    #[serde(default)]
    pub max_unit_price: Option<i128>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Basket {
    #[serde(default)]
    pub store: Option<String>,
    pub at: Timestamp,
    #[serde(default)]
    pub zone: Option<String>,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub coupons: Vec<String>,
    #[serde(default)]
    pub exempt: Option<Exempt>,
    #[serde(default)]
    pub cash_step: Option<i128>,
    #[serde(default)]
    pub cash_rounding: CashRounding,
    pub lines: Vec<BasketLine>,
    #[serde(default)]
    pub discount: Option<Discount>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Exempt {
    #[serde(default)]
    pub taxes: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct BasketLine {
    #[serde(default)]
    pub sku: Option<String>,
    #[serde(default)]
    pub code: Option<String>,
    #[serde(default = "one")]
    pub quantity: i128,
    #[serde(default)]
    pub price: Option<i128>,
    #[serde(default)]
    pub discount: Option<Discount>,
}

fn one() -> i128 {
    1000
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Discount {
    #[serde(default)]
    pub percent: Option<Fraction>,
    #[serde(default)]
    pub amount: Option<i128>,
}

impl Discount {
    /// Never more than is left.
    pub fn of(&self, left: i128) -> Result<i128, Problem> {
        match (self.percent, self.amount) {
            (Some(percent), None) => Ok(number::percent(left, percent)),
            (None, Some(amount)) => Ok(amount.min(left)),
            _ => Err("a discount is either percent or amount".to_owned()),
        }
    }
}

impl BasketLine {
    pub fn code_or_sku(&self) -> &str {
        self.sku.as_deref().or(self.code.as_deref()).unwrap_or_default()
    }
}

impl Catalog {
    pub fn item(&self, wanted: &BasketLine) -> Option<&Item> {
        let name = wanted.code_or_sku();
        let fits = |item: &&Item| item.sku == name || item.codes.iter().any(|code| code == name);
        self.items.iter().find(fits)
    }

    pub fn class(&self, code: &str) -> Result<&TaxClass, Problem> {
        let found = self.tax_classes.iter().find(|class| class.code == code);
        found.ok_or_else(|| format!("no tax class {code}"))
    }

    /// The price of the book that counts for this item, if any does.
    pub fn booked(&self, basket: &Basket, item: &Item, quantity: i128) -> Result<Option<(String, i128)>, Problem> {
        let mut best: Option<(i64, Option<Timestamp>, &str, i128)> = None;
        for book in &self.price_books {
            let store = book.stores.is_empty() || basket.store.as_ref().is_some_and(|store| book.stores.contains(store));
            let group = book.groups.is_empty() || basket.groups.iter().any(|group| book.groups.contains(group));
            let time = book.from.is_none_or(|from| from <= basket.at) && book.to.is_none_or(|to| basket.at < to);
            if !(store && group && time) {
                continue;
            }
            let rows = book
                .prices
                .iter()
                .filter(|row| row.sku == item.sku && row.min_quantity <= quantity.abs());
            let Some(row) = rows.max_by_key(|row| row.min_quantity) else {
                continue;
            };
            let better = match best {
                None => true,
                Some((priority, from, id, _)) => {
                    (book.priority, book.from, std::cmp::Reverse(book.id.as_str())) > (priority, from, std::cmp::Reverse(id))
                }
            };
            if better {
                best = Some((book.priority, book.from, &book.id, row.price));
            }
        }
        Ok(best.map(|(_, _, id, price)| (id.to_owned(), price)))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub reason: String,
    pub amount: i128,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPart {
    pub tax: String,
    pub amount: i128,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerLine {
    pub line: usize,
    pub sku: String,
    pub unit_price: i128,
    pub amount: i128,
    pub reasons: Vec<Reason>,
    pub taxes: Vec<TaxPart>,
    pub net: i128,
    pub tax: i128,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRow {
    pub tax_class: String,
    pub net: i128,
    pub tax: i128,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub lines: Vec<AnswerLine>,
    pub net: i128,
    pub tax: i128,
    pub total: i128,
    pub cash_rounding: i128,
    pub due: i128,
    /// Promotion and what it saved.
    pub savings: BTreeMap<String, i128>,
}

/// Which way an amount goes to the smallest coin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CashRounding {
    Up,
    Down,
    #[default]
    Half,
    HalfEven,
    HalfDown,
}

impl CashRounding {
    /// The size is rounded, so what is given back goes as what was paid.
    pub fn to_coins(self, amount: i128, coin: i128) -> i128 {
        let (coins, rest) = (amount.abs() / coin, amount.abs() % coin);
        let up = match self {
            Self::Up => rest > 0,
            Self::Down => false,
            Self::Half => rest * 2 >= coin,
            Self::HalfEven => rest * 2 > coin || (rest * 2 == coin && coins % 2 == 1),
            Self::HalfDown => rest * 2 > coin,
        };
        (coins + i128::from(up)) * coin * amount.signum()
    }
}
