//! Passwords of people at head office: Argon2id, slow on purpose, and equally slow for people who do not exist.

use std::sync::OnceLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

pub const SHORTEST: usize = 12;
pub const LONGEST: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("a password has {SHORTEST} to {LONGEST} characters")]
    Length,
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// Takes tens of milliseconds; not for a thread that others wait for.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    if !(SHORTEST..=LONGEST).contains(&password.chars().count()) {
        return Err(PasswordError::Length);
    }
    let hashed = hasher()
        .hash_password(password.as_bytes())
        .map_err(|error| PasswordError::Hash(error.to_string()))?;
    Ok(hashed.to_string())
}

/// Without a hash to compare with (nobody of that name) it takes just as long and says no.
pub fn fits(password: &str, hash: Option<&str>) -> bool {
    static NOBODY: OnceLock<Option<String>> = OnceLock::new();
    let nobody = NOBODY.get_or_init(|| {
        hasher()
            .hash_password(b"nobody has this password")
            .ok()
            .map(|hash| hash.to_string())
    });
    let known = hash.is_some();
    let Some(hash) = hash.or(nobody.as_deref()) else { return false };
    let fits = PasswordHash::new(hash).is_ok_and(|hash| hasher().verify_password(password.as_bytes(), &hash).is_ok());
    fits && known
}

/// 19 MiB, two passes, one lane: what OWASP asks for at least.
fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_of_somebody_who_exists_fits() {
        let stored = hash("correct horse battery").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(fits("correct horse battery", Some(&stored)));
        assert!(!fits("correct horse batterz", Some(&stored)));
        assert!(!fits("nobody has this password", None));
        assert_eq!(hash("short"), Err(PasswordError::Length));
    }
}
