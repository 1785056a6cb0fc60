//! The way to one receipt printer over TCP, and to the drawer that hangs on it.
//!
//! Owns the printer's state as it was last heard, and the honest end of each job. A job stands between two marks: the answer to the first says that the printer works, and only then does the first byte of the job leave; the
//! answer to the second says that all of it is done. What happened in between, nobody else can know. Nothing is sent twice:
//! repeating a receipt is a person's decision, repeating a pulse nobody's.

mod wire;

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::escpos::job_id::JobId;
use crate::escpos::status::Status;
use crate::link::printer::wire::{Mark, Wire};
use crate::link::{Cause, Ended, LinkDown};

/// How each laid out receipt begins.
const RESET: [u8; 2] = [0x1b, b'@'];

/// How patient a link is, and what its drawer's switch means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrinterSettings {
    pub connect_timeout: Duration,
    /// For an answer that a printer gives at once, whatever else it does.
    pub answer_timeout: Duration,
    /// A job ends as unknown when for so long no byte was taken and no mark came.
    pub job_timeout: Duration,
    /// How often an idle printer is asked how it is. Changes that it tells by itself are heard at once.
    pub ask_every: Duration,
    pub drawer_switch: DrawerSwitch,
    pub end_mark: EndMark,
}

impl Default for PrinterSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            answer_timeout: Duration::from_secs(1),
            job_timeout: Duration::from_secs(10),
            ask_every: Duration::from_millis(500),
            drawer_switch: DrawerSwitch::default(),
            end_mark: EndMark::default(),
        }
    }
}

/// How a printer is asked to say that a job is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndMark {
    /// `GS ( H`: it says the job's id back.
    #[default]
    JobId,
    /// `GS r`: any answer in its turn will do, for printers that know no ids.
    PaperStatus,
}

/// Drawers differ in what the third pin of their plug says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DrawerSwitch {
    /// As most are.
    #[default]
    HighWhenClosed,
    HighWhenOpen,
    /// The drawer has no switch, or there is no drawer.
    Absent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaperState {
    Ok,
    /// It still prints.
    Low,
    Out,
}

/// How a printer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrinterState {
    pub paper: PaperState,
    pub cover_open: bool,
    /// Also when one of the other reasons keeps it from printing.
    pub offline: bool,
    pub cutter_error: bool,
    pub other_error: bool,
    /// `None` where no switch tells.
    pub drawer_open: Option<bool>,
}

impl PrinterState {
    fn of(status: &Status, switch: DrawerSwitch) -> Self {
        Self {
            paper: match (status.paper_out, status.paper_low) {
                (true, _) => PaperState::Out,
                (false, true) => PaperState::Low,
                (false, false) => PaperState::Ok,
            },
            cover_open: status.cover_open,
            offline: status.offline,
            cutter_error: status.cutter_error,
            other_error: status.other_error,
            drawer_open: match switch {
                DrawerSwitch::HighWhenClosed => Some(!status.drawer_pin_high),
                DrawerSwitch::HighWhenOpen => Some(status.drawer_pin_high),
                DrawerSwitch::Absent => None,
            },
        }
    }

    /// Why it does not print now, for the one in front of it; `None` when it does.
    pub fn trouble(&self) -> Option<&'static str> {
        if self.cover_open {
            Some("the printer's cover is open; close it")
        } else if self.paper == PaperState::Out {
            Some("the printer is out of paper; put a roll in")
        } else if self.cutter_error {
            Some("the printer's cutter is jammed; open the cover and free it")
        } else if self.other_error {
            Some("the printer reports an error; switch it off and on")
        } else if self.offline {
            Some("the printer is offline; look at its panel")
        } else {
            None
        }
    }
}

/// A connection to a printer. Once it is down it stays down: connect anew.
#[derive(Debug)]
pub struct PrinterLink {
    wire: Wire,
    settings: PrinterSettings,
    states: watch::Sender<PrinterState>,
    ask_at: Instant,
    down: Option<LinkDown>,
}

impl PrinterLink {
    /// Connects to `host:port` and asks how the printer is.
    pub async fn connect(address: &str, settings: PrinterSettings) -> Result<Self, LinkDown> {
        let stream = match timeout(settings.connect_timeout, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(fault)) => return Err(LinkDown::new(format!("no printer answers at {address}: {fault}"))),
            Err(_) => return Err(LinkDown::new(format!("no printer answers at {address} in time"))),
        };
        // A pulse of five bytes does not wait for company.
        if let Err(fault) = stream.set_nodelay(true) {
            return Err(LinkDown::new(format!("could not set up the connection to {address}: {fault}")));
        }
        let wire = Wire::new(stream);
        let states = watch::Sender::new(PrinterState::of(&wire.status(), settings.drawer_switch));
        let mut link = Self {
            wire,
            settings,
            states,
            ask_at: Instant::now(),
            down: None,
        };
        link.wire.want_automatic_status();
        link.status().await?;
        Ok(link)
    }

    /// Asks the printer how it is, now.
    pub async fn status(&mut self) -> Result<PrinterState, LinkDown> {
        self.still_up()?;
        let answered = self.wire.ask();
        let deadline = Instant::now() + self.settings.answer_timeout;
        while !self.wire.has_answered(answered) {
            match timeout_at(deadline, self.wire.turn()).await {
                Ok(Ok(())) => {}
                Ok(Err(down)) => return Err(self.fall(down)),
                Err(_) => return Err(self.fall(LinkDown::new("the printer does not answer; is it switched on?"))),
            }
        }
        self.ask_at = Instant::now() + self.settings.ask_every;
        Ok(self.tell())
    }

    /// Waits until the printer is not as it last was: told, asked for or seen in [`Self::states`]. May be dropped at any time.
    pub async fn changed(&mut self) -> Result<PrinterState, LinkDown> {
        self.still_up()?;
        let before = *self.states.borrow();
        loop {
            match timeout_at(self.ask_at, self.wire.turn()).await {
                Ok(Ok(())) if self.wire.settled() => {
                    let now = self.tell();
                    if now != before {
                        return Ok(now);
                    }
                }
                Ok(Ok(())) => {}
                Ok(Err(down)) => return Err(self.fall(down)),
                Err(_) => {
                    let now = self.status().await?;
                    if now != before {
                        return Ok(now);
                    }
                }
            }
        }
    }

    /// The state as it was last heard, also while a job runs; for whoever shows it.
    pub fn states(&self) -> watch::Receiver<PrinterState> {
        self.states.subscribe()
    }

    /// Whether nothing more will come of this link.
    pub fn is_down(&self) -> bool {
        self.down.is_some()
    }

    /// Prints `bytes`, or sends a drawer's pulse. `job` is said back by the printer; a link's jobs must differ.
    ///
    /// After [`Ended::Unknown`] the link is down: what the printer still holds of this job must not meet the next one. To be
    /// awaited to its end; dropped earlier, the outcome is unknown and the link of no more use.
    pub async fn perform(&mut self, job: JobId, bytes: &[u8]) -> Ended {
        let failed = |why: &str| Ended::Failed { why: why.to_owned() };
        match self.status().await {
            Ok(state) => {
                if let Some(trouble) = state.trouble() {
                    return failed(trouble);
                }
            }
            Err(down) => return failed(&down.why),
        }
        // Until this is answered the printer was sent nothing that shows.
        self.wire.want_automatic_status();
        self.wire.want_mark(match self.settings.end_mark {
            EndMark::JobId => Mark::Job(job),
            EndMark::PaperStatus => Mark::Paper,
        });
        if let Err((_, why)) = self.until_marked(1).await {
            return failed(&self.fall(LinkDown::new(why)).why);
        }
        // A job's own reset switches it off.
        let (reset, rest) = bytes.split_at(if bytes.starts_with(&RESET) { RESET.len() } else { 0 });
        self.wire.send(reset);
        self.wire.want_automatic_status();
        self.wire.send(rest);
        self.wire.want_mark_again();
        match self.until_marked(2).await {
            Ok(()) => {
                self.wire.forget_mark();
                self.tell();
                Ended::Confirmed
            }
            Err((cause, why)) => {
                self.fall(LinkDown::new(why.clone()));
                Ended::Unknown { cause, why }
            }
        }
    }

    /// Waits for an answer to the mark. Patience begins anew with each byte the printer takes.
    async fn until_marked(&mut self, times: u32) -> Result<(), (Cause, String)> {
        let mut sent = self.wire.unsent();
        let mut deadline = Instant::now() + self.settings.job_timeout;
        loop {
            if self.wire.marked() >= times {
                return Ok(());
            }
            // Between a job's bytes a question could be taken for a part of it.
            let asking = self.wire.unsent() == 0;
            let wake = if asking { deadline.min(self.ask_at) } else { deadline };
            match timeout_at(wake, self.wire.turn()).await {
                Ok(Ok(())) => {}
                Ok(Err(down)) => return Err((Cause::Link, down.why)),
                Err(_) if Instant::now() >= deadline => return Err((Cause::Device, self.silence())),
                Err(_) => {
                    if self.wire.settled() {
                        self.wire.ask();
                    }
                    self.ask_at = Instant::now() + self.settings.ask_every;
                }
            }
            if self.wire.settled() {
                self.tell();
            }
            if self.wire.unsent() < sent {
                sent = self.wire.unsent();
                deadline = Instant::now() + self.settings.job_timeout;
            }
        }
    }

    /// Why a job did not end, as far as the printer let know.
    fn silence(&self) -> String {
        match self.states.borrow().trouble() {
            Some(trouble) => format!("{trouble}; it stopped in the middle"),
            None => "the printer took the job and does not say that it is done".to_owned(),
        }
    }

    fn tell(&self) -> PrinterState {
        let state = PrinterState::of(&self.wire.status(), self.settings.drawer_switch);
        self.states.send_if_modified(|told| std::mem::replace(told, state) != state);
        state
    }

    fn fall(&mut self, down: LinkDown) -> LinkDown {
        self.wire.hang_up();
        self.down.get_or_insert(down).clone()
    }

    fn still_up(&self) -> Result<(), LinkDown> {
        self.down.clone().map_or(Ok(()), Err)
    }
}
