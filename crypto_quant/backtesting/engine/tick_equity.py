"""``equity.parquet`` of a run on ticks: the portfolio and its books, each second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from crypto_quant.backtesting.engine.collect import total
from crypto_quant.backtesting.engine.columns import MONEY_SCALE, decimals, money, whole
from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.metrics.schema import COMPONENTS, PORTFOLIO, column
from crypto_quant.runtime.markets import Markets

_NATIVE_PART: Final = {"transfer": "transfer_fees"}


def equity_table(
    books: Books,
    sessions: Sequence[str],
    markets: Markets,
    wallets: Sequence[tuple[str, Sequence[str]]],
) -> pa.Table:
    """Return a row each second and at the end of each session.

    In every row equity is the capital plus the parts, exactly; the portfolio is the sum of the
    books. Of configured markets the balances of the wallets are there too, in the quote asset, and
    in any run those of coins that margin its contracts.

    Parameters
    ----------
    books
        What the run left.
    sessions
        The session of each row, (n,).
    markets
        What was traded.
    wallets
        Names of the wallets, and their assets.
    """
    rows = books.equity
    columns: dict[str, pa.Array] = {
        "ts": pa.array(whole(rows, "ts")),
        "session": pa.array(sessions),
    }
    for instrument in markets.legs.instruments:
        held = whole(rows, f"position.{instrument.id}")
        columns[f"position/{instrument.id}"] = decimals(held, instrument.qty_exp)
    flat = pa.nulls(len(sessions), pa.decimal128(38, MONEY_SCALE)).fill_null(0)
    for book in (*books.sleeves, PORTFOLIO):
        columns[column(book, "flow")] = flat
        own = books.sleeves if book == PORTFOLIO else (book,)
        for part in ("equity", *COMPONENTS):
            native = _NATIVE_PART.get(part, part)
            columns[column(book, part)] = total([money(rows, f"{native}.{name}") for name in own])
    for wallet, assets in wallets:
        for asset in assets:
            if asset in markets.coins or (asset == markets.quote and not markets.is_plain):
                name = f"balance.{wallet}.{asset}"
                columns[name.replace(".", "/", 1)] = money(rows, name)
    return pa.table(columns)
