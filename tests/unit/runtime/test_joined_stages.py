"""Several stages asked as one, beside a plain sum of what they say."""

from __future__ import annotations

from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import Alarm, Prediction, Signal, Target, Transfer, Wallet
from crypto_quant.runtime.joined_stages import JoinedStages
from crypto_quant.runtime.sleeves import NO_WISH, Wish
from crypto_quant.runtime.view import LineView

VIEW: LineView = None  # type: ignore[assignment]  # the stages here read nothing
WISHES: tuple[Wish, ...] = (
    NO_WISH,
    (None, (), (Target(1, "near", 0, 5, None, "a"),), ()),
    (None, (), (Target(1, "near", 0, 5, None, "a"),), ()),
    (Prediction(1, 0.5, 0.1, "m"), (Signal(1, "near", 1, 0.5, "b"),), (), ()),
    (None, (), (), (Alarm(1, 7, "c"),)),
)
"""The second and the third are equal, but not the same."""


class Said:
    """A stage that says what the test wrote down."""

    def __init__(self, *wishes: Wish) -> None:
        self._wishes = cycle(wishes)

    def on_timer(self, view: LineView, terms: object) -> Wish:
        return next(self._wishes)

    def on_account(self, view: LineView) -> Wish:
        return next(self._wishes)

    def on_funding(self, ts: int, rate: float, interval_h: float) -> None:
        return

    def reset(self) -> None:
        return


@given(
    rows=st.lists(st.lists(st.sampled_from(WISHES), min_size=3, max_size=3), max_size=12),
    timers=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_what_is_said_is_the_sum_of_all_and_the_same_while_all_are(
    rows: list[list[Wish]], timers: list[bool]
) -> None:
    if not rows:
        return
    joined = JoinedStages([Said(*own) for own in zip(*rows, strict=True)], ["near", "far"])
    before: tuple[list[Wish], Wish] | None = None
    for row, is_timer in zip(rows, timers, strict=False):
        wish = joined.on_timer(VIEW, {}) if is_timer else joined.on_account(VIEW)
        prediction, signals, targets, commands = wish
        made = [own[0] for own in row if own[0]]
        assert prediction == (made[-1] if made else None)
        assert signals == tuple(one for own in row for one in own[1])
        assert targets == tuple(one for own in row for one in own[2])
        assert commands == tuple(one for own in row for one in own[3])
        if is_timer:
            if before is not None and all(a is b for a, b in zip(row, before[0], strict=True)):
                assert wish is before[1]
            before = row, wish


def test_a_sleeve_speaks_in_its_own_name_and_what_follows_the_sleeves_in_any() -> None:
    own = Transfer(1, 0, Wallet.SPOT, 1, "rule", "BINANCE", "")  # type: ignore[arg-type]
    wish: Wish = (None, (), (), (own,))
    names = ["near", "far"]
    for stages in ((wish, NO_WISH), (NO_WISH, NO_WISH, wish)):
        assert JoinedStages([Said(w) for w in stages], names).on_timer(VIEW, {})[3] == (own,)
    with pytest.raises(StrategyError, match="sleeve far: transfer in the name of sleeve near"):
        JoinedStages([Said(NO_WISH), Said(wish)], names).on_timer(VIEW, {})


def test_a_sleeve_that_there_is_not_is_left_to_whoever_looks_it_up() -> None:
    wrong = [
        Transfer(1, at, Wallet.SPOT, 1, "rule", "BINANCE", "")  # type: ignore[arg-type]
        for at in (-1, 7)
    ]
    joined = JoinedStages([Said((None, (), (), tuple(wrong))), Said(NO_WISH)], ["near", "far"])
    assert joined.on_timer(VIEW, {})[3] == tuple(wrong)
