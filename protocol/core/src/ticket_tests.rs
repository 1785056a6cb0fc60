//! Stories of a ticket: from the first scan to the till's Z report, and back.

use super::*;
use crate::catalog::CatalogFile;
use crate::epc::{Epc, EpcId};
use crate::facts::{CashMove, ClosedTicket, Fact};
use crate::ids::{ReceiptNo, ShiftId, TicketId};
use crate::money::{Quantity, Rounding};
use crate::tax::PriceMode;
use crate::till::{self, Till};

#[path = "ticket/basket_tests.rs"]
mod basket_tests;
#[path = "ticket/laws_tests.rs"]
mod laws_tests;
#[path = "ticket/layaway_tests.rs"]
mod layaway_tests;
#[path = "ticket/pay_tests.rs"]
mod pay_tests;
#[path = "ticket/returns_tests.rs"]
mod returns_tests;

/// Everything a decision at the counter asks of the shop.
pub(super) struct Shop {
    catalog: Catalog,
    taxes: Arc<tax::Rules>,
    rules: StoreMadeRules,
    calendar: Calendar,
    policy: Policy,
}

impl Shop {
    pub(super) fn new(file: serde_json::Value) -> Self {
        let file: CatalogFile = serde_json::from_value(file).unwrap();
        let taxes = tax::Rules::new(file.prices, tax::Policy::default(), &file.tax_classes, &[]).unwrap();
        Self {
            taxes: Arc::new(taxes),
            catalog: Catalog::new(file).unwrap(),
            rules: StoreMadeRules::new(vec![
                "22 PPPPPPCVVVVV price 2".parse().unwrap(),
                "23 PPPPPPPVVVVV weight 3".parse().unwrap(),
            ]),
            calendar: Calendar::new("Europe/Berlin", "02:00").unwrap(),
            policy: Policy::default(),
        }
    }

    pub(super) fn counter(&self) -> Counter<'_> {
        Counter {
            catalog: &self.catalog,
            taxes: &self.taxes,
            rules: &self.rules,
            calendar: &self.calendar,
            store: None,
            policy: &self.policy,
        }
    }
}

pub(super) fn file() -> serde_json::Value {
    serde_json::json!({
        "version": 1, "currency": "EUR", "prices": "inclusive",
        "tax_classes": [
            {"code": "A", "name": "standard", "rate": "0.19"}, {"code": "B", "name": "food", "rate": "0.07"},
            {"code": "N", "name": "none", "rate": "0"}
        ],
        "items": [
            {"sku": "TEE-M", "name": "T-shirt M", "codes": ["4006381333931"], "tax_class": "A", "price": 1990},
            {"sku": "APPLE", "name": "Apples", "tax_class": "B", "price": 249, "sold_by": "measure"},
            {"sku": "BAG", "name": "Paper bag", "tax_class": "A", "price": 0},
            {"sku": "BEER", "name": "Beer", "codes": ["4000001000005"], "tax_class": "A", "price": 119, "min_age": 16, "deposit": "BOTTLE"},
            {"sku": "GIN", "name": "Gin", "tax_class": "A", "price": 1999, "min_age": 18},
            {"sku": "COLA", "name": "Cola", "tax_class": "A", "price": 99, "deposit": "BOTTLE"},
            {"sku": "BOTTLE", "name": "Bottle deposit", "tax_class": "A", "price": 25, "discountable": false},
            {"sku": "PHONE", "name": "Phone", "tax_class": "A", "price": 29900, "track": "serial"},
            {"sku": "MILK", "name": "Baby milk", "tax_class": "B", "price": 1490, "track": "lot"},
            {"sku": "COAT", "name": "Coat", "codes": ["4006381333948"], "tax_class": "A", "price": 9900, "track": "epc"},
            {"sku": "CHEESE", "name": "Cheese", "codes": ["2200010000009"], "tax_class": "B", "price": 1990},
            {"sku": "HAM", "name": "Ham", "codes": ["2300010000006"], "tax_class": "B", "price": 2990, "sold_by": "measure"},
            {"sku": "FLOWERS", "name": "Flowers", "tax_class": "B", "price": 0, "open_price": true},
            {"sku": "DEPT-1", "name": "Household", "tax_class": "A", "price": 0, "open_price": true},
            {"sku": "PREPAID", "name": "Payment for goods put aside", "tax_class": "N", "price": 0, "open_price": true, "discountable": false},
            {"sku": "FEE", "name": "Restocking fee", "tax_class": "A", "price": 0, "open_price": true, "discountable": false}
        ],
        "promotions": [
            {"id": "three-for-two", "name": "Three colas for two", "priority": 1, "kind": "mix_match", "on": {"skus": ["COLA"]}, "quantity": 3000, "price": 198},
            {"id": "ten-off", "name": "Coupon", "priority": 1, "coupon": "TEN", "kind": "basket", "percent": "10"}
        ]
    })
}

/// One shop for all stories, so that a ticket meets the same snapshot each time.
pub(super) fn shop() -> &'static Shop {
    static SHOP: std::sync::LazyLock<Shop> = std::sync::LazyLock::new(|| Shop::new(file()));
    &SHOP
}

pub(super) fn id(number: u128) -> CommandId {
    CommandId(uuid::Uuid::from_u128(number))
}

pub(super) fn at(second: i64) -> Instant {
    Instant::from_micros(1_795_000_000_000_000 + second * 1_000_000).unwrap()
}

pub(super) fn opening(cash_step: i64) -> Opening {
    Opening {
        ticket: TicketId(uuid::Uuid::from_u128(7)),
        register: "r1".parse().unwrap(),
        till: "t1".parse().unwrap(),
        shift: ShiftId(uuid::Uuid::from_u128(8)),
        opened_at: at(0),
        currency: "EUR".parse().unwrap(),
        prices: PriceMode::Inclusive,
        cash_step,
        cash_rounding: Rounding::HALF_AWAY,
        mode: Mode::Selling,
        pinned: None,
        session: 0,
    }
}

pub(super) fn open(cash_step: i64) -> Open {
    Open::new(opening(cash_step))
}

fn void(ticket: &Open, line: u32, number: u128) -> Result<Decided, Refusal> {
    ticket.void_line(&shop().counter(), line, id(number), at(1))
}

pub(super) fn scan(ticket: &mut Open, code: &str, milli: i64, number: u128) {
    let decided = ticket.scan(&shop().counter(), code, Quantity(milli), id(number), at(1)).unwrap();
    ticket.accept(decided);
}

pub(super) fn pay(ticket: &mut Open, amount: i64, number: u128) {
    let tender = ticket.tender(Money(amount), id(number), at(2)).unwrap();
    ticket.apply(Event::TenderTaken(tender));
}

pub(super) fn settle(ticket: &Open) -> Result<ClosedTicket, Refusal> {
    ticket.settle(&shop().counter())
}

/// L5, said once for all tests here.
pub(super) fn adds_up(closed: &ClosedTicket) {
    assert_eq!(closed.net.0 + closed.tax.0 + closed.cash_rounding.0, closed.due.0);
    let given: i64 = closed.tenders.iter().map(|tender| tender.amount.0).sum();
    assert_eq!(given - closed.change.0 - closed.tips().unwrap().0, closed.due.0);
    for line in &closed.lines {
        assert_eq!(line.reasons.iter().map(|reason| reason.amount.0).sum::<i64>(), line.amount.0);
    }
    assert_eq!(closed.taxes.iter().map(|sum| sum.tax.0).sum::<i64>(), closed.tax.0);
}

#[test]
fn a_basket_is_scanned_paid_in_cash_and_gives_change() {
    let mut ticket = open(1);
    scan(&mut ticket, "4006381333931", 2000, 1);
    scan(&mut ticket, "APPLE", 1500, 2);
    pay(&mut ticket, 5000, 3);
    let closed = ticket.settle(&shop().counter()).unwrap();
    assert_eq!((closed.due, closed.change), (Money(3980 + 374), Money(5000 - 4354)));
    assert_eq!(closed.taxes.len(), 2);
    assert_eq!(closed.moves[0].delta, Quantity(-2000));
    adds_up(&closed);
}

#[test]
fn coins_that_do_not_exist_are_rounded_away_and_shown() {
    let mut ticket = open(5);
    scan(&mut ticket, "APPLE", 1000, 1);
    assert_eq!(ticket.due().unwrap(), Money(250));
    pay(&mut ticket, 250, 2);
    let closed = ticket.settle(&shop().counter()).unwrap();
    assert_eq!(closed.cash_rounding, Money(1));
    adds_up(&closed);
}

#[test]
fn a_voided_line_stays_on_the_ticket_but_costs_nothing() {
    let mut ticket = open(1);
    scan(&mut ticket, "APPLE", 1000, 1);
    scan(&mut ticket, "TEE-M", 1000, 2);
    let voided = void(&ticket, 2, 3).unwrap();
    ticket.accept(voided);
    assert_eq!(void(&ticket, 2, 4).unwrap_err(), Refusal::AlreadyVoided { line: 2 });
    assert_eq!(void(&ticket, 9, 4).unwrap_err(), Refusal::NoSuchLine { line: 9 });
    pay(&mut ticket, 249, 5);
    let closed = ticket.settle(&shop().counter()).unwrap();
    assert_eq!((closed.lines.len(), closed.moves.len(), closed.due), (2, 1, Money(249)));
    adds_up(&closed);
}

#[test]
fn what_can_not_be_sold_is_refused_with_what_to_do() {
    let mut ticket = open(1);
    let refuse = |ticket: &Open, code: &str, milli| {
        ticket
            .scan(&shop().counter(), code, Quantity(milli), id(1), at(1))
            .unwrap_err()
            .code()
    };
    assert_eq!(refuse(&ticket, "4006381333955", 1000), "unknown_code");
    assert_eq!(refuse(&ticket, ";4111111111111111=2512101", 1000), "unreadable_code");
    assert_eq!(refuse(&ticket, "TEE-M", 500), "quantity");
    assert_eq!(refuse(&ticket, "]C10104006381333931104111111111111111", 1000), "unreadable_code");
    assert_eq!(refuse(&ticket, "APPLE", 0), "quantity");
    assert_eq!(refuse(&ticket, "APPLE", -1000), "quantity");
    assert_eq!(refuse(&ticket, "APPLE", i64::MAX), "quantity");
    assert_eq!(ticket.settle(&shop().counter()).unwrap_err().code(), "empty_basket");
    assert_eq!(ticket.tender(Money(100), id(2), at(1)).unwrap_err().code(), "empty_basket");
    scan(&mut ticket, "APPLE", 1000, 1);
    assert_eq!(
        ticket.settle(&shop().counter()).unwrap_err().to_string(),
        "0.00 EUR is not enough, 2.49 EUR is due; take the rest first"
    );
    assert_eq!(ticket.tender(Money(-5), id(2), at(1)).unwrap_err().code(), "amount");
    pay(&mut ticket, 100, 3);
    assert_eq!(refuse(&ticket, "APPLE", 1000), "already_paid");
    assert_eq!(ticket.cancel().unwrap_err().code(), "already_paid");
    assert_eq!(ticket.settle(&shop().counter()).unwrap_err().code(), "not_enough");
}

#[test]
fn two_tenders_pay_together_and_a_free_basket_needs_none() {
    let mut ticket = open(1);
    scan(&mut ticket, "APPLE", 1000, 1);
    pay(&mut ticket, 100, 2);
    pay(&mut ticket, 200, 3);
    let closed = ticket.settle(&shop().counter()).unwrap();
    assert_eq!(closed.change, Money(51));
    adds_up(&closed);
    let mut free = open(1);
    scan(&mut free, "BAG", 1000, 1);
    adds_up(&free.settle(&shop().counter()).unwrap());
}

#[test]
fn a_cancelled_ticket_keeps_its_lines_and_moves_nothing() {
    let mut ticket = open(1);
    scan(&mut ticket, "APPLE", 1000, 1);
    let closed = ticket.cancel().unwrap();
    assert_eq!((closed.due, closed.moves.len(), closed.lines.len()), (Money::ZERO, 0, 1));
    adds_up(&closed);
}

#[test]
fn a_return_mirrors_the_sale_to_the_cent_and_only_a_sale_can_be_returned() {
    let mut ticket = open(5);
    scan(&mut ticket, "TEE-M", 1000, 1);
    scan(&mut ticket, "APPLE", 333, 2);
    pay(&mut ticket, 3000, 3);
    let receipt = ReceiptNo {
        register: "r1".parse().unwrap(),
        series: 1,
        number: 1,
    };
    let sale = ClosedTicket {
        receipt: Some(receipt),
        ..ticket.settle(&shop().counter()).unwrap()
    };
    let desk = ReturnDesk {
        ticket: TicketId(uuid::Uuid::from_u128(70)),
        register: "r2".parse().unwrap(),
        till: "t2".parse().unwrap(),
        shift: ShiftId(uuid::Uuid::from_u128(80)),
        command_id: id(9),
        at: at(60),
    };
    let back = return_whole(&sale, desk).unwrap();
    adds_up(&back);
    assert_eq!((back.net.0, back.tax.0, back.due.0), (-sale.net.0, -sale.tax.0, -sale.due.0));
    assert_eq!(back.original, Some(receipt));
    let numbered = ClosedTicket {
        receipt: Some(ReceiptNo { number: 2, ..receipt }),
        ..back
    };
    assert_eq!(return_whole(&numbered, desk).unwrap_err().code(), "not_a_sale");
}

#[test]
fn the_z_report_explains_every_coin_in_the_drawer() {
    let mut till = Till::new("t1".parse().unwrap());
    let shift = ShiftId(uuid::Uuid::from_u128(8));
    let opened = till.open_shift(shift, "r1".parse().unwrap(), Money(10_000)).unwrap();
    till.apply(&Fact::ShiftOpened(opened), at(0)).unwrap();
    assert_eq!(
        till.open_shift(shift, "r1".parse().unwrap(), Money(1)).unwrap_err().code(),
        "shift_open"
    );

    let mut ticket = open(1);
    scan(&mut ticket, "TEE-M", 1000, 1);
    pay(&mut ticket, 2000, 2);
    let receipt = ReceiptNo {
        register: "r1".parse().unwrap(),
        series: 1,
        number: 1,
    };
    let sale = ClosedTicket {
        receipt: Some(receipt),
        ..ticket.settle(&shop().counter()).unwrap()
    };
    till.apply(&Fact::TicketClosed(Box::new(sale.clone())), at(1)).unwrap();
    let desk = ReturnDesk {
        ticket: sale.ticket,
        register: sale.register,
        till: sale.till,
        shift,
        command_id: id(5),
        at: at(2),
    };
    let back = ClosedTicket {
        receipt: Some(ReceiptNo { number: 2, ..receipt }),
        ..return_whole(&sale, desk).unwrap()
    };
    till.apply(&Fact::TicketClosed(Box::new(back)), at(2)).unwrap();
    for (kind, amount) in [(CashMove::PaidIn, 500), (CashMove::PaidOut, 120), (CashMove::Drop, 3000)] {
        let moved = till.move_cash(kind, Money(amount), "petty cash").unwrap();
        till.apply(&Fact::CashMoved(moved), at(3)).unwrap();
    }
    for card in ["4111 1111 1111 1111", ";4111111111111111=2512101?", "5500-0000-0000-0004"] {
        assert_eq!(
            till.move_cash(CashMove::PaidIn, Money(1), card).unwrap_err().code(),
            "card_data",
            "{card}"
        );
    }
    let closed = till.close_shift(Money(7370), at(4)).unwrap();
    assert_eq!(
        (closed.z.expected, closed.z.over_short),
        (Money(10_000 + 500 - 120 - 3000), Money(-10))
    );
    assert_eq!((closed.z.perpetual_sales, closed.z.perpetual_returns), (Money(1990), Money(-1990)));
    assert_eq!(closed.z.totals.receipts[0].last.number, 2);
    let text = crate::receipt::of_z(
        &closed.z,
        "t1",
        "EUR".parse().unwrap(),
        &crate::receipt::Heading {
            shop: "Thread & Needle",
            calendar: &Calendar::new("Europe/Berlin", "02:00").unwrap(),
        },
    )
    .to_text(42);
    assert!(text.contains("over / short                     -0.10 EUR"), "{text}");
    till.apply(&Fact::ShiftClosed(Box::new(closed)), at(4)).unwrap();
    assert_eq!(till.close_shift(Money(0), at(5)), Err(till::Refusal::NoShift { till: till.till }));
}

#[test]
fn a_receipt_shows_what_was_paid_and_a_copy_says_so() {
    let mut ticket = open(1);
    scan(&mut ticket, "TEE-M", 2000, 1);
    pay(&mut ticket, 4000, 2);
    let receipt = ReceiptNo {
        register: "r1".parse().unwrap(),
        series: 1,
        number: 12,
    };
    let sale = ClosedTicket {
        receipt: Some(receipt),
        ..ticket.settle(&shop().counter()).unwrap()
    };
    let calendar = Calendar::new("Europe/Berlin", "02:00").unwrap();
    let heading = crate::receipt::Heading {
        shop: "Thread & Needle",
        calendar: &calendar,
    };
    let text = crate::receipt::of_ticket(&sale, at(2), crate::receipt::Copy::Copy, &heading).to_text(42);
    for wanted in [
        "COPY",
        "No. r1/1/12",
        "T-shirt M",
        "  2 x 19.90",
        "39.80 EUR",
        "change",
        "A 19% of 33.45",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is missing in\n{text}");
    }
}

#[test]
fn the_largest_ticket_is_refused_another_line() {
    let mut ticket = open(1);
    for number in 0..MOST_LINES {
        scan(&mut ticket, "APPLE", 1000, number as u128);
    }
    assert_eq!(
        ticket
            .scan(&shop().counter(), "APPLE", Quantity::ONE, id(1), at(1))
            .unwrap_err()
            .code(),
        "too_many_lines"
    );
}

fn wish(number: u128, amount: i64) -> CardWish {
    CardWish {
        ask: id(number),
        at: at(2),
        terminal: "r1-terminal".parse().unwrap(),
        amount: Money(amount),
        settle: true,
        tip: Money::ZERO,
        refund_of: None,
    }
}

fn ask(ticket: &mut Open, number: u128, amount: i64) {
    let wish = ticket.ask_card(wish(number, amount)).unwrap();
    ticket.apply(Event::CardAsked(wish));
}

#[test]
fn a_card_pays_to_the_cent_and_only_what_is_left_for_cash_is_rounded() {
    let mut by_card = open(5);
    scan(&mut by_card, "APPLE", 1000, 1);
    ask(&mut by_card, 2, 249);
    let tender = by_card.card_paid(id(2), "r1-terminal-000001", Money(249), at(3)).unwrap();
    by_card.apply(Event::TenderTaken(tender));
    assert!(by_card.closes_by_card());
    let closed = by_card.settle(&shop().counter()).unwrap();
    assert_eq!((closed.due, closed.cash_rounding), (Money(249), Money(0)));
    adds_up(&closed);

    // A euro by card, the rest in coins of five cents: 1.49 becomes 1.50.
    let mut mixed = open(5);
    scan(&mut mixed, "APPLE", 1000, 1);
    ask(&mut mixed, 2, 100);
    let tender = mixed.card_paid(id(2), "r1-terminal-000002", Money(100), at(3)).unwrap();
    mixed.apply(Event::TenderTaken(tender));
    assert!(!mixed.closes_by_card());
    pay(&mut mixed, 200, 3);
    let closed = mixed.settle(&shop().counter()).unwrap();
    assert_eq!((closed.due, closed.cash_rounding, closed.change), (Money(250), Money(1), Money(50)));
    adds_up(&closed);

    // Coins first, the card for the exact rest: nothing is left to round.
    let mut coins_first = open(5);
    scan(&mut coins_first, "APPLE", 1000, 1);
    pay(&mut coins_first, 100, 2);
    assert_eq!(coins_first.remaining_exact(), Ok(Money(149)));
    ask(&mut coins_first, 3, 149);
    let tender = coins_first.card_paid(id(3), "r1-terminal-000003", Money(149), at(3)).unwrap();
    coins_first.apply(Event::TenderTaken(tender));
    let closed = coins_first.settle(&shop().counter()).unwrap();
    assert_eq!((closed.due, closed.cash_rounding, closed.change), (Money(249), Money(0), Money(0)));
    adds_up(&closed);
}

#[test]
fn while_a_card_is_under_way_the_basket_stands_still_and_a_declined_one_leaves_it_whole() {
    let mut ticket = open(1);
    assert_eq!(ticket.ask_card(wish(1, 100)).unwrap_err().code(), "empty_basket");
    scan(&mut ticket, "TEE-M", 1000, 1);
    assert_eq!(ticket.ask_card(wish(2, 1991)).unwrap_err().code(), "card_too_much");
    assert_eq!(ticket.ask_card(wish(2, 0)).unwrap_err().code(), "amount");
    ask(&mut ticket, 2, 1990);
    let under_way = "card_under_way";
    assert_eq!(
        ticket
            .scan(&shop().counter(), "APPLE", Quantity(1000), id(3), at(3))
            .unwrap_err()
            .code(),
        under_way
    );
    assert_eq!(void(&ticket, 1, 3).unwrap_err().code(), under_way);
    assert_eq!(ticket.tender(Money(1990), id(3), at(3)).unwrap_err().code(), under_way);
    assert_eq!(ticket.ask_card(wish(3, 1)).unwrap_err().code(), under_way);
    assert_eq!(ticket.cancel().unwrap_err().code(), under_way);
    assert_eq!(ticket.settle(&shop().counter()).unwrap_err().code(), under_way);
    let ended = Event::CardEnded {
        ask: id(2),
        why: "declined".into(),
    };
    assert!(!ticket.knows(&ended));
    ticket.apply(ended.clone());
    assert!(ticket.knows(&ended) && ticket.knows(&Event::CardAsked(wish(2, 1990))));
    scan(&mut ticket, "APPLE", 1000, 4);
    ask(&mut ticket, 5, 2239);
    // The terminal of the first wish speaks late: nobody wants its money.
    assert_eq!(ticket.card_paid(id(2), "r1-terminal-000001", Money(1990), at(4)), None);
    assert!(ticket.card_paid(id(5), "r1-terminal-000002", Money(2239), at(4)).is_some());
}

#[test]
fn a_ticket_whose_card_is_unknown_is_paid_in_cash_and_the_late_money_is_not_wanted() {
    let mut ticket = open(1);
    scan(&mut ticket, "TEE-M", 1000, 1);
    ask(&mut ticket, 2, 1990);
    ticket.card_unknown(id(2), true);
    assert_eq!(ticket.cancel().unwrap_err().code(), "card_under_way");
    // As long as the card may still pay all of it, its money is wanted; once cash has paid a part, it is too much.
    assert!(ticket.card_paid(id(2), "r1-terminal-000001", Money(1990), at(4)).is_some());
    pay(&mut ticket, 2000, 3);
    assert_eq!(ticket.card_paid(id(2), "r1-terminal-000001", Money(1990), at(4)), None);
    let closed = ticket.settle(&shop().counter()).unwrap();
    assert_eq!(closed.change, Money(10));
    adds_up(&closed);
    assert_eq!(ticket.settle(&shop().counter()).unwrap().tenders.len(), 1);
}

#[test]
fn what_was_paid_by_card_is_not_handed_out_in_cash() {
    let mut ticket = open(1);
    scan(&mut ticket, "TEE-M", 1000, 1);
    ask(&mut ticket, 2, 1990);
    let tender = ticket.card_paid(id(2), "r1-terminal-000001", Money(1990), at(3)).unwrap();
    ticket.apply(Event::TenderTaken(tender));
    let sale = ClosedTicket {
        receipt: Some("r1/1/1".parse().unwrap()),
        ..ticket.settle(&shop().counter()).unwrap()
    };
    let desk = ReturnDesk {
        ticket: TicketId(uuid::Uuid::from_u128(9)),
        register: "r1".parse().unwrap(),
        till: "t1".parse().unwrap(),
        shift: ShiftId(uuid::Uuid::from_u128(8)),
        command_id: id(9),
        at: at(9),
    };
    assert_eq!(return_whole(&sale, desk).unwrap_err().code(), "paid_by_card");
}

#[test]
fn the_tag_of_an_item_sells_it() {
    // GTIN 4006381333931 with serial 6789, its company prefix seven digits long.
    let epc = EpcId::sgtin("4006381333931".parse().unwrap(), 7, "6789").unwrap();
    let hex = Epc::shortest(epc.clone(), 1).unwrap().to_hex();
    for code in [hex, epc.to_string()] {
        let mut ticket = open(1);
        scan(&mut ticket, &code, 1000, 1);
        assert_eq!(
            (ticket.lines()[0].sku.to_string(), &ticket.lines()[0].code),
            ("TEE-M".into(), &code)
        );
    }
}
