//! Actors that fall: the sale goes on, the others do not notice, nothing is lost or doubled.

use std::time::{Duration, Instant};

use backroom_actors::register::{Action, Command, CommandError, Outcome};
use backroom_actors::supervisor::ChildState;
use backroom_core::money::{Money, Quantity};

use crate::shop::{Shop, body, closed, id, ticket, until, version};

/// Says a command until somebody answers, as a register does.
async fn insist(shop: &Shop, register: &str, action: Action) -> Outcome {
    let command = Command {
        id: id(),
        body: body("insist"),
        staff: "s101".parse().unwrap(),
        session: 1,
        training: false,
        action,
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match shop.store.sell(register.parse().unwrap(), command.clone()).await {
            Ok(outcome) => return outcome,
            Err(CommandError::Refused(refused)) => panic!("{refused}"),
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

async fn sell(shop: &Shop, register: &str) {
    let open = ticket();
    let mut seen = 0;
    for code in ["TEE", "MUG", "TEE"] {
        let scan = Action::Scan {
            ticket: open,
            expected: seen,
            code: code.into(),
            quantity: Quantity::ONE,
        };
        seen = version(&insist(shop, register, scan).await);
    }
    let pay = Action::Tender {
        ticket: open,
        expected: seen,
        amount: Money(5000),
        settle: true,
    };
    assert_eq!(closed(&insist(shop, register, pay).await).due, Money(1990 * 2 + 850));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_actor_may_fall_while_two_registers_sell() {
    let shop = Shop::open(&["r1", "r2"]).await;
    let names: Vec<String> = shop.store.actors().await.into_iter().map(|actor| actor.name).collect();
    assert!(names.len() >= 7, "{names:?}");
    let striking = async {
        for round in 0..3 {
            for name in &names {
                assert!(shop.store.strike(name.clone()).await);
                until("the struck actor is back", async || {
                    shop.store
                        .actors()
                        .await
                        .iter()
                        .any(|actor| actor.name == *name && actor.restarts > round)
                })
                .await;
            }
        }
    };
    let selling = async |register| {
        for _ in 0..25 {
            sell(&shop, register).await;
        }
    };
    tokio::join!(striking, selling("r1"), selling("r2"));
    let proven = shop.prove().await;
    assert_eq!(proven.stock.on_hand(&"MUG".parse().unwrap()), Quantity(-50_000));
    until("the stock's actor has caught up", async || {
        shop.store.on_hand("MUG".parse().unwrap()).await == Ok(Quantity(-50_000))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_register_that_falls_finds_its_open_ticket_again() {
    let shop = Shop::open(&["r1"]).await;
    let open = ticket();
    let seen = version(&shop.scan("r1", open, 0, "TEE").await);
    let seen = version(&shop.scan("r1", open, seen, "MUG").await);
    shop.store.strike("register/r1".into()).await;
    let pay = Action::Tender {
        ticket: open,
        expected: seen,
        amount: Money(2840),
        settle: true,
    };
    let sale = closed(&insist(&shop, "r1", pay).await);
    assert_eq!((sale.lines.len(), sale.due), (2, Money(2840)));
    shop.prove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_that_keeps_falling_is_set_aside_and_shown_and_the_others_sell() {
    let shop = Shop::open(&["r1", "r2"]).await;
    until("r2 is quarantined", async || {
        shop.store.strike("register/r2".into()).await;
        let r2 = shop.store.actors().await.into_iter().find(|actor| actor.name == "register/r2");
        r2.is_some_and(|actor| actor.state == ChildState::Quarantined)
    })
    .await;
    sell(&shop, "r1").await;
    assert_eq!(shop.store.down(), ["register/r2"]);
    let r2 = shop
        .store
        .actors()
        .await
        .into_iter()
        .find(|actor| actor.name == "register/r2")
        .unwrap();
    assert!(r2.last_error.contains("struck down"), "{r2:?}");
    shop.prove().await;
}
