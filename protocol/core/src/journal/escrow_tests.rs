//! Stories of a register that sold without the box.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn grant() -> EscrowGranted {
    EscrowGranted {
        grant: CommandId(Uuid::from_u128(1)),
        register: "r1".parse().unwrap(),
        series: 7,
        sales: 3,
        total: Money(5_000),
        largest: Money(3_000),
        until: at(1_000),
    }
}

fn at(seconds: i64) -> Instant {
    Instant::from_micros(seconds * 1_000_000).unwrap()
}

fn command(number: u128) -> CommandId {
    CommandId(Uuid::from_u128(number))
}

fn sell(log: &mut Log, number: u128, seconds: i64, due: i64) -> Result<EscrowSale, Refusal> {
    let payload = Hash::of(&number.to_be_bytes());
    let sale = log.sell(command(number), TicketId(Uuid::from_u128(number)), at(seconds), Money(due), payload)?;
    log.apply(sale).unwrap();
    Ok(sale)
}

fn granted() -> (Escrows, Log) {
    let mut escrows = Escrows::default();
    let fact = escrows.grant(grant()).unwrap();
    escrows.apply(&fact.into());
    (escrows, Log::new(grant()))
}

#[test]
fn a_log_is_taken_once_and_sales_the_box_has_already_are_not_written_again() {
    let (mut escrows, mut log) = granted();
    let first = sell(&mut log, 10, 1, 1_000).unwrap();
    let second = sell(&mut log, 11, 2, 2_000).unwrap();
    // The answer to the first was lost on the way, but the box had heard it.
    let known = |command: CommandId| (command == first.command).then_some(first.payload);
    let merge = escrows.take(&log.hand_over(), known).unwrap();
    assert_eq!(merge.fresh, vec![second]);
    let EscrowFact::EscrowTaken(taken) = &merge.fact else {
        panic!("{:?}", merge.fact)
    };
    assert_eq!((taken.sales, taken.merged, taken.total), (2, 1, Money(3_000)));
    escrows.apply(&merge.fact.into());
    assert_eq!(escrows.out("r1".parse().unwrap()), None);
    assert_eq!(
        escrows.take(&log.hand_over(), known),
        Err(Refusal::HandedOver { grant: grant().grant })
    );
    sell(&mut log, 12, 3, 10).unwrap();
    assert_eq!(
        escrows.take(&log.hand_over(), known),
        Err(Refusal::OtherLog { grant: grant().grant })
    );
}

#[test]
fn every_limit_is_kept_at_the_register_and_named() {
    let (_, mut log) = granted();
    assert_eq!(sell(&mut log, 10, 1, 3_001).unwrap_err().code(), "escrow_too_large");
    assert_eq!(sell(&mut log, 10, 1_001, 10).unwrap_err().code(), "escrow_expired");
    assert_eq!(sell(&mut log, 10, 1, -1).unwrap_err(), Refusal::NotASale);
    sell(&mut log, 10, 1, 3_000).unwrap();
    assert_eq!(sell(&mut log, 11, 2, 2_001).unwrap_err().code(), "escrow_total");
    let again = sell(&mut log, 10, 1, 3_000).unwrap();
    assert_eq!(again.number, 1, "the same command is the same sale");
    assert_eq!(sell(&mut log, 10, 1, 2_999).unwrap_err().code(), "command_id_reused");
    sell(&mut log, 11, 2, 1_000).unwrap();
    sell(&mut log, 12, 3, 1_000).unwrap();
    assert_eq!(sell(&mut log, 13, 4, 0).unwrap_err(), Refusal::TooMany { sales: 3 });
}

#[test]
fn a_register_holds_one_grant_and_no_series_is_used_twice() {
    let (escrows, log) = granted();
    assert_eq!(escrows.grant(grant()).unwrap_err().code(), "escrow_grant_out");
    let mut after = escrows.clone();
    after.apply(&escrows.take(&log.hand_over(), |_| None).unwrap().fact.into());
    let next = EscrowGranted {
        grant: command(2),
        ..grant()
    };
    assert_eq!(after.grant(next).unwrap_err().code(), "escrow_series_used");
    after.grant(EscrowGranted { series: 8, ..next }).unwrap();
    let absurd = EscrowGranted {
        largest: Money(6_000),
        series: 8,
        ..next
    };
    assert_eq!(after.grant(absurd), Err(Refusal::Limits));
}

#[test]
fn a_log_from_elsewhere_is_refused_and_the_refusal_is_a_fact() {
    let (escrows, mut log) = granted();
    sell(&mut log, 10, 1, 1_000).unwrap();
    let other = HandOver {
        register: "r2".parse().unwrap(),
        ..log.hand_over()
    };
    let refusal = escrows.take(&other, |_| None).unwrap_err();
    assert_eq!(refusal.code(), "escrow_other_register");
    let EscrowFact::EscrowRefused(fact) = Escrows::refused(&other, &refusal) else {
        panic!("no refusal")
    };
    assert_eq!(fact.why, "escrow_other_register");
    let unknown = HandOver {
        grant: command(9),
        ..log.hand_over()
    };
    assert_eq!(escrows.take(&unknown, |_| None).unwrap_err().code(), "escrow_unknown_grant");
    let other_sale = escrows.take(&log.hand_over(), |_| Some(Hash::ZERO));
    assert_eq!(other_sale.unwrap_err().code(), "escrow_other_sale");
}

proptest! {
    /// Whatever is cut, doubled, swapped or changed on the way: taken is only the log as the register wrote it.
    #[test]
    fn a_log_that_was_touched_is_not_taken(touch in 0..7usize, at_sale in 0..3usize) {
        let (escrows, mut log) = granted();
        for number in 10..13 {
            sell(&mut log, number, 1, 1_000).unwrap();
        }
        let whole = log.hand_over();
        prop_assert!(escrows.take(&whole, |_| None).is_ok());
        let mut touched = whole.clone();
        match touch {
            0 => drop(touched.sales.remove(at_sale)),
            1 => touched.sales.insert(at_sale, whole.sales[at_sale]),
            2 => touched.sales.swap(at_sale, (at_sale + 1) % 3),
            3 => touched.sales[at_sale].due = Money(999),
            4 => touched.sales[at_sale].command = command(77),
            5 => touched.sales[at_sale].payload = Hash::ZERO,
            _ => touched.log = Hash::ZERO,
        }
        let refused = escrows.take(&touched, |_| None).unwrap_err();
        prop_assert!(matches!(refused, Refusal::NotALog { .. } | Refusal::Cut | Refusal::TooMany { .. }), "{refused:?}");
    }
}
