"""A stretch of a run once more: from flat, over recorded data or under a shock."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.backtesting.engine.inputs import PERP
from crypto_quant.backtesting.engine.marks import Marks
from crypto_quant.backtesting.engine.portfolio import run_portfolio
from crypto_quant.backtesting.engine.variants import Variant
from crypto_quant.backtesting.engine.workers import desk, switch_of
from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.schema import PORTFOLIO, column
from crypto_quant.backtesting.metrics.tracks import floats
from crypto_quant.backtesting.stress.laid import laid
from crypto_quant.backtesting.stress.measure import Figures, Market, measure
from crypto_quant.backtesting.stress.shocks import SHOCKS
from crypto_quant.backtesting.stress.tape import DAY_NS, HOUR_NS, Position, Positions
from crypto_quant.core.measures.arrays import Floats, Ints
from crypto_quant.core.panics import as_errors
from crypto_quant.runtime.segments import Span

RUN_IN_NS: Final = 14 * DAY_NS
"""A stretch is run from at least so long before it."""

WARM_NS: Final = 120 * DAY_NS
"""Data before the first decision: four times the longest window of the features on bars, and
seventeen half lives of the carry's forecast."""


class Replay(NamedTuple):
    """What a process is asked to run.

    ``line`` is what is put on the line, its first part to warm up; decisions begin at
    ``start``. ``at`` is where the shock lies, ``measured`` what its figures are of. ``net`` is the
    contract's position value over equity when the shock begins, negative where short.
    """

    variant: Variant
    folds: Path | None
    line: Span
    start: int
    at: Span
    measured: Span
    shock: str | None
    net: float = 0.0

    @property
    def held(self) -> Positions:
        """What a shock is aimed at: the contract alone can be deleveraged."""
        return (Position("", PERP, "", is_contract=True, over=self.net),)


@as_errors()
def replayed(source: bytes, job: Replay) -> Figures:
    """Run a stretch and measure it; the first argument is ``workers.desk``'s.

    Raises
    ------
    InapplicableError
        The shock has nothing to change on bars.
    """
    inputs, _ = desk(source)
    shock = None if job.shock is None else SHOCKS[job.shock].facing(job.held)
    config, own = laid(job.variant.config, inputs, job.line, shock, job.at)
    switch = switch_of(job.folds, inputs)
    books = run_portfolio(config, own, job.start, job.variant.sleeves, switch)
    market = Market(own.instruments, Marks(own).at, own.tape.worth)
    return measure(config.risk, market, books, job.measured, float(config.capital.amount))


class Exposure(NamedTuple):
    """What a run held, hour by hour: times, gross value over equity, the benchmark's price.

    ``net`` is the value of the contract alone over equity, negative where short. Each of shape
    (n,).
    """

    ts: Ints
    gross: Floats
    price: Floats
    net: Floats

    @classmethod
    def of(cls, run: RunResult, contract: str) -> Exposure:
        """Read it off a run's marked path; ``contract`` is the instrument that is no spot."""
        prefix = column(PORTFOLIO, "notional") + "/"
        names = [name for name in run.equity.column_names if name.startswith(prefix)]
        gross = np.zeros(run.equity.num_rows)
        for name in names:
            gross += np.abs(floats(run.equity, name))
        equity = floats(run.equity, column(PORTFOLIO, "equity"))

        def share(value: Floats) -> Floats:
            return np.divide(value, equity, out=np.zeros_like(value), where=equity > 0)

        net = floats(run.equity, prefix + contract)
        price = floats(run.equity, f"mark/{run.description.benchmark.instrument}")
        return cls(run.equity["ts"].to_numpy(), share(gross), price, share(net))

    def flat_before(self, ts: int) -> int:
        """Return the last time before ``ts`` at which nothing was held; the first without one."""
        flat = self.ts[(self.gross == 0) & (self.ts < ts)]
        return int(flat[-1]) if flat.size else int(self.ts[0])

    def at(self, ts: int) -> float:
        """Return how much was held at one of the times."""
        return float(self.gross[np.searchsorted(self.ts, ts)])

    def places(self, room_ns: int) -> dict[str, int]:
        """Return where a shock is laid, by name, with so much of the run after each.

        The hour at which most was held, and the one with the worst fall while anything was.
        """
        inside = (self.ts + room_ns <= self.ts[-1]) & (self.ts >= self.ts[0] + DAY_NS)
        fullest = int(np.argmax(np.where(inside, self.gross, -1.0)))
        fall = np.append(self.price[1:] / self.price[:-1] - 1.0, 0.0)
        worst = int(np.argmin(np.where(inside & (self.gross > 0), fall, 0.0)))
        out = {"largest position": int(self.ts[fullest])}
        if inside[worst] and worst != fullest:
            out["worst hour held"] = int(self.ts[worst])
        return out


def stretch(job: Replay, segments: tuple[Span, ...], exposure: Exposure, first: int) -> Replay:
    """Fill in where a replay warms up and begins: when the run was last flat, or two weeks ago.

    So the book that meets the stretch is the one that the run held there, up to the size of
    its capital.
    """
    (segment,) = (s for s in segments if s.start < job.measured.start <= s.end)
    start = min(exposure.flat_before(job.at.start - DAY_NS), job.at.start - RUN_IN_NS)
    start = max(start, first, segment.start)
    end = min(job.measured.end + HOUR_NS, segment.end)
    net = float(exposure.net[np.searchsorted(exposure.ts, job.at.start)])
    return job._replace(line=Span(max(segment.start, start - WARM_NS), end), start=start, net=net)


def from_first(job: Replay) -> Replay:
    """Let shock and figures of a placed replay begin with its first decision."""
    at, measured = job.at._replace(start=job.start), job.measured._replace(start=job.start)
    return job._replace(at=at, measured=measured)
