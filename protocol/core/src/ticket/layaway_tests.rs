//! Stories of goods put aside: paid in parts, picked up, given up, run out.

use super::basket_tests::doing;
use super::returns_tests::numbered;
use super::*;
use crate::facts::{LayawayEnd, LayawayForm, LayawayOpened};
use crate::ticket::layaway::Layaway;

fn opened() -> (LayawayOpened, ClosedTicket) {
    let shop = shop();
    let mut ticket = open(5);
    scan(&mut ticket, "TEE-M", 5000, 1);
    let id = LayawayId(uuid::Uuid::from_u128(90));
    let aside = |ticket: &Open, until: &str| ticket.lay_away(&shop.counter(), id, LayawayForm::Layaway, until.parse().unwrap(), at(1));
    assert_eq!(aside(&ticket, "2026-12-24").unwrap_err().code(), "customer_needed");
    let named = ticket
        .name_customer(&shop.counter(), Some("c-17".parse().unwrap()), &[], doing(2))
        .unwrap();
    ticket.accept(named);
    assert_eq!(aside(&ticket, "2027-12-24").unwrap_err().code(), "kept_too_long");
    aside(&ticket, "2026-12-24").unwrap()
}

fn prepay(layaway: &mut Layaway, amount: i64, number: u128) -> Result<(), Refusal> {
    let mut ticket = Open::new(Opening {
        ticket: TicketId(uuid::Uuid::from_u128(number)),
        ..opening(5)
    });
    let decided = ticket.prepay(
        &shop().counter(),
        layaway,
        &"PREPAID".parse().unwrap(),
        Money(amount),
        doing(number),
    )?;
    ticket.accept(decided);
    assert_eq!(
        ticket
            .scan(&shop().counter(), "BAG", Quantity::ONE, id(1), at(1))
            .unwrap_err()
            .code(),
        "layaway_goods_only"
    );
    pay(&mut ticket, amount, number + 1);
    let closed = numbered(settle(&ticket).unwrap(), number as u64);
    adds_up(&closed);
    assert_eq!((closed.moves.len(), closed.due), (0, Money(amount)));
    layaway.add(&closed)?;
    layaway.add(&closed)
}

fn days(days: i64) -> Instant {
    at(days * 24 * 3600)
}

#[test]
fn goods_are_put_aside_paid_in_parts_and_picked_up_with_a_receipt() {
    let (fact, basket) = opened();
    assert_eq!((basket.end, basket.details.layaway), (TicketEnd::Cancelled, Some(fact.layaway)));
    assert_eq!((fact.total, fact.deposit_least, fact.fee), (Money(9950), Money(1990), Money(995)));
    assert_eq!(fact.reserve[0].quantity, Quantity(5000));
    let mut layaway = Layaway::new(fact);
    assert_eq!(prepay(&mut layaway, 1000, 100).unwrap_err().code(), "deposit_least");
    prepay(&mut layaway, 2000, 100).unwrap();
    prepay(&mut layaway, 3000, 200).unwrap();
    assert_eq!(layaway.open(), Ok(Money(4950)));
    assert_eq!(prepay(&mut layaway, 4955, 300).unwrap_err().code(), "layaway_overpaid");
    let mut ticket = open(5);
    let decided = ticket.pick_up(&shop().counter(), &layaway, doing(400)).unwrap();
    ticket.accept(decided);
    assert_eq!(ticket.due(), Ok(Money(4950)));
    pay(&mut ticket, 5000, 401);
    let closed = settle(&ticket).unwrap();
    adds_up(&closed);
    assert_eq!((closed.end, closed.moves.len(), closed.tax), (TicketEnd::Sale, 1, Money(1589)));
    let ended = layaway
        .ending(LayawayEnd::PickedUp, Some(closed.ticket), "2026-11-20".parse().unwrap())
        .unwrap();
    layaway.end(&ended);
    assert_eq!(prepay(&mut layaway, 100, 500).unwrap_err().code(), "layaway_ended");
}

#[test]
fn a_layaway_that_is_given_up_or_runs_out_gives_the_money_back_less_a_fee() {
    let (fact, _) = opened();
    let until = fact.keep_until;
    let mut layaway = Layaway::new(fact);
    prepay(&mut layaway, 2000, 100).unwrap();
    let fee = "FEE".parse().unwrap();
    let later = Doing {
        at: days(60),
        ..doing(400)
    };
    let shop = shop();
    let expired = open(5).give_up(&shop.counter(), &layaway, LayawayEnd::Expired, &fee, doing(400));
    assert_eq!(expired.unwrap_err().code(), "not_expired");
    assert_eq!(
        open(5).pick_up(&shop.counter(), &layaway, later).unwrap_err(),
        Refusal::Expired { until }
    );
    for (end, doing) in [(LayawayEnd::Cancelled, doing(400)), (LayawayEnd::Expired, later)] {
        let mut ticket = open(5);
        let decided = ticket.give_up(&shop.counter(), &layaway, end, &fee, doing).unwrap();
        ticket.accept(decided);
        let cash = ticket.refund_cash(None, doing).unwrap();
        ticket.apply(Event::TenderTaken(cash));
        let closed = settle(&ticket).unwrap();
        adds_up(&closed);
        assert_eq!((closed.end, closed.due), (TicketEnd::Return, Money(995 - 2000)));
        let ended = layaway.ending(end, Some(closed.ticket), shop.counter().day(doing.at)).unwrap();
        assert_eq!((ended.fee, ended.release.len()), (Money(995), 1));
    }
    let unpaid = layaway.ending(LayawayEnd::Cancelled, None, until);
    assert_eq!(unpaid.unwrap_err().code(), "refund_first");
}

use crate::ticket::change::Doing;
