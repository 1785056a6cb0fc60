//! What the goods in a basket cost: price books, promotions in three rounds, and discounts given by hand.
//!
//! docs/pricing.md says the rules in words; this room computes them to the cent and says for each cent why. Knows no taxes, no tenders
//! and no ticket: a ticket asks for a [`Plan`], keeps what came of it in an event, and applies the plan.

mod basket;
mod book;
mod circumstances;
mod discount;
mod engine;
mod fits;
mod offers;
mod promotion;
mod units;

#[cfg(test)]
mod laws_tests;
#[cfg(test)]
mod rules_tests;
#[cfg(test)]
mod worked_tests;

use crate::catalog::Sku;
use crate::facts::PriceReason;
use crate::money::{LARGEST_AMOUNT, Money, MoneyError, Quantity};

pub use self::book::{Book, BookFault, BookPrice};
pub use self::circumstances::{Circumstances, Day, Hours, OfferId};
pub use self::discount::{Discount, Percent, PercentError};
pub use self::engine::{Engine, Given};
pub use self::offers::Offers;
pub use self::promotion::{Combine, Kind, On, Part, Promotion, PromotionFault, Saving, SetPrice};

/// For fuzzers: any text is an offer's name, a percent or a time of the day, or refused by name; each reads back the same.
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    if let Ok(id) = text.parse::<OfferId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    if let Ok(percent) = text.parse::<Percent>() {
        assert_eq!(String::from(percent).parse(), Ok(percent));
        assert!((0..=1999).contains(&percent.of(1999)));
    }
    if let Ok(time) = circumstances::ClockTime::try_from(text.clone()) {
        assert_eq!(String::from(time), text);
    }
}

/// The longest reason code of what a person did, in letters.
pub const LONGEST_REASON: usize = 40;

/// Why a basket can not be priced so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    #[error("item {sku} is not in the catalog; check the label or search for the item by name")]
    UnknownItem { sku: Sku },
    #[error("quantity {quantity} can not be sold; use more than 0 and at most 10000")]
    Quantity { quantity: Quantity },
    #[error("{name} is sold by the piece; {quantity} of it is no number of pieces, key in a whole number")]
    NoPieces { name: String, quantity: Quantity },
    #[error("price {price} can not be keyed; a price is between 0 and {LARGEST_AMOUNT} minor units")]
    Price { price: i64 },
    #[error("a discount of {amount} minor units can not be given; give more than nothing and at most {LARGEST_AMOUNT}")]
    Discount { amount: i64 },
    #[error("line {line} is taken back; a discount is only given on what is sold")]
    DiscountOnReturn { line: u32 },
    #[error("a reason is a word of at most {LONGEST_REASON} printable letters; use one of the shop's own")]
    Reason,
    #[error("line {line} is not in this basket; read it again")]
    NoSuchLine { line: u32 },
    #[error("the basket has {} lines; settle it and open another", crate::ticket::MOST_LINES)]
    TooManyLines,
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl PriceError {
    /// Stable for programs, where the sentence may be worded better one day.
    pub fn code(&self) -> &'static str {
        match self {
            PriceError::UnknownItem { .. } => "unknown_item",
            PriceError::Quantity { .. } | PriceError::NoPieces { .. } => "quantity",
            PriceError::Price { .. } => "price",
            PriceError::Discount { .. } => "discount",
            PriceError::DiscountOnReturn { .. } => "discount_on_return",
            PriceError::Reason => "reason",
            PriceError::NoSuchLine { .. } => "no_such_line",
            PriceError::TooManyLines => "too_many_lines",
            PriceError::Money(_) => "money",
        }
    }
}

/// Where the unit price of a line is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Asked {
    /// From the price books, the directives and the list.
    #[default]
    Listed,
    /// Keyed in for an item with an open price, or read from the bar code. Promotions hold for it.
    Open(Money),
    /// Set by a person instead of the price it has. No promotion holds for it.
    Override(Money),
}

/// What lies on one line of a basket. Putting the same line again replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goods {
    pub line: u32,
    pub sku: Sku,
    /// Below nothing for a return at today's prices.
    pub quantity: Quantity,
    pub price: Asked,
    /// Given by a person on this line.
    pub discount: Option<Discount>,
    /// The shop's code for why a person set the price or gave the discount.
    pub reason: Option<String>,
}

impl Goods {
    /// Goods at the price they have.
    pub fn new(line: u32, sku: Sku, quantity: Quantity) -> Self {
        Self {
            line,
            sku,
            quantity,
            price: Asked::Listed,
            discount: None,
            reason: None,
        }
    }
}

/// What a line costs and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedLine {
    pub line: u32,
    pub unit_price: Money,
    /// The sum of the reasons.
    pub amount: Money,
    pub reasons: Vec<PriceReason>,
}

/// What would become of the basket: each line whose price or reasons change, and everything an engine needs to make it so.
#[derive(Clone, Debug)]
pub struct Plan {
    /// In the order of their numbers; a line that is put is always among them.
    pub lines: Vec<PricedLine>,
    /// The line that leaves the basket.
    pub taken: Option<u32>,
    /// What all lines cost afterwards.
    pub total: Money,
    step: engine::Step,
}
