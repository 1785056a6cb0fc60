//! The signed papers which a NATS server in operator mode believes: operator, account and user claims.
//!
//! Owns their shape and the signing. Knows no file, no connection and no clock; who may do what is decided by the callers.
//! Three crates exist for this, none of which can express quotas, revocations and roles at once; it is two screens by hand.
//!
//! A number which is left out means "none allowed" to the server, not "no limit". So every limit is written out.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

use super::BrokerError;

/// What a user may do. `{{name()}}` stands for the user's name where this is the template of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    pub publish: Vec<String>,
    pub subscribe: Vec<String>,
}

/// A role of an account: whoever carries a user paper signed by `key` has exactly these rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub name: &'static str,
    pub key: String,
    pub rights: Rights,
}

/// All that the broker knows about an account. Rendered whole each time: the broker keeps the last one it was given, so
/// one which left something out would undo it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub public_key: String,
    pub name: String,
    /// Disk which JetStream reserves for this account; `None` for an account without JetStream.
    pub disk_bytes: Option<u64>,
    pub roles: Vec<Role>,
    /// Public user key to unix second: papers of this user issued up to then are void.
    pub revoked: BTreeMap<String, u64>,
}

pub fn operator(operator: &KeyPair, system_account: &str, now: u64) -> Result<String, BrokerError> {
    let claims = json!({ "type": "operator", "version": 2, "system_account": system_account });
    sign(operator, &unsigned(operator, &operator.public_key(), "backroom", now, claims))
}

/// `paper_id` makes each paper unlike all before: the broker does not write one down again which equals the last, even
/// when the file of the last was lost.
pub fn account(operator: &KeyPair, account: &Account, paper_id: &str, now: u64) -> Result<String, BrokerError> {
    let mut limits = json!({
        "subs": -1, "data": -1, "payload": -1, "conn": -1,
        // No account reaches into another one, and nobody hangs a server of his own below ours.
        "imports": 0, "exports": 0, "leaf": 0, "wildcards": true,
    });
    if let Some(disk_bytes) = account.disk_bytes {
        limits["mem_storage"] = json!(0);
        limits["disk_storage"] = json!(disk_bytes);
        limits["streams"] = json!(-1);
        limits["consumer"] = json!(-1);
        limits["max_ack_pending"] = json!(-1);
    }
    let roles: Vec<Value> = account.roles.iter().map(role).collect();
    let claims = json!({
        "type": "account", "version": 2,
        "limits": limits, "signing_keys": roles, "revocations": account.revoked,
        "default_permissions": { "pub": {}, "sub": {} },
    });
    let mut claims = unsigned(operator, &account.public_key, &account.name, now, claims);
    claims["jti"] = json!(paper_id);
    sign(operator, &claims)
}

fn role(role: &Role) -> Value {
    json!({
        "kind": "user_scope", "key": role.key, "role": role.name,
        "template": {
            "pub": { "allow": role.rights.publish }, "sub": { "allow": role.rights.subscribe },
            "subs": -1, "data": -1, "payload": -1,
        },
    })
}

/// A user who may do everything within the account, signed by the account itself.
pub fn full_user(account: &KeyPair, user: &str, name: &str, now: u64) -> Result<String, BrokerError> {
    let claims = json!({
        "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {},
    });
    sign(account, &unsigned(account, user, name, now, claims))
}

/// A user in the role of `role_key`. It carries no rights of its own: they stand once, in the account.
pub fn role_user(role_key: &KeyPair, account: &str, user: &str, name: &str, now: u64) -> Result<String, BrokerError> {
    let claims = json!({ "type": "user", "version": 2, "issuer_account": account, "pub": {}, "sub": {} });
    sign(role_key, &unsigned(role_key, user, name, now, claims))
}

fn unsigned(issuer: &KeyPair, subject: &str, name: &str, now: u64, nats: Value) -> Value {
    json!({ "iat": now, "iss": issuer.public_key(), "sub": subject, "name": name, "nats": nats })
}

fn sign(issuer: &KeyPair, claims: &Value) -> Result<String, BrokerError> {
    let header = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
    let signed = [&header, claims]
        .map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes()))
        .join(".");
    let signature = issuer.sign(signed.as_bytes()).map_err(BrokerError::Key)?;
    Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
}

/// Who signed a paper, if its signature is right.
pub fn issuer(token: &str) -> Option<String> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (_, claims) = signed.split_once('.')?;
    let claims: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?).ok()?;
    let issuer = claims.get("iss")?.as_str()?;
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
    KeyPair::from_public_key(issuer).ok()?.verify(signed.as_bytes(), &signature).ok()?;
    Some(issuer.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(token: &str) -> Value {
        let middle = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&BASE64URL_NOPAD.decode(middle.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn an_account_paper_writes_every_limit_out() {
        let operator = KeyPair::new_operator();
        let tenant = KeyPair::new_account();
        let terms = Account {
            public_key: tenant.public_key(),
            name: "nord".to_owned(),
            disk_bytes: Some(1024),
            roles: Vec::new(),
            revoked: BTreeMap::from([("UABC".to_owned(), 7)]),
        };
        let claims = claims(&account(&operator, &terms, "paper-1", 5).unwrap());
        for limit in ["subs", "data", "payload", "conn", "imports", "exports", "leaf", "wildcards"] {
            assert!(
                claims["nats"]["limits"].get(limit).is_some(),
                "{limit} is left out, and so forbidden"
            );
        }
        assert_eq!(claims["nats"]["limits"]["disk_storage"], 1024);
        assert_eq!(claims["nats"]["revocations"]["UABC"], 7);
        assert_eq!(claims["iat"], 5);
        assert_eq!(claims["sub"], tenant.public_key());
    }

    #[test]
    fn a_paper_which_was_touched_has_no_issuer() {
        let operator = KeyPair::new_operator();
        let token = super::operator(&operator, "ASYSTEM", 5).unwrap();
        assert_eq!(issuer(&token), Some(operator.public_key()));

        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let forged = String::from_utf8(BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap())
            .unwrap()
            .replace("ASYSTEM", "AFOREIGN");
        let forged = format!("{header}.{}.{signature}", BASE64URL_NOPAD.encode(forged.as_bytes()));
        assert_eq!(issuer(&forged), None);
        assert_eq!(issuer("no paper at all"), None);
        assert_eq!(issuer(""), None);
    }
}
