//! Reading the evidence: exports, open tickets, states, client logs and device ledgers, each a file of JSON lines.
//!
//! A client or a simulator may have been killed while it wrote its last line; such a torn end is left out. An export that can not
//! be read is an error, not a broken law.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::entry::{self, Entry, Line};
use super::header::Code;
use super::words::Id;

/// Everything a check looks at. What is missing is simply not checked, and the report says so.
#[derive(Debug, Default)]
pub struct Evidence {
    pub stores: Vec<StoreEvidence>,
    pub hqs: Vec<HqEvidence>,
    pub client_logs: Vec<ClientLog>,
    pub ledgers: Vec<Ledger>,
}

/// What one box says of itself.
#[derive(Debug)]
pub struct StoreEvidence {
    pub export: Export,
    /// `store-server tickets export`.
    pub open_tickets: Option<Vec<OpenTicket>>,
    /// `store-server state`.
    pub state: Option<Vec<Projection>>,
}

/// What head office holds of one tenant: all stores, or those it was asked for.
#[derive(Debug)]
pub struct HqEvidence {
    pub export: Export,
}

/// The lines of one export.
#[derive(Debug, Default)]
pub struct Export {
    /// For people: the file's name.
    pub name: String,
    pub entries: Vec<Entry>,
    pub projections: Vec<Projection>,
    /// Lines whose bytes are no entry.
    pub unreadable: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Projection {
    pub projection: String,
    pub key: String,
    pub value: Value,
}

#[derive(Clone, Debug, Deserialize)]
pub struct OpenTicket {
    pub ticket: Id,
    pub command_ids: Vec<Id>,
    /// Only refer to the entries that took the money.
    #[serde(default)]
    pub tenders: Vec<OpenTender>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct OpenTender {
    pub command_id: Id,
}

#[derive(Debug, Default)]
pub struct ClientLog {
    pub name: String,
    /// Only lines with a command id: reads are nobody's law.
    pub lines: Vec<ClientLine>,
}

#[derive(Clone, Debug)]
pub struct ClientLine {
    pub command_id: Id,
    pub call: String,
    pub event: ClientEvent,
}

#[derive(Clone, Debug)]
pub enum ClientEvent {
    Asked,
    /// Answered; `Some` when the answer was yes.
    Acked(Option<Answer>),
}

/// What the client was told, as far as the laws compare it.
#[derive(Clone, Debug)]
pub struct Answer {
    pub durable: Durable,
    pub receipt: Option<String>,
    pub due: Option<i64>,
    pub change: Option<i64>,
}

/// What an answer promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durable {
    /// Survives kill -9.
    Written,
    /// Survives a power cut.
    Flushed,
}

/// What happened to simulated devices.
#[derive(Debug, Default)]
pub struct Ledger {
    pub name: String,
    pub lines: Vec<LedgerLine>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct LedgerLine {
    pub device: String,
    pub event: String,
    #[serde(flatten)]
    pub more: serde_json::Map<String, Value>,
}

/// Files as a command line names them. The first `tickets` and the first `state` belong to the first store export, and so on.
#[derive(Clone, Debug, Default)]
pub struct Files {
    pub store_exports: Vec<PathBuf>,
    pub hq_exports: Vec<PathBuf>,
    pub tickets: Vec<PathBuf>,
    pub states: Vec<PathBuf>,
    pub logs: Vec<PathBuf>,
    pub ledgers: Vec<PathBuf>,
}

impl Evidence {
    pub fn read(files: &Files) -> anyhow::Result<Self> {
        let stores = files.store_exports.len();
        for (what, count) in [("tickets", files.tickets.len()), ("state", files.states.len())] {
            ensure!(
                count == 0 || count == stores,
                "{count} {what} files for {stores} store exports; give one for each store export, in the same order, or none"
            );
        }
        let mut evidence = Self::default();
        for (at, path) in files.store_exports.iter().enumerate() {
            let tickets = files.tickets.get(at).map(PathBuf::as_path);
            let state = files.states.get(at).map(PathBuf::as_path);
            evidence.stores.push(StoreEvidence::read(path, tickets, state)?);
        }
        for path in &files.hq_exports {
            evidence.hqs.push(HqEvidence {
                export: Export::read(open(path)?, name(path))?,
            });
        }
        for path in &files.logs {
            evidence.client_logs.push(ClientLog::read(open(path)?, name(path))?);
        }
        for path in &files.ledgers {
            evidence.ledgers.push(Ledger::read(open(path)?, name(path))?);
        }
        Ok(evidence)
    }

    /// A folder as campaigns leave it: `stores/NAME/{journal,tickets,state}.jsonl`, `hq/*.jsonl`, `clients/*.jsonl`,
    /// `ledgers/*.jsonl`. Each of them may be missing.
    pub fn read_folder(folder: &Path) -> anyhow::Result<Self> {
        ensure!(folder.is_dir(), "{} is no folder; name the folder of a campaign", folder.display());
        let mut evidence = Self::read(&Files {
            hq_exports: listed(&folder.join("hq"))?,
            logs: listed(&folder.join("clients"))?,
            ledgers: listed(&folder.join("ledgers"))?,
            ..Files::default()
        })?;
        for store in listed(&folder.join("stores"))? {
            let existing = |name: &str| Some(store.join(name)).filter(|path| path.exists());
            let (tickets, state) = (existing("tickets.jsonl"), existing("state.jsonl"));
            let journal = store.join("journal.jsonl");
            evidence
                .stores
                .push(StoreEvidence::read(&journal, tickets.as_deref(), state.as_deref())?);
        }
        Ok(evidence)
    }
}

impl StoreEvidence {
    pub fn read(export: &Path, tickets: Option<&Path>, state: Option<&Path>) -> anyhow::Result<Self> {
        Ok(Self {
            export: Export::read(open(export)?, name(export))?,
            open_tickets: tickets.map(|path| each_line(open(path)?, &name(path), Torn::Refused)).transpose()?,
            state: state.map(|path| each_line(open(path)?, &name(path), Torn::Refused)).transpose()?,
        })
    }

    /// Tenant and store, as the first entry tells them.
    pub fn address(&self) -> Option<(Code, Code)> {
        self.export.entries.first().map(|entry| (entry.header.tenant, entry.header.store))
    }
}

impl HqEvidence {
    pub fn tenant(&self) -> Option<Code> {
        self.export.entries.first().map(|entry| entry.header.tenant)
    }
}

impl Export {
    /// Takes one entry by its bytes alone, as a test in memory has it; `body` is looked at for newer kinds only.
    pub fn take(&mut self, bytes: &[u8], body: Option<Value>) {
        match entry::of_bytes(bytes, body) {
            Ok(entry) => self.entries.push(entry),
            Err(why) => self.unreadable.push(why),
        }
    }

    pub fn read(lines: impl BufRead, name: String) -> anyhow::Result<Self> {
        let mut export = Self { name, ..Self::default() };
        let name = export.name.clone();
        for_each_line(lines, &name, Torn::Refused, |number, line| {
            match entry::read(line)? {
                Line::Entry(entry) => export.entries.push(*entry),
                Line::Unreadable(why) => export.unreadable.push(format!("line {number}: {why}")),
                Line::Projection { projection, key, value } => export.projections.push(Projection { projection, key, value }),
            }
            Ok(())
        })?;
        Ok(export)
    }
}

impl ClientLog {
    pub fn read(lines: impl BufRead, name: String) -> anyhow::Result<Self> {
        let mut log = Self { name, lines: Vec::new() };
        let name = log.name.clone();
        for_each_line(lines, &name, Torn::LeftOut, |_, line| {
            log.lines.extend(serde_json::from_str::<RawLine>(line)?.parse()?);
            Ok(())
        })?;
        Ok(log)
    }
}

impl Ledger {
    pub fn read(lines: impl BufRead, name: String) -> anyhow::Result<Self> {
        let lines = each_line(lines, &name, Torn::LeftOut)?;
        Ok(Self { name, lines })
    }
}

/// A line of a client log as it stands there.
#[derive(Deserialize)]
struct RawLine {
    /// The time, or true.
    asked: Option<Value>,
    acked: Option<Value>,
    command_id: Option<String>,
    #[serde(default)]
    call: String,
    #[serde(default)]
    result: Value,
}

impl RawLine {
    fn parse(self) -> anyhow::Result<Option<ClientLine>> {
        let Some(command_id) = self.command_id.filter(|id| !id.is_empty()) else {
            return Ok(None);
        };
        let command_id = Id::parse(&command_id).with_context(|| format!("command_id {command_id:?} is no UUID"))?;
        let said = |field: &Option<Value>| field.as_ref().is_some_and(|value| value.is_string() || *value == Value::Bool(true));
        let event = match (said(&self.asked), said(&self.acked)) {
            (true, false) => ClientEvent::Asked,
            (false, true) => ClientEvent::Acked(answer(&self.call, &self.result)?),
            _ => bail!("a line says either \"asked\" or \"acked\", with its time or true"),
        };
        Ok(Some(ClientLine {
            command_id,
            call: self.call,
            event,
        }))
    }
}

fn answer(call: &str, result: &Value) -> anyhow::Result<Option<Answer>> {
    let ok = result.get("ok").and_then(Value::as_bool).context("an acked line needs result.ok")?;
    if !ok {
        return Ok(None);
    }
    let durable = match result.get("durable").and_then(Value::as_str) {
        Some("written") => Durable::Written,
        Some("flushed") => Durable::Flushed,
        Some(other) => bail!("result.durable is {other:?}; it is written or flushed"),
        None => promise(call),
    };
    let amount = |field: &str| match result.get(field)? {
        Value::Object(money) => money.get("minor")?.as_i64(),
        other => other.as_i64(),
    };
    let receipt = match result.get("receipt") {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Object(parts)) => {
            let part = |field: &str| {
                let part = parts.get(field)?;
                Some(part.as_str().map_or_else(|| part.to_string(), str::to_owned))
            };
            let number = (part("register"), part("series"), part("number"));
            let (Some(register), Some(series), Some(number)) = number else {
                bail!("result.receipt has no register, series and number");
            };
            Some(format!("{register}/{series}/{number}"))
        }
        _ => None,
    };
    Ok(Some(Answer {
        durable,
        receipt,
        due: amount("due"),
        change: amount("change"),
    }))
}

/// What a call's answer promises when the log does not say: what only changes an open ticket is written, all else is flushed.
fn promise(call: &str) -> Durable {
    let call: String = call.chars().filter(char::is_ascii_alphanumeric).collect();
    match call.to_ascii_lowercase().as_str() {
        "scan" | "voidline" | "void" => Durable::Written,
        _ => Durable::Flushed,
    }
}

/// What to do with a last line that has no end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Torn {
    LeftOut,
    Refused,
}

fn each_line<T: DeserializeOwned>(lines: impl BufRead, name: &str, torn: Torn) -> anyhow::Result<Vec<T>> {
    let mut all = Vec::new();
    for_each_line(lines, name, torn, |_, line| {
        all.push(serde_json::from_str(line)?);
        Ok(())
    })?;
    Ok(all)
}

fn for_each_line(
    mut lines: impl BufRead,
    name: &str,
    torn: Torn,
    mut read: impl FnMut(usize, &str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let place = || format!("{name}, line {number}");
        if lines.read_until(b'\n', &mut line).with_context(place)? == 0 {
            break;
        }
        let ended = line.last() == Some(&b'\n');
        let text = match std::str::from_utf8(&line) {
            Ok(text) => text.trim(),
            Err(_) if !ended && torn == Torn::LeftOut => break,
            Err(why) => return Err(why).with_context(place),
        };
        if text.is_empty() {
            continue;
        }
        match read(number, text) {
            Err(_) if !ended && torn == Torn::LeftOut => break,
            done => done.with_context(place)?,
        }
    }
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    let file = File::open(path).with_context(|| format!("could not open {}", path.display()))?;
    Ok(BufReader::with_capacity(1 << 20, file))
}

/// The file's name with its folder: ten stores may all have a `journal.jsonl`.
fn name(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts[parts.len().saturating_sub(2)..].join("/")
}

fn listed(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
