//! The store's side: which range of the journal to publish now, what is proven to be held, and when our own disk is behind.
//!
//! Reads no entries, signs and checks nothing, opens no connection: the uplink does, and keeps what `Remember` says. After a
//! restart `restore` starts from the journal and the remembered marks alone; whatever was in flight is sent again.

use uuid::Uuid;

use crate::directive::{Address, Resend, Watermark};
use crate::ids::StoreId;
use crate::journal::{Epoch, Hash, Head, Seq};

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
    flights: Vec<Flight>,
    /// To be sent again before anything new.
    asked: Vec<Range>,
    round: u64,
    hello: Hello,
    newest_seen: Epoch,
    told_behind: Option<Epoch>,
    told_superseded: Option<Epoch>,
}

/// One epoch of this box.
#[derive(Debug, Clone, Copy)]
struct Life {
    head: Head,
    /// Proven.
    held: Seq,
    /// Published at least once, or held.
    sent: Seq,
    /// Head office's main branch of this epoch is not ours. The marks for all will never cover our end of it, so an
    /// acknowledgement must do until a welcome confirms it; head office asks for what it lacks.
    astray: bool,
}

#[derive(Debug, Clone, Copy)]
struct Flight {
    message: Message,
    state: State,
    patience_ms: u64,
    /// Head office asked for it, and will ask again for as long as it misses it. Not waiting for a mark here keeps a gap from
    /// being stuck behind later batches which are themselves waiting for that gap.
    until_ack: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be published at that time.
    Due(u64),
    Flying {
        since_ms: u64,
    },
    Acked {
        since_ms: u64,
    },
}

#[derive(Debug, Clone, Copy)]
struct Range {
    epoch: Epoch,
    first: Seq,
    last: Seq,
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
            flights: Vec::new(),
            asked: Vec::new(),
            round: 0,
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
            Input::Failed(message) => self.failed(now_ms, message),
            Input::Cut { message, last } => self.cut(message, last),
            Input::Watermark(mark) => self.mark(mark, &mut outputs),
            Input::Welcome { number, marks } => self.welcome(now_ms, number, &marks, &mut outputs),
            Input::Resend(resend) => self.resend(resend, &mut outputs),
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
        for flight in &mut self.flights {
            if let State::Flying { .. } = flight.state {
                flight.state = State::Due(now_ms); // Its acknowledgement was for the old connection.
            }
        }
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
                },
            ),
        }
    }

    fn acked(&mut self, now_ms: u64, message: Message) {
        let Some(at) = self.flights.iter().position(|flight| flight.message == message) else {
            return;
        };
        let flight = &mut self.flights[at];
        flight.state = State::Acked { since_ms: now_ms };
        let life = self.epochs.iter().find(|life| life.head.epoch == message.epoch);
        if flight.until_ack || life.is_none_or(|life| life.astray || life.held >= message.last) {
            self.flights.remove(at);
        }
    }

    fn failed(&mut self, now_ms: u64, message: Message) {
        let at_ms = now_ms.saturating_add(self.limits.retry_ms);
        if let Some(flight) = self.flights.iter_mut().find(|flight| flight.message == message) {
            flight.state = State::Due(at_ms);
        }
    }

    fn cut(&mut self, message: Message, last: Seq) {
        let Some(flight) = self.flights.iter_mut().find(|flight| flight.message == message) else {
            return;
        };
        if last >= message.first && last < message.last {
            flight.message.last = last;
            // At most one per flight, so the queue stays bounded.
            self.queue(Range {
                epoch: message.epoch,
                first: Seq(last.0 + 1),
                last: message.last,
            });
        }
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
            self.send_overdue_again(now_ms);
        }
    }

    /// Another head office than before may hold less: everything it does not confirm goes up again.
    fn believe(&mut self, incarnation: Uuid, outputs: &mut Vec<Output>) {
        if self.incarnation == Some(incarnation) {
            return;
        }
        self.incarnation = Some(incarnation);
        self.round = self.round.saturating_add(1); // The broker may still know the ids of what its predecessor got.
        outputs.push(Output::Forget);
        self.flights.clear();
        self.asked.clear();
        for life in &mut self.epochs {
            (life.held, life.sent, life.astray) = (Seq(0), Seq(0), false);
        }
    }

    /// Head office is there and did not get these: the stream must have lost them.
    fn send_overdue_again(&mut self, now_ms: u64) {
        let mut round = self.round;
        for flight in self.flights.iter_mut().filter(|flight| flight.overdue(now_ms)) {
            round = round.saturating_add(1);
            flight.message.round = round;
            flight.state = State::Due(now_ms);
            flight.patience_ms = (flight.patience_ms * 2).min(self.limits.longest_patience_ms);
        }
        self.round = round;
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
            let astray = life.astray;
            self.flights
                .retain(|flight| !(astray && flight.message.epoch == mark.epoch && flight.is_acked()));
            self.behind(mark.epoch, mark.held, Some(mark.hash), outputs);
        } else if believed && mark.held > life.held {
            life.held = mark.held;
            life.sent = life.sent.max(mark.held);
            let covered = |flight: &Flight| flight.message.epoch == mark.epoch && flight.message.last <= mark.held;
            self.flights.retain(|flight| flight.until_ack || !covered(flight));
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
        if last > end {
            // It asks only for what lies below an entry it has, or below a head we announced.
            self.behind(epoch, last, None, outputs);
        }
        let range = Range {
            epoch,
            first,
            last: last.min(end),
        };
        // When the queue is full, head office will ask again.
        if range.first > range.last || self.asked.len() >= self.limits.asked_ranges {
            return;
        }
        self.queue(range);
        self.round = self.round.saturating_add(1).max(round);
        self.flights.retain(|flight| !range.contains(&flight.message));
    }

    /// To be sent again, lowest first, together with what it touches.
    fn queue(&mut self, mut range: Range) {
        self.asked.retain(|other| {
            let touches = other.epoch == range.epoch && other.first.0 <= range.last.0 + 1 && range.first.0 <= other.last.0 + 1;
            if touches {
                (range.first, range.last) = (range.first.min(other.first), range.last.max(other.last));
            }
            !touches
        });
        let at = self
            .asked
            .partition_point(|other| (other.epoch, other.first) < (range.epoch, range.first));
        self.asked.insert(at, range);
    }

    fn announce(&mut self, now_ms: u64, outputs: &mut Vec<Output>) {
        let since = self.hello.asked_ms.map(|asked| now_ms.saturating_sub(asked));
        let curious = self.hello.stranger || self.flights.iter().any(|flight| flight.overdue(now_ms));
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
        let ack_ms = self.limits.ack_ms;
        for flight in &mut self.flights {
            let again = match flight.state {
                State::Due(at_ms) => at_ms <= now_ms,
                State::Flying { since_ms } => now_ms.saturating_sub(since_ms) >= ack_ms,
                State::Acked { .. } => false,
            };
            if again {
                flight.state = State::Flying { since_ms: now_ms };
                outputs.push(Output::Publish(flight.message));
            }
        }
        while let Some((range, until_ack)) = self.next_range() {
            let message = Message {
                epoch: range.epoch,
                first: range.first,
                last: range.last,
                round: self.round,
            };
            let state = State::Flying { since_ms: now_ms };
            self.flights.push(Flight {
                message,
                state,
                patience_ms: self.limits.patience_ms,
                until_ack,
            });
            outputs.push(Output::Publish(message));
        }
    }

    /// Takes the next batch there is room for: what was asked for, then old epochs before new ones.
    fn next_range(&mut self) -> Option<(Range, bool)> {
        let asked = self.flights.iter().filter(|flight| flight.until_ack).count();
        if asked < self.limits.in_flight && !self.asked.is_empty() {
            return self.next_asked();
        }
        if self.flights.len() - asked >= self.limits.in_flight {
            return None;
        }
        let life = self.epochs.iter_mut().find(|life| life.sent < life.head.seq)?;
        let first = Seq(life.sent.0 + 1);
        let last = life.head.seq.min(Seq(life.sent.0 + self.limits.batch_entries.max(1)));
        life.sent = last;
        Some((
            Range {
                epoch: life.head.epoch,
                first,
                last,
            },
            false,
        ))
    }

    fn next_asked(&mut self) -> Option<(Range, bool)> {
        let next = self.asked.first_mut()?;
        let most = self.limits.batch_entries.max(1);
        let taken = Range {
            last: next.last.min(Seq(next.first.0 + most - 1)),
            ..*next
        };
        next.first = Seq(taken.last.0 + 1);
        if next.first > next.last {
            self.asked.remove(0);
        }
        let life = self.epochs.iter_mut().find(|life| life.head.epoch == taken.epoch)?;
        if taken.first.0 <= life.sent.0 + 1 {
            life.sent = life.sent.max(taken.last);
        }
        Some((taken, true))
    }
}

impl Flight {
    fn is_acked(&self) -> bool {
        matches!(self.state, State::Acked { .. })
    }

    fn overdue(&self, now_ms: u64) -> bool {
        matches!(self.state, State::Acked { since_ms } if now_ms.saturating_sub(since_ms) >= self.patience_ms)
    }
}

impl Range {
    fn contains(&self, message: &Message) -> bool {
        self.epoch == message.epoch && self.first <= message.first && message.last <= self.last
    }
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
