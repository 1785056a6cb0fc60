//! `backroom decode` as its callers see it: arguments and lines in, lines and an exit code out.
#![expect(clippy::unwrap_used, reason = "a test may simply stop")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn backroom(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backroom"));
    command.args(arguments);
    command
}

fn fed(arguments: &[&str], lines: &[u8]) -> Output {
    let mut child = backroom(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines = lines.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&lines));
    let output = child.wait_with_output().unwrap();
    // It may stop reading early.
    let _ = feeder.join().unwrap();
    output
}

/// The only place that knows the form of the answer.
fn decoded(arguments: &[&str], lines: &str) -> (Vec<Value>, i32) {
    let output = fed(&[&["decode", "--json"], arguments].concat(), lines.as_bytes());
    let text = String::from_utf8(output.stdout).unwrap();
    (
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        output.status.code().unwrap(),
    )
}

fn check(line: &str, fields: Value) {
    let (answers, _) = decoded(&[], line);
    let [answer] = answers.as_slice() else {
        panic!("one answer for {line}: {answers:?}")
    };
    for (name, expected) in fields.as_object().unwrap() {
        assert_eq!(&answer[name], expected, "{name} of {answer}");
    }
}

#[test]
fn a_tag_is_read_from_bits_and_from_both_uris() {
    let tag = json!({
        "scheme": "sgtin-96", "tag_uri": "urn:epc:tag:sgtin-96:3.0614141.812345.6789",
        "pure_identity": "urn:epc:id:sgtin:0614141.812345.6789", "hex": "3074257bf7194e4000001a85",
        "gtin": "80614141123458", "serial": "6789", "filter": 3, "company_prefix": "0614141", "assumed": null,
    });
    check("3074257bf7194e4000001a85", tag.clone());
    check("3074257BF7194E4000001A85", tag.clone());
    check("urn:epc:tag:sgtin-96:3.0614141.812345.6789", tag);
    check(
        "urn:epc:id:sgtin:0614141.812345.6789",
        json!({
            "tag_uri": "urn:epc:tag:sgtin-96:0.0614141.812345.6789", "hex": "3014257bf7194e4000001a85",
            "gtin": "80614141123458", "assumed": {"scheme": "sgtin-96", "filter": 0},
        }),
    );
    check(
        "urn:epc:id:sgtin:0614141.812345.A%2FB",
        json!({"scheme": "sgtin-198", "serial": "A/B"}),
    );
    check(
        "urn:epc:id:gid:31415.271828.1414",
        json!({"hex": "350007ab70425d4000000586", "assumed": {"scheme": "gid-96"}}),
    );
}

#[test]
fn barcodes_are_read_in_every_form() {
    check(
        "4006381333931",
        json!({"scheme": "gtin-13", "gtin": "04006381333931", "restricted": null}),
    );
    check("04252614", json!({"scheme": "upc-e", "gtin": "00042100005264"}));
    check("2212349010505", json!({"scheme": "gtin-13", "restricted": true}));
    check(
        "]C10109506000134352\u{1d}10ABC",
        json!({"scheme": "gs1-128", "ais": {"01": "09506000134352", "10": "ABC"}}),
    );
    check(
        "(01)09506000134352(21)X1",
        json!({"scheme": "gs1-element-string", "gtin": "09506000134352", "serial": "X1"}),
    );
    check(
        "https://id.gs1.org/01/09506000134352/10/ABC?17=261231",
        json!({"scheme": "gs1-digital-link", "gtin": "09506000134352", "ais": {"01": "09506000134352", "10": "ABC", "17": "261231"}}),
    );
    check(
        "R-r1-2-17-38",
        json!({"scheme": "receipt", "receipt": {"register": "r1", "series": 2, "number": 17}}),
    );
    check("APPLES", json!({"scheme": "in-store", "code": "APPLES"}));
}

#[test]
fn a_tag_and_a_barcode_are_told_apart_by_fixed_rules() {
    // 24 decimal digits with a known header and its length are a tag.
    check("300000000000000000000001", json!({"scheme": "sgtin-96"}));
    // 20 decimal digits are not.
    check("30000000000000000001", json!({"scheme": "in-store"}));
    // Hexadecimal letters make a long text a tag, or a refusal.
    check(
        "3074257bf7194e4000001a8",
        json!({"scheme": null, "refused": "a sgtin-96 tag has 24 hexadecimal digits, this one 23; read the whole tag"}),
    );
    check(
        "3074257bf7194e4000001a8g",
        json!({"scheme": null, "refused": "'g' at place 24 is not a hexadecimal digit; read the tag again"}),
    );
    check("deadbeef", json!({"scheme": "in-store"}));
}

#[test]
fn tags_are_read_as_readers_print_them() {
    for line in [
        "0x3074257BF7194E4000001A85",
        "3074 257B F719 4E40 0000 1A85",
        "30-74-25-7B-F7-19-4E-40-00-00-1A-85",
        "urn:epc:raw:96.x3074257BF7194E4000001A85",
    ] {
        check(
            line,
            json!({"tag_uri": "urn:epc:tag:sgtin-96:3.0614141.812345.6789", "hex": "3074257bf7194e4000001a85"}),
        );
    }
    check("30-74", json!({"scheme": "in-store"}));
    for (line, why) in [
        (
            "000000000000000000000000",
            "the tag was never programmed (header 0x00); write a number on it first",
        ),
        (
            "e2801160600002084f1c5a2b",
            "header 0xe2 begins a chip's own number (TID), not what is written on it; read the tag's EPC memory",
        ),
        (
            "307c257bf7194e4000001a85",
            "partition 7 is not allowed (0 to 6 are); the tag is wrongly encoded",
        ),
    ] {
        check(line, json!({"scheme": null, "refused": why}));
    }
}

#[test]
fn a_tag_says_what_its_barcode_and_its_web_address_would_say() {
    check(
        "urn:epc:tag:sscc-96:3.0614141.1234567890",
        json!({
            "hex": "3174257bf4499602d2000000", "gtin": null, "company_prefix": "0614141",
            "element_string": "(00)106141412345678908", "ais": {"00": "106141412345678908"},
            "digital_link": "https://id.gs1.org/00/106141412345678908",
        }),
    );
    check(
        "urn:epc:id:sgtin:0614141.712345.32a%2Fb",
        json!({
            "scheme": "sgtin-198", "ais": {"01": "70614141123451", "21": "32a/b"},
            "digital_link": "https://id.gs1.org/01/70614141123451/21/32a%2Fb",
            "assumed": {"scheme": "sgtin-198", "filter": 0},
        }),
    );
    check(
        "urn:epc:id:sgln:0614141.12345.0",
        json!({"scheme": "sgln-96", "hex": "3214257bf460720000000000", "ais": {"414": "0614141123452"}}),
    );
}

#[test]
fn a_barcode_says_its_tag_when_the_company_prefix_is_known() {
    for (line, pure) in [
        ("(00)106141412345678908", "urn:epc:id:sscc:0614141.1234567890"),
        ("]C100106141412345678908", "urn:epc:id:sscc:0614141.1234567890"),
        (
            "https://id.gs1.org/414/0614141123452/254/5678",
            "urn:epc:id:sgln:0614141.12345.5678",
        ),
        ("(8003)006141411234525678", "urn:epc:id:grai:0614141.12345.5678"),
        ("(8004)06141415678", "urn:epc:id:giai:0614141.5678"),
    ] {
        let (answers, code) = decoded(&["--prefix-digits", "7"], line);
        assert_eq!((answers[0]["pure_identity"].as_str(), code), (Some(pure), 0), "{line}");
        assert_eq!(answers[0]["assumed"]["filter"], 0, "{line}");
    }
}

#[test]
fn the_shops_own_rules_are_given_on_the_command_line() {
    let (answers, code) = decoded(&["--store-made", "22 PPPPPPCVVVVV price 2"], "2212349010505");
    assert_eq!(code, 0);
    assert_eq!(
        answers[0]["store_made"],
        json!({"item": "02212340000000", "measure": "price", "amount": "10.50"})
    );
    let (answers, _) = decoded(&["--prefix-digits", "7"], "(01)80614141123458(21)6789");
    assert_eq!(answers[0]["pure_identity"], "urn:epc:id:sgtin:0614141.812345.6789");
}

#[test]
fn one_refused_line_does_not_stop_the_others() {
    let mut lines = b"4006381333931\r\n\n   \n\xff\xfe\n".to_vec();
    lines.extend(vec![b'x'; 100_000]);
    lines.extend(b"\n96385074");
    let output = fed(&["decode", "--json"], &lines);
    assert_eq!(output.status.code(), Some(1));
    let answers: Vec<Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let refused: Vec<bool> = answers.iter().map(|answer| answer.get("refused").is_some()).collect();
    assert_eq!(refused, [false, true, true, false]);
    assert!(answers[2]["input"].as_str().unwrap().len() < 200);
}

#[test]
fn exit_codes_say_how_it_went() {
    assert_eq!(backroom(&["decode", "4006381333931"]).output().unwrap().status.code(), Some(0));
    assert_eq!(
        backroom(&["decode", "4006381333931", "4006381333932"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(1)
    );
    assert_eq!(backroom(&["decode", "--nonsense"]).output().unwrap().status.code(), Some(2));
    assert_eq!(
        backroom(&["decode", "--store-made", "nonsense", "1"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(2)
    );
    assert_eq!(fed(&["decode"], b"").status.code(), Some(0));
    for arguments in [&["--help"][..], &["--version"], &["decode", "--help"], &["doctor", "--help"]] {
        assert_eq!(backroom(arguments).output().unwrap().status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn a_payment_card_is_refused_and_not_shown() {
    for line in [
        "%B4242424242424242^DOE/JANE^2912",
        ";4242424242424242=29121010000000000?",
        "4242424242424242",
        "4242 4242 4242 4242",
    ] {
        let output = fed(&["decode"], line.as_bytes());
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(
            !text.contains("42424242") && !text.contains("4242 4242") && !text.contains("DOE"),
            "{text}"
        );
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut child = backroom(&["decode"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    // It stops by itself, so feeding it ends with an error of ours.
    while stdin.write_all(&b"4006381333931\n".repeat(1_000)).is_ok() {}
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_line_for_people_holds_no_control_characters() {
    let output = fed(&["decode"], b"]C110A\x1d21B\n\x1b[31mred\n");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("]C110A<FNC1>21B: gs1-128"), "{text}");
    assert!(text.lines().all(|line| !line.chars().any(char::is_control)), "{text:?}");
}
