//! Stories of counting while the shop sells.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::count::{Approver, CountRules, CountScope, CountStart, Counting, Reading, Verdict, WhyAgain};
use super::shop_for_tests::*;
use super::{Mark, Place, Refusal, Unit};
use crate::catalog::Sku;
use crate::facts::{CountedItem, ShelfCounted, StockFact};
use crate::ids::{CommandId, CountId, StaffId};
use crate::money::Quantity;

const COUNT: u128 = 50;

fn count() -> CountId {
    CountId(id(COUNT))
}

fn rules() -> CountRules {
    CountRules {
        blind: false,
        recount_above: None,
        counters: 1,
        approver: Approver::Anybody,
    }
}

fn place(text: &str) -> Place {
    text.parse().unwrap()
}

impl Shop {
    fn start(&mut self, scope: CountScope, rules: CountRules) -> Result<(), Refusal> {
        let wanted = CountStart {
            count: count(),
            by: anna(),
            scope,
            rules,
        };
        let fact = self.room.start_count(&wanted, &self.items)?;
        self.stock(StockFact::CountStarted(fact));
        Ok(())
    }

    fn counts_at(&mut self, at: Mark, by: StaffId, in_place: &str, of: &str, pieces_seen: i64) -> Result<(), Refusal> {
        let reading = Reading {
            sku: sku(of),
            counted: pieces(pieces_seen),
            in_baskets: Quantity(0),
            at,
        };
        let fact = self.room.enter_count(count(), &place(in_place), by, &[reading], &self.items)?;
        self.stock(StockFact::CountEntered(fact));
        Ok(())
    }

    fn counts(&mut self, by: StaffId, in_place: &str, of: &str, pieces_seen: i64) -> Result<(), Refusal> {
        self.counts_at(self.mark(), by, in_place, of, pieces_seen)
    }

    fn verdict(&self, of: &str) -> Verdict {
        self.room.verdicts(count()).unwrap()[&sku(of)].clone()
    }

    fn close(&mut self, how: Counting) -> Result<Vec<(String, i64)>, Refusal> {
        let fact = self.room.close_count(count(), anna(), how)?;
        let proposed = fact
            .proposed
            .iter()
            .map(|line| (line.sku.to_string(), (line.counted.0 - line.on_hand.0) / 1000));
        let proposed = proposed.collect();
        self.stock(StockFact::CountEnded(fact));
        Ok(proposed)
    }

    fn approve(&mut self, by: StaffId, chosen: &[&str]) -> Result<(), Refusal> {
        let chosen: BTreeMap<Sku, Vec<Unit>> = chosen.iter().map(|of| (sku(of), vec![])).collect();
        let fact = self.room.approve_count(count(), by, &chosen, &self.items)?;
        self.stock(StockFact::CountApproved(fact));
        Ok(())
    }
}

#[test]
fn what_is_sold_before_and_after_an_item_is_counted_makes_no_difference() {
    let mut shop = Shop::with(&[("MUG", 10), ("TEE", 10)]);
    shop.start(CountScope::Everything, rules()).unwrap();
    shop.sell("MUG", 2, vec![]);
    // One mug was stolen: seven are there, eight are on the books.
    shop.counts(anna(), "shelf", "MUG", 7).unwrap();
    shop.sell("MUG", 3, vec![]);
    assert_eq!(shop.close(Counting::Finish).unwrap(), vec![("MUG".into(), -1)]);
    shop.sell("MUG", 1, vec![]);
    assert_eq!(shop.on_hand("MUG"), 4, "closing moves nothing");
    shop.approve(ben(), &["MUG"]).unwrap();
    assert_eq!((shop.on_hand("MUG"), shop.on_hand("TEE")), (3, 10), "what nobody counted stays");
    assert_eq!(shop.approve(ben(), &["MUG"]).unwrap_err().code(), "count_over");
}

#[test]
fn a_reader_whose_line_was_cut_tells_later_what_it_counted_then() {
    let mut shop = Shop::with(&[("MUG", 10)]);
    shop.start(CountScope::Everything, rules()).unwrap();
    let then = shop.mark();
    shop.sell("MUG", 4, vec![]);
    shop.counts_at(then, anna(), "shelf", "MUG", 10).unwrap();
    assert_eq!(shop.verdict("MUG"), Verdict::Matches);
    let before = Mark {
        seq: crate::journal::Seq(1),
        ..then
    };
    assert_eq!(
        shop.counts_at(before, anna(), "shelf", "MUG", 10).unwrap_err().code(),
        "counted_when"
    );
}

#[test]
fn goods_in_open_baskets_are_off_the_shelf_and_still_on_the_books() {
    let mut shop = Shop::with(&[("MUG", 10)]);
    shop.start(CountScope::Everything, rules()).unwrap();
    let reading = Reading {
        sku: sku("MUG"),
        counted: pieces(8),
        in_baskets: pieces(2),
        at: shop.mark(),
    };
    let fact = shop
        .room
        .enter_count(count(), &place("shelf"), anna(), &[reading], &shop.items)
        .unwrap();
    shop.stock(StockFact::CountEntered(fact));
    shop.sell("MUG", 2, vec![]);
    assert_eq!(shop.verdict("MUG"), Verdict::Matches);
}

#[test]
fn a_large_difference_is_counted_again_before_it_is_believed() {
    let mut shop = Shop::with(&[("MUG", 10), ("TEE", 10)]);
    let limited = CountRules {
        recount_above: Some(pieces(2)),
        ..rules()
    };
    shop.start(CountScope::Everything, limited).unwrap();
    shop.counts(anna(), "shelf", "MUG", 5).unwrap();
    shop.counts(anna(), "shelf", "TEE", 8).unwrap();
    assert_eq!(shop.verdict("MUG"), Verdict::Again(WhyAgain::AboveLimit));
    assert_eq!(shop.close(Counting::Finish).unwrap_err().code(), "count_unfinished");
    shop.counts(ben(), "shelf", "MUG", 9).unwrap();
    assert_eq!(shop.close(Counting::Finish).unwrap(), vec![("MUG".into(), -1), ("TEE".into(), -2)]);
}

#[test]
fn two_people_must_agree_also_when_something_was_sold_between_their_counts() {
    let mut shop = Shop::with(&[("MUG", 10)]);
    let two = CountRules { counters: 2, ..rules() };
    shop.start(CountScope::Everything, two).unwrap();
    shop.counts(anna(), "shelf", "MUG", 9).unwrap();
    assert_eq!(shop.verdict("MUG"), Verdict::Again(WhyAgain::OneCounter));
    shop.counts(anna(), "shelf", "MUG", 9).unwrap();
    assert_eq!(shop.verdict("MUG"), Verdict::Again(WhyAgain::OneCounter), "one person is not two");
    shop.sell("MUG", 1, vec![]);
    shop.counts(ben(), "shelf", "MUG", 9).unwrap();
    assert_eq!(shop.verdict("MUG"), Verdict::Again(WhyAgain::Disagree));
    shop.counts(ben(), "shelf", "MUG", 8).unwrap();
    assert_eq!(shop.close(Counting::Finish).unwrap(), vec![("MUG".into(), -1)]);
}

#[test]
fn an_item_sold_between_the_countings_of_its_two_places_is_counted_again_not_guessed() {
    let mut shop = Shop::with(&[("MUG", 10)]);
    shop.start(CountScope::Everything, rules()).unwrap();
    shop.counts(anna(), "shelf", "MUG", 6).unwrap();
    shop.sell("MUG", 1, vec![]);
    shop.counts(anna(), "window", "MUG", 3).unwrap();
    assert_eq!(shop.verdict("MUG"), Verdict::Again(WhyAgain::MovedMeanwhile));
    shop.counts(anna(), "shelf", "MUG", 6).unwrap();
    assert_eq!(shop.verdict("MUG"), Verdict::Matches);
}

#[test]
fn nothing_is_concluded_before_each_place_of_a_count_was_looked_at() {
    let mut shop = Shop::with(&[("MUG", 10)]);
    let scope = CountScope::Places(["shelf", "window"].map(place).into());
    shop.start(scope, rules()).unwrap();
    assert_eq!(shop.counts(anna(), "cellar", "MUG", 1).unwrap_err().code(), "place_not_in_count");
    shop.counts(anna(), "shelf", "MUG", 9).unwrap();
    assert_eq!(shop.verdict("MUG"), Verdict::Again(WhyAgain::PlaceMissing));
    let empty = shop.room.enter_count(count(), &place("window"), ben(), &[], &shop.items).unwrap();
    shop.stock(StockFact::CountEntered(empty));
    assert_eq!(shop.close(Counting::Finish).unwrap(), vec![("MUG".into(), -1)]);
}

#[test]
fn a_blind_count_tells_nobody_what_to_find() {
    let mut shop = Shop::with(&[("MUG", 10)]);
    let blind = CountRules { blind: true, ..rules() };
    shop.start(CountScope::Items(BTreeSet::from([sku("MUG")])), blind).unwrap();
    assert_eq!(shop.room.count_expects(count(), &sku("MUG")), Ok(None));
    assert_eq!(shop.room.not_counted(count()), Ok(vec![&sku("MUG")]));
    assert_eq!(shop.counts(anna(), "shelf", "TEE", 1).unwrap_err().code(), "not_in_count");
}

#[test]
fn a_cancelled_count_moves_nothing_and_items_that_were_left_stay() {
    let mut shop = Shop::with(&[("MUG", 10)]);
    let two = CountRules { counters: 2, ..rules() };
    shop.start(CountScope::Everything, two).unwrap();
    shop.counts(anna(), "shelf", "MUG", 1).unwrap();
    assert_eq!(shop.close(Counting::LeaveRest).unwrap(), vec![]);
    let cancelled = shop.room.cancel_count(count(), anna()).unwrap();
    shop.stock(StockFact::CountEnded(cancelled));
    assert_eq!(shop.approve(ben(), &[]).unwrap_err().code(), "count_over");
    assert_eq!(shop.on_hand("MUG"), 10);
}

#[test]
fn only_another_person_approves_and_only_what_nobody_corrected_since() {
    let mut shop = Shop::with(&[("MUG", 10), ("TEE", 10)]);
    let four_eyes = CountRules {
        approver: Approver::NotACounter,
        ..rules()
    };
    shop.start(CountScope::Everything, four_eyes).unwrap();
    shop.counts(anna(), "shelf", "MUG", 9).unwrap();
    shop.counts(anna(), "shelf", "TEE", 9).unwrap();
    assert_eq!(shop.approve(ben(), &["MUG"]).unwrap_err().code(), "count_open");
    shop.close(Counting::Finish).unwrap();
    assert_eq!(shop.approve(anna(), &["MUG"]).unwrap_err().code(), "self_approval");
    let corrected = super::StockMove::new(sku("MUG"), pieces(-1), super::MoveReason::Adjustment);
    shop.stock(StockFact::StockAdjusted(crate::facts::StockAdjusted {
        adjustment: CommandId(id(3)),
        by: Some(ben()),
        reason: "stolen".parse().unwrap(),
        request: None,
        moves: vec![corrected],
    }));
    assert_eq!(shop.approve(ben(), &["MUG", "TEE"]).unwrap_err().code(), "corrected_meanwhile");
    assert_eq!(shop.approve(ben(), &["HAT"]).unwrap_err().code(), "not_proposed");
    shop.approve(ben(), &["TEE"]).unwrap();
    assert_eq!((shop.on_hand("MUG"), shop.on_hand("TEE")), (9, 9));
}

#[test]
fn a_shelf_read_by_radio_feeds_a_count() {
    let mut shop = Shop::with(&[("MUG", 10), ("TEE", 4)]);
    shop.start(CountScope::Items(BTreeSet::from([sku("MUG")])), rules()).unwrap();
    let item = |of: &str, counted| CountedItem {
        sku: sku(of),
        counted,
        on_hand: pieces(0),
    };
    let shelf = ShelfCounted {
        count: CommandId(id(7)),
        place: "shelf".into(),
        readers: vec![],
        tags: 12,
        missing: 0,
        missing_unexplained: 0,
        lines: vec![item("MUG", 9), item("TEE", 3)],
    };
    let fact = shop
        .room
        .enter_shelf(count(), &place("shelf"), anna(), &shelf, shop.mark(), &shop.items)
        .unwrap();
    shop.stock(StockFact::CountEntered(fact));
    assert_eq!(shop.close(Counting::Finish).unwrap(), vec![("MUG".into(), -1)]);
}

#[test]
fn a_count_that_can_not_be_is_refused_by_name() {
    let mut shop = Shop::with(&[("MUG", 10)]);
    let three = CountRules { counters: 3, ..rules() };
    assert_eq!(shop.start(CountScope::Everything, three).unwrap_err().code(), "counters");
    assert_eq!(shop.start(CountScope::Items(BTreeSet::new()), rules()).unwrap_err().code(), "empty");
    assert_eq!(shop.counts(anna(), "shelf", "MUG", 1).unwrap_err().code(), "count_unknown");
    shop.start(CountScope::Everything, rules()).unwrap();
    assert_eq!(shop.start(CountScope::Everything, rules()).unwrap_err().code(), "count_exists");
    assert_eq!(shop.counts(anna(), "shelf", "MUG", -1).unwrap_err().code(), "quantity");
    assert_eq!(shop.counts(anna(), "shelf", "HAT", 1).unwrap_err().code(), "unknown_item");
    let twice = [1, 2].map(|seen| Reading {
        sku: sku("MUG"),
        counted: pieces(seen),
        in_baskets: Quantity(0),
        at: shop.mark(),
    });
    let refused = shop.room.enter_count(count(), &place("shelf"), anna(), &twice, &shop.items);
    assert_eq!(refused.unwrap_err().code(), "counted_twice");
}

proptest! {
    /// The shelf and the books differ by what was stolen or misplaced before the count. Whatever is sold and brought back between the
    /// countings of the items, and however late each reading is handed in, the count proposes exactly that difference, and approving
    /// it makes the books say what is on the shelf.
    #[test]
    fn a_count_finds_exactly_what_differed_while_the_shop_sells(
        errors in prop::collection::vec(-5i64..5, 6),
        steps in prop::collection::vec((0usize..6, -2i64..4, 0u8..4), 1..80),
        late in 0usize..8,
    ) {
        let names: Vec<String> = (0..6).map(|number| format!("ITEM-{number}")).collect();
        let mut shop = Shop::new("berlin");
        shop.items = Rules::of(&names.iter().map(|name| (name.as_str(), Default::default(), Default::default())).collect::<Vec<_>>());
        shop.open(&names.iter().map(|name| (name.as_str(), 100)).collect::<Vec<_>>());
        let mut shelf: Vec<i64> = errors.iter().map(|error| 100 + error).collect();
        shop.start(CountScope::Everything, rules()).unwrap();
        let mut counted = BTreeSet::new();
        // Readings on their way to the box: seen then, told later.
        let mut waiting = Vec::new();
        for (item, sold, counts) in steps {
            if counts == 0 && counted.insert(item) {
                waiting.push((item, shop.mark(), shelf[item]));
            } else if sold != 0 {
                shop.sell(&names[item], sold, vec![]);
                shelf[item] -= sold;
            }
            if waiting.len() > late {
                let (item, at, seen) = waiting.remove(0);
                shop.counts_at(at, anna(), "shelf", &names[item], seen).unwrap();
            }
        }
        for (item, at, seen) in waiting {
            shop.counts_at(at, anna(), "shelf", &names[item], seen).unwrap();
        }
        let proposed = shop.close(Counting::Finish).unwrap();
        let differ: Vec<_> = counted.iter().filter(|item| errors[**item] != 0).map(|item| (names[*item].clone(), errors[*item])).collect();
        prop_assert_eq!(&proposed, &differ);
        shop.sell(&names[0], 1, vec![]);
        shelf[0] -= 1;
        shop.approve(ben(), &proposed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>()).unwrap();
        for (item, name) in names.iter().enumerate() {
            let untouched = if counted.contains(&item) { 0 } else { errors[item] };
            prop_assert_eq!(shop.on_hand(name), shelf[item] - untouched);
        }
    }
}
