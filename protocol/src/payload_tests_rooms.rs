//! One of each fact of tills, people, days and the fiscal step, for the tests beside.

use backroom_core::day::{CarriedTicket, Mark, OpenShift, SettlementEnd, ZRef};
use backroom_core::facts::{
    ApprovalGiven, ApprovalUsed, CashTransferred, ClockCorrected, Clocked, DayCloseBegun, DayFact, DayNumbered, DaySealed, DocumentMarked,
    FiscalEnded, FiscalFact, FiscalWanted, PinRefused, RoleSet, RolesGiven, SettlementEnded, SettlementWanted, StaffBlocked, StaffFact,
    TicketsCarried, TillCounted, TillDeclared, TillFact,
};
use backroom_core::fiscal::{FiscalDocument, FiscalEnd, Profile, Series};
use backroom_core::ids::{StaffId, TillId};
use backroom_core::money::Currency;
use backroom_core::staff::{Action, ClockMark, Limits, Role, Rule, Size, Subject, Verdict};
use backroom_core::till::{
    Count, CountResult, CurrencySum, Denominations, Difference, Flow, Foreign, ForeignCash, PeriodTotals, Periods, Pieces, Tally,
    TenderDeclared, TenderResult, TenderSum, TillKind, ZDetail,
};
use backroom_core::time::BusinessDay;

use super::*;

const EVERY_TENDER: [TenderKind; 7] = [
    TenderKind::Cash,
    TenderKind::Card,
    TenderKind::GiftCard,
    TenderKind::StoreCredit,
    TenderKind::Voucher,
    TenderKind::OnAccount,
    TenderKind::Points,
];

fn eur() -> Currency {
    "EUR".parse().unwrap()
}

fn usd() -> Currency {
    "USD".parse().unwrap()
}

fn anna() -> StaffId {
    "s101".parse().unwrap()
}

fn ben() -> StaffId {
    "s102".parse().unwrap()
}

fn day() -> BusinessDay {
    BusinessDay::from_days(20_778).unwrap()
}

fn dollars() -> CurrencySum {
    CurrencySum {
        currency: usd(),
        amount: Money(700),
    }
}

fn tally() -> Tally {
    let list = Denominations::standard(eur()).unwrap();
    let pieces = vec![Pieces {
        value: Money(500),
        pieces: 3,
    }];
    let counts = vec![
        Count::of_pieces(&list, pieces, None).unwrap(),
        Count::keyed(usd(), Money(700)).unwrap(),
    ];
    let declared = TenderDeclared {
        tender: TenderKind::Card,
        amount: Money(900),
    };
    Tally::new(counts, vec![declared]).unwrap()
}

fn result() -> CountResult {
    CountResult::of(usd(), Money(800), Money(700)).unwrap()
}

fn sums() -> PeriodTotals {
    PeriodTotals {
        zs: 1,
        sales: 2,
        returns: 3,
        net: Money(4),
        tax: Money(5),
        taxes: ticket().taxes,
        cash_rounding: Money(-1),
        sales_due: Money(6),
        returns_due: Money(-7),
    }
}

pub fn detail() -> ZDetail {
    ZDetail {
        currency: eur(),
        periods: Periods {
            business_day: day(),
            day: PeriodTotals::default(),
            month: sums(),
            year: sums(),
            perpetual: sums(),
        },
        tally: tally(),
        foreign: vec![result()],
        tenders: EVERY_TENDER
            .map(|tender| TenderResult {
                tender,
                expected: Money(900),
                declared: Money(900),
            })
            .to_vec(),
        counted_by: anna(),
        handed_to: Some(ben()),
        difference: Some(Difference {
            limit: Money(500),
            reason: "unexplained".into(),
            approval: None,
        }),
    }
}

pub fn tills_and_people() -> Vec<Fact> {
    let (till, shift): (TillId, _) = ("t1".parse().unwrap(), ShiftId(uuid(2)));
    let tills = [
        TillFact::TillDeclared(TillDeclared {
            till: "safe".parse().unwrap(),
            kind: TillKind::Safe,
        }),
        TillFact::CashTransferred(CashTransferred {
            from: till,
            to: "safe".parse().unwrap(),
            from_shift: Some(shift),
            to_shift: None,
            currency: eur(),
            sums: vec![dollars()],
            by: anna(),
            witness: Some(ben()),
            reason: "drop".into(),
        }),
        TillFact::TillCounted(Box::new(TillCounted {
            till: "safe".parse().unwrap(),
            shift: None,
            currency: eur(),
            tally: tally(),
            results: vec![result()],
            by: anna(),
            witness: None,
        })),
    ];
    let staff = people();
    let days = days(till, shift);
    let fiscal = [
        FiscalFact::FiscalWanted(FiscalWanted {
            wish: CommandId(uuid(8)),
            document: FiscalDocument::TillZ { till, number: 3 },
            profile: Profile::Simulator,
            series: Series::Receipts,
            digest: Hash([5; 32]),
            above: 6,
            deadline: at(),
        }),
        FiscalFact::FiscalEnded(FiscalEnded {
            wish: CommandId(uuid(8)),
            end: FiscalEnd::Signed {
                counter: 7,
                signature: Hash([6; 32]),
            },
        }),
    ];
    let tills = tills.into_iter().map(Fact::Till);
    let staff = staff.into_iter().map(Fact::Staff);
    let days = days.into_iter().map(Fact::Day);
    tills.chain(staff).chain(days).chain(fiscal.into_iter().map(Fact::Fiscal)).collect()
}

fn people() -> Vec<StaffFact> {
    let limits = Limits {
        percent_hundredths: Some(2000),
        amount: Some(Money(5000)),
    };
    vec![
        StaffFact::RoleSet(Box::new(RoleSet {
            role: "sells".parse().unwrap(),
            rules: Role::default()
                .with(Action::Sell, Rule::always(Verdict::Allow))
                .with(Action::Discount, Rule::within(limits, Verdict::Allow, Verdict::Approval).unwrap())
                .approving(Action::VoidLine, Limits::NONE),
        })),
        StaffFact::RolesGiven(RolesGiven {
            staff: anna(),
            roles: vec!["sells".parse().unwrap()],
        }),
        StaffFact::StaffBlocked(StaffBlocked {
            staff: anna(),
            by: ben(),
            blocked: true,
        }),
        StaffFact::ApprovalGiven(Box::new(ApprovalGiven {
            approval: CommandId(uuid(7)),
            action: "discount".into(),
            subject: Subject::Line {
                ticket: TicketId(uuid(1)),
                line: 2,
            },
            size: Size::percent(3000),
            asked_by: anna(),
            approved_by: ben(),
            register: "r1".parse().unwrap(),
            expires_at: at(),
        })),
        StaffFact::ApprovalUsed(ApprovalUsed {
            approval: CommandId(uuid(7)),
            used_by: CommandId(uuid(8)),
            asked_by: anna(),
            approved_by: ben(),
        }),
        StaffFact::Clocked(Clocked {
            staff: anna(),
            stint: CommandId(uuid(9)),
            mark: ClockMark::BreakBegun,
        }),
        StaffFact::ClockCorrected(ClockCorrected {
            staff: anna(),
            stint: CommandId(uuid(9)),
            started_at: at(),
            ended_at: at(),
            by: ben(),
            reason: "forgotten".into(),
        }),
        StaffFact::PinRefused(PinRefused {
            staff: anna(),
            register: "r1".parse().unwrap(),
        }),
    ]
}

fn days(till: TillId, shift: ShiftId) -> Vec<DayFact> {
    let document: ReceiptNo = "r1/1/5".parse().unwrap();
    let (terminal, settlement) = ("r1-terminal".parse().unwrap(), CommandId(uuid(10)));
    vec![
        DayFact::DayCloseBegun(Box::new(DayCloseBegun {
            day: day(),
            by: ben(),
            shifts: vec![OpenShift { till, shift }],
            terminals: vec![terminal],
        })),
        DayFact::TicketsCarried(TicketsCarried {
            day: day(),
            tickets: vec![CarriedTicket {
                ticket: TicketId(uuid(1)),
                register: "r1".parse().unwrap(),
                total: Money(100),
            }],
        }),
        DayFact::SettlementWanted(SettlementWanted {
            day: day(),
            terminal,
            settlement,
        }),
        DayFact::SettlementEnded(SettlementEnded {
            day: day(),
            terminal,
            settlement,
            end: SettlementEnd::Done,
            why: "batch 7".into(),
        }),
        DayFact::DayNumbered(Box::new(DayNumbered {
            day: day(),
            number: 4,
            zs: vec![ZRef { till, number: 3, shift }],
            totals: sums(),
            set_aside: vec![document],
            unsettled: vec![terminal],
        })),
        DayFact::DaySealed(DaySealed { day: day(), number: 4 }),
        DayFact::DocumentMarked(DocumentMarked {
            document,
            mark: Mark::SetAside,
            why: "tenders".into(),
        }),
    ]
}

/// What kinds of the first version say since: the old bytes stand in the list of examples, these are the new fields.
fn widened() -> Vec<Fact> {
    let (till, shift): (TillId, _) = ("t1".parse().unwrap(), ShiftId(uuid(2)));
    let flow = Flow {
        float: Money(1),
        taken: Money(2),
        change: Money(3),
        refunds: Money(4),
        paid_in: Money(5),
        paid_out: Money(6),
        received: Money(7),
        drops: Money(8),
    };
    let totals = Totals {
        received: Money(9),
        tenders: EVERY_TENDER
            .map(|tender| TenderSum {
                tender,
                taken: Money(0),
                refunded: Money(5),
            })
            .to_vec(),
        foreign: vec![ForeignCash { currency: usd(), flow }],
        ..Totals::default()
    };
    let z = ZReport {
        number: 1,
        opened_at: at(),
        closed_at: at(),
        float: Money(100),
        totals,
        expected: Money(1),
        counted: Money(2),
        over_short: Money(1),
        perpetual_sales: Money(3),
        perpetual_returns: Money(0),
        detail: Some(Box::new(detail())),
    };
    let foreign = Foreign {
        currency: usd(),
        amount: Money(2000),
        rate: "0.92".parse().unwrap(),
    };
    let tender = Tender {
        foreign: Some(foreign),
        ..Tender::cash(CommandId(uuid(5)), at(), Money(1840))
    };
    let on = |subject| {
        Fact::Staff(StaffFact::ApprovalGiven(Box::new(ApprovalGiven {
            approval: CommandId(uuid(7)),
            action: "of_tomorrow".into(),
            subject,
            size: Size::amount(Money(-1)),
            asked_by: anna(),
            approved_by: ben(),
            register: "r1".parse().unwrap(),
            expires_at: at(),
        })))
    };
    let fiscal = |end| {
        Fact::Fiscal(FiscalFact::FiscalEnded(FiscalEnded {
            wish: CommandId(uuid(8)),
            end,
        }))
    };
    vec![
        Fact::ShiftOpened(ShiftOpened {
            shift,
            till,
            register: "r1".parse().unwrap(),
            float: Money(100),
            staff: Some(anna()),
            foreign: vec![dollars()],
            left: vec![dollars()],
        }),
        Fact::ShiftClosed(Box::new(ShiftClosed { shift, till, z })),
        Fact::TenderTaken(TenderTaken {
            ticket: TicketId(uuid(1)),
            tender,
        }),
        on(Subject::Ticket { ticket: TicketId(uuid(1)) }),
        on(Subject::Receipt {
            receipt: "r1/1/5".parse().unwrap(),
        }),
        on(Subject::Till { till }),
        on(Subject::Register {
            register: "r1".parse().unwrap(),
        }),
        on(Subject::Day { day: day() }),
        on(Subject::Item {
            sku: "MUG".parse().unwrap(),
        }),
        on(Subject::Person { staff: anna() }),
        fiscal(FiscalEnd::DeviceFailed { why: "not_reached".into() }),
        fiscal(FiscalEnd::Unknown),
    ]
}

#[test]
fn what_was_added_to_a_kind_survives_its_bytes_and_its_json() {
    for fact in widened().into_iter().chain(tills_and_people()) {
        let kind = fact.kind() as u16;
        assert_eq!(decode(kind, &encode(&fact)).unwrap().as_ref(), Some(&fact));
        fuzz_one(&encode(&fact));
        let json = serde_json::to_string(&fact).unwrap();
        assert!(json.starts_with(&format!("{{\"fact\":\"{}\"", fact.kind().word())), "{json}");
        assert_eq!(serde_json::from_str::<Fact>(&json).unwrap(), fact);
    }
}
