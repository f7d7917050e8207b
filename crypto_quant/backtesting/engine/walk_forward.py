"""The main run: portfolio and rows beside it, each counted before it can be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, as_completed
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crypto_quant.backtesting.engine import identity
from crypto_quant.backtesting.engine.assumptions import assumptions, input_findings
from crypto_quant.backtesting.engine.baselines import perpetual_long
from crypto_quant.backtesting.engine.folder import run_folder
from crypto_quant.backtesting.engine.folds import FoldStore, folds_table
from crypto_quant.backtesting.engine.inputs import DAY_NS, SPOT, read_inputs
from crypto_quant.backtesting.engine.liquidations import liquidation_findings
from crypto_quant.backtesting.engine.marks import Marks
from crypto_quant.backtesting.engine.research import (
    Research,
    build_research,
    first_test,
    make_labels,
)
from crypto_quant.backtesting.engine.variants import MAIN, Variant, distinct, plan
from crypto_quant.backtesting.engine.workers import Job, Outcome, Workers
from crypto_quant.backtesting.metrics import schema
from crypto_quant.backtesting.metrics.description import (
    Benchmark,
    Description,
    Finding,
    Row,
    RowKind,
    Sleeve,
    Trials,
)
from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.validation.diagnostics import diagnose
from crypto_quant.backtesting.validation.evaluate import evaluate_all
from crypto_quant.backtesting.validation.trials import Trial, TrialLog
from crypto_quant.core.config import dump_config
from crypto_quant.core.errors import InvariantError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import ModelSection, RunConfig

Stage = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

LOGGED = ("sharpe_daily", "sharpe_lowest")
"""Names in the trial log of a trial's Sharpe ratios, per day (``TrialSharpe``).

A log of before may hold ``daily_sharpe``, which had hole days in: another quantity, not read.
"""

CARRY_RISKS = (
    "failure of the venue that holds both legs",
    "a leg that cannot be closed while the other moves",
    "auto-deleveraging of the short in a crash",
    "a stablecoin that loses its peg",
)


class _Found(NamedTuple):
    """What a variant came to, and the folds that were trained for it."""

    outcome: Outcome
    folds: pa.Table

    def shown_as(self, key: str) -> _Found:
        """Return it as that of another variant, which runs the same; its folds are named once."""
        return _Found(self.outcome.shown_as(key), self.folds.slice(0, 0))


class WalkForward:
    """A walk-forward run on one catalog.

    Parameters
    ----------
    config
        The run's configuration.
    catalog, known
        Data, and the instruments that have rules.
    runs
        Folder of run folders, with the trained folds.
    trials
        The trial log; one for all that is tried on real data, wherever its runs go.
    tell
        Told of progress.
    """

    def __init__(
        self,
        config: RunConfig,
        catalog: Catalog,
        known: Mapping[str, Instrument],
        runs: Path,
        trials: Path,
        tell: Stage,
    ) -> None:
        self._config = config
        self._known = known
        self._inputs = read_inputs(config, catalog, known)
        self._start = first_test(config, self._inputs)
        self._log = TrialLog(trials)
        self._data = identity.data_hash(self._inputs)
        self._code = identity.source_hash()
        self._store = FoldStore(runs / "models", self._data, self._code)
        self._runs = runs
        self._tell = tell
        self._marks = Marks(self._inputs)
        self._research: Research | None = None

    def run(self, findings: Sequence[Finding] = (), *, synthetic: bool = False) -> Path:
        """Run everything and write the run folder; return it.

        Parameters
        ----------
        findings
            What the data check found, for the report.
        synthetic
            The market was generated; every output says so.
        """
        folder = self._folder()
        with run_folder(folder):
            self._run_into(folder, findings, synthetic=synthetic)
        return folder

    def _run_into(self, folder: Path, findings: Sequence[Finding], *, synthetic: bool) -> None:
        capital = self._config.capital.amount
        row = Row(key=MAIN, label="Portfolio", kind=RowKind.CAPACITY, capital=capital)
        main = Variant(row, self._config, tuple(self._config.capital.shares))
        beside = plan(self._config) if self._config.beside else ()
        found = self._evaluate((main, *beside), folder / "decisions.jsonl")
        whole = found[0].outcome.whole
        if whole is None:
            raise InvariantError("the main run left no books")
        perpetual = Row(
            key="perpetual",
            label="1x perpetual, paying funding",
            kind=RowKind.BENCHMARK,
            capital=capital,
        )
        ts = whole.equity["ts"].to_numpy()
        rows = [each.outcome.row for each in found[1:]]
        rows.append(perpetual_long(self._config, self._inputs, self._marks, ts))
        shown = (*(variant.row for variant in beside), perpetual)
        result = RunResult(
            description=self._description(
                shown, (*findings, *liquidation_findings(whole.orders)), synthetic=synthetic
            ),
            config=dump_config(self._config),
            manifest=self._manifest(),
            equity=whole.equity,
            fills=whole.fills,
            orders=whole.orders,
            trips=pa.concat_tables([each.outcome.trips for each in found]),
            variants=pa.concat_tables(rows),
            folds=pa.concat_tables([each.folds for each in found]),
            market=self._market(),
        )
        result.write(folder)

    def _folder(self) -> Path:
        """Name the run after what it is made of: the same run writes the same folder."""
        name = identity.short_id(self._config, self._data, self._code)
        until = datetime.fromtimestamp(self._inputs.segments[-1].end / 1e9, UTC)
        return self._runs / f"walk-forward-{until:%Y%m%d}-{name}"

    def _evaluate(self, variants: Sequence[Variant], decisions: Path) -> list[_Found]:
        """Count every variant, then run them side by side; the first is the main run.

        What two rows show is tried, counted and run once.
        """
        first = distinct(variants)
        once = sorted(set(first))
        tried = [
            {
                "config": variant.config.model_dump(mode="json", exclude={"beside"}),
                "sleeves": list(variant.sleeves),
            }
            for variant in (variants[n] for n in once)
        ]

        def go(trials: Sequence[Trial]) -> list[_Found]:
            return self._run([variants[n] for n in once], trials, decisions)

        done = evaluate_all(self._log, tried, self._data, self._code, go, _numbers)
        found = {n: each.result for n, each in zip(once, done, strict=True)}
        return [
            found[n] if n == at else found[n].shown_as(variant.row.key)
            for at, (n, variant) in enumerate(zip(first, variants, strict=True))
        ]

    def _run(
        self, variants: Sequence[Variant], trials: Sequence[Trial], decisions: Path
    ) -> list[_Found]:
        """Run what needs no model at once, and the rest as its folds get trained."""
        name, total = "portfolio and rows beside it", len(variants)
        self._tell(name, 0, total)
        pending: dict[int, Future[Outcome]] = {}
        seen: dict[str, pa.Table] = {}
        with Workers(self._config, self._inputs.catalog.root, self._known) as workers:
            for model, numbers in _by_model(variants):
                path = None
                if model is not None:
                    first = numbers[0]
                    path = self._store.path(model)
                    seen[variants[first].row.key] = self._train(variants[first], trials[first])
                for n in numbers:
                    job = Job(variants[n], self._start, path, decisions if n == 0 else None)
                    pending[n] = workers.submit(job)
            for done, ended in enumerate(as_completed(pending.values()), 1):
                ended.result()  # one that failed ends the run before the others are waited for
                self._tell(name, done, total)
            none = pa.Table.from_pylist([], schema=schema.FOLDS)
            return [
                _Found(pending[n].result(), seen.get(variant.row.key, none))
                for n, variant in enumerate(variants)
            ]

    def _train(self, variant: Variant, trial: Trial) -> pa.Table:
        """Train the folds of a variant, or find them, and return what they came to."""
        research, model = self._features(), variant.config.model
        labels = make_labels(research, self._inputs, model)
        name = f"training: {variant.row.label}"

        def told(done: int, of: int) -> None:
            self._tell(name, done, of)

        trained = self._store.folds(research, labels, self._inputs, model, told)
        seen = diagnose(trial, trained, research.table, labels)
        return folds_table(variant.row.key, trained, seen.folds)

    def _features(self) -> Research:
        if self._research is None:
            self._tell("features", 0, 1)
            self._research = build_research(self._config, self._inputs)
            self._tell("features", 1, 1)
        return self._research

    def _description(
        self, rows: tuple[Row, ...], findings: tuple[Finding, ...], *, synthetic: bool
    ) -> Description:
        config, inputs = self._config, self._inputs
        perp, spot = inputs.instruments
        fee = spot.fees[config.market.tier].at(self._start)[0].taker
        chosen = datetime.combine(config.chosen_before, datetime.min.time(), UTC)
        count = self._log.count().trials
        daily, lowest = (tuple(self._log.outcomes(name, self._data)) for name in LOGGED)
        return Description(
            title=f"{perp.symbol} on {perp.venue.title()}: carry and a directional model",
            capital=config.capital.amount,
            currency=perp.settle,
            benchmark=Benchmark(instrument=spot.id, taker_fee=fee),
            sleeves=tuple(_sleeve(name) for name in config.capital.shares),
            rows=rows,
            trials=Trials(count=count, sharpes=daily, lowest=lowest),
            seed=config.model.training.seed,
            synthetic=synthetic,
            chosen_before_ns=int(chosen.timestamp()) * 10**9,
            assumptions=assumptions(config, inputs, self._start),
            findings=(*findings, *input_findings(inputs)),
        )

    def _manifest(self) -> dict[str, object]:
        return {
            "commit": identity.commit(),
            "code": self._code,
            "data": self._data,
            "parts": identity.data_parts(self._inputs),
            "versions": identity.versions(),
            "seed": self._config.model.training.seed,
        }

    def _market(self) -> pa.Table:
        """Return daily closes of spot from before the run, for regimes that need a past."""
        spot = self._inputs.instruments[SPOT]
        table = self._inputs.catalog.scan("bar", f"{spot.id}/1m", columns=["ts_event", "close"])
        ts = table["ts_event"].to_numpy()
        unit = 10.0 ** -self._inputs.catalog.exps("bar", f"{spot.id}/1m").price
        day = ts // DAY_NS
        last = np.flatnonzero(np.append(np.diff(day) > 0, True))
        return pa.table(
            {
                "ts": pa.array((day[last] + 1) * DAY_NS),
                "close": pa.array(table["close"].to_numpy()[last] * unit),
                "cash_rate": pa.nulls(len(last), pa.float64()),
            },
            schema=schema.MARKET,
        )


def _sleeve(name: str) -> Sleeve:
    if name == "carry":
        return Sleeve(name=name, label="Carry", risks=CARRY_RISKS, venue_balance=True)
    return Sleeve(name=name, label=name.title(), venue_balance=True)


def _by_model(variants: Sequence[Variant]) -> list[tuple[ModelSection | None, list[int]]]:
    """Return positions of the variants by the model that they trade, those without one first."""
    groups: list[tuple[ModelSection | None, list[int]]] = [(None, [])]
    for n, variant in enumerate(variants):
        model = variant.config.model if "model" in variant.sleeves else None
        same = next((numbers for known, numbers in groups if known == model), None)
        if same is None:
            groups.append((model, [n]))
        else:
            same.append(n)
    return groups


def _numbers(found: _Found) -> dict[str, float]:
    """Return what the trial log keeps."""
    return dict(zip(LOGGED, found.outcome.sharpe, strict=True))
