//! Liquidation at the venue, at its time and by what it knows; what we hear of it comes later.

use cq_ledger::{MarginMode, Reducing};
use cq_line::LiquidationRow;
use cq_types::Bracket;

use super::*;

const SECOND: Ts = 1_000_000_000;
const USDT: &str = "USDT";

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn tier(cap: i64, mmr: &str, cum: &str) -> Bracket {
    Bracket {
        cap: Some(Decimal::from(cap)),
        mmr: d(mmr),
        max_leverage: 100,
        cum: d(cum),
    }
}

/// What is different from a contract of one tier of 0.4 %, cross, 1000 USDT, bids for 50 000 units.
struct Case {
    tiers: Vec<Bracket>,
    sim: SimConfig,
    cash: &'static str,
    bid: (i64, i64),
    funding: Option<(Ts, i64)>,
    fee: &'static str,
    /// Marks of a second contract in the same wallet, bought at 100.00 as well.
    beside: Vec<i64>,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            tiers: vec![tier(1_000_000, "0.004", "0")],
            sim: SimConfig {
                latency: latency(LATENCY, LATENCY),
                ..SimConfig::default()
            },
            cash: "1000",
            bid: (10_000, 50_000),
            funding: None,
            fee: "0.015",
            beside: vec![],
        }
    }
}

impl Case {
    /// A line over these marks, one a second from 1 s on; the grid wakes every half second.
    fn line(&self, marks: &[i64]) -> Line {
        let mut traded = contract();
        traded.brackets = Dated::new(vec![(0, self.tiers.clone())]);
        traded.liquidation_fee = Some(always(d(self.fee)));
        let times: Vec<Ts> = (1..).map(|n| n * SECOND).take(marks.len()).collect();
        let end = times.last().unwrap() + 2 * SECOND;
        let mut setup = setup(end);
        setup.instruments = vec![traded];
        if !self.beside.is_empty() {
            let mut other = setup.instruments[0].clone();
            "ETHUSDT-PERP.TEST".clone_into(&mut other.id);
            setup.instruments.push(other);
            setup.wallets[0].instruments.push(1);
        }
        setup.grid = SECOND / 2;
        setup.sample = SECOND;
        setup.sim = Some(self.sim.clone());
        setup.capital[0].amount = d(self.cash);
        setup.wallets.push(Wallet {
            name: "vault".to_owned(),
            assets: vec![USDT.to_owned()],
            instruments: vec![],
        });
        setup.capital.push(Deposit {
            sleeve: 0,
            wallet: "vault".to_owned(),
            asset: USDT.to_owned(),
            amount: d("500"),
        });
        let mut line = Line::new(setup).unwrap();
        line.set_leverage(0, 10).unwrap();
        let (bid, depth) = self.bid;
        let quotes = Columns::Quotes([
            vec![10_000, bid],
            vec![50_000, depth],
            vec![10_000, 10_010],
            vec![50_000, 50_000],
        ]);
        // The first quote is what positions are opened at, the second what is there later.
        line.add(Stream::new(0, stamps(&[0, 3 * SECOND / 2], 0), quotes).unwrap())
            .unwrap();
        let rows = Columns::Marks(marks.to_vec());
        line.add(Stream::new(0, stamps(&times, 0), rows).unwrap())
            .unwrap();
        if !self.beside.is_empty() {
            line.set_leverage(1, 10).unwrap();
            let (px, qty) = (vec![10_000], vec![50_000]);
            let quotes = Columns::Quotes([px.clone(), qty.clone(), px, qty]);
            line.add(Stream::new(1, stamps(&[0], 0), quotes).unwrap())
                .unwrap();
            let rows = Columns::Marks(self.beside.clone());
            line.add(Stream::new(1, stamps(&times, 0), rows).unwrap())
                .unwrap();
        }
        if let Some((ts, rate)) = self.funding {
            let rate = Columns::Funding {
                rate: vec![rate],
                exp: 4,
            };
            line.add(Stream::new(0, stamps(&[ts], 0), rate).unwrap())
                .unwrap();
        }
        line
    }

    /// Buys `units` at once at 100.00 and lives through the marks.
    fn long(&self, units: i64, marks: &[i64]) -> Line {
        let mut line = self.line(marks);
        assert_eq!(wake(&mut line), Some((Wake::Timer, 0)));
        place(&mut line, market(1, units));
        line
    }
}

fn to_the_end(line: &mut Line) -> Vec<Account> {
    while wake(line).is_some() {}
    line.take_answers()
        .into_iter()
        .map(|answer| answer.body)
        .collect()
}

/// What was said from the first word on a liquidation.
fn said(answers: &[Account]) -> &[Account] {
    let is_first = |a: &Account| matches!(a, Account::Liquidation { .. });
    answers
        .iter()
        .position(is_first)
        .map_or(&[], |at| &answers[at..])
}

fn held(line: &Line) -> (i64, Decimal) {
    let ledger = line.ledger();
    (ledger.position(0).qty.0, ledger.balance(0, USDT).unwrap())
}

#[test]
fn a_mark_at_the_liquidation_price_hands_the_position_over() {
    // 20 at 100 with 1000: maintenance is reached at 1000 / (20 * 0.996) = 50.2008.
    let mut line = Case::default().long(20_000, &[10_000, 5_021, 5_020, 9_000]);
    let answers = to_the_end(&mut line);
    let [row] = line.liquidations() else {
        panic!("one order, was {:?}", line.liquidations());
    };
    let expected = LiquidationRow {
        order: 1 << 62,
        ts_event: 3 * SECOND,
        ts_recv: 3 * SECOND + LATENCY,
        instrument: 0,
        side: Side::Sell,
        qty: Qty(20_000),
        bankruptcy: Px(5_000),
        is_takeover: true,
        insurance: d("0"),
        deficit: d("0"),
        is_adl: false,
    };
    assert_eq!(*row, expected);
    assert_eq!(held(&line), (0, Decimal::ZERO));
    assert_eq!(
        line.ledger().equity(),
        Ok(d("500")),
        "the other wallet is not touched"
    );
    let fill = line.fills().last().unwrap();
    assert_eq!(
        (fill.tag, fill.px, fill.reference),
        ("liquidation", Px(5_000), Px(5_020))
    );
    assert_eq!(fill.fee, Decimal::ZERO);
    let order = line.orders().last().unwrap();
    assert_eq!(
        (order.tag, order.status),
        ("liquidation", cq_line::OrderStatus::Filled)
    );
    let ends = said(&answers).last().unwrap();
    assert!(matches!(ends, Account::Insurance { order, .. } if *order == 1 << 62));
}

#[test]
fn the_fund_pays_what_a_gap_took_and_says_when_it_cannot() {
    for (fund, is_adl) in [(None, false), (Some("200"), false), (Some("199.99"), true)] {
        let mut case = Case::default();
        case.sim.insurance_fund = fund.map(d);
        let mut line = case.long(20_000, &[10_000, 4_000, 9_000]);
        to_the_end(&mut line);
        let row = &line.liquidations()[0];
        assert_eq!(
            row.bankruptcy,
            Px(5_000),
            "above the mark: the fund bears the difference"
        );
        assert_eq!((row.deficit, row.is_adl), (d("200"), is_adl), "{fund:?}");
        assert_eq!(held(&line), (0, Decimal::ZERO));
    }
}

#[test]
fn the_first_that_is_taken_over_takes_what_is_left_and_the_next_goes_at_its_mark() {
    // 20 and 10 at 100; at 50.40 there is 1000 - 992 = 8, and 0.4 % of 1008 + 1000 is needed.
    let case = Case {
        beside: vec![10_000, 10_000],
        ..Case::default()
    };
    let mut line = case.long(20_000, &[10_000, 5_040]);
    let beside = Request {
        instrument: 1,
        ..market(2, 10_000)
    };
    place(&mut line, beside);
    to_the_end(&mut line);
    let rows = line.liquidations().iter();
    let taken: Vec<_> = rows
        .map(|r| (r.instrument, r.qty.0, r.bankruptcy))
        .collect();
    let expected = [(0, 20_000, Px(5_000)), (1, 10_000, Px(10_000))]; // 50.40 - 8 / 20
    assert_eq!(taken, expected);
    assert!(line.liquidations().iter().all(|r| r.insurance == d("0")));
    assert_eq!(held(&line), (0, Decimal::ZERO));
}

#[test]
fn what_a_grid_unit_leaves_over_is_settled_to_the_last_digit() {
    // 1000.007 / 20 = 50.00035: the price of bankruptcy is 49.99965, on the grid 50.00.
    let case = Case {
        cash: "1000.00700001",
        ..Case::default()
    };
    let mut line = case.long(20_000, &[10_000, 5_000]);
    to_the_end(&mut line);
    let row = &line.liquidations()[0];
    assert_eq!(
        (row.bankruptcy, row.insurance),
        (Px(5_000), d("-0.00700001"))
    );
    assert_eq!(held(&line), (0, Decimal::ZERO));
    let trips = line.ledger().round_trips();
    assert_eq!(trips.last().unwrap().outcome.pnl, d("-1000.00700001"));
    assert_eq!(line.ledger().attribution(0).unwrap().fees, d("-0.00700001"));
}

fn two_tiers() -> Case {
    Case {
        tiers: vec![tier(1_000, "0.004", "0"), tier(100_000, "0.05", "46")],
        cash: "243",
        bid: (8_995, 50_000),
        ..Case::default()
    }
}

#[test]
fn a_lower_tier_is_reached_by_one_order_that_pays_the_fee_on_its_part_alone() {
    // At 90: 243 - 200 = 43 against 1800 * 5 % - 46 = 44. The cap of 1000 leaves 11.111.
    let mut line = two_tiers().long(20_000, &[10_000, 9_006, 9_000, 9_000, 9_000]);
    while line.liquidations().is_empty() {
        wake(&mut line).unwrap();
    }
    let row = &line.liquidations()[0];
    assert_eq!(
        (row.ts_event, row.qty, row.is_takeover),
        (3 * SECOND, Qty(8_889), false)
    );
    assert_eq!(row.bankruptcy, Px(8_785)); // 90 - 43 / 20
    let fill = line.fills().last().unwrap();
    assert_eq!(
        (fill.px, fill.qty, fill.tag),
        (Px(8_995), Qty(8_889), "liquidation")
    );
    assert_eq!(fill.fee, d("11.99348325")); // 8.889 * 89.95 * 1.5 %
                                            // 243 - 8.889 * 10.05 - 11.99348325
    assert_eq!(held(&line), (11_111, d("141.67206675")));
    to_the_end(&mut line);
    assert_eq!(line.liquidations().len(), 1, "it stays within its margin");
}

#[test]
fn what_the_market_does_not_take_in_time_is_taken_over() {
    for bid in [(8_784, 50_000), (8_995, 100)] {
        let case = Case { bid, ..two_tiers() };
        let mut line = case.long(20_000, &[10_000, 9_000, 9_000]);
        let answers = to_the_end(&mut line);
        let rows = line.liquidations();
        assert_eq!(rows.len(), 2, "{bid:?}");
        assert!(!rows[0].is_takeover && rows[1].is_takeover);
        assert_eq!(held(&line), (0, Decimal::ZERO));
        let cancelled = Account::Cancelled {
            order: rows[0].order,
            reason: "",
        };
        assert!(
            said(&answers).contains(&cancelled),
            "the rest of it is cancelled"
        );
    }
}

#[test]
fn every_order_of_the_wallet_is_cancelled_first() {
    let mut line = Case::default().long(20_000, &[10_000, 5_000, 9_000]);
    assert_eq!(wake(&mut line).unwrap().0, Wake::Account);
    let rests = Request {
        kind: OrderType::Limit,
        price: Some(Px(4_000)),
        ..market(2, 5)
    };
    place(&mut line, rests);
    place(&mut line, stop(3, -20_000, 3_000));
    let answers = to_the_end(&mut line);
    let at = |wanted: &Account| answers.iter().position(|a| a == wanted).unwrap();
    let first = answers
        .iter()
        .position(|a| matches!(a, Account::Liquidation { .. }))
        .unwrap();
    for order in [2, 3] {
        assert!(at(&Account::Ack { order }) < first);
        let reason = "liquidation";
        assert!(at(&Account::Cancelled { order, reason }) < first);
    }
}

#[test]
fn we_hear_of_it_late_and_an_emptied_wallet_opens_nothing() {
    let mut line = Case::default().long(20_000, &[10_000, 5_000, 5_000, 5_000, 5_000, 5_000]);
    while line.now() < 2 * SECOND {
        wake(&mut line).unwrap();
    }
    assert_eq!(
        line.ledger().position(0).qty,
        Qty(20_000),
        "the news is on its way"
    );
    place(&mut line, market(2, -20_000));
    place(
        &mut line,
        Request {
            reduce_only: true,
            ..market(3, -20_000)
        },
    );
    while line.now() < 3 * SECOND {
        wake(&mut line).unwrap();
    }
    let reason = |line: &Line, id: u64| {
        line.orders()
            .iter()
            .find(|r| r.request.id == id)
            .unwrap()
            .reason
    };
    assert_eq!(reason(&line, 2), "insufficient_margin");
    assert_eq!(reason(&line, 3), "reduce_only");
    let funds = cq_ledger::Transfer {
        ts: line.now(),
        from: 1,
        to: 0,
        asset: USDT,
        amount: d("500"),
        fee: d("0"),
        sleeve: 0,
    };
    line.transfer(funds).unwrap();
    place(&mut line, market(4, 1_000));
    while line.now() < 4 * SECOND {
        wake(&mut line).unwrap();
    }
    assert_eq!((reason(&line, 4), held(&line).0), ("", 1_000));
    to_the_end(&mut line);
    assert_eq!(line.liquidations().len(), 1);
}

#[test]
fn an_isolated_position_loses_its_own_margin_only() {
    let mut case = Case::default();
    case.sim.margin = MarginMode::Isolated;
    let mut line = case.line(&[10_000, 9_050, 9_030, 9_000, 9_000]);
    wake(&mut line).unwrap();
    place(&mut line, market(1, 10_000));
    to_the_end(&mut line);
    // 10 at 100 with 100 set aside: (1000 - 100) / (10 * 0.996) = 90.3614.
    let row = &line.liquidations()[0];
    assert_eq!((row.ts_event, row.bankruptcy), (3 * SECOND, Px(9_000)));
    assert_eq!(held(&line), (0, d("900")));
}

#[test]
fn funding_can_be_the_last_straw() {
    // 1000 - 20 * 49.78 = 4.4 against 4.0176 at 50.22; 0.1 % of 1004.4 takes a unit more.
    let minute = 60 * SECOND;
    let marks = vec![5_022; 61];
    let mut case = Case {
        funding: Some((minute, 10)),
        ..Case::default()
    };
    let mut line = case.long(20_000, &marks);
    to_the_end(&mut line);
    assert_eq!(line.liquidations()[0].ts_event, minute);
    assert_eq!(held(&line), (0, Decimal::ZERO));
    case.funding = Some((minute, -10));
    let mut line = case.long(20_000, &marks);
    to_the_end(&mut line);
    assert_eq!(line.liquidations(), []);
}

#[test]
fn a_bar_is_taken_at_its_worst_price_where_nothing_else_marks() {
    let mut traded = contract();
    traded.brackets = Dated::new(vec![(0, vec![tier(1_000_000, "0.004", "0")])]);
    let bars = [
        (0, [10_000, 10_000, 10_000, 10_000, 1_000_000_000]),
        (HOUR, [10_000, 10_000, 5_020, 9_000, 1_000_000_000]),
        (2 * HOUR, [9_000, 9_000, 9_000, 9_000, 1_000_000_000]),
    ];
    let run = |protects: bool| {
        let mut setup = setup(3 * HOUR);
        setup.instruments = vec![traded.clone()];
        let mut line = Line::new(setup).unwrap();
        line.set_leverage(0, 10).unwrap();
        add_bars(&mut line, HOUR, &bars);
        wake(&mut line).unwrap();
        place(&mut line, market(1, 20_000));
        if protects {
            place(&mut line, stop(2, -20_000, 6_000));
        }
        to_the_end(&mut line);
        let last = line.fills().last().unwrap().clone();
        (
            line.liquidations().len(),
            last.px,
            last.ts_event,
            last.ts_recv,
        )
    };
    let end = 2 * HOUR;
    assert_eq!(run(false), (1, Px(5_000), end - 1, end));
    assert_eq!(
        run(true),
        (0, Px(6_000), end - 1, end),
        "the stop comes first"
    );
}

/// Bought at 100.00; at a mark of 90.00 what is there goes for 89.95.
fn five_tiers(cash: &'static str, reducing: Reducing, depth: i64) -> Case {
    Case {
        tiers: vec![
            tier(500, "0.004", "0"),
            tier(1_000, "0.01", "3"),
            tier(1_500, "0.02", "13"),
            tier(2_000, "0.05", "58"),
            tier(100_000, "0.1", "158"),
        ],
        cash,
        bid: (8_995, depth),
        sim: SimConfig {
            reducing,
            ..Case::default().sim
        },
        ..Case::default()
    }
}

/// Quantity of each order of the liquidation, and whether the fund took it.
fn steps(case: &Case, units: i64) -> Vec<(i64, bool)> {
    let mut line = case.long(units, &[10_000, 9_000, 9_000]);
    to_the_end(&mut line);
    let rows = line.liquidations().iter();
    rows.map(|row| (row.qty.0, row.is_takeover)).collect()
}

#[test]
fn each_venue_reduces_in_its_own_steps() {
    use Reducing::{FillOrKill, OneOrder, TwoTiers};
    // 20 are worth 1800 at 90: 1800 x 5 % - 58 = 32 are needed, 230 - 200 are there. The third tier
    // needs 16.666 x 90 x 2 % - 13 = 17, and 30 less 1.5 % of 3.334 x 90 is more: one order. Two
    // tiers down the cap of 1000 leaves 11.111.
    let of = |reducing, depth| steps(&five_tiers("230", reducing, depth), 20_000);
    assert_eq!(of(OneOrder, 50_000), [(3_334, false)]);
    assert_eq!(of(FillOrKill, 50_000), [(3_334, false)]);
    assert_eq!(of(TwoTiers, 50_000), [(8_889, false)]);
    // With bids for 0.1 an order that may be partial trades that, one that may not nothing.
    assert_eq!(of(OneOrder, 100), [(3_334, false), (19_900, true)]);
    assert_eq!(of(FillOrKill, 100), [(3_334, false), (20_000, true)]);
}

#[test]
fn two_tiers_at_a_time_until_it_is_enough_or_the_lowest_is_left() {
    let of = |cash, units| steps(&five_tiers(cash, Reducing::TwoTiers, 50_000), units);
    // 40 are worth 3600: 3600 x 10 % - 158 = 202 are needed, 449 - 400 are there. Down to 1500:
    // 49 - 23.334 x 0.05 - 1.5 % of 23.334 x 89.95 = 16.35 against 16.666 x 90 x 2 % - 13 = 17.
    // Down to 500: 16.35 - 11.111 x 0.05 - 1.5 % of 11.111 x 89.95 = 0.80 against 5.555 x 90 x 0.4 %.
    let expected = [(23_334, false), (11_111, false), (5_555, true)];
    assert_eq!(of("449", 40_000), expected);
    // With 0.66 more the first step is enough: 17.01 against 16.9988.
    assert_eq!(of("449.66", 40_000), [(23_334, false)]);
    // What is no more than the lowest tier's 1800 x 0.4 % is taken over at once, and so is what is
    // in the second tier: 900 x 1 % - 3 = 6 are needed, 5 are there.
    assert_eq!(of("207.2", 20_000), [(20_000, true)]);
    assert_eq!(of("207.21", 20_000)[0], (8_889, false));
    assert_eq!(of("105", 10_000), [(10_000, true)]);
}
