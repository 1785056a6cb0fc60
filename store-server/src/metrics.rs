//! What a Prometheus asks for: figures of the box since its start, as text. Their names are a promise (docs/contracts.md).

use std::fmt::{Display, Write};
use std::time::Duration;

use backroom_actors::store::Store;
use backroom_actors::supervisor::ChildState;

/// A register that does not say by then how many tickets it has open is not counted.
const ASK_REGISTERS: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Page(String);

impl Page {
    /// Begins a metric; its values follow.
    fn metric(&mut self, name: &'static str, kind: &str, help: &str) -> Values<'_> {
        // Writing to a text can not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Values { page: self, name }
    }

    fn gauge(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.metric(name, "gauge", help).is(value);
    }

    fn counter(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.metric(name, "counter", help).is(value);
    }
}

struct Values<'a> {
    page: &'a mut Page,
    name: &'static str,
}

impl Values<'_> {
    fn is(&mut self, value: impl Display) {
        let _ = writeln!(self.page.0, "{} {value}", self.name);
    }

    /// Labels here are codes and names of a-z, 0-9 and a few signs; what is not is made so.
    fn of(&mut self, label: &str, said: &str, value: impl Display) {
        let said: String = said.chars().filter(|letter| !matches!(letter, '"' | '\\' | '\n')).collect();
        let _ = writeln!(self.page.0, "{}{{{label}=\"{said}\"}} {value}", self.name);
    }

    fn part(&mut self, part: &str, value: impl Display) {
        let _ = writeln!(self.page.0, "{}{part} {value}", self.name);
    }
}

pub async fn page(store: &Store) -> String {
    let mut page = Page::default();
    journal(&mut page, store);
    selling(&mut page, store).await;
    actors(&mut page, store).await;
    page.0
}

fn journal(page: &mut Page, store: &Store) {
    let (head, link) = (store.head(), store.link().borrow().clone());
    page.gauge("backroom_journal_epoch", "Epoch of the journal.", head.epoch.0);
    page.gauge("backroom_journal_entries", "Entries of the current epoch.", head.seq.0);
    let held = "Entries of the current epoch that are proven to be at head office.";
    page.gauge("backroom_journal_held_entries", held, link.held);
    let unheld = "Entries of all epochs that are not proven to be at head office.";
    page.gauge("backroom_journal_unheld_entries", unheld, link.unheld);
    let connected = "1 while head office's broker can be reached.";
    page.gauge("backroom_hq_connected", connected, u64::from(link.connected));
    let journal = &store.shop().journal;
    let flushes = "Flushes of the journal; commands that wait share one.";
    page.counter("backroom_journal_flushes_total", flushes, journal.flushes());
    let (classes, count, seconds) = journal.flush_durations().so_far();
    let took = "How long flushes of the journal took.";
    let mut durations = page.metric("backroom_journal_flush_seconds", "histogram", took);
    for (end, at_most) in classes {
        durations.part(&format!("_bucket{{le=\"{end}\"}}"), at_most);
    }
    durations.part("_bucket{le=\"+Inf\"}", count);
    durations.part("_sum", seconds);
    durations.part("_count", count);
}

async fn selling(page: &mut Page, store: &Store) {
    let figures = &store.shop().figures;
    page.counter("backroom_sales_total", "Sales that were closed.", figures.sales());
    page.counter("backroom_returns_total", "Returns that were closed.", figures.returns());
    let mut refused = page.metric("backroom_refused_total", "counter", "Calls that were refused, by stable code.");
    for (code, times) in figures.refusals() {
        refused.of("code", &code, times);
    }
    let registers = store.shop().passes.borrow().seats().count();
    page.gauge("backroom_registers", "Registers of this store.", registers);
    let open = store.count_open_tickets(ASK_REGISTERS).await;
    page.gauge("backroom_open_tickets", "Tickets that are open, on registers that answer.", open);
}

async fn actors(page: &mut Page, store: &Store) {
    let actors = store.actors().await;
    let mut running = page.metric("backroom_actor_running", "gauge", "1 while an actor runs.");
    for actor in &actors {
        running.of("actor", &actor.name, u64::from(actor.state == ChildState::Running));
    }
    let mut restarts = page.metric("backroom_actor_restarts_total", "counter", "Restarts of an actor.");
    for actor in &actors {
        restarts.of("actor", &actor.name, actor.restarts);
    }
    let mut waiting = page.metric(
        "backroom_actor_waiting",
        "gauge",
        "Questions in an actor's mailbox that are not answered yet.",
    );
    for actor in &actors {
        waiting.of("actor", &actor.name, actor.waiting);
    }
}
