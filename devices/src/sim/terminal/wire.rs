//! One connection of a register, as the simulated terminal holds it: sends, waits for acknowledgements, and can be cut.
//!
//! A wire that is gone swallows what is sent, so a payment goes on inside the terminal without anybody listening.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::sim::terminal::knobs::Knobs;
use crate::zvt::packet::Packet;

/// T3 of the terminal's side, and its patience with a register that takes nothing in.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub struct Wire {
    writer: Arc<Mutex<Outgoing>>,
    acknowledged: Arc<watch::Sender<u64>>,
    knobs: watch::Receiver<Knobs>,
    pub gone: CancellationToken,
}

struct Outgoing {
    half: OwnedWriteHalf,
    /// Packets that the register has to acknowledge.
    asked: u64,
}

impl Wire {
    pub fn new(half: OwnedWriteHalf, knobs: watch::Receiver<Knobs>, gone: CancellationToken) -> Self {
        Self {
            writer: Arc::new(Mutex::new(Outgoing { half, asked: 0 })),
            acknowledged: Arc::new(watch::Sender::new(0)),
            knobs,
            gone,
        }
    }

    /// The register acknowledged, or refused, one packet.
    pub fn heard_ack(&self) {
        self.acknowledged.send_modify(|count| *count += 1);
    }

    /// An answer, which is not acknowledged itself.
    pub async fn answer(&self, packet: &Packet) {
        let mut writer = self.writer.lock().await;
        self.write(&mut writer, packet).await;
    }

    /// Sends what has to be acknowledged; the number to wait for.
    pub async fn send(&self, packet: &Packet) -> u64 {
        let mut writer = self.writer.lock().await;
        if self.write(&mut writer, packet).await {
            writer.asked += 1;
        }
        writer.asked
    }

    /// Waits for the acknowledgement of that packet. A register that does not acknowledge counts as gone.
    pub async fn acknowledged(&self, number: u64) {
        if self.knobs.borrow().mute {
            return;
        }
        let mut acknowledged = self.acknowledged.subscribe();
        let heard = async { acknowledged.wait_for(|count| *count >= number).await.is_ok() };
        let in_time = tokio::select! {
            () = self.gone.cancelled() => return,
            heard = timeout(ACKNOWLEDGE_WITHIN, heard) => heard.unwrap_or(false),
        };
        if !in_time {
            self.cut().await;
        }
    }

    pub async fn tell(&self, packet: &Packet) {
        let number = self.send(packet).await;
        self.acknowledged(number).await;
    }

    pub async fn cut(&self) {
        self.gone.cancel();
        // The other side hears of it even while the reading half lingers.
        let _ = self.writer.lock().await.half.shutdown().await;
    }

    async fn write(&self, writer: &mut Outgoing, packet: &Packet) -> bool {
        let (mute, split) = {
            let knobs = self.knobs.borrow();
            (knobs.mute, knobs.split)
        };
        if mute || self.gone.is_cancelled() {
            return false;
        }
        let Ok(bytes) = packet.encode().to_bytes() else {
            return false;
        };
        let piece = if split { 1 } else { bytes.len() };
        let writing = async {
            for piece in bytes.chunks(piece) {
                writer.half.write_all(piece).await?;
                if split {
                    // So that the register may see each byte by itself.
                    tokio::task::yield_now().await;
                }
            }
            std::io::Result::Ok(())
        };
        let written = matches!(timeout(ACKNOWLEDGE_WITHIN, writing).await, Ok(Ok(())));
        if !written {
            self.gone.cancel();
        }
        written
    }
}
