//! Stories of signed segments.

use super::*;
use crate::journal::tests::chain;

pub fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

pub fn signed(length: u64) -> (Vec<Entry>, Segment, SigningKey) {
    let entries = chain(length);
    let mut built = Builder::after(Head::start(Epoch(1)));
    entries.iter().for_each(|entry| built.push(entry, None).unwrap());
    let segment = built.sign(&key()).unwrap();
    (entries, segment, key())
}

#[test]
fn a_segment_is_this_stores_or_nobodys() {
    let (_, segment, key) = signed(5);
    let (tenant, store) = (segment.tenant, segment.store);
    segment.verify(&key.verifying_key(), tenant, store).unwrap();
    assert!(segment.verify(&key.verifying_key(), tenant, "munich".parse().unwrap()).is_err());
    let other = SigningKey::from_bytes(&[2; 32]);
    assert!(segment.verify(&other.verifying_key(), tenant, store).is_err());
}

/// If this fails, revert your change: segments of version 1 must read and verify for ever.
#[test]
fn the_bytes_of_version_one_are_frozen() {
    let (_, segment, key) = signed(2);
    let bytes = segment.to_bytes();
    assert_eq!(bytes.len(), Segment::BYTES);
    assert_eq!(bytes[..6], *b"BKRS\x00\x01");
    assert_eq!(
        Hash::of(&bytes).to_string(),
        "8afa7229c6bc1f7fc33f0baa4249110822bfb11a9611708f5b1ac8de6726a40b"
    );
    let read = Segment::from_bytes(&bytes).unwrap();
    assert_eq!(read, segment);
    read.verify(&key.verifying_key(), read.tenant, read.store).unwrap();
}

#[test]
fn whatever_is_changed_in_the_head_of_a_segment_ends_its_signature() {
    let (_, segment, key) = signed(5);
    let whole = segment.to_bytes();
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let holds = Segment::from_bytes(&bytes).is_ok_and(|read| read.verify(&key.verifying_key(), read.tenant, read.store).is_ok());
        assert!(!holds, "bit {bit}");
    }
}

#[test]
fn a_segment_survives_its_json() {
    let (_, segment, _) = signed(5);
    let text = serde_json::to_string(&segment).unwrap();
    assert_eq!(serde_json::from_str::<Segment>(&text).unwrap(), segment);
}

#[test]
fn what_differs_from_the_entries_is_named() {
    let (entries, segment, key) = signed(5);
    let mut four = Builder::after(Head::start(Epoch(1)));
    entries[..4].iter().for_each(|entry| four.push(entry, None).unwrap());
    assert!(segment.is_over(&four).unwrap_err().to_string().contains("another range"));
    let mut whole = four.clone();
    whole.push(&entries[4], None).unwrap();
    segment.is_over(&whole).unwrap();
    let dearer = Segment {
        sums: Sums {
            sales: Money(1),
            ..segment.sums
        },
        ..segment.clone()
    };
    assert!(dearer.is_over(&whole).unwrap_err().to_string().contains("another sum"));
    assert_eq!(Builder::after(Head::start(Epoch(1))).sign(&key), Err(SegmentError::Empty));
    assert!(four.push(&entries[3], None).is_err(), "it does not follow");
}
