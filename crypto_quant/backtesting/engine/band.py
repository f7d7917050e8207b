"""The band of a tick run: its cells, and the end at which it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from crypto_quant.backtesting.engine.cells import Cell, CellResult, Fitted
from crypto_quant.backtesting.engine.markouts import pooled

_PESSIMISM: Final = ("risk_averse", "fitted", "power", "power2", "power3", "log", "log2")


@dataclass(frozen=True)
class Band:
    """Every cell of a run, in the order of its configuration, and the queue called fitted."""

    cells: tuple[CellResult, ...]
    fitted: Fitted

    @property
    def judged(self) -> CellResult:
        """Return the pessimistic end: the cell that made least.

        Of equals the one that assumes least: the risk-averse queue, the slower latency.
        """
        return min(self.cells, key=lambda result: (result.pnl, _assumes(result.cell)))

    @property
    def rests(self) -> bool:
        """Tell whether any order could rest: without one no queue makes a difference."""
        return any(result.rests for result in self.cells)

    def metrics(self, exponent: float) -> dict[str, Any]:
        """Return the band for ``metrics.json``; ``exponent`` is that of plain power queues."""
        totals = [result.pnl for result in self.cells]
        return {
            "judged": self.judged.cell._asdict(),
            "pnl": {"worst": f"{min(totals):f}", "best": f"{max(totals):f}"},
            "rests": self.rests,
            "fitted": self.fitted._asdict(),
            "cells": [
                {
                    **result.cell._asdict(),
                    "model": self._model(result.cell, exponent),
                    "pnl": f"{result.pnl:f}",
                    **_markouts(result),
                    "sessions": result.sessions,
                }
                for result in self.cells
            ],
        }

    def _model(self, cell: Cell, exponent: float) -> str:
        if cell.queue == "fitted":
            return f"power, n = {self.fitted.exponent:g} ({self.fitted.basis})"
        if cell.queue.startswith("power"):
            return f"{cell.queue}, n = {exponent:g}"
        return cell.queue


def _markouts(result: CellResult) -> dict[str, Any]:
    """Return the markouts of all sessions; of several markets each one's: they have other units."""
    if "markets" not in result.sessions[0]:
        return {"markout_bps": pooled(result.sessions)}
    names = result.sessions[0]["markets"]
    each = {name: [session["markets"][name] for session in result.sessions] for name in names}
    return {"markouts_bps": {name: pooled(own) for name, own in each.items()}}


def _assumes(cell: Cell) -> tuple[int, int]:
    known = cell.queue in _PESSIMISM
    queue = _PESSIMISM.index(cell.queue) if known else len(_PESSIMISM)
    return queue, int(cell.latency == "p50")
