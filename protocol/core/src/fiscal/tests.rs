//! A device that may die at any moment, a box that may fall at any moment, and never two signatures of one document.

use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::time::Instant;

fn at(second: i64) -> Instant {
    Instant::from_micros(1_795_000_000_000_000 + second * 1_000_000).unwrap()
}

fn wish(number: u128) -> CommandId {
    CommandId(Uuid::from_u128(number))
}

fn document(number: u128) -> FiscalDocument {
    FiscalDocument::Ticket {
        ticket: TicketId(Uuid::from_u128(number)),
    }
}

fn wanted(desk: &mut Desk, number: u128, series: Series, deadline: Instant) -> Fact {
    let digest = Hash::of(&number.to_be_bytes());
    let wanted = desk.want(wish(number), document(number), series, digest, deadline).unwrap();
    let fact = Fact::Fiscal(FiscalFact::FiscalWanted(wanted));
    desk.apply(&fact);
    fact
}

fn write(desk: &mut Desk, end: FiscalEnded) -> Fact {
    let fact = Fact::Fiscal(FiscalFact::FiscalEnded(end));
    desk.apply(&fact);
    fact
}

/// Asks and answers until nothing is left to do.
fn run(desk: &mut Desk, device: &mut Simulator, now: Instant) -> Vec<Fact> {
    let mut facts = Vec::new();
    loop {
        let next = desk.next(now);
        desk.asks(&next);
        match next {
            Next::Nothing | Next::Wait => return facts,
            Next::End(end) => facts.push(write(desk, end)),
            Next::AskAbove { series, counter } => {
                for end in desk.says(&device.above(series, counter)).ends {
                    facts.push(write(desk, end));
                }
            }
            Next::Sign { series, digest, .. } => {
                let record = device.sign(series, digest);
                let end = desk.signed(&record).unwrap();
                facts.push(write(desk, end));
            }
        }
    }
}

#[test]
fn a_receipt_is_signed_once_and_carries_its_mark() {
    let (mut desk, mut device) = (Desk::new(Profile::Simulator), Simulator::default());
    let fact = wanted(&mut desk, 1, Series::Receipts, at(10));
    assert_eq!(
        (block(Profile::Simulator, &fact).profile, block(Profile::Simulator, &fact).state),
        (1, 1)
    );
    let facts = run(&mut desk, &mut device, at(1));
    let [fact] = &facts[..] else { panic!("{facts:?}") };
    let block = block(Profile::Simulator, fact);
    assert_eq!((block.state, block.counter), (2, 1));
    let record = device.all().next().unwrap();
    assert_eq!(block.signature_hash, record.signature);
    let Fact::Fiscal(FiscalFact::FiscalEnded(ended)) = fact else {
        panic!()
    };
    let mark = format!("{:?}", receipt_rows(Some(&ended.end)));
    assert!(
        mark.contains("signature 1") && mark.contains(&record.signature.to_string()),
        "{mark}"
    );
    assert!(run(&mut desk, &mut device, at(2)).is_empty());
}

#[test]
fn a_shop_without_a_device_waits_for_none() {
    let desk = Desk::new(Profile::None);
    assert_eq!(desk.want(wish(1), document(1), Series::Receipts, Hash::ZERO, at(1)), None);
    assert_eq!(desk.next(at(9)), Next::Nothing);
    assert!(receipt_rows(None).is_empty());
}

#[test]
fn after_a_fall_the_device_is_asked_what_it_signed_before_it_signs_again() {
    let mut device = Simulator::default();
    let mut desk = Desk::new(Profile::Simulator);
    let fact = wanted(&mut desk, 1, Series::Receipts, at(10));
    // The device signed; the box fell before it could write that down.
    device.sign(Series::Receipts, Hash::of(&1u128.to_be_bytes()));
    let mut desk = Desk::new(Profile::Simulator);
    desk.apply(&fact);
    desk.started();
    assert_eq!(
        desk.next(at(1)),
        Next::AskAbove {
            series: Series::Receipts,
            counter: 0
        }
    );
    let facts = run(&mut desk, &mut device, at(1));
    assert_eq!(block(Profile::Simulator, &facts[0]).counter, 1);
    assert_eq!(device.all().count(), 1);
}

#[test]
fn a_device_that_is_silent_past_the_deadline_leaves_a_marked_receipt_and_the_truth_comes_later() {
    for (signed, state) in [(true, 2), (false, 3)] {
        let (mut desk, mut device) = (Desk::new(Profile::Simulator), Simulator::default());
        wanted(&mut desk, 1, Series::Receipts, at(10));
        let next = desk.next(at(1));
        desk.asks(&next);
        desk.says(&device.above(Series::Receipts, 0));
        let next = desk.next(at(1));
        assert!(matches!(next, Next::Sign { .. }));
        desk.asks(&next);
        assert_eq!(desk.next(at(9)), Next::Wait);
        let Next::End(end) = desk.next(at(10)) else {
            panic!("the deadline is over")
        };
        assert_eq!(end.end, FiscalEnd::Unknown);
        assert!(format!("{:?}", receipt_rows(Some(&end.end))).contains("NOT CONFIRMED"));
        write(&mut desk, end);
        if signed {
            device.sign(Series::Receipts, Hash::of(&1u128.to_be_bytes()));
        }
        let facts = run(&mut desk, &mut device, at(20));
        assert_eq!(block(Profile::Simulator, &facts[0]).state, state);
        assert_eq!(device.all().count(), usize::from(signed));
        assert_eq!(desk.waiting().count(), 0);
    }
}

#[test]
fn a_device_nobody_could_reach_surely_failed() {
    let mut desk = Desk::new(Profile::Simulator);
    wanted(&mut desk, 1, Series::Receipts, at(10));
    let next = desk.next(at(1));
    desk.asks(&next);
    desk.lost();
    let Next::End(end) = desk.next(at(10)) else {
        panic!("the deadline is over")
    };
    assert!(matches!(end.end, FiscalEnd::DeviceFailed { .. }) && end.end.is_final());
    assert!(format!("{:?}", receipt_rows(Some(&end.end))).contains("FAILED"));
}

#[test]
fn a_device_that_says_no_marks_the_receipt_at_once() {
    let (mut desk, device) = (Desk::new(Profile::Simulator), Simulator::default());
    wanted(&mut desk, 1, Series::Receipts, at(10));
    let next = desk.next(at(1));
    desk.asks(&next);
    desk.says(&device.above(Series::Receipts, 0));
    let next = desk.next(at(1));
    desk.asks(&next);
    let end = desk.refused("certificate over").unwrap();
    write(&mut desk, end);
    assert_eq!(desk.next(at(1)), Next::Nothing);
}

#[test]
fn a_signature_nobody_wanted_is_shown_to_a_person() {
    let (mut desk, mut device) = (Desk::new(Profile::Simulator), Simulator::default());
    device.sign(Series::Receipts, Hash::of(b"somebody else"));
    wanted(&mut desk, 1, Series::Receipts, at(10));
    let next = desk.next(at(1));
    desk.asks(&next);
    let answer = desk.says(&device.above(Series::Receipts, 0));
    assert_eq!((answer.ends.len(), answer.strangers.len()), (0, 1));
    run(&mut desk, &mut device, at(1));
    assert_eq!(device.all().count(), 2);
}

#[test]
fn practice_and_offers_have_series_of_their_own() {
    for series in Series::ALL {
        let number = series.number(7).unwrap();
        assert_eq!(Series::of(number), Some(series));
    }
    assert_eq!(Series::Receipts.number(7), Some(7));
    assert_eq!(Series::Training.number(7), Some(1_000_000_007));
    assert_eq!(Series::Training.number(u32::MAX), None);
    let (mut desk, mut device) = (Desk::new(Profile::Simulator), Simulator::default());
    for (number, series) in [Series::Receipts, Series::Training, Series::Receipts].into_iter().enumerate() {
        wanted(&mut desk, number as u128, series, at(10));
    }
    run(&mut desk, &mut device, at(1));
    let counters: Vec<_> = device.all().map(|record| (record.series, record.counter)).collect();
    assert_eq!(counters, [(Series::Receipts, 1), (Series::Receipts, 2), (Series::Training, 1)]);
    assert!(format!("{:?}", heading_rows(Series::Training)).contains("TRAINING"));
    assert!(heading_rows(Series::Receipts).is_empty());
}

#[test]
fn a_changed_signature_is_named() {
    let mut device = Simulator::default();
    for number in 0..5u8 {
        device.sign(Series::Receipts, Hash::of(&[number]));
    }
    let mut records = device.above(Series::Receipts, 0);
    assert_eq!(verify(&records), Ok(()));
    records[2].digest = Hash::of(b"other goods");
    assert_eq!(verify(&records), Err(ChainError { counter: 3 }));
}

/// What can go wrong between two steps.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    None,
    /// The device did it, the answer was lost.
    AnswerLost,
    /// The question never arrived.
    QuestionLost,
    /// The box fell: only facts are left.
    Fall,
    /// The device did it and then the box fell.
    DoneAndFall,
    Sale,
    Later,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_document_is_ever_signed_twice_and_every_one_ends(troubles in prop::collection::vec(prop::sample::select(vec![
        Trouble::None, Trouble::None, Trouble::AnswerLost, Trouble::QuestionLost, Trouble::Fall, Trouble::DoneAndFall, Trouble::Sale, Trouble::Sale, Trouble::Later,
    ]), 1..60)) {
        let (mut desk, mut device) = (Desk::new(Profile::Simulator), Simulator::default());
        let mut facts = Vec::new();
        let (mut now, mut number) = (0, 0u128);
        for trouble in troubles {
            match trouble {
                Trouble::Sale => {
                    number += 1;
                    let series = Series::ALL[number as usize % 2];
                    facts.push(wanted(&mut desk, number, series, at(now + 5)));
                    continue;
                }
                Trouble::Later => now += 3,
                _ => {}
            }
            let next = desk.next(at(now));
            desk.asks(&next);
            let arrives = !matches!(trouble, Trouble::QuestionLost | Trouble::Fall);
            let answered = matches!(trouble, Trouble::None | Trouble::Later);
            match &next {
                Next::End(end) if answered => facts.push(write(&mut desk, end.clone())),
                Next::AskAbove { series, counter } if answered => {
                    for end in desk.says(&device.above(*series, *counter)).ends {
                        facts.push(write(&mut desk, end));
                    }
                }
                Next::Sign { series, digest, .. } if arrives => {
                    let record = device.sign(*series, *digest);
                    if answered && let Some(end) = desk.signed(&record) {
                        facts.push(write(&mut desk, end));
                    }
                }
                _ => {}
            }
            match trouble {
                Trouble::AnswerLost | Trouble::QuestionLost => desk.lost(),
                Trouble::Fall | Trouble::DoneAndFall => {
                    desk = Desk::new(Profile::Simulator);
                    facts.iter().for_each(|fact| desk.apply(fact));
                    desk.started();
                }
                _ => {}
            }
        }
        desk.lost();
        facts.extend(run(&mut desk, &mut device, at(now)));
        prop_assert_eq!(desk.next(at(now)), Next::Nothing);
        let mut signed = BTreeMap::new();
        for record in device.all() {
            *signed.entry(record.digest).or_insert(0) += 1;
        }
        prop_assert!(signed.values().all(|times| *times == 1), "{signed:?}");
        let mut last = BTreeMap::new();
        for fact in &facts {
            if let Fact::Fiscal(FiscalFact::FiscalEnded(ended)) = fact {
                last.insert(ended.wish, ended.end.clone());
            }
        }
        // What the journal says in the end is what the device did.
        for document in 1..=number {
            let really = signed.contains_key(&Hash::of(&document.to_be_bytes()));
            let says = matches!(last.get(&wish(document)), Some(FiscalEnd::Signed { .. }));
            prop_assert_eq!(really, says, "document {}: {:?}", document, last.get(&wish(document)));
        }
        for series in Series::ALL {
            prop_assert_eq!(verify(&device.above(series, 0)), Ok(()));
        }
    }
}
