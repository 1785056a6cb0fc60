//! Saving a box while it sells, and putting it back elsewhere: nothing is lost that was saved, nothing happens twice.
#![allow(clippy::unwrap_used, reason = "a test may simply stop")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use backroom_tests::campaign::books::{self, Converged};
use backroom_tests::campaign::evidence;
use backroom_tests::campaign::hq::HeadOffice;
use backroom_tests::load::cashier::{Cashier, Habits};
use backroom_tests::load::{AtWork, Crew};
use backroom_tests::processes::{self, Workplace};
use backroom_tests::shop::{Founding, Shop};
use installer::client::Client;
use installer::client::make::{self, TicketRef};
use installer::client::patience::Patience;
use serde_json::{Value, json};

const ITEMS: usize = 50;

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A cashier who does everything but change shifts: the one that is open when the backup is made is open when it is put back. Often there is
/// money on a ticket that is still open.
fn habits() -> Habits {
    Habits {
        new_shift: 0,
        pay_in_parts: 50,
        ..Habits::lively()
    }
}

async fn back_up(shop: &Shop, file: &Path) -> Value {
    let told = shop.tool(&["backup", &text(file)]).await.unwrap();
    serde_json::from_slice(&told).unwrap()
}

/// Waits until head office holds everything this box has.
async fn all_held(cashier: &mut Cashier) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let status = cashier.status().await.unwrap();
        if status.held_by_hq >= status.position.unwrap_or_default().seq {
            return;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "head office does not follow: {}",
            status.trouble
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Everybody goes home, and no ticket stays open.
async fn close_up(at_work: AtWork) -> (Vec<Cashier>, u64) {
    let (mut crew, tally) = at_work.end().await.unwrap();
    for cashier in &mut crew {
        cashier.clear_up().await.unwrap();
    }
    (crew, tally.sales)
}

/// The names in a backup, in their order.
fn names(backup: &Path) -> Vec<String> {
    let bytes = std::fs::read(backup).unwrap();
    let size = std::str::from_utf8(&bytes[124..135]).unwrap();
    let size = usize::from_str_radix(size, 8).unwrap();
    let manifest: Value = serde_json::from_slice(&bytes[512..512 + size]).unwrap();
    let files = manifest["files"].as_array().unwrap();
    files.iter().map(|line| line["name"].as_str().unwrap().to_owned()).collect()
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_saved_while_it_sells_is_put_back_elsewhere_and_head_office_has_nothing_twice() {
    let place = Workplace::new("backup").unwrap();
    let logs = place.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    let mut hq = HeadOffice::found(place.path(), &["thread"]).await.unwrap();
    let join = hq.add_store("thread", "berlin").await.unwrap();
    hq.start().await.unwrap();
    let founding = Founding {
        items: ITEMS,
        join: Some(join),
        ..Founding::plain()
    };
    let mut shop = Shop::found(place.path(), &founding).await.unwrap();
    shop.nats = Some(format!("nats://{}", hq.nats().unwrap()));
    shop.start().await.unwrap();
    let crew = Crew {
        items: ITEMS,
        habits: habits(),
        ..Crew::of_a_campaign(3, logs.clone(), 11)
    };
    let mut at_work = AtWork::begin(crew.hire(&shop).await.unwrap());

    // Three backups under load; each is later than the one before, and the last but one is put back.
    let files: Vec<PathBuf> = (1..=3).map(|number| place.path().join(format!("backup-{number}.tar"))).collect();
    let mut seqs = Vec::new();
    for file in &files {
        let told = back_up(&shop, file).await;
        assert_eq!(
            (&told["tenant"], &told["store"], &told["epoch"]),
            (&json!("thread"), &json!("berlin"), &json!(1))
        );
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        seqs.push(told["seq"].as_u64().unwrap());
        at_work.check().await.unwrap();
    }
    let order = names(&files[1]);
    let at = |name: &str| order.iter().position(|found| found.starts_with(name)).unwrap();
    for rests_on_it in ["worklog.db", "tags.db", "people.db"] {
        assert!(
            at(rests_on_it) < at("journal.db"),
            "the journal is never older than {rests_on_it}: {order:?}"
        );
    }
    for named_by_it in ["catalogs/", "join.json", "signing.key", "store.json"] {
        assert!(at(named_by_it) > at("journal.db"), "{named_by_it}: {order:?}");
    }
    assert!(
        !order
            .iter()
            .any(|name| name.contains("-wal") || name == "lock" || name == "watermarks"),
        "{order:?}"
    );
    assert!(seqs[0] < seqs[1] && seqs[1] < seqs[2], "the box sold meanwhile: {seqs:?}");
    let (mut crew, sold) = close_up(at_work).await;
    assert!(sold > 0);
    all_held(&mut crew[0]).await;
    shop.kill().await.unwrap();

    let mut restored = shop.restored(&place.path().join("elsewhere"), &files[1]).await.unwrap();
    restored.start().await.unwrap();
    assert!(!restored.data().join("restored.json").exists());
    for cashier in &mut crew {
        cashier.sign_in().await.unwrap();
    }
    let at_work = AtWork::begin(crew);
    tokio::time::sleep(Duration::from_millis(700)).await;
    let (mut crew, sold_on) = close_up(at_work).await;
    assert!(sold_on > 0, "nothing was sold after the restore");
    all_held(&mut crew[0]).await;

    let exported = lines(&restored.tool(&["journal", "export"]).await.unwrap());
    let opened: Vec<&Value> = exported.iter().filter(|line| line["kind"] == "epoch_opened").collect();
    assert_eq!(opened.len(), 2);
    assert_eq!((&opened[1]["epoch"], &opened[1]["body"]["reason"]), (&json!(2), &json!("restored")));
    assert_eq!(opened[1]["body"]["previous"]["seq"], json!(seqs[1]));
    assert_ne!(opened[1]["body"]["series"], json!(1));

    let held = lines(&hq.export("thread").await.unwrap());
    let mut seen = std::collections::BTreeSet::new();
    for line in held
        .iter()
        .filter(|line| line["kind"] == "ticket_closed" && !line["body"]["receipt"].is_null())
    {
        assert!(seen.insert(line["body"]["ticket"].to_string()), "a ticket is there twice: {line}");
        assert!(
            seen.insert(line["body"]["receipt"].to_string()),
            "a receipt number is there twice: {line}"
        );
    }
    hq.prove().await.unwrap();
    let folder = place.path().join("evidence");
    evidence::gather(&folder, std::slice::from_ref(&restored), &logs, Some(&hq))
        .await
        .unwrap();
    let found = books::check(&folder, Converged::Yes).unwrap();
    assert!(found.holds, "{}", found.told);
    assert!(found.checked >= 7, "{}", found.told);

    // A second start is a start like any other.
    restored.stop().await.unwrap();
    restored.start().await.unwrap();
    let exported = lines(&restored.tool(&["journal", "export"]).await.unwrap());
    assert_eq!(exported.iter().filter(|line| line["kind"] == "epoch_opened").count(), 2);
    restored.tool(&["prove"]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn head_office_that_was_away_hears_everything_from_the_box_that_was_put_back() {
    let place = Workplace::new("backup").unwrap();
    let logs = place.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    let mut hq = HeadOffice::found(place.path(), &["thread"]).await.unwrap();
    let join = hq.add_store("thread", "berlin").await.unwrap();
    hq.start().await.unwrap();
    hq.stop().await.unwrap();
    let founding = Founding {
        items: ITEMS,
        join: Some(join),
        ..Founding::plain()
    };
    let mut shop = Shop::found(place.path(), &founding).await.unwrap();
    shop.nats = Some(format!("nats://{}", hq.nats().unwrap()));
    shop.start().await.unwrap();
    let crew = Crew {
        items: ITEMS,
        habits: habits(),
        ..Crew::of_a_campaign(2, logs.clone(), 12)
    };
    let at_work = AtWork::begin(crew.hire(&shop).await.unwrap());
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (mut crew, _) = close_up(at_work).await;
    let file = place.path().join("backup.tar");
    back_up(&shop, &file).await;
    shop.kill().await.unwrap();

    let mut restored = shop.restored(&place.path().join("elsewhere"), &file).await.unwrap();
    restored.start().await.unwrap();
    for cashier in &mut crew {
        cashier.sign_in().await.unwrap();
    }
    let at_work = AtWork::begin(crew);
    hq.start().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (mut crew, _) = close_up(at_work).await;
    all_held(&mut crew[0]).await;
    hq.prove().await.unwrap();
    let folder = place.path().join("evidence");
    evidence::gather(&folder, std::slice::from_ref(&restored), &logs, Some(&hq))
        .await
        .unwrap();
    let found = books::check(&folder, Converged::Yes).unwrap();
    assert!(found.holds, "{}", found.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_was_open_is_set_aside_or_kept_as_the_person_says() {
    let place = Workplace::new("backup").unwrap();
    let founding = Founding {
        items: ITEMS,
        ..Founding::plain()
    };
    let mut shop = Shop::found(place.path(), &founding).await.unwrap();
    shop.start().await.unwrap();
    let code = shop.pair().await.unwrap();
    let mut client = Client::new(&shop.address(), Patience::of(Duration::from_secs(20))).unwrap();
    let enrolled = client.command(&make::enrol(&code, "r1", None)).await.unwrap();
    let sign_in = async |client: &mut Client| {
        client.carry(&enrolled.device_token).unwrap();
        let answer = client.command(&make::sign_in("s101", "4711", None)).await.unwrap();
        client.carry(&answer.session_token).unwrap();
    };
    sign_in(&mut client).await;
    client.command(&make::open_shift(10_000, "EUR")).await.unwrap();
    let codes = backroom_tests::shop::codes(ITEMS);
    let plain = client.command(&make::scan(TicketRef::begin(), &codes[1], 0)).await.unwrap();
    let paid = client.command(&make::scan(TicketRef::begin(), &codes[2], 0)).await.unwrap();
    let paid = client
        .command(&make::tender(TicketRef::of(paid.ticket.as_ref().unwrap()), 1, "EUR"))
        .await
        .unwrap();
    let file = place.path().join("backup.tar");
    let told = back_up(&shop, &file).await;
    shop.kill().await.unwrap();
    let dead = back_up(&shop, &place.path().join("dead.tar")).await;
    assert_eq!(dead["hash"], told["hash"], "a box that was killed is saved like one that runs");

    let aside = shop.restored(&place.path().join("aside"), &file).await.unwrap();
    assert!(aside.tool(&["tickets", "export"]).await.unwrap().is_empty());
    let kept_for_people = lines(&std::fs::read(aside.data().join("set-aside.jsonl")).unwrap());
    assert_eq!(kept_for_people.len(), 2);
    let with_money = |line: &&Value| line["tenders"].as_array().is_some_and(|tenders| !tenders.is_empty());
    assert_eq!(kept_for_people.iter().filter(with_money).count(), 1);

    let data = place.path().join("kept/berlin/data");
    let words = ["restore", &text(&file), "--data", &text(&data), "--keep-open-tickets"].map(str::to_owned);
    let program = processes::binary("store-server").unwrap();
    let told = processes::run(&program, &words, Duration::from_secs(60)).await.unwrap();
    assert_eq!(lines(&told)[0]["open_tickets"], 2);
    let mut kept = aside;
    kept.stop().await.unwrap_err(); // It never ran.
    std::fs::remove_dir_all(kept.data()).unwrap();
    std::fs::rename(&data, kept.data()).unwrap();
    kept.start().await.unwrap();
    sign_in(&mut client).await;
    for view in [plain.ticket.unwrap(), paid.ticket.unwrap()] {
        let due = view.remaining.as_ref().unwrap().minor;
        let sold = client
            .command(&make::tender_and_settle(TicketRef::of(&view), due, "EUR"))
            .await
            .unwrap();
        assert!(sold.ticket.unwrap().receipt.starts_with("r1/2/"));
    }
    kept.tool(&["prove"]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_overwritten_is_refused_and_what_is_damaged_is_never_put_in_place() {
    let place = Workplace::new("backup").unwrap();
    let founding = Founding {
        items: ITEMS,
        ..Founding::plain()
    };
    let shop = Shop::found(place.path(), &founding).await.unwrap();
    let file = place.path().join("backup.tar");
    back_up(&shop, &file).await;
    let whole = std::fs::read(&file).unwrap();

    let (code, _, said) = shop.asked(&["backup", &text(&file)]).await.unwrap();
    assert!(code == 3 && said.contains("never replaces"), "{code} {said}");
    let (code, _, said) = shop.asked(&["backup", &text(&shop.data().join("b.tar"))]).await.unwrap();
    assert!(code == 3 && said.contains("another disk"), "{code} {said}");
    let (code, _, said) = shop.asked(&["restore", &text(&file)]).await.unwrap();
    assert!(code == 3 && said.contains("not empty"), "{code} {said}");
    assert_eq!(std::fs::read(&file).unwrap(), whole, "the backup that was there is as it was");

    let program = processes::binary("store-server").unwrap();
    let elsewhere = place.path().join("elsewhere");
    let restore = async |file: &Path| {
        let words = ["restore".to_owned(), text(file), "--data".into(), text(&elsewhere)];
        let output = processes::output(&program, &words, Duration::from_secs(60)).await.unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let broken = place.path().join("broken.tar");
    let mut tries: Vec<(String, Vec<u8>)> = vec![
        ("empty".into(), Vec::new()),
        ("no backup".into(), b"hello".repeat(1_000)),
        ("cut short".into(), whole[..whole.len() - 2_000].to_vec()),
        ("cut at half".into(), whole[..whole.len() / 2].to_vec()),
    ];
    for part in 1..=12 {
        let mut bytes = whole.clone();
        let at = (whole.len() - 2_048) * part / 12 - 1;
        bytes[at] ^= 0x10;
        tries.push((format!("bit at {at}"), bytes));
    }
    for (what, bytes) in tries {
        std::fs::write(&broken, &bytes).unwrap();
        let (code, said) = restore(&broken).await;
        // Between two files lie bytes that say nothing.
        let said_nothing = code == 0 && what.starts_with("bit");
        if said_nothing {
            std::fs::remove_dir_all(&elsewhere).unwrap();
            continue;
        }
        assert!(code == 1 && said.contains("can not be used"), "{what}: {code} {said}");
        assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0, "{what}");
    }
    let (code, said) = restore(&file).await;
    assert_eq!(code, 0, "{said}");
    assert!(elsewhere.join("store.json").exists());
    let nothing = place.path().join("nothing");
    std::fs::create_dir(&nothing).unwrap();
    let words = [
        "backup".to_owned(),
        text(&place.path().join("n.tar")),
        "--data".into(),
        text(&nothing),
    ];
    let output = processes::output(&program, &words, Duration::from_secs(60)).await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!place.path().join("n.tar").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_killed_at_any_moment_leaves_a_whole_file_or_none() {
    let place = Workplace::new("backup").unwrap();
    let founding = Founding {
        items: ITEMS,
        ..Founding::plain()
    };
    let shop = Shop::found(place.path(), &founding).await.unwrap();
    let program = processes::binary("store-server").unwrap();
    let log = place.path().join("killed.log");
    let file = place.path().join("backup.tar");
    let mut killed = 0;
    for after_ms in [3, 6, 10, 15, 20, 25, 30, 40, 60, 90] {
        let words = ["backup".to_owned(), text(&file), "--data".into(), text(&shop.data())];
        let cut = processes::start_and_kill(&program, &words, &log, Duration::from_millis(after_ms)).await;
        killed += u32::from(cut.is_ok());
        if file.exists() {
            let again = shop.restored(&place.path().join(format!("from-{after_ms}")), &file).await.unwrap();
            again.tool(&["prove"]).await.unwrap();
            std::fs::remove_file(&file).unwrap();
        }
    }
    assert!(killed > 0, "no backup was ever killed in time");
    back_up(&shop, &file).await;
    let left: Vec<_> = std::fs::read_dir(place.path())
        .unwrap()
        .map(|found| found.unwrap().file_name())
        .collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".part")), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_at_any_moment_leaves_a_whole_box_or_none() {
    let place = Workplace::new("backup").unwrap();
    let founding = Founding {
        items: ITEMS,
        ..Founding::plain()
    };
    let shop = Shop::found(place.path(), &founding).await.unwrap();
    let program = processes::binary("store-server").unwrap();
    let file = place.path().join("backup.tar");
    back_up(&shop, &file).await;
    let log = place.path().join("killed.log");
    let mut killed = 0;
    for after_ms in [3, 6, 10, 15, 20, 25, 30, 35, 40, 60, 90] {
        let data = place.path().join(format!("to-{after_ms}"));
        let words = ["restore".to_owned(), text(&file), "--data".into(), text(&data)];
        let cut = processes::start_and_kill(&program, &words, &log, Duration::from_millis(after_ms)).await;
        killed += u32::from(cut.is_ok());
        let prove = ["prove".to_owned(), "--data".into(), text(&data)];
        if data.join("store.json").exists() {
            processes::run(&program, &prove, Duration::from_secs(60)).await.unwrap();
            assert!(data.join("restored.json").exists());
            continue;
        }
        let proven = processes::output(&program, &prove, Duration::from_secs(60)).await.unwrap();
        assert_eq!(proven.status.code(), Some(1), "half a box is no store");
        let again = processes::output(&program, &words, Duration::from_secs(60)).await.unwrap();
        // Cut off while it was moving in: a person empties the folder.
        let moving = again.status.code() == Some(3);
        assert!(again.status.success() || moving, "{}", String::from_utf8_lossy(&again.stderr));
    }
    assert!(killed > 0, "no restore was ever killed in time");
}
