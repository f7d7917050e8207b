"""What each feature on bars should be, by NumPy on whole windows: no streaming, no state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from crypto_quant.feature_engineering.events import Floats
from tests.conformance.feature_worlds import DAY, HOUR, Bars, BarWorld

Oracle: TypeAlias = Callable[[BarWorld, int], float]

_HOURS_A_YEAR: Final = 365 * 24
_MINUTES_A_YEAR: Final = 365 * 24 * 60


def _returns(close: Floats) -> Floats:
    return np.diff(np.log(close))


def _z(x: Floats) -> float:
    return float((x[-1] - x.mean()) / x.std(ddof=1))


def _ema(x: Floats, n: int) -> Floats:
    """Return the means from the ``n``-th value on, seeded by a simple mean."""
    out = [x[:n].mean()]
    for value in x[n:]:
        out.append(out[-1] * (1 - 2 / (n + 1)) + value * 2 / (n + 1))
    return np.array(out)


def _wilder(x: Floats, n: int) -> float:
    mean = x[:n].mean()
    for value in x[n:]:
        mean += (value - mean) / n
    return float(mean)


def _true_range(bars: Bars) -> Floats:
    before = bars.close[:-1]
    return np.maximum(bars.high[1:], before) - np.minimum(bars.low[1:], before)


def log_return(n: int) -> Oracle:
    return lambda w, _: float(np.log(w.perp.close[-1]) - np.log(w.perp.close[-1 - n]))


def momentum_z(fast: int, slow: int) -> Oracle:
    def of(w: BarWorld, _: int) -> float:
        r = _returns(w.perp.close)
        return float(r[-fast:].sum() / (r[-slow:].std(ddof=1) * fast**0.5))

    return of


def skew(w: BarWorld, _: int) -> float:
    r = _returns(w.perp.close)[-168:]
    return float(((r - r.mean()) ** 3).mean() / r.std() ** 3)


def efficiency(w: BarWorld, _: int) -> float:
    moves = np.diff(w.perp.close[-25:])
    return float(moves.sum() / np.abs(moves).sum())


def ema_ratio(fast: int, slow: int) -> Oracle:
    return lambda w, _: float(np.log(_ema(w.perp.close, fast)[-1] / _ema(w.perp.close, slow)[-1]))


def macd(w: BarWorld) -> tuple[float, float]:
    close = w.perp.close
    line = _ema(close[14:], 12) - _ema(close, 26)
    return float(line[-1] / close[-1]), float((line[-1] - _ema(line, 9)[-1]) / close[-1])


def adx(w: BarWorld, _: int) -> float:
    up, down = np.diff(w.perp.high), -np.diff(w.perp.low)
    terms = np.stack(
        [
            np.where((up > down) & (up > 0), up, 0.0),
            np.where((down > up) & (down > 0), down, 0.0),
            _true_range(w.perp),
        ]
    )
    total, index = terms[:, :13].sum(axis=1), []
    for column in terms.T[13:]:
        total = total * (13 / 14) + column
        plus, minus = total[0] / total[2], total[1] / total[2]
        index.append(100 * abs(plus - minus) / (plus + minus))
    return _wilder(np.array(index), 14)


def rsi(w: BarWorld, _: int) -> float:
    moves = np.diff(w.perp.close)
    gain, loss = _wilder(moves.clip(0), 14), _wilder((-moves).clip(0), 14)
    return 100 - 100 / (1 + gain / loss)


def volatility(n: int) -> Oracle:
    return lambda w, _: float(_returns(w.perp.close)[-n:].std(ddof=1) * _HOURS_A_YEAR**0.5)


def range_volatility(w: BarWorld, _: int) -> float:
    log_range = np.log(w.perp.high[-24:] / w.perp.low[-24:])
    return float(np.sqrt((log_range**2).mean() / np.log(16)) * _HOURS_A_YEAR**0.5)


def bollinger(w: BarWorld) -> tuple[float, float]:
    x = w.perp.close[-20:]
    lower, upper = x.mean() - 2 * x.std(), x.mean() + 2 * x.std()
    return float((x[-1] - lower) / (upper - lower)), float((upper - lower) / x.mean())


def donchian(w: BarWorld, _: int) -> float:
    low, high = w.perp.low[-48:].min(), w.perp.high[-48:].max()
    return float((w.perp.close[-1] - low) / (high - low))


def _since(bars: Bars, now: int, span: int) -> slice:
    """Return the rows of the bars that ended in ``(now - span, now]``."""
    return slice(int(np.searchsorted(bars.end, now - span, side="right")), None)


def flow(hours: int) -> Oracle:
    def of(w: BarWorld, now: int) -> float:
        rows = _since(w.spot, now, hours * HOUR)
        bought, volume = w.spot.taker_buy[rows].sum(), w.spot.volume[rows].sum()
        return float((bought - (volume - bought)) / volume)

    return of


def vpin(w: BarWorld, _: int) -> float:
    """Cut the cumulative volume into buckets, each sized when it opens."""
    volume, bought = w.spot.volume, w.spot.taker_buy
    total = np.concatenate([[0.0], np.cumsum(volume)])
    total_bought = np.concatenate([[0.0], np.cumsum(bought)])
    edges, sizes = [total[1439]], []
    while True:
        minute = int(np.searchsorted(total, edges[-1] * (1 + 1e-12), side="right"))
        if minute >= len(total):
            break
        size = (total[minute] - total[max(0, minute - 1440)]) / 50
        if edges[-1] + size > total[-1]:
            break
        edges.append(edges[-1] + size)
        sizes.append(size)
    inside = np.diff(np.interp(edges, total, total_bought))
    buy, size_of = inside[-50:], np.array(sizes[-50:])
    return float(np.abs(2 * buy - size_of).sum() / size_of.sum())


def _minute_returns(w: BarWorld, now: int, hours: int) -> tuple[Floats, Floats, slice]:
    """Return the window's returns, the ones before them, and the rows of both."""
    rows = _since(w.spot, now, hours * HOUR)
    r = np.concatenate([[np.nan], _returns(w.spot.close)])
    before = np.concatenate([[np.nan], r[:-1]])
    return r[rows], before[rows], rows


def amihud(w: BarWorld, now: int) -> float:
    r, _, rows = _minute_returns(w, now, 24)
    millions = w.spot.close[rows] * w.spot.volume[rows] / 1e6
    return float(np.nanmean(np.abs(r) * 1e4 / millions))


def roll(w: BarWorld, now: int) -> float:
    r, before, _ = _minute_returns(w, now, 24)
    both = ~np.isnan(before)
    return float(2e4 * np.sqrt(max(-np.cov(before[both], r[both])[0, 1], 0.0)))


def kyle(hours: int) -> Oracle:
    def of(w: BarWorld, now: int) -> float:
        r, _, rows = _minute_returns(w, now, hours)
        signed = (2 * w.spot.taker_buy - w.spot.volume)[rows] * w.spot.close[rows] / 1e6
        known = ~np.isnan(r)
        return float(np.polyfit(signed[known], r[known] * 1e4, 1)[0])

    return of


def trades_ratio(w: BarWorld, now: int) -> float:
    hour, day = (w.spot.count[_since(w.spot, now, n * HOUR)] for n in (1, 24))
    return float(np.log(hour.mean() / day.mean()))


def trade_size(w: BarWorld, now: int) -> float:
    rows = [_since(w.spot, now, n * HOUR) for n in (1, 24)]
    hour, day = (w.spot.volume[r].sum() / w.spot.count[r].sum() for r in rows)
    return float(np.log(hour / day))


def realised(w: BarWorld, now: int) -> float:
    r, _, _ = _minute_returns(w, now, 24)
    return float(np.sqrt(np.nanmean(r**2) * _MINUTES_A_YEAR))


def jump_ratio(w: BarWorld, now: int) -> float:
    r, before, _ = _minute_returns(w, now, 24)
    bipower = np.pi / 2 * np.nanmean(np.abs(r * before))
    return max(0.0, float(1 - bipower / np.nanmean(r**2)))


def autocorrelation(w: BarWorld, now: int) -> float:
    r, before, _ = _minute_returns(w, now, 24)
    both = ~np.isnan(before)
    return float(np.corrcoef(before[both], r[both])[0, 1])


def funding_mean(n: int) -> Oracle:
    return lambda w, _: float(w.funding.value[-n:].mean())


def hours_to_funding(_: BarWorld, now: int) -> float:
    return (8 * HOUR - now % (8 * HOUR)) / HOUR


def _basis(w: BarWorld) -> Floats:
    together = np.isin(w.spot.end, w.perp.end)
    return (w.perp.close / w.spot.close[together] - 1) * 1e4


def vol_ratio(w: BarWorld, _: int) -> float:
    r = _returns(w.perp.close)
    return float(np.log(r[-24:].std(ddof=1) / r[-168:].std(ddof=1)))


def level(name: str) -> Oracle:
    return lambda w, _: float(w.series[name].value[-1])


def change(name: str, days: int, is_log: bool = True) -> Oracle:
    def of(w: BarWorld, _: int) -> float:
        new, old = w.series[name].value[[-1, -1 - days]]
        return float(np.log(new / old) if is_log else new - old)

    return of


def premium(w: BarWorld, now: int) -> float:
    return level("deribit_dvol_1d.dvol")(w, now) / 100 - volatility(720)(w, now)


def calendar(period: int, wave: Callable[[float], float]) -> Oracle:
    """Count from Monday 2023-11-13, 00:00 UTC, which ``T0`` follows by two days."""
    monday = 1_699_833_600 * 10**9
    return lambda _, now: float(wave(2 * np.pi * ((now - monday) % period) / period))


ORACLES: Final[dict[str, Oracle]] = {
    **{f"ret_perp_{n}h": log_return(n) for n in (1, 4, 24, 168)},
    **{f"momentum_z_perp_{n}h_720h": momentum_z(n, 720) for n in (24, 168)},
    "skew_perp_168h": skew,
    "efficiency_perp_24h": efficiency,
    "ema_ratio_perp_12h_48h": ema_ratio(12, 48),
    "ema_ratio_perp_24h_168h": ema_ratio(24, 168),
    "macd_line_perp_12h_26h": lambda w, _: macd(w)[0],
    "macd_histogram_perp_12h_26h": lambda w, _: macd(w)[1],
    "adx_perp_14h": adx,
    "rsi_perp_14h": rsi,
    "vol_perp_24h": volatility(24),
    "vol_perp_168h": volatility(168),
    "vol_range_perp_24h": range_volatility,
    "atr_perp_14h": lambda w, _: _wilder(_true_range(w.perp), 14) / float(w.perp.close[-1]),
    "volume_z_perp_168h": lambda w, _: _z(w.perp.volume[-168:]),
    "bb_position_perp_20h": lambda w, _: bollinger(w)[0],
    "bb_width_perp_20h": lambda w, _: bollinger(w)[1],
    "donchian_perp_48h": donchian,
    "dist_high_perp_720h": lambda w, _: float(np.log(w.perp.close[-1] / w.perp.high[-720:].max())),
    "dist_low_perp_720h": lambda w, _: float(np.log(w.perp.close[-1] / w.perp.low[-720:].min())),
    **{f"flow_spot_{n}h": flow(n) for n in (1, 4, 24)},
    "vpin_spot_24h": vpin,
    "amihud_spot_24h": amihud,
    "roll_spot_24h": roll,
    **{f"kyle_spot_{n}h": kyle(n) for n in (4, 24)},
    "trades_ratio_spot_1h_24h": trades_ratio,
    "trade_size_spot_1h_24h": trade_size,
    "vol_realised_spot_24h": realised,
    "jump_ratio_spot_24h": jump_ratio,
    "autocorr_spot_24h": autocorrelation,
    "funding_perp_last": lambda w, _: float(w.funding.value[-1]),
    "funding_perp_3d": funding_mean(9),
    "funding_perp_7d": funding_mean(21),
    "funding_z_perp_30d": lambda w, _: _z(w.funding.value[-90:]),
    "hours_to_funding_perp": hours_to_funding,
    "basis_perp_1h": lambda w, _: float(_basis(w)[-1]),
    "basis_z_perp_168h": lambda w, _: _z(_basis(w)[-168:]),
    "vol_ratio_perp_24h_168h": vol_ratio,
    "oi_change_1d": change("coinglass_oi_1d.close", 1),
    "oi_change_7d": change("coinglass_oi_1d.close", 7),
    "top_long_short_1d": level("coinglass_top_ls_1d.ratio"),
    "basis_futures_1d": level("coinglass_basis_1d.close_basis"),
    "day_sin": calendar(DAY, np.sin),
    "day_cos": calendar(DAY, np.cos),
    "week_sin": calendar(7 * DAY, np.sin),
    "week_cos": calendar(7 * DAY, np.cos),
    "hashrate_change_7d": change("btc_hashrate_1d.hashrate", 7),
    "difficulty_change_14d": change("btc_difficulty_1d.difficulty", 14),
    "mvrv_1d": level("coinmetrics_btc_mvrv_1d.CapMVRVCur"),
    "mvrv_z_365d": lambda w, _: _z(w.series["coinmetrics_btc_mvrv_1d.CapMVRVCur"].value[-365:]),
    "active_addresses_change_7d": change("coinmetrics_btc_all_metrics_1d.AdrActCnt", 7),
    "sopr_1d": level("cryptoquant_btc_1d.SOPR_ratio"),
    "fear_greed_1d": level("fear_greed_1d.fng"),
    "fear_greed_change_7d": change("fear_greed_1d.fng", 7, is_log=False),
    "trends_change_7d": change("google_trends_bitcoin_1d.bitcoin", 7),
    "news_sentiment_1d": level("btc_news_finbert_sentiment_1d.Sentiment"),
    "dvol_1d": level("deribit_dvol_1d.dvol"),
    "vol_premium_30d": premium,
    "vix_change_5d": change("btc_daily_panel_1d.vix", 5),
    "dxy_change_5d": change("btc_daily_panel_1d.dxy", 5),
}
