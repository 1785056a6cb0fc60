//! Recordings of a real reader (`captures/SOURCE.md`), against what another project's decoder read in them; and the same bytes
//! cut, joined and damaged.

#![expect(clippy::unwrap_used, reason = "a test may simply stop, in its helpers too")]

use std::path::Path;

use backroom_llrp::frame::{Decoder, Message, Side, Taken, Version};
use backroom_llrp::fuzz_one;
use backroom_llrp::message::Said;
use backroom_llrp::message_type::MessageType;
use backroom_llrp::parameter::walk;
use backroom_llrp::report::{TagReport, tag_reports};
use data_encoding::{BASE64, HEXLOWER};
use proptest::prelude::*;
use serde_json::Value;

const CAPTURES: [(&str, MessageType); 8] = [
    ("GetReaderCapabilitiesResponse-000", MessageType::GET_READER_CAPABILITIES_RESPONSE),
    ("GetReaderConfigResponse-000", MessageType::GET_READER_CONFIG_RESPONSE),
    ("GetROSpecsResponse-000", MessageType::GET_ROSPECS_RESPONSE),
    ("GetAccessSpecsResponse-000", MessageType::GET_ACCESSSPECS_RESPONSE),
    ("CloseConnectionResponse-000", MessageType::CLOSE_CONNECTION_RESPONSE),
    ("ROAccessReport-001", MessageType::RO_ACCESS_REPORT),
    ("ROAccessReport-002", MessageType::RO_ACCESS_REPORT),
    ("ReaderEventNotification-000", MessageType::READER_EVENT_NOTIFICATION),
];

fn file(name: &str, ending: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/captures/{name}.{ending}"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&file(name, "json")).unwrap()
}

/// The recordings have no headers; each gets one here, with its place in the list as id.
fn messages() -> Vec<Message> {
    let with_header = |(id, &(name, kind)): (usize, &(&str, MessageType))| Message {
        version: Version::V1_0_1,
        kind,
        id: id as u32,
        body: file(name, "bytes"),
    };
    CAPTURES.iter().enumerate().map(with_header).collect()
}

fn stream() -> Vec<u8> {
    messages().iter().flat_map(|message| message.to_bytes().unwrap()).collect()
}

fn kinds_in(bytes: &[u8]) -> Vec<u16> {
    walk(bytes, Side::Reader).map(|parameter| parameter.unwrap().kind).collect()
}

#[test]
fn the_recorded_reports_say_what_the_other_decoder_read() {
    for name in ["ROAccessReport-001", "ROAccessReport-002"] {
        let tags: Vec<TagReport> = tag_reports(&file(name, "bytes")).map(Result::unwrap).collect();
        let json = json(name);
        let expected = json["TagReportData"].as_array().unwrap();
        assert_eq!(tags.len(), expected.len());
        for (tag, expected) in tags.iter().zip(expected) {
            let epc = BASE64.decode(expected["EPC96"]["EPC"].as_str().unwrap().as_bytes()).unwrap();
            assert_eq!(
                (tag.epc.bits(), tag.epc.bytes(), tag.epc.to_string()),
                (96, &epc[..], HEXLOWER.encode(&epc))
            );
            assert_eq!(tag.antenna.map(u64::from), expected["AntennaID"].as_u64());
            assert_eq!(tag.peak_rssi_dbm.map(i64::from), expected["PeakRSSI"].as_i64());
            assert_eq!(tag.first_seen_utc_us, expected["FirstSeenUTC"].as_u64());
            assert_eq!(tag.first_seen_uptime_us, expected["FirstSeenUptime"].as_u64());
            assert_eq!(tag.last_seen_utc_us, expected["LastSeenUTC"].as_u64());
            assert_eq!(tag.last_seen_uptime_us, expected["LastSeenUptime"].as_u64());
            assert_eq!(tag.seen_count.map(u64::from), expected["TagSeenCount"].as_u64());
        }
    }
}

#[test]
fn the_recorded_configuration_walks_to_as_many_parameters_as_the_other_decoder_read() {
    let json = json("GetReaderConfigResponse-000");
    let kinds = kinds_in(&file("GetReaderConfigResponse-000", "bytes"));
    let lists = [
        ("AntennaProperties", 221),
        ("AntennaConfigurations", 222),
        ("GPIPortCurrentStates", 225),
        ("GPOWriteData", 219),
    ];
    for (list, kind) in lists {
        assert_eq!(
            kinds.iter().filter(|&&found| found == kind).count(),
            json[list].as_array().unwrap().len(),
            "{list}"
        );
    }
    // LLRPStatus, Identification, ReaderEventNotificationSpec, ROReportSpec, AccessReportSpec, the state, KeepaliveSpec, EventsAndReports.
    for kind in [287, 218, 244, 237, 239, 217, 220, 226] {
        assert_eq!(kinds.iter().filter(|&&found| found == kind).count(), 1, "{kind}");
    }
    assert_eq!(kinds.len(), 4 * 4 + 8);
}

#[test]
fn the_recorded_capabilities_walk_down_to_their_tables() {
    let body = file("GetReaderCapabilitiesResponse-000", "bytes");
    let expected = json("GetReaderCapabilitiesResponse-000");
    let device = walk(&body, Side::Reader)
        .map(Result::unwrap)
        .find(|parameter| parameter.kind == 137)
        .unwrap();
    // Antennas, flags, maker and model are 12 bytes, then the firmware's name with its length.
    let (fields, rest) = device.value.split_at(12);
    assert_eq!(
        u64::from(u32::from_be_bytes(fields[4..8].try_into().unwrap())),
        expected["GeneralDeviceCapabilities"]["DeviceManufacturer"]
    );
    let firmware = usize::from(u16::from_be_bytes(rest[..2].try_into().unwrap()));
    assert_eq!(
        std::str::from_utf8(&rest[2..2 + firmware]).unwrap(),
        expected["GeneralDeviceCapabilities"]["FirmwareVersion"]
    );
    let kinds = kinds_in(&rest[2 + firmware..]);
    let count = |list: &str| expected["GeneralDeviceCapabilities"][list].as_array().unwrap().len();
    assert_eq!(kinds.iter().filter(|&&kind| kind == 139).count(), count("ReceiveSensitivities"));
    assert_eq!(kinds.iter().filter(|&&kind| kind == 140).count(), count("PerAntennaAirProtocols"));
}

#[test]
fn the_recorded_event_is_a_goodbye_at_its_time() {
    let body = file("ReaderEventNotification-000", "bytes");
    let event = walk(&body, Side::Reader).next().unwrap().unwrap();
    assert_eq!((event.kind, kinds_in(event.value)), (246, vec![128, 257]));
    let time = walk(event.value, Side::Reader).next().unwrap().unwrap().value;
    assert_eq!(
        u64::from_be_bytes(time.try_into().unwrap()),
        json("ReaderEventNotification-000")["ReaderEventNotificationData"]["UTCTimestamp"]
    );
}

#[test]
fn what_a_real_reader_said_is_understood_and_written_again_byte_for_byte() {
    for message in messages() {
        let wanted = matches!(
            message.kind,
            MessageType::GET_READER_CAPABILITIES_RESPONSE
                | MessageType::GET_READER_CONFIG_RESPONSE
                | MessageType::GET_ROSPECS_RESPONSE
                | MessageType::CLOSE_CONNECTION_RESPONSE
                | MessageType::READER_EVENT_NOTIFICATION
        );
        let said = Said::read(&message, Side::Reader).unwrap();
        assert_eq!(
            said.is_some() && message.kind != MessageType::RO_ACCESS_REPORT,
            wanted,
            "{}",
            message.kind
        );
        if let Some(said) = said.filter(|_| wanted) {
            assert_eq!(said.message(message.version, message.id), Ok(message));
        }
    }
}

#[test]
fn the_recorded_capabilities_say_what_the_other_decoder_read() {
    let expected = json("GetReaderCapabilitiesResponse-000");
    let Ok(Some(Said::GetReaderCapabilitiesResponse(said))) = Said::read(&messages()[0], Side::Client) else {
        panic!("it is understood")
    };
    let device = said.device.unwrap();
    let general = &expected["GeneralDeviceCapabilities"];
    assert_eq!(u64::from(device.antennas), general["MaxSupportedAntennas"]);
    assert_eq!(u64::from(device.model), general["Model"]);
    assert_eq!(device.abilities.has_utc_clock, general["HasUTCClock"]);
    let powers = &said.regulatory.unwrap().uhf.unwrap().powers;
    let list = &expected["RegulatoryCapabilities"]["UHFBandCapabilities"]["TransmitPowerLevels"];
    let expected: Vec<i64> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|power| power["TransmitPowerValue"].as_i64().unwrap())
        .collect();
    assert_eq!(powers.iter().map(|power| i64::from(power.value)).collect::<Vec<_>>(), expected);
}

proptest! {
    #[test]
    fn however_a_recorded_stream_is_cut_the_same_messages_come_out(sizes in prop::collection::vec(1usize..90, 1..40)) {
        let stream = stream();
        let mut rest = &stream[..];
        let mut decoder = Decoder::new(Side::Reader);
        let mut found = Vec::new();
        for size in sizes.iter().cycle() {
            let (mut piece, left) = rest.split_at((*size).min(rest.len()));
            rest = left;
            while let Taken::Message(message) = decoder.take(&mut piece).unwrap() {
                found.push(message);
            }
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(found, messages());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz_one(&bytes);
    }

    #[test]
    fn any_parameters_in_a_right_frame_are_read_or_refused(kind in 0u16..1024, body in prop::collection::vec(prop_oneof![any::<u8>(), 0u8..5, 0xf0u8..0xf2, 0x80u8..0x95], 0..200)) {
        let message = Message { version: Version::V1_1, kind: MessageType::new(kind).unwrap(), id: 1, body };
        fuzz_one(&message.to_bytes().unwrap());
    }

    #[test]
    fn a_damaged_recording_is_read_or_refused(which in 0usize..8, hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>()) {
        let mut bytes = messages()[which].to_bytes().unwrap();
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        fuzz_one(&bytes);
        fuzz_one(&bytes[..cut.index(bytes.len())]);
    }
}
