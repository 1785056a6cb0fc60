//! What a link hears: frames in every size of piece, frames that are wrong, and parameters that are.

use backroom_llrp::frame::{Decoder, FrameError, HEADER_LEN, Message, Side, Taken, Version};
use backroom_llrp::message_type::MessageType;
use backroom_llrp::parameter::{Parameter, ParameterError, walk};
use backroom_llrp::report::{ReportError, TagReport, tag_reports};

fn read(side: Side, bytes: &[u8]) -> Result<Taken, FrameError> {
    Decoder::new(side).take(&mut &bytes[..])
}

fn keepalive(id: u32) -> Message {
    Message {
        version: Version::V1_0_1,
        kind: MessageType::KEEPALIVE,
        id,
        body: vec![],
    }
}

#[test]
fn a_keepalive_is_these_ten_bytes() {
    assert_eq!(keepalive(0x0102_0304).to_bytes().unwrap(), [0x04, 62, 0, 0, 0, 10, 1, 2, 3, 4]);
    let newer = Message {
        version: Version::V1_1,
        kind: MessageType::CUSTOM_MESSAGE,
        body: vec![9],
        ..keepalive(7)
    };
    let bytes = [0x0b, 0xff, 0, 0, 0, 11, 0, 0, 0, 7, 9];
    assert_eq!(newer.to_bytes().unwrap(), bytes);
    assert_eq!(read(Side::Reader, &bytes), Ok(Taken::Message(newer)));
}

#[test]
fn not_enough_yet_says_how_much_more_is_needed() {
    let bytes = [0x04, 61, 0, 0, 0, 14, 0, 0, 0, 1, 5, 6, 7, 8];
    for had in 0..bytes.len() {
        let bytes_missing = if had < HEADER_LEN { HEADER_LEN - had } else { bytes.len() - had };
        assert_eq!(
            read(Side::Client, &bytes[..had]),
            Ok(Taken::NeedsMore { bytes: bytes_missing }),
            "after {had}"
        );
    }
}

#[test]
fn joined_messages_come_out_one_by_one_and_a_split_one_waits_for_its_rest() {
    let mut stream = Vec::new();
    for id in 0..3 {
        stream.extend(keepalive(id).to_bytes().unwrap());
    }
    let mut decoder = Decoder::new(Side::Client);
    let mut piece = &stream[..24];
    assert_eq!(decoder.take(&mut piece), Ok(Taken::Message(keepalive(0))));
    assert_eq!(decoder.take(&mut piece), Ok(Taken::Message(keepalive(1))));
    assert_eq!(decoder.take(&mut piece), Ok(Taken::NeedsMore { bytes: 6 }));
    assert!(piece.is_empty());
    assert_eq!(decoder.take(&mut &stream[24..]), Ok(Taken::Message(keepalive(2))));
}

#[test]
fn what_cannot_be_llrp_is_refused_at_its_first_wrong_byte() {
    // A browser, to either side.
    assert_eq!(read(Side::Reader, b"G"), Err(FrameError::Reserved { bits: 2 }));
    assert!(matches!(read(Side::Client, b"GET / "), Err(FrameError::TooLong { .. })));
    assert_eq!(read(Side::Client, &[0x00]), Err(FrameError::Version { version: 0 }));
    assert_eq!(read(Side::Client, &[0x0c, 62]), Err(FrameError::Version { version: 3 }));
    assert_eq!(read(Side::Client, &[0x04, 62, 0, 0, 0, 9]), Err(FrameError::TooShort { length: 9 }));
    let limit = 4 << 20;
    assert_eq!(
        read(Side::Client, &[0x04, 62, 0, 0x40, 0, 1]),
        Err(FrameError::TooLong { length: limit + 1, limit })
    );
    assert_eq!(read(Side::Client, &[0x04, 62, 0, 0x40, 0, 0]), Ok(Taken::NeedsMore { bytes: 4 }));
}

#[test]
fn a_wrong_stream_stays_wrong() {
    let mut decoder = Decoder::with_limit(Side::Client, 100);
    let wrong = Err(FrameError::TooLong { length: 101, limit: 100 });
    assert_eq!(decoder.take(&mut &[0x04, 62, 0, 0, 0, 101][..]), wrong);
    assert_eq!(decoder.take(&mut &keepalive(1).to_bytes().unwrap()[..]), wrong);
}

#[test]
fn reserved_bits_are_refused_by_a_reader_and_ignored_by_a_client() {
    let bytes = [0xe4, 62, 0, 0, 0, 10, 0, 0, 0, 1];
    assert_eq!(read(Side::Reader, &bytes), Err(FrameError::Reserved { bits: 7 }));
    assert_eq!(read(Side::Client, &bytes), Ok(Taken::Message(keepalive(1))));
    let parameter = [0x40, 240, 0, 4];
    assert_eq!(walk(&parameter, Side::Reader).next(), Some(Err(ParameterError::Reserved { at: 0 })));
    assert_eq!(walk(&parameter, Side::Client).next(), Some(Ok(Parameter { kind: 240, value: &[] })));
}

#[test]
fn every_short_parameter_is_as_long_as_the_standard_says() {
    let lengths = [
        (1, 2),
        (2, 8),
        (3, 8),
        (4, 8),
        (5, 8),
        (6, 1),
        (7, 2),
        (8, 2),
        (9, 4),
        (10, 2),
        (11, 2),
        (12, 2),
        (13, 12),
        (14, 2),
        (15, 2),
        (16, 4),
        (17, 2),
        (18, 4),
        (19, 2),
        (20, 2),
    ];
    for (kind, length) in lengths {
        let bytes: Vec<u8> = std::iter::once(0x80 | kind as u8).chain(0..40).collect();
        let value: Vec<u8> = (0..length).collect();
        assert_eq!(walk(&bytes, Side::Client).next(), Some(Ok(Parameter { kind, value: &value })));
        let cut = ParameterError::Cut {
            needs: usize::from(length) + 1,
            has: usize::from(length),
            at: 0,
        };
        assert_eq!(walk(&bytes[..usize::from(length)], Side::Client).next(), Some(Err(cut)));
    }
    for kind in [0, 21, 127] {
        let wrong = ParameterError::UnknownTv { kind, at: 0 };
        assert_eq!(walk(&[0x80 | kind as u8, 0], Side::Client).next(), Some(Err(wrong)));
    }
}

#[test]
fn a_walk_ends_after_the_first_wrong_parameter() {
    let check = |bytes: &[u8], expected: ParameterError| {
        let mut body = vec![0x03, 0xff, 0, 5, 1];
        body.extend(bytes);
        let mut parameters = walk(&body, Side::Client);
        assert_eq!(parameters.next(), Some(Ok(Parameter { kind: 1023, value: &[1] })));
        assert_eq!(parameters.next(), Some(Err(expected)));
        assert_eq!(parameters.next(), None);
    };
    check(&[0, 240, 0], ParameterError::Cut { needs: 4, has: 3, at: 5 });
    check(
        &[0, 240, 0, 3, 0],
        ParameterError::TooShort {
            kind: 240,
            length: 3,
            at: 5,
        },
    );
    check(&[0, 240, 0, 6, 0], ParameterError::Cut { needs: 6, has: 5, at: 5 });
    check(&[0, 127, 0, 4], ParameterError::NotTlv { kind: 127, at: 5 });
}

fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, kind, 0, 4 + value.len() as u8];
    bytes.extend(value);
    bytes
}

#[test]
fn a_tag_with_all_that_a_reader_can_tell_is_read_and_unknown_parameters_are_stepped_over() {
    let mut tag = tlv(241, &[0, 20, 0xab, 0xcd, 0xef]);
    tag.extend([0x81, 0, 3, 0x86, 0xd0, 0x88, 0, 42, 0x8c, 0x30, 0]);
    for kind in 2..=5 {
        tag.extend([0x80 | kind, 0, 0, 0, 0, 0, 0, 0, kind]);
    }
    tag.extend([0x03, 0xff, 0, 9, 1, 2, 3, 4, 5]);
    let mut body = tlv(242, &[1]);
    body.extend(tlv(240, &tag));
    let tags: Vec<TagReport> = tag_reports(&body).map(Result::unwrap).collect();
    let [tag] = &tags[..] else { panic!("one tag was reported") };
    // Twenty bits: the last four of the three bytes are filling.
    assert_eq!((tag.epc.bits(), tag.epc.to_string().as_str()), (20, "abcde0"));
    assert_eq!((tag.antenna, tag.peak_rssi_dbm, tag.seen_count), (Some(3), Some(-48), Some(42)));
    assert_eq!((tag.first_seen_utc_us, tag.first_seen_uptime_us), (Some(2), Some(3)));
    assert_eq!((tag.last_seen_utc_us, tag.last_seen_uptime_us), (Some(4), Some(5)));
}

#[test]
fn a_report_that_is_wrong_says_how_and_keeps_the_tags_before() {
    let good = tlv(240, &tlv(241, &[0, 8, 1]));
    let check = |wrong: &[u8], expected: ReportError| {
        let mut body = good.clone();
        body.extend(tlv(240, wrong));
        body.extend(&good);
        let mut tags = tag_reports(&body);
        assert!(matches!(tags.next(), Some(Ok(_))));
        assert_eq!(tags.next(), Some(Err(expected)));
        assert_eq!(tags.next(), None);
    };
    check(&[0x81, 0, 1], ReportError::NoEpc);
    check(&[0x81, 0, 1, 0x81, 0, 1], ReportError::Twice { kind: 1 });
    check(&tlv(241, &[0]), ReportError::EpcLength { bits: 0, bytes: 1 });
    check(&tlv(241, &[0, 9, 1]), ReportError::EpcLength { bits: 9, bytes: 1 });
    check(&tlv(241, &[0, 8, 1, 1]), ReportError::EpcLength { bits: 8, bytes: 2 });
    check(&[0x95], ReportError::Parameter(ParameterError::UnknownTv { kind: 21, at: 0 }));
    assert_eq!(tag_reports(&[]).next(), None);
}
