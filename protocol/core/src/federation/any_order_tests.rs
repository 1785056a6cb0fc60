//! Laws of both machines for any input in any order, also what no honest partner would ever say.

use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use crate::directive::{Resend, Watermark};
use crate::federation::receiver::Link;
use crate::federation::sender::{Input, Limits, Mark, Message, Output, Sender};
use crate::journal::{Epoch, Hash, Head, Seq};

use super::office::Office;
use super::shop::address;
use super::*;

/// Chain `branch` of an epoch leaves chain 0 after entry 7 times its number; so 0 is a common beginning for all.
fn hash_of(epoch: u32, branch: u64, seq: u64) -> Hash {
    let branch = if seq <= branch * 7 { 0 } else { branch };
    match seq {
        0 => Hash::ZERO,
        _ => Hash::of(format!("{epoch}/{branch}/{seq}").as_bytes()),
    }
}

#[derive(Debug, Clone)]
enum Said {
    Batch { epoch: u32, branch: u64, first: u64, len: u64 },
    Hello { epoch: u32, branch: u64, seq: u64 },
    Tick { later_ms: u64 },
    Crash,
    Older,
}

fn said() -> impl Strategy<Value = Said> {
    let batch = (1..3u32, 0..4u64, 1..40u64, 1..9u64);
    prop_oneof![
        8 => batch.prop_map(|(epoch, branch, first, len)| Said::Batch { epoch, branch, first, len }),
        2 => (1..3u32, 0..5u64, prop_oneof![0..60u64, Just(u64::MAX)]).prop_map(|(epoch, branch, seq)| Said::Hello { epoch, branch, seq }),
        2 => (0..100_000u64).prop_map(|later_ms| Said::Tick { later_ms }),
        1 => Just(Said::Crash),
        1 => Just(Said::Older),
    ]
}

#[derive(Debug, Clone)]
enum Heard {
    Plain(Input),
    Grew { epoch: u32, by: u64 },
    Mark { mark: Watermark, welcome: bool },
}

fn heard() -> impl Strategy<Value = Heard> {
    let place = || prop_oneof![9 => 0..40u64, 1 => Just(u64::MAX)];
    let message = (1..4u32, place(), place(), 0..4u64).prop_map(|(epoch, first, last, round)| Message {
        epoch: Epoch(epoch),
        first: Seq(first),
        last: Seq(last),
        round,
    });
    let mark = (1..3u128, 1..5u32, place(), 0..2u64, any::<bool>()).prop_map(|(incarnation, epoch, held, branch, welcome)| {
        let (incarnation, epoch) = (Uuid::from_u128(incarnation), Epoch(epoch));
        let hash = hash_of(epoch.0, branch, held);
        let mark = Watermark {
            address: address(0).unwrap(),
            incarnation,
            counter: 0,
            epoch,
            held: Seq(held),
            applied: Seq(held),
            hash,
        };
        Heard::Mark { mark, welcome }
    });
    let resend = message.clone().prop_map(|message| {
        let Message { epoch, first, last, round } = message;
        Heard::Plain(Input::Resend(Resend {
            address: address(0).unwrap(),
            epoch,
            first,
            last,
            round,
        }))
    });
    let cut = (message.clone(), place()).prop_map(|(message, last)| Heard::Plain(Input::Cut { message, last: Seq(last) }));
    prop_oneof![
        3 => (1..4u32, 1..9u64).prop_map(|(epoch, by)| Heard::Grew { epoch, by }),
        4 => mark,
        2 => resend,
        1 => cut,
        2 => message.clone().prop_map(|message| Heard::Plain(Input::Acked(message))),
        1 => message.prop_map(|message| Heard::Plain(Input::Failed(message))),
        2 => Just(Heard::Plain(Input::Tick)),
        2 => Just(Heard::Plain(Input::Connected)),
        1 => Just(Heard::Plain(Input::Disconnected)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// `Office` itself refuses to go on when something is stored twice, claimed and not held, or taken back.
    #[test]
    fn head_office_never_claims_what_it_does_not_hold(all in proptest::collection::vec(said(), 1..80)) {
        let mut office = Office::new(NEW);
        let mut stage = Stage::new(1, Plain, false);
        for said in all {
            if office.is_down() {
                office.start();
            }
            let told = match said {
                Said::Batch { epoch, branch, first, len } => {
                    let written = |seq| {
                        let link = Link { seq: Seq(seq), prev_hash: hash_of(epoch, branch, seq - 1), hash: hash_of(epoch, branch, seq) };
                        Written { link, slip: Slip::Opened }
                    };
                    let entries = (first..first + len).map(written).collect();
                    let message = Message { epoch: Epoch(epoch), first: Seq(first), last: Seq(first + len - 1), round: 0 };
                    office.batch(0, &Batch { message, entries }, &mut stage)
                }
                Said::Hello { epoch, branch, seq } => {
                    let head = Head { epoch: Epoch(epoch), seq: Seq(seq), hash: hash_of(epoch, branch, seq) };
                    office.hello(0, &[head], &mut stage)
                }
                Said::Tick { later_ms } => {
                    stage.now_ms += later_ms;
                    office.tick(0, &mut stage)
                }
                Said::Crash => {
                    office.back_up();
                    office.start();
                    Ok(Vec::new())
                }
                Said::Older => {
                    office.restore_backup(&mut stage);
                    Ok(Vec::new())
                }
            };
            prop_assert!(told.is_ok(), "{told:?}");
            for what in told.unwrap() {
                if let What::Resend(ask) = what {
                    prop_assert!(ask.first.0 >= 1 && ask.first <= ask.last, "{ask:?}");
                }
            }
            let known: Vec<_> = office.receivers.iter().flat_map(|all| all[0].stretches()).map(|(epoch, stretch)| (epoch, *stretch)).collect();
            let stored: Vec<_> = office.stored_stretches(0).into_iter().flat_map(|(epoch, all)| all.into_iter().map(move |one| (epoch, one))).collect();
            prop_assert!(office.is_down() || known == stored, "known {known:?} stored {stored:?}");
        }
    }

    #[test]
    fn a_box_never_calls_held_what_no_fitting_mark_covers(all in proptest::collection::vec(heard(), 1..120)) {
        let limits = Limits { batch_entries: 5, in_flight: 3, asked_ranges: 4, ..Limits::default() };
        let mut sender = Sender::restore(address(0).unwrap(), limits, &[], &[]);
        let mut best: BTreeMap<(u128, Epoch), u64> = BTreeMap::new();
        let mut lens: BTreeMap<u32, u64> = BTreeMap::new();
        let mut numbers = 0;
        let mut now_ms = 0;
        for heard in all {
            now_ms += 700;
            let before: Vec<_> = lens.keys().map(|epoch| (Epoch(*epoch), sender.held(Epoch(*epoch)))).collect();
            let office_before = sender.head_office();
            let input = match heard {
                Heard::Plain(input) => input,
                Heard::Grew { epoch, by } => {
                    let len = lens.entry(epoch).or_default();
                    *len += by;
                    Input::Journal(Head { epoch: Epoch(epoch), seq: Seq(*len), hash: hash_of(epoch, 0, *len) })
                }
                Heard::Mark { mark, welcome } => {
                    let len = lens.get(&mark.epoch.0).copied().unwrap_or_default();
                    let ours = (mark.held.0 <= len).then(|| hash_of(mark.epoch.0, 0, mark.held.0));
                    if ours == Some(mark.hash) {
                        let best = best.entry((mark.incarnation.as_u128(), mark.epoch)).or_default();
                        *best = mark.held.0.max(*best);
                    }
                    let mark = Mark { mark, ours };
                    if welcome { Input::Welcome { number: numbers, marks: vec![mark] } } else { Input::Watermark(mark) }
                }
            };
            let outputs = sender.step(now_ms, input);
            let mut published = 0;
            for output in &outputs {
                match output {
                    Output::Announce { number } => numbers = *number,
                    Output::Publish(message) => {
                        published += 1;
                        let len = lens.get(&message.epoch.0).copied().unwrap_or_default();
                        prop_assert!(message.first.0 >= 1 && message.first <= message.last && message.last.0 <= len, "{message:?} of {len}");
                        prop_assert!(message.last.0 - message.first.0 < 5, "{message:?}");
                    }
                    _ => {}
                }
            }
            prop_assert!(published <= 2 * 3, "{outputs:?}");
            for (epoch, len) in &lens {
                let held = sender.held(Epoch(*epoch)).unwrap().0;
                let covered = sender.head_office().and_then(|office| best.get(&(office.as_u128(), Epoch(*epoch)))).copied().unwrap_or_default();
                prop_assert!(held <= *len && held <= covered, "epoch {epoch}: held {held}, written {len}, covered {covered}");
            }
            if sender.head_office() == office_before {
                for (epoch, held) in before {
                    prop_assert!(sender.held(epoch) >= held, "epoch {epoch} fell from {held:?} to {:?}", sender.held(epoch));
                }
            }
        }
    }
}
