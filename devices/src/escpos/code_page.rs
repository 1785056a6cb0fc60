//! The tables of a printer's characters: bytes to characters and back.
//!
//! The numbers are those Epson gave them; some makers number theirs otherwise. What text becomes of which table belongs to
//! [`super::characters`].

/// Which characters the bytes from 0x80 on are; those below are ASCII in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodePage {
    /// Windows 1252: the more complete one.
    #[default]
    Wpc1252,
    /// DOS 858, which is 850 with the euro sign: for printers that lack the other.
    Pc858,
    /// DOS 852: Polish, Czech, Hungarian and their neighbours.
    Pc852,
    /// DOS 866: Cyrillic.
    Pc866,
    /// DOS 737: Greek.
    Pc737,
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

/// 0x80 to 0xff of DOS 852.
const PC852: &str = concat!(
    "ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×č",
    "áíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐",
    "└┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀",
    "ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}",
);

/// 0x80 to 0xff of DOS 866.
const PC866: &str = concat!(
    "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ",
    "абвгдежзийклмноп░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "рстуфхцчшщъыьэюяЁёЄєЇїЎў°∙·√№¤■\u{a0}",
);

/// 0x80 to 0xff of DOS 737.
const PC737: &str = concat!(
    "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθ",
    "ικλμνξοπρσςτυφχψ░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "ωάέήϊίόύϋώΆΈΉΊΌΎΏ±≥≤ΪΫ÷≈°∙·√ⁿ²■\u{a0}",
);

impl CodePage {
    pub const ALL: [Self; 5] = [Self::Wpc1252, Self::Pc858, Self::Pc852, Self::Pc866, Self::Pc737];

    /// The number in `ESC t n`.
    pub fn number(self) -> u8 {
        match self {
            Self::Wpc1252 => 16,
            Self::Pc858 => 19,
            Self::Pc852 => 18,
            Self::Pc866 => 17,
            Self::Pc737 => 14,
        }
    }

    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.number() == number)
    }

    /// The characters from 0x80 on.
    fn upper(self) -> &'static str {
        match self {
            Self::Wpc1252 => WPC1252,
            Self::Pc858 => PC858,
            Self::Pc852 => PC852,
            Self::Pc866 => PC866,
            Self::Pc737 => PC737,
        }
    }

    /// The character of a printable byte.
    pub fn char_of(self, byte: u8) -> Option<char> {
        match (self, byte) {
            (_, b' '..=b'~') | (Self::Wpc1252, 0xa0..) => Some(char::from(byte)),
            (_, ..0x80) => None,
            (_, 0x80..) => self.upper().chars().nth(usize::from(byte - 0x80)).filter(|&found| found != '\0'),
        }
    }

    /// The byte that prints a character, if this table has it.
    pub fn byte_of(self, wanted: char) -> Option<u8> {
        match (self, wanted) {
            (_, ..' ' | '\x7f') => None,
            (_, ..='~') | (Self::Wpc1252, '\u{a0}'..='ÿ') => u8::try_from(wanted).ok(),
            _ => {
                let place = self.upper().chars().position(|found| found == wanted)?;
                u8::try_from(place).ok()?.checked_add(0x80)
            }
        }
    }
}
