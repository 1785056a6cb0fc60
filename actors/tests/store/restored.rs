//! A box that was put back from a backup: what was in the hands of a machine is not done again, numbers are not used again, and everyone
//! signs in anew.

use backroom_actors::device::{DeviceConfig, DeviceKind};
use backroom_actors::file;
use backroom_actors::register::Action;
use backroom_actors::restored::Mark;
use backroom_actors::staff::PassError;
use backroom_core::facts::{CardEnd, EffectEnd, EpochEnd, EpochReason, Fact};
use backroom_core::journal::{Epoch, Seq};
use backroom_core::money::Money;
use backroom_core::time::Instant;
use backroom_protocol::payload;
use tempfile::TempDir;

use crate::shop::{PIN, Shop, id, ticket, version};

/// Machines which nobody has switched on: what they are asked for stays wanted.
fn away() -> Vec<DeviceConfig> {
    let device = |name: &str, kind| DeviceConfig {
        name: name.parse().unwrap(),
        kind,
        register: Some("r1".parse().unwrap()),
        address: "127.0.0.1:1".into(),
        password: None,
    };
    vec![
        device("r1-printer", DeviceKind::Printer),
        device("r1-terminal", DeviceKind::Terminal),
    ]
}

/// The folder of a box that goes on, as a backup finds it, with the mark of a restore so many minutes later.
async fn put_back(shop: &Shop, minutes: i64) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for name in ["people.db", "tags.db", "journal.db"] {
        file::copy(&shop.home.path().join(name), &home.path().join(name)).await.unwrap();
    }
    std::fs::create_dir(home.path().join("catalogs")).unwrap();
    for catalog in std::fs::read_dir(shop.home.path().join("catalogs")).unwrap() {
        let catalog = catalog.unwrap();
        std::fs::copy(catalog.path(), home.path().join("catalogs").join(catalog.file_name())).unwrap();
    }
    let head = shop.store.head();
    let mark = Mark {
        end: EpochEnd {
            epoch: head.epoch,
            seq: head.seq,
            hash: head.hash,
        },
        made_at: Instant::from_micros(1_700_000_000_000_000).unwrap(),
        restored_at: Instant::from_micros(1_700_000_000_000_000 + minutes * 60_000_000).unwrap(),
        at_least: Epoch(0),
    };
    write(&home, &mark);
    home
}

fn write(home: &TempDir, mark: &Mark) {
    std::fs::write(home.path().join("restored.json"), serde_json::to_vec(mark).unwrap()).unwrap();
}

/// What epoch 2 holds.
async fn second_epoch(shop: &Shop) -> Vec<Fact> {
    let entries = shop.store.shop().reader.range(Epoch(2), Seq(1), 1_000).await.unwrap();
    entries.iter().map(|entry| payload::fact(entry).unwrap().unwrap()).collect()
}

#[tokio::test]
async fn what_was_in_the_hands_of_a_machine_is_not_asked_for_again() {
    let shop = Shop::open_with(&["r1"], away()).await;
    shop.sell("r1").await;
    let open = ticket();
    let seen = version(&shop.scan("r1", open, 0, "TEE").await);
    let card = Action::Card {
        ticket: open,
        expected: seen,
        amount: Money(1990),
        settle: true,
    };
    shop.say("r1", id(), "card", card).await.unwrap();

    let restored = Shop::of(put_back(&shop, 0).await, away()).await;
    let facts = second_epoch(&restored).await;
    let Fact::EpochOpened(opened) = &facts[0] else {
        panic!("{facts:?}")
    };
    assert_eq!((opened.reason, opened.series), (EpochReason::Restored, 2));
    let effects = facts
        .iter()
        .filter(|fact| matches!(fact, Fact::EffectEnded(ended) if ended.end == EffectEnd::Unknown));
    assert_eq!(effects.count(), 2, "the receipt and the drawer: {facts:?}");
    let cards = facts
        .iter()
        .filter(|fact| matches!(fact, Fact::CardEnded(ended) if ended.end == CardEnd::NotPaid));
    assert_eq!(cards.count(), 1, "{facts:?}");
    assert!(restored.store.shop().reader.wanted_jobs().await.unwrap().is_empty());
    restored.prove().await;
    shop.store.stop(std::time::Duration::from_secs(5)).await;
}

#[tokio::test]
async fn whoever_was_signed_in_signs_in_again_and_devices_stay_registers() {
    let shop = Shop::open(&["r1"]).await;
    let pass = shop.store.sign_in(shop.sign_in("r1", PIN)).await.unwrap();
    let restored = Shop::of(put_back(&shop, 0).await, Vec::new()).await;
    let passes = restored.store.shop().passes.borrow().clone();
    assert_eq!(passes.session(&pass.token), Err(PassError::NotSignedIn));
    assert!(passes.seats().any(|seat| seat == pass.seat));
    let again = restored.store.sign_in(restored.sign_in("r1", PIN)).await.unwrap();
    assert_eq!(again.session, pass.session + 1);
    let restored = restored.reopen().await;
    let passes = restored.store.shop().passes.borrow().clone();
    assert_eq!(
        passes.session(&again.token).unwrap().number,
        again.session,
        "a later start ends no session"
    );
}

#[tokio::test]
async fn the_same_backup_put_back_twice_gives_no_receipt_number_twice() {
    let shop = Shop::open(&["r1"]).await;
    assert_eq!(shop.sell("r1").await, "r1/1/1");
    let (first, second) = (put_back(&shop, 3).await, put_back(&shop, 60 * 24).await);
    assert_eq!(shop.sell("r1").await, "r1/1/2");
    let first = Shop::of(first, Vec::new()).await;
    assert_eq!(first.sell("r1").await, "r1/5/1");
    let second = Shop::of(second, Vec::new()).await;
    assert_eq!(second.sell("r1").await, "r1/1442/1");
}

#[tokio::test]
async fn a_beginning_that_was_cut_off_is_done_once() {
    let shop = Shop::open_with(&["r1"], away()).await;
    shop.sell("r1").await;
    let home = put_back(&shop, 0).await;
    let mark: Mark = serde_json::from_slice(&std::fs::read(home.path().join("restored.json")).unwrap()).unwrap();
    let restored = Shop::of(home, away()).await;
    let done = second_epoch(&restored).await.len();
    assert!(!restored.home.path().join("restored.json").exists());
    // The fall came after everything but the last step.
    write(&restored.home, &mark);
    let restored = restored.reopen().await;
    assert_eq!(second_epoch(&restored).await.len(), done);
    assert_eq!(restored.store.head().epoch, Epoch(2));
    assert!(!restored.home.path().join("restored.json").exists());
}

#[tokio::test]
async fn a_person_who_knows_of_newer_lives_says_which_epoch_to_begin() {
    let shop = Shop::open(&["r1"]).await;
    let home = put_back(&shop, 0).await;
    let mut mark: Mark = serde_json::from_slice(&std::fs::read(home.path().join("restored.json")).unwrap()).unwrap();
    mark.at_least = Epoch(7);
    write(&home, &mark);
    let restored = Shop::of(home, Vec::new()).await;
    assert_eq!(restored.store.head().epoch, Epoch(7));
    assert_eq!(restored.sell("r1").await, "r1/7/1");
}
