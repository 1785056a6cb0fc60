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
use super::reached::Reached;
use super::shop::address;
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
}

#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub prev_hash: Hash,
    pub branch: Branch,
}

#[derive(Debug)]
pub struct Office {
    pub tables: Vec<Table>,
    pub receivers: Option<Vec<Receiver>>,
    backups: Vec<Vec<Table>>,
    pub incarnation: Uuid,
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

    /// Whether the entry and all before it down to entry 1 are there.
    pub fn holds_chain(&self, head: &Head) -> bool {
        let mut at = (head.seq, head.hash);
        while at.0 > Seq(0) {
            let Some(row) = self.rows.get(&(head.epoch, at.0, at.1)) else {
                return false;
            };
            at = (Seq(at.0.0 - 1), row.prev_hash);
        }
        at.1 == Hash::ZERO
    }

    fn insert(&mut self, epoch: Epoch, branch: Branch, batch: &Batch, first: Seq, last: Seq) -> Result<(), String> {
        for link in batch.entries.iter().filter(|link| first <= link.seq && link.seq <= last) {
            let row = Row {
                prev_hash: link.prev_hash,
                branch,
            };
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
    }
}

impl Office {
    pub fn new() -> Office {
        Office {
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
        let receiver = |shop: usize| Some(Receiver::restore(address(shop)?, LIMITS, self.tables[shop].stretches()));
        self.receivers = (0..STORES).map(receiver).collect();
    }

    fn stop(&mut self) {
        self.receivers = None;
        self.fuse = None;
    }

    pub fn back_up(&mut self) {
        self.backups.push(self.tables.clone());
    }

    pub fn restore_backup(&mut self, chance: &mut Chance) {
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
    }

    /// What a fresh start from the database would know.
    pub fn stored_stretches(&self, shop: usize) -> Vec<(Epoch, Vec<Stretch>)> {
        self.tables[shop].stretches()
    }

    pub fn tick(&mut self, shop: usize, now_ms: u64, reached: &mut Reached) -> Result<Vec<What>, String> {
        self.feed(shop, now_ms, Input::Tick, None, reached)
    }

    pub fn hello(&mut self, shop: usize, now_ms: u64, heads: &[Head], reached: &mut Reached) -> Result<Vec<What>, String> {
        let table = &self.tables[shop];
        let announced = |head: &Head| Announced {
            head: *head,
            stored: table.branch_of(head.epoch, head.seq, head.hash),
        };
        let heads = heads.iter().map(announced).collect();
        self.feed(shop, now_ms, Input::Hello { heads }, None, reached)
    }

    pub fn batch(&mut self, shop: usize, now_ms: u64, batch: &Batch, reached: &mut Reached) -> Result<Vec<What>, String> {
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
            last_hash: tip.hash,
        };
        let stored = self.tables[shop].stored(message.epoch, message.first, message.last);
        let input = Input::Batch {
            head,
            entries: batch.entries.clone(),
            stored,
        };
        self.feed(shop, now_ms, input, Some(batch), reached)
    }

    fn feed(&mut self, shop: usize, now_ms: u64, input: Input, batch: Option<&Batch>, reached: &mut Reached) -> Result<Vec<What>, String> {
        let Some(receivers) = &mut self.receivers else {
            return Ok(Vec::new());
        };
        let outputs = receivers[shop].step(now_ms, input);
        let writes = outputs.iter().any(|output| matches!(output, Output::Store { .. }));
        if writes && self.blown() {
            reached.undone += 1;
            return Ok(Vec::new());
        }
        for output in &outputs {
            self.commit(shop, output, batch, reached)?;
        }
        let mut told = Vec::new();
        for output in &outputs {
            if !matches!(output, Output::Held(_) | Output::Welcome(_) | Output::AskResend(_)) {
                continue;
            }
            if self.blown() {
                break;
            }
            told.extend(self.tell(shop, output, reached)?);
        }
        Ok(told)
    }

    fn commit(&mut self, shop: usize, output: &Output, batch: Option<&Batch>, reached: &mut Reached) -> Result<(), String> {
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
                table.insert(*epoch, *branch, batch, *first, *last)?;
            }
            Output::Relabel { epoch, from, to } => {
                reached.gap_closed += 1;
                table.relabel(*epoch, *from, *to);
            }
            Output::Conflict { epoch, branch, .. } => {
                reached.conflict += 1;
                table.flagged.insert((*epoch, *branch));
            }
            Output::Refused { why: Refusal::NoRoom, .. } => {} // As it should be; the store sends it again.
            Output::Refused { epoch, first, last, why } => return Err(format!("batch {epoch}:{first}-{last} was refused: {why}")),
            Output::Held(_) | Output::Welcome(_) | Output::AskResend(_) => {}
        }
        Ok(())
    }

    fn tell(&mut self, shop: usize, output: &Output, reached: &mut Reached) -> Result<Option<What>, String> {
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
                    reached.branch_confirmed += u64::from(branch.is_some_and(|branch| branch != Branch::MAIN));
                    if !self.tables[shop].holds_chain(head) {
                        return Err(format!("a welcome claims {head:?}, which is not held"));
                    }
                }
                let marks = heads.iter().filter_map(|head| self.sign(shop, head)).collect();
                Ok(Some(What::Welcome { number: 0, marks }))
            }
            Output::AskResend(resend) => {
                reached.resend += 1;
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
