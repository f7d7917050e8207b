"""The tick line: one strategy on recorded order books, over a band of assumptions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from crypto_quant.backtesting.engine import identity
from crypto_quant.backtesting.engine.band import Band
from crypto_quant.backtesting.engine.cells import (
    Cell,
    CellJob,
    CellResult,
    Fitted,
    chosen,
    run_cell,
)
from crypto_quant.backtesting.engine.folder import run_folder
from crypto_quant.backtesting.engine.queue_fit import fitted_queue
from crypto_quant.backtesting.engine.tick_assumptions import assumptions
from crypto_quant.backtesting.engine.tick_venues import exact_sum
from crypto_quant.backtesting.engine.workers import WORKERS, Workers
from crypto_quant.backtesting.engine.workspace import Workspace
from crypto_quant.backtesting.metrics.result import put
from crypto_quant.backtesting.validation.evaluate import evaluate
from crypto_quant.backtesting.validation.trials import Trial, TrialLog, require, require_for
from crypto_quant.core.config import dump_config
from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.core.executors import Pool, in_order
from crypto_quant.core.ports import Executor
from crypto_quant.core.terms import counted_in
from crypto_quant.runtime.compose_ticks import (
    check_markets_tradable,
    compose_markets,
    strategy_of,
)
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.feed_latency import feed_model
from crypto_quant.runtime.joint_ticks import JointReader, Skipped
from crypto_quant.runtime.markets import asked, markets_of
from crypto_quant.runtime.opening import worth
from crypto_quant.runtime.order_latency import read_round_trips
from crypto_quant.runtime.recorded_rows import fingerprint

NOT_ANNUALISED: Final = (
    "No figure is annualised: minutes of market say nothing about a year, and nothing here was "
    "held out."
)


class TickRun(NamedTuple):
    """A finished run: its folder, its numbers as in ``metrics.json``, and the trials so far."""

    folder: Path
    metrics: dict[str, Any]
    trials: int


class RanTicks(NamedTuple):
    """What a run came to at the end at which it is judged, before it is written."""

    metrics: dict[str, Any]
    fills: pa.Table
    equity: pa.Table


class TickBacktest:
    """A run on recorded books, over every cell of its band.

    Parameters
    ----------
    config
        The run's configuration.
    space
        Where it reads and writes.
    executor
        Runs the cells; processes of this machine, if not said. Results do not depend on it.

    Raises
    ------
    ConfigError
        The instrument is unknown or cannot be traded, the feature is none, a file of the venue's
        models cannot be used, or no session has a chosen name.
    DataError
        The catalog has no book of the instrument.
    """

    def __init__(
        self, config: TickConfig, space: Workspace, executor: Executor | None = None
    ) -> None:
        catalog, known = space.catalog, space.known
        self._config = config
        self._catalog = catalog
        self._known = known
        self._reader = JointReader(catalog, asked(config, known))
        self._markets = markets_of(config, self._reader.instruments)
        self.instruments = self._markets.legs.instruments
        found = self._reader.sessions()
        if not found:
            alone = "; ".join(f"{s.name}: {s.reason}" for s in self._reader.alone())
            raise DataError(f"markets: no session has all of the run's instruments: {alone}")
        self._sessions = chosen(found, config.sessions)
        check_markets_tradable(config, self._markets, self._sessions[0].start)
        compose_markets(config, self._markets)
        sections = [config.of_venue(name) for name in self._markets.venues]
        for section in sections:
            for level in config.band.latencies:
                feed_model(section.feed, level)
            read_round_trips(section.latency)
        self._parts = [f"{p.kind}/{p.key} {p.sha256}" for p in self._reader.parts]
        paths = [path for s in sections for path in (s.latency.rows, s.feed.rows)]
        paths.append(config.venue.own_fills)
        self._parts += [text for path in dict.fromkeys(paths) if (text := fingerprint(path))]
        clocks = [own.clock for session in self._sessions for own in session.each if own.clock]
        said = dict.fromkeys(clock.describe() for clock in clocks)
        self.data = identity.parts_hash([*self._parts, *said])
        self.code = identity.source_hash()
        self.end = self._sessions[-1].end
        self._runs = space.runs
        self._trials = space.trials
        self._tell = space.tell
        self._executor = executor

    def run(self) -> TickRun:
        """Run every session that has a book, in every cell; write the run folder, return both.

        Raises
        ------
        ConfigError
            Own orders cannot be fitted on.
        DataError
            No chosen session has a book.
        """
        self._check_readable()
        fitted = self._fitted()
        folder = self._folder()
        log = TrialLog(self._trials)

        def go(trial: Trial) -> Band:
            require(trial)
            return self._run(fitted, folder)

        with run_folder(folder):
            band = evaluate(log, self._config, self.data, self.code, go, _numbers).result
            metrics = self._metrics(band)
            self._write(folder, band, metrics)
        return TickRun(folder, metrics, log.count().trials)

    def ran(self, trial: Trial) -> RanTicks:
        """Run every cell and write nothing: its trial was counted by another.

        Raises
        ------
        DataError
            No chosen session has a book.
        InvariantError
            The trial is not that of this run.
        """
        require_for(trial, self._config, self.data, self.code)
        self._check_readable()
        band = self._run(self._fitted())
        tables = band.judged.tables
        return RanTicks(self._metrics(band), tables["fills"], tables["equity"])

    def _fitted(self) -> Fitted:
        """Return the queue that stands for fitted, of several markets a prior."""
        if self._config.markets and self._config.venue.own_fills:
            raise ConfigError(
                "venue.own_fills: orders are fitted in a run on one instrument: fit them there, "
                "and give each venue the exponent: [venues.NAME] queue_exponent"
            )
        each = [session.each[0] for session in self._sessions]
        return fitted_queue(self._config, self._reader.readers[0], each)

    def _check_readable(self) -> None:
        reasons = []
        for session in self._sessions:
            found = self._reader.read(session)
            if not isinstance(found, Skipped):
                return
            reasons.append(f"{session.name}: {found.reason}")
        raise DataError(
            f"{', '.join(i.id for i in self._reader.instruments)}: no session can be traded on: "
            f"{'; '.join(reasons)}"
        )

    def _run(self, fitted: Fitted, folder: Path | None = None) -> Band:
        """Run the cells; keep the decisions of the one that is judged, where there is a folder."""
        config = self._config
        cells = [Cell(q, lag) for q in config.band.queues for lag in config.band.latencies]
        kept = [folder and folder / f"decisions-{cell.name}.jsonl" for cell in cells]
        jobs = [CellJob(c, fitted, log) for c, log in zip(cells, kept, strict=True)]
        results: list[CellResult] = []
        executor = self._executor or Pool(min(WORKERS, len(jobs)))
        with Workers(config, self._catalog.root, self._known, executor) as workers:
            self._tell("cells of the band", 0, len(jobs))
            for result in in_order(workers.executor, run_cell, jobs, workers.source):
                results.append(result)
                self._tell("cells of the band", len(results), len(jobs))
        band = Band(tuple(results), fitted)
        for job in jobs:
            if folder is None or job.decisions is None:
                continue
            if job.cell == band.judged.cell:
                job.decisions.replace(folder / "decisions.jsonl")
            else:
                job.decisions.unlink()
        return band

    def _folder(self) -> Path:
        """Name the run after what it is made of: the same run writes the same folder."""
        name = identity.short_id(self._config, self.data, self.code)
        end = datetime.fromtimestamp(self.end / 1e9, UTC)
        return self._runs / f"ticks-{end:%Y%m%d}-{name}"

    def _metrics(self, band: Band) -> dict[str, Any]:
        config, markets, judged = self._config, self._markets, band.judged
        said = assumptions(config, markets, band, self._sessions[0].start)
        prices = judged.prices
        began = [worth(book.section, prices) for book in markets.books]
        return {
            "strategy": config.strategy,
            "instrument": ", ".join(i.id for i in markets.instruments),
            "currency": markets.quote,
            "markets": [
                {
                    "name": book.name,
                    "strategy": strategy_of(config, book),
                    "instrument": markets.legs.instruments[book.at].id,
                    "base": markets.legs.instruments[book.at].base,
                    "counted_in": counted_in(markets.legs.instruments[book.at]),
                    "venue": book.venue,
                    "side": book.section.side,
                    "capital": f"{capital:f}",
                    "coins": {asset: f"{n:f}" for asset, n in book.section.coins.items()},
                }
                for book, capital in zip(markets.books, began, strict=True)
            ],
            "capital": f"{exact_sum(began):f}",
            "prices": {asset: f"{price:f}" for asset, price in prices.items()},
            "generated": self._catalog.is_generated,
            "annualised": NOT_ANNUALISED,
            "band": band.metrics(config.venue.queue_exponent),
            "sessions": judged.sessions,
            "skipped": [{"session": name, "reason": why} for name, why in judged.skipped],
            "assumptions": [a.model_dump(mode="json") for a in said],
        }

    def _write(self, folder: Path, band: Band, metrics: Mapping[str, Any]) -> None:
        manifest = {
            "commit": identity.commit(),
            "code": self.code,
            "data": self.data,
            "parts": self._parts,
            "versions": identity.versions(),
        }
        put(folder / "config.toml", dump_config(self._config).encode())
        put(folder / "manifest.json", _json(manifest))
        put(folder / "metrics.json", _json(metrics))
        for name, table in band.judged.tables.items():
            sink = pa.BufferOutputStream()
            pq.write_table(table, sink, compression="zstd")
            put(folder / f"{name}.parquet", sink.getvalue().to_pybytes())


def _numbers(band: Band) -> dict[str, float]:
    """Return what the trial log keeps: P&L at the pessimistic end; no ratio of minutes."""
    totals = (Decimal(s["pnl"]["total"]) for s in band.judged.sessions)
    return {"pnl": sum(float(total) for total in totals)}


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
