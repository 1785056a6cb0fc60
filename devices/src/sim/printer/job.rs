//! What one receipt said, put together from the commands that printed it.

use serde_json::{Map, Value};

use crate::escpos::reader::Heard;

/// Since the last job began, or the paper was cut.
#[derive(Debug, Default)]
pub(super) struct Slip {
    lines: Vec<String>,
    line: String,
    codes: Vec<String>,
    qr_words: Vec<u8>,
}

/// A receipt without an end would fill the memory.
const MOST_LINES: usize = 20_000;

impl Slip {
    pub(super) fn hear(&mut self, heard: &Heard) {
        match heard {
            Heard::Text(run) => self.line.push_str(run),
            Heard::LineFeed => self.end_line(),
            Heard::Feed { .. } | Heard::FeedDots(_) | Heard::Cut(_) if !self.line.is_empty() => self.end_line(),
            // What is not printed yet is thrown away.
            Heard::Initialise => self.line.clear(),
            Heard::BarCode(words) => self.codes.push(words.clone()),
            Heard::QrWords(words) => self.qr_words.clone_from(words),
            Heard::QrDraw => self.codes.push(String::from_utf8_lossy(&self.qr_words).into_owned()),
            _ => {}
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.lines.len() < MOST_LINES {
            self.lines.push(line);
        }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.codes.is_empty() && self.lines.iter().all(|line| line.trim().is_empty())
    }

    /// As the ledger tells it.
    pub(super) fn tell(&self, more: &mut Map<String, Value>) {
        more.insert("text".into(), self.lines.join("\n").into());
        more.insert("codes".into(), self.codes.clone().into());
        let copy = self.lines.iter().any(|line| line.trim() == "COPY");
        more.insert("mark".into(), if copy { "copy" } else { "original" }.into());
        if let Some(receipt) = self.codes.first() {
            more.insert("receipt".into(), receipt.clone().into());
        }
    }
}
