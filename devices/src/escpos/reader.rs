//! The way back: what a printer does when it is sent these bytes.
//!
//! Knows the commands this crate sends, and no others; what else comes is told as [`Heard::Unknown`] and stepped over as far as it was
//! recognised. Never more than one command and one run of text are held, however the bytes come. Answering, paper and
//! ledgers belong to a simulator.

use crate::escpos::code_page::CodePage;
use crate::escpos::drawer::Pin;
use crate::escpos::{Cut, DLE, ESC, GS, LF};

/// A run of text is told at the latest after so many characters.
const LONGEST_RUN: usize = 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Characters side by side; a line may come in several runs. What the code page lacks is U+FFFD.
    Text(String),
    LineFeed,
    Initialise,
    CodePage(u8),
    CharacterSet(u8),
    Bold {
        on: bool,
    },
    /// How many times the usual size.
    Size {
        width: u8,
        height: u8,
    },
    /// Ends the line, then so many more.
    Feed {
        lines: u8,
    },
    Cut(Cut),
    Pulse {
        pin: Pin,
        on_ms: u16,
        off_ms: u16,
    },
    /// Not understood, or broken off by the end.
    Unknown(Vec<u8>),
}

/// Reads a stream in whatever pieces it comes.
#[derive(Debug, Default)]
pub struct Reader {
    code_page: Option<CodePage>,
    run: String,
    run_length: usize,
    command: Vec<u8>,
}

impl Reader {
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        for &byte in bytes {
            if self.command.is_empty() && byte >= b' ' && byte != 0x7f {
                self.print(byte, &mut heard);
                continue;
            }
            self.command.push(byte);
            if let Some(done) = command(&self.command) {
                self.tell_run(&mut heard);
                self.obey(&done);
                self.command.clear();
                heard.push(done);
            }
        }
        heard
    }

    /// What was still held when the stream ended.
    pub fn finish(mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        self.tell_run(&mut heard);
        if !self.command.is_empty() {
            heard.push(Heard::Unknown(self.command));
        }
        heard
    }

    fn print(&mut self, byte: u8, heard: &mut Vec<Heard>) {
        // Without a page of ours only ASCII is sure.
        let printed = match self.code_page {
            Some(page) => page.char_of(byte),
            None => Some(char::from(byte)).filter(char::is_ascii),
        };
        self.run.push(printed.unwrap_or(char::REPLACEMENT_CHARACTER));
        self.run_length += 1;
        if self.run_length == LONGEST_RUN {
            self.tell_run(heard);
        }
    }

    fn tell_run(&mut self, heard: &mut Vec<Heard>) {
        if self.run_length > 0 {
            self.run_length = 0;
            heard.push(Heard::Text(std::mem::take(&mut self.run)));
        }
    }

    fn obey(&mut self, command: &Heard) {
        match command {
            Heard::Initialise => self.code_page = None,
            Heard::CodePage(number) => self.code_page = CodePage::of_number(*number),
            _ => {}
        }
    }
}

/// The lines of text, without their looks. Commands between runs do not end a line; feeding and cutting do.
pub fn text_lines(heard: &[Heard]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for heard in heard {
        match heard {
            Heard::Text(run) => line.push_str(run),
            Heard::LineFeed => lines.push(std::mem::take(&mut line)),
            Heard::Feed { .. } | Heard::Cut(_) if !line.is_empty() => lines.push(std::mem::take(&mut line)),
            _ => {}
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// `None` while bytes of the command are missing.
fn command(bytes: &[u8]) -> Option<Heard> {
    Some(match *bytes {
        [LF] => Heard::LineFeed,
        [ESC | GS | DLE] | [ESC, b't' | b'R' | b'E' | b'd' | b'p'] | [ESC, b'p', _] | [ESC, b'p', _, _] | [GS, b'!' | b'V'] => return None,
        [ESC, b'@'] => Heard::Initialise,
        [ESC, b't', number] => Heard::CodePage(number),
        [ESC, b'R', number] => Heard::CharacterSet(number),
        // Only the lowest bit counts.
        [ESC, b'E', switch] => Heard::Bold { on: switch & 1 == 1 },
        [ESC, b'd', lines] => Heard::Feed { lines },
        [ESC, b'p', 0 | b'0', on, off] => pulse(Pin::Two, on, off),
        [ESC, b'p', 1 | b'1', on, off] => pulse(Pin::Five, on, off),
        [GS, b'!', size] if size & 0b1000_1000 == 0 => Heard::Size {
            width: (size >> 4) + 1,
            height: (size & 7) + 1,
        },
        [GS, b'V', 0 | b'0'] | [GS, b'V', b'A', _] => Heard::Cut(Cut::Full),
        [GS, b'V', 1 | b'1'] | [GS, b'V', b'B', _] => Heard::Cut(Cut::Partial),
        [GS, b'V', b'A' | b'B'] => return None,
        _ => Heard::Unknown(bytes.to_vec()),
    })
}

fn pulse(pin: Pin, on: u8, off: u8) -> Heard {
    Heard::Pulse {
        pin,
        on_ms: u16::from(on) * 2,
        off_ms: u16::from(off) * 2,
    }
}
