//! What the simulated reader says it is and can do. It is nobody's product; its tables have the few entries that clients look for.

use backroom_llrp::capabilities::{
    AirProtocolCapabilities, BackscatterModulation, C1G2Abilities, C1G2LlrpCapabilities, CapabilitiesWanted, DeviceAbilities,
    FixedFrequencyTable, ForwardModulation, FrequencyInformation, GeneralDeviceCapabilities, GpioCapabilities, LlrpAbilities,
    LlrpCapabilities, ModeAbilities, PerAntennaAirProtocol, ReceiveSensitivityTableEntry, RegulatoryCapabilities, SpectralMask,
    TransmitPowerLevelTableEntry, UhfBandCapabilities, UhfC1G2RfModeTable, UhfC1G2RfModeTableEntry,
};
use backroom_llrp::config::{
    AccessReportSpec, AccessReportTrigger, AntennaConfiguration, AntennaProperties, ConfigWanted, EventNotificationState, EventType,
    EventsAndReports, IdType, Identification, KeepaliveSpec, LlrpConfigurationStateValue, ReaderEventNotificationSpec, RfReceiver,
    RfTransmitter,
};
use backroom_llrp::message::{GetReaderCapabilitiesResponse, GetReaderConfigResponse};
use backroom_llrp::rospec::{ReportTrigger, RoReportSpec, TagContents, TagReportContentSelector};
use backroom_llrp::status::LlrpStatus;

/// More orders than this at once are refused.
pub const MOST_ORDERS: usize = 32;

/// Class 1 generation 2, the only kind of tag there is in shops.
const GEN2: u8 = 1;

/// Germany, and the lower band of Europe.
const COUNTRY: u16 = 276;
const ETSI_302_208: u16 = 2;

pub fn capabilities(wanted: CapabilitiesWanted, antennas: u16) -> GetReaderCapabilitiesResponse {
    let asked = |part: CapabilitiesWanted| wanted == part || wanted == CapabilitiesWanted::All;
    GetReaderCapabilitiesResponse {
        status: LlrpStatus::success(),
        device: asked(CapabilitiesWanted::GeneralDevice).then(|| device(antennas)),
        llrp: asked(CapabilitiesWanted::Llrp).then(limits),
        regulatory: asked(CapabilitiesWanted::Regulatory).then(radio),
        air: asked(CapabilitiesWanted::AirProtocol).then(|| {
            AirProtocolCapabilities::C1G2(C1G2LlrpCapabilities {
                abilities: C1G2Abilities::default(),
                max_filters_per_query: 0,
            })
        }),
        custom: Vec::new(),
    }
}

fn device(antennas: u16) -> GeneralDeviceCapabilities {
    GeneralDeviceCapabilities {
        antennas,
        abilities: DeviceAbilities {
            can_set_antenna_properties: false,
            has_utc_clock: true,
        },
        maker: 0,
        model: 1,
        firmware: concat!("backroom simulate reader ", env!("CARGO_PKG_VERSION")).to_owned(),
        sensitivities: vec![ReceiveSensitivityTableEntry { index: 1, value: 0 }],
        sensitivity_ranges: Vec::new(),
        gpio: GpioCapabilities { inputs: 0, outputs: 0 },
        protocols: (1..=antennas)
            .map(|antenna| PerAntennaAirProtocol {
                antenna,
                protocols: vec![GEN2],
            })
            .collect(),
    }
}

fn limits() -> LlrpCapabilities {
    LlrpCapabilities {
        abilities: LlrpAbilities {
            can_hold_events_and_reports: true,
            ..LlrpAbilities::default()
        },
        priority_levels: 1,
        client_request_timeout_ms: 0,
        max_rospecs: MOST_ORDERS as u32,
        max_specs_per_rospec: 0,
        max_inventories_per_ai_spec: 1,
        max_access_specs: 0,
        max_op_specs_per_access_spec: 0,
    }
}

fn radio() -> RegulatoryCapabilities {
    // From 10 to 30 dBm in steps of one.
    let powers = (1..=21).map(|index| TransmitPowerLevelTableEntry {
        index,
        value: 900 + 100 * index as i16,
    });
    RegulatoryCapabilities {
        country: COUNTRY,
        standard: ETSI_302_208,
        uhf: Some(UhfBandCapabilities {
            powers: powers.collect(),
            frequencies: FrequencyInformation {
                hopping: false,
                hop_tables: Vec::new(),
                fixed: Some(FixedFrequencyTable {
                    khz: vec![865_700, 866_300, 866_900, 867_500],
                }),
            },
            modes: vec![UhfC1G2RfModeTable {
                modes: vec![UhfC1G2RfModeTableEntry {
                    id: 1,
                    abilities: ModeAbilities {
                        divide_ratio_64_3: true,
                        epc_hag_conformance: false,
                    },
                    backscatter: BackscatterModulation::Miller4,
                    forward: ForwardModulation::PrAsk,
                    mask: SpectralMask::DenseInterrogators,
                    backscatter_rate: 250_000,
                    pie: 1_500,
                    min_tari_ns: 20_000,
                    max_tari_ns: 20_000,
                    tari_step_ns: 0,
                }],
            }],
        }),
        custom: Vec::new(),
    }
}

/// Which events the reader tells, and all else that a client sets.
#[derive(Debug)]
pub struct Config {
    pub keepalive: KeepaliveSpec,
    pub told: Vec<EventType>,
    pub hold_upon_reconnect: bool,
    pub report: RoReportSpec,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            keepalive: KeepaliveSpec {
                trigger: backroom_llrp::config::KeepaliveTrigger::Null,
                period_ms: 0,
            },
            told: Vec::new(),
            hold_upon_reconnect: false,
            report: RoReportSpec {
                trigger: ReportTrigger::TagsOrEndOfRoSpec,
                tags: 0,
                contents: TagReportContentSelector {
                    contents: TagContents {
                        rospec_id: true,
                        antenna_id: true,
                        peak_rssi: true,
                        first_seen: true,
                        last_seen: true,
                        seen_count: true,
                        ..TagContents::default()
                    },
                    epc_memory: None,
                },
                custom: Vec::new(),
            },
        }
    }
}

const EVENTS: [EventType; 9] = [
    EventType::ChannelHop,
    EventType::Gpi,
    EventType::RoSpec,
    EventType::ReportBufferFill,
    EventType::ReaderException,
    EventType::RfSurvey,
    EventType::AiSpec,
    EventType::AiSpecWithSingulation,
    EventType::Antenna,
];

pub fn config(wanted: ConfigWanted, config: &Config, antennas: impl Iterator<Item = (u16, bool)>) -> GetReaderConfigResponse {
    let asked = |part: ConfigWanted| wanted == part || wanted == ConfigWanted::All;
    let antennas: Vec<(u16, bool)> = antennas.collect();
    let properties = antennas.iter().map(|&(antenna, connected)| AntennaProperties {
        connected,
        antenna,
        gain: 600,
    });
    let settings = antennas.iter().map(|&(antenna, _)| AntennaConfiguration {
        antenna,
        receiver: Some(RfReceiver { sensitivity: 1 }),
        transmitter: Some(RfTransmitter {
            hop_table: 0,
            channel: 1,
            power: 21,
        }),
        commands: Vec::new(),
        custom: Vec::new(),
    });
    let states = EVENTS.map(|event| EventNotificationState {
        event,
        told: config.told.contains(&event),
    });
    GetReaderConfigResponse {
        status: LlrpStatus::success(),
        identification: asked(ConfigWanted::Identification).then(|| Identification {
            kind: IdType::MacAddress,
            id: vec![2, 0, 0, 0, 0, 1],
        }),
        antennas: properties.filter(|_| asked(ConfigWanted::AntennaProperties)).collect(),
        antenna_configurations: settings.filter(|_| asked(ConfigWanted::AntennaConfiguration)).collect(),
        events: asked(ConfigWanted::ReaderEventNotificationSpec).then(|| ReaderEventNotificationSpec { states: states.into() }),
        report: asked(ConfigWanted::RoReportSpec).then(|| config.report.clone()),
        access_report: asked(ConfigWanted::AccessReportSpec).then_some(AccessReportSpec {
            trigger: AccessReportTrigger::WithRoReport,
        }),
        state_value: asked(ConfigWanted::LlrpConfigurationStateValue).then_some(LlrpConfigurationStateValue { value: 0 }),
        keepalive: asked(ConfigWanted::KeepaliveSpec).then(|| config.keepalive.clone()),
        gpi: Vec::new(),
        gpo: Vec::new(),
        hold: asked(ConfigWanted::EventsAndReports).then_some(EventsAndReports {
            hold_upon_reconnect: config.hold_upon_reconnect,
        }),
        custom: Vec::new(),
    }
}
