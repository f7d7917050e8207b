use super::*;

fn flat(hour: Ts) -> Bar {
    bar(hour, 10_000, 10_000, 10_000, 10_000, 1_000_000)
}

#[test]
fn an_order_fills_at_the_open_and_the_answer_takes_its_time() {
    let mut venue = venue(&free());
    live(&mut venue, bar(0, 9_000, 9_000, 9_000, 9_000, 1_000_000));
    venue.send(HOUR, market(1, 2_000));
    assert_eq!(venue.next_arrival(), Some(HOUR + ENTRY));
    live(&mut venue, bar(1, 10_000, 12_000, 8_000, 11_000, 1_000_000));
    let answers = venue.take_answers();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].ts_event, HOUR + ENTRY);
    assert_eq!(answers[0].ts_recv, HOUR + ENTRY + RESPONSE);
    assert_eq!(
        answers[0].body,
        Account::Fill {
            order: 1,
            px: Px(10_000),
            qty: Qty(2_000),
            side: Side::Buy,
            is_taker: true,
            fee: Decimal::new(1, 1), // 2 x 100 x 0.0005
            reference: Px(10_000),
            impact: Decimal::ZERO,
        }
    );
    assert_eq!(venue.position(0), Qty(2_000));
}

#[test]
fn a_bar_that_opened_before_the_decision_is_not_its_market() {
    let mut venue = venue(&free());
    venue.send(HOUR + 1, market(1, 1_000));
    live(&mut venue, flat(1));
    assert_eq!(said(&mut venue), ["ack"]);
    live(
        &mut venue,
        bar(2, 10_500, 10_500, 10_500, 10_500, 1_000_000),
    );
    assert_eq!(fills(&mut venue), [(1, 2 * HOUR, 1_000, 10_500)]);
}

#[test]
fn spread_and_impact_worsen_and_round_against_us() {
    let config = SimConfig {
        half_spread: Decimal::new(1, 5),
        slippage_floor: Decimal::new(1, 4),
        impact: 2.0,
        ..free()
    };
    // A bar of +6.25 % and 24 units: sigma 0.0625 sqrt(24), volume 576 a day. The impact is
    // 2 x 0.0625 sqrt(24) sqrt(1/576) = 2.5516 %: 256 grid units; the floor is 1 unit.
    for (signed, tick) in [(1_000, 10_260), (-1_000, 9_740)] {
        let mut venue = venue(&config);
        live(&mut venue, bar(0, 9_600, 10_200, 9_600, 10_200, 24_000));
        venue.send(HOUR, market(1, signed));
        live(&mut venue, bar(1, 10_000, 10_000, 10_000, 10_000, 576_000));
        let Account::Fill { px, impact, .. } = venue.take_answers()[0].body else {
            panic!("expected a fill")
        };
        assert_eq!((px, impact), (Px(tick), Decimal::new(256, 2)));
    }
}

#[test]
fn a_later_slice_pays_what_it_adds_to_the_whole_order() {
    let config = SimConfig {
        impact: 2.0,
        participation: Decimal::new(21, 3),
        ..free()
    };
    let mut venue = venue(&config);
    live(&mut venue, bar(0, 9_600, 10_200, 9_600, 10_200, 24_000));
    venue.send(HOUR, market(1, 1_008));
    live(&mut venue, bar(1, 10_000, 10_200, 10_000, 10_200, 24_000));
    live(&mut venue, bar(2, 10_000, 10_200, 10_000, 10_200, 24_000));
    let impacts: Vec<_> = venue
        .take_answers()
        .iter()
        .filter_map(|e| match e.body {
            Account::Fill { qty, impact, .. } => Some((qty.0, impact)),
            _ => None,
        })
        .collect();
    // 576 units a day. First 504: 2 x 0.0625 sqrt(24) sqrt(504/576000) = 1.8114 %. Then a day's
    // sigma is 0.0625 sqrt(12): 2 x 0.2165 (1008^1.5 - 504^1.5) / (504 sqrt(576000)) = 2.3420 %.
    let expected = [(504, Decimal::new(182, 2)), (504, Decimal::new(235, 2))];
    assert_eq!(impacts, expected);
}

#[test]
fn a_price_on_the_tick_is_not_moved_further() {
    let config = SimConfig {
        slippage_floor: Decimal::new(1, 2),
        ..free()
    };
    for (signed, px) in [(1_000, 10_100), (-1_000, 9_900)] {
        let mut venue = venue(&config);
        venue.send(HOUR, market(1, signed));
        live(&mut venue, flat(1));
        assert_eq!(fills(&mut venue)[0].3, px);
    }
}

#[test]
fn own_orders_share_a_part_of_the_volume_and_the_rest_carries_over() {
    let config = SimConfig {
        participation: Decimal::new(1, 2),
        ..free()
    };
    let mut venue = venue(&config);
    venue.send(HOUR, market(1, 700));
    venue.send(HOUR, market(2, -500));
    live(&mut venue, bar(1, 10_000, 10_000, 10_000, 10_000, 99_999));
    let first = HOUR + ENTRY;
    assert_eq!(
        fills(&mut venue),
        [(1, first, 700, 10_000), (2, first, -299, 10_000)]
    );
    live(&mut venue, flat(2));
    assert_eq!(fills(&mut venue), [(2, 2 * HOUR, -201, 10_000)]);
}

#[test]
fn of_limits_that_share_the_volume_the_best_price_trades_first_then_the_oldest() {
    let config = SimConfig {
        participation: Decimal::new(1, 2),
        ..free()
    };
    for (side, prices) in [
        (1, [9_500, 9_700, 9_600, 9_700]),
        (-1, [10_500, 10_300, 10_400, 10_300]),
    ] {
        let mut venue = venue(&config);
        for (id, px) in (1..).zip(prices) {
            venue.send(HOUR, limit(id, side * 400, px));
        }
        // A part of 1000 units: the market came to the best two first.
        live(&mut venue, bar(1, 10_000, 12_000, 8_000, 10_000, 100_000));
        let taken: Vec<_> = fills(&mut venue).iter().map(|f| (f.0, f.2)).collect();
        assert_eq!(taken, [(2, side * 400), (4, side * 400), (3, side * 200)]);
        live(&mut venue, bar(2, 10_000, 12_000, 8_000, 10_000, 100_000));
        let taken: Vec<_> = fills(&mut venue).iter().map(|f| (f.0, f.2)).collect();
        assert_eq!(taken, [(3, side * 200), (1, side * 400)]);
    }
}

#[test]
fn an_immediate_order_does_not_carry_over() {
    let config = SimConfig {
        participation: Decimal::new(1, 2),
        ..free()
    };
    let mut venue = venue(&config);
    let request = Request {
        tif: TimeInForce::Ioc,
        ..market(1, 700)
    };
    venue.send(HOUR, request);
    live(&mut venue, bar(1, 10_000, 10_000, 10_000, 10_000, 50_000));
    assert_eq!(said(&mut venue), ["fill", "cancelled"]);
    live(&mut venue, flat(2));
    assert_eq!(said(&mut venue), [] as [&str; 0]);
}

#[test]
fn a_limit_needs_a_trade_a_tick_beyond_it() {
    for (signed, px, high, low, is_filled) in [
        (1_000, 9_900, 10_000, 9_891, false),
        (1_000, 9_900, 10_000, 9_890, true),
        (-1_000, 10_100, 10_109, 10_000, false),
        (-1_000, 10_100, 10_110, 10_000, true),
    ] {
        let mut venue = venue(&free());
        venue.send(HOUR, limit(1, signed, px));
        live(&mut venue, bar(1, 10_000, high, low, 10_000, 1_000_000));
        let answers = venue.take_answers();
        assert_eq!(
            answers.len(),
            1 + usize::from(is_filled),
            "{signed} {high} {low}"
        );
        if let Some(fill) = answers.get(1) {
            assert_eq!(fill.ts_event, 2 * HOUR - 1);
            let Account::Fill {
                px: at,
                is_taker,
                fee,
                reference,
                ..
            } = fill.body
            else {
                panic!("expected a fill")
            };
            assert_eq!((at, reference, is_taker), (Px(px), Px(px), false));
            assert_eq!(fee, Decimal::new(px * 2, 6)); // maker: 2 bp
        }
    }
}

#[test]
fn a_limit_waits_for_a_bar_that_opens_after_the_decision() {
    let mut venue = venue(&free());
    venue.send(HOUR + 1, limit(1, 1_000, 9_900));
    live(&mut venue, bar(1, 10_000, 10_000, 9_000, 10_000, 1_000_000));
    assert_eq!(said(&mut venue), ["ack"]);
    live(&mut venue, bar(2, 10_000, 10_000, 9_000, 10_000, 1_000_000));
    assert_eq!(fills(&mut venue), [(1, 3 * HOUR - 1, 1_000, 9_900)]);
}

#[test]
fn a_marketable_limit_takes_only_within_its_price() {
    let config = SimConfig {
        slippage_floor: Decimal::new(1, 2),
        ..free()
    };
    for (signed, px, is_taken) in [
        (1_000, 10_100, true),
        (1_000, 10_090, false),
        (-1_000, 9_900, true),
        (-1_000, 9_910, false),
    ] {
        let mut venue = venue(&config);
        venue.send(HOUR, limit(1, signed, px));
        venue.begin_bar(0, flat(1));
        deliver(&mut venue);
        let expected = if is_taken { "fill" } else { "ack" };
        assert_eq!(said(&mut venue), [expected], "{signed} at {px}");
    }
}

#[test]
fn a_stop_fills_at_the_worse_of_trigger_and_open() {
    // Long 1, stop at 98: touched, not touched, gapped through; and the same for a short.
    for (signed, trigger, open, high, low, expected) in [
        (
            1_000,
            9_800,
            10_000,
            10_000,
            9_800,
            Some((3 * HOUR - 1, 9_800)),
        ),
        (1_000, 9_800, 10_000, 10_000, 9_801, None),
        (1_000, 9_800, 9_700, 9_900, 9_600, Some((2 * HOUR, 9_700))),
        (1_000, 9_800, 9_800, 9_900, 9_600, Some((2 * HOUR, 9_800))),
        (
            -1_000,
            10_200,
            10_000,
            10_200,
            10_000,
            Some((3 * HOUR - 1, 10_200)),
        ),
        (-1_000, 10_200, 10_000, 10_199, 10_000, None),
        (
            -1_000,
            10_200,
            10_300,
            10_400,
            10_100,
            Some((2 * HOUR, 10_300)),
        ),
    ] {
        let mut venue = venue(&free());
        venue.send(HOUR, market(1, signed));
        venue.send(HOUR, stop(2, -signed, trigger));
        live(&mut venue, flat(1));
        fills(&mut venue);
        live(&mut venue, bar(2, open, high, low, open, 1_000_000));
        let expected: Vec<_> = expected
            .map(|(ts, px)| (2, ts, -signed, px))
            .into_iter()
            .collect();
        assert_eq!(fills(&mut venue), expected, "{signed} {open} {high} {low}");
    }
}

#[test]
fn a_stop_that_arrives_inside_a_bar_is_taken_to_be_reached_at_the_worse_price() {
    let mut venue = venue(&free());
    venue.send(HOUR, market(1, 1_000));
    venue.send(HOUR + HOUR / 2, stop(2, -1_000, 9_800));
    live(&mut venue, bar(1, 9_700, 10_000, 9_700, 10_000, 1_000_000));
    assert_eq!(fills(&mut venue)[1], (2, 2 * HOUR - 1, -1_000, 9_700));
}

#[test]
fn what_a_bar_reached_inside_is_answered_by_its_end() {
    for response in [0, RESPONSE, HOUR] {
        let mut venue = venue(&SimConfig {
            latency: Latencies::Constant {
                entry: ENTRY,
                response,
            },
            ..free()
        });
        venue.send(HOUR, market(1, 1_000));
        venue.send(HOUR, stop(2, -1_000, 9_500));
        venue.send(HOUR, limit(3, 1_000, 9_400));
        live(&mut venue, flat(1));
        let entry = venue.take_answers();
        assert_eq!(entry[0].ts_recv, HOUR + ENTRY + response);
        live(&mut venue, bar(2, 10_000, 10_000, 9_000, 10_000, 1_000_000));
        let answers = venue.take_answers();
        let end = 3 * HOUR;
        let times: Vec<_> = answers.iter().map(|e| (e.ts_event, e.ts_recv)).collect();
        assert_eq!(times, [(end - 1, end - i64::from(response == 0)); 2]);
    }
}

/// A long position of 1000 with a stop at 95, in place when the second hour begins.
fn protected() -> Venue {
    let mut venue = venue(&free());
    venue.send(HOUR, market(1, 1_000));
    venue.send(HOUR, stop(2, -1_000, 9_500));
    live(&mut venue, flat(1));
    fills(&mut venue);
    venue
}

#[test]
fn a_cancellation_decided_by_the_open_is_in_place_at_it() {
    let mut venue = protected();
    venue.cancel(2 * HOUR, 0, 2);
    venue.send(2 * HOUR, market(3, -1_000));
    live(&mut venue, bar(2, 9_000, 9_000, 9_000, 9_000, 1_000_000));
    assert_eq!(fills(&mut venue), [(3, 2 * HOUR + ENTRY, -1_000, 9_000)]);
    assert_eq!(venue.position(0), Qty(0));
}

#[test]
fn a_cancellation_decided_after_the_open_comes_too_late_for_it() {
    let mut venue = venue(&free());
    venue.send(HOUR, market(1, 1_000));
    venue.cancel(HOUR + 1, 0, 1);
    live(&mut venue, flat(1));
    assert_eq!(fills(&mut venue), [(1, HOUR + ENTRY, 1_000, 10_000)]);
}

#[test]
fn of_an_order_and_its_replacement_on_their_way_only_the_latter_meets_the_open() {
    let mut venue = venue(&free());
    venue.send(HOUR, market(1, 1_000));
    venue.cancel(HOUR, 0, 1);
    venue.send(HOUR, market(2, 400));
    live(&mut venue, flat(1));
    assert_eq!(said(&mut venue), ["ack", "cancelled", "fill"]);
    assert_eq!(venue.position(0), Qty(400));
}

#[test]
fn a_stop_and_the_close_sent_in_its_stead_just_before_a_bars_end_do_not_both_trade() {
    for early in [1, ENTRY, ENTRY + 1] {
        let mut venue = protected();
        venue.cancel(3 * HOUR - early, 0, 2);
        venue.send(3 * HOUR - early, market(3, -1_000));
        live(&mut venue, bar(2, 10_000, 10_000, 9_000, 9_200, 1_000_000));
        live(&mut venue, bar(3, 9_200, 9_200, 9_200, 9_200, 1_000_000));
        assert_eq!(fills(&mut venue), [(3, 3 * HOUR, -1_000, 9_200)], "{early}");
        assert_eq!(venue.position(0), Qty(0));
    }
}

#[test]
fn a_stop_moved_just_before_a_bars_end_protects_within_that_bar() {
    for early in [1, ENTRY, ENTRY + 1] {
        let mut venue = protected();
        venue.cancel(3 * HOUR - early, 0, 2);
        venue.send(3 * HOUR - early, stop(3, -1_000, 9_300));
        live(&mut venue, bar(2, 10_000, 10_000, 9_000, 9_200, 1_000_000));
        assert_eq!(
            fills(&mut venue),
            [(3, 3 * HOUR - 1, -1_000, 9_300)],
            "{early}"
        );
    }
}

#[test]
fn of_two_exits_in_one_bar_the_worse_one_happened() {
    let mut venue = venue(&free());
    venue.send(HOUR, market(1, 1_000));
    venue.send(HOUR, limit(2, -1_000, 10_500));
    venue.send(HOUR, stop(3, -1_000, 9_500));
    // An entry on the other side is filled all the same.
    venue.send(HOUR, limit(4, 1_000, 9_600));
    live(&mut venue, flat(1));
    fills(&mut venue);
    live(&mut venue, bar(2, 10_000, 11_000, 9_000, 10_000, 1_000_000));
    let end = 3 * HOUR - 1;
    assert_eq!(
        fills(&mut venue),
        [(3, end, -1_000, 9_500), (4, end, 1_000, 9_600)]
    );
    live(&mut venue, bar(3, 10_000, 11_000, 9_700, 10_000, 1_000_000));
    assert_eq!(fills(&mut venue), [(2, 4 * HOUR - 1, -1_000, 10_500)]);
}

/// A stop that is a limit order once it is triggered.
fn stop_limit(id: u64, signed: i64, (trigger, px): (i64, i64), tif: TimeInForce) -> Request {
    Request {
        price: Some(Px(px)),
        reduce_only: false,
        tif,
        ..stop(id, signed, trigger)
    }
}

#[test]
fn what_a_stop_leaves_to_its_limit_rests_from_the_next_bar_on() {
    // The bar was at 10 000 to 9 500 before it fell to the trigger: nothing there was for an order
    // that only then became a limit order, nor for another exit.
    let mut venue = venue(&free());
    venue.send(HOUR, market(1, 2_000));
    live(&mut venue, flat(1));
    venue.send(
        2 * HOUR,
        stop_limit(2, -1_000, (9_500, 9_800), TimeInForce::Gtc),
    );
    venue.send(2 * HOUR, limit(3, -1_000, 10_100));
    deliver(&mut venue);
    fills(&mut venue);
    live(&mut venue, bar(2, 10_000, 10_200, 9_000, 9_000, 1_000_000));
    assert_eq!(fills(&mut venue), []);
    live(&mut venue, bar(3, 9_000, 9_700, 9_000, 9_700, 1_000_000));
    assert_eq!(fills(&mut venue), []);
    live(&mut venue, bar(4, 9_700, 9_900, 9_700, 9_900, 1_000_000));
    assert_eq!(fills(&mut venue), [(2, 5 * HOUR - 1, -1_000, 9_800)]);
}

#[test]
fn a_stop_that_may_only_rest_does_not_take() {
    for (px, last) in [(9_400, "cancelled"), (9_600, "triggered")] {
        let mut venue = venue(&free());
        venue.send(
            HOUR,
            stop_limit(1, -1_000, (9_500, px), TimeInForce::PostOnly),
        );
        live(&mut venue, flat(1));
        live(&mut venue, bar(2, 10_000, 10_000, 9_000, 9_000, 1_000_000));
        let words = said(&mut venue);
        assert_eq!(words.last().copied(), Some(last), "{words:?}");
        assert_eq!(venue.position(0), Qty(0));
    }
}

#[test]
fn a_stop_without_anything_to_close_ends_and_blocks_no_limit() {
    let mut venue = venue(&free());
    venue.send(HOUR, limit(1, -1_000, 10_500));
    venue.send(HOUR, stop(2, -1_000, 9_500));
    live(&mut venue, bar(1, 10_000, 11_000, 9_000, 10_000, 1_000_000));
    assert_eq!(said(&mut venue), ["ack", "ack", "cancelled", "fill"]);
}

#[test]
fn a_forced_close_ignores_volume_and_latency_but_not_costs() {
    let config = SimConfig {
        slippage_floor: Decimal::new(1, 2),
        participation: Decimal::new(1, 2),
        ..free()
    };
    let mut venue = venue(&config);
    venue.send(HOUR, market(1, 1_000));
    live(&mut venue, bar(1, 10_000, 10_000, 10_000, 10_000, 100_000));
    live(&mut venue, bar(2, 10_000, 12_000, 10_000, 12_000, 1));
    venue.take_answers();
    let id = venue.force_close(0, 3 * HOUR, &Bottomless);
    assert_eq!(id, Some(cq_sim::FORCED_ID));
    let answers = venue.take_answers();
    assert_eq!(answers[0].ts_recv, 3 * HOUR);
    let Account::Fill {
        px,
        qty,
        side,
        reference,
        ..
    } = answers[0].body
    else {
        panic!("expected a fill")
    };
    assert_eq!((px, qty, side), (Px(11_880), Qty(1_000), Side::Sell));
    assert_eq!(reference, Px(12_000));
    assert_eq!(venue.position(0), Qty(0));
    assert_eq!(venue.force_close(0, 3 * HOUR, &Bottomless), None);
}
