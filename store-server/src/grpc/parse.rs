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

/// For fuzzers: any bytes in any field of a request become a type of core or are refused by the field's name.
#[cfg(test)]
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let refused = |status: Status| assert!(!status.message().is_empty() && status.message().len() < 1_000, "{status:?}");
    let mut metadata = MetadataMap::new();
    if let Ok(value) = format!("Bearer {text}").parse() {
        metadata.insert("authorization", value);
    }
    drop(token(&metadata));
    if let Err(status) = command_id_bytes(Some(bytes)) {
        refused(status);
    }
    if let Err(status) = ticket_id(bytes) {
        refused(status);
    }
    match code(&text) {
        Ok(code) => assert!(!code.is_empty() && code.len() <= LONGEST_CODE && text.contains(code)),
        Err(status) => refused(status),
    }
    match receipt(&text) {
        Ok(number) => assert!(matches!(receipt(&number.to_string()), Ok(again) if again == number)),
        Err(status) => refused(status),
    }
    if let Err(status) = id::<backroom_core::ids::StaffId>("staff", &text) {
        refused(status);
    }
    let said = wire::Money::decode(bytes).unwrap_or_default();
    if let Ok(euro) = "EUR".parse::<Currency>()
        && let Err(status) = money("amount", Some(&said), euro)
    {
        refused(status);
    }
    if let Ok(head) = wire::TicketHead::decode(bytes)
        && let Err(status) = ticket(Some(&head))
    {
        refused(status);
    }
    if let Ok(said) = wire::Command::decode(bytes)
        && let Err(status) = command_id(Some(&said))
    {
        refused(status);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_amount_in_other_money_and_an_id_of_nothing_are_refused_by_the_name_of_the_field() {
        let euro: Currency = "EUR".parse().unwrap();
        let dollars = wire::Money {
            minor: 500,
            currency: "USD".to_owned(),
        };
        let status = money("given", Some(&dollars), euro).unwrap_err();
        assert_eq!(status.message(), "given: is in \"USD\"; this store takes EUR");
        assert_eq!(money("given", None, euro).unwrap_err().message(), "given: is missing");
        let nothing = command_id_bytes(Some(&[0; 16])).unwrap_err();
        assert_eq!(
            nothing.message(),
            "command.command_id: is empty; make a new UUIDv7 for each command"
        );
        let long = code(&"1".repeat(201)).unwrap_err();
        assert_eq!(long.message(), "code: is longer than 200 characters; scan again");
    }

    proptest! {
        #[test]
        fn any_field_becomes_a_type_or_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..40), text in "[ -~]{0,40}", receipt in "R?-?r1[-/][0-9+-]{1,4}[-/][0-9]{1,22}(-[0-9]{2})?", sixteen in any::<[u8; 16]>(), minor in any::<i64>(), currency in "[A-Z€]{0,12}") {
            fuzz_one(&bytes);
            fuzz_one(text.as_bytes());
            fuzz_one(receipt.as_bytes());
            fuzz_one(&sixteen);
            fuzz_one(&wire::Money { minor, currency }.encode_to_vec());
        }
    }
}
