//! Who may enter the broker: hands in each tenant's account paper and sets up what the account needs.
//!
//! Owns the way from terms (quota, revoked users), which head office keeps in its database, to a broker which acts on them.
//! Remembers nothing of its own: whatever the broker lost, ensuring a tenant once more brings it back. Does not know
//! whether the broker is the embedded one.
//!
//! There must be one writer per broker. The broker believes the last paper, not the newest, and says "updated" to papers of
//! strangers too; hence every hand-in is read back and tried with a fresh login.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::{self, stream};
use async_nats::{AuthError, Client, ConnectOptions};
use serde::Deserialize;

use backroom_core::ids::TenantId;
use backroom_protocol::subjects;

use super::BrokerError;
use super::jwt;
use super::keys::{HqCredentials, Keys};

const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const RECONNECT_FIRST: Duration = Duration::from_millis(50);
const RECONNECT_MOST: Duration = Duration::from_secs(1);
/// A resend within this time is recognised by its message id; whatever comes later is for the receiver's unique key.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What head office grants a tenant. Comes from its database, whole, each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Disk which the broker reserves, used or not.
    pub quota_bytes: u64,
    /// How long messages of stores wait for head office. The journal in the store outlives them in any case.
    pub keep_days: u32,
    /// Public key of a user to the unix second up to which its papers are void. An entry which disappears lets the user in
    /// again, so it stays.
    pub revoked: BTreeMap<String, u64>,
}

impl Terms {
    /// The stream keeps clear of the quota, so that a full one drops its oldest messages instead of refusing new ones.
    fn stream_bytes(&self) -> i64 {
        i64::try_from(self.quota_bytes - self.quota_bytes / 8).unwrap_or(i64::MAX)
    }
}

/// The accounts of one broker.
pub struct Directory {
    url: String,
    keys: Arc<Keys>,
    system: Client,
    /// Disk of the broker, if known: quotas are promises, and the broker does not say when it cannot keep one.
    disk_bytes: Option<u64>,
    promised: Mutex<BTreeMap<TenantId, u64>>,
    seats: Mutex<BTreeMap<TenantId, Arc<Seat>>>,
}

/// Head office's place in a tenant's account. Locked while the account is being written, so papers are read back in turn.
type Seat = tokio::sync::Mutex<Option<Client>>;

impl Directory {
    /// Logs in to the system account of the broker at `url`, which must trust the operator in `keys`.
    pub async fn connect(url: &str, keys: Arc<Keys>, disk_bytes: Option<u64>) -> Result<Directory, BrokerError> {
        let system = login(url, keys.mint_system()?, "hq of the system account").await?;
        Ok(Directory {
            url: url.to_owned(),
            keys,
            system,
            disk_bytes,
            promised: Mutex::default(),
            seats: Mutex::default(),
        })
    }

    /// Makes the broker know the tenant by these terms, with its stream, and hands back head office's own connection to it.
    ///
    /// To be called at any time and as often as one likes: after a restart of the broker, after its disk was wiped, after the
    /// terms changed. Stores which are connected notice nothing. The connection is shared by all calls and reconnects by itself.
    pub async fn ensure_tenant(&self, tenant: TenantId, terms: &Terms) -> Result<Client, BrokerError> {
        self.promise(tenant, terms.quota_bytes)?;
        let seat = self.seat(tenant);
        let mut seated = seat.lock().await;
        self.hand_in(tenant, terms).await?;

        // A fresh login, because the old connection would go on even if nobody could log in any more.
        let fresh = login(&self.url, self.keys.mint_hq(tenant)?, &format!("hq of tenant {tenant}")).await?;
        let jetstream = jetstream::new(fresh.clone());
        jetstream
            .query_account()
            .await
            .map_err(|source| BrokerError::NoStorage { tenant, source })?;
        jetstream
            .create_or_update_stream(up_stream(tenant, terms))
            .await
            .map_err(|source| BrokerError::Stream { tenant, source })?;

        match &*seated {
            Some(client) if client.connection_state() == State::Connected => Ok(client.clone()),
            _ => Ok(seated.insert(fresh).clone()),
        }
    }

    /// Shuts a store's user out; if it is connected, it is dropped at once.
    ///
    /// The revocation has to be in `terms`, that is, in head office's database, before: else the next
    /// [`Directory::ensure_tenant`] would let the user in again.
    pub async fn revoke_store(&self, tenant: TenantId, terms: &Terms, public_key: &str) -> Result<(), BrokerError> {
        if !terms.revoked.contains_key(public_key) {
            return Err(BrokerError::NotWrittenDown {
                tenant,
                public_key: public_key.to_owned(),
            });
        }
        let seat = self.seat(tenant);
        let _in_turn = seat.lock().await;
        self.hand_in(tenant, terms).await
    }

    fn promise(&self, tenant: TenantId, asked: u64) -> Result<(), BrokerError> {
        let mut promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner);
        let to_others: u64 = promised.iter().filter(|(other, _)| **other != tenant).map(|(_, bytes)| bytes).sum();
        let left = self.disk_bytes.unwrap_or(u64::MAX).saturating_sub(to_others);
        if asked > left {
            return Err(BrokerError::DiskPromised { tenant, asked, left });
        }
        promised.insert(tenant, asked);
        Ok(())
    }

    fn seat(&self, tenant: TenantId) -> Arc<Seat> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.entry(tenant).or_default().clone()
    }

    /// Hands the account paper in and makes sure that it is the one which the broker now holds.
    async fn hand_in(&self, tenant: TenantId, terms: &Terms) -> Result<(), BrokerError> {
        let keys = self.keys.tenant(tenant)?;
        let account = keys.account_public_key();
        let paper = self.keys.account_jwt(&jwt::Account {
            public_key: account.clone(),
            name: tenant.to_string(),
            disk_bytes: Some(terms.quota_bytes),
            roles: vec![keys.store_role(tenant)],
            revoked: terms.revoked.clone(),
        })?;
        let answer = self.ask(tenant, "$SYS.REQ.CLAIMS.UPDATE".to_owned(), paper.clone()).await?;
        let accepted = serde_json::from_slice::<Answer>(&answer).ok().and_then(|answer| answer.data);
        if accepted.is_none_or(|accepted| accepted.code != 200) {
            let answer = String::from_utf8_lossy(&answer).into_owned();
            return Err(BrokerError::AccountRefused { tenant, answer });
        }

        let held = self
            .ask(tenant, format!("$SYS.REQ.ACCOUNT.{account}.CLAIMS.LOOKUP"), String::new())
            .await?;
        if held != paper.as_bytes() {
            let issuer = jwt::issuer(&String::from_utf8_lossy(&held)).unwrap_or_else(|| "nobody".to_owned());
            return Err(BrokerError::AccountOverwritten { tenant, issuer });
        }
        Ok(())
    }

    async fn ask(&self, tenant: TenantId, subject: String, question: String) -> Result<Vec<u8>, BrokerError> {
        match self.system.request(subject, question.into()).await {
            Ok(answer) => Ok(answer.payload.to_vec()),
            Err(error) => Err(BrokerError::NoAnswer {
                tenant,
                why: error.to_string(),
            }),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Accepted>,
}

#[derive(Deserialize)]
struct Accepted {
    code: u16,
}

fn up_stream(tenant: TenantId, terms: &Terms) -> stream::Config {
    stream::Config {
        name: subjects::UP_STREAM.to_owned(),
        subjects: vec![subjects::up_journals(tenant.as_str())],
        storage: stream::StorageType::File,
        // Kept by age and size, not until head office read it: a head office which lost its own disk can read again.
        retention: stream::RetentionPolicy::Limits,
        discard: stream::DiscardPolicy::Old,
        max_age: DAY * terms.keep_days,
        max_bytes: terms.stream_bytes(),
        duplicate_window: DUPLICATE_WINDOW,
        num_replicas: 1,
        ..Default::default()
    }
}

/// A connection which never gives up: the broker may be away for a while, and comes back on the same address.
async fn login(url: &str, credentials: HqCredentials, name: &str) -> Result<Client, BrokerError> {
    let HqCredentials { user_jwt, user } = credentials;
    let user = Arc::new(user);
    let sign = move |nonce: Vec<u8>| {
        let user = user.clone();
        async move { user.sign(&nonce).map_err(AuthError::new) }
    };
    let who = name.to_owned();
    ConnectOptions::with_jwt(user_jwt, sign)
        .name(name)
        .request_timeout(Some(ANSWER_WITHIN))
        .connection_timeout(ANSWER_WITHIN)
        .max_reconnects(None)
        .reconnect_delay_callback(pause_before)
        // A refused publish or subscribe shows here and nowhere else.
        .event_callback(move |event| {
            let who = who.clone();
            async move { tracing::info!(%event, who, "broker connection") }
        })
        .connect(url)
        .await
        .map_err(|source| BrokerError::Login {
            url: url.to_owned(),
            user: name.to_owned(),
            source,
        })
}

/// The very first attempt counts as one too and must not wait.
fn pause_before(attempt: usize) -> Duration {
    let earlier_attempts = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    RECONNECT_FIRST.saturating_mul(earlier_attempts).min(RECONNECT_MOST)
}
