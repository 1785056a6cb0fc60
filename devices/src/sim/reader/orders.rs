//! Orders for inventories and how they run: their life from disabled to active, and what is told of the tags that are read.
//!
//! Knows no sockets and no clock. An order whose start is immediate begins its parts again when they are done, as clients expect that
//! end each part after a few tags; it is one run all the same.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use backroom_llrp::report::{TagBits, TagReport};
use backroom_llrp::rospec::{
    AiSpec, AiStopTrigger, Observation, ReportTrigger, RoReportSpec, RoSpec, RoSpecState, Spec, StartTrigger, StopTrigger, TagContents,
};
use backroom_llrp::status::{FieldError, LlrpStatus, StatusCode};

use super::about::MOST_ORDERS;
use super::shelf::{Chance, Shelf};

/// One reading of one tag.
#[derive(Debug)]
pub struct Reading {
    pub epc: Vec<u8>,
    pub antenna: u16,
    pub rssi_dbm: i8,
    /// For the first time in this run.
    pub first: bool,
}

/// An inventory that runs.
#[derive(Debug)]
pub struct Run {
    pub number: u64,
    pub reads: u64,
    pub seen: HashSet<Vec<u8>>,
    began: Instant,
    part: usize,
    part_began: Instant,
    part_tags: HashSet<Vec<u8>>,
    part_rounds: u64,
    last_new: Instant,
    /// What is still to be read before the shelf is looked over again.
    round: Vec<Vec<u8>>,
    /// Millionths of a reading that time has earned.
    owed: u128,
    report: Vec<TagReport>,
    in_report: HashMap<Vec<u8>, usize>,
}

/// How a part of an order, or the order, goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes {
    On,
    /// The next part begins; reports may be due.
    PartOver,
    Ended,
}

impl Run {
    fn new(number: u64, now: Instant) -> Self {
        Self {
            number,
            reads: 0,
            seen: HashSet::new(),
            began: now,
            part: 0,
            part_began: now,
            part_tags: HashSet::new(),
            part_rounds: 0,
            last_new: now,
            round: Vec::new(),
            owed: 0,
            report: Vec::new(),
            in_report: HashMap::new(),
        }
    }

    /// How many readings the passing time has earned.
    pub fn earn(&mut self, passed: Duration, rate: u32) -> u64 {
        self.owed += passed.as_micros() * u128::from(rate);
        let whole = self.owed / 1_000_000;
        self.owed %= 1_000_000;
        u64::try_from(whole).unwrap_or(u64::MAX)
    }

    /// `None` when no tag is in reach.
    pub fn read(&mut self, order: &RoSpec, shelf: &Shelf, chance: &mut Chance, now: Instant) -> Option<Reading> {
        let antennas = &self.current_part(order)?.antennas;
        let mut looked_over = false;
        let (epc, place) = loop {
            let Some(epc) = self.round.pop() else {
                if looked_over {
                    return None;
                }
                looked_over = true;
                self.round = shelf.round(antennas, chance);
                self.part_rounds += 1;
                continue;
            };
            // It may have been taken away since the shelf was looked over.
            if let Some(place) = shelf.in_reach(&epc, antennas) {
                break (epc, place);
            }
        };
        self.reads += 1;
        let first = self.seen.insert(epc.clone());
        if self.part_tags.insert(epc.clone()) {
            self.last_new = now;
        }
        Some(Reading {
            epc,
            antenna: place.antenna,
            rssi_dbm: place.rssi_dbm + chance.below(9) as i8 - 4,
            first,
        })
    }

    fn current_part<'a>(&self, order: &'a RoSpec) -> Option<&'a AiSpec> {
        match order.specs.get(self.part)? {
            Spec::Inventory(part) => Some(part),
            Spec::Custom(_) => None,
        }
    }

    /// Puts a reading into the report that is being filled: with an earlier one of the same tag, or beside it.
    pub fn put_in_report(&mut self, order: u32, contents: TagContents, reading: &Reading, utc_us: u64, beside: bool) {
        let earlier = self.in_report.get(&reading.epc).filter(|_| !beside);
        if let Some(tag) = earlier.and_then(|at| self.report.get_mut(*at)) {
            tag.last_seen_utc_us = tag.last_seen_utc_us.map(|_| utc_us);
            tag.seen_count = tag.seen_count.map(|count| count.saturating_add(1));
            tag.peak_rssi_dbm = tag.peak_rssi_dbm.map(|peak| peak.max(reading.rssi_dbm));
            return;
        }
        let Some(epc) = TagBits::whole(&reading.epc) else { return };
        self.in_report.insert(reading.epc.clone(), self.report.len());
        self.report.push(TagReport {
            epc,
            rospec_id: contents.rospec_id.then_some(order),
            antenna: contents.antenna_id.then_some(reading.antenna),
            peak_rssi_dbm: contents.peak_rssi.then_some(reading.rssi_dbm),
            first_seen_utc_us: contents.first_seen.then_some(utc_us),
            first_seen_uptime_us: None,
            last_seen_utc_us: contents.last_seen.then_some(utc_us),
            last_seen_uptime_us: None,
            seen_count: contents.seen_count.then_some(1),
        });
    }

    /// Whether so many tags are in the report that it is sent before anything ends.
    pub fn report_is_full(&self, spec: &RoReportSpec) -> bool {
        spec.trigger != ReportTrigger::Null && spec.tags > 0 && self.report.len() >= usize::from(spec.tags)
    }

    pub fn take_report(&mut self) -> Vec<TagReport> {
        self.in_report.clear();
        std::mem::take(&mut self.report)
    }

    /// Looks whether a part or the whole is over, and goes to the next part.
    pub fn go_on(&mut self, order: &RoSpec, now: Instant) -> Goes {
        let stop = &order.boundary.stop;
        if stop.trigger == StopTrigger::Duration && now - self.began >= Duration::from_millis(stop.duration_ms.into()) {
            return Goes::Ended;
        }
        if self.current_part(order).is_some_and(|part| !self.part_is_over(part, now)) {
            return Goes::On;
        }
        let before = self.current_part(order).map(|part| &part.antennas);
        let goes = match order.boundary.start.trigger {
            _ if self.part + 1 < order.specs.len() => Goes::PartOver,
            StartTrigger::Immediate => Goes::PartOver,
            _ => Goes::Ended,
        };
        self.part = (self.part + 1) % order.specs.len().max(1);
        self.part_began = now;
        self.last_new = now;
        self.part_tags.clear();
        self.part_rounds = 0;
        // At the same antennas a round goes on: parts of one tag each would look the shelf over for every tag.
        if self.current_part(order).map(|part| &part.antennas) != before {
            self.round.clear();
        }
        goes
    }

    fn part_is_over(&self, part: &AiSpec, now: Instant) -> bool {
        let over = |milliseconds: u32| now - self.part_began >= Duration::from_millis(milliseconds.into());
        // Zero is no timeout.
        let timed_out = |milliseconds: u32| milliseconds > 0 && over(milliseconds);
        match part.stop.trigger {
            AiStopTrigger::Null => false,
            AiStopTrigger::Duration => over(part.stop.duration_ms),
            AiStopTrigger::GpiWithTimeout => part.stop.gpi.as_ref().is_some_and(|gpi| timed_out(gpi.timeout_ms)),
            AiStopTrigger::TagObservation => part.stop.observation.as_ref().is_some_and(|observation| {
                let enough = match observation.trigger {
                    Observation::Tags => self.part_tags.len() >= usize::from(observation.tags),
                    Observation::NoNewTags => now - self.last_new >= Duration::from_millis(observation.quiet_ms.into()),
                    Observation::Attempts => self.part_rounds > u64::from(observation.attempts),
                };
                enough || timed_out(observation.timeout_ms)
            }),
        }
    }
}

#[derive(Debug)]
pub struct Order {
    pub spec: RoSpec,
    pub run: Option<Run>,
}

/// All orders, by their numbers.
#[derive(Debug, Default)]
pub struct Orders {
    orders: Vec<Order>,
    runs: u64,
}

/// What a change of an order's life brings about.
#[derive(Debug)]
pub enum Turn {
    Began { order: u32 },
    Ended { order: Box<Order> },
}

fn wrong(field: u16, code: StatusCode, why: String) -> LlrpStatus {
    LlrpStatus {
        field: Some(FieldError { field, code }),
        ..LlrpStatus::failure(StatusCode::FIELD_ERROR, &why)
    }
}

impl Orders {
    pub fn iter(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter()
    }

    pub fn get_mut(&mut self, id: u32) -> Option<&mut Order> {
        self.orders.iter_mut().find(|order| order.spec.id == id)
    }

    /// All orders are gone. Runs are counted on, so that the ledger names each of them once.
    pub fn forget(&mut self) {
        self.orders.clear();
    }

    pub fn active(&self) -> Vec<u32> {
        let active = self.orders.iter().filter(|order| order.run.is_some());
        active.map(|order| order.spec.id).collect()
    }

    pub fn add(&mut self, spec: RoSpec, antennas: u16) -> Result<(), LlrpStatus> {
        let id = spec.id;
        if id == 0 {
            return Err(wrong(
                0,
                StatusCode::INVALID,
                "order 0 means all of them; give another number".to_owned(),
            ));
        }
        if self.orders.iter().any(|order| order.spec.id == id) {
            return Err(wrong(0, StatusCode::INVALID, format!("order {id} exists; delete it first")));
        }
        if spec.priority > 7 {
            return Err(wrong(
                1,
                StatusCode::OUT_OF_RANGE,
                format!("priority {} is beyond 7", spec.priority),
            ));
        }
        if spec.state != RoSpecState::Disabled {
            return Err(wrong(2, StatusCode::INVALID, "an order is added disabled".to_owned()));
        }
        if self.orders.len() == MOST_ORDERS {
            return Err(LlrpStatus::failure(
                StatusCode::DEVICE_ERROR,
                &format!("{MOST_ORDERS} orders are all that fit; delete one"),
            ));
        }
        let parts = spec.specs.iter().filter_map(|part| match part {
            Spec::Inventory(part) => Some(part),
            Spec::Custom(_) => None,
        });
        for part in parts {
            let missing = part.antennas.iter().find(|antenna| **antenna > antennas);
            if let Some(missing) = missing {
                return Err(wrong(
                    0,
                    StatusCode::OUT_OF_RANGE,
                    format!("there is no antenna {missing}, only {antennas}"),
                ));
            }
            if part.antennas.is_empty() || part.inventories.iter().any(|inventory| inventory.id == 0) {
                return Err(wrong(
                    0,
                    StatusCode::INVALID,
                    "a part needs antennas, and numbers other than 0".to_owned(),
                ));
            }
        }
        self.orders.push(Order { spec, run: None });
        Ok(())
    }

    fn one(&mut self, id: u32) -> Result<&mut Order, LlrpStatus> {
        let missing = || wrong(0, StatusCode::INVALID, format!("there is no order {id}"));
        self.get_mut(id).ok_or_else(missing)
    }

    /// 0 is all. That there are none is fine then.
    fn some(&mut self, id: u32) -> Result<Vec<u32>, LlrpStatus> {
        if id == 0 {
            return Ok(self.orders.iter().map(|order| order.spec.id).collect());
        }
        self.one(id).map(|order| vec![order.spec.id])
    }

    pub fn enable(&mut self, id: u32, now: Instant) -> Result<Vec<Turn>, LlrpStatus> {
        let mut turns = Vec::new();
        for id in self.some(id)? {
            let order = self.one(id)?;
            if order.spec.state != RoSpecState::Disabled {
                continue;
            }
            order.spec.state = RoSpecState::Inactive;
            if order.spec.boundary.start.trigger == StartTrigger::Immediate {
                turns.push(self.begin(id, now)?);
            }
        }
        Ok(turns)
    }

    pub fn start(&mut self, id: u32, now: Instant) -> Result<Vec<Turn>, LlrpStatus> {
        match self.one(id)?.spec.state {
            RoSpecState::Disabled => Err(wrong(0, StatusCode::INVALID, format!("order {id} is disabled; enable it first"))),
            RoSpecState::Active => Err(wrong(0, StatusCode::INVALID, format!("order {id} runs already"))),
            RoSpecState::Inactive => self.begin(id, now).map(|turn| vec![turn]),
        }
    }

    fn begin(&mut self, id: u32, now: Instant) -> Result<Turn, LlrpStatus> {
        self.runs += 1;
        let run = Run::new(self.runs, now);
        let order = self.one(id)?;
        order.spec.state = RoSpecState::Active;
        order.run = Some(run);
        Ok(Turn::Began { order: id })
    }

    pub fn stop(&mut self, id: u32) -> Result<Vec<Turn>, LlrpStatus> {
        let order = self.one(id)?;
        if order.spec.state != RoSpecState::Active {
            return Err(wrong(0, StatusCode::INVALID, format!("order {id} does not run")));
        }
        Ok(end(order, RoSpecState::Inactive).into_iter().collect())
    }

    pub fn disable(&mut self, id: u32) -> Result<Vec<Turn>, LlrpStatus> {
        let mut turns = Vec::new();
        for id in self.some(id)? {
            turns.extend(end(self.one(id)?, RoSpecState::Disabled));
        }
        Ok(turns)
    }

    pub fn delete(&mut self, id: u32) -> Result<Vec<Turn>, LlrpStatus> {
        let turns = self.disable(id)?;
        self.orders.retain(|order| id != 0 && order.spec.id != id);
        Ok(turns)
    }
}

/// Leaves the order in this state, and gives what ran, if it did.
fn end(order: &mut Order, state: RoSpecState) -> Option<Turn> {
    order.spec.state = state;
    let run = order.run.take()?;
    Some(Turn::Ended {
        order: Box::new(Order {
            spec: order.spec.clone(),
            run: Some(run),
        }),
    })
}
