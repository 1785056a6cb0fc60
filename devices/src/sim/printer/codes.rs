//! Codes as black and white modules, so that a receipt on the screen can be scanned like one of paper.

use qrcode::{Color, EcLevel, QrCode};

/// Widths of bars and gaps in turn, for each symbol value of Code 128; 103 to 105 start, 106 stops.
const SYMBOLS: [&[u8]; 107] = [
    b"212222", b"222122", b"222221", b"121223", b"121322", b"131222", b"122213", b"122312", b"132212", b"221213", b"221312", b"231212",
    b"112232", b"122132", b"122231", b"113222", b"123122", b"123221", b"223211", b"221132", b"221231", b"213212", b"223112", b"312131",
    b"311222", b"321122", b"321221", b"312212", b"322112", b"322211", b"212123", b"212321", b"232121", b"111323", b"131123", b"131321",
    b"112313", b"132113", b"132311", b"211313", b"231113", b"231311", b"112133", b"112331", b"132131", b"113123", b"113321", b"133121",
    b"313121", b"211331", b"231131", b"213113", b"213311", b"213131", b"311123", b"311321", b"331121", b"312113", b"312311", b"332111",
    b"314111", b"221411", b"431111", b"111224", b"111422", b"121124", b"121421", b"141122", b"141221", b"112214", b"112412", b"122114",
    b"122411", b"142112", b"142211", b"241211", b"221114", b"413111", b"241112", b"134111", b"111242", b"121142", b"121241", b"114212",
    b"124112", b"124211", b"411212", b"421112", b"421211", b"212141", b"214121", b"412121", b"111143", b"111341", b"131141", b"114113",
    b"114311", b"411113", b"411311", b"113141", b"114131", b"311141", b"411131", b"211412", b"211214", b"211232", b"2331112",
];
const START_B: usize = 104;
const STOP: usize = 106;

/// Code 128, all in code set B. `None` for what that set lacks.
pub(super) fn code128(text: &str) -> Option<Vec<bool>> {
    let mut values = vec![START_B];
    for byte in text.bytes() {
        values.push(usize::from(byte.checked_sub(b' ')?));
    }
    if text.is_empty() || values.iter().skip(1).any(|&value| value > 94) {
        return None;
    }
    let weighted = |(place, value): (usize, &usize)| place.max(1) * value;
    let check = values.iter().enumerate().map(weighted).sum::<usize>() % 103;
    values.extend([check, STOP]);
    let mut modules = Vec::new();
    for value in values {
        for (place, width) in SYMBOLS[value].iter().enumerate() {
            modules.extend(std::iter::repeat_n(place % 2 == 0, usize::from(width - b'0')));
        }
    }
    Some(modules)
}

/// Rows of a QR code without its quiet zone.
pub(super) fn qr(words: &[u8]) -> Option<Vec<Vec<bool>>> {
    let code = QrCode::with_error_correction_level(words, EcLevel::M).ok()?;
    let modules = code.to_colors();
    Some(
        modules
            .chunks(code.width())
            .map(|row| row.iter().map(|&module| module == Color::Dark).collect())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_is_eleven_modules_wide_and_unlike_all_others() {
        for (value, symbol) in SYMBOLS.iter().enumerate() {
            let width: u8 = symbol.iter().map(|width| width - b'0').sum();
            assert_eq!(width, if value == STOP { 13 } else { 11 }, "{value}");
            // Three bars of an even sum: the code's own parity.
            let bars: u8 = symbol.iter().take(6).step_by(2).map(|width| width - b'0').sum();
            assert!(value == STOP || bars.is_multiple_of(2), "{value}");
            assert!(!SYMBOLS[..value].contains(symbol), "{value}");
        }
        assert_eq!(code128("R-1").map(|modules| modules.len()), Some(11 * 5 + 13));
        assert_eq!(code128("ä"), None);
        assert_eq!(code128(""), None);
    }
}
