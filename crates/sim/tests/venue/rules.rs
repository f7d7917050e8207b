use cq_sim::{reject_code, OrderRate, TriggerBy, TriggeredStops, REASONS};
use cq_types::{flags, PriceBands};

use super::*;

fn refused(change: impl FnOnce(&mut Instrument), request: Request) -> Vec<&'static str> {
    let mut instrument = contract(Contract::Linear);
    change(&mut instrument);
    let mut venue = venue_of(instrument, false, &free());
    venue.begin_bar(0, bar(1, 10_000, 10_000, 10_000, 10_000, 1_000_000));
    venue.send(HOUR, request);
    deliver(&mut venue);
    said(&mut venue)
}

fn same(_: &mut Instrument) {}

#[test]
fn each_rule_refuses_with_its_reason() {
    let odd = |i: &mut Instrument| i.lot = always(Qty(100));
    assert_eq!(refused(odd, market(1, 1_050)), ["off_lot"]);
    assert_eq!(refused(same, limit(1, 1_000, 10_005)), ["off_tick"]);
    assert_eq!(refused(same, stop(1, -1_000, 10_005)), ["off_tick"]);
    assert_eq!(refused(same, limit(1, 1_000, 0)), ["no_price"]);
    assert_eq!(
        refused(same, order(1, 1_000, OrderType::Limit)),
        ["no_price"]
    );
    let none = Request {
        qty: Qty(0),
        ..market(1, 1)
    };
    assert_eq!(refused(same, none), ["bad_quantity"]);
    let unknown = Request {
        instrument: 1,
        ..market(1, 1_000)
    };
    assert_eq!(refused(same, unknown), ["unknown_instrument"]);
    let reducing = Request {
        reduce_only: true,
        ..market(1, 1_000)
    };
    assert_eq!(refused(same, reducing), ["reduce_only"]);
}

#[test]
fn a_contract_trades_from_its_first_moment_to_before_its_last() {
    let arrives = HOUR + ENTRY;
    let from = |ts| move |i: &mut Instrument| i.valid_from = Some(ts);
    let to = |ts| move |i: &mut Instrument| i.valid_to = Some(ts);
    assert_eq!(refused(from(arrives), market(1, 1_000)), ["fill"]);
    assert_eq!(refused(from(arrives + 1), market(1, 1_000)), ["not_listed"]);
    assert_eq!(refused(to(arrives + 1), market(1, 1_000)), ["fill"]);
    assert_eq!(refused(to(arrives), market(1, 1_000)), ["delisted"]);
}

#[test]
fn the_least_notional_is_at_the_limit_price_or_the_last_one() {
    assert_eq!(refused(same, market(1, 50)), ["fill"]);
    assert_eq!(refused(same, market(1, 49)), ["min_notional"]);
    assert_eq!(refused(same, limit(1, 100, 5_000)), ["ack"]);
    assert_eq!(refused(same, limit(1, 100, 4_990)), ["min_notional"]);
    let inverse = |i: &mut Instrument| {
        i.contract = Contract::Inverse;
        i.multiplier = Decimal::from(100);
        i.min_notional = always(Decimal::from(100));
    };
    assert_eq!(refused(inverse, market(1, 1_000)), ["fill"]);
    assert_eq!(refused(inverse, market(1, 999)), ["min_notional"]);
}

#[test]
fn an_id_that_works_is_not_taken_twice() {
    let mut venue = venue(&free());
    venue.begin_bar(0, bar(1, 10_000, 10_000, 10_000, 10_000, 1_000_000));
    venue.send(HOUR, limit(1, 1_000, 9_000));
    venue.send(HOUR, limit(1, 1_000, 9_000));
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["ack", "duplicate_id"]);
}

#[test]
fn reduce_only_is_cut_to_the_position_and_never_turns_it() {
    let mut venue = venue(&free());
    venue.send(HOUR, market(1, 1_000));
    live(
        &mut venue,
        bar(1, 10_000, 10_000, 10_000, 10_000, 1_000_000),
    );
    let over = Request {
        reduce_only: true,
        ..market(2, -3_000)
    };
    venue.send(2 * HOUR, over);
    live(
        &mut venue,
        bar(2, 10_000, 10_000, 10_000, 10_000, 1_000_000),
    );
    assert_eq!(venue.position(0), Qty(0));
    assert_eq!(said(&mut venue), ["fill", "fill", "cancelled"]);
}

#[test]
fn reduce_only_never_adds_to_a_position() {
    for signed in [1_000, -1_000] {
        let mut venue = venue(&free());
        venue.send(HOUR, market(1, signed));
        let more = Request {
            reduce_only: true,
            ..market(2, signed)
        };
        venue.send(HOUR, more);
        live(
            &mut venue,
            bar(1, 10_000, 10_000, 10_000, 10_000, 1_000_000),
        );
        assert_eq!(said(&mut venue), ["fill", "reduce_only"]);
        assert_eq!(venue.position(0), Qty(signed));
    }
}

#[test]
fn a_resting_reduce_only_limit_ends_when_there_is_nothing_left_to_reduce() {
    let mut venue = venue(&free());
    venue.send(HOUR, market(1, 1_000));
    let target = Request {
        reduce_only: true,
        ..limit(2, -1_000, 10_500)
    };
    venue.send(HOUR, target);
    live(
        &mut venue,
        bar(1, 10_000, 10_000, 10_000, 10_000, 1_000_000),
    );
    venue.send(2 * HOUR, market(3, -1_000));
    live(
        &mut venue,
        bar(2, 10_000, 11_000, 10_000, 10_000, 1_000_000),
    );
    assert_eq!(venue.position(0), Qty(0));
    assert_eq!(said(&mut venue), ["fill", "ack", "fill", "cancelled"]);
}

#[test]
fn spot_is_not_sold_beyond_what_is_held() {
    let mut venue = venue_of(contract(Contract::Spot), false, &free());
    venue.send(HOUR, market(1, 1_000));
    live(
        &mut venue,
        bar(1, 10_000, 10_000, 10_000, 10_000, 1_000_000),
    );
    venue.send(2 * HOUR, market(2, -1_001));
    venue.send(2 * HOUR, market(3, -1_000));
    live(
        &mut venue,
        bar(2, 10_000, 10_000, 10_000, 10_000, 1_000_000),
    );
    assert_eq!(said(&mut venue), ["fill", "insufficient_balance", "fill"]);
}

#[test]
fn a_cancellation_reaches_an_order_after_the_entry_latency() {
    let mut venue = venue(&free());
    venue.send(HOUR, limit(1, 1_000, 9_000));
    live(
        &mut venue,
        bar(1, 10_000, 10_000, 10_000, 10_000, 1_000_000),
    );
    venue.cancel(2 * HOUR, 0, 1);
    venue.cancel(2 * HOUR, 0, 77);
    assert_eq!(venue.next_arrival(), Some(2 * HOUR + ENTRY));
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["ack", "cancelled", "unknown_order"]);
    assert!(!venue.is_working(0));
}

#[test]
fn what_is_asked_of_an_order_that_is_none_is_answered() {
    let mut venue = super::ticks::loaded_with(&free());
    venue.send(0, market(1, 100));
    venue.cancel(0, 0, 1);
    venue.amend(0, 0, 1, (None, Qty(200)));
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["fill", "unknown_order", "no_such_order"]);
    for (reason, code) in [("unknown_order", -2011), ("no_such_order", -2013)] {
        assert_eq!(reject_code(reason), Some(Some(code)));
    }
}

/// A stop or take-profit of 100 units.
fn conditional(id: u64, kind: OrderType, signed: i64, px: i64, by: TriggerBy) -> Request {
    Request {
        kind,
        stop: Some(Px(px)),
        trigger_by: by,
        ..market(id, 100 * signed)
    }
}

#[test]
fn a_venue_may_refuse_a_stop_whose_trigger_was_reached() {
    use OrderType::{Stop, TakeProfit};
    use TriggerBy::{Last, Mark};
    let config = SimConfig {
        triggered_stops: TriggeredStops::Refuse,
        ..free()
    };
    // The middle of 99.90 and 100.10 stands in for a last trade.
    let cases = [
        (Stop, 1, 10_000, Last, true),
        (Stop, 1, 10_010, Last, false),
        (Stop, -1, 10_000, Last, true),
        (Stop, -1, 9_990, Last, false),
        (TakeProfit, 1, 10_000, Last, true),
        (TakeProfit, 1, 9_990, Last, false),
        (TakeProfit, -1, 10_000, Last, true),
        (TakeProfit, -1, 10_010, Last, false),
        (Stop, 1, 9_500, Mark, true),
        (Stop, 1, 9_510, Mark, false),
    ];
    for (kind, signed, px, by, is_refused) in cases {
        let mut venue = super::ticks::loaded_with(&config);
        venue.on_mark(0, Px(9_500), 0, &Bottomless);
        venue.send(0, conditional(1, kind, signed, px, by));
        deliver(&mut venue);
        let expected = if is_refused { "would_trigger" } else { "ack" };
        assert_eq!(said(&mut venue), [expected], "{kind:?} {signed} {px}");
    }
    let mut venue = super::ticks::loaded_with(&free());
    venue.send(0, conditional(1, Stop, 1, 9_900, Last));
    deliver(&mut venue);
    assert_ne!(
        said(&mut venue),
        ["would_trigger"],
        "by default it is taken"
    );
    assert_eq!(reject_code("would_trigger"), Some(Some(-2021)));
}

#[test]
fn all_orders_of_an_instrument_end_at_once_working_or_on_their_way() {
    let mut venue = venue(&free());
    venue.send(HOUR, limit(1, 1_000, 9_000));
    live(
        &mut venue,
        bar(1, 10_000, 10_000, 10_000, 10_000, 1_000_000),
    );
    venue.send(2 * HOUR, market(2, 1_000));
    venue.cancel_all(0, 2 * HOUR);
    assert_eq!(said(&mut venue), ["ack", "cancelled", "cancelled"]);
    assert_eq!(venue.next_arrival(), None);
}

#[test]
fn settings_out_of_range_are_named() {
    let bad = |config: SimConfig| {
        let made = Venue::new(Arc::from([contract(Contract::Linear)]), &[], &config);
        made.err().map(|e| e.key)
    };
    let half = Decimal::new(-1, 1);
    assert_eq!(bad(free()), None);
    assert_eq!(
        bad(SimConfig {
            half_spread: half,
            ..free()
        }),
        Some("half_spread_bps")
    );
    let fine = Decimal::new(1, 10);
    assert_eq!(
        bad(SimConfig {
            slippage_floor: fine,
            ..free()
        }),
        Some("slippage_floor_bps")
    );
    for over in [Decimal::TWO, Decimal::MAX] {
        let given = SimConfig {
            participation: over,
            ..free()
        };
        assert_eq!(bad(given), Some("max_participation"));
    }
    assert_eq!(
        bad(SimConfig {
            impact: f64::NAN,
            ..free()
        }),
        Some("impact_y")
    );
    assert_eq!(
        bad(SimConfig {
            latency: Latencies::Constant {
                entry: -1,
                response: RESPONSE,
            },
            ..free()
        }),
        Some("entry_latency_ns")
    );
    let second = 1_000 * MS;
    assert_eq!(
        bad(SimConfig {
            latency: Latencies::Constant {
                entry: second + 1,
                response: RESPONSE,
            },
            ..free()
        }),
        None // &[]: whether anything trades on bars is not known yet
    );
    let less = -Decimal::ONE;
    assert_eq!(
        bad(SimConfig {
            cost_multiplier: less,
            ..free()
        }),
        Some("cost_multiplier")
    );
}

#[test]
fn bars_cannot_show_a_way_to_the_venue_of_more_than_a_second() {
    let made = |latency, has_ticks: bool| {
        let config = SimConfig {
            latency: Latencies::Constant {
                entry: latency,
                response: RESPONSE,
            },
            ..free()
        };
        let instruments = Arc::from([contract(Contract::Linear)]);
        Venue::new(instruments, &[has_ticks.then_some(Px(1))], &config).map(|_| ())
    };
    let second = 1_000 * MS;
    assert!(made(second, false).is_ok());
    assert!(made(second + 1, true).is_ok());
    let error = made(second + 1, false).unwrap_err().to_string();
    assert!(error.starts_with("sim.entry_latency_ns: expected at most 1 s"));
    assert!(error.ends_with("was 1000000001"));
}

/// 5 % from the mark each way, since `from`.
fn banded(from: Ts) -> Instrument {
    let bands = PriceBands {
        up: Decimal::new(105, 2),
        down: Decimal::new(95, 2),
        take: Decimal::new(5, 2),
    };
    Instrument {
        price_bands: Dated::new(vec![(from, bands)]),
        ..contract(Contract::Linear)
    }
}

#[test]
fn a_limit_much_worse_than_the_mark_is_refused_from_the_first_sourced_day_on() {
    let at = |from, signed, px| {
        let change = |i: &mut Instrument| *i = banded(from);
        refused(change, limit(1, signed, px))
    };
    assert_eq!(at(0, 1_000, 10_500), ["fill"]);
    assert_eq!(at(0, 1_000, 10_510), ["price_above_band"]);
    assert_eq!(at(0, -1_000, 9_500), ["fill"]);
    assert_eq!(at(0, -1_000, 9_490), ["price_below_band"]);
    assert_eq!(
        at(0, 1_000, 1_000),
        ["ack"],
        "a buyer may bid as low as he likes"
    );
    assert_eq!(at(2 * HOUR, 1_000, 10_510), ["fill"]);
}

#[test]
fn a_market_order_takes_only_near_the_mark() {
    let mut venue = venue_of(banded(0), true, &free());
    let levels = [(10_490, 100), (10_500, 100), (10_510, 100)];
    super::ticks::change(&mut venue, Side::Buy, Px(9_980), Qty(5), flags::SNAPSHOT);
    for (px, qty) in levels {
        let marks = flags::SNAPSHOT | if px == 10_510 { flags::LAST } else { 0 };
        super::ticks::change(&mut venue, Side::Sell, Px(px), Qty(qty), marks);
    }
    venue.on_mark(0, Px(10_000), HOUR, &Bottomless);
    venue.send(HOUR, market(1, 300));
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["fill", "fill", "cancelled"]);
    venue.on_mark(0, Px(9_000), 2 * HOUR, &Bottomless);
    venue.send(2 * HOUR, market(2, 300));
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["market_take_bound"]);
}

#[test]
fn what_cannot_be_counted_is_too_large() {
    let huge = 1_000_000_000_000_000_000;
    assert_eq!(
        refused(same, limit(1, huge, i64::MAX / 10 * 10)),
        ["too_large"]
    );
    // 10^8 at 99.00 are 9.9 * 10^9 each: the eleventh makes them more than 10^11.
    let mut venue = super::ticks::loaded_with(&free());
    for id in 1..12 {
        venue.send(0, limit(id, 100_000_000_000, 9_900));
    }
    deliver(&mut venue);
    let said = said(&mut venue);
    assert_eq!(said.iter().filter(|s| **s == "ack").count(), 10);
    assert_eq!(said.last(), Some(&"too_large"));
}

#[test]
fn a_distance_of_the_whole_price_is_none() {
    let trailing = |ppm| Request {
        callback_ppm: ppm,
        ..order(1, -1_000, OrderType::TrailingStop)
    };
    assert_eq!(refused(same, trailing(999_999)), ["ack"]);
    assert_eq!(refused(same, trailing(1_000_000)), ["no_callback"]);
    assert_eq!(refused(same, trailing(u32::MAX)), ["no_callback"]);
}

#[test]
fn orders_and_amendments_above_the_rate_are_refused_and_cancellations_are_not() {
    let mut config = free();
    config.max_order_rate = vec![OrderRate {
        orders: 2,
        window: HOUR,
    }];
    let mut venue = super::ticks::loaded_with(&config);
    venue.send(0, limit(1, 100, 9_990));
    venue.amend(0, 0, 1, (None, Qty(90)));
    venue.amend(0, 0, 1, (None, Qty(80)));
    venue.send(0, limit(2, 100, 9_990));
    venue.cancel(0, 0, 1);
    venue.send(HOUR, limit(3, 100, 9_990));
    deliver(&mut venue);
    let many = "too_many_orders";
    assert_eq!(
        said(&mut venue),
        ["ack", "amended", many, many, "cancelled", "ack"]
    );
}

#[test]
fn each_reason_is_listed_once_with_its_code() {
    let mut names: Vec<_> = REASONS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), REASONS.len());
    assert_eq!(reject_code("post_only_would_cross"), Some(Some(-5022)));
    assert_eq!(reject_code("self_trade"), Some(None));
    assert_eq!(reject_code("nothing"), None);
    let source = include_str!("../../src/rules.rs");
    let declared = source.matches("pub const ").count() - 1;
    assert_eq!(declared, REASONS.len(), "a reason is missing in the list");
}
