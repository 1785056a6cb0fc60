//! Printing when nothing goes wrong.

use std::process::Stdio;
use std::time::Duration;

use backroom_core::receipt::{Document, Row};
use backroom_devices::escpos::layout::lay_out;
use backroom_devices::escpos::{Paper, Profile};
use backroom_devices::link::Ended;
use backroom_devices::link::printer::{EndMark, PaperState};
use backroom_devices::sim::control;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::shop::{Shop, job, receipt};

#[tokio::test]
async fn a_receipt_comes_out_as_it_was_written() {
    let mut shop = Shop::with(|args, folder| args.paper_dir = Some(folder.join("paper"))).await;
    let mut link = shop.connect().await.unwrap();
    let state = link.status().await.unwrap();
    assert_eq!(
        (state.paper, state.drawer_open, state.trouble()),
        (PaperState::Ok, Some(false), None)
    );
    for number in [42, 43] {
        assert_eq!(shop.perform(&mut link, &job(number)).await.1, Ended::Confirmed);
    }
    shop.holds("print");
    let lines = shop.ledger("print");
    for (line, number) in lines.iter().zip([42, 43]) {
        let shown = receipt(number).to_text(Paper::default().columns());
        assert_eq!(line["text"], *shown.trim_end());
        let Some(Row::Code { text: code }) = receipt(number).rows.pop() else {
            panic!("a receipt ends with its code")
        };
        assert_eq!(
            (&line["codes"], &line["receipt"]),
            (&Value::from(vec![code.clone()]), &Value::from(code))
        );
        assert_eq!((&line["mark"], &line["device"]), (&Value::from("original"), &Value::from("p1")));
        looks_like_paper(line["png"].as_str().unwrap());
    }
    let state = shop.state().await;
    assert_eq!((&state["unknown_bytes"], &state["prints"]), (&Value::from(0), &Value::from(2)));
}

/// A picture with some black on much white; what it says, people and scanners judge.
fn looks_like_paper(path: &str) {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut dots = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut dots).unwrap();
    assert!(info.width > 500 && info.height > info.width, "{}x{}", info.width, info.height);
    let black = dots.iter().filter(|&&dot| dot < 0x40).count();
    assert!((dots.len() / 50..dots.len() / 4).contains(&black), "{black} of {}", dots.len());
}

#[tokio::test]
async fn a_copy_says_so() {
    let mut shop = Shop::open(&[]).await;
    let mut link = shop.connect().await.unwrap();
    let mut copy = receipt(7);
    copy.rows.insert(1, Row::Title { text: "COPY".into() });
    for document in [receipt(7), copy] {
        let job = lay_out(&document, &Profile::default());
        assert_eq!(shop.perform(&mut link, &job.bytes).await.1, Ended::Confirmed);
    }
    let marks: Vec<Value> = shop.ledger("print").iter().map(|line| line["mark"].clone()).collect();
    assert_eq!(marks, ["original", "copy"]);
}

#[tokio::test]
async fn without_a_blade_a_receipt_is_done_at_its_end() {
    let mut shop = Shop::open(&[]).await;
    let mut link = shop.connect().await.unwrap();
    let profile = Profile {
        cut: None,
        feed_lines: 5,
        ..Profile::default()
    };
    let bytes = lay_out(&receipt(1), &profile).bytes;
    assert_eq!(shop.perform(&mut link, &bytes).await.1, Ended::Confirmed);
    assert_eq!(shop.perform(&mut link, &bytes).await.1, Ended::Confirmed);
    shop.holds("print");
}

#[tokio::test]
async fn a_printer_that_knows_no_ids_says_that_it_is_done_all_the_same() {
    let mut shop = Shop::open(&[]).await;
    shop.settings.end_mark = EndMark::PaperStatus;
    let mut link = shop.connect().await.unwrap();
    assert_eq!(shop.perform(&mut link, &job(1)).await.1, Ended::Confirmed);
    shop.turn("paper out").await;
    assert!(matches!(shop.perform(&mut link, &job(2)).await.1, Ended::Failed { .. }));
    shop.turn("paper low").await;
    assert_eq!(shop.perform(&mut link, &job(2)).await.1, Ended::Confirmed);
    assert_eq!(shop.ledger("print").len(), 2);
}

#[tokio::test]
async fn a_slow_printer_is_waited_for() {
    let mut shop = Shop::open(&["slow 2000"]).await;
    shop.settings.job_timeout = Duration::from_secs(20);
    let mut link = shop.connect().await.unwrap();
    assert_eq!(shop.perform(&mut link, &job(1)).await.1, Ended::Confirmed);
    shop.holds("print");
}

#[tokio::test]
async fn a_job_larger_than_all_buffers_comes_out() {
    let mut shop = Shop::open(&[]).await;
    let mut link = shop.connect().await.unwrap();
    let rows = vec![
        Row::Text {
            text: "a long day ".repeat(4)
        };
        9_000
    ];
    let bytes = lay_out(&Document::from(rows), &Profile::default()).bytes;
    assert!(bytes.len() > 300_000);
    assert_eq!(shop.perform(&mut link, &bytes).await.1, Ended::Confirmed);
    shop.holds("print");
}

#[tokio::test]
async fn the_program_says_where_it_is_and_ends_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_simulate"))
        .args(["printer", "--device", "kitchen", "--knob", "paper low", "--ledger"])
        .arg(folder.path().join("kitchen.jsonl"))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!(
        (&ready["ready"], &ready["name"], &ready["device"]),
        (&true.into(), &"printer".into(), &"kitchen".into())
    );
    assert_eq!(ready["pid"], program.id().unwrap());
    let state = control::ask(ready["control"].as_str().unwrap(), "state").await.unwrap();
    assert_eq!(state["paper"], "low");
    let wrong = control::ask(ready["control"].as_str().unwrap(), "paper blue").await.unwrap();
    assert_eq!(wrong["ok"], false);
    let pid = rustix::process::Pid::from_raw(i32::try_from(program.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(10), program.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(ended.success(), "{ended}");
    assert_eq!(lines.next_line().await.unwrap(), None);
}
