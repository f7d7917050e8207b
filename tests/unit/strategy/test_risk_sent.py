"""What left within a minute is counted, and forgotten after it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.strategy.risk_manager.sent import MINUTE_NS, Sent


@given(
    steps=st.lists(
        st.tuples(st.sampled_from([0, 1, MINUTE_NS // 3, MINUTE_NS - 1]), st.integers(1, 5)),
        max_size=30,
    )
)
def test_it_counts_as_a_list_of_all_times_does(steps: list[tuple[int, int]]) -> None:
    times: list[int] = []
    sent, now = Sent(), 0
    for step, count in steps:
        now += step
        assert sent.within_minute(now) == sum(now - MINUTE_NS < ts for ts in times)
        sent.add(now, count)
        times += [now] * count
        assert sent.at(now) == times.count(now)


def test_nothing_left_at_a_time_at_which_nothing_left() -> None:
    sent = Sent()
    sent.add(1)
    assert sent.at(2) == 0
    assert sent.within_minute(MINUTE_NS) == 1
    assert sent.within_minute(1 + MINUTE_NS) == 0
