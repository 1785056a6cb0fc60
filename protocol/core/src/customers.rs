//! Customers: as a code with groups, consents and terms, which facts may hold; and as a person, which no fact ever holds.
//!
//! The person's record lives in a table that can be erased and travels in messages that can be erased. When it is erased a tombstone stays:
//! the code is never given to anybody again, and nothing can be kept under it. Old entries stay valid, because they never held more than the code.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::facts::customers::{CustomerChanged, CustomerNow, CustomersFact};
use crate::ids::{AccountId, CustomerId};

/// What selling needs to know of a customer. No personal data: codes of the shop's own lists only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// For promotions and price books.
    pub groups: BTreeSet<ListCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_group: Option<ListCode>,
    /// What the customer said yes or no to. Who was never asked is not named.
    pub consents: BTreeMap<Consent, Answer>,
    /// The shop's own code of a certificate; the certificate itself lies with the person's record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exemption: Option<ListCode>,
    pub accounts: BTreeSet<AccountId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    Email,
    Phone,
    Post,
    /// Purchases are looked at to make offers.
    Profiling,
    /// Receipts come by mail instead of on paper.
    DigitalReceipt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Given,
    Withdrawn,
}

/// A code of one of the shop's own lists (groups, price groups, certificates): short, and no place for a name or a mail address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ListCode(String);

impl ListCode {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ListCode {
    type Error = Refusal;
    fn try_from(text: String) -> Result<ListCode, Refusal> {
        let clean = text
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_');
        if text.is_empty() || text.len() > 32 || !clean {
            let text = text.chars().take(40).collect();
            return Err(Refusal::NotACode { text });
        }
        Ok(ListCode(text))
    }
}

/// For fuzzers: any text is a code of a list or refused by name.
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    if let Ok(code) = ListCode::try_from(text.clone()) {
        assert_eq!(String::from(code), text);
    }
}

impl From<ListCode> for String {
    fn from(code: ListCode) -> String {
        code.0
    }
}

/// Who a customer is. Never part of a fact; lives in a table of its own, and is exported to that person and erased on request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub customer: CustomerId,
    pub name: String,
    #[serde(default)]
    pub mails: Vec<String>,
    #[serde(default)]
    pub phones: Vec<String>,
    #[serde(default)]
    pub addresses: Vec<Address>,
    /// The tax office's number of an exemption certificate, or a company's VAT number.
    #[serde(default)]
    pub certificates: BTreeMap<String, String>,
    #[serde(default)]
    pub note: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub lines: Vec<String>,
    /// ISO 3166, two letters.
    pub country: String,
}

// Logs show the code and nothing else.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({})", self.customer)
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(..)")
    }
}

/// Why a customer can not be changed so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{text:?} is not a code of a list: use 1 to 32 letters, digits, '-' and '_'")]
    NotACode { text: String },
    #[error("customer {customer} was erased; make a new customer")]
    Erased { customer: CustomerId },
    #[error("customer {customer} was merged into {into}; use that one")]
    Merged { customer: CustomerId, into: CustomerId },
    #[error("no customer {customer} is known; check the code")]
    Unknown { customer: CustomerId },
    #[error("customer {customer} can not be merged into itself; choose the other one")]
    IntoItself { customer: CustomerId },
    #[error("customer {customer} still has {accounts} accounts; settle or hand them over first")]
    HasAccounts { customer: CustomerId, accounts: usize },
}

impl Refusal {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::NotACode { .. } => "not_a_list_code",
            Refusal::Erased { .. } => "customer_erased",
            Refusal::Merged { .. } => "customer_merged",
            Refusal::Unknown { .. } => "unknown_customer",
            Refusal::IntoItself { .. } => "merged_into_itself",
            Refusal::HasAccounts { .. } => "customer_has_accounts",
        }
    }
}

/// The fold: how every code stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customers(BTreeMap<CustomerId, CustomerNow>);

impl Customers {
    /// The terms under this code, through mergers.
    pub fn terms(&self, customer: CustomerId) -> Result<&Terms, Refusal> {
        let mut at = customer;
        // A chain of mergers is never longer than there are customers.
        for _ in 0..=self.0.len() {
            match self.0.get(&at) {
                Some(CustomerNow::Kept(terms)) => return Ok(terms),
                Some(CustomerNow::Merged { into }) => at = *into,
                Some(CustomerNow::Erased) => return Err(Refusal::Erased { customer: at }),
                None => return Err(Refusal::Unknown { customer: at }),
            }
        }
        Err(Refusal::Unknown { customer })
    }

    /// `None` when nothing changes.
    pub fn keep(&self, customer: CustomerId, terms: Terms) -> Result<Option<CustomersFact>, Refusal> {
        match self.0.get(&customer) {
            Some(CustomerNow::Erased) => Err(Refusal::Erased { customer }),
            Some(CustomerNow::Merged { into }) => Err(Refusal::Merged { customer, into: *into }),
            Some(CustomerNow::Kept(before)) if *before == terms => Ok(None),
            _ => Ok(Some(changed(customer, CustomerNow::Kept(terms)))),
        }
    }

    /// The tombstone. What the shop still owes must be settled or handed over first, because afterwards nobody can say whose it is.
    /// `None` when it stands already.
    pub fn erase(&self, customer: CustomerId) -> Result<Option<CustomersFact>, Refusal> {
        match self.0.get(&customer) {
            None => Err(Refusal::Unknown { customer }),
            Some(CustomerNow::Erased) => Ok(None),
            Some(CustomerNow::Kept(terms)) if !terms.accounts.is_empty() => Err(Refusal::HasAccounts {
                customer,
                accounts: terms.accounts.len(),
            }),
            Some(CustomerNow::Kept(_) | CustomerNow::Merged { .. }) => Ok(Some(changed(customer, CustomerNow::Erased))),
        }
    }

    /// One person had two codes. The other gets the accounts and groups of both; what either refused stays refused.
    pub fn merge(&self, customer: CustomerId, into: CustomerId) -> Result<Vec<CustomersFact>, Refusal> {
        let gone = self.kept(customer)?;
        let mut terms = self.kept(into)?.clone();
        if customer == into {
            return Err(Refusal::IntoItself { customer });
        }
        terms.groups.extend(gone.groups.iter().cloned());
        terms.accounts.extend(gone.accounts.iter().copied());
        for (consent, answer) in &gone.consents {
            let both = terms.consents.entry(*consent).or_insert(*answer);
            if *answer == Answer::Withdrawn {
                *both = Answer::Withdrawn;
            }
        }
        Ok(vec![
            changed(into, CustomerNow::Kept(terms)),
            changed(customer, CustomerNow::Merged { into }),
        ])
    }

    fn kept(&self, customer: CustomerId) -> Result<&Terms, Refusal> {
        match self.0.get(&customer) {
            Some(CustomerNow::Kept(terms)) => Ok(terms),
            Some(CustomerNow::Erased) => Err(Refusal::Erased { customer }),
            Some(CustomerNow::Merged { into }) => Err(Refusal::Merged { customer, into: *into }),
            None => Err(Refusal::Unknown { customer }),
        }
    }

    /// Makes a fact true. A tombstone stands for ever, whatever comes late.
    pub fn apply(&mut self, fact: &CustomersFact) {
        let CustomersFact::CustomerChanged(CustomerChanged { customer, now }) = fact;
        if self.0.get(customer) != Some(&CustomerNow::Erased) {
            self.0.insert(*customer, now.clone());
        }
    }
}

fn changed(customer: CustomerId, now: CustomerNow) -> CustomersFact {
    CustomersFact::CustomerChanged(CustomerChanged { customer, now })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> ListCode {
        text.to_owned().try_into().unwrap()
    }

    fn customer(text: &str) -> CustomerId {
        text.parse().unwrap()
    }

    fn terms(groups: &[&str]) -> Terms {
        Terms {
            groups: groups.iter().map(|group| code(group)).collect(),
            ..Terms::default()
        }
    }

    fn with(facts: impl IntoIterator<Item = CustomersFact>) -> Customers {
        let mut customers = Customers::default();
        facts.into_iter().for_each(|fact| customers.apply(&fact));
        customers
    }

    #[test]
    fn an_erased_customer_stays_erased_whatever_comes_late() {
        let kept = Customers::default().keep(customer("c1"), terms(&["staff"])).unwrap().unwrap();
        let mut customers = with([kept.clone()]);
        assert_eq!(customers.keep(customer("c1"), terms(&["staff"])), Ok(None));
        let erased = customers.erase(customer("c1")).unwrap().unwrap();
        customers.apply(&erased);
        customers.apply(&kept);
        let refused = Refusal::Erased { customer: customer("c1") };
        assert_eq!(customers.terms(customer("c1")), Err(refused.clone()));
        assert_eq!(customers.keep(customer("c1"), terms(&[])), Err(refused));
        assert_eq!(customers.erase(customer("c1")), Ok(None));
    }

    #[test]
    fn who_still_has_an_account_is_not_erased() {
        let mut owner = terms(&[]);
        owner.accounts.insert(AccountId(uuid::Uuid::from_u128(7)));
        let customers = with(Customers::default().keep(customer("c1"), owner).unwrap());
        assert_eq!(customers.erase(customer("c1")).unwrap_err().code(), "customer_has_accounts");
        assert_eq!(customers.erase(customer("c2")).unwrap_err().code(), "unknown_customer");
    }

    #[test]
    fn merged_customers_keep_the_accounts_of_both_and_the_refusal_of_either() {
        let (mut one, mut two) = (terms(&["staff"]), terms(&["club"]));
        one.consents.insert(Consent::Email, Answer::Withdrawn);
        two.consents.insert(Consent::Email, Answer::Given);
        one.accounts.insert(AccountId(uuid::Uuid::from_u128(1)));
        two.accounts.insert(AccountId(uuid::Uuid::from_u128(2)));
        let empty = Customers::default();
        let mut customers = with([
            empty.keep(customer("c1"), one).unwrap().unwrap(),
            empty.keep(customer("c2"), two).unwrap().unwrap(),
        ]);
        assert_eq!(
            customers.merge(customer("c1"), customer("c1")).unwrap_err().code(),
            "merged_into_itself"
        );
        for fact in customers.merge(customer("c1"), customer("c2")).unwrap() {
            customers.apply(&fact);
        }
        let both = customers.terms(customer("c1")).unwrap();
        assert_eq!((both.groups.len(), both.accounts.len()), (2, 2));
        assert_eq!(both.consents[&Consent::Email], Answer::Withdrawn);
        assert_eq!(customers.keep(customer("c1"), terms(&[])).unwrap_err().code(), "customer_merged");
    }

    #[test]
    fn mergers_in_a_circle_end() {
        let into = |from: &str, into: &str| changed(customer(from), CustomerNow::Merged { into: customer(into) });
        let customers = with([into("a", "b"), into("b", "a")]);
        assert_eq!(customers.terms(customer("a")).unwrap_err().code(), "unknown_customer");
    }

    #[test]
    fn a_person_shows_in_no_log_and_a_list_code_holds_no_mail_address() {
        let person: Person = serde_json::from_str(r#"{"customer":"c1","name":"somebody","phones":["0"]}"#).unwrap();
        assert_eq!(format!("{person:?}"), "Person(c1)");
        for text in ["", "a b", "somebody@example.com", &"x".repeat(33)] {
            assert!(ListCode::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_fact_reads_back_from_its_json() {
        let fact = changed(customer("c1"), CustomerNow::Kept(terms(&["club"])));
        let json = serde_json::to_string(&crate::facts::Fact::Customers(fact.clone())).unwrap();
        assert_eq!(
            json,
            r#"{"fact":"customer_changed","customer":"c1","now":"kept","groups":["club"],"consents":{},"accounts":[]}"#
        );
        assert_eq!(
            serde_json::from_str::<crate::facts::Fact>(&json).unwrap(),
            crate::facts::Fact::Customers(fact)
        );
    }
}
