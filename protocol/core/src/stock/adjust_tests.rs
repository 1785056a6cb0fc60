//! Stories of putting the books right, from inside and from elsewhere.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::adjust::{Adjustment, Edit, EditLine, StockRequest};
use super::reserve::{Purpose, Wish};
use super::shop_for_tests::*;
use super::{Mark, ReasonCode, Refusal};
use crate::facts::{Crossing, StockFact};
use crate::ids::{CommandId, ReservationId, StockRequestId};
use crate::money::{Money, Quantity};

fn reasons() -> BTreeSet<ReasonCode> {
    ["stolen", "own_use", "broken"].map(|word| word.parse().unwrap()).into()
}

fn adjustment(reason: &str, lines: &[(&str, Edit)]) -> Adjustment {
    let line = |(of, edit): &(&str, Edit)| EditLine {
        sku: sku(of),
        edit: *edit,
        cost: None,
        units: vec![],
    };
    Adjustment {
        adjustment: CommandId(id(1)),
        by: anna(),
        reason: reason.parse().unwrap(),
        lines: lines.iter().map(line).collect(),
    }
}

impl Shop {
    fn adjust(&mut self, reason: &str, lines: &[(&str, Edit)]) -> Result<(), Refusal> {
        let fact = self.room.adjust(&adjustment(reason, lines), &reasons(), &self.items)?;
        self.stock(StockFact::StockAdjusted(fact));
        Ok(())
    }

    fn ask(&mut self, number: u128, of: &str, delta: i64, base: Mark) -> Result<String, Refusal> {
        let request = StockRequest {
            request: StockRequestId(id(number)),
            answer: CommandId(id(number + 1000)),
            sku: sku(of),
            delta: pieces(delta),
            reason: "own_use".parse().unwrap(),
            base,
        };
        let fact = self.room.answer(&request, &reasons(), minute(0), &self.items)?;
        let answer = match &fact {
            StockFact::StockRequestRefused(refused) => refused.code.clone(),
            _ => "accepted".into(),
        };
        self.stock(fact);
        Ok(answer)
    }
}

#[test]
fn goods_go_into_the_damaged_out_of_them_and_back_to_the_supplier() {
    let mut shop = Shop::with(&[("MUG", 10)]);
    shop.adjust("broken", &[("MUG", Edit::Damaged(pieces(4)))]).unwrap();
    shop.adjust("broken", &[("MUG", Edit::Mended(pieces(1))), ("MUG", Edit::Scrapped(pieces(1)))])
        .unwrap();
    shop.adjust(
        "broken",
        &[("MUG", Edit::DamagedToVendor(pieces(1))), ("MUG", Edit::ToVendor(pieces(2)))],
    )
    .unwrap();
    let position = shop.room.position(&sku("MUG"), minute(0));
    assert_eq!((position.on_hand, position.damaged), (pieces(5), pieces(1)));
    let too_many = shop.adjust("broken", &[("MUG", Edit::Mended(pieces(2)))]).unwrap_err();
    assert_eq!(
        too_many.to_string(),
        "2 of item MUG are more than the 1 that are damaged; mend at most those"
    );
}

#[test]
fn an_adjustment_needs_a_reason_from_the_list_a_change_and_goods_to_take() {
    let mut shop = Shop::with(&[("MUG", 3)]);
    for (reason, edit, code) in [
        ("felt_like_it", Edit::By(pieces(1)), "unknown_reason"),
        ("stolen", Edit::By(pieces(0)), "nothing_changes"),
        ("stolen", Edit::Counted(pieces(3)), "nothing_changes"),
        ("stolen", Edit::Counted(pieces(-1)), "quantity"),
        ("stolen", Edit::By(pieces(-4)), "would_go_negative"),
        ("stolen", Edit::ToVendor(pieces(4)), "would_go_negative"),
        ("stolen", Edit::By(Quantity(i64::MIN)), "quantity"),
    ] {
        assert_eq!(shop.adjust(reason, &[("MUG", edit)]).unwrap_err().code(), code, "{edit:?}");
    }
    let twice = [("MUG", Edit::By(pieces(-2))), ("MUG", Edit::By(pieces(-2)))];
    assert_eq!(
        shop.adjust("stolen", &twice).unwrap_err().code(),
        "would_go_negative",
        "two lines count together"
    );
    assert_eq!(shop.on_hand("MUG"), 3);
}

#[test]
fn a_count_of_one_item_says_what_is_really_there_even_below_nothing() {
    let mut shop = Shop::with(&[("TEE", 1)]);
    shop.sell("TEE", 3, vec![]);
    assert!(shop.room.stock().held(&sku("TEE")).is_negative());
    shop.adjust("own_use", &[("TEE", Edit::Counted(pieces(2)))]).unwrap();
    assert_eq!(shop.on_hand("TEE"), 2);
}

#[test]
fn a_request_is_accepted_over_sales_and_refused_over_a_correction() {
    let mut shop = Shop::with(&[("MUG", 10)]);
    let seen = shop.mark();
    shop.sell("MUG", 2, vec![]);
    assert_eq!(shop.ask(1, "MUG", -1, seen).unwrap(), "accepted");
    assert_eq!(shop.on_hand("MUG"), 7);
    assert_eq!(
        shop.ask(2, "MUG", -1, seen).unwrap(),
        "stale_base",
        "the first request was a correction"
    );
    let now = shop.mark();
    assert_eq!(shop.ask(3, "MUG", -1, now).unwrap(), "accepted");
    assert_eq!(shop.on_hand("MUG"), 6);
}

#[test]
fn a_request_is_answered_once_and_refused_with_why() {
    let mut shop = Shop::with(&[("MUG", 3)]);
    let wish = Wish {
        reservation: ReservationId(id(9)),
        purpose: Purpose::Order,
        lines: vec![portion("MUG", 2)],
        until: None,
    };
    let held = shop.room.reserve(&wish, minute(0), &shop.items).unwrap();
    shop.stock(StockFact::StockReserved(held));
    let base = shop.mark();
    let ahead = Mark {
        seq: crate::journal::Seq(99),
        ..base
    };
    assert_eq!(shop.ask(1, "HAT", 1, base).unwrap(), "unknown_item");
    assert_eq!(shop.ask(1, "HAT", 1, base).unwrap_err().code(), "request_answered");
    assert_eq!(shop.ask(2, "MUG", 1, ahead).unwrap(), "base_ahead");
    assert_eq!(shop.ask(3, "MUG", -4, base).unwrap(), "would_go_negative");
    assert_eq!(shop.ask(4, "MUG", -2, base).unwrap(), "would_break_promise");
    assert_eq!(shop.ask(5, "MUG", -1, base).unwrap(), "accepted");
    assert_eq!(shop.ask(5, "MUG", -1, base).unwrap_err().code(), "request_answered");
    assert_eq!(shop.on_hand("MUG"), 2);
}

#[test]
fn running_low_is_told_once_for_each_fall() {
    let mut shop = Shop::with(&[("MUG", 5)]);
    let mut told = Vec::new();
    for count in [1, 1, 1, 1, -3, 0, 2, 1, 1] {
        if count != 0 {
            shop.sell("MUG", count, vec![]);
        }
        if let Some(crossed) = shop.room.crossing(&sku("MUG"), pieces(3)) {
            told.push((crossed.crossing, crossed.on_hand.0 / 1000));
            shop.stock(StockFact::StockCrossed(crossed));
        }
        assert_eq!(
            shop.folded_again().crossing(&sku("MUG"), pieces(3)),
            None,
            "a restart tells nothing again"
        );
    }
    assert_eq!(told, vec![(Crossing::Down, 3), (Crossing::Up, 4), (Crossing::Down, 2)]);
}

#[test]
fn what_is_added_with_a_cost_counts_in_the_average() {
    let mut shop = Shop::new("berlin");
    let mut wanted = adjustment("own_use", &[("MUG", Edit::By(pieces(4)))]);
    wanted.lines[0].cost = Some(Money(1000));
    let fact = shop.room.adjust(&wanted, &reasons(), &shop.items).unwrap();
    shop.stock(StockFact::StockAdjusted(fact));
    shop.sell("MUG", 1, vec![]);
    assert_eq!(shop.value("MUG"), Money(750));
    wanted.lines[0].cost = Some(Money(-1));
    assert_eq!(shop.room.adjust(&wanted, &reasons(), &shop.items).unwrap_err().code(), "cost");
}

proptest! {
    #[test]
    fn absurd_edits_are_refused_not_a_panic(quantities in prop::collection::vec((0u8..7, any::<i64>()), 1..6)) {
        let shop = Shop::with(&[("MUG", 3)]);
        let edits: Vec<_> = quantities.into_iter().map(|(which, quantity)| {
            let make = [Edit::By, Edit::Counted, Edit::Damaged, Edit::Mended, Edit::Scrapped, Edit::ToVendor, Edit::DamagedToVendor];
            ("MUG", make[usize::from(which)](Quantity(quantity)))
        }).collect();
        let _ = shop.room.adjust(&adjustment("stolen", &edits), &reasons(), &shop.items);
    }
}
