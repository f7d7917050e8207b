"""Several markets of a tick run, session by session: each book, and each venue's account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

_BESIDE: Final = 3
"""Columns beside one another that fit a terminal."""
_WIDTH: Final = 23
Figures = Mapping[str, Any]


class MarketTable(NamedTuple):
    """Figures beside one another: what they are of, and rows of a name and a text for each."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def tables(metrics: Figures) -> Iterator[MarketTable]:
    """Yield what books and venues came to in each session; nothing of a run on one market."""
    for session in metrics["sessions"]:
        if "markets" not in session:
            return
        yield _books(session, metrics["markets"])
        yield _venues(session, tuple(dict.fromkeys(m["venue"] for m in metrics["markets"])))


def _books(session: Figures, made: Sequence[Figures]) -> MarketTable:
    each = [(market, session["markets"][market["name"]]) for market in made]
    rows: list[tuple[str, Callable[[Figures, Figures], str]]] = [
        ("instrument", lambda m, _: str(m["instrument"])),
        ("side", lambda m, _: str(m["side"])),
        ("strategy", lambda m, _: str(m["strategy"])),
        ("capital", lambda m, _: f"{Decimal(m['capital']):,}"),
        ("orders, rejected", lambda _, f: _orders(f)),
        ("fills taker, maker", lambda _, f: _fills(f)),
        ("traded", lambda _, f: f"{Decimal(f['traded']):,.0f}"),
        ("most held", lambda m, f: coins(f["most_held"], m)),
        ("position at end", lambda m, f: coins(f["position_end"], m)),
        *((name, _of_figures(show)) for name, show in coin_rows(own for _, own in each)),
        *(
            (f"P&L {part.replace('_', ' ')}", _part(part))
            for part in _parts(own for _, own in each)
        ),
        ("= P&L", _part("total")),
    ]
    texts = tuple((name, tuple(cell(m, f) for m, f in each)) for name, cell in rows)
    return MarketTable(
        f"books, session {session['session']}", tuple(m["name"] for m in made), texts
    )


def _venues(session: Figures, names: tuple[str, ...]) -> MarketTable:
    each = [session["venues"][name] for name in names]
    kinds = dict.fromkeys(kind for own in each for kind in own["balances"])
    rows: list[tuple[str, Callable[[Figures], str]]] = [
        ("account", lambda f: f"{f['mode']} mode"),
        ("orders, rejected", _orders),
        ("fills taker, maker", _fills),
        ("traded", lambda f: f"{Decimal(f['traded']):,.0f}"),
        ("fees", lambda f: _signed(f, "fees")),
        ("funding", lambda f: _signed(f, "funding")),
        ("P&L", lambda f: _signed(f, "total")),
        *((f"{kind}", _balance(kind)) for kind in kinds),
    ]
    if any(own["transfers"] for own in each):
        rows.append(("transfers out", _transfers))
    texts = tuple((name, tuple(cell(own) for own in each)) for name, cell in rows)
    return MarketTable(f"venues, session {session['session']}", names, texts)


def _parts(each: Iterator[Figures]) -> list[str]:
    """Return the parts of the P&L that are anything in any book."""
    found = list(each)
    names = [name for name in found[0]["pnl"] if name != "total"]
    return [name for name in names if any(Decimal(own["pnl"][name]) for own in found)]


def _part(name: str) -> Callable[[Figures, Figures], str]:
    return lambda _, own: _signed(own, name)


def _signed(own: Figures, part: str) -> str:
    return f"{Decimal(own['pnl'][part]):+z,.4f}"


def _orders(own: Figures) -> str:
    return f"{own['orders']['sent']:,}, {own['orders']['rejected']:,}"


def _fills(own: Figures) -> str:
    return f"{own['fills']['taker']:,}, {own['fills']['maker']:,}"


def coins(amount: str, market: Figures) -> str:
    """Return what a market's book holds with what it is counted in."""
    # A run of before does not say it.
    unit = market.get("counted_in", market.get("base", ""))
    return f"{Decimal(amount).normalize():zf} {unit}".rstrip()


def coin_rows(each: Iterable[Figures]) -> list[tuple[str, Callable[[Figures], str]]]:
    """Return what is shown of margins in coin: names, and how each is read off; none without."""
    if not any("coin" in own for own in each):
        return []
    names = {"begin": "margin at start", "end": "margin at end", "fees": "fees in coin"}
    return [(name, _in_coin(key)) for key, name in names.items()]


def _in_coin(key: str) -> Callable[[Figures], str]:
    return lambda own: f"{own['coin'][key]} {own['coin']['asset']}" if "coin" in own else ""


def _of_figures(show: Callable[[Figures], str]) -> Callable[[Figures, Figures], str]:
    return lambda _, own: show(own)


def _balance(kind: str) -> Callable[[Figures], str]:
    return lambda own: f"{Decimal(own['balances'].get(kind, 0)):z,.8f}".rstrip("0").rstrip(".")


def _transfers(own: Figures) -> str:
    each: Sequence[Figures] = own["transfers"]
    states = [_state(row) for row in each]
    return ", ".join(f"{states.count(s)} {s}" for s in dict.fromkeys(states)) or "0"


def _state(transfer: Figures) -> str:
    state = str(transfer["status"]).replace("_", " ")
    return f"{state} ({transfer['reason']})" if transfer["reason"] else state


def lines(metrics: Figures) -> Iterator[str]:
    """Yield the tables for a terminal, each as a block."""
    for title, heads, rows in tables(metrics):
        each = [("", heads), *rows]
        widths = [max(_WIDTH, *(len(own[n]) + 2 for _, own in each)) for n in range(len(heads))]
        for at in range(0, len(heads), _BESIDE):
            shown = range(at, min(at + _BESIDE, len(heads)))
            block = [
                f"{name:<20}" + "".join(f"{own[n]:>{widths[n]}}" for n in shown)
                for name, own in each
            ]
            yield "\n".join([title, *block])
