//! Reading: time becomes readings, readings become reports, and inventories begin and end.
//!
//! The first reading of each tag in each run goes into the ledger, whether or not a client hears of it.

use std::time::{Duration, Instant};

use backroom_llrp::config::EventType;
use backroom_llrp::event::{RoSpecEvent, RoSpecEventType};
use backroom_llrp::message::RoAccessReport;
use backroom_llrp::report::TagReport;
use backroom_llrp::rospec::{ReportTrigger, RoReportSpec};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::device::{State, now_us};
use super::orders::{Goes, Order, Reading, Run, Turn};

/// Messages that wait for a client which does not keep up, and reports for one that is not there, before tags are gathered instead.
const MOST_WAITING: usize = 64;
const MOST_HELD: usize = 1_000;

/// Tags in one report, however many there are to tell.
const MOST_IN_REPORT: usize = 1_000;

impl State {
    /// As many readings for this order as the time has earned.
    pub fn read_for(&mut self, id: u32, passed: Duration, now: Instant) {
        let rate = self.knobs.rate;
        let Some(run) = self.orders.get_mut(id).and_then(|order| order.run.as_mut()) else {
            return;
        };
        let readings = run.earn(passed, rate);
        self.read(id, readings, now);
    }

    /// So many readings at once. Returns how many came about.
    pub fn read(&mut self, id: u32, readings: u64, now: Instant) -> u64 {
        let mut done = 0;
        for _ in 0..readings {
            match self.read_once(id, now) {
                Some(Goes::On | Goes::PartOver) => done += 1,
                Some(Goes::Ended) => return done + 1,
                None => break,
            }
        }
        // Time ends things too.
        self.go_on(id, now);
        done
    }

    /// `None` when no tag is in reach, or the order does not run.
    fn read_once(&mut self, id: u32, now: Instant) -> Option<Goes> {
        let order = self.orders.get_mut(id)?;
        let run = order.run.as_mut()?;
        let reading = run.read(&order.spec, &self.shelf, &mut self.chance, now)?;
        let number = run.number;
        if reading.first {
            self.note("tag_read", tag_read(id, number, &reading));
        }
        let behind = self.is_behind();
        let twice = !behind && self.chance.below(100) < u64::from(self.knobs.duplicates);
        let order = self.orders.get_mut(id)?;
        let run = order.run.as_mut()?;
        let spec = order.spec.report.as_ref().unwrap_or(&self.config.report);
        let (contents, utc_us) = (spec.contents.contents, now_us());
        run.put_in_report(id, contents, &reading, utc_us, false);
        if twice {
            run.put_in_report(id, contents, &reading, utc_us, true);
        }
        if run.report_is_full(spec) && !behind {
            let tags = run.take_report();
            self.report(tags);
        }
        Some(self.go_on(id, now))
    }

    fn go_on(&mut self, id: u32, now: Instant) -> Goes {
        let behind = self.is_behind();
        let Some(order) = self.orders.get_mut(id) else { return Goes::Ended };
        let Some(run) = &mut order.run else { return Goes::Ended };
        let goes = run.go_on(&order.spec, now);
        match goes {
            Goes::On => {}
            Goes::PartOver if behind => {}
            Goes::PartOver => {
                let spec = order.spec.report.as_ref().unwrap_or(&self.config.report);
                if spec.trigger == ReportTrigger::TagsOrEndOfAiSpec {
                    let tags = run.take_report();
                    self.report(tags);
                }
            }
            Goes::Ended => {
                if let Ok(turns) = self.orders.stop(id) {
                    self.take_turns(turns, "it ended by itself");
                }
            }
        }
        goes
    }

    /// Writes down and tells that inventories began or ended.
    pub fn take_turns(&mut self, turns: Vec<Turn>, why: &str) {
        for turn in turns {
            match turn {
                Turn::Began { order } => self.began(order),
                Turn::Ended { order } => self.ended(*order, why),
            }
        }
    }

    fn began(&mut self, id: u32) {
        let run = self.orders.get_mut(id).and_then(|order| order.run.as_ref()).map(|run| run.number);
        self.note("inventory_started", json!({"rospec": id, "run": run}));
        self.tell_order_event(RoSpecEventType::Start, id);
    }

    fn ended(&mut self, mut order: Order, why: &str) {
        let id = order.spec.id;
        let Some(run) = &mut order.run else { return };
        let (number, tags, reads, rest) = (run.number, run.seen.len(), run.reads, run.take_report());
        let spec: &RoReportSpec = order.spec.report.as_ref().unwrap_or(&self.config.report);
        if spec.trigger != ReportTrigger::Null {
            self.report(rest);
        }
        self.note(
            "inventory_ended",
            json!({"rospec": id, "run": number, "tags": tags, "reads": reads, "why": why}),
        );
        self.tell_order_event(RoSpecEventType::End, id);
    }

    fn tell_order_event(&mut self, event: RoSpecEventType, rospec: u32) {
        self.tell_event(EventType::RoSpec, |told| {
            told.rospec = Some(RoSpecEvent {
                event,
                rospec,
                preempting: 0,
            });
        });
    }

    /// What was read and not yet told, for GET_REPORT.
    pub fn report_now(&mut self) {
        for id in self.orders.active() {
            let run = self.orders.get_mut(id).and_then(|order| order.run.as_mut());
            if let Some(tags) = run.map(Run::take_report) {
                self.report(tags);
            }
        }
    }

    /// Sends a report, or keeps it until somebody takes it.
    fn report(&mut self, tags: Vec<TagReport>) {
        for tags in tags.chunks(MOST_IN_REPORT) {
            let report = RoAccessReport {
                tags: tags.to_vec(),
                custom: Vec::new(),
            };
            match &self.client {
                Some(client) if !client.holding => self.tell(report),
                _ => self.held.push_back(report.into()),
            }
        }
    }

    /// Whoever takes the reports does not keep up, or is not there. Then tags are gathered into one report instead of into ever more.
    fn is_behind(&self) -> bool {
        match &self.client {
            Some(client) if !client.holding => client.outbox.len() >= MOST_WAITING,
            _ => self.held.len() >= MOST_HELD,
        }
    }
}

fn tag_read(rospec: u32, run: u64, reading: &Reading) -> Value {
    json!({
        "rospec": rospec,
        "run": run,
        "epc": HEXLOWER.encode(&reading.epc),
        "antenna": reading.antenna,
        "rssi_dbm": reading.rssi_dbm,
    })
}
