//! The commands a person types: adding tenants, stores, users and catalogs, exporting and proving.
//!
//! Each works whether the server runs or not: they share only the databases with it. What a command prints is for people,
//! except `export`, which is for programs.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, bail};
use ed25519_dalek::SigningKey;

use backroom_core::catalog::CatalogFile;
use backroom_core::directive::Address;
use backroom_core::ids::{StoreId, TenantId};

use crate::broker::keys::Keys;
use crate::config::Place;
use crate::control::{ControlDb, ControlError, Store};
use crate::export;
use crate::join::JoinFile;
use crate::office;
use crate::password;
use crate::prove::{self, Proof};
use crate::tenant::TenantDb;

/// Where the broker listens unless told otherwise; in the join files of stores that are added before the first start.
pub const BROKER_URL: &str = "nats://127.0.0.1:7421";
const LARGEST_CATALOG: u64 = 256 << 20;

pub async fn add_tenant(place: &Place, tenant: TenantId, name: &str) -> anyhow::Result<()> {
    let (office, databases) = place.open()?;
    let lock = office.set_up()?;
    let hq = office.signing_key(&lock)?.verifying_key();
    let control = ControlDb::open(&databases).await?;
    control.belongs_to(&hq).await?;
    TenantDb::open(&databases, tenant).await?;
    control.add_tenant(tenant, name).await?;
    println!("tenant {tenant} was added");
    Ok(())
}

pub async fn add_store(place: &Place, address: Address, name: &str, join: &Path, nats: Option<&str>) -> anyhow::Result<()> {
    let Address { tenant, store } = address;
    let (office, databases) = place.open()?;
    let lock = office.set_up()?;
    let hq = office.signing_key(&lock)?.verifying_key();
    let control = ControlDb::open(&databases).await?;
    control.belongs_to(&hq).await?;
    control.has_tenant(tenant).await?;
    if control.has_store(tenant, store).await? {
        return Err(ControlError::StoreThere { tenant, store }.into());
    }
    let broker_url = office.broker_url();
    let nats = nats.or(broker_url.as_deref()).unwrap_or(BROKER_URL);
    if !nats.starts_with("nats://") && !nats.starts_with("tls://") {
        bail!("{nats:?} is no address of a broker; use one such as {BROKER_URL}");
    }
    let login = Keys::load_or_create(&office.broker_dir())?.mint_store(tenant, store)?;
    let signing = SigningKey::from_bytes(&office::random()?);
    JoinFile::new(address, nats, &login, &signing, &hq).write(join)?;
    let row = Store {
        store,
        name: name.to_owned(),
        signing_key: signing.verifying_key(),
    };
    if let Err(error) = control.add_store(tenant, &row, &login.public_key).await {
        let _nobody_knows_these_keys = fs::remove_file(join);
        return Err(error.into());
    }
    println!(
        "store {store} of tenant {tenant} was added; take {} to its box and delete it here",
        join.display()
    );
    Ok(())
}

pub async fn add_user(place: &Place, tenant: TenantId, user: &str, password_file: &Path) -> anyhow::Result<()> {
    let fits = (1..=64).contains(&user.len()) && user.bytes().all(|b| b.is_ascii_graphic());
    if !fits {
        bail!("a user's name is 1 to 64 letters, digits or signs without blanks");
    }
    let text = fs::read_to_string(password_file).with_context(|| format!("could not read {}", password_file.display()))?;
    let hash = password::hash(text.trim_end_matches(['\r', '\n']))?;
    let (_, databases) = place.open()?;
    let control = ControlDb::open(&databases).await?;
    control.has_tenant(tenant).await?;
    control.add_login(tenant, user, &hash).await?;
    println!("user {user} of tenant {tenant} was added");
    Ok(())
}

pub async fn import_catalog(place: &Place, tenant: TenantId, file: &Path) -> anyhow::Result<()> {
    let unreadable = || format!("could not read the catalog {}", file.display());
    let size = fs::metadata(file).with_context(unreadable)?.len();
    if size > LARGEST_CATALOG {
        bail!(
            "the catalog {} has {size} bytes; at most {LARGEST_CATALOG} are taken",
            file.display()
        );
    }
    let content = fs::read(file).with_context(unreadable)?;
    let catalog: CatalogFile = serde_json::from_slice(&content)
        .with_context(|| format!("the catalog {} is not in the form of docs/contracts.md", file.display()))?;
    let (version, items) = (catalog.version, catalog.items.len());
    open_tenant(place, tenant).await?.1.import_catalog(catalog, &content).await?;
    println!("catalog version {version} with {items} items was taken in for tenant {tenant}");
    Ok(())
}

pub async fn export(place: &Place, tenant: TenantId, store: Option<StoreId>) -> anyhow::Result<()> {
    let (control, db) = open_tenant(place, tenant).await?;
    if let Some(store) = store
        && !control.has_store(tenant, store).await?
    {
        bail!("tenant {tenant} has no store {store}");
    }
    let mut out = BufWriter::new(std::io::stdout());
    export::export(&db, store, &mut out).await?;
    Ok(())
}

/// False when a difference was found; it is printed.
pub async fn prove(place: &Place, only: Option<TenantId>) -> anyhow::Result<bool> {
    let (_, databases) = place.existing()?;
    let control = ControlDb::open(&databases).await?;
    let tenants = match only {
        Some(tenant) => {
            control.has_tenant(tenant).await?;
            vec![tenant]
        }
        None => control.tenants().await?,
    };
    let mut all_right = true;
    let mut out = std::io::stdout();
    for tenant in tenants {
        let db = TenantDb::open(&databases, tenant).await?;
        match prove::prove(&db).await? {
            Proof::Right { stores, entries, waiting } => {
                writeln!(
                    out,
                    "{tenant}: right; {entries} entries of {stores} stores, {waiting} cases in quarantine"
                )?;
            }
            Proof::Wrong(difference) => {
                all_right = false;
                writeln!(out, "{tenant}: WRONG; {difference}")?;
            }
        }
    }
    Ok(all_right)
}

async fn open_tenant(place: &Place, tenant: TenantId) -> anyhow::Result<(ControlDb, TenantDb)> {
    let (_, databases) = place.existing()?;
    let control = ControlDb::open(&databases).await?;
    control.has_tenant(tenant).await?;
    Ok((control, TenantDb::open(&databases, tenant).await?))
}
