//! Rules of a count without any reader: one thing under many names, and tags that count once.

use backroom_core::catalog::{Catalog, CatalogFile};
use backroom_core::epc::{Epc, EpcId};
use backroom_core::journal::{Epoch, Seq};
use uuid::Uuid;

use super::*;

fn catalog() -> Catalog {
    let file: CatalogFile = serde_json::from_value(serde_json::json!({
        "version": 1, "currency": "EUR", "prices": "inclusive",
        "tax_classes": [{"code": "A", "name": "standard", "rate": "0.19"}],
        "items": [{"sku": "TEE", "name": "T-shirt", "codes": ["4006381333931"], "tax_class": "A", "price": 1990}]
    }))
    .unwrap();
    Catalog::new(file).unwrap()
}

fn tag(serial: &str) -> Tag {
    let name = EpcId::sgtin("4006381333931".parse().unwrap(), 7, serial).unwrap();
    Tag(Epc::shortest(name, 1).unwrap().as_bytes().into())
}

fn reading(tag: Tag) -> Reading {
    Reading {
        tag,
        antenna: 1,
        rssi_dbm: Some(-50),
        times: 2,
    }
}

fn at(second: i64) -> Instant {
    Instant::from_micros(second * SECOND_MICROS).unwrap()
}

fn count(before: Option<Kept>) -> Count {
    let id = CommandId(Uuid::nil());
    Count::new(id, Place::parse("shelf-1").unwrap(), BTreeSet::new(), at(0), before.map(Arc::new))
}

fn kept(tags: Vec<Tag>) -> Kept {
    Kept::new(CommandId(Uuid::nil()), at(0), (Epoch(1), Seq(10)), tags, &catalog())
}

#[test]
fn a_thing_is_the_same_however_it_is_written() {
    // Alphanumeric serials stand on longer tags than numbers.
    for serial in ["6789", "A/07"] {
        let tag = tag(serial);
        let epc = tag.epc().unwrap();
        let thing = Thing::of_tag(&tag).unwrap();
        assert_eq!(thing.serial, serial);
        let label = format!("]d20104006381333931{}{serial}", "21");
        let bracketed = epc.id().element_string().unwrap();
        for code in [
            tag.hex(),
            tag.hex().to_uppercase(),
            epc.to_string(),
            epc.id().to_string(),
            label,
            bracketed,
        ] {
            assert_eq!(Thing::of_code(&code).as_ref(), Some(&thing), "{code}");
        }
    }
    let link = "https://id.gs1.org/01/04006381333931/21/6789";
    assert_eq!(Thing::of_code(link), Thing::of_tag(&tag("6789")));
    for other in ["4006381333931", "TEE", "r1/1/17", "", "30", "(01)04006381333931"] {
        assert_eq!(Thing::of_code(other), None, "{other}");
    }
}

#[test]
fn a_tag_counts_once_however_often_it_is_read() {
    let (catalog, mut count) = (catalog(), count(None));
    for second in 0..5 {
        count.read(reading(tag("1")), at(second), &catalog);
        count.read(reading(Tag(Box::from([0xe2, 0x80]))), at(second), &catalog);
    }
    let view = count.view(at(4), &Sales::new());
    assert_eq!((view.tags, view.reads, view.unknown, view.found), (2, 20, 1, 0));
    assert_eq!(view.counted.values().sum::<u64>(), 1);
    assert_eq!(count.take_unsaved().len(), 2);
    assert_eq!(count.take_unsaved().len(), 0);
    assert_eq!(count.view(at(60), &Sales::new()).tags_per_second, 0);
}

#[test]
fn only_a_sale_after_the_count_before_explains_a_missing_tag() {
    let before = kept(vec![tag("1"), tag("2"), tag("3"), Tag(Box::from([0xe2, 0x80]))]);
    assert_eq!(before.tags, 4);
    let mut count = count(Some(before));
    count.read(reading(tag("3")), at(1), &catalog());
    count.read(reading(tag("4")), at(1), &catalog());
    let sale = |seq| Sale {
        receipt: "r1/1/3".parse().unwrap(),
        at: at(1),
        position: (Epoch(1), Seq(seq)),
    };
    let sales = Sales::from([
        (Thing::of_tag(&tag("1")).unwrap(), sale(11)),
        (Thing::of_tag(&tag("2")).unwrap(), sale(9)),
    ]);
    assert_eq!((count.missing(), count.missing_unexplained(&sales)), (2, 1));
    let view = count.view(at(1), &sales);
    assert_eq!(
        (view.missing_tags[0].tag.clone(), view.missing_tags[0].sale.clone()),
        (tag("2"), None)
    );
    assert_eq!(view.missing_tags[1].sale, Some(sale(11)));
    assert_eq!((view.found, view.found_tags[0].tag.clone()), (1, tag("4")));
    assert_eq!(view.counted.values().sum::<u64>(), 2);
}
