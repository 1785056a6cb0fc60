//! The NATS connection of a box: the carrier its uplink publishes through, and the ear for what head office says.
//!
//! Keeps trying for ever and slowly; a broker that refuses the box is a state to show, not an error to stop for. Decides nothing about
//! what is sent: the journal is the outbox.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_nats::jetstream;
use async_nats::{Client, ConnectOptions, Event, HeaderMap};
use backroom_actors::store::Store;
use backroom_actors::uplink::{Carrier, Message};
use backroom_core::directive::Address;
use backroom_protocol::subjects::{self, Down};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};

use crate::setup::Join;

/// An acknowledgement that was under way when the link broke never comes; the uplink sends again.
const ACK_PATIENCE: Duration = Duration::from_secs(5);
/// Answers to an announcement that come later belong to nobody.
const WELCOME_PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Connects in the background; the store sells whether or not anybody answers.
pub async fn connect(store: &Store, join: &Join, nats: Option<&str>) -> anyhow::Result<()> {
    let address = store.identity().address;
    let url = nats.unwrap_or(&join.nats).to_owned();
    let keys =
        nkeys::KeyPair::from_seed(&join.user_seed).context("the login in the join file is damaged; ask head office for a new one")?;
    let keys = Arc::new(keys);
    let telling = store.clone();
    let options = ConnectOptions::with_jwt(join.user_jwt.clone(), move |nonce| {
        let keys = keys.clone();
        async move { keys.sign(&nonce).map_err(async_nats::AuthError::new) }
    })
    .custom_inbox_prefix(subjects::inbox_prefix(address.store.as_str()))
    .retry_on_initial_connect()
    .max_reconnects(None)
    .ping_interval(Duration::from_secs(5))
    .reconnect_delay_callback(|attempt| match attempt {
        0 | 1 => Duration::ZERO,
        attempt => Duration::from_millis(50 * (1 << attempt.min(7) as u64)).min(LONGEST_PAUSE),
    })
    .event_callback(move |event| {
        let store = telling.clone();
        async move { heard(&store, &event) }
    });
    let client = options
        .connect(&url)
        .await
        .with_context(|| format!("{url} is not the address of a broker"))?;
    let listener = client
        .subscribe(subjects::down_all(address.tenant.as_str(), address.store.as_str()))
        .await?;
    tokio::spawn(listen(listener, store.clone(), address));
    let mut context = jetstream::new(client.clone());
    context.set_timeout(ACK_PATIENCE);
    let carrier = NatsCarrier {
        client,
        context,
        store: store.clone(),
        address,
    };
    let head_office = crate::setup::head_office_key(join)?;
    store.connect(Arc::new(carrier), head_office).await?;
    Ok(())
}

fn heard(store: &Store, event: &Event) {
    match event {
        Event::Connected => {
            tracing::info!("connected to head office's broker");
            store.link_changed(true);
        }
        Event::Disconnected | Event::Closed => {
            tracing::info!("head office's broker is gone; selling goes on");
            store.link_changed(false);
        }
        other => tracing::warn!(event = %other, "broker"),
    }
}

/// Hands what head office says to the uplink.
async fn listen(mut listener: async_nats::Subscriber, store: Store, address: Address) {
    let (tenant, name) = (address.tenant.as_str(), address.store.as_str());
    let subject = |what| subjects::down(tenant, name, what);
    let (watermark, resend, directive) = (subject(Down::Watermark), subject(Down::Resend), subject(Down::Directive));
    while let Some(message) = listener.next().await {
        let bytes = message.payload.to_vec();
        let what = match message.subject.as_str() {
            subject if subject == watermark => Message::Watermark { bytes },
            subject if subject == resend => Message::Resend { bytes },
            subject if subject == directive => Message::Directive { bytes },
            other => {
                tracing::debug!(subject = other, "head office says something this version does not know");
                continue;
            }
        };
        store.uplink_door().tell(what);
    }
}

struct NatsCarrier {
    client: Client,
    context: jetstream::Context,
    store: Store,
    address: Address,
}

impl Carrier for NatsCarrier {
    fn publish(&self, id: String, bytes: Vec<u8>) -> BoxFuture<'static, Result<(), String>> {
        let subject = subjects::up_journal(self.address.tenant.as_str(), self.address.store.as_str());
        let context = self.context.clone();
        async move {
            let mut headers = HeaderMap::new();
            headers.insert(subjects::MESSAGE_ID_HEADER, id.as_str());
            let sent = async { context.publish_with_headers(subject, headers, bytes.into()).await?.await };
            match tokio::time::timeout(ACK_PATIENCE * 2, sent).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("the broker did not answer in time".into()),
            }
        }
        .boxed()
    }

    fn announce(&self, number: u64, bytes: Vec<u8>) -> BoxFuture<'static, Result<(), String>> {
        let subject = subjects::up_hello(self.address.tenant.as_str(), self.address.store.as_str());
        let (client, store) = (self.client.clone(), self.store.clone());
        async move {
            // An inbox of its own, so that an answer to an older announcement is never taken for this one's.
            let inbox = client.new_inbox();
            let mut answers = client.subscribe(inbox.clone()).await.map_err(|error| error.to_string())?;
            client
                .publish_with_reply(subject, inbox, bytes.into())
                .await
                .map_err(|error| error.to_string())?;
            client.flush().await.map_err(|error| error.to_string())?;
            let deadline = tokio::time::Instant::now() + WELCOME_PATIENCE;
            while let Ok(Some(answer)) = tokio::time::timeout_at(deadline, answers.next()).await {
                if answer.status.is_some() {
                    return Err("nobody at head office listens".into());
                }
                store.uplink_door().tell(Message::Welcome {
                    number,
                    bytes: answer.payload.to_vec(),
                });
            }
            Ok(())
        }
        .boxed()
    }
}
