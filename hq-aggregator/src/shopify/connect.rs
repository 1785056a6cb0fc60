//! The command that connects a company to its shop at Shopify.
//!
//! Works whether the server runs or not; a running one notices within a second. Shopify itself is asked by the server.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, bail};

use backroom_core::ids::{StoreId, TenantId};

use crate::config::Place;
use crate::control::ControlDb;
use crate::tenant::TenantDb;
use crate::tenant::shopify::NewLink;

use super::client::ShopUrl;
use super::vault::{Secrets, Vault};

const LARGEST_SECRET: u64 = 4096;

/// What a person says.
#[derive(Clone, Debug)]
pub struct Wish {
    pub tenant: TenantId,
    pub shop: ShopUrl,
    pub domain: Option<String>,
    pub api_version: String,
    pub token_file: PathBuf,
    pub secret_file: PathBuf,
    pub locations: Vec<StoreAt>,
}

/// `berlin=gid://shopify/Location/1`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreAt {
    pub store: StoreId,
    pub location: String,
}

impl FromStr for StoreAt {
    type Err = String;

    fn from_str(text: &str) -> Result<StoreAt, String> {
        let wrong = || format!("{text:?} is no shop and place; use one such as berlin=gid://shopify/Location/1");
        let (store, location) = text.split_once('=').ok_or_else(wrong)?;
        let number = location.strip_prefix("gid://shopify/Location/").ok_or_else(wrong)?;
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        Ok(StoreAt {
            store: store.parse().map_err(|_| wrong())?,
            location: location.to_owned(),
        })
    }
}

pub async fn connect(place: &Place, wish: Wish) -> anyhow::Result<()> {
    let (office, databases) = place.open()?;
    let control = ControlDb::open(&databases).await?;
    control.has_tenant(wish.tenant).await?;
    for StoreAt { store, .. } in &wish.locations {
        if !control.has_store(wish.tenant, *store).await? {
            bail!(
                "tenant {} has no store {store}; add it first with: hq-aggregator store add",
                wish.tenant
            );
        }
    }
    let version = wish.api_version.as_bytes();
    let is_version = version.len() == 7
        && version
            .iter()
            .enumerate()
            .all(|(at, byte)| (at == 4 && *byte == b'-') || byte.is_ascii_digit());
    if !is_version {
        bail!(
            "{:?} is no version of Shopify's interface; use one such as {}",
            wish.api_version,
            super::API_VERSION
        );
    }
    let token = secret_lines(&wish.token_file)?;
    let [token] = token.as_slice() else {
        bail!(
            "{} must hold the access token in one line and nothing else",
            wish.token_file.display()
        );
    };
    let secrets = Secrets {
        token: token.clone(),
        webhook: secret_lines(&wish.secret_file)?,
    };
    let link = NewLink {
        url: wish.shop.as_str().to_owned(),
        domain: wish.domain.unwrap_or_else(|| wish.shop.host().to_owned()),
        api_version: wish.api_version,
        locations: wish.locations.into_iter().map(|at| (at.store, at.location)).collect(),
    };
    let db = TenantDb::open(&databases, wish.tenant).await?;
    let before = db.shopify_link().await?;
    if let Some(before) = before.filter(|before| before.domain != link.domain) {
        bail!(
            "tenant {} is connected to {}; what waits for that shop must not go to another one",
            wish.tenant,
            before.domain
        );
    }
    Vault::new(office.shopify_dir()).keep(wish.tenant, &secrets)?;
    db.connect_shopify(&link).await?;
    println!(
        "tenant {} is connected to {} with {} shops",
        wish.tenant,
        link.domain,
        link.locations.len()
    );
    Ok(())
}

/// The lines of a file with secrets; never repeated in an error.
fn secret_lines(path: &Path) -> anyhow::Result<Vec<String>> {
    let unreadable = || format!("could not read {}", path.display());
    if fs::metadata(path).with_context(unreadable)?.len() > LARGEST_SECRET {
        bail!("{} is too large to hold a secret", path.display());
    }
    let text = fs::read_to_string(path).with_context(unreadable)?;
    let lines: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    let fits = !lines.is_empty() && lines.len() <= 2 && lines.iter().all(|line| line.bytes().all(|byte| byte.is_ascii_graphic()));
    if !fits {
        bail!(
            "{} must hold a secret in one line; during a change of secrets, the new one and the old one",
            path.display()
        );
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_as_shopify_names_it() {
        let at: StoreAt = "berlin=gid://shopify/Location/1".parse().unwrap();
        assert_eq!((at.store.as_str(), at.location.as_str()), ("berlin", "gid://shopify/Location/1"));
        for wrong in [
            "berlin",
            "=gid://shopify/Location/1",
            "berlin=gid://shopify/Location/",
            "berlin=gid://shopify/Location/1x",
            "berlin=1",
        ] {
            assert!(wrong.parse::<StoreAt>().is_err(), "{wrong}");
        }
    }
}
