"""Directional sleeve: one bet at a time, sized once, ended by stop, barrier, clock or reversal."""

from __future__ import annotations

from typing import Final, NamedTuple

from pydantic import Field

from crypto_quant.core.config import Section
from crypto_quant.core.messages import Prediction, Signal, Target
from crypto_quant.core.ports import AccountView
from crypto_quant.core.terms import Terms
from crypto_quant.strategy.position_manager.kelly import kelly_leverage, vol_target_leverage
from crypto_quant.strategy.position_manager.sizing import SizingConfig, quantity_of
from crypto_quant.strategy.position_manager.stops import (
    HOUR_NS,
    StopConfig,
    stop_distance,
    stop_px,
)

STOPPED: Final = "position gone: stopped, or never filled"


class DirectionalConfig(Section):
    """Sizes and stops of the sleeve.

    ``barrier_atr``: distance of the barriers that the model was trained on, in average true
    ranges; the one in favour ends the bet at the first wake-up beyond it.
    """

    sizing: SizingConfig = SizingConfig()
    stop: StopConfig = StopConfig()
    barrier_atr: float = Field(default=2.0, gt=0, le=100)


class Bet(NamedTuple):
    """What was decided when a bet was opened; prices on the grid, ``until`` ns UTC."""

    opened: int
    direction: int
    barrier: int
    until: int


class DirectionalSleeve:
    """Turns signals into targets: capped Kelly under a volatility target, with a stop.

    ``leverage = min(kelly_fraction * kelly, kelly_cap, strength * vol_target / vol,
    max_leverage)`` of the sleeve's equity, fixed while the bet lasts: no re-balancing. A bet
    that ends while the signal still stands is followed by a new one in the same wake-up, and
    only the difference is traded; after a stop the signal must first leave its side.
    """

    __slots__ = ("_bet", "_config", "_held", "_instrument", "_name", "_sleeve", "_spent")

    def __init__(self, config: DirectionalConfig, sleeve: int, name: str, instrument: int) -> None:
        self._config = config
        self._sleeve = sleeve
        self._name = name
        self._instrument = instrument
        self.reset()

    def reset(self) -> None:
        """Forget the bet: a new segment has begun, flat."""
        self._bet: Bet | None = None
        self._held = False
        self._spent = 0

    def on_timer(
        self,
        signal: Signal,
        prediction: Prediction,
        atr: float,
        vol: float,
        terms: Terms,
        view: AccountView,
    ) -> Target | None:
        """Return the new target, or ``None`` while nothing changes.

        ``atr`` is in price units (quote asset), ``vol`` an annualised deviation of returns.
        """
        direction = signal.direction
        if direction != self._spent:
            self._spent = 0
        bet = self._bet
        if bet is None:
            if direction == 0 or self._spent:
                return None
            return self._open(signal, prediction, atr, vol, terms, view)
        ended = self._end_of(bet, direction, view)
        if ended is None:
            return None
        self._bet = None
        if ended is STOPPED:
            self._spent = bet.direction
        fresh = None
        if direction not in (0, self._spent):
            fresh = self._open(signal, prediction, atr, vol, terms, view)
        flat = Target(view.now, self._name, self._instrument, 0, None, ended)
        return flat if fresh is None else fresh._replace(reason=f"{ended}; {fresh.reason}")

    def _end_of(self, bet: Bet, direction: int, view: AccountView) -> str | None:
        """Return why the bet is over, or ``None``."""
        if view.position(self._sleeve, self._instrument):
            self._held = True
        elif self._held or not view.working(self._sleeve, self._instrument):
            return STOPPED
        if view.now >= bet.until:
            return "time stop"
        if direction == -bet.direction:
            return "opposite signal"
        if (view.px(self._instrument) - bet.barrier) * bet.direction >= 0:
            return "barrier in favour reached"
        return None

    def _open(
        self,
        signal: Signal,
        prediction: Prediction,
        atr: float,
        vol: float,
        terms: Terms,
        view: AccountView,
    ) -> Target | None:
        px = view.px(self._instrument)
        price = px * terms.price_unit
        if not (price > 0.0 and atr > 0.0):
            return None
        config, direction = self._config, signal.direction
        leverage = self._leverage(signal, prediction, config.barrier_atr * atr / price, vol, terms)
        notional = min(leverage * view.sleeve_equity(self._sleeve), config.sizing.notional_cap)
        distance = stop_distance(price, atr, config.stop) / terms.price_unit
        stop = stop_px(px, direction, distance, terms.tick)
        quantity = quantity_of(notional, px, stop, terms)
        if quantity == 0:
            return None
        barrier = round(config.barrier_atr * atr / terms.price_unit)
        until = view.now + round(config.stop.time_h * HOUR_NS)
        self._bet = Bet(view.now, direction, px + direction * barrier, until)
        self._held = False
        reason = f"{signal.reason}: leverage {leverage:.3f}"
        return Target(view.now, self._name, self._instrument, direction * quantity, stop, reason)

    def _leverage(
        self, signal: Signal, prediction: Prediction, barrier: float, vol: float, terms: Terms
    ) -> float:
        sizing = self._config.sizing
        up, down = prediction.p_up, prediction.p_down
        p_win, p_loss = (up, down) if signal.direction > 0 else (down, up)
        cost = 2.0 * (terms.taker + sizing.spread)
        kelly = sizing.kelly_fraction * kelly_leverage(p_win, p_loss, barrier, cost)
        risk = signal.strength * vol_target_leverage(sizing.vol_target, vol)
        return min(kelly, sizing.kelly_cap, risk, sizing.max_leverage)
