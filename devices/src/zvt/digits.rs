//! Numbers as decimal digits, two in a byte, and the password, which is such a number and is never shown.

use std::fmt;
use std::str::FromStr;

/// The number in these bytes; `None` when a half byte is no decimal digit, as in fields that are filled up or masked.
pub fn read(bytes: &[u8]) -> Option<u64> {
    bytes.iter().try_fold(0u64, |number, byte| {
        let (high, low) = (byte >> 4, byte & 0x0f);
        if high > 9 || low > 9 {
            return None;
        }
        number.checked_mul(100)?.checked_add(u64::from(high * 10 + low))
    })
}

/// The last `2 * N` digits of a number.
pub fn write<const N: usize>(mut number: u64) -> [u8; N] {
    let mut bytes = [0; N];
    for byte in bytes.iter_mut().rev() {
        // Below 100, so it fits.
        let two = (number % 100) as u8;
        *byte = ((two / 10) << 4) | (two % 10);
        number /= 100;
    }
    bytes
}

/// The six digits that a terminal asks of its register. They open reversals and refunds, so they are never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password([u8; 3]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password of a payment terminal is six digits; look it up in the terminal's papers")]
pub struct NoPassword;

impl Password {
    pub fn bytes(self) -> [u8; 3] {
        self.0
    }

    pub fn from_bytes(bytes: [u8; 3]) -> Self {
        Self(bytes)
    }
}

impl FromStr for Password {
    type Err = NoPassword;

    fn from_str(text: &str) -> Result<Self, NoPassword> {
        if text.len() != 6 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoPassword);
        }
        text.parse().map(|number| Self(write(number))).map_err(|_| NoPassword)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Password(******)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_packed_two_in_a_byte() {
        assert_eq!(write::<6>(1_234_567), [0, 0, 0x01, 0x23, 0x45, 0x67]);
        assert_eq!(read(&[0, 0, 0x01, 0x23, 0x45, 0x67]), Some(1_234_567));
        assert_eq!(read(&[0x1f]), None);
        assert_eq!(write::<2>(978), [0x09, 0x78]);
        assert_eq!(read(&[0x99; 11]), None);
    }

    #[test]
    fn a_password_is_six_digits_and_never_shown() {
        let password: Password = "012345".parse().unwrap();
        assert_eq!(password.bytes(), [0x01, 0x23, 0x45]);
        assert!(!format!("{password:?}").contains("12"));
        for wrong in ["", "12345", "1234567", "12345x", "+12345"] {
            assert_eq!(wrong.parse::<Password>(), Err(NoPassword), "{wrong}");
        }
    }
}
