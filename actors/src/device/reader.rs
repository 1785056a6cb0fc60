//! An RFID reader's worker: holds the link, lets it read while a count wants it, and hands on what it sees.
//!
//! Counts nothing. A link that breaks is made anew with growing pauses, and an inventory that was wanted goes on: what is read twice
//! is counted once by whoever counts. Tags are handed on until they were taken, so a count that falls loses none.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use backroom_devices::link::reader::{InventoryPlan, ReaderDown, ReaderEvent, ReaderLink, ReaderSettings, TagSeen};
use tokio::time::Instant;

use super::machine::{Hands, Worker};
use super::{Board, DeviceConfig, DeviceState};
use crate::count::state::{Reading, Tag};
use crate::count::{Counting, ReaderNow};

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A link that lived so long was a good one: the next pause is short again.
const GOOD_LINK: Duration = Duration::from_secs(10);
/// Until what was read is taken, while the counts are being restarted.
const PATIENCE_PAUSE: Duration = Duration::from_millis(50);
/// For saying goodbye to the reader when the box stops.
const GOODBYE: Duration = Duration::from_secs(1);
/// The bits of an EPC memory are at most 496.
const LONGEST_TAG: usize = 62;

#[derive(Clone)]
pub struct Settings {
    pub config: DeviceConfig,
    pub link: ReaderSettings,
    pub board: Board,
    pub counting: Counting,
}

pub fn worker(settings: Settings) -> Worker {
    Arc::new(move |hands| {
        let desk = Desk {
            settings: settings.clone(),
            hands,
        };
        Box::pin(async move { desk.work().await })
    })
}

struct Desk {
    settings: Settings,
    hands: Hands,
}

impl Desk {
    async fn work(&self) {
        let mut pause = SHORTEST_PAUSE;
        while !self.hands.stopping() {
            self.show(DeviceState::Connecting, "connecting");
            let begun = Instant::now();
            let address = &self.settings.config.address;
            let connecting = ReaderLink::connect(address, self.settings.link.clone());
            let connected = tokio::select! {
                connected = connecting => connected,
                () = self.hands.stopped() => return,
            };
            let down = match connected {
                Ok(link) => match self.hold(link).await {
                    Ok(()) => return,
                    Err(down) => down,
                },
                Err(down) => down,
            };
            tracing::warn!(reader = %self.settings.config.name, %down, "the link to an RFID reader is down");
            self.settings.counting.reader_is(self.settings.config.name, ReaderNow::default());
            let state = match down {
                ReaderDown::Busy { .. } | ReaderDown::Refused { .. } => DeviceState::Trouble,
                _ => DeviceState::Away,
            };
            self.show(state, &down.to_string());
            if begun.elapsed() > GOOD_LINK {
                pause = SHORTEST_PAUSE;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.hands.stopped() => return,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Serves a link until it breaks, or until the box stops.
    async fn hold(&self, mut link: ReaderLink) -> Result<(), ReaderDown> {
        let name = self.settings.config.name;
        let mut wanted = self.settings.counting.wanted();
        let mut now = ReaderNow {
            antennas: (1..=link.about().antennas).collect(),
            reading: false,
        };
        let mut lost = BTreeSet::new();
        loop {
            let want = wanted.borrow_and_update().contains(&name);
            if want != now.reading {
                if want {
                    link.start_inventory(InventoryPlan::default()).await?;
                } else {
                    link.stop().await?;
                }
                now.reading = want;
            }
            self.settings.counting.reader_is(name, now.clone());
            self.show_ready(&now, &lost);
            let event = tokio::select! {
                event = link.next() => event?,
                _ = wanted.changed() => continue,
                () = self.hands.stopped() => return self.part(link).await,
            };
            match event {
                ReaderEvent::Tags(tags) => self.hand_on(tags).await,
                ReaderEvent::AntennaLost(antenna) => {
                    now.antennas.remove(&antenna);
                    lost.insert(antenna);
                }
                ReaderEvent::AntennaFound(antenna) => {
                    now.antennas.insert(antenna);
                    lost.remove(&antenna);
                }
                // It ended by itself; when it is still wanted, it begins anew.
                ReaderEvent::InventoryEnded => now.reading = false,
                ReaderEvent::Keepalive => {}
            }
        }
    }

    /// A reader goes on reading without us, so it is told to stop; then it is free for whoever comes next.
    async fn part(&self, mut link: ReaderLink) -> Result<(), ReaderDown> {
        let goodbye = async {
            link.stop().await?;
            link.close().await
        };
        match tokio::time::timeout(GOODBYE, goodbye).await {
            Ok(Ok(())) => {}
            Ok(Err(down)) => tracing::debug!(%down, "an RFID reader did not hear the goodbye"),
            Err(_) => tracing::debug!("an RFID reader did not answer the goodbye"),
        }
        Ok(())
    }

    /// Returns when the tags are counted. Said twice they count once, so it is said until it was surely heard.
    async fn hand_on(&self, tags: Vec<TagSeen>) {
        let readings: Vec<Reading> = tags.into_iter().filter_map(reading).collect();
        while !self.hands.stopping() {
            match self.settings.counting.saw(self.settings.config.name, readings.clone()).await {
                Ok(()) => return,
                Err(error) => tracing::debug!(%error, "what an RFID reader saw is said again"),
            }
            tokio::time::sleep(PATIENCE_PAUSE).await;
        }
    }

    fn show_ready(&self, now: &ReaderNow, lost: &BTreeSet<u16>) {
        if let Some(antenna) = lost.first() {
            let words = format!("antenna {antenna} is not connected; check its cable");
            return self.show(DeviceState::Attention, &words);
        }
        let does = if now.reading { "reading" } else { "ready" };
        let words = match now.antennas.len() {
            1 => format!("{does}, 1 antenna"),
            antennas => format!("{does}, {antennas} antennas"),
        };
        self.show(DeviceState::Ready, &words);
    }

    fn show(&self, state: DeviceState, words: &str) {
        self.settings.board.set(self.settings.config.name, state, words);
    }
}

/// `None` for what is no tag at all.
fn reading(seen: TagSeen) -> Option<Reading> {
    if seen.epc.is_empty() || seen.epc.len() > LONGEST_TAG {
        return None;
    }
    Some(Reading {
        tag: Tag(seen.epc.into()),
        antenna: seen.antenna.unwrap_or(0),
        rssi_dbm: seen.rssi_dbm,
        times: seen.count.max(1),
    })
}
