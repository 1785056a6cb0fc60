//! A clerk counts a shelf with a reader that speaks the real bytes, breaks, and comes back.

use std::collections::BTreeSet;

use backroom_actors::count::state::{Place, Sale, Stage, View};
use backroom_actors::count::tags::Ended;
use backroom_actors::count::{CountError, Keep, Look, Start};
use backroom_actors::device::{DeviceConfig, DeviceKind, DeviceState};
use backroom_actors::journal::AppendError;
use backroom_actors::register::Action;
use backroom_core::epc::{Epc, EpcId};
use backroom_core::facts::{Fact, ShelfCounted};
use backroom_core::ids::CommandId;
use backroom_core::money::Quantity;
use backroom_devices::sim::reader::{self, Running};

use crate::shop::{Shop, body, closed, id, receipt, ticket, until, version};

/// The tag of a T-shirt.
fn tee(serial: u32) -> Epc {
    let gtin = "4006381333931".parse().unwrap();
    let name = EpcId::sgtin(gtin, 7, &serial.to_string()).unwrap();
    Epc::shortest(name, 1).unwrap()
}

/// Tags of the neighbours: goods this shop does not have.
const STRANGERS: [&str; 2] = ["3074257bf7194e4000001a85", "e2806894000050001234abcd"];

async fn shelf(tees: std::ops::RangeInclusive<u32>) -> Running {
    let reader = reader::start(reader::Args {
        rate: 2_000,
        duplicates: 30,
        ..reader::Args::default()
    });
    let reader = reader.await.unwrap();
    for serial in tees {
        reader.turn(&format!("tags add {}", tee(serial).to_hex())).unwrap();
    }
    reader
}

fn device(reader: &Running) -> DeviceConfig {
    DeviceConfig {
        name: "reader1".parse().unwrap(),
        kind: DeviceKind::Reader,
        register: None,
        address: reader.address.to_string(),
        password: None,
    }
}

fn start(place: &str) -> Start {
    Start {
        id: id(),
        body: body(place),
        place: Place::parse(place).unwrap(),
        readers: BTreeSet::new(),
    }
}

fn keep(count: CommandId) -> Keep {
    Keep {
        id: id(),
        body: body("keep"),
        count,
        staff: "s101".parse().unwrap(),
        register: "r1".parse().unwrap(),
    }
}

async fn look(shop: &Shop, count: CommandId) -> View {
    match shop.store.counting().look(count).await.unwrap() {
        Look::Open(view) => *view,
        ended => panic!("the count is over: {ended:?}"),
    }
}

async fn kept(shop: &Shop, count: CommandId) -> ShelfCounted {
    let committed = shop.store.counting().keep(keep(count)).await.unwrap();
    let Fact::ShelfCounted(counted) = &*committed.fact else {
        panic!("not a count: {:?}", committed.fact)
    };
    (**counted).clone()
}

async fn sell_tee(shop: &Shop, code: &str) -> String {
    let sale = ticket();
    let seen = version(&shop.scan("r1", sale, 0, code).await);
    let sold = shop.pay("r1", sale, seen, 1990).await.unwrap();
    assert_eq!(closed(&sold).lines[0].sku.as_str(), "TEE");
    receipt(&sold)
}

#[tokio::test]
async fn a_tag_that_was_sold_is_missing_and_explained_and_one_that_was_stolen_is_not() {
    let reader = shelf(1..=30).await;
    reader.turn(&format!("tags add {}", STRANGERS.join(" "))).unwrap();
    let shop = Shop::open_with(&["r1"], vec![device(&reader)]).await;
    let counting = shop.store.counting();
    let count = counting.start(start("shelf-1")).await.unwrap();
    until("every tag was read, many twice", async || {
        let view = look(&shop, count).await;
        view.tags == 32 && view.reads > 100
    })
    .await;
    let view = look(&shop, count).await;
    assert_eq!((view.unknown, view.missing, view.found), (2, 0, 0), "there was no count before");
    assert_eq!(view.counted.into_values().collect::<Vec<_>>(), [30]);
    assert_eq!(view.latest.len(), 32);
    let first = kept(&shop, count).await;
    assert_eq!((first.tags, first.missing, first.lines.len()), (32, 0, 1));
    assert_eq!((first.lines[0].counted, first.lines[0].on_hand), (30, Quantity(0)));

    let before = sell_tee(&shop, &tee(3).to_hex()).await;
    assert_eq!(before, "r1/1/1");
    let label = format!("]d2{}{}", "0104006381333931", "214");
    sell_tee(&shop, &label).await;
    for gone in [3, 4, 5] {
        reader.turn(&format!("tags remove {}", tee(gone).to_hex())).unwrap();
    }
    reader.turn(&format!("tags add {}", tee(31).to_hex())).unwrap();

    let count = counting.start(start("shelf-1")).await.unwrap();
    until("the shelf was read again", async || look(&shop, count).await.tags == 30).await;
    let view = look(&shop, count).await;
    assert_eq!((view.missing, view.found), (3, 1));
    assert_eq!(view.found_tags[0].tag.hex(), tee(31).to_hex());
    let missing: Vec<(String, Option<Sale>)> = view.missing_tags.into_iter().map(|line| (line.tag.hex(), line.sale)).collect();
    assert_eq!(missing[0], (tee(5).to_hex(), None), "what nobody can explain comes first");
    let explained = |serial| missing.iter().find(|(tag, _)| *tag == tee(serial).to_hex()).unwrap().1.clone();
    assert_eq!(explained(3).unwrap().receipt.to_string(), "r1/1/1");
    assert_eq!(explained(4).unwrap().receipt.to_string(), "r1/1/2");

    // What was taken back explains nothing any more.
    let back = Action::Return {
        ticket: ticket(),
        receipt: "r1/1/1".parse().unwrap(),
    };
    shop.say("r1", id(), "return", back).await.unwrap();
    let second = kept(&shop, count).await;
    assert_eq!((second.missing, second.missing_unexplained), (3, 2));
    assert_eq!(second.lines[0].on_hand, Quantity(-1000), "counting moves no stock");
    shop.prove().await;
}

#[tokio::test]
async fn a_reader_that_breaks_in_the_middle_loses_nothing_and_counts_nothing_twice() {
    let reader = shelf(1..=300).await;
    let shop = Shop::open_with(&["r1"], vec![device(&reader)]).await;
    let count = shop.store.counting().start(start("shelf-1")).await.unwrap();
    for knob in ["cut", "die", "garble once"] {
        let before = look(&shop, count).await.reads;
        until("it reads", async || look(&shop, count).await.reads > before).await;
        reader.turn(knob).unwrap();
    }
    until("every tag was read", async || look(&shop, count).await.tags == 300).await;
    let before = look(&shop, count).await.reads;
    until("and all of them again", async || look(&shop, count).await.reads > before + 1_000).await;
    let view = look(&shop, count).await;
    assert_eq!((view.tags, view.counted.into_values().sum::<u64>()), (300, 300));

    shop.store.counting().pause(count).await.unwrap();
    let name = "reader1".parse().unwrap();
    until("it stopped", async || !shop.store.counting().reader(name).reading).await;
    let quiet = look(&shop, count).await;
    assert_eq!(quiet.stage, Stage::Paused);
    reader.turn("antenna 2 off").unwrap();
    let board = &shop.store.shop().board;
    let lost = |line: &backroom_actors::device::DeviceView| line.state == DeviceState::Attention && line.words.contains("antenna 2");
    until("the lost antenna is shown", async || board.list().iter().any(lost)).await;
    assert_eq!(look(&shop, count).await.reads, quiet.reads, "a paused count reads nothing");
    // Nobody takes the reader from another program.
    reader.turn("busy on").unwrap();
    reader.turn("cut").unwrap();
    until("its words say so", async || board.list()[0].words.contains("another program")).await;
    reader.turn("busy off").unwrap();
    until("it is back", async || {
        board.list()[0].state != DeviceState::Trouble && board.list()[0].words.contains("antenna")
    })
    .await;
}

#[tokio::test]
async fn a_count_goes_on_after_its_actor_fell_and_after_a_restart_of_the_box() {
    let reader = shelf(1..=200).await;
    reader.turn("rate 400").unwrap();
    let shop = Shop::open_with(&["r1"], vec![device(&reader)]).await;
    let first = start("stock-room");
    let count = shop.store.counting().start(first.clone()).await.unwrap();
    until("it reads", async || look(&shop, count).await.tags > 20).await;
    assert!(shop.store.strike("counts".into()).await);
    assert!(shop.store.strike("device/reader1".into()).await);
    until("both read on", async || look(&shop, count).await.tags > 60).await;
    // The file holds what was read a second ago.
    let seen = look(&shop, count).await.tags;
    let file = shop.home.path().join("tags.db");
    let saved = async || {
        let file = backroom_actors::file::readers(&file).await.unwrap();
        let tags: i64 = sqlx::query_scalar("select count(*) from tag").fetch_one(&file).await.unwrap();
        file.close().await;
        tags as u64
    };
    until("they are saved", async || saved().await >= seen).await;

    let shop = shop.reopen().await;
    assert!(look(&shop, count).await.tags >= seen);
    until("every tag was read, nobody said so again", async || {
        look(&shop, count).await.tags == 200
    })
    .await;
    // The command that began it means this count for ever, and so does a new one at this place while it is open.
    assert_eq!(shop.store.counting().start(first).await.unwrap(), count);
    assert_eq!(shop.store.counting().start(start("stock-room")).await.unwrap(), count);
    assert_eq!(kept(&shop, count).await.tags, 200);
    let shop = shop.reopen().await;
    let place = &shop.store.counting().places().await.unwrap()[0];
    assert_eq!((place.place.as_str(), place.tags, place.open), ("stock-room", 200, None));
    let next = shop.store.counting().start(start("stock-room")).await.unwrap();
    until("all are there again", async || look(&shop, next).await.missing == 0).await;
    assert_eq!(look(&shop, next).await.found, 0);
    shop.prove().await;
}

#[tokio::test]
async fn a_count_is_kept_once_whoever_falls_meanwhile() {
    let reader = shelf(1..=10).await;
    let shop = Shop::open_with(&["r1"], vec![device(&reader)]).await;
    for fallen in ["journal", "counts", "stock"] {
        let count = shop.store.counting().start(start("shelf-1")).await.unwrap();
        until("every tag was read", async || look(&shop, count).await.tags == 10).await;
        let keep = keep(count);
        let (said, struck) = tokio::join!(shop.store.counting().keep(keep.clone()), shop.store.strike(fallen.into()));
        assert!(struck);
        if let Err(error) = said {
            assert!(matches!(error, CountError::Ask(_) | CountError::Append(_)), "{error}");
        }
        let mut counted = None;
        until("the same command has an outcome", async || {
            counted = shop.store.counting().keep(keep.clone()).await.ok();
            counted.is_some()
        })
        .await;
        let head = counted.unwrap().head;
        assert_eq!(
            shop.store.counting().keep(keep.clone()).await.unwrap().head,
            head,
            "said again it is the same fact"
        );
        let other = Keep {
            body: body("other"),
            ..keep
        };
        let reused = shop.store.counting().keep(other).await;
        assert!(matches!(reused, Err(CountError::Append(AppendError::CommandReused))), "{reused:?}");
    }
    let kept = shop
        .store
        .shop()
        .reader
        .rare(backroom_core::facts::Kind::ShelfCounted)
        .await
        .unwrap();
    assert_eq!(kept.len(), 3);
    shop.prove().await;
}

#[tokio::test]
async fn what_can_not_be_counted_is_said() {
    let reader = shelf(1..=3).await;
    let shop = Shop::open_with(&["r1"], vec![device(&reader)]).await;
    let counting = shop.store.counting();
    let unknown = Start {
        readers: ["reader9".parse().unwrap()].into(),
        ..start("shelf-1")
    };
    let refused = counting.start(unknown).await.unwrap_err().to_string();
    assert!(refused.contains("reader9"), "{refused}");
    let count = counting.start(start("shelf-1")).await.unwrap();
    let refused = counting.start(start("shelf-2")).await.unwrap_err().to_string();
    assert_eq!(refused, "reader reader1 is counting shelf-1; pause that count first");
    counting.pause(count).await.unwrap();
    let other = counting.start(start("shelf-2")).await.unwrap();
    counting.drop(other).await.unwrap();
    counting.drop(other).await.unwrap();
    let ended = counting.look(other).await.unwrap();
    assert!(matches!(ended, Look::Ended { ended: Ended::Dropped, .. }), "{ended:?}");
    assert!(matches!(counting.keep(keep(other)).await, Err(CountError::Ended { .. })));
    assert!(matches!(counting.look(id()).await, Err(CountError::Unknown)));
    assert!(Place::parse("Shelf 1").is_err() && Place::parse("").is_err() && Place::parse("shelf-1-shelf-1-s").is_err());

    let bare = Shop::open(&["r1"]).await;
    let refused = bare.store.counting().start(start("shelf-1")).await;
    assert!(matches!(refused, Err(CountError::NoReader)), "{refused:?}");
}
