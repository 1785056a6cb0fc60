//! A scanner's link against a virtual scanner over a real terminal line.
#![expect(clippy::unwrap_used, reason = "a test may simply stop, in its helpers too")]

use std::path::PathBuf;
use std::time::Duration;

use backroom_devices::link::scanner::{AimIds, Scan, ScannerLink, ScannerSettings, Suffix};
use backroom_devices::sim::control;
use backroom_devices::sim::scanner::{Args, Running, start};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(5);

struct Counter {
    folder: TempDir,
    scanner: Running,
}

impl Counter {
    async fn open(change: impl FnOnce(&mut Args)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut args = Args::at(folder.path().join("tty"));
        args.common.ledger = Some(folder.path().join("scanner1.jsonl"));
        change(&mut args);
        Self {
            scanner: start(args).await.unwrap(),
            folder,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tty")
    }

    fn connect(&self) -> ScannerLink {
        ScannerLink::open(&self.path(), ScannerSettings::default()).unwrap()
    }

    async fn ask(&self, line: &str) -> Value {
        control::ask(&self.scanner.control.to_string(), line).await.unwrap()
    }

    async fn turn(&self, line: &str) {
        let answer = self.ask(line).await;
        assert_eq!(answer["ok"], true, "{line}: {answer}");
    }

    fn ledger(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("scanner1.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .inspect(|line| assert_eq!((&line["event"], &line["device"]), (&"scan".into(), &"scanner1".into())))
            .map(|line| line["text"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn next(link: &mut ScannerLink) -> Scan {
    timeout(SOON, link.next()).await.unwrap().unwrap()
}

fn code(text: &str) -> Scan {
    Scan::Code(text.to_owned())
}

#[tokio::test]
async fn every_scan_arrives_once_and_in_order() {
    let counter = Counter::open(|_| {}).await;
    let mut link = counter.connect();
    let mut scanned = Vec::new();
    for number in 0..200 {
        let text = format!("40063813{number:05}");
        counter.turn(&format!("scan {text}")).await;
        scanned.push(text);
        if number % 7 == 0 {
            for text in scanned.iter().skip(scanned.len() - if number == 0 { 1 } else { 7 }) {
                assert_eq!(next(&mut link).await, code(text));
            }
        }
    }
    assert_eq!(counter.ledger(), scanned);
}

#[tokio::test]
async fn parts_of_a_gs1_code_stay_apart_and_odd_characters_whole() {
    let counter = Counter::open(|_| {}).await;
    let mut link = counter.connect();
    counter.turn("scan ]C1010614141123458210A1\\x1d17261231").await;
    assert_eq!(next(&mut link).await, code("]C1010614141123458210A1\u{1d}17261231"));
    counter.turn("scan \\\\Öl 5 €").await;
    assert_eq!(next(&mut link).await, code("\\Öl 5 €"));
    assert_eq!(counter.ask("scan \\q").await["ok"], false);
    assert_eq!(counter.ask("scan").await["ok"], false);
}

#[tokio::test]
async fn suffixes_and_aim_ids_are_settings() {
    let counter = Counter::open(|args| {
        args.suffix = backroom_devices::sim::scanner::Suffix::Lf;
        args.aim = true;
    })
    .await;
    let settings = ScannerSettings {
        suffix: Suffix::Lf,
        aim_ids: AimIds::Sent,
        baud: 115_200,
        ..ScannerSettings::default()
    };
    let mut link = ScannerLink::open(&counter.path(), settings).unwrap();
    for (scanned, sent) in [
        ("4006381333931", "]E04006381333931"),
        ("96385074", "]E496385074"),
        ("R-r1-1-42-87", "]C0R-r1-1-42-87"),
        ("]Q3https://id.gs1.org/01/09506000134352", "]Q3https://id.gs1.org/01/09506000134352"),
    ] {
        counter.turn(&format!("scan {scanned}")).await;
        assert_eq!(next(&mut link).await, code(sent));
    }
    counter.turn("aim off").await;
    counter.turn("scan 4006381333931").await;
    assert!(matches!(next(&mut link).await, Scan::Garbage { bytes: 13, .. }));
}

#[tokio::test]
async fn garbage_is_told_and_the_next_code_is_whole() {
    let counter = Counter::open(|_| {}).await;
    let mut link = counter.connect();
    counter.turn("raw ff00fe0d").await;
    assert!(matches!(next(&mut link).await, Scan::Garbage { bytes: 3, .. }));
    // Torn off in the middle.
    counter.turn("raw 343030").await;
    assert!(matches!(next(&mut link).await, Scan::Garbage { bytes: 3, .. }));
    counter.turn("scan 9611").await;
    assert_eq!(next(&mut link).await, code("9611"));
    counter.turn("twice on").await;
    counter.turn("scan 9611").await;
    assert_eq!((next(&mut link).await, next(&mut link).await), (code("9611"), code("9611")));
}

#[tokio::test]
async fn a_scanner_that_is_unplugged_is_noticed_and_comes_back() {
    let counter = Counter::open(|_| {}).await;
    for round in 0..3 {
        let mut link = counter.connect();
        counter.turn(&format!("scan before {round}")).await;
        assert_eq!(next(&mut link).await, code(&format!("before {round}")));
        counter.turn("unplug").await;
        let down = timeout(SOON, link.next()).await.unwrap().unwrap_err();
        assert!(down.why.contains("cable"), "{down}");
        assert_eq!(link.next().await.unwrap_err(), down);
        assert_eq!(counter.ask("scan lost").await["ok"], false);
        ScannerLink::open(&counter.path(), ScannerSettings::default()).unwrap_err();
        counter.turn("plug").await;
    }
}

#[tokio::test]
async fn what_was_scanned_while_nobody_listened_is_in_no_basket() {
    let counter = Counter::open(|_| {}).await;
    counter.turn("scan yesterday").await;
    let mut link = counter.connect();
    counter.turn("scan today").await;
    assert_eq!(next(&mut link).await, code("today"));
}

#[tokio::test]
async fn a_wait_that_is_given_up_loses_nothing() {
    let counter = Counter::open(|_| {}).await;
    let mut link = counter.connect();
    for number in 0..20 {
        assert!(timeout(Duration::from_millis(2), link.next()).await.is_err());
        counter.turn(&format!("scan {number}")).await;
        assert_eq!(next(&mut link).await, code(&number.to_string()));
    }
}

#[tokio::test]
async fn a_file_in_the_way_is_left_alone_and_a_stopped_scanner_leaves_no_link() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tty");
    std::fs::write(&path, "precious").unwrap();
    start(Args::at(&path)).await.unwrap_err();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    std::fs::remove_file(&path).unwrap();
    let running = start(Args::at(&path)).await.unwrap();
    assert!(path.symlink_metadata().is_ok());
    running.stop().await;
    assert!(path.symlink_metadata().is_err());
}
