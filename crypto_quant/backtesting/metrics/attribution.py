"""P&L attribution: what each book earned by each component, to the last digit.

Sums are made on integers of the finest scale, so nothing is rounded and no tolerance is
needed: the residual is exactly zero or there is a defect.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from typing import NamedTuple

import pyarrow as pa

from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.schema import COMPONENTS, PORTFOLIO, column

_EXACT = Context(prec=60)
_SCALE = 18


class BookAttribution(NamedTuple):
    """One book over the whole run, in money.

    ``components`` maps each component to its P&L (a cost < 0); ``residual`` is what equity
    changed by beyond flow and components; ``worst`` the largest residual in any hour.
    """

    book: str
    label: str
    start: Decimal
    flow: Decimal
    components: dict[str, Decimal]
    end: Decimal
    residual: Decimal
    worst: Decimal


class Attribution(NamedTuple):
    """All books, the portfolio last; ``gap`` = portfolio less the sleeves, per component."""

    books: tuple[BookAttribution, ...]
    gap: dict[str, Decimal]

    @property
    def exact(self) -> bool:
        """Whether every hour and every sum agrees to the last digit."""
        clean = all(book.residual == 0 and book.worst == 0 for book in self.books)
        return clean and all(value == 0 for value in self.gap.values())


def attribute(run: RunResult) -> Attribution:
    """Attribute the run's P&L; see ``check_equity`` for the columns."""
    sleeves = run.description.sleeves
    books = [_book(run, s.name, s.label) for s in sleeves]
    whole = _book(run, PORTFOLIO, "Portfolio")
    with localcontext(_EXACT):
        gap = {
            name: value - sum((b.components.get(name, Decimal(0)) for b in books), Decimal(0))
            for name, value in whole.components.items()
        }
    return Attribution((*books, whole), gap)


def component_names(run: RunResult, book: str) -> list[str]:
    """List a book's components: the common ones first, then its own."""
    taken = {"equity", "flow", *COMPONENTS}
    prefix = f"{book}/"
    own = [name[len(prefix) :] for name in run.equity.column_names if name.startswith(prefix)]
    return [*COMPONENTS, *(n for n in own if n not in taken and not n.startswith("notional/"))]


def _book(run: RunResult, book: str, label: str) -> BookAttribution:
    names = component_names(run, book)
    columns = {n: _integers(run.equity[column(book, n)]) for n in ("equity", "flow", *names)}
    equity, flow = columns["equity"], columns["flow"]
    parts = [columns[n] for n in names]
    worst = max(
        abs(equity[i] - equity[0] - (flow[i] - flow[0]) - sum(p[i] - p[0] for p in parts))
        for i in range(len(equity))
    )
    end = equity[-1] - equity[0] - (flow[-1] - flow[0])
    return BookAttribution(
        book=book,
        label=label,
        start=_money(equity[0]),
        flow=_money(flow[-1] - flow[0]),
        components={n: _money(columns[n][-1] - columns[n][0]) for n in names},
        end=_money(equity[-1]),
        residual=_money(end - sum(p[-1] - p[0] for p in parts)),
        worst=_money(worst),
    )


def _integers(values: pa.ChunkedArray) -> list[int]:
    """Read decimals as integers of 10^-18, through the column's own two's complement bytes."""
    shift = 10 ** (_SCALE - values.type.scale)
    width = values.type.byte_width
    out: list[int] = []
    for chunk in values.chunks:
        raw = chunk.buffers()[1].to_pybytes()[chunk.offset * width :]
        out += [
            int.from_bytes(raw[i * width : (i + 1) * width], "little", signed=True) * shift
            for i in range(len(chunk))
        ]
    return out


def _money(units: int) -> Decimal:
    """Return an amount with 8 decimals, or with all 18 where it has more."""
    value = Decimal(units).scaleb(-_SCALE, _EXACT)
    short = value.quantize(Decimal("1e-8"), context=_EXACT)
    return short if short == value else value
