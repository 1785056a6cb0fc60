//! What stands on the papers of a shop, in every language, and what must never stand on them.

use jiff::civil::Date;
use proptest::prelude::*;

use super::*;
use crate::facts::{
    ClosedLine, EpochOpened, EpochReason, Fact, LineDetails, PriceReason, ReasonKind, ReceiptFact, TaxSum, Tender, TenderKind,
    TicketDetails, TicketEnd, TillCounted, Voided,
};
use crate::ids::{CommandId, ReceiptNo, ShiftId, TicketId};
use crate::money::{Money, Quantity};
use crate::tax::{PriceMode, TaxPart};
use crate::till::{Count, Denominations, Pieces, Tally, Till};

fn at() -> Instant {
    Instant::from_micros(1_795_000_000_000_000).unwrap()
}

fn command() -> CommandId {
    CommandId(uuid::Uuid::from_u128(7))
}

fn calendar() -> Calendar {
    Calendar::new("Europe/Berlin", "02:00").unwrap()
}

fn rate(text: &str) -> crate::tax::Rate {
    text.to_owned().try_into().unwrap()
}

fn number(number: u64) -> ReceiptNo {
    ReceiptNo {
        register: "r1".parse().unwrap(),
        series: 1,
        number,
    }
}

fn line(number: u32, name: &str, quantity: i64, amount: i64, tax: i64) -> ClosedLine {
    ClosedLine {
        line: number,
        command_id: Some(command()),
        at: at(),
        sku: "TEE-M".parse().unwrap(),
        name: name.into(),
        code: "TEE-M".into(),
        quantity: Quantity(quantity),
        unit_price: Money(amount * 1000 / quantity),
        amount: Money(amount),
        reasons: vec![PriceReason {
            reason: ReasonKind::ListPrice,
            amount: Money(amount),
            version: crate::catalog::PriceVersion { catalog: 1, directive: 0 },
            source: None,
        }],
        tax_class: "Q".into(),
        rate: rate("0.1547375"),
        net: Money(amount - tax),
        tax: Money(tax),
        taxes: Vec::new(),
        voided: None,
        details: LineDetails::default(),
    }
}

/// Two T-shirts and a mug, with a voided line between, paid in cash.
fn sale_of(end: TicketEnd) -> ClosedTicket {
    let part = |tax: &str, text: &str, amount| TaxPart {
        tax: tax.into(),
        rate: rate(text),
        amount: Money(amount),
    };
    let mut voided = line(2, "Wrong scan", 1000, 7777, 1042);
    voided.voided = Some(Voided {
        command_id: command(),
        at: at(),
    });
    ClosedTicket {
        ticket: TicketId(uuid::Uuid::from_u128(1)),
        end,
        receipt: Some(number(12)),
        original: (end == TicketEnd::Return).then(|| number(3)),
        register: "r1".parse().unwrap(),
        till: "t1".parse().unwrap(),
        shift: ShiftId(uuid::Uuid::from_u128(2)),
        opened_at: at(),
        currency: "EUR".parse().unwrap(),
        prices: PriceMode::Inclusive,
        lines: vec![line(1, "T-shirt M", 2000, 3980, 533), voided, line(3, "Mug", 1000, 851, 114)],
        taxes: vec![TaxSum {
            tax_class: "Q".into(),
            rate: rate("0.1547375"),
            net: Money(4184),
            tax: Money(647),
            parts: vec![part("GST", "0.05", 209), part("QST", "0.09975", 438)],
        }],
        net: Money(4184),
        tax: Money(647),
        cash_rounding: Money(-1),
        due: Money(4830),
        tenders: vec![Tender::cash(command(), at(), Money(5000))],
        change: Money(170),
        moves: Vec::new(),
        details: TicketDetails::default(),
    }
}

fn page(calendar: &Calendar) -> Page<'_> {
    Page::new(Heading {
        shop: "Thread & Needle",
        calendar,
    })
}

fn text_of(document: &Document) -> String {
    document.to_text(42)
}

fn holds(text: &str, wanted: &[&str]) {
    for words in wanted {
        assert!(text.contains(words), "{words:?} is missing in\n{text}");
    }
}

#[test]
fn a_receipt_tells_every_tax_the_rounding_and_the_change() {
    let calendar = calendar();
    let text = text_of(&sale(&sale_of(TicketEnd::Sale), at(), &page(&calendar)));
    holds(
        &text,
        &[
            "RECEIPT",
            "No. r1/1/12",
            "  2 x 19.90",
            "Q 15.47375% of 41.84                  6.47",
            "  GST 5%                              2.09",
            "  QST 9.975%                          4.38",
            "rounding                             -0.01",
            "TOTAL                            48.30 EUR",
            "change                                1.70",
        ],
    );
    assert!(
        !text.contains("Wrong scan") && !text.contains("COPY") && !text.contains("TRAINING"),
        "{text}"
    );
}

#[test]
fn exclusive_prices_show_how_the_total_comes_about_and_exemption_what_was_not_charged() {
    let calendar = calendar();
    let mut ticket = sale_of(TicketEnd::Sale);
    ticket.prices = PriceMode::Exclusive;
    holds(
        &text_of(&sale(&ticket, at(), &page(&calendar))),
        &[
            "subtotal                             41.84",
            "tax                                   6.47",
        ],
    );
    let mut exempt = sale_of(TicketEnd::Sale);
    exempt.tax = Money::ZERO;
    exempt.cash_rounding = Money::ZERO;
    exempt.due = Money(4184);
    holds(
        &text_of(&sale(&exempt, at(), &page(&calendar))),
        &["tax not charged                      -6.47"],
    );
}

#[test]
fn a_copy_says_so_and_a_return_names_what_it_takes_back() {
    let calendar = calendar();
    let copy = page(&calendar).copied(Copy::Copy);
    holds(
        &text_of(&sale(&sale_of(TicketEnd::Return), at(), &copy)),
        &["COPY", "RETURN", "for receipt r1/1/3"],
    );
    holds(
        &text_of(&cancellation(&sale_of(TicketEnd::Return), at(), &copy)),
        &["CANCELLATION", "cancels receipt r1/1/3"],
    );
}

/// Every text but titles and codes.
fn figures(document: &Document) -> Vec<&str> {
    let mut texts: Vec<&str> = Vec::new();
    for row in &document.rows {
        match row {
            Row::Text { text } => texts.push(text),
            Row::Figure { left, right } | Row::Total { left, right } => texts.extend([left.as_str(), right]),
            Row::Title { .. } | Row::Rule | Row::Code { .. } => {}
        }
    }
    texts
}

#[test]
fn a_gift_receipt_shows_no_price_in_any_language() {
    let calendar = calendar();
    for language in Language::ALL {
        let ticket = sale_of(TicketEnd::Sale);
        let document = gift(&ticket, at(), &[], &page(&calendar).in_language(*language));
        for text in figures(&document) {
            for amount in ["39.80", "19.90", "8.51", "48.30", "6.47", "EUR", "%"] {
                assert!(!text.contains(amount), "{text:?} shows {amount}");
            }
        }
        assert!(
            document.rows.iter().any(|row| matches!(row, Row::Code { .. })),
            "it can not be brought back"
        );
        let only = gift(&ticket, at(), &[3], &page(&calendar).in_language(*language));
        assert!(!figures(&only).contains(&"T-shirt M") && figures(&only).contains(&"Mug"));
    }
}

#[test]
fn every_page_of_practice_is_marked_above_and_below_and_can_not_be_brought_back() {
    let calendar = calendar();
    let ticket = sale_of(TicketEnd::Sale);
    for language in Language::ALL {
        let page = page(&calendar).in_language(*language).for_training();
        let training = language.words().training;
        let offer = Offer {
            net: Money(1),
            tax: Money(1),
            holds_until: Date::constant(2026, 12, 1),
        };
        let slip = Layaway {
            number: "L-1",
            lines: &ticket.lines,
            currency: ticket.currency,
            total: Money(4831),
            paid: Money(1000),
            keep_until: Date::constant(2026, 12, 1),
        };
        for document in [
            sale(&ticket, at(), &page),
            gift(&ticket, at(), &[], &page),
            cancellation(&ticket, at(), &page),
            quotation(&ticket, &offer, at(), &page),
            layaway(&slip, at(), &page),
        ] {
            let marks = document
                .rows
                .iter()
                .filter(|row| matches!(row, Row::Title { text } if text == training));
            assert_eq!(marks.count(), 2);
            assert!(matches!(&document.rows[document.rows.len() - 2], Row::Title { text } if text == training));
            assert!(!document.rows.iter().any(|row| matches!(row, Row::Code { .. })));
        }
    }
}

#[test]
fn an_offer_and_goods_put_aside_say_until_when_and_what_is_open() {
    let calendar = calendar();
    let ticket = sale_of(TicketEnd::Sale);
    let offer = Offer {
        net: Money(4184),
        tax: Money(647),
        holds_until: Date::constant(2026, 12, 1),
    };
    holds(
        &text_of(&quotation(&ticket, &offer, at(), &page(&calendar))),
        &[
            "QUOTATION",
            "valid until                     2026-12-01",
            "TOTAL                            48.31 EUR",
            "nothing was sold",
        ],
    );
    let slip = Layaway {
        number: "L-17",
        lines: &ticket.lines,
        currency: ticket.currency,
        total: Money(4831),
        paid: Money(1000),
        keep_until: Date::constant(2026, 12, 24),
    };
    holds(
        &text_of(&layaway(&slip, at(), &page(&calendar))),
        &[
            "No. L-17",
            "kept until                      2026-12-24",
            "remaining                        38.31 EUR",
        ],
    );
}

#[test]
fn the_tables_are_complete_and_each_speaks_its_own_language() {
    for language in Language::ALL {
        for (name, text) in language.words().all() {
            assert!(!text.is_empty() && text.trim() == text, "{language:?} {name}");
            assert!(!text.chars().any(char::is_control), "{language:?} {name}");
            let arabic = text.chars().any(|letter| ('\u{0600}'..='\u{06FF}').contains(&letter));
            assert_eq!(arabic, *language == Language::Ar, "{language:?} {name}: {text}");
        }
    }
    assert_eq!(Language::for_tag("de-AT"), Spoken::Asked(Language::De));
    assert_eq!(Language::for_tag("AR"), Spoken::Asked(Language::Ar));
    assert_eq!(Language::for_tag("pl"), Spoken::Fallback(Language::En));
    assert_eq!(Language::for_tag("").language(), Language::En);
}

#[test]
fn an_arabic_receipt_runs_from_right_to_left_and_its_digits_do_not() {
    let calendar = calendar();
    let document = sale(&sale_of(TicketEnd::Sale), at(), &page(&calendar).in_language(Language::Ar));
    assert_eq!(document.direction, Direction::RightToLeft);
    let text = text_of(&document);
    let total = text.lines().find(|line| line.contains("المجموع")).unwrap();
    assert!(total.starts_with("48.30 EUR ") && total.ends_with("المجموع"), "{total:?}");
    assert_eq!(width::of(total), 42);
    let written = serde_json::to_value(&document).unwrap();
    assert_eq!(written["direction"], "right_to_left");
    assert_eq!(serde_json::from_value::<Document>(written).unwrap(), document);
    let english = serde_json::to_value(sale(&sale_of(TicketEnd::Sale), at(), &page(&calendar))).unwrap();
    assert!(english.get("direction").is_none(), "older readers know only rows");
}

#[test]
fn wide_and_marked_letters_keep_the_figures_in_their_column() {
    let rows = |left: &str| {
        Document::from(vec![Row::Figure {
            left: left.into(),
            right: "1.00".into(),
        }])
    };
    for (name, expected) in [
        ("Tee", "Tee         1.00"),
        ("緑茶", "緑茶        1.00"),
        ("緑茶緑茶緑茶緑茶", "緑茶緑茶緑  1.00"),
        ("cre\u{0300}me", "cre\u{0300}me       1.00"),
    ] {
        assert_eq!(rows(name).to_text(16), format!("{expected}\n"), "{name}");
    }
}

fn epoch(series: u32) -> Fact {
    Fact::EpochOpened(EpochOpened {
        reason: EpochReason::NewStore,
        previous: None,
        series,
        currency: "EUR".parse().unwrap(),
        zone: "UTC".into(),
        day_end: "00:00".into(),
    })
}

#[test]
fn a_receipt_gets_one_invoice_and_the_same_number_when_asked_again() {
    let mut invoices = Invoices::default();
    let first = sale_of(TicketEnd::Sale);
    assert_eq!(invoices.number(&first), Err(InvoiceError::NoSeries));
    invoices.apply(&epoch(1));
    let numbered = invoices.number(&first).unwrap();
    assert_eq!(numbered.invoice.to_string(), "INV/1/1");
    // Until it is in the journal nothing has happened.
    assert_eq!(invoices.number(&first), Ok(numbered));
    let fact = Fact::Receipt(ReceiptFact::InvoiceNumbered(numbered));
    invoices.apply(&fact);
    invoices.apply(&fact);
    assert_eq!(invoices.number(&first), Ok(numbered));
    let second = ClosedTicket {
        receipt: Some(number(13)),
        ..sale_of(TicketEnd::Sale)
    };
    let next = invoices.number(&second).unwrap();
    assert_eq!(next.invoice.number, 2);
    invoices.apply(&Fact::Receipt(ReceiptFact::InvoiceNumbered(next)));
    // A restored box numbers anew, and still knows what it made before.
    invoices.apply(&epoch(2));
    let third = ClosedTicket {
        receipt: Some(number(14)),
        ..sale_of(TicketEnd::Sale)
    };
    assert_eq!(invoices.number(&third).unwrap().invoice, InvoiceNo { series: 2, number: 1 });
    assert_eq!(invoices.number(&first), Ok(numbered));
    let never = ClosedTicket {
        receipt: None,
        ..sale_of(TicketEnd::Cancelled)
    };
    assert_eq!(invoices.number(&never).unwrap_err().code(), "no_receipt");
    assert_eq!("INV/2/1".parse(), Ok(InvoiceNo { series: 2, number: 1 }));
    for text in ["INV/1", "inv/1/1", "INV/x/1", ""] {
        assert_eq!(text.parse::<InvoiceNo>().unwrap_err().code(), "not_an_invoice", "{text}");
    }
    let written = serde_json::to_value(&fact).unwrap();
    assert_eq!(written["fact"], "invoice_numbered");
    assert_eq!(serde_json::from_value::<Fact>(written).unwrap(), fact);
}

#[test]
fn an_invoice_has_both_parties_and_the_figures_of_the_receipt() {
    let calendar = calendar();
    let seller = Party::new(&["Thread & Needle", "Long Street 1", "10115 Berlin"], Some("DE123456789")).unwrap();
    let customer = Party::new(&["Works Ltd", "Short Street 2"], None).unwrap();
    let paper = Invoice {
        number: InvoiceNo { series: 1, number: 4 },
        seller: &seller,
        customer: &customer,
        made_at: at(),
    };
    let text = |ticket: &ClosedTicket| text_of(&invoice(&paper, ticket, at(), &page(&calendar)).unwrap());
    holds(
        &text(&sale_of(TicketEnd::Sale)),
        &[
            "VAT INVOICE",
            "No. INV/1/4",
            "for receipt r1/1/12",
            "  tax number DE123456789",
            "  Works Ltd",
            "T-shirt M                          34.47 Q",
            "net                                  41.84",
            "TOTAL                            48.30 EUR",
        ],
    );
    let back = ClosedTicket {
        due: Money(-4830),
        ..sale_of(TicketEnd::Return)
    };
    holds(&text(&back), &["CREDIT NOTE"]);
    for lines in [&["only a name"][..], &["", "x"], &["a\nb", "c"], &["a"; 7]] {
        assert_eq!(Party::new(lines, None).unwrap_err().code(), "invoice_party");
    }
}

#[test]
fn a_count_slip_shows_the_coins_and_not_what_was_expected() {
    let calendar = calendar();
    let euros = Denominations::standard("EUR".parse().unwrap()).unwrap();
    let pieces = vec![
        Pieces {
            value: Money(2000),
            pieces: 3,
        },
        Pieces {
            value: Money(5),
            pieces: 2,
        },
    ];
    let counted = TillCounted {
        till: "t1".parse().unwrap(),
        shift: None,
        currency: "EUR".parse().unwrap(),
        tally: Tally::new(vec![Count::of_pieces(&euros, pieces, None).unwrap()], Vec::new()).unwrap(),
        results: Vec::new(),
        by: "s1".parse().unwrap(),
        witness: None,
    };
    holds(
        &text_of(&count_slip(&counted, at(), &page(&calendar))),
        &[
            "TILL COUNT - till t1",
            "3 x 20.00                            60.00",
            "counted                          60.10 EUR",
            "signature",
        ],
    );
}

#[test]
fn an_x_looks_and_a_z_closes_with_the_same_sums() {
    let calendar = calendar();
    let mut till = Till::new("t1".parse().unwrap());
    let opened = till
        .open_shift(ShiftId(uuid::Uuid::from_u128(2)), "r1".parse().unwrap(), Money(10_000))
        .unwrap();
    till.apply(&Fact::ShiftOpened(opened), at()).unwrap();
    till.apply(&Fact::TicketClosed(Box::new(sale_of(TicketEnd::Sale))), at()).unwrap();
    let closed = till.close_shift(Money(14_830), at()).unwrap();
    let text = text_of(&of_z(&closed.z, "t1", "EUR".parse().unwrap(), &page(&calendar).heading));
    holds(
        &text,
        &[
            "Z REPORT 1 - till t1",
            "1 sales                              48.30",
            "tax Q 15.47375% of 41.84              6.47",
            "  QST 9.975%                          4.38",
            "expected                        148.30 EUR",
            "over / short                      0.00 EUR",
            "receipts r1/1/12                to r1/1/12",
        ],
    );
}

proptest! {
    #[test]
    fn no_name_breaks_a_paper(name in "\\PC{0,60}", shop in "\\PC{0,60}", width in 0usize..60) {
        let mut ticket = sale_of(TicketEnd::Sale);
        ticket.lines[0].name = name;
        let calendar = calendar();
        for language in Language::ALL {
            let page = Page::new(Heading { shop: &shop, calendar: &calendar }).in_language(*language);
            let document = sale(&ticket, at(), &page);
            prop_assert_eq!(document.to_text(width).lines().count(), document.rows.len());
        }
    }

    #[test]
    fn no_figure_breaks_a_paper(amounts in prop::collection::vec(any::<i64>(), 8)) {
        let mut ticket = sale_of(TicketEnd::Sale);
        ticket.lines[0].amount = Money(amounts[0]);
        ticket.net = Money(amounts[1]);
        ticket.tax = Money(amounts[2]);
        ticket.due = Money(amounts[3]);
        ticket.change = Money(amounts[4]);
        ticket.tenders[0].amount = Money(amounts[5]);
        ticket.tenders[0].kind = TenderKind::Card;
        let calendar = calendar();
        let offer = Offer { net: Money(amounts[6]), tax: Money(amounts[7]), holds_until: Date::MAX };
        let _ = sale(&ticket, at(), &page(&calendar)).to_text(42);
        let _ = quotation(&ticket, &offer, at(), &page(&calendar)).to_text(42);
    }
}
