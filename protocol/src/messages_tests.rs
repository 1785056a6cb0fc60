//! Messages survive the wire, and what was changed on the way is noticed.

use backroom_core::journal::{FiscalBlock, Header, Retention};
use backroom_core::time::BusinessDay;
use proptest::prelude::*;

use super::*;

fn here() -> Address {
    Address {
        tenant: "thread".parse().unwrap(),
        store: "berlin".parse().unwrap(),
    }
}

fn entries(count: u64) -> Vec<Entry> {
    let mut before = Hash::ZERO;
    let mut entries = Vec::new();
    for seq in 1..=count {
        let header = Header {
            tenant: here().tenant,
            store: here().store,
            epoch: Epoch(1),
            seq: Seq(seq),
            prev_hash: before,
            at: Instant::from_micros(1_795_000_000_000_000).unwrap(),
            time_trusted: true,
            business_day: BusinessDay::from_days(20_775).unwrap(),
            kind: 900,
            command_id: None,
            device: None,
            staff: None,
            retention: Retention(0),
            fiscal: FiscalBlock::default(),
        };
        let entry = Entry::write(header, b"a kind of tomorrow");
        before = entry.hash;
        entries.push(entry);
    }
    entries
}

fn batch(key: &SigningKey) -> Vec<u8> {
    let entries = entries(3);
    let head = BatchHead {
        address: here(),
        epoch: Epoch(1),
        first: Seq(1),
        last: Seq(3),
        round: 0,
        last_hash: entries[2].hash,
    };
    write_batch(&head, entries.into_iter().map(|entry| entry.bytes).collect(), key)
}

#[test]
fn a_batch_arrives_whole_and_signed() {
    let key = SigningKey::from_bytes(&[5; 32]);
    let received = read_batch(&batch(&key)).unwrap();
    received.message.head.check(&received.signature, &key.verifying_key()).unwrap();
    assert_eq!(received.message.entries, entries(3));
}

#[test]
fn a_batch_that_lost_an_entry_on_the_way_is_refused() {
    let key = SigningKey::from_bytes(&[5; 32]);
    let mut entries: Vec<_> = entries(3).into_iter().map(|entry| entry.bytes).collect();
    entries.remove(1);
    let head = BatchHead {
        address: here(),
        epoch: Epoch(1),
        first: Seq(1),
        last: Seq(3),
        round: 0,
        last_hash: Hash::ZERO,
    };
    let refused = read_batch(&write_batch(&head, entries, &key)).unwrap_err().to_string();
    assert_eq!(
        refused,
        "the batch announces 1..3 but holds something else: entry 3 does not follow"
    );
}

#[test]
fn the_other_messages_arrive_as_they_were_sent() {
    let key = SigningKey::from_bytes(&[6; 32]);
    let hello = Hello {
        address: here(),
        heads: vec![Head::start(Epoch(1))],
        directives_through: 3,
        version: "0.1.0".into(),
    };
    let read = read_hello(&write_hello(&hello, &key)).unwrap();
    read.message.check(&read.signature, &key.verifying_key()).unwrap();
    assert_eq!(read.message, hello);

    let mark = Watermark {
        address: here(),
        incarnation: Uuid::from_u128(2),
        counter: 1,
        epoch: Epoch(1),
        held: Seq(3),
        applied: Seq(2),
        hash: Hash([1; 32]),
    };
    let read = read_watermark(&write_watermark(&mark, &key)).unwrap();
    read.message.check(&read.signature, &key.verifying_key()).unwrap();
    assert_eq!(read.message, mark);

    let resend = Resend {
        address: here(),
        epoch: Epoch(1),
        first: Seq(2),
        last: Seq(9),
        round: 4,
    };
    let read = read_resend(&write_resend(&resend, &key)).unwrap();
    read.message.check(&read.signature, &key.verifying_key()).unwrap();
    assert_eq!(read.message, resend);

    let change = PriceChange {
        sku: "MUG".parse().unwrap(),
        price: Money(700),
        currency: "EUR".parse().unwrap(),
        effective_at: Instant::from_micros(1_795_000_000_000_000).unwrap(),
    };
    let directive = Directive {
        address: here(),
        number: 12,
        order: Order::Price(change),
    };
    let read = read_directive(&write_directive(&directive, &key)).unwrap();
    read.message.check(&read.signature, &key.verifying_key()).unwrap();
    assert_eq!(read.message, directive);
    let dearer = match directive.order.clone() {
        Order::Price(change) => Directive {
            order: Order::Price(PriceChange {
                price: Money(701),
                ..change
            }),
            ..directive
        },
    };
    assert!(dearer.check(&read.signature, &key.verifying_key()).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz_one(&bytes);
    }

    #[test]
    fn a_mutated_batch_never_passes_as_the_signed_one(at in 0usize..700, byte in any::<u8>()) {
        let key = SigningKey::from_bytes(&[5; 32]);
        let honest = batch(&key);
        let mut bytes = honest.clone();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        if let Ok(read) = read_batch(&bytes) {
            let same = read.message.entries == read_batch(&honest).unwrap().message.entries;
            prop_assert!(same || read.message.head.check(&read.signature, &key.verifying_key()).is_err());
        }
    }
}
