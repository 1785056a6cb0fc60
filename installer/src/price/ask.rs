//! The basket as a file asks for its price.

use std::collections::BTreeSet;

use backroom_core::catalog::{Item, Sku};
use backroom_core::ids::StoreId;
use backroom_core::money::{Money, Quantity, Rounding};
use backroom_core::price::{Asked, Circumstances, Discount, Goods};
use backroom_core::tax::Exemption;
use backroom_core::time::{Calendar, Instant};
use jiff::civil::Date;
use serde::Deserialize;

use super::Wrong;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basket {
    #[serde(default)]
    store: Option<StoreId>,
    at: Instant,
    #[serde(default)]
    zone: Option<String>,
    #[serde(default)]
    groups: BTreeSet<String>,
    #[serde(default)]
    coupons: BTreeSet<String>,
    /// A customer who pays no tax, or not these.
    #[serde(default)]
    pub exempt: Option<Exemption>,
    /// Smallest coin in minor units.
    #[serde(default)]
    pub cash_step: Option<i64>,
    #[serde(default)]
    pub cash_rounding: Rounding,
    pub lines: Vec<Line>,
    #[serde(default)]
    pub discount: Option<Discount>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    #[serde(default)]
    pub code: Option<String>,
    #[serde(default)]
    pub sku: Option<Sku>,
    #[serde(default)]
    quantity: Option<Quantity>,
    #[serde(default)]
    price: Option<Money>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    discount: Option<Discount>,
}

impl Basket {
    fn calendar(&self) -> Result<Calendar, Wrong> {
        let zone = self.zone.as_deref().unwrap_or("UTC");
        Calendar::new(zone, "00:00").map_err(|error| Wrong::Use(format!("the basket's zone: {error}")))
    }

    /// The date in the shop, which tax holidays go by.
    pub fn day(&self) -> Result<Date, Wrong> {
        Ok(self.calendar()?.civil_date(self.at))
    }

    pub fn circumstances(&self) -> Result<Circumstances, Wrong> {
        let calendar = self.calendar()?;
        if let Some(step) = self.cash_step.filter(|step| !(1..=1000).contains(step)) {
            return Err(Wrong::Use(format!(
                "the basket's cash_step of {step} minor units does not exist; use 1, 5, 10 ..."
            )));
        }
        Ok(Circumstances {
            groups: self.groups.clone(),
            coupons: self.coupons.clone(),
            ..Circumstances::new(self.at, &calendar, self.store)
        })
    }
}

impl Line {
    /// A keyed price is what it costs, where the item has an open price, and an override of its price otherwise.
    pub fn goods(&self, line: u32, item: Item<'_>) -> Goods {
        Goods {
            price: match self.price {
                None => Asked::Listed,
                Some(price) if item.open_price() => Asked::Open(price),
                Some(price) => Asked::Override(price),
            },
            discount: self.discount,
            reason: self.reason.clone(),
            ..Goods::new(line, item.sku(), self.quantity.unwrap_or(Quantity::ONE))
        }
    }
}
