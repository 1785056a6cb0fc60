//! Head office's side, one per store: what to store where, what may be called held, and what to ask for again.
//!
//! Reads and writes no database. For each step the driver looks up what the input names, hands it in, and carries the answers out:
//! everything up to the first `Held`, `Welcome` or `AskResend` in one transaction, those only after its commit. If the
//! transaction fails, this state is ahead of the database: drop it and `restore`.
//!
//! Expected table: one row per entry with (epoch, seq, hash, prev_hash, branch), unique by (epoch, seq, hash), and (epoch, seq)
//! unique where branch = 0. A branch number names one stretch without a gap, so `select branch, min(seq), max(seq) ... group by
//! branch` gives all `restore` needs, with `parent` as the branch of the row (first - 1, before).

mod asks;

use crate::directive::{Address, BatchHead, Resend};
use crate::journal::{Epoch, Hash, Head, Seq};

use self::asks::Asks;
use super::stretches::{Placed, Stretches};

/// How much and how patiently.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most entries of one batch; a larger one is refused.
    pub batch_entries: usize,
    /// Most epochs of one store, and most stretches of one epoch. What goes beyond is refused and flagged.
    pub epochs: usize,
    pub stretches: usize,
    /// How long a gap may close by itself (batches overtake each other) before we ask; doubles up to `longest_ask_ms`.
    pub first_ask_ms: u64,
    /// The same for what a store announced: it is probably on its way.
    pub hello_grace_ms: u64,
    pub longest_ask_ms: u64,
    /// So many entries we go back to find where a second chain leaves the first.
    pub step_back: u64,
    /// An announced head is asked for so often, then waits for the next announcement.
    pub asks_per_hello: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_entries: 4096,
            epochs: 256,
            stretches: 64,
            first_ask_ms: 500,
            hello_grace_ms: 3_000,
            longest_ask_ms: 60_000,
            step_back: 256,
            asks_per_hello: 6,
        }
    }
}

/// Which chain of an epoch. 0 is the main one, the first that came; all others wait for a gap to close or for a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Branch(pub u32);

impl Branch {
    pub const MAIN: Branch = Branch(0);
}

/// One received entry, as far as the chain needs it. `hash` was computed from the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub seq: Seq,
    pub prev_hash: Hash,
    pub hash: Hash,
}

/// An entry in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    pub seq: Seq,
    pub hash: Hash,
    pub branch: Branch,
}

/// Entries of one branch, `first` to `last` without gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub branch: Branch,
    pub first: Seq,
    /// The hash which `first` names as the one before it.
    pub before: Hash,
    pub last: Seq,
    /// The hash of `last`.
    pub hash: Hash,
    /// The branch in which the entry before `first` is stored. `None` if it is not, or if `first` is 1.
    pub parent: Option<Branch>,
}

/// A head from a store's hello, and where the entry with just this epoch, seq and hash is stored, if it is.
#[derive(Debug, Clone, Copy)]
pub struct Announced {
    pub head: Head,
    pub stored: Option<Branch>,
}

#[derive(Debug, Clone)]
pub enum Input {
    /// Signature checked, hashes computed. `stored`: all rows of this epoch from `head.first - 1` to `head.last`.
    Batch {
        head: BatchHead,
        entries: Vec<Link>,
        stored: Vec<Stored>,
    },
    /// Signature checked.
    Hello { heads: Vec<Announced> },
    /// A chain break stands in the store's journal, attested and signed: what lies before `after`, which names `named` as the hash
    /// before it, is lost and is not asked for any more. Said when such an entry is stored, and of all of them after `restore`. Should
    /// the lost entries turn up after all, they are taken as ever.
    Attested { epoch: Epoch, after: Seq, named: Hash },
    /// At least once a second.
    Tick,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Insert these entries of the batch with this branch.
    Store {
        epoch: Epoch,
        branch: Branch,
        first: Seq,
        last: Seq,
    },
    /// A gap closed: all entries of branch `from` now belong to `to`.
    Relabel { epoch: Epoch, from: Branch, to: Branch },
    /// Two chains claim the same places. Raise the alarm; count the money; a person decides. `branch` is not the main one.
    Conflict {
        epoch: Epoch,
        branch: Branch,
        first: Seq,
        last: Seq,
    },
    /// The batch contradicts itself, is too large, or there is no room. Not stored. Raise the alarm.
    Refused { epoch: Epoch, first: Seq, last: Seq, why: Refusal },
    /// After the commit: sign a watermark of this epoch with held = seq and send it to the store, for whoever listens there.
    Held(Head),
    /// Sign a watermark for each and answer to the inbox of this hello only (a second box must not hear them). Never empty.
    Welcome(Vec<Head>),
    /// Sign and send to the store.
    AskResend(Resend),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the batch is for another store")]
    OtherStore,
    #[error("the entries are not the ones its head names, or do not follow each other")]
    NotAChain,
    #[error("the batch has more entries than one may have")]
    TooLarge,
    #[error("this store has more epochs or broken chains than are kept; a person must close some")]
    NoRoom,
}

/// What is known about one store.
#[derive(Debug, Clone)]
pub struct Receiver {
    address: Address,
    limits: Limits,
    /// In rising order.
    lives: Vec<Life>,
    round: u64,
}

#[derive(Debug, Clone)]
struct Life {
    epoch: Epoch,
    stretches: Stretches,
    flagged: Vec<Branch>,
    asks: Asks,
}

impl Receiver {
    /// What a database column can hold; no shop gets there.
    const LAST_SEQ: Seq = Seq(i64::MAX as u64);

    /// `epochs`: the stretches of each epoch in the database, in rising order; none for a new store.
    pub fn restore(address: Address, limits: Limits, epochs: Vec<(Epoch, Vec<Stretch>)>) -> Receiver {
        let live = |(epoch, stretches)| {
            let stretches = Stretches::restore(stretches, limits.stretches);
            let disputed = |branch: &Branch| *branch != Branch::MAIN && stretches.disputed(*branch);
            let flagged = stretches.iter().map(|stretch| stretch.branch).filter(disputed).collect();
            Life {
                epoch,
                stretches,
                flagged,
                asks: Asks::default(),
            }
        };
        let mut lives: Vec<Life> = epochs.into_iter().map(live).collect();
        lives.sort_by_key(|life| life.epoch);
        Receiver {
            address,
            limits,
            lives,
            round: 0,
        }
    }

    /// Everything of this epoch's main branch up to here is stored.
    pub fn held(&self, epoch: Epoch) -> Option<Head> {
        self.life(epoch).and_then(Life::held)
    }

    /// For consoles and reports: every stretch of every epoch.
    pub fn stretches(&self) -> impl Iterator<Item = (Epoch, &Stretch)> {
        self.lives
            .iter()
            .flat_map(|life| life.stretches.iter().map(|stretch| (life.epoch, stretch)))
    }

    pub fn step(&mut self, now_ms: u64, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        match input {
            Input::Batch { head, entries, stored } => self.batch(&head, &entries, &stored, &mut outputs),
            Input::Hello { heads } => self.hello(now_ms, &heads, &mut outputs),
            Input::Attested { epoch, after, named } => {
                if let Some(life) = self.life_mut(epoch) {
                    life.stretches.attest(after, named);
                }
            }
            Input::Tick => {}
        }
        self.ask(now_ms, &mut outputs);
        outputs
    }

    fn life(&self, epoch: Epoch) -> Option<&Life> {
        self.lives.iter().find(|life| life.epoch == epoch)
    }

    /// `None` when there would be one epoch too many.
    fn life_mut(&mut self, epoch: Epoch) -> Option<&mut Life> {
        let at = match self.lives.binary_search_by_key(&epoch, |life| life.epoch) {
            Ok(at) => at,
            Err(_) if self.lives.len() >= self.limits.epochs => return None,
            Err(at) => {
                let stretches = Stretches::restore(Vec::new(), self.limits.stretches);
                self.lives.insert(
                    at,
                    Life {
                        epoch,
                        stretches,
                        flagged: Vec::new(),
                        asks: Asks::default(),
                    },
                );
                at
            }
        };
        self.lives.get_mut(at)
    }

    fn batch(&mut self, head: &BatchHead, entries: &[Link], stored: &[Stored], outputs: &mut Vec<Output>) {
        let BatchHead { epoch, first, last, .. } = *head;
        let refused = |why| Output::Refused { epoch, first, last, why };
        if let Err(why) = self.check(head, entries) {
            return outputs.push(refused(why));
        }
        let Some(life) = self.life_mut(epoch) else {
            return outputs.push(refused(Refusal::NoRoom));
        };
        if !life.place(entries, stored, outputs) {
            outputs.push(refused(Refusal::NoRoom));
        }
        life.flag(outputs);
        entries.iter().for_each(|link| life.asks.arrived(link.seq, link.hash));
        // Also for a batch that brought nothing new: the store may not have heard the first time.
        outputs.extend(life.held().map(Output::Held));
    }

    fn check(&self, head: &BatchHead, entries: &[Link]) -> Result<(), Refusal> {
        if head.address != self.address {
            return Err(Refusal::OtherStore);
        }
        if entries.len() > self.limits.batch_entries {
            return Err(Refusal::TooLarge);
        }
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Err(Refusal::NotAChain);
        };
        let ends = first.seq == head.first && last.seq == head.last && last.hash == head.last_hash;
        let begins = first.seq.0 > 0 && last.seq <= Self::LAST_SEQ && (first.seq.0 == 1) == (first.prev_hash == Hash::ZERO);
        let follows = |pair: &[Link]| pair[0].seq.0.checked_add(1) == Some(pair[1].seq.0) && pair[0].hash == pair[1].prev_hash;
        if ends && begins && entries.windows(2).all(follows) {
            Ok(())
        } else {
            Err(Refusal::NotAChain)
        }
    }

    fn hello(&mut self, now_ms: u64, heads: &[Announced], outputs: &mut Vec<Output>) {
        let mut marks: Vec<Head> = self.lives.iter().filter_map(Life::held).collect();
        let limits = self.limits;
        let latest = &heads[heads.len().saturating_sub(limits.epochs)..];
        for Announced { head, stored } in latest {
            if head.seq.0 == 0 || head.seq > Self::LAST_SEQ {
                continue;
            }
            match (stored, self.life_mut(head.epoch)) {
                (Some(branch), Some(life)) if life.stretches.rooted(*branch) && !marks.contains(head) => marks.push(*head),
                (None, Some(life)) => life.asks.announced(now_ms, head, &limits),
                _ => {} // Said already; or loose, so it is asked for; or no room.
            }
        }
        if marks.is_empty() {
            marks.push(Head::start(heads.last().map_or(Epoch(1), |announced| announced.head.epoch)));
        }
        outputs.push(Output::Welcome(marks));
    }

    fn ask(&mut self, now_ms: u64, outputs: &mut Vec<Output>) {
        for life in &mut self.lives {
            for (first, last) in life.asks.due(now_ms, &life.stretches, &self.limits) {
                self.round = self.round.saturating_add(1);
                let (address, epoch, round) = (self.address, life.epoch, self.round);
                outputs.push(Output::AskResend(Resend {
                    address,
                    epoch,
                    first,
                    last,
                    round,
                }));
            }
        }
    }
}

impl Life {
    fn held(&self) -> Option<Head> {
        self.stretches.main().map(|main| Head {
            epoch: self.epoch,
            seq: main.last,
            hash: main.hash,
        })
    }

    /// False when there was no room for all.
    fn place(&mut self, entries: &[Link], stored: &[Stored], outputs: &mut Vec<Output>) -> bool {
        let epoch = self.epoch;
        let mut relabelled: Vec<(Branch, Branch)> = Vec::new();
        let now_in = |branch: Branch, relabelled: &[(Branch, Branch)]| {
            relabelled.iter().fold(branch, |at, (from, to)| if at == *from { *to } else { at })
        };
        let find = |seq: Seq, hash: Hash| stored.iter().copied().find(|row| row.seq == seq && row.hash == hash);
        let mut before = entries
            .first()
            .and_then(|link| find(Seq(link.seq.0 - 1), link.prev_hash))
            .map(|row| row.branch);
        let mut run: Option<(Branch, Seq, Seq)> = None;
        let store = |(branch, first, last)| Output::Store {
            epoch,
            branch,
            first,
            last,
        };
        for link in entries {
            let row = find(link.seq, link.hash).map(|row| Stored {
                branch: now_in(row.branch, &relabelled),
                ..row
            });
            let placed = self.stretches.place(link, before, row);
            let (branch, joined) = match placed {
                Placed::Known(branch) => {
                    outputs.extend(run.take().map(store));
                    before = Some(branch);
                    continue;
                }
                Placed::New { branch, joined } => (branch, joined),
                Placed::NoRoom => {
                    outputs.extend(run.take().map(store));
                    return false;
                }
            };
            before = Some(branch);
            run = match run {
                Some((same, first, _)) if same == branch => Some((branch, first, link.seq)),
                other => {
                    outputs.extend(other.map(store));
                    Some((branch, link.seq, link.seq))
                }
            };
            if let Some(from) = joined {
                outputs.extend(run.take().map(store));
                outputs.push(Output::Relabel { epoch, from, to: branch });
                relabelled.push((from, branch));
                self.flagged.retain(|flagged| *flagged != from);
            }
        }
        outputs.extend(run.map(store));
        true
    }

    fn flag(&mut self, outputs: &mut Vec<Output>) {
        for stretch in self.stretches.iter().filter(|stretch| stretch.branch != Branch::MAIN) {
            if !self.flagged.contains(&stretch.branch) && self.stretches.disputed(stretch.branch) {
                self.flagged.push(stretch.branch);
                outputs.push(Output::Conflict {
                    epoch: self.epoch,
                    branch: stretch.branch,
                    first: stretch.first,
                    last: stretch.last,
                });
            }
        }
    }
}

#[cfg(test)]
#[path = "receiver_tests.rs"]
mod tests;
