//! The simulated terminal as a process of its own, killed without a warning in the middle of a payment.

use std::process::Stdio;
use std::time::Duration;

use backroom_devices::sim::control;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use backroom_devices::link::terminal::Outcome;

use crate::shop::{DEADLINE, DEVICE, Shop};

struct Process {
    child: Child,
    ready: Value,
}

impl Process {
    /// With a ledger that the shop compares its books with.
    async fn start(shop: &mut Shop) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_simulate"))
            .args(["terminal", "--device", DEVICE, "--password", "012345", "--think-ms", "0"])
            .arg("--ledger")
            .arg(shop.ledger_path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        assert_eq!((&ready["name"], &ready["ready"]), (&"terminal".into(), &true.into()));
        shop.settings.address = ready["address"].as_str().unwrap().to_owned();
        shop.link = None;
        Self { child, ready }
    }

    async fn turn(&self, knob: &str) -> Value {
        let answer = control::ask(self.ready["control"].as_str().unwrap(), knob).await.unwrap();
        assert_eq!(answer["ok"], true, "{answer}");
        answer
    }
}

#[tokio::test]
async fn a_terminal_killed_in_the_middle_knows_afterwards_what_it_had_done() {
    let mut shop = Shop::open().await;
    let mut process = Process::start(&mut shop).await;
    assert!(matches!(shop.pay(500).await.0, Outcome::Approved(_)));
    for (hold, paid) in [("hold on", false), ("hold after", true)] {
        process.turn(hold).await;
        let open = shop.begin(500).await;
        let (progress, _words) = mpsc::channel(8);
        let mut link = shop.link.take().unwrap();
        let asking = tokio::spawn(async move { link.authorize(500, progress, CancellationToken::new()).await });
        let started = Instant::now();
        loop {
            let state = process.turn("state").await;
            if state["paying"] == true && (state["trace"] != 1) == paid {
                break;
            }
            assert!(started.elapsed() < DEADLINE, "{state}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        process.child.start_kill().unwrap();
        process.child.wait().await.unwrap();
        let outcome = asking.await.unwrap();
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
        process = Process::start(&mut shop).await;
        assert_eq!(shop.find_out(&open, &outcome).await.is_some(), paid);
    }
    shop.compare();
}
