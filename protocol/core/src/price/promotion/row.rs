//! A promotion's form in a file: the fields of all kinds beside each other, so that a wrong one can be named.

use serde::{Deserialize, Serialize};

use super::{Combine, Kind, On, Part, Promotion, PromotionFault, Saving, SetPrice};
use crate::ids::StoreId;
use crate::money::{Money, Quantity};
use crate::price::circumstances::{Day, Hours, OfferId};
use crate::price::discount::Percent;
use crate::time::Instant;

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

/// Every field that a kind may have.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
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
