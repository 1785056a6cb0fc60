//! Laws 1 to 4 and 8: what was acknowledged, asked, numbered, chained and carried to head office.

use backroom_tests::laws::{Law, Options};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

use super::case::{Case, breaks, hq_lines};
use super::world::{APPLES, TEE, uuid};
use super::{CONVERGED, honest, spoiled, with, with_lines};

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
fn l3_a_gap_and_a_repeat_in_the_numbers() {
    for (step, why) in [
        (1, "receipt r1/1/7 leaves a gap, 6 is next"),
        (-1, "receipt r1/1/5 is used again, 6 is next"),
    ] {
        let report = with(|shop, _| {
            shop.next_number += step;
            // The number before last was of the open shift, so no Z is touched.
            let sale = shop.sell(&[TEE], &[2000]);
            if step < 0 {
                shop.sales.insert("r1/1/5".into(), sold(&shop.specs[sale].body));
            }
        });
        breaks(&report, Law::L3, "thread/berlin 1:", why);
    }
}

fn sold(body: &Value) -> Value {
    let mut value = json!({"end": body["end"], "business_day": "2026-11-18", "currency": "EUR"});
    for field in ["net", "tax", "cash_rounding", "due"] {
        value[field] = body[field].clone();
    }
    value
}

#[test]
fn l3_a_sale_without_a_number_or_with_another_registers() {
    let nameless = with(|shop, places| {
        let number = shop.specs[places.open_sale].body["receipt"].clone();
        let at = shop.sell(&[TEE], &[2000]);
        shop.specs[at].body["receipt"] = Value::Null;
        let told = shop.log.last_mut().unwrap();
        told["result"] = json!({"ok": true});
        shop.sales.remove("r1/1/6");
        assert_eq!(number["number"], 4);
    });
    breaks(&nameless, Law::L3, "thread/berlin 1:2", "a sale without a receipt number");
    let foreign = with(|shop, _| {
        let at = shop.sell(&[TEE], &[2000]);
        shop.specs[at].body["receipt"] = json!({"register": "r2", "series": 1, "number": 1});
        shop.log.last_mut().unwrap()["result"] = json!({"ok": true});
        let value = shop.sales.remove("r1/1/6").unwrap();
        shop.sales.insert("r2/1/1".into(), value);
    });
    breaks(
        &foreign,
        Law::L3,
        "thread/berlin 1:2",
        "receipt r2/1/1 was given out on register r1",
    );
}

#[test]
fn l3_a_restored_box_opens_a_new_series_and_uses_it() {
    let report = with(|shop, _| {
        shop.open_epoch(1);
        shop.next_number = 6;
        shop.sell(&[TEE], &[2000]);
    });
    breaks(&report, Law::L3, "thread/berlin 2:1", "opens series 1 again");
    let report = with(|shop, _| {
        shop.open_epoch(2);
        (shop.series, shop.next_number) = (1, 6);
        shop.sell(&[TEE], &[2000]);
    });
    breaks(&report, Law::L3, "thread/berlin 2:2", "receipt r1/1/6 is not of the series 2");
}

#[test]
fn l4_every_field_of_a_line_agrees_with_its_bytes() {
    for (field, lie) in [
        ("epoch", json!(2)),
        ("seq", json!(70)),
        ("time", json!("2026-11-18T11:06:41Z")),
        ("business_day", json!("2026-11-19")),
        ("kind", json!("cash_moved")),
        ("command_id", json!(uuid(5))),
        ("command_id", Value::Null),
        ("device", json!("r2")),
        ("staff", Value::Null),
        ("prev_hash", json!("00".repeat(32))),
        ("hash", json!("11".repeat(32))),
    ] {
        let report = with_lines(|case, places| case.shops[0].export[places.sale][field] = lie);
        breaks(&report, Law::L4, "thread/berlin 1:9 in journal.jsonl", &format!("{field} says"));
    }
    let report = with_lines(|case, places| case.hq()[places.sale]["store"] = json!("munich"));
    breaks(&report, Law::L4, "thread/berlin 1:9 in hq.jsonl", "store says munich");
}

#[test]
fn l4_a_body_that_lies_about_its_bytes() {
    for (pointer, lie, why) in [
        ("/body/due", json!(1), "body.due says 1, the bytes say 2320"),
        ("/body/receipt/number", json!(8), "body.receipt.number says 8, the bytes say 1"),
        (
            "/body/lines/1/quantity",
            json!(1000),
            "body.lines[1].quantity says 1000, the bytes say 1330",
        ),
        (
            "/body/tenders/0/amount",
            json!(900),
            "body.tenders[0].amount says 900, the bytes say 1000",
        ),
        ("/body/moves/0/delta", json!(0), "body.moves[0].delta says 0, the bytes say -1000"),
        ("/body/lines", json!([]), "body.lines says 0 items, the bytes say 3 items"),
        ("/body/fact", json!("sale"), "body.fact says \"sale\""),
        ("/body/change", json!("680"), "its body can not be read"),
        ("/body", Value::Null, "its body can not be read"),
    ] {
        let report = with_lines(|case, places| *case.shops[0].export[places.sale].pointer_mut(pointer).unwrap() = lie);
        breaks(&report, Law::L4, "thread/berlin 1:9", why);
    }
}

/// The last entry of the first shop, with one byte changed; without head office, which would notice as well.
fn one_byte(at: usize, spoil: impl Fn(&mut Vec<u8>)) -> (Vec<Law>, String) {
    let (shops, _) = honest();
    let mut case = Case::of(&shops);
    case.hq = None;
    let line = &mut case.shops[0].export[at];
    let mut bytes = BASE64.decode(line["bytes"].as_str().unwrap().as_bytes()).unwrap();
    spoil(&mut bytes);
    line["bytes"] = json!(BASE64.encode(&bytes));
    let report = case.check();
    (report.broken(), report.to_string())
}

#[test]
fn l4_bytes_that_are_not_what_was_hashed() {
    let (berlin, _) = honest();
    let sign_in = 4;
    let (broken, report) = one_byte(sign_in, |bytes| *bytes.last_mut().unwrap() ^= 1);
    assert_eq!(broken, [Law::L4], "{report}");
    assert!(report.contains("thread/berlin 1:5 in journal.jsonl: hash says"), "{report}");
    assert!(report.contains("thread/berlin 1:6: names"), "{report}");
    assert!(berlin[0].specs.len() > 6);
    for (what, spoil) in [
        ("BKRJ", (|bytes: &mut Vec<u8>| bytes[0] = b'X') as fn(&mut Vec<u8>)),
        ("format 2", |bytes| bytes[5] = 2),
        ("reserved bytes", |bytes| bytes[46] = 1),
        ("payload bytes", |bytes| bytes.push(0)),
        ("too few", |bytes| bytes.truncate(150)),
        ("tenant is not a code", |bytes| bytes[8] = b'T'),
    ] {
        let (broken, report) = one_byte(1, spoil);
        assert!(broken.contains(&Law::L4), "{report}");
        assert!(
            report.contains("journal.jsonl: line 2: entry 1:2") && report.contains(what),
            "{what}\n{report}"
        );
    }
}

#[test]
fn l4_a_payload_that_is_no_protobuf() {
    let (broken, report) = one_byte(1, |bytes| bytes[200] = 0xff);
    assert_eq!(broken, [Law::L4], "{report}");
    assert!(
        report.contains("thread/berlin 1:2 in journal.jsonl: its payload can not be read"),
        "{report}"
    );
}

#[test]
fn l4_an_entry_that_names_another_hash_before_it() {
    let report = with(|shop, _| shop.specs[4].prev_hash = Some([7; 32]));
    breaks(
        &report,
        Law::L4,
        "thread/berlin 1:5",
        &format!("names {} as the hash before it", "07".repeat(32)),
    );
    let report = with(|shop, _| shop.specs[0].prev_hash = Some([7; 32]));
    breaks(&report, Law::L4, "thread/berlin 1:1", "zeros must stand");
}

#[test]
fn l4_an_export_with_a_hole_a_repeat_or_another_order() {
    let report = with_lines(|case, _| case.shops[0].export.swap(3, 4));
    breaks(&report, Law::L4, "thread/berlin 1:5", "stands after thread/berlin 1:3");
    let report = with_lines(|case, _| {
        let line = case.shops[0].export[1].clone();
        case.shops[0].export.insert(2, line);
    });
    breaks(&report, Law::L4, "thread/berlin 1:2", "a repeat");
    let report = with_lines(|case, _| {
        let line = case.shops[1].export[4].clone();
        case.shops[0].export.push(line);
    });
    assert!(report.broken().contains(&Law::L4), "{report}");
    assert!(
        report
            .to_string()
            .contains("thread/munich 1:5: lies in the export of thread/berlin"),
        "{report}"
    );
    let (shops, _) = honest();
    let mut case = Case::of(&shops);
    (case.hq, case.logs) = (None, Vec::new());
    case.shops[0].export.remove(1);
    breaks(&case.check(), Law::L4, "thread/berlin 1:3", "stands after thread/berlin 1:1");
    case.shops[0].export.remove(0);
    breaks(&case.check(), Law::L4, "thread/berlin 1:3", "begins with seq 3 instead of 1");
}

#[test]
fn l4_an_epoch_that_does_not_name_the_end_of_the_one_before() {
    for (field, lie, why) in [
        ("hash", json!("22".repeat(32)), "as the hash of 1:"),
        ("epoch", json!(2), "epoch 2 claims to follow epoch 2"),
    ] {
        let report = with(|shop, _| {
            let at = shop.open_epoch(2);
            shop.specs[at].body["previous"][field] = lie;
        });
        breaks(&report, Law::L4, "thread/berlin 2:1", why);
    }
    let report = with(|shop, _| {
        let lines = shop.lines();
        let at = shop.open_epoch(2);
        shop.specs[at].body["previous"] = json!({"epoch": 1, "seq": 3, "hash": lines[2]["hash"]});
    });
    breaks(
        &report,
        Law::L4,
        "thread/berlin 2:1",
        "names 1:3 as the end of the epoch before, but its own journal goes on",
    );
    let report = with(|shop, _| {
        let at = shop.open_epoch(2);
        shop.specs[at].body["previous"] = Value::Null;
    });
    breaks(&report, Law::L4, "thread/berlin 2:1", "names no end of the epoch before");
}

#[test]
fn l8_head_office_lacks_what_it_says_it_holds() {
    let report = with_lines(|case, _| drop(case.hq().remove(4)));
    breaks(
        &report,
        Law::L8,
        "thread/berlin 1:5 at head office",
        "is missing, though the watermark says",
    );
}

#[test]
fn l8_head_office_holds_other_bytes() {
    let (shops, _) = honest();
    let mut other = shops.clone();
    let at = other[0].sign_in();
    let mut same = shops.clone();
    same[0].sign_in();
    other[0].specs[at].body["session"] = json!(5);
    let mut case = Case::of(&same);
    case.hq = Some(hq_lines(&other));
    breaks(&case.check(), Law::L8, &format!("thread/berlin 1:{}", at + 1), "in the store to");
}

#[test]
fn l8_head_office_holds_an_entry_the_store_never_wrote() {
    let (shops, _) = honest();
    let mut more = shops.clone();
    let at = more[0].fact(
        None,
        2,
        json!({"fact": "catalog_applied", "version": 4, "hash": "cd".repeat(32), "items": 3}),
    );
    let mut case = Case::of(&shops);
    case.hq = Some(hq_lines(&more));
    breaks(
        &case.check(),
        Law::L8,
        &format!("thread/berlin 1:{}", at + 1),
        "is an entry that the store does not have",
    );
}

#[test]
fn l8_a_watermark_that_can_not_be() {
    for (field, lie, why) in [
        ("hash", json!("33".repeat(32)), "is its hash, but it is"),
        ("applied", json!(99), "99 are applied, more than the"),
        ("held", json!(99), "though the watermark says that 99 are held"),
    ] {
        let report = with_lines(|case, _| case.projection("watermark", "berlin/1")["value"][field] = lie);
        breaks(&report, Law::L8, "thread/berlin 1:", why);
    }
}

#[test]
fn l8_a_projection_that_is_no_fold() {
    for (projection, key, field, lie, why) in [
        ("sales", "berlin/r1/1/1", "due", json!(1), "due is 1, the entries add up to 2320"),
        ("sales", "munich/r1/2/1", "business_day", json!("2026-11-19"), "business_day is"),
        ("tills", "berlin/t1/", "drops", json!(0), "drops is 0, the entries add up to 3000"),
        ("tills", "berlin/t1/", "open", json!(true), "open is true"),
    ] {
        let report = with_lines(|case, _| case.projection(projection, key)["value"][field] = lie);
        breaks(&report, Law::L8, &format!("head office, {projection} {key}"), why);
    }
    let report = with_lines(|case, _| case.hq().retain(|line| line["key"] != "berlin/r1/1/2"));
    breaks(&report, Law::L8, "head office, sales berlin/r1/1/2", "is missing");
    let report = with_lines(|case, _| {
        let line = case.projection("sales", "berlin/r1/1/2").clone();
        case.hq().push(line);
    });
    breaks(&report, Law::L8, "head office, sales berlin/r1/1/2", "is projected twice");
}

#[test]
fn l8_entries_may_be_under_way_unless_all_should_have_arrived() {
    let (shops, _) = honest();
    let mut later = shops.clone();
    later[0].sign_in();
    let at = later[0].specs.len();
    let mut case = Case::of(&later);
    case.hq = Some(hq_lines(&shops));
    case.check().assert_holds(&[Law::L8]);
    breaks(
        &case.check_with(CONVERGED),
        Law::L8,
        &format!("thread/berlin 1:{at}"),
        "is not held at head office",
    );
    case.hq = Some(hq_lines(&shops[1..]));
    breaks(&case.check_with(CONVERGED), Law::L8, "thread/berlin", "holds nothing of this store");
}

#[test]
fn l8_head_office_keeps_tenants_apart() {
    let (shops, _) = honest();
    let other = super::ShopWorld::new("grocer", "hamburg", 9 << 64);
    let mut case = Case::of(&shops);
    let mut line = other.lines().remove(0);
    line["store"] = json!("hamburg");
    case.hq().push(line);
    breaks(
        &case.check(),
        Law::L8,
        "grocer/hamburg 1:1",
        "lies in head office's export of tenant thread",
    );
}

#[test]
fn a_newer_kind_is_carried_and_torn_log_ends_are_left_out() {
    let case = spoiled(|shop, _| {
        shop.fact(None, 900, json!({"fact": "kind_900", "anything": 1}));
        shop.sell(&[APPLES], &[400]);
    });
    case.check().assert_holds(&[Law::L4]);
    let torn = format!("{}{{\"acked\":true,\"comm", super::case::text(&case.logs[0]));
    let log = backroom_tests::laws::ClientLog::read(torn.as_bytes(), "client.log".into()).unwrap();
    assert_eq!(log.lines.len(), case.logs[0].len());
    let why = backroom_tests::laws::ClientLog::read(format!("{{}}x\n{torn}").as_bytes(), "client.log".into()).unwrap_err();
    assert!(why.to_string().contains("client.log, line 1"), "{why:#}");
    assert_eq!(HEXLOWER.encode(&[0]), "00");
}
