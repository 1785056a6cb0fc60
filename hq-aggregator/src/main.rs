//! The `hq-aggregator` program: reads the command line, and hands it to the room that does it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use backroom_core::directive::Address;
use backroom_core::ids::{StoreId, TenantId};
use hq_aggregator::config::{ConfigError, Place, Settings};
use hq_aggregator::control::ControlError;
use hq_aggregator::password::PasswordError;
use hq_aggregator::rest::ListenError;
use hq_aggregator::shopify::client::ShopUrl;
use hq_aggregator::shopify::connect::{self, StoreAt, Wish};
use hq_aggregator::tenant::catalog::ImportError;
use hq_aggregator::{commands, run, shopify};

/// Head office of Backroom: hears the stores, keeps what they sold, sends them prices.
#[derive(Parser)]
#[command(name = "hq-aggregator", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Companies
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Shops
    #[command(subcommand)]
    Store(StoreCommand),
    /// People who sign in at head office
    #[command(subcommand)]
    User(UserCommand),
    /// What the shops sell
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// The company's web shop
    #[command(subcommand)]
    Shopify(ShopifyCommand),
    /// Print what head office holds, as JSON lines
    Export {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        tenant: TenantId,
        #[arg(long)]
        store: Option<StoreId>,
    },
    /// Compute all chains and figures again from the stored bytes and compare; exit code 1 if anything differs
    Prove {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// Run the server
    Run {
        #[command(flatten)]
        data: Data,
        /// Where the portal listens; port 0 takes any [default: 127.0.0.1:7420]
        #[arg(long, env = "BACKROOM_HTTP")]
        http: Option<SocketAddr>,
        /// Where the broker listens for stores; port 0 takes the one of the last run [default: 127.0.0.1:7421]
        #[arg(long, env = "BACKROOM_NATS_LISTEN")]
        nats_listen: Option<SocketAddr>,
    },
}

#[derive(clap::Args)]
struct Data {
    /// Settings file; see hq.example.toml
    #[arg(long, env = "BACKROOM_CONFIG")]
    config: Option<PathBuf>,
    /// The folder with everything head office keeps, keys included
    #[arg(long = "data", env = "BACKROOM_DATA")]
    dir: Option<PathBuf>,
    /// PostgreSQL instead of files in the data folder: postgres://user:password@host:5432/name. Others on this machine see
    /// flags: a password is safer in the environment or in the settings file
    #[arg(long, env = "BACKROOM_DATABASE", hide_env_values = true)]
    database: Option<String>,
}

impl Data {
    fn settings(self) -> Result<Settings, ConfigError> {
        let said = Settings {
            data: self.dir,
            database: self.database,
            ..Settings::default()
        };
        let file = self.config.as_deref().map(Settings::read).transpose()?;
        Ok(said.over(file.unwrap_or_default()))
    }

    fn place(self) -> Result<Place, ConfigError> {
        self.settings()?.place()
    }
}

#[derive(Subcommand)]
enum TenantCommand {
    /// Add a company
    Add {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        tenant: TenantId,
        #[arg(long)]
        name: String,
    },
}

#[derive(Subcommand)]
enum StoreCommand {
    /// Add a shop, and write the file its box joins with
    Add {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        tenant: TenantId,
        #[arg(long)]
        store: StoreId,
        #[arg(long)]
        name: String,
        /// The join file to write; it holds the shop's secrets
        #[arg(long)]
        join: PathBuf,
        /// Where the box finds the broker, if not where it listened last
        #[arg(long)]
        nats: Option<String>,
    },
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a person
    Add {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        tenant: TenantId,
        #[arg(long)]
        user: String,
        /// A file with the password and nothing else
        #[arg(long)]
        password_file: PathBuf,
    },
}

#[derive(Subcommand)]
enum CatalogCommand {
    /// Take a catalog in, in place of the one before
    Import {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        tenant: TenantId,
        file: PathBuf,
    },
}

#[derive(Subcommand)]
enum ShopifyCommand {
    /// Connect a company to its shop at Shopify, or change how; a running head office notices by itself
    Connect {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        tenant: TenantId,
        /// Where the shop answers, such as https://name.myshopify.com
        #[arg(long)]
        shop: ShopUrl,
        /// The shop's name at Shopify, if its address is another one
        #[arg(long)]
        domain: Option<String>,
        #[arg(long, default_value = shopify::API_VERSION)]
        api_version: String,
        /// A file with the access token and nothing else
        #[arg(long)]
        token_file: PathBuf,
        /// A file with the secret Shopify signs its messages with
        #[arg(long)]
        secret_file: PathBuf,
        /// Which place at Shopify a shop is: berlin=gid://shopify/Location/1; once for each shop
        #[arg(long = "location", required = true)]
        locations: Vec<StoreAt>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("BACKROOM_LOG").unwrap_or_else(|_| EnvFilter::new("info,async_nats=warn,sqlx=warn"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("another part chose the cryptography before");
    }
    match dispatch(arguments.command).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("hq-aggregator: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}

const FAILED: u8 = 1;
const WRONG_USE: u8 = 2;
const REFUSED: u8 = 3;

fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<ConfigError>() {
        Some(ConfigError::NoOffice(_)) => FAILED,
        Some(_) => WRONG_USE,
        None if is_refusal(error) => REFUSED,
        None => FAILED,
    }
}

/// Whether a rule said no, and not a fault: trying the same again would change nothing.
fn is_refusal(error: &anyhow::Error) -> bool {
    let control = error
        .downcast_ref::<ControlError>()
        .is_some_and(|error| !matches!(error, ControlError::Db(_)));
    let import = error
        .downcast_ref::<ImportError>()
        .is_some_and(|error| !matches!(error, ImportError::Db(_)));
    let listen = matches!(error.downcast_ref::<ListenError>(), Some(ListenError::NotLoopback(_)));
    control || import || listen || error.is::<PasswordError>()
}

/// False when the command did its work and found something wrong.
async fn dispatch(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Tenant(TenantCommand::Add { data, tenant, name }) => commands::add_tenant(&data.place()?, tenant, &name).await?,
        Command::Store(StoreCommand::Add {
            data,
            tenant,
            store,
            name,
            join,
            nats,
        }) => {
            commands::add_store(&data.place()?, Address { tenant, store }, &name, &join, nats.as_deref()).await?;
        }
        Command::User(UserCommand::Add {
            data,
            tenant,
            user,
            password_file,
        }) => {
            commands::add_user(&data.place()?, tenant, &user, &password_file).await?;
        }
        Command::Catalog(CatalogCommand::Import { data, tenant, file }) => commands::import_catalog(&data.place()?, tenant, &file).await?,
        Command::Shopify(ShopifyCommand::Connect {
            data,
            tenant,
            shop,
            domain,
            api_version,
            token_file,
            secret_file,
            locations,
        }) => {
            let wish = Wish {
                tenant,
                shop,
                domain,
                api_version,
                token_file,
                secret_file,
                locations,
            };
            connect::connect(&data.place()?, wish).await?;
        }
        Command::Export { data, tenant, store } => commands::export(&data.place()?, tenant, store).await?,
        Command::Prove { data, tenant } => return commands::prove(&data.place()?, tenant).await,
        Command::Run { data, http, nats_listen } => {
            let listen = Settings {
                http,
                nats_listen,
                ..Settings::default()
            };
            let settings = listen.over(data.settings()?);
            run::run(&settings.place()?, settings.http(), settings.nats_listen()).await?;
        }
    }
    Ok(true)
}
