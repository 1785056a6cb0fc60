//! `backroom doctor` as its callers see it.
#![expect(clippy::unwrap_used, reason = "a test may simply stop")]

use std::process::Command;

use serde_json::Value;

fn doctor(data: &str, named: Option<&str>) -> (Vec<Value>, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backroom"));
    command
        .args(["doctor", "--json", "--data", data])
        .env_remove("BACKROOM_NATS_SERVER");
    if let Some(program) = named {
        command.env("BACKROOM_NATS_SERVER", program);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        output.status.code(),
    )
}

/// A directory of its own for each test, so that none sees another's measuring.
fn place(name: &str) -> String {
    let place = format!("{}/doctor-{name}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&place).unwrap();
    place
}

fn state<'a>(findings: &'a [Value], check: &str) -> &'a str {
    findings
        .iter()
        .find(|finding| finding["check"] == check)
        .and_then(|finding| finding["state"].as_str())
        .unwrap_or("missing")
}

#[test]
fn every_check_is_made_and_whatever_is_not_well_says_what_to_do() {
    let place = place("all");
    let (findings, _) = doctor(&place, None);
    for check in [
        "clock",
        "time zone",
        "open files",
        "ports",
        "data directory",
        "flush",
        "free disk",
        "nats-server",
    ] {
        assert_ne!(state(&findings, check), "missing", "{check}");
    }
    for finding in &findings {
        assert_eq!(finding["state"] != "ok", finding.get("next").is_some(), "{finding}");
    }
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn a_named_broker_that_is_none_fails_the_check() {
    let (findings, code) = doctor(&place("broker"), Some("/bin/true"));
    assert_eq!((state(&findings, "nats-server"), code), ("fail", Some(1)));
}

#[test]
fn a_data_directory_that_can_not_be_written_fails_the_check() {
    let (findings, code) = doctor("/proc/self/backroom", None);
    assert_eq!((state(&findings, "data directory"), code), ("fail", Some(1)));
}
