//! Running a box: opens the store, binds the ports, says "ready" once, and stops in order.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use backroom_actors::clock::Clock;
use backroom_actors::store::Store;
use backroom_protocol::v1::clerk::clerk_service_server::ClerkServiceServer;
use backroom_protocol::v1::console::console_service_server::ConsoleServiceServer;
use backroom_protocol::v1::register::register_service_server::RegisterServiceServer;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tonic::codegen::http as http_types;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::util::MapResponseLayer;

use crate::config::Config;
use crate::grpc::clerk::ClerkDesk;
use crate::grpc::console::Console;
use crate::grpc::errors::CODE;
use crate::grpc::{CALL_DEADLINE, RegisterDesk};
use crate::notify::{self, Notify};
use crate::web::House;
use crate::{devices, http, link, setup};

/// The largest message a register has reason to send.
pub const LARGEST_REQUEST: usize = 64 * 1024;
/// How long a call in flight may take to end after SIGTERM, and each actor after that.
pub const STOP_PATIENCE: Duration = Duration::from_secs(5);

pub async fn serve(config: Config) -> anyhow::Result<()> {
    let (folder, identity, join) = setup::load(&config.data)?;
    let _lock = setup::lock(&config.data)?;
    // Ports first: a taken port is said before anything is opened.
    let grpc = bind(config.grpc, "grpc")?;
    let http = bind(config.http, "http")?;
    let machines = devices::load(&config.data)?;
    let store = Store::open(folder, identity, machines, Clock)
        .await
        .context("could not open the store")?;
    if let Some(join) = &join {
        link::connect(&store, join, config.nats.as_deref()).await?;
    }
    let routes = routes(&store, config.allow_faults);
    let closing = CancellationToken::new();
    let house = House {
        store: store.clone(),
        routes: routes.clone(),
        allow_faults: config.allow_faults,
        closing: closing.clone(),
    };
    let (http_handle, http_address) = http::serve(http, house)?;
    let grpc_address = grpc.local_addr()?;
    grpc.set_nonblocking(true)?;
    let incoming = TcpIncoming::from(tokio::net::TcpListener::from_std(grpc)?)
        .with_nodelay(Some(true))
        .with_keepalive(Some(Duration::from_secs(30)));

    let (health_reporter, health) = tonic_health::server::health_reporter();
    health_reporter.set_serving::<RegisterServiceServer<RegisterDesk>>().await;
    health_reporter.set_serving::<ClerkServiceServer<ClerkDesk>>().await;
    health_reporter.set_serving::<ConsoleServiceServer<Console>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(backroom_protocol::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    let reflection_v1alpha = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(backroom_protocol::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1alpha()?;
    let server = Server::builder()
        .timeout(CALL_DEADLINE)
        .max_concurrent_streams(Some(64))
        .http2_keepalive_interval(Some(Duration::from_secs(20)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .http2_max_pending_accept_reset_streams(Some(32))
        .add_routes(routes)
        .add_service(health)
        .add_service(reflection.build_v1()?)
        .add_service(reflection_v1alpha);

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
    let mut serving = tokio::spawn(server.serve_with_incoming_shutdown(incoming, async move {
        let _ = stopping.await; // Also when this function ends early.
    }));
    let ready = serde_json::json!({
        "ready": true,
        "name": "store-server",
        "grpc": format!("http://{grpc_address}"),
        "http": format!("http://{http_address}"),
        "pid": std::process::id(),
    });
    println!("{ready}");
    let notify = Arc::new(Notify::from_env());
    notify.ready(&notify::status(&store));
    tokio::spawn(notify.clone().keep_telling(store.clone(), closing.clone()));
    tracing::info!(grpc = %grpc_address, http = %http_address, "open for business");
    let ended = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        ended = &mut serving => Some(ended),
    };
    tracing::info!("stopping: what was begun is finished");
    notify.stopping();
    drop(stop);
    closing.cancel();
    if let Some(ended) = ended {
        ended?.context("the gRPC port failed")?;
    } else if tokio::time::timeout(STOP_PATIENCE, serving).await.is_err() {
        tracing::warn!("a call did not end in time and is cut off");
    }
    http_handle.stop(true).await;
    store.stop(STOP_PATIENCE).await;
    Ok(())
}

/// What registers and pages may ask for, the same for both.
pub fn routes(store: &Store, allow_faults: bool) -> Routes {
    let registers = RegisterServiceServer::new(RegisterDesk { store: store.clone() }).max_decoding_message_size(LARGEST_REQUEST);
    let clerks = ClerkServiceServer::new(ClerkDesk { store: store.clone() }).max_decoding_message_size(LARGEST_REQUEST);
    let console = ConsoleServiceServer::new(Console {
        store: store.clone(),
        allow_faults,
        struck: crate::grpc::console::Struck::default(),
    })
    .max_decoding_message_size(LARGEST_REQUEST);
    let routes = Routes::new(registers).add_service(clerks).add_service(console);
    // Around all services, so that a refusal is counted once, wherever it was decided and however it was asked for.
    let figures = store.shop().figures.clone();
    let counted = MapResponseLayer::new(move |answer: http_types::Response<_>| {
        if let Some(code) = answer.headers().get(CODE).and_then(|code| code.to_str().ok()) {
            figures.refused(code);
        }
        answer
    });
    Routes::from(routes.into_axum_router().layer(counted)).prepare()
}

fn bind(address: std::net::SocketAddr, what: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .with_context(|| format!("could not listen on {address} for {what}; is it taken? Use --{what} to choose another, port 0 for any"))
}
