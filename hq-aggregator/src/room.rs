//! What head office keeps at hand for one company while it runs: the database, who was heard of when, and a bell.
//!
//! Shared by the uplink, which fills it, and by the portal, which shows it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::Notify;

use backroom_core::ids::{StoreId, TenantId};

use crate::db::now_micros;
use crate::tenant::TenantDb;

/// A store of which nothing was heard for longer than this is shown as away.
const AWAY_AFTER_MICROS: i64 = 15_000_000;

#[derive(Debug)]
pub struct Room {
    pub db: Arc<TenantDb>,
    seen: Mutex<BTreeMap<StoreId, Seen>>,
    /// Rung when there are new orders to send.
    pub orders: Notify,
    /// Rung when there may be something to tell Shopify, or when Shopify told something.
    pub shopify: Notify,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: i64,
    /// The broker said since that nobody listens there.
    gone: bool,
}

impl Room {
    pub fn new(db: TenantDb) -> Room {
        Room {
            db: Arc::new(db),
            seen: Mutex::default(),
            orders: Notify::new(),
            shopify: Notify::new(),
        }
    }

    /// A message with a right signature came from this store, or it was listening.
    pub fn heard(&self, store: StoreId) {
        self.seen().insert(
            store,
            Seen {
                at: now_micros(),
                gone: false,
            },
        );
    }

    /// Nobody listens at this store.
    pub fn gone(&self, store: StoreId) {
        if let Some(seen) = self.seen().get_mut(&store) {
            seen.gone = true;
        }
    }

    /// When a store was heard of last since head office started, unix microseconds.
    pub fn last_heard(&self, store: StoreId) -> Option<i64> {
        self.seen().get(&store).map(|seen| seen.at)
    }

    pub fn is_connected(&self, store: StoreId) -> bool {
        self.seen()
            .get(&store)
            .is_some_and(|seen| !seen.gone && now_micros() - seen.at <= AWAY_AFTER_MICROS)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, BTreeMap<StoreId, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All companies that are open.
#[derive(Clone, Debug, Default)]
pub struct Rooms(Arc<RwLock<BTreeMap<TenantId, Arc<Room>>>>);

impl Rooms {
    pub fn get(&self, tenant: TenantId) -> Option<Arc<Room>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned()
    }

    pub fn insert(&self, tenant: TenantId, room: Arc<Room>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(tenant, room);
    }
}
