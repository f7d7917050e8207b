"""Tracks, periods, rolling starts, doubts: a run judged from every side."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from crypto_quant.backtesting.metrics.doubt import doubt
from crypto_quant.backtesting.metrics.evaluation import Evaluation, evaluate, to_json
from crypto_quant.backtesting.metrics.figures import scored
from crypto_quant.backtesting.metrics.periods import day_regimes
from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.rolling import resampled, rolling, whole_path, window_months
from crypto_quant.backtesting.metrics.schema import COMPONENTS
from crypto_quant.backtesting.metrics.tracks import (
    floats,
    portfolio_track,
    scaled_track,
    sleeve_track,
    stressed_track,
)
from crypto_quant.core.measures.arrays import DAY_NS, Floats
from crypto_quant.core.measures.bootstrap import mean_block
from crypto_quant.core.measures.days import Days
from crypto_quant.core.measures.dispersion import volatility
from crypto_quant.core.measures.sharpe import sharpe_three_ways
from crypto_quant.core.measures.targets import judge, score
from tests.unit.backtesting.made_run import SPOT


def test_buy_and_hold_hand_calculation(run: RunResult, found: Evaluation) -> None:
    price = [float(v) for v in run.equity[f"mark/{SPOT}"].to_pylist()]
    bought = 100_000 / (price[0] * 1.001)
    held = found.tracks["buy_and_hold"].marks.growth
    assert held[0] == 1.0
    assert held[-1] * 100_000 == pytest.approx(bought * price[-1], rel=1e-12)


def test_portfolio_score_equals_its_own_arithmetic(run: RunResult, found: Evaluation) -> None:
    equity = np.array([float(v) for v in run.equity["portfolio/equity"].to_pylist()])
    hole = run.equity["hole"].to_numpy(zero_copy_only=False)
    daily = equity[::24]
    empty = hole[1:].reshape(-1, 24).all(axis=1)
    r = (daily[1:] / daily[:-1] - 1)[~empty]
    judged = found.rows[0].scored
    assert judged.total == pytest.approx(equity[-1] / equity[0] - 1, rel=1e-9)
    assert judged.cagr == pytest.approx((equity[-1] / equity[0]) ** (365 / 900) - 1, rel=1e-9)
    assert judged.sharpe_daily == pytest.approx(r.mean() / r.std(ddof=1) * 365**0.5, rel=1e-9)
    falls = 1 - equity / np.maximum.accumulate(equity)
    assert judged.max_drawdown == pytest.approx(falls.max(), rel=1e-9)
    assert judged.win_rate == pytest.approx((r > 0).mean(), rel=1e-9)
    pnl = floats(run.trips.filter(pc.equal(run.trips["row"], "portfolio")), "pnl")
    assert judged.payoff == pytest.approx(pnl[pnl > 0].mean() / -pnl[pnl < 0].mean(), rel=1e-9)
    assert found.hole_days == empty.sum() == 46


def test_sleeve_without_capital_stands_on_the_portfolios(run: RunResult) -> None:
    at = run.equity.column_names.index("model/equity")
    gained = pa.array(
        [v - Decimal(25_000) for v in run.equity["model/equity"].to_pylist()],
        type=run.equity["model/equity"].type,
    )
    poor = replace(run, equity=run.equity.set_column(at, "model/equity", gained))
    own = sleeve_track(run, run.description.sleeves[1])
    borrowed = sleeve_track(poor, poor.description.sleeves[1])
    assert own.capital == 25_000
    assert borrowed.capital == 100_000
    assert borrowed.days.pnl == pytest.approx(own.days.pnl)
    assert borrowed.marks.growth[-1] - 1 == pytest.approx((own.marks.growth[-1] - 1) / 4)


def test_equal_volatility_has_the_portfolios_volatility(found: Evaluation) -> None:
    track = found.tracks["equal_volatility"]
    main = found.tracks["portfolio"]
    seen = ~main.days.hole
    assert float(volatility(track.days.ours.ret[seen])) == pytest.approx(
        float(volatility(main.days.ours.ret[seen])), rel=1e-9
    )
    assert "0.0151 of the capital" in scaled_track(main, 0.01512).note
    whole = scaled_track(main, 1.0)
    assert whole.marks.growth == pytest.approx(main.marks.held, rel=1e-9)


def test_stressed_row_is_worse_and_names_its_dates(run: RunResult) -> None:
    carry = sleeve_track(run, run.description.sleeves[0])
    stressed = stressed_track(carry, np.ones(carry.marks.ts.size), "the carry balance")
    assert stressed.marks.growth[-1] < 0.9 * carry.marks.growth[-1]
    assert float(stressed.days.ours.depth()) >= 0.1
    assert "10% of the carry balance lost on 20" in stressed.note
    before = np.arange(carry.marks.ts.size) < 24
    quiet = stressed.marks.growth[before] <= carry.marks.growth[before] + 1e-12
    assert quiet.all()
    assert stressed.days.trips.total().won < carry.days.trips.total().won
    # Each venue loss is a losing trip: at least 10 % of the balance it found.
    more = stressed.days.trips.total().losers - carry.days.trips.total().losers
    assert more >= 1
    assert stressed.days.trips.total().lost >= 0.1 * carry.capital * carry.marks.growth.min()


def test_marginal_sharpe_agrees_with_rerun_without_the_sleeve(found: Evaluation) -> None:
    # The made-up "without" run is the portfolio less the model's P&L: both ways see the same
    # money, on slightly different equity.
    model = next(m for m in found.marginal if m.sleeve == "model")
    assert model.rerun == pytest.approx(model.removed, abs=0.15)
    assert math.isnan(next(m for m in found.marginal if m.sleeve == "carry").rerun)


def test_years_compound_to_the_total(found: Evaluation) -> None:
    totals = [1 + period.scored.total for period in found.years]
    assert np.prod(totals) == pytest.approx(1 + found.rows[0].scored.total, rel=1e-9)
    assert sum(period.scored.days for period in found.years) == 900


def test_months_without_data_are_undefined_and_the_rest_compound(found: Evaluation) -> None:
    defined = [m.ret for m in found.months if math.isfinite(m.ret)]
    assert np.prod([1 + r for r in defined]) == pytest.approx(1 + found.rows[0].scored.total)
    assert sum(m.hole_days for m in found.months) == 46


def test_sides_split_at_the_choosing_date(run: RunResult) -> None:
    boundary = int(run.equity["ts"][0].as_py()) + 400 * DAY_NS
    described = run.description.model_copy(update={"chosen_before_ns": boundary})
    sides = evaluate(replace(run, description=described)).sides
    assert [side.scored.days for side in sides] == [400, 500]
    assert "chosen on" in sides[0].name
    assert "held out" in sides[1].name


def test_regimes_split_the_days_and_ignore_the_future(run: RunResult, found: Evaluation) -> None:
    assert sum(period.scored.days for period in found.regimes) == 900
    track = portfolio_track(run)
    before = day_regimes(track, run)
    close = run.market["close"].to_numpy().copy()
    late = run.market["ts"].to_numpy() > track.days.start[500]
    close[late] *= 3.0
    other = replace(run, market=run.market.set_column(1, "close", pa.array(close)))
    after = day_regimes(track, other)
    assert np.array_equal(before[:501], after[:501])
    assert not np.array_equal(before[501:], after[501:])


def test_regimes_no_history_are_unknown_first(run: RunResult) -> None:
    bare = replace(run, market=run.market.slice(0, 0))
    label = day_regimes(portfolio_track(bare), bare)
    assert (label[:200] == -1).all()
    assert (label[250:] >= 0).all()


def test_rolling_shares_equal_a_loop_over_windows(run: RunResult) -> None:
    days = portfolio_track(run).days
    got = rolling(days, 1, seed=3, draws=20)
    assert got is not None
    met = []
    for number in window_months(days, 1):
        chosen = days.at((days.month >= number) & (days.month < number + 12))
        assert chosen.start.size in (365, 366)
        met.append(scored(chosen).met)
    assert got.windows == len(met) > 10
    for name, share in got.shares.items():
        if name != "joint":
            assert share.met == pytest.approx(np.mean([m[name] for m in met]))
            assert share.low <= share.high
    assert rolling(days, 1, seed=3, draws=20) == got
    assert rolling(days, 5, seed=3, draws=20) is None


def test_whole_path_interval_holds_the_estimate_and_follows_the_seed(run: RunResult) -> None:
    days = portfolio_track(run).days
    first, again, other = (whole_path(days, seed, draws=100) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    judged = scored(days.at(~days.hole))
    for name in ("cagr", "sharpe_daily", "win_rate", "payoff"):
        low, high = first.values[name]
        assert low < getattr(judged, name) < high


def test_whole_path_sharpe_intervals_are_the_draws_mirrored_at_the_measured(
    run: RunResult,
) -> None:
    days = portfolio_track(run).days
    measured, got = scored(days), whole_path(days, seed=4, draws=60)
    drawn = [s for h in resampled(days, 4, 60) for s in _each_lowest(h)]
    mirrored = 2 * measured.sharpe_lowest - np.array(drawn)
    assert got.values["sharpe_lowest"] == pytest.approx(np.quantile(mirrored, [0.025, 0.975]))
    assert got.met["sharpe"] == pytest.approx((mirrored > 2).mean())
    assert got.met["joint"] <= min(v for name, v in got.met.items() if name != "joint")
    assert got.block == mean_block(int((~days.hole).sum()))


def test_whole_path_the_best_history_keeps_the_best_ratio(run: RunResult) -> None:
    # Stretches of luck: the return is met by the histories that drew most of them, and they
    # are the ones with the highest ratios, mirrored or not.
    days = portfolio_track(run).days
    luck = np.arange(days.start.size) // 150 % 2 == 1
    ours = days.ours._replace(ret=np.where(luck, 0.003, 0.0) + 0.5 * days.ours.ret)
    theirs = days.theirs._replace(ret=np.full(luck.shape, 0.0009))
    trips = days.trips._replace(won=3 * days.trips.won)
    won = np.where(np.arange(luck.size) % 3 == 0, -1.0, 1.0)
    path = days._replace(ours=ours, theirs=theirs, pnl=won, trips=trips)
    got = whole_path(path, seed=4, draws=60)
    rank: list[tuple[float, bool]] = []
    for histories in resampled(path, 4, 60):
        each = judge(score(histories))
        others = each.annual_return & each.drawdown & each.win_rate & each.payoff
        rank += zip(_each_lowest(histories), others.tolist(), strict=True)
    rank.sort(key=lambda pair: -pair[0])
    best = rank[: round(got.met["sharpe"] * 60)]
    assert got.met["joint"] == pytest.approx(sum(met for _, met in best) / 60)
    assert 0 < got.met["joint"] < got.met["sharpe"] < 1


def test_rolling_ratios_are_moved_to_the_measured_median(run: RunResult) -> None:
    days = portfolio_track(run).days
    starts = window_months(days, 1)

    def cut(path: Days) -> Iterator[Days]:
        for number in starts:
            first, stop = np.searchsorted(path.month, [number, number + 12])
            yield path.window(int(first), int(stop))

    real = [scored(window).sharpe_lowest for window in cut(days)]
    drawn = np.array([_each_lowest(w) for h in resampled(days, 3, 20) for w in cut(h)])
    moved = drawn + np.median(real) - np.median(drawn)
    share = (moved > 2).mean(axis=0)
    got = rolling(days, 1, seed=3, draws=20)
    assert got is not None
    seen = got.shares["sharpe"]
    assert (seen.low, seen.high) == pytest.approx(tuple(np.quantile(share, [0.05, 0.95])))
    assert got.lowest_sharpe[1] == pytest.approx(np.median(real))


def _each_lowest(histories: Days) -> Floats:
    return np.array(
        [float(sharpe_three_ways(r, histories.month).lowest) for r in histories.ours.ret]
    )


def test_doubt_names_what_is_too_good_and_why(found: Evaluation) -> None:
    carry = next(item for item in found.doubts if item.key == "carry")
    assert any("Sharpe above 3" in sign for sign in carry.signs)
    assert any("of its days win" in sign for sign in carry.signs)
    assert any("stuck leg" in reason for reason in carry.reasons)
    assert not any(item.key == "model" for item in found.doubts)


def test_doubt_persistent_days_are_a_reason(found: Evaluation) -> None:
    row = next(r for r in found.rows if r.key == "carry")
    slow = row.scored._replace(sharpe_daily=9.0, sharpe_newey_west=2.0)
    seen = doubt(row._replace(scored=slow), ())
    assert seen is not None
    assert any("takes the Sharpe ratio from 9.00 to 2.00" in reason for reason in seen.reasons)


def test_doubt_profit_factor_and_no_losing_trip(found: Evaluation) -> None:
    row = next(r for r in found.rows if r.key == "trend")
    assert doubt(row, ()) is None
    high = doubt(row._replace(figures=row.figures._replace(profit_factor=3.01)), ("risk",))
    assert high is not None
    assert high.signs == ("profit factor 3.01 (above 3)",)
    assert high.reasons[-1] == "risk"
    spotless = row.figures._replace(losing_trips=0, round_trips=4)
    seen = doubt(row._replace(figures=spotless), ())
    assert seen is not None
    assert seen.signs == ("none of its 4 round trips lost",)


def test_trading_groups_add_up_and_count(run: RunResult, found: Evaluation) -> None:
    mine = run.trips.filter(pc.equal(run.trips["row"], "portfolio"))
    model = mine.filter(pc.equal(mine["sleeve"], "model"))
    groups = [g for g in found.trading.trips if g.sleeve == "Model"]
    whole, parts = groups[0], groups[1:]
    assert whole.reason == "all"
    assert whole.trips == sum(g.trips for g in parts) == model.num_rows
    assert whole.total == pytest.approx(float(sum(model["pnl"].to_pylist())))
    assert whole.hours == 20.0
    results = [float(v) for v in model.sort_by("close_ts")["pnl"].to_pylist()]
    runs = "".join("L" if r < 0 else "." for r in results).split(".")
    assert whole.streak == max(map(len, runs))
    assert found.trading.orders == {"filled": 36, "refused": 4}


def test_fill_costs_are_basis_points_of_reference_notional(
    run: RunResult, found: Evaluation
) -> None:
    rows = [row for row in run.fills.to_pylist() if row["sleeve"] == "carry"]
    notional = sum(abs(row["quantity"]) * row["reference_price"] for row in rows)
    group = next(g for g in found.trading.fills if g.sleeve == "Carry")
    assert group.fills == len(rows)
    assert group.fee_bps == pytest.approx(float(sum(r["fee"] for r in rows) / notional * 10_000))
    assert group.turnover == pytest.approx(float(notional) / 100_000 / (900 / 365))
    assert group.maker == 0.0


def test_capacity_ascends_and_holds_the_run_itself(found: Evaluation) -> None:
    capitals = [row.capital for row in found.capacity]
    assert capitals == [10_000, 100_000, 1_000_000, 10_000_000]
    assert found.capacity[1].scored == found.rows[0].scored


def test_deflated_sharpe_uses_the_trials(run: RunResult, found: Evaluation) -> None:
    many = run.description.trials.model_copy(update={"count": 5000})
    described = run.description.model_copy(update={"trials": many, "rows": ()})
    worse = evaluate(replace(run, description=described)).rows[0].figures
    assert worse.dsr < found.rows[0].figures.dsr
    assert worse.psr == found.rows[0].figures.psr


def test_json_is_strict_and_the_same_twice(run: RunResult, found: Evaluation) -> None:
    text = to_json(found)
    assert text == to_json(evaluate(run))
    data = json.loads(text, parse_constant=lambda token: pytest.fail(f"{token} in JSON"))
    assert data["rows"][0]["key"] == "portfolio"
    assert data["rows"][0]["scored"]["met"].keys() == {
        "annual_return",
        "sharpe",
        "drawdown",
        "win_rate",
        "payoff",
    }
    parts = data["attribution"]["books"][0]["components"]
    assert set(parts) == set(COMPONENTS)
    assert isinstance(parts["funding"], str)
    books = found.attribution.books
    none = books[0]._replace(
        components={"funding": Decimal("0E-8"), "fees": Decimal("-0.00000004")}
    )
    small = found._replace(attribution=found.attribution._replace(books=(none, *books[1:])))
    written = json.loads(to_json(small))["attribution"]["books"][0]["components"]
    assert written == {"funding": "0.00000000", "fees": "-0.00000004"}


def test_evaluate_short_run_undefined_figures_are_nan(run: RunResult) -> None:
    start = run.equity.slice(0, 24 * 20)
    last = start["ts"][-1].as_py()
    described = run.description.model_copy(update={"rows": (), "chosen_before_ns": None})
    short = replace(
        run,
        description=described,
        equity=start,
        trips=run.trips.filter(pc.less(run.trips["close_ts"], last)),
    )
    found = evaluate(short)
    assert found.rolling == ()
    assert math.isnan(found.rows[0].scored.sharpe_lowest)
    assert not found.rows[0].scored.met["sharpe"]
    json.loads(to_json(found))
