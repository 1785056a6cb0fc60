//! A counter in one process, as a program and as its parts.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use backroom_core::receipt::{Document, Row};
use backroom_devices::escpos::Profile;
use backroom_devices::escpos::job_id::JobId;
use backroom_devices::escpos::layout::lay_out;
use backroom_devices::link::Ended;
use backroom_devices::link::printer::{PrinterLink, PrinterSettings};
use backroom_devices::link::scanner::{Scan, ScannerLink, ScannerSettings};
use backroom_devices::sim::control;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

#[tokio::test]
async fn one_program_lists_all_devices_of_a_counter_and_each_works() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_simulate"))
        .args(["counter", "--prefix", "c2-", "--reader", "gate", "--ledgers"])
        .arg(folder.path().join("ledgers"))
        .arg("--paper-dir")
        .arg(folder.path().join("paper"))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!((&ready["ready"], &ready["name"]), (&true.into(), &"counter".into()));
    let text = |kind: &str, field: &str| ready["devices"][kind][field].as_str().unwrap().to_owned();
    let knobs = ready["control"].as_str().unwrap();

    let mut printer = PrinterLink::connect(&text("printer", "address"), PrinterSettings::default())
        .await
        .unwrap();
    let rows = vec![Row::Text { text: "hello".into() }];
    let job = lay_out(&Document::from(rows), &Profile::default());
    assert_eq!(printer.perform(JobId::from_number(1), &job.bytes).await, Ended::Confirmed);
    let printed: Value = serde_json::from_str(std::fs::read_to_string(text("printer", "ledger")).unwrap().trim()).unwrap();
    assert_eq!((&printed["device"], &printed["text"]), (&"c2-p1".into(), &"hello".into()));
    assert!(Path::new(printed["png"].as_str().unwrap()).starts_with(folder.path().join("paper")));

    let mut scanner = ScannerLink::open(Path::new(&text("scanner", "address")), ScannerSettings::default()).unwrap();
    assert_eq!(control::ask(knobs, "c2-scanner1 scan 9611").await.unwrap()["ok"], true);
    let scan = timeout(Duration::from_secs(5), scanner.next()).await.unwrap();
    assert_eq!(scan, Ok(Scan::Code("9611".into())));

    for kind in ["terminal", "reader"] {
        TcpStream::connect(text(kind, "address")).await.unwrap();
    }
    let states = control::ask(knobs, "state").await.unwrap();
    for kind in ["printer", "terminal", "scanner", "reader"] {
        assert_eq!(states[text(kind, "device")]["ok"], true, "{kind}: {states}");
    }
    let wrong = control::ask(knobs, "p1 state").await.unwrap();
    assert!(wrong["why"].as_str().unwrap().contains("c2-p1"), "{wrong}");

    let pid = rustix::process::Pid::from_raw(i32::try_from(program.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let ended = timeout(Duration::from_secs(10), program.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
    assert!(
        Path::new(&text("scanner", "address")).symlink_metadata().is_err(),
        "the line is gone"
    );
}
