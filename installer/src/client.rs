//! The register's side of the talk with the box: one connection, one token, and commands that may be said again.
//!
//! Owns the retry: a command keeps its id until an answer was read, however often the box dies in between. Decides nothing
//! about a sale; what a register remembers between two starts is the till's matter.

pub mod ask;
mod clerk;
pub mod log;
pub mod make;
pub mod patience;

use std::io;
use std::time::Duration;

use backroom_protocol::refusals::CODE;
use backroom_protocol::v1::register::Position;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use uuid::Uuid;

use self::ask::{Answer, Command, Rpc};
use self::log::{NoNotes, Notes, Outcome};
use self::patience::Patience;

/// One try, not the whole patience: a box that hangs is asked anew on a fresh connection.
const ONE_TRY: Duration = Duration::from_secs(10);

/// Why there is no answer that could be worked with.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A rule of the shop says no, in the box's own sentence. Nothing was done.
    #[error("{message}")]
    Refused { code: String, message: String },
    #[error("the box at {address} did not answer within {} s ({why}); check that it runs and say the same again", .waited.as_secs())]
    Unreachable { address: String, waited: Duration, why: String },
    #[error("the box answered {code:?} to {call}: {message}")]
    Fault { call: &'static str, code: Code, message: String },
    #[error("{address:?} is not the address of a box; use one such as http://127.0.0.1:7400")]
    Address { address: String },
    #[error("the box gave a token that can not be sent back; enrol again")]
    Token,
    #[error("could not write the client log, so the command was not sent")]
    Log(#[source] io::Error),
    #[error("the box left {field} out of its answer to {call}")]
    Incomplete { call: &'static str, field: &'static str },
}

impl Failure {
    /// The stable code of a refusal.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Failure::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

/// One register's connection. It is made when first used, and made again whenever the box comes back.
pub struct Client {
    address: String,
    channel: Channel,
    bearer: Option<MetadataValue<Ascii>>,
    patience: Patience,
    notes: Box<dyn Notes>,
    seen: Option<Position>,
}

impl Client {
    /// Needs a tokio runtime around it, but waits for nothing.
    pub fn new(address: &str, patience: Patience) -> Result<Self, Failure> {
        let wrong = || Failure::Address {
            address: address.chars().take(200).collect(),
        };
        let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|_| wrong())?;
        let is_whole = endpoint.uri().scheme_str() == Some("http") && endpoint.uri().authority().is_some();
        if !is_whole {
            return Err(wrong());
        }
        let channel = endpoint
            .connect_timeout(Duration::from_secs(3))
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(5))
            .keep_alive_timeout(Duration::from_secs(4))
            .connect_lazy();
        Ok(Self {
            address: address.to_owned(),
            channel,
            bearer: None,
            patience,
            notes: Box::new(NoNotes),
            seen: None,
        })
    }

    /// Whoever keeps the books of what was asked and answered.
    pub fn with_notes(mut self, notes: Box<dyn Notes>) -> Self {
        self.notes = notes;
        self
    }

    /// From now on the client speaks with this token: the device's for signing in, the session's for all else.
    pub fn carry(&mut self, token: &str) -> Result<(), Failure> {
        let bearer = format!("Bearer {token}").parse().map_err(|_| Failure::Token)?;
        self.bearer = Some(bearer);
        Ok(())
    }

    /// The highest position any answer told, to be presented at the next sign-in.
    pub fn seen(&self) -> Option<&Position> {
        self.seen.as_ref()
    }

    /// Takes over what an earlier run of this register has seen.
    pub fn remember(&mut self, position: Option<Position>) {
        if let Some(position) = position {
            self.note_position(&position);
        }
    }

    /// Says a command until it is answered, always with the same id. The log has the command before the box has it.
    pub async fn command<C: Command>(&mut self, command: &C) -> Result<C::Answer, Failure> {
        let id = command.command_id();
        self.notes.asked(C::CALL, id).map_err(Failure::Log)?;
        let (answer, attempts) = self.say(command).await;
        let outcome = match &answer {
            Ok(answer) => answer.outcome(),
            Err(Failure::Refused { code, .. }) => Outcome::refused(code),
            Err(_) => return answer, // Nothing was answered, so nothing is acknowledged.
        };
        self.notes.acked(C::CALL, id, &outcome, attempts).map_err(Failure::Log)?;
        answer
    }

    /// Asks something that changes nothing.
    pub async fn read<R: Rpc>(&mut self, question: &R) -> Result<R::Answer, Failure> {
        self.say(question).await.0
    }

    async fn say<R: Rpc>(&mut self, rpc: &R) -> (Result<R::Answer, Failure>, u32) {
        let mut waiting = self.patience.begin();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let request = self.envelope(rpc.clone());
            let status = match R::send(self.channel.clone(), request).await {
                Ok(answer) => {
                    let answer = answer.into_inner();
                    if let Some(position) = answer.position() {
                        self.note_position(position);
                    }
                    return (Ok(answer), attempts);
                }
                Err(status) => status,
            };
            match judge(R::CALL, &status) {
                Verdict::Final(failure) => return (Err(failure), attempts),
                Verdict::Again if waiting.pause().await => {}
                Verdict::Again => {
                    let failure = Failure::Unreachable {
                        address: self.address.clone(),
                        waited: waiting.waited(),
                        why: sentence(&status),
                    };
                    return (Err(failure), attempts);
                }
            }
        }
    }

    fn envelope<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.patience.total().min(ONE_TRY));
        if let Some(bearer) = &self.bearer {
            request.metadata_mut().insert("authorization", bearer.clone());
        }
        request
    }

    fn note_position(&mut self, position: &Position) {
        let is_higher = self
            .seen
            .as_ref()
            .is_none_or(|seen| (position.epoch, position.seq) > (seen.epoch, seen.seq));
        if is_higher {
            self.seen = Some(position.clone());
        }
    }
}

enum Verdict {
    Again,
    Final(Failure),
}

/// Whether the box has said no, or whether nobody knows.
fn judge(call: &'static str, status: &Status) -> Verdict {
    let code = status.metadata().get(CODE).and_then(|code| code.to_str().ok());
    match code {
        Some("busy" | "unknown_outcome") => Verdict::Again,
        Some(code) => Verdict::Final(Failure::Refused {
            code: code.to_owned(),
            message: status.message().to_owned(),
        }),
        // A status with a cause was made on this side, because the connection broke or never was.
        None if std::error::Error::source(status).is_some() => Verdict::Again,
        None => match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Unknown | Code::Cancelled | Code::ResourceExhausted | Code::Aborted => {
                Verdict::Again
            }
            code => Verdict::Final(Failure::Fault {
                call,
                code,
                message: status.message().to_owned(),
            }),
        },
    }
}

/// The innermost cause: `connection refused` tells more than `transport error`.
fn sentence(status: &Status) -> String {
    let mut innermost: &dyn std::error::Error = status;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match innermost.downcast_ref::<Status>() {
        Some(status) => status.message().to_owned(),
        None => innermost.to_string(),
    }
}

/// A new id for a command, ordered by time so that logs sort by it.
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: Code, word: Option<&str>) -> Status {
        let mut status = Status::new(code, "a sentence");
        if let Some(word) = word {
            status.metadata_mut().insert(CODE, word.parse().unwrap());
        }
        status
    }

    #[test]
    fn only_a_rule_or_a_fault_ends_the_asking() {
        let again = |code, word| matches!(judge("scan", &status(code, word)), Verdict::Again);
        assert!(again(Code::Unavailable, None));
        assert!(again(Code::Unavailable, Some("busy")));
        assert!(again(Code::Aborted, Some("unknown_outcome")));
        assert!(!again(Code::FailedPrecondition, Some("version_conflict")));
        assert!(!again(Code::Unavailable, Some("something_new")));
        assert!(!again(Code::Internal, None));
    }

    #[tokio::test]
    async fn an_address_without_scheme_is_named() {
        for address in ["", "127.0.0.1:7400", "https://box", "http://"] {
            assert!(
                matches!(Client::new(address, Patience::default()), Err(Failure::Address { .. })),
                "{address:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_box_that_is_not_there_is_reported_when_patience_ends() {
        let mut client = Client::new("http://127.0.0.1:1", Patience::of(Duration::from_millis(50))).unwrap();
        let failure = client
            .read(&backroom_protocol::v1::register::GetStatusRequest {})
            .await
            .unwrap_err();
        assert!(matches!(failure, Failure::Unreachable { .. }), "{failure}");
    }
}
