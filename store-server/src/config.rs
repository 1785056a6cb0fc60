//! The box's settings: file, environment and flags become one struct, once.
//!
//! Every setting with its default stands in `box.example.toml`. A word the file should not hold is an error that names the line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Where the box listens when nobody says otherwise.
pub const DEFAULT_GRPC: &str = "127.0.0.1:7400";
pub const DEFAULT_HTTP: &str = "127.0.0.1:7401";

/// What was said; `None` where nothing was.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub data: Option<PathBuf>,
    pub grpc: Option<SocketAddr>,
    pub http: Option<SocketAddr>,
    pub nats: Option<String>,
    pub allow_faults: Option<bool>,
    pub log: Option<String>,
    pub log_format: Option<LogFormat>,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a person who reads along.
    #[default]
    Pretty,
    /// One JSON object a line, for whoever gathers logs.
    Json,
}

/// What counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub data: PathBuf,
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    /// Instead of the address in the join file.
    pub nats: Option<String>,
    /// Whether the console may strike actors down. For trying out, never in a shop.
    pub allow_faults: bool,
    pub log: String,
    pub log_format: LogFormat,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("could not read the configuration {file}: {source}")]
    Read { file: String, source: std::io::Error },
    #[error("{file}: {message}")]
    Parse { file: String, message: String },
    #[error("no data folder is named; say --data DIR, BACKROOM_DATA or data = \"DIR\" in the configuration")]
    NoData,
    #[error(
        "{what} would listen on {address}, where others on the network could read along; encryption is not built in yet, so use an address such as 127.0.0.1:7400"
    )]
    NotLoopback { what: &'static str, address: SocketAddr },
}

impl File {
    pub fn read(path: &Path) -> Result<File, ConfigError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            file: file.clone(),
            source,
        })?;
        File::parse(&file, &text)
    }

    fn parse(file: &str, text: &str) -> Result<File, ConfigError> {
        // toml's own message shows line, column and the words that are known.
        toml::from_str(text).map_err(|error| ConfigError::Parse {
            file: file.to_owned(),
            message: error.to_string(),
        })
    }

    /// Settings of `self`, else of `under`.
    pub fn over(self, under: File) -> File {
        File {
            data: self.data.or(under.data),
            grpc: self.grpc.or(under.grpc),
            http: self.http.or(under.http),
            nats: self.nats.or(under.nats),
            allow_faults: self.allow_faults.or(under.allow_faults),
            log: self.log.or(under.log),
            log_format: self.log_format.or(under.log_format),
        }
    }

    pub fn finish(self) -> Result<Config, ConfigError> {
        let listen = |what, asked: Option<SocketAddr>, default: &str| {
            let address = asked
                .or_else(|| default.parse().ok())
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
            if address.ip().is_loopback() {
                Ok(address)
            } else {
                Err(ConfigError::NotLoopback { what, address })
            }
        };
        Ok(Config {
            grpc: listen("grpc", self.grpc, DEFAULT_GRPC)?,
            http: listen("http", self.http, DEFAULT_HTTP)?,
            data: self.data.ok_or(ConfigError::NoData)?,
            nats: self.nats,
            allow_faults: self.allow_faults.unwrap_or(false),
            log: self.log.unwrap_or_else(|| "info".into()),
            log_format: self.log_format.unwrap_or_default(),
        })
    }
}

/// For fuzzers: any text is a configuration or refused, and none that is taken listens where others can read along.
#[cfg(test)]
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(config) = File::parse("box.toml", &text).and_then(File::finish) {
        assert!(config.grpc.ip().is_loopback() && config.http.ip().is_loopback(), "{text}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_file_is_complete_and_holds_the_defaults() {
        let example = File::parse("box.example.toml", include_str!("../box.example.toml")).unwrap();
        assert_eq!(example.grpc.unwrap().to_string(), DEFAULT_GRPC);
        assert_eq!(example.http.unwrap().to_string(), DEFAULT_HTTP);
        assert_eq!((example.allow_faults, example.log.as_deref()), (Some(false), Some("info")));
        assert_eq!(example.log_format, Some(LogFormat::default()));
        assert!(example.data.is_some());
    }

    #[test]
    fn a_typo_names_its_line_and_the_words_that_are_known() {
        let error = File::parse("box.toml", "data = \"/srv\"\ngprc = \"127.0.0.1:1\"\n")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 2") && error.contains("gprc") && error.contains("grpc"),
            "{error}"
        );
    }

    #[test]
    fn flags_win_over_the_file_and_an_open_network_is_refused() {
        let file = File::parse("box.toml", "data = \"/a\"\ngrpc = \"127.0.0.1:9\"").unwrap();
        let flags = File {
            data: Some("/b".into()),
            ..File::default()
        };
        let config = flags.over(file).finish().unwrap();
        assert_eq!((config.data, config.grpc.port()), (PathBuf::from("/b"), 9));
        let open = File {
            data: Some("/b".into()),
            grpc: Some("0.0.0.0:7400".parse().unwrap()),
            ..File::default()
        };
        assert!(open.finish().unwrap_err().to_string().contains("127.0.0.1:7400"));
        assert!(matches!(File::default().finish(), Err(ConfigError::NoData)));
    }

    proptest! {
        #[test]
        fn any_file_is_a_configuration_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100), at in any::<prop::sample::Index>(), byte in any::<u8>(), listen in "[0-9.:]{0,16}") {
            fuzz_one(&bytes);
            fuzz_one(format!("data = \"/d\"\ngrpc = \"{listen}\"").as_bytes());
            let mut example = include_bytes!("../box.example.toml").to_vec();
            let at = at.index(example.len());
            example[at] = byte;
            fuzz_one(&example);
            example.truncate(at);
            fuzz_one(&example);
        }
    }
}
