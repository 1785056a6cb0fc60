//! Who may do what, approvals that are used once, hours that were worked, and guesses that wait.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::facts::{ClockCorrected, PinRefused, SignedIn};
use crate::ids::TicketId;
use crate::money::Money;
use crate::time::{BusinessDay, Calendar};

fn at(second: i64) -> Instant {
    Instant::from_micros(1_795_000_000_000_000 + second * 1_000_000).unwrap()
}

fn time(text: &str) -> Instant {
    serde_json::from_value(serde_json::Value::String(text.into())).unwrap()
}

fn staff(text: &str) -> StaffId {
    text.parse().unwrap()
}

fn id(number: u128) -> CommandId {
    CommandId(Uuid::from_u128(number))
}

fn role(text: &str) -> RoleId {
    text.parse().unwrap()
}

fn line(line: u32) -> Subject {
    Subject::Line {
        ticket: TicketId(Uuid::from_u128(1)),
        line,
    }
}

fn twenty_percent() -> Limits {
    Limits {
        percent_hundredths: Some(2000),
        ..Limits::NONE
    }
}

/// Anna sells, Ben leads, Cleo manages, Dora has no role.
fn crew() -> Crew {
    let mut crew = Crew::default();
    let sells = Role::default()
        .with(Action::Sell, Rule::always(Verdict::Allow))
        .with(Action::VoidLine, Rule::always(Verdict::Approval))
        .with(
            Action::Discount,
            Rule::within(twenty_percent(), Verdict::Allow, Verdict::Approval).unwrap(),
        )
        .with(Action::PaidOut, Rule::always(Verdict::Deny));
    let leads = Role::default()
        .with(Action::VoidLine, Rule::always(Verdict::Allow))
        .with(Action::PaidOut, Rule::always(Verdict::Allow))
        .approving(Action::VoidLine, Limits::NONE)
        .approving(
            Action::Discount,
            Limits {
                percent_hundredths: Some(5000),
                ..Limits::NONE
            },
        )
        .approving(Action::PaidOut, Limits::NONE);
    let manages = [Action::BlockStaff, Action::CorrectTimes, Action::CloseDay];
    let manages = manages
        .into_iter()
        .fold(Role::default(), |role, action| role.with(action, Rule::always(Verdict::Allow)));
    for (name, rules) in [("sells", sells), ("leads", leads), ("manages", manages)] {
        let set = crew.set_role(role(name), rules);
        crew.apply(&Fact::Staff(StaffFact::RoleSet(Box::new(set))));
    }
    for (person, roles) in [("anna", vec!["sells"]), ("ben", vec!["leads"]), ("cleo", vec!["leads", "manages"])] {
        let given = crew.give_roles(staff(person), roles.into_iter().map(role).collect()).unwrap();
        crew.apply(&Fact::Staff(StaffFact::RolesGiven(given)));
    }
    crew
}

#[test]
fn every_action_has_its_own_word_and_is_found_by_it() {
    let mut words: Vec<_> = Action::ALL.iter().map(|action| action.word()).collect();
    assert!(Action::ALL.iter().all(|action| Action::from_word(action.word()) == Some(*action)));
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Action::ALL.len());
}

#[test]
fn a_role_allows_denies_or_asks_for_an_approval_within_limits() {
    let crew = crew();
    let code = |person: &str, action: Action, size| {
        crew.may(staff(person), action.word(), size)
            .map_or_else(|refusal| refusal.code(), |()| "ok")
    };
    for (person, action, size, wanted) in [
        ("anna", Action::Sell, Size::NONE, "ok"),
        ("anna", Action::VoidLine, Size::NONE, "approval_needed"),
        ("anna", Action::Discount, Size::percent(2000), "ok"),
        ("anna", Action::Discount, Size::percent(2001), "approval_needed"),
        // Nobody says how much: the limit counts as passed.
        ("anna", Action::Discount, Size::NONE, "approval_needed"),
        ("anna", Action::PaidOut, Size::NONE, "denied"),
        ("anna", Action::CloseDay, Size::NONE, "denied"),
        ("dora", Action::Sell, Size::NONE, "denied"),
    ] {
        assert_eq!(code(person, action, size), wanted, "{person} {}", action.word());
    }
}

#[test]
fn an_action_of_a_newer_version_is_denied_by_name_and_kept_in_the_role() {
    let mut crew = crew();
    let text = r#"{"rules":{"teleport_goods":{"verdict":"allow"},"sell":{"verdict":"perhaps"}},"approves":{"teleport_goods":{}}}"#;
    let newer: Role = serde_json::from_str(text).unwrap();
    let set = crew.set_role(role("newer"), newer.clone());
    crew.apply(&Fact::Staff(StaffFact::RoleSet(Box::new(set))));
    let given = crew.give_roles(staff("dora"), vec![role("newer")]).unwrap();
    crew.apply(&Fact::Staff(StaffFact::RolesGiven(given)));
    let refusal = crew.may(staff("dora"), "teleport_goods", Size::NONE).unwrap_err();
    assert_eq!(refusal.code(), "unknown_action");
    assert!(refusal.to_string().contains("teleport_goods"));
    assert!(crew.may_approve(staff("dora"), "teleport_goods", Size::NONE).is_err());
    // A verdict it does not know denies.
    assert_eq!(crew.verdict(staff("dora"), "sell", Size::NONE), Ok(Verdict::Deny));
    assert!(serde_json::to_string(&newer).unwrap().contains("teleport_goods"));
    assert_eq!(
        crew.give_roles(staff("dora"), vec![role("king")]).unwrap_err().code(),
        "unknown_role"
    );
}

#[test]
fn a_blocked_person_can_do_nothing_at_once_and_whatever_roles_come_later() {
    let mut crew = crew();
    assert_eq!(crew.block(staff("ben"), staff("anna"), true).unwrap_err().code(), "denied");
    assert_eq!(crew.block(staff("cleo"), staff("cleo"), true).unwrap_err().code(), "own_block");
    let blocked = crew.block(staff("anna"), staff("cleo"), true).unwrap();
    crew.apply(&Fact::Staff(StaffFact::StaffBlocked(blocked)));
    let given = crew.give_roles(staff("anna"), vec![role("leads")]).unwrap();
    crew.apply(&Fact::Staff(StaffFact::RolesGiven(given)));
    assert_eq!(crew.may(staff("anna"), "sell", Size::NONE).unwrap_err().code(), "staff_blocked");
    assert_eq!(
        crew.may_approve(staff("anna"), "void_line", Size::NONE).unwrap_err().code(),
        "staff_blocked"
    );
    let free = crew.block(staff("anna"), staff("cleo"), false).unwrap();
    crew.apply(&Fact::Staff(StaffFact::StaffBlocked(free)));
    assert!(crew.may(staff("anna"), "void_line", Size::NONE).is_ok());
}

const POLICY: ApprovalPolicy = ApprovalPolicy {
    self_approval: SelfApproval::Refused,
    valid_seconds: 120,
};

fn ask(number: u128, action: Action, size: Size) -> ApprovalAsk {
    ApprovalAsk {
        approval: id(number),
        action: action.word().into(),
        subject: line(3),
        size,
        asked_by: staff("anna"),
        approved_by: staff("ben"),
        register: "r1".parse().unwrap(),
        at: at(0),
    }
}

fn wanted<'a>(number: u128, action: &'a str, subject: &'a Subject, size: Size) -> ApprovalUse<'a> {
    ApprovalUse {
        approval: id(number),
        used_by: id(1000 + number),
        action,
        subject,
        size,
        staff: staff("anna"),
        at: at(10),
    }
}

fn given(approvals: &mut Approvals, crew: &Crew, ask: ApprovalAsk) {
    let now = ask.at;
    let given = approvals.give(crew, POLICY, ask).unwrap();
    approvals.apply(&Fact::Staff(StaffFact::ApprovalGiven(Box::new(given))), now);
}

#[test]
fn one_pin_is_one_action_on_one_line_with_both_names() {
    let (crew, mut approvals) = (crew(), Approvals::default());
    given(&mut approvals, &crew, ask(1, Action::Discount, Size::percent(3000)));
    let (own, other) = (line(3), line(4));
    let code = |wanted| approvals.use_up(&crew, wanted).map_or_else(|refusal| refusal.code(), |_| "ok");
    for (wanted, result) in [
        (wanted(1, "discount", &own, Size::percent(3000)), "ok"),
        (wanted(1, "discount", &own, Size::percent(2500)), "ok"),
        (wanted(1, "discount", &own, Size::percent(3001)), "other_approval"),
        (wanted(1, "discount", &own, Size::amount(Money(1))), "other_approval"),
        (wanted(1, "discount", &other, Size::percent(3000)), "other_approval"),
        (wanted(1, "void_line", &own, Size::percent(3000)), "other_approval"),
        (
            ApprovalUse {
                staff: staff("dora"),
                ..wanted(1, "discount", &own, Size::percent(3000))
            },
            "other_approval",
        ),
        (
            ApprovalUse {
                at: at(120),
                ..wanted(1, "discount", &own, Size::percent(3000))
            },
            "no_approval",
        ),
        (wanted(2, "discount", &own, Size::percent(3000)), "no_approval"),
    ] {
        assert_eq!(code(wanted), result);
    }
    let used = approvals.use_up(&crew, wanted(1, "discount", &own, Size::percent(3000))).unwrap();
    assert_eq!((used.asked_by, used.approved_by), (staff("anna"), staff("ben")));
    approvals.apply(&Fact::Staff(StaffFact::ApprovalUsed(used)), at(10));
    let again = approvals.use_up(&crew, wanted(1, "discount", &own, Size::percent(3000)));
    assert_eq!(again.unwrap_err().code(), "approval_spent");
    // The same PIN entry said again makes no second approval.
    let again = approvals.give(&crew, POLICY, ask(1, Action::Discount, Size::percent(3000)));
    assert_eq!(again.unwrap_err().code(), "approval_spent");
}

#[test]
fn only_who_may_approve_approves_and_nobody_for_themselves_unless_the_shop_says_so() {
    let (crew, approvals) = (crew(), Approvals::default());
    let code = |policy, ask| approvals.give(&crew, policy, ask).map_or_else(|refusal| refusal.code(), |_| "ok");
    let by = |approved_by: &str, ask| ApprovalAsk {
        approved_by: staff(approved_by),
        ..ask
    };
    let from = |asked_by: &str, ask| ApprovalAsk {
        asked_by: staff(asked_by),
        ..ask
    };
    let void = || ask(1, Action::VoidLine, Size::NONE);
    let alone = ApprovalPolicy {
        self_approval: SelfApproval::Allowed,
        ..POLICY
    };
    assert_eq!(code(POLICY, void()), "ok");
    assert_eq!(code(POLICY, by("dora", void())), "not_an_approver");
    assert_eq!(code(POLICY, by("anna", void())), "own_approval");
    assert_eq!(code(alone, by("anna", void())), "not_an_approver");
    assert_eq!(code(POLICY, from("ben", by("cleo", void()))), "approval_not_needed");
    // What is denied no PIN opens.
    assert_eq!(code(POLICY, ask(1, Action::PaidOut, Size::NONE)), "denied");
    assert_eq!(code(POLICY, ask(1, Action::Discount, Size::percent(5000))), "ok");
    assert_eq!(code(POLICY, ask(1, Action::Discount, Size::percent(5001))), "not_an_approver");
}

#[test]
fn an_approver_who_is_blocked_meanwhile_no_longer_stands_behind_it() {
    let (mut crew, mut approvals) = (crew(), Approvals::default());
    given(&mut approvals, &crew, ask(1, Action::VoidLine, Size::NONE));
    let blocked = crew.block(staff("ben"), staff("cleo"), true).unwrap();
    crew.apply(&Fact::Staff(StaffFact::StaffBlocked(blocked)));
    let result = approvals.use_up(&crew, wanted(1, "void_line", &line(3), Size::NONE));
    assert_eq!(result.unwrap_err().code(), "staff_blocked");
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop::sample::select(vec![Verdict::Allow, Verdict::Approval, Verdict::Deny])
}

fn rule() -> impl Strategy<Value = Rule> {
    (verdict(), verdict(), prop::option::of(0u32..10_000), prop::option::of(0i64..10_000)).prop_map(|(one, other, percent, amount)| {
        let limits = Limits {
            percent_hundredths: percent,
            amount: amount.map(Money),
        };
        Rule::within(limits, one.min(other), one.max(other)).unwrap()
    })
}

fn size() -> impl Strategy<Value = Size> {
    (prop::option::of(0u32..10_000), prop::option::of(-10_000i64..10_000)).prop_map(|(percent_hundredths, amount)| Size {
        percent_hundredths,
        amount: amount.map(Money),
    })
}

fn holding(rules: &[Option<Rule>]) -> Crew {
    let mut crew = Crew::default();
    let mut roles = Vec::new();
    for (place, rule) in rules.iter().enumerate() {
        let name = role(&format!("role-{place}"));
        let rules = rule.map_or(Role::default(), |rule| Role::default().with(Action::Refund, rule));
        crew.apply(&Fact::Staff(StaffFact::RoleSet(Box::new(RoleSet { role: name, rules }))));
        roles.push(name);
    }
    let given = RolesGiven {
        staff: staff("anna"),
        roles,
    };
    crew.apply(&Fact::Staff(StaffFact::RolesGiven(given)));
    crew
}

proptest! {
    #[test]
    fn the_strictest_role_wins_in_any_order_and_more_of_it_is_never_easier(
        rules in prop::collection::vec(prop::option::of(rule()), 0..6), size in size(), turn in 0usize..6, bigger in 0i64..5000,
    ) {
        let decide = |rules: &[Option<Rule>], size| holding(rules).verdict(staff("anna"), "refund", size).unwrap();
        let verdict = decide(&rules, size);
        let single: Vec<_> = rules.iter().flatten().map(|rule| rule.verdict(size)).collect();
        prop_assert_eq!(verdict, single.iter().copied().max().unwrap_or(Verdict::Deny));
        let mut turned = rules.clone();
        turned.rotate_left(turn.min(rules.len()));
        prop_assert_eq!(decide(&turned, size), verdict);
        if !rules.is_empty() {
            let twice = [rules.clone(), rules[..1].to_vec()].concat();
            prop_assert_eq!(decide(&twice, size), verdict);
        }
        // Silence of one more role changes nothing; one more word never makes it easier.
        prop_assert_eq!(decide(&[rules.clone(), vec![None]].concat(), size), verdict);
        if !single.is_empty() {
            let denied = [rules.clone(), vec![Some(Rule::always(Verdict::Deny))]].concat();
            prop_assert_eq!(decide(&denied, size), Verdict::Deny);
            let allowed = [rules.clone(), vec![Some(Rule::always(Verdict::Allow))]].concat();
            prop_assert_eq!(decide(&allowed, size), verdict);
        }
        let more = Size { amount: size.amount.map(|amount| Money(amount.0.abs() + bigger)), ..size };
        prop_assert!(decide(&rules, more) >= verdict);
        for rule in rules.iter().flatten() {
            let again: Rule = serde_json::from_str(&serde_json::to_string(rule).unwrap()).unwrap();
            prop_assert_eq!(again, *rule);
        }
    }

    #[test]
    fn an_approval_is_used_at_most_once_under_any_order(steps in prop::collection::vec((0u8..3, 1u128..4, 0i64..200), 1..60)) {
        let (crew, mut approvals) = (crew(), Approvals::default());
        let mut facts: Vec<(Fact, Instant)> = Vec::new();
        let mut now = 0;
        for (step, number, later) in steps {
            now += later / 10;
            let fact = match step {
                0 => {
                    let ask = ApprovalAsk { at: at(now), ..ask(number, Action::VoidLine, Size::NONE) };
                    // The journal lets a command id in once; said again it is answered from there.
                    let known = facts.iter().any(|(fact, _)| matches!(fact, Fact::Staff(StaffFact::ApprovalGiven(given)) if given.approval == ask.approval));
                    if known {
                        continue;
                    }
                    approvals.give(&crew, POLICY, ask).ok().map(|given| Fact::Staff(StaffFact::ApprovalGiven(Box::new(given))))
                }
                1 => {
                    let subject = line(3);
                    let wanted = ApprovalUse { used_by: id(10_000 + facts.len() as u128), at: at(now), ..wanted(number, "void_line", &subject, Size::NONE) };
                    approvals.use_up(&crew, wanted).ok().map(|used| Fact::Staff(StaffFact::ApprovalUsed(used)))
                }
                _ => {
                    // The box falls: all is rebuilt from facts.
                    approvals = Approvals::default();
                    facts.iter().for_each(|(fact, when)| approvals.apply(fact, *when));
                    None
                }
            };
            if let Some(fact) = fact {
                approvals.apply(&fact, at(now));
                facts.push((fact, at(now)));
            }
        }
        for number in 1..4 {
            let uses = facts.iter().filter(|(fact, _)| matches!(fact, Fact::Staff(StaffFact::ApprovalUsed(used)) if used.approval == id(number)));
            prop_assert!(uses.count() <= 1);
        }
    }
}

fn clock(clock: &mut TimeClock, mark: ClockMark, number: u128, when: &str) {
    let clocked = clock.clock(staff("anna"), mark, id(number), time(when)).unwrap();
    clock.apply(&Fact::Staff(StaffFact::Clocked(clocked)), time(when));
}

fn hours(times: &TimeClock, zone: &str, end: &str) -> Vec<(String, i64)> {
    let worked = times.worked(staff("anna"), &Calendar::new(zone, end).unwrap());
    worked
        .into_iter()
        .map(|(day, micros)| (BusinessDay::to_string(&day), micros / 60_000_000))
        .collect()
}

#[test]
fn a_day_with_a_break_counts_what_was_worked() {
    let mut times = TimeClock::default();
    clock(&mut times, ClockMark::In, 1, "2026-11-20T08:00:00Z");
    clock(&mut times, ClockMark::BreakBegun, 2, "2026-11-20T12:00:00Z");
    let code = |times: &TimeClock, mark| {
        times
            .clock(staff("anna"), mark, id(9), time("2026-11-20T12:10:00Z"))
            .unwrap_err()
            .code()
    };
    assert_eq!(code(&times, ClockMark::BreakBegun), "on_break");
    assert_eq!(code(&times, ClockMark::In), "at_work");
    clock(&mut times, ClockMark::BreakEnded, 3, "2026-11-20T12:30:00Z");
    assert_eq!(code(&times, ClockMark::BreakEnded), "no_break");
    clock(&mut times, ClockMark::Out, 4, "2026-11-20T16:45:30Z");
    assert_eq!(code(&times, ClockMark::Out), "not_at_work");
    assert_eq!(code(&times, ClockMark::In), "overlap");
    assert_eq!(hours(&times, "Europe/Berlin", "02:00"), [("2026-11-20".into(), 8 * 60 + 15)]);
}

#[test]
fn the_night_of_twenty_five_hours_is_paid_as_long_as_it_was() {
    for (begun, ended, wanted) in [
        // 22:00 summer time to 06:00 winter time: nine hours on the clock of nobody, but nine hours of work.
        ("2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z", 9 * 60),
        // 22:00 winter time to 06:00 summer time.
        ("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z", 7 * 60),
    ] {
        let mut times = TimeClock::default();
        clock(&mut times, ClockMark::In, 1, begun);
        clock(&mut times, ClockMark::Out, 2, ended);
        let days = hours(&times, "Europe/Berlin", "04:00");
        assert_eq!(days.iter().map(|(_, minutes)| minutes).sum::<i64>(), wanted, "{days:?}");
        assert_eq!(days.len(), 2);
        assert_eq!(days[1].1, 120, "two hours after the day's end");
    }
}

fn correction(stint: u128, from: &str, to: &str) -> ClockCorrected {
    ClockCorrected {
        staff: staff("anna"),
        stint: id(stint),
        started_at: time(from),
        ended_at: time(to),
        by: staff("cleo"),
        reason: "forgotten".into(),
    }
}

#[test]
fn a_forgotten_clock_out_stops_nobody_and_is_corrected_by_a_manager() {
    let (crew, mut times) = (crew(), TimeClock::default());
    clock(&mut times, ClockMark::In, 1, "2026-11-18T08:00:00Z");
    let morning = time("2026-11-20T08:00:00Z");
    assert_eq!(
        times.clock(staff("anna"), ClockMark::Out, id(2), morning).unwrap_err().code(),
        "forgotten_out"
    );
    clock(&mut times, ClockMark::In, 3, "2026-11-20T08:00:00Z");
    assert!(hours(&times, "UTC", "00:00").is_empty(), "what nobody ended counts nothing");
    assert_eq!(times.forgotten(morning).count(), 1);
    let now = time("2026-11-20T09:00:00Z");
    let code = |correction| {
        times
            .correct(&crew, correction, now)
            .map_or_else(|refusal| refusal.code(), |_| "ok")
    };
    let right = || correction(1, "2026-11-18T08:00:00Z", "2026-11-18T16:00:00Z");
    let by = |person: &str| ClockCorrected {
        by: staff(person),
        ..right()
    };
    for (wrong, wanted) in [
        (by("anna"), "own_times"),
        (by("ben"), "denied"),
        (correction(7, "2026-11-18T08:00:00Z", "2026-11-18T16:00:00Z"), "no_stint"),
        (correction(1, "2026-11-18T16:00:00Z", "2026-11-18T08:00:00Z"), "overlap"),
        (correction(1, "2026-11-18T08:00:00Z", "2026-11-20T08:30:00Z"), "overlap"),
        (correction(1, "2026-11-20T07:00:00Z", "2026-11-20T08:30:00Z"), "overlap"),
        (correction(3, "2026-11-20T08:00:00Z", "2026-11-20T10:00:00Z"), "overlap"),
        (correction(3, "2026-11-18T07:00:00Z", "2026-11-18T09:00:00Z"), "overlap"),
        (
            ClockCorrected {
                reason: String::new(),
                ..right()
            },
            "reason",
        ),
        (right(), "ok"),
    ] {
        assert_eq!(code(wrong.clone()), wanted, "{wrong:?}");
    }
    let corrected = times.correct(&crew, right(), now).unwrap();
    times.apply(&Fact::Staff(StaffFact::ClockCorrected(corrected)), now);
    assert_eq!(times.stints(staff("anna"))[0].corrected_by, Some(staff("cleo")));
    clock(&mut times, ClockMark::Out, 4, "2026-11-20T12:00:00Z");
    assert_eq!(
        hours(&times, "UTC", "00:00"),
        [("2026-11-18".into(), 480), ("2026-11-20".into(), 240)]
    );
}

proptest! {
    #[test]
    fn whatever_people_press_no_two_times_overlap_and_hours_are_the_elapsed_ones(presses in prop::collection::vec((0u8..4, 0i64..30_000), 1..40)) {
        let (mut times, mut now) = (TimeClock::default(), 0);
        let marks = [ClockMark::In, ClockMark::BreakBegun, ClockMark::BreakEnded, ClockMark::Out];
        for (number, (mark, later)) in presses.into_iter().enumerate() {
            now += later;
            if let Ok(clocked) = times.clock(staff("anna"), marks[usize::from(mark)], id(number as u128), at(now)) {
                times.apply(&Fact::Staff(StaffFact::Clocked(clocked)), at(now));
            }
        }
        let stints = times.stints(staff("anna"));
        for pair in stints.windows(2) {
            prop_assert!(pair[0].ended_at.is_none_or(|ended| ended <= pair[1].started_at));
        }
        let micros = |from: Instant, to: Instant| to.as_micros() - from.as_micros();
        let mut wanted = 0;
        for stint in stints {
            let Some(ended) = stint.ended_at else { continue };
            wanted += micros(stint.started_at, ended);
            wanted -= stint.breaks.iter().map(|pause| micros(pause.begun_at, pause.ended_at.unwrap())).sum::<i64>();
        }
        let calendar = Calendar::new("Europe/Berlin", "02:30").unwrap();
        prop_assert_eq!(times.worked(staff("anna"), &calendar).values().sum::<i64>(), wanted);
    }
}

fn wrong(throttle: &mut Throttle, person: &str, register: &str, second: i64) {
    let refused = PinRefused {
        staff: staff(person),
        register: register.parse().unwrap(),
    };
    throttle.apply(&Fact::Staff(StaffFact::PinRefused(refused)), at(second));
}

#[test]
fn guessing_waits_longer_each_time_and_a_right_pin_is_forgiven() {
    let mut throttle = Throttle::default();
    let wait = |throttle: &Throttle, second| match throttle.may_try(staff("anna"), "r1".parse().unwrap(), at(second)) {
        Ok(()) => 0,
        Err(Refusal::Throttled { seconds }) => seconds,
        Err(other) => panic!("{other}"),
    };
    for _ in 0..FORGIVEN_PERSON - 1 {
        wrong(&mut throttle, "anna", "r1", 0);
        assert_eq!(wait(&throttle, 0), 0);
    }
    for (second, pause) in [(0, 5), (10, 10), (30, 20), (60, 40)] {
        wrong(&mut throttle, "anna", "r1", second);
        assert_eq!(wait(&throttle, second), pause + 1);
    }
    // A clock that was set back locks nobody out for longer than the longest pause.
    assert_eq!(wait(&throttle, -100_000), LONGEST_PAUSE_SECONDS);
    let signed_in = SignedIn {
        register: "r1".parse().unwrap(),
        staff: staff("anna"),
        session: 1,
    };
    throttle.apply(&Fact::SignedIn(signed_in), at(200));
    assert_eq!(wait(&throttle, 61), 0);
}

#[test]
fn many_people_at_one_device_and_many_devices_slow_the_whole_store_down() {
    let mut throttle = Throttle::default();
    for number in 0..FORGIVEN_DEVICE {
        wrong(&mut throttle, &format!("p{number}"), "r1", 0);
    }
    let may = |throttle: &Throttle, register: &str| throttle.may_try(staff("dora"), register.parse().unwrap(), at(0)).is_ok();
    assert!(!may(&throttle, "r1") && may(&throttle, "r2"));
    for number in FORGIVEN_DEVICE..FORGIVEN_STORE {
        wrong(&mut throttle, &format!("p{number}"), &format!("r{}", number + 100), 0);
    }
    assert!(!may(&throttle, "r2"));
    let kept: Throttle = serde_json::from_str(&serde_json::to_string(&throttle).unwrap()).unwrap();
    assert_eq!(kept, throttle);
}
