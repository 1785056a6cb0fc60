//! Payments that go as they should, and money that goes back.

use backroom_devices::link::terminal::{Outcome, Progress};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::shop::{DEVICE, Shop};

#[tokio::test]
async fn a_payment_tells_how_it_goes_and_has_the_same_name_here_and_in_the_terminal() {
    let mut shop = Shop::open().await;
    let open = shop.begin(1299).await;
    assert_eq!(open.trace_before, None);
    let (progress, mut heard) = mpsc::channel(16);
    let outcome = shop.connect().await.authorize(1299, progress, CancellationToken::new()).await;
    let approval = shop.find_out(&open, &outcome).await.unwrap();
    assert_eq!((approval.trace, approval.receipt, approval.amount_minor), (1, 1, 1299));
    assert_eq!(
        (approval.terminal_id.as_str(), approval.card_name.as_str()),
        ("52500001", "girocard")
    );
    assert!(approval.at.is_some());
    let mut words = Vec::new();
    while let Some(Progress::Words(text)) = heard.recv().await {
        words.push(text);
    }
    assert_eq!(
        words,
        ["insert or hold the card", "enter the PIN", "asking the bank", "take the card out"]
    );
    let ledger = shop.ledger();
    let events: Vec<_> = ledger.iter().map(|line| &line["event"]).collect();
    assert_eq!(events, ["authorize", "capture"]);
    for line in &ledger {
        assert_eq!(line["attempt"], json!(format!("{DEVICE}-000001")));
        assert_eq!((&line["amount"], &line["outcome"]), (&json!(1299), &json!("approved")));
    }
    let last = shop.last().await.unwrap();
    assert_eq!(last.approval(), approval);
    shop.compare();
}

#[tokio::test]
async fn a_declined_payment_says_why_and_moves_nothing() {
    let mut shop = Shop::open().await;
    shop.turn("next decline 78").await;
    let (outcome, _) = shop.pay(500).await;
    let Outcome::Declined { code: 0x78, why } = outcome else {
        panic!("{outcome:?}")
    };
    assert!(why.contains("expired"), "{why}");
    assert_eq!(shop.ledger().len(), 1);
    shop.compare();
}

#[tokio::test]
async fn a_wish_to_stop_is_heard_before_the_money_moved_and_not_after() {
    let mut shop = Shop::open().await;
    for (hold, stops) in [("hold on", true), ("hold after", false)] {
        shop.turn(hold).await;
        let open = shop.begin(500).await;
        let stop = CancellationToken::new();
        let mut link = shop.link.take().unwrap();
        let token = stop.clone();
        let asking = tokio::spawn(async move {
            let (progress, _words) = mpsc::channel(8);
            let outcome = link.authorize(500, progress, token).await;
            (link, outcome)
        });
        if stops {
            shop.until(|state| state["paying"] == true).await;
        } else {
            shop.until(|state| state["trace"] == 1).await;
        }
        stop.cancel();
        if !stops {
            shop.turn("hold off").await;
        }
        let (link, outcome) = asking.await.unwrap();
        shop.link = Some(link);
        assert_eq!(shop.find_out(&open, &outcome).await.is_none(), stops, "{outcome:?}");
        assert_eq!(matches!(outcome, Outcome::Declined { code: 0x6c, .. }), stops);
    }
    // The connection is as good as before.
    shop.turn("calm").await;
    assert!(matches!(shop.authorize(0).await, Outcome::NotSent { .. }));
    assert!(matches!(shop.pay(300).await.0, Outcome::Approved(_)));
    shop.compare();
}

#[tokio::test]
async fn a_payment_is_taken_back_once_and_a_refund_has_a_name_of_its_own() {
    let mut shop = Shop::open().await;
    let (_, first) = shop.pay(500).await;
    let (_, second) = shop.pay(500).await;
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(matches!(shop.take_back(&first).await, Outcome::Approved(_)));
    assert!(matches!(shop.take_back(&first).await, Outcome::Declined { code: 0xb4, .. }));
    assert!(matches!(shop.refund(200).await, Outcome::Approved(_)));
    shop.turn("drop after-status-unacked once").await;
    assert!(matches!(shop.take_back(&second).await, Outcome::Unknown { .. }));
    shop.turn("drop on-command once").await;
    assert!(matches!(shop.refund(200).await, Outcome::Unknown { .. }));
    shop.turn("drop before-status once").await;
    assert!(matches!(shop.refund(200).await, Outcome::Unknown { .. }));
    assert_eq!((shop.taken_back.len(), shop.refunded.len()), (2, 2));
    shop.restart_terminal().await;
    shop.link = None;
    let (_, next) = shop.pay(500).await;
    assert_eq!(next.unwrap().trace, 7);
    shop.compare();
}

#[tokio::test]
async fn a_register_that_tells_the_number_it_was_told_is_in_step() {
    let mut shop = Shop::open().await;
    shop.settings.mirrors_receipts = true;
    for drop in [None, Some("before-status"), None, Some("after-status-acked"), None] {
        if let Some(place) = drop {
            shop.turn(&format!("drop {place} once")).await;
        }
        assert!(shop.pay(500).await.1.is_some());
    }
    assert_eq!(shop.paid.len(), 5);
    shop.compare();
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_never_shown() {
    let mut shop = Shop::open().await;
    shop.settings.password = "999999".parse().unwrap();
    assert!(!format!("{:?}", shop.settings).contains("999"));
    let down = backroom_devices::link::terminal::TerminalLink::connect(&shop.settings)
        .await
        .unwrap_err();
    assert!(!down.why.contains("999"), "{down}");
}
