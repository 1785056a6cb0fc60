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
    /// Messages a wire lost.
    lost,
    /// Messages of the stream that head office got again.
    redelivered,
    /// Messages the stream took for known by their id.
    swallowed,
    /// All or half of what the stream had acknowledged was gone.
    wiped,
    box_restarts,
    office_restarts,
    /// Head office crashed before a commit, so that its work was undone.
    undone,
    /// Head office came back with an older database and a new incarnation.
    older_office,
    /// A box noticed that.
    forgotten,
    /// A box got an older disk.
    set_back,
    /// A second box with the same identity appeared.
    copied,
    /// A box came back with an empty disk.
    replaced,
    /// Head office asked for a range.
    resend,
    /// A box learned that head office is there, but without what the stream had acknowledged, and published it again.
    sent_again,
    /// A stretch behind a gap found its place.
    gap_closed,
    /// Two chains of one epoch.
    conflict,
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
}
