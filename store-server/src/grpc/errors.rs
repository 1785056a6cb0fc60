//! Every way a call can fail, mapped once to a gRPC status: a stable code in the metadata, a sentence for the person.

use backroom_actors::door::AskError;
use backroom_actors::file::FileError;
use backroom_actors::journal::AppendError;
use backroom_actors::register::CommandError;
use backroom_actors::staff::{PassError, StaffError};
use backroom_core::ticket::Refusal;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

/// The metadata that names the reason.
pub const CODE: &str = "backroom-code";

/// A status with its stable code.
pub fn status(code: Code, reason: &'static str, sentence: impl std::fmt::Display) -> Status {
    let mut status = Status::new(code, sentence.to_string());
    status.metadata_mut().insert(CODE, MetadataValue::from_static(reason));
    status
}

/// A field that is no value of its type.
pub fn bad_field(field: &str, why: impl std::fmt::Display) -> Status {
    status(Code::InvalidArgument, "bad_field", format!("{field}: {why}"))
}

pub fn ask(error: AskError) -> Status {
    match error {
        AskError::Busy { .. } | AskError::Away { .. } => status(Code::Unavailable, "busy", error),
        AskError::Unknown { .. } => status(Code::Unavailable, "unknown_outcome", error),
    }
}

/// The disk failed or a file does not hold together: the details are for the log, not for the one at the till.
pub fn file(error: &FileError) -> Status {
    tracing::error!(%error, "file");
    status(
        Code::Unavailable,
        "unknown_outcome",
        "the box could not read or write its files; ask again with the same command to learn what happened",
    )
}

pub fn append(error: AppendError) -> Status {
    match &error {
        AppendError::CommandReused => status(Code::AlreadyExists, "command_id_reused", error),
        AppendError::ShiftClosed { .. } => status(Code::FailedPrecondition, "no_shift", error),
        AppendError::TillMoved { .. } => status(Code::Unavailable, "busy", error),
        AppendError::AlreadyReturned { .. } => status(Code::FailedPrecondition, "already_returned", error),
        AppendError::TicketClosed => status(Code::FailedPrecondition, "ticket_closed", error),
        AppendError::JobEnded => status(Code::FailedPrecondition, "job_ended", error),
        AppendError::NoEpoch => status(Code::FailedPrecondition, "no_epoch", error),
        AppendError::Money(_) => status(Code::FailedPrecondition, "money", error),
        AppendError::Away(away) => ask(*away),
    }
}

fn refused(error: &Refusal) -> Status {
    let code = match error {
        Refusal::UnknownCode { .. } | Refusal::UnknownReceipt { .. } | Refusal::NoSuchLine { .. } => Code::NotFound,
        Refusal::UnreadableCode { .. } | Refusal::Quantity { .. } | Refusal::Amount { .. } => Code::InvalidArgument,
        _ => Code::FailedPrecondition,
    };
    status(code, error.code(), error)
}

pub fn command(error: CommandError) -> Status {
    match error {
        CommandError::Refused(error) => refused(&error),
        CommandError::Till(error) => status(Code::FailedPrecondition, error.code(), error),
        CommandError::Version { .. } => status(Code::FailedPrecondition, "version_conflict", error),
        CommandError::UnknownTicket => status(Code::NotFound, "unknown_ticket", error),
        CommandError::Closed => status(Code::FailedPrecondition, "ticket_closed", error),
        CommandError::TooManyTickets => status(Code::FailedPrecondition, "too_many_tickets", error),
        CommandError::Append(error) => append(error),
        CommandError::Ask(error) => ask(error),
        CommandError::File(error) => file(&error),
    }
}

pub fn staff(error: StaffError) -> Status {
    match error {
        StaffError::WrongPin => status(Code::Unauthenticated, "wrong_pin", error),
        StaffError::Throttled { .. } => status(Code::FailedPrecondition, "throttled", error),
        StaffError::Pairing => status(Code::PermissionDenied, "pairing", error),
        StaffError::OtherTill { .. } => status(Code::FailedPrecondition, "other_till", error),
        StaffError::Append(error) => append(error),
        StaffError::Ask(error) => ask(error),
        StaffError::File(error) => file(&error),
    }
}

pub fn pass(error: PassError) -> Status {
    match error {
        PassError::NotSignedIn => status(Code::Unauthenticated, "not_signed_in", error),
        PassError::Fenced => status(Code::PermissionDenied, "session_fenced", error),
        PassError::NotEnrolled => status(Code::Unauthenticated, "not_enrolled", error),
    }
}
