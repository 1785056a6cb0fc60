//! A clerk's page: a shelf is counted with a reader, something is sold from it, and the next count says so.

use backroom_actors::device::{DeviceConfig, DeviceKind};
use backroom_devices::sim::reader;
use backroom_protocol::v1::{clerk, register as wire};
use uuid::Uuid;

use super::Shop;

/// Three T-shirts, as they stand on their tags: `urn:epc:id:sgtin:4006381.033393.1` and so on.
const TEES: [&str; 3] = [
    "urn:epc:id:sgtin:4006381.033393.1",
    "urn:epc:id:sgtin:4006381.033393.2",
    "urn:epc:id:sgtin:4006381.033393.3",
];

#[tokio::test]
async fn a_clerk_sees_a_shelf_being_read_and_what_was_sold_from_it() {
    let reader = reader::start(reader::Args::default()).await.unwrap();
    reader.turn(&format!("tags add {}", TEES.join(" "))).unwrap();
    let config = DeviceConfig {
        name: "reader1".parse().unwrap(),
        kind: DeviceKind::Reader,
        register: None,
        address: reader.address.to_string(),
        password: None,
    };
    let mut shop = Shop::open_with(vec![config]).await;
    let listing = clerk::ListReadersRequest {};
    let nobody = shop.browser.call("clerk.v1.ClerkService/ListReaders", &listing).await;
    assert_eq!(nobody.refusal(), ("16", "not_signed_in"));
    shop.pair_and_sign_in().await;

    let first = shop.count(3).await;
    assert_eq!(first.compared_with, "");
    let line = &first.lines[0];
    assert_eq!(
        (line.sku.as_str(), line.name.as_str(), line.counted, line.difference),
        ("TEE", "T-shirt", 3, 3)
    );
    assert!(TEES.contains(&first.latest[0].uri.as_str()), "{}", first.latest[0].uri);
    let kept = shop.keep(&first).await;
    assert_eq!((kept.tags, kept.missing), (3, 0));

    shop.sell(TEES[1]).await;
    reader.turn(&format!("tags remove {}", TEES[1])).unwrap();
    let second = shop.count(2).await;
    assert_ne!(second.compared_with, "");
    let missing = &second.missing_tags[0];
    assert_eq!((second.missing, missing.uri.as_str()), (1, TEES[1]));
    assert!(
        missing.explained.starts_with("sold with receipt r1/1/1 at "),
        "{}",
        missing.explained
    );
    assert_eq!(second.lines[0].difference, 3, "two are there, and one was sold that never came in");
    let kept = shop.keep(&second).await;
    assert_eq!((kept.tags, kept.missing, kept.missing_unexplained), (2, 1, 0));

    let listed = shop.browser.call("clerk.v1.ClerkService/ListReaders", &listing).await;
    let listed: clerk::ListReadersResponse = listed.one().await;
    assert_eq!((listed.places[0].place.as_str(), listed.places[0].tags), ("shelf-1", 2));
    assert_eq!(
        (listed.readers[0].name.as_str(), listed.readers[0].antennas.as_slice()),
        ("reader1", &[1, 2][..])
    );
    let shouted = clerk::StartCountRequest {
        command: command(),
        place: "Shelf 1".into(),
        readers: Vec::new(),
    };
    let shouted = shop.browser.call("clerk.v1.ClerkService/StartCount", &shouted).await;
    assert_eq!(shouted.refusal(), ("3", "bad_field"));
}

fn command() -> Option<clerk::Command> {
    Some(clerk::Command {
        command_id: Uuid::now_v7().as_bytes().to_vec(),
    })
}

impl Shop {
    /// Watches a count of the shelf until so many tags were read.
    async fn count(&mut self, tags: u64) -> clerk::CountView {
        let start = clerk::StartCountRequest {
            command: command(),
            place: "shelf-1".into(),
            readers: Vec::new(),
        };
        let started = self.browser.call("clerk.v1.ClerkService/StartCount", &start).await;
        let started: clerk::StartCountResponse = started.one().await;
        let watch = clerk::WatchCountRequest {
            count_id: started.count_id,
        };
        let mut watch = self.browser.call("clerk.v1.ClerkService/WatchCount", &watch).await;
        loop {
            let seen: clerk::WatchCountResponse = watch.message().await;
            let seen = seen.count.unwrap();
            assert_eq!(seen.state(), clerk::CountState::Reading);
            if seen.tags == tags {
                return seen;
            }
        }
    }

    async fn keep(&mut self, count: &clerk::CountView) -> clerk::KeepCountResponse {
        let keep = clerk::KeepCountRequest {
            command: command(),
            count_id: count.count_id.clone(),
        };
        let kept = self.browser.call("clerk.v1.ClerkService/KeepCount", &keep).await;
        kept.one().await
    }

    /// One T-shirt by the number on its tag, paid in cash.
    async fn sell(&mut self, code: &str) {
        let said = || {
            Some(wire::Command {
                command_id: Uuid::now_v7().as_bytes().to_vec(),
            })
        };
        let euros = |minor| {
            Some(wire::Money {
                minor,
                currency: "EUR".into(),
            })
        };
        let open = wire::OpenShiftRequest {
            command: said(),
            float: euros(0),
        };
        let opened = self.browser.call("register.v1.RegisterService/OpenShift", &open).await;
        let _: wire::OpenShiftResponse = opened.one().await;
        let head = |expected_version| wire::TicketHead {
            ticket_id: vec![7; 16],
            expected_version,
        };
        let scan = wire::ScanRequest {
            command: said(),
            ticket: Some(head(0)),
            code: code.into(),
            quantity_milli: 0,
            training: false,
        };
        let scanned = self.browser.call("register.v1.RegisterService/Scan", &scan).await;
        let scanned: wire::ScanResponse = scanned.one().await;
        let tender = wire::TenderRequest {
            command: said(),
            ticket: Some(head(scanned.ticket.unwrap().version)),
            kind: wire::TenderKind::Cash.into(),
            amount: euros(1990),
            settle: true,
        };
        let paid = self.browser.call("register.v1.RegisterService/Tender", &tender).await;
        let _: wire::TenderResponse = paid.one().await;
    }
}
