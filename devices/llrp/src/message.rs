//! Messages with their meaning: what an inventory needs, from both ends of the wire.
//!
//! The reading and writing of tags' memory (access specs), surveys of the air and the negotiation of 1.1 are not read here yet, except
//! as far as a reader has to answer them; such messages stay a type, an id and a body. A further message is one more entry of the list.

use crate::capabilities::{
    AirProtocolCapabilities, CapabilitiesWanted, GeneralDeviceCapabilities, LlrpCapabilities, RegulatoryCapabilities,
};
use crate::config::{
    AccessReportSpec, AntennaConfiguration, AntennaProperties, ConfigWanted, EventsAndReports, GpiPortCurrentState, GpoWriteData,
    Identification, KeepaliveSpec, LlrpConfigurationStateValue, ReaderEventNotificationSpec,
};
use crate::event::ReaderEventNotificationData;
use crate::frame::{Message, Side, Version};
use crate::layout::{BodyError, Custom, Layout, Level, Out, WriteError, layout};
use crate::message_type::MessageType;
use crate::report::TagReport;
use crate::rospec::{RoReportSpec, RoSpec};
use crate::status::LlrpStatus;

macro_rules! messages {
    ($($(#[$about:meta])* $name:ident: $kind:ident { $($inside:tt)* })*) => {
        $(
            layout! { $(#[$about])* $name { $($inside)* } }

            impl From<$name> for Said {
                fn from(said: $name) -> Self {
                    Self::$name(Box::new(said))
                }
            }
        )*

        /// A message and what it means.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Said {
            $($name(Box<$name>),)*
        }

        impl Said {
            /// `None` for a message whose inside is not read here.
            pub fn read(message: &Message, side: Side) -> Result<Option<Self>, BodyError> {
                let mut level = Level::new(&message.body, side);
                let said = match message.kind {
                    $(MessageType::$kind => $name::read_inside(&mut level)?.into(),)*
                    _ => return Ok(None),
                };
                level.end()?;
                Ok(Some(said))
            }

            pub fn kind(&self) -> MessageType {
                match self {
                    $(Self::$name(_) => MessageType::$kind,)*
                }
            }

            fn write_inside(&self, out: &mut Out) {
                match self {
                    $(Self::$name(said) => said.write_inside(out),)*
                }
            }
        }

        /// One of each, each drawn from all of these bytes.
        #[cfg(test)]
        pub(crate) fn samples(bytes: &[u8]) -> Vec<Said> {
            vec![$(<$name as crate::dice::Sample>::sample(&mut crate::dice::Dice::new(bytes)).into(),)*]
        }
    };
}

impl Said {
    /// As a frame. A response carries the id of its request.
    pub fn message(&self, version: Version, id: u32) -> Result<Message, WriteError> {
        let mut out = Out::default();
        self.write_inside(&mut out);
        Ok(Message {
            version,
            kind: self.kind(),
            id,
            body: out.finish()?,
        })
    }

    /// What a reader says of a request, if this is an answer to one.
    pub fn status(&self) -> Option<&LlrpStatus> {
        Some(match self {
            Self::GetReaderCapabilitiesResponse(said) => &said.status,
            Self::GetReaderConfigResponse(said) => &said.status,
            Self::SetReaderConfigResponse(said) => &said.status,
            Self::CloseConnectionResponse(said) => &said.status,
            Self::AddRoSpecResponse(said) => &said.status,
            Self::DeleteRoSpecResponse(said) => &said.status,
            Self::StartRoSpecResponse(said) => &said.status,
            Self::StopRoSpecResponse(said) => &said.status,
            Self::EnableRoSpecResponse(said) => &said.status,
            Self::DisableRoSpecResponse(said) => &said.status,
            Self::GetRoSpecsResponse(said) => &said.status,
            Self::DeleteAccessSpecResponse(said) => &said.status,
            Self::GetSupportedVersionResponse(said) => &said.status,
            Self::SetProtocolVersionResponse(said) => &said.status,
            Self::ErrorMessage(said) => &said.status,
            _ => return None,
        })
    }
}

messages! {
    GetReaderCapabilities: GET_READER_CAPABILITIES {
        wanted: CapabilitiesWanted;
        custom: many Custom,
    }

    GetReaderCapabilitiesResponse: GET_READER_CAPABILITIES_RESPONSE {;
        status: one LlrpStatus,
        device: maybe GeneralDeviceCapabilities,
        llrp: maybe LlrpCapabilities,
        regulatory: maybe RegulatoryCapabilities,
        air: maybe AirProtocolCapabilities,
        custom: many Custom,
    }

    GetReaderConfig: GET_READER_CONFIG {
        /// 0 is all.
        antenna: u16,
        wanted: ConfigWanted,
        gpi_port: u16,
        gpo_port: u16;
        custom: many Custom,
    }

    GetReaderConfigResponse: GET_READER_CONFIG_RESPONSE {;
        status: one LlrpStatus,
        identification: maybe Identification,
        antennas: many AntennaProperties,
        antenna_configurations: many AntennaConfiguration,
        events: maybe ReaderEventNotificationSpec,
        report: maybe RoReportSpec,
        access_report: maybe AccessReportSpec,
        state_value: maybe LlrpConfigurationStateValue,
        keepalive: maybe KeepaliveSpec,
        gpi: many GpiPortCurrentState,
        gpo: many GpoWriteData,
        hold: maybe EventsAndReports,
        custom: many Custom,
    }

    SetReaderConfig: SET_READER_CONFIG {
        reset_to_factory_default: bool;
        events: maybe ReaderEventNotificationSpec,
        antennas: many AntennaProperties,
        antenna_configurations: many AntennaConfiguration,
        report: maybe RoReportSpec,
        access_report: maybe AccessReportSpec,
        keepalive: maybe KeepaliveSpec,
        gpo: many GpoWriteData,
        gpi: many GpiPortCurrentState,
        hold: maybe EventsAndReports,
        custom: many Custom,
    }

    SetReaderConfigResponse: SET_READER_CONFIG_RESPONSE {;
        status: one LlrpStatus,
    }

    CloseConnection: CLOSE_CONNECTION {}

    CloseConnectionResponse: CLOSE_CONNECTION_RESPONSE {;
        status: one LlrpStatus,
    }

    AddRoSpec: ADD_ROSPEC {;
        rospec: one RoSpec,
    }

    AddRoSpecResponse: ADD_ROSPEC_RESPONSE {;
        status: one LlrpStatus,
    }

    /// 0 is all.
    DeleteRoSpec: DELETE_ROSPEC { rospec: u32 }

    DeleteRoSpecResponse: DELETE_ROSPEC_RESPONSE {;
        status: one LlrpStatus,
    }

    StartRoSpec: START_ROSPEC { rospec: u32 }

    StartRoSpecResponse: START_ROSPEC_RESPONSE {;
        status: one LlrpStatus,
    }

    StopRoSpec: STOP_ROSPEC { rospec: u32 }

    StopRoSpecResponse: STOP_ROSPEC_RESPONSE {;
        status: one LlrpStatus,
    }

    /// 0 is all.
    EnableRoSpec: ENABLE_ROSPEC { rospec: u32 }

    EnableRoSpecResponse: ENABLE_ROSPEC_RESPONSE {;
        status: one LlrpStatus,
    }

    /// 0 is all.
    DisableRoSpec: DISABLE_ROSPEC { rospec: u32 }

    DisableRoSpecResponse: DISABLE_ROSPEC_RESPONSE {;
        status: one LlrpStatus,
    }

    GetRoSpecs: GET_ROSPECS {}

    GetRoSpecsResponse: GET_ROSPECS_RESPONSE {;
        status: one LlrpStatus,
        rospecs: many RoSpec,
    }

    /// 0 is all.
    DeleteAccessSpec: DELETE_ACCESSSPEC { access_spec: u32 }

    DeleteAccessSpecResponse: DELETE_ACCESSSPEC_RESPONSE {;
        status: one LlrpStatus,
    }

    GetSupportedVersion: GET_SUPPORTED_VERSION {}

    GetSupportedVersionResponse: GET_SUPPORTED_VERSION_RESPONSE {
        current: u8,
        supported: u8;
        status: one LlrpStatus,
    }

    SetProtocolVersion: SET_PROTOCOL_VERSION { version: u8 }

    SetProtocolVersionResponse: SET_PROTOCOL_VERSION_RESPONSE {;
        status: one LlrpStatus,
    }

    GetReport: GET_REPORT {}

    RoAccessReport: RO_ACCESS_REPORT {;
        tags: many TagReport,
        custom: many Custom,
    }

    Keepalive: KEEPALIVE {}

    KeepaliveAck: KEEPALIVE_ACK {}

    ReaderEventNotification: READER_EVENT_NOTIFICATION {;
        event: one ReaderEventNotificationData,
    }

    /// Lets go what was held back when the client came again.
    EnableEventsAndReports: ENABLE_EVENTS_AND_REPORTS {}

    ErrorMessage: ERROR_MESSAGE {;
        status: one LlrpStatus,
    }
}
