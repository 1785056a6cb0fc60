//! What a page and a stranger's page meet: the real server on a socket, asked byte by byte.

mod browser;
mod counting;

use std::net::TcpListener;
use std::time::Duration;

use backroom_actors::clock::Clock;
use backroom_actors::device::DeviceConfig;
use backroom_actors::staff;
use backroom_actors::store::Store;
use backroom_core::money::Rounding;
use backroom_protocol::v1::{console as seen, register as wire};
use serde_json::json;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::House;
use crate::{http, serve, setup};
use browser::{Browser, in_time};

struct Shop {
    home: TempDir,
    house: House,
    browser: Browser,
}

impl Shop {
    async fn open() -> Shop {
        Shop::open_with(Vec::new()).await
    }

    async fn open_with(machines: Vec<DeviceConfig>) -> Shop {
        let home = tempfile::tempdir().unwrap();
        let file = |name: &str, text: serde_json::Value| {
            let path = home.path().join(name);
            std::fs::write(&path, text.to_string()).unwrap();
            path
        };
        let catalog = json!({
            "version": 1, "currency": "EUR", "prices": "inclusive",
            "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}],
            "items": [{"sku": "TEE", "name": "T-shirt", "codes": ["4006381333931"], "tax_class": "A", "price": 1990}],
        });
        let data = home.path().join("box");
        let init = setup::Init {
            data: data.clone(),
            tenant: "thread".parse().unwrap(),
            store: "berlin".parse().unwrap(),
            name: "Thread & Needle".into(),
            zone: "Europe/Berlin".into(),
            currency: "EUR".parse().unwrap(),
            day_end: "02:00".into(),
            cash_step: 1,
            cash_rounding: Rounding::default(),
            catalog: file("catalog.json", catalog),
            stock: None,
            staff: file("staff.json", json!([{"id": "s101", "name": "Cashier One", "pin": "4711"}])),
            join: None,
        };
        setup::init(init).await.unwrap();
        let (folder, identity, _) = setup::load(&data).unwrap();
        let store = Store::open(folder, identity, machines, Clock).await.unwrap();
        let house = House {
            routes: serve::routes(&store, true),
            store,
            allow_faults: true,
            closing: CancellationToken::new(),
        };
        let (_, address) = http::serve(TcpListener::bind("127.0.0.1:0").unwrap(), house.clone()).unwrap();
        Shop {
            home,
            house,
            browser: Browser::new(address),
        }
    }

    async fn pairing_code(&self) -> String {
        let mut people = staff::open(&self.home.path().join("box/people.db")).await.unwrap();
        staff::make_pairing_code(&mut people, Clock.now()).await.unwrap()
    }

    async fn pair_and_sign_in(&mut self) {
        let pair = json!({"command_id": Uuid::now_v7(), "pairing_code": self.pairing_code().await, "register": "r1"});
        let paired = self.browser.post("/session/pair", &pair).await;
        assert_eq!(paired.status, 200);
        let sign_in = json!({"command_id": Uuid::now_v7(), "staff": "s101", "pin": "4711"});
        let signed_in = self.browser.post("/session/sign-in", &sign_in).await;
        assert_eq!(
            (signed_in.status, signed_in.json().await),
            (200, json!({"staff_name": "Cashier One", "shift_open": false}))
        );
    }

    async fn look(&mut self) -> serde_json::Value {
        let answer = self.browser.get("/session").await;
        assert_eq!(answer.status, 200);
        answer.json().await
    }
}

#[tokio::test]
async fn a_browser_becomes_a_register_signs_in_asks_and_signs_out() {
    let mut shop = Shop::open().await;
    let fresh = shop.look().await;
    let expected = json!({
        "store": "berlin", "store_name": "Thread & Needle", "currency": "EUR", "currency_decimals": 2,
        "device": null, "person": null, "faults_allowed": true,
    });
    assert_eq!(fresh, expected);
    let status = wire::GetStatusRequest {};
    let stranger = shop.browser.call("register.v1.RegisterService/GetStatus", &status).await;
    assert_eq!(stranger.refusal(), ("16", "not_signed_in"));

    shop.pair_and_sign_in().await;
    let known = shop.look().await;
    assert_eq!(known["device"], json!({"register": "r1", "till": "r1"}));
    assert_eq!(known["person"], json!({"staff": "s101", "name": "Cashier One", "session": 1}));
    let answer = shop.browser.call("register.v1.RegisterService/GetStatus", &status).await;
    let answer: wire::GetStatusResponse = answer.one().await;
    assert_eq!((answer.store.as_str(), answer.catalog_version), ("berlin", 1));

    let left = shop.browser.post("/session/sign-out", &json!({})).await;
    assert_eq!((left.status, left.json().await["person"].clone()), (200, json!(null)));
    assert_eq!(shop.browser.cookies.len(), 1, "the device stays a register");
    let stranger = shop.browser.call("register.v1.RegisterService/GetStatus", &status).await;
    assert_eq!(stranger.refusal(), ("16", "not_signed_in"));
}

#[tokio::test]
async fn pairing_and_signing_in_by_page_or_by_call_are_one_command() {
    let mut shop = Shop::open().await;
    let (command, code) = (Uuid::now_v7(), shop.pairing_code().await);
    let pair = json!({"command_id": command, "pairing_code": code, "register": "r1", "till": "front"});
    assert_eq!(shop.browser.post("/session/pair", &pair).await.status, 200);
    let enrol = wire::EnrolRequest {
        command: Some(wire::Command {
            command_id: command.as_bytes().to_vec(),
        }),
        pairing_code: code.clone(),
        register: "r1".into(),
        till: "front".into(),
    };
    let enrolled = shop.browser.call("register.v1.RegisterService/Enrol", &enrol).await;
    let enrolled: wire::EnrolResponse = enrolled.one().await;
    let kept = shop.browser.cookies.get("backroom-device.thread.berlin");
    assert_eq!(kept, Some(&enrolled.device_token));

    let again = json!({"command_id": command, "pairing_code": code, "register": "r2"});
    let again = shop.browser.post("/session/pair", &again).await;
    assert_eq!((again.status, again.header("content-type")), (409, "application/problem+json"));
    assert_eq!(again.json().await["code"], "command_id_reused");
    let wrong = json!({"command_id": Uuid::now_v7(), "pairing_code": "AAAA-AAAA", "register": "r1"});
    let wrong = shop.browser.post("/session/pair", &wrong).await;
    assert_eq!(wrong.status, 403);
    let problem = wrong.json().await;
    assert_eq!((&problem["code"], &problem["status"]), (&json!("pairing"), &json!(403)));
    assert!(
        problem["title"].as_str().unwrap().contains("make a new one at the box"),
        "{problem}"
    );

    let sign_in = json!({"command_id": Uuid::now_v7(), "staff": "s101", "pin": "0000"});
    let wrong = shop.browser.post("/session/sign-in", &sign_in).await;
    assert_eq!((wrong.status, wrong.json().await["code"].clone()), (401, json!("wrong_pin")));
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_a_sentence() {
    let mut shop = Shop::open().await;
    let nobody = json!({"command_id": Uuid::now_v7(), "staff": "s101", "pin": "4711"});
    let nobody = shop.browser.post("/session/sign-in", &nobody).await;
    assert_eq!((nobody.status, nobody.json().await["code"].clone()), (401, json!("not_enrolled")));
    let typo = shop.browser.post("/session/pair", &json!({"command": 1})).await;
    assert_eq!((typo.status, typo.json().await["code"].clone()), (400, json!("bad_field")));
    let form = [("content-type", "text/plain")];
    let form = shop.browser.ask("POST", "/session/pair", &form, b"{}").await;
    assert_eq!((form.status, form.json().await["code"].clone()), (415, json!("not_json")));
    let long = json!({"command_id": "x".repeat(5000)});
    assert_eq!(shop.browser.post("/session/pair", &long).await.status, 413);

    let address = "/backroom.register.v1.RegisterService/GetStatus";
    let native = [("content-type", "application/grpc")];
    assert_eq!(shop.browser.ask("POST", address, &native, b"").await.status, 415);
    let large = wire::FindItemRequest { code: "7".repeat(70_000) };
    let large = shop.browser.call("register.v1.RegisterService/FindItem", &large).await;
    assert_eq!(large.refusal(), ("8", "too_large"));
    let unknown = shop
        .browser
        .call("register.v1.RegisterService/GiveAway", &wire::GetStatusRequest {})
        .await;
    assert_eq!(unknown.header("grpc-status"), "12");
    let health = shop.browser.call("nothing.v1.Nothing/Ask", &wire::GetStatusRequest {}).await;
    assert_eq!(health.header("grpc-status"), "12");
}

#[tokio::test]
async fn only_pages_of_this_box_may_ask() {
    let mut shop = Shop::open().await;
    shop.pair_and_sign_in().await;
    let own = shop.browser.origin.clone();
    let elsewhere = ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"];
    for origin in elsewhere {
        shop.browser.origin = Some(origin.into());
        let call = shop
            .browser
            .call("register.v1.RegisterService/GetStatus", &wire::GetStatusRequest {})
            .await;
        assert_eq!(
            (call.status, call.json().await["code"].clone()),
            (403, json!("foreign_origin")),
            "{origin}"
        );
        assert_eq!(shop.browser.post("/session/sign-out", &json!({})).await.status, 403, "{origin}");
    }
    assert_eq!(shop.browser.cookies.len(), 2, "nobody was signed out");
    shop.browser.origin = None;
    let here = shop.browser.host.clone();
    for host in ["evil.example", "evil.example:7401", "localhost.evil.example", "192.0.2.7:7401", ""] {
        shop.browser.host = host.into();
        let rebound = shop.browser.get("/session").await;
        assert_eq!(
            (rebound.status, rebound.json().await["code"].clone()),
            (403, json!("foreign_host")),
            "{host}"
        );
    }
    // A program without pages says no origin; a page may be opened by any name of this machine.
    for host in ["localhost:7401", "[::1]:7401", "127.0.0.1"] {
        shop.browser.host = host.into();
        shop.browser.origin = Some(format!("http://{host}"));
        assert_eq!(shop.browser.get("/session").await.status, 200, "{host}");
    }
    (shop.browser.host, shop.browser.origin) = (here, own);
    assert!(shop.look().await["person"].is_object());
}

#[tokio::test]
async fn the_console_shows_an_actor_fall_and_come_back_while_it_watches() {
    let mut shop = Shop::open().await;
    let mut watch = shop.browser.call("console.v1.ConsoleService/Watch", &seen::WatchRequest {}).await;
    let first: seen::WatchResponse = watch.message().await;
    let stock = |seen: &seen::WatchResponse| seen.actors.iter().find(|actor| actor.name == "stock").cloned().unwrap();
    assert_eq!((stock(&first).restarts, stock(&first).restarts_last_hour), (0, 0));
    assert!(stock(&first).up_ms > 0);
    let line = first.store.clone().unwrap();
    assert_eq!((line.store.as_str(), line.seq > 0, line.faults_allowed), ("berlin", true, true));
    let strike = seen::StrikeActorRequest {
        name: "stock".into(),
        command: Some(seen::Command {
            command_id: Uuid::now_v7().as_bytes().to_vec(),
        }),
    };
    // Said twice with one id, it strikes once.
    for _ in 0..2 {
        let struck = shop.browser.call("console.v1.ConsoleService/StrikeActor", &strike).await;
        let _: seen::StrikeActorResponse = struck.one().await;
    }
    loop {
        let next: seen::WatchResponse = watch.message().await;
        let stock = stock(&next);
        if stock.restarts == 1 && stock.state() == seen::ActorState::Running {
            assert_eq!(stock.restarts_last_hour, 1);
            assert!(stock.last_error.contains("on purpose"), "{}", stock.last_error);
            break;
        }
    }
    // With nothing new the heartbeat comes, so that what is up grows older on the screen.
    let next: seen::WatchResponse = watch.message().await;
    assert!(stock(&next).up_ms > 1000, "{}", stock(&next).up_ms);
}

#[tokio::test]
async fn a_stream_ends_when_the_page_leaves_and_when_the_box_stops() {
    let mut shop = Shop::open().await;
    shop.pair_and_sign_in().await;
    let watching = shop.house.store.shop().screens.clone();
    let mut watch = shop.browser.call("register.v1.RegisterService/Watch", &wire::WatchRequest {}).await;
    let _: wire::WatchResponse = watch.message().await;
    assert_eq!(watching.receiver_count(), 1);
    drop(watch);
    let left = async {
        while watching.receiver_count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    in_time(left).await;

    let mut watch = shop.browser.call("register.v1.RegisterService/Watch", &wire::WatchRequest {}).await;
    let _: wire::WatchResponse = watch.message().await;
    shop.house.closing.cancel();
    assert!(watch.broke_off().await);
}

#[tokio::test]
async fn every_address_of_a_page_shows_the_pages_or_how_to_build_them() {
    let mut shop = Shop::open().await;
    for address in ["/", "/register", "/clerk", "/console/actors"] {
        let page = shop.browser.get(address).await;
        let built = !super::serve::PAGES.is_empty();
        assert_eq!(page.status, if built { 200 } else { 503 }, "{address}");
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        let text = page.text().await;
        assert!(built || text.contains("npm run build"), "{text}");
    }
    let missing = shop.browser.get("/assets/nothing.js").await;
    assert_eq!((missing.status, missing.header("content-type")), (404, "application/problem+json"));
    assert_eq!(shop.browser.post("/register", &json!({})).await.status, 405);
    assert_eq!(shop.browser.get("/healthz").await.status, 200);
}
