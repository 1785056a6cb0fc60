//! Bytes to a printer and answers back, on one socket.
//!
//! Owns what is still to be sent, and which questions are still to be answered. Answers to `DLE EOT` do not say which question they
//! belong to; they come in order. Every wait may be dropped half-way: what was sent and heard by then is remembered here.

use std::collections::VecDeque;
use std::io;

use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::escpos::answer::{Answer, Answers};
use crate::escpos::job_id::JobId;
use crate::escpos::status::{Question, Status};
use crate::link::LinkDown;

/// What a printer is given at a time; its own buffer is seldom larger.
const PIECE: usize = 4096;
const DLE_EOT: [u8; 2] = [0x10, 0x04];
/// Every kind of status, whenever it changes.
const GS_A_ALL: [u8; 3] = [0x1d, b'a', 0xff];

#[derive(Debug)]
pub(super) struct Wire {
    /// `None` once hung up.
    stream: Option<TcpStream>,
    unsent: Vec<u8>,
    sent: usize,
    answers: Answers,
    status: Status,
    asked: VecDeque<Question>,
    answered: u64,
    mark: Option<Mark>,
    marked: u32,
}

/// What says that all before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Job(JobId),
    /// `GS r 1`.
    Paper,
}

impl Mark {
    fn request(self) -> Vec<u8> {
        match self {
            Self::Job(job) => job.request(),
            Self::Paper => vec![0x1d, b'r', 1],
        }
    }
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream: Some(stream),
            unsent: Vec::new(),
            sent: 0,
            answers: Answers::default(),
            status: Status::default(),
            asked: VecDeque::new(),
            answered: 0,
            mark: None,
            marked: 0,
        }
    }

    pub(super) fn status(&self) -> Status {
        self.status
    }

    /// Whether no question is open: answers one by one would show states that never were.
    pub(super) fn settled(&self) -> bool {
        self.asked.is_empty()
    }

    /// Asks all questions; the number is for [`Self::has_answered`].
    pub(super) fn ask(&mut self) -> u64 {
        for question in Question::ALL {
            self.send(&DLE_EOT);
            self.send(&[question.number()]);
            self.asked.push_back(question);
        }
        self.answered + self.asked.len() as u64
    }

    pub(super) fn has_answered(&self, number: u64) -> bool {
        self.answered >= number
    }

    pub(super) fn want_automatic_status(&mut self) {
        self.send(&GS_A_ALL);
    }

    /// From now on answers to this mark are counted, and to no other.
    pub(super) fn want_mark(&mut self, mark: Mark) {
        self.mark = Some(mark);
        self.marked = 0;
        self.send(&mark.request());
    }

    pub(super) fn want_mark_again(&mut self) {
        if let Some(mark) = self.mark {
            self.send(&mark.request());
        }
    }

    pub(super) fn forget_mark(&mut self) {
        self.mark = None;
    }

    pub(super) fn marked(&self) -> u32 {
        self.marked
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.unsent.extend(bytes);
    }

    pub(super) fn unsent(&self) -> usize {
        self.unsent.len() - self.sent
    }

    /// A printer serves one caller at a time; the next one, perhaps ourselves, should not wait.
    pub(super) fn hang_up(&mut self) {
        self.stream = None;
    }

    fn stream(&self) -> Result<&TcpStream, LinkDown> {
        self.stream
            .as_ref()
            .ok_or_else(|| LinkDown::new("the connection to the printer was closed"))
    }

    /// Sends and hears what the socket lets through now; waits only if that is nothing.
    pub(super) async fn turn(&mut self) -> Result<(), LinkDown> {
        let wanted = if self.unsent() > 0 {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        let ready = self.stream()?.ready(wanted).await.map_err(broken)?;
        if ready.is_readable() {
            self.hear()?;
        }
        if ready.is_writable() {
            self.push()?;
        }
        Ok(())
    }

    fn hear(&mut self) -> Result<(), LinkDown> {
        let mut piece = [0; 512];
        let length = match self.stream()?.try_read(&mut piece) {
            Ok(0) => return Err(LinkDown::new("the printer closed the connection")),
            Ok(length) => length,
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(fault) => return Err(broken(fault)),
        };
        for answer in self.answers.feed(&piece[..length]) {
            match answer {
                Answer::RealTime(byte) => {
                    if let Some(question) = self.asked.pop_front() {
                        self.answered += 1;
                        self.status.hear(question, byte);
                    }
                }
                Answer::Automatic(bytes) => self.status = Status::of_automatic(bytes),
                Answer::Done(job) if self.mark == Some(Mark::Job(job)) => self.marked += 1,
                Answer::Paper(_) if self.mark == Some(Mark::Paper) => self.marked += 1,
                Answer::Noise(byte) => tracing::debug!(byte, "the printer sent a byte that is no answer"),
                Answer::Done(_) | Answer::Paper(_) | Answer::Block(_) => {}
            }
        }
        Ok(())
    }

    fn push(&mut self) -> Result<(), LinkDown> {
        if self.unsent() == 0 {
            return Ok(());
        }
        let end = self.unsent.len().min(self.sent + PIECE);
        match self.stream()?.try_write(&self.unsent[self.sent..end]) {
            Ok(length) => self.sent += length,
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {}
            Err(fault) => return Err(broken(fault)),
        }
        if self.unsent() == 0 {
            self.unsent.clear();
            self.sent = 0;
        }
        Ok(())
    }
}

fn broken(fault: io::Error) -> LinkDown {
    LinkDown::new(format!("the connection to the printer broke: {fault}"))
}
