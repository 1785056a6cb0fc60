//! `simulate reader` as a program of its own, with its knobs on a socket.

use std::process::Stdio;

use backroom_devices::link::reader::{InventoryPlan, ReaderDown, ReaderLink};
use backroom_devices::sim::control::ask;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::shop::{Count, PATIENCE, SHIRT, down, settings, tag};

#[tokio::test]
async fn the_program_says_where_it_is_takes_tags_by_knob_and_ends_orderly() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_simulate"))
        .args(["reader", "--device", "r1", "--antennas", "4", "--rate", "500"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&ready["ready"], &ready["name"], &ready["device"]),
        (&json!(true), &json!("reader"), &json!("r1"))
    );
    let control = ready["control"].as_str().unwrap().to_owned();
    let knob = async |line: &str| ask(&control, line).await.unwrap();
    let address = ready["address"].as_str().unwrap().to_owned();

    let uri = "urn:epc:id:sgtin:4012345.067890.5";
    assert_eq!(knob(&format!("tags add {} {uri}", tag(SHIRT, 1))).await["added"], 2);
    assert_eq!(knob("tags add zz").await["ok"], false);
    assert_eq!(knob("help").await["ok"], true);

    let mut link = ReaderLink::connect(&address, settings()).await.unwrap();
    assert_eq!(link.about().antennas, 4);
    link.start_inventory(InventoryPlan::default()).await.unwrap();
    Count::default().reach(&mut link, 2).await.unwrap();

    let pid = rustix::process::Pid::from_raw(program.id().unwrap().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(down(&mut link).await, ReaderDown::Closed);
    assert!(timeout(PATIENCE, program.wait()).await.unwrap().unwrap().success());
}
