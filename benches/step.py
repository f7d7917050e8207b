"""What a wake-up costs: the step in Python, the border, and a peer's loop.

Time is the CPU's. ``step`` is everything between the line's return and the next call, with
the carry pair open and a model sleeve whose predictions were made beforehand: what is left
out is the model's own prediction, the native line, and wake-ups that sent something.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from benches import Result
from crypto_quant.backtesting.engine.inputs import PERP, Inputs, read_inputs
from crypto_quant.backtesting.engine.research import first_test
from crypto_quant.backtesting.engine.sources import find_data
from crypto_quant.core.messages import FeatureVector, Prediction, Wake
from crypto_quant.models.fold_model import FoldModel
from crypto_quant.models.protocol import ClassProbabilities
from crypto_quant.models.splits import Fold
from crypto_quant.models.switch import ModelSwitch
from crypto_quant.models.threshold import Threshold
from crypto_quant.runtime.compose import compose_state, deposits, join
from crypto_quant.runtime.config import RunConfig, SleeveName
from crypto_quant.runtime.decisions import NoLog
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import HOUR_NS, LineSpec
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.state import SettledFunding, State
from crypto_quant.runtime.step import step
from crypto_quant.venues.rules import load_instruments

ROUNDS = 5
REPEATED, REPEATS = 100, 20_000
TIMERS = 50_000
MS_NS = 10**6
SLEEVES: Final[tuple[SleeveName, ...]] = ("carry", "model")
CATALOG = Path(__file__).parent / "out" / "catalog"
EDGES = 4_096


class Known:
    """A switch whose predictions are made before the clock runs."""

    def __init__(self, inside: ModelSwitch) -> None:
        edges = np.random.default_rng(1).normal(0.0, 0.01, EDGES).tolist()
        made = [Prediction(0, 0.33 + e / 2, 0.33 - e / 2, "known") for e in edges]
        self._next = itertools.cycle(made).__next__
        self.at = inside.at

    def predict(self, _: FeatureVector) -> Prediction:
        """Return the next one."""
        return self._next()


class NoModel:
    """Fills a fold's place; nobody asks it."""

    id = "none"


def run() -> list[Result]:
    """Measure the step, the border and the whole loop on hourly bars."""
    env = dict(os.environ)
    root = Path(env.get("CQ_CATALOG", CATALOG))
    if "CQ_CATALOG" in env:
        env.pop("CQ_DATA", None)
    config, known = RunConfig(), load_instruments()
    found = find_data(config, root, env, known, print)
    inputs = read_inputs(config, found.catalog, known)
    label = "a generated market" if found.is_generated else "the real bars"
    return [
        *_steps(config, inputs, label),
        *_border(config, inputs, label),
        _bars(config, inputs, label),
    ]


def _steps(config: RunConfig, inputs: Inputs, label: str) -> list[Result]:
    rounds = [_quiet(config, inputs) for _ in range(ROUNDS)]
    count = len(rounds[0][0])
    what = f"{label}, {count:,} hourly wake-ups without orders, carry and model sleeve"
    out = []
    for name, of in (("median", statistics.median), ("mean", statistics.fmean)):
        each = [of(times) / 1e3 for times, _ in rounds]
        out.append(_own(f"step: {name}", what, each))
    # Rounds decide alike, so what a neighbour on the machine cost a wake-up falls away.
    best = [min(times) for times in zip(*(times for times, _ in rounds), strict=True)]
    each = [statistics.fmean(best) / 1e3]
    out.append(_own(f"step: mean of each wake-up's best of {ROUNDS}", what, each))
    what = f"{label}, one of those wake-ups {REPEATS:,} times over: what it costs with warm caches"
    out.append(_own("step: repeated", what, [again / 1e3 for _, again in rounds]))
    return out


def _quiet(config: RunConfig, inputs: Inputs) -> tuple[list[int], float]:
    """Return the CPU time of each quiet wake-up of the clock with a pair open, ns.

    The second number is the mean of one of them when it is done over and over.
    """
    segment = max(inputs.segments, key=lambda s: s.end - s.start)
    start = max(first_test(config, inputs), segment.start)
    line = inputs.line(config, segment, start, SLEEVES, deposits(config, SLEEVES))
    names = line.native.feature_names
    fold = Fold(0, segment.start, segment.start, segment.end)
    switch = ModelSwitch([_fold(fold)], names)
    funding = inputs.loader.settled(PERP, segment.start, segment.end)
    state = compose_state(config, SLEEVES, inputs.instruments, funding, names, Known(switch))  # type: ignore[arg-type]  # the two calls that the sleeve makes
    clock, empty = time.thread_time_ns, _clock_cost()
    log, times, again = NoLog(), [], 0.0
    state.view.bind(line)
    while (wake := line.next()) is not None:
        begun = clock()
        decision = step(state, wake)
        log.append(decision)
        spent = clock() - begun - empty
        if decision.commands:
            line.execute(decision.commands)
        elif wake is Wake.TIMER and state.view.position(0, PERP):
            times.append(spent)
            if len(times) == REPEATED:
                again = _repeated(state)
    return times, again


def _repeated(state: State) -> float:
    """Return the mean CPU time of the wake-up that was just done, ns."""
    clock = time.thread_time_ns
    begun = clock()
    for _ in range(REPEATS):
        step(state, Wake.TIMER)
    return (clock() - begun) / REPEATS


def _fold(fold: Fold) -> FoldModel:
    return FoldModel(
        fold=fold,
        kind="none",
        model=NoModel(),  # type: ignore[arg-type]  # never asked
        features=(),
        names=(),
        dropped=(),
        n_train=0,
        n_effective=0.0,
        base_rate=ClassProbabilities(0.33, 0.34, 0.33),
        threshold=Threshold(0.04, 0.01, 0.0, 0.0, 0.0),
    )


def _clock_cost() -> int:
    """Return what reading the clock adds to a measured time, ns."""
    clock = time.thread_time_ns
    return round(statistics.median(-(clock() - clock()) for _ in range(10_000)))


def _border(config: RunConfig, inputs: Inputs, label: str) -> list[Result]:
    """Time ``next()`` where nothing is due but the timer: all features warm, and none."""
    none = [_timers(config, inputs, with_features=False) for _ in range(ROUNDS)]
    warm = [_timers(config, inputs, with_features=True) for _ in range(ROUNDS)]
    write = [b - a for a, b in zip(none, warm, strict=True)]
    what = f"{TIMERS:,} timers on which nothing is due"
    width = len(inputs.features)
    return [
        _own("border: next()", f"{what}, no features", none),
        _own("border: feature write", f"{what}, {width} features warmed on {label}", write),
    ]


def _timers(config: RunConfig, inputs: Inputs, *, with_features: bool) -> float:
    """Return µs a timer."""
    begin = inputs.segments[-1].start
    warm = min(begin + 100 * 24 * HOUR_NS, inputs.segments[-1].end)
    spec = LineSpec(
        instruments=inputs.instruments,
        sleeves=("none",),
        features=tuple((f.name, f.params) for f in inputs.features) if with_features else (),
        series=inputs.series if with_features else (),
        quote=inputs.instruments[PERP].settle,
        grid_ns=MS_NS,
        start=warm,
        end=warm + (TIMERS + 2) * MS_NS,
        sim=config.sim.native(),
        leverage=config.risk.leverage,
    )
    line = RecordedLine(spec, [])
    if with_features:
        inputs.loader.bars(line, PERP, "1h", begin, warm)
        inputs.loader.bars(line, 1, "1m", begin, warm)
        inputs.loader.funding(line, PERP, begin, warm)
        inputs.loader.external(line, inputs.series, begin - inputs.history_ns, warm)
    line.next()
    return _each(lambda: line.next(), TIMERS)


def _each(call: Callable[[], object], times: int) -> float:
    """Return the CPU time of a call in µs, less that of calling nothing."""

    def spent(what: Callable[[], object]) -> float:
        begun = time.thread_time_ns()
        for _ in itertools.repeat(None, times):
            what()
        return (time.thread_time_ns() - begun) / times / 1e3

    return spent(call) - spent(lambda: None)


def _bars(config: RunConfig, inputs: Inputs, label: str) -> Result:
    """Run hourly bars past a strategy that does nothing, here and in the peer."""
    span = Span(inputs.segments[0].start, inputs.segments[-1].end)
    peer = os.environ.get("CQ_PEERS", sys.executable)
    check = [peer, "-c", "import nautilus_trader"]
    is_there = subprocess.run(check, capture_output=True, check=False).returncode == 0  # noqa: S603 - the user's own interpreter
    if not is_there:
        print("skipped: nautilus_trader is not installed (name its interpreter in CQ_PEERS)")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.npz"
        bars = _save(inputs, span, path)
        runs = []
        for _ in range(ROUNDS):
            ours = _loop(config, inputs, span) / bars
            runs.append((ours, _nautilus(peer, path) / bars if is_there else None))
    ours = statistics.median(a for a, _ in runs)
    theirs = [b for _, b in runs if b is not None]
    other = statistics.median(theirs) if theirs else None
    return Result(
        "step: whole loop",
        "us per hourly bar",
        f"{label}, {bars:,} hourly bars, one instrument, a strategy that does nothing",
        ours,
        other,
        "nautilus_trader 1.221.0 BacktestEngine.run, on_bar that does nothing",
        ours / other if other else None,
        tuple(runs),
    )


def _save(inputs: Inputs, span: Span, path: Path) -> int:
    """Write the bars as floats for the peer; return how many they are."""
    instrument = inputs.instruments[PERP]
    table = inputs.catalog.scan("bar", f"{instrument.id}/1h", span.start, span.end)
    exps = inputs.catalog.exps("bar", f"{instrument.id}/1h")
    prices = ("open", "high", "low", "close")
    columns = {name: table[name].to_numpy() / 10.0**exps.price for name in prices}
    columns["volume"] = table["volume"].to_numpy() / 10.0**exps.qty
    np.savez(path, ts=table["ts_event"].to_numpy(), **columns)
    return int(table.num_rows)


def _loop(config: RunConfig, inputs: Inputs, span: Span) -> float:
    """Return CPU µs of our loop over hourly bars of the perpetual with no sleeve."""
    perp = inputs.instruments[PERP]
    spec = LineSpec(
        instruments=(perp,),
        sleeves=("none",),
        features=(),
        series=(),
        quote=perp.settle,
        grid_ns=HOUR_NS,
        start=span.start,
        end=span.end,
        sim=config.sim.native(),
        leverage=config.risk.leverage,
    )
    line = RecordedLine(spec, [])
    inputs.loader.bars(line, PERP, "1h", span.start, span.end)
    state = _idle(config, inputs)
    log = NoLog()
    state.view.bind(line)
    begun = time.process_time_ns()
    while (wake := line.next()) is not None:
        log.append(step(state, wake))
    return (time.process_time_ns() - begun) / 1e3


def _idle(config: RunConfig, inputs: Inputs) -> State:
    times, rates = np.empty(0, dtype=np.int64), np.empty(0)
    funding = SettledFunding(times, times, rates, rates)
    traded = {PERP: inputs.instruments[PERP]}
    tier = config.market.tier
    return join(traded, tier, ("none",), (), config.risk, config.netting, funding)


def _nautilus(python: str, path: Path) -> float:
    """Return CPU µs of the peer's run."""
    script = Path(__file__).with_name("step_peer.py")
    command = [python, str(script), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    if done.returncode:
        raise RuntimeError(f"{script.name} failed: {done.stderr[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"]) * 1e6


def _own(name: str, what: str, each: Sequence[float]) -> Result:
    runs = tuple((value, None) for value in each)
    return Result(name, "us", what, statistics.median(each), None, None, None, runs)
