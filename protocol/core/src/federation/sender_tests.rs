//! Stories of the store's side.

use super::*;

fn address() -> Address {
    Address {
        tenant: "thread".parse().unwrap(),
        store: "berlin".parse().unwrap(),
    }
}

fn hash(seq: u64) -> Hash {
    if seq == 0 { Hash::ZERO } else { Hash::of(&seq.to_be_bytes()) }
}

fn head(epoch: u32, seq: u64) -> Head {
    Head {
        epoch: Epoch(epoch),
        seq: Seq(seq),
        hash: hash(seq),
    }
}

fn watermark(incarnation: u128, epoch: u32, held: u64) -> Watermark {
    let incarnation = Uuid::from_u128(incarnation);
    let (held, hash) = (Seq(held), hash(held));
    Watermark {
        address: address(),
        incarnation,
        counter: 1,
        epoch: Epoch(epoch),
        held,
        applied: held,
        hash,
    }
}

/// A mark that is right about us.
fn fits(incarnation: u128, epoch: u32, held: u64) -> Mark {
    Mark {
        mark: watermark(incarnation, epoch, held),
        ours: Some(hash(held)),
    }
}

fn welcome(number: u64, mark: Mark) -> Input {
    Input::Welcome { number, marks: vec![mark] }
}

fn message(epoch: u32, first: u64, last: u64, round: u64) -> Message {
    Message {
        epoch: Epoch(epoch),
        first: Seq(first),
        last: Seq(last),
        round,
    }
}

fn limits() -> Limits {
    Limits {
        batch_entries: 10,
        in_flight: 2,
        ..Limits::default()
    }
}

/// A box with `heads`, connected and welcomed by head office 1, which holds nothing yet.
fn welcomed(heads: &[Head]) -> (Sender, Vec<Output>) {
    let mut sender = Sender::restore(address(), limits(), heads, &[]);
    let outputs = sender.step(0, Input::Connected);
    assert!(sender.step(0, welcome(1, fits(1, heads[0].epoch.0, 0))).contains(&Output::Forget));
    (sender, outputs)
}

fn published(outputs: &[Output]) -> Vec<Message> {
    let message = |output: &Output| {
        if let Output::Publish(message) = output {
            Some(*message)
        } else {
            None
        }
    };
    outputs.iter().filter_map(message).collect()
}

#[test]
fn an_acknowledgement_frees_nothing_only_a_mark_does() {
    let mut sender = Sender::restore(address(), limits(), &[head(1, 35)], &[fits(1, 1, 5)]);
    let outputs = sender.step(0, Input::Connected);
    assert_eq!(published(&outputs), [message(1, 6, 15, 0), message(1, 16, 25, 0)]);
    assert_eq!(sender.step(1, Input::Acked(message(1, 6, 15, 0))), []);
    assert_eq!(sender.unheld(), 30);
    let outputs = sender.step(2, Input::Watermark(fits(1, 1, 15)));
    assert_eq!(
        outputs,
        [Output::Remember(watermark(1, 1, 15)), Output::Publish(message(1, 26, 35, 0))]
    );
    assert_eq!((sender.unheld(), sender.held(Epoch(1))), (20, Some(Seq(15))));
}

#[test]
fn what_the_stream_acknowledged_and_lost_goes_up_again_once_head_office_answers() {
    let (mut sender, _) = welcomed(&[head(1, 5)]);
    let sent = message(1, 1, 5, 1);
    sender.step(10, Input::Acked(sent));
    assert_eq!(sender.step(3_000, Input::Tick), []);
    assert_eq!(sender.step(3_010, Input::Tick), [Output::Announce { number: 2 }], "first we ask");
    assert_eq!(
        sender.step(20_000, Input::Tick),
        [Output::Announce { number: 3 }],
        "head office may be away: the stream is not filled up"
    );
    assert_eq!(
        published(&sender.step(20_001, welcome(3, fits(1, 1, 0)))),
        [Message { round: 2, ..sent }]
    );
}

#[test]
fn old_epochs_go_up_before_new_ones() {
    let mut sender = Sender::restore(address(), limits(), &[head(1, 12), head(2, 3)], &[]);
    let outputs = sender.step(0, Input::Connected);
    assert_eq!(published(&outputs), [message(1, 1, 10, 0), message(1, 11, 12, 0)]);
    sender.step(1, welcome(1, fits(1, 1, 0)));
    assert_eq!(published(&sender.step(2, Input::Watermark(fits(1, 1, 12)))), [message(2, 1, 3, 1)]);
}

#[test]
fn a_head_office_from_an_older_backup_gets_everything_again() {
    let mut sender = Sender::restore(address(), limits(), &[head(1, 20)], &[fits(1, 1, 20)]);
    assert_eq!(sender.step(0, Input::Connected), [Output::Announce { number: 1 }]);
    let outputs = sender.step(1, welcome(1, fits(2, 1, 12)));
    assert_eq!(
        outputs,
        [
            Output::Forget,
            Output::Remember(watermark(2, 1, 12)),
            Output::Publish(message(1, 13, 20, 1))
        ]
    );
    assert_eq!(sender.unheld(), 8);
    assert_eq!(
        sender.step(2, Input::Watermark(fits(1, 1, 20))),
        [],
        "a late mark of the old one counts no more"
    );
    assert_eq!(sender.unheld(), 8);
}

#[test]
fn a_stranger_is_not_believed_but_asked() {
    let (mut sender, _) = welcomed(&[head(1, 5)]);
    assert_eq!(
        sender.step(2_000, Input::Watermark(fits(7, 1, 5))),
        [Output::Announce { number: 2 }]
    );
    assert_eq!(sender.unheld(), 5);
    sender.step(2_001, welcome(1, fits(7, 1, 5)));
    assert_eq!(sender.unheld(), 5, "an answer to an earlier question may be as old as that");
    sender.step(2_002, welcome(2, fits(7, 1, 5)));
    assert_eq!(sender.unheld(), 0);
}

#[test]
fn a_box_whose_disk_was_set_back_opens_a_new_epoch() {
    let (mut sender, _) = welcomed(&[head(1, 5)]);
    let beyond = Mark {
        mark: watermark(1, 1, 9),
        ours: None,
    };
    let told = Output::BehindHeadOffice {
        epoch: Epoch(1),
        seen: Seq(9),
        hash: Some(hash(9)),
    };
    assert!(sender.step(1, Input::Watermark(beyond)).contains(&told));
    assert!(!sender.step(2, Input::Watermark(beyond)).contains(&told), "once is enough");
    assert_eq!(sender.next_epoch(), Epoch(2));
    let outputs = sender.step(3, Input::Journal(head(2, 1)));
    assert_eq!(
        published(&outputs),
        [message(2, 1, 1, 1)],
        "its last entries need no mark to make room"
    );
}

#[test]
fn the_end_of_a_chain_that_is_not_the_main_one_does_not_wait_for_marks() {
    let (mut sender, _) = welcomed(&[head(1, 25)]);
    sender.step(1, Input::Acked(message(1, 1, 10, 1)));
    sender.step(1, Input::Journal(head(2, 1)));
    let outputs = sender.step(
        2,
        Input::Watermark(Mark {
            mark: watermark(1, 1, 30),
            ours: None,
        }),
    );
    assert_eq!(published(&outputs), [message(1, 21, 25, 1)]);
    let outputs = sender.step(3, Input::Acked(message(1, 11, 20, 1)));
    assert_eq!(published(&outputs), [message(2, 1, 1, 1)]);
}

#[test]
fn another_hash_at_a_place_we_have_means_the_disk_was_copied() {
    let (mut sender, _) = welcomed(&[head(1, 5)]);
    let other = Mark {
        mark: Watermark {
            hash: hash(99),
            ..watermark(1, 1, 4)
        },
        ours: Some(hash(4)),
    };
    let outputs = sender.step(1, Input::Watermark(other));
    assert_eq!(
        outputs,
        [Output::BehindHeadOffice {
            epoch: Epoch(1),
            seen: Seq(4),
            hash: Some(hash(99))
        }]
    );
    assert_eq!(sender.unheld(), 5);
    sender.step(2, welcome(1, fits(1, 1, 5)));
    assert_eq!(sender.unheld(), 0, "the answer to our own announcement confirms the branch");
}

#[test]
fn being_asked_for_what_we_never_had_is_proof_enough() {
    let (mut sender, _) = welcomed(&[head(1, 5)]);
    let ask = Resend {
        address: address(),
        epoch: Epoch(1),
        first: Seq(4),
        last: Seq(8),
        round: 3,
    };
    let outputs = sender.step(1, Input::Resend(ask));
    assert_eq!(
        outputs,
        [
            Output::BehindHeadOffice {
                epoch: Epoch(1),
                seen: Seq(8),
                hash: None
            },
            Output::Publish(message(1, 4, 5, 3))
        ]
    );
}

#[test]
fn a_newer_epoch_is_told_but_not_followed() {
    let (mut sender, _) = welcomed(&[head(1, 5)]);
    let newer = Mark {
        mark: watermark(1, 4, 2),
        ours: None,
    };
    assert_eq!(sender.step(1, Input::Watermark(newer)), [Output::Superseded { by: Epoch(4) }]);
    assert_eq!(sender.step(2, Input::Watermark(newer)), []);
    assert_eq!(sender.next_epoch(), Epoch(5));
}

#[test]
fn a_new_box_learns_which_epoch_is_free() {
    let mut sender = Sender::restore(address(), limits(), &[], &[]);
    assert_eq!(sender.step(0, Input::Connected), [Output::Announce { number: 1 }]);
    let marks = vec![
        Mark {
            ours: None,
            ..fits(1, 1, 30)
        },
        Mark {
            ours: None,
            ..fits(1, 2, 8)
        },
    ];
    assert!(
        sender
            .step(1, Input::Welcome { number: 1, marks })
            .contains(&Output::Superseded { by: Epoch(1) })
    );
    assert_eq!(sender.next_epoch(), Epoch(3));
}

#[test]
fn what_head_office_lacks_passes_by_what_waits_for_it() {
    let (mut sender, _) = welcomed(&[head(1, 100)]);
    let ask = Resend {
        address: address(),
        epoch: Epoch(1),
        first: Seq(1),
        last: Seq(25),
        round: 1,
    };
    let outputs = sender.step(1, Input::Resend(ask));
    assert_eq!(published(&outputs)[..2], [message(1, 1, 10, 2), message(1, 11, 20, 2)]);
    let outputs = sender.step(2, Input::Acked(message(1, 1, 10, 2)));
    assert_eq!(published(&outputs), [message(1, 21, 25, 2)]);
}

#[test]
fn a_batch_that_is_too_large_for_one_message_goes_in_two() {
    let (mut sender, _) = welcomed(&[head(1, 5)]);
    let whole = message(1, 1, 5, 1);
    let outputs = sender.step(
        1,
        Input::Cut {
            message: whole,
            last: Seq(2),
        },
    );
    assert_eq!(published(&outputs), [message(1, 3, 5, 1)]);
    sender.step(2, Input::Acked(message(1, 1, 2, 1)));
    sender.step(3, Input::Failed(message(1, 3, 5, 1)));
    assert_eq!(
        published(&sender.step(1_003, Input::Tick)),
        [message(1, 3, 5, 1)],
        "the same id: it may be there or not"
    );
}

#[test]
fn a_lost_connection_repeats_what_was_not_acknowledged_under_the_same_id() {
    let (mut sender, _) = welcomed(&[head(1, 5)]);
    assert_eq!(sender.step(1, Input::Disconnected), []);
    assert_eq!(sender.step(2, Input::Journal(head(1, 6))), []);
    let outputs = sender.step(3, Input::Connected);
    assert_eq!(published(&outputs), [message(1, 1, 5, 1), message(1, 6, 6, 1)]);
}

#[test]
fn a_mark_for_another_store_says_nothing_about_us() {
    let (mut sender, _) = welcomed(&[head(1, 5)]);
    let munich = Address {
        store: "munich".parse().unwrap(),
        ..address()
    };
    let mark = Watermark {
        address: munich,
        ..watermark(1, 1, 5)
    };
    assert_eq!(sender.step(1, Input::Watermark(Mark { mark, ours: Some(hash(5)) })), []);
    assert_eq!(sender.unheld(), 5);
}

#[test]
fn two_boxes_with_one_identity_never_share_a_message_id() {
    let store = address().store;
    let one = message(3, 41, 60, 2);
    assert_eq!(one.id(store, &Hash([0xab; 32])), "berlin:3:41-60:2:abababab");
    assert_ne!(one.id(store, &hash(1)), one.id(store, &hash(2)));
}

#[test]
fn no_number_of_entries_is_in_flight_at_once_beyond_the_limit() {
    let (mut sender, outputs) = welcomed(&[head(1, 10_000)]);
    assert_eq!(published(&outputs).len(), 2);
    for seq in 1..100 {
        let outputs = sender.step(seq, Input::Journal(head(1, 10_000 + seq)));
        assert!(published(&outputs).is_empty());
    }
}
