//! Two venues on one tape, by hand: what ends at one goes on at the other.

use cq_ledger::Transfer;
use cq_types::Bracket;

use super::*;

const SECOND: Ts = 1_000_000_000;
const USDT: &str = "USDT";

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// One contract at each of two venues, one sleeve with 1000 USDT at each.
fn both() -> Setup {
    let mut setup = setup(10 * SECOND);
    setup.grid = SECOND;
    setup.sample = SECOND;
    let wallet = setup.wallets.remove(0);
    let deposit = setup.capital.remove(0);
    setup.instruments.clear();
    for (index, name) in (0..).zip(["ONE", "TWO"]) {
        let mut traded = contract();
        traded.id = format!("BTCUSDT-PERP.{name}");
        traded.brackets = Dated::new(vec![(
            0,
            vec![Bracket {
                cap: None,
                mmr: d("0.004"),
                max_leverage: 100,
                cum: Decimal::ZERO,
            }],
        )]);
        setup.instruments.push(traded);
        setup.wallets.push(Wallet {
            name: format!("margin.{name}"),
            instruments: vec![index],
            ..wallet.clone()
        });
        setup.capital.push(Deposit {
            wallet: format!("margin.{name}"),
            ..deposit.clone()
        });
    }
    setup
}

/// Quotes of 100.00 on 100.10 at both, and marks, one a second from 1 s on.
fn line(setup: Setup, marks: &[i64]) -> Line {
    let mut line = Line::new(setup).unwrap();
    let times: Vec<Ts> = (1..).map(|n| n * SECOND).take(marks.len()).collect();
    for index in 0..2 {
        let quote = Columns::Quotes([vec![10_000], vec![50_000], vec![10_010], vec![50_000]]);
        line.add(Stream::new(index, stamps(&[0], 0), quote).unwrap())
            .unwrap();
        let rows = Columns::Marks(marks.to_vec());
        line.add(Stream::new(index, stamps(&times, 0), rows).unwrap())
            .unwrap();
        line.set_leverage(index, 10).unwrap();
    }
    line
}

fn send(line: &mut Line, id: u64, instrument: u16, signed: i64) {
    let request = Request {
        instrument,
        ..market(id, signed)
    };
    place(line, request);
}

fn to_the_end(line: &mut Line) {
    while wake(line).is_some() {}
}

#[test]
fn a_liquidation_at_one_venue_touches_nothing_at_the_other() {
    // 20 bought at 100.10 with 1000, 20 sold at 100.00 with 1000: at 50 the first is ruined
    // (1000 - 20 * 50.10 < 0), the second has 2000 and a working order.
    let mut line = line(both(), &[10_000, 5_000, 5_000]);
    assert_eq!(wake(&mut line), Some((Wake::Timer, 0)));
    send(&mut line, 1, 0, 20_000);
    send(&mut line, 2, 1, -20_000);
    let bid = Request {
        kind: OrderType::Limit,
        price: Some(Px(4_000)),
        instrument: 1,
        ..market(3, 100)
    };
    place(&mut line, bid);
    while line.liquidations().is_empty() {
        wake(&mut line).unwrap();
    }
    let row = &line.liquidations()[0];
    assert_eq!((row.instrument, row.ts_event), (0, 2 * SECOND));
    let ledger = line.ledger();
    assert_eq!(ledger.balance(0, USDT), Ok(Decimal::ZERO));
    assert_eq!(ledger.position(1).qty, Qty(-20_000));
    assert_eq!(ledger.balance(1, USDT), Ok(d("1000")));
    assert!(line.order(3).unwrap().is_open());
    // The account is the sum: nothing is left at one, 1000 + 20 * 50 at the other.
    line.wake_at(3 * SECOND + SECOND / 2).unwrap();
    while line.now() < 3 * SECOND + SECOND / 2 {
        wake(&mut line).unwrap();
    }
    assert_eq!(line.ledger().equity(), Ok(d("2000")));
    assert!(line.order(3).unwrap().is_open());
    to_the_end(&mut line);
    assert_eq!(line.liquidations().len(), 1);
}

#[test]
fn money_moves_between_venues_and_saves_the_one_it_goes_to() {
    let mut line = line(both(), &[10_000, 8_000, 5_000, 5_000]);
    wake(&mut line);
    send(&mut line, 1, 0, 20_000);
    while line.now() < 2 * SECOND {
        wake(&mut line).unwrap();
    }
    let transfer = Transfer {
        ts: line.now(),
        from: 1,
        to: 0,
        asset: USDT,
        amount: d("900"),
        fee: d("1"),
        sleeve: 0,
    };
    line.transfer(transfer).unwrap();
    to_the_end(&mut line);
    assert_eq!(line.liquidations(), []);
    // 1000 + 900 - 20 * 0.10, closed at the bid of 100.00; and 1000 - 901.
    assert_eq!(line.ledger().balance(0, USDT), Ok(d("1898")));
    assert_eq!(line.ledger().balance(1, USDT), Ok(d("99")));
}

#[test]
fn each_venue_has_its_own_settings_and_numbers_its_own_orders_apart() {
    let mut setup = both();
    let slow = SimConfig {
        latency: latency(3 * SECOND, SECOND),
        ..setup.sim.clone().unwrap()
    };
    setup.venues = [("TWO".to_owned(), slow)].into();
    let mut line = line(setup, &[10_000; 8]);
    wake(&mut line);
    send(&mut line, 1, 1, 10);
    send(&mut line, 2, 0, 10);
    to_the_end(&mut line);
    let fills: Vec<_> = (line.fills().iter())
        .map(|fill| (fill.order, fill.ts_event, fill.ts_recv, fill.tag))
        .collect();
    let forced = cq_sim::FORCED_ID;
    assert_eq!(
        fills,
        [
            (2, LATENCY, LATENCY + RESPONSE, ""),
            (1, 3 * SECOND, 4 * SECOND, ""),
            (forced, 10 * SECOND, 10 * SECOND, "data_end"),
            (forced + (1 << 32), 10 * SECOND, 10 * SECOND, "data_end"),
        ]
    );
}

#[test]
fn parts_that_do_not_fit_the_venues_are_named() {
    let error = |change: &dyn Fn(&mut Setup)| {
        let mut setup = both();
        change(&mut setup);
        Line::new(setup).err().map(|error| error.to_string())
    };
    let shared = error(&|setup| {
        setup.wallets[0].instruments = vec![0, 1];
        setup.wallets[1].instruments.clear();
    });
    assert_eq!(
        shared.unwrap(),
        "wallets: expected instruments of one venue in wallet \"margin.ONE\", was ONE and TWO"
    );
    let other = error(&|setup| setup.venues = [("SIX".to_owned(), SimConfig::default())].into());
    assert_eq!(
        other.unwrap(),
        "sim: expected a venue of [\"ONE\", \"TWO\"], was SIX"
    );
    let missing = error(&|setup| {
        setup.venues = [("TWO".to_owned(), setup.sim.take().unwrap())].into();
    });
    assert_eq!(
        missing.unwrap(),
        "sim: expected settings of each of [\"ONE\", \"TWO\"], was ONE"
    );
    assert_eq!(error(&|_| ()), None);
}
