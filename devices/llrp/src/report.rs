//! Tag reports: which tags a reader has seen, where, how strongly and when.
//!
//! Reads the body of an RO_ACCESS_REPORT as a client does, and writes the tags of one as a reader does. What is unknown or asked by nobody yet (surveys of the air, results of
//! reading and writing tags, makers' own parameters) is stepped over. The order of parameters is not checked, their number is.

use std::fmt;

use crate::frame::Side;
use crate::layout::{BodyError, Element, Field, Level, Out};
use crate::parameter::{self, Parameter, ParameterError, Parameters, kind};

/// One tag as one report has it. What the reader was not asked to tell is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagReport {
    pub epc: TagBits,
    /// The order for an inventory that it was read for.
    pub rospec_id: Option<u32>,
    pub antenna: Option<u16>,
    pub peak_rssi_dbm: Option<i8>,
    /// Microseconds since 1970, by the reader's clock.
    pub first_seen_utc_us: Option<u64>,
    /// Microseconds since the reader was switched on.
    pub first_seen_uptime_us: Option<u64>,
    pub last_seen_utc_us: Option<u64>,
    pub last_seen_uptime_us: Option<u64>,
    pub seen_count: Option<u16>,
}

/// The bits of a tag's EPC memory, shown as the hexadecimal text that `backroom_core::epc` reads. Bits after the last one are zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TagBits {
    bits: u16,
    bytes: Vec<u8>,
}

impl TagBits {
    /// Whole bytes, as a tag's words are. `None` for more than a report can carry.
    pub fn whole(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            bits: u16::try_from(bytes.len().checked_mul(8)?).ok()?,
            bytes: bytes.to_vec(),
        })
    }

    pub fn bits(&self) -> u16 {
        self.bits
    }

    /// As many bytes as the bits fill.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn of_epc_96(value: &[u8]) -> Self {
        Self {
            bits: 96,
            bytes: value.to_vec(),
        }
    }

    /// A count of bits, then the bits from the most significant on, filled up to a whole byte. The filling says nothing and is
    /// cleared, so that the same tag is always the same bytes.
    fn of_epc_data(value: &[u8]) -> Result<Self, ReportError> {
        let Some((count, rest)) = value.split_first_chunk() else {
            return Err(ReportError::EpcLength {
                bits: 0,
                bytes: value.len(),
            });
        };
        let bits = u16::from_be_bytes(*count);
        if rest.len() != usize::from(bits).div_ceil(8) {
            return Err(ReportError::EpcLength { bits, bytes: rest.len() });
        }
        let mut bytes = rest.to_vec();
        if let Some(last) = bytes.last_mut() {
            *last &= 0xff << ((8 - bits % 8) % 8);
        }
        Ok(Self { bits, bytes })
    }
}

impl fmt::Display for TagBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.bytes {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// Why a report cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    #[error("a tag report could not be read")]
    Parameter(#[from] ParameterError),
    #[error("a tag report says parameter {kind} twice; update the reader's firmware")]
    Twice { kind: u16 },
    #[error("a tag report names no tag; update the reader's firmware")]
    NoEpc,
    #[error("a tag report announces {bits} bits of EPC and brings {bytes} bytes")]
    EpcLength { bits: u16, bytes: usize },
}

/// The tags in the body of an RO_ACCESS_REPORT, one by one. Ends after the first that is wrong; those before it were seen all the same.
pub fn tag_reports(body: &[u8]) -> TagReports<'_> {
    TagReports {
        parameters: Some(parameter::walk(body, Side::Client)),
    }
}

/// See [`tag_reports`].
#[derive(Clone, Debug)]
pub struct TagReports<'a> {
    parameters: Option<Parameters<'a>>,
}

impl Iterator for TagReports<'_> {
    type Item = Result<TagReport, ReportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.parameters.as_mut()?.find_map(|parameter| match parameter {
            Ok(Parameter {
                kind: kind::TAG_REPORT_DATA,
                value,
            }) => Some(read_tag(value)),
            Ok(_) => None,
            Err(wrong) => Some(Err(wrong.into())),
        });
        if !matches!(next, Some(Ok(_))) {
            self.parameters = None;
        }
        next
    }
}

/// For writing; read alone, it steps over what is unknown as [`tag_reports`] does.
impl Element for TagReport {
    const KIND: u16 = kind::TAG_REPORT_DATA;

    fn read(_kind: u16, inside: &mut Level<'_>) -> Result<Self, BodyError> {
        Ok(read_tag(inside.all())?)
    }

    fn write(&self, out: &mut Out) {
        out.parameter(kind::TAG_REPORT_DATA, |out| {
            self.epc.write(out);
            // The standard's order, which is not that of the numbers.
            short(out, kind::ROSPEC_ID, self.rospec_id);
            short(out, kind::ANTENNA_ID, self.antenna);
            short(out, kind::PEAK_RSSI, self.peak_rssi_dbm);
            short(out, kind::FIRST_SEEN_UTC, self.first_seen_utc_us);
            short(out, kind::FIRST_SEEN_UPTIME, self.first_seen_uptime_us);
            short(out, kind::LAST_SEEN_UTC, self.last_seen_utc_us);
            short(out, kind::LAST_SEEN_UPTIME, self.last_seen_uptime_us);
            short(out, kind::TAG_SEEN_COUNT, self.seen_count);
        });
    }
}

impl TagBits {
    fn write(&self, out: &mut Out) {
        if self.bits == 96 {
            out.parameter(kind::EPC_96, |out| out.put(&self.bytes));
        } else {
            out.parameter(kind::EPC_DATA, |out| {
                self.bits.write(out);
                out.put(&self.bytes);
            });
        }
    }
}

fn short<T: Field>(out: &mut Out, kind: u16, value: Option<T>) {
    if let Some(value) = value {
        out.parameter(kind, |out| value.write(out));
    }
}

#[cfg(test)]
impl crate::dice::Sample for TagReport {
    fn sample(dice: &mut crate::dice::Dice<'_>) -> Self {
        let mut bytes: Vec<u8> = dice.many();
        if dice.coin() {
            bytes.resize(12, 7);
        }
        let mut epc = TagBits::whole(&bytes).unwrap();
        if let Some(last) = epc.bytes.last_mut()
            && dice.coin()
        {
            *last &= 0xfe;
            epc.bits -= 1;
        }
        Self {
            epc,
            rospec_id: dice.maybe(),
            antenna: dice.maybe(),
            peak_rssi_dbm: dice.maybe(),
            first_seen_utc_us: dice.maybe(),
            first_seen_uptime_us: dice.maybe(),
            last_seen_utc_us: dice.maybe(),
            last_seen_uptime_us: dice.maybe(),
            seen_count: dice.maybe(),
        }
    }
}

fn read_tag(value: &[u8]) -> Result<TagReport, ReportError> {
    let mut epc = None;
    let mut rospec_id = None;
    let mut antenna = None;
    let mut peak_rssi = None;
    let mut seen_count = None;
    let mut times = [None; 4];
    for parameter in parameter::walk(value, Side::Client) {
        let Parameter { kind, value } = parameter?;
        match kind {
            // A tag is named once, in whichever of the two forms.
            kind::EPC_96 => once(kind, &mut epc, Some(TagBits::of_epc_96(value)))?,
            kind::EPC_DATA => once(kind, &mut epc, Some(TagBits::of_epc_data(value)?))?,
            kind::ROSPEC_ID => once(kind, &mut rospec_id, number(value).map(u32::from_be_bytes))?,
            kind::ANTENNA_ID => once(kind, &mut antenna, number(value).map(u16::from_be_bytes))?,
            kind::PEAK_RSSI => once(kind, &mut peak_rssi, number(value).map(i8::from_be_bytes))?,
            kind::TAG_SEEN_COUNT => once(kind, &mut seen_count, number(value).map(u16::from_be_bytes))?,
            kind::FIRST_SEEN_UTC..=kind::LAST_SEEN_UPTIME => {
                let slot = &mut times[usize::from(kind - kind::FIRST_SEEN_UTC)];
                once(kind, slot, number(value).map(u64::from_be_bytes))?;
            }
            _ => {}
        }
    }
    let [first_seen_utc_us, first_seen_uptime_us, last_seen_utc_us, last_seen_uptime_us] = times;
    Ok(TagReport {
        epc: epc.ok_or(ReportError::NoEpc)?,
        rospec_id,
        antenna,
        peak_rssi_dbm: peak_rssi,
        first_seen_utc_us,
        first_seen_uptime_us,
        last_seen_utc_us,
        last_seen_uptime_us,
        seen_count,
    })
}

fn once<T>(kind: u16, slot: &mut Option<T>, value: Option<T>) -> Result<(), ReportError> {
    if slot.is_some() {
        return Err(ReportError::Twice { kind });
    }
    *slot = value;
    Ok(())
}

/// The walk has cut the value of a short parameter to its length in the standard's table, so this always fits.
fn number<const BYTES: usize>(value: &[u8]) -> Option<[u8; BYTES]> {
    value.try_into().ok()
}
