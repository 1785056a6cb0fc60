//! Laws of the basket: whatever is done in whatever order, sums hold, replay is exact, and nothing panics.

use proptest::prelude::*;

use super::basket_tests::{doing, why};
use super::returns_tests::numbered;
use super::*;
use crate::price::Discount;

/// One thing somebody does at the counter; most of it is refused most of the time.
#[derive(Clone, Debug)]
enum Step {
    Scan(usize, i64),
    Void(u32),
    Quantity(u32, i64),
    Override(u32, i64),
    LineDiscount(u32, u8),
    TicketDiscount(i64),
    Coupon,
    Bottles(i64),
    Cash(i64),
    Voucher(i64),
    Card(i64),
    CardEnds(bool),
    VoidTender(usize),
    Suspend,
    RefundCash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0usize..5, prop_oneof![Just(1000i64), Just(2000), Just(3000), any::<i64>()]).prop_map(|(code, quantity)| Step::Scan(code, quantity)),
        1 => (0u32..9).prop_map(Step::Void),
        1 => (0u32..9, 0i64..9).prop_map(|(line, pieces)| Step::Quantity(line, pieces * 1000)),
        1 => (0u32..9, any::<i64>()).prop_map(|(line, price)| Step::Override(line, price)),
        1 => (0u32..9, 1u8..=100).prop_map(|(line, percent)| Step::LineDiscount(line, percent)),
        1 => (-5i64..9_000).prop_map(Step::TicketDiscount),
        1 => Just(Step::Coupon),
        1 => (0i64..20).prop_map(|pieces| Step::Bottles(pieces * 1000)),
        2 => prop_oneof![0i64..9_000, any::<i64>()].prop_map(Step::Cash),
        1 => (0i64..3_000).prop_map(Step::Voucher),
        1 => (0i64..3_000).prop_map(Step::Card),
        1 => any::<bool>().prop_map(Step::CardEnds),
        1 => (0usize..4).prop_map(Step::VoidTender),
        1 => Just(Step::Suspend),
        1 => Just(Step::RefundCash),
    ]
}

const CODES: [&str; 5] = ["TEE-M", "APPLE", "COLA", "BAG", "BOTTLE"];

fn decided(ticket: &mut Open, log: &mut Vec<Event>, decided: Result<Decided, Refusal>) {
    if let Ok(decided) = decided {
        log.push(decided.event.clone());
        ticket.accept(decided);
    }
}

fn happens(ticket: &mut Open, log: &mut Vec<Event>, event: Result<Event, Refusal>) {
    if let Ok(event) = event {
        log.push(event.clone());
        ticket.apply(event);
    }
}

fn carry_out(ticket: &mut Open, log: &mut Vec<Event>, shop: &Shop, number: u128, step: &Step) {
    let counter = shop.counter();
    let doing = doing(number);
    let (command, now) = (doing.command_id, doing.at);
    let result = match *step {
        Step::Scan(code, quantity) => ticket.scan(&counter, CODES[code], Quantity(quantity), command, now),
        Step::Void(line) => ticket.void_line(&counter, line, command, now),
        Step::Quantity(line, quantity) => ticket.change_quantity(&counter, line, Quantity(quantity), doing.staff, command, now),
        Step::Override(line, price) => ticket.override_price(&counter, line, Money(price), why(), Permit::Own, doing),
        Step::LineDiscount(line, percent) => {
            let discount = Discount::Percent(percent.to_string().try_into().unwrap());
            ticket.discount_line(&counter, line, Some(discount), why(), Permit::Own, doing)
        }
        Step::TicketDiscount(amount) => ticket.discount_ticket(&counter, Some(Discount::Amount(Money(amount))), why(), Permit::Own, doing),
        Step::Coupon => ticket.take_coupon(&counter, "TEN", doing),
        Step::Bottles(quantity) => ticket.refund_bottles(&counter, "COLA", Quantity(quantity), command, now),
        _ => return pay_somehow(ticket, log, shop, number, step),
    };
    decided(ticket, log, result);
}

fn pay_somehow(ticket: &mut Open, log: &mut Vec<Event>, shop: &Shop, number: u128, step: &Step) {
    let doing = doing(number);
    let (command, now) = (doing.command_id, doing.at);
    let event = match *step {
        Step::Cash(amount) => ticket.tender(Money(amount), command, now).map(Event::TenderTaken),
        Step::Voucher(worth) => {
            let code = format!("V-{number}");
            let voucher = Voucher { code, worth: Money(worth) };
            ticket.tender_voucher(voucher, &shop.policy, command, now).map(Event::TenderTaken)
        }
        Step::Card(amount) => ticket.ask_card(wish(number, amount)).map(Event::CardAsked),
        Step::CardEnds(paid) => {
            let Some(wish) = ticket.card_under_way().cloned() else { return };
            let tender = ticket.card_paid(wish.ask, "t-1", wish.amount, now).filter(|_| paid);
            Ok(match tender {
                Some(tender) => Event::TenderTaken(tender),
                None => Event::CardEnded {
                    ask: wish.ask,
                    why: "declined".into(),
                },
            })
        }
        Step::VoidTender(at) => {
            let tender = ticket.tenders().get(at).map_or(command, |tender| tender.command_id);
            ticket.void_tender(tender, command, now)
        }
        Step::Suspend => ticket.suspend(None, doing.staff, command, now),
        Step::RefundCash => ticket.refund_cash(Some(Permit::Own), doing).map(Event::TenderTaken),
        _ => return,
    };
    happens(ticket, log, event);
}

/// Brings whatever is going on to an end: the card is declined, the ticket resumed, and what is owed is paid or given back.
fn finish(ticket: &mut Open, log: &mut Vec<Event>, shop: &Shop) {
    carry_out(ticket, log, shop, 900, &Step::CardEnds(false));
    if ticket.is_suspended() {
        let seat = crate::facts::Seated {
            register: "r2".parse().unwrap(),
            till: "t2".parse().unwrap(),
            shift: ShiftId(uuid::Uuid::from_u128(9)),
            session: 5,
            staff: "s3".parse().unwrap(),
        };
        let resumed = ticket.resume(seat, id(901), at(9));
        happens(ticket, log, resumed);
    }
    let (due, given) = (ticket.due().unwrap(), ticket.given().unwrap());
    if due < Money::ZERO {
        carry_out(ticket, log, shop, 902, &Step::RefundCash);
    } else if given < due {
        // More than is owed, as customers give it; a full list of payments makes room first.
        let paid = ticket.tenders().len();
        if paid >= MOST_TENDERS {
            carry_out(ticket, log, shop, 903, &Step::VoidTender(0));
        }
        carry_out(ticket, log, shop, 904, &Step::Cash(due.0 - given.0 + 37));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_order_of_commands_panics_replay_is_exact_and_what_settles_adds_up(
        steps in prop::collection::vec(step(), 0..25), coins in prop_oneof![Just(1i64), Just(5), Just(10)], exclusive in any::<bool>()
    ) {
        let mut file = file();
        let prices = if exclusive { "exclusive" } else { "inclusive" };
        file["prices"] = prices.into();
        let shop = Shop::new(file);
        let opening = Opening { prices: shop.catalog.file().prices, ..opening(coins) };
        let mut ticket = Open::new(opening.clone());
        let mut log = vec![Event::Opened(opening)];
        for (number, step) in steps.iter().enumerate() {
            carry_out(&mut ticket, &mut log, &shop, number as u128 + 1, step);
        }
        finish(&mut ticket, &mut log, &shop);
        let text: Vec<String> = log.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        let mut replayed: Option<Open> = None;
        for row in &text {
            match (serde_json::from_str(row).unwrap(), &mut replayed) {
                (Event::Opened(opening), _) => replayed = Some(Open::new(opening)),
                (event, Some(ticket)) => ticket.apply(event),
                (_, None) => {}
            }
        }
        prop_assert_eq!(replayed.as_ref(), Some(&ticket));
        let settled = ticket.settle(&shop.counter());
        let goods = ticket.lines().iter().any(|line| line.voided.is_none());
        prop_assert_eq!(settled.is_ok(), goods, "{:?}", settled);
        if let Ok(closed) = &settled {
            adds_up(closed);
            for line in closed.lines.iter().filter(|line| line.voided.is_none()) {
                prop_assert!(line.net.0.abs() <= line.amount.0.abs());
            }
        }
        // A ticket built again from its events decides the same.
        let again = replayed.map(|ticket| ticket.settle(&shop.counter()));
        prop_assert_eq!(again, Some(settled));
    }

    #[test]
    fn part_returns_in_any_order_add_up_to_the_cent(
        pieces in prop::collection::vec(1i64..6, 1..5), discount in 0i64..500, coins in prop_oneof![Just(1i64), Just(5)],
        order in prop::collection::vec((any::<prop::sample::Index>(), 1i64..4), 1..30)
    ) {
        let shop = shop();
        let mut ticket = open(coins);
        for (number, pieces) in pieces.iter().enumerate() {
            scan(&mut ticket, ["TEE-M", "COLA", "TEE-M"][number % 3], pieces * 1000, number as u128 + 1);
        }
        if discount > 0 {
            let given = ticket.discount_ticket(&shop.counter(), Some(Discount::Amount(Money(discount))), why(), Permit::Own, doing(50)).unwrap();
            ticket.accept(given);
        }
        pay(&mut ticket, 100_000, 60);
        let sale = numbered(settle(&ticket).unwrap(), 1);
        let mut before = GivenBack::new(sale.receipt.unwrap());
        let mut sums = [0i64; 4];
        let mut take = |line: &crate::facts::ClosedLine, quantity: Quantity, before: &mut GivenBack| {
            let mut ticket = open(coins);
            let decided = ticket.take_back(&shop.counter(), &sale, before, &[(line.line, quantity)], doing(70)).unwrap();
            ticket.accept(decided);
            if ticket.due().unwrap() != Money::ZERO {
                let cash = ticket.refund_cash(None, doing(71)).unwrap();
                ticket.apply(Event::TenderTaken(cash));
            }
            let closed = numbered(settle(&ticket).unwrap(), 2);
            adds_up(&closed);
            before.add(&closed).unwrap();
            let own = [closed.net.0, closed.tax.0, closed.due.0, closed.lines[0].amount.0];
            for (sum, own) in sums.iter_mut().zip(own) {
                *sum += own;
            }
        };
        for (index, pieces) in order {
            let line = index.get(&sale.lines);
            let quantity = Quantity((pieces * 1000).min(before.left(line).0));
            if quantity.0 > 0 {
                take(line, quantity, &mut before);
            }
        }
        for line in &sale.lines {
            let left = before.left(line);
            if left.0 > 0 {
                take(line, left, &mut before);
            }
        }
        let amount: i64 = sale.lines.iter().map(|line| line.amount.0).sum();
        prop_assert_eq!(sums, [-sale.net.0, -sale.tax.0, -sale.due.0, -amount]);
    }
}

/// Not the clock decides but the work: what is priced and taxed again for one more line.
#[test]
fn the_two_hundredth_scan_changes_no_more_lines_than_the_first() {
    let shop = shop();
    let mut ticket = open(1);
    for number in 0..400u128 {
        let decided = ticket.scan(&shop.counter(), "TEE-M", Quantity::ONE, id(number + 1), at(1)).unwrap();
        assert!(matches!(decided.event, Event::LineAdded(_)), "line {number}");
        ticket.accept(decided);
    }
}
