//! Tables of published tags, refusals by name, and laws for every scheme and partition.

use proptest::prelude::*;

use super::*;
use crate::barcode::ElementString;

/// The only place that knows the API: a tag URI, its bits, its name, and the barcode that says the same.
fn check(tag_uri: &str, hex: &str, pure: &str, element_string: &str) {
    let epc: Epc = tag_uri.parse().unwrap();
    assert_eq!(epc.to_hex(), hex, "{tag_uri}");
    assert_eq!(epc.id().to_string(), pure, "{tag_uri}");
    assert_eq!(epc.id().element_string().unwrap_or_default(), element_string, "{tag_uri}");
    assert_eq!(Epc::from_hex(hex).unwrap().to_string(), tag_uri, "{hex}");
    assert_eq!(Epc::from_hex(&hex.to_uppercase()), Ok(epc.clone()));
    assert_eq!(Epc::from_bytes(epc.as_bytes()), Ok(epc.clone()));
    assert_eq!(&pure.parse::<EpcId>().unwrap(), epc.id());
}

fn refused(text: &str) -> EpcError {
    let outcome = if text.starts_with("urn:epc:id:") {
        text.parse().and_then(|id| Epc::shortest(id, 0)).map(|epc| epc.to_string())
    } else if text.starts_with("urn:") {
        text.parse().map(|epc: Epc| epc.to_string())
    } else {
        Epc::from_hex(text).map(|epc| epc.to_string())
    };
    outcome.expect_err(text)
}

#[test]
fn published_examples_read_and_write_both_ways() {
    check(
        "urn:epc:tag:sgtin-96:3.0614141.812345.6789",
        "3074257bf7194e4000001a85",
        "urn:epc:id:sgtin:0614141.812345.6789",
        "(01)80614141123458(21)6789",
    );
    check(
        "urn:epc:tag:sgtin-198:3.0614141.712345.32a%2Fb",
        "3674257bf6b7a659b2c2bf100000000000000000000000000000",
        "urn:epc:id:sgtin:0614141.712345.32a%2Fb",
        "(01)70614141123451(21)32a/b",
    );
    check(
        "urn:epc:tag:sscc-96:3.0614141.1234567890",
        "3174257bf4499602d2000000",
        "urn:epc:id:sscc:0614141.1234567890",
        "(00)106141412345678908",
    );
    check(
        "urn:epc:tag:sgln-96:3.0614141.12345.5678",
        "3274257bf46072000000162e",
        "urn:epc:id:sgln:0614141.12345.5678",
        "(414)0614141123452(254)5678",
    );
    check(
        "urn:epc:tag:sgln-195:3.0614141.12345.32a%2Fb",
        "3974257bf46072cd9615f8800000000000000000000000000000",
        "urn:epc:id:sgln:0614141.12345.32a%2Fb",
        "(414)0614141123452(254)32a/b",
    );
    check(
        "urn:epc:tag:grai-96:3.0614141.12345.5678",
        "3374257bf40c0e400000162e",
        "urn:epc:id:grai:0614141.12345.5678",
        "(8003)006141411234525678",
    );
    check(
        "urn:epc:tag:grai-170:3.0614141.12345.32a%2Fb",
        "3774257bf40c0e59b2c2bf1000000000000000000000",
        "urn:epc:id:grai:0614141.12345.32a%2Fb",
        "(8003)0061414112345232a/b",
    );
    check(
        "urn:epc:tag:giai-96:3.0614141.5678",
        "3474257bf40000000000162e",
        "urn:epc:id:giai:0614141.5678",
        "(8004)06141415678",
    );
    check(
        "urn:epc:tag:giai-202:3.0614141.32a%2Fb",
        "3874257bf59b2c2bf10000000000000000000000000000000000",
        "urn:epc:id:giai:0614141.32a%2Fb",
        "(8004)061414132a/b",
    );
    check(
        "urn:epc:tag:gsrn-96:3.0614141.1234567890",
        "2d74257bf4499602d2000000",
        "urn:epc:id:gsrn:0614141.1234567890",
        "(8018)061414112345678902",
    );
    check(
        "urn:epc:tag:gsrnp-96:3.0614141.1234567890",
        "2e74257bf4499602d2000000",
        "urn:epc:id:gsrnp:0614141.1234567890",
        "(8017)061414112345678902",
    );
    check(
        "urn:epc:tag:gdti-96:3.0614141.12345.5678",
        "2c74257bf46072000000162e",
        "urn:epc:id:gdti:0614141.12345.5678",
        "(253)06141411234525678",
    );
    check(
        "urn:epc:tag:gdti-174:3.0614141.12345.ABCDefgh012345678",
        "3e74257bf46073061438997367d0c18b266d1ab66ee0",
        "urn:epc:id:gdti:0614141.12345.ABCDefgh012345678",
        "(253)0614141123452ABCDefgh012345678",
    );
    check(
        "urn:epc:tag:cpi-96:3.0614141.98765.12345",
        "3c74257bf400c0e680003039",
        "urn:epc:id:cpi:0614141.98765.12345",
        "(8010)061414198765(8011)12345",
    );
    check(
        "urn:epc:tag:cpi-var:3.0614141.5PQ7%2FZ43.12345",
        "3d74257bf75411def6b4cc00000003039000",
        "urn:epc:id:cpi:0614141.5PQ7%2FZ43.12345",
        "(8010)06141415PQ7/Z43(8011)12345",
    );
    check(
        "urn:epc:tag:sgcn-96:3.4012345.67890.04711",
        "3f74f4e4e612640000019907",
        "urn:epc:id:sgcn:4012345.67890.04711",
        "(255)401234567890104711",
    );
    check(
        "urn:epc:tag:gid-96:31415.271828.1414",
        "350007ab70425d4000000586",
        "urn:epc:id:gid:31415.271828.1414",
        "",
    );
    check(
        "urn:epc:tag:usdod-96:3.CAGEY.5678",
        "2f320434147455900000162e",
        "urn:epc:id:usdod:CAGEY.5678",
        "",
    );
    check(
        "urn:epc:tag:itip-110:3.4012345.012345.01.02.981",
        "4074f4e4e40c0e40820000000f54",
        "urn:epc:id:itip:4012345.012345.01.02.981",
        "(8006)040123451234560102(21)981",
    );
    check(
        "urn:epc:tag:itip-212:3.4012345.012345.04.04.32a%2Fb",
        "4174f4e4e40c0e420466cb0afc400000000000000000000000000000",
        "urn:epc:id:itip:4012345.012345.04.04.32a%2Fb",
        "(8006)040123451234560404(21)32a/b",
    );
}

#[test]
fn the_examples_of_the_newer_editions_read_and_write_both_ways() {
    for (tag_uri, hex, pure, element_string) in [
        (
            "urn:epc:tag:sgtin-96:3.95060001343.05.123456789",
            "3066c4409047e140075bcd15",
            "urn:epc:id:sgtin:95060001343.05.123456789",
            "(01)09506000134352(21)123456789",
        ),
        (
            "urn:epc:tag:sgtin-198:3.95060001343.05.32a%2Fb",
            "3666c4409047e159b2c2bf100000000000000000000000000000",
            "urn:epc:id:sgtin:95060001343.05.32a%2Fb",
            "(01)09506000134352(21)32a/b",
        ),
        (
            "urn:epc:tag:sscc-96:0.952012.03456789123",
            "311ba1b300ce0a6a83000000",
            "urn:epc:id:sscc:952012.03456789123",
            "(00)095201234567891235",
        ),
        (
            "urn:epc:tag:sgln-96:3.9521141.12345.5678",
            "3276451fd46072000000162e",
            "urn:epc:id:sgln:9521141.12345.5678",
            "(414)9521141123454(254)5678",
        ),
        (
            "urn:epc:tag:sgln-195:3.9521141.12345.32a%2Fb",
            "3976451fd46072cd9615f8800000000000000000000000000000",
            "urn:epc:id:sgln:9521141.12345.32a%2Fb",
            "(414)9521141123454(254)32a/b",
        ),
        (
            "urn:epc:tag:grai-96:3.9521141.12345.5678",
            "3376451fd40c0e400000162e",
            "urn:epc:id:grai:9521141.12345.5678",
            "(8003)095211411234545678",
        ),
        (
            "urn:epc:tag:grai-170:3.9521141.12345.32a%2Fb",
            "3776451fd40c0e59b2c2bf1000000000000000000000",
            "urn:epc:id:grai:9521141.12345.32a%2Fb",
            "(8003)0952114112345432a/b",
        ),
        (
            "urn:epc:tag:giai-96:3.9521141.5678",
            "3476451fd40000000000162e",
            "urn:epc:id:giai:9521141.5678",
            "(8004)95211415678",
        ),
        (
            "urn:epc:tag:giai-202:3.9521141.32a%2Fb",
            "3876451fd59b2c2bf10000000000000000000000000000000000",
            "urn:epc:id:giai:9521141.32a%2Fb",
            "(8004)952114132a/b",
        ),
        (
            "urn:epc:tag:gsrn-96:3.9521141.1234567890",
            "2d76451fd4499602d2000000",
            "urn:epc:id:gsrn:9521141.1234567890",
            "(8018)952114112345678906",
        ),
        (
            "urn:epc:tag:gsrnp-96:3.9521141.1234567890",
            "2e76451fd4499602d2000000",
            "urn:epc:id:gsrnp:9521141.1234567890",
            "(8017)952114112345678906",
        ),
        (
            "urn:epc:tag:gdti-96:3.9521141.12345.5678",
            "2c76451fd46072000000162e",
            "urn:epc:id:gdti:9521141.12345.5678",
            "(253)95211411234545678",
        ),
        (
            "urn:epc:tag:gdti-174:3.9521141.98765.ABCDefgh012345678",
            "3e76451fd7039b061438997367d0c18b266d1ab66ee0",
            "urn:epc:id:gdti:9521141.98765.ABCDefgh012345678",
            "(253)9521141987650ABCDefgh012345678",
        ),
        (
            "urn:epc:tag:cpi-96:3.9521141.98765.12345",
            "3c76451fd400c0e680003039",
            "urn:epc:id:cpi:9521141.98765.12345",
            "(8010)952114198765(8011)12345",
        ),
        (
            "urn:epc:tag:cpi-var:3.9521141.5PQ7%2FZ43.12345",
            "3d76451fd75411def6b4cc00000003039000",
            "urn:epc:id:cpi:9521141.5PQ7%2FZ43.12345",
            "(8010)95211415PQ7/Z43(8011)12345",
        ),
        (
            "urn:epc:tag:sgcn-96:3.9521141.67890.04711",
            "3f76451fd612640000019907",
            "urn:epc:id:sgcn:9521141.67890.04711",
            "(255)952114167890904711",
        ),
        (
            "urn:epc:tag:gid-96:952056.2718.1414",
            "3500e86f8000a9e000000586",
            "urn:epc:id:gid:952056.2718.1414",
            "",
        ),
        (
            "urn:epc:tag:itip-110:3.9521141.012345.01.02.981",
            "4076451fd40c0e40820000000f54",
            "urn:epc:id:itip:9521141.012345.01.02.981",
            "(8006)095211411234540102(21)981",
        ),
        (
            "urn:epc:tag:itip-212:3.9521141.012345.01.02.mw133",
            "4176451fd40c0e4082dbdd8b36600000000000000000000000000000",
            "urn:epc:id:itip:9521141.012345.01.02.mw133",
            "(8006)095211411234540102(21)mw133",
        ),
        (
            "urn:epc:tag:adi-var:3.35962.PQ7VZ4.M37GXB92",
            "3b0e0cf5e76c9047759ad00373dc7602e7200000",
            "urn:epc:id:adi:35962.PQ7VZ4.M37GXB92",
            "",
        ),
        (
            "urn:epc:tag:sgtin-198:1.50712192365.88..%25:.13%26",
            "362579d5d4adb6172574b98b34c0000000000000000000000000",
            "urn:epc:id:sgtin:50712192365.88..%25:.13%26",
            "(01)85071219236581(21).%:.13&",
        ),
        (
            "urn:epc:tag:giai-202:1.1234567.1AaBbKkZz!%3F%252225%25%25''%25",
            "38344b5a1d8c1c30b14bd76bd217e9593264d52a54e9d2800000",
            "urn:epc:id:giai:1234567.1AaBbKkZz!%3F%252225%25%25''%25",
            "(8004)12345671AaBbKkZz!?%2225%%''%",
        ),
        (
            "urn:epc:tag:adi-var:5.W81X9C.3KL984PX1.2WMA-52",
            "3b157e316390f32cce78d106310325cd06dd7200",
            "urn:epc:id:adi:W81X9C.3KL984PX1.2WMA-52",
            "",
        ),
    ] {
        check(tag_uri, hex, pure, element_string);
    }
}

#[test]
fn a_barcode_names_the_same_thing_as_its_tag() {
    for (label, prefix, pure) in [
        ("(01)80614141123458(21)6789", 7, "urn:epc:id:sgtin:0614141.812345.6789"),
        ("(01)09506000134352(10)A(21)7", 11, "urn:epc:id:sgtin:95060001343.05.7"),
        ("(01)09506000134352(21)7", 12, "urn:epc:id:sgtin:950600013435.0.7"),
        ("(00)106141412345678908", 7, "urn:epc:id:sscc:0614141.1234567890"),
        ("(414)0614141123452", 7, "urn:epc:id:sgln:0614141.12345.0"),
        ("(414)0614141123452(254)32a/b", 12, "urn:epc:id:sgln:061414112345..32a%2Fb"),
        ("(8003)006141411234525678", 7, "urn:epc:id:grai:0614141.12345.5678"),
        ("(8004)06141415678", 7, "urn:epc:id:giai:0614141.5678"),
    ] {
        let label = ElementString::parse_bracketed(label).unwrap();
        assert_eq!(EpcId::from_elements(&label, prefix).unwrap().to_string(), pure);
    }
    for label in [
        "(01)80614141123458",
        "(8003)00614141123452",
        "(253)0614141123452",
        "(10)ABC",
        "(8006)040123451234560102",
    ] {
        let label = ElementString::parse_bracketed(label).unwrap();
        assert_eq!(EpcId::from_elements(&label, 7), Err(EpcError::NamesNoSingleThing));
    }
}

#[test]
fn the_raw_form_and_capitals_in_the_first_words_are_read() {
    for text in [
        "urn:epc:raw:96.x3074257BF7194E4000001A85",
        "URN:EPC:tag:sgtin-96:3.0614141.812345.6789",
    ] {
        let epc: Epc = text.parse().unwrap();
        assert_eq!(epc.to_string(), "urn:epc:tag:sgtin-96:3.0614141.812345.6789");
    }
}

#[test]
fn each_header_belongs_to_one_scheme() {
    for header in 0..=u8::MAX {
        let of_it: Vec<Scheme> = Scheme::ALL.into_iter().filter(|scheme| scheme.header() == header).collect();
        assert_eq!(of_it, Scheme::from_header(header).into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_header_that_is_not_read_is_named() {
    for (hex, name) in [
        ("f7309506000134352000000000", "SGTIN+"),
        ("8074257bf7194e40", "SGTIN-64"),
        ("3a74257bf46073061438997367d0c18b", "GDTI-113"),
        ("e2801160600002084f1c5a2b", "TID"),
    ] {
        assert!(refused(hex).to_string().contains(name), "{hex}");
    }
}

#[test]
fn an_aircraft_part_reads_and_writes_both_ways() {
    for (tag, pure) in [
        (
            "urn:epc:tag:adi-var:35.CAGEY.A12%2F34.%23ABC-99",
            "urn:epc:id:adi:CAGEY.A12%2F34.%23ABC-99",
        ),
        ("urn:epc:tag:adi-var:63.W81X9C..12345", "urn:epc:id:adi:W81X9C..12345"),
    ] {
        let epc: Epc = tag.parse().unwrap();
        assert_eq!(epc.id().to_string(), pure);
        assert_eq!(Epc::from_hex(&epc.to_hex()), Ok(epc));
    }
}

#[test]
fn the_three_forms_of_one_product_agree() {
    let gtin = "80614141123458".parse().unwrap();
    let id = EpcId::sgtin(gtin, 7, "6789").unwrap();
    assert_eq!(id.to_string(), "urn:epc:id:sgtin:0614141.812345.6789");
    assert_eq!(id.gtin(), Some(gtin));
    assert_eq!(id.company_prefix(), Some("0614141"));
    assert_eq!(
        Epc::new(id.clone(), Scheme::Sgtin96, 3).unwrap().to_hex(),
        "3074257bf7194e4000001a85"
    );
    assert_eq!(
        Epc::shortest(id, 0).unwrap().to_string(),
        "urn:epc:tag:sgtin-96:0.0614141.812345.6789"
    );
    assert_eq!(EpcId::sgtin(gtin, 5, "1"), Err(EpcError::PrefixLength { length: 5 }));
    assert_eq!(EpcId::sgtin(gtin, 13, "1"), Err(EpcError::PrefixLength { length: 13 }));
}

#[test]
fn a_serial_that_fits_no_short_tag_goes_on_a_long_one() {
    for (serial, scheme) in [
        ("0", Scheme::Sgtin96),
        ("007", Scheme::Sgtin198),
        ("274877906943", Scheme::Sgtin96),
        ("274877906944", Scheme::Sgtin198),
        ("A1", Scheme::Sgtin198),
    ] {
        let id = EpcId::sgtin("80614141123458".parse().unwrap(), 7, serial).unwrap();
        assert_eq!(Epc::shortest(id, 0).unwrap().scheme(), scheme, "{serial}");
    }
}

#[test]
fn each_malformed_tag_is_refused_by_name() {
    use EpcError as E;
    for (hex, why) in [
        ("307c257bf7194e4000001a85", E::Partition),
        (
            "3074257bf7194e4000001a8",
            E::HexLength {
                scheme: "sgtin-96",
                expected: 24,
                found: 23,
            },
        ),
        (
            "3074257bf7194e4000001a8500",
            E::HexLength {
                scheme: "sgtin-96",
                expected: 24,
                found: 26,
            },
        ),
        ("3074257bf7194e4000001a8g", E::HexDigit { letter: 'g', place: 24 }),
        ("0074257bf7194e4000001a85", E::Unprogrammed),
        ("000000000000000000000000", E::Unprogrammed),
        ("ffffffffffffffffffffffff", E::UnknownHeader { header: 0xff }),
        ("e2801160600002084f1c5a2b", E::UnknownHeader { header: 0xe2 }),
        ("f774257bf7194e4000001a85", E::UnknownHeader { header: 0xf7 }),
        ("", E::TooShort),
        // 2^24 - 1 is more than seven digits.
        (
            "3077ffffff194e4000001a85",
            E::TooManyDigits {
                field: "company prefix",
                digits: 7,
            },
        ),
        // 2^20 - 1 is more than six digits.
        (
            "3074257bfffffe4000001a85",
            E::TooManyDigits {
                field: "item reference",
                digits: 6,
            },
        ),
        // Twelve digits of prefix leave no digit for the place, so its one bit has to be zero.
        (
            "320000000000020000000001",
            E::TooManyDigits {
                field: "location reference",
                digits: 0,
            },
        ),
        (
            "3174257bf4499602d2000001",
            E::NotZero {
                what: "the reserved bits at the end",
            },
        ),
        (
            "3674257bf6b7a659b2c2bf100000000000000000000000000001",
            E::NotZero { what: "the padding" },
        ),
        (
            "3674257bf6b7a659b2c2bf100000000000000000000000001000",
            E::NotZero {
                what: "what follows the end of the text",
            },
        ),
        (
            "3674257bf6b780000000000000000000000000000000000000000000",
            E::HexLength {
                scheme: "sgtin-198",
                expected: 52,
                found: 56,
            },
        ),
        (
            "3674257bf6b780000000000000000000000000000000000000",
            E::EmptyPart { field: "serial" },
        ),
        ("3f74f4e4e612648000019907", E::NoLeadingOne { field: "serial" }),
    ] {
        assert_eq!(refused(hex), why, "{hex}");
    }
}

#[test]
fn each_malformed_uri_is_refused_by_name() {
    use EpcError as E;
    for (uri, why) in [
        ("urn:epc:tag:sgtin-96:8.0614141.812345.6789", E::Filter { found: 8, most: 7 }),
        ("urn:epc:tag:sgtin-96:03.0614141.812345.6789", E::LeadingZero { field: "filter" }),
        ("urn:epc:tag:sgtin-96:.0614141.812345.6789", E::EmptyPart { field: "filter" }),
        (
            "urn:epc:tag:sgtin-96:x.0614141.812345.6789",
            E::Character {
                field: "filter",
                letter: 'x',
            },
        ),
        ("urn:epc:tag:sgtin-96:3.0614141.812345.06789", E::LeadingZero { field: "serial" }),
        (
            "urn:epc:tag:sgtin-96:3.0614141.812345.274877906944",
            E::TooLarge { field: "serial", bits: 38 },
        ),
        (
            "urn:epc:tag:sgtin-96:3.0614141.812345.A",
            E::Character {
                field: "serial",
                letter: 'A',
            },
        ),
        ("urn:epc:tag:sgtin-96:3.0614141.812345.", E::EmptyPart { field: "serial" }),
        ("urn:epc:tag:sgtin-96:3.0614141.812345", E::Parts { expected: 3, found: 2 }),
        (
            "urn:epc:tag:sgtin-96:3.0614141.81234.6789",
            E::Length {
                field: "item reference",
                expected: 6,
                found: 5,
            },
        ),
        ("urn:epc:tag:sgtin-96:3.06141.81234567.6789", E::PrefixLength { length: 5 }),
        ("urn:epc:tag:sgtin-96:3.0614141234567.8.6789", E::PrefixLength { length: 13 }),
        (
            "urn:epc:tag:sgtin-96:3.061414A.812345.6789",
            E::Character {
                field: "company prefix",
                letter: 'A',
            },
        ),
        (
            "urn:epc:tag:sgtin-198:3.0614141.812345.123456789012345678901",
            E::TooLong {
                field: "serial",
                max: 20,
                found: 21,
            },
        ),
        (
            "urn:epc:tag:sgtin-198:3.0614141.812345.a/b",
            E::NotEscaped {
                field: "serial",
                letter: '/',
            },
        ),
        ("urn:epc:tag:sgtin-198:3.0614141.812345.a%41", E::Escape { field: "serial" }),
        ("urn:epc:tag:sgtin-198:3.0614141.812345.a%2", E::Escape { field: "serial" }),
        (
            "urn:epc:tag:sgtin-198:3.0614141.812345.a b",
            E::Character {
                field: "serial",
                letter: ' ',
            },
        ),
        (
            "urn:epc:tag:sgtin-198:3.0614141.812345.%23",
            E::Character {
                field: "serial",
                letter: '#',
            },
        ),
        (
            "urn:epc:tag:sgtin-198:3.0614141.812345.é",
            E::Character {
                field: "serial",
                letter: 'é',
            },
        ),
        ("urn:epc:tag:sgtin-64:3.0614141.812345.1", E::UnknownScheme),
        ("urn:epc:tag:cpi-96:3.0614141.05678.1", E::LeadingZero { field: "part reference" }),
        (
            "urn:epc:tag:cpi-96:3.0614141.98765.2147483648",
            E::TooLarge { field: "serial", bits: 31 },
        ),
        ("urn:epc:tag:giai-96:3.0614141.05678", E::LeadingZero { field: "asset reference" }),
        ("urn:epc:tag:usdod-96:16.CAGEY.5678", E::Filter { found: 16, most: 15 }),
        (
            "urn:epc:tag:usdod-96:3.CAGEO.5678",
            E::Character {
                field: "CAGE code",
                letter: 'O',
            },
        ),
        (
            "urn:epc:tag:gid-96:268435456.1.1",
            E::TooLarge {
                field: "manager number",
                bits: 28,
            },
        ),
        (
            "urn:epc:tag:sgcn-96:3.4012345.67890.1234567890123",
            E::TooLong {
                field: "serial",
                max: 12,
                found: 13,
            },
        ),
        ("urn:epc:id:sgtin:0614141.812345", E::Parts { expected: 3, found: 2 }),
        ("urn:epc:id:pgln:0614141.12345", E::UnknownScheme),
        (
            "urn:epc:raw:96.x3074257BF7194E4000001A8",
            E::RawLength {
                said: "96".into(),
                found: 23,
            },
        ),
        ("urn:epc:raw:96.3074257", E::NotAnEpcUri),
        ("urn:epc:pat:sgtin-96:3.0614141.[100-200].*", E::NotAnEpcUri),
        ("urn:isbn:0451450523", E::NotAnEpcUri),
    ] {
        assert_eq!(refused(uri), why, "{uri}");
    }
}

#[test]
fn a_serial_that_looks_like_an_escape_comes_back_as_it_was() {
    let id = EpcId::sgtin("80614141123458".parse().unwrap(), 7, "%2F%").unwrap();
    assert_eq!(id.to_string(), "urn:epc:id:sgtin:0614141.812345.%252F%25");
    assert_eq!(id.to_string().parse(), Ok(id.clone()));
    assert_eq!(
        Epc::from_hex(&Epc::shortest(id.clone(), 1).unwrap().to_hex()).unwrap().serial(),
        Some("%2F%")
    );
}

#[test]
fn a_short_last_word_is_read_as_if_it_were_filled_up() {
    let whole = Epc::from_hex("3674257bf6b7a659b2c2bf100000000000000000000000000000").unwrap();
    assert_eq!(Epc::from_hex("3674257bf6b7a659b2c2bf1000000000000000000000000000"), Ok(whole));
}

/// Values for each part of a name of this kind, with a prefix of this many digits, that fit this scheme.
fn fields(scheme: Scheme, prefix: usize) -> BoxedStrategy<Vec<String>> {
    let digits = |count: usize| proptest::string::string_regex(&format!("[0-9]{{{count}}}")).unwrap().boxed();
    let text = |max: usize| {
        proptest::string::string_regex(&format!("[!\"%&'()*+,./0-9:;<=>?A-Z_a-z-]{{1,{max}}}"))
            .unwrap()
            .boxed()
    };
    let below = |end: u64| (0..end).prop_map(|number| number.to_string()).boxed();
    let cage = "[0-9A-HJ-NP-Z]{5,6}".boxed();
    let parts: Vec<BoxedStrategy<String>> = match scheme {
        Scheme::Sgtin96 => vec![digits(prefix), digits(13 - prefix), below(1 << 38)],
        Scheme::Sgtin198 => vec![digits(prefix), digits(13 - prefix), text(20)],
        Scheme::Sscc96 | Scheme::Gsrn96 | Scheme::Gsrnp96 => vec![digits(prefix), digits(17 - prefix)],
        Scheme::Sgln96 | Scheme::Gdti96 => vec![digits(prefix), digits(12 - prefix), below(1 << 41)],
        Scheme::Sgln195 => vec![digits(prefix), digits(12 - prefix), text(20)],
        Scheme::Grai96 => vec![digits(prefix), digits(12 - prefix), below(1 << 38)],
        Scheme::Grai170 => vec![digits(prefix), digits(12 - prefix), text(16)],
        Scheme::Giai96 => vec![digits(prefix), below(1 << [42, 45, 48, 52, 55, 58, 62][12 - prefix])],
        Scheme::Giai202 => vec![digits(prefix), text(30 - prefix)],
        Scheme::Gid96 => vec![below(1 << 28), below(1 << 24), below(1 << 36)],
        Scheme::Gdti174 => vec![digits(prefix), digits(12 - prefix), text(17)],
        Scheme::Cpi96 => vec![digits(prefix), below(10_u64.pow(15 - prefix as u32)), below(1 << 31)],
        Scheme::CpiVar => vec![
            digits(prefix),
            proptest::string::string_regex(&format!("[0-9A-Z#/-]{{1,{}}}", 30 - prefix))
                .unwrap()
                .boxed(),
            below(1_000_000_000_000),
        ],
        Scheme::Sgcn96 => vec![digits(prefix), digits(12 - prefix), "[0-9]{1,12}".boxed()],
        Scheme::Itip110 => vec![digits(prefix), digits(13 - prefix), digits(2), digits(2), below(1 << 38)],
        Scheme::Itip212 => vec![digits(prefix), digits(13 - prefix), digits(2), digits(2), text(20)],
        Scheme::Usdod96 => vec![cage, below(1 << 36)],
        Scheme::AdiVar => vec![cage, "[0-9A-Z/-]{0,32}".boxed(), "(#[0-9A-Z/-]{1,29}|[0-9A-Z/-]{1,30})".boxed()],
    };
    parts.boxed()
}

fn any_epc() -> impl Strategy<Value = Epc> {
    (0..Scheme::ALL.len(), 6..=12_usize, 0..8_u8).prop_flat_map(|(at, prefix, filter)| {
        let scheme = Scheme::ALL[at];
        let filter = if scheme == Scheme::Gid96 { 0 } else { filter };
        fields(scheme, prefix).prop_map(move |fields| Epc::new(EpcId::new(scheme.kind(), fields).unwrap(), scheme, filter).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_written_reads_back_the_same(epc in any_epc()) {
        prop_assert_eq!(Epc::from_hex(&epc.to_hex()), Ok(epc.clone()));
        prop_assert_eq!(epc.to_string().parse(), Ok(epc.clone()));
        prop_assert_eq!(epc.id().to_string().parse(), Ok(epc.id().clone()));
        prop_assert_eq!(serde_json::from_str::<Epc>(&serde_json::to_string(&epc).unwrap()).unwrap(), epc);
    }

    #[test]
    fn a_tag_with_one_wrong_bit_is_refused_or_is_another_tag(epc in any_epc(), at in any::<prop::sample::Index>()) {
        let mut bytes = epc.as_bytes().to_vec();
        let at = at.index(bytes.len() * 8);
        bytes[at / 8] ^= 1 << (at % 8);
        prop_assert_ne!(Epc::from_bytes(&bytes), Ok(epc));
        fuzz_one(&bytes);
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        fuzz_one(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_known_header_are_read_without_harm(at in 0..Scheme::ALL.len(), rest in prop::collection::vec(any::<u8>(), 11..28)) {
        let mut bytes = vec![Scheme::ALL[at].header()];
        bytes.extend(rest);
        if let Some(bits) = Scheme::ALL[at].bits() {
            bytes.resize(bits.next_multiple_of(16) / 8, 0);
        }
        fuzz_one(&bytes);
    }

    #[test]
    fn a_changed_uri_is_read_without_harm(epc in any_epc(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        let mut letters: Vec<char> = epc.to_string().chars().collect();
        let at = at.index(letters.len());
        letters[at] = with;
        fuzz_one(letters.into_iter().collect::<String>().as_bytes());
    }
}
