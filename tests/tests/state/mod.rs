//! `state --as-of`: what the box said of itself at any moment can be recomputed later from the journal's first entries alone.
#![allow(clippy::unwrap_used, reason = "a test may simply stop")]

use std::time::Duration;

use backroom_protocol::v1::register as wire;
use backroom_tests::processes::Workplace;
use backroom_tests::shop::{self, Founding, Shop};
use installer::client::Client;
use installer::client::make::{self, TicketRef};
use installer::client::patience::Patience;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// What `state` said, and when the last fact had been written by then.
struct Look {
    what: &'static str,
    at: Timestamp,
    said: String,
}

async fn look(shop: &Shop, what: &'static str) -> Look {
    let said = String::from_utf8(shop.tool(&["state"]).await.unwrap()).unwrap();
    let export = String::from_utf8(shop.tool(&["journal", "export"]).await.unwrap()).unwrap();
    let last: Value = serde_json::from_str(export.lines().last().unwrap()).unwrap();
    let at = last["time"].as_str().unwrap().parse().unwrap();
    Look { what, at, said }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_box_said_at_any_moment_follows_from_the_entries_up_to_then() {
    let place = Workplace::new("state").unwrap();
    let founding = Founding {
        items: 5,
        ..Founding::plain()
    };
    let mut shop = Shop::found(place.path(), &founding).await.unwrap();
    shop.start().await.unwrap();
    let mut looks = vec![look(&shop, "a new store").await];
    let codes = shop::codes(5);
    let mut client = Client::new(&shop.address(), Patience::of(Duration::from_secs(20))).unwrap();
    let enrolled = client.command(&make::enrol(&shop.pair().await.unwrap(), "r1", None)).await.unwrap();
    client.carry(&enrolled.device_token).unwrap();
    let signed_in = client.command(&make::sign_in("s101", "4711", None)).await.unwrap();
    client.carry(&signed_in.session_token).unwrap();
    client.command(&make::open_shift(10_000, "EUR")).await.unwrap();
    looks.push(look(&shop, "an open shift").await);
    let mut receipts = Vec::new();
    for code in [&codes[1], &codes[2]] {
        let view = client
            .command(&make::scan(TicketRef::begin(), code, 0))
            .await
            .unwrap()
            .ticket
            .unwrap();
        let due = view.remaining.as_ref().unwrap().minor;
        let sold = client
            .command(&make::tender_and_settle(TicketRef::of(&view), due + 1, "EUR"))
            .await
            .unwrap();
        receipts.push(sold.ticket.unwrap().receipt);
        looks.push(look(&shop, "a sale").await);
    }
    client
        .command(&make::move_cash(wire::CashMoveKind::PaidIn, 500, "EUR", "coins"))
        .await
        .unwrap();
    looks.push(look(&shop, "cash paid in").await);
    client.command(&make::return_sale(&receipts[0])).await.unwrap();
    looks.push(look(&shop, "a return").await);
    client.command(&make::close_shift(10_000, "EUR")).await.unwrap();
    looks.push(look(&shop, "a closed shift").await);

    let microsecond = SignedDuration::from_micros(1);
    for (at, found) in looks.iter().enumerate() {
        let (code, said, _) = shop.asked(&["state", "--as-of", &found.at.to_string()]).await.unwrap();
        assert_eq!((code, said.as_str()), (0, found.said.trim()), "after {}", found.what);
        let Some(before) = at.checked_sub(1).map(|at| &looks[at]) else {
            continue;
        };
        let (code, said, _) = shop
            .asked(&["state", "--as-of", &(found.at - microsecond).to_string()])
            .await
            .unwrap();
        assert_eq!((code, said.as_str()), (0, before.said.trim()), "just before {}", found.what);
        assert_ne!(before.said, found.said, "{} changes nothing", found.what);
    }
    // By the clock on the wall of the shop, in another form.
    let local = looks[2].at.to_zoned(jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
    let (code, said, _) = shop.asked(&["state", "--as-of", &local.datetime().to_string()]).await.unwrap();
    assert_eq!((code, said.as_str()), (0, looks[2].said.trim()));

    let last = looks.last().unwrap();
    for (instant, expected, words) in [
        ("2000-01-01T00:00:00Z", "", "before it there was no store"),
        ("2199-01-01T00:00:00Z", last.said.trim(), "still to come"),
    ] {
        let (code, said, told) = shop.asked(&["state", "--as-of", instant]).await.unwrap();
        assert_eq!((code, said.as_str()), (0, expected), "{instant}");
        assert!(told.contains(words), "{instant}: {told}");
    }
    for (wrong, words) in [
        ("soon", "is no instant"),
        ("2026-10-25 02:30", "came twice"),
        ("2026-03-29 02:30", "never came"),
    ] {
        let (code, said, told) = shop.asked(&["state", "--as-of", wrong]).await.unwrap();
        assert!(code == 2 && said.is_empty() && told.contains(words), "{wrong}: {code} {told}");
    }
}
