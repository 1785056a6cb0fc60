//! The store's side: which range of the journal to publish now, what is proven to be held, and when our own disk is behind.
//!
//! Reads no entries, signs and checks nothing, opens no connection: the uplink does, and keeps what `Remember` says. After a
//! restart `restore` starts from the journal and the remembered marks alone; whatever was in flight is sent again.

mod outbox;

use uuid::Uuid;

use crate::directive::{Address, Resend, Watermark};
use crate::ids::StoreId;
use crate::journal::{Epoch, Hash, Head, Seq};

use self::outbox::{Outbox, Range};

/// How much and how patiently.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most entries of one batch.
    pub batch_entries: u64,
    /// Most batches which are published and not yet held. The rest of a long outage waits in the journal, not in the stream.
    pub in_flight: usize,
    /// After so long without an answer of the broker a batch is published again under the same id.
    pub ack_ms: u64,
    /// After a failed publish.
    pub retry_ms: u64,
    /// How long an acknowledged batch may stay unheld before we ask; doubles each time up to `longest_patience_ms`.
    pub patience_ms: u64,
    pub longest_patience_ms: u64,
    /// Until an announcement is made again; doubles while nobody answers.
    pub hello_ms: u64,
    pub longest_hello_ms: u64,
    /// How often a store says where it stands, while something is not held and when all is.
    pub behind_hello_ms: u64,
    pub quiet_hello_ms: u64,
    /// Most ranges which head office asked for and which wait for their turn.
    pub asked_ranges: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_entries: 256,
            in_flight: 8,
            ack_ms: 10_000,
            retry_ms: 1_000,
            patience_ms: 3_000,
            longest_patience_ms: 30_000,
            hello_ms: 1_000,
            longest_hello_ms: 30_000,
            behind_hello_ms: 10_000,
            quiet_hello_ms: 60_000,
            asked_ranges: 16,
        }
    }
}

/// One publication of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    pub epoch: Epoch,
    pub first: Seq,
    pub last: Seq,
    /// Rises with everything that is sent again, so that the broker's memory of ids never swallows it.
    pub round: u64,
}

impl Message {
    /// `store:epoch:first-last:round:hash`, by which the broker tells repeats from news. The hash is the beginning of the last
    /// entry's: two boxes with one identity publish different entries under the same figures, and their rounds can follow each
    /// other for ever; then the broker would swallow all that the second one ever says.
    pub fn id(&self, store: StoreId, last_hash: &Hash) -> String {
        let Message { epoch, first, last, round } = self;
        let [a, b, c, d, ..] = last_hash.0;
        format!("{store}:{epoch}:{first}-{last}:{round}:{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

/// A watermark whose signature was checked, with the hash our own journal has at `(mark.epoch, mark.held)`.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    pub mark: Watermark,
    /// `None` if the journal has no such entry. Not looked at when `mark.held` is 0.
    pub ours: Option<Hash>,
}

#[derive(Debug, Clone)]
pub enum Input {
    /// The broker can be reached, and we listen to what head office says.
    Connected,
    Disconnected,
    /// The journal grew, also by a new epoch. Only after the commit.
    Journal(Head),
    Acked(Message),
    /// The broker refused or did not answer: the message may be there or not.
    Failed(Message),
    /// The batch is published only up to here, because its bytes would have been too many. Said before its `Acked`,
    /// which then names the shorter range.
    Cut {
        message: Message,
        last: Seq,
    },
    /// A mark for all, whoever listens. Signature checked.
    Watermark(Mark),
    /// The answer to announcement `number`, and to no other. Signatures checked. Several answers may come to one number.
    Welcome {
        number: u64,
        marks: Vec<Mark>,
    },
    /// Signature checked.
    Resend(Resend),
    /// These entries of ours can not be read any more. They are never published again; head office asks in vain until it has them
    /// from elsewhere or a person attests the break. Said after each `restore`, too.
    Lost {
        epoch: Epoch,
        first: Seq,
        last: Seq,
    },
    /// At least once a second.
    Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Load, sign and publish this range. Answer with `Acked` or `Failed`.
    Publish(Message),
    /// Tell head office our `heads`, with an inbox for the answer that belongs to this number and this connection alone.
    Announce { number: u64 },
    /// Keep this mark in place of the one of its epoch.
    Remember(Watermark),
    /// Head office is another than before: drop all remembered marks.
    Forget,
    /// Head office has seen an entry of our latest epoch which we do not have, or another one in its place: open
    /// `next_epoch()` with a new receipt series before selling on. Said once per epoch and start.
    BehindHeadOffice { epoch: Epoch, seen: Seq, hash: Option<Hash> },
    /// Head office holds a newer epoch than ours: another box took over, or this disk is an old copy. Raise the alarm, sell on.
    /// A box that has no epoch yet opens `next_epoch()`.
    Superseded { by: Epoch },
}

/// What the uplink feeds and asks. See the head of `federation` for the rules.
#[derive(Debug, Clone)]
pub struct Sender {
    address: Address,
    limits: Limits,
    connected: bool,
    /// Whose marks we believe.
    incarnation: Option<Uuid>,
    /// In rising order.
    epochs: Vec<Life>,
    outbox: Outbox,
    hello: Hello,
    newest_seen: Epoch,
    told_behind: Option<Epoch>,
    told_superseded: Option<Epoch>,
}

/// One epoch of this box.
#[derive(Debug, Clone)]
struct Life {
    head: Head,
    /// Proven.
    held: Seq,
    /// Published at least once, or held.
    sent: Seq,
    /// Head office's main branch of this epoch is not ours. The marks for all will never cover our end of it, so an
    /// acknowledgement must do until a welcome confirms it; head office asks for what it lacks.
    astray: bool,
    /// Entries that can not be read any more, in rising order.
    lost: Vec<(Seq, Seq)>,
}

#[derive(Debug, Clone, Copy)]
struct Hello {
    number: u64,
    /// On this connection.
    asked_ms: Option<u64>,
    answered: bool,
    wait_ms: u64,
    /// Somebody we do not know spoke for head office.
    stranger: bool,
}

impl Sender {
    /// `heads`: the last entry of each epoch in the journal. `marks`: what was remembered.
    pub fn restore(address: Address, limits: Limits, heads: &[Head], marks: &[Mark]) -> Sender {
        let hello = Hello {
            number: 0,
            asked_ms: None,
            answered: false,
            wait_ms: limits.hello_ms,
            stranger: false,
        };
        let mut sender = Sender {
            address,
            limits,
            connected: false,
            incarnation: marks.first().map(|mark| mark.mark.incarnation),
            epochs: Vec::new(),
            outbox: Outbox::default(),
            hello,
            newest_seen: Epoch(0),
            told_behind: None,
            told_superseded: None,
        };
        heads.iter().for_each(|head| sender.journal(*head));
        let mut ignored = Vec::new();
        marks.iter().for_each(|mark| sender.mark(*mark, &mut ignored));
        (sender.told_behind, sender.told_superseded) = (None, None);
        sender
    }

    /// What to announce.
    pub fn heads(&self) -> impl Iterator<Item = Head> {
        self.epochs.iter().map(|life| life.head)
    }

    /// Up to where the entries of an epoch are proven to be at head office.
    pub fn held(&self, epoch: Epoch) -> Option<Seq> {
        self.epochs.iter().find(|life| life.head.epoch == epoch).map(|life| life.held)
    }

    /// Whose marks we believe: the incarnation of the last welcome.
    pub fn head_office(&self) -> Option<Uuid> {
        self.incarnation
    }

    /// How many entries exist only here, as far as we can prove.
    pub fn unheld(&self) -> u64 {
        self.epochs.iter().map(|life| life.head.seq.0.saturating_sub(life.held.0)).sum()
    }

    /// The epoch a box that was set back or superseded may open: newer than all we ever saw or heard of.
    pub fn next_epoch(&self) -> Epoch {
        let ours = self.epochs.last().map_or(Epoch(0), |life| life.head.epoch);
        Epoch(ours.max(self.newest_seen).0.saturating_add(1))
    }

    pub fn step(&mut self, now_ms: u64, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        match input {
            Input::Connected => self.connect(now_ms),
            Input::Disconnected => self.connected = false,
            Input::Journal(head) => self.journal(head),
            Input::Acked(message) => self.acked(now_ms, message),
            Input::Failed(message) => self.outbox.failed(now_ms.saturating_add(self.limits.retry_ms), message),
            Input::Cut { message, last } => self.outbox.cut(message, last),
            Input::Watermark(mark) => self.mark(mark, &mut outputs),
            Input::Welcome { number, marks } => self.welcome(now_ms, number, &marks, &mut outputs),
            Input::Resend(resend) => self.resend(resend, &mut outputs),
            Input::Lost { epoch, first, last } => self.lost(epoch, first, last),
            Input::Tick => {}
        }
        if self.connected {
            self.announce(now_ms, &mut outputs);
            self.publish(now_ms, &mut outputs);
        }
        outputs
    }

    fn connect(&mut self, now_ms: u64) {
        self.connected = true;
        self.hello = Hello {
            asked_ms: None,
            answered: false,
            wait_ms: self.limits.hello_ms,
            ..self.hello
        };
        self.outbox.reconnected(now_ms);
    }

    fn journal(&mut self, head: Head) {
        match self.epochs.binary_search_by_key(&head.epoch, |life| life.head.epoch) {
            Ok(at) if head.seq >= self.epochs[at].head.seq => self.epochs[at].head = head,
            Ok(_) => {}
            Err(at) => self.epochs.insert(
                at,
                Life {
                    head,
                    held: Seq(0),
                    sent: Seq(0),
                    astray: false,
                    lost: Vec::new(),
                },
            ),
        }
    }

    fn lost(&mut self, epoch: Epoch, first: Seq, last: Seq) {
        let Some(life) = self.epochs.iter_mut().find(|life| life.head.epoch == epoch) else {
            return;
        };
        if first.0 == 0 || first > last || life.lost.contains(&(first, last)) {
            return;
        }
        life.lost.push((first, last));
        life.lost.sort_unstable();
        // The marks for all may never get across the gap.
        life.astray = true;
        // Whatever was on its way is cut anew.
        self.outbox.abandon(epoch);
        life.sent = life.held;
    }

    fn acked(&mut self, now_ms: u64, message: Message) {
        let life = self.epochs.iter().find(|life| life.head.epoch == message.epoch);
        let done = life.is_none_or(|life| life.astray || life.held >= message.last);
        self.outbox.acked(now_ms, message, done);
    }

    fn welcome(&mut self, now_ms: u64, number: u64, marks: &[Mark], outputs: &mut Vec<Output>) {
        let ours = marks.iter().find(|mark| mark.mark.address == self.address);
        // An answer to an earlier announcement may come from a head office that is no more: its marks are like any others.
        let speaker = ours.filter(|_| number == self.hello.number).map(|mark| mark.mark.incarnation);
        if let Some(incarnation) = speaker {
            self.hello = Hello {
                answered: true,
                wait_ms: self.limits.hello_ms,
                stranger: false,
                ..self.hello
            };
            self.believe(incarnation, outputs);
        }
        // Before any single mark is judged, so that `next_epoch` is newer than all of them.
        let newest = marks.iter().filter(|mark| mark.mark.held.0 > 0).map(|mark| mark.mark.epoch).max();
        self.newest_seen = self.newest_seen.max(newest.unwrap_or_default());
        marks.iter().for_each(|mark| self.mark(*mark, outputs));
        if speaker.is_some() {
            self.outbox.send_overdue_again(now_ms, &self.limits);
        }
    }

    /// Another head office than before may hold less: everything it does not confirm goes up again.
    fn believe(&mut self, incarnation: Uuid, outputs: &mut Vec<Output>) {
        if self.incarnation == Some(incarnation) {
            return;
        }
        self.incarnation = Some(incarnation);
        outputs.push(Output::Forget);
        self.outbox.start_over();
        for life in &mut self.epochs {
            (life.held, life.sent, life.astray) = (Seq(0), Seq(0), !life.lost.is_empty());
        }
    }

    fn mark(&mut self, Mark { mark, ours }: Mark, outputs: &mut Vec<Output>) {
        if mark.address != self.address {
            return;
        }
        let believed = self.incarnation == Some(mark.incarnation);
        self.hello.stranger |= !believed;
        if mark.held.0 > 0 {
            self.newest_seen = self.newest_seen.max(mark.epoch);
        }
        let latest = self.epochs.last().map_or(Epoch(0), |life| life.head.epoch);
        let Some(life) = self.epochs.iter_mut().find(|life| life.head.epoch == mark.epoch) else {
            let news = self.told_superseded.is_none_or(|told| told < mark.epoch);
            if mark.held.0 > 0 && mark.epoch > latest && news {
                self.told_superseded = Some(mark.epoch);
                outputs.push(Output::Superseded { by: mark.epoch });
            }
            return;
        };
        let fits = mark.held.0 == 0 || (mark.held <= life.head.seq && ours == Some(mark.hash));
        if !fits {
            life.astray |= believed;
            if life.astray {
                self.outbox.expect_no_marks(mark.epoch);
            }
            self.behind(mark.epoch, mark.held, Some(mark.hash), outputs);
        } else if believed && mark.held > life.held {
            life.held = mark.held;
            life.sent = life.sent.max(mark.held);
            self.outbox.covered(mark.epoch, mark.held);
            outputs.push(Output::Remember(mark));
        }
    }

    fn behind(&mut self, epoch: Epoch, seen: Seq, hash: Option<Hash>, outputs: &mut Vec<Output>) {
        let latest = self.epochs.last().map(|life| life.head.epoch);
        if latest == Some(epoch) && self.told_behind != Some(epoch) {
            self.told_behind = Some(epoch);
            outputs.push(Output::BehindHeadOffice { epoch, seen, hash });
        }
    }

    fn resend(&mut self, resend: Resend, outputs: &mut Vec<Output>) {
        let Resend {
            address,
            epoch,
            first,
            last,
            round,
        } = resend;
        let Some(life) = self.epochs.iter().find(|life| life.head.epoch == epoch) else {
            return;
        };
        if address != self.address || first.0 == 0 || first > last {
            return;
        }
        let end = life.head.seq;
        let readable: Vec<Range> = life.readable(first, last.min(end)).collect();
        if last > end {
            // It asks only for what lies below an entry it has, or below a head we announced.
            self.behind(epoch, last, None, outputs);
        }
        for range in readable {
            self.outbox.ask(range, round, &self.limits);
        }
    }

    fn announce(&mut self, now_ms: u64, outputs: &mut Vec<Output>) {
        let since = self.hello.asked_ms.map(|asked| now_ms.saturating_sub(asked));
        let curious = self.hello.stranger || self.outbox.any_overdue(now_ms);
        let interval = match self.unheld() {
            0 => self.limits.quiet_hello_ms,
            _ => self.limits.behind_hello_ms,
        };
        let wait_ms = match self.hello.answered {
            false => self.hello.wait_ms,
            true if curious => self.limits.hello_ms,
            true => interval,
        };
        if since.is_some_and(|since| since < wait_ms) {
            return;
        }
        if since.is_some() && !self.hello.answered {
            self.hello.wait_ms = (self.hello.wait_ms * 2).min(self.limits.longest_hello_ms);
        }
        self.hello.number += 1;
        self.hello.asked_ms = Some(now_ms);
        self.hello.answered = false;
        outputs.push(Output::Announce { number: self.hello.number });
    }

    fn publish(&mut self, now_ms: u64, outputs: &mut Vec<Output>) {
        outputs.extend(self.outbox.repeat(now_ms, &self.limits).into_iter().map(Output::Publish));
        while let Some(range) = self.outbox.next_asked(&self.limits) {
            self.sent(range);
            outputs.push(Output::Publish(self.outbox.send(now_ms, range, true, &self.limits)));
        }
        while let Some(range) = self.next_new() {
            self.sent(range);
            outputs.push(Output::Publish(self.outbox.send(now_ms, range, false, &self.limits)));
        }
    }

    /// Old epochs before new ones.
    fn next_new(&self) -> Option<Range> {
        let next = |life: &Life| life.readable(Seq(life.sent.0.saturating_add(1)), life.head.seq).next();
        let range = self.epochs.iter().filter(|life| life.sent < life.head.seq).find_map(next)?;
        let longest = range.first.0.saturating_add(self.limits.batch_entries.max(1)) - 1;
        let last = range.last.min(Seq(longest));
        self.outbox.room_for_new(&self.limits).then_some(Range { last, ..range })
    }

    fn sent(&mut self, range: Range) {
        let life = self.epochs.iter_mut().find(|life| life.head.epoch == range.epoch);
        // What lies between is lost, or it was sent before.
        let next = |life: &&mut Life| {
            let sent = Seq(life.sent.0.saturating_add(1));
            life.readable(sent, life.head.seq)
                .next()
                .is_none_or(|next| range.first <= next.first)
        };
        if let Some(life) = life.filter(next) {
            life.sent = life.sent.max(range.last);
        }
    }
}

impl Life {
    /// What can still be read of a range, lowest first.
    fn readable(&self, first: Seq, last: Seq) -> impl Iterator<Item = Range> {
        let epoch = self.head.epoch;
        let mut from = first;
        let gaps = self.lost.iter().copied().chain([(Seq(last.0.saturating_add(1)), Seq(u64::MAX))]);
        gaps.filter_map(move |(lost, until)| {
            let range = Range {
                epoch,
                first: from,
                last: last.min(Seq(lost.0.saturating_sub(1))),
            };
            from = from.max(Seq(until.0.saturating_add(1)));
            (range.first <= range.last && range.first.0 > 0).then_some(range)
        })
    }
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
