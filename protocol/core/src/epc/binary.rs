//! A name and its tag's bits, both ways, by the tables of `scheme`.
//!
//! Reading is strict: a value with more digits than its partition allows, text after its end or a bit in the padding is
//! refused, so that each name has exactly one tag for a scheme and a filter.

use crate::epc::bits::{BitReader, BitWriter};
use crate::epc::identity::{EpcId, no_leading_zero};
use crate::epc::scheme::{Bits, ReferenceBits, Scheme, prefix_bits, prefix_digits};
use crate::epc::{Epc, EpcError};

/// The bits of a tag in whole words of sixteen.
pub(super) fn write(id: &EpcId, scheme: Scheme, filter: u8) -> Result<Vec<u8>, EpcError> {
    let most = (1_u16 << scheme.filter_bits()) - 1;
    if u16::from(filter) > most {
        return Err(EpcError::Filter {
            found: u64::from(filter),
            most,
        });
    }
    let mut out = BitWriter::default();
    out.put(u64::from(scheme.header()), 8);
    out.put(u64::from(filter), scheme.filter_bits());
    let mut fields = id
        .kind()
        .parts()
        .iter()
        .map(|(name, _)| *name)
        .zip(id.fields().iter().map(String::as_str));
    let mut next = || fields.next().unwrap_or_default();
    for bits in scheme.layout() {
        match *bits {
            Bits::Partition { bits, total, reference } => write_partition(&mut out, next(), next(), bits, total, reference)?,
            Bits::Number { bits } => {
                let (field, text) = next();
                no_leading_zero(field, text)?;
                out.put(number_below(field, text, bits)?, bits);
            }
            Bits::PrefixedDigits { bits } => {
                let (field, text) = next();
                out.put(number_below(field, &format!("1{text}"), bits)?, bits);
            }
            Bits::TwoDigits => {
                let (field, text) = next();
                out.put(number_below(field, text, 7)?, 7);
            }
            Bits::Text { bits } => write_text(&mut out, next().1, bits),
            Bits::Zeros { bits } => out.put(0, bits),
            Bits::Cage => {
                for letter in format!("{:>6}", next().1).bytes() {
                    out.put(u64::from(letter), 8);
                }
            }
            Bits::PackedCage => {
                for letter in format!("{:>6}", next().1).bytes() {
                    out.put(u64::from(letter & 0x3f), 6);
                }
            }
            Bits::PackedText => write_packed(&mut out, next().1),
        }
    }
    Ok(out.into_words())
}

fn write_partition(
    out: &mut BitWriter,
    (_, prefix): (&'static str, &str),
    (field, value): (&'static str, &str),
    bits: usize,
    total: usize,
    reference: ReferenceBits,
) -> Result<(), EpcError> {
    let digits = prefix.len();
    let wide = prefix_bits(digits).ok_or(EpcError::PrefixLength { length: digits })?;
    out.put((12 - digits) as u64, 3);
    out.put(number_below("company prefix", prefix, wide)?, wide);
    let narrow = bits.saturating_sub(wide);
    let room = total.saturating_sub(digits);
    match reference {
        ReferenceBits::Padded => out.put(number_below(field, value, narrow)?, narrow),
        ReferenceBits::Unpadded => {
            no_leading_zero(field, value)?;
            if value.len() > room {
                return Err(EpcError::TooLong {
                    field,
                    max: room,
                    found: value.len(),
                });
            }
            out.put(number_below(field, value, narrow)?, narrow);
        }
        ReferenceBits::Text => write_text(out, value, narrow),
        ReferenceBits::Packed => write_packed(out, value),
    }
    Ok(())
}

fn write_text(out: &mut BitWriter, text: &str, bits: usize) {
    let end = out.length() + bits;
    for letter in text.bytes() {
        out.put(u64::from(letter), 7);
    }
    out.fill_to(end);
}

fn write_packed(out: &mut BitWriter, text: &str) {
    for letter in text.bytes() {
        out.put(u64::from(letter & 0x3f), 6);
    }
    out.put(0, 6);
}

/// The number a text of digits stands for, where it fits so many bits. No digits stand for zero.
fn number_below(field: &'static str, text: &str, bits: usize) -> Result<u64, EpcError> {
    let mut value: u64 = 0;
    for letter in text.chars() {
        let digit = letter.to_digit(10).ok_or(EpcError::Character { field, letter })?;
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(u64::from(digit)))
            .ok_or(EpcError::TooLarge { field, bits })?;
    }
    if bits < 64 && value >> bits != 0 {
        Err(EpcError::TooLarge { field, bits })
    } else {
        Ok(value)
    }
}

/// Reads a tag. `bytes` holds whole bytes; what follows the scheme's own bits has to be zero, and no more than fills a
/// word of sixteen.
pub(super) fn read(bytes: &[u8]) -> Result<Epc, EpcError> {
    let mut bits = BitReader::new(bytes);
    let header = bits.take(8)? as u8;
    let scheme = match Scheme::from_header(header) {
        Some(scheme) => scheme,
        None if header == 0 => return Err(EpcError::Unprogrammed),
        None => return Err(EpcError::UnknownHeader { header }),
    };
    if let Some(expected) = scheme.bits()
        && !(expected.div_ceil(8)..=expected.next_multiple_of(16) / 8).contains(&bytes.len())
    {
        return Err(EpcError::TagLength {
            scheme: scheme.name(),
            expected,
            found: bytes.len() * 8,
        });
    }
    let filter = bits.take(scheme.filter_bits())? as u8;
    let parts = scheme.kind().parts();
    let name = |at: usize| parts.get(at).map_or("end", |(name, _)| *name);
    let mut fields: Vec<String> = Vec::with_capacity(parts.len());
    for layout in scheme.layout() {
        let field = name(fields.len());
        match *layout {
            Bits::Partition {
                bits: both,
                total,
                reference,
            } => {
                let reference_name = name(fields.len() + 1);
                read_partition(&mut bits, &mut fields, reference_name, both, total, reference)?;
            }
            Bits::Number { bits: count } => fields.push(written(bits.take(count)?, 1)),
            Bits::PrefixedDigits { bits: count } => {
                let digits = bits.take(count)?.to_string();
                match digits.strip_prefix('1') {
                    Some(digits) if !digits.is_empty() => fields.push(digits.to_owned()),
                    _ => return Err(EpcError::NoLeadingOne { field }),
                }
            }
            Bits::TwoDigits => {
                let value = bits.take(7)?;
                if value > 99 {
                    return Err(EpcError::TooManyDigits { field, digits: 2 });
                }
                fields.push(format!("{value:02}"));
            }
            Bits::Text { bits: count } => {
                let text = read_text(&mut bits, field, count)?;
                fields.push(text);
            }
            Bits::Zeros { bits: count } => bits.zeros(count, "the reserved bits at the end")?,
            Bits::Cage => fields.push(read_cage(&mut bits, field, 8)?),
            Bits::PackedCage => fields.push(read_cage(&mut bits, field, 6)?),
            Bits::PackedText => fields.push(read_packed(&mut bits)?),
        }
    }
    if bits.left() >= 16 {
        return Err(EpcError::TrailingBits { scheme: scheme.name() });
    }
    let used = bytes.len() * 8 - bits.left();
    bits.zeros(bits.left(), "the padding")?;
    let id = EpcId::new(scheme.kind(), fields)?;
    // Writing the name again would give these very bits: nothing was read in two ways, and the padding is zeros.
    let mut bytes = bytes.to_vec();
    bytes.resize(used.next_multiple_of(16) / 8, 0);
    Ok(Epc { id, scheme, filter, bytes })
}

fn read_partition(
    bits: &mut BitReader<'_>,
    fields: &mut Vec<String>,
    field: &'static str,
    both: usize,
    total: usize,
    reference: ReferenceBits,
) -> Result<(), EpcError> {
    let partition = bits.take(3)? as usize;
    let digits = prefix_digits(partition).ok_or(EpcError::Partition)?;
    let wide = prefix_bits(digits).ok_or(EpcError::Partition)?;
    let prefix = bits.take(wide)?;
    fields.push(padded("company prefix", prefix, digits)?);
    let narrow = both.saturating_sub(wide);
    let room = total.saturating_sub(digits);
    let value = match reference {
        ReferenceBits::Padded => padded(field, bits.take(narrow)?, room)?,
        ReferenceBits::Unpadded => {
            let value = bits.take(narrow)?;
            padded(field, value, room)?;
            written(value, 1)
        }
        ReferenceBits::Text => read_text(bits, field, narrow)?,
        ReferenceBits::Packed => read_packed(bits)?,
    };
    fields.push(value);
    Ok(())
}

/// The number with all its digits; no digits at all where there is room for none.
fn padded(field: &'static str, value: u64, digits: usize) -> Result<String, EpcError> {
    let too_large = u32::try_from(digits)
        .ok()
        .and_then(|digits| 10_u64.checked_pow(digits))
        .is_some_and(|end| value >= end);
    if too_large {
        return Err(EpcError::TooManyDigits { field, digits });
    }
    Ok(written(value, digits))
}

/// A number in at least so many digits.
fn written(mut value: u64, digits: usize) -> String {
    let mut text = [b'0'; 20];
    let mut length = 0;
    for place in text.iter_mut().rev() {
        if value == 0 && length >= digits {
            break;
        }
        *place = b'0' + (value % 10) as u8;
        value /= 10;
        length += 1;
    }
    let (_, last) = text.split_at(text.len() - length);
    last.iter().map(|digit| char::from(*digit)).collect()
}

fn read_text(bits: &mut BitReader<'_>, field: &'static str, mut count: usize) -> Result<String, EpcError> {
    let mut text = String::with_capacity(20);
    while count >= 7 {
        let letter = bits.take(7)? as u8;
        count -= 7;
        if letter == 0 {
            break;
        }
        if letter.is_ascii_control() {
            return Err(EpcError::Character {
                field,
                letter: char::from(letter),
            });
        }
        text.push(char::from(letter));
    }
    bits.zeros(count, "what follows the end of the text")?;
    Ok(text)
}

/// Six bits stand for the letters from `@` on, or for digits and signs as they are.
fn unpack(code: u8) -> u8 {
    if code < 0x20 { code + 0x40 } else { code }
}

fn read_packed(bits: &mut BitReader<'_>) -> Result<String, EpcError> {
    let mut text = String::new();
    loop {
        match bits.take(6)? as u8 {
            0 => return Ok(text),
            code => text.push(char::from(unpack(code))),
        }
    }
}

fn read_cage(bits: &mut BitReader<'_>, field: &'static str, width: usize) -> Result<String, EpcError> {
    let mut text = String::new();
    for place in 0..6 {
        let code = bits.take(width)? as u8;
        let letter = if width == 6 { unpack(code) } else { code };
        match letter {
            b' ' if place == 0 => {} // A code of five letters stands to the right.
            letter if letter.is_ascii_graphic() => text.push(char::from(letter)),
            letter => {
                return Err(EpcError::Character {
                    field,
                    letter: char::from(letter),
                });
            }
        }
    }
    Ok(text)
}
