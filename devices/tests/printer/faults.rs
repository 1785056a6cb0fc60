//! Every fault a printer can have, at any byte.

use std::time::{Duration, Instant};

use backroom_devices::link::printer::{PaperState, PrinterState};
use backroom_devices::link::{Cause, Ended};
use tokio::time::timeout;

use super::shop::{Shop, job};

/// In which a person in front of the screen must see what is the matter.
const SHOWN: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_printer_that_cannot_print_is_sent_nothing_and_prints_when_it_can_again() {
    for (fault, word, mended) in [
        ("paper out", "out of paper", "paper ok"),
        ("cover open", "cover is open", "cover closed"),
        ("offline on", "offline", "offline off"),
        ("cutter jammed", "cutter", "cutter ok"),
    ] {
        let mut shop = Shop::open(&[fault]).await;
        let mut link = shop.connect().await.unwrap();
        for _ in 0..3 {
            let (_, ended) = shop.perform(&mut link, &job(1)).await;
            assert!(matches!(&ended, Ended::Failed { why } if why.contains(word)), "{fault}: {ended:?}");
        }
        let before = shop.state().await["taken_bytes"].as_u64().unwrap();
        assert!(before < 100, "only questions were asked, not {before} bytes of a job");
        shop.turn(mended).await;
        assert_eq!(shop.perform(&mut link, &job(1)).await.1, Ended::Confirmed, "{fault}");
        shop.holds("print");
    }
}

#[tokio::test]
async fn what_is_the_matter_is_seen_at_once_and_so_is_that_it_is_over() {
    type Shows = fn(&PrinterState) -> bool;
    let stories: [(&str, &str, Shows); 6] = [
        ("paper low", "paper ok", |state| {
            state.paper == PaperState::Low && state.trouble().is_none()
        }),
        ("paper out", "paper ok", |state| state.paper == PaperState::Out),
        ("cover open", "cover closed", |state| state.cover_open),
        ("offline on", "offline off", |state| state.offline),
        ("cutter jammed", "cutter ok", |state| state.cutter_error),
        ("drawer open", "drawer close", |state| state.drawer_open == Some(true)),
    ];
    let shop = Shop::open(&[]).await;
    let mut link = shop.connect().await.unwrap();
    for (fault, mended, shows) in stories {
        shop.turn(fault).await;
        let state = timeout(SHOWN, link.changed()).await.unwrap().unwrap();
        assert!(shows(&state), "{fault}: {state:?}");
        shop.turn(mended).await;
        let state = timeout(SHOWN, link.changed()).await.unwrap().unwrap();
        assert!(!shows(&state) && state.trouble().is_none(), "{mended}: {state:?}");
    }
}

#[tokio::test]
async fn a_printer_that_stopped_before_anyone_connected_shows_when_it_is_mended() {
    // Stopped, it does not even take the wish to be told of changes.
    let shop = Shop::open(&["paper out"]).await;
    let mut link = shop.connect().await.unwrap();
    assert_eq!(link.states().borrow().paper, PaperState::Out);
    shop.turn("paper ok").await;
    let state = timeout(SHOWN, link.changed()).await.unwrap().unwrap();
    assert_eq!(state.paper, PaperState::Ok);
}

#[tokio::test]
async fn a_dead_or_silent_printer_is_noticed_while_nothing_is_printed() {
    for fault in ["mute on", "stall on", "refuse on"] {
        let shop = Shop::open(&[]).await;
        let mut link = shop.connect().await.unwrap();
        shop.turn(fault).await;
        let noticed = timeout(SHOWN, link.changed()).await;
        assert!(matches!(noticed, Ok(Err(_))), "{fault}: {noticed:?}");
        link.status().await.unwrap_err();
        let began = Instant::now();
        shop.connect().await.unwrap_err();
        assert!(began.elapsed() < SHOWN);
        shop.turn(&fault.replace("on", "off")).await;
        shop.connect().await.unwrap();
    }
}

#[tokio::test]
async fn a_printer_that_fell_silent_between_two_jobs_is_sent_nothing() {
    let mut shop = Shop::open(&[]).await;
    let mut link = shop.connect().await.unwrap();
    assert_eq!(shop.perform(&mut link, &job(1)).await.1, Ended::Confirmed);
    shop.turn("mute on").await;
    assert!(matches!(shop.perform(&mut link, &job(2)).await.1, Ended::Failed { .. }));
    shop.turn("mute off").await;
    assert!(
        matches!(shop.perform(&mut link, &job(2)).await.1, Ended::Failed { .. }),
        "a link that is down stays down"
    );
    let mut link = shop.connect().await.unwrap();
    assert_eq!(shop.perform(&mut link, &job(2)).await.1, Ended::Confirmed);
    shop.holds("print");
}

#[tokio::test]
async fn paper_that_ends_in_a_job_is_seen_and_a_new_roll_lets_it_come_out_once() {
    for fault in ["paper out-at 200", "cover open-at 200"] {
        let mut shop = Shop::open(&[fault]).await;
        let mut link = shop.connect().await.unwrap();
        let mut states = link.states();
        let watching = tokio::spawn(async move { states.wait_for(|state| state.trouble().is_some()).await.map(|_| Instant::now()) });
        let began = Instant::now();
        let (_, ended) = shop.perform(&mut link, &job(1)).await;
        let why = match &ended {
            Ended::Unknown { cause: Cause::Device, why } => why.clone(),
            _ => panic!("{fault}: {ended:?}"),
        };
        assert!(why.contains("in the middle"), "{why}");
        assert!(watching.await.unwrap().unwrap() - began < SHOWN);
        assert!(shop.ledger("print").is_empty());
        drop(link);
        // Others see what is the matter, too.
        let mut link = shop.connect().await.unwrap();
        assert!(link.status().await.unwrap().trouble().is_some());
        assert!(matches!(shop.perform(&mut link, &job(2)).await.1, Ended::Failed { .. }));
        for knob in ["paper ok", "cover closed"] {
            shop.turn(knob).await;
        }
        assert_eq!(shop.perform(&mut link, &job(2)).await.1, Ended::Confirmed);
        assert_eq!(shop.jobs("print").len(), 2, "the printer still had the rest");
        shop.holds("print");
    }
}

#[tokio::test]
async fn a_new_roll_in_time_and_nobody_is_the_wiser() {
    let mut shop = Shop::open(&["paper out-at 300"]).await;
    shop.settings.job_timeout = Duration::from_secs(20);
    let mut link = shop.connect().await.unwrap();
    let mut states = link.states();
    let control = shop.printer.control.to_string();
    let clerk = tokio::spawn(async move {
        states.wait_for(|state| state.paper == PaperState::Out).await.unwrap();
        backroom_devices::sim::control::ask(&control, "paper ok").await.unwrap();
    });
    assert_eq!(shop.perform(&mut link, &job(1)).await.1, Ended::Confirmed);
    clerk.await.unwrap();
    shop.holds("print");
}

#[tokio::test]
async fn a_connection_that_breaks_at_any_byte_leaves_one_unknown_and_the_next_job_comes_out() {
    let bytes = job(1);
    let mut shop = Shop::open(&[]).await;
    // The link adds three bytes, and the mark of ten behind all.
    let end = bytes.len() + 3;
    let mut breaks = 0;
    for at in (0..end).step_by(29).chain([end - 1, end, end + 9, end + 10]) {
        shop.turn(&format!("reset-at {at} once")).await;
        let mut link = shop.connect().await.unwrap();
        match shop.perform(&mut link, &bytes).await.1 {
            Ended::Unknown { cause: Cause::Link, .. } => breaks += 1,
            Ended::Confirmed => shop.turn("reset-at off").await,
            other => panic!("broken at {at}: {other:?}"),
        }
        let mut link = shop.connect().await.unwrap();
        assert_eq!(shop.perform(&mut link, &job(2)).await.1, Ended::Confirmed, "after a break at {at}");
        shop.holds("print");
    }
    assert!(breaks > 20, "{breaks}");
    // Broken behind the cut, the receipt had come out.
    assert!(shop.jobs("print").iter().any(|job| shop.unknown.contains(job)));
}

#[tokio::test]
async fn a_printer_that_always_breaks_off_never_prints_anything_twice() {
    let mut shop = Shop::open(&["reset-at 100"]).await;
    for _ in 0..5 {
        let mut link = shop.connect().await.unwrap();
        let (_, ended) = shop.perform(&mut link, &job(1)).await;
        assert!(matches!(ended, Ended::Unknown { cause: Cause::Link, .. }), "{ended:?}");
    }
    assert!(shop.ledger("print").is_empty());
    assert_eq!(shop.ledger("unfinished").len(), 4, "each next job finds the torn one before it");
}

#[tokio::test]
async fn a_printer_that_goes_silent_or_stalls_in_a_job_is_unknown_and_never_twice() {
    for (fault, mended) in [
        ("mute at 0", "mute off"),
        ("mute at 400", "mute off"),
        ("stall at 0", "stall off"),
        ("stall at 400", "stall off"),
    ] {
        let mut shop = Shop::open(&[fault]).await;
        let mut link = shop.connect().await.unwrap();
        let (_, ended) = shop.perform(&mut link, &job(1)).await;
        assert!(matches!(ended, Ended::Unknown { cause: Cause::Device, .. }), "{fault}: {ended:?}");
        drop(link);
        shop.connect().await.unwrap_err();
        shop.turn(mended).await;
        let mut link = shop.connect().await.unwrap();
        assert_eq!(shop.perform(&mut link, &job(2)).await.1, Ended::Confirmed, "{fault}");
        assert_eq!(shop.jobs("print").len(), 2, "{fault}: what a printer took it prints");
        shop.holds("print");
    }
}

#[tokio::test]
async fn whatever_happens_in_a_row_the_books_agree() {
    const FAULTS: [&str; 12] = [
        "reset-at 50 once",
        "reset-at 0 once",
        "reset-at 640 once",
        "paper out-at 333",
        "cover open-at 10",
        "mute at 100",
        "stall at 500",
        "refuse on",
        "paper out",
        "offline on",
        "slow 40000",
        "cutter jammed",
    ];
    const MENDED: [&str; 8] = [
        "reset-at off",
        "paper ok",
        "cover closed",
        "mute off",
        "stall off",
        "refuse off",
        "offline off",
        "cutter ok",
    ];
    let mut shop = Shop::open(&[]).await;
    // Impatience only makes more of it unknown.
    shop.settings.job_timeout = Duration::from_millis(400);
    shop.settings.answer_timeout = Duration::from_millis(300);
    // A small generator of its own: the same row of faults each time.
    let mut seed = 7_u64;
    let mut any = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((seed >> 33) % below as u64).unwrap()
    };
    let mut link = None;
    for round in 0..60 {
        if any(2) == 0 {
            shop.turn(FAULTS[any(FAULTS.len())]).await;
        }
        for _ in 0..2 {
            if link.is_none() {
                link = shop.connect().await.ok();
            }
            let Some(up) = link.as_mut() else { break };
            let ended = shop.perform(up, &job(round)).await.1;
            if ended != Ended::Confirmed && up.status().await.is_err() {
                link = None;
            }
        }
        for knob in MENDED {
            shop.turn(knob).await;
        }
        if link.as_mut().is_some_and(|link| link.is_down()) {
            link = None;
        }
    }
    shop.until("idle", |state| state["waiting_bytes"] == 0).await;
    shop.holds("print");
    assert!(
        shop.confirmed.len() > 40,
        "{} confirmed, {} unknown",
        shop.confirmed.len(),
        shop.unknown.len()
    );
    assert!(shop.unknown.len() > 4);
}
