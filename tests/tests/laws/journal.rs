//! Laws 3 and 4: receipt numbers, and the chain with every byte in it.

use backroom_tests::laws::Law;
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::case::{Case, breaks};
use super::world::{APPLES, TEE, uuid};
use super::{honest, spoiled, with, with_lines};

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
fn l4_an_entry_of_a_newer_kind_is_carried_and_chained() {
    let case = spoiled(|shop, _| {
        shop.fact(None, 900, json!({"fact": "kind_900", "anything": 1}));
        shop.sell(&[APPLES], &[400]);
    });
    case.check().assert_holds(&[Law::L4]);
}
