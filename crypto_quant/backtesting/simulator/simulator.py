"""A loop in which time passes by calls, for those who come from hftbacktest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import numpy as np

from crypto_quant.backtesting.simulator.account import deposits, quote_of, units_of
from crypto_quant.backtesting.simulator.depth import Depth
from crypto_quant.backtesting.simulator.order import (
    BUY,
    SELL,
    Order,
    OrderType,
    TimeInForce,
)
from crypto_quant.backtesting.simulator.recorded import Market
from crypto_quant.backtesting.simulator.values import Fill, StateValues, Trades
from crypto_quant.core.errors import (
    ConfigError,
    CryptoQuantError,
    DataError,
    InvariantError,
    StrategyError,
)
from crypto_quant.core.messages import Wake
from crypto_quant.runtime.line import LineSpec, RecordedLine, Settings

ALL_ASSETS: Final = -1
_MINUTE_NS: Final = 60 * 10**9
_LIMIT = {TimeInForce.GTC: (1, 0), TimeInForce.IOC: (1, 1), TimeInForce.FOK: (1, 2)}
_CODES: Final = {
    **{(OrderType.LIMIT, tif): codes for tif, codes in _LIMIT.items()},
    **{(OrderType.MARKET, tif): (0, codes[1]) for tif, codes in _LIMIT.items()},
    (OrderType.LIMIT, TimeInForce.GTX): (2, 0),
}
"""Codes of type and time in force of ``_native.Line.submit``."""

_made = tuple.__new__
"""Builds a named tuple in a third of the time of its constructor."""


class Simulator:
    """Recorded markets, the simulated venue and one account; it can reach no other venue.

    Prices are whole ticks and quantities whole lots, in both directions; money is ``Decimal``.
    So an order cannot be off tick, and a float is refused. What the venue must refuse it refuses
    itself: see ``Order.reason``. Time begins at the first call of :meth:`elapse`, and orders can
    be sent from then on.

    Parameters
    ----------
    markets
        From ``of_session`` or ``Market.of_columns``; an instrument is named by its position,
        ``asset_no``. Time begins when the books of all are known and ends with the first of
        them that ends: then orders are cancelled and positions closed, with costs.
    sim
        Settings of the simulated venue: see ``docs/reference/matching.md``; of several venues
        (``docs/reference/venues.md``) one mapping for all, or one for each by its name.
    capital
        Money to begin with, in the quote asset; of several venues an amount for each.
    clock_ns
        Distance of the wake-ups of the clock, for :meth:`wake_ups` and :meth:`run_native`, ns.
    leverage, tier
        Of the account.

    Raises
    ------
    ConfigError
        The parts do not fit together.
    DataError
        The tape cannot be what it says.
    """

    def __init__(
        self,
        markets: Sequence[Market],
        *,
        sim: Settings | Mapping[str, Settings] | None = None,
        capital: Decimal | Mapping[str, Decimal] = Decimal(100_000),
        clock_ns: int = 100_000_000,
        leverage: int = 10,
        tier: str = "VIP0",
    ) -> None:
        instruments = tuple(market.instrument for market in markets)
        quote = quote_of(instruments)
        start, end = max(m.start for m in markets), min(m.end for m in markets)
        if start >= end:
            raise DataError("markets: expected sessions that overlap in time, was none")
        self._units = [units_of(instrument, start, end, tier) for instrument in instruments]
        spec = LineSpec(
            instruments=instruments,
            sleeves=("simulator",),
            features=(),
            series=(),
            quote=quote,
            grid_ns=clock_ns,
            start=start,
            end=end,
            sim=dict(sim or {}),
            leverage=leverage,
            tier=tier,
            sample_ns=_MINUTE_NS,
        )
        self._line = RecordedLine(spec, deposits(instruments, capital))
        self._native = native = self._line.native
        for index, market in enumerate(markets):
            market.put(self._line, index)
        self._depths = [Depth(native, index, *units) for index, units in enumerate(self._units)]
        for index in range(len(markets)):
            native.forget_trades(index)
        self.instruments = instruments
        self._assets = range(len(instruments))

    @property
    def num_assets(self) -> int:
        """How many instruments there are."""
        return len(self.instruments)

    @property
    def current_timestamp(self) -> int:
        """Time of the loop, ns UTC: nothing later is known."""
        return self._native.now

    def elapse(self, duration: int) -> bool:
        """Let time pass.

        Parameters
        ----------
        duration
            How much, ns.

        Returns
        -------
        bool
            Whether the tape goes on.
        """
        try:
            return self._line.elapse(duration)
        except TypeError as err:
            raise self._wrong(f"elapse({duration!r})", "expected whole ns") from err
        except DataError as err:
            if isinstance(duration, int) and duration > 0:
                raise
            raise self._wrong(f"elapse({duration!r})", "expected a duration above 0") from err

    def submit_buy_order(
        self,
        asset_no: int,
        order_id: int,
        price_tick: int,
        qty: int,
        time_in_force: TimeInForce = TimeInForce.GTC,
        order_type: OrderType = OrderType.LIMIT,
        wait: bool = False,
    ) -> bool:
        """Send an order to buy.

        Parameters
        ----------
        asset_no
            Position of the instrument.
        order_id
            A number that no order had before.
        price_tick
            Limit price, ticks; without meaning for a market order.
        qty
            Quantity, lots.
        time_in_force, order_type
            How it meets the market.
        wait
            Whether to let time pass until the venue's answer arrives.

        Returns
        -------
        bool
            Whether an answer arrived, if it was waited for; else ``True``.

        Raises
        ------
        StrategyError
            What cannot be an order at all.
        """
        self._submit(BUY, asset_no, order_id, price_tick, qty, (order_type, time_in_force))
        return not wait or self.wait_order_response(asset_no, order_id)

    def submit_sell_order(
        self,
        asset_no: int,
        order_id: int,
        price_tick: int,
        qty: int,
        time_in_force: TimeInForce = TimeInForce.GTC,
        order_type: OrderType = OrderType.LIMIT,
        wait: bool = False,
    ) -> bool:
        """Send an order to sell; see :meth:`submit_buy_order`."""
        self._submit(SELL, asset_no, order_id, price_tick, qty, (order_type, time_in_force))
        return not wait or self.wait_order_response(asset_no, order_id)

    def _submit(
        self,
        side: int,
        asset_no: int,
        order_id: int,
        price_tick: int,
        qty: int,
        how: tuple[OrderType, TimeInForce],
    ) -> None:
        try:
            tick, lot = self._units[self._asset(asset_no)][:2]
            type_code, tif = _CODES[how]
            price = price_tick * tick if type_code else None
            self._native.submit(order_id, asset_no, side > 0, qty * lot, price, type_code, tif)
        except (ArithmeticError, LookupError, TypeError, ValueError) as err:
            call = "submit_buy_order" if side > 0 else "submit_sell_order"
            given = f"{call}({asset_no!r}, {order_id!r}, {price_tick!r}, {qty!r}, {how!r})"
            raise self._wrong(given, _why(err)) from err

    def cancel(self, asset_no: int, order_id: int, wait: bool = False) -> bool:
        """Ask for a cancellation; an order that is done is left alone.

        Returns
        -------
        bool
            As :meth:`submit_buy_order`.

        Raises
        ------
        StrategyError
            No order has this number.
        """
        try:
            self._native.cancel(order_id)
        except (ArithmeticError, TypeError, ValueError) as err:
            raise self._wrong(f"cancel({asset_no!r}, {order_id!r})", _why(err)) from err
        return not wait or self.wait_order_response(asset_no, order_id)

    def modify(
        self, asset_no: int, order_id: int, price_tick: int, qty: int, wait: bool = False
    ) -> bool:
        """Ask for another price, ticks, and quantity, lots, of a whole order, filled or not.

        Returns
        -------
        bool
            As :meth:`submit_buy_order`.

        Raises
        ------
        StrategyError
            No order has this number, or the price or quantity cannot be one.
        """
        try:
            tick, lot = self._units[self._asset(asset_no)][:2]
            self._native.amend(order_id, price_tick * tick, qty * lot)
        except (ArithmeticError, LookupError, TypeError, ValueError) as err:
            given = f"modify({asset_no!r}, {order_id!r}, {price_tick!r}, {qty!r})"
            raise self._wrong(given, _why(err)) from err
        return not wait or self.wait_order_response(asset_no, order_id)

    def wait_order_response(self, asset_no: int, order_id: int, timeout: int = _MINUTE_NS) -> bool:
        """Let time pass until the venue's next answer to an order arrives.

        Parameters
        ----------
        asset_no, order_id
            Which order.
        timeout
            Most that passes, ns.

        Returns
        -------
        bool
            Whether an answer arrived.
        """
        try:
            return self._line.wait_for(order_id, timeout)
        except (ArithmeticError, TypeError, DataError) as err:
            given = f"wait_order_response({asset_no!r}, {order_id!r}, {timeout!r})"
            raise self._wrong(given, _why(err)) from err

    def orders(self, asset_no: int) -> dict[int, Order]:
        """Return orders by number: open ones, and those done since they were last cleared."""
        tick, lot = self._units[self._asset(asset_no)][:2]
        rows = self._native.shown_orders(asset_no, tick, lot)
        return {row[0]: _made(Order, row) for row in rows}

    def clear_inactive_orders(self, asset_no: int = ALL_ASSETS) -> None:
        """Leave orders that are done out of :meth:`orders`, of one instrument or all."""
        for index in self._assets if asset_no == ALL_ASSETS else (self._asset(asset_no),):
            self._native.forget_ended(index)

    def position(self, asset_no: int) -> int:
        """Return the position as far as it is known, lots, signed."""
        return self._native.position(self._asset(asset_no)) // self._units[asset_no][1]

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

    def state_values(self, asset_no: int) -> StateValues:
        """Return position and sums over the fills of an instrument."""
        fills, qty, value, cash, fee = self._native.tally(self._asset(asset_no))
        lot = self._units[asset_no][1]
        return StateValues(self.position(asset_no), cash, fee, fills, qty // lot, value)

    def equity(self) -> Decimal:
        """Return the account's worth at the known marks, in the quote asset."""
        return self._native.equity()

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
            tick, lot = self._units[at][:2]
            how = (bool(taker), str(tag))
            made.append(Fill(at, order, event, recv, side, px // tick, qty // lot, *how))
        return made

    def wake_ups(self) -> Iterator[Wake]:
        """Yield each wake-up of the clock, of the account and of gaps, to the end of the tape."""
        while (wake := self._line.next()) is not None:
            yield wake

    def run_native(self, strategy: str, parameters: Mapping[str, float]) -> int:
        """Run a strategy in Rust to the end of the tape; see ``_native.Line.run``.

        The tape is read into memory as a whole.

        Returns
        -------
        int
            How often it was asked.

        Raises
        ------
        ConfigError
            There is no such strategy, or a parameter is missing or out of range.
        """
        self._line.read_ahead()
        try:
            return self._native.run(strategy, dict(parameters))
        except ValueError as err:
            raise ConfigError(str(err)) from err
        except RuntimeError as err:
            raise InvariantError(str(err)) from err

    def run(self, strategy: Callable[[Simulator], Any]) -> None:
        """Call a strategy with this simulator; if it raises, the error says where on the tape.

        Raises
        ------
        StrategyError
            The strategy raised.
        """
        try:
            strategy(self)
        except CryptoQuantError:
            raise
        except Exception as err:
            name = getattr(strategy, "__name__", type(strategy).__name__)
            raise self._wrong(name, f"{type(err).__name__}: {err}") from err

    def _asset(self, asset_no: int) -> int:
        if asset_no in self._assets:
            return asset_no
        last = self._assets[-1]
        raise self._wrong("asset_no", f"expected 0 to {last}, was {asset_no!r}")

    def _wrong(self, what: str, why: str) -> StrategyError:
        """Return an error that names the position on the tape."""
        now, ns = divmod(self._native.now, 10**9)
        time = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S}.{ns:09d}Z"
        return StrategyError(f"{what}: {why} (at {time}, event {self._native.seq:,})")


def _why(err: Exception) -> str:
    if isinstance(err, LookupError):
        return "expected an order type with a time in force that it can have"
    if isinstance(err, TypeError):
        return "expected whole ticks and lots"
    if isinstance(err, ArithmeticError):
        return "expected ticks and lots of at most 63 bits"
    return str(err)
