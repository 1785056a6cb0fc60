//! Requests become types of core here, once. Behind this file nobody checks again.

use backroom_actors::journal::BodyHash;
use backroom_actors::staff::Token;
use backroom_core::ids::{CommandId, ReasonCode, ReceiptNo, TicketId};
use backroom_core::money::{Currency, Money, Quantity};
use backroom_core::price::Discount;
use backroom_core::tax::Exemption;
use backroom_protocol::v1::register as wire;
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::errors::{bad_field, status};

/// A code longer than this is no barcode.
const LONGEST_CODE: usize = 200;
/// No exemption names more taxes than this.
const MOST_TAXES: usize = 16;

/// The bearer token of a call.
pub fn token(metadata: &MetadataMap) -> Result<Token, Status> {
    let missing = || status("not_signed_in", "no token came with this call; sign in with your number and PIN");
    let text = metadata
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .ok_or_else(missing)?;
    let hex = text.strip_prefix("Bearer ").ok_or_else(missing)?;
    let bytes = data_encoding::HEXLOWER_PERMISSIVE
        .decode(hex.trim().as_bytes())
        .map_err(|_| missing())?;
    bytes.try_into().map_err(|_| missing())
}

pub fn command_id(command: Option<&wire::Command>) -> Result<CommandId, Status> {
    command_id_bytes(command.map(|command| command.command_id.as_slice()))
}

/// The same for the rooms which have a `Command` of their own.
pub fn command_id_bytes(bytes: Option<&[u8]>) -> Result<CommandId, Status> {
    let bytes = bytes.ok_or_else(|| bad_field("command", "is missing; each command needs an id of its own"))?;
    let id = CommandId::from_slice(bytes).map_err(|error| bad_field("command.command_id", error))?;
    if id.0.is_nil() {
        Err(bad_field("command.command_id", "is empty; make a new UUIDv7 for each command"))
    } else {
        Ok(id)
    }
}

pub fn ticket_id(bytes: &[u8]) -> Result<TicketId, Status> {
    let id = TicketId::from_slice(bytes).map_err(|error| bad_field("ticket_id", error))?;
    if id.0.is_nil() {
        Err(bad_field("ticket_id", "is empty; make a new UUIDv7 for each ticket"))
    } else {
        Ok(id)
    }
}

pub fn ticket(head: Option<&wire::TicketHead>) -> Result<(TicketId, u64), Status> {
    let head = head.ok_or_else(|| bad_field("ticket", "is missing"))?;
    Ok((ticket_id(&head.ticket_id)?, head.expected_version))
}

/// What a command said, without what must not be remembered. Call and register are part of it: what another
/// register says, or another call, is never the same command.
pub fn body_hash(call: &'static str, register: &str, said: &impl Message) -> BodyHash {
    let mut hash = Sha256::new();
    hash.update(call.as_bytes());
    hash.update([0]);
    hash.update(register.as_bytes());
    hash.update([0]);
    hash.update(said.encode_to_vec());
    let full: [u8; 32] = hash.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&full[..16]);
    half
}

pub fn money(field: &str, money: Option<&wire::Money>, currency: Currency) -> Result<Money, Status> {
    let money = money.ok_or_else(|| bad_field(field, "is missing"))?;
    if money.currency != currency.code() {
        let why = format!(
            "is in {:?}; this store takes {}",
            money.currency.chars().take(10).collect::<String>(),
            currency.code()
        );
        return Err(bad_field(field, why));
    }
    Ok(Money(money.minor))
}

pub fn quantity(milli: i64) -> Quantity {
    if milli == 0 { Quantity::ONE } else { Quantity(milli) }
}

/// A line's number; 0 stands for the whole ticket.
pub fn line(number: u32) -> Option<u32> {
    (number != 0).then_some(number)
}

pub fn discount(said: Option<&wire::give_discount_request::Discount>, currency: Currency) -> Result<Option<Discount>, Status> {
    Ok(match said {
        None => None,
        Some(wire::give_discount_request::Discount::Percent(text)) => {
            Some(Discount::Percent(text.parse().map_err(|error| bad_field("percent", error))?))
        }
        Some(wire::give_discount_request::Discount::Amount(amount)) => Some(Discount::Amount(money("amount", Some(amount), currency)?)),
    })
}

pub fn exemption(taxes: &[String], reason: &str) -> Result<Option<Exemption>, Status> {
    if reason.is_empty() {
        return Ok(None);
    }
    let reason: ReasonCode = id("reason", reason)?;
    if taxes.len() > MOST_TAXES {
        return Err(bad_field("taxes", format!("names more than {MOST_TAXES} taxes")));
    }
    Ok(Some(Exemption {
        taxes: taxes.to_vec(),
        reason: reason.to_string(),
    }))
}

pub fn code(text: &str) -> Result<&str, Status> {
    let text = text.trim_matches(|letter: char| letter == '\r' || letter == '\n' || letter == ' ' || letter == '\t');
    if text.is_empty() {
        return Err(bad_field("code", "is empty; scan again"));
    }
    if text.len() > LONGEST_CODE {
        return Err(bad_field("code", format!("is longer than {LONGEST_CODE} characters; scan again")));
    }
    Ok(text)
}

/// A receipt's number as printed, or what a scanner read from its barcode.
pub fn receipt(text: &str) -> Result<ReceiptNo, Status> {
    if let Ok(backroom_core::barcode::Scanned::Receipt(code)) = backroom_core::barcode::Scanned::parse(text.trim()) {
        return Ok(code.receipt());
    }
    text.trim().parse().map_err(|error| bad_field("receipt", error))
}

pub fn id<T>(field: &str, text: &str) -> Result<T, Status>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error| bad_field(field, error))
}
