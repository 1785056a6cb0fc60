//! Random shops and baskets as the two JSON documents, from a seed: small prices, few items and many promotions, so that rules meet each
//! other as often as they can.

use serde_json::{Map, Value, json};

use crate::chance::Chance;

const CATEGORIES: [&str; 5] = ["food", "food/fruit", "food/fruit/apples", "drinks/beer", "clothing"];
const GROUPS: [&str; 2] = ["staff", "club"];
const COUPONS: [&str; 2] = ["SAVE", "TEN"];
const PRICES: [u64; 12] = [1, 5, 33, 99, 100, 149, 199, 250, 333, 999, 1990, 12_345];
const PERCENTS: [&str; 8] = ["1", "5", "10", "12.5", "33.3333", "50", "66.6", "100"];
const RATES: [&str; 7] = ["0", "0.05", "0.07", "0.0725", "0.19", "0.2", "0.255"];

/// A day on which everything can happen: 2026-11-20 was a Friday.
const AT: [&str; 5] = [
    "2026-11-20T16:00:00Z",
    "2026-11-20T23:30:00Z",
    "2026-11-21T00:30:00Z",
    "2026-11-21T17:59:59Z",
    "2026-11-22T12:00:00Z",
];

fn pick<'a>(chance: &mut Chance, from: &[&'a str]) -> &'a str {
    chance.pick(from).copied().unwrap_or_default()
}

fn price(chance: &mut Chance) -> u64 {
    if chance.percent(20) {
        chance.below(3000)
    } else {
        chance.pick(&PRICES).copied().unwrap_or(1)
    }
}

fn sku(number: u64) -> String {
    format!("I{number:02}")
}

/// A catalog with everything that makes a price.
pub fn catalog(chance: &mut Chance) -> Value {
    let items = chance.between(2, 10);
    let mut catalog = json!({
        "version": 3,
        "currency": "EUR",
        "prices": if chance.percent(50) { "inclusive" } else { "exclusive" },
        "tax_classes": classes(chance),
        "items": (0..items).map(|number| item(chance, number)).collect::<Vec<_>>(),
        "price_books": (0..chance.below(4)).map(|number| book(chance, number, items)).collect::<Vec<_>>(),
        "promotions": (0..chance.below(9)).map(|number| promotion(chance, number, items)).collect::<Vec<_>>(),
        "tax_policy": {
            "rounding": pick(chance, &["line", "tax", "document"]),
            "halves": pick(chance, &["away", "even", "down"]),
        },
    });
    if chance.percent(30) {
        catalog["tax_holidays"] = json!([holiday(chance)]);
    }
    catalog
}

fn classes(chance: &mut Chance) -> Value {
    let rate = |chance: &mut Chance| pick(chance, &RATES).to_owned();
    json!([
        {"code": "A", "name": "standard", "rate": rate(chance)},
        {"code": "B", "name": "reduced", "rate": rate(chance)},
        {"code": "M", "name": "state and city", "taxes": [
            {"tax": "state", "rate": rate(chance)},
            {"tax": "city", "rate": rate(chance), "compound": chance.percent(50)},
            {"tax": "transit", "rate": "0.0125", "compound": chance.percent(30)},
        ]},
    ])
}

fn item(chance: &mut Chance, number: u64) -> Value {
    let mut item = json!({
        "sku": sku(number),
        "name": format!("Item {number}"),
        "tax_class": pick(chance, &["A", "A", "B", "M"]),
        "price": price(chance),
    });
    if chance.percent(80) {
        item["category"] = json!(pick(chance, &CATEGORIES));
    }
    if chance.percent(20) {
        item["sold_by"] = json!("measure");
        item["unit"] = json!("kg");
    }
    if chance.percent(8) {
        item["discountable"] = json!(false);
    }
    if chance.percent(8) {
        item["open_price"] = json!(true);
    }
    item
}

fn book(chance: &mut Chance, number: u64, items: u64) -> Value {
    let mut book = json!({"id": format!("b{number}"), "priority": chance.below(3)});
    let mut prices = Vec::new();
    for which in 0..items {
        if chance.percent(40) {
            prices.push(json!({"sku": sku(which), "price": price(chance)}));
        }
        if chance.percent(15) {
            prices.push(json!({"sku": sku(which), "price": price(chance), "min_quantity": chance.between(2, 4) * 1000}));
        }
    }
    if prices.is_empty() {
        prices.push(json!({"sku": sku(0), "price": price(chance)}));
    }
    book["prices"] = json!(prices);
    if chance.percent(30) {
        book["groups"] = json!([pick(chance, &GROUPS)]);
    }
    if chance.percent(30) {
        book["stores"] = json!([pick(chance, &["berlin", "munich"])]);
    }
    if chance.percent(40) {
        book["from"] = json!(pick(chance, &AT));
    }
    if chance.percent(20) {
        book["to"] = json!("2026-11-21T12:00:00Z");
        if book.get("from").is_some() {
            book["from"] = json!(pick(chance, &AT[..3]));
        }
    }
    book
}

fn on(chance: &mut Chance, items: u64) -> Value {
    let mut on = match chance.below(4) {
        0 => json!({"all": true}),
        1 => json!({"categories": [pick(chance, &["food", "food/fruit", "drinks", "clothing"])]}),
        2 => json!({"skus": [sku(chance.below(items))]}),
        _ => {
            let first = chance.below(items);
            let second = (first + 1) % items;
            json!({"skus": [sku(first), sku(second)]})
        }
    };
    if chance.percent(15) {
        on["except"] = json!([sku(chance.below(items))]);
    }
    on
}

fn off(chance: &mut Chance, into: &mut Map<String, Value>) {
    if chance.percent(50) {
        into.insert("percent".into(), json!(pick(chance, &PERCENTS)));
    } else {
        into.insert("amount".into(), json!(chance.between(1, 600)));
    }
}

fn pieces(chance: &mut Chance, most: u64) -> u64 {
    chance.between(1, most) * 1000
}

fn promotion(chance: &mut Chance, number: u64, items: u64) -> Value {
    let kind = pick(
        chance,
        &[
            "percent",
            "amount",
            "fixed_price",
            "buy_get",
            "mix_match",
            "bundle",
            "threshold",
            "basket",
        ],
    );
    let mut own = Map::new();
    match kind {
        "percent" => {
            own.insert("percent".into(), json!(pick(chance, &PERCENTS)));
            own.insert("on".into(), on(chance, items));
        }
        "amount" => {
            own.insert("amount".into(), json!(chance.between(1, 400)));
            own.insert("on".into(), on(chance, items));
        }
        "fixed_price" => {
            own.insert("price".into(), json!(chance.below(500)));
            own.insert("on".into(), on(chance, items));
        }
        "buy_get" => {
            let buy = json!({"on": on(chance, items), "quantity": pieces(chance, 3)});
            let get = if chance.percent(60) { buy["on"].clone() } else { on(chance, items) };
            own.insert("buy".into(), buy);
            own.insert("get".into(), json!({"on": get, "quantity": pieces(chance, 2)}));
            own.insert("percent".into(), json!(pick(chance, &PERCENTS)));
        }
        "mix_match" => {
            own.insert("on".into(), on(chance, items));
            own.insert("quantity".into(), json!(pieces(chance, 4)));
            if chance.percent(50) {
                own.insert("price".into(), json!(chance.below(1500)));
            } else {
                off(chance, &mut own);
            }
        }
        "bundle" => {
            let parts: Vec<Value> = (0..chance.between(1, 3))
                .map(|_| json!({"on": on(chance, items), "quantity": pieces(chance, 2)}))
                .collect();
            own.insert("parts".into(), json!(parts));
            own.insert("price".into(), json!(chance.below(2000)));
        }
        "threshold" => {
            own.insert("on".into(), on(chance, items));
            own.insert("minimum".into(), json!(chance.below(3000)));
            off(chance, &mut own);
        }
        _ => off(chance, &mut own),
    }
    let is_set = matches!(kind, "buy_get" | "mix_match" | "bundle");
    let combine = match chance.below(10) {
        0..=1 => "alone",
        2..=4 if !is_set => "stacks",
        _ => "claims",
    };
    let mut row = json!({"id": format!("p{number}"), "name": format!("Promotion {number}"), "priority": chance.below(3), "kind": kind, "combine": combine});
    if let Value::Object(row) = &mut row {
        row.extend(own);
        let of_units = !matches!(kind, "threshold" | "basket");
        if of_units && combine != "stacks" && chance.percent(25) {
            row.insert("limit".into(), json!(chance.between(1, 4)));
        }
        if chance.percent(12) {
            row.insert("coupon".into(), json!(pick(chance, &COUPONS)));
        }
        if chance.percent(12) {
            row.insert("groups".into(), json!([pick(chance, &GROUPS)]));
        }
        if chance.percent(12) {
            row.insert("stores".into(), json!(["berlin"]));
        }
        if chance.percent(15) {
            row.insert("days".into(), json!([pick(chance, &["fri", "sat"]), "sun"]));
        }
        if chance.percent(15) {
            let hours = if chance.percent(50) {
                json!({"from": "16:00", "to": "18:00"})
            } else {
                json!({"from": "22:00", "to": "02:00"})
            };
            row.insert("hours".into(), json!([hours]));
        }
        if chance.percent(10) {
            row.insert("from".into(), json!("2026-11-21T00:00:00Z"));
        }
        if chance.percent(10) {
            row.insert("to".into(), json!("2026-11-21T17:59:59Z"));
        }
        if chance.percent(5) {
            row.remove("from");
        }
    }
    row
}

fn holiday(chance: &mut Chance) -> Value {
    let mut holiday = json!({"name": "weekend", "from": "2026-11-21", "to": "2026-11-22", "classes": [pick(chance, &["A", "B", "M"])]});
    if chance.percent(40) {
        holiday["classes"] = json!(["M"]);
        holiday["taxes"] = json!([pick(chance, &["state", "city"])]);
    }
    if chance.percent(40) {
        holiday["max_unit_price"] = json!(chance.between(50, 1500));
    }
    holiday
}

/// A basket for that catalog.
pub fn basket(chance: &mut Chance, catalog: &Value) -> Value {
    let none = Vec::new();
    let items = catalog["items"].as_array().unwrap_or(&none);
    let most = if chance.percent(3) { 60 } else { 9 };
    let lines: Vec<Value> = (0..chance.between(1, most)).map(|_| line(chance, items)).collect();
    let mut basket = json!({
        "at": pick(chance, &AT),
        "zone": pick(chance, &["UTC", "Europe/Berlin", "America/New_York"]),
        "lines": lines,
        "cash_step": chance.pick(&[1, 5, 10]).copied().unwrap_or(1),
        "cash_rounding": chance.pick(&["half", "half", "up", "down", "half_even", "half_down"]).copied().unwrap_or("half"),
    });
    if chance.percent(70) {
        basket["store"] = json!(pick(chance, &["berlin", "munich"]));
    }
    if chance.percent(30) {
        basket["groups"] = json!([pick(chance, &GROUPS)]);
    }
    if chance.percent(30) {
        basket["coupons"] = json!([pick(chance, &COUPONS)]);
    }
    if chance.percent(8) {
        basket["exempt"] = if chance.percent(60) {
            json!({"reason": "diplomat"})
        } else {
            json!({"reason": "charity", "taxes": ["state"]})
        };
    }
    if chance.percent(10) {
        basket["discount"] = discount(chance);
    }
    basket
}

fn discount(chance: &mut Chance) -> Value {
    let mut own = Map::new();
    off(chance, &mut own);
    Value::Object(own)
}

fn line(chance: &mut Chance, items: &[Value]) -> Value {
    let which = chance.below(items.len() as u64) as usize;
    let item = &items[which];
    let measured = item["sold_by"] == "measure";
    let quantity = if measured { chance.between(1, 4000) } else { pieces(chance, 5) } as i64;
    let returned = chance.percent(6);
    let mut line = json!({"sku": item["sku"], "quantity": if returned { -quantity } else { quantity }});
    let open = item["open_price"] == true;
    if open || chance.percent(5) {
        line["price"] = json!(price(chance));
    }
    if !returned && chance.percent(6) {
        line["discount"] = discount(chance);
    }
    line
}
