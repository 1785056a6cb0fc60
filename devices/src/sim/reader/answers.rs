//! What the simulated reader answers to each message of its client.

use std::time::Instant;

use backroom_llrp::frame::{Message, Side, Version};
use backroom_llrp::message::{
    AddRoSpecResponse, CloseConnectionResponse, DeleteAccessSpecResponse, DeleteRoSpecResponse, DisableRoSpecResponse,
    EnableRoSpecResponse, ErrorMessage, GetReaderCapabilitiesResponse, GetReaderConfigResponse, GetRoSpecsResponse,
    GetSupportedVersionResponse, Said, SetProtocolVersionResponse, SetReaderConfig, SetReaderConfigResponse, StartRoSpecResponse,
    StopRoSpecResponse,
};
use backroom_llrp::message_type::MessageType;
use backroom_llrp::status::{LlrpStatus, StatusCode};

use super::about::{self, Config};
use super::device::State;
use super::orders::Turn;

/// Why an inventory ends that its client ends.
const ASKED: &str = "the client ended it";

impl State {
    pub fn answer(&mut self, message: &Message, now: Instant) {
        let id = message.id;
        let Some(version) = self.client.as_ref().map(|client| client.version) else {
            return;
        };
        // These two are how a client finds out about 1.1, so they come in it before it is agreed.
        let about_versions = matches!(message.kind, MessageType::GET_SUPPORTED_VERSION | MessageType::SET_PROTOCOL_VERSION);
        if message.version != version && !(about_versions && message.version == Version::V1_1) {
            let why = "the message is of another version than was agreed";
            return self.complain(id, LlrpStatus::failure(StatusCode::UNSUPPORTED_VERSION, why));
        }
        match Said::read(message, Side::Reader) {
            Ok(Some(said)) => self.answer_to(said, id, now),
            Ok(None) => self.unsupported(message.kind, id),
            Err(wrong) => {
                let status = LlrpStatus::from(&wrong);
                match response_to(message.kind, status.clone()) {
                    Some(response) => self.reply(&response, id),
                    None => self.complain(id, status),
                }
            }
        }
    }

    fn unsupported(&mut self, kind: MessageType, id: u32) {
        let status = LlrpStatus::failure(StatusCode::UNSUPPORTED_MESSAGE, &format!("this reader does not answer {kind}"));
        self.complain(id, status);
    }

    fn complain(&mut self, id: u32, status: LlrpStatus) {
        self.reply(&ErrorMessage { status }.into(), id);
    }

    fn answer_to(&mut self, said: Said, id: u32, now: Instant) {
        let kind = said.kind();
        match said {
            Said::GetReaderCapabilities(said) => {
                let antennas = self.shelf.antenna_count();
                self.reply(&about::capabilities(said.wanted, antennas).into(), id);
            }
            Said::GetReaderConfig(said) => {
                let response = about::config(said.wanted, &self.config, self.shelf.antennas());
                self.reply(&response.into(), id);
            }
            Said::SetReaderConfig(said) => {
                self.set_config(*said, now);
                self.reply_done(kind, Ok(()), id);
            }
            Said::CloseConnection(_) => {
                self.reply_done(kind, Ok(()), id);
                self.close();
            }
            Said::AddRoSpec(said) => {
                let antennas = self.shelf.antenna_count();
                let done = self.orders.add(said.rospec, antennas);
                self.reply_done(kind, done, id);
            }
            Said::DeleteRoSpec(said) => {
                let turns = self.orders.delete(said.rospec);
                self.turn(kind, turns, id);
            }
            Said::EnableRoSpec(said) => {
                let turns = self.orders.enable(said.rospec, now);
                self.turn(kind, turns, id);
            }
            Said::DisableRoSpec(said) => {
                let turns = self.orders.disable(said.rospec);
                self.turn(kind, turns, id);
            }
            Said::StartRoSpec(said) => {
                let turns = self.orders.start(said.rospec, now);
                self.turn(kind, turns, id);
            }
            Said::StopRoSpec(said) => {
                let turns = self.orders.stop(said.rospec);
                self.turn(kind, turns, id);
            }
            Said::GetRoSpecs(_) => {
                let response = GetRoSpecsResponse {
                    status: LlrpStatus::success(),
                    rospecs: self.orders.iter().map(|order| order.spec.clone()).collect(),
                };
                self.reply(&response.into(), id);
            }
            // There never are any, so all of them are deleted.
            Said::DeleteAccessSpec(said) if said.access_spec == 0 => self.reply_done(kind, Ok(()), id),
            Said::DeleteAccessSpec(_) => {
                let none = LlrpStatus::failure(StatusCode::FIELD_ERROR, "there is no access spec of this number");
                self.reply_done(kind, Err(none), id);
            }
            Said::GetSupportedVersion(_) => self.reply(&self.versions(LlrpStatus::success()).into(), id),
            Said::SetProtocolVersion(said) => {
                let done = self.agree_on(said.version);
                self.reply_done(kind, done, id);
            }
            Said::GetReport(_) => self.report_now(),
            Said::EnableEventsAndReports(_) => self.release_held(),
            Said::KeepaliveAck(_) => {
                if let Some(client) = &mut self.client {
                    client.unacknowledged = 0;
                }
            }
            _ => self.unsupported(kind, id),
        }
    }

    fn turn(&mut self, kind: MessageType, turns: Result<Vec<Turn>, LlrpStatus>, id: u32) {
        match turns {
            Ok(turns) => {
                // The last tags come before the answer, so whoever has the answer has the tags.
                self.take_turns(turns, ASKED);
                self.reply_done(kind, Ok(()), id);
            }
            Err(status) => self.reply_done(kind, Err(status), id),
        }
    }

    fn reply_done(&mut self, kind: MessageType, done: Result<(), LlrpStatus>, id: u32) {
        let status = done.err().unwrap_or_else(LlrpStatus::success);
        if let Some(response) = response_to(kind, status) {
            self.reply(&response, id);
        }
    }

    fn set_config(&mut self, said: SetReaderConfig, now: Instant) {
        if said.reset_to_factory_default {
            self.config = Config::default();
        }
        for state in said.events.into_iter().flat_map(|events| events.states) {
            self.config.told.retain(|told| *told != state.event);
            if state.told {
                self.config.told.push(state.event);
            }
        }
        if let Some(report) = said.report {
            self.config.report = report;
        }
        if let Some(hold) = said.hold {
            self.config.hold_upon_reconnect = hold.hold_upon_reconnect;
        }
        if let Some(keepalive) = said.keepalive {
            self.config.keepalive = keepalive;
        }
        self.schedule_keepalive(now);
    }

    fn versions(&self, status: LlrpStatus) -> GetSupportedVersionResponse {
        let current = self.client.as_ref().map_or(Version::V1_0_1, |client| client.version);
        GetSupportedVersionResponse {
            current: if current == Version::V1_1 { 2 } else { 1 },
            supported: 2,
            status,
        }
    }

    fn agree_on(&mut self, version: u8) -> Result<(), LlrpStatus> {
        let version = match version {
            1 => Version::V1_0_1,
            2 => Version::V1_1,
            _ => {
                let why = "this reader speaks versions 1 (1.0.1) and 2 (1.1)";
                return Err(LlrpStatus::failure(StatusCode::UNSUPPORTED_VERSION, why));
            }
        };
        let Some(client) = &mut self.client else { return Ok(()) };
        if client.negotiated {
            let why = "the version was agreed before; connect anew for another";
            return Err(LlrpStatus::failure(StatusCode::UNEXPECTED_MESSAGE, why));
        }
        client.negotiated = true;
        client.version = version;
        Ok(())
    }
}

/// The response to a request with nothing in it but how it went. `None` for what gets no answer.
fn response_to(kind: MessageType, status: LlrpStatus) -> Option<Said> {
    Some(match kind {
        MessageType::GET_READER_CAPABILITIES => GetReaderCapabilitiesResponse {
            status,
            device: None,
            llrp: None,
            regulatory: None,
            air: None,
            custom: Vec::new(),
        }
        .into(),
        MessageType::GET_READER_CONFIG => GetReaderConfigResponse {
            status,
            identification: None,
            antennas: Vec::new(),
            antenna_configurations: Vec::new(),
            events: None,
            report: None,
            access_report: None,
            state_value: None,
            keepalive: None,
            gpi: Vec::new(),
            gpo: Vec::new(),
            hold: None,
            custom: Vec::new(),
        }
        .into(),
        MessageType::SET_READER_CONFIG => SetReaderConfigResponse { status }.into(),
        MessageType::CLOSE_CONNECTION => CloseConnectionResponse { status }.into(),
        MessageType::ADD_ROSPEC => AddRoSpecResponse { status }.into(),
        MessageType::DELETE_ROSPEC => DeleteRoSpecResponse { status }.into(),
        MessageType::START_ROSPEC => StartRoSpecResponse { status }.into(),
        MessageType::STOP_ROSPEC => StopRoSpecResponse { status }.into(),
        MessageType::ENABLE_ROSPEC => EnableRoSpecResponse { status }.into(),
        MessageType::DISABLE_ROSPEC => DisableRoSpecResponse { status }.into(),
        MessageType::GET_ROSPECS => GetRoSpecsResponse {
            status,
            rospecs: Vec::new(),
        }
        .into(),
        MessageType::DELETE_ACCESSSPEC => DeleteAccessSpecResponse { status }.into(),
        MessageType::SET_PROTOCOL_VERSION => SetProtocolVersionResponse { status }.into(),
        _ => return None,
    })
}
