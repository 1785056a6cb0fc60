//! Who may say and hear what, and how much is kept for whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_nats::Event;
use async_nats::connection::State;
use async_nats::jetstream;
use futures_util::StreamExt;
use tokio::time::timeout;

use backroom_protocol::subjects::{self, Down};
use hq_aggregator::broker::BrokerError;
use hq_aggregator::broker::accounts::{Directory, Terms};
use hq_aggregator::broker::keys::Keys;

use crate::office::{DEADLINE, Office, messages_kept, tenant, terms, unix_now};

#[tokio::test(flavor = "multi_thread")]
async fn a_store_publishes_its_journal_and_gets_the_acknowledgement() {
    let office = Office::open().await;
    let hq = office.ensure("nord", &terms()).await;
    let store = office.store("nord", "harbour").await;

    let first = store.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();
    assert_eq!((first.sequence, first.duplicate), (1, false));
    let again = store.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();
    assert_eq!(
        (again.sequence, again.duplicate),
        (1, true),
        "the same batch must not be kept twice"
    );
    let asked_for = store.send_batch("nord", "harbour", "harbour:1:1-20:1").await.unwrap();
    assert!(!asked_for.duplicate, "a resend which head office asked for must pass");
    assert_eq!(messages_kept(&hq).await, 2);
}

/// Returns when the broker has heard everything this client wants to listen to: it hears itself, on the same connection. A flush only says
/// that the words have left.
async fn listens(client: &async_nats::Client) {
    let inbox = client.new_inbox();
    let mut own = client.subscribe(inbox.clone()).await.unwrap();
    client.publish(inbox, "is somebody there?".into()).await.unwrap();
    timeout(DEADLINE, own.next()).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_announces_itself_and_hears_only_what_is_meant_for_it() {
    let office = Office::open().await;
    let hq = office.ensure("nord", &terms()).await;
    let harbour = office.store("nord", "harbour").await;
    let station = office.store("nord", "station").await;
    let mut at_harbour = harbour.client.subscribe(subjects::down_all("nord", "harbour")).await.unwrap();
    let mut at_station = station.client.subscribe(subjects::down_all("nord", "station")).await.unwrap();
    let mut hellos = hq.subscribe(subjects::up_hellos("nord")).await.unwrap();
    listens(&hq).await;

    // Each answer also shows that the broker knows what its store listens to.
    for (store, client) in [("harbour", &harbour.client), ("station", &station.client)] {
        let asking = tokio::spawn({
            let (client, subject) = (client.clone(), subjects::up_hello("nord", store));
            async move { client.request(subject, "here I am".into()).await }
        });
        let hello = timeout(DEADLINE, hellos.next()).await.unwrap().unwrap();
        assert_eq!(subjects::sender(&hello.subject), Some(("nord", store, "hello")));
        hq.publish(hello.reply.unwrap(), "welcome".into()).await.unwrap();
        assert_eq!(timeout(DEADLINE, asking).await.unwrap().unwrap().unwrap().payload, "welcome");
    }

    hq.publish(subjects::down("nord", "station", Down::Watermark), "20".into())
        .await
        .unwrap();
    hq.publish(subjects::down("nord", "harbour", Down::Directive), "price".into())
        .await
        .unwrap();
    assert_eq!(timeout(DEADLINE, at_station.next()).await.unwrap().unwrap().payload, "20");
    assert_eq!(timeout(DEADLINE, at_harbour.next()).await.unwrap().unwrap().payload, "price");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_can_neither_speak_nor_listen_elsewhere() {
    let office = Office::open().await;
    let hq = office.ensure("nord", &terms()).await;
    let mut overheard = hq.subscribe("br.>").await.unwrap();
    hq.flush().await.unwrap();
    let mut store = office.store("nord", "harbour").await;

    let for_others_to_say = [
        subjects::up_journal("nord", "station"),
        subjects::up_journal("sued", "harbour"),
        subjects::down("nord", "harbour", Down::Watermark),
        subjects::down("nord", "station", Down::Directive),
        "br.v1.nord.harbour".to_owned(),
        "_INBOX_station.abc".to_owned(),
        format!("$JS.API.STREAM.DELETE.{}", subjects::UP_STREAM),
        "$SYS.REQ.CLAIMS.LIST".to_owned(),
    ];
    for subject in for_others_to_say {
        store.client.publish(subject.clone(), "forged".into()).await.unwrap();
        store.refused("publish", &subject).await;
    }
    let for_others_to_hear = [
        ">".to_owned(),
        "br.>".to_owned(),
        subjects::down_all("nord", "station"),
        subjects::down_all("nord", "*"),
        subjects::up_journals("nord"),
        subjects::inbox_all("station"),
        "_INBOX.>".to_owned(),
        "$SYS.>".to_owned(),
    ];
    for subject in for_others_to_hear {
        let _listening = store.client.subscribe(subject.clone()).await.unwrap();
        store.refused("subscription", &subject).await;
    }

    store.send_batch("nord", "harbour", "harbour:1:1-1:0").await.unwrap();
    let heard = timeout(DEADLINE, overheard.next()).await.unwrap().unwrap();
    assert_eq!(
        heard.subject.as_str(),
        subjects::up_journal("nord", "harbour"),
        "a forged message came through"
    );
    assert_eq!(messages_kept(&hq).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_do_not_see_each_other() {
    let office = Office::open().await;
    let nord = office.ensure("nord", &terms()).await;
    let sued = office.ensure("sued", &terms()).await;
    let mut heard_by_sued = sued.subscribe(">").await.unwrap();
    sued.flush().await.unwrap();

    // The same store id with both: only the account tells them apart.
    let of_nord = office.store("nord", "harbour").await;
    let of_sued = office.store("sued", "harbour").await;
    of_nord.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();
    of_sued.send_batch("sued", "harbour", "harbour:1:1-20:0").await.unwrap();

    let heard = timeout(DEADLINE, heard_by_sued.next()).await.unwrap().unwrap();
    assert_eq!(heard.subject.as_str(), subjects::up_journal("sued", "harbour"));
    assert_eq!((messages_kept(&nord).await, messages_kept(&sued).await), (1, 1));

    let pried = nord.request("$SYS.REQ.CLAIMS.LIST", "".into()).await;
    assert!(pried.is_err(), "a tenant may not list the others");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_store_is_dropped_and_stays_out() {
    let office = Office::open().await;
    let hq = office.ensure("nord", &terms()).await;
    let stolen_login = office.credentials("nord", "harbour");
    let mut stolen = office.store_with("harbour", &stolen_login).await.unwrap();
    let station = office.store("nord", "station").await;
    stolen.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();

    let nord = tenant("nord");
    let refused = office
        .directory
        .revoke_store(nord, &terms(), &stolen_login.public_key)
        .await
        .unwrap_err();
    assert!(matches!(refused, BrokerError::NotWrittenDown { .. }), "{refused}");
    let revoked = Terms {
        revoked: BTreeMap::from([(stolen_login.public_key.clone(), unix_now())]),
        ..terms()
    };
    office
        .directory
        .revoke_store(nord, &revoked, &stolen_login.public_key)
        .await
        .unwrap();

    stolen.sees("its link cut", |event| matches!(event, Event::Disconnected)).await;
    assert!(
        office.store_with("harbour", &stolen_login).await.is_err(),
        "the stolen login still opens the door"
    );
    office.ensure("nord", &revoked).await;
    assert!(
        office.store_with("harbour", &stolen_login).await.is_err(),
        "ensuring the tenant let the stolen login in again"
    );

    station.send_batch("nord", "station", "station:1:1-20:0").await.unwrap();
    let new_box = office.store("nord", "harbour").await;
    new_box.send_batch("nord", "harbour", "harbour:2:1-20:0").await.unwrap();
    assert_eq!(messages_kept(&hq).await, 3);
    assert_eq!(hq.connection_state(), State::Connected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_can_be_raised_and_lowered_while_stores_send() {
    let office = Office::open().await;
    let hq = office.ensure("nord", &terms()).await;
    let store = office.store("nord", "harbour").await;
    store.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();
    for (round, megabytes) in [64, 2, 32].into_iter().enumerate() {
        office
            .ensure(
                "nord",
                &Terms {
                    quota_bytes: megabytes << 20,
                    ..terms()
                },
            )
            .await;
        let stream = jetstream::new(hq.clone()).get_stream(subjects::UP_STREAM).await.unwrap();
        assert_eq!(stream.cached_info().config.max_bytes, (megabytes << 20) as i64 / 8 * 7);
        store
            .send_batch("nord", "harbour", &format!("harbour:1:{round}-{round}:9"))
            .await
            .unwrap();
    }
    assert_eq!(messages_kept(&hq).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stream_drops_the_oldest_and_takes_the_newest() {
    let office = Office::open().await;
    let hq = office
        .ensure(
            "nord",
            &Terms {
                quota_bytes: 1 << 20,
                ..terms()
            },
        )
        .await;
    let store = office.store("nord", "harbour").await;
    for batch in 1..=24 {
        let id = format!("harbour:1:{batch}-{batch}:0");
        store.send("nord", "harbour", &id, vec![0; 100_000]).await.unwrap();
    }
    let stream = jetstream::new(hq).get_stream(subjects::UP_STREAM).await.unwrap();
    let state = &stream.cached_info().state;
    assert_eq!(state.last_sequence, 24);
    assert!(state.first_sequence > 1 && state.bytes <= 1 << 20, "{state:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_disk_than_there_is_cannot_be_promised() {
    let office = Office::open().await;
    let most = Terms {
        quota_bytes: Office::DISK_BYTES - (1 << 20),
        ..terms()
    };
    office.ensure("nord", &most).await;
    let refused = office
        .directory
        .ensure_tenant(
            tenant("sued"),
            &Terms {
                quota_bytes: 2 << 20,
                ..terms()
            },
        )
        .await
        .unwrap_err();
    assert!(matches!(refused, BrokerError::DiskPromised { left: 1_048_576, .. }), "{refused}");
    office.ensure("nord", &terms()).await;
    office
        .ensure(
            "sued",
            &Terms {
                quota_bytes: 2 << 20,
                ..terms()
            },
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_with_other_keys_is_not_let_in() {
    let office = Office::open().await;
    office.ensure("nord", &terms()).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let strange = Arc::new(Keys::load_or_create(elsewhere.path()).unwrap());
    let credentials = strange.mint_store(tenant("nord"), "harbour".parse().unwrap()).unwrap();
    assert!(office.store_with("harbour", &credentials).await.is_err());
    let refused = Directory::connect(&office.broker.client_url(), strange, None).await.err().unwrap();
    assert!(matches!(refused, BrokerError::Login { .. }), "{refused}");
}
