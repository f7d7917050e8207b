//! What holds after any sequence of events, with no tolerance.

use cq_ledger::{Attribution, Fill, Funding, Ledger, LedgerError, Transfer};
use cq_types::{InstrumentIdx, Px, Qty, Ts};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::venue::*;

const SLEEVES: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Mark {
        instrument: InstrumentIdx,
        px: i64,
    },
    Fill {
        instrument: InstrumentIdx,
        px: i64,
        worse: i64,
        impact: i64,
        fee: i64,
        parts: [i64; SLEEVES],
    },
    Cross {
        instrument: InstrumentIdx,
        px: i64,
        give: i64,
    },
    Funding {
        instrument: InstrumentIdx,
        rate: i64,
        late: Ts,
    },
    Paid {
        instrument: InstrumentIdx,
        amount: i64,
        rate: i64,
    },
    Deposit {
        sleeve: usize,
        wallet: usize,
        coin: bool,
        amount: i64,
    },
    Withdraw {
        sleeve: usize,
        wallet: usize,
        amount: i64,
    },
    Transfer {
        sleeve: usize,
        coin: bool,
        back: bool,
        amount: i64,
        fee: i64,
    },
}

/// Prices between 20 000 and 80 000 on the grid of the instrument.
fn price_of(instrument: InstrumentIdx, cents: i64) -> Px {
    Px(if instrument == COIN {
        cents / 10
    } else {
        cents
    })
}

fn step() -> impl Strategy<Value = Step> {
    let instrument = || 0_u16..4;
    let cents = || 2_000_000_i64..8_000_000;
    prop_oneof![
        4 => (instrument(), cents()).prop_map(|(instrument, px)| Step::Mark { instrument, px }),
        6 => (instrument(), cents(), -500_i64..5_000, -100_i64..900, -1_000_000_i64..900_000_000, prop::array::uniform3(-40_i64..40))
            .prop_map(|(instrument, px, worse, impact, fee, parts)| Step::Fill { instrument, px, worse, impact, fee, parts }),
        1 => (instrument(), cents(), -30_i64..30).prop_map(|(instrument, px, give)| Step::Cross { instrument, px, give }),
        2 => (1_u16..4, -50_000_i64..50_000, 0_i64..25).prop_map(|(instrument, rate, late)| Step::Funding { instrument, rate, late }),
        1 => (1_u16..4, -100_000_000_i64..100_000_000, -50_000_i64..50_000).prop_map(|(instrument, amount, rate)| Step::Paid { instrument, amount, rate }),
        1 => (0..SLEEVES, 0_usize..3, any::<bool>(), 1_i64..100_000_000_000).prop_map(|(sleeve, wallet, coin, amount)| Step::Deposit { sleeve, wallet, coin, amount }),
        1 => (0..SLEEVES, 0_usize..2, 1_i64..100_000_000_000).prop_map(|(sleeve, wallet, amount)| Step::Withdraw { sleeve, wallet, amount }),
        1 => (0..SLEEVES, any::<bool>(), any::<bool>(), 1_i64..10_000_000_000, 0_i64..100_000_000)
            .prop_map(|(sleeve, coin, back, amount, fee)| Step::Transfer { sleeve, coin, back, amount, fee }),
    ]
}

fn money(units: i64) -> Decimal {
    Decimal::new(units, 8)
}

/// What was traded, summed beside the ledger.
type Traded = [[i64; 4]; SLEEVES];

fn allocations(instrument: InstrumentIdx, parts: [i64; SLEEVES]) -> Vec<(usize, Qty)> {
    let scale = if instrument == SPOT { 500 } else { 1 };
    parts
        .into_iter()
        .enumerate()
        .map(|(s, q)| (s, Qty(q * scale)))
        .collect()
}

fn asset_of(wallet: usize, coin: bool) -> &'static str {
    match wallet {
        COINM => "BTC",
        SPOT_WALLET if coin => "BTC",
        _ => "USDT",
    }
}

/// Books a step; an error if the ledger refused it.
fn book(ledger: &mut Ledger, traded: &mut Traded, ts: Ts, step: &Step) -> Result<(), LedgerError> {
    match *step {
        Step::Mark { instrument, px } => ledger.mark(instrument, price_of(instrument, px)),
        Step::Fill {
            instrument,
            px,
            worse,
            impact,
            fee,
            parts,
        } => {
            let parts = allocations(instrument, parts);
            let qty = Qty(parts.iter().map(|(_, q)| q.0).sum());
            let reference = price_of(instrument, px);
            let fill = Fill {
                ts,
                instrument,
                px: Px(reference.0 + qty.0.signum() * worse),
                qty,
                fee: money(if instrument == COIN {
                    fee / 100_000
                } else {
                    fee
                }),
                reference,
                impact: Decimal::new(impact, 2),
            };
            ledger.apply_fill(&fill, &parts)?;
            note(traded, instrument, &parts);
            Ok(())
        }
        Step::Cross {
            instrument,
            px,
            give,
        } => {
            let parts = allocations(instrument, [give, -2 * give, give]);
            ledger.internal_cross(ts, instrument, price_of(instrument, px), &parts)?;
            note(traded, instrument, &parts);
            Ok(())
        }
        Step::Funding {
            instrument,
            rate,
            late,
        } => {
            let mark = price_of(instrument, 5_000_000 + rate);
            let funding = Funding {
                ts: ts - late,
                instrument,
                rate: money(rate),
                mark,
            };
            ledger.apply_funding(&funding).map(|_| ())
        }
        Step::Paid {
            instrument,
            amount,
            rate,
        } => {
            let amount = if instrument == COIN {
                amount / 10_000
            } else {
                amount
            };
            ledger.book_funding(ts, instrument, money(amount), money(rate))
        }
        ref cash => move_cash(ledger, ts, cash),
    }
}

fn move_cash(ledger: &mut Ledger, ts: Ts, step: &Step) -> Result<(), LedgerError> {
    match *step {
        Step::Deposit {
            sleeve,
            wallet,
            coin,
            amount,
        } => {
            let asset = asset_of(wallet, coin);
            let amount = if asset == "BTC" {
                amount / 1_000
            } else {
                amount
            };
            ledger.deposit(ts, sleeve, wallet, asset, money(amount + 1))
        }
        Step::Withdraw {
            sleeve,
            wallet,
            amount,
        } => ledger.withdraw(ts, sleeve, wallet, "USDT", money(amount)),
        Step::Transfer {
            sleeve,
            coin,
            back,
            amount,
            fee,
        } => {
            let (other, asset, unit) = if coin {
                (COINM, "BTC", 1_000)
            } else {
                (USDM, "USDT", 1)
            };
            let (from, to) = if back {
                (other, SPOT_WALLET)
            } else {
                (SPOT_WALLET, other)
            };
            let (amount, fee) = (money(amount / unit + 1), money(fee / unit));
            ledger.transfer(Transfer {
                ts,
                from,
                to,
                asset,
                amount,
                fee,
                sleeve,
            })
        }
        _ => Ok(()),
    }
}

fn note(traded: &mut Traded, instrument: InstrumentIdx, parts: &[(usize, Qty)]) {
    for (sleeve, qty) in parts {
        traded[*sleeve][usize::from(instrument)] += qty.0;
    }
}

fn check(ledger: &Ledger, traded: &Traded) {
    let mut sleeves = Decimal::ZERO;
    for (sleeve, own) in traded.iter().enumerate() {
        let equity = ledger.sleeve_equity(sleeve).unwrap();
        let explained = ledger.attribution(sleeve).unwrap().total().unwrap();
        assert_eq!(equity, ledger.deposits(sleeve).unwrap() + explained);
        sleeves += equity;
        for instrument in 0..4_u16 {
            let held = ledger.sleeve_position(sleeve, instrument).qty.0;
            assert_eq!(held, own[usize::from(instrument)]);
        }
        for asset in ["USDT", "BTC"] {
            assert!(ledger.sleeve_balance(sleeve, SPOT_WALLET, asset).unwrap() >= Decimal::ZERO);
        }
    }
    assert_eq!(ledger.equity(), Ok(sleeves));
    for instrument in 0..4_u16 {
        let held: i64 = traded.iter().map(|s| s[usize::from(instrument)]).sum();
        assert_eq!(ledger.position(instrument).qty.0, held);
    }
    for asset in ["USDT", "BTC"] {
        let parts = (0..SLEEVES).map(|s| ledger.sleeve_balance(s, SPOT_WALLET, asset).unwrap());
        assert_eq!(ledger.balance(SPOT_WALLET, asset), Ok(parts.sum()));
    }
}

/// Half a unit of the rounding of inverse values, which floats do without, for each sleeve.
const ROUNDED: f64 = 0.5e-8 * SLEEVES as f64;
/// Largest price of [`step`].
const DEAREST: f64 = 80_000.0;

fn assert_near(float: f64, exact: Decimal, rounded: f64) {
    let exact: f64 = exact.to_string().parse().unwrap();
    // What is summed stays below 10^8 here, of which a float keeps 10^-8.
    let room = rounded + 1e-7;
    assert!((float - exact).abs() <= room, "{float} is not {exact}");
}

fn check_floats(ledger: &Ledger) {
    let room = ROUNDED * DEAREST;
    let equity = ledger.equity().unwrap();
    assert_near(ledger.equity_approx().unwrap(), equity, room);
    for sleeve in 0..SLEEVES {
        let equity = ledger.sleeve_equity(sleeve).unwrap();
        assert_near(ledger.sleeve_equity_approx(sleeve).unwrap(), equity, room);
        for (index, traded) in (0_u16..).zip(ledger.instruments()) {
            let position = ledger.sleeve_position(sleeve, index);
            match position.entry_price(traded) {
                Some(exact) => assert_near(position.entry_price_approx(traded), exact, 0.0),
                None => assert!(position.entry_price_approx(traded).is_nan()),
            }
        }
        check_margins(ledger, sleeve);
    }
}

fn check_margins(ledger: &Ledger, sleeve: usize) {
    for (wallet, asset) in [(USDM, "USDT"), (COINM, "BTC")] {
        let mut exact = ledger.sleeve_balance(sleeve, wallet, asset).unwrap();
        for &index in &ledger.wallets()[wallet].instruments {
            let traded = &ledger.instruments()[usize::from(index)];
            if traded.settle == asset {
                let position = ledger.sleeve_position(sleeve, index);
                let mark = ledger.mark_of(index).unwrap();
                exact += position.unrealised(traded, mark).unwrap();
            }
        }
        let mark = |i: usize| ledger.mark_of(u16::try_from(i).unwrap());
        let seen = ledger.margin_balance_approx(sleeve, wallet, asset, mark);
        assert_near(seen.unwrap(), exact, ROUNDED);
    }
}

fn start() -> Ledger {
    let mut ledger = ledger_of(&["a", "b", "c"]);
    mark_all(&mut ledger, "50000");
    for sleeve in 0..SLEEVES {
        for (wallet, asset) in [
            (SPOT_WALLET, "USDT"),
            (USDM, "USDT"),
            (COINM, "BTC"),
            (SPOT_WALLET, "BTC"),
        ] {
            let amount = if asset == "BTC" { d("2") } else { d("30000") };
            ledger.deposit(0, sleeve, wallet, asset, amount).unwrap();
        }
    }
    ledger
}

/// Trades every contract back to flat, each sleeve its own.
fn flatten(ledger: &mut Ledger, traded: &mut Traded, ts: Ts) {
    for instrument in [PERP, COIN, ETH] {
        for (sleeve, own) in traded.iter_mut().enumerate() {
            let held = ledger.sleeve_position(sleeve, instrument).qty;
            if held.0 != 0 {
                let px = ledger.mark_of(instrument).unwrap();
                let fill = Fill {
                    px,
                    reference: px,
                    ..plain(ts, instrument, "1", "1")
                };
                let fill = Fill {
                    qty: Qty(-held.0),
                    ..fill
                };
                ledger.apply_fill(&fill, &[(sleeve, fill.qty)]).unwrap();
                own[usize::from(instrument)] = 0;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn sleeves_add_up_and_every_change_is_explained(steps in prop::collection::vec(step(), 1..60)) {
        let mut ledger = start();
        let mut traded = Traded::default();
        for (ts, step) in (10..).step_by(10).zip(&steps) {
            let before = ledger.snapshot();
            if book(&mut ledger, &mut traded, ts, step).is_err() {
                prop_assert_eq!(ledger.snapshot(), before);
            }
            check(&ledger, &traded);
            check_floats(&ledger);
        }
        flatten(&mut ledger, &mut traded, 1_000);
        check(&ledger, &traded);
        for (wallet, asset) in [(USDM, "USDT"), (COINM, "BTC")] {
            let margin = ledger.margin(wallet, asset, 0).unwrap();
            prop_assert_eq!(margin.unrealised, Decimal::ZERO);
            prop_assert_eq!(margin.initial, Decimal::ZERO);
            let parts = (0..SLEEVES).map(|s| ledger.sleeve_balance(s, wallet, asset).unwrap());
            prop_assert_eq!(margin.balance, parts.sum::<Decimal>());
        }
    }

    #[test]
    fn closed_round_trips_of_linear_contracts_hold_all_that_was_earned_and_paid(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut ledger = ledger_of(&["a", "b", "c"]);
        mark_all(&mut ledger, "50000");
        let mut traded = Traded::default();
        for (ts, step) in (10..).step_by(10).zip(&steps) {
            if on_linear(step) {
                // Refused only for funding that nobody held.
                let _ = book(&mut ledger, &mut traded, ts, step);
            }
        }
        flatten(&mut ledger, &mut traded, 1_000);
        for sleeve in 0..SLEEVES {
            let mut sum = Attribution::default();
            let mut pnl = Decimal::ZERO;
            for trip in ledger.round_trips().iter().filter(|trip| trip.sleeve == sleeve) {
                prop_assert!(trip.entry_ts <= trip.exit_ts);
                prop_assert!(trip.legs.iter().all(|leg| leg.qty.0 != 0));
                pnl += trip.outcome.pnl;
                sum.fees += trip.outcome.fees;
                sum.funding += trip.outcome.funding;
                sum.spread += trip.outcome.spread;
                sum.impact += trip.outcome.impact;
            }
            let seen = ledger.attribution(sleeve).unwrap();
            prop_assert_eq!(pnl, seen.total().unwrap());
            prop_assert_eq!(seen.basis, Decimal::ZERO);
            sum.price = seen.price;
            prop_assert_eq!(sum, seen);
        }
    }
}

fn on_linear(step: &Step) -> bool {
    match step {
        Step::Mark { instrument, .. }
        | Step::Fill { instrument, .. }
        | Step::Cross { instrument, .. }
        | Step::Funding { instrument, .. }
        | Step::Paid { instrument, .. } => [PERP, ETH].contains(instrument),
        _ => false,
    }
}
