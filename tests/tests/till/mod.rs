//! A real box and the real `till`: what a cashier does in a day, and what happens when the box dies, answers are repeated or rubbish arrives.
#![allow(clippy::unwrap_used, reason = "a test may simply stop")]

mod counter;

use std::time::Duration;

use backroom_tests::campaign::evidence;
use backroom_tests::laws::{Evidence, Law, Options, check};
use backroom_tests::load::{AtWork, Crew};
use installer::client::ask::Command;
use installer::client::make::{self, TicketRef};
use installer::client::patience::Patience;
use installer::client::{Client, Failure};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use counter::Counter;

#[tokio::test(flavor = "multi_thread")]
async fn a_day_at_the_till_from_pairing_to_the_z_report() {
    let counter = Counter::open().await;
    counter.done(&["open", "--float", "100.00"]).await;

    let sold = counter
        .done(&["sell", "--scan", counter.code(1), &format!("2*{}", counter.code(2)), "--cash", "50"])
        .await;
    assert_eq!((&sold["receipt"], &sold["state"]), (&json!("r1/1/1"), &json!("sold")));
    let due = counter.price(1).await + 2 * counter.price(2).await;
    assert_eq!((&sold["due"], &sold["change"]), (&json!(due), &json!(5000 - due)));

    let second = counter.done(&["sell", "--scan", counter.code(3), "--cash", "exact"]).await;
    assert_eq!(second["receipt"], "r1/1/2");
    let back = counter.done(&["return", "r1/1/2"]).await;
    assert_eq!(
        (&back["state"], &back["original"], &back["refund"]),
        (&json!("returned"), &json!("r1/1/2"), &second["due"])
    );
    counter.done(&["paid-in", "5.00", "--reason", "coins"]).await;
    counter.done(&["paid-out", "2.00", "--reason", "stamps"]).await;

    let x = counter.done(&["x"]).await;
    assert_eq!((&x["sales"], &x["returns"]), (&json!(2), &json!(1)));
    let expected = 10_000 + due + 500 - 200;
    let z = counter.done(&["close", "--counted", "100.00"]).await;
    assert_eq!(z["z_number"], 1);
    assert_eq!((&z["expected"], &z["over_short"]), (&json!(expected), &json!(10_000 - expected)));
    counter.laws_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_tells_its_code_and_leaves_nothing_open() {
    let counter = Counter::open().await;
    let refused = counter.refused(&["sell", "--scan", counter.code(1), "--cash", "exact"]).await;
    assert_eq!(refused["code"], "no_shift", "{refused}");
    counter.done(&["open", "--float", "100"]).await;
    for (code, args) in [
        ("unknown_code", vec!["sell", "--scan", counter.code(1), "NOPE", "--cash", "exact"]),
        ("not_enough", vec!["sell", "--scan", counter.code(1), "--cash", "0.01"]),
        ("unknown_receipt", vec!["return", "r1/1/99"]),
    ] {
        let refused = counter.refused(&args).await;
        assert_eq!(refused["code"], code, "{refused}");
        assert!(refused["error"].as_str().is_some_and(|sentence| sentence.len() > 20), "{refused}");
    }
    assert_eq!(counter.done(&["tickets"]).await["tickets"], json!([]));
    let (status, _) = counter.till(&["sell", "--scan", "A", "--cash", "1.2.3"]).await;
    assert_eq!(status, 2, "a slip on the command line is wrong use");
    counter.laws_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_was_interrupted_is_finished_by_saying_it_again_and_sold_once() {
    let mut counter = Counter::open().await;
    counter.done(&["open", "--float", "100"]).await;
    let sale = ["sell", "--scan", counter.code(1), counter.code(2), "--cash", "exact"].map(str::to_owned);
    let sale: Vec<&str> = sale.iter().map(String::as_str).collect();

    counter.shop.kill().await.unwrap();
    let (status, told) = counter.till(&[&sale[..], &["--patience", "1"]].concat()).await;
    assert_eq!((status, &told["code"]), (1, &json!("unreachable")));
    counter.shop.start().await.unwrap();

    let other = counter.refused(&["sell", "--scan", counter.code(5), "--cash", "exact"]).await;
    assert_eq!(other["code"], "sale_unfinished", "another sale waits for the first");
    let sold = counter.done(&sale).await;
    assert_eq!((&sold["receipt"], &sold["resumed"]), (&json!("r1/1/1"), &json!(true)));
    let next = counter.done(&sale).await;
    assert_eq!(
        (&next["receipt"], &next["resumed"]),
        (&json!("r1/1/2"), &json!(false)),
        "the next customer"
    );
    assert_eq!(counter.done(&["x"]).await["sales"], 2);
    counter.laws_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_that_is_killed_at_any_moment_sells_what_it_was_told_to_exactly_once() {
    let counter = Counter::open().await;
    counter.done(&["open", "--float", "100"]).await;
    let sale = [
        "sell",
        "--scan",
        counter.code(1),
        counter.code(2),
        counter.code(3),
        "--cash",
        "exact",
    ];
    let mut interrupted = 0;
    for after_ms in [2, 5, 8, 10, 12, 14, 16, 18, 20, 24, 28, 34, 40, 50] {
        match counter.till_killed_after(Duration::from_millis(after_ms), &sale).await {
            true => continue, // It was quicker and told its receipt.
            false => interrupted += 1,
        }
        // What a cashier finds: either the sale is still there to be finished, or it was already told to the box as a whole.
        let (status, told) = counter.till(&["resume"]).await;
        assert!(status == 0 || told["code"] == "no_ticket", "{told}");
    }
    assert!(interrupted > 0, "no till was ever killed in time");
    assert_eq!(counter.done(&["tickets"]).await["tickets"], json!([]));
    counter.laws_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_has_the_same_outcome_and_another_body_is_refused() {
    let counter = Counter::open().await;
    counter.done(&["open", "--float", "100"]).await;
    let mut client = Client::new(&counter.shop.address(), Patience::of(Duration::from_secs(20)))
        .unwrap()
        .with_notes(counter.log());
    client.carry(&counter.session_token()).unwrap();

    let scan = make::scan(TicketRef::begin(), counter.code(1), 0);
    let first = client.command(&scan).await.unwrap();
    let again = client.command(&scan).await.unwrap();
    assert_eq!((first.ticket.as_ref(), first.line), (again.ticket.as_ref(), again.line));
    let mut other = scan.clone();
    other.code = counter.code(2).to_owned();
    let failure = client.command(&other).await.unwrap_err();
    assert_eq!(failure.refusal(), Some("command_id_reused"), "{failure}");

    let view = first.ticket.unwrap();
    let due = view.remaining.as_ref().unwrap().minor;
    let pay = make::tender_and_settle(TicketRef::of(&view), due, "EUR");
    let sold = client.command(&pay).await.unwrap();
    let again = client.command(&pay).await.unwrap();
    assert_eq!(sold.ticket, again.ticket, "the receipt, the change and every line are the same");
    let mut more = pay.clone();
    more.amount.as_mut().unwrap().minor += 1;
    let failure = client.command(&more).await.unwrap_err();
    assert_eq!(failure.refusal(), Some("command_id_reused"), "{failure}");

    let mut stale = make::scan(TicketRef::begin(), counter.code(1), 0);
    stale.ticket.as_mut().unwrap().expected_version = 7;
    assert!(
        matches!(client.command(&stale).await.unwrap_err(), Failure::Refused { .. }),
        "{}",
        stale.command_id()
    );
    assert_eq!(counter.done(&["x"]).await["sales"], 1);
    counter.laws_hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_on_the_ports_disturbs_no_register() {
    let counter = Counter::open().await;
    let logs = counter.logs();
    let crew = Crew {
        prefix: "x".into(),
        items: 20,
        ..Crew::of_a_campaign(2, logs, 3)
    };
    let crew = crew.hire(&counter.shop).await.unwrap();
    let mut at_work = AtWork::begin(crew);
    let grpc = counter.shop.address().replace("http://", "");
    let http = counter.shop.http().replace("http://", "");
    let rubbish: [&[u8]; 6] = [
        b"\x00\xff\x00\xff\x00\xff\x00\xff",
        b"GET / HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"POST /backroom.register.v1.RegisterService/Scan HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n",
        &[b'A'; 70_000],
        b"",
    ];
    for address in [&grpc, &http] {
        for bytes in rubbish {
            let mut socket = TcpStream::connect(address).await.unwrap();
            let _ = socket.write_all(bytes).await;
            let mut answer = [0; 256];
            // Whether it answers or hangs up is its own matter.
            let _ = tokio::time::timeout(Duration::from_millis(50), socket.read(&mut answer)).await;
        }
    }
    at_work.check().await.unwrap();
    let (_, tally) = at_work.end().await.unwrap();
    assert!(tally.sales > 0 && tally.refusals.is_empty(), "{tally:?}");
    counter.laws_hold().await;
}

impl Counter {
    /// Over the exports of the box and every log of this test.
    async fn laws_hold(&self) {
        let folder = self.folder().join("evidence");
        evidence::gather(&folder, std::slice::from_ref(&self.shop), &self.logs(), None)
            .await
            .unwrap();
        let report = check(&Evidence::read_folder(&folder).unwrap(), Options::default());
        report.assert_holds(&[Law::L1, Law::L2, Law::L4]);
    }
}
