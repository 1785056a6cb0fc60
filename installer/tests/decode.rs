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

#[test]
fn every_tag_uri_has_its_bits_by_the_tables_of_the_standard() {
    // The examples of the Tag Data Standard and the ends of its tables: partition 0 with nothing left for the reference, the largest
    // number of each field.
    for (uri, hex) in [
        ("urn:epc:tag:sgtin-96:3.0614141.812345.6789", "3074257bf7194e4000001a85"),
        ("urn:epc:tag:sgtin-96:3.0614141.812345.274877906943", "3074257bf7194e7fffffffff"),
        ("urn:epc:tag:sgtin-96:3.061414112345.1.1", "3060393243f1644000000001"),
        ("urn:epc:tag:sgtin-96:3.123456.1234567.1", "3078789004b5a1c000000001"),
        (
            "urn:epc:tag:sgtin-198:3.0614141.712345.32a%2Fb",
            "3674257bf6b7a659b2c2bf100000000000000000000000000000",
        ),
        ("urn:epc:tag:sscc-96:3.0614141.1234567890", "3174257bf4499602d2000000"),
        ("urn:epc:tag:sscc-96:3.061414112345.12345", "3160393243f1643039000000"),
        ("urn:epc:tag:sgln-96:3.0614141.12345.5678", "3274257bf46072000000162e"),
        (
            "urn:epc:tag:sgln-195:3.0614141.12345.32a%2Fb",
            "3974257bf46072cd9615f8800000000000000000000000000000",
        ),
        ("urn:epc:tag:grai-96:3.0614141.12345.5678", "3374257bf40c0e400000162e"),
        ("urn:epc:tag:grai-96:3.061414112345..1", "3360393243f1640000000001"),
        (
            "urn:epc:tag:grai-170:3.0614141.12345.32a%2Fb",
            "3774257bf40c0e59b2c2bf1000000000000000000000",
        ),
        ("urn:epc:tag:giai-96:3.0614141.5678", "3474257bf40000000000162e"),
        (
            "urn:epc:tag:giai-202:3.0614141.32a%2Fb",
            "3874257bf59b2c2bf10000000000000000000000000000000000",
        ),
        ("urn:epc:tag:gid-96:31415.271828.1414", "350007ab70425d4000000586"),
        ("urn:epc:tag:gdti-96:3.0614141.12345.5678", "2c74257bf46072000000162e"),
        ("urn:epc:tag:gsrn-96:3.0614141.1234567890", "2d74257bf4499602d2000000"),
    ] {
        check(uri, json!({"tag_uri": uri, "hex": hex, "refused": null}));
        check(hex, json!({"tag_uri": uri, "hex": hex, "refused": null}));
    }
}

#[test]
fn each_malformed_code_is_named_by_what_is_wrong_with_it() {
    for (code, why) in [
        ("4006381333932", "the check digit is 2 and should be 1"),
        ("96385075", "the check digit is 5 and should be 4"),
        ("]E112", "only the add-on"),
        ("(01)09506000134353", "should be 2"),
        ("(00)106141412345678907", "should be 8"),
        ("(01)09506000134352(17)261331", "(17)"),
        ("(99)", "1 too few"),
        ("(01)09506000134352(01)00614141007349", "stands twice"),
        ("]C1(01)09506000134352", "no known application identifier"),
        ("https://id.gs1.org/01/09506000134352/10", "an identifier without a value"),
        ("https://id.gs1.org/01/09506000134352/10/A%2", "a % in the web address"),
        ("https://example.com/", "names no product"),
        ("R-r1-1-17-42", "should end in 65"),
        ("R-r1-01-17-65", "not a receipt code"),
        ("3074257bf7194e4000001a8", "24 hexadecimal digits, this one 23"),
        ("307c257bf7194e4000001a85", "partition 7"),
        ("3174257bf4499602d2000001", "all zeros"),
        ("e2801160600002064ae9b0b8", "a chip's own number"),
        ("000000000000000000000000", "never programmed"),
        ("urn:epc:tag:sgtin-96:3.0614141.812345.06789", "begins with a zero"),
        ("urn:epc:tag:sgtin-96:3.0614141.812345.274877906944", "does not fit 38 bits"),
        ("urn:epc:tag:sgtin-96:8.0614141.812345.6789", "filter 8 is more than 7"),
        ("urn:epc:tag:sgtin-96:3.06141.812345.6789", "6 to 12 digits, not 5"),
        ("urn:epc:tag:sgtin-96:3.0614141.12345.6789", "needs 6 characters here, not 5"),
        ("urn:epc:tag:sgtin-97:3.0614141.812345.6789", "no tag known here"),
        ("urn:epc:tag:sgln-96:3.0614141.12345.2199023255552", "does not fit 41 bits"),
        ("urn:epc:tag:grai-170:3.0614141.12345.12345678901234567", "at most 16 characters"),
        ("urn:epc:tag:giai-96:3.061414.9999999999999999999", "does not fit 62 bits"),
        ("urn:epc:id:sscc:0614141.1234567890x", "'x' can not stand in the serial reference"),
        ("urn:epc:id:giai:0614141.", "the asset reference is missing"),
        ("urn:epc:id:sgtin:0614141.812345", "2 parts separated by full stops and needs 3"),
        ("urn:epc:raw:+96.x3074257BF7194E4000001A85", "not an EPC"),
        ("urn:epc:raw:096.x3074257BF7194E4000001A85", "not an EPC"),
    ] {
        let (answers, exit) = decoded(&[], code);
        let refused = answers[0]["refused"].as_str().unwrap_or_default();
        assert!(refused.contains(why) && exit == 1, "{code}: {refused}");
    }
}

#[test]
fn capitals_in_the_first_words_of_a_urn_do_not_matter() {
    check("URN:EPC:id:sgtin:0614141.812345.6789", json!({"hex": "3014257bf7194e4000001a85"}));
    check(
        "URN:EPC:tag:sgtin-96:3.0614141.812345.6789",
        json!({"hex": "3074257bf7194e4000001a85"}),
    );
}

#[test]
fn lines_of_all_kinds_of_files_are_answered_one_by_one() {
    let lines = b"\xef\xbb\xbf4006381333931\r\n\r\n \t\n\xff\xfe\n]d20109506000134352\x1d10AB\n4006381333931\x00\n3074257bf7194e4000001a85";
    let output = fed(&["decode", "--json"], lines);
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let schemes: Vec<&str> = answers
        .iter()
        .map(|answer| answer["scheme"].as_str().unwrap_or("refused"))
        .collect();
    assert_eq!(schemes, ["gtin-13", "refused", "gs1-element-string", "refused", "sgtin-96"]);
    assert!(answers[1]["refused"].as_str().unwrap().contains("not UTF-8"));
    let many: String = (0..700).map(|number| format!("IN-{number}\n\n")).collect();
    assert_eq!(decoded(&[], &many).0.len(), 700);
}
