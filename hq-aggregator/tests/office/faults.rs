//! What breaks: head office killed, its broker killed, the stream deleted, its folder wiped or set back.

use std::sync::Arc;

use async_nats::jetstream;

use backroom_core::journal::Epoch;
use backroom_protocol::subjects;
use hq_aggregator::broker::accounts::{Directory, Terms};
use hq_aggregator::broker::keys::Keys;

use crate::engine::{Alter, Engine, copy, on_both_engines};
use crate::eventually;
use crate::head_office::HeadOffice;
use crate::ingest::assert_exported;
use crate::store::{Journal, Store};

on_both_engines! {
    nothing_that_was_confirmed_is_lost_when_head_office_is_killed_again_and_again,
    a_killed_broker_and_its_wiped_folder_heal_without_a_person,
    a_deleted_stream_or_consumer_is_made_again,
    a_stream_that_was_set_back_loses_nothing_and_doubles_nothing,
    a_head_office_restored_from_a_backup_gets_the_rest_again,
    while_the_database_takes_nothing_nothing_is_confirmed_and_then_all_is,
    a_changed_figure_or_byte_is_found_and_named,
}

async fn office_with_store(engine: Engine) -> (HeadOffice, Store, Journal) {
    let office = HeadOffice::open(engine).await;
    let join = office.add_store("nord", "harbour").await;
    let store = Store::join(&join, office.broker_url()).await;
    let mut journal = Journal::new(store.address);
    journal.open();
    (office, store, journal)
}

async fn assert_whole(office: &HeadOffice, journal: &Journal) {
    assert_exported(&office.export("nord").await, &[journal]);
    let proof = office.must(&["prove"]).await;
    assert!(
        proof.starts_with(&format!("nord: right; {} entries", journal.entries.len())),
        "{proof}"
    );
}

async fn nothing_that_was_confirmed_is_lost_when_head_office_is_killed_again_and_again(engine: Engine) {
    let (mut office, mut store, mut journal) = office_with_store(engine).await;
    let url = office.broker_url().to_owned();
    store.sync(&journal).await;
    let before = store.hello(&[&journal], 0).await[0];
    for round in 0..4 {
        let from = journal.head().seq.0 + 1;
        journal.sell_many(200);
        for first in (from..=journal.head().seq.0).step_by(10) {
            store.send(&journal, first, first + 9).await;
        }
        // Killed while it works on them: some are held, most are not.
        eventually("some are held", async || store.held(Epoch(1)) >= from + round * 20).await;
        office.kill().await;
        let confirmed = store.held(Epoch(1));
        let held = office.projection("nord", "watermark").await["harbour/1"]["held"].as_u64().unwrap();
        assert!(held >= confirmed, "{confirmed} were confirmed, {held} are there");
        office.start().await;
        assert_eq!(office.broker_url(), url, "stores have written the address down");
    }
    store.sync(&journal).await;
    let after = store.hello(&[&journal], 0).await[0];
    assert_ne!(
        before.incarnation, after.incarnation,
        "a store must be able to tell that head office began anew"
    );
    assert_whole(&office, &journal).await;
}

async fn a_killed_broker_and_its_wiped_folder_heal_without_a_person(engine: Engine) {
    let (office, mut store, mut journal) = office_with_store(engine).await;
    journal.sell_many(20);
    assert!(store.send(&journal, 1, 10).await);
    eventually("the first are held", async || store.held(Epoch(1)) == 10).await;
    std::fs::remove_dir_all(office.data().join("broker/jetstream")).unwrap();
    office.kill_broker();
    journal.sell_many(5);
    store.sync(&journal).await;
    assert_whole(&office, &journal).await;
    store.forget();
    eventually("the watermark is said again by itself", async || {
        store.held(Epoch(1)) == journal.head().seq.0
    })
    .await;
}

async fn a_deleted_stream_or_consumer_is_made_again(engine: Engine) {
    let (office, mut store, mut journal) = office_with_store(engine).await;
    store.sync(&journal).await;
    // A second login of head office, as an operator with a heavy hand has one.
    let keys = Arc::new(Keys::load_or_create(&office.data().join("broker")).unwrap());
    let directory = Directory::connect(office.broker_url(), keys, None).await.unwrap();
    let terms = Terms {
        quota_bytes: 64 << 20,
        keep_days: 14,
        revoked: Default::default(),
    };
    let client = directory.ensure_tenant("nord".parse().unwrap(), &terms).await.unwrap();
    let operator = jetstream::new(client);
    let stream = operator.get_stream(subjects::UP_STREAM).await.unwrap();
    stream.delete_consumer(subjects::UP_CONSUMER).await.unwrap();
    journal.sell_many(10);
    store.sync(&journal).await;
    operator.delete_stream(subjects::UP_STREAM).await.unwrap();
    journal.sell_many(10);
    store.sync(&journal).await;
    assert_whole(&office, &journal).await;
}

async fn a_stream_that_was_set_back_loses_nothing_and_doubles_nothing(engine: Engine) {
    let (mut office, mut store, mut journal) = office_with_store(engine).await;
    let jetstream = office.data().join("broker/jetstream");
    let earlier = office.home().join("jetstream-earlier");
    journal.sell_many(20);
    store.sync(&journal).await;
    office.stop().await;
    copy(&jetstream, &earlier);
    office.start().await;
    journal.sell_many(20);
    store.sync(&journal).await;
    office.stop().await;
    std::fs::remove_dir_all(&jetstream).unwrap();
    copy(&earlier, &jetstream);
    office.start().await;
    journal.sell_many(20);
    store.sync(&journal).await;
    assert_whole(&office, &journal).await;
}

async fn a_head_office_restored_from_a_backup_gets_the_rest_again(engine: Engine) {
    let (mut office, mut store, mut journal) = office_with_store(engine).await;
    journal.sell_many(10);
    store.sync(&journal).await;
    office.stop().await;
    let backup = office.home().join("backup");
    office.books_mut().keep(&backup);
    office.start().await;
    journal.sell_many(10);
    store.sync(&journal).await;
    let before = store.hello(&[&journal], 0).await[0];
    office.stop().await;
    office.books_mut().restore(&backup);
    office.start().await;
    store.sync(&journal).await;
    assert_ne!(store.hello(&[&journal], 0).await[0].incarnation, before.incarnation);
    assert_whole(&office, &journal).await;
}

async fn while_the_database_takes_nothing_nothing_is_confirmed_and_then_all_is(engine: Engine) {
    let (office, mut store, mut journal) = office_with_store(engine).await;
    store.sync(&journal).await;
    journal.sell_many(5);
    let full = Alter {
        sqlite: "create trigger refusing before insert on entry begin select raise(abort, 'the disk is full'); end",
        postgres: "create function refuse() returns trigger language plpgsql as $$ begin raise 'the disk is full'; end $$; \
                   create trigger refusing before insert on entry for each row execute function refuse()",
    };
    office.books().alter("nord", full).await;
    store.forget();
    assert!(store.send(&journal, 4, 8).await, "the broker takes it all the same");
    eventually("the fault is in the log", async || office.log().contains("the disk is full")).await;
    let marks = store.hello(&[&journal], 0).await;
    assert!(marks.iter().all(|mark| mark.held.0 == 3), "{marks:?}");
    assert!(store.held(Epoch(1)) <= 3);
    let room_again = Alter {
        sqlite: "drop trigger refusing",
        postgres: "drop trigger refusing on entry",
    };
    office.books().alter("nord", room_again).await;
    store.waits_until_held(&journal).await; // Without being sent again.
    assert_whole(&office, &journal).await;
}

async fn a_changed_figure_or_byte_is_found_and_named(engine: Engine) {
    let (mut office, mut store, mut journal) = office_with_store(engine).await;
    journal.sell_many(3);
    store.sync(&journal).await;
    office.stop().await;
    office.books().alter("nord", "update stock set on_hand = on_hand + 1000").await;
    let output = office.command(&["prove"]).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        said,
        "nord: WRONG; store harbour, stock of \"MUG\": the journal says 97000, the figures say 98000\n"
    );
    office.books().alter("nord", "update stock set on_hand = on_hand - 1000").await;
    office.must(&["prove"]).await;
    let one_byte = Alter {
        sqlite: "update entry set bytes = cast(substr(bytes, 1, 100) || x'ff' || substr(bytes, 102) as blob) where seq = 5",
        postgres: "update entry set bytes = set_byte(bytes, 100, 255) where seq = 5",
    };
    office.books().alter("nord", one_byte).await;
    let output = office.command(&["prove", "--tenant", "nord"]).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.starts_with("nord: WRONG; store harbour entry 1:5: its bytes do not hash"),
        "{said}"
    );
}
