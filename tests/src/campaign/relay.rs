//! The wire between a store and head office, in our hands: a TCP relay on loopback that can be cut, go deaf, or be slow.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Whole,
    /// Connections break at once, new ones too.
    Cut,
    /// The store is heard, but hears nothing; nobody is told.
    StoreIsDeaf,
    /// Head office hears nothing; nobody is told.
    HqIsDeaf,
    /// Every piece takes so long in either direction.
    Slow(Duration),
}

/// A wire of its own for one store.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    state: watch::Sender<Wire>,
    target: watch::Sender<SocketAddr>,
    accepting: JoinHandle<()>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToHq,
    ToStore,
}

impl Relay {
    pub async fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for the relay")?;
        let address = listener.local_addr()?;
        let state = watch::Sender::new(Wire::Whole);
        let target = watch::Sender::new(target);
        let accepting = tokio::spawn(accept(listener, state.subscribe(), target.subscribe()));
        Ok(Self {
            address,
            state,
            target,
            accepting,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn set(&self, wire: Wire) {
        self.state.send_replace(wire);
    }

    /// Where new connections lead.
    pub fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.send_replace(Wire::Cut);
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: watch::Receiver<Wire>, target: watch::Receiver<SocketAddr>) {
    loop {
        let Ok((near, _)) = listener.accept().await else { continue };
        if *state.borrow() == Wire::Cut {
            continue; // Dropped, which closes it.
        }
        let far = *target.borrow();
        let state = state.clone();
        tokio::spawn(async move {
            if let Ok(far) = TcpStream::connect(far).await {
                join(near, far, state).await;
            }
        });
    }
}

/// Until either side closes or the wire is cut.
async fn join(near: TcpStream, far: TcpStream, state: watch::Receiver<Wire>) {
    let _ = near.set_nodelay(true);
    let _ = far.set_nodelay(true);
    let (from_near, to_near) = near.into_split();
    let (from_far, to_far) = far.into_split();
    tokio::select! {
        () = pump(from_near, to_far, state.clone(), Direction::ToHq) => {}
        () = pump(from_far, to_near, state, Direction::ToStore) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<Wire>, direction: Direction) {
    let mut piece = vec![0; 16 * 1024];
    let mut lost = false;
    loop {
        let wire = *state.borrow_and_update();
        let swallows = match wire {
            Wire::Cut => return,
            Wire::StoreIsDeaf => direction == Direction::ToStore,
            Wire::HqIsDeaf => direction == Direction::ToHq,
            Wire::Whole | Wire::Slow(_) => false,
        };
        if lost && !swallows {
            return; // With a hole in it the conversation can not go on; TCP would have broken it too.
        }
        let read = tokio::select! {
            read = from.read(&mut piece) => read,
            changed = state.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        let Ok(length @ 1..) = read else { return };
        if swallows {
            lost = true;
            continue;
        }
        if let Wire::Slow(delay) = wire {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = socket.into_split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        address
    }

    async fn says(socket: &mut TcpStream) -> bool {
        let mut answer = [0; 2];
        let talk = async {
            socket.write_all(b"hi").await?;
            socket.read_exact(&mut answer).await
        };
        matches!(tokio::time::timeout(Duration::from_millis(300), talk).await, Ok(Ok(_)))
    }

    #[tokio::test]
    async fn a_wire_can_be_whole_deaf_and_cut() {
        let relay = Relay::start(echo().await).await.unwrap();
        let mut socket = TcpStream::connect(relay.address()).await.unwrap();
        assert!(says(&mut socket).await, "a whole wire carries");
        relay.set(Wire::StoreIsDeaf);
        assert!(!says(&mut socket).await, "a deaf store hears nothing");
        relay.set(Wire::Whole);
        assert!(!says(&mut socket).await, "what was lost does not come back");
        let mut socket = TcpStream::connect(relay.address()).await.unwrap();
        assert!(says(&mut socket).await, "a new connection carries");
        relay.set(Wire::Cut);
        assert!(!says(&mut socket).await, "a cut wire carries nothing");
    }
}
