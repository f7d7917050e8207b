"""Trading: round trips by why they ended, fills by where they were made, orders by fate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.schema import PORTFOLIO, Table
from crypto_quant.backtesting.metrics.tracks import floats
from crypto_quant.core.measures.arrays import DAY_NS
from crypto_quant.core.measures.trips import payoff, tally


class TripGroup(NamedTuple):
    """Round trips of a sleeve that ended for one reason; money net of all costs.

    ``won`` share with a result > 0; ``hours`` mean time held; ``streak`` most losses in a row.
    """

    sleeve: str
    reason: str
    trips: int
    won: float
    payoff: float
    mean: float
    total: float
    hours: float
    streak: int


class FillGroup(NamedTuple):
    """A sleeve's fills in an instrument; costs in basis points of the notional.

    ``turnover``: notional a year over the starting capital.
    """

    sleeve: str
    instrument: str
    fills: int
    maker: float
    turnover: float
    fee_bps: float
    spread_bps: float
    impact_bps: float


class Trading(NamedTuple):
    """What was traded; ``orders`` counts orders by state."""

    trips: tuple[TripGroup, ...]
    fills: tuple[FillGroup, ...]
    orders: dict[str, int]


def trading(run: RunResult, years: float) -> Trading:
    """Group the run's own round trips, fills and orders; a sleeve's trips also in all."""
    trips = run.trips.filter(pc.equal(run.trips["row"], PORTFOLIO))
    groups = []
    for sleeve in run.description.sleeves:
        own = trips.filter(pc.equal(trips["sleeve"], sleeve.name))
        if own.num_rows:
            groups.append(_trip_group(own, sleeve.label, "all"))
        groups += [
            _trip_group(own.filter(pc.equal(own["reason"], reason)), sleeve.label, reason)
            for reason in sorted(own["reason"].unique().to_pylist())
        ]
    states = run.orders["state"].value_counts().to_pylist()
    return Trading(
        tuple(groups),
        tuple(_fill_groups(run, years)),
        {row["values"]: row["counts"] for row in sorted(states, key=lambda row: row["values"])},
    )


def _trip_group(trips: Table, sleeve: str, reason: str) -> TripGroup:
    trips = trips.sort_by("close_ts")
    results = floats(trips, "pnl")
    held = trips["close_ts"].to_numpy() - trips["open_ts"].to_numpy()
    lost = np.concatenate(([0], (results < 0).astype(np.int64), [0]))
    edges = np.flatnonzero(np.diff(lost))
    return TripGroup(
        sleeve=sleeve,
        reason=reason,
        trips=results.size,
        won=float((results > 0).mean()),
        payoff=float(payoff(tally(results))),
        mean=float(results.mean()),
        total=float(results.sum()),
        hours=float(held.mean()) / (DAY_NS / 24),
        streak=int(np.diff(edges)[::2].max()) if edges.size else 0,
    )


def _fill_groups(run: RunResult, years: float) -> list[FillGroup]:
    out = []
    for sleeve in run.description.sleeves:
        own = run.fills.filter(pc.equal(run.fills["sleeve"], sleeve.name))
        for instrument in sorted(own["instrument"].unique().to_pylist()):
            some = own.filter(pc.equal(own["instrument"], instrument))
            notional = float(
                (np.abs(floats(some, "quantity")) * floats(some, "reference_price")).sum()
            )
            basis = notional / 10_000 if notional > 0 else float("nan")
            out.append(
                FillGroup(
                    sleeve=sleeve.label,
                    instrument=instrument,
                    fills=some.num_rows,
                    maker=float(pc.mean(pc.equal(some["liquidity"], "maker")).as_py()),
                    turnover=notional / float(run.description.capital) / years,
                    fee_bps=float(floats(some, "fee").sum()) / basis,
                    spread_bps=float(floats(some, "spread").sum()) / basis,
                    impact_bps=float(floats(some, "impact").sum()) / basis,
                )
            )
    return out
