//! `backroom price` as its callers see it: two files in, one answer and an exit code out.
#![expect(clippy::unwrap_used, reason = "a test may simply stop")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// A folder of one test, gone with it.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("backroom-price-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn put(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn price(&self, catalog: &Value, basket: &Value) -> Output {
        self.price_texts(&catalog.to_string(), &basket.to_string(), &["--json"])
    }

    fn price_texts(&self, catalog: &str, basket: &str, more: &[&str]) -> Output {
        let (catalog, basket) = (self.put("catalog.json", catalog), self.put("basket.json", basket));
        run(&[&["--catalog", &catalog, "--basket", &basket], more].concat(), "")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_backroom"))
        .arg("price")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may be refused before it reads.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn catalog() -> Value {
    json!({
        "version": 5, "currency": "EUR", "prices": "inclusive",
        "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}, {"code": "B", "name": "reduced", "rate": "0.07"}],
        "items": [
            {"sku": "JEANS", "name": "Jeans", "codes": ["4006381333931"], "tax_class": "A", "price": 5990, "category": "clothing"},
            {"sku": "CAP", "name": "Cap", "tax_class": "A", "price": 1490, "category": "clothing"},
            {"sku": "APPLE", "name": "Apples", "tax_class": "B", "price": 299, "sold_by": "measure", "unit": "kg", "category": "fruit"},
            {"sku": "MISC", "name": "Department", "tax_class": "A", "price": 0, "open_price": true}
        ],
        "price_books": [{"id": "club", "priority": 1, "groups": ["club"], "prices": [{"sku": "CAP", "price": 1200}]}],
        "promotions": [
            {"id": "clothing-10", "name": "Clothing 10 % off", "priority": 10, "kind": "percent", "percent": "10", "on": {"categories": ["clothing"]}},
            {"id": "season-5", "name": "Season", "priority": 10, "kind": "percent", "percent": "5", "combine": "stacks", "on": {"categories": ["clothing"]}},
            {"id": "spend-100", "name": "10.00 off 100.00", "priority": 10, "kind": "threshold", "on": {"all": true}, "minimum": 10000, "amount": 1000}
        ]
    })
}

fn basket(lines: &Value) -> Value {
    json!({"at": "2026-11-21T10:00:00Z", "zone": "Europe/Berlin", "lines": lines})
}

/// The answer of a basket that has a price.
fn answer(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_cent_of_a_basket_is_explained() {
    let desk = Desk::new("explained");
    let lines = json!([{"code": "4006381333931", "quantity": 2000}, {"sku": "CAP"}]);
    let mut asked = basket(&lines);
    asked["cash_step"] = json!(5);
    let answer = answer(&desk.price(&catalog(), &asked));
    let first = &answer["lines"][0];
    assert_eq!(
        (&first["sku"], &first["unit_price"], &first["amount"]),
        (&json!("JEANS"), &json!(5990), &json!(9354))
    );
    let version = json!({"catalog": 5, "directive": 0});
    assert_eq!(
        first["reasons"],
        json!([
            {"reason": "list_price", "amount": 11980, "version": version},
            {"reason": "promotion", "amount": -1198, "version": version, "source": "clothing-10"},
            {"reason": "promotion", "amount": -539, "version": version, "source": "season-5"},
            {"reason": "promotion", "amount": -889, "version": version, "source": "spend-100"}
        ])
    );
    assert_eq!(first["taxes"], json!([{"tax": "A", "rate": "0.19", "amount": first["tax"]}]));
    assert_eq!(first["net"].as_i64().unwrap() + first["tax"].as_i64().unwrap(), 9354);
    assert_eq!(answer["lines"][1]["amount"], json!(1163));
    assert_eq!(
        (&answer["total"], &answer["due"], &answer["cash_rounding"]),
        (&json!(10517), &json!(10515), &json!(-2))
    );
    assert_eq!(
        answer["promotions"],
        json!([
            {"id": "clothing-10", "name": "Clothing 10 % off", "times": 3, "saving": 1347},
            {"id": "season-5", "name": "Season", "times": 2, "saving": 606},
            {"id": "spend-100", "name": "10.00 off 100.00", "times": 1, "saving": 1000}
        ])
    );
    assert_eq!(
        answer["say"][1],
        json!(
            "line 2: 1 Cap at 14.90 (list price of catalog 5) make 14.90; promotion clothing-10 (Clothing 10 % off) takes off 1.49; \
             promotion season-5 (Season) takes off 0.67; promotion spend-100 (10.00 off 100.00) takes off 1.11; 11.63 is left"
        )
    );
    assert_eq!(
        (&answer["catalog"], &answer["currency"], &answer["prices"]),
        (&json!(5), &json!("EUR"), &json!("inclusive"))
    );
}

#[test]
fn groups_overrides_open_prices_returns_and_discounts_are_taken_in() {
    let desk = Desk::new("by-hand");
    let mut asked = basket(&json!([
        {"sku": "CAP"},
        {"sku": "JEANS", "price": 1000, "reason": "torn"},
        {"sku": "MISC", "price": 500},
        {"sku": "APPLE", "quantity": 1255, "discount": {"percent": "10"}, "reason": "bruised"},
        {"sku": "CAP", "quantity": -1000}
    ]));
    asked["groups"] = json!(["club"]);
    asked["discount"] = json!({"amount": 100});
    let answer = answer(&desk.price(&catalog(), &asked));
    let reasons: Vec<Vec<(&str, i64)>> = answer["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let reasons = line["reasons"].as_array().unwrap().iter();
            reasons
                .map(|reason| (reason["reason"].as_str().unwrap(), reason["amount"].as_i64().unwrap()))
                .collect()
        })
        .collect();
    // 12.00 - 1.20 = 10.80, less 5 %: 10.26. By hand: 38 of 3.75. Left: 10.26, 10.00, 5.00, 3.37.
    assert_eq!(
        reasons[0],
        [("book", 1200), ("promotion", -120), ("promotion", -54), ("ticket_discount", -35)]
    );
    assert_eq!(reasons[1], [("override", 1000), ("ticket_discount", -35)]);
    assert_eq!(reasons[2], [("open_price", 500), ("ticket_discount", -18)]);
    assert_eq!(reasons[3], [("list_price", 375), ("line_discount", -38), ("ticket_discount", -12)]);
    assert_eq!(reasons[4], [("book", -1200)]);
    assert_eq!(answer["lines"][3]["reasons"][1]["source"], json!("bruised"));
    assert_eq!(answer["total"], json!(991 + 965 + 482 + 325 - 1200));
    assert_eq!(answer["taxes"].as_array().unwrap().len(), 2);
}

#[test]
fn people_get_a_paper() {
    let desk = Desk::new("paper");
    let lines = json!([{"sku": "CAP"}, {"sku": "APPLE", "quantity": 1255}]);
    let output = desk.price_texts(&catalog().to_string(), &basket(&lines).to_string(), &[]);
    assert_eq!(output.status.code(), Some(0));
    let paper = String::from_utf8(output.stdout).unwrap();
    for row in [
        "catalog 5, prices in EUR with tax",
        "  1  1 x Cap at 14.90                                      14.90",
        "       promotion clothing-10                               -1.49",
        "  2  1.255 kg x Apples at 2.99                              3.75",
        "due                                                    16.49 EUR",
        "  line 2: 1.255 kg of Apples at 2.99 (list price of catalog 5) make 3.75",
    ] {
        assert!(paper.lines().any(|line| line == row), "{row:?} is missing in\n{paper}");
    }
}

#[test]
fn a_file_can_come_from_standard_input() {
    let desk = Desk::new("stdin");
    let catalog = desk.put("catalog.json", &catalog().to_string());
    let asked = basket(&json!([{"sku": "CAP"}])).to_string();
    let output = run(&["--catalog", &catalog, "--basket", "-", "--json"], &asked);
    assert_eq!(answer(&output)["lines"][0]["amount"], json!(1274));
    assert_eq!(run(&["--catalog", "-", "--basket", "-"], "").status.code(), Some(2));
}

/// Exit code 2, and what is said about it.
fn wrong_use(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_mistake_in_a_file_is_named_by_file_line_and_field() {
    let desk = Desk::new("mistakes");
    let good = basket(&json!([])).to_string();
    let says = |catalog: &str, basket: &str, parts: &[&str]| {
        let said = wrong_use(&desk.price_texts(catalog, basket, &["--json"]));
        for part in parts {
            assert!(said.contains(part), "{said}\nshould say {part}");
        }
    };
    let text = serde_json::to_string_pretty(&catalog()).unwrap();
    says(
        &text.replace("\"percent\": \"5\"", "\"percent\": \"500\""),
        &good,
        &["catalog.json: line ", "field promotions[1].percent: \"500\" is not a percent"],
    );
    says(
        &text.replace("\"minimum\": 10000", "\"minimun\": 10000"),
        &good,
        &["field promotions[2].minimun: unknown field `minimun`"],
    );
    says(
        &text.replacen("\"price\": 1490", "\"price\": \"14.90\"", 1),
        &good,
        &["field items[1].price: invalid type"],
    );
    let basket = "{\"at\": \"2026-11-21T10:00:00Z\",\n\"lines\": [\n{\"sku\": \"CAP\", \"quantity\": true}]}";
    says(
        &text,
        basket,
        &["basket.json: line 3, field lines[0].quantity: invalid type: boolean"],
    );
    says(&text, "{\"lines\": []}", &["basket.json: line 1", "missing field `at`"]);
    says(&text, "{\"at\": ", &["basket.json: line 1"]);
    says(
        &text,
        &good.replace("Europe/Berlin", "Mars/Base"),
        &["the basket's zone: time zone \"Mars/Base\" is unknown"],
    );
    says(
        &text,
        &good.replace("\"lines\":[]", "\"lines\":[{\"quantity\":1000}]"),
        &["the basket's line 1 needs a code or a sku"],
    );
    let missing = run(&["--catalog", "/nowhere/catalog.json", "--basket", "-"], "");
    assert!(wrong_use(&missing).contains("could not read the catalog from /nowhere/catalog.json"));
}

#[test]
fn what_a_rule_forbids_is_refused_with_a_code() {
    let desk = Desk::new("refused");
    let refused = |catalog: &Value, basket: &Value| -> Value {
        let output = desk.price(catalog, basket);
        assert_eq!(output.status.code(), Some(3));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let half = refused(&catalog(), &basket(&json!([{"sku": "JEANS"}, {"sku": "CAP", "quantity": 1500}])));
    assert_eq!(
        half,
        json!({"refused": "Cap is sold by the piece; 1.5 of it is no number of pieces, key in a whole number", "code": "quantity", "line": 2})
    );
    let unknown = refused(&catalog(), &basket(&json!([{"sku": "NOPE"}])));
    assert_eq!(unknown["code"], json!("unknown_item"));
    let code = refused(&catalog(), &basket(&json!([{"code": "4006381333932"}])));
    assert_eq!(code["code"], json!("unreadable_code"));
    let mut catalog = catalog();
    catalog["items"][1]["sku"] = json!("JEANS");
    let twice = refused(&catalog, &basket(&json!([])));
    assert_eq!(
        twice,
        json!({"refused": "item JEANS is in the catalog twice; leave one of them out", "code": "sku_twice"})
    );
}

#[test]
fn ten_thousand_lines_are_refused_in_a_sentence() {
    let desk = Desk::new("many");
    let lines: Vec<Value> = (0..10_000).map(|_| json!({"sku": "CAP"})).collect();
    let output = desk.price(&catalog(), &basket(&json!(lines)));
    assert_eq!(output.status.code(), Some(3));
    let refused: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sentence = "the basket has 2000 lines; settle it and open another";
    assert_eq!(refused, json!({"refused": sentence, "code": "too_many_lines"}));
}

#[test]
fn absurd_figures_are_refused_by_a_code_and_a_sentence_that_says_what_to_do() {
    let desk = Desk::new("absurd");
    let mut yacht = catalog();
    yacht["items"][1]["price"] = json!(1_000_000_000_000_i64);
    let cap = |field: &str, value: Value| {
        let mut line = json!({"sku": "CAP"});
        line[field] = value;
        line
    };
    for (catalog, line, code, sentence) in [
        (
            &catalog(),
            cap("quantity", json!(0)),
            "quantity",
            "quantity 0 can not be sold; use more than 0 and at most 10000",
        ),
        (
            &catalog(),
            cap("quantity", json!(i64::MAX)),
            "quantity",
            "quantity 9223372036854775.807 can not be sold; use more than 0 and at most 10000",
        ),
        (
            &catalog(),
            cap("quantity", json!(i64::MIN)),
            "quantity",
            "quantity -9223372036854775.808 can not be sold; use more than 0 and at most 10000",
        ),
        (
            &catalog(),
            cap("price", json!(-1)),
            "price",
            "price -1 can not be keyed; a price is between 0 and 1000000000000 minor units",
        ),
        (
            &catalog(),
            cap("discount", json!({"amount": -5})),
            "discount",
            "a discount of -5 minor units can not be given; give more than nothing and at most 1000000000000",
        ),
        (
            &yacht,
            cap("quantity", json!(10_000_000)),
            "money",
            "the amount is beyond what a shop can sell; check quantity and price",
        ),
    ] {
        let output = desk.price(catalog, &basket(&json!([{"sku": "JEANS"}, line])));
        assert_eq!(output.status.code(), Some(3), "{line}");
        let refused: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(refused, json!({"refused": sentence, "code": code, "line": 2}), "{line}");
    }
}

#[test]
fn absurd_catalogs_are_refused_by_the_item_or_the_field() {
    let desk = Desk::new("absurd-catalog");
    let spoilt = |field: &str, value: Value| {
        let mut catalog = catalog();
        if field == "price" {
            catalog["items"][1]["price"] = value;
        } else {
            catalog[field] = value;
        }
        desk.price(&catalog, &basket(&json!([{"sku": "CAP"}])))
    };
    let negative = spoilt("price", json!(-1));
    assert_eq!(negative.status.code(), Some(3));
    let refused: Value = serde_json::from_slice(&negative.stdout).unwrap();
    assert_eq!(
        refused,
        json!({"refused": "item CAP has price -1; a price is between 0 and 1000000000000 minor units", "code": "price"})
    );
    for (field, value, said) in [
        ("price", json!(9_223_372_036_854_775_808_u64), "items[1].price"),
        ("price", json!(14.9), "items[1].price"),
        ("currency", json!("XXX"), "\"XXX\" is not a currency; use three letters such as EUR"),
        ("currency", json!("eur"), "\"eur\" is not a currency; use three letters such as EUR"),
        (
            "currency",
            json!("EURO"),
            "\"EURO\" is not a currency; use three letters such as EUR",
        ),
    ] {
        let output = spoilt(field, value.clone());
        assert!(wrong_use(&output).contains(said), "{value}: {}", wrong_use(&output));
    }
}
