//! The way to one bar code scanner on a serial line.
//!
//! Owns the port and where one code ends and the next begins. Codes leave as the scanner sent them, with its AIM id where it sends
//! one; what they mean belongs to `backroom_core::barcode`. What no scanner sends is told as [`Scan::Garbage`] and never
//! taken for a code, or a part of one. What lay in the line before it was opened belongs to nobody's basket and is thrown away.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::termios::{self, OptionalActions, QueueSelector};
use tokio::net::unix::pipe::Receiver;
use tokio::time::timeout;

use crate::link::LinkDown;

/// Longer than any bar code that is handled in a shop; the longest QR codes are not.
const LONGEST_CODE: usize = 1024;
/// Separates the parts of a GS1 code.
const FNC1: u8 = 0x1d;

/// With what the scanner ends each code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Suffix {
    /// As most come. A line feed behind it does no harm.
    #[default]
    Cr,
    Lf,
    Tab,
}

impl Suffix {
    fn byte(self) -> u8 {
        match self {
            Self::Cr => b'\r',
            Self::Lf => b'\n',
            Self::Tab => b'\t',
        }
    }
}

/// Whether the scanner says what kind of code it read (`]E0`), before the code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AimIds {
    #[default]
    Absent,
    /// A code without one is garbage.
    Sent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScannerSettings {
    pub baud: u32,
    pub suffix: Suffix,
    pub aim_ids: AimIds,
    /// A code whose end does not come in this time is broken off.
    pub piece_timeout: Duration,
}

impl Default for ScannerSettings {
    fn default() -> Self {
        Self {
            baud: 9600,
            suffix: Suffix::default(),
            aim_ids: AimIds::default(),
            piece_timeout: Duration::from_millis(500),
        }
    }
}

/// What came over the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scan {
    /// Printable characters, parts of a GS1 code separated by 0x1d; with its AIM id if the scanner sends them.
    Code(String),
    /// `bytes` of them. For the log, and for a sound that says "scan again".
    Garbage { bytes: usize, why: &'static str },
}

/// A serial port with a scanner behind it. Once it is down, open it anew.
#[derive(Debug)]
pub struct ScannerLink {
    /// No pipe, but read and waited for like one.
    port: Receiver,
    codes: Codes,
    piece_timeout: Duration,
    down: Option<LinkDown>,
}

impl ScannerLink {
    /// Opens a serial device such as `/dev/ttyUSB0`. Within a tokio runtime.
    pub fn open(path: &Path, settings: ScannerSettings) -> Result<Self, LinkDown> {
        let failed = |fault: io::Error| LinkDown::new(format!("could not open the scanner at {}: {fault}", path.display()));
        let port = set_up(path, settings.baud).map_err(failed)?;
        Ok(Self {
            port: Receiver::from_owned_fd_unchecked(port).map_err(failed)?,
            codes: Codes::new(settings.suffix, settings.aim_ids),
            piece_timeout: settings.piece_timeout,
            down: None,
        })
    }

    /// The next code, or what came instead. May be dropped at any time; nothing is lost.
    pub async fn next(&mut self) -> Result<Scan, LinkDown> {
        loop {
            if let Some(scan) = self.codes.next() {
                return Ok(scan);
            }
            if let Some(down) = &self.down {
                return Err(down.clone());
            }
            let read = read(&self.port);
            let read = if self.codes.is_between() {
                read.await
            } else {
                match timeout(self.piece_timeout, read).await {
                    Ok(read) => read,
                    Err(_) => {
                        self.codes.break_off();
                        continue;
                    }
                }
            };
            match read {
                Ok(bytes) => self.codes.feed(&bytes),
                Err(fault) => self.down = Some(LinkDown::new(format!("the scanner is gone ({fault}); is its cable plugged in?"))),
            }
        }
    }
}

fn set_up(path: &Path, baud: u32) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let port = rustix::fs::open(path, flags, Mode::empty())?;
    let mut line = termios::tcgetattr(&port)?;
    line.make_raw();
    line.set_speed(baud)?;
    termios::tcsetattr(&port, OptionalActions::Now, &line)?;
    termios::tcflush(&port, QueueSelector::IFlush)?;
    Ok(port)
}

async fn read(port: &Receiver) -> io::Result<Vec<u8>> {
    let mut piece = [0; 256];
    loop {
        port.readable().await?;
        match port.try_read(&mut piece) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => return Ok(piece[..length].to_vec()),
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {}
            Err(fault) => return Err(fault),
        }
    }
}

/// Cuts what comes into codes.
#[derive(Debug)]
struct Codes {
    suffix: u8,
    aim_ids: AimIds,
    held: Vec<u8>,
    /// Bytes of the code under way that were too many to hold.
    beyond: usize,
    ready: std::collections::VecDeque<Scan>,
}

impl Codes {
    fn new(suffix: Suffix, aim_ids: AimIds) -> Self {
        Self {
            suffix: suffix.byte(),
            aim_ids,
            held: Vec::new(),
            beyond: 0,
            ready: std::collections::VecDeque::new(),
        }
    }

    fn next(&mut self) -> Option<Scan> {
        self.ready.pop_front()
    }

    fn is_between(&self) -> bool {
        self.held.is_empty()
    }

    fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == self.suffix {
                self.end();
            } else if self.held.len() < LONGEST_CODE {
                self.held.push(byte);
            } else {
                self.beyond += 1;
            }
            if self.held == b"\n" && self.suffix == b'\r' {
                self.held.clear();
            }
        }
    }

    fn end(&mut self) {
        let bytes = std::mem::take(&mut self.held);
        let beyond = std::mem::take(&mut self.beyond);
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len() + beyond;
        self.ready.push_back(match code(bytes, self.aim_ids) {
            Ok(_) if beyond > 0 => Scan::Garbage {
                bytes: length,
                why: "longer than any code of goods",
            },
            Ok(code) => Scan::Code(code),
            Err(why) => Scan::Garbage { bytes: length, why },
        });
    }

    fn break_off(&mut self) {
        let bytes = std::mem::take(&mut self.held).len() + std::mem::take(&mut self.beyond);
        self.ready.push_back(Scan::Garbage {
            bytes,
            why: "broken off; is the scanner set to another suffix?",
        });
    }
}

fn code(bytes: Vec<u8>, aim_ids: AimIds) -> Result<String, &'static str> {
    let text = String::from_utf8(bytes).map_err(|_| "no text; is the baud rate right?")?;
    let sound = |letter: char| !letter.is_control() || letter == char::from(FNC1);
    if !text.chars().all(sound) {
        return Err("control characters; is the baud rate right?");
    }
    if text.trim().is_empty() {
        return Err("nothing but spaces");
    }
    if aim_ids == AimIds::Sent && !has_aim_id(&text) {
        return Err("no AIM id; is the scanner set to send one?");
    }
    Ok(text)
}

/// `]`, a letter for the kind of code, a digit or letter for how it was read, and something behind them.
fn has_aim_id(text: &str) -> bool {
    matches!(text.as_bytes(), [b']', kind, how, _, ..] if kind.is_ascii_alphabetic() && how.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scans(pieces: &[&[u8]], suffix: Suffix, aim_ids: AimIds) -> Vec<Scan> {
        let mut codes = Codes::new(suffix, aim_ids);
        pieces.iter().for_each(|piece| codes.feed(piece));
        codes.ready.into()
    }

    fn code(text: &str) -> Scan {
        Scan::Code(text.to_owned())
    }

    #[test]
    fn codes_end_with_their_suffix_however_they_come() {
        let cr = |pieces: &[&[u8]]| scans(pieces, Suffix::Cr, AimIds::Absent);
        assert_eq!(cr(&[b"40063", b"81333931\r\n961", b"1\r"]), [code("4006381333931"), code("9611")]);
        assert_eq!(cr(&[b"a\r", b"\n", b"b\r\n\r\rc"]), [code("a"), code("b")]);
        assert_eq!(cr(&["0104\u{1d}10ä\r".as_bytes()]), [code("0104\u{1d}10ä")]);
        assert_eq!(scans(&[b"a\tb\t"], Suffix::Tab, AimIds::Absent), [code("a"), code("b")]);
        assert_eq!(scans(&[b"a\n\nb\n"], Suffix::Lf, AimIds::Absent), [code("a"), code("b")]);
    }

    #[test]
    fn garbage_is_no_code() {
        let garbage = |bytes: &[u8]| {
            let told = scans(&[bytes, b"\rok\r"], Suffix::Cr, AimIds::Absent);
            let [Scan::Garbage { bytes: length, .. }, Scan::Code(next)] = &*told else {
                panic!("{told:?}")
            };
            assert_eq!((*length, &**next), (bytes.len(), "ok"));
        };
        garbage(b"\xff\xfe\x80");
        garbage(b"40\x0063");
        garbage(b"   ");
        garbage(&[b'7'; LONGEST_CODE + 1]);
        let aim = scans(&[b"]E04006381333931\r4006381333931\r]E0\r"], Suffix::Cr, AimIds::Sent);
        assert_eq!(aim[0], code("]E04006381333931"));
        assert!(aim[1..].iter().all(|scan| matches!(scan, Scan::Garbage { .. })) && aim.len() == 3);
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same_and_hold_little(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\r\n\t]E4".as_slice())], 0..3000), piece in 1_usize..99) {
            let pieces: Vec<&[u8]> = bytes.chunks(piece).collect();
            prop_assert_eq!(scans(&pieces, Suffix::Cr, AimIds::Absent), scans(&[&bytes], Suffix::Cr, AimIds::Absent));
        }
    }
}
