//! Setting a box up once, and reading who it is at each start.
//!
//! The data folder holds all state, keys included; `store.json` is written last, so a folder that was set up half-way is not a store yet.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use backroom_actors::catalog;
use backroom_actors::clock::Clock;
use backroom_actors::journal::JournalSettings;
use backroom_actors::staff::{self, Person};
use backroom_actors::store::{self, Folder, Identity};
use backroom_core::catalog::{Catalog, CatalogFile, Sku};
use backroom_core::directive::Address;
use backroom_core::facts::{EpochOpened, EpochReason, Fact, StockOpened};
use backroom_core::ids::{StoreId, TenantId};
use backroom_core::money::{Currency, Quantity, Rounding};
use backroom_core::stock::{MoveReason, StockMove};
use backroom_core::time::Calendar;
use data_encoding::HEXLOWER_PERMISSIVE;
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// `store.json`: who this store is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreFile {
    tenant: TenantId,
    store: StoreId,
    name: String,
    currency: Currency,
    zone: String,
    day_end: String,
    cash_step: i64,
    #[serde(default)]
    cash_rounding: Rounding,
}

/// What head office wrote for this store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Join {
    pub tenant: TenantId,
    pub store: StoreId,
    pub nats: String,
    pub user_jwt: String,
    pub user_seed: String,
    pub signing_seed: String,
    pub hq_public_key: String,
}

/// The answers to `store-server init`.
#[derive(Debug, clap::Args)]
pub struct Init {
    /// The folder that will hold everything of this store
    #[arg(long, env = "BACKROOM_DATA")]
    pub data: PathBuf,
    /// The company's code at head office, such as `thread`
    #[arg(long)]
    pub tenant: TenantId,
    /// This store's code, such as `berlin`
    #[arg(long)]
    pub store: StoreId,
    /// The name on receipts
    #[arg(long)]
    pub name: String,
    /// Time zone, such as Europe/Berlin
    #[arg(long)]
    pub zone: String,
    /// Three letters, such as EUR
    #[arg(long)]
    pub currency: Currency,
    /// When the business day ends
    #[arg(long, default_value = "02:00")]
    pub day_end: String,
    /// Smallest coin in minor units: 5 where there are no one-cent coins
    #[arg(long, default_value_t = 1)]
    pub cash_step: i64,
    /// Which way cash goes to that coin: half (the nearest, a half away from zero), half_even, half_down, up or down
    #[arg(long, default_value_t)]
    pub cash_rounding: Rounding,
    /// What the store sells: JSON
    #[arg(long)]
    pub catalog: PathBuf,
    /// What it holds: JSON array, or one JSON object per line, of {sku, on_hand} in thousandths
    #[arg(long)]
    pub stock: Option<PathBuf>,
    /// Who works there: JSON array of {id, name, pin}
    #[arg(long)]
    pub staff: PathBuf,
    /// The file head office made for this store; without it the store stands alone
    #[arg(long)]
    pub join: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnHand {
    sku: Sku,
    on_hand: Quantity,
}

/// Sets a box up. Checks everything before it writes anything.
pub async fn init(init: Init) -> anyhow::Result<()> {
    let folder = Folder(init.data.clone());
    if folder.path().join("store.json").exists() {
        bail!("{} already holds a store; use another folder", init.data.display());
    }
    if !(1..=1000).contains(&init.cash_step) {
        bail!("a smallest coin of {} minor units does not exist; use 1, 5, 10 ...", init.cash_step);
    }
    if init.name.is_empty() || init.name.chars().count() > 42 || init.name.chars().any(char::is_control) {
        bail!("a store's name is 1 to 42 printable characters");
    }
    let calendar = Calendar::new(&init.zone, &init.day_end)?;
    let catalog_text = read(&init.catalog)?;
    let catalog_file: CatalogFile =
        serde_json::from_slice(&catalog_text).with_context(|| format!("{} is not a catalog", init.catalog.display()))?;
    if catalog_file.currency != init.currency {
        bail!(
            "the catalog is in {}, the store in {}",
            catalog_file.currency.code(),
            init.currency.code()
        );
    }
    let checked = Catalog::new(catalog_file.clone()).with_context(|| format!("{} can not be used", init.catalog.display()))?;
    let moves = match &init.stock {
        Some(path) => read_stock(path, &checked)?,
        None => Vec::new(),
    };
    let people: Vec<Person> =
        serde_json::from_slice(&read(&init.staff)?).with_context(|| format!("{} is not a list of staff", init.staff.display()))?;
    if people.is_empty() {
        bail!("nobody works here: {} is empty", init.staff.display());
    }
    let join = init
        .join
        .as_deref()
        .map(|path| read_join(path, init.tenant, init.store))
        .transpose()?;

    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder.path())
        .with_context(|| format!("could not make {}", init.data.display()))?;
    let _lock = lock(folder.path())?;
    for stale in [folder.journal(), folder.worklog(), folder.people()] {
        remove_database(&stale)?;
    }
    let seed = match &join {
        Some((_, seed)) => *seed,
        None => random()?,
    };
    write_secret(&folder.path().join("signing.key"), &seed)?;
    write_secret(&folder.path().join("secret.key"), &random()?)?;
    if let Some(path) = &init.join {
        write_private(&folder.path().join("join.json"), &read(path)?)?;
    }
    let mut db = staff::open(&folder.people()).await?;
    for person in &people {
        staff::add_person(&mut db, person).await?;
    }
    let applied = catalog::store_file(&folder.catalogs(), &catalog_text, &catalog_file).context("could not store the catalog")?;

    let address = Address {
        tenant: init.tenant,
        store: init.store,
    };
    let opened = EpochOpened {
        reason: EpochReason::NewStore,
        previous: None,
        series: 1,
        currency: init.currency,
        zone: init.zone.clone(),
        day_end: init.day_end.clone(),
    };
    let mut facts = vec![Fact::EpochOpened(opened), Fact::CatalogApplied(applied)];
    if !moves.is_empty() {
        facts.push(Fact::StockOpened(StockOpened { moves }));
    }
    let settings = JournalSettings {
        file: folder.journal(),
        address,
        calendar,
        signing_key: SigningKey::from_bytes(&seed),
        clock: Clock,
    };
    store::found(settings, facts).await?;
    let store = StoreFile {
        tenant: init.tenant,
        store: init.store,
        name: init.name,
        currency: init.currency,
        zone: init.zone,
        day_end: init.day_end,
        cash_step: init.cash_step,
        cash_rounding: init.cash_rounding,
    };
    write_private(&folder.path().join("store.json"), &serde_json::to_vec_pretty(&store)?)?;
    println!(
        "{}",
        serde_json::json!({"initialised": true, "tenant": store.tenant, "store": store.store, "epoch": 1})
    );
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("could not read {}", path.display()))
}

fn read_stock(path: &Path, catalog: &Catalog) -> anyhow::Result<Vec<StockMove>> {
    let text = String::from_utf8(read(path)?).with_context(|| format!("{} is not text", path.display()))?;
    let held: Vec<OnHand> = if text.trim_start().starts_with('[') {
        serde_json::from_str(&text).with_context(|| format!("{} is not a list of stock", path.display()))?
    } else {
        let line = |(at, line): (usize, &str)| serde_json::from_str(line).with_context(|| format!("{} line {}", path.display(), at + 1));
        text.lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(line)
            .collect::<anyhow::Result<_>>()?
    };
    for held in &held {
        if catalog.by_sku(&held.sku).is_none() {
            bail!("{}: item {} is not in the catalog", path.display(), held.sku);
        }
    }
    Ok(held
        .into_iter()
        .map(|held| StockMove::new(held.sku, held.on_hand, MoveReason::Opening))
        .collect())
}

/// Reads a join file and checks that it is for this store.
fn read_join(path: &Path, tenant: TenantId, store: StoreId) -> anyhow::Result<(Join, [u8; 32])> {
    let join: Join = serde_json::from_slice(&read(path)?)
        .with_context(|| format!("{} is not a join file; ask head office for a new one", path.display()))?;
    if (join.tenant, join.store) != (tenant, store) {
        bail!(
            "{} is for store {} of {}, not for {store} of {tenant}",
            path.display(),
            join.store,
            join.tenant
        );
    }
    head_office_key(&join)?;
    let seed = key_bytes(&join.signing_seed).context("the join file's signing seed is damaged; ask head office for a new one")?;
    Ok((join, seed))
}

fn key_bytes(text: &str) -> anyhow::Result<[u8; 32]> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).context("a key is not hex")?;
    bytes.try_into().map_err(|_| anyhow::anyhow!("a key is not 32 bytes"))
}

/// Whose watermarks and directives this store believes.
pub fn head_office_key(join: &Join) -> anyhow::Result<VerifyingKey> {
    let bytes = key_bytes(&join.hq_public_key)?;
    VerifyingKey::from_bytes(&bytes).context("head office's key in the join file is damaged; ask for a new one")
}

/// Who the store in this folder is, and how it reaches head office, if it does.
pub fn load(data: &Path) -> anyhow::Result<(Folder, Identity, Option<Join>)> {
    let folder = Folder(data.to_owned());
    let path = data.join("store.json");
    let text = fs::read(&path).with_context(|| format!("{} holds no store yet; set it up with `store-server init`", data.display()))?;
    let store: StoreFile = serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))?;
    let identity = Identity {
        address: Address {
            tenant: store.tenant,
            store: store.store,
        },
        name: store.name,
        zone: store.zone,
        day_end: store.day_end,
        cash_step: store.cash_step,
        cash_rounding: store.cash_rounding,
        signing_key: SigningKey::from_bytes(&read_secret(&data.join("signing.key"))?),
        secret: read_secret(&data.join("secret.key"))?,
    };
    let join = match fs::read(data.join("join.json")) {
        Ok(text) => Some(serde_json::from_slice(&text).context("join.json is damaged; ask head office for a new one")?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).context("could not read join.json"),
    };
    Ok((folder, identity, join))
}

/// Two servers on one folder would tear it apart: the second is refused. The lock goes with the process.
pub fn lock(data: &Path) -> anyhow::Result<fs::File> {
    let path = data.join("lock");
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path);
    let file = file.with_context(|| format!("could not open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => bail!("another store-server uses {}; stop it first", data.display()),
        Err(fs::TryLockError::Error(error)) => Err(error).with_context(|| format!("could not lock {}", path.display())),
    }
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))?;
    Ok(bytes)
}

fn remove_database(path: &Path) -> anyhow::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{suffix}", path.display()));
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("could not remove {}", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

pub fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path).with_context(|| format!("could not write {}", path.display()))
}

fn write_secret(path: &Path, secret: &[u8; 32]) -> anyhow::Result<()> {
    write_private(path, HEXLOWER_PERMISSIVE.encode(secret).as_bytes())
}

fn read_secret(path: &Path) -> anyhow::Result<[u8; 32]> {
    let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    key_bytes(&text).with_context(|| format!("{} is damaged", path.display()))
}
