//! One fault at a time.

use std::time::Duration;

use backroom_devices::link::Cause;
use backroom_devices::link::terminal::{Outcome, Patience, Progress, TerminalLink};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::shop::Shop;

const SHORT: Patience = Patience {
    acknowledge: Duration::from_millis(150),
    progress: Duration::from_millis(150),
};

fn is_unknown(outcome: &Outcome, cause: Cause) -> bool {
    matches!(outcome, Outcome::Unknown { cause: got, .. } if *got == cause)
}

#[tokio::test]
async fn wherever_the_connection_is_cut_asking_tells_what_became_of_the_payment() {
    let mut shop = Shop::open().await;
    let places = [
        "before-ack",
        "after-ack",
        "before-status",
        "after-status-unacked",
        "after-status-acked",
        "before-completion",
    ];
    for place in places {
        // Each amount was paid before, so an older payment lies in wait to be taken for the new one.
        for knobs in [&[][..], &["split on"], &["status-twice on"]] {
            shop.turn("calm").await;
            shop.turn(&format!("drop {place} once")).await;
            for knob in knobs {
                shop.turn(knob).await;
            }
            let (outcome, approval) = shop.pay(500).await;
            assert!(is_unknown(&outcome, Cause::Link), "{place}: {outcome:?}");
            assert_eq!(approval.unwrap().amount_minor, 500, "{place}");

            shop.turn(&format!("drop {place} once")).await;
            shop.turn("next decline 78").await;
            let (outcome, approval) = shop.pay(500).await;
            assert!(is_unknown(&outcome, Cause::Link), "{place}: {outcome:?}");
            assert_eq!(approval, None, "{place}");
        }
    }
    assert_eq!(shop.paid.len(), 18);
    shop.compare();
}

#[tokio::test]
async fn a_command_that_got_lost_is_not_mistaken_for_an_older_payment_of_the_same_amount() {
    let mut shop = Shop::open().await;
    for _ in 0..3 {
        assert!(matches!(shop.pay(500).await.0, Outcome::Approved(_)));
        shop.turn("drop on-command once").await;
        let (outcome, approval) = shop.pay(500).await;
        assert!(is_unknown(&outcome, Cause::Link), "{outcome:?}");
        assert_eq!(approval, None);
    }
    assert_eq!(shop.paid.len(), 3);
    shop.compare();
}

#[tokio::test]
async fn a_terminal_that_aborts_with_any_code_took_no_money() {
    let mut shop = Shop::open().await;
    for code in 1..=0xff {
        shop.turn(&format!("next abort {code:02x}")).await;
        let outcome = shop.authorize(500).await;
        let Outcome::Declined { code: got, why } = outcome else {
            panic!("{outcome:?}")
        };
        assert!(got == code && !why.is_empty());
    }
    shop.compare();
}

#[tokio::test]
async fn a_late_answer_belongs_to_no_later_question() {
    let mut shop = Shop::open().await;
    let patient = shop.settings.patience;
    shop.settings.patience = SHORT;
    shop.turn("hold after").await;
    let open = shop.begin(500).await;
    let outcome = shop.authorize(500).await;
    assert!(is_unknown(&outcome, Cause::Device), "{outcome:?}");
    // While the terminal is at it, it can neither be asked nor paid at.
    let down = TerminalLink::connect(&shop.settings).await.unwrap_err();
    assert!(down.why.contains("busy"), "{down}");
    shop.settings.patience = patient;
    shop.turn("hold off").await;
    assert!(shop.find_out(&open, &outcome).await.is_some());

    shop.turn("late 400").await;
    shop.link = None;
    shop.settings.patience = SHORT;
    let open = shop.begin(500).await;
    let outcome = shop.authorize(500).await;
    assert!(is_unknown(&outcome, Cause::Device), "{outcome:?}");
    assert!(shop.find_out(&open, &outcome).await.is_some());
    assert_eq!(shop.paid.len(), 2);
    shop.compare();
}

#[tokio::test]
async fn a_result_told_twice_is_one_payment() {
    let mut shop = Shop::open().await;
    shop.turn("status-twice on").await;
    assert!(matches!(shop.pay(500).await.0, Outcome::Approved(_)));
    shop.turn("next decline 78").await;
    assert!(matches!(shop.pay(500).await.0, Outcome::Declined { code: 0x78, .. }));
    shop.compare();
}

#[tokio::test]
async fn a_flood_of_reports_and_bytes_one_by_one_are_a_payment_like_any_other() {
    let mut shop = Shop::open().await;
    shop.turn("flood 3000").await;
    let open = shop.begin(500).await;
    let (progress, mut words) = mpsc::channel(4);
    let outcome = shop.connect().await.authorize(500, progress, CancellationToken::new()).await;
    assert!(matches!(outcome, Outcome::Approved(_)), "{outcome:?}");
    shop.find_out(&open, &outcome).await;
    assert_eq!(words.recv().await, Some(Progress::Words("insert or hold the card".to_owned())));
    shop.turn("calm").await;
    shop.turn("split on").await;
    assert!(matches!(shop.pay(700).await.0, Outcome::Approved(_)));
    shop.compare();
}

#[tokio::test]
async fn a_payment_that_never_ends_is_given_up_as_unknown_however_busily_the_terminal_reports() {
    let mut shop = Shop::open().await;
    shop.settings.longest = Duration::from_millis(50);
    shop.turn("hold on").await;
    shop.turn("flood 200").await;
    let open = shop.begin(500).await;
    let outcome = shop.authorize(500).await;
    assert!(is_unknown(&outcome, Cause::Device), "{outcome:?}");
    shop.turn("hold off").await;
    assert!(shop.find_out(&open, &outcome).await.is_some());
    shop.compare();
}

#[tokio::test]
async fn a_mute_terminal_leaves_it_unknown_and_asking_clears_it() {
    let mut shop = Shop::open().await;
    shop.settings.patience = SHORT;
    let open = shop.begin(500).await;
    shop.turn("mute on").await;
    let outcome = shop.authorize(500).await;
    assert!(is_unknown(&outcome, Cause::Device), "{outcome:?}");
    let down = TerminalLink::connect(&shop.settings).await.unwrap_err();
    assert!(down.why.contains("acknowledge"), "{down}");
    shop.turn("mute off").await;
    assert_eq!(shop.find_out(&open, &outcome).await, None);
    shop.compare();
}

#[tokio::test]
async fn a_busy_or_refusing_terminal_was_asked_for_nothing() {
    let mut shop = Shop::open().await;
    shop.connect().await;
    shop.turn("busy on").await;
    assert!(matches!(shop.authorize(500).await, Outcome::NotSent { .. }));
    shop.turn("busy off").await;
    assert!(matches!(shop.pay(500).await.0, Outcome::Approved(_)));
    shop.turn("refuse on").await;
    shop.link = None;
    TerminalLink::connect(&shop.settings).await.unwrap_err();
    shop.turn("refuse off").await;
    assert!(matches!(shop.pay(500).await.0, Outcome::Approved(_)));
    shop.compare();
}

#[tokio::test]
async fn a_terminal_that_dies_before_the_money_moved_forgets_the_payment_and_after_it_remembers() {
    let mut shop = Shop::open().await;
    shop.pay(500).await;
    for (hold, paid) in [("hold on", false), ("hold after", true)] {
        shop.turn(hold).await;
        let open = shop.begin(500).await;
        let before = shop.ledger().len();
        let mut link = shop.link.take().unwrap();
        let asking = tokio::spawn(async move {
            let (progress, _words) = mpsc::channel(8);
            link.authorize(500, progress, CancellationToken::new()).await
        });
        if paid {
            shop.until(|state| state["trace"] != 1).await;
        } else {
            shop.until(|state| state["paying"] == true).await;
        }
        shop.restart_terminal().await;
        let outcome = asking.await.unwrap();
        assert!(is_unknown(&outcome, Cause::Link), "{outcome:?}");
        let approval = shop.find_out(&open, &outcome).await;
        assert_eq!(approval.is_some(), paid, "{approval:?}");
        assert_eq!(shop.ledger().len() - before, if paid { 2 } else { 0 });
    }
    shop.compare();
}

#[tokio::test]
async fn a_box_that_dies_in_the_middle_finds_out_after_its_restart() {
    let mut shop = Shop::open().await;
    for hold in ["hold on", "hold after"] {
        shop.turn(hold).await;
        let open = shop.begin(500).await;
        let mut link = shop.link.take().unwrap();
        let asking = tokio::spawn(async move {
            let (progress, _words) = mpsc::channel(8);
            link.authorize(500, progress, CancellationToken::new()).await
        });
        shop.until(|state| state["paying"] == true).await;
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
        shop.turn("hold off").await;
        // The customer was faster than the box: the payment went on without it.
        let lost = Outcome::Unknown {
            cause: Cause::Link,
            why: String::new(),
        };
        assert!(shop.find_out(&open, &lost).await.is_some(), "{hold}");
    }
    shop.compare();
}
