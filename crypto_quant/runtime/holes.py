"""What may be carried from one session into the next: money of the quote asset alone."""

from __future__ import annotations

from decimal import Decimal

from crypto_quant.core.errors import ConfigError
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.markets import Markets


def check_hole(line: RecordedLine, markets: Markets, ended: str, begins: str) -> None:
    """Check that nothing whose price moves goes over the hole between two sessions.

    What the venue can sell or close has been when a session ends; coins that margin contracts, or
    are on their way, cannot be.

    Parameters
    ----------
    line
        Of the session that has ended.
    markets
        What is traded.
    ended, begins
        Names of that session and of the next one.

    Raises
    ------
    ConfigError
        There are coins in a wallet, or on their way to one, or a position whose coins are gone.
    """
    for number, (wallet, assets, _) in enumerate(line.accounts.wallets()):
        for asset in assets:
            if asset == markets.quote:
                continue
            held = line.native.balance(number, asset), line.native.in_flight(number, asset)
            for amount, where in zip(held, ("in", "on their way to"), strict=True):
                if amount:
                    raise ConfigError(
                        f"sessions: expected no coins where {ended} ends, was "
                        f"{amount.normalize():f} {asset} {where} the {wallet} wallet: until "
                        f"{begins} their price moves, which no trade made: choose one (--session)"
                    )
    for number, instrument in enumerate(markets.legs.instruments):
        lots = line.native.position(number)
        if lots and instrument.contract == "spot":
            size = Decimal(lots).scaleb(-instrument.qty_exp).normalize()
            raise ConfigError(
                f"sessions: expected no position where {ended} ends, was {size:f} of "
                f"{instrument.id}, whose coins went for a transfer's fee: choose one (--session)"
            )
