//! Stories of a receipt that is checked far from its shop.

use backroom_core::journal::segment::Builder;
use backroom_core::journal::{Entry, Epoch, FiscalBlock, Hash, Head, Retention, Segment, Seq};
use backroom_core::time::{BusinessDay, Instant};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;
use crate::payload::tests::one_of_each;

fn entries() -> Vec<(Entry, Fact)> {
    let mut head = Head::start(Epoch(1));
    let entry = |fact: Fact| {
        let header = Header {
            tenant: "thread".parse().unwrap(),
            store: "berlin".parse().unwrap(),
            epoch: Epoch(1),
            seq: Seq(head.seq.0 + 1),
            prev_hash: head.hash,
            at: Instant::from_micros(1_795_000_000_000_000).unwrap(),
            time_trusted: true,
            business_day: BusinessDay::from_days(20_775).unwrap(),
            kind: fact.kind() as u16,
            command_id: None,
            device: None,
            staff: None,
            retention: Retention::EVER,
            fiscal: FiscalBlock::default(),
        };
        let entry = Entry::write(header, &payload::encode(&fact));
        head.follow(&entry).unwrap();
        (entry, fact)
    };
    one_of_each().into_iter().map(entry).collect()
}

fn proof(of: usize) -> (Proof, Segment, VerifyingKey) {
    let key = SigningKey::from_bytes(&[1; 32]);
    let mut built = Builder::after(Head::start(Epoch(1)));
    let all = entries();
    all.iter().for_each(|(entry, fact)| built.push(entry, Some(fact)).unwrap());
    let segment = built.sign(&key).unwrap();
    let entries: Vec<Entry> = all.into_iter().map(|(entry, _)| entry).collect();
    let proof = Proof::of(&entries, of, &segment, &key.verifying_key()).unwrap();
    (proof, segment, key.verifying_key())
}

const TICKET: usize = 8;

#[test]
fn a_stranger_reads_a_receipt_from_a_file_and_the_shops_key_alone() {
    let (proof, segment, trusted) = proof(TICKET);
    assert_eq!((segment.sums.receipts, segment.sums.sales.0), (1, 1190));
    for file in [serde_json::to_vec(&proof).unwrap(), proof.to_bytes()] {
        let told = check(&read(&file).unwrap(), &trusted).unwrap();
        assert_eq!(told.ticket.due.0, 1190);
        assert_eq!(told.ticket.receipt.unwrap().to_string(), "r1/1/5");
    }
    let hex: String = trusted.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(key(&hex).unwrap(), trusted);
    assert_eq!(key("beef").unwrap_err().code(), "key");
}

#[test]
fn a_genuine_entry_that_is_no_receipt_is_called_so() {
    let (proof, _, trusted) = proof(4);
    assert_eq!(check(&proof, &trusted).unwrap_err().code(), "not_a_receipt");
}

#[test]
fn whatever_is_changed_in_the_file_is_named() {
    let (proof, _, trusted) = proof(TICKET);
    let text = serde_json::to_string(&proof).unwrap();
    let refuse = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        read(changed.as_bytes())
            .and_then(|proof| check(&proof, &trusted))
            .unwrap_err()
            .code()
    };
    assert_eq!(refuse("backroom receipt 1", "backroom receipt 2"), "form");
    assert_eq!(refuse("\"store\":\"berlin\"", "\"store\":\"munich\""), "signature");
    assert_eq!(refuse("\"sales\":1190", "\"sales\":1191"), "signature");
    assert_eq!(refuse("\"entry\":\"42", "\"entry\":\"43"), "entry");
    let path: String = proof.path[0].into();
    assert_eq!(refuse(&path, &Hash::ZERO.to_string()), "path");
    assert_eq!(refuse("\"key\":\"", "\"key\":\"00"), "form");
}

proptest! {
    #[test]
    fn any_bytes_are_a_proof_or_not(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        fuzz_one(&bytes);
    }

    #[test]
    fn mutated_proofs_are_checked_without_a_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), json in any::<bool>()) {
        let (proof, _, trusted) = proof(TICKET);
        let mut bytes = if json { serde_json::to_vec(&proof).unwrap() } else { proof.to_bytes() };
        let at = at.index(bytes.len());
        let before = std::mem::replace(&mut bytes[at], byte);
        fuzz_one(&bytes);
        let holds = read(&bytes).and_then(|proof| check(&proof, &trusted)).is_ok();
        // The case of a hex digit means nothing.
        prop_assert!(!holds || before.eq_ignore_ascii_case(&byte));
    }
}
