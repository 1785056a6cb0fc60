//! The journal of a shop in memory, as the box's writer keeps it: numbers receipts, chains entries with their real bytes, folds tills and days;
//! and the log of the clients who asked. What it hands out is evidence for the checker of the laws.

use std::collections::{BTreeMap, HashMap};

use backroom_core::day::{Days, Step};
use backroom_core::facts::{ClosedTicket, EpochOpened, EpochReason, Fact, TillFact};
use backroom_core::fiscal::Series;
use backroom_core::ids::{CommandId, ReceiptNo, RegisterId, StaffId, StoreId, TenantId, TillId};
use backroom_core::journal::{Entry, Epoch, FiscalBlock, Head, Header, Retention, Seq};
use backroom_core::money::Money;
use backroom_core::till::{Till, sides};
use backroom_core::time::{BusinessDay, Calendar, Instant};
use backroom_protocol::payload;
use serde_json::{Value, json};

use super::Broken;
use super::store::{DAY_END, ZONE, text};
use crate::laws::{Answer, ClientEvent, ClientLine, ClientLog, Durable, Evidence, Export, Id, OpenTicket, Projection, StoreEvidence};

/// One fact with what its header says of it.
#[derive(Clone, Debug)]
pub struct Record {
    pub fact: Fact,
    pub command: Option<CommandId>,
    pub register: Option<RegisterId>,
    pub staff: Option<StaffId>,
    pub at: Instant,
}

/// Who asked for something, and when.
#[derive(Clone, Copy, Debug)]
pub struct By {
    /// None for what the box does by itself.
    pub command: Option<CommandId>,
    pub register: RegisterId,
    pub staff: StaffId,
}

pub struct Book {
    pub records: Vec<Record>,
    pub tills: BTreeMap<TillId, Till>,
    pub days: Days,
    pub now: Instant,
    ids: u128,
    numbers: HashMap<(RegisterId, Series), u64>,
    /// What is on hand, added up from what was sold and came back; the moves of the entries are not looked at.
    pub stock: BTreeMap<String, i64>,
    log: Vec<ClientLine>,
    calendar: Calendar,
}

const SERIES: u32 = 1;
const START: i64 = 1_795_159_800_000_000; // 2026-11-20, a Friday, in the morning.

impl Book {
    pub fn new(seed: u64, calendar: Calendar) -> Result<Book, Broken> {
        Ok(Book {
            records: Vec::new(),
            tills: BTreeMap::new(),
            days: Days::default(),
            now: Instant::from_micros(START).map_err(|why| why.to_string())?,
            ids: u128::from(seed) << 64,
            numbers: HashMap::new(),
            stock: BTreeMap::new(),
            log: Vec::new(),
            calendar,
        })
    }

    pub fn id(&mut self) -> uuid::Uuid {
        self.ids += 1;
        uuid::Uuid::from_u128(self.ids)
    }

    pub fn later(&mut self, seconds: u64) -> Result<Instant, Broken> {
        let micros = self.now.as_micros() + seconds as i64 * 1_000_000;
        self.now = Instant::from_micros(micros).map_err(|why| why.to_string())?;
        Ok(self.now)
    }

    pub fn today(&self) -> BusinessDay {
        self.calendar.business_day(self.now)
    }

    /// A client asks.
    pub fn asked(&mut self, call: &str) -> CommandId {
        let id = CommandId(self.id());
        self.tell(id, call, ClientEvent::Asked);
        id
    }

    /// It says it once more: its answer was lost.
    pub fn asked_again(&mut self, id: CommandId, call: &str) {
        self.tell(id, call, ClientEvent::Asked);
    }

    pub fn refused(&mut self, id: CommandId, call: &str) {
        self.tell(id, call, ClientEvent::Acked(None));
    }

    pub fn acked(&mut self, id: CommandId, call: &str) {
        let answer = Answer {
            durable: Durable::Flushed,
            receipt: None,
            due: None,
            change: None,
        };
        self.tell(id, call, ClientEvent::Acked(Some(answer)));
    }

    pub fn acked_close(&mut self, id: CommandId, call: &str, closed: &ClosedTicket) {
        let answer = Answer {
            durable: Durable::Flushed,
            receipt: closed.receipt.map(|receipt| receipt.to_string()),
            due: Some(closed.due.0),
            change: Some(closed.change.0),
        };
        self.tell(id, call, ClientEvent::Acked(Some(answer)));
    }

    fn tell(&mut self, id: CommandId, call: &str, event: ClientEvent) {
        self.log.push(ClientLine {
            command_id: Id(id.to_bytes()),
            call: call.to_owned(),
            event,
        });
    }

    /// Puts a fact into the journal. A ticket gets its number here, as in the box.
    pub fn commit(&mut self, mut fact: Fact, by: By) -> Result<Fact, Broken> {
        self.later(1)?;
        if let Fact::TicketClosed(ticket) = &mut fact {
            ticket.receipt = self.number(ticket, by.register);
        }
        for till in touched(&fact) {
            let till = self.tills.entry(till).or_insert_with(|| Till::new(till));
            till.apply(&fact, self.now)
                .map_err(|why| format!("a till can not take {fact:?}: {why}"))?;
        }
        self.days.apply(&fact, self.calendar.business_day(self.now));
        self.records.push(Record {
            fact: fact.clone(),
            command: by.command,
            register: Some(by.register),
            staff: by.command.map(|_| by.staff),
            at: self.now,
        });
        Ok(fact)
    }

    /// One step of a day's close; what stands already is written no second time.
    pub fn step(&mut self, step: Result<Step, backroom_core::day::Refusal>, call: &str, by: By) -> Result<(), Broken> {
        match step.map_err(|why| format!("{call}: {why}"))? {
            Step::Do(fact) => {
                let id = self.asked(call);
                self.commit(Fact::Day(fact), By { command: Some(id), ..by })?;
                self.acked(id, call);
                Ok(())
            }
            Step::Done => Err(format!("{call} stands already, though nobody did it")),
        }
    }

    fn number(&mut self, ticket: &ClosedTicket, register: RegisterId) -> Option<ReceiptNo> {
        let row = ticket.end.series()?;
        let number = self.numbers.entry((register, row)).or_default();
        *number += 1;
        Some(ReceiptNo {
            register,
            series: row.number(SERIES)?,
            number: *number,
        })
    }

    pub fn open_epoch(&mut self, currency: backroom_core::money::Currency) {
        let opened = EpochOpened {
            reason: EpochReason::NewStore,
            previous: None,
            series: SERIES,
            currency,
            zone: ZONE.to_owned(),
            day_end: DAY_END.to_owned(),
        };
        self.by_the_box(Fact::EpochOpened(opened));
    }

    pub fn by_the_box(&mut self, fact: Fact) {
        self.records.push(Record {
            fact,
            command: None,
            register: None,
            staff: None,
            at: self.now,
        });
    }

    pub fn till(&mut self, till: TillId) -> &mut Till {
        self.tills.entry(till).or_insert_with(|| Till::new(till))
    }

    pub fn evidence(&self, open: &[OpenTicket]) -> Result<Evidence, Broken> {
        let mut state: Vec<Projection> = Vec::new();
        for (sku, held) in &self.stock {
            state.push(projection("stock", &format!("berlin/{sku}"), json!({"on_hand": held})));
        }
        let mut export = Export::default();
        for (bytes, body) in written(&self.records, &self.calendar)? {
            export.take(&bytes, body);
        }
        Ok(Evidence {
            stores: vec![StoreEvidence {
                export,
                open_tickets: Some(open.to_vec()),
                state: Some(state),
            }],
            hqs: Vec::new(),
            client_logs: vec![ClientLog {
                name: "the registers".to_owned(),
                lines: self.log.clone(),
            }],
            ledgers: Vec::new(),
        })
    }

    /// The same journal as lines of an export, with every body: only some days, because nothing else costs as much.
    pub fn lines(&self) -> Result<String, Broken> {
        let mut lines = String::new();
        let entries = written(&self.records, &self.calendar)?;
        for (record, (bytes, _)) in self.records.iter().zip(entries) {
            let entry = Entry::read(bytes).map_err(|why| why.to_string())?;
            let header = entry.header;
            let body = serde_json::to_value(&record.fact).map_err(|why| why.to_string())?;
            let line = json!({
                "epoch": header.epoch.0, "seq": header.seq.0, "time": header.at, "business_day": header.business_day.to_string(),
                "kind": record.fact.kind().word(), "command_id": header.command_id, "device": header.device, "staff": header.staff,
                "prev_hash": header.prev_hash.to_string(), "hash": entry.hash.to_string(),
                "bytes": data_encoding::BASE64.encode(&entry.bytes), "body": body,
            });
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
        Ok(lines)
    }
}

fn projection(projection: &str, key: &str, value: Value) -> Projection {
    Projection {
        projection: projection.to_owned(),
        key: key.to_owned(),
        value,
    }
}

/// An entry's bytes, and its body where it is read from JSON only.
type Written = (Vec<u8>, Option<Value>);

/// The entries' bytes in their chain, with the bodies of kinds the checker reads from JSON only.
pub fn written(records: &[Record], calendar: &Calendar) -> Result<Vec<Written>, Broken> {
    let (tenant, store): (TenantId, StoreId) = (text("thread")?, text("berlin")?);
    let mut head = Head::start(Epoch(1));
    let mut all = Vec::with_capacity(records.len());
    for record in records {
        let header = Header {
            tenant,
            store,
            epoch: head.epoch,
            seq: Seq(head.seq.0 + 1),
            prev_hash: head.hash,
            at: record.at,
            time_trusted: true,
            business_day: calendar.business_day(record.at),
            kind: record.fact.kind() as u16,
            command_id: record.command,
            device: record.register,
            staff: record.staff,
            retention: Retention(0),
            fiscal: FiscalBlock::default(),
        };
        let entry = Entry::write(header, &payload::encode(&record.fact));
        head.follow(&entry).map_err(|why| why.to_string())?;
        all.push((entry.bytes, body(&record.fact)?));
    }
    Ok(all)
}

fn body(fact: &Fact) -> Result<Option<Value>, Broken> {
    use backroom_core::facts::TicketFact;
    let by_json = match fact {
        Fact::CardAsked(_) => true,
        Fact::Ticket(fact) => matches!(fact, TicketFact::RefundAsked(_) | TicketFact::BalanceAsked(_)),
        _ => false,
    };
    by_json
        .then(|| serde_json::to_value(fact).map_err(|why| why.to_string()))
        .transpose()
}

/// The tills a fact happens to.
fn touched(fact: &Fact) -> Vec<TillId> {
    match fact {
        Fact::ShiftOpened(fact) => vec![fact.till],
        Fact::CashMoved(fact) => vec![fact.till],
        Fact::TicketClosed(ticket) => vec![ticket.till],
        Fact::ShiftClosed(closed) => vec![closed.till],
        Fact::Till(TillFact::CashTransferred(moved)) => sides(moved).to_vec(),
        Fact::Till(TillFact::TillCounted(counted)) => vec![counted.till],
        Fact::Till(TillFact::TillDeclared(declared)) => vec![declared.till],
        _ => Vec::new(),
    }
}

/// What a till should hold by its own fold.
pub fn held(till: &Till) -> Result<Money, Broken> {
    match &till.shift {
        Some(shift) => shift.expected().map_err(|why| why.to_string()),
        None => till.resting().0.expected().map_err(|why| why.to_string()),
    }
}
