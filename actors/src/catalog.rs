//! The catalog: keeps the snapshot registers sell from, and follows the price directives of head office in their order.
//!
//! A directive is journaled before it is in the snapshot. One that comes twice is known by its number; one that comes early waits at head
//! office, which sends again until the journal shows it. After a restart the snapshot is built from the file beside the
//! journal and the directives in it.

use std::path::PathBuf;
use std::sync::Arc;

use backroom_core::catalog::{Catalog, CatalogFile};
use backroom_core::directive::{Directive, Order};
use backroom_core::facts::{CatalogApplied, DirectiveRefused, Fact, Kind, PriceDirected};
use backroom_core::journal::Hash;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::sync::watch;

use crate::door::Door;
use crate::file::FileError;
use crate::journal::reader::Reader;
use crate::journal::writer::committed_from;
use crate::journal::{Append, Journal};
use crate::supervisor::Child;

#[derive(Debug)]
pub enum Message {
    /// Head office orders something; its signature was checked. Answers the number of the last directive followed.
    Directive {
        directive: Box<Directive>,
        reply: RpcReplyPort<u64>,
    },
    Strike,
}

/// What the actor needs.
#[derive(Clone)]
pub struct Settings {
    pub journal: Journal,
    pub reader: Reader,
    /// Where catalogs lie, named by hash.
    pub folder: PathBuf,
    pub snapshot: watch::Sender<Arc<Catalog>>,
    /// Number of the last directive that is in the journal.
    pub through: watch::Sender<u64>,
}

/// The actor.
pub struct CatalogActor;

/// How the root keeps the catalog alive.
pub fn child(settings: Settings, door: Arc<Door<Message>>) -> Child {
    let own = door.clone();
    door.child(
        "catalog",
        || Message::Strike,
        move || (CatalogActor, (settings.clone(), own.clone())),
    )
}

/// Puts a catalog beside the journal and names it. The file is complete and flushed before its name is known to anybody.
pub fn store_file(folder: &std::path::Path, text: &[u8], file: &CatalogFile) -> std::io::Result<CatalogApplied> {
    use std::io::Write;
    std::fs::create_dir_all(folder)?;
    let hash = Hash::of(text);
    let (fresh, named) = (folder.join(format!("{hash}.new")), folder.join(format!("{hash}.json")));
    let mut out = std::fs::File::create(&fresh)?;
    out.write_all(text)?;
    out.sync_all()?;
    std::fs::rename(&fresh, named)?;
    std::fs::File::open(folder)?.sync_all()?;
    Ok(CatalogApplied {
        version: file.version,
        hash,
        items: file.items.len() as u64,
    })
}

/// A catalog that was applied once, without what was ordered since.
pub fn read(applied: &CatalogApplied, folder: &std::path::Path) -> Result<Catalog, FileError> {
    let content = |why: String| FileError::Content(why);
    let path = folder.join(format!("{}.json", applied.hash));
    let text = std::fs::read(&path).map_err(|error| content(format!("{} can not be read: {error}", path.display())))?;
    if Hash::of(&text) != applied.hash {
        return Err(content(format!("{} was changed; restore it", path.display())));
    }
    let file: CatalogFile = serde_json::from_slice(&text).map_err(|error| content(format!("{}: {error}", path.display())))?;
    Catalog::new(file).map_err(|error| content(format!("{}: {error}", path.display())))
}

/// The catalog as the journal says it is, and the number of the last directive in it.
pub async fn load(reader: &Reader, folder: &std::path::Path) -> Result<(Catalog, u64), FileError> {
    let content = |why: String| FileError::Content(why);
    let applied = reader.rare(Kind::CatalogApplied).await?;
    let newest = applied
        .last()
        .ok_or_else(|| content("no catalog was ever applied; set the box up again".into()))?;
    let Fact::CatalogApplied(applied) = &*committed_from(newest)?.fact.clone() else {
        return Err(content("the catalog's entry is not readable".into()));
    };
    let mut catalog = read(applied, folder)?;
    let mut through = 0;
    for entry in reader.rare(Kind::PriceDirected).await? {
        if let Fact::PriceDirected(directed) = &*committed_from(&entry)?.fact {
            // An item that a newer catalog no longer has needs no price.
            let _ = catalog.schedule(directed.directive, &directed.change);
            through = through.max(directed.directive);
        }
    }
    for entry in reader.rare(Kind::DirectiveRefused).await? {
        if let Fact::DirectiveRefused(refused) = &*committed_from(&entry)?.fact {
            through = through.max(refused.directive);
        }
    }
    Ok((catalog, through))
}

impl Actor for CatalogActor {
    type Msg = Message;
    type State = Settings;
    type Arguments = (Settings, Arc<Door<Message>>);

    async fn pre_start(&self, me: ActorRef<Message>, (settings, door): Self::Arguments) -> Result<Settings, ActorProcessingErr> {
        let (catalog, through) = load(&settings.reader, &settings.folder).await?;
        settings.snapshot.send_replace(Arc::new(catalog));
        settings.through.send_replace(through);
        door.opened_by(me);
        Ok(settings)
    }

    async fn handle(&self, _me: ActorRef<Message>, message: Message, settings: &mut Settings) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Directive { directive, reply } => {
                follow(settings, *directive).await?;
                drop(reply.send(*settings.through.borrow())); // The asker may have left.
            }
            Message::Strike => panic!("struck down on purpose"),
        }
        Ok(())
    }
}

/// An error here restarts the actor, which then reads from the journal whether the directive is in it.
async fn follow(settings: &Settings, directive: Directive) -> Result<(), ActorProcessingErr> {
    if directive.number != *settings.through.borrow() + 1 {
        return Ok(());
    }
    let Order::Price(change) = directive.order;
    let mut catalog = Catalog::clone(&settings.snapshot.borrow());
    let fact = match catalog.schedule(directive.number, &change) {
        Ok(()) => Fact::PriceDirected(PriceDirected {
            directive: directive.number,
            change,
        }),
        Err(error) => Fact::DirectiveRefused(DirectiveRefused {
            directive: directive.number,
            why: error.to_string(),
        }),
    };
    settings.journal.append(Append::by_the_box(fact)).await?;
    settings.snapshot.send_replace(Arc::new(catalog));
    settings.through.send_replace(directive.number);
    Ok(())
}
