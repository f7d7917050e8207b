"""Several sleeves as one stage: each is asked, and what they say is joined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import is_

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import Alarm, Prediction, Signal, Target, Transfer
from crypto_quant.runtime.sleeves import NO_WISH, SleeveCommand, Stage, TermsMap, Wish
from crypto_quant.runtime.view import LineView


class JoinedStages:
    """Asks every stage in turn.

    A wish is the same object for as long as every stage says the same one: what comes after it
    sees at sight that nothing is new.

    Parameters
    ----------
    stages
        Those of the sleeves in their order; what follows them speaks for the run.
    sleeves
        The names of the sleeves.
    """

    __slots__ = ("_said", "_sleeves", "_wish", "stages")

    def __init__(self, stages: Sequence[Stage], sleeves: Sequence[str]) -> None:
        self.stages = tuple(stages)
        self._sleeves = tuple(sleeves)
        self._said = [NO_WISH] * len(self.stages)
        self._wish = NO_WISH

    def on_timer(self, view: LineView, terms: TermsMap) -> Wish:
        """Return what all of them want at a wake-up of the clock."""
        said = [stage.on_timer(view, terms) for stage in self.stages]
        if not all(map(is_, said, self._said)):
            self._wish = self._join(said)
            self._said = said
        return self._wish

    def on_account(self, view: LineView) -> Wish:
        """Return what all of them want after an answer of the venue, or at an alarm."""
        return self._join([stage.on_account(view) for stage in self.stages])

    def on_funding(self, ts: int, rate: float, interval_h: float) -> None:
        """Tell all of them a settled rate."""
        for stage in self.stages:
            stage.on_funding(ts, rate, interval_h)

    def reset(self) -> None:
        """Have all of them forget everything."""
        for stage in self.stages:
            stage.reset()

    def _join(self, said: Sequence[Wish]) -> Wish:
        prediction: Prediction | None = None
        signals: tuple[Signal, ...] = ()
        targets: tuple[Target, ...] = ()
        commands: tuple[SleeveCommand, ...] = ()
        for number, wish in enumerate(said):
            if wish is NO_WISH:
                continue
            made, seen, wanted, own = wish
            prediction = made or prediction
            signals += seen
            targets += wanted
            if own and number < len(self._sleeves):
                _check_speaker(own, number, self._sleeves)
            commands += own
        return prediction, signals, targets, commands


def _check_speaker(said: Iterable[SleeveCommand], number: int, sleeves: Sequence[str]) -> None:
    """Check that a sleeve sends orders and moves money in its own name only.

    A sleeve that there is not is left to whoever looks it up.

    Parameters
    ----------
    said
        What the stage of sleeve ``number`` said.
    sleeves
        Their names, in the order of their stages.

    Raises
    ------
    StrategyError
        It speaks in another one's name.
    """
    for one in said:
        if isinstance(one, Alarm):
            continue
        which = f"{type(one).__name__.lower()} "
        if isinstance(one, Transfer):
            named = sleeves[one.sleeve] if 0 <= one.sleeve < len(sleeves) else ""
        else:
            named, which = one.sleeve, f"{which}{one.name!r} "
        if named != sleeves[number] and named in sleeves:
            raise StrategyError(
                f"sleeve {sleeves[number]}: {which}in the name of sleeve {named}: a sleeve "
                "sends its own orders and moves its own money only"
            )
