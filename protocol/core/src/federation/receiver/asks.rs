//! What is missing of one epoch, and when to ask the store for it: gaps below what came, and heads that were announced.

use super::Limits;
use crate::federation::stretches::Stretches;
use crate::journal::{Hash, Head, Seq};

#[derive(Debug, Clone, Default)]
pub struct Asks {
    all: Vec<Ask>,
}

/// Something that is missing, and when to ask for it.
#[derive(Debug, Clone, Copy)]
struct Ask {
    /// What to reach: the entry before a loose stretch, or an announced head.
    end: Seq,
    /// The announced head's hash; a loose stretch needs none, it is asked for as long as it is loose.
    announced: Option<Hash>,
    /// Where the range began when we last looked. When it moved, things are moving and we wait.
    from: Seq,
    due_ms: u64,
    wait_ms: u64,
    left: u32,
}

impl Asks {
    /// Announced heads which are remembered at a time: more boxes of one identity than this take turns.
    const MOST_ANNOUNCED: usize = 4;

    /// A store announced a head that is not stored.
    pub fn announced(&mut self, now_ms: u64, head: &Head, limits: &Limits) {
        let same = |ask: &&mut Ask| ask.end == head.seq && ask.announced == Some(head.hash);
        if let Some(ask) = self.all.iter_mut().find(same) {
            ask.left = limits.asks_per_hello;
            return;
        }
        let announced = |ask: &Ask| ask.announced.is_some();
        if self.all.iter().filter(|ask| announced(ask)).count() >= Self::MOST_ANNOUNCED
            && let Some(oldest) = self.all.iter().position(announced)
        {
            self.all.remove(oldest);
        }
        let hash = Some(head.hash);
        self.all
            .push(Ask::new(head.seq, hash, now_ms, limits.hello_grace_ms, limits.asks_per_hello));
    }

    /// An entry came.
    pub fn arrived(&mut self, seq: Seq, hash: Hash) {
        self.all.retain(|ask| ask.announced != Some(hash) || ask.end != seq);
    }

    /// The ranges to ask for now.
    pub fn due(&mut self, now_ms: u64, stretches: &Stretches, limits: &Limits) -> Vec<(Seq, Seq)> {
        let loose = |seq: Seq| {
            stretches
                .iter()
                .any(|stretch| !stretches.anchored(stretch) && stretch.first.0 - 1 == seq.0)
        };
        self.all
            .retain(|ask| if ask.announced.is_some() { ask.left > 0 } else { loose(ask.end) });
        for stretch in stretches.iter().filter(|stretch| !stretches.anchored(stretch)) {
            let end = Seq(stretch.first.0 - 1);
            if !self.all.iter().any(|ask| ask.announced.is_none() && ask.end == end) {
                self.all.push(Ask::new(end, None, now_ms, limits.first_ask_ms, u32::MAX));
            }
        }
        let due = |ask: &mut Ask| ask.look(now_ms, stretches, limits).then_some((ask.from, ask.end));
        self.all.iter_mut().filter_map(due).collect()
    }
}

impl Ask {
    fn new(end: Seq, announced: Option<Hash>, now_ms: u64, wait_ms: u64, left: u32) -> Ask {
        let due_ms = now_ms.saturating_add(wait_ms);
        Ask {
            end,
            announced,
            from: Seq(0),
            due_ms,
            wait_ms,
            left,
        }
    }

    /// Whether it is time to ask; if so, the next time is set.
    fn look(&mut self, now_ms: u64, stretches: &Stretches, limits: &Limits) -> bool {
        let from = missing_from(stretches, self.end, limits.step_back);
        if from != self.from {
            let wait_ms = if self.announced.is_some() {
                limits.hello_grace_ms
            } else {
                limits.first_ask_ms
            };
            *self = Ask {
                from,
                ..Ask::new(self.end, self.announced, now_ms, wait_ms, self.left)
            };
        }
        if self.due_ms > now_ms {
            return false;
        }
        self.wait_ms = (self.wait_ms * 2).min(limits.longest_ask_ms);
        self.due_ms = now_ms.saturating_add(self.wait_ms);
        self.left = self.left.saturating_sub(1);
        true
    }
}

/// Where the range begins that is missing up to `end`. If another chain lies there, ours left it somewhere below: go back a step.
fn missing_from(stretches: &Stretches, end: Seq, step_back: u64) -> Seq {
    if stretches.covers(end) {
        Seq(end.0.saturating_sub(step_back.saturating_sub(1)).max(1))
    } else {
        Seq(stretches.end_below(end).0 + 1)
    }
}
