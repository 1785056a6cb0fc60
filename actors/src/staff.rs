//! Staff and devices: who may use a register. Enrols devices with a pairing code, signs people in with a PIN, slows down guessing.
//!
//! Names live only in the file of people. Passes (device and session tokens) are computed from the journal's entries and a secret of this
//! box, so that a restart loses none and the journal holds none.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use backroom_core::facts::{EpochReason, Fact, Kind, RegisterEnrolled, SignedIn};
use backroom_core::ids::{CommandId, RegisterId, StaffId};
use backroom_core::journal::Epoch;
use backroom_core::staff::{FORGIVEN_DEVICE, FORGIVEN_PERSON, FORGIVEN_STORE, Tally};
use backroom_core::time::Instant;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::door::{AskError, Door};
use crate::file::{self, FileError, Flush};
use crate::hex::hex;
use crate::journal::reader::Reader;
use crate::journal::writer::committed_from;
use crate::journal::{Append, AppendError, BodyHash, Committed, Journal};
use crate::register::Seat;
use crate::shop::Recent;
use crate::supervisor::Child;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/people");

/// A token as a device or browser holds it.
pub type Token = [u8; 32];

/// A person at a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub seat: Seat,
    pub staff: StaffId,
    pub number: u64,
}

/// Everyone who may come in, as of the last sign-in.
#[derive(Clone, Debug, Default)]
pub struct Passes {
    devices: HashMap<Token, Seat>,
    sessions: HashMap<Token, Session>,
    latest: HashMap<RegisterId, u64>,
    seats: HashMap<RegisterId, Seat>,
}

/// Why a token does not open anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassError {
    #[error("this register is not signed in; sign in with your number and PIN")]
    NotSignedIn,
    #[error("somebody else took over this register; sign in again to go on")]
    Fenced,
    #[error("this device is not a register of this store; enrol it with a pairing code")]
    NotEnrolled,
}

impl Passes {
    pub fn session(&self, token: &Token) -> Result<Session, PassError> {
        let session = *self.sessions.get(token).ok_or(PassError::NotSignedIn)?;
        let latest = self.latest.get(&session.seat.register).copied().unwrap_or(0);
        if session.number == latest {
            Ok(session)
        } else {
            Err(PassError::Fenced)
        }
    }

    pub fn device(&self, token: &Token) -> Result<Seat, PassError> {
        self.devices.get(token).copied().ok_or(PassError::NotEnrolled)
    }

    pub fn seats(&self) -> impl Iterator<Item = Seat> {
        self.seats.values().copied()
    }

    fn enrolled(&mut self, token: Token, seat: Seat) {
        // A register that is enrolled again belongs to the new device only.
        self.devices.retain(|_, known| known.register != seat.register);
        self.sessions.retain(|_, known| known.seat.register != seat.register);
        self.devices.insert(token, seat);
        self.seats.insert(seat.register, seat);
    }

    fn signed_in(&mut self, token: Token, seat: Seat, signed_in: SignedIn) {
        let SignedIn {
            register,
            staff,
            session: number,
        } = signed_in;
        // Only the newest of a register matters, and the one before it, to say "taken over" instead of "who are you".
        self.sessions
            .retain(|_, known| known.seat.register != register || known.number + 1 >= number);
        self.sessions.insert(token, Session { seat, staff, number });
        self.latest.insert(register, number);
    }
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    #[error("number or PIN is wrong; try again")]
    WrongPin,
    #[error("too many wrong tries; wait {seconds} seconds, then try again")]
    Throttled { seconds: i64 },
    #[error("this pairing code is wrong, used or too old; make a new one at the box")]
    Pairing,
    #[error("register {register} belongs to till {till}; enrol it with that till, or choose another register name")]
    OtherTill {
        register: RegisterId,
        till: backroom_core::ids::TillId,
    },
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("the box could not read or write its files; ask again with the same command to learn what happened")]
    File(#[from] FileError),
}

/// What a successful sign-in or enrolment gives.
#[derive(Clone, Debug)]
pub struct Pass {
    pub token: Token,
    pub seat: Seat,
    /// The session's number; 0 for a device.
    pub session: u64,
    pub name: String,
    pub committed: Committed,
}

#[derive(Debug)]
pub struct SignIn {
    pub id: CommandId,
    pub body: BodyHash,
    pub seat: Seat,
    pub staff: StaffId,
    pub pin: String,
}

#[derive(Debug)]
pub struct Enrol {
    pub id: CommandId,
    pub body: BodyHash,
    pub seat: Seat,
    pub code: String,
}

#[derive(Debug)]
pub enum Message {
    SignIn {
        sign_in: SignIn,
        reply: RpcReplyPort<Result<Pass, StaffError>>,
    },
    Enrol {
        enrol: Enrol,
        reply: RpcReplyPort<Result<Pass, StaffError>>,
    },
    /// What to call a person on a screen; `None` for somebody who is no longer known.
    Name {
        staff: StaffId,
        reply: RpcReplyPort<Option<String>>,
    },
    Strike,
}

/// What the actor needs.
#[derive(Clone)]
pub struct Settings {
    pub file: PathBuf,
    pub secret: [u8; 32],
    pub journal: Journal,
    pub reader: Reader,
    pub clock: Clock,
    pub recent: Arc<Recent>,
    pub passes: watch::Sender<Arc<Passes>>,
}

/// How the root keeps the staff's door alive.
pub fn child(settings: Settings, door: Arc<Door<Message>>) -> Child {
    let own = door.clone();
    door.child("staff", || Message::Strike, move || (StaffActor, (settings.clone(), own.clone())))
}

/// The epochs which a restored box opened. What a register was in the middle of before is not known there: its session ends, and
/// whoever signs in again looks first.
async fn restored_lives(reader: &Reader) -> Result<Vec<Epoch>, FileError> {
    let mut lives = Vec::new();
    for entry in reader.rare(Kind::EpochOpened).await? {
        if let Fact::EpochOpened(opened) = &*committed_from(&entry)?.fact
            && opened.reason == EpochReason::Restored
        {
            lives.push(entry.header.epoch);
        }
    }
    Ok(lives)
}

/// The actor.
pub struct StaffActor;

pub struct State {
    settings: Settings,
    db: SqliteConnection,
}

impl Actor for StaffActor {
    type Msg = Message;
    type State = State;
    type Arguments = (Settings, Arc<Door<Message>>);

    async fn pre_start(&self, me: ActorRef<Message>, (settings, door): Self::Arguments) -> Result<State, ActorProcessingErr> {
        let db = open(&settings.file).await?;
        let mut state = State { settings, db };
        state.read_passes().await?;
        door.opened_by(me);
        Ok(state)
    }

    async fn handle(&self, _me: ActorRef<Message>, message: Message, state: &mut State) -> Result<(), ActorProcessingErr> {
        match message {
            Message::SignIn { sign_in, reply } => drop(reply.send(state.sign_in(sign_in).await)), // The asker may have left.
            Message::Enrol { enrol, reply } => drop(reply.send(state.enrol(enrol).await)),
            Message::Name { staff, reply } => drop(reply.send(state.name(staff).await?)),
            Message::Strike => panic!("struck down on purpose"),
        }
        Ok(())
    }
}

impl State {
    /// Tokens are computed again from the entries that gave them.
    async fn read_passes(&mut self) -> Result<(), FileError> {
        let mut passes = Passes::default();
        let mut entries = self.settings.reader.rare(Kind::RegisterEnrolled).await?;
        entries.extend(self.settings.reader.rare(Kind::SignedIn).await?);
        // In the order in which it happened: who enrols a register again puts out whoever was signed in.
        entries.sort_by_key(backroom_core::journal::Entry::position);
        let mut lives = restored_lives(&self.settings.reader).await?.into_iter().peekable();
        for entry in entries {
            while lives.next_if(|life| *life <= entry.header.epoch).is_some() {
                passes.sessions.clear();
            }
            let Some(id) = entry.header.command_id else { continue };
            match &*committed_from(&entry)?.fact {
                Fact::RegisterEnrolled(enrolled) => {
                    let seat = Seat {
                        register: enrolled.register,
                        till: enrolled.till,
                    };
                    passes.enrolled(self.token("device", id), seat);
                }
                Fact::SignedIn(signed_in) => {
                    let Some(seat) = passes.seats.get(&signed_in.register).copied() else {
                        continue;
                    };
                    passes.signed_in(self.token("session", id), seat, signed_in.clone());
                }
                _ => {}
            }
        }
        if lives.next().is_some() {
            passes.sessions.clear();
        }
        self.settings.passes.send_replace(Arc::new(passes));
        Ok(())
    }

    fn token(&self, what: &str, id: CommandId) -> Token {
        let mut hash = Sha256::new();
        hash.update(self.settings.secret);
        hash.update(what.as_bytes());
        hash.update(id.to_bytes());
        hash.finalize().into()
    }

    async fn sign_in(&mut self, sign_in: SignIn) -> Result<Pass, StaffError> {
        let SignIn {
            id,
            body,
            seat,
            staff,
            pin,
        } = sign_in;
        let throttled = [
            (format!("person {staff}"), FORGIVEN_PERSON),
            (format!("device {}", seat.register), FORGIVEN_DEVICE),
            ("store".to_owned(), FORGIVEN_STORE),
        ];
        self.wait_out(&throttled).await?;
        // The PIN is checked before anything else, also for a command that came before: its id is no secret.
        let name = match self.check_pin(staff, pin).await? {
            Some(name) => name,
            None => {
                self.count_failure(&throttled).await?;
                return Err(StaffError::WrongPin);
            }
        };
        self.forgive(&throttled).await?;
        let committed = match self.said_before(id, body).await? {
            Some(committed) => committed,
            None => {
                let session = self.settings.passes.borrow().latest.get(&seat.register).copied().unwrap_or(0) + 1;
                let fact = Fact::SignedIn(SignedIn {
                    register: seat.register,
                    staff,
                    session,
                });
                self.append(id, body, seat.register, Some(staff), fact).await?
            }
        };
        let Fact::SignedIn(signed_in) = &*committed.fact else {
            return Err(AppendError::CommandReused.into());
        };
        let token = self.token("session", id);
        if !committed.replayed {
            self.settings
                .passes
                .send_modify(|passes| Arc::make_mut(passes).signed_in(token, seat, signed_in.clone()));
        }
        Ok(Pass {
            token,
            seat,
            session: signed_in.session,
            name,
            committed,
        })
    }

    async fn enrol(&mut self, enrol: Enrol) -> Result<Pass, StaffError> {
        let Enrol { id, body, seat, code } = enrol;
        let throttled = [("pairing".to_owned(), FORGIVEN_DEVICE)];
        self.wait_out(&throttled).await?;
        if !self.use_code(&code, id).await? {
            self.count_failure(&throttled).await?;
            return Err(StaffError::Pairing);
        }
        self.forgive(&throttled).await?;
        // A till's drawer does not move to another register's books while nobody looks.
        let known = self.settings.passes.borrow().seats.get(&seat.register).copied();
        if let Some(known) = known.filter(|known| known.till != seat.till) {
            return Err(StaffError::OtherTill {
                register: known.register,
                till: known.till,
            });
        }
        let committed = match self.said_before(id, body).await? {
            Some(committed) => committed,
            None => {
                let fact = Fact::RegisterEnrolled(RegisterEnrolled {
                    register: seat.register,
                    till: seat.till,
                });
                self.append(id, body, seat.register, None, fact).await?
            }
        };
        let token = self.token("device", id);
        if !committed.replayed {
            self.settings
                .passes
                .send_modify(|passes| Arc::make_mut(passes).enrolled(token, seat));
        }
        Ok(Pass {
            token,
            seat,
            session: 0,
            name: String::new(),
            committed,
        })
    }

    async fn said_before(&self, id: CommandId, body: BodyHash) -> Result<Option<Committed>, StaffError> {
        if self.settings.recent.body_of(id).is_some_and(|known| known != body) {
            return Err(AppendError::CommandReused.into());
        }
        match self.settings.reader.command(id).await? {
            None => Ok(None),
            Some((hash, _)) if hash != body => Err(AppendError::CommandReused.into()),
            Some((_, entry)) => Ok(Some(committed_from(&entry)?)),
        }
    }

    async fn append(
        &self,
        id: CommandId,
        body: BodyHash,
        device: RegisterId,
        staff: Option<StaffId>,
        fact: Fact,
    ) -> Result<Committed, AppendError> {
        let append = Append {
            command_id: Some(id),
            body_hash: body,
            device: Some(device),
            staff,
            ..Append::by_the_box(fact)
        };
        let committed = self.settings.journal.append(append).await?;
        self.settings.recent.remember(id, body);
        Ok(committed)
    }

    /// The person's name when the PIN is right. Takes the same time for a person who does not exist.
    async fn check_pin(&mut self, staff: StaffId, pin: String) -> Result<Option<String>, FileError> {
        let row: Option<(String, String)> = sqlx::query_as("select name, verifier from staff where id = ?")
            .bind(staff.as_str())
            .fetch_optional(&mut self.db)
            .await?;
        let (name, verifier) = row.map_or((None, NOBODY.to_owned()), |(name, verifier)| (Some(name), verifier));
        let right = tokio::task::spawn_blocking(move || {
            let Ok(hash) = PasswordHash::new(&verifier) else { return false };
            Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok()
        });
        let right = right.await.map_err(|error| FileError::Content(error.to_string()))?;
        Ok(name.filter(|_| right))
    }

    async fn name(&mut self, staff: StaffId) -> Result<Option<String>, FileError> {
        let name = sqlx::query_scalar("select name from staff where id = ?").bind(staff.as_str());
        Ok(name.fetch_optional(&mut self.db).await?)
    }

    async fn wait_out(&mut self, throttled: &[(String, i64)]) -> Result<(), StaffError> {
        let now = self.settings.clock.now();
        for (who, _) in throttled {
            if let Some(seconds) = self.tally(who).await?.and_then(|tally| tally.wait(now)) {
                return Err(StaffError::Throttled { seconds });
            }
        }
        Ok(())
    }

    /// The rule is core's; here stands what it has come to so far.
    async fn tally(&mut self, who: &str) -> Result<Option<Tally>, FileError> {
        let row: Option<(i64, i64)> = sqlx::query_as("select failures, blocked_until_micros from throttle where who = ?")
            .bind(who)
            .fetch_optional(&mut self.db)
            .await?;
        // A time beyond the calendar is no pause at all.
        let tally = |(failures, until)| {
            let blocked_until = Instant::from_micros(until).ok()?;
            Some(Tally { failures, blocked_until })
        };
        Ok(row.and_then(tally))
    }

    async fn keep_tally(&mut self, who: &str, tally: Tally) -> Result<(), FileError> {
        let sql = "insert into throttle (who, failures, blocked_until_micros) values (?, ?, ?)
            on conflict do update set failures = excluded.failures, blocked_until_micros = excluded.blocked_until_micros";
        sqlx::query(sql)
            .bind(who)
            .bind(tally.failures)
            .bind(tally.blocked_until.as_micros())
            .execute(&mut self.db)
            .await?;
        Ok(())
    }

    async fn count_failure(&mut self, throttled: &[(String, i64)]) -> Result<(), FileError> {
        let now = self.settings.clock.now();
        for (who, forgiven) in throttled {
            let before = self.tally(who).await?;
            self.keep_tally(who, Tally::after_failure(before, *forgiven, now)).await?;
        }
        tracing::warn!(who = %throttled[0].0, "wrong PIN or pairing code");
        Ok(())
    }

    /// A right PIN or code forgives person and device; for the store it outweighs two wrong ones, so that the slips of a whole
    /// year never add up.
    async fn forgive(&mut self, throttled: &[(String, i64)]) -> Result<(), FileError> {
        for (who, _) in throttled {
            match self.tally(who).await? {
                Some(tally) if who == "store" => self.keep_tally(who, tally.forgiven_by_store()).await?,
                Some(_) => {
                    let sql = "delete from throttle where who = ?";
                    sqlx::query(sql).bind(who).execute(&mut self.db).await?;
                }
                None => {}
            }
        }
        Ok(())
    }

    /// A code is used up by one command; the same command may show it again.
    async fn use_code(&mut self, code: &str, id: CommandId) -> Result<bool, FileError> {
        let now = self.settings.clock.now().as_micros();
        let sql = "update pairing set used_by = ?1 where code_hash = ?2 and (used_by = ?1 or (used_by is null and expires_micros > ?3))";
        let hash = code_hash(code);
        let used = sqlx::query(sql)
            .bind(&id.to_bytes()[..])
            .bind(&hash[..])
            .bind(now)
            .execute(&mut self.db)
            .await?;
        Ok(used.rows_affected() == 1)
    }
}

/// A verifier no PIN fits, so that asking for a stranger takes as long as asking for a colleague.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$YmFja3Jvb20tbm9ib2R5$4zMZsPOXeJ1ZQ1pWm9oUjnK0cPBpYXQ1Tz3wGFk9nQo";

fn code_hash(code: &str) -> [u8; 32] {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    Sha256::digest(plain.as_bytes()).into()
}

/// Opens the file of people for its one writer.
pub async fn open(file: &std::path::Path) -> Result<SqliteConnection, FileError> {
    file::writer(file, Flush::Always, &MIGRATIONS).await
}

/// A person who is new to the box.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub id: StaffId,
    pub name: String,
    pub pin: String,
}

/// Adds a person, or gives one a new name and PIN.
pub async fn add_person(db: &mut SqliteConnection, person: &Person) -> Result<(), FileError> {
    let digits = (4..=12).contains(&person.pin.len()) && person.pin.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Err(FileError::Content(format!("the PIN of {} must be 4 to 12 digits", person.id)));
    }
    let params = Params::new(19_456, 2, 1, None).map_err(|error| FileError::Content(error.to_string()))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| FileError::Content(error.to_string()))?;
    let hash = argon2
        .hash_password_with_salt(person.pin.as_bytes(), &salt)
        .map_err(|error| FileError::Content(error.to_string()))?;
    let sql = "insert into staff (id, name, verifier) values (?, ?, ?) on conflict do update set name = excluded.name, verifier = excluded.verifier";
    sqlx::query(sql)
        .bind(person.id.as_str())
        .bind(&person.name)
        .bind(hash.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Makes a pairing code that is good for ten minutes.
pub async fn make_pairing_code(db: &mut SqliteConnection, now: Instant) -> Result<String, FileError> {
    // No letters that look alike.
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| FileError::Content(error.to_string()))?;
    let letters: String = random.iter().map(|byte| LETTERS[usize::from(byte % 32)] as char).collect();
    let code = format!("{}-{}", &letters[..4], &letters[4..]);
    sqlx::query("delete from pairing where expires_micros < ? and used_by is null")
        .bind(now.as_micros())
        .execute(&mut *db)
        .await?;
    let sql = "insert into pairing (code_hash, expires_micros, used_by) values (?, ?, null)";
    sqlx::query(sql)
        .bind(&code_hash(&code)[..])
        .bind(now.as_micros() + 600_000_000)
        .execute(db)
        .await?;
    Ok(code)
}

/// For logs and people: the beginning of a token names it without giving it away.
pub fn token_name(token: &Token) -> String {
    hex(&token[..4])
}
