//! Stories of segments that leave the journal's file.

use uuid::Uuid;

use super::*;
use crate::directive::Address;
use crate::journal::segment::Builder;
use crate::journal::tests::chain;
use crate::journal::{Entry, Head};

fn segments() -> (Vec<Entry>, Vec<Segment>) {
    let entries = chain(9);
    let key = crate::journal::segment::tests::key();
    let mut head = Head::start(Epoch(1));
    let segments = entries.chunks(3).map(|entries| {
        let mut built = Builder::after(head);
        entries.iter().for_each(|entry| built.push(entry, None).unwrap());
        head = built.head();
        built.sign(&key).unwrap()
    });
    let segments = segments.collect();
    (entries, segments)
}

fn mark(entries: &[Entry], held: u64) -> Watermark {
    let header = &entries[0].header;
    Watermark {
        address: Address {
            tenant: header.tenant,
            store: header.store,
        },
        incarnation: Uuid::from_u128(1),
        counter: 1,
        epoch: Epoch(1),
        held: Seq(held),
        applied: Seq(held),
        hash: entries[held as usize - 1].hash,
    }
}

#[test]
fn only_what_head_office_holds_of_this_very_chain_may_be_archived() {
    let (entries, segments) = segments();
    let held = mark(&entries, 5);
    Archive::may_archive(&segments[0], &held, Some(held.hash)).unwrap();
    assert_eq!(
        Archive::may_archive(&segments[1], &held, Some(held.hash)).unwrap_err().code(),
        "not_held"
    );
    let other = Watermark {
        hash: Hash([1; 32]),
        ..held
    };
    assert_eq!(
        Archive::may_archive(&segments[0], &other, Some(held.hash)).unwrap_err().code(),
        "other_chain"
    );
    let elsewhere = Watermark { epoch: Epoch(2), ..held };
    assert_eq!(
        Archive::may_archive(&segments[0], &elsewhere, Some(held.hash)).unwrap_err().code(),
        "other_store"
    );
}

#[test]
fn an_archived_segment_is_still_on_the_list_and_none_vanishes_unseen() {
    let (entries, segments) = segments();
    let mut archive = Archive::default();
    segments.iter().for_each(|segment| archive.signed(segment.clone()));
    let held = mark(&entries, 6);
    let file = Hash([8; 32]);
    archive.archived(Epoch(1), Seq(1), &held, Some(held.hash), file).unwrap();
    archive.archived(Epoch(1), Seq(1), &held, Some(held.hash), file).unwrap();
    assert_eq!(archive.file(Epoch(1), Seq(1)), Some(file));
    let other = archive.archived(Epoch(1), Seq(1), &held, Some(held.hash), Hash([9; 32]));
    assert_eq!(other.unwrap_err().code(), "other_file");
    assert_eq!(archive.whole().unwrap()[&Epoch(1)], Seq(9));
    let mut holed = Archive::default();
    holed.signed(segments[0].clone());
    holed.signed(segments[2].clone());
    assert_eq!(
        holed.whole(),
        Err(NotArchived::Vanished {
            epoch: Epoch(1),
            seq: Seq(4)
        })
    );
}
