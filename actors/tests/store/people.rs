//! Who gets in, who does not, and how long guessing takes.

use backroom_actors::journal::AppendError;
use backroom_actors::register::Seat;
use backroom_actors::staff::{Enrol, PassError, SignIn, StaffError};

use crate::shop::{PIN, Shop, body, id, seat};

#[tokio::test]
async fn a_right_pin_signs_in_and_fences_whoever_was_there() {
    let shop = Shop::open(&["r1"]).await;
    let first = shop.store.sign_in(shop.sign_in("r1", PIN)).await.unwrap();
    let passes = || shop.store.shop().passes.borrow().clone();
    assert_eq!(passes().session(&first.token).unwrap().number, 1);
    let second = shop.store.sign_in(shop.sign_in("r1", PIN)).await.unwrap();
    assert_eq!(passes().session(&first.token), Err(PassError::Fenced));
    assert_eq!(passes().session(&second.token).unwrap().number, 2);
    assert_eq!(passes().session(&[0; 32]), Err(PassError::NotSignedIn));
    assert_eq!(second.name, "Cashier One");
    let shop = shop.reopen().await;
    let passes = shop.store.shop().passes.borrow().clone();
    assert_eq!(passes.session(&second.token).unwrap().number, 2);
    assert_eq!(passes.session(&first.token), Err(PassError::Fenced));
}

#[tokio::test]
async fn the_id_of_an_old_sign_in_is_worth_nothing_without_the_pin() {
    let shop = Shop::open(&["r1"]).await;
    let right = shop.sign_in("r1", PIN);
    let (known, known_body) = (right.id, right.body);
    let pass = shop.store.sign_in(right).await.unwrap();
    let wrong = SignIn {
        id: known,
        body: known_body,
        ..shop.sign_in("r1", "0000")
    };
    assert!(matches!(shop.store.sign_in(wrong).await, Err(StaffError::WrongPin)));
    let again = SignIn {
        id: known,
        body: known_body,
        ..shop.sign_in("r1", PIN)
    };
    assert_eq!(shop.store.sign_in(again).await.unwrap().token, pass.token);
}

#[tokio::test]
async fn guessing_is_slowed_down_for_person_and_device_also_after_a_restart() {
    let shop = Shop::open(&["r1"]).await;
    for _ in 0..5 {
        assert!(matches!(
            shop.store.sign_in(shop.sign_in("r1", "0000")).await,
            Err(StaffError::WrongPin)
        ));
    }
    let throttled = |outcome| matches!(outcome, Err(StaffError::Throttled { seconds: 1..=900 }));
    assert!(throttled(shop.store.sign_in(shop.sign_in("r1", PIN)).await));
    let shop = shop.reopen().await;
    assert!(throttled(shop.store.sign_in(shop.sign_in("r1", PIN)).await));
}

#[tokio::test]
async fn a_stranger_and_a_wrong_pin_sound_the_same() {
    let shop = Shop::open(&["r1"]).await;
    let stranger = SignIn {
        staff: "s999".parse().unwrap(),
        ..shop.sign_in("r1", PIN)
    };
    let one = shop.store.sign_in(stranger).await.unwrap_err().to_string();
    let two = shop.store.sign_in(shop.sign_in("r1", "0000")).await.unwrap_err().to_string();
    assert_eq!(one, two);
}

#[tokio::test]
async fn a_pairing_code_is_good_for_one_device() {
    let shop = Shop::open(&[]).await;
    let code = shop.pairing_code().await;
    let enrol = |id, register: &str, code: &str| Enrol {
        id,
        body: body("enrol"),
        seat: seat(register),
        code: code.into(),
    };
    let first = id();
    let pass = shop.store.enrol(enrol(first, "r1", &code)).await.unwrap();
    // The same device asks again because the answer was lost; letters may be small and the dash missing.
    let again = shop
        .store
        .enrol(enrol(first, "r1", &code.to_lowercase().replace('-', "")))
        .await
        .unwrap();
    assert_eq!(pass.token, again.token);
    assert!(matches!(shop.store.enrol(enrol(id(), "r2", &code)).await, Err(StaffError::Pairing)));
    assert!(matches!(
        shop.store.enrol(enrol(id(), "r2", "AAAA-AAAA")).await,
        Err(StaffError::Pairing)
    ));
    let other = Enrol {
        body: body("other"),
        ..enrol(first, "r1", &code)
    };
    assert!(matches!(
        shop.store.enrol(other).await,
        Err(StaffError::Append(AppendError::CommandReused))
    ));
}

#[tokio::test]
async fn the_slips_of_honest_people_never_lock_the_store() {
    let shop = Shop::open(&["r1"]).await;
    for _ in 0..60 {
        assert!(matches!(
            shop.store.sign_in(shop.sign_in("r1", "0000")).await,
            Err(StaffError::WrongPin)
        ));
        shop.store.sign_in(shop.sign_in("r1", PIN)).await.unwrap();
    }
}

#[tokio::test]
async fn a_register_that_is_enrolled_again_puts_the_old_device_out_and_keeps_its_till() {
    let shop = Shop::open(&["r1"]).await;
    let pass = shop.store.sign_in(shop.sign_in("r1", PIN)).await.unwrap();
    let moved = Enrol {
        id: id(),
        body: body("enrol"),
        seat: Seat {
            till: "t9".parse().unwrap(),
            ..seat("r1")
        },
        code: shop.pairing_code().await,
    };
    assert!(matches!(shop.store.enrol(moved).await, Err(StaffError::OtherTill { .. })));
    shop.enrol("r1").await;
    let out = |shop: &Shop| shop.store.shop().passes.borrow().session(&pass.token) == Err(PassError::NotSignedIn);
    assert!(out(&shop));
    let shop = shop.reopen().await;
    assert!(out(&shop));
}
