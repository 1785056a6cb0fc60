//! The journal file itself: what is noticed when somebody changes it, what a batch does with a bad command, new epochs.

use backroom_actors::journal::reader::Reader;
use backroom_actors::journal::verify::{self, VerifyError};
use backroom_actors::store::{Folder, Store};
use backroom_core::facts::{EpochReason, Fact};
use backroom_core::journal::{Epoch, Seq};
use backroom_core::money::Quantity;
use sqlx::{Connection, SqliteConnection};

use crate::shop::{Shop, identity};

async fn change(shop: &Shop, sql: &'static str) {
    let url = format!("sqlite://{}", Folder(shop.home.path().to_owned()).journal().display());
    let mut db = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query(sql).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

async fn complaint(shop: &Shop) -> String {
    let reader = Reader::open(&Folder(shop.home.path().to_owned()).journal()).await.unwrap();
    let error = verify::prove(&reader, &identity().signing_key.verifying_key()).await.unwrap_err();
    reader.close().await;
    match error {
        VerifyError::Broken { epoch, seq, why } => format!("{epoch}:{seq} {why}"),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn whatever_is_changed_in_the_file_is_named() {
    let changes = [
        (
            "update entry set bytes = replace(bytes, 'T-shirt', 'T-shirT') where seq = 7",
            "1:7 its bytes hash to",
        ),
        (
            "update entry set hash = zeroblob(32) where seq = 6",
            "1:6 the hash stored with it was changed",
        ),
        ("delete from entry where seq = 6", "1:7 it does not follow: 6 was to come"),
        ("update stock set on_hand = on_hand + 1000 where sku = 'TEE'", "stock of TEE"),
        ("update counter set last = last + 5", "receipt counters"),
        ("insert into returned values ('r1/1/1', 'r1/1/9')", "taken back"),
        ("update till set state = replace(state, '\"sales\":3', '\"sales\":2')", "till r1"),
    ];
    for (sql, complains) in changes {
        let shop = Shop::open(&["r1"]).await;
        for _ in 0..3 {
            shop.sell("r1").await;
        }
        shop.store.stop(std::time::Duration::from_secs(5)).await;
        change(&shop, sql).await;
        let said = complaint(&shop).await;
        assert!(said.contains(complains), "{sql}: {said}");
    }
}

#[tokio::test]
async fn a_journal_with_a_damaged_tail_does_not_open_for_business() {
    let shop = Shop::open(&["r1"]).await;
    shop.sell("r1").await;
    shop.store.stop(std::time::Duration::from_secs(5)).await;
    change(
        &shop,
        "update entry set bytes = replace(bytes, 'T-shirt', 'T-shirT') where kind = 9",
    )
    .await;
    let refused = Store::open(
        Folder(shop.home.path().to_owned()),
        identity(),
        Vec::new(),
        backroom_actors::clock::Clock,
    )
    .await;
    let said = refused.err().expect("a damaged journal was opened").to_string();
    assert!(said.contains("does not hash"), "{said}");
}

#[tokio::test]
async fn a_new_epoch_names_the_old_one_and_opens_a_new_series() {
    let shop = Shop::open(&["r1"]).await;
    assert_eq!(shop.sell("r1").await, "r1/1/1");
    let before = shop.store.head();
    let opened = shop.store.shop().journal.open_epoch(EpochReason::Rollback, Epoch(5)).await.unwrap();
    assert_eq!((opened.head.epoch, opened.head.seq), (Epoch(5), Seq(1)));
    let Fact::EpochOpened(fact) = &*opened.fact else {
        panic!("no epoch")
    };
    let previous = fact.previous.unwrap();
    assert_eq!(
        (previous.epoch, previous.seq, previous.hash),
        (before.epoch, before.seq, before.hash)
    );
    // Epochs 2 to 4 were other lives of this store; their series are not this one's to use.
    assert_eq!(shop.sell("r1").await, "r1/5/1");
    let shop = shop.reopen().await;
    assert_eq!(shop.sell("r1").await, "r1/5/2");
    assert_eq!(shop.prove().await.stock.on_hand(&"TEE".parse().unwrap()), Quantity(-3000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_entries_are_signed_as_a_segment() {
    let shop = Shop::open(&["r1", "r2", "r3", "r4"]).await;
    let sell = async |register| {
        for _ in 0..260 {
            shop.sell(register).await;
        }
    };
    tokio::join!(sell("r1"), sell("r2"), sell("r3"), sell("r4"));
    let shop = shop.reopen().await;
    assert_eq!(shop.prove().await.segments, 1);
    change(&shop, "update segment set body = replace(body, '\"first\":1,', '\"first\":2,')").await;
    assert!(complaint(&shop).await.contains("signature"));
}
