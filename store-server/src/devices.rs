//! Which machines stand in this shop: `devices.toml` in the data folder, and the commands that write it.
//!
//! The file may hold a terminal's password, so only the box's user may read it. Read once at each start; what changed counts from
//! then on.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use backroom_actors::device::{DeviceConfig, DeviceKind, Password};
use backroom_core::ids::{DeviceId, RegisterId};
use serde::{Deserialize, Serialize};

const FILE: &str = "devices.toml";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    device: Vec<DeviceConfig>,
}

#[derive(Debug, clap::Subcommand)]
pub enum Devices {
    /// Name a machine; one of this name is replaced
    Add(Add),
    /// All machines, one line each
    List(super::Data),
    /// Forget a machine
    Remove {
        #[command(flatten)]
        at: super::Data,
        name: DeviceId,
    },
}

#[derive(Debug, clap::Args)]
pub struct Add {
    #[command(flatten)]
    at: super::Data,
    /// Such as `r1-printer`
    #[arg(long)]
    name: DeviceId,
    #[arg(long, value_parser = kind)]
    kind: DeviceKind,
    /// The register on whose counter it stands; a reader needs none
    #[arg(long)]
    register: Option<RegisterId>,
    /// `host:port`, or the path of a serial port
    #[arg(long)]
    address: String,
    /// A file with the six digits a terminal wants to hear; 000000 when not given
    #[arg(long)]
    password_file: Option<PathBuf>,
}

fn kind(word: &str) -> Result<DeviceKind, String> {
    let kinds = [DeviceKind::Printer, DeviceKind::Terminal, DeviceKind::Scanner, DeviceKind::Reader];
    let found = kinds.into_iter().find(|kind| kind.word() == word);
    found.ok_or_else(|| format!("{word:?} is none of printer, terminal, scanner, reader"))
}

/// The machines of a box; none when nobody named any.
pub fn load(data: &Path) -> anyhow::Result<Vec<DeviceConfig>> {
    let path = data.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("could not read {}", path.display())),
    };
    let file: File = toml::from_str(&text).with_context(|| format!("{} can not be used", path.display()))?;
    check(&file.device).with_context(|| format!("{} can not be used", path.display()))?;
    Ok(file.device)
}

/// Names are unique, and a counter has one machine of each kind, so that nobody wonders where a receipt comes out.
fn check(devices: &[DeviceConfig]) -> anyhow::Result<()> {
    for (at, device) in devices.iter().enumerate() {
        let before = &devices[..at];
        if before.iter().any(|other| other.name == device.name) {
            bail!("two machines are called {}; give each a name of its own", device.name);
        }
        match device.register {
            None if device.kind != DeviceKind::Reader => {
                bail!("{} stands at no register; say --register", device.name);
            }
            Some(register) => {
                let same = |other: &&DeviceConfig| other.kind == device.kind && other.register == Some(register);
                if let Some(other) = before.iter().find(same) {
                    bail!(
                        "register {register} already has the {} {}; remove it first",
                        device.kind.word(),
                        other.name
                    );
                }
            }
            None => {}
        }
        let digits = |password: &Password| password.0.len() == 6 && password.0.bytes().all(|byte| byte.is_ascii_digit());
        if !device.password.as_ref().is_none_or(digits) {
            bail!("the password of {} is not six digits", device.name);
        }
    }
    Ok(())
}

pub fn work(command: Devices) -> anyhow::Result<()> {
    match command {
        Devices::List(at) => {
            for device in load(&at.data)? {
                let register = device
                    .register
                    .map_or("the shop".to_owned(), |register| format!("register {register}"));
                println!("{}  {}  {}  {register}", device.name, device.kind.word(), device.address);
            }
            Ok(())
        }
        Devices::Add(add) => {
            must_be_a_store(&add.at.data)?;
            let mut devices = load(&add.at.data)?;
            let password = add.password_file.as_deref().map(read_password).transpose()?;
            let device = DeviceConfig {
                name: add.name,
                kind: add.kind,
                register: add.register,
                address: add.address,
                password,
            };
            match devices.iter_mut().find(|known| known.name == device.name) {
                Some(known) => *known = device,
                None => devices.push(device),
            }
            save(&add.at.data, devices)
        }
        Devices::Remove { at, name } => {
            let mut devices = load(&at.data)?;
            let before = devices.len();
            devices.retain(|device| device.name != name);
            if devices.len() == before {
                bail!("there is no machine {name}; see `store-server devices list`");
            }
            save(&at.data, devices)
        }
    }
}

fn must_be_a_store(data: &Path) -> anyhow::Result<()> {
    if data.join("store.json").exists() {
        return Ok(());
    }
    bail!("{} holds no store; set it up with `store-server init`", data.display())
}

fn read_password(path: &Path) -> anyhow::Result<Password> {
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    Ok(Password(text.trim().to_owned()))
}

fn save(data: &Path, device: Vec<DeviceConfig>) -> anyhow::Result<()> {
    check(&device)?;
    let text = toml::to_string(&File { device })?;
    super::setup::write_private(&data.join(FILE), text.as_bytes())?;
    println!("it counts from the next start of the box");
    Ok(())
}

/// For fuzzers: any text is a list of machines or refused; what is taken is written and read again.
#[cfg(test)]
pub fn fuzz_one(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(file) = toml::from_str::<File>(&text) else { return };
    if check(&file.device).is_ok() {
        let again = toml::to_string(&file).map(|written| toml::from_str::<File>(&written).is_ok());
        assert_eq!(again, Ok(true), "{text}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn device(name: &str, kind: DeviceKind, register: Option<&str>) -> DeviceConfig {
        DeviceConfig {
            name: name.parse().unwrap(),
            kind,
            register: register.map(|register| register.parse().unwrap()),
            address: "127.0.0.1:9100".into(),
            password: None,
        }
    }

    #[test]
    fn a_counter_has_one_machine_of_each_kind() {
        let printer = device("p1", DeviceKind::Printer, Some("r1"));
        check(&[printer.clone(), device("p2", DeviceKind::Printer, Some("r2"))]).unwrap();
        let second = check(&[printer.clone(), device("p2", DeviceKind::Printer, Some("r1"))]).unwrap_err();
        assert!(second.to_string().contains("already has the printer p1"), "{second}");
        let nowhere = check(&[device("p3", DeviceKind::Printer, None)]).unwrap_err();
        assert!(nowhere.to_string().contains("--register"), "{nowhere}");
        check(&[device("door", DeviceKind::Reader, None), device("shelf", DeviceKind::Reader, None)]).unwrap();
        assert!(check(&[printer.clone(), printer]).is_err());
    }

    #[test]
    fn the_file_reads_back_and_a_typo_names_itself() {
        let text = toml::to_string(&File {
            device: vec![device("p1", DeviceKind::Printer, Some("r1"))],
        })
        .unwrap();
        assert_eq!(toml::from_str::<File>(&text).unwrap().device[0].name.as_str(), "p1");
        let typo = toml::from_str::<File>(&text.replace("address", "adress")).unwrap_err();
        assert!(typo.to_string().contains("adress"), "{typo}");
    }

    proptest! {
        #[test]
        fn any_list_of_machines_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100), name in "[a-zA-Z0-9-]{0,18}", kind in "printer|terminal|scanner|reader|drawer", password in "[0-9a-z]{0,8}", address in "\\PC{0,20}") {
            fuzz_one(&bytes);
            let device = format!("[[device]]\nname = \"{name}\"\nkind = \"{kind}\"\naddress = \'{address}\'\nregister = \"r1\"\npassword = \"{password}\"\n");
            fuzz_one(device.as_bytes());
            fuzz_one(device.repeat(2).as_bytes());
        }
    }
}
