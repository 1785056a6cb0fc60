//! How often the rare things happened: a schedule that never reached them proves nothing about them.

macro_rules! reached {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Reached {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Reached {
            pub fn add(&mut self, other: &Reached) {
                $(self.$name += other.$name;)*
            }

            /// By name, for reports and to find one that is zero.
            pub fn each(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name)),*]
            }
        }
    };
}

reached! {
    /// Messages a wire lost, delivered twice, or delivered after a later one.
    lost,
    doubled,
    reordered,
    /// Messages of the stream that head office got again.
    redelivered,
    /// Messages the stream took for known by their id.
    swallowed,
    /// All or half of what the stream had acknowledged was gone.
    wiped,
    /// The stream gave a number again that its reader had seen, so that the reader never heard of the message.
    stream_number_reused,
    box_restarts,
    office_restarts,
    /// A box or head office stopped between two steps of one answer.
    box_crashes,
    office_crashes,
    /// Head office crashed before a commit, so that its work was undone.
    undone,
    /// Head office came back with an older database and a new incarnation.
    older_office,
    /// A box noticed that.
    forgotten,
    /// A box got an older disk.
    set_back,
    /// A box wrote another entry where one of its store stood before.
    reused_sequence,
    /// A second box with the same identity appeared.
    copied,
    /// A box came back with an empty disk.
    replaced,
    /// A box can not read some of its entries any more.
    damaged,
    /// Head office asked for a range, and for one that nobody has any more.
    resend,
    resend_in_vain,
    /// A box learned that head office is there, but without what the stream had acknowledged, and published it again.
    sent_again,
    /// A stretch behind a gap found its place.
    gap_closed,
    /// A person attested that entries are lost for ever, and head office stopped asking.
    chain_break,
    /// Two chains of one epoch, and a person who looked at the second.
    conflict,
    branch_closed,
    /// A box opened a new epoch.
    epoch_opened,
    /// A box learned that head office has what it has not, by a mark.
    behind_by_mark,
    /// The same, because it was asked for it.
    behind_by_resend,
    /// A box learned of a newer epoch than its own.
    superseded,
    /// A batch was too large for one message.
    cut,
    /// A chain that is not the main one was confirmed to its box.
    branch_confirmed,
    /// Messages that were signed by nobody we know, and dropped.
    forged,
    /// Programs changed their version.
    versions_changed,
    /// Messages with fields, and of a sort, that the other side has never heard of.
    unknown_fields,
    unknown_messages,
    /// Entries of a kind that head office did not know and carried; and took in after an update.
    unknown_kind,
    unknown_kind_taken,
    /// Entries that waited in quarantine, entries that waited behind one, and those that were read after an update.
    quarantined,
    behind_quarantine,
    quarantine_resolved,
}
