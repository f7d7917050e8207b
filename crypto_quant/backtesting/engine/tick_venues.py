"""Several markets of a session as one: their sums, and what each venue was traded at and paid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from crypto_quant.backtesting.engine.columns import money, texts, whole
from crypto_quant.core.messages import Wallet
from crypto_quant.core.terms import EXACT
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.markets import Markets

Figures = Mapping[str, Any]


def exact_sum(values: Iterable[Decimal]) -> Decimal:
    """Add amounts of money exactly."""
    total = Decimal(0)
    for value in values:
        total = EXACT.add(total, value)
    return total


def summed(books: Sequence[Figures], data: Sequence[Figures]) -> dict[str, Any]:
    """Return a session's sums over its books, and what was recorded of its instruments.

    Parameters
    ----------
    books
        What each book came to.
    data
        What was recorded of each instrument, under ``data`` one by one.
    """
    return {
        "events": _counts(own["events"] for own in data),
        "updates_of_no_book": sum(own["updates_of_no_book"] for own in data),
        "missing_trade_ids": sum(own["missing_trade_ids"] for own in data),
        "data": list(data),
        "orders": _counts(own["orders"] for own in books),
        "fills": _counts(own["fills"] for own in books),
        "traded": f"{exact_sum(Decimal(own['traded']) for own in books):f}",
        "pnl": _money([own["pnl"] for own in books]),
    }


def venue_figures(
    line: RecordedLine, markets: Markets, books: Sequence[Figures], first_transfer: int
) -> dict[str, Any]:
    """Return by venue what was traded there, what it made, and what its account ended with.

    Parameters
    ----------
    line
        The session's line, which has ended.
    markets
        What was traded.
    books
        What each book came to.
    first_transfer
        Rows of transfers before it belong to earlier sessions.
    """
    out = {}
    for venue in markets.venues:
        own = [f for b, f in zip(markets.books, books, strict=True) if b.venue == venue]
        out[venue] = {
            "mode": "hedge" if venue in markets.hedged else "one-way",
            "orders": _counts(f["orders"] for f in own),
            "fills": _counts(f["fills"] for f in own),
            "traded": f"{exact_sum(Decimal(f['traded']) for f in own):f}",
            "pnl": _money([f["pnl"] for f in own]),
            "balances": _balances(line, venue),
            "transfers": _transfers(line, venue, first_transfer),
        }
    return out


def _balances(line: RecordedLine, venue: str) -> dict[str, str]:
    """Return what the wallets of a venue hold, and what is on its way to them, if anything."""
    found = {}
    wallets = line.accounts.wallets()
    for wallet in Wallet:
        number = line.accounts.wallet(wallet, venue)
        for asset in wallets[number][1]:
            kind = f"{wallet.name.lower()} {asset}"
            held = line.native.balance(number, asset), line.native.in_flight(number, asset)
            for name, amount in zip((kind, f"{kind} on its way"), held, strict=True):
                if amount:
                    found[name] = f"{amount.normalize():f}"
    return found


def _transfers(line: RecordedLine, venue: str, first: int) -> list[dict[str, Any]]:
    """Return the transfers that a session asked for out of a venue's wallets."""
    table = line.native.transfers()
    times = {name: whole(table, name).tolist() for name in ("ts", "arrives")}
    names = ("sleeve", "source", "target", "asset", "status", "reason")
    said = {name: texts(table, name) for name in names}
    amounts = {name: money(table, name).to_pylist() for name in ("amount", "fee")}
    wallets = line.accounts.wallets()
    own = {wallets[line.accounts.wallet(wallet, venue)][0] for wallet in Wallet}
    return [
        {name: rows[n] for name, rows in (times | said).items()}
        | {name: f"{rows[n].normalize():f}" for name, rows in amounts.items()}
        for n in range(first, len(times["ts"]))
        if said["source"][n] in own
    ]


def _counts(each: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for counts in each:
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    return total


def _money(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {name: f"{exact_sum(Decimal(own[name]) for own in each):f}" for name in each[0]}
