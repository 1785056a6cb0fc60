//! One line of an export: its JSON fields, its bytes, and every place where the two disagree.
//!
//! Believes the bytes. The JSON is compared with them and then dropped; what does not agree is a fault of the entry, which law
//! 4 reports.

use std::fmt;

use data_encoding::BASE64;
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::facts::{self, Fact};
use super::header::{self, Header};
use super::words::{Day, Hash, Id, Micros};

/// An entry as its bytes tell it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub header: Header,
    /// SHA-256 over the bytes, computed here.
    pub hash: Hash,
    pub fact: Fact,
    /// Where the line's JSON and its bytes disagree.
    pub faults: Vec<String>,
}

impl Entry {
    pub fn position(&self) -> (u32, u64) {
        (self.header.epoch, self.header.seq)
    }

    /// Such as `thread/berlin 1:17`.
    pub fn place(&self) -> String {
        let Header {
            tenant, store, epoch, seq, ..
        } = &self.header;
        format!("{tenant}/{store} {epoch}:{seq}")
    }
}

/// What a line of an export can be.
#[derive(Debug)]
pub enum Line {
    Entry(Box<Entry>),
    /// Its bytes are no entry at all; the text says which line says it is what.
    Unreadable(String),
    Projection {
        projection: String,
        key: String,
        value: Value,
    },
}

/// Reads an entry whose bytes were handed over without a line around them, with its body where it is of a kind known to JSON only.
pub fn of_bytes(bytes: &[u8], body: Option<Value>) -> Result<Entry, String> {
    let (header, payload) = header::read(bytes)?;
    let fact = match facts::from_bytes(header.kind, payload)? {
        Some(fact) => fact,
        None => Fact::Newer(body.unwrap_or_default()),
    };
    Ok(Entry {
        header,
        hash: Hash(Sha256::digest(bytes).into()),
        fact,
        faults: Vec::new(),
    })
}

/// Reads one line. An error means that the line is no JSON of an export.
pub fn read(line: &str) -> serde_json::Result<Line> {
    let mut said: Said = serde_json::from_str(line)?;
    let mut unread_body = None;
    if said.has_body {
        // The body can only be read once the kind is known, and a line may say its kind after it.
        let body = Body {
            kind: said.kind.as_deref().unwrap_or_default(),
        };
        match body.deserialize(&mut serde_json::Deserializer::from_str(line)) {
            Ok(body) => said.body = body,
            Err(why) => unread_body = Some(why), // The bytes still tell what happened.
        }
    }
    if let Some(projection) = said.projection {
        return Ok(Line::Projection {
            projection,
            key: said.key.unwrap_or_default(),
            value: said.value,
        });
    }
    let named = || {
        let number = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
        format!("entry {}:{}", number(said.epoch), number(said.seq))
    };
    let bytes = match &said.bytes {
        Some(Bytes(Some(bytes))) => bytes,
        Some(Bytes(None)) => return Ok(Line::Unreadable(format!("{} has bytes that are no base64", named()))),
        None => return Ok(Line::Unreadable(format!("{} has no bytes", named()))),
    };
    let (header, payload) = match header::read(bytes) {
        Ok(read) => read,
        Err(why) => return Ok(Line::Unreadable(format!("{}: {why}", named()))),
    };
    let hash = Hash(Sha256::digest(bytes).into());
    let mut faults = said.faults(&header, hash);
    let body_was_read = unread_body.is_none();
    if let Some(why) = unread_body {
        faults.push(format!("its body can not be read: {why}"));
    }
    let fact = match facts::from_bytes(header.kind, payload) {
        Ok(Some(mut fact)) => {
            match &said.body {
                Some(body) if said.kind.as_deref() == facts::word(header.kind) => {
                    fact.adopt_attempts(body);
                    faults.extend(difference(&fact, body));
                }
                Some(_) => {} // The kind's word is wrong and already a fault.
                None if body_was_read => faults.push("it has no body".to_owned()),
                None => {} // Already a fault.
            }
            fact
        }
        Ok(None) => match said.body {
            Some(Fact::Newer(value)) => Fact::Newer(value),
            _ => Fact::Newer(Value::Null),
        },
        Err(why) => {
            faults.push(format!("its payload can not be read: {why}"));
            Fact::Unreadable
        }
    };
    Ok(Line::Entry(Box::new(Entry {
        header,
        hash,
        fact,
        faults,
    })))
}

/// Where a body says something else than the bytes, in one sentence.
fn difference(bytes: &Fact, body: &Fact) -> Option<String> {
    if bytes == body {
        return None;
    }
    let (Ok(bytes), Ok(body)) = (serde_json::to_value(bytes), serde_json::to_value(body)) else {
        return Some("its body differs from its bytes".to_owned());
    };
    let (field, bytes, body) = first_difference("body", &bytes, &body).unwrap_or_default();
    Some(format!("{field} says {body}, the bytes say {bytes}"))
}

fn first_difference(path: &str, left: &Value, right: &Value) -> Option<(String, String, String)> {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => left.iter().find_map(|(key, value)| {
            let other = right.get(key).unwrap_or(&Value::Null);
            first_difference(&format!("{path}.{key}"), value, other)
        }),
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => left
            .iter()
            .zip(right)
            .enumerate()
            .find_map(|(at, (left, right))| first_difference(&format!("{path}[{at}]"), left, right)),
        (Value::Array(left), Value::Array(right)) => {
            let count = |items: &[Value]| format!("{} items", items.len());
            Some((path.to_owned(), count(left), count(right)))
        }
        _ if left == right => None,
        _ => Some((path.to_owned(), left.to_string(), right.to_string())),
    }
}

/// The fields of a line, as its JSON says them.
#[derive(Default)]
struct Said {
    epoch: Option<u64>,
    seq: Option<u64>,
    time: Option<String>,
    business_day: Option<String>,
    kind: Option<String>,
    command_id: Option<String>,
    device: Option<String>,
    staff: Option<String>,
    prev_hash: Option<String>,
    hash: Option<String>,
    bytes: Option<Bytes>,
    has_body: bool,
    body: Option<Fact>,
    store: Option<String>,
    projection: Option<String>,
    key: Option<String>,
    value: Value,
}

impl Said {
    fn faults(&self, header: &Header, hash: Hash) -> Vec<String> {
        let mut faults = Vec::new();
        let mut compare = |field: &str, agrees: bool, said: Option<&dyn fmt::Display>, bytes: &dyn fmt::Display| match said {
            _ if agrees => {}
            Some(said) => faults.push(format!("{field} says {said}, the bytes say {bytes}")),
            None => faults.push(format!("{field} says nothing, the bytes say {bytes}")),
        };
        fn shown<T: fmt::Display>(said: &Option<T>) -> Option<&dyn fmt::Display> {
            said.as_ref().map(|said| said as &dyn fmt::Display)
        }
        /// What may be absent on both sides.
        fn or_none<T: fmt::Display>(real: &Option<T>) -> &dyn fmt::Display {
            real.as_ref().map_or(&"nothing", |real| real as &dyn fmt::Display)
        }
        let text = |said: &Option<String>| said.clone().unwrap_or_default();
        let epoch = self.epoch == Some(u64::from(header.epoch));
        compare("epoch", epoch, shown(&self.epoch), &header.epoch);
        compare("seq", self.seq == Some(header.seq), shown(&self.seq), &header.seq);
        let time = Micros::parse(&text(&self.time)) == Some(header.time);
        compare("time", time, shown(&self.time), &header.time);
        let day = Day::parse(&text(&self.business_day)) == Some(header.business_day);
        compare("business_day", day, shown(&self.business_day), &header.business_day);
        // A newer program may know the word of a kind that this one only knows by number.
        let word = facts::word(header.kind);
        let kind = word.is_none() || self.kind.as_deref() == word;
        compare("kind", kind, shown(&self.kind), or_none(&word));
        let command = self.command_id.as_deref().map(Id::parse) == header.command_id.map(Some);
        compare("command_id", command, shown(&self.command_id), or_none(&header.command_id));
        let device = self.device.as_deref() == header.device.as_ref().map(header::Code::as_str);
        compare("device", device, shown(&self.device), or_none(&header.device));
        let staff = self.staff.as_deref() == header.staff.as_ref().map(header::Code::as_str);
        compare("staff", staff, shown(&self.staff), or_none(&header.staff));
        let before = Hash::parse(&text(&self.prev_hash)) == Some(header.prev_hash);
        compare("prev_hash", before, shown(&self.prev_hash), &header.prev_hash);
        let same = Hash::parse(&text(&self.hash)) == Some(hash);
        compare("hash", same, shown(&self.hash), &format_args!("{hash} when hashed"));
        let store = self.store.as_deref().is_none_or(|store| store == header.store.as_str());
        compare("store", store, shown(&self.store), &header.store);
        faults
    }
}

/// `None` when the text is no base64.
struct Bytes(Option<Vec<u8>>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
                Ok(Bytes(BASE64.decode(text.as_bytes()).ok()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Epoch,
    Seq,
    Time,
    BusinessDay,
    Kind,
    CommandId,
    Device,
    Staff,
    PrevHash,
    Hash,
    Bytes,
    Body,
    Store,
    Projection,
    Key,
    Value,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

/// All fields but the body.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Said;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of an export")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Said, A::Error> {
        let mut said = Said::default();
        while let Some(field) = map.next_key::<Field>()? {
            match field {
                Field::Epoch => said.epoch = map.next_value()?,
                Field::Seq => said.seq = map.next_value()?,
                Field::Time => said.time = map.next_value()?,
                Field::BusinessDay => said.business_day = map.next_value()?,
                Field::Kind => said.kind = map.next_value()?,
                Field::CommandId => said.command_id = map.next_value()?,
                Field::Device => said.device = map.next_value()?,
                Field::Staff => said.staff = map.next_value()?,
                Field::PrevHash => said.prev_hash = map.next_value()?,
                Field::Hash => said.hash = map.next_value()?,
                Field::Bytes => said.bytes = map.next_value()?,
                Field::Store => said.store = map.next_value()?,
                Field::Projection => said.projection = map.next_value()?,
                Field::Key => said.key = map.next_value()?,
                Field::Value => said.value = map.next_value()?,
                Field::Body => {
                    said.has_body = true;
                    map.next_value::<IgnoredAny>()?;
                }
                Field::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(said)
    }
}

/// Nothing but the body, as a fact of this kind.
#[derive(Clone, Copy)]
struct Body<'a> {
    kind: &'a str,
}

impl<'de> DeserializeSeed<'de> for Body<'_> {
    type Value = Option<Fact>;

    fn deserialize<D: Deserializer<'de>>(self, line: D) -> Result<Option<Fact>, D::Error> {
        line.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Body<'_> {
    type Value = Option<Fact>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of an export")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Fact>, A::Error> {
        let mut body = None;
        while let Some(field) = map.next_key::<Field>()? {
            if let Field::Body = field {
                body = Some(map.next_value_seed(OfKind(self.kind))?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(body)
    }
}

struct OfKind<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for OfKind<'_> {
    type Value = Fact;

    fn deserialize<D: Deserializer<'de>>(self, body: D) -> Result<Fact, D::Error> {
        facts::from_json(self.0, body)
    }
}
