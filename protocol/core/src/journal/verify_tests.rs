//! Stories of the verifier: one flipped bit anywhere is found, at its place.

use proptest::prelude::*;

use super::*;
use crate::journal::segment::tests::signed;
use crate::journal::tests::{chain, header};
use crate::journal::{BreakCause, HEADER_LEN, Seal};
use crate::time::Instant;

fn rows(entries: &[Entry]) -> Vec<Row<Vec<u8>>> {
    let row = |entry: &Entry| Row {
        epoch: entry.header.epoch,
        seq: entry.header.seq,
        prev_hash: Some(entry.header.prev_hash),
        hash: entry.hash,
        bytes: entry.bytes.clone(),
    };
    entries.iter().map(row).collect()
}

#[test]
fn a_whole_journal_of_two_epochs_holds_even_interleaved() {
    let mut all = rows(&chain(4));
    let mut second = header(1, Hash::ZERO);
    second.epoch = Epoch(2);
    all.insert(2, rows(&[Entry::write(second, b"opened")]).remove(0));
    let verified = verify(all).unwrap();
    assert_eq!(verified.entries, 5);
    assert_eq!(verified.heads[&Epoch(1)].seq, Seq(4));
    assert_eq!(verified.heads[&Epoch(2)].seq, Seq(1));
}

#[test]
fn the_entry_after_it_tells_changed_bytes_from_a_changed_hash() {
    let mut bytes = rows(&chain(3));
    bytes[1].bytes[HEADER_LEN] ^= 1;
    let said = verify(bytes).unwrap_err();
    assert!(
        matches!(
            said,
            Broken {
                seq: Seq(2),
                flaw: Flaw::Bytes { .. },
                ..
            }
        ),
        "{said}"
    );
    let mut hash = rows(&chain(3));
    hash[1].hash.0[7] ^= 1;
    let said = verify(hash).unwrap_err();
    assert!(
        matches!(
            said,
            Broken {
                seq: Seq(2),
                flaw: Flaw::StoredHash { .. },
                ..
            }
        ),
        "{said}"
    );
    let mut last = rows(&chain(3));
    last[2].bytes[HEADER_LEN] ^= 1;
    let said = verify(last).unwrap_err();
    assert!(
        matches!(
            said,
            Broken {
                seq: Seq(3),
                flaw: Flaw::Altered { .. },
                ..
            }
        ),
        "{said}"
    );
    let mut prev = rows(&chain(3));
    prev[1].bytes[60] ^= 1;
    let said = verify(prev).unwrap_err();
    assert!(
        matches!(
            said,
            Broken {
                seq: Seq(2),
                flaw: Flaw::PrevInBytes { .. },
                ..
            }
        ),
        "{said}"
    );
    assert!(said.to_string().starts_with("1:2 its bytes were changed"), "{said}");
}

#[test]
fn what_is_missing_doubled_swapped_or_foreign_is_named() {
    let whole = rows(&chain(4));
    let without = [&whole[..1], &whole[2..]].concat();
    let doubled = [&whole[..2], &whole[1..]].concat();
    for (broken, at) in [(without, 3), (doubled, 2)] {
        let said = verify(broken).unwrap_err();
        assert_eq!((said.seq, matches!(said.flaw, Flaw::Order { .. })), (Seq(at), true), "{said}");
    }
    let mut swapped = whole.clone();
    (swapped[1].seq, swapped[2].seq) = (Seq(3), Seq(2));
    assert!(matches!(verify(swapped).unwrap_err().flaw, Flaw::Misplaced { seq: Seq(2), .. }));
    let mut foreign = header(2, whole[0].hash);
    foreign.store = "munich".parse().unwrap();
    let foreign = [&whole[..1], &rows(&[Entry::write(foreign, b"x")])].concat();
    assert!(matches!(verify(foreign).unwrap_err().flaw, Flaw::OtherStore { .. }));
    let rewritten = [&whole[..1], &rows(&[Entry::write(header(2, Hash([7; 32])), b"x")])].concat();
    assert!(matches!(verify(rewritten).unwrap_err().flaw, Flaw::Chain { .. }));
}

#[test]
fn an_attested_break_is_passed_over_and_counted_any_other_gap_is_not() {
    let whole = rows(&chain(9));
    let gap = ChainBreak {
        epoch: Epoch(1),
        before: Seq(3),
        before_hash: whole[2].hash,
        after: Seq(7),
        named_hash: whole[5].hash,
        cause: BreakCause::Disk,
        by: "s101".parse().unwrap(),
        at: Instant::EPOCH,
        signature: Seal([0; 64]),
    };
    let read = |without: std::ops::Range<usize>| {
        let mut verifier = Verifier::new().attested(&[gap]);
        for row in whole[..without.start].iter().chain(&whole[without.end..]) {
            verifier.push(row)?;
        }
        verifier.finish()
    };
    let verified = read(3..6).unwrap();
    assert_eq!((verified.entries, verified.breaks, verified.lost), (6, 1, 3));
    assert!(matches!(read(3..7).unwrap_err().flaw, Flaw::Order { expected: Seq(4) }));
    assert!(matches!(read(2..6).unwrap_err().flaw, Flaw::Order { expected: Seq(3) }));
}

#[test]
fn a_segment_is_verified_from_its_head_without_what_went_before() {
    let (entries, _, key) = signed(9);
    let mut built = Builder::after(Head {
        epoch: Epoch(1),
        seq: Seq(4),
        hash: entries[3].hash,
    });
    entries[4..].iter().for_each(|entry| built.push(entry, None).unwrap());
    let segment = built.sign(&key).unwrap();
    let verified = verify_segment(&segment, rows(&entries[4..]), |_| None).unwrap();
    assert_eq!(verified.entries, 5);
    let short = verify_segment(&segment, rows(&entries[4..8]), |_| None).unwrap_err();
    assert!(short.to_string().contains("another range"), "{short}");
    let other = verify_segment(&segment, rows(&entries[3..]), |_| None).unwrap_err();
    assert!(matches!(other, NotThisSegment::Entry(Broken { seq: Seq(4), .. })), "{other}");
}

/// Where a bit may flip in what is kept of one entry.
#[derive(Clone, Copy, Debug)]
enum Region {
    Header,
    Payload,
    Hash,
    Prev,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_bit_that_flips_anywhere_is_named_by_its_place(
        which in 0..4usize,
        region in prop_oneof![Just(Region::Header), Just(Region::Payload), Just(Region::Hash), Just(Region::Prev)],
        bit in any::<prop::sample::Index>(),
    ) {
        let mut all = rows(&chain(4));
        let flip = |bytes: &mut [u8]| {
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        };
        let row = &mut all[which];
        match region {
            Region::Header => flip(&mut row.bytes[..HEADER_LEN]),
            Region::Payload => flip(&mut row.bytes[HEADER_LEN..]),
            Region::Hash => flip(&mut row.hash.0),
            Region::Prev => flip(&mut row.prev_hash.as_mut().unwrap().0),
        }
        let said = verify(all).unwrap_err();
        prop_assert_eq!((said.epoch, said.seq), (Epoch(1), Seq(which as u64 + 1)), "{}", said);
        let right = match region {
            Region::Header => matches!(said.flaw, Flaw::Unreadable(_) | Flaw::Bytes { .. } | Flaw::Altered { .. } | Flaw::PrevInBytes { .. }),
            Region::Payload => matches!(said.flaw, Flaw::Bytes { .. } | Flaw::Altered { .. }),
            Region::Hash => matches!(said.flaw, Flaw::StoredHash { .. } | Flaw::Altered { .. }),
            Region::Prev => matches!(said.flaw, Flaw::StoredPrev { .. }),
        };
        prop_assert!(right, "{region:?}: {said}");
    }
}
