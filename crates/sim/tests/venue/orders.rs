//! Order types and rules on a recorded book.

use cq_sim::{Amend, Matching, SelfTrade, TriggerBy};
use cq_types::flags;

use super::ticks::{change, loaded_with, placed, trade, traded};
use super::*;

fn conditional(id: u64, signed: i64, kind: OrderType, px: i64) -> Request {
    Request {
        stop: Some(Px(px)),
        ..order(id, signed, kind)
    }
}

#[test]
fn fill_or_kill_is_all_or_nothing_within_its_limit() {
    let fok = |signed, px| Request {
        tif: TimeInForce::Fok,
        ..limit(1, signed, px)
    };
    assert_eq!(said(&mut placed(fok(700, 10_020))), ["fill", "fill"]);
    assert_eq!(said(&mut placed(fok(701, 10_020))), ["fok_not_filled"]);
    assert_eq!(said(&mut placed(fok(301, 10_010))), ["fok_not_filled"]);
    assert_eq!(said(&mut placed(fok(100, 10_000))), ["fok_not_filled"]);
}

#[test]
fn immediate_or_cancel_leaves_nothing_behind() {
    let ioc = Request {
        tif: TimeInForce::Ioc,
        ..limit(1, 400, 10_010)
    };
    let mut venue = placed(ioc);
    assert_eq!(said(&mut venue), ["fill", "cancelled"]);
    assert!(!venue.is_working(0));
}

#[test]
fn a_stop_with_a_price_rests_as_a_limit_once_it_is_triggered() {
    let request = Request {
        price: Some(Px(10_010)),
        ..conditional(1, 400, OrderType::Stop, 10_020)
    };
    let mut venue = placed(request);
    trade(&mut venue, 10_020, 1, HOUR);
    assert_eq!(fills(&mut venue), [(1, HOUR, 300, 10_010)]);
    traded(&mut venue, Side::Sell, 10_000, 60, 2 * HOUR);
    assert_eq!(fills(&mut venue), [(1, 2 * HOUR, 60, 10_010)]);
}

#[test]
fn a_take_profit_waits_for_the_price_in_its_favour() {
    let mut venue = placed(conditional(1, -100, OrderType::TakeProfit, 10_030));
    traded(&mut venue, Side::Buy, 10_020, 1, HOUR);
    assert_eq!(fills(&mut venue), []);
    traded(&mut venue, Side::Buy, 10_030, 1, 2 * HOUR);
    assert_eq!(fills(&mut venue), [(1, 2 * HOUR, -100, 9_990)]);
}

#[test]
fn a_trigger_on_the_mark_does_not_see_trades() {
    let request = Request {
        trigger_by: TriggerBy::Mark,
        ..conditional(1, -100, OrderType::Stop, 9_950)
    };
    let mut venue = placed(request);
    venue.on_mark(0, Px(10_000), 0, &Bottomless);
    trade(&mut venue, 9_900, 1, HOUR);
    assert_eq!(fills(&mut venue), []);
    venue.on_mark(0, Px(9_951), 2 * HOUR, &Bottomless);
    assert_eq!(fills(&mut venue), []);
    venue.on_mark(0, Px(9_950), 3 * HOUR, &Bottomless);
    assert_eq!(fills(&mut venue), [(1, 3 * HOUR, -100, 9_990)]);
}

#[test]
fn without_any_mark_a_trigger_on_it_sees_trades() {
    let request = Request {
        trigger_by: TriggerBy::Mark,
        ..conditional(1, -100, OrderType::Stop, 9_950)
    };
    let mut venue = placed(request);
    trade(&mut venue, 9_951, 1, HOUR);
    assert_eq!(fills(&mut venue), []);
    trade(&mut venue, 9_950, 1, 2 * HOUR);
    assert_eq!(fills(&mut venue), [(1, 2 * HOUR, -100, 9_990)]);
}

#[test]
fn a_stop_with_a_limit_says_that_it_is_triggered_before_it_trades() {
    let request = Request {
        price: Some(Px(10_000)),
        ..conditional(1, -100, OrderType::Stop, 9_950)
    };
    let mut venue = placed(request);
    venue.take_answers();
    traded(&mut venue, Side::Sell, 9_950, 1, HOUR);
    traded(&mut venue, Side::Buy, 10_010, 100, 2 * HOUR);
    let said: Vec<_> = venue.take_answers();
    assert_eq!(said[0].body, Account::Triggered { order: 1 });
    assert_eq!((said[0].ts_event, said.len()), (HOUR, 2));
    assert!(matches!(
        said[1].body,
        Account::Fill {
            px: Px(10_000),
            qty: Qty(100),
            ..
        }
    ));
}

#[test]
fn a_trailing_stop_follows_the_best_price_since_its_activation() {
    // 1 % behind the best; activated at 10 100.
    let request = Request {
        callback_ppm: 10_000,
        ..conditional(1, -100, OrderType::TrailingStop, 10_100)
    };
    let mut venue = placed(request);
    let at = |venue: &mut Venue, px, hour| {
        traded(venue, Side::Buy, px, 1, hour * HOUR);
        fills(venue).len()
    };
    assert_eq!(at(&mut venue, 9_000, 1), 0, "not activated");
    assert_eq!(at(&mut venue, 10_100, 2), 0);
    assert_eq!(at(&mut venue, 10_200, 3), 0);
    assert_eq!(at(&mut venue, 10_099, 4), 0, "10 200 less 1 % is 10 098");
    assert_eq!(at(&mut venue, 10_098, 5), 1);
}

#[test]
fn an_order_that_closes_the_position_takes_its_size_when_it_is_triggered() {
    let close = Request {
        close_position: true,
        ..conditional(2, -500, OrderType::Stop, 9_950)
    };
    let mut venue = placed(market(1, 200));
    venue.send(0, close);
    deliver(&mut venue);
    fills(&mut venue);
    trade(&mut venue, 9_950, 1, HOUR);
    assert_eq!(fills(&mut venue), [(2, HOUR, -200, 9_990)]);
    assert_eq!(venue.position(0), Qty(0));
    assert!(!venue.is_working(0));
}

#[test]
fn our_own_orders_do_not_trade_with_each_other() {
    for (rule, expected) in [
        (SelfTrade::Ignore, vec!["ack", "fill"]),
        (SelfTrade::ExpireMaker, vec!["ack", "cancelled", "fill"]),
        (SelfTrade::ExpireTaker, vec!["ack", "self_trade"]),
        (
            SelfTrade::ExpireBoth,
            vec!["ack", "cancelled", "self_trade"],
        ),
    ] {
        let mut venue = loaded_with(&SimConfig {
            matching: Matching {
                self_trade: rule,
                ..Matching::VENUE
            },
            ..free()
        });
        venue.send(0, limit(1, -100, 10_000));
        venue.send(0, limit(2, 100, 10_010));
        deliver(&mut venue);
        assert_eq!(said(&mut venue), expected, "{rule:?}");
    }
}

#[test]
fn an_own_order_that_would_not_be_reached_stays() {
    let mut venue = placed(limit(1, -100, 10_020));
    venue.send(0, market(2, 300));
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["ack", "fill"]);
    venue.send(0, market(3, 500));
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["cancelled", "fill", "cancelled"]);
}

#[test]
fn an_amendment_keeps_the_place_in_the_queue_only_where_the_venue_does() {
    for (amend, filled) in [(Amend::LosesPlace, 0), (Amend::KeepsOnDecrease, 20)] {
        let mut venue = loaded_with(&SimConfig {
            matching: Matching {
                amend,
                ..Matching::VENUE
            },
            ..free()
        });
        venue.send(0, limit(1, 100, 9_990));
        deliver(&mut venue);
        trade(&mut venue, 9_990, 400, HOUR);
        change(&mut venue, Side::Buy, Px(9_990), Qty(350), flags::LAST);
        venue.amend(HOUR, 0, 1, (None, Qty(80)));
        deliver(&mut venue);
        trade(&mut venue, 9_990, 120, 2 * HOUR);
        let total: i64 = fills(&mut venue).iter().map(|f| f.2).sum();
        assert_eq!(total, filled, "{amend:?}");
    }
}

#[test]
fn an_amended_price_may_trade_at_once_and_a_refused_one_changes_nothing() {
    let mut venue = placed(limit(1, 100, 9_990));
    venue.amend(MS, 0, 1, (Some(Px(9_995)), Qty(100)));
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["ack", "off_tick"]);
    assert!(venue.is_working(0));
    venue.amend(2 * MS, 0, 1, (Some(Px(10_010)), Qty(150)));
    deliver(&mut venue);
    let answers = venue.take_answers();
    assert!(matches!(
        answers[0].body,
        Account::Amended { qty: Qty(150), .. }
    ));
    assert!(matches!(
        answers[1].body,
        Account::Fill { qty: Qty(150), .. }
    ));
}

#[test]
fn no_more_orders_work_than_the_venue_allows() {
    let mut venue = loaded_with(&SimConfig {
        max_orders: [2, 1],
        ..free()
    });
    for id in 1..=3 {
        venue.send(0, limit(id, 100, 9_980));
    }
    venue.send(0, conditional(4, -100, OrderType::Stop, 9_000));
    venue.send(0, conditional(5, -100, OrderType::Stop, 9_000));
    deliver(&mut venue);
    let expected = ["ack", "ack", "max_open_orders", "ack", "max_trigger_orders"];
    assert_eq!(said(&mut venue), expected);
}

#[test]
fn a_gap_and_a_snapshot_put_an_order_behind_its_whole_level() {
    let mut venue = placed(limit(1, 100, 9_990));
    trade(&mut venue, 9_990, 480, HOUR);
    venue.on_gap(0);
    let snapshot = flags::SNAPSHOT;
    change(&mut venue, Side::Buy, Px(9_990), Qty(90), snapshot);
    change(
        &mut venue,
        Side::Sell,
        Px(10_010),
        Qty(90),
        snapshot | flags::LAST,
    );
    trade(&mut venue, 9_990, 95, 2 * HOUR);
    assert_eq!(fills(&mut venue), [(1, 2 * HOUR, 5, 9_990)]);
}

#[test]
fn a_message_that_the_venue_turns_away_is_answered_without_it() {
    let trip = |sent, venue| cq_sim::RoundTrip {
        sent,
        venue,
        answered: sent + 4 * MS,
    };
    let mut venue = loaded_with(&SimConfig {
        latency: Latencies::Recorded(Arc::from([trip(0, None), trip(HOUR, Some(HOUR + MS))])),
        ..free()
    });
    venue.send(0, market(1, 100));
    assert_eq!(venue.next_arrival(), None);
    let answers = venue.take_answers();
    assert_eq!(answers[0].ts_recv, 4 * MS);
    assert!(matches!(
        answers[0].body,
        Account::Reject {
            reason: "overloaded",
            ..
        }
    ));
    venue.cancel(0, 0, 7);
    venue.amend(0, 0, 8, (None, Qty(1)));
    let answers = venue.take_answers();
    let kept = |order| Account::Kept {
        order,
        reason: "overloaded",
    };
    let bodies: Vec<_> = answers.iter().map(|answer| answer.body.clone()).collect();
    assert_eq!(bodies, [kept(7), kept(8)]);
    assert_eq!(answers[1].ts_recv, 4 * MS);
}

#[test]
fn what_one_of_our_orders_got_of_a_trade_is_gone_for_the_next() {
    // 500 rest before both; of 600 that are sold 100 are left for them together.
    let mut venue = placed(limit(1, 80, 9_990));
    venue.send(0, limit(2, 80, 9_990));
    deliver(&mut venue);
    trade(&mut venue, 9_990, 600, HOUR);
    assert_eq!(
        fills(&mut venue),
        [(1, HOUR, 80, 9_990), (2, HOUR, 20, 9_990)]
    );
}

#[test]
fn a_refused_amendment_leaves_an_order_before_the_younger_ones() {
    let mut venue = placed(limit(1, 70, 10_000));
    venue.send(0, limit(2, 70, 10_000));
    venue.amend(0, 0, 1, (Some(Px(10_001)), Qty(70)));
    deliver(&mut venue);
    trade(&mut venue, 10_000, 70, HOUR);
    assert_eq!(fills(&mut venue), [(1, HOUR, 70, 10_000)]);
}

#[test]
fn an_amendment_that_keeps_the_place_stays_before_the_younger_ones() {
    let mut config = free();
    config.matching.amend = Amend::KeepsOnDecrease;
    let mut venue = loaded_with(&config);
    venue.send(0, limit(1, 80, 10_000));
    venue.send(0, limit(2, 70, 10_000));
    venue.amend(0, 0, 1, (None, Qty(70)));
    deliver(&mut venue);
    trade(&mut venue, 10_000, 70, HOUR);
    assert_eq!(fills(&mut venue), [(1, HOUR, 70, 10_000)]);
}

#[test]
fn an_order_that_closes_a_smaller_position_ends_with_it() {
    let mut venue = loaded_with(&free());
    venue.set_position(0, Qty(40));
    let close = Request {
        close_position: true,
        ..conditional(1, -100, OrderType::Stop, 9_950)
    };
    venue.send(0, close);
    deliver(&mut venue);
    trade(&mut venue, 9_950, 1, HOUR);
    assert_eq!(said(&mut venue), ["ack", "fill", "cancelled"]);
}

#[test]
fn a_limit_rests_where_the_other_side_of_the_book_is_empty() {
    let mut venue = loaded_with(&free());
    for px in [10_010, 10_020] {
        change(&mut venue, Side::Sell, Px(px), Qty(0), flags::LAST);
    }
    venue.send(0, limit(1, 100, 10_030));
    venue.send(0, market(2, 100));
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["ack", "cancelled"]);
}

#[test]
fn a_fill_or_kill_that_cannot_fill_cancels_no_order_of_ours() {
    let mut venue = placed(limit(1, -100, 10_010));
    let fok = Request {
        tif: TimeInForce::Fok,
        ..limit(2, 701, 10_020)
    };
    venue.send(0, fok);
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["ack", "fok_not_filled"]);
}

#[test]
fn a_stop_is_not_lost_while_the_book_is_unknown() {
    let config = SimConfig {
        slippage_floor: Decimal::new(1, 3),
        ..free()
    };
    let mut venue = loaded_with(&config);
    venue.send(0, market(1, 200));
    venue.send(0, stop(2, -200, 9_950));
    deliver(&mut venue);
    fills(&mut venue);
    venue.on_gap(0);
    trade(&mut venue, 9_950, 1, HOUR);
    assert_eq!(fills(&mut venue), [(2, HOUR, -200, 9_940)]);
}
