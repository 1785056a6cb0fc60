//! What arrives: batches in any order and number, forged ones, unreadable entries, second chains.

use data_encoding::BASE64;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use backroom_core::facts::CashMove;
use backroom_core::journal::{Epoch, Seq};

use crate::engine::{Engine, on_both_engines};
use crate::eventually;
use crate::head_office::HeadOffice;
use crate::store::{Journal, Store};

on_both_engines! {
    a_batch_is_stored_confirmed_and_exported_as_it_was_written,
    the_same_batches_again_change_nothing,
    a_gap_is_kept_back_and_asked_for,
    a_forged_batch_is_dropped_and_the_next_right_one_taken,
    an_unreadable_entry_stops_only_what_depends_on_it,
    a_second_chain_is_kept_beside_the_first_and_flagged,
    a_box_that_was_set_back_goes_on_in_a_new_epoch,
}

async fn office_with_store(engine: Engine) -> (HeadOffice, Store, Journal) {
    let office = HeadOffice::open(engine).await;
    let join = office.add_store("nord", "harbour").await;
    let store = Store::join(&join, office.broker_url()).await;
    let mut journal = Journal::new(store.address);
    journal.open();
    (office, store, journal)
}

fn entries(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter(|line| line.get("seq").is_some()).collect()
}

/// Byte for byte what the store wrote.
pub fn assert_exported(lines: &[Value], journals: &[&Journal]) {
    let exported: Vec<(u64, u64, String, String)> = entries(lines)
        .into_iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            (
                line["epoch"].as_u64().unwrap(),
                line["seq"].as_u64().unwrap(),
                text("hash"),
                text("bytes"),
            )
        })
        .collect();
    let written: Vec<(u64, u64, String, String)> = journals
        .iter()
        .flat_map(|journal| &journal.entries)
        .map(|entry| {
            let (epoch, seq) = entry.position();
            (u64::from(epoch.0), seq.0, entry.hash.to_string(), BASE64.encode(&entry.bytes))
        })
        .collect();
    assert_eq!(exported, written);
}

async fn a_batch_is_stored_confirmed_and_exported_as_it_was_written(engine: Engine) {
    let (mut office, mut store, mut journal) = office_with_store(engine).await;
    journal.sell_many(3);
    journal.take_back();
    journal.cancel();
    journal.move_cash(CashMove::PaidIn, 500);
    journal.move_cash(CashMove::PaidOut, 200);
    journal.move_cash(CashMove::Drop, 3000);
    journal.close_shift(9300);
    assert!(store.send(&journal, 1, journal.head().seq.0).await);
    store.waits_until_held(&journal).await;

    let mark = store.heard().watermarks.pop().unwrap();
    let head = journal.head();
    assert_eq!((mark.held, mark.applied, mark.hash), (head.seq, head.seq, head.hash));
    let lines = office.export("nord").await;
    assert_exported(&lines, &[&journal]);
    let first = &lines[0];
    assert_eq!(
        (&first["kind"], &first["body"]["fact"]),
        (&json!("epoch_opened"), &json!("epoch_opened"))
    );
    assert_eq!((&first["store"], &first["business_day"]), (&json!("harbour"), &json!("2026-11-21")));

    let stock = office.projection("nord", "stock").await;
    assert_eq!(stock["harbour/MUG"], json!({ "on_hand": 98_000 }));
    let sales = office.projection("nord", "sales").await;
    assert_eq!(sales.len(), 4);
    assert_eq!(sales["harbour/r1/1/4"]["end"], "return");
    let due =
        json!({ "end": "sale", "business_day": "2026-11-21", "net": 840, "tax": 160, "cash_rounding": 0, "due": 1000, "currency": "EUR" });
    assert_eq!(sales["harbour/r1/1/1"], due);
    let tills = office.projection("nord", "tills").await;
    let sums = json!({
        "float": 10_000, "cash_taken": 6000, "change": 3000, "cash_refunds": 1000, "paid_in": 500, "paid_out": 200, "drops": 3000,
        "expected": 9300, "counted": 9300, "open": false,
    });
    assert_eq!(tills.values().next(), Some(&sums));
    let watermark = office.projection("nord", "watermark").await;
    assert_eq!(
        watermark["harbour/1"],
        json!({ "held": 12, "applied": 12, "hash": head.hash.to_string() })
    );
    assert_eq!(
        office.must(&["prove"]).await,
        "nord: right; 12 entries of 1 stores, 0 cases in quarantine\n"
    );
    office.stop().await;
    assert_exported(&office.export("nord").await, &[&journal]);
}

async fn the_same_batches_again_change_nothing(engine: Engine) {
    let (office, mut store, mut journal) = office_with_store(engine).await;
    journal.sell_many(7);
    for (first, last) in [(1, 4), (1, 10), (3, 8), (5, 10), (1, 10)] {
        assert!(store.send(&journal, first, last).await);
    }
    eventually("each batch was answered", async || {
        store.heard().watermarks.iter().filter(|mark| mark.held == Seq(10)).count() >= 4
    })
    .await;
    let lines = office.export("nord").await;
    assert_exported(&lines, &[&journal]);
    assert_eq!(
        office.projection("nord", "stock").await["harbour/MUG"],
        json!({ "on_hand": 93_000 })
    );
    office.must(&["prove"]).await;
}

async fn a_gap_is_kept_back_and_asked_for(engine: Engine) {
    let (office, mut store, mut journal) = office_with_store(engine).await;
    journal.sell_many(17);
    assert!(store.send(&journal, 11, 20).await);
    eventually("head office asks for what is missing", async || {
        store
            .heard()
            .resends
            .iter()
            .any(|resend| (resend.epoch, resend.first, resend.last) == (Epoch(1), Seq(1), Seq(10)))
    })
    .await;
    assert!(
        entries(&office.export("nord").await).is_empty(),
        "what comes after a gap is not held"
    );
    assert!(store.send(&journal, 6, 10).await);
    eventually("it asks for less", async || {
        store.heard().resends.iter().any(|resend| resend.last == Seq(5))
    })
    .await;
    assert_eq!(store.held(Epoch(1)), 0);
    assert!(store.send(&journal, 1, 5).await);
    store.waits_until_held(&journal).await;
    assert_exported(&office.export("nord").await, &[&journal]);
    office.must(&["prove"]).await;
}

async fn a_forged_batch_is_dropped_and_the_next_right_one_taken(engine: Engine) {
    let (office, mut store, mut journal) = office_with_store(engine).await;
    office.add_store("nord", "station").await;
    journal.sell_many(2);
    let stranger = SigningKey::from_bytes(&[3; 32]);
    let forged = store.batch(&journal, 1, 5, &stranger);
    assert!(store.send_bytes(forged).await);
    let mut of_another = Journal::new(backroom_core::directive::Address {
        store: "station".parse().unwrap(),
        ..store.address
    });
    of_another.open();
    assert!(store.send(&of_another, 1, 3).await, "the broker cannot see into a batch");
    assert!(store.send_bytes(b"no batch at all".to_vec()).await);
    assert!(store.send(&journal, 1, 3).await);
    eventually("the right one is held", async || store.held(Epoch(1)) == 3).await;

    let lines = office.export("nord").await;
    assert_eq!(entries(&lines).len(), 3, "{lines:?}");
    assert!(entries(&lines).iter().all(|line| line["store"] == "harbour"));
    let log = office.log();
    assert!(log.contains("the signature of this batch does not belong to its sender"), "{log}");
    assert!(log.contains("came from"), "{log}");
}

async fn an_unreadable_entry_stops_only_what_depends_on_it(engine: Engine) {
    let (mut office, mut store, mut journal) = office_with_store(engine).await;
    let token = office.sign_in("nord").await;
    journal.sell();
    journal.write_raw(7, b"\xff\xff no cash move");
    journal.write_raw(4711, b"of a newer version");
    journal.sell_many(2);
    assert!(store.send(&journal, 1, 8).await);
    store.waits_until_held(&journal).await;

    let mark = store.heard().watermarks.pop().unwrap();
    assert_eq!((mark.held, mark.applied), (Seq(8), Seq(4)));
    assert_eq!(office.projection("nord", "sales").await.len(), 3, "sales do not need cash moves");
    assert_eq!(office.projection("nord", "stock").await["harbour/MUG"]["on_hand"], 97_000);
    assert_eq!(
        office.projection("nord", "tills").await.values().next().unwrap()["cash_taken"],
        2000
    );
    let lines = office.export("nord").await;
    assert_exported(&lines, &[&journal]);
    assert_eq!((&lines[4]["kind"], &lines[4]["body"]), (&json!("cash_moved"), &Value::Null));
    assert_eq!((&lines[5]["kind"], &lines[5]["body"]), (&json!("kind_4711"), &Value::Null));

    let cases = office.ask("GET", "/api/v1/quarantine", Some(&token), None).await.body;
    assert_eq!(cases["cases"].as_array().unwrap().len(), 1, "{cases}");
    assert_eq!(
        (&cases["cases"][0]["seq"], &cases["cases"][0]["reason"]),
        (&json!(5), &json!("unreadable"))
    );
    assert_eq!(office.standing(&token, "harbour").await["quarantine"], 1);
    assert!(office.log().contains("alarm: an entry cannot be read"));
    assert_eq!(
        office.must(&["prove"]).await,
        "nord: right; 8 entries of 1 stores, 1 cases in quarantine\n"
    );

    // Another start and another batch neither heal nor spread it.
    office.stop().await;
    office.start().await;
    journal.sell();
    store.sync(&journal).await;
    assert_eq!(office.projection("nord", "sales").await.len(), 4);
    assert_eq!(office.projection("nord", "watermark").await["harbour/1"]["applied"], 4);
    assert_eq!(
        office.must(&["prove"]).await,
        "nord: right; 9 entries of 1 stores, 1 cases in quarantine\n"
    );
}

async fn a_second_chain_is_kept_beside_the_first_and_flagged(engine: Engine) {
    let (office, mut store, mut journal) = office_with_store(engine).await;
    let token = office.sign_in("nord").await;
    journal.sell_many(2);
    let mut copied_disk = journal.clone();
    journal.sell_many(2);
    copied_disk.move_cash(CashMove::PaidIn, 700);
    assert!(store.send(&journal, 1, 7).await);
    store.waits_until_held(&journal).await;
    store.forget();
    assert!(store.send(&copied_disk, 6, 6).await);
    eventually("it is flagged", async || {
        office.standing(&token, "harbour").await["quarantine"] == 1
    })
    .await;

    eventually("the batch was answered", async || store.held(Epoch(1)) == 7).await;
    assert!(
        store.heard().watermarks.iter().all(|mark| mark.hash == journal.head().hash),
        "the first chain is what is held"
    );
    let lines = office.export("nord").await;
    assert_eq!(entries(&lines).len(), 8, "both are exported");
    assert!(lines.iter().any(|line| line["hash"] == copied_disk.head().hash.to_string()));
    let tills = office.projection("nord", "tills").await;
    assert_eq!(tills.values().next().unwrap()["paid_in"], 700, "the money of both is counted");
    assert!(office.log().contains("alarm: two chains of one journal"));
    assert_eq!(
        office.must(&["prove"]).await,
        "nord: right; 8 entries of 1 stores, 1 cases in quarantine\n"
    );
    // The box that wrote the second chain is told that it arrived, in answer to its own announcement only.
    let marks = store.hello(&[&copied_disk], 0).await;
    assert!(marks.iter().any(|mark| mark.hash == copied_disk.head().hash), "{marks:?}");
}

async fn a_box_that_was_set_back_goes_on_in_a_new_epoch(engine: Engine) {
    let (office, mut store, mut journal) = office_with_store(engine).await;
    journal.sell_many(5);
    store.sync(&journal).await;
    let marks = store
        .hello(
            &[&Journal {
                entries: journal.entries[..6].to_vec(),
                ..journal.clone()
            }],
            0,
        )
        .await;
    assert!(
        marks.iter().any(|mark| mark.held == Seq(8)),
        "the box hears that more is held than it has: {marks:?}"
    );
    let mut next = journal.next_epoch(6);
    next.sell_many(2);
    assert!(store.send(&next, 1, 3).await);
    store.waits_until_held(&next).await;
    let marks = store.hello(&[&journal, &next], 0).await;
    assert_eq!(
        marks.iter().map(|mark| (mark.epoch.0, mark.held.0)).collect::<Vec<_>>(),
        [(2, 3), (1, 8)],
        "newest first"
    );
    assert_exported(&office.export("nord").await, &[&journal, &next]);
    office.must(&["prove"]).await;
}
