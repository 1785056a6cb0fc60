//! The line between head office and the stores of one company: takes batches and announcements, says what intake answers.
//!
//! Owns the stream's consumer and its subscriptions, and makes all of it again whenever any of it is gone: a broker that
//! died, a stream or consumer that was deleted, a folder that was wiped or set back. Nothing is acknowledged before its commit,
//! and an acknowledgement to the broker means nothing to a store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::{self, AckKind};
use async_nats::{Client, StatusCode, Subject};
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use backroom_core::directive::Address;
use backroom_core::ids::{StoreId, TenantId};
use backroom_protocol::subjects::{self, Down};

use crate::broker::BrokerError;
use crate::broker::accounts::Directory;
use crate::broker::server::Health;
use crate::control::{ControlDb, ControlError};
use crate::db::DbError;
use crate::intake::{Intake, IntakeError, Issuer, Say};
use crate::room::Room;

const FIRST_BACK_OFF: Duration = Duration::from_millis(100);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5);
/// A connection that held this long was in order; the next one is tried at once.
const IN_ORDER_AFTER: Duration = Duration::from_secs(10);
const SET_UP_WITHIN: Duration = Duration::from_secs(20);
/// The broker gives a batch out again after so long without an acknowledgement.
const ACK_WITHIN: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(2);
const PULL_EXPIRES: Duration = Duration::from_secs(20);
const PULLED_AT_A_TIME: usize = 32;
const TICK: Duration = Duration::from_millis(500);
/// Watermarks and unanswered orders are said again this often.
const SAY_AGAIN: Duration = Duration::from_secs(4);
/// A batch which the database could not take comes again after this.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// Orders a store hears at a time.
const WINDOW: u32 = 32;

#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("the broker was restarted")]
    Restarted,
    #[error("the broker did not answer in time")]
    Slow,
    #[error("the line to the broker broke: {0}")]
    Broken(String),
}

impl LineError {
    fn broken(error: impl std::fmt::Display) -> LineError {
        LineError::Broken(error.to_string())
    }
}

/// One company's line. Runs until it is told to stop.
#[derive(Clone)]
pub struct Uplink {
    pub room: Arc<Room>,
    pub control: Arc<ControlDb>,
    pub directory: Arc<Directory>,
    pub issuer: Arc<Issuer>,
    pub broker: watch::Receiver<Health>,
    pub stop: watch::Receiver<bool>,
}

impl Uplink {
    pub async fn run(mut self) {
        let tenant = self.room.db.tenant();
        let started = Instant::now();
        let mut back_off = FIRST_BACK_OFF;
        let mut stop = self.stop.clone();
        loop {
            let since = Instant::now();
            let ended = tokio::select! {
                ended = self.serve(started) => ended,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            if let Err(error) = ended {
                tracing::warn!(%tenant, error = %whole(&error), "the line to the stores is down; setting it up again");
            }
            if since.elapsed() >= IN_ORDER_AFTER {
                back_off = FIRST_BACK_OFF;
            }
            tokio::select! {
                () = sleep(back_off) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            back_off = (back_off * 2).min(LONGEST_BACK_OFF);
        }
    }

    /// Until something breaks.
    async fn serve(&mut self, started: Instant) -> Result<(), LineError> {
        self.broker.borrow_and_update();
        let mut line = timeout(SET_UP_WITHIN, Line::set_up(self, started))
            .await
            .map_err(|_| LineError::Slow)??;
        tracing::info!(tenant = %line.tenant, stores = line.intakes.len(), "listening to the stores");
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut say_again_at = Instant::now();
        loop {
            tokio::select! {
                changed = self.broker.changed() => {
                    if changed.is_err() || matches!(*self.broker.borrow(), Health::Running { .. }) {
                        return Err(LineError::Restarted);
                    }
                }
                hello = line.hellos.next() => {
                    let hello = hello.ok_or_else(|| LineError::broken("no more announcements"))?;
                    line.hello(&hello).await?;
                }
                batch = line.batches.next() => {
                    let batch = batch.ok_or_else(|| LineError::broken("no more batches"))?.map_err(LineError::broken)?;
                    line.batch(&batch).await?;
                }
                echo = line.echoes.next() => {
                    let echo = echo.ok_or_else(|| LineError::broken("no more echoes"))?;
                    line.echo(&echo);
                }
                () = self.room.orders.notified() => line.send_orders().await?,
                _ = ticks.tick() => {
                    line.tick().await?;
                    if Instant::now() >= say_again_at {
                        say_again_at = Instant::now() + SAY_AGAIN;
                        line.say_again().await?;
                    }
                }
            }
        }
    }
}

/// A line that is up.
struct Line {
    tenant: TenantId,
    room: Arc<Room>,
    control: Arc<ControlDb>,
    issuer: Arc<Issuer>,
    client: Client,
    hellos: async_nats::Subscriber,
    batches: pull::Stream,
    /// The broker says here at once when nobody listens to what was said to a store.
    echoes: async_nats::Subscriber,
    echo_inbox: String,
    /// Stores to which something was said, and of which no such echo came yet.
    listening: BTreeSet<StoreId>,
    intakes: BTreeMap<StoreId, Intake>,
    started: Instant,
}

impl Line {
    async fn set_up(of: &Uplink, started: Instant) -> Result<Line, LineError> {
        let tenant = of.room.db.tenant();
        let terms = of.control.terms(tenant).await?;
        let client = of.directory.ensure_tenant(tenant, &terms).await?;
        let stream = jetstream::new(client.clone())
            .get_stream(subjects::UP_STREAM)
            .await
            .map_err(LineError::broken)?;
        let consumer = stream.create_consumer(consumer()).await.map_err(LineError::broken)?;
        let batches = consumer
            .stream()
            .max_messages_per_batch(PULLED_AT_A_TIME)
            .expires(PULL_EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(LineError::broken)?;
        let hellos = client
            .subscribe(subjects::up_hellos(tenant.as_str()))
            .await
            .map_err(LineError::broken)?;
        let echo_inbox = client.new_inbox();
        let echoes = client.subscribe(format!("{echo_inbox}.*")).await.map_err(LineError::broken)?;
        client.flush().await.map_err(LineError::broken)?;
        let (room, control, issuer) = (of.room.clone(), of.control.clone(), of.issuer.clone());
        let (listening, intakes) = (BTreeSet::new(), BTreeMap::new());
        let mut line = Line {
            tenant,
            room,
            control,
            issuer,
            client,
            hellos,
            batches,
            echoes,
            echo_inbox,
            listening,
            intakes,
            started,
        };
        line.open_intakes().await?;
        Ok(line)
    }

    /// Opens the counters of stores that were added since.
    async fn open_intakes(&mut self) -> Result<(), LineError> {
        for store in self.control.stores(self.tenant).await? {
            if !self.intakes.contains_key(&store.store) {
                let address = Address {
                    tenant: self.tenant,
                    store: store.store,
                };
                let intake = Intake::open(address, store.signing_key, self.room.db.clone(), self.issuer.clone()).await?;
                self.intakes.insert(store.store, intake);
            }
        }
        Ok(())
    }

    /// The store that sent on this subject, if head office knows it.
    async fn sender(&mut self, subject: &Subject) -> Result<Option<StoreId>, LineError> {
        let Some((tenant, store, _)) = subjects::sender(subject.as_str()) else {
            return Ok(None);
        };
        let Ok(store) = store.parse::<StoreId>() else { return Ok(None) };
        if tenant != self.tenant.as_str() {
            return Ok(None);
        }
        if !self.intakes.contains_key(&store) {
            self.open_intakes().await?; // It may have been added a moment ago.
        }
        Ok(Some(store).filter(|store| self.intakes.contains_key(store)))
    }

    async fn batch(&mut self, message: &jetstream::Message) -> Result<(), LineError> {
        let store = self.sender(&message.subject).await?;
        let now_ms = self.now_ms();
        let Some((store, intake)) = store.and_then(|store| Some((store, self.intakes.get_mut(&store)?))) else {
            tracing::warn!(tenant = %self.tenant, subject = %message.subject, "dropped a batch of a store nobody added");
            return message.ack_with(AckKind::Term).await.map_err(LineError::broken);
        };
        let answer = match intake.batch(now_ms, &message.payload).await {
            Ok(says) => {
                self.room.heard(store);
                self.room.shopify.notify_one();
                self.say(store, None, says).await?;
                message.ack().await
            }
            Err(IntakeError::Db(error)) => {
                tracing::error!(tenant = %self.tenant, %store, error = %whole(&error), "a batch could not be stored; nothing of it is confirmed");
                sleep(Duration::from_millis(100)).await; // A full disk is not asked a thousand times a second.
                message.ack_with(AckKind::Nak(Some(TRY_AGAIN))).await
            }
            Err(refused) => {
                tracing::warn!(tenant = %self.tenant, %store, error = %whole(&refused), "alarm: a batch was refused");
                message.ack_with(AckKind::Term).await
            }
        };
        answer.map_err(LineError::broken)
    }

    async fn hello(&mut self, message: &async_nats::Message) -> Result<(), LineError> {
        let now_ms = self.now_ms();
        let Some(store) = self.sender(&message.subject).await? else {
            tracing::warn!(tenant = %self.tenant, subject = %message.subject, "dropped an announcement of a store nobody added");
            return Ok(());
        };
        let Some(intake) = self.intakes.get_mut(&store) else {
            return Ok(());
        };
        match intake.hello(now_ms, &message.payload).await {
            Ok((_, says)) => {
                self.room.heard(store);
                self.say(store, message.reply.clone(), says).await?;
                self.send_orders_to(store).await
            }
            Err(error) => {
                tracing::warn!(tenant = %self.tenant, %store, error = %whole(&error), "an announcement was not answered");
                Ok(())
            }
        }
    }

    async fn tick(&mut self) -> Result<(), LineError> {
        let now_ms = self.now_ms();
        let stores: Vec<StoreId> = self.intakes.keys().copied().collect();
        for store in stores {
            let Some(intake) = self.intakes.get_mut(&store) else { continue };
            match intake.tick(now_ms).await {
                Ok(says) => self.say(store, None, says).await?,
                Err(error) => tracing::error!(tenant = %self.tenant, %store, error = %whole(&error), "a store's journal cannot be read"),
            }
        }
        Ok(())
    }

    /// A store with nothing to send is silent for minutes. That it listens shows that it is there.
    async fn say_again(&mut self) -> Result<(), LineError> {
        for store in std::mem::take(&mut self.listening) {
            self.room.heard(store);
        }
        let marks: Vec<_> = self
            .intakes
            .iter()
            .filter_map(|(store, intake)| Some((*store, intake.newest_watermark()?)))
            .collect();
        for (store, mark) in marks {
            if self.client.connection_state() == State::Connected {
                let echo = format!("{}.{store}", self.echo_inbox);
                self.listening.insert(store);
                in_time(self.client.publish_with_reply(self.down(store, Down::Watermark), echo, mark.into())).await?;
            }
        }
        self.send_orders().await
    }

    fn echo(&mut self, echo: &async_nats::Message) {
        let store = echo
            .subject
            .as_str()
            .rsplit('.')
            .next()
            .and_then(|store| store.parse::<StoreId>().ok());
        if let (Some(store), Some(StatusCode::NO_RESPONDERS)) = (store, echo.status) {
            self.listening.remove(&store);
            self.room.gone(store);
        }
    }

    /// A store that is away hears its orders after its announcement.
    async fn send_orders(&self) -> Result<(), LineError> {
        for store in self.room.db.stores_with_pending().await? {
            if self.room.is_connected(store) {
                self.send_orders_to(store).await?;
            }
        }
        Ok(())
    }

    /// The oldest orders the store has not answered, in turn. It may hear one many times and follows it once.
    async fn send_orders_to(&self, store: StoreId) -> Result<(), LineError> {
        let address = Address {
            tenant: self.tenant,
            store,
        };
        for directive in self.room.db.pending(address, WINDOW).await? {
            self.publish(self.down(store, Down::Directive), self.issuer.directive(&directive))
                .await?;
        }
        Ok(())
    }

    /// A welcome goes to the inbox it was asked with, and nowhere else: it may speak of a chain which another box must not take
    /// for its own. Who asks without an inbox hears the watermark that is for all.
    async fn say(&self, store: StoreId, reply: Option<Subject>, says: Vec<Say>) -> Result<(), LineError> {
        let for_all = self.down(store, Down::Watermark);
        for say in says {
            match (say, &reply) {
                (Say::Watermark(mark), _) => self.publish(for_all.clone(), mark).await?,
                (Say::Resend(resend), _) => self.publish(self.down(store, Down::Resend), resend).await?,
                (Say::Welcome(marks), Some(inbox)) => {
                    for mark in marks {
                        self.publish(inbox.clone(), mark).await?;
                    }
                }
                (Say::Welcome(mut marks), None) => {
                    let newest = self.intakes.get(&store).and_then(Intake::newest_watermark).or_else(|| marks.pop());
                    if let Some(mark) = newest {
                        self.publish(for_all.clone(), mark).await?;
                    }
                }
            }
        }
        Ok(())
    }

    fn down(&self, store: StoreId, what: Down) -> Subject {
        subjects::down(self.tenant.as_str(), store.as_str(), what).into()
    }

    /// What cannot be said now is said again later; it must not pile up, nor hold up the next batch.
    async fn publish(&self, subject: Subject, bytes: Vec<u8>) -> Result<(), LineError> {
        if self.client.connection_state() != State::Connected {
            return Ok(());
        }
        in_time(self.client.publish(subject, bytes.into())).await
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A client whose buffer is full would wait for ever.
async fn in_time(publishing: impl Future<Output = Result<(), async_nats::PublishError>>) -> Result<(), LineError> {
    timeout(Duration::from_secs(5), publishing)
        .await
        .map_err(|_| LineError::Slow)?
        .map_err(LineError::broken)
}

fn consumer() -> pull::Config {
    pull::Config {
        durable_name: Some(subjects::UP_CONSUMER.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WITHIN,
        max_ack_pending: 256,
        ..Default::default()
    }
}

/// With its causes, for the log.
pub fn whole(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", whole(cause)),
        None => error.to_string(),
    }
}
