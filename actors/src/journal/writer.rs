//! One batch after another into the journal file: checks what decisions stood on, numbers receipts, chains, writes, flushes.
//!
//! Holds the few folds it needs to decide that (tills, receipt counters) and keeps them in the same transaction as the entries.
//! A batch is written whole; when one command in it is refused by the tables, the batch is done again one by one, so that one bad
//! command never fails its neighbours.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use backroom_core::directive::Address;
use backroom_core::facts::{CashMoved, ClosedTicket, EpochEnd, EpochOpened, EpochReason, Fact, Kind, ShiftOpened, TicketFact};
use backroom_core::ids::{CommandId, ReceiptNo, RegisterId, TillId};
use backroom_core::journal::segment::{Builder, SegmentError};
use backroom_core::journal::{Entry, Epoch, FiscalBlock, Head, Header, Retention, Segment, Seq};
use backroom_core::till::Till;
use backroom_core::time::Instant;
use backroom_protocol::payload;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tokio::sync::oneshot;

use super::sql::{self, BatchRows};
use super::{Append, AppendError, BodyHash, Books, Committed, Expect, Job, JournalSettings, Published};
use crate::file::FileError;
use crate::hex::hex;
use crate::lane::BatchWriter;

/// What to say to whom, once the batch is flushed.
struct Answer {
    outcome: Result<Committed, AppendError>,
    reply: Reply,
}

type Reply = oneshot::Sender<Result<Committed, AppendError>>;

/// What a job asks for.
enum Work {
    Append(Box<Append>),
    OpenEpoch {
        reason: EpochReason,
        at_least: Epoch,
        skip_series: u32,
    },
}

/// Where the file is, and where to show what it came to.
#[derive(Clone)]
pub struct Settings {
    pub journal: JournalSettings,
    pub published: Arc<Published>,
}

/// The open file and the folds that stand for its content.
pub struct Writer {
    db: SqliteConnection,
    settings: JournalSettings,
    published: Arc<Published>,
    folds: Folds,
}

/// Everything a batch may change; cloned before, swapped in after the flush.
#[derive(Clone)]
struct Folds {
    head: Head,
    position: i64,
    last_at: Instant,
    series: u32,
    epoch_opened: Option<EpochOpened>,
    counters: HashMap<(RegisterId, u32), u64>,
    books: Arc<Books>,
    /// The segment that is being filled.
    segment: Builder,
}

/// The rows a batch has gathered so far.
#[derive(Default)]
struct Gathered {
    entries: Vec<Value>,
    commands: Vec<Value>,
    counters: BTreeMap<(RegisterId, u32), u64>,
    tills: BTreeSet<TillId>,
    stock: BTreeMap<String, i64>,
    open_tenders: Vec<Value>,
    closed_tickets: Vec<Value>,
    returned: Vec<(ReceiptNo, String)>,
    segments: Vec<Value>,
    jobs: Vec<Value>,
    begun_jobs: Vec<Value>,
    ended_jobs: BTreeSet<String>,
    /// What each job came to.
    committed: Vec<Committed>,
    /// Everything in order, with what followed.
    told: Vec<Committed>,
}

/// Entries read and verified again when a file is opened.
const TAIL: i64 = 64;

impl BatchWriter for Writer {
    type Job = Job;
    type Settings = Settings;
    const NAME: &'static str = "the journal";

    /// Opens the file, verifies its tail and reads the folds.
    async fn open(settings: &Settings) -> Result<Writer, FileError> {
        let mut db = sql::open_writer(&settings.journal.file).await?;
        // Whoever wrote before must be done: take the write lock once.
        let mut turn = db.begin_with("begin immediate").await?;
        let folds = Folds::read(&mut turn, settings.journal.address).await?;
        turn.commit().await?;
        settings.published.show(folds.head, folds.books.clone());
        Ok(Writer {
            db,
            settings: settings.journal.clone(),
            published: settings.published.clone(),
            folds,
        })
    }

    /// On an I/O error nobody is answered: they hear "unknown" and ask again.
    async fn write(&mut self, jobs: Vec<Job>) -> Result<(), FileError> {
        let mut decided = Vec::new();
        let mut work = Vec::with_capacity(jobs.len());
        for job in jobs {
            match job {
                Job::Barrier { reply } => decided.push(reply),
                Job::Append { append, reply } => work.push((Work::Append(append), reply)),
                Job::OpenEpoch {
                    reason,
                    at_least,
                    skip_series,
                    reply,
                } => {
                    let opens = Work::OpenEpoch {
                        reason,
                        at_least,
                        skip_series,
                    };
                    work.push((opens, reply));
                }
            }
        }
        let (answers, told) = if work.is_empty() {
            Default::default()
        } else {
            self.write_batch(work).await?
        };
        self.published.show(self.folds.head, self.folds.books.clone());
        told.iter().for_each(|committed| self.published.tell(committed));
        for answer in answers {
            let _ = answer.reply.send(answer.outcome); // The asker may have left; the outcome is in the journal.
        }
        for reply in decided {
            let _ = reply.send(()); // The asker may have left.
        }
        Ok(())
    }
}

impl Writer {
    /// Writes all jobs in one transaction and one flush. An error means: nothing is known, drop this writer.
    async fn write_batch(&mut self, jobs: Vec<(Work, Reply)>) -> Result<(Vec<Answer>, Vec<Committed>), FileError> {
        let mut answers = Vec::with_capacity(jobs.len());
        let mut folds = self.folds.clone();
        let mut rows = Gathered::default();
        let mut accepted = Vec::new();
        for (job, reply) in jobs {
            match add(&mut self.db, &self.settings, &mut folds, &mut rows, &job).await? {
                Ok(()) => accepted.push((job, reply)),
                Err(refused) => answers.push(Answer {
                    outcome: Err(refused),
                    reply,
                }),
            }
        }
        if accepted.is_empty() {
            return Ok((answers, Vec::new()));
        }
        let rows_json = rows.json(&folds);
        let began = std::time::Instant::now();
        match sql::write(&mut self.db, &rows_json).await {
            Ok(()) => {
                self.published.flushed(began.elapsed());
                self.folds = folds;
                let done = accepted.into_iter().zip(std::mem::take(&mut rows.committed));
                answers.extend(done.map(|((_, reply), committed)| Answer {
                    outcome: Ok(committed),
                    reply,
                }));
                Ok((answers, rows.told))
            }
            Err(error) if error.is_conflict() => {
                let mut told = Vec::new();
                for (job, reply) in accepted {
                    let outcome = self.write_alone(&job, &mut told).await?;
                    answers.push(Answer { outcome, reply });
                }
                Ok((answers, told))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes one job, after looking whether it was carried out before.
    async fn write_alone(&mut self, job: &Work, told: &mut Vec<Committed>) -> Result<Result<Committed, AppendError>, FileError> {
        if let Some(outcome) = said_before(&mut self.db, job).await? {
            return Ok(outcome);
        }
        let mut folds = self.folds.clone();
        let mut rows = Gathered::default();
        if let Err(refused) = add(&mut self.db, &self.settings, &mut folds, &mut rows, job).await? {
            return Ok(Err(refused));
        }
        let rows_json = rows.json(&folds);
        let began = std::time::Instant::now();
        match sql::write(&mut self.db, &rows_json).await {
            Ok(()) => {
                self.published.flushed(began.elapsed());
                self.folds = folds;
                told.append(&mut rows.told);
                let outcome = rows.committed.pop();
                Ok(Ok(
                    outcome.ok_or_else(|| FileError::Content("a batch of one without an outcome".into()))?
                ))
            }
            Err(error) if error.is_conflict() => Ok(Err(conflict(&mut self.db, job).await?)),
            Err(error) => Err(error),
        }
    }
}

/// The outcome of a command that was carried out before, or the refusal of its id.
async fn said_before(db: &mut SqliteConnection, job: &Work) -> Result<Option<Result<Committed, AppendError>>, FileError> {
    let Work::Append(append) = job else { return Ok(None) };
    let Some(id) = append.command_id else { return Ok(None) };
    let Some((hash, entry)) = sql::command(db, id).await? else {
        return Ok(None);
    };
    if hash != append.body_hash {
        return Ok(Some(Err(AppendError::CommandReused)));
    }
    Ok(Some(Ok(committed_from(&entry)?)))
}

/// What an entry that was read back says.
pub fn committed_from(entry: &Entry) -> Result<Committed, FileError> {
    let fact = payload::fact(entry).map_err(|error| FileError::Content(format!("entry {}: {error}", entry.header.seq)))?;
    let fact = fact.ok_or_else(|| FileError::Content(format!("entry {} is of a newer kind", entry.header.seq)))?;
    let (epoch, seq) = entry.position();
    let head = Head {
        epoch,
        seq,
        hash: entry.hash,
    };
    Ok(Committed {
        head,
        at: entry.header.at,
        business_day: entry.header.business_day,
        fact: Arc::new(fact),
        replayed: true,
    })
}

/// Which rule of the tables a single job broke.
async fn conflict(db: &mut SqliteConnection, job: &Work) -> Result<AppendError, FileError> {
    let Work::Append(append) = job else {
        return Ok(AppendError::CommandReused);
    };
    if let Fact::TicketClosed(ticket) = &append.fact
        && sql::by_ticket(db, ticket.ticket).await?.is_some()
    {
        return Ok(AppendError::TicketClosed);
    }
    let ids = append.command_id.into_iter().chain(append.also.iter().map(|(id, _)| *id));
    for id in ids {
        if sql::command(db, id).await?.is_some() {
            return Ok(AppendError::CommandReused);
        }
    }
    Err(FileError::Content(
        "a row is there that does not follow from the journal; run `store-server prove`".into(),
    ))
}

/// Checks a job against the folds as they stand within this batch and gathers its rows.
async fn add(
    db: &mut SqliteConnection,
    settings: &JournalSettings,
    folds: &mut Folds,
    rows: &mut Gathered,
    job: &Work,
) -> Result<Result<(), AppendError>, FileError> {
    match job {
        Work::OpenEpoch {
            reason,
            at_least,
            skip_series,
        } => {
            let Some((epoch, opened)) = folds.next_epoch(*reason, *at_least, *skip_series) else {
                return Ok(Err(AppendError::NoEpoch));
            };
            let append = Append::by_the_box(Fact::EpochOpened(opened));
            Ok(push(settings, folds, rows, &append, Head::start(epoch)).map(|committed| rows.committed.push(committed)))
        }
        Work::Append(append) => {
            for expect in &append.expects {
                if let Err(refused) = check(db, folds, rows, *expect).await? {
                    return Ok(Err(refused));
                }
            }
            if let Some(job) = &append.ends
                && (rows.ended_jobs.contains(job) || !sql::is_open_job(db, job).await?)
            {
                return Ok(Err(AppendError::JobEnded));
            }
            let before = folds.head;
            let committed = match push(settings, folds, rows, append, before) {
                Ok(committed) => committed,
                Err(refused) => return Ok(Err(refused)),
            };
            for fact in &append.with {
                let follows = Append::by_the_box(follow(fact, &committed.fact));
                let before = folds.head;
                // Sums were checked with the fact it follows from; a machine's facts have none.
                if let Err(refused) = push(settings, folds, rows, &follows, before) {
                    return Ok(Err(refused));
                }
            }
            rows.committed.push(committed);
            Ok(Ok(()))
        }
    }
}

async fn check(db: &mut SqliteConnection, folds: &Folds, rows: &Gathered, expect: Expect) -> Result<Result<(), AppendError>, FileError> {
    Ok(match expect {
        Expect::OpenShift { till, shift } => match folds.books.tills.get(&till).and_then(|(_, till)| till.shift.as_ref()) {
            Some(open) if open.shift == shift => Ok(()),
            _ => Err(AppendError::ShiftClosed { till }),
        },
        Expect::Till { till, version } => match folds.books.tills.get(&till).map_or(0, |(version, _)| *version) {
            current if current == version => Ok(()),
            _ => Err(AppendError::TillMoved { till }),
        },
        Expect::TakenBack { receipt, times } => {
            let mut by = sql::returned(db, receipt).await?;
            by.extend(rows.returned.iter().filter(|(of, _)| *of == receipt).map(|(_, by)| by.clone()));
            match by.pop() {
                Some(by) if times == 0 => Err(AppendError::AlreadyReturned { receipt, by }),
                last if by.len() + usize::from(last.is_some()) == times => Ok(()),
                _ => Err(AppendError::TakenBackMeanwhile { receipt }),
            }
        }
    })
}

/// What follows from a ticket learns the receipt number the ticket was given just now.
fn follow(fact: &Fact, main: &Fact) -> Fact {
    let mut fact = fact.clone();
    if let (Fact::EffectWanted(wanted), Fact::TicketClosed(ticket)) = (&mut fact, main) {
        wanted.receipt = ticket.receipt;
    }
    fact
}

/// Gives the fact its number, its place after `before`, and its bytes.
fn push(
    settings: &JournalSettings,
    folds: &mut Folds,
    rows: &mut Gathered,
    append: &Append,
    before: Head,
) -> Result<Committed, AppendError> {
    let at = settings.clock.now().max(folds.last_at);
    let mut fact = append.fact.clone();
    if let (Some(register), Fact::TicketClosed(ticket)) = (append.number_for, &mut fact) {
        // Practice and offers have series of their own beside the one of this epoch.
        let series = ticket
            .end
            .series()
            .and_then(|kind| kind.number(folds.series))
            .unwrap_or(folds.series);
        let number = folds.counters.get(&(register, series)).copied().unwrap_or(0) + 1;
        ticket.receipt = Some(ReceiptNo { register, series, number });
    }
    // Tills are folded first: if the sums do not fit, nothing was touched.
    if let Some(till) = touches(&fact) {
        let (version, mut state) = folds.books.tills.get(&till).cloned().unwrap_or_else(|| (0, Till::new(till)));
        state.apply(&fact, at)?;
        // The first of a batch copies what others still look at, the rest changes the copy.
        Arc::make_mut(&mut folds.books).tills.insert(till, (version + 1, state));
        rows.tills.insert(till);
    }
    if let Fact::EpochOpened(opened) = &fact {
        folds.series = opened.series;
        folds.epoch_opened = Some(opened.clone());
    }
    let header = Header {
        tenant: settings.address.tenant,
        store: settings.address.store,
        epoch: before.epoch,
        seq: Seq(before.seq.0 + 1),
        prev_hash: before.hash,
        at,
        time_trusted: settings.clock.trusted(),
        business_day: settings.calendar.business_day(at),
        kind: fact.kind() as u16,
        command_id: append.command_id,
        device: append.device,
        staff: append.staff,
        retention: Retention(0),
        fiscal: FiscalBlock::default(),
    };
    let entry = Entry::write(header, &payload::encode(&fact));
    folds.position += 1;
    folds.last_at = at;
    folds.head = Head {
        epoch: before.epoch,
        seq: header.seq,
        hash: entry.hash,
    };
    if folds.segment.is_full() || folds.segment.head() != before {
        folds.segment = Builder::after(before);
    }
    folds.segment.push(&entry, Some(&fact)).map_err(unfit)?;
    rows.gather(folds.position, &entry, &fact, append);
    if let Fact::TicketClosed(ticket) = &fact
        && let Some(receipt) = ticket.receipt
    {
        folds.counters.insert((receipt.register, receipt.series), receipt.number);
    }
    if folds.segment.is_full() {
        let segment = folds.segment.sign(&settings.signing_key).map_err(unfit)?;
        let body = serde_json::to_string(&segment).unwrap_or_default(); // Plain numbers and texts always serialise.
        rows.segments.push(json!([segment.epoch.0, segment.first.0, segment.last.0, body]));
    }
    let committed = Committed {
        head: folds.head,
        at,
        business_day: header.business_day,
        fact: Arc::new(fact),
        replayed: false,
    };
    rows.told.push(committed.clone());
    Ok(committed)
}

/// A segment takes whatever the writer chains; only its sums may be too large.
fn unfit(why: SegmentError) -> AppendError {
    match why {
        SegmentError::Money(why) => why.into(),
        why => {
            tracing::error!(%why, "the segment does not take an entry");
            AppendError::NoEpoch
        }
    }
}

/// The till a fact happens to.
fn touches(fact: &Fact) -> Option<TillId> {
    match fact {
        Fact::ShiftOpened(ShiftOpened { till, .. }) | Fact::CashMoved(CashMoved { till, .. }) => Some(*till),
        Fact::TicketClosed(ticket) => Some(ticket.till),
        Fact::ShiftClosed(closed) => Some(closed.till),
        _ => None,
    }
}

impl Folds {
    async fn read(db: &mut SqliteConnection, address: Address) -> Result<Folds, FileError> {
        let tail = sql::tail(db, TAIL).await?;
        verify_tail(&tail, address)?;
        let mut books = Books::default();
        for (version, till) in sql::tills(db).await? {
            books.tills.insert(till.till, (version, till));
        }
        let mut counters = HashMap::new();
        for (register, series, last) in sql::counters(db).await? {
            let register = register
                .parse()
                .map_err(|error| FileError::Content(format!("a receipt counter: {error}")))?;
            counters.insert((register, series as u32), last as u64);
        }
        let epochs = sql::rare(db, Kind::EpochOpened).await?;
        let epoch_opened = match epochs.last() {
            None => None,
            Some(entry) => match payload::fact(entry) {
                Ok(Some(Fact::EpochOpened(opened))) => Some(opened),
                _ => return Err(FileError::Content("the first entry of an epoch is not readable".into())),
            },
        };
        let head = tail.last().map_or(Head::start(Epoch(1)), |entry| Head {
            epoch: entry.header.epoch,
            seq: entry.header.seq,
            hash: entry.hash,
        });
        let segment_first = head.seq.0.saturating_sub(1) / Segment::LEN * Segment::LEN + 1;
        let mut segment = None;
        for entry in sql::range(db, head.epoch, Seq(segment_first), Segment::LEN as u32).await? {
            let before = Head {
                epoch: head.epoch,
                seq: Seq(entry.header.seq.0 - 1),
                hash: entry.header.prev_hash,
            };
            let fact = payload::fact(&entry).ok().flatten();
            let filled = segment.get_or_insert_with(|| Builder::after(before)).push(&entry, fact.as_ref());
            filled.map_err(|why| FileError::Content(format!("the segment that is being filled: {why}")))?;
        }
        let position: i64 = sqlx::query_scalar("select coalesce(max(position), 0) from entry")
            .fetch_one(&mut *db)
            .await?;
        Ok(Folds {
            head,
            position,
            last_at: tail.last().map_or(Instant::EPOCH, |entry| entry.header.at),
            series: epoch_opened.as_ref().map_or(1, |opened| opened.series),
            epoch_opened,
            counters,
            books: Arc::new(books),
            segment: segment.unwrap_or(Builder::after(head)),
        })
    }

    /// The entry that opens the epoch after this one, naming where this one ended.
    ///
    /// The series rises as far as the epoch does: an epoch that this box only heard of had a series, too.
    fn next_epoch(&self, reason: EpochReason, at_least: Epoch, skip_series: u32) -> Option<(Epoch, EpochOpened)> {
        let now = self.epoch_opened.as_ref()?;
        let epoch = Epoch(at_least.0.max(self.head.epoch.0.checked_add(1)?));
        let previous = Some(EpochEnd {
            epoch: self.head.epoch,
            seq: self.head.seq,
            hash: self.head.hash,
        });
        let opened = EpochOpened {
            reason,
            previous,
            series: now.series.checked_add(epoch.0 - self.head.epoch.0)?.checked_add(skip_series)?,
            ..now.clone()
        };
        Some((epoch, opened))
    }
}

/// The newest entries must chain and belong to this store; older ones are for `journal verify`.
fn verify_tail(tail: &[Entry], address: Address) -> Result<(), FileError> {
    let mut head: Option<Head> = None;
    for entry in tail {
        let header = &entry.header;
        if header.tenant != address.tenant || header.store != address.store {
            return Err(FileError::Content(format!(
                "entry {} belongs to store {}",
                header.seq, header.store
            )));
        }
        match head.as_mut() {
            Some(head) if header.epoch == head.epoch => head.follow(entry)?,
            _ => {
                head = Some(Head {
                    epoch: header.epoch,
                    seq: header.seq,
                    hash: entry.hash,
                })
            }
        }
    }
    Ok(())
}

impl Gathered {
    fn gather(&mut self, position: i64, entry: &Entry, fact: &Fact, append: &Append) {
        let closed: Option<&ClosedTicket> = match fact {
            Fact::TicketClosed(ticket) => Some(ticket),
            _ => None,
        };
        let receipt = closed.and_then(|ticket| ticket.receipt);
        self.entries.push(json!([
            position,
            entry.header.epoch.0,
            entry.header.seq.0,
            entry.header.kind,
            entry.hash.to_string(),
            hex(&entry.bytes),
            closed.map(|ticket| hex(&ticket.ticket.to_bytes())),
            receipt.map(|receipt| receipt.to_string()),
        ]));
        let mut command = |id: CommandId, hash: &BodyHash| self.commands.push(json!([hex(&id.to_bytes()), hex(hash), position]));
        if let Some(id) = append.command_id {
            command(id, &append.body_hash);
        }
        for (id, hash) in &append.also {
            command(*id, hash);
        }
        if let Some(receipt) = receipt {
            self.counters.insert((receipt.register, receipt.series), receipt.number);
        }
        for moved in fact.stock_moves() {
            *self.stock.entry(moved.sku.to_string()).or_default() += moved.delta.0;
        }
        let of_open_ticket = match fact {
            Fact::TenderTaken(taken) => Some(taken.ticket),
            Fact::CardAsked(asked) => Some(asked.ticket),
            Fact::CardEnded(ended) => Some(ended.ticket),
            Fact::Ticket(TicketFact::TenderVoided(voided)) => Some(voided.ticket),
            _ => None,
        };
        if let Some(ticket) = of_open_ticket {
            self.open_tenders.push(json!([hex(&ticket.to_bytes()), position]));
        }
        match fact {
            Fact::CardAsked(asked) => self.jobs.push(json!([asked.ask.to_string(), asked.terminal, position])),
            Fact::EffectWanted(wanted) => self.jobs.push(json!([wanted.effect, wanted.device, position])),
            Fact::CardBegun(begun) => self.begun_jobs.push(json!([begun.ask.to_string(), position])),
            Fact::TenderTaken(taken) => drop(self.ended_jobs.insert(taken.tender.command_id.to_string())),
            Fact::CardEnded(ended) => drop(self.ended_jobs.insert(ended.ask.to_string())),
            Fact::EffectEnded(ended) => drop(self.ended_jobs.insert(ended.effect.clone())),
            _ => {}
        }
        if let Some(ticket) = closed {
            if append.had_money {
                self.closed_tickets.push(json!(hex(&ticket.ticket.to_bytes())));
            }
            if let Some(by) = ticket.receipt {
                let of = ticket.takes_back().into_iter();
                self.returned.extend(of.map(|receipt| (receipt, by.to_string())));
            }
        }
    }

    fn json(&self, folds: &Folds) -> BatchRows {
        let counters: Vec<Value> = self
            .counters
            .iter()
            .map(|((register, series), last)| json!([register, series, last]))
            .collect();
        let stock: Vec<Value> = self.stock.iter().map(|(sku, delta)| json!([sku, delta])).collect();
        let returned: Vec<Value> = self.returned.iter().map(|(receipt, by)| json!([receipt.to_string(), by])).collect();
        let till = |till: &TillId| {
            let (version, state) = &folds.books.tills[till];
            json!([till, version, serde_json::to_string(state).unwrap_or_default()]) // Plain numbers and texts always serialise.
        };
        let text = |rows: &[Value]| serde_json::to_string(rows).unwrap_or_default();
        BatchRows {
            entries: text(&self.entries),
            commands: text(&self.commands),
            counters: text(&counters),
            tills: text(&self.tills.iter().map(till).collect::<Vec<_>>()),
            stock: text(&stock),
            open_tenders: text(&self.open_tenders),
            closed_tickets: text(&self.closed_tickets),
            returned: text(&returned),
            segments: text(&self.segments),
            jobs: text(&self.jobs),
            begun_jobs: text(&self.begun_jobs),
            ended_jobs: json!(self.ended_jobs).to_string(),
        }
    }
}
