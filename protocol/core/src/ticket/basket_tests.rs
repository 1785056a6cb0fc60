//! Stories of what lies in a basket: labels, scales, ages, serial numbers, discounts, deposits, and a ticket that rests.

use super::*;
use crate::facts::{AgeDecision, ApprovedAction, KeyedSource, LineException, LineRole, ReasonKind, Seated, TicketEnd};
use crate::fiscal::Series;
use crate::ids::ReasonCode;
use crate::money::Quantity;
use crate::price::Discount;
use crate::ticket::change::Doing;

pub fn doing(number: u128) -> Doing {
    Doing {
        staff: "s2".parse().unwrap(),
        command_id: id(number),
        at: at(1),
    }
}

pub fn why() -> ReasonCode {
    "damaged".parse().unwrap()
}

pub fn approval(number: u128, action: ApprovedAction, line: Option<u32>) -> Permit {
    Permit::Approved(Approval {
        id: id(number),
        action,
        line,
        by: "s1".parse().unwrap(),
        staff: "s2".parse().unwrap(),
    })
}

fn put(ticket: &mut Open, put: &Put<'_>, number: u128) -> Result<(), Refusal> {
    let decided = ticket.put(&shop().counter(), put, id(number), at(1))?;
    ticket.accept(decided);
    Ok(())
}

fn code_of(result: Result<(), Refusal>) -> &'static str {
    result.unwrap_err().code()
}

#[test]
fn a_label_of_the_shop_says_its_price_or_its_weight() {
    let mut ticket = open(1);
    scan(&mut ticket, "2200010004502", 1000, 1);
    scan(&mut ticket, "2300010012504", 1000, 2);
    let [cheese, ham] = ticket.lines() else { panic!("two lines") };
    assert_eq!(
        (cheese.amount, cheese.details.keyed.unwrap().source),
        (Money(450), KeyedSource::Embedded)
    );
    assert_eq!(
        (ham.quantity, ham.unit_price, ham.amount),
        (Quantity(1250), Money(2990), Money(3738))
    );
}

#[test]
fn one_stable_weight_serves_one_line_once() {
    let mut ticket = open(1);
    let reading = |number, gross, tare| Reading {
        id: ReadingId(uuid::Uuid::from_u128(number)),
        gross: Quantity(gross),
        tare: Quantity(tare),
    };
    let apples = |reading| Put {
        weight: Some(reading),
        ..Put::scan("APPLE", Quantity::ONE)
    };
    put(&mut ticket, &apples(reading(1, 1_300, 50)), 1).unwrap();
    let line = &ticket.lines()[0];
    assert_eq!(
        (line.quantity, line.unit_price, line.amount),
        (Quantity(1250), Money(249), Money(311))
    );
    assert_eq!(line.details.weighed.unwrap().tare, Quantity(50));
    assert_eq!(code_of(put(&mut ticket, &apples(reading(1, 1_300, 50)), 2)), "reading_used");
    assert_eq!(code_of(put(&mut ticket, &apples(reading(2, 50, 60)), 2)), "tare");
    assert_eq!(code_of(put(&mut ticket, &apples(reading(2, 50, 50)), 2)), "nothing_weighed");
    let tee = Put {
        code: "TEE-M",
        ..apples(reading(3, 100, 0))
    };
    assert_eq!(code_of(put(&mut ticket, &tee, 2)), "not_weighed");
    let gone = ticket.void_line(&shop().counter(), 1, id(3), at(1)).unwrap();
    ticket.accept(gone);
    assert_eq!(code_of(put(&mut ticket, &apples(reading(1, 1_300, 50)), 4)), "reading_used");
}

#[test]
fn an_open_price_is_keyed_within_limits_and_an_unknown_code_never_stops_the_queue() {
    let mut ticket = open(1);
    let flowers = |price| Put {
        price,
        ..Put::scan("FLOWERS", Quantity::ONE)
    };
    assert_eq!(code_of(put(&mut ticket, &flowers(None), 1)), "price_needed");
    assert_eq!(code_of(put(&mut ticket, &flowers(Some(Money(9_999_999))), 1)), "price_limit");
    put(&mut ticket, &flowers(Some(Money(1500))), 1).unwrap();
    let tee = Put {
        price: Some(Money(1)),
        ..Put::scan("TEE-M", Quantity::ONE)
    };
    assert_eq!(code_of(put(&mut ticket, &tee, 2)), "has_price");
    let shop = shop();
    let sell = |ticket: &Open, code: &str| {
        ticket.sell_by_department(&shop.counter(), &"DEPT-1".parse().unwrap(), Money(499), Some(code), id(3), at(1))
    };
    assert_eq!(sell(&ticket, ";4111111111111111=2512101?").unwrap_err().code(), "capture");
    let decided = sell(&ticket, "9999999999994").unwrap();
    ticket.accept(decided);
    let line = &ticket.lines()[1];
    assert_eq!(
        (line.code.as_str(), line.details.exception),
        ("9999999999994", Some(LineException::UnknownCode))
    );
    pay(&mut ticket, 2000, 4);
    let closed = settle(&ticket).unwrap();
    adds_up(&closed);
    assert_eq!(closed.moves.len(), 1, "a department is no stock");
}

#[test]
fn an_age_is_checked_by_the_calendar_and_a_refusal_is_kept_without_a_birth_date() {
    let mut ticket = open(1);
    let refusal = ticket.scan(&shop().counter(), "GIN", Quantity::ONE, id(1), at(1)).unwrap_err();
    assert_eq!(refusal.code(), "age_check");
    assert!(refusal.to_string().contains("born on 2008-11-18 or before"), "{refusal}");
    let check =
        |ticket: &Open, code: &str, decision| ticket.check_age(&shop().counter(), code, decision, "s2".parse().unwrap(), id(2), at(1));
    assert_eq!(check(&ticket, "TEE-M", AgeDecision::Passed).unwrap_err().code(), "no_age_limit");
    let (passed, fact) = check(&ticket, "BEER", AgeDecision::Passed).unwrap();
    assert_eq!(fact, None);
    ticket.apply(passed);
    scan(&mut ticket, "BEER", 1000, 3);
    assert_eq!(
        ticket
            .scan(&shop().counter(), "GIN", Quantity::ONE, id(4), at(1))
            .unwrap_err()
            .code(),
        "age_check"
    );
    let (refused, fact) = check(&ticket, "GIN", AgeDecision::Refused).unwrap();
    assert_eq!(fact.unwrap().min_age, 18);
    ticket.apply(refused);
    assert_eq!(
        ticket
            .scan(&shop().counter(), "GIN", Quantity::ONE, id(4), at(1))
            .unwrap_err()
            .code(),
        "age_refused"
    );
    scan(&mut ticket, "BEER", 1000, 5);
    assert_eq!(settle(&ticket).unwrap_err().code(), "not_enough");
    assert_eq!(line::born_by("2028-02-29".parse().unwrap(), 18).to_string(), "2010-02-28");
}

#[test]
fn what_has_a_number_of_its_own_is_sold_with_it_and_once() {
    let mut ticket = open(1);
    let phone = |serial| Put {
        capture: serial,
        ..Put::scan("PHONE", Quantity::ONE)
    };
    assert_eq!(code_of(put(&mut ticket, &phone(None), 1)), "capture_needed");
    put(&mut ticket, &phone(Some("SN-1")), 1).unwrap();
    assert_eq!(code_of(put(&mut ticket, &phone(Some("SN-1")), 2)), "captured_twice");
    assert_eq!(code_of(put(&mut ticket, &phone(Some("4111111111111111")), 2)), "capture");
    let two = Put {
        quantity: Quantity(2000),
        ..phone(Some("SN-2"))
    };
    assert_eq!(code_of(put(&mut ticket, &two, 2)), "one_by_one");
    let milk = Put {
        capture: Some("LOT-7"),
        ..Put::scan("MILK", Quantity(3000))
    };
    put(&mut ticket, &milk, 3).unwrap();
    let tag = EpcId::sgtin("4006381333948".parse().unwrap(), 7, "77").unwrap().to_string();
    scan(&mut ticket, &tag, 1000, 4);
    assert_eq!(code_of(put(&mut ticket, &Put::scan(&tag, Quantity::ONE), 5)), "captured_twice");
    let gone = ticket.void_line(&shop().counter(), 1, id(6), at(1)).unwrap();
    ticket.accept(gone);
    put(&mut ticket, &phone(Some("SN-1")), 7).unwrap();
}

#[test]
fn a_deposit_follows_its_goods_and_an_empty_gives_money_back() {
    let mut ticket = open(1);
    scan(&mut ticket, "COLA", 2000, 1);
    assert_eq!(ticket.lines()[1].details.follows, Some(1));
    assert_eq!(ticket.total(), Ok(Money(2 * 99 + 2 * 25)));
    let counter = shop();
    let more = ticket
        .change_quantity(&counter.counter(), 1, Quantity(3000), "s2".parse().unwrap(), id(2), at(1))
        .unwrap();
    ticket.accept(more);
    // Three colas for two.
    assert_eq!(ticket.total(), Ok(Money(198 + 75)));
    assert_eq!(ticket.lines()[0].reasons.last().unwrap().reason, ReasonKind::Promotion);
    assert_eq!(
        ticket.void_line(&counter.counter(), 2, id(3), at(1)).unwrap_err().code(),
        "goes_along"
    );
    let empties = ticket
        .refund_bottles(&counter.counter(), "COLA", Quantity(20_000), id(4), at(1))
        .unwrap();
    ticket.accept(empties);
    assert_eq!(ticket.lines()[2].details.role, LineRole::BottleRefund);
    assert_eq!(ticket.due(), Ok(Money(198 + 75 - 500)));
    assert_eq!(
        ticket
            .refund_bottles(&counter.counter(), "TEE-M", Quantity::ONE, id(5), at(1))
            .unwrap_err()
            .code(),
        "no_deposit"
    );
    assert_eq!(settle(&ticket).unwrap_err().code(), "refund_first");
    let cash = ticket.refund_cash(None, doing(6)).unwrap();
    ticket.apply(Event::TenderTaken(cash));
    let closed = settle(&ticket).unwrap();
    adds_up(&closed);
    assert_eq!((closed.end, closed.due), (TicketEnd::Sale, Money(-227)));
    let mut bottles = open(1);
    let empties = bottles
        .refund_bottles(&counter.counter(), "COLA", Quantity::ONE, id(4), at(1))
        .unwrap();
    bottles.accept(empties);
    let cash = bottles.refund_cash(None, doing(6)).unwrap();
    bottles.apply(Event::TenderTaken(cash));
    assert_eq!(settle(&bottles).unwrap().end, TicketEnd::Return);
}

#[test]
fn voiding_goods_voids_their_deposit_and_breaks_the_promotion() {
    let mut ticket = open(1);
    for number in 0..3 {
        scan(&mut ticket, "COLA", 1000, number);
    }
    assert_eq!(ticket.total(), Ok(Money(198 + 75)));
    let gone = ticket.void_line(&shop().counter(), 3, id(9), at(1)).unwrap();
    ticket.accept(gone);
    assert_eq!(ticket.total(), Ok(Money(2 * 99 + 50)));
    assert!(ticket.lines()[3].voided.is_some());
}

#[test]
fn an_approval_is_for_one_action_on_one_line_and_holds_once() {
    let shop = shop();
    let mut ticket = open(1);
    scan(&mut ticket, "TEE-M", 1000, 1);
    scan(&mut ticket, "TEE-M", 1000, 2);
    let set = |ticket: &Open, line, permit| ticket.override_price(&shop.counter(), line, Money(990), why(), permit, doing(3));
    let one = approval(50, ApprovedAction::PriceOverride, Some(1));
    assert_eq!(set(&ticket, 2, one).unwrap_err().code(), "other_approval");
    assert_eq!(
        set(&ticket, 1, approval(51, ApprovedAction::LineDiscount, Some(1)))
            .unwrap_err()
            .code(),
        "other_approval"
    );
    let decided = set(&ticket, 1, one).unwrap();
    ticket.accept(decided);
    assert_eq!(set(&ticket, 1, one).unwrap_err().code(), "approval_used");
    assert_eq!(
        (ticket.lines()[0].amount, ticket.lines()[0].reasons[0].reason),
        (Money(990), ReasonKind::Override)
    );
    let ten = Discount::Percent("10".to_owned().try_into().unwrap());
    let decided = ticket
        .discount_line(&shop.counter(), 2, Some(ten), why(), Permit::Own, doing(4))
        .unwrap();
    ticket.accept(decided);
    assert_eq!(ticket.lines()[1].amount, Money(1791));
    let decided = ticket
        .discount_ticket(&shop.counter(), Some(Discount::Amount(Money(100))), why(), Permit::Own, doing(5))
        .unwrap();
    ticket.accept(decided);
    assert_eq!(ticket.total(), Ok(Money(990 + 1791 - 100)));
    pay(&mut ticket, 5000, 6);
    let closed = settle(&ticket).unwrap();
    adds_up(&closed);
    assert_eq!(closed.details.approvals.len(), 1);
    assert_eq!(closed.details.history.len(), 3);
}

#[test]
fn a_customer_a_coupon_and_an_exemption_change_what_is_due_and_can_be_taken_away_again() {
    let shop = shop();
    let mut ticket = open(1);
    scan(&mut ticket, "TEE-M", 1000, 1);
    let coupon = ticket.take_coupon(&shop.counter(), "TEN", doing(2)).unwrap();
    ticket.accept(coupon);
    assert_eq!(ticket.total(), Ok(Money(1791)));
    assert_eq!(
        ticket.take_coupon(&shop.counter(), "TEN", doing(3)).unwrap_err().code(),
        "coupon_twice"
    );
    assert_eq!(
        ticket
            .take_coupon(&shop.counter(), "4111111111111111", doing(3))
            .unwrap_err()
            .code(),
        "coupon"
    );
    let dropped = ticket.drop_coupon(&shop.counter(), "TEN", doing(4)).unwrap();
    ticket.accept(dropped);
    assert_eq!(ticket.total(), Ok(Money(1990)));
    let exemption = tax::Exemption {
        taxes: Vec::new(),
        reason: "diplomat".into(),
    };
    let exempt = ticket.exempt(&shop.counter(), Some(exemption), Permit::Own, doing(5)).unwrap();
    ticket.accept(exempt);
    assert_eq!((ticket.total(), ticket.tax()), (Ok(Money(1672)), Money(0)));
    scan(&mut ticket, "TEE-M", 1000, 6);
    assert_eq!(ticket.total(), Ok(Money(2 * 1672)));
    let named = ticket
        .name_customer(&shop.counter(), Some("c-17".parse().unwrap()), &["regulars".into()], doing(7))
        .unwrap();
    ticket.accept(named);
    let noted = ticket
        .note(&shop.counter(), Some(1), "gift-wrap".parse().unwrap(), doing(8))
        .unwrap();
    ticket.accept(noted);
    pay(&mut ticket, 4000, 9);
    let closed = settle(&ticket).unwrap();
    adds_up(&closed);
    assert_eq!(closed.details.customer.unwrap().as_str(), "c-17");
}

fn seat(register: &str, till: &str, session: u64) -> Seated {
    Seated {
        register: register.parse().unwrap(),
        till: till.parse().unwrap(),
        shift: ShiftId(uuid::Uuid::from_u128(9)),
        session,
        staff: "s3".parse().unwrap(),
    }
}

#[test]
fn a_suspended_ticket_goes_on_elsewhere_and_the_register_it_was_taken_from_is_fenced() {
    let mut ticket = open(1);
    scan(&mut ticket, "TEE-M", 1000, 1);
    let rest = ticket.suspend(Some(why()), "s2".parse().unwrap(), id(2), at(2)).unwrap();
    ticket.apply(rest);
    assert_eq!(
        ticket
            .scan(&shop().counter(), "BAG", Quantity::ONE, id(3), at(3))
            .unwrap_err()
            .code(),
        "suspended"
    );
    assert_eq!(ticket.tender(Money(1), id(3), at(3)).unwrap_err().code(), "suspended");
    let resumed = ticket.resume(seat("r2", "t2", 5), id(4), at(4)).unwrap();
    ticket.apply(resumed);
    assert_eq!(ticket.may_act("r1".parse().unwrap(), 9).unwrap_err().code(), "ticket_fenced");
    assert_eq!(ticket.may_act("r2".parse().unwrap(), 4).unwrap_err().code(), "old_session");
    assert_eq!(ticket.may_act("r2".parse().unwrap(), 5), Ok(()));
    ask(&mut ticket, 5, 1990);
    let taken = ticket.take_over(seat("r3", "t3", 6), id(6), at(5)).unwrap();
    ticket.apply(taken);
    assert!(ticket.card_under_way().is_some(), "the card stays with its ticket");
    let tender = ticket.card_paid(id(5), "r1-terminal-000001", Money(1990), at(6)).unwrap();
    ticket.apply(Event::TenderTaken(tender));
    let closed = settle(&ticket).unwrap();
    assert_eq!((closed.register.as_str(), closed.till.as_str()), ("r3", "t3"));
    assert_eq!(closed.details.history.len(), 3);
    let mut paid = open(1);
    scan(&mut paid, "TEE-M", 1000, 1);
    pay(&mut paid, 1000, 2);
    assert_eq!(
        paid.take_over(seat("r2", "t2", 5), id(3), at(3)).unwrap_err().code(),
        "cash_in_other_till"
    );
}

#[test]
fn practice_moves_nothing_and_an_offer_owes_nothing() {
    let mut ticket = Open::new(Opening {
        mode: Mode::Training,
        ..opening(1)
    });
    scan(&mut ticket, "TEE-M", 1000, 1);
    assert_eq!(ticket.ask_card(wish(2, 1990)).unwrap_err().code(), "training");
    pay(&mut ticket, 2000, 3);
    let closed = settle(&ticket).unwrap();
    adds_up(&closed);
    assert_eq!(
        (closed.end, closed.moves.len(), closed.end.series()),
        (TicketEnd::Training, 0, Some(Series::Training))
    );
    let mut till = Till::new("t1".parse().unwrap());
    till.apply(
        &Fact::ShiftOpened(till.open_shift(closed.shift, closed.register, Money(0)).unwrap()),
        at(0),
    )
    .unwrap();
    till.apply(&Fact::TicketClosed(Box::new(closed)), at(1)).unwrap();
    assert_eq!(till.shift.as_ref().unwrap().expected(), Ok(Money(0)));

    let mut offer = open(1);
    scan(&mut offer, "TEE-M", 2000, 1);
    let quote = offer.quote(&shop().counter(), "2026-12-24".parse().unwrap()).unwrap();
    adds_up(&quote);
    assert_eq!((quote.due, quote.end.series()), (Money(0), Some(Series::Quotations)));
    let quoted = quote.details.quoted.unwrap();
    assert_eq!(quoted.net.0 + quoted.tax.0, 3980);
}

#[test]
fn the_lines_of_an_offer_add_up_to_it_where_taxes_are_rounded_over_the_document() {
    let mut file = file();
    file["tax_policy"] = serde_json::json!({"rounding": "document"});
    let file: CatalogFile = serde_json::from_value(file).unwrap();
    let catalog = Catalog::new(file).unwrap();
    let plain = shop().counter();
    let counter = Counter {
        taxes: catalog.taxes(),
        catalog: &catalog,
        ..plain
    };
    let mut offer = open(1);
    for number in 1..=3 {
        let decided = offer.scan(&counter, "COLA", Quantity::ONE, id(number), at(1)).unwrap();
        offer.accept(decided);
    }
    let quote = offer.quote(&counter, "2026-12-24".parse().unwrap()).unwrap();
    let quoted = quote.details.quoted.unwrap();
    let lines = |part: fn(&ClosedLine) -> i64| quote.lines.iter().map(part).sum::<i64>();
    assert_eq!((lines(|line| line.net.0), lines(|line| line.tax.0)), (quoted.net.0, quoted.tax.0));
}

#[test]
fn a_ticket_keeps_the_catalog_it_was_begun_with() {
    let mut ticket = Open::new(Opening {
        pinned: Some(crate::catalog::PriceVersion { catalog: 1, directive: 0 }),
        ..opening(1)
    });
    scan(&mut ticket, "TEE-M", 1000, 1);
    let mut newer = file();
    newer["version"] = 2.into();
    let newer = Shop::new(newer);
    let refused = ticket.scan(&newer.counter(), "TEE-M", Quantity::ONE, id(2), at(2)).unwrap_err();
    assert_eq!(refused, Refusal::OtherCatalog { pinned: 1, given: 2 });
    pay(&mut ticket, 2000, 3);
    adds_up(&ticket.settle(&newer.counter()).unwrap());
}

#[test]
fn taxes_follow_the_day_of_settlement_until_money_was_taken() {
    let file: CatalogFile = serde_json::from_value(file()).unwrap();
    let holiday = tax::Holiday {
        name: "tax-free day".into(),
        from: "2026-11-19".parse().unwrap(),
        to: "2026-11-19".parse().unwrap(),
        classes: vec!["A".into()],
        taxes: Vec::new(),
        max_unit_price: None,
    };
    let taxes = Arc::new(tax::Rules::new(PriceMode::Exclusive, tax::Policy::default(), &file.tax_classes, &[holiday]).unwrap());
    let shop = shop();
    let counter = Counter {
        taxes: &taxes,
        ..shop.counter()
    };
    let mut ticket = Open::new(Opening {
        prices: PriceMode::Exclusive,
        ..opening(1)
    });
    let decided = ticket.scan(&counter, "TEE-M", Quantity::ONE, id(1), at(1)).unwrap();
    ticket.accept(decided);
    assert_eq!(ticket.total(), Ok(Money(1990 + 378)));
    let tomorrow = at(24 * 3600);
    assert_eq!(counter.day(tomorrow).to_string(), "2026-11-19");
    let turned = ticket.turn_day(&counter, tomorrow).unwrap().unwrap();
    ticket.accept(turned);
    assert_eq!(ticket.total(), Ok(Money(1990)));
    pay(&mut ticket, 1990, 2);
    assert!(ticket.turn_day(&counter, at(72 * 3600)).unwrap().is_none());
    let closed = ticket.settle(&counter).unwrap();
    adds_up(&closed);
    assert_eq!(
        (closed.tax, closed.details.tax_day.unwrap().to_string()),
        (Money(0), "2026-11-19".into())
    );
}
