//! How a reader is set: keepalives, which events it tells, and its antennas.

use crate::frame::Side;
use crate::layout::{BodyError, Custom, Field, Level, Out, Rest, flags, one_of, parameters, words};

words! {
    ConfigWanted: u8 {
        All = 0,
        Identification = 1,
        AntennaProperties = 2,
        AntennaConfiguration = 3,
        RoReportSpec = 4,
        ReaderEventNotificationSpec = 5,
        AccessReportSpec = 6,
        LlrpConfigurationStateValue = 7,
        KeepaliveSpec = 8,
        GpiPortCurrentState = 9,
        GpoWriteData = 10,
        EventsAndReports = 11,
    }

    KeepaliveTrigger: u8 { Null = 0, Periodic = 1 }

    EventType: u16 {
        ChannelHop = 0,
        Gpi = 1,
        RoSpec = 2,
        ReportBufferFill = 3,
        ReaderException = 4,
        RfSurvey = 5,
        AiSpec = 6,
        AiSpecWithSingulation = 7,
        Antenna = 8,
    }

    IdType: u8 { MacAddress = 0, Epc = 1 }

    AccessReportTrigger: u8 {
        /// Together with the reports of the inventory.
        WithRoReport = 0,
        EndOfAccessSpec = 1,
    }

    GpiState: u8 { Low = 0, High = 1, Unknown = 2 }
}

flags! {
    StateAwareness: u8 { state_aware: 7 }
}

/// How long a tag keeps silent after it was read: 0 to 3, in the first two bits of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session(u8);

impl Session {
    pub fn new(number: u8) -> Option<Self> {
        (number < 4).then_some(Self(number))
    }

    pub fn number(self) -> u8 {
        self.0
    }
}

impl Field for Session {
    fn read(level: &mut Level<'_>) -> Result<Self, BodyError> {
        let byte = u8::read(level)?;
        if byte & 0x3f != 0 && level.side() == Side::Reader {
            return Err(BodyError::Reserved {
                field: level.field_number(),
            });
        }
        Ok(Self(byte >> 6))
    }

    fn write(&self, out: &mut Out) {
        (self.0 << 6).write(out);
    }
}

#[cfg(test)]
impl crate::dice::Sample for Session {
    fn sample(dice: &mut crate::dice::Dice<'_>) -> Self {
        Self(dice.byte() % 4)
    }
}

one_of! {
    /// How an antenna asks for tags.
    InventoryCommand { C1G2(C1G2InventoryCommand), }
}

parameters! {
    LlrpConfigurationStateValue = 217 { value: u32 }

    Identification = 218 {
        kind: IdType,
        id: Vec<u8>,
    }

    GpoWriteData = 219 { port: u16, level: bool }

    KeepaliveSpec = 220 {
        trigger: KeepaliveTrigger,
        period_ms: u32,
    }

    AntennaProperties = 221 {
        connected: bool,
        antenna: u16,
        /// In hundredths of a dBi.
        gain: i16,
    }

    AntennaConfiguration = 222 {
        /// 0 is all antennas.
        antenna: u16;
        receiver: maybe RfReceiver,
        transmitter: maybe RfTransmitter,
        commands: many InventoryCommand,
        custom: many Custom,
    }

    /// By its place in the reader's table of sensitivities.
    RfReceiver = 223 { sensitivity: u16 }

    RfTransmitter = 224 {
        hop_table: u16,
        channel: u16,
        /// By its place in the reader's table of powers.
        power: u16,
    }

    GpiPortCurrentState = 225 { port: u16, enabled: bool, state: GpiState }

    EventsAndReports = 226 { hold_upon_reconnect: bool }

    AccessReportSpec = 239 { trigger: AccessReportTrigger }

    ReaderEventNotificationSpec = 244 {;
        states: some EventNotificationState,
    }

    EventNotificationState = 245 { event: EventType, told: bool }

    C1G2InventoryCommand = 330 {
        state_aware: StateAwareness;
        filters: many C1G2Filter,
        rf: maybe C1G2RfControl,
        singulation: maybe C1G2SingulationControl,
        custom: many Custom,
    }

    /// Which tags answer at all; its inside is carried, not read.
    C1G2Filter = 331 { inside: Rest }

    C1G2RfControl = 335 {
        /// By its number in the reader's table of modes.
        mode: u16,
        tari: u16,
    }

    C1G2SingulationControl = 336 {
        session: Session,
        tag_population: u16,
        tag_transit_ms: u32;
        action: maybe StateAwareSingulationAction,
    }

    StateAwareSingulationAction = 337 { action: u8 }
}
