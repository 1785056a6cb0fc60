//! The data folder of head office: where everything lies, the key it signs with, and files nobody else may read.
//!
//! Owns paths, modes and the signing key. What is in the databases belongs to `control` and `tenant`, what is in `broker/`
//! to the broker.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;

#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    #[error("could not {doing} {}; check that head office may write there and that the disk is not full", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("the file {} is there already; name another one, or remove it if nobody needs it", .0.display())]
    Exists(PathBuf),
    #[error("the signing key in {} cannot be read; restore the file from a backup", .0.display())]
    KeyUnreadable(PathBuf),
    #[error(
        "the signing key {} is missing, but stores were told to trust it; restore the file from a backup", .0.display()
    )]
    KeyLost(PathBuf),
    #[error("the system gave no randomness for a new key: {0}")]
    Randomness(String),
}

/// The folder named with `--data`.
#[derive(Clone, Debug)]
pub struct Office {
    dir: PathBuf,
}

/// Held while a command sets something up, so that two commands at once do not both draw the first key.
pub struct SetUp {
    _lock: fs::File,
}

impl Office {
    /// Makes the folder if it is not there.
    pub fn open(dir: &Path) -> Result<Office, OfficeError> {
        private_dir(dir)?;
        let office = Office {
            dir: fs::canonicalize(dir).map_err(failed("find", dir))?,
        };
        private_dir(&office.dir.join("tenants"))?;
        Ok(office)
    }

    pub fn folder(&self) -> &Path {
        &self.dir
    }

    /// Tokens and secrets of the companies' shops at Shopify.
    pub fn shopify_dir(&self) -> PathBuf {
        self.dir.join("shopify")
    }

    pub fn broker_dir(&self) -> PathBuf {
        self.dir.join("broker")
    }

    pub fn set_up(&self) -> Result<SetUp, OfficeError> {
        let path = self.dir.join("set-up.lock");
        let lock = fs::File::create(&path).map_err(failed("write", &path))?;
        lock.lock().map_err(failed("lock", &path))?;
        Ok(SetUp { _lock: lock })
    }

    /// The key stores know head office by; drawn on the very first use. The lock proves that nobody draws a second one.
    pub fn signing_key(&self, _lock: &SetUp) -> Result<SigningKey, OfficeError> {
        let path = self.dir.join("hq.key");
        match fs::read_to_string(&path) {
            Ok(text) => {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(failed("protect", &path))?;
                let seed = HEXLOWER
                    .decode(text.trim().as_bytes())
                    .ok()
                    .and_then(|seed| <[u8; 32]>::try_from(seed).ok());
                seed.map(|seed| SigningKey::from_bytes(&seed))
                    .ok_or(OfficeError::KeyUnreadable(path))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.broker_dir().exists() {
                    return Err(OfficeError::KeyLost(path));
                }
                let seed = random::<32>()?;
                write_private(&path, &format!("{}\n", HEXLOWER.encode(&seed)))?;
                Ok(SigningKey::from_bytes(&seed))
            }
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    /// Where the broker listened last, for the join files of stores that are added while nothing runs.
    pub fn broker_url(&self) -> Option<String> {
        let text = fs::read_to_string(self.dir.join("broker-url")).ok()?;
        Some(text.trim().to_owned()).filter(|url| url.starts_with("nats://"))
    }

    pub fn remember_broker_url(&self, url: &str) -> Result<(), OfficeError> {
        write_private(&self.dir.join("broker-url"), &format!("{url}\n"))
    }
}

/// As many bytes as a key needs, from the system.
pub fn random<const N: usize>() -> Result<[u8; N], OfficeError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| OfficeError::Randomness(error.to_string()))?;
    Ok(bytes)
}

/// Whole or not at all, and for nobody else to read at any moment.
pub fn write_private(path: &Path, text: &str) -> Result<(), OfficeError> {
    let draft = path.with_extension("new");
    let written = || -> io::Result<()> {
        let mut file = private_file(&draft, fs::OpenOptions::new().create(true).truncate(true))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        path.parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
    };
    written().map_err(failed("write", path))
}

/// Like `write_private`, but never in the place of another file: what stands there may be the only copy of a key.
pub fn write_new_private(path: &Path, text: &str) -> Result<(), OfficeError> {
    let written = || -> io::Result<()> {
        let mut file = private_file(path, fs::OpenOptions::new().create_new(true))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    match written() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(OfficeError::Exists(path.to_owned())),
        other => other.map_err(failed("write", path)),
    }
}

fn private_file(path: &Path, options: &mut fs::OpenOptions) -> io::Result<fs::File> {
    let file = options.write(true).mode(0o600).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

pub(crate) fn private_dir(dir: &Path) -> Result<(), OfficeError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(failed("set up", dir))
}

fn failed(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> OfficeError + use<> {
    let path = path.to_owned();
    move |source| OfficeError::File {
        doing,
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signing_key_stays_the_same_and_nobody_else_can_read_it() {
        let home = tempfile::tempdir().unwrap();
        let office = Office::open(&home.path().join("hq")).unwrap();
        let lock = office.set_up().unwrap();
        let first = office.signing_key(&lock).unwrap();
        assert_eq!(first.to_bytes(), office.signing_key(&lock).unwrap().to_bytes());
        let mode = fs::metadata(office.dir.join("hq.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_lost_key_is_said_and_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        let office = Office::open(home.path()).unwrap();
        let lock = office.set_up().unwrap();
        fs::create_dir(office.broker_dir()).unwrap();
        assert!(matches!(office.signing_key(&lock), Err(OfficeError::KeyLost(_))));
    }

    #[test]
    fn a_file_with_a_key_is_never_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("join.json");
        write_new_private(&path, "one").unwrap();
        assert!(matches!(write_new_private(&path, "two"), Err(OfficeError::Exists(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    }
}
