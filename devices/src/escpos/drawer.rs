//! The cash drawer: a pulse on one of two pins of the printer's socket. A command of its own, which no receipt can hold; who may send it, and
//! that it is never repeated by itself, is decided elsewhere.

use crate::escpos::ESC;

/// Printers count in steps of two milliseconds, in one byte.
const STEP_MS: u16 = 2;
const LONGEST_MS: u16 = 255 * STEP_MS;

/// The pin of the socket that the drawer's coil is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// The first drawer, as almost all are.
    Two,
    /// The second drawer.
    Five,
}

/// A pulse that a printer can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    pin: Pin,
    on_steps: u8,
    off_steps: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PulseError {
    #[error("a pulse of 0 ms opens no drawer; 50 ms suit most")]
    NoPulse,
    #[error("{ms} ms is longer than a printer can count; set at most 510 ms")]
    TooLong { ms: u16 },
}

impl Pulse {
    /// An odd time is rounded up to the printer's next step.
    pub fn new(pin: Pin, on_ms: u16, off_ms: u16) -> Result<Self, PulseError> {
        if on_ms == 0 {
            return Err(PulseError::NoPulse);
        }
        Ok(Self {
            pin,
            on_steps: steps(on_ms)?,
            off_steps: steps(off_ms)?,
        })
    }

    /// `ESC p m t1 t2`.
    pub fn to_bytes(self) -> [u8; 5] {
        let pin = match self.pin {
            Pin::Two => 0,
            Pin::Five => 1,
        };
        [ESC, b'p', pin, self.on_steps, self.off_steps]
    }
}

fn steps(ms: u16) -> Result<u8, PulseError> {
    if ms > LONGEST_MS {
        return Err(PulseError::TooLong { ms });
    }
    u8::try_from(ms.div_ceil(STEP_MS)).map_err(|_| PulseError::TooLong { ms })
}
