"""The book of recorded frames, in dictionaries, by the venue's rules; imports nothing of ours."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

MS = 10**6
Op = tuple[int, int, str, str]
"""Venue time, side (+1 bid, -1 ask, 0: the book is lost), price, quantity."""


def frames(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Yield the book frames of recordings, file after file."""
    for path in files:
        with gzip.open(path, "rt") as lines:
            for line in lines:
                if '"depthUpdate"' in line or '"lastUpdateId"' in line:
                    frame = json.loads(line.partition(" ")[2])
                    yield frame.get("data", frame)


def operations(files: Sequence[Path]) -> list[Op]:
    """Return every change of the book that follows the one before, oldest first."""
    ops: list[Op] = []
    early: list[dict[str, Any]] = []
    last: int | None = None
    for frame in frames(files):
        if "lastUpdateId" in frame:
            ops.append((_time(frame, ops), 0, "", ""))
            last = frame["lastUpdateId"]
            ops += _levels(frame, "bids", "asks", ops)
            for waiting in early:
                if waiting["u"] > last:
                    ops += _levels(waiting, "b", "a", ops)
                    last = waiting["u"]
            early = []
        elif last is not None and _follows(frame, last):
            ops += _levels(frame, "b", "a", ops)
            last = frame["u"]
        elif last is None or frame["u"] > last:
            if last is not None:
                ops.append((ops[-1][0] + 1, 0, "", ""))
            last = None
            early.append(frame)
    return ops


def _follows(frame: dict[str, Any], last: int) -> bool:
    """Tell whether an update comes right after another, or is the first after a snapshot."""
    if "pu" in frame:
        return bool(frame["pu"] == last or frame["U"] <= last <= frame["u"])
    return bool(frame["U"] <= last + 1 <= frame["u"])


def _time(frame: dict[str, Any], ops: Sequence[Op]) -> int:
    """Return the venue's time; a REST snapshot of spot has none: that of the update before."""
    stamp = frame.get("T", frame.get("E"))
    return (ops[-1][0] if ops else 0) if stamp is None else stamp * MS


def _levels(frame: dict[str, Any], bids: str, asks: str, ops: Sequence[Op]) -> list[Op]:
    when = _time(frame, ops)
    rows = [(when, 1, px, qty) for px, qty in frame[bids]]
    return rows + [(when, -1, px, qty) for px, qty in frame[asks]]


class FrameBook:
    """The venue's book at a time, less what our own orders have taken of it."""

    def __init__(self, ops: Sequence[Op]) -> None:
        self._ops = ops
        self._done = 0
        self._sides: dict[int, dict[Decimal, Decimal]] = {1: {}, -1: {}}
        self._taken: dict[tuple[int, Decimal], Decimal] = {}

    def until(self, ts: int, *, inclusive: bool) -> None:
        """Live through all that happened by a time; a stamp that goes back waits its turn."""
        while self._done < len(self._ops):
            when, side, text, size = self._ops[self._done]
            if when > ts or (when == ts and not inclusive):
                return
            self._done += 1
            if side == 0:
                self._sides = {1: {}, -1: {}}
                self._taken = {}
                continue
            px, qty = Decimal(text), Decimal(size)
            self._taken.pop((side, px), None)
            if qty:
                self._sides[side][px] = qty
            else:
                self._sides[side].pop(px, None)

    def walk(self, side: int, wanted: Decimal) -> list[tuple[Decimal, Decimal]]:
        """Take from the other side, best price first; return prices and sizes."""
        out, theirs = [], self._sides[-side]
        for px in sorted(theirs, reverse=side < 0):
            size = min(wanted, theirs[px] - self._taken.get((-side, px), Decimal(0)))
            if size > 0:
                self._taken[-side, px] = self._taken.get((-side, px), Decimal(0)) + size
                out.append((px, size))
                wanted -= size
            if not wanted:
                break
        return out
