//! What travels between the simulated parts, and the stream in the middle.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::directive::{Resend, Watermark};
use crate::federation::receiver::Link;
use crate::federation::sender::Message;
use crate::journal::{Hash, Head};

use super::chance::{Chance, mix};
use super::craft::{Hand, Letter};
use super::slip::Slip;

/// An entry on its way: what the chain needs, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub link: Link,
    pub slip: Slip,
}

#[derive(Debug, Clone)]
pub struct Batch {
    pub message: Message,
    pub entries: Arc<[Written]>,
}

#[derive(Debug, Clone)]
pub enum What {
    Batch(Batch),
    Acked(Message),
    Failed(Message),
    Hello {
        number: u64,
        heads: Vec<Head>,
    },
    Welcome {
        number: u64,
        marks: Vec<Watermark>,
    },
    Watermark(Watermark),
    Resend(Resend),
    /// A message of version N that N-1 has no name for.
    Tomorrow {
        up: bool,
        number: u64,
    },
}

/// Something on its way between a box and the rest of the world.
#[derive(Debug)]
pub struct Wire {
    pub due_ms: u64,
    /// In the order of sending.
    pub number: u64,
    pub shop: usize,
    pub at: usize,
    /// Answers to an earlier connection of the box reach nobody.
    pub connection: u64,
    pub hand: Hand,
    pub tomorrow: bool,
    pub what: What,
}

impl Wire {
    pub fn letter(self) -> Letter {
        Letter {
            shop: self.shop,
            hand: self.hand,
            what: self.what,
            tomorrow: self.tomorrow,
        }
    }
}

/// The stream of the tenant: drops what it takes for known, acknowledges, keeps until it is read, unless it forgets.
#[derive(Debug, Default)]
pub struct Stream {
    pub kept: Vec<Kept>,
    /// When an id was seen, by a digest of its text.
    pub ids: BTreeMap<u64, u64>,
    last: u64,
    /// The highest number the reader has acknowledged; what comes under a lower one it believes to know.
    read: u64,
}

/// How long the broker knows an id.
const DUPLICATE_WINDOW_MS: u64 = 120_000;

#[derive(Debug, Clone)]
pub struct Kept {
    pub number: u64,
    pub letter: Letter,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    Kept,
    /// Taken for a repeat.
    Swallowed,
    /// Kept under a number that the reader has passed already.
    Unseen,
}

impl Stream {
    pub fn publish(&mut self, now_ms: u64, letter: Letter) -> Published {
        let What::Batch(batch) = &letter.what else {
            return Published::Swallowed;
        };
        let Some(tip) = batch.entries.last() else {
            return Published::Swallowed;
        };
        let id = id(letter.shop, &batch.message, &tip.link.hash);
        if self.ids.get(&id).is_some_and(|seen_ms| now_ms - seen_ms < DUPLICATE_WINDOW_MS) {
            return Published::Swallowed;
        }
        self.ids.insert(id, now_ms);
        self.last += 1;
        if self.last <= self.read {
            return Published::Unseen;
        }
        let number = self.last;
        self.kept.push(Kept { number, letter });
        Published::Kept
    }

    pub fn acknowledge(&mut self, at: usize) {
        let kept = self.kept.remove(at);
        self.read = self.read.max(kept.number);
    }

    /// A power cut at the broker: what was acknowledged and not flushed is gone, and its numbers are given again. The reader's own
    /// place was flushed, or not.
    pub fn power_cut(&mut self, chance: &mut Chance) {
        self.kept.clear();
        if chance.one_in(2) {
            self.ids.clear();
        }
        self.last = self.last.saturating_sub(chance.below(8));
        if chance.one_in(2) {
            self.read = self.read.min(self.last);
        }
    }
}

/// Two messages have the same one exactly when the text of their ids is the same.
fn id(shop: usize, message: &Message, last_hash: &Hash) -> u64 {
    let [a, b, c, d, ..] = last_hash.0;
    let parts = [
        shop as u64,
        u64::from(u32::from_be_bytes([a, b, c, d])),
        u64::from(message.epoch.0),
        message.first.0,
        message.last.0,
    ];
    parts.iter().fold(mix(message.round), |sum, part| mix(sum ^ part))
}

impl What {
    /// Who must have signed it.
    pub fn signer(&self) -> Hand {
        match self {
            What::Batch(_) | What::Hello { .. } | What::Tomorrow { up: true, .. } => Hand::Store,
            // The stream's own answers are not signed by anybody; the wire to it is the box's own.
            What::Acked(_) | What::Failed(_) => Hand::Store,
            What::Welcome { .. } | What::Watermark(_) | What::Resend(_) | What::Tomorrow { up: false, .. } => Hand::Office,
        }
    }

    pub fn digest(&self) -> u64 {
        let of = |parts: &[u64]| parts.iter().fold(0, |sum, part| mix(sum ^ part));
        let message = |m: &Message| of(&[u64::from(m.epoch.0), m.first.0, m.last.0, m.round]);
        let hash = |hash: &Hash| hash.0.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let head = |h: &Head| of(&[u64::from(h.epoch.0), h.seq.0, hash(&h.hash)]);
        let mark = |m: &Watermark| of(&[u64::from(m.epoch.0), m.held.0, m.counter, hash(&m.hash)]);
        match self {
            What::Batch(batch) => of(&[
                1,
                message(&batch.message),
                batch.entries.last().map_or(0, |entry| hash(&entry.link.hash)),
            ]),
            What::Acked(acked) => of(&[2, message(acked)]),
            What::Failed(failed) => of(&[3, message(failed)]),
            What::Hello { number, heads } => heads.iter().fold(of(&[4, *number]), |sum, next| mix(sum ^ head(next))),
            What::Welcome { number, marks } => marks.iter().fold(of(&[5, *number]), |sum, next| mix(sum ^ mark(next))),
            What::Watermark(watermark) => of(&[6, mark(watermark)]),
            What::Resend(ask) => of(&[7, u64::from(ask.epoch.0), ask.first.0, ask.last.0, ask.round]),
            What::Tomorrow { up, number } => of(&[8, u64::from(*up), *number]),
        }
    }

    /// For the trace.
    pub fn say(&self) -> String {
        match self {
            What::Batch(batch) => {
                let m = &batch.message;
                format!("batch {}:{}-{} round {}", m.epoch, m.first, m.last, m.round)
            }
            What::Acked(m) => format!("ack of {}:{}-{}", m.epoch, m.first, m.last),
            What::Failed(m) => format!("no ack of {}:{}-{}", m.epoch, m.first, m.last),
            What::Hello { number, heads } => {
                let heads: Vec<String> = heads.iter().map(|head| format!("{}:{}", head.epoch, head.seq)).collect();
                format!("hello {number} at {}", heads.join(" "))
            }
            What::Welcome { number, marks } => {
                let marks: Vec<String> = marks.iter().map(|mark| format!("{}:{}", mark.epoch, mark.held)).collect();
                format!("welcome {number}, held {}", marks.join(" "))
            }
            What::Watermark(mark) => format!("held {}:{}", mark.epoch, mark.held),
            What::Resend(ask) => format!("resend {}:{}-{} round {}", ask.epoch, ask.first, ask.last, ask.round),
            What::Tomorrow { number, .. } => format!("a message of tomorrow, {number}"),
        }
    }
}
