//! How many columns a text takes on a screen of equal columns: for aligning plain text, not for printers, who know their own fonts.

/// Marks that stand above or below the letter before them, and signs that are not seen.
const NO_COLUMN: &[(u32, u32)] = &[
    (0x0300, 0x036F),
    (0x0483, 0x0489),
    (0x0591, 0x05BD),
    (0x05BF, 0x05C7),
    (0x0610, 0x061A),
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x06D6, 0x06DC),
    (0x06DF, 0x06E4),
    (0x06E7, 0x06E8),
    (0x06EA, 0x06ED),
    (0x0E31, 0x0E31),
    (0x0E34, 0x0E3A),
    (0x0E47, 0x0E4E),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x2069),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
];

/// Chinese, Japanese and Korean signs and most pictures are two columns wide.
const TWO_COLUMNS: &[(u32, u32)] = &[
    (0x1100, 0x115F),
    (0x2E80, 0x303E),
    (0x3041, 0xA4CF),
    (0xA960, 0xA97C),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE6F),
    (0xFF00, 0xFF60),
    (0xFFE0, 0xFFE6),
    (0x1F300, 0x1F64F),
    (0x1F680, 0x1F6FF),
    (0x1F900, 0x1FAFF),
    (0x20000, 0x3FFFD),
];

fn columns(letter: char) -> usize {
    let code = u32::from(letter);
    let within = |ranges: &[(u32, u32)]| ranges.iter().any(|(first, last)| (*first..=*last).contains(&code));
    if within(NO_COLUMN) {
        0
    } else if within(TWO_COLUMNS) {
        2
    } else {
        1
    }
}

pub fn of(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// As much of a text as fits; a mark stays with its letter.
pub fn cut(text: &str, room: usize) -> &str {
    let mut taken = 0;
    for (at, letter) in text.char_indices() {
        taken += columns(letter);
        if taken > room {
            return &text[..at];
        }
    }
    text
}
