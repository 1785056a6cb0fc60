//! What an engineer or auditor asks of a data folder: verify, export, prove, open tickets. Works while the box runs, and without it.

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, bail};
use backroom_actors::clock::Clock;
use backroom_actors::journal::reader::Reader;
use backroom_actors::journal::verify::{self, Verified};
use backroom_actors::staff;
use backroom_actors::store::Folder;
use backroom_actors::worklog::WorkLog;
use backroom_core::facts::Kind;
use backroom_core::journal::Entry;
use backroom_core::ticket::{Event, Open};
use backroom_protocol::payload;
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::setup;

pub async fn reader(data: &Path) -> anyhow::Result<Reader> {
    let folder = Folder(data.to_owned());
    if !folder.journal().exists() {
        bail!("{} holds no journal; is it the right folder?", data.display());
    }
    Ok(Reader::open(&folder.journal()).await?)
}

/// One line of an export; its shape stands in docs/contracts.md.
fn line(entry: &Entry) -> anyhow::Result<Value> {
    let header = &entry.header;
    let fact = payload::fact(entry).with_context(|| format!("entry {}:{}", header.epoch, header.seq))?;
    let kind = Kind::from_number(header.kind).map_or_else(|| format!("kind_{}", header.kind), |kind| kind.word().to_owned());
    Ok(json!({
        "epoch": header.epoch,
        "seq": header.seq,
        "time": header.at,
        "business_day": header.business_day,
        "kind": kind,
        "command_id": header.command_id,
        "device": header.device,
        "staff": header.staff,
        "prev_hash": header.prev_hash,
        "hash": entry.hash,
        "bytes": BASE64.encode(&entry.bytes),
        "body": fact,
    }))
}

/// Every entry, oldest first, one JSON line each. A reader that closes the pipe is no error.
pub async fn export(data: &Path) -> anyhow::Result<()> {
    let reader = reader(data).await?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut position = 0;
    loop {
        let page = reader.raw_after(position, 256).await?;
        let Some(last) = page.last() else { break };
        position = last.0;
        for (_, epoch, seq, bytes, _) in page {
            let entry = Entry::read(bytes).with_context(|| format!("entry {epoch}:{seq}"))?;
            writeln!(out, "{}", line(&entry)?)?;
        }
    }
    out.flush()?;
    Ok(())
}

/// One entry, readable.
pub async fn show(data: &Path, epoch: u32, seq: u64) -> anyhow::Result<()> {
    let (epoch, seq) = (backroom_core::journal::Epoch(epoch), backroom_core::journal::Seq(seq));
    let found = reader(data).await?.range(epoch, seq, 1).await?;
    let Some(entry) = found.first().filter(|entry| entry.header.seq == seq) else {
        bail!("there is no entry {epoch}:{seq}");
    };
    println!("{}", serde_json::to_string_pretty(&line(entry)?)?);
    Ok(())
}

/// The first bad entry, or what the journal comes to.
pub async fn verify(data: &Path) -> anyhow::Result<()> {
    let (_, identity, _) = setup::load(data)?;
    let verified = verify::verify(&reader(data).await?, &identity.signing_key.verifying_key()).await?;
    println!("{}", summary(&verified));
    Ok(())
}

/// Verifies, and that what is kept beside the journal follows from it.
pub async fn prove(data: &Path) -> anyhow::Result<()> {
    let (_, identity, _) = setup::load(data)?;
    let verified = verify::prove(&reader(data).await?, &identity.signing_key.verifying_key()).await?;
    println!("{}; stock and tills follow from it", summary(&verified));
    Ok(())
}

fn summary(verified: &Verified) -> String {
    let last = verified
        .head
        .map_or_else(|| "none".to_owned(), |head| format!("{}:{} {}", head.epoch, head.seq, head.hash));
    format!(
        "{} entries in order, {} signed segments, last {last}",
        verified.entries, verified.segments
    )
}

/// Open tickets of the work log, less those the journal has closed.
pub async fn tickets(data: &Path) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for ticket in open_tickets(data).await? {
        writeln!(out, "{ticket}")?;
    }
    out.flush()?;
    Ok(())
}

/// One object per open ticket.
pub async fn open_tickets(data: &Path) -> anyhow::Result<Vec<Value>> {
    let folder = Folder(data.to_owned());
    let reader = reader(data).await?;
    let steps = if folder.worklog().exists() {
        WorkLog::read(&folder.worklog(), None).await?
    } else {
        Vec::new()
    };
    let mut tickets = Vec::new();
    for steps in steps.chunk_by(|one, next| one.ticket == next.ticket) {
        let Some((first, Event::Opened(opening))) = steps.first().map(|step| (step, &step.event)) else {
            continue;
        };
        if reader.by_ticket(first.ticket).await?.is_some() {
            continue;
        }
        let mut open = Open::new(opening.clone());
        let mut command_ids = Vec::new();
        for step in steps {
            // Opening and first line are of one command; money and wishes for it have entries of their own in the journal.
            let in_journal = matches!(step.event, Event::TenderTaken(_) | Event::CardAsked(_) | Event::CardEnded { .. });
            if !in_journal && !command_ids.contains(&step.command_id) {
                command_ids.push(step.command_id);
            }
            if !matches!(step.event, Event::Opened(_)) {
                open.apply(step.event.clone());
            }
        }
        tickets.push(json!({
            "ticket": first.ticket,
            "version": steps.last().map(|step| step.version),
            "register": opening.register,
            "till": opening.till,
            "shift": opening.shift,
            "opened_at": opening.opened_at,
            "command_ids": command_ids,
            "lines": open.lines(),
            "tenders": open.tenders(),
        }));
    }
    reader.close().await;
    Ok(tickets)
}

/// A code with which one device becomes a register.
pub async fn pair(data: &Path) -> anyhow::Result<()> {
    let (folder, _, _) = setup::load(data)?;
    let mut db = staff::open(&folder.people()).await?;
    let code = staff::make_pairing_code(&mut db, Clock.now()).await?;
    println!("{}", json!({"pairing_code": code, "valid_minutes": 10}));
    Ok(())
}
