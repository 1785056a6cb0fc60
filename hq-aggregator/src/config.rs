//! What head office is told when it is started: flags over environment over file, a typo in which is an error.
//!
//! The address of the database may hold a password: nothing in here repeats it, in no error either.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::control;
use crate::db::{Databases, DbError, ServerUrl};
use crate::office::{Office, OfficeError};

pub const DEFAULT_HTTP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7420);
pub const DEFAULT_NATS_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7421);

/// What was said; `None` where nothing was.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub data: Option<PathBuf>,
    pub database: Option<String>,
    pub http: Option<SocketAddr>,
    pub nats_listen: Option<SocketAddr>,
}

/// Where everything is that head office keeps.
#[derive(Clone, Debug)]
pub struct Place {
    pub data: PathBuf,
    /// In the data folder, if not on a server.
    pub database: Option<ServerUrl>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("could not read the configuration {}", file.display())]
    Read { file: PathBuf, source: std::io::Error },
    #[error("{}, line {line}: {message}", file.display())]
    Parse { file: PathBuf, line: usize, message: String },
    #[error("no data folder is named; say --data DIR, BACKROOM_DATA or data = \"DIR\" in the configuration")]
    NoData,
    #[error(transparent)]
    Database(DbError),
    #[error("{} is no data folder of head office; add a tenant first, or name another --data", .0.display())]
    NoOffice(PathBuf),
}

impl Settings {
    pub fn read(path: &Path) -> Result<Settings, ConfigError> {
        let file = path.to_owned();
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            file: file.clone(),
            source,
        })?;
        Settings::parse(file, &text)
    }

    fn parse(file: PathBuf, text: &str) -> Result<Settings, ConfigError> {
        toml::from_str(text).map_err(|error| {
            // Only the message: the line itself may be the one with the password.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let message = error.message().to_owned();
            ConfigError::Parse { file, line, message }
        })
    }

    /// Settings of `self`, else of `under`.
    pub fn over(self, under: Settings) -> Settings {
        Settings {
            data: self.data.or(under.data),
            database: self.database.filter(|url| !url.is_empty()).or(under.database),
            http: self.http.or(under.http),
            nats_listen: self.nats_listen.or(under.nats_listen),
        }
    }

    pub fn http(&self) -> SocketAddr {
        self.http.unwrap_or(DEFAULT_HTTP)
    }

    pub fn nats_listen(&self) -> SocketAddr {
        self.nats_listen.unwrap_or(DEFAULT_NATS_LISTEN)
    }

    pub fn place(&self) -> Result<Place, ConfigError> {
        let database = self.database.as_deref().map(str::parse).transpose();
        Ok(Place {
            data: self.data.clone().ok_or(ConfigError::NoData)?,
            database: database.map_err(ConfigError::Database)?,
        })
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("data", &self.data)
            .field("database", &self.database.as_ref().map(|_| "..."))
            .field("http", &self.http)
            .field("nats_listen", &self.nats_listen)
            .finish()
    }
}

impl Place {
    /// Makes the folder if it is not there.
    pub fn open(&self) -> Result<(Office, Databases), OfficeError> {
        let office = Office::open(&self.data)?;
        let databases = match &self.database {
            Some(url) => Databases::Server(url.clone()),
            None => Databases::Folder(office.folder().to_owned()),
        };
        Ok((office, databases))
    }

    /// For commands that only read: they make no new folder where somebody mistyped the name of one.
    pub fn existing(&self) -> anyhow::Result<(Office, Databases)> {
        let kept_here = match self.database {
            Some(_) => self.data.join("hq.key"),
            None => self.data.join(control::FILE),
        };
        if !kept_here.exists() {
            return Err(ConfigError::NoOffice(self.data.clone()).into());
        }
        Ok(self.open()?)
    }
}

/// For fuzzers: any text is a configuration or refused with its line.
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Settings::parse(PathBuf::from("hq.toml"), &text) {
        Ok(settings) => drop((settings.http(), settings.nats_listen(), settings.place())),
        Err(ConfigError::Parse { line, .. }) => {
            assert!((1..=text.matches('\n').count() + 1).contains(&line), "line {line} of {text:?}");
        }
        Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<Settings, ConfigError> {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("hq.toml");
        std::fs::write(&file, text).unwrap();
        Settings::read(&file)
    }

    #[test]
    fn the_example_file_is_complete_and_holds_the_defaults() {
        let text = include_str!("../hq.example.toml");
        let example = parsed(text).unwrap();
        assert_eq!(example.http.unwrap(), DEFAULT_HTTP);
        assert_eq!(example.nats_listen.unwrap(), DEFAULT_NATS_LISTEN);
        assert!(example.data.is_some() && example.database.is_none());
        let with_server = parsed(&text.replace("# database", "database")).unwrap();
        assert!(with_server.place().unwrap().database.is_some());
    }

    #[test]
    fn no_error_and_no_log_line_repeats_the_password() {
        let url = "postgres://hq:geheim@db.example:5432/books";
        let wrong = [
            format!("data = '/a'\ndatabase = \"{url}"),
            format!("data = '/a'\ndatabase = [\"{url}\"]"),
            "data = '/a'\ndatabase = \"mysql://hq:geheim@db.example/books\"".to_owned(),
            "data = '/a'\ndatabase = \"postgres://hq:geheim@db.example:port/books\"".to_owned(),
            "data = '/a'\ndatabase = \"postgres://hq:geheim@db.example\"".to_owned(),
        ];
        for text in wrong {
            let error = parsed(&text).and_then(|settings| settings.place()).unwrap_err();
            let said = format!("{error} {error:?}") + &format!("{:#}", anyhow::Error::from(error));
            assert!(!said.contains("geheim"), "{said}");
        }
        let settings = parsed(&format!("data = '/a'\ndatabase = \"{url}\"")).unwrap();
        let place = settings.place().unwrap();
        let said = format!("{settings:?} {place:?} {}", place.database.clone().unwrap());
        assert!(!said.contains("geheim") && said.ends_with("books at db.example:5432"), "{said}");
    }

    #[test]
    fn flags_win_over_the_file_and_a_typo_names_its_line() {
        let file = parsed("data = '/a'\ndatabase = 'postgres://h/one'").unwrap();
        let flags = Settings {
            data: Some("/b".into()),
            database: Some(String::new()), // An environment that names none.
            ..Settings::default()
        };
        let place = flags.over(file).place().unwrap();
        assert_eq!(
            (place.data, place.database.unwrap().to_string()),
            ("/b".into(), "one at h".to_owned())
        );
        let error = parsed("data = '/a'\ndatabse = ''").unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("databse") && error.contains("database"),
            "{error}"
        );
        assert!(matches!(Settings::default().place(), Err(ConfigError::NoData)));
    }

    proptest! {
        #[test]
        fn any_file_is_a_configuration_or_refused_with_its_line(bytes in prop::collection::vec(any::<u8>(), 0..100), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            fuzz_one(&bytes);
            let mut example = include_bytes!("../hq.example.toml").to_vec();
            let at = at.index(example.len());
            example[at] = byte;
            fuzz_one(&example);
            example.truncate(at);
            fuzz_one(&example);
        }
    }
}
