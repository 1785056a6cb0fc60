//! One command of a printer: how long it is, and what it means.

use crate::escpos::drawer::Pin;
use crate::escpos::job_id::JobId;
use crate::escpos::reader::{Align, Heard};
use crate::escpos::{Cut, DLE, ESC, FS, GS, LF};

/// `None` while bytes of the command are missing.
pub(super) fn command(bytes: &[u8]) -> Option<Heard> {
    match *bytes.first()? {
        LF => Some(Heard::LineFeed),
        DLE => real_time(bytes),
        ESC => escape(bytes),
        FS => kanji(bytes),
        GS => group(bytes),
        _ => Some(unknown(bytes)),
    }
}

fn unknown(bytes: &[u8]) -> Heard {
    Heard::Unknown(bytes.to_vec())
}

fn look(bytes: &[u8]) -> Heard {
    Heard::Look(bytes.to_vec())
}

fn real_time(bytes: &[u8]) -> Option<Heard> {
    Some(match *bytes {
        [_] | [_, 4 | 5 | 20] | [_, 20, 1] | [_, 20, 1, _] => return None,
        [_, 4, question] => Heard::StatusWanted(question),
        // Mending after an error; there is nothing to mend in what was heard.
        [_, 5, 1 | 2] => look(bytes),
        [_, 20, 1, pin @ 0..=1, times @ 1..=8] => Heard::PulseAtOnce {
            pin: if pin == 0 { Pin::Two } else { Pin::Five },
            on_ms: u16::from(times) * 100,
        },
        _ => unknown(bytes),
    })
}

fn escape(bytes: &[u8]) -> Option<Heard> {
    Some(match *bytes {
        [_]
        | [
            _,
            b't' | b'R' | b'E' | b'd' | b'J' | b'p' | b'a' | b'M' | b'G' | b' ' | b'3' | b'{' | b'-' | b'$' | b'\\',
        ]
        | [_, b'p' | b'$' | b'\\', _]
        | [_, b'p', _, _] => return None,
        [_, b'@'] => Heard::Initialise,
        [_, b't', number] => Heard::CodePage(number),
        [_, b'R', number] => Heard::CharacterSet(number),
        // Only the lowest bit counts.
        [_, b'E' | b'G', switch] => Heard::Bold { on: switch & 1 == 1 },
        [_, b'd', lines] => Heard::Feed { lines },
        [_, b'J', dots] => Heard::FeedDots(dots),
        [_, b'a', 0 | b'0'] => Heard::Align(Align::Left),
        [_, b'a', 1 | b'1'] => Heard::Align(Align::Centre),
        [_, b'a', 2 | b'2'] => Heard::Align(Align::Right),
        [_, b'$', low, high] => Heard::Column(u16::from_le_bytes([low, high])),
        [_, b'\\', low, high] => Heard::Along(i16::from_le_bytes([low, high])),
        [_, b'p', 0 | b'0', on, off] => pulse(Pin::Two, on, off),
        [_, b'p', 1 | b'1', on, off] => pulse(Pin::Five, on, off),
        // Font, spacing of characters and lines, upside down, underlined.
        [_, b'M' | b' ' | b'3' | b'{' | b'-', _] | [_, b'2'] => look(bytes),
        _ => unknown(bytes),
    })
}

/// Commands for the two-column characters of East Asia, which this crate never prints.
fn kanji(bytes: &[u8]) -> Option<Heard> {
    Some(match *bytes {
        [_] | [_, b'C' | b'-' | b'S'] | [_, b'S', _] => return None,
        [_, b'(', ..] => return counted(bytes).map(|_| look(bytes)),
        [_, b'.' | b'&'] | [_, b'C' | b'-', _] | [_, b'S', _, _] => look(bytes),
        _ => unknown(bytes),
    })
}

fn group(bytes: &[u8]) -> Option<Heard> {
    Some(match *bytes {
        [_]
        | [
            _,
            b'!' | b'V' | b'a' | b'r' | b'I' | b'h' | b'w' | b'H' | b'f' | b'k' | b'B' | b'L' | b'W',
        ]
        | [_, b'L' | b'W', _]
        | [_, b'k', 65..=79]
        | [_, b'V', b'A' | b'B'] => return None,
        [_, b'!', size] if size & 0b1000_1000 == 0 => Heard::Size {
            width: (size >> 4) + 1,
            height: (size & 7) + 1,
        },
        [_, b'V', 0 | b'0'] | [_, b'V', b'A', _] => Heard::Cut(Cut::Full),
        [_, b'V', 1 | b'1'] | [_, b'V', b'B', _] => Heard::Cut(Cut::Partial),
        [_, b'a', kinds] => Heard::AutomaticStatus(kinds),
        [_, b'r', question] => Heard::PaperWanted(question),
        [_, b'I', question] => Heard::NameWanted(question),
        [_, b'h', dots] if dots > 0 => Heard::BarHeight(dots),
        [_, b'w', dots @ 2..=6] => Heard::BarWidth(dots),
        [_, b'H', place] => Heard::BarWords(place & 3),
        [_, b'k', kind @ 65..=79, length, ref words @ ..] => {
            if words.len() < usize::from(length) {
                return None;
            }
            match code128(words).filter(|_| kind == 73) {
                Some(text) => Heard::BarCode(text),
                None => unknown(bytes),
            }
        }
        [_, b'(', ..] => return counted(bytes).map(|settings| bracket(bytes, settings)),
        // The font of a bar code's words, white on black, margins.
        [_, b'f' | b'B', _] | [_, b'L' | b'W', _, _] => look(bytes),
        _ => unknown(bytes),
    })
}

/// What follows the two bytes of length of a bracketed command; `None` while some of it is missing.
fn counted(bytes: &[u8]) -> Option<&[u8]> {
    let &[_, _, _, low, high, ref settings @ ..] = bytes else {
        return None;
    };
    (settings.len() >= usize::from(u16::from_le_bytes([low, high]))).then_some(settings)
}

fn bracket(bytes: &[u8], settings: &[u8]) -> Heard {
    match (bytes[2], settings) {
        (b'H', &[48, 48, ref mark @ ..]) => match <[u8; 4]>::try_from(mark).ok().and_then(JobId::heard) {
            Some(job) => Heard::DoneWanted(job),
            None => unknown(bytes),
        },
        (b'k', [b'1', b'A', 49..=51, 0] | [b'1', b'E', 48..=51]) => look(bytes),
        (b'k', &[b'1', b'C', dots @ 1..=16]) => Heard::QrSize(dots),
        (b'k', &[b'1', b'P', b'0', ref words @ ..]) => Heard::QrWords(words.to_vec()),
        (b'k', [b'1', b'Q', b'0']) => Heard::QrDraw,
        _ => unknown(bytes),
    }
}

/// The text of a Code 128's data, in which a brace leads to another code set.
fn code128(data: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut set = None;
    let mut rest = data.iter();
    while let Some(&byte) = rest.next() {
        match (byte, set) {
            (b'{', Some(b'A' | b'B') | None) => match (rest.next()?, set) {
                (&next @ (b'A' | b'B' | b'C'), _) => set = Some(next),
                (b'{', Some(_)) => text.push('{'),
                // The sign of a GS1 code is not part of its text.
                (b'1', Some(_)) => {}
                _ => return None,
            },
            (b'{', Some(_)) => set = Some(*rest.next()?).filter(|set| matches!(set, b'A' | b'B')),
            (0..=99, Some(b'C')) => text.push_str(&format!("{byte:02}")),
            (b' '..=b'~', Some(b'A' | b'B')) => text.push(char::from(byte)),
            _ => return None,
        }
    }
    set.map(|_| text)
}

fn pulse(pin: Pin, on: u8, off: u8) -> Heard {
    Heard::Pulse {
        pin,
        on_ms: u16::from(on) * 2,
        off_ms: u16::from(off) * 2,
    }
}
