//! Test values of every layout, drawn from bytes that a property test hands in. Few bytes make small values, so failures shrink.

use crate::layout::{Reserved, Rest};

pub struct Dice<'a> {
    bytes: &'a [u8],
    depth: u8,
}

pub trait Sample {
    fn sample(dice: &mut Dice<'_>) -> Self;
}

impl<'a> Dice<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, depth: 0 }
    }

    /// Zero once the bytes are used up.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    pub fn coin(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub fn one<T: Sample>(&mut self) -> T {
        self.depth += 1;
        let sample = T::sample(self);
        self.depth -= 1;
        sample
    }

    pub fn maybe<T: Sample>(&mut self) -> Option<T> {
        (self.depth < 10 && self.coin()).then(|| self.one())
    }

    pub fn many<T: Sample>(&mut self) -> Vec<T> {
        let count = self.byte() % 4;
        (0..count).map(|_| self.one()).collect()
    }

    pub fn some<T: Sample>(&mut self) -> Vec<T> {
        let count = self.byte() % 3 + 1;
        (0..count).map(|_| self.one()).collect()
    }
}

macro_rules! whole_numbers {
    ($($number:ident)*) => {$(
        impl Sample for $number {
            fn sample(dice: &mut Dice<'_>) -> Self {
                Self::from_be_bytes(std::array::from_fn(|_| dice.byte()))
            }
        }
    )*};
}

whole_numbers!(u8 u16 u32 u64 i8 i16);

impl Sample for bool {
    fn sample(dice: &mut Dice<'_>) -> Self {
        dice.coin()
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(dice: &mut Dice<'_>) -> Self {
        dice.many()
    }
}

impl Sample for String {
    fn sample(dice: &mut Dice<'_>) -> Self {
        dice.many::<u16>()
            .into_iter()
            .filter_map(|letter| char::from_u32(letter.into()))
            .collect()
    }
}

impl Sample for Reserved {
    fn sample(_dice: &mut Dice<'_>) -> Self {
        Self
    }
}

impl Sample for Rest {
    fn sample(dice: &mut Dice<'_>) -> Self {
        Self(dice.many())
    }
}
