//! What a terminal and its register hear of each other: frames in every size of piece, messages that are wrong, and card data that is
//! dropped.
#![expect(clippy::unwrap_used, reason = "a test may simply stop")]

use backroom_devices::zvt::apdu::{Apdu, ApduError, Decoder};
use backroom_devices::zvt::digits::Password;
use backroom_devices::zvt::fields::{Date, Fields, Malformed, Time};
use backroom_devices::zvt::fuzz_one;
use backroom_devices::zvt::packet::Packet;
use backroom_devices::zvt::tlv::{KnownReceipt, Tlv};
use backroom_devices::zvt::words::Words;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn read(bytes: &[u8], piece: usize) -> Vec<Packet> {
    let mut decoder = Decoder::default();
    let mut packets = Vec::new();
    for piece in bytes.chunks(piece) {
        decoder.feed(piece);
        while let Some(apdu) = decoder.take().unwrap() {
            packets.push(Packet::decode(&apdu).unwrap());
        }
    }
    packets
}

fn bytes(packet: &Packet) -> Vec<u8> {
    packet.encode().to_bytes().unwrap()
}

fn password() -> Password {
    "123456".parse().unwrap()
}

#[track_caller]
fn check(packet: Packet, expected: &[u8]) {
    assert_eq!(bytes(&packet), expected, "{packet:?}");
    assert_eq!(read(expected, 1), [packet]);
}

#[test]
fn commands_are_these_bytes() {
    check(
        Packet::Registration {
            password: password(),
            config: 0x38,
            currency: Some(978),
            fields: Fields::default(),
        },
        &[0x06, 0x00, 6, 0x12, 0x34, 0x56, 0x38, 0x09, 0x78],
    );
    check(
        Packet::Authorization(Fields {
            amount: Some(1299),
            currency: Some(978),
            ..Fields::default()
        }),
        &[0x06, 0x01, 10, 0x04, 0, 0, 0, 0, 0x12, 0x99, 0x49, 0x09, 0x78],
    );
    check(
        Packet::RepeatReceipt {
            password: password(),
            fields: Fields {
                service: Some(3),
                ..Fields::default()
            },
        },
        &[0x06, 0x20, 5, 0x12, 0x34, 0x56, 0x03, 0x03],
    );
    check(
        Packet::Reversal {
            password: password(),
            fields: Fields {
                receipt: Some(42),
                ..Fields::default()
            },
        },
        &[0x06, 0x30, 6, 0x12, 0x34, 0x56, 0x87, 0x00, 0x42],
    );
    check(Packet::Abort, &[0x06, 0xb0, 0]);
    check(Packet::Ack, &[0x80, 0x00, 0]);
    check(Packet::Refused { code: 0x9c }, &[0x84, 0x9c, 0]);
    check(
        Packet::Failed {
            code: 0x6c,
            fields: Fields::default(),
        },
        &[0x06, 0x1e, 1, 0x6c],
    );
    let mirror = |known_receipt| {
        Packet::Authorization(Fields {
            tlv: Tlv {
                known_receipt,
                ..Tlv::default()
            },
            ..Fields::default()
        })
    };
    check(mirror(Some(KnownReceipt::NoneYet)), &[0x06, 0x01, 5, 0x06, 3, 0x1f, 0x1f, 0]);
    check(
        mirror(Some(KnownReceipt::Number(41))),
        &[0x06, 0x01, 7, 0x06, 5, 0x1f, 0x1f, 2, 0x00, 0x41],
    );
}

#[test]
fn a_status_is_these_bytes() {
    let status = Fields {
        amount: Some(1),
        trace: Some(123_456),
        time: Some(Time {
            hour: 14,
            minute: 5,
            second: 59,
        }),
        date: Some(Date { month: 11, day: 3 }),
        result: Some(0),
        terminal_id: Some(52_500_041),
        currency: Some(978),
        receipt: Some(9),
        card_type: Some(5),
        card_name: Some(Words::new("girocard")),
        ..Fields::default()
    };
    let mut expected = vec![0x04, 0x0f, 50];
    expected.extend([
        0x04, 0, 0, 0, 0, 0, 1, 0x0b, 0x12, 0x34, 0x56, 0x0c, 0x14, 0x05, 0x59, 0x0d, 0x11, 0x03,
    ]);
    expected.extend([0x27, 0, 0x29, 0x52, 0x50, 0x00, 0x41, 0x49, 0x09, 0x78, 0x87, 0x00, 0x09, 0x8a, 5]);
    expected.extend([0x8b, 0xf0, 0xf9]);
    expected.extend(b"girocard\0");
    expected[2] = (expected.len() - 3) as u8;
    check(Packet::Status(status), &expected);
}

#[test]
fn everything_about_the_card_is_dropped_while_reading() {
    let mut data = vec![0x04, 0, 0, 0, 0, 0x05, 0x00];
    let eights = [0x88; 8];
    data.extend([0x22, 0xf0, 0xf8]);
    data.extend(eights);
    data.extend([0x23, 0xf0, 0xf8]);
    data.extend(eights);
    data.extend([0x24, 0xf0, 0xf0, 0xf8]);
    data.extend(eights);
    data.extend([0x0e, 0x88, 0x88, 0x3a, 0x88, 0x88, 0x17, 0x88, 0x88]);
    // The same in the container, under a tag of its own.
    data.extend([0x06, 10, 0x5a, 8]);
    data.extend(eights);
    data.extend([0x3c, 0xf0, 0xf1, 0xf6]);
    data.extend(b"8888888888888888");
    data.extend([0x27, 0x00]);
    let packet = Packet::decode(&Apdu {
        control: [0x04, 0x0f],
        data,
    })
    .unwrap();
    assert!(!format!("{packet:?}").contains("88888"), "{packet:?}");
    assert!(!bytes(&packet).windows(2).any(|pair| pair == [0x88, 0x88]));
    let Packet::Status(fields) = packet else { panic!("{packet:?}") };
    assert_eq!((fields.amount, fields.result), (Some(500), Some(0)));
}

#[test]
fn secrets_are_not_shown() {
    let packet = Packet::Reversal {
        password: password(),
        fields: Fields::default(),
    };
    assert!(!format!("{packet:?}").contains("1234"));
}

#[test]
fn a_field_nobody_knows_ends_the_reading_and_what_was_read_counts() {
    let status = |data: &[u8]| {
        Packet::decode(&Apdu {
            control: [0x04, 0x0f],
            data: data.to_vec(),
        })
    };
    let known = Fields {
        result: Some(0),
        ..Fields::default()
    };
    assert_eq!(status(&[0x27, 0, 0x7f, 1, 2, 3, 0x87, 0, 1]), Ok(Packet::Status(known)));
    let no_digits = Fields {
        result: Some(0),
        ..Fields::default()
    };
    assert_eq!(status(&[0x87, 0xff, 0xff, 0x27, 0]), Ok(Packet::Status(no_digits)));
    assert_eq!(status(&[0x04, 0, 0]), Err(Malformed::Short));
    assert_eq!(status(&[0x8b, 0xf0]), Err(Malformed::Short));
    assert_eq!(status(&[0x8b, 0xf0, 0xff]), Err(Malformed::Length));
    assert_eq!(status(&[0x06, 0x83, 0, 0, 0]), Err(Malformed::Length));
}

#[test]
fn a_long_message_has_its_length_in_two_bytes_the_smaller_first() {
    for length in [0, 254, 255, 256, 4000] {
        let apdu = Apdu {
            control: [0x06, 0xd3],
            data: vec![7; length],
        };
        let bytes = apdu.to_bytes().unwrap();
        assert_eq!(bytes.len() - length, if length < 255 { 3 } else { 5 });
        for piece in [1, 2, 3, bytes.len()] {
            let mut decoder = Decoder::default();
            let mut taken = Vec::new();
            for piece in bytes.chunks(piece) {
                decoder.feed(piece);
                taken.extend(decoder.take().unwrap());
            }
            assert_eq!(taken, std::slice::from_ref(&apdu));
        }
    }
    assert!(
        Apdu {
            control: [0, 0],
            data: vec![0; 65_536]
        }
        .to_bytes()
        .is_err()
    );
}

#[test]
fn a_message_beyond_the_limit_ends_the_stream() {
    let mut decoder = Decoder::with_limit(300);
    decoder.feed(&[0x04, 0x0f, 0xff, 0x2d, 0x01]);
    let wrong = ApduError::TooLong { length: 301, limit: 300 };
    assert_eq!(decoder.take(), Err(wrong.clone()));
    decoder.feed(&[0x80, 0, 0]);
    assert_eq!(decoder.take(), Err(wrong));
}

fn words(longest: usize) -> impl Strategy<Value = Words> {
    let pattern = format!("[ -~äöüÄÖÜß]{{1,{longest}}}");
    proptest::string::string_regex(&pattern).unwrap().prop_map(|text| Words::new(&text))
}

prop_compose! {
    fn fields()(
        service in option::of(any::<u8>()),
        amount in option::of(0u64..1_000_000_000_000),
        trace in option::of(0u32..1_000_000),
        time in option::of((0u8..24, 0u8..60, 0u8..60)),
        date in option::of((1u8..=12, 1u8..=31)),
        result in option::of(any::<u8>()),
        terminal_id in option::of(0u32..100_000_000),
        original_trace in option::of(0u32..1_000_000),
        texts in (option::of(words(200)), option::of(words(98)), option::of(words(150)), vec(words(40), 0..4)),
        numbers in (option::of(0u16..10_000), option::of(0u16..10_000), option::of(any::<u8>())),
        known_receipt in option::of(option::of(0u16..10_000)),
    ) -> Fields {
        Fields {
            service, amount, trace, result, terminal_id, original_trace,
            time: time.map(|(hour, minute, second)| Time { hour, minute, second }),
            date: date.map(|(month, day)| Date { month, day }),
            text: texts.0,
            currency: numbers.0,
            receipt: numbers.1,
            card_type: numbers.2,
            card_name: texts.1,
            tlv: Tlv {
                known_receipt: known_receipt.map(|number| number.map_or(KnownReceipt::NoneYet, KnownReceipt::Number)),
                error_text: texts.2,
                display: texts.3,
            },
        }
    }
}

fn packet() -> impl Strategy<Value = Packet> {
    let code = any::<u8>;
    prop_oneof![
        (code(), 0u16..1000, fields()).prop_map(|(config, currency, fields)| Packet::Registration {
            password: password(),
            config,
            currency: Some(currency),
            fields
        }),
        fields().prop_map(Packet::Authorization),
        Just(Packet::LogOff),
        fields().prop_map(|fields| Packet::RepeatReceipt {
            password: password(),
            fields
        }),
        fields().prop_map(|fields| Packet::Reversal {
            password: password(),
            fields
        }),
        fields().prop_map(|fields| Packet::Refund {
            password: password(),
            fields
        }),
        Just(Packet::EndOfDay { password: password() }),
        Just(Packet::Abort),
        fields().prop_map(|fields| Packet::StatusEnquiry {
            password: password(),
            fields
        }),
        fields().prop_map(Packet::Status),
        (code(), code(), fields()).prop_map(|(code, minutes, fields)| Packet::Progress {
            code,
            minutes: Some(minutes),
            fields
        }),
        code().prop_map(|code| Packet::Progress {
            code,
            minutes: None,
            fields: Fields::default()
        }),
        fields().prop_map(Packet::Completed),
        (code(), fields()).prop_map(|(code, fields)| Packet::Failed { code, fields }),
        Just(Packet::Print),
        Just(Packet::Ack),
        code().prop_map(|code| Packet::Refused { code }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_again_in_any_pieces(packets in vec(packet(), 1..5), piece in 1usize..9) {
        let stream: Vec<u8> = packets.iter().flat_map(bytes).collect();
        prop_assert_eq!(&read(&stream, piece), &packets);
        let again: Vec<u8> = read(&stream, stream.len()).iter().flat_map(bytes).collect();
        prop_assert_eq!(again, stream);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..300)) {
        fuzz_one(&bytes);
    }

    #[test]
    fn a_garbled_message_is_read_without_a_panic(packet in packet(), garble in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
        let mut bytes = bytes(&packet);
        for (place, byte) in garble {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        fuzz_one(&bytes);
    }
}
