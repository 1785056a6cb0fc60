//! One client at the simulated reader: bytes in, bytes out, in the pieces that the knobs want.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use backroom_llrp::frame::{Decoder, Side, Taken};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::device::{Device, Door, Seat};

/// How long a refusal may take to be fetched.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(2);

pub async fn accept(listener: TcpListener, device: Arc<Device>) {
    let mut talks = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let device = Arc::clone(&device);
                talks.spawn(async move {
                    match device.seat(&peer.to_string()) {
                        Ok(seat) => serve(&device, stream, seat).await,
                        Err(refusal) => refuse(stream, &refusal).await,
                    }
                });
            }
            Err(fault) => {
                // Out of file handles, most likely: asking again at once would only burn the processor.
                tracing::warn!(%fault, "could not accept a client");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        while talks.try_join_next().is_some() {}
    }
}

/// Says no and closes. Waits for the other end to close first, or what is unread would turn the no into a reset.
async fn refuse(mut stream: TcpStream, refusal: &[u8]) {
    let said = async {
        stream.write_all(refusal).await?;
        stream.shutdown().await?;
        while stream.read(&mut [0; 256]).await? > 0 {}
        Ok::<(), io::Error>(())
    };
    if !matches!(timeout(REFUSAL_PATIENCE, said).await, Ok(Ok(()))) {
        tracing::debug!("a client left before it was refused");
    }
}

async fn serve(device: &Device, mut stream: TcpStream, seat: Seat) {
    let why = talk(device, &mut stream, &seat).await;
    let why = why.map_or_else(|fault| fault.to_string(), str::to_owned);
    device.gone(seat.number, &why);
}

async fn talk(device: &Device, stream: &mut TcpStream, seat: &Seat) -> io::Result<&'static str> {
    stream.set_nodelay(true)?;
    let (mut reading, mut writing) = stream.split();
    let mut decoder = Decoder::new(Side::Reader);
    let mut piece = Vec::with_capacity(16 * 1024);
    let mut pending = Vec::new();
    let mut sent = 0;
    loop {
        if sent == pending.len() {
            pending.clear();
            sent = 0;
        }
        let (mute, split, closing) = match device.outgoing(seat.number, &mut pending) {
            Door::Open { mute, split } => (mute, split, false),
            Door::Closing { split } => (false, split, true),
            Door::Gone => return Ok("gone"),
        };
        if closing && pending.is_empty() {
            writing.shutdown().await?;
            return Ok("said goodbye");
        }
        let most = if split { 1 } else { usize::MAX };
        let unsent = pending.get(sent..).unwrap_or_default();
        let unsent = unsent.get(..most).unwrap_or(unsent);
        tokio::select! {
            () = seat.wake.notified() => {}
            read = reading.read_buf(&mut piece) => {
                if read? == 0 {
                    return Ok("the client left");
                }
                let mut rest = &piece[..];
                loop {
                    match decoder.take(&mut rest) {
                        Ok(Taken::Message(message)) => device.hear(seat.number, message),
                        Ok(Taken::NeedsMore { .. }) => break,
                        Err(wrong) => {
                            device.cannot_read(seat.number, &wrong);
                            break;
                        }
                    }
                }
                piece.clear();
            }
            written = writing.write(unsent), if !mute && !unsent.is_empty() => {
                sent += written?;
                if split {
                    // Otherwise the pieces would be joined again on their way.
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}
