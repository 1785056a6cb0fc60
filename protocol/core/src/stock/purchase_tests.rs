//! Stories of the back door.

use super::Refusal;
use super::purchase::{Delivered, OrderPlacement, Receiving, ReceivingLine};
use super::shop_for_tests::*;
use crate::facts::{Carton, CartonLine, OrderLine, StockFact};
use crate::ids::DeliveryId;
use crate::money::{Money, Quantity};

const FIRST_CARTON: &str = "106141412345678908";
const SECOND_CARTON: &str = "006141411234567890";

fn placement() -> OrderPlacement {
    let line = |line, of: &str, count, cost| OrderLine {
        line,
        sku: sku(of),
        quantity: pieces(count),
        cost: Some(Money(cost)),
    };
    let carton = |sscc: &str, line, count| Carton {
        sscc: sscc.parse().unwrap(),
        lines: vec![CartonLine {
            line,
            quantity: pieces(count),
        }],
    };
    OrderPlacement {
        order: "PO-7".parse().unwrap(),
        supplier: "S-12".parse().unwrap(),
        lines: vec![line(1, "MUG", 6, 1000), line(2, "TEE", 4, 2000)],
        cartons: vec![carton(FIRST_CARTON, 1, 6), carton(SECOND_CARTON, 2, 4)],
    }
}

fn receiving(delivery: u128, came: Delivered) -> Receiving {
    Receiving {
        delivery: DeliveryId(id(delivery)),
        order: Some("PO-7".parse().unwrap()),
        by: anna(),
        came,
    }
}

fn line(number: Option<u32>, of: &str, arrived: i64, damaged: i64) -> ReceivingLine {
    ReceivingLine {
        line: number,
        sku: sku(of),
        arrived: pieces(arrived),
        damaged: pieces(damaged),
        cost: None,
        units: vec![],
        damaged_units: vec![],
    }
}

fn cartons(texts: &[&str]) -> Delivered {
    Delivered::Cartons(texts.iter().map(|text| text.parse().unwrap()).collect())
}

impl Shop {
    fn receive(&mut self, wanted: &Receiving) -> Result<(), Refusal> {
        let fact = self.room.receive(wanted, &self.items)?;
        self.stock(StockFact::PurchaseReceived(fact));
        Ok(())
    }
}

fn with_order() -> Shop {
    let mut shop = Shop::new("berlin");
    let ordered = shop.room.expect(&placement(), &shop.items).unwrap();
    shop.stock(StockFact::PurchaseOrdered(ordered));
    shop
}

#[test]
fn parts_of_an_order_add_up_and_what_differs_is_named() {
    let mut shop = with_order();
    shop.receive(&receiving(1, Delivered::Lines(vec![line(Some(1), "MUG", 4, 1)])))
        .unwrap();
    assert_eq!(shop.value("MUG"), Money(499), "four for 6.66, one of them damaged");
    shop.receive(&receiving(
        2,
        Delivered::Lines(vec![line(Some(1), "MUG", 1, 0), line(Some(2), "TEE", 5, 0)]),
    ))
    .unwrap();
    let order = "PO-7".parse().unwrap();
    let lines: Vec<_> = shop
        .room
        .order(&order)
        .map(|(line, state)| (line, state.open(), state.over(), state.damaged))
        .collect();
    assert_eq!(
        lines,
        vec![(1, pieces(1), pieces(0), pieces(1)), (2, pieces(0), pieces(1), pieces(0))]
    );
    let closed = shop.room.close_order(&order, ben()).unwrap();
    assert_eq!(
        closed.short,
        vec![CartonLine {
            line: 1,
            quantity: pieces(1)
        }]
    );
    shop.stock(StockFact::PurchaseClosed(closed));
    let late = shop.receive(&receiving(3, Delivered::InTotal)).unwrap_err();
    assert_eq!(late.to_string(), "order PO-7 is closed; receive without an order");
    assert_eq!((shop.on_hand("MUG"), shop.on_hand("TEE")), (4, 5));
}

#[test]
fn a_whole_order_costs_what_was_agreed_however_it_comes() {
    let mut shop = with_order();
    for delivery in 1..=6 {
        shop.receive(&receiving(delivery, Delivered::Lines(vec![line(Some(1), "MUG", 1, 0)])))
            .unwrap();
    }
    assert_eq!(shop.value("MUG"), Money(1000));
}

#[test]
fn cartons_are_received_unopened_each_once() {
    let mut shop = with_order();
    shop.receive(&receiving(1, cartons(&[FIRST_CARTON]))).unwrap();
    assert_eq!((shop.on_hand("MUG"), shop.on_hand("TEE")), (6, 0));
    let again = shop.receive(&receiving(2, cartons(&[FIRST_CARTON]))).unwrap_err();
    assert_eq!(again.code(), "carton_taken");
    let twice = shop.receive(&receiving(2, cartons(&[SECOND_CARTON, SECOND_CARTON]))).unwrap_err();
    assert_eq!(twice.code(), "carton_taken");
    let unknown = shop.receive(&receiving(2, cartons(&["340123450000000000"]))).unwrap_err();
    assert_eq!(unknown.code(), "carton_unknown");
    shop.receive(&receiving(2, Delivered::InTotal)).unwrap();
    assert_eq!(shop.on_hand("TEE"), 4, "only what was still open");
    assert_eq!(shop.receive(&receiving(3, Delivered::InTotal)).unwrap_err().code(), "nothing_open");
}

#[test]
fn a_delivery_that_was_booked_is_not_booked_again() {
    let mut shop = with_order();
    let came = receiving(1, Delivered::InTotal);
    shop.receive(&came).unwrap();
    assert_eq!(
        shop.receive(&came).unwrap_err().to_string(),
        "delivery 00000000-0000-0000-0000-000000000001 was booked before; there is nothing left to do"
    );
    assert_eq!(shop.on_hand("MUG"), 6);
}

#[test]
fn goods_nobody_ordered_can_be_received_without_an_order() {
    let mut shop = Shop::new("berlin");
    let mut came = receiving(1, Delivered::Lines(vec![line(None, "MUG", 2, 0)]));
    assert_eq!(shop.receive(&came).unwrap_err().code(), "order_unknown");
    came.order = None;
    shop.receive(&came).unwrap();
    assert_eq!(shop.on_hand("MUG"), 2);
}

#[test]
fn an_order_or_a_delivery_that_can_not_be_is_refused_by_name() {
    let mut shop = with_order();
    let expect = |change: fn(&mut OrderPlacement)| {
        let mut wanted = placement();
        wanted.order = "PO-8".parse().unwrap();
        change(&mut wanted);
        shop.room.expect(&wanted, &shop.items).map(drop).map_err(|refusal| refusal.code())
    };
    assert_eq!(expect(|wanted| wanted.order = "PO-7".parse().unwrap()), Err("order_exists"));
    assert_eq!(expect(|wanted| wanted.lines[1].line = 1), Err("line_twice"));
    assert_eq!(expect(|wanted| wanted.lines[0].sku = sku("HAT")), Err("unknown_item"));
    assert_eq!(expect(|wanted| wanted.lines[0].quantity = Quantity(i64::MAX)), Err("quantity"));
    assert_eq!(expect(|wanted| wanted.lines[0].cost = Some(Money(-1))), Err("cost"));
    assert_eq!(expect(|wanted| wanted.cartons[0].lines[0].line = 9), Err("line_unknown"));
    assert_eq!(expect(|wanted| wanted.cartons.swap_remove(0).lines.clear()), Ok(()));
    for (came, code) in [
        (line(Some(9), "MUG", 1, 0), "line_unknown"),
        (line(Some(1), "TEE", 1, 0), "not_on_order"),
        (line(None, "MUG", 1, 0), "not_on_order"),
        (line(Some(1), "MUG", 0, 0), "quantity"),
        (line(Some(1), "MUG", 1, 2), "damaged_more"),
    ] {
        assert_eq!(shop.receive(&receiving(1, Delivered::Lines(vec![came]))).unwrap_err().code(), code);
    }
    assert_eq!(shop.facts.len(), 1);
}
