//! A random little shop: what it sells, how it taxes and rounds, its registers and tills. Decides nothing of what happens in it.

use std::sync::Arc;

use backroom_core::barcode::StoreMadeRules;
use backroom_core::catalog::{Catalog, CatalogFile, Sku};
use backroom_core::ids::{RegisterId, StaffId, StoreId, TillId};
use backroom_core::money::{Currency, Money};
use backroom_core::price::Discount;
use backroom_core::tax;
use backroom_core::ticket::{Counter, Policy};
use backroom_core::time::Calendar;
use serde_json::json;

use super::Broken;
use crate::chance::Chance;
use crate::second::random;

pub const ZONE: &str = "Europe/Berlin";
pub const DAY_END: &str = "02:00";
/// Everyday goods, each able to do something the random ones are not.
pub const BEER: &str = "BEER";
pub const GIN: &str = "GIN";
pub const BOTTLE: &str = "BOTTLE";
pub const PREPAID: &str = "PREPAID";
pub const FEE: &str = "FEE";
pub const DEPARTMENT: &str = "DEPT";

/// A place where somebody sells.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub register: RegisterId,
    pub till: TillId,
    pub staff: StaffId,
}

pub struct Store {
    pub catalog: Catalog,
    pub taxes: Arc<tax::Rules>,
    rules: StoreMadeRules,
    pub calendar: Calendar,
    pub policy: Policy,
    store: StoreId,
    pub currency: Currency,
    /// The smallest coin.
    pub step: i64,
    pub places: Vec<Place>,
    /// What a scanner may read, each by its item number.
    pub goods: Vec<Good>,
}

/// What the one at the register sees of an item.
#[derive(Clone, Debug)]
pub struct Good {
    pub sku: String,
    pub measured: bool,
    pub open_price: bool,
    pub price: i64,
}

fn wrong(what: &str) -> impl Fn(String) -> Broken + '_ {
    move |why| format!("the random shop has no {what}: {why}")
}

pub fn text<T: std::str::FromStr>(text: &str) -> Result<T, Broken>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|why: T::Err| format!("{text:?}: {why}"))
}

impl Store {
    pub fn random(chance: &mut Chance) -> Result<Store, Broken> {
        let mut file = random::catalog(chance);
        if let Some(fields) = file.as_object_mut() {
            // Whoever checks the tax of a line from outside does not know the day's holidays.
            fields.remove("tax_holidays");
        }
        let class = |chance: &mut Chance| chance.pick(&["A", "B", "M"]).copied().unwrap_or("A");
        let own = [
            json!({"sku": BEER, "name": "Beer", "tax_class": class(chance), "price": chance.between(50, 300), "deposit": BOTTLE}),
            json!({"sku": GIN, "name": "Gin", "tax_class": class(chance), "price": chance.between(900, 3000), "min_age": 18}),
            json!({"sku": BOTTLE, "name": "Bottle deposit", "tax_class": class(chance), "price": chance.between(8, 25), "discountable": false}),
            json!({"sku": DEPARTMENT, "name": "Household", "tax_class": class(chance), "price": 0, "open_price": true}),
            json!({"sku": PREPAID, "name": "Payment for goods put aside", "tax_class": chance.pick(&["N", "N", "A"]), "price": 0,
                "open_price": true, "discountable": false}),
            json!({"sku": FEE, "name": "Restocking fee", "tax_class": class(chance), "price": 0, "open_price": true, "discountable": false}),
        ];
        if let Some(classes) = file["tax_classes"].as_array_mut() {
            classes.push(json!({"code": "N", "name": "none", "rate": "0"}));
        }
        let mut goods = Vec::new();
        if let Some(items) = file["items"].as_array_mut() {
            items.extend(own);
            for item in items {
                let sku = item["sku"].as_str().unwrap_or_default();
                if matches!(sku, BOTTLE | PREPAID | FEE | DEPARTMENT) {
                    continue;
                }
                goods.push(Good {
                    sku: sku.to_owned(),
                    measured: item["sold_by"] == "measure",
                    open_price: item["open_price"] == true,
                    price: item["price"].as_i64().unwrap_or_default(),
                });
            }
        }
        let file: CatalogFile = serde_json::from_value(file).map_err(|why| wrong("catalog")(why.to_string()))?;
        let catalog = Catalog::new(file).map_err(|why| wrong("catalog")(why.to_string()))?;
        let mut places = Vec::new();
        for number in 1..=chance.between(2, 3) {
            places.push(Place {
                register: text(&format!("r{number}"))?,
                till: text(&format!("t{number}"))?,
                staff: text(&format!("s{number}"))?,
            });
        }
        Ok(Store {
            taxes: catalog.taxes().clone(),
            currency: catalog.currency(),
            catalog,
            rules: StoreMadeRules::default(),
            calendar: Calendar::new(ZONE, DAY_END).map_err(|why| wrong("calendar")(why.to_string()))?,
            policy: Policy {
                voucher_change_most: Money(chance.pick(&[0, 100, 500]).copied().unwrap_or(0)),
                without_receipt_most: Money(20_000),
                ..Policy::default()
            },
            store: text("berlin")?,
            step: chance.pick(&[1, 1, 5, 10, 25]).copied().unwrap_or(1),
            places,
            goods,
        })
    }

    pub fn counter(&self) -> Counter<'_> {
        Counter {
            catalog: &self.catalog,
            taxes: &self.taxes,
            rules: &self.rules,
            calendar: &self.calendar,
            store: Some(self.store),
            policy: &self.policy,
        }
    }

    pub fn good(&self, chance: &mut Chance) -> Result<&Good, Broken> {
        chance.pick(&self.goods).ok_or_else(|| "the random shop sells nothing".to_owned())
    }

    pub fn skus(&self) -> impl Iterator<Item = Sku> {
        self.catalog.items().map(|item| item.sku())
    }
}

/// What a person takes off.
pub fn discount(chance: &mut Chance) -> Result<Discount, Broken> {
    if chance.percent(50) {
        return Ok(Discount::Amount(Money(chance.between(1, 300) as i64)));
    }
    let percent = chance.pick(&["1", "10", "12.5", "33.3333", "50", "100"]).copied().unwrap_or("10");
    Ok(Discount::Percent(text(percent)?))
}
