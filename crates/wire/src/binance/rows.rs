//! One frame's fields to one row, by kind of frame.

use cq_types::{flags, Ts};

use super::fields::{aggressor, need, number, time, Fields};
use super::MARK_EXP;
use crate::batch::{AggTrade, Mark, Quote, Trade};
use crate::series::{BookIds, Series, Stamp};
use crate::widen::quantities;
use crate::{WireError, MISSING};

type Done = Result<(), WireError>;

/// The frame's two times: `T` is matching, `E` publication.
fn stamp(series: &mut Series, ts_recv: Ts, f: &Fields<'_>) -> Result<Stamp, WireError> {
    let event = f.event_time.map(|t| time(t, "E")).transpose()?;
    let matched = f.time.map(|t| time(t, "T")).transpose()?;
    Ok(series.stamp(ts_recv, event, matched))
}

pub(super) fn depth(series: &mut Series, ts_recv: Ts, f: &Fields<'_>) -> Done {
    const FRAME: &str = "depthUpdate";
    let ids = BookIds {
        first: number(need(f.first, FRAME, "U")?, "U", 0)?,
        last: number(need(f.update, FRAME, "u")?, "u", 0)?,
        previous: f.previous.map(|t| number(t, "pu", 0)).transpose()?,
    };
    need(f.event_time, FRAME, "E")?;
    let stamp = stamp(series, ts_recv, f)?;
    series.depth(stamp, &ids);
    Ok(())
}

pub(super) fn snapshot(series: &mut Series, ts_recv: Ts, f: &Fields<'_>) -> Done {
    let id = need(f.snapshot, "snapshot", "lastUpdateId")?;
    let id = number(id, "lastUpdateId", 0)?;
    let stamp = stamp(series, ts_recv, f)?;
    series.snapshot(stamp, id);
    Ok(())
}

pub(super) fn trade(series: &mut Series, ts_recv: Ts, f: &Fields<'_>) -> Done {
    const FRAME: &str = "trade";
    let id = number(need(f.trade, FRAME, "t")?, "t", 0)?;
    let px = number(need(f.price, FRAME, "p")?, "p", series.price_exp)?;
    let qty = (need(f.quantity, FRAME, "q")?, "q");
    let [qty] = quantities(&mut series.batch.trades, [qty])?;
    let side = aggressor(need(f.maker, FRAME, "m")?, "m")?;
    need(f.time, FRAME, "T")?;
    let stamp = stamp(series, ts_recv, f)?;
    let is_market = f.kind.is_none_or(|x| x == b"MARKET");
    series.trade(Trade {
        ts_event: stamp.ts_event,
        ts_recv,
        id,
        px,
        qty,
        side,
        flags: if is_market { 0 } else { flags::NOT_MARKET },
    });
    Ok(())
}

pub(super) fn agg_trade(series: &mut Series, ts_recv: Ts, f: &Fields<'_>) -> Done {
    const FRAME: &str = "aggTrade";
    let id = number(need(f.ask, FRAME, "a")?, "a", 0)?;
    let px = number(need(f.price, FRAME, "p")?, "p", series.price_exp)?;
    let qty = (need(f.quantity, FRAME, "q")?, "q");
    let [qty] = quantities(&mut series.batch.agg_trades, [qty])?;
    let first_id = number(need(f.agg_first, FRAME, "f")?, "f", 0)?;
    let last_id = number(need(f.agg_last, FRAME, "l")?, "l", 0)?;
    let side = aggressor(need(f.maker, FRAME, "m")?, "m")?;
    need(f.time, FRAME, "T")?;
    let stamp = stamp(series, ts_recv, f)?;
    series.agg_trade(AggTrade {
        ts_event: stamp.ts_event,
        ts_recv,
        id,
        px,
        qty,
        side,
        flags: 0,
        first_id,
        last_id,
    });
    Ok(())
}

pub(super) fn quote(series: &mut Series, ts_recv: Ts, f: &Fields<'_>) -> Done {
    const FRAME: &str = "bookTicker";
    let price_exp = series.price_exp;
    let update_id = number(need(f.update, FRAME, "u")?, "u", 0)?;
    let bid = number(need(f.bid, FRAME, "b")?, "b", price_exp)?;
    let ask = number(need(f.ask, FRAME, "a")?, "a", price_exp)?;
    let sizes = [
        (need(f.bid_quantity, FRAME, "B")?, "B"),
        (need(f.ask_quantity, FRAME, "A")?, "A"),
    ];
    let [bid_qty, ask_qty] = quantities(&mut series.batch.quotes, sizes)?;
    let stamp = stamp(series, ts_recv, f)?;
    series.quote(Quote {
        ts_event: stamp.ts_event,
        ts_recv,
        update_id,
        bid,
        bid_qty,
        ask,
        ask_qty,
        flags: stamp.flags,
    });
    Ok(())
}

pub(super) fn mark(series: &mut Series, ts_recv: Ts, f: &Fields<'_>) -> Done {
    const FRAME: &str = "markPriceUpdate";
    let mark = number(need(f.price, FRAME, "p")?, "p", MARK_EXP)?;
    let optional = |text: Option<&[u8]>, field| match text {
        None | Some(b"") => Ok(MISSING),
        Some(text) => number(text, field, MARK_EXP),
    };
    let index = optional(f.index, "i")?;
    let rate = optional(f.rate, "r")?;
    let next_funding = match f.time {
        None | Some(b"0") => MISSING,
        Some(text) => time(text, "T")?,
    };
    let published = time(need(f.event_time, FRAME, "E")?, "E")?;
    let stamp = series.stamp(ts_recv, Some(published), None);
    series.mark(Mark {
        ts_event: stamp.ts_event,
        ts_recv,
        mark,
        index,
        rate,
        next_funding,
        flags: 0,
    });
    Ok(())
}
