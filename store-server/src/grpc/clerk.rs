//! The clerk service: counting a place with RFID readers, and what is missing there. Parses, asks, shows; counts nothing.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use backroom_actors::count::state::{Place, Sale, Stage, TagLine, View};
use backroom_actors::count::tags::Ended;
use backroom_actors::count::{CountError, Keep, Look, Start};
use backroom_actors::device::{DeviceKind, DeviceState};
use backroom_actors::staff::Session;
use backroom_actors::store::Store;
use backroom_core::catalog::{Catalog, Sku};
use backroom_core::facts::Fact;
use backroom_core::ids::CommandId;
use backroom_core::money::Quantity;
use backroom_core::time::Instant;
use backroom_protocol::v1::clerk as wire;
use backroom_protocol::v1::clerk::clerk_service_server::ClerkService;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use super::errors::{self, bad_field, status};
use super::parse::{self, body_hash};
use super::{Answer, RegisterDesk};

/// Five times a second is as much as an eye follows.
const LOOK: Duration = Duration::from_millis(200);
/// Stock moves slowly beside tags: it is asked for so many looks once.
const LOOKS_PER_STOCK: u32 = 5;

pub struct ClerkDesk {
    pub store: Store,
}

impl ClerkDesk {
    /// Whoever is signed in at a register may count.
    fn session(&self, metadata: &MetadataMap) -> Result<Session, Status> {
        let desk = RegisterDesk { store: self.store.clone() };
        desk.session(metadata)
    }

    fn readers(&self) -> Vec<wire::ReaderView> {
        let view = |line: backroom_actors::device::DeviceView| {
            let now = self.store.counting().reader(line.config.name);
            let state = match line.state {
                // A reader that lost an antenna still reads with the others.
                DeviceState::Ready | DeviceState::Attention if now.reading => "reading",
                DeviceState::Ready | DeviceState::Attention => "ready",
                state => state.word(),
            };
            wire::ReaderView {
                name: line.config.name.to_string(),
                state: state.into(),
                words: line.words,
                antennas: now.antennas.into_iter().map(u32::from).collect(),
            }
        };
        let board = self.store.shop().board.list();
        board
            .into_iter()
            .filter(|line| line.config.kind == DeviceKind::Reader)
            .map(view)
            .collect()
    }

    fn local(&self, at: Instant) -> String {
        self.store.shop().policy.calendar.local(at)
    }

    /// Feeds one screen until it leaves or the count ends.
    async fn show(&self, id: CommandId, out: mpsc::Sender<Result<wire::WatchCountResponse, Status>>) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shown: Option<wire::CountView> = None;
        let mut on_hand = BTreeMap::new();
        for look in 0_u32.. {
            tokio::select! {
                _ = looks.tick() => {}
                () = out.closed() => return,
            }
            let (view, over) = match self.store.counting().look(id).await {
                Ok(Look::Open(view)) => {
                    if look.is_multiple_of(LOOKS_PER_STOCK) {
                        on_hand.clear();
                    }
                    (self.view(&view, &mut on_hand).await, false)
                }
                Ok(Look::Ended { ended, place }) => (over(id, ended, &place, shown.take()), true),
                // The counts are being restarted: the screen stands still for a moment.
                Err(CountError::Ask(_)) => continue,
                Err(error) => {
                    let _ = out.send(Err(count_error(error))).await; // The screen may have left.
                    return;
                }
            };
            if shown.as_ref() != Some(&view) {
                let answer = wire::WatchCountResponse { count: Some(view.clone()) };
                if out.send(Ok(answer)).await.is_err() {
                    return;
                }
                shown = Some(view);
            }
            if over {
                return;
            }
        }
    }

    /// What the box believes is in the shop; kept for a few looks.
    async fn on_hand(&self, sku: &Sku, known: &mut BTreeMap<Sku, Quantity>) -> Quantity {
        if let Some(on_hand) = known.get(sku) {
            return *on_hand;
        }
        // While the stock's actor is being restarted the next look asks again.
        let Ok(on_hand) = self.store.on_hand(sku.clone()).await else {
            return Quantity(0);
        };
        known.insert(sku.clone(), on_hand);
        on_hand
    }

    async fn view(&self, view: &View, on_hand: &mut BTreeMap<Sku, Quantity>) -> wire::CountView {
        let catalog = self.store.shop().catalog.borrow().clone();
        let mut lines = Vec::new();
        for (sku, counted) in &view.counted {
            let held = self.on_hand(sku, on_hand).await;
            lines.push(wire::CountLine {
                sku: sku.to_string(),
                name: name(&catalog, sku),
                on_hand_milli: held.0,
                counted: *counted,
                difference: i64::try_from(*counted).unwrap_or(i64::MAX) - held.0 / Quantity::ONE.0,
            });
        }
        let tags = |lines: &[TagLine]| lines.iter().map(|line| self.tag(line, &catalog)).collect();
        wire::CountView {
            count_id: view.id.to_bytes().to_vec(),
            place: view.place.to_string(),
            state: match view.stage {
                Stage::Reading => wire::CountState::Reading,
                Stage::Paused | Stage::Keeping => wire::CountState::Paused,
            }
            .into(),
            tags: view.tags,
            reads: view.reads,
            tags_per_second: view.tags_per_second,
            readers: self
                .readers()
                .into_iter()
                .filter(|reader| view.readers.iter().any(|known| known.as_str() == reader.name))
                .collect(),
            lines,
            missing: view.missing,
            missing_tags: tags(&view.missing_tags),
            found: view.found,
            found_tags: tags(&view.found_tags),
            unknown: view.unknown,
            unknown_tags: tags(&view.unknown_tags),
            latest: tags(&view.latest),
            started_at: self.local(view.started_at),
            compared_with: view.compared_with.map(|at| self.local(at)).unwrap_or_default(),
        }
    }

    fn tag(&self, line: &TagLine, catalog: &Catalog) -> wire::TagView {
        let uri = line.tag.epc().map(|epc| epc.id().to_string());
        wire::TagView {
            epc: line.tag.hex(),
            uri: uri.unwrap_or_default(),
            sku: line.sku.as_ref().map(Sku::to_string).unwrap_or_default(),
            name: line.sku.as_ref().map(|sku| name(catalog, sku)).unwrap_or_default(),
            rssi_tenths: line
                .seen
                .as_ref()
                .and_then(|seen| seen.rssi_dbm)
                .map_or(0, |rssi| i32::from(rssi) * 10),
            antenna: line.seen.as_ref().map_or(0, |seen| u32::from(seen.antenna)),
            last_seen: line.seen.as_ref().map(|seen| self.local(seen.at)).unwrap_or_default(),
            explained: line.sale.as_ref().map(|sale| self.explained(sale)).unwrap_or_default(),
        }
    }

    /// Such as `sold with receipt r1/1/3 at 10:15`; with the day when that was another.
    fn explained(&self, sale: &Sale) -> String {
        let (shop, receipt) = (self.store.shop(), sale.receipt);
        let local = self.local(sale.at);
        let Some((day, time)) = local.split_once(' ') else {
            return format!("sold with receipt {receipt}");
        };
        let calendar = &shop.policy.calendar;
        match calendar.business_day(sale.at) == calendar.business_day(shop.clock.now()) {
            true => format!("sold with receipt {receipt} at {time}"),
            false => format!("sold with receipt {receipt} on {day} at {time}"),
        }
    }
}

fn name(catalog: &Catalog, sku: &Sku) -> String {
    catalog.by_sku(sku).map(|item| item.name().to_owned()).unwrap_or_default()
}

/// A count that ended: as this screen saw it last, and how it ended.
fn over(id: CommandId, ended: Ended, place: &Place, seen: Option<wire::CountView>) -> wire::CountView {
    let state = match ended {
        Ended::Kept => wire::CountState::Kept,
        Ended::Dropped => wire::CountState::Dropped,
    };
    wire::CountView {
        count_id: id.to_bytes().to_vec(),
        place: place.to_string(),
        state: state.into(),
        ..seen.unwrap_or_default()
    }
}

fn count_error(error: CountError) -> Status {
    match error {
        CountError::Append(error) => errors::append(error),
        CountError::Ask(error) => errors::ask(error),
        CountError::File(error) => errors::file(&error),
        error => status(error.code(), error),
    }
}

fn command_id(command: Option<&wire::Command>) -> Result<CommandId, Status> {
    parse::command_id_bytes(command.map(|command| command.command_id.as_slice()))
}

fn count_id(bytes: &[u8]) -> Result<CommandId, Status> {
    CommandId::from_slice(bytes).map_err(|error| bad_field("count_id", error))
}

#[tonic::async_trait]
impl ClerkService for ClerkDesk {
    async fn list_readers(&self, request: Request<wire::ListReadersRequest>) -> Answer<wire::ListReadersResponse> {
        self.session(request.metadata())?;
        let places = self.store.counting().places().await.map_err(errors::ask)?;
        let place = |line: backroom_actors::count::PlaceLine| wire::PlaceView {
            place: line.place.to_string(),
            last_kept: line.last_kept.map(|at| self.local(at)).unwrap_or_default(),
            tags: line.tags,
            open_count_id: line.open.map(|id| id.to_bytes().to_vec()).unwrap_or_default(),
        };
        Ok(Response::new(wire::ListReadersResponse {
            readers: self.readers(),
            places: places.into_iter().map(place).collect(),
        }))
    }

    async fn start_count(&self, request: Request<wire::StartCountRequest>) -> Answer<wire::StartCountResponse> {
        let session = self.session(request.metadata())?;
        let said = request.into_inner();
        let readers = said.readers.iter().map(|reader| parse::id("readers", reader));
        let start = Start {
            id: command_id(said.command.as_ref())?,
            body: body_hash("start_count", session.seat.register.as_str(), &said),
            place: Place::parse(&said.place).map_err(|error| bad_field("place", error))?,
            readers: readers.collect::<Result<_, _>>()?,
        };
        let count = self.store.counting().start(start).await.map_err(count_error)?;
        Ok(Response::new(wire::StartCountResponse {
            count_id: count.to_bytes().to_vec(),
        }))
    }

    type WatchCountStream = Pin<Box<dyn Stream<Item = Result<wire::WatchCountResponse, Status>> + Send>>;

    async fn watch_count(&self, request: Request<wire::WatchCountRequest>) -> Answer<Self::WatchCountStream> {
        self.session(request.metadata())?;
        let id = count_id(&request.into_inner().count_id)?;
        let (out, stream) = mpsc::channel(2);
        let desk = ClerkDesk { store: self.store.clone() };
        tokio::spawn(async move { desk.show(id, out).await });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn pause_count(&self, request: Request<wire::PauseCountRequest>) -> Answer<wire::PauseCountResponse> {
        self.session(request.metadata())?;
        let said = request.into_inner();
        command_id(said.command.as_ref())?;
        let id = count_id(&said.count_id)?;
        self.store.counting().pause(id).await.map_err(count_error)?;
        Ok(Response::new(wire::PauseCountResponse {}))
    }

    async fn keep_count(&self, request: Request<wire::KeepCountRequest>) -> Answer<wire::KeepCountResponse> {
        let session = self.session(request.metadata())?;
        let said = request.into_inner();
        let keep = Keep {
            id: command_id(said.command.as_ref())?,
            body: body_hash("keep_count", session.seat.register.as_str(), &said),
            count: count_id(&said.count_id)?,
            staff: session.staff,
            register: session.seat.register,
        };
        let committed = self.store.counting().keep(keep).await.map_err(count_error)?;
        let Fact::ShelfCounted(counted) = &*committed.fact else {
            return Err(bad_field("command_id", "belongs to another command"));
        };
        Ok(Response::new(wire::KeepCountResponse {
            tags: counted.tags,
            missing: counted.missing,
            missing_unexplained: counted.missing_unexplained,
        }))
    }

    async fn drop_count(&self, request: Request<wire::DropCountRequest>) -> Answer<wire::DropCountResponse> {
        self.session(request.metadata())?;
        let said = request.into_inner();
        command_id(said.command.as_ref())?;
        let id = count_id(&said.count_id)?;
        self.store.counting().drop(id).await.map_err(count_error)?;
        Ok(Response::new(wire::DropCountResponse {}))
    }
}
