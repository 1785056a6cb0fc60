//! A counter with one virtual printer, and what a test asks of it.

use std::path::Path;
use std::time::Duration;

use backroom_core::receipt::{Document, Row};
use backroom_devices::escpos::Profile;
use backroom_devices::escpos::drawer::{Pin, Pulse};
use backroom_devices::escpos::job_id::JobId;
use backroom_devices::escpos::layout::lay_out;
use backroom_devices::link::printer::{PrinterLink, PrinterSettings};
use backroom_devices::link::{Ended, LinkDown};
use backroom_devices::sim::control;
use backroom_devices::sim::printer::{Args, Running, start};
use serde_json::Value;
use tempfile::TempDir;

pub struct Shop {
    pub printer: Running,
    pub folder: TempDir,
    pub settings: PrinterSettings,
    next_job: u64,
    /// Of all jobs so far.
    pub confirmed: Vec<String>,
    pub unknown: Vec<String>,
}

/// Patience fit for a machine that answers in microseconds, and still far beyond what a busy one needs.
pub fn settings() -> PrinterSettings {
    PrinterSettings {
        job_timeout: Duration::from_millis(1500),
        ..PrinterSettings::default()
    }
}

impl Shop {
    pub async fn open(knobs: &[&str]) -> Self {
        Self::with(|args, _| args.knobs = knobs.iter().map(|&knob| knob.to_owned()).collect()).await
    }

    pub async fn with(change: impl FnOnce(&mut Args, &Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut args = Args::default();
        args.common.ledger = Some(folder.path().join("p1.jsonl"));
        change(&mut args, folder.path());
        Self {
            printer: start(args).await.unwrap(),
            folder,
            settings: settings(),
            next_job: 1,
            confirmed: Vec::new(),
            unknown: Vec::new(),
        }
    }

    pub async fn connect(&self) -> Result<PrinterLink, LinkDown> {
        PrinterLink::connect(&self.printer.address.to_string(), self.settings).await
    }

    pub async fn turn(&self, knob: &str) {
        let answer = control::ask(&self.printer.control.to_string(), knob).await.unwrap();
        assert_eq!(answer["ok"], true, "{knob}: {answer}");
    }

    pub async fn state(&self) -> Value {
        control::ask(&self.printer.control.to_string(), "state").await.unwrap()
    }

    /// Waits until the printer's state is so.
    pub async fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..500 {
            let state = self.state().await;
            if is_so(&state) {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never {what}: {}", self.state().await);
    }

    /// Performs a job under the next id and keeps count of how it ended.
    pub async fn perform(&mut self, link: &mut PrinterLink, bytes: &[u8]) -> (String, Ended) {
        let job = JobId::from_number(self.next_job);
        self.next_job += 1;
        let ended = link.perform(job, bytes).await;
        match &ended {
            Ended::Confirmed => self.confirmed.push(job.to_string()),
            Ended::Unknown { .. } => self.unknown.push(job.to_string()),
            Ended::Failed { .. } => {}
        }
        (job.to_string(), ended)
    }

    pub fn ledger(&self, event: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("p1.jsonl")).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|line| line["event"] == event)
            .collect()
    }

    pub fn jobs(&self, event: &str) -> Vec<String> {
        let lines = self.ledger(event);
        lines.iter().map(|line| line["job"].as_str().unwrap().to_owned()).collect()
    }

    /// The law, of everything so far.
    pub fn holds(&self, event: &str) {
        let jobs = self.jobs(event);
        for confirmed in &self.confirmed {
            assert_eq!(jobs.iter().filter(|job| *job == confirmed).count(), 1, "{confirmed} of {jobs:?}");
        }
        for job in &jobs {
            let known = self.confirmed.contains(job) || self.unknown.contains(job);
            assert!(known, "{job} happened, but the link calls it failed");
            assert_eq!(jobs.iter().filter(|other| *other == job).count(), 1, "{job} happened twice");
        }
        assert!((self.confirmed.len()..=self.confirmed.len() + self.unknown.len()).contains(&jobs.len()));
        let order: Vec<_> = jobs.iter().filter(|job| self.confirmed.contains(job)).collect();
        assert!(order.iter().copied().eq(&self.confirmed), "out of order");
    }
}

pub fn receipt(number: u64) -> Document {
    let figure = |left: &str, right: &str| Row::Figure {
        left: left.into(),
        right: right.into(),
    };
    let title = |text: &str| Row::Title { text: text.into() };
    let number = backroom_core::barcode::ReceiptCode::new(backroom_core::ids::ReceiptNo {
        register: "r1".parse().unwrap(),
        series: 1,
        number,
    });
    Document {
        rows: vec![
            title("Müller & Söhne"),
            title("RECEIPT"),
            figure(&format!("No. r1-1-{}", number.receipt().number), "2026-11-21 09:30"),
            Row::Rule,
            figure("Brötchen", "4.50 A"),
            Row::Text { text: "  3 x 1.50".into() },
            figure("Żurek z białą kiełbasą", "12.00 A"),
            figure("Бородинский хлеб", "3.20 A"),
            figure("Φέτα Κρήτης, 200 g", "5.49 A"),
            figure("Crème fraîche", "1.20 B"),
            Row::Rule,
            Row::Total {
                left: "TOTAL".into(),
                right: "26.39 €".into(),
            },
            figure("cash", "30.00"),
            figure("change", "3.61"),
            Row::Rule,
            figure("A 7.00 % of 23.54", "1.65"),
            figure("B 19.00 % of 1.01", "0.19"),
            Row::Code { text: number.to_string() },
        ],
        ..Document::default()
    }
}

pub fn job(number: u64) -> Vec<u8> {
    lay_out(&receipt(number), &Profile::default()).bytes
}

pub fn pulse() -> Vec<u8> {
    Pulse::new(Pin::Two, 50, 500).unwrap().to_bytes().to_vec()
}
