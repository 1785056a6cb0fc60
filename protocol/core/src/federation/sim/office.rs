//! Head office: a receiver per store over a database with transactions, backups and crashes.
//!
//! Stands for the real ingest, and checks at each word it gives whether the database really holds what is claimed.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::directive::{BatchHead, Watermark};
use crate::federation::receiver::{Announced, Branch, Input, Limits, Output, Receiver, Refusal, Stored, Stretch};
use crate::journal::{Epoch, Hash, Head, Seq};

use super::STORES;
use super::chance::Chance;
use super::craft::Craft;
use super::shop::address;
use super::slip::{Books, Projection, Reading, Slip, Version};
use super::stage::Stage;
use super::wire::{Batch, What};

/// Small, so that schedules run into them.
const LIMITS: Limits = Limits {
    batch_entries: 64,
    epochs: 64,
    stretches: 12,
    first_ask_ms: 500,
    hello_grace_ms: 3_000,
    longest_ask_ms: 60_000,
    step_back: 6,
    asks_per_hello: 6,
};

/// What head office knows about one store.
#[derive(Debug, Clone, Default)]
pub struct Table {
    pub rows: BTreeMap<(Epoch, Seq, Hash), Row>,
    /// How many rows the main branch of an epoch has.
    mains: BTreeMap<Epoch, u64>,
    /// Branches somebody was told about.
    pub flagged: BTreeSet<(Epoch, Branch)>,
    /// Up to which entries a person has looked at second chains.
    pub closed: BTreeSet<(Epoch, Seq, Hash)>,
    /// Where a chain goes on behind what is attested to be lost.
    pub attested: BTreeSet<(Epoch, Seq, Hash)>,
    /// The projections, and up to where each chain is taken in.
    pub books: Books,
    next: BTreeMap<(Epoch, Branch), [Seq; 2]>,
    reread: bool,
    /// Entries that could not be read.
    pub quarantine: BTreeSet<(Epoch, Seq, Hash)>,
}

#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub prev_hash: Hash,
    pub branch: Branch,
    pub slip: Slip,
    /// By each projection.
    pub taken: [bool; 2],
}

#[derive(Debug)]
pub struct Office {
    pub tables: Vec<Table>,
    pub receivers: Option<Vec<Receiver>>,
    backups: Vec<Vec<Table>>,
    pub incarnation: Uuid,
    pub version: Version,
    counter: u64,
    /// What this incarnation has claimed, per store and epoch.
    claimed: BTreeMap<(usize, Epoch), Head>,
    /// Stops after so many more steps.
    pub fuse: Option<u64>,
}

impl Table {
    fn stretches(&self) -> Vec<(Epoch, Vec<Stretch>)> {
        let mut epochs: BTreeMap<Epoch, BTreeMap<Branch, Stretch>> = BTreeMap::new();
        for ((epoch, seq, hash), row) in &self.rows {
            let stretches = epochs.entry(*epoch).or_default();
            let parent = self.branch_of(*epoch, Seq(seq.0 - 1), row.prev_hash);
            let fresh = Stretch {
                branch: row.branch,
                first: *seq,
                before: row.prev_hash,
                last: *seq,
                hash: *hash,
                parent,
            };
            let stretch = stretches.entry(row.branch).or_insert(fresh);
            (stretch.last, stretch.hash) = (*seq, *hash);
        }
        epochs
            .into_iter()
            .map(|(epoch, stretches)| (epoch, stretches.into_values().collect()))
            .collect()
    }

    fn branch_of(&self, epoch: Epoch, seq: Seq, hash: Hash) -> Option<Branch> {
        self.rows.get(&(epoch, seq, hash)).map(|row| row.branch)
    }

    fn stored(&self, epoch: Epoch, first: Seq, last: Seq) -> Vec<Stored> {
        let from = (epoch, Seq(first.0.saturating_sub(1)), Hash::ZERO);
        let to = (epoch, last, Hash([255; 32]));
        self.rows
            .range(from..=to)
            .map(|((_, seq, hash), row)| Stored {
                seq: *seq,
                hash: *hash,
                branch: row.branch,
            })
            .collect()
    }

    /// The entry and all before it down to entry 1 are there, but for what is attested to be lost.
    pub fn holds_chain(&self, head: &Head) -> Result<(), String> {
        let mut at = (head.seq, head.hash);
        let mut after = None;
        while at.0 > Seq(0) {
            let Some(row) = self.rows.get(&(head.epoch, at.0, at.1)) else {
                let attested = after.is_some_and(|after| self.attested.contains(&(head.epoch, after, at.1)));
                let missing = format!("{}:{} is not at head office", head.epoch, at.0);
                return if attested { Ok(()) } else { Err(missing) };
            };
            after = Some(at.0);
            at = (Seq(at.0.0 - 1), row.prev_hash);
        }
        Ok(())
    }

    fn insert(&mut self, epoch: Epoch, branch: Branch, batch: &Batch, first: Seq, last: Seq) -> Result<(), String> {
        for entry in batch
            .entries
            .iter()
            .filter(|entry| first <= entry.link.seq && entry.link.seq <= last)
        {
            let (link, slip) = (&entry.link, entry.slip);
            let row = Row {
                prev_hash: link.prev_hash,
                branch,
                slip,
                taken: [false; 2],
            };
            match slip {
                Slip::Broken { epoch, after, named } => drop(self.attested.insert((epoch, after, named))),
                Slip::BranchClosed { epoch, tip, hash } => drop(self.closed.insert((epoch, tip, hash))),
                _ => {}
            }
            if self.rows.insert((epoch, link.seq, link.hash), row).is_some() {
                return Err(format!("entry {epoch}:{} was stored twice", link.seq));
            }
            *self.mains.entry(epoch).or_default() += u64::from(branch == Branch::MAIN);
        }
        Ok(())
    }

    fn relabel(&mut self, epoch: Epoch, from: Branch, to: Branch) {
        self.flagged.remove(&(epoch, from));
        let rows = self
            .rows
            .iter_mut()
            .filter(|((row_epoch, ..), row)| *row_epoch == epoch && row.branch == from);
        let moved = rows.map(|(_, row)| row.branch = to).count() as u64;
        *self.mains.entry(epoch).or_default() += if to == Branch::MAIN { moved } else { 0 };
        // The chain is another now, so it is read again from its beginning; what was taken in stays so.
        self.next.remove(&(epoch, from));
        self.next.remove(&(epoch, to));
    }

    /// Takes in what the projections of a chain have not. Each stops at an entry it needs and can not read, and only that one.
    fn catch_up<C: Craft>(&mut self, epoch: Epoch, branch: Branch, version: Version, stage: &mut Stage<C>) {
        let next = self.next.entry((epoch, branch)).or_default();
        let from = (epoch, next[0].min(next[1]), Hash::ZERO);
        let to = (epoch, Seq(u64::MAX), Hash([255; 32]));
        let mut stopped = [false; 2];
        for ((_, seq, hash), row) in self.rows.range_mut(from..=to).filter(|(_, row)| row.branch == branch) {
            for (at, projection) in Projection::ALL.into_iter().enumerate() {
                if *seq < next[at] || row.taken[at] {
                    continue;
                }
                let reading = row.slip.read(projection, version);
                if stopped[at] {
                    stage.reached.behind_quarantine += u64::from(reading == Reading::Mine);
                    continue;
                }
                match reading {
                    Reading::NotMine => {}
                    Reading::Carried => stage.reached.unknown_kind += 1,
                    Reading::Unreadable => {
                        stopped[at] = true;
                        next[at] = *seq;
                        stage.reached.quarantined += u64::from(self.quarantine.insert((epoch, *seq, *hash)));
                        continue;
                    }
                    Reading::Mine => {
                        row.taken[at] = true;
                        self.books.take(projection, &row.slip);
                        let healed = self.quarantine.remove(&(epoch, *seq, *hash));
                        stage.reached.quarantine_resolved += u64::from(healed);
                        let late = matches!(row.slip, Slip::Lent { .. }) && self.reread;
                        stage.reached.unknown_kind_taken += u64::from(late);
                    }
                }
            }
            for at in 0..next.len() {
                if !stopped[at] {
                    next[at] = next[at].max(Seq(seq.0 + 1));
                }
            }
        }
    }

    /// Another version of the programs may read what this one could not.
    fn read_again<C: Craft>(&mut self, version: Version, stage: &mut Stage<C>) {
        self.next.clear();
        self.reread = true;
        let chains: BTreeSet<(Epoch, Branch)> = self.rows.iter().map(|((epoch, ..), row)| (*epoch, row.branch)).collect();
        for (epoch, branch) in chains {
            self.catch_up(epoch, branch, version, stage);
        }
        self.reread = false;
    }
}

impl Office {
    pub fn new(version: Version) -> Office {
        Office {
            version,
            tables: vec![Table::default(); STORES],
            receivers: None,
            backups: vec![vec![Table::default(); STORES]],
            incarnation: Uuid::from_u128(1),
            counter: 0,
            claimed: BTreeMap::new(),
            fuse: None,
        }
    }

    pub fn is_down(&self) -> bool {
        self.receivers.is_none()
    }

    pub fn start(&mut self) {
        let receiver = |shop: usize| {
            let table = &self.tables[shop];
            let mut receiver = Receiver::restore(address(shop)?, LIMITS, table.stretches());
            for (epoch, after, named) in table.attested.iter().copied() {
                receiver.step(0, Input::Attested { epoch, after, named });
            }
            Some(receiver)
        };
        self.receivers = (0..STORES).map(receiver).collect();
    }

    /// Another version of the programs is installed and started.
    pub fn change_version<C: Craft>(&mut self, version: Version, stage: &mut Stage<C>) {
        self.stop();
        self.version = version;
        for table in &mut self.tables {
            table.read_again(version, stage);
        }
    }

    /// A shop's stretches that begin behind a gap nobody has attested, with the entry after which they begin.
    pub fn gaps(&self, shop: usize) -> Vec<(Epoch, Seq, Hash)> {
        let table = &self.tables[shop];
        let loose = |(epoch, all): (Epoch, Vec<Stretch>)| {
            let loose = all.into_iter().filter(|stretch| stretch.parent.is_none() && stretch.first > Seq(1));
            loose.map(move |stretch| (epoch, stretch.first, stretch.before)).collect::<Vec<_>>()
        };
        let gaps = table.stretches().into_iter().flat_map(loose);
        gaps.filter(|gap| !table.attested.contains(gap)).collect()
    }

    /// Newer than all of this store that head office has ever seen; `None` if a new box of it hears that from head office itself.
    pub fn next_epoch(&self, shop: usize) -> Option<Epoch> {
        let table = &self.tables[shop];
        let newest = table.rows.keys().next_back().map_or(Epoch(0), |(epoch, ..)| *epoch);
        let held = table.mains.values().any(|held| *held > 0);
        (!held && self.receivers.is_some()).then_some(Epoch(newest.0 + 1))
    }

    /// Second chains which nobody has looked at up to their end.
    pub fn open_branches(&self, shop: usize) -> Vec<(Epoch, Seq, Hash)> {
        let table = &self.tables[shop];
        let flagged = |(epoch, all): (Epoch, Vec<Stretch>)| {
            let flagged = all
                .into_iter()
                .filter(move |stretch| table.flagged.contains(&(epoch, stretch.branch)));
            flagged.map(move |stretch| (epoch, stretch.last, stretch.hash)).collect::<Vec<_>>()
        };
        let tips = table.stretches().into_iter().flat_map(flagged);
        tips.filter(|tip| !table.closed.contains(tip)).collect()
    }

    fn stop(&mut self) {
        self.receivers = None;
        self.fuse = None;
    }

    pub fn back_up(&mut self) {
        self.backups.push(self.tables.clone());
    }

    pub fn restore_backup<C: Craft>(&mut self, stage: &mut Stage<C>) {
        let chance: &mut Chance = &mut stage.chance;
        self.stop();
        // Mostly a recent one; now and then the empty one from before the first day.
        let oldest = if chance.one_in(6) {
            0
        } else {
            self.backups.len().saturating_sub(4)
        };
        let at = oldest + chance.index(self.backups.len() - oldest);
        self.tables = self.backups[at].clone();
        self.incarnation = Uuid::from_u128(self.incarnation.as_u128() + 1);
        self.claimed.clear();
        self.change_version(self.version, stage); // The backup may be of another version's time.
    }

    /// What a fresh start from the database would know.
    pub fn stored_stretches(&self, shop: usize) -> Vec<(Epoch, Vec<Stretch>)> {
        self.tables[shop].stretches()
    }

    pub fn tick<C: Craft>(&mut self, shop: usize, stage: &mut Stage<C>) -> Result<Vec<What>, String> {
        self.feed(shop, Input::Tick, None, stage)
    }

    pub fn hello<C: Craft>(&mut self, shop: usize, heads: &[Head], stage: &mut Stage<C>) -> Result<Vec<What>, String> {
        let table = &self.tables[shop];
        let announced = |head: &Head| Announced {
            head: *head,
            stored: table.branch_of(head.epoch, head.seq, head.hash),
        };
        let heads = heads.iter().map(announced).collect();
        self.feed(shop, Input::Hello { heads }, None, stage)
    }

    pub fn batch<C: Craft>(&mut self, shop: usize, batch: &Batch, stage: &mut Stage<C>) -> Result<Vec<What>, String> {
        let (Some(address), Some(tip)) = (address(shop), batch.entries.last()) else {
            return Ok(Vec::new());
        };
        let message = batch.message;
        let head = BatchHead {
            address,
            epoch: message.epoch,
            first: message.first,
            last: message.last,
            round: message.round,
            last_hash: tip.link.hash,
        };
        let stored = self.tables[shop].stored(message.epoch, message.first, message.last);
        let input = Input::Batch {
            head,
            entries: batch.entries.iter().map(|entry| entry.link).collect(),
            stored,
        };
        self.feed(shop, input, Some(batch), stage)
    }

    fn feed<C: Craft>(&mut self, shop: usize, input: Input, batch: Option<&Batch>, stage: &mut Stage<C>) -> Result<Vec<What>, String> {
        let Some(receivers) = &mut self.receivers else {
            return Ok(Vec::new());
        };
        let outputs = receivers[shop].step(stage.now_ms, input);
        let writes = outputs.iter().any(|output| matches!(output, Output::Store { .. }));
        if writes && self.blown() {
            stage.reached.undone += 1;
            stage.note(|| "head office stops before its commit".into());
            return Ok(Vec::new());
        }
        let attested = self.tables[shop].attested.len();
        for output in &outputs {
            self.commit(shop, output, batch, stage)?;
        }
        if self.tables[shop].attested.len() > attested {
            self.attest(shop, stage);
        }
        let mut told = Vec::new();
        for output in &outputs {
            if !matches!(output, Output::Held(_) | Output::Welcome(_) | Output::AskResend(_)) {
                continue;
            }
            if self.blown() {
                stage.reached.office_crashes += 1;
                stage.note(|| "head office stops between two steps".into());
                break;
            }
            told.extend(self.tell(shop, output, stage)?);
        }
        Ok(told)
    }

    /// The journal brought an attested break; saying those of before once more changes nothing.
    fn attest<C: Craft>(&mut self, shop: usize, stage: &mut Stage<C>) {
        let Some(receivers) = &mut self.receivers else { return };
        for (epoch, after, named) in self.tables[shop].attested.iter().copied() {
            receivers[shop].step(stage.now_ms, Input::Attested { epoch, after, named });
        }
        stage.reached.chain_break += 1;
        stage.note(|| format!("head office reads of an attested break in store {shop}"));
    }

    fn commit<C: Craft>(&mut self, shop: usize, output: &Output, batch: Option<&Batch>, stage: &mut Stage<C>) -> Result<(), String> {
        let table = &mut self.tables[shop];
        match output {
            Output::Store {
                epoch,
                branch,
                first,
                last,
            } => {
                let Some(batch) = batch else {
                    return Err("something is to be stored without a batch".into());
                };
                let closed = table.closed.len();
                table.insert(*epoch, *branch, batch, *first, *last)?;
                stage.reached.branch_closed += (table.closed.len() - closed) as u64;
                table.catch_up(*epoch, *branch, self.version, stage);
            }
            Output::Relabel { epoch, from, to } => {
                stage.reached.gap_closed += 1;
                table.relabel(*epoch, *from, *to);
                table.catch_up(*epoch, *to, self.version, stage);
            }
            Output::Conflict { epoch, branch, .. } => {
                stage.reached.conflict += 1;
                stage.note(|| format!("head office sees a second chain in epoch {epoch} of store {shop}"));
                table.flagged.insert((*epoch, *branch));
            }
            Output::Refused { why: Refusal::NoRoom, .. } => {} // As it should be; the store sends it again.
            Output::Refused { epoch, first, last, why } => return Err(format!("batch {epoch}:{first}-{last} was refused: {why}")),
            Output::Held(_) | Output::Welcome(_) | Output::AskResend(_) => {}
        }
        Ok(())
    }

    fn tell<C: Craft>(&mut self, shop: usize, output: &Output, stage: &mut Stage<C>) -> Result<Option<What>, String> {
        match output {
            Output::Held(head) => {
                self.is_main(shop, head)?;
                let before = self.claimed.insert((shop, head.epoch), *head);
                if before.is_some_and(|before| before.seq > head.seq || (before.seq == head.seq && before.hash != head.hash)) {
                    return Err(format!("head office took back what it held: {before:?} became {head:?}"));
                }
                Ok(self.sign(shop, head).map(What::Watermark))
            }
            Output::Welcome(heads) => {
                for head in heads.iter().filter(|head| head.seq.0 > 0) {
                    let branch = self.tables[shop].branch_of(head.epoch, head.seq, head.hash);
                    stage.reached.branch_confirmed += u64::from(branch.is_some_and(|branch| branch != Branch::MAIN));
                    let held = self.tables[shop].holds_chain(head);
                    held.map_err(|why| format!("a welcome claims {head:?}, but {why}"))?;
                }
                let marks = heads.iter().filter_map(|head| self.sign(shop, head)).collect();
                Ok(Some(What::Welcome { number: 0, marks }))
            }
            Output::AskResend(resend) => {
                stage.reached.resend += 1;
                Ok(Some(What::Resend(*resend)))
            }
            _ => Ok(None),
        }
    }

    fn is_main(&self, shop: usize, head: &Head) -> Result<(), String> {
        let table = &self.tables[shop];
        let main = table.branch_of(head.epoch, head.seq, head.hash) == Some(Branch::MAIN);
        let whole = table.mains.get(&head.epoch) == Some(&head.seq.0);
        if main && whole {
            Ok(())
        } else {
            Err(format!("a mark claims {head:?}, which the main branch does not hold"))
        }
    }

    fn sign(&mut self, shop: usize, head: &Head) -> Option<Watermark> {
        self.counter += 1;
        Some(Watermark {
            address: address(shop)?,
            incarnation: self.incarnation,
            counter: self.counter,
            epoch: head.epoch,
            held: head.seq,
            applied: head.seq,
            hash: head.hash,
        })
    }

    fn blown(&mut self) -> bool {
        match &mut self.fuse {
            Some(0) => {
                self.stop();
                true
            }
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }
}
