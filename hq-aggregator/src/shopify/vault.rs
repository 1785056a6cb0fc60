//! The token and the secret of each company's shop at Shopify: files nobody else may read, never in the database or a log.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use backroom_core::ids::TenantId;

use crate::office::{self, OfficeError};

/// What only head office and Shopify know.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// With every question to Shopify.
    pub token: String,
    /// What Shopify signs with; after a change the old one counts for up to an hour, so there may be two.
    pub webhook: Vec<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error(transparent)]
    Office(#[from] OfficeError),
    #[error("the secrets in {} can not be read; connect to Shopify again", .0.display())]
    Unreadable(PathBuf),
}

#[derive(Clone, Debug)]
pub struct Vault {
    dir: PathBuf,
}

impl Vault {
    pub fn new(dir: PathBuf) -> Vault {
        Vault { dir }
    }

    pub fn keep(&self, tenant: TenantId, secrets: &Secrets) -> Result<(), VaultError> {
        office::private_dir(&self.dir)?;
        let path = self.path(tenant);
        let text = serde_json::to_string(secrets).map_err(|_| VaultError::Unreadable(path.clone()))?;
        Ok(office::write_private(&path, &text)?)
    }

    pub fn read(&self, tenant: TenantId) -> Result<Secrets, VaultError> {
        let path = self.path(tenant);
        let text = fs::read_to_string(&path).map_err(|_| VaultError::Unreadable(path.clone()))?;
        serde_json::from_str(&text).map_err(|_| VaultError::Unreadable(path))
    }

    fn path(&self, tenant: TenantId) -> PathBuf {
        self.dir.join(format!("{tenant}.json"))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_are_kept_for_nobody_else_to_read_and_are_not_printed() {
        let home = tempfile::tempdir().unwrap();
        let vault = Vault::new(home.path().join("shopify"));
        let tenant = "thread".parse().unwrap();
        let secrets = Secrets {
            token: "token".into(),
            webhook: vec!["secret".into()],
        };
        vault.keep(tenant, &secrets).unwrap();
        assert_eq!(vault.read(tenant).unwrap(), secrets);
        let mode = fs::metadata(vault.path(tenant)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(format!("{secrets:?}"), "Secrets");
    }
}
