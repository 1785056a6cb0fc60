//! A document as a print job: which byte comes where on the paper.
//!
//! Every job begins by putting the printer into a known state, whatever the job before left behind, and ends with feed and cut.
//! Nothing of a document reaches the printer but printable characters, so no name of an item can cut, or open the drawer.

use std::collections::BTreeSet;

use backroom_core::receipt::{Document, Row};

use crate::escpos::characters::{Cell, Pages};
use crate::escpos::code_page::CodePage;
use crate::escpos::{Cut, ESC, GS, LF, Profile, bar_code};

/// Bytes for a printer, and what the paper will not show as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub bytes: Vec<u8>,
    /// The characters this printer does not know, printed as `?`. For the log: the shop may want another code page.
    pub replaced: BTreeSet<char>,
}

pub fn lay_out(document: &Document, profile: &Profile) -> Job {
    let pages = Pages {
        usual: profile.code_page,
        others: profile.other_pages,
    };
    let mut sheet = Sheet {
        columns: profile.paper.columns(),
        pages,
        page: pages.usual,
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
    pages: Pages,
    /// The one the printer is set to.
    page: CodePage,
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
            Row::Rule => self.line(&vec![Cell::ascii(b'-'); self.columns]),
            Row::Code { text } => {
                self.bytes.extend(bar_code::draw(text, self.columns).unwrap_or_default());
                // Below it, for hands when no scanner is there.
                let words = self.encode(text);
                for line in wrap(&words, self.columns) {
                    self.line(&centred(line, self.columns));
                }
            }
        }
    }

    fn encode(&mut self, text: &str) -> Vec<Cell> {
        self.pages.encode(text, &mut self.replaced)
    }

    /// The words give way to the figure: an amount is never cut. One that fills the paper gets a line of its own.
    fn two_columns(&mut self, left: &str, right: &str) -> Vec<Vec<Cell>> {
        let (mut left, right) = (self.encode(left), self.encode(right));
        if right.is_empty() {
            left.truncate(self.columns);
            return vec![left];
        }
        if right.len() >= self.columns {
            left.truncate(self.columns);
            let figure = wrap(&right, self.columns).into_iter().map(<[Cell]>::to_vec);
            let words = Some(left).filter(|words| !words.is_empty());
            return words.into_iter().chain(figure).collect();
        }
        left.resize(self.columns - right.len() - 1, Cell::SPACE);
        left.push(Cell::SPACE);
        left.extend(right);
        vec![left]
    }

    /// Bold and of double height; as wide as ever, so that columns stay columns.
    fn large(&mut self, lines: impl Iterator<Item = Vec<Cell>>) {
        self.bytes.extend([ESC, b'E', 1, GS, b'!', 0x01]);
        lines.for_each(|line| self.line(&line));
        self.bytes.extend([GS, b'!', 0, ESC, b'E', 0]);
    }

    fn line(&mut self, cells: &[Cell]) {
        for cell in trim_end(cells) {
            if let Some(page) = cell.page.filter(|&page| page != self.page) {
                self.page = page;
                self.bytes.extend([ESC, b't', page.number()]);
            }
            self.bytes.push(cell.byte);
        }
        self.bytes.push(LF);
    }
}

fn trim_start(cells: &[Cell]) -> &[Cell] {
    let begin = cells.iter().position(|cell| !cell.is_space()).unwrap_or(cells.len());
    &cells[begin..]
}

fn trim_end(cells: &[Cell]) -> &[Cell] {
    let end = cells.iter().rposition(|cell| !cell.is_space()).map_or(0, |last| last + 1);
    &cells[..end]
}

fn centred(words: &[Cell], columns: usize) -> Vec<Cell> {
    let mut line = vec![Cell::SPACE; columns.saturating_sub(words.len()) / 2];
    line.extend(words);
    line
}

/// Lines of at most `columns`, broken between words where there is a space, within one where there is none. An indent stays.
fn wrap(words: &[Cell], columns: usize) -> Vec<&[Cell]> {
    let mut lines = Vec::new();
    let mut rest = trim_end(words);
    while rest.len() > columns {
        let indent = rest.len() - trim_start(rest).len();
        let space = (indent + 1..=columns).rev().find(|&at| rest[at].is_space());
        let (line, after) = rest.split_at(space.unwrap_or(columns));
        lines.push(trim_end(line));
        rest = trim_start(after);
    }
    lines.push(rest);
    lines
}
