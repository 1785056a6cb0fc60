//! Tables of what scanners send and people key in, refusals by name, and laws under random and mutated bytes.

use proptest::prelude::*;

use super::*;

/// The only place that knows the API: what kind of code it is and what it says.
fn read(text: &str) -> String {
    match Scanned::parse(text) {
        Ok(Scanned::Gtin(scanned)) => format!("{} {}", scanned.form.name(), scanned.gtin),
        Ok(Scanned::StoreMade(made)) => format!("store-made {}", made.item),
        Ok(Scanned::Elements(elements)) => format!("elements {elements}"),
        Ok(Scanned::DigitalLink(elements)) => format!("link {elements}"),
        Ok(Scanned::Receipt(code)) => format!("receipt {}", code.receipt()),
        Ok(Scanned::InStore(code)) => format!("in-store {code}"),
        Err(why) => panic!("{text}: {why}"),
    }
}

fn refused(text: &str) -> BarcodeError {
    Scanned::parse(text).expect_err(text)
}

#[test]
fn each_kind_of_code_is_told_apart() {
    for (text, expected) in [
        ("4006381333931", "gtin-13 04006381333931"),
        (" 96385074\r\n", "gtin-8 00000096385074"),
        ("12345670", "gtin-8 00000012345670"),
        ("04252614", "upc-e 00042100005264"),
        ("123601057072", "gtin-12 00123601057072"),
        ("]E05901234123457", "gtin-13 05901234123457"),
        ("]E00123601057072", "gtin-13 00123601057072"),
        ("]E004252614", "upc-e 00042100005264"),
        ("]E397814604439272315", "gtin-13 09781460443927"),
        ("]E496385074", "gtin-8 00000096385074"),
        ("]I105901234123457", "gtin-14 05901234123457"),
        ("]C0PROD-1", "in-store PROD-1"),
        ("]A012345678", "in-store 12345678"),
        ("]Q1https://id.gs1.org/01/09506000134352", "link (01)09506000134352"),
        ("]C10107032069804988100329", "elements (01)07032069804988(10)0329"),
        (
            "]d2010952123454321317261231\u{1d}10ABC",
            "elements (01)09521234543213(17)261231(10)ABC",
        ),
        ("]Q3\u{1d}01095212345432132112\u{1d}10A", "elements (01)09521234543213(21)12(10)A"),
        ("]e00195012345678903", "elements (01)95012345678903"),
        (
            "0107032069804988100329\u{1d}15210526",
            "elements (01)07032069804988(10)0329(15)210526",
        ),
        ("010703206980498815210526100329", "elements (01)07032069804988(15)210526(10)0329"),
        ("00157035381410375177", "elements (00)157035381410375177"),
        ("800307071324001021085952", "elements (8003)07071324001021085952"),
        ("(01)09506000134352(10)A(B)(21)7", "elements (01)09506000134352(10)A(B)(21)7"),
        ("(10)A\\(21)B", "elements (10)A\\(21)B"),
        ("(3103)000450(3922)1299", "elements (3103)000450(3922)1299"),
        ("https://example.com/foo/01/614141123452", "link (01)00614141123452"),
        ("R-r1-2-17-38", "receipt r1/2/17"),
        ("R-100", "in-store R-100"),
        ("425261", "in-store 425261"),
        ("APPLES 1kg", "in-store APPLES 1kg"),
        ("(c) 2026", "in-store (c) 2026"),
        ("157035381410375177", "in-store 157035381410375177"),
    ] {
        assert_eq!(read(text), expected, "{text:?}");
    }
}

#[test]
fn what_can_not_be_used_is_refused_by_name() {
    use BarcodeError as E;
    let ai = |text: &str| Ai::exactly(text).unwrap().0;
    for (text, why) in [
        ("", E::Empty),
        (" \t\r\n", E::Empty),
        ("4006381333932", E::CheckDigit { expected: 1, found: 2 }),
        (
            "00376130321109103421",
            E::AiCheckDigit {
                ai: ai("00"),
                expected: 0,
                found: 1,
            },
        ),
        (
            "0109506000134353",
            E::AiCheckDigit {
                ai: ai("01"),
                expected: 2,
                found: 3,
            },
        ),
        ("]E115", E::AddOnAlone),
        ("]E404252614", E::CheckDigit { expected: 0, found: 4 }),
        ("]C1", E::Empty),
        ("]C1aaa", E::UnknownAi { text: "aaa".into() }),
        (
            "]C11022222222222222222222aaa",
            E::AiTooLong {
                ai: ai("10"),
                most: 20,
                found: 23,
            },
        ),
        (
            "]C10109506000",
            E::AiTooShort {
                ai: ai("01"),
                found: 8,
                missing: 6,
            },
        ),
        (
            "]C117261301",
            E::AiRule {
                ai: ai("17"),
                why: "is no date (year, month, day in two digits each)",
            },
        ),
        (
            "]C115000000",
            E::AiRule {
                ai: ai("15"),
                why: "is no date (year, month, day in two digits each)",
            },
        ),
        (
            "]C117250229",
            E::AiRule {
                ai: ai("17"),
                why: "is no date (year, month, day in two digits each)",
            },
        ),
        ("]C1310600045O", E::UnknownAi { text: "3106".into() }),
        (
            "]C1310300045O",
            E::AiCharacter {
                ai: ai("3103"),
                letter: 'O',
            },
        ),
        ("]C1391X9991299", E::UnknownAi { text: "391X".into() }),
        (
            "]C139100001299",
            E::AiRule {
                ai: ai("3910"),
                why: "begins with no currency number of ISO 4217",
            },
        ),
        ("]C110A\u{1d}10B", E::AiTwice { ai: ai("10") }),
        ("]C110A#", E::AiCharacter { ai: ai("10"), letter: '#' }),
        (
            "]C110é",
            E::AiCharacter {
                ai: ai("10"), letter: 'é'
            },
        ),
        (
            "]C18006040123451234560301",
            E::AiRule {
                ai: ai("8006"),
                why: "is no piece of a total",
            },
        ),
        (
            "]C18020",
            E::AiTooShort {
                ai: ai("8020"),
                found: 0,
                missing: 1,
            },
        ),
        (
            "(15)",
            E::AiTooShort {
                ai: ai("15"),
                found: 0,
                missing: 6,
            },
        ),
        ("(1)15210526", E::UnknownAi { text: "1".into() }),
        ("https://example.com/", E::NotADigitalLink),
        ("https://example.com", E::NotADigitalLink),
        ("http://example.com/foo/123", E::NotADigitalLink),
        ("https://example.com/foo/01/614141123452/123", E::LinkPairs),
        ("https://id.gs1.org/01/614141123452/15/250324", E::LinkQualifier { ai: ai("15") }),
        (
            "https://id.gs1.org/01/614141123452/10/ABC123/22/123456789",
            E::LinkQualifier { ai: ai("22") },
        ),
        (
            "https://id.gs1.org/00/106141412345678908/10/ABC123",
            E::LinkQualifier { ai: ai("10") },
        ),
        ("https://id.gs1.org/01/614141123453", E::CheckDigit { expected: 2, found: 3 }),
        ("https://id.gs1.org/01/614141123452/10/A%2", E::PercentSign),
        ("https://id.gs1.org/01/614141123452?1234=5", E::UnknownAi { text: "1234".into() }),
        ("R-r1-2-17-39", E::ReceiptCheck { expected: 38 }),
        ("%B4242424242424242^DOE/JANE^2912", E::Card),
        (";4242424242424242=2912", E::Card),
        ("4242424242424242", E::Card),
        ("4242-4242-4242-4242", E::Card),
        ("a\u{7}b", E::NotPrintable { place: 2 }),
        ("Äpfel", E::NotPrintable { place: 1 }),
        (&"x".repeat(49), E::TooLong { most: 48 }),
        (&"0".repeat(2001), E::TooLong { most: 2000 }),
    ] {
        assert_eq!(refused(text), why, "{text:?}");
    }
}

#[test]
fn a_separator_too_many_does_no_harm() {
    for text in [
        "]C1\u{1d}15210526\u{1d}100329\u{1d}",
        "]C115210526100329",
        "]C115210526\u{1d}\u{1d}100329",
    ] {
        assert_eq!(read(text), "elements (15)210526(10)0329");
    }
}

#[test]
fn a_label_is_asked_for_what_a_shop_wants_to_know() {
    let Ok(Scanned::Elements(label)) = Scanned::parse("(01)09521234543213(17)270200(15)270131(3103)000450(3922)1299(21)S-1(10)L1(30)3")
    else {
        panic!("an element string");
    };
    assert_eq!(label.gtin().unwrap().to_string(), "09521234543213");
    assert_eq!((label.serial(), label.lot()), (Some("S-1"), Some("L1")));
    assert_eq!(label.measure(310).unwrap().to_string(), "0.450");
    assert_eq!(label.measure(392).unwrap().to_string(), "12.99");
    assert_eq!(label.last_day().unwrap().read_in(2026).unwrap().to_string(), "2027-02-28");
    let Ok(Scanned::Elements(label)) = Scanned::parse("(8006)040123451234560102(21)981(3932)9781299") else {
        panic!("an element string");
    };
    assert_eq!(label.gtin().unwrap().to_string(), "04012345123456");
    assert_eq!(label.measure(393).unwrap().to_string(), "12.99");
}

#[test]
fn a_year_of_two_digits_means_the_nearest_century() {
    for (year, this_year, meant) in [
        (26, 2026, 2026),
        (76, 2026, 2076),
        (77, 2026, 1977),
        (1, 2060, 2101),
        (10, 2060, 2110),
        (11, 2060, 2011),
        (99, 2001, 1999),
    ] {
        let date = ShortDate { year, month: 6, day: 1 }.read_in(this_year).unwrap();
        assert_eq!(date.year(), meant, "{year} in {this_year}");
    }
}

#[test]
fn a_link_is_read_with_its_query_and_its_escapes() {
    for (text, expected) in [
        (
            "https://id.gs1.org/01/09506000134352/10/ABC?17=261231",
            "link (01)09506000134352(10)ABC(17)261231",
        ),
        (
            "HTTPS://shop.example:8443/de/p/01/09506000134352/22/2A/10/A%2FB/21/x%25?linkType=gs1:pip&3103=000195#top",
            "link (01)09506000134352(22)2A(10)A/B(21)x%(3103)000195",
        ),
        (
            "https://id.gs1.org/00/106141412345678908?02=00614141123452&37=25&10=ABC123",
            "link (00)106141412345678908(02)00614141123452(37)25(10)ABC123",
        ),
        ("https://example.com/8004/0614141A", "link (8004)0614141A"),
        ("https://example.com/01/01/09506000134352/10/1", "link (01)09506000134352(10)1"),
        ("https://example.com/414/0614141123452/254/5678", "link (414)0614141123452(254)5678"),
        ("https://example.com/01/96385074", "link (01)00000096385074"),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn links_are_taken_and_refused_as_the_reference_engine_of_gs1_does() {
    for (text, expected) in [
        ("HTTP://a/00/006141411234567890", "(00)006141411234567890"),
        ("https://xn--fsq.xn--0zwm56d/01/12312312312333", "(01)12312312312333"),
        ("https://a:65535/01/12312312312333", "(01)12312312312333"),
        ("https://[2001:db8::1]/01/12312312312333", "(01)12312312312333"),
        ("https://a/00/faux/00/006141411234567890", "(00)006141411234567890"),
        ("https://a/01/2112345678900", "(01)02112345678900"),
        ("https://a/01/416000336108", "(01)00416000336108"),
        ("https://a/01/02345673", "(01)00000002345673"),
        ("https://a/01/12312312312333/235/TEST", "(01)12312312312333(235)TEST"),
        (
            "https://a/253/1231231231232TEST5678901234567",
            "(253)1231231231232TEST5678901234567",
        ),
        ("https://a/8018/123456789012345675/8019/123", "(8018)123456789012345675(8019)123"),
        ("https://a/stem/00/006141411234567890?", "(00)006141411234567890"),
        (
            "https://a/01/12312312312333?&&&99=ABC&one&x=6&98=XYZ&&#f",
            "(01)12312312312333(99)ABC(98)XYZ",
        ),
        (
            "https://a/01/12312312312333/22/ABC+123?98=XYZ%2f987",
            "(01)12312312312333(22)ABC+123(98)XYZ/987",
        ),
        ("https://id.gs1.org/414/9520123456788/254/32a%2Fb", "(414)9520123456788(254)32a/b"),
        (
            "https://example.com/8004/9520614141234567?01=9520123456788",
            "(8004)9520614141234567(01)09520123456788",
        ),
    ] {
        assert_eq!(read(text), format!("link {expected}"), "{text}");
    }
    for text in [
        "http://",
        "http:///",
        "http:///01/12312312312333",
        "http://a/b/",
        "https://00/006141411234567890",
        "https://$a/01/12312312312333",
        "https://[fe80::1%25lo]/01/12312312312333",
        "https://a/stem/00/006141411234567890/",
        "https://a/253/1231231231232TEST56789012345678",
        "https://a/01/12312312312333?99=",
        "https://a/01/12312312312333?99=ABC&999=faux",
        "https://a/01/12312312312333?98=XYZ+987",
        "https://a/01/09520123456788/89/ABC123?99=XYZ",
        "https://a/01/09520123456788/10/A%00B",
    ] {
        assert!(Scanned::parse(text).is_err(), "{text}");
    }
}

#[test]
fn withdrawn_words_in_a_link_still_say_what_they_said() {
    for (text, expected) in [
        ("https://a/gtin/12312312312333", "(01)12312312312333"),
        ("https://a/gtin/12312312312333/ser/ABC123", "(01)12312312312333(21)ABC123"),
        (
            "https://example.com/gtin/614141123452/lot/ABC1/ser/12345?exp=180426",
            "(01)00614141123452(10)ABC1(21)12345(17)180426",
        ),
        ("https://a/sscc/006141411234567890", "(00)006141411234567890"),
        ("https://example.com/gln/0614141123452/glnx/5678", "(414)0614141123452(254)5678"),
        ("https://example.com/Giai/06141415678", "(8004)06141415678"),
    ] {
        assert_eq!(read(text), format!("link {expected}"), "{text}");
    }
}

#[test]
fn a_compressed_link_is_refused_as_one() {
    for text in [
        "https://id.gs1.org/ARFKk4XB0CDKWcnpq",
        "https://dlnkd.tn.gg/AREjRXkB0CDKWcnpq",
        "http://example.org/CgiLXzKpDoo0a3yPZ9Z",
        "https://id.gs1.org/stem/QGKIu3Xl1Qn0q0v8",
    ] {
        assert_eq!(refused(text), BarcodeError::CompressedLink, "{text}");
    }
    for text in [
        "https://example.com/products",
        "https://example.com/angebote-der-woche",
        "https://example.com/01",
    ] {
        assert_ne!(refused(text), BarcodeError::CompressedLink, "{text}");
    }
}

#[test]
fn identifiers_of_every_kind_are_checked_inside() {
    for good in [
        "(03)06400001000247(242)123456(21)1",
        "(8013)1987654Ad4X4bL5ttr2310c2K",
        "(8013)12345_0123456789:;<=>?62",
        "(8014)7907665Bm8v2AB",
        "(7040)1AbC",
        "(7041)4A",
        "(716)045678901",
        "(717)X1",
        "(7250)20000229",
        "(7251)195112312359",
        "(7252)9",
        "(7253)M%C3%BCller",
        "(7258)2/3",
        "(4300)ACME%20Ltd.",
        "(8040)490154203237518(8041)490154203237526",
        "(8043)893004551234567890",
        "(8043)89300455123456789012",
        "(8007)GB33BUKB20201555555555",
        "(8007)DE89370400440532013000",
        "(8008)26022823",
        "(8008)260228235959",
        "(4309)02790858483015297971",
        "(4331)001150-",
        "(423)276040",
        "(4321)1",
    ] {
        assert_eq!(read(good), format!("elements {good}"));
    }
    for bad in [
        "(03)06400001000248",
        "(8013)1987654Ad4X4bL5ttr2310cXK",
        "(8013)1987654Ad4X4bL5ttr2310c2X",
        "(8013)1887654Ad4X4bL5ttr2310c2K",
        "(8014)2K",
        "(7040)1Ab*",
        "(7250)19000229",
        "(7250)20001301",
        "(7250)20000100",
        "(7252)3",
        "(7253)M%C3%Bller%",
        "(7258)3/2",
        "(7258)0/1",
        "(7258)1-1",
        "(8040)49015420323751",
        "(8043)89300455123456789",
        "(8043)893004551234567890123",
        "(8007)DE89370400440532013001",
        "(8008)26022824",
        "(8008)260229",
        "(423)27604",
        "(4321)2",
        "(14)261231",
        "(04)0640000100024",
        "(18)261231",
        "(718)X",
    ] {
        assert!(Scanned::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_caret_may_stand_for_the_separator() {
    assert_eq!(
        read("^011231231231233310ABC123^99TESTING"),
        "elements (01)12312312312333(10)ABC123(99)TESTING"
    );
    assert_eq!(read("^TESTING"), "in-store ^TESTING");
    assert!(Scanned::parse("^0112312312312334").is_err());
}

#[test]
fn upc_e_of_both_number_systems_is_expanded_by_all_four_patterns() {
    // Last digit 0 to 2, 3, 4 and 5 to 9; the check digit is that of the twelve digits.
    for (body, long) in [
        ("0123450", "01200000345"),
        ("0123451", "01210000345"),
        ("0123452", "01220000345"),
        ("0123453", "01230000045"),
        ("0123454", "01234000005"),
        ("0123455", "01234500005"),
        ("0123456", "01234500006"),
        ("0123459", "01234500009"),
        ("1123450", "11200000345"),
        ("1123453", "11230000045"),
        ("1123454", "11234000005"),
        ("1123459", "11234500009"),
    ] {
        let long = Gtin::from_digits_without_check(long).unwrap();
        let check = long.number() % 10;
        assert_eq!(Gtin::parse_upc_e(&format!("{body}{check}")), Ok(long), "{body}");
        assert_eq!(read(&format!("]E0{body}{check}")), format!("upc-e {long}"));
        for wrong in (0..10).filter(|digit| *digit != check) {
            assert!(
                matches!(Gtin::parse_upc_e(&format!("{body}{wrong}")), Err(BarcodeError::CheckDigit { .. })),
                "{body}{wrong}"
            );
        }
    }
}

#[test]
fn a_shops_own_rules_tell_price_and_weight() {
    let rules = StoreMadeRules::new(vec!["22 PPPPPPCVVVVV price 2!".parse().unwrap()]);
    let Ok(Scanned::StoreMade(made)) = Scanned::parse_with("2212349010505", &rules) else {
        panic!("store-made")
    };
    assert_eq!((made.measure, made.value, made.decimals), (Measure::Price, 1050, 2));
    assert!(matches!(Scanned::parse("2212349010505"), Ok(Scanned::Gtin(scanned)) if scanned.gtin.is_restricted()));
}

#[test]
fn all_goods_pass_the_card_check() {
    // Numbers of goods that are also right by the cards' check digit and range.
    for text in [
        "4006381333931",
        "]C1010400638133393121",
        "4000000000006",
        "(21)4242424242424242",
        "https://example.com/01/09506000134352/21/4242424242424242",
    ] {
        assert!(!matches!(Scanned::parse(text), Err(BarcodeError::Card)), "{text}");
    }
}

fn any_element() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..10_000_000_000_000_u64).prop_map(|body| format!("(01){}", Gtin::from_digits_without_check(&format!("{body:013}")).unwrap())),
        "\\(10\\)[A-Za-z0-9/.*+-]{1,20}",
        "\\(21\\)[A-Za-z0-9/.*+-]{1,20}",
        "[A-Z(),%]{0,12}(\\(10\\))?[A-Z(),%]{1,4}".prop_map(|value| format!("(240){}", value.replace("(10)", "\\(10)"))),
        (0..99_u8, 1..13_u8, 0..29_u8).prop_map(|(year, month, day)| format!("(17){year:02}{month:02}{day:02}")),
        "\\(310[0-5]\\)[0-9]{6}",
        "\\(392[0-9]\\)[0-9]{1,15}",
        "\\(30\\)[0-9]{1,8}",
        "\\(8005\\)[0-9]{6}",
        "\\(9[1-9]\\)[A-Za-z0-9%&<>?_-]{1,90}",
    ]
}

/// A key with its check digit: the identifier, how many digits, and what stands before and behind.
fn any_key() -> impl Strategy<Value = (String, usize)> {
    let key = |ai: &'static str, digits: usize, before: &'static str| {
        proptest::string::string_regex(&format!("[0-9]{{{}}}", digits - 1))
            .unwrap()
            .prop_map(move |body| {
                let check = check_digit(body.as_bytes());
                (format!("({ai}){before}{body}{check}"), ai.len() + 2 + before.len() + digits - 1)
            })
            .boxed()
    };
    prop_oneof![
        key("00", 18, ""),
        key("01", 14, ""),
        key("02", 14, ""),
        key("03", 14, ""),
        key("253", 13, ""),
        key("255", 13, ""),
        key("402", 17, ""),
        key("410", 13, ""),
        key("414", 13, ""),
        key("417", 13, ""),
        key("8003", 13, "0"),
        key("8017", 18, ""),
        key("8018", 18, ""),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_other_check_digit_of_a_key_is_refused((text, at) in any_key(), by in 1_u8..10) {
        prop_assert!(ElementString::parse_bracketed(&text).is_ok(), "{}", text);
        let mut wrong = text.into_bytes();
        wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
        let wrong = String::from_utf8(wrong).unwrap();
        prop_assert!(matches!(Scanned::parse(&wrong), Err(BarcodeError::AiCheckDigit { .. })), "{}", wrong);
    }

    #[test]
    fn a_label_with_a_key_reads_the_same_as_a_web_address(elements in prop::collection::vec(any_element(), 1..6)) {
        let Ok(label) = ElementString::parse_bracketed(&elements.concat()) else { return Ok(()) };
        let link = label.to_digital_link("shop.example");
        prop_assert_eq!(link.is_some(), label.gtin().is_some());
        let Some(link) = link else { return Ok(()) };
        let Ok(Scanned::DigitalLink(read)) = Scanned::parse(&link) else { panic!("{link}") };
        prop_assert_eq!(read.elements().len(), label.elements().len());
        prop_assert!(label.elements().iter().all(|element| read.get(element.ai) == Some(&element.value)), "{} {}", link, label);
    }

    #[test]
    fn a_label_reads_the_same_in_brackets_as_from_a_scanner(elements in prop::collection::vec(any_element(), 1..6)) {
        let text = elements.concat();
        if let Ok(label) = ElementString::parse_bracketed(&text) {
            prop_assert_eq!(ElementString::parse(&label.to_scanned_text()), Ok(label.clone()));
            prop_assert_eq!(ElementString::parse_bracketed(&label.to_string()), Ok(label));
        } else {
            // Only the same identifier twice is wrong with it.
            prop_assert!(matches!(ElementString::parse_bracketed(&text), Err(BarcodeError::AiTwice { .. })), "{}", text);
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        fuzz_one(&bytes);
    }

    #[test]
    fn any_digits_are_read_without_harm(text in "(\\](E0|E3|C1|d2|Q3|I1|C0))?[0-9\u{1d}()]{0,60}") {
        fuzz_one(text.as_bytes());
    }

    #[test]
    fn any_web_address_is_read_without_harm(text in "https?://[a-z.]{0,9}(/[0-9a-zA-Z%]{0,15}){0,6}(\\?([0-9]{2,4}=[0-9A-Za-z%]{0,12}&?){0,3})?") {
        fuzz_one(text.as_bytes());
    }

    #[test]
    fn a_changed_label_is_read_without_harm(elements in prop::collection::vec(any_element(), 1..6), at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let mut bytes = ElementString::parse_bracketed(&elements.concat()).map_or_else(|_| elements.concat(), |label| format!("]C1{}", label.to_scanned_text())).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = with;
        fuzz_one(&bytes);
    }
}
