//! Laws of prices, tried on random offers and baskets: what is added up, what never happens, and that the way to a basket does not matter.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::worked_tests::{at_noon, goods, priced};
use super::*;
use crate::catalog::{Catalog, CatalogFile};

const SKUS: [&str; 10] = ["A", "B", "C", "D", "E", "F", "FREE", "KEEP", "W1", "W2"];
const CATEGORIES: [&str; 4] = ["x", "x/y", "z", "nowhere"];

/// Few prices and categories, so that promotions meet.
fn file(promotions: &[Value]) -> CatalogFile {
    let prices = [100, 249, 249, 333, 500, 1, 0, 400, 299, 1999];
    let item = |(at, sku): (usize, &&str)| {
        json!({"sku": sku, "name": sku, "tax_class": "A", "price": prices[at], "category": CATEGORIES[at % 3],
            "sold_by": if at >= 8 { "measure" } else { "piece" }, "discountable": *sku != "KEEP"})
    };
    let items: Vec<Value> = SKUS.iter().enumerate().map(item).collect();
    let named: Vec<Value> = promotions
        .iter()
        .enumerate()
        .map(|(at, promotion)| {
            let mut promotion = promotion.clone();
            promotion["id"] = json!(format!("p{at}"));
            promotion["name"] = json!("a promotion");
            promotion
        })
        .collect();
    let books = json!([
        {"id": "many", "priority": 1, "prices": [{"sku": "A", "price": 90, "min_quantity": 3000}, {"sku": "A", "price": 80, "min_quantity": 6000}]},
        {"id": "club", "priority": 2, "groups": ["club"], "prices": [{"sku": "B", "price": 200}, {"sku": "C", "price": 0}]}
    ]);
    serde_json::from_value(json!({
        "version": 1, "currency": "EUR", "prices": "inclusive",
        "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}],
        "items": items, "promotions": named, "price_books": books,
    }))
    .unwrap()
}

fn catalog(promotions: &[Value]) -> Catalog {
    Catalog::new(file(promotions)).unwrap()
}

fn on() -> impl Strategy<Value = Value> {
    let sku = || prop::sample::select(&SKUS[..]);
    prop_oneof![
        prop::collection::vec(sku(), 1..4).prop_map(|skus| json!({"skus": skus})),
        prop::sample::select(&CATEGORIES[..]).prop_map(|path| json!({"categories": [path]})),
        prop::collection::vec(sku(), 0..3).prop_map(|except| json!({"all": true, "except": except})),
    ]
}

fn percent() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["1", "10", "12.5", "33.3333", "50", "100"]).prop_map(|percent| json!(percent))
}

fn part() -> impl Strategy<Value = Value> {
    (on(), 1..4_i64).prop_map(|(on, pieces)| json!({"on": on, "quantity": pieces * 1000}))
}

fn with(mut one: Value, other: &Value) -> Value {
    if let (Some(one), Some(other)) = (one.as_object_mut(), other.as_object()) {
        one.extend(other.clone());
    }
    one
}

fn saving() -> impl Strategy<Value = Value> {
    prop_oneof![
        percent().prop_map(|percent| json!({"percent": percent})),
        (1..900_i64).prop_map(|amount| json!({"amount": amount})),
    ]
}

fn kind() -> impl Strategy<Value = Value> {
    prop_oneof![
        (percent(), on()).prop_map(|(percent, on)| json!({"kind": "percent", "percent": percent, "on": on})),
        (1..400_i64, on()).prop_map(|(amount, on)| json!({"kind": "amount", "amount": amount, "on": on})),
        (0..400_i64, on()).prop_map(|(price, on)| json!({"kind": "fixed_price", "price": price, "on": on})),
        (part(), part(), percent()).prop_map(|(buy, get, percent)| json!({"kind": "buy_get", "buy": buy, "get": get, "percent": percent})),
        (part(), saving()).prop_map(|(part, saving)| with(with(json!({"kind": "mix_match"}), &part), &saving)),
        (part(), 0..900_i64).prop_map(|(part, price)| with(json!({"kind": "mix_match", "price": price}), &part)),
        (prop::collection::vec(part(), 1..4), 0..900_i64)
            .prop_map(|(parts, price)| json!({"kind": "bundle", "parts": parts, "price": price})),
        (on(), 0..3000_i64, saving())
            .prop_map(|(on, minimum, saving)| with(json!({"kind": "threshold", "on": on, "minimum": minimum}), &saving)),
        saving().prop_map(|saving| with(json!({"kind": "basket"}), &saving)),
    ]
}

/// Any promotion a file may hold.
fn promotion() -> impl Strategy<Value = Value> {
    let combine = prop::sample::select(vec!["claims", "claims", "stacks", "alone"]);
    (kind(), 1..4_i32, combine, prop::option::weighted(0.3, 1..4_u32)).prop_map(|(kind, priority, combine, limit)| {
        let word = kind["kind"].as_str().unwrap_or_default().to_owned();
        let set = ["buy_get", "mix_match", "bundle"].contains(&word.as_str());
        let combine = if set && combine == "stacks" { "claims" } else { combine };
        let mut all = with(json!({"priority": priority, "combine": combine}), &kind);
        let claims = combine != "stacks" && word != "threshold" && word != "basket";
        if let Some(limit) = limit.filter(|_| claims) {
            all["limit"] = json!(limit);
        }
        all
    })
}

fn discount() -> impl Strategy<Value = Discount> {
    prop_oneof![
        (1..2000_i64).prop_map(|amount| Discount::Amount(Money(amount))),
        prop::sample::select(vec!["5", "33.3333", "100"]).prop_map(|percent| Discount::Percent(percent.parse().unwrap())),
    ]
}

fn any_goods() -> impl Strategy<Value = Goods> {
    let asked = prop_oneof![
        6 => Just(Asked::Listed),
        1 => (0..500_i64).prop_map(|price| Asked::Open(Money(price))),
        1 => (0..500_i64).prop_map(|price| Asked::Override(Money(price))),
    ];
    let pieces = prop_oneof![8 => 1..7_i64, 1 => -3..0_i64];
    let line = (1..9_u32, prop::sample::select(&SKUS[..]), pieces, 1..999_i64);
    (line, asked, prop::option::weighted(0.15, discount())).prop_map(|((line, sku, pieces, more), asked, discount)| {
        let quantity = if sku.starts_with('W') {
            pieces * 1000 + more
        } else {
            pieces * 1000
        };
        Goods {
            price: asked,
            discount: discount.filter(|_| quantity > 0),
            ..goods(line, quantity, sku)
        }
    })
}

/// One thing a cashier does.
#[derive(Clone, Debug)]
enum Deed {
    Put(Goods),
    Take(u32),
    Discount(Option<Discount>),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        8 => any_goods().prop_map(Deed::Put),
        2 => (1..9_u32).prop_map(Deed::Take),
        1 => prop::option::of(discount()).prop_map(Deed::Discount),
    ]
}

/// Follows a plan and looks whether it said the truth.
fn follow(engine: &mut Engine, plan: Plan) {
    let before: BTreeMap<u32, PricedLine> = engine.lines().into_iter().map(|line| (line.line, line)).collect();
    let (said, total) = (plan.lines.clone(), plan.total);
    engine.apply(plan);
    assert_eq!(engine.total(), total);
    let changed: Vec<PricedLine> = engine
        .lines()
        .into_iter()
        .filter(|line| before.get(&line.line) != Some(line))
        .collect();
    let named: Vec<PricedLine> = said.iter().filter(|line| before.get(&line.line) != Some(line)).cloned().collect();
    assert_eq!(named, changed, "each changed line is named, as it is then");
    let unchanged = said.len() - named.len();
    assert!(unchanged <= 1, "only a line that is put may be named without a change");
}

/// What holds for every basket.
fn check_laws(engine: &Engine) {
    let mut total = 0;
    for (line, goods) in engine.lines().iter().zip(engine.goods()) {
        let full = line.unit_price.times(goods.quantity).unwrap();
        let reasons: i64 = line.reasons.iter().map(|reason| reason.amount.0).sum();
        assert_eq!(line.amount.0, reasons, "the reasons of line {} add up", line.line);
        assert_eq!(line.reasons[0].amount, full);
        if goods.quantity.0 > 0 {
            assert!(
                (0..=full.0).contains(&line.amount.0),
                "line {line:?} costs between nothing and its price"
            );
            assert!(line.reasons[1..].iter().all(|reason| reason.amount.0 < 0));
        } else {
            assert_eq!((line.amount, line.reasons.len()), (full, 1), "a return is left alone");
        }
        let mut sources: Vec<_> = line.reasons.iter().map(|reason| (reason.reason.word(), &reason.source)).collect();
        sources.sort();
        sources.dedup();
        assert_eq!(sources.len(), line.reasons.len(), "one reason a promotion");
        total += line.amount.0;
    }
    assert_eq!(engine.total().0, total);
    let promised: i64 = engine.promotions().iter().map(|given| given.saving.0).sum();
    let reasons = engine.lines().into_iter().flat_map(|line| line.reasons);
    let read: i64 = reasons
        .filter(|reason| reason.reason == crate::facts::ReasonKind::Promotion)
        .map(|reason| reason.amount.0)
        .sum();
    assert_eq!(promised, -read, "what promotions gave is what lines lost");
}

proptest! {
    #[test]
    fn every_step_prices_the_basket_as_if_from_scratch(
        promotions in prop::collection::vec(promotion(), 0..9),
        deeds in prop::collection::vec(deed(), 1..14),
        club in any::<bool>(),
    ) {
        let catalog = catalog(&promotions);
        let mut circumstances = at_noon();
        if club {
            circumstances.groups.insert("club".to_owned());
        }
        let mut engine = Engine::new(circumstances.clone());
        for deed in deeds {
            let plan = match deed {
                Deed::Put(goods) => engine.plan_put(&catalog, goods),
                Deed::Take(line) => engine.plan_take(line),
                Deed::Discount(discount) => engine.plan_discount(discount),
            };
            let Ok(plan) = plan else { continue };
            follow(&mut engine, plan);
            check_laws(&engine);
            let scratch = Engine::rebuild(&catalog, circumstances.clone(), engine.goods().cloned(), engine.discount()).unwrap();
            prop_assert_eq!(engine.lines(), scratch.lines());
            prop_assert_eq!(engine.promotions(), scratch.promotions());
        }
    }

    #[test]
    fn the_order_of_scanning_does_not_matter(
        promotions in prop::collection::vec(promotion(), 0..6),
        basket in prop::collection::vec(any_goods(), 1..8),
        turn in 0..8_usize,
    ) {
        let catalog = catalog(&promotions);
        let basket: Vec<Goods> = (1..).zip(basket).map(|(line, goods)| Goods { line, ..goods }).collect();
        let mut turned = basket.clone();
        turned.rotate_left(turn % basket.len());
        turned.reverse();
        let (one, other) = (priced(&catalog, at_noon(), basket), priced(&catalog, at_noon(), turned));
        prop_assert_eq!(one.lines(), other.lines());
        prop_assert_eq!(one.promotions(), other.promotions());
    }

    #[test]
    fn a_promotion_that_does_not_hold_changes_nothing(
        promotions in prop::collection::vec(promotion(), 0..6),
        mut sleeping in promotion(),
        why in 0..4,
        basket in prop::collection::vec(any_goods(), 1..8),
    ) {
        match why {
            0 => sleeping["coupon"] = json!("NOBODY-HAS-IT"),
            1 => sleeping["to"] = json!("2026-11-18T11:00:00Z"),
            2 => sleeping["days"] = json!(["sun"]),
            _ => sleeping["stores"] = json!(["elsewhere"]),
        }
        sleeping["priority"] = json!(100);
        let mut more = promotions.clone();
        more.push(sleeping);
        let one = priced(&catalog(&promotions), at_noon(), basket.clone());
        let other = priced(&catalog(&more), at_noon(), basket);
        prop_assert_eq!(one.lines(), other.lines());
    }

    #[test]
    fn a_plan_made_for_another_basket_still_ends_right(
        promotions in prop::collection::vec(promotion(), 0..6),
        first in prop::collection::vec(any_goods(), 0..4),
        between in any_goods(),
        late in any_goods(),
    ) {
        let catalog = catalog(&promotions);
        let mut engine = priced(&catalog, at_noon(), first);
        let (stale, fresh) = (engine.plan_put(&catalog, late).unwrap(), engine.plan_put(&catalog, between).unwrap());
        engine.apply(fresh);
        engine.apply(stale);
        let scratch = Engine::rebuild(&catalog, at_noon(), engine.goods().cloned(), None).unwrap();
        prop_assert_eq!(&engine, &scratch);
        prop_assert_eq!(engine.total(), scratch.total());
    }

    #[test]
    fn absurd_numbers_are_priced_or_refused_and_never_panic(
        promotions in prop::collection::vec(promotion(), 0..4),
        basket in prop::collection::vec((any::<i64>(), any::<i64>(), any::<i64>(), 0..3, prop::sample::select(&SKUS[..])), 1..6),
        ticket in any::<i64>(),
    ) {
        let catalog = catalog(&promotions);
        let mut engine = Engine::new(at_noon());
        for (line, (quantity, price, amount, asked, sku)) in (1..).zip(basket) {
            let tame = |number: i64| if number % 2 == 0 { number } else { number % 20_000_000 };
            let goods = Goods {
                price: match asked {
                    0 => Asked::Listed,
                    1 => Asked::Open(Money(tame(price))),
                    _ => Asked::Override(Money(price)),
                },
                discount: Some(Discount::Amount(Money(tame(amount)))),
                ..goods(line, tame(quantity) / 1000 * 1000, sku)
            };
            match engine.plan_put(&catalog, goods) {
                Ok(plan) => follow(&mut engine, plan),
                Err(refused) => prop_assert!(!refused.code().is_empty() && !refused.to_string().ends_with('.')),
            }
            check_laws(&engine);
        }
        if let Ok(plan) = engine.plan_discount(Some(Discount::Amount(Money(ticket)))) {
            follow(&mut engine, plan);
            check_laws(&engine);
        }
    }

    #[test]
    fn a_promotion_is_written_as_it_was_read(promotion in promotion()) {
        let catalog = file(&[promotion]);
        let text = serde_json::to_string(&catalog).unwrap();
        prop_assert_eq!(serde_json::from_str::<CatalogFile>(&text).unwrap(), catalog);
    }
}
