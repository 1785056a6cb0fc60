//! `fake-shopify`: the stand-in for Shopify as a program. Reads the command line, opens the ledger, serves.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use backroom_tests::shopify::ledger::Ledger;
use backroom_tests::shopify::server::{self, Setup};
use backroom_tests::shopify::shop::{CatalogFile, Shop};
use clap::Parser;
use serde_json::json;

/// A stand-in for Shopify: orders and stock over real HTTP and GraphQL, for tests and the demo.
#[derive(Parser)]
#[command(name = "fake-shopify", version)]
struct Arguments {
    /// Where it listens; port 0 takes any
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A file to write what happened to, one JSON line each
    #[arg(long)]
    ledger: Option<PathBuf>,
    /// What callers have to know
    #[arg(long, default_value = "a-token-for-tests-only")]
    token: String,
    /// What webhooks are signed with
    #[arg(long, default_value = "a-secret-for-tests-only")]
    secret: String,
    /// Where webhooks go
    #[arg(long)]
    webhook: Option<String>,
    /// A catalog file of head office, whose items become products
    #[arg(long)]
    catalog: Option<PathBuf>,
    /// The shop's name at Shopify
    #[arg(long, default_value = "stand-in.myshopify.com")]
    domain: String,
    #[arg(long, default_value = "EUR")]
    currency: String,
    /// The places that are counted; the first is gid://shopify/Location/1
    #[arg(long = "location", default_values_t = ["Main street".to_owned(), "Station".to_owned()])]
    locations: Vec<String>,
    /// How fast the points come back that questions cost
    #[arg(long, default_value_t = 1000)]
    points_per_second: u64,
}

#[actix_web::main]
async fn main() -> ExitCode {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("fake-shopify: another part chose the cryptography before");
    }
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fake-shopify: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let catalog = arguments.catalog.map(|path| -> Result<CatalogFile> {
        let text = std::fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is no catalog", path.display()))
    });
    let catalog = catalog.transpose()?;
    let currency = catalog.as_ref().map_or(arguments.currency.as_str(), |catalog| &catalog.currency);
    let ledger = Ledger::open(arguments.ledger.as_deref())?;
    let mut shop = Shop::new(&arguments.domain, currency, &arguments.locations, ledger);
    if let Some(catalog) = &catalog {
        shop.stock_up(catalog)?;
    }
    let setup = Setup {
        shop,
        token: arguments.token,
        secret: arguments.secret,
        webhook: arguments.webhook,
        points_per_second: arguments.points_per_second,
    };
    server::serve(arguments.listen, setup, |address| {
        let ready = json!({ "ready": true, "name": "fake-shopify", "http": format!("http://{address}"), "pid": std::process::id() });
        println!("{ready}");
    })
    .await
}
