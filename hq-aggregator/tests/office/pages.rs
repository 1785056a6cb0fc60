//! What the portal's pages stand on: their own files, a session in a cookie, and the questions that only they ask.

use serde_json::{Value, json};

use backroom_core::facts::{Fact, PriceDirected};
use hq_aggregator::tenant::TenantDb;
use hq_aggregator::tenant::{clocks, hours};

use crate::engine::{Engine, on_both_engines};
use crate::head_office::{HeadOffice, PASSWORD};
use crate::http::Answer;
use crate::store::{Journal, NOON, Store};

on_both_engines! {
    pages_are_shown_at_their_own_addresses_and_nowhere_else,
    a_page_signs_in_with_a_cookie_that_other_pages_cannot_use,
    a_day_is_summed_by_the_clock_of_its_shop,
    an_item_shows_its_orders_and_a_sale_its_lines,
}

async fn pages_are_shown_at_their_own_addresses_and_nowhere_else(engine: Engine) {
    let office = HeadOffice::open(engine).await;
    for path in ["/", "/stores", "/sales?day=2026-11-21", "/products/MUG"] {
        let page = office.ask("GET", path, None, None).await;
        // Without built pages the same addresses say how to build them.
        let is_built = page.status == 200 && page.text.contains("id=\"page\"");
        assert!(is_built || page.status == 503 && page.text.contains("npm run build"), "{page:?}");
        for head in [
            "content-type: text/html; charset=utf-8",
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self';",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
        ] {
            assert!(page.head.contains(head), "{head} is missing: {}", page.head);
        }
        assert!(!page.head.contains("unsafe"), "{}", page.head);
    }
    for (method, path, status) in [
        ("GET", "/nowhere", 404),
        ("GET", "/stores/missing.js", 404),
        ("GET", "/../Cargo.toml", 404),
        ("POST", "/stores", 404),
        ("GET", "/webhooks/anything", 404),
        ("GET", "/api/v1/stores", 401),
        ("GET", "/api/anything", 404),
    ] {
        let answer = office.ask(method, path, None, None).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert!(answer.head.contains("application/problem+json"), "{method} {path}: {answer:?}");
    }
}

fn cookie(answer: &Answer) -> (String, String) {
    let line = answer.head.lines().find(|line| line.starts_with("set-cookie: ")).unwrap();
    let value = line.trim_start_matches("set-cookie: ");
    (value.split(';').next().unwrap().to_owned(), value.to_owned())
}

async fn a_page_signs_in_with_a_cookie_that_other_pages_cannot_use(engine: Engine) {
    let office = HeadOffice::open(engine).await;
    office.add_store("nord", "harbour").await;
    let question = json!({ "tenant": "nord", "user": "mia", "password": PASSWORD }).to_string();
    let ours = ("x-backroom-page", "portal".to_owned());
    let path = "/api/v1/session";

    let elsewhere = office.ask_with("POST", path, &[], Some(&question)).await;
    assert_eq!(
        (elsewhere.status, &elsewhere.body["code"]),
        (403, &json!("not_our_page")),
        "{elsewhere:?}"
    );
    let wrong = json!({ "tenant": "nord", "user": "mia", "password": "wrong" }).to_string();
    let wrong = office.ask_with("POST", path, std::slice::from_ref(&ours), Some(&wrong)).await;
    assert_eq!((wrong.status, &wrong.body["code"]), (401, &json!("wrong_login")), "{wrong:?}");

    let entered = office.ask_with("POST", path, std::slice::from_ref(&ours), Some(&question)).await;
    assert_eq!(entered.status, 200, "{entered:?}");
    assert_eq!(
        (&entered.body["tenant"], &entered.body["company"], &entered.body["user"]),
        (&json!("nord"), &json!("nord"), &json!("mia"))
    );
    assert_eq!(entered.body["token"], Value::Null, "no script gets the token");
    let (_, rules) = cookie(&entered);
    for rule in ["httponly", "samesite=strict", "path=/api/v1", "max-age=28800"] {
        assert!(rules.contains(rule), "{rule} is missing in {rules}");
    }
    // The head was made small to compare; the token itself is as it was sent.
    let held = ("cookie", entered.cookie("backroom_portal"));
    let who = office.ask_with("GET", path, std::slice::from_ref(&held), None).await;
    assert_eq!((who.status, &who.body["user"]), (200, &json!("mia")), "{who:?}");

    let price = "/api/v1/products/MUG/price";
    let put = async |more: &[(&str, String)]| {
        let headers = [std::slice::from_ref(&held), more].concat();
        office.ask_with("PUT", price, &headers, Some(r#"{"price": 700}"#)).await
    };
    let site = |site: &str| ("sec-fetch-site", site.to_owned());
    for forged in [
        vec![],
        vec![site("same-origin")],
        vec![ours.clone(), site("cross-site")],
        vec![ours.clone(), site("same-site")],
    ] {
        let answer = put(&forged).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (403, &json!("not_our_page")),
            "{forged:?}: {answer:?}"
        );
    }
    assert_eq!(put(&[ours.clone(), site("same-origin")]).await.status, 200);

    let left = office.ask_with("DELETE", path, &[held.clone(), ours], None).await;
    assert_eq!(left.status, 204, "{left:?}");
    assert!(cookie(&left).1.contains("max-age=0"), "{left:?}");
    assert_eq!(
        office.ask_with("GET", path, &[held], None).await.status,
        401,
        "a copy of the cookie is void too"
    );
    assert!(!office.log().contains(PASSWORD));
}

async fn a_day_is_summed_by_the_clock_of_its_shop(engine: Engine) {
    let office = HeadOffice::open(engine).await;
    let join = office.add_store("nord", "harbour").await;
    office.add_store("nord", "station").await;
    let token = office.sign_in("nord").await;
    let mut store = Store::join(&join, office.broker_url()).await;
    let mut journal = Journal::new(store.address);
    journal.open();
    journal.sell_many(3);
    journal.take_back();
    store.sync(&journal).await;
    // Noon in Greenwich is 13:00 in the shop; one sale was two and a half hours later.
    office
        .books()
        .alter("nord", "update sale set at = at + 9000000000 where number = 2")
        .await;

    let db = TenantDb::open(&office.books().databases(), "nord".parse().unwrap()).await.unwrap();
    let mut moment = db.snapshot().await.unwrap();
    let harbour = "harbour".parse().unwrap();
    let clock = clocks::clock(&mut moment, harbour).await.unwrap().unwrap();
    assert_eq!((clock.zone.as_str(), clock.currency.as_str()), ("Europe/Berlin", "EUR"));
    let hours = hours::hours(&mut moment, harbour, "2026-11-21", &clock).await.unwrap();
    let found: Vec<_> = hours.iter().map(|hour| (hour.hour, hour.sales, hour.returns, hour.due)).collect();
    assert_eq!(found, [(13, 2, 1, 1000), (15, 1, 0, 1000)]);

    let one_pm = backroom_core::time::Instant::from_micros(NOON + 3_600_000_000).unwrap();
    let trade = hours::trade(&mut moment, harbour, "2026-11-21", Some(one_pm)).await.unwrap();
    assert_eq!((trade[0].sales, trade[0].returns, trade[0].due, trade[0].sold), (2, 1, 1000, 2000));
    let whole = hours::trade(&mut moment, harbour, "2026-11-21", None).await.unwrap();
    assert_eq!((whole[0].sales, whole[0].due, whole[0].net, whole[0].tax), (3, 2000, 1680, 320));
    assert_eq!(hours::trade(&mut moment, harbour, "2026-11-20", None).await.unwrap(), []);
    drop(moment);

    let today = office.ask("GET", "/api/v1/reports/today", Some(&token), None).await.body;
    let shops = today["stores"].as_array().unwrap();
    assert_eq!(
        (&shops[0]["store"], &shops[0]["zone"], &shops[0]["waiting"]),
        (&json!("harbour"), &json!("Europe/Berlin"), &json!(0))
    );
    assert!(shops[0]["day"].is_string() && shops[0]["held_to"].is_string(), "{today}");
    assert_eq!(
        (&shops[1]["store"], &shops[1]["day"], &shops[1]["today"]),
        (&json!("station"), &json!(null), &json!([]))
    );
    let standing = office.standing(&token, "harbour").await;
    assert_eq!((&standing["zone"], &standing["currency"]), (&json!("Europe/Berlin"), &json!("EUR")));
}

async fn an_item_shows_its_orders_and_a_sale_its_lines(engine: Engine) {
    let office = HeadOffice::open(engine).await;
    let join = office.add_store("nord", "harbour").await;
    let token = office.sign_in("nord").await;
    let ask = async |path: &str| office.ask("GET", path, Some(&token), None).await;
    let mut store = Store::join(&join, office.broker_url()).await;
    let mut journal = Journal::new(store.address);
    journal.open();
    journal.sell_many(2);
    store.sync(&journal).await;

    let price = json!({ "price": 1200, "effective_at": "2026-11-21T12:00:00Z" });
    office.ask("PUT", "/api/v1/products/MUG/price", Some(&token), Some(&price)).await;
    let orders = async || ask("/api/v1/products/MUG").await.body["orders"].clone();
    let waiting = orders().await;
    assert_eq!(
        (&waiting[0]["store"], &waiting[0]["price"], &waiting[0]["state"]),
        (&json!("harbour"), &json!(1200), &json!("pending"))
    );
    assert_eq!(waiting[0]["ordered_by"], "mia");
    let change = serde_json::from_value(json!({
        "sku": "MUG", "price": 1200, "currency": "EUR", "effective_at": "2026-11-21T12:00:00Z",
    }));
    journal.write(&Fact::PriceDirected(PriceDirected {
        directive: 1,
        change: change.unwrap(),
    }));
    store.sync(&journal).await;
    crate::eventually("the store's answer is shown", async || orders().await[0]["state"] == "followed").await;
    assert_eq!(ask("/api/v1/products/NOPE").await.status, 404);

    let sale = ask("/api/v1/sales?limit=1").await.body["sales"][0].clone();
    let seq = sale["seq"].as_i64().unwrap();
    let opened = ask(&format!("/api/v1/sales/harbour/1/{seq}")).await.body;
    assert_eq!((&opened["receipt"], &opened["ticket"]["due"]), (&sale["receipt"], &sale["due"]));
    for missing in [
        "/api/v1/sales/harbour/1/999",
        "/api/v1/sales/harbour/1/1",
        "/api/v1/sales/station/1/2",
    ] {
        assert_eq!(ask(missing).await.status, 404, "{missing}");
    }

    let sheet = ask("/api/v1/sales.csv?store=harbour&day=2026-11-21").await;
    assert!(sheet.head.contains("content-type: text/csv; charset=utf-8"), "{sheet:?}");
    assert!(
        sheet.head.contains("attachment; filename=\"sales-2026-11-21-harbour.csv\""),
        "{sheet:?}"
    );
    let lines: Vec<&str> = sheet.text.split("\r\n").collect();
    assert_eq!(
        lines[0],
        "store,receipt,kind,time,business_day,till,net,tax,cash_rounding,due,currency"
    );
    assert!(lines[1].starts_with("harbour,r1/1/2,sale,2026-11-21T12:00:00"), "{}", lines[1]);
    assert!(lines[1].ends_with(",2026-11-21,t1,8.40,1.60,0.00,10.00,EUR"), "{}", lines[1]);
    assert_eq!((lines.len(), lines[3]), (4, ""), "every line ends, none is missing");
}
