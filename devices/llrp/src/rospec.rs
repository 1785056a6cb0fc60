//! The order for an inventory, which the standard calls ROSpec: when to read, at which antennas, and what to tell of each tag.

use crate::config::AntennaConfiguration;
use crate::event::UtcTimestamp;
use crate::layout::{Custom, Reserved, flags, one_of, parameters, words};

words! {
    /// Where an order stands in its life. It is added disabled.
    RoSpecState: u8 { Disabled = 0, Inactive = 1, Active = 2 }

    StartTrigger: u8 {
        /// Only by START_ROSPEC.
        Null = 0,
        /// As soon as it is enabled.
        Immediate = 1,
        Periodic = 2,
        Gpi = 3,
    }

    StopTrigger: u8 {
        /// Only by STOP_ROSPEC, or when all its parts are done.
        Null = 0,
        Duration = 1,
        GpiWithTimeout = 2,
    }

    AiStopTrigger: u8 {
        /// With the order it is part of.
        Null = 0,
        Duration = 1,
        GpiWithTimeout = 2,
        TagObservation = 3,
    }

    Observation: u8 {
        /// So many tags, or the timeout.
        Tags = 0,
        /// No new tag for a while, or the timeout.
        NoNewTags = 1,
        /// So many attempts, or the timeout.
        Attempts = 2,
    }

    /// When a report is sent.
    ReportTrigger: u8 {
        /// Only by GET_REPORT.
        Null = 0,
        /// After so many tags, and at the end of each part.
        TagsOrEndOfAiSpec = 1,
        /// After so many tags, and at the end of the order.
        TagsOrEndOfRoSpec = 2,
    }

    AirProtocol: u8 { Unspecified = 0, EpcGlobalClass1Gen2 = 1 }
}

flags! {
    /// What a tag report is to tell besides the EPC.
    TagContents: u16 {
        rospec_id: 15,
        spec_index: 14,
        inventory_parameter_spec_id: 13,
        antenna_id: 12,
        channel_index: 11,
        peak_rssi: 10,
        first_seen: 9,
        last_seen: 8,
        seen_count: 7,
        access_spec_id: 6,
    }

    EpcMemoryContents: u8 { crc: 7, pc_bits: 6, xpc_bits: 5 }
}

one_of! {
    /// A part of an order. Surveys of the air and loops come when something needs them.
    Spec { Inventory(AiSpec), Custom(Custom) }
}

parameters! {
    RoSpec = 177 {
        /// Given by the client, not zero.
        id: u32,
        /// 0 (first) to 7.
        priority: u8,
        state: RoSpecState;
        boundary: one RoBoundarySpec,
        specs: some Spec,
        report: maybe RoReportSpec,
    }

    RoBoundarySpec = 178 {;
        start: one RoSpecStartTrigger,
        stop: one RoSpecStopTrigger,
    }

    RoSpecStartTrigger = 179 {
        trigger: StartTrigger;
        periodic: maybe PeriodicTriggerValue,
        gpi: maybe GpiTriggerValue,
    }

    PeriodicTriggerValue = 180 {
        offset_ms: u32,
        period_ms: u32;
        first: maybe UtcTimestamp,
    }

    GpiTriggerValue = 181 {
        port: u16,
        /// The level that triggers.
        level: bool,
        timeout_ms: u32,
    }

    RoSpecStopTrigger = 182 {
        trigger: StopTrigger,
        duration_ms: u32;
        gpi: maybe GpiTriggerValue,
    }

    /// Reading tags at some antennas.
    AiSpec = 183 {
        /// A single 0 is all of them.
        antennas: Vec<u16>;
        stop: one AiSpecStopTrigger,
        inventories: some InventoryParameterSpec,
        custom: many Custom,
    }

    AiSpecStopTrigger = 184 {
        trigger: AiStopTrigger,
        duration_ms: u32;
        gpi: maybe GpiTriggerValue,
        observation: maybe TagObservationTrigger,
    }

    TagObservationTrigger = 185 {
        trigger: Observation,
        reserved: Reserved,
        tags: u16,
        attempts: u16,
        quiet_ms: u16,
        timeout_ms: u32,
    }

    InventoryParameterSpec = 186 {
        /// Not zero.
        id: u16,
        protocol: AirProtocol;
        antennas: many AntennaConfiguration,
        custom: many Custom,
    }

    RoReportSpec = 237 {
        trigger: ReportTrigger,
        /// The "so many" of the trigger; 0 is no limit.
        tags: u16;
        contents: one TagReportContentSelector,
        custom: many Custom,
    }

    TagReportContentSelector = 238 {
        contents: TagContents;
        epc_memory: maybe EpcMemorySelector,
    }

    EpcMemorySelector = 348 {
        contents: EpcMemoryContents,
    }
}
