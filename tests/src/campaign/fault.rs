//! The faults between a store and head office, each one done and undone again.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use async_nats::jetstream;
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use nkeys::{KeyPair, KeyPairType};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::hq::{HeadOffice, copy_folder};
use super::portal::Portal;
use super::relay::{Relay, Wire};
use crate::chance::Chance;
use crate::shop::Shop;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    Cut,
    StoreIsDeaf,
    HqIsDeaf,
    Slow,
    BrokerKilled,
    StreamDeleted,
    StreamsWiped,
    StreamsRolledBack,
    HqKilled,
    BoxKilled,
    HqRestored,
}

impl Fault {
    pub const ALL: [Fault; 11] = [
        Fault::Cut,
        Fault::BrokerKilled,
        Fault::StreamDeleted,
        Fault::StreamsWiped,
        Fault::StreamsRolledBack,
        Fault::HqKilled,
        Fault::StoreIsDeaf,
        Fault::HqIsDeaf,
        Fault::Slow,
        Fault::BoxKilled,
        Fault::HqRestored,
    ];

    pub fn words(self) -> &'static str {
        match self {
            Fault::Cut => "wire cut",
            Fault::StoreIsDeaf => "store hears nothing",
            Fault::HqIsDeaf => "head office hears nothing",
            Fault::Slow => "wire slow",
            Fault::BrokerKilled => "broker killed",
            Fault::StreamDeleted => "stream deleted",
            Fault::StreamsWiped => "broker's disk wiped",
            Fault::StreamsRolledBack => "broker's disk rolled back",
            Fault::HqKilled => "head office killed",
            Fault::BoxKilled => "box killed",
            Fault::HqRestored => "head office restored from a copy",
        }
    }
}

/// Everything a fault can be done to.
pub struct Scene<'a> {
    pub hq: &'a mut HeadOffice,
    pub shops: &'a mut [Shop],
    pub relays: &'a [Relay],
    pub portal: &'a Portal,
    /// Items head office may give new prices.
    pub items: u64,
    pub folder: &'a Path,
    pub chance: &'a mut Chance,
}

impl Scene<'_> {
    /// Does one fault while the shops go on selling, and repairs only what a person would have to: a wire, a dead process.
    pub async fn suffer(&mut self, fault: Fault) -> Result<()> {
        // Mostly short; now and then long enough for both sides to notice by themselves.
        let selling = match self.chance.percent(15) {
            true => Duration::from_millis(self.chance.between(4_000, 8_000)),
            false => Duration::from_millis(self.chance.between(300, 1_200)),
        };
        self.new_price().await?; // On its way when the fault comes.
        match fault {
            Fault::Cut => self.wire(Wire::Cut, selling).await?,
            Fault::StoreIsDeaf => self.wire(Wire::StoreIsDeaf, selling).await?,
            Fault::HqIsDeaf => self.wire(Wire::HqIsDeaf, selling).await?,
            Fault::Slow => self.wire(Wire::Slow(Duration::from_millis(150)), selling).await?,
            Fault::BrokerKilled => self.hq.kill_broker().await?,
            Fault::StreamDeleted => {
                for tenant in self.hq.tenants().map(str::to_owned).collect::<Vec<_>>() {
                    delete_stream(self.hq, &tenant).await?;
                }
            }
            Fault::StreamsWiped => {
                let wipe = |jetstream: &Path| fs::remove_dir_all(jetstream).context("could not wipe the broker's disk");
                self.hq.with_dead_broker(wipe).await?;
            }
            Fault::StreamsRolledBack => {
                let copy = self.folder.join("jetstream-copy");
                self.hq.copy_jetstream(&copy)?;
                tokio::time::sleep(selling).await;
                let roll_back = |jetstream: &Path| replace(jetstream, &copy);
                self.hq.with_dead_broker(roll_back).await?;
            }
            Fault::HqKilled => {
                self.hq.kill().await?;
                tokio::time::sleep(selling).await;
                self.hq.start().await?;
            }
            Fault::BoxKilled => {
                let which = self.chance.below(self.shops.len() as u64) as usize;
                self.shops[which].kill().await?;
                self.shops[which].start().await?;
            }
            Fault::HqRestored => {
                let copy = self.folder.join("hq-copy");
                self.hq.stop().await?;
                copy_folder(&self.hq.data(), &copy)?;
                self.hq.start().await?;
                self.new_price().await?; // Head office will have forgotten that it ever gave this order.
                tokio::time::sleep(selling).await;
                self.hq.kill().await?;
                replace(&self.hq.data(), &copy)?;
                self.hq.start().await?;
            }
        }
        for relay in self.relays {
            relay.lead_to(self.hq.nats()?);
        }
        Ok(())
    }

    /// Something happens to one store's wire, or to all of them, and ends again.
    async fn wire(&mut self, wire: Wire, time: Duration) -> Result<()> {
        let only = self.chance.below(self.relays.len() as u64 + 1) as usize;
        let hit = |at: usize| only == self.relays.len() || at == only;
        for (at, relay) in self.relays.iter().enumerate() {
            if hit(at) {
                relay.set(wire);
            }
        }
        let ordered = self.new_price().await; // Nobody hears of it until the wire is whole again.
        tokio::time::sleep(time).await;
        for relay in self.relays {
            relay.set(Wire::Whole);
        }
        ordered
    }

    async fn new_price(&mut self) -> Result<()> {
        let (item, price) = (self.chance.below(self.items), self.chance.between(50, 5_000));
        self.portal.change_price(self.hq, item, price).await
    }
}

fn replace(folder: &Path, by: &Path) -> Result<()> {
    fs::remove_dir_all(folder).with_context(|| format!("could not remove {}", folder.display()))?;
    fs::rename(by, folder).with_context(|| format!("could not put the copy in place of {}", folder.display()))
}

/// An operator with the broker's keys deletes a tenant's stream.
async fn delete_stream(hq: &HeadOffice, tenant: &str) -> Result<()> {
    let account = account_key(hq, tenant)?;
    let user = KeyPair::new_user();
    let paper = user_paper(&account, &user)?;
    let user = Arc::new(user);
    let sign = move |nonce: Vec<u8>| {
        let user = user.clone();
        async move { user.sign(&nonce).map_err(async_nats::AuthError::new) }
    };
    let client = async_nats::ConnectOptions::with_jwt(paper, sign)
        .connection_timeout(Duration::from_secs(5))
        .connect(format!("nats://{}", hq.nats()?))
        .await
        .context("could not log in at the broker as an operator")?;
    let deleted = jetstream::new(client)
        .delete_stream("UP")
        .await
        .context("could not delete the stream")?;
    anyhow::ensure!(deleted.success, "the broker did not delete the stream of {tenant}");
    Ok(())
}

/// As head office derives it from the root in its key file.
fn account_key(hq: &HeadOffice, tenant: &str) -> Result<KeyPair> {
    let path = hq.broker_folder().join("keys.json");
    let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let file: Value = serde_json::from_str(&text)?;
    let root = file["tenant_root"].as_str().context("the key file has no tenant_root")?;
    let root = BASE32_NOPAD.decode(root.as_bytes())?;
    let inner = Sha256::new()
        .chain_update(b"backroom broker v1\0")
        .chain_update(root)
        .chain_update(b"account\0")
        .chain_update(tenant)
        .finalize();
    Ok(KeyPair::new_from_raw(KeyPairType::Account, Sha256::digest(inner).into())?)
}

fn user_paper(account: &KeyPair, user: &KeyPair) -> Result<String> {
    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let rights = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {}});
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({"iat": now, "iss": account.public_key(), "sub": user.public_key(), "name": "operator", "nats": rights});
    let signed = [header, claims]
        .map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes()))
        .join(".");
    let signature = account.sign(signed.as_bytes())?;
    Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
}
