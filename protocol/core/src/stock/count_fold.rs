//! The counts that are open or wait for approval, as a fold of their facts, and what each says of an item so far.
//!
//! Decides nothing: what may be started, entered, closed and approved stands in `count`.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Sku;
use crate::facts::{CountApproved, CountEnd, CountEnded, CountEntered, CountStarted, Proposed};
use crate::ids::{CountId, StaffId};
use crate::money::Quantity;
use crate::stock::count::{CountRules, CountScope, Verdict, WhyAgain};
use crate::stock::count_log::MoveLog;
use crate::stock::room::Mark;
use crate::stock::{Place, Refusal, StockMove, minus, plus};

#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) all: BTreeMap<CountId, Count>,
    pub(super) log: MoveLog,
}

#[derive(Clone, Debug)]
pub(super) struct Count {
    pub(super) scope: CountScope,
    pub(super) rules: CountRules,
    /// The entry that started it; what moved since is in the log.
    pub(super) since: Mark,
    pub(super) readings: BTreeMap<Sku, BTreeMap<Place, Vec<Entry>>>,
    pub(super) places: BTreeSet<Place>,
    pub(super) counters: BTreeSet<StaffId>,
    pub(super) state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Closed(Vec<Proposed>),
    Over,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    by: StaffId,
    counted: Quantity,
    on_hand: Quantity,
    at: Mark,
}

impl Count {
    pub(super) fn verdict(&self, sku: &Sku, places: &BTreeMap<Place, Vec<Entry>>, log: &MoveLog) -> Result<Verdict, Refusal> {
        if let CountScope::Places(all) = &self.scope
            && !all.is_subset(&self.places)
        {
            return Ok(Verdict::Again(WhyAgain::PlaceMissing));
        }
        let mut counted = Quantity(0);
        let mut last: Option<Entry> = None;
        let mut first: Option<Mark> = None;
        for entries in places.values() {
            let entry = match self.agreed(entries, places.len()) {
                Ok(entry) => entry,
                Err(why) => return Ok(Verdict::Again(why)),
            };
            counted = plus(counted, entry.counted)?;
            first = Some(first.map_or(entry.at, |first| first.min(entry.at)));
            last = last.filter(|last| last.at >= entry.at).or(Some(entry));
        }
        let (Some(first), Some(last)) = (first, last) else {
            return Ok(Verdict::Again(WhyAgain::OneCounter));
        };
        if log.moved_between(sku, first, last.at) {
            return Ok(Verdict::Again(WhyAgain::MovedMeanwhile));
        }
        let difference = minus(counted, last.on_hand)?;
        if difference.0 == 0 {
            return Ok(Verdict::Matches);
        }
        // Two people who agree have counted twice already.
        let once = self.rules.counters == 1 && places.values().any(|entries| entries.len() < 2);
        if once
            && self
                .rules
                .recount_above
                .is_some_and(|limit| difference.0.saturating_abs() > limit.0)
        {
            return Ok(Verdict::Again(WhyAgain::AboveLimit));
        }
        Ok(Verdict::Differs(Proposed {
            sku: sku.clone(),
            counted,
            on_hand: last.on_hand,
            at: last.at,
        }))
    }

    /// The count of a place that stands: the last one, or the later of two that agree.
    fn agreed(&self, entries: &[Entry], places: usize) -> Result<Entry, WhyAgain> {
        if self.rules.counters == 1 {
            return entries.last().copied().ok_or(WhyAgain::OneCounter);
        }
        let mut of_each: Vec<Entry> = Vec::new();
        for entry in entries.iter().rev() {
            if of_each.iter().all(|other| other.by != entry.by) {
                of_each.push(*entry);
            }
        }
        if of_each.len() < 2 {
            return Err(WhyAgain::OneCounter);
        }
        for (index, later) in of_each.iter().enumerate() {
            let mut others = of_each.iter().skip(index + 1);
            if others.any(|other| later.agrees(other, places)) {
                return Ok(*later);
            }
        }
        Err(WhyAgain::Disagree)
    }
}

impl Entry {
    /// Two counts of a place agree when they differ by what moved between them. Of an item in several places nobody knows where it was
    /// taken, so equal counts agree as well.
    fn agrees(&self, other: &Entry, places: usize) -> bool {
        let counted = self.counted.0.saturating_sub(other.counted.0);
        let moved = self.on_hand.0.saturating_sub(other.on_hand.0);
        counted == moved || (places > 1 && counted == 0)
    }
}

impl Counts {
    pub(super) fn find(&self, count: CountId) -> Result<&Count, Refusal> {
        self.all.get(&count).ok_or(Refusal::CountUnknown { count })
    }

    pub(super) fn open(&self, count: CountId) -> Result<&Count, Refusal> {
        match self.find(count)? {
            open if open.state == State::Open => Ok(open),
            _ => Err(Refusal::CountOver { count }),
        }
    }

    fn anybody_counts(&self) -> bool {
        self.all.values().any(|count| count.state == State::Open)
    }

    pub(super) fn moved(&mut self, mark: Mark, moves: &[StockMove]) {
        if !moves.is_empty() && self.anybody_counts() {
            self.log.moved(mark, moves);
        }
    }

    pub(super) fn started(&mut self, mark: Mark, fact: &CountStarted) {
        let count = Count {
            scope: fact.scope.clone(),
            rules: fact.rules,
            since: mark,
            readings: BTreeMap::new(),
            places: BTreeSet::new(),
            counters: BTreeSet::new(),
            state: State::Open,
        };
        self.all.entry(fact.count).or_insert(count);
    }

    pub(super) fn entered(&mut self, fact: &CountEntered) {
        let Some(count) = self.all.get_mut(&fact.count) else { return };
        count.counters.insert(fact.by);
        count.places.insert(fact.place.clone());
        for line in &fact.lines {
            let places = count.readings.entry(line.sku.clone()).or_default();
            places.entry(fact.place.clone()).or_default().push(Entry {
                by: fact.by,
                counted: line.counted,
                on_hand: line.on_hand,
                at: line.at,
            });
        }
    }

    pub(super) fn ended(&mut self, fact: &CountEnded) {
        let state = match fact.end {
            CountEnd::Closed => State::Closed(fact.proposed.clone()),
            CountEnd::Cancelled => State::Over,
        };
        self.end(fact.count, state);
    }

    pub(super) fn approved(&mut self, fact: &CountApproved) {
        self.end(fact.count, State::Over);
    }

    fn end(&mut self, count: CountId, state: State) {
        if let Some(count) = self.all.get_mut(&count) {
            count.state = state;
            count.readings.clear();
        }
        if !self.anybody_counts() {
            self.log.clear();
        }
    }
}
