//! The ten baskets of docs/pricing.md, section 4, with the numbers of that page. If one fails, either the page or the code is wrong.

use serde_json::{Value, json};

use super::*;
use crate::catalog::Catalog;
use crate::time::{Calendar, Instant};

/// The shop of the page, with these offers.
pub fn shop(promotions: &Value, books: &Value) -> Catalog {
    let item = |sku: &str, name: &str, category: &str, price: i64| json!({"sku": sku, "name": name, "category": category, "tax_class": "A", "price": price});
    let mut items = vec![
        item("COFFEE", "Coffee 500 g", "food/coffee", 699),
        item("COOKIE", "Cookies", "food/snacks", 249),
        item("CHOC", "Chocolate", "food/snacks", 199),
        item("GUM", "Chewing gum", "food/snacks", 79),
        item("BEER", "Beer", "drinks/beer", 129),
        item("WINE", "Wine", "drinks/wine", 899),
        item("TEE", "T-shirt", "clothing", 1990),
        item("JEANS", "Jeans", "clothing", 5990),
        item("CAP", "Cap", "clothing", 1490),
        item("MAG", "Magazine", "press", 450),
        item("APPLE", "Apples", "fruit", 299),
        item("PEAR", "Pears", "fruit", 349),
    ];
    items[9]["discountable"] = json!(false);
    for weighed in &mut items[10..] {
        weighed["sold_by"] = json!("measure");
        weighed["unit"] = json!("kg");
    }
    let file = json!({
        "version": 5, "currency": "EUR", "prices": "inclusive",
        "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}],
        "items": items, "promotions": promotions, "price_books": books,
    });
    Catalog::new(serde_json::from_value(file).unwrap()).unwrap()
}

/// A Wednesday at noon in Berlin.
pub fn at_noon() -> Circumstances {
    at("2026-11-18T11:00:00Z")
}

pub fn at(instant: &str) -> Circumstances {
    let instant: Instant = serde_json::from_value(json!(instant)).unwrap();
    Circumstances::new(instant, &Calendar::new("Europe/Berlin", "02:00").unwrap(), None)
}

pub fn goods(line: u32, quantity: i64, sku: &str) -> Goods {
    Goods::new(line, sku.parse().unwrap(), Quantity(quantity))
}

fn pieces(lines: &[(i64, &str)]) -> Vec<Goods> {
    let each = (1..).zip(lines);
    each.map(|(line, (pieces, sku))| goods(line, pieces * 1000, sku)).collect()
}

/// Puts the goods in one by one.
pub fn priced(catalog: &Catalog, circumstances: Circumstances, basket: Vec<Goods>) -> Engine {
    let mut engine = Engine::new(circumstances);
    for goods in basket {
        let plan = engine.plan_put(catalog, goods).unwrap();
        let said = plan.total;
        engine.apply(plan);
        assert_eq!(engine.total(), said);
    }
    engine
}

/// A line of the page: its price, what each takes off, what is left.
type Row<'a> = (i64, &'a [(&'a str, i64)], i64);
type OwnedRow = (i64, Vec<(String, i64)>, i64);

/// Each line as on the page: its price before, what each reason takes off, and what is left.
fn check(engine: &Engine, expected: &[Row<'_>]) {
    let lines = engine.lines();
    let read: Vec<OwnedRow> = lines
        .iter()
        .map(|line| {
            let off = line.reasons[1..].iter().map(|reason| {
                let by_hand = reason.reason.word().to_owned();
                (reason.source.clone().unwrap_or(by_hand), reason.amount.0)
            });
            (line.reasons[0].amount.0, off.collect(), line.amount.0)
        })
        .collect();
    let expected: Vec<OwnedRow> = expected
        .iter()
        .map(|(price, off, amount)| (*price, off.iter().map(|(by, off)| ((*by).to_owned(), *off)).collect(), *amount))
        .collect();
    assert_eq!(read, expected);
    assert_eq!(engine.total(), Money(expected.iter().map(|(_, _, amount)| amount).sum()));
}

fn given(engine: &Engine) -> Vec<(String, u64, i64)> {
    let each = engine.promotions().into_iter();
    each.map(|given| (given.id.to_string(), given.times, given.saving.0)).collect()
}

fn one(id: &str, times: u64, saving: i64) -> (String, u64, i64) {
    (id.to_owned(), times, saving)
}

#[test]
fn basket_1_percent_against_fixed_price_the_larger_saving_claims() {
    let catalog = shop(
        &json!([
            {"id": "cookie-199", "name": "Cookies 1.99", "priority": 10, "kind": "fixed_price", "price": 199, "on": {"skus": ["COOKIE"]}},
            {"id": "snacks-20", "name": "Snacks 20 % off", "priority": 10, "kind": "percent", "percent": "20", "on": {"categories": ["food/snacks"]}}
        ]),
        &json!([]),
    );
    let engine = priced(&catalog, at_noon(), pieces(&[(3, "COOKIE"), (2, "CHOC")]));
    check(&engine, &[(747, &[("snacks-20", -149)], 598), (398, &[("snacks-20", -80)], 318)]);
    assert_eq!(given(&engine), [one("snacks-20", 5, 229)]);
    // Without the chocolate the fixed price saves more: 1.50 against 1.49.
    let engine = priced(&catalog, at_noon(), pieces(&[(3, "COOKIE")]));
    check(&engine, &[(747, &[("cookie-199", -150)], 597)]);
}

#[test]
fn basket_2_buy_two_get_the_cheapest() {
    let third_free = json!([{"id": "third-free", "name": "The third is free", "priority": 10, "kind": "buy_get", "percent": "100",
        "buy": {"on": {"categories": ["clothing"]}, "quantity": 2000}, "get": {"on": {"categories": ["clothing"]}, "quantity": 1000}}]);
    let engine = priced(
        &shop(&third_free, &json!([])),
        at_noon(),
        pieces(&[(1, "JEANS"), (2, "TEE"), (2, "CAP")]),
    );
    check(
        &engine,
        &[
            (5990, &[("third-free", -942)], 5048),
            (3980, &[("third-free", -313)], 3667),
            (2980, &[("third-free", -235)], 2745),
        ],
    );
    assert_eq!(given(&engine), [one("third-free", 1, 1490)]);
}

#[test]
fn basket_3_mix_and_match_with_leftovers() {
    let three_for_five = json!([{"id": "three-for-five", "name": "Any three snacks", "priority": 10, "kind": "mix_match",
        "on": {"categories": ["food/snacks"]}, "quantity": 3000, "price": 500}]);
    let engine = priced(
        &shop(&three_for_five, &json!([])),
        at_noon(),
        pieces(&[(2, "COOKIE"), (2, "CHOC"), (3, "GUM")]),
    );
    check(
        &engine,
        &[
            (498, &[("three-for-five", -140)], 358),
            (398, &[("three-for-five", -57)], 341),
            (237, &[], 237),
        ],
    );
    assert_eq!(given(&engine), [one("three-for-five", 1, 197)]);
}

#[test]
fn basket_4_a_bundle_twice() {
    let coffee_break = json!([{"id": "coffee-break", "name": "Coffee break", "priority": 10, "kind": "bundle", "price": 799,
        "parts": [{"on": {"skus": ["COFFEE"]}, "quantity": 1000}, {"on": {"categories": ["food/snacks"]}, "quantity": 1000}]}]);
    let engine = priced(
        &shop(&coffee_break, &json!([])),
        at_noon(),
        pieces(&[(1, "CHOC"), (2, "COFFEE"), (1, "COOKIE")]),
    );
    check(
        &engine,
        &[
            (199, &[("coffee-break", -21)], 178),
            (1398, &[("coffee-break", -187)], 1211),
            (249, &[("coffee-break", -40)], 209),
        ],
    );
    assert_eq!(given(&engine), [one("coffee-break", 2, 248)]);
}

#[test]
fn basket_5_happy_hour_over_midnight() {
    let late_beer = json!([{"id": "late-beer", "name": "Late beer", "priority": 10, "kind": "percent", "percent": "25",
        "on": {"categories": ["drinks/beer"]}, "days": ["fri"], "hours": [{"from": "22:00", "to": "02:00"}]}]);
    let catalog = shop(&late_beer, &json!([]));
    let at_time = |instant: &str| priced(&catalog, at(instant), pieces(&[(4, "BEER")]));
    // Berlin is an hour ahead: Saturday 00:30.
    check(&at_time("2026-11-20T23:30:00Z"), &[(516, &[("late-beer", -129)], 387)]);
    check(&at_time("2026-11-20T21:00:00Z"), &[(516, &[("late-beer", -129)], 387)]);
    check(&at_time("2026-11-21T00:59:59Z"), &[(516, &[("late-beer", -129)], 387)]);
    for over in [
        "2026-11-21T01:00:00Z",
        "2026-11-21T21:30:00Z",
        "2026-11-20T00:00:00Z",
        "2026-11-20T20:59:59Z",
    ] {
        check(&at_time(over), &[(516, &[], 516)]);
    }
}

#[test]
fn basket_6_a_coupon_for_one_piece() {
    let tee_5 = json!([{"id": "tee-5", "name": "5.00 off a T-shirt", "priority": 10, "kind": "amount", "amount": 500,
        "on": {"skus": ["TEE"]}, "coupon": "TEE5", "limit": 1}]);
    let catalog = shop(&tee_5, &json!([]));
    let mut circumstances = at_noon();
    check(
        &priced(&catalog, circumstances.clone(), pieces(&[(3, "TEE")])),
        &[(5970, &[], 5970)],
    );
    circumstances.coupons.insert("TEE5".to_owned());
    circumstances.coupons.insert("TEE5".to_owned());
    let engine = priced(&catalog, circumstances, pieces(&[(3, "TEE")]));
    check(&engine, &[(5970, &[("tee-5", -500)], 5470)]);
    assert_eq!(given(&engine), [one("tee-5", 1, 500)]);
}

#[test]
fn basket_7_a_price_book_for_members_and_a_promotion_on_top() {
    let books = json!([
        {"id": "autumn", "priority": 5, "prices": [{"sku": "BEER", "price": 119}, {"sku": "WINE", "price": 799}]},
        {"id": "club", "priority": 10, "groups": ["club"],
            "prices": [{"sku": "BEER", "price": 109}, {"sku": "BEER", "price": 99, "min_quantity": 6000}]}
    ]);
    let drinks_10 = json!([{"id": "drinks-10", "name": "Drinks 10 % off", "priority": 10, "kind": "percent", "percent": "10",
        "on": {"categories": ["drinks"]}}]);
    let catalog = shop(&drinks_10, &books);
    let mut member = at_noon();
    member.groups.insert("club".to_owned());
    let basket = || pieces(&[(6, "BEER"), (1, "WINE"), (1, "COFFEE")]);
    let engine = priced(&catalog, member, basket());
    check(
        &engine,
        &[
            (594, &[("drinks-10", -59)], 535),
            (799, &[("drinks-10", -80)], 719),
            (699, &[], 699),
        ],
    );
    let why = |line: u32| {
        let line = engine.line(line).unwrap();
        let first = line.reasons[0].clone();
        (line.unit_price.0, first.reason.word(), first.source)
    };
    assert_eq!(why(1), (99, "book", Some("club".to_owned())));
    assert_eq!(why(2), (799, "book", Some("autumn".to_owned())));
    assert_eq!(why(3), (699, "list_price", None));
    // Who is no member pays the autumn price for beer.
    let stranger = priced(&catalog, at_noon(), basket());
    assert_eq!(stranger.line(1).unwrap().unit_price, Money(119));
}

#[test]
fn basket_8_stacking_and_a_threshold() {
    let promotions = json!([
        {"id": "clothing-10", "name": "Clothing 10 % off", "priority": 10, "kind": "percent", "percent": "10", "on": {"categories": ["clothing"]}},
        {"id": "season-5", "name": "Season", "priority": 10, "kind": "percent", "percent": "5", "combine": "stacks", "on": {"categories": ["clothing"]}},
        {"id": "spend-100", "name": "10.00 off 100.00", "priority": 10, "kind": "threshold", "on": {"all": true}, "minimum": 10000, "amount": 1000}
    ]);
    let engine = priced(&shop(&promotions, &json!([])), at_noon(), pieces(&[(2, "JEANS"), (1, "CAP")]));
    check(
        &engine,
        &[
            (11980, &[("clothing-10", -1198), ("season-5", -539), ("spend-100", -889)], 9354),
            (1490, &[("clothing-10", -149), ("season-5", -67), ("spend-100", -111)], 1163),
        ],
    );
    assert_eq!(
        given(&engine),
        [one("clothing-10", 3, 1347), one("season-5", 2, 606), one("spend-100", 1, 1000)]
    );
}

#[test]
fn basket_9_alone_and_a_basket_that_leaves_something_out() {
    let promotions = json!([
        {"id": "outlet", "name": "Outlet", "priority": 20, "kind": "percent", "percent": "50", "combine": "alone", "on": {"skus": ["JEANS"]}},
        {"id": "clothing-10", "name": "Clothing 10 % off", "priority": 10, "kind": "percent", "percent": "10", "on": {"categories": ["clothing"]}},
        {"id": "all-5", "name": "5 % off everything", "priority": 10, "kind": "basket", "percent": "5"}
    ]);
    let engine = priced(
        &shop(&promotions, &json!([])),
        at_noon(),
        pieces(&[(1, "JEANS"), (1, "TEE"), (1, "MAG")]),
    );
    check(
        &engine,
        &[
            (5990, &[("outlet", -2995)], 2995),
            (1990, &[("clothing-10", -199), ("all-5", -90)], 1701),
            (450, &[], 450),
        ],
    );
}

#[test]
fn basket_10_weighed_goods_priority_before_saving_and_discounts_by_hand() {
    let promotions = json!([
        {"id": "apple-week", "name": "Apple week", "priority": 20, "kind": "amount", "amount": 50, "on": {"skus": ["APPLE"]}},
        {"id": "fruit-30", "name": "Fruit 30 % off", "priority": 10, "kind": "percent", "percent": "30", "on": {"categories": ["fruit"]}}
    ]);
    let catalog = shop(&promotions, &json!([]));
    let apples = Goods {
        discount: Some(Discount::Percent("10".parse().unwrap())),
        reason: Some("bruised".to_owned()),
        ..goods(1, 1255, "APPLE")
    };
    let mut engine = priced(&catalog, at_noon(), vec![apples, goods(2, 820, "PEAR")]);
    let plan = engine.plan_discount(Some(Discount::Amount(Money(100)))).unwrap();
    engine.apply(plan);
    check(
        &engine,
        &[
            (375, &[("apple-week", -63), ("bruised", -31), ("ticket_discount", -58)], 223),
            (286, &[("fruit-30", -86), ("ticket_discount", -42)], 158),
        ],
    );
}
