//! The stand-in's shop: what it holds, and how a question finds things in it.
//!
//! Owns the state, the ids and the memory of idempotency keys. What a mutation does stands in `stock` and `orders`.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ledger::Ledger;
use super::money;

/// What Shopify calls a user error: the question was right, the answer is no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// Not every mutation's errors have one.
    pub code: Option<&'static str>,
    pub field: Vec<String>,
    pub message: String,
}

impl UserError {
    pub fn new(code: &'static str, field: &[&str], message: impl Into<String>) -> Self {
        Self {
            code: Some(code),
            field: field.iter().map(|&part| part.to_owned()).collect(),
            message: message.into(),
        }
    }

    pub fn json(&self) -> Value {
        json!({ "code": self.code, "field": self.field, "message": self.message })
    }
}

/// Why a mutation was not done.
#[derive(Debug)]
pub enum No {
    User(UserError),
    /// The question itself is wrong: an error beside `data`.
    Question(String),
    /// The stand-in is broken, most likely its disk.
    Broken(anyhow::Error),
}

impl From<UserError> for No {
    fn from(error: UserError) -> Self {
        Self::User(error)
    }
}

impl From<anyhow::Error> for No {
    fn from(error: anyhow::Error) -> Self {
        Self::Broken(error)
    }
}

#[derive(Clone, Debug)]
pub struct Location {
    pub id: String,
    pub name: String,
}

/// A product with its only variant.
#[derive(Clone, Debug)]
pub struct Variant {
    pub number: u64,
    pub sku: String,
    pub title: String,
    pub price: String,
}

impl Variant {
    pub fn id(&self) -> String {
        format!("gid://shopify/ProductVariant/{}", self.number)
    }

    pub fn product(&self) -> String {
        format!("gid://shopify/Product/{}", self.number)
    }

    pub fn item(&self) -> String {
        format!("gid://shopify/InventoryItem/{}", self.number)
    }
}

#[derive(Clone, Debug)]
pub struct Order {
    pub id: String,
    pub name: String,
    pub source_identifier: Option<String>,
    pub note: Option<String>,
    pub processed_at: String,
    pub total: i64,
    pub refunded: i64,
    pub lines: Vec<Line>,
    pub transactions: Vec<Transaction>,
    /// Values of our unique fields, by key.
    pub metafields: Vec<(String, String)>,
    /// Questions to the search which do not see it yet.
    pub hidden_from_search: u32,
}

#[derive(Clone, Debug)]
pub struct Line {
    pub id: String,
    pub sku: Option<String>,
    pub title: String,
    pub quantity: i64,
    pub refunded: i64,
    pub price: i64,
}

#[derive(Clone, Debug)]
pub struct Transaction {
    pub id: String,
    pub kind: String,
    pub gateway: String,
    pub amount: i64,
}

/// What became of a mutation that was asked with a key.
#[derive(Clone, Debug)]
pub struct Remembered {
    pub asked: Value,
    /// `None` when it failed.
    pub answer: Option<Value>,
}

/// What is for sale, as the file of head office's catalog says it; other fields do not matter here.
#[derive(Debug, Deserialize)]
pub struct CatalogFile {
    pub currency: String,
    items: Vec<CatalogItem>,
}

#[derive(Debug, Deserialize)]
struct CatalogItem {
    sku: String,
    name: String,
    price: i64,
}

#[derive(Debug)]
pub struct Shop {
    pub domain: String,
    pub currency: String,
    pub locations: Vec<Location>,
    pub variants: Vec<Variant>,
    by_sku: HashMap<String, usize>,
    /// On hand, by inventory item and location. What is not there is not counted at that place.
    pub levels: BTreeMap<(String, String), i64>,
    pub orders: Vec<Order>,
    /// Keys of fields on orders of which each value is taken once.
    pub unique_fields: Vec<String>,
    pub keys: HashMap<String, Remembered>,
    /// How many questions to the search a new order is hidden from.
    pub search_lag: u32,
    pub ledger: Ledger,
    last_number: u64,
}

impl Shop {
    pub fn new(domain: &str, currency: &str, locations: &[String], ledger: Ledger) -> Self {
        let location = |(place, name): (usize, &String)| Location {
            id: format!("gid://shopify/Location/{}", place + 1),
            name: name.clone(),
        };
        Self {
            domain: domain.to_owned(),
            currency: currency.to_owned(),
            locations: locations.iter().enumerate().map(location).collect(),
            variants: Vec::new(),
            by_sku: HashMap::new(),
            levels: BTreeMap::new(),
            orders: Vec::new(),
            unique_fields: Vec::new(),
            keys: HashMap::new(),
            search_lag: 0,
            ledger,
            last_number: 1000,
        }
    }

    /// Takes the items of a catalog as products. Their amounts have two decimals here, as most currencies' do.
    pub fn stock_up(&mut self, catalog: &CatalogFile) -> Result<()> {
        for item in &catalog.items {
            self.put_product(&item.sku, Some(&item.name), Some(&money::shown(item.price)))?;
        }
        Ok(())
    }

    /// A merchant makes a product, or changes its title or price.
    pub fn put_product(&mut self, sku: &str, title: Option<&str>, price: Option<&str>) -> Result<Variant> {
        if let Some(price) = price {
            money::hundredths(price).with_context(|| format!("{price:?} is no price; use one such as 12.50"))?;
        }
        let place = match self.by_sku.get(sku) {
            Some(place) => *place,
            None => {
                let number = self.next_number();
                self.variants.push(Variant {
                    number,
                    sku: sku.to_owned(),
                    title: sku.to_owned(),
                    price: "0.00".to_owned(),
                });
                self.by_sku.insert(sku.to_owned(), self.variants.len() - 1);
                self.variants.len() - 1
            }
        };
        let variant = self.variants.get_mut(place).context("a product went missing")?;
        if let Some(title) = title {
            title.clone_into(&mut variant.title);
        }
        if let Some(price) = price {
            price.clone_into(&mut variant.price);
        }
        Ok(variant.clone())
    }

    pub fn variant(&self, sku: &str) -> Option<&Variant> {
        self.by_sku.get(sku).and_then(|place| self.variants.get(*place))
    }

    pub fn variant_by_item(&self, item: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.item() == item)
    }

    pub fn has_location(&self, id: &str) -> bool {
        self.locations.iter().any(|location| location.id == id)
    }

    pub fn order(&self, id: &str) -> Option<&Order> {
        self.orders.iter().find(|order| order.id == id)
    }

    pub fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    pub fn new_id(&mut self, kind: &str) -> String {
        format!("gid://shopify/{kind}/{}", self.next_number())
    }

    /// Does a mutation once per key: the same question gets the same answer, another question with the key is refused.
    pub fn once(&mut self, key: &str, asked: Value, mutation: impl FnOnce(&mut Self) -> Result<Value, No>) -> Result<Value, No> {
        let refusal = |code, message: &str| Err(UserError::new(code, &[], message).into());
        match self.keys.get(key) {
            Some(before) if before.asked != asked => {
                return refusal("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "this key was used with other parameters");
            }
            Some(Remembered { answer: Some(answer), .. }) => return Ok(answer.clone()),
            Some(_) => return refusal("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "this key failed before; use a new one"),
            None => {}
        }
        let done = mutation(self);
        if let Ok(answer) = &done {
            self.keys.insert(
                key.to_owned(),
                Remembered {
                    asked,
                    answer: Some(answer.clone()),
                },
            );
        } else if let Err(No::User(_)) = &done {
            self.keys.insert(key.to_owned(), Remembered { asked, answer: None });
        }
        done
    }

    /// Everything, for whoever looks from outside.
    pub fn state(&self) -> Value {
        let level = |((item, location), on_hand): (&(String, String), &i64)| {
            let sku = self.variant_by_item(item).map(|variant| variant.sku.as_str());
            json!({ "sku": sku, "location": location, "on_hand": on_hand })
        };
        let order = |order: &Order| {
            let line =
                |line: &Line| json!({ "sku": line.sku, "title": line.title, "quantity": line.quantity, "price": money::shown(line.price) });
            json!({
                "id": order.id, "name": order.name, "source_identifier": order.source_identifier, "note": order.note,
                "processed_at": order.processed_at, "total": money::shown(order.total), "refunded": money::shown(order.refunded),
                "lines": order.lines.iter().map(line).collect::<Vec<_>>(),
            })
        };
        let product = |variant: &Variant| json!({ "sku": variant.sku, "title": variant.title, "price": variant.price });
        json!({
            "domain": self.domain, "currency": self.currency,
            "locations": self.locations.iter().map(|location| json!({ "id": location.id, "name": location.name })).collect::<Vec<_>>(),
            "levels": self.levels.iter().map(level).collect::<Vec<_>>(),
            "orders": self.orders.iter().map(order).collect::<Vec<_>>(),
            "products": self.variants.iter().map(product).collect::<Vec<_>>(),
        })
    }
}
