//! Stories of goods between two stores.

use super::Refusal;
use super::shop_for_tests::*;
use super::transfer::{Arrival, ArrivalLine, Dispatch, DispatchLine, Transfers};
use crate::facts::{Fact, StockFact, TransferDispatched};
use crate::ids::{DeliveryId, TransferId};
use crate::money::{Money, Quantity};

pub const TRANSFER: u128 = 40;

pub fn dispatch(number: u128, to: &str, lines: &[(&str, i64)]) -> Dispatch {
    let line = |(of, count): &(&str, i64)| DispatchLine {
        sku: sku(of),
        quantity: pieces(*count),
        units: vec![],
    };
    Dispatch {
        transfer: TransferId(id(number)),
        to: to.parse().unwrap(),
        by: anna(),
        lines: lines.iter().map(line).collect(),
    }
}

pub fn arrival(number: u128, delivery: u128, from: &str, lines: &[(&str, i64, i64)]) -> Arrival {
    let line = |(of, arrived, damaged): &(&str, i64, i64)| ArrivalLine {
        sku: sku(of),
        arrived: pieces(*arrived),
        damaged: pieces(*damaged),
        units: vec![],
        damaged_units: vec![],
    };
    Arrival {
        transfer: TransferId(id(number)),
        delivery: DeliveryId(id(delivery)),
        from: from.parse().unwrap(),
        by: ben(),
        lines: lines.iter().map(line).collect(),
    }
}

impl Shop {
    pub fn dispatch(&mut self, wanted: &Dispatch) -> Result<TransferDispatched, Refusal> {
        let fact = self.room.dispatch(wanted, minute(0), &self.items)?;
        self.stock(StockFact::TransferDispatched(fact.clone()));
        Ok(fact)
    }

    pub fn arrive(&mut self, came: &Arrival) -> Result<(), Refusal> {
        let fact = self.room.arrive(came, &self.items)?;
        self.stock(StockFact::TransferReceived(fact));
        Ok(())
    }
}

fn two_stores() -> (Shop, Shop) {
    let mut hamburg = Shop::new("hamburg");
    hamburg.open(&[("MUG", 1)]);
    (Shop::with(&[("MUG", 10), ("TEE", 5)]), hamburg)
}

/// What head office knows: both sides, in this order.
fn at_head_office(facts: &[&Fact]) -> Transfers {
    let mut transfers = Transfers::default();
    for fact in facts {
        if let Fact::Stock(fact) = fact {
            transfers.apply(fact);
        }
    }
    transfers
}

#[test]
fn goods_leave_one_store_travel_once_and_come_to_the_other() {
    let (mut berlin, mut hamburg) = two_stores();
    let sent = berlin.dispatch(&dispatch(TRANSFER, "hamburg", &[("MUG", 4)])).unwrap();
    hamburg.room.announce(&sent);
    assert_eq!(berlin.on_hand("MUG"), 6);
    assert_eq!(hamburg.room.position(&sku("MUG"), minute(0)).in_transit, pieces(4));
    hamburg.arrive(&arrival(TRANSFER, 1, "berlin", &[("MUG", 3, 1)])).unwrap();
    let position = hamburg.room.position(&sku("MUG"), minute(0));
    assert_eq!(
        (position.on_hand, position.damaged, position.in_transit),
        (pieces(3), pieces(1), pieces(1))
    );
    let parcel = *hamburg
        .room
        .transfers()
        .parcels(TransferId(id(TRANSFER)), berlin.store())
        .next()
        .unwrap()
        .1;
    assert_eq!((parcel.over(), parcel.damaged), (pieces(-1), pieces(1)), "one short, one damaged");
    let closed = hamburg
        .room
        .close_transfer(TransferId(id(TRANSFER)), berlin.store(), ben())
        .unwrap();
    assert_eq!((closed.lost.len(), closed.lost[0].quantity), (1, pieces(1)));
    hamburg.stock(StockFact::TransferClosed(closed));
    assert_eq!(hamburg.room.position(&sku("MUG"), minute(0)).in_transit, pieces(0));
    let late = hamburg.arrive(&arrival(TRANSFER, 2, "berlin", &[("MUG", 1, 0)])).unwrap_err();
    assert_eq!(late.code(), "transfer_closed");
}

#[test]
fn a_receipt_before_its_dispatch_is_booked_and_shown_as_negative_in_transit() {
    let (mut berlin, mut hamburg) = two_stores();
    hamburg.arrive(&arrival(TRANSFER, 1, "berlin", &[("MUG", 4, 0)])).unwrap();
    assert_eq!(hamburg.on_hand("MUG"), 5);
    assert_eq!(hamburg.room.position(&sku("MUG"), minute(0)).in_transit, pieces(-4));
    let hamburgs: Vec<_> = hamburg.room.transfers().negative().map(|(_, sku, _)| sku.clone()).collect();
    assert_eq!(hamburgs, vec![sku("MUG")]);
    let unknown = hamburg
        .room
        .close_transfer(TransferId(id(TRANSFER)), berlin.store(), ben())
        .unwrap_err();
    assert_eq!(unknown.code(), "transfer_unknown");

    let sent = berlin.dispatch(&dispatch(TRANSFER, "hamburg", &[("MUG", 4)])).unwrap();
    hamburg.room.announce(&sent);
    assert_eq!(hamburg.room.position(&sku("MUG"), minute(0)).in_transit, pieces(0));
    assert_eq!(hamburg.room.transfers().negative().count(), 0);
}

#[test]
fn head_office_counts_what_is_on_its_way_once_in_any_order_and_however_often_it_hears_of_it() {
    let (mut berlin, mut hamburg) = two_stores();
    berlin.dispatch(&dispatch(TRANSFER, "hamburg", &[("MUG", 4)])).unwrap();
    hamburg.arrive(&arrival(TRANSFER, 1, "berlin", &[("MUG", 3, 0)])).unwrap();
    let (sent, came) = (berlin.facts.last().unwrap(), hamburg.facts.last().unwrap());
    for order in [vec![sent, came], vec![came, sent], vec![came, sent, came, sent]] {
        assert_eq!(at_head_office(&order).in_transit(&sku("MUG")), pieces(1));
    }
}

#[test]
fn goods_arrive_at_what_they_cost_to_the_cent_over_part_deliveries_and_losses() {
    let (mut berlin, mut hamburg) = (Shop::new("berlin"), Shop::new("hamburg"));
    let mut opening = super::StockMove::new(sku("MUG"), pieces(3), super::MoveReason::Opening);
    opening.cost = Some(Money(100));
    berlin.write(Fact::StockOpened(crate::facts::StockOpened { moves: vec![opening] }));
    let sent = berlin.dispatch(&dispatch(TRANSFER, "hamburg", &[("MUG", 3)])).unwrap();
    assert_eq!(sent.moves[0].cost, Some(Money(100)));
    hamburg.room.announce(&sent);
    hamburg.arrive(&arrival(TRANSFER, 1, "berlin", &[("MUG", 1, 0)])).unwrap();
    assert_eq!(hamburg.value("MUG"), Money(33));
    hamburg.arrive(&arrival(TRANSFER, 2, "berlin", &[("MUG", 1, 0)])).unwrap();
    assert_eq!(hamburg.value("MUG"), Money(66));
    let closed = hamburg
        .room
        .close_transfer(TransferId(id(TRANSFER)), berlin.store(), ben())
        .unwrap();
    assert_eq!(closed.lost[0].cost, Some(Money(34)));
}

#[test]
fn a_transfer_that_can_not_be_is_refused_by_name() {
    let (mut berlin, mut hamburg) = two_stores();
    for (wanted, code) in [
        (dispatch(1, "berlin", &[("MUG", 1)]), "to_itself"),
        (dispatch(1, "hamburg", &[]), "empty"),
        (dispatch(1, "hamburg", &[("HAT", 1)]), "unknown_item"),
        (dispatch(1, "hamburg", &[("MUG", 0)]), "quantity"),
        (dispatch(1, "hamburg", &[("MUG", 6), ("MUG", 5)]), "not_available"),
    ] {
        assert_eq!(berlin.dispatch(&wanted).unwrap_err().code(), code);
    }
    let sent = berlin.dispatch(&dispatch(TRANSFER, "hamburg", &[("MUG", 1)])).unwrap();
    assert_eq!(
        berlin.dispatch(&dispatch(TRANSFER, "hamburg", &[("MUG", 1)])).unwrap_err().code(),
        "transfer_exists"
    );
    hamburg.room.announce(&sent);
    for (came, code) in [
        (arrival(TRANSFER, 1, "hamburg", &[("MUG", 1, 0)]), "to_itself"),
        (arrival(TRANSFER, 1, "munich", &[("MUG", 1, 0)]), "other_origin"),
        (arrival(TRANSFER, 1, "berlin", &[("MUG", 1, 2)]), "damaged_more"),
        (arrival(TRANSFER, 1, "berlin", &[("MUG", -1, 0)]), "quantity"),
    ] {
        assert_eq!(hamburg.arrive(&came).unwrap_err().code(), code);
    }
    let came = arrival(TRANSFER, 1, "berlin", &[("MUG", 1, 0)]);
    hamburg.arrive(&came).unwrap();
    assert_eq!(hamburg.arrive(&came).unwrap_err().code(), "delivery_taken");
    assert_eq!(hamburg.on_hand("MUG"), 2);
}

#[test]
fn a_fact_with_absurd_figures_does_not_stop_head_office() {
    let (mut berlin, _) = two_stores();
    let mut sent = berlin.dispatch(&dispatch(TRANSFER, "hamburg", &[("MUG", 1)])).unwrap();
    sent.moves[0].delta = Quantity(i64::MIN);
    let mut transfers = Transfers::default();
    transfers.apply(&StockFact::TransferDispatched(sent));
    assert_eq!(transfers.in_transit(&sku("MUG")), Quantity(i64::MAX));
}
