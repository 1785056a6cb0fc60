//! A document as a print job: which byte comes where on the paper.
//!
//! Every job begins by putting the printer into a known state, whatever the job before left behind, and ends with feed and cut.
//! Nothing of a document reaches the printer but printable characters, so no name of an item can cut, or open the drawer.

use std::collections::BTreeSet;

use backroom_core::receipt::{Document, Row};

use crate::escpos::code_page::CodePage;
use crate::escpos::{Cut, ESC, GS, LF, Profile};

/// Bytes for a printer, and what the paper will not show as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub bytes: Vec<u8>,
    /// The characters this printer does not know, printed as `?`. For the log: the shop may want another code page.
    pub replaced: BTreeSet<char>,
}

pub fn lay_out(document: &Document, profile: &Profile) -> Job {
    let mut sheet = Sheet {
        columns: profile.paper.columns(),
        code_page: profile.code_page,
        bytes: Vec::new(),
        replaced: BTreeSet::new(),
    };
    // Reset, then the American character set: others draw letters where ASCII has brackets.
    sheet.bytes.extend([ESC, b'@', ESC, b'R', 0, ESC, b't', profile.code_page.number()]);
    for row in &document.rows {
        sheet.row(row);
    }
    sheet.bytes.extend([ESC, b'd', profile.feed_lines]);
    // These forms of the cut bring the last line past the blade by themselves.
    match profile.cut {
        Some(Cut::Full) => sheet.bytes.extend([GS, b'V', b'A', 0]),
        Some(Cut::Partial) => sheet.bytes.extend([GS, b'V', b'B', 0]),
        None => {}
    }
    Job {
        bytes: sheet.bytes,
        replaced: sheet.replaced,
    }
}

struct Sheet {
    columns: usize,
    code_page: CodePage,
    bytes: Vec<u8>,
    replaced: BTreeSet<char>,
}

impl Sheet {
    fn row(&mut self, row: &Row) {
        match row {
            Row::Title { text } => {
                let words = self.encode(text);
                let columns = self.columns;
                self.large(wrap(&words, columns).into_iter().map(|line| centred(line, columns)));
            }
            Row::Text { text } => {
                let words = self.encode(text);
                wrap(&words, self.columns).into_iter().for_each(|line| self.line(line));
            }
            Row::Figure { left, right } => self.two_columns(left, right).iter().for_each(|line| self.line(line)),
            Row::Total { left, right } => {
                let lines = self.two_columns(left, right);
                self.large(lines.into_iter());
            }
            Row::Rule => self.line(&vec![b'-'; self.columns]),
        }
    }

    fn encode(&mut self, text: &str) -> Vec<u8> {
        self.code_page.encode(text, &mut self.replaced)
    }

    /// The words give way to the figure: an amount is never cut. One that fills the paper gets a line of its own.
    fn two_columns(&mut self, left: &str, right: &str) -> Vec<Vec<u8>> {
        let (mut left, right) = (self.encode(left), self.encode(right));
        if right.is_empty() {
            left.truncate(self.columns);
            return vec![left];
        }
        if right.len() >= self.columns {
            left.truncate(self.columns);
            let figure = wrap(&right, self.columns).into_iter().map(<[u8]>::to_vec);
            let words = Some(left).filter(|words| !words.is_empty());
            return words.into_iter().chain(figure).collect();
        }
        left.resize(self.columns - right.len() - 1, b' ');
        left.push(b' ');
        left.extend(right);
        vec![left]
    }

    /// Bold and of double height; as wide as ever, so that columns stay columns.
    fn large(&mut self, lines: impl Iterator<Item = Vec<u8>>) {
        self.bytes.extend([ESC, b'E', 1, GS, b'!', 0x01]);
        lines.for_each(|line| self.line(&line));
        self.bytes.extend([GS, b'!', 0, ESC, b'E', 0]);
    }

    fn line(&mut self, characters: &[u8]) {
        self.bytes.extend(characters.trim_ascii_end());
        self.bytes.push(LF);
    }
}

fn centred(words: &[u8], columns: usize) -> Vec<u8> {
    let mut line = vec![b' '; columns.saturating_sub(words.len()) / 2];
    line.extend(words);
    line
}

/// Lines of at most `columns`, broken between words where there is a space, within one where there is none. An indent stays.
fn wrap(words: &[u8], columns: usize) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = words.trim_ascii_end();
    while rest.len() > columns {
        let indent = rest.len() - rest.trim_ascii_start().len();
        let space = (indent + 1..=columns).rev().find(|&at| rest[at] == b' ');
        let (line, after) = rest.split_at(space.unwrap_or(columns));
        lines.push(line.trim_ascii_end());
        rest = after.trim_ascii_start();
    }
    lines.push(rest);
    lines
}
