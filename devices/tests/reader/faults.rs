//! Readers that are busy, mute, dead, garbled or gone, and what the link makes of each.

use std::time::Duration;

use backroom_devices::link::reader::{InventoryPlan, ReaderDown, ReaderEvent, ReaderLink, ReaderSettings};
use backroom_llrp::message_type::MessageType;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::shop::{Count, PATIENCE, SHIRT, Shop, down, impatient, next, settings, shirts, tag};

#[tokio::test]
async fn a_busy_reader_is_known_as_such_and_taken_once_it_is_free() {
    let shop = Shop::with(&shirts(3), 300, 0).await;
    shop.turn("busy on");
    for _ in 0..3 {
        let address = shop.address();
        assert_eq!(shop.connect().await.unwrap_err(), ReaderDown::Busy { address });
    }
    shop.turn("busy off");
    Count::default().reach(&mut shop.counting().await, 3).await.unwrap();
}

#[tokio::test]
async fn the_second_to_come_is_refused_and_the_first_goes_on() {
    let shop = Shop::with(&shirts(20), 300, 0).await;
    let mut first = shop.counting().await;
    assert!(matches!(shop.connect().await, Err(ReaderDown::Busy { .. })));
    Count::default().reach(&mut first, 20).await.unwrap();
    first.close().await.unwrap();
    shop.wait_until("the first is gone", |shop| shop.state("connected") == false).await;
    shop.connect().await.unwrap();
    assert_eq!(shop.ledger("refused").len(), 1);
}

#[tokio::test]
async fn nobody_at_the_address_is_told_apart_from_a_reader_that_does_not_greet() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // Connections are taken by the system, and nobody says anything.
    let silent = ReaderLink::connect(&address, impatient()).await.unwrap_err();
    let asked = MessageType::READER_EVENT_NOTIFICATION;
    let waited = impatient().request_timeout;
    assert_eq!(silent, ReaderDown::Silent { asked, waited });
    drop(listener);
    assert!(matches!(
        ReaderLink::connect(&address, impatient()).await,
        Err(ReaderDown::Unreachable { .. })
    ));
}

#[tokio::test]
async fn a_mute_reader_is_given_up_after_the_timeout_and_found_again() {
    let shelf = shirts(10);
    let shop = Shop::with(&shelf, 300, 0).await;
    let mut link = ReaderLink::connect(&shop.address(), impatient()).await.unwrap();
    shop.turn("mute on");
    let asked = MessageType::DELETE_ROSPEC;
    let waited = impatient().request_timeout;
    assert_eq!(
        link.start_inventory(InventoryPlan::default()).await,
        Err(ReaderDown::Silent { asked, waited })
    );
    drop(link);
    assert!(matches!(
        ReaderLink::connect(&shop.address(), impatient()).await,
        Err(ReaderDown::Silent { .. })
    ));
    shop.turn("mute off");
    shop.wait_until("the old connection is gone", |shop| shop.state("connected") == false)
        .await;
    let mut count = Count::default();
    count.reach(&mut shop.counting().await, 10).await.unwrap();
    assert_eq!(count.tags, shelf);
}

#[tokio::test]
async fn a_reader_that_falls_silent_in_mid_inventory_is_noticed() {
    let shop = Shop::with(&shirts(10), 300, 0).await;
    let mut link = ReaderLink::connect(&shop.address(), impatient()).await.unwrap();
    link.start_inventory(InventoryPlan::default()).await.unwrap();
    Count::default().reach(&mut link, 10).await.unwrap();
    shop.turn("mute on");
    assert!(matches!(down(&mut link).await, ReaderDown::MissedKeepalives { .. }));
}

#[tokio::test]
async fn each_keepalive_is_answered_and_two_missed_are_the_end() {
    let shop = Shop::with(&shirts(0), 300, 0).await;
    let mut link = ReaderLink::connect(&shop.address(), impatient()).await.unwrap();
    // More than the reader would leave unanswered.
    for _ in 0..6 {
        assert_eq!(next(&mut link).await, Ok(ReaderEvent::Keepalive));
    }
    assert!(shop.state("unacknowledged").as_u64() <= Some(2));
    shop.turn("keepalive off");
    let waited = impatient().keepalive * 5 / 2;
    assert_eq!(down(&mut link).await, ReaderDown::MissedKeepalives { waited });
}

#[tokio::test]
async fn a_client_that_answers_no_keepalives_loses_its_place() {
    let shop = Shop::with(&shirts(0), 300, 0).await;
    let link = ReaderLink::connect(&shop.address(), impatient()).await.unwrap();
    shop.wait_until("the reader gave the place up", |shop| shop.state("connected") == false)
        .await;
    drop(link);
    assert_eq!(shop.ledger("disconnected")[0]["why"], "it answers no keepalives");
}

#[tokio::test]
async fn a_reader_that_dies_in_mid_inventory_is_found_again_and_nothing_is_lost_or_counted_twice() {
    let shelf = shirts(600);
    let shop = Shop::with(&shelf, 3_000, 5).await;
    let mut count = Count::default();
    // It dies twice, the second time of a cut cable: then the order outlives it at the reader.
    for (fault, wanted) in [("die", 100), ("cut", 350)] {
        let mut link = shop.counting().await;
        count.reach(&mut link, wanted).await.unwrap();
        shop.turn(fault);
        assert!(matches!(down(&mut link).await, ReaderDown::Closed | ReaderDown::Lost { .. }));
    }
    let mut link = shop.counting().await;
    count.reach(&mut link, 600).await.unwrap();
    link.stop().await.unwrap();
    count.finish(&mut link).await;
    assert_eq!(count.tags, shelf);
    let ended: Vec<String> = shop
        .ledger("inventory_ended")
        .iter()
        .map(|line| line["why"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ended, ["the reader lost power", "the client ended it", "the client ended it"]);
    let runs: Vec<Value> = shop.ledger("inventory_started").iter().map(|line| line["run"].clone()).collect();
    assert_eq!(runs, [1, 2, 3]);
}

#[tokio::test]
async fn reports_of_an_older_inventory_are_not_counted_in_a_newer_one() {
    let mut shelf = shirts(20);
    let shop = Shop::with(&shelf, 500, 0).await;
    let mut link = shop.counting().await;
    Count::default().reach(&mut link, 1).await.unwrap();
    shop.turn("cut");
    down(&mut link).await;
    // The reader goes on reading without us and keeps what it reads; then a shirt is sold.
    shop.wait_until("it keeps reports for us", |shop| shop.state("reports_held").as_u64() > Some(100))
        .await;
    let sold = tag(SHIRT, 3);
    shop.turn(&format!("tags remove {sold}"));
    let mut link = shop.counting().await;
    let mut count = Count::default();
    count.reach(&mut link, 19).await.unwrap();
    link.stop().await.unwrap();
    count.finish(&mut link).await;
    shelf.remove(&sold);
    assert_eq!(count.tags, shelf);
    assert_eq!(shop.state("orders").as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn a_link_without_an_inventory_tells_of_no_tags() {
    let shop = Shop::with(&shirts(20), 500, 0).await;
    let mut link = shop.counting().await;
    shop.turn("cut");
    down(&mut link).await;
    shop.wait_until("it keeps reports for us", |shop| shop.state("reports_held").as_u64() > Some(100))
        .await;
    let mut link = ReaderLink::connect(&shop.address(), impatient()).await.unwrap();
    assert_eq!(next(&mut link).await, Ok(ReaderEvent::Keepalive));
    // Nor does the reader go on with the order that outlived the cut.
    assert_eq!(shop.state("orders").as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn what_nobody_took_of_an_older_inventory_is_not_counted_in_the_next() {
    let mut shelf = shirts(20);
    let shop = Shop::with(&shelf, 2_000, 0).await;
    let mut link = shop.counting().await;
    shop.wait_until("all were read", |shop| shop.state("orders")[0]["tags"] == 20).await;
    link.stop().await.unwrap();
    let sold = tag(SHIRT, 3);
    shop.turn(&format!("tags remove {sold}"));
    link.start_inventory(InventoryPlan::default()).await.unwrap();
    let mut count = Count::default();
    count.reach(&mut link, 19).await.unwrap();
    link.stop().await.unwrap();
    count.finish(&mut link).await;
    shelf.remove(&sold);
    assert_eq!(count.tags, shelf);
}

#[tokio::test]
async fn silence_is_noticed_also_by_one_who_keeps_asking_anew() {
    let shop = Shop::with(&shirts(0), 300, 0).await;
    let mut link = ReaderLink::connect(&shop.address(), impatient()).await.unwrap();
    shop.turn("mute on");
    let asking = async {
        loop {
            // As an actor does that has other things to hear as well.
            if let Ok(Err(down)) = timeout(impatient().keepalive, link.next()).await {
                return down;
            }
        }
    };
    let down = timeout(PATIENCE, asking).await.unwrap();
    assert!(matches!(down, ReaderDown::MissedKeepalives { .. }));
}

#[tokio::test]
async fn a_garbled_message_ends_the_link_and_not_the_count() {
    let shelf = shirts(50);
    let shop = Shop::with(&shelf, 1_000, 0).await;
    let mut link = shop.counting().await;
    let mut count = Count::default();
    count.reach(&mut link, 10).await.unwrap();
    shop.turn("garble once");
    assert!(matches!(down(&mut link).await, ReaderDown::Garbled { .. }));
    drop(link);
    shop.wait_until("the old connection is gone", |shop| shop.state("connected") == false)
        .await;
    count.reach(&mut shop.counting().await, 50).await.unwrap();
    assert_eq!(count.tags, shelf);
}

#[tokio::test]
async fn an_antenna_that_does_not_exist_is_refused_with_the_reason_and_the_link_stays() {
    let shop = Shop::with(&shirts(5), 300, 0).await;
    let mut link = shop.connect().await.unwrap();
    let plan = InventoryPlan {
        antennas: vec![1, 9],
        ..InventoryPlan::default()
    };
    let refused = link.start_inventory(plan).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the RFID reader refused ADD_ROSPEC: status 101, there is no antenna 9, only 2"
    );
    link.start_inventory(InventoryPlan::default()).await.unwrap();
    Count::default().reach(&mut link, 5).await.unwrap();
}

#[tokio::test]
async fn a_reader_that_is_switched_off_says_goodbye() {
    let shop = Shop::with(&shirts(5), 300, 0).await;
    let mut link = shop.counting().await;
    Count::default().reach(&mut link, 5).await.unwrap();
    let ending = tokio::spawn(async move { down(&mut link).await });
    shop.reader.end().await;
    assert_eq!(ending.await.unwrap(), ReaderDown::Closed);
}

#[tokio::test]
async fn a_web_server_at_the_address_is_no_reader() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    });
    let wrong = ReaderLink::connect(&address, settings()).await.unwrap_err();
    assert!(matches!(wrong, ReaderDown::Garbled { .. }));
    serving.await.unwrap();
}

#[tokio::test]
async fn the_defaults_count_a_shelf_too() {
    let shop = Shop::with(&shirts(5), 300, 0).await;
    let settings = ReaderSettings::default();
    assert!(settings.keepalive >= Duration::from_secs(1));
    let mut link = ReaderLink::connect(&shop.address(), settings).await.unwrap();
    link.start_inventory(InventoryPlan::default()).await.unwrap();
    Count::default().reach(&mut link, 5).await.unwrap();
}
