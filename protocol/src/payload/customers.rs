//! The bytes of facts about customers.

use backroom_core::customers::{Answer, Consent, ListCode, Terms};
use backroom_core::facts::customers::{CustomerChanged, CustomerNow, CustomersFact};
use backroom_core::ids::AccountId;
use prost::Message;

use super::counter::{read_word, word};
use super::{Parsed, PayloadError, id, needed, parse};
use crate::v1::journal as wire;

const CONSENTS: [(Consent, &str); 5] = [
    (Consent::Email, "email"),
    (Consent::Phone, "phone"),
    (Consent::Post, "post"),
    (Consent::Profiling, "profiling"),
    (Consent::DigitalReceipt, "digital_receipt"),
];
const ANSWERS: [(Answer, &str); 2] = [(Answer::Given, "given"), (Answer::Withdrawn, "withdrawn")];

pub fn encode(fact: &CustomersFact) -> Vec<u8> {
    let CustomersFact::CustomerChanged(CustomerChanged { customer, now }) = fact;
    let (now, kept, into) = match now {
        CustomerNow::Kept(kept) => ("kept", Some(terms(kept)), String::new()),
        CustomerNow::Erased => ("erased", None, String::new()),
        CustomerNow::Merged { into } => ("merged", None, into.to_string()),
    };
    wire::CustomerChanged {
        customer: customer.to_string(),
        now: now.into(),
        terms: kept,
        into,
    }
    .encode_to_vec()
}

pub fn decode(bytes: &[u8]) -> Parsed<CustomersFact> {
    let read = wire::CustomerChanged::decode(bytes)?;
    let now = match read.now.as_str() {
        "kept" => CustomerNow::Kept(read_terms(needed("terms", read.terms)?)?),
        "erased" => CustomerNow::Erased,
        "merged" => CustomerNow::Merged {
            into: parse("into", &read.into)?,
        },
        _ => {
            return Err(PayloadError::Word {
                field: "now",
                value: read.now,
            });
        }
    };
    Ok(CustomersFact::CustomerChanged(CustomerChanged {
        customer: parse("customer", &read.customer)?,
        now,
    }))
}

fn terms(terms: &Terms) -> wire::CustomerTerms {
    let text = |code: &Option<ListCode>| code.as_ref().map(|code| code.as_str().to_owned()).unwrap_or_default();
    let consent = |(consent, answer): (&Consent, &Answer)| wire::CustomerConsent {
        consent: word(&CONSENTS, *consent),
        answer: word(&ANSWERS, *answer),
    };
    wire::CustomerTerms {
        groups: terms.groups.iter().map(|group| group.as_str().to_owned()).collect(),
        price_group: text(&terms.price_group),
        consents: terms.consents.iter().map(consent).collect(),
        exemption: text(&terms.exemption),
        accounts: terms.accounts.iter().map(|account| account.to_bytes().to_vec()).collect(),
    }
}

fn read_terms(read: wire::CustomerTerms) -> Parsed<Terms> {
    let mut terms = Terms {
        price_group: some_code("price group", read.price_group)?,
        exemption: some_code("exemption", read.exemption)?,
        ..Terms::default()
    };
    for group in read.groups {
        terms.groups.insert(code("group", group)?);
    }
    for consent in read.consents {
        let answer = read_word("answer", &ANSWERS, consent.answer)?;
        terms.consents.insert(read_word("consent", &CONSENTS, consent.consent)?, answer);
    }
    for account in read.accounts {
        terms.accounts.insert(id("account", AccountId::from_slice(&account))?);
    }
    Ok(terms)
}

fn some_code(field: &'static str, text: String) -> Parsed<Option<ListCode>> {
    if text.is_empty() {
        return Ok(None);
    }
    code(field, text).map(Some)
}

fn code(field: &'static str, text: String) -> Parsed<ListCode> {
    ListCode::try_from(text).map_err(|why| PayloadError::Field {
        field,
        why: why.to_string(),
    })
}
