//! Whole seeded schedules of three stores and a head office over a bad network, without any network.
//!
//! Owns the world in which sender and receiver are tried: wires that lose, double and reorder, a stream which acknowledges and
//! then forgets, boxes and a head office which stop between any two steps and come back with what was committed, disks set
//! back, copied, damaged and replaced, a database restored from an older backup, programs of two versions, somebody who forges. When
//! the faults are over, everything a box still has must be proven at head office within a bounded time, what is lost must be attested
//! by a person, and the sums must be the fold of what is held. The same seed plays the same schedule, on any machine.

mod chance;
pub mod craft;
mod judge;
mod office;
mod reached;
mod shop;
pub mod slip;
mod stage;
pub mod wire;

use self::craft::{Craft, Hand, Letter, Plain};
use self::office::Office;
pub use self::reached::Reached;
use self::shop::Shop;
pub use self::shop::address;
use self::slip::{NEW, OLD, Slip, Version};
use self::stage::Stage;
use self::wire::{Batch, Published, Stream, What, Wire, Written};
use crate::directive::{Resend, Watermark};
use crate::federation::receiver::Link;
use crate::federation::sender::Message;
use crate::journal::{Epoch, Hash, Head, Seq};

pub const STORES: usize = 3;
pub const ENTRIES: u32 = 200;
pub const FAULTS: u32 = 20;
/// Boxes that may claim to be one store at the same time.
const BOXES: usize = 2;
/// After the last fault all must be proven within this time of the simulated clock.
const CALM_MS: u64 = 15 * 60 * 1000;
/// So often somebody looks at the lists of head office by then.
const PERSON_MS: u64 = 2 * 60 * 1000;

/// How a schedule ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub seed: u64,
    /// The first law that did not hold, in words.
    pub broken: Option<String>,
    pub reached: Reached,
    /// Entries that were sold into, faults that took place.
    pub entries: u32,
    pub faults: u32,
    /// Simulated time from the last fault until all was proven.
    pub healed_ms: u64,
    /// Of everything that was sent: equal exactly when two runs were the same.
    pub digest: u64,
}

/// Plays one schedule with stand-ins for hashes and signatures.
pub fn run(seed: u64) -> Outcome {
    run_with(seed, Plain)
}

/// Plays one schedule with hashes and signatures of this craft.
pub fn run_with<C: Craft>(seed: u64, craft: C) -> Outcome {
    play(seed, craft, false).0
}

/// Plays one schedule again and tells what happened, line by line.
pub fn trace<C: Craft>(seed: u64, craft: C) -> (Outcome, Vec<String>) {
    play(seed, craft, true)
}

fn play<C: Craft>(seed: u64, craft: C, traced: bool) -> (Outcome, Vec<String>) {
    let mut world = World::new(seed, craft, traced);
    let ended = world
        .storm()
        .and_then(|()| world.calm())
        .and_then(|healed_ms| judge::check(&world).map(|()| healed_ms));
    let (broken, healed_ms) = match ended {
        Ok(healed_ms) => (None, healed_ms),
        Err(broken) => (Some(broken), 0),
    };
    if let Some(broken) = &broken {
        world.stage.note(|| broken.clone());
    }
    let outcome = Outcome {
        seed,
        broken,
        reached: world.stage.reached,
        entries: world.entries,
        faults: world.faults,
        healed_ms,
        digest: world.digest,
    };
    (outcome, world.stage.trace.unwrap_or_default())
}

struct World<C> {
    stage: Stage<C>,
    shops: Vec<Shop>,
    office: Office,
    stream: Stream,
    wires: Vec<Wire>,
    /// Numbers of wires: the last that was sent, and the highest that arrived.
    sent: u64,
    arrived: u64,
    entries: u32,
    faults: u32,
    digest: u64,
    /// Until then wires lose and double much of what they carry.
    noisy_until_ms: u64,
    next_tick_ms: u64,
    calm: bool,
}

impl<C: Craft> World<C> {
    fn new(seed: u64, craft: C, traced: bool) -> World<C> {
        let mut stage = Stage::new(seed, craft, traced);
        let version = |stage: &mut Stage<C>| if stage.chance.one_in(2) { OLD } else { NEW };
        let shops = (0..STORES).map(|shop| {
            let version = version(&mut stage);
            Shop::new(shop, version, &mut stage)
        });
        let shops = shops.collect();
        let office = Office::new(version(&mut stage));
        World {
            stage,
            shops,
            office,
            stream: Stream::default(),
            wires: Vec::new(),
            sent: 0,
            arrived: 0,
            entries: 0,
            faults: 0,
            digest: seed,
            noisy_until_ms: 0,
            next_tick_ms: 0,
            calm: false,
        }
    }

    /// Sells and breaks things until both budgets are spent.
    fn storm(&mut self) -> Result<(), String> {
        while self.entries < ENTRIES || self.faults < FAULTS {
            let pause_ms = if self.stage.chance.one_in(60) { 4_000 } else { 90 };
            self.stage.now_ms += 1 + self.stage.chance.below(pause_ms);
            self.come_back();
            self.pass_on()?;
            if self.entries < ENTRIES && self.stage.chance.one_in(3) {
                self.entries += u32::from(self.sell());
            }
            let often = if self.entries < ENTRIES { 30 } else { 4 };
            if self.faults < FAULTS && self.stage.chance.one_in(often) {
                self.faults += u32::from(self.fault());
            }
            if self.stage.chance.one_in(200) {
                self.person();
            }
        }
        Ok(())
    }

    /// No more faults: how long until every box is proven, and a person has looked at what no machine can mend?
    fn calm(&mut self) -> Result<u64, String> {
        self.calm = true;
        self.noisy_until_ms = 0;
        self.office.fuse = None;
        let boxes = self.shops.iter_mut().flat_map(|shop| &mut shop.boxes);
        boxes.for_each(|shop_box| shop_box.fuse = None);
        self.stage.note(|| "calm".into());
        if self.stage.chance.one_in(2) {
            self.office.change_version(NEW, &mut self.stage);
        }
        let start_ms = self.stage.now_ms;
        let (mut proven_for, mut visits) = (0, 0);
        while self.stage.now_ms - start_ms < CALM_MS {
            let next_ms = self.wires.iter().map(|wire| wire.due_ms).chain([self.next_tick_ms]).min();
            self.stage.now_ms = next_ms.unwrap_or_default().max(self.stage.now_ms + 1);
            self.come_back();
            self.pass_on()?;
            let today = self.office.incarnation;
            let mut boxes = self.shops.iter().flat_map(|shop| &shop.boxes);
            let proven = self.wires.is_empty() && boxes.all(|shop_box| shop_box.proven(today));
            proven_for = if proven { proven_for + 1 } else { 0 };
            // What nobody has any more keeps a box from being proven until a person has looked.
            let rounds = (self.stage.now_ms - start_ms) / PERSON_MS;
            let visit = rounds > visits;
            visits = visits.max(rounds);
            if (proven_for == 3 || visit) && self.person() {
                proven_for = 0;
            }
            if proven_for == 3 {
                return Ok(self.stage.now_ms - start_ms);
            }
        }
        Err(format!(
            "not everything was proven {CALM_MS} ms after the last fault: {}",
            judge::backlog(self)
        ))
    }

    fn come_back(&mut self) {
        let back = self.calm || self.stage.chance.one_in(12);
        if back && self.office.is_down() {
            self.office.start();
            self.stage.reached.office_restarts += 1;
            self.stage.note(|| "head office starts".into());
        }
        for shop in 0..self.shops.len() {
            for at in 0..self.shops[shop].boxes.len() {
                if self.calm || self.stage.chance.one_in(12) {
                    let sent = self.shops[shop].boxes[at].come_back(&mut self.stage);
                    self.send_up(shop, at, sent);
                }
            }
        }
    }

    /// Everything that happens by itself: wires deliver, head office reads the stream, clocks tick.
    fn pass_on(&mut self) -> Result<(), String> {
        let now_ms = self.stage.now_ms;
        let mut arrived: Vec<Wire> = self.wires.extract_if(.., |wire| wire.due_ms <= now_ms).collect();
        arrived.sort_by_key(|wire| wire.due_ms);
        for wire in arrived {
            self.stage.reached.reordered += u64::from(wire.number < self.arrived);
            self.arrived = self.arrived.max(wire.number);
            self.deliver(wire)?;
        }
        for _ in 0..if self.calm { 64 } else { 3 } {
            self.ingest()?;
        }
        if self.next_tick_ms <= now_ms {
            self.next_tick_ms = now_ms + 400;
            for shop in 0..self.shops.len() {
                let mut told = self.office.tick(shop, &mut self.stage)?;
                if self.office.version >= NEW && !self.office.is_down() && self.stage.chance.one_in(50) {
                    let number = self.stage.chance.below(1_000);
                    told.push(What::Tomorrow { up: false, number });
                }
                self.send_down(shop, told);
                for at in 0..self.shops[shop].boxes.len() {
                    let sent = self.shops[shop].boxes[at].tick(&mut self.stage);
                    self.send_up(shop, at, sent);
                }
            }
        }
        Ok(())
    }

    /// What the receiver reads; `None` if nobody we know has signed it.
    fn open(&mut self, letter: Letter) -> Option<What> {
        let what = self.stage.trace.is_some().then(|| letter.what.say());
        let opened = self.stage.craft.carry(letter);
        if opened.is_none() {
            self.stage.reached.forged += 1;
            self.stage.note(|| format!("dropped as forged: {}", what.unwrap_or_default()));
        }
        opened
    }

    /// Head office takes one message of the stream, not always the first, and does not always get to acknowledge it.
    fn ingest(&mut self) -> Result<(), String> {
        if self.office.is_down() || self.stream.kept.is_empty() {
            return Ok(());
        }
        let ahead = if self.calm { 1 } else { 4.min(self.stream.kept.len()) };
        let at = self.stage.chance.index(ahead);
        let letter = self.stream.kept[at].letter.clone();
        let shop = letter.shop;
        if let Some(What::Batch(batch)) = self.open(letter) {
            let told = self.office.batch(shop, &batch, &mut self.stage)?;
            self.send_down(shop, told);
        }
        let again = self.noisy() && self.stage.chance.one_in(3);
        if self.office.is_down() || again {
            self.stage.reached.redelivered += 1;
        } else {
            self.stream.acknowledge(at);
        }
        Ok(())
    }

    fn deliver(&mut self, wire: Wire) -> Result<(), String> {
        let (shop, at, connection) = (wire.shop, wire.at, wire.connection);
        self.stage.note(|| format!("store {shop}.{at}  {}", wire.what.say()));
        match &wire.what {
            What::Batch(batch) => {
                let message = batch.message;
                let forged = wire.hand == Hand::Forger;
                match self.stream.publish(self.stage.now_ms, wire.letter()) {
                    Published::Swallowed => self.stage.reached.swallowed += 1,
                    Published::Unseen => self.stage.reached.stream_number_reused += 1,
                    Published::Kept => {}
                }
                if !forged {
                    self.send(shop, at, connection, Hand::Store, What::Acked(message));
                }
            }
            What::Hello { .. } | What::Tomorrow { up: true, .. } => {
                if self.office.is_down() {
                    return Ok(());
                }
                match self.open(wire.letter()) {
                    Some(What::Hello { number, heads }) => {
                        let told = self.office.hello(shop, &heads, &mut self.stage)?;
                        for what in told {
                            let answer = match what {
                                What::Welcome { marks, .. } => What::Welcome { number, marks },
                                other => other,
                            };
                            self.send(shop, at, connection, Hand::Office, answer);
                        }
                    }
                    Some(_) => self.stage.reached.unknown_messages += u64::from(self.office.version < NEW),
                    None => {}
                }
            }
            _ => {
                if let Some(down) = self.open(wire.letter()) {
                    let sent = self.shops[shop].boxes[at].hear(connection, down, &mut self.stage);
                    self.send_up(shop, at, sent);
                }
            }
        }
        Ok(())
    }

    fn send_up(&mut self, shop: usize, at: usize, sent: Vec<What>) {
        let connection = self.shops[shop].boxes[at].connection;
        for what in sent {
            self.send(shop, at, connection, Hand::Store, what);
        }
    }

    /// To every box that claims to be this store.
    fn send_down(&mut self, shop: usize, told: Vec<What>) {
        for what in told {
            for at in 0..self.shops[shop].boxes.len() {
                let connection = self.shops[shop].boxes[at].connection;
                self.send(shop, at, connection, Hand::Office, what.clone());
            }
        }
    }

    fn send(&mut self, shop: usize, at: usize, connection: u64, hand: Hand, what: What) {
        self.digest = chance::mix(self.digest ^ what.digest() ^ (shop as u64) << 8 ^ at as u64);
        let noisy = self.noisy();
        let copies = match (noisy, self.stage.chance.below(10)) {
            (true, 0..=2) => 0,
            (true, 3..=4) => 2,
            _ => 1,
        };
        self.stage.reached.doubled += u64::from(copies == 2);
        if copies == 0 {
            self.stage.reached.lost += 1;
            self.stage.note(|| format!("store {shop}.{at}  lost on the wire: {}", what.say()));
            if let What::Batch(batch) = &what {
                // The client gives up waiting for the broker; whether it has the message it can not know.
                let failed = What::Failed(batch.message);
                self.wire(2_000, shop, at, connection, Hand::Store, failed);
            }
        }
        let slowest_ms = if self.calm { 30 } else { 500 };
        for _ in 0..copies {
            let after_ms = 1 + self.stage.chance.below(slowest_ms);
            self.wire(after_ms, shop, at, connection, hand, what.clone());
        }
    }

    fn wire(&mut self, after_ms: u64, shop: usize, at: usize, connection: u64, hand: Hand, what: What) {
        let (from, to) = match what.signer() {
            Hand::Store => (self.shops[shop].boxes[at].version, self.office.version),
            _ => (self.office.version, self.shops[shop].boxes[at].version),
        };
        let tomorrow = from > to;
        self.stage.reached.unknown_fields += u64::from(tomorrow);
        self.sent += 1;
        self.wires.push(Wire {
            due_ms: self.stage.now_ms + after_ms,
            number: self.sent,
            shop,
            at,
            connection,
            hand,
            tomorrow,
            what,
        });
    }

    fn noisy(&self) -> bool {
        self.stage.now_ms < self.noisy_until_ms
    }

    /// False when the box is down, or waits for an epoch.
    fn sell(&mut self) -> bool {
        let shop = self.stage.chance.index(self.shops.len());
        let at = self.stage.chance.index(self.shops[shop].boxes.len());
        self.shops[shop].keep_a_copy(at, &mut self.stage.chance);
        let sold = self.shops[shop].boxes[at].sell(&mut self.stage);
        let done = sold.is_some();
        self.send_up(shop, at, sold.unwrap_or_default());
        if self.stage.chance.one_in(12) {
            self.office.back_up();
        }
        done
    }

    /// Looks at the lists of head office: sets up new boxes, attests what nobody has any more, closes second chains. Says whether there
    /// was anything.
    fn person(&mut self) -> bool {
        let mut looked = false;
        for shop in 0..self.shops.len() {
            looked |= self.set_up_anew(shop);
            let gaps = self.office.gaps(shop).into_iter();
            // Somebody may still have what is missing, if only his line is down.
            let gone = |(epoch, first, before): &(Epoch, Seq, Hash)| {
                let seq = Seq(first.0 - 1);
                let mut boxes = self.shops[shop].boxes.iter();
                !boxes.any(|shop_box| shop_box.disk.hash_at(*epoch, seq) == Some(*before) && !shop_box.disk.is_lost(*epoch, seq))
            };
            let broken = gaps.filter(gone).map(|(epoch, after, named)| Slip::Broken { epoch, after, named });
            let branches = self.office.open_branches(shop).into_iter();
            let closed = branches.map(|(epoch, tip, hash)| Slip::BranchClosed { epoch, tip, hash });
            let slips: Vec<Slip> = broken.chain(closed).collect();
            for slip in slips {
                if let Slip::BranchClosed { epoch, tip, hash } = slip {
                    // The box that still writes it would go on to grow it, if only by this very word: it opens a new epoch first.
                    for at in 0..self.shops[shop].boxes.len() {
                        let sent = self.shops[shop].boxes[at].leave(&Head { epoch, seq: tip, hash }, &mut self.stage);
                        self.send_up(shop, at, sent);
                    }
                }
                let at = self.stage.chance.index(self.shops[shop].boxes.len());
                self.stage.note(|| format!("a person at store {shop}.{at}: {slip:?}"));
                if let Some(sent) = self.shops[shop].boxes[at].write(slip, &mut self.stage) {
                    looked = true;
                    self.send_up(shop, at, sent);
                }
            }
        }
        looked
    }

    /// A new box to which head office could not say which epoch is free, because it holds no chain of this store from its beginning:
    /// a person sets it up with the next one that nobody has used. Says whether there was one.
    fn set_up_anew(&mut self, shop: usize) -> bool {
        let Some(epoch) = self.office.next_epoch(shop) else { return false };
        let mut any = false;
        for at in 0..self.shops[shop].boxes.len() {
            let sent = self.shops[shop].boxes[at].set_up(epoch, &mut self.stage);
            any |= sent.is_some();
            self.send_up(shop, at, sent.unwrap_or_default());
        }
        any
    }

    /// False when there was nothing to break.
    fn fault(&mut self) -> bool {
        let shop = self.stage.chance.index(self.shops.len());
        let at = self.stage.chance.index(self.shops[shop].boxes.len());
        let kind = self.stage.chance.below(25);
        self.stage.note(|| format!("FAULT {kind} at store {shop}.{at}"));
        let reached = &mut self.stage.reached;
        match kind {
            0..=2 => self.noisy_until_ms = self.stage.now_ms + 1_500,
            3..=4 => self.shops[shop].boxes[at].disconnect(self.stage.now_ms),
            5..=7 => self.shops[shop].boxes[at].fuse = Some(self.stage.chance.below(6)),
            8..=10 => self.office.fuse = Some(self.stage.chance.below(6)),
            11..=12 => {
                reached.wiped += 1;
                self.stream.power_cut(&mut self.stage.chance);
            }
            13..=14 => {
                reached.wiped += 1;
                let chance = &mut self.stage.chance;
                self.stream.kept.retain(|_| chance.one_in(2));
            }
            15 => {
                reached.older_office += 1;
                self.office.restore_backup(&mut self.stage);
            }
            16..=17 => {
                reached.set_back += 1;
                self.shops[shop].set_back(at, &mut self.stage.chance);
            }
            18 => {
                if self.shops[shop].boxes.len() >= BOXES {
                    return false;
                }
                reached.copied += 1;
                self.shops[shop].copy(at, &mut self.stage.chance);
            }
            19 => {
                reached.replaced += 1;
                self.shops[shop].replace(at);
            }
            20 => {
                if !self.shops[shop].damage(at, &mut self.stage.chance) {
                    return false;
                }
                self.stage.reached.damaged += 1;
            }
            21..=22 => self.forge(shop, at),
            _ => {
                reached.versions_changed += 1;
                let other = |version: Version| if version == OLD { NEW } else { OLD };
                if self.stage.chance.one_in(2) {
                    let version = other(self.office.version);
                    self.office.change_version(version, &mut self.stage);
                } else {
                    let shop_box = &mut self.shops[shop].boxes[at];
                    shop_box.stop();
                    shop_box.version = other(shop_box.version);
                }
            }
        }
        true
    }

    /// Somebody without a key says what would do harm if it were believed.
    fn forge(&mut self, shop: usize, at: usize) {
        let Some(address) = shop::address(shop) else { return };
        let boxed = &self.shops[shop].boxes[at];
        let connection = boxed.connection;
        let epoch = boxed.disk.journal.keys().next_back().copied().unwrap_or(Epoch(1));
        let len = boxed.disk.journal.get(&epoch).map_or(0, Vec::len) as u64;
        let prev_hash = boxed.disk.hash_at(epoch, Seq(len)).unwrap_or(Hash::ZERO);
        let seq = Seq(len + 1);
        let slip = Slip::Paid { amount: 1_000_000 };
        let hash = self.stage.craft.hash(shop, epoch, seq, &prev_hash, &slip);
        let what = match self.stage.chance.below(4) {
            0 => {
                let link = Link { seq, prev_hash, hash };
                let entries = [Written { link, slip }].into();
                let (first, last, round) = (seq, seq, 7);
                let message = Message { epoch, first, last, round };
                What::Batch(Batch { message, entries })
            }
            1 => What::Watermark(Watermark {
                address,
                incarnation: self.office.incarnation,
                counter: 9,
                epoch,
                held: seq,
                applied: seq,
                hash,
            }),
            2 => What::Resend(Resend {
                address,
                epoch,
                first: Seq(1),
                last: Seq(len + 9),
                round: 9,
            }),
            _ => What::Hello {
                number: 0,
                heads: vec![Head { epoch, seq, hash }],
            },
        };
        self.wire(1, shop, at, connection, Hand::Forger, what);
    }
}

#[cfg(test)]
#[path = "any_order_tests.rs"]
mod any_order_tests;
#[cfg(test)]
#[path = "sim_tests.rs"]
mod tests;
