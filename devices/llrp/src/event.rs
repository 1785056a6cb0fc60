//! What a reader tells unasked: who may connect, antennas that come and go, inventories that begin and end.

use crate::layout::{Custom, one_of, parameters, words};
use crate::parameter::kind;

words! {
    ConnectionAttempt: u16 {
        Success = 0,
        /// The reader itself has called somebody.
        ReaderInitiatedConnectionExists = 1,
        /// Another client is connected.
        ClientInitiatedConnectionExists = 2,
        OtherReason = 3,
        /// Said to the client that is connected: another one has tried.
        AnotherConnectionAttempted = 4,
    }

    RoSpecEventType: u8 { Start = 0, End = 1, Preemption = 2 }

    AiSpecEventType: u8 { End = 0 }

    AntennaEventType: u8 { Disconnected = 0, Connected = 1 }
}

one_of! {
    /// By the clock, or since the reader was switched on.
    Timestamp { Utc(UtcTimestamp), Uptime(Uptime) }
}

parameters! {
    UtcTimestamp = 128 {
        /// Since 1970.
        microseconds: u64,
    }

    Uptime = 129 {
        microseconds: u64,
    }

    ReaderEventNotificationData = 246 {;
        at: one Timestamp,
        hopping: maybe HoppingEvent,
        gpi: maybe GpiEvent,
        rospec: maybe RoSpecEvent,
        buffer_level: maybe ReportBufferLevelWarningEvent,
        buffer_overflow: maybe ReportBufferOverflowErrorEvent,
        exception: maybe ReaderExceptionEvent,
        survey: maybe RfSurveyEvent,
        ai_spec: maybe AiSpecEvent,
        antenna: maybe AntennaEvent,
        attempt: maybe ConnectionAttemptEvent,
        close: maybe ConnectionCloseEvent,
        custom: many Custom,
    }

    HoppingEvent = 247 { hop_table: u16, next_channel: u16 }

    GpiEvent = 248 { port: u16, level: bool }

    RoSpecEvent = 249 {
        event: RoSpecEventType,
        rospec: u32,
        /// Zero unless preempted.
        preempting: u32,
    }

    ReportBufferLevelWarningEvent = 250 { percent_full: u8 }

    ReportBufferOverflowErrorEvent = 251 {}

    ReaderExceptionEvent = 252 {
        message: String;
        rospec: maybe RoSpecId,
        spec_index: maybe SpecIndex,
        inventory: maybe InventoryParameterSpecId,
        antenna: maybe AntennaId,
        access_spec: maybe AccessSpecId,
        op_spec: maybe OpSpecId,
        custom: many Custom,
    }

    RfSurveyEvent = 253 { event: RoSpecEventType, rospec: u32, spec_index: u16 }

    AiSpecEvent = 254 {
        event: AiSpecEventType,
        rospec: u32,
        spec_index: u16;
        singulation: maybe SingulationDetails,
    }

    AntennaEvent = 255 { event: AntennaEventType, antenna: u16 }

    ConnectionAttemptEvent = 256 { status: ConnectionAttempt }

    ConnectionCloseEvent = 257 {}

    AntennaId = 1 { id: u16 }

    RoSpecId = 9 { id: u32 }

    InventoryParameterSpecId = 10 { id: u16 }

    SpecIndex = 14 { index: u16 }

    AccessSpecId = 16 { id: u32 }

    OpSpecId = 17 { id: u16 }

    SingulationDetails = 18 { collisions: u16, empty_slots: u16 }
}

const _: () = assert!(kind::ANTENNA_ID == 1 && kind::ROSPEC_ID == 9);

impl ReaderEventNotificationData {
    /// Nothing but the time: whoever says something sets it.
    pub fn at(utc_us: u64) -> Self {
        Self {
            at: Timestamp::Utc(UtcTimestamp { microseconds: utc_us }),
            hopping: None,
            gpi: None,
            rospec: None,
            buffer_level: None,
            buffer_overflow: None,
            exception: None,
            survey: None,
            ai_spec: None,
            antenna: None,
            attempt: None,
            close: None,
            custom: Vec::new(),
        }
    }
}
