//! One store, put together: the data folder, the tree of actors, and the handle through which everything outside asks.
//!
//! Owns how the parts are wired and in which order they start and stop. Has no rules and no sockets.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backroom_core::catalog::{Catalog, CatalogFile};
use backroom_core::directive::Address;
use backroom_core::facts::{Does, EffectWanted, Fact};
use backroom_core::ids::{CommandId, DeviceId, ReceiptNo, RegisterId, StaffId};
use backroom_core::journal::Head;
use backroom_core::money::Rounding;
use backroom_core::tax::PriceMode;
use backroom_core::ticket::Refusal;
use backroom_core::time::Calendar;
use backroom_devices::link::reader::ReaderSettings;
use backroom_devices::link::terminal::TerminalSettings;
use ed25519_dalek::{SigningKey, VerifyingKey};
use ractor::{Actor, ActorRef};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::count::{self, Counting};
use crate::device::{Board, DeviceConfig, DeviceKind, machine, printer, reader, scanner, terminal};
use crate::door::{AskError, Door};
use crate::figures::Figures;
use crate::file::FileError;
use crate::journal::reader::Reader;
use crate::journal::{Append, BodyHash, Committed, Journal, JournalSettings};
use crate::register::{self, CommandError, Outcome, Seat};
use crate::restored::{self, BeginError};
use crate::shop::{Cards, Policy, Recent, Shop};
use crate::staff::{self, Pass, Passes, StaffError};
use crate::stock;
use crate::supervisor::{self, ChildView, Supervisor, Trouble};
use crate::tills;
use crate::uplink::{self, Carrier, LinkStatus};
use crate::{catalog, worklog};

/// Where things lie in the data folder.
#[derive(Clone, Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal.db")
    }
    pub fn worklog(&self) -> PathBuf {
        self.0.join("worklog.db")
    }
    /// What each machine has in its hands.
    pub fn machines(&self) -> PathBuf {
        self.0.join("machines")
    }
    pub fn tags(&self) -> PathBuf {
        self.0.join("tags.db")
    }
    pub fn people(&self) -> PathBuf {
        self.0.join("people.db")
    }
    pub fn catalogs(&self) -> PathBuf {
        self.0.join("catalogs")
    }
    pub fn watermarks(&self) -> PathBuf {
        self.0.join("watermarks")
    }
    /// Lies here from a restore until the first start after it has done what it must.
    pub fn restored(&self) -> PathBuf {
        self.0.join("restored.json")
    }
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Who this store is; read once from the data folder.
#[derive(Clone)]
pub struct Identity {
    pub address: Address,
    pub name: String,
    pub zone: String,
    pub day_end: String,
    pub cash_step: i64,
    pub cash_rounding: Rounding,
    pub signing_key: SigningKey,
    pub secret: [u8; 32],
}

/// The store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Time(#[from] backroom_core::time::TimeError),
    #[error("a box that was put back from a backup could not begin anew")]
    Restored(#[from] BeginError),
    #[error("an actor could not be started: {0}")]
    Actor(String),
}

/// The handle through which servers ask.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shop: Shop,
    folder: Folder,
    identity: Identity,
    root: ActorRef<supervisor::Message>,
    running: Mutex<Option<JoinHandle<()>>>,
    trouble: Trouble,
    tills: Arc<Door<tills::Message>>,
    staff: Arc<Door<staff::Message>>,
    stock: Arc<Door<stock::Message>>,
    catalog: Arc<Door<catalog::Message>>,
    uplink: Arc<Door<uplink::Message>>,
    registers: Registers,
    machines: Machines,
    counting: Counting,
    directives_through: watch::Receiver<u64>,
    link: watch::Sender<LinkStatus>,
}

/// The doors of all registers, for those who bring them something.
pub type Registers = Arc<Mutex<HashMap<RegisterId, Arc<Door<register::Message>>>>>;
type Machines = Arc<HashMap<DeviceId, Arc<Door<machine::Message>>>>;

/// How long a question from outside may take before the asker hears "unknown, ask again".
const PATIENCE: Duration = Duration::from_secs(20);
/// Commands waiting at one register; a person can not be faster.
const REGISTER_QUEUE: usize = 32;

impl Store {
    /// Opens the files and starts the tree, journal first.
    pub async fn open(folder: Folder, identity: Identity, devices: Vec<DeviceConfig>, clock: Clock) -> Result<Store, OpenError> {
        let calendar = Calendar::new(&identity.zone, &identity.day_end)?;
        let settings = JournalSettings {
            file: folder.journal(),
            address: identity.address,
            calendar: calendar.clone(),
            signing_key: identity.signing_key.clone(),
            clock,
        };
        let journal = Journal::new(settings);
        let trouble = Trouble::default();
        let (root, running) = Actor::spawn(None, Supervisor, trouble.clone())
            .await
            .map_err(|error| OpenError::Actor(error.to_string()))?;
        let stock = Door::new("the stock", 256);
        let machines: Machines = Arc::new(devices.iter().map(|device| (device.name, Door::new("the machine", 64))).collect());
        let commits = broadcast::Sender::new(1024);
        let figures = Arc::new(Figures::default());
        let (telling, doors, told, counting) = (stock.clone(), machines.clone(), commits.clone(), figures.clone());
        journal.on_commit(move |committed| {
            counting.committed(&committed.fact);
            tell_stock(&telling, committed);
            tell_machines(&doors, committed);
            let _ = told.send(committed.clone()); // Nobody may be listening.
        });
        adopt(&root, journal.child()).await?;
        let worklog = worklog::WorkLog::new(folder.worklog());
        adopt(&root, worklog.child()).await?;
        let reader = Reader::open(&folder.journal()).await?;
        // Before anybody else reads the journal or a register may speak.
        restored::begin_anew(&folder, &journal, &reader).await?;

        // Empty until the catalog's actor has read the real one, which it does before this function returns.
        let snapshot = watch::Sender::new(Arc::new(empty_catalog()?));
        let passes = watch::Sender::new(Arc::new(Passes::default()));
        let through = watch::Sender::new(0);
        let shop = Shop {
            journal: journal.clone(),
            reader: reader.clone(),
            worklog,
            catalog: snapshot.subscribe(),
            passes: passes.subscribe(),
            clock,
            policy: Arc::new(Policy {
                name: identity.name.clone(),
                cash_step: identity.cash_step,
                cash_rounding: identity.cash_rounding,
                store: identity.address.store,
                calendar,
            }),
            recent: Arc::new(Recent::default()),
            screens: broadcast::Sender::new(1024),
            commits,
            board: Board::new(&devices),
            cards: Cards::default(),
            figures,
        };
        let directives_through = through.subscribe();
        let inner = Inner {
            shop,
            root,
            running: Mutex::new(Some(running)),
            trouble,
            tills: Door::new("the till", 256),
            staff: Door::new("the staff's door", 64),
            stock,
            catalog: Door::new("the catalog", 64),
            uplink: Door::new("the uplink", 1024),
            registers: Registers::default(),
            machines,
            counting: Counting::default(),
            directives_through,
            link: watch::Sender::new(LinkStatus::default()),
            folder,
            identity,
        };
        let store = Store { inner: Arc::new(inner) };
        store.start(snapshot, through, passes).await?;
        Ok(store)
    }

    async fn start(
        &self,
        snapshot: watch::Sender<Arc<Catalog>>,
        through: watch::Sender<u64>,
        passes: watch::Sender<Arc<Passes>>,
    ) -> Result<(), OpenError> {
        let Inner {
            shop,
            folder,
            identity,
            root,
            ..
        } = &*self.inner;
        let (journal, reader) = (shop.journal.clone(), shop.reader.clone());
        let settings = catalog::Settings {
            journal: journal.clone(),
            reader: reader.clone(),
            folder: folder.catalogs(),
            snapshot,
            through,
        };
        adopt(root, catalog::child(settings, self.inner.catalog.clone())).await?;
        adopt(root, stock::child(reader.clone(), self.inner.stock.clone())).await?;
        adopt(root, tills::child(shop.clone(), self.inner.tills.clone())).await?;
        let settings = staff::Settings {
            file: folder.people(),
            secret: identity.secret,
            journal,
            reader,
            clock: shop.clock,
            recent: shop.recent.clone(),
            passes,
        };
        adopt(root, staff::child(settings, self.inner.staff.clone())).await?;
        let settings = count::Settings {
            shop: shop.clone(),
            file: folder.tags(),
            stock: self.inner.stock.clone(),
            counting: self.inner.counting.clone(),
        };
        adopt(root, count::child(settings)).await?;
        let seats: Vec<Seat> = shop.passes.borrow().seats().collect();
        for seat in seats {
            self.seat(seat).await?;
        }
        // Registers first: a terminal may have news for one of them.
        self.start_machines().await
    }

    /// Each machine's actor. A counter with a machine that can not be used still sells.
    async fn start_machines(&self) -> Result<(), OpenError> {
        let Inner { shop, folder, root, .. } = &*self.inner;
        for view in shop.board.list() {
            let config = view.config;
            let Some(door) = self.inner.machines.get(&config.name) else {
                continue;
            };
            let worker = match config.kind {
                DeviceKind::Printer => printer::worker(printer::Settings {
                    config: config.clone(),
                    shop: shop.clone(),
                    folder: folder.machines(),
                }),
                DeviceKind::Terminal => {
                    let password = config.password.as_ref().map_or("000000", |password| password.0.as_str());
                    let password = password
                        .parse()
                        .map_err(|_| OpenError::Actor(format!("the password of {} is not six digits", config.name)))?;
                    let currency = shop.catalog.borrow().currency().numeric();
                    terminal::worker(terminal::Settings {
                        terminal: TerminalSettings::new(config.address.clone(), password, currency),
                        config: config.clone(),
                        shop: shop.clone(),
                        registers: self.inner.registers.clone(),
                    })
                }
                DeviceKind::Reader => reader::worker(reader::Settings {
                    config: config.clone(),
                    link: ReaderSettings::default(),
                    board: shop.board.clone(),
                    counting: self.inner.counting.clone(),
                }),
                DeviceKind::Scanner => {
                    // One that stands on no counter is refused where the list is read.
                    let Some(register) = config.register else { continue };
                    scanner::worker(scanner::Settings {
                        config: config.clone(),
                        register,
                        shop: shop.clone(),
                    })
                }
            };
            adopt(root, machine::child(config.name, door, worker)).await?;
        }
        Ok(())
    }

    /// Begins to talk to head office.
    pub async fn connect(&self, carrier: Arc<dyn Carrier>, head_office: VerifyingKey) -> Result<(), OpenError> {
        let Inner {
            shop,
            folder,
            identity,
            root,
            ..
        } = &*self.inner;
        let settings = uplink::Settings {
            address: identity.address,
            signing_key: identity.signing_key.clone(),
            head_office,
            journal: shop.journal.clone(),
            reader: shop.reader.clone(),
            carrier,
            catalog: self.inner.catalog.clone(),
            directives_through: self.inner.directives_through.clone(),
            memory: folder.watermarks(),
            status: self.inner.link.clone(),
        };
        adopt(root, uplink::child(settings, self.inner.uplink.clone())).await
    }

    /// The door of a register, which is started when it is new.
    async fn seat(&self, seat: Seat) -> Result<Arc<Door<register::Message>>, OpenError> {
        let (door, new) = {
            let mut registers = self.inner.registers.lock().map_err(|error| OpenError::Actor(error.to_string()))?;
            match registers.get(&seat.register) {
                Some(door) => (door.clone(), false),
                None => {
                    let door = Door::new("the register", REGISTER_QUEUE);
                    registers.insert(seat.register, door.clone());
                    (door, true)
                }
            }
        };
        if new {
            adopt(&self.inner.root, register::child(self.inner.shop.clone(), seat, door.clone())).await?;
        }
        Ok(door)
    }

    /// Counts of places with RFID readers.
    pub fn counting(&self) -> &Counting {
        &self.inner.counting
    }

    pub fn shop(&self) -> &Shop {
        &self.inner.shop
    }

    pub fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    pub fn head(&self) -> Head {
        self.inner.shop.journal.head()
    }

    pub fn link(&self) -> watch::Receiver<LinkStatus> {
        self.inner.link.subscribe()
    }

    pub fn uplink_door(&self) -> Arc<Door<uplink::Message>> {
        self.inner.uplink.clone()
    }

    /// The carrier says whether the broker can be reached; kept here so that an uplink that is restarted knows too.
    pub fn link_changed(&self, connected: bool) {
        self.inner.link.send_modify(|status| status.connected = connected);
        self.inner.uplink.tell(if connected {
            uplink::Message::Connected
        } else {
            uplink::Message::Disconnected
        });
    }

    pub fn directives_through(&self) -> u64 {
        *self.inner.directives_through.borrow()
    }

    /// Actors that do not run right now.
    pub fn down(&self) -> Vec<String> {
        self.inner.trouble.names()
    }

    pub async fn enrol(&self, enrol: staff::Enrol) -> Result<Pass, StaffError> {
        let pass = self
            .inner
            .staff
            .ask(|reply| staff::Message::Enrol { enrol, reply }, PATIENCE)
            .await??;
        if let Err(error) = self.seat(pass.seat).await {
            tracing::error!(%error, "a new register did not start");
            return Err(AskError::Away { name: "the register" }.into());
        }
        Ok(pass)
    }

    pub async fn sign_in(&self, sign_in: staff::SignIn) -> Result<Pass, StaffError> {
        self.inner
            .staff
            .ask(|reply| staff::Message::SignIn { sign_in, reply }, PATIENCE)
            .await?
    }

    pub async fn staff_name(&self, staff: backroom_core::ids::StaffId) -> Result<Option<String>, AskError> {
        self.inner.staff.ask(|reply| staff::Message::Name { staff, reply }, PATIENCE).await
    }

    fn register(&self, register: RegisterId) -> Result<Arc<Door<register::Message>>, AskError> {
        let away = AskError::Away { name: "the register" };
        self.inner.registers.lock().map_err(|_| away)?.get(&register).cloned().ok_or(away)
    }

    pub async fn sell(&self, register: RegisterId, command: register::Command) -> Result<Outcome, CommandError> {
        if let Some(ticket) = command.action.moves() {
            self.fetch_ticket(register, ticket).await?;
        }
        let command = Box::new(command);
        self.register(register)?
            .ask(|reply| register::Message::Do { command, reply }, PATIENCE)
            .await?
    }

    /// Every other register gives a ticket up before this one goes on with it. One that does not run holds nothing.
    async fn fetch_ticket(&self, register: RegisterId, ticket: backroom_core::ids::TicketId) -> Result<(), AskError> {
        let away = AskError::Away { name: "the register" };
        let others: Vec<_> = {
            let registers = self.inner.registers.lock().map_err(|_| away)?;
            let others = registers.iter().filter(|(other, _)| **other != register);
            others.map(|(_, door)| door.clone()).collect()
        };
        for door in others {
            match door.ask(|reply| register::Message::GiveUp { ticket, reply }, PATIENCE).await {
                Ok(()) | Err(AskError::Away { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub async fn open_ticket(&self, register: RegisterId, ticket: backroom_core::ids::TicketId) -> Result<Option<Outcome>, AskError> {
        self.register(register)?
            .ask(|reply| register::Message::Look { ticket, reply }, PATIENCE)
            .await
    }

    pub async fn open_tickets(&self, register: RegisterId) -> Result<Vec<Outcome>, AskError> {
        self.register(register)?
            .ask(|reply| register::Message::ListOpen { reply }, PATIENCE)
            .await
    }

    /// The tickets that rest, in the whole shop. A register that does not run shows none until it is back.
    pub async fn suspended_tickets(&self) -> Result<Vec<Outcome>, AskError> {
        let away = AskError::Away { name: "the register" };
        let doors: Vec<_> = self.inner.registers.lock().map_err(|_| away)?.values().cloned().collect();
        let mut resting = Vec::new();
        for door in doors {
            let open = match door.ask(|reply| register::Message::ListOpen { reply }, PATIENCE).await {
                Err(AskError::Away { .. }) => continue,
                open => open?,
            };
            resting.extend(
                open.into_iter()
                    .filter(|open| matches!(open, Outcome::Open { ticket, .. } if ticket.is_suspended())),
            );
        }
        Ok(resting)
    }

    /// Wants a receipt printed again on this register's printer, marked as a copy.
    pub async fn print_copy(
        &self,
        register: RegisterId,
        staff: StaffId,
        (id, body): (CommandId, BodyHash),
        receipt: ReceiptNo,
    ) -> Result<Committed, CommandError> {
        let shop = &self.inner.shop;
        if let Some(before) = shop.said_before(id, body).await? {
            return Ok(before?);
        }
        if shop.reader.by_receipt(receipt).await?.is_none() {
            return Err(Refusal::UnknownReceipt { receipt }.into());
        }
        let printer = shop.board.of_register(register, DeviceKind::Printer).ok_or(Refusal::NoPrinter)?;
        let wanted = EffectWanted {
            effect: format!("{id}/print"),
            device: printer.name,
            does: Does::Print,
            receipt: Some(receipt),
            copy: true,
        };
        let append = Append {
            command_id: Some(id),
            body_hash: body,
            device: Some(register),
            staff: Some(staff),
            ..Append::by_the_box(Fact::EffectWanted(wanted))
        };
        let committed = shop.journal.append(append).await?;
        shop.recent.remember(id, body);
        Ok(committed)
    }

    pub async fn till(&self, command: tills::Command) -> Result<Committed, CommandError> {
        let command = Box::new(command);
        self.inner
            .tills
            .ask(|reply| tills::Message::Do { command, reply }, PATIENCE)
            .await?
    }

    /// Asks the terminal to give up a ticket's payment. What comes of it is heard from the terminal.
    pub fn give_up_card(&self, register: RegisterId, ticket: backroom_core::ids::TicketId) {
        let terminal = self.inner.shop.board.of_register(register, DeviceKind::Terminal);
        if let Some(door) = terminal.and_then(|terminal| self.inner.machines.get(&terminal.name)) {
            door.tell(machine::Message::GiveUp { ticket });
        }
    }

    /// Open tickets of all registers that answer in time.
    pub async fn count_open_tickets(&self, within: Duration) -> usize {
        let doors: Vec<_> = match self.inner.registers.lock() {
            Ok(registers) => registers.values().cloned().collect(),
            Err(_) => return 0,
        };
        let ask = |door: Arc<Door<register::Message>>| async move {
            let answer = door.ask(|reply| register::Message::ListOpen { reply }, within).await;
            answer.map_or(0, |tickets| tickets.len())
        };
        futures_util::future::join_all(doors.into_iter().map(ask)).await.into_iter().sum()
    }

    pub async fn on_hand(&self, sku: backroom_core::catalog::Sku) -> Result<backroom_core::money::Quantity, AskError> {
        self.inner.stock.ask(|reply| stock::Message::OnHand { sku, reply }, PATIENCE).await
    }

    pub async fn actors(&self) -> Vec<ChildView> {
        let listed = self
            .inner
            .root
            .call(|reply| supervisor::Message::List { reply }, Some(PATIENCE))
            .await;
        match listed {
            Ok(ractor::rpc::CallResult::Success(actors)) => actors,
            _ => Vec::new(),
        }
    }

    /// Makes an actor panic; `false` when there is none of that name.
    pub async fn strike(&self, name: String) -> bool {
        let struck = self
            .inner
            .root
            .call(|reply| supervisor::Message::Strike { name, reply }, Some(PATIENCE))
            .await;
        matches!(struck, Ok(ractor::rpc::CallResult::Success(true)))
    }

    /// Stops everything in reverse order, letting each actor finish what it has begun.
    pub async fn stop(&self, patience: Duration) {
        let _ = self
            .inner
            .root
            .call(|reply| supervisor::Message::Stop { patience, reply }, Some(patience * 8))
            .await;
        self.inner.root.stop(None);
        let running = self.inner.running.lock().ok().and_then(|mut running| running.take());
        if let Some(running) = running {
            let _ = tokio::time::timeout(patience, running).await; // The process ends anyway; everything acknowledged is flushed.
        }
        self.inner.shop.reader.close().await;
    }
}

/// Writes the facts a journal begins with, by the same actor as all others.
pub async fn found(settings: JournalSettings, facts: Vec<Fact>) -> Result<(), OpenError> {
    let journal = Journal::new(settings);
    let started = Actor::spawn(None, Supervisor, Trouble::default()).await;
    let (root, running) = started.map_err(|error| OpenError::Actor(error.to_string()))?;
    adopt(&root, journal.child()).await?;
    for fact in facts {
        let written = journal.append(Append::by_the_box(fact)).await;
        written.map_err(|error| OpenError::Actor(error.to_string()))?;
    }
    root.stop(None);
    running.await.map_err(|error| OpenError::Actor(error.to_string()))
}

async fn adopt(root: &ActorRef<supervisor::Message>, child: supervisor::Child) -> Result<(), OpenError> {
    let name = child.name.clone();
    match root
        .call(|reply| supervisor::Message::Adopt { child, reply }, Some(Duration::from_secs(60)))
        .await
    {
        Ok(ractor::rpc::CallResult::Success(Ok(()))) => Ok(()),
        Ok(ractor::rpc::CallResult::Success(Err(why))) => Err(OpenError::Actor(why)),
        _ => Err(OpenError::Actor(format!("{name} did not start in time"))),
    }
}

/// A machine is told that there is work; what it is, it reads in the journal.
fn tell_machines(machines: &Machines, committed: &Committed) {
    let device = match &*committed.fact {
        Fact::CardAsked(asked) => asked.terminal,
        Fact::EffectWanted(wanted) => wanted.device,
        _ => return,
    };
    if let Some(door) = machines.get(&device) {
        door.tell(machine::Message::Work);
    }
}

fn tell_stock(stock: &Door<stock::Message>, committed: &Committed) {
    let moves = committed.fact.stock_moves().to_vec();
    if moves.is_empty() {
        return;
    }
    stock.tell(stock::Message::Moved {
        at: (committed.head.epoch, committed.head.seq),
        moves,
    });
}

/// Any currency will do: there is nothing in it to sell, and the real one is read before the store opens.
fn empty_catalog() -> Result<Catalog, OpenError> {
    let wrong = |error: &dyn std::fmt::Display| OpenError::Actor(error.to_string());
    let currency = "EUR".parse().map_err(|error| wrong(&error))?;
    Catalog::new(CatalogFile::empty(0, currency, PriceMode::Inclusive)).map_err(|error| wrong(&error))
}
