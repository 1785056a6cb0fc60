//! Stories of the last piece: who gets it, and how a promise ends.

use proptest::prelude::*;

use super::reserve::{Purpose, ReleaseReason, Wish, take_apart};
use super::shop_for_tests::*;
use super::{Refusal, Stockroom};
use crate::facts::StockFact;
use crate::ids::{ReservationId, TicketId};
use crate::money::Quantity;

fn wish(number: u128, lines: &[(&str, i64)], until: Option<i64>) -> Wish {
    Wish {
        reservation: ReservationId(id(number)),
        purpose: Purpose::WebOrder,
        lines: lines.iter().map(|(of, count)| portion(of, *count)).collect(),
        until: until.map(minute),
    }
}

impl Shop {
    fn reserve(&mut self, wish: &Wish, at: i64) -> Result<(), Refusal> {
        let fact = self.room.reserve(wish, minute(at), &self.items)?;
        self.stock(StockFact::StockReserved(fact));
        Ok(())
    }
}

#[test]
fn of_fifty_wishes_for_the_last_piece_exactly_one_wins() {
    let mut shop = Shop::with(&[("MUG", 1)]);
    let answers: Vec<_> = (0..50).map(|number| shop.reserve(&wish(number, &[("MUG", 1)], None), 0)).collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for answer in &answers[1..] {
        assert_eq!(answer.as_ref().unwrap_err().code(), "not_available");
    }
    assert_eq!(shop.room.position(&sku("MUG"), minute(0)).available, pieces(0));
}

#[test]
fn two_lines_of_one_basket_do_not_share_the_last_piece_and_a_bundle_counts_by_its_parts() {
    let shop = Shop::with(&[("MUG", 3), ("TEE", 9)]);
    let sell = |lines: &[(&str, i64)]| {
        let basket: Vec<_> = lines.iter().map(|(of, count)| portion(of, *count)).collect();
        shop.room.may_sell(&basket, None, minute(0), &shop.items)
    };
    assert_eq!(sell(&[("MUG", 2), ("MUG", 1)]), Ok(vec![]));
    assert_eq!(sell(&[("BREAKFAST", 1), ("MUG", 1)]), Ok(vec![]));
    assert_eq!(
        sell(&[("BREAKFAST", 1), ("MUG", 2)]).unwrap_err().to_string(),
        "4 of item MUG are wanted and 3 are free; take less or another item"
    );
    assert_eq!(sell(&[("LOOP", 1)]).unwrap_err().code(), "bundle_loop");
    assert_eq!(
        sell(&[("TEE", 10)]),
        Ok(vec![sku("TEE")]),
        "this item may be oversold and is flagged"
    );
}

#[test]
fn a_reservation_that_ran_out_frees_itself_and_is_not_used_any_more() {
    let mut shop = Shop::with(&[("MUG", 1)]);
    shop.reserve(&wish(1, &[("MUG", 1)], Some(30)), 0).unwrap();
    assert_eq!(shop.reserve(&wish(2, &[("MUG", 1)], None), 29).unwrap_err().code(), "not_available");
    assert!(shop.room.ran_out(minute(29)).is_empty());
    shop.reserve(&wish(2, &[("MUG", 1)], None), 30).unwrap();
    let first = ReservationId(id(1));
    let late = shop.room.consume(first, TicketId(id(8)), minute(30)).unwrap_err();
    assert_eq!(late.code(), "reservation_expired");
    for released in shop.room.ran_out(minute(31)) {
        shop.stock(StockFact::ReservationReleased(released));
    }
    assert!(shop.room.ran_out(minute(99)).is_empty(), "it is told once");
    assert_eq!(
        shop.room.release(first, ReleaseReason::Cancelled, minute(31)).unwrap_err().code(),
        "reservation_released"
    );
}

#[test]
fn a_reservation_is_used_by_one_sale_exactly_once() {
    let mut shop = Shop::with(&[("MUG", 2)]);
    shop.reserve(&wish(1, &[("MUG", 2)], None), 0).unwrap();
    let (own, ticket) = (ReservationId(id(1)), TicketId(id(70)));
    let basket = [portion("MUG", 2)];
    assert!(
        shop.room.may_sell(&basket, None, minute(1), &shop.items).is_err(),
        "held for somebody else"
    );
    assert_eq!(shop.room.may_sell(&basket, Some(own), minute(1), &shop.items), Ok(vec![]));
    let consumed = shop.room.consume(own, ticket, minute(1)).unwrap();
    shop.stock(StockFact::ReservationConsumed(consumed));
    shop.sell("MUG", 2, vec![]);
    assert_eq!(
        shop.room.consume(own, TicketId(id(71)), minute(2)),
        Err(Refusal::ReservationConsumed { reservation: own, ticket })
    );
    let position = shop.room.position(&sku("MUG"), minute(2));
    assert_eq!((position.reserved, position.available), (pieces(0), pieces(0)));
}

#[test]
fn a_wish_that_makes_no_sense_is_refused_by_name() {
    let mut shop = Shop::with(&[("MUG", 1)]);
    shop.reserve(&wish(1, &[("MUG", 1)], None), 0).unwrap();
    for (wish, code) in [
        (wish(1, &[("TEE", 1)], None), "reservation_exists"),
        (wish(2, &[("TEE", 0)], None), "quantity"),
        (wish(2, &[("TEE", -1)], None), "quantity"),
        (wish(2, &[], None), "empty"),
        (wish(2, &[("HAT", 1)], None), "unknown_item"),
        (wish(2, &[("TEE", 1)], Some(0)), "until_past"),
    ] {
        assert_eq!(shop.reserve(&wish, 0).unwrap_err().code(), code);
    }
    let unknown = shop.room.release(ReservationId(id(5)), ReleaseReason::Cancelled, minute(0));
    assert_eq!(unknown.unwrap_err().code(), "reservation_unknown");
    let early = shop.room.release(ReservationId(id(1)), ReleaseReason::Expired, minute(0));
    assert_eq!(early.unwrap_err().code(), "reservation_stands");
}

fn free(room: &Stockroom, at: i64) -> Quantity {
    room.position(&sku("MUG"), minute(at)).available
}

proptest! {
    /// Whoever comes, goes, buys and lets run out: an item that may not be oversold never is, and what is free is never negative.
    #[test]
    fn an_item_that_may_not_be_oversold_never_is(steps in prop::collection::vec((0u8..4, 1i64..4, 0u128..12, 1i64..20), 1..60)) {
        let mut shop = Shop::with(&[("MUG", 6)]);
        for (now, (what, count, which, lasts)) in (0i64..).zip(steps) {
            let reservation = ReservationId(id(which));
            match what {
                0 => drop(shop.reserve(&wish(which, &[("MUG", count)], Some(now + lasts)), now)),
                1 => if let Ok(fact) = shop.room.release(reservation, ReleaseReason::Cancelled, minute(now)) {
                    shop.stock(StockFact::ReservationReleased(fact));
                },
                2 => if shop.room.may_sell(&[portion("MUG", count)], None, minute(now), &shop.items).is_ok() {
                    shop.sell("MUG", count, vec![]);
                },
                _ => if shop.room.may_sell(&[portion("MUG", count)], Some(reservation), minute(now), &shop.items).is_ok()
                    && let Ok(fact) = shop.room.consume(reservation, TicketId(id(500)), minute(now)) {
                    shop.stock(StockFact::ReservationConsumed(fact));
                    shop.sell("MUG", count, vec![]);
                },
            }
            prop_assert!(free(&shop.room, now) >= Quantity(0));
            prop_assert!(shop.on_hand("MUG") >= 0);
        }
    }

    #[test]
    fn absurd_baskets_are_refused_not_a_panic(lines in prop::collection::vec((0usize..4, any::<i64>()), 0..20)) {
        let names = ["MUG", "BREAKFAST", "LOOP", "HAT"];
        let basket: Vec<_> = lines.iter().map(|(which, count)| super::Portion { sku: sku(names[*which]), quantity: Quantity(*count) }).collect();
        let _ = take_apart(&basket, &goods());
    }
}
