//! Many payments in a row, each with faults of chance, on one terminal that is also switched off and on. The seed is fixed and named
//! when a run fails.

use std::time::Duration;

use backroom_devices::link::terminal::{Approval, Outcome, Patience};

use crate::shop::Shop;

const PAYMENTS: u32 = 300;

/// SplitMix64: enough of chance for a test, and the same on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.next().is_multiple_of(count)
    }

    fn of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        let count = u64::try_from(things.len()).unwrap();
        &things[usize::try_from(self.next() % count).unwrap()]
    }
}

async fn run(seed: u64) {
    let mut chance = Chance(seed);
    let mut shop = Shop::open().await;
    let patient = shop.settings.patience;
    let short = Patience {
        acknowledge: Duration::from_millis(20),
        progress: Duration::from_millis(20),
    };
    let mut unknown = 0;
    let mut paid: Vec<Approval> = Vec::new();
    for payment in 0..PAYMENTS {
        shop.turn("calm").await;
        if chance.one_in(40) {
            shop.restart_terminal().await;
        }
        shop.settings.patience = patient;
        if chance.one_in(2) {
            let places = [
                "on-command",
                "before-ack",
                "after-ack",
                "before-status",
                "after-status-unacked",
                "after-status-acked",
                "before-completion",
            ];
            shop.turn(&format!("drop {} once", chance.of(&places))).await;
        }
        for knob in ["split on", "status-twice on", "flood 50", "next decline", "next abort 05"] {
            if chance.one_in(8) {
                shop.turn(knob).await;
            }
        }
        if chance.one_in(10) {
            // Answers come after the register has given up on them.
            shop.settings.patience = short;
            shop.turn("late 40").await;
            shop.link = None;
        }
        let amount = *chance.of(&[500, 500, 700]);
        let open = shop.begin(amount).await;
        if chance.one_in(8) {
            // Nobody gets through any more who is not connected.
            shop.turn("refuse on").await;
        }
        let outcome = shop.authorize_as_it_is(amount).await;
        shop.settings.patience = patient;
        shop.turn("refuse off").await;
        unknown += u32::from(matches!(outcome, Outcome::Unknown { .. }));
        if chance.one_in(12) {
            shop.restart_terminal().await;
            shop.link = None;
        }
        paid.extend(shop.find_out(&open, &outcome).await);
        if payment % 10 == 9 {
            shop.turn("calm").await;
            if chance.one_in(2) {
                shop.turn(&format!(
                    "drop {} once",
                    chance.of(&["after-ack", "before-status", "after-status-acked"])
                ))
                .await;
            }
            if let Some(last) = paid.pop().filter(|_| chance.one_in(2)) {
                shop.take_back(&last).await;
            } else {
                shop.refund(amount).await;
            }
        }
    }
    shop.compare();
    assert!(
        unknown > PAYMENTS / 5 && shop.paid.len() > 100,
        "{unknown} unknown, {} paid",
        shop.paid.len()
    );
    assert!(!shop.taken_back.is_empty() && !shop.refunded.is_empty());
}

#[tokio::test]
async fn hundreds_of_payments_with_faults_of_chance_charge_nobody_twice() {
    // 34 of them are ten thousand payments.
    let seeds = std::env::var("BACKROOM_CARD_SEEDS").map_or(2, |seeds| seeds.parse().unwrap());
    for seed in 1..=seeds {
        println!("seed {seed}");
        run(seed).await;
    }
}
