"""The main run: portfolio and rows beside it, each counted before it can be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crypto_quant.backtesting.engine import collect, identity
from crypto_quant.backtesting.engine.assumptions import assumptions, series_findings
from crypto_quant.backtesting.engine.baselines import perpetual_long
from crypto_quant.backtesting.engine.folds import FoldStore, folds_table
from crypto_quant.backtesting.engine.inputs import DAY_NS, SPOT, read_inputs
from crypto_quant.backtesting.engine.marks import Marks
from crypto_quant.backtesting.engine.portfolio import Books, run_portfolio
from crypto_quant.backtesting.engine.research import (
    Research,
    build_research,
    first_test,
    make_labels,
)
from crypto_quant.backtesting.engine.variants import MAIN, Variant, plan
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
from crypto_quant.backtesting.validation.evaluate import evaluate
from crypto_quant.backtesting.validation.trials import Trial, TrialLog
from crypto_quant.core.config import dump_config
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.measures.sharpe import sharpe
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.models.switch import ModelSwitch
from crypto_quant.runtime.config import RunConfig
from crypto_quant.runtime.decisions import DecisionLog, DecisionSink

Stage = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

CARRY_RISKS = (
    "failure of the venue that holds both legs",
    "a leg that cannot be closed while the other moves",
    "auto-deleveraging of the short in a crash",
    "a stablecoin that loses its peg",
)


class Outcome(NamedTuple):
    """What one variant left for the run folder."""

    books: Books
    equity: pa.Table
    fills: pa.Table
    trips: pa.Table
    folds: pa.Table


class WalkForward:
    """A walk-forward run on one catalog.

    Parameters
    ----------
    config
        The run's configuration.
    catalog, known
        Data, and the instruments that have rules.
    runs
        Folder of run folders, with the trial log and the trained folds.
    tell
        Told of progress.
    """

    def __init__(
        self,
        config: RunConfig,
        catalog: Catalog,
        known: Mapping[str, Instrument],
        runs: Path,
        tell: Stage,
    ) -> None:
        self._config = config
        self._inputs = read_inputs(config, catalog, known)
        self._start = first_test(config, self._inputs)
        self._log = TrialLog(runs / "trials.sqlite")
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
        folder.mkdir(parents=True, exist_ok=True)
        variants = plan(self._config) if self._config.beside else ()
        row = Row(
            key=MAIN, label="Portfolio", kind=RowKind.CAPACITY, capital=self._config.capital.amount
        )
        main = Variant(row, self._config, tuple(self._config.capital.shares))
        with DecisionLog(folder / "decisions.jsonl") as decisions:
            outcome = self._evaluate(main, decisions)
        rows, trips, folds, shown = [], [outcome.trips], [outcome.folds], []
        for number, variant in enumerate(variants):
            self._tell("rows beside the portfolio", number, len(variants))
            found = self._evaluate(variant, None)
            rows.append(collect.variant_table(variant.row.key, found.equity))
            trips.append(found.trips)
            folds.append(found.folds)
            shown.append(variant.row)
        self._tell("rows beside the portfolio", len(variants), len(variants))
        ts = outcome.equity["ts"].to_numpy()
        rows.append(perpetual_long(self._config, self._inputs, self._marks, ts))
        capital = self._config.capital.amount
        shown.append(
            Row(
                key="perpetual",
                label="1x perpetual, paying funding",
                kind=RowKind.BENCHMARK,
                capital=capital,
            )
        )
        result = RunResult(
            description=self._description(tuple(shown), tuple(findings), synthetic=synthetic),
            config=dump_config(self._config),
            manifest=self._manifest(),
            equity=outcome.equity,
            fills=outcome.fills,
            orders=collect.orders_table(outcome.books, self._inputs),
            trips=pa.concat_tables(trips),
            variants=pa.concat_tables(rows),
            folds=pa.concat_tables(folds),
            market=self._market(),
        )
        result.write(folder)
        return folder

    def _folder(self) -> Path:
        """Name the run after what it is made of: the same run writes the same folder."""
        name = identity.short_id(self._config, self._data, self._code)
        begin = datetime.fromtimestamp(self._inputs.segments[-1].end / 1e9, UTC)
        return self._runs / f"walk-forward-{begin:%Y%m%d}-{name}"

    def _evaluate(self, variant: Variant, decisions: DecisionSink | None) -> Outcome:
        """Count a variant, then run it."""
        tried = {
            "config": variant.config.model_dump(mode="json", exclude={"beside"}),
            "sleeves": list(variant.sleeves),
        }

        def go(trial: Trial) -> Outcome:
            return self._run(variant, trial, decisions)

        return evaluate(self._log, tried, self._data, self._code, go, _numbers).result

    def _run(self, variant: Variant, trial: Trial, decisions: DecisionSink | None) -> Outcome:
        config, inputs = variant.config, self._inputs
        folds = pa.Table.from_pylist([], schema=schema.FOLDS)
        switch = None
        if "model" in variant.sleeves:
            research = self._features()
            labels = make_labels(research, inputs, config.model)
            name = f"training: {variant.row.label}"

            def told(done: int, of: int) -> None:
                self._tell(name, done, of)

            trained = self._store.folds(research, labels, inputs, config.model, told)
            switch = ModelSwitch(trained, research.table.names)
            seen = diagnose(trial, trained, research.table, labels)
            if config is self._config or config.model != self._config.model:
                folds = folds_table(variant.row.key, trained, seen.folds)
        books = run_portfolio(config, inputs, self._start, variant.sleeves, switch, decisions)
        fills = collect.fills_table(books, inputs)
        return Outcome(
            books=books,
            equity=collect.equity_table(books, inputs, self._marks),
            fills=fills,
            trips=collect.trips_table(books, inputs, variant.row.key, fills),
            folds=folds,
        )

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
        count = self._log.count()
        return Description(
            title=f"{perp.symbol} on {perp.venue.title()}: carry and a directional model",
            capital=config.capital.amount,
            currency=perp.settle,
            benchmark=Benchmark(instrument=spot.id, taker_fee=fee),
            sleeves=tuple(_sleeve(name) for name in config.capital.shares),
            rows=rows,
            trials=Trials(count=count.trials, sharpes=tuple(self._log.outcomes("daily_sharpe"))),
            seed=config.model.training.seed,
            synthetic=synthetic,
            chosen_before_ns=int(chosen.timestamp()) * 10**9,
            assumptions=assumptions(config, inputs, self._start),
            findings=(*findings, *series_findings(inputs)),
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


def _numbers(outcome: Outcome) -> dict[str, float]:
    """Return what the trial log keeps: the daily Sharpe ratio, not annualised."""
    ts = outcome.equity["ts"].to_numpy()
    equity = outcome.equity[schema.column(schema.PORTFOLIO, "equity")].cast(pa.float64())
    at_midnight = equity.to_numpy()[ts % DAY_NS == 0]
    returns = at_midnight[1:] / at_midnight[:-1] - 1.0
    return {"daily_sharpe": float(sharpe(returns, 1.0))}
