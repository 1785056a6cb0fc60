//! Stock and sales reach Shopify exactly once, whatever goes wrong; changed products come back signed, and only signed.
#![allow(clippy::unwrap_used, reason = "a test may simply stop")]

mod line;

use backroom_tests::campaign::hq::copy_folder;
use backroom_tests::shopify::faults::Kind;
use serde_json::{Value, json};

use line::{Line, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_shop_holds_sells_and_takes_back_stands_once_at_shopify() {
    let line = Line::open(4, 4).await;
    let before = line.sell(&[0]).await;
    eventually("head office hears of the sale", || heard(&line, 1)).await;
    line.connect().await;
    eventually("the levels are told", || told(&line, "level", 4)).await;
    let levels = line.shopify.happened("level_set").unwrap();
    assert_eq!(levels.len(), 4, "{levels:#?}");
    assert_eq!(levels[0]["from"], 0);

    let receipt = line.sell(&[1, 2, 1]).await;
    line.all_told(1).await;
    let order = line.shopify.happened("order_created").unwrap().remove(0);
    assert_eq!(order["note"], format!("Receipt {receipt}, shop berlin"));
    assert_eq!(order["lines"].as_array().unwrap().len(), 3);
    let changes = line.shopify.happened("level_changed").unwrap();
    let deltas: Vec<_> = changes
        .iter()
        .map(|change| (change["sku"].as_str().unwrap(), change["delta"].as_i64().unwrap()))
        .collect();
    assert_eq!(
        deltas,
        [("SKU-000001", -2), ("SKU-000002", -1)],
        "one change for each item of a sale"
    );

    line.till(&["return", &receipt]).await;
    line.till(&["return", &before]).await;
    eventually("the refund is told", || told(&line, "refund", 1)).await;
    line.all_told(1).await;
    let refund = line.shopify.happened("refund_created").unwrap().remove(0);
    assert_eq!(
        (&refund["amount"], &refund["source_identifier"]),
        (&order["total"], &order["source_identifier"])
    );
    let standing = line.standing().await;
    assert_eq!((&standing["connected"], &standing["last_error"]), (&json!(true), &Value::Null));
    let skipped = &standing["stuck"][0];
    assert_eq!(
        (&skipped["kind"], &skipped["state"]),
        (&json!("refund"), &json!("skipped")),
        "its sale was never an order"
    );
    let told = line.shopify.state().await.unwrap();
    assert_eq!(told["orders"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_on_the_way_each_sale_is_one_order_and_each_piece_one_change() {
    let line = Line::open(3, 3).await;
    line.connect().await;
    eventually("the levels are told", || told(&line, "level", 3)).await;
    line.shopify.tell("search-lag", &json!({ "questions": 3 })).await.unwrap();
    let faults = [
        Kind::Throttle,
        Kind::TooMany,
        Kind::Unavailable,
        Kind::UnavailableAfter,
        Kind::DropAnswer,
        Kind::DropQuestion,
        Kind::Unauthorized,
        Kind::Concurrent,
    ];
    let mut sold = 0;
    for fault in faults {
        for field in ["orderCreate", "inventoryAdjustQuantities"] {
            if fault == Kind::Concurrent && field == "orderCreate" {
                continue; // It takes no key.
            }
            // An order that was made is found before it is sent again, so its answer can only be lost once.
            let is_done = matches!(fault, Kind::UnavailableAfter | Kind::DropAnswer) && field == "orderCreate";
            line.shopify.fail(fault, if is_done { 1 } else { 2 }, field).await.unwrap();
            line.sell(&[0, 1]).await;
            sold += 1;
            line.all_told(sold as i64).await;
            assert_eq!(line.shopify.faults_left().await.unwrap(), 0, "{fault:?} for {field} was never met");
        }
    }
    line.books_agree(sold, 2 * sold).await;
    line.hq.prove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_office_killed_before_it_heard_the_answer_tells_nothing_twice() {
    let mut line = Line::open(2, 2).await;
    line.connect().await;
    eventually("the levels are told", || told(&line, "level", 2)).await;
    for (field, event) in [("orderCreate", "order_created"), ("inventoryAdjustQuantities", "level_changed")] {
        let before = line.shopify.happened(event).unwrap().len();
        line.shopify.fail_slowly(Kind::SlowAnswer, 1, field, 60_000).await.unwrap();
        line.sell(&[0]).await;
        eventually("Shopify has done it", || async {
            let now = line.shopify.happened(event).unwrap().len();
            (now > before).then_some(()).ok_or(now)
        })
        .await;
        line.hq.kill().await.unwrap();
        line.hq.start().await.unwrap();
        line.subscribe().await;
        let orders = line.shopify.happened("order_created").unwrap().len().max(1) as i64;
        line.all_told(orders).await;
    }
    eventually("both sales are orders", || told(&line, "order", 2)).await;
    line.all_told(2).await;
    line.books_agree(2, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_office_set_back_to_a_backup_hears_it_all_again_and_tells_nothing_twice() {
    let mut line = Line::open(2, 2).await;
    line.connect().await;
    eventually("the levels are told", || told(&line, "level", 2)).await;
    line.sell(&[0]).await;
    line.all_told(1).await;
    line.hq.stop().await.unwrap();
    let (data, backup) = (line.hq.data().join("tenants"), line.folder().join("backup"));
    copy_folder(&data, &backup).unwrap();
    line.hq.start().await.unwrap();
    line.sell(&[1]).await;
    let taken_back = line.sell(&[0, 1]).await;
    line.all_told(3).await;
    line.till(&["return", &taken_back]).await;
    eventually("the refund is told", || told(&line, "refund", 1)).await;
    line.all_told(3).await;

    line.hq.kill().await.unwrap();
    std::fs::remove_dir_all(&data).unwrap();
    copy_folder(&backup, &data).unwrap();
    line.hq.start().await.unwrap();
    eventually("the refund is told again", || told(&line, "refund", 1)).await;
    line.all_told(3).await;
    assert_eq!(line.shopify.happened("refund_created").unwrap().len(), 1);
    line.books_agree(3, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_shopify_refuses_is_listed_in_a_sentence_and_holds_up_nothing_else() {
    let line = Line::open(3, 2).await;
    line.connect().await;
    eventually("the known levels are told", || told(&line, "level", 2)).await;
    let standing = line.standing().await;
    let stuck = standing["stuck"][0]["why"].as_str().unwrap().to_owned();
    assert!(stuck.contains("SKU-000002"), "{stuck}");

    line.shopify.fail(Kind::Refuse, 1, "orderCreate").await.unwrap();
    line.sell(&[0]).await;
    line.sell(&[1]).await;
    eventually("one sale is an order", || told(&line, "order", 1)).await;
    eventually("the other is listed", || async {
        let standing = line.standing().await;
        let refused = standing["stuck"]
            .as_array()
            .unwrap()
            .iter()
            .any(|stuck| stuck["state"] == "refused" && stuck["kind"] == "order");
        refused.then_some(()).ok_or(standing)
    })
    .await;
    assert_eq!(line.shopify.happened("order_created").unwrap().len(), 1);

    let delivered = line
        .shopify
        .change_product(&json!({ "sku": "SKU-000002", "title": "New", "price": "1.73" }))
        .await
        .unwrap();
    assert_eq!(delivered[0].status, Some(200));
    eventually("the level that waited for its product is told", || told(&line, "level", 3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_changed_at_shopify_reaches_the_shop_once_and_only_when_it_is_signed() {
    let line = Line::open(3, 3).await;
    line.connect().await;
    eventually("the levels are told", || told(&line, "level", 3)).await;

    let forged = json!({ "sku": "SKU-000001", "price": "0.01", "wrong_signature": true });
    let delivered = line.shopify.change_product(&forged).await.unwrap();
    assert_eq!(delivered[0].status, Some(401));
    assert_eq!(line.standing().await["messages"], json!([]), "nothing of it is kept");

    let edit = json!({ "sku": "SKU-000001", "price": "7.77", "title": "Better", "deliveries": 3 });
    let delivered = line.shopify.change_product(&edit).await.unwrap();
    assert!(delivered.iter().all(|delivered| delivered.status == Some(200)), "{delivered:?}");
    eventually("the shop has followed", || async {
        let product = line.ask("products?q=SKU-000001").await;
        let changes = product["products"][0]["changes"].clone();
        let followed = changes[0]["price"] == 777 && changes[0]["state"] == "followed";
        followed.then_some(()).ok_or(product)
    })
    .await;
    let stores = line.ask("stores").await;
    assert_eq!(
        stores["stores"][0]["directives_through"], 1,
        "three deliveries of one message are one order: {stores}"
    );
    let messages = line.standing().await["messages"].clone();
    assert_eq!(messages.as_array().unwrap().len(), 1, "{messages}");

    let delivered = line
        .shopify
        .change_product(&json!({ "sku": "ELSE-1", "price": "3.00" }))
        .await
        .unwrap();
    assert_eq!(delivered[0].status, Some(200));
    eventually("a product nobody sells here is listed", || async {
        let standing = line.standing().await;
        let listed = standing["unknown_products"][0]["sku"] == "ELSE-1";
        listed.then_some(()).ok_or(standing)
    })
    .await;
    let delivered = line
        .shopify
        .change_product(&json!({ "sku": "SKU-000001", "price": "7.77" }))
        .await
        .unwrap();
    assert_eq!(delivered[0].status, Some(200));
    eventually("the same price again is no order", || async {
        let standing = line.standing().await;
        let said = standing["messages"][0]["said"].as_str().unwrap_or_default().to_owned();
        said.contains("as it was").then_some(()).ok_or(standing)
    })
    .await;
}

/// So many rows of a kind are told.
async fn told(line: &Line, kind: &str, rows: i64) -> Result<(), Value> {
    let standing = line.standing().await;
    (standing["told"][kind] == rows).then_some(()).ok_or(standing)
}

/// So many sales have arrived at head office.
async fn heard(line: &Line, sales: usize) -> Result<(), Value> {
    let answer = line.ask("sales").await;
    (answer["sales"].as_array().map_or(0, Vec::len) == sales)
        .then_some(())
        .ok_or(answer)
}
