//! One entry: the fixed header of 200 bytes, the payload as it was written, and the hash over both.

use crate::ids::{CommandId, RegisterId, StaffId, StoreId, TenantId};
use crate::time::{BusinessDay, Instant};

use super::{Epoch, FORMAT, HEADER_LEN, Hash, JournalError, LARGEST_PAYLOAD, MAGIC, Seq};

/// How long an entry must be kept; read by whoever archives, never a reason to delete in version 1. 0 is for ever and the strictest,
/// a higher number is a class that may go earlier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention(pub u8);

impl Retention {
    pub const EVER: Retention = Retention(0);

    /// What holds for both together.
    pub fn stricter(self, other: Retention) -> Retention {
        Retention(self.0.min(other.0))
    }
}

/// What a country's fiscal device said, in a fixed place. Profile 0 is "none": all zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FiscalBlock {
    pub profile: u16,
    pub state: u16,
    pub counter: u64,
    pub signature_hash: Hash,
}

/// The fixed head of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub tenant: TenantId,
    pub store: StoreId,
    pub epoch: Epoch,
    pub seq: Seq,
    pub prev_hash: Hash,
    pub at: Instant,
    /// False while the box does not trust its own clock.
    pub time_trusted: bool,
    pub business_day: BusinessDay,
    pub kind: u16,
    /// None for what the box does on its own account.
    pub command_id: Option<CommandId>,
    pub device: Option<RegisterId>,
    pub staff: Option<StaffId>,
    pub retention: Retention,
    pub fiscal: FiscalBlock,
}

/// An entry as it is stored: bytes are written once and never encoded again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub header: Header,
    pub bytes: Vec<u8>,
    pub hash: Hash,
}

impl Entry {
    pub fn write(header: Header, payload: &[u8]) -> Entry {
        let mut bytes = Vec::with_capacity(HEADER_LEN + payload.len());
        header.write(payload.len(), &mut bytes);
        bytes.extend_from_slice(payload);
        let hash = Hash::of(&bytes);
        Entry { header, bytes, hash }
    }

    /// Reads one entry which fills `bytes` exactly.
    pub fn read(bytes: Vec<u8>) -> Result<Entry, JournalError> {
        let header = Header::of(&bytes)?;
        let hash = Hash::of(&bytes);
        Ok(Entry { header, bytes, hash })
    }

    pub fn payload(&self) -> &[u8] {
        &self.bytes[HEADER_LEN..]
    }

    pub fn position(&self) -> (Epoch, Seq) {
        (self.header.epoch, self.header.seq)
    }
}

impl Header {
    fn write(&self, payload_len: usize, out: &mut Vec<u8>) {
        let code = |id: Option<[u8; 16]>| id.unwrap_or_default();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT.to_be_bytes());
        out.extend_from_slice(&self.kind.to_be_bytes());
        out.extend_from_slice(&self.tenant.to_bytes());
        out.extend_from_slice(&self.store.to_bytes());
        out.extend_from_slice(&self.epoch.0.to_be_bytes());
        out.push(self.retention.0);
        out.push(u8::from(self.time_trusted));
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.seq.0.to_be_bytes());
        out.extend_from_slice(&self.prev_hash.0);
        out.extend_from_slice(&self.at.as_micros().to_be_bytes());
        out.extend_from_slice(&self.business_day.to_days().to_be_bytes());
        out.extend_from_slice(&code(self.command_id.map(CommandId::to_bytes)));
        out.extend_from_slice(&code(self.device.map(RegisterId::to_bytes)));
        out.extend_from_slice(&code(self.staff.map(StaffId::to_bytes)));
        out.extend_from_slice(&self.fiscal.profile.to_be_bytes());
        out.extend_from_slice(&self.fiscal.state.to_be_bytes());
        out.extend_from_slice(&self.fiscal.counter.to_be_bytes());
        out.extend_from_slice(&self.fiscal.signature_hash.0);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&(payload_len as u32).to_be_bytes());
    }

    /// The header of an entry which fills `bytes` exactly. Copies no payload and computes no hash.
    pub fn of(bytes: &[u8]) -> Result<Header, JournalError> {
        let (header, announced) = Header::read(bytes)?;
        let found = bytes.len().saturating_sub(HEADER_LEN);
        if announced != found as u64 || found > LARGEST_PAYLOAD {
            return Err(JournalError::Length { announced, found });
        }
        Ok(header)
    }

    /// The header and the payload length it announces.
    fn read(bytes: &[u8]) -> Result<(Header, u64), JournalError> {
        let mut fields = Fields {
            rest: bytes.get(..HEADER_LEN).ok_or(JournalError::Short { len: bytes.len() })?,
        };
        if fields.take::<4>() != MAGIC {
            return Err(JournalError::Magic);
        }
        let format = u16::from_be_bytes(fields.take());
        if format != FORMAT {
            return Err(JournalError::Format { format });
        }
        let kind = u16::from_be_bytes(fields.take());
        let tenant = TenantId::from_bytes(fields.take())?;
        let store = StoreId::from_bytes(fields.take())?;
        let epoch = Epoch(u32::from_be_bytes(fields.take()));
        let [retention] = fields.take::<1>();
        let [flags] = fields.take::<1>();
        let reserved = fields.take::<2>();
        let seq = Seq(u64::from_be_bytes(fields.take()));
        let prev_hash = Hash(fields.take());
        let at = Instant::from_micros(i64::from_be_bytes(fields.take()))?;
        let business_day = BusinessDay::from_days(i32::from_be_bytes(fields.take()))?;
        let command_id = some_unless_zero(fields.take())
            .map(|bytes| CommandId::from_slice(&bytes))
            .transpose()?;
        let device = some_unless_zero(fields.take()).map(RegisterId::from_bytes).transpose()?;
        let staff = some_unless_zero(fields.take()).map(StaffId::from_bytes).transpose()?;
        let fiscal = FiscalBlock {
            profile: u16::from_be_bytes(fields.take()),
            state: u16::from_be_bytes(fields.take()),
            counter: u64::from_be_bytes(fields.take()),
            signature_hash: Hash(fields.take()),
        };
        let tail = fields.take::<4>();
        let announced = u64::from(u32::from_be_bytes(fields.take()));
        if reserved != [0; 2] || tail != [0; 4] || flags > 1 {
            return Err(JournalError::Reserved);
        }
        let retention = Retention(retention);
        let time_trusted = flags == 1;
        Ok((
            Header {
                tenant,
                store,
                epoch,
                seq,
                prev_hash,
                at,
                time_trusted,
                business_day,
                kind,
                command_id,
                device,
                staff,
                retention,
                fiscal,
            },
            announced,
        ))
    }
}

/// Takes fixed fields off a slice that is known to be long enough.
pub struct Fields<'a> {
    pub rest: &'a [u8],
}

impl Fields<'_> {
    pub fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut field = [0; N];
        if let Some((head, rest)) = self.rest.split_at_checked(N) {
            field.copy_from_slice(head);
            self.rest = rest;
        }
        field
    }
}

fn some_unless_zero(bytes: [u8; 16]) -> Option<[u8; 16]> {
    (bytes != [0; 16]).then_some(bytes)
}
