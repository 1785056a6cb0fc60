//! The bytes of one connection to a reader: whole messages in, whole messages out, in whatever pieces they travel.
//!
//! Knows deadlines and ids, but not what is said. Waiting may be given up at any time without losing a byte.

use std::io;
use std::time::Duration;

use backroom_llrp::frame::{Decoder, Message, Side, Taken, Version};
use backroom_llrp::message::Said;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::ReaderDown;

const PIECE: usize = 64 * 1024;

/// Unsent bytes after which nobody can be reading at the other end: all we ever say is a few hundred.
const MOST_UNSENT: usize = 256 * 1024;

#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    decoder: Decoder,
    piece: Vec<u8>,
    /// How much of the piece was taken.
    taken: usize,
    unsent: Vec<u8>,
    last_id: u32,
    last_heard: Instant,
    /// The end, to be told once everything before it was.
    over: Option<ReaderDown>,
}

impl Wire {
    pub async fn connect(address: &str, patience: Duration) -> Result<Self, ReaderDown> {
        let unreachable = |why: String| ReaderDown::Unreachable {
            address: address.to_owned(),
            why,
        };
        let stream = match timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(fault)) => return Err(unreachable(fault.to_string())),
            Err(_) => return Err(unreachable(format!("nobody answered within {patience:?}"))),
        };
        stream.set_nodelay(true).map_err(|fault| lost(&fault))?;
        Ok(Self {
            stream,
            decoder: Decoder::new(Side::Client),
            piece: Vec::with_capacity(PIECE),
            taken: 0,
            unsent: Vec::new(),
            last_id: 0,
            last_heard: Instant::now(),
            over: None,
        })
    }

    /// When the reader last said anything at all.
    pub fn last_heard(&self) -> Instant {
        self.last_heard
    }

    /// Queues a message under an id of its own. It leaves while we listen.
    pub fn say(&mut self, said: &Said) -> Result<u32, ReaderDown> {
        // Zero is what readers put where they know no id.
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.answer(said, self.last_id)?;
        Ok(self.last_id)
    }

    /// Queues a message under the id of what it answers.
    pub fn answer(&mut self, said: &Said, id: u32) -> Result<(), ReaderDown> {
        let unsaid = |why: String| ReaderDown::Lost { why };
        let message = said.message(Version::V1_0_1, id).map_err(|wrong| unsaid(wrong.to_string()))?;
        let bytes = message.to_bytes().map_err(|wrong| unsaid(wrong.to_string()))?;
        if self.unsent.len() + bytes.len() > MOST_UNSENT {
            return Err(unsaid("the reader takes nothing any more".to_owned()));
        }
        self.unsent.extend(bytes);
        Ok(())
    }

    /// Ends the connection: at once, or when what was heard before it has been taken.
    pub fn over(&mut self, down: ReaderDown, at_once: bool) -> Result<(), ReaderDown> {
        self.over = Some(down.clone());
        if at_once { Err(down) } else { Ok(()) }
    }

    /// The next message; `None` at the deadline. What is already here counts as in time.
    pub async fn hear(&mut self, deadline: Instant) -> Result<Option<Message>, ReaderDown> {
        if let Some(down) = &self.over {
            return Err(down.clone());
        }
        loop {
            let mut rest = self.piece.get(self.taken..).unwrap_or_default();
            let taken = self.decoder.take(&mut rest);
            self.taken = self.piece.len() - rest.len();
            match taken {
                Ok(Taken::Message(message)) => return Ok(Some(message)),
                Ok(Taken::NeedsMore { .. }) => {}
                Err(wrong) => return Err(ReaderDown::Garbled { why: wrong.to_string() }),
            }
            self.piece.clear();
            self.taken = 0;
            // Reading is tried before the clock is looked at.
            match timeout_at(deadline, self.move_bytes()).await {
                Ok(moved) => moved?,
                Err(_) => return Ok(None),
            }
        }
    }

    /// Until something came; sends meanwhile what is unsent.
    async fn move_bytes(&mut self) -> Result<(), ReaderDown> {
        let (mut reading, mut writing) = self.stream.split();
        loop {
            tokio::select! {
                read = reading.read_buf(&mut self.piece) => {
                    if read.map_err(|fault| lost(&fault))? == 0 {
                        return Err(ReaderDown::Closed);
                    }
                    self.last_heard = Instant::now();
                    return Ok(());
                }
                written = writing.write(&self.unsent), if !self.unsent.is_empty() => {
                    let written = written.map_err(|fault| lost(&fault))?;
                    self.unsent.drain(..written);
                }
            }
        }
    }
}

fn lost(fault: &io::Error) -> ReaderDown {
    ReaderDown::Lost { why: fault.to_string() }
}
