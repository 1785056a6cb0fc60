//! Stories of head office's side, with a database of a few lines.

use super::*;

fn address() -> Address {
    Address {
        tenant: "thread".parse().unwrap(),
        store: "berlin".parse().unwrap(),
    }
}

/// Chain `b` leaves chain `a` after entry 3.
fn hash(chain: char, seq: u64) -> Hash {
    let chain = if seq <= 3 { 'a' } else { chain };
    if seq == 0 {
        Hash::ZERO
    } else {
        Hash::of(format!("{chain}{seq}").as_bytes())
    }
}

fn head(chain: char, seq: u64) -> Head {
    Head {
        epoch: Epoch(1),
        seq: Seq(seq),
        hash: hash(chain, seq),
    }
}

struct Office {
    receiver: Receiver,
    rows: Vec<Stored>,
}

impl Office {
    fn new(limits: Limits) -> Office {
        Office {
            receiver: Receiver::restore(address(), limits, Vec::new()),
            rows: Vec::new(),
        }
    }

    fn batch(&mut self, now_ms: u64, chain: char, first: u64, last: u64) -> Vec<Output> {
        let link = |seq| Link {
            seq: Seq(seq),
            prev_hash: hash(chain, seq - 1),
            hash: hash(chain, seq),
        };
        let entries: Vec<Link> = (first..=last).map(link).collect();
        let head = BatchHead {
            address: address(),
            epoch: Epoch(1),
            first: Seq(first),
            last: Seq(last),
            round: 0,
            last_hash: hash(chain, last),
        };
        let stored = self
            .rows
            .iter()
            .copied()
            .filter(|row| row.seq.0 + 1 >= first && row.seq.0 <= last)
            .collect();
        let outputs = self.receiver.step(
            now_ms,
            Input::Batch {
                head,
                entries: entries.clone(),
                stored,
            },
        );
        for output in &outputs {
            match *output {
                Output::Store { branch, first, last, .. } => {
                    let new = entries.iter().filter(|link| first <= link.seq && link.seq <= last);
                    self.rows.extend(new.map(|link| Stored {
                        seq: link.seq,
                        hash: link.hash,
                        branch,
                    }));
                }
                Output::Relabel { from, to, .. } => {
                    let moved = self.rows.iter_mut().filter(|row| row.branch == from);
                    moved.for_each(|row| row.branch = to);
                }
                _ => {}
            }
        }
        outputs
    }

    fn hello(&mut self, now_ms: u64, heads: &[Head]) -> Vec<Output> {
        let branch = |head: &Head| {
            self.rows
                .iter()
                .find(|row| row.seq == head.seq && row.hash == head.hash)
                .map(|row| row.branch)
        };
        let heads = heads
            .iter()
            .map(|head| Announced {
                head: *head,
                stored: branch(head),
            })
            .collect();
        self.receiver.step(now_ms, Input::Hello { heads })
    }

    fn tick(&mut self, now_ms: u64) -> Vec<Output> {
        self.receiver.step(now_ms, Input::Tick)
    }
}

fn store(branch: u32, first: u64, last: u64) -> Output {
    Output::Store {
        epoch: Epoch(1),
        branch: Branch(branch),
        first: Seq(first),
        last: Seq(last),
    }
}

fn ask(first: u64, last: u64, round: u64) -> Output {
    Output::AskResend(Resend {
        address: address(),
        epoch: Epoch(1),
        first: Seq(first),
        last: Seq(last),
        round,
    })
}

#[test]
fn a_repeat_is_stored_once_and_answered_again() {
    let mut office = Office::new(Limits::default());
    assert_eq!(office.batch(0, 'a', 1, 3), [store(0, 1, 3), Output::Held(head('a', 3))]);
    assert_eq!(office.batch(0, 'a', 2, 5), [store(0, 4, 5), Output::Held(head('a', 5))]);
    assert_eq!(office.batch(0, 'a', 2, 5), [Output::Held(head('a', 5))]);
}

#[test]
fn entries_beyond_a_gap_are_kept_but_not_called_held() {
    let mut office = Office::new(Limits::default());
    office.batch(0, 'a', 1, 2);
    assert_eq!(office.batch(0, 'a', 6, 7), [store(1, 6, 7), Output::Held(head('a', 2))]);
    assert_eq!(office.tick(499), [], "batches overtake each other");
    assert_eq!(office.tick(500), [ask(3, 5, 1)]);
    assert_eq!(office.tick(1_400), []);
    assert_eq!(office.tick(1_500), [ask(3, 5, 2)], "again, later, with another round");
    let relabel = Output::Relabel {
        epoch: Epoch(1),
        from: Branch(1),
        to: Branch::MAIN,
    };
    assert_eq!(
        office.batch(1_600, 'a', 3, 5),
        [store(0, 3, 5), relabel, Output::Held(head('a', 7))]
    );
    assert_eq!(office.tick(99_999), []);
}

#[test]
fn a_second_chain_is_kept_apart_flagged_and_confirmed_only_to_who_announced_it() {
    let mut office = Office::new(Limits::default());
    office.batch(0, 'a', 1, 5);
    let conflict = Output::Conflict {
        epoch: Epoch(1),
        branch: Branch(1),
        first: Seq(4),
        last: Seq(6),
    };
    assert_eq!(office.batch(0, 'b', 4, 6), [store(1, 4, 6), conflict, Output::Held(head('a', 5))]);
    assert_eq!(
        office.batch(0, 'b', 7, 7),
        [store(1, 7, 7), Output::Held(head('a', 5))],
        "the alarm rings once"
    );
    assert_eq!(
        office.hello(0, &[head('b', 7)]),
        [Output::Welcome(vec![head('a', 5), head('b', 7)])]
    );
    assert_eq!(
        office.batch(0, 'a', 6, 6),
        [store(0, 6, 6), Output::Held(head('a', 6))],
        "the first chain goes on"
    );
}

#[test]
fn where_a_second_chain_leaves_the_first_is_found_step_by_step() {
    let mut office = Office::new(Limits {
        step_back: 2,
        ..Limits::default()
    });
    office.batch(0, 'a', 1, 9);
    office.batch(0, 'b', 8, 9);
    assert_eq!(office.tick(500), [ask(6, 7, 1)]);
    office.batch(600, 'b', 6, 7);
    assert_eq!(office.tick(1_100), [ask(4, 5, 2)]);
    office.batch(1_200, 'b', 4, 5);
    assert_eq!(office.tick(99_999), []);
    assert_eq!(
        office.hello(99_999, &[head('b', 9)]),
        [Output::Welcome(vec![head('a', 9), head('b', 9)])]
    );
}

#[test]
fn an_announced_head_which_does_not_come_is_asked_for() {
    let mut office = Office::new(Limits::default());
    office.batch(0, 'a', 1, 2);
    assert_eq!(office.hello(0, &[head('a', 9)]), [Output::Welcome(vec![head('a', 2)])]);
    assert_eq!(office.tick(2_999), []);
    assert_eq!(office.tick(3_000), [ask(3, 9, 1)]);
    office.batch(3_100, 'a', 3, 4);
    assert_eq!(office.tick(6_000), [], "it is coming");
    assert_eq!(office.tick(6_100), [ask(5, 9, 2)]);
    office.batch(6_200, 'a', 5, 9);
    assert_eq!(office.tick(99_999), []);
}

#[test]
fn a_store_nobody_has_heard_of_is_welcome() {
    let mut office = Office::new(Limits::default());
    assert_eq!(office.hello(0, &[]), [Output::Welcome(vec![Head::start(Epoch(1))])]);
    assert_eq!(office.hello(0, &[head('a', 4)]), [Output::Welcome(vec![Head::start(Epoch(1))])]);
}

#[test]
fn a_batch_that_contradicts_itself_is_refused() {
    let mut office = Office::new(Limits::default());
    let link = |seq| Link {
        seq: Seq(seq),
        prev_hash: hash('a', seq - 1),
        hash: hash('a', seq),
    };
    let good = BatchHead {
        address: address(),
        epoch: Epoch(1),
        first: Seq(1),
        last: Seq(2),
        round: 0,
        last_hash: hash('a', 2),
    };
    let mut refused = |head: BatchHead, entries: Vec<Link>| {
        let outputs = office.receiver.step(
            0,
            Input::Batch {
                head,
                entries,
                stored: Vec::new(),
            },
        );
        let [Output::Refused { why, .. }] = outputs[..] else {
            panic!("{outputs:?}")
        };
        why
    };
    assert_eq!(refused(good, vec![]), Refusal::NotAChain);
    assert_eq!(refused(good, vec![link(1)]), Refusal::NotAChain);
    assert_eq!(
        refused(
            good,
            vec![
                link(1),
                Link {
                    prev_hash: hash('a', 9),
                    ..link(2)
                }
            ]
        ),
        Refusal::NotAChain
    );
    assert_eq!(
        refused(
            good,
            vec![
                Link {
                    prev_hash: hash('a', 9),
                    ..link(1)
                },
                link(2)
            ]
        ),
        Refusal::NotAChain
    );
    assert_eq!(
        refused(
            BatchHead {
                last_hash: hash('a', 9),
                ..good
            },
            vec![link(1), link(2)]
        ),
        Refusal::NotAChain
    );
    let munich = Address {
        store: "munich".parse().unwrap(),
        ..address()
    };
    assert_eq!(
        refused(BatchHead { address: munich, ..good }, vec![link(1), link(2)]),
        Refusal::OtherStore
    );
    assert_eq!(refused(good, (1..5_000).map(link).collect()), Refusal::TooLarge);
}

#[test]
fn too_many_pieces_are_refused_but_the_main_chain_goes_on() {
    let mut office = Office::new(Limits {
        stretches: 2,
        ..Limits::default()
    });
    office.batch(0, 'a', 5, 5);
    office.batch(0, 'a', 7, 7);
    let refused = Output::Refused {
        epoch: Epoch(1),
        first: Seq(9),
        last: Seq(9),
        why: Refusal::NoRoom,
    };
    assert_eq!(office.batch(0, 'a', 9, 9), [refused]);
    assert_eq!(office.batch(0, 'a', 1, 6).last(), Some(&Output::Held(head('a', 7))));
    assert_eq!(
        office.batch(0, 'a', 9, 9),
        [store(1, 9, 9), Output::Held(head('a', 7))],
        "now there is room"
    );
}
