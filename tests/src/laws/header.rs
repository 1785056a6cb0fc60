//! The 200 bytes before every payload, read by their positions as docs/contracts.md, section 8.1, lists them.

use super::words::{Day, Hash, Id, Micros};

pub const LENGTH: usize = 200;

#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub kind: u16,
    pub tenant: Code,
    pub store: Code,
    pub epoch: u32,
    pub seq: u64,
    pub prev_hash: Hash,
    pub time: Micros,
    pub business_day: Day,
    pub command_id: Option<Id>,
    pub device: Option<Code>,
    pub staff: Option<Code>,
}

/// 1 to 16 of `a-z 0-9 -`, beginning with a letter, padded with zeros.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code([u8; 16]);

impl Code {
    fn read(bytes: [u8; 16], what: &str) -> Result<Code, String> {
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(16);
        let (text, padding) = bytes.split_at(end);
        let clean = text
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-');
        let starts = text.first().is_some_and(u8::is_ascii_lowercase);
        if clean && starts && padding.iter().all(|byte| *byte == 0) {
            Ok(Code(bytes))
        } else {
            Err(format!("the header's {what} is not a code: {:?}", String::from_utf8_lossy(&bytes)))
        }
    }

    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(16);
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Header and payload of one entry that fills `bytes` exactly.
pub fn read(bytes: &[u8]) -> Result<(Header, &[u8]), String> {
    let Some((head, payload)) = bytes.split_at_checked(LENGTH) else {
        return Err(format!("{} bytes are too few for a header of {LENGTH}", bytes.len()));
    };
    if head[..4] != *b"BKRJ" {
        return Err("the bytes do not begin with BKRJ".to_owned());
    }
    let format = u16::from_be_bytes(at(head, 4));
    if format != 1 {
        return Err(format!("the header says format {format}, this checker knows 1"));
    }
    if head[46..48] != [0; 2] || head[192..196] != [0; 4] || head[45] > 1 {
        return Err("reserved bytes of the header are not zero".to_owned());
    }
    let announced = u32::from_be_bytes(at(head, 196));
    if announced as usize != payload.len() {
        return Err(format!("the header announces {announced} payload bytes, {} follow", payload.len()));
    }
    let header = Header {
        kind: u16::from_be_bytes(at(head, 6)),
        tenant: Code::read(at(head, 8), "tenant")?,
        store: Code::read(at(head, 24), "store")?,
        epoch: u32::from_be_bytes(at(head, 40)),
        seq: u64::from_be_bytes(at(head, 48)),
        prev_hash: Hash(at(head, 56)),
        time: Micros(i64::from_be_bytes(at(head, 88))),
        business_day: Day(i32::from_be_bytes(at(head, 96))),
        command_id: some(at(head, 100)).map(Id),
        device: some(at(head, 116)).map(|bytes| Code::read(bytes, "device")).transpose()?,
        staff: some(at(head, 132)).map(|bytes| Code::read(bytes, "staff")).transpose()?,
    };
    Ok((header, payload))
}

fn at<const N: usize>(head: &[u8], from: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&head[from..from + N]);
    field
}

fn some(bytes: [u8; 16]) -> Option<[u8; 16]> {
    (bytes != [0; 16]).then_some(bytes)
}
