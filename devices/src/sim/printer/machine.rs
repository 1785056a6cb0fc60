//! The printer itself: a buffer that bytes run into, a head that obeys them, and what it remembers.
//!
//! Owns the order of things: what is asked in real time is answered as the byte comes in, everything else when its turn comes; an event
//! stands in the ledger before anybody hears of it. A printer that stops keeps its buffer and goes on where it was, also when
//! whoever sent the bytes has left. Sockets and tasks belong to the frame around it.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tokio::sync::mpsc::UnboundedSender;

use crate::escpos::drawer::Pin;
use crate::escpos::job_id::JobId;
use crate::escpos::reader::{Heard, Reader};
use crate::escpos::status::{Question, Status};
use crate::sim::ledger::Ledger;
use crate::sim::printer::job::Slip;
use crate::sim::printer::knobs::{Fault, Knobs, Roll};
use crate::sim::printer::paper::Strip;

/// What the buffer holds; beyond it, the sender waits.
pub(super) const BUFFER: usize = 16 * 1024;
/// How much is done before others have their turn.
const BITE: usize = 4096;

/// Who a byte came from.
pub(super) type Caller = u64;

#[derive(Debug)]
pub(super) enum Out {
    Bytes(Vec<u8>),
    /// Break the connection, as a power cut would.
    Reset,
}

#[derive(Debug)]
struct Line {
    out: UnboundedSender<Out>,
    /// Whether it wants to hear of changes, and what it heard last.
    automatic: bool,
    told: Option<[u8; 4]>,
    recent: VecDeque<u8>,
}

/// How a printer is built.
#[derive(Clone, Debug)]
pub(super) struct Build {
    pub(super) device: String,
    pub(super) columns: usize,
    pub(super) paper_dir: Option<PathBuf>,
    pub(super) pin_high_when_open: bool,
    pub(super) drawer_closes_after: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Machine {
    build: Build,
    ledger: Ledger,
    pub(super) knobs: Knobs,
    drawer_closes_at: Option<Instant>,
    drawer_open: bool,
    lines: BTreeMap<Caller, Line>,
    buffer: VecDeque<(Caller, u8)>,
    reader: (Caller, Reader),
    job: Option<JobId>,
    /// The caller whose job began and has not ended.
    open_for: Option<Caller>,
    /// Bytes since the job's first mark.
    job_bytes: u64,
    slip: Slip,
    strip: Option<Strip>,
    qr_words: Vec<u8>,
    prints: u64,
    pulses: u64,
    jobs_done: u64,
    taken_bytes: u64,
    unknown_bytes: u64,
    last_unknown: Option<String>,
    pub(super) ledger_fault: Option<String>,
}

impl Machine {
    pub(super) fn new(build: Build, ledger: Ledger, knobs: Knobs) -> Self {
        let strip = build.paper_dir.is_some().then(|| Strip::new(build.columns));
        Self {
            build,
            ledger,
            knobs,
            drawer_closes_at: None,
            drawer_open: false,
            lines: BTreeMap::new(),
            buffer: VecDeque::new(),
            reader: (0, Reader::default()),
            job: None,
            open_for: None,
            job_bytes: 0,
            slip: Slip::default(),
            strip,
            qr_words: Vec::new(),
            prints: 0,
            pulses: 0,
            jobs_done: 0,
            taken_bytes: 0,
            unknown_bytes: 0,
            last_unknown: None,
            ledger_fault: None,
        }
    }

    pub(super) fn called(&mut self, caller: Caller, out: UnboundedSender<Out>) {
        self.lines.insert(
            caller,
            Line {
                out,
                automatic: false,
                told: None,
                recent: VecDeque::new(),
            },
        );
    }

    /// What the caller sent stays in the buffer.
    pub(super) fn left(&mut self, caller: Caller) {
        self.lines.remove(&caller);
    }

    /// How many bytes fit in now.
    pub(super) fn room(&self) -> usize {
        if self.knobs.stall {
            return 0;
        }
        BUFFER.saturating_sub(self.buffer.len())
    }

    pub(super) fn receive(&mut self, caller: Caller, bytes: &[u8]) {
        self.taken_bytes += bytes.len() as u64;
        for &byte in bytes {
            self.buffer.push_back((caller, byte));
            self.listen_in(caller, byte);
        }
    }

    /// Commands that do not wait for their turn, wherever they stand.
    fn listen_in(&mut self, caller: Caller, byte: u8) {
        let Some(line) = self.lines.get_mut(&caller) else { return };
        line.recent.push_back(byte);
        if line.recent.len() > 5 {
            line.recent.pop_front();
        }
        match *line.recent.make_contiguous() {
            [.., 0x10, 0x04, number] => {
                if let Some(question) = Question::of_number(number) {
                    let answer = self.status().answer(question);
                    self.answer(caller, vec![answer]);
                }
            }
            [0x10, 0x14, 1, pin @ 0..=1, 1..=8] => self.pulse(if pin == 0 { Pin::Two } else { Pin::Five }),
            _ => {}
        }
    }

    /// Works on what the buffer holds. How long to rest before the next call; `None` until something changes.
    pub(super) fn work(&mut self) -> Option<Duration> {
        let bite = match self.knobs.slow {
            None => BITE,
            Some(rate) => usize::try_from(rate / 100).unwrap_or(BITE).max(1),
        };
        for _ in 0..bite {
            if self.knobs.stopped() || self.knobs.stall {
                return None;
            }
            let &(caller, byte) = self.buffer.front()?;
            if self.fails(caller) {
                continue;
            }
            self.buffer.pop_front();
            self.job_bytes += 1;
            if self.reader.0 != caller {
                // The rest of a broken line is lost with its sender.
                self.reader = (caller, Reader::default());
            }
            for heard in self.reader.1.feed(&[byte]) {
                self.obey(caller, heard);
            }
        }
        if self.buffer.is_empty() {
            return None;
        }
        Some(match self.knobs.slow {
            None => Duration::ZERO,
            Some(rate) => Duration::from_secs(1) * u32::try_from(bite).unwrap_or(u32::MAX) / rate,
        })
    }

    /// Whether something goes wrong just before the next byte.
    fn fails(&mut self, caller: Caller) -> bool {
        if self.open_for != Some(caller) {
            return false;
        }
        let Some(faults) = self.knobs.faults.get_mut(&self.job_bytes) else {
            return false;
        };
        if faults.is_empty() {
            return false;
        }
        let fault = faults[0];
        if fault != (Fault::Reset { once: false }) {
            faults.remove(0);
        }
        tracing::info!(?fault, byte = self.job_bytes, "a planned fault");
        match fault {
            Fault::PaperOut => self.knobs.roll = Roll::Out,
            Fault::CoverOpen => self.knobs.cover_open = true,
            Fault::Mute => self.knobs.mute = true,
            Fault::Stall => self.knobs.stall = true,
            Fault::Reset { .. } => self.reset(caller),
        }
        self.tell_changes();
        true
    }

    /// Loses the connection and what it had sent ahead.
    fn reset(&mut self, caller: Caller) {
        self.open_for = None;
        self.buffer.retain(|&(sender, _)| sender != caller);
        if let Some(line) = self.lines.remove(&caller) {
            // Its task may have ended already.
            let _ = line.out.send(Out::Reset);
        }
    }

    pub(super) fn reset_all(&mut self) {
        let callers: Vec<Caller> = self.lines.keys().copied().collect();
        callers.into_iter().for_each(|caller| self.reset(caller));
    }

    fn obey(&mut self, caller: Caller, heard: Heard) {
        self.slip.hear(&heard);
        if let Some(strip) = &mut self.strip {
            draw(strip, &mut self.qr_words, &heard);
        }
        match heard {
            Heard::Initialise => {
                if let Some(line) = self.lines.get_mut(&caller) {
                    line.automatic = false;
                    line.told = None;
                }
            }
            Heard::Cut(_) => self.cut(),
            Heard::Pulse { pin, .. } => self.pulse(pin),
            Heard::DoneWanted(job) => self.mark(caller, job),
            Heard::AutomaticStatus(kinds) => {
                if let Some(line) = self.lines.get_mut(&caller) {
                    line.automatic = kinds != 0;
                    line.told = None;
                }
                self.tell_changes();
            }
            Heard::PaperWanted(1 | b'1') => {
                let bits = match self.knobs.roll {
                    Roll::Ok => 0,
                    Roll::Low => 0x03,
                    Roll::Out => 0x0f,
                };
                self.answer(caller, vec![bits]);
            }
            Heard::PaperWanted(2 | b'2') => self.answer(caller, vec![u8::from(self.pin_high())]),
            Heard::NameWanted(question) => self.introduce(caller, question),
            Heard::Unknown(bytes) => {
                self.unknown_bytes += bytes.len() as u64;
                self.last_unknown = Some(bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect());
            }
            _ => {}
        }
    }

    /// The first mark of a job or, when it comes again, its last.
    fn mark(&mut self, caller: Caller, job: JobId) {
        if self.job == Some(job) && self.open_for == Some(caller) {
            self.open_for = None;
            if !self.slip.is_blank() {
                // A printer without a blade: the receipt is torn off by hand.
                self.cut();
            }
            self.jobs_done += 1;
        } else {
            if !self.slip.is_blank() {
                let mut more = self.of_job();
                self.slip.tell(&mut more);
                self.write("unfinished", more);
            }
            self.slip = Slip::default();
            self.job = Some(job);
            self.open_for = Some(caller);
            self.job_bytes = 0;
        }
        self.answer(caller, job.answer());
    }

    fn of_job(&self) -> Map<String, Value> {
        let job = self.job.map(|job| Value::from(job.to_string()));
        job.map(|job| ("job".to_owned(), job)).into_iter().collect()
    }

    fn cut(&mut self) {
        let mut more = self.of_job();
        self.slip.tell(&mut more);
        if let Some(path) = self.picture() {
            more.insert("png".into(), path.into());
        }
        self.slip = Slip::default();
        self.prints += 1;
        self.write("print", more);
    }

    fn picture(&mut self) -> Option<String> {
        let receipt = self.strip.as_mut()?.cut();
        let job = self.job.map(|job| job.to_string()).unwrap_or_default();
        let job: String = job.chars().filter(char::is_ascii_alphanumeric).collect();
        let now = jiff::Timestamp::now().as_millisecond();
        let name = format!("{}-{now}-{job}-{:04}.png", self.build.device, self.prints + 1);
        let path = self.build.paper_dir.as_ref()?.join(name);
        match receipt.picture().save(&path) {
            Ok(()) => Some(path.display().to_string()),
            Err(fault) => {
                tracing::warn!(%fault, path = %path.display(), "could not save the picture of a receipt");
                None
            }
        }
    }

    fn pulse(&mut self, pin: Pin) {
        let mut more = self.of_job();
        let pin = match pin {
            Pin::Two => 2,
            Pin::Five => 5,
        };
        more.insert("pin".into(), pin.into());
        more.insert("was_open".into(), self.drawer_open.into());
        self.pulses += 1;
        self.write("pulse", more);
        self.move_drawer(true);
    }

    pub(super) fn move_drawer(&mut self, open: bool) {
        self.drawer_open = open;
        let closes_after = self.build.drawer_closes_after.filter(|_| open);
        self.drawer_closes_at = closes_after.map(|after| Instant::now() + after);
        self.tell_changes();
    }

    /// When somebody pushes the drawer shut.
    pub(super) fn drawer_closes_at(&self) -> Option<Instant> {
        self.drawer_closes_at
    }

    fn write(&mut self, event: &str, more: Map<String, Value>) {
        if let Err(fault) = self.ledger.happened(event, more) {
            tracing::error!(%fault, event, "the ledger could not be written");
            self.ledger_fault = Some(fault.to_string());
        }
    }

    fn introduce(&self, caller: Caller, question: u8) {
        let words: &[u8] = match question {
            // One byte each: model, kinds of paper and cutter.
            1 | b'1' => b"\x20",
            2 | b'2' => b"\x02",
            65 => b"_1.0\0",
            66 => b"_BACKROOM\0",
            67 => b"_VIRTUAL\0",
            68 => b"_0\0",
            _ => return,
        };
        self.answer(caller, words.to_vec());
    }

    fn answer(&self, caller: Caller, bytes: Vec<u8>) {
        if self.knobs.mute {
            return;
        }
        if let Some(line) = self.lines.get(&caller) {
            let _ = line.out.send(Out::Bytes(bytes));
        }
    }

    /// Whoever wants it hears what is different now.
    pub(super) fn tell_changes(&mut self) {
        if self.knobs.mute || self.knobs.stall {
            return;
        }
        let now = self.status().automatic();
        for line in self.lines.values_mut().filter(|line| line.automatic && line.told != Some(now)) {
            line.told = Some(now);
            let _ = line.out.send(Out::Bytes(now.to_vec()));
        }
    }

    fn pin_high(&self) -> bool {
        self.drawer_open == self.build.pin_high_when_open
    }

    fn status(&self) -> Status {
        Status {
            offline: self.knobs.offline,
            cover_open: self.knobs.cover_open,
            paper_low: self.knobs.roll == Roll::Low,
            paper_out: self.knobs.roll == Roll::Out,
            cutter_error: self.knobs.cutter_jammed,
            other_error: false,
            drawer_pin_high: self.pin_high(),
        }
    }

    pub(super) fn state(&self) -> Map<String, Value> {
        let mut state = Map::new();
        self.knobs.tell(&mut state);
        state.insert("drawer_open".into(), self.drawer_open.into());
        state.insert("job".into(), self.job.map_or(Value::Null, |job| job.to_string().into()));
        for (name, count) in [
            ("prints", self.prints),
            ("pulses", self.pulses),
            ("jobs_done", self.jobs_done),
            ("taken_bytes", self.taken_bytes),
            ("unknown_bytes", self.unknown_bytes),
            ("waiting_bytes", self.buffer.len() as u64),
            ("connections", self.lines.len() as u64),
        ] {
            state.insert(name.into(), count.into());
        }
        state.insert("last_unknown".into(), self.last_unknown.clone().into());
        state.insert("ledger_fault".into(), self.ledger_fault.clone().into());
        state
    }
}

fn draw(strip: &mut Strip, qr_words: &mut Vec<u8>, heard: &Heard) {
    match heard {
        Heard::Text(run) => strip.text(run),
        Heard::LineFeed => strip.line_feed(),
        Heard::Initialise => strip.initialise(),
        Heard::Bold { on } => strip.bold(*on),
        Heard::Size { width, height } => strip.size(*width, *height),
        Heard::Align(align) => strip.align(*align),
        Heard::Column(dots) => strip.column(*dots),
        Heard::Along(dots) => strip.along(*dots),
        Heard::Feed { lines } => strip.feed(*lines),
        Heard::FeedDots(dots) => strip.feed_a_little(*dots),
        Heard::BarHeight(dots) => strip.bar_height(*dots),
        Heard::BarWidth(dots) => strip.bar_width(*dots),
        Heard::BarWords(place) => strip.bar_words(*place),
        Heard::BarCode(words) => strip.bar_code(words),
        Heard::QrSize(dots) => strip.qr_dot(*dots),
        Heard::QrWords(words) => qr_words.clone_from(words),
        Heard::QrDraw => strip.qr(qr_words),
        _ => {}
    }
}
