//! How the inside of a message or parameter is laid out: fields of fixed order, then parameters of fixed order and number.
//!
//! A layout is written down once, by one of the macros here, and is then both the reader and the writer, so the two cannot differ.
//! `one`, `maybe`, `many` and `some` are the standard's 1, 0-1, 0-n and 1-n. A type more is a few lines more; what the numbers of the
//! wire mean is said where they are laid out, not here.

use crate::frame::Side;
use crate::parameter::{FIRST_TLV, ParameterError, Parameters, walk};
use crate::report::ReportError;

/// Parameters inside parameters inside parameters: the standard needs seven. Only an attacker nests deeper.
const DEEPEST: u8 = 16;

/// Why the inside of a message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("in parameter {kind}: {why}")]
    Inside { kind: u16, why: Box<BodyError> },
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("field {field} needs {needs} bytes, and {has} are left")]
    Cut { field: u16, needs: usize, has: usize },
    #[error("field {field} has the value {value}, which the standard gives no meaning")]
    Field { field: u16, value: u64 },
    #[error("field {field} is no text in UTF-8")]
    Text { field: u16 },
    #[error("field {field} has reserved bits set; they have to be zero")]
    Reserved { field: u16 },
    #[error("parameter {kind} is missing")]
    Missing { kind: u16 },
    #[error("parameter {kind} comes more often than the standard allows")]
    Twice { kind: u16 },
    #[error("parameter {kind} has no place here")]
    Unexpected { kind: u16 },
    #[error("parameters are nested more than {DEEPEST} levels deep")]
    TooDeep,
}

/// Why something cannot be said in this language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("parameter {kind} would be {length} bytes long, and 65535 fit; say less at once")]
    TooLong { kind: u16, length: usize },
    #[error("a list or text of {length} would be written, and 65535 fit; say less at once")]
    FieldTooLong { length: usize },
    #[error("parameter {kind} has to be there at least once")]
    Missing { kind: u16 },
}

/// A level being read: its fields first, then its parameters.
#[derive(Debug)]
pub struct Level<'a> {
    rest: Parameters<'a>,
    depth: u8,
    /// The field being read, counted from zero as the standard's FieldError does.
    field: u16,
    last_kind: Option<u16>,
}

impl<'a> Level<'a> {
    pub fn new(bytes: &'a [u8], side: Side) -> Self {
        Self {
            rest: walk(bytes, side),
            depth: 0,
            field: 0,
            last_kind: None,
        }
    }

    pub(crate) fn side(&self) -> Side {
        self.rest.side
    }

    /// The field being read, for whoever has to complain about it.
    pub(crate) fn field_number(&self) -> u16 {
        self.field
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], BodyError> {
        let left = self.left();
        let taken = left.get(..count).ok_or(BodyError::Cut {
            field: self.field,
            needs: count,
            has: left.len(),
        })?;
        self.rest.at += count;
        Ok(taken)
    }

    /// Everything that is left, for who reads it in a way of its own.
    pub(crate) fn all(&mut self) -> &'a [u8] {
        let left = self.left();
        self.rest.at += left.len();
        left
    }

    fn left(&self) -> &'a [u8] {
        self.rest.whole.get(self.rest.at..).unwrap_or_default()
    }

    pub(crate) fn field<T: Field>(&mut self) -> Result<T, BodyError> {
        let read = T::read(self)?;
        self.field += 1;
        Ok(read)
    }

    pub(crate) fn one<T: Element>(&mut self) -> Result<T, BodyError> {
        self.maybe()?.ok_or(BodyError::Missing { kind: T::KIND })
    }

    pub(crate) fn maybe<T: Element>(&mut self) -> Result<Option<T>, BodyError> {
        let mut ahead = self.rest.clone();
        let Some(next) = ahead.next().transpose()? else {
            return Ok(None);
        };
        if !T::stands_under(next.kind) {
            return Ok(None);
        }
        if self.depth == DEEPEST {
            return Err(BodyError::TooDeep);
        }
        let mut inside = Level {
            rest: walk(next.value, self.rest.side),
            depth: self.depth + 1,
            field: 0,
            last_kind: None,
        };
        let read = T::read(next.kind, &mut inside).and_then(|read| inside.end().map(|()| read));
        let read = read.map_err(|why| BodyError::Inside {
            kind: next.kind,
            why: Box::new(why),
        })?;
        self.rest = ahead;
        self.last_kind = Some(next.kind);
        Ok(Some(read))
    }

    pub(crate) fn many<T: Element>(&mut self) -> Result<Vec<T>, BodyError> {
        let mut found = Vec::new();
        while let Some(next) = self.maybe()? {
            found.push(next);
        }
        Ok(found)
    }

    pub(crate) fn some<T: Element>(&mut self) -> Result<Vec<T>, BodyError> {
        let found = self.many()?;
        if found.is_empty() {
            return Err(BodyError::Missing { kind: T::KIND });
        }
        Ok(found)
    }

    /// Whatever is left now has no place.
    pub(crate) fn end(&mut self) -> Result<(), BodyError> {
        match self.rest.next().transpose()? {
            None => Ok(()),
            Some(left) if self.last_kind == Some(left.kind) => Err(BodyError::Twice { kind: left.kind }),
            Some(left) => Err(BodyError::Unexpected { kind: left.kind }),
        }
    }
}

/// Bytes being written. Remembers the first thing that could not be said, so that layouts need not ask after each field.
#[derive(Debug, Default)]
pub struct Out {
    bytes: Vec<u8>,
    wrong: Option<WriteError>,
}

impl Out {
    pub fn finish(self) -> Result<Vec<u8>, WriteError> {
        match self.wrong {
            None => Ok(self.bytes),
            Some(wrong) => Err(wrong),
        }
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes a parameter around what `inside` writes: the short form below 128, else the long one with its length.
    pub(crate) fn parameter(&mut self, kind: u16, inside: impl FnOnce(&mut Self)) {
        if kind < FIRST_TLV {
            self.put(&[0x80 | (kind & 0x7f) as u8]);
            inside(self);
            return;
        }
        let start = self.bytes.len();
        self.put(&kind.to_be_bytes());
        self.put(&[0, 0]);
        inside(self);
        let length = self.bytes.len() - start;
        match (u16::try_from(length), self.bytes.get_mut(start + 2..start + 4)) {
            (Ok(short), Some(place)) => place.copy_from_slice(&short.to_be_bytes()),
            _ => self.fail(WriteError::TooLong { kind, length }),
        }
    }

    /// A count before a list or text.
    pub(crate) fn count(&mut self, length: usize) {
        match u16::try_from(length) {
            Ok(count) => self.put(&count.to_be_bytes()),
            Err(_) => self.fail(WriteError::FieldTooLong { length }),
        }
    }

    pub(crate) fn one<T: Element>(&mut self, element: &T) {
        element.write(self);
    }

    pub(crate) fn maybe<T: Element>(&mut self, element: &Option<T>) {
        if let Some(element) = element {
            element.write(self);
        }
    }

    pub(crate) fn many<T: Element>(&mut self, elements: &[T]) {
        for element in elements {
            element.write(self);
        }
    }

    pub(crate) fn some<T: Element>(&mut self, elements: &[T]) {
        if elements.is_empty() {
            self.fail(WriteError::Missing { kind: T::KIND });
        }
        self.many(elements);
    }

    fn fail(&mut self, wrong: WriteError) {
        self.wrong.get_or_insert(wrong);
    }
}

/// The inside of a message or parameter.
pub trait Layout: Sized {
    fn read_inside(level: &mut Level<'_>) -> Result<Self, BodyError>;
    fn write_inside(&self, out: &mut Out);
}

/// What stands in a list of parameters: a parameter, or one of a few that may stand at the same place.
pub trait Element: Sized {
    /// The number it is called by when it is missing.
    const KIND: u16;

    fn stands_under(kind: u16) -> bool {
        kind == Self::KIND
    }

    fn read(kind: u16, inside: &mut Level<'_>) -> Result<Self, BodyError>;
    fn write(&self, out: &mut Out);
}

/// A value of fixed place before the parameters.
pub trait Field: Sized {
    fn read(level: &mut Level<'_>) -> Result<Self, BodyError>;
    fn write(&self, out: &mut Out);
}

macro_rules! whole_numbers {
    ($($number:ident)*) => {$(
        impl Field for $number {
            fn read(level: &mut Level<'_>) -> Result<Self, BodyError> {
                let bytes = level.bytes(size_of::<Self>())?;
                // As many bytes were taken as the number has, so the other arm is never reached.
                Ok(bytes.try_into().map_or(0, Self::from_be_bytes))
            }

            fn write(&self, out: &mut Out) {
                out.put(&self.to_be_bytes());
            }
        }
    )*};
}

whole_numbers!(u8 u16 u32 u64 i8 i16);

/// A count, then so many.
impl<T: Field> Field for Vec<T> {
    fn read(level: &mut Level<'_>) -> Result<Self, BodyError> {
        let count = u16::read(level)?;
        (0..count).map(|_| T::read(level)).collect()
    }

    fn write(&self, out: &mut Out) {
        out.count(self.len());
        for item in self {
            item.write(out);
        }
    }
}

/// A count of bytes, then UTF-8.
impl Field for String {
    fn read(level: &mut Level<'_>) -> Result<Self, BodyError> {
        let count = u16::read(level)?;
        let bytes = level.bytes(usize::from(count))?.to_vec();
        Self::from_utf8(bytes).map_err(|_| BodyError::Text { field: level.field })
    }

    fn write(&self, out: &mut Out) {
        out.count(self.len());
        out.put(self.as_bytes());
    }
}

/// A yes or no in the first bit of a byte whose other bits are reserved.
impl Field for bool {
    fn read(level: &mut Level<'_>) -> Result<Self, BodyError> {
        let byte = u8::read(level)?;
        if byte & 0x7f != 0 && level.side() == Side::Reader {
            return Err(BodyError::Reserved { field: level.field });
        }
        Ok(byte & 0x80 != 0)
    }

    fn write(&self, out: &mut Out) {
        out.put(&[u8::from(*self) << 7]);
    }
}

/// A byte that is reserved as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reserved;

impl Field for Reserved {
    fn read(level: &mut Level<'_>) -> Result<Self, BodyError> {
        if u8::read(level)? != 0 && level.side() == Side::Reader {
            return Err(BodyError::Reserved { field: level.field });
        }
        Ok(Self)
    }

    fn write(&self, out: &mut Out) {
        out.put(&[0]);
    }
}

/// All the bytes that are left, whatever they mean to their maker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest(pub Vec<u8>);

impl Field for Rest {
    fn read(level: &mut Level<'_>) -> Result<Self, BodyError> {
        Ok(Self(level.all().to_vec()))
    }

    fn write(&self, out: &mut Out) {
        out.put(&self.0);
    }
}

/// `Name { field: Type, ...; child: one|maybe|many|some Type, ... }`: a struct that reads and writes itself in this order.
macro_rules! layout {
    ($(#[$about:meta])* $name:ident {
        $($(#[$field_about:meta])* $field:ident: $field_type:ty),* $(,)?
        $(; $($(#[$child_about:meta])* $child:ident: $count:ident $child_type:ty),* $(,)?)?
    }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_about])* pub $field: $field_type,)*
            $($($(#[$child_about])* pub $child: $crate::layout::counted!($count $child_type),)*)?
        }

        impl $crate::layout::Layout for $name {
            fn read_inside(level: &mut $crate::layout::Level<'_>) -> Result<Self, $crate::layout::BodyError> {
                let _ = &level; // Some have nothing inside.
                Ok(Self {
                    $($field: level.field()?,)*
                    $($($child: level.$count()?,)*)?
                })
            }

            fn write_inside(&self, out: &mut $crate::layout::Out) {
                let _ = &out;
                $($crate::layout::Field::write(&self.$field, out);)*
                $($(out.$count(&self.$child);)*)?
            }
        }

        #[cfg(test)]
        impl $crate::dice::Sample for $name {
            fn sample(dice: &mut $crate::dice::Dice<'_>) -> Self {
                let _ = &dice;
                Self {
                    $($field: $crate::dice::Sample::sample(dice),)*
                    $($($child: dice.$count(),)*)?
                }
            }
        }
    };
}

macro_rules! counted {
    (one $of:ty) => { $of };
    (maybe $of:ty) => { Option<$of> };
    (many $of:ty) => { Vec<$of> };
    (some $of:ty) => { Vec<$of> };
}

/// A layout that is a parameter of this number.
macro_rules! parameters {
    ($($(#[$about:meta])* $name:ident = $kind:literal { $($inside:tt)* })*) => {$(
        $crate::layout::layout! { $(#[$about])* $name { $($inside)* } }

        impl $crate::layout::Element for $name {
            const KIND: u16 = $kind;

            fn read(_kind: u16, inside: &mut $crate::layout::Level<'_>) -> Result<Self, $crate::layout::BodyError> {
                $crate::layout::Layout::read_inside(inside)
            }

            fn write(&self, out: &mut $crate::layout::Out) {
                out.parameter($kind, |out| $crate::layout::Layout::write_inside(self, out));
            }
        }
    )*};
}

/// `Name { First(Type), ... }`: one of these parameters stands here. Called by the first when it is missing.
macro_rules! one_of {
    ($(#[$about:meta])* $name:ident { $first:ident($first_type:ty) $(, $other:ident($other_type:ty))* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $first($first_type),
            $($other($other_type),)*
        }

        impl $crate::layout::Element for $name {
            const KIND: u16 = <$first_type as $crate::layout::Element>::KIND;

            fn stands_under(kind: u16) -> bool {
                kind == Self::KIND $(|| kind == <$other_type as $crate::layout::Element>::KIND)*
            }

            fn read(kind: u16, inside: &mut $crate::layout::Level<'_>) -> Result<Self, $crate::layout::BodyError> {
                use $crate::layout::Element;
                $(if kind == <$other_type as Element>::KIND {
                    return Ok(Self::$other(Element::read(kind, inside)?));
                })*
                Ok(Self::$first(Element::read(kind, inside)?))
            }

            fn write(&self, out: &mut $crate::layout::Out) {
                match self {
                    Self::$first(element) => $crate::layout::Element::write(element, out),
                    $(Self::$other(element) => $crate::layout::Element::write(element, out),)*
                }
            }
        }

        #[cfg(test)]
        impl $crate::dice::Sample for $name {
            fn sample(dice: &mut $crate::dice::Dice<'_>) -> Self {
                $(if dice.coin() {
                    return Self::$other($crate::dice::Sample::sample(dice));
                })*
                Self::$first($crate::dice::Sample::sample(dice))
            }
        }
    };
}

/// `Name: u8 { Word = 0, ... }`: a number that stands for a word. Other numbers are refused.
macro_rules! words {
    ($($(#[$about:meta])* $name:ident: $number:ident { $($(#[$word_about:meta])* $word:ident = $value:literal),* $(,)? })*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$word_about])* $word = $value,)*
        }

        impl $crate::layout::Field for $name {
            fn read(level: &mut $crate::layout::Level<'_>) -> Result<Self, $crate::layout::BodyError> {
                match <$number as $crate::layout::Field>::read(level)? {
                    $($value => Ok(Self::$word),)*
                    value => Err($crate::layout::BodyError::Field { field: level.field_number(), value: u64::from(value) }),
                }
            }

            fn write(&self, out: &mut $crate::layout::Out) {
                let number: $number = match self { $(Self::$word => $value,)* };
                $crate::layout::Field::write(&number, out);
            }
        }

        #[cfg(test)]
        impl $crate::dice::Sample for $name {
            fn sample(dice: &mut $crate::dice::Dice<'_>) -> Self {
                let words = [$(Self::$word),*];
                words[usize::from(dice.byte()) % words.len()]
            }
        }
    )*};
}

/// `Name: u16 { flag: 15, ... }`: yes and no, each in its bit; the other bits are reserved.
macro_rules! flags {
    ($($(#[$about:meta])* $name:ident: $number:ident { $($(#[$flag_about:meta])* $flag:ident: $bit:literal),* $(,)? })*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$flag_about])* pub $flag: bool,)*
        }

        impl $crate::layout::Field for $name {
            fn read(level: &mut $crate::layout::Level<'_>) -> Result<Self, $crate::layout::BodyError> {
                let bits = <$number as $crate::layout::Field>::read(level)?;
                let known: $number = 0 $(| 1 << $bit)*;
                if bits & !known != 0 && level.side() == $crate::frame::Side::Reader {
                    return Err($crate::layout::BodyError::Reserved { field: level.field_number() });
                }
                Ok(Self { $($flag: bits & 1 << $bit != 0,)* })
            }

            fn write(&self, out: &mut $crate::layout::Out) {
                let bits: $number = 0 $(| $number::from(self.$flag) << $bit)*;
                $crate::layout::Field::write(&bits, out);
            }
        }

        #[cfg(test)]
        impl $crate::dice::Sample for $name {
            fn sample(dice: &mut $crate::dice::Dice<'_>) -> Self {
                Self { $($flag: dice.coin(),)* }
            }
        }
    )*};
}

pub(crate) use {counted, flags, layout, one_of, parameters, words};

parameters! {
    /// A parameter of a maker's own, carried byte for byte.
    Custom = 1023 {
        /// The maker, by its private enterprise number.
        vendor: u32,
        subtype: u32,
        value: Rest,
    }
}
