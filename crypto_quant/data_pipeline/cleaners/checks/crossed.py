"""Bids at or above asks, in quotes, in minute quotes, and in a book built from its changes."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

import numpy as np
import pyarrow as pa

from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend, Severity
from crypto_quant.data_pipeline.cleaners.rows import Bools, Rows, Tables, runs
from crypto_quant.data_pipeline.collectors.ticks.chain import book_rows
from crypto_quant.data_pipeline.storage import flags

NAME = "crossed"


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find crossed quotes and books."""
    if rows.kind == "quote":
        known = (rows.ints("bid_qty") > 0) & (rows.ints("ask_qty") > 0)
        yield from _report(rows, known & (rows.ints("bid") >= rows.ints("ask")), "bid", Mend.MASK)
    elif rows.kind == "quote_bar":
        for name in ("open", "close"):
            bid, ask = f"bid_{name}", f"ask_{name}"
            known = rows.known(bid) & rows.known(ask)
            crossed = known & (rows.ints(bid) >= rows.ints(ask))
            yield from _report(rows, crossed, bid, Mend.MASK)
    elif rows.kind == "delta":
        yield from _report(rows, _book(rows), "px", None)


def _report(rows: Rows, mask: Bools, name: str, mend: Mend | None) -> Iterator[Finding]:
    for row, count in runs(mask):
        yield rows.finding(
            NAME,
            "bid not below ask",
            Severity.ERROR,
            row,
            f"{name} {rows.text(name, row)}",
            "the best bid is not below the best ask",
            mend,
            count,
        )


def _book(rows: Rows) -> Bools:
    """Rebuild the book and mark the last row of each message after which it is crossed.

    Changes that belong to no book (before a snapshot, after a break) are not looked at. The
    levels that crossed the book are taken back, so that one wrong level is one finding.
    """
    number = pa.array(np.arange(len(rows)))
    ordered = book_rows(rows.table.append_column("row", number)).rows
    side, px, qty = (ordered.column(name).to_pylist() for name in ("side", "px", "qty"))
    marks = ordered.column("flags").to_numpy()
    starts = (marks & flags.SNAPSHOT != 0).tolist()
    ends = (marks & flags.LAST != 0).tolist()
    crossed = np.zeros(len(ordered), dtype=bool)
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    tops: tuple[list[int], list[int]] = ([], [])
    put: list[tuple[dict[int, int], int]] = []
    in_snapshot = False
    for i in range(len(px)):
        if starts[i] and not in_snapshot:
            bids, asks, tops, put = {}, {}, ([], []), []
        in_snapshot = starts[i] and not ends[i]
        book, top, key = (bids, tops[0], -px[i]) if side[i] > 0 else (asks, tops[1], px[i])
        if qty[i]:
            if key not in book:
                heappush(top, key)
            book[key] = qty[i]
            put.append((book, key))
        else:
            book.pop(key, None)
        if ends[i]:
            crossed[i] = _is_crossed(bids, asks, tops)
            if crossed[i]:
                _take_back(bids, asks, put)
            put = []
    marked = np.zeros(len(rows), dtype=bool)
    marked[ordered.column("row").to_numpy()[crossed]] = True
    return marked


def _is_crossed(
    bids: dict[int, int], asks: dict[int, int], tops: tuple[list[int], list[int]]
) -> bool:
    for book, top in zip((bids, asks), tops, strict=True):
        while top and top[0] not in book:
            heappop(top)
    return bool(tops[0] and tops[1]) and -tops[0][0] >= tops[1][0]


def _take_back(
    bids: dict[int, int], asks: dict[int, int], put: list[tuple[dict[int, int], int]]
) -> None:
    """Remove from the book what the message put there across the other side's best."""
    best_bid, best_ask = -min(bids), min(asks)
    for book, key in put:
        is_across = -key >= best_ask if book is bids else key <= best_bid
        if is_across:
            book.pop(key, None)
