//! The names of everything that travels through the broker: subjects, streams, consumers, headers, inboxes.
//!
//! Owns the spelling, in one place for store and head office. Opens no connection and decides nothing; the rights which
//! the broker enforces are rendered from the patterns in here.
//!
//! Tenant and store are slugs (`is_slug`). A slug holds no dot, star or `>`, so no name can widen a subject; whoever
//! calls hands in slugs which were checked where they entered.

use std::fmt;

/// Longest tenant or store id.
pub const SLUG_MAX_LEN: usize = 16;

/// The one stream of a tenant which keeps what its stores send until head office has it.
pub const UP_STREAM: &str = "UP";

/// Head office's durable consumer on [`UP_STREAM`].
pub const UP_CONSUMER: &str = "hq-ingest";

/// The broker drops a message whose id it has seen within its duplicate window; see `federation::sender::Message::id` in core.
pub const MESSAGE_ID_HEADER: &str = "Nats-Msg-Id";

const ROOT: &str = "br.v1";

/// What head office tells a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Down {
    /// How far head office holds and has applied the store's journal.
    Watermark,
    /// Please send this range of the journal again.
    Resend,
    /// A price, a catalog change, a stop-sale.
    Directive,
    /// Answer to the store's announcement: the epoch it writes in, and where to go on.
    Welcome,
}

impl Down {
    pub const ALL: [Down; 4] = [Down::Watermark, Down::Resend, Down::Directive, Down::Welcome];

    /// The last word of the subject.
    pub fn as_str(self) -> &'static str {
        match self {
            Down::Watermark => "watermark",
            Down::Resend => "resend",
            Down::Directive => "directive",
            Down::Welcome => "welcome",
        }
    }
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a text may be a tenant or store id: a small letter, then up to 15 small letters, digits or hyphens.
pub fn is_slug(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= SLUG_MAX_LEN
        && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|next| next.is_ascii_lowercase() || next.is_ascii_digit() || next == b'-')
}

/// Where a store publishes batches of its journal.
pub fn up_journal(tenant: &str, store: &str) -> String {
    format!("{ROOT}.{tenant}.{store}.up.journal")
}

/// The journals of all stores of a tenant: what [`UP_STREAM`] keeps.
pub fn up_journals(tenant: &str) -> String {
    up_journal(tenant, "*")
}

/// Where a store announces itself. A plain request which no stream keeps: it is only of use to somebody who listens now.
pub fn up_hello(tenant: &str, store: &str) -> String {
    format!("{ROOT}.{tenant}.{store}.up.hello")
}

/// The announcements of all stores of a tenant.
pub fn up_hellos(tenant: &str) -> String {
    up_hello(tenant, "*")
}

/// Everything a store may publish.
pub fn up_all(tenant: &str, store: &str) -> String {
    format!("{ROOT}.{tenant}.{store}.up.>")
}

/// Where head office tells a store one thing.
pub fn down(tenant: &str, store: &str, what: Down) -> String {
    format!("{ROOT}.{tenant}.{store}.down.{what}")
}

/// Everything head office tells a store; beside its inbox all a store may subscribe to.
pub fn down_all(tenant: &str, store: &str) -> String {
    format!("{ROOT}.{tenant}.{store}.down.>")
}

/// A store must set this as its client's inbox prefix, else no answer and no acknowledgement ever reaches it.
pub fn inbox_prefix(store: &str) -> String {
    format!("_INBOX_{store}")
}

/// All inboxes of a store.
pub fn inbox_all(store: &str) -> String {
    format!("{}.>", inbox_prefix(store))
}

/// The tenant and the store in a subject which a store published on, and the words after `up.`.
///
/// The broker lets a store publish under its own name only; so who sent a message is read here, not in the message.
pub fn sender(subject: &str) -> Option<(&str, &str, &str)> {
    let (tenant, rest) = subject.strip_prefix(ROOT)?.strip_prefix('.')?.split_once('.')?;
    let (store, rest) = rest.split_once('.')?;
    let what = rest.strip_prefix("up.")?;
    (is_slug(tenant) && is_slug(store) && !what.is_empty()).then_some((tenant, store, what))
}

/// For fuzzers: any subject names a sender or nobody; a sender's subject is the one it would publish on.
pub fn fuzz_one(bytes: &[u8]) {
    let subject = String::from_utf8_lossy(bytes);
    if let Some((tenant, store, what)) = sender(&subject) {
        assert!(is_slug(tenant) && is_slug(store));
        assert_eq!(format!("{ROOT}.{tenant}.{store}.up.{what}"), subject);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written down by stores in the field and in the rights which the broker enforces: if this fails, revert your change.
    #[test]
    fn names_on_the_wire_stay_as_they_are() {
        assert_eq!(up_journal("nord", "harbour"), "br.v1.nord.harbour.up.journal");
        assert_eq!(up_journals("nord"), "br.v1.nord.*.up.journal");
        assert_eq!(up_hello("nord", "harbour"), "br.v1.nord.harbour.up.hello");
        assert_eq!(up_hellos("nord"), "br.v1.nord.*.up.hello");
        assert_eq!(up_all("nord", "harbour"), "br.v1.nord.harbour.up.>");
        assert_eq!(down_all("nord", "harbour"), "br.v1.nord.harbour.down.>");
        let told = Down::ALL.map(|what| down("nord", "harbour", what));
        assert_eq!(
            told,
            ["watermark", "resend", "directive", "welcome"].map(|what| format!("br.v1.nord.harbour.down.{what}"))
        );
        assert_eq!(inbox_prefix("harbour"), "_INBOX_harbour");
        assert_eq!(inbox_all("harbour"), "_INBOX_harbour.>");
        assert_eq!((UP_STREAM, UP_CONSUMER, MESSAGE_ID_HEADER), ("UP", "hq-ingest", "Nats-Msg-Id"));
    }

    #[test]
    fn a_slug_can_never_widen_a_subject() {
        for good in ["a", "nord", "shop-2", "abcdefghijklmnop"] {
            assert!(is_slug(good), "{good}");
        }
        for bad in [
            "",
            "2nd",
            "-a",
            "Nord",
            "a.b",
            "a*",
            "*",
            ">",
            "a b",
            "a_b",
            "käse",
            "abcdefghijklmnopq",
        ] {
            assert!(!is_slug(bad), "{bad}");
        }
    }

    #[test]
    fn the_sender_is_read_from_the_subject() {
        assert_eq!(sender(&up_journal("nord", "harbour")), Some(("nord", "harbour", "journal")));
        assert_eq!(sender(&up_hello("nord", "harbour")), Some(("nord", "harbour", "hello")));
        let from_nobody = [
            "",
            "br.v1",
            "br.v1.nord.harbour.up.",
            "br.v1.nord.harbour.up",
            "br.v1.nord.*.up.journal",
            "br.v1..harbour.up.journal",
            "br.v2.nord.harbour.up.journal",
            "br.v1nord.harbour.up.journal",
            "br.v1.nord.harbour.down.resend",
        ];
        for subject in from_nobody {
            assert_eq!(sender(subject), None, "{subject}");
        }
    }
}
