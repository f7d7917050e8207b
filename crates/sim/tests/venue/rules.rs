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
    assert_eq!(said(&mut venue), ["ack", "cancelled"]);
    assert!(!venue.is_working(0));
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
    let over = Decimal::TWO;
    assert_eq!(
        bad(SimConfig {
            participation: over,
            ..free()
        }),
        Some("max_participation")
    );
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
