//! Shelves that are counted: each tag once, in whatever pieces and repetitions it is told.

use std::time::Duration;

use backroom_devices::link::reader::{InventoryPlan, ReaderEvent};
use tokio::time::timeout;

use crate::shop::{Count, SHIRT, Shop, next, shirts, tag};

#[tokio::test]
async fn two_thousand_tags_are_counted_exactly_once_each() {
    let shelf = shirts(2_000);
    let shop = Shop::with(&shelf, 20_000, 10).await;
    let mut link = shop.counting().await;
    assert_eq!(link.about().antennas, 2);
    let mut count = Count::default();
    count.reach(&mut link, 2_000).await.unwrap();
    link.stop().await.unwrap();
    count.finish(&mut link).await;
    assert_eq!(count.tags, shelf);
    assert!(count.told > 2_000, "some were told again: {}", count.told);
    let mut read: Vec<String> = shop
        .ledger("tag_read")
        .iter()
        .map(|line| line["epc"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(read.len(), 2_000);
    read.sort();
    assert!(read.iter().eq(&shelf));
    let [ended] = &shop.ledger("inventory_ended")[..] else {
        panic!("one inventory ended")
    };
    assert_eq!(ended["tags"], 2_000);
    assert!(ended["reads"].as_u64().unwrap() >= 2_000);
    link.close().await.unwrap();
    shop.wait_until("the client is gone", |shop| shop.state("connected") == false).await;
}

#[tokio::test]
async fn a_tag_says_which_piece_of_which_goods_it_is_and_where_it_was_read() {
    let shop = Shop::with(&[tag(SHIRT, 77)].into(), 300, 0).await;
    let mut link = shop.counting().await;
    let ReaderEvent::Tags(tags) = next(&mut link).await.unwrap() else {
        panic!("tags come first")
    };
    let [seen] = &tags[..] else { panic!("one tag lies there") };
    let epc = seen.epc().unwrap();
    assert_eq!((epc.gtin(), epc.serial()), (Some(SHIRT.parse().unwrap()), Some("77")));
    assert!(matches!(seen.antenna, Some(1 | 2)));
    assert!(matches!(seen.rssi_dbm, Some(-85..=-40)));
    assert!(seen.first_seen_utc_us.is_some() && seen.first_seen_utc_us <= seen.last_seen_utc_us);
    assert!(seen.count >= 1);
}

#[tokio::test]
async fn a_strangers_tag_is_told_though_it_names_nothing() {
    let stranger = "e2801160600002054a8b1c2d";
    let shop = Shop::with(&[stranger.to_owned()].into(), 300, 0).await;
    let mut link = shop.counting().await;
    let ReaderEvent::Tags(tags) = next(&mut link).await.unwrap() else {
        panic!("tags come first")
    };
    assert_eq!(tags[0].epc_hex(), stranger);
    assert!(tags[0].epc().is_err());
}

#[tokio::test]
async fn a_stream_split_into_single_bytes_gives_the_same_count() {
    let shelf = shirts(200);
    let shop = Shop::with(&shelf, 300, 0).await;
    shop.turn("split on");
    let mut link = shop.counting().await;
    let mut count = Count::default();
    count.reach(&mut link, 200).await.unwrap();
    link.stop().await.unwrap();
    count.finish(&mut link).await;
    assert_eq!(count.tags, shelf);
}

#[tokio::test]
async fn waiting_may_be_given_up_in_the_middle_of_a_message() {
    let shelf = shirts(100);
    let shop = Shop::with(&shelf, 300, 0).await;
    shop.turn("split on");
    let mut link = shop.counting().await;
    let mut count = Count::default();
    while count.tags.len() < 100 {
        // As an actor does that has other things to hear as well.
        if let Ok(event) = timeout(Duration::from_micros(50), link.next()).await
            && let ReaderEvent::Tags(tags) = event.unwrap()
        {
            count.add(tags);
        }
    }
    assert_eq!(count.tags, shelf);
}

#[tokio::test]
async fn thirty_thousand_readings_at_once_arrive_joined_and_whole() {
    let shelf = shirts(500);
    // Nothing is read by itself, so every reading is one of the flood.
    let shop = Shop::with(&shelf, 0, 0).await;
    let mut link = shop.connect().await.unwrap();
    let plan = InventoryPlan {
        tags_per_report: 50,
        ..InventoryPlan::default()
    };
    link.start_inventory(plan).await.unwrap();
    shop.turn("flood 30000");
    link.stop().await.unwrap();
    let mut count = Count::default();
    let mut readings = 0_u64;
    loop {
        match next(&mut link).await.unwrap() {
            ReaderEvent::Tags(tags) => {
                readings += tags.iter().map(|tag| u64::from(tag.count)).sum::<u64>();
                count.add(tags);
            }
            ReaderEvent::InventoryEnded => break,
            _ => {}
        }
    }
    assert_eq!((count.tags, readings), (shelf, 30_000));
}

#[tokio::test]
async fn a_client_that_does_not_keep_up_is_told_less_often_and_loses_no_reading() {
    let shelf = shirts(50);
    let shop = Shop::with(&shelf, 0, 0).await;
    let mut link = shop.counting().await;
    // All at once, so nobody can have listened in between.
    shop.turn("flood 400000");
    assert!(shop.state("messages_waiting").as_u64() < Some(100));
    let listening = async {
        let mut readings = 0_u64;
        while let ReaderEvent::Tags(tags) = next(&mut link).await.unwrap() {
            readings += tags.iter().map(|tag| u64::from(tag.count)).sum::<u64>();
            if readings == 64 {
                // What was gathered meanwhile comes with the end.
                link.stop().await.unwrap();
            }
        }
        readings
    };
    assert_eq!(listening.await, 400_000);
    assert_eq!(shop.ledger("inventory_ended")[0]["reads"], 400_000);
}

#[tokio::test]
async fn the_last_tags_come_before_the_end() {
    let shelf = shirts(30);
    let shop = Shop::with(&shelf, 3_000, 0).await;
    let mut link = shop.connect().await.unwrap();
    let plan = InventoryPlan {
        tags_per_report: 100,
        ..InventoryPlan::default()
    };
    link.start_inventory(plan).await.unwrap();
    shop.wait_until("all were read", |shop| shop.state("orders")[0]["tags"] == 30).await;
    link.stop().await.unwrap();
    let mut count = Count::default();
    count.finish(&mut link).await;
    assert_eq!((count.tags, count.told), (shelf, 30));
}

#[tokio::test]
async fn what_was_sold_is_missing_from_the_next_count() {
    let mut shelf = shirts(40);
    let shop = Shop::with(&shelf, 4_000, 0).await;
    let mut link = shop.counting().await;
    Count::default().reach(&mut link, 40).await.unwrap();
    link.stop().await.unwrap();
    let sold = tag(SHIRT, 7);
    shop.turn(&format!("tags remove {sold}"));
    link.start_inventory(InventoryPlan::default()).await.unwrap();
    let mut count = Count::default();
    count.reach(&mut link, 39).await.unwrap();
    shop.wait_until("the shelf was read over and over", |shop| {
        shop.state("orders")[0]["reads"].as_u64() > Some(200)
    })
    .await;
    link.stop().await.unwrap();
    count.finish(&mut link).await;
    assert!(shelf.remove(&sold));
    assert_eq!(count.tags, shelf);
    assert_eq!(shop.ledger("tag_read").len(), 40 + 39);
}

#[tokio::test]
async fn an_antenna_that_is_pulled_out_takes_its_tags_with_it_and_says_so() {
    let shelf = shirts(50);
    let shop = Shop::with(&shelf, 2_000, 0).await;
    let mut link = shop.counting().await;
    Count::default().reach(&mut link, 50).await.unwrap();
    shop.turn("antenna 2 off");
    let lost = loop {
        if let ReaderEvent::AntennaLost(antenna) = next(&mut link).await.unwrap() {
            break antenna;
        }
    };
    assert_eq!(lost, 2);
    let ReaderEvent::Tags(tags) = next(&mut link).await.unwrap() else {
        panic!("the other antenna goes on")
    };
    assert!(tags.iter().all(|tag| tag.antenna == Some(1)));
    shop.turn("antenna 2 on");
    let mut count = Count::default();
    loop {
        match next(&mut link).await.unwrap() {
            ReaderEvent::AntennaFound(antenna) => {
                assert_eq!(antenna, 2);
                break;
            }
            ReaderEvent::Tags(tags) => assert!(tags.iter().all(|tag| tag.antenna == Some(1))),
            _ => {}
        }
    }
    count.reach(&mut link, 50).await.unwrap();
}

#[tokio::test]
async fn only_the_antennas_of_the_plan_read() {
    let shop = Shop::with(&shirts(50), 2_000, 0).await;
    let mut link = shop.connect().await.unwrap();
    let plan = InventoryPlan {
        antennas: vec![2],
        ..InventoryPlan::default()
    };
    link.start_inventory(plan).await.unwrap();
    shop.wait_until("the shelf was read over and over", |shop| {
        shop.state("orders")[0]["reads"].as_u64() > Some(300)
    })
    .await;
    link.stop().await.unwrap();
    let read = shop.ledger("tag_read");
    assert!((1..50).contains(&read.len()));
    assert!(read.iter().all(|line| line["antenna"] == 2));
}
