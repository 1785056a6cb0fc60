//! Stories of boxes that were set back, replaced and copied.

use super::*;
use crate::facts::EpochOpened;
use crate::journal::tests::header;
use crate::journal::{BreakCause, Seal};
use crate::time::Instant;

fn opened(epochs: &mut Epochs, epoch: u32, previous: Option<EpochEnd>) {
    let mut first = header(1, Hash::ZERO);
    first.epoch = Epoch(epoch);
    let fact = Fact::EpochOpened(EpochOpened {
        reason: EpochReason::NewStore,
        previous,
        series: epoch,
        currency: "EUR".parse().unwrap(),
        zone: "UTC".into(),
        day_end: "00:00".into(),
    });
    epochs.apply(&first, Some(&fact));
}

fn take(epochs: &mut Epochs, fact: ChainFact) {
    let mut next = header(2, Hash::ZERO);
    next.epoch = epochs.epochs().last().unwrap().0;
    epochs.apply(&next, Some(&fact.into()));
}

fn head(epoch: u32, seq: u64) -> Head {
    Head {
        epoch: Epoch(epoch),
        seq: Seq(seq),
        hash: Hash([seq as u8; 32]),
    }
}

#[test]
fn an_epoch_is_newer_than_all_that_anybody_told_of_and_names_the_one_before() {
    let mut epochs = Epochs::default();
    assert_eq!(epochs.open(EpochReason::NewStore, None, Epoch(0)), Ok((Epoch(1), None)));
    assert_eq!(epochs.open(EpochReason::Rollback, None, Epoch(0)), Err(Refusal::NothingToFollow));
    opened(&mut epochs, 1, None);
    assert_eq!(epochs.open(EpochReason::NewStore, Some(head(1, 9)), Epoch(0)), Err(Refusal::NotNew));
    let (next, previous) = epochs.open(EpochReason::Rollback, Some(head(1, 9)), Epoch(4)).unwrap();
    assert_eq!((next, previous.unwrap().seq), (Epoch(5), Seq(9)));
    assert_eq!(epochs.open(EpochReason::Replaced, None, Epoch(4)), Ok((Epoch(5), None)));
    assert!(matches!(
        epochs.open(EpochReason::Restored, Some(head(1, 9)), Epoch(u32::MAX)),
        Err(Refusal::LastEpoch { .. })
    ));
}

#[test]
fn a_superseded_box_loses_rights_until_it_opens_an_epoch_of_its_own() {
    let mut epochs = Epochs::default();
    opened(&mut epochs, 1, None);
    assert_eq!(epochs.standing(), Standing::Current);
    assert_eq!(epochs.superseded(Epoch(1)).unwrap_err().code(), "not_newer");
    let fact = epochs.superseded(Epoch(2)).unwrap();
    take(&mut epochs, fact);
    assert_eq!(epochs.standing(), Standing::Superseded { by: Epoch(2) });
    assert_eq!(epochs.superseded(Epoch(2)).unwrap_err().code(), "known_superseded");
    opened(&mut epochs, 3, None);
    assert_eq!(epochs.standing(), Standing::Current);
}

#[test]
fn a_branch_waits_for_a_person_and_again_when_it_has_grown() {
    let mut epochs = Epochs::default();
    opened(&mut epochs, 1, None);
    let branch = BranchName {
        epoch: Epoch(1),
        first: Seq(5),
        hash: Hash([5; 32]),
    };
    let staff: StaffId = "s101".parse().unwrap();
    assert_eq!(epochs.close(branch, Seq(7), staff).unwrap_err().code(), "no_such_branch");
    let fact = epochs.record(branch, Seq(7), Hash([7; 32])).unwrap();
    take(&mut epochs, fact);
    assert_eq!(epochs.record(branch, Seq(7), Hash([7; 32])).unwrap_err().code(), "known_branch");
    assert_eq!(epochs.open_branches().count(), 1);
    assert_eq!(epochs.close(branch, Seq(6), staff).unwrap_err().code(), "branch_grown");
    let fact = epochs.close(branch, Seq(7), staff).unwrap();
    take(&mut epochs, fact);
    assert_eq!(epochs.open_branches().count(), 0);
    assert_eq!(epochs.close(branch, Seq(7), staff).unwrap_err().code(), "branch_closed");
    let fact = epochs.record(branch, Seq(8), Hash([8; 32])).unwrap();
    take(&mut epochs, fact);
    assert_eq!(epochs.open_branches().count(), 1, "nobody has looked at entry 8");
    assert_eq!(epochs.record(branch, Seq(4), Hash::ZERO).unwrap_err().code(), "branch_tip");
}

#[test]
fn a_break_is_attested_once_and_only_where_something_is_missing() {
    let mut epochs = Epochs::default();
    opened(&mut epochs, 1, None);
    let gap = ChainBreak {
        epoch: Epoch(1),
        before: Seq(3),
        before_hash: Hash([3; 32]),
        after: Seq(6),
        named_hash: Hash([5; 32]),
        cause: BreakCause::Disk,
        by: "s101".parse().unwrap(),
        at: Instant::EPOCH,
        signature: Seal([0; 64]),
    };
    let fact = epochs.attest(gap).unwrap();
    take(&mut epochs, fact);
    assert_eq!(epochs.attest(gap).unwrap_err().code(), "known_break");
    assert_eq!(epochs.attest(ChainBreak { after: Seq(4), ..gap }).unwrap_err().code(), "no_gap");
    assert_eq!(epochs.breaks(), [gap]);
}
