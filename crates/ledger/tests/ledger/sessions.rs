//! A session that begins with the state of another goes on as that one would have.

use cq_ledger::{Fill, Ledger};
use cq_types::{Account, Event, Px, Qty, Side};
use rust_decimal::Decimal;

use crate::venue::*;

fn go_on(ledger: &mut Ledger) {
    mark(ledger, PERP, "50500");
    mark(ledger, SPOT, "50400");
    ledger
        .apply_funding(&funding(8 * HOUR, PERP, "0.0001", "50500"))
        .unwrap();
    buy(ledger, 9 * HOUR, PERP, "0.100", "50300").unwrap();
    buy(ledger, 9 * HOUR, SPOT, "-0.10000", "50350").unwrap();
}

#[test]
fn a_restored_ledger_is_the_same_ledger() {
    let mut first = funded();
    first.set_leverage(PERP, 3).unwrap();
    buy(&mut first, 1, PERP, "-0.100", "50000").unwrap();
    buy(&mut first, 1, SPOT, "0.10000", "50000").unwrap();
    mark(&mut first, PERP, "50100");
    let mut second = ledger_of(&["only"]);
    second.restore(first.snapshot()).unwrap();
    go_on(&mut first);
    go_on(&mut second);
    assert_eq!(first.snapshot(), second.snapshot());
    assert_eq!(second.equity(), first.equity());
    assert_eq!(second.round_trips().len(), 1);
}

#[test]
fn a_state_of_other_parts_is_refused() {
    let state = ledger_of(&["a", "b"]).snapshot();
    let mut ledger = ledger_of(&["only"]);
    let text = ledger.restore(state).unwrap_err().to_string();
    assert!(
        text.contains("other instruments, wallets or sleeves"),
        "{text}"
    );
    let mut state = ledger.snapshot();
    state.books.account.balances.pop();
    assert!(ledger.restore(state).is_err());
    let mut state = ledger.snapshot();
    state.books.sleeves[0].holdings.positions.pop();
    assert!(ledger.restore(state).is_err());
    let mut state = ledger.snapshot();
    state.marks.pop();
    assert!(ledger.restore(state).is_err());
}

#[test]
fn a_fill_is_read_off_the_tape_with_its_sign() {
    let body = Account::Fill {
        order: 5,
        px: Px(100),
        qty: Qty(7),
        side: Side::Sell,
        is_taker: true,
        fee: d("0.1"),
        reference: Px(101),
        impact: d("0.2"),
    };
    let event = Event {
        ts_event: 3,
        ts_recv: 4,
        seq: 1,
        flags: 0,
        instrument: PERP,
        body,
    };
    let fill = Fill::of(&event).unwrap();
    assert_eq!((fill.ts, fill.instrument, fill.qty), (3, PERP, Qty(-7)));
    assert_eq!((fill.px, fill.reference), (Px(100), Px(101)));
    assert_eq!((fill.fee, fill.impact), (d("0.1"), d("0.2")));
    let event = Event {
        body: Account::Ack { order: 5 },
        ..event
    };
    assert_eq!(Fill::of(&event), None);
}

#[test]
fn names_lead_to_indices() {
    let ledger = ledger_of(&["carry", "model"]);
    assert_eq!(ledger.sleeve("model"), Some(1));
    assert_eq!(ledger.sleeve("other"), None);
    assert_eq!(ledger.wallet("coinm"), Some(COINM));
    assert_eq!(ledger.sleeves(), ["carry", "model"]);
    assert_eq!(ledger.wallets()[USDM].name, "usdm");
    assert_eq!(ledger.position(99), cq_ledger::Position::default());
    assert_eq!(
        ledger.sleeve_position(99, 0),
        cq_ledger::Position::default()
    );
    assert_eq!(ledger.equity(), Ok(Decimal::ZERO));
}
