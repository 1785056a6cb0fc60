//! Text to what a printer prints: one byte a column, each of a code page.
//!
//! A character of the printer's usual page comes from there. Else plain characters that mean the same are taken (`“` as `"`),
//! else one of the other pages the printer is known to have, else `?`, and that is told. A control character never gets through: to
//! a printer it is the beginning of a command.

use std::collections::BTreeSet;

use crate::escpos::code_page::CodePage;

/// What stands for a character that cannot be printed.
const REPLACEMENT: u8 = b'?';

/// One column of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub byte: u8,
    /// Where the byte means the character; `None` for ASCII, which means the same in each.
    pub page: Option<CodePage>,
}

impl Cell {
    pub const SPACE: Self = Self::ascii(b' ');

    pub const fn ascii(byte: u8) -> Self {
        Self { byte, page: None }
    }

    pub fn is_space(self) -> bool {
        self == Self::SPACE
    }
}

/// The pages of one printer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    pub usual: CodePage,
    /// Switched to for single characters that the usual one lacks.
    pub others: &'static [CodePage],
}

impl Pages {
    /// The columns that print `text`. Characters that had to be replaced by `?` are added to `replaced`.
    pub fn encode(self, text: &str, replaced: &mut BTreeSet<char>) -> Vec<Cell> {
        let mut cells = Vec::with_capacity(text.len());
        for wanted in text.chars() {
            if let Some(plain) = blank(wanted) {
                cells.extend(plain.bytes().map(Cell::ascii));
            } else if let Some(cell) = cell_of(self.usual, wanted) {
                cells.push(cell);
            } else if let Some(plain) = plain(wanted) {
                cells.extend(plain.bytes().map(Cell::ascii));
            } else if let Some(cell) = self.others.iter().find_map(|&page| cell_of(page, wanted)) {
                cells.push(cell);
            } else {
                cells.push(Cell::ascii(REPLACEMENT));
                replaced.insert(wanted);
            }
        }
        cells
    }
}

fn cell_of(page: CodePage, wanted: char) -> Option<Cell> {
    let byte = page.byte_of(wanted)?;
    Some(Cell {
        byte,
        page: (!byte.is_ascii()).then_some(page),
    })
}

/// Every kind of space is a space, and what is there to be invisible stays so, whatever a printer's table would draw for it.
fn blank(wanted: char) -> Option<&'static str> {
    match wanted {
        '\t' | '\n' | '\r' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            Some(" ")
        }
        // Soft hyphen, joiners, marks of writing direction, byte order mark.
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => Some(""),
        _ => None,
    }
}

/// What means the same in plain characters.
fn plain(wanted: char) -> Option<&'static str> {
    Some(match wanted {
        '‘' | '’' | '‚' | '‛' | '′' | '‹' | '›' => "'",
        '“' | '”' | '„' | '‟' | '″' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '─' => "-",
        '…' => "...",
        '•' | '●' | '▪' => "*",
        '⁄' => "/",
        '™' => "TM",
        'Œ' => "OE",
        'œ' => "oe",
        _ => return None,
    })
}
