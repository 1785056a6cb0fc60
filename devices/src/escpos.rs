//! Receipt printers that speak ESC/POS, and the cash drawer that hangs on them.
//!
//! Owns the bytes: a receipt laid out for a paper ([`layout`]), a drawer's pulse ([`drawer`]), the characters a printer knows
//! ([`characters`], [`code_page`]), the mark that says a job is done ([`job_id`]), what a printer says of itself ([`status`], [`answer`]),
//! and the way back from bytes to what they do ([`reader`]). What a receipt says belongs to `backroom_core::receipt`;
//! when it is printed, and whether it came out, belongs to the printer's link. No pictures yet.

pub mod answer;
mod bar_code;
pub mod characters;
pub mod code_page;
pub mod drawer;
pub mod job_id;
pub mod layout;
pub mod reader;
pub mod status;

use backroom_core::receipt::{Document, Row};

use crate::escpos::code_page::CodePage;
use crate::escpos::reader::{Heard, Reader};

const LF: u8 = 0x0a;
const DLE: u8 = 0x10;
const ESC: u8 = 0x1b;
const FS: u8 = 0x1c;
const GS: u8 = 0x1d;

/// How many characters of the printer's usual font fit beside each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paper {
    /// 58 mm.
    Columns32,
    /// 80 mm, older printers and those set to 42 columns.
    #[default]
    Columns42,
    /// 80 mm.
    Columns48,
}

impl Paper {
    pub fn columns(self) -> usize {
        match self {
            Self::Columns32 => 32,
            Self::Columns42 => 42,
            Self::Columns48 => 48,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Full,
    /// Leaves a bridge of paper, so that the receipt does not fall to the floor.
    Partial,
}

/// What is to be known of one printer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    pub paper: Paper,
    pub code_page: CodePage,
    /// Taken for single characters that the first one lacks; leave out what the printer does not have.
    pub other_pages: &'static [CodePage],
    /// Empty lines below the last one. With a cutter they are a margin; without one they bring the receipt to the tear bar.
    pub feed_lines: u8,
    /// `None` for a printer without a cutter.
    pub cut: Option<Cut>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            paper: Paper::default(),
            code_page: CodePage::default(),
            other_pages: &[CodePage::Pc852, CodePage::Pc866, CodePage::Pc737],
            feed_lines: 1,
            cut: Some(Cut::Partial),
        }
    }
}

/// For fuzzers: any bytes are read, in pieces of any size, without a panic; and the same bytes as the words of a receipt can make a
/// printer do nothing but print them.
pub fn fuzz_one(bytes: &[u8]) {
    let piece = 1 + bytes.iter().map(|&byte| usize::from(byte)).sum::<usize>() % 7;
    assert_eq!(read_in_pieces(bytes, bytes.len().max(1)), read_in_pieces(bytes, piece));

    let words = String::from_utf8_lossy(bytes).into_owned();
    let latin: String = bytes.iter().copied().map(char::from).collect();
    let rows = vec![
        Row::Title { text: words.clone() },
        Row::Text { text: latin.clone() },
        Row::Code { text: words.clone() },
        Row::Figure {
            left: words.clone(),
            right: latin.clone(),
        },
        Row::Total { left: latin, right: words },
    ];
    let profile = Profile::default();
    let job = layout::lay_out(&Document::from(rows), &profile);
    for heard in read_in_pieces(&job.bytes, 1) {
        let only_printed = !matches!(heard, Heard::Unknown(_) | Heard::Pulse { .. } | Heard::PulseAtOnce { .. });
        assert!(only_printed, "{heard:?}");
    }
}

fn read_in_pieces(bytes: &[u8], piece: usize) -> Vec<Heard> {
    let mut reader = Reader::default();
    let mut heard: Vec<Heard> = bytes.chunks(piece).flat_map(|piece| reader.feed(piece)).collect();
    heard.extend(reader.finish());
    heard
}
