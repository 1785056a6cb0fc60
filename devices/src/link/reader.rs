//! The link to an RFID reader: connects, orders an inventory, and hands on which tags are seen.
//!
//! Owns one connection with its patience: the greeting, requests with a timeout, the answers to keepalives, and the order for an
//! inventory, of which an older one of ours is removed first. Never connects anew by itself. Which tags are one and the same
//! thing on the shelf, and how often it counts, belongs to whoever counts: readers repeat themselves.

mod order;
mod wire;

use std::collections::VecDeque;
use std::time::Duration;

use backroom_core::epc::{Epc, EpcError};
use backroom_llrp::capabilities::CapabilitiesWanted;
use backroom_llrp::config::{EventNotificationState, EventType, KeepaliveSpec, KeepaliveTrigger, ReaderEventNotificationSpec};
use backroom_llrp::event::{AntennaEventType, ConnectionAttempt, ReaderEventNotificationData, RoSpecEventType};
use backroom_llrp::frame::{Message, Side};
use backroom_llrp::message::{
    AddRoSpec, CloseConnection, DeleteRoSpec, EnableEventsAndReports, EnableRoSpec, GetReaderCapabilities, KeepaliveAck, Said,
    SetReaderConfig, StartRoSpec, StopRoSpec,
};
use backroom_llrp::message_type::MessageType;
use backroom_llrp::report::{TagReport, tag_reports};
use tokio::time::Instant;

use self::order::order;
use self::wire::Wire;
use super::LinkDown;

/// Tags taken in while an answer is waited for. A reader that says more in that time is not one to wait for.
const MOST_TAGS_WAITING: usize = 200_000;

/// How long a reader may take, and which of its orders is ours.
#[derive(Clone, Debug)]
pub struct ReaderSettings {
    /// For reaching it, and for each answer, the greeting included.
    pub request_timeout: Duration,
    /// How often the reader is to say that it lives. Silence of two and a half of these is its end.
    pub keepalive: Duration,
    /// The number of our order at the reader; an older one under it is removed.
    pub rospec: u32,
}

impl Default for ReaderSettings {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(5),
            keepalive: Duration::from_secs(5),
            rospec: 5084,
        }
    }
}

/// What to read.
#[derive(Clone, Debug)]
pub struct InventoryPlan {
    /// By their numbers at the reader; none is all of them.
    pub antennas: Vec<u16>,
    /// A report is sent once it holds so many tags. With 1 each is told as soon as it is read.
    pub tags_per_report: u16,
}

impl Default for InventoryPlan {
    fn default() -> Self {
        Self {
            antennas: Vec::new(),
            tags_per_report: 1,
        }
    }
}

/// What the reader says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutReader {
    pub antennas: u16,
    /// The maker, by its private enterprise number.
    pub maker: u32,
    pub model: u32,
    pub firmware: String,
}

/// A tag, as often as the reader tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagSeen {
    /// The bits of its EPC memory.
    pub epc: Vec<u8>,
    pub antenna: Option<u16>,
    pub rssi_dbm: Option<i8>,
    /// Microseconds since 1970, by the reader's clock, which may be wrong.
    pub first_seen_utc_us: Option<u64>,
    pub last_seen_utc_us: Option<u64>,
    /// How often it was read for this report.
    pub count: u16,
}

impl TagSeen {
    /// What the tag names; tags of strangers name nothing we know.
    pub fn epc(&self) -> Result<Epc, EpcError> {
        Epc::from_bytes(&self.epc)
    }

    /// The bits as small hexadecimal digits.
    pub fn epc_hex(&self) -> String {
        use std::fmt::Write as _;
        self.epc.iter().fold(String::new(), |mut hex, byte| {
            // Writing into a String can not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

impl From<TagReport> for TagSeen {
    fn from(tag: TagReport) -> Self {
        Self {
            epc: tag.epc.bytes().to_vec(),
            antenna: tag.antenna,
            rssi_dbm: tag.peak_rssi_dbm,
            first_seen_utc_us: tag.first_seen_utc_us,
            last_seen_utc_us: tag.last_seen_utc_us,
            count: tag.seen_count.unwrap_or(1),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReaderEvent {
    /// Of the inventory that runs; the same tag may come again, also within one report.
    Tags(Vec<TagSeen>),
    /// The reader lives; it was answered.
    Keepalive,
    AntennaLost(u16),
    AntennaFound(u16),
    /// After the last tags of an inventory, whether it was stopped or ended by itself.
    InventoryEnded,
}

/// Why there is no link, or no longer one. Drop it and connect anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReaderDown {
    #[error("could not reach the RFID reader at {address}: {why}; check its power and its network cable")]
    Unreachable { address: String, why: String },
    #[error("the RFID reader at {address} serves another program; disconnect that one first")]
    Busy { address: String },
    #[error("the RFID reader did not answer {asked} within {waited:?}; switch it off and on if this goes on")]
    Silent { asked: MessageType, waited: Duration },
    #[error("the RFID reader has said nothing for {waited:?}, and missed two keepalives; switch it off and on if this goes on")]
    MissedKeepalives { waited: Duration },
    #[error("the RFID reader refused {asked}: {status}")]
    Refused { asked: MessageType, status: String },
    #[error("the RFID reader cannot be understood: {why}")]
    Garbled { why: String },
    #[error("the RFID reader closed the connection")]
    Closed,
    #[error("the connection to the RFID reader broke: {why}")]
    Lost { why: String },
    #[error("the RFID reader reported {tags} tags without answering {asked}")]
    Flooded { asked: MessageType, tags: usize },
}

impl From<ReaderDown> for LinkDown {
    fn from(down: ReaderDown) -> Self {
        Self::new(down.to_string())
    }
}

/// The inventory of this link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inventory {
    /// None was ordered; what the reader may still report is from an older one.
    Idle,
    Running,
    Stopping,
    /// Ended by itself; its last tags may still come.
    Ended,
}

#[derive(Debug)]
pub struct ReaderLink {
    wire: Wire,
    settings: ReaderSettings,
    about: AboutReader,
    inventory: Inventory,
    /// Told by the reader while an answer was waited for, and not yet taken.
    waiting: VecDeque<ReaderEvent>,
    tags_waiting: usize,
}

impl ReaderLink {
    /// Returns once the reader has greeted, said what it can do, knows how to tell that it lives, and holds no older order of ours.
    pub async fn connect(address: &str, settings: ReaderSettings) -> Result<Self, ReaderDown> {
        let wire = Wire::connect(address, settings.request_timeout).await?;
        let mut link = Self {
            wire,
            settings,
            about: AboutReader {
                antennas: 0,
                maker: 0,
                model: 0,
                firmware: String::new(),
            },
            inventory: Inventory::Idle,
            waiting: VecDeque::new(),
            tags_waiting: 0,
        };
        link.greeting(address).await?;
        link.ask_about().await?;
        link.configure().await?;
        link.remove_order().await?;
        // Readers may be set to hold reports back until this; it gets no answer.
        link.wire.say(&EnableEventsAndReports {}.into())?;
        Ok(link)
    }

    pub fn about(&self) -> &AboutReader {
        &self.about
    }

    /// Begins to read. Tags of an earlier inventory that were not yet taken are dropped.
    pub async fn start_inventory(&mut self, plan: InventoryPlan) -> Result<(), ReaderDown> {
        self.remove_order().await?;
        self.inventory = Inventory::Idle;
        self.waiting.clear();
        self.tags_waiting = 0;
        let rospec = self.settings.rospec;
        self.request(AddRoSpec {
            rospec: order(rospec, plan),
        })
        .await?;
        self.inventory = Inventory::Running;
        let started = async {
            self.request(EnableRoSpec { rospec }).await?;
            self.request(StartRoSpec { rospec }).await
        };
        let started = started.await;
        if started.is_err() {
            self.inventory = Inventory::Idle;
        }
        started.map(drop)
    }

    /// The next thing the reader tells. May be given up at any time without losing anything, and asked again; keepalives are
    /// answered here, so ask again soon.
    pub async fn next(&mut self) -> Result<ReaderEvent, ReaderDown> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                if let ReaderEvent::Tags(tags) = &event {
                    self.tags_waiting -= tags.len();
                }
                return Ok(event);
            }
            let patience = self.settings.keepalive * 5 / 2;
            let deadline = self.wire.last_heard() + patience;
            let Some(message) = self.wire.hear(deadline).await? else {
                return Err(ReaderDown::MissedKeepalives { waited: patience });
            };
            if let Some(answer) = self.take(message)? {
                tracing::debug!(kind = %answer.kind, id = answer.id, "the RFID reader answered what nobody waits for");
            }
        }
    }

    /// Ends the inventory. The last tags, and then `InventoryEnded`, still come out of [`Self::next`].
    pub async fn stop(&mut self) -> Result<(), ReaderDown> {
        if self.inventory == Inventory::Idle {
            return Ok(());
        }
        let already_ended = self.inventory == Inventory::Ended;
        self.inventory = Inventory::Stopping;
        let rospec = self.settings.rospec;
        match self.request(StopRoSpec { rospec }).await {
            // It may end by itself while we ask; removing the order is what counts.
            Ok(_) | Err(ReaderDown::Refused { .. }) => {}
            Err(down) => return Err(down),
        }
        self.request(DeleteRoSpec { rospec }).await?;
        self.inventory = Inventory::Idle;
        if !already_ended {
            self.waiting.push_back(ReaderEvent::InventoryEnded);
        }
        Ok(())
    }

    /// Says goodbye, so that the reader is free at once for whoever comes next.
    pub async fn close(mut self) -> Result<(), ReaderDown> {
        self.request(CloseConnection {}).await.map(drop)
    }

    /// Until this, a client has to be silent.
    async fn greeting(&mut self, address: &str) -> Result<(), ReaderDown> {
        let waited = self.settings.request_timeout;
        let deadline = Instant::now() + waited;
        loop {
            let Some(message) = self.wire.hear(deadline).await? else {
                return Err(ReaderDown::Silent {
                    asked: MessageType::READER_EVENT_NOTIFICATION,
                    waited,
                });
            };
            let Some(Said::ReaderEventNotification(said)) = read(&message)? else {
                continue;
            };
            let Some(attempt) = said.event.attempt else { continue };
            return match attempt.status {
                ConnectionAttempt::Success => Ok(()),
                ConnectionAttempt::ReaderInitiatedConnectionExists | ConnectionAttempt::ClientInitiatedConnectionExists => {
                    Err(ReaderDown::Busy {
                        address: address.to_owned(),
                    })
                }
                status => Err(ReaderDown::Refused {
                    asked: MessageType::READER_EVENT_NOTIFICATION,
                    status: format!("{status:?}"),
                }),
            };
        }
    }

    async fn ask_about(&mut self) -> Result<(), ReaderDown> {
        let wanted = GetReaderCapabilities {
            wanted: CapabilitiesWanted::GeneralDevice,
            custom: Vec::new(),
        };
        let Said::GetReaderCapabilitiesResponse(said) = self.request(wanted).await? else {
            return Err(other_answer(MessageType::GET_READER_CAPABILITIES));
        };
        let Some(device) = said.device else {
            return Err(other_answer(MessageType::GET_READER_CAPABILITIES));
        };
        self.about = AboutReader {
            antennas: device.antennas,
            maker: device.maker,
            model: device.model,
            firmware: device.firmware,
        };
        Ok(())
    }

    async fn configure(&mut self) -> Result<(), ReaderDown> {
        let told = [EventType::RoSpec, EventType::ReaderException, EventType::Antenna];
        let period_ms = u32::try_from(self.settings.keepalive.as_millis()).unwrap_or(u32::MAX);
        self.request(SetReaderConfig {
            // The reader's power and modes were set by whoever mounted it.
            reset_to_factory_default: false,
            events: Some(ReaderEventNotificationSpec {
                states: told.map(|event| EventNotificationState { event, told: true }).into(),
            }),
            antennas: Vec::new(),
            antenna_configurations: Vec::new(),
            report: None,
            access_report: None,
            keepalive: Some(KeepaliveSpec {
                trigger: KeepaliveTrigger::Periodic,
                period_ms,
            }),
            gpo: Vec::new(),
            gpi: Vec::new(),
            hold: None,
            custom: Vec::new(),
        })
        .await
        .map(drop)
    }

    /// A reader keeps its orders when the connection breaks. That there is none is no fault.
    async fn remove_order(&mut self) -> Result<(), ReaderDown> {
        let rospec = self.settings.rospec;
        match self.request(DeleteRoSpec { rospec }).await {
            Ok(_) | Err(ReaderDown::Refused { .. }) => Ok(()),
            Err(down) => Err(down),
        }
    }

    /// Sends, and waits for the answer that carries the same id; what is told meanwhile is kept for [`Self::next`].
    async fn request(&mut self, said: impl Into<Said>) -> Result<Said, ReaderDown> {
        let said = said.into();
        let asked = said.kind();
        let id = self.wire.say(&said)?;
        let waited = self.settings.request_timeout;
        let deadline = Instant::now() + waited;
        loop {
            let Some(message) = self.wire.hear(deadline).await? else {
                return Err(ReaderDown::Silent { asked, waited });
            };
            let Some(answer) = self.take(message)? else {
                if self.tags_waiting.max(self.waiting.len()) > MOST_TAGS_WAITING {
                    let tags = self.tags_waiting;
                    return Err(ReaderDown::Flooded { asked, tags });
                }
                continue;
            };
            // Readers that could not read a request at all may not know its id.
            let ours = answer.id == id || answer.kind == MessageType::ERROR_MESSAGE && answer.id == 0;
            if !ours {
                tracing::debug!(kind = %answer.kind, id = answer.id, "the RFID reader answered late");
                continue;
            }
            let answer = read(&answer)?.ok_or_else(|| other_answer(asked))?;
            return match answer.status() {
                Some(status) if status.is_success() => Ok(answer),
                Some(status) => Err(ReaderDown::Refused {
                    asked,
                    status: status.to_string(),
                }),
                None => Err(other_answer(asked)),
            };
        }
    }

    /// Keeps what the reader tells unasked, answers keepalives, and gives back what is an answer.
    fn take(&mut self, message: Message) -> Result<Option<Message>, ReaderDown> {
        match message.kind {
            MessageType::KEEPALIVE => {
                self.wire.answer(&KeepaliveAck {}.into(), message.id)?;
                self.waiting.push_back(ReaderEvent::Keepalive);
            }
            MessageType::RO_ACCESS_REPORT => self.take_tags(&message)?,
            MessageType::READER_EVENT_NOTIFICATION => match Said::read(&message, Side::Client) {
                Ok(Some(Said::ReaderEventNotification(said))) => self.take_event(said.event)?,
                // Newer readers tell of things that are not read here; none of them is needed.
                unread => tracing::debug!(?unread, "an event of the RFID reader is not understood"),
            },
            _ => return Ok(Some(message)),
        }
        Ok(None)
    }

    fn take_tags(&mut self, message: &Message) -> Result<(), ReaderDown> {
        let mut tags = Vec::new();
        let mut wrong = None;
        for tag in tag_reports(&message.body) {
            match tag {
                Ok(tag) if tag.rospec_id.is_none_or(|id| id == self.settings.rospec) => tags.push(TagSeen::from(tag)),
                Ok(_) => {}
                Err(why) => wrong = Some(why),
            }
        }
        if self.inventory != Inventory::Idle && !tags.is_empty() {
            self.tags_waiting += tags.len();
            self.waiting.push_back(ReaderEvent::Tags(tags));
        }
        match wrong {
            None => Ok(()),
            // Those after it are lost, so the inventory has to begin anew; those before it were seen all the same.
            Some(why) => self
                .wire
                .over(ReaderDown::Garbled { why: why.to_string() }, self.waiting.is_empty()),
        }
    }

    fn take_event(&mut self, event: ReaderEventNotificationData) -> Result<(), ReaderDown> {
        if event.close.is_some() {
            return self.wire.over(ReaderDown::Closed, self.waiting.is_empty());
        }
        if let Some(exception) = event.exception {
            tracing::warn!(message = exception.message, "the RFID reader complains");
        }
        if let Some(attempt) = event.attempt {
            tracing::warn!(status = ?attempt.status, "another program tries to use the RFID reader");
        }
        if let Some(antenna) = event.antenna {
            self.waiting.push_back(match antenna.event {
                AntennaEventType::Disconnected => ReaderEvent::AntennaLost(antenna.antenna),
                AntennaEventType::Connected => ReaderEvent::AntennaFound(antenna.antenna),
            });
        }
        let ended = event
            .rospec
            .is_some_and(|order| order.rospec == self.settings.rospec && order.event != RoSpecEventType::Start);
        if ended && self.inventory == Inventory::Running {
            self.inventory = Inventory::Ended;
            self.waiting.push_back(ReaderEvent::InventoryEnded);
        }
        Ok(())
    }
}

fn read(message: &Message) -> Result<Option<Said>, ReaderDown> {
    Said::read(message, Side::Client).map_err(|why| ReaderDown::Garbled {
        why: format!("{}: {why}", message.kind),
    })
}

fn other_answer(asked: MessageType) -> ReaderDown {
    ReaderDown::Garbled {
        why: format!("{asked} was answered with something else"),
    }
}
