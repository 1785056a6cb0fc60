//! A store: its box (or two, when somebody copied a disk), with a journal on a disk that may be set back.
//!
//! The box stands for the real uplink: what it does with the sender's answers, and in which order, is what the uplink must do.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::directive::{Address, Watermark};
use crate::federation::receiver::Link;
use crate::federation::sender::{Input, Limits, Mark, Message, Output, Sender};
use crate::journal::{Epoch, Hash, Head, Seq};

use super::chance::{Chance, mix};
use super::reached::Reached;
use super::wire::{Batch, What};

const NAMES: [&str; 3] = ["berlin", "munich", "oslo"];

/// Small, so that two hundred entries fill many batches.
const LIMITS: Limits = Limits {
    batch_entries: 6,
    in_flight: 3,
    ack_ms: 10_000,
    retry_ms: 1_000,
    patience_ms: 3_000,
    longest_patience_ms: 30_000,
    hello_ms: 1_000,
    longest_hello_ms: 30_000,
    behind_hello_ms: 10_000,
    quiet_hello_ms: 60_000,
    asked_ranges: 4,
};

/// `None` only if the fixed names above were no ids.
pub fn address(shop: usize) -> Option<Address> {
    Some(Address {
        tenant: "thread".parse().ok()?,
        store: NAMES.get(shop)?.parse().ok()?,
    })
}

/// What survives a crash.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    pub journal: BTreeMap<Epoch, Vec<Hash>>,
    marks: BTreeMap<Epoch, Watermark>,
}

#[derive(Debug)]
pub struct Shop {
    pub boxes: Vec<ShopBox>,
    /// Older states of the disks, to be set back to.
    copies: Vec<Disk>,
    /// A disk of this store was once set back, copied or replaced.
    pub tampered: bool,
}

#[derive(Debug)]
pub struct ShopBox {
    address: Option<Address>,
    pub disk: Disk,
    pub sender: Option<Sender>,
    pub connected: bool,
    pub connection: u64,
    /// What the stream acknowledged since the last start.
    acked: BTreeSet<(Epoch, Seq)>,
    /// Stops after so many more steps.
    pub fuse: Option<u64>,
}

impl Shop {
    pub fn new(shop: usize) -> Shop {
        let mut disk = Disk::default();
        disk.append(Epoch(1), mix(shop as u64));
        Shop {
            boxes: vec![ShopBox::new(address(shop), disk)],
            copies: Vec::new(),
            tampered: false,
        }
    }

    pub fn keep_a_copy(&mut self, at: usize, chance: &mut Chance) {
        if chance.one_in(8) {
            self.copies.push(self.boxes[at].disk.clone());
        }
    }

    fn some_copy(&self, at: usize, chance: &mut Chance) -> Disk {
        let recent = self.copies.len().saturating_sub(3);
        let among = &self.copies[recent..];
        if among.is_empty() {
            self.boxes[at].disk.clone()
        } else {
            among[chance.index(among.len())].clone()
        }
    }

    pub fn set_back(&mut self, at: usize, chance: &mut Chance) {
        self.tampered = true;
        let disk = self.some_copy(at, chance);
        self.boxes[at].stop();
        self.boxes[at].disk = disk;
    }

    pub fn copy(&mut self, at: usize, chance: &mut Chance) {
        self.tampered = true;
        let disk = self.some_copy(at, chance);
        self.boxes.push(ShopBox::new(self.boxes[at].address, disk));
    }

    pub fn replace(&mut self, at: usize) {
        self.tampered = true;
        self.boxes[at].stop();
        self.boxes[at].disk = Disk::default();
    }
}

impl Disk {
    fn append(&mut self, epoch: Epoch, nonce: u64) -> Head {
        let chain = self.journal.entry(epoch).or_default();
        let before = chain.last().copied().unwrap_or(Hash::ZERO);
        let hash = next_hash(&before, nonce);
        chain.push(hash);
        Head {
            epoch,
            seq: Seq(chain.len() as u64),
            hash,
        }
    }

    pub fn hash_at(&self, epoch: Epoch, seq: Seq) -> Option<Hash> {
        let at = usize::try_from(seq.0.checked_sub(1)?).ok()?;
        self.journal.get(&epoch)?.get(at).copied()
    }

    fn link(&self, epoch: Epoch, seq: Seq) -> Option<Link> {
        let prev_hash = if seq == Seq(1) {
            Hash::ZERO
        } else {
            self.hash_at(epoch, Seq(seq.0 - 1))?
        };
        Some(Link {
            seq,
            prev_hash,
            hash: self.hash_at(epoch, seq)?,
        })
    }

    fn heads(&self) -> Vec<Head> {
        let head = |(epoch, chain): (&Epoch, &Vec<Hash>)| {
            let hash = chain.last().copied().unwrap_or(Hash::ZERO);
            Head {
                epoch: *epoch,
                seq: Seq(chain.len() as u64),
                hash,
            }
        };
        self.journal.iter().map(head).collect()
    }

    fn mark(&self, mark: Watermark) -> Mark {
        Mark {
            mark,
            ours: self.hash_at(mark.epoch, mark.held),
        }
    }
}

/// Depends on all before it, like the real one, and is never zero.
fn next_hash(before: &Hash, nonce: u64) -> Hash {
    let mut seed = nonce;
    for word in before.0.chunks(8) {
        seed = word
            .iter()
            .fold(mix(seed), |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    }
    let mut bytes = [1; 32];
    for (at, word) in bytes.chunks_mut(8).enumerate() {
        word.copy_from_slice(&mix(seed.wrapping_add(at as u64)).to_be_bytes());
    }
    Hash(bytes)
}

impl ShopBox {
    fn new(address: Option<Address>, disk: Disk) -> ShopBox {
        ShopBox {
            address,
            disk,
            sender: None,
            connected: false,
            connection: 0,
            acked: BTreeSet::new(),
            fuse: None,
        }
    }

    fn stop(&mut self) {
        self.sender = None;
        self.connected = false;
        self.fuse = None;
        self.acked.clear();
    }

    /// Everything that is on this disk is proven, by the head office of today.
    pub fn proven(&self, incarnation: Uuid) -> bool {
        let proven = |sender: &Sender| sender.unheld() == 0 && sender.head_office() == Some(incarnation);
        self.connected && self.sender.as_ref().is_some_and(proven)
    }

    pub fn come_back(&mut self, now_ms: u64, reached: &mut Reached) -> Vec<What> {
        if let (None, Some(address)) = (&self.sender, self.address) {
            let marks: Vec<Mark> = self.disk.marks.values().map(|mark| self.disk.mark(*mark)).collect();
            self.sender = Some(Sender::restore(address, LIMITS, &self.disk.heads(), &marks));
            reached.box_restarts += 1;
        }
        if self.connected {
            return Vec::new();
        }
        self.connected = true;
        self.connection += 1;
        self.feed(now_ms, Input::Connected, None, reached)
    }

    pub fn disconnect(&mut self, now_ms: u64) {
        self.connected = false;
        if let Some(sender) = &mut self.sender {
            sender.step(now_ms, Input::Disconnected);
        }
    }

    pub fn tick(&mut self, now_ms: u64, chance: &mut Chance, reached: &mut Reached) -> Vec<What> {
        self.feed(now_ms, Input::Tick, Some(chance), reached)
    }

    /// One more entry in the latest epoch. A box with an empty disk waits for head office to say which epoch is free.
    pub fn sell(&mut self, now_ms: u64, chance: &mut Chance, reached: &mut Reached) -> Vec<What> {
        let latest = self.disk.journal.keys().next_back().copied();
        let (Some(epoch), Some(_)) = (latest, &self.sender) else {
            return Vec::new();
        };
        let head = self.disk.append(epoch, chance.next());
        self.feed(now_ms, Input::Journal(head), Some(chance), reached)
    }

    pub fn hear(&mut self, now_ms: u64, connection: u64, what: What, chance: &mut Chance, reached: &mut Reached) -> Vec<What> {
        if !self.connected || connection != self.connection {
            return Vec::new();
        }
        let input = match what {
            What::Acked(message) => Input::Acked(message),
            What::Failed(message) => Input::Failed(message),
            What::Watermark(mark) => Input::Watermark(self.disk.mark(mark)),
            What::Resend(resend) => Input::Resend(resend),
            What::Welcome { number, marks } => Input::Welcome {
                number,
                marks: marks.into_iter().map(|mark| self.disk.mark(mark)).collect(),
            },
            What::Batch(_) | What::Hello { .. } => return Vec::new(),
        };
        self.feed(now_ms, input, Some(chance), reached)
    }

    /// Does what the sender says, one thing after the other, unless the fuse blows in between.
    fn feed(&mut self, now_ms: u64, input: Input, mut chance: Option<&mut Chance>, reached: &mut Reached) -> Vec<What> {
        let Some(sender) = &mut self.sender else { return Vec::new() };
        if let Input::Acked(message) = &input {
            self.acked.insert((message.epoch, message.last));
        }
        let after_welcome = matches!(input, Input::Welcome { .. });
        let mut todo = sender.step(now_ms, input);
        todo.reverse();
        let mut sent = Vec::new();
        while let Some(output) = todo.pop() {
            if self.blown() {
                break;
            }
            let Some(sender) = &mut self.sender else { break };
            let mut more = Vec::new();
            match output {
                Output::Publish(message) => {
                    reached.sent_again += u64::from(after_welcome && self.acked.contains(&(message.epoch, message.last)));
                    let len = message.last.0 - message.first.0;
                    let cut = chance.as_deref_mut().filter(|_| len > 0).is_some_and(|chance| chance.one_in(16));
                    let last = if cut { Seq(message.first.0 + len / 2) } else { message.last };
                    if cut {
                        reached.cut += 1;
                        more = sender.step(now_ms, Input::Cut { message, last });
                    }
                    sent.extend(self.batch(Message { last, ..message }));
                }
                Output::Announce { number } => sent.push(What::Hello {
                    number,
                    heads: self.disk.heads(),
                }),
                Output::Remember(mark) => drop(self.disk.marks.insert(mark.epoch, mark)),
                Output::Forget => {
                    reached.forgotten += u64::from(!self.disk.marks.is_empty());
                    self.disk.marks.clear();
                }
                Output::BehindHeadOffice { hash, .. } => {
                    match hash {
                        Some(_) => reached.behind_by_mark += 1,
                        None => reached.behind_by_resend += 1,
                    }
                    let epoch = sender.next_epoch();
                    let nonce = chance.as_deref_mut().map_or(now_ms, Chance::next);
                    more = sender.step(now_ms, Input::Journal(self.disk.append(epoch, nonce)));
                }
                Output::Superseded { .. } => {
                    reached.superseded += 1;
                    if self.disk.journal.is_empty() {
                        let epoch = sender.next_epoch();
                        let nonce = chance.as_deref_mut().map_or(now_ms, Chance::next);
                        more = sender.step(now_ms, Input::Journal(self.disk.append(epoch, nonce)));
                    }
                }
            }
            todo.extend(more.into_iter().rev());
        }
        sent
    }

    fn batch(&self, message: Message) -> Option<What> {
        let seqs = message.first.0..=message.last.0;
        let entries: Vec<Link> = seqs.filter_map(|seq| self.disk.link(message.epoch, Seq(seq))).collect();
        Some(What::Batch(Batch { message, entries }))
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
