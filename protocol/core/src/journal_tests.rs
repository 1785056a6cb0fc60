//! Stories of the chain: what is read back, what is noticed when somebody changes a byte.

use proptest::prelude::*;

use super::*;
use crate::time::{BusinessDay, Instant};

pub fn header(seq: u64, prev_hash: Hash) -> Header {
    Header {
        tenant: "thread".parse().unwrap(),
        store: "berlin".parse().unwrap(),
        epoch: Epoch(1),
        seq: Seq(seq),
        prev_hash,
        at: Instant::from_micros(1_795_000_000_000_000).unwrap(),
        time_trusted: true,
        business_day: BusinessDay::from_days(20_775).unwrap(),
        kind: 9,
        command_id: Some("01936f3e-7a00-7000-8000-000000000001".parse().unwrap()),
        device: Some("r1".parse().unwrap()),
        staff: None,
        retention: Retention(0),
        fiscal: FiscalBlock::default(),
    }
}

pub fn chain(length: u64) -> Vec<Entry> {
    let mut head = Head::start(Epoch(1));
    let mut entries = Vec::new();
    for seq in 1..=length {
        let entry = Entry::write(header(seq, head.hash), format!("fact {seq}").as_bytes());
        head.follow(&entry).unwrap();
        entries.push(entry);
    }
    entries
}

#[test]
fn an_entry_reads_back_as_it_was_written() {
    for entry in chain(3) {
        assert_eq!(Entry::read(entry.bytes.clone()), Ok(entry));
    }
}

/// If this fails, revert your change: entries written by version 1 must read and hash the same for ever.
#[test]
fn the_bytes_of_version_one_are_frozen() {
    let entry = Entry::write(header(1, Hash::ZERO), b"fact");
    assert_eq!(entry.bytes.len(), HEADER_LEN + 4);
    assert_eq!(entry.bytes[..8], *b"BKRJ\x00\x01\x00\x09");
    assert_eq!(entry.bytes[8..24], *b"thread\0\0\0\0\0\0\0\0\0\0");
    assert_eq!(
        entry.hash.to_string(),
        "71c9013ba585e9f5926059933dee1d97827f4a919ae4ed5fab1fc86f6a1f4331"
    );
}

#[test]
fn a_gap_a_swap_and_a_foreign_chain_are_named() {
    let entries = chain(3);
    let mut head = Head::start(Epoch(1));
    head.follow(&entries[0]).unwrap();
    assert!(matches!(head.follow(&entries[2]), Err(JournalError::Order { seq: Seq(3), .. })));
    let foreign = Entry::write(header(2, Hash([7; 32])), b"fact 2");
    assert!(matches!(head.follow(&foreign), Err(JournalError::Chain { seq: Seq(2), .. })));
    head.follow(&entries[1]).unwrap();
}

proptest! {
    #[test]
    fn any_flipped_bit_is_noticed(bit in 0usize..(HEADER_LEN + 6) * 8) {
        let entries = chain(2);
        let mut bytes = entries[0].bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let noticed = match Entry::read(bytes) {
            Err(_) => true,
            Ok(changed) => changed.hash != entries[0].hash && entries[1].header.prev_hash != changed.hash,
        };
        prop_assert!(noticed);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        fuzz_one(&bytes);
    }

    #[test]
    fn mutated_segments_and_proofs_are_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let (entries, segment, key) = segment::tests::signed(5);
        let proof = proof::Proof::of(&entries, 3, &segment, &key.verifying_key()).unwrap();
        for whole in [segment.to_bytes(), proof.to_bytes()] {
            fuzz_one(&whole);
            let mut bytes = whole.clone();
            bytes[at.index(whole.len())] = byte;
            fuzz_one(&bytes);
            bytes.truncate(cut.index(whole.len()));
            fuzz_one(&bytes);
        }
    }

    #[test]
    fn mutated_entries_are_read_or_refused(at in 0usize..206, byte in any::<u8>()) {
        let mut bytes = chain(1).remove(0).bytes;
        bytes[at] = byte;
        fuzz_one(&bytes);
    }
}
