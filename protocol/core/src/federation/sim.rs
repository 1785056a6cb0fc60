//! Whole seeded schedules of three stores and a head office over a bad network, without any network.
//!
//! Owns the world in which sender and receiver are tried: wires that lose, double and reorder, a stream which acknowledges and
//! then forgets, boxes and a head office which stop between any two steps and come back with what was committed, disks set
//! back, copied and replaced, a database restored from an older backup. When the faults are over, everything a box still has must
//! be proven at head office within a bounded time. The same seed plays the same schedule, on any machine.

mod chance;
mod judge;
mod office;
mod reached;
mod shop;
mod wire;

use self::chance::Chance;
use self::office::Office;
pub use self::reached::Reached;
use self::shop::Shop;
use self::wire::{Kept, Stream, What, Wire};

pub const STORES: usize = 3;
pub const ENTRIES: u32 = 200;
pub const FAULTS: u32 = 20;
/// Boxes that may claim to be one store at the same time.
const BOXES: usize = 2;
/// After the last fault all must be proven within this time of the simulated clock.
const CALM_MS: u64 = 15 * 60 * 1000;

/// How a schedule ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub seed: u64,
    /// The first law that did not hold, in words.
    pub broken: Option<String>,
    pub reached: Reached,
    /// Simulated time from the last fault until all was proven.
    pub healed_ms: u64,
    /// Of everything that was sent: equal exactly when two runs were the same.
    pub digest: u64,
}

/// Plays one schedule.
pub fn run(seed: u64) -> Outcome {
    let mut world = World::new(seed);
    let ended = world
        .storm()
        .and_then(|()| world.calm())
        .and_then(|healed_ms| judge::check(&world).map(|()| healed_ms));
    let (broken, healed_ms) = match ended {
        Ok(healed_ms) => (None, healed_ms),
        Err(broken) => (Some(broken), 0),
    };
    Outcome {
        seed,
        broken,
        reached: world.reached,
        healed_ms,
        digest: world.digest,
    }
}

struct World {
    chance: Chance,
    now_ms: u64,
    shops: Vec<Shop>,
    office: Office,
    stream: Stream,
    wires: Vec<Wire>,
    reached: Reached,
    digest: u64,
    /// Until then wires lose and double much of what they carry.
    noisy_until_ms: u64,
    next_tick_ms: u64,
    calm: bool,
}

impl World {
    fn new(seed: u64) -> World {
        World {
            chance: Chance::new(seed),
            now_ms: 0,
            shops: (0..STORES).map(Shop::new).collect(),
            office: Office::new(),
            stream: Stream::default(),
            wires: Vec::new(),
            reached: Reached::default(),
            digest: seed,
            noisy_until_ms: 0,
            next_tick_ms: 0,
            calm: false,
        }
    }

    /// Sells and breaks things until both budgets are spent.
    fn storm(&mut self) -> Result<(), String> {
        let (mut entries, mut faults) = (ENTRIES, FAULTS);
        while entries > 0 || faults > 0 {
            let pause_ms = if self.chance.one_in(60) { 4_000 } else { 90 };
            self.now_ms += 1 + self.chance.below(pause_ms);
            self.come_back();
            self.pass_on()?;
            if entries > 0 && self.chance.one_in(3) {
                entries -= 1;
                self.sell();
            }
            if faults > 0 && self.chance.one_in(if entries > 0 { 30 } else { 4 }) {
                faults -= 1;
                self.fault();
            }
        }
        Ok(())
    }

    /// No more faults: how long until every box is proven?
    fn calm(&mut self) -> Result<u64, String> {
        self.calm = true;
        self.noisy_until_ms = 0;
        self.office.fuse = None;
        let boxes = self.shops.iter_mut().flat_map(|shop| &mut shop.boxes);
        boxes.for_each(|shop_box| shop_box.fuse = None);
        let start_ms = self.now_ms;
        let mut proven_for = 0;
        while self.now_ms - start_ms < CALM_MS {
            let next_ms = self.wires.iter().map(|wire| wire.due_ms).chain([self.next_tick_ms]).min();
            self.now_ms = next_ms.unwrap_or_default().max(self.now_ms + 1);
            self.come_back();
            self.pass_on()?;
            let today = self.office.incarnation;
            let mut boxes = self.shops.iter().flat_map(|shop| &shop.boxes);
            let proven = self.wires.is_empty() && boxes.all(|shop_box| shop_box.proven(today));
            proven_for = if proven { proven_for + 1 } else { 0 };
            if proven_for == 3 {
                return Ok(self.now_ms - start_ms);
            }
        }
        Err(format!(
            "not everything was proven {CALM_MS} ms after the last fault: {}",
            judge::backlog(self)
        ))
    }

    fn come_back(&mut self) {
        let back = self.calm || self.chance.one_in(12);
        if back && self.office.is_down() {
            self.office.start();
            self.reached.office_restarts += 1;
        }
        for shop in 0..self.shops.len() {
            for at in 0..self.shops[shop].boxes.len() {
                if self.calm || self.chance.one_in(12) {
                    let sent = self.shops[shop].boxes[at].come_back(self.now_ms, &mut self.reached);
                    self.send_up(shop, at, sent);
                }
            }
        }
    }

    /// Everything that happens by itself: wires deliver, head office reads the stream, clocks tick.
    fn pass_on(&mut self) -> Result<(), String> {
        let due = |wire: &Wire, now_ms: u64| wire.due_ms <= now_ms;
        let (mut arrived, waiting): (Vec<Wire>, Vec<Wire>) = self.wires.drain(..).partition(|wire| due(wire, self.now_ms));
        self.wires = waiting;
        arrived.sort_by_key(|wire| wire.due_ms);
        for wire in arrived {
            self.deliver(wire)?;
        }
        for _ in 0..if self.calm { 64 } else { 3 } {
            self.ingest()?;
        }
        if self.next_tick_ms <= self.now_ms {
            self.next_tick_ms = self.now_ms + 400;
            for shop in 0..self.shops.len() {
                let told = self.office.tick(shop, self.now_ms, &mut self.reached)?;
                self.send_down(shop, told);
                for at in 0..self.shops[shop].boxes.len() {
                    let sent = self.shops[shop].boxes[at].tick(self.now_ms, &mut self.chance, &mut self.reached);
                    self.send_up(shop, at, sent);
                }
            }
        }
        Ok(())
    }

    /// Head office takes one message of the stream, not always the first, and does not always get to acknowledge it.
    fn ingest(&mut self) -> Result<(), String> {
        if self.office.is_down() || self.stream.kept.is_empty() {
            return Ok(());
        }
        let ahead = if self.calm { 1 } else { 4.min(self.stream.kept.len()) };
        let at = self.chance.index(ahead);
        let Kept { shop, batch } = self.stream.kept[at].clone();
        let told = self.office.batch(shop, self.now_ms, &batch, &mut self.reached)?;
        self.send_down(shop, told);
        let again = self.noisy() && self.chance.one_in(3);
        if self.office.is_down() || again {
            self.reached.redelivered += 1;
        } else {
            self.stream.kept.remove(at);
        }
        Ok(())
    }

    fn deliver(&mut self, wire: Wire) -> Result<(), String> {
        let Wire {
            shop,
            at,
            connection,
            what,
            ..
        } = wire;
        match what {
            What::Batch(batch) => {
                let message = batch.message;
                if self.stream.publish(self.now_ms, shop, batch) {
                    self.reached.swallowed += 1;
                }
                self.send(shop, at, connection, What::Acked(message));
            }
            What::Hello { number, heads } => {
                let told = self.office.hello(shop, self.now_ms, &heads, &mut self.reached)?;
                for what in told {
                    let answer = match what {
                        What::Welcome { marks, .. } => What::Welcome { number, marks },
                        other => other,
                    };
                    self.send(shop, at, connection, answer);
                }
            }
            down => {
                let sent = self.shops[shop].boxes[at].hear(self.now_ms, connection, down, &mut self.chance, &mut self.reached);
                self.send_up(shop, at, sent);
            }
        }
        Ok(())
    }

    fn send_up(&mut self, shop: usize, at: usize, sent: Vec<What>) {
        let connection = self.shops[shop].boxes[at].connection;
        for what in sent {
            self.send(shop, at, connection, what);
        }
    }

    /// To every box that claims to be this store.
    fn send_down(&mut self, shop: usize, told: Vec<What>) {
        for what in told {
            for at in 0..self.shops[shop].boxes.len() {
                let connection = self.shops[shop].boxes[at].connection;
                self.send(shop, at, connection, what.clone());
            }
        }
    }

    fn send(&mut self, shop: usize, at: usize, connection: u64, what: What) {
        self.digest = chance::mix(self.digest ^ what.digest() ^ (shop as u64) << 8 ^ at as u64);
        let copies = match (self.noisy(), self.chance.below(10)) {
            (true, 0..=2) => 0,
            (true, 3..=4) => 2,
            _ => 1,
        };
        if copies == 0 {
            self.reached.lost += 1;
            if let What::Batch(batch) = &what {
                // The client gives up waiting for the broker; whether it has the message it can not know.
                let due_ms = self.now_ms + 2_000;
                self.wires.push(Wire {
                    due_ms,
                    shop,
                    at,
                    connection,
                    what: What::Failed(batch.message),
                });
            }
        }
        let slowest_ms = if self.calm { 30 } else { 500 };
        for _ in 0..copies {
            let due_ms = self.now_ms + 1 + self.chance.below(slowest_ms);
            self.wires.push(Wire {
                due_ms,
                shop,
                at,
                connection,
                what: what.clone(),
            });
        }
    }

    fn noisy(&self) -> bool {
        self.now_ms < self.noisy_until_ms
    }

    fn sell(&mut self) {
        let shop = self.chance.index(self.shops.len());
        let at = self.chance.index(self.shops[shop].boxes.len());
        let Self {
            shops,
            chance,
            reached,
            now_ms,
            ..
        } = self;
        shops[shop].keep_a_copy(at, chance);
        let sent = shops[shop].boxes[at].sell(*now_ms, chance, reached);
        self.send_up(shop, at, sent);
        if self.chance.one_in(12) {
            self.office.back_up();
        }
    }

    fn fault(&mut self) {
        let shop = self.chance.index(self.shops.len());
        let at = self.chance.index(self.shops[shop].boxes.len());
        match self.chance.below(20) {
            0..=2 => self.noisy_until_ms = self.now_ms + 1_500,
            3..=4 => self.shops[shop].boxes[at].disconnect(self.now_ms),
            5..=7 => self.shops[shop].boxes[at].fuse = Some(self.chance.below(6)),
            8..=10 => self.office.fuse = Some(self.chance.below(6)),
            11..=12 => {
                // A power cut at the broker. Whether it still knows the ids it has seen depends on what was flushed.
                self.stream.kept.clear();
                if self.chance.one_in(2) {
                    self.stream.ids.clear();
                }
                self.reached.wiped += 1;
            }
            13..=14 => {
                let chance = &mut self.chance;
                self.stream.kept.retain(|_| chance.one_in(2));
                self.reached.wiped += 1;
            }
            15 => {
                self.office.restore_backup(&mut self.chance);
                self.reached.older_office += 1;
            }
            16..=17 => {
                self.shops[shop].set_back(at, &mut self.chance);
                self.reached.set_back += 1;
            }
            18 => {
                if self.shops[shop].boxes.len() < BOXES {
                    self.shops[shop].copy(at, &mut self.chance);
                    self.reached.copied += 1;
                }
            }
            _ => {
                self.shops[shop].replace(at);
                self.reached.replaced += 1;
            }
        }
    }
}

#[cfg(test)]
#[path = "any_order_tests.rs"]
mod any_order_tests;
#[cfg(test)]
#[path = "sim_tests.rs"]
mod tests;
