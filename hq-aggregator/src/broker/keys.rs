//! The secrets of the broker: the operator, the system account, and the root from which each tenant's keys come.
//!
//! Owns the one file they are in and mints users with them. Does not know which users were revoked: that is the truth of
//! head office's database.
//!
//! Account keys are derived from one root and the tenant's id, not drawn and filed one by one. So the file never changes after
//! the first start, and a head office which was restored from an older backup still has the keys of a tenant added since.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE32_NOPAD;
use nkeys::{KeyPair, KeyPairType};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use backroom_core::ids::{StoreId, TenantId};
use backroom_protocol::subjects;

use super::BrokerError;
use super::jwt::{self, Rights, Role};

const FILE: &str = "keys.json";
const STORE_ROLE: &str = "store";

/// Everything that signs. Never printed: `Debug` shows public keys only.
pub struct Keys {
    operator: KeyPair,
    system_account: KeyPair,
    tenant_root: [u8; 32],
}

/// The keys of one tenant's account.
pub struct TenantKeys {
    account: KeyPair,
    /// Signs the papers of stores; the account says what its bearers may do.
    store_role: KeyPair,
}

/// What a store needs to log in at the broker. Handed to the store once, at enrolment; head office keeps only the public key,
/// to be able to revoke it.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoreCredentials {
    pub user_jwt: String,
    pub user_seed: String,
    pub public_key: String,
}

/// A login of head office itself. Made for one connection and forgotten with it.
pub struct HqCredentials {
    pub(crate) user_jwt: String,
    pub(crate) user: KeyPair,
}

#[derive(Serialize, Deserialize)]
struct KeysFile {
    version: u32,
    operator_seed: String,
    system_account_seed: String,
    tenant_root: String,
}

impl Keys {
    /// Reads the keys of the broker in `dir`, or draws new ones on the very first start.
    ///
    /// Refuses to draw new ones where accounts exist already: they would lock out every store there is.
    pub fn load_or_create(dir: &Path) -> Result<Keys, BrokerError> {
        private_dir(dir)?;
        let path = dir.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(BrokerError::file("protect", &path))?;
                Self::from_file(&text).ok_or(BrokerError::KeysUnreadable(path))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::create(dir, &path),
            Err(error) => Err(BrokerError::file("read", &path)(error)),
        }
    }

    fn create(dir: &Path, path: &Path) -> Result<Keys, BrokerError> {
        if dir.join(super::server::ACCOUNTS_DIR).exists() {
            return Err(BrokerError::KeysLost(path.to_owned()));
        }
        let mut tenant_root = [0; 32];
        getrandom::fill(&mut tenant_root).map_err(|error| BrokerError::Randomness(error.to_string()))?;
        let keys = Keys {
            operator: KeyPair::new_operator(),
            system_account: KeyPair::new_account(),
            tenant_root,
        };
        let file = KeysFile {
            version: 1,
            operator_seed: keys.operator.seed().map_err(BrokerError::Key)?,
            system_account_seed: keys.system_account.seed().map_err(BrokerError::Key)?,
            tenant_root: BASE32_NOPAD.encode(&tenant_root),
        };
        let text = serde_json::to_string_pretty(&file).map_err(|error| BrokerError::file("write", path)(error.into()))?;
        write_private(path, &text)?;
        Ok(keys)
    }

    fn from_file(text: &str) -> Option<Keys> {
        let file: KeysFile = serde_json::from_str(text).ok().filter(|file: &KeysFile| file.version == 1)?;
        let operator = KeyPair::from_seed(&file.operator_seed).ok()?;
        let system_account = KeyPair::from_seed(&file.system_account_seed).ok()?;
        let of_their_kind = operator.public_key().starts_with('O') && system_account.public_key().starts_with('A');
        let tenant_root = BASE32_NOPAD.decode(file.tenant_root.as_bytes()).ok()?.try_into().ok()?;
        of_their_kind.then_some(Keys {
            operator,
            system_account,
            tenant_root,
        })
    }

    pub fn operator_public_key(&self) -> String {
        self.operator.public_key()
    }

    pub fn system_account_public_key(&self) -> String {
        self.system_account.public_key()
    }

    /// The keys of a tenant; the same each time.
    pub fn tenant(&self, tenant: TenantId) -> Result<TenantKeys, BrokerError> {
        Ok(TenantKeys {
            account: self.derive("account", tenant)?,
            store_role: self.derive("store-role", tenant)?,
        })
    }

    fn derive(&self, purpose: &str, tenant: TenantId) -> Result<KeyPair, BrokerError> {
        let inner = Sha256::new()
            .chain_update(b"backroom broker v1\0")
            .chain_update(self.tenant_root)
            .chain_update(purpose)
            .chain_update(b"\0")
            .chain_update(tenant.as_str())
            .finalize();
        // Hashed twice, so that knowing one tenant's seed helps nobody to lengthen it into another's.
        let seed = Sha256::digest(inner);
        KeyPair::new_from_raw(KeyPairType::Account, seed.into()).map_err(BrokerError::Key)
    }

    /// A new login for a store: publish below its own `up`, hear its own `down` and inbox, nothing else.
    pub fn mint_store(&self, tenant: TenantId, store: StoreId) -> Result<StoreCredentials, BrokerError> {
        let keys = self.tenant(tenant)?;
        let user = KeyPair::new_user();
        let public_key = user.public_key();
        let account = keys.account.public_key();
        Ok(StoreCredentials {
            user_jwt: jwt::role_user(&keys.store_role, &account, &public_key, store.as_str(), unix_now())?,
            user_seed: user.seed().map_err(BrokerError::Key)?,
            public_key,
        })
    }

    /// A new login for head office itself, which may do everything within the tenant's account.
    pub fn mint_hq(&self, tenant: TenantId) -> Result<HqCredentials, BrokerError> {
        full_user(&self.tenant(tenant)?.account)
    }

    /// A login to the system account, where account papers are handed in.
    pub(crate) fn mint_system(&self) -> Result<HqCredentials, BrokerError> {
        full_user(&self.system_account)
    }

    pub(crate) fn operator_jwt(&self) -> Result<String, BrokerError> {
        jwt::operator(&self.operator, &self.system_account.public_key(), unix_now())
    }

    pub(crate) fn account_jwt(&self, account: &jwt::Account) -> Result<String, BrokerError> {
        jwt::account(&self.operator, account, &Uuid::now_v7().to_string(), unix_now())
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("operator", &self.operator.public_key())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for StoreCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreCredentials")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

impl TenantKeys {
    pub fn account_public_key(&self) -> String {
        self.account.public_key()
    }

    /// What the stores of this tenant may do, said once in the account, with the store's own name filled in by the broker.
    pub(crate) fn store_role(&self, tenant: TenantId) -> Role {
        let store = "{{name()}}";
        Role {
            name: STORE_ROLE,
            key: self.store_role.public_key(),
            rights: Rights {
                publish: vec![subjects::up_all(tenant.as_str(), store)],
                subscribe: vec![subjects::down_all(tenant.as_str(), store), subjects::inbox_all(store)],
            },
        }
    }
}

fn full_user(account: &KeyPair) -> Result<HqCredentials, BrokerError> {
    let user = KeyPair::new_user();
    let user_jwt = jwt::full_user(account, &user.public_key(), "hq", unix_now())?;
    Ok(HqCredentials { user_jwt, user })
}

/// Seconds since 1970. A clock before that counts as 1970: the papers stay valid, only a revocation would reach them all.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

pub(super) fn private_dir(dir: &Path) -> Result<(), BrokerError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.and_then(|()| fs::set_permissions(dir, fs::Permissions::from_mode(0o700)))
        .map_err(BrokerError::file("set up", dir))
}

/// Whole or not at all, and for nobody else to read at any moment.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), BrokerError> {
    let draft = path.with_extension("new");
    let written = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        path.parent().map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
    };
    written().map_err(BrokerError::file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_keys_are_the_same_after_a_restart_and_nobody_else_can_read_them() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("data/broker");
        let nord: TenantId = "nord".parse().unwrap();
        let first = Keys::load_or_create(&dir).unwrap();
        let account = first.tenant(nord).unwrap().account_public_key();
        fs::set_permissions(dir.join(FILE), fs::Permissions::from_mode(0o644)).unwrap(); // as a careless restore leaves it
        let second = Keys::load_or_create(&dir).unwrap();
        assert_eq!(first.operator_public_key(), second.operator_public_key());
        assert_eq!(first.system_account_public_key(), second.system_account_public_key());
        assert_eq!(account, second.tenant(nord).unwrap().account_public_key());
        assert_eq!((mode(&dir), mode(&dir.join(FILE))), (0o700, 0o600));
    }

    #[test]
    fn each_tenant_and_each_purpose_has_its_own_key() {
        let home = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_create(home.path()).unwrap();
        let nord = keys.tenant("nord".parse().unwrap()).unwrap();
        let sued = keys.tenant("sued".parse().unwrap()).unwrap();
        let all = [&nord.account, &nord.store_role, &sued.account, &sued.store_role].map(KeyPair::public_key);
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn lost_keys_beside_living_accounts_are_said_and_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(super::super::server::ACCOUNTS_DIR)).unwrap();
        let refused = Keys::load_or_create(home.path()).unwrap_err();
        assert!(matches!(refused, BrokerError::KeysLost(_)), "{refused}");
        assert!(!home.path().join(FILE).exists());
    }

    #[test]
    fn a_damaged_key_file_is_said_and_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(FILE);
        for damaged in [
            "",
            "{}",
            r#"{"version":2,"operator_seed":"","system_account_seed":"","tenant_root":""}"#,
        ] {
            fs::write(&path, damaged).unwrap();
            let refused = Keys::load_or_create(home.path()).unwrap_err();
            assert!(matches!(refused, BrokerError::KeysUnreadable(_)), "{refused}");
            assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
        }
    }
}
