//! The way back: what a printer does when it is sent these bytes.
//!
//! Knows the commands this crate sends, and those with which others look after a printer or set its type; what else comes is told as
//! [`Heard::Unknown`] and stepped over as far as it was recognised. Never more than one command and one run of text are
//! held, however the bytes come. Answering, paper and ledgers belong to a simulator.

mod command;

use crate::escpos::Cut;
use crate::escpos::code_page::CodePage;
use crate::escpos::drawer::Pin;
use crate::escpos::job_id::JobId;
use crate::escpos::reader::command::command;

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
    Align(Align),
    /// Where the next character stands, in dots from the left edge.
    Column(u16),
    /// The same, from where the last one ended.
    Along(i16),
    /// Ends the line, then so many more.
    Feed {
        lines: u8,
    },
    /// The same, so many dots.
    FeedDots(u8),
    Cut(Cut),
    Pulse {
        pin: Pin,
        on_ms: u16,
        off_ms: u16,
    },
    /// A pulse that does not wait for what came before it.
    PulseAtOnce {
        pin: Pin,
        on_ms: u16,
    },
    BarHeight(u8),
    BarWidth(u8),
    /// Whether the words stand above (1) or below (2) a bar code.
    BarWords(u8),
    /// Code 128, without what only chooses its code sets.
    BarCode(String),
    QrSize(u8),
    QrWords(Vec<u8>),
    QrDraw,
    /// `DLE EOT n`: asks for status, at once.
    StatusWanted(u8),
    /// `GS a n`: wants status whenever something of this kind changes.
    AutomaticStatus(u8),
    /// `GS r n`: asks for status once all before it is done.
    PaperWanted(u8),
    /// `GS I n`: asks what printer this is.
    NameWanted(u8),
    /// `GS ( H`: asks for this mark once all before it is done.
    DoneWanted(JobId),
    /// Understood, but it changes no more than the look of the text.
    Look(Vec<u8>),
    /// Not understood, or broken off by the end.
    Unknown(Vec<u8>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Align {
    #[default]
    Left,
    Centre,
    Right,
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
            Heard::Feed { .. } | Heard::FeedDots(_) | Heard::Cut(_) if !line.is_empty() => lines.push(std::mem::take(&mut line)),
            _ => {}
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The words of the codes, in their order.
pub fn codes(heard: &[Heard]) -> Vec<String> {
    let mut stored = Vec::new();
    let mut codes = Vec::new();
    for heard in heard {
        match heard {
            Heard::BarCode(words) => codes.push(words.clone()),
            Heard::QrWords(words) => stored.clone_from(words),
            Heard::QrDraw => codes.push(String::from_utf8_lossy(&stored).into_owned()),
            _ => {}
        }
    }
    codes
}
