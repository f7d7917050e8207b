"""What a simulator tells: books, orders, positions and money, as far as they are known."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from crypto_quant.backtesting.simulator.account import Units
from crypto_quant.backtesting.simulator.depth import Depth
from crypto_quant.backtesting.simulator.order import Order, PositionSide, bound
from crypto_quant.backtesting.simulator.values import (
    Fill,
    MoneyTransfer,
    StateValues,
    Trades,
    money_transfers,
)
from crypto_quant.core.errors import StrategyError
from crypto_quant.core.instruments import Instrument
from crypto_quant.runtime.legs import Legs
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.where import where

ALL_ASSETS: Final = -1
BOTH: Final = PositionSide.BOTH
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT

_made = tuple.__new__
"""Builds a named tuple in a third of the time of its constructor."""


class Known:
    """What arrived so far, by instrument.

    Parameters
    ----------
    line
        Where it arrives.
    units
        Tick and lot of each instrument.
    """

    def __init__(self, line: RecordedLine, units: Sequence[Units]) -> None:
        self._line = line
        self._native = native = line.native
        self._units = list(units)
        self.instruments: tuple[Instrument, ...] = line.spec.instruments
        self._assets = range(len(self.instruments))
        self._depths = [Depth(native, index, *own) for index, own in enumerate(units)]
        self._legs: Legs = line.legs
        self._shorts = dict(line.legs.pairs)
        self._of_leg = {short: (long, SHORT) for long, short in line.legs.pairs}

    @property
    def num_assets(self) -> int:
        """How many instruments there are."""
        return len(self.instruments)

    @property
    def current_timestamp(self) -> int:
        """Time of the loop, ns UTC: nothing later is known."""
        return self._native.now

    def orders(self, asset_no: int) -> dict[int, Order]:
        """Return orders by number: open ones, and those done since they were last cleared."""
        tick, lot = self._units[self._asset(asset_no)][:2]
        rows = self._native.shown_orders(asset_no, tick, lot)
        if asset_no in self._shorts:
            rows += self._native.shown_orders(self._shorts[asset_no], tick, lot)
        return {row[0]: _made(Order, row) if row[10] is None else bound(row) for row in rows}

    def clear_inactive_orders(self, asset_no: int = ALL_ASSETS) -> None:
        """Leave orders that are done out of :meth:`orders`, of one instrument or all."""
        for index in self._assets if asset_no == ALL_ASSETS else (self._asset(asset_no),):
            self._native.forget_ended(index)
            if index in self._shorts:
                self._native.forget_ended(self._shorts[index])

    def position(self, asset_no: int, position_side: PositionSide = BOTH) -> int:
        """Return the position as far as it is known, lots, signed; in hedge mode of its legs.

        Raises
        ------
        StrategyError
            A leg is asked for in one-way mode.
        """
        lot = self._units[self._asset(asset_no)][1]
        if not self._shorts and position_side is BOTH:
            return self._native.position(asset_no) // lot
        legs = self._legs_of(asset_no, position_side)
        return sum(self._native.position(leg) for leg in legs) // lot

    def depth(self, asset_no: int) -> Depth:
        """Return the known book."""
        return self._depths[self._asset(asset_no)]

    def last_trades(self, asset_no: int) -> Trades:
        """Return the market's trades since they were last cleared."""
        rows = self._native.trades(self._asset(asset_no))
        tick, lot = self._units[asset_no][:2]
        return Trades(rows[:, 0], rows[:, 1], rows[:, 2] // tick, rows[:, 3] // lot, rows[:, 4])

    def clear_last_trades(self, asset_no: int = ALL_ASSETS) -> None:
        """Leave trades that are known by now out of :meth:`last_trades`."""
        for index in self._assets if asset_no == ALL_ASSETS else (self._asset(asset_no),):
            self._native.forget_trades(index)

    def state_values(self, asset_no: int, position_side: PositionSide = BOTH) -> StateValues:
        """Return position and sums over the fills of an instrument; in hedge mode of its legs.

        Raises
        ------
        StrategyError
            A leg is asked for in one-way mode.
        """
        legs = self._legs_of(self._asset(asset_no), position_side)
        lot = self._units[asset_no][1]
        rows = [self._native.tally(leg) for leg in legs]
        fills, qty, value, cash, fee = (sum(column) for column in zip(*rows, strict=True))
        held = self.position(asset_no, position_side)
        return StateValues(held, Decimal(cash), Decimal(fee), fills, qty // lot, Decimal(value))

    def equity(self) -> Decimal:
        """Return the account's worth at the known marks, in the quote asset.

        Raises
        ------
        StrategyError
            Nothing is known yet of the price of what is held.
        """
        try:
            return self._native.equity()
        except RuntimeError as err:
            raise self._wrong("equity", str(err)) from err

    def feed_latency(self, asset_no: int) -> tuple[int, int] | None:
        """Return when the last market event happened and when it was known, ns UTC."""
        return self._native.feed_latency(self._asset(asset_no))

    def order_latency(self, asset_no: int) -> tuple[int, int, int] | None:
        """Return when the last answered message was sent, acted on and answered, ns UTC."""
        return self._native.order_latency(self._asset(asset_no))

    def fills(self) -> list[Fill]:
        """Return all fills, in the order in which they became known."""
        table = self._native.fills()
        names = ("instrument", "order_id", "ts_event", "ts_recv", "side", "px", "qty", "is_taker")
        rows = zip(*(np.asarray(table[name]).tolist() for name in names), strict=True)
        made = []
        for (at, order, event, recv, side, px, qty, taker), tag in zip(
            rows, table["tag"], strict=True
        ):
            asset, leg = self._of_leg.get(at, (at, LONG if at in self._shorts else BOTH))
            tick, lot = self._units[asset][:2]
            how = (bool(taker), str(tag), leg)
            made.append(Fill(asset, order, event, recv, side, px // tick, qty // lot, *how))
        return made

    def transfers(self) -> list[MoneyTransfer]:
        """Return what was sent between wallets so far, and what became of it."""
        return money_transfers(self._native.transfers())

    def _asset(self, asset_no: int) -> int:
        if asset_no in self._assets:
            return asset_no
        last = self._assets[-1]
        raise self._wrong("asset_no", f"expected 0 to {last}, was {asset_no!r}")

    def _legs_of(self, asset_no: int, position_side: PositionSide) -> tuple[int, ...]:
        """Return the legs of an instrument: in one-way mode itself."""
        short = self._shorts.get(asset_no)
        if short is None:
            if position_side is not BOTH:
                why = "expected none, the account is in one-way mode"
                raise self._wrong("position_side", f"{why}, was {position_side!r}")
            return (asset_no,)
        if position_side is BOTH:
            return (asset_no, short)
        return (asset_no if position_side == LONG else short,)

    def _wrong(self, what: str, why: str) -> StrategyError:
        """Return an error that names the position on the tape."""
        return StrategyError(f"{what}: {why} {where(self._native)}")
