//! Laws 1 and 2: what was acknowledged is there, once; what is there was asked for.

use backroom_tests::laws::{ClientLog, Law, Options};
use serde_json::{Value, json};

use super::case::{Case, breaks, text};
use super::world::{TEE, uuid};
use super::{honest, with, with_lines};

fn acked(command: u128, call: &str, result: Value) -> [Value; 2] {
    let id = uuid(command);
    let asked = json!({"asked": "2026-11-18T12:00:00Z", "command_id": id, "at": "2026-11-18T12:00:00Z", "call": call, "result": null});
    let acked = json!({"acked": true, "command_id": id, "at": "2026-11-18T12:00:00Z", "call": call, "result": result});
    [asked, acked]
}

#[test]
fn l1_an_acknowledged_command_that_is_nowhere() {
    let report = with_lines(|case, _| case.logs[0].extend(acked(77, "settle", json!({"ok": true}))));
    breaks(
        &report,
        Law::L1,
        "client.log",
        "00000000-0000-0000-0000-00000000004d (settle) was acknowledged",
    );
}

#[test]
fn l1_a_refused_or_unanswered_command_claims_nothing_until_it_is_granted() {
    let report = with_lines(|case, _| {
        case.logs[0].extend(acked(77, "settle", json!({"ok": false, "code": "busy"})));
        case.logs[0].extend(acked(78, "settle", Value::Null).into_iter().take(1));
        case.logs[0].push(json!({"acked": true, "at": "2026-11-18T12:00:00Z", "call": "get_status", "result": {"ok": true}}));
    });
    report.assert_holds(&[Law::L1]);
    let report = with_lines(|case, _| {
        case.logs[0].extend(acked(77, "settle", json!({"ok": false})));
        case.logs[0].extend(acked(77, "settle", json!({"ok": true})));
    });
    breaks(&report, Law::L1, "client.log", "(settle) was acknowledged");
}

#[test]
fn l1_a_command_in_force_twice() {
    let report = with(|shop, places| {
        let sale = &mut shop.specs[places.sale].body;
        let first = sale["lines"][0]["command_id"].clone();
        sale["lines"][2]["voided"]["command_id"] = first;
    });
    breaks(
        &report,
        Law::L1,
        "thread/berlin 1:9 (a line)",
        "is in force 2 times, again at thread/berlin 1:9 (a voided line)",
    );
}

#[test]
fn l1_a_closed_ticket_that_is_still_called_open() {
    let report = with_lines(|case, places| {
        let line = case.shops[0].export[places.second_sale]["body"]["lines"][0].clone();
        let ticket = json!({"ticket": uuid(99), "command_ids": [line["command_id"]]});
        case.shops[0].tickets.as_mut().unwrap().push(ticket);
    });
    breaks(
        &report,
        Law::L1,
        "thread/berlin 1:10",
        "again at open ticket 00000000-0000-0000-0000-000000000063",
    );
}

#[test]
fn l1_another_receipt_or_change_than_the_client_was_told() {
    for (field, lie, why) in [
        (
            "receipt",
            json!("r1/1/9"),
            "was told receipt r1/1/9, thread/berlin 1:9 holds r1/1/1",
        ),
        ("change", json!(1), "was told change 1, thread/berlin 1:9 holds 680"),
        (
            "due",
            json!({"minor": 5, "currency": "EUR"}),
            "was told due 5, thread/berlin 1:9 holds 2320",
        ),
    ] {
        let report = with_lines(|case, _| {
            let told = |line: &&mut Value| line["result"]["receipt"] == "r1/1/1";
            case.logs[0].iter_mut().find(told).unwrap()["result"][field] = lie;
        });
        breaks(&report, Law::L1, "client.log", why);
    }
}

#[test]
fn l1_after_a_power_cut_only_what_was_flushed_must_be_there() {
    let (shops, _) = honest();
    let mut case = Case::of(&shops);
    case.logs[0].extend(acked(77, "Scan", json!({"ok": true})));
    breaks(&case.check(), Law::L1, "client.log", "(Scan) was acknowledged");
    let after_power_cut = Options {
        after_power_cut: true,
        ..Options::default()
    };
    case.check_with(after_power_cut).assert_holds(&[Law::L1]);
    case.logs[0].extend(acked(78, "tender", json!({"ok": true})));
    breaks(
        &case.check_with(after_power_cut),
        Law::L1,
        "client.log",
        "(tender) was acknowledged",
    );
}

#[test]
fn l1_an_open_ticket_that_was_forgotten() {
    let (shops, _) = honest();
    let mut munich = shops[1].clone();
    munich.leave_open(&[TEE], 0);
    let mut case = Case::of(&[shops[0].clone(), munich]);
    case.check().assert_holds(&[Law::L1]);
    case.shops[1].tickets = Some(Vec::new());
    breaks(&case.check(), Law::L1, "client.log", "no journal entry and no open ticket");
}

#[test]
fn l2_a_journaled_command_nobody_asked_for() {
    let report = with_lines(|case, _| case.logs[0].retain(|line| line["call"] != "enrol" || line.get("asked").is_none()));
    breaks(
        &report,
        Law::L2,
        "thread/berlin 1:4 (its own)",
        "no client asked for command 00000000-0000-0001-",
    );
}

#[test]
fn l2_a_line_or_an_open_ticket_nobody_asked_for() {
    let report = with_lines(|case, places| {
        let line = case.shops[0].export[places.sale]["body"]["lines"][1]["command_id"].clone();
        case.logs[0].retain(|logged| logged["command_id"] != line);
    });
    breaks(&report, Law::L2, "thread/berlin 1:9 (a line)", "no client asked");
    let report = with_lines(|case, _| {
        let ticket = json!({"ticket": uuid(98), "command_ids": [uuid(99)]});
        case.shops[0].tickets.as_mut().unwrap().push(ticket);
    });
    breaks(
        &report,
        Law::L2,
        "open ticket 00000000-0000-0000-0000-000000000062",
        "no client asked",
    );
}

#[test]
fn l2_a_box_that_signs_somebody_in_by_itself() {
    let report = with(|shop, _| {
        let at = shop.sign_in();
        shop.specs[at].command = None;
        shop.log.truncate(shop.log.len() - 2);
    });
    breaks(&report, Law::L2, "thread/berlin 1:2", "signed_in has no command id");
}

#[test]
fn l2_directives_are_each_answered_once_and_in_turn() {
    for (number, why) in [(2, "answers directive 2, but 3 is next"), (4, "answers directive 4, but 3 is next")] {
        let report = with(|shop, _| {
            shop.directive(number);
        });
        breaks(&report, Law::L2, "thread/berlin 1:", why);
    }
}

#[test]
fn l1_a_log_whose_writer_was_killed_is_read_up_to_its_torn_end() {
    let (shops, _) = honest();
    let torn = format!("{}{{\"acked\":true,\"comm", text(&shops[0].log));
    let log = ClientLog::read(torn.as_bytes(), "client.log".into()).unwrap();
    assert_eq!(log.lines.len(), shops[0].log.len());
    let why = ClientLog::read(format!("{{}}x\n{torn}").as_bytes(), "client.log".into()).unwrap_err();
    assert!(why.to_string().contains("client.log, line 1"), "{why:#}");
    for (line, why) in [
        (json!({"command_id": "x", "asked": true}), "command_id \"x\" is no UUID"),
        (json!({"command_id": uuid(1), "asked": false}), "a line says either"),
        (
            json!({"command_id": uuid(1), "acked": true, "call": "scan"}),
            "an acked line needs result.ok",
        ),
    ] {
        let refused = ClientLog::read(text(&[line]).as_bytes(), "client.log".into()).unwrap_err();
        assert!(format!("{refused:#}").contains(why), "{refused:#}");
    }
}
