//! A serial scanner's worker: what it reads goes to the screen of its register, which decides what to do with it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backroom_core::ids::RegisterId;
use backroom_devices::link::scanner::{Scan, ScannerLink, ScannerSettings};

use super::machine::{Hands, Worker};
use super::{DeviceConfig, DeviceState};
use crate::shop::{Screen, Shop};

const COME_BACK: Duration = Duration::from_millis(500);

#[derive(Clone)]
pub struct Settings {
    pub config: DeviceConfig,
    pub register: RegisterId,
    pub shop: Shop,
}

pub fn worker(settings: Settings) -> Worker {
    Arc::new(move |hands| Box::pin(work(settings.clone(), hands)))
}

async fn work(settings: Settings, hands: Hands) {
    let Settings { config, register, shop } = settings;
    while !hands.stopping() {
        let mut link = match ScannerLink::open(Path::new(&config.address), ScannerSettings::default()) {
            Ok(link) => link,
            Err(down) => {
                shop.board.set(config.name, DeviceState::Away, down.why);
                tokio::select! {
                    () = tokio::time::sleep(COME_BACK) => continue,
                    () = hands.stopped() => return,
                }
            }
        };
        shop.board.set(config.name, DeviceState::Ready, "ready");
        loop {
            let read = tokio::select! {
                read = link.next() => read,
                () = hands.stopped() => return,
            };
            match read {
                Ok(Scan::Code(code)) => {
                    shop.board.set(config.name, DeviceState::Ready, "ready");
                    let read = Screen::Scanned {
                        register,
                        scanner: config.name,
                        code,
                    };
                    let _ = shop.screens.send(read); // No screen, no sale.
                }
                Ok(Scan::Garbage { bytes, why }) => {
                    tracing::warn!(scanner = %config.name, bytes, why, "a scanner sent what is no code");
                    shop.board
                        .set(config.name, DeviceState::Attention, "the last scan could not be read; scan again");
                }
                Err(down) => {
                    shop.board.set(config.name, DeviceState::Away, down.why);
                    break;
                }
            }
        }
    }
}
