//! One promotion: when it holds, what it looks at, what it takes off; its form in a file, and what can be wrong with it.
//!
//! Which units it gets is decided in `units`, what stacks and what looks at the whole basket in `basket`.

mod row;

use serde::{Deserialize, Serialize};

use super::book::{MOST_NAMED, is_name, is_word};
use super::circumstances::{Circumstances, Day, Hours, OfferId};
use super::discount::Percent;
use crate::catalog::{Sku, is_path};
use crate::ids::StoreId;
use crate::money::{LARGEST_AMOUNT, Money, Quantity};
use crate::ticket::LARGEST_QUANTITY;
use crate::time::Instant;

/// A set is made of at most so many parts.
pub const MOST_PARTS: usize = 16;

/// A promotion as it is checked and asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "row::Row", into = "row::Row")]
pub struct Promotion {
    pub id: OfferId,
    pub name: String,
    /// The larger goes first.
    pub priority: i32,
    pub from: Option<Instant>,
    pub to: Option<Instant>,
    pub days: Vec<Day>,
    pub hours: Vec<Hours>,
    pub stores: Vec<StoreId>,
    pub groups: Vec<String>,
    pub coupon: Option<String>,
    /// At most so many units or sets of one basket.
    pub limit: Option<u32>,
    pub combine: Combine,
    pub kind: Kind,
}

/// How a promotion gets on with others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// What it claims no other claims.
    #[default]
    Claims,
    /// On what is left after the others.
    Stacks,
    /// What it touches is not touched by later rounds.
    Alone,
}

/// What a promotion does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Percent {
        percent: Percent,
        on: On,
    },
    Amount {
        amount: Money,
        on: On,
    },
    FixedPrice {
        price: Money,
        on: On,
    },
    /// `percent` off the units of `get` when those of `buy` are bought.
    BuyGet {
        buy: Part,
        get: Part,
        percent: Percent,
    },
    /// Any so many units together.
    MixMatch {
        set: Part,
        costs: SetPrice,
    },
    /// One of each part together.
    Bundle {
        parts: Vec<Part>,
        price: Money,
    },
    /// Off these goods, when together they cost at least so much.
    Threshold {
        on: On,
        minimum: Money,
        saving: Saving,
    },
    /// Off the whole basket.
    Basket {
        saving: Saving,
    },
}

/// What a set costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetPrice {
    Together(Money),
    Percent(Percent),
    Amount(Money),
}

/// What is taken off a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saving {
    Percent(Percent),
    Amount(Money),
}

/// Which goods a promotion looks at: those named or in a named category or all, but not the excepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct On {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skus: Vec<Sku>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Sku>,
}

/// So many pieces of some goods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub on: On,
    /// Whole pieces, in thousandths.
    pub quantity: Quantity,
}

/// What is wrong with a promotion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromotionFault {
    #[error("it is in the catalog twice; leave one of them out")]
    Twice,
    #[error(
        "the catalog has more than {} promotions, or they name more than {} items and categories",
        super::offers::MOST_PROMOTIONS,
        super::offers::MOST_WORDS
    )]
    TooMany,
    #[error("kind {kind} needs {field:?}")]
    Missing { kind: &'static str, field: &'static str },
    #[error("kind {kind} has no {field:?}")]
    Superfluous { kind: &'static str, field: &'static str },
    #[error("kind {kind} needs exactly one of {fields}")]
    OneOf { kind: &'static str, fields: &'static str },
    #[error("its name is empty, not printable or longer than 80 letters; write what shall stand on the receipt")]
    Name,
    #[error("it names more than {MOST_NAMED} stores or groups, or a group that is empty, not printable or longer than 64 letters")]
    Named,
    #[error("its coupon is empty, not printable or longer than 64 letters")]
    Coupon,
    #[error("it ends before it begins; correct the instants")]
    Ends,
    #[error("its hours begin and end at the same time; leave them out for the whole day")]
    Hours,
    #[error("it has more than 7 days or more than 24 hours")]
    Days,
    #[error("its limit is 0; leave it out for none")]
    Limit,
    #[error("only promotions that claim units can have a limit")]
    LimitOfOthers,
    #[error("sets can not stack; leave combine out or write \"alone\"")]
    SetsStack,
    #[error("it names no goods; name items or categories, or write \"all\": true")]
    NoGoods,
    #[error("it names item {sku}, which is not in the catalog; check the number or add the item")]
    UnknownItem { sku: Sku },
    #[error("it names category {path:?}, which is no path; write it like drinks/beer")]
    Category { path: String },
    #[error("{field} is {amount}; it is between {least} and {LARGEST_AMOUNT} minor units")]
    Amount { field: &'static str, amount: i64, least: i64 },
    #[error("{field} is {quantity} thousandths; it is a whole number of pieces, 1000 each, and at most {LARGEST_QUANTITY}")]
    Quantity { field: &'static str, quantity: i64 },
    #[error("it has no parts or more than {MOST_PARTS}")]
    Parts,
}

/// In which round a promotion has its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    Units,
    Stacks,
    Basket,
}

impl Promotion {
    pub(super) fn round(&self) -> Round {
        match (&self.kind, self.combine) {
            (Kind::Threshold { .. } | Kind::Basket { .. }, _) => Round::Basket,
            (_, Combine::Stacks) => Round::Stacks,
            _ => Round::Units,
        }
    }

    /// How many units a set has; `None` where units are claimed one by one, or none are.
    pub(super) fn set_size(&self) -> Option<u32> {
        let pieces = |part: &Part| part.pieces();
        match &self.kind {
            Kind::BuyGet { buy, get, .. } => Some(pieces(buy) + pieces(get)),
            Kind::MixMatch { set, .. } => Some(pieces(set)),
            Kind::Bundle { parts, .. } => Some(parts.iter().map(pieces).sum()),
            _ => None,
        }
    }

    /// Whether it holds now, here and for this customer.
    pub(super) fn holds(&self, circumstances: &Circumstances) -> bool {
        circumstances.fit(self.from, self.to, &self.stores, &self.groups)
            && circumstances.in_hours(&self.days, &self.hours)
            && self.coupon.as_ref().is_none_or(|coupon| circumstances.coupons.contains(coupon))
    }

    /// The goods it looks at, part by part. Whole-basket promotions look at all.
    pub(super) fn parts(&self) -> Vec<On> {
        match &self.kind {
            Kind::Percent { on, .. } | Kind::Amount { on, .. } | Kind::FixedPrice { on, .. } | Kind::Threshold { on, .. } => {
                vec![on.clone()]
            }
            Kind::BuyGet { buy, get, .. } => vec![buy.on.clone(), get.on.clone()],
            Kind::MixMatch { set, .. } => vec![set.on.clone()],
            Kind::Bundle { parts, .. } => parts.iter().map(|part| part.on.clone()).collect(),
            Kind::Basket { .. } => vec![On {
                all: true,
                ..On::default()
            }],
        }
    }

    /// What can be said of it without the items.
    pub(super) fn check(&self) -> Result<(), PromotionFault> {
        if !is_name(&self.name) {
            return Err(PromotionFault::Name);
        }
        if self.stores.len() > MOST_NAMED || self.groups.len() > MOST_NAMED || !self.groups.iter().all(|group| is_word(group)) {
            return Err(PromotionFault::Named);
        }
        if self.coupon.as_ref().is_some_and(|coupon| !is_word(coupon)) {
            return Err(PromotionFault::Coupon);
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && to <= from
        {
            return Err(PromotionFault::Ends);
        }
        if self.days.len() > 7 || self.hours.len() > 24 {
            return Err(PromotionFault::Days);
        }
        if self.hours.iter().any(|hours| hours.from == hours.to) {
            return Err(PromotionFault::Hours);
        }
        if self.limit == Some(0) {
            return Err(PromotionFault::Limit);
        }
        if self.set_size().is_some() && self.combine == Combine::Stacks {
            return Err(PromotionFault::SetsStack);
        }
        if self.limit.is_some() && self.round() != Round::Units {
            return Err(PromotionFault::LimitOfOthers);
        }
        self.kind.check()
    }
}

impl Part {
    /// Checked to be a whole number.
    pub(super) fn pieces(&self) -> u32 {
        u32::try_from(self.quantity.0 / Quantity::ONE.0).unwrap_or(u32::MAX)
    }

    fn check(&self, field: &'static str) -> Result<(), PromotionFault> {
        let quantity = self.quantity.0;
        if quantity % Quantity::ONE.0 != 0 || !(1..=LARGEST_QUANTITY).contains(&quantity) {
            return Err(PromotionFault::Quantity { field, quantity });
        }
        self.on.check()
    }
}

impl On {
    fn check(&self) -> Result<(), PromotionFault> {
        if self.skus.is_empty() && self.categories.is_empty() && !self.all {
            return Err(PromotionFault::NoGoods);
        }
        match self.categories.iter().find(|path| !is_path(path)) {
            Some(path) => Err(PromotionFault::Category {
                path: path.chars().take(60).collect(),
            }),
            None => Ok(()),
        }
    }
}

fn amount(field: &'static str, amount: Money, least: i64) -> Result<(), PromotionFault> {
    let amount = amount.0;
    if (least..=LARGEST_AMOUNT).contains(&amount) {
        Ok(())
    } else {
        Err(PromotionFault::Amount { field, amount, least })
    }
}

impl Saving {
    fn check(self) -> Result<(), PromotionFault> {
        match self {
            Saving::Percent(_) => Ok(()),
            Saving::Amount(off) => amount("amount", off, 1),
        }
    }

    /// What is taken off a sum: never more than the sum.
    pub(super) fn of(self, sum: i64) -> i64 {
        match self {
            Saving::Percent(percent) => percent.of(sum),
            Saving::Amount(Money(amount)) => amount.min(sum.max(0)),
        }
    }
}

impl Kind {
    fn check(&self) -> Result<(), PromotionFault> {
        match self {
            Kind::Percent { on, .. } => on.check(),
            Kind::Amount { amount: off, on } => amount("amount", *off, 1).and_then(|()| on.check()),
            Kind::FixedPrice { price, on } => amount("price", *price, 0).and_then(|()| on.check()),
            Kind::BuyGet { buy, get, .. } => buy.check("buy.quantity").and_then(|()| get.check("get.quantity")),
            Kind::MixMatch { set, costs } => {
                set.check("quantity")?;
                match costs {
                    SetPrice::Together(price) => amount("price", *price, 0),
                    SetPrice::Percent(_) => Ok(()),
                    SetPrice::Amount(off) => amount("amount", *off, 1),
                }
            }
            Kind::Bundle { parts, price } => {
                if parts.is_empty() || parts.len() > MOST_PARTS {
                    return Err(PromotionFault::Parts);
                }
                parts.iter().try_for_each(|part| part.check("parts.quantity"))?;
                amount("price", *price, 0)
            }
            Kind::Threshold { on, minimum, saving } => {
                amount("minimum", *minimum, 0)?;
                saving.check()?;
                on.check()
            }
            Kind::Basket { saving } => saving.check(),
        }
    }
}
