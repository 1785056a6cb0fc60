//! The simulated reader against plain frames: what the standard says it has to answer, also to a client that is not ours.

use backroom_llrp::config::{ConfigWanted, EventsAndReports};
use backroom_llrp::event::ConnectionAttempt;
use backroom_llrp::frame::{Decoder, Message, Side, Taken, Version};
use backroom_llrp::message::{
    AddRoSpec, CloseConnection, DeleteAccessSpec, EnableEventsAndReports, EnableRoSpec, GetReaderConfig, GetReport, GetRoSpecs,
    GetSupportedVersion, Said, SetProtocolVersion, SetReaderConfig, StartRoSpec, StopRoSpec,
};
use backroom_llrp::message_type::MessageType;
use backroom_llrp::rospec::{
    AiSpec, AiSpecStopTrigger, AiStopTrigger, AirProtocol, InventoryParameterSpec, Observation, ReportTrigger, RoBoundarySpec,
    RoReportSpec, RoSpec, RoSpecStartTrigger, RoSpecState, RoSpecStopTrigger, Spec, StartTrigger, StopTrigger, TagContents,
    TagObservationTrigger, TagReportContentSelector,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::shop::{PATIENCE, Shop, shirts};

/// A client that says whatever it is told to.
struct Plain {
    stream: TcpStream,
    decoder: Decoder,
    heard: Vec<u8>,
    version: Version,
}

impl Plain {
    async fn connect(shop: &Shop) -> Self {
        Self {
            stream: TcpStream::connect(shop.reader.address).await.unwrap(),
            decoder: Decoder::new(Side::Client),
            heard: Vec::new(),
            version: Version::V1_0_1,
        }
    }

    /// Connected and greeted.
    async fn welcome(shop: &Shop) -> Self {
        let mut plain = Self::connect(shop).await;
        assert_eq!(plain.greeting().await, ConnectionAttempt::Success);
        plain
    }

    async fn greeting(&mut self) -> ConnectionAttempt {
        let message = self.hear().await.expect("a greeting");
        let Ok(Some(Said::ReaderEventNotification(said))) = Said::read(&message, Side::Client) else {
            panic!("the reader greets first: {message:?}")
        };
        said.event.attempt.expect("it is about a connection").status
    }

    async fn say_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    async fn say(&mut self, said: impl Into<Said>, id: u32) {
        let message = said.into().message(self.version, id).unwrap();
        self.say_bytes(&message.to_bytes().unwrap()).await;
    }

    /// `None` when the reader closed.
    async fn hear(&mut self) -> Option<Message> {
        loop {
            let mut rest = &self.heard[..];
            let taken = self.decoder.take(&mut rest).unwrap();
            self.heard = rest.to_vec();
            if let Taken::Message(message) = taken {
                return Some(message);
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.heard)).await.unwrap();
            if read.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The next message that answers this id.
    async fn answer(&mut self, id: u32) -> Said {
        loop {
            let message = self.hear().await.expect("an answer");
            let unasked = [MessageType::RO_ACCESS_REPORT, MessageType::READER_EVENT_NOTIFICATION];
            if message.id == id && !unasked.contains(&message.kind) {
                return Said::read(&message, Side::Client).unwrap().expect("understood");
            }
        }
    }

    async fn ask(&mut self, said: impl Into<Said>, id: u32) -> Said {
        self.say(said, id).await;
        self.answer(id).await
    }

    async fn status(&mut self, said: impl Into<Said>, id: u32) -> u16 {
        self.ask(said, id).await.status().unwrap().code.0
    }
}

fn order(id: u32, start: StartTrigger, stop: AiSpecStopTrigger, report: ReportTrigger) -> AddRoSpec {
    AddRoSpec {
        rospec: RoSpec {
            id,
            priority: 0,
            state: RoSpecState::Disabled,
            boundary: RoBoundarySpec {
                start: RoSpecStartTrigger {
                    trigger: start,
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
                antennas: vec![0],
                stop,
                inventories: vec![InventoryParameterSpec {
                    id: 1,
                    protocol: AirProtocol::EpcGlobalClass1Gen2,
                    antennas: vec![],
                    custom: vec![],
                }],
                custom: vec![],
            })],
            report: Some(RoReportSpec {
                trigger: report,
                tags: 0,
                contents: TagReportContentSelector {
                    contents: TagContents {
                        antenna_id: true,
                        ..TagContents::default()
                    },
                    epc_memory: None,
                },
                custom: vec![],
            }),
        },
    }
}

fn until(trigger: AiStopTrigger, duration_ms: u32) -> AiSpecStopTrigger {
    AiSpecStopTrigger {
        trigger,
        duration_ms,
        gpi: None,
        observation: None,
    }
}

fn until_stopped(id: u32) -> AddRoSpec {
    order(id, StartTrigger::Null, until(AiStopTrigger::Null, 0), ReportTrigger::Null)
}

#[tokio::test]
async fn the_second_connection_hears_no_and_the_first_hears_of_it() {
    let shop = Shop::with(&shirts(0), 300, 0).await;
    let mut first = Plain::welcome(&shop).await;
    let mut second = Plain::connect(&shop).await;
    assert_eq!(second.greeting().await, ConnectionAttempt::ClientInitiatedConnectionExists);
    assert_eq!(second.hear().await, None);
    assert_eq!(first.greeting().await, ConnectionAttempt::AnotherConnectionAttempted);
}

#[tokio::test]
async fn what_is_not_answered_is_said_to_be_so_under_its_id() {
    let shop = Shop::with(&shirts(0), 300, 0).await;
    let mut plain = Plain::welcome(&shop).await;
    for (id, kind) in [(41, 40_u16), (42, 500), (43, 1023)] {
        let message = Message {
            version: Version::V1_0_1,
            kind: MessageType::new(kind).unwrap(),
            id,
            body: vec![1, 2, 3, 4, 5],
        };
        plain.say_bytes(&message.to_bytes().unwrap()).await;
        let Said::ErrorMessage(said) = plain.answer(id).await else {
            panic!("an error is answered")
        };
        assert_eq!(said.status.code.0, 109);
    }
    // And the reader goes on.
    assert_eq!(plain.status(GetRoSpecs {}, 44).await, 0);
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused_in_its_own_response() {
    let shop = Shop::with(&shirts(0), 300, 0).await;
    let mut plain = Plain::welcome(&shop).await;
    let message = Message {
        version: Version::V1_0_1,
        kind: MessageType::ADD_ROSPEC,
        id: 5,
        body: vec![0, 177, 0, 10, 0, 0, 0, 1, 0, 0],
    };
    plain.say_bytes(&message.to_bytes().unwrap()).await;
    let Said::AddRoSpecResponse(said) = plain.answer(5).await else {
        panic!("its own response")
    };
    let inside = said.status.parameter.unwrap();
    assert_eq!((said.status.code.0, inside.kind, inside.parameter.unwrap().0.kind), (100, 177, 178));
}

#[tokio::test]
async fn a_version_is_agreed_once() {
    let shop = Shop::with(&shirts(0), 300, 0).await;
    let mut plain = Plain::welcome(&shop).await;
    plain.version = Version::V1_1;
    assert_eq!(plain.status(GetRoSpecs {}, 1).await, 110);
    let Said::GetSupportedVersionResponse(said) = plain.ask(GetSupportedVersion {}, 2).await else {
        panic!("its own response")
    };
    assert_eq!((said.current, said.supported), (1, 2));
    assert_eq!(plain.status(SetProtocolVersion { version: 3 }, 3).await, 110);
    assert_eq!(plain.status(SetProtocolVersion { version: 2 }, 4).await, 0);
    assert_eq!(plain.status(SetProtocolVersion { version: 2 }, 5).await, 112);
    assert_eq!(plain.status(GetRoSpecs {}, 6).await, 0);
    plain.version = Version::V1_0_1;
    assert_eq!(plain.status(GetRoSpecs {}, 7).await, 110);
}

#[tokio::test]
async fn what_is_no_llrp_is_told_so_and_put_out() {
    let shop = Shop::with(&shirts(0), 300, 0).await;
    let mut plain = Plain::welcome(&shop).await;
    plain.say_bytes(b"GET / HTTP/1.1\r\n\r\n").await;
    let Said::ErrorMessage(_) = plain.answer(0).await else {
        panic!("an error")
    };
    assert_eq!(plain.hear().await, None);
    shop.wait_until("the place is free", |shop| shop.state("connected") == false).await;
    Plain::welcome(&shop).await;
}

#[tokio::test]
async fn an_order_lives_as_the_standard_says() {
    let shop = Shop::with(&shirts(5), 1_000, 0).await;
    let mut plain = Plain::welcome(&shop).await;
    assert_eq!(plain.status(until_stopped(0), 1).await, 101);
    assert_eq!(plain.status(until_stopped(7), 2).await, 0);
    assert_eq!(plain.status(until_stopped(7), 3).await, 101, "it exists");
    assert_eq!(plain.status(StartRoSpec { rospec: 7 }, 4).await, 101, "it is disabled");
    assert_eq!(plain.status(EnableRoSpec { rospec: 0 }, 5).await, 0);
    assert_eq!(plain.status(StopRoSpec { rospec: 7 }, 6).await, 101, "it does not run");
    assert_eq!(plain.status(StartRoSpec { rospec: 7 }, 7).await, 0);
    let Said::GetRoSpecsResponse(said) = plain.ask(GetRoSpecs {}, 8).await else {
        panic!("its own response")
    };
    assert_eq!(said.rospecs[0].state, RoSpecState::Active);
    assert_eq!(plain.status(StopRoSpec { rospec: 7 }, 9).await, 0);
    assert_eq!(plain.status(StopRoSpec { rospec: 8 }, 10).await, 101, "there is none");
    assert_eq!(plain.status(DeleteAccessSpec { access_spec: 0 }, 11).await, 0);
    assert_eq!(plain.status(CloseConnection {}, 12).await, 0);
    assert_eq!(plain.hear().await, None);
}

#[tokio::test]
async fn a_report_comes_when_it_is_asked_for_with_what_was_asked_for() {
    let shop = Shop::with(&shirts(5), 1_000, 0).await;
    let mut plain = Plain::welcome(&shop).await;
    plain.status(until_stopped(7), 1).await;
    plain.status(EnableRoSpec { rospec: 7 }, 2).await;
    plain.status(StartRoSpec { rospec: 7 }, 3).await;
    shop.wait_until("all were read", |shop| shop.state("orders")[0]["tags"] == 5).await;
    plain.say(GetReport {}, 4).await;
    let message = plain.hear().await.unwrap();
    let Ok(Some(Said::RoAccessReport(report))) = Said::read(&message, Side::Client) else {
        panic!("nothing else was told: {message:?}")
    };
    assert_eq!(report.tags.len(), 5);
    assert!(
        report
            .tags
            .iter()
            .all(|tag| tag.antenna.is_some() && tag.peak_rssi_dbm.is_none() && tag.rospec_id.is_none())
    );
}

#[tokio::test]
async fn parts_that_end_after_some_tags_report_and_begin_again() {
    let shop = Shop::with(&shirts(12), 1_000, 0).await;
    let mut plain = Plain::welcome(&shop).await;
    let stop = AiSpecStopTrigger {
        observation: Some(TagObservationTrigger {
            trigger: Observation::Tags,
            reserved: Default::default(),
            tags: 4,
            attempts: 0,
            quiet_ms: 0,
            timeout_ms: 0,
        }),
        ..until(AiStopTrigger::TagObservation, 0)
    };
    let add = order(7, StartTrigger::Immediate, stop, ReportTrigger::TagsOrEndOfAiSpec);
    assert_eq!(plain.status(add, 1).await, 0);
    plain.say(EnableRoSpec { rospec: 7 }, 2).await;
    plain.answer(2).await;
    for _ in 0..10 {
        let message = plain.hear().await.unwrap();
        let Ok(Some(Said::RoAccessReport(report))) = Said::read(&message, Side::Client) else {
            panic!("reports come: {message:?}")
        };
        assert_eq!(report.tags.len(), 4);
    }
    assert_eq!(shop.ledger("inventory_started").len(), 1);
}

#[tokio::test]
async fn an_order_with_a_time_ends_by_itself() {
    let shop = Shop::with(&shirts(3), 1_000, 0).await;
    let mut plain = Plain::welcome(&shop).await;
    let stop = until(AiStopTrigger::Duration, 60);
    let add = order(7, StartTrigger::Null, stop, ReportTrigger::TagsOrEndOfRoSpec);
    plain.status(add, 1).await;
    plain.status(EnableRoSpec { rospec: 7 }, 2).await;
    plain.status(StartRoSpec { rospec: 7 }, 3).await;
    let message = plain.hear().await.unwrap();
    assert_eq!(message.kind, MessageType::RO_ACCESS_REPORT);
    shop.wait_until("it ended", |shop| !shop.ledger("inventory_ended").is_empty()).await;
    assert_eq!(shop.ledger("inventory_ended")[0]["why"], "it ended by itself");
    assert_eq!(shop.state("orders")[0]["state"], "inactive");
}

#[tokio::test]
async fn reports_are_held_for_a_client_that_wants_to_be_ready_first() {
    let shop = Shop::with(&shirts(5), 1_000, 0).await;
    let mut plain = Plain::welcome(&shop).await;
    let hold = SetReaderConfig {
        reset_to_factory_default: false,
        events: None,
        antennas: vec![],
        antenna_configurations: vec![],
        report: None,
        access_report: None,
        keepalive: None,
        gpo: vec![],
        gpi: vec![],
        hold: Some(EventsAndReports { hold_upon_reconnect: true }),
        custom: vec![],
    };
    assert_eq!(plain.status(hold, 1).await, 0);
    let mut add = until_stopped(7);
    if let Some(report) = &mut add.rospec.report {
        report.trigger = ReportTrigger::TagsOrEndOfRoSpec;
        report.tags = 1;
    }
    plain.status(add, 2).await;
    plain.status(EnableRoSpec { rospec: 7 }, 3).await;
    plain.status(StartRoSpec { rospec: 7 }, 4).await;
    shop.turn("cut");
    shop.wait_until("it keeps reports", |shop| shop.state("reports_held").as_u64() > Some(10))
        .await;
    let mut plain = Plain::welcome(&shop).await;
    let all = GetReaderConfig {
        antenna: 0,
        wanted: ConfigWanted::All,
        gpi_port: 0,
        gpo_port: 0,
        custom: vec![],
    };
    plain.say(all, 5).await;
    let message = plain.hear().await.unwrap();
    assert_eq!(
        message.kind,
        MessageType::GET_READER_CONFIG_RESPONSE,
        "no report before it is asked for"
    );
    plain.say(EnableEventsAndReports {}, 6).await;
    assert_eq!(plain.hear().await.unwrap().kind, MessageType::RO_ACCESS_REPORT);
}
