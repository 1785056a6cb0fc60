//! A bare tonic server in a process of its own, and as many connections as there are registers: the round trip nothing can beat.
//!
//! It serves the standard health service, so not a line of it is ours.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic::transport::{Endpoint, Server};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::latency::Latencies;
use crate::processes::Daemon;

/// The hidden word by which `measure` starts itself as this server.
pub const SERVE: &str = "bare-grpc-server";

/// Serves until it is killed.
pub async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (_reporter, health) = tonic_health::server::health_reporter();
    let pid = std::process::id();
    println!(r#"{{"ready":true,"name":"bare","grpc":"http://{address}","pid":{pid}}}"#);
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder().add_service(health).serve_with_incoming(incoming).await?;
    Ok(())
}

/// Figures of one probe.
#[derive(Clone, Debug)]
pub struct Calls {
    pub per_second: f64,
    pub latencies: Latencies,
}

pub struct BareServer {
    daemon: Daemon,
}

impl BareServer {
    pub async fn start(folder: &std::path::Path) -> Result<Self> {
        let me = std::env::current_exe()?;
        let daemon = Daemon::start(&me, &[SERVE], &folder.join("bare.log"), Duration::from_secs(20)).await?;
        Ok(Self { daemon })
    }

    /// Each connection asks again as soon as it has its answer.
    pub async fn calls(&self, connections: usize, time: Duration) -> Result<Calls> {
        let address = self.daemon.ready.grpc.clone().context("the bare server told no address")?;
        let mut clients = Vec::new();
        for _ in 0..connections {
            let channel = Endpoint::from_shared(address.clone())?.tcp_nodelay(true).connect().await?;
            let mut client = HealthClient::new(channel);
            client.check(HealthCheckRequest::default()).await?;
            clients.push(client);
        }
        let began = Instant::now();
        let mut tasks = JoinSet::new();
        for mut client in clients {
            tasks.spawn(async move {
                let mut latencies = Latencies::default();
                while began.elapsed() < time {
                    let asked = Instant::now();
                    client.check(HealthCheckRequest::default()).await?;
                    latencies.push(asked.elapsed());
                }
                anyhow::Ok(latencies)
            });
        }
        let mut latencies = Latencies::default();
        while let Some(ended) = tasks.join_next().await {
            latencies.merge(ended??);
        }
        Ok(Calls {
            per_second: latencies.len() as f64 / began.elapsed().as_secs_f64(),
            latencies,
        })
    }
}
