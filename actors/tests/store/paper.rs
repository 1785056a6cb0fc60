//! Printing and opening the drawer on a printer that is really there: paper that runs out, cables that break, a box that falls.
//!
//! Each story ends by comparing the journal's effects with the printer's own ledger: confirmed <= done <= confirmed + unknown, and no
//! receipt comes out twice unmarked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use backroom_actors::device::{DeviceConfig, DeviceKind, DeviceState};
use backroom_actors::journal::reader::Reader;
use backroom_actors::register::Action;
use backroom_core::facts::{Does, EffectEnd, Fact};
use backroom_core::journal::{Epoch, Seq};
use backroom_devices::sim::Common;
use backroom_devices::sim::printer::{self, Running};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::shop::{Shop, body, closed, id, ticket, until};

const PRINTER: &str = "r1-printer";

struct Counter {
    shop: Shop,
    printer: Running,
    ledger: PathBuf,
    _home: tempfile::TempDir,
}

impl Counter {
    async fn open() -> Counter {
        let home = tempfile::tempdir().unwrap();
        let ledger = home.path().join("printer.jsonl");
        let printer = printer::start(printer::Args {
            common: Common {
                device: Some(PRINTER.into()),
                ledger: Some(ledger.clone()),
                ..Common::default()
            },
            ..printer::Args::default()
        })
        .await
        .unwrap();
        let device = DeviceConfig {
            name: PRINTER.parse().unwrap(),
            kind: DeviceKind::Printer,
            register: Some("r1".parse().unwrap()),
            address: printer.address.to_string(),
            password: None,
        };
        let shop = Shop::open_with(&["r1"], vec![device]).await;
        let counter = Counter {
            shop,
            printer,
            ledger,
            _home: home,
        };
        counter.until_state(DeviceState::Ready).await;
        counter
    }

    async fn turn(&self, knob: &str) {
        let mut stream = BufReader::new(TcpStream::connect(self.printer.control).await.unwrap());
        stream.get_mut().write_all(format!("{knob}\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_line(&mut answer).await.unwrap();
        assert!(answer.contains("\"ok\":true"), "{knob}: {answer}");
    }

    async fn until_state(&self, state: DeviceState) {
        until(&format!("the board says {state:?}"), async || {
            self.shop.store.shop().board.list().iter().any(|line| line.state == state)
        })
        .await;
    }

    async fn until_done(&self) {
        until("every effect has an end", async || {
            let jobs = self.shop.store.shop().reader.open_jobs(PRINTER.parse().unwrap()).await;
            jobs.unwrap().is_empty()
        })
        .await;
    }

    fn lines(&self, event: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.ledger).unwrap_or_default();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["event"] == event).collect()
    }

    async fn ends(&self) -> BTreeMap<(Does, String), u64> {
        let reader = Reader::open(&self.shop.home.path().join("journal.db")).await.unwrap();
        let (mut wanted, mut ends) = (BTreeMap::new(), BTreeMap::new());
        for entry in reader.range(Epoch(1), Seq(1), 10_000).await.unwrap() {
            match backroom_protocol::payload::fact(&entry).unwrap().unwrap() {
                Fact::EffectWanted(effect) => drop(wanted.insert(effect.effect, effect.does)),
                Fact::EffectEnded(ended) => {
                    let does = wanted.remove(&ended.effect).unwrap();
                    assert_eq!(ended.end == EffectEnd::Unknown, ended.cause.is_some());
                    *ends.entry((does, format!("{:?}", ended.end))).or_insert(0) += 1;
                }
                _ => {}
            }
        }
        reader.close().await;
        assert!(wanted.is_empty(), "without an end: {wanted:?}");
        ends
    }

    /// Law 10 over this counter.
    async fn agree(self) -> BTreeMap<(Does, String), u64> {
        self.until_done().await;
        self.shop.prove().await;
        let ends = self.ends().await;
        for (does, event) in [(Does::Print, "print"), (Does::Pulse, "pulse")] {
            let count = |end: &str| ends.get(&(does, end.to_owned())).copied().unwrap_or(0);
            let done = self.lines(event).len() as u64;
            assert!(
                (count("Confirmed")..=count("Confirmed") + count("Unknown")).contains(&done),
                "{event}: done {done}, {ends:?}"
            );
        }
        let mut originals = BTreeSet::new();
        for line in self.lines("print").iter().filter(|line| line["mark"] == "original") {
            assert!(originals.insert(line["receipt"].to_string()), "twice unmarked: {line}");
        }
        ends
    }
}

#[tokio::test]
async fn a_cash_sale_opens_the_drawer_and_prints_its_receipt() {
    let counter = Counter::open().await;
    let receipt = counter.shop.sell("r1").await;
    counter.until_done().await;
    let print = counter.lines("print").remove(0);
    let text = print["text"].to_string();
    assert!(
        text.contains("T-shirt") && text.contains("19.90") && text.contains("Thread & Needle"),
        "{text}"
    );
    assert!(text.contains(&format!("No. {receipt}")), "{text}");
    assert_eq!(print["mark"], "original");
    assert_eq!(counter.lines("pulse").len(), 1);
    let again = counter
        .shop
        .store
        .print_copy(
            "r1".parse().unwrap(),
            "s101".parse().unwrap(),
            (id(), body("copy")),
            receipt.parse().unwrap(),
        )
        .await;
    again.unwrap();
    counter.until_done().await;
    assert_eq!(counter.lines("print")[1]["mark"], "copy");
    let ends = counter.agree().await;
    assert_eq!(ends[&(Does::Print, "Confirmed".into())], 2);
}

#[tokio::test]
async fn a_cancelled_ticket_moves_no_machine_and_a_return_pays_cash_out_of_the_drawer() {
    let counter = Counter::open().await;
    let open = ticket();
    let seen = crate::shop::version(&counter.shop.scan("r1", open, 0, "TEE").await);
    let cancel = Action::Cancel {
        ticket: open,
        expected: seen,
    };
    counter.shop.say("r1", id(), "cancel", cancel).await.unwrap();
    let receipt = counter.shop.sell("r1").await;
    let back = Action::Return {
        ticket: ticket(),
        receipt: receipt.parse().unwrap(),
    };
    let back = counter.shop.say("r1", id(), "return", back).await.unwrap();
    assert_eq!(closed(&back).due.0, -1990);
    counter.until_done().await;
    assert_eq!((counter.lines("print").len(), counter.lines("pulse").len()), (2, 2));
    counter.agree().await;
}

#[tokio::test]
async fn receipts_wait_for_paper_and_come_out_in_order() {
    let counter = Counter::open().await;
    counter.turn("paper out").await;
    counter.until_state(DeviceState::Trouble).await;
    let sold = [counter.shop.sell("r1").await, counter.shop.sell("r1").await];
    counter.turn("paper ok").await;
    counter.until_done().await;
    let printed = counter.lines("print");
    assert_eq!(printed.len(), 2);
    for (paper, receipt) in printed.iter().zip(sold) {
        assert!(paper["text"].to_string().contains(&format!("No. {receipt}")), "{paper}");
    }
    counter.agree().await;
}

#[tokio::test]
async fn a_printer_that_goes_away_in_the_middle_is_unknown_and_is_not_repeated() {
    let counter = Counter::open().await;
    counter.turn("reset-at 40 once").await;
    counter.shop.sell("r1").await;
    counter.until_done().await;
    counter.turn("reset-at off").await;
    counter.shop.sell("r1").await;
    let ends = counter.agree().await;
    assert_eq!(ends.get(&(Does::Print, "Unknown".into())).copied().unwrap_or(0), 1, "{ends:?}");
    assert_eq!(ends[&(Does::Print, "Confirmed".into())], 1);
}

#[tokio::test]
async fn a_box_that_falls_prints_what_it_had_not_begun() {
    let mut counter = Counter::open().await;
    counter.turn("paper out").await;
    counter.until_state(DeviceState::Trouble).await;
    counter.shop.sell("r1").await;
    counter.shop = counter.shop.reopen().await;
    counter.turn("paper ok").await;
    counter.until_done().await;
    assert_eq!(counter.lines("print").len(), 1);
    counter.agree().await;
}

#[tokio::test]
async fn actors_may_fall_while_paper_comes_out() {
    let counter = Counter::open().await;
    counter.turn("slow 400").await;
    counter.shop.sell("r1").await;
    for actor in ["device/r1-printer", "journal", "register/r1"] {
        assert!(counter.shop.store.strike(actor.into()).await);
    }
    counter.until_done().await;
    let ends = counter.agree().await;
    assert_eq!(ends.get(&(Does::Print, "Confirmed".into())).copied(), Some(1), "{ends:?}");
}
