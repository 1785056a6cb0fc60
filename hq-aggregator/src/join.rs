//! The join file: everything one store needs to find head office and to be believed there.
//!
//! Made once per store. Its secrets are in this file and nowhere else at head office.

use std::path::Path;

use data_encoding::HEXLOWER;
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use backroom_core::directive::Address;
use backroom_core::ids::{StoreId, TenantId};

use crate::broker::keys::StoreCredentials;
use crate::office::{self, OfficeError};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinFile {
    pub tenant: TenantId,
    pub store: StoreId,
    /// The broker's address, `nats://host:port`.
    pub nats: String,
    pub user_jwt: String,
    pub user_seed: String,
    /// Hex of the Ed25519 seed the store signs its journal with.
    pub signing_seed: String,
    /// Hex of the key whose watermarks and orders the store believes.
    pub hq_public_key: String,
}

impl JoinFile {
    pub fn new(address: Address, nats: &str, login: &StoreCredentials, signing: &SigningKey, hq: &VerifyingKey) -> JoinFile {
        JoinFile {
            tenant: address.tenant,
            store: address.store,
            nats: nats.to_owned(),
            user_jwt: login.user_jwt.clone(),
            user_seed: login.user_seed.clone(),
            signing_seed: HEXLOWER.encode(&signing.to_bytes()),
            hq_public_key: HEXLOWER.encode(hq.as_bytes()),
        }
    }

    pub fn write(&self, path: &Path) -> Result<(), OfficeError> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        office::write_new_private(path, &format!("{text}\n"))
    }
}

impl std::fmt::Debug for JoinFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinFile")
            .field("tenant", &self.tenant)
            .field("store", &self.store)
            .field("nats", &self.nats)
            .finish_non_exhaustive()
    }
}
