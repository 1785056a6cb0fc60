//! A small shop in a temporary folder, and one line for each thing the stories do.

use std::path::Path;
use std::time::Duration;

use backroom_actors::catalog;
use backroom_actors::clock::Clock;
use backroom_actors::device::DeviceConfig;
use backroom_actors::journal::reader::Reader;
use backroom_actors::journal::verify::{self, Verified};
use backroom_actors::journal::{BodyHash, JournalSettings};
use backroom_actors::register::{Action, Command, CommandError, Outcome, Seat};
use backroom_actors::staff::{self, Enrol, Person, SignIn};
use backroom_actors::store::{self, Folder, Identity, Store};
use backroom_actors::tills;
use backroom_core::catalog::CatalogFile;
use backroom_core::directive::Address;
use backroom_core::facts::{ClosedTicket, EpochOpened, EpochReason, Fact};
use backroom_core::ids::{CommandId, StaffId, TicketId};
use backroom_core::money::{Money, Quantity, Rounding};
use backroom_core::time::Calendar;
use ed25519_dalek::SigningKey;
use tempfile::TempDir;

pub struct Shop {
    pub store: Store,
    pub home: TempDir,
    devices: Vec<DeviceConfig>,
}

pub const PIN: &str = "4711";

pub fn id() -> CommandId {
    CommandId(uuid::Uuid::now_v7())
}

pub fn ticket() -> TicketId {
    TicketId(uuid::Uuid::now_v7())
}

pub fn body(text: &str) -> BodyHash {
    let mut hash = [0; 16];
    hash[..text.len().min(16)].copy_from_slice(&text.as_bytes()[..text.len().min(16)]);
    hash
}

pub fn seat(register: &str) -> Seat {
    Seat {
        register: register.parse().unwrap(),
        till: register.parse().unwrap(),
    }
}

fn cashier() -> StaffId {
    "s101".parse().unwrap()
}

fn catalog_file() -> CatalogFile {
    serde_json::from_value(serde_json::json!({
        "version": 1, "currency": "EUR", "prices": "inclusive",
        "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}],
        "items": [
            {"sku": "TEE", "name": "T-shirt", "codes": ["4006381333931"], "tax_class": "A", "price": 1990},
            {"sku": "MUG", "name": "Mug", "tax_class": "A", "price": 850},
            {"sku": "RUM", "name": "Rum", "tax_class": "A", "price": 1490, "min_age": 18},
            {"sku": "DEP", "name": "Household", "tax_class": "A", "price": 0, "open_price": true}
        ],
        "promotions": [{"id": "mug10", "name": "Mugs for club members", "priority": 1, "kind": "percent", "percent": "10",
            "on": {"skus": ["MUG"]}, "coupon": "MUG10"}]
    }))
    .unwrap()
}

pub fn identity() -> Identity {
    Identity {
        address: Address {
            tenant: "thread".parse().unwrap(),
            store: "berlin".parse().unwrap(),
        },
        name: "Thread & Needle".into(),
        zone: "Europe/Berlin".into(),
        day_end: "02:00".into(),
        cash_step: 1,
        cash_rounding: Rounding::default(),
        signing_key: SigningKey::from_bytes(&[7; 32]),
        secret: [8; 32],
    }
}

async fn found(home: &Path) {
    let folder = Folder(home.to_owned());
    let identity = identity();
    let mut db = staff::open(&folder.people()).await.unwrap();
    staff::add_person(
        &mut db,
        &Person {
            id: cashier(),
            name: "Cashier One".into(),
            pin: PIN.into(),
        },
    )
    .await
    .unwrap();
    let text = serde_json::to_vec(&catalog_file()).unwrap();
    let applied = catalog::store_file(&folder.catalogs(), &text, &catalog_file()).unwrap();
    let opened = EpochOpened {
        reason: EpochReason::NewStore,
        previous: None,
        series: 1,
        currency: "EUR".parse().unwrap(),
        zone: identity.zone.clone(),
        day_end: identity.day_end.clone(),
    };
    let settings = JournalSettings {
        file: folder.journal(),
        address: identity.address,
        calendar: Calendar::new(&identity.zone, &identity.day_end).unwrap(),
        signing_key: identity.signing_key.clone(),
        clock: Clock,
    };
    store::found(settings, vec![Fact::EpochOpened(opened), Fact::CatalogApplied(applied)])
        .await
        .unwrap();
}

impl Shop {
    /// A shop with these registers, enrolled, and each with an open shift.
    pub async fn open(registers: &[&str]) -> Shop {
        Shop::open_with(registers, Vec::new()).await
    }

    /// The same, with machines on the counters.
    pub async fn open_with(registers: &[&str], devices: Vec<DeviceConfig>) -> Shop {
        let home = tempfile::tempdir().unwrap();
        found(home.path()).await;
        let store = Store::open(Folder(home.path().to_owned()), identity(), devices.clone(), Clock)
            .await
            .unwrap();
        let shop = Shop { store, home, devices };
        for register in registers {
            shop.enrol(register).await;
            shop.till(register, tills::Action::OpenShift { float: Money(10_000) }).await;
        }
        shop
    }

    /// The box of a folder that is there already.
    pub async fn of(home: TempDir, devices: Vec<DeviceConfig>) -> Shop {
        let folder = Folder(home.path().to_owned());
        let store = Store::open(folder, identity(), devices.clone(), Clock).await.unwrap();
        Shop { store, home, devices }
    }

    /// The same folder, opened anew: what a restart of the process does.
    pub async fn reopen(self) -> Shop {
        self.store.stop(Duration::from_secs(5)).await;
        let store = Store::open(Folder(self.home.path().to_owned()), identity(), self.devices.clone(), Clock)
            .await
            .unwrap();
        Shop { store, ..self }
    }

    pub async fn pairing_code(&self) -> String {
        let mut db = staff::open(&Folder(self.home.path().to_owned()).people()).await.unwrap();
        staff::make_pairing_code(&mut db, Clock.now()).await.unwrap()
    }

    pub async fn enrol(&self, register: &str) {
        let code = self.pairing_code().await;
        let enrol = Enrol {
            id: id(),
            body: body("enrol"),
            seat: seat(register),
            code,
        };
        self.store.enrol(enrol).await.unwrap();
    }

    pub fn sign_in(&self, register: &str, pin: &str) -> SignIn {
        SignIn {
            id: id(),
            body: body("sign in"),
            seat: seat(register),
            staff: cashier(),
            pin: pin.into(),
        }
    }

    pub async fn till(&self, register: &str, action: tills::Action) -> backroom_actors::journal::Committed {
        let command = tills::Command {
            id: id(),
            body: body("till"),
            staff: cashier(),
            seat: seat(register),
            action,
        };
        self.store.till(command).await.unwrap()
    }

    pub async fn say(&self, register: &str, id: CommandId, words: &str, action: Action) -> Result<Outcome, CommandError> {
        self.say_in(false, register, id, words, action).await
    }

    /// The same in training.
    pub async fn practise(&self, register: &str, words: &str, action: Action) -> Result<Outcome, CommandError> {
        self.say_in(true, register, id(), words, action).await
    }

    async fn say_in(&self, training: bool, register: &str, id: CommandId, words: &str, action: Action) -> Result<Outcome, CommandError> {
        let command = Command {
            id,
            body: body(words),
            staff: cashier(),
            session: 1,
            training,
            action,
        };
        self.store.sell(register.parse().unwrap(), command).await
    }

    pub async fn scan(&self, register: &str, ticket: TicketId, expected: u64, code: &str) -> Outcome {
        let action = Action::Scan {
            ticket,
            expected,
            code: code.into(),
            quantity: Quantity::ONE,
        };
        self.say(register, id(), "scan", action).await.unwrap()
    }

    pub async fn pay(&self, register: &str, ticket: TicketId, expected: u64, amount: i64) -> Result<Outcome, CommandError> {
        let action = Action::Tender {
            ticket,
            expected,
            amount: Money(amount),
            settle: true,
        };
        self.say(register, id(), "tender", action).await
    }

    /// One sale of a T-shirt; its receipt as text.
    pub async fn sell(&self, register: &str) -> String {
        let ticket = ticket();
        let version = version(&self.scan(register, ticket, 0, "TEE").await);
        receipt(&self.pay(register, ticket, version, 1990).await.unwrap())
    }

    /// The journal holds together and everything kept beside it follows from it.
    pub async fn prove(&self) -> Verified {
        let reader = Reader::open(&Folder(self.home.path().to_owned()).journal()).await.unwrap();
        let proven = verify::prove(&reader, &identity().signing_key.verifying_key()).await.unwrap();
        reader.close().await;
        proven
    }
}

pub fn version(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Open { version, .. } => *version,
        Outcome::Closed { .. } => panic!("the ticket is closed"),
    }
}

pub fn closed(outcome: &Outcome) -> ClosedTicket {
    match outcome {
        Outcome::Closed { committed } => match &*committed.fact {
            Fact::TicketClosed(ticket) => (**ticket).clone(),
            other => panic!("not a ticket: {other:?}"),
        },
        Outcome::Open { .. } => panic!("the ticket is open"),
    }
}

pub fn receipt(outcome: &Outcome) -> String {
    closed(outcome).receipt.unwrap().to_string()
}

/// Waits until something is so; a deadline, not a sleep, decides.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !so().await {
        assert!(tokio::time::Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
