//! Laws of the fold: a state of the past is the fold of what was written until then.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::facts::{
    CardEnd, CardEnded, CashMove, CashMoved, PriceDirected, RegisterEnrolled, ShiftOpened, SignedIn, StockOpened, Tender, TenderTaken,
};
use crate::ids::{ShiftId, TicketId};
use crate::journal::Hash;
use crate::journal::tests::header;
use crate::money::Quantity;
use crate::stock::{MoveReason, StockMove};

fn at(second: i64) -> Instant {
    Instant::from_micros(second * 1_000_000).unwrap()
}

fn fact(which: u8, number: i64) -> Option<Fact> {
    let (register, till) = ("r1".parse().unwrap(), "t1".parse().unwrap());
    let sku: Sku = ["MUG", "TEE"][number as usize % 2].parse().unwrap();
    let ask = CommandId(Uuid::from_u128(number as u128 % 4));
    let (ticket, terminal) = (TicketId(Uuid::nil()), "term".parse().unwrap());
    Some(match which {
        0 => Fact::StockOpened(StockOpened {
            moves: vec![StockMove::new(sku, Quantity(number * 1_000), MoveReason::Opening)],
        }),
        1 => Fact::ShiftOpened(ShiftOpened {
            shift: ShiftId(Uuid::from_u128(number as u128)),
            till,
            register,
            float: Money(number),
            foreign: Vec::new(),
            left: Vec::new(),
            staff: None,
        }),
        2 => Fact::CashMoved(CashMoved {
            shift: ShiftId(Uuid::nil()),
            till,
            kind: CashMove::PaidIn,
            amount: Money(number),
            reason: "change".into(),
        }),
        3 => Fact::RegisterEnrolled(RegisterEnrolled { register, till }),
        4 => Fact::SignedIn(SignedIn {
            register,
            staff: "s101".parse().unwrap(),
            session: number as u64,
        }),
        5 => Fact::CardAsked(CardAsked {
            ask,
            ticket,
            register,
            till,
            terminal,
            amount: Money(number),
            settle: true,
            tip: Money::ZERO,
        }),
        6 => Fact::CardEnded(CardEnded {
            ask,
            ticket,
            terminal,
            end: CardEnd::Declined,
            attempt: None,
            why: "no".into(),
        }),
        7 => Fact::TenderTaken(TenderTaken {
            ticket,
            tender: Tender::cash(ask, at(0), Money(number)),
        }),
        8 => Fact::PriceDirected(PriceDirected {
            directive: number as u64,
            change: PriceChange {
                sku,
                price: Money(number),
                currency: "EUR".parse().unwrap(),
                effective_at: at(number),
            },
        }),
        _ => return None,
    })
}

fn journal(steps: &[(u8, i64, i64)]) -> Vec<Recorded> {
    let mut now = 0;
    let record = |(index, (which, number, later)): (usize, &(u8, i64, i64))| {
        now += later;
        let mut header = header(index as u64 + 1, Hash::ZERO);
        header.at = at(now);
        Recorded {
            header,
            fact: fact(*which, *number),
        }
    };
    steps.iter().enumerate().map(record).collect()
}

#[test]
fn what_was_true_at_noon_is_told_in_the_evening() {
    let steps = [
        (3, 0, 1),
        (4, 7, 1),
        (0, 2, 1),
        (1, 100, 1),
        (5, 1, 1),
        (2, 50, 1),
        (6, 1, 1),
        (9, 0, 1),
    ];
    let entries = journal(&steps);
    let noon = as_of(&entries, at(5)).unwrap();
    let evening = replay(&entries).unwrap();
    let (mug, till) = ("MUG".parse().unwrap(), "t1".parse().unwrap());
    assert_eq!(noon.stock.on_hand(&mug), Quantity(2_000));
    assert_eq!(noon.people.at("r1".parse().unwrap()).unwrap().1, 7);
    assert_eq!((noon.cards.open().count(), evening.cards.open().count()), (1, 0));
    let drawer = |state: &State| state.tills.get(till).unwrap().shift.as_ref().unwrap().expected().unwrap();
    assert_eq!((drawer(&noon), drawer(&evening)), (Money(100), Money(150)));
    assert_eq!(
        (noon.unknown, evening.unknown),
        (0, 1),
        "an entry of a newer kind is carried, not understood"
    );
}

#[test]
fn a_price_counts_from_its_instant_and_the_later_order_wins() {
    let entries = journal(&[(8, 10, 1), (8, 30, 1), (8, 20, 1)]);
    let prices = replay(&entries).unwrap().prices;
    let mug = "MUG".parse().unwrap();
    let price = |second| prices.ordered(&mug, at(second)).map(|(price, _)| price.0);
    assert_eq!([price(9), price(10), price(25), price(30)], [None, Some(10), Some(20), Some(30)]);
}

#[test]
fn figures_beyond_any_shop_are_refused_with_their_place() {
    let entries = journal(&[(1, 1, 1), (2, i64::MAX, 1), (2, i64::MAX, 1)]);
    let refused = replay(&entries).unwrap_err();
    assert_eq!((refused.seq, refused.room), (Seq(3), "tills"));
}

proptest! {
    #[test]
    fn the_state_of_an_instant_is_the_fold_of_what_was_written_until_then(
        steps in prop::collection::vec((0..11u8, 0..40i64, 0..3i64), 0..60),
        second in 0..90i64,
    ) {
        let entries = journal(&steps);
        let until = entries.iter().filter(|entry| entry.header.at <= at(second)).count();
        prop_assert_eq!(as_of(&entries, at(second)), replay(&entries[..until]));
        // And going on from there gives the state of today.
        let mut state = as_of(&entries, at(second)).unwrap();
        for entry in &entries[until..] {
            state.take(entry).unwrap();
        }
        prop_assert_eq!(state, replay(&entries).unwrap());
    }
}
