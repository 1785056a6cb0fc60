//! How a journal gets from a store to head office and is proven to be there, as pure state machines.
//!
//! Owns who sends what again and when, and what may be called held. Knows no network, clock or database: a driver hands
//! in what happened (with the time in milliseconds) and does what the answers say, in their order.
//!
//! The rules, in the order in which they matter:
//!
//! 1. **An entry is its hash.** Each names the hash before it, so the hash at a place proves everything before that place. A
//!    [`Watermark`](crate::directive::Watermark) says: *head office holds the whole chain of this epoch which ends here with
//!    this hash.* A store believes it for its own entries only where its own hash at that place is the same.
//! 2. **An acknowledgement of the stream proves nothing** but that there is no need to hurry. Only a watermark does.
//! 3. **Within an incarnation of head office what was said stays true**, so marks may come late, twice or in any order: the
//!    highest counts. A head office restored from a backup has a new incarnation, and only a *welcome*, the direct answer to the
//!    store's own latest announcement, can introduce it: it can not be older than the question. A mark of a strange
//!    incarnation makes the store announce itself again and is otherwise not believed. (The counter of a watermark is for
//!    people who read logs; nothing here depends on it, so it need not survive a crash of head office.)
//! 4. **A mark which does not fit is proof of the opposite**: entries of our epoch exist that we have not written. Our disk was
//!    set back or copied. That holds whichever incarnation says so, and also for a request to resend what we never had. The
//!    box must open a new epoch before it sells on ([`sender::Output::BehindHeadOffice`]). Of two boxes with one identity only
//!    the one which came second is told so, because marks for all describe the *main* branch alone (the chain that came first);
//!    what is held of other branches is only said in the answer to the box that announced them.
//! 5. **Nothing that was signed by a store is thrown away.** A second chain of the same epoch is stored as a branch of its own
//!    and flagged ([`receiver::Output::Conflict`]) until a person closes it. The chain in which its box stops following
//!    (see 4) is still sent to its end, and pulled by head office if the stream loses it.
//! 6. **Seeing a newer epoch than one's own is no reason to open yet another** (two boxes would chase each other for ever). The
//!    box learns that it was superseded ([`sender::Output::Superseded`]), loses rights, and its facts go on as they are.

pub mod receiver;
pub mod sender;
pub mod sim;
mod stretches;
