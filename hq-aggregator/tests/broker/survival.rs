//! What becomes of the server: killed, wiped, left behind, or not startable at all.

use std::net::SocketAddr;
use std::path::PathBuf;

use async_nats::connection::State;
use tokio::time::timeout;

use hq_aggregator::broker::BrokerError;
use hq_aggregator::broker::keys::Keys;
use hq_aggregator::broker::server::{Embedded, Health, Options};

use crate::office::{DEADLINE, Office, eventually, listens, messages_kept, nats_server, options, terms};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_comes_back_on_the_same_port_with_everything_it_acknowledged() {
    let office = Office::open().await;
    let hq = office.ensure("nord", &terms()).await;
    let store = office.store("nord", "harbour").await;
    for batch in 1..=20 {
        store
            .send_batch("nord", "harbour", &format!("harbour:1:{batch}-{batch}:0"))
            .await
            .unwrap();
    }
    let (url, pid) = (office.broker.client_url(), office.broker.pid().unwrap());

    office.broker.kill().await;
    let mut health = office.broker.health();
    let back = timeout(
        DEADLINE,
        health.wait_for(|health| matches!(health, Health::Running { start: 2, .. })),
    )
    .await;
    assert!(back.is_ok(), "the broker did not come back");
    assert_eq!(office.broker.client_url(), url);
    assert_ne!(office.broker.pid().unwrap(), pid);

    let same_hq = office.ensure("nord", &terms()).await;
    eventually("the store sends again by itself", async || {
        store.send_batch("nord", "harbour", "harbour:1:21-21:0").await.is_ok()
    })
    .await;
    assert_eq!(messages_kept(&same_hq).await, 21);
    eventually("head office's old connection is back too", async || {
        hq.connection_state() == State::Connected
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_message_folder_heals_when_the_tenant_is_ensured() {
    let office = Office::open().await;
    office.ensure("nord", &terms()).await;
    let store = office.store("nord", "harbour").await;
    store.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();
    let url = office.broker.client_url();

    let office = office
        .restart_after(|dir| std::fs::remove_dir_all(dir.join("jetstream")).unwrap())
        .await;
    assert_eq!(office.broker.client_url(), url, "stores have written the address down");

    let hq = office.ensure("nord", &terms()).await;
    assert_eq!(messages_kept(&hq).await, 0);
    eventually("the store sends again with the login it had", async || {
        store.send_batch("nord", "harbour", "harbour:1:1-20:1").await.is_ok()
    })
    .await;
    assert_eq!(messages_kept(&hq).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_account_folder_heals_when_the_tenant_is_ensured() {
    let office = Office::open().await;
    office.ensure("nord", &terms()).await;
    let credentials = office.credentials("nord", "harbour");
    let store = office.store_with("harbour", &credentials).await.unwrap();
    store.send_batch("nord", "harbour", "harbour:1:1-20:0").await.unwrap();

    // Under a running broker first: it notices nothing, so neither may the store.
    std::fs::remove_dir_all(office.broker_dir().join("accounts")).unwrap();
    std::fs::create_dir(office.broker_dir().join("accounts")).unwrap();
    office.ensure("nord", &terms()).await;
    store.send_batch("nord", "harbour", "harbour:1:21-40:0").await.unwrap();

    let office = office
        .restart_after(|dir| std::fs::remove_dir_all(dir.join("accounts")).unwrap())
        .await;
    assert!(
        office.store_with("harbour", &credentials).await.is_err(),
        "nobody told this broker about the tenant yet"
    );
    let hq = office.ensure("nord", &terms()).await;
    assert_eq!(messages_kept(&hq).await, 2, "the messages belong to the account and were kept");
    eventually("the store is back with the login it had", async || {
        store.send_batch("nord", "harbour", "harbour:1:41-60:0").await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_broker_is_gone_and_a_second_head_office_on_the_same_folder_is_refused() {
    let office = Office::open().await;
    let refused = Embedded::start(&office.broker_dir(), &office.keys, options()).await.err().unwrap();
    assert!(matches!(refused, BrokerError::AlreadyRunning(_)), "{refused}");
    let address = office.broker.address();
    assert!(listens(address).await);
    office.broker.stop().await;
    assert!(!listens(address).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_broker_is_killed() {
    let office = Office::open().await;
    let address = office.broker.address();
    drop(office.broker);
    eventually("nobody listens any more", async || !listens(address).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_which_an_earlier_head_office_left_behind_is_ended() {
    let office = Office::open().await;
    let dir = office.broker_dir();
    office.broker.stop().await;
    let mut leftover = tokio::process::Command::new(nats_server())
        .arg("--config")
        .arg(dir.join("nats-server.conf"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let pid = leftover.id().unwrap().to_string();
    let pid_file = dir.join("nats-server.pid");
    eventually("the leftover wrote its pid", async || {
        std::fs::read_to_string(&pid_file).is_ok_and(|text| text == pid)
    })
    .await;

    let broker = Embedded::start(&dir, &office.keys, options()).await.unwrap();
    eventually("the leftover is dead", async || leftover.try_wait().unwrap().is_some()).await;
    assert!(listens(broker.address()).await);
    broker.stop().await;
}

/// Runs itself a second time: that process is the head office which gets killed.
#[test]
fn a_broker_does_not_outlive_a_killed_head_office() {
    const HOME: &str = "BACKROOM_TEST_HEAD_OFFICE_HOME";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(home) = std::env::var_os(HOME) {
        let home = PathBuf::from(home);
        runtime.block_on(async {
            let keys = Keys::load_or_create(&home).unwrap();
            let broker = Embedded::start(&home, &keys, options()).await.unwrap();
            std::fs::write(home.join("address.draft"), broker.address().to_string()).unwrap();
            std::fs::rename(home.join("address.draft"), home.join("address")).unwrap();
            std::future::pending::<()>().await;
        });
    }
    let home = tempfile::tempdir().unwrap();
    let mut head_office = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "survival::a_broker_does_not_outlive_a_killed_head_office"])
        .env(HOME, home.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    runtime.block_on(async {
        let address = home.path().join("address");
        eventually("the other head office is open", async || address.exists()).await;
        let address: SocketAddr = std::fs::read_to_string(address).unwrap().parse().unwrap();
        assert!(listens(address).await);
        head_office.kill().unwrap();
        eventually("its broker is gone with it", async || !listens(address).await).await;
    });
    head_office.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_which_cannot_start_says_why() {
    let home = tempfile::tempdir().unwrap();
    let keys = Keys::load_or_create(home.path()).unwrap();
    let missing = Embedded::start(home.path(), &keys, Options::new("/nowhere/nats-server".into()))
        .await
        .err()
        .unwrap();
    assert!(missing.to_string().contains("/nowhere/nats-server"), "{missing}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = Options {
        listen: taken.local_addr().unwrap(),
        ..options()
    };
    let refused = Embedded::start(home.path(), &keys, busy).await.err().unwrap().to_string();
    assert!(refused.contains("address already in use"), "{refused}");

    // The port of the last run is a wish, not a must.
    std::fs::write(home.path().join("last-port"), taken.local_addr().unwrap().port().to_string()).unwrap();
    let broker = Embedded::start(home.path(), &keys, options()).await.unwrap();
    assert_ne!(broker.address(), taken.local_addr().unwrap());
    broker.stop().await;
}

#[tokio::test]
async fn nothing_unencrypted_is_offered_off_loopback() {
    let home = tempfile::tempdir().unwrap();
    let keys = Keys::load_or_create(home.path()).unwrap();
    let open_to_all = Options {
        listen: "0.0.0.0:0".parse().unwrap(),
        ..options()
    };
    let refused = Embedded::start(home.path(), &keys, open_to_all).await.err().unwrap();
    assert!(matches!(refused, BrokerError::OffLoopback(_)), "{refused}");
}
