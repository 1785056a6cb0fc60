//! Every message that is understood: what is written is read the same, on both sides, and never longer than it may be; what is wrong
//! is named the way a reader has to answer it.

use proptest::prelude::*;

use crate::config::{KeepaliveSpec, KeepaliveTrigger};
use crate::frame::{Message, Side, Version};
use crate::layout::{BodyError, WriteError};
use crate::message::{AddRoSpec, KeepaliveAck, RoAccessReport, Said, SetReaderConfig, StopRoSpec, samples};
use crate::message_type::MessageType;
use crate::report::{TagBits, TagReport, tag_reports};
use crate::rospec::*;
use crate::status::{LlrpStatus, StatusCode};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_written_is_read_the_same_on_both_sides(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for said in samples(&bytes) {
            let written = said.message(Version::V1_0_1, 7).unwrap();
            for side in [Side::Client, Side::Reader] {
                let read = Said::read(&written, side);
                prop_assert_eq!(read, Ok(Some(said.clone())));
            }
        }
    }

    #[test]
    fn a_damaged_message_is_refused_or_understood_as_written(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for said in samples(&bytes) {
            let mut whole = said.message(Version::V1_0_1, 7).unwrap().to_bytes().unwrap();
            for (at, byte) in &hits {
                let at = at.index(whole.len());
                whole[at] = *byte;
            }
            crate::fuzz_one(&whole);
        }
    }
}

fn inventory() -> RoSpec {
    RoSpec {
        id: 5,
        priority: 0,
        state: RoSpecState::Disabled,
        boundary: RoBoundarySpec {
            start: RoSpecStartTrigger {
                trigger: StartTrigger::Null,
                periodic: None,
                gpi: None,
            },
            stop: RoSpecStopTrigger {
                trigger: StopTrigger::Null,
                duration_ms: 0,
                gpi: None,
            },
        },
        specs: vec![Spec::Inventory(AiSpec {
            antennas: vec![1, 2],
            stop: AiSpecStopTrigger {
                trigger: AiStopTrigger::Null,
                duration_ms: 0,
                gpi: None,
                observation: None,
            },
            inventories: vec![InventoryParameterSpec {
                id: 1,
                protocol: AirProtocol::EpcGlobalClass1Gen2,
                antennas: vec![],
                custom: vec![],
            }],
            custom: vec![],
        })],
        report: Some(RoReportSpec {
            trigger: ReportTrigger::TagsOrEndOfRoSpec,
            tags: 1,
            contents: TagReportContentSelector {
                contents: TagContents {
                    antenna_id: true,
                    peak_rssi: true,
                    ..TagContents::default()
                },
                epc_memory: None,
            },
            custom: vec![],
        }),
    }
}

#[test]
fn an_order_for_an_inventory_is_these_bytes() {
    let message = Said::from(AddRoSpec { rospec: inventory() }).message(Version::V1_0_1, 9).unwrap();
    let expected = [
        &[0, 177, 0, 67, 0, 0, 0, 5, 0, 0][..],
        &[0, 178, 0, 18, 0, 179, 0, 5, 0, 0, 182, 0, 9, 0, 0, 0, 0, 0],
        &[0, 183, 0, 26, 0, 2, 0, 1, 0, 2, 0, 184, 0, 9, 0, 0, 0, 0, 0, 0, 186, 0, 7, 0, 1, 1],
        &[0, 237, 0, 13, 2, 0, 1, 0, 238, 0, 6, 0x14, 0],
    ];
    assert_eq!(message.body, expected.concat());
    assert_eq!((message.kind, message.id), (MessageType::ADD_ROSPEC, 9));
}

#[test]
fn setting_a_keepalive_is_these_bytes() {
    let said = Said::from(SetReaderConfig {
        reset_to_factory_default: true,
        events: None,
        antennas: vec![],
        antenna_configurations: vec![],
        report: None,
        access_report: None,
        keepalive: Some(KeepaliveSpec {
            trigger: KeepaliveTrigger::Periodic,
            period_ms: 10_000,
        }),
        gpo: vec![],
        gpi: vec![],
        hold: None,
        custom: vec![],
    });
    let message = said.message(Version::V1_0_1, 1).unwrap();
    assert_eq!(message.body, [0x80, 0, 220, 0, 9, 1, 0, 0, 0x27, 0x10]);
}

fn read(kind: MessageType, body: &[u8], side: Side) -> Result<Option<Said>, BodyError> {
    let message = Message {
        version: Version::V1_0_1,
        kind,
        id: 1,
        body: body.to_vec(),
    };
    Said::read(&message, side)
}

#[test]
fn a_wrong_request_is_answered_with_the_place_that_is_wrong() {
    let check = |kind: MessageType, body: &[u8], code: u16, text: &str| {
        let wrong = read(kind, body, Side::Reader).unwrap_err();
        let status = LlrpStatus::from(&wrong);
        assert_eq!((status.code, status.to_string().as_str()), (StatusCode(code), text));
        assert!(!status.is_success());
    };
    check(
        MessageType::STOP_ROSPEC,
        &[0, 0],
        101,
        "status 101, field 0 needs 4 bytes, and 2 are left",
    );
    check(
        MessageType::KEEPALIVE_ACK,
        &[0, 240, 0, 4],
        102,
        "status 102, parameter 240 has no place here (in parameter 240)",
    );
    check(
        MessageType::ADD_ROSPEC,
        &[],
        103,
        "status 103, parameter 177 is missing (in parameter 177)",
    );
    check(
        MessageType::ADD_ROSPEC,
        &[0, 177, 0, 10, 0, 0, 0, 1, 0, 0],
        100,
        "status 100, in parameter 177: parameter 178 is missing (in parameter 177 178)",
    );
    check(
        MessageType::SET_READER_CONFIG,
        &[1],
        101,
        "status 101, field 0 has reserved bits set; they have to be zero",
    );
    check(
        MessageType::SET_READER_CONFIG,
        &[0, 0, 220, 0, 9, 7, 0, 0, 0, 0],
        100,
        "status 100, in parameter 220: field 0 has the value 7, which the standard gives no meaning (in parameter 220)",
    );
    let keepalive = [0, 220, 0, 9, 0, 0, 0, 0, 0];
    check(
        MessageType::SET_READER_CONFIG,
        &[&[0][..], &keepalive, &keepalive].concat(),
        104,
        "status 104, parameter 220 comes more often than the standard allows (in parameter 220)",
    );
}

#[test]
fn a_client_looks_past_reserved_bits_and_a_reader_does_not() {
    assert_eq!(
        read(MessageType::SET_READER_CONFIG, &[0x41], Side::Reader),
        Err(BodyError::Reserved { field: 0 })
    );
    assert!(matches!(read(MessageType::SET_READER_CONFIG, &[0x41], Side::Client), Ok(Some(_))));
}

#[test]
fn a_message_of_later_needs_stays_a_body() {
    assert_eq!(read(MessageType::ADD_ACCESSSPEC, &[1, 2, 3], Side::Reader), Ok(None));
    assert_eq!(read(MessageType::new(500).unwrap(), &[], Side::Client), Ok(None));
}

#[test]
fn errors_nested_without_end_are_refused_before_the_stack_is() {
    let mut inside = Vec::new();
    for _ in 0..7_000 {
        let length = 8 + inside.len() as u16;
        let mut around = vec![1, 33];
        around.extend(length.to_be_bytes());
        around.extend([0, 1, 0, 2]);
        around.append(&mut inside);
        inside = around;
    }
    let mut body = vec![1, 31];
    body.extend((8 + inside.len() as u16).to_be_bytes());
    body.extend([0, 0, 0, 0]);
    body.append(&mut inside);
    let wrong = read(MessageType::ERROR_MESSAGE, &body, Side::Client).unwrap_err();
    assert!(wrong.to_string().ends_with("nested more than 16 levels deep"), "{wrong}");
}

#[test]
fn what_does_not_fit_a_parameter_is_not_written() {
    let mut rospec = inventory();
    let Spec::Inventory(part) = &mut rospec.specs[0] else {
        unreachable!("it is one")
    };
    part.antennas = vec![1; 40_000];
    let said = Said::from(AddRoSpec { rospec: rospec.clone() });
    assert!(matches!(
        said.message(Version::V1_0_1, 1),
        Err(WriteError::TooLong { kind: 183, .. })
    ));
    rospec.specs.clear();
    let said = Said::from(AddRoSpec { rospec });
    assert_eq!(said.message(Version::V1_0_1, 1), Err(WriteError::Missing { kind: 183 }));
    let failure = LlrpStatus::failure(StatusCode::DEVICE_ERROR, &"x".repeat(70_000));
    let said = Said::from(crate::message::ErrorMessage { status: failure });
    assert_eq!(said.message(Version::V1_0_1, 1), Err(WriteError::FieldTooLong { length: 70_000 }));
}

#[test]
fn a_shelf_of_tags_is_written_in_either_form_and_read_back() {
    let tag = |epc: &[u8]| TagReport {
        epc: TagBits::whole(epc).unwrap(),
        rospec_id: Some(5),
        antenna: Some(2),
        peak_rssi_dbm: Some(-61),
        first_seen_utc_us: Some(1),
        first_seen_uptime_us: None,
        last_seen_utc_us: Some(2),
        last_seen_uptime_us: None,
        seen_count: Some(3),
    };
    let report = RoAccessReport {
        tags: vec![tag(&[0x30; 12]), tag(&[0x36; 26])],
        custom: vec![],
    };
    let message = Said::from(report.clone()).message(Version::V1_0_1, 1).unwrap();
    // EPC-96 is one byte and the EPC; the other form has its length and its bits as well.
    assert_eq!(message.body[4], 0x80 | 13);
    let tags: Vec<TagReport> = tag_reports(&message.body).map(Result::unwrap).collect();
    assert_eq!(tags, report.tags);
}

#[test]
fn an_order_to_stop_and_an_acknowledgement_are_these_frames() {
    let check = |said: Said, expected: &[u8]| {
        let bytes = said.message(Version::V1_0_1, 2).unwrap().to_bytes().unwrap();
        assert_eq!(bytes, expected);
    };
    check(StopRoSpec { rospec: 5 }.into(), &[4, 23, 0, 0, 0, 14, 0, 0, 0, 2, 0, 0, 0, 5]);
    check(KeepaliveAck {}.into(), &[4, 72, 0, 0, 0, 10, 0, 0, 0, 2]);
}
