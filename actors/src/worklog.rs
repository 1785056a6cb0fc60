//! The work log: what happened to tickets that are still open, written before a scan is answered.
//!
//! Survives kill -9, not a power cut (then the ticket's version tells the register that its last scan is gone). Rows of closed tickets are
//! deleted some time later; the journal decides what is closed, not this file.

use std::path::{Path, PathBuf};

use backroom_core::ids::{CommandId, RegisterId, TicketId};
use backroom_core::ticket::Event;
use serde_json::{Value, json};
use sqlx::{Row, SqliteConnection};
use tokio::sync::oneshot;

use crate::door::AskError;
use crate::file::{self, FileError, Flush};
use crate::hex::hex;
use crate::journal::BodyHash;
use crate::lane::{BatchWriter, Lane};
use crate::supervisor::Child;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/worklog");

/// One event of one ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub ticket: TicketId,
    pub version: u64,
    pub register: RegisterId,
    pub command_id: CommandId,
    pub body_hash: BodyHash,
    pub event: Event,
}

/// Why an event was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    #[error("somebody else wrote this version of the ticket; read it again")]
    Overtaken,
    #[error(transparent)]
    Away(#[from] AskError),
}

pub enum Job {
    Step {
        steps: Vec<Step>,
        reply: oneshot::Sender<Result<(), StepError>>,
    },
    Forget {
        ticket: TicketId,
        reply: oneshot::Sender<()>,
    },
}

/// The handle registers hold.
#[derive(Clone)]
pub struct WorkLog {
    lane: Lane<Writer>,
}

impl WorkLog {
    pub fn new(file: PathBuf) -> Self {
        Self { lane: Lane::new(file) }
    }

    pub fn child(&self) -> Child {
        self.lane.child("worklog")
    }

    /// Writes the events of one command; answered when written.
    pub async fn write(&self, steps: Vec<Step>) -> Result<(), StepError> {
        self.lane.submit(|reply| Job::Step { steps, reply }).await?
    }

    /// The ticket is in the journal; its rows are no longer needed.
    pub async fn forget(&self, ticket: TicketId) -> Result<(), AskError> {
        self.lane.submit(|reply| Job::Forget { ticket, reply }).await
    }

    /// All events of the tickets a register holds now, or of all tickets, in order. A ticket is where its last event was.
    pub async fn read(file: &Path, register: Option<RegisterId>) -> Result<Vec<Step>, FileError> {
        let sql = "select ticket, version, register, command_id, body_hash, event from step
            where ?1 is null or ?1 = (select register from step as last where last.ticket = step.ticket order by last.version desc limit 1)
            order by ticket, version";
        Self::select(file, sqlx::query(sql).bind(register.map(|register| register.to_string()))).await
    }

    /// All events of one ticket, wherever they were.
    pub async fn read_ticket(file: &Path, ticket: TicketId) -> Result<Vec<Step>, FileError> {
        let sql = "select ticket, version, register, command_id, body_hash, event from step where ticket = ?1 order by version";
        Self::select(file, sqlx::query(sql).bind(ticket.to_bytes().to_vec())).await
    }

    async fn select(
        file: &Path,
        query: sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) -> Result<Vec<Step>, FileError> {
        let pool = file::readers(file).await?;
        let rows = query.fetch_all(&pool).await?;
        pool.close().await;
        rows.iter().map(step).collect()
    }

    pub fn file(&self) -> &Path {
        self.lane.settings()
    }
}

fn step(row: &sqlx::sqlite::SqliteRow) -> Result<Step, FileError> {
    let content = |error: &dyn std::fmt::Display| FileError::Content(format!("a step of the work log: {error}"));
    let hash: Vec<u8> = row.try_get("body_hash")?;
    Ok(Step {
        ticket: TicketId::from_slice(row.try_get("ticket")?).map_err(|error| content(&error))?,
        version: row.try_get::<i64, _>("version")? as u64,
        register: row.try_get::<String, _>("register")?.parse().map_err(|error| content(&error))?,
        command_id: CommandId::from_slice(row.try_get("command_id")?).map_err(|error| content(&error))?,
        body_hash: hash
            .try_into()
            .map_err(|_| FileError::Content("a step without a proper hash".into()))?,
        event: serde_json::from_str(row.try_get("event")?).map_err(|error| content(&error))?,
    })
}

/// The open file.
pub struct Writer {
    db: SqliteConnection,
    /// Closed tickets whose rows are still there. Deleting them one by one would cost a commit each; those that are forgotten by
    /// a fall are recognised by the journal at the next start.
    closed: Vec<String>,
}

/// So many closed tickets are deleted at once.
const TIDY_AT: usize = 64;

impl BatchWriter for Writer {
    type Job = Job;
    type Settings = PathBuf;
    const NAME: &'static str = "the work log";

    async fn open(file: &PathBuf) -> Result<Writer, FileError> {
        Ok(Writer {
            db: file::writer(file, Flush::Written, &MIGRATIONS).await?,
            closed: Vec::new(),
        })
    }

    async fn write(&mut self, jobs: Vec<Job>) -> Result<(), FileError> {
        match self.insert(&jobs).await {
            Ok(()) => {
                jobs.into_iter().for_each(|job| job.answer(Ok(())));
                Ok(())
            }
            Err(error) if error.is_conflict() => {
                for job in jobs {
                    let outcome = match self.insert(std::slice::from_ref(&job)).await {
                        Ok(()) => Ok(()),
                        Err(error) if error.is_conflict() => Err(StepError::Overtaken),
                        Err(error) => return Err(error),
                    };
                    job.answer(outcome);
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

impl Writer {
    async fn insert(&mut self, jobs: &[Job]) -> Result<(), FileError> {
        let mut steps: Vec<Value> = Vec::new();
        for job in jobs {
            match job {
                Job::Step { steps: new, .. } => {
                    for step in new {
                        let event = serde_json::to_string(&step.event).map_err(|error| FileError::Content(error.to_string()))?;
                        let (ticket, command) = (hex(&step.ticket.to_bytes()), hex(&step.command_id.to_bytes()));
                        steps.push(json!([ticket, step.version, step.register, command, hex(&step.body_hash), event]));
                    }
                }
                Job::Forget { ticket, .. } => self.closed.push(hex(&ticket.to_bytes())),
            }
        }
        // One statement is one transaction of its own: that halves the trips to the thread that holds the file.
        if !steps.is_empty() {
            let sql = "insert into step (ticket, version, register, command_id, body_hash, event)
                select unhex(value ->> 0), value ->> 1, value ->> 2, unhex(value ->> 3), unhex(value ->> 4), value ->> 5 from json_each(?)";
            sqlx::query(sql).bind(Value::Array(steps).to_string()).execute(&mut self.db).await?;
        }
        if self.closed.len() >= TIDY_AT {
            let sql = "delete from step where ticket in (select unhex(value) from json_each(?))";
            let closed = std::mem::take(&mut self.closed);
            sqlx::query(sql).bind(json!(closed).to_string()).execute(&mut self.db).await?;
        }
        Ok(())
    }
}

impl Job {
    fn answer(self, outcome: Result<(), StepError>) {
        // The asker may have left; what was written stays written.
        match self {
            Job::Step { reply, .. } => drop(reply.send(outcome)),
            Job::Forget { reply, .. } => drop(reply.send(())),
        }
    }
}
