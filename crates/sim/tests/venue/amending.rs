//! Amendments of orders that wait for a trigger, by the rule of the venue.

use cq_sim::{reject_code, Amendment, StopMargin, TriggerBy, TriggeredStops, WaitingAmends};

use super::ticks::{loaded_with, trade};
use super::*;

/// A venue that amends what waits; the book has offers at 100.10.
fn taking() -> SimConfig {
    SimConfig {
        waiting_amends: WaitingAmends::Take,
        ..free()
    }
}

fn to(stop: i64, qty: i64) -> Amendment {
    Amendment {
        price: None,
        qty: Qty(qty),
        stop: Some(Px(stop)),
    }
}

/// What is said of an amendment of an order, without the acknowledgement of the order.
fn amended(config: &SimConfig, order: Request, to: Amendment) -> (Venue, Vec<&'static str>) {
    let mut venue = loaded_with(config);
    trade(&mut venue, 10_000, 1, 1);
    venue.send(2, order);
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["ack"]);
    venue.amend(HOUR, 0, 1, to);
    deliver(&mut venue);
    let told = said(&mut venue);
    (venue, told)
}

fn opening(signed: i64, px: i64) -> Request {
    Request {
        reduce_only: false,
        ..stop(1, signed, px)
    }
}

#[test]
fn a_venue_that_amends_limit_orders_only_leaves_what_waits_as_it_is() {
    for to in [to(10_500, 100), (None, Qty(50)).into()] {
        let (mut venue, told) = amended(&free(), opening(100, 10_400), to);
        assert_eq!(told, ["not_amendable"]);
        // It is set off where it was.
        trade(&mut venue, 10_400, 1, 2 * HOUR);
        assert_eq!(fills(&mut venue), [(1, 2 * HOUR, 100, 10_010)]);
    }
    assert_eq!(reject_code("not_amendable"), Some(None));
}

#[test]
fn a_moved_trigger_is_the_one_that_counts() {
    let (mut venue, told) = amended(&taking(), opening(100, 10_400), to(10_600, 80));
    assert_eq!(told, ["amended"]);
    trade(&mut venue, 10_590, 1, 2 * HOUR);
    assert_eq!(fills(&mut venue), []);
    trade(&mut venue, 10_600, 1, 3 * HOUR);
    assert_eq!(fills(&mut venue), [(1, 3 * HOUR, 80, 10_010)]);
}

#[test]
fn a_trigger_that_is_reached_sets_the_order_off_or_is_refused() {
    // The last trade was at 100.00.
    let (venue, told) = amended(&taking(), opening(100, 10_400), to(9_990, 100));
    assert_eq!(told, ["amended", "fill"]);
    assert!(!venue.is_working(0));
    let refusing = SimConfig {
        triggered_stops: TriggeredStops::Refuse,
        ..taking()
    };
    let (mut venue, told) = amended(&refusing, opening(100, 10_400), to(9_990, 100));
    assert_eq!(told, ["would_trigger"]);
    trade(&mut venue, 10_400, 1, 2 * HOUR);
    assert_eq!(fills(&mut venue).len(), 1);
}

#[test]
fn a_stop_limit_that_is_set_off_by_its_move_rests_at_its_limit() {
    let order = Request {
        price: Some(Px(9_900)),
        ..opening(100, 10_400)
    };
    let (mut venue, told) = amended(&taking(), order, to(10_000, 100));
    assert_eq!(told, ["amended", "triggered"]);
    trade(&mut venue, 9_890, 200, 2 * HOUR);
    assert_eq!(fills(&mut venue), [(1, 2 * HOUR, 100, 9_900)]);
}

#[test]
fn what_has_no_trigger_that_waits_gets_none() {
    let trailing = Request {
        kind: OrderType::TrailingStop,
        callback_ppm: 10_000,
        ..opening(100, 9_800)
    };
    for order in [limit(1, 100, 9_900), trailing] {
        let (_, told) = amended(&taking(), order, to(9_700, 100));
        assert_eq!(told, ["not_amendable"], "{order:?}");
    }
    // A stop-limit that was set off is a limit order: its limit can be amended, its trigger no more.
    let order = Request {
        price: Some(Px(9_900)),
        ..opening(100, 10_400)
    };
    let (mut venue, told) = amended(&taking(), order, (None, Qty(90)).into());
    assert_eq!(told, ["amended"]);
    trade(&mut venue, 10_400, 1, 2 * HOUR);
    venue.amend(2 * HOUR, 0, 1, to(10_300, 90));
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["triggered", "not_amendable"]);
    // The trigger that it had is no other one.
    let lower = Amendment {
        price: Some(Px(9_890)),
        ..to(10_400, 90)
    };
    venue.amend(3 * HOUR, 0, 1, lower);
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["amended"]);
}

#[test]
fn a_trigger_is_on_the_grid_and_on_bars_the_next_price_counts() {
    let (_, told) = amended(&taking(), opening(100, 10_400), to(10_405, 100));
    assert_eq!(told, ["off_tick"]);
    let config = SimConfig {
        stop_margin: StopMargin::Trigger,
        ..taking()
    };
    let mut venue = venue(&config);
    venue.send(HOUR, opening(1_000, 10_400));
    live(&mut venue, bar(1, 10_000, 10_100, 9_900, 10_000, 1_000_000));
    venue.amend(2 * HOUR - ENTRY - 1, 0, 1, to(10_200, 1_000));
    live(&mut venue, bar(2, 10_000, 10_150, 9_900, 10_000, 1_000_000));
    assert_eq!(fills(&mut venue), []);
    live(&mut venue, bar(3, 10_000, 10_300, 9_900, 10_000, 1_000_000));
    assert_eq!(fills(&mut venue), [(1, 4 * HOUR - 1, 1_000, 10_200)]);
}

#[test]
fn a_mark_that_was_seen_sets_off_what_looks_at_it() {
    let by_mark = Request {
        trigger_by: TriggerBy::Mark,
        ..opening(100, 10_400)
    };
    let mut venue = loaded_with(&taking());
    venue.on_mark(0, Px(10_200), 1, &Bottomless);
    venue.send(2, by_mark);
    deliver(&mut venue);
    venue.amend(HOUR, 0, 1, to(10_210, 100));
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["ack", "amended"]);
    venue.amend(2 * HOUR, 0, 1, to(10_200, 100));
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["amended", "fill"]);
}
