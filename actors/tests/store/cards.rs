//! Paying by card at a terminal that is really there: every way a payment can end, and every moment the box can fall in the middle.
//!
//! Each story ends by comparing the journal with the terminal's own ledger: what was captured is a tender, was given back once, or was found.

use std::collections::BTreeMap;
use std::path::PathBuf;

use backroom_actors::device::{DeviceConfig, DeviceKind};
use backroom_actors::journal::reader::Reader;
use backroom_actors::register::{Action, CommandError, Outcome};
use backroom_core::facts::{CardEnd, Fact, TenderKind};
use backroom_core::ids::TicketId;
use backroom_core::journal::{Epoch, Seq};
use backroom_core::money::Money;
use backroom_core::ticket::{CardStage, Refusal};
use backroom_devices::sim::Common;
use backroom_devices::sim::terminal::{self, Running};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::shop::{Shop, id, ticket, until, version};

struct Counter {
    shop: Shop,
    terminal: Running,
    ledger: PathBuf,
    _home: tempfile::TempDir,
}

impl Counter {
    async fn open() -> Counter {
        let home = tempfile::tempdir().unwrap();
        let ledger = home.path().join("terminal.jsonl");
        let terminal = terminal::start(terminal::Args {
            common: Common {
                device: Some("r1-terminal".into()),
                ledger: Some(ledger.clone()),
                ..Common::default()
            },
            ..terminal::Args::default()
        })
        .await
        .unwrap();
        let device = DeviceConfig {
            name: "r1-terminal".parse().unwrap(),
            kind: DeviceKind::Terminal,
            register: Some("r1".parse().unwrap()),
            address: terminal.address.to_string(),
            password: None,
        };
        let shop = Shop::open_with(&["r1"], vec![device]).await;
        Counter {
            shop,
            terminal,
            ledger,
            _home: home,
        }
    }

    async fn turn(&self, knob: &str) {
        let mut stream = BufReader::new(TcpStream::connect(self.terminal.control).await.unwrap());
        stream.get_mut().write_all(format!("{knob}\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_line(&mut answer).await.unwrap();
        assert!(answer.contains("\"ok\":true"), "{knob}: {answer}");
    }

    /// A T-shirt for 19.90, and a card that is to pay it and close the ticket.
    async fn ask(&self) -> TicketId {
        let open = ticket();
        let seen = version(&self.shop.scan("r1", open, 0, "TEE").await);
        self.card(open, seen, 1990).await.unwrap();
        open
    }

    async fn card(&self, ticket: TicketId, expected: u64, amount: i64) -> Result<Outcome, CommandError> {
        let action = Action::Card {
            ticket,
            expected,
            amount: Money(amount),
            settle: true,
        };
        self.shop.say("r1", id(), "card", action).await
    }

    async fn look(&self, ticket: TicketId) -> Option<(u64, CardStage)> {
        match self.shop.store.open_ticket("r1".parse().unwrap(), ticket).await.ok()?? {
            Outcome::Open { version, ticket, .. } => Some((version, ticket.card()?.stage.clone())),
            Outcome::Closed { .. } => None,
        }
    }

    async fn until_sold(&self, ticket: TicketId) {
        until("the ticket is closed", async || {
            self.shop.store.shop().reader.by_ticket(ticket).await.unwrap().is_some()
        })
        .await;
    }

    async fn until_stage(&self, ticket: TicketId, stage: fn(&CardStage) -> bool) -> u64 {
        until("the card payment stands so", async || {
            self.look(ticket).await.is_some_and(|(_, found)| stage(&found))
        })
        .await;
        self.look(ticket).await.unwrap().0
    }

    fn events(&self, event: &str) -> BTreeMap<String, i64> {
        let text = std::fs::read_to_string(&self.ledger).unwrap_or_default();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let own = lines.filter(|line| line["event"] == event && line["outcome"] == "approved");
        let mut found = BTreeMap::new();
        for line in own {
            let attempt = line["attempt"].as_str().unwrap().to_owned();
            let before = found.insert(attempt.clone(), line["amount"].as_i64().unwrap());
            assert!(before.is_none(), "{event} of {attempt} twice");
        }
        found
    }

    /// Law 9 over this counter, and that no wish is left without an end.
    async fn agree(self) {
        self.shop.prove().await;
        let reader = Reader::open(&self.shop.home.path().join("journal.db")).await.unwrap();
        let open = reader.open_jobs("r1-terminal".parse().unwrap()).await.unwrap();
        assert!(open.is_empty(), "a wish has no end");
        let (mut paid, mut found, mut reversed) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for entry in reader.range(Epoch(1), Seq(1), 10_000).await.unwrap() {
            match backroom_protocol::payload::fact(&entry).unwrap().unwrap() {
                Fact::TicketClosed(ticket) => {
                    for tender in ticket.tenders.iter().filter(|tender| tender.kind == TenderKind::Card) {
                        paid.insert(tender.attempt.clone().unwrap(), tender.amount.0);
                    }
                }
                Fact::FoundCapture(capture) => drop(found.insert(capture.attempt, capture.amount.0)),
                Fact::CardEnded(ended) if ended.end == CardEnd::Reversed => reversed.extend(ended.attempt),
                _ => {}
            }
        }
        reader.close().await;
        let mut kept = self.events("capture");
        let given_back = self.events("reverse");
        for attempt in given_back.keys() {
            assert!(kept.remove(attempt).is_some(), "{attempt} was given back, but never captured");
        }
        paid.extend(found);
        assert_eq!(paid, kept, "tenders and captures");
        assert_eq!(reversed, given_back.keys().cloned().collect::<Vec<_>>());
    }
}

fn unknown(stage: &CardStage) -> bool {
    *stage == CardStage::Unknown
}

fn not_paid(stage: &CardStage) -> bool {
    matches!(stage, CardStage::NotPaid { .. })
}

#[tokio::test]
async fn a_card_that_is_approved_closes_the_ticket_by_itself() {
    let counter = Counter::open().await;
    let sold = counter.ask().await;
    counter.until_sold(sold).await;
    assert_eq!(counter.events("capture").values().copied().collect::<Vec<_>>(), [1990]);
    counter.agree().await;
}

#[tokio::test]
async fn after_a_declined_card_the_basket_is_whole_and_cash_pays_it() {
    let counter = Counter::open().await;
    counter.turn("next decline").await;
    let open = counter.ask().await;
    let seen = counter.until_stage(open, not_paid).await;
    let sale = counter.shop.pay("r1", open, seen, 2000).await.unwrap();
    assert_eq!(crate::shop::closed(&sale).change, Money(10));
    counter.agree().await;
}

#[tokio::test]
async fn part_by_card_part_in_cash_adds_up() {
    let counter = Counter::open().await;
    let open = ticket();
    let seen = version(&counter.shop.scan("r1", open, 0, "TEE").await);
    let action = Action::Card {
        ticket: open,
        expected: seen,
        amount: Money(1000),
        settle: false,
    };
    counter.shop.say("r1", id(), "part", action).await.unwrap();
    let seen = counter.until_stage(open, |stage| *stage == CardStage::Paid).await;
    let too_much = counter.card(open, seen, 991).await;
    assert!(
        matches!(too_much, Err(CommandError::Refused(Refusal::CardTooMuch { .. }))),
        "{too_much:?}"
    );
    let sale = counter.shop.pay("r1", open, seen, 1000).await.unwrap();
    let closed = crate::shop::closed(&sale);
    assert_eq!((closed.due, closed.change, closed.tenders.len()), (Money(1990), Money(10), 2));
    counter.agree().await;
}

#[tokio::test]
async fn while_the_terminal_is_busy_nothing_else_happens_to_the_basket() {
    let counter = Counter::open().await;
    counter.turn("hold on").await;
    let open = counter.ask().await;
    until("the terminal is asked", async || {
        counter.events_any("authorize") || counter.is_paying().await
    })
    .await;
    let (seen, _) = counter.look(open).await.unwrap();
    let scan = Action::Scan {
        ticket: open,
        expected: seen,
        code: "MUG".into(),
        quantity: backroom_core::money::Quantity::ONE,
    };
    let refused = counter.shop.say("r1", id(), "late", scan).await;
    assert!(
        matches!(refused, Err(CommandError::Refused(Refusal::CardUnderWay { .. }))),
        "{refused:?}"
    );
    let refused = counter.shop.pay("r1", open, seen, 2000).await;
    assert!(
        matches!(refused, Err(CommandError::Refused(Refusal::CardUnderWay { .. }))),
        "{refused:?}"
    );
    counter.turn("hold off").await;
    counter.until_sold(open).await;
    counter.agree().await;
}

#[tokio::test]
async fn wherever_the_connection_breaks_the_terminal_is_asked_and_nothing_is_charged_twice() {
    for moment in [
        "on-command",
        "before-ack",
        "after-ack",
        "before-status",
        "after-status-unacked",
        "after-status-acked",
        "before-completion",
    ] {
        let counter = Counter::open().await;
        counter.turn(&format!("drop {moment} once")).await;
        let open = counter.ask().await;
        until("the payment has an end", async || {
            counter.look(open).await.is_none_or(|(_, stage)| not_paid(&stage))
        })
        .await;
        // Not paid: it may be asked again.
        if let Some((seen, _)) = counter.look(open).await {
            counter.card(open, seen, 1990).await.unwrap();
            counter.until_sold(open).await;
        }
        assert_eq!(counter.events("capture").len(), 1, "{moment}");
        counter.agree().await;
    }
}

#[tokio::test]
async fn a_box_that_falls_in_the_middle_of_a_payment_asks_what_became_of_it() {
    for hold in ["on", "after"] {
        let mut counter = Counter::open().await;
        counter.turn(&format!("hold {hold}")).await;
        let open = counter.ask().await;
        until("the terminal is paying", async || counter.is_paying().await).await;
        counter.shop = counter.shop.reopen().await;
        counter.until_stage(open, unknown).await;
        counter.turn("hold off").await;
        counter.until_sold(open).await;
        counter.agree().await;
    }
}

#[tokio::test]
async fn terminal_and_register_may_fall_in_the_middle() {
    let counter = Counter::open().await;
    counter.turn("hold on").await;
    let open = counter.ask().await;
    until("the terminal is paying", async || counter.is_paying().await).await;
    assert!(counter.shop.store.strike("device/r1-terminal".into()).await);
    assert!(counter.shop.store.strike("register/r1".into()).await);
    assert!(counter.shop.store.strike("journal".into()).await);
    counter.turn("hold off").await;
    counter.until_sold(open).await;
    counter.agree().await;
}

#[tokio::test]
async fn what_a_card_pays_after_cash_was_taken_goes_back_once() {
    let mut counter = Counter::open().await;
    counter.turn("hold on").await;
    let open = counter.ask().await;
    until("the terminal is paying", async || counter.is_paying().await).await;
    counter.shop = counter.shop.reopen().await;
    let seen = counter.until_stage(open, unknown).await;
    counter.shop.pay("r1", open, seen, 1990).await.unwrap();
    counter.turn("hold off").await;
    until("the card has its money back", async || counter.events("reverse").len() == 1).await;
    until("the wish has its end", async || {
        let open = counter.shop.store.shop().reader.open_jobs("r1-terminal".parse().unwrap()).await;
        open.unwrap().is_empty()
    })
    .await;
    counter.agree().await;
}

#[tokio::test]
async fn a_payment_is_given_up_by_a_person() {
    let counter = Counter::open().await;
    counter.turn("hold on").await;
    let open = counter.ask().await;
    until("the terminal is paying", async || counter.is_paying().await).await;
    counter.shop.store.give_up_card("r1".parse().unwrap(), open);
    counter.until_stage(open, not_paid).await;
    assert!(counter.events("capture").is_empty());
    counter.agree().await;
}

#[tokio::test]
async fn without_a_terminal_a_card_is_refused_in_words() {
    let shop = Shop::open(&["r1"]).await;
    let open = ticket();
    let seen = version(&shop.scan("r1", open, 0, "TEE").await);
    let action = Action::Card {
        ticket: open,
        expected: seen,
        amount: Money(1990),
        settle: true,
    };
    let refused = shop.say("r1", id(), "card", action).await.unwrap_err();
    assert!(
        refused.to_string().contains("no payment terminal stands at this register"),
        "{refused}"
    );
}

impl Counter {
    fn events_any(&self, event: &str) -> bool {
        std::fs::read_to_string(&self.ledger).unwrap_or_default().contains(event)
    }

    async fn is_paying(&self) -> bool {
        let mut stream = BufReader::new(TcpStream::connect(self.terminal.control).await.unwrap());
        stream.get_mut().write_all(b"state\n").await.unwrap();
        let mut answer = String::new();
        stream.read_line(&mut answer).await.unwrap();
        let state: Value = serde_json::from_str(&answer).unwrap();
        state["paying"] == true
    }
}
