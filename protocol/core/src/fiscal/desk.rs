//! What the box knows of its wishes to the signature device, and what it may ask the device next.
//!
//! What stands in facts survives a fall; which question is under way does not, so after one everything without an end may have been
//! signed and the device is asked by its counter first. One question is under way at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::{FiscalDocument, FiscalEnd, Profile, Record, Series, ended, wanted_of};
use crate::facts::{Fact, FiscalEnded, FiscalFact, FiscalWanted};
use crate::ids::CommandId;
use crate::journal::Hash;
use crate::time::Instant;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Nothing,
    /// A question is under way; its answer, its loss or the deadline comes next.
    Wait,
    /// Ask the device what it signed in this series above this counter.
    AskAbove {
        series: Series,
        counter: u64,
    },
    Sign {
        wish: CommandId,
        series: Series,
        digest: Hash,
    },
    /// Time is over: write this down and print.
    End(FiscalEnded),
}

/// What the device's list of signatures means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub ends: Vec<FiscalEnded>,
    /// Signatures nobody here asked for; a person looks at them.
    pub strangers: Vec<Record>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Question {
    Above(Series),
    Sign(CommandId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting {
    wanted: FiscalWanted,
    /// Its receipt went out as unknown; only what the device already did can still change that.
    told_unknown: bool,
    /// The device may have been asked.
    maybe_asked: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desk {
    profile: Profile,
    counters: BTreeMap<Series, u64>,
    waiting: Vec<Waiting>,
    /// Series whose signatures are all known here. Empty after every start.
    known: BTreeSet<Series>,
    question: Option<Question>,
}

impl Desk {
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            ..Self::default()
        }
    }

    /// The wish to be written together with the document; `None` where no signature is asked for or this document's is wanted already.
    pub fn want(&self, wish: CommandId, document: FiscalDocument, series: Series, digest: Hash, deadline: Instant) -> Option<FiscalWanted> {
        let known = |waiting: &Waiting| waiting.wanted.wish == wish || waiting.wanted.document == document;
        if self.profile == Profile::None || self.waiting.iter().any(known) {
            return None;
        }
        Some(FiscalWanted {
            wish,
            document,
            profile: self.profile,
            series,
            digest,
            above: self.counters.get(&series).copied().unwrap_or(0),
            deadline,
        })
    }

    /// Signatures without a final end.
    pub fn waiting(&self) -> impl Iterator<Item = &FiscalWanted> {
        self.waiting.iter().map(|waiting| &waiting.wanted)
    }

    pub fn next(&self, now: Instant) -> Next {
        if let Some(late) = self.waiting.iter().find(|one| !one.told_unknown && one.wanted.deadline <= now) {
            let end = if late.maybe_asked {
                FiscalEnd::Unknown
            } else {
                FiscalEnd::DeviceFailed {
                    why: "not_reached".to_owned(),
                }
            };
            return Next::End(ended(late.wanted.wish, end));
        }
        if self.question.is_some() {
            return Next::Wait;
        }
        let Some(first) = self.waiting.first() else { return Next::Nothing };
        let unknown = self.waiting.iter().find(|one| one.maybe_asked || one.told_unknown);
        let series = unknown.unwrap_or(first).wanted.series;
        if unknown.is_some() || !self.known.contains(&series) {
            let of_series = self.waiting.iter().filter(|one| one.wanted.series == series);
            let counter = of_series.map(|one| one.wanted.above).min().unwrap_or(0);
            return Next::AskAbove { series, counter };
        }
        Next::Sign {
            wish: first.wanted.wish,
            series,
            digest: first.wanted.digest,
        }
    }

    /// The question goes to the device now.
    pub fn asks(&mut self, next: &Next) {
        match next {
            Next::AskAbove { series, .. } => self.question = Some(Question::Above(*series)),
            Next::Sign { wish, .. } => {
                self.question = Some(Question::Sign(*wish));
                if let Some(waiting) = self.find(*wish) {
                    waiting.maybe_asked = true;
                }
            }
            _ => {}
        }
    }

    /// The link broke, or nobody answered: whatever was asked may have happened.
    pub fn lost(&mut self) {
        self.question = None;
        self.known.clear();
    }

    /// The device signed what it was asked to sign. An answer to an older question says nothing.
    pub fn signed(&mut self, record: &Record) -> Option<FiscalEnded> {
        let Some(Question::Sign(wish)) = self.question else { return None };
        let waiting = self.find(wish)?;
        if waiting.wanted.series != record.series || waiting.wanted.digest != record.digest {
            // Not our document: look at the device's list before anything else is signed.
            self.lost();
            return None;
        }
        self.question = None;
        Some(end_of(wish, record))
    }

    /// The device said that it will not sign this.
    pub fn refused(&mut self, why: &str) -> Option<FiscalEnded> {
        let Some(Question::Sign(wish)) = self.question.take() else {
            return None;
        };
        let why = why.chars().take(60).collect();
        Some(ended(wish, FiscalEnd::DeviceFailed { why }))
    }

    /// The device's list. What is on it was signed; what is not on it surely was not.
    pub fn says(&mut self, records: &[Record]) -> Answer {
        let Some(Question::Above(series)) = self.question else {
            return Answer::default();
        };
        self.question = None;
        let mut answer = Answer::default();
        let mut found = BTreeSet::new();
        for record in records.iter().filter(|record| record.series == series) {
            let fits = |one: &&Waiting| {
                let wanted = &one.wanted;
                wanted.series == series && wanted.digest == record.digest && record.counter > wanted.above && !found.contains(&wanted.wish)
            };
            match self.waiting.iter().find(fits) {
                Some(one) => {
                    found.insert(one.wanted.wish);
                    answer.ends.push(end_of(one.wanted.wish, record));
                }
                None if record.counter > self.counters.get(&series).copied().unwrap_or(0) => answer.strangers.push(*record),
                None => {} // Written down long ago.
            }
        }
        for one in &mut self.waiting {
            if one.wanted.series != series || found.contains(&one.wanted.wish) {
                continue;
            }
            one.maybe_asked = false;
            if one.told_unknown {
                let why = "never_signed".to_owned();
                answer.ends.push(ended(one.wanted.wish, FiscalEnd::DeviceFailed { why }));
            }
        }
        self.known.insert(series);
        answer
    }

    /// After a start everything written and not ended may have been asked.
    pub fn apply(&mut self, fact: &Fact) {
        if let Some(wanted) = wanted_of(fact) {
            self.waiting.push(Waiting {
                wanted: *wanted,
                told_unknown: false,
                maybe_asked: false,
            });
        }
        let Fact::Fiscal(FiscalFact::FiscalEnded(ended)) = fact else {
            return;
        };
        match &ended.end {
            FiscalEnd::Unknown => {
                if let Some(waiting) = self.find(ended.wish) {
                    waiting.told_unknown = true;
                }
            }
            end => {
                if let (FiscalEnd::Signed { counter, .. }, Some(waiting)) = (end, self.find(ended.wish)) {
                    let series = waiting.wanted.series;
                    let known = self.counters.entry(series).or_default();
                    *known = (*known).max(*counter);
                }
                self.waiting.retain(|one| one.wanted.wish != ended.wish);
            }
        }
        if self.question == Some(Question::Sign(ended.wish)) {
            // Its time was over while the device was still at it.
            self.lost();
        }
    }

    /// All facts are read; the device was not asked since the start.
    pub fn started(&mut self) {
        self.lost();
        for waiting in &mut self.waiting {
            waiting.maybe_asked = true;
        }
    }

    fn find(&mut self, wish: CommandId) -> Option<&mut Waiting> {
        self.waiting.iter_mut().find(|one| one.wanted.wish == wish)
    }
}

fn end_of(wish: CommandId, record: &Record) -> FiscalEnded {
    ended(
        wish,
        FiscalEnd::Signed {
            counter: record.counter,
            signature: record.signature,
        },
    )
}
