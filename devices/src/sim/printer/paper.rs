//! The paper: what the head burns into it, dot by dot, and the picture of a receipt that was cut off.
//!
//! Owns the look. A column is 12 dots wide and a line 30 high, as on a printer with 203 dots to the inch. What the marks mean
//! belongs to the machine.

use std::io;
use std::path::Path;

use crate::escpos::reader::Align;
use crate::sim::printer::{codes, letters};

pub(super) const DOTS_A_COLUMN: usize = 12;
const LINE: usize = 30;
const LETTER: usize = 24;
/// White to the left and right of what the head reaches, and the table around the paper.
const MARGIN: usize = 26;
const TABLE: usize = 14;
const TOP: usize = 24;
const TOOTH: usize = 10;
/// From the head to the blade.
const BLADE: usize = 40;
/// A printer without end of paper would fill the memory; a roll has 80 m, this are 12.
const LONGEST: usize = 100_000;

const WHITE: u8 = 0xf8;
const BLACK: u8 = 0x2a;
const WOOD: u8 = 0xa8;
const SHADOW: u8 = 0x8c;

#[derive(Clone, Copy, Debug)]
struct Look {
    bold: bool,
    width: usize,
    height: usize,
    align: Align,
    bar_width: usize,
    bar_height: usize,
    bar_words: u8,
    qr_dot: usize,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            bold: false,
            width: 1,
            height: 1,
            align: Align::Left,
            bar_width: 3,
            bar_height: 162,
            bar_words: 0,
            qr_dot: 3,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    character: char,
    at: usize,
    bold: bool,
    width: usize,
    height: usize,
}

/// The strip that hangs out of a printer.
#[derive(Debug)]
pub(super) struct Strip {
    dots: usize,
    /// Rows of `dots`, black or not.
    rows: Vec<bool>,
    look: Look,
    line: Vec<Mark>,
    at: usize,
}

impl Strip {
    pub(super) fn new(columns: usize) -> Self {
        Self {
            dots: columns * DOTS_A_COLUMN,
            rows: Vec::new(),
            look: Look::default(),
            line: Vec::new(),
            at: 0,
        }
    }

    /// Back to how it was switched on: forgets looks and the line that is not printed yet.
    pub(super) fn initialise(&mut self) {
        self.look = Look::default();
        self.line.clear();
        self.at = 0;
    }

    pub(super) fn bold(&mut self, on: bool) {
        self.look.bold = on;
    }

    pub(super) fn size(&mut self, width: u8, height: u8) {
        self.look.width = usize::from(width);
        self.look.height = usize::from(height);
    }

    pub(super) fn align(&mut self, align: Align) {
        self.look.align = align;
    }

    pub(super) fn bar_width(&mut self, dots: u8) {
        self.look.bar_width = usize::from(dots);
    }

    pub(super) fn bar_height(&mut self, dots: u8) {
        self.look.bar_height = usize::from(dots);
    }

    pub(super) fn bar_words(&mut self, place: u8) {
        self.look.bar_words = place;
    }

    pub(super) fn qr_dot(&mut self, dots: u8) {
        self.look.qr_dot = usize::from(dots);
    }

    pub(super) fn column(&mut self, dots: u16) {
        self.at = usize::from(dots).min(self.dots);
    }

    pub(super) fn along(&mut self, dots: i16) {
        self.at = self.at.saturating_add_signed(isize::from(dots)).min(self.dots);
    }

    pub(super) fn text(&mut self, run: &str) {
        for character in run.chars() {
            let wide = DOTS_A_COLUMN * self.look.width;
            if self.at + wide > self.dots {
                self.line_feed();
            }
            self.line.push(Mark {
                character,
                at: self.at,
                bold: self.look.bold,
                width: self.look.width,
                height: self.look.height,
            });
            self.at += wide;
        }
    }

    pub(super) fn line_feed(&mut self) {
        let line = std::mem::take(&mut self.line);
        let tallest = line.iter().map(|mark| mark.height).max().unwrap_or(1);
        let height = LINE.max(LETTER * tallest + LINE - LETTER);
        let left = self.left(self.at);
        let top = self.feed_dots(height);
        for mark in line {
            // All of a line stand on the same ground.
            self.burn(mark, left, top + LETTER * (tallest - mark.height));
        }
        self.at = 0;
    }

    pub(super) fn feed(&mut self, lines: u8) {
        self.end_line();
        self.feed_dots(LINE * usize::from(lines));
    }

    pub(super) fn feed_a_little(&mut self, dots: u8) {
        self.end_line();
        self.feed_dots(usize::from(dots));
    }

    fn end_line(&mut self) {
        if !self.line.is_empty() {
            self.line_feed();
        }
    }

    pub(super) fn bar_code(&mut self, text: &str) {
        let Some(modules) = codes::code128(text).filter(|modules| modules.len() * self.look.bar_width <= self.dots) else {
            // As a printer does with a code that is too wide: nothing.
            return;
        };
        let Look { bar_width, bar_height, .. } = self.look;
        if self.look.bar_words & 1 != 0 {
            self.words(text);
        }
        let left = self.left(modules.len() * bar_width);
        let top = self.feed_dots(bar_height + 6);
        for (place, _) in modules.iter().enumerate().filter(|(_, black)| **black) {
            self.fill(left + place * bar_width, top, bar_width, bar_height);
        }
        if self.look.bar_words & 2 != 0 {
            self.words(text);
        }
    }

    pub(super) fn qr(&mut self, words: &[u8]) {
        let dot = self.look.qr_dot;
        let Some(rows) = codes::qr(words).filter(|rows| (rows.len() + 8) * dot <= self.dots) else {
            return;
        };
        let left = self.left(rows.len() * dot);
        let top = self.feed_dots((rows.len() + 8) * dot) + 4 * dot;
        for (y, row) in rows.iter().enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, black)| **black) {
                self.fill(left + x * dot, top + y * dot, dot, dot);
            }
        }
    }

    /// The strip up to the blade; a new one begins.
    pub(super) fn cut(&mut self) -> Receipt {
        self.end_line();
        self.feed_dots(BLADE);
        Receipt {
            dots: self.dots,
            rows: std::mem::take(&mut self.rows),
        }
    }

    fn words(&mut self, text: &str) {
        let (line, at) = (std::mem::take(&mut self.line), std::mem::take(&mut self.at));
        self.text(text);
        self.line_feed();
        (self.line, self.at) = (line, at);
    }

    fn left(&self, wide: usize) -> usize {
        let room = self.dots.saturating_sub(wide);
        match self.look.align {
            Align::Left => 0,
            Align::Centre => room / 2,
            Align::Right => room,
        }
    }

    /// Where the fed paper begins.
    fn feed_dots(&mut self, dots: usize) -> usize {
        let top = self.rows.len() / self.dots;
        let rows = (top + dots).min(LONGEST);
        self.rows.resize(rows * self.dots, false);
        top
    }

    fn burn(&mut self, mark: Mark, left: usize, top: usize) {
        let letter = letters::letter(mark.character);
        let (across, down) = (mark.width, mark.height);
        // The letters are a little smaller than their cells.
        let left = left + mark.at + (DOTS_A_COLUMN - letters::WIDTH) / 2 * across;
        let top = top + (LETTER - letters::HEIGHT) / 2 * down;
        for (y, row) in letter.0.iter().enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, black)| **black) {
                let wide = across + usize::from(mark.bold);
                self.fill(left + x * across, top + y * down, wide, down);
            }
        }
    }

    fn fill(&mut self, left: usize, top: usize, wide: usize, high: usize) {
        for y in top..top + high {
            let row = self.rows.get_mut(y * self.dots..(y + 1) * self.dots).unwrap_or_default();
            row.iter_mut().skip(left).take(wide).for_each(|dot| *dot = true);
        }
    }
}

/// A piece of paper that was cut off.
#[derive(Debug)]
pub(super) struct Receipt {
    dots: usize,
    rows: Vec<bool>,
}

impl Receipt {
    /// As it lies on the table.
    pub(super) fn picture(&self) -> Picture {
        let paper_wide = self.dots + 2 * MARGIN;
        let high = self.rows.len() / self.dots + TOP;
        let mut picture = Picture::new(paper_wide + 2 * TABLE, high + TOOTH + 2 * TABLE);
        for x in 0..paper_wide {
            // The blade of the cut before was straight, this one has teeth.
            let tooth = (x % (2 * TOOTH)).abs_diff(TOOTH);
            for y in 0..high + TOOTH - tooth {
                picture.set(TABLE + x + 4, TABLE + y + 4, SHADOW);
            }
        }
        for x in 0..paper_wide {
            let tooth = (x % (2 * TOOTH)).abs_diff(TOOTH);
            for y in 0..high + TOOTH - tooth {
                picture.set(TABLE + x, TABLE + y, WHITE);
            }
        }
        for (at, _) in self.rows.iter().enumerate().filter(|(_, black)| **black) {
            picture.set(TABLE + MARGIN + at % self.dots, TABLE + TOP + at / self.dots, BLACK);
        }
        picture
    }
}

/// Grey dots.
#[derive(Debug)]
pub(super) struct Picture {
    wide: usize,
    dots: Vec<u8>,
}

impl Picture {
    fn new(wide: usize, high: usize) -> Self {
        Self {
            wide,
            dots: vec![WOOD; wide * high],
        }
    }

    fn set(&mut self, x: usize, y: usize, grey: u8) {
        if let Some(dot) = self.dots.get_mut(y * self.wide + x) {
            *dot = grey;
        }
    }

    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        let file = io::BufWriter::new(std::fs::File::create(path)?);
        let side = |dots: usize| u32::try_from(dots).map_err(io::Error::other);
        let mut encoder = png::Encoder::new(file, side(self.wide)?, side(self.dots.len() / self.wide)?);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().map_err(io::Error::other)?;
        writer.write_image_data(&self.dots).map_err(io::Error::other)?;
        writer.finish().map_err(io::Error::other)
    }
}
