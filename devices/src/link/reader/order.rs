//! The order for an inventory, as a reader takes it. When it starts and stops is the link's business.

use backroom_llrp::rospec::{
    AiSpec, AiSpecStopTrigger, AiStopTrigger, AirProtocol, InventoryParameterSpec, ReportTrigger, RoBoundarySpec, RoReportSpec, RoSpec,
    RoSpecStartTrigger, RoSpecState, RoSpecStopTrigger, Spec, StartTrigger, StopTrigger, TagContents, TagReportContentSelector,
};

use super::InventoryPlan;

/// Reads until it is told to stop, and tells all that a count can use.
pub fn order(id: u32, plan: InventoryPlan) -> RoSpec {
    let antennas = if plan.antennas.is_empty() { vec![0] } else { plan.antennas };
    RoSpec {
        id,
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
            antennas,
            stop: AiSpecStopTrigger {
                trigger: AiStopTrigger::Null,
                duration_ms: 0,
                gpi: None,
                observation: None,
            },
            inventories: vec![InventoryParameterSpec {
                id: 1,
                protocol: AirProtocol::EpcGlobalClass1Gen2,
                antennas: Vec::new(),
                custom: Vec::new(),
            }],
            custom: Vec::new(),
        })],
        report: Some(RoReportSpec {
            trigger: ReportTrigger::TagsOrEndOfRoSpec,
            tags: plan.tags_per_report,
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
        }),
    }
}
