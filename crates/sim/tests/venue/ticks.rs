use super::*;
use cq_sim::{Matching, Queue, Trade};
use cq_types::{flags, Change};

/// Bids 99.90 x 0.5, 99.80 x 0.7; asks 100.10 x 0.3, 100.20 x 0.4.
fn loaded() -> Venue {
    loaded_with(&free())
}

pub(crate) fn loaded_with(config: &SimConfig) -> Venue {
    let mut venue = venue_of(contract(Contract::Linear), true, config);
    let snapshot = flags::SNAPSHOT;
    change(&mut venue, Side::Buy, Px(9_990), Qty(500), snapshot);
    change(&mut venue, Side::Buy, Px(9_980), Qty(700), snapshot);
    change(&mut venue, Side::Sell, Px(10_010), Qty(300), snapshot);
    change(
        &mut venue,
        Side::Sell,
        Px(10_020),
        Qty(400),
        snapshot | flags::LAST,
    );
    venue
}

pub(crate) fn change(venue: &mut Venue, side: Side, px: Px, qty: Qty, marks: u32) {
    let change = Change {
        side,
        px,
        qty,
        marks,
    };
    venue.on_changes(0, [(HOUR, change)], &Bottomless);
}

/// A trade whose aggressor sold if it is at 100 or below, where the bids are.
pub(crate) fn trade(venue: &mut Venue, px: i64, qty: i64, ts: Ts) {
    let side = if px <= 10_000 { Side::Sell } else { Side::Buy };
    traded(venue, side, px, qty, ts);
}

pub(crate) fn traded(venue: &mut Venue, side: Side, px: i64, qty: i64, ts: Ts) {
    let trade = Trade {
        px: Px(px),
        qty: Qty(qty),
        side,
        marks: 0,
        matched: ts,
    };
    venue.on_trade(0, trade, ts, &Bottomless);
}

pub(crate) fn placed(request: Request) -> Venue {
    let mut venue = loaded();
    venue.send(0, request);
    deliver(&mut venue);
    venue
}

#[test]
fn a_taker_walks_the_levels_from_the_touch() {
    for (signed, expected) in [
        (500, [(1, ENTRY, 300, 10_010), (1, ENTRY, 200, 10_020)]),
        (-600, [(1, ENTRY, -500, 9_990), (1, ENTRY, -100, 9_980)]),
    ] {
        assert_eq!(fills(&mut placed(market(1, signed))), expected);
    }
}

#[test]
fn spread_is_counted_from_the_middle_and_impact_from_the_touch() {
    let answers = placed(market(1, 500)).take_answers();
    let parts = answers.iter().filter_map(|e| match e.body {
        Account::Fill {
            reference, impact, ..
        } => Some((reference.0, impact)),
        _ => None,
    });
    let expected = [(10_000, Decimal::ZERO), (10_000, Decimal::new(10, 2))];
    assert_eq!(parts.collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_taken_is_gone_until_its_level_is_refreshed() {
    let mut venue = placed(market(1, 200));
    venue.send(MS, market(2, 200));
    deliver(&mut venue);
    assert_eq!(
        fills(&mut venue)[1..],
        [(2, ENTRY + MS, 100, 10_010), (2, ENTRY + MS, 100, 10_020)]
    );
    change(&mut venue, Side::Sell, Px(10_010), Qty(300), flags::LAST);
    venue.send(2 * MS, market(3, 200));
    deliver(&mut venue);
    assert_eq!(fills(&mut venue), [(3, ENTRY + 2 * MS, 200, 10_010)]);
}

#[test]
fn what_the_book_does_not_hold_is_cancelled() {
    let mut venue = placed(market(1, 5_000));
    assert_eq!(said(&mut venue), ["fill", "fill", "cancelled"]);
    assert_eq!(venue.position(0), Qty(700));
}

#[test]
fn a_limit_takes_up_to_its_price_and_rests() {
    let mut venue = placed(limit(1, 400, 10_010));
    assert_eq!(fills(&mut venue), [(1, ENTRY, 300, 10_010)]);
    trade(&mut venue, 10_000, 40, HOUR);
    assert_eq!(fills(&mut venue), [(1, HOUR, 40, 10_010)]);
}

#[test]
fn trades_at_the_price_advance_the_queue_and_trades_beyond_it_come_to_us_first() {
    let mut venue = placed(limit(1, 120, 9_990));
    trade(&mut venue, 9_990, 500, HOUR);
    assert_eq!(fills(&mut venue), [], "exactly what was before it");
    trade(&mut venue, 9_990, 50, 2 * HOUR);
    assert_eq!(fills(&mut venue), [(1, 2 * HOUR, 50, 9_990)]);
    trade(&mut venue, 10_000, 999, 3 * HOUR);
    assert_eq!(fills(&mut venue), [], "a better price for the others");
    trade(&mut venue, 9_980, 60, 4 * HOUR);
    assert_eq!(fills(&mut venue), [(1, 4 * HOUR, 60, 9_990)]);
}

#[test]
fn no_more_than_a_level_holds_is_before_an_order() {
    let mut venue = placed(limit(1, 120, 9_990));
    change(&mut venue, Side::Buy, Px(9_990), Qty(30), flags::LAST);
    trade(&mut venue, 9_990, 100, 2 * HOUR);
    assert_eq!(fills(&mut venue), [(1, 2 * HOUR, 70, 9_990)]);
}

#[test]
fn a_decrease_that_trades_explain_advances_the_queue_once() {
    for queue in [Queue::RiskAverse, Queue::Power(2.0), Queue::Optimistic] {
        for is_first in [true, false] {
            let mut venue = loaded_with(&SimConfig { queue, ..free() });
            venue.send(0, limit(1, 120, 9_990));
            deliver(&mut venue);
            if is_first {
                trade(&mut venue, 9_990, 200, HOUR);
            }
            change(&mut venue, Side::Buy, Px(9_990), Qty(300), flags::LAST);
            if !is_first {
                trade(&mut venue, 9_990, 200, HOUR);
            }
            trade(&mut venue, 9_990, 310, 2 * HOUR);
            assert_eq!(fills(&mut venue), [(1, 2 * HOUR, 10, 9_990)], "{queue:?}");
        }
    }
}

#[test]
fn the_other_sides_best_price_fills_what_it_reaches_up_to_its_quantity() {
    let mut venue = placed(limit(1, 120, 10_000));
    change(&mut venue, Side::Sell, Px(10_000), Qty(50), flags::LAST);
    assert_eq!(fills(&mut venue), [(1, HOUR, 50, 10_000)]);
    // What has traded with us is gone until the level changes.
    change(&mut venue, Side::Buy, Px(9_980), Qty(70), flags::LAST);
    assert_eq!(fills(&mut venue), []);
    change(&mut venue, Side::Sell, Px(9_990), Qty(900), 0);
    change(&mut venue, Side::Buy, Px(9_990), Qty(0), flags::LAST);
    assert_eq!(fills(&mut venue), [(1, HOUR, 70, 10_000)]);
}

#[test]
fn beyond_the_snapshots_edge_a_level_is_unknown_until_it_changes() {
    let mut venue = placed(limit(1, 100, 9_900));
    trade(&mut venue, 9_900, 1_000, HOUR);
    assert_eq!(fills(&mut venue), [], "nobody knows what was before it");
    change(&mut venue, Side::Buy, Px(9_900), Qty(40), flags::LAST);
    trade(&mut venue, 9_900, 45, 2 * HOUR);
    assert_eq!(fills(&mut venue), [(1, 2 * HOUR, 5, 9_900)]);
    let mut venue = loaded_with(&SimConfig {
        matching: Matching {
            snapshot_edge: false,
            ..Matching::VENUE
        },
        ..free()
    });
    venue.send(0, limit(1, 100, 9_900));
    deliver(&mut venue);
    trade(&mut venue, 9_900, 4, HOUR);
    assert_eq!(fills(&mut venue), [(1, HOUR, 4, 9_900)]);
}

#[test]
fn a_selling_maker_mirrors_a_buying_one() {
    let mut venue = placed(limit(1, -120, 10_010));
    trade(&mut venue, 10_010, 310, HOUR);
    assert_eq!(fills(&mut venue), [(1, HOUR, -10, 10_010)]);
    trade(&mut venue, 10_000, 999, 2 * HOUR);
    trade(&mut venue, 10_020, 500, 3 * HOUR);
    assert_eq!(fills(&mut venue), [(1, 3 * HOUR, -110, 10_010)]);
}

#[test]
fn our_orders_share_one_trade() {
    let mut venue = placed(limit(1, 70, 10_000));
    venue.send(0, limit(2, 70, 10_000));
    deliver(&mut venue);
    trade(&mut venue, 10_000, 100, HOUR);
    assert_eq!(
        fills(&mut venue),
        [(1, HOUR, 70, 10_000), (2, HOUR, 30, 10_000)]
    );
}

#[test]
fn a_trade_that_is_not_the_markets_fills_nobody() {
    let mut venue = placed(limit(1, 70, 10_000));
    let trade = Trade {
        px: Px(9_000),
        qty: Qty(999),
        side: Side::Sell,
        marks: flags::NOT_MARKET,
        matched: HOUR,
    };
    venue.on_trade(0, trade, HOUR, &Bottomless);
    assert_eq!(fills(&mut venue), []);
}

#[test]
fn post_only_is_refused_at_the_touch() {
    for (signed, px, answer) in [
        (100, 10_010, "post_only_would_cross"),
        (100, 10_000, "ack"),
        (-100, 9_990, "post_only_would_cross"),
        (-100, 10_000, "ack"),
    ] {
        let request = Request {
            tif: TimeInForce::PostOnly,
            ..limit(1, signed, px)
        };
        assert_eq!(said(&mut placed(request)), [answer]);
    }
}

#[test]
fn a_gap_takes_the_book_and_the_place_in_the_queue() {
    let mut venue = placed(limit(1, 100, 10_000));
    venue.on_gap(0);
    trade(&mut venue, 10_000, 1_000_000, HOUR);
    assert_eq!(fills(&mut venue), []);
    venue.send(HOUR, market(2, 100));
    deliver(&mut venue);
    assert_eq!(said(&mut venue), ["no_book"]);
    trade(&mut venue, 9_990, 100, 2 * HOUR);
    assert_eq!(fills(&mut venue), [(1, 2 * HOUR, 100, 10_000)]);
}

#[test]
fn quotes_serve_where_there_is_no_book_and_a_new_one_refreshes() {
    let mut venue = venue_of(contract(Contract::Linear), true, &free());
    // Changes without a snapshot are no book: they refresh nothing.
    let quote = |venue: &mut Venue| {
        let touch = ((Px(9_990), Qty(500)), (Px(10_010), Qty(300)));
        venue.on_quote(0, touch, 0, &Bottomless);
    };
    quote(&mut venue);
    venue.send(0, market(1, 200));
    deliver(&mut venue);
    change(&mut venue, Side::Sell, Px(10_010), Qty(300), 0);
    change(&mut venue, Side::Sell, Px(10_050), Qty(1), flags::LAST);
    venue.send(0, market(2, 200));
    deliver(&mut venue);
    quote(&mut venue);
    venue.send(0, market(3, 200));
    deliver(&mut venue);
    let sizes: Vec<_> = fills(&mut venue).iter().map(|f| (f.0, f.2)).collect();
    assert_eq!(sizes, [(1, 200), (2, 100), (3, 200)]);
}

#[test]
fn a_resting_order_beside_a_quote_knows_its_place_only_at_the_touch() {
    for (px, sold, filled) in [(9_990, 501, 1), (9_980, 1_000_000, 0), (10_000, 7, 7)] {
        let mut venue = venue_of(contract(Contract::Linear), true, &free());
        let touch = ((Px(9_990), Qty(500)), (Px(10_010), Qty(300)));
        venue.on_quote(0, touch, 0, &Bottomless);
        venue.send(0, limit(1, 100, px));
        deliver(&mut venue);
        trade(&mut venue, px, sold, HOUR);
        let total: i64 = fills(&mut venue).iter().map(|f| f.2).sum();
        assert_eq!(total, filled, "{px}");
    }
}

#[test]
fn a_stop_waits_for_a_trade_at_its_trigger() {
    let mut venue = placed(market(1, 100));
    venue.send(MS, stop(2, -100, 9_950));
    deliver(&mut venue);
    trade(&mut venue, 9_951, 1, HOUR);
    assert_eq!(fills(&mut venue).len(), 1);
    trade(&mut venue, 9_950, 1, 2 * HOUR);
    assert_eq!(fills(&mut venue), [(2, 2 * HOUR, -100, 9_990)]);
}

#[test]
fn a_forced_close_ends_at_the_last_level_there_is() {
    let mut venue = placed(market(1, 600));
    change(&mut venue, Side::Buy, Px(9_980), Qty(50), flags::LAST);
    fills(&mut venue);
    venue.force_close(0, HOUR, &Bottomless);
    assert_eq!(fills(&mut venue), [(cq_sim::FORCED_ID, HOUR, -600, 9_980)]);
}

#[test]
fn a_forced_close_without_a_book_is_worsened_from_the_last_trade() {
    let config = SimConfig {
        slippage_floor: Decimal::new(1, 2),
        ..free()
    };
    let mut venue = venue_of(contract(Contract::Linear), true, &config);
    let touch = ((Px(9_990), Qty(500)), (Px(10_010), Qty(300)));
    venue.on_quote(0, touch, 0, &Bottomless);
    venue.send(0, market(1, 100));
    deliver(&mut venue);
    trade(&mut venue, 10_000, 1, MS);
    venue.on_gap(0);
    fills(&mut venue);
    venue.force_close(0, HOUR, &Bottomless);
    assert_eq!(fills(&mut venue), [(cq_sim::FORCED_ID, HOUR, -100, 9_900)]);
}

/// One second at 100.00 and one at 101.00: a move of 1 % in two seconds, with 400 traded.
fn moved(y: f64) -> Venue {
    let mut venue = loaded_with(&SimConfig {
        tick_impact: y,
        ..free()
    });
    traded(&mut venue, Side::Sell, 10_000, 100, 0);
    traded(&mut venue, Side::Buy, 10_100, 300, 1_500 * MS);
    venue
}

#[test]
fn beyond_its_walk_a_taker_pays_the_square_root_of_its_share_of_what_was_traded() {
    // Two seconds have ended at 2,050 ms: sigma 1 %, 400 traded. 100 of 400: half of 1 %.
    // 100.10 + 0.51 (0.5005, to the next cent) = 100.61: to the tick above, 100.70.
    let mut venue = moved(1.0);
    venue.send(2_000 * MS, market(1, 100));
    deliver(&mut venue);
    assert_eq!(fills(&mut venue), [(1, 2_050 * MS, 100, 10_070)]);
    // Half as much with Y = 1/2, against a seller: 99.90 - 0.25 (0.24975) = 99.65, to 99.60.
    let mut venue = moved(0.5);
    venue.send(2_000 * MS, market(1, -100));
    deliver(&mut venue);
    assert_eq!(fills(&mut venue), [(1, 2_050 * MS, -100, 9_960)]);
}

#[test]
fn impact_is_one_of_the_whole_order_and_bounded_by_its_limit() {
    // 300 at 100.10: sqrt(300/400) of 1 % is 0.86690 (0.87): 100.97, to 101.00. The last 100 pay
    // (400^1.5 - 300^1.5) / (100 x 20) of 1 % = 1.40192 % of 100.20: 1.41, 101.61, to 101.70.
    let mut venue = moved(1.0);
    venue.send(2_000 * MS, market(1, 400));
    deliver(&mut venue);
    let ts = 2_050 * MS;
    assert_eq!(
        fills(&mut venue),
        [(1, ts, 300, 10_100), (1, ts, 100, 10_170)]
    );
    let mut venue = moved(1.0);
    venue.send(2_000 * MS, limit(1, 100, 10_030));
    deliver(&mut venue);
    assert_eq!(fills(&mut venue), [(1, 2_050 * MS, 100, 10_030)]);
}

#[test]
fn without_the_law_or_a_second_of_trades_a_taker_pays_its_walk() {
    let mut venue = moved(0.0);
    venue.send(2_000 * MS, market(1, 100));
    deliver(&mut venue);
    assert_eq!(fills(&mut venue), [(1, 2_050 * MS, 100, 10_010)]);
    let mut venue = loaded_with(&SimConfig {
        tick_impact: 1.0,
        ..free()
    });
    traded(&mut venue, Side::Sell, 10_000, 100, 0);
    venue.send(100 * MS, market(1, 100));
    deliver(&mut venue);
    assert_eq!(fills(&mut venue), [(1, 150 * MS, 100, 10_010)]);
}
