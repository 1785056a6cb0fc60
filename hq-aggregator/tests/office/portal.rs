//! The portal: who may ask, and how wrong questions are answered.

use serde_json::{Value, json};

use crate::engine::{Engine, on_both_engines};
use crate::eventually;
use crate::head_office::{HeadOffice, PASSWORD};
use crate::http::Answer;
use crate::store::{Journal, Store};

on_both_engines! {
    every_route_but_the_login_wants_a_token,
    guessing_passwords_is_slow_and_tells_nothing,
    wrong_questions_get_a_sentence_and_change_nothing,
    sales_products_and_the_day_are_shown_page_by_page,
    a_silent_store_is_shown_as_there_and_one_that_left_as_away,
    an_address_that_others_can_reach_is_refused,
}

fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, &answer.body["code"], &answer.body["status"]),
        (status, &json!(code), &json!(status)),
        "{answer:?}"
    );
    assert!(answer.head.contains("content-type: application/problem+json"), "{answer:?}");
    let id = answer.body["request_id"].as_str().unwrap();
    assert!(answer.head.contains(&format!("x-request-id: {id}")), "{answer:?}");
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(
        detail.len() > 10 && !detail.contains("/home") && !detail.to_lowercase().contains("select "),
        "{detail}"
    );
}

async fn every_route_but_the_login_wants_a_token(engine: Engine) {
    let mut office = HeadOffice::open(engine).await;
    office.add_store("nord", "harbour").await;
    let routes = [
        ("GET", "/api/v1/stores"),
        ("GET", "/api/v1/products"),
        ("PUT", "/api/v1/products/MUG/price"),
        ("GET", "/api/v1/sales"),
        ("GET", "/api/v1/reports/daily?day=2026-11-21"),
        ("GET", "/api/v1/quarantine"),
        ("GET", "/api/v1/session"),
        ("DELETE", "/api/v1/session"),
        ("GET", "/api/v1/products/MUG"),
        ("GET", "/api/v1/sales.csv"),
        ("GET", "/api/v1/sales/harbour/1/2"),
        ("GET", "/api/v1/reports/today"),
        ("GET", "/api/v1/anything"),
        ("GET", "/api/v1//login"),
        ("POST", "/api/v1/login/"),
    ];
    for (method, path) in routes {
        for token in [None, Some(""), Some("eyJhbGciOiJub25lIn0.e30."), Some("' or 1=1 --")] {
            assert_problem(
                &office.ask(method, path, token, Some(&json!({ "price": 1 }))).await,
                401,
                "not_signed_in",
            );
        }
    }
    assert_eq!(office.ask("GET", "/healthz", None, None).await.status, 200);
    assert_eq!(
        office.ask("GET", "/readyz", None, None).await.body,
        json!({ "ok": true, "failing": [] })
    );
    assert_problem(&office.ask("GET", "/nowhere", None, None).await, 404, "not_found");
    let token = office.sign_in("nord").await;
    assert_problem(&office.ask("GET", "/api/v1/anything", Some(&token), None).await, 404, "not_found");
    assert_problem(
        &office.ask("DELETE", "/api/v1/stores", Some(&token), None).await,
        405,
        "method_not_allowed",
    );
    let log = office.log();
    assert!(!log.contains(&token) && !log.contains(PASSWORD), "a secret is in the log");
    // A token outlives the process, and only its hash is kept.
    office.stop().await;
    office.start().await;
    assert_eq!(office.ask("GET", "/api/v1/stores", Some(&token), None).await.status, 200);
    let kept = office.books().bytes();
    assert!(!kept.windows(token.len()).any(|bytes| bytes == token.as_bytes()));
}

async fn guessing_passwords_is_slow_and_tells_nothing(engine: Engine) {
    let office = HeadOffice::open(engine).await;
    let login = async |tenant: &str, user: &str| {
        let question = json!({ "tenant": tenant, "user": user, "password": "wrong wrong wrong" });
        office.ask("POST", "/api/v1/login", None, Some(&question)).await
    };
    let (wrong, nobody, nowhere) = (login("nord", "mia").await, login("nord", "nobody").await, login("NO!", "mia").await);
    for answer in [&wrong, &nobody, &nowhere] {
        assert_problem(answer, 401, "wrong_login");
        assert_eq!(answer.body["detail"], wrong.body["detail"]);
    }
    for _ in 1..10 {
        login("nord", "mia").await;
    }
    let stopped = login("nord", "mia").await;
    assert_problem(&stopped, 429, "too_many_attempts");
    assert!(stopped.head.contains("retry-after: "), "{stopped:?}");
    assert_problem(&login("nord", "ben").await, 401, "wrong_login");
}

async fn wrong_questions_get_a_sentence_and_change_nothing(engine: Engine) {
    let office = HeadOffice::open(engine).await;
    office.add_store("nord", "harbour").await;
    let token = office.sign_in("nord").await;
    let price = "/api/v1/products/MUG/price";
    let put = async |path: &str, body: &str| {
        office
            .ask_with("PUT", path, &[("authorization", format!("Bearer {token}"))], Some(body))
            .await
    };
    assert_problem(&put(price, "{").await, 400, "bad_request");
    assert_problem(&put(price, "").await, 400, "bad_request");
    assert_problem(&put(price, r#"{"price": 1, "tenant": "sued"}"#).await, 422, "wrong_body");
    assert_problem(&put(price, r#"{"price": 10.5}"#).await, 422, "wrong_body");
    assert_problem(&put(price, r#"{"price": -1}"#).await, 422, "price");
    assert_problem(&put(price, r#"{"price": 9000000000000000000}"#).await, 422, "price");
    assert_problem(&put(price, r#"{"price": 1, "effective_at": "soon"}"#).await, 422, "wrong_body");
    assert_problem(&put(price, r#"{"price": 1, "stores": ["nowhere"]}"#).await, 422, "unknown_store");
    assert_problem(&put(price, r#"{"price": 1, "stores": []}"#).await, 422, "no_stores");
    assert_problem(&put("/api/v1/products/NOPE/price", r#"{"price": 1}"#).await, 404, "unknown_item");
    assert_problem(&put("/api/v1/products/%00%27/price", r#"{"price": 1}"#).await, 404, "unknown_item");
    let huge = format!(r#"{{"price": 1, "stores": ["{}"]}}"#, "x".repeat(300 << 10));
    assert_problem(&put(price, &huge).await, 413, "too_large");
    let form = [
        ("authorization", format!("Bearer {token}")),
        ("content-type", "text/plain".to_owned()),
    ];
    assert_problem(&office.ask_with("PUT", price, &form, Some("{}")).await, 415, "not_json");
    let wrong_queries = [
        "/api/v1/products?limit=0",
        "/api/v1/products?limit=many",
        "/api/v1/products?cursor=***",
        "/api/v1/products?tenant=sued",
        "/api/v1/sales?day=yesterday",
        "/api/v1/sales?store=A%20B",
        "/api/v1/sales?cursor=AAAA",
        "/api/v1/reports/daily",
    ];
    for path in wrong_queries {
        assert_problem(&office.ask("GET", path, Some(&token), None).await, 400, "bad_request");
    }
    assert_eq!(office.standing(&token, "harbour").await["directives_pending"], 0);
}

async fn sales_products_and_the_day_are_shown_page_by_page(engine: Engine) {
    let office = HeadOffice::open(engine).await;
    let join = office.add_store("nord", "harbour").await;
    let token = office.sign_in("nord").await;
    let ask = async |path: &str| office.ask("GET", path, Some(&token), None).await.body;
    let mut store = Store::join(&join, office.broker_url()).await;
    let mut journal = Journal::new(store.address);
    journal.open();
    journal.sell_many(4);
    journal.take_back();
    store.sync(&journal).await;

    let mut receipts = Vec::new();
    let mut next = String::new();
    loop {
        let page = ask(&format!("/api/v1/sales?limit=2&store=harbour&day=2026-11-21{next}")).await;
        receipts.extend(
            page["sales"]
                .as_array()
                .unwrap()
                .iter()
                .map(|sale| sale["receipt"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(receipts, ["r1/1/5", "r1/1/4", "r1/1/3", "r1/1/2", "r1/1/1"]);
    assert_eq!(ask("/api/v1/sales?day=2026-11-20").await["sales"], json!([]));

    let day = ask("/api/v1/reports/daily?day=2026-11-21").await;
    let totals = json!([{
        "currency": "EUR", "sales": 4, "returns": 1, "net": 2520, "tax": 480, "cash_rounding": 0, "due": 3000,
        "taxes": [{ "tax_class": "A", "rate": "0.19", "net": 2520, "tax": 480 }],
    }]);
    assert_eq!((&day["day"], &day["totals"]), (&json!("2026-11-21"), &totals));
    assert_eq!(ask("/api/v1/reports/daily?day=2026-11-21&store=station").await["totals"], json!([]));

    let names = |page: &Value| {
        page["products"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["sku"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = ask("/api/v1/products?limit=3").await;
    assert_eq!(names(&first), ["CAPA1", "CAP_1", "MUG"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(names(&ask(&format!("/api/v1/products?limit=3&cursor={cursor}")).await), ["TEE-M"]);
    assert_eq!(
        names(&ask("/api/v1/products?q=p_1").await),
        ["CAP_1"],
        "an underscore is an underscore"
    );

    let standing = office.standing(&token, "harbour").await;
    assert_eq!(
        (&standing["connected"], &standing["head"], &standing["held"]),
        (&json!(true), &json!(8), &json!(8))
    );
    assert_eq!(
        (&standing["applied"], &standing["lag_entries"], &standing["epoch"]),
        (&json!(8), &json!(0), &json!(1))
    );
    journal.sell_many(2);
    store.hello(&[&journal], 0).await;
    assert_eq!(office.standing(&token, "harbour").await["lag_entries"], 2);
}

async fn a_silent_store_is_shown_as_there_and_one_that_left_as_away(engine: Engine) {
    let office = HeadOffice::open(engine).await;
    let join = office.add_store("nord", "harbour").await;
    let token = office.sign_in("nord").await;
    assert_eq!(office.standing(&token, "harbour").await["connected"], false);
    let mut store = Store::join(&join, office.broker_url()).await;
    let mut journal = Journal::new(store.address);
    journal.open();
    store.sync(&journal).await;
    let said_last = office.standing(&token, "harbour").await["last_seen"].clone();
    eventually("it is seen again without saying a word", async || {
        let standing = office.standing(&token, "harbour").await;
        standing["connected"] == true && standing["last_seen"] != said_last
    })
    .await;
    store.leave().await;
    eventually("it is shown as away", async || {
        office.standing(&token, "harbour").await["connected"] == false
    })
    .await;
}

async fn an_address_that_others_can_reach_is_refused(engine: Engine) {
    let office = HeadOffice::closed(engine).await;
    for words in [["--http", "0.0.0.0:0"], ["--nats-listen", "0.0.0.0:0"]] {
        let output = office.command(&[&["run"], &words[..]].concat()).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(3) && said.contains("until TLS is there, listen on a loopback address"),
            "{said}"
        );
    }
}
