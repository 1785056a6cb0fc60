//! Stories of a stranger with a receipt.

use super::*;
use crate::journal::segment::tests::signed;
use crate::journal::tests::chain;

#[test]
fn every_entry_of_a_segment_is_proven_to_whoever_knows_the_key() {
    let (entries, segment, key) = signed(37);
    for (index, entry) in entries.iter().enumerate() {
        let proof = Proof::of(&entries, index, &segment, &key.verifying_key()).unwrap();
        assert_eq!(proof.check(&key.verifying_key()).unwrap(), *entry);
        assert_eq!(Proof::from_bytes(&proof.to_bytes()).unwrap(), proof);
        let json = serde_json::to_string(&proof).unwrap();
        assert_eq!(serde_json::from_str::<Proof>(&json).unwrap(), proof);
    }
}

#[test]
fn the_newest_entries_are_proven_before_their_segment_is_full() {
    let (entries, _, key) = signed(3);
    let with_facts: Vec<_> = entries.iter().map(|entry| (entry.clone(), None)).collect();
    let proof = Proof::of_newest(Head::start(Epoch(1)), &with_facts, 2, &key).unwrap();
    assert_eq!(proof.check(&key.verifying_key()).unwrap(), entries[2]);
    let nothing = Proof::of_newest(Head::start(Epoch(1)), &with_facts, 3, &key);
    assert_eq!(nothing.unwrap_err().code(), "not_there");
}

#[test]
fn one_flipped_bit_anywhere_ends_a_proof() {
    let (entries, segment, key) = signed(5);
    let whole = Proof::of(&entries, 3, &segment, &key.verifying_key()).unwrap().to_bytes();
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let checked = Proof::from_bytes(&bytes).and_then(|proof| proof.check(&key.verifying_key()));
        assert!(checked.is_err(), "bit {bit}");
    }
}

#[test]
fn what_was_changed_is_named() {
    let (entries, segment, key) = signed(5);
    let trusted = key.verifying_key();
    let proof = Proof::of(&entries, 3, &segment, &trusted).unwrap();
    let code = |proof: &Proof| proof.check(&trusted).unwrap_err().code();
    let stranger = SigningKey::from_bytes(&[9; 32]).verifying_key();
    assert_eq!(proof.check(&stranger).unwrap_err(), ProofError::OtherKey);
    let renamed = Proof {
        key: stranger.to_bytes(),
        ..proof.clone()
    };
    assert_eq!(
        renamed.check(&stranger).unwrap_err(),
        ProofError::Signature,
        "a foreign key did not sign it"
    );
    let mut dearer = proof.clone();
    *dearer.entry.last_mut().unwrap() ^= 1;
    assert_eq!(code(&dearer), "path");
    let mut sums = proof.clone();
    sums.segment.sums.sales.0 += 1;
    assert_eq!(code(&sums), "signature");
    let mut shorter = proof.clone();
    shorter.path.pop();
    assert_eq!(code(&shorter), "path");
    let mut other = proof.clone();
    other.entry = chain(9)[8].bytes.clone();
    assert_eq!(code(&other), "out_of_range");
    let mut cut = proof;
    cut.entry.truncate(100);
    assert_eq!(code(&cut), "entry");
}
