//! What a cashier does in a day, and saying the same thing twice.

use backroom_actors::journal::AppendError;
use backroom_actors::register::{Action, CommandError};
use backroom_actors::tills;
use backroom_core::facts::{CashMove, Fact, TicketEnd};
use backroom_core::money::{Money, Quantity};
use sqlx::Connection;

use crate::shop::{Shop, body, closed, id, receipt, seat, ticket, version};

#[tokio::test]
async fn a_day_at_the_till_adds_up() {
    let shop = Shop::open(&["r1"]).await;
    assert_eq!(shop.sell("r1").await, "r1/1/1");
    let open = ticket();
    let seen = version(&shop.scan("r1", open, 0, "4006381333931").await);
    let seen = version(&shop.scan("r1", open, seen, "MUG").await);
    let void = shop
        .say(
            "r1",
            id(),
            "void",
            Action::VoidLine {
                ticket: open,
                expected: seen,
                line: 1,
            },
        )
        .await
        .unwrap();
    let sale = shop.pay("r1", open, version(&void), 1000).await.unwrap();
    assert_eq!((closed(&sale).due, closed(&sale).change), (Money(850), Money(150)));
    let given_up = ticket();
    let seen = version(&shop.scan("r1", given_up, 0, "TEE").await);
    let cancelled = shop
        .say(
            "r1",
            id(),
            "cancel",
            Action::Cancel {
                ticket: given_up,
                expected: seen,
            },
        )
        .await
        .unwrap();
    assert_eq!((closed(&cancelled).end, closed(&cancelled).receipt), (TicketEnd::Cancelled, None));
    let back = Action::Return {
        ticket: ticket(),
        receipt: "r1/1/1".parse().unwrap(),
    };
    let back = shop.say("r1", id(), "return", back).await.unwrap();
    assert_eq!((receipt(&back).as_str(), closed(&back).due), ("r1/1/3", Money(-1990)));
    shop.till(
        "r1",
        tills::Action::MoveCash {
            kind: CashMove::PaidOut,
            amount: Money(300),
            reason: "milk".into(),
        },
    )
    .await;
    let z = shop.till("r1", tills::Action::CloseShift { counted: Money(10_550) }).await;
    let Fact::ShiftClosed(z) = &*z.fact else { panic!("no Z") };
    assert_eq!((z.z.expected, z.z.over_short), (Money(10_000 + 850 - 300), Money(0)));
    assert_eq!(shop.store.on_hand("MUG".parse().unwrap()).await.unwrap(), Quantity(-1000));
    let proven = shop.prove().await;
    assert_eq!(proven.stock.on_hand(&"TEE".parse().unwrap()), Quantity(0));
}

#[tokio::test]
async fn the_same_command_twice_is_one_command_before_and_after_a_restart() {
    let shop = Shop::open(&["r1"]).await;
    let open = ticket();
    let (scan, pay) = (id(), id());
    let scanned = Action::Scan {
        ticket: open,
        expected: 0,
        code: "TEE".into(),
        quantity: Quantity::ONE,
    };
    let first = shop.say("r1", scan, "scan", scanned.clone()).await.unwrap();
    let again = shop.say("r1", scan, "scan", scanned.clone()).await.unwrap();
    assert_eq!(version(&first), version(&again));
    let paid = Action::Tender {
        ticket: open,
        expected: version(&first),
        amount: Money(2000),
        settle: true,
    };
    let sale = closed(&shop.say("r1", pay, "pay", paid.clone()).await.unwrap());
    let shop = shop.reopen().await;
    assert_eq!(closed(&shop.say("r1", pay, "pay", paid).await.unwrap()), sale);
    assert_eq!(closed(&shop.say("r1", scan, "scan", scanned).await.unwrap()), sale);
    assert_eq!(shop.sell("r1").await, "r1/1/2");
    shop.prove().await;
}

#[tokio::test]
async fn an_id_that_is_used_again_for_something_else_is_refused_wherever_it_was_used() {
    let shop = Shop::open(&["r1", "r2"]).await;
    let (scan, open) = (id(), ticket());
    let action = |ticket| Action::Scan {
        ticket,
        expected: 0,
        code: "TEE".into(),
        quantity: Quantity::ONE,
    };
    let first = shop.say("r1", scan, "scan", action(open)).await.unwrap();
    let reused = |outcome: Result<_, CommandError>| matches!(outcome, Err(CommandError::Append(AppendError::CommandReused)));
    assert!(reused(shop.say("r1", scan, "other", action(open)).await));
    assert!(reused(shop.say("r1", scan, "other", action(ticket())).await));
    assert!(reused(shop.say("r2", scan, "other", action(ticket())).await));
    let cash = tills::Action::MoveCash {
        kind: CashMove::PaidIn,
        amount: Money(1),
        reason: "change".into(),
    };
    let cash = tills::Command {
        id: scan,
        body: body("cash"),
        staff: "s101".parse().unwrap(),
        seat: seat("r1"),
        action: cash,
    };
    assert!(matches!(
        shop.store.till(cash).await,
        Err(CommandError::Append(AppendError::CommandReused))
    ));
    // A ticket that is open on one register is not another's.
    assert!(matches!(
        shop.say("r2", id(), "scan", action(open)).await,
        Err(CommandError::UnknownTicket)
    ));
    shop.pay("r1", open, version(&first), 1990).await.unwrap();
    assert!(reused(shop.say("r1", scan, "other", action(ticket())).await));
    let shop = shop.reopen().await;
    // After a restart nobody remembers the id until the ticket is settled; then the journal does.
    let stale = ticket();
    let outcome = shop.say("r1", scan, "other", action(stale)).await;
    assert!(reused(outcome));
    shop.prove().await;
}

#[tokio::test]
async fn what_comes_late_or_for_nobody_is_refused() {
    let shop = Shop::open(&["r1"]).await;
    let open = ticket();
    let seen = version(&shop.scan("r1", open, 0, "TEE").await);
    let late = shop.pay("r1", open, seen - 1, 1990).await;
    assert!(matches!(late, Err(CommandError::Version { .. })), "{late:?}");
    assert!(matches!(shop.pay("r1", ticket(), 2, 1990).await, Err(CommandError::UnknownTicket)));
    shop.pay("r1", open, seen, 1990).await.unwrap();
    assert!(matches!(shop.pay("r1", open, seen, 1990).await, Err(CommandError::Closed)));
    let reopened = Action::Scan {
        ticket: open,
        expected: 0,
        code: "TEE".into(),
        quantity: Quantity::ONE,
    };
    assert!(matches!(shop.say("r1", id(), "scan", reopened).await, Err(CommandError::Closed)));
    shop.prove().await;
}

#[tokio::test]
async fn money_taken_for_an_open_ticket_is_still_there_after_a_restart() {
    let shop = Shop::open(&["r1"]).await;
    let open = ticket();
    let seen = version(&shop.scan("r1", open, 0, "TEE").await);
    let part = id();
    let action = Action::Tender {
        ticket: open,
        expected: seen,
        amount: Money(1000),
        settle: false,
    };
    let seen = version(&shop.say("r1", part, "part", action.clone()).await.unwrap());
    let shop = shop.reopen().await;
    let again = shop.say("r1", part, "part", action).await.unwrap();
    assert_eq!(version(&again), seen);
    let sale = closed(&shop.pay("r1", open, seen, 1000).await.unwrap());
    assert_eq!((sale.tenders.len(), sale.change), (2, Money(10)));
    shop.prove().await;
}

#[tokio::test]
async fn money_the_work_log_never_heard_of_keeps_its_version_through_every_fall() {
    let shop = Shop::open(&["r1"]).await;
    let open = ticket();
    let seen = version(&shop.scan("r1", open, 0, "TEE").await);
    let (part, action) = (
        id(),
        Action::Tender {
            ticket: open,
            expected: seen,
            amount: Money(1000),
            settle: false,
        },
    );
    shop.say("r1", part, "part", action.clone()).await.unwrap();
    shop.store.stop(std::time::Duration::from_secs(5)).await;
    // What a kill between the two files leaves behind.
    let url = format!("sqlite://{}", shop.home.path().join("worklog.db").display());
    let mut db = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let lost = sqlx::query("delete from step where event like '%tender_taken%'")
        .execute(&mut db)
        .await
        .unwrap();
    assert_eq!(lost.rows_affected(), 1);
    db.close().await.unwrap();
    let shop = shop.reopen().await;
    let told = version(&shop.say("r1", part, "part", action.clone()).await.unwrap());
    let shop = shop.reopen().await;
    assert_eq!(version(&shop.say("r1", part, "part", action).await.unwrap()), told);
    assert_eq!(closed(&shop.pay("r1", open, told, 990).await.unwrap()).change, Money(0));
    shop.prove().await;
}

#[tokio::test]
async fn a_receipt_is_taken_back_once_however_many_ask_at_once() {
    let shop = Shop::open(&["r1", "r2", "r3", "r4"]).await;
    let sold = shop.sell("r1").await;
    let ask = |register: &'static str| {
        let action = Action::Return {
            ticket: ticket(),
            receipt: sold.parse().unwrap(),
        };
        shop.say(register, id(), "return", action)
    };
    let outcomes = futures_util::future::join_all(["r1", "r2", "r3", "r4"].map(ask)).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    shop.prove().await;
}

#[tokio::test]
async fn a_shift_closes_between_sales_and_each_sale_is_in_one_z() {
    let shop = Shop::open(&["r1"]).await;
    let selling = async {
        for _ in 0..30 {
            shop.sell("r1").await;
        }
    };
    // Another register on the same till counts it while the first sells: the sales before are in this Z, the rest in the next shift.
    let closing = tills::Command {
        id: id(),
        body: body("close"),
        staff: "s101".parse().unwrap(),
        seat: seat("r1"),
        action: tills::Action::MoveCash {
            kind: CashMove::Drop,
            amount: Money(100),
            reason: "to the safe".into(),
        },
    };
    let (_, dropped) = tokio::join!(selling, shop.store.till(closing));
    dropped.unwrap();
    let z = shop.till("r1", tills::Action::CloseShift { counted: Money(0) }).await;
    let Fact::ShiftClosed(z) = &*z.fact else { panic!("no Z") };
    assert_eq!((z.z.totals.sales, z.z.expected), (30, Money(10_000 + 30 * 1990 - 100)));
    let open = ticket();
    let refused = shop
        .say(
            "r1",
            id(),
            "scan",
            Action::Scan {
                ticket: open,
                expected: 0,
                code: "TEE".into(),
                quantity: Quantity::ONE,
            },
        )
        .await;
    assert!(matches!(refused, Err(CommandError::Till(_))), "{refused:?}");
    shop.prove().await;
}

#[tokio::test]
async fn two_stores_live_in_one_process() {
    let (one, two) = tokio::join!(Shop::open(&["r1"]), Shop::open(&["r1"]));
    let (first, second) = tokio::join!(one.sell("r1"), two.sell("r1"));
    assert_eq!((first.as_str(), second.as_str()), ("r1/1/1", "r1/1/1"));
    one.prove().await;
    two.prove().await;
}
