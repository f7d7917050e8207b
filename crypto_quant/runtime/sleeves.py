"""Sleeves as the step runs them: each strategy behind the same four calls."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Final, Protocol, TypeAlias

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.messages import (
    Alarm,
    FeatureVector,
    Prediction,
    Signal,
    Target,
    Transfer,
)
from crypto_quant.core.terms import Terms
from crypto_quant.core.tickets import Instruction
from crypto_quant.models.fold_model import FoldModel
from crypto_quant.models.switch import ModelSwitch
from crypto_quant.runtime.history import DailyCloses
from crypto_quant.runtime.view import LineView
from crypto_quant.strategy.carry import CarrySleeve
from crypto_quant.strategy.carry.state import NOTHING
from crypto_quant.strategy.grid import GridSleeve
from crypto_quant.strategy.position_manager.directional import DirectionalSleeve
from crypto_quant.strategy.position_manager.hold import HoldSleeve
from crypto_quant.strategy.position_manager.imbalance import ImbalanceSleeve
from crypto_quant.strategy.position_manager.momentum import MomentumSleeve
from crypto_quant.strategy.signal_generator.directional import DirectionalSignal
from crypto_quant.strategy.signal_generator.imbalance import ImbalanceSignal
from crypto_quant.strategy.signal_generator.momentum import MomentumSignal

TermsMap = dict[int, Terms]
SleeveCommand: TypeAlias = Transfer | Alarm | Instruction
"""What a sleeve does itself: move its money, be woken, send, amend or withdraw orders."""


Wish: TypeAlias = tuple[
    Prediction | None, tuple[Signal, ...], tuple[Target, ...], tuple[SleeveCommand, ...]
]
"""What a sleeve wants at a wake-up, with what led to it: prediction, signals, targets, commands."""
NO_WISH: Final[Wish] = (None, (), (), ())


class Stage(Protocol):
    """A sleeve in the step: the first stage is that of the run's first sleeve, and so on."""

    def on_timer(self, view: LineView, terms: TermsMap) -> Wish:
        """Decide at a wake-up of the clock."""
        ...

    def on_account(self, view: LineView) -> Wish:
        """Decide after an answer of the venue, or at an alarm that a sleeve set."""
        ...

    def on_funding(self, ts: int, rate: float, interval_h: float) -> None:
        """Learn a settled rate, when it is known."""
        ...

    def reset(self) -> None:
        """Forget everything: a new segment has begun, flat."""
        ...


class _Quiet:
    """A stage that answers of the venue and funding do not concern."""

    __slots__ = ()

    def on_account(self, view: LineView) -> Wish:
        return NO_WISH

    def on_funding(self, ts: int, rate: float, interval_h: float) -> None:
        return


class CarryStage:
    """Cash and carry; reads funding and the account, no feature."""

    __slots__ = ("_sleeve",)

    def __init__(self, sleeve: CarrySleeve) -> None:
        self._sleeve = sleeve

    def on_timer(self, view: LineView, terms: TermsMap) -> Wish:
        """Open, re-size, close or leave the pair."""
        moves = self._sleeve.on_timer(view, terms)
        return NO_WISH if moves is NOTHING else (None, (), *moves)

    def on_account(self, view: LineView) -> Wish:
        """Follow the legs."""
        moves = self._sleeve.on_account(view)
        return NO_WISH if moves is NOTHING else (None, (), *moves)

    def on_funding(self, ts: int, rate: float, interval_h: float) -> None:
        """Update the forecast."""
        self._sleeve.on_funding(ts, rate, interval_h)

    def reset(self) -> None:
        """Forget the pair and the forecast."""
        self._sleeve.reset()


class ModelStage(_Quiet):
    """The fold's model, its threshold, and the directional bet."""

    __slots__ = ("_atr", "_fold", "_instrument", "_signal", "_sleeve", "_switch", "_vol")

    def __init__(
        self,
        switch: ModelSwitch,
        signal: DirectionalSignal,
        sleeve: DirectionalSleeve,
        instrument: int,
        names: Sequence[str],
    ) -> None:
        self._switch = switch
        self._signal = signal
        self._sleeve = sleeve
        self._instrument = instrument
        self._atr = _column(names, "atr_perp_14h")
        self._vol = _column(names, "vol_perp_168h")
        self._fold: FoldModel | None = None

    def on_timer(self, view: LineView, terms: TermsMap) -> Wish:
        """Predict, compare with the threshold, and open, keep or end the bet."""
        features = FeatureVector(view.now, view.features)
        ts, values = features
        fold = self._switch.at(ts)
        if fold is not self._fold:
            self._fold = fold
            if fold is not None:
                self._signal.begin_fold(fold.threshold.edge, fold.threshold.dispersion)
        prediction = self._switch.predict(features)
        if prediction is None:
            prediction = Prediction(ts, nan, nan, "none")
        value, instrument = values.item, self._instrument
        vol = value(self._vol)
        signal = self._signal(prediction, vol)
        rule = terms[instrument]
        atr = value(self._atr) * view.px(instrument) * rule.price_unit
        target = self._sleeve.on_timer(signal, prediction, atr, vol, rule, view)
        return prediction, (signal,), () if target is None else (target,), ()

    def reset(self) -> None:
        """Forget the bet and the recent edges."""
        self._signal.reset()
        self._sleeve.reset()


class MomentumStage(_Quiet):
    """Plain momentum, once a day; ``past`` fills its look-back of ``days`` at the start."""

    __slots__ = ("_days", "_instrument", "_is_new", "_past", "_signal", "_sleeve")

    def __init__(
        self,
        signal: MomentumSignal,
        sleeve: MomentumSleeve,
        instrument: int,
        past: DailyCloses,
        days: int,
    ) -> None:
        self._signal = signal
        self._sleeve = sleeve
        self._instrument = instrument
        self._past = past
        self._days = days
        self._is_new = True

    def on_timer(self, view: LineView, terms: TermsMap) -> Wish:
        """Follow the day's signal."""
        rule = terms[self._instrument]
        if self._is_new:
            self._is_new = False
            for midnight, px in self._past.before(view.now, self._days):
                self._signal(midnight, px * rule.price_unit)
        signal = self._signal(view.now, view.px(self._instrument) * rule.price_unit)
        if signal is None:
            return NO_WISH
        target = self._sleeve.on_signal(signal, self._signal.vol, rule, view)
        return None, (signal,), () if target is None else (target,), ()

    def reset(self) -> None:
        """Forget the past closes; those of the next segment come with its first wake-up."""
        self._signal.reset()
        self._is_new = True


class ImbalanceStage(_Quiet):
    """Order-book imbalance on the tick grid."""

    __slots__ = ("_column", "_instrument", "_signal", "_sleeve")

    def __init__(
        self,
        signal: ImbalanceSignal,
        sleeve: ImbalanceSleeve,
        instrument: int,
        names: Sequence[str],
        feature: str,
    ) -> None:
        self._signal = signal
        self._sleeve = sleeve
        self._instrument = instrument
        self._column = _column(names, feature)

    def on_timer(self, view: LineView, terms: TermsMap) -> Wish:
        """Follow the imbalance."""
        signal = self._signal(view.now, float(view.features[self._column]))
        target = self._sleeve.on_timer(signal, terms[self._instrument], view)
        return None, (signal,), () if target is None else (target,), ()

    def reset(self) -> None:
        """Forget the run of imbalances and the position."""
        self._signal.reset()
        self._sleeve.reset()


class GridStage(_Quiet):
    """A grid market maker; it reads the book and its position, no feature."""

    __slots__ = ("_instrument", "_sleeve", "_target", "_wish")

    def __init__(self, sleeve: GridSleeve, instrument: int) -> None:
        self._sleeve = sleeve
        self._instrument = instrument
        self._target: Target | None = None
        self._wish = NO_WISH

    def on_timer(self, view: LineView, terms: TermsMap) -> Wish:
        """Say the quotes of this moment; the same wish for as long as they are the same."""
        target = self._sleeve.on_timer(terms[self._instrument], view)
        if target is not self._target:
            self._target = target
            self._wish = NO_WISH if target is None else (None, (), (target,), ())
        return self._wish

    def reset(self) -> None:
        """Forget the moves of the market."""
        self._sleeve.reset()


class HoldStage(_Quiet):
    """A position that is kept; it reads no feature."""

    __slots__ = ("_instrument", "_sleeve")

    def __init__(self, sleeve: HoldSleeve, instrument: int) -> None:
        self._sleeve = sleeve
        self._instrument = instrument

    def on_timer(self, view: LineView, terms: TermsMap) -> Wish:
        """Ask for it, once."""
        target = self._sleeve.on_timer(terms[self._instrument], view)
        return NO_WISH if target is None else (None, (), (target,), ())

    def reset(self) -> None:
        """Begin anew."""
        self._sleeve.reset()


def _column(names: Sequence[str], name: str) -> int:
    try:
        return list(names).index(name)
    except ValueError:
        raise ConfigError(f"features: the run needs {name!r}: add it to the feature set") from None
