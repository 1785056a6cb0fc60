//! The least of a shop: it writes down the terminal's last numbers before each attempt, asks when it does not know, and compares its
//! books with the terminal's ledger at the end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use backroom_devices::link::terminal::{
    Approval, Last, OpenAttempt, Outcome, Password, Progress, Resolved, TerminalLink, TerminalSettings, attempt_name, resolve,
    resolve_reversal,
};
use backroom_devices::sim::terminal::{Args, Running, start};
use backroom_devices::sim::{Common, control};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub const DEVICE: &str = "card1";
pub const DEADLINE: Duration = Duration::from_secs(20);

pub struct Shop {
    pub settings: TerminalSettings,
    pub link: Option<TerminalLink>,
    running: Option<Running>,
    folder: TempDir,
    /// By attempt: what the shop believes was paid.
    pub paid: BTreeMap<String, i64>,
    pub taken_back: BTreeMap<String, i64>,
    pub refunded: BTreeMap<String, i64>,
}

impl Shop {
    pub async fn open() -> Self {
        let password: Password = "012345".parse().unwrap();
        let mut shop = Self {
            settings: TerminalSettings::new("", password, 978),
            link: None,
            running: None,
            folder: tempfile::tempdir().unwrap(),
            paid: BTreeMap::new(),
            taken_back: BTreeMap::new(),
            refunded: BTreeMap::new(),
        };
        shop.start_terminal().await;
        shop
    }

    pub fn ledger_path(&self) -> PathBuf {
        self.folder.path().join("card1.jsonl")
    }

    async fn start_terminal(&mut self) {
        let args = Args {
            common: Common {
                device: Some(DEVICE.to_owned()),
                ledger: Some(self.ledger_path()),
                ..Common::default()
            },
            think_ms: 0,
            password: self.settings.password,
            ..Args::default()
        };
        let running = start(args).await.unwrap();
        self.settings.address = running.address.to_string();
        self.running = Some(running);
    }

    /// The power of the terminal goes and comes back.
    pub async fn restart_terminal(&mut self) {
        self.running.take().unwrap().stop().await;
        self.start_terminal().await;
    }

    pub async fn turn(&self, knob: &str) -> Value {
        let address = self.running.as_ref().unwrap().control.to_string();
        let answer = control::ask(&address, knob).await.unwrap();
        assert_eq!(answer["ok"], true, "{knob}: {answer}");
        answer
    }

    /// Waits until the terminal's state says so.
    pub async fn until(&self, condition: impl Fn(&Value) -> bool) {
        let started = Instant::now();
        loop {
            let state = self.turn("state").await;
            if condition(&state) {
                return;
            }
            assert!(started.elapsed() < DEADLINE, "{state}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Connected, as soon as the terminal lets us.
    pub async fn connect(&mut self) -> &mut TerminalLink {
        if self.link.as_ref().is_none_or(|link| !link.is_up()) {
            let started = Instant::now();
            self.link = loop {
                match TerminalLink::connect(&self.settings).await {
                    Ok(link) => break Some(link),
                    Err(down) => assert!(started.elapsed() < DEADLINE, "{down}: {}", self.turn("state").await),
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            };
        }
        self.link.as_mut().unwrap()
    }

    /// The terminal's last transaction, however often the connection breaks meanwhile.
    pub async fn last(&mut self) -> Option<Last> {
        let started = Instant::now();
        loop {
            match self.connect().await.last().await {
                Ok(last) => return last,
                Err(down) => assert!(started.elapsed() < DEADLINE, "{down}"),
            }
        }
    }

    /// What the box writes down before it asks for money.
    pub async fn begin(&mut self, amount_minor: i64) -> OpenAttempt {
        let last = self.last().await;
        OpenAttempt {
            amount_minor,
            trace_before: last.as_ref().map(|last| last.trace),
            receipt_before: last.as_ref().map(|last| last.receipt),
            started_at: jiff::Timestamp::now(),
        }
    }

    pub async fn authorize(&mut self, amount_minor: i64) -> Outcome {
        self.connect().await;
        self.authorize_as_it_is(amount_minor).await
    }

    /// On the connection that there is.
    pub async fn authorize_as_it_is(&mut self, amount_minor: i64) -> Outcome {
        let (progress, _words) = mpsc::channel::<Progress>(8);
        let link = self.link.as_mut().unwrap();
        link.authorize(amount_minor, progress, CancellationToken::new()).await
    }

    /// A whole payment as the box does it: asked once, and found out when the end was not seen.
    pub async fn pay(&mut self, amount_minor: i64) -> (Outcome, Option<Approval>) {
        let open = self.begin(amount_minor).await;
        let outcome = self.authorize(amount_minor).await;
        let approval = self.find_out(&open, &outcome).await;
        (outcome, approval)
    }

    /// What the outcome means; asks the terminal if nobody knows.
    pub async fn find_out(&mut self, open: &OpenAttempt, outcome: &Outcome) -> Option<Approval> {
        let approval = match outcome {
            Outcome::Approved(approval) => Some(approval.clone()),
            Outcome::Declined { .. } | Outcome::NotSent { .. } => None,
            Outcome::Unknown { .. } => self.resolve(open).await,
        };
        if let Some(approval) = &approval {
            let again = self.paid.insert(attempt_name(DEVICE, approval.trace), approval.amount_minor);
            assert_eq!(again, None, "one attempt pays twice");
        }
        approval
    }

    pub async fn resolve(&mut self, open: &OpenAttempt) -> Option<Approval> {
        let last = self.last().await;
        match resolve(open, last.as_ref()) {
            Resolved::Paid(approval) => Some(approval),
            Resolved::NotPaid { .. } => None,
            Resolved::StillUnknown { why } => panic!("{why}: {open:?} {last:?}"),
        }
    }

    pub async fn take_back(&mut self, payment: &Approval) -> Outcome {
        let open = self.begin(payment.amount_minor).await;
        let outcome = self.connect().await.reverse(payment.receipt).await;
        let done = match &outcome {
            Outcome::Approved(_) => true,
            Outcome::Declined { .. } | Outcome::NotSent { .. } => false,
            Outcome::Unknown { .. } => {
                let last = self.last().await;
                match resolve_reversal(&open, payment.trace, last.as_ref()) {
                    Resolved::Paid(_) => true,
                    Resolved::NotPaid { .. } => false,
                    Resolved::StillUnknown { why } => panic!("{why}"),
                }
            }
        };
        if done {
            let again = self.taken_back.insert(attempt_name(DEVICE, payment.trace), payment.amount_minor);
            assert_eq!(again, None, "one attempt is taken back twice");
        }
        outcome
    }

    pub async fn refund(&mut self, amount_minor: i64) -> Outcome {
        let open = self.begin(amount_minor).await;
        let outcome = self.connect().await.refund(amount_minor).await;
        let done = match &outcome {
            Outcome::Approved(approval) => Some(approval.clone()),
            Outcome::Declined { .. } | Outcome::NotSent { .. } => None,
            Outcome::Unknown { .. } => self.resolve(&open).await,
        };
        if let Some(done) = done {
            self.refunded.insert(attempt_name(DEVICE, done.trace), amount_minor);
        }
        outcome
    }

    pub fn ledger(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.ledger_path()).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What the shop believes is what happened: one to one.
    pub fn compare(&self) {
        for (event, believed) in [("capture", &self.paid), ("reverse", &self.taken_back), ("refund", &self.refunded)] {
            let mut happened = BTreeMap::new();
            for line in self.ledger() {
                if line["event"] == event && line["outcome"] == "approved" {
                    assert_eq!(line["device"], DEVICE);
                    let attempt = line["attempt"].as_str().unwrap().to_owned();
                    let again = happened.insert(attempt, line["amount"].as_i64().unwrap());
                    assert_eq!(again, None, "{event} twice: {line}");
                }
            }
            assert_eq!(&happened, believed, "{event}");
        }
    }
}
