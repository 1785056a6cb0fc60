//! Every way a call can fail, with its stable code and its sentence. Which gRPC code goes with it is one table in `protocol`.

use std::collections::BTreeMap;

use backroom_actors::door::AskError;
use backroom_actors::file::FileError;
use backroom_actors::journal::AppendError;
use backroom_actors::register::CommandError;
use backroom_actors::staff::{PassError, StaffError};
use backroom_protocol::refusals::status_with;
use tonic::Status;

pub use backroom_protocol::refusals::{CODE, status};

/// A field that is no value of its type.
pub fn bad_field(field: &str, why: impl std::fmt::Display) -> Status {
    let named = BTreeMap::from([("field".to_owned(), field.to_owned())]);
    status_with("bad_field", format!("{field}: {why}"), named)
}

pub fn ask(error: AskError) -> Status {
    match error {
        AskError::Busy { .. } | AskError::Away { .. } => status("busy", error),
        AskError::Unknown { .. } => status("unknown_outcome", error),
    }
}

/// The disk failed or a file does not hold together: the details are for the log, not for the one at the till.
pub fn file(error: &FileError) -> Status {
    tracing::error!(%error, "file");
    status(
        "unknown_outcome",
        "the box could not read or write its files; ask again with the same command to learn what happened",
    )
}

pub fn append(error: AppendError) -> Status {
    match &error {
        AppendError::CommandReused => status("command_id_reused", error),
        AppendError::ShiftClosed { .. } => status("no_shift", error),
        AppendError::TillMoved { .. } => status("busy", error),
        AppendError::AlreadyReturned { .. } => status("already_returned", error),
        AppendError::TakenBackMeanwhile { .. } => status("taken_back_meanwhile", error),
        AppendError::TicketClosed => status("ticket_closed", error),
        AppendError::JobEnded => status("job_ended", error),
        AppendError::NoEpoch => status("no_epoch", error),
        AppendError::Money(_) => status("money", error),
        AppendError::Away(away) => ask(*away),
    }
}

pub fn command(error: CommandError) -> Status {
    match error {
        CommandError::Refused(error) => status(error.code(), error),
        CommandError::Till(error) => status(error.code(), error),
        CommandError::Version { .. } => status("version_conflict", error),
        CommandError::UnknownTicket => status("unknown_ticket", error),
        CommandError::Closed => status("ticket_closed", error),
        CommandError::TooManyTickets => status("too_many_tickets", error),
        CommandError::Append(error) => append(error),
        CommandError::Ask(error) => ask(error),
        CommandError::File(error) => file(&error),
    }
}

pub fn staff(error: StaffError) -> Status {
    match error {
        StaffError::WrongPin => status("wrong_pin", error),
        StaffError::Throttled { .. } => status("throttled", error),
        StaffError::Pairing => status("pairing", error),
        StaffError::OtherTill { .. } => status("other_till", error),
        StaffError::Append(error) => append(error),
        StaffError::Ask(error) => ask(error),
        StaffError::File(error) => file(&error),
    }
}

pub fn pass(error: PassError) -> Status {
    match error {
        PassError::NotSignedIn => status("not_signed_in", error),
        PassError::Fenced => status("session_fenced", error),
        PassError::NotEnrolled => status("not_enrolled", error),
    }
}
