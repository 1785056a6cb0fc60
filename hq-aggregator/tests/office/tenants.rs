//! Companies and stores that are added, and that see nothing of each other.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use crate::engine::{Engine, on_both_engines};
use crate::head_office::HeadOffice;
use crate::store::{Journal, Store};

on_both_engines! {
    two_companies_with_the_same_names_see_nothing_of_each_other,
    secrets_lie_in_files_of_their_own_which_nobody_else_can_read,
    commands_say_what_is_wrong,
}

async fn two_companies_with_the_same_names_see_nothing_of_each_other(engine: Engine) {
    let office = HeadOffice::open(engine).await;
    office.add_tenant("sued").await; // While head office runs.
    let mut sold = 0;
    for tenant in ["nord", "sued"] {
        let join = office.add_store(tenant, "harbour").await;
        let mut store = Store::join(&join, office.broker_url()).await;
        let mut journal = Journal::new(store.address);
        journal.open();
        sold += 2;
        journal.sell_many(sold);
        store.sync(&journal).await;
    }
    let (nord, sued) = (office.sign_in("nord").await, office.sign_in("sued").await);
    for (token, own, other, sales) in [(&nord, "nord", "sued", 2), (&sued, "sued", "nord", 4)] {
        for path in [
            "/api/v1/stores",
            "/api/v1/products",
            "/api/v1/sales",
            "/api/v1/reports/daily?day=2026-11-21",
            "/api/v1/quarantine",
        ] {
            let headers = [("authorization", format!("Bearer {token}")), ("x-tenant", other.to_owned())];
            let answer = office.ask_with("GET", path, &headers, None).await;
            assert!(answer.status == 200 && !answer.text.contains(other), "{path}: {answer:?}");
        }
        let listed = office.ask("GET", "/api/v1/sales", Some(token), None).await.body;
        assert_eq!(listed["sales"].as_array().unwrap().len(), sales);
        let lines = office.export(own).await;
        assert_eq!(lines.iter().filter(|line| line["projection"] == "sales").count(), sales);
    }
    // A price of one is no price of the other.
    let answer = office
        .ask("PUT", "/api/v1/products/MUG/price", Some(&nord), Some(&json!({ "price": 5 })))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(office.standing(&sued, "harbour").await["directives_pending"], 0);
    let wrong_pair = json!({ "tenant": "sued", "user": "mia", "password": "only for those tests" });
    assert_eq!(office.ask("POST", "/api/v1/login", None, Some(&wrong_pair)).await.status, 401);
}

async fn secrets_lie_in_files_of_their_own_which_nobody_else_can_read(engine: Engine) {
    let office = HeadOffice::open(engine).await;
    let join = office.add_store("nord", "harbour").await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = office.home().join("join-nord-harbour.json");
    assert_eq!(
        (mode(&file), mode(&office.data().join("hq.key")), mode(&office.data())),
        (0o600, 0o600, 0o700)
    );
    let mut kept = office.books().bytes();
    let knows = |kept: &[u8], text: &str| kept.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(
        knows(&kept, &join.hq_public_key),
        "these are the bytes in which a secret would be found"
    );
    kept.extend(office.log().into_bytes());
    for secret in [&join.user_seed, &join.signing_seed, &join.user_jwt] {
        assert!(!knows(&kept, secret));
    }
    let again = [
        "store",
        "add",
        "--tenant",
        "nord",
        "--store",
        "harbour",
        "--name",
        "x",
        "--join",
        "/dev/null/x",
    ];
    let output = office.command(&again).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("store harbour of tenant nord is there already"),
        "{said}"
    );
    let over = [
        "store",
        "add",
        "--tenant",
        "nord",
        "--store",
        "other",
        "--name",
        "x",
        "--join",
        file.to_str().unwrap(),
    ];
    let said = String::from_utf8(office.command(&over).await.stderr).unwrap();
    assert!(said.contains("is there already; name another one"), "{said}");
}

async fn commands_say_what_is_wrong(engine: Engine) {
    let office = HeadOffice::closed(engine).await;
    let wrong: [(&[&str], i32, &str); 6] = [
        (
            &["tenant", "add", "--tenant", "nord", "--name", "x"],
            3,
            "tenant nord is there already",
        ),
        (&["tenant", "add", "--tenant", "No!", "--name", "x"], 2, "is not a code"),
        (&["export", "--tenant", "west"], 3, "there is no tenant west; add it first"),
        (
            &["export", "--tenant", "nord", "--store", "mars"],
            1,
            "tenant nord has no store mars",
        ),
        (
            &["catalog", "import", "--tenant", "nord", "/nowhere.json"],
            1,
            "could not read the catalog /nowhere.json",
        ),
        (&["frobnicate"], 2, "unrecognized subcommand"),
    ];
    for (words, code, sentence) in wrong {
        let output = office.command(words).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(code) && said.contains(sentence), "{words:?}: {said}");
    }
    let catalog = office.home().join("catalog.json");
    let import = async |from: &str, to: &str| {
        let text = std::fs::read_to_string(&catalog).unwrap().replace(from, to);
        std::fs::write(&catalog, text).unwrap();
        let output = office
            .command(&["catalog", "import", "--tenant", "nord", catalog.to_str().unwrap()])
            .await;
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    assert!(import("", "").await.0, "the same catalog again changes nothing");
    let (taken, said) = import("1000", "1100").await;
    assert!(
        !taken && said.contains("catalog version 1 is here already with other content; raise its version"),
        "{said}"
    );
    assert!(import("\"version\":1", "\"version\":2").await.0);
    let (taken, said) = import("\"version\":2", "\"version\":1").await;
    assert!(!taken && said.contains("catalog version 1 is not newer than 2"), "{said}");
}
