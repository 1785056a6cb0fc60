//! The printer's letters: 10 by 20 dots of each character, from public bitmaps.
//!
//! One table per family of alphabets; a character is taken from the first that has it. What none has is drawn as an empty box, as
//! a real printer's missing glyph would stand out.

use std::convert::Infallible;

use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::{
    MonoFont, MonoTextStyle, iso_8859_1, iso_8859_2, iso_8859_5, iso_8859_7, iso_8859_13, iso_8859_15, iso_8859_16,
};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::text::{Baseline, Text};
use embedded_graphics::{Drawable, Pixel};

pub(super) const WIDTH: usize = 10;
pub(super) const HEIGHT: usize = 20;

const FONTS: [MonoFont<'static>; 7] = [
    iso_8859_1::FONT_10X20,
    iso_8859_15::FONT_10X20,
    iso_8859_2::FONT_10X20,
    iso_8859_5::FONT_10X20,
    iso_8859_7::FONT_10X20,
    iso_8859_13::FONT_10X20,
    iso_8859_16::FONT_10X20,
];

/// Whether each dot is black, row by row.
pub(super) struct Letter(pub(super) [[bool; WIDTH]; HEIGHT]);

pub(super) fn letter(character: char) -> Letter {
    let mut letter = Letter([[false; WIDTH]; HEIGHT]);
    let Some(font) = FONTS.iter().find(|font| has(font, character)) else {
        letter.frame();
        return letter;
    };
    let style = MonoTextStyle::new(font, BinaryColor::On);
    let mut bytes = [0; 4];
    let text = Text::with_baseline(character.encode_utf8(&mut bytes), Point::zero(), style, Baseline::Top);
    // Drawing into memory cannot fail.
    let _ = text.draw(&mut letter);
    letter
}

/// A font answers for a character it lacks with its question mark.
fn has(font: &MonoFont<'_>, character: char) -> bool {
    let index = |character| font.glyph_mapping.index(character);
    character == '?' || index(character) != index('?')
}

impl Letter {
    fn frame(&mut self) {
        for (y, row) in self.0.iter_mut().enumerate().skip(3).take(HEIGHT - 6) {
            for (x, dot) in row.iter_mut().enumerate().skip(1).take(WIDTH - 2) {
                *dot = y == 3 || y == HEIGHT - 4 || x == 1 || x == WIDTH - 2;
            }
        }
    }
}

impl OriginDimensions for Letter {
    fn size(&self) -> Size {
        Size::new(WIDTH as u32, HEIGHT as u32)
    }
}

impl DrawTarget for Letter {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(Point { x, y }, color) in pixels {
            let row = usize::try_from(y).ok().and_then(|y| self.0.get_mut(y));
            if let Some(dot) = row.and_then(|row| row.get_mut(usize::try_from(x).ok()?)) {
                *dot = color == BinaryColor::On;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_a_shop_has_a_letter_of_its_own() {
        let mut box_ = Letter([[false; WIDTH]; HEIGHT]);
        box_.frame();
        for character in "AZaz09€äöüßÄÖÜéèçñŁłśćąężźŻŘřőűЖжщЯяΩωΆς„”£".chars() {
            assert!(letter(character).0 != box_.0, "{character}");
            assert!(letter(character).0.iter().flatten().any(|&dot| dot), "{character}");
        }
        assert!(letter('🍎').0 == box_.0);
        assert!(letter('?').0 != box_.0);
    }
}
