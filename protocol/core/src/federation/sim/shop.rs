//! A store: its box (or two, when somebody copied a disk), with a journal on a disk that may be set back.
//!
//! The box stands for the real uplink: what it does with the sender's answers, and in which order, is what the uplink must do.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::directive::{Address, Watermark};
use crate::federation::receiver::Link;
use crate::federation::sender::{Input, Limits, Mark, Message, Output, Sender};
use crate::journal::{Epoch, Hash, Head, Seq};

use super::chance::Chance;
use super::craft::Craft;
use super::slip::{ITEMS, NEW, Slip, Version};
use super::stage::Stage;
use super::wire::{Batch, What, Written};

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
    pub journal: BTreeMap<Epoch, Vec<(Hash, Slip)>>,
    /// What can not be read any more; its hashes are known from the entries after it.
    pub lost: BTreeMap<Epoch, (Seq, Seq)>,
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
    shop: usize,
    address: Option<Address>,
    pub version: Version,
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
    pub fn new<C: Craft>(shop: usize, version: Version, stage: &mut Stage<C>) -> Shop {
        let mut disk = Disk::default();
        disk.append(shop, Epoch(1), Slip::Opened, stage);
        Shop {
            boxes: vec![ShopBox::new(shop, version, disk)],
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
        let (shop, version) = (self.boxes[at].shop, self.boxes[at].version);
        self.boxes.push(ShopBox::new(shop, version, disk));
    }

    pub fn replace(&mut self, at: usize) {
        self.tampered = true;
        self.boxes[at].stop();
        self.boxes[at].disk = Disk::default();
    }

    /// A part of the disk can not be read any more. False when there is nothing in the middle to lose.
    pub fn damage(&mut self, at: usize, chance: &mut Chance) -> bool {
        let disk = &mut self.boxes[at].disk;
        let Some((epoch, len)) = disk.journal.iter().next_back().map(|(epoch, chain)| (*epoch, chain.len() as u64)) else {
            return false;
        };
        if len < 6 || disk.lost.contains_key(&epoch) {
            return false;
        }
        // Mostly near the end, where head office may not have it yet.
        let last = Seq(len - 1 - chance.below(4.min(len - 4)));
        let first = Seq(last.0 - chance.below(3.min(last.0 - 1)));
        disk.lost.insert(epoch, (first, last));
        self.tampered = true;
        self.boxes[at].stop();
        true
    }
}

impl Disk {
    pub fn append<C: Craft>(&mut self, shop: usize, epoch: Epoch, slip: Slip, stage: &mut Stage<C>) -> Head {
        let chain = self.journal.entry(epoch).or_default();
        let before = chain.last().map_or(Hash::ZERO, |(hash, _)| *hash);
        let seq = Seq(chain.len() as u64 + 1);
        let hash = stage.write(shop, epoch, seq, &before, slip);
        chain.push((hash, slip));
        Head { epoch, seq, hash }
    }

    pub fn entry(&self, epoch: Epoch, seq: Seq) -> Option<&(Hash, Slip)> {
        let at = usize::try_from(seq.0.checked_sub(1)?).ok()?;
        self.journal.get(&epoch)?.get(at)
    }

    pub fn is_lost(&self, epoch: Epoch, seq: Seq) -> bool {
        self.lost.get(&epoch).is_some_and(|(first, last)| *first <= seq && seq <= *last)
    }

    pub fn hash_at(&self, epoch: Epoch, seq: Seq) -> Option<Hash> {
        self.entry(epoch, seq).map(|(hash, _)| *hash)
    }

    fn written(&self, epoch: Epoch, seq: Seq) -> Option<Written> {
        if self.is_lost(epoch, seq) {
            return None;
        }
        let (hash, slip) = *self.entry(epoch, seq)?;
        let prev_hash = match seq {
            Seq(1) => Hash::ZERO,
            Seq(seq) => self.hash_at(epoch, Seq(seq - 1))?,
        };
        let link = Link { seq, prev_hash, hash };
        Some(Written { link, slip })
    }

    fn heads(&self) -> Vec<Head> {
        let head = |(epoch, chain): (&Epoch, &Vec<(Hash, Slip)>)| {
            let hash = chain.last().map_or(Hash::ZERO, |(hash, _)| *hash);
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

/// What a shop of this version writes next.
fn some_slip(version: Version, chance: &mut Chance) -> Slip {
    let item = chance.index(ITEMS) as u8;
    let by = chance.below(9) as i16 - 6;
    let amount = chance.below(5_000) as i32 - 500;
    match chance.below(12) {
        0 if version >= NEW => Slip::Smudged { item, by },
        1..=2 if version >= NEW => Slip::Lent { amount },
        0..=6 => Slip::Moved { item, by },
        _ => Slip::Paid { amount },
    }
}

impl ShopBox {
    fn new(shop: usize, version: Version, disk: Disk) -> ShopBox {
        ShopBox {
            shop,
            address: address(shop),
            version,
            disk,
            sender: None,
            connected: false,
            connection: 0,
            acked: BTreeSet::new(),
            fuse: None,
        }
    }

    pub fn stop(&mut self) {
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

    pub fn come_back<C: Craft>(&mut self, stage: &mut Stage<C>) -> Vec<What> {
        if let (None, Some(address)) = (&self.sender, self.address) {
            let marks: Vec<Mark> = self.disk.marks.values().map(|mark| self.disk.mark(*mark)).collect();
            let mut sender = Sender::restore(address, LIMITS, &self.disk.heads(), &marks);
            for (epoch, (first, last)) in &self.disk.lost {
                let (epoch, first, last) = (*epoch, *first, *last);
                sender.step(stage.now_ms, Input::Lost { epoch, first, last });
            }
            self.sender = Some(sender);
            stage.reached.box_restarts += 1;
        }
        if self.connected {
            return Vec::new();
        }
        self.connected = true;
        self.connection += 1;
        self.feed(Input::Connected, stage)
    }

    pub fn disconnect(&mut self, now_ms: u64) {
        self.connected = false;
        if let Some(sender) = &mut self.sender {
            sender.step(now_ms, Input::Disconnected);
        }
    }

    pub fn tick<C: Craft>(&mut self, stage: &mut Stage<C>) -> Vec<What> {
        let mut sent = self.feed(Input::Tick, stage);
        if self.version >= NEW && self.connected && stage.chance.one_in(50) {
            sent.push(What::Tomorrow {
                up: true,
                number: stage.chance.below(1_000),
            });
        }
        sent
    }

    /// One more entry in the latest epoch; `None` when the box is down. A box with an empty disk waits for head office to say which
    /// epoch is free.
    pub fn sell<C: Craft>(&mut self, stage: &mut Stage<C>) -> Option<Vec<What>> {
        let slip = some_slip(self.version, &mut stage.chance);
        self.write(slip, stage)
    }

    /// A person opens the first epoch of a new box. `None` when it has one, or is down.
    pub fn set_up<C: Craft>(&mut self, epoch: Epoch, stage: &mut Stage<C>) -> Option<Vec<What>> {
        if !self.disk.journal.is_empty() || self.sender.is_none() {
            return None;
        }
        stage.note(|| format!("a person sets the box of store {} up with epoch {epoch}", self.shop));
        let head = self.disk.append(self.shop, epoch, Slip::Opened, stage);
        Some(self.feed(Input::Journal(head), stage))
    }

    /// Opens a new epoch if this is the end of the chain which this box writes.
    pub fn leave<C: Craft>(&mut self, end: &Head, stage: &mut Stage<C>) -> Vec<What> {
        let newest = self.disk.journal.keys().next_back();
        let writes = newest == Some(&end.epoch) && self.disk.hash_at(end.epoch, end.seq) == Some(end.hash);
        if !writes || self.sender.is_none() {
            return Vec::new();
        }
        let opened = self.open_epoch(stage);
        self.carry_out(opened, false, stage)
    }

    pub fn write<C: Craft>(&mut self, slip: Slip, stage: &mut Stage<C>) -> Option<Vec<What>> {
        self.sender.as_ref()?;
        let epoch = *self.disk.journal.keys().next_back()?;
        let head = self.disk.append(self.shop, epoch, slip, stage);
        Some(self.feed(Input::Journal(head), stage))
    }

    pub fn hear<C: Craft>(&mut self, connection: u64, what: What, stage: &mut Stage<C>) -> Vec<What> {
        if !self.connected || connection != self.connection {
            return Vec::new();
        }
        let input = match what {
            What::Acked(message) => Input::Acked(message),
            What::Failed(message) => Input::Failed(message),
            What::Watermark(mark) => Input::Watermark(self.disk.mark(mark)),
            What::Resend(resend) => {
                let gap = self.disk.lost.get(&resend.epoch);
                let in_vain = gap.is_some_and(|(first, last)| resend.first <= *last && *first <= resend.last);
                stage.reached.resend_in_vain += u64::from(in_vain);
                Input::Resend(resend)
            }
            What::Welcome { number, marks } => Input::Welcome {
                number,
                marks: marks.into_iter().map(|mark| self.disk.mark(mark)).collect(),
            },
            What::Tomorrow { .. } => {
                stage.reached.unknown_messages += u64::from(self.version < NEW);
                return Vec::new();
            }
            What::Batch(_) | What::Hello { .. } => return Vec::new(),
        };
        self.feed(input, stage)
    }

    fn feed<C: Craft>(&mut self, input: Input, stage: &mut Stage<C>) -> Vec<What> {
        let now_ms = stage.now_ms;
        let Some(sender) = &mut self.sender else { return Vec::new() };
        if let Input::Acked(message) = &input {
            self.acked.insert((message.epoch, message.last));
        }
        let after_welcome = matches!(input, Input::Welcome { .. });
        let outputs = sender.step(now_ms, input);
        self.carry_out(outputs, after_welcome, stage)
    }

    /// Does what the sender says, one thing after the other, unless the fuse blows in between.
    fn carry_out<C: Craft>(&mut self, mut todo: Vec<Output>, after_welcome: bool, stage: &mut Stage<C>) -> Vec<What> {
        let now_ms = stage.now_ms;
        todo.reverse();
        let mut sent = Vec::new();
        while let Some(output) = todo.pop() {
            if self.blown() {
                stage.reached.box_crashes += 1;
                stage.note(|| format!("store {} stops between two steps", self.shop));
                break;
            }
            let Some(sender) = &mut self.sender else { break };
            let mut more = Vec::new();
            match output {
                Output::Publish(message) => {
                    let again = after_welcome && self.acked.contains(&(message.epoch, message.last));
                    stage.reached.sent_again += u64::from(again);
                    let len = message.last.0 - message.first.0;
                    let cut = len > 0 && stage.chance.one_in(16);
                    let last = if cut { Seq(message.first.0 + len / 2) } else { message.last };
                    if cut {
                        stage.reached.cut += 1;
                        more = sender.step(now_ms, Input::Cut { message, last });
                    }
                    sent.push(self.batch(Message { last, ..message }));
                }
                Output::Announce { number } => sent.push(What::Hello {
                    number,
                    heads: self.disk.heads(),
                }),
                Output::Remember(mark) => drop(self.disk.marks.insert(mark.epoch, mark)),
                Output::Forget => {
                    stage.reached.forgotten += u64::from(!self.disk.marks.is_empty());
                    self.disk.marks.clear();
                }
                Output::BehindHeadOffice { hash, .. } => {
                    match hash {
                        Some(_) => stage.reached.behind_by_mark += 1,
                        None => stage.reached.behind_by_resend += 1,
                    }
                    more = self.open_epoch(stage);
                }
                Output::Superseded { .. } => {
                    stage.reached.superseded += 1;
                    if self.disk.journal.is_empty() {
                        more = self.open_epoch(stage);
                    }
                }
            }
            todo.extend(more.into_iter().rev());
        }
        sent
    }

    fn open_epoch<C: Craft>(&mut self, stage: &mut Stage<C>) -> Vec<Output> {
        let Some(sender) = &mut self.sender else { return Vec::new() };
        let epoch = sender.next_epoch();
        stage.reached.epoch_opened += 1;
        stage.note(|| format!("store {} opens epoch {epoch}", self.shop));
        let head = self.disk.append(self.shop, epoch, Slip::Opened, stage);
        sender.step(stage.now_ms, Input::Journal(head))
    }

    /// What can not be read is missing in it, and head office refuses it: the sender must not have asked.
    fn batch(&self, message: Message) -> What {
        let seqs = message.first.0..=message.last.0;
        let entries = seqs.filter_map(|seq| self.disk.written(message.epoch, Seq(seq))).collect();
        What::Batch(Batch { message, entries })
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
