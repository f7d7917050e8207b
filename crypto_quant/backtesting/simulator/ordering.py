"""What a strategy asks for in the loop of calls: orders, their ends, and money moved."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Unpack

import numpy as np

from crypto_quant.backtesting.simulator.account import money, wallet_of
from crypto_quant.backtesting.simulator.known import Known
from crypto_quant.backtesting.simulator.order import BUY, SELL, OrderType, TimeInForce
from crypto_quant.backtesting.simulator.submission import Given, placed
from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.core.messages import Wallet

_MINUTE_NS: Final = 60 * 10**9
_LIMIT = {TimeInForce.GTC: (1, 0), TimeInForce.IOC: (1, 1), TimeInForce.FOK: (1, 2)}
_CODES: Final = {
    **{(OrderType.LIMIT, tif): codes for tif, codes in _LIMIT.items()},
    **{(OrderType.MARKET, tif): (0, codes[1]) for tif, codes in _LIMIT.items()},
    (OrderType.LIMIT, TimeInForce.GTX): (2, 0),
}
"""Codes of type and time in force of ``_native.Line.submit``: plain orders."""
_BOOLS: Final = (bool, np.bool_)


class Ordering(Known):
    """The calls that send something; see ``Simulator``."""

    def submit_buy_order(
        self,
        asset_no: int,
        order_id: int,
        price_tick: int | None,
        qty: int,
        time_in_force: TimeInForce = TimeInForce.GTC,
        order_type: OrderType = OrderType.LIMIT,
        wait: bool = False,
        **conditions: Unpack[Given],
    ) -> bool:
        """Send an order to buy.

        Parameters
        ----------
        asset_no
            Position of the instrument.
        order_id
            A number that no order had before.
        price_tick
            Limit price, ticks; without meaning for a market order or a trailing stop. A stop or
            take-profit with ``None`` or 0 is a market order once it is triggered.
        qty
            Quantity, lots.
        time_in_force, order_type
            How it meets the market.
        wait
            Whether to let time pass until the venue's answer arrives.
        **conditions
            ``stop_tick``: trigger, ticks; of a trailing stop the price that activates it, at once
            if it is left out. ``trigger``: what it looks at. ``callback_rate``: distance of a
            trailing stop in percent, ``Decimal`` or whole. ``reduce_only``; ``close_position``:
            once triggered it takes what is held, at most ``qty``. ``position_side``: in hedge mode
            the leg.

        Returns
        -------
        bool
            Whether an answer arrived, if it was waited for; else ``True``.

        Raises
        ------
        StrategyError
            What cannot be an order at all.
        """
        how = (order_type, time_in_force)
        self._submit(BUY, asset_no, order_id, price_tick, qty, how, conditions)
        return not wait or self.wait_order_response(asset_no, order_id)

    def submit_sell_order(
        self,
        asset_no: int,
        order_id: int,
        price_tick: int | None,
        qty: int,
        time_in_force: TimeInForce = TimeInForce.GTC,
        order_type: OrderType = OrderType.LIMIT,
        wait: bool = False,
        **conditions: Unpack[Given],
    ) -> bool:
        """Send an order to sell; see :meth:`submit_buy_order`."""
        how = (order_type, time_in_force)
        self._submit(SELL, asset_no, order_id, price_tick, qty, how, conditions)
        return not wait or self.wait_order_response(asset_no, order_id)

    def _submit(
        self,
        side: int,
        asset_no: int,
        order_id: int,
        price_tick: int | None,
        qty: int,
        how: tuple[OrderType, TimeInForce],
        given: Given,
    ) -> None:
        try:
            _refuse_booleans(price_tick, qty)
            units = self._units[self._asset(asset_no)]
            codes = None if given else _CODES.get(how)
            if codes is None:
                order = placed(how, price_tick, side * qty * units.lot, given, units)
                self._native.place(order_id, asset_no, side > 0, qty * units.lot, *order)
                return
            type_code, tif = codes
            price = price_tick * units.tick if type_code else None  # type: ignore[operator]
            self._native.submit(
                order_id, asset_no, side > 0, qty * units.lot, price, type_code, tif
            )
        except (ArithmeticError, LookupError, TypeError, ValueError) as err:
            call = "submit_buy_order" if side > 0 else "submit_sell_order"
            more = "".join(f", {name}={value!r}" for name, value in given.items())
            what = f"{call}({asset_no!r}, {order_id!r}, {price_tick!r}, {qty!r}, {how!r}{more})"
            raise self._wrong(what, _why(err)) from err

    def cancel(self, asset_no: int, order_id: int, wait: bool = False) -> bool:
        """Ask for a cancellation; an order that is done is left alone.

        Returns
        -------
        bool
            As :meth:`submit_buy_order`.

        Raises
        ------
        StrategyError
            No order of this instrument has this number.
        """
        try:
            self._placed(asset_no, order_id)
            self._native.cancel(order_id)
        except (ArithmeticError, TypeError, ValueError) as err:
            raise self._wrong(f"cancel({asset_no!r}, {order_id!r})", _why(err)) from err
        return not wait or self.wait_order_response(asset_no, order_id)

    def modify(
        self,
        asset_no: int,
        order_id: int,
        price_tick: int | None,
        qty: int,
        wait: bool = False,
        *,
        stop_tick: int | None = None,
    ) -> bool:
        """Ask for another price, ticks, and quantity, lots, of a whole order, filled or not.

        ``None`` leaves the price as it is. An order without a limit gets none: to have one, cancel
        it and send another. ``stop_tick`` is another trigger of a stop or take-profit that waits;
        a venue with ``waiting_amends = "refuse"`` amends nothing that waits. What the venue refuses
        is said in ``Order.reason``.

        Returns
        -------
        bool
            As :meth:`submit_buy_order`.

        Raises
        ------
        StrategyError
            No order of this instrument has this number, or the price or quantity cannot be one.
        """
        try:
            _refuse_booleans(price_tick, qty, stop_tick)
            has_price = self._placed(asset_no, order_id)
            if price_tick is not None and not has_price:
                what = "price_tick: expected None, the order has no limit to amend"
                raise ValueError(f"{what}: cancel it and send another")
            tick, lot = self._units[asset_no][:2]
            price = None if price_tick is None else price_tick * tick
            stop = None if stop_tick is None else stop_tick * tick
            self._native.amend(order_id, price, qty * lot, stop)
        except (ArithmeticError, LookupError, TypeError, ValueError) as err:
            more = "" if stop_tick is None else f", stop_tick={stop_tick!r}"
            given = f"modify({asset_no!r}, {order_id!r}, {price_tick!r}, {qty!r}{more})"
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

        Raises
        ------
        StrategyError
            No order of this instrument has this number, or ``timeout`` is not a duration.
        """
        try:
            self._placed(asset_no, order_id)
            return self._line.wait_for(order_id, timeout)
        except (ArithmeticError, TypeError, ValueError, DataError) as err:
            given = f"wait_order_response({asset_no!r}, {order_id!r}, {timeout!r})"
            raise self._wrong(given, _why(err, "numbers and ns")) from err

    def _placed(self, asset_no: int, order_id: int) -> bool:
        """Return whether an order has a limit price; one of another instrument is an error."""
        asset = self._asset(asset_no)
        own, has_price = self._native.placed(order_id)
        if own != asset and self._shorts.get(asset) != own:
            there = self._of_leg.get(own, (own,))[0]
            raise ValueError(f"asset_no: expected {there}, where the order is, was {asset_no!r}")
        return has_price

    def transfer(
        self,
        source: Wallet,
        amount: Decimal,
        *,
        venue: str = "",
        to: str = "",
        fee: Decimal | None = None,
        asset: str = "",
    ) -> int:
        """Send money from a wallet to the other one, or with ``to`` to that of another venue.

        Parameters
        ----------
        source, venue
            Where it leaves; the venue may be left out where there is one.
        amount
            How much.
        to
            The venue whose wallet of the same kind it goes to.
        fee
            Taken beside it; what the venue's terms say if it is left out.
        asset
            The quote asset if it is left out.

        Returns
        -------
        int
            The transfer's number, from 1: see :meth:`transfers`.

        Raises
        ------
        StrategyError
            What cannot be a transfer at all.
        """
        wallet = self._line.accounts.wallet
        try:
            source, amount = wallet_of("source", source), money("amount", amount)
            fee = None if fee is None else money("fee", fee)
            other = Wallet.MARGIN if source is Wallet.SPOT else Wallet.SPOT
            target = wallet(source, to) if to else wallet(other, venue)
            asset = asset or self._line.spec.quote
            return self._native.transfer(0, wallet(source, venue), target, asset, amount, fee)
        except (ArithmeticError, ConfigError, TypeError, ValueError) as err:
            raise self._wrong(f"transfer({source!r}, {amount!r})", str(err)) from err


def _refuse_booleans(*numbers: object) -> None:
    for number in numbers:
        if type(number) in _BOOLS:
            raise TypeError("True and False are no numbers")


def _why(err: Exception, units: str = "ticks and lots") -> str:
    if isinstance(err, LookupError):
        return "expected an order type with a time in force that it can have"
    if isinstance(err, TypeError):
        return f"expected whole {units}"
    if isinstance(err, ArithmeticError):
        return f"expected {units} of at most 63 bits"
    return str(err)
