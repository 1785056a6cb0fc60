//! What goes down: price orders, numbered, said again until the store's journal answers.

use serde_json::json;

use backroom_core::directive::Order;
use backroom_core::facts::{DirectiveRefused, Fact, PriceDirected};

use crate::engine::{Engine, on_both_engines};
use crate::eventually;
use crate::head_office::HeadOffice;
use crate::store::{Journal, Store};

on_both_engines! {
    an_order_is_said_again_until_the_journal_shows_what_became_of_it,
    a_store_that_was_away_hears_its_orders_after_its_announcement,
    the_same_question_twice_makes_one_order,
    a_number_the_store_has_answered_is_not_given_out_again_after_a_restore,
}

const MUG: &str = "/api/v1/products/MUG/price";

async fn an_order_is_said_again_until_the_journal_shows_what_became_of_it(engine: Engine) {
    let office = HeadOffice::open(engine).await;
    let join = office.add_store("nord", "harbour").await;
    office.add_store("nord", "station").await;
    let token = office.sign_in("nord").await;
    let mut store = Store::join(&join, office.broker_url()).await;
    let mut journal = Journal::new(store.address);
    journal.open();
    store.sync(&journal).await;

    let answer = office.ask("PUT", MUG, Some(&token), Some(&json!({ "price": 1200 }))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.body["directives"],
        json!([{ "store": "harbour", "number": 1 }, { "store": "station", "number": 1 }])
    );
    let only_here = json!({ "price": 900, "stores": ["harbour", "harbour"], "effective_at": "2026-12-01T00:00:00Z" });
    let answer = office.ask("PUT", MUG, Some(&token), Some(&only_here)).await;
    assert_eq!(
        answer.body["directives"],
        json!([{ "store": "harbour", "number": 2 }]),
        "{answer:?}"
    );

    eventually("both were heard twice", async || {
        let heard = store.heard().directives;
        [1, 2]
            .into_iter()
            .all(|number| heard.iter().filter(|directive| directive.number == number).count() >= 2)
    })
    .await;
    let heard = store.heard().directives;
    assert_eq!(heard[0].number, 1, "in their order");
    let Order::Price(first) = heard[0].order.clone();
    let second = heard.iter().find(|directive| directive.number == 2).unwrap();
    let Order::Price(second) = second.order.clone();
    assert_eq!(
        (first.price.0, second.price.0, second.effective_at.to_string().as_str()),
        (1200, 900, "2026-12-01T00:00:00Z")
    );
    assert_eq!(office.standing(&token, "harbour").await["directives_pending"], 2);

    journal.write(&Fact::PriceDirected(PriceDirected {
        directive: 1,
        change: first,
    }));
    journal.write(&Fact::DirectiveRefused(DirectiveRefused {
        directive: 2,
        why: "the price is not ours".into(),
    }));
    store.sync(&journal).await;
    eventually("both are answered", async || {
        let standing = office.standing(&token, "harbour").await;
        (&standing["directives_through"], &standing["directives_pending"]) == (&json!(2), &json!(0))
    })
    .await;
    let products = office.ask("GET", "/api/v1/products?q=mug", Some(&token), None).await.body;
    let change = &products["products"][0]["changes"][0];
    assert_eq!(
        (&change["store"], &change["directive"], &change["state"]),
        (&json!("harbour"), &json!(2), &json!("refused"))
    );
    assert_eq!(
        products["products"][0]["changes"][1]["state"], "pending",
        "the other store was never there"
    );
}

async fn a_store_that_was_away_hears_its_orders_after_its_announcement(engine: Engine) {
    let mut office = HeadOffice::open(engine).await;
    let join = office.add_store("nord", "harbour").await;
    let token = office.sign_in("nord").await;
    for price in 1..=40 {
        office.ask("PUT", MUG, Some(&token), Some(&json!({ "price": price }))).await;
    }
    office.stop().await;
    office.start().await;
    let mut store = Store::join(&join, office.broker_url()).await;
    let journal = Journal::new(store.address);
    eventually("head office listens and answers", async || {
        !store.hello(&[&journal], 0).await.is_empty()
    })
    .await;
    eventually("the first window was heard", async || store.heard().directives.len() >= 32).await;
    let numbers: Vec<u64> = store.heard().directives.iter().take(32).map(|directive| directive.number).collect();
    assert_eq!(numbers, (1..=32).collect::<Vec<u64>>());
}

async fn the_same_question_twice_makes_one_order(engine: Engine) {
    let office = HeadOffice::open(engine).await;
    office.add_store("nord", "harbour").await;
    let token = office.sign_in("nord").await;
    let ask = async |key: &str, body: &str| {
        let headers = [("authorization", format!("Bearer {token}")), ("idempotency-key", key.to_owned())];
        office.ask_with("PUT", MUG, &headers, Some(body)).await
    };
    let first = ask("k-1", r#"{"price": 700}"#).await;
    let again = ask("\"k-1\"", r#"{ "price":700 }"#).await;
    assert_eq!((first.status, &first.text), (200, &again.text));
    let other = ask("k-1", r#"{"price": 701}"#).await;
    assert_eq!((other.status, &other.body["code"]), (422, &json!("idempotency_key_reused")));
    let new = ask("k-2", r#"{"price": 700}"#).await;
    assert_eq!(new.body["directives"], json!([{ "store": "harbour", "number": 2 }]));
}

async fn a_number_the_store_has_answered_is_not_given_out_again_after_a_restore(engine: Engine) {
    let mut office = HeadOffice::open(engine).await;
    let join = office.add_store("nord", "harbour").await;
    let token = office.sign_in("nord").await;
    let mut store = Store::join(&join, office.broker_url()).await;
    let mut journal = Journal::new(store.address);
    journal.open();
    // This head office forgot what it ordered: the store has followed three orders.
    let change = backroom_core::catalog::PriceChange {
        sku: "MUG".parse().unwrap(),
        price: backroom_core::money::Money(1),
        currency: "EUR".parse().unwrap(),
        effective_at: backroom_core::time::Instant::from_micros(crate::store::NOON).unwrap(),
    };
    office.ask("PUT", MUG, Some(&token), Some(&json!({ "price": 555 }))).await;
    for directive in 1..=3 {
        journal.write(&Fact::PriceDirected(PriceDirected {
            directive,
            change: change.clone(),
        }));
    }
    eventually("head office listens and answers", async || {
        !store.hello(&[&journal], 3).await.is_empty()
    })
    .await;
    let answer = office.ask("PUT", MUG, Some(&token), Some(&json!({ "price": 666 }))).await;
    assert_eq!(
        answer.body["directives"],
        json!([{ "store": "harbour", "number": 4 }]),
        "{answer:?}"
    );
    store.sync(&journal).await;
    eventually("the order whose number was taken comes with a new one", async || {
        let moved = |order: &Order| matches!(order, Order::Price(change) if change.price.0 == 555);
        store
            .heard()
            .directives
            .iter()
            .any(|directive| directive.number == 5 && moved(&directive.order))
    })
    .await;
    assert_eq!(office.standing(&token, "harbour").await["directives_pending"], 2);
    office.stop().await;
    office.must(&["prove"]).await;
}
