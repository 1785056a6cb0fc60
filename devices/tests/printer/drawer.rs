//! The drawer on the printer's socket.

use std::time::Duration;

use backroom_devices::link::printer::DrawerSwitch;
use backroom_devices::link::{Cause, Ended};
use backroom_devices::sim::printer::PinHighWhen;
use tokio::time::timeout;

use super::shop::{Shop, pulse};

const SHOWN: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_pulse_opens_the_drawer_and_its_switch_says_so_and_when_it_is_shut() {
    for (wired, switch) in [
        (PinHighWhen::Closed, DrawerSwitch::HighWhenClosed),
        (PinHighWhen::Open, DrawerSwitch::HighWhenOpen),
    ] {
        let mut shop = Shop::with(|args, _| args.drawer_pin_high_when = wired).await;
        shop.settings.drawer_switch = switch;
        let mut link = shop.connect().await.unwrap();
        let states = link.states();
        assert_eq!(states.borrow().drawer_open, Some(false));
        assert_eq!(shop.perform(&mut link, &pulse()).await.1, Ended::Confirmed);
        assert_eq!(states.borrow().drawer_open, Some(true), "{switch:?}");
        shop.turn("drawer close").await;
        let state = timeout(SHOWN, link.changed()).await.unwrap().unwrap();
        assert_eq!(state.drawer_open, Some(false));
        shop.holds("pulse");
    }
}

#[tokio::test]
async fn somebody_pushes_the_drawer_shut() {
    let mut shop = Shop::with(|args, _| args.drawer_closes_after = Some(150)).await;
    let mut link = shop.connect().await.unwrap();
    assert_eq!(shop.perform(&mut link, &pulse()).await.1, Ended::Confirmed);
    shop.until("shut", |state| state["drawer_open"] == false).await;
    assert_eq!(link.status().await.unwrap().drawer_open, Some(false));
}

#[tokio::test]
async fn a_drawer_without_a_switch_is_never_called_shut() {
    let mut shop = Shop::open(&[]).await;
    shop.settings.drawer_switch = DrawerSwitch::Absent;
    let mut link = shop.connect().await.unwrap();
    assert_eq!(shop.perform(&mut link, &pulse()).await.1, Ended::Confirmed);
    assert_eq!(link.status().await.unwrap().drawer_open, None);
}

#[tokio::test]
async fn a_pulse_whose_answer_is_lost_is_unknown_and_not_repeated() {
    for (fault, cause, happens) in [
        ("reset-at 0 once", Cause::Link, 0),
        ("reset-at 8 once", Cause::Link, 1),
        ("mute at 3", Cause::Device, 1),
        ("stall at 0", Cause::Device, 0),
    ] {
        let mut shop = Shop::open(&[fault]).await;
        let mut link = shop.connect().await.unwrap();
        let (_, ended) = shop.perform(&mut link, &pulse()).await;
        assert!(
            matches!(&ended, Ended::Unknown { cause: said, .. } if *said == cause),
            "{fault}: {ended:?}"
        );
        assert_eq!(shop.ledger("pulse").len(), happens, "{fault}");
        // The link does not live on to do it by accident.
        let again = shop.perform(&mut link, &pulse()).await.1;
        assert!(matches!(again, Ended::Failed { .. }), "{again:?}");
        for knob in ["mute off", "stall off"] {
            shop.turn(knob).await;
        }
        let mut link = shop.connect().await.unwrap();
        assert_eq!(shop.perform(&mut link, &pulse()).await.1, Ended::Confirmed, "{fault}");
        shop.holds("pulse");
    }
}

#[tokio::test]
async fn a_printer_that_does_not_print_opens_no_drawer() {
    let mut shop = Shop::open(&["cover open"]).await;
    let mut link = shop.connect().await.unwrap();
    let (_, ended) = shop.perform(&mut link, &pulse()).await;
    assert!(matches!(&ended, Ended::Failed { why } if why.contains("cover")), "{ended:?}");
    shop.turn("cover closed").await;
    assert_eq!(shop.perform(&mut link, &pulse()).await.1, Ended::Confirmed);
    assert_eq!(shop.ledger("pulse").len(), 1);
}
