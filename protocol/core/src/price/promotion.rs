//! One promotion: when it holds, what it looks at, what it takes off; its form in a file, and what can be wrong with it.
//!
//! Which units it gets is decided in `units`, what stacks and what looks at the whole basket in `basket`.

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
#[serde(try_from = "Row", into = "Row")]
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
    #[error("it is in the catalog twice")]
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
    #[error("its name is empty, not printable or longer than 80 letters")]
    Name,
    #[error("it names more than {MOST_NAMED} stores or groups, or a group that is empty, not printable or longer than 64 letters")]
    Named,
    #[error("its coupon is empty, not printable or longer than 64 letters")]
    Coupon,
    #[error("it ends before it begins")]
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
    #[error("it names item {sku}, which is not in the catalog")]
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

/// The kinds by their words in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindWord {
    Percent,
    Amount,
    FixedPrice,
    BuyGet,
    MixMatch,
    Bundle,
    Threshold,
    Basket,
}

impl KindWord {
    fn word(self) -> &'static str {
        match self {
            KindWord::Percent => "percent",
            KindWord::Amount => "amount",
            KindWord::FixedPrice => "fixed_price",
            KindWord::BuyGet => "buy_get",
            KindWord::MixMatch => "mix_match",
            KindWord::Bundle => "bundle",
            KindWord::Threshold => "threshold",
            KindWord::Basket => "basket",
        }
    }
}

/// The form in a file: the fields of all kinds beside each other, so that a wrong one can be named.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: OfferId,
    name: String,
    priority: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Instant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Instant>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    days: Vec<Day>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hours: Vec<Hours>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stores: Vec<StoreId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coupon: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    #[serde(default, skip_serializing_if = "is_claims")]
    combine: Combine,
    kind: KindWord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    percent: Option<Percent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<On>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quantity: Option<Quantity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    buy: Option<Part>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    get: Option<Part>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<Part>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum: Option<Money>,
}

fn is_claims(combine: &Combine) -> bool {
    *combine == Combine::Claims
}

/// A promotion in a file whose fields do not fit its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("promotion {id}: {why}")]
pub struct ShapeError {
    id: OfferId,
    why: PromotionFault,
}

impl TryFrom<Row> for Promotion {
    type Error = ShapeError;
    fn try_from(mut row: Row) -> Result<Self, ShapeError> {
        let kind = row.take_kind().map_err(|why| ShapeError { id: row.id.clone(), why })?;
        Ok(Self {
            id: row.id,
            name: row.name,
            priority: row.priority,
            from: row.from,
            to: row.to,
            days: row.days,
            hours: row.hours,
            stores: row.stores,
            groups: row.groups,
            coupon: row.coupon,
            limit: row.limit,
            combine: row.combine,
            kind,
        })
    }
}

impl Row {
    /// Takes the kind's own fields out; what then is left belongs to no field of this kind.
    fn take_kind(&mut self) -> Result<Kind, PromotionFault> {
        let kind = self.kind.word();
        let missing = |field| PromotionFault::Missing { kind, field };
        let kind_of = match self.kind {
            KindWord::Percent => Kind::Percent {
                percent: self.percent.take().ok_or(missing("percent"))?,
                on: self.on.take().ok_or(missing("on"))?,
            },
            KindWord::Amount => Kind::Amount {
                amount: self.amount.take().ok_or(missing("amount"))?,
                on: self.on.take().ok_or(missing("on"))?,
            },
            KindWord::FixedPrice => Kind::FixedPrice {
                price: self.price.take().ok_or(missing("price"))?,
                on: self.on.take().ok_or(missing("on"))?,
            },
            KindWord::BuyGet => Kind::BuyGet {
                buy: self.buy.take().ok_or(missing("buy"))?,
                get: self.get.take().ok_or(missing("get"))?,
                percent: self.percent.take().ok_or(missing("percent"))?,
            },
            KindWord::MixMatch => Kind::MixMatch {
                set: Part {
                    on: self.on.take().ok_or(missing("on"))?,
                    quantity: self.quantity.take().ok_or(missing("quantity"))?,
                },
                costs: match (self.price.take(), self.percent.take(), self.amount.take()) {
                    (Some(price), None, None) => SetPrice::Together(price),
                    (None, Some(percent), None) => SetPrice::Percent(percent),
                    (None, None, Some(amount)) => SetPrice::Amount(amount),
                    _ => {
                        let fields = "\"price\", \"percent\", \"amount\"";
                        return Err(PromotionFault::OneOf { kind, fields });
                    }
                },
            },
            KindWord::Bundle => Kind::Bundle {
                parts: self.parts.take().ok_or(missing("parts"))?,
                price: self.price.take().ok_or(missing("price"))?,
            },
            KindWord::Threshold => Kind::Threshold {
                on: self.on.take().ok_or(missing("on"))?,
                minimum: self.minimum.take().ok_or(missing("minimum"))?,
                saving: self.take_saving()?,
            },
            KindWord::Basket => Kind::Basket {
                saving: self.take_saving()?,
            },
        };
        match self.first_left() {
            Some(field) => Err(PromotionFault::Superfluous { kind, field }),
            None => Ok(kind_of),
        }
    }

    fn take_saving(&mut self) -> Result<Saving, PromotionFault> {
        match (self.percent.take(), self.amount.take()) {
            (Some(percent), None) => Ok(Saving::Percent(percent)),
            (None, Some(amount)) => Ok(Saving::Amount(amount)),
            _ => Err(PromotionFault::OneOf {
                kind: self.kind.word(),
                fields: "\"percent\", \"amount\"",
            }),
        }
    }

    fn first_left(&self) -> Option<&'static str> {
        let left = [
            ("percent", self.percent.is_some()),
            ("amount", self.amount.is_some()),
            ("price", self.price.is_some()),
            ("on", self.on.is_some()),
            ("quantity", self.quantity.is_some()),
            ("buy", self.buy.is_some()),
            ("get", self.get.is_some()),
            ("parts", self.parts.is_some()),
            ("minimum", self.minimum.is_some()),
        ];
        left.into_iter().find_map(|(field, there)| there.then_some(field))
    }
}

impl From<Promotion> for Row {
    fn from(promotion: Promotion) -> Row {
        let mut row = Row {
            id: promotion.id,
            name: promotion.name,
            priority: promotion.priority,
            from: promotion.from,
            to: promotion.to,
            days: promotion.days,
            hours: promotion.hours,
            stores: promotion.stores,
            groups: promotion.groups,
            coupon: promotion.coupon,
            limit: promotion.limit,
            combine: promotion.combine,
            kind: KindWord::Basket,
            percent: None,
            amount: None,
            price: None,
            on: None,
            quantity: None,
            buy: None,
            get: None,
            parts: None,
            minimum: None,
        };
        match promotion.kind {
            Kind::Percent { percent, on } => (row.kind, row.percent, row.on) = (KindWord::Percent, Some(percent), Some(on)),
            Kind::Amount { amount, on } => (row.kind, row.amount, row.on) = (KindWord::Amount, Some(amount), Some(on)),
            Kind::FixedPrice { price, on } => (row.kind, row.price, row.on) = (KindWord::FixedPrice, Some(price), Some(on)),
            Kind::BuyGet { buy, get, percent } => {
                (row.kind, row.buy, row.get, row.percent) = (KindWord::BuyGet, Some(buy), Some(get), Some(percent));
            }
            Kind::MixMatch { set, costs } => {
                (row.kind, row.on, row.quantity) = (KindWord::MixMatch, Some(set.on), Some(set.quantity));
                match costs {
                    SetPrice::Together(price) => row.price = Some(price),
                    SetPrice::Percent(percent) => row.percent = Some(percent),
                    SetPrice::Amount(amount) => row.amount = Some(amount),
                }
            }
            Kind::Bundle { parts, price } => (row.kind, row.parts, row.price) = (KindWord::Bundle, Some(parts), Some(price)),
            Kind::Threshold { on, minimum, saving } => {
                (row.kind, row.on, row.minimum) = (KindWord::Threshold, Some(on), Some(minimum));
                row.put_saving(saving);
            }
            Kind::Basket { saving } => row.put_saving(saving),
        }
        row
    }
}

impl Row {
    fn put_saving(&mut self, saving: Saving) {
        match saving {
            Saving::Percent(percent) => self.percent = Some(percent),
            Saving::Amount(amount) => self.amount = Some(amount),
        }
    }
}
