//! The ways to the devices: one link for each, which holds its socket or port and its patience.
//!
//! Owns connecting, waiting and saying honestly how something ended. A link never does anything twice by itself, and never
//! comes back by itself: who uses it decides whether and when to connect anew.

pub mod printer;
pub mod reader;
pub mod scanner;
pub mod terminal;

/// Who died between start and answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It was reached, but gave no answer, or stopped in the middle.
    Device,
    /// The way to it broke.
    Link,
}

/// How something that happens in the world ended, as far as anybody can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The device says it happened.
    Confirmed,
    /// Surely nothing happened; it may be tried again.
    Failed { why: String },
    /// It may have happened, or not, or in part. A person, or a question to the device, decides.
    Unknown { cause: Cause, why: String },
}

/// The way to a device is gone, or never came about. Connect anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct LinkDown {
    pub why: String,
}

impl LinkDown {
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
}
