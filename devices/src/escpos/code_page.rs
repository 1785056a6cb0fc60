//! The characters of a printer: text to bytes and back, one byte a column.
//!
//! Two tables for Western Europe, under the numbers Epson gave them; some makers number theirs otherwise. What a table lacks is written
//! with plain characters where they mean the same (`“` as `"`), else as `?`, and told. A control character never gets
//! through: to a printer it is the beginning of a command.

use std::collections::BTreeSet;

/// What stands for a character that cannot be printed.
const REPLACEMENT: u8 = b'?';

/// Which characters the bytes from 0x80 on are; those below are ASCII in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodePage {
    /// Windows 1252: the more complete one.
    #[default]
    Wpc1252,
    /// DOS 858, which is 850 with the euro sign: for printers that lack the other.
    Pc858,
}

/// 0x80 to 0x9f of Windows 1252; its other characters have the numbers of Unicode. `\0` is a hole.
const WPC1252: &str = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ";

/// 0x80 to 0xff of DOS 858.
const PC858: &str = concat!(
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ",
    "áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐",
    "└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀",
    "ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}",
);

impl CodePage {
    /// The number in `ESC t n`.
    pub fn number(self) -> u8 {
        match self {
            Self::Wpc1252 => 16,
            Self::Pc858 => 19,
        }
    }

    pub fn of_number(number: u8) -> Option<Self> {
        [Self::Wpc1252, Self::Pc858].into_iter().find(|page| page.number() == number)
    }

    /// The character of a printable byte.
    pub fn char_of(self, byte: u8) -> Option<char> {
        match (self, byte) {
            (_, 0x20..=0x7e) | (Self::Wpc1252, 0xa0..) => Some(char::from(byte)),
            (_, ..0x80) => None,
            (Self::Wpc1252, 0x80..) => WPC1252.chars().nth(usize::from(byte - 0x80)).filter(|&found| found != '\0'),
            (Self::Pc858, 0x80..) => PC858.chars().nth(usize::from(byte - 0x80)),
        }
    }

    fn byte_of(self, wanted: char) -> Option<u8> {
        match wanted {
            ' '..='~' => u8::try_from(wanted).ok(),
            _ => (0x80..=0xff).find(|&byte| self.char_of(byte) == Some(wanted)),
        }
    }

    /// The bytes that print `text`. Characters that had to be replaced by `?` are added to `replaced`.
    pub fn encode(self, text: &str, replaced: &mut BTreeSet<char>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(text.len());
        for wanted in text.chars() {
            if let Some(blank) = blank(wanted) {
                bytes.extend(blank.bytes());
            } else if let Some(byte) = self.byte_of(wanted) {
                bytes.push(byte);
            } else if let Some(plain) = plain(wanted) {
                bytes.extend(plain.bytes());
            } else {
                bytes.push(REPLACEMENT);
                replaced.insert(wanted);
            }
        }
        bytes
    }
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
