//! What reaches the paper: golden bytes of whole jobs, and laws that hold for any receipt.

use std::collections::BTreeSet;

use backroom_core::receipt::{Document, Row};
use backroom_devices::escpos::characters::Pages;
use backroom_devices::escpos::code_page::CodePage;
use backroom_devices::escpos::drawer::{Pin, Pulse, PulseError};
use backroom_devices::escpos::layout::{Job, lay_out};
use backroom_devices::escpos::reader::{Align, Heard, Reader, codes, text_lines};
use backroom_devices::escpos::{Cut, Paper, Profile, fuzz_one};
use proptest::prelude::*;

const PAPERS: [Paper; 3] = [Paper::Columns32, Paper::Columns42, Paper::Columns48];

fn hear(bytes: &[u8]) -> Vec<Heard> {
    let mut reader = Reader::default();
    let mut heard = reader.feed(bytes);
    heard.extend(reader.finish());
    heard
}

fn title(text: &str) -> Row {
    Row::Title { text: text.into() }
}

fn text(text: &str) -> Row {
    Row::Text { text: text.into() }
}

fn figure(left: &str, right: &str) -> Row {
    Row::Figure {
        left: left.into(),
        right: right.into(),
    }
}

fn total(left: &str, right: &str) -> Row {
    Row::Total {
        left: left.into(),
        right: right.into(),
    }
}

fn code(text: &str) -> Row {
    Row::Code { text: text.into() }
}

fn print(rows: &[Row], paper: Paper) -> Job {
    let profile = Profile {
        paper,
        ..Profile::default()
    };
    lay_out(&Document::from(rows.to_vec()), &profile)
}

/// Only the lines, as the paper shows them.
fn lines(rows: &[Row], paper: Paper) -> Vec<String> {
    text_lines(&hear(&print(rows, paper).bytes))
}

fn receipt() -> Vec<Row> {
    vec![
        title("Müller & Söhne"),
        title("RECEIPT"),
        figure("No. 1-42", "2026-11-21 09:30"),
        Row::Rule,
        figure("Brötchen", "4.50 A"),
        text("  3 x 1.50"),
        figure("Crème fraîche", "1.20 A"),
        Row::Rule,
        total("TOTAL", "5.70 EUR"),
        figure("cash", "10.00"),
        figure("change", "4.30"),
        code("R-r1-1-42-05"),
    ]
}

#[test]
fn a_receipt_is_these_bytes() {
    let rows = [
        title("Müller"),
        figure("Brötchen", "4.50 A"),
        Row::Rule,
        total("TOTAL", "4.50 EUR"),
        text("5 € back"),
    ];
    let expected: &[&[u8]] = &[
        b"\x1b@\x1bR\x00\x1bt\x10",
        b"\x1bE\x01\x1d!\x01             M\xfcller\n\x1d!\x00\x1bE\x00",
        b"Br\xf6tchen                  4.50 A\n",
        b"--------------------------------\n",
        b"\x1bE\x01\x1d!\x01TOTAL                   4.50 EUR\n\x1d!\x00\x1bE\x00",
        b"5 \x80 back\n",
        b"\x1bd\x01\x1dVB\x00",
    ];
    let job = print(&rows, Paper::Columns32);
    assert_eq!(job.bytes, expected.concat());
    assert_eq!(job.replaced, BTreeSet::new());
}

#[test]
fn another_printer_gets_its_code_page_and_its_end() {
    let rows = vec![text("Ö€ — “é”")];
    let job = |profile: Profile| lay_out(&Document::from(rows.clone()), &profile).bytes;
    let older = Profile {
        code_page: CodePage::Pc858,
        feed_lines: 5,
        cut: None,
        ..Profile::default()
    };
    assert_eq!(job(older), b"\x1b@\x1bR\x00\x1bt\x13\x99\xd5 - \"\x82\"\n\x1bd\x05");
    let full = Profile {
        cut: Some(Cut::Full),
        ..Profile::default()
    };
    assert_eq!(job(full), b"\x1b@\x1bR\x00\x1bt\x10\xd6\x80 \x97 \x93\xe9\x94\n\x1bd\x01\x1dVA\x00");
}

#[test]
fn on_every_paper_a_receipt_reads_as_its_document_does() {
    for paper in PAPERS {
        let shown = Document::from(receipt()).to_text(paper.columns());
        assert_eq!(lines(&receipt(), paper), shown.lines().collect::<Vec<_>>(), "{paper:?}");
    }
}

#[test]
fn titles_and_totals_are_bold_and_tall_and_nothing_else_is() {
    let mut large = (false, false);
    let mut found = Vec::new();
    for heard in hear(&print(&receipt(), Paper::Columns42).bytes) {
        match heard {
            Heard::Bold { on } => large.0 = on,
            Heard::Size { width, height } => large.1 = (width, height) == (1, 2),
            Heard::Text(run) if large == (true, true) => found.push(run.trim().split("  ").next().unwrap_or_default().to_owned()),
            Heard::Text(_) => assert_eq!(large, (false, false)),
            _ => {}
        }
    }
    assert_eq!(found, ["Müller & Söhne", "RECEIPT", "TOTAL"]);
}

#[test]
fn words_give_way_to_figures_and_no_figure_is_ever_cut() {
    let long = "Organic whole grain spelt bread, sliced, 750 g";
    assert_eq!(
        lines(&[figure(long, "12.50 A")], Paper::Columns32),
        ["Organic whole grain spel 12.50 A"]
    );
    let amount = "123456789012345678901234567890.00 EUR";
    assert_eq!(
        lines(&[figure("sum", amount)], Paper::Columns32),
        ["sum", &amount[..32], &amount[32..]].map(str::trim)
    );
    assert_eq!(lines(&[figure("3 cancelled", "")], Paper::Columns32), ["3 cancelled"]);
    assert_eq!(lines(&[figure("", "1.00")], Paper::Columns32), [format!("{:>32}", "1.00")]);
}

#[test]
fn long_text_goes_on_below_between_words_and_keeps_its_indent() {
    let rows = [
        text("  returned because the zip was broken on arrival"),
        text(&"x".repeat(40)),
        text(""),
    ];
    assert_eq!(
        lines(&rows, Paper::Columns32),
        [
            "  returned because the zip was",
            "broken on arrival",
            &"x".repeat(32),
            &"x".repeat(8),
            ""
        ]
    );
}

#[test]
fn no_name_of_an_item_can_command_the_printer() {
    let hostile = [
        "\u{1b}p\u{0}\u{19}\u{fa}",    // Opens the drawer.
        "\u{10}\u{14}\u{1}\u{0}\u{1}", // Opens it at once.
        "\u{1d}V\u{0}",                // Cuts.
        "\u{1b}@\u{1c}p\u{1}\u{0}",    // Resets, prints a picture.
        "\u{9b}\u{85}\u{7f}\u{18}",    // High controls, delete, cancel.
    ];
    for name in hostile {
        let rows = [title(name), text(name), figure(name, name), total(name, name), code(name)];
        let job = print(&rows, Paper::Columns42);
        let plain = print(
            &[title("x"), text("x"), figure("x", "x"), total("x", "x"), text("x")],
            Paper::Columns42,
        );
        let commands = |job: &Job| {
            hear(&job.bytes)
                .into_iter()
                .filter(|heard| !matches!(heard, Heard::Text(_)))
                .collect::<Vec<_>>()
        };
        assert_eq!(commands(&job), commands(&plain), "{name:?}");
        assert!(job.replaced.iter().any(|replaced| replaced.is_control()), "{name:?}");
    }
    assert_eq!(lines(&[text("a\u{1b}p\u{0}b\tc\r\nd")], Paper::Columns42), ["a?p?b c  d"]);
}

#[test]
fn what_a_printer_does_not_know_is_replaced_for_all_to_see_and_told() {
    let rows = [text("Łódź 🍎 10\u{a0}€\u{feff} so\u{ad}ja")];
    let job = print(&rows, Paper::Columns42);
    assert_eq!(text_lines(&hear(&job.bytes)), ["Łódź ? 10 € soja"]);
    assert_eq!(job.replaced, BTreeSet::from(['🍎']));
    let plain = Profile {
        other_pages: &[],
        ..Profile::default()
    };
    let job = lay_out(&Document::from(rows.to_vec()), &plain);
    assert_eq!(text_lines(&hear(&job.bytes)), ["?ód? ? 10 € soja"]);
    assert_eq!(job.replaced, BTreeSet::from(['Ł', 'ź', '🍎']));
}

#[test]
fn a_receipt_may_speak_several_languages() {
    let rows = [
        text("Zażółć gęślą jaźń 5 €"),
        title("Черный хлеб, 250 г"),
        figure("Φέτα Κρήτης, größer", "12.50 €"),
        text("Řeřicha, őszibarack"),
    ];
    for paper in PAPERS {
        let shown = Document::from(rows.to_vec()).to_text(paper.columns());
        let job = print(&rows, paper);
        assert_eq!(text_lines(&hear(&job.bytes)), shown.lines().collect::<Vec<_>>(), "{paper:?}");
        assert_eq!(job.replaced, BTreeSet::new());
    }
    assert_eq!(
        print(&[text("a€Łж")], Paper::Columns32).bytes,
        b"\x1b@\x1bR\x00\x1bt\x10a\x80\x1bt\x12\x9d\x1bt\x11\xa6\n\x1bd\x01\x1dVB\x00"
    );
}

#[test]
fn a_receipt_number_is_a_bar_code_and_a_long_one_a_qr_code() {
    let job = print(&[code("R-r1-1-42-05")], Paper::Columns32);
    let expected: &[&[u8]] = &[
        b"\x1b@\x1bR\x00\x1bt\x10\x1bJ\x14\x1ba\x01",
        b"\x1dh\x50\x1dw\x02\x1dH\x00\x1dkI\x0e{BR-r1-1-42-05",
        b"\x1ba\x00          R-r1-1-42-05\n\x1bd\x01\x1dVB\x00",
    ];
    assert_eq!(job.bytes, expected.concat());
    let long = "R-register-a1-7-18446744073709551615-62";
    for paper in PAPERS {
        let heard = hear(&print(&[code("R-r1-1-42-05"), code("{curly}"), code(long)], paper).bytes);
        assert_eq!(codes(&heard), ["R-r1-1-42-05", "{curly}", long], "{paper:?}");
        assert_eq!(heard.iter().filter(|heard| **heard == Heard::QrDraw).count(), 1);
        assert_eq!(heard.iter().filter(|heard| matches!(heard, Heard::BarCode(_))).count(), 2);
        assert!(heard.contains(&Heard::Align(Align::Centre)));
    }
    // What no code may hold is still there to read.
    for odd in ["", "Ł1", "a\u{10}\u{14}\u{1}\u{0}\u{1}"] {
        let heard = hear(&print(&[code(odd)], Paper::Columns42).bytes);
        assert!(codes(&heard).is_empty() && text_lines(&heard).len() == 1, "{odd:?}");
    }
}

#[test]
fn every_byte_a_code_page_prints_is_the_character_that_encodes_to_it() {
    for usual in CodePage::ALL {
        let pages = Pages { usual, others: &[] };
        let mut known = 0;
        for byte in 0..=255 {
            let Some(printed) = usual.char_of(byte) else { continue };
            known += 1;
            let mut replaced = BTreeSet::new();
            let expected = match printed {
                '\u{a0}' => vec![b' '],
                '\u{ad}' => vec![],
                _ => vec![byte],
            };
            let cells = pages.encode(&printed.to_string(), &mut replaced);
            let bytes: Vec<u8> = cells.iter().map(|cell| cell.byte).collect();
            assert_eq!(bytes, expected, "{usual:?} {byte:#x}");
            assert!(cells.iter().all(|cell| cell.page == (!cell.byte.is_ascii()).then_some(usual)));
            assert!(!printed.is_control() && replaced.is_empty());
        }
        // 95 of ASCII, 128 above; Windows 1252 has five holes.
        assert_eq!(known, if usual == CodePage::Wpc1252 { 218 } else { 223 });
    }
}

#[test]
fn a_pulse_names_its_pin_and_its_times_in_steps_of_two_milliseconds() {
    assert_eq!(Pulse::new(Pin::Two, 50, 500).map(Pulse::to_bytes), Ok([0x1b, 0x70, 0, 25, 250]));
    assert_eq!(Pulse::new(Pin::Five, 101, 510).map(Pulse::to_bytes), Ok([0x1b, 0x70, 1, 51, 255]));
    assert_eq!(Pulse::new(Pin::Two, 0, 500), Err(PulseError::NoPulse));
    assert_eq!(Pulse::new(Pin::Two, 511, 500), Err(PulseError::TooLong { ms: 511 }));
    assert_eq!(Pulse::new(Pin::Two, 50, u16::MAX), Err(PulseError::TooLong { ms: u16::MAX }));
    let heard = Heard::Pulse {
        pin: Pin::Five,
        on_ms: 102,
        off_ms: 510,
    };
    assert_eq!(hear(&[0x1b, 0x70, 1, 51, 255]), [heard]);
}

#[test]
fn a_reader_tells_what_it_does_not_know_and_goes_on() {
    let heard = hear(b"a\x1b\x7fb\x00\x1dV\x02c\x1bp\x02\x01\x01\n\x80\x1bt\x10\x80\x1d");
    let expected = [
        Heard::Text("a".into()),
        Heard::Unknown(vec![0x1b, 0x7f]),
        Heard::Text("b".into()),
        Heard::Unknown(vec![0]),
        Heard::Unknown(vec![0x1d, b'V', 2]),
        Heard::Text("c".into()),
        Heard::Unknown(vec![0x1b, b'p', 2, 1, 1]),
        Heard::LineFeed,
        Heard::Text("\u{fffd}".into()),
        Heard::CodePage(16),
        Heard::Text("€".into()),
        Heard::Unknown(vec![0x1d]),
    ];
    assert_eq!(heard, expected);
}

fn any_words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,70}",
        "[ -~äöüßéè€\u{0}-\u{1f}\u{7f}-\u{9f}“…Łж🍎\u{301}]{0,70}",
        any::<String>()
    ]
}

fn any_row() -> impl Strategy<Value = Row> {
    prop_oneof![
        any_words().prop_map(|text| Row::Title { text }),
        any_words().prop_map(|text| Row::Text { text }),
        (any_words(), any_words()).prop_map(|(left, right)| Row::Figure { left, right }),
        (any_words(), any_words()).prop_map(|(left, right)| Row::Total { left, right }),
        Just(Row::Rule),
        any_words().prop_map(|text| Row::Code { text }),
        "[A-Za-z0-9{}-]{1,60}".prop_map(|text| Row::Code { text }),
    ]
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|&letter| letter != ' ').collect()
}

proptest! {
    #[test]
    fn every_byte_of_every_job_is_understood_fits_the_paper_and_is_cut_once_at_the_end(rows in prop::collection::vec(any_row(), 0..12), paper in prop::sample::select(&PAPERS)) {
        let job = print(&rows, paper);
        let heard = hear(&job.bytes);
        let (begin, rest) = heard.split_at(3);
        prop_assert_eq!(begin, &[Heard::Initialise, Heard::CharacterSet(0), Heard::CodePage(16)]);
        let (body, end) = rest.split_at(rest.len() - 2);
        prop_assert_eq!(end, &[Heard::Feed { lines: 1 }, Heard::Cut(Cut::Partial)]);
        for heard in body {
            let only_printed = matches!(heard, Heard::Text(_) | Heard::LineFeed | Heard::Bold { .. } | Heard::Size { .. } | Heard::CodePage(_) | Heard::Align(_) | Heard::FeedDots(20))
                || matches!(heard, Heard::BarHeight(_) | Heard::BarWidth(_) | Heard::BarWords(_) | Heard::BarCode(_))
                || matches!(heard, Heard::Look(_) | Heard::QrSize(_) | Heard::QrWords(_) | Heard::QrDraw);
            prop_assert!(only_printed, "{:?}", heard);
        }
        for line in text_lines(&heard) {
            prop_assert!(line.chars().count() <= paper.columns(), "{}", line);
            prop_assert!(!line.contains(char::REPLACEMENT_CHARACTER), "{}", line);
        }
    }

    #[test]
    fn no_word_of_a_text_and_no_digit_of_a_figure_is_lost(words in "[ -~]{0,150}", figures in "[!-~]{1,90}", paper in prop::sample::select(&PAPERS)) {
        for row in [title(&words), text(&words)] {
            prop_assert_eq!(without_spaces(&lines(&[row], paper).concat()), without_spaces(&words));
        }
        let printed = lines(&[figure(&words, &figures)], paper).concat();
        prop_assert!(printed.ends_with(&figures), "{}", printed);
    }

    #[test]
    fn any_bytes_are_read_and_any_words_are_only_printed(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\x1b\x1d\x10\n@pV!Etdk(HIaP".as_slice())], 0..200)) {
        fuzz_one(&bytes);
    }

    #[test]
    fn a_damaged_job_is_read_all_the_same(hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = print(&receipt(), Paper::Columns42).bytes;
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        fuzz_one(&bytes);
    }
}
