//! Codes for scanners: a Code 128 where it fits beside its quiet zones, else a QR code.
//!
//! Owns the bytes that make a printer draw one. Only printable ASCII is ever sent: some printers obey real-time commands, a
//! drawer's pulse among them, even where they stand inside the data of another command.

use crate::escpos::{ESC, GS};

/// Dots of the printer's head to one column of its usual font.
const DOTS_A_COLUMN: usize = 12;
/// Of a bar; 0.25 mm, what hand scanners like at least.
const MODULE_DOTS: usize = 2;
const BAR_HEIGHT_DOTS: u8 = 80;
/// Each side of a Code 128 stays white for so many modules.
const QUIET_MODULES: usize = 10;
/// Start, check, each character; the stop is two longer.
const SYMBOL_MODULES: usize = 11;
const STOP_MODULES: usize = 13;
const QR_DOT: u8 = 5;
/// White above, so that the lines before do not touch the code.
const GAP_DOTS: u8 = 20;
/// Beyond this a code is a picture nobody can scan off a receipt.
const LONGEST_QR: usize = 300;

/// The bytes that draw `text`, centred; `None` if no code can hold it.
pub(super) fn draw(text: &str, columns: usize) -> Option<Vec<u8>> {
    if text.is_empty() || !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return None;
    }
    let modules = SYMBOL_MODULES * (text.len() + 2) + STOP_MODULES + 2 * QUIET_MODULES;
    let drawn = if modules * MODULE_DOTS <= columns * DOTS_A_COLUMN {
        code128(text)?
    } else {
        qr(text)?
    };
    Some([&[ESC, b'J', GAP_DOTS, ESC, b'a', 1], &*drawn, &[ESC, b'a', 0]].concat())
}

fn code128(text: &str) -> Option<Vec<u8>> {
    // In code set B; its brace leads to another set unless doubled.
    let words = format!("{{B{}", text.replace('{', "{{"));
    let length = u8::try_from(words.len()).ok()?;
    let width = u8::try_from(MODULE_DOTS).ok()?;
    // The words below are printed as text: that looks the same on each printer.
    let mut bytes = vec![GS, b'h', BAR_HEIGHT_DOTS, GS, b'w', width, GS, b'H', 0, GS, b'k', 73, length];
    bytes.extend(words.bytes());
    Some(bytes)
}

fn qr(text: &str) -> Option<Vec<u8>> {
    if text.len() > LONGEST_QR {
        return None;
    }
    let mut bytes = Vec::new();
    // Model 2, dots of a square, correction level M, the words, draw.
    for settings in [&[b'A', 50, 0][..], &[b'C', QR_DOT], &[b'E', 49]] {
        command(&mut bytes, settings)?;
    }
    command(&mut bytes, &[b"P0", text.as_bytes()].concat())?;
    command(&mut bytes, b"Q0")?;
    Some(bytes)
}

/// `GS ( k` for QR codes.
fn command(bytes: &mut Vec<u8>, settings: &[u8]) -> Option<()> {
    let length = u16::try_from(settings.len() + 1).ok()?;
    bytes.extend([GS, b'(', b'k']);
    bytes.extend(length.to_le_bytes());
    bytes.push(b'1');
    bytes.extend(settings);
    Some(())
}
