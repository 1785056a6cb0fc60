//! Questions in GraphQL: read, held against the published schema, and answered from the shop.
//!
//! The schema file is the part of Shopify's own that head office uses, so whatever is not in it is refused as Shopify would
//! refuse it. What a field means stands in `stock` and `orders`; this room finds it and gives it its form.

use std::cell::RefCell;

use anyhow::{Result, anyhow};
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::orders;
use super::shop::{No, Shop, UserError, Variant};
use super::stock;

const SCHEMA: &str = include_str!("schema.graphql");
/// Since 2026-04 Shopify refuses these without a key.
const NEED_KEY: [&str; 4] = [
    "inventoryActivate",
    "inventoryAdjustQuantities",
    "inventorySetQuantities",
    "refundCreate",
];
/// Shopify's price of a change.
const POINTS_OF_MUTATION: u64 = 10;

/// A question as it comes over the wire.
#[derive(Debug, Deserialize)]
pub struct Question {
    pub query: String,
    #[serde(default)]
    pub variables: Value,
    #[serde(rename = "operationName")]
    pub operation_name: Option<String>,
}

/// A question that is right in itself.
pub struct Checked {
    document: Valid<ExecutableDocument>,
    operation_name: Option<String>,
    variables: Valid<JsonMap>,
    /// Its root fields.
    pub asks: Vec<String>,
    pub is_mutation: bool,
    pub points: u64,
}

/// How a mutation answers whatever it is asked, when it is told to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Work,
    Refuse,
    Concurrent,
}

pub struct Graph {
    schema: Valid<Schema>,
}

impl Graph {
    pub fn new() -> Result<Self> {
        let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql");
        let schema = schema.map_err(|wrong| anyhow!("the stand-in's own schema is wrong: {}", wrong.errors))?;
        Ok(Self { schema })
    }

    /// Reads a question; the error is the answer to a wrong one.
    pub fn check(&self, question: Question) -> Result<Checked, Value> {
        let document = ExecutableDocument::parse_and_validate(&self.schema, question.query, "question.graphql");
        let document = document.map_err(|wrong| {
            let errors: Vec<Value> = wrong
                .errors
                .iter()
                .map(|error| json!({ "message": error.error.to_string() }))
                .collect();
            json!({ "errors": errors })
        })?;
        let one = |error: &dyn std::fmt::Display| json!({ "errors": [{ "message": error.to_string() }] });
        let operation = document.operations.get(question.operation_name.as_deref());
        let operation = operation.map_err(|error| one(&error.message()))?;
        let variables = match question.variables.into() {
            JsonValue::Object(variables) => variables,
            _ => JsonMap::new(),
        };
        let variables = coerce_variable_values(&self.schema, operation, &variables).map_err(|error| one(&error.message()))?;
        let fields: Vec<_> = operation.root_fields(&document).collect();
        let is_mutation = operation.is_mutation();
        let points = if is_mutation {
            POINTS_OF_MUTATION * fields.len() as u64
        } else {
            // Shopify counts what a question could bring back; what it brings here is a few objects for each root field.
            3 * fields.len() as u64
        };
        let asks = fields.iter().map(|field| field.name.to_string()).collect();
        Ok(Checked {
            operation_name: question.operation_name,
            variables,
            asks,
            is_mutation,
            points,
            document,
        })
    }

    /// Answers it. An error is a broken stand-in, not a wrong question.
    pub fn answer(&self, shop: &mut Shop, checked: &Checked, told: Told) -> Result<Value> {
        let root = Root {
            shop: RefCell::new(shop),
            variables: &checked.variables,
            told,
            broken: RefCell::new(None),
        };
        let execution = Execution::new(&self.schema, &checked.document)
            .operation_name(checked.operation_name.as_deref())
            .map_err(|error| anyhow!("{}", error.message()))?
            .coerced_variable_values(&checked.variables);
        let response = execution.execute_sync(&root).map_err(|error| anyhow!("{}", error.message()))?;
        if let Some(broken) = root.broken.take() {
            return Err(broken);
        }
        let mut answer = json!({ "data": response.data });
        if !response.errors.is_empty() {
            let error = |error: &apollo_compiler::response::GraphQLError| json!({ "message": error.message, "path": error.path });
            answer["errors"] = response.errors.iter().map(error).collect();
        }
        Ok(answer)
    }
}

/// `QueryRoot` and `Mutation` in one: the fields have different names.
struct Root<'a> {
    shop: RefCell<&'a mut Shop>,
    variables: &'a JsonMap,
    told: Told,
    broken: RefCell<Option<anyhow::Error>>,
}

impl Root<'_> {
    fn field(&self, info: &ResolveInfo<'_>) -> Result<Value, No> {
        let name = info.field_name();
        let mut shop = self.shop.borrow_mut();
        let shop: &mut Shop = &mut shop;
        let arguments = serde_json::to_value(info.arguments()).map_err(anyhow::Error::from)?;
        let is_mutation = info
            .field_selections()
            .first()
            .is_some_and(|field| field.ty().inner_named_type().ends_with("Payload"));
        if is_mutation {
            return self.mutation(shop, info, name, &arguments);
        }
        match name {
            "shop" => Ok(json!({ "name": "Stand-in", "myshopifyDomain": shop.domain, "currencyCode": shop.currency })),
            "locations" => {
                let nodes: Vec<_> = shop
                    .locations
                    .iter()
                    .map(|place| json!({ "id": place.id, "name": place.name }))
                    .collect();
                Ok(json!({ "nodes": nodes }))
            }
            "productVariants" => Ok(json!({ "nodes": variants(shop, arguments["query"].as_str().unwrap_or_default())? })),
            "order" => Ok(shop
                .order(arguments["id"].as_str().unwrap_or_default())
                .map_or(Value::Null, orders::shown_order)),
            "orders" => {
                let found = orders::search(shop, arguments["query"].as_str().unwrap_or_default())?;
                Ok(json!({ "nodes": found }))
            }
            "orderByIdentifier" => orders::by_identifier(shop, &arguments["identifier"]),
            other => Err(No::Question(format!("the stand-in does not know {other}"))),
        }
    }

    fn mutation(&self, shop: &mut Shop, info: &ResolveInfo<'_>, name: &str, arguments: &Value) -> Result<Value, No> {
        let key = self.key(info);
        if NEED_KEY.contains(&name) && key.is_none() {
            return Err(No::Question(format!("{name} must carry @idempotent(key:)")));
        }
        let done = match (self.told, key) {
            (Told::Refuse, _) => Err(UserError::new("INVALID", &[], "refused because the stand-in was told to").into()),
            (Told::Concurrent, _) => Err(UserError::new("IDEMPOTENCY_CONCURRENT_REQUEST", &[], "this key is being worked on").into()),
            (Told::Work, None) => change(shop, name, arguments, ""),
            (Told::Work, Some(key)) => {
                let asked = json!({ "mutation": name, "arguments": arguments });
                shop.once(&key, asked, |shop| change(shop, name, arguments, &key))
            }
        };
        match done {
            Err(No::User(error)) => Ok(json!({ "userErrors": [error.json()] })),
            other => other,
        }
    }

    /// The key of `@idempotent`, given as it is or by a variable.
    fn key(&self, info: &ResolveInfo<'_>) -> Option<String> {
        let field = info.field_selections().first()?;
        let value = field.directives.get("idempotent")?.specified_argument_by_name("key")?;
        match value.as_variable() {
            Some(variable) => self.variables.get(variable.as_str())?.as_str().map(str::to_owned),
            None => value.as_str().map(str::to_owned),
        }
    }
}

fn change(shop: &mut Shop, name: &str, arguments: &Value, key: &str) -> Result<Value, No> {
    match name {
        "inventoryActivate" => stock::activate(shop, arguments),
        "inventorySetQuantities" => stock::set(shop, arguments, key),
        "inventoryAdjustQuantities" => stock::adjust(shop, arguments, key),
        "metafieldDefinitionCreate" => orders::define(shop, arguments),
        "orderCreate" => orders::create(shop, arguments),
        "refundCreate" => orders::refund(shop, arguments, key),
        other => Err(No::Question(format!("the stand-in does not know {other}"))),
    }
}

/// The search for variants: `sku:"..."` and nothing else. As at Shopify it also brings back what only begins so.
fn variants(shop: &Shop, query: &str) -> Result<Vec<Value>, No> {
    let Some(sku) = query.strip_prefix("sku:") else {
        return Err(No::Question(format!("this stand-in can not search for {query:?}")));
    };
    let sku = sku.trim_matches('"');
    let exact = shop.variant(sku);
    let longer = shop
        .variants
        .iter()
        .filter(|variant| variant.sku != sku && variant.sku.starts_with(sku))
        .take(2);
    let shown = |variant: &Variant| {
        let levels: serde_json::Map<String, Value> = shop
            .locations
            .iter()
            .map(|place| (place.id.clone(), stock::level(shop, &variant.item(), &place.id)))
            .collect();
        json!({
            "id": variant.id(), "sku": variant.sku, "displayName": variant.title, "price": variant.price,
            "inventoryItem": { "id": variant.item(), "levels": levels },
        })
    };
    Ok(longer.chain(exact).map(shown).collect())
}

impl ObjectValue for Root<'_> {
    fn type_name(&self) -> &str {
        "QueryRoot"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match self.field(info) {
            Ok(value) => Ok(resolved(value, info)),
            Err(No::User(error)) => Err(FieldError { message: error.message }),
            Err(No::Question(message)) => Err(FieldError { message }),
            Err(No::Broken(error)) => {
                let message = error.to_string();
                self.broken.replace(Some(error));
                Err(FieldError { message })
            }
        }
    }
}

/// Something that was looked up already.
struct Found {
    kind: String,
    value: Value,
}

impl ObjectValue for Found {
    fn type_name(&self) -> &str {
        &self.kind
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let argument = |name: &str| info.arguments().get(name).cloned();
        let value = match info.field_name() {
            "inventoryLevel" if self.kind == "InventoryItem" => {
                let place = argument("locationId")
                    .and_then(|place| place.as_str().map(str::to_owned))
                    .unwrap_or_default();
                self.value["levels"][place].clone()
            }
            "quantities" => {
                let names = argument("names")
                    .and_then(|names| serde_json::to_value(names).ok())
                    .unwrap_or_default();
                let quantity = |name: &Value| json!({ "name": name, "quantity": self.value[name.as_str().unwrap_or_default()] });
                names
                    .as_array()
                    .map(|names| names.iter().map(quantity).collect())
                    .unwrap_or_default()
            }
            other => self.value[other].clone(),
        };
        Ok(resolved(value, info))
    }
}

fn resolved<'a>(value: Value, info: &ResolveInfo<'_>) -> ResolvedValue<'a> {
    let kind = info.field_definition().ty.inner_named_type().to_string();
    wrapped(value, &kind, info.schema().get_object(&kind).is_some())
}

fn wrapped<'a>(value: Value, kind: &str, is_object: bool) -> ResolvedValue<'a> {
    match value {
        Value::Array(values) if is_object => {
            let kind = kind.to_owned();
            ResolvedValue::list(values.into_iter().map(move |value| wrapped(value, &kind, true)))
        }
        value @ Value::Object(_) if is_object => ResolvedValue::object(Found {
            kind: kind.to_owned(),
            value,
        }),
        Value::Array(values) => ResolvedValue::list(values.into_iter().map(ResolvedValue::leaf)),
        value => ResolvedValue::leaf(value),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Ledger;
    use super::*;

    const LEVEL: &str = "mutation L($input: InventorySetQuantitiesInput!, $key: String!) {
        inventorySetQuantities(input: $input) @idempotent(key: $key) { inventoryAdjustmentGroup { id } userErrors { code message } } }";

    fn shop() -> Shop {
        let mut shop = Shop::new(
            "stand-in.myshopify.com",
            "EUR",
            &["Main street".to_owned()],
            Ledger::open(None).unwrap(),
        );
        let item = shop.put_product("MUG", Some("Mug"), Some("10.00")).unwrap().item();
        shop.levels.insert((item, "gid://shopify/Location/1".into()), 7);
        shop
    }

    fn ask(shop: &mut Shop, query: &str, variables: Value) -> Value {
        let graph = Graph::new().unwrap();
        let question = Question {
            query: query.to_owned(),
            variables,
            operation_name: None,
        };
        match graph.check(question) {
            Ok(checked) => graph.answer(shop, &checked, Told::Work).unwrap(),
            Err(wrong) => wrong,
        }
    }

    fn level(shop: &Shop, base: Value, wanted: i64, key: &str) -> Value {
        let item = shop.variant("MUG").unwrap().item();
        let mut quantity = json!({ "inventoryItemId": item, "locationId": "gid://shopify/Location/1", "quantity": wanted });
        if base != json!("left out") {
            quantity["changeFromQuantity"] = base;
        }
        json!({ "key": key, "input": { "name": "on_hand", "reason": "correction", "quantities": [quantity] } })
    }

    #[test]
    fn every_operation_of_head_office_is_understood() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../hq-aggregator/src/shopify/operations");
        let graph = Graph::new().unwrap();
        let mut seen = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let document = std::fs::read_to_string(&path).unwrap();
            let checked = ExecutableDocument::parse_and_validate(&graph.schema, document, "operation.graphql");
            assert!(
                checked.is_ok(),
                "{}: {}",
                path.display(),
                checked.err().map(|wrong| wrong.errors.to_string()).unwrap_or_default()
            );
            seen += 1;
        }
        assert_eq!(seen, 10);
    }

    #[test]
    fn what_the_schema_does_not_know_is_refused() {
        let mut shop = shop();
        for wrong in [
            "{ shop { nickname } }",
            "{ shop(id: 1) { name } }",
            "{ orders(first: \"one\") { nodes { id } } }",
            "{ shop",
            "mutation { inventorySetQuantities { userErrors { message } } }",
        ] {
            let answer = ask(&mut shop, wrong, json!({}));
            assert!(
                answer["data"].is_null() && !answer["errors"].as_array().unwrap().is_empty(),
                "{wrong}: {answer}"
            );
        }
        let mut removed = level(&shop, json!(7), 9, "a");
        removed["input"]["ignoreCompareQuantity"] = json!(true);
        let answer = ask(&mut shop, LEVEL, removed);
        assert!(
            answer["errors"][0]["message"].as_str().unwrap().contains("ignoreCompareQuantity"),
            "{answer}"
        );
    }

    #[test]
    fn a_change_needs_a_key_and_says_what_it_stands_on() {
        let mut shop = shop();
        let unkeyed =
            "mutation L($input: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $input) { userErrors { message } } }";
        let mut variables = level(&shop, json!(7), 9, "a");
        variables.as_object_mut().unwrap().remove("key");
        let answer = ask(&mut shop, unkeyed, variables);
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("@idempotent"), "{answer}");
        let unbased = level(&shop, json!("left out"), 9, "b");
        let answer = ask(&mut shop, LEVEL, unbased);
        assert!(
            answer["errors"][0]["message"].as_str().unwrap().contains("changeFromQuantity"),
            "{answer}"
        );
        let stale = level(&shop, json!(5), 9, "c");
        let answer = ask(&mut shop, LEVEL, stale.clone());
        assert_eq!(
            answer["data"]["inventorySetQuantities"]["userErrors"][0]["code"],
            "CHANGE_FROM_QUANTITY_STALE"
        );
        let answer = ask(&mut shop, LEVEL, stale);
        assert_eq!(
            answer["data"]["inventorySetQuantities"]["userErrors"][0]["code"],
            "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
        );
        assert_eq!(shop.levels.values().sum::<i64>(), 7, "nothing of all this happened");
    }

    #[test]
    fn one_key_does_one_thing_once() {
        let mut shop = shop();
        let question = level(&shop, json!(7), 9, "a");
        let first = ask(&mut shop, LEVEL, question.clone());
        assert_eq!(first["data"]["inventorySetQuantities"]["userErrors"], json!([]), "{first}");
        assert_eq!(ask(&mut shop, LEVEL, question), first, "the same question gets the same answer");
        let other = level(&shop, json!(9), 3, "a");
        let answer = ask(&mut shop, LEVEL, other);
        assert_eq!(
            answer["data"]["inventorySetQuantities"]["userErrors"][0]["code"],
            "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
        );
        assert_eq!(shop.levels.values().sum::<i64>(), 9);
    }

    #[test]
    fn what_is_asked_twice_without_care_happens_twice() {
        let mut shop = shop();
        let change = "mutation C($input: InventoryAdjustQuantitiesInput!, $key: String!) {
            inventoryAdjustQuantities(input: $input) @idempotent(key: $key) { userErrors { code message } } }";
        let item = shop.variant("MUG").unwrap().item();
        let input = json!({ "name": "available", "reason": "other", "changes": [
            { "inventoryItemId": item, "locationId": "gid://shopify/Location/1", "delta": -1, "changeFromQuantity": null },
        ]});
        for key in ["a", "a", "b"] {
            ask(&mut shop, change, json!({ "input": input, "key": key }));
        }
        assert_eq!(shop.levels.values().sum::<i64>(), 5, "two keys are two changes");

        let order = "mutation O($order: OrderCreateOrderInput!) { orderCreate(order: $order) { order { id } userErrors { message } } }";
        let line = json!({ "title": "Mug", "quantity": 1, "priceSet": { "shopMoney": { "amount": "1.00", "currencyCode": "EUR" } } });
        let sale = json!({ "order": { "sourceIdentifier": "s", "lineItems": [line],
            "metafields": [{ "key": "sale", "type": "id", "value": "s" }] } });
        ask(&mut shop, order, sale.clone());
        ask(&mut shop, order, sale.clone());
        assert_eq!(shop.orders.len(), 2, "orderCreate takes no key");
        shop.unique_fields.push("sale".into());
        let answer = ask(&mut shop, order, sale);
        assert!(answer["data"]["orderCreate"]["order"].is_null(), "{answer}");
        assert_eq!(shop.orders.len(), 2, "a unique field says no");
    }
}
