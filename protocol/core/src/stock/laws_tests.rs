//! The seventh law over two stores: opening + receipts + transfers in - transfers out - sales + returns +- adjustments = on hand, and
//! what is on its way is counted exactly once. Every kind of fact about goods, in any order, against a second calculation.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::adjust::{Adjustment, Edit, EditLine, StockRequest};
use super::purchase::{Delivered, Receiving, ReceivingLine};
use super::reserve::{Purpose, Wish};
use super::shop_for_tests::*;
use super::transfer::Transfers;
use super::transfer_tests::{arrival, dispatch};
use super::{MoveReason, ReasonCode, Refusal};
use crate::facts::{Fact, StockFact};
use crate::ids::{CommandId, DeliveryId, ReservationId, StockRequestId, TransferId};
use crate::money::{Money, Quantity};

const STORES: [&str; 2] = ["berlin", "hamburg"];
const ITEMS: [&str; 2] = ["MUG", "TEE"];

/// What somebody with a pencil would write: per store, item and reason.
#[derive(Default)]
struct Pencil {
    sums: BTreeMap<(usize, &'static str, MoveReason), i64>,
    /// Per transfer and the store it came from.
    sent: BTreeMap<((u128, usize), &'static str), i64>,
    came: BTreeMap<((u128, usize), &'static str), i64>,
    given_up: BTreeSet<(u128, usize)>,
    damaged: BTreeMap<(usize, &'static str), i64>,
}

impl Pencil {
    fn note(&mut self, store: usize, of: &'static str, reason: MoveReason, count: i64) {
        *self.sums.entry((store, of, reason)).or_default() += count;
        if reason == MoveReason::Damage {
            *self.damaged.entry((store, of)).or_default() -= count;
        }
    }

    fn on_hand(&self, store: usize, of: &str) -> i64 {
        let own = self.sums.iter().filter(|((at, item, _), _)| *at == store && *item == of);
        own.map(|(_, count)| count).sum()
    }

    fn in_transit(&self, of: &str) -> i64 {
        let open = |((transfer, item), _): &(&((u128, usize), &'static str), &i64)| *item == of && !self.given_up.contains(transfer);
        let sum = |all: &BTreeMap<((u128, usize), &'static str), i64>| all.iter().filter(open).map(|(_, count)| count).sum::<i64>();
        sum(&self.sent) - sum(&self.came)
    }
}

struct Chain {
    shops: Vec<Shop>,
    pencil: Pencil,
    next: u128,
    reasons: BTreeSet<ReasonCode>,
}

impl Chain {
    fn step(&mut self, what: u8, at: usize, which: usize, count: i64, other: u128) {
        self.next += 1;
        let (of, number, to) = (ITEMS[which], self.next, 1 - at);
        let transfer = 10_000 + other;
        let shop = &mut self.shops[at];
        match what {
            0 => {
                shop.sell(of, count, vec![]);
                self.pencil.note(at, of, MoveReason::Sale, -count);
            }
            1 => {
                shop.sell(of, -count, vec![]);
                self.pencil.note(at, of, MoveReason::Return, count);
            }
            2 if shop.dispatch(&dispatch(transfer, STORES[to], &[(of, count)])).is_ok() => {
                self.pencil.note(at, of, MoveReason::TransferOut, -count);
                *self.pencil.sent.entry(((transfer, at), of)).or_default() += count;
            }
            3 => {
                let damaged = count / 3;
                let came = arrival(transfer, number, STORES[to], &[(of, count, damaged)]);
                if shop.arrive(&came).is_ok() {
                    self.pencil.note(at, of, MoveReason::TransferIn, count);
                    self.pencil.note(at, of, MoveReason::Damage, -damaged);
                    *self.pencil.came.entry(((transfer, to), of)).or_default() += count;
                    // Head office may hear of it twice.
                    let again = shop.arrive(&came).unwrap_err();
                    assert!(matches!(again, Refusal::DeliveryTaken { .. } | Refusal::TransferClosed { .. }));
                }
            }
            4 => self.tell(at),
            5 => {
                if let Ok(fact) = shop
                    .room
                    .close_transfer(TransferId(id(transfer)), STORES[to].parse().unwrap(), anna())
                {
                    shop.stock(StockFact::TransferClosed(fact));
                    self.pencil.given_up.insert((transfer, to));
                }
            }
            6 => self.receive(at, of, count, number),
            7 => self.adjust(
                at,
                of,
                Edit::By(pieces(if other.is_multiple_of(2) { count } else { -count })),
                number,
            ),
            8 => self.adjust(at, of, Edit::Damaged(pieces(count)), number),
            9 => self.adjust(at, of, Edit::Scrapped(pieces(count)), number),
            10 => self.adjust(at, of, Edit::ToVendor(pieces(count)), number),
            11 => self.ask(at, of, count, number),
            _ => self.reserve(at, of, count, number),
        }
    }

    /// The other store hears of what is on its way.
    fn tell(&mut self, at: usize) {
        let sent: Vec<_> = self.shops[1 - at]
            .facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Stock(StockFact::TransferDispatched(sent)) => Some(sent.clone()),
                _ => None,
            })
            .collect();
        sent.iter().for_each(|sent| self.shops[at].room.announce(sent));
    }

    fn receive(&mut self, at: usize, of: &'static str, count: i64, number: u128) {
        let shop = &mut self.shops[at];
        let line = ReceivingLine {
            line: None,
            sku: sku(of),
            arrived: pieces(count),
            damaged: pieces(0),
            cost: Some(Money(count * 97)),
            units: vec![],
            damaged_units: vec![],
        };
        let wanted = Receiving {
            delivery: DeliveryId(id(number)),
            order: None,
            by: anna(),
            came: Delivered::Lines(vec![line]),
        };
        let fact = shop.room.receive(&wanted, &shop.items).unwrap();
        shop.stock(StockFact::PurchaseReceived(fact));
        self.pencil.note(at, of, MoveReason::Receipt, count);
    }

    fn adjust(&mut self, at: usize, of: &'static str, edit: Edit, number: u128) {
        let shop = &mut self.shops[at];
        let wanted = Adjustment {
            adjustment: CommandId(id(number)),
            by: anna(),
            reason: "counted".parse().unwrap(),
            lines: vec![EditLine {
                sku: sku(of),
                edit,
                cost: None,
                units: vec![],
            }],
        };
        let Ok(fact) = shop.room.adjust(&wanted, &self.reasons, &shop.items) else {
            return;
        };
        shop.stock(StockFact::StockAdjusted(fact));
        match edit {
            Edit::By(delta) => self.pencil.note(at, of, MoveReason::Adjustment, delta.0 / 1000),
            Edit::Damaged(count) => self.pencil.note(at, of, MoveReason::Damage, -count.0 / 1000),
            Edit::ToVendor(count) => self.pencil.note(at, of, MoveReason::ReturnToVendor, -count.0 / 1000),
            Edit::Scrapped(count) => *self.pencil.damaged.entry((at, of)).or_default() -= count.0 / 1000,
            _ => {}
        }
    }

    fn ask(&mut self, at: usize, of: &'static str, count: i64, number: u128) {
        let shop = &mut self.shops[at];
        let request = StockRequest {
            request: StockRequestId(id(number)),
            answer: CommandId(id(number)),
            sku: sku(of),
            delta: pieces(count),
            reason: "counted".parse().unwrap(),
            base: shop.mark(),
        };
        let fact = shop.room.answer(&request, &self.reasons, minute(0), &shop.items).unwrap();
        shop.stock(fact);
        self.pencil.note(at, of, MoveReason::Adjustment, count);
    }

    /// Holds goods: changes nothing that is on hand.
    fn reserve(&mut self, at: usize, of: &str, count: i64, number: u128) {
        let shop = &mut self.shops[at];
        let wish = Wish {
            reservation: ReservationId(id(number)),
            purpose: Purpose::Layaway,
            lines: vec![portion(of, count)],
            until: None,
        };
        if let Ok(fact) = shop.room.reserve(&wish, minute(0), &shop.items) {
            shop.stock(StockFact::StockReserved(fact));
        }
    }

    fn holds(&self) -> Result<(), TestCaseError> {
        for (store, shop) in self.shops.iter().enumerate() {
            let again = shop.folded_again();
            for of in ITEMS {
                let position = shop.room.position(&sku(of), minute(0));
                prop_assert_eq!(shop.on_hand(of), self.pencil.on_hand(store, of));
                let damaged = self.pencil.damaged.get(&(store, of)).copied().unwrap_or_default();
                prop_assert_eq!(position.damaged, pieces(damaged));
                prop_assert_eq!(again.stock(), shop.room.stock());
                if position.on_hand.0 > 0 {
                    prop_assert!(position.value.0 >= 0);
                }
            }
        }
        // Head office hears both stores' facts, here one store after the other and the other way round, and everything twice.
        for order in [[0, 1], [1, 0]] {
            let mut transfers = Transfers::default();
            for store in order.into_iter().chain(order) {
                for fact in &self.shops[store].facts {
                    if let Fact::Stock(fact) = fact {
                        transfers.apply(fact);
                    }
                }
            }
            for of in ITEMS {
                prop_assert_eq!(transfers.in_transit(&sku(of)), pieces(self.pencil.in_transit(of)));
            }
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn the_seventh_law_holds_over_two_stores(steps in prop::collection::vec((0u8..13, 0usize..2, 0usize..2, 1i64..9, 0u128..6), 1..120)) {
        let mut chain = Chain {
            shops: STORES.iter().map(|store| Shop::new(store)).collect(),
            pencil: Pencil::default(),
            next: 100,
            reasons: BTreeSet::from(["counted".parse().unwrap()]),
        };
        for store in 0..2 {
            chain.shops[store].open(&[("MUG", 20), ("TEE", 3)]);
            chain.pencil.note(store, "MUG", MoveReason::Opening, 20);
            chain.pencil.note(store, "TEE", MoveReason::Opening, 3);
        }
        for (what, at, which, count, other) in steps {
            chain.step(what, at, which, count, other);
        }
        chain.holds()?;
    }

    /// A fact whose figures are beyond any shop is refused whole or taken whole, and never stops the fold.
    #[test]
    fn absurd_facts_are_taken_whole_or_refused_whole(deltas in prop::collection::vec((any::<i64>(), 0usize..11, prop::option::of(any::<i64>())), 1..20)) {
        let mut room = super::Stockroom::new("berlin".parse().unwrap());
        for (seq, (delta, reason, cost)) in (1u64..).zip(deltas) {
            let mut moved = super::StockMove::new(sku("MUG"), Quantity(delta), MoveReason::ALL[reason]);
            moved.cost = cost.map(Money);
            let before = room.stock().clone();
            let mark = super::Mark { epoch: crate::journal::Epoch(1), seq: crate::journal::Seq(seq) };
            if room.apply(mark, &ticket(seq, vec![super::StockMove::new(sku("TEE"), Quantity(1), MoveReason::Sale), moved])).is_err() {
                prop_assert_eq!(room.stock(), &before);
            }
        }
    }
}
