//! What a printer says about itself, in both of its ways: a byte for each question (`DLE EOT n`), or four bytes by itself
//! whenever something changes (`GS a`).
//!
//! Owns which bit means what. Bit 3 and 5 of the third answer and the bits for errors are as Epson has them; cheaper printers often
//! leave them at zero.

/// Everything off is a printer that waits for work, with its drawer's pin low.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub offline: bool,
    pub cover_open: bool,
    pub paper_low: bool,
    pub paper_out: bool,
    pub cutter_error: bool,
    /// Anything else that only a person, or time, can mend.
    pub other_error: bool,
    /// The level of the third pin of the drawer's socket; what it means depends on the drawer.
    pub drawer_pin_high: bool,
}

/// The four questions of `DLE EOT n` that this crate asks and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    Printer,
    Offline,
    Error,
    Paper,
}

impl Question {
    pub const ALL: [Self; 4] = [Self::Printer, Self::Offline, Self::Error, Self::Paper];

    pub fn number(self) -> u8 {
        match self {
            Self::Printer => 1,
            Self::Offline => 2,
            Self::Error => 3,
            Self::Paper => 4,
        }
    }

    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|question| question.number() == number)
    }
}

const FIXED: u8 = 0b0001_0010;

impl Status {
    /// Whether it will not print now.
    pub fn stopped(&self) -> bool {
        self.offline || self.cover_open || self.paper_out || self.cutter_error || self.other_error
    }

    pub fn answer(&self, question: Question) -> u8 {
        FIXED
            | match question {
                Question::Printer => bit(2, self.drawer_pin_high) | bit(3, self.stopped()),
                Question::Offline => bit(2, self.cover_open) | bit(5, self.paper_out) | bit(6, self.cutter_error || self.other_error),
                Question::Error => bit(3, self.cutter_error) | bit(5, self.other_error),
                Question::Paper => bits(0x0c, self.paper_low || self.paper_out) | bits(0x60, self.paper_out),
            }
    }

    /// Takes an answer in. Only what this question tells about changes.
    pub fn hear(&mut self, question: Question, byte: u8) {
        let has = |mask: u8| byte & mask != 0;
        match question {
            Question::Printer => {
                self.drawer_pin_high = has(0x04);
                self.offline = has(0x08);
            }
            Question::Offline => {
                self.cover_open = has(0x04);
                // An error without a name: the next answer may give it one.
                self.other_error = has(0x40) && !self.cutter_error;
            }
            Question::Error => {
                self.cutter_error = has(0x08);
                self.other_error = has(0x60);
            }
            Question::Paper => {
                self.paper_low = has(0x0c);
                self.paper_out = has(0x60);
            }
        }
    }

    /// The four bytes of `GS a`.
    pub fn automatic(&self) -> [u8; 4] {
        [
            0x10 | bit(2, self.drawer_pin_high) | bit(3, self.stopped()) | bit(5, self.cover_open),
            bit(3, self.cutter_error) | bit(5, self.other_error),
            bits(0x03, self.paper_low || self.paper_out) | bits(0x0c, self.paper_out),
            0,
        ]
    }

    pub fn of_automatic(bytes: [u8; 4]) -> Self {
        let has = |at: usize, mask: u8| bytes[at] & mask != 0;
        Self {
            offline: has(0, 0x08),
            cover_open: has(0, 0x20),
            paper_low: has(2, 0x03),
            paper_out: has(2, 0x0c),
            cutter_error: has(1, 0x08),
            other_error: has(1, 0x60),
            drawer_pin_high: has(0, 0x04),
        }
    }
}

fn bit(number: u8, on: bool) -> u8 {
    u8::from(on) << number
}

fn bits(mask: u8, on: bool) -> u8 {
    if on { mask } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_these_bits() {
        // As receiptio and Epson's tables read them.
        let healthy = Status::default();
        assert_eq!(Question::ALL.map(|question| healthy.answer(question)), [0x12; 4]);
        assert_eq!(healthy.automatic(), [0x10, 0, 0, 0]);
        let open = Status {
            cover_open: true,
            offline: true,
            ..healthy
        };
        assert_eq!(Question::ALL.map(|question| open.answer(question)), [0x1a, 0x16, 0x12, 0x12]);
        assert_eq!(open.automatic(), [0x38, 0, 0, 0]);
        let empty = Status {
            paper_out: true,
            paper_low: true,
            offline: true,
            drawer_pin_high: true,
            ..healthy
        };
        assert_eq!(Question::ALL.map(|question| empty.answer(question)), [0x1e, 0x32, 0x12, 0x7e]);
        assert_eq!(empty.automatic(), [0x1c, 0, 0x0f, 0]);
    }

    #[test]
    fn both_ways_tell_the_same() {
        for mask in 0..0x40_u8 {
            let has = |bit: u8| mask & bit != 0;
            let mut said = Status {
                offline: false,
                cover_open: has(1),
                paper_low: has(2) || has(4),
                paper_out: has(4),
                cutter_error: has(8),
                other_error: has(16),
                drawer_pin_high: has(32),
            };
            said.offline = said.stopped();
            assert_eq!(Status::of_automatic(said.automatic()), said);
            let mut asked = Status::default();
            for question in Question::ALL {
                asked.hear(question, said.answer(question));
            }
            assert_eq!(asked, said);
        }
    }
}
