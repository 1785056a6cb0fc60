//! Categories as paths: `drinks/beer` lies in `drinks`, and a rule for `drinks` holds for both.
//!
//! Each path is kept once and has a number. Does not know which items lie where.

use std::collections::HashMap;

/// A category path is at most so many bytes long.
pub const LONGEST_CATEGORY: usize = 100;

/// What an item without a category has.
pub(crate) const NO_CATEGORY: u32 = u32::MAX;

#[derive(Clone, Debug, Default)]
pub(crate) struct Categories {
    paths: Vec<Box<str>>,
    above: Vec<u32>,
    by_path: HashMap<Box<str>, u32>,
}

/// Whether a text is a path: parts with something in them between single slashes.
pub(crate) fn is_path(text: &str) -> bool {
    let clean = |part: &str| !part.is_empty() && part.trim() == part && !part.chars().any(char::is_control);
    text.len() <= LONGEST_CATEGORY && text.split('/').all(clean)
}

impl Categories {
    /// The number of a path that `is_path`; it and all above it are known from then on.
    pub fn number(&mut self, path: &str) -> u32 {
        if let Some(number) = self.by_path.get(path) {
            return *number;
        }
        let above = match path.rsplit_once('/') {
            Some((above, _)) => self.number(above),
            None => NO_CATEGORY,
        };
        let number = self.paths.len() as u32;
        self.paths.push(path.into());
        self.above.push(above);
        self.by_path.insert(path.into(), number);
        number
    }

    pub fn path(&self, number: u32) -> Option<&str> {
        self.paths.get(number as usize).map(AsRef::as_ref)
    }

    /// This category and all in which it lies, the nearest first.
    pub fn upwards(&self, number: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(number), |number| self.above.get(*number as usize).copied()).take_while(|number| *number != NO_CATEGORY)
    }
}
