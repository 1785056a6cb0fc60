//! What travels between the simulated parts, and the stream in the middle.

use std::collections::BTreeMap;

use crate::directive::{Resend, Watermark};
use crate::federation::receiver::Link;
use crate::federation::sender::Message;
use crate::journal::{Hash, Head};

use super::chance::mix;
use super::shop::address;

#[derive(Debug, Clone)]
pub struct Batch {
    pub message: Message,
    pub entries: Vec<Link>,
}

#[derive(Debug, Clone)]
pub enum What {
    Batch(Batch),
    Acked(Message),
    Failed(Message),
    Hello { number: u64, heads: Vec<Head> },
    Welcome { number: u64, marks: Vec<Watermark> },
    Watermark(Watermark),
    Resend(Resend),
}

/// Something on its way between a box and the rest of the world.
#[derive(Debug)]
pub struct Wire {
    pub due_ms: u64,
    pub shop: usize,
    pub at: usize,
    /// Answers to an earlier connection of the box reach nobody.
    pub connection: u64,
    pub what: What,
}

/// The stream of the tenant: drops what it takes for known, acknowledges, keeps until it is read, unless it forgets.
#[derive(Debug, Default)]
pub struct Stream {
    pub kept: Vec<Kept>,
    /// When an id was seen.
    pub ids: BTreeMap<String, u64>,
}

/// How long the broker knows an id.
const DUPLICATE_WINDOW_MS: u64 = 120_000;

#[derive(Debug, Clone)]
pub struct Kept {
    pub shop: usize,
    pub batch: Batch,
}

impl Stream {
    /// True if the message was swallowed as a repeat.
    pub fn publish(&mut self, now_ms: u64, shop: usize, batch: Batch) -> bool {
        let (Some(address), Some(tip)) = (address(shop), batch.entries.last()) else {
            return false;
        };
        let id = batch.message.id(address.store, &tip.hash);
        if self.ids.get(&id).is_some_and(|seen_ms| now_ms - seen_ms < DUPLICATE_WINDOW_MS) {
            return true;
        }
        self.ids.insert(id, now_ms);
        self.kept.push(Kept { shop, batch });
        false
    }
}

impl What {
    pub fn digest(&self) -> u64 {
        let of = |parts: &[u64]| parts.iter().fold(0, |sum, part| mix(sum ^ part));
        let message = |m: &Message| of(&[u64::from(m.epoch.0), m.first.0, m.last.0, m.round]);
        let hash = |hash: &Hash| hash.0.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let head = |h: &Head| of(&[u64::from(h.epoch.0), h.seq.0, hash(&h.hash)]);
        let mark = |m: &Watermark| of(&[u64::from(m.epoch.0), m.held.0, m.counter, hash(&m.hash)]);
        match self {
            What::Batch(batch) => of(&[1, message(&batch.message), batch.entries.last().map_or(0, |link| hash(&link.hash))]),
            What::Acked(acked) => of(&[2, message(acked)]),
            What::Failed(failed) => of(&[3, message(failed)]),
            What::Hello { number, heads } => heads.iter().fold(of(&[4, *number]), |sum, next| mix(sum ^ head(next))),
            What::Welcome { number, marks } => marks.iter().fold(of(&[5, *number]), |sum, next| mix(sum ^ mark(next))),
            What::Watermark(watermark) => of(&[6, mark(watermark)]),
            What::Resend(ask) => of(&[7, u64::from(ask.epoch.0), ask.first.0, ask.last.0, ask.round]),
        }
    }
}
