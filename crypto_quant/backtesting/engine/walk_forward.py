"""The main run: portfolio and rows beside it, each counted before it can be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from crypto_quant.backtesting.engine import identity
from crypto_quant.backtesting.engine.assumptions import assumptions, input_findings
from crypto_quant.backtesting.engine.baselines import perpetual_long
from crypto_quant.backtesting.engine.folder import run_folder
from crypto_quant.backtesting.engine.inputs import DAY_NS, SPOT
from crypto_quant.backtesting.engine.liquidations import liquidation_findings
from crypto_quant.backtesting.engine.marks import Marks
from crypto_quant.backtesting.engine.side_by_side import LOGGED, SideBySide
from crypto_quant.backtesting.engine.variants import main_variant, plan
from crypto_quant.backtesting.engine.workers import Whole
from crypto_quant.backtesting.engine.workspace import Workspace
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
from crypto_quant.core.config import dump_config
from crypto_quant.core.errors import InvariantError
from crypto_quant.runtime.config import RunConfig

CARRY_RISKS = (
    "failure of the venue that holds both legs",
    "a leg that cannot be closed while the other moves",
    "auto-deleveraging of the short in a crash",
    "a stablecoin that loses its peg",
)


class WalkForward:
    """A walk-forward run on one catalog.

    Parameters
    ----------
    config
        The run's configuration.
    space
        Where it reads and writes.
    """

    def __init__(self, config: RunConfig, space: Workspace) -> None:
        self._config = config
        self._desk = SideBySide(config, space)
        self._inputs = self._desk.inputs
        self._runs = space.runs
        self._marks = Marks(self._inputs)

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
        main = main_variant(self._config)
        beside = plan(self._config) if self._config.beside else ()
        decisions = folder / "decisions.jsonl"
        found = self._desk.evaluate((main, *beside), decisions, "portfolio and rows beside it")
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
            description=self._description(shown, findings, whole, synthetic=synthetic),
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
        name = identity.short_id(self._config, self._desk.data, self._desk.code)
        until = datetime.fromtimestamp(self._inputs.segments[-1].end / 1e9, UTC)
        return self._runs / f"walk-forward-{until:%Y%m%d}-{name}"

    def _description(
        self, rows: tuple[Row, ...], findings: Sequence[Finding], whole: Whole, *, synthetic: bool
    ) -> Description:
        config, inputs = self._config, self._inputs
        perp, spot = inputs.instruments
        fee = spot.fees[config.market.tier].at(self._desk.start)[0].taker
        chosen = datetime.combine(config.chosen_before, datetime.min.time(), UTC)
        count = self._desk.log.count().trials
        daily, lowest = (tuple(self._desk.log.outcomes(name, self._desk.data)) for name in LOGGED)
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
            assumptions=assumptions(config, inputs, self._desk.start),
            findings=(*findings, *liquidation_findings(whole.orders), *input_findings(inputs)),
            refused=whole.refused,
        )

    def _manifest(self) -> dict[str, object]:
        return {
            "commit": identity.commit(),
            "code": self._desk.code,
            "data": self._desk.data,
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
