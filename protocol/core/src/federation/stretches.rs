//! What is stored of one epoch, as few stretches of entries that follow each other by hash.
//!
//! Every entry lies in exactly one stretch, and a stretch has no gap. The main branch is the chain that came first and begins at
//! entry 1. Any other stretch is either *rooted*, a second chain which leaves another one somewhere, or *loose*: what comes before
//! it was not received yet. Knows no time and asks for nothing; hashes inside a stretch are known to the database only.

use crate::journal::{Hash, Seq};

use super::receiver::{Branch, Link, Stored, Stretch};

#[derive(Debug, Clone)]
pub struct Stretches {
    /// The main branch first, the others in the order of their number.
    all: Vec<Stretch>,
    most: usize,
    /// Where a chain goes on after entries that are lost for ever, by its first entry there and the hash that one names.
    attested: Vec<(Seq, Hash)>,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It was there already.
    Known(Branch),
    /// It is new in this branch. `joined`: a stretch that begins right after it now belongs to the same branch.
    New { branch: Branch, joined: Option<Branch> },
    /// It would begin one stretch too many; it will be sent again.
    NoRoom,
}

impl Stretches {
    pub fn restore(mut all: Vec<Stretch>, most: usize) -> Stretches {
        all.sort_by_key(|stretch| stretch.branch);
        Stretches {
            all,
            most,
            attested: Vec::new(),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Stretch> {
        self.all.iter()
    }

    pub fn main(&self) -> Option<&Stretch> {
        self.get(Branch::MAIN)
    }

    pub fn get(&self, branch: Branch) -> Option<&Stretch> {
        self.all.iter().find(|stretch| stretch.branch == branch)
    }

    /// A person attested that what lies before this place is lost. Bounded like the stretches themselves.
    pub fn attest(&mut self, after: Seq, named: Hash) {
        if !self.attested.contains(&(after, named)) && self.attested.len() < self.most {
            self.attested.push((after, named));
        }
    }

    /// Whether what comes before a stretch is stored, does not exist, or is known to be lost.
    pub fn anchored(&self, stretch: &Stretch) -> bool {
        let lost = || self.attested.contains(&(stretch.first, stretch.before));
        stretch.parent.is_some() || stretch.first.0 <= 1 || lost()
    }

    /// Whether everything before it is stored, down to entry 1, but for what is attested to be lost.
    pub fn rooted(&self, branch: Branch) -> bool {
        let mut at = self.get(branch);
        // A stretch leaves another one at an earlier place, so this ends; the bound is for a damaged database.
        for _ in 0..=self.all.len() {
            match at {
                Some(Stretch { parent: Some(parent), .. }) => at = self.get(*parent),
                Some(stretch) => return self.anchored(stretch),
                None => return false,
            }
        }
        false
    }

    /// Whether a loose or second chain claims a place which another chain has, too.
    pub fn disputed(&self, branch: Branch) -> bool {
        let Some(one) = self.get(branch) else { return false };
        self.all
            .iter()
            .any(|other| other.branch != branch && other.first <= one.last && one.first <= other.last)
    }

    /// The last entry below `seq` that begins no later than the gap under it; `Seq(0)` if there is none.
    pub fn end_below(&self, seq: Seq) -> Seq {
        self.all
            .iter()
            .map(|stretch| stretch.last)
            .filter(|last| *last < seq)
            .max()
            .unwrap_or_default()
    }

    pub fn covers(&self, seq: Seq) -> bool {
        self.all.iter().any(|stretch| stretch.first <= seq && seq <= stretch.last)
    }

    /// Puts an entry where it belongs. `before`: where the entry before it lies, if that is stored. `stored`: whether it is itself.
    pub fn place(&mut self, link: &Link, before: Option<Branch>, stored: Option<Stored>) -> Placed {
        if let Some(stored) = stored {
            return Placed::Known(stored.branch);
        }
        let before_seq = Seq(link.seq.0.saturating_sub(1));
        let tip = self
            .all
            .iter_mut()
            .find(|stretch| stretch.last == before_seq && stretch.hash == link.prev_hash);
        let branch = match tip {
            Some(tip) if before_seq.0 > 0 => {
                (tip.last, tip.hash) = (link.seq, link.hash);
                tip.branch
            }
            _ => match self.begin(link, before) {
                Some(branch) => branch,
                None => return Placed::NoRoom,
            },
        };
        Placed::New {
            branch,
            joined: self.join(branch),
        }
    }

    fn begin(&mut self, link: &Link, parent: Option<Branch>) -> Option<Branch> {
        let first_chain = link.seq == Seq(1) && self.main().is_none();
        if self.all.len() >= self.most && !first_chain {
            return None;
        }
        let highest = self.all.last().map_or(0, |stretch| stretch.branch.0);
        let branch = if first_chain {
            Branch::MAIN
        } else {
            Branch(highest.checked_add(1)?)
        };
        let stretch = Stretch {
            branch,
            first: link.seq,
            before: link.prev_hash,
            last: link.seq,
            hash: link.hash,
            parent,
        };
        let at = if first_chain { 0 } else { self.all.len() };
        self.all.insert(at, stretch);
        Some(branch)
    }

    /// The end of `branch` is new: what was waiting for it gets its place.
    fn join(&mut self, branch: Branch) -> Option<Branch> {
        let tip = *self.get(branch)?;
        let waits = |stretch: &Stretch| stretch.parent.is_none() && stretch.first.0 == tip.last.0 + 1 && stretch.before == tip.hash;
        let at = self.all.iter().position(waits)?;
        let joined = self.all.remove(at);
        for stretch in &mut self.all {
            if stretch.branch == branch {
                (stretch.last, stretch.hash) = (joined.last, joined.hash);
            } else if stretch.parent == Some(joined.branch) || waits(stretch) {
                // Either it left the joined stretch, or it is a second one that goes on from the same place.
                stretch.parent = Some(branch);
            }
        }
        Some(joined.branch)
    }
}
