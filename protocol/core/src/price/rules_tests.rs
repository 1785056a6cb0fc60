//! Edges of the rules in docs/pricing.md that the ten baskets do not show.

use serde_json::{Value, json};

use super::worked_tests::{at, at_noon, goods, priced, shop};
use super::*;
use crate::catalog::{Catalog, CatalogError, CatalogFile, PriceChange};
use crate::facts::ReasonKind;

fn with(promotions: Value) -> Catalog {
    shop(&promotions, &json!([]))
}

fn amounts(engine: &Engine) -> Vec<i64> {
    engine.lines().iter().map(|line| line.amount.0).collect()
}

/// What a basket costs line by line.
fn check(catalog: &Catalog, basket: Vec<Goods>, expected: &[i64]) -> Engine {
    let engine = priced(catalog, at_noon(), basket);
    assert_eq!(amounts(&engine), expected);
    engine
}

fn percent(id: &str, priority: i32, percent: &str, on: Value) -> Value {
    json!({"id": id, "name": id, "priority": priority, "kind": "percent", "percent": percent, "on": on})
}

fn and(mut promotion: Value, field: &str, value: Value) -> Value {
    promotion[field] = value;
    promotion
}

#[test]
fn of_several_books_the_priority_counts_then_the_later_begin_then_the_id() {
    let book = |id: &str, priority: i32, from: Option<&str>, price: i64| {
        let mut book = json!({"id": id, "priority": priority, "prices": [{"sku": "CAP", "price": price}]});
        if let Some(from) = from {
            book["from"] = json!(from);
        }
        book
    };
    let unit = |books: Value| {
        let engine = priced(&shop(&json!([]), &books), at_noon(), vec![goods(1, 1000, "CAP")]);
        engine.line(1).unwrap().unit_price.0
    };
    let old = Some("2026-01-01T00:00:00Z");
    let new = Some("2026-11-18T11:00:00Z");
    assert_eq!(unit(json!([book("a", 1, None, 1), book("b", 2, None, 2)])), 2);
    assert_eq!(unit(json!([book("a", 1, old, 1), book("b", 1, new, 2)])), 2);
    assert_eq!(unit(json!([book("a", 1, None, 1), book("b", 1, old, 2)])), 2);
    assert_eq!(unit(json!([book("b", 1, old, 2), book("a", 1, old, 1)])), 1);
    let not_yet = Some("2026-11-18T11:00:00.000001Z");
    assert_eq!(unit(json!([book("a", 9, not_yet, 1)])), 1490);
    let over = json!([{"id": "a", "priority": 1, "to": "2026-11-18T11:00:00Z", "prices": [{"sku": "CAP", "price": 1}]}]);
    assert_eq!(unit(over), 1490);
    let elsewhere = json!([{"id": "a", "priority": 1, "stores": ["hamburg"], "prices": [{"sku": "CAP", "price": 1}]}]);
    assert_eq!(unit(elsewhere), 1490);
}

#[test]
fn a_book_counts_by_the_size_of_what_is_taken_back() {
    let books = json!([{"id": "six", "priority": 1, "prices": [{"sku": "BEER", "price": 99, "min_quantity": 6000}]}]);
    let catalog = shop(&json!([]), &books);
    check(
        &catalog,
        vec![goods(1, 5000, "BEER"), goods(2, 6000, "BEER"), goods(3, -6000, "BEER")],
        &[645, 594, -594],
    );
}

#[test]
fn a_price_of_a_directive_is_a_list_price_that_names_it() {
    let mut catalog = with(json!([]));
    let change = PriceChange {
        sku: "CAP".parse().unwrap(),
        price: Money(1200),
        currency: catalog.currency(),
        effective_at: at_noon().at,
    };
    catalog.schedule(7, &change).unwrap();
    let engine = priced(&catalog, at_noon(), vec![goods(1, 1000, "CAP")]);
    let reason = engine.line(1).unwrap().reasons[0].clone();
    assert_eq!(
        (reason.reason, reason.amount, reason.version.directive),
        (ReasonKind::ListPrice, Money(1200), 7)
    );
    let before = priced(&catalog, at("2026-11-18T10:59:59Z"), vec![goods(1, 1000, "CAP")]);
    assert_eq!(before.total(), Money(1490));
}

#[test]
fn an_overridden_line_takes_part_in_nothing_and_an_open_price_does() {
    let catalog = with(json!([percent("half", 1, "50", json!({"all": true}))]));
    let keyed = |line: u32, price: Asked| Goods {
        price,
        reason: Some("torn".to_owned()),
        ..goods(line, 1000, "CAP")
    };
    let engine = check(
        &catalog,
        vec![keyed(1, Asked::Override(Money(1000))), keyed(2, Asked::Open(Money(1000)))],
        &[1000, 500],
    );
    let reasons = engine.line(1).unwrap().reasons;
    assert_eq!(
        (reasons[0].reason, reasons[0].source.as_deref()),
        (ReasonKind::Override, Some("torn"))
    );
    assert_eq!(engine.line(2).unwrap().reasons[0].reason, ReasonKind::OpenPrice);
}

#[test]
fn equal_savings_go_to_the_lower_id() {
    let catalog = with(json!([
        percent("b", 1, "10", json!({"all": true})),
        percent("a", 1, "10", json!({"skus": ["CAP"]}))
    ]));
    let engine = check(&catalog, vec![goods(1, 1000, "CAP")], &[1341]);
    assert_eq!(engine.promotions()[0].id.as_str(), "a");
}

#[test]
fn a_rule_for_a_category_holds_below_it_and_not_for_what_is_excepted() {
    let catalog = with(json!([percent(
        "drinks",
        1,
        "10",
        json!({"categories": ["drinks"], "except": ["WINE"]})
    )]));
    check(&catalog, vec![goods(1, 1000, "BEER"), goods(2, 1000, "WINE")], &[116, 899]);
    let catalog = with(json!([percent("not-drinks", 1, "10", json!({"categories": ["drink"]}))]));
    check(&catalog, vec![goods(1, 1000, "BEER")], &[129]);
}

#[test]
fn a_limit_takes_the_dearest_and_the_others_get_the_rest() {
    let two = and(percent("two", 2, "50", json!({"categories": ["clothing"]})), "limit", json!(2));
    let all = percent("all", 1, "10", json!({"all": true}));
    let catalog = with(json!([two, all]));
    // CAP 14.90 x 2, JEANS 59.90: the jeans and one cap at half the price, the other cap at 10 %.
    check(
        &catalog,
        vec![goods(1, 2000, "CAP"), goods(2, 1000, "JEANS")],
        &[2980 - 745 - 149, 2995],
    );
}

#[test]
fn a_line_that_would_save_nothing_uses_nothing_of_the_limit() {
    let books = json!([{"id": "cents", "priority": 1, "prices": [{"sku": "GUM", "price": 4}, {"sku": "CHOC", "price": 3}]}]);
    let few = and(percent("few", 1, "10", json!({"all": true})), "limit", json!(4));
    let catalog = shop(&json!([few]), &books);
    // One piece at 0.04 saves 0.004; four at 0.03 save 0.012.
    check(&catalog, vec![goods(1, 1000, "GUM"), goods(2, 4000, "CHOC")], &[4, 11]);
}

#[test]
fn what_is_left_after_a_claim_is_tried_again() {
    let one = and(percent("one", 1, "50", json!({"skus": ["JEANS"]})), "limit", json!(1));
    let rest = percent("rest", 1, "10", json!({"categories": ["clothing"]}));
    let engine = check(
        &with(json!([one, rest])),
        vec![goods(1, 2000, "JEANS"), goods(2, 1000, "CAP")],
        &[11980 - 2995 - 599, 1341],
    );
    let order: Vec<_> = engine.line(1).unwrap().reasons.iter().map(|reason| reason.source.clone()).collect();
    assert_eq!(order, [None, Some("one".to_owned()), Some("rest".to_owned())]);
}

#[test]
fn a_set_that_saved_nothing_is_tried_again_when_others_have_claimed_the_cheap_goods() {
    let any = json!({"on": {"all": true}, "quantity": 1000});
    let pair = json!({"id": "a", "name": "a", "priority": 1, "kind": "buy_get", "percent": "0.5", "buy": any, "get": any});
    let gum = percent("b", 1, "50", json!({"skus": ["GUM"]}));
    // Half a percent of a chewing gum is nothing; of a cap it is 7 cents.
    check(
        &with(json!([pair, gum])),
        vec![goods(1, 2000, "CAP"), goods(2, 2000, "GUM")],
        &[2973, 79],
    );
}

#[test]
fn goods_that_cost_nothing_do_not_stand_in_the_way_of_a_set() {
    let free = json!({"id": "free", "name": "free", "priority": 1, "kind": "buy_get", "percent": "100",
        "buy": {"on": {"all": true}, "quantity": 2000}, "get": {"on": {"all": true}, "quantity": 1000}});
    let books = json!([{"id": "gift", "priority": 1, "prices": [{"sku": "GUM", "price": 0}]}]);
    let catalog = shop(&json!([free]), &books);
    check(&catalog, vec![goods(1, 3000, "CAP"), goods(2, 1000, "GUM")], &[2980, 0]);
}

#[test]
fn ten_thousand_pieces_are_as_quickly_in_sets_as_ten() {
    let third = json!({"id": "third", "name": "third", "priority": 1, "kind": "buy_get", "percent": "100",
        "buy": {"on": {"all": true}, "quantity": 2000}, "get": {"on": {"all": true}, "quantity": 1000}});
    let engine = check(
        &with(json!([third.clone()])),
        vec![goods(1, 10_000_000, "CAP")],
        &[(10_000 - 3_333) * 1490],
    );
    assert_eq!(engine.promotions()[0].times, 3333);
    let limited = and(third, "limit", json!(100));
    check(&with(json!([limited])), vec![goods(1, 10_000_000, "CAP")], &[(10_000 - 100) * 1490]);
}

#[test]
fn buying_one_thing_gets_another_cheaper() {
    let on = |sku: &str| json!({"on": {"skus": [sku]}, "quantity": 1000});
    let cap = json!({"id": "cap", "name": "cap", "priority": 1, "kind": "buy_get", "percent": "50", "buy": on("JEANS"), "get": on("CAP")});
    // 7.45 is shared by 59.90 : 14.90.
    check(
        &with(json!([cap])),
        vec![goods(1, 2000, "CAP"), goods(2, 1000, "JEANS")],
        &[2980 - 148, 5990 - 597],
    );
}

#[test]
fn alone_on_one_piece_keeps_the_later_rounds_off_the_whole_line() {
    let one = and(
        and(percent("one", 2, "50", json!({"skus": ["CAP"]})), "limit", json!(1)),
        "combine",
        json!("alone"),
    );
    let other = percent("other", 1, "10", json!({"skus": ["CAP"]}));
    let stacks = and(percent("stacks", 1, "10", json!({"all": true})), "combine", json!("stacks"));
    let basket = json!({"id": "basket", "name": "basket", "priority": 1, "kind": "basket", "percent": "10"});
    // The cap: 7.45 off one, 1.49 off the other, then nothing more. The wine: 8.99 - 0.90 = 8.09, less 0.81.
    check(
        &with(json!([one, other, stacks, basket])),
        vec![goods(1, 2000, "CAP"), goods(2, 1000, "WINE")],
        &[2980 - 745 - 149, 728],
    );
}

#[test]
fn of_basket_promotions_that_claim_one_applies_and_those_that_stack_follow() {
    let threshold = |id: &str, priority: i32, minimum: i64, amount: i64, combine: &str| json!({"id": id, "name": id, "priority": priority, "kind": "threshold", "on": {"all": true}, "minimum": minimum, "amount": amount, "combine": combine});
    let catalog = with(json!([
        threshold("a", 1, 1000, 100, "claims"),
        threshold("b", 1, 1000, 200, "claims"),
        threshold("unreached", 2, 9999, 900, "claims"),
        threshold("low", 1, 1290, 50, "stacks"),
        threshold("high", 1, 1300, 50, "stacks"),
        threshold("alone", 9, 0, 700, "alone")
    ]));
    // 14.90 - 2.00 = 12.90, which reaches the lower of those that stack only.
    let engine = check(&catalog, vec![goods(1, 1000, "CAP")], &[1490 - 200 - 50]);
    let given: Vec<String> = engine.promotions().iter().map(|given| given.id.to_string()).collect();
    assert_eq!(given, ["b", "low"]);
    // Where nothing else gives anything, the one that is alone does.
    check(&catalog, vec![goods(1, 1000, "WINE")], &[199]);
}

#[test]
fn a_measure_has_a_fixed_price_per_unit_and_is_in_no_set() {
    let fixed = json!({"id": "fixed", "name": "fixed", "priority": 1, "kind": "fixed_price", "price": 199, "on": {"skus": ["APPLE"]}});
    // 1.255 x 1.99 = 2.49745.
    check(&with(json!([fixed])), vec![goods(1, 1255, "APPLE")], &[250]);
    let set = json!({"id": "set", "name": "set", "priority": 1, "kind": "mix_match", "price": 1, "on": {"all": true}, "quantity": 1000});
    check(&with(json!([set])), vec![goods(1, 1000, "APPLE"), goods(2, 1000, "GUM")], &[299, 1]);
}

#[test]
fn a_change_names_only_the_lines_it_reaches() {
    let catalog = with(json!([
        percent("all", 1, "10", json!({"all": true})),
        {"id": "three", "name": "three", "priority": 2, "kind": "mix_match", "price": 500, "on": {"categories": ["food/snacks"]}, "quantity": 3000},
        {"id": "far", "name": "far", "priority": 2, "kind": "threshold", "on": {"all": true}, "minimum": 100_000, "percent": "5"}
    ]));
    let basket = vec![goods(1, 1000, "CAP"), goods(2, 2000, "COOKIE"), goods(3, 1000, "WINE")];
    let engine = priced(&catalog, at_noon(), basket);
    let named = |goods: Goods| -> Vec<u32> {
        let plan = engine.plan_put(&catalog, goods).unwrap();
        plan.lines.iter().map(|line| line.line).collect()
    };
    assert_eq!(named(goods(4, 1000, "TEE")), [4]);
    assert_eq!(named(goods(4, 1000, "CHOC")), [2, 4]);
    assert_eq!(named(goods(4, 20_000, "JEANS")), [1, 2, 3, 4]);
    assert_eq!(engine.plan_take(3).unwrap().taken, Some(3));
    assert!(engine.plan_take(3).unwrap().lines.is_empty());
}

#[test]
fn a_customer_who_is_known_late_is_priced_as_if_known_at_once() {
    let club = and(percent("club", 1, "10", json!({"all": true})), "groups", json!(["club"]));
    let catalog = with(json!([club]));
    let mut engine = priced(&catalog, at_noon(), vec![goods(1, 1000, "CAP"), goods(2, 1000, "MAG")]);
    let mut member = at_noon();
    member.groups.insert("club".to_owned());
    let plan = engine.plan_circumstances(&catalog, member).unwrap();
    assert_eq!(plan.lines.iter().map(|line| line.line).collect::<Vec<_>>(), [1]);
    engine.apply(plan);
    assert_eq!(amounts(&engine), [1341, 450]);
}

#[test]
fn a_newer_catalog_prices_the_whole_basket_again() {
    let (old, new) = (with(json!([])), with(json!([percent("new", 1, "10", json!({"all": true}))])));
    let mut engine = priced(&old, at_noon(), vec![goods(1, 1000, "CAP")]);
    let plan = engine.plan_put(&new, goods(2, 1000, "WINE")).unwrap();
    assert_eq!(plan.lines.len(), 2);
    engine.apply(plan);
    assert_eq!(amounts(&engine), [1341, 809]);
    // A directive alone shares the items with the catalog before and leaves the basket as it is.
    let mut later = new.clone();
    let change = PriceChange {
        sku: "CAP".parse().unwrap(),
        price: Money(100),
        currency: later.currency(),
        effective_at: at_noon().at,
    };
    later.schedule(1, &change).unwrap();
    assert_eq!(engine.plan_put(&later, goods(3, 1000, "GUM")).unwrap().lines.len(), 1);
}

#[test]
fn what_can_not_be_sold_so_is_refused_by_name() {
    let catalog = with(json!([]));
    let engine = Engine::new(at_noon());
    let refuse = |goods: Goods| engine.plan_put(&catalog, goods).unwrap_err();
    assert_eq!(refuse(goods(1, 0, "CAP")).code(), "quantity");
    assert_eq!(refuse(goods(1, 10_001_000, "CAP")).code(), "quantity");
    assert_eq!(refuse(goods(1, i64::MIN, "CAP")).code(), "quantity");
    assert_eq!(
        refuse(goods(1, 1500, "CAP")).to_string(),
        "Cap is sold by the piece; 1.5 of it is no number of pieces, key in a whole number"
    );
    assert_eq!(refuse(goods(1, 1000, "NOPE")).code(), "unknown_item");
    let keyed = |price: i64| Goods {
        price: Asked::Open(Money(price)),
        ..goods(1, 10_000_000, "CAP")
    };
    assert_eq!(refuse(keyed(-1)).code(), "price");
    assert_eq!(refuse(keyed(LARGEST_AMOUNT)).code(), "money");
    let given = |amount: i64, quantity: i64| Goods {
        discount: Some(Discount::Amount(Money(amount))),
        ..goods(1, quantity, "CAP")
    };
    assert_eq!(refuse(given(0, 1000)).code(), "discount");
    assert_eq!(refuse(given(1, -1000)).code(), "discount_on_return");
    let why = Goods {
        reason: Some("x".repeat(41)),
        ..goods(1, 1000, "CAP")
    };
    assert_eq!(refuse(why).code(), "reason");
    assert_eq!(engine.plan_take(1).unwrap_err().code(), "no_such_line");
}

#[test]
fn ten_thousand_lines_are_refused_and_two_thousand_are_priced() {
    let catalog = with(json!([
        percent("all", 1, "10", json!({"all": true})),
        {"id": "three", "name": "three", "priority": 2, "kind": "mix_match", "price": 500, "on": {"categories": ["food"]}, "quantity": 3000},
        {"id": "basket", "name": "basket", "priority": 2, "kind": "basket", "percent": "5"}
    ]));
    let skus = ["CAP", "COOKIE", "WINE", "CHOC", "APPLE"];
    let lines = |most: u32| (1..=most).map(|line| goods(line, 1000, skus[line as usize % skus.len()]));
    let too_many = Engine::rebuild(&catalog, at_noon(), lines(10_000), None);
    assert_eq!(too_many.unwrap_err(), PriceError::TooManyLines);
    let engine = Engine::rebuild(&catalog, at_noon(), lines(2_000), None).unwrap();
    assert_eq!(engine.lines().len(), 2_000);
    assert_eq!(
        engine.plan_put(&catalog, goods(2_001, 1000, "CAP")).unwrap_err(),
        PriceError::TooManyLines
    );
    assert!(engine.plan_put(&catalog, goods(2_000, 5000, "CAP")).is_ok());
}

/// What a file with this promotion, or these books, is refused for.
fn wrong(promotions: Value, books: Value) -> String {
    let file = json!({
        "version": 1, "currency": "EUR", "prices": "inclusive",
        "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}],
        "items": [{"sku": "CAP", "name": "Cap", "tax_class": "A", "price": 1490}],
        "promotions": promotions, "price_books": books,
    });
    let file: Result<CatalogFile, _> = serde_json::from_value(file);
    match file {
        Ok(file) => Catalog::new(file).unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn mistakes_in_promotions_are_named() {
    let says = |promotion: Value, sentence: &str| {
        let said = wrong(json!([promotion]), json!([]));
        assert!(said.contains(sentence), "{said}\nshould say {sentence}");
    };
    let cap = json!({"skus": ["CAP"]});
    let good = || percent("p", 1, "10", json!({"skus": ["CAP"]}));
    says(and(good(), "price", json!(1)), "promotion p: kind percent has no \"price\"");
    says(
        json!({"id": "p", "name": "p", "priority": 1, "kind": "percent", "on": cap}),
        "promotion p: kind percent needs \"percent\"",
    );
    says(
        json!({"id": "p", "name": "p", "priority": 1, "kind": "mix_match", "on": cap, "quantity": 2000, "price": 1, "percent": "1"}),
        "needs exactly one of \"price\", \"percent\", \"amount\"",
    );
    says(and(good(), "prcent", json!("1")), "unknown field `prcent`");
    says(and(good(), "percent", json!("0")), "\"0\" is not a percent");
    says(and(good(), "percent", json!("100.1")), "is not a percent");
    says(and(good(), "percent", json!("1.23456")), "is not a percent");
    says(and(good(), "on", json!({})), "promotion p: it names no goods");
    says(and(good(), "on", json!({"skus": ["NOPE"]})), "promotion p: it names item NOPE");
    says(
        and(good(), "on", json!({"all": true, "except": ["NOPE"]})),
        "promotion p: it names item NOPE",
    );
    says(and(good(), "on", json!({"categories": ["a//b"]})), "\"a//b\", which is no path");
    says(and(good(), "limit", json!(0)), "its limit is 0");
    says(
        and(and(good(), "limit", json!(1)), "combine", json!("stacks")),
        "only promotions that claim units can have a limit",
    );
    says(
        and(good(), "hours", json!([{"from": "10:00", "to": "10:00"}])),
        "begin and end at the same time",
    );
    says(
        and(good(), "hours", json!([{"from": "24:00", "to": "10:00"}])),
        "is not a time between",
    );
    says(and(good(), "name", json!("")), "its name is empty");
    says(and(good(), "coupon", json!("")), "its coupon is empty");
    says(
        and(
            and(good(), "from", json!("2026-01-02T00:00:00Z")),
            "to",
            json!("2026-01-01T00:00:00Z"),
        ),
        "it ends before it begins",
    );
    let set = json!({"id": "p", "name": "p", "priority": 1, "kind": "mix_match", "on": cap, "quantity": 2000, "price": 1});
    says(and(set.clone(), "combine", json!("stacks")), "sets can not stack");
    says(and(set.clone(), "quantity", json!(1500)), "quantity is 1500 thousandths");
    says(and(set.clone(), "quantity", json!(0)), "quantity is 0 thousandths");
    says(and(set, "price", json!(-1)), "price is -1; it is between 0 and");
    says(
        json!({"id": "p", "name": "p", "priority": 1, "kind": "bundle", "parts": [], "price": 1}),
        "it has no parts",
    );
    says(
        json!({"id": "p", "name": "p", "priority": 1, "kind": "basket", "amount": 0}),
        "amount is 0; it is between 1 and",
    );
    assert_eq!(
        wrong(json!([good(), good()]), json!([])),
        "promotion p: it is in the catalog twice; leave one of them out"
    );
}

#[test]
fn mistakes_in_price_books_are_named() {
    let says = |book: Value, sentence: &str| {
        let said = wrong(json!([]), json!([book]));
        assert!(said.contains(sentence), "{said}\nshould say {sentence}");
    };
    let book = |prices: Value| json!({"id": "b", "priority": 1, "prices": prices});
    says(book(json!([{"sku": "NOPE", "price": 1}])), "price book b: it has a price for NOPE");
    says(
        book(json!([{"sku": "CAP", "price": -1}])),
        "price book b: item CAP has price -1 in it",
    );
    says(
        book(json!([{"sku": "CAP", "price": 1, "min_quantity": -1}])),
        "item CAP has min_quantity -1 in it",
    );
    says(
        book(json!([{"sku": "CAP", "price": 1}, {"sku": "CAP", "price": 2, "min_quantity": 0}])),
        "item CAP has two prices in it from the quantity 0 on",
    );
    says(and(book(json!([])), "groups", json!([""])), "a group that is empty");
    says(
        json!({"id": "b", "priority": 1, "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z", "prices": []}),
        "it ends before it begins",
    );
    let twice = wrong(json!([]), json!([book(json!([])), book(json!([]))]));
    assert_eq!(twice, "price book b: it is in the catalog twice; leave one of them out");
    let fault: CatalogError = CatalogError::Book {
        id: "b".parse().unwrap(),
        why: BookFault::Ends,
    };
    assert_eq!(fault.code(), "price_book");
}
