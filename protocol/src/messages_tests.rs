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

fn hello() -> Hello {
    Hello {
        address: here(),
        heads: vec![Head::start(Epoch(1))],
        directives_through: 3,
        version: "0.1.0".into(),
    }
}

fn mark() -> Watermark {
    Watermark {
        address: here(),
        incarnation: Uuid::from_u128(2),
        counter: 1,
        epoch: Epoch(1),
        held: Seq(3),
        applied: Seq(2),
        hash: Hash([1; 32]),
    }
}

fn resend() -> Resend {
    Resend {
        address: here(),
        epoch: Epoch(1),
        first: Seq(2),
        last: Seq(9),
        round: 4,
    }
}

fn directive() -> Directive {
    let change = PriceChange {
        sku: "MUG".parse().unwrap(),
        price: Money(700),
        currency: "EUR".parse().unwrap(),
        effective_at: Instant::from_micros(1_795_000_000_000_000).unwrap(),
    };
    Directive {
        address: here(),
        number: 12,
        order: Order::Price(change),
    }
}

#[test]
fn the_other_messages_arrive_as_they_were_sent() {
    let key = SigningKey::from_bytes(&[6; 32]);
    let read = read_hello(&write_hello(&hello(), &key)).unwrap();
    read.message.check(&read.signature, &key.verifying_key()).unwrap();
    assert_eq!(read.message, hello());

    let read = read_watermark(&write_watermark(&mark(), &key)).unwrap();
    read.message.check(&read.signature, &key.verifying_key()).unwrap();
    assert_eq!(read.message, mark());

    let read = read_resend(&write_resend(&resend(), &key)).unwrap();
    read.message.check(&read.signature, &key.verifying_key()).unwrap();
    assert_eq!(read.message, resend());

    let read = read_directive(&write_directive(&directive(), &key)).unwrap();
    read.message.check(&read.signature, &key.verifying_key()).unwrap();
    assert_eq!(read.message, directive());
    let Order::Price(change) = directive().order;
    let dearer = Directive {
        order: Order::Price(PriceChange {
            price: Money(701),
            ..change
        }),
        ..directive()
    };
    assert!(dearer.check(&read.signature, &key.verifying_key()).is_err());
}

/// Draft until federation is complete, frozen after: whoever changes these bytes can no longer talk to the other side's last version.
/// One line a message, its word and its bytes with the signature of the key `060606...`; what head office orders has a line for each
/// order.
#[test]
fn version_one_of_every_message_is_written_down() {
    let key = SigningKey::from_bytes(&[6; 32]);
    // A new order does not compile here before it has a line.
    let order = match directive().order {
        Order::Price(_) => "directive/price",
    };
    let all = [
        ("batch", batch(&key)),
        ("hello", write_hello(&hello(), &key)),
        ("watermark", write_watermark(&mark(), &key)),
        ("resend", write_resend(&resend(), &key)),
        (order, write_directive(&directive(), &key)),
    ];
    let line = |(word, bytes): &(&str, Vec<u8>)| {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{word} {hex}\n")
    };
    let now: String = all.iter().map(line).collect();
    let written = include_str!("messages_v1.txt");
    for (was, is) in written.lines().zip(now.lines()) {
        assert_eq!(was, is);
    }
    assert_eq!(written, now, "a message has no line yet");
    for line in written.lines() {
        let (word, hex) = line.split_once(' ').unwrap();
        let bytes: Vec<u8> = (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        let reads = match word {
            "batch" => read_batch(&bytes).is_ok(),
            "hello" => read_hello(&bytes).is_ok(),
            "watermark" => read_watermark(&bytes).is_ok(),
            "resend" => read_resend(&bytes).is_ok(),
            _ => read_directive(&bytes).is_ok(),
        };
        assert!(reads, "{word} is no longer read");
    }
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
